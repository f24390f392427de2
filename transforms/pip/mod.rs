//! pip without its cache.

use super::packages::{has_cache_mount, has_option, language, shipped_runs, verb};
use super::{Findings, Group, Level, Proposal, Transform};
use crate::edit::Edit;
use crate::model::command::{Operation, cache_of};
use crate::model::{Model, Step};

/// See `page.md`.
pub const TRANSFORM: Transform = Transform {
    id: "pip",
    summary: "Install with pip without leaving its cache in the image",
    group: Group::Hygiene,
    may_change: &[],
    page: include_str!("page.md"),
    run,
};

fn run(model: &Model) -> Findings {
    let mut findings = Findings::default();
    for run in shipped_runs(model) {
        let removed = run.facts.commands.iter().any(|c| {
            c.program() == Some("rm") && c.words.iter().any(|w| matches!(cache_of(w).as_deref(), Some("pip")) || w.raw.contains(".cache"))
        });
        if has_cache_mount(run.step) || removed || settled(run.step) {
            continue;
        }
        for command in run.facts.commands.iter().filter(|c| language(c) == Some(("pip", Operation::Install))) {
            let here = command.environment.iter().any(|(name, _)| name.starts_with("PIP_") && name.contains("CACHE"));
            if here || has_option(command, &["--no-cache-dir", "--cache-dir", "--no-cache"]) {
                continue;
            }
            let Some(word) = verb(model, command, &["install"]) else { continue };
            findings.proposals.push(Proposal {
                level: Level::Safe,
                title: "install without pip's cache".into(),
                reason: "pip keeps what it downloads under ~/.cache/pip; in an image nothing reads it again".into(),
                line: command.line,
                declares: Vec::new(),
                edits: vec![Edit::insert(word.span.end, " --no-cache-dir")],
            });
        }
    }
    findings
}

/// Whether a variable says what becomes of the cache.
fn settled(step: &Step) -> bool {
    let names = step.before.env.iter().map(|(name, _)| name).chain(step.before.args.iter().map(|(name, _)| name));
    names
        .into_iter()
        .any(|name| matches!(name.as_str(), "PIP_NO_CACHE_DIR" | "PIP_CACHE_DIR" | "PIP_NO_CACHE" | "PIP_CONFIG_FILE" | "XDG_CACHE_HOME"))
}
