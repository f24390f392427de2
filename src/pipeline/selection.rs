//! Which transforms run, as `--select` and `--ignore` say it.

use crate::recipe::Recipe;
use crate::transforms::{Group, Level, Transform};
use std::collections::BTreeSet;
use std::fmt;

/// The transforms that run, and how far they may go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    enabled: BTreeSet<&'static str>,
    /// Those selected by their own id: their suggestions are applied.
    named: BTreeSet<&'static str>,
    safe: bool,
}

/// A name in `--select` or `--ignore` that is neither a transform, nor a group, nor `all`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownName {
    /// The name as written.
    pub name: String,
    /// The nearest one that exists.
    pub nearest: Option<&'static str>,
}

impl fmt::Display for UnknownName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no transform or group `{}`", self.name)?;
        if let Some(nearest) = self.nearest {
            write!(f, "; did you mean `{nearest}`?")?;
        }
        write!(f, " (`restage list` prints them)")
    }
}

impl std::error::Error for UnknownName {}

impl Group {
    /// Its name, as `--select` takes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Restructure => "restructure",
            Self::Hygiene => "hygiene",
            Self::Modernize => "modernize",
            Self::Harden => "harden",
            Self::Recipes => "recipes",
        }
    }

    /// Whether it runs without being selected.
    #[must_use]
    pub const fn is_default(self) -> bool {
        matches!(self, Self::Restructure | Self::Hygiene | Self::Recipes)
    }
}

impl Level {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Suggest => "suggest",
            Self::Review => "review",
            Self::Safe => "safe",
        }
    }
}

impl Selection {
    /// Resolves the names of `--select` (empty for the default groups; `+NAME` adds to them) and `--ignore`.
    ///
    /// # Errors
    /// For a name that does not exist.
    pub fn resolve(transforms: &'static [Transform], select: &[String], ignore: &[String], safe: bool) -> Result<Self, UnknownName> {
        Self::resolve_with(transforms, &[], select, ignore, safe)
    }

    /// The same with recipes, which run by default and are named like any transform.
    ///
    /// # Errors
    /// For a name that does not exist.
    pub fn resolve_with(
        transforms: &'static [Transform],
        recipes: &[Recipe],
        select: &[String],
        ignore: &[String],
        safe: bool,
    ) -> Result<Self, UnknownName> {
        let replaces = select.iter().any(|name| !name.starts_with('+'));
        let mut out = Self { safe, ..Self::default() };
        if !replaces {
            out.enabled.extend(recipes.iter().map(|r| r.transform).chain(transforms).filter(|t| t.group.is_default()).map(|t| t.id));
        }
        for name in select {
            let name = name.strip_prefix('+').unwrap_or(name);
            let found = members(transforms, recipes, name)?;
            if let [only] = found.as_slice()
                && *only == name
            {
                out.named.insert(only);
            }
            out.enabled.extend(found);
        }
        for name in ignore {
            for id in members(transforms, recipes, name)? {
                out.enabled.remove(id);
                out.named.remove(id);
            }
        }
        Ok(out)
    }

    /// Whether the transform runs at all.
    #[must_use]
    pub fn runs(&self, id: &str) -> bool {
        self.enabled.contains(id)
    }

    /// Whether a proposal of this transform and level is applied.
    #[must_use]
    pub fn applies(&self, id: &str, level: Level) -> bool {
        match level {
            Level::Safe => true,
            Level::Review => !self.safe,
            Level::Suggest => !self.safe && self.named.contains(id),
        }
    }
}

/// The ids that `name` stands for.
pub(super) fn members(transforms: &'static [Transform], recipes: &[Recipe], name: &str) -> Result<Vec<&'static str>, UnknownName> {
    let groups = [Group::Restructure, Group::Hygiene, Group::Modernize, Group::Harden, Group::Recipes];
    let every = recipes.iter().map(|r| r.transform).chain(transforms);
    let ids: Vec<_> = every.clone().filter(|t| name == "all" || t.id == name || t.group.name() == name).map(|t| t.id).collect();
    if ids.is_empty() && !groups.iter().any(|g| g.name() == name) && name != "all" {
        let known = every.map(|t| t.id).chain(groups.iter().map(|g| g.name())).chain(["all"]);
        return Err(UnknownName { name: name.to_owned(), nearest: nearest(name, known) });
    }
    Ok(ids)
}

/// The one of `known` that a slip of the pen makes `name` of.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known.into_iter().map(|k| (distance(name, k), k)).filter(|(d, k)| *d <= (k.len() / 3).max(1)).min_by_key(|(d, _)| *d).map(|(_, k)| k)
}

/// The number of characters to insert, remove or replace (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        let mut next = vec![left];
        for (above, y) in row.iter().skip(1).zip(&b) {
            left = (diagonal + usize::from(x != *y)).min(above + 1).min(left + 1);
            diagonal = *above;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transforms::Findings;

    static LIST: &[Transform] =
        &[fake("exec-form", Group::Modernize), fake("apt-lists", Group::Hygiene), fake("multi-stage", Group::Restructure)];

    const fn fake(id: &'static str, group: Group) -> Transform {
        Transform { id, summary: "", group, may_change: &[], page: "", run: |_| Findings::default() }
    }

    fn resolve(select: &[&str], ignore: &[&str]) -> Result<Selection, UnknownName> {
        let own = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
        Selection::resolve(LIST, &own(select), &own(ignore), false)
    }

    #[test]
    fn defaults_are_the_groups_that_say_so() {
        let s = resolve(&[], &[]).unwrap();
        assert!(s.runs("multi-stage") && s.runs("apt-lists") && !s.runs("exec-form"));
    }

    #[test]
    fn a_name_replaces_and_a_plus_adds() {
        let s = resolve(&["modernize"], &[]).unwrap();
        assert!(s.runs("exec-form") && !s.runs("multi-stage"));
        let s = resolve(&["+exec-form"], &["hygiene"]).unwrap();
        assert!(s.runs("exec-form") && s.runs("multi-stage") && !s.runs("apt-lists"));
    }

    #[test]
    fn suggestions_need_the_id_itself() {
        assert!(!resolve(&["all"], &[]).unwrap().applies("exec-form", Level::Suggest));
        assert!(resolve(&["all", "exec-form"], &[]).unwrap().applies("exec-form", Level::Suggest));
        assert!(resolve(&["+exec-form"], &[]).unwrap().applies("exec-form", Level::Suggest));
    }

    #[test]
    fn an_unknown_name_is_an_error_with_the_nearest() {
        assert_eq!(resolve(&["multistage"], &[]).unwrap_err().nearest, Some("multi-stage"));
        assert_eq!(resolve(&[], &["zzz"]).unwrap_err().nearest, None);
    }
}
