//! What in a Dockerfile needs a part of the build context that would be left out.

use crate::catalog::context::{LeaveOut, reads_history};
use crate::context::manifests::node::Package;
use crate::context::{Context, is_within, join};
use crate::model::command::{Action, Classified, Operation};
use crate::model::copied::Copy;
use crate::model::{Base, Model, Step};
use crate::syntax::{Keyword, View};
use crate::transforms::Refusal;

/// Why the image of `model` needs `path`, and the line that says so.
pub(super) fn of(model: &Model, fact: &LeaveOut, path: &str) -> Option<(String, usize)> {
    for step in &model.steps {
        if let View::Copy { from: None, sources, .. } = &step.view {
            let names = |word: &str| match model.expand(step, word) {
                Some(source) => model.context.sources_match(&source).iter().any(|found| is_within(found, path)),
                None => word.contains(fact.name.as_str()),
            };
            if sources.iter().any(|s| names(&s.text)) {
                return Some(("this copies it by name".to_owned(), step.line));
            }
        }
    }
    let copies: Vec<Copy> = model.steps.iter().filter_map(|s| Copy::of(model, s)).collect();
    let taking: Vec<&Copy> = copies.iter().filter(|c| c.parts.iter().any(|p| p.folder && is_within(path, &p.source))).collect();
    if fact.made_by.is_empty() {
        return model.steps.iter().find_map(|step| named_in(model, step, fact, &taking).map(|reason| (reason, step.line)));
    }
    let missing = taking.iter().find(|copy| !is_made(model, copy, fact, path))?;
    Some((format!("no step of the stage makes it ({})", fact.made_by.join(", ")), missing.step.line))
}

/// Whether an instruction says a name or a word of what would be left out.
fn named_in(model: &Model, step: &Step, fact: &LeaveOut, taking: &[&Copy]) -> Option<String> {
    if !matches!(
        step.keyword,
        Keyword::Run
            | Keyword::Cmd
            | Keyword::Entrypoint
            | Keyword::Env
            | Keyword::Healthcheck
            | Keyword::Workdir
            | Keyword::Volume
            | Keyword::Shell
            | Keyword::Onbuild
    ) {
        return None;
    }
    let text = step.span.text(model.file.source());
    let says = |text: &str| {
        if fact.name == ".git" {
            return reads_history(text).map(str::to_owned);
        }
        let words = fact.words.iter().map(String::as_str);
        Some(fact.name.as_str())
            .filter(|_| fact.words.is_empty() || fact.search)
            .into_iter()
            .chain(words)
            .find(|w| has_word(text, w))
            .map(str::to_owned)
    };
    let found = match &step.run {
        // git in a folder that the copy does not bring works on another repository.
        Some(run) if run.script.is_some() && fact.name == ".git" => run.commands.iter().find_map(|c| {
            let elsewhere = c.directory.as_deref().is_some_and(|d| !taking.iter().any(|t| t.covers(d)));
            let words: Vec<&str> = c.words.iter().map(|w| w.raw.as_str()).collect();
            if elsewhere && !words.iter().any(|w| w.contains(".git")) { None } else { says(&words.join(" ")) }
        }),
        _ => says(text),
    }?;
    Some(format!("this says `{found}`"))
}

/// Whether `text` has `word` between characters that end a path's component.
fn has_word(text: &str, word: &str) -> bool {
    let inside = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'));
    text.match_indices(word).any(|(at, _)| {
        !inside(text.get(..at).and_then(|t| t.chars().next_back())) && !inside(text.get(at + word.len()..).and_then(|t| t.chars().next()))
    })
}

/// Whether the stage of the copy makes `path` of the context itself, or copies it from another stage.
fn is_made(model: &Model, copy: &Copy, fact: &LeaveOut, path: &str) -> bool {
    let (Some(target), Some(folder)) =
        (copy.target(path), copy.target(super::parent(path)).or_else(|| copy.target(path).map(|t| super::parent(&t).to_owned())))
    else {
        return false;
    };
    let folder = if folder.is_empty() { "/".to_owned() } else { folder };
    let mut stage = copy.step.stage;
    while let Some(at) = stage {
        let made = model.steps_of(at).iter().any(|step| {
            let behind = step.item > copy.step.item;
            match &step.view {
                View::Copy { from: Some(_), destination, .. } if behind => {
                    let to = model
                        .expand(step, &destination.text)
                        .and_then(|to| crate::model::path::workdir(step.before.workdir.as_deref(), &to, false));
                    to.is_some_and(|to| crate::model::path::clean(&to) == target)
                }
                View::Run { .. } => step.run.iter().flat_map(|r| &r.commands).any(|c| {
                    // What is installed before the copy stays; what is built is built of the sources, which the copy brings.
                    let counts = behind || fact.beside.is_none() && matches!(c.action, Action::Language { .. });
                    counts && !c.conditional && makes(model, c, fact, &folder, path, copy)
                }),
                _ => false,
            }
        });
        if made {
            return true;
        }
        stage = match model.stages.get(at).map(|s| &s.base) {
            Some(Base::Stage(parent)) if *parent < at => Some(*parent),
            _ => None,
        };
    }
    false
}

/// Whether a command is one of the tools that make it, in the folder of the image that is `folder`.
fn makes(model: &Model, command: &Classified, fact: &LeaveOut, folder: &str, path: &str, copy: &Copy) -> bool {
    let Some(directory) = command.directory.as_deref() else { return false };
    let listed = |name: &str| fact.made_by.iter().any(|m| m == name);
    let words: Vec<&str> = command.words.iter().map(|w| w.raw.as_str()).collect();
    let said = words.join(" ");
    let is_tool = match &command.action {
        Action::Language { manager, operation, packages, .. } => {
            listed(manager)
                && *operation == Operation::Install
                && (packages.is_empty() || manager == "maven")
                && !words.iter().any(|w| matches!(*w, "-g" | "--global" | "--prefix" | "-C" | "--dir" | "--cwd" | "global"))
        }
        Action::Build { tool } => listed(tool),
        _ => false,
    } || fact.made_by.iter().any(|m| m.contains(' ') && said.starts_with(m.as_str()));
    let is_there = directory == folder
        // An install at the root of a workspace fills those of its members.
        || copy.origin(directory).is_some_and(|root| {
            is_within(path, &root) && Package::read(model.context, &root).is_some_and(|p| !p.workspaces.is_empty())
        });
    is_tool && is_there
}

/// Manifests that a step needs, that stand on disk, and that the ignore file leaves out.
pub(super) fn ignored_manifests(model: &Model) -> Vec<Refusal> {
    let context = model.context;
    let file = context.ignore_path().unwrap_or(".dockerignore");
    let mut out: Vec<Refusal> = Vec::new();
    if context.ignore().is_empty() {
        return out;
    }
    let hidden = |path: &str| !context.exists(path) && context.kind_on_disk(path).is_some();
    for step in &model.steps {
        if let View::Copy { from: None, sources, .. } = &step.view {
            let missing = sources
                .iter()
                .filter_map(|s| model.expand(step, &s.text))
                .find(|s| !crate::context::has_wildcard(s) && hidden(&crate::context::normalize(s)));
            if let Some(source) = missing {
                out.push(Refusal {
                    reason: format!("{file} leaves {source} out of the build context, so it can't be copied"),
                    line: step.line,
                });
            }
            continue;
        }
        let Some(copy) = brought_by(model, step) else { continue };
        for command in step.commands() {
            let Some(path) = ignored_manifest(context, command, &copy, &hidden) else { continue };
            let program = command.program().unwrap_or("the install");
            out.push(Refusal {
                reason: format!("{file} leaves {path} out of the build context, which {program} reads"),
                line: command.line,
            });
        }
    }
    out
}

/// The copy of a folder before a RUN of the same stage.
fn brought_by<'m>(model: &'m Model, step: &Step) -> Option<Copy<'m>> {
    let steps = model.steps_of(step.stage?);
    steps.iter().take_while(|s| s.item < step.item).filter_map(|s| Copy::of(model, s)).filter(Copy::takes_folder).last()
}

fn ignored_manifest(context: &Context, command: &Classified, copy: &Copy, hidden: &dyn Fn(&str) -> bool) -> Option<String> {
    let Action::Language { manager, operation: Operation::Install | Operation::Download, packages, files } = &command.action else {
        return None;
    };
    let directory = command.directory.as_deref()?;
    let folder = copy.origin(directory).filter(|f| f.is_empty() || context.is_dir(f))?;
    let names: &[&str] = match manager.as_str() {
        "npm" if command.words.iter().any(|w| w.raw == "ci") => &["package.json", "package-lock.json"],
        "npm" | "pnpm" | "yarn" if packages.is_empty() => &["package.json"],
        "go" if packages.iter().all(|p| p.raw == "download") => &["go.mod", "go.sum"],
        "bundle" => &["Gemfile", "Gemfile.lock"],
        "composer" => &["composer.json", "composer.lock"],
        "pipenv" => &["Pipfile", "Pipfile.lock"],
        "poetry" | "uv" => &["pyproject.toml"],
        _ => &[],
    };
    let read = files.iter().filter_map(|w| w.literal.as_deref()).map(|f| join(&folder, f.trim_start_matches("./")));
    names.iter().map(|n| join(&folder, n)).chain(read).find(|path| hidden(path))
}
