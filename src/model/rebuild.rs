//! What the builder runs again after a file of the build context has changed: its cache, simulated over the instructions.
//!
//! The rules are BuildKit's (`solver/llbsolver/ops`). A step runs again if the one before it did. A COPY also does if the
//! content changed that it takes; whether a copy *from a stage* does depends on that content alone, not on whether the stage
//! ran again. Stages that the last one does not need are not built. What a command writes is not known before the build: a
//! step that runs again may change the folder that it runs in and every path that it names, and one that installs or runs
//! what is not known may change everything. A copy of that runs again only perhaps, for the content may come out the same.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::copied::Copy;
use super::path::below;
use super::{Base, Model, Step};
use crate::catalog::context::{is_manifest, is_source};
use crate::context::{has_wildcard, is_dockerfile_name};
use crate::model::command::Action;
use crate::syntax::{Keyword, View, mount};

/// How many files of a context are looked at to find one that stands for the others.
const MOST_FILES: usize = 2_000;
/// How many of those that other copies take are tried.
const MOST_KINDS: usize = 50;

/// What has changed in the build context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change<'c> {
    /// The file of that path.
    File(&'c str),
    /// Some source file, where the contents are not known: one that every COPY of a folder brings.
    Source,
    /// Nothing, or what the builder does not see.
    Nothing,
}

/// A step that the builder counts: RUN, COPY, ADD or WORKDIR of a stage that the last one needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// Its index in [`Model::steps`].
    pub step: usize,
    /// What the builder calls it: `build 3/7`, or `3/7` in a file of one stage.
    pub name: String,
    /// Whether it runs again.
    pub again: Again,
}

/// Whether a step runs again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Again {
    /// It is answered from the cache.
    #[default]
    No,
    /// It does if a command that runs again writes something else than before.
    Perhaps,
    /// It does.
    Yes,
}

/// The counted steps after `change`, stage by stage.
#[must_use]
pub fn rebuild(model: &Model, change: Change) -> Vec<Counted> {
    rebuilt(model, &copies(model), change)
}

/// The copies that can be followed, by the index of their step.
fn copies<'m>(model: &'m Model) -> BTreeMap<usize, Copy<'m>> {
    model.steps.iter().enumerate().filter_map(|(i, s)| Some((i, Copy::of(model, s)?))).collect()
}

fn rebuilt(model: &Model, copies: &BTreeMap<usize, Copy>, change: Change) -> Vec<Counted> {
    let change = match change {
        Change::File(file) if model.context.ignore().excludes(file) => Change::Nothing,
        change => change,
    };
    let world = World { model, copies, change };
    let needed = needed(model);
    let mut after: Vec<Stale> = Vec::with_capacity(model.stages.len());
    let mut out = Vec::new();
    for (number, stage) in model.stages.iter().enumerate() {
        let mut stale = match &stage.base {
            Base::Stage(base) => after.get(*base).cloned().unwrap_or_default(),
            _ => Stale::default(),
        };
        let mut counted = Vec::new();
        for index in stage.steps.clone() {
            let Some(step) = model.steps.get(index) else { continue };
            if !is_counted(step.keyword) {
                continue;
            }
            let again = stale.take(&world, number, (index, step), &after);
            counted.push((index, again));
        }
        after.push(stale);
        if !needed.contains(&number) {
            continue;
        }
        // The FROM of an image is a step of its own.
        let first = usize::from(matches!(stage.base, Base::Image(_)));
        let all = counted.len() + first;
        let stage = match (&stage.name, model.stages.len()) {
            (_, 1) => String::new(),
            (Some(name), _) => format!("{name} "),
            (None, _) => format!("stage-{number} "),
        };
        out.extend(counted.into_iter().enumerate().map(|(i, (step, again))| Counted {
            step,
            name: format!("{stage}{}/{all}", i + first + 1),
            again,
        }));
    }
    out
}

/// The file of the known context whose change stands for that of any source: the one after which most steps run again,
/// in `before` and then in `after`, and of those the one that is nearest to the root. `None` where no file is copied.
#[must_use]
pub fn typical_source(before: &Model, after: &Model) -> Option<String> {
    let files = before.context.files().0;
    let (sources, rest): (Vec<&String>, Vec<&String>) =
        files.iter().filter(|f| !is_manifest(f) && !is_dockerfile_name(f.rsplit('/').next().unwrap_or(f))).partition(|f| is_source(f));
    typical(before, after, if sources.is_empty() { rest } else { sources })
}

/// The same for the manifests.
#[must_use]
pub fn typical_manifest(before: &Model, after: &Model) -> Option<String> {
    let files = before.context.files().0;
    typical(before, after, files.iter().filter(|f| is_manifest(f)).collect())
}

fn typical(before: &Model, after: &Model, mut files: Vec<&String>) -> Option<String> {
    files.sort_by_cached_key(|f| (f.matches('/').count(), *f));
    let (old, new) = (copies(before), copies(after));
    // Files that the same copies take make the same steps run again.
    let mut alike: BTreeMap<Vec<bool>, &String> = BTreeMap::new();
    for file in files.into_iter().take(MOST_FILES) {
        alike.entry(old.values().chain(new.values()).map(|c| c.target(file).is_some()).collect()).or_insert(file);
        if alike.len() == MOST_KINDS {
            break;
        }
    }
    let again = |model, copies, file: &str| rebuilt(model, copies, Change::File(file)).iter().filter(|c| c.again > Again::No).count();
    let kinds = alike.into_values().map(|f| (again(before, &old, f), again(after, &new, f), f)).filter(|(b, a, _)| b + a > 0);
    let best = kinds.min_by_key(|(b, a, f)| (Reverse(*b), Reverse(*a), f.matches('/').count(), *f));
    best.map(|(_, _, f)| f.clone())
}

fn is_counted(keyword: Keyword) -> bool {
    matches!(keyword, Keyword::Run | Keyword::Copy | Keyword::Add | Keyword::Workdir)
}

/// The stages that the last one is made of.
#[must_use]
pub fn needed(model: &Model) -> Vec<usize> {
    let Some(last) = model.stages.len().checked_sub(1) else { return Vec::new() };
    let mut wanted = vec![last];
    let mut at = 0;
    while let Some(stage) = wanted.get(at).copied() {
        at += 1;
        let more: Vec<usize> = needs(model, stage).into_iter().filter(|n| !wanted.contains(n)).collect();
        wanted.extend(more);
    }
    wanted.sort_unstable();
    wanted
}

/// The stages that `stage` starts from, copies from or mounts, each once.
#[must_use]
pub fn needs(model: &Model, stage: usize) -> Vec<usize> {
    let mut out = Vec::new();
    if let Some(Base::Stage(base)) = model.stages.get(stage).map(|s| &s.base) {
        out.push(*base);
    }
    for step in model.steps_of(stage) {
        let copied = match &step.view {
            View::Copy { from: Some(from), .. } => stage_named(model, from, stage),
            _ => None,
        };
        out.extend(copied.into_iter().chain(mounts(step).filter_map(|m| stage_named(model, &m.from, stage))));
    }
    out.sort_unstable();
    out.dedup();
    out
}

fn stage_named(model: &Model, name: &str, before: usize) -> Option<usize> {
    let named = model.stages.iter().take(before).rposition(|s| s.name.as_deref().is_some_and(|n| n.eq_ignore_ascii_case(name)));
    named.or_else(|| name.parse().ok().filter(|n| *n < before))
}

/// The mounts of a RUN that bring files, variables as written.
pub fn mounts(step: &Step) -> impl Iterator<Item = mount::Mount> + '_ {
    let values = step.reading.flags.iter().filter(|f| f.name == "mount").filter_map(|f| f.value.as_deref());
    values.filter_map(|value| mount::parse(value, &|text| Ok(text.to_owned())).ok()).filter(|m| m.kind == "bind" || !m.from.is_empty())
}

/// What a simulation goes by.
struct World<'w, 'm> {
    model: &'w Model<'m>,
    copies: &'w BTreeMap<usize, Copy<'w>>,
    change: Change<'w>,
}

/// What has become of a stage so far.
#[derive(Clone, Debug, Default)]
struct Stale {
    /// Whether what comes next runs again.
    again: Again,
    /// The paths that are different now, or perhaps; an empty one is any path.
    paths: Vec<(String, Again)>,
}

impl Stale {
    /// Takes a step in; whether it runs again.
    fn take(&mut self, world: &World, stage: usize, (index, step): (usize, &Step), stages: &[Self]) -> Again {
        let World { model, change, .. } = *world;
        match &step.view {
            View::Copy { from, .. } => {
                let brought = match from {
                    Some(from) => stage_named(model, from, stage).and_then(|n| stages.get(n)).and_then(|s| s.gives(model, step)),
                    None => takes(world, index, step).map(|to| (to, Again::Yes)),
                };
                // A linked copy is a layer that does not look at what lies below it.
                let linked = step.reading.flags.iter().any(|f| f.name == "link" && f.value.as_deref() != Some("false"));
                let own = brought.as_ref().map_or(Again::No, |(_, again)| *again);
                let again = if linked { own } else { own.max(self.again) };
                self.again = self.again.max(again);
                self.paths.extend(brought.map(|(to, again)| (to.unwrap_or_default(), again)));
                again
            }
            View::Run { .. } => {
                let mounted = mounts(step).map(|m| {
                    let from = stage_named(model, &m.from, stage).and_then(|n| stages.get(n));
                    match (m.from.as_str(), from) {
                        ("", _) if brings(model, &m.source, change) => Again::Yes,
                        (_, Some(from)) => from.reaches(&super::path::clean(&format!("/{}", m.source))),
                        _ => Again::No,
                    }
                });
                self.again = mounted.fold(self.again, Again::max);
                if self.again > Again::No {
                    let paths = writes(step).unwrap_or_else(|| vec![String::new()]);
                    self.paths.extend(paths.into_iter().map(|p| (p, Again::Perhaps)));
                }
                self.again
            }
            _ => self.again,
        }
    }

    /// Where a copy from this stage brings something that is different now, a path of the image that it goes to or anywhere,
    /// and how sure that is.
    fn gives(&self, model: &Model, step: &Step) -> Option<(Option<String>, Again)> {
        let View::Copy { sources, destination, .. } = &step.view else { return None };
        let changed = |word: &str| match model.expand(step, word) {
            Some(source) => {
                let fixed = source.split('/').take_while(|part| !has_wildcard(part)).collect::<Vec<_>>().join("/");
                self.reaches(&super::path::clean(&format!("/{fixed}")))
            }
            None if self.paths.is_empty() => Again::No,
            None => Again::Perhaps,
        };
        let again = sources.iter().map(|word| changed(&word.text)).max().unwrap_or_default();
        (again > Again::No).then(|| (absolute(model, step, &destination.text), again))
    }

    /// Whether something at or below `path` is different.
    fn reaches(&self, path: &str) -> Again {
        let reached = |(p, again): &(String, Again)| match (below(p, path), below(path, p)) {
            _ if p.is_empty() => Again::Perhaps,
            (Some(_), _) => *again,
            // A part of what may have changed.
            (None, Some(_)) => Again::Perhaps,
            (None, None) => Again::No,
        };
        self.paths.iter().map(reached).max().unwrap_or_default()
    }
}

/// Where a COPY from the context brings what has changed: a path of the image, or anywhere.
fn takes(world: &World, index: usize, step: &Step) -> Option<Option<String>> {
    let World { model, copies, change } = *world;
    let View::Copy { sources, destination, .. } = &step.view else { return None };
    if change == Change::Nothing {
        return None;
    }
    if let (Some(copy), Change::File(file)) = (copies.get(&index), change) {
        return copy.target(file).map(Some);
    }
    let taken = |word: &str| match model.expand(step, word) {
        Some(source) => !crate::context::is_remote(&source) && brings(model, &source, change),
        None => true,
    };
    sources.iter().any(|s| taken(&s.text)).then(|| absolute(model, step, &destination.text))
}

/// Whether `source` of the context has what has changed.
fn brings(model: &Model, source: &str, change: Change) -> bool {
    match change {
        Change::File(file) => model.context.sources_match(source).iter().any(|found| crate::context::is_within(file, found)),
        Change::Nothing => false,
        Change::Source => {
            let path = crate::context::normalize(source);
            let name = path.rsplit('/').next().unwrap_or_default();
            // A name without an ending is a folder, as far as one can tell.
            path.is_empty()
                || source.ends_with('/')
                || name == "*"
                || model.context.is_dir(&path)
                || is_source(name)
                || (!name.contains('.') && !has_wildcard(name) && !is_manifest(name) && model.context.kind(&path).is_none())
        }
    }
}

fn absolute(model: &Model, step: &Step, word: &str) -> Option<String> {
    let to = model.expand(step, word)?;
    if to.starts_with('/') {
        return Some(super::path::clean(&to));
    }
    Some(super::path::clean(&format!("{}/{to}", step.before.workdir.as_deref()?)))
}

/// The paths that a RUN may change; `None` for any.
fn writes(step: &Step) -> Option<Vec<String>> {
    let run = step.run.as_ref().filter(|r| r.script.is_some())?;
    let mut out = Vec::new();
    for command in &run.commands {
        match command.action {
            Action::Shell | Action::Clean if command.writes.is_empty() => continue,
            Action::Build { .. } | Action::Test | Action::File { .. } | Action::Shell | Action::Clean => {}
            Action::Language { operation: super::command::Operation::Run, .. } => {}
            _ => return None,
        }
        let directory = command.directory.clone()?;
        for word in command.words.iter().skip(1).chain(&command.writes) {
            let text = word.literal.as_deref()?;
            let value = text.rsplit(['=', ':']).next().unwrap_or(text);
            if value.starts_with('/') {
                out.push(super::path::clean(value));
            } else if value.starts_with("..") {
                out.push(super::path::clean(&format!("{directory}/{value}")));
            }
        }
        out.push(directory);
    }
    Some(out)
}

#[cfg(test)]
mod tests;
