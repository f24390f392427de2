//! A folder of files, and the binary run in it.

#![allow(dead_code)]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// A file with something to do.
pub const LEGACY: &str =
    "FROM debian:bookworm\nRUN apt-get update\nRUN apt-get install -y curl\nRUN rm -rf /var/lib/apt/lists/*\nCMD [\"curl\"]\n";
/// A file with nothing to do.
pub const CLEAN: &str = "FROM scratch\nCOPY a /a\nUSER 65532:65532\nCMD [\"/a\"]\n";

/// A temporary folder.
pub struct Tree(tempfile::TempDir);

/// What a run of the binary left behind.
pub struct Run {
    pub status: i32,
    pub out: Vec<u8>,
    pub err: String,
}

impl Tree {
    pub fn new(files: &[(&str, &str)]) -> Self {
        let tree = Self(tempfile::tempdir().unwrap());
        for (path, text) in files {
            tree.write(path, text.as_bytes());
        }
        tree
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn write(&self, path: &str, bytes: &[u8]) {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    pub fn bytes(&self, path: &str) -> Vec<u8> {
        std::fs::read(self.path().join(path)).unwrap()
    }

    pub fn read(&self, path: &str) -> String {
        String::from_utf8(self.bytes(path)).unwrap()
    }

    pub fn run(&self, args: &[&str]) -> Run {
        self.run_with(args, b"")
    }

    pub fn run_with(&self, args: &[&str], stdin: &[u8]) -> Run {
        let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_restage"));
        let out = command.args(args).current_dir(self.path()).write_stdin(stdin).output().unwrap();
        let status = out.status.code().unwrap_or(-1);
        Run { status, out: out.stdout, err: String::from_utf8(out.stderr).unwrap() }
    }

    /// Runs another program with something on its standard input.
    pub fn pipe(&self, program: &str, args: &[&str], stdin: &[u8]) {
        let mut child = Command::new(program)
            .args(args)
            .current_dir(self.path())
            .env("GIT_CEILING_DIRECTORIES", self.path().parent().unwrap())
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(stdin).unwrap();
        assert!(child.wait().unwrap().success());
    }
}

/// Runs git with a user of its own in a folder of the tree.
pub fn git(tree: &Tree, repository: &str, args: &[&str]) -> String {
    let out = Command::new("git")
        .current_dir(tree.path().join(repository))
        .args([
            "-c",
            "user.name=a",
            "-c",
            "user.email=a@b",
            "-c",
            "init.defaultBranch=main",
            "-c",
            "commit.gpgsign=false",
            "-c",
            "core.hooksPath=/dev/null",
        ])
        .args(args)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap();
    assert!(out.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap().trim().to_owned()
}

/// Makes a folder of the tree a repository with one commit of all that lies in it.
pub fn commit(tree: &Tree, repository: &str) {
    std::fs::create_dir_all(tree.path().join(repository)).unwrap();
    git(tree, repository, &["init", "-q"]);
    git(tree, repository, &["config", "user.name", "a"]);
    git(tree, repository, &["config", "user.email", "a@b"]);
    git(tree, repository, &["add", "-A"]);
    git(tree, repository, &["commit", "-q", "-m", "first", "--allow-empty"]);
}
