//! Edits: the only way in which anything changes a file.

use crate::source::Span;

/// Replace the text of `span` by `text`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// Another file than the Dockerfile, relative to the build context (`.dockerignore`); `0..0` in a missing file creates it.
    pub path: Option<String>,
    /// What is replaced, in byte offsets; empty to insert.
    pub span: Span,
    /// What stands there afterwards; empty to delete.
    pub text: String,
}

impl Edit {
    /// Replaces the text of `span`.
    pub fn replace(span: Span, text: impl Into<String>) -> Self {
        Self { path: None, span, text: text.into() }
    }

    /// Inserts `text` at `offset`.
    pub fn insert(offset: usize, text: impl Into<String>) -> Self {
        Self::replace(Span::at(offset), text)
    }

    /// Deletes the text of `span`.
    #[must_use]
    pub fn delete(span: Span) -> Self {
        Self::replace(span, "")
    }
}
