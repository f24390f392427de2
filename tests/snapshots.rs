//! The diffs of the examples and of the cases, with their reasons, to be read. Bytes are compared elsewhere.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::Tree;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// What `restage diff` prints for a folder.
fn shown(tree: &Tree, args: &[&str]) -> String {
    let mut full = vec!["diff", "--no-config", "-v"];
    full.extend(args);
    let run = tree.run(&full);
    let mut out = run.err;
    write!(out, "\n{}", String::from_utf8(run.out).unwrap()).unwrap();
    out.replace('\r', "␍")
}

fn settings() -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings
}

fn copy(from: &Path, to: &Tree, below: &Path) {
    for entry in std::fs::read_dir(from.join(below)).unwrap() {
        let name = below.join(entry.unwrap().file_name());
        if from.join(&name).is_dir() {
            copy(from, to, &name);
        } else {
            to.write(name.to_str().unwrap(), &std::fs::read(from.join(&name)).unwrap());
        }
    }
}

#[test]
fn examples() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    for name in ["flask-notes", "express-links", "go-guestbook"] {
        let tree = Tree::new(&[]);
        copy(&root.join(name), &tree, Path::new(""));
        settings().bind(|| insta::assert_snapshot!(format!("example-{name}"), shown(&tree, &[])));
    }
}

/// The sections of a case that make a build context: the Dockerfile and its files.
fn context(text: &str) -> Tree {
    let mut files: Vec<(String, String)> = Vec::new();
    let mut open = false;
    for line in text.split_inclusive('\n') {
        if let Some(header) = line.trim_end().strip_prefix("--- ") {
            let path = if header == "before" { Some("Dockerfile") } else { header.strip_prefix("file ") };
            open = path.is_some();
            files.extend(path.map(|p| (p.to_owned(), String::new())));
        } else if let (true, Some((_, text))) = (open, files.last_mut()) {
            text.push_str(line);
        }
    }
    let files: Vec<(&str, &str)> = files.iter().map(|(p, t)| (p.as_str(), t.as_str())).collect();
    Tree::new(&files)
}

#[test]
fn cases_that_fire() {
    for transform in restage::transforms::all() {
        let room = Path::new(env!("CARGO_MANIFEST_DIR")).join("transforms").join(transform.id.replace('-', "_")).join("cases");
        let mut cases: Vec<PathBuf> = std::fs::read_dir(room).unwrap().map(|e| e.unwrap().path()).collect();
        cases.sort();
        let mut out = String::new();
        for path in cases {
            let name = path.file_stem().unwrap().to_str().unwrap();
            let text = String::from_utf8(std::fs::read(&path).unwrap()).unwrap();
            // Options are given by restage.toml, which these runs leave aside.
            if name.starts_with("fires-") && !text.contains("--- options") {
                write!(out, "## {name}\n\n{}\n", shown(&context(&text), &["--select", transform.id])).unwrap();
            }
        }
        settings().bind(|| insta::assert_snapshot!(format!("cases-{}", transform.id), out));
    }
}
