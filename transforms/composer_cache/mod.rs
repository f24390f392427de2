//! Composer without its cache.

use super::packages::{has_option, language, sets, tidy_layers};
use super::{Findings, Group, Level, Proposal, Transform};
use crate::model::Model;
use crate::model::command::{Action, Classified, Operation};

/// See `page.md`.
pub const TRANSFORM: Transform = Transform {
    id: "composer-cache",
    summary: "Remove Composer's cache in the layer that fills it",
    group: Group::Hygiene,
    may_change: &[],
    page: include_str!("page.md"),
    run,
};

fn run(model: &Model) -> Findings {
    let mut findings = Findings::default();
    let settled = ["COMPOSER_CACHE_DIR", "COMPOSER_NO_CACHE", "COMPOSER_HOME", "XDG_CACHE_HOME"];
    for (command, _, edit) in tidy_layers(model, fills, cleans, |step| sets(step, &settled)) {
        findings.proposals.push(Proposal {
            level: Level::Safe,
            title: "remove Composer's cache in the same layer".into(),
            reason: "Composer keeps the archive of every package that it unpacks; nothing in the image reads them again".into(),
            line: command.line,
            declares: Vec::new(),
            edits: vec![edit],
        });
    }
    findings
}

fn fills(command: &Classified) -> bool {
    language(command) == Some(("composer", Operation::Install)) && !has_option(command, &["--no-cache"])
}

fn cleans(command: &Classified) -> bool {
    (command.action == Action::Clean && command.words.iter().any(|w| w.raw.contains("composer")))
        || (command.program() == Some("rm") && command.words.iter().any(|w| w.raw.contains("composer") || w.raw.contains(".cache")))
}
