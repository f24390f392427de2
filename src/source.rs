//! Places in a source text: spans, lines and columns, and what is said about them.

use std::fmt;

/// A half-open range of byte offsets into a source text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// The offset of the first byte.
    pub start: usize,
    /// The offset behind the last byte.
    pub end: usize,
}

impl Span {
    /// The span from `start` up to, not including, `end`.
    #[must_use]
    pub const fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// The empty span at `offset`, where something can be inserted.
    #[must_use]
    pub const fn at(offset: usize) -> Self {
        Self::new(offset, offset)
    }

    /// Length in bytes.
    #[must_use]
    pub const fn len(self) -> usize {
        self.end.saturating_sub(self.start)
    }

    /// Whether the span holds no byte.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.start >= self.end
    }

    /// Whether `offset` lies inside.
    #[must_use]
    pub const fn contains(self, offset: usize) -> bool {
        self.start <= offset && offset < self.end
    }

    /// The smallest span that holds both.
    #[must_use]
    pub fn cover(self, other: Self) -> Self {
        Self::new(self.start.min(other.start), self.end.max(other.end))
    }

    /// The text of the span in `source`, or nothing where the span does not fit it.
    #[must_use]
    pub fn text(self, source: &str) -> &str {
        source.get(self.start..self.end).unwrap_or("")
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.start, self.end)
    }
}

/// The line starts of a text, so that an offset becomes a line and a column.
#[derive(Clone, Debug, Default)]
pub struct LineIndex {
    starts: Vec<usize>,
    /// The length of the text.
    end: usize,
}

impl LineIndex {
    /// Finds the line starts of `source`; lines end at `\n`.
    #[must_use]
    pub fn new(source: &str) -> Self {
        // Lines of Dockerfiles are about this long: one allocation for nearly all.
        let mut starts = Vec::with_capacity(source.len() / 24 + 2);
        starts.push(0);
        starts.extend(memchr::memchr_iter(b'\n', source.as_bytes()).map(|i| i + 1));
        Self { starts, end: source.len() }
    }

    /// How many lines there are. What follows the last `\n` is a line only if it holds something.
    #[must_use]
    pub fn count(&self) -> usize {
        self.starts.len() - usize::from(self.starts.last() == Some(&self.end))
    }

    /// The bytes of `line` (from 1), its end included; `None` for a line beyond the text.
    #[must_use]
    pub fn span(&self, line: usize) -> Option<Span> {
        let start = *self.starts.get(line.checked_sub(1)?)?;
        (start < self.end).then(|| Span::new(start, self.starts.get(line).copied().unwrap_or(self.end)))
    }

    /// The line of `offset`, counted from 1.
    #[must_use]
    pub fn line(&self, offset: usize) -> usize {
        self.starts.partition_point(|s| *s <= offset).max(1)
    }

    /// The column of `offset` in bytes, counted from 1.
    #[must_use]
    pub fn column(&self, offset: usize) -> usize {
        offset - self.start(self.line(offset)).min(offset) + 1
    }

    /// The offset at which `line` (from 1) starts; the end of the text for a line beyond it.
    #[must_use]
    pub fn start(&self, line: usize) -> usize {
        self.starts.get(line.saturating_sub(1)).or(self.starts.last()).copied().unwrap_or(0)
    }
}

/// Something to say about a place in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// What happened and, where it is known, what to do.
    pub message: String,
    /// The line, counted from 1.
    pub line: usize,
    /// Where exactly; empty where only the line is known.
    pub span: Span,
}
