//! Which build context a Dockerfile has, through the binary.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::Tree;

/// What `check -v` says of the context of `docker/app/Dockerfile`, whose sources are in `src` as well as beside it.
fn said(file: &str, text: &str) -> String {
    let tree = Tree::new(&[
        ("docker/app/Dockerfile", "FROM debian:bookworm\nCOPY main.py /\nCMD [\"python3\", \"/main.py\"]\n"),
        ("docker/app/main.py", ""),
        ("src/main.py", ""),
        (".git/HEAD", "ref: refs/heads/main\n"),
    ]);
    if !file.is_empty() {
        tree.write(file, text.as_bytes());
    }
    let out = String::from_utf8(tree.run(&["check", "-v", "docker/app/Dockerfile"]).out).unwrap();
    let root = tree.path().canonicalize().unwrap();
    let line = out.lines().find(|l| l.contains(": build context ")).unwrap_or_else(|| panic!("{out}"));
    line.replace(&format!("{}/", root.display()), "").split(": build context ").nth(1).unwrap().to_owned()
}

#[test]
fn what_the_project_declares_goes_before_what_can_be_guessed() {
    assert_eq!(said("", ""), "docker/app");
    for (file, text, by) in [
        (
            "docker-compose.yml",
            "services:\n  web:\n    build:\n      context: ${DIR:-./src}\n      dockerfile: ../docker/app/Dockerfile\n",
            "service web",
        ),
        ("docker/compose.dev.yaml", "services: {web: {build: {context: ../src, dockerfile: ../docker/app/Dockerfile}}}", "service web"),
        (
            "docker-bake.hcl",
            "variable \"TAG\" { default = \"x\" }\ntarget \"base\" {\n  context = \"src\"\n}\ntarget \"app\" {\n  inherits = [\"base\"]\n  dockerfile = \"../docker/app/Dockerfile\"\n  args = { A = TAG }\n}\n",
            "target app",
        ),
        ("docker-bake.json", "{\"target\":{\"app\":{\"context\":\"src\",\"dockerfile\":\"../docker/app/Dockerfile\"}}}", "target app"),
        (
            "skaffold.yaml",
            "apiVersion: skaffold/v4beta1\nkind: Config\nbuild:\n  artifacts:\n  - image: a/b\n    context: src\n    docker:\n      dockerfile: ../docker/app/Dockerfile\n",
            "artifact a/b",
        ),
        (
            ".github/workflows/ci.yml",
            "on: push\njobs:\n  image:\n    runs-on: x\n    steps:\n      - uses: docker/build-push-action@v6\n        with:\n          context: ./src\n          file: docker/app/Dockerfile\n",
            "job image",
        ),
    ] {
        assert_eq!(said(file, text), format!("src (says {}, {by})", file.trim_start_matches("docker/")), "{file}");
    }
}

#[test]
fn what_can_not_be_told_or_does_not_fit_is_left_out() {
    for (file, text) in [
        ("docker-compose.yml", "services:\n  web:\n    build:\n      context: ${DIR}\n      dockerfile: x\n"),
        ("docker-compose.yml", "services:\n  web:\n    build: https://git.example.com/a/b.git\n"),
        ("docker-compose.yml", "services:\n  web:\n    build: nothing\n"),
        ("docker-compose.yml", "services: [\n"),
        ("docker-compose.yml", "services:\n  web:\n    image: x\n    build:\n      context: .\n      dockerfile_inline: FROM a\n"),
        // The context that is declared lacks a source; the nearest that has it counts.
        ("docker-compose.yml", "services:\n  web:\n    build:\n      context: .\n      dockerfile: docker/app/Dockerfile\n"),
        ("docker-bake.hcl", "target \"app\" {"),
        ("skaffold.yaml", "- a\n- b\n"),
        (
            ".github/workflows/ci.yml",
            "jobs:\n  a:\n    steps:\n      - uses: docker/build-push-action@v6\n        with: {context: '${{ matrix.x }}'}\n",
        ),
    ] {
        assert_eq!(said(file, text), "docker/app", "{text}");
    }
}
