//! SARIF 2.1.0, with the edits as fixes.

use crate::file::Processed;
use crate::source::LineIndex;
use crate::transforms::{Level, all};
use serde_json::{Value, json};

/// The log of one run.
#[must_use]
pub fn log(files: &[Processed]) -> Value {
    let rules: Vec<Value> = all()
        .iter()
        .map(|t| json!({ "id": t.id, "shortDescription": { "text": t.summary }, "help": { "text": t.page, "markdown": t.page } }))
        .collect();
    let results: Vec<Value> = files.iter().flat_map(results).collect();
    let notifications: Vec<Value> = files
        .iter()
        .filter_map(|f| Some((f, f.error.as_ref()?)))
        .map(|(f, e)| {
            json!({
                "level": "error",
                "message": { "text": e.diagnostic.message },
                "locations": [location(&uri(f), e.diagnostic.line.max(1))],
            })
        })
        .collect();
    json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "restage", "version": env!("CARGO_PKG_VERSION"), "rules": rules } },
            "invocations": [{ "executionSuccessful": notifications.is_empty(), "toolExecutionNotifications": notifications }],
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn results(file: &Processed) -> Vec<Value> {
    let (Some(outcome), Some(source)) = (&file.outcome, &file.source) else { return Vec::new() };
    let lines = LineIndex::new(source);
    let uri = uri(file);
    outcome
        .proposals
        .iter()
        .map(|p| {
            let mut result = json!({
                "ruleId": p.transform,
                "level": if p.level == Level::Suggest { "note" } else { "warning" },
                "message": { "text": format!("{}: {}", p.title.trim_end_matches('.'), p.reason) },
                "locations": [location(&uri, p.line)],
            });
            let replacements: Vec<Value> = p
                .edits
                .iter()
                .filter(|e| e.path.is_none())
                .map(|e| {
                    let place = |offset: usize| {
                        let line = lines.line(offset);
                        let start = lines.start(line);
                        (line, source.get(start..offset).map_or(1, |t| t.chars().count() + 1))
                    };
                    let ((start_line, start_column), (end_line, end_column)) = (place(e.span.start), place(e.span.end));
                    json!({
                        "deletedRegion": { "startLine": start_line, "startColumn": start_column, "endLine": end_line, "endColumn": end_column },
                        "insertedContent": { "text": e.text },
                    })
                })
                .collect();
            if let (false, Some(object)) = (replacements.is_empty(), result.as_object_mut()) {
                let change = json!({ "artifactLocation": { "uri": uri }, "replacements": replacements });
                object.insert("fixes".to_owned(), json!([{ "description": { "text": p.title }, "artifactChanges": [change] }]));
            }
            result
        })
        .collect()
}

fn location(uri: &str, line: usize) -> Value {
    json!({ "physicalLocation": { "artifactLocation": { "uri": uri }, "region": { "startLine": line } } })
}

/// The path as a reference of RFC 3986.
fn uri(file: &Processed) -> String {
    let path = super::plain_path(file);
    path.bytes().fold(String::new(), |mut out, b| {
        match b {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => out.push(char::from(b)),
            _ => out.push_str(&format!("%{b:02X}")),
        }
        out
    })
}
