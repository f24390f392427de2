//! Every transform has its page and both kinds of cases, and says the truth about itself.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use restage::transforms::{self, Group};
use std::path::{Path, PathBuf};
use std::process::Command;

const HEADINGS: [&str; 4] = ["## What it does", "## Why", "## Example", "## What it leaves alone"];

fn room(id: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("transforms").join(id.replace('-', "_"))
}

#[test]
fn every_transform_has_a_page_with_the_same_headings() {
    for t in transforms::all() {
        assert!(t.page.starts_with(&format!("# {}\n", t.id)), "{}: the page starts with its id", t.id);
        assert_eq!(t.page, std::fs::read_to_string(room(t.id).join("page.md")).unwrap(), "{}", t.id);
        let places: Vec<_> = HEADINGS.iter().map(|h| t.page.find(h).unwrap_or_else(|| panic!("{}: page.md lacks `{h}`", t.id))).collect();
        assert!(places.is_sorted(), "{}: the headings stand in the usual order", t.id);
        assert!(!t.summary.is_empty() && !t.summary.ends_with('.'), "{}: a summary is no sentence", t.id);
    }
}

/// The names in the first column of a page's table of options.
fn options_on(page: &str) -> Vec<&str> {
    let table = page.split_once("## Options").map_or("", |(_, rest)| rest.split("\n## ").next().unwrap());
    let cells = table.lines().filter_map(|l| l.strip_prefix("| `")?.split_once(" |"));
    cells.flat_map(|(cell, _)| cell.split(", ")).map(|name| name.trim_matches('`')).collect()
}

#[test]
fn every_option_is_on_its_page_and_can_be_set() {
    for t in transforms::all() {
        let known: Vec<_> = restage::config::OPTIONS.iter().filter(|o| o.transform == t.id).map(|o| o.name).collect();
        for name in &known {
            assert!(t.page.contains(&format!("`{name}")), "{}: the page does not tell of the option {name}", t.id);
        }
        for name in options_on(t.page) {
            assert!(known.contains(&name), "{}: `{name}` of its page can't be set", t.id);
        }
    }
}

#[test]
fn every_transform_has_cases_that_fire_and_cases_that_do_not() {
    for t in transforms::all() {
        let names: Vec<String> = std::fs::read_dir(room(t.id).join("cases"))
            .unwrap_or_else(|e| panic!("{}: no cases: {e}", t.id))
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        for kind in ["fires-", "leaves-"] {
            assert!(names.iter().any(|n| n.starts_with(kind)), "{}: no case {kind}*", t.id);
        }
        let odd: Vec<_> = names.iter().filter(|n| !n.starts_with("fires-") && !n.starts_with("leaves-")).collect();
        assert!(odd.is_empty(), "{}: cases are named fires-* or leaves-*: {odd:?}", t.id);
    }
}

#[test]
fn ids_are_unique_and_stand_in_the_order_of_their_groups() {
    let order = |t: &transforms::Transform| match (t.group, t.id) {
        (Group::Modernize | Group::Recipes, _) => 0,
        (Group::Hygiene, _) => 1,
        (Group::Restructure, "dockerignore" | "copy-order") => 2,
        (Group::Restructure, "multi-stage" | "test-stage") => 3,
        (Group::Restructure, "merge-run") => 4,
        (Group::Restructure, _) => 5,
        (Group::Harden, _) => 6,
    };
    let all = transforms::all();
    assert!(
        all.is_sorted_by_key(order),
        "modernize, hygiene, dockerignore, copy-order, multi-stage, test-stage, merge-run, non-root, harden"
    );
    let ids: std::collections::BTreeSet<_> = all.iter().map(|t| t.id).collect();
    assert_eq!(ids.len(), all.len());
}

#[test]
fn the_readme_tells_the_truth() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    for t in transforms::all() {
        let row = format!("| `{}` | {} | {} |", t.id, t.group.name(), t.summary);
        assert!(readme.contains(&row), "README.md lacks the row\n{row}");
    }
    let shown = Command::new(env!("CARGO_BIN_EXE_restage"))
        .args(["diff", "--no-config", "examples/express-links"])
        .current_dir(root)
        .output()
        .unwrap();
    for text in [shown.stdout, shown.stderr] {
        let text = String::from_utf8(text).unwrap();
        assert!(readme.contains(text.trim_end()), "README.md does not show\n{text}");
    }
}
