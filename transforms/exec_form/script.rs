//! Whether the kernel can start a program without a shell: a script needs its `#!` line for that.

use crate::model::command::{Action, Classified, resolved};
use crate::model::copied::Copy;
use crate::model::path::{clean, inside};
use crate::model::{Model, Step};
use crate::shell::ShellWord;
use crate::syntax::View;

/// What is known of where a program comes from.
enum Origin {
    /// From this file of the context.
    Context(String),
    /// From a file that can't be read here.
    Unread,
    /// A RUN or a here-document wrote it, with a `#!` or without.
    Written(bool),
}

/// Why `program`, which `step` starts, needs a shell to be started.
pub(super) fn obstacle(model: &Model, step: &Step, program: &str) -> Option<String> {
    let name = program.rsplit('/').next().unwrap_or(program);
    let path = match program.contains('/') {
        true => Some(absolute(program, step)?),
        false => None,
    };
    let is_it = |candidate: &str| match &path {
        Some(path) => candidate == path,
        None => candidate.rsplit('/').next() == Some(name),
    };
    let on_path = on_path(step, program);
    let earlier = model.steps.iter().take_while(|s| s.item < step.item);
    let origin = earlier.filter_map(|s| origin(model, s, path.as_deref(), &on_path, name, &is_it)).last()?;
    let missing = || Some(format!("`{program}` has no `#!` line, without which only a shell can start it"));
    match origin {
        // What is no text is a program.
        Origin::Context(file) => model.context.read(&file).filter(|text| !text.starts_with("#!")).and_then(|_| missing()),
        Origin::Written(false) => missing(),
        Origin::Unread if [".sh", ".bash"].iter().any(|e| name.ends_with(e)) => {
            Some(format!("context unknown: whether `{program}` has a `#!` line, without which only a shell can start it"))
        }
        Origin::Unread | Origin::Written(true) => None,
    }
}

/// Where a program that is started by its name alone may lie.
fn on_path(step: &Step, program: &str) -> Vec<String> {
    let folders = step.before.known_variable("PATH").filter(|_| !program.contains('/')).into_iter().flat_map(|v| v.split(':'));
    folders.filter(|f| f.starts_with('/')).map(|f| clean(&format!("{f}/{program}"))).collect()
}

/// Whether `step` brings the program, and from where.
fn origin(model: &Model, step: &Step, path: Option<&str>, on_path: &[String], name: &str, is_it: &dyn Fn(&str) -> bool) -> Option<Origin> {
    let View::Copy { sources, destination, .. } = &step.view else {
        return step.commands().iter().filter_map(|c| written(model, step, c, is_it)).last();
    };
    if let Some(copy) = Copy::of(model, step) {
        let found = match path {
            Some(path) => copy.origin(path),
            None => {
                let single = copy.parts.iter().find(|p| !p.folder && is_it(&p.target)).map(|p| p.source.clone());
                single.or_else(|| on_path.iter().filter_map(|p| copy.origin(p)).find(|f| model.context.is_file(f)))
            }
        };
        return found.map(Origin::Context);
    }
    let to = absolute(&destination.text, step)?;
    let named = is_it(&to) || sources.iter().any(|s| s.text.rsplit('/').next() == Some(name));
    if !model.file.instruction(step.item)?.heredocs.is_empty() {
        return named.then(|| Origin::Written(step.span.text(model.file.source()).contains("#!")));
    }
    (named || path.is_some_and(|p| inside(p, &to))).then_some(Origin::Unread)
}

/// Whether a command writes the program.
fn written(model: &Model, step: &Step, command: &Classified, is_it: &dyn Fn(&str) -> bool) -> Option<Origin> {
    let here = |word: &ShellWord| {
        let text = word.literal.as_deref().unwrap_or(&word.raw);
        resolved(command.directory.as_deref(), text).is_some_and(|p| is_it(&p))
    };
    if command.writes.iter().any(here) {
        return Some(Origin::Written(step.span.text(model.file.source()).contains("#!")));
    }
    let brings = !matches!(command.program(), Some("chmod" | "chown" | "chgrp" | "touch" | "sed" | "dos2unix" | "setcap"));
    let of_files = matches!(&command.action, Action::File { writes, .. } if brings && writes.iter().any(here));
    of_files.then_some(Origin::Unread)
}

fn absolute(path: &str, step: &Step) -> Option<String> {
    let full = if path.starts_with('/') { path.to_owned() } else { format!("{}/{path}", step.before.workdir.as_deref()?) };
    Some(clean(&full))
}
