//! What a container starts: the words of ENTRYPOINT and CMD, the scripts behind them, and the scripts of package.json.

use std::collections::HashSet;

use crate::shell::{self, Body, Command, CommandKind, Dialect, Redirection, Script, ShellWord};
use crate::source::Span;
use crate::syntax::{Form, Keyword, View};

use crate::model::{State, Step};

use super::facts::facts;
use super::subject::{Subject, absolute, parent, resolve};

/// What stands against another user than root, with the line of the Dockerfile that leads there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Objection {
    /// Why, in words.
    pub reason: String,
    /// The line.
    pub line: usize,
}

/// A place that the program writes to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Write {
    /// The directory, absolute.
    pub directory: String,
    /// What says so, in words.
    pub why: String,
    /// Whether the program writes it for sure, so that a directory which must stay root's is an objection.
    pub certain: bool,
    /// Whether it is made by the program or its tools in a directory that RUN has filled: made last, and empty.
    pub late: bool,
    /// Whether the change is given up where the directory can't be given away.
    pub needed: bool,
}

impl Write {
    /// A directory that is needed, and made before the program's files come.
    pub fn new(directory: String, why: impl Into<String>, certain: bool) -> Self {
        Self { directory, why: why.into(), certain, late: false, needed: true }
    }
}

/// What was learnt of the start.
#[derive(Debug, Default)]
pub struct Start {
    /// Whether the file starts anything.
    pub starts: bool,
    /// The line of what starts.
    pub line: usize,
    /// What speaks against another user.
    pub objections: Vec<Objection>,
    /// Where the started programs write, as far as commands say it.
    pub writes: Vec<Write>,
    /// The programs that run in the end, by their words.
    pub programs: Vec<Vec<String>>,
    /// Files of the image that are run, which need to be readable for others.
    pub files: Vec<String>,
    /// What writes in a folder that is not known, in words.
    pub unplaced: Option<String>,
}

pub(super) struct Reader<'s, 'm, 'a> {
    pub(super) subject: &'s Subject<'m, 'a>,
    pub(super) state: &'s State,
    pub(super) seen: HashSet<String>,
    pub(super) out: Start,
}

/// Where a command stands.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) line: usize,
    /// The script in the context, if it stands in one.
    pub(super) file: Option<String>,
    pub(super) directory: Option<String>,
    pub(super) depth: usize,
}

/// Scripts may start scripts; beyond this depth nobody writes them by hand.
pub(super) const DEEPEST: usize = 8;

/// Words in the names of options that say where a program keeps what it writes.
pub(super) const STATE: &[&str] =
    &["data", "db", "database", "cache", "state", "storage", "upload", "uploads", "output", "datadir", "dbpath", "tmp"];

/// Reads what the final image starts.
pub fn read(subject: &Subject) -> Start {
    let Some(stage) = subject.stage() else { return Start::default() };
    let mut reader = Reader { subject, state: &stage.end, seen: HashSet::new(), out: Start::default() };
    let entrypoint = subject.last(Keyword::Entrypoint).filter(|s| s.starts());
    let cmd = subject.last(Keyword::Cmd).filter(|s| s.starts());
    let Some(first) = entrypoint.or(cmd) else { return reader.out };
    reader.out.starts = true;
    reader.out.line = first.line;
    let directory = subject.workdir();
    let place = |step: &Step| Place { line: step.line, file: None, directory: directory.clone(), depth: 0 };
    match (entrypoint, cmd) {
        (Some(e), c) if form(e) == Some(Form::Exec) => {
            let mut words = e.reading.args.clone();
            if let Some(c) = c {
                if form(c) == Some(Form::Exec) { words.extend(c.reading.args.clone()) } else { reader.step(c, &place(c)) }
            }
            reader.words(&words, &place(e));
            // An entrypoint script ends in `exec "$@"`: CMD is a command of its own.
            if let Some(c) = c
                && form(c) == Some(Form::Exec)
                && c.reading.args.first().is_some_and(|w| !w.starts_with('-'))
            {
                reader.words(&c.reading.args, &place(c));
            }
        }
        (Some(e), _) => reader.step(e, &place(e)),
        (None, Some(c)) => reader.step(c, &place(c)),
        (None, None) => {}
    }
    reader.out
}

fn form(step: &Step) -> Option<Form> {
    match step.view {
        View::Cmd { form } | View::Entrypoint { form } => Some(form),
        _ => None,
    }
}

impl Reader<'_, '_, '_> {
    fn step(&mut self, step: &Step, place: &Place) {
        match form(step) {
            Some(Form::Exec) => self.words(&step.reading.args.clone(), place),
            _ => {
                let text = step.reading.args.join(" ");
                if ["[\"", "['"].iter().any(|head| text.starts_with(head)) {
                    return self.object(place, "this is no JSON, so a shell takes it for the name of a program, and nothing starts");
                }
                let dialect = Dialect::of(&self.state.shell);
                self.text(&text, dialect, place);
            }
        }
    }

    pub(super) fn object(&mut self, place: &Place, reason: impl Into<String>) {
        let reason: String = reason.into();
        let reason = match &place.file {
            Some(file) => format!("{file}: {reason}"),
            None => reason,
        };
        self.out.objections.push(Objection { reason, line: place.line });
    }

    pub(super) fn text(&mut self, text: &str, dialect: Dialect, place: &Place) {
        if place.depth > DEEPEST {
            return;
        }
        let body = Body::verbatim(text, Span::new(0, text.len()));
        match shell::parse(&body, dialect) {
            Some(script) => self.script(&script, place),
            None => self.object(place, "what starts is in a shell that is not understood"),
        }
    }

    fn script(&mut self, script: &Script, place: &Place) {
        let mut here = place.clone();
        for list in &script.lists {
            for pipeline in std::iter::once(&list.first).chain(list.rest.iter().map(|(_, p)| p)) {
                for command in &pipeline.commands {
                    self.command(command, &mut here);
                }
            }
        }
    }

    fn command(&mut self, command: &Command, place: &mut Place) {
        for redirection in &command.redirections {
            self.redirection(redirection, place);
        }
        match &command.kind {
            CommandKind::Simple { words, assignments } => {
                let _ = assignments;
                let words: Vec<String> = words.iter().map(|w| self.word(w)).collect();
                if words.first().is_some_and(|w| w == "cd") {
                    place.directory = words.get(1).filter(|d| !d.contains('$')).and_then(|d| absolute(d, place.directory.as_deref()));
                    return;
                }
                self.words(&words, place);
            }
            CommandKind::Subshell(s) | CommandKind::Group(s) => self.script(s, place),
            CommandKind::If { branches, otherwise } => {
                for (condition, body) in branches {
                    self.script(condition, place);
                    self.script(body, place);
                }
                if let Some(s) = otherwise {
                    self.script(s, place);
                }
            }
            CommandKind::Loop { condition, body, .. } => {
                if let Some(s) = condition {
                    self.script(s, place);
                }
                self.script(body, place);
            }
            CommandKind::Case(bodies) => bodies.iter().for_each(|s| self.script(s, place)),
            // Whether it is called is not asked; where it is, it may leave another directory behind.
            CommandKind::Function { body, .. } => self.command(body, &mut place.clone()),
            CommandKind::Other => {}
        }
    }

    /// The value of a word as far as the image's environment says it, else as written.
    fn word(&self, word: &ShellWord) -> String {
        word.literal.clone().or_else(|| resolve(&word.raw, self.state)).unwrap_or_else(|| word.raw.trim_matches('"').to_owned())
    }

    fn redirection(&mut self, redirection: &Redirection, place: &Place) {
        if !redirection.operator.contains('>') || redirection.operator.ends_with("&") {
            return;
        }
        if let Some(target) = &redirection.target {
            let target = self.word(target);
            if target.chars().all(|c| c.is_ascii_digit() || c == '-') {
                return;
            }
            self.file(&target, "a redirection", place);
        }
    }

    /// The start writes the file `path`.
    pub(super) fn file(&mut self, path: &str, what: &str, place: &Place) {
        let Some(path) = self.place_of(path, place) else { return self.here(what, place) };
        if facts().root.paths.is_open(&path) {
            return;
        }
        let directory = parent(&path).to_owned();
        self.write(directory, &format!("{what} at start writes {path}"), true, place);
    }

    /// The start makes or fills the directory `path`.
    pub(super) fn folder(&mut self, path: &str, what: &str, place: &Place) {
        let Some(path) = self.place_of(path, place) else { return self.here(what, place) };
        if !facts().root.paths.is_open(&path) {
            self.write(path.clone(), &format!("{what} at start writes {path}"), true, place);
        }
    }

    /// Something in or below the working directory is written, but which is not known.
    pub(super) fn here(&mut self, what: &str, place: &Place) {
        match place.directory.clone() {
            Some(directory) => {
                self.write(directory, &format!("{what} at start writes a file whose name is not known before"), false, place)
            }
            None => {
                let at = place.file.as_deref().map_or(String::new(), |file| format!(" ({file})"));
                self.out.unplaced.get_or_insert(format!("{what} at start writes in a folder that is not known before{at}"));
            }
        }
    }

    pub(super) fn place_of(&self, path: &str, place: &Place) -> Option<String> {
        if path.contains(['$', '`', '*', '?']) || path.starts_with('~') {
            return None;
        }
        absolute(path, place.directory.as_deref())
    }

    pub(super) fn write(&mut self, directory: String, why: &str, certain: bool, place: &Place) {
        let why = match &place.file {
            Some(file) => format!("{why} ({file})"),
            None => why.to_owned(),
        };
        self.out.writes.push(Write::new(directory, why, certain));
    }
}
