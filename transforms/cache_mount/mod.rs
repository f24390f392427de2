//! Suggests cache mounts for what package managers download.

mod undo;

use std::collections::{HashMap, HashSet};

use super::copy_order::store;
use super::packages::{has_cache_mount, is_root, next_behind, sets};
use super::{Findings, Group, Level, Proposal, Refusal, Transform};
use crate::edit::Edit;
use crate::model::command::{Action, Classified, Operation, acts_elsewhere};
use crate::model::image::Image;
use crate::model::path::inside;
use crate::model::tools::Manager;
use crate::model::{Base, Model, RunFacts, Step};
use crate::source::Span;
use crate::syntax::{Form, Instruction, Keyword, View};

/// See `page.md`.
pub const TRANSFORM: Transform = Transform {
    id: "cache-mount",
    summary: "Suggest BuildKit cache mounts for what package managers download",
    group: Group::Modernize,
    may_change: &[],
    page: include_str!("page.md"),
    run,
};

/// The configuration file by which the images of Debian and Ubuntu empty apt's cache after each installation.
const DOCKER_CLEAN: &str = "/etc/apt/apt.conf.d/docker-clean";

/// Build tools whose downloads are mounted in stages that are thrown away: whatever starts there may look for them.
const BUILD_TOOLS: &[&str] = &["maven", "gradle", "cargo", "go"];

fn run(model: &Model) -> Findings {
    let mut findings = Findings::default();
    let mut file = Survey::of(model);
    for (index, step) in model.steps.iter().enumerate() {
        let Some(facts) = step.run.as_ref().filter(|f| f.script.is_some()) else { continue };
        let plain = step.reading.form == Form::Shell && is_root(step) && !has_cache_mount(step) && !sets(step, &["HOME"]);
        let Some(instruction) = model.file.instruction(step.item).filter(|i| plain && i.heredocs.is_empty()) else { continue };
        let image = step.stage.and_then(|stage| base(model, stage));
        let installs: Vec<Install> = facts.commands.iter().filter_map(|c| Install::of(c, step, image)).collect();
        let Some(first) = installs.first() else { continue };
        let text = step.span.text(model.file.source());
        let why = if acts_elsewhere(text) {
            Some("a command of this RUN has another user or another root, where the cache is another one")
        } else if installs.iter().any(|i| file.works_offline(index, i.manager)) {
            Some("a step of this file works offline, with what others have left in the image")
        } else {
            None
        };
        if let Some(why) = why {
            findings.refusals.push(Refusal { reason: format!("no cache mount: {why}"), line: first.command.line });
            continue;
        }
        match mounted(&mut file, index, instruction, facts, &installs, image) {
            Ok(edits) => findings.proposals.push(Proposal {
                level: Level::Suggest,
                title: "keep what is downloaded in a cache mount".into(),
                reason: "a mount is not part of the image, and the next build finds what this one has fetched (needs BuildKit)".into(),
                line: step.line,
                declares: Vec::new(),
                edits,
            }),
            Err(why) => findings.refusals.push(Refusal { reason: format!("no cache mount: {why}"), line: first.command.line }),
        }
    }
    // What stands at one place is for one proposal alone; the other has its turn in the next pass.
    let mut taken: HashSet<Span> = findings.proposals.iter().flat_map(|p| &p.edits).map(|e| e.span).collect();
    for build in (0..model.stages.len()).flat_map(|stage| store::mounts(model, stage, BUILD_TOOLS)) {
        if !build.edits.iter().any(|e| taken.contains(&e.span)) {
            taken.extend(build.edits.iter().map(|e| e.span));
            findings.proposals.push(Proposal { level: Level::Suggest, ..build });
        }
    }
    findings
}

/// A command that fills a cache of which it is known where it lies.
#[derive(Clone, Copy)]
struct Install<'m> {
    command: &'m Classified,
    manager: &'static Manager,
}

impl<'m> Install<'m> {
    fn of(command: &'m Classified, step: &Step, image: Option<&Image>) -> Option<Self> {
        let (Action::System { operation, .. } | Action::Language { operation, .. }) = &command.action else { return None };
        let fetches = matches!(operation, Operation::Update | Operation::Upgrade | Operation::Install | Operation::Download);
        let manager = command.cache_facts().filter(|_| fetches)?;
        let settled: Vec<&str> = manager.settled.iter().map(String::as_str).collect();
        let own = command.environment.iter().any(|(name, _)| settled.iter().any(|s| s.eq_ignore_ascii_case(name)) || name == "HOME");
        let family = || image.and_then(|i| i.facts.as_ref()).is_some_and(|f| f.family == manager.family);
        (!own && !sets(step, &settled) && (manager.family.is_empty() || family())).then_some(Self { command, manager })
    }

    fn updates(&self) -> bool {
        matches!(&self.command.action, Action::System { operation: Operation::Update, .. })
    }
}

/// The edits that mount the caches of `installs`, or why that is not done.
fn mounted(
    file: &mut Survey,
    index: usize,
    instruction: &Instruction,
    facts: &RunFacts,
    installs: &[Install],
    image: Option<&Image>,
) -> Result<Vec<Edit>, String> {
    let mut mounts: Vec<String> = Vec::new();
    for install in installs {
        let manager = install.manager;
        for target in &manager.mounts {
            if let Some(line) = file.wanted_elsewhere(index, target, &manager.within) {
                return Err(format!("line {line} uses `{target}`, which would not be in the image"));
            }
            let id = if manager.per_base { format!("id={},", id(manager, target, image)?) } else { String::new() };
            let mount = format!("--mount=type=cache,{id}target={target}{}", if manager.locked { ",sharing=locked" } else { "" });
            if !mounts.contains(&mount) {
                mounts.push(mount);
            }
        }
    }
    obstacle(file, index, facts, installs)?;
    let mut edits = undo::edits(file.model, facts, installs)?;
    let mut front: String = mounts.iter().map(|m| format!("{m} ")).collect();
    let code = facts.script.as_ref().and_then(|s| s.lists.first()).map_or(instruction.body.start, |l| l.span.start);
    if installs.iter().any(|i| i.manager.name == "apt") && !file.says_what_apt_keeps(index) {
        let keep = format!("rm -f {DOCKER_CLEAN} && ");
        if code > instruction.body.start {
            edits.push(Edit::insert(code, keep));
        } else {
            front.push_str(&keep);
        }
    }
    edits.push(Edit::insert(instruction.body.start, front));
    edits.sort_by_key(|e| (e.span, e.text.starts_with("rm -f")));
    Ok(edits)
}

/// Why the RUN at `index` can't have its caches mounted.
fn obstacle(file: &Survey, index: usize, facts: &RunFacts, installs: &[Install]) -> Result<(), String> {
    for install in installs {
        let elsewhere = |w: &&crate::shell::ShellWord| install.manager.elsewhere.iter().any(|o| w.raw.split('=').next() == Some(o));
        if let Some(option) = install.command.words.iter().find(elsewhere) {
            return Err(format!("`{}` says what becomes of the cache", option.raw));
        }
    }
    if !installs.iter().any(|i| i.manager.name == "apt") {
        return Ok(());
    }
    if relies(facts) {
        return Err("it installs with an index that an earlier RUN fetched, which does not lie in the mount".into());
    }
    if let Some(line) = file.relying_behind(index) {
        return Err(format!("line {line} installs without an `apt-get update` of its own, and would find no index"));
    }
    if installs.iter().filter(|i| i.manager.name == "apt").all(Install::updates) {
        return Err("it fetches an index and installs nothing with it".into());
    }
    Ok(())
}

/// Whether a RUN installs with apt before it fetches the index.
fn relies(facts: &RunFacts) -> bool {
    let mut fetching = facts.commands.iter().filter_map(|c| match &c.action {
        Action::System { manager, operation, .. } if manager == "apt" && c.cache_facts().is_some() => Some((c, *operation)),
        _ => None,
    });
    let first = fetching.find(|(_, o)| matches!(o, Operation::Update | Operation::Upgrade | Operation::Install | Operation::Download));
    first.is_some_and(|(c, operation)| operation != Operation::Update || c.conditional)
}

/// What a file says that concerns more than one RUN, found once.
struct Survey<'m> {
    model: &'m Model<'m>,
    /// The steps with a command that does without the network, and whose it is.
    offline: Vec<(usize, &'static Manager)>,
    /// The RUNs that install with apt before they fetch the index, in order.
    relying: Vec<usize>,
    /// The first two steps that ask for what lies under a target: it would lie in the mount, not in the image.
    wanted: HashMap<(&'static str, &'static str), Vec<usize>>,
    /// The first step of each stage that has seen to it that apt keeps what it downloads.
    keeping: HashMap<usize, Option<usize>>,
}

impl<'m> Survey<'m> {
    fn of(model: &'m Model<'m>) -> Self {
        let steps = || model.steps.iter().enumerate();
        let offline = steps().flat_map(|(at, step)| {
            let commands = step.commands().iter().filter(|c| c.words.iter().any(|w| w.raw == "--offline"));
            commands.filter_map(move |c| Some((at, c.cache_facts()?)))
        });
        let relying = steps().filter(|(_, s)| s.keyword == Keyword::Run && s.run.as_ref().is_some_and(relies)).map(|(at, _)| at);
        Self { model, offline: offline.collect(), relying: relying.collect(), wanted: HashMap::new(), keeping: HashMap::new() }
    }

    /// Whether another step than the one at `index` has `manager` do without the network.
    fn works_offline(&self, index: usize, manager: &Manager) -> bool {
        self.offline.iter().any(|(at, m)| *at != index && std::ptr::eq(*m, manager))
    }

    /// The line of the next RUN behind the one at `index` that relies on an index from before.
    fn relying_behind(&self, index: usize) -> Option<usize> {
        self.model.steps.get(next_behind(&self.relying, index)?).map(|s| s.line)
    }

    /// The line of another step that asks for what lies under `target`.
    fn wanted_elsewhere(&mut self, index: usize, target: &'static str, within: &'static str) -> Option<usize> {
        let model = self.model;
        let asking = self.wanted.entry((target, within)).or_insert_with(|| {
            let steps = model.steps.iter().enumerate();
            steps.filter(|(_, step)| asks_for(model, step, target, within)).map(|(at, _)| at).take(2).collect()
        });
        asking.iter().find(|at| **at != index).and_then(|at| model.steps.get(*at)).map(|s| s.line)
    }

    /// Whether the stage of the RUN at `index` has seen to it already that apt keeps what it downloads.
    fn says_what_apt_keeps(&mut self, index: usize) -> bool {
        let model = self.model;
        let Some(stage) = model.steps.get(index).and_then(|s| s.stage) else { return false };
        let says = |text: &str| text.contains("docker-clean") || text.contains("Keep-Downloaded-Packages");
        let first = *self.keeping.entry(stage).or_insert_with(|| {
            let mut steps = model.stages.get(stage)?.steps.clone();
            steps.find(|at| model.steps.get(*at).is_some_and(|s| says(s.span.text(model.file.source()))))
        });
        first.is_some_and(|at| at <= index)
    }
}

/// Whether a step asks for what lies under `target`.
fn asks_for(model: &Model, step: &Step, target: &str, within: &str) -> bool {
    let source = model.file.source();
    match &step.view {
        View::Copy { from: Some(_), sources, .. } => sources.iter().any(|s| {
            // What a copy takes from a stage is named from its root.
            let path = format!("/{}", s.text.trim_end_matches(['*', '/']).trim_start_matches('/'));
            let path = path.as_str();
            s.text.contains('$') || inside(path, target) || (inside(target, path) && (within.is_empty() || !inside(path, within)))
        }),
        _ if step.keyword == Keyword::Run => {
            let home = |raw: &str| raw.replace("${HOME}", "/root").replace("$HOME", "/root").replace('~', "/root");
            let uses = |c: &Classified| c.action != Action::Clean && c.words.iter().any(|w| home(&w.raw).contains(target));
            let opaque = step.run.as_ref().is_some_and(|facts| facts.script.is_none());
            step.commands().iter().any(uses) || (opaque && step.span.text(source).contains(target))
        }
        _ => step.span.text(source).contains(target),
    }
}

/// The image that a stage starts from in the end.
fn base<'m>(model: &'m Model, stage: usize) -> Option<&'m Image> {
    let mut base = model.stages.get(stage).map(|s| &s.base);
    for _ in 0..model.stages.len() {
        match base {
            Some(Base::Stage(parent)) => base = model.stages.get(*parent).map(|s| &s.base),
            Some(Base::Image(image)) => return Some(image),
            _ => return None,
        }
    }
    None
}

/// Distributions do not share what their package managers fetch, nor what is compiled on them.
fn id(manager: &Manager, target: &str, image: Option<&Image>) -> Result<String, String> {
    let name = name_of(image).ok_or("the base image depends on an argument, and distributions do not share such a cache")?;
    let last = target.rsplit('/').next().unwrap_or_default();
    let cache = if last == manager.name { last.to_owned() } else { format!("{}-{last}", manager.name) };
    Ok(format!("{name}-{cache}"))
}

/// What tells the caches of the images of a stage from others; `None` where its base is not known before the build.
pub(super) fn name_of_base(model: &Model, stage: usize) -> Option<String> {
    name_of(base(model, stage))
}

fn name_of(image: Option<&Image>) -> Option<String> {
    let written = image.filter(|i| i.reference.is_some() && !i.written.contains('$'))?.written.as_str();
    let name = written.split_once('@').map_or(written, |(name, _)| name);
    Some(name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' }).collect())
}
