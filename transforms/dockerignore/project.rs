//! The files of the build context, without what is to be left out of it.

use crate::catalog::context::{LeaveOut, left_out, reads_history, secrets};
use crate::context::{Context, Kind, is_dockerfile_name, join};

/// How many entries are looked at.
const MOST: usize = 20_000;
/// How deep.
const DEEPEST: usize = 12;
/// How much text is searched.
const MOST_TEXT: usize = 32 << 20;

/// What a walk over the context has found.
pub(super) struct Project {
    /// Paths whose name is one that may be left out or tells of secrets.
    named: Vec<String>,
    files: Vec<String>,
    dockerfiles: Vec<String>,
    whole: bool,
}

impl Project {
    /// Walks the context on disk. What may be left out is not entered.
    pub(super) fn walk(context: &Context) -> Self {
        let mut out = Self { named: Vec::new(), files: Vec::new(), dockerfiles: Vec::new(), whole: true };
        let mut folders = vec![(String::new(), 0)];
        let mut seen = 0;
        while let Some((folder, depth)) = folders.pop() {
            for name in context.list_on_disk(&folder).iter() {
                seen += 1;
                if seen > MOST {
                    out.whole = false;
                    return out;
                }
                let path = join(&folder, name);
                let facts = || left_out().iter().filter(|f| f.name == *name);
                if facts().next().is_some() || secrets().contains(name) {
                    out.named.push(path.clone());
                }
                match context.kind_on_disk(&path) {
                    Some(Kind::File) => {
                        if is_dockerfile_name(name) {
                            out.dockerfiles.push(path.clone());
                        }
                        out.files.push(path);
                    }
                    Some(Kind::Folder) if facts().any(|f| is_it(context, f, &path)) => {}
                    Some(Kind::Folder) if context.is_link(&path) => {}
                    Some(Kind::Folder) if depth < DEEPEST => folders.push((path, depth + 1)),
                    Some(Kind::Folder) => out.whole = false,
                    None => {}
                }
            }
        }
        out.named.sort();
        out.files.sort();
        out
    }

    /// The paths of that name.
    pub(super) fn named(&self, name: &str) -> impl Iterator<Item = &String> + use<'_> {
        let name = name.to_owned();
        self.named.iter().filter(move |path| path.rsplit('/').next() == Some(name.as_str()))
    }

    pub(super) fn dockerfiles(&self) -> &[String] {
        &self.dockerfiles
    }

    /// Which file of the project uses what `fact` would leave out, in words.
    pub(super) fn search(&self, context: &Context, fact: &LeaveOut) -> Option<String> {
        if !self.whole {
            return Some("the context holds too much to see who reads it".to_owned());
        }
        let mut read = 0;
        for path in self.files.iter().filter(|p| is_searched(p)) {
            let Some(text) = context.read(path) else { continue };
            read += text.len();
            if read > MOST_TEXT {
                return Some("the context holds too much to see who reads it".to_owned());
            }
            let found = if fact.name == ".git" {
                reads_history(&text)
            } else {
                fact.words.iter().find(|w| text.contains(w.as_str())).map(String::as_str)
            };
            if let Some(word) = found {
                let word: String = word.chars().take(40).collect();
                return Some(format!("{path} says `{word}`"));
            }
        }
        None
    }
}

/// Whether what has the name of `fact` is what the name says, so that nothing of the project's own lies in it.
pub(super) fn is_it(context: &Context, fact: &LeaveOut, path: &str) -> bool {
    fact.holds.as_ref().is_none_or(|f| context.kind_on_disk(&join(path, f)).is_some())
        && fact.beside.as_ref().is_none_or(|f| context.kind_on_disk(&join(super::parent(path), f)).is_some())
}

/// Texts that people read, that other machines run, or that tools write say nothing of what the image does.
fn is_searched(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    let ends = |ends: &[&str]| ends.iter().any(|e| name.ends_with(e));
    let requirements = name.contains("requirements") || name == "cmakelists.txt";
    !(is_dockerfile_name(&name)
        || matches!(
            name.as_str(),
            ".gitignore"
                | ".gitattributes"
                | ".gitmodules"
                | ".gitlab-ci.yml"
                | ".travis.yml"
                | ".dockerignore"
                | ".pre-commit-config.yaml"
                | "license"
                | "authors"
                | "changelog"
        )
        || ends(&[
            ".md",
            ".rst",
            ".adoc",
            ".lock",
            "-lock.json",
            "-lock.yaml",
            ".sum",
            ".svg",
            ".map",
            ".min.js",
            ".min.css",
            ".ipynb",
            ".csv",
            ".dockerignore",
        ])
        || (name.ends_with(".txt") && !requirements)
        || path.split('/').any(|part| matches!(part, ".github" | ".circleci" | ".gitlab" | "docs" | "node_modules")))
}
