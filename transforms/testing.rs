//! Runs the cases of every transform: `transforms/NAME/cases/fires-*.txt` must change, `leaves-*.txt` must not.
//!
//! A case is a text of sections. A line `--- before` starts the Dockerfile, `--- after` what becomes of it, `--- options` the transform's
//! settings in TOML, `--- file PATH` a file of the build context, `--- becomes PATH` what becomes of one; lines `--- refused TEXT` name pieces of refusals that must be given,
//! `--- level LEVEL` the level of every proposal. A case without `after` must stay as it is.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Level, Proposal, Refusal, Transform, all};
use crate::catalog::Catalog;
use crate::config::Options;
use crate::context::Context;
use crate::context::literal_sources;
use crate::edit::EditSet;
use crate::model::Model;
use crate::syntax::Dockerfile;

#[derive(Default)]
struct Case {
    before: String,
    after: Option<String>,
    options: String,
    files: Vec<(String, String)>,
    others: Vec<(String, String)>,
    refused: Vec<String>,
    level: Option<String>,
}

impl Case {
    fn read(text: &str) -> Self {
        let mut case = Self::default();
        let mut section: Option<String> = None;
        for line in text.split_inclusive('\n') {
            if let Some(header) = line.trim_end().strip_prefix("--- ") {
                match header.split_once(' ') {
                    Some(("refused", reason)) => case.refused.push(reason.to_owned()),
                    Some(("level", level)) => case.level = Some(level.to_owned()),
                    Some(("becomes", path)) => case.others.push((path.to_owned(), String::new())),
                    Some(("file", path)) => case.files.push((path.to_owned(), String::new())),
                    _ => {}
                }
                if header == "after" {
                    case.after = Some(String::new());
                }
                section = Some(header.to_owned());
                continue;
            }
            match section.as_deref() {
                Some("before") => case.before.push_str(line),
                Some("after") => case.after.get_or_insert_default().push_str(line),
                Some("options") => case.options.push_str(line),
                Some(header) if header.starts_with("file ") => case.files.last_mut().unwrap().1.push_str(line),
                Some(header) if header.starts_with("becomes ") => case.others.last_mut().unwrap().1.push_str(line),
                _ => {}
            }
        }
        case
    }
}

fn folder(transform: &Transform) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("transforms").join(transform.id.replace('-', "_"))
}

/// What `transform` proposes for `source`, and the text with all of it applied.
fn once(transform: &Transform, source: &str, folder: &Path, options: &Options) -> (String, Vec<Proposal>, Vec<Refusal>) {
    let file = Dockerfile::parse(source);
    let context = Context::discover(&folder.join("Dockerfile"), &literal_sources(&file), None);
    let model = Model::new(&file, &context, Catalog::built_in(), options);
    let findings = (transform.run)(&model);
    let mut edits: Vec<_> = findings.proposals.iter().flat_map(|p| p.edits.clone()).filter(|e| e.path.is_none()).collect();
    edits.sort_by_key(|e| e.span);
    let mut text = source.to_owned();
    let mut limit = text.len();
    for edit in edits.iter().rev() {
        assert!(edit.span.end <= limit, "{}: edits overlap in\n{source}", transform.id);
        limit = edit.span.start;
        text.replace_range(edit.span.start..edit.span.end, &edit.text);
    }
    (text, findings.proposals, findings.refusals)
}

/// What becomes of the files beside the Dockerfile.
fn side_files(folder: &Path, proposals: &[Proposal]) -> Vec<(String, String)> {
    let edits: Vec<_> = proposals.iter().flat_map(|p| p.edits.clone()).filter(|e| e.path.is_some()).collect();
    let mut paths: Vec<String> = edits.iter().filter_map(|e| e.path.clone()).collect();
    paths.dedup();
    let new = |path: String| {
        let old = fs::read_to_string(folder.join(&path)).unwrap_or_default();
        let own = edits.iter().filter(|e| e.path.as_ref() == Some(&path)).cloned();
        let text = EditSet::new(own).unwrap().apply(&old).unwrap();
        (path, text)
    };
    paths.into_iter().map(new).collect()
}

fn check(transform: &Transform, path: &Path) {
    let case = Case::read(&fs::read_to_string(path).unwrap());
    let name = path.display();
    let context = tempfile::tempdir().unwrap();
    for (path, content) in &case.files {
        let path = context.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    fs::write(context.path().join("Dockerfile"), &case.before).unwrap();
    let mut options = Options::default();
    if !case.options.is_empty() {
        options.transforms.insert(transform.id.to_owned(), toml::from_str(&case.options).unwrap());
    }
    let (text, proposals, refusals) = once(transform, &case.before, context.path(), &options);
    let fires = path.file_name().unwrap().to_string_lossy().starts_with("fires-");
    let changes = case.after.is_some() || !case.others.is_empty();
    assert_eq!(fires, changes, "{name}: a fires- case has an `after` or `becomes`, a leaves- case has none");
    assert_eq!(text, *case.after.as_ref().unwrap_or(&case.before), "{name}\n{refusals:?}\n{text}");
    for reason in &case.refused {
        assert!(refusals.iter().any(|r| r.reason.contains(reason)), "{name}: no refusal says {reason:?}: {refusals:?}");
    }
    if let Some(level) = &case.level {
        let named = |l: Level| format!("{l:?}").to_lowercase();
        assert!(proposals.iter().all(|p| named(p.level) == *level), "{name}: {proposals:?}");
    }
    for change in proposals.iter().flat_map(|p| &p.declares) {
        assert!(transform.may_change.contains(change), "{name}: {change} is declared but not listed");
    }
    for (path, new) in side_files(context.path(), &proposals) {
        let wanted = case.others.iter().find(|(p, _)| *p == path).map(|(_, text)| text.as_str());
        assert_eq!(Some(new.as_str()), wanted, "{name}: {path}\n{refusals:?}");
        fs::write(context.path().join(path), new).unwrap();
    }
    for (path, text) in &case.others {
        assert_eq!(&fs::read_to_string(context.path().join(path)).unwrap_or_default(), text, "{name}: {path}\n{refusals:?}");
    }
    let (again, more, _) = once(transform, &text, context.path(), &options);
    assert!(more.is_empty(), "{name}: proposes again\n{again}\n{more:?}");
    assert!(Dockerfile::parse(&text).errors.len() <= Dockerfile::parse(&case.before).errors.len(), "{name}\n{text}");
}

#[test]
fn cases() {
    for transform in all() {
        let Ok(entries) = fs::read_dir(folder(transform).join("cases")) else { continue };
        let mut paths: Vec<PathBuf> = entries.map(|e| e.unwrap().path()).filter(|p| p.extension().is_some_and(|e| e == "txt")).collect();
        paths.sort();
        for path in paths {
            check(transform, &path);
        }
    }
}

#[test]
fn every_transform_has_a_page() {
    for transform in all() {
        for heading in ["## What it does", "## Why", "## Example", "## What it leaves alone"] {
            assert!(transform.page.contains(heading), "{}: its page lacks {heading:?}", transform.id);
        }
        assert!(transform.page.starts_with(&format!("# {}\n", transform.id)), "{}", transform.id);
    }
}

#[test]
fn every_transform_has_both_kinds_of_cases() {
    for transform in all() {
        let has = |prefix: &str| {
            fs::read_dir(folder(transform).join("cases"))
                .is_ok_and(|entries| entries.flatten().any(|e| e.file_name().to_string_lossy().starts_with(prefix)))
        };
        assert!(has("fires-") && has("leaves-"), "{}: needs a fires-*.txt and a leaves-*.txt in its cases", transform.id);
    }
}
