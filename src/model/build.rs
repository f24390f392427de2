//! The model is assembled here: steps, stages and the state between them, in one walk over the file.

use std::borrow::Cow;
use std::rc::Rc;

use super::image::{Image, Reference};
use super::{Base, Model, RunFacts, Stage, State, Step, Value};
use crate::catalog::Catalog;
use crate::config::Options;
use crate::context::Context;
use crate::source::Diagnostic;
use crate::syntax::variables::{Lookup, expand};
use crate::syntax::{Dockerfile, Keyword, View, is_too_much, problems, problems_read};

impl<'a> Model<'a> {
    /// Understands `file`: every step with the state before it, the stages, and what the RUNs do.
    #[must_use]
    pub fn new(file: &'a Dockerfile, context: &'a Context, catalog: &'a Catalog, options: &'a Options) -> Self {
        Self::over(Cow::Borrowed(file), context, catalog, options)
    }

    /// The same for a tree that the model keeps.
    #[must_use]
    pub fn owning(file: Dockerfile, context: &'a Context, catalog: &'a Catalog, options: &'a Options) -> Self {
        Self::over(Cow::Owned(file), context, catalog, options)
    }

    fn over(file: Cow<'a, Dockerfile>, context: &'a Context, catalog: &'a Catalog, options: &'a Options) -> Self {
        let mut builder =
            Builder { file: &file, catalog, global: Vec::new(), steps: Vec::new(), stages: Vec::new(), state: Rc::new(State::default()) };
        // A file with too much to follow has a problem that says so, and is left alone.
        let followed = !is_too_much(&file);
        for (item, _) in file.instructions().filter(|_| followed) {
            builder.step(item);
        }
        builder.close_stage();
        let Builder { steps, mut stages, .. } = builder;
        link(&steps, &mut stages);
        Self { file, steps, stages, context, catalog, options }
    }

    /// The value of a word of `step` with its variables expanded and its quotes removed; `None` where that is not known before
    /// the build.
    #[must_use]
    pub fn expand(&self, step: &Step, word: &str) -> Option<String> {
        let expansion = expand(word, self.file.escape, &|name| look_up(&step.before, name)).ok()?;
        (!expansion.unknown).then_some(expansion.text)
    }

    /// What the builder's second pass refuses of the file; like [`problems`], without reading the instructions again.
    #[must_use]
    pub fn problems(&self) -> Vec<Diagnostic> {
        if self.steps.len() == self.file.instructions().count() {
            problems_read(&self.file, self.steps.iter().map(|step| &step.reading))
        } else {
            problems(&self.file)
        }
    }

    /// The steps of the stage at `index`, FROM included.
    #[must_use]
    pub fn steps_of(&self, index: usize) -> &[Step] {
        self.stages.get(index).and_then(|s| self.steps.get(s.steps.clone())).unwrap_or_default()
    }
}

fn look_up(state: &State, name: &str) -> Lookup {
    let of = |value: &Value| match value {
        Value::Known(text) => Lookup::Known(text.clone()),
        Value::Unknown => Lookup::Unknown,
    };
    if let Some(value) = state.variable(name) {
        return of(value);
    }
    match state.args.iter().rev().find(|(n, _)| n == name) {
        Some((_, Some(value))) => of(value),
        // A build argument without default may be given on the command line.
        Some((_, None)) => Lookup::Unknown,
        None => Lookup::Unset,
    }
}

struct Builder<'a> {
    file: &'a Dockerfile,
    catalog: &'a Catalog,
    /// The ARGs before the first FROM.
    global: Vec<(String, Option<Value>)>,
    steps: Vec<Step>,
    stages: Vec<Stage>,
    state: Rc<State>,
}

impl Builder<'_> {
    fn step(&mut self, item: usize) {
        let (Some(instruction), Some(whole)) = (self.file.instruction(item), self.file.items.get(item)) else { return };
        let reading = self.file.read(instruction);
        let view = View::of(instruction.keyword, &reading);
        if let View::From { image, .. } = &view {
            self.close_stage();
            let index = self.steps.len();
            let base = self.base(&image.text);
            self.state = Rc::new(self.begin(&base));
            let name = match &view {
                View::From { alias: Some(alias), .. } => Some(alias.text.to_ascii_lowercase()),
                _ => None,
            };
            self.stages.push(Stage { name, base, steps: index..index, end: Rc::clone(&self.state), used_by: Vec::new() });
        }
        let before = Rc::clone(&self.state);
        let run = (instruction.keyword == Keyword::Run).then(|| RunFacts::of(self.file, instruction, &reading, &before));
        let step = Step {
            item,
            keyword: instruction.keyword,
            stage: self.stages.len().checked_sub(1),
            line: whole.start_line,
            span: whole.span,
            reading,
            view,
            before,
            run,
        };
        self.after(&step);
        self.steps.push(step);
    }

    fn close_stage(&mut self) {
        let end = self.steps.len();
        if let Some(stage) = self.stages.last_mut() {
            stage.steps.end = end;
            stage.end = Rc::clone(&self.state);
        }
    }

    fn base(&self, written: &str) -> Base {
        let lookup = |name: &str| match self.global.iter().rev().find(|(n, _)| n == name) {
            Some((_, Some(Value::Known(text)))) => Lookup::Known(text.clone()),
            Some(_) => Lookup::Unknown,
            None => Lookup::Unset,
        };
        let known = expand(written, self.file.escape, &lookup).ok().filter(|e| !e.unknown).map(|e| e.text);
        let name = known.as_deref().unwrap_or(written);
        if let Some(index) = self.stages.iter().position(|s| s.name.as_deref() == Some(&name.to_ascii_lowercase())) {
            return Base::Stage(index);
        }
        if name == "scratch" {
            return Base::Scratch;
        }
        let reference = known.as_deref().and_then(Reference::parse);
        let facts = reference.as_ref().and_then(|r| self.catalog.image(r));
        Base::Image(Box::new(Image { written: written.to_owned(), reference, facts }))
    }

    fn begin(&self, base: &Base) -> State {
        match base {
            Base::Stage(index) => self.stages.get(*index).map(|s| (*s.end).clone()).unwrap_or_default(),
            Base::Scratch => State { workdir: Some("/".to_owned()), user: Some(String::new()), shell: default_shell(), ..State::default() },
            Base::Image(image) => match &image.facts {
                Some(facts) => State {
                    env: facts.env.iter().map(|(n, v)| (n.clone(), v.clone().map_or(Value::Unknown, Value::Known))).collect(),
                    workdir: facts.start_folder(),
                    user: facts.start_user(),
                    shell: default_shell(),
                    ..State::default()
                },
                None => State { shell: default_shell(), ..State::default() },
            },
        }
    }

    /// The state behind `step`.
    fn after(&mut self, step: &Step) {
        let expanded =
            |word: &str| expand(word, self.file.escape, &|name| look_up(&step.before, name)).ok().filter(|e| !e.unknown).map(|e| e.text);
        match &step.view {
            View::Arg { pairs } => {
                let mut args = Vec::new();
                for pair in pairs {
                    let name = pair.name.text.clone();
                    let default = pair.value.as_ref().map(|v| expanded(&v.text).map_or(Value::Unknown, Value::Known));
                    let inherited = || self.global.iter().rev().find(|(n, _)| *n == name).and_then(|(_, v)| v.clone());
                    args.push((name.clone(), default.or_else(inherited)));
                }
                if step.stage.is_none() {
                    self.global.extend(args);
                } else {
                    Rc::make_mut(&mut self.state).args.extend(args);
                }
            }
            View::Env { pairs, .. } => {
                let values: Vec<(String, Value)> = pairs
                    .iter()
                    .map(|p| (p.name.text.clone(), p.value.as_ref().and_then(|v| expanded(&v.text)).map_or(Value::Unknown, Value::Known)))
                    .collect();
                let state = Rc::make_mut(&mut self.state);
                for (name, value) in values {
                    match state.env.iter_mut().find(|(n, _)| *n == name) {
                        Some((_, old)) => *old = value,
                        None => state.env.push((name, value)),
                    }
                }
            }
            View::Workdir { path } => {
                let path = expanded(&path.text);
                let state = Rc::make_mut(&mut self.state);
                state.workdir = match path {
                    Some(p) if p.starts_with('/') => Some(clean(&p)),
                    Some(p) => state.workdir.as_ref().map(|w| clean(&format!("{w}/{p}"))),
                    None => None,
                };
            }
            View::User { user } => {
                let user = expanded(&user.text);
                Rc::make_mut(&mut self.state).user = user;
            }
            View::Shell { words } => {
                let words = words.iter().map(|w| w.text.clone()).collect();
                Rc::make_mut(&mut self.state).shell = words;
            }
            _ => {}
        }
    }
}

fn default_shell() -> Vec<String> {
    vec!["/bin/sh".to_owned(), "-c".to_owned()]
}

fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

/// Notes which stages use which.
fn link(steps: &[Step], stages: &mut [Stage]) {
    let names: Vec<Option<String>> = stages.iter().map(|s| s.name.clone()).collect();
    let find = |name: &str| names.iter().position(|n| n.as_deref() == Some(&name.to_ascii_lowercase())).or_else(|| name.parse().ok());
    let mut uses: Vec<(usize, usize)> = Vec::new();
    for (index, stage) in stages.iter().enumerate() {
        if let Base::Stage(parent) = stage.base {
            uses.push((parent, index));
        }
    }
    for step in steps {
        let Some(user) = step.stage else { continue };
        for flag in &step.reading.flags {
            let Some(value) = &flag.value else { continue };
            let from = match flag.name.as_str() {
                "from" => Some(value.as_str()),
                "mount" => value.split(',').find_map(|part| part.strip_prefix("from=")),
                _ => None,
            };
            if let Some(used) = from.and_then(find) {
                uses.push((used, user));
            }
        }
    }
    for (used, user) in uses {
        if let Some(stage) = stages.get_mut(used)
            && !stage.used_by.contains(&user)
        {
            stage.used_by.push(user);
        }
    }
}
