//! One repository from its place to its row.

use super::git::Git;
use super::journal::{Journal, Pending, PendingBranch, PendingWrite, put};
use super::record::{ExecRow, FileRow, Row, SideRow, Status, below};
use super::source::{Place, Repository};
use super::{Mode, Plan, message};
use crate::diff::unified;
use crate::discover;
use crate::file::{Processed, Request, process_all};
use crate::write::{WriteError, replace, side_files};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What all repositories of a run have in common.
pub struct Worker<'a> {
    /// What is to be done.
    pub plan: &'a Plan,
    /// What has been done.
    pub journal: &'a Journal,
    /// The threads for files.
    pub pool: Option<&'a rayon::ThreadPool>,
}

/// A repository that can be read: where, and what of.
struct Checkout {
    /// The folder with the files that are read.
    root: PathBuf,
    /// The commit that is read, or that is checked out.
    base: Option<String>,
}

/// The row so far, and what it wants written.
struct Proposed {
    row: Row,
    writes: Vec<PendingWrite>,
}

impl Worker<'_> {
    /// Works on a repository; whatever goes wrong with it is in its row.
    ///
    /// # Errors
    /// Where the journal can't be kept: then nothing more may be done at all.
    pub fn work(&self, repository: &Repository) -> io::Result<Row> {
        let row = Row::new(&repository.name, repository.place.shown());
        let row = match self.journal.pending(&repository.slug)? {
            Some(pending) => {
                self.sweep(repository, &pending);
                self.finish(repository, pending)?
            }
            None => match self.propose(repository, row.clone()) {
                Ok(Proposed { row, writes }) => self.carry_out(repository, row, writes)?,
                Err(reason) => row.failed(reason),
            },
        };
        let _ = super::journal::remove(&self.scratch(repository));
        self.journal.done(&repository.slug, &row)?;
        Ok(row)
    }

    /// Finds out what changes, and writes the patch.
    fn propose(&self, repository: &Repository, mut row: Row) -> Result<Proposed, String> {
        let checkout = self.check_out(repository)?;
        row.base.clone_from(&checkout.base);
        let root = fs::canonicalize(&checkout.root).map_err(|e| format!("{}: {e}", repository.place.shown()))?;
        let found = discover::find(std::slice::from_ref(&root), 1);
        row.problems = found.missing.iter().map(|m| format!("{}: {}", below(&root, &m.path), m.message)).collect();
        let request = self.request(repository);
        let files = match self.pool {
            Some(pool) => pool.install(|| process_all(&found.files, &request)),
            None => process_all(&found.files, &request),
        };
        let mut writes = BTreeMap::new();
        let mut patch = Vec::new();
        for file in &files {
            row.files.push(take_file(file, &root, &mut patch, &mut writes)?);
        }
        let side = side_files(&files);
        row.problems.extend(side.problems.iter().map(|p| p.replace(&*root.to_string_lossy(), ".")));
        for (path, change) in side.changes {
            let path = below(&root, &path);
            let mut diff = Vec::new();
            unified(&mut diff, &path, change.old.as_deref(), &change.new).map_err(|e| e.to_string())?;
            patch.extend_from_slice(&diff);
            row.side_files.push(SideRow { path: path.clone(), diff: String::from_utf8_lossy(&diff).into_owned() });
            writes.insert(path.clone(), PendingWrite { path, old: change.old, new: change.new });
        }
        let fatal: Vec<String> =
            row.files.iter().filter_map(|f| f.error.as_ref().filter(|e| e.fatal).map(|e| format!("{}: {}", f.path, e.message))).collect();
        if let (Some(first), true) = (fatal.first(), patch.is_empty()) {
            return Ok(Proposed { row: row.failed(first.clone()), writes: Vec::new() });
        }
        row.problems.extend(fatal);
        if !patch.is_empty() {
            row.status = Status::Changed;
            let name = format!("patches/{}.patch", repository.slug);
            put(&self.journal.folder().join(&name), &patch).map_err(|e| format!("{name}: {e}"))?;
            row.patch = Some(name);
        }
        Ok(Proposed { row, writes: writes.into_values().collect() })
    }

    /// What the transforms are asked for in this repository.
    fn request(&self, repository: &Repository) -> Request {
        let mut request = self.plan.request.clone();
        let own = &repository.overrides;
        request.select.extend(own.select.iter().cloned());
        request.ignore.extend(own.ignore.iter().cloned());
        request.safe |= own.safe;
        if let Some(config) = &own.config {
            request.config = crate::config::ConfigSource::File(config.clone());
        }
        request
    }

    /// A folder for this repository and this run alone.
    fn scratch(&self, repository: &Repository) -> PathBuf {
        // Git may outlive a run that was killed, so each run has folders of its own.
        self.journal.folder().join("work").join(std::process::id().to_string()).join(&repository.slug)
    }

    /// Makes the repository's files readable: the work tree itself, or a copy of what the commit holds.
    fn check_out(&self, repository: &Repository) -> Result<Checkout, String> {
        let (root, fetched) = match &repository.place {
            Place::Folder(folder) if folder.is_dir() => (folder.clone(), None),
            Place::Folder(folder) if folder.exists() => return Err(format!("{} is no folder", folder.display())),
            Place::Folder(_) => return Err("no such folder".to_owned()),
            Place::Url(url) => self.fetch(repository, url).map(|(root, commit)| (root, Some(commit)))?,
        };
        let git = Git::at(&root);
        if !root.join(".git").exists() {
            return match &self.plan.mode {
                Mode::Branch(_) => Err("is no git repository, so it can have no branch".to_owned()),
                _ if repository.branch.is_some() => Err("is no git repository, so it has no branch".to_owned()),
                Mode::Apply if !self.plan.dirty => {
                    Err("is no git repository, so a change can't be taken back; --dirty writes all the same".to_owned())
                }
                _ => Ok(Checkout { root, base: None }),
            };
        }
        let head = git.line(&["rev-parse", "-q", "--verify", "HEAD^{commit}"]).ok().filter(|h| !h.is_empty());
        if head.is_none() && !matches!(self.plan.mode, Mode::Diff) {
            // A repository without a commit is one; what git can't work with at all is told as that.
            git.run(&["rev-parse", "--git-dir"], None)?;
        }
        let base = match (&repository.branch, fetched) {
            (_, Some(commit)) => Some(commit),
            (Some(branch), None) => {
                let local = git.line(&["rev-parse", "-q", "--verify", &format!("refs/heads/{branch}^{{commit}}")]);
                let remote = || git.line(&["rev-parse", "-q", "--verify", &format!("refs/remotes/origin/{branch}^{{commit}}")]);
                Some(local.or_else(|_| remote()).map_err(|_| format!("there is no branch `{branch}`"))?)
            }
            (None, None) => head.clone(),
        };
        let aside = match &self.plan.mode {
            Mode::Branch(_) => true,
            Mode::Apply => {
                if base != head {
                    return Err("another branch is checked out than the one that was asked for".to_owned());
                }
                if !self.plan.dirty && !git.run(&["status", "--porcelain"], None)?.is_empty() {
                    return Err("the work tree has changes of its own; commit them, or allow it with --dirty".to_owned());
                }
                false
            }
            Mode::Diff => base != head,
        };
        if !aside {
            return Ok(Checkout { root, base });
        }
        let Some(commit) = base else { return Err("has no commit yet".to_owned()) };
        let scratch = self.scratch(repository);
        let (tree, index) = (scratch.join("tree"), scratch.join("index"));
        super::journal::remove(&scratch)
            .and_then(|()| fs::create_dir_all(tree.join(".git")))
            .map_err(|e| format!("{}: {e}", tree.display()))?;
        let tree = fs::canonicalize(&tree).map_err(|e| e.to_string())?;
        let index = fs::canonicalize(&scratch).map_err(|e| e.to_string())?.join(index.file_name().unwrap_or_default());
        let apart = git.aside(&index, &tree);
        apart.run(&["read-tree", commit.as_str()], None)?;
        apart.run(&["checkout-index", "-q", "-a", "-f"], None)?;
        Ok(Checkout { root: tree, base: Some(commit) })
    }

    /// Fetches a repository into the cache, or what is new of it.
    fn fetch(&self, repository: &Repository, url: &str) -> Result<(PathBuf, String), String> {
        let root = self.cached(repository);
        let wrong = |e: io::Error| format!("{}: {e}", root.display());
        fs::create_dir_all(&root).map_err(wrong)?;
        let root = fs::canonicalize(&root).map_err(wrong)?;
        let git = Git::at(&root);
        if !root.join(".git/HEAD").exists() {
            git.run(&["init", "-q", "--template=", "."], None)?;
        }
        git.run(&["config", "remote.origin.url", &repository.place.shown()], None)?;
        let commit = git.fetch(url, repository.branch.as_deref())?;
        if !matches!(self.plan.mode, Mode::Branch(_)) {
            git.run(&["checkout", "-q", "--detach", &commit], None)
                .map_err(|e| format!("{e}; the copy in {} has changes of its own", root.display()))?;
        }
        Ok((root, commit))
    }

    /// Does with the changes what the mode says, in a way that can be finished after a kill.
    fn carry_out(&self, repository: &Repository, mut row: Row, writes: Vec<PendingWrite>) -> io::Result<Row> {
        if row.status != Status::Changed {
            return Ok(row);
        }
        let plan = self.plan;
        let pending = match &plan.mode {
            Mode::Diff => return self.exec(repository, row),
            _ if plan.dry_run => {
                if let Mode::Branch(name) = &plan.mode {
                    row.branch = Some(name.clone());
                }
                return self.exec(repository, row);
            }
            Mode::Apply => Pending { row, writes, branch: None },
            Mode::Branch(name) => match self.commit(repository, &row, &writes, name) {
                Ok(commit) => {
                    row.branch = Some(name.clone());
                    row.commit = Some(commit.clone());
                    Pending { row, writes: Vec::new(), branch: Some(PendingBranch { name: name.clone(), commit }) }
                }
                Err(reason) => return Ok(row.failed(reason)),
            },
        };
        self.journal.begin(&repository.slug, &pending)?;
        self.finish(repository, pending)
    }

    /// The folder of the repository itself.
    fn home(&self, repository: &Repository) -> PathBuf {
        match &repository.place {
            Place::Folder(folder) => folder.clone(),
            Place::Url(_) => self.cached(repository),
        }
    }

    /// The folder of the cache for a repository from elsewhere; two branches of one have a folder each.
    fn cached(&self, repository: &Repository) -> PathBuf {
        let digest = Sha256::digest(format!("{} {:?}", repository.place.shown(), repository.branch));
        let short: String = digest.iter().take(4).map(|b| format!("{b:02x}")).collect();
        self.plan.cache.join(format!("{}-{short}", repository.slug))
    }

    /// Writes what is to be written; where a run was killed meanwhile, only what is missing.
    fn finish(&self, repository: &Repository, pending: Pending) -> io::Result<Row> {
        let home = match fs::canonicalize(self.home(repository)) {
            Ok(home) => home,
            Err(e) => return Ok(pending.row.failed(e.to_string())),
        };
        for write in &pending.writes {
            let path = home.join(&write.path);
            if fs::read(&path).is_ok_and(|now| now == write.new.as_bytes()) {
                continue;
            }
            if let Err(e) = replace(&path, &home, write.old.as_deref(), &write.new) {
                let note = if matches!(e, WriteError::Changed(_)) { "" } else { "; what was written before it stays" };
                return Ok(pending.row.failed(format!("{}: {e}{note}", write.path)));
            }
        }
        if let Some(branch) = &pending.branch
            && let Err(reason) = make_branch(&Git::at(&home), branch)
        {
            return Ok(pending.row.failed(reason));
        }
        self.exec(repository, pending.row)
    }

    /// Removes what a killed run left half-written beside the files that it was writing.
    fn sweep(&self, repository: &Repository, pending: &Pending) {
        let home = self.home(repository);
        let folders: BTreeSet<PathBuf> = pending.writes.iter().filter_map(|w| home.join(&w.path).parent().map(Path::to_owned)).collect();
        for entry in folders.iter().filter_map(|f| fs::read_dir(f).ok()).flatten().flatten() {
            if crate::write::is_temporary(&entry.file_name().to_string_lossy()) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    /// Makes a commit of the changes without touching the user's index or work tree.
    fn commit(&self, repository: &Repository, row: &Row, writes: &[PendingWrite], name: &str) -> Result<String, String> {
        let scratch = fs::canonicalize(self.scratch(repository)).map_err(|e| e.to_string())?;
        let home = fs::canonicalize(self.home(repository)).map_err(|e| e.to_string())?;
        let git = Git::at(&home);
        let apart = git.aside(&scratch.join("index"), &scratch.join("tree"));
        for write in writes {
            let blob = apart.run(&["hash-object", "-w", "--stdin", &format!("--path={}", write.path)], Some(write.new.as_bytes()))?;
            let listed = apart.run(&["ls-files", "-s", "-z", "--", &format!(":(literal){}", write.path)], None)?;
            let mode = listed.split(|b| *b == b' ').next().filter(|m| m.len() == 6).unwrap_or(b"100644");
            let entry = [mode, b" ", blob.trim_ascii(), b"\t", write.path.as_bytes(), b"\0"].concat();
            apart.run(&["update-index", "-z", "--index-info"], Some(&entry))?;
        }
        let base = row.base.as_deref().unwrap_or("HEAD");
        let tree = String::from_utf8_lossy(&apart.run(&["write-tree"], None)?).trim().to_owned();
        // A branch that a run before made with the very same content is taken as it is.
        let there = git.line(&["rev-parse", "-q", "--verify", &format!("refs/heads/{name}^{{commit}}")]).unwrap_or_default();
        if !there.is_empty() {
            let same = git.line(&["rev-parse", &format!("{there}^{{tree}}"), &format!("{there}^@")]).unwrap_or_default();
            if same.lines().eq([tree.as_str(), base]) {
                return Ok(there);
            }
            return Err(format!("there is a branch `{name}` with other content already"));
        }
        let text = message::fill(&self.plan.message, row)?;
        Ok(String::from_utf8_lossy(&git.run(&["commit-tree", tree.as_str(), "-p", base], Some(text.as_bytes()))?).trim().to_owned())
    }

    /// Runs the user's command for a repository that changed, once.
    fn exec(&self, repository: &Repository, mut row: Row) -> io::Result<Row> {
        let Some(command) = &self.plan.exec else { return Ok(row) };
        let folder = fs::canonicalize(self.journal.folder())?;
        for name in ["logs", "bodies"] {
            fs::create_dir_all(folder.join(name))?;
        }
        let log = format!("logs/{}.log", repository.slug);
        let body = folder.join("bodies").join(format!("{}.md", repository.slug));
        put(&body, crate::report::markdown::body(&row).as_bytes())?;
        if !self.journal.begin_exec(&repository.slug)? {
            row.exec = Some(ExecRow { status: None, interrupted: true, log });
            return Ok(row.failed("the batch was killed while the command ran, and nobody knows how far it came; --retry runs it again"));
        }
        let output = fs::File::create(folder.join(&log))?;
        let mut process = std::process::Command::new("sh");
        super::git::own_group(&mut process);
        process
            .arg("-c")
            .arg(command)
            .current_dir(self.home(repository))
            .env("REPOSITORY", &repository.name)
            .env("BRANCH", row.branch.as_deref().unwrap_or(""))
            .env("CHANGED", row.changed_paths().collect::<Vec<_>>().join("\n"))
            .env("DRY_RUN", if self.plan.dry_run { "true" } else { "false" })
            .env("BODY", &body)
            .env("PATCH", row.patch.as_ref().map(|p| folder.join(p)).unwrap_or_default())
            .stdin(std::process::Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output);
        let (status, failure) = match process.status() {
            Ok(status) if status.success() => (status.code(), None),
            Ok(status) => {
                let how = status.code().map_or_else(|| "was killed".to_owned(), |code| format!("failed with status {code}"));
                (status.code(), Some(format!("the command {how}; see {log}")))
            }
            Err(e) => (None, Some(format!("the command can't be started: {e}"))),
        };
        row.exec = Some(ExecRow { status, interrupted: false, log });
        Ok(match failure {
            Some(reason) => row.failed(reason),
            None => row,
        })
    }
}

/// Makes the row of a file, and notes what it wants written.
fn take_file(file: &Processed, root: &Path, patch: &mut Vec<u8>, writes: &mut BTreeMap<String, PendingWrite>) -> Result<FileRow, String> {
    let shown = below(root, &file.found.path);
    let (Some(outcome), Some(source)) = (&file.outcome, &file.source) else { return Ok(FileRow::new(file, shown, String::new())) };
    if &outcome.text == source {
        return Ok(FileRow::new(file, shown, String::new()));
    }
    // Git follows no link, so the patch and the commit are about the file that the link leads to.
    let real = fs::canonicalize(&file.found.path).map_err(|e| format!("{shown}: {e}"))?;
    if !real.starts_with(root) {
        return Err(format!("{shown}: is a symbolic link out of the repository"));
    }
    let path = below(root, &real);
    let mut diff = Vec::new();
    unified(&mut diff, &path, Some(source), &outcome.text).map_err(|e| e.to_string())?;
    patch.extend_from_slice(&diff);
    writes.insert(path.clone(), PendingWrite { path, old: Some(source.clone()), new: outcome.text.clone() });
    Ok(FileRow::new(file, shown, String::from_utf8_lossy(&diff).into_owned()))
}

/// Lets the branch point to the commit, if it does not yet.
fn make_branch(git: &Git, branch: &PendingBranch) -> Result<(), String> {
    let reference = format!("refs/heads/{}", branch.name);
    let there = git.line(&["rev-parse", "-q", "--verify", &reference]).unwrap_or_default();
    if there == branch.commit {
        return Ok(());
    }
    // The empty old value makes git refuse where somebody was faster.
    let nothing = "0".repeat(branch.commit.len());
    let made = git.run(&["update-ref", "-m", "restage batch", &reference, &branch.commit, &nothing], None).map(drop);
    // The git of a run that was killed may have made it in this very moment.
    made.or_else(
        |e| if git.line(&["rev-parse", "-q", "--verify", &reference]).is_ok_and(|now| now == branch.commit) { Ok(()) } else { Err(e) },
    )
}
