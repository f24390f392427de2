//! `restage batch` through the binary.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::{CLEAN, LEGACY, Tree, commit, git};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// A tree with these repositories, each with one commit that has these files.
fn checkouts(repositories: &[(&str, &[(&str, &str)])]) -> Tree {
    let tree = Tree::new(&[]);
    for (name, files) in repositories {
        for (path, text) in *files {
            tree.write(&format!("all/{name}/{path}"), text.as_bytes());
        }
        commit(&tree, &format!("all/{name}"));
    }
    tree
}

fn report(tree: &Tree) -> serde_json::Value {
    serde_json::from_slice(&tree.bytes("restage-batch/report.json")).unwrap()
}

/// The rows by name: status and reason.
fn rows(tree: &Tree) -> Vec<(String, String, String)> {
    let text = |v: &serde_json::Value| v.as_str().unwrap_or("").to_owned();
    let report = report(tree);
    report["repositories"].as_array().unwrap().iter().map(|r| (text(&r["name"]), text(&r["status"]), text(&r["reason"]))).collect()
}

fn exists(tree: &Tree, path: &str) -> bool {
    tree.path().join(path).exists()
}

#[test]
fn a_folder_of_checkouts_gives_a_patch_each() {
    let tree = checkouts(&[
        ("o/a", &[("Dockerfile", LEGACY)]),
        ("o/b", &[("Dockerfile", CLEAN)]),
        ("o/c", &[("x/Dockerfile", LEGACY), ("y/Dockerfile", LEGACY)]),
    ]);
    let run = tree.run(&["batch", "all"]);
    assert_eq!(run.status, 1, "{}", run.err);
    let out = String::from_utf8(run.out).unwrap();
    assert!(out.contains("changed o/a: 1 Dockerfile, 1 file to change: ") && out.contains("clean   o/b: 1 Dockerfile\n"), "{out}");
    assert!(out.contains("3 repositories: 2 changed, 1 clean, 0 failed; 4 Dockerfiles: 3 to change"), "{out}");
    assert!(out.contains("1 diff to read instead of 3") && out.contains("3 files such as o/a Dockerfile"), "{out}");
    for (name, paths) in [("o/a", &["Dockerfile"][..]), ("o/c", &["x/Dockerfile", "y/Dockerfile"])] {
        let patch = tree.bytes(&format!("restage-batch/patches/{}.patch", name.replace('/', "__")));
        let folder = tree.path().join("all").join(name);
        assert_eq!(git(&tree, &format!("all/{name}"), &["status", "--porcelain"]), "", "nothing was written");
        tree.pipe("git", &["-C", folder.to_str().unwrap(), "apply", "-"], &patch);
        for path in paths {
            assert_ne!(tree.read(&format!("all/{name}/{path}")), LEGACY);
        }
    }
    assert!(!exists(&tree, "restage-batch/patches/o__b.patch"));
    assert_eq!(git(&tree, "all/o/b", &["status", "--porcelain"]), "");
}

#[test]
fn a_repository_that_fails_is_a_row() {
    let tree = checkouts(&[("a", &[("Dockerfile", LEGACY)]), ("z", &[("Dockerfile", LEGACY)])]);
    let missing = "all/none\nall/a\n# a comment\n\nfile:///no/where/x.git\nall/z\n";
    let run = tree.run_with(&["batch", "--apply", "-"], missing.as_bytes());
    assert_eq!(run.status, 2);
    let rows = rows(&tree);
    let status: Vec<&str> = rows.iter().map(|r| r.1.as_str()).collect();
    assert_eq!(status, ["failed", "changed", "failed", "changed"], "{rows:?}");
    assert!(rows[0].2.contains("no such folder") && rows[2].2.contains("git:"), "{rows:?}");
    assert_ne!(tree.read("all/z/Dockerfile"), LEGACY);
}

#[test]
fn what_git_or_restage_can_not_read_is_told() {
    let tree = checkouts(&[("empty", &[]), ("odd", &[("Dockerfile", "FROM a\n{{ x }}\n"), ("x/Dockerfile", LEGACY)])]);
    tree.write("all/broken/Dockerfile", LEGACY.as_bytes());
    std::fs::create_dir(tree.path().join("all/broken/.git")).unwrap();
    tree.write("all/gone/Dockerfile", LEGACY.as_bytes());
    tree.write("all/gone/.git", b"gitdir: /no/where\n");
    let run = tree.run(&["batch", "--branch", "r", "all"]);
    assert_eq!(run.status, 2);
    let out = String::from_utf8(run.out).unwrap();
    for line in [
        "failed  broken: git: not a git repository",
        "clean   empty: 0 Dockerfiles\n",
        "failed  gone: git: not a git repository: /no/where\n",
        "changed odd: 2 Dockerfiles, 1 file to change: ",
        "; 1 file with an error, see the report\n",
    ] {
        assert!(out.contains(line), "{line}: {out}");
    }
    assert!(tree.read("restage-batch/report.html").contains("this looks like a template"));
}

#[test]
fn apply_writes_what_the_patch_says_and_refuses_a_dirty_work_tree() {
    let tree = checkouts(&[("a", &[("Dockerfile", LEGACY)]), ("b", &[("Dockerfile", LEGACY)])]);
    tree.write("all/b/notes", b"mine");
    let run = tree.run(&["batch", "--apply", "all"]);
    assert_eq!(run.status, 2);
    assert!(rows(&tree)[1].2.contains("has changes of its own"), "{:?}", rows(&tree));
    assert_eq!(tree.read("all/b/Dockerfile"), LEGACY);
    let applied = tree.read("all/a/Dockerfile");
    git(&tree, "all/a", &["checkout", "-q", "."]);
    tree.pipe("git", &["-C", tree.path().join("all/a").to_str().unwrap(), "apply", "-"], &tree.bytes("restage-batch/patches/a.patch"));
    assert_eq!(tree.read("all/a/Dockerfile"), applied);
    let run = tree.run(&["batch", "--apply", "--dirty", "all"]);
    assert_eq!(run.status, 0, "{}", run.err);
    assert_eq!(tree.read("all/b/Dockerfile"), applied);
    assert_eq!(tree.read("all/b/notes"), "mine");
}

#[test]
fn branch_leaves_the_checkout_as_it_is() {
    let tree = checkouts(&[("a", &[("Dockerfile", LEGACY), ("run.sh", "true\n")]), ("b", &[("Dockerfile", CLEAN)])]);
    // A hook that would stop any commit or checkout, and work in progress of all kinds.
    for hook in ["pre-commit", "post-checkout", "commit-msg", "reference-transaction", "post-index-change"] {
        tree.write(&format!("all/a/.git/hooks/{hook}"), b"#!/bin/sh\ntouch \"$GIT_DIR/../hook-ran\"\nexit 1\n");
        let path = tree.path().join(format!("all/a/.git/hooks/{hook}"));
        std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    }
    tree.write("all/a/Dockerfile", b"FROM scratch\n# half a thought\n");
    tree.write("all/a/new", b"untracked");
    let before = (git(&tree, "all/a", &["status", "--porcelain"]), tree.bytes("all/a/.git/index"), tree.bytes("all/a/.git/HEAD"));
    let args = ["batch", "--branch", "restage", "--message", "Restage {repository}\n\n{changes}", "all"];
    let run = tree.run(&args);
    assert_eq!(run.status, 0, "{}{}", run.err, String::from_utf8_lossy(&run.out));
    let after = (git(&tree, "all/a", &["status", "--porcelain"]), tree.bytes("all/a/.git/index"), tree.bytes("all/a/.git/HEAD"));
    assert!(before == after && !exists(&tree, "all/a/hook-ran"));
    assert_eq!(tree.read("all/a/Dockerfile"), "FROM scratch\n# half a thought\n");
    assert_eq!(git(&tree, "all/a", &["rev-parse", "restage^"]), git(&tree, "all/a", &["rev-parse", "main"]));
    assert_eq!(git(&tree, "all/a", &["diff", "--name-only", "main", "restage"]), "Dockerfile");
    let message = git(&tree, "all/a", &["log", "-1", "--format=%B", "restage"]);
    assert!(message.starts_with("Restage a\n\n- Dockerfile:2: "), "{message}");
    assert_eq!(git(&tree, "all/a", &["branch", "--list", "restage"]).trim(), "restage");
    assert_eq!(git(&tree, "all/b", &["branch", "--list", "restage"]), "", "nothing to do, no branch");
    assert_eq!(report(&tree)["repositories"][0]["commit"], git(&tree, "all/a", &["rev-parse", "restage"]));
    assert_eq!(tree.run(&args).status, 0, "the branch is there with this very content");
    git(&tree, "all/a", &["branch", "-q", "-f", "restage", "main"]);
    assert_eq!(tree.run(&args).status, 2);
    assert!(rows(&tree)[0].2.contains("other content"), "{:?}", rows(&tree));
}

#[test]
fn the_commit_keeps_modes_line_ends_and_new_files() {
    let tree =
        checkouts(&[("a", &[(".gitattributes", "Dockerfile text eol=crlf\n"), ("Dockerfile", LEGACY), ("sub dir/ü.Dockerfile", LEGACY)])]);
    git(&tree, "all/a", &["update-index", "--chmod=+x", "Dockerfile"]);
    git(&tree, "all/a", &["commit", "-q", "-m", "mode"]);
    let run = tree.run(&["batch", "--branch", "x", "all"]);
    assert_eq!(run.status, 0, "{}", run.err);
    let raw = git(&tree, "all/a", &["diff", "--raw", "main", "x"]);
    assert!(raw.contains(":100755 100755") && raw.contains(":100644 100644") && raw.lines().count() == 2, "{raw}");
    assert!(!git(&tree, "all/a", &["show", "x:Dockerfile"]).contains('\r'), "the repository keeps its own line ends");
}

#[test]
fn urls_are_fetched_by_git_and_tell_no_secret() {
    let tree = checkouts(&[("o/a", &[("Dockerfile", LEGACY)])]);
    let url = format!("file://user:sesame@{}", tree.path().join("all/o/a").display());
    assert_eq!(tree.run(&["batch", "--cache", "cache", &url]).status, 1);
    let nowhere = tree.run(&["batch", "--cache", "cache", "https://user:sesame@127.0.0.1:1/o/n.git?token=sesame"]);
    assert_eq!(nowhere.status, 2);
    assert!(!nowhere.err.contains("sesame") && !String::from_utf8_lossy(&nowhere.out).contains("sesame"));
    let url = format!("file://{}", tree.path().join("all/o/a").display());
    let run = tree.run(&["batch", "--cache", "cache", &url]);
    assert_eq!(run.status, 1, "{}", run.err);
    assert_eq!(rows(&tree)[0].0, "o/a");
    // Updated on the next run.
    tree.write("all/o/a/Dockerfile", CLEAN.as_bytes());
    git(&tree, "all/o/a", &["commit", "-q", "-a", "-m", "second"]);
    assert_eq!(tree.run(&["batch", "--cache", "cache", &url]).status, 0);
    tree.write("all/o/a/Dockerfile", LEGACY.as_bytes());
    git(&tree, "all/o/a", &["commit", "-q", "-a", "-m", "third"]);
    let run = tree.run(&["batch", "--cache", "cache", "--branch", "new", "--exec", "git log --format=%s new", &url]);
    assert_eq!(run.status, 0, "{}", run.err);
    assert_eq!(git(&tree, "all/o/a", &["branch", "--list", "new"]), "", "the branch is in the cache, not where it came from");
    let log = tree.read("restage-batch/logs/o__a.log");
    assert_eq!(log, "Restage 1 file\nthird\n", "one commit deep");
    for entry in walk(tree.path()) {
        let text = String::from_utf8_lossy(&std::fs::read(&entry).unwrap()).into_owned();
        assert!(!text.contains("sesame"), "{}", entry.display());
    }
}

fn walk(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut out = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        if entry.file_type().unwrap().is_dir() { out.extend(walk(&entry.path())) } else { out.push(entry.path()) }
    }
    out
}

#[test]
fn a_manifest_sets_what_each_repository_needs() {
    let tree = checkouts(&[("a", &[("Dockerfile", LEGACY)]), ("b", &[("Dockerfile", LEGACY)])]);
    git(&tree, "all/a", &["checkout", "-q", "-b", "dev"]);
    tree.write("all/a/Dockerfile", CLEAN.as_bytes());
    git(&tree, "all/a", &["commit", "-q", "-a", "-m", "dev"]);
    tree.write(
        "all/m.toml",
        b"[[repository]]\npath = \"a\"\nname = \"old\"\nbranch = \"main\"\n\n[[repository]]\npath = \"a\"\n\n[[repository]]\npath = \"b\"\nselect = [\"modernize\"]\n",
    );
    let run = tree.run(&["batch", "--manifest", "all/m.toml"]);
    assert_eq!(run.status, 1, "{}", run.err);
    let status: Vec<(String, String)> = rows(&tree).into_iter().map(|r| (r.0, r.1)).collect();
    let of = |name: &str, status: &str| (name.to_owned(), status.to_owned());
    assert_eq!(status, [of("old", "changed"), of("a", "clean"), of("b", "clean")]);
    tree.write("all/m.toml", b"[[repository]]\npath = \"a\"\nbrnch = \"main\"\n");
    let run = tree.run(&["batch", "--manifest", "all/m.toml"]);
    assert_eq!(run.status, 2);
    assert!(run.err.contains("m.toml:3") && run.err.contains("did you mean `branch`"), "{}", run.err);
}

#[test]
fn a_manifest_names_recipes() {
    let tree = checkouts(&[("a", &[("Dockerfile", LEGACY)]), ("b", &[("Dockerfile", LEGACY)]), ("c", &[("Dockerfile", LEGACY)])]);
    let recipe = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/recipes/internal-registry.toml")).unwrap();
    tree.write("recipes.toml", recipe.as_bytes());
    tree.write("strict.toml", b"recipes = [\"recipes.toml\"]\n");
    let manifest = "[[repository]]\npath = \"all/a\"\nselect = [\"internal-registry\"]\n\n[[repository]]\npath = \"all/b\"\nignore = [\"internal-registry\"]\n";
    tree.write("m.toml", manifest.as_bytes());
    let run = tree.run(&["batch", "--manifest", "m.toml"]);
    assert_eq!(run.status, 2, "nobody knows the recipe");
    assert!(run.err.contains("m.toml:3: there is no transform or group `internal-registry`"), "{}", run.err);
    let run = tree.run(&["batch", "--manifest", "m.toml", "--recipe", "recipes.toml"]);
    assert_eq!(run.status, 1, "{}", run.err);
    let patches = [tree.read("restage-batch/patches/a.patch"), tree.read("restage-batch/patches/b.patch")];
    assert!(patches[0].contains("+FROM registry.example.com/library/debian") && !patches[0].contains("&&"), "{}", patches[0]);
    assert!(!patches[1].contains("registry.example.com") && patches[1].contains("&&"), "{}", patches[1]);
    // The recipe of the repository's own settings, and a slip of the pen.
    let own = "[[repository]]\npath = \"all/c\"\nconfig = \"strict.toml\"\nselect = [\"internal-registry\"]\n";
    tree.write("m.toml", own.as_bytes());
    assert_eq!(tree.run(&["batch", "--manifest", "m.toml"]).status, 1);
    assert!(tree.read("restage-batch/patches/c.patch").contains("+FROM registry.example.com/library/debian"));
    tree.write("m.toml", own.replace("internal-registry", "internal-registri").as_bytes());
    let run = tree.run(&["batch", "--manifest", "m.toml"]);
    assert!(run.err.contains("m.toml:4: ") && run.err.contains("did you mean `internal-registry`?"), "{}", run.err);
}

#[test]
fn the_command_knows_what_happened() {
    let tree = checkouts(&[("a", &[("x/Dockerfile", LEGACY)]), ("b", &[("Dockerfile", CLEAN)]), ("c", &[("Dockerfile", LEGACY)])]);
    let command = "echo \"$REPOSITORY|$BRANCH|$CHANGED|$DRY_RUN|$(basename \"$PWD\")|$(head -1 \"$BODY\")|$(wc -l <\"$PATCH\")\"; read x || echo no input; test $REPOSITORY != c";
    let run = tree.run(&["batch", "--branch", "r", "--dry-run", "--exec", command, "all"]);
    assert_eq!(run.status, 2);
    let log = tree.read("restage-batch/logs/a.log");
    assert!(log.starts_with("a|r|x/Dockerfile|true|a|restage changes 1 file here.|"), "{log}");
    assert!(log.ends_with("no input\n"), "{log}");
    assert!(!exists(&tree, "restage-batch/logs/b.log"), "nothing changed, nothing is run");
    assert_eq!(git(&tree, "all/a", &["branch", "--list", "r"]), "");
    assert!(rows(&tree)[2].2.contains("status 1"), "{:?}", rows(&tree));
    // Only what failed is tried again.
    let run = tree.run(&["batch", "--branch", "r", "--dry-run", "--exec", command, "--retry", "all"]);
    assert_eq!(run.status, 2);
    assert!(run.err.contains("2 of 3 repositories are done"), "{}", run.err);
}

#[test]
fn only_exclude_and_limit() {
    let tree = checkouts(&[("o/a", &[("Dockerfile", LEGACY)]), ("o/b", &[("Dockerfile", LEGACY)]), ("p/c", &[("Dockerfile", LEGACY)])]);
    let names = |args: &[&str]| {
        tree.run(&[&["batch", "all"], args].concat());
        rows(&tree).into_iter().map(|r| r.0).collect::<Vec<_>>()
    };
    assert_eq!(names(&["--only", "o/*"]), ["o/a", "o/b"]);
    assert_eq!(names(&["--exclude", "*/b"]), ["o/a", "p/c"]);
    assert_eq!(names(&["--limit", "1", "--jobs", "1"]), ["o/a"]);
    assert_eq!(tree.run(&["batch", "all", "--only", "{"]).status, 2);
    let nothing = tree.run(&["batch", "all", "--only", "q/*"]);
    assert!(nothing.status == 2 && nothing.err.contains("leave nothing of the 3 repositories"), "{}", nothing.err);
    let name = tree.run(&["batch", "all", "--branch", "a b"]);
    assert!(name.status == 2 && name.err.contains("--branch: `a b` is no name for a branch"), "{}", name.err);
    assert_eq!(tree.run(&["batch", "all", "--branch", "x", "--message", "{nonsense}"]).status, 2);
}

/// Kills runs at many moments, goes on each time, and looks whether anything is lost, done twice or half-written.
fn killed_and_resumed(mode: &[&str], expect_branch: bool) {
    const NUMBER: usize = 12;
    let tree = Tree::new(&[]);
    let path = |i: usize| format!("all/r{i:02}");
    for i in 0..NUMBER {
        for file in ["Dockerfile", "a/Dockerfile", "b/Dockerfile"] {
            tree.write(&format!("{}/{file}", path(i)), LEGACY.as_bytes());
        }
        commit(&tree, &path(i));
    }
    let log = tree.path().join("log");
    let exec = format!("echo $REPOSITORY >> {}", log.display());
    let args = [&["batch", "all", "--jobs", "2", "--exec", exec.as_str()], mode].concat();
    let mut kills = 0u64;
    // Moments that a generator without a seed from outside picks: the same in each run of the test.
    let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
    let finished = loop {
        let mut child = Command::new(env!("CARGO_BIN_EXE_restage"))
            .args(&args)
            .current_dir(tree.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        std::thread::sleep(Duration::from_millis(5 + (state >> 33) % (60 + 20 * kills)));
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        child.kill().unwrap();
        let status = child.wait().unwrap();
        kills += 1;
        if std::fs::read_to_string(tree.path().join("restage-batch/journal.ndjson")).is_ok_and(|j| j.contains("\"end\"")) {
            // It came to its end just before it was killed; the next run would be another one.
            break status;
        }
        // Each file is the old one or the new one.
        for i in 0..NUMBER {
            for file in ["Dockerfile", "a/Dockerfile", "b/Dockerfile"] {
                let text = tree.read(&format!("{}/{file}", path(i)));
                assert!(text == LEGACY || text.ends_with("CMD [\"curl\"]\n"), "{text}");
            }
        }
        if kills == 30 {
            let status = Command::new(env!("CARGO_BIN_EXE_restage")).args(&args).current_dir(tree.path()).output().unwrap().status;
            break status;
        }
    };
    assert!(kills >= 3, "the run is over too soon to be killed ({kills})");
    std::thread::sleep(Duration::from_millis(200));
    let rows = rows(&tree);
    assert_eq!(rows.len(), NUMBER);
    let interrupted = rows.iter().filter(|r| r.2.contains("was killed while the command ran")).count();
    assert_eq!(rows.iter().filter(|r| r.1 == "changed").count() + interrupted, NUMBER, "{rows:?} {finished}");
    // The command ran once for each repository that says so, never twice.
    let log = std::fs::read_to_string(&log).unwrap_or_default();
    let mut ran: Vec<&str> = log.lines().collect();
    ran.sort_unstable();
    let all = ran.len();
    ran.dedup();
    assert_eq!(ran.len(), all, "a command was run twice");
    assert!(all + interrupted >= NUMBER);
    for i in 0..NUMBER {
        if expect_branch {
            assert_eq!(git(&tree, &path(i), &["rev-parse", "restage^"]), git(&tree, &path(i), &["rev-parse", "main"]));
            assert_eq!(git(&tree, &path(i), &["diff", "--name-only", "main", "restage"]).lines().count(), 3);
            assert_eq!(git(&tree, &path(i), &["status", "--porcelain"]), "");
        } else {
            assert_eq!(git(&tree, &path(i), &["diff", "--name-only"]).lines().count(), 3);
            assert_eq!(git(&tree, &path(i), &["ls-files", "-o"]), "", "nothing is left lying about");
        }
    }
    println!("{kills} kills, {interrupted} interrupted commands");
}

#[test]
fn a_killed_diff_ends_as_one_that_nobody_disturbed() {
    let names: Vec<String> = (0..25).map(|i| format!("r{i:02}")).collect();
    let files: Vec<(&str, &[(&str, &str)])> =
        names.iter().map(|n| (n.as_str(), &[("Dockerfile", LEGACY), ("b/Dockerfile", CLEAN), ("c/Dockerfile", LEGACY)][..])).collect();
    let tree = checkouts(&files);
    let began = std::time::Instant::now();
    assert_eq!(tree.run(&["batch", "all", "--output", "calm"]).status, 1);
    let took = began.elapsed();
    let mut kills = 0;
    for part in [0.1, 0.5, 0.3, 0.7, 0.2, 0.4] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_restage"))
            .args(["batch", "all", "--output", "killed"])
            .current_dir(tree.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(took.mul_f64(part));
        child.kill().unwrap();
        kills += usize::from(child.wait().unwrap().code().is_none());
        if std::fs::read_to_string(tree.path().join("killed/journal.ndjson")).is_ok_and(|j| j.contains("\"end\"")) {
            break;
        }
    }
    assert!(kills >= 1);
    tree.run(&["batch", "all", "--output", "killed"]);
    let told = |folder: &str| serde_json::from_slice::<serde_json::Value>(&tree.bytes(&format!("{folder}/report.json"))).unwrap();
    assert_eq!(told("killed"), told("calm"));
    let listed = |folder: &str| {
        let mut all: Vec<_> =
            walk(&tree.path().join(folder)).iter().map(|p| p.strip_prefix(tree.path().join(folder)).unwrap().to_owned()).collect();
        all.sort();
        all
    };
    assert_eq!(listed("killed"), listed("calm"), "nothing half-written is left");
    for patch in walk(&tree.path().join("calm/patches")) {
        let other = tree.path().join("killed/patches").join(patch.file_name().unwrap());
        assert_eq!(std::fs::read(&patch).unwrap(), std::fs::read(other).unwrap());
    }
}

#[test]
fn a_killed_apply_goes_on() {
    killed_and_resumed(&["--apply"], false);
}

#[test]
fn a_killed_branch_goes_on() {
    killed_and_resumed(&["--branch", "restage"], true);
}

#[test]
fn a_run_with_other_options_does_not_go_on_with_this_one() {
    let tree = checkouts(&[("a", &[("Dockerfile", LEGACY)])]);
    assert_eq!(tree.run(&["batch", "all"]).status, 1);
    // As if the run had been killed before its last line.
    let journal = tree.read("restage-batch/journal.ndjson");
    let cut = journal.lines().next().unwrap().to_owned() + "\n{\"step\":\"ex";
    tree.write("restage-batch/journal.ndjson", cut.as_bytes());
    let run = tree.run(&["batch", "all", "--apply"]);
    assert_eq!(run.status, 2);
    assert!(run.err.contains("--fresh"), "{}", run.err);
    assert_eq!(tree.read("all/a/Dockerfile"), LEGACY);
    assert_eq!(tree.run(&["batch", "all", "--apply", "--fresh"]).status, 0);
    assert_ne!(tree.read("all/a/Dockerfile"), LEGACY);
}
