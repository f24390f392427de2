//! From physical lines to items: what BuildKit's `parser.Parse` does with its scanner.

use super::line::{self, Kind, trim_newline};
use super::logical::{Logical, Pieces};
use super::read::Outline;
use super::{Directive, Dockerfile, Heredoc, Instruction, Item, ItemKind, heredoc, lex};
use crate::source::{Diagnostic, LineIndex, Span};

/// The longest physical line that the builder reads, in bytes without the newline (`bufio.MaxScanTokenSize - 1`).
const LONGEST_LINE: usize = 65_535;

/// The byte-order mark, which the builder drops from the first line.
const MARK: char = '\u{feff}';

/// The lines of a file, from 0, the mark left out.
struct Lines<'a> {
    source: &'a str,
    index: &'a LineIndex,
}

impl<'a> Lines<'a> {
    fn span(&self, line: usize) -> Option<Span> {
        let span = self.index.span(line + 1)?;
        if line > 0 || !self.source.starts_with(MARK) {
            return Some(span);
        }
        // A mark with nothing behind it is no line.
        let start = MARK.len_utf8();
        (start < span.end).then_some(Span::new(start, span.end))
    }

    fn text(&self, line: usize) -> Option<(Span, &'a str)> {
        let span = self.span(line)?;
        Some((span, span.text(self.source)))
    }

    /// The end of `line`: where the next one starts.
    fn end(&self, line: usize) -> usize {
        self.span(line).map_or(self.source.len(), |span| span.end)
    }
}

pub(super) fn assemble(source: String) -> Dockerfile {
    let index = LineIndex::new(&source);
    let mut file = Dockerfile {
        lines: LineIndex::default(),
        source: String::new(),
        escape: '\\',
        directives: Vec::new(),
        items: Vec::with_capacity((index.count() / 2).min(4096)),
        errors: Vec::new(),
        torn: false,
    };
    let lines = Lines { source: &source, index: &index };
    let mut at = directives(&mut file, &lines);
    let mut seen = false;
    while let Some((span, text)) = lines.text(at) {
        let first = at;
        at += 1;
        let kind = match line::kind(text, file.escape) {
            Kind::Comment => ItemKind::Comment,
            Kind::Blank => ItemKind::Blank,
            kind => {
                seen = true;
                let parts = parts(&lines, span, kind, file.escape, &mut at);
                ItemKind::Instruction(Box::new(instruction(&mut file, &lines, parts, first, &mut at)))
            }
        };
        file.items.push(Item { kind, span: Span::new(span.start, lines.end(at - 1)), start_line: first + 1, end_line: at });
    }
    for line in 0..index.count() {
        let Some(span) = index.span(line + 1).filter(|span| span.len() > LONGEST_LINE) else { continue };
        let Some((span, text)) = lines.text(line).filter(|_| span.len() > LONGEST_LINE) else { continue };
        if text.trim_end_matches('\n').len() > LONGEST_LINE {
            file.errors.push(Diagnostic {
                message: format!("the line is longer than the {LONGEST_LINE} bytes that the builder reads"),
                line: line + 1,
                span,
            });
        }
    }
    if !seen && file.errors.is_empty() {
        let end = source.len();
        file.errors.push(Diagnostic { message: "no instructions in the file".into(), line: at.max(1), span: Span::at(end) });
    }
    file.errors.sort_by_key(|e| e.line);
    file.source = source;
    file.lines = index;
    file
}

/// What the builder joins to one instruction.
struct Parts {
    pieces: Pieces,
    /// The last line, which may be a comment.
    last: Span,
}

/// The lines that belong to the instruction that starts at `first` and is of `kind`; `at` is moved behind them.
fn parts(lines: &Lines<'_>, first: Span, kind: Kind, escape: char, at: &mut usize) -> Parts {
    let piece = |span: Span, kind: Kind| match kind {
        Kind::Continued(len) => (Span::new(span.start, span.start + len), true),
        Kind::Text(len) => (Span::new(span.start, span.start + len), false),
        Kind::Comment | Kind::Blank => (Span::at(span.start), true),
    };
    let (mut start, mut open) = piece(first, kind);
    start.start = start.end - start.text(lines.source).trim_start().len();
    let mut parts = Parts { pieces: Pieces { first: start, more: Vec::new() }, last: first };
    while open {
        let Some((span, text)) = lines.text(*at) else { break };
        *at += 1;
        parts.last = span;
        let kind = line::kind(text, escape);
        if matches!(kind, Kind::Continued(_) | Kind::Text(_)) {
            let (span, continued) = piece(span, kind);
            parts.pieces.more.push(span);
            open = continued;
        }
    }
    parts
}

fn instruction(file: &mut Dockerfile, lines: &Lines<'_>, parts: Parts, first: usize, at: &mut usize) -> Instruction {
    let source = lines.source;
    let logical = Logical::new(source, &parts.pieces);
    let Outline { keyword, name, verdict } = Outline::of(logical.text(), file.escape);
    let keyword_span = logical.span(name);
    // Behind the keyword's blanks on the line where it ends, so that a continuation right behind it belongs to the body.
    let line_end = parts.pieces.iter().find(|p| p.end >= keyword_span.end).map_or(keyword_span.end, |p| p.end);
    let after = Span::new(keyword_span.end, line_end).text(source);
    let start = keyword_span.end + (after.len() - after.trim_start_matches(lex::BLANKS).len());
    let end = (parts.last.start + trim_newline(parts.last.text(source)).len()).max(start);
    let mut refuse = |message: String| {
        file.errors.push(Diagnostic { message, line: first + 1, span: Span::new(keyword_span.start, end) });
    };
    let mut heredocs = Vec::new();
    match verdict {
        Err(message) => refuse(message),
        Ok(true) if !file.torn => match find_heredocs(lines, logical.text(), at) {
            Ok(found) => heredocs = found,
            Err(Missing::Start(message)) => refuse(message),
            Err(Missing::End(name)) => {
                refuse(format!("the heredoc `{name}` has no end: no line holds `{name}` alone"));
                // BuildKit stops here. Looking for the ends of more heredocs that have none would take quadratic time.
                file.torn = true;
            }
        },
        Ok(_) => {}
    }
    drop(logical);
    Instruction { keyword, keyword_span, body: Span::new(start, end), heredocs, pieces: parts.pieces }
}

/// Why a heredoc is refused.
enum Missing {
    /// Its start can't be read.
    Start(String),
    /// The heredoc of this name has no end.
    End(String),
}

/// The heredocs that the joined `line` starts; `at` is moved from the first line of their contents to behind the last.
fn find_heredocs(lines: &Lines<'_>, line: &str, at: &mut usize) -> Result<Vec<Heredoc>, Missing> {
    let mut cursor = *at;
    let mut found = Vec::new();
    for start in heredoc::starts(line).map_err(Missing::Start)? {
        let body = lines.span(cursor).map_or(lines.source.len(), |span| span.start);
        let terminator = loop {
            let Some((span, text)) = lines.text(cursor) else { return Err(Missing::End(start.name)) };
            cursor += 1;
            let text = if start.strip_tabs { text.trim_start_matches('\t') } else { text };
            if text.starts_with(&start.name) && trim_newline(text) == start.name {
                break span;
            }
        };
        let content = Span::new(body, terminator.start);
        found.push(Heredoc { name: start.name, expand: start.expand, strip_tabs: start.strip_tabs, content, terminator });
    }
    *at = cursor;
    Ok(found)
}

/// Takes in the unbroken run of directives at the top; the number of its lines.
fn directives(file: &mut Dockerfile, lines: &Lines<'_>) -> usize {
    let mut at = 0;
    while let Some((span, text)) = lines.text(at) {
        let Some((name, value)) = line::directive(text) else { break };
        at += 1;
        let mut refuse = |message: String| file.errors.push(Diagnostic { message, line: at, span });
        if file.directives.iter().any(|d| d.name == name) {
            refuse(format!("only one `{name}` parser directive can be used"));
        } else if name == "escape" {
            match value {
                "\\" => file.escape = '\\',
                "`" => file.escape = '`',
                other => refuse(format!("the escape character is `\\` or a backtick, not `{other}`")),
            }
        }
        file.directives.push(Directive { name, value: value.to_owned(), span });
        file.items.push(Item { kind: ItemKind::Directive, span, start_line: at, end_line: at });
    }
    at
}
