//! What needs a terminal: questions, progress, Ctrl-C.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![cfg(unix)]

mod common;

use common::{LEGACY, Tree, commit};
use std::process::{Command, Stdio};
use std::time::Duration;

/// Runs restage on a terminal of its own and answers each question in turn; gives back its status and all that it showed.
fn on_terminal(tree: &Tree, args: &[&str], answers: &str) -> (i32, String) {
    const DRIVER: &str = r"
import os, pty, select, sys, time
answers, command = list(sys.argv[1]), sys.argv[2:]
pid, fd = pty.fork()
if pid == 0:
    os.execv(command[0], command)
shown, asked, end = b'', 0, time.time() + 60
while time.time() < end:
    if select.select([fd], [], [], 0.2)[0]:
        try:
            piece = os.read(fd, 65536)
        except OSError:
            break
        if not piece:
            break
        shown += piece
    while shown.count(b'?]? ') > asked and answers:
        os.write(fd, answers.pop(0).encode() + b'\n')
        asked += 1
_, status = os.waitpid(pid, 0)
sys.stdout.buffer.write(shown)
sys.exit(os.waitstatus_to_exitcode(status) & 255)
";
    let out = Command::new("python3")
        .args(["-c", DRIVER, answers, env!("CARGO_BIN_EXE_restage")])
        .args(args)
        .current_dir(tree.path())
        .env("XDG_STATE_HOME", tree.path().join("state"))
        .env("TERM", "xterm")
        .output()
        .unwrap();
    (out.status.code().unwrap(), format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr)))
}

#[test]
fn review_makes_the_changes_that_are_wanted_and_remembers_the_others() {
    let tree = Tree::new(&[("a/Dockerfile", LEGACY), ("b/Dockerfile", LEGACY)]);
    // Two changes a file: merge-run, then non-root.
    let (status, shown) = on_terminal(&tree, &["review", "a"], "?yn");
    assert_eq!(status, 0, "{shown}");
    assert!(shown.contains("a/Dockerfile:2: merge-run (safe): ") && shown.contains("leave it; it is not asked again"), "{shown}");
    assert!(shown.contains("+    && apt-get install -y curl"), "{shown}");
    let written = tree.read("a/Dockerfile");
    assert!(written.contains("&& rm -rf") && !written.contains("USER"), "{written}");
    let (_, shown) = on_terminal(&tree, &["review", "a"], "");
    assert!(!shown.contains("Make this change"), "the answer is remembered: {shown}");
    let (_, shown) = on_terminal(&tree, &["review", "--again", "a"], "q");
    assert!(shown.contains("non-root"), "{shown}");
    assert_eq!(tree.read("a/Dockerfile"), written);
}

#[test]
fn what_needs_what_was_left_is_not_written() {
    let recipe = |id: &str, rest: &str| {
        format!("[[recipe]]\nid = \"{id}\"\ntitle = \"{id}\"\nreason = \"It is a test.\"\nlevel = \"safe\"\n{rest}\n\n")
    };
    let recipes = recipe("tools", "match.image = 'debian.*'\ndo.insert-before = \"FROM busybox AS tools\\n\"")
        + &recipe("probe", "match.instruction = \"CMD\"\ndo.insert-before = \"COPY --from=tools /bin/true /probe\"");
    let tree = Tree::new(&[("r.toml", &recipes), ("a/Dockerfile", LEGACY), ("b/Dockerfile", LEGACY)]);
    let args = ["review", "--recipe", "r.toml", "--select", "recipes"];
    // The second change copies from the stage that the first one makes.
    let (status, shown) = on_terminal(&tree, &[&args[..], &["a"]].concat(), "ny");
    assert_eq!(status, 2, "{shown}");
    assert!(
        shown.contains("a/Dockerfile: these changes don't go without the others: it copies from `tools`, which is no earlier stage"),
        "{shown}"
    );
    assert_eq!(tree.read("a/Dockerfile"), LEGACY);
    let (status, shown) = on_terminal(&tree, &[&args[..], &["b"]].concat(), "yy");
    assert_eq!(status, 0, "{shown}");
    assert!(tree.read("b/Dockerfile").contains("COPY --from=tools"));
}

#[test]
fn review_takes_an_answer_for_all_of_a_kind() {
    // A folder of checkouts, as a batch has them.
    let tree = Tree::new(&[("a/Dockerfile", LEGACY), ("b/Dockerfile", LEGACY), ("c/Dockerfile", LEGACY)]);
    ["a", "b", "c"].iter().for_each(|name| commit(&tree, name));
    let (status, shown) = on_terminal(&tree, &["review"], "ad");
    assert_eq!((status, shown.matches("?]? ").count()), (0, 2), "{shown}");
    for file in ["a/Dockerfile", "b/Dockerfile", "c/Dockerfile"] {
        let text = tree.read(file);
        assert!(text.contains("&& rm -rf") && !text.contains("USER"), "{text}");
    }
}

#[test]
fn review_without_a_terminal_asks_nothing() {
    let tree = Tree::new(&[("Dockerfile", LEGACY)]);
    let run = tree.run_with(&["review"], b"y\ny\n");
    assert_eq!(run.status, 2);
    assert!(run.err.contains("no terminal"), "{}", run.err);
    assert_eq!(tree.read("Dockerfile"), LEGACY);
}

/// Many checkouts, each with a file to change.
fn checkouts(number: usize) -> Tree {
    let tree = Tree::new(&[]);
    for i in 0..number {
        let name = format!("all/r{i:03}");
        tree.write(&format!("{name}/Dockerfile"), LEGACY.as_bytes());
        commit(&tree, &name);
    }
    tree
}

#[test]
fn progress_is_shown_on_a_terminal_and_nowhere_else() {
    let tree = checkouts(12);
    let slow = ["batch", "all", "--exec", "sleep 0.2", "--jobs", "1"];
    let (status, shown) = on_terminal(&tree, &slow, "");
    assert_eq!(status, 0, "{shown}");
    assert!(shown.contains("/12 repositories, ") && shown.contains("/s, 0:0"), "{shown}");
    let run = tree.run(&["batch", "all", "--exec", "sleep 0.1", "--jobs", "1"]);
    assert!(!run.err.contains("/12 repositories"), "{}", run.err);
}

#[test]
fn ctrl_c_finishes_what_is_being_worked_on_and_the_next_run_goes_on() {
    let tree = checkouts(10);
    let args = ["batch", "all", "--apply", "--exec", "sleep 0.3; echo $REPOSITORY >> ../../log", "--jobs", "1"];
    let mut child = Command::new(env!("CARGO_BIN_EXE_restage"))
        .args(args)
        .current_dir(tree.path())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    while !tree.path().join("log").exists() {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(2));
    let done = tree.read("log").lines().count();
    assert!((1..10).contains(&done), "{done}");
    for i in 0..10 {
        let text = tree.read(&format!("all/r{i:03}/Dockerfile"));
        assert_eq!(text != LEGACY, i < done, "what was begun is finished, the rest is as it was");
    }
    let run = tree.run(&args);
    assert_eq!(run.status, 0, "{}", run.err);
    assert!(run.err.contains(&format!("going on: {done} of 10 repositories are done")), "{}", run.err);
    let log = tree.read("log");
    let names: std::collections::BTreeSet<&str> = log.lines().collect();
    assert_eq!((names.len(), log.lines().count()), (10, 10), "each once");
}
