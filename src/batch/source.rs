//! Which repositories a batch is about.

use super::git::{is_url, redact};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Where a repository is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A folder of this machine.
    Folder(PathBuf),
    /// Elsewhere, to be fetched by git.
    Url(String),
}

/// What holds for one repository on top of what holds for the batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// As `--select`.
    pub select: Vec<String>,
    /// As `--ignore`.
    pub ignore: Vec<String>,
    /// As `--safe`.
    pub safe: bool,
    /// As `--config`.
    pub config: Option<PathBuf>,
}

/// What the user names: a repository, or a folder of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Where.
    pub place: Place,
    /// What it is called; made of the place otherwise.
    pub name: Option<String>,
    /// The branch to start from instead of the one that is checked out.
    pub branch: Option<String>,
    /// What holds for it alone.
    pub overrides: Overrides,
    /// Whether it is one repository and not to be looked into for others.
    pub exact: bool,
}

/// One repository of the batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    /// What it is called in reports; unique.
    pub name: String,
    /// The name as a file name; unique too.
    pub slug: String,
    /// Where it is.
    pub place: Place,
    /// The branch to start from.
    pub branch: Option<String>,
    /// What holds for it alone.
    pub overrides: Overrides,
}

impl Wanted {
    /// What an argument or a line of a list stands for.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        let place = if is_url(text) { Place::Url(text.to_owned()) } else { Place::Folder(PathBuf::from(text)) };
        Self { place, name: None, branch: None, overrides: Overrides::default(), exact: false }
    }
}

impl Place {
    /// The place as it may be shown.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::Folder(path) => path.to_string_lossy().into_owned(),
            Self::Url(url) => redact(url),
        }
    }
}

/// The repositories that are wanted, each once, in the order of what was named and sorted below each folder. Nothing below
/// one of `but` counts: that is where the batch keeps its own files.
#[must_use]
pub fn repositories(wanted: &[Wanted], but: &[&Path]) -> Vec<Repository> {
    let but: Vec<PathBuf> = but.iter().filter_map(|p| std::fs::canonicalize(p).ok()).collect();
    let mut out: Vec<Repository> = Vec::new();
    let mut seen: BTreeSet<(Place, Option<String>)> = BTreeSet::new();
    let (mut names, mut slugs) = (BTreeMap::new(), BTreeMap::new());
    let mut add = |place: Place, name: String, from: &Wanted| {
        let identity = match &place {
            Place::Folder(path) => Place::Folder(std::fs::canonicalize(path).unwrap_or_else(|_| path.clone())),
            Place::Url(url) => Place::Url(redact(url).trim_end_matches('/').trim_end_matches(".git").to_owned()),
        };
        if !seen.insert((identity, from.branch.clone())) {
            return;
        }
        let name = unique(&mut names, name);
        let slug = unique(&mut slugs, slug(&name));
        out.push(Repository { name, slug, place, branch: from.branch.clone(), overrides: from.overrides.clone() });
    };
    for one in wanted {
        match &one.place {
            Place::Url(url) => add(one.place.clone(), one.name.clone().unwrap_or_else(|| name_of_url(url)), one),
            Place::Folder(folder) => {
                let own = || one.name.clone().unwrap_or_else(|| name_of_folder(folder));
                let mut below = Vec::new();
                if !one.exact && !folder.join(".git").exists() {
                    find(folder, &but, &mut below);
                    below.sort();
                }
                if below.is_empty() {
                    add(one.place.clone(), own(), one);
                }
                for path in below {
                    let name = path.strip_prefix(folder).unwrap_or(&path).to_string_lossy().replace('\\', "/");
                    add(Place::Folder(path.clone()), name, one);
                }
            }
        }
    }
    out
}

/// Finds the checkouts below a folder: those that have `.git`, and nothing inside of them.
fn find(folder: &Path, but: &[PathBuf], out: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if !entry.file_type().is_ok_and(|t| t.is_dir()) || std::fs::canonicalize(&path).is_ok_and(|real| but.contains(&real)) {
            continue;
        }
        if path.join(".git").exists() {
            out.push(path);
        } else {
            find(&path, but, out);
        }
    }
}

/// The last two parts of a URL's path: its owner and its name.
fn name_of_url(url: &str) -> String {
    let plain = redact(url);
    let path = plain.split_once("://").map_or(plain.as_str(), |(_, rest)| rest);
    let path = path.trim_end_matches('/').trim_end_matches(".git");
    let parts: Vec<&str> = path.split(['/', ':']).filter(|p| !p.is_empty()).collect();
    parts.iter().skip(parts.len().saturating_sub(2)).copied().collect::<Vec<_>>().join("/")
}

fn name_of_folder(folder: &Path) -> String {
    let real = std::fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    real.file_name().map_or_else(|| "repository".to_owned(), |n| n.to_string_lossy().into_owned())
}

/// The name with a number behind it where it is taken.
fn unique(taken: &mut BTreeMap<String, usize>, name: String) -> String {
    let mut out = name.clone();
    while taken.contains_key(&out) {
        let number = taken.entry(name.clone()).or_insert(1);
        *number += 1;
        out = format!("{name}-{number}");
    }
    taken.insert(out.clone(), 1);
    out
}

/// The name with nothing in it that a file name can't have on some system.
fn slug(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '_' };
    let out: String = name.replace('/', "__").chars().map(plain).take(180).collect();
    if out.trim_matches('.').is_empty() { "repository".to_owned() } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_forge_and_unique() {
        let wanted: Vec<Wanted> =
            ["https://me:secret@h/o/n.git", "git@h:o/n", "https://h/o/n", "https://i/o/n/"].iter().map(|t| Wanted::from_text(t)).collect();
        let all = repositories(&wanted, &[]);
        let names: Vec<&str> = all.iter().map(|r| r.name.as_str()).collect();
        assert_eq!(names, ["o/n", "o/n-2", "o/n-3"], "the first and the third are one");
        assert_eq!(all[0].slug, "o__n");
        assert!(!all[0].place.shown().contains("secret"));
    }

    #[test]
    fn a_folder_of_checkouts_stands_for_them() {
        let dir = tempfile::tempdir().unwrap();
        for path in ["o/b/.git", "o/a/.git", "o/a/vendor/x/.git", "out/y/.git", "plain/src"] {
            std::fs::create_dir_all(dir.path().join(path)).unwrap();
        }
        let but = dir.path().join("out");
        let all = repositories(&[Wanted::from_text(dir.path().to_str().unwrap())], &[&but]);
        assert_eq!(all.iter().map(|r| r.name.as_str()).collect::<Vec<_>>(), ["o/a", "o/b"]);
        let plain = repositories(&[Wanted::from_text(dir.path().join("plain").to_str().unwrap())], &[]);
        assert_eq!(plain[0].name, "plain");
    }
}
