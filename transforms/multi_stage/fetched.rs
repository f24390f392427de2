//! What RUNs fetch from elsewhere: where it ends up, and whether it runs on a smaller image.

use super::draft::{Draft, absolute, inside, join};
use super::facts::{Fetcher, SelfContained, facts};
use super::plan::Plan;
use super::roles::{Role, copies_files, is_system_folder, named, removes, targets, unpacks};
use crate::context::fits;
use crate::model::command::{Action, Classified};
use crate::shell::ShellWord;

/// Something that was fetched, or that was moved or unpacked from there.
#[derive(Clone, Debug)]
pub(super) struct Fetched {
    path: String,
    /// The words of the command that look like addresses.
    address: String,
}

/// Folders in which other programs look for what is there, at a time or in a form that a copy does not keep: settings, keys, libraries.
const SEARCHED: &[&str] = &["/etc", "/usr/share", "/lib", "/lib64", "/usr/lib", "/usr/local/lib", "/usr/include", "/var", "/root"];

/// The role of a command that fetches files, or works on nothing but what was fetched; `None` where that can't be told. The image of a
/// `compiled` program may not even have a C library.
pub(super) fn role(draft: &Draft, plan: &mut Plan, index: usize, command: &Classified, compiled: bool) -> Option<Role> {
    match &command.action {
        Action::Download if !command.conditional => {
            let redirected = || command.writes.iter().map(|w| w.literal.clone()).collect::<Option<Vec<_>>>();
            let files = if command.writes.is_empty() { destinations(command)? } else { redirected()? };
            let address = address(&command.words);
            let paths: Option<Vec<String>> = files.iter().map(|f| absolute(command.directory.as_deref(), f)).collect();
            let fine =
                |p: &String| !is_system_folder(p) && !draft.is_workdir(p) && !SEARCHED.iter().any(|s| inside(p, s)) && !p.contains('#');
            let paths = paths.filter(|paths| paths.iter().all(fine))?;
            Some(take(draft, plan, index, command, &paths, &address, compiled))
        }
        Action::File { writes, reads } => {
            let path = |word: &ShellWord| absolute(command.directory.as_deref(), word.literal.as_deref()?);
            let written: Vec<String> = writes.iter().map(path).collect::<Option<_>>()?;
            let origin = |word: &ShellWord| path(word).and_then(|p| origin(plan, &p));
            if unpacks(command) {
                let address = reads.iter().find_map(origin)?;
                let folder = written.first().cloned().or_else(|| command.directory.clone());
                let paths = match (self_contained(&address).filter(|_| !command.conditional), folder) {
                    (Some(_), Some(folder)) if !is_system_folder(&folder) => vec![folder],
                    (Some(known), Some(folder)) if !known.programs.is_empty() => known.programs.iter().map(|p| join(&folder, p)).collect(),
                    _ => {
                        return Some(Role::Unknown(format!(
                            "`{}` unpacks what was fetched, and what that leaves is not known",
                            named(command)
                        )));
                    }
                };
                return Some(take(draft, plan, index, command, &paths, &address, compiled));
            }
            if copies_files(command) {
                let addresses: Vec<String> = reads.iter().map(origin).collect::<Option<_>>()?;
                let address = addresses.first().filter(|_| !command.conditional)?;
                let paths = targets(draft, command, &written)?;
                return Some(take(draft, plan, index, command, &paths, address, compiled));
            }
            // What is removed and what is made a program of comes along as it is in the end.
            let own = !written.is_empty() && written.iter().all(|p| plan.fetched.iter().any(|f| f.path == *p));
            (own && (removes(command) || command.program() == Some("chmod"))).then_some(Role::Build)
        }
        _ => None,
    }
}

/// Whether a later command that is no plain work on files names `path`: an interpreter, an installer, a compiler.
fn is_worked_on(draft: &Draft, index: usize, command: &Classified, path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let later = draft.steps.iter().skip(index).flat_map(|s| s.commands()).filter(|c| c.span.start > command.span.start);
    later.filter(|c| !matches!(c.action, Action::File { .. } | Action::Clean)).any(|c| c.words.iter().any(|w| w.raw.contains(name)))
}

/// Notes that the builder has `paths` from `address`, and takes over those that stay.
fn take(draft: &Draft, plan: &mut Plan, index: usize, command: &Classified, paths: &[String], address: &str, compiled: bool) -> Role {
    for path in paths {
        plan.fetched.push(Fetched { path: path.clone(), address: address.to_owned() });
        if is_worked_on(draft, index, command, path) {
            return Role::Unknown(format!("`{}` fetches what a later command works on, and what that leaves is not known", named(command)));
        }
        match later(draft, index, command, path) {
            Later::Gone => continue,
            Later::Unclear => {
                return Role::Unknown(format!("`{}` fetches `{path}`, and whether a later line removes it is not clear", named(command)));
            }
            Later::Stays => {}
        }
        if inside(path, "/tmp") {
            continue;
        }
        if is_program(draft, path) && (compiled || self_contained(address).is_none()) {
            return Role::Unknown(format!(
                "`{}` fetches a program, and which libraries of the image it needs is not known; copy it by hand, or add it to an image of your own",
                named(command)
            ));
        }
        plan.artifact(path, index);
    }
    Role::Build
}

/// Where `path` comes from, if it was fetched.
fn origin(plan: &Plan, path: &str) -> Option<String> {
    plan.fetched.iter().rev().find(|f| inside(path, &f.path)).map(|f| f.address.clone())
}

/// Whether `path` is to be started: it lies where programs are looked for, or somebody makes it executable.
fn is_program(draft: &Draft, path: &str) -> bool {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let names = |c: &Classified, word: &ShellWord| {
        let text = word.literal.as_deref().unwrap_or(&word.raw);
        text.contains(['*', '$']) || absolute(c.directory.as_deref(), text).is_none_or(|p| inside(path, &p))
    };
    folder.ends_with("/bin")
        || folder.ends_with("/sbin")
        || draft.steps.iter().flat_map(|s| s.commands()).any(|c| {
            let Action::File { writes, .. } = &c.action else { return false };
            (c.program() == Some("install") || c.program() == Some("chmod") && makes_executable(c)) && writes.iter().any(|w| names(c, w))
        })
}

/// Whether a chmod may let somebody start what it names.
fn makes_executable(chmod: &Classified) -> bool {
    let mode = chmod.words.iter().skip(1).find(|w| !matches!(w.raw.as_str(), "-R" | "-v" | "-c" | "-f" | "--recursive"));
    mode.is_none_or(|mode| match mode.raw.bytes().all(|b| b.is_ascii_digit()) {
        true => mode.raw.bytes().any(|b| b % 2 == 1),
        false => mode.raw.contains(['x', 'X', '$', ',']) || !mode.raw.contains(['+', '-', '=']),
    })
}

/// What is known of programs from `address` that need nothing but the C library; of several, all have to be.
fn self_contained(address: &str) -> Option<&'static SelfContained> {
    let known = |one: &str| facts().fetch.self_contained.iter().find(|known| one.contains(&known.address));
    let all: Option<Vec<_>> = address.split_whitespace().map(known).collect();
    all?.first().copied()
}

/// What becomes of a path behind a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Later {
    Stays,
    Gone,
    Unclear,
}

/// Whether a later command removes `path` or moves it away.
fn later(draft: &Draft, index: usize, command: &Classified, path: &str) -> Later {
    let behind = draft.steps.iter().skip(index).flat_map(|s| s.commands()).filter(|c| c.span.start > command.span.start);
    let mut found = Later::Stays;
    for other in behind.filter(|c| matches!(c.program(), Some("rm" | "mv" | "rmdir" | "unlink"))) {
        let words: Vec<&ShellWord> = other.words.iter().skip(1).filter(|w| !w.raw.starts_with('-')).collect();
        let sources = words.len() - usize::from(other.program() == Some("mv") && !words.is_empty());
        for word in words.into_iter().take(sources) {
            let text = word.literal.as_deref().unwrap_or(&word.raw);
            let text = text.strip_prefix('~').map_or_else(|| text.to_owned(), |rest| format!("/root{rest}"));
            if text.contains(['$', '`', '{']) {
                found = Later::Unclear;
                continue;
            }
            let Some(place) = absolute(other.directory.as_deref(), &text) else {
                found = Later::Unclear;
                continue;
            };
            let ends = path.match_indices('/').skip(1).map(|(at, _)| at).chain([path.len()]);
            if inside(path, &place) || ends.filter_map(|at| path.get(..at)).any(|part| fits(&place, part)) {
                return Later::Gone;
            }
        }
    }
    found
}

fn address(words: &[ShellWord]) -> String {
    let text = words.iter().skip(1).filter(|w| w.raw.contains("://"));
    text.map(|w| w.literal.as_deref().unwrap_or(&w.raw)).collect::<Vec<_>>().join(" ")
}

/// The files that a tool fetches into, as it names them; `None` where they are not known, and where it only prints.
fn destinations(command: &Classified) -> Option<Vec<String>> {
    let (program, words) = command.words.split_first()?;
    let name = program.literal.as_deref()?.rsplit('/').next()?;
    let tool = facts().fetch.tools.iter().find(|t| t.program == name)?;
    let mut words = words.iter();
    let (mut files, mut folder, mut own_name, mut addresses) = (Vec::new(), None, false, Vec::new());
    while let Some(word) = words.next() {
        for (option, attached) in options(tool, word) {
            let is = |known: &[String]| known.contains(&option);
            if is(&tool.unclear) {
                return None;
            }
            own_name |= is(&tool.remote_name);
            if !tool.takes_value(&option) {
                continue;
            }
            let value = match attached {
                Some(value) => Some(value),
                None => words.next().and_then(|w| w.literal.clone()),
            };
            if is(&tool.file) {
                files.push(value?);
            } else if is(&tool.folder) {
                folder = Some(value?);
            }
        }
        if !word.raw.starts_with('-') {
            addresses.push(word);
        }
    }
    if own_name && !files.is_empty() {
        return None;
    }
    let named_itself = files.is_empty() && (own_name || tool.own_name);
    if named_itself {
        files = addresses.iter().map(|word| file_name(word)).collect::<Option<_>>()?;
    }
    let to_output = |f: &String| matches!(f.as_str(), "-" | "/dev/stdout");
    if files.is_empty() || files.iter().any(to_output) || tool.one_file && files.len() > 1 {
        return None;
    }
    // wget leaves the folder out of account where it is told the file.
    let folder = folder.filter(|_| named_itself || !tool.own_name);
    Some(files.into_iter().map(|f| if let Some(folder) = &folder { join(folder, &f) } else { f }).collect())
}

/// The options of a word, each with the value that is attached to it: several short ones can stand together.
fn options(tool: &Fetcher, word: &ShellWord) -> Vec<(String, Option<String>)> {
    let text = word.literal.as_deref().unwrap_or(&word.raw);
    if text.starts_with("--") {
        let (option, value) = text.split_once('=').map_or((text, None), |(o, v)| (o, Some(v.to_owned())));
        return vec![(option.to_owned(), value)];
    }
    let Some(letters) = text.strip_prefix('-') else { return Vec::new() };
    let mut out = Vec::new();
    for (at, letter) in letters.char_indices() {
        let option = format!("-{letter}");
        let rest = letters.get(at + letter.len_utf8()..).unwrap_or_default();
        if tool.takes_value(&option) {
            out.push((option, (!rest.is_empty()).then(|| rest.to_owned())));
            return out;
        }
        out.push((option, None));
    }
    out
}

/// The name that an address ends in; `None` where a variable or a query may change it.
fn file_name(word: &ShellWord) -> Option<String> {
    let text = word.literal.as_deref().unwrap_or_else(|| word.raw.trim_matches(['"', '\'']));
    let (_, path) = text.split_once("://")?;
    let (_, name) = path.rsplit_once('/')?;
    (!name.is_empty() && !name.contains(['$', '?', '#', '`', '"', '\'', '%', '}', ')'])).then(|| name.to_owned())
}
