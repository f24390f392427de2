//! Which files of the context a RUN reads.

use super::manifests;
use crate::context::has_wildcard;
use crate::context::manifests::python::Requirements;
use crate::model::command::{Action, Classified, Operation};
use crate::model::copied::Copy;
use crate::model::path::inside;
use crate::model::{Model, Step, Value, path};
use crate::shell::ShellWord;

/// What a RUN needs of what a COPY brought.
pub(super) enum Need {
    /// These files and nothing else; empty for none. `installs`: it installs or fetches something.
    Files { files: Vec<String>, installs: bool },
    /// More than can be said, and why. `installs`: the reason stands in the way of an install step.
    More { reason: String, line: usize, installs: bool },
}

/// A command's needs; `Err` with the reason where it reads more than can be said.
pub(super) type Needed = Result<Vec<String>, String>;

pub(super) fn of_run(model: &Model, step: &Step, copy: &Copy) -> Need {
    let more = |reason: String, line: usize, installs: bool| Need::More { reason, line, installs };
    let Some(run) = &step.run else { return more("is not understood".into(), step.line, false) };
    if run.script.is_none() {
        return more("is not understood".into(), step.line, false);
    }
    if step.reading.flags.iter().any(|f| {
        f.name == "mount"
            && f.value.as_deref().is_none_or(|v| !["type=cache", "type=secret", "type=ssh", "type=tmpfs"].iter().any(|t| v.contains(t)))
    }) {
        return more("mounts files of its own".into(), step.line, false);
    }
    let mut files = Vec::new();
    let mut installs = false;
    for command in &run.commands {
        let is_install = is_install(&command.action);
        match of_command(model, step, command, copy) {
            Ok(more) => {
                installs |= is_install;
                files.extend(more.into_iter().filter(|f| copy.target(f).is_some()));
            }
            Err(reason) => return more(reason, command.line, is_install || installs),
        }
    }
    files.sort();
    files.dedup();
    Need::Files { files, installs }
}

pub(super) fn is_install(action: &Action) -> bool {
    matches!(
        action,
        Action::Language { operation: Operation::Install | Operation::Download, .. } | Action::System { operation: Operation::Install, .. }
    )
}

pub(super) fn of_command(model: &Model, step: &Step, command: &Classified, copy: &Copy) -> Needed {
    let Some(directory) = command.directory.as_deref() else { return Err("runs in a folder that is not known".into()) };
    let reaches = |word: &ShellWord| match &word.literal {
        Some(text) => copy.covers(&absolute(directory, text)),
        None => match fixed(&word.raw) {
            Some(folder) => copy.covers(&folder) || inside(&copy.destination, &folder),
            None => copy.covers(directory),
        },
    };
    if command.writes.iter().any(|w| w.literal.as_deref() != Some("/dev/null") && reaches(w)) {
        return Err("writes into the copied folder".into());
    }
    let named = command.program().unwrap_or("the command").to_owned();
    match &command.action {
        Action::System {
            operation: Operation::Install | Operation::Update | Operation::Upgrade | Operation::Remove | Operation::Clean,
            packages,
            ..
        } => {
            let local = |w: &ShellWord| {
                w.literal
                    .as_deref()
                    .is_none_or(|t| t.starts_with(['/', '.']) || t.ends_with(".deb") || t.ends_with(".rpm") || t.ends_with(".apk"))
            };
            match packages.iter().find(|w| local(w)) {
                Some(word) => Err(format!("installs {}, which is not a name", word.raw)),
                None => Ok(Vec::new()),
            }
        }
        Action::Language { manager, operation, packages, files } => {
            let install = Install { model, step, command, copy, directory, operation: *operation, packages, files };
            install.needs(manager)
        }
        Action::User => Ok(Vec::new()),
        // `npm cache clean`, `pip cache purge`: the manager's own words, not paths.
        Action::Clean
            if !matches!(named.as_str(), "rm" | "find") && !command.words.iter().any(|w| w.literal.is_none() || w.raw.contains('/')) =>
        {
            Ok(Vec::new())
        }
        Action::Clean | Action::Shell => match command.words.iter().skip(1).find(|w| is_path(w) && reaches(w)) {
            Some(word) => Err(format!("{named} looks at {}", word.raw)),
            None if comes_with(step, command, copy, &reaches) => Err(format!("{named} comes with the copied folder")),
            None => Ok(Vec::new()),
        },
        Action::Download if copy.covers(directory) && named == "git" => Err("git works in the copied folder".into()),
        Action::Download => match command.words.iter().skip(1).find(|w| !w.raw.contains("://") && is_path(w) && reaches(w)) {
            Some(word) => Err(format!("{named} writes {}", word.raw)),
            None if copy.covers(directory) => Err(format!("{named} writes into the copied folder")),
            None => Ok(Vec::new()),
        },
        Action::File { writes, reads } => {
            let makes_root = |w: &ShellWord| {
                named == "mkdir" && w.literal.as_deref().is_some_and(|t| inside(&copy.destination, &absolute(directory, t)))
            };
            if writes.is_empty() && reads.is_empty() {
                return Err(format!("{named} works on files"));
            }
            match writes.iter().chain(reads).find(|w| reaches(w) && !makes_root(w)) {
                Some(word) => Err(format!("{named} needs {}", word.raw)),
                None => Ok(Vec::new()),
            }
        }
        _ => Err(format!("what {named} reads is not known")),
    }
}

/// Whether the program of a command that only asks something may lie in the copied folder.
fn comes_with(step: &Step, command: &Classified, copy: &Copy, reaches: &dyn Fn(&ShellWord) -> bool) -> bool {
    let Some(program) = command.words.first() else { return false };
    if program.raw.contains('/') {
        return reaches(program);
    }
    let path = step.before.known_variable("PATH");
    let asks = matches!(command.words.as_slice(), [_, only] if only.raw.starts_with('-'));
    asks && path.is_some_and(|path| path.split(':').any(|folder| copy.covers(folder)))
}

/// The folder in which an absolute glob (`/var/lib/apt/lists/*`) finds what it finds.
fn fixed(raw: &str) -> Option<String> {
    if !raw.starts_with('/') || raw.contains(['$', '`', '~', '"', '\'', '\\', '{', '(']) || raw.contains("..") {
        return None;
    }
    let parts = raw.split('/').take_while(|part| !has_wildcard(part));
    Some(path::clean(&format!("/{}", parts.collect::<Vec<_>>().join("/"))))
}

/// Whether a word may be a path: not an option, and either with a slash or not literal.
fn is_path(word: &ShellWord) -> bool {
    !word.raw.starts_with('-') || word.literal.is_none()
}

pub(super) fn absolute(directory: &str, text: &str) -> String {
    path::clean(&if text.starts_with('/') { text.to_owned() } else { format!("{directory}/{text}") })
}

/// An install command.
pub(super) struct Install<'a, 'm> {
    pub model: &'a Model<'m>,
    pub step: &'a Step,
    pub command: &'a Classified,
    pub copy: &'a Copy<'a>,
    pub directory: &'a str,
    operation: Operation,
    packages: &'a [ShellWord],
    files: &'a [ShellWord],
}

impl Install<'_, '_> {
    pub(super) fn has_word(&self, any: &[&str]) -> bool {
        self.command.words.iter().any(|w| any.contains(&w.raw.as_str()))
    }

    /// The value of an option that the command line gives.
    fn value(&self, names: &[&str]) -> Option<&str> {
        let words = &self.command.words;
        words.iter().enumerate().find_map(|(i, w)| {
            let long = names.iter().filter(|n| n.starts_with("--")).find_map(|n| w.raw.strip_prefix(n)?.strip_prefix('='));
            long.or_else(|| names.contains(&w.raw.as_str()).then(|| words.get(i + 1).map(|v| v.raw.as_str())).flatten())
        })
    }

    /// A variable of the environment that is set to something.
    fn variable(&self, wanted: impl Fn(&str) -> bool) -> Option<&str> {
        let own = self.command.environment.iter().map(|(n, _)| n.as_str());
        let all = self.step.before.env.iter().filter(|(_, v)| *v != Value::Known(String::new())).map(|(n, _)| n.as_str());
        own.chain(all).find(|n| wanted(n))
    }

    /// The folder of the context that the command runs in, as this copy fills it.
    pub(super) fn folder(&self) -> Option<String> {
        self.copy
            .origin(self.directory)
            .filter(|f| f.is_empty() || self.model.context.is_dir(f))
            .filter(|_| self.copy.takes_folder())
            .or_else(|| {
                // Single files copied into the folder that it runs in.
                let part = self.copy.parts.iter().find(|p| {
                    !p.folder
                        && p.target.rsplit_once('/').is_some_and(|(f, _)| f == self.directory || (f.is_empty() && self.directory == "/"))
                })?;
                Some(part.source.rsplit_once('/').map_or(String::new(), |(f, _)| f.to_owned()))
            })
    }

    fn needs(&self, manager: &str) -> Needed {
        let installs = matches!(self.operation, Operation::Install | Operation::Download);
        let global = self.has_word(&["-g", "--global", "--location=global", "global"]);
        match manager {
            "pip" if installs => self.pip(),
            "npm" | "yarn" | "pnpm" if self.operation == Operation::Clean => Ok(Vec::new()),
            "npm" | "yarn" | "pnpm"
                if installs && global && self.packages.iter().all(|p| p.literal.as_deref().is_some_and(|p| !p.starts_with(['.', '/']))) =>
            {
                Ok(self.settings(&[".npmrc", ".yarnrc", ".yarnrc.yml"]))
            }
            "npm" | "yarn" | "pnpm" if self.is_setting() => Ok(Vec::new()),
            "npm" | "yarn" | "pnpm" if installs => self.unnamed().and_then(|folder| manifests::node(self, manager, &folder)),
            "corepack" if !installs => Ok(Vec::new()),
            "corepack" if !self.packages.is_empty() => Ok(Vec::new()),
            "go" if installs && self.has_word(&["download"]) && self.has_word(&["mod"]) => {
                self.unnamed().and_then(|folder| manifests::go(self.model, &folder))
            }
            "go" if installs
                && self.packages.iter().all(|p| p.literal.as_deref().is_some_and(|p| p.contains('@')))
                && !self.packages.is_empty()
                && self.has_word(&["install"]) =>
            {
                Ok(Vec::new())
            }
            "go" if self.has_word(&["env", "version"]) => Ok(Vec::new()),
            "bundle" if self.operation == Operation::Other && self.has_word(&["config"]) => Ok(Vec::new()),
            "bundle" if installs && self.has_word(&["install"]) => self.unnamed().and_then(|folder| manifests::bundle(self, &folder)),
            "gem" if installs && !self.packages.is_empty() => Ok(Vec::new()),
            "composer" if installs => self.unnamed().and_then(|folder| manifests::composer(self, &folder)),
            "maven" if self.operation == Operation::Download => self.unnamed().and_then(|folder| manifests::maven(self.model, &folder)),
            "poetry" if installs && self.packages.is_empty() => self.unnamed().and_then(|folder| manifests::poetry(self, &folder)),
            "pipenv" if installs && self.packages.is_empty() => {
                self.unnamed().and_then(|folder| self.all_of(&folder, &["Pipfile"], &["Pipfile.lock"]))
            }
            "uv" if installs && self.has_word(&["sync"]) => self.unnamed().and_then(|folder| manifests::uv(self, &folder)),
            "rustup" => Ok(Vec::new()),
            _ => Err(format!("what {manager} reads is not known")),
        }
    }

    /// The folder of the context that it runs in; `Err` if the command line names packages, which then change the manifest.
    fn unnamed(&self) -> Result<String, String> {
        if let Some(word) = self.packages.iter().find(|p| !matches!(p.raw.as_str(), "download" | "mod")) {
            return Err(format!("installs {} into the project, which changes its manifest", word.raw));
        }
        match self.folder() {
            Some(folder) => Ok(folder),
            None if self.copy.covers(self.directory) => Err("runs in a folder that the copied files do not have".into()),
            // Nothing of this copy can be meant.
            None => Err("runs outside of what was copied".into()),
        }
    }

    fn is_setting(&self) -> bool {
        let second = self.command.words.get(1).map(|w| w.raw.as_str());
        matches!(second, Some("config" | "set")) && !self.has_word(&["--location=project", "--location", "version"])
    }

    /// Those of the files that the folder has.
    fn settings(&self, names: &[&str]) -> Vec<String> {
        let folder = self.folder();
        folder.map_or(Vec::new(), |folder| manifests::present(self.model.context, &folder, names))
    }

    /// All of `needed`, and those of `optional` that are there.
    pub(super) fn all_of(&self, folder: &str, needed: &[&str], optional: &[&str]) -> Needed {
        let found = manifests::present(self.model.context, folder, needed);
        if found.len() < needed.len() {
            return Err(format!("{} is not in the context", needed.join(", ")));
        }
        Ok(found.into_iter().chain(manifests::present(self.model.context, folder, optional)).collect())
    }

    /// `Err` if the context brings what the step installs: it would be copied over it.
    pub(super) fn not_in_context(&self, folder: &str, names: &[&str]) -> Result<(), String> {
        match manifests::present(self.model.context, folder, names).first() {
            Some(path) => Err(format!("the context holds {path}, which would be copied over what it installs; name it in .dockerignore")),
            None => Ok(()),
        }
    }

    fn pip(&self) -> Needed {
        if let Some(name) = self.variable(|n| {
            matches!(
                n,
                "PIP_REQUIREMENT"
                    | "PIP_CONSTRAINT"
                    | "PIP_FIND_LINKS"
                    | "PIP_EDITABLE"
                    | "PIP_CONFIG_FILE"
                    | "PIP_TARGET"
                    | "PIP_PREFIX"
                    | "PIP_SRC"
            )
        }) {
            return Err(format!("{name} tells pip what to read"));
        }
        for option in ["--target", "-t", "--prefix", "--root", "--src", "--find-links", "-f", "-d", "--dest", "--cache-dir"] {
            let Some(value) = self.value(&[option]) else { continue };
            if !value.contains("://")
                && (value.contains('$') || self.copy.covers(&absolute(self.directory, value.trim_matches(['"', '\'']))))
            {
                return Err(format!("{option} {value} lies in the copied folder"));
            }
        }
        for word in self.packages {
            let Some(text) = word.literal.as_deref() else { return Err(format!("installs {}", word.raw)) };
            let remote = text.contains("://") || text.contains(" @ ");
            if !remote && (text.starts_with('.') || text.contains('/') || text.ends_with(".whl") || text.ends_with(".gz")) {
                return Err(format!("installs {text} from the copied files, so it reads the sources"));
            }
        }
        let mut out = Vec::new();
        for word in self.files {
            let Some(text) = word.literal.as_deref() else { return Err(format!("reads {}", word.raw)) };
            let Some(file) = self.copy.origin(&absolute(self.directory, text)) else { continue };
            let Some(requirements) = Requirements::read(self.model.context, &file) else {
                return Err(format!("{text} is not in the context"));
            };
            if let Some((target, by)) = requirements.paths.first() {
                return Err(format!("{by} installs {target} from the context, so it reads the sources"));
            }
            if let Some(missing) = requirements.missing.first() {
                return Err(format!("{text} names {missing}, which is not in the context"));
            }
            out.extend(requirements.files);
        }
        if self.packages.is_empty() && self.files.is_empty() {
            return Err("pip installs nothing that is named".into());
        }
        Ok(out)
    }
}
