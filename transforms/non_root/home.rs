//! What lies in root's home, which another user can't enter (its mode is 700).

use crate::model::{State, Step};
use crate::syntax::{Keyword, View};

use super::facts::facts;
use super::start::Objection;
use super::subject::{Origin, Subject, join, located, resolve};
use crate::transforms::home_downloads::fetched;

/// The first thing of the final image that needs root's home.
pub fn objection(subject: &Subject) -> Option<Objection> {
    let unread = subject.steps().any(|(_, step)| runs_unread(step));
    subject.steps().find_map(|(_, step)| of(step, unread).or_else(|| downloads(subject, step)))
}

/// What a package puts into the home when it is installed.
fn downloads(subject: &Subject, step: &Step) -> Option<Objection> {
    let home = variable(&step.before, "HOME").unwrap_or_else(|| "/root".to_owned());
    let model = subject.model;
    step.commands().iter().find_map(|command| {
        let manifest = command.directory.as_deref().and_then(|d| subject.origin(&join(d, "package.json")));
        let folder = match &manifest {
            Some(Origin::Context(path, _)) => Some(path.rsplit_once('/').map_or(".", |(above, _)| above)),
            _ => None,
        };
        let found = fetched(model.catalog, model.context, step, command, folder)?;
        let path = found.folder(&home).filter(|path| in_root(path))?;
        let reason = format!("{} puts what it fetches into {path}, which only root can enter", found.package);
        Some(Objection { reason, line: command.line })
    })
}

/// Whether a RUN does what can't be read here: another script, a program that is not known.
fn runs_unread(step: &Step) -> bool {
    let Some(run) = &step.run else { return step.keyword == Keyword::Run };
    run.script.is_none()
        || run.commands.iter().any(|c| {
            let program = c.words.first().and_then(|w| w.literal.as_deref()).map(|p| p.rsplit('/').next().unwrap_or(p));
            c.action.is_unforeseen() || matches!(program, Some("sh" | "bash" | "ash" | "dash" | "." | "source"))
        })
}

fn of(step: &Step, unread: bool) -> Option<Objection> {
    let line = step.line;
    let object = |what: String| Some(Objection { reason: format!("{what} lies in /root, which only root can enter"), line });
    match &step.view {
        View::Env { pairs, .. } => pairs.iter().find_map(|p| {
            let value = p.value.as_ref()?;
            let text = resolve(&value.text, &step.before).unwrap_or_else(|| value.text.clone());
            // A folder of PATH that can't be entered is passed over; what was put there is found at the step that does it, if
            // all steps can be read.
            (names_root(&text) && (unread || p.name.text != "PATH")).then(|| object(format!("what {} names", p.name.text))).flatten()
        }),
        View::Workdir { path } => {
            let path = located(&path.text, step)?;
            if in_root(&path) { object(format!("the working directory {path}")) } else { None }
        }
        View::Copy { destination, .. } => {
            let path = located(&destination.text, step)?;
            if in_root(&path) { object(format!("what is copied to {path}")) } else { None }
        }
        View::Run { .. } => run(step),
        _ => None,
    }
}

fn run(step: &Step) -> Option<Objection> {
    let text = step.reading.args.join(" ");
    let home = variable(&step.before, "HOME").unwrap_or_else(|| "/root".to_owned());
    let mine = in_root(&home);
    for tool in &facts().root.homes {
        let moved = variable(&step.before, &tool.variable).is_some_and(|v| !in_root(&v)) || text.contains(&format!("{}=/", tool.variable));
        if mine && !moved && tool.any.iter().any(|t| text.contains(t.as_str())) {
            let reason = format!("{} puts its files into /root, which only root can enter", tool.what);
            return Some(Objection { reason, line: step.line });
        }
    }
    let Some(run) = step.run.as_ref().filter(|r| r.script.is_some()) else {
        let reason = "a RUN that is not understood names /root, which only root can enter".to_owned();
        return names_root(&text).then_some(Objection { reason, line: step.line });
    };
    for command in &run.commands {
        let Some(program) = command.words.first().map(|w| w.literal.as_deref().unwrap_or(&w.raw)) else { continue };
        // Nothing of these is needed when the program runs.
        if matches!(program, "rm" | "echo" | "git" | "cd" | "ls" | "cat" | "du" | "find" | "chmod" | "ssh-keyscan" | "test" | "[")
            && command.writes.is_empty()
        {
            continue;
        }
        let words = command.words.iter().skip(1).chain(&command.writes);
        for word in words {
            let raw = word.raw.as_str();
            let path = word.literal.as_deref().unwrap_or(raw);
            let tilde = raw.starts_with("~/") || raw == "~" || raw.contains("$HOME") || raw.contains("${HOME}");
            if (names_root(path) || (mine && tilde)) && !temporary(path) {
                let reason = format!("{program} puts {raw} into /root, which only root can enter");
                return Some(Objection { reason, line: command.line });
            }
        }
    }
    None
}

/// Caches and settings of package managers in root's home that only builds use.
fn temporary(path: &str) -> bool {
    const BUILD: &[&str] = &[
        ".npmrc",
        ".netrc",
        ".ssh",
        ".gitconfig",
        ".cache/pip",
        ".npm",
        ".m2",
        ".gradle",
        ".pip",
        ".yarnrc",
        ".gem",
        ".bundle",
        ".composer",
        ".nuget",
        ".cache/yarn",
        ".cache/go-build",
        ".curlrc",
        ".wgetrc",
        ".gnupg",
    ];
    let rest = path.trim_start_matches("~/").trim_start_matches("/root/").trim_start_matches("$HOME/").trim_start_matches("${HOME}/");
    BUILD.iter().any(|b| rest == *b || rest.starts_with(&format!("{b}/")))
}

fn variable(state: &State, name: &str) -> Option<String> {
    state.known_variable(name).map(str::to_owned)
}

fn in_root(path: &str) -> bool {
    super::facts::within(path, "/root")
}

/// Whether a value names root's home as a path.
fn names_root(value: &str) -> bool {
    value.match_indices("/root").any(|(at, found)| {
        let before = value.get(..at).unwrap_or("");
        let after = value.get(at + found.len()..).unwrap_or("");
        !before.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '/' | '}'))
            && (after.is_empty() || after.starts_with(['/', ':', '"', '\'', ' ', ',', ';']))
    })
}

/// Whether the file sets HOME, and to what.
pub fn home_set(subject: &Subject) -> Option<(String, usize)> {
    subject.steps().rev().filter(|(_, s)| s.keyword == Keyword::Env).find_map(|(_, step)| {
        let View::Env { pairs, .. } = &step.view else { return None };
        let pair = pairs.iter().rev().find(|p| p.name.text == "HOME")?;
        Some((resolve(&pair.value.as_ref()?.text, &step.before)?, step.line))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_in_values() {
        assert!(names_root("/root/.local/bin:/usr/bin"));
        assert!(names_root("/usr/bin:/root/bin"));
        assert!(!names_root("/rootfs/x") && !names_root("/srv/root/x") && !names_root("$X/root"));
        assert!(temporary("/root/.npmrc") && temporary("~/.ssh/id_rsa") && !temporary("/root/.local"));
    }
}
