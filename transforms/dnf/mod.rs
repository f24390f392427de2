//! yum, dnf and zypper without their caches.

use super::packages::{system, tidy_layers, tidy_proposals};
use super::{Findings, Group, Transform};
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
    let found = tidy_layers(model, fills, cleans, |_| false);
    let reason = "the package manager keeps its metadata and downloads; nothing in the image reads them again";
    let proposals = tidy_proposals(found, |tidy| format!("run `{tidy}` in the same layer"), reason).collect();
    Findings { proposals, refusals: Vec::new() }
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
