//! The user's own git, called so that it asks nothing, runs no hook and says no secret.

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A repository as git sees it, with an index and a work tree of its own where they are set.
#[derive(Clone, Debug)]
pub struct Git {
    root: PathBuf,
    index: Option<PathBuf>,
    work_tree: Option<PathBuf>,
}

impl Git {
    /// The repository whose work tree is `root`.
    #[must_use]
    pub fn at(root: &Path) -> Self {
        Self { root: root.to_owned(), index: None, work_tree: None }
    }

    /// The same repository with another index and another work tree: the user's own stay as they are.
    #[must_use]
    pub fn aside(&self, index: &Path, work_tree: &Path) -> Self {
        Self { index: Some(index.to_owned()), work_tree: Some(work_tree.to_owned()), ..self.clone() }
    }

    /// Runs git; gives back what it prints.
    ///
    /// # Errors
    /// What git says on standard error, without credentials.
    pub fn run<S: AsRef<OsStr>>(&self, args: &[S], stdin: Option<&[u8]>) -> Result<Vec<u8>, String> {
        let mut command = Command::new("git");
        command.current_dir(&self.root);
        // Called from a hook, git would take the caller's repository for this one.
        for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_PREFIX", "GIT_NAMESPACE"] {
            command.env_remove(name);
        }
        command.env("GIT_TERMINAL_PROMPT", "0").env("GIT_LFS_SKIP_SMUDGE", "1").env("GIT_OPTIONAL_LOCKS", "0").env("LC_ALL", "C");
        for setting in ["core.hooksPath=/dev/null", "core.fsmonitor=false", "gc.auto=0", "maintenance.auto=false", "core.quotePath=false"] {
            command.arg("-c").arg(setting);
        }
        if let Some(index) = &self.index {
            command.env("GIT_INDEX_FILE", index);
        }
        if let Some(tree) = &self.work_tree {
            // Without the folder of the repository, git would look for one above the other work tree.
            command.arg("--git-dir").arg(self.folder()?).arg("--work-tree").arg(tree);
        }
        command.args(args);
        finish(command, stdin)
    }

    /// What git prints, as a line.
    ///
    /// # Errors
    /// As [`Git::run`].
    pub fn line(&self, args: &[&str]) -> Result<String, String> {
        Ok(String::from_utf8_lossy(&self.run(args, None)?).trim().to_owned())
    }

    /// The folder that git keeps its own files in.
    fn folder(&self) -> Result<PathBuf, String> {
        let plain = Self::at(&self.root);
        Ok(self.root.join(plain.line(&["rev-parse", "--absolute-git-dir"])?))
    }

    /// Fetches the tip of `branch` (the remote's own choice if `None`) and nothing behind it; the answer is the commit.
    ///
    /// # Errors
    /// As [`Git::run`].
    pub fn fetch(&self, url: &str, branch: Option<&str>) -> Result<String, String> {
        let mut command = vec!["-c", "http.lowSpeedLimit=1000", "-c", "http.lowSpeedTime=60"];
        let batch_mode = std::env::var_os("GIT_SSH_COMMAND").is_none() && self.line(&["config", "--get", "core.sshCommand"]).is_err();
        if batch_mode {
            command.extend(["-c", "core.sshCommand=ssh -oBatchMode=yes"]);
        }
        command.extend(["fetch", "-q", "--depth", "1", "--no-tags", "--no-recurse-submodules", "--", url, branch.unwrap_or("HEAD")]);
        self.run(&command, None)?;
        self.line(&["rev-parse", "FETCH_HEAD^{commit}"])
    }
}

/// Runs a program to its end with something on its standard input, away from the terminal's signals.
fn finish(mut command: Command, stdin: Option<&[u8]>) -> Result<Vec<u8>, String> {
    own_group(&mut command);
    command.stdin(if stdin.is_some() { Stdio::piped() } else { Stdio::null() }).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => "git can't be started: it is not installed, or the folder is gone".to_owned(),
        _ => format!("git can't be started: {e}"),
    })?;
    // What is written here is short of a pipe's buffer or read at once by git, which prints only afterwards.
    let written = match (stdin, child.stdin.take()) {
        (Some(bytes), Some(mut pipe)) => pipe.write_all(bytes),
        _ => Ok(()),
    };
    let out = child.wait_with_output().map_err(|e| format!("git: {e}"))?;
    if !out.status.success() {
        return Err(said(&out.stderr, out.status.code()));
    }
    written.map_err(|e| format!("git: {e}"))?;
    Ok(out.stdout)
}

/// Puts a program into a group of its own: Ctrl-C is for restage, which then waits for it.
pub fn own_group(command: &mut Command) {
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(command, 0);
    #[cfg(not(unix))]
    let _ = command;
}

/// The gist of what git said.
fn said(stderr: &[u8], code: Option<i32>) -> String {
    let text = redact(&String::from_utf8_lossy(stderr));
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with("hint:")).collect();
    let gist = lines.iter().find(|l| l.starts_with("fatal:") || l.starts_with("error:")).or(lines.first());
    match (gist, code) {
        (Some(gist), _) => format!("git: {}", gist.trim_start_matches("fatal: ").trim_start_matches("error: ")),
        (None, Some(code)) => format!("git failed with status {code}"),
        (None, None) => "git was killed".to_owned(),
    }
}

/// Whether this means a repository elsewhere and no folder.
#[must_use]
pub fn is_url(text: &str) -> bool {
    if text.contains("://") {
        return true;
    }
    // `user@host:path`, as ssh has it; a path of this machine is no URL.
    text.split_once(':').is_some_and(|(host, path)| host.contains('@') && !host.contains('/') && !path.is_empty())
}

/// The text with user names and passwords of URLs, and what follows a question mark in them, taken out.
#[must_use]
pub fn redact(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        out.push_str(before);
        let end = after.find(|c: char| c.is_whitespace() || matches!(c, '\'' | '"' | '<' | '>')).unwrap_or(after.len());
        let (url, behind) = after.split_at(end);
        let host = url.find(['/', '?', '#']).unwrap_or(url.len());
        let (authority, path) = url.split_at(host);
        // A password may hold an at sign of its own, so the last one counts.
        out.push_str(authority.rsplit('@').next().unwrap_or(authority));
        out.push_str(path.split('?').next().unwrap_or(path));
        rest = behind;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_is_told() {
        for (said, told) in [
            ("fatal: can't read 'https://me:tok@en@host/a/b.git/': x", "fatal: can't read 'https://host/a/b.git/': x"),
            ("https://tok@h", "https://h"),
            ("https://h/a?private_token=1 and ssh://git@h:22/x", "https://h/a and ssh://h:22/x"),
            ("nothing://", "nothing://"),
            ("a b", "a b"),
        ] {
            assert_eq!(redact(said), told);
        }
    }

    #[test]
    fn what_is_a_url() {
        assert!(is_url("https://h/a") && is_url("git@h:a/b.git") && is_url("file:///a"));
        assert!(!is_url("a/b") && !is_url("./a@b:c/d") && !is_url("C:\\a") && !is_url("."));
    }
}
