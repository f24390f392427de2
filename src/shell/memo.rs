//! What brush makes of a text, remembered: a body is read again for each text that the pipeline tries, and reading it is most
//! of a run's work.

use std::cell::RefCell;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use brush_parser::{ParserOptions, Token, ast};

/// How many bytes of text a thread remembers. More than a file holds; less than anybody notices.
const REMEMBERED: usize = 1 << 18;

/// A text as brush reads it.
pub(super) struct Parsed {
    pub(super) tokens: Vec<Token>,
    pub(super) program: ast::Program,
}

/// By text and whether it was read as POSIX has it; nothing for a text that is not understood.
type Known = HashMap<(String, bool), Option<Rc<Parsed>>>;

thread_local! {
    /// With the bytes that its texts hold.
    static KNOWN: RefCell<(Known, usize)> = RefCell::default();
}

/// The tokens and the tree of `text`; nothing where brush does not understand it.
pub(super) fn parsed(text: &str, posix: bool) -> Option<Rc<Parsed>> {
    let key = (text.to_owned(), posix);
    if let Some(known) = KNOWN.with_borrow(|(known, _)| known.get(&key).cloned()) {
        return known;
    }
    let found = read(text, posix).map(Rc::new);
    KNOWN.with_borrow_mut(|(known, bytes)| {
        if *bytes > REMEMBERED {
            known.clear();
            *bytes = 0;
        }
        *bytes += text.len();
        known.insert(key, found.clone());
    });
    found
}

fn read(text: &str, posix: bool) -> Option<Parsed> {
    if names_heredoc_by_blank(text) {
        return None;
    }
    let options = ParserOptions { sh_mode: posix, ..ParserOptions::default() };
    // The tokenizer and the parser are not ours: a panic of theirs makes the body opaque, no more.
    catch_unwind(AssertUnwindSafe(|| {
        let tokens = brush_parser::uncached_tokenize_str(text, &options.tokenizer_options()).ok()?;
        if tokens.iter().any(|token| is_long_number(token.to_str())) {
            return None;
        }
        let program = brush_parser::parse_tokens(&tokens, &options).ok()?;
        Some(Parsed { tokens, program })
    }))
    .ok()?
}

/// brush takes a form feed or a lone carriage return behind `<<` for the heredoc's whole name, and some of these texts
/// (`<<\x0c<#`) fill its memory without end.
fn names_heredoc_by_blank(text: &str) -> bool {
    text.match_indices("<<").any(|(at, start)| {
        let rest = text.get(at + start.len()..).unwrap_or("");
        let rest = rest.strip_prefix('-').unwrap_or(rest).trim_start_matches([' ', '\t']);
        rest.starts_with('\u{c}') || rest.starts_with('\r') && !rest.starts_with("\r\n")
    })
}

/// brush reads a number in front of a redirection as an `i32` and panics where it is none.
fn is_long_number(word: &str) -> bool {
    word.len() > 9 && word.bytes().all(|b| b.is_ascii_digit())
}
