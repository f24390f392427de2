//! What a RUN finds anew and the rest of one shell would not: the shell itself, the files that the builder puts into every container,
//! the programs that a shell remembers.

use super::gain::path;
use crate::model::command::{Action, Classified, Operation};
use crate::model::{RunFacts, State};

/// What the builder lays over the image for each RUN: what is written there is gone with it.
const RENEWED: &[&str] = &["/etc/hosts", "/etc/hostname", "/etc/resolv.conf"];
/// Folders like that.
const RENEWED_FOLDERS: &[&str] = &["/dev", "/proc", "/sys"];
/// Where devices are that take everything and keep nothing.
const SINKS: &[&str] = &["/dev/null", "/dev/stdout", "/dev/stderr", "/dev/tty", "/dev/console", "/dev/fd", "/dev/full"];

/// What of the RUN `facts` the next one finds in a shell and a container of its own, and would not find in the same.
pub(super) fn lost(facts: &RunFacts, state: &State) -> Option<String> {
    if facts.commands.iter().any(|c| replaces_shell(c, &state.shell)) {
        return Some("puts another program in place of the shell, which is to run what follows".into());
    }
    if facts.commands.iter().any(|c| changes_user(c, state.user.as_deref())) {
        return Some("changes the user of the RUN, whose groups and home count from the next one on".into());
    }
    let paths = facts.commands.iter().flat_map(written);
    let below = |p: &str, folder: &str| crate::model::path::inside(p, folder);
    paths
        .into_iter()
        .find(|p| RENEWED.contains(&p.as_str()) || (RENEWED_FOLDERS.iter().any(|f| below(p, f)) && !SINKS.iter().any(|s| below(p, s))))
        .map(|p| format!("writes `{p}`, which each RUN gets anew from the builder"))
}

/// The paths that a command writes, as far as they are known.
fn written(command: &Classified) -> Vec<String> {
    let of_files = match &command.action {
        Action::File { writes, .. } => writes.as_slice(),
        _ => &[],
    };
    command.writes.iter().chain(of_files).filter_map(|word| path(command, word)).collect()
}

/// `ln -sf bash /bin/sh` and its like.
fn replaces_shell(command: &Classified, shell: &[String]) -> bool {
    let program = shell.first().map_or("/bin/sh", String::as_str);
    let name = program.rsplit('/').next().unwrap_or(program);
    let is_shell =
        |p: &str| p == program || ["/bin", "/usr/bin", "/usr/local/bin"].iter().any(|f| p.strip_prefix(f) == Some(&format!("/{name}")));
    let says = |what: &[&str]| command.words.iter().skip(1).any(|w| what.contains(&w.raw.trim_matches(['"', '\''])));
    match command.program() {
        Some("dpkg-reconfigure") => says(&["dash", "bash"]),
        Some("dpkg-divert" | "update-alternatives" | "alternatives") => says(&["sh", "/bin/sh", "/usr/bin/sh", program]),
        _ => written(command).iter().any(|p| is_shell(p)),
    }
}

/// Whether the account of `user`, whose RUN it is, gets other groups or another home.
fn changes_user(command: &Classified, user: Option<&str>) -> bool {
    let own = |word: &str| match user.map(|u| u.split(':').next().unwrap_or(u)) {
        Some("" | "0" | "root") => word == "root",
        Some(name) => word == name,
        None => true,
    };
    let operands: Vec<&str> = command.words.iter().skip(1).map(|w| w.raw.as_str()).filter(|w| !w.starts_with('-')).collect();
    match command.program() {
        Some("usermod") => operands.last().is_some_and(|w| own(w)),
        Some("adduser" | "addgroup") => matches!(operands.as_slice(), [user, _] if own(user)),
        Some("gpasswd") => operands.first().is_some_and(|w| own(w)),
        Some("sed") => written(command).iter().any(|p| matches!(p.as_str(), "/etc/passwd" | "/etc/group")),
        _ => false,
    }
}

/// A program that the RUNs `before` both run and install anew, and that `after` runs again: a shell remembers where it found it.
pub(super) fn replaced_program(before: &[&RunFacts], after: &RunFacts) -> Option<String> {
    let runs = |facts: &RunFacts, name: &str| {
        facts.commands.iter().any(|c| c.program().is_some_and(|p| p == name || name.strip_suffix('r') == Some(p)))
    };
    let both = |name: &str| !name.is_empty() && runs(after, name) && before.iter().any(|f| runs(f, name));
    before.iter().flat_map(|f| &f.commands).flat_map(installed).find(|name| both(name))
}

/// The names of the programs that a command may put where others of the same name are found later.
fn installed(command: &Classified) -> Vec<String> {
    match &command.action {
        Action::Language { manager, operation: Operation::Install, .. } if manager == "get-pip" => vec!["pip".to_owned()],
        Action::Language { operation: Operation::Install, packages, .. } => {
            let name = |raw: &str| raw.trim_matches(['"', '\'']).split(['=', '<', '>', '~', '@', '[']).next().unwrap_or("").to_owned();
            packages.iter().map(|p| name(&p.raw)).collect()
        }
        Action::Setup { of } if of == "node" => ["node", "npm", "npx"].map(str::to_owned).to_vec(),
        Action::Setup { of } if of == "pip" => vec!["pip".to_owned()],
        _ => Vec::new(),
    }
}
