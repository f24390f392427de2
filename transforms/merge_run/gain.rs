//! Where joining pays: a smaller image, or a package index that is no longer stale.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::model::RunFacts;
use crate::model::command::{Action, Classified, Operation, cache_of};
use crate::shell::ShellWord;

/// Members of a row that are better one, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Gain {
    /// The members, by index.
    pub range: Range<usize>,
    /// What it brings, in a sentence.
    pub reason: String,
    /// Whether it is more than one layer less.
    pub shrinks: bool,
}

/// The gains in a row of RUNs that start on `lines`: disjoint, in order. Where there is a gain, neighbours that cost nothing to run
/// again are taken along; such neighbours among themselves are joined too.
pub(super) fn gains(facts: &[Option<&RunFacts>], lines: &[usize]) -> Vec<Gain> {
    let members: Vec<Member> = facts.iter().map(|f| Member::of(*f)).collect();
    let line = |at: usize| lines.get(at).copied().unwrap_or(0);
    let mut found: Vec<Gain> = Vec::new();
    for (later, member) in members.iter().enumerate() {
        for (earlier, before) in members.iter().enumerate().take(later) {
            if let Some(why) = pays(before, member, line(earlier), line(later)) {
                found.push(Gain { range: earlier..later + 1, reason: why, shrinks: true });
                break;
            }
        }
    }
    let free: Vec<bool> = members.iter().map(|m| m.cheap).collect();
    let mut start = 0;
    for at in 0..=free.len() {
        if free.get(at) != Some(&true) {
            if at > start + 1 {
                found.push(Gain {
                    range: start..at,
                    reason: format!(
                        "the RUNs from line {} to {} only touch files or users and take no time, so one layer is enough",
                        line(start),
                        line(at - 1)
                    ),
                    shrinks: false,
                });
            }
            start = at + 1;
        }
    }
    merged(found, &free)
}

/// The gains that count in a stage that is thrown away, where size is nothing: an index and what is installed with it at once.
pub(super) fn stale(facts: &[Option<&RunFacts>], lines: &[usize]) -> Vec<Gain> {
    let members: Vec<Member> = facts.iter().map(|f| Member::of(*f)).collect();
    let line = |at: usize| lines.get(at).copied().unwrap_or(0);
    let mut found = Vec::new();
    let mut start = 0;
    while let Some(earlier) = members.get(start) {
        let reasons = members.iter().enumerate().skip(start + 1).map_while(|(at, m)| stale_index(earlier, m, line(start), line(at)));
        let reasons: Vec<String> = reasons.collect();
        let end = start + 1 + reasons.len();
        found.extend(reasons.into_iter().next().map(|reason| Gain { range: start..end, reason, shrinks: true }));
        start = end;
    }
    found
}

/// One gain for all that overlap, grown over the members beside it that cost nothing.
fn merged(mut found: Vec<Gain>, free: &[bool]) -> Vec<Gain> {
    for gain in &mut found {
        while gain.range.start > 0 && free.get(gain.range.start - 1) == Some(&true) {
            gain.range.start -= 1;
        }
        while free.get(gain.range.end) == Some(&true) {
            gain.range.end += 1;
        }
    }
    // The reasons that name a real gain stand in front, so they win.
    let mut out: Vec<Gain> = Vec::new();
    for gain in found {
        let mut gain = gain;
        while let Some(at) = out.iter().position(|o| o.range.start < gain.range.end && gain.range.start < o.range.end) {
            let other = out.remove(at);
            gain = Gain {
                range: gain.range.start.min(other.range.start)..gain.range.end.max(other.range.end),
                reason: other.reason,
                shrinks: gain.shrinks || other.shrinks,
            };
        }
        out.push(gain);
    }
    out.sort_by_key(|g| g.range.start);
    out
}

/// What matters of one RUN.
#[derive(Default)]
struct Member {
    /// Managers whose index it fetches.
    updates: BTreeSet<String>,
    /// Managers it installs with.
    installs: BTreeSet<String>,
    /// Managers it installs with before it fetches an index.
    relies: BTreeSet<String>,
    /// Managers whose packages it removes.
    removes_packages: BTreeSet<String>,
    /// Managers whose caches it removes.
    cleans: BTreeSet<String>,
    /// Paths that it removes or changes in place, resolved where possible.
    touches: Vec<String>,
    /// Paths that it writes for sure.
    writes: Vec<String>,
    /// Every literal word of its commands.
    words: BTreeSet<String>,
    /// It fetches or builds something.
    produces: bool,
    /// It only works on files or users: running it again costs nothing.
    cheap: bool,
}

impl Member {
    fn of(facts: Option<&RunFacts>) -> Self {
        let mut member = Self::default();
        let Some(facts) = facts else { return member };
        for command in &facts.commands {
            member.take(command);
        }
        member.cheap = facts.script.is_some()
            && facts.commands.iter().all(|c| match &c.action {
                Action::User | Action::Shell | Action::Clean => true,
                Action::File { .. } => c.program().is_some_and(|p| INSTANT.contains(&p)),
                _ => false,
            });
        member
    }

    fn take(&mut self, command: &Classified) {
        let resolve = |word: &ShellWord| path(command, word);
        self.words.extend(
            command
                .words
                .iter()
                .skip(1)
                .flat_map(|w| w.literal.as_deref().unwrap_or("").split('='))
                .filter(|w| w.len() > 2)
                .map(str::to_owned),
        );
        self.writes.extend(command.writes.iter().filter_map(resolve));
        match &command.action {
            Action::System { manager, operation, packages } => match operation {
                Operation::Update => drop(self.updates.insert(manager.clone())),
                Operation::Install | Operation::Upgrade => {
                    // `apk --no-cache` fetches its own index and keeps nothing.
                    let own = command.words.iter().any(|w| w.raw == "--no-cache");
                    if manager == "apt" && !self.updates.contains(manager) && packages.iter().all(|p| !p.raw.ends_with(".deb")) {
                        self.relies.insert(manager.clone());
                    }
                    if !own {
                        self.installs.insert(manager.clone());
                    }
                }
                Operation::Remove => drop(self.removes_packages.insert(manager.clone())),
                Operation::Clean => drop(self.cleans.insert(manager.clone())),
                _ => {}
            },
            Action::Language { manager, operation, .. } => match operation {
                Operation::Install | Operation::Download => {
                    self.installs.insert(manager.clone());
                    self.produces = true;
                }
                Operation::Remove => drop(self.removes_packages.insert(manager.clone())),
                _ => self.produces = true,
            },
            Action::Clean => {
                // `npm cache clean`, or rm on cache directories.
                match command.program() {
                    Some("rm") => {
                        for word in command.words.iter().skip(1).filter(|w| !w.raw.starts_with('-')) {
                            if let Some(manager) = cache_of(word) {
                                self.cleans.insert(manager);
                            }
                            self.touches.extend(resolve(word));
                        }
                    }
                    Some(program) => drop(self.cleans.insert(program.to_owned())),
                    None => {}
                }
            }
            Action::File { writes, .. } => {
                let paths: Vec<String> = writes.iter().filter_map(resolve).collect();
                match command.program() {
                    Some("rm" | "chmod" | "chown" | "chgrp" | "mv" | "setcap" | "unlink") => self.touches.extend(paths.iter().cloned()),
                    Some("tar" | "unzip" | "cp" | "install" | "sed") => self.produces = true,
                    _ => {}
                }
                // An empty directory weighs nothing.
                if !matches!(command.program(), Some("mkdir" | "rm" | "rmdir" | "unlink" | "find" | "touch" | "ln" | "chmod" | "chown")) {
                    self.writes.extend(paths);
                }
            }
            Action::Download | Action::Build { .. } => {
                self.produces = true;
                let target = command.words.windows(2).find_map(|w| match w {
                    [option, value]
                        if matches!(option.raw.as_str(), "-o" | "-O" | "--output" | "--output-document" | "-P" | "--prefix") =>
                    {
                        resolve(value)
                    }
                    _ => None,
                });
                self.writes.extend(target);
            }
            Action::Setup { .. } | Action::Unknown => self.produces = true,
            _ => {}
        }
    }
}

/// Programs that take no time worth a cache entry.
const INSTANT: &[&str] = &[
    "mkdir", "touch", "ln", "chmod", "chown", "chgrp", "rm", "rmdir", "mv", "cp", "sed", "cat", "grep", "ls", "tee", "install", "unlink",
    "truncate", "head", "tail",
];

/// The path of a word, absolute, without a glob at its end.
pub(super) fn path(command: &Classified, word: &ShellWord) -> Option<String> {
    let raw = word.literal.as_deref().unwrap_or(&word.raw).trim_end_matches('*').trim_end_matches('/');
    if raw.is_empty() || raw.contains(['$', '`', '*', '?']) {
        return None;
    }
    if raw.starts_with('/') {
        return Some(raw.to_owned());
    }
    let directory = command.directory.as_deref()?;
    Some(format!("{}/{}", directory.trim_end_matches('/'), raw.trim_start_matches("./")))
}

fn within(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Why `later` must not use an index that `earlier` fetched at another time.
fn stale_index(earlier: &Member, later: &Member, earlier_line: usize, later_line: usize) -> Option<String> {
    let manager = later.relies.iter().find(|m| earlier.updates.contains(*m))?;
    Some(format!(
        "line {later_line} installs with the {manager} index that line {earlier_line} fetches; apart, an old index from the cache is used when only the second changes"
    ))
}

/// Why `later` is better in one layer with `earlier`.
fn pays(earlier: &Member, later: &Member, earlier_line: usize, later_line: usize) -> Option<String> {
    if let Some(why) = stale_index(earlier, later, earlier_line, later_line) {
        return Some(why);
    }
    let cached = |m: &&String| earlier.installs.contains(*m) || earlier.updates.contains(*m);
    if let Some(manager) = later.cleans.iter().find(cached) {
        return Some(format!(
            "line {later_line} removes what {manager} left behind on line {earlier_line}; removed in a later layer it still ships"
        ));
    }
    if let Some(manager) = later.removes_packages.iter().find(|m| earlier.installs.contains(*m)) {
        return Some(format!(
            "line {later_line} removes packages that {manager} installed on line {earlier_line}; removed in a later layer they still ship"
        ));
    }
    for touched in &later.touches {
        let name = touched.rsplit('/').next().filter(|n| n.len() > 2);
        let written = earlier.writes.iter().any(|w| within(w, touched) || within(touched, w));
        let named = earlier.produces && name.is_some_and(|n| earlier.words.iter().any(|w| w.rsplit('/').next() == Some(n)));
        let temporary = earlier.produces && matches!(touched.as_str(), "/tmp" | "/var/tmp" | "/root/.cache");
        if written || named || temporary {
            return Some(format!(
                "line {later_line} changes or removes `{touched}`, which line {earlier_line} writes; in two layers both versions ship"
            ));
        }
    }
    None
}
