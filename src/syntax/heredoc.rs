//! Where heredocs start: BuildKit looks for them in the words of the joined line.

use super::variables::{Lex, Lookup};

/// The start of a heredoc on a joined line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Start {
    pub(super) name: String,
    pub(super) expand: bool,
    pub(super) strip_tabs: bool,
}

/// The heredocs that `line` starts, in order. `heredocsFromLine` in parser/parser.go, which always escapes by backslash
/// and takes a line with an open quote for one without words.
pub(super) fn starts(line: &str) -> Result<Vec<Start>, String> {
    let raw = Lex { raw_quotes: true, raw_escapes: true, skip_unset: true, ..Lex::new('\\') };
    let words = raw.expand(line, &|_| Lookup::Unset).unwrap_or_default().words;
    let mut starts = Vec::new();
    for word in words {
        starts.extend(start(&word)?);
    }
    Ok(starts)
}

/// `heredocFromMatch` in parser/parser.go.
pub(super) fn start(word: &str) -> Result<Option<Start>, String> {
    let Some(rest) = word.trim_start_matches(|c: char| c.is_ascii_digit()).strip_prefix("<<") else { return Ok(None) };
    let (strip_tabs, rest) = rest.strip_prefix('-').map_or((false, rest), |r| (true, r));
    let rest = rest.trim_start_matches(['\t', '\n', '\u{c}', '\r', ' ']);
    if rest.is_empty() || rest.contains('<') {
        return Ok(None);
    }
    let mut lex = Lex { skip_unset: true, ..Lex::new('\\') };
    let words = lex.expand(rest, &|_| Lookup::Unset)?.words;
    let [name] = words.as_slice() else { return Ok(None) };
    lex.raw_quotes = true;
    let raw = lex.expand(rest, &|_| Lookup::Unset)?.words;
    let [raw] = raw.as_slice() else { return Err(format!("the heredoc's delimiter `{rest}` can't be read")) };
    let quotes = |s: &str| s.matches(['\'', '"']).count();
    Ok(Some(Start { name: name.clone(), expand: quotes(name) == quotes(raw), strip_tabs }))
}

/// The name of the heredoc that `word` of a COPY names, if variables in its content are expanded.
pub(crate) fn expanded_heredoc(word: &str) -> Option<String> {
    let found = if word.contains("<<") { start(word).ok()? } else { None };
    found.filter(|start| start.expand).map(|start| start.name)
}
