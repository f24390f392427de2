//! npm without its cache.

use super::packages::{append, has_cache_mount, has_option, language, layer, shipped_runs};
use super::{Findings, Group, Level, Proposal, Transform};
use crate::model::Model;
use crate::model::command::{Action, Classified, Operation};

/// See `page.md`.
pub const TRANSFORM: Transform = Transform {
    id: "npm-cache",
    summary: "Remove npm's cache in the layer that fills it",
    group: Group::Hygiene,
    may_change: &[],
    page: include_str!("page.md"),
    run,
};

fn run(model: &Model) -> Findings {
    let mut findings = Findings::default();
    let runs = shipped_runs(model);
    let mut seen: Vec<usize> = Vec::new();
    for run in &runs {
        let settled = run.step.before.env.iter().any(|(name, _)| name.eq_ignore_ascii_case("npm_config_cache"));
        if seen.contains(&run.index) || settled || !run.facts.commands.iter().any(fills) {
            continue;
        }
        let layer = layer(model, &runs, run);
        seen.extend(layer.iter().map(|r| r.index));
        if layer.iter().any(|r| has_cache_mount(r.step) || r.facts.commands.iter().any(cleans)) {
            continue;
        }
        let Some((last, command)) = layer.iter().rev().find_map(|r| Some((r, r.facts.commands.iter().rfind(|c| fills(c))?))) else {
            continue;
        };
        let Some(edit) = command.tidy().and_then(|tidy| append(model, last, command, &tidy)) else { continue };
        findings.proposals.push(Proposal {
            level: Level::Safe,
            title: "remove npm's cache in the same layer".into(),
            reason: "npm keeps every package that it downloads under ~/.npm; nothing in the image reads them again".into(),
            line: command.line,
            declares: Vec::new(),
            edits: vec![edit],
        });
    }
    findings
}

fn fills(command: &Classified) -> bool {
    language(command) == Some(("npm", Operation::Install)) && !has_option(command, &["--cache", "--prefer-offline", "--offline"])
}

fn cleans(command: &Classified) -> bool {
    (command.action == Action::Clean && command.program() == Some("npm"))
        || (command.program() == Some("rm") && command.words.iter().any(|w| w.raw.contains(".npm") || w.raw.contains(".cache")))
}
