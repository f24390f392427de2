//! From physical lines to items: what BuildKit's `parser.Parse` does with its scanner.

use pest::Parser as _;

use super::logical::Logical;
use super::{Directive, Dockerfile, Heredoc, Instruction, Item, ItemKind, Keyword, heredoc, lex, read};
use crate::source::{Diagnostic, LineIndex, Span};

use grammar::{Lines, Rule};

mod grammar {
    #![allow(missing_docs)]

    #[derive(pest_derive::Parser)]
    #[grammar = "../grammar/dockerfile.pest"]
    pub(super) struct Lines;
}

/// The longest physical line that the builder reads, in bytes without the newline (`bufio.MaxScanTokenSize - 1`).
const LONGEST_LINE: usize = 65_535;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Directive,
    Comment,
    Empty,
    Continued,
    Text,
}

#[derive(Clone, Copy, Debug)]
struct Line {
    kind: Kind,
    span: Span,
}

/// The physical lines of `source`, behind a byte-order mark.
fn lines(source: &str) -> Vec<Line> {
    let Ok(pairs) = Lines::parse(Rule::file, source) else {
        // The grammar is total. Should a hole ever open in it, the file is one line of text that nobody edits.
        return vec![Line { kind: Kind::Text, span: Span::new(0, source.len()) }];
    };
    let mut lines = Vec::with_capacity(source.len() / 32);
    for pair in pairs.flat_map(pest::iterators::Pair::into_inner) {
        let kind = match pair.as_rule() {
            Rule::directive | Rule::escape => Kind::Directive,
            Rule::comment => Kind::Comment,
            Rule::empty => Kind::Empty,
            Rule::continued => Kind::Continued,
            Rule::text => Kind::Text,
            _ => continue,
        };
        let span = pair.as_span();
        lines.push(Line { kind, span: Span::new(span.start(), span.end()) });
    }
    lines
}

/// The end of `span` in front of its line end: BuildKit's `trimNewline`.
pub(super) fn trim_newline(source: &str, span: Span) -> usize {
    span.start + span.text(source).trim_end_matches(['\r', '\n']).len()
}

pub(super) fn assemble(source: String) -> Dockerfile {
    let lines = lines(&source);
    let mut file = Dockerfile {
        lines: LineIndex::new(&source),
        source: String::new(),
        escape: '\\',
        directives: Vec::new(),
        items: Vec::with_capacity(lines.len()),
        errors: Vec::new(),
        torn: false,
    };
    let mut seen = false;
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        let first = at;
        at += 1;
        let kind = match line.kind {
            Kind::Directive => {
                directive(&mut file, &source, line.span, at);
                ItemKind::Directive
            }
            Kind::Comment => ItemKind::Comment,
            Kind::Empty => ItemKind::Blank,
            Kind::Continued | Kind::Text => {
                seen = true;
                let mut spans = Parts::new(&source, *line, file.escape, true);
                let mut open = line.kind == Kind::Continued;
                while open {
                    let Some(next) = lines.get(at) else { break };
                    at += 1;
                    spans.last = next.span;
                    if matches!(next.kind, Kind::Continued | Kind::Text) {
                        spans.push(&source, *next, file.escape);
                        open = next.kind == Kind::Continued;
                    }
                }
                ItemKind::Instruction(instruction(&mut file, &source, &spans, &lines, first, &mut at))
            }
        };
        let end = lines.get(at - 1).map_or(source.len(), |l| l.span.end);
        file.items.push(Item { kind, span: Span::new(line.span.start, end), start_line: first + 1, end_line: at });
    }
    for (i, line) in lines.iter().enumerate() {
        if line.span.len() > LONGEST_LINE && line.span.text(&source).trim_end_matches('\n').len() > LONGEST_LINE {
            file.errors.push(Diagnostic {
                message: format!("the line is longer than the {LONGEST_LINE} bytes that the builder reads"),
                line: i + 1,
                span: line.span,
            });
        }
    }
    if !seen && file.errors.is_empty() {
        let end = source.len();
        file.errors.push(Diagnostic { message: "no instructions in the file".into(), line: lines.len().max(1), span: Span::at(end) });
    }
    file.errors.sort_by_key(|e| e.line);
    file.source = source;
    file
}

/// The pieces of an instruction's lines that the builder joins.
struct Parts {
    pieces: Vec<Span>,
    last: Span,
}

impl Parts {
    fn new(source: &str, line: Line, escape: char, first: bool) -> Self {
        let mut parts = Self { pieces: Vec::new(), last: line.span };
        parts.push(source, line, escape);
        if let (true, Some(piece)) = (first, parts.pieces.first_mut()) {
            piece.start = piece.end - piece.text(source).trim_start().len();
        }
        parts
    }

    fn push(&mut self, source: &str, line: Line, escape: char) {
        let mut end = trim_newline(source, line.span);
        if line.kind == Kind::Continued {
            let text = Span::new(line.span.start, end).text(source).trim_end_matches([' ', '\t']);
            end = line.span.start + text.strip_suffix(escape).unwrap_or(text).len();
        }
        self.pieces.push(Span::new(line.span.start, end));
    }
}

fn instruction(file: &mut Dockerfile, source: &str, parts: &Parts, lines: &[Line], first: usize, at: &mut usize) -> Instruction {
    let logical = Logical::new(source, parts.pieces.iter().copied());
    let name = lex::split(logical.text()).keyword;
    let keyword = Keyword::from_name(name.text(logical.text()));
    let keyword_span = logical.span(name);
    // Behind the keyword's blanks on the line where it ends, so that a continuation right behind it belongs to the body.
    let line_end = parts.pieces.iter().find(|p| p.end >= keyword_span.end).map_or(keyword_span.end, |p| p.end);
    let after = Span::new(keyword_span.end, line_end).text(source);
    let start = keyword_span.end + (after.len() - after.trim_start_matches(lex::BLANKS).len());
    let end = trim_newline(source, parts.last).max(start);
    let mut instruction = Instruction {
        keyword,
        keyword_span,
        body: Span::new(start, end),
        pieces: parts.pieces.clone().into_boxed_slice(),
        heredocs: Vec::new(),
    };
    let errors = &mut file.errors;
    let mut refuse = |message: String| errors.push(Diagnostic { message, line: first + 1, span: Span::new(keyword_span.start, end) });
    if let Err(message) = read::check(logical.text(), file.escape) {
        refuse(message);
        return instruction;
    }
    if file.torn || !logical.text().contains("<<") || !read::takes_heredocs(logical.text(), file.escape) {
        return instruction;
    }
    match heredoc::starts(logical.text()) {
        Err(message) => refuse(message),
        Ok(starts) => {
            let (mut cursor, mut found) = (*at, Vec::with_capacity(starts.len()));
            for start in starts {
                let body = lines.get(cursor).map_or(source.len(), |l| l.span.start);
                let terminator = lines.iter().skip(cursor).position(|l| {
                    let line = Span::new(l.span.start, trim_newline(source, l.span)).text(source);
                    let line = if start.strip_tabs { line.trim_start_matches('\t') } else { line };
                    line == start.name
                });
                let Some(line) = terminator.and_then(|n| Some((cursor + n, lines.get(cursor + n)?))) else {
                    refuse(format!("the heredoc `{}` has no end: no line holds `{}` alone", start.name, start.name));
                    // BuildKit stops here. Looking for the ends of more heredocs that have none would take quadratic time.
                    file.torn = true;
                    return instruction;
                };
                cursor = line.0 + 1;
                found.push(Heredoc {
                    name: start.name,
                    expand: start.expand,
                    strip_tabs: start.strip_tabs,
                    content: Span::new(body, line.1.span.start),
                    terminator: line.1.span,
                });
            }
            *at = cursor;
            instruction.heredocs = found;
        }
    }
    instruction
}

/// Takes in the directive on `line`. The rules are those of `DirectiveParser.ParseLine` (parser/directives.go).
fn directive(file: &mut Dockerfile, source: &str, span: Span, line: usize) {
    let blanks = ['\t', '\n', '\u{c}', '\r', ' '];
    let text = span.text(source).trim_end_matches(['\r', '\n']).trim_start();
    let Some((name, value)) = text.strip_prefix('#').and_then(|t| t.split_once('=')) else { return };
    let name = name.trim().to_ascii_lowercase();
    let mut trimmed = value.trim_matches(blanks);
    if trimmed.is_empty() {
        // A value of blanks alone is its last blank.
        trimmed = value.char_indices().next_back().map_or("", |(i, _)| value.get(i..).unwrap_or(""));
    }
    let mut refuse = |message: String| file.errors.push(Diagnostic { message, line, span });
    if file.directives.iter().any(|d| d.name == name) {
        refuse(format!("only one `{name}` parser directive can be used"));
    } else if name == "escape" {
        match trimmed {
            "\\" => file.escape = '\\',
            "`" => file.escape = '`',
            other => refuse(format!("the escape character is `\\` or a backtick, not `{other}`")),
        }
    }
    file.directives.push(Directive { name, value: trimmed.to_owned(), span });
}
