//! Edits: the only way in which anything changes a file.
//!
//! An [`EditSet`] is sorted and disjoint and can be applied to the text that it was made against. A [`History`] applies
//! one set after the other and keeps account of where each byte comes from, so that in the end every proposal can be
//! told in offsets of the original file, however many transforms ran before it.

mod history;

pub use history::{Composed, History};

use crate::source::Span;
use std::fmt;

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

    /// Whether it changes nothing in `source`.
    #[must_use]
    pub fn is_idle(&self, source: &str) -> bool {
        source.get(self.span.start..self.span.end) == Some(self.text.as_str())
    }
}

/// Edits of one file, sorted and disjoint. Insertions at one offset keep the order in which they were given, and stand
/// before a replacement that starts there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EditSet {
    edits: Vec<Edit>,
}

/// Why edits make no [`EditSet`], or can't be applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EditError {
    /// Two edits want the same bytes.
    Overlap(Span, Span),
    /// A span ends before it starts, lies outside of the text, or cuts a character.
    Misplaced(Span),
}

impl fmt::Display for EditError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Overlap(a, b) => write!(f, "the edits at {a} and {b} overlap"),
            Self::Misplaced(span) => write!(f, "the edit at {span} does not fit the text"),
        }
    }
}

impl std::error::Error for EditError {}

impl EditSet {
    /// Sorts `edits`.
    ///
    /// # Errors
    /// Where two of them overlap or one is the wrong way round.
    pub fn new(edits: impl IntoIterator<Item = Edit>) -> Result<Self, EditError> {
        let mut edits: Vec<Edit> = edits.into_iter().collect();
        if let Some(bad) = edits.iter().find(|e| e.span.start > e.span.end) {
            return Err(EditError::Misplaced(bad.span));
        }
        edits.sort_by_key(|e| (e.span.start, e.span.end));
        let mut reach = Span::default();
        for edit in &edits {
            if edit.span.start < reach.end {
                return Err(EditError::Overlap(reach, edit.span));
            }
            if edit.span.end >= reach.end {
                reach = edit.span;
            }
        }
        Ok(Self { edits })
    }

    /// The edits in order.
    #[must_use]
    pub fn edits(&self) -> &[Edit] {
        &self.edits
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.edits.is_empty()
    }

    /// The text that `source` becomes.
    ///
    /// # Errors
    /// Where a span lies outside of `source` or cuts a character.
    pub fn apply(&self, source: &str) -> Result<String, EditError> {
        let mut out = String::with_capacity(source.len() + self.edits.iter().map(|e| e.text.len()).sum::<usize>());
        let mut at = 0;
        for edit in &self.edits {
            let misplaced = EditError::Misplaced(edit.span);
            out.push_str(source.get(at..edit.span.start).ok_or(misplaced)?);
            source.get(edit.span.start..edit.span.end).ok_or(misplaced)?;
            out.push_str(&edit.text);
            at = edit.span.end;
        }
        out.push_str(source.get(at..).ok_or(EditError::Misplaced(Span::at(at)))?);
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn applies_in_order_of_place_whatever_order_they_came_in() {
        let set = EditSet::new([Edit::replace(Span::new(4, 5), "E"), Edit::insert(0, ">"), Edit::delete(Span::new(1, 3))]).unwrap();
        assert_eq!(set.apply("abcdef").unwrap(), ">adEf");
    }

    #[test]
    fn an_insertion_at_either_border_of_a_replacement_is_no_overlap() {
        let set = EditSet::new([Edit::replace(Span::new(1, 3), "X"), Edit::insert(1, "("), Edit::insert(3, ")")]).unwrap();
        assert_eq!(set.apply("abcd").unwrap(), "a(X)d");
    }

    #[test]
    fn refuses_overlaps_and_places_outside() {
        assert!(EditSet::new([Edit::delete(Span::new(0, 3)), Edit::delete(Span::new(2, 4))]).is_err());
        assert!(EditSet::new([Edit::delete(Span::new(0, 3)), Edit::insert(2, "x")]).is_err());
        assert!(EditSet::new([Edit::delete(Span::new(3, 1))]).is_err());
        assert!(EditSet::new([Edit::delete(Span::new(0, 9))]).unwrap().apply("abc").is_err());
        assert!(EditSet::new([Edit::insert(1, "x")]).unwrap().apply("é").is_err());
    }
}
