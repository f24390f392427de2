//! The reports through the binary.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;
#[path = "common/schema.rs"]
mod schema;

use common::{CLEAN, LEGACY, Tree};
use schema::violations;
use serde_json::{Value, json};
use std::process::Command;

fn assert_fits(path: &str, value: &Value) {
    let schema = schema::read(path);
    let wrong = violations(&schema, value);
    assert!(wrong.is_empty(), "{wrong:?}");
    // And the test itself sees what is wrong.
    assert!(violations(&schema, &json!({ "version": 2, "nonsense": 1 })).len() > 2);
}

fn mixed() -> Tree {
    let silenced = format!("# restage: ignore[apk]\n{LEGACY}");
    Tree::new(&[
        ("a/Dockerfile", LEGACY),
        ("b/Dockerfile", CLEAN),
        ("c/Dockerfile", "FROM a\n{{ range }}\n"),
        ("d ü#%/Dockerfile", &silenced),
        (
            "e/Dockerfile",
            "FROM node:18\nWORKDIR /app\nCOPY . .\nRUN npm install\nRUN npm run </script><b> build\nCMD [\"node\", \"a.js\"]\n",
        ),
        (
            "f/Dockerfile",
            "FROM golang:1.22 AS build\nCOPY . .\nRUN go build -o /app .\nFROM debian:bookworm-slim\nRUN apt-get update\nRUN apt-get install -y curl\nCOPY --from=build /app /app\nCMD [\"/app\"]\n",
        ),
    ])
}

fn json_of(tree: &Tree, args: &[&str]) -> Value {
    serde_json::from_slice(&tree.run(args).out).unwrap()
}

#[test]
fn json_is_what_its_schema_says() {
    let tree = mixed();
    assert_fits("docs/check.schema.json", &json_of(&tree, &["check", "--format", "json", ".", "nothing"]));
    tree.run(&["batch", "--exec", "true", "a", "b", "c", "d ü#%", "e", "nothing"]);
    assert_fits("docs/batch.schema.json", &serde_json::from_slice(&tree.bytes("restage-batch/report.json")).unwrap());
}

#[test]
fn sarif_is_what_the_published_schema_says() {
    let tree = mixed();
    let published = "tests/schemas/sarif-2.1.0.json";
    for args in [&["."][..], &["--select", "all", "."], &["b"], &["c"], &["nothing"], &["."]] {
        let log = json_of(&tree, &[&["check", "--format", "sarif"], args].concat());
        assert_fits(published, &log);
    }
    // What is wrong deep inside is seen.
    let schema = schema::read(published);
    let log = json_of(&tree, &["check", "--format", "sarif", "a"]);
    let results = "/runs/0/results/0";
    for (place, value) in [
        (format!("{results}/level"), json!("bad")),
        (format!("{results}/locations/0/physicalLocation/region/startLine"), json!(0)),
        (format!("{results}/fixes/0/artifactChanges/0/replacements"), json!([])),
        (format!("{results}/message"), json!({})),
        ("/runs/0/columnKind".to_owned(), json!("bytes")),
        ("/runs/0/tool/driver/rules/0/id".to_owned(), Value::Null),
    ] {
        let mut broken = log.clone();
        *broken.pointer_mut(&place).unwrap() = value;
        assert_eq!(violations(&schema, &broken).len(), 1, "{place}");
    }
}

#[test]
fn the_fixes_of_sarif_make_what_apply_writes() {
    let tree = mixed();
    let log = json_of(&tree, &["check", "--format", "sarif", "a", "d ü#%", "c"]);
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    let rules: Vec<&str> = run["tool"]["driver"]["rules"].as_array().unwrap().iter().map(|r| r["id"].as_str().unwrap()).collect();
    assert_eq!(run["columnKind"], "unicodeCodePoints");
    let results = run["results"].as_array().unwrap();
    assert!(!results.is_empty());
    assert_eq!(run["invocations"][0]["toolExecutionNotifications"].as_array().unwrap().len(), 1);
    let mut text: std::collections::BTreeMap<String, Vec<(usize, usize, String)>> = Default::default();
    for result in results {
        assert!(rules.contains(&result["ruleId"].as_str().unwrap()));
        assert!(["note", "warning"].contains(&result["level"].as_str().unwrap()));
        if result["level"] == "note" {
            // A suggestion is offered and not applied.
            continue;
        }
        let place = &result["locations"][0]["physicalLocation"];
        let uri = place["artifactLocation"]["uri"].as_str().unwrap();
        assert!(uri.is_ascii() && !uri.contains([' ', '#']), "{uri}");
        for replacement in result["fixes"][0]["artifactChanges"][0]["replacements"].as_array().into_iter().flatten() {
            let path = if uri.starts_with("a/") { "a/Dockerfile" } else { "d ü#%/Dockerfile" };
            let source = tree.read(path);
            let region = &replacement["deletedRegion"];
            let number = |key: &str| usize::try_from(region[key].as_u64().unwrap()).unwrap();
            let offset = |line: usize, column: usize| {
                let start: usize = source.split_inclusive('\n').take(line - 1).map(str::len).sum();
                start + source[start..].chars().take(column - 1).map(char::len_utf8).sum::<usize>()
            };
            let edit = (
                offset(number("startLine"), number("startColumn")),
                offset(number("endLine"), number("endColumn")),
                replacement["insertedContent"]["text"].as_str().unwrap().to_owned(),
            );
            text.entry(path.to_owned()).or_default().push(edit);
        }
    }
    assert_eq!(text.len(), 2);
    for (path, mut edits) in text {
        let mut result = tree.read(&path);
        edits.sort();
        for (start, end, new) in edits.iter().rev() {
            result.replace_range(start..end, new);
        }
        tree.run(&["apply", &path]);
        assert_eq!(tree.read(&path), result);
    }
}

#[test]
fn annotations_and_markdown_name_the_line() {
    let tree = mixed();
    let text = |args: &[&str]| String::from_utf8(tree.run(args).out).unwrap();
    let github = text(&["check", "--format", "github", "a", "c"]);
    assert!(github.contains("::warning file=a/Dockerfile,line=2,title=restage merge-run::join "), "{github}");
    assert!(github.contains(" into one layer: "), "{github}");
    assert!(github.contains("::error file=c/Dockerfile,line=2,title=restage::"), "{github}");
    let markdown = text(&["check", "--format", "markdown", "a"]);
    assert!(markdown.contains("## `a/Dockerfile`") && markdown.contains("(`merge-run`, line 2)"), "{markdown}");
}

/// The page after a script has worked on it in a browser; `None` where there is no browser.
fn in_browser(tree: &Tree, script: &str) -> Option<String> {
    let page = tree.read("restage-batch/report.html");
    tree.write("driven.html", page.replace("</body>", &format!("<script>{script}</script></body>")).as_bytes());
    let mut command = Command::new("chromium");
    command.args(["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]);
    let out = command.arg(format!("file://{}", tree.path().join("driven.html").display())).output().ok()?;
    Some(String::from_utf8_lossy(&out.stdout).into_owned())
}

#[test]
fn the_page_stands_alone_and_its_filters_work() {
    let tree = mixed();
    tree.run(&["batch", "a", "b", "c", "d ü#%", "e", "f", "nothing"]);
    let page = tree.read("restage-batch/report.html");
    for outside in ["http-equiv=\"refresh\"", "src=", "<link rel=\"stylesheet\"", "@import", "fetch(", "XMLHttpRequest"] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert!(page.contains("default-src 'none'"));
    assert_eq!(page.matches("</script>").count(), 2, "nothing of a Dockerfile ends the data");
    let script = "
        const shown = () => by('shown').textContent;
        const seen = [shown()];
        const set = (id, value) => { by(id).value = value; by('filters').dispatchEvent(new Event('input')); seen.push(shown()); };
        set('status', 'failed'); set('status', ''); set('transform', 'merge-run'); set('level', 'safe'); set('transform', ''); set('level', ''); set('name', 'NOTH');
        set('name', '');
        entries.forEach((e) => { e.node.open = true; e.node.dispatchEvent(new Event('toggle')); });
        set('level', 'review');
        const sections = [...document.querySelectorAll('#repositories section')];
        const hidden = sections.filter((s) => s.hidden).length;
        set('level', '');
        document.title = seen.join('|') + '|' + document.querySelectorAll('table.diff').length + '|' + document.querySelectorAll('svg').length
          + '|' + document.querySelectorAll('#repositories .why b').length + '|' + performance.getEntriesByType('resource').length
          + '|' + hidden + '|' + sections.filter((s) => s.hidden).length + '|' + document.querySelectorAll('.rebuild').length
          + '|' + [...document.querySelectorAll('#refusals .status')].map((s) => s.textContent).join(',');";
    let Some(dom) = in_browser(&tree, script) else {
        println!("no chromium here: the filters are not tested");
        return;
    };
    let title = dom.split("<title>").nth(1).unwrap().split("</title>").next().unwrap();
    let parts: Vec<&str> = title.split('|').collect();
    assert_eq!(&parts[..6], ["7 of 7", "1 of 7", "7 of 7", "3 of 7", "3 of 7", "4 of 7"], "{title}");
    assert_eq!(&parts[6..11], ["7 of 7", "1 of 7", "7 of 7", "3 of 7", "7 of 7"], "{title}");
    let number = |i: usize| parts[i].parse::<usize>().unwrap();
    // Diffs, a graph for the file with two stages, reasons, and how much is built again.
    assert!(number(11) >= 4 && number(12) >= 1 && number(13) >= 8 && number(17) >= 4, "{title}");
    assert_eq!(number(14), 0, "no network");
    // LEGACY stands in two repositories and is refused for the same reason in both.
    let refusals: Vec<usize> = parts[18].split(',').map(|n| n.parse().unwrap()).collect();
    assert!(refusals.len() >= 2 && refusals[0] >= 2 && refusals.is_sorted_by(|a, b| a >= b), "{title}");
    assert_eq!((number(15) > 0, number(16)), (true, 0), "files that a filter is not about are hidden until it is taken back");
}

#[test]
fn a_page_of_five_hundred_repositories_opens_at_once() {
    const NUMBER: usize = 500;
    let tree = mixed();
    let texts: Vec<String> = ["a", "b", "c", "d ü#%", "e"].iter().map(|f| tree.read(&format!("{f}/Dockerfile"))).collect();
    let names: Vec<String> = (0..NUMBER).map(|i| format!("many/r{i:03}")).collect();
    for (i, name) in names.iter().enumerate() {
        tree.write(&format!("{name}/Dockerfile"), format!("# {i}\n{}", texts[i % texts.len()]).as_bytes());
    }
    let run = tree.run_with(&["batch", "-q", "-"], names.join("\n").as_bytes());
    assert_eq!(run.status, 1, "{}", run.err);
    let script = "
        const opened = performance.now();
        by('transform').value = 'non-root'; by('filters').dispatchEvent(new Event('input'));
        const shown = by('shown').textContent;
        const filtered = performance.now() - opened;
        const started = performance.now();
        entries[0].node.open = true; entries[0].node.dispatchEvent(new Event('toggle'));
        document.title = [shown, Math.round(opened), Math.round(filtered), Math.round(performance.now() - started),
          performance.getEntriesByType('resource').length].join('|');";
    let Some(dom) = in_browser(&tree, script) else {
        println!("no chromium here: the page is not opened");
        return;
    };
    let title = dom.split("<title>").nth(1).unwrap().split("</title>").next().unwrap();
    let parts: Vec<&str> = title.split('|').collect();
    assert_eq!((parts[0], parts[4]), ("300 of 500", "0"), "{title}");
    // A tenth of this is usual; a machine may be busy.
    let ms = |i: usize| parts[i].parse::<usize>().unwrap();
    assert!(ms(1) < 10_000 && ms(2) < 2_000 && ms(3) < 2_000, "milliseconds to open, filter and unfold: {title}");
    println!("milliseconds to open, filter and unfold: {title}");
}
