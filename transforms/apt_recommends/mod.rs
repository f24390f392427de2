//! Suggests `--no-install-recommends`.

use super::packages::{has_option, shipped_runs, system, verb};
use super::{Findings, Group, Level, Proposal, Transform};
use crate::edit::Edit;
use crate::model::Model;
use crate::model::command::Operation;

/// See `page.md`.
pub const TRANSFORM: Transform = Transform {
    id: "apt-recommends",
    summary: "Suggest --no-install-recommends for apt-get install",
    group: Group::Hygiene,
    may_change: &[],
    page: include_str!("page.md"),
    run,
};

fn run(model: &Model) -> Findings {
    let mut findings = Findings::default();
    if model.file.source().contains("Install-Recommends") {
        return findings;
    }
    for run in shipped_runs(model) {
        for command in run.facts.commands.iter().filter(|c| system(c) == Some(("apt", Operation::Install))) {
            let asks = command.words.first().is_some_and(|w| matches!(w.raw.as_str(), "apt" | "apt-get"));
            if !asks || has_option(command, &["--no-install-recommends", "--install-recommends"]) {
                continue;
            }
            let Some(word) = verb(model, command, &["install"]) else { continue };
            findings.proposals.push(Proposal {
                level: Level::Suggest,
                title: "install without recommended packages".into(),
                reason: "recommended packages are often half of what is installed; one of them may be needed, so look at what goes away"
                    .into(),
                line: command.line,
                declares: Vec::new(),
                edits: vec![Edit::insert(word.span.end, " --no-install-recommends")],
            });
        }
    }
    findings
}
