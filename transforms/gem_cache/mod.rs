//! gem and Bundler without the archives that they unpacked.

use super::packages::{has_option, is_root, language, tidy_layers, tidy_proposals};
use super::{Findings, Group, Transform};
use crate::model::command::{Action, Classified, Operation, cache_of};
use crate::model::{Model, Step, Value};

/// See `page.md`.
pub const TRANSFORM: Transform = Transform {
    id: "gem-cache",
    summary: "Remove the archives that gem and Bundler keep, in the layer that fetched them",
    group: Group::Hygiene,
    may_change: &[],
    page: include_str!("page.md"),
    run,
};

/// Where the ruby images have their gems; the archives lie below.
const GEM_HOME: &str = "/usr/local/bundle";

fn run(model: &Model) -> Findings {
    // What packs, restores or looks for the archives needs them.
    let needs = ["--local", "bundle package", "bundle cache", "bundle pack", "pristine"];
    if needs.iter().any(|n| model.file.source().contains(n)) {
        return Findings::default();
    }
    // What root has fetched, nobody else can remove.
    let found = tidy_layers(model, fills, cleans, |step| !keeps_gems_at_home(step) || !is_root(step));
    let reason = "beside each installed gem lies the archive that it was unpacked from; nothing in the image reads it again";
    let proposals = tidy_proposals(found, |_| "remove the archives of the gems in the same layer".into(), reason).collect();
    Findings { proposals, refusals: Vec::new() }
}

/// Whether the environment says that gems are installed where the ruby images have them, for Bundler too.
fn keeps_gems_at_home(step: &Step) -> bool {
    let value = |name: &str| step.before.variable(name);
    let elsewhere = ["BUNDLE_PATH", "BUNDLE_DEPLOYMENT", "BUNDLE_CACHE_PATH", "BUNDLE_CACHE_ALL", "BUNDLE_FROZEN"];
    value("GEM_HOME") == Some(&Value::Known(GEM_HOME.to_owned()))
        && elsewhere.iter().all(|name| value(name).is_none_or(|v| *v == Value::Known(GEM_HOME.to_owned())))
}

fn fills(command: &Classified) -> bool {
    let elsewhere = ["--path", "--deployment", "-i", "--install-dir", "--user-install", "--standalone", "--system"];
    matches!(language(command), Some(("gem" | "bundle", Operation::Install))) && !has_option(command, &elsewhere)
}

fn cleans(command: &Classified) -> bool {
    let removes =
        command.program() == Some("rm") && command.words.iter().any(|w| cache_of(w).as_deref() == Some("gem") || w.raw.contains("cache"));
    removes || (command.action == Action::Clean && matches!(command.program(), Some("gem" | "bundle")))
}
