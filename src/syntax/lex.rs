//! How BuildKit's parser cuts a joined line: keyword, flags, words. One function for each of its own, with its quirks.

use std::borrow::Cow;

use crate::source::Span;

/// What separates words for the builder (`reWhitespace` in parser/parser.go): narrower than Unicode's white space.
pub(super) const BLANKS: [char; 5] = ['\t', '\u{b}', '\u{c}', '\r', ' '];

/// The keyword and the rest of a joined line, as spans into it. `splitCommand` in parser/split_command.go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Split {
    pub(super) keyword: Span,
    /// From behind the blanks up to the last character that is no white space; `None` where nothing follows the keyword.
    pub(super) rest: Option<Span>,
}

pub(super) fn split(line: &str) -> Split {
    let start = line.len() - line.trim_start().len();
    let end = line.trim_end().len().max(start);
    let trimmed = line.get(start..end).unwrap_or("");
    match trimmed.find(BLANKS) {
        None => Split { keyword: Span::new(start, end), rest: None },
        Some(n) => {
            let rest = trimmed.get(n..).unwrap_or("").trim_start_matches(BLANKS);
            Split { keyword: Span::new(start, start + n), rest: Some(Span::new(end - rest.len(), end)) }
        }
    }
}

/// A word with quotes and escapes as written, and its bytes in the text that it was read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece<'a> {
    pub(super) text: Cow<'a, str>,
    pub(super) span: Span,
}

/// The flags in front of the arguments, decoded, and where the arguments start.
///
/// `extractBuilderFlags` in parser/split_command.go goes through bytes and takes each for a character of Latin-1: a flag
/// beyond ASCII comes out garbled, and the bytes 85 and A0 count as white space. So do ours.
pub(super) fn flags(rest: &str, escape: char) -> (Vec<Piece<'_>>, usize) {
    let bytes = rest.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    loop {
        while bytes.get(at).copied().is_some_and(is_latin_space) {
            at += 1;
        }
        if bytes.get(at) != Some(&b'-') || bytes.get(at + 1) != Some(&b'-') {
            return (found, at);
        }
        let start = at;
        // Nearly every flag is itself: nothing in it needs decoding.
        let len = bytes.iter().skip(start).position(|b| !b.is_ascii_graphic() || matches!(b, b'\'' | b'"' | b'\\' | b'`'));
        if let Some(text) = len.and_then(|len| rest.get(start..start + len)).filter(|t| bytes.get(start + t.len()) == Some(&b' ')) {
            at = start + text.len();
            if text == "--" {
                return (found, at);
            }
            found.push(Piece { text: text.into(), span: Span::new(start, at) });
            continue;
        }
        let mut text = String::new();
        let (mut quote, mut quoted) = (None, false);
        loop {
            let Some(&byte) = bytes.get(at) else {
                if text != "--" && (quoted || !text.is_empty()) {
                    found.push(Piece { text: text.into(), span: Span::new(start, at) });
                }
                return (found, bytes.len());
            };
            if quote == Some(byte) {
                quote = None;
            } else if quote.is_none() && is_latin_space(byte) {
                break;
            } else if quote.is_none() && matches!(byte, b'\'' | b'"') {
                (quote, quoted) = (Some(byte), true);
            } else if char::from(byte) == escape {
                at += 1;
                match bytes.get(at) {
                    Some(next) => text.push(char::from(*next)),
                    None => continue,
                }
            } else {
                text.push(char::from(byte));
            }
            at += 1;
        }
        if text == "--" {
            return (found, at);
        }
        found.push(Piece { text: text.into(), span: Span::new(start, at) });
    }
}

fn is_latin_space(byte: u8) -> bool {
    matches!(byte, b'\t'..=b'\r' | b' ' | 0x85 | 0xa0)
}

/// The text from byte `at` on. Where `flags` stopped inside a character, its remains become U+FFFD as in BuildKit's output.
pub(super) fn from_byte(text: &str, at: usize) -> Cow<'_, str> {
    if let Some(rest) = text.get(at..) {
        return rest.into();
    }
    let boundary = (at..text.len()).find(|i| text.is_char_boundary(*i)).unwrap_or(text.len());
    let mut lossy = "\u{fffd}".repeat(boundary - at);
    lossy.push_str(text.get(boundary..).unwrap_or(""));
    lossy.into()
}

/// The first word and the rest, cut at white space of Latin-1. The beginning of `parseHealthConfig` in parser/line_parsers.go.
pub(super) fn first_word(args: &str) -> (Cow<'_, str>, usize) {
    let bytes = args.as_bytes();
    let end = bytes.iter().position(|b| is_latin_space(*b)).unwrap_or(bytes.len());
    let next = bytes.iter().skip(end).position(|b| !is_latin_space(*b)).map_or(bytes.len(), |n| end + n);
    let word = args.get(..end).map_or_else(
        || {
            let boundary = (0..end).rev().find(|i| args.is_char_boundary(*i)).unwrap_or(0);
            let mut lossy = args.get(..boundary).unwrap_or("").to_owned();
            lossy.push_str(&"\u{fffd}".repeat(end - boundary));
            Cow::Owned(lossy)
        },
        Cow::Borrowed,
    );
    (word, next)
}

/// Words between blanks. `parseStringsWhitespaceDelimited` in parser/line_parsers.go.
pub(super) fn blank_delimited(args: &str) -> Vec<Piece<'_>> {
    let mut words = Vec::new();
    let mut at = 0;
    // Unlike an iterator over non-empty words this keeps an empty one at the edges, where white space beyond BLANKS left it.
    loop {
        let rest = args.get(at..).unwrap_or("");
        let len = rest.find(BLANKS).unwrap_or(rest.len());
        words.push(Piece { text: rest.get(..len).unwrap_or("").into(), span: Span::new(at, at + len) });
        let behind = rest.get(len..).unwrap_or("");
        if behind.is_empty() {
            return words;
        }
        at += len + (behind.len() - behind.trim_start_matches(BLANKS).len());
    }
}

/// Words between white space, quotes and escapes kept. `parseWords` in parser/line_parsers.go.
pub(super) fn words(args: &str, escape: char) -> impl Iterator<Item = Piece<'_>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let (word, next) = word(args, at, escape)?;
            at = next;
            if word.is_some() {
                return word;
            }
        }
    })
}

/// The next word from `at` on, if it holds anything, and where to go on; `None` at the end.
fn word(args: &str, at: usize, escape: char) -> Option<(Option<Piece<'_>>, usize)> {
    let rest = args.get(at..)?;
    let start = at + (rest.len() - rest.trim_start().len());
    let mut chars = args.get(start..).filter(|rest| !rest.is_empty())?.char_indices();
    let (mut quote, mut len, mut quoted, mut dropped) = (None, 0, false, false);
    while let Some((offset, c)) = chars.next() {
        if quote.is_none() && c.is_whitespace() {
            break;
        }
        len = offset + c.len_utf8();
        if quote == Some(c) {
            quote = None;
        } else if quote.is_none() && matches!(c, '\'' | '"') {
            (quote, quoted) = (Some(c), true);
        }
        if c == escape && quote != Some('\'') {
            match chars.next() {
                Some((offset, c)) => len = offset + c.len_utf8(),
                // An escape character at the very end is dropped.
                None => dropped = true,
            }
        }
    }
    let end = start + len;
    let text = args.get(start..if dropped { end - escape.len_utf8() } else { end }).unwrap_or("");
    let found = (quoted || !text.is_empty()).then(|| Piece { text: text.into(), span: Span::new(start, end) });
    Some((found, end))
}
