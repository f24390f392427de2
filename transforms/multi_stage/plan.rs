//! The plan of a split: where each line goes, and what is added.

use super::draft::Draft;
use crate::transforms::Refusal;

/// Where an instruction of the single stage goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// Stays in the builder only.
    Build,
    /// Moves to the runtime stage.
    Runtime,
    /// Stays in the builder, and stands in the runtime stage again.
    Both,
}

/// An instruction that the runtime stage gets besides the user's own.
#[derive(Clone, Debug)]
pub(super) struct Extra {
    /// The index of the step in whose place it stands.
    pub anchor: usize,
    /// The instruction; lines are separated by `\n`.
    pub text: String,
}

/// A folder of the builder that the runtime stage takes over whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Snapshot {
    /// The folder, absolute.
    pub folder: String,
    /// The last step that writes into it.
    pub last_writer: usize,
}

/// A path of the builder that the runtime stage needs, at the same place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Artifact {
    /// The file or folder, absolute.
    pub path: String,
    /// The step that makes it.
    pub step: usize,
}

/// The whole plan.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// The image of the runtime stage, as FROM names it.
    pub runtime: String,
    /// Where each step goes.
    pub fates: Vec<Fate>,
    /// What the runtime stage gets besides.
    pub extras: Vec<Extra>,
    /// Those that stand behind the COPYs from the builder: they may name what comes by them.
    pub behind: Vec<Extra>,
    /// Lines right behind the builder's FROM.
    pub builder_head: Vec<String>,
    /// Lines behind a step of the builder.
    pub builder_after: Vec<(usize, String)>,
    /// Edits inside lines of the builder.
    pub builder_edits: Vec<crate::edit::Edit>,
    /// Folders taken over whole.
    pub snapshots: Vec<Snapshot>,
    /// Single paths taken over.
    pub artifacts: Vec<Artifact>,
    /// Packages that the runtime stage installs: the name, and whether the file itself names it.
    pub packages: Vec<Package>,
    /// Variables that the user's installations set for themselves alone.
    pub environment: Vec<(String, String)>,
    /// The word of the system's manager that brings everything up to date, and the step that says so.
    pub upgrade: Option<(String, usize)>,
    /// The last step that builds a front end beside a program of another language.
    pub front_end: Option<usize>,
    /// What RUNs have fetched from elsewhere so far.
    pub fetched: Vec<super::fetched::Fetched>,
    /// What is left behind, in words.
    pub shed: Vec<String>,
    /// What a reviewer should know, in sentences.
    pub notes: Vec<String>,
    /// What stays in the image that ships because nobody can say that it need not.
    pub stays: Vec<Refusal>,
}

/// A system package of the runtime stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Package {
    /// Its name, with a version pin as written.
    pub name: String,
    /// Whether the user's own line named it with its recommendations.
    pub with_recommended: bool,
    /// The step in whose place it is installed.
    pub anchor: usize,
}

impl Plan {
    /// A plan in which nothing is decided yet.
    pub(super) fn new(draft: &Draft, runtime: String) -> Self {
        Self {
            runtime,
            fates: vec![Fate::Build; draft.steps.len()],
            extras: Vec::new(),
            behind: Vec::new(),
            builder_head: Vec::new(),
            builder_after: Vec::new(),
            builder_edits: Vec::new(),
            snapshots: Vec::new(),
            artifacts: Vec::new(),
            packages: Vec::new(),
            environment: Vec::new(),
            upgrade: None,
            front_end: None,
            fetched: Vec::new(),
            shed: Vec::new(),
            notes: Vec::new(),
            stays: Vec::new(),
        }
    }

    /// Notes that the folder is written by step `by`.
    pub(super) fn snapshot(&mut self, folder: &str, by: usize) {
        if let Some(known) = self.snapshots.iter_mut().find(|s| super::draft::inside(folder, &s.folder)) {
            known.last_writer = known.last_writer.max(by);
            return;
        }
        let mut last = by;
        self.snapshots.retain(|s| {
            let swallowed = super::draft::inside(&s.folder, folder);
            if swallowed {
                last = last.max(s.last_writer);
            }
            !swallowed
        });
        self.snapshots.push(Snapshot { folder: folder.to_owned(), last_writer: last });
    }

    /// The snapshot that `path` lies in.
    pub(super) fn snapshot_of(&self, path: &str) -> Option<&Snapshot> {
        self.snapshots.iter().find(|s| super::draft::inside(path, &s.folder))
    }

    /// Notes that the runtime stage needs `path`, which step `step` makes.
    pub(super) fn artifact(&mut self, path: &str, step: usize) {
        if !self.artifacts.iter().any(|a| a.path == path) {
            self.artifacts.push(Artifact { path: path.to_owned(), step });
        }
    }

    /// Adds a system package that the runtime stage needs for a reason of ours.
    pub(super) fn package(&mut self, name: &str, anchor: usize) {
        self.package_as(name, anchor, false);
    }

    /// Adds a system package, with what it recommends or without.
    pub(super) fn package_as(&mut self, name: &str, anchor: usize, with_recommended: bool) {
        if !self.packages.iter().any(|p| p.name == name) {
            self.packages.push(Package { name: name.to_owned(), with_recommended, anchor });
        }
    }

    /// The fate of step `index`.
    pub(super) fn fate(&self, index: usize) -> Fate {
        self.fates.get(index).copied().unwrap_or(Fate::Runtime)
    }

    /// Sets the fate of step `index`.
    pub(super) fn set(&mut self, index: usize, fate: Fate) {
        if let Some(slot) = self.fates.get_mut(index) {
            *slot = fate;
        }
    }
}
