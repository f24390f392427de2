//! Whose a folder is that is taken over whole.

use super::draft::{Draft, absolute, inside, refuse};
use super::plan::{Artifact, Extra, Plan};
use crate::model::command::Classified;
use crate::model::path::is_plain;
use crate::transforms::Refusal;

/// Lets the runtime stage give the folders of the plan's snapshots to whom `command` of step `index`, which stays in the builder, gives
/// them: a COPY into a folder that is there already brings what lies in it, and leaves the folder itself as it is.
pub(super) fn repeat(draft: &Draft, plan: &mut Plan, index: usize, command: &Classified) -> Result<(), Refusal> {
    if !matches!(command.program(), Some("chown" | "chgrp")) {
        return Ok(());
    }
    let words = command.texts();
    let mut operands = words.iter().skip(1).filter(|w| !w.starts_with('-'));
    let Some(owner) = operands.next() else { return Ok(()) };
    let paths: Vec<String> = operands.filter_map(|path| absolute(command.directory.as_deref(), path)).collect();
    let whole = plan.snapshots.iter().map(|s| &s.folder);
    let single = plan.artifacts.iter().map(|a| &a.path).filter(|path| is_folder(draft, path));
    let folders = whole.chain(single).filter(|folder| paths.iter().any(|p| inside(folder, p)));
    for folder in folders.cloned().collect::<Vec<_>>() {
        if !is_plain(&folder)
            || words.iter().any(|w| w.starts_with("--"))
            || !owner.chars().all(|c| c.is_ascii_alphanumeric() || ":._-".contains(c))
        {
            return refuse(
                draft.line(index),
                format!(
                    "`{}` gives `{folder}` an owner in a way that can't be repeated in the runtime stage",
                    super::roles::named(command)
                ),
            );
        }
        let program = words.first().copied().unwrap_or("chown");
        plan.extras.push(Extra { anchor: index, text: format!("RUN mkdir -p {folder} && {program} {owner} {folder}") });
    }
    Ok(())
}

/// Whether a command sets the owner, the mode or the capabilities of files that are there.
pub(super) fn says_of_files(command: &Classified) -> bool {
    matches!(command.program(), Some("chown" | "chgrp" | "chmod" | "setcap"))
}

/// Whether `path` is a folder: one of the context, or one that a RUN makes.
fn is_folder(draft: &Draft, path: &str) -> bool {
    let made = |c: &Classified| {
        c.program() == Some("mkdir") && super::roles::written(c, c.directory.as_deref()).is_ok_and(|paths| paths.iter().any(|p| p == path))
    };
    draft.context_path(path).is_some_and(|p| draft.model.context.is_dir(&p)) || draft.steps.iter().flat_map(|s| s.commands()).any(made)
}

/// Copies what the commands `wanted` of step `index`, which the runtime stage runs, give an owner from the builder in front of them, as
/// far as it was there before them.
pub(super) fn ahead(draft: &Draft, plan: &mut Plan, index: usize, wanted: &[usize]) {
    let Some(step) = draft.steps.get(index) else { return };
    let commands = wanted.iter().filter_map(|at| step.commands().get(*at));
    let gives = commands.filter(|c| says_of_files(c)).map(|c| c.with_values(&|name| draft.variable(step, name)));
    let paths: Vec<String> = gives.filter_map(|c| super::roles::written(&c, c.directory.as_deref()).ok()).flatten().collect();
    let brought = |path: &str| draft.copies.iter().any(|c| c.step < index && !c.foreign && inside(path, &c.destination));
    for artifact in plan.artifacts.iter_mut().filter(|a| a.step > index) {
        let from_context = draft.context_path(&artifact.path).is_some_and(|p| draft.model.context.exists(&p));
        if from_context && brought(&artifact.path) && paths.iter().any(|p| inside(&artifact.path, p)) {
            artifact.step = index;
        }
    }
}

/// Who makes `artifact`, if that is not root: the COPY that brings it makes its folder anew, as root's where nothing else is said.
pub(super) fn of_maker(draft: &Draft, artifact: &Artifact) -> Option<String> {
    // What a COPY brought is whose the COPY says.
    if draft.context_path(&artifact.path).is_some_and(|p| draft.model.context.exists(&p)) {
        return None;
    }
    let user = draft.steps.get(artifact.step)?.before.user.as_deref()?;
    let plain = user.chars().all(|c| c.is_ascii_alphanumeric() || ":._-".contains(c));
    if !plain || matches!(user.split(':').next(), Some("" | "0" | "root") | None) {
        return None;
    }
    // Without a group, COPY takes the number of the user for it.
    let own_group = !user.contains(':') && draft.facts.users.iter().any(|u| u.name == user);
    Some(if own_group { format!("{user}:{user}") } else { user.to_owned() })
}
