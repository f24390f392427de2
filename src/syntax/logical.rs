//! The line as the builder sees it, and the way back to the file.

use std::borrow::Cow;

use crate::source::Span;

/// What the builder joins to one line: the lines of an instruction without continuations, comment and empty lines.
#[derive(Clone, Debug)]
pub(super) struct Pieces {
    pub(super) first: Span,
    /// Empty, and without an allocation, for the instruction of one line.
    pub(super) more: Vec<Span>,
}

impl Pieces {
    pub(super) fn iter(&self) -> impl Iterator<Item = Span> + '_ {
        std::iter::once(self.first).chain(self.more.iter().copied())
    }
}

/// The joined text of an instruction: continuations and the comment and empty lines inside it are gone.
#[derive(Clone, Debug)]
pub(super) struct Logical<'a> {
    text: Cow<'a, str>,
    pieces: &'a Pieces,
    /// Where each of `pieces.more` starts in the joined text.
    starts: Vec<usize>,
}

impl<'a> Logical<'a> {
    /// Joins the `pieces` of `source`.
    pub(super) fn new(source: &'a str, pieces: &'a Pieces) -> Self {
        let first = pieces.first.text(source);
        if pieces.more.is_empty() {
            return Self { text: Cow::Borrowed(first), pieces, starts: Vec::new() };
        }
        let mut text = String::with_capacity(first.len() + pieces.more.iter().map(|p| p.len()).sum::<usize>());
        text.push_str(first);
        let mut starts = Vec::with_capacity(pieces.more.len());
        for piece in &pieces.more {
            starts.push(text.len());
            text.push_str(piece.text(source));
        }
        Self { text: Cow::Owned(text), pieces, starts }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The bytes of the file that hold `span` of the joined text; continuations inside it count.
    pub(super) fn span(&self, span: Span) -> Span {
        let start = self.offset(span.start);
        if span.is_empty() {
            return Span::at(start);
        }
        Span::new(start, self.offset(span.end - 1) + 1)
    }

    /// The offset in the file of the byte at `offset` of the joined text.
    fn offset(&self, offset: usize) -> usize {
        // An empty piece shares its start with the next one: the last that starts there holds the byte.
        let at = self.starts.partition_point(|start| *start <= offset).checked_sub(1);
        let start = at.and_then(|at| self.starts.get(at)).copied().unwrap_or(0);
        let piece = at.and_then(|at| self.pieces.more.get(at)).copied().unwrap_or(self.pieces.first);
        (piece.start + (offset - start)).min(piece.end)
    }
}
