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
        (
            "docker/compose.dev.yaml",
            "services: {web: {build: {context: ../src, dockerfile: ../docker/app/Dockerfile, target: app, args: {TOKEN: x}}}}",
            "service web, which builds the stage app, with the arguments TOKEN",
        ),
        (
            "docker-bake.hcl",
            "variable \"TAG\" { default = \"x\" }\ntarget \"base\" {\n  context = \"src\"\n}\ntarget \"app\" {\n  inherits = [\"base\"]\n  dockerfile = \"../docker/app/Dockerfile\"\n  target = \"run\"\n  args = { A = TAG }\n}\n",
            "target app, which builds the stage run, with the arguments A",
        ),
        ("docker-bake.json", "{\"target\":{\"app\":{\"context\":\"src\",\"dockerfile\":\"../docker/app/Dockerfile\"}}}", "target app"),
        (
            "skaffold.yaml",
            "apiVersion: skaffold/v4beta1\nkind: Config\nbuild:\n  artifacts:\n  - image: a/b\n    context: src\n    docker:\n      dockerfile: ../docker/app/Dockerfile\n      target: run\n",
            "artifact a/b, which builds the stage run",
        ),
        (
            ".github/workflows/ci.yml",
            "on: push\njobs:\n  image:\n    runs-on: x\n    steps:\n      - uses: docker/build-push-action@v6\n        with:\n          context: ./src\n          file: docker/app/Dockerfile\n          build-args: |\n            A=1\n            B=2\n",
            "job image, with the arguments A, B",
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

#[test]
fn an_ignore_file_that_is_made_holds_for_what_comes_after() {
    let files = [
        ("Dockerfile", "FROM node:20\nWORKDIR /app\nCOPY . .\nRUN npm ci\nCMD [\"node\", \"server.js\"]\n"),
        ("package.json", "{\"name\": \"a\"}"),
        ("package-lock.json", "{}"),
        ("server.js", "1"),
        ("node_modules/x/index.js", "1"),
    ];
    let tree = Tree::new(&files);
    let select = ["--no-config", "--select", "dockerignore,copy-order"];
    let json = tree.run(&[&["check", "--format", "json"][..], &select].concat());
    let answer: serde_json::Value = serde_json::from_slice(&json.out).unwrap();
    let proposals = answer["files"][0]["proposals"].as_array().unwrap();
    let told: Vec<_> = proposals.iter().map(|p| (p["transform"].as_str().unwrap(), p["group"].as_u64().unwrap())).collect();
    // Modules that are still copied would overwrite what was installed before: the one goes with the other.
    assert_eq!(told, [("dockerignore", 0), ("copy-order", 0)]);
    let rebuild = &answer["files"][0]["rebuild"][0];
    assert_eq!(rebuild["before"]["again"], serde_json::json!(["3/4", "4/4"]));
    assert_eq!(rebuild["after"]["again"], serde_json::json!(["5/5"]));

    let patch = tree.run(&[&["diff"][..], &select].concat());
    assert!(String::from_utf8_lossy(&patch.out).contains("--- /dev/null\n+++ b/.dockerignore\n@@ -0,0 +1 @@\n+node_modules\n"));
    let patched = Tree::new(&files);
    patched.pipe("git", &["apply", "-"], &patch.out);
    assert_eq!(tree.run(&[&["apply"][..], &select].concat()).status, 0);
    for path in ["Dockerfile", ".dockerignore"] {
        assert_eq!(tree.read(path), patched.read(path));
    }
    assert_eq!(tree.read("Dockerfile").lines().nth(2), Some("COPY package*.json ./"));
    assert_eq!(tree.run(&[&["diff"][..], &select].concat()).out, b"");

    // Alone, or where the ignore file may not be changed, the copy stays where it is.
    let alone = Tree::new(&files);
    assert_eq!(alone.run(&["diff", "--no-config", "--select", "copy-order"]).out, b"");
    assert_eq!(alone.run(&[&["diff", "--safe"][..], &select].concat()).out, b"");
}

#[test]
fn two_dockerfiles_of_one_context_want_each_line_once() {
    let copies = |run: &str| format!("FROM node:20\nWORKDIR /app\nCOPY . .\nRUN npm ci\nRUN {run}\nCMD [\"node\", \"server.js\"]\n");
    let tree = Tree::new(&[
        ("Dockerfile", &copies("a")),
        ("Dockerfile.dev", &copies("b")),
        ("package.json", "{}"),
        ("node_modules/x/index.js", "1"),
        (".git/HEAD", "1"),
        (".dockerignore", "docs"),
    ]);
    tree.run(&["apply", "--no-config", "--select", "dockerignore"]);
    assert_eq!(tree.read(".dockerignore"), "docs\n.git\nnode_modules\n");
}
