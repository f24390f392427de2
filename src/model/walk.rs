//! Walks a file as BuildKit's converter does (`frontend/dockerfile/dockerfile2llb/convert.go`) and says what is in force where.

use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;

use super::config::{self, Empty, Healthcheck, ImageConfig};
use super::path;
use super::state::{State, Value};
use crate::syntax::duration::nanoseconds;
use crate::syntax::variables::{self, Lookup};
use crate::syntax::{Dockerfile, Form, Instruction, Keyword, Reading, View, too_much};

/// The PATH that the builder sets where a base brings none.
pub const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What a base image brings.
#[derive(Clone, Debug, Default)]
pub struct BaseImage {
    /// Its environment.
    pub env: Vec<(String, Value)>,
    /// Its working directory.
    pub workdir: Option<String>,
    /// Its user.
    pub user: Option<String>,
    /// Its CMD.
    pub cmd: Option<Vec<String>>,
    /// Its ENTRYPOINT.
    pub entrypoint: Option<Vec<String>>,
    /// Its SHELL.
    pub shell: Option<Vec<String>>,
    /// Whether this is all that it sets. Else a variable that nobody sets may come from it.
    pub complete: bool,
}

impl BaseImage {
    /// An image that sets the default PATH and nothing else: what the builder's converter makes of an unknown image.
    #[must_use]
    pub fn bare() -> Self {
        let path = ("PATH".to_owned(), Value::Known(DEFAULT_PATH.to_owned()));
        Self { env: vec![path], complete: true, ..Self::default() }
    }
}

/// How many instructions ONBUILD may bring into the stages of one file. Files in which each of thousands of stages starts
/// from one with thousands of triggers would take for ever.
const MOST_TRIGGERED: usize = 10_000;

/// What the walk takes for granted.
pub struct Assumptions<'a> {
    /// What an image brings; asked with its expanded name, or `None` where a variable in the name is unknown.
    pub base: &'a dyn Fn(Option<&str>) -> BaseImage,
    /// An ARG that nothing gives a value is unset and the platform is linux/amd64: a build without options on such a
    /// machine. Else both are unknown.
    pub plain_build: bool,
}

/// One instruction with what it says and what is in force before it.
#[derive(Clone, Debug)]
pub struct WalkStep {
    /// The index of its item.
    pub item: usize,
    /// Its keyword.
    pub keyword: Keyword,
    /// What it says.
    pub reading: Reading,
    /// The typed view of it.
    pub view: View,
    /// The stage that it belongs to; `None` before the first FROM.
    pub stage: Option<usize>,
    /// What is in force before it.
    pub before: Rc<State>,
}

/// A stage.
#[derive(Clone, Debug)]
pub struct WalkStage {
    /// Its name in lower case.
    pub name: Option<String>,
    /// The base as written.
    pub written: String,
    /// The base with variables expanded; `None` where one is unknown.
    pub base: Option<String>,
    /// The earlier stage that it starts from.
    pub parent: Option<usize>,
    /// Its steps, FROM included.
    pub steps: Range<usize>,
    /// What is in force at its end.
    pub end: Rc<State>,
    /// Whether its platform is Windows, as far as FROM says.
    pub windows: bool,
}

/// An instruction that a stage runs because its base says so with ONBUILD.
#[derive(Clone, Debug)]
pub struct Triggered {
    /// The item of the FROM that sets it off.
    pub item: usize,
    /// The instruction as a file of its own, as the builder reads it.
    pub file: Rc<Dockerfile>,
    /// What it says; nothing where the text is not one instruction.
    pub step: Option<WalkStep>,
}

/// A file walked through.
#[derive(Clone, Debug, Default)]
pub struct Walk {
    /// What ONBUILD instructions of a base bring into a stage of the same file.
    pub triggered: Vec<Triggered>,
    /// Every instruction in order.
    pub steps: Vec<WalkStep>,
    /// The stages in order.
    pub stages: Vec<WalkStage>,
}

/// Walks `file`.
#[must_use]
pub fn walk(file: &Dockerfile, assumptions: &Assumptions<'_>) -> Walk {
    walk_read(file, file.instructions().map(|(_, instruction)| file.read(instruction)).collect(), assumptions)
}

/// The same where the instructions have been read already: one reading for each, in order.
pub(super) fn walk_read(file: &Dockerfile, readings: Vec<Reading>, assumptions: &Assumptions<'_>) -> Walk {
    if too_much(file, readings.iter()).is_some() {
        // `problems` says so, and the file is left alone.
        return Walk::default();
    }
    let target = last_stage_name(file, &readings);
    let mut walker = Walker {
        file,
        assumptions,
        walk: Walk::default(),
        globals: platform_args(assumptions.plain_build, &target),
        names: HashMap::new(),
        state: Rc::new(State { shell: default_shell(), ..State::default() }),
        stage: Stage::default(),
    };
    for ((item, instruction), reading) in file.instructions().zip(readings) {
        walker.step(item, instruction, reading);
    }
    walker.end_stage();
    walker.walk
}

/// What the converter keeps of the stage that it is in, beside its state.
#[derive(Default)]
struct Stage {
    windows: bool,
    /// Whether the stage itself set a CMD.
    cmd: bool,
    /// ONBUILD triggers of this stage, for those that start from it.
    triggers: Vec<String>,
}

struct Walker<'a> {
    file: &'a Dockerfile,
    assumptions: &'a Assumptions<'a>,
    walk: Walk,
    /// The ARGs before the first FROM and those that the builder sets itself.
    globals: Vec<(String, Value)>,
    /// The stages by name, with what the ones behind need of them.
    names: HashMap<String, Finished>,
    state: Rc<State>,
    stage: Stage,
}

#[derive(Clone)]
struct Finished {
    index: usize,
    windows: bool,
    triggers: Rc<Vec<String>>,
}

fn default_shell() -> Vec<String> {
    vec!["/bin/sh".into(), "-c".into()]
}

/// `defaultArgs` in dockerfile2llb/platform.go.
fn platform_args(plain: bool, target: &str) -> Vec<(String, Value)> {
    let mut args = Vec::new();
    for side in ["BUILD", "TARGET"] {
        for (name, value) in [("PLATFORM", "linux/amd64"), ("OS", "linux"), ("OSVERSION", ""), ("ARCH", "amd64"), ("VARIANT", "")] {
            args.push((format!("{side}{name}"), if plain { Value::Known(value.into()) } else { Value::Unknown }));
        }
    }
    args.push(("TARGETSTAGE".into(), if plain { Value::Known(target.to_owned()) } else { Value::Unknown }));
    args
}

fn last_stage_name(file: &Dockerfile, readings: &[Reading]) -> String {
    let last = file.instructions().zip(readings).filter(|((_, i), _)| i.keyword == Keyword::From).last();
    match last.map(|(_, reading)| View::of(Keyword::From, reading)) {
        Some(View::From { alias: Some(alias), .. }) => alias.text.to_lowercase(),
        _ => "default".into(),
    }
}

impl Walker<'_> {
    fn step(&mut self, item: usize, instruction: &Instruction, reading: Reading) {
        let keyword = instruction.keyword;
        let view = View::of(keyword, &reading);
        if keyword == Keyword::From {
            self.end_stage();
            // What is in force before a FROM is what its image name sees.
            let before = Rc::new(State { scope: self.globals.clone(), shell: default_shell(), ..State::default() });
            let stage = Some(self.walk.stages.len());
            self.from(item, &reading, &view);
            self.walk.steps.push(WalkStep { item, keyword, reading, view, stage, before });
            return;
        }
        let stage = self.walk.stages.len().checked_sub(1);
        let before = if stage.is_some() {
            Rc::clone(&self.state)
        } else {
            Rc::new(State { scope: self.globals.clone(), shell: default_shell(), ..State::default() })
        };
        if stage.is_some() {
            let heredocs: Vec<(String, String)> =
                instruction.heredocs.iter().map(|h| (h.name.clone(), h.content.text(self.file.source()).to_owned())).collect();
            self.dispatch(&reading, &view, &heredocs, self.file.escape);
        } else if let View::Arg { pairs } = &view {
            for pair in pairs {
                let Some(value) = &pair.value else { continue };
                let expanded = variables::expand(&value.text, self.file.escape, &|name| look_up(&self.globals, name));
                let value = expanded.ok().filter(|e| !e.unknown).map_or(Value::Unknown, |e| Value::Known(e.text));
                set(&mut self.globals, &pair.name.text, value);
            }
        }
        self.walk.steps.push(WalkStep { item, keyword, reading, view, stage, before });
    }

    /// Closes the stage that is open.
    fn end_stage(&mut self) {
        let end = self.walk.steps.len();
        let index = self.walk.stages.len().saturating_sub(1);
        let Some(stage) = self.walk.stages.last_mut() else { return };
        stage.steps.end = end;
        stage.end = Rc::clone(&self.state);
        if let Some(name) = stage.name.clone() {
            let triggers = Rc::new(std::mem::take(&mut self.stage.triggers));
            self.names.insert(name, Finished { index, windows: self.stage.windows, triggers });
        }
    }

    fn from(&mut self, item: usize, reading: &Reading, view: &View) {
        let (written, alias) = match view {
            View::From { image, alias, .. } => (image.text.clone(), alias.as_ref().map(|a| a.text.to_lowercase())),
            _ => (reading.words.first().map(|w| w.text.clone()).unwrap_or_default(), None),
        };
        let lookup = |name: &str| look_up(&self.globals, name);
        let known = |text: &str| variables::expand(text, self.file.escape, &lookup).ok().filter(|e| !e.unknown).map(|e| e.text);
        let base = known(&written);
        let platform = reading.flag("platform").and_then(known);
        let parent = base.as_ref().and_then(|b| self.names.get(b)).cloned();
        self.stage = Stage { windows: platform.is_some_and(|p| p.to_lowercase().starts_with("windows")), ..Stage::default() };
        let start = self.walk.steps.len();
        let mut triggers = Rc::new(Vec::new());
        let mut state = match &parent {
            Some(parent) => {
                self.stage.windows = parent.windows;
                triggers = Rc::clone(&parent.triggers);
                let mut state = self.walk.stages.get(parent.index).map_or_else(State::default, |s| (*s.end).clone());
                state.config.on_build.clear();
                // The converter lays the environment over what the parent's ARGs left.
                for (name, value) in state.env.clone() {
                    state.set_scope(&name, value);
                }
                state
            }
            None if base.as_deref() == Some("scratch") => {
                image_state(BaseImage { workdir: Some("/".into()), user: Some(String::new()), ..BaseImage::bare() })
            }
            None => image_state((self.assumptions.base)(base.as_deref())),
        };
        if !state.env.iter().any(|(name, _)| name == "PATH") && !self.stage.windows && !state.open {
            state.set_env("PATH", Value::Known(DEFAULT_PATH.into()), DEFAULT_PATH);
        }
        if let Some(directory) = state.config.working_dir.clone().filter(|d| !d.is_empty()) {
            state.config.working_dir = path::workdir(Some(&directory), &directory, self.stage.windows);
        }
        self.state = Rc::new(state);
        self.walk.stages.push(WalkStage {
            name: alias,
            written,
            base,
            parent: parent.map(|p| p.index),
            steps: start..start + 1,
            end: Rc::clone(&self.state),
            windows: self.stage.windows,
        });
        for trigger in triggers.iter() {
            if self.walk.triggered.len() >= MOST_TRIGGERED {
                break;
            }
            let inner = Rc::new(Dockerfile::parse(trigger.as_str()));
            let mut instructions = inner.instructions();
            let (first, second) = (instructions.next(), instructions.next());
            let step = first.filter(|_| second.is_none()).map(|(_, instruction)| {
                let reading = inner.read(instruction);
                WalkStep {
                    item,
                    keyword: instruction.keyword,
                    view: View::of(instruction.keyword, &reading),
                    reading,
                    stage: self.walk.stages.len().checked_sub(1),
                    before: Rc::clone(&self.state),
                }
            });
            if let Some(step) = &step {
                // The text is read with backslashes, and expanded with the escape character of the file.
                self.dispatch(&step.reading, &step.view, &[], self.file.escape);
            }
            self.walk.triggered.push(Triggered { item, file: Rc::clone(&inner), step });
        }
    }

    /// What one instruction changes.
    fn dispatch(&mut self, reading: &Reading, view: &View, heredocs: &[(String, String)], escape: char) {
        let before = Rc::clone(&self.state);
        let scope = Scope { state: &before, escape };
        match view {
            View::Env { pairs, .. } => {
                let state = Rc::make_mut(&mut self.state);
                for pair in pairs {
                    let (value, shown) = scope.value(pair.value.as_ref().map_or("", |v| &v.text));
                    state.set_env(&scope.value(&pair.name.text).1, value, &shown);
                }
            }
            View::Label { pairs, .. } => {
                let state = Rc::make_mut(&mut self.state);
                for pair in pairs {
                    let shown = scope.value(pair.value.as_ref().map_or("", |v| &v.text)).1;
                    state.config.labels.insert(scope.value(&pair.name.text).1, shown);
                }
            }
            View::Arg { pairs } => {
                for pair in pairs {
                    let value = match &pair.value {
                        // Each one sees those in front of it, unlike the words of ENV.
                        Some(value) => Some(Scope { state: &self.state, escape }.value(&value.text).0),
                        None => match look_up(&self.globals, &pair.name.text) {
                            Lookup::Known(value) => Some(Value::Known(value)),
                            Lookup::Unknown => Some(Value::Unknown),
                            Lookup::Unset if self.assumptions.plain_build => None,
                            Lookup::Unset => Some(Value::Unknown),
                        },
                    };
                    Rc::make_mut(&mut self.state).set_arg(&pair.name.text, value);
                }
            }
            View::Workdir { path: word } => {
                let (value, shown) = scope.value(&word.text);
                let windows = self.stage.windows;
                let state = Rc::make_mut(&mut self.state);
                state.workdir = match &value {
                    Value::Known(to) if path::is_absolute(to, windows) => path::workdir(None, to, windows),
                    Value::Known(to) => state.workdir.as_deref().and_then(|from| path::workdir(Some(from), to, windows)),
                    Value::Unknown => None,
                };
                let from = state.config.working_dir.clone();
                state.config.working_dir = path::workdir(from.as_deref(), &shown, windows).or(Some(shown));
            }
            View::User { user } => {
                let (value, shown) = scope.value(&user.text);
                let state = Rc::make_mut(&mut self.state);
                state.user = match value {
                    Value::Known(user) => Some(user),
                    Value::Unknown => None,
                };
                state.config.user = Some(shown);
            }
            View::Expose { ports } => {
                let state = Rc::make_mut(&mut self.state);
                for word in ports {
                    let words = scope.words(&word.text);
                    for port in words.iter().flat_map(|w| config::ports(w).unwrap_or_else(|_| vec![w.clone()])) {
                        state.config.exposed_ports.insert(port, Empty {});
                    }
                }
            }
            View::Volume { paths } => {
                let state = Rc::make_mut(&mut self.state);
                for word in paths {
                    state.config.volumes.insert(scope.value(word.text.trim()).1, Empty {});
                }
            }
            View::Stopsignal { signal } => Rc::make_mut(&mut self.state).config.stop_signal = Some(scope.value(&signal.text).1),
            View::Cmd { form } => {
                self.stage.cmd = true;
                let state = Rc::make_mut(&mut self.state);
                state.config.cmd = Some(command(*form, reading, &state.shell));
            }
            View::Entrypoint { form } => {
                let keep = self.stage.cmd;
                let state = Rc::make_mut(&mut self.state);
                state.config.entrypoint = Some(command(*form, reading, &state.shell)).filter(|c| !c.is_empty());
                if !keep {
                    state.config.cmd = None;
                }
            }
            View::Shell { words } => {
                let state = Rc::make_mut(&mut self.state);
                state.shell = words.iter().map(|w| w.text.clone()).collect();
                state.config.shell = Some(state.shell.clone());
            }
            View::Healthcheck { form } => {
                Rc::make_mut(&mut self.state).config.healthcheck = Some(healthcheck(*form, reading));
            }
            View::Onbuild => {
                let text = trigger(&reading.original, heredocs);
                self.stage.triggers.push(text.clone());
                Rc::make_mut(&mut self.state).config.on_build.push(text);
            }
            View::From { .. } | View::Run { .. } | View::Copy { .. } | View::Maintainer { .. } | View::Other => {}
        }
    }
}

/// Expands words in the state before an instruction.
struct Scope<'a> {
    state: &'a State,
    escape: char,
}

impl Scope<'_> {
    /// The value, and what to show of it: where it is unknown, the text with the unknown variables left in it, so that two
    /// spellings of one value show the same; where the builder can't expand it, the text as written.
    fn value(&self, text: &str) -> (Value, String) {
        match self.state.expand(text, self.escape) {
            Ok(expansion) if !expansion.unknown => (Value::Known(expansion.text.clone()), expansion.text),
            Ok(_) => {
                let named = |name: &str| match self.state.lookup(name) {
                    Lookup::Unknown => Lookup::Known(format!("${{{name}}}")),
                    known => known,
                };
                let shown = variables::expand(text, self.escape, &named);
                (Value::Unknown, shown.map_or_else(|_| text.to_owned(), |expansion| expansion.text))
            }
            Err(_) => (Value::Unknown, text.to_owned()),
        }
    }

    fn words(&self, text: &str) -> Vec<String> {
        match self.state.expand(text, self.escape) {
            Ok(expansion) if !expansion.unknown => expansion.words,
            _ => vec![text.to_owned()],
        }
    }
}

fn look_up(args: &[(String, Value)], name: &str) -> Lookup {
    match args.iter().find(|(n, _)| n == name) {
        Some((_, Value::Known(value))) => Lookup::Known(value.clone()),
        Some((_, Value::Unknown)) => Lookup::Unknown,
        None => Lookup::Unset,
    }
}

fn set(args: &mut Vec<(String, Value)>, name: &str, value: Value) {
    match args.iter_mut().find(|(n, _)| n == name) {
        Some(slot) => slot.1 = value,
        None => args.push((name.to_owned(), value)),
    }
}

fn image_state(image: BaseImage) -> State {
    let shell = image.shell.clone().unwrap_or_else(default_shell);
    let config = ImageConfig {
        user: image.user.clone().filter(|u| !u.is_empty()),
        working_dir: image.workdir.clone(),
        cmd: image.cmd,
        entrypoint: image.entrypoint,
        shell: image.shell,
        ..ImageConfig::default()
    };
    let fallback = |value: Option<String>, default: &str| value.or_else(|| image.complete.then(|| default.to_owned()));
    let mut state = State {
        workdir: fallback(image.workdir, "/"),
        user: fallback(image.user, ""),
        shell,
        config,
        open: !image.complete,
        ..State::default()
    };
    for (name, value) in image.env {
        let shown = if let Value::Known(value) = &value { value.clone() } else { format!("${name}") };
        state.set_env(&name, value, &shown);
    }
    state
}

/// `withShell` in dockerfile2llb/convert.go.
fn command(form: Form, reading: &Reading, shell: &[String]) -> Vec<String> {
    if form == Form::Exec {
        return reading.args.clone();
    }
    let mut command = shell.to_vec();
    command.push(reading.args.join(" "));
    command
}

fn healthcheck(form: Option<Form>, reading: &Reading) -> Healthcheck {
    let Some(form) = form else { return Healthcheck { test: vec!["NONE".into()], ..Healthcheck::default() } };
    let mut test = vec![if form == Form::Exec { "CMD" } else { "CMD-SHELL" }.to_owned()];
    test.extend(reading.args.iter().skip(1).cloned());
    let time = |name| reading.flag(name).and_then(nanoseconds).unwrap_or(0);
    Healthcheck {
        test,
        interval: time("interval"),
        timeout: time("timeout"),
        start_period: time("start-period"),
        start_interval: time("start-interval"),
        retries: reading.flag("retries").and_then(|r| r.parse().ok()).unwrap_or(0),
    }
}

/// The text of an ONBUILD's inner instruction, heredocs included. `parseOnBuild` in instructions/parse.go.
fn trigger(original: &str, heredocs: &[(String, String)]) -> String {
    let blanks = |c: char| matches!(c, '\t' | '\n' | '\u{c}' | '\r' | ' ');
    let rest = original.trim_start_matches(blanks);
    let rest = match rest.get(..7) {
        Some(name) if name.eq_ignore_ascii_case("onbuild") => rest.get(7..).unwrap_or("").trim_start_matches(blanks),
        _ => original,
    };
    let mut text = rest.to_owned();
    for (name, content) in heredocs {
        text.push('\n');
        text.push_str(content);
        text.push_str(name);
    }
    text
}

#[cfg(test)]
mod tests;
