//! The lossless syntax of Dockerfiles, read as BuildKit reads them.
//!
//! # A file is a list of items
//!
//! [`Dockerfile::parse`] takes any text and never fails. The file becomes a list of [`Item`]s, each of whole lines: directives,
//! comments, blank lines and instructions. An instruction takes in its continuation lines, the comments inside them and its
//! heredocs. The spans of the items tile the text, so that printing them gives it back byte for byte ([`Dockerfile::print`]).
//!
//! What BuildKit's parser would refuse stands in [`Dockerfile::errors`]; what its second pass would refuse (an unknown
//! instruction, wrong arguments, unknown flags) comes from [`problems`], and what its converter would refuse from
//! [`crate::model::check`], which knows the values of variables.
//!
//! # What an instruction says is read on demand
//!
//! An [`Instruction`] knows its keyword, its body and its heredocs. [`Dockerfile::read`] gives a [`Reading`]: the line as the
//! builder sees it, with continuations joined and comments gone, its flags, and its arguments, both as BuildKit's parser makes
//! them (`args`) and as they stand in the file (`words`). [`View::of`] names the parts: the image of a FROM, the sources of a
//! COPY, the pairs of an ENV.
//!
//! ```
//! use restage::syntax::{Dockerfile, View};
//!
//! let file = Dockerfile::parse("FROM golang:1.22 AS build\nRUN go build -o /app .\n\nFROM scratch\nCOPY --from=build /app /\n");
//! let mut stages = Vec::new();
//! for (_, instruction) in file.instructions() {
//!     if let View::From { image, alias, .. } = View::of(instruction.keyword, &file.read(instruction)) {
//!         stages.push((image.text, alias.map(|word| word.text)));
//!     }
//! }
//! assert_eq!(stages, [("golang:1.22".to_owned(), Some("build".to_owned())), ("scratch".to_owned(), None)]);
//! ```
//!
//! # Every part knows where it stands
//!
//! Keywords, flags, words and heredocs carry the [`Span`] of their bytes in the file, also where a continuation runs through
//! them. A change is a span and a text; what no edit touches stays as it is, comments, spacing and line ends included. This one
//! changes a base image:
//!
//! ```
//! use restage::edit::{Edit, EditSet};
//! use restage::syntax::{Dockerfile, View};
//!
//! let source = "# syntax=docker/dockerfile:1\r\nfrom   python:3.8 \\\r\n  # the oldest that we support\r\n  as app\r\nCMD [\"python\"]";
//! let file = Dockerfile::parse(source);
//! let mut edits = Vec::new();
//! for (_, instruction) in file.instructions() {
//!     if let View::From { image, .. } = View::of(instruction.keyword, &file.read(instruction)) {
//!         edits.push(Edit::replace(image.span, image.text.replace(":3.8", ":3.12-slim")));
//!     }
//! }
//! let changed = EditSet::new(edits)?.apply(source)?;
//! assert_eq!(changed, source.replace("3.8", "3.12-slim"));
//! # Ok::<(), restage::edit::EditError>(())
//! ```
//!
//! And this one renames a stage wherever the file names it: where it is defined, where another stage starts from it, and where
//! COPY and RUN take files from it.
//!
//! ```
//! use restage::edit::{Edit, EditError, EditSet};
//! use restage::syntax::{Dockerfile, View};
//!
//! fn rename(source: &str, old: &str, new: &str) -> Result<String, EditError> {
//!     let file = Dockerfile::parse(source);
//!     let is_old = |name: &str| name.eq_ignore_ascii_case(old);
//!     let mut edits = Vec::new();
//!     for (_, instruction) in file.instructions() {
//!         let reading = file.read(instruction);
//!         if let View::From { image, alias, .. } = View::of(instruction.keyword, &reading) {
//!             let words = alias.into_iter().chain([image]);
//!             edits.extend(words.filter(|word| is_old(&word.text)).map(|word| Edit::replace(word.span, new)));
//!         }
//!         for flag in &reading.flags {
//!             let Some(value) = flag.value.as_deref() else { continue };
//!             let fields = value.split(',').map(|field| match field.strip_prefix("from=") {
//!                 Some(name) if flag.name == "mount" && is_old(name) => format!("from={new}"),
//!                 None if flag.name == "from" && is_old(field) => new.to_owned(),
//!                 _ => field.to_owned(),
//!             });
//!             let renamed = fields.collect::<Vec<_>>().join(",");
//!             if renamed != value {
//!                 edits.push(Edit::replace(flag.span, format!("--{}={renamed}", flag.name)));
//!             }
//!         }
//!     }
//!     EditSet::new(edits)?.apply(source)
//! }
//!
//! let source = "FROM rust AS b\nRUN cargo build\nFROM b AS test\nFROM debian\nCOPY --from=b /x /\nRUN --mount=from=b,target=/m ls\n";
//! let renamed = "FROM rust AS build\nRUN cargo build\nFROM build AS test\nFROM debian\nCOPY --from=build /x /\nRUN --mount=from=build,target=/m ls\n";
//! assert_eq!(rename(source, "b", "build")?, renamed);
//! # Ok::<(), EditError>(())
//! ```
//!
//! # Variables
//!
//! Texts are as written: nothing above expands a variable or takes a quote away. [`variables`] finds the variables of a word with
//! their spans and modifiers, and expands a word with the values that the caller knows, by the builder's rules of quoting.
//!
//! # Limitations
//!
//! - Text must be UTF-8 and at most [`LARGEST_FILE`] bytes ([`decode`] checks both). BuildKit reads any bytes.
//! - The language is the one of BuildKit's own frontend, stable channel. A `# syntax=` that names another frontend is not followed.
//! - The shell inside RUN, CMD and ENTRYPOINT is one opaque text here; [`crate::shell`] reads it.
//! - The words of an instruction inside ONBUILD are read one level deep: the builder allows no more.
//! - Where BuildKit garbles a text beyond ASCII, as it does with flags, `args` and `flags` are garbled in the same way. Spans
//!   always point at what is written.
//! - Lines and columns count bytes, and lines end at `\n` alone.

mod assemble;
pub mod duration;
mod heredoc;
mod json;
mod lex;
mod line;
mod logical;
pub mod mount;
pub mod near;
mod pattern;
mod problems;
mod read;
#[cfg(test)]
mod tests;
pub mod variables;
mod view;
mod weight;

pub(crate) use heredoc::expanded_heredoc;
pub use problems::problems;
pub(crate) use problems::{problems_read, trigger};
pub use view::{Pair, View};
pub(crate) use weight::{is_too_much, too_much};

use std::fmt;

use crate::source::{Diagnostic, LineIndex, Span};

/// A parsed file: its text, and the items that tile it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Dockerfile {
    source: String,
    lines: LineIndex,
    /// The escape character: a backslash, or a backtick where `# escape=` says so.
    pub escape: char,
    /// The parser directives, in order.
    pub directives: Vec<Directive>,
    /// Everything in the file, in order, without gaps.
    pub items: Vec<Item>,
    /// What BuildKit's parser would refuse.
    pub errors: Vec<Diagnostic>,
    /// Whether a heredoc has no end, so that none behind it was looked for.
    torn: bool,
}

/// A parser directive such as `# syntax=docker/dockerfile:1`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Directive {
    /// Its name in lower case.
    pub name: String,
    /// Its value.
    pub value: String,
    /// The line, with its end.
    pub span: Span,
}

/// One piece of a file: whole lines.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Item {
    /// What it is.
    pub kind: ItemKind,
    /// All its bytes: indentation, continuation lines, heredoc bodies, the last line's end.
    pub span: Span,
    /// The first line, from 1.
    pub start_line: usize,
    /// The last line, from 1.
    pub end_line: usize,
}

/// The kinds of [`Item`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ItemKind {
    /// A parser directive.
    Directive,
    /// A comment line outside of any instruction.
    Comment,
    /// A blank line outside of any instruction.
    Blank,
    /// An instruction with its continuation lines and heredocs. In a box, so that a file of blank lines takes little room.
    Instruction(Box<Instruction>),
    /// Text that is no instruction, in a file that the builder refuses.
    Unknown,
}

/// An instruction as it stands in the file.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Instruction {
    /// Which instruction it is.
    pub keyword: Keyword,
    /// The keyword as written.
    pub keyword_span: Span,
    /// From behind the keyword's blanks to the end of the last line that is not a heredoc's, without the line end.
    /// Continuations and comment lines inside count; heredoc bodies do not. Empty if nothing follows the keyword.
    pub body: Span,
    /// The heredocs in order.
    pub heredocs: Vec<Heredoc>,
    /// What the builder joins: the lines without continuations, comment and empty lines.
    pieces: logical::Pieces,
}

/// A heredoc of RUN, COPY or ADD.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Heredoc {
    /// The delimiter without quotes.
    pub name: String,
    /// Whether variables in it are expanded (its delimiter has no quotes).
    pub expand: bool,
    /// `<<-`: leading tabs are stripped.
    pub strip_tabs: bool,
    /// The content's lines, as written.
    pub content: Span,
    /// The line of the delimiter, with its end.
    pub terminator: Span,
}

/// The keywords of the reference, and what is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
#[allow(missing_docs)]
pub enum Keyword {
    Add,
    Arg,
    Cmd,
    Copy,
    Entrypoint,
    Env,
    Expose,
    From,
    Healthcheck,
    Label,
    Maintainer,
    Onbuild,
    Run,
    Shell,
    Stopsignal,
    User,
    Volume,
    Workdir,
    /// No keyword of the reference.
    Unknown,
}

/// Exec form (a JSON array), shell form, or neither (instructions that have no such forms).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Form {
    Exec,
    Shell,
    Other,
}

/// What an instruction says, read from its logical line (continuations joined, comment lines gone).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Reading {
    /// The whole instruction as one line, as BuildKit's parser node has it (`Node.Original`).
    pub original: String,
    /// The flags in order.
    pub flags: Vec<Flag>,
    /// The form of the arguments.
    pub form: Form,
    /// The arguments as BuildKit's parser makes them.
    pub args: Vec<String>,
    /// The arguments after the flags as they stand in the file: the words of COPY, the NAME=VALUE words of ENV, the one word
    /// of WORKDIR; for RUN, CMD and ENTRYPOINT in shell form the whole rest as one word; for an exec form its strings.
    pub words: Vec<Word>,
    /// From the first argument behind the flags to the end of the body.
    pub arguments: Span,
    /// The inner instruction of an ONBUILD.
    pub onbuild: Option<Box<(Keyword, Reading)>>,
}

/// A flag such as `--from=build`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Flag {
    /// The name without dashes.
    pub name: String,
    /// The value behind `=`, unquoted as the builder does it; `None` for a bare flag.
    pub value: Option<String>,
    /// The flag as written.
    pub span: Span,
}

/// A word as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// The text with continuations removed; quotes and variables as written (JSON strings: decoded).
    pub text: String,
    /// Its bytes in the file (with quotes).
    pub span: Span,
}

impl Reading {
    /// The value of the flag `name`; nothing where it is missing or bare.
    #[must_use]
    pub fn flag(&self, name: &str) -> Option<&str> {
        self.flags.iter().rev().find(|f| f.name == name)?.value.as_deref()
    }
}

impl Keyword {
    /// Every keyword of the reference, with its name.
    pub const ALL: [(Self, &'static str); 18] = [
        (Self::Add, "ADD"),
        (Self::Arg, "ARG"),
        (Self::Cmd, "CMD"),
        (Self::Copy, "COPY"),
        (Self::Entrypoint, "ENTRYPOINT"),
        (Self::Env, "ENV"),
        (Self::Expose, "EXPOSE"),
        (Self::From, "FROM"),
        (Self::Healthcheck, "HEALTHCHECK"),
        (Self::Label, "LABEL"),
        (Self::Maintainer, "MAINTAINER"),
        (Self::Onbuild, "ONBUILD"),
        (Self::Run, "RUN"),
        (Self::Shell, "SHELL"),
        (Self::Stopsignal, "STOPSIGNAL"),
        (Self::User, "USER"),
        (Self::Volume, "VOLUME"),
        (Self::Workdir, "WORKDIR"),
    ];

    /// The keyword that `name` is, case aside.
    #[must_use]
    pub fn from_name(name: &str) -> Self {
        let find = |name: &str| Self::ALL.iter().find(|(_, n)| n.eq_ignore_ascii_case(name)).map_or(Self::Unknown, |(k, _)| *k);
        if name.is_ascii() {
            return find(name);
        }
        // The builder folds Unicode: the Kelvin sign is a `k`, a dotted capital i an `i`.
        find(&name.chars().map(|c| if c == '\u{130}' { 'i' } else { c.to_lowercase().next().unwrap_or(c) }).collect::<String>())
    }

    /// The name in capitals; empty for [`Keyword::Unknown`].
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(k, _)| *k == self).map_or("", |(_, n)| n)
    }
}

impl fmt::Display for Keyword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The largest file that is read.
pub const LARGEST_FILE: usize = 16 * 1024 * 1024;

/// Decodes the bytes of a file, or says why it can't be done.
///
/// # Errors
/// Where the file is too large or is not UTF-8.
pub fn decode(bytes: &[u8]) -> Result<&str, Diagnostic> {
    let refuse = |message: String, at: usize| {
        let line = bytes.iter().take(at).filter(|b| **b == b'\n').count() + 1;
        Diagnostic { message, line, span: Span::at(at) }
    };
    if bytes.len() > LARGEST_FILE {
        return Err(refuse(format!("the file is larger than the {} MB that restage reads", LARGEST_FILE >> 20), 0));
    }
    std::str::from_utf8(bytes).map_err(|e| {
        let column = bytes.iter().take(e.valid_up_to()).rev().take_while(|b| **b != b'\n').count() + 1;
        refuse(format!("the file is not UTF-8: column {column} can't be decoded"), e.valid_up_to())
    })
}

impl Dockerfile {
    /// Parses any text. What the builder would refuse is in [`Dockerfile::errors`].
    #[must_use]
    pub fn parse(source: impl Into<String>) -> Self {
        assemble::assemble(source.into())
    }

    /// The keyword of `line`, a joined line such as [`Reading::original`], as it is written.
    #[must_use]
    pub fn written_keyword(line: &str) -> &str {
        lex::split(line).keyword.text(line)
    }

    /// What `instruction` says.
    #[must_use]
    pub fn read(&self, instruction: &Instruction) -> Reading {
        read::read(&logical::Logical::new(&self.source, &instruction.pieces), self.escape)
    }

    /// The file printed back from its items. Equal to the source, by construction and by test.
    #[must_use]
    pub fn print(&self) -> String {
        let mut out = String::with_capacity(self.source.len());
        out.push_str(Span::new(0, self.items.first().map_or(self.source.len(), |i| i.span.start)).text(&self.source));
        for item in &self.items {
            out.push_str(item.span.text(&self.source));
        }
        out
    }

    /// The instruction that item `index` is together with the comment lines directly above it: what moves as one.
    #[must_use]
    pub fn block(&self, index: usize) -> Span {
        let Some(item) = self.items.get(index) else { return Span::default() };
        let comments = self.items.iter().take(index).rev().take_while(|i| matches!(i.kind, ItemKind::Comment));
        comments.last().map_or(item.span, |first| first.span.cover(item.span))
    }

    /// The text that was parsed.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Line and column look-up.
    #[must_use]
    pub fn lines(&self) -> &LineIndex {
        &self.lines
    }

    /// The instructions in order, each with the index of its item.
    pub fn instructions(&self) -> impl Iterator<Item = (usize, &Instruction)> {
        self.items.iter().enumerate().filter_map(|(i, item)| match &item.kind {
            ItemKind::Instruction(instruction) => Some((i, &**instruction)),
            _ => None,
        })
    }

    /// The instruction that item `index` is.
    #[must_use]
    pub fn instruction(&self, index: usize) -> Option<&Instruction> {
        match &self.items.get(index)?.kind {
            ItemKind::Instruction(instruction) => Some(instruction),
            _ => None,
        }
    }
}
