//! JSON arrays of the exec form, as Go's encoding/json takes them. Without recursion: nesting can't overflow a stack.

use crate::source::Span;

/// What `parseJSON` in parser/line_parsers.go makes of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Json {
    /// An array of strings, decoded, each with its bytes, quotes included.
    Strings(Vec<(String, Span)>),
    /// An array, but not of strings alone: the builder refuses it.
    Mixed,
    /// Anything else: the instruction is in shell form.
    None,
}

/// How deep Go's decoder goes before it gives up.
const DEEPEST: usize = 10_000;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Expect {
    Value,
    ValueOrEnd,
    Key,
    KeyOrEnd,
    Colon,
    CommaOrEnd,
}

pub(super) fn array(text: &str) -> Json {
    let start = text.len() - text.trim_start().len();
    if !text.get(start..).is_some_and(|t| t.starts_with('[')) {
        return Json::None;
    }
    read(text, start).unwrap_or(Json::None)
}

fn read(text: &str, start: usize) -> Option<Json> {
    let bytes = text.as_bytes();
    let mut at = start;
    let mut open: Vec<u8> = Vec::new();
    let mut expect = Expect::Value;
    let mut strings = Vec::new();
    let mut mixed = false;
    loop {
        while matches!(bytes.get(at), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            at += 1;
        }
        let byte = *bytes.get(at)?;
        let value = matches!(expect, Expect::Value | Expect::ValueOrEnd);
        match byte {
            b'[' | b'{' if value => {
                mixed |= open.len() == 1;
                open.push(byte);
                if open.len() > DEEPEST {
                    return None;
                }
                expect = if byte == b'[' { Expect::ValueOrEnd } else { Expect::KeyOrEnd };
                at += 1;
            }
            b']' | b'}' => {
                let opener = if byte == b']' { b'[' } else { b'{' };
                let empty = if byte == b']' { Expect::ValueOrEnd } else { Expect::KeyOrEnd };
                if open.pop() != Some(opener) || (expect != Expect::CommaOrEnd && expect != empty) {
                    return None;
                }
                expect = Expect::CommaOrEnd;
                at += 1;
                if open.is_empty() {
                    let rest = text.get(at..)?.trim_matches([' ', '\t', '\r', '\n']);
                    return rest.is_empty().then_some(if mixed { Json::Mixed } else { Json::Strings(strings) });
                }
            }
            b',' if expect == Expect::CommaOrEnd => {
                expect = if open.last() == Some(&b'[') { Expect::Value } else { Expect::Key };
                at += 1;
            }
            b':' if expect == Expect::Colon => {
                expect = Expect::Value;
                at += 1;
            }
            b'"' if value || matches!(expect, Expect::Key | Expect::KeyOrEnd) => {
                let (string, end) = string(text, at)?;
                if open.len() == 1 {
                    strings.push((string, Span::new(at, end)));
                }
                expect = if value { Expect::CommaOrEnd } else { Expect::Colon };
                at = end;
            }
            _ if value => {
                mixed |= open.len() == 1;
                at = scalar(text, at)?;
                expect = Expect::CommaOrEnd;
            }
            _ => return None,
        }
    }
}

/// The end of the literal or number at `at`. A number beyond the range of a double is an error in Go too.
fn scalar(text: &str, at: usize) -> Option<usize> {
    let rest = text.get(at..)?;
    for literal in ["true", "false", "null"] {
        if rest.starts_with(literal) {
            return Some(at + literal.len());
        }
    }
    let len = rest.find(|c: char| !matches!(c, '0'..='9' | '+' | '-' | '.' | 'e' | 'E')).unwrap_or(rest.len());
    let number = rest.get(..len)?;
    let (mantissa, exponent) = number.split_once(['e', 'E']).map_or((number, None), |(m, e)| (m, Some(e)));
    let mantissa = mantissa.strip_prefix('-').unwrap_or(mantissa);
    let (whole, fraction) = mantissa.split_once('.').map_or((mantissa, None), |(w, f)| (w, Some(f)));
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    let fits = digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(|e| digits(e.strip_prefix(['+', '-']).unwrap_or(e)));
    (fits && number.parse::<f64>().is_ok_and(f64::is_finite)).then_some(at + len)
}

/// The decoded string that opens at `at`, and its end.
fn string(text: &str, at: usize) -> Option<(String, usize)> {
    let mut out = String::new();
    let mut chars = text.get(at + 1..)?.char_indices();
    while let Some((offset, c)) = chars.next() {
        match c {
            '"' => return Some((out, at + 1 + offset + 1)),
            '\\' => match chars.next()?.1 {
                c @ ('"' | '\\' | '/') => out.push(c),
                'b' => out.push('\u{8}'),
                'f' => out.push('\u{c}'),
                'n' => out.push('\n'),
                'r' => out.push('\r'),
                't' => out.push('\t'),
                'u' => {
                    let high = hex4(&mut chars)?;
                    let mut ahead = chars.clone();
                    let low = if (0xd800..0xdc00).contains(&high)
                        && ahead.next().is_some_and(|c| c.1 == '\\')
                        && ahead.next().is_some_and(|c| c.1 == 'u')
                    {
                        hex4(&mut ahead).filter(|low| (0xdc00..0xe000).contains(low))
                    } else {
                        None
                    };
                    let code = match low {
                        Some(low) => {
                            chars = ahead;
                            0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00)
                        }
                        None => high,
                    };
                    out.push(char::from_u32(code).unwrap_or('\u{fffd}'));
                }
                _ => return None,
            },
            c if c < ' ' => return None,
            c => out.push(c),
        }
    }
    None
}

fn hex4(chars: &mut std::str::CharIndices<'_>) -> Option<u32> {
    (0..4).try_fold(0, |n, _| Some(n * 16 + chars.next()?.1.to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::{Json, array};

    fn strings(text: &str) -> Option<Vec<String>> {
        match array(text) {
            Json::Strings(s) => Some(s.into_iter().map(|s| s.0).collect()),
            _ => None,
        }
    }

    #[test]
    fn takes_what_go_takes() {
        assert_eq!(strings(r#" [ "a" , "b c" ] "#).unwrap(), ["a", "b c"]);
        assert_eq!(strings("[]").unwrap(), [""; 0]);
        assert_eq!(strings(r#"["\u00e9\ud83d\ude00\ud83d"]"#).unwrap(), ["\u{e9}\u{1f600}\u{fffd}"]);
    }

    #[test]
    fn falls_back_where_it_is_no_json() {
        for text in [
            "['a']",
            r#"["a",]"#,
            r#"["a"] x"#,
            "[a]",
            "[",
            "[\"a\tb\"]",
            "[01]",
            "[1e999]",
            r#"["\x"]"#,
            r#"{"a":"b"}"#,
            "",
            "[1.]",
            "[}",
            r#"[{"a"}]"#,
        ] {
            assert_eq!(array(text), Json::None, "{text}");
        }
        assert_eq!(array(&"[".repeat(100_000)), Json::None);
        assert_eq!(array(&format!("{}{}", "[".repeat(20_000), "]".repeat(20_000))), Json::None);
    }

    #[test]
    fn tells_arrays_of_other_things() {
        for text in ["[1]", "[null]", r#"["a", true]"#, r#"[["a"]]"#, r#"[{"a": ["b"]}]"#, "[{}]", "[-0.5e+3]"] {
            assert_eq!(array(text), Json::Mixed, "{text}");
        }
    }
}
