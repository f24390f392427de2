//! What each RUN does, command by command.

mod action;
mod installer;
mod walk;

use super::state::{State, Value};
use super::tools::{Entry, Manager, Tools};
use crate::shell::{self, Body, Dialect, Script, ShellWord};
use crate::source::{LineIndex, Span};
use crate::syntax::{Dockerfile, Form, Instruction, Reading};

/// What a RUN does.
#[derive(Clone, Debug)]
pub struct RunFacts {
    /// The parsed body; `None` for the exec form, and where it is opaque (powershell, cmd, not understood).
    pub script: Option<Script>,
    /// The commands in order, those inside groups, subshells and conditions included.
    pub commands: Vec<Classified>,
}

impl RunFacts {
    /// What the RUN `instruction` does, given what is in force before it.
    #[must_use]
    pub fn of(file: &Dockerfile, instruction: &Instruction, reading: &Reading, before: &State) -> Self {
        if reading.form == Form::Exec {
            let words =
                reading.words.iter().map(|w| ShellWord { raw: w.text.clone(), literal: Some(w.text.clone()), span: w.span }).collect();
            return Self { script: None, commands: walk::exec(words, before.workdir.as_deref(), &before.env, file.lines()) };
        }
        match Body::of_run(file.source(), instruction, reading, file.escape) {
            Some(body) => Self::read(&body, &before.shell, before.workdir.as_deref(), &before.env, file.lines()),
            None => Self { script: None, commands: Vec::new() },
        }
    }

    /// What `body` does under a SHELL, in a directory, with an environment.
    #[must_use]
    pub fn read(body: &Body, shell: &[String], directory: Option<&str>, environment: &[(String, Value)], lines: &LineIndex) -> Self {
        let Some(script) = shell::parse(body, Dialect::of(shell)) else {
            return Self { script: None, commands: Vec::new() };
        };
        let commands = walk::commands(&script, shell, directory, environment, lines);
        Self { script: Some(script), commands }
    }
}

/// A command and what it does.
#[derive(Clone, Debug)]
pub struct Classified {
    /// The bytes of the simple command.
    pub span: Span,
    /// The line it starts on, from 1.
    pub line: usize,
    /// The words behind `sudo`, `env`, assignments and the like; the first is the program.
    pub words: Vec<ShellWord>,
    /// The variables assigned for this command alone.
    pub environment: Vec<(String, Option<String>)>,
    /// The directory it runs in, absolute; `None` where it is unknown.
    pub directory: Option<String>,
    /// Whether it may be skipped: behind `||`, in an `if`, a loop or a `case`.
    pub conditional: bool,
    /// Whether its failure is ignored (`|| true`, `;` in between).
    pub failure_ignored: bool,
    /// Whether its output is redirected into a file, and which.
    pub writes: Vec<ShellWord>,
    /// What it does.
    pub action: Action,
}

/// The package manager whose cache the path `word` lies in; `any` for a directory that is only cache but nobody's in particular.
#[must_use]
pub fn cache_of(word: &ShellWord) -> Option<String> {
    action::cache_of(word).map(str::to_owned)
}

/// The value of the word `raw` of a shell, with plain variables filled in by `variable`; `None` where one is not known, or where the
/// shell would do more with it (globs, substitutions).
#[must_use]
pub fn filled(raw: &str, variable: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    walk::filled(raw, variable)
}

/// `path` from `directory`, without `.` and `..`; `None` where that is not known.
#[must_use]
pub fn resolved(directory: Option<&str>, path: &str) -> Option<String> {
    walk::resolve(directory, path)
}

/// Whether some command of the shell's text `text` runs as another user or in another root (`gosu`, `chroot`, `sudo -u`).
#[must_use]
pub fn acts_elsewhere(text: &str) -> bool {
    Tools::built_in().acts_elsewhere(text)
}

impl Classified {
    /// The command with what `variable` knows filled in where it names files: in what it reads and writes, and in the words behind
    /// the program. Packages stay as they are written.
    #[must_use]
    pub fn with_values(&self, variable: &dyn Fn(&str) -> Option<String>) -> Self {
        let fill = |word: &mut ShellWord| {
            if word.literal.is_none() {
                word.literal = filled(&word.raw, variable);
            }
        };
        let mut command = self.clone();
        command.words.iter_mut().skip(1).for_each(fill);
        command.writes.iter_mut().for_each(fill);
        if let Action::File { writes, reads } = &mut command.action {
            writes.iter_mut().chain(reads).for_each(fill);
        }
        command
    }

    /// Its words as the program gets them, or as they are written where the shell does more with them.
    #[must_use]
    pub fn texts(&self) -> Vec<&str> {
        self.words.iter().map(|w| w.literal.as_deref().unwrap_or(&w.raw)).collect()
    }

    /// The command that removes what this one, of a package manager, leaves behind; with the same `sudo` in front.
    #[must_use]
    pub fn tidy(&self) -> Option<String> {
        let program = self.words.first()?.literal.as_deref()?;
        match Tools::built_in().program(program)? {
            Entry::Manager(manager) => Some(manager.tidy.as_deref()?.replace("PROGRAM", program)),
            _ => None,
        }
    }

    /// What is known of the package manager that is called, and of where it keeps what it downloads; `None` where nothing is.
    pub(crate) fn cache_facts(&self) -> Option<&'static Manager> {
        match Tools::built_in().program(self.words.first()?.literal.as_deref()?)? {
            Entry::Manager(manager) if !manager.mounts.is_empty() => Some(manager),
            _ => None,
        }
    }

    /// Whether it leaves a process behind that runs on until the shell of its RUN ends.
    #[must_use]
    pub fn starts_daemon(&self) -> bool {
        let Some(program) = self.words.first().and_then(|w| w.literal.as_deref()) else { return false };
        program.starts_with("/etc/init.d/")
            || matches!(Tools::built_in().program(program), Some(Entry::Tool(tool)) if tool.kind == "daemon")
    }

    /// The name of the program without folder and version; `None` where it is not literal.
    #[must_use]
    pub fn program(&self) -> Option<&str> {
        walk::program_name(&self.words)
    }
}

/// What a command does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// A system package manager.
    System {
        /// `apt`, `apk`, `dnf`, ... (the family: apt-get and aptitude are `apt`).
        manager: String,
        /// What it does.
        operation: Operation,
        /// The packages named.
        packages: Vec<ShellWord>,
    },
    /// A language's package manager.
    Language {
        /// `pip`, `npm`, `yarn`, `go`, `cargo`, `bundle`, `maven`, ...
        manager: String,
        /// What it does.
        operation: Operation,
        /// The packages named on the command line.
        packages: Vec<ShellWord>,
        /// The files that it is told to read (`-r requirements.txt`), relative to its directory, or absolute.
        files: Vec<ShellWord>,
    },
    /// Compiles or bundles.
    Build {
        /// `go`, `make`, `maven`, `npm`, ...
        tool: String,
    },
    /// Only tests or lints.
    Test,
    /// Fetches something: `curl`, `wget`, `git clone`.
    Download,
    /// `mkdir`, `cp`, `mv`, `ln`, `chmod`, `chown`, `rm`, `touch`, `install`, `tar`, `sed -i`, ...
    File {
        /// The paths it may write, as words (literal where known).
        writes: Vec<ShellWord>,
        /// The paths it reads.
        reads: Vec<ShellWord>,
    },
    /// `useradd`, `groupadd`, `adduser`, `usermod`, ...
    User,
    /// Removes caches and lists.
    Clean,
    /// Changes only the shell or prints: `cd`, `set`, `export`, `echo`, `true`, `test`, ...
    Shell,
    /// Known as a whole, but not file by file: an installer known by its address, an environment that is sourced, `patch`, `openssl`.
    Setup {
        /// What it sets up.
        of: String,
    },
    /// Unknown.
    Unknown,
}

impl Action {
    /// Whether nothing is known of the files that it reads and writes, and of the programs that it calls.
    #[must_use]
    pub const fn is_unforeseen(&self) -> bool {
        matches!(self, Self::Unknown | Self::Setup { .. })
    }
}

/// What a package manager is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Operation {
    Update,
    Upgrade,
    Install,
    Download,
    Remove,
    Clean,
    /// Runs a script or a program (`npm run build`, `mvn package`).
    Run,
    Other,
}
