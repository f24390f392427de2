//! `check` for people.

use super::snippet::{Kind, Message, render};
use super::{Totals, count};
use crate::file::Processed;
use crate::source::{LineIndex, Span};
use std::io::{self, Write};

/// Writes what was found in one file. Lack of gain is told only if `verbose`.
///
/// # Errors
/// What `out` says.
pub fn file(out: &mut impl Write, file: &Processed, verbose: bool, colour: bool) -> io::Result<()> {
    let (Some(outcome), Some(source)) = (&file.outcome, &file.source) else { return Ok(()) };
    let path = super::shown(file);
    let lines = LineIndex::new(source);
    if verbose && let Some(context) = &file.context {
        let shown = if context.as_os_str().is_empty() { std::path::Path::new(".") } else { context };
        let from = file.context_from.as_ref().map(|from| format!(" (says {from})")).unwrap_or_default();
        writeln!(out, "{path}: build context {}{from}\n", shown.display())?;
    }
    for proposal in &outcome.proposals {
        let title = format!("{} ({}{})", proposal.title, proposal.level.name(), if proposal.applied { "" } else { ", not applied" });
        let message = Message {
            kind: Kind::Proposal,
            id: Some(proposal.transform),
            title: &title,
            label: &proposal.reason,
            path: &path,
            source,
            line: proposal.line,
            span: Span::default(),
        };
        writeln!(out, "{}\n", render(&message, &lines, colour))?;
    }
    for refusal in outcome.refusals.iter().filter(|r| verbose || r.bug || !r.reason.starts_with("no gain")) {
        let message = Message {
            kind: Kind::Refusal,
            id: Some(refusal.transform),
            title: &refusal.reason,
            label: "",
            path: &path,
            source,
            line: refusal.line,
            span: Span::default(),
        };
        writeln!(out, "{}\n", render(&message, &lines, colour))?;
    }
    for (line, note) in &outcome.notes {
        let message = Message {
            kind: Kind::Refusal,
            id: Some("ignore"),
            title: note,
            label: "",
            path: &path,
            source,
            line: *line,
            span: Span::default(),
        };
        writeln!(out, "{}\n", render(&message, &lines, colour))?;
    }
    Ok(())
}

/// What a build runs again after a change, before and after: a line for a file that the user named; else one for a source
/// where the proposals change it, and all there is to say if `verbose`.
///
/// # Errors
/// What `out` says.
pub fn rebuild(out: &mut impl Write, file: &Processed, verbose: bool) -> io::Result<()> {
    let shown = file.rebuild.iter().filter(|r| verbose || r.change == "file" || (r.change == "source" && r.before != r.after));
    let lines: Vec<String> = shown.map(|r| format!("{}: {}", super::shown(file), r.sentence())).collect();
    if lines.is_empty() { Ok(()) } else { writeln!(out, "{}\n", lines.join("\n")) }
}

/// One line a proposal: where, what, how far to trust it, why.
///
/// # Errors
/// What `out` says.
pub fn proposals(out: &mut impl Write, file: &Processed) -> io::Result<()> {
    let path = super::shown(file);
    for p in file.outcome.iter().flat_map(|o| &o.proposals) {
        let level = if p.applied { p.level.name().to_owned() } else { format!("{}, not applied", p.level.name()) };
        writeln!(out, "{path}:{}: {} ({level}): {}: {}", p.line, p.transform, p.title, p.reason)?;
    }
    Ok(())
}

/// One line a refusal.
///
/// # Errors
/// What `out` says.
pub fn refusals(out: &mut impl Write, file: &Processed) -> io::Result<()> {
    let path = super::shown(file);
    for r in file.outcome.iter().flat_map(|o| &o.refusals) {
        writeln!(out, "{path}:{}: {} left alone: {}", r.line, r.transform, r.reason)?;
    }
    Ok(())
}

/// The last line.
#[must_use]
pub fn summary(totals: &Totals) -> String {
    let mut out = format!("{}: {} to change, {}", count(totals.files, "file"), totals.changed, count(totals.proposals, "proposal"));
    for (number, noun) in [(totals.suggestions, "suggestion"), (totals.refusals, "refusal")] {
        if number > 0 {
            out.push_str(&format!(", {}", count(number, noun)));
        }
    }
    if totals.refused_files > 0 {
        out.push_str(&format!(", {} that the builder would refuse", totals.refused_files));
    }
    if totals.failed > 0 {
        out.push_str(&format!(", {} failed", totals.failed));
    }
    out
}
