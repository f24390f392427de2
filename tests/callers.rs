//! What runs restage in a workflow: the tools of docs/batch.md, the GitHub Action and pre-commit, each by a stand-in that
//! keeps to the caller's contract.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::{CLEAN, LEGACY, Run, Tree, commit, git};
use std::collections::BTreeMap;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use yaml_rust2::{Yaml, YamlLoader};

/// Runs a script as `bash` or `sh` would be called: with nothing to answer questions and with restage on the path.
fn script(tree: &Tree, folder: &str, shell: &[&str], text: &str, env: &[(&str, &str)]) -> Run {
    let restage = Path::new(env!("CARGO_BIN_EXE_restage")).parent().unwrap();
    let path = format!("{}:{}:{}", tree.path().join("bin").display(), restage.display(), std::env::var("PATH").unwrap());
    let out = Command::new(shell[0])
        .args(&shell[1..])
        .arg("-c")
        .arg(text)
        .current_dir(tree.path().join(folder))
        .env("PATH", path)
        .envs(env.iter().copied())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    Run { status: out.status.code().unwrap_or(-1), out: out.stdout, err: String::from_utf8(out.stderr).unwrap() }
}

/// The command that docs/batch.md tells the users of a tool to have run in each clone.
fn documented(tool: &str) -> String {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/batch.md")).unwrap();
    let row = text.lines().find(|l| l.starts_with(&format!("| {tool} |"))).unwrap_or_else(|| panic!("no row for {tool}"));
    let from = row.find("restage apply").unwrap();
    row[from..].split(['"', '`']).next().unwrap().to_owned()
}

/// Each tool clones a repository, runs the command in it with its own variables, takes an exit status other than 0 for a
/// failure of that repository, and commits whatever differs then; in a dry run it throws the clone away.
#[test]
fn tools_that_run_a_command_in_each_clone() {
    let tools: [(&str, &[(&str, &str)]); 5] = [
        ("multi-gitter", &[("REPOSITORY", "org/app"), ("DRY_RUN", "false")]),
        ("multi-gitter", &[("REPOSITORY", "org/app"), ("DRY_RUN", "true")]),
        ("turbolift", &[]),
        ("git-xargs", &[("XARGS_DRY_RUN", "true"), ("XARGS_REPO_NAME", "app"), ("XARGS_REPO_OWNER", "org")]),
        ("Sourcegraph batch changes", &[]),
    ];
    for (tool, env) in tools {
        let command = documented(tool);
        let tree = Tree::new(&[
            ("changes/Dockerfile", LEGACY),
            ("changes/lib/Dockerfile.txt", "no Dockerfile\n"),
            ("clean/Dockerfile", CLEAN),
            ("clean/a", ""),
            ("template/Dockerfile", "{{ header }}\n"),
            ("wrong/Dockerfile", LEGACY),
            ("wrong/restage.toml", "[transforms.aptt]\n"),
        ]);
        for (name, status, changed) in [("changes", 0, "M Dockerfile"), ("clean", 0, ""), ("template", 0, ""), ("wrong", 2, "")] {
            commit(&tree, name);
            let run = script(&tree, name, &["sh"], &command, env);
            assert_eq!(run.status, status, "{tool}, {name}: {}", run.err);
            assert!(run.out.is_empty(), "{tool}, {name}: {}", String::from_utf8_lossy(&run.out));
            assert_eq!(git(&tree, name, &["status", "--porcelain"]), changed, "{tool}, {name}");
        }
        let text = tree.read("changes/Dockerfile");
        assert_eq!(script(&tree, "changes", &["sh"], &command, env).status, 0);
        assert_eq!(tree.read("changes/Dockerfile"), text, "{tool}: a second run changes it again");
    }
}

fn yaml(path: &str) -> Yaml {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    YamlLoader::load_from_str(&text).unwrap().remove(0)
}

/// A runner for composite actions, as far as this one needs it.
struct Runner {
    tree: Tree,
    values: BTreeMap<String, String>,
    status: i32,
    log: String,
}

impl Runner {
    fn new(dockerfile: &str, inputs: &[(&str, &str)]) -> Self {
        let tree = Tree::new(&[("work/Dockerfile", dockerfile), ("work/a", ""), ("output", ""), ("path", "")]);
        // What the steps call and can't be had here: they write down how they were called.
        for name in ["cargo", "gh"] {
            tree.write(&format!("bin/{name}"), format!("#!/bin/sh\necho {name} \"$@\" >> \"$CALLS\"\n").as_bytes());
            std::fs::set_permissions(tree.path().join("bin").join(name), Permissions::from_mode(0o755)).unwrap();
        }
        tree.write("calls", b"");
        let mut values: BTreeMap<String, String> = BTreeMap::new();
        for (name, input) in yaml("action.yml")["inputs"].as_hash().unwrap() {
            values.insert(format!("inputs.{}", name.as_str().unwrap()), input["default"].as_str().unwrap().to_owned());
        }
        for (name, value) in inputs {
            assert!(values.insert(format!("inputs.{name}"), (*value).to_owned()).is_some(), "no input {name}");
        }
        let known = [
            ("github.action_path", "/restage"),
            ("github.event_name", "pull_request"),
            ("github.event.pull_request.number", "17"),
            ("github.token", "token"),
            ("runner.temp", tree.path().to_str().unwrap()),
        ];
        values.extend(known.map(|(name, value)| (name.to_owned(), value.to_owned())));
        Self { tree, values, status: 0, log: String::new() }
    }

    fn filled(&self, text: &str) -> String {
        let mut out = text.to_owned();
        while let Some((before, rest)) = out.split_once("${{") {
            let (name, behind) = rest.split_once("}}").unwrap();
            let value = self.values.get(name.trim()).unwrap_or_else(|| panic!("{name} is unknown"));
            out = format!("{before}{value}{behind}");
        }
        out
    }

    fn holds(&self, condition: &str) -> bool {
        condition.split("&&").all(|part| {
            let (name, value) = part.split_once("==").unwrap();
            self.values.get(name.trim()).map_or("", String::as_str) == value.trim().trim_matches('\'')
        })
    }

    fn run(mut self) -> Self {
        for step in yaml("action.yml")["runs"]["steps"].as_vec().unwrap() {
            if step["if"].as_str().is_some_and(|c| !self.holds(c)) {
                continue;
            }
            let Some(text) = step["run"].as_str() else {
                self.log +=
                    &format!("uses {} {}\n", step["uses"].as_str().unwrap(), self.filled(step["with"]["sarif_file"].as_str().unwrap()));
                continue;
            };
            assert_eq!(step["shell"].as_str(), Some("bash"));
            let own = |name: &str| self.tree.path().join(name).to_str().unwrap().to_owned();
            let mut env: Vec<(String, String)> =
                [("GITHUB_OUTPUT", "output"), ("GITHUB_PATH", "path"), ("CALLS", "calls"), ("RUNNER_TEMP", "")]
                    .map(|(name, file)| (name.to_owned(), own(file)))
                    .to_vec();
            env.push(("GITHUB_REPOSITORY".to_owned(), "org/app".to_owned()));
            for (name, value) in step["env"].as_hash().into_iter().flatten() {
                env.push((name.as_str().unwrap().to_owned(), self.filled(value.as_str().unwrap())));
            }
            let env: Vec<(&str, &str)> = env.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
            let run = script(&self.tree, "work", &["bash", "--noprofile", "--norc", "-eo", "pipefail"], text, &env);
            self.log += &String::from_utf8(run.out).unwrap();
            let id = step["id"].as_str().unwrap_or("").to_owned();
            for line in self.tree.read("output").lines() {
                let (name, value) = line.split_once('=').unwrap();
                self.values.insert(format!("steps.{id}.outputs.{name}"), value.to_owned());
            }
            self.tree.write("output", b"");
            if run.status != 0 {
                self.status = run.status;
                self.log += &run.err;
                break;
            }
        }
        self
    }

    fn changes(&self) -> &str {
        // The action's own output is written in terms of the step's.
        let output = yaml("action.yml")["outputs"]["changes"]["value"].as_str().unwrap().to_owned();
        &self.values[output.trim_start_matches("${{").trim_end_matches("}}").trim()]
    }
}

#[test]
fn the_action_annotates_and_fails_only_where_it_is_asked_to() {
    let run = Runner::new(LEGACY, &[]).run();
    assert_eq!((run.status, run.changes()), (0, "true"), "{}", run.log);
    assert!(run.log.contains("::warning file=Dockerfile,line=2,"), "{}", run.log);
    let root = run.tree.path().join("restage");
    assert!(run.tree.read("calls").contains("cargo install --quiet --locked --path /restage --root"), "{}", run.tree.read("calls"));
    assert_eq!(Path::new(run.tree.read("path").trim()), root.join("bin"));
    assert!(!run.tree.read("calls").contains("gh "));

    let run = Runner::new(LEGACY, &[("fail", "true")]).run();
    assert_eq!(run.status, 1);
    let run = Runner::new(CLEAN, &[("fail", "true"), ("paths", "Dockerfile ."), ("arguments", "--safe --select apt")]).run();
    assert_eq!((run.status, run.changes()), (0, "false"), "{}", run.log);
    let run = Runner::new(CLEAN, &[("report", "html")]).run();
    assert_eq!(run.status, 2);
    let run = Runner::new(CLEAN, &[("paths", "nowhere")]).run();
    assert_eq!(run.status, 2, "{}", run.log);
}

#[test]
fn the_action_comments_and_uploads() {
    let run = Runner::new(LEGACY, &[("report", "comment")]).run();
    assert_eq!(run.status, 0, "{}", run.log);
    let calls = run.tree.read("calls");
    assert!(calls.contains("gh pr comment 17 --repo org/app"), "{calls}");
    assert!(run.tree.read("restage.md").contains("Dockerfile"));
    let run = Runner::new(CLEAN, &[("report", "comment")]).run();
    assert!(!run.tree.read("calls").contains("gh "), "a comment without anything to say");

    let run = Runner::new(LEGACY, &[("report", "sarif")]).run();
    let file = run.tree.path().join("restage.sarif");
    assert!(run.log.contains(&format!("uses github/codeql-action/upload-sarif@v3 {}", file.display())), "{}", run.log);
    let sarif: serde_json::Value = serde_json::from_slice(&run.tree.bytes("restage.sarif")).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    assert_eq!(sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], "Dockerfile");
}

/// pre-commit hands the names that fit `files` and not `exclude` to `entry`, and fails for a status other than 0.
#[test]
fn the_hooks_of_pre_commit() {
    let tree = Tree::new(&[("Dockerfile", LEGACY), ("clean/api.Dockerfile", CLEAN), ("clean/a", "")]);
    let names = [
        "Dockerfile",
        "dockerfile",
        "a/Dockerfile",
        "Dockerfile.dev",
        "Dockerfile-web",
        "Dockerfile_x",
        "api.Dockerfile",
        "a/web-dockerfile",
        "Containerfile",
        "a/Containerfile.test",
        "Dockerfile.dockerignore",
        "mydockerfile",
        "Dockerfiles",
        "Dockerfile.d/README",
        "a.txt",
    ];
    let hooks = yaml(".pre-commit-hooks.yaml");
    for hook in hooks.as_vec().unwrap() {
        let pattern = |key: &str| regex::Regex::new(hook[key].as_str().unwrap()).unwrap();
        let (files, exclude) = (pattern("files"), pattern("exclude"));
        for name in names {
            let base = name.rsplit('/').next().unwrap();
            let taken = files.is_match(name) && !exclude.is_match(name);
            assert_eq!(taken, restage::context::is_dockerfile_name(base), "{name}");
        }
        let entry = hook["entry"].as_str().unwrap();
        let on = |names: &str| script(&tree, ".", &["sh"], &format!("{entry} {names}"), &[]).status;
        assert_eq!(on("clean/api.Dockerfile"), 0, "{entry}");
        match hook["id"].as_str().unwrap() {
            "restage" => {
                assert_eq!(on("Dockerfile clean/api.Dockerfile"), 1);
                assert_eq!(tree.read("Dockerfile"), LEGACY);
            }
            "restage-apply" => {
                assert_eq!(on("Dockerfile clean/api.Dockerfile"), 0);
                assert_ne!(tree.read("Dockerfile"), LEGACY);
                assert_eq!(tree.read("clean/api.Dockerfile"), CLEAN);
            }
            other => panic!("hook {other} has no test"),
        }
    }
}
