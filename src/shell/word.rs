//! Words of the shell: what they say once quotes are removed.

/// The value of a word if nothing in it is expanded: no variable, substitution, glob, brace list or leading tilde.
#[must_use]
pub fn literal(raw: &str) -> Option<String> {
    let mut value = String::with_capacity(raw.len());
    let mut chars = raw.chars().peekable();
    if raw.starts_with('~') {
        return None;
    }
    while let Some(c) = chars.next() {
        match c {
            '\'' => loop {
                match chars.next()? {
                    '\'' => break,
                    quoted => value.push(quoted),
                }
            },
            '"' => loop {
                match chars.next()? {
                    '"' => break,
                    '$' if chars.peek().is_some_and(|n| expands(*n)) => return None,
                    '`' => return None,
                    '\\' => match chars.next()? {
                        '\n' => {}
                        escaped @ ('"' | '\\' | '$' | '`') => value.push(escaped),
                        other => value.extend(['\\', other]),
                    },
                    quoted => value.push(quoted),
                }
            },
            '\\' => match chars.next()? {
                '\n' => {}
                escaped => value.push(escaped),
            },
            // `$'...'` and `$"..."` are left to the shell as well.
            '$' if chars.peek().is_some_and(|n| expands(*n) || matches!(n, '\'' | '"')) => {
                return None;
            }
            '`' | '*' | '?' => return None,
            // A bracket that is not closed is one: `[` is a command.
            '[' if chars.clone().any(|c| c == ']') => return None,
            '{' if is_brace_list(chars.clone()) => return None,
            other => value.push(other),
        }
    }
    Some(value)
}

fn expands(next: char) -> bool {
    next.is_alphanumeric() || "_{(@*#?-$!".contains(next)
}

/// Whether what follows a `{` makes a list of words of it (in bash).
fn is_brace_list(rest: impl Iterator<Item = char>) -> bool {
    let inner: String = rest.take_while(|c| *c != '}' && !c.is_whitespace()).collect();
    inner.contains(',') || inner.contains("..")
}

#[cfg(test)]
mod tests {
    use super::literal;

    #[test]
    fn quotes_go() {
        for (raw, value) in [
            ("a", "a"),
            ("'a b'", "a b"),
            ("\"a\\\"b\"", "a\"b"),
            ("a\\ b", "a b"),
            ("x=\"y\"z", "x=yz"),
            ("", ""),
            ("5$", "5$"),
            ("[", "["),
            ("[[", "[["),
        ] {
            assert_eq!(literal(raw).as_deref(), Some(value), "{raw}");
        }
    }

    #[test]
    fn what_is_expanded_is_unknown() {
        for raw in ["$a", "\"$a\"", "`a`", "*.c", "~/x", "a{b,c}", "${x}", "$(y)", "'open", "$'a'", "[ab].c"] {
            assert_eq!(literal(raw), None, "{raw}");
        }
    }
}
