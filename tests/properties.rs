//! What holds for any Dockerfile, tried on generated ones.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::Tree;
use proptest::prelude::*;
use restage::catalog::Catalog;
use restage::config::Options;
use restage::context::{Context, literal_sources};
use restage::edit::{Edit, EditSet};
use restage::pipeline::{self, Outcome, Selection, Settings};
use restage::syntax::Dockerfile;
use restage::transforms;

fn instruction() -> impl Strategy<Value = String> {
    let run = prop::sample::select(vec![
        "apt-get update",
        "apt-get install -y curl git",
        "apt-get update && apt-get install -y --no-install-recommends gcc libpq-dev",
        "rm -rf /var/lib/apt/lists/*",
        "cd /srv && make",
        "make install || true",
        "export A=1; echo $A",
        "set -e; ./configure",
        "pip install -r requirements.txt",
        "pip install --no-cache-dir flask",
        "npm ci",
        "npm run build",
        "go build -o app .",
        "useradd app",
        "chown -R app /app",
        "echo \"é # not a comment\"",
        "apt-get update \\\n    && apt-get install -y curl",
        "apt-get update \\\n# why\n    && apt-get install -y curl \\\n\n    && true",
        "<<EOF\necho a\nEOF",
        "--mount=type=cache,target=/root/.cache pip install x",
        "[\"apt-get\", \"update\"]",
        "echo a # trailing",
        "echo 'unclosed",
        "! false",
        "sleep 1 &",
    ]);
    let other = prop::sample::select(vec![
        "COPY . .",
        "COPY requirements.txt ./",
        "COPY package.json package-lock.json ./",
        "ADD . /app",
        "ADD app.tar.gz /opt",
        "WORKDIR /app",
        "WORKDIR sub",
        "ENV A=b C=\"d e\"",
        "ENV A b",
        "ARG VERSION=1",
        "USER app",
        "USER root",
        "EXPOSE 80",
        "VOLUME /data",
        "LABEL a=b",
        "MAINTAINER me <me@example.org>",
        "SHELL [\"/bin/bash\", \"-c\"]",
        "HEALTHCHECK CMD curl -f http://localhost/",
        "STOPSIGNAL SIGINT",
        "ENTRYPOINT [\"./run\"]",
        "CMD python app.py",
        "CMD [\"python\", \"app.py\"]",
        "CMD npm start",
        "CMD [\"./app\"]",
        "ONBUILD RUN echo a",
        "# a comment",
        "# restage: ignore[merge-run] why",
        "",
    ])
    .prop_map(str::to_owned);
    prop_oneof![3 => run.prop_map(|r| format!("RUN {r}")), 3 => other]
}

fn dockerfile() -> impl Strategy<Value = String> {
    let from = prop::sample::select(vec![
        "python:3.11",
        "python:3.11-slim",
        "node:18",
        "golang:1.22",
        "debian:bookworm",
        "alpine:3.19",
        "ubuntu:22.04",
        "unknown/image",
        "scratch",
        "node:18 AS build",
        "${BASE}",
    ]);
    (
        from.clone(),
        prop::collection::vec(instruction(), 0..14),
        prop::option::of((from, prop::collection::vec(instruction(), 0..6))),
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(|(first, lines, second, crlf, end)| {
            let mut text = format!("FROM {first}\n{}\n", lines.join("\n"));
            if let Some((from, lines)) = second {
                text.push_str(&format!("FROM {from}\n{}\n", lines.join("\n")));
            }
            if !end {
                text.truncate(text.trim_end().len());
            }
            if crlf { text.replace('\n', "\r\n") } else { text }
        })
}

fn run(tree: &Tree, source: &str, select: &[&str]) -> Outcome {
    let file = Dockerfile::parse(source);
    let context = Context::discover(&tree.path().join("Dockerfile"), &literal_sources(&file), None);
    let select: Vec<String> = select.iter().map(|s| (*s).to_owned()).collect();
    let selection = Selection::resolve(transforms::all(), &select, &[], false).unwrap();
    let settings = Settings {
        transforms: transforms::all(),
        recipes: &[],
        selection: &selection,
        options: &Options::default(),
        catalog: Catalog::built_in(),
    };
    pipeline::run(source, &context, settings)
}

fn comments(text: &str) -> Vec<&str> {
    let mut out: Vec<&str> = text.lines().map(str::trim).filter(|l| l.starts_with("# ")).collect();
    out.sort_unstable();
    out
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn a_second_run_changes_nothing_no_comment_is_lost_and_edits_make_the_result(source in dockerfile(), all in any::<bool>()) {
        let tree = Tree::new(&[
            ("requirements.txt", "flask==3.0\npsycopg2==2.9\n"),
            ("package.json", r#"{"name":"x","scripts":{"build":"tsc","start":"node dist/x.js"},"dependencies":{"express":"4"},"devDependencies":{"typescript":"5"}}"#),
            ("package-lock.json", "{}"),
            ("app.py", "print(1)\n"),
            ("go.mod", "module example.org/app\n"),
            ("main.go", "package main\nfunc main() {}\n"),
            ("app.tar.gz", ""),
        ]);
        let select: &[&str] = if all { &["all"] } else { &[] };
        let once = run(&tree, &source, select);
        let bugs: Vec<_> = once.refusals.iter().filter(|r| r.bug).collect();
        prop_assert!(bugs.is_empty(), "{:#?}\n{}", bugs, source);
        let twice = run(&tree, &once.text, select);
        prop_assert_eq!(&once.text, &twice.text);
        prop_assert!(Dockerfile::parse(once.text.as_str()).print() == once.text);
        let (before, after) = (comments(&source), comments(&once.text));
        prop_assert!(before.iter().all(|c| after.contains(c)), "{}\n{}", source, once.text);
        let edits = once.proposals.iter().filter(|p| p.applied).flat_map(|p| p.edits.iter()).filter(|e| e.path.is_none()).cloned();
        let set = EditSet::new(edits.collect::<Vec<Edit>>()).unwrap();
        prop_assert_eq!(set.apply(&source).unwrap(), once.text);
    }
}
