//! Suggests `npm ci` where a lock file says what to install.

use super::packages::{has_option, language, verb};
use super::{Findings, Group, Level, Proposal, Transform};
use crate::edit::Edit;
use crate::model::Model;
use crate::model::command::{Action, Classified, Operation};
use crate::syntax::View;

/// See `page.md`.
pub const TRANSFORM: Transform = Transform {
    id: "npm-ci",
    summary: "Suggest npm ci where a lock file is copied into the image",
    group: Group::Hygiene,
    may_change: &[],
    page: include_str!("page.md"),
    run,
};

const LOCKS: &[&str] = &["package-lock.json", "npm-shrinkwrap.json"];

fn run(model: &Model) -> Findings {
    let mut findings = Findings::default();
    let context = model.context;
    if !context.is_known() || !LOCKS.iter().any(|lock| context.exists(lock)) || !context.exists("package.json") {
        return findings;
    }
    for stage in 0..model.stages.len() {
        let mut copied = false;
        for step in model.steps_of(stage) {
            if let View::Copy { from: None, sources, .. } = &step.view {
                copied |= sources.iter().any(|s| brings_lock(&s.text));
            }
            let Some(run) = step.run.as_ref().filter(|_| copied) else { continue };
            for command in run.commands.iter().filter(|c| installs_all(c)) {
                let Some(word) = verb(model, command, &["install", "i"]) else { continue };
                findings.proposals.push(Proposal {
                    level: Level::Suggest,
                    title: "install what the lock file says, with npm ci".into(),
                    reason: "npm install may change the lock file and takes what is newest that fits; npm ci installs what was locked, and fails where lock file and package.json differ".into(),
                    line: command.line,
                    declares: Vec::new(),
                    edits: vec![Edit::replace(word.span, "ci")],
                });
            }
        }
    }
    findings
}

/// Whether a COPY source brings the lock file that stands beside the root's package.json.
fn brings_lock(source: &str) -> bool {
    let name = source.trim_start_matches("./").trim_end_matches('/');
    LOCKS.contains(&name) || matches!(name, "" | "." | "package*.json" | "*.json" | "package*" | "*")
}

/// `npm install` of the project itself, with nothing that `npm ci` does not know.
fn installs_all(command: &Classified) -> bool {
    let Action::Language { packages, .. } = &command.action else { return false };
    let odd = [
        "-g",
        "--global",
        "--location",
        "--prefix",
        "-C",
        "--no-package-lock",
        "--package-lock",
        "--package-lock-only",
        "-w",
        "--workspace",
    ];
    language(command) == Some(("npm", Operation::Install))
        && packages.is_empty()
        && !command.words.iter().any(|w| odd.contains(&w.raw.split('=').next().unwrap_or("")) || w.raw.starts_with("--save"))
        && !has_option(command, &["--no-save"])
}
