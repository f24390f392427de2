//! What becomes of users and installs below some folders: `cargo run --release --example outcomes -- FOLDER...`
//!
//! Of the files that start something: how many end as a user other than root, before and after, and why the others do not. Of the
//! steps that install: how many run again when a source file changes, before and after, and why others stay where they are.
//! Reasons are counted with their names and numbers replaced.

use std::collections::HashMap;
use std::io::{self, Write as _};
use std::path::PathBuf;

use restage::config::ConfigSource;
use restage::discover;
use restage::file::{Processed, Request, process_all};
use restage::model::command::{Action, Operation};
use restage::model::rebuild::{Again, Change, rebuild};
use restage::model::{Model, Step};
use restage::rebuild::Both;
use restage::syntax::Keyword;

#[derive(Default)]
struct Count {
    /// Files that start something of their own.
    starts: usize,
    users_before: usize,
    users_after: usize,
    /// Root at the end, and nothing refused: the base's user is not known.
    unsaid: usize,
    /// Steps that install behind a copy from the build context.
    installs: usize,
    reruns_before: usize,
    reruns_after: usize,
    freed_files: usize,
    roots: HashMap<String, usize>,
    orders: HashMap<String, usize>,
}

fn is_user(user: Option<&str>) -> bool {
    user.is_some_and(|u| !matches!(u.split(':').next(), Some("" | "root" | "0")))
}

fn installs(step: &Step) -> bool {
    let fetches = |o: &Operation| matches!(o, Operation::Install | Operation::Download);
    step.run.iter().flat_map(|r| &r.commands).any(|c| match &c.action {
        Action::System { operation, .. } | Action::Language { operation, .. } => fetches(operation),
        _ => false,
    })
}

/// How many steps install, and how many of them run again after a source has changed.
fn reruns(model: &Model) -> (usize, usize) {
    let steps = rebuild(model, Change::Source);
    let of = |again: &dyn Fn(Again) -> bool| {
        steps.iter().filter(|c| again(c.again)).filter_map(|c| model.steps.get(c.step)).filter(|s| installs(s)).count()
    };
    (of(&|_| true), of(&|again| again == Again::Yes))
}

/// The reason with what differs from file to file replaced.
fn general(reason: &str) -> String {
    let words = reason.split(' ').map(|word| {
        let odd = |c: char| c.is_ascii_digit() || matches!(c, '/' | '.' | '$' | '`' | '_' | '*');
        let bare = word.trim_end_matches([',', ':', ';', ')', '.']);
        if bare.contains(odd) { word.replace(bare, "…") } else { word.to_owned() }
    });
    let mut out: Vec<String> = words.collect();
    out.dedup();
    out.join(" ")
}

impl Count {
    fn take(&mut self, file: &Processed) {
        let (Some(both), Some(outcome)) = (Both::of(file), &file.outcome) else { return };
        let (before, after) = both.models();
        let user = |model: &Model| is_user(model.stages.last().and_then(|s| s.end.user.as_deref()));
        let refused = |id: &str| outcome.refusals.iter().filter(|r| r.transform == id).map(|r| general(&r.reason)).collect::<Vec<_>>();
        let last = before.stages.len().saturating_sub(1);
        if before.steps_of(last).iter().any(|s| matches!(s.keyword, Keyword::Cmd | Keyword::Entrypoint)) {
            self.starts += 1;
            self.users_before += usize::from(user(&before));
            self.users_after += usize::from(user(&after));
            let reasons = refused("non-root");
            self.unsaid += usize::from(!user(&after) && reasons.is_empty());
            for reason in reasons {
                *self.roots.entry(reason).or_default() += 1;
            }
        }
        let ((all, old), (_, new)) = (reruns(&before), reruns(&after));
        self.installs += all;
        self.reruns_before += old;
        self.reruns_after += new;
        self.freed_files += usize::from(new < old);
        for reason in refused("copy-order") {
            *self.orders.entry(reason).or_default() += 1;
        }
    }
}

fn print(title: &str, reasons: HashMap<String, usize>, out: &mut impl io::Write) -> io::Result<()> {
    writeln!(out, "\n{title}: {} refusals, most often", reasons.values().sum::<usize>())?;
    let mut reasons: Vec<_> = reasons.into_iter().collect();
    reasons.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    for (reason, count) in reasons.iter().take(24) {
        writeln!(out, "{count:6} {reason}")?;
    }
    Ok(())
}

fn main() -> io::Result<()> {
    let mut out = io::stdout().lock();
    let folders: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let files = discover::find(&folders, 2).files;
    let mut count = Count::default();
    for part in files.chunks(500) {
        for file in process_all(part, &Request { config: ConfigSource::Off, ..Request::default() }) {
            count.take(&file);
        }
    }
    writeln!(out, "{} files, {} start something", files.len(), count.starts)?;
    writeln!(out, "not root: {} before, {} after; root without a word: {}", count.users_before, count.users_after, count.unsaid)?;
    writeln!(
        out,
        "steps that install: {}; run again after a source change: {} before, {} after; files with fewer: {}",
        count.installs, count.reruns_before, count.reruns_after, count.freed_files
    )?;
    print("non-root", count.roots, &mut out)?;
    print("copy-order", count.orders, &mut out)
}
