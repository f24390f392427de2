//! The exit statuses.

use crate::discover::Missing;
use crate::file::{FailureKind, Processed};
use std::process::ExitCode;

/// What the program's end says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Nothing to do, or all of it done.
    Done,
    /// `diff` or `check` found changes.
    Changes,
    /// Something failed.
    Failed,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Changes => 1,
            Exit::Failed => 2,
        })
    }
}

impl Exit {
    /// The status after working on `files`, `changes` aside.
    pub fn of(files: &[Processed], missing: &[Missing], strict: bool) -> Self {
        let failed = files.iter().any(|f| {
            f.error.as_ref().is_some_and(|e| match e.kind {
                FailureKind::Fatal => true,
                FailureKind::NoDockerfile => strict || f.found.named,
            })
        });
        if failed || !missing.is_empty() { Self::Failed } else { Self::Done }
    }
}
