//! Many repositories: a change to each as a patch, in its work tree, or as a commit on a branch.
//!
//! A repository that fails is a row of the report and stops nothing. What has been done stands in a [journal], so a run
//! that was killed goes on where it stopped, does nothing twice and leaves nothing half-written. Rows are kept on disk, so
//! that memory does not grow with the number of repositories.

pub mod git;
pub mod journal;
pub mod manifest;
pub mod message;
pub mod outline;
pub mod record;
pub mod source;
mod work;

use crate::file::Request;
use journal::Journal;
use record::Row;
use source::Repository;
use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// What becomes of the changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mode {
    /// They are told: a patch a repository.
    Diff,
    /// They are written into the work trees.
    Apply,
    /// They become a commit on a new branch of this name; nothing that is checked out changes.
    Branch(String),
}

/// What a batch does with each repository.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What becomes of the changes.
    pub mode: Mode,
    /// What the transforms are asked for.
    pub request: Request,
    /// Whether work trees with changes of their own are written to.
    pub dirty: bool,
    /// Whether nothing is written into any repository.
    pub dry_run: bool,
    /// The commit message's template.
    pub message: String,
    /// A shell command to run for each repository that changes.
    pub exec: Option<String>,
    /// Where repositories from elsewhere are kept.
    pub cache: PathBuf,
    /// How many repositories are worked on at once; 0 for as many as there are processors.
    pub jobs: usize,
}

/// Who wants to know how it goes, and may stop it.
#[derive(Clone, Copy)]
pub struct Watch<'a> {
    /// Called with each row, in the order of the repositories.
    pub row: &'a (dyn Fn(&str) + Sync),
    /// Called with the number of repositories that are done.
    pub count: &'a (dyn Fn(usize, &Row) + Sync),
    /// Set to stop after the repositories that are being worked on.
    pub stop: &'a AtomicBool,
}

/// How a batch ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Every repository has its row.
    All,
    /// It was stopped; the next run goes on.
    Stopped,
}

impl Plan {
    /// What of the plan must be the same for a run to go on with another one's journal.
    #[must_use]
    pub fn identity(&self) -> String {
        format!("{:?} {:?} dirty={} dry={} {:?} {:?}", self.mode, self.request, self.dirty, self.dry_run, self.message, self.exec)
    }
}

/// Works on all repositories that the journal does not have yet. Whoever calls it ends the journal once all is reported.
///
/// # Errors
/// Where the journal can't be kept.
pub fn run(repositories: &[Repository], plan: &Plan, journal: &Journal, watch: Watch) -> io::Result<Ended> {
    let jobs = if plan.jobs == 0 { std::thread::available_parallelism().map_or(1, usize::from) } else { plan.jobs };
    // Files have threads of their own: those that wait for git must not keep files waiting.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(jobs).stack_size(16 << 20).build().ok();
    let worker = work::Worker { plan, journal, pool: pool.as_ref() };
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let failure: Mutex<Option<io::Error>> = Mutex::new(None);
    let lines = InOrder::default();
    let turn = || {
        while !watch.stop.load(Ordering::SeqCst) {
            let number = next.fetch_add(1, Ordering::SeqCst);
            let Some(repository) = repositories.get(number) else { return };
            let row = if journal.is_done(&repository.slug) { journal.row(&repository.slug) } else { guarded(&worker, repository) };
            match row {
                Ok(row) => {
                    (watch.count)(done.fetch_add(1, Ordering::SeqCst) + 1, &row);
                    lines.say(number, row.line(), watch.row);
                }
                Err(e) => {
                    failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(e);
                    return;
                }
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..jobs.min(repositories.len()) {
            scope.spawn(turn);
        }
    });
    if let Some(e) = failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
        return Err(e);
    }
    if done.into_inner() < repositories.len() {
        return Ok(Ended::Stopped);
    }
    Ok(Ended::All)
}

/// A repository that makes restage fail is a row, too.
fn guarded(worker: &work::Worker, repository: &Repository) -> io::Result<Row> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| worker.work(repository))).unwrap_or_else(|_| {
        let row = Row::new(&repository.name, repository.place.shown()).failed("restage failed here; this is a bug, please report it");
        worker.journal.done(&repository.slug, &row)?;
        Ok(row)
    })
}

/// Says lines in order, whatever order they come in.
#[derive(Default)]
struct InOrder(Mutex<(usize, BTreeMap<usize, String>)>);

impl InOrder {
    fn say(&self, number: usize, line: String, out: &dyn Fn(&str)) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.1.insert(number, line);
        loop {
            let next = state.0;
            let Some(line) = state.1.remove(&next) else { return };
            out(&line);
            state.0 += 1;
        }
    }
}
