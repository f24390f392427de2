//! `ENV name value` to `ENV name=value`.

use super::{Findings, Group, Level, Proposal, Refusal, Transform};
use crate::edit::Edit;
use crate::model::Model;
use crate::source::Span;
use crate::syntax::variables::{Lookup, expand};
use crate::syntax::{View, Word};

/// See `page.md`.
pub const TRANSFORM: Transform = Transform {
    id: "env-form",
    summary: "Write ENV and LABEL as NAME=value in place of the deprecated form with a blank",
    group: Group::Modernize,
    may_change: &[],
    page: include_str!("page.md"),
    run,
};

fn run(model: &Model) -> Findings {
    let mut findings = Findings::default();
    for step in &model.steps {
        let (View::Env { pairs, legacy: true } | View::Label { pairs, legacy: true }) = &step.view else { continue };
        let Some((name, value)) = pairs.first().and_then(|p| Some((&p.name, p.value.as_ref()?))) else { continue };
        match edits(model, name, value) {
            Some(edits) => findings.proposals.push(Proposal {
                level: Level::Safe,
                title: format!("write {}=value", name.text),
                reason: "the form with a blank is deprecated, and easily read as two variables".into(),
                line: step.line,
                declares: Vec::new(),
                edits,
            }),
            None => findings.refusals.push(Refusal {
                reason: "the value has quotes or escapes inside, has a variable that does not end, or goes over several lines; write it as NAME=value by hand".into(),
                line: step.line,
            }),
        }
    }
    findings
}

fn edits(model: &Model, name: &Word, value: &Word) -> Option<Vec<Edit>> {
    let source = model.file.source();
    let plain_name = !name.text.is_empty() && name.text.chars().all(|c| c.is_ascii_alphanumeric() || "_.-/".contains(c));
    let text = value.span.text(source);
    if !plain_name || text != value.text || text.is_empty() || Span::new(name.span.end, value.span.end).text(source).contains('\n') {
        return None;
    }
    let between = Span::new(name.span.end, value.span.start);
    let quoted = |quote: char| {
        text.len() > 1
            && text.strip_prefix(quote).and_then(|t| t.strip_suffix(quote)).is_some_and(|inner| !inner.contains([quote, '\\', '`']))
    };
    if quoted('"') || quoted('\'') {
        return Some(vec![Edit::replace(between, "=")]);
    }
    // What the builder can't read has no value to keep.
    let is_read = expand(text, model.file.escape, &|_| Lookup::Unknown).is_ok();
    // A byte-order mark at the head is dropped by the builder, and behind a quote it is not.
    if !is_read || text.contains(['"', '\'', '\\', '`', '\u{feff}']) || text.trim() != text {
        return None;
    }
    if !text.contains(char::is_whitespace) {
        return Some(vec![Edit::replace(between, "=")]);
    }
    Some(vec![Edit::replace(between, "=\""), Edit::insert(value.span.end, "\"")])
}
