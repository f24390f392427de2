//! yum, dnf and zypper without their caches.

use super::packages::{system, tidy_layers};
use super::{Findings, Group, Level, Proposal, Transform};
use crate::model::Model;
use crate::model::command::{Classified, Operation, cache_of};

/// See `page.md`.
pub const TRANSFORM: Transform = Transform {
    id: "dnf",
    summary: "Remove the caches of yum, dnf, microdnf, tdnf and zypper in the layer that fills them",
    group: Group::Hygiene,
    may_change: &[],
    page: include_str!("page.md"),
    run,
};

fn run(model: &Model) -> Findings {
    let mut findings = Findings::default();
    for (command, tidy, edit) in tidy_layers(model, fills, cleans, |_| false) {
        findings.proposals.push(Proposal {
            level: Level::Safe,
            title: format!("run `{tidy}` in the same layer"),
            reason: "the package manager keeps its metadata and downloads; nothing in the image reads them again".into(),
            line: command.line,
            declares: Vec::new(),
            edits: vec![edit],
        });
    }
    findings
}

fn fills(command: &Classified) -> bool {
    matches!(system(command), Some(("yum" | "dnf" | "zypper", Operation::Install | Operation::Upgrade | Operation::Update)))
        && !matches!(command.program(), Some("rpm"))
}

fn cleans(command: &Classified) -> bool {
    matches!(system(command), Some(("yum" | "dnf" | "zypper", Operation::Clean)))
        || (command.program() == Some("rm")
            && command.words.iter().any(|w| matches!(cache_of(w).as_deref(), Some("dnf" | "zypper")) || w.raw.starts_with("/var/cache")))
}
