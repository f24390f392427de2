//! The patterns of `${v#p}` and `${v/p/r}`: `?` is one character, `*` any number, neither crosses a line.

/// A pattern, read as `convertShellPatternToRegex` in BuildKit's shell/lex.go reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    tokens: Vec<Token>,
    greedy: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Literal(char),
    Any,
    Star,
}

impl Pattern {
    pub(super) fn parse(text: &str, greedy: bool) -> Result<Self, String> {
        let mut tokens = Vec::new();
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            tokens.push(match c {
                '*' => Token::Star,
                '?' => Token::Any,
                '\\' => match chars.peek() {
                    Some('}' | '/') => continue,
                    Some(c @ ('*' | '?' | '\\')) => {
                        let literal = Token::Literal(*c);
                        chars.next();
                        literal
                    }
                    _ => return Err(format!("the pattern `{text}` holds an escape that escapes nothing")),
                },
                c => Token::Literal(c),
            });
        }
        // Stars in a row match what one does.
        tokens.dedup_by(|a, b| *a == Token::Star && *b == Token::Star);
        Ok(Self { tokens, greedy })
    }

    /// The end of the match that starts at the start of `text`: the last one that is possible, or the first.
    fn end(&self, text: &[char]) -> Option<usize> {
        let mut ends = vec![0_usize];
        for token in &self.tokens {
            let mut next: Vec<usize> = Vec::new();
            for &end in &ends {
                match token {
                    Token::Literal(c) if text.get(end) == Some(c) => next.push(end + 1),
                    Token::Any if text.get(end).is_some_and(|c| *c != '\n') => next.push(end + 1),
                    Token::Star if next.last().is_none_or(|n| *n < end) => {
                        let stop = text.iter().skip(end).position(|c| *c == '\n').map_or(text.len(), |n| end + n);
                        next.extend(end..=stop);
                    }
                    _ => {}
                }
            }
            ends = next;
        }
        if self.greedy { ends.last().copied() } else { ends.first().copied() }
    }

    /// `value` without what matches at its start.
    pub(super) fn trim_prefix(&self, value: &str) -> Result<String, String> {
        let chars: Vec<char> = value.chars().collect();
        self.fits(&chars)?;
        Ok(self.end(&chars).map_or_else(|| value.to_owned(), |end| chars.iter().skip(end).collect()))
    }

    /// `value` with the first match, or all of them, replaced; `fits` is asked whether the result may have so many bytes.
    pub(super) fn replace(
        &self,
        value: &str,
        replacement: &str,
        all: bool,
        fits: &dyn Fn(usize) -> Result<(), String>,
    ) -> Result<String, String> {
        let chars: Vec<char> = value.chars().collect();
        self.fits(&chars)?;
        let mut out = String::new();
        let (mut at, mut last) = (0, None);
        while at <= chars.len() {
            let rest = chars.get(at..).unwrap_or(&[]);
            // An empty match right behind another match is none.
            if let Some(len) = self.end(rest).filter(|len| *len > 0 || last != Some(at)) {
                let matched: String = rest.iter().take(len).collect();
                if !all {
                    out.push_str(replacement);
                    out.extend(rest.iter().skip(len));
                    return Ok(out);
                }
                // Each `$` may stand for the match.
                fits(out.len() + replacement.len() + replacement.matches('$').count() * matched.len())?;
                out.push_str(&template(replacement, &matched));
                at += len;
                last = Some(at);
                if len > 0 {
                    continue;
                }
            }
            out.extend(chars.get(at));
            at += 1;
        }
        Ok(out)
    }

    /// Refuses what would take too long: the search goes over every start, end and token.
    fn fits(&self, value: &[char]) -> Result<(), String> {
        const MOST: usize = 50_000_000;
        let work = value.len().saturating_mul(value.len()).saturating_mul(self.tokens.len().max(1));
        if work > MOST { Err("the pattern and the value are too long to match".into()) } else { Ok(()) }
    }
}

/// `$0` and `$name` in a replacement, as Go's `Regexp.Expand` takes them: BuildKit hands the text of `${v//p/r}` to it.
fn template(replacement: &str, matched: &str) -> String {
    let mut out = String::new();
    let mut rest = replacement;
    while let Some((before, behind)) = rest.split_once('$') {
        out.push_str(before);
        if let Some(behind) = behind.strip_prefix('$') {
            out.push('$');
            rest = behind;
            continue;
        }
        let word = |s: &str| s.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(s.len());
        let (name, next) = match behind.strip_prefix('{') {
            Some(inner) => {
                let len = word(inner);
                match inner.get(len..).and_then(|t| t.strip_prefix('}')) {
                    Some(next) => (inner.get(..len).unwrap_or(""), next),
                    None => ("", behind),
                }
            }
            None => behind.split_at(word(behind)),
        };
        if name.is_empty() {
            out.push('$');
            rest = behind;
        } else {
            if name == "0" {
                out.push_str(matched);
            }
            rest = next;
        }
    }
    out.push_str(rest);
    out
}

/// The pattern that matches the reversed text: its escapes stay in front of what they escape.
pub(super) fn reverse(pattern: &str) -> String {
    let mut units: Vec<String> = Vec::new();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        let mut unit = String::from(c);
        if c == '\\' {
            unit.extend(chars.next());
        }
        units.push(unit);
    }
    units.into_iter().rev().collect()
}
