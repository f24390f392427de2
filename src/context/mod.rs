//! The build context: what stands beside the Dockerfile. The only module that reads it from disk.

use std::path::{Path, PathBuf};

/// Whether the context's contents can be relied on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Knowledge {
    /// Every literal COPY and ADD source of the file exists in it.
    Known,
    /// Contents are unknown, not absent: the source that is missing, and the line that names it.
    Unknown {
        /// The missing source as written; empty where there is no folder at all (standard input).
        missing: String,
        /// The line of the COPY or ADD, from 1; 1 where there is no folder.
        line: usize,
    },
}

/// A build context. Look-ups are by path relative to its root, with `/`, and see what `.dockerignore` lets through
/// unless their name says otherwise. Results are cached; nothing is followed out of the root by a symlink.
#[derive(Debug)]
pub struct Context {
    root: Option<PathBuf>,
    knowledge: Knowledge,
}

impl Context {
    /// The root folder; `None` for standard input.
    #[must_use]
    pub fn root(&self) -> Option<&Path> {
        self.root.as_deref()
    }

    /// Whether absence of a file means anything.
    #[must_use]
    pub fn knowledge(&self) -> &Knowledge {
        &self.knowledge
    }
}
