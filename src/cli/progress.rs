//! How far it is, on a terminal: how many of how many, how fast, and how long it takes yet. Nothing is said in a pipe.

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often the line is written anew.
const PAUSE: Duration = Duration::from_millis(100);
/// What is over sooner needs no line.
const PATIENCE: Duration = Duration::from_millis(700);

/// A line on standard error that is written again and again.
#[derive(Debug)]
pub struct Progress {
    total: usize,
    noun: &'static str,
    start: Instant,
    done: AtomicUsize,
    /// When it was written last; `None` where it does not stand there.
    shown: Mutex<Option<Instant>>,
    on: bool,
}

impl Progress {
    /// For so many things, called `noun`.
    #[must_use]
    pub fn new(total: usize, noun: &'static str, quiet: bool) -> Self {
        let on = !quiet && io::stderr().is_terminal();
        Self { total, noun, start: Instant::now(), done: AtomicUsize::new(0), shown: Mutex::new(None), on }
    }

    /// One more is done.
    pub fn tick(&self) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        let passed = self.start.elapsed();
        if !self.on || passed < PATIENCE {
            return;
        }
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        if shown.is_some_and(|at| at.elapsed() < PAUSE) {
            return;
        }
        let _ = write!(io::stderr(), "\r\x1b[K{}", line(done, self.total, self.noun, passed));
        *shown = Some(Instant::now());
    }

    /// Takes the line away, so that something else can be said.
    pub fn clear(&self) {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        if shown.take().is_some() {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

/// `12/500 repositories, 4.0/s, 2:02 left`.
fn line(done: usize, total: usize, noun: &str, passed: Duration) -> String {
    let rate = done as f64 / passed.as_secs_f64().max(0.001);
    let left = (total.saturating_sub(done) as f64 / rate.max(0.001)).ceil() as u64;
    let rate = if rate < 10.0 { format!("{rate:.1}") } else { format!("{rate:.0}") };
    format!("{done}/{total} {noun}, {rate}/s, {}:{:02} left", left / 60, left % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_rate_and_time_left() {
        assert_eq!(line(12, 500, "repositories", Duration::from_secs(3)), "12/500 repositories, 4.0/s, 2:02 left");
        assert_eq!(line(5000, 5000, "files", Duration::from_secs(2)), "5000/5000 files, 2500/s, 0:00 left");
        assert!(line(0, 1, "files", Duration::ZERO).contains("0/1 files"));
    }
}
