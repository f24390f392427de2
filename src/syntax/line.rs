//! What one physical line is, as BuildKit's scanner tells it (`Parse` in parser/parser.go).
//!
//! The scanner looks at the two ends of a line and never between them, and so does this.

use pest::Parser as _;

use grammar::{Directives, Rule};

mod grammar {
    #![allow(missing_docs)]

    #[derive(pest_derive::Parser)]
    #[grammar = "../grammar/directives.pest"]
    pub(super) struct Directives;
}

/// What a line is. A line inside the body of a heredoc has no kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// White space and a `#` in front: `isComment`.
    Comment,
    /// Nothing but white space: `isEmptyContinuationLine`.
    Blank,
    /// Text with one escape character behind it, and perhaps blanks: the next line belongs to it. Holds the length of the text.
    Continued(usize),
    /// Any other text. Holds its length without the line end.
    Text(usize),
}

/// The kind of `line`, which may have its end. `trimContinuationCharacter`.
pub(super) fn kind(line: &str, escape: char) -> Kind {
    match line.trim_start().as_bytes().first() {
        None => return Kind::Blank,
        Some(b'#') => return Kind::Comment,
        Some(_) => {}
    }
    let text = trim_newline(line);
    match text.trim_end_matches([' ', '\t']).strip_suffix(escape) {
        // Two in a row are an escaped escape character.
        Some(before) if !before.ends_with(escape) => Kind::Continued(before.len()),
        _ => Kind::Text(text.len()),
    }
}

/// `line` without its end: BuildKit's `trimNewline`.
pub(super) fn trim_newline(line: &str) -> &str {
    line.trim_end_matches(['\r', '\n'])
}

/// The name of the directive that `line` is, in lower case, and its value.
pub(super) fn directive(line: &str) -> Option<(String, &str)> {
    // Most files start with an instruction: there is no need to ask the grammar.
    if !line.trim_start().starts_with('#') {
        return None;
    }
    let (mut name, mut value) = (None, None);
    for pair in Directives::parse(Rule::directive, line).ok()?.next()?.into_inner() {
        match pair.as_rule() {
            Rule::name => name = Some(pair.as_str().to_ascii_lowercase()),
            Rule::value => value = Some(trim_value(trim_newline(pair.as_str()))),
            _ => {}
        }
    }
    Some((name?, value?))
}

/// Without the blanks around it; a value of blanks alone is its last blank.
fn trim_value(value: &str) -> &str {
    let trimmed = value.trim_matches(['\t', '\n', '\u{c}', '\r', ' ']);
    if trimmed.is_empty() { value.char_indices().next_back().and_then(|(i, _)| value.get(i..)).unwrap_or("") } else { trimmed }
}

#[cfg(test)]
mod tests {
    use super::{Kind, directive, kind};

    #[test]
    fn one_escape_character_at_the_end_continues() {
        for (line, expected) in [
            ("a \\\n", Kind::Continued(2)),
            ("a \\ \t\r\n", Kind::Continued(2)),
            ("a \\", Kind::Continued(2)),
            ("\\\n", Kind::Continued(0)),
            ("a \\\\\n", Kind::Text(4)),
            ("a \\\\\\\n", Kind::Text(5)),
            ("a \\\r \n", Kind::Text(5)),
            ("a `\n", Kind::Text(3)),
            ("a\r\r\n", Kind::Text(1)),
            (" \u{a0}# a \\\n", Kind::Comment),
            ("\u{85}\t\r\n", Kind::Blank),
            ("", Kind::Blank),
        ] {
            assert_eq!(kind(line, '\\'), expected, "{line:?}");
        }
        assert_eq!(kind("a `\n", '`'), Kind::Continued(2));
    }

    #[test]
    fn a_directive_has_a_known_name_and_a_value() {
        for (line, name, value) in [
            ("# syntax=a=b\n", "syntax", "a=b"),
            ("\t#\u{a0}ESCAPE\t= ` \r\n", "escape", "`"),
            ("#check= \t\n", "check", "\t"),
            ("# escape=x", "escape", "x"),
        ] {
            assert_eq!(directive(line), Some((name.to_owned(), value)), "{line:?}");
        }
        for line in ["# foo=bar\n", "# syntax a\n", "# syntax=\r\n", "# syntax=", "syntax=a\n", "# syn tax=a\n", "\n", ""] {
            assert_eq!(directive(line), None, "{line:?}");
        }
    }
}
