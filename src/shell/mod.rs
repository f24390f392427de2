//! The shell inside RUN: a body becomes a small tree of lists, pipelines and commands with spans into the file.

//!
//! The shell sees the *logical line*: continuations joined, comment lines and empty lines inside a continuation gone. [`Body`]
//! is that text together with where each of its pieces stands in the file, so every span of a [`Script`] is one of the file.

mod body;
mod memo;
mod parse;
mod visit;
mod word;

pub use body::Body;
pub use parse::parse;
pub use word::literal;

use crate::source::Span;

/// The language that a body is written in, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// `sh`, `dash`, `ash`.
    Posix,
    /// `bash` and what follows it closely.
    Bash,
    /// PowerShell, cmd, or anything else: such bodies are opaque.
    Other,
}

impl Dialect {
    /// The dialect of a SHELL such as `["/bin/bash", "-o", "pipefail", "-c"]`.
    #[must_use]
    pub fn of(shell: &[String]) -> Self {
        let Some(program) = shell.first() else {
            return Self::Posix;
        };
        let name = program.rsplit(['/', '\\']).next().unwrap_or(program).to_ascii_lowercase();
        match name.strip_suffix(".exe").unwrap_or(&name) {
            "sh" | "dash" | "ash" => Self::Posix,
            "bash" => Self::Bash,
            _ => Self::Other,
        }
    }
}

/// A parsed body: one `;`/newline separated list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// The and-or lists in order.
    pub lists: Vec<AndOr>,
    /// From the first to the last byte of shell code (comments of the shell included).
    pub span: Span,
    /// The shell's own comment behind the last command, if there is one.
    pub comment: Option<Span>,
}

/// Pipelines joined by `&&` and `||`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AndOr {
    /// The first pipeline.
    pub first: Pipeline,
    /// Each further one with its operator.
    pub rest: Vec<(Operator, Pipeline)>,
    /// The bytes of the whole list, without its separator.
    pub span: Span,
    /// Whether `&` puts it into the background.
    pub background: bool,
}

/// `&&` or `||`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Operator {
    And,
    Or,
}

/// Commands joined by `|`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pipeline {
    /// Whether `!` inverts its status.
    pub negated: bool,
    /// The commands in order.
    pub commands: Vec<Command>,
    /// The bytes of the pipeline, the `!` included.
    pub span: Span,
}

/// One command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// What kind of command.
    pub kind: CommandKind,
    /// Its redirections.
    pub redirections: Vec<Redirection>,
    /// Its bytes, redirections included.
    pub span: Span,
}

/// The kinds of [`Command`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommandKind {
    /// `A=1 name arg ...`; without words it only assigns.
    Simple {
        /// The assignments in front.
        assignments: Vec<Assignment>,
        /// The command's name and arguments.
        words: Vec<ShellWord>,
    },
    /// `( ... )`.
    Subshell(Script),
    /// `{ ...; }`.
    Group(Script),
    /// `if`: conditions and bodies in order, then the `else` body.
    If {
        /// Conditions with what they guard.
        branches: Vec<(Script, Script)>,
        /// The `else` body.
        otherwise: Option<Script>,
    },
    /// `for`, `while`, `until`: the body (and, for the latter two, the condition in front).
    Loop {
        /// The condition of `while` and `until`.
        condition: Option<Script>,
        /// The variable and words of `for`.
        variable: Option<(String, Vec<ShellWord>)>,
        /// What is repeated.
        body: Script,
    },
    /// `case`: the bodies of its items.
    Case(Vec<Script>),
    /// A function definition.
    Function {
        /// The function's name.
        name: String,
        /// What a call of it runs: a group, a subshell or another compound command with its redirections.
        body: Box<Command>,
    },
    /// Something else that the parser understood but that is not taken apart (`[[ ]]`, `(( ))`).
    Other,
}

/// `NAME=value` in front of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// The variable.
    pub name: String,
    /// The value.
    pub value: ShellWord,
    /// The whole assignment.
    pub span: Span,
}

/// A word of the shell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShellWord {
    /// As written.
    pub raw: String,
    /// The value if it is literal: quotes removed, nothing to expand and no glob in it.
    pub literal: Option<String>,
    /// Its bytes in the file.
    pub span: Span,
}

/// A redirection such as `> file`, `2>&1` or `<<EOF`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirection {
    /// The operator: `>`, `>>`, `<`, `<<`, `<<<`, `>&`, `&>` ...
    pub operator: String,
    /// The file descriptor before it.
    pub descriptor: Option<i32>,
    /// The target, none for a heredoc.
    pub target: Option<ShellWord>,
}
