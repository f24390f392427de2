//! Which bytes of the current text come from where.

use super::{Edit, EditError, EditSet};
use crate::source::Span;
use std::collections::BTreeSet;

/// A text, and how it came out of the original one.
#[derive(Clone, Debug)]
pub struct History {
    original: String,
    text: String,
    /// In order; what lies between them are the original's bytes.
    changes: Vec<Composed>,
}

/// A change of the original text, and the proposals that it is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Composed {
    /// The bytes of the original that it replaces.
    pub origin: Span,
    /// What stands there now.
    pub text: String,
    /// The proposals; more than one where later ones changed what earlier ones wrote.
    pub owners: BTreeSet<usize>,
}

impl Composed {
    /// How much longer the text becomes by it.
    fn growth(&self) -> i64 {
        signed(self.text.len()) - signed(self.origin.len())
    }
}

/// An earlier change or a new edit, as a range of the current text.
struct Part {
    range: Span,
    /// What it contributes to the distance between the current and the original text.
    shift: i64,
    /// What it contributes to the distance between the new and the current text.
    growth: i64,
    owners: BTreeSet<usize>,
}

fn signed(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn moved(offset: usize, by: i64) -> usize {
    usize::try_from(signed(offset).saturating_add(by)).unwrap_or(0)
}

impl History {
    /// The start: nothing has changed.
    #[must_use]
    pub fn new(original: impl Into<String>) -> Self {
        let original = original.into();
        Self { text: original.clone(), original, changes: Vec::new() }
    }

    /// The current text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text at the beginning.
    #[must_use]
    pub fn original(&self) -> &str {
        &self.original
    }

    /// Whether the current text is another than the original.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        self.text != self.original
    }

    /// Applies edits made against the current text, each with the number of the proposal that wants it.
    ///
    /// # Errors
    /// Where they overlap or do not fit; then nothing is changed.
    pub fn apply(&mut self, edits: &[(usize, Edit)]) -> Result<(), EditError> {
        let text = EditSet::new(edits.iter().map(|(_, e)| e.clone()))?.apply(&self.text)?;
        self.changes = melt(self.parts(edits), &text);
        self.text = text;
        Ok(())
    }

    /// Earlier changes and new edits, sorted by where they stand in the current text. A change comes before an edit at the
    /// same place, so that what is inserted where something was deleted comes behind it.
    fn parts(&self, edits: &[(usize, Edit)]) -> Vec<Part> {
        let mut shift = 0;
        let mut parts: Vec<Part> = Vec::with_capacity(self.changes.len() + edits.len());
        for change in &self.changes {
            let start = moved(change.origin.start, shift);
            shift += change.growth();
            let range = Span::new(start, start + change.text.len());
            parts.push(Part { range, shift: change.growth(), growth: 0, owners: change.owners.clone() });
        }
        for (owner, edit) in edits {
            let growth = signed(edit.text.len()) - signed(edit.span.len());
            parts.push(Part { range: edit.span, shift: 0, growth, owners: BTreeSet::from([*owner]) });
        }
        parts.sort_by_key(|p| (p.range.start, p.range.end));
        parts
    }

    /// Where the current text's `offset` comes from; for a byte that a change wrote, where that change starts.
    #[must_use]
    pub fn origin(&self, offset: usize) -> usize {
        let mut shift = 0;
        for change in &self.changes {
            let start = moved(change.origin.start, shift);
            if offset < start {
                break;
            }
            if offset < start + change.text.len() {
                return change.origin.start;
            }
            shift += change.growth();
        }
        moved(offset, -shift).min(self.original.len())
    }

    /// All changes so far, sorted and disjoint. What different proposals inserted at one place is one change, because
    /// nothing but the order tells it apart.
    #[must_use]
    pub fn composed(&self) -> Vec<Composed> {
        let mut out: Vec<Composed> = Vec::new();
        for change in &self.changes {
            if change.origin.text(&self.original) == change.text {
                continue;
            }
            match out.last_mut() {
                Some(last) if last.origin.is_empty() && change.origin == last.origin => {
                    last.text.push_str(&change.text);
                    last.owners.extend(&change.owners);
                }
                _ => out.push(change.clone()),
            }
        }
        out
    }
}

/// Joins the parts that overlap, and reads what they have become from the new text.
fn melt(parts: Vec<Part>, text: &str) -> Vec<Composed> {
    let mut out = Vec::with_capacity(parts.len());
    let (mut shift, mut growth) = (0, 0);
    let mut parts = parts.into_iter().peekable();
    while let Some(mut joined) = parts.next() {
        while let Some(next) = parts.next_if(|p| p.range.start < joined.range.end) {
            joined.range.end = joined.range.end.max(next.range.end);
            joined.shift += next.shift;
            joined.growth += next.growth;
            joined.owners.extend(next.owners);
        }
        let before = (shift, growth);
        shift += joined.shift;
        growth += joined.growth;
        out.push(Composed {
            origin: Span::new(moved(joined.range.start, -before.0), moved(joined.range.end, -shift)),
            text: Span::new(moved(joined.range.start, before.1), moved(joined.range.end, growth)).text(text).to_owned(),
            owners: joined.owners,
        });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn told(history: &History) -> String {
        let edits = history.composed().into_iter().map(|c| Edit::replace(c.origin, c.text));
        EditSet::new(edits).unwrap().apply(history.original()).unwrap()
    }

    #[test]
    fn what_does_not_touch_stays_apart() {
        let mut h = History::new("one two three");
        h.apply(&[(0, Edit::replace(Span::new(0, 3), "1"))]).unwrap();
        h.apply(&[(1, Edit::replace(Span::new(6, 11), "3"))]).unwrap();
        assert_eq!(h.text(), "1 two 3");
        let c = h.composed();
        assert_eq!(c.len(), 2);
        assert_eq!((c[1].origin, c[1].owners.len()), (Span::new(8, 13), 1));
        assert_eq!(h.origin(2), 4);
        assert_eq!(told(&h), h.text());
    }

    #[test]
    fn what_is_written_into_an_earlier_change_melts_with_it() {
        let mut h = History::new("a\nb\n");
        h.apply(&[(0, Edit::insert(2, "long line\n"))]).unwrap();
        h.apply(&[(1, Edit::replace(Span::new(7, 11), "word"))]).unwrap();
        assert_eq!(h.text(), "a\nlong word\nb\n");
        assert_eq!(h.composed(), [Composed { origin: Span::at(2), text: "long word\n".into(), owners: [0, 1].into() }]);
    }

    #[test]
    fn what_is_undone_is_no_change() {
        let mut h = History::new("abc");
        h.apply(&[(0, Edit::replace(Span::new(1, 2), "X"))]).unwrap();
        h.apply(&[(1, Edit::replace(Span::new(1, 2), "b"))]).unwrap();
        assert!(!h.is_changed());
        assert!(h.composed().is_empty());
    }

    #[test]
    fn a_refused_set_changes_nothing() {
        let mut h = History::new("abc");
        assert!(h.apply(&[(0, Edit::delete(Span::new(0, 2))), (0, Edit::delete(Span::new(1, 3)))]).is_err());
        assert_eq!(h.text(), "abc");
    }

    proptest! {
        #[test]
        fn composed_edits_lead_from_the_original_to_the_text(
            original in "[a-zé\n]{0,30}",
            rounds in prop::collection::vec(prop::collection::vec((0usize..60, 0usize..6, "[A-Z]{0,4}"), 0..4), 0..5),
        ) {
            let mut h = History::new(original);
            for (round, edits) in rounds.into_iter().enumerate() {
                let edits: Vec<_> = edits
                    .into_iter()
                    .map(|(at, len, text)| {
                        let at = at.min(h.text().len());
                        (round, Edit::replace(Span::new(at, (at + len).min(h.text().len())), text))
                    })
                    .collect();
                let _ = h.apply(&edits);
                prop_assert_eq!(told(&h), h.text());
            }
        }
    }
}
