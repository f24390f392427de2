//! Whether what a build runs may leave something outside of the project.

use super::draft::{Draft, absolute, inside, join, refuse};
use super::facts::facts;
use super::roles::named;
use crate::model::command::Classified;
use crate::transforms::Refusal;

/// Refuses where a build may write outside of its folder and of what is sent.
pub(super) fn stays_inside(draft: &Draft, command: &Classified, folder: &str) -> Result<(), Refusal> {
    let fine = |path: &str| {
        let readable = facts().builds.only_read.iter().any(|f| inside(path, f));
        inside(path, folder) || draft.project_of(path).is_some() || readable || draft.facts.content.iter().any(|c| inside(path, c))
    };
    let words = command.words.iter().skip(1).map(|w| w.literal.as_deref().unwrap_or(&w.raw));
    for word in words {
        if let Some(path) = paths(word).find(|p| !fine(p)) {
            return refuse(command.line, format!("`{}` is told of `{path}`; copy what it leaves there by hand", named(command)));
        }
    }
    // The files that say what a build does, in its own folder.
    let context = draft.model.context;
    let scripts = command.words.iter().filter_map(|w| absolute(Some(folder), w.literal.as_deref()?)).filter_map(|p| draft.context_path(&p));
    let mut read: Vec<String> = Vec::new();
    for path in build_files(draft, folder).chain(scripts) {
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

/// The files of the context that say what a build does in `folder` of the image.
fn build_files(draft: &Draft, folder: &str) -> impl Iterator<Item = String> {
    facts().builds.files.iter().filter_map(move |name| draft.context_path(&join(folder, name)))
}

/// Whether a file that says what a build does, in `folder`, names something above it.
pub(super) fn climbs(draft: &Draft, folder: &str) -> bool {
    build_files(draft, folder)
        .filter_map(|p| draft.model.context.read(&p))
        .any(|text| ["../", "'..'", "\"..\""].iter().any(|up| text.contains(up)))
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
