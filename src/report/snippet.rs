//! A message with the line that it is about, and a caret.

use crate::source::{LineIndex, Span};
use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

/// The longest piece of a line that is shown.
const WIDTH: usize = 160;

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Something is wrong with the file.
    Error,
    /// Something is proposed.
    Proposal,
    /// Something was left alone.
    Refusal,
}

/// A message about a place in a file.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// What it is.
    pub kind: Kind,
    /// The transform that says it.
    pub id: Option<&'a str>,
    /// What it says.
    pub title: &'a str,
    /// What stands beside the caret.
    pub label: &'a str,
    /// The file's name.
    pub path: &'a str,
    /// The file's text.
    pub source: &'a str,
    /// The line, from 1; 0 for the file as a whole.
    pub line: usize,
    /// The exact place; empty for the line.
    pub span: Span,
}

/// Renders the message.
#[must_use]
pub fn render(message: &Message, lines: &LineIndex, colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() }.decor_style(DecorStyle::Ascii);
    let level = match message.kind {
        Kind::Error => Level::ERROR,
        Kind::Proposal => Level::HELP,
        Kind::Refusal => Level::NOTE,
    };
    if message.line == 0 {
        return renderer.render(&[level
            .primary_title(format!("{}: {}", message.path, message.title))
            .elements(Vec::<Snippet<'_, annotate_snippets::Annotation<'_>>>::new())]);
    }
    let start = lines.start(message.line);
    let line = message.source.get(start..).unwrap_or("").split('\n').next().unwrap_or("");
    let line = line.trim_end_matches('\r');
    let exact = message.span.start >= start && message.span.start < start + line.len() && !message.span.is_empty();
    let (from, to) = if exact {
        (message.span.start - start, message.span.end.saturating_sub(start).min(line.len()))
    } else {
        (line.len() - line.trim_start().len(), line.trim_end().len())
    };
    // A line may hold megabytes; only what stands around the place is shown.
    let begin = if from > WIDTH / 2 { floor(line, from - WIDTH / 4) } else { 0 };
    let shown = line.get(begin..floor(line, begin + WIDTH)).unwrap_or("");
    let from = floor(shown, from.saturating_sub(begin));
    let to = floor(shown, to.saturating_sub(begin)).max(from);
    let mut title = level.primary_title(message.title);
    if let Some(id) = message.id {
        title = title.id(id);
    }
    let mut annotation = AnnotationKind::Primary.span(from..to);
    if !message.label.is_empty() {
        annotation = annotation.label(message.label);
    }
    renderer.render(&[title.element(Snippet::source(shown).path(message.path).line_start(message.line).annotation(annotation))])
}

/// The nearest border of a character at or before `at`.
fn floor(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    (0..=at).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(source: &str, line: usize, span: Span) -> String {
        let message = Message { kind: Kind::Error, id: None, title: "wrong", label: "", path: "Dockerfile", source, line, span };
        render(&message, &LineIndex::new(source), false)
    }

    #[test]
    fn points_at_the_place() {
        let text = shown("FROM a\nRNU b\n", 2, Span::new(7, 10));
        assert!(text.contains("Dockerfile:2:1") && text.contains("2 | RNU b") && text.contains("^^^"), "{text}");
    }

    #[test]
    fn no_place_is_too_odd() {
        for source in ["", "é", "\n", "a\r\n", &"x".repeat(1_000_000), "\t\t\u{2028}é\n"] {
            for line in [0, 1, 2, 9] {
                for span in [Span::new(0, 0), Span::new(0, 1), Span::new(1, 99), Span::new(999_999, 1_000_001)] {
                    assert!(shown(source, line, span).len() < 1000);
                }
            }
        }
    }
}
