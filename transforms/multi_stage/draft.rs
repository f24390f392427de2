//! A single-stage file, read for a split: its image, its COPYs, its program.

use std::borrow::Cow;

use super::program::Program;
use super::roles::is_system_folder;
use crate::model::command::Action;
use crate::model::image::{Image, ImageFacts};
use crate::model::path::below;
pub(super) use crate::model::path::inside;
use crate::model::walk::DEFAULT_PATH;
use crate::model::{Base, Model, Stage, Step};
use crate::syntax::{Keyword, View};
use crate::transforms::Refusal;

/// Everything that the planners look at.
pub(super) struct Draft<'a> {
    pub model: &'a Model<'a>,
    pub stage: &'a Stage,
    pub from: &'a Step,
    pub image: &'a Image,
    /// What is known of the image; of a distribution's, completed by what the file installs.
    pub facts: Cow<'a, ImageFacts>,
    /// Whether [`Self::facts`] have been completed.
    pub completed: bool,
    /// The steps behind FROM.
    pub steps: &'a [Step],
    pub copies: Vec<ContextCopy>,
    pub program: Program,
}

/// A COPY or ADD with its paths made absolute.
#[derive(Clone, Debug)]
pub(super) struct ContextCopy {
    /// The index in [`Draft::steps`].
    pub step: usize,
    /// The sources, relative to the context's root; `.` for all of it. Empty for heredocs, URLs and other stages.
    pub sources: Vec<String>,
    /// The destination in the image, absolute, without a `/` at its end.
    pub destination: String,
    /// Whether the destination is certain to be a folder.
    pub into_folder: bool,
    /// Whether the files come from somewhere else than the context.
    pub foreign: bool,
    /// The value of `--chown`.
    pub chown: Option<String>,
}

const STARTS_NOTHING: &str = "no gain: the file starts nothing of its own (no CMD, no ENTRYPOINT), so it is a base for others or starts what its base starts; its base stays";

/// A refusal of this transform at `line`.
pub(super) fn refuse<T>(line: usize, reason: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal { reason: reason.into(), line })
}

impl<'a> Draft<'a> {
    /// Reads the one stage of `model`, or says why it is not to be split.
    pub(super) fn read(model: &'a Model<'a>) -> Result<Self, Refusal> {
        let (Some(stage), Some(from)) = (model.stages.first(), model.stages.first().and_then(|s| model.steps.get(s.steps.start))) else {
            return refuse(1, "no FROM: nothing to split");
        };
        let steps = model.steps.get(stage.steps.start + 1..stage.steps.end).unwrap_or_default();
        let start = steps.iter().rev().find(|s| s.starts()).map(|s| s.line);
        let image = match &stage.base {
            Base::Image(image) => image,
            Base::Scratch => return refuse(from.line, "no gain: `scratch` holds nothing that could be left behind"),
            Base::Stage(_) => return refuse(from.line, "the stage starts from another stage; split it by hand"),
        };
        let Some(facts) = &image.facts else {
            if start.is_none() {
                return refuse(from.line, STARTS_NOTHING);
            }
            return refuse(
                from.line,
                format!("nothing is known of the base image `{}`; add it to [catalog] in restage.toml to have it split", image.written),
            );
        };
        // A web server's image starts by itself, and what it sends is what the file is about.
        let Some(start) = start.or((!facts.content.is_empty()).then_some(from.line)) else {
            return refuse(from.line, STARTS_NOTHING);
        };
        if facts.distribution.as_deref() == Some("windows") {
            return refuse(from.line, format!("`{}` is a Windows image; those are left alone", image.written));
        }
        if facts.start_user().is_none() && !steps.iter().any(|s| s.keyword == Keyword::User) {
            return refuse(
                from.line,
                format!("as whom `{}` runs is not known, and so not as whom the program would; name a USER", image.written),
            );
        }
        if let Some(step) = steps.iter().find(|s| s.keyword == Keyword::Onbuild) {
            return refuse(step.line, "ONBUILD makes this a base for others; splitting it would move what their builds rely on");
        }
        let copies = read_copies(model, steps)?;
        let mut draft =
            Self { model, stage, from, image, facts: Cow::Borrowed(facts), completed: false, steps, copies, program: Program::default() };
        draft.program = Program::read(&draft, start)?;
        if let Some(facts) = super::served::completed(&draft) {
            draft.facts = Cow::Owned(facts);
        } else if draft.facts.language.is_none()
            && let Some(facts) = super::system::completed(&draft)
        {
            draft.facts = Cow::Owned(facts);
            draft.completed = true;
        }
        Ok(draft)
    }

    /// Whether an ENV of the file sets `name`.
    pub(super) fn sets(&self, name: &str) -> bool {
        self.steps.iter().any(|s| matches!(&s.view, View::Env { pairs, .. } if pairs.iter().any(|p| p.name.text == name)))
    }

    /// The step at `index`, which the planners got from this draft.
    pub(super) fn line(&self, index: usize) -> usize {
        self.steps.get(index).map_or(self.from.line, |s| s.line)
    }

    /// The path in the context from which the file or folder `path` of the image comes, by the last COPY that brings it.
    pub(super) fn context_path(&self, path: &str) -> Option<String> {
        self.copies.iter().rev().filter(|c| !c.foreign).find_map(|copy| {
            copy.sources.iter().rev().find_map(|source| {
                let whole = source == "." || self.model.context.is_dir(source);
                if whole {
                    let rest = below(path, &copy.destination)?;
                    let candidate = join_relative(source, rest);
                    return (rest.is_empty() || self.model.context.exists(&candidate)).then_some(candidate);
                }
                let name = source.rsplit('/').next().unwrap_or(source);
                if name.contains(['*', '?', '[']) {
                    let rest = below(path, &copy.destination)?;
                    let parent = source.rsplit_once('/').map_or(".", |(p, _)| p);
                    let candidate = join_relative(parent, rest);
                    return (!rest.contains('/') && self.model.context.exists(&candidate)).then_some(candidate);
                }
                let target = if copy.into_folder { join(&copy.destination, name) } else { copy.destination.clone() };
                (target == path).then(|| source.clone())
            })
        })
    }

    /// The folder of the project in which `path` lies: one that a COPY fills, and not the system's.
    pub(super) fn project_of(&self, path: &str) -> Option<&str> {
        self.copies.iter().map(|c| c.destination.as_str()).find(|folder| !is_system_folder(folder) && inside(path, folder))
    }

    /// Whether some WORKDIR of the file is `path`.
    pub(super) fn is_workdir(&self, path: &str) -> bool {
        self.steps.iter().any(|step| {
            let View::Workdir { path: word } = &step.view else { return false };
            let target = self.model.expand(step, &word.text).and_then(|p| absolute(step.before.workdir.as_deref(), &p));
            target.as_deref() == Some(path)
        })
    }

    /// The folders in which a program that is started by its name is looked for.
    pub(super) fn search_path(&self) -> Vec<String> {
        self.stage.end.known_variable("PATH").unwrap_or(DEFAULT_PATH).split(':').filter(|f| f.starts_with('/')).map(str::to_owned).collect()
    }

    /// The file or folder of the image from which a RUN made `path` by `cp`, `mv`, `install` or `ln`.
    pub(super) fn placed_from(&self, path: &str) -> Option<String> {
        let runs = self.steps.iter().rev().filter_map(|s| Some((s, s.run.as_ref()?)));
        runs.flat_map(|(step, run)| run.commands.iter().rev().map(move |c| (step, c))).find_map(|(step, command)| {
            let command = command.with_values(&|name| self.variable(step, name));
            let Action::File { reads, .. } = &command.action else { return None };
            if !super::roles::copies_files(&command) {
                return None;
            }
            let paths = super::roles::written(&command, command.directory.as_deref()).ok()?;
            let targets = super::roles::targets(self, &command, &paths)?;
            let at = targets.iter().position(|t| t == path)?;
            let read = if reads.len() == targets.len() { reads.get(at)? } else { reads.first()? };
            absolute(command.directory.as_deref(), read.literal.as_deref()?)
        })
    }

    /// The file of the context that `path` is: brought there by COPY, or copied on by a RUN.
    pub(super) fn origin(&self, path: &str) -> Option<String> {
        self.context_path(path).or_else(|| self.placed_from(path).and_then(|p| self.context_path(&p)))
    }

    /// Whether a RUN removes `path`, or a folder that holds it.
    pub(super) fn is_removed(&self, path: &str) -> bool {
        self.steps.iter().filter_map(|s| Some((s, s.run.as_ref()?))).any(|(step, run)| {
            run.commands.iter().filter(|c| c.program() == Some("rm")).any(|command| {
                let command = command.with_values(&|name| self.variable(step, name));
                let removed = command.words.iter().skip(1).filter_map(|w| absolute(command.directory.as_deref(), w.literal.as_deref()?));
                removed.into_iter().any(|folder| inside(path, &folder))
            })
        })
    }

    /// The value that ENV gives `name` in the RUN `step`; `None` where the RUN gives it another.
    pub(super) fn variable(&self, step: &Step, name: &str) -> Option<String> {
        let text = step.span.text(self.model.file.source());
        let value = step.before.known_variable(name)?;
        let own = assigns(text, name) || mentions(text, "read") || mentions(text, "for");
        (!own).then(|| value.to_owned())
    }

    /// The system's package manager; apt where the catalog names none.
    pub(super) fn manager(&self) -> &str {
        self.facts.package_manager.as_deref().unwrap_or("apt")
    }

    /// The directory in force at the end of the stage.
    pub(super) fn workdir(&self) -> Option<&str> {
        self.stage.end.workdir.as_deref()
    }
}

/// Whether `text` holds `name` as a word of its own.
pub(super) fn mentions(text: &str, name: &str) -> bool {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(name).any(|(at, _)| {
        let before = text.get(..at).and_then(|t| t.chars().next_back());
        let after = text.get(at + name.len()..).and_then(|t| t.chars().next());
        !before.is_some_and(word) && !after.is_some_and(word)
    })
}

/// Whether a shell's text gives `name` a value of its own; in `make NAME=x` it is an argument.
fn assigns(text: &str, name: &str) -> bool {
    const BEFORE: &[&str] = &["RUN", "export", "local", "declare", "readonly", "then", "do", "else", "env", "!"];
    text.match_indices(&format!("{name}=")).any(|(at, _)| {
        let head = text.get(..at).unwrap_or("");
        let touches = head.chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '-');
        let head = head.trim_end_matches([' ', '\t']);
        let word = head.rsplit(|c: char| c.is_whitespace()).next().unwrap_or(head);
        let begins = head.is_empty() || head.ends_with(['&', ';', '|', '(', '{', '\n', '\r', '`']);
        !touches
            && (begins
                || BEFORE.iter().any(|b| word.eq_ignore_ascii_case(b))
                || word.split_once('=').is_some_and(|(n, _)| !n.starts_with('-')))
    })
}

fn read_copies(model: &Model, steps: &[Step]) -> Result<Vec<ContextCopy>, Refusal> {
    let mut out = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        let View::Copy { from, sources, destination, .. } = &step.view else { continue };
        let Some(target) = model.expand(step, &destination.text) else {
            return refuse(step.line, format!("the destination `{}` depends on a value that is not known here", destination.text));
        };
        let Some(path) = absolute(step.before.workdir.as_deref(), &target) else {
            return refuse(step.line, format!("the destination `{target}` is relative to a working directory that is not known"));
        };
        let chown = step.reading.flags.iter().find(|f| f.name == "chown").and_then(|f| f.value.clone());
        let mut foreign = from.is_some();
        let mut relative = Vec::new();
        for source in sources {
            match model.expand(step, &source.text) {
                Some(s) if s.contains("://") || s.starts_with("git@") => foreign = true,
                Some(s) => relative.push(normal(&s)),
                None => return refuse(step.line, format!("the source `{}` depends on a value that is not known here", source.text)),
            }
        }
        if sources.is_empty() {
            foreign = true;
        }
        if foreign {
            relative.clear();
        }
        let into_folder = target.ends_with('/')
            || target.ends_with("/.")
            || target == "."
            || sources.len() > 1
            || relative.iter().any(|s| s == "." || model.context.is_dir(s))
            || step.before.workdir.as_deref() == Some(path.as_str());
        out.push(ContextCopy { step: index, sources: relative, destination: path, into_folder, foreign, chown });
    }
    Ok(out)
}

/// `path` without `.` and `..` parts and without `/` at its ends, relative; `.` if nothing is left.
pub(super) fn normal(path: &str) -> String {
    let parts = parts(path);
    if parts.is_empty() { ".".to_owned() } else { parts.join("/") }
}

fn parts(path: &str) -> Vec<&str> {
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
    parts
}

/// `path` made absolute in `folder`; `None` if it is relative and the folder is not known.
pub(super) fn absolute(folder: Option<&str>, path: &str) -> Option<String> {
    let whole = if path.starts_with('/') { path.to_owned() } else { format!("{}/{path}", folder?) };
    Some(format!("/{}", parts(&whole).join("/")))
}

/// `name` inside `folder`.
pub(super) fn join(folder: &str, name: &str) -> String {
    format!("{}/{name}", folder.trim_end_matches('/'))
}

fn join_relative(folder: &str, rest: &str) -> String {
    match (folder, rest) {
        (f, "") => f.to_owned(),
        (".", r) => r.to_owned(),
        (f, r) => format!("{f}/{r}"),
    }
}
