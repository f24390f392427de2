//! The copies of a stage, and which of them write where another one does.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::model::Model;
use crate::model::copied::Copy;
use crate::syntax::Keyword;

/// The COPYs and ADDs of a stage.
pub(super) struct Copies<'m> {
    /// Those that can be followed, by the index of their step.
    known: BTreeMap<usize, Copy<'m>>,
    /// The paths that they write, with the index.
    targets: BTreeSet<(String, usize)>,
    /// The same for those that can't be followed.
    unknown: BTreeSet<(String, usize)>,
    /// Those that may write anywhere.
    anywhere: BTreeSet<usize>,
}

impl<'m> Copies<'m> {
    pub(super) fn of(model: &'m Model, range: Range<usize>) -> Self {
        let mut out = Self { known: BTreeMap::new(), targets: BTreeSet::new(), unknown: BTreeSet::new(), anywhere: BTreeSet::new() };
        for index in range {
            let Some(step) = model.steps.get(index).filter(|s| matches!(s.keyword, Keyword::Copy | Keyword::Add)) else { continue };
            if let Some(copy) = Copy::of(model, step) {
                out.targets.extend(copy.parts.iter().map(|p| (p.target.clone(), index)));
                out.known.insert(index, copy);
            } else if let Some(target) = super::target(model, step) {
                out.unknown.insert((target, index));
            } else {
                out.anywhere.insert(index);
            }
        }
        out
    }

    /// The copy at that index, if it can be followed.
    pub(super) fn get(&self, index: usize) -> Option<&Copy<'m>> {
        self.known.get(&index)
    }

    /// The copies that write something at, above or below what `copy`, the one at `at`, writes. All others are apart from it.
    pub(super) fn beside(&self, copy: &Copy, at: usize) -> BTreeSet<usize> {
        let mut out = self.anywhere.clone();
        for part in &copy.parts {
            for set in [&self.targets, &self.unknown] {
                out.extend(below(set, &part.target));
                out.extend(above(set, &part.target));
            }
        }
        out.extend(above(&self.unknown, &copy.destination));
        out.remove(&at);
        out
    }
}

/// The indices of the paths in `set` that lie below `path`.
fn below<'s>(set: &'s BTreeSet<(String, usize)>, path: &str) -> impl Iterator<Item = usize> + use<'s> {
    let folder = path.trim_end_matches('/');
    // `0` is the character behind the slash.
    set.range((format!("{folder}/"), 0)..(format!("{folder}0"), 0)).map(|(_, index)| *index)
}

/// The indices of `path` itself and of the folders that it lies in.
fn above<'s>(set: &'s BTreeSet<(String, usize)>, path: &str) -> impl Iterator<Item = usize> + use<'s> {
    let cut = path.match_indices('/').map(|(at, _)| path.get(..at.max(1)).unwrap_or_default().to_owned());
    let folders: Vec<String> = cut.chain([path.to_owned()]).collect();
    folders.into_iter().flat_map(|f| set.range((f.clone(), 0)..=(f, usize::MAX))).map(|(_, index)| *index)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_above_and_below() {
        let set: BTreeSet<(String, usize)> =
            ["/", "/app", "/app-x", "/app/a", "/app/a/b", "/app.txt", "/srv"].iter().zip(0..).map(|(p, i)| ((*p).to_owned(), i)).collect();
        assert_eq!(below(&set, "/app").collect::<Vec<_>>(), [3, 4]);
        assert_eq!(above(&set, "/app/a").collect::<Vec<_>>(), [0, 1, 3]);
        assert_eq!(above(&set, "/app-y/z").collect::<Vec<_>>(), [0]);
        assert_eq!(below(&set, "/").count(), 7);
    }
}
