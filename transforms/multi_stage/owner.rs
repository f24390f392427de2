//! Whose a folder is that is taken over whole.

use super::draft::{Draft, absolute, inside, refuse};
use super::plan::{Extra, Plan};
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
    let folders = plan.snapshots.iter().map(|s| s.folder.clone()).filter(|folder| paths.iter().any(|p| inside(folder, p)));
    for folder in folders.collect::<Vec<_>>() {
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
