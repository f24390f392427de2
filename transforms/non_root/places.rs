//! What has to belong to the program's user: the directories that it writes to, and files that only their owner may use.

use crate::model::command::{Action, Classified};
use crate::model::{Base, Step, Value};
use crate::syntax::View;

use super::account::{Account, Tools};
use super::facts::{facts, within};
use super::home::home_set;
use super::sources::{Sources, tells_of_state, variable};
use super::start::{Objection, Start, Write};
use super::state;
use super::subject::{Subject, absolute, filled, located, normal, resolve};

/// The directories and files.
#[derive(Debug, Default)]
pub struct Places {
    /// The directories, without those that lie in one that is given as a whole.
    pub writes: Vec<Write>,
    /// Files that only their owner may read or run, with the line that says so.
    pub files: Vec<(String, usize)>,
}

/// Finds them.
///
/// # Errors
/// Where the program writes what must stay root's, or where nobody can say.
pub fn find(subject: &Subject, start: &Start, sources: &Sources, account: &Account) -> Result<Places, Objection> {
    let line = start.line;
    let workdir = subject.workdir();
    let mut all: Vec<Write> = start.writes.clone();
    all.extend(sources.writes.iter().cloned());
    environment(subject, &mut all);
    volumes(subject, &mut all)?;
    made(subject, start, sources, workdir.as_deref(), &mut all);
    cloned(subject, start, workdir.as_deref())?;
    if let Some(home) = &account.missing_home {
        all.push(Write::new(home.clone(), "it is the user's home", false));
    }
    if let Some((home, line)) = home_set(subject) {
        if within(&home, "/root") {
            return Err(Objection { reason: "HOME is /root, which only root can enter".into(), line });
        }
        all.push(Write::new(normal(&home), "HOME names it", false));
    }
    if let Some(file) = &sources.home
        && account.home.is_none()
        && account.missing_home.is_none()
        && home_set(subject).is_none()
    {
        return Err(Objection { reason: format!("{file} uses the home directory, and {} has none", account.without_home()), line });
    }
    if !sources.complete {
        let statically = matches!(subject.base(), Some(Base::Scratch)) || account.tools == Tools::Nothing;
        match workdir.as_deref() {
            _ if statically => {}
            Some(dir) if !facts().root.paths.is_closed(dir) => {
                all.push(Write::new(dir.to_owned(), "the context is unknown, and programs write beside themselves", false));
            }
            Some(dir) => {
                let reason = format!("context unknown: whether the program writes files into {dir}, its working directory");
                return Err(Objection { reason, line });
            }
            None => return Err(Objection { reason: "the working directory is not known before the build".into(), line }),
        }
    }
    let paths = &facts().root.paths;
    let beside = match workdir.as_deref().filter(|dir| !paths.is_closed(dir)) {
        Some(dir) => vec![dir.to_owned()],
        None => project_folders(subject),
    };
    if let Some(what) = start.unplaced.as_ref().filter(|_| beside.is_empty()) {
        return Err(Objection { reason: what.clone(), line });
    }
    if account.tools != Tools::Nothing && (has_libraries(subject) || start.unplaced.is_some()) {
        let why = start.unplaced.as_deref().unwrap_or("libraries write beside the program, too");
        all.extend(beside.into_iter().map(|directory| Write { needed: start.unplaced.is_some(), ..Write::new(directory, why, false) }));
    }
    let mut kept: Vec<Write> = Vec::new();
    for write in all {
        let at_home = account.home.as_deref().is_some_and(|h| within(&write.directory, h) && !made_by_root(subject, &write.directory, h));
        if paths.is_open(&write.directory) || at_home {
            continue;
        }
        if paths.is_closed(&write.directory) {
            if write.certain || workdir.as_deref() == Some(write.directory.as_str()) {
                return Err(Objection { reason: format!("{}, and {} stays root's", write.why, write.directory), line });
            }
            continue;
        }
        if !kept.iter().any(|k| k.directory == write.directory) {
            kept.push(write);
        }
    }
    kept.sort_by(|a, b| a.directory.cmp(&b.directory));
    Ok(Places { writes: kept, files: closed_files(subject, start) })
}

/// The folders of the context that COPYs bring into folders of the image that may be given away.
fn project_folders(subject: &Subject) -> Vec<String> {
    let folder = |(_, step): (usize, &Step)| {
        let View::Copy { from: None, sources, destination, .. } = &step.view else { return None };
        let brings = |word: &str| {
            let source = resolve(word, &step.before).map(|s| normal(&format!("/{s}")));
            source.is_some_and(|s| subject.project.is_dir(s.trim_start_matches('/')) == Some(true))
        };
        let target = located(&destination.text, step)?;
        (sources.iter().any(|s| brings(&s.text)) && !facts().root.paths.is_closed(&target)).then_some(target)
    };
    subject.own_steps().filter_map(folder).collect()
}

/// Whether the program is made of more than the sources in the context: what libraries write can't be read there.
fn has_libraries(subject: &Subject) -> bool {
    let installs = |c: &Classified| matches!(c.action, Action::Language { .. } | Action::Build { .. });
    subject.model.steps.iter().any(|s| s.commands().iter().any(installs))
}

/// Whether the file makes `directory`, or a folder above it, below a home that the image brings: whoever owns the home, that is root's.
fn made_by_root(subject: &Subject, directory: &str, home: &str) -> bool {
    let own = |path: &str| path != home && within(path, home) && within(directory, path);
    subject.steps().any(|(_, step)| match filled(step) {
        Some(word) => located(word, step).is_some_and(|p| own(&p)),
        None => makes(step).iter().any(|(_, p)| own(p)),
    })
}

/// ENV values that name places to write to.
fn environment(subject: &Subject, all: &mut Vec<Write>) {
    let workdir = subject.workdir().unwrap_or_else(|| "/".into());
    for (_, step) in subject.steps() {
        let View::Env { pairs, .. } = &step.view else { continue };
        for pair in pairs {
            let Some((_, Value::Known(value))) = subject.stage().and_then(|s| s.end.env.iter().rev().find(|(n, _)| *n == pair.name.text))
            else {
                continue;
            };
            let why = format!("line {}: {} names it", step.line, pair.name.text);
            let mut add = |directory, certain| all.push(Write::new(directory, why.as_str(), certain));
            if let Some(directory) = variable(&pair.name.text, value, &workdir) {
                add(directory, false);
            }
            if !facts().writes.names.installed.contains(&pair.name.text) {
                state::places(value, true).into_iter().for_each(|directory| add(directory, true));
            }
        }
    }
}

fn volumes(subject: &Subject, all: &mut Vec<Write>) -> Result<(), Objection> {
    for (_, step) in subject.steps() {
        let View::Volume { paths } = &step.view else { continue };
        for path in paths {
            let Some(path) = located(&path.text, step) else { continue };
            if path.ends_with(".sock")
                || within(&path, "/dev") && !within(&path, "/dev/shm")
                || within(&path, "/sys")
                || within(&path, "/proc")
            {
                let reason = format!("VOLUME {path} is a socket or a device of the host, which root owns");
                return Err(Objection { reason, line: step.line });
            }
            if within(&path, "/root") {
                return Err(Objection { reason: format!("VOLUME {path} lies in /root, which only root can enter"), line: step.line });
            }
            all.push(Write::new(path, format!("line {}: it is a VOLUME", step.line), true));
        }
    }
    Ok(())
}

/// A program whose sources are fetched while the image is built may write anywhere among them.
fn cloned(subject: &Subject, start: &Start, workdir: Option<&str>) -> Result<(), Objection> {
    for command in subject.steps().filter_map(|(_, s)| s.run.as_ref()).flat_map(|r| &r.commands) {
        let words = command.texts();
        let ["git", rest @ ..] = words.as_slice() else { continue };
        let named: Vec<&str> = rest.iter().skip_while(|w| **w != "clone").skip(1).filter(|w| !w.starts_with('-')).copied().collect();
        let Some(url) = named.iter().position(|w| w.contains(':')) else { continue };
        let last = named.get(url).and_then(|u| u.trim_end_matches('/').trim_end_matches(".git").rsplit(['/', ':']).next()).unwrap_or("");
        let Some(folder) = absolute(named.get(url + 1).unwrap_or(&last), command.directory.as_deref()) else { continue };
        if folder != "/" && (workdir.is_some_and(|w| within(w, &folder)) || start.files.iter().any(|f| within(f, &folder))) {
            let reason = format!("the program lies in {folder}, which is cloned here, and what it writes there is not known");
            return Err(Objection { reason, line: command.line });
        }
    }
    Ok(())
}

/// Directories that RUN makes: those whose names tell of state, those that the environment, what starts, or a source names, and where
/// the sources can't be read, whatever lies beside the program.
fn made(subject: &Subject, start: &Start, sources: &Sources, workdir: Option<&str>, all: &mut Vec<Write>) {
    let beside = |path: &str| !sources.complete && workdir.is_some_and(|w| w != "/" && path != w && within(path, w));
    for (_, step) in subject.steps() {
        for (command, path) in makes(step) {
            let of_system = within(&path, "/etc") || within(&path, "/usr");
            if tells_of_state(&path) || beside(&path) || !of_system && !fills(subject, &path) && named(subject, start, &path) {
                let why = format!("line {} makes it", command.line);
                all.push(Write::new(path, why, false));
            }
        }
    }
}

/// Whether a COPY or WORKDIR of the file is about `path` or what lies below it.
fn fills(subject: &Subject, path: &str) -> bool {
    let below = |word: &str, step: &Step| located(word, step).is_none_or(|p| within(&p, path));
    subject.steps().any(|(_, step)| filled(step).is_some_and(|word| below(word, step)))
}

/// Whether the environment or what starts names the directory.
fn named(subject: &Subject, start: &Start, path: &str) -> bool {
    let is = |text: &str| {
        text.match_indices(path).any(|(at, _)| {
            let next = text.get(at + path.len()..).and_then(|rest| rest.chars().next());
            next.is_none_or(|c| matches!(c, '/' | ':' | ' ' | '"' | '\''))
        })
    };
    subject.stage().is_some_and(|s| s.end.env.iter().any(|(n, v)| n != "PATH" && matches!(v, Value::Known(v) if is(v))))
        || start.programs.iter().flatten().any(|word| is(word))
}

/// The directories that a step makes by `mkdir` or `install -d`, with the command.
pub fn makes(step: &Step) -> Vec<(&Classified, String)> {
    let Some(run) = &step.run else { return Vec::new() };
    let mut out = Vec::new();
    for command in &run.commands {
        let words = command.texts();
        let program = words.first().copied().unwrap_or("");
        if program != "mkdir" && !(program == "install" && words.contains(&"-d")) {
            continue;
        }
        let mut skip = false;
        for word in words.iter().skip(1) {
            if std::mem::take(&mut skip) {
                continue;
            }
            if word.starts_with('-') {
                skip = matches!(*word, "-m" | "-o" | "-g" | "--mode")
                    || word.starts_with('-') && !word.starts_with("--") && word.ends_with('m');
                continue;
            }
            for word in braces(word) {
                let word = if word.contains('$') { resolve(&word, &step.before) } else { Some(word) };
                if let Some(path) = word.and_then(|w| absolute(&w, command.directory.as_deref())) {
                    out.push((command, path));
                }
            }
        }
    }
    out
}

/// `a/{b,c}` is two words, one level deep.
fn braces(word: &str) -> Vec<String> {
    let Some((head, rest)) = word.split_once('{').filter(|(h, _)| !h.ends_with('$')) else { return vec![word.to_owned()] };
    let Some((inner, tail)) = rest.split_once('}') else { return vec![word.to_owned()] };
    inner.split(',').map(|i| format!("{head}{i}{tail}")).collect()
}

/// Files that only their owner may use: `chmod 700`, `chmod u+x` on what runs, ADD from a URL (mode 600).
fn closed_files(subject: &Subject, start: &Start) -> Vec<(String, usize)> {
    let mut out = Vec::new();
    for (_, step) in subject.steps() {
        if let View::Copy { add: true, sources, destination, .. } = &step.view
            && sources.iter().any(|s| crate::context::is_remote(&s.text))
            && !step.reading.flags.iter().any(|f| f.name == "chmod" || f.name == "chown")
            && let Some(path) = located(&destination.text, step)
        {
            out.push((path, step.line));
        }
        for command in step.commands() {
            let words = command.texts();
            if let Some(key) = private_key(&words).and_then(|k| absolute(k, command.directory.as_deref())) {
                out.push((key, command.line));
            }
            if words.first() != Some(&"chmod") {
                continue;
            }
            let mut rest = words.iter().skip(1).filter(|w| !w.starts_with('-') || w.len() > 2 && w.contains(['r', 'w', 'x']));
            let Some(mode) = rest.next() else { continue };
            for word in rest {
                let Some(path) = absolute(word, command.directory.as_deref()) else { continue };
                let runs = start.files.contains(&path);
                if closes(mode, runs) && !command.action.is_unforeseen() {
                    out.push((path, command.line));
                }
            }
        }
    }
    out
}

/// The file into which a command puts a private key, which its owner alone may read then.
/// Source: openssl-req(1), openssl-genrsa(1), openssl-genpkey(1) since 1.1.1; ssh-keygen(1).
fn private_key<'w>(words: &[&'w str]) -> Option<&'w str> {
    let behind = |option: &str| words.iter().position(|w| *w == option).and_then(|at| words.get(at + 1)).copied();
    match words {
        ["openssl", "genrsa" | "genpkey" | "ecparam", ..] => behind("-out"),
        ["openssl", ..] => behind("-keyout"),
        ["ssh-keygen", ..] => behind("-f"),
        _ => None,
    }
}

/// Whether a mode leaves nothing to others that they need.
fn closes(mode: &str, runs: bool) -> bool {
    if let Some(last) = mode.chars().last().filter(|_| mode.chars().all(|c| c.is_digit(8))) {
        let last = last.to_digit(8).unwrap_or(7);
        return last & 4 == 0 || (runs && last & 1 == 0);
    }
    mode.split(',').any(|part| {
        let who = part.split(['+', '-', '=']).next().unwrap_or("");
        (part.contains('+') && part.contains('x') && runs && who == "u")
            || (part.contains('-') && part.contains('r') && who.contains('o'))
            || part == "go="
            || part == "o="
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes() {
        assert!(closes("700", false) && closes("u+x", true) && closes("744", true) && closes("o-rwx", false) && closes("600", false));
        assert!(!closes("755", true) && !closes("+x", true) && !closes("u+x", false) && !closes("a+x", true) && !closes("0644", false));
    }

    #[test]
    fn brace_lists() {
        assert_eq!(braces("/a/{b,c}/d"), ["/a/b/d", "/a/c/d"]);
        assert_eq!(braces("${X}/y"), ["${X}/y"]);
    }
}
