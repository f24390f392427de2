//! Scripts of others that a RUN fetches and starts: what they do is known by the address that they come from.

use super::super::tools::Tools;
use super::walk::program_name;
use super::{Action, Classified};
use crate::shell::ShellWord;

/// A script that was fetched into a file.
#[derive(Clone, Debug)]
pub(super) struct Fetched {
    /// Its name without the folder.
    name: String,
    /// What it sets up.
    of: &'static str,
}

impl Fetched {
    /// The script that `command` fetches into a file, if it is known what that sets up.
    pub(super) fn by(command: &Classified) -> Option<Self> {
        let of = piped(command)?;
        let name = file(command).filter(|n| !n.is_empty() && !n.contains(['$', '`', '*', '?']))?;
        Some(Self { name, of })
    }
}

/// What the script sets up that `command` fetches, wherever it puts it.
pub(super) fn piped(command: &Classified) -> Option<&'static str> {
    if command.action == Action::Download {
        return command.words.iter().skip(1).find_map(|w| Tools::built_in().installer(text(w)));
    }
    inline(&command.words)
}

/// What `words` set up: an interpreter that reads what was piped into it, or that runs a script that was fetched; or such a script.
pub(super) fn action(words: &[ShellWord], piped: Option<&'static str>, fetched: &[Fetched]) -> Option<Action> {
    let interprets = program_name(words).is_some_and(|p| INTERPRETERS.contains(&p));
    let started = |word: &ShellWord| fetched.iter().rev().find(|f| f.name == name(text(word))).map(|f| f.of);
    let of = if interprets {
        let rest = words.get(1..).unwrap_or_default();
        let operand = rest.iter().find(|w| !w.raw.starts_with('-'));
        match piped.filter(|_| reads_input(rest)) {
            Some(of) => Some(of),
            None => operand.and_then(started).or_else(|| inline(words)),
        }
    } else {
        words.first().filter(|w| w.raw.contains('/')).and_then(started)
    };
    of.map(|of| Action::Setup { of: of.to_owned() })
}

const INTERPRETERS: &[&str] = &["sh", "bash", "dash", "ash", "zsh", "php", "python", "perl", "ruby", "node"];

/// Whether an interpreter with these arguments runs what it reads.
fn reads_input(arguments: &[ShellWord]) -> bool {
    match arguments.first().map(|w| w.raw.as_str()) {
        None | Some("-" | "--" | "/dev/stdin") => true,
        Some(option) if option.starts_with("-s") => true,
        Some(option) => option.starts_with('-') && arguments.iter().all(|w| w.raw.starts_with('-')),
    }
}

/// The script at the address in `sh -c "$(curl ADDRESS)"` or `php -r "copy('ADDRESS', ...);"`.
fn inline(words: &[ShellWord]) -> Option<&'static str> {
    program_name(words).filter(|p| INTERPRETERS.contains(p))?;
    let at = words.iter().position(|w| matches!(w.raw.as_str(), "-c" | "-r" | "-e"))?;
    let code = words.get(at + 1)?.raw.as_str();
    let start = code.find("https://").or_else(|| code.find("http://"))?;
    let address = code.get(start..)?;
    Tools::built_in().installer(address.get(..address.find([' ', '\t', '\n', '"', '\'', '`', ')', ';'])?)?)
}

/// The name of the file into which a download goes.
fn file(command: &Classified) -> Option<String> {
    if let Some(word) = command.writes.first() {
        return Some(name(text(word)).to_owned());
    }
    if command.action != Action::Download {
        // `php -r "copy('ADDRESS', 'FILE');"`
        let code = command.words.iter().map(|w| w.raw.as_str()).find(|w| w.contains("copy("))?;
        let mut quoted = code.split('\'').skip(1).step_by(2);
        return quoted.nth(1).map(|f| name(f).to_owned());
    }
    let curl = command.program() == Some("curl");
    let (says, own) = if curl { ('o', 'O') } else { ('O', '\0') };
    for (index, word) in command.words.iter().enumerate().skip(1) {
        let raw = word.raw.as_str();
        let cluster = raw.starts_with('-') && !raw.starts_with("--");
        if matches!(raw, "--output" | "--output-document") || (cluster && raw.ends_with(says)) {
            return command.words.get(index + 1).map(|w| name(text(w)).to_owned());
        }
        if let Some((_, value)) = raw.split_once('=').filter(|(o, _)| matches!(*o, "--output" | "--output-document")) {
            return Some(name(value).to_owned());
        }
        if raw == "--remote-name" || (cluster && raw.ends_with(own)) {
            break;
        }
    }
    let address = command.words.iter().skip(1).map(text).find(|t| Tools::built_in().installer(t).is_some())?;
    Some(name(address).to_owned())
}

fn text(word: &ShellWord) -> &str {
    word.literal.as_deref().unwrap_or_else(|| word.raw.trim_matches(['"', '\'']))
}

fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
