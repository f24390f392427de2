//! What single commands of the start do: programs, wrappers, shells, scripts and package managers.

use crate::shell::Dialect;
use crate::syntax::Keyword;

use super::facts::facts;
use super::start::{DEEPEST, Place, Reader, STATE, Write};
use super::state;
use super::subject::{Origin, absolute, join, normal, parent};

impl Reader<'_, '_, '_> {
    /// A command by its words.
    pub(super) fn words(&mut self, words: &[String], place: &Place) {
        let Some(program) = words.first() else { return };
        if place.depth > DEEPEST || program.is_empty() {
            return;
        }
        let rest = words.get(1..).unwrap_or_default();
        if let Some(why) = facts().root.needs(words) {
            return self.object(place, why);
        }
        if program.starts_with("/etc/init.d/") {
            return self.object(place, format!("{program} starts a service, which only root may"));
        }
        let name = program.rsplit('/').next().unwrap_or(program);
        let deeper = Place { depth: place.depth + 1, ..place.clone() };
        match name {
            "\"$@\"" | "$@" | "$*" => return,
            "sh" | "bash" | "ash" | "dash" | "zsh" | "ksh" => return self.shell(rest, name, &deeper),
            "." | "source" => {
                if let Some(file) = rest.first() {
                    self.run_file(file, &deeper, true);
                }
                return;
            }
            "exec"
            | "nohup"
            | "command"
            | "time"
            | "eval"
            | "builtin"
            | "catchsegv"
            | "xvfb-run"
            | "stdbuf"
            | "nice"
            | "ionice"
            | "setsid"
            | "env"
            | "tini"
            | "dumb-init"
            | "catatonit"
            | "ddtrace-run"
            | "newrelic-admin"
            | "opentelemetry-instrument"
            | "dotenv"
            | "pipenv"
            | "poetry"
            | "uv"
            | "pdm"
            | "hatch"
            | "bundle"
            | "npx"
            | "bunx"
            | "cross-env"
            | "dockerize"
            | "chamber"
            | "envconsul"
            | "doppler"
            | "infisical"
            | "concurrently"
            | "timeout" => return self.inner(rest, &deeper),
            "npm" | "yarn" | "pnpm" | "bun" => self.manager(name, rest, &deeper),
            "make" | "just" | "task" => {
                self.object(place, format!("what {name} runs at start is not known"));
            }
            "sleep" | "tail" if place.file.is_none() && rest.iter().any(|w| w == "infinity" || w == "/dev/null") => {
                self.object(place, "only keeps the container open: who enters it may need root");
            }
            "mkdir" => rest.iter().filter(|w| !w.starts_with('-')).for_each(|w| self.folder(w, "mkdir", place)),
            "touch" | "tee" | "truncate" | "rm" | "rmdir" => {
                rest.iter().filter(|w| !w.starts_with('-')).for_each(|w| self.file(w, name, place));
            }
            "cp" | "mv" | "ln" | "install" | "rsync" | "envsubst" => {
                if let Some(last) = rest.iter().rev().find(|w| !w.starts_with('-')) {
                    self.file(last, name, place);
                }
            }
            "sed" | "perl" if rest.iter().any(|w| w == "-i" || w.starts_with("-i") || w.starts_with("--in-place")) => {
                if let Some(last) = rest.last() {
                    self.file(last, name, place);
                }
            }
            "curl" | "wget" => {
                if let Some(at) =
                    rest.iter().position(|w| matches!(w.as_str(), "-o" | "-O" | "--output" | "--output-document" | "-LO" | "-sSLo"))
                    && let Some(file) = rest.get(at + 1)
                {
                    self.file(file, name, place);
                }
            }
            "pip" | "pip3" | "easy_install" | "gem" | "composer"
                if rest.first().is_some_and(|w| w == "install" || w == "update" || w == "require") =>
            {
                self.object(place, format!("{name} installs packages at start"));
            }
            _ => {}
        }
        for build in &facts().writes.builds {
            if build.names.iter().any(|n| n == name) && (build.arguments.is_empty() || rest.iter().any(|w| build.arguments.contains(w))) {
                self.object(place, format!("{name} builds at start, with caches that the image keeps in root's home"));
            }
        }
        for writer in &facts().writes.programs {
            if writer.name == name && writer.argument.as_ref().is_none_or(|a| rest.contains(a)) {
                for directory in &writer.directories {
                    if let Some(path) = self.place_of(directory, place) {
                        let late = directory.contains('/') && !directory.starts_with('/') || directory.starts_with('.') && directory != ".";
                        let why = format!("{name} writes {path} when it runs");
                        self.out.writes.push(Write { late, ..Write::new(path, why, true) });
                    }
                }
            }
        }
        self.options(rest, place);
        for directory in rest.iter().flat_map(|word| state::places(word, true)) {
            self.write(directory, &format!("{name} is told of it at start and"), true, place);
        }
        self.settings(name, words, place);
        self.out.programs.push(words.to_vec());
        self.run_file(program, &deeper, false);
    }

    /// `wrapper [options] [--] program ...`.
    fn inner(&mut self, rest: &[String], place: &Place) {
        if let Some(at) = rest.iter().position(|w| w == "--") {
            return self.words(rest.get(at + 1..).unwrap_or_default(), place);
        }
        let skip = rest.iter().take_while(|w| {
            w.starts_with('-')
                || w.contains('=')
                || matches!(w.as_str(), "run" | "exec" | "run-program")
                || w.trim_end_matches(['s', 'm', 'h']).chars().all(|c| c.is_ascii_digit())
        });
        let skip = skip.count();
        self.words(rest.get(skip..).unwrap_or_default(), place);
    }

    fn shell(&mut self, rest: &[String], name: &str, place: &Place) {
        let dialect = if matches!(name, "bash" | "zsh" | "ksh") { Dialect::Bash } else { Dialect::Posix };
        let mut words = rest.iter();
        while let Some(word) = words.next() {
            if word.starts_with('-') && !word.starts_with("--") && word.contains('c') {
                if let Some(text) = words.next() {
                    self.text(text, dialect, place);
                }
                return;
            }
            if word == "-o" || word == "+o" {
                words.next();
            } else if !word.starts_with('-') && !word.starts_with('+') {
                return self.run_file(word, place, true);
            }
        }
        self.object(place, format!("starts only {name}: who enters it may need root"));
    }

    /// Options that name what is written: `--pid FILE`, `--log-file=FILE`, `--bind unix:SOCKET`.
    fn options(&mut self, words: &[String], place: &Place) {
        let mut words = words.iter().peekable();
        while let Some(word) = words.next() {
            let Some(option) = word.strip_prefix("--") else { continue };
            let (name, value) = match option.split_once('=') {
                Some((n, v)) => (n, v.to_owned()),
                None => (option, words.peek().map(|w| (*w).clone()).filter(|w| !w.starts_with('-')).unwrap_or_default()),
            };
            let value = value.strip_prefix("unix:").or(value.strip_prefix("file:")).unwrap_or(&value).trim_start_matches("//").to_owned();
            let parts: Vec<&str> = name.split(['-', '_']).collect();
            let has = |w: &[&str]| parts.iter().any(|p| w.iter().any(|x| p == x || p.strip_suffix("file") == Some(x)));
            if has(&["config", "conf", "ini", "cfg", "level", "format"]) || !value.contains(['/', '.']) || value.contains("://") {
                continue;
            }
            if has(&["log", "logfile", "access", "error", "pid", "pidfile", "logto"]) || value.ends_with(".sock") {
                self.file(&value, word, place);
            } else if has(STATE)
                && let Some(path) = self.place_of(&value, place)
                && !facts().root.paths.is_open(&path)
                && !facts().root.paths.is_closed(&path)
            {
                let file = facts().writes.names.databases.iter().any(|e| path.ends_with(e));
                let directory = if file { parent(&path).to_owned() } else { path };
                self.write(directory, &format!("{word} at start names it"), false, place);
            }
        }
    }

    /// A settings file in which the program is told to become another user, or where to write.
    fn settings(&mut self, name: &str, words: &[String], place: &Place) {
        let Some(drop) = facts().root.drops.iter().find(|d| d.program == name && !d.keys.is_empty()) else { return };
        let told = words.iter().skip(1).map(|word| word.rsplit('=').next().unwrap_or(word));
        let told = told.filter(|file| drop.endings.iter().any(|e| file.ends_with(e.as_str()))).map(|file| file.trim_start_matches("file:"));
        for file in told.chain(drop.default.as_deref()) {
            let Some(path) = self.place_of(file, place) else { continue };
            let Some(Origin::Context(inner, _)) = self.subject.origin(&path) else { continue };
            let Some(text) = self.subject.project.text(&inner) else {
                if !self.subject.project.known() && drop.default.as_deref() != Some(file) {
                    self.object(place, format!("context unknown: what {inner} tells {name} to do"));
                }
                continue;
            };
            // Objects may stand on one line.
            let objects = [".js", ".cjs", ".json"].iter().any(|e| inner.ends_with(e));
            let parts = |line: &str| line.split(|c| objects && matches!(c, ',' | '{' | '}')).map(str::to_owned).collect::<Vec<_>>();
            for (n, line) in text.lines().enumerate().flat_map(|(n, line)| parts(line).into_iter().map(move |part| (n, part))) {
                // `key = value` and `key: value`, and the `key 'value'` of Ruby's.
                let ruby = inner.ends_with(".rb").then(|| line.trim().split_once([' ', '('])).flatten();
                let Some((key, value)) = ruby.or_else(|| line.split_once(['=', ':'])) else { continue };
                let key = key.trim().trim_matches(['"', '\'']);
                let value = first_literal(value);
                if drop.keys.iter().any(|k| k == key) && !matches!(value, "" | "None" | "nil" | "null" | "false") {
                    self.object(place, format!("{inner}:{}: {name} gives up root itself ({key})", n + 1));
                }
                let file = value.strip_prefix("unix://").or(value.strip_prefix("unix:")).unwrap_or(value);
                if drop.writes.iter().any(|k| k == key) && file.contains('/') && !file.contains(['(', '%', '$', '#', '{', ':']) {
                    self.file(file, &format!("{inner}:{}: {key}", n + 1), place);
                }
            }
        }
    }

    /// `npm start` and its kin: the scripts of package.json in the working directory.
    fn manager(&mut self, name: &str, rest: &[String], place: &Place) {
        let words: Vec<&String> = rest.iter().filter(|w| !w.starts_with('-')).collect();
        let script = match words.first().map(|w| w.as_str()) {
            Some("run" | "run-script") => words.get(1).map(|w| w.as_str()),
            Some("start") => Some("start"),
            Some("test" | "t") => Some("test"),
            Some("install" | "i" | "ci" | "add" | "update") | None => {
                return self.object(place, format!("{name} installs packages at start"));
            }
            Some("exec" | "dlx" | "x") => {
                let rest: Vec<String> = words.iter().skip(1).map(|w| (*w).clone()).collect();
                return self.words(&rest, place);
            }
            other if name != "npm" => other,
            _ => None,
        };
        let Some(script) = script else { return };
        let Some(manifest) = place.directory.as_deref().map(|d| join(d, "package.json")) else { return };
        let Some(Origin::Context(path, _)) = self.subject.origin(&manifest) else { return };
        if !self.seen.insert(format!("{path}#{script}")) {
            return;
        }
        let Some(text) = self.subject.project.text(&path) else { return };
        let Ok(json) = serde_json::from_str::<serde_json::Value>(&text) else { return };
        for key in [format!("pre{script}"), script.to_owned(), format!("post{script}")] {
            let Some(command) = json.get("scripts").and_then(|s| s.get(&key)).and_then(|s| s.as_str()) else { continue };
            let inner = Place { file: Some(format!("{path}, script {key}")), depth: place.depth + 1, ..place.clone() };
            if let Some(tool) = builds(command) {
                let why = format!("the script {key} of {path} runs {tool}, which writes its output");
                if let Some(directory) = inner.directory.clone() {
                    self.out.writes.push(Write::new(directory, why, true));
                }
            }
            self.text(command, Dialect::Posix, &inner);
        }
    }

    /// A file that is run: a script is read, a program is taken as it is. `script`: it is a shell script for sure.
    fn run_file(&mut self, file: &str, place: &Place, script: bool) {
        let named = file.contains('/');
        if file.contains(['$', '`']) {
            if script {
                self.object(place, format!("which script {file} is, is not known before it starts"));
            }
            return;
        }
        let candidates: Vec<String> = if named || script {
            place
                .directory
                .as_deref()
                .and_then(|d| absolute(file, Some(d)))
                .or_else(|| file.starts_with('/').then(|| normal(file)))
                .into_iter()
                .collect()
        } else {
            self.search_path().into_iter().map(|d| join(&d, file)).collect()
        };
        let found = candidates.into_iter().find_map(|p| self.subject.origin(&p).map(|o| (p, o)));
        let shellish = script || matches!(file.rsplit_once('.').map(|(_, e)| e), Some("sh" | "bash"));
        let Some((path, origin)) = found else {
            let brought = self.subject.facts().and_then(|f| f.entrypoint.as_ref()).is_some_and(|e| e.iter().any(|w| w.ends_with(file)));
            if shellish && !brought {
                self.object(place, format!("where {file} comes from, which is run at start, is not known"));
            }
            return;
        };
        if !self.seen.insert(path.clone()) {
            return;
        }
        self.out.files.push(path.clone());
        let (text, name) = match origin {
            Origin::Heredoc(text, _) => (Some(text.into()), path.clone()),
            Origin::Context(inner, _) => (self.subject.project.text(&inner), inner),
            Origin::Other(_) => (None, path.clone()),
        };
        match text {
            Some(text) => {
                let first = text.lines().next().unwrap_or("");
                let interpreter =
                    first.strip_prefix("#!").map(|l| l.split(['/', ' ']).rfind(|w| !w.starts_with('-')).unwrap_or("").to_owned());
                let dialect = match interpreter.as_deref() {
                    Some("sh" | "dash" | "ash") => Some(Dialect::Posix),
                    Some("bash" | "ksh" | "zsh") => Some(Dialect::Bash),
                    Some(_) => None,
                    None => shellish.then_some(Dialect::Posix),
                };
                if let Some(dialect) = dialect {
                    let inner = Place { file: Some(name), ..place.clone() };
                    self.text(&text, dialect, &inner);
                }
            }
            None if self.subject.project.exists(&name) => {}
            None if !self.subject.project.known()
                && (shellish || !self.made(file))
                && matches!(self.subject.origin(&path), Some(Origin::Context(..))) =>
            {
                self.object(place, format!("context unknown: what {name} does at start"));
            }
            None if shellish => self.object(place, format!("what {name} does at start is not known")),
            None => {}
        }
    }

    /// Whether a RUN of any stage names the file, so that it was built.
    fn made(&self, file: &str) -> bool {
        let name = file.rsplit('/').next().unwrap_or(file);
        self.subject.model.steps.iter().filter(|s| s.keyword == Keyword::Run).any(|s| {
            let compiled =
                s.run.as_ref().is_some_and(|r| r.commands.iter().any(|c| matches!(c.action, crate::model::command::Action::Build { .. })));
            compiled || s.reading.args.iter().any(|a| a.contains(name))
        })
    }

    fn search_path(&self) -> Vec<String> {
        let known = self.state.known_variable("PATH").unwrap_or_default();
        let mut path: Vec<String> = known.split(':').filter(|p| p.starts_with('/')).map(normal).collect();
        for usual in crate::model::walk::DEFAULT_PATH.split(':') {
            if !path.iter().any(|p| p == usual) {
                path.push(usual.to_owned());
            }
        }
        path
    }
}

/// The first string of a value in a file of settings, or its first word where it begins without a quote.
fn first_literal(value: &str) -> &str {
    let value = value.trim();
    match value.chars().next().filter(|c| matches!(c, '"' | '\'')) {
        Some(quote) => value.get(1..).and_then(|rest| rest.split(quote).next()).unwrap_or_default(),
        None => value.split([' ', '\t', '#', ';', ',', ')']).next().unwrap_or_default(),
    }
}

/// The tool in a script that writes a bundle or compiled sources.
fn builds(command: &str) -> Option<&'static str> {
    const TOOLS: &[&str] = &["tsc", "webpack", "rollup", "esbuild", "babel", "gulp", "grunt", "sass", "browserify", "tsup", "swc"];
    let words: Vec<&str> = command.split(|c: char| c.is_whitespace() || "&|;\"'".contains(c)).collect();
    if words.iter().any(|w| matches!(*w, "serve" | "webpack-dev-server" | "--noEmit")) {
        return None;
    }
    TOOLS.iter().copied().find(|t| words.contains(t)).or_else(|| words.windows(2).any(|w| matches!(w, [_, "build"])).then_some("a build"))
}
