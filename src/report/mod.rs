//! What is told about the files: as text for people, as data for programs.

pub mod batch;
pub mod github;
pub mod html;
pub mod json;
pub mod markdown;
pub mod parse;
pub mod sarif;
pub mod snippet;
pub mod text;

use crate::file::{FailureKind, Processed};

/// How many of what, over all files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Files looked at.
    pub files: usize,
    /// Files that change.
    pub changed: usize,
    /// Proposals that are applied.
    pub proposals: usize,
    /// Proposals that are only shown.
    pub suggestions: usize,
    /// Refusals.
    pub refusals: usize,
    /// Files that were left alone because the builder would refuse them.
    pub refused_files: usize,
    /// Files that could not be worked on.
    pub failed: usize,
}

impl Totals {
    /// Counts.
    #[must_use]
    pub fn of(files: &[Processed]) -> Self {
        let mut out = Self { files: files.len(), ..Self::default() };
        for file in files {
            out.changed += usize::from(file.has_changes());
            if let Some(outcome) = &file.outcome {
                let applied = outcome.proposals.iter().filter(|p| p.applied).count();
                out.proposals += applied;
                out.suggestions += outcome.proposals.len() - applied;
                out.refusals += outcome.refusals.len();
            }
            match file.error.as_ref().map(|e| e.kind) {
                Some(FailureKind::Fatal) => out.failed += 1,
                Some(FailureKind::NoDockerfile) => out.refused_files += 1,
                None => {}
            }
        }
        out
    }
}

/// `1 file`, `2 files`.
#[must_use]
pub fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// The path for services that compare it with those of the repository: without the `./` that a walk of `.` gives.
#[must_use]
pub fn plain_path(file: &Processed) -> String {
    let parts = file.found.path.components().filter(|c| *c != std::path::Component::CurDir);
    parts.collect::<std::path::PathBuf>().to_string_lossy().into_owned()
}

/// The path as it is shown.
#[must_use]
pub fn shown(file: &Processed) -> String {
    file.found.path.to_string_lossy().into_owned()
}
