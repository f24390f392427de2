//! Composer without its cache.

use super::packages::{has_option, language, sets, tidy_layers, tidy_proposals};
use super::{Findings, Group, Transform};
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
    let settled = ["COMPOSER_CACHE_DIR", "COMPOSER_NO_CACHE", "COMPOSER_HOME", "XDG_CACHE_HOME"];
    let found = tidy_layers(model, fills, cleans, |step| sets(step, &settled));
    let reason = "Composer keeps the archive of every package that it unpacks; nothing in the image reads them again";
    let proposals = tidy_proposals(found, |_| "remove Composer's cache in the same layer".into(), reason).collect();
    Findings { proposals, refusals: Vec::new() }
}

fn fills(command: &Classified) -> bool {
    language(command) == Some(("composer", Operation::Install)) && !has_option(command, &["--no-cache"])
}

fn cleans(command: &Classified) -> bool {
    (command.action == Action::Clean && command.words.iter().any(|w| w.raw.contains("composer")))
        || (command.program() == Some("rm") && command.words.iter().any(|w| w.raw.contains("composer") || w.raw.contains(".cache")))
}
