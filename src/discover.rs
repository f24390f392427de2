//! Finding Dockerfiles: what the command line names, and what stands below the folders it names.

use crate::context::is_dockerfile_name;
use ignore::{WalkBuilder, WalkState};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc;

/// A file to work on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The argument as given, joined with what the walk found below it; `-` for standard input.
    pub path: PathBuf,
    /// The folder that was asked for: writing through a link does not lead out of it.
    pub tree: PathBuf,
    /// Whether the command line names this very file.
    pub named: bool,
}

/// A path that can't be worked on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// The path as given.
    pub path: PathBuf,
    /// Why.
    pub message: String,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// The files, each once, in the order of the arguments and sorted below each folder.
    pub files: Vec<Found>,
    /// What could not be looked at.
    pub missing: Vec<Missing>,
}

/// Standard input's name.
pub const STDIN: &str = "-";

/// Finds the files that `paths` stand for; the current folder if there is none.
#[must_use]
pub fn find(paths: &[PathBuf], jobs: usize) -> Findings {
    let mut out = Findings::default();
    let here = [PathBuf::new()];
    for path in if paths.is_empty() { &here } else { paths } {
        let real = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        if path.as_os_str() == STDIN {
            out.files.push(Found { path: path.clone(), tree: PathBuf::from("."), named: true });
            continue;
        }
        match std::fs::metadata(real) {
            Ok(meta) if meta.is_dir() => walk(path, real, jobs, &mut out),
            Ok(_) => {
                let tree = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
                out.files.push(Found { path: path.clone(), tree: tree.to_owned(), named: true });
            }
            Err(e) if path.is_symlink() => {
                out.missing.push(Missing { path: path.clone(), message: format!("is a symbolic link that leads nowhere: {e}") });
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                out.missing.push(Missing { path: path.clone(), message: "no such file or folder".to_owned() });
            }
            Err(e) => out.missing.push(Missing { path: path.clone(), message: e.to_string() }),
        }
    }
    out.files = once(out.files);
    out
}

/// Walks the folder `real`, which the user calls `shown`.
fn walk(shown: &Path, real: &Path, jobs: usize, out: &mut Findings) {
    let walker = WalkBuilder::new(real)
        .standard_filters(false)
        .parents(true)
        .git_ignore(true)
        .git_exclude(true)
        .require_git(true)
        .filter_entry(|entry| entry.file_name() != ".git")
        .threads(jobs)
        .build_parallel();
    let (send, receive) = mpsc::channel();
    walker.run(|| {
        let send = send.clone();
        Box::new(move |entry| {
            let found = match entry {
                Ok(entry) => {
                    let named_so = entry.file_name().to_str().is_some_and(is_dockerfile_name);
                    let is_file = entry.file_type().is_some_and(|t| t.is_file() || (t.is_symlink() && entry.path().is_file()));
                    (named_so && is_file).then(|| Ok(entry.into_path()))
                }
                Err(e) => Some(Err(e)),
            };
            let wanted = found.is_none_or(|found| send.send(found).is_ok());
            if wanted { WalkState::Continue } else { WalkState::Quit }
        })
    });
    drop(send);
    let mut files = Vec::new();
    for found in receive {
        match found {
            Ok(path) => {
                let below = path.strip_prefix(real).unwrap_or(&path);
                files.push(Found { path: shown.join(below), tree: real.to_owned(), named: false });
            }
            Err(e) => {
                let path = path_of(&e).unwrap_or(real).to_owned();
                out.missing.push(Missing { path, message: e.io_error().map_or_else(|| e.to_string(), ToString::to_string) });
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    out.missing.sort_by(|a, b| a.path.cmp(&b.path));
    out.files.extend(files);
}

/// The path that an error of the walk is about.
fn path_of(error: &ignore::Error) -> Option<&Path> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => path_of(err),
        _ => None,
    }
}

/// Leaves out what stands for a file that is there already: a link beside its target, a file named twice.
fn once(files: Vec<Found>) -> Vec<Found> {
    let real: Vec<PathBuf> = files.iter().map(|f| std::fs::canonicalize(&f.path).unwrap_or_else(|_| f.path.clone())).collect();
    let mut best: BTreeMap<&PathBuf, usize> = BTreeMap::new();
    for (i, (file, target)) in files.iter().zip(&real).enumerate() {
        let rank = |f: &Found| (f.named, !f.path.is_symlink());
        let slot = best.entry(target).or_insert(i);
        if files.get(*slot).is_some_and(|old| rank(file) > rank(old)) {
            *slot = i;
        }
    }
    let keep: std::collections::BTreeSet<usize> = best.into_values().collect();
    files.into_iter().enumerate().filter(|(i, _)| keep.contains(i)).map(|(_, f)| f).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for yes in [
            "Dockerfile",
            "dockerfile",
            "Containerfile",
            "Dockerfile.dev",
            "Dockerfile-x",
            "DOCKERFILE_1",
            "app.Dockerfile",
            "a_containerfile",
            "web-dockerfile",
        ] {
            assert!(is_dockerfile_name(yes), "{yes}");
        }
        for no in ["Dockerfiles", "mydockerfile", "Dockerfile.dockerignore", "docker-compose.yml", ".dockerignore", "Dockerfile~"] {
            assert!(!is_dockerfile_name(no), "{no}");
        }
    }

    #[test]
    fn walks_hidden_folders_but_never_git_and_minds_gitignore_in_work_trees_only() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        for file in [
            ".devcontainer/Dockerfile",
            ".git/Dockerfile",
            "b/Dockerfile",
            "a/Dockerfile",
            "vendor/Dockerfile",
            "a/Dockerfile.dockerignore",
        ] {
            std::fs::create_dir_all(root.join(file).parent().unwrap()).unwrap();
            std::fs::write(root.join(file), "FROM a\n").unwrap();
        }
        std::fs::write(root.join(".gitignore"), "vendor/\n").unwrap();
        let below = |found: Findings| -> Vec<String> {
            found.files.iter().map(|f| f.path.strip_prefix(root).unwrap().display().to_string()).collect()
        };
        assert_eq!(below(find(&[root.to_owned()], 2)), [".devcontainer/Dockerfile", "a/Dockerfile", "b/Dockerfile"]);
        std::fs::remove_dir_all(root.join(".git")).unwrap();
        assert_eq!(below(find(&[root.to_owned()], 2)), [".devcontainer/Dockerfile", "a/Dockerfile", "b/Dockerfile", "vendor/Dockerfile"]);
    }

    #[test]
    #[cfg(unix)]
    fn a_link_beside_its_target_is_the_same_file() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("Dockerfile"), "FROM a\n").unwrap();
        std::os::unix::fs::symlink("Dockerfile", dir.path().join("Containerfile")).unwrap();
        let found = find(&[dir.path().to_owned()], 1);
        assert_eq!(found.files.len(), 1);
        assert!(found.files[0].path.ends_with("Dockerfile"));
        assert_eq!(find(&[dir.path().join("nothing")], 1).missing.len(), 1);
    }
}
