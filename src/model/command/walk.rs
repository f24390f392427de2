//! Goes through a script in the order in which a shell would, and keeps track of the directory and of what failures mean.

use super::super::state::Value;
use super::super::tools::{Entry, Tools, without_version};
use super::action::action;
use super::installer::{self, Fetched};
use super::{Action, Classified};
use crate::shell::{self, AndOr, Body, Command, CommandKind, Dialect, Operator, Pipeline, Script, ShellWord};
use crate::source::LineIndex;

/// Nobody writes more by hand; every command is looked up among them. What is defined beyond is a command that is not known.
const MOST_FUNCTIONS: usize = 200;

/// `sh -c "sh -c ..."` is followed this far.
const MAX_NESTING: usize = 4;

/// The commands of `script` in order.
pub(super) fn commands(
    script: &Script,
    shell: &[String],
    directory: Option<&str>,
    environment: &[(String, Value)],
    lines: &LineIndex,
) -> Vec<Classified> {
    let errexit = shell.iter().skip(1).any(|flag| sets_errexit(flag));
    let pipefail = shell.iter().any(|flag| flag == "pipefail");
    let place = Place { directory: directory.map(str::to_owned), previous: None, errexit, pipefail };
    let mut walker = Walker::new(environment, lines, place);
    walker.script(script, Fate::default());
    walker.uncalled();
    walker.found
}

/// The command of an exec form.
pub(super) fn exec(words: Vec<ShellWord>, directory: Option<&str>, environment: &[(String, Value)], lines: &LineIndex) -> Vec<Classified> {
    let Some(span) = words.iter().map(|w| w.span).reduce(crate::source::Span::cover) else { return Vec::new() };
    let place = Place { directory: directory.map(str::to_owned), previous: None, errexit: false, pipefail: false };
    let mut walker = Walker::new(environment, lines, place);
    let kind = CommandKind::Simple { assignments: Vec::new(), words };
    walker.simple(&Command { kind, redirections: Vec::new(), span }, Fate::default());
    walker.found
}

/// What the shell carries from command to command.
#[derive(Clone)]
struct Place {
    directory: Option<String>,
    previous: Option<String>,
    errexit: bool,
    pipefail: bool,
}

/// Whether a command may be skipped, and whether its failure counts.
#[derive(Clone, Copy, Default)]
struct Fate {
    conditional: bool,
    ignored: bool,
}

struct Walker<'a> {
    environment: &'a [(String, Value)],
    lines: &'a LineIndex,
    place: Place,
    found: Vec<Classified>,
    nesting: usize,
    /// The functions defined so far.
    functions: Vec<Function>,
    /// The variables that the body has set so far; `None` where it is not known to what.
    assigned: Vec<(String, Option<String>)>,
    /// The installers that were fetched into files.
    fetched: Vec<Fetched>,
    /// What the script sets up that the command in front of the pipe fetches.
    piped: Option<&'static str>,
}

/// A function of the script.
#[derive(Clone)]
struct Function {
    name: String,
    body: Command,
    /// Whether a call of it has been followed.
    seen: bool,
}

impl Function {
    fn literal_is(&self, word: &ShellWord) -> bool {
        word.literal.as_deref() == Some(&self.name)
    }
}

impl<'a> Walker<'a> {
    fn new(environment: &'a [(String, Value)], lines: &'a LineIndex, place: Place) -> Self {
        Self {
            environment,
            lines,
            place,
            found: Vec::new(),
            nesting: 0,
            functions: Vec::new(),
            assigned: Vec::new(),
            fetched: Vec::new(),
            piped: None,
        }
    }

    fn script(&mut self, script: &Script, fate: Fate) {
        for (index, list) in script.lists.iter().enumerate() {
            let last = index + 1 == script.lists.len();
            let ignored = fate.ignored || list.background || (!last && !self.place.errexit);
            let fate = Fate { ignored, ..fate };
            if list.background {
                self.subshell(|walker| walker.list(list, fate));
            } else {
                self.list(list, fate);
            }
        }
    }

    /// What happens in another shell changes neither this one's directory nor its variables.
    fn subshell(&mut self, run: impl FnOnce(&mut Self)) {
        let (before, known) = (self.place.clone(), self.assigned.len());
        run(self);
        self.place = before;
        self.assigned.truncate(known);
    }

    /// What was set since there were `known` variables may or may not have been set.
    fn perhaps(&mut self, known: usize) {
        self.assigned.iter_mut().skip(known).for_each(|(_, value)| *value = None);
    }

    fn list(&mut self, list: &AndOr, fate: Fate) {
        // Whether an `||` behind the pipeline catches its failure.
        let caught = |from: usize| {
            list.rest
                .iter()
                .skip(from)
                .find(|(operator, _)| *operator == Operator::Or)
                .is_some_and(|(_, alternative)| !gives_up(alternative))
        };
        self.pipeline(&list.first, Fate { ignored: fate.ignored || caught(0), ..fate });
        let mut conditional = fate.conditional;
        let known = self.assigned.len();
        for (index, (operator, pipeline)) in list.rest.iter().enumerate() {
            conditional |= *operator == Operator::Or;
            self.pipeline(pipeline, Fate { conditional, ignored: fate.ignored || caught(index + 1) });
        }
        self.perhaps(known);
    }

    fn pipeline(&mut self, pipeline: &Pipeline, fate: Fate) {
        if let [command] = pipeline.commands.as_slice() {
            self.command(command, Fate { ignored: fate.ignored || pipeline.negated, ..fate });
            return;
        }
        let mut piped = None;
        for (index, command) in pipeline.commands.iter().enumerate() {
            let last = index + 1 == pipeline.commands.len();
            let ignored = fate.ignored || pipeline.negated || (!last && !self.place.pipefail);
            let seen = self.found.len();
            self.piped = piped;
            // Each part of a pipeline is a subshell.
            self.subshell(|walker| walker.command(command, Fate { ignored, ..fate }));
            piped = self.found.get(seen..).and_then(<[_]>::last).and_then(installer::piped);
        }
        self.piped = None;
    }

    fn command(&mut self, command: &Command, fate: Fate) {
        let maybe = Fate { conditional: true, ..fate };
        match &command.kind {
            CommandKind::Simple { .. } => self.simple(command, fate),
            CommandKind::Subshell(script) => self.subshell(|walker| walker.script(script, fate)),
            CommandKind::Group(script) => self.script(script, fate),
            CommandKind::If { branches, otherwise } => {
                let (before, known) = (self.place.directory.clone(), self.assigned.len());
                for (condition, body) in branches {
                    self.script(condition, Fate { ignored: true, ..fate });
                    let inside = self.assigned.len();
                    self.script(body, maybe);
                    self.perhaps(inside);
                }
                if let Some(otherwise) = otherwise {
                    self.script(otherwise, maybe);
                }
                self.perhaps(known);
                self.unless_moved(before);
            }
            CommandKind::Loop { condition, variable, body } => {
                let (before, known) = (self.place.directory.clone(), self.assigned.len());
                // Each round begins with what the one before it has left.
                self.assigned.extend(variable.iter().map(|(name, _)| (name.clone(), None)));
                condition.iter().chain([body]).for_each(|script| self.forget_what_is_set(script));
                if let Some(condition) = condition {
                    self.script(condition, Fate { ignored: true, ..fate });
                }
                self.script(body, maybe);
                self.perhaps(known);
                self.unless_moved(before);
            }
            CommandKind::Case(bodies) => {
                let (before, known) = (self.place.directory.clone(), self.assigned.len());
                for body in bodies {
                    let inside = self.assigned.len();
                    self.script(body, maybe);
                    self.perhaps(inside);
                }
                self.perhaps(known);
                self.unless_moved(before);
            }
            CommandKind::Function { name, body } => {
                if self.functions.len() < MOST_FUNCTIONS {
                    self.functions.push(Function { name: name.clone(), body: (**body).clone(), seen: false });
                }
            }
            CommandKind::Other => {
                let line = self.lines.line(command.span.start);
                self.found.push(Classified {
                    span: command.span,
                    line,
                    words: Vec::new(),
                    environment: Vec::new(),
                    directory: self.place.directory.clone(),
                    conditional: fate.conditional,
                    failure_ignored: fate.ignored,
                    writes: written(command),
                    action: Action::Shell,
                });
            }
        }
    }

    /// Behind something that may or may not have changed the directory it is unknown.
    fn unless_moved(&mut self, before: Option<String>) {
        if self.place.directory != before {
            self.place.directory = None;
        }
    }

    fn simple(&mut self, command: &Command, fate: Fate) {
        let CommandKind::Simple { assignments, words } = &command.kind else { return };
        let mut environment: Vec<_> = assignments.iter().map(|a| (a.name.clone(), a.value.literal.clone())).collect();
        let piped = self.piped.take();
        if words.is_empty() {
            // Behind `||` or in a condition it may or may not be what was set.
            let certain = |value: Option<String>| value.filter(|_| !fate.conditional);
            self.assigned.extend(assignments.iter().map(|a| (a.name.clone(), certain(a.value.literal.clone()))));
        }
        let called = words.first().and_then(|w| w.literal.as_deref()).is_some_and(|name| self.call(name, fate));
        if called {
            return;
        }
        let known = words.first().is_some_and(|w| self.functions.iter().any(|f| f.literal_is(w)));
        let spelled = self.spelled(words);
        let words = unwrap(spelled.as_deref().unwrap_or(words), &mut environment);
        if self.nested(words, fate) {
            return;
        }
        // A further call does what the first one did.
        let action = match action(words) {
            _ if known => Action::Shell,
            Action::Unknown => installer::action(words, piped, &self.fetched).unwrap_or(Action::Unknown),
            other => other,
        };
        let line = self.lines.line(command.span.start);
        self.found.push(Classified {
            span: command.span,
            line,
            words: words.to_vec(),
            environment,
            directory: self.place.directory.clone(),
            conditional: fate.conditional,
            failure_ignored: fate.ignored,
            writes: written(command),
            action,
        });
        self.fetched.extend(self.found.last().and_then(Fetched::by));
        let known = self.assigned.len();
        self.follow(words);
        if fate.conditional {
            self.perhaps(known);
        }
    }

    /// The variables that `script` sets somewhere are not known.
    fn forget_what_is_set(&mut self, script: &Script) {
        script.each_command(&mut |command| {
            if let CommandKind::Simple { assignments, words } = &command.kind {
                if words.is_empty() {
                    self.assigned.extend(assignments.iter().map(|a| (a.name.clone(), None)));
                }
                self.assigned.extend(declared(words).map(|(name, _)| (name, None)));
            }
        });
    }

    /// The words of `$INSTALL git` where ENV or ARG says what `$INSTALL` is.
    fn spelled(&self, words: &[ShellWord]) -> Option<Vec<ShellWord>> {
        let (first, rest) = words.split_first()?;
        if first.literal.is_some() || !first.raw.contains('$') {
            return None;
        }
        let name = first.raw.strip_prefix("${").and_then(|r| r.strip_suffix('}')).or_else(|| first.raw.strip_prefix('$'));
        let plain = |w: &str| !w.contains(['`', '\\', '\'', '"', '*', '?', '[', '~', '$', '(', ';', '|', '&', '<', '>', '{']);
        let text = match name.filter(|n| n.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')) {
            Some(name) => self.variable(name).filter(|text| plain(text))?,
            None => self.value(first)?,
        };
        let mut spelled: Vec<ShellWord> =
            text.split_whitespace().map(|w| ShellWord { raw: w.to_owned(), literal: Some(w.to_owned()), span: first.span }).collect();
        if spelled.is_empty() {
            return None;
        }
        spelled.extend(rest.iter().cloned());
        Some(spelled)
    }

    /// Follows the first call of a function, as if its body stood here; each command is listed once.
    fn call(&mut self, name: &str, fate: Fate) -> bool {
        let Some(function) = self.functions.iter_mut().rfind(|f| f.name == name && !f.seen) else { return false };
        function.seen = true;
        let body = function.body.clone();
        self.command(&body, fate);
        true
    }

    /// The functions that nobody is seen to call: something may, through a variable or a trap.
    fn uncalled(&mut self) {
        while let Some(function) = self.functions.iter_mut().find(|f| !f.seen) {
            function.seen = true;
            let body = function.body.clone();
            self.place.directory = None;
            self.command(&body, Fate { conditional: true, ignored: true });
        }
    }

    /// `sh -c '...'`: what stands inside counts.
    fn nested(&mut self, words: &[ShellWord], fate: Fate) -> bool {
        let found = inner_script(words).map(|(script, place, dialect)| (script, place, dialect, false));
        let Some((script, place, dialect, login)) = found.or_else(|| script_of_su(words)) else { return false };
        if self.nesting >= MAX_NESTING {
            return false;
        }
        let Some(script) = shell::parse(&Body::inside(&script, place), dialect) else { return false };
        let before = self.place.clone();
        let known = self.assigned.len();
        let flags = words.iter().filter_map(|w| w.literal.as_deref()).take_while(|w| !w.contains('c') || !w.starts_with('-'));
        if login {
            self.place.directory = None;
        }
        self.place.errexit = flags.clone().any(sets_errexit);
        self.place.pipefail = flags.clone().any(|f| f == "pipefail");
        self.nesting += 1;
        let functions = std::mem::take(&mut self.functions);
        self.script(&script, fate);
        self.uncalled();
        self.functions = functions;
        self.nesting -= 1;
        self.place = before;
        self.assigned.truncate(known);
        true
    }

    /// What `cd` and `set` do to the commands behind them.
    fn follow(&mut self, words: &[ShellWord]) {
        self.assigned.extend(declared(words));
        match words.first().and_then(|w| w.literal.as_deref()) {
            Some("cd" | "pushd") => {
                let target = words.iter().skip(1).find(|w| !matches!(w.raw.as_str(), "-P" | "-L" | "--" | "-e"));
                let directory = match target {
                    Some(word) if word.raw == "-" => self.place.previous.clone(),
                    Some(word) => self.value(word).and_then(|path| resolve(self.place.directory.as_deref(), &path)),
                    None => self.variable("HOME"),
                };
                self.place.previous = std::mem::replace(&mut self.place.directory, directory);
            }
            Some("popd") => self.place.directory = None,
            Some("set") => {
                let mut words = words.iter().skip(1).filter_map(|w| w.literal.as_deref());
                while let Some(word) = words.next() {
                    match word {
                        "-o" | "+o" => match words.next() {
                            Some("errexit") => self.place.errexit = word == "-o",
                            Some("pipefail") => self.place.pipefail = word == "-o",
                            _ => {}
                        },
                        _ if sets_errexit(word) => {
                            self.place.errexit = true;
                            if word.ends_with('o') && words.next() == Some("pipefail") {
                                self.place.pipefail = true;
                            }
                        }
                        _ if word.starts_with('+') && word.contains('e') => self.place.errexit = false,
                        _ if word.starts_with('-') && word.ends_with('o') && words.next() == Some("pipefail") => self.place.pipefail = true,
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }

    /// The value of a word, with plain variables of the known environment filled in.
    fn value(&self, word: &ShellWord) -> Option<String> {
        word.literal.clone().or_else(|| filled(&word.raw, &|name| self.variable(name)))
    }

    fn variable(&self, name: &str) -> Option<String> {
        if let Some((_, value)) = self.assigned.iter().rev().find(|(n, _)| n == name) {
            return value.clone();
        }
        match self.environment.iter().rev().find(|(n, _)| n == name)? {
            (_, Value::Known(value)) => Some(value.clone()),
            (_, Value::Unknown) => None,
        }
    }
}

/// The value of a word as written, with its plain variables filled in; `None` where one is not known, or where the shell does more.
pub(super) fn filled(raw: &str, variable: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let inner = raw.strip_prefix('"').and_then(|r| r.strip_suffix('"')).unwrap_or(raw);
    let mut value = String::new();
    let mut rest = inner;
    while let Some((plain, behind)) = rest.split_once('$') {
        value.push_str(plain);
        let (name, behind) = match behind.strip_prefix('{') {
            Some(braced) => braced.split_once('}')?,
            None => behind.split_at(behind.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(behind.len())),
        };
        value.push_str(&variable(name)?);
        rest = behind;
    }
    value.push_str(rest);
    (!value.contains(['`', '\\', '\'', '"', '*', '?', '[', '~', ' ', '$', '('])).then_some(value)
}

/// The variables that `export NAME=value` and the like set, or that `unset` and `read` make unknown.
fn declared(words: &[ShellWord]) -> impl Iterator<Item = (String, Option<String>)> {
    let builtin = words.first().and_then(|w| w.literal.as_deref()).unwrap_or_default();
    let forgets = matches!(builtin, "unset" | "read");
    let declares = forgets || matches!(builtin, "export" | "readonly" | "declare" | "typeset" | "local");
    words.iter().skip(1).filter(move |w| declares && !w.raw.starts_with('-')).filter_map(move |word| {
        let text = word.literal.as_deref().unwrap_or_else(|| word.raw.trim_start_matches(['"', '\'']));
        match text.split_once('=') {
            Some((name, value)) => Some((name.to_owned(), word.literal.as_ref().map(|_| value.to_owned()))),
            // `export NAME` alone leaves the value as it is.
            None => forgets.then(|| (text.to_owned(), None)),
        }
    })
}

/// Whether a failure behind `||` is passed on: `|| exit 1`, `|| false`.
fn gives_up(pipeline: &Pipeline) -> bool {
    let last = |script: &Script| script.lists.last().is_some_and(|l| gives_up(&l.first) && l.rest.is_empty());
    match pipeline.commands.last().map(|c| &c.kind) {
        Some(CommandKind::Simple { words, .. }) => {
            let words: Vec<_> = words.iter().map(|w| w.literal.as_deref().unwrap_or("?")).collect();
            matches!(words.as_slice(), ["false"] | ["exit" | "return"])
                || matches!(words.as_slice(), ["exit" | "return", status] if *status != "0")
        }
        Some(CommandKind::Group(script) | CommandKind::Subshell(script)) => last(script),
        _ => false,
    }
}

/// `-e`, also among other letters.
fn sets_errexit(flag: &str) -> bool {
    flag == "errexit" || (flag.starts_with('-') && !flag.starts_with("--") && flag.contains('e'))
}

fn written(command: &Command) -> Vec<ShellWord> {
    let outward = command.redirections.iter().filter(|r| {
        matches!(r.operator.as_str(), ">" | ">>" | ">|" | "&>" | "&>>" | "<>")
            || (r.operator == ">&" && r.target.as_ref().is_some_and(|t| !t.raw.starts_with(|c: char| c.is_ascii_digit() || c == '-')))
    });
    outward.filter_map(|r| r.target.clone()).collect()
}

/// The command behind `sudo`, `env`, `time` and the like.
fn unwrap<'w>(mut words: &'w [ShellWord], environment: &mut Vec<(String, Option<String>)>) -> &'w [ShellWord] {
    let whole = words;
    while let Some(Entry::Wrapper(wrapper)) = words.first().and_then(|w| w.literal.as_deref()).and_then(|p| Tools::built_in().program(p)) {
        let mut rest = words.get(1..).unwrap_or_default();
        while let Some(option) = rest.first().filter(|w| w.raw.starts_with('-')) {
            let taken = if wrapper.values.contains(&option.raw) { 2 } else { 1 };
            rest = rest.get(taken..).unwrap_or_default();
            if option.raw == "--" {
                break;
            }
        }
        if wrapper.assignments {
            while let Some((name, _)) = rest.first().and_then(|w| w.raw.split_once('=')) {
                let value = rest.first().and_then(|w| w.literal.as_deref()).and_then(|l| l.split_once('=')).map(|(_, v)| v.to_owned());
                environment.push((name.to_owned(), value));
                rest = rest.get(1..).unwrap_or_default();
            }
        }
        rest = rest.get(wrapper.operands..).unwrap_or_default();
        if rest.is_empty() {
            return whole;
        }
        words = rest;
    }
    words
}

/// The script of `sh -c SCRIPT`.
fn inner_script(words: &[ShellWord]) -> Option<(String, crate::source::Span, Dialect)> {
    let program = words.first()?.literal.clone()?;
    let dialect = Dialect::of(&[program]);
    let mut rest = words.iter().skip(1);
    while let Some(word) = rest.next() {
        let text = word.literal.as_deref()?;
        if text.starts_with('-') && !text.starts_with("--") && text.contains('c') {
            let script = rest.next()?;
            return Some((script.literal.clone()?, script.span, dialect));
        }
        if !text.starts_with(['-', '+']) && text != "pipefail" {
            return None;
        }
    }
    None
}

/// The script of `su USER -c SCRIPT`, and whether it starts in the user's home.
fn script_of_su(words: &[ShellWord]) -> Option<(String, crate::source::Span, Dialect, bool)> {
    if !matches!(program_name(words)?, "su" | "runuser") {
        return None;
    }
    let (mut script, mut dialect, mut login) = (None, Dialect::Posix, false);
    let mut rest = words.iter().skip(1);
    while let Some(word) = rest.next() {
        match word.raw.as_str() {
            "-c" | "--command" | "--session-command" => script = Some(rest.next()?),
            "-s" | "--shell" => dialect = Dialect::of(&[rest.next()?.literal.clone()?]),
            "-" | "-l" | "--login" => login = true,
            "-g" | "--group" | "-G" | "-w" | "-u" | "--user" => drop(rest.next()?),
            "-p" | "-m" | "--preserve-environment" | "-f" | "--fast" => {}
            // `-lc`, `-s/bin/sh`: not taken apart.
            option if option.starts_with('-') => return None,
            _ => {}
        }
    }
    let script = script?;
    Some((script.literal.clone()?, script.span, dialect, login))
}

/// `path` from `directory`, without `.` and `..`.
pub(super) fn resolve(directory: Option<&str>, path: &str) -> Option<String> {
    let full = if path.starts_with('/') { path.to_owned() } else { format!("{}/{path}", directory?) };
    let mut parts: Vec<&str> = Vec::new();
    for part in full.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            other => parts.push(other),
        }
    }
    Some(format!("/{}", parts.join("/")))
}

/// The program name of a command, without folder and version: `python3.11` is `python`.
pub(super) fn program_name(words: &[ShellWord]) -> Option<&str> {
    let program = words.first()?.literal.as_deref()?;
    Some(without_version(program.rsplit('/').next().unwrap_or(program)))
}

#[cfg(test)]
mod tests;
