//! The command line through the binary.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::{CLEAN, LEGACY, Tree};
use std::process::Command;

#[test]
fn exit_statuses() {
    let tree = Tree::new(&[("old/Dockerfile", LEGACY), ("clean/Dockerfile", CLEAN), ("none/readme", "")]);
    for (args, status) in [
        (&["diff", "clean"][..], 0),
        (&["diff", "old"], 1),
        (&["check", "old"], 1),
        (&["check", "clean"], 0),
        (&["diff", "none"], 0),
        (&["diff", "missing"], 2),
        (&["check", "old", "missing"], 2),
        (&["diff", "--select", "nonsense", "old"], 2),
        (&["diff", "--no-such-option"], 2),
        (&["explain", "nonsense"], 2),
        (&["list"], 0),
        (&["explain", "merge-run"], 0),
        (&["apply", "old"], 0),
        (&["diff", "old"], 0),
    ] {
        assert_eq!(tree.run(args).status, status, "{args:?}");
    }
}

#[test]
fn diff_is_the_default_command() {
    let tree = Tree::new(&[("Dockerfile", LEGACY)]);
    let named = tree.run(&["diff"]);
    assert!(!named.out.is_empty());
    assert_eq!(tree.run(&[]).out, named.out);
    assert_eq!(tree.run(&["Dockerfile"]).out, named.out);
}

#[test]
fn no_dockerfile_is_a_note() {
    let run = Tree::new(&[("readme", "")]).run(&["diff"]);
    assert_eq!((run.status, run.out.as_slice()), (0, &b""[..]));
    assert!(run.err.contains("no Dockerfile found"));
}

#[test]
fn what_diff_shows_is_what_apply_writes() {
    let variants = [
        ("lf/Dockerfile", LEGACY.to_owned()),
        ("crlf/Dockerfile", LEGACY.replace('\n', "\r\n")),
        ("no-eol/Dockerfile", LEGACY.trim_end().to_owned()),
        ("bom/Dockerfile", format!("\u{feff}{LEGACY}")),
        ("non-ascii/Dockerfile", LEGACY.replace("FROM", "# für \u{2028}später\nFROM")),
        ("lone-cr/Dockerfile", LEGACY.replace("FROM", "# a\rb\nFROM")),
        ("sp ace/ümlaut/app.Dockerfile", LEGACY.to_owned()),
    ];
    let files: Vec<(&str, &str)> = variants.iter().map(|(p, t)| (*p, t.as_str())).collect();
    let (patched, applied) = (Tree::new(&files), Tree::new(&files));
    let patch = patched.run(&["diff", "-q"]);
    assert_eq!(patch.status, 1);
    assert!(!String::from_utf8_lossy(&patch.out).contains("diff --git"));
    patched.pipe("git", &["apply", "--whitespace=nowarn", "-"], &patch.out);
    assert_eq!(applied.run(&["apply"]).status, 0);
    for (path, text) in &files {
        assert_ne!(applied.read(path), *text, "{path}");
        assert_eq!(applied.read(path), patched.read(path), "{path}");
    }
    assert_eq!(applied.run(&["diff"]).status, 0, "a second run changes nothing");
    let crlf = applied.read("crlf/Dockerfile");
    assert_eq!(crlf.matches('\n').count(), crlf.matches("\r\n").count());
    assert!(!applied.read("no-eol/Dockerfile").ends_with('\n'));
}

#[test]
fn paths_are_relative_to_where_the_diff_is_applied() {
    let tree = Tree::new(&[("a/b/Dockerfile", LEGACY)]);
    let text = |args: &[&str]| String::from_utf8(tree.run(args).out).unwrap();
    assert!(text(&["diff"]).starts_with("--- a/a/b/Dockerfile\n+++ b/a/b/Dockerfile\n@@"));
    assert!(text(&["diff", "./a/../a/b"]).starts_with("--- a/a/b/Dockerfile\n"));
    assert!(text(&["diff", "--relative-to", "a"]).starts_with("--- a/b/Dockerfile\n"));
    let absolute = tree.path().join("a/b/Dockerfile");
    assert!(text(&["diff", absolute.to_str().unwrap()]).starts_with("--- a/a/b/Dockerfile\n"));
}

#[test]
fn every_proposal_has_a_line_on_standard_error() {
    let run = Tree::new(&[("Dockerfile", LEGACY)]).run(&["diff"]);
    assert!(run.err.lines().any(|l| l.starts_with("Dockerfile:2: merge-run (")), "{}", run.err);
    assert!(!Tree::new(&[("Dockerfile", LEGACY)]).run(&["diff", "-q"]).err.contains("merge-run"));
}

#[test]
fn standard_input_goes_to_standard_output() {
    let tree = Tree::new(&[]);
    let run = tree.run_with(&["apply", "-q", "-"], LEGACY.as_bytes());
    assert_eq!(run.status, 0);
    let text = String::from_utf8(run.out).unwrap();
    assert!(text.starts_with("FROM debian:bookworm\nRUN apt-get update") && text != LEGACY, "{text}");
    assert_eq!(tree.run_with(&["diff", "-"], LEGACY.as_bytes()).status, 1);
    // A filter gives back what it can't improve.
    assert_eq!(tree.run_with(&["apply", "-"], b"nonsense\n").out, b"nonsense\n");
    assert_eq!(tree.run_with(&["apply", "-"], CLEAN.as_bytes()).out, CLEAN.as_bytes());
}

#[test]
fn one_bad_file_never_stops_the_others() {
    let tree = Tree::new(&[
        ("a/Dockerfile", "FROM a\n{{ range .Things }}\nRUN b\n"),
        ("c/Dockerfile", LEGACY),
        ("d/Dockerfile", "FRMO x\n"),
        ("e/Dockerfile", ""),
    ]);
    tree.write("b/Dockerfile", b"FROM a\nRUN echo \xff\n");
    let run = tree.run(&["apply"]);
    assert_eq!(run.status, 0, "{}", run.err);
    assert_ne!(tree.read("c/Dockerfile"), LEGACY);
    assert!(run.err.contains("a/Dockerfile:2") && run.err.contains("template"), "{}", run.err);
    assert!(run.err.contains("b/Dockerfile:2") && run.err.contains("UTF-8"), "{}", run.err);
    assert!(run.err.contains("d/Dockerfile"), "{}", run.err);
    assert_eq!(tree.run(&["apply", "--strict"]).status, 2);
    for named in ["a/Dockerfile", "b/Dockerfile", "d/Dockerfile"] {
        assert_eq!(tree.run(&["diff", named]).status, 2, "{named}");
    }
    assert_eq!(tree.bytes("b/Dockerfile"), b"FROM a\nRUN echo \xff\n");
    assert_eq!(tree.read("a/Dockerfile"), "FROM a\n{{ range .Things }}\nRUN b\n");
}

#[test]
fn diagnostics_point_at_the_line() {
    let run = Tree::new(&[("Dockerfile", "FROM a\nRNU b\n")]).run(&["check", "Dockerfile"]);
    assert_eq!(run.status, 2);
    assert!(run.err.contains("Dockerfile:2:1") && run.err.contains("RNU b") && run.err.contains('^'), "{}", run.err);
}

#[test]
fn enormous_lines_and_files_are_refused_in_a_moment() {
    let tree = Tree::new(&[("line/Dockerfile", &format!("FROM a\nRUN {}\n", "x".repeat(10_000_000))), ("ok/Dockerfile", LEGACY)]);
    tree.write("file/Dockerfile", &b"RUN true\n".repeat(2_000_000));
    let run = tree.run(&["diff"]);
    assert_eq!(run.status, 1, "{}", run.err);
    assert!(run.err.contains("line/Dockerfile:2") && run.err.contains("file/Dockerfile"), "{}", run.err);
    assert!(run.err.len() < 4000);
}

#[test]
#[cfg(unix)]
fn a_link_out_of_the_tree_is_not_followed_and_the_rest_is_done() {
    use std::os::unix::fs::symlink;
    let tree = Tree::new(&[("ok/Dockerfile", LEGACY), ("tree/x", "")]);
    let outside = Tree::new(&[("real", LEGACY)]);
    symlink(outside.path().join("real"), tree.path().join("tree/Dockerfile")).unwrap();
    symlink("nowhere", tree.path().join("tree/Dockerfile.gone")).unwrap();
    let run = tree.run(&["apply"]);
    assert_eq!(run.status, 2);
    assert!(run.err.contains("outside of the folder"), "{}", run.err);
    assert_ne!(tree.read("ok/Dockerfile"), LEGACY);
    assert_eq!(outside.read("real"), LEGACY);
}

#[test]
#[cfg(unix)]
fn what_can_not_be_written_fails_and_leaves_nothing_behind() {
    use std::os::unix::fs::PermissionsExt;
    let tree = Tree::new(&[("file/Dockerfile", LEGACY), ("folder/Dockerfile", LEGACY), ("ok/Dockerfile", LEGACY)]);
    let set = |path: &str, mode| std::fs::set_permissions(tree.path().join(path), PermissionsExt::from_mode(mode)).unwrap();
    set("file/Dockerfile", 0o444);
    set("folder", 0o555);
    // Nothing is read-only to root.
    let bound = std::fs::OpenOptions::new().write(true).open(tree.path().join("file/Dockerfile")).is_err();
    let run = tree.run(&["apply"]);
    set("folder", 0o755);
    assert_eq!(run.status, if bound { 2 } else { 0 }, "{}", run.err);
    for path in ["file", "folder"] {
        assert_eq!(tree.read(&format!("{path}/Dockerfile")) == LEGACY, bound);
        assert_eq!(run.err.contains(&format!("restage: {path}/Dockerfile")), bound, "{}", run.err);
        assert_eq!(std::fs::read_dir(tree.path().join(path)).unwrap().count(), 1);
    }
    assert_ne!(tree.read("ok/Dockerfile"), LEGACY);
}

#[test]
#[cfg(unix)]
fn the_mode_is_kept() {
    use std::os::unix::fs::PermissionsExt;
    let tree = Tree::new(&[("Dockerfile", LEGACY)]);
    let path = tree.path().join("Dockerfile");
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o640)).unwrap();
    tree.run(&["apply"]);
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
}

#[test]
fn the_json_edits_make_the_file_that_apply_writes() {
    let tree = Tree::new(&[("x/Dockerfile", LEGACY), ("bad/Dockerfile", "NO\n")]);
    let run = tree.run(&["check", "--format", "json", "--select", "all", "."]);
    let json: serde_json::Value = serde_json::from_slice(&run.out).unwrap();
    assert_eq!(json["version"], 1);
    let files = json["files"].as_array().unwrap();
    let paths: Vec<&str> = files.iter().map(|f| f["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["./bad/Dockerfile", "./x/Dockerfile"]);
    assert_eq!(files[0]["status"], "error");
    assert!(files[0]["error"]["message"].is_string() && files[0]["error"]["line"] == 1);
    assert_eq!((&files[1]["status"], &files[1]["stages"]), (&"changes".into(), &1.into()));
    assert_eq!(files[1]["sha256"].as_str().unwrap().len(), 64);
    let mut text = LEGACY.to_owned();
    let mut edits: Vec<_> = files[1]["proposals"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|p| p["level"] != "suggest")
        .flat_map(|p| p["edits"].as_array().unwrap().clone())
        .collect();
    edits.sort_by_key(|e| (e["start"].as_u64(), e["end"].as_u64()));
    for e in edits.iter().rev() {
        text.replace_range(e["start"].as_u64().unwrap() as usize..e["end"].as_u64().unwrap() as usize, e["text"].as_str().unwrap());
    }
    tree.run(&["apply", "--select", "all", "x"]);
    assert_eq!(tree.read("x/Dockerfile"), text);
}

#[test]
fn all_formats_print_what_they_promise() {
    let tree = Tree::new(&[("Dockerfile", LEGACY), ("bad/Dockerfile", "NO\n")]);
    let out = |format: &str| String::from_utf8(tree.run(&["check", "--format", format]).out).unwrap();
    let sarif: serde_json::Value = serde_json::from_str(&out("sarif")).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    assert!(sarif["runs"][0]["results"][0]["fixes"][0]["artifactChanges"][0]["replacements"][0]["deletedRegion"]["startLine"].is_u64());
    let lines: Vec<serde_json::Value> = out("ndjson").lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    assert!(out("github").contains("::warning file=Dockerfile,line=2,title=restage merge-run::"));
    assert!(out("github").contains("::error file=bad/Dockerfile,line=1"));
    assert!(out("markdown").contains("## `Dockerfile`"));
}

#[test]
fn colours_only_where_they_are_asked_for() {
    let tree = Tree::new(&[("Dockerfile", LEGACY)]);
    let plain = tree.run(&["diff"]).out;
    assert!(!plain.contains(&0x1b));
    assert!(tree.run(&["diff", "--color", "always"]).out.contains(&0x1b));
    assert_eq!(tree.run(&["diff", "--color", "never"]).out, plain);
}

#[test]
fn settings_are_found_upwards_and_mistakes_told_with_their_line() {
    let tree = Tree::new(&[("restage.toml", "ignore = [\"merge-run\", \"hygiene\"]\n"), ("a/Dockerfile", LEGACY)]);
    assert!(!tree.run(&["diff"]).err.contains("merge-run ("));
    assert!(tree.run(&["diff", "--no-config"]).err.contains("merge-run ("));
    tree.write("restage.toml", b"\nignroe = []\n");
    let run = tree.run(&["diff"]);
    assert_eq!(run.status, 2);
    assert!(run.err.contains("restage.toml:2") && run.err.contains("did you mean `ignore`"), "{}", run.err);
    let config = tree.run(&["config", "--config", "missing.toml"]);
    assert_eq!(config.status, 2);
    std::fs::remove_file(tree.path().join("restage.toml")).unwrap();
    assert_eq!(tree.run(&["init"]).status, 0);
    assert_eq!(tree.run(&["init"]).status, 2);
    assert_eq!(tree.run(&["diff"]).status, 1, "a fresh settings file changes nothing");
}

#[test]
fn a_comment_silences() {
    let text = LEGACY.replace("RUN apt-get install", "# restage: ignore[merge-run] ours\nRUN apt-get install");
    let tree = Tree::new(&[("Dockerfile", &text)]);
    assert!(!tree.run(&["diff", "--select", "merge-run"]).err.contains("merge-run ("));
}

#[test]
fn parse_prints_every_file_back() {
    let tree = Tree::new(&[("Dockerfile", "\u{feff}# escape=`\r\nfrom a\r\nRUN x `\r\n\r\n # c\r\n y\r\n<<EOF\n\tlone \r cr")]);
    assert_eq!(tree.run(&["parse", "--print", "Dockerfile"]).out, tree.bytes("Dockerfile"));
    let json: serde_json::Value = serde_json::from_slice(&tree.run(&["parse", "--format", "ndjson", "--text", "Dockerfile"]).out).unwrap();
    assert_eq!(json["text"].as_str().unwrap().as_bytes(), tree.bytes("Dockerfile"));
}

#[test]
fn completions_and_manual_are_there() {
    let tree = Tree::new(&[]);
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(!tree.run(&["completions", shell]).out.is_empty());
    }
    assert!(String::from_utf8(tree.run(&["man"]).out).unwrap().contains("restage"));
    assert_eq!(tree.run(&["man", "--out", "pages"]).status, 0);
    assert!(tree.path().join("pages/restage-apply.1").exists());
}

#[test]
fn a_reader_that_leaves_early_is_no_failure() {
    let tree = Tree::new(&[]);
    for i in 0..300 {
        tree.write(&format!("{i}/Dockerfile"), LEGACY.as_bytes());
    }
    let script = format!("{} diff 2>/dev/null | head -n 1", env!("CARGO_BIN_EXE_restage"));
    let out = Command::new("sh").arg("-c").arg(script).current_dir(tree.path()).output().unwrap();
    assert!(out.status.success() && out.stdout.starts_with(b"--- a/"));
}

#[test]
fn inspect_says_what_each_line_is_for() {
    let dockerfile = "FROM python:3.11\nENV A=1\nWORKDIR /app\nCOPY requirements.txt .\nRUN apt-get update && apt-get install -y gcc\n\
                      RUN pip install -r requirements.txt\nCOPY . .\nEXPOSE 80\nCMD [\"gunicorn\", \"app:app\"]\n";
    let files = [
        ("app/Dockerfile", dockerfile),
        ("app/requirements.txt", "gunicorn\n"),
        ("app/app.py", "app = 1\n"),
        ("base/Dockerfile", "FROM alpine\n"),
    ];
    let tree = Tree::new(&files);
    let run = tree.run(&["inspect", "app/Dockerfile"]);
    let text = String::from_utf8(run.out).unwrap();
    for part in [
        "stage from python:3.11",
        "split, to run on python:3.11-slim",
        "     2  both   ENV          configuration that the builds see too",
        "     6  build  RUN          builds or installs: pip install -r requirements.txt",
        "     7  run    COPY         read when the program runs",
        "     9  run    CMD          what the container starts",
        "taken over from the builder: /opt/venv",
        "left behind: gcc",
    ] {
        assert!(text.contains(part), "{part:?} is missing in\n{text}");
    }
    let json: serde_json::Value = serde_json::from_slice(&tree.run(&["inspect", "--format", "json", "app/Dockerfile"]).out).unwrap();
    assert_eq!(json["split"]["lines"][3]["stage"], "build");
    let refused = String::from_utf8(tree.run(&["inspect", "base/Dockerfile"]).out).unwrap();
    assert!(refused.contains("not split: no gain: the file starts nothing of its own") && refused.contains("(line 1)"), "{refused}");
}
