//! The line as the builder sees it, and the way back to the file.

use std::borrow::Cow;

use crate::source::Span;

/// The joined text of an instruction: continuations and the comment and empty lines inside it are gone.
#[derive(Clone, Debug)]
pub(super) struct Logical<'a> {
    text: Cow<'a, str>,
    /// Where each piece starts in the joined text, and in the file.
    pieces: Vec<(usize, Span)>,
}

impl<'a> Logical<'a> {
    /// Joins the `pieces` of `source`.
    pub(super) fn new(source: &'a str, pieces: impl IntoIterator<Item = Span>) -> Self {
        let mut text: Cow<'a, str> = Cow::Borrowed("");
        let mut starts = Vec::new();
        for piece in pieces {
            starts.push((text.len(), piece));
            if text.is_empty() {
                text = Cow::Borrowed(piece.text(source));
            } else {
                text.to_mut().push_str(piece.text(source));
            }
        }
        Self { text, pieces: starts }
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
        let at = self.pieces.partition_point(|(start, _)| *start <= offset);
        // An empty piece shares its start with the next one: the last that starts there holds the byte.
        self.pieces.get(at.saturating_sub(1)).map_or(0, |(start, piece)| (piece.start + (offset - start)).min(piece.end))
    }
}
