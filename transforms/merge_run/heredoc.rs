//! Joins adjacent RUN instructions as the lines of one here-document, under one `set -e`.
//!
//! There a list such as `a && b` would go on after a failing `a`, so each command gets a line of its own; and what `set -e` would
//! change (lists, conditions, substitutions) is not written that way at all.

use super::shape::Shape;
use crate::edit::Edit;
use crate::shell::Script;
use crate::source::Span;
use crate::syntax::{Dockerfile, Instruction, Keyword};

/// What governs the lines of a here-document.
const HEAD: &str = "set -e";

/// One RUN of a group.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part<'a> {
    /// The instruction.
    pub instruction: &'a Instruction,
    /// What stands behind its flags.
    pub arguments: Span,
    /// Its parsed body.
    pub script: &'a Script,
    /// What matters of it.
    pub shape: &'a Shape,
}

/// A RUN as lines of a script that begins with `set -e`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lines {
    /// The `set -e...` that a here-document brings along.
    head: Option<String>,
    /// The delimiter of that here-document, and whether it strips tabs.
    delimiter: Option<(String, bool)>,
    /// What is written, comment lines included, each with its line end.
    text: String,
}

impl Lines {
    /// The lines of `part`; `None` where they would not do the same under `set -e`.
    pub fn of(source: &str, part: &Part, escape: char) -> Option<Self> {
        // The lines of such a file end otherwise; where tabs are stripped, those of quoted text would go too.
        let strips = part.instruction.heredocs.iter().any(|h| h.strip_tabs);
        if source.contains("\r\n") || strips || part.shape.unfit.is_some() {
            return None;
        }
        match part.instruction.heredocs.as_slice() {
            [] if escape == '\\' => Some(Self { head: None, delimiter: None, text: chain(source, part)? }),
            [heredoc] if heredoc.content.start <= part.script.span.start => {
                let head = part.shape.governing_head()?.to_owned();
                let text = heredoc.content.text(source);
                let (first, rest) = text.split_once('\n')?;
                (first.trim() == head).then_some(())?;
                Some(Self { head: Some(head), delimiter: Some((heredoc.name.clone(), heredoc.strip_tabs)), text: rest.to_owned() })
            }
            _ => None,
        }
    }

    /// Whether the lines of both can stand in one here-document.
    pub fn fits(&self, next: &Self) -> bool {
        let head = |lines: &Self| lines.head.clone().unwrap_or_else(|| HEAD.to_owned());
        let delimiters = match (&self.delimiter, &next.delimiter) {
            (Some(one), Some(other)) => one == other,
            _ => true,
        };
        head(self) == head(next) && delimiters
    }
}

/// The commands of an `&&` list, one a line, with the comments in between.
fn chain(source: &str, part: &Part) -> Option<String> {
    if !part.shape.is_list_of_commands() || substitutes(part.arguments.text(source)) {
        return None;
    }
    let list = part.script.lists.first()?;
    let mut text = String::new();
    let mut from = part.arguments.start;
    let pieces: Vec<Span> = if part.shape.keeps_to_itself() { list.pipelines().map(|p| p.span).collect() } else { vec![list.span] };
    for piece in pieces {
        text.push_str(&comments(source, Span::new(from, piece.start)));
        let code = piece.text(source);
        // The builder joins lines before the shell sees quotes; in a here-document the shell reads them as they are.
        let same_in_a_script = |line: &str| line.strip_suffix('\\').is_some_and(|l| !l.ends_with('\\'));
        let inner: Vec<&str> = code.lines().collect();
        let (_, before) = inner.split_last()?;
        if !before.is_empty() && (code.contains('\'') || !before.iter().all(|l| same_in_a_script(l))) {
            return None;
        }
        if inner.iter().skip(1).any(|l| l.trim().is_empty() || l.trim_start().starts_with('#')) {
            return None;
        }
        text.push_str(&if part.shape.keeps_to_itself() { format!("{code}\n") } else { format!("({code})\n") });
        from = piece.end;
    }
    // A comment behind the last `\` is none of the arguments.
    text.push_str(&comments(source, Span::new(from, end(part).max(from))));
    Some(text)
}

/// A substitution is a shell of its own, which some shells let `set -e` govern.
fn substitutes(text: &str) -> bool {
    text.contains("$(") || text.contains('`') || text.contains("<(") || text.contains(">(")
}

/// The comment lines of a piece of the file.
fn comments(source: &str, span: Span) -> String {
    let lines = span.text(source).split_inclusive('\n').skip(1).map(str::trim).filter(|l| l.starts_with('#'));
    lines.map(|l| format!("{l}\n")).collect()
}

/// How the first RUN of the file that is a script in a here-document names its delimiter: the words behind RUN's flags.
pub(super) fn opener(file: &Dockerfile) -> Option<String> {
    let runs = file.instructions().filter(|(_, i)| i.keyword == Keyword::Run && i.heredocs.len() == 1);
    runs.map(|(_, i)| file.read(i).arguments.text(file.source()).trim().to_owned()).find(|words| name_of(words).is_some())
}

/// The line that ends the here-document of `opener`; `None` where quotes stand inside of the word, or it is no plain name.
fn name_of(opener: &str) -> Option<&str> {
    let word = opener.strip_prefix("<<")?.trim_start_matches(['-', '~']);
    let quoted = ['"', '\''].into_iter().find_map(|q| word.strip_prefix(q)?.strip_suffix(q));
    let name = quoted.unwrap_or(word);
    (!name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))).then_some(name)
}

/// The edit that joins `parts`, in order, whose `lines` fit one another. `None` where the delimiter stands among the lines.
pub(super) fn edit(source: &str, parts: &[(Part, Lines)], opener: &str) -> Option<Edit> {
    let ((first, _), (last, _)) = (parts.first()?, parts.last()?);
    let own = parts.iter().find(|(_, l)| l.delimiter.is_some());
    let opener = own.map_or(opener, |(p, _)| p.arguments.text(source).trim());
    let name = name_of(opener)?;
    let head = parts.iter().find_map(|(_, l)| l.head.as_deref()).unwrap_or(HEAD);
    let mut text = format!("{opener}\n{head}\n");
    let mut from: Option<usize> = None;
    for (part, lines) in parts {
        if let Some(from) = from {
            text.push_str(&comments(source, Span::new(from, part.instruction.keyword_span.start)));
        }
        text.push_str(&lines.text);
        let stop = end(part);
        from = Some(stop - usize::from(source.get(..stop).is_some_and(|s| s.ends_with('\n'))));
    }
    let body = text.split_once('\n')?.1;
    if body.lines().any(|l| l.trim() == name) {
        return None;
    }
    text.push_str(name);
    let last_line_ends = last.instruction.heredocs.last().is_some_and(|h| h.terminator.text(source).ends_with('\n'));
    if last_line_ends {
        text.push('\n');
    }
    Some(Edit::replace(Span::new(first.arguments.start, end(last)), text))
}

/// Where an instruction ends, its here-document included.
fn end(part: &Part) -> usize {
    part.instruction.heredocs.last().map_or(part.instruction.body.end, |h| h.terminator.end)
}
