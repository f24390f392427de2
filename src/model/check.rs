//! What the builder's converter refuses in a build without options: names, ports and flags whose variables must be known.
//!
//! The rules are those of BuildKit's `frontend/dockerfile/dockerfile2llb`, each with the function that holds it.

use super::image::Reference;
use super::state::{State, Value};
use super::walk::{Assumptions, BaseImage, Walk, WalkStep, walk_read};
use super::{config, path, signal};
use crate::catalog::Catalog;
use crate::source::{Diagnostic, Span};
use crate::syntax::near::near_miss;
use crate::syntax::variables::{self, Expansion, Lookup};
use crate::syntax::{Dockerfile, Heredoc, Reading, View, Word, expanded_heredoc, mount, trigger};

mod graph;
mod names;

use names::{is_digest, is_git, is_platform, is_remote};

/// What the converter would refuse of `file`, whose instructions are well formed one by one.
#[must_use]
pub fn check(file: &Dockerfile) -> Vec<Diagnostic> {
    check_read(file, file.instructions().map(|(_, instruction)| file.read(instruction)).collect()).0
}

/// The same where the instructions have been read already: one reading for each, in order. Gives the readings back.
pub(crate) fn check_read(file: &Dockerfile, readings: Vec<Reading>) -> (Vec<Diagnostic>, Vec<Reading>) {
    let walk = walk_read(file, readings, &Assumptions { base: &|_| BaseImage::bare(), plain_build: true });
    let mut checker = Checker { file, walk: &walk, escape: file.escape, found: Vec::new() };
    checker.options();
    checker.epoch();
    let place = |item: usize| file.items.get(item).map_or((1, Span::default()), |i| (i.start_line, i.span));
    for step in &walk.steps {
        if let Err((message, span)) = checker.step(step) {
            checker.report(message, place(step.item).0, span);
        }
    }
    for triggered in &walk.triggered {
        let inner = Checker { file: &triggered.file, walk: &walk, escape: file.escape, found: Vec::new() };
        let expanded = || triggered.step.as_ref().and_then(|step| inner.step(step).err()).map(|(message, _)| message);
        if let Some(message) = trigger(&triggered.file).or_else(expanded) {
            let (line, span) = place(triggered.item);
            checker.report(format!("ONBUILD of the base: {message}"), line, span);
        }
    }
    for wrong in graph::check(&walk) {
        checker.report(wrong.message, place(wrong.item).0, wrong.span);
    }
    let found = checker.found;
    (found, walk.steps.into_iter().map(|step| step.reading).collect())
}

type Checked = Result<(), (String, Span)>;

struct Checker<'a> {
    file: &'a Dockerfile,
    walk: &'a Walk,
    /// The escape character of the file that is built, also where `file` is a trigger.
    escape: char,
    found: Vec<Diagnostic>,
}

impl Checker<'_> {
    fn expand(&self, state: &State, word: &Word) -> Result<Expansion, (String, Span)> {
        self.expand_text(state, &word.text, word.span)
    }

    fn expand_text(&self, state: &State, text: &str, span: Span) -> Result<Expansion, (String, Span)> {
        state.expand(text, self.escape).map_err(|message| (message, span))
    }

    fn report(&mut self, message: String, line: usize, span: Span) {
        self.found.push(Diagnostic { message, line, span });
    }

    /// `ParseLintOptions` in linter/linter.go: the value of `# check=`, up to a space. The converter looks for the directive on
    /// its own (`ParseDirective` in parser/directives.go): below a first line that starts with `#!`, and on lines without
    /// indentation only.
    fn options(&mut self) {
        let source = self.file.source();
        let text = source.strip_prefix('\u{feff}').unwrap_or(source);
        let text = if text.starts_with("#!") { text.split_once('\n').map_or("", |(_, rest)| rest) } else { text };
        let head: usize = text.split_inclusive('\n').take_while(|line| line.starts_with('#')).map(str::len).sum();
        let skipped = source.len() - text.len();
        let directives = Dockerfile::parse(text.get(..head).unwrap_or("")).directives;
        let Some(directive) = directives.iter().find(|d| d.name == "check") else { return };
        let value = directive.value.split(' ').next().unwrap_or("");
        let span = Span::new(skipped + directive.span.start, skipped + directive.span.end);
        let truths = ["1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False"];
        let fits = value.trim().splitn(3, ';').all(|option| match option.split_once('=') {
            Some((key, value)) => match key.trim() {
                "skip" | "experimental" => true,
                "error" => truths.contains(&value.trim()),
                _ => false,
            },
            None => false,
        });
        if !fits && !value.trim().is_empty() {
            let message = format!("`check={}` is none of skip=..., error=true and experimental=..., with `;` in between", directive.value);
            self.report(message, self.file.lines().line(span.start), span);
        }
    }

    /// `resolveSourceDateEpochState` in dockerfile2llb/epoch.go: the ARG that sets the time stamps of the build.
    fn epoch(&mut self) {
        const NAME: &str = "SOURCE_DATE_EPOCH";
        let Some(first) = self.walk.steps.iter().find(|s| matches!(s.view, View::From { .. })) else { return };
        let Lookup::Known(value) = first.before.lookup(NAME) else { return };
        if value.is_empty() || value == "context" || value.parse::<i64>().is_ok() {
            return;
        }
        let item = first.item;
        let (line, span) = self.file.items.get(item).map_or((1, Span::default()), |i| (i.start_line, i.span));
        let stage = self.walk.stages.iter().find(|s| s.name.as_deref() == Some(value.to_lowercase().as_str()));
        let Some(stage) = stage else {
            return self.report(format!("`{value}` is neither a time stamp nor a stage, as {NAME} must be"), line, span);
        };
        let steps = self.walk.steps.get(stage.steps.clone()).unwrap_or(&[]);
        let remote = |view: &View| matches!(view, View::Copy { add: true, sources, .. } if matches!(sources.as_slice(), [s] if is_remote(&s.text) || s.text.contains('$')));
        let adds = steps.iter().filter(|s| remote(&s.view)).count();
        let only = steps.iter().skip(1).all(|s| matches!(s.view, View::Arg { .. }) || remote(&s.view));
        if stage.base.as_deref() != Some("scratch") || adds != 1 || !only {
            self.report(format!("the stage `{value}`, which gives {NAME}, must be FROM scratch with one ADD of a URL"), line, span);
        }
    }

    fn step(&self, step: &WalkStep) -> Checked {
        let state = &step.before;
        match &step.view {
            View::From { image, .. } => self.from(step, image),
            View::Env { pairs, .. } | View::Label { pairs, .. } => {
                for pair in pairs {
                    self.expand(state, &pair.name)?;
                    pair.value.as_ref().map(|v| self.expand(state, v)).transpose()?;
                }
                Ok(())
            }
            View::Arg { pairs } => {
                let mut state = (**state).clone();
                for pair in pairs {
                    let Some(value) = &pair.value else { continue };
                    let expansion = self.expand(&state, value)?;
                    state.set_arg(&pair.name.text, Some(Value::Known(expansion.text)));
                }
                Ok(())
            }
            View::Workdir { path: word } => {
                let to = self.expand(state, word)?.text;
                let windows = self.windows(step);
                if path::workdir(state.config.working_dir.as_deref(), &to, windows).is_none() {
                    return Err((format!("`{to}` is no directory on the system's drive"), word.span));
                }
                Ok(())
            }
            View::User { user } => self.expand(state, user).map(drop),
            View::Stopsignal { signal } => {
                let name = self.expand(state, signal)?.text;
                if signal::is_signal(&name) { Ok(()) } else { Err((format!("`{name}` is no signal"), signal.span)) }
            }
            View::Volume { paths } => {
                for word in paths {
                    let trimmed = Word { text: word.text.trim().to_owned(), span: word.span };
                    if self.expand(state, &trimmed)?.text.is_empty() {
                        return Err(("VOLUME names an empty path".into(), word.span));
                    }
                }
                Ok(())
            }
            View::Expose { ports } => {
                for word in ports {
                    for port in self.expand(state, word)?.words {
                        config::ports(&port).map_err(|message| (message, word.span))?;
                    }
                }
                Ok(())
            }
            View::Copy { add, sources, destination, .. } => self.copy(step, *add, sources, destination),
            View::Run { .. } => self.run(step),
            _ => Ok(()),
        }
    }

    /// Whether the stage is built for Windows.
    fn windows(&self, step: &WalkStep) -> bool {
        let stage = step.stage.and_then(|s| self.walk.stages.get(s));
        stage.is_some_and(|s| s.windows)
    }

    /// `buildDispatchStates` and `resolveBaseImage`.
    fn from(&self, step: &WalkStep, image: &Word) -> Checked {
        let state = &step.before;
        let expansion = self.expand(state, image)?;
        if expansion.text.is_empty() {
            let unset: Vec<String> = expansion.unset.iter().map(|n| format!("`ARG {n}` with a default")).collect();
            let hint = if unset.is_empty() { String::new() } else { format!(": {} is missing above the first FROM", unset.join(" and ")) };
            return Err((format!("the image name `{}` is empty in a build without arguments{hint}", image.text), image.span));
        }
        if let Some(flag) = step.reading.flags.iter().find(|f| f.name == "platform") {
            let written = flag.value.as_deref().unwrap_or("");
            if !written.is_empty() {
                let platform = self.expand_text(state, written, flag.span)?;
                if !is_platform(&platform.text) {
                    let names = state.scope.iter().map(|(n, _)| n.as_str());
                    let hint = platform.unset.first().and_then(|n| near_miss(n, names));
                    let hint = hint.map(|n| format!("; did you mean `{n}`?")).unwrap_or_default();
                    return Err((format!("`{written}` gives no platform{hint}"), flag.span));
                }
            }
        }
        let stage = step.stage.and_then(|s| self.walk.stages.get(s));
        let is_stage = stage.is_some_and(|s| s.parent.is_some());
        if !is_stage && expansion.text != "scratch" && Reference::parse(&expansion.text).is_none() {
            return Err((format!("`{}` is no image name", expansion.text), image.span));
        }
        Ok(())
    }

    /// Whether `name` is like the name of a stage before `stage`, and like nothing else. The builder takes it for an image;
    /// that such an image is meant is hardly ever so.
    fn source(&self, name: &str, stage: usize, span: Span) -> Checked {
        let lower = name.to_lowercase();
        let names = || self.walk.stages.iter().take(stage + 1).filter_map(|s| s.name.as_deref());
        let plain = !name.contains(['/', ':', '@', '.', '$'])
            && name.len() > 4
            && lower != "scratch"
            && stage < 100
            && !names().any(|n| n == lower);
        let bases = || self.walk.stages.iter().filter_map(|s| s.base.as_deref()).any(|b| b == name);
        let known = || Reference::parse(name).and_then(|r| Catalog::built_in().image(&r)).is_some();
        if plain
            // Nobody reads hints among hundreds of stages, and each copy would be compared with each of them.
            && let Some(meant) = near_miss(name, names().take(100))
            && !bases()
            && !known()
        {
            return Err((format!("no stage is named `{name}`; did you mean `{meant}`?"), span));
        }
        Ok(())
    }

    /// `toCommand` and `dispatchCopy`.
    fn copy(&self, step: &WalkStep, add: bool, sources: &[Word], destination: &Word) -> Checked {
        let state = &step.before;
        let stage = step.stage.unwrap_or(0);
        let flag = |name: &str| {
            let flag = step.reading.flags.iter().find(|f| f.name == name)?;
            Some((flag.value.clone().unwrap_or_default(), flag.span))
        };
        if let Some((from, span)) = flag("from").filter(|f| !f.0.is_empty()) {
            let expanded = variables::expand(&from, self.escape, &|_| Lookup::Unset).map_err(|m| (m, span))?;
            if expanded.text != from {
                return Err(("`--from` can't hold a variable: name a stage that starts FROM it".into(), span));
            }
            if from.parse::<i64>().is_err() {
                self.source(&from, stage, span)?;
            }
        }
        let mut values = [const { String::new() }; 2];
        for (slot, name) in values.iter_mut().zip(["chown", "chmod"]) {
            if let Some((value, span)) = flag(name) {
                *slot = self.expand_text(state, &value, span)?.text;
            }
        }
        let [chown, chmod] = values;
        let checksum = match flag("checksum") {
            Some((value, span)) => Some((self.expand_text(state, &value, span)?.text, span)).filter(|c| !c.0.is_empty()),
            None => None,
        };
        let mut expanded = Vec::new();
        for word in sources {
            expanded.push((self.expand(state, word)?.text, word.span));
        }
        self.expand(state, destination)?;
        self.contents(step)?;
        let linked = flag("link").is_some_and(|f| f.0.to_lowercase() != "false");
        if let (true, Some((_, span))) = (linked && chown.split(':').any(is_name), flag("chown")) {
            return Err((format!("`--chown={chown}` needs numbers beside --link: names can't be looked up there"), span));
        }
        if let (false, Some((_, span))) = (chmod.is_empty() || is_mode(&chmod), flag("chmod")) {
            return Err((format!("`{chmod}` is no mode: an octal number up to 07777, or a symbolic one such as u=rwX"), span));
        }
        if let Some((_, span)) = checksum
            && !matches!(expanded.as_slice(), [(source, _)] if is_remote(source))
        {
            return Err(("`--checksum` goes with one source that is a URL or a git repository".into(), span));
        }
        for (source, span) in &expanded {
            if !add && is_remote(source) {
                return Err((format!("COPY can't fetch `{source}`; ADD can"), *span));
            }
            // Of a git repository the builder compares the digest only once it has fetched it.
            if let Some((digest, span)) = checksum.as_ref().filter(|(digest, _)| is_remote(source) && !is_git(source) && !is_digest(digest))
            {
                return Err((format!("`{digest}` is no checksum: sha256 and 64 hexadecimal digits, such as sha256:24454f83..."), *span));
            }
        }
        Ok(())
    }

    /// The heredocs that a COPY copies from, in which the builder expands variables: `parseSourcesAndDest` in
    /// instructions/parse.go and `ExpandRaw` in instructions/commands.go. Not each heredoc of the instruction is one of its
    /// words: `<< EOF` is two words to COPY. Of several with one name the last counts.
    fn contents(&self, step: &WalkStep) -> Checked {
        let heredocs = self.file.instruction(step.item).map_or(&[][..], |i| &i.heredocs);
        let sources = step.reading.args.split_last().map_or(&[][..], |(_, sources)| sources);
        for name in sources.iter().filter_map(|word| expanded_heredoc(word)) {
            let Some(Heredoc { content, .. }) = heredocs.iter().rev().find(|h| h.name == name) else { continue };
            variables::expand_content(content.text(self.file.source()), &|name| step.before.lookup(name)).map_err(|m| (m, *content))?;
        }
        Ok(())
    }

    /// `detectRunMount` and `dispatchRunMounts`.
    fn run(&self, step: &WalkStep) -> Checked {
        let state = &step.before;
        for flag in &step.reading.flags {
            if flag.name != "mount" {
                continue;
            }
            let expand = |text: &str| state.expand(text, self.escape).map(|e| e.text);
            let mount = mount::parse(flag.value.as_deref().unwrap_or(""), &expand).map_err(|m| (m, flag.span))?;
            if !mount.from.is_empty() && !matches!(mount.kind.as_str(), "secret" | "ssh") {
                self.source(&mount.from, step.stage.unwrap_or(0), flag.span)?;
            }
            let directory = state.config.working_dir.as_deref().filter(|d| !d.is_empty()).unwrap_or("/");
            let target = if mount.target.starts_with('/') { mount.target } else { path::clean(&format!("/{directory}/{}", mount.target)) };
            if target == "/" && !matches!(mount.kind.as_str(), "secret" | "ssh") {
                return Err(("a mount can't be mounted on `/`: its `target` is missing".into(), flag.span));
            }
        }
        Ok(())
    }
}

/// Whether a part of `--chown` is a name, not a number.
fn is_name(part: &str) -> bool {
    !part.is_empty() && part.parse::<u32>().is_err()
}

/// An octal mode, or a symbolic one as `dchapes-mode` takes it.
fn is_mode(text: &str) -> bool {
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return text.bytes().all(|b| b.is_ascii_digit()) && u32::from_str_radix(text, 8).is_ok_and(|m| m <= 0o7777);
    }
    text.split(',').all(|clause| {
        let operations = clause.trim_start_matches(['u', 'g', 'o', 'a']);
        operations.starts_with(['+', '-', '=']) && operations.chars().all(|c| "+-=rwxXstugo".contains(c))
    })
}
