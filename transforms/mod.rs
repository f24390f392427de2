//! The transforms, one room each, and the one ordered list of them.

pub mod add_to_copy;
pub mod apk;
pub mod apt;
pub mod apt_recommends;
pub mod cache_mount;
pub mod composer_cache;
pub mod copy_order;
pub mod dnf;
pub mod dockerignore;
pub mod env_form;
pub mod exec_form;
pub mod gem_cache;
mod home_downloads;
pub mod maintainer;
pub mod merge_run;
pub mod multi_stage;
pub mod non_root;
pub mod npm_cache;
pub mod npm_ci;
mod packages;
pub mod pip;
pub mod pipefail;
pub mod setuid;
mod style;
pub mod sudo;
pub mod test_stage;
#[cfg(test)]
mod testing;
pub mod workdir;

use crate::edit::Edit;
use crate::model::Model;

/// How far a proposal can be trusted to keep the image as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Shown; written only when the transform's id itself is selected.
    Suggest,
    /// The image changes on purpose, and the gate holds.
    Review,
    /// The image holds and does the same.
    Safe,
}

/// The groups that `--select` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Group {
    /// multi-stage, test-stage, non-root, merge-run, copy-order, dockerignore. On by default.
    Restructure,
    /// What package managers leave behind. On by default.
    Hygiene,
    /// Spelling and deprecated forms.
    Modernize,
    /// Hardening.
    Harden,
    /// The user's own. On by default.
    Recipes,
}

/// A transform: a plain value in [`all`].
#[derive(Debug)]
pub struct Transform {
    /// Its id, as `--select` takes it.
    pub id: &'static str,
    /// One line for `restage list`.
    pub summary: &'static str,
    /// Its group.
    pub group: Group,
    /// The configuration keys that its proposals may declare to change.
    pub may_change: &'static [&'static str],
    /// Its page in Markdown, which `restage explain` prints.
    pub page: &'static str,
    /// Finds what to propose. Never mutates anything.
    pub run: fn(&Model) -> Findings,
}

/// What a transform found in one file.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// What it would change.
    pub proposals: Vec<Proposal>,
    /// What it leaves alone, and why.
    pub refusals: Vec<Refusal>,
}

/// A change with its reason. Proposals of one transform in one pass have disjoint edits.
#[derive(Clone, Debug)]
pub struct Proposal {
    /// How far it can be trusted, decided per occurrence.
    pub level: Level,
    /// What is done, in a few words.
    pub title: String,
    /// Why, in a sentence or two.
    pub reason: String,
    /// The line that it starts from, from 1.
    pub line: usize,
    /// Configuration keys (as `docker inspect` names them) that it changes on purpose.
    pub declares: Vec<&'static str>,
    /// The edits, against the file that the model was made of.
    pub edits: Vec<Edit>,
}

/// A change that was not made, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// A reason that a person can act on. Lack of gain starts with `no gain`, an unknown context with `context unknown`.
    pub reason: String,
    /// The line that it is about, from 1.
    pub line: usize,
}

/// All transforms in the order in which the pipeline runs them: modernize, hygiene, dockerignore, copy-order, multi-stage, test-stage, merge-run,
/// non-root, harden.
#[must_use]
pub fn all() -> &'static [Transform] {
    ALL
}

static ALL: &[Transform] = &[
    maintainer::TRANSFORM,
    env_form::TRANSFORM,
    add_to_copy::TRANSFORM,
    exec_form::TRANSFORM,
    workdir::TRANSFORM,
    cache_mount::TRANSFORM,
    sudo::TRANSFORM,
    npm_ci::TRANSFORM,
    apt::TRANSFORM,
    apt_recommends::TRANSFORM,
    apk::TRANSFORM,
    dnf::TRANSFORM,
    pip::TRANSFORM,
    npm_cache::TRANSFORM,
    composer_cache::TRANSFORM,
    gem_cache::TRANSFORM,
    dockerignore::TRANSFORM,
    copy_order::TRANSFORM,
    multi_stage::TRANSFORM,
    test_stage::TRANSFORM,
    merge_run::TRANSFORM,
    non_root::TRANSFORM,
    pipefail::TRANSFORM,
    setuid::TRANSFORM,
];
