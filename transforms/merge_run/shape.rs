//! What a RUN body does to the shell that runs it: whether a command can stand before or behind it in the same shell.

use crate::shell::{AndOr, Command, CommandKind, Dialect, Operator, Pipeline, Script, ShellWord};

/// Builtins that change the shell they run in, and what runs code that might.
const CHANGES_SHELL: &[&str] = &[
    "cd",
    "chdir",
    "pushd",
    "popd",
    "dirs",
    "export",
    "set",
    "shopt",
    "umask",
    ".",
    "source",
    "exec",
    "exit",
    "return",
    "trap",
    "unset",
    "alias",
    "unalias",
    "read",
    "mapfile",
    "readarray",
    "getopts",
    "local",
    "declare",
    "typeset",
    "readonly",
    "eval",
    "ulimit",
    "hash",
    "enable",
    "builtin",
    "command",
    "shift",
    "wait",
    "let",
    "bind",
    "complete",
    "disown",
    "history",
    "printf",
    "break",
    "continue",
    "times",
    "umask",
];

/// Variables whose value depends on which shell of a chain asks, or on what ran in it before.
const OF_THE_SHELL: &[&str] =
    &["$", "!", "_", "BASHPID", "LINENO", "SHLVL", "BASH_SUBSHELL", "SECONDS", "BASH_COMMAND", "BASH_LINENO", "OLDPWD", "-"];

/// How a body has to be wrapped to stand in an `&&` chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wrap {
    /// As it is.
    Bare,
    /// `{ ...; }`.
    Group,
    /// `( ... )`.
    Subshell,
}

/// What matters of a body.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    /// More than one list, or an `||` in it: it has to be held together.
    compound: bool,
    /// One `&&` chain of simple commands: `set -e` makes no difference to it.
    chain: bool,
    /// It changes the shell that runs it.
    changes_shell: bool,
    /// It changes the shell by nothing but `set` at its head.
    only_head: bool,
    /// It relies on `set -e`: its own, or that of the SHELL.
    errexit: bool,
    /// It says `set -e` somewhere.
    sets_errexit: bool,
    /// The options of a `set -e` that is its first list.
    head: Option<String>,
    /// It ends in a comment of the shell, behind which nothing can stand.
    comment: bool,
    /// Its last list is one simple command or a pipeline of such.
    plain_end: bool,
    /// Why it can't be joined at all.
    pub unfit: Option<&'static str>,
    /// Why nothing can follow it.
    pub last: Option<&'static str>,
}

impl Shape {
    /// The shape of `script`, whose logical text is `text`, under a SHELL with or without `-e`.
    pub fn of(script: &Script, text: &str, dialect: Dialect, shell_errexit: bool) -> Self {
        let mut look = Look::new(dialect);
        look.script(script, true);
        let single = script.lists.len() == 1;
        let only_and = |list: &AndOr| list.rest.iter().all(|(operator, _)| *operator == Operator::And);
        let chain = !look.runs_unseen && single && script.lists.iter().all(|l| only_and(l) && pipelines(l).all(is_plain));
        let head = head(script);
        let unfit = if script.lists.is_empty() {
            Some("has no command")
        } else if look.background {
            Some("starts a process in the background")
        } else if uses_shell_variables(text) {
            Some("asks for a variable that belongs to its own shell")
        } else {
            None
        };
        let last = if script.comment.is_some() {
            Some("ends in a comment of the shell")
        } else if look.errexit && !chain && head.is_none() {
            Some("relies on `set -e`, which the shell ignores in front of `&&`")
        } else if shell_errexit && !chain {
            Some("relies on the SHELL's `-e`, which the shell ignores in front of `&&`")
        } else {
            None
        };
        let only_head = head.is_some() && {
            let mut rest = Look::new(dialect);
            for list in script.lists.iter().skip(1) {
                rest.list(list, true);
            }
            !rest.changes_shell && !rest.errexit
        };
        Self {
            compound: !single || !script.lists.iter().all(only_and),
            chain,
            changes_shell: look.changes_shell,
            only_head,
            errexit: look.errexit || shell_errexit,
            sets_errexit: look.errexit,
            head,
            comment: script.comment.is_some(),
            plain_end: script.lists.last().is_some_and(|l| l.rest.is_empty() && is_plain(&l.first)),
            unfit,
            last,
        }
    }

    /// Whether this body and `next` can be joined by `;` because the same `set -e` governs both.
    pub fn governed_like(&self, next: &Self) -> bool {
        self.governing_head().is_some() && self.head == next.head
    }

    /// Why `next` can't follow in an `&&` chain.
    pub fn stops(&self) -> Option<&'static str> {
        self.last.or_else(|| (self.errexit && !self.chain).then_some("relies on `set -e`, which the shell ignores in front of `&&`"))
    }

    /// The `set -e` at its head, where that governs whatever follows in the same shell as it governs the rest of the body.
    pub fn governing_head(&self) -> Option<&str> {
        self.head.as_deref().filter(|_| self.only_head && self.plain_end && !self.comment)
    }

    /// Whether it is one list of simple commands joined by `&&`, which `set -e` does not concern.
    pub fn is_list_of_commands(&self) -> bool {
        self.chain && !self.compound && !self.comment && !self.sets_errexit
    }

    /// Whether it leaves the shell that runs it as it was.
    pub fn keeps_to_itself(&self) -> bool {
        !self.changes_shell
    }

    /// The wrap that it needs in an `&&` chain, in which it is the last or not.
    pub fn wrap(&self, last: bool) -> Wrap {
        if self.changes_shell && !last {
            Wrap::Subshell
        } else if self.compound {
            Wrap::Group
        } else {
            Wrap::Bare
        }
    }
}

fn pipelines(list: &AndOr) -> impl Iterator<Item = &Pipeline> {
    std::iter::once(&list.first).chain(list.rest.iter().map(|(_, p)| p))
}

/// Simple commands, whose status is not turned around.
fn is_plain(pipeline: &Pipeline) -> bool {
    !pipeline.negated && pipeline.commands.iter().all(|c| matches!(c.kind, CommandKind::Simple { .. }))
}

/// The words of `set -e...` where that is the whole first list.
fn head(script: &Script) -> Option<String> {
    let first = script.lists.first().filter(|l| l.rest.is_empty() && !l.background && script.lists.len() > 1)?;
    let [Command { kind: CommandKind::Simple { words, assignments }, redirections, .. }] = first.first.commands.as_slice() else {
        return None;
    };
    let sets = words.first()?.raw == "set" && assignments.is_empty() && redirections.is_empty() && sets_errexit(words);
    sets.then(|| words.iter().map(|w| w.raw.as_str()).collect::<Vec<_>>().join(" "))
}

fn sets_errexit(words: &[ShellWord]) -> bool {
    words.iter().skip(1).any(|w| w.raw == "errexit" || (w.raw.starts_with('-') && w.raw.contains('e')))
}

fn uses_shell_variables(text: &str) -> bool {
    text.match_indices('$').any(|(at, _)| {
        let rest = text.get(at + 1..).unwrap_or("");
        let rest = rest.strip_prefix('{').map_or(rest, |braced| braced.trim_start_matches(['#', '!']));
        OF_THE_SHELL
            .iter()
            .any(|name| rest.strip_prefix(name).is_some_and(|behind| !name.ends_with(char_of_name) || !behind.starts_with(char_of_name)))
    })
}

fn char_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// Walks a body. `own` says whether a command runs in the body's own shell, and not in a subshell of it.
struct Look {
    dialect: Dialect,
    background: bool,
    changes_shell: bool,
    errexit: bool,
    /// It runs code that is not seen here.
    runs_unseen: bool,
}

impl Look {
    fn new(dialect: Dialect) -> Self {
        Self { dialect, background: false, changes_shell: false, errexit: false, runs_unseen: false }
    }

    fn script(&mut self, script: &Script, own: bool) {
        for list in &script.lists {
            self.list(list, own);
        }
    }

    fn list(&mut self, list: &AndOr, own: bool) {
        self.background |= list.background;
        for pipeline in pipelines(list) {
            for command in &pipeline.commands {
                self.command(command, own && pipeline.commands.len() == 1);
            }
        }
    }

    fn command(&mut self, command: &Command, own: bool) {
        // `&>` is bash's; to a POSIX shell it is a `&`.
        self.background |= self.dialect == Dialect::Posix && command.redirections.iter().any(|r| r.operator.starts_with("&>"));
        self.changes_shell |= own && command.redirections.iter().filter_map(|r| r.target.as_ref()).any(assigns);
        match &command.kind {
            CommandKind::Simple { assignments, words } => self.simple(assignments.is_empty(), words, own),
            CommandKind::Subshell(script) => self.script(script, false),
            CommandKind::Group(script) => self.script(script, own),
            CommandKind::If { branches, otherwise } => {
                for (condition, body) in branches {
                    self.script(condition, own);
                    self.script(body, own);
                }
                if let Some(otherwise) = otherwise {
                    self.script(otherwise, own);
                }
            }
            CommandKind::Loop { condition, variable, body } => {
                self.changes_shell |= own && variable.is_some();
                if let Some(condition) = condition {
                    self.script(condition, own);
                }
                self.script(body, own);
            }
            CommandKind::Case(bodies) => {
                for body in bodies {
                    self.script(body, own);
                }
            }
            // What it does counts where it stands: it is called by its own body alone.
            CommandKind::Function { body, .. } => {
                self.changes_shell |= own;
                self.command(body, own);
            }
            CommandKind::Other => self.changes_shell |= own,
        }
    }

    fn simple(&mut self, no_assignment: bool, words: &[ShellWord], own: bool) {
        let Some(program) = words.first() else {
            self.changes_shell |= own;
            return;
        };
        let name = program.literal.as_deref();
        // `A=1 :` keeps A in some shells, and a program that is not literal may be a builtin.
        self.changes_shell |=
            own && (name.is_none_or(|n| CHANGES_SHELL.contains(&n)) || (!no_assignment && name == Some(":")) || words.iter().any(assigns));
        match name {
            Some("set") => self.errexit |= sets_errexit(words),
            // What they run is not seen here.
            Some("eval" | "." | "source") | None => (self.errexit, self.runs_unseen) = (true, true),
            _ => {}
        }
    }
}

/// `${x:=1}`, `${x=1}`, `$((x = 1))`.
fn assigns(word: &ShellWord) -> bool {
    word.literal.is_none() && (word.raw.contains("$((") || (word.raw.contains("${") && word.raw.contains('=')))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::{self, Body};
    use crate::source::Span;

    fn shape(text: &str) -> Shape {
        let body = Body::line(text, Span::new(0, text.len()), '\\');
        Shape::of(&shell::parse(&body, Dialect::Posix).unwrap(), text, Dialect::Posix, false)
    }

    #[test]
    fn wraps() {
        for (text, wrap) in [
            ("a && b", Wrap::Bare),
            ("a | b", Wrap::Bare),
            ("! a && b", Wrap::Bare),
            ("(cd x; b)", Wrap::Bare),
            ("cd x | b", Wrap::Bare),
            ("a || true", Wrap::Group),
            ("a; b", Wrap::Group),
            ("cd /x && a", Wrap::Subshell),
            ("export A=1; b", Wrap::Subshell),
            ("for i in 1 2; do a; done", Wrap::Subshell),
            ("A=1", Wrap::Subshell),
            ("A=1 b", Wrap::Bare),
            ("echo ${A:=1}", Wrap::Subshell),
            ("if a; then exit 1; fi", Wrap::Subshell),
            ("set -ex && a && b", Wrap::Subshell),
        ] {
            assert_eq!(shape(text).wrap(false), wrap, "{text}");
        }
        assert_eq!(shape("cd /x && a").wrap(true), Wrap::Bare);
        assert_eq!(shape("cd /x; a").wrap(true), Wrap::Group);
    }

    #[test]
    fn what_cannot_be_joined() {
        for text in ["a & b", "echo $$", "a; (b &)", "echo ${LINENO}", "a &> x"] {
            assert!(shape(text).unfit.is_some(), "{text}");
        }
        for text in ["echo $_a $SECONDSX", "a", "echo '#'"] {
            assert!(shape(text).unfit.is_none(), "{text}");
        }
        for text in ["a # b", "set -e; a && b; c", "(set -e; a; b)", "f() { set -e; a; b; }; f", ". ./x"] {
            assert!(shape(text).stops().is_some(), "{text}");
        }
        assert!(shape("set -ex && a && b").stops().is_none());
        assert!(shape("set -e; a; b").governed_like(&shape("set -e; c; d && e")));
        for (a, b) in [
            ("set -e; a && b", "set -e; c"),
            ("set -e; cd x; a", "set -e; c"),
            ("set -ex; a", "set -e; c"),
            ("set -e; a; if b; then c; fi", "set -e; d"),
        ] {
            assert!(!shape(a).governed_like(&shape(b)), "{a} / {b}");
        }
    }
}
