//! The text that the shell gets, with the way back into the file.

use crate::source::Span;
use crate::syntax::{Form, Instruction, Reading};

/// The text that a shell runs, and where each piece of it stands in the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Body {
    text: String,
    /// Offsets in `text` where a piece starts, with the piece's place in the file; in order.
    pieces: Vec<(usize, usize)>,
    /// Where everything stands when the text has no place of its own (the argument of `sh -c "..."`).
    fixed: Option<Span>,
}

impl Body {
    /// The logical line of `span`: what the builder leaves of it after joining continuations and dropping the comment lines
    /// and empty lines inside.
    #[must_use]
    pub fn line(source: &str, span: Span, escape: char) -> Self {
        let mut body = Self::default();
        let mut offset = span.start;
        for (index, line) in span.text(source).split_inclusive('\n').enumerate() {
            let start = offset;
            offset += line.len();
            let content = line.trim_end_matches(['\r', '\n']);
            let visible = content.trim_start();
            if index > 0 && (visible.is_empty() || visible.starts_with('#')) {
                continue;
            }
            body.push(start, without_continuation(content, escape).unwrap_or(content));
        }
        body
    }

    /// The text of `span` as it stands, such as a heredoc's content.
    #[must_use]
    pub fn verbatim(source: &str, span: Span) -> Self {
        let mut body = Self::default();
        body.push(span.start, span.text(source));
        body
    }

    /// A text without a place of its own: all its spans become `place`.
    #[must_use]
    pub fn inside(text: &str, place: Span) -> Self {
        Self { text: text.to_owned(), pieces: Vec::new(), fixed: Some(place) }
    }

    /// What the shell of a RUN gets: the logical line and the heredocs that it feeds, or the content of `RUN <<EOF`.
    /// `None` for the exec form, and for a script that names its own interpreter.
    #[must_use]
    pub fn of_run(source: &str, instruction: &Instruction, reading: &Reading, escape: char) -> Option<Self> {
        if reading.form == Form::Exec {
            return None;
        }
        let mut body = Self::line(source, reading.arguments, escape);
        if body.is_script_heredoc(instruction.heredocs.len()) {
            let heredoc = instruction.heredocs.first()?;
            let content = heredoc.content.text(source);
            if content.starts_with("#!") {
                return None;
            }
            let mut script = Self::default();
            let mut offset = heredoc.content.start;
            for line in content.split_inclusive('\n') {
                let stripped = if heredoc.strip_tabs { line.trim_start_matches('\t') } else { line };
                script.push(offset + line.len() - stripped.len(), stripped);
                offset += line.len();
            }
            return Some(script);
        }
        if let (Some(first), Some(last)) = (instruction.heredocs.first(), instruction.heredocs.last()) {
            body.push(first.content.start.saturating_sub(1), "\n");
            let rest = Span::new(first.content.start, last.terminator.end);
            body.push(rest.start, rest.text(source));
        }
        Some(body)
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The place in the file of the text from `start` up to `end`: from its first byte to behind its last one.
    #[must_use]
    pub fn place(&self, start: usize, end: usize) -> Span {
        if let Some(place) = self.fixed {
            return place;
        }
        if end <= start {
            return Span::at(self.offset(start));
        }
        Span::new(self.offset(start), self.offset(end - 1) + 1)
    }

    /// Whether the whole body is one heredoc, whose content then is the script.
    fn is_script_heredoc(&self, heredocs: usize) -> bool {
        let text = self.text.trim().trim_start_matches(|c: char| c.is_ascii_digit());
        let Some(name) = text.strip_prefix("<<") else {
            return false;
        };
        let name = name.strip_prefix('-').unwrap_or(name).trim_start();
        heredocs == 1 && !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || "<>|&;()".contains(c))
    }

    fn push(&mut self, offset: usize, text: &str) {
        if !text.is_empty() {
            self.pieces.push((self.text.len(), offset));
            self.text.push_str(text);
        }
    }

    fn offset(&self, at: usize) -> usize {
        let piece = self.pieces.partition_point(|(start, _)| *start <= at).saturating_sub(1);
        self.pieces.get(piece).map_or(0, |(start, place)| place + at.saturating_sub(*start))
    }
}

/// The line without its continuation, if it ends in one: the escape character, not escaped itself, and blanks.
fn without_continuation(line: &str, escape: char) -> Option<&str> {
    let before = line.trim_end_matches([' ', '\t']).strip_suffix(escape)?;
    (!before.ends_with(escape)).then_some(before)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str, escape: char) -> Body {
        Body::line(text, Span::new(0, text.len()), escape)
    }

    #[test]
    fn joins_as_the_builder_does() {
        assert_eq!(line("a \\\n  && al\\\npine", '\\').text(), "a   && alpine");
        assert_eq!(line("a \\  \r\n # comment \\\r\n\r\n b", '\\').text(), "a  b");
        assert_eq!(line("dir c:\\ `\n x", '`').text(), "dir c:\\  x");
        assert_eq!(line("a \\\\\n", '\\').text(), "a \\\\");
    }

    #[test]
    fn places_lead_back_into_the_file() {
        let source = "é a \\\n# no\n b";
        let body = line(source, '\\');
        let at = body.text().find('b').unwrap();
        assert_eq!(body.place(at, at + 1).text(source), "b");
        assert_eq!(body.place(0, body.text().len()), Span::new(0, source.len()));
    }
}
