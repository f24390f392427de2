//! Joins adjacent RUN instructions into one text, with the file's own continuation style and every comment kept.

use super::super::style::Style;
use super::shape::{Shape, Wrap};
use crate::edit::Edit;
use crate::shell::Script;
use crate::source::Span;

/// One RUN of a group.
#[derive(Clone, Debug)]
pub(super) struct Part<'a> {
    /// Its parsed body.
    pub script: &'a Script,
    /// What matters of it.
    pub shape: &'a Shape,
    /// The whole instruction without its line end.
    pub body: Span,
}

/// Where the code of a body starts and ends, its last separator and comment left out.
fn code(script: &Script) -> Span {
    match (script.lists.first(), script.lists.last()) {
        (Some(first), Some(last)) => first.span.cover(last.span),
        _ => script.span,
    }
}

/// The edits that join `parts`, in order. There must be two or more, and none may stop the next.
pub(super) fn edits(source: &str, parts: &[Part<'_>], style: &Style, escape: char) -> Vec<Edit> {
    let chained = |part: usize| match (parts.get(part), parts.get(part + 1)) {
        (Some(part), Some(next)) => !part.shape.governed_like(next.shape),
        _ => true,
    };
    // Where one `;` joins, all do: then every body is governed by the same `set -e`.
    let governed = parts.len() > 1 && (0..parts.len() - 1).all(|p| !chained(p));
    let wrap = |index: usize, part: &Part<'_>| if governed { Wrap::Bare } else { part.shape.wrap(index + 1 == parts.len()) };
    let mut edits = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        let code = code(part.script);
        let (open, close) = match wrap(index, part) {
            Wrap::Bare => ("", ""),
            Wrap::Group => ("{ ", "; }"),
            Wrap::Subshell if code.text(source).starts_with('(') || code.text(source).ends_with(')') => ("( ", " )"),
            Wrap::Subshell => ("(", ")"),
        };
        if index == 0 && !open.is_empty() {
            edits.push(Edit::insert(code.start, open));
        }
        let Some(next) = parts.get(index + 1) else {
            if !close.is_empty() {
                edits.push(Edit::insert(code.end, close));
            }
            break;
        };
        let next_code = super::join::code(next.script);
        let next_open = match wrap(index + 1, next) {
            Wrap::Bare => "",
            Wrap::Group => "{ ",
            Wrap::Subshell if next_code.text(source).starts_with('(') || next_code.text(source).ends_with(')') => "( ",
            Wrap::Subshell => "(",
        };
        let between = Span::new(code.end, next_code.start);
        let text = format!("{close}{}{next_open}", separator(between.text(source), style, escape, governed));
        edits.push(Edit::replace(between, text));
    }
    edits
}

/// What stands between two bodies: the operator, the continuation, and the comment lines that stood there before.
fn separator(between: &str, style: &Style, escape: char, governed: bool) -> String {
    let end = if between.contains("\r\n") { "\r\n" } else { "\n" };
    let mut text = match (governed, style.trailing) {
        (true, _) => format!("; {escape}{end}"),
        (false, true) => format!(" && {escape}{end}"),
        (false, false) => format!(" {escape}{end}"),
    };
    for line in between.split_inclusive('\n').skip(1).filter(|l| l.trim_start().starts_with('#')) {
        text.push_str(line);
    }
    text.push_str(&style.indent);
    if !governed && !style.trailing {
        text.push_str("&& ");
    }
    text
}
