//! Writing files: whole or not at all.

use crate::edit::{Edit, EditSet};
use crate::file::Processed;
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// What the name of a file begins with until it takes the place of another.
const PREFIX: &str = ".restage-";

/// Whether this is the name of a file that [`replace`] has not finished.
#[must_use]
pub fn is_temporary(name: &str) -> bool {
    name.strip_prefix(PREFIX).is_some_and(|rest| rest.len() == 6 && rest.chars().all(|c| c.is_ascii_alphanumeric()))
}

/// Why a file was not written.
#[derive(Debug)]
pub enum WriteError {
    /// It is a symbolic link that leads out of the tree that was asked for.
    Outside {
        /// The link.
        path: PathBuf,
        /// Where it leads.
        target: PathBuf,
    },
    /// The file is another than the one that was read.
    Changed(PathBuf),
    /// The system refused.
    Io {
        /// The file.
        path: PathBuf,
        /// What was being done.
        doing: &'static str,
        /// What the system says.
        source: io::Error,
    },
}

impl std::fmt::Display for WriteError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Outside { target, .. } => {
                write!(
                    f,
                    "is a symbolic link to {}, outside of the folder that was asked for; name that file itself to change it",
                    target.display()
                )
            }
            Self::Changed(_) => write!(f, "was changed by somebody else while restage worked on it; run it again"),
            Self::Io { doing, source, .. } => write!(f, "{doing}: {source}"),
        }
    }
}

impl std::error::Error for WriteError {}

/// Replaces the file at `path` by `text` in one step, and keeps its permissions. A symbolic link is followed as long as it
/// stays inside `tree`. `old` is what the file held when it was read; `None` creates it.
///
/// # Errors
/// Where the link leads outside, the file has changed meanwhile, or the system refuses; then the file is as it was.
pub fn replace(path: &Path, tree: &Path, old: Option<&str>, text: &str) -> Result<(), WriteError> {
    let io = |doing| move |source| WriteError::Io { path: path.to_owned(), doing, source };
    let folder_of = |p: &Path| p.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned();
    let target = match old {
        Some(_) => fs::canonicalize(path).map_err(io("can't be found"))?,
        None => folder_of(path).canonicalize().map_err(io("has no folder"))?.join(path.file_name().unwrap_or_default()),
    };
    if path.is_symlink() {
        let tree = fs::canonicalize(tree).map_err(io("its folder can't be found"))?;
        if !target.starts_with(&tree) {
            return Err(WriteError::Outside { path: path.to_owned(), target });
        }
    }
    let permissions = match old {
        Some(old) => {
            let now = fs::read(&target).map_err(io("can't be read again"))?;
            if now != old.as_bytes() {
                return Err(WriteError::Changed(path.to_owned()));
            }
            Some(fs::metadata(&target).map_err(io("can't be read again"))?.permissions())
        }
        None if target.exists() => return Err(WriteError::Changed(path.to_owned())),
        None => None,
    };
    if permissions.is_some() {
        // A rename would replace a file that may not be written; the system is asked, since root may.
        fs::OpenOptions::new().write(true).open(&target).map_err(io("can't be written"))?;
    }
    let mut file = tempfile::Builder::new()
        .prefix(PREFIX)
        .permissions_for_new()
        .tempfile_in(folder_of(&target))
        .map_err(io("can't be written, because its folder refuses new files"))?;
    file.write_all(text.as_bytes()).map_err(io("can't be written"))?;
    if let Some(permissions) = permissions {
        file.as_file().set_permissions(permissions).map_err(io("can't be given its permissions"))?;
    }
    file.persist(&target).map_err(|e| io("can't be written")(e.error))?;
    Ok(())
}

/// Files beside the Dockerfiles that change.
#[derive(Debug, Default)]
pub struct SideFiles {
    /// By path.
    pub changes: BTreeMap<PathBuf, SideFile>,
    /// What could not be worked out.
    pub problems: Vec<String>,
}

/// A file beside a Dockerfile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SideFile {
    /// What it holds; `None` where it does not exist.
    pub old: Option<String>,
    /// What it shall hold.
    pub new: String,
}

/// What the proposals of all files want of files beside them (`.dockerignore`). Dockerfiles that share a context may want
/// the same edit: it is made once.
#[must_use]
pub fn side_files(files: &[Processed]) -> SideFiles {
    let mut edits: BTreeMap<PathBuf, Vec<Edit>> = BTreeMap::new();
    for file in files {
        let (Some(outcome), Some(root)) = (&file.outcome, &file.context) else { continue };
        for edit in &outcome.others {
            let Some(path) = &edit.path else { continue };
            let wanted = edits.entry(root.join(path)).or_default();
            if !wanted.contains(edit) {
                wanted.push(edit.clone());
            }
        }
    }
    let mut out = SideFiles::default();
    for (path, edits) in edits {
        let old = match fs::read_to_string(&path) {
            Ok(text) => Some(text),
            Err(e) if e.kind() == io::ErrorKind::NotFound => None,
            Err(e) => {
                out.problems.push(format!("{}: can't be read: {e}", path.display()));
                continue;
            }
        };
        match EditSet::new(edits).and_then(|set| set.apply(old.as_deref().unwrap_or(""))) {
            Ok(new) if old.as_deref() == Some(new.as_str()) => {}
            Ok(new) => {
                out.changes.insert(path, SideFile { old, new });
            }
            Err(e) => out.problems.push(format!("{}: {e}", path.display())),
        }
    }
    out
}

/// Permissions of a file that did not exist.
trait NewFile {
    /// Lets the user's umask decide, as for any other new file.
    fn permissions_for_new(&mut self) -> &mut Self;
}

impl NewFile for tempfile::Builder<'_, '_> {
    #[cfg(unix)]
    fn permissions_for_new(&mut self) -> &mut Self {
        use std::os::unix::fs::PermissionsExt;
        self.permissions(fs::Permissions::from_mode(0o666))
    }

    #[cfg(not(unix))]
    fn permissions_for_new(&mut self) -> &mut Self {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_mode_and_leaves_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("Dockerfile");
        fs::write(&path, "a").unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o754)).unwrap();
            replace(&path, dir.path(), Some("a"), "b").unwrap();
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o754);
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), "b");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    #[cfg(unix)]
    fn a_link_is_followed_inside_the_tree_only() {
        let dir = tempfile::tempdir().unwrap();
        let tree = dir.path().join("tree");
        fs::create_dir(&tree).unwrap();
        fs::write(tree.join("real"), "a").unwrap();
        fs::write(dir.path().join("outside"), "a").unwrap();
        std::os::unix::fs::symlink("real", tree.join("Dockerfile")).unwrap();
        std::os::unix::fs::symlink("../outside", tree.join("Dockerfile.x")).unwrap();
        replace(&tree.join("Dockerfile"), &tree, Some("a"), "b").unwrap();
        assert_eq!(fs::read_to_string(tree.join("real")).unwrap(), "b");
        assert!(tree.join("Dockerfile").is_symlink());
        assert!(matches!(replace(&tree.join("Dockerfile.x"), &tree, Some("a"), "b"), Err(WriteError::Outside { .. })));
        assert_eq!(fs::read_to_string(dir.path().join("outside")).unwrap(), "a");
    }

    #[test]
    fn a_file_that_changed_meanwhile_or_appeared_stays() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("Dockerfile");
        fs::write(&path, "theirs").unwrap();
        assert!(matches!(replace(&path, dir.path(), Some("a"), "b"), Err(WriteError::Changed(_))));
        assert!(matches!(replace(&path, dir.path(), None, "b"), Err(WriteError::Changed(_))));
        assert_eq!(fs::read_to_string(&path).unwrap(), "theirs");
        replace(&dir.path().join("new"), dir.path(), None, "b").unwrap();
    }
}
