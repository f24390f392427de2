//! Recipes through the binary.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::{LEGACY, Tree};

const RENAME: &str = r#"
[[recipe]]
id = "netcat"
title = "install netcat-openbsd"
reason = "netcat is a name for it that newer releases do not have."
match.package = "netcat"
do.rename-package = "netcat-openbsd"

[[recipe.test]]
before = "FROM debian\nRUN apt-get update && apt-get install -y netcat curl\n"
after = "FROM debian\nRUN apt-get update && apt-get install -y netcat-openbsd curl\n"

[[recipe]]
id = "no-vim"
title = "install no editor"
reason = "Nobody edits in a container."
match.package = "vim"
do.drop-package = true

[[recipe.test]]
before = "FROM debian\nRUN apt-get update && apt-get install -y \\\n    curl \\\n    vim\n"
after = "FROM debian\nRUN apt-get update && apt-get install -y \\\n    curl\n"

[[recipe.test]]
before = "FROM debian\nRUN apt-get install -y vim\n"

[[recipe]]
id = "no-maintainer-label"
title = "remove the label"
reason = "It is wrong."
match.label = "maintainer"
do.remove = true

[[recipe.test]]
before = "FROM debian\nLABEL maintainer=x\nCMD [\"a\"]\n"
after = "FROM debian\nCMD [\"a\"]\n"

[[recipe]]
id = "proxy"
title = "set the proxy before anything is fetched"
reason = "There is no other way out."
match.instruction = "RUN"
match.flag = "network=host"
do.insert-before = "ENV https_proxy=http://proxy.example:3128"

[[recipe.test]]
before = "FROM debian\r\nRUN --network=host make\r\n"
after = "FROM debian\r\nENV https_proxy=http://proxy.example:3128\r\nRUN --network=host make\r\n"
"#;

#[test]
fn the_recipes_that_come_with_restage_pass_their_tests() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("recipes");
    let files: Vec<String> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path().to_str().unwrap().to_owned()).collect();
    assert!(files.len() >= 4);
    let args: Vec<&str> = ["recipe", "test"].into_iter().chain(files.iter().map(String::as_str)).collect();
    let run = Tree::new(&[]).run(&args);
    let out = String::from_utf8(run.out).unwrap();
    assert_eq!(run.status, 0, "{out}{}", run.err);
    assert_eq!(out.matches(": 2 tests, 0 failed").count(), 4, "{out}");
}

#[test]
fn all_conditions_and_deeds() {
    let tree = Tree::new(&[("r.toml", RENAME)]);
    let run = tree.run(&["recipe", "test", "r.toml"]);
    assert_eq!(run.status, 0, "{}{}", String::from_utf8_lossy(&run.out), run.err);
    tree.write("r.toml", RENAME.replace("install -y netcat-openbsd curl\\n\"", "install -y nc curl\\n\"").as_bytes());
    let run = tree.run(&["recipe", "test", "r.toml"]);
    let out = String::from_utf8(run.out).unwrap();
    assert_eq!(run.status, 1);
    assert!(
        out.contains("netcat: 1 test, 1 failed")
            && out.contains("r.toml:9:")
            && out.contains("+RUN apt-get update && apt-get install -y netcat-openbsd"),
        "{out}"
    );
}

#[test]
fn mistakes_are_told_with_their_line() {
    let tree = Tree::new(&[]);
    let said = |text: &str| {
        tree.write("r.toml", text.as_bytes());
        let run = tree.run(&["recipe", "test", "r.toml"]);
        assert_eq!(run.status, 2, "{text}");
        run.err
    };
    let head = "[[recipe]]\nid = \"a\"\ntitle = \"a\"\nreason = \"a\"\n";
    assert!(said(&format!("{head}match.imag = \"a\"\n")).contains("r.toml:5: there is no condition `imag`; did you mean `image`?"));
    assert!(said(&format!("{head}match.image = \"(\"\ndo.image = \"b\"\n")).contains("r.toml:5: no pattern"));
    assert!(said(&format!("{head}do.image = \"b\"\n")).contains("match.image"));
    assert!(said(&format!("{head}do.remove = true\n")).contains("which instructions are meant"));
    assert!(said(&head.replace("id = \"a\"", "id = \"apt\"")).contains("built in"));
    assert!(said(&format!("{head}match.env = \"X\"\ndo = {{ remove = true, image = \"x\" }}\n")).contains("does one thing"));
}

#[test]
fn recipes_go_the_way_of_all_transforms() {
    let registry = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/recipes/internal-registry.toml")).unwrap();
    let tree = Tree::new(&[("r.toml", &registry), ("Dockerfile", LEGACY), ("base/Dockerfile", "FROM debian:12\nRUN make\n")]);
    let only = |args: &[&str]| {
        let run = tree.run(&[&["diff", "--select", "internal-registry"], args].concat());
        (run.status, String::from_utf8(run.out).unwrap(), run.err)
    };
    assert_eq!(only(&["Dockerfile"]).0, 2, "unknown until the file is named");
    let (status, out, err) = only(&["--recipe", "r.toml", "Dockerfile"]);
    assert_eq!(status, 1, "{err}");
    assert!(out.contains("-FROM debian:bookworm\n+FROM registry.example.com/library/debian:bookworm\n"), "{out}");
    assert!(err.contains("Dockerfile:1: internal-registry (review): take the base image from our registry: "), "{err}");
    // A base image starts nothing of its own; a recipe may still move it.
    assert!(only(&["--recipe", "r.toml", "base/Dockerfile"]).1.contains("+FROM registry.example.com/library/debian:12"));
    tree.write("restage.toml", b"recipes = [\"r.toml\"]\n[catalog]\nmirrors = [\"registry.example.com/library/\"]\n");
    assert!(tree.run(&["diff"]).err.contains("internal-registry (review)"));
    assert!(!tree.run(&["diff", "--ignore", "internal-registry"]).err.contains("internal-registry ("));
    assert!(!tree.run(&["diff", "--safe"]).err.contains("internal-registry ("));
    assert_eq!(tree.run(&["apply"]).status, 0);
    let written = tree.read("Dockerfile");
    assert!(written.starts_with("FROM registry.example.com/library/debian:bookworm\nRUN apt-get update \\\n    && "), "{written}");
    assert_eq!(tree.run(&["diff"]).status, 0, "a second run finds nothing");
    tree.write("Dockerfile", format!("# restage: ignore[recipes] not yet\n{LEGACY}").as_bytes());
    assert!(!tree.run(&["diff"]).err.contains("internal-registry (review)"));
}

#[test]
fn settings_select_and_ignore_recipes_by_their_ids() {
    let registry = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/recipes/internal-registry.toml")).unwrap();
    let tree = Tree::new(&[("r.toml", &registry), ("a/Dockerfile", LEGACY), ("b/Dockerfile", LEGACY)]);
    tree.write("org.toml", b"recipes = [\"r.toml\"]\n");
    tree.write(
        "restage.toml",
        b"extends = \"org.toml\"\nselect = [\"internal-registry\"]\n[per-path.\"b/*\"]\nignore = [\"internal-registry\"]\n",
    );
    let run = tree.run(&["diff"]);
    let out = String::from_utf8(run.out).unwrap();
    assert_eq!(run.status, 1, "{}", run.err);
    assert!(out.contains("b/a/Dockerfile") && !out.contains("b/b/Dockerfile") && !out.contains("apt-get update \\"), "{out}");
    tree.write("restage.toml", b"extends = \"org.toml\"\n[per-path.\"c/*\"]\nignore = [\"internal-registri\"]\n");
    let run = tree.run(&["diff"]);
    assert_eq!(run.status, 2);
    assert!(run.err.contains("restage.toml:3: ") && run.err.contains("internal-registri"), "{}", run.err);
}
