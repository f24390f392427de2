//! Suggests cache mounts for what package managers download.

use super::packages::{has_cache_mount, is_root, sets};
use super::{Findings, Group, Level, Proposal, Refusal, Transform};
use crate::edit::Edit;
use crate::model::command::{Action, Classified, Operation, cache_of};
use crate::model::{Base, Model, RunFacts, Step};
use crate::syntax::{Form, Keyword};

/// See `page.md`.
pub const TRANSFORM: Transform = Transform {
    id: "cache-mount",
    summary: "Suggest BuildKit cache mounts for what package managers download",
    group: Group::Modernize,
    may_change: &[],
    page: include_str!("page.md"),
    run,
};

/// Variables that say where a cache lies, or that there is none.
const SETTLED: &[&str] = &[
    "PIP_NO_CACHE_DIR",
    "PIP_CACHE_DIR",
    "PIP_CONFIG_FILE",
    "UV_CACHE_DIR",
    "UV_NO_CACHE",
    "POETRY_CACHE_DIR",
    "XDG_CACHE_HOME",
    "npm_config_cache",
    "YARN_CACHE_FOLDER",
    "COMPOSER_CACHE_DIR",
    "COMPOSER_HOME",
    "HOME",
];

fn run(model: &Model) -> Findings {
    let mut findings = Findings::default();
    for (index, step) in model.steps.iter().enumerate() {
        let Some(facts) = step.run.as_ref().filter(|f| f.script.is_some()) else { continue };
        let plain = step.reading.form == Form::Shell && is_root(step) && !has_cache_mount(step) && !sets(step, SETTLED);
        let Some(instruction) = model.file.instruction(step.item).filter(|i| plain && i.heredocs.is_empty()) else { continue };
        let installs: Vec<&Classified> = facts.commands.iter().filter(|c| downloads(c)).collect();
        let Some(first) = installs.first() else { continue };
        if let Some(why) = obstacle(model, index, facts, &installs) {
            findings.refusals.push(Refusal { reason: format!("no cache mount: {why}"), line: first.line });
            continue;
        }
        let mut mounts: Vec<String> = Vec::new();
        for command in &installs {
            let Some((targets, locked)) = command.cache_mounts() else { continue };
            for target in targets {
                let id = if locked { id(model, index, target) } else { String::new() };
                let mount = format!("--mount=type=cache,{id}target={target}{}", if locked { ",sharing=locked" } else { "" });
                if !mounts.contains(&mount) {
                    mounts.push(mount);
                }
            }
        }
        let mut edits = vec![Edit::insert(instruction.body.start, mounts.iter().map(|m| format!("{m} ")).collect::<String>())];
        let code = facts.script.as_ref().and_then(|s| s.lists.first()).map(|l| l.span.start);
        if installs.iter().any(|c| manager(c) == Some("apt"))
            && let Some(code) = code
        {
            // The images of Debian and Ubuntu empty the cache after each installation.
            let keep = "rm -f /etc/apt/apt.conf.d/docker-clean; ";
            if code > instruction.body.start {
                edits.push(Edit::insert(code, keep));
            } else if let Some(edit) = edits.first_mut() {
                edit.text.push_str(keep);
            }
        }
        findings.proposals.push(Proposal {
            level: Level::Suggest,
            title: "keep what is downloaded in a cache mount".into(),
            reason: "a mount is not part of the image, and the next build finds what this one has fetched (needs BuildKit)".into(),
            line: step.line,
            declares: Vec::new(),
            edits,
        });
    }
    findings
}

fn manager(command: &Classified) -> Option<&str> {
    match &command.action {
        Action::System { manager, .. } | Action::Language { manager, .. } => Some(manager),
        _ => None,
    }
}

/// Whether a command fills a cache of which it is known where it lies.
fn downloads(command: &Classified) -> bool {
    let operation = match &command.action {
        Action::System { operation, .. } | Action::Language { operation, .. } => *operation,
        _ => return false,
    };
    matches!(operation, Operation::Update | Operation::Upgrade | Operation::Install | Operation::Download)
        && command.cache_mounts().is_some()
}

fn obstacle(model: &Model, index: usize, facts: &RunFacts, installs: &[&Classified]) -> Option<String> {
    let off = ["--no-cache-dir", "--no-cache", "--cache-dir", "--cache", "--cache-folder", "--store-dir", "--prefer-offline", "--offline"];
    if let Some(option) = installs.iter().flat_map(|c| &c.words).find(|w| off.contains(&w.raw.split('=').next().unwrap_or(""))) {
        return Some(format!("`{}` says what becomes of the cache", option.raw));
    }
    if let Some(clean) = facts.commands.iter().find(|c| cleans(c)) {
        return Some(format!("line {} empties a cache, and the mount would be emptied with it", clean.line));
    }
    let apt = |c: &&Classified| manager(c) == Some("apt") && c.cache_mounts().is_some();
    if !installs.iter().any(apt) {
        return None;
    }
    if relies(facts) {
        return Some("it installs with an index that an earlier RUN fetched, which does not lie in the mount".into());
    }
    let updates_alone = !installs.iter().any(|c| apt(c) && !matches!(&c.action, Action::System { operation: Operation::Update, .. }));
    let later = model.steps.iter().skip(index + 1).filter(|s| s.keyword == Keyword::Run);
    let needs = later.filter(|s| s.run.as_ref().is_some_and(relies)).map(|s: &Step| s.line).next();
    match needs {
        Some(line) => Some(format!("line {line} installs without an `apt-get update` of its own, and would find no index")),
        None => updates_alone.then(|| "it fetches an index and installs nothing with it".into()),
    }
}

/// Whether a RUN installs with apt before it fetches the index.
fn relies(facts: &RunFacts) -> bool {
    let first = facts.commands.iter().find(|c| downloads(c) && manager(c) == Some("apt"));
    first.is_some_and(|c| !matches!(&c.action, Action::System { operation: Operation::Update, .. }) || c.conditional)
}

fn cleans(command: &Classified) -> bool {
    match &command.action {
        Action::System { operation: Operation::Clean, .. } => true,
        Action::Clean => {
            command.program() != Some("rm")
                || command.words.iter().any(|w| cache_of(w).is_some_and(|m| m != "any") || w.raw.contains("cache"))
        }
        _ => false,
    }
}

/// Distributions do not share what their package managers fetch.
fn id(model: &Model, index: usize, target: &str) -> String {
    let stage = model.stages.iter().find(|s| s.steps.contains(&index));
    let mut base = stage.map(|s| &s.base);
    while let Some(Base::Stage(parent)) = base {
        base = model.stages.get(*parent).map(|s| &s.base);
    }
    let Some(Base::Image(image)) = base else { return String::new() };
    if image.reference.is_none() || image.written.contains('$') {
        return String::new();
    }
    let name: String = image.written.chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' }).collect();
    format!("id={name}-{},", target.rsplit('/').next().unwrap_or("cache"))
}
