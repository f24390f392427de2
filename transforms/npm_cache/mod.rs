//! npm and yarn without their caches.

use super::packages::{has_cache_mount, has_option, language, sets, shipped_runs, tidy_layers, tidy_proposals};
use super::{Findings, Group, Refusal, Transform};
use crate::model::command::{Action, Classified, Operation};
use crate::model::{Model, Step};

/// See `page.md`.
pub const TRANSFORM: Transform = Transform {
    id: "npm-cache",
    summary: "Remove npm's or yarn's cache in the layer that fills it",
    group: Group::Hygiene,
    may_change: &[],
    page: include_str!("page.md"),
    run,
};

/// What the folders of yarn's cache have in their paths.
const YARN_FOLDERS: &[&str] = &[".cache", "/yarn"];

fn run(model: &Model) -> Findings {
    let mut findings = Findings::default();
    let npm = tidy_layers(
        model,
        |c| fills(c, "npm") && !has_option(c, &["--cache", "--prefer-offline", "--offline"]),
        |c| cleans(c, "npm", &[".npm", ".cache"]) || replaces_node(c),
        |step| sets(step, &["npm_config_cache"]),
    );
    let yarn = tidy_layers(
        model,
        |c| classic(model) && fills(c, "yarn") && !has_option(c, &["--cache-folder", "--offline"]),
        |c| cleans(c, "yarn", YARN_FOLDERS) || replaces_node(c),
        |step| sets(step, &["YARN_CACHE_FOLDER", "npm_config_cache"]),
    );
    findings.refusals.extend(unknown_yarn(model));
    for (manager, place, found) in [("npm", "~/.npm", npm), ("yarn", "its cache folder", yarn)] {
        let reason = format!("{manager} keeps every package that it downloads under {place}; nothing in the image reads them again");
        findings.proposals.extend(tidy_proposals(found, |_| format!("remove {manager}'s cache in the same layer"), &reason));
    }
    findings
}

/// Why the cache stays that a yarn of unknown version fills.
fn unknown_yarn(model: &Model) -> Option<Refusal> {
    if model.context.is_known() && model.context.read("yarn.lock").is_some() {
        return None;
    }
    let settled = |step: &Step| has_cache_mount(step) || sets(step, &["YARN_CACHE_FOLDER", "npm_config_cache"]);
    let runs = shipped_runs(model);
    let open = runs.iter().filter(|r| !settled(r.step) && !r.facts.commands.iter().any(|c| cleans(c, "yarn", YARN_FOLDERS)));
    let command = open.flat_map(|r| &r.facts.commands).find(|c| fills(c, "yarn"))?;
    Some(Refusal {
        reason: "context unknown: yarn.lock tells which yarn fills its cache; from version 2 on the program may run right from there"
            .into(),
        line: command.line,
    })
}

/// Whether yarn is version 1 here. Later ones may run the program right from their cache.
fn classic(model: &Model) -> bool {
    let context = model.context;
    context.is_known()
        && !context.exists(".yarnrc.yml")
        && !context.exists(".pnp.cjs")
        && context.read("yarn.lock").is_some_and(|lock| lock.contains("# yarn lockfile v1"))
}

/// Whether another Node.js is there from then on (`n stable`), on which the npm that the shell remembers may not run any more.
fn replaces_node(command: &Classified) -> bool {
    matches!(&command.action, Action::Setup { of } if of == "node")
}

fn fills(command: &Classified, manager: &str) -> bool {
    language(command) == Some((manager, Operation::Install))
}

fn cleans(command: &Classified, manager: &str, folders: &[&str]) -> bool {
    (command.action == Action::Clean && command.program() == Some(manager))
        || (command.program() == Some("rm") && command.words.iter().any(|w| folders.iter().any(|f| w.raw.contains(f))))
}
