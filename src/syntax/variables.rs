//! Words with quotes and variables: where the variables are, and what the builder makes of them.
//!
//! The grammar is `grammar/variables.pest`; the evaluation follows `frontend/dockerfile/shell/lex.go` of BuildKit.

use pest::Parser as _;
use pest::iterators::Pair;

use super::pattern::Pattern;
use crate::source::Span;

use grammar::{Rule, Words};

mod grammar {
    #![allow(missing_docs)]

    #[derive(pest_derive::Parser)]
    #[grammar = "../grammar/variables.pest"]
    pub(super) struct Words;
}

/// How deep `${a:-${b:-...}}` may nest. Far beyond what people write, and far from the end of the stack.
const DEEPEST: usize = 200;

/// How many bytes variables may add to a text. Linux hands no longer string to a program (`MAX_ARG_STRLEN`), and without
/// a bound a few lines of `ENV A=$A$A` or a nested `${A///...}` fill the memory.
const MOST_ADDED: usize = 128 << 10;

/// What a look-up says of a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// It is set to this.
    Known(String),
    /// It is not set.
    Unset,
    /// Whether it is set, or to what, depends on the build.
    Unknown,
}

/// A variable as it stands in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// All of it, from the `$` to the last letter or the `}`.
    pub span: Span,
    /// The modifier's sign: `:-`, `+`, `##`, `//` ...; `None` for `$v` and `${v}`.
    pub modifier: Option<String>,
    /// The operand behind the sign as written.
    pub operand: Option<Span>,
}

/// The variables of `text` in order, those in operands included. Nothing where the builder would refuse the text.
#[must_use]
pub fn variables(text: &str, escape: char) -> Vec<Variable> {
    let Ok(pair) = parse(text, escape, false) else { return Vec::new() };
    let mut found = Vec::new();
    for pair in pair.into_inner().flatten() {
        if !matches!(pair.as_rule(), Rule::plain | Rule::braced) {
            continue;
        }
        let span = Span::new(pair.as_span().start(), pair.as_span().end());
        let mut variable = Variable { name: String::new(), span, modifier: None, operand: None };
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::name => part.as_str().clone_into(&mut variable.name),
                Rule::fallback | Rule::trim | Rule::replace => {
                    let end = part.as_span().end();
                    let mut parts = part.into_inner();
                    if let Some(sign) = parts.next() {
                        if is_odd(&sign) {
                            return Vec::new();
                        }
                        variable.operand = Some(Span::new(sign.as_span().end(), end));
                        let operand = text.get(sign.as_span().end()..end).unwrap_or("");
                        let doubled = sign.as_rule() == Rule::trim_sign && operand.starts_with(sign.as_str());
                        variable.modifier = Some(sign.as_str().repeat(if doubled { 2 } else { 1 }));
                    }
                }
                _ => {}
            }
        }
        found.push(variable);
    }
    found
}

/// Whether the modifier is none that the builder knows.
fn is_odd(sign: &Pair<'_, Rule>) -> bool {
    sign.as_rule() == Rule::fallback_sign && !sign.as_str().ends_with(['-', '+', '?'])
}

/// What became of a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expansion {
    /// The text with quotes and escapes gone and variables replaced.
    pub text: String,
    /// The same, split into words at white space outside of quotes after the replacement.
    pub words: Vec<String>,
    /// The names that were looked up and not set.
    pub unset: Vec<String>,
    /// Whether a variable of unknown value had a part in it: then `text` and `words` are no more than a guess.
    pub unknown: bool,
}

/// Expands `text` as the builder's `ProcessWord` (`Expansion::text`) and `ProcessWords` (`Expansion::words`).
///
/// # Errors
/// Where the builder refuses the text: an open quote, a bad substitution, `${v:?}` of an unset variable.
pub fn expand(text: &str, escape: char, lookup: &dyn Fn(&str) -> Lookup) -> Result<Expansion, String> {
    Lex::new(escape).expand(text, lookup)
}

/// Expands the content of a COPY's heredoc: quotes mean nothing in it, and the escape character is always a backslash.
///
/// # Errors
/// Where the builder refuses the text.
pub fn expand_content(text: &str, lookup: &dyn Fn(&str) -> Lookup) -> Result<Expansion, String> {
    Lex { plain_quotes: true, ..Lex::new('\\') }.expand(text, lookup)
}

/// Only removes quotes and escapes; `None` where there are variables or an open quote.
#[must_use]
pub fn unquote(text: &str, escape: char) -> Option<String> {
    let expansion = expand(text, escape, &|_| Lookup::Unknown).ok()?;
    (!expansion.unknown).then_some(expansion.text)
}

/// The builder's lexer with its switches.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lex {
    pub(super) escape: char,
    /// Quotes stay in the result.
    pub(super) raw_quotes: bool,
    /// Escapes stay in the result.
    pub(super) raw_escapes: bool,
    /// A variable that is not set stays as it is.
    pub(super) skip_unset: bool,
    /// Quotes mean nothing.
    pub(super) plain_quotes: bool,
}

impl Lex {
    pub(super) const fn new(escape: char) -> Self {
        Self { escape, raw_quotes: false, raw_escapes: false, skip_unset: false, plain_quotes: false }
    }

    pub(super) fn expand(self, text: &str, lookup: &dyn Fn(&str) -> Lookup) -> Result<Expansion, String> {
        // Go's text/scanner drops a byte-order mark.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        // Most words hold nothing that means anything.
        if !text.contains(['$', '<', '\'', '"', self.escape]) {
            let words = text.split_whitespace().map(str::to_owned).collect();
            return Ok(Expansion { text: text.to_owned(), words, ..Expansion::default() });
        }
        let pair = parse(text, self.escape, self.plain_quotes)?;
        let longest = text.len() + MOST_ADDED;
        let mut run = Run { lex: self, lookup, longest, buffer: String::new(), unset: Vec::new(), unknown: false };
        let (text, words) = run.pieces(pair, Mode { raw_escapes: self.raw_escapes, keep_pattern: false })?;
        Ok(Expansion { text, words, unset: run.unset, unknown: run.unknown })
    }
}

fn parse(text: &str, escape: char, plain_quotes: bool) -> Result<Pair<'_, Rule>, String> {
    let rule = match (escape, plain_quotes) {
        ('`', false) => Rule::backtick,
        ('`', true) => Rule::backtick_quotes,
        (_, false) => Rule::backslash,
        (_, true) => Rule::backslash_quotes,
    };
    let opened = text.bytes().zip(text.bytes().skip(1)).filter(|p| *p == (b'$', b'{')).count();
    if opened > DEEPEST && depth(text) > DEEPEST {
        return Err(format!("variables nest deeper than {DEEPEST} levels"));
    }
    let refused = || format!("the quotes or variables of `{}` can't be read", text.chars().take(80).collect::<String>());
    Words::parse(rule, text).ok().and_then(|mut p| p.next()).ok_or_else(refused)
}

/// An upper bound of how deep `${` nest.
fn depth(text: &str) -> usize {
    let (mut now, mut most) = (0_usize, 0);
    for pair in text.as_bytes().windows(2) {
        match pair {
            [b'$', b'{'] => now += 1,
            [b'}', _] => now = now.saturating_sub(1),
            _ => {}
        }
        most = most.max(now);
    }
    most
}

/// The state that `processStopOn` hands down.
#[derive(Clone, Copy)]
struct Mode {
    raw_escapes: bool,
    /// Escapes inside quotes are doubled, because the result is read again as a pattern.
    keep_pattern: bool,
}

struct Run<'a> {
    lex: Lex,
    lookup: &'a dyn Fn(&str) -> Lookup,
    /// How many bytes a result may have.
    longest: usize,
    /// The word that is being put together. BuildKit shares this buffer between an operand and the text around it
    /// (`wordsBuffer`), so that an operand wipes out the word in front of it; `words` depends on that.
    buffer: String,
    unset: Vec<String>,
    unknown: bool,
}

#[derive(Default)]
struct Split {
    words: Vec<String>,
    in_word: bool,
}

impl Split {
    fn character(&mut self, buffer: &mut String, c: char) {
        if !c.is_whitespace() {
            self.raw(buffer, c);
        } else if self.in_word && !buffer.is_empty() {
            self.words.push(std::mem::take(buffer));
            self.in_word = false;
        }
    }

    fn raw(&mut self, buffer: &mut String, c: char) {
        buffer.push(c);
        self.in_word = true;
    }

    fn raw_text(&mut self, buffer: &mut String, text: &str) {
        buffer.push_str(text);
        self.in_word = true;
    }
}

impl Run<'_> {
    /// Refuses a text that variables blow up.
    fn fits(&self, bytes: usize) -> Result<(), String> {
        if bytes > self.longest { Err(format!("variables add more than {MOST_ADDED} bytes to the text")) } else { Ok(()) }
    }

    fn get(&mut self, name: &str) -> Option<String> {
        match (self.lookup)(name) {
            Lookup::Known(value) => Some(value),
            Lookup::Unset => {
                if !self.unset.iter().any(|n| n == name) {
                    self.unset.push(name.to_owned());
                }
                None
            }
            Lookup::Unknown => {
                self.unknown = true;
                Some(String::new())
            }
        }
    }

    /// `processStopOn`: the text, and its words.
    fn pieces(&mut self, pair: Pair<'_, Rule>, mode: Mode) -> Result<(String, Vec<String>), String> {
        let mut text = String::new();
        let mut split = Split::default();
        self.buffer.clear();
        for piece in pair.into_inner() {
            let written = piece.as_str();
            match piece.as_rule() {
                Rule::dollar | Rule::plain | Rule::braced => {
                    let value = self.dollar(piece)?;
                    self.fits(text.len() + value.len())?;
                    for c in value.chars() {
                        split.character(&mut self.buffer, c);
                    }
                    text.push_str(&value);
                }
                Rule::angle => {
                    split.raw_text(&mut self.buffer, written);
                    text.push_str(written);
                }
                Rule::single => {
                    let value = self.single(piece, mode);
                    split.raw_text(&mut self.buffer, &value);
                    text.push_str(&value);
                }
                Rule::double => {
                    let value = self.double(piece, mode)?;
                    split.raw_text(&mut self.buffer, &value);
                    text.push_str(&value);
                }
                Rule::escaped => {
                    let mut chars = written.chars();
                    if let Some(escape) = chars.next().filter(|_| mode.raw_escapes) {
                        split.raw(&mut self.buffer, escape);
                        text.push(escape);
                    }
                    if let Some(c) = chars.next() {
                        split.raw(&mut self.buffer, c);
                        text.push(c);
                    }
                }
                Rule::text | Rule::other | Rule::quote => {
                    for c in written.chars() {
                        split.character(&mut self.buffer, c);
                    }
                    text.push_str(written);
                }
                _ => {}
            }
        }
        if !self.buffer.is_empty() {
            split.words.push(std::mem::take(&mut self.buffer));
        }
        Ok((text, split.words))
    }

    fn single(&self, pair: Pair<'_, Rule>, mode: Mode) -> String {
        let inner = pair.into_inner().next().map_or("", |p| p.as_str());
        let mut out = String::with_capacity(inner.len() + 2);
        for c in inner.chars() {
            if mode.keep_pattern && c == self.lex.escape {
                out.push(c);
            }
            out.push(c);
        }
        if self.lex.raw_quotes { format!("'{out}'") } else { out }
    }

    fn double(&mut self, pair: Pair<'_, Rule>, mode: Mode) -> Result<String, String> {
        let mut out = String::new();
        for piece in pair.into_inner() {
            let written = piece.as_str();
            match piece.as_rule() {
                Rule::double_escaped if mode.raw_escapes => out.push_str(written),
                Rule::double_escaped => out.extend(written.chars().skip(1)),
                Rule::double_other => {
                    let escapes = written.starts_with(self.lex.escape);
                    if escapes && mode.raw_escapes && (!self.lex.raw_quotes || mode.keep_pattern) {
                        out.push_str(written);
                    }
                    out.push_str(written);
                }
                Rule::dollar | Rule::plain | Rule::braced => {
                    out.push_str(&self.dollar(piece)?);
                    self.fits(out.len())?;
                }
                _ => out.push_str(written),
            }
        }
        Ok(if self.lex.raw_quotes { format!("\"{out}\"") } else { out })
    }

    /// `processDollar`.
    fn dollar(&mut self, pair: Pair<'_, Rule>) -> Result<String, String> {
        let rule = pair.as_rule();
        if rule == Rule::dollar {
            return Ok("$".into());
        }
        let mut name = String::new();
        let mut modifier = None;
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::name => part.as_str().clone_into(&mut name),
                _ => modifier = Some(part),
            }
        }
        let Some(modifier) = modifier else {
            let value = self.get(&name);
            return Ok(match value {
                None if self.lex.skip_unset && rule == Rule::plain => format!("${name}"),
                None if self.lex.skip_unset => format!("${{{name}}}"),
                value => value.unwrap_or_default(),
            });
        };
        let kind = modifier.as_rule();
        let mut parts = modifier.into_inner();
        let (Some(sign), Some(first)) = (parts.next(), parts.next()) else { return Ok(String::new()) };
        let odd = is_odd(&sign);
        let sign = sign.as_str();
        if kind == Rule::replace {
            let (pattern, _) = self.pieces(first, Mode { raw_escapes: true, keep_pattern: true })?;
            let replacement = match parts.next() {
                Some(p) => self.pieces(p, Mode { raw_escapes: true, keep_pattern: false })?.0,
                None => String::new(),
            };
            let value = self.get(&name);
            if value.is_none() && self.lex.skip_unset {
                return Ok(format!("${{{name}/{pattern}/{replacement}}}"));
            }
            let (pattern, value) = (Pattern::parse(&pattern, true)?, value.unwrap_or_default());
            return pattern.replace(&value, &replacement, sign == "//", &|bytes| self.fits(bytes));
        }
        let raw = kind == Rule::trim;
        let unknown_before = std::mem::take(&mut self.unknown);
        let (word, _) = self.pieces(first, Mode { raw_escapes: raw, keep_pattern: raw })?;
        let unknown_word = std::mem::replace(&mut self.unknown, unknown_before);
        let unknown_value = (self.lookup)(&name) == Lookup::Unknown;
        let value = self.get(&name);
        if value.is_none() && self.lex.skip_unset {
            return Ok(format!("${{{name}{sign}{word}}}"));
        }
        if odd {
            return Err(format!("`{sign}` in `${{{name}{sign}...}}` is no modifier"));
        }
        // The operand counts only where it is used.
        let missing = value.is_none() || (sign.starts_with(':') && value.as_deref() == Some(""));
        if kind == Rule::trim {
            self.unknown |= unknown_word;
            return trim(sign, &word, &value.unwrap_or_default());
        }
        if unknown_value {
            return Ok(word);
        }
        match sign.trim_start_matches(':') {
            "-" if missing => {
                self.unknown |= unknown_word;
                Ok(word)
            }
            "+" if missing => Ok(String::new()),
            "+" => {
                self.unknown |= unknown_word;
                Ok(word)
            }
            "?" if missing => {
                let why = match (&value, word.as_str()) {
                    (None, "") => "is not allowed to be unset",
                    (_, "") => "is not allowed to be empty",
                    (_, word) => word,
                };
                Err(format!("{name}: {why}"))
            }
            _ => Ok(value.unwrap_or_default()),
        }
    }
}

/// `${v#p}`, `${v##p}`, `${v%p}` and `${v%%p}`.
fn trim(sign: &str, word: &str, value: &str) -> Result<String, String> {
    let (greedy, pattern) = word.strip_prefix(sign).map_or((false, word), |p| (true, p));
    if sign == "#" {
        return Pattern::parse(pattern, greedy)?.trim_prefix(value);
    }
    // The builder turns both around to find the rightmost match.
    let value: String = value.chars().rev().collect();
    let trimmed = Pattern::parse(&super::pattern::reverse(pattern), greedy)?.trim_prefix(&value)?;
    Ok(trimmed.chars().rev().collect())
}

#[cfg(test)]
mod tests;
