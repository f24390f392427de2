//! Whether what a build runs may leave something outside of the project.

use super::draft::{Draft, absolute, inside, refuse};
use super::facts::facts;
use super::roles::{is_system_folder, named};
use crate::model::command::Classified;
use crate::transforms::Refusal;

/// Refuses where a build may write outside of its folder and of what is sent.
pub(super) fn stays_inside(draft: &Draft, command: &Classified, folder: &str) -> Result<(), Refusal> {
    let fine = |path: &str| {
        let readable = facts().builds.only_read.iter().any(|f| inside(path, f));
        let project = draft.copies.iter().any(|c| !is_system_folder(&c.destination) && inside(path, &c.destination));
        inside(path, folder) || project || readable || draft.facts.content.iter().any(|c| inside(path, c))
    };
    let words = command.words.iter().skip(1).map(|w| w.literal.as_deref().unwrap_or(&w.raw));
    for word in words {
        if let Some(path) = paths(word).find(|p| !fine(p)) {
            return refuse(command.line, format!("`{}` is told of `{path}`; copy what it leaves there by hand", named(command)));
        }
    }
    // The files that say what a build does, in its own folder.
    let context = draft.model.context;
    let files = facts().builds.files.iter().filter_map(|name| draft.context_path(&super::draft::join(folder, name)));
    let scripts = command.words.iter().filter_map(|w| absolute(Some(folder), w.literal.as_deref()?)).filter_map(|p| draft.context_path(&p));
    let mut read: Vec<String> = Vec::new();
    for path in files.chain(scripts) {
        let Some(text) = context.read(&path).filter(|_| !read.contains(&path)) else { continue };
        for (at, line) in text.lines().enumerate().filter(|(_, l)| !l.trim_start().starts_with("#") && !l.contains("://")) {
            if let Some(found) = paths(line).filter(|p| names_place(p)).find(|p| !fine(p)) {
                return refuse(
                    command.line,
                    format!("`{}` may write to `{found}` ({path}:{}); copy what it leaves there by hand", named(command), at + 1),
                );
            }
        }
        read.push(path);
    }
    Ok(())
}

/// Whether a file that says what a build does, in `folder`, names something above it.
pub(super) fn climbs(draft: &Draft, folder: &str) -> bool {
    let files = facts().builds.files.iter().filter_map(|name| draft.context_path(&super::draft::join(folder, name)));
    files.filter_map(|p| draft.model.context.read(&p)).any(|text| ["../", "'..'", "\"..\""].iter().any(|up| text.contains(up)))
}

/// The absolute paths in a text.
pub(super) fn paths(text: &str) -> impl Iterator<Item = String> + '_ {
    let ends = |c: char| c.is_whitespace() || "'\"`=:;,()<>|&".contains(c);
    text.split(ends).filter(|w| w.starts_with('/') && w.len() > 1 && !w.starts_with("//")).map(|w| w.trim_end_matches('/').to_owned())
}

/// Whether an absolute path of a build file is one of the file system rather than of a web address.
fn names_place(path: &str) -> bool {
    const ROOTS: &[&str] = &["/etc", "/usr", "/var", "/opt", "/srv", "/root", "/home", "/data", "/www"];
    ROOTS.iter().any(|root| inside(path, root))
}
