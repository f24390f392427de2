//! Suggests cache mounts for what package managers download.

mod undo;

use super::copy_order::store;
use super::packages::{has_cache_mount, is_root, sets};
use super::{Findings, Group, Level, Proposal, Refusal, Transform};
use crate::edit::Edit;
use crate::model::command::{Action, Classified, Operation, acts_elsewhere};
use crate::model::image::Image;
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
        } else if installs.iter().any(|i| works_offline(model, index, i.manager)) {
            Some("a step of this file works offline, with what others have left in the image")
        } else {
            None
        };
        if let Some(why) = why {
            findings.refusals.push(Refusal { reason: format!("no cache mount: {why}"), line: first.command.line });
            continue;
        }
        match mounted(model, index, instruction, facts, &installs, image) {
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
    for stage in 0..model.stages.len() {
        for build in store::mounts(model, stage, BUILD_TOOLS) {
            // What stands at one place is for one proposal alone; the other has its turn in the next pass.
            let taken = |span: Span| findings.proposals.iter().flat_map(|p| &p.edits).any(|e| e.span == span);
            if !build.edits.iter().any(|e| taken(e.span)) {
                findings.proposals.push(Proposal { level: Level::Suggest, ..build });
            }
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
    model: &Model,
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
            if let Some(line) = wanted_elsewhere(model, index, target, &manager.within) {
                return Err(format!("line {line} uses `{target}`, which would not be in the image"));
            }
            let id = if manager.per_base { format!("id={},", id(manager, target, image)?) } else { String::new() };
            let mount = format!("--mount=type=cache,{id}target={target}{}", if manager.locked { ",sharing=locked" } else { "" });
            if !mounts.contains(&mount) {
                mounts.push(mount);
            }
        }
    }
    obstacle(model, index, facts, installs)?;
    let mut edits = undo::edits(model, facts, installs)?;
    let mut front: String = mounts.iter().map(|m| format!("{m} ")).collect();
    let code = facts.script.as_ref().and_then(|s| s.lists.first()).map_or(instruction.body.start, |l| l.span.start);
    if installs.iter().any(|i| i.manager.name == "apt") && !says_what_apt_keeps(model, index) {
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
fn obstacle(model: &Model, index: usize, facts: &RunFacts, installs: &[Install]) -> Result<(), String> {
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
    let later = model.steps.iter().skip(index + 1).filter(|s| s.keyword == Keyword::Run);
    if let Some(step) = later.clone().find(|s| s.run.as_ref().is_some_and(relies)) {
        return Err(format!("line {} installs without an `apt-get update` of its own, and would find no index", step.line));
    }
    if installs.iter().filter(|i| i.manager.name == "apt").all(Install::updates) {
        return Err("it fetches an index and installs nothing with it".into());
    }
    Ok(())
}

/// Whether another step than the one at `index` has `manager` do without the network.
fn works_offline(model: &Model, index: usize, manager: &Manager) -> bool {
    let others = model.steps.iter().enumerate().filter(|(at, _)| *at != index);
    let commands = others.filter_map(|(_, s)| s.run.as_ref()).flat_map(|r| &r.commands);
    commands.filter(|c| c.words.iter().any(|w| w.raw == "--offline")).any(|c| c.cache_facts().is_some_and(|m| std::ptr::eq(m, manager)))
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

/// The line of another step that asks for what lies under `target`: it would lie in the mount, not in the image.
fn wanted_elsewhere(model: &Model, index: usize, target: &str, within: &str) -> Option<usize> {
    let source = model.file.source();
    let other = model.steps.iter().enumerate().filter(|(at, _)| *at != index);
    other
        .filter(|(_, step)| match &step.view {
            View::Copy { from: Some(_), sources, .. } => sources.iter().any(|s| {
                // What a copy takes from a stage is named from its root.
                let path = format!("/{}", s.text.trim_end_matches(['*', '/']).trim_start_matches('/'));
                let path = path.as_str();
                s.text.contains('$')
                    || undo::lies_in(path, target)
                    || (undo::lies_in(target, path) && (within.is_empty() || !undo::lies_in(path, within)))
            }),
            _ if step.keyword == Keyword::Run => step.run.as_ref().is_some_and(|facts| {
                let home = |raw: &str| raw.replace("${HOME}", "/root").replace("$HOME", "/root").replace('~', "/root");
                let uses = |c: &&Classified| c.action != Action::Clean && c.words.iter().any(|w| home(&w.raw).contains(target));
                facts.commands.iter().any(|c| uses(&c)) || (facts.script.is_none() && step.span.text(source).contains(target))
            }),
            _ => step.span.text(source).contains(target),
        })
        .map(|(_, step)| step.line)
        .next()
}

/// Whether the stage of the RUN at `index` has seen to it already that apt keeps what it downloads.
fn says_what_apt_keeps(model: &Model, index: usize) -> bool {
    let source = model.file.source();
    let says = |text: &str| text.contains("docker-clean") || text.contains("Keep-Downloaded-Packages");
    let stage = model.stages.iter().find(|s| s.steps.contains(&index));
    stage.is_some_and(|s| {
        model.steps.iter().enumerate().any(|(at, step)| s.steps.contains(&at) && at <= index && says(step.span.text(source)))
    })
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
