//! The journal: what a batch has done, so that a run that was killed can go on.
//!
//! The folder of a batch holds
//!
//! - `journal.ndjson`: a line for the whole run, then one for each thing that can't be done twice,
//! - `pending/NAME.json`: what is about to be written into a repository, complete before the first byte of it is,
//! - `rows/NAME.json`: what became of a repository. Once it is there, the repository is done.
//!
//! Each of these files appears whole or not at all. A run that finds `pending/NAME.json` finishes what it says.

use super::record::{Row, Status};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// The version of the folder's layout.
const VERSION: u32 = 1;
/// How the names of files begin that are not whole yet.
const NEW: &str = ".new-";

/// A folder that a batch keeps its files in, locked for as long as the value lives.
#[derive(Debug)]
pub struct Journal {
    folder: PathBuf,
    file: Mutex<File>,
    started: Mutex<BTreeSet<String>>,
    /// How many repositories were done when the journal was opened.
    pub resumed: usize,
    _lock: File,
}

/// A line of the journal.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "step")]
enum Line {
    /// The first: for what this journal is.
    Start { version: u32, options: String },
    /// The command is about to be run for this repository.
    Exec { repository: String },
    /// The last: every repository has its row.
    End,
}

/// What is about to be written into a repository.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Pending {
    /// The row, as it will be once all is written.
    pub row: Row,
    /// Files to replace.
    pub writes: Vec<PendingWrite>,
    /// A branch to make.
    pub branch: Option<PendingBranch>,
}

/// A file to replace.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PendingWrite {
    /// Its path in the repository.
    pub path: String,
    /// What it held; `None` if it did not exist.
    pub old: Option<String>,
    /// What it shall hold.
    pub new: String,
}

/// A branch to make.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PendingBranch {
    /// Its name.
    pub name: String,
    /// The commit that it shall point to.
    pub commit: String,
}

impl Journal {
    /// Opens the folder: goes on with a run that did not end, starts anew otherwise. `options` says what is being done;
    /// `fresh` forgets a run that did not end; `retry` forgets the rows of what failed.
    ///
    /// # Errors
    /// Where the folder can't be used, another process uses it, or a run with other options did not end.
    pub fn open(folder: &Path, options: &str, fresh: bool, retry: bool) -> Result<Self, String> {
        let wrong = |e: io::Error| format!("{}: {e}", folder.display());
        fs::create_dir_all(folder).map_err(wrong)?;
        // The folder may stand in a work tree; its files are none of that repository's.
        put(&folder.join(".gitignore"), b"*\n").map_err(wrong)?;
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(folder.join("lock")).map_err(wrong)?;
        hold(&lock).map_err(|_| format!("{}: another batch is at work here", folder.display()))?;
        let path = folder.join("journal.ndjson");
        let lines = read_lines(&path).map_err(wrong)?;
        let ended = matches!(lines.last(), None | Some(Line::End));
        let mut started = BTreeSet::new();
        let go_on = !fresh && !lines.is_empty() && (!ended || retry);
        if go_on {
            match lines.first() {
                Some(Line::Start { version: VERSION, options: then }) if then == options => {}
                Some(Line::Start { version: VERSION, .. }) => {
                    return Err(format!(
                        "{}: a batch with other options did not end here; give it the same options to go on, or --fresh to forget it",
                        folder.display()
                    ));
                }
                _ => return Err(format!("{}: the journal is of another version of restage; --fresh forgets it", folder.display())),
            }
            started.extend(lines.into_iter().filter_map(|l| match l {
                Line::Exec { repository } => Some(repository),
                _ => None,
            }));
        } else {
            for name in ["pending", "rows", "patches", "logs", "bodies"] {
                remove(&folder.join(name)).map_err(wrong)?;
            }
            if path.exists() {
                fs::remove_file(&path).map_err(wrong)?;
            }
        }
        for name in ["pending", "rows", "patches"] {
            fs::create_dir_all(folder.join(name)).map_err(wrong)?;
        }
        // A git that outlived a killed run may still be writing there; it will go with the next run then.
        let _ = remove(&folder.join("work"));
        let file = OpenOptions::new().create(true).append(true).open(&path).map_err(wrong)?;
        let mut journal = Self { folder: folder.to_owned(), file: Mutex::new(file), started: Mutex::new(started), resumed: 0, _lock: lock };
        if go_on {
            // A line that was cut off must not swallow the next one.
            journal.write(b"\n").map_err(wrong)?;
            if retry {
                journal.forget_failures().map_err(wrong)?;
            }
            for name in ["", "pending", "rows", "patches", "bodies"] {
                sweep(&folder.join(name)).map_err(wrong)?;
            }
            journal.resumed = fs::read_dir(folder.join("rows")).map_err(wrong)?.count();
        } else {
            journal.append(&Line::Start { version: VERSION, options: options.to_owned() }).map_err(wrong)?;
        }
        Ok(journal)
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether a repository is done.
    #[must_use]
    pub fn is_done(&self, slug: &str) -> bool {
        self.row_path(slug).exists()
    }

    /// What became of a repository.
    ///
    /// # Errors
    /// Where it can't be read.
    pub fn row(&self, slug: &str) -> io::Result<Row> {
        Ok(serde_json::from_slice(&fs::read(self.row_path(slug))?)?)
    }

    /// What was about to be written into a repository when the last run ended.
    ///
    /// # Errors
    /// Where it can't be read.
    pub fn pending(&self, slug: &str) -> io::Result<Option<Pending>> {
        match fs::read(self.pending_path(slug)) {
            Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// Notes what is about to be written.
    ///
    /// # Errors
    /// What the system says.
    pub fn begin(&self, slug: &str, pending: &Pending) -> io::Result<()> {
        put(&self.pending_path(slug), &serde_json::to_vec(pending)?)
    }

    /// Notes that the command is about to be run; false if it was started before and nobody knows how it ended.
    ///
    /// # Errors
    /// What the system says.
    pub fn begin_exec(&self, slug: &str) -> io::Result<bool> {
        {
            let mut started = self.started.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            if !started.insert(slug.to_owned()) {
                return Ok(false);
            }
        }
        self.append(&Line::Exec { repository: slug.to_owned() })?;
        Ok(true)
    }

    /// Notes that a repository is done.
    ///
    /// # Errors
    /// What the system says.
    pub fn done(&self, slug: &str, row: &Row) -> io::Result<()> {
        put(&self.row_path(slug), &serde_json::to_vec(row)?)?;
        if row.status == Status::Failed {
            // A retry has to know what was written before the failure.
            return Ok(());
        }
        match fs::remove_file(self.pending_path(slug)) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
            _ => Ok(()),
        }
    }

    /// Notes that all is done: the next run starts anew.
    ///
    /// # Errors
    /// What the system says.
    pub fn end(&self) -> io::Result<()> {
        let _ = remove(&self.folder.join("work"));
        self.append(&Line::End)
    }

    /// Forgets what failed, so that it is tried again, and the commands that failed with it.
    fn forget_failures(&self) -> io::Result<()> {
        for entry in fs::read_dir(self.folder.join("rows"))?.flatten() {
            let row: Option<Row> = fs::read(entry.path()).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
            if row.is_some_and(|row| row.status != Status::Failed) {
                continue;
            }
            fs::remove_file(entry.path())?;
            let slug = entry.file_name().to_string_lossy().trim_end_matches(".json").to_owned();
            self.started.lock().unwrap_or_else(std::sync::PoisonError::into_inner).remove(&slug);
        }
        Ok(())
    }

    fn row_path(&self, slug: &str) -> PathBuf {
        self.folder.join("rows").join(format!("{slug}.json"))
    }

    fn pending_path(&self, slug: &str) -> PathBuf {
        self.folder.join("pending").join(format!("{slug}.json"))
    }

    fn append(&self, line: &Line) -> io::Result<()> {
        let mut bytes = serde_json::to_vec(line)?;
        bytes.push(b'\n');
        self.write(&bytes)
    }

    fn write(&self, bytes: &[u8]) -> io::Result<()> {
        let mut file = self.file.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        file.write_all(bytes)
    }
}

/// Locks the file. A program that a killed run was just starting may keep its lock for a moment, so it is tried for a while.
fn hold(lock: &File) -> Result<(), fs::TryLockError> {
    for _ in 0..20 {
        if lock.try_lock().is_ok() {
            return Ok(());
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    lock.try_lock()
}

/// The lines that are whole.
fn read_lines(path: &Path) -> io::Result<Vec<Line>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(text.lines().filter_map(|l| serde_json::from_str(l).ok()).collect()),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(e) => Err(e),
    }
}

/// Removes what a killed run left half-written in a folder of the batch.
fn sweep(folder: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(NEW) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Writes a file so that it is there whole or not at all.
///
/// # Errors
/// What the system says.
pub fn put(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = new_file(path.parent().unwrap_or(Path::new(".")))?;
    file.write_all(bytes)?;
    file.persist(path).map_err(|e| e.error)?;
    Ok(())
}

/// A file that has no name that counts yet; the user's umask decides who may read it.
///
/// # Errors
/// What the system says.
pub fn new_file(folder: &Path) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.prefix(NEW).tempfile_in(folder)
}

/// Removes a folder with all that is in it, if it is there.
///
/// # Errors
/// What the system says.
pub fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goes_on_where_the_last_run_stopped() {
        let dir = tempfile::tempdir().unwrap();
        let open = |options: &str, fresh| Journal::open(dir.path(), options, fresh, false);
        {
            let journal = open("a", false).unwrap();
            assert!(open("a", false).unwrap_err().contains("another batch"));
            journal.done("x", &Row::new("x", String::new())).unwrap();
            assert!(journal.begin_exec("y").unwrap());
            OpenOptions::new().append(true).open(dir.path().join("journal.ndjson")).unwrap().write_all(b"{\"step\":\"ex").unwrap();
            for folder in ["", "rows", "patches"] {
                fs::write(dir.path().join(folder).join(".new-abc123"), "half").unwrap();
            }
        }
        assert!(open("b", false).unwrap_err().contains("other options"));
        {
            let journal = open("a", false).unwrap();
            assert!(journal.is_done("x") && !journal.is_done("y"));
            assert_eq!(journal.resumed, 1);
            assert!(["", "rows", "patches"].iter().all(|folder| !dir.path().join(folder).join(".new-abc123").exists()));
            assert!(!journal.begin_exec("y").unwrap(), "nothing is run twice");
            assert!(journal.begin_exec("z").unwrap());
            journal.end().unwrap();
        }
        let journal = open("b", false).unwrap();
        assert!(!journal.is_done("x") && journal.begin_exec("y").unwrap());
    }
}
