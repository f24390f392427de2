//! What each RUN is for: building, running, or both.

use super::draft::{Draft, absolute, inside, refuse};
use super::facts::facts;
use super::language::{At, Planner};
use super::plan::{Package, Plan};
use crate::model::command::{Action, Classified, Operation};
use crate::syntax::{Form, Keyword};
use crate::transforms::Refusal;

/// What a command means for the split.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Leaves nothing that either stage misses.
    Neutral,
    /// Belongs to the builder.
    Build,
    /// Belongs to the image that ships; the paths that it touches.
    Runtime(Vec<String>),
    /// Removes what only a build left behind, at these paths: the image that ships never had it.
    Removal(Vec<String>),
    /// Not understood: the reason.
    Unknown(String),
}

/// Folders that no application owns: a build that runs there writes who knows what.
const SYSTEM_FOLDERS: &[&str] = &[
    "/",
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/home",
    "/lib",
    "/lib64",
    "/opt",
    "/proc",
    "/root",
    "/run",
    "/sbin",
    "/sys",
    "/tmp",
    "/usr",
    "/usr/bin",
    "/usr/lib",
    "/usr/local",
    "/usr/local/bin",
    "/usr/local/lib",
    "/usr/sbin",
    "/usr/share",
    "/var",
    "/var/lib",
    "/var/log",
    "/var/www",
    "/go",
];

/// Whether an application can own `folder`.
pub(super) fn is_system_folder(folder: &str) -> bool {
    SYSTEM_FOLDERS.contains(&folder)
}

/// The role of every command of every RUN, in order.
pub(super) struct Roles {
    /// For each step, its commands' roles; empty for what is no RUN.
    pub of: Vec<Vec<Role>>,
}

/// Reads the roles of all RUNs. The language says what its own commands build, and notes snapshots and artifacts in the plan.
pub(super) fn read(draft: &Draft, language: &mut dyn Planner, plan: &mut Plan) -> Result<Roles, Refusal> {
    let mut of = Vec::new();
    for (index, step) in draft.steps.iter().enumerate() {
        if step.keyword != Keyword::Run {
            of.push(Vec::new());
            continue;
        }
        let understood = |r: &&crate::model::RunFacts| r.script.is_some() || step.reading.form == Form::Exec && !r.commands.is_empty();
        let Some(facts) = step.run.as_ref().filter(understood) else {
            return refuse(step.line, "what this RUN does is not understood, so it can't be told which stage needs it");
        };
        let mut roles = Vec::new();
        for command in &facts.commands {
            let command = command.with_values(&|name| draft.variable(step, name));
            // Elsewhere the folder that it is started in is taken over, and what it builds may lie beside that of its option.
            let command = &if language.compiled() { sent_elsewhere(command) } else { command };
            let role = match language.role(&At { draft, index, step, command }, plan)? {
                Some(role) => role,
                None => general(draft, plan, index, command, language.compiled())?,
            };
            if let Role::Unknown(reason) = role {
                return refuse(command.line, reason);
            }
            roles.push(role);
        }
        of.push(roles);
    }
    Ok(Roles { of })
}

/// The command in the folder that its own option sends it to: `make -C sub`.
fn sent_elsewhere(mut command: Classified) -> Classified {
    let makes = matches!(command.program(), Some("make" | "gmake"));
    let words = command.texts();
    let separate = words.iter().position(|w| matches!(*w, "-C" | "--directory")).and_then(|at| words.get(at + 1).copied());
    let attached = words.iter().find_map(|w| w.strip_prefix("-C").or_else(|| w.strip_prefix("--directory="))).filter(|f| !f.is_empty());
    if let Some(folder) = separate.or(attached).filter(|_| makes) {
        command.directory = absolute(command.directory.as_deref(), folder).filter(|_| !folder.contains('$'));
    }
    command
}

/// Whether a command only sets up the system that it runs on, with no effect that a copy would carry.
pub(super) fn configures_system(command: &Classified) -> bool {
    let program = command.words.first().map(|w| w.raw.rsplit('/').next().unwrap_or(&w.raw)).unwrap_or_default();
    facts().system_commands.iter().any(|c| c == program)
}

/// The folder that a build command runs in, which is taken over whole for what it writes there.
pub(super) fn own_folder(command: &Classified) -> Result<String, Refusal> {
    match command.directory.as_deref() {
        Some(folder) => of_the_project(command, folder).map(|()| folder.to_owned()),
        None => refuse(command.line, format!("`{}` runs in a folder that is not known", named(command))),
    }
}

/// Refuses a build command that runs in a folder of the system.
pub(super) fn of_the_project(command: &Classified, folder: &str) -> Result<(), Refusal> {
    if is_system_folder(folder) {
        return refuse(command.line, format!("`{}` runs in `{folder}`, which holds more than the project", named(command)));
    }
    Ok(())
}

/// The value of one of the options `names`, in the next word or behind `=`.
pub(super) fn value_of<'a>(words: &[&'a str], names: &[&str]) -> Option<&'a str> {
    words.iter().enumerate().find_map(|(at, word)| {
        let (option, value) = word.split_once('=').map_or((*word, None), |(o, v)| (o, Some(v)));
        names.contains(&option).then(|| value.or_else(|| words.get(at + 1).copied())).flatten()
    })
}

/// The command as one would name it in a sentence.
pub(super) fn named(command: &Classified) -> String {
    let words: Vec<&str> = command.words.iter().take(4).map(|w| w.raw.as_str()).collect();
    words.join(" ")
}

fn general(draft: &Draft, plan: &mut Plan, index: usize, command: &Classified, compiled: bool) -> Result<Role, Refusal> {
    if let Some(role) = super::assets::role(draft, plan, index, command, compiled)? {
        return Ok(role);
    }
    if let Some(role) = super::fetched::role(draft, plan, index, command, compiled) {
        return Ok(role);
    }
    let folder = command.directory.as_deref();
    let role = match &command.action {
        Action::System { operation: Operation::Install, packages, .. } => {
            // One of two branches may name what the distribution does not have.
            let certain = || draft.steps.iter().flat_map(|s| s.commands()).filter(|c| !c.conditional);
            let elsewhere = |name: &str| {
                certain().any(|c| matches!(&c.action, Action::System { operation: Operation::Install, packages, .. } if packages.iter().any(|p| p.raw == name)))
            };
            if let Some(word) = packages.iter().find(|p| command.conditional && !elsewhere(&p.raw)) {
                return refuse(
                    command.line,
                    format!("`{}` may be skipped, so whether `{}` is in the image is not known before the build", named(command), word.raw),
                );
            }
            for word in packages {
                let Some(name) = &word.literal else {
                    return refuse(
                        command.line,
                        format!("the package `{}` is named by a variable, so it can't be told whether the program needs it", word.raw),
                    );
                };
                system_package(draft, plan, index, command, name)?;
            }
            installing_environment(plan, command)?;
            Role::Build
        }
        Action::System { operation: Operation::Update | Operation::Clean | Operation::Remove, .. } => Role::Build,
        Action::System { operation: Operation::Upgrade, packages, .. }
            if !packages.is_empty() || command.words.iter().any(|w| w.raw == "-o") =>
        {
            Role::Unknown(format!("`{}` upgrades in a way of its own; give it a RUN behind the installations", named(command)))
        }
        Action::System { operation: Operation::Upgrade, .. } => {
            installing_environment(plan, command)?;
            let verbs = ["upgrade", "dist-upgrade", "full-upgrade"];
            let verb = command.words.iter().find(|w| verbs.contains(&w.raw.as_str())).map_or("upgrade", |w| w.raw.as_str());
            plan.upgrade.get_or_insert((verb.to_owned(), index));
            Role::Build
        }
        Action::System { .. } => Role::Runtime(Vec::new()),
        Action::Clean | Action::Test => Role::Neutral,
        Action::Shell => match written(command, folder) {
            Ok(paths) if paths.is_empty() => Role::Neutral,
            Ok(paths) => Role::Runtime(paths),
            Err(reason) => Role::Unknown(reason),
        },
        Action::User => Role::Runtime(Vec::new()),
        Action::File { .. } => match written(command, folder) {
            // WORKDIR makes its folder in both stages.
            Ok(paths) if !fills(command) && !sets_mode(command) && paths.iter().all(|p| draft.is_workdir(p)) => Role::Neutral,
            // But there its owner is root, who may not be whom the program runs as.
            Ok(paths) if sets_mode(command) && paths.iter().any(|p| draft.is_workdir(p)) => Role::Runtime(paths),
            Ok(paths) if removes(command) && paths.iter().all(|p| is_built(draft, p)) => Role::Removal(paths),
            Ok(paths) if unpacks(command) && reads_builds(draft, command) => match paths.iter().find(|p| is_system_folder(p)) {
                Some(folder) => Role::Unknown(format!(
                    "`{}` unpacks into `{folder}`, among other files; copy what it leaves there by hand",
                    named(command)
                )),
                None => {
                    for path in &paths {
                        plan.artifact(path, index);
                    }
                    Role::Build
                }
            },
            // A COPY would follow a link that it is told by name; whether in a folder that is taken over or made anew, it stays one.
            Ok(paths) if !compiled && links(command) => Role::Runtime(targets(draft, command, &paths).unwrap_or(paths)),
            Ok(paths) if copies_files(command) && (reads_builds(draft, command) || compiled && reads_project(draft, command)) => {
                match targets(draft, command, &paths) {
                    Some(targets) => {
                        targets.iter().for_each(|path| plan.artifact(path, index));
                        Role::Build
                    }
                    None => Role::Unknown(format!("`{}` puts files among those of the system; name them", named(command))),
                }
            }
            // The mode and the owner of what is taken over come along.
            Ok(paths) if !paths.is_empty() && paths.iter().all(|p| plan.artifacts.iter().any(|a| a.path == *p)) => Role::Build,
            // A COPY makes the folders above anew, as root's.
            Ok(paths)
                if sets_mode(command)
                    && !paths.is_empty()
                    && paths.iter().all(|p| is_built(draft, p) && plan.artifacts.iter().any(|a| inside(&a.path, p))) =>
            {
                if command.program() == Some("chmod") {
                    Role::Build
                } else {
                    Role::Unknown(format!("`{}` changes a folder above what is taken over, which a COPY would make anew", named(command)))
                }
            }
            // Of a compiled project only what is taken over ships, and that comes from the builder.
            Ok(paths) if compiled && !paths.is_empty() && paths.iter().all(|p| in_project(draft, p) && where_builds_run(draft, p)) => {
                if copies_files(command) {
                    for path in targets(draft, command, &paths).unwrap_or_default() {
                        let parent = path.rsplit_once('/').map_or("/", |(f, _)| f);
                        if draft.is_workdir(parent) || plan_folder(draft, parent) {
                            plan.artifact(&path, index);
                        }
                    }
                }
                Role::Build
            }
            Ok(paths) => Role::Runtime(paths),
            Err(reason) => Role::Unknown(reason),
        },
        Action::Download => Role::Unknown(format!("`{}` fetches something, and where it ends up is not clear", named(command))),
        Action::Unknown | Action::Setup { .. } if configures_system(command) => Role::Runtime(Vec::new()),
        Action::Build { .. } | Action::Language { .. } | Action::Setup { .. } | Action::Unknown => Role::Unknown(format!(
            "`{}` has effects that are not known; copy what it leaves behind by hand, or leave the file as it is",
            named(command)
        )),
    };
    Ok(role)
}

pub(super) fn removes(command: &Classified) -> bool {
    command.words.first().is_some_and(|w| matches!(w.raw.rsplit('/').next(), Some("rm" | "rmdir")))
}

/// Whether a command puts files into the folder that it is told, which merely making it would not.
fn fills(command: &Classified) -> bool {
    (copies_files(command) || unpacks(command)) && !(command.program() == Some("install") && command.words.iter().any(|w| w.raw == "-d"))
}

fn sets_mode(command: &Classified) -> bool {
    command.words.first().is_some_and(|w| matches!(w.raw.rsplit('/').next(), Some("chmod" | "chown" | "chgrp")))
}

/// Whether `path` is neither of the context nor of the base image, so that only a build can have made it.
fn is_built(draft: &Draft, path: &str) -> bool {
    let own = |root: &str| ["bin", "etc", "home", "lib", "lib64", "opt", "root", "sbin", "usr", "var"].contains(&root);
    *draft.model.context.knowledge() == crate::context::Knowledge::Known
        && draft.context_path(path).is_none_or(|p| !draft.model.context.exists(&p))
        && !draft.is_workdir(path)
        && !draft.copies.iter().any(|c| inside(&c.destination, path) || c.foreign && inside(path, &c.destination))
        && (in_project(draft, path) || path.split('/').nth(1).is_some_and(|root| !own(root)))
}

pub(super) fn copies_files(command: &Classified) -> bool {
    command.words.first().is_some_and(|w| matches!(w.raw.rsplit('/').next(), Some("cp" | "mv" | "install" | "ln")))
}

/// Whether a command makes symbolic links.
fn links(command: &Classified) -> bool {
    let short = |w: &str| w.starts_with('-') && !w.starts_with("--") && w.contains('s');
    command.program() == Some("ln") && command.texts().iter().skip(1).any(|w| short(w) || *w == "--symbolic")
}

pub(super) fn unpacks(command: &Classified) -> bool {
    command.words.first().is_some_and(|w| matches!(w.raw.rsplit('/').next(), Some("tar" | "unzip" | "gunzip" | "bunzip2" | "unxz")))
}

/// Whether a file command reads what the context did not bring: then a build made it.
fn reads_builds(draft: &Draft, command: &Classified) -> bool {
    let Action::File { reads, .. } = &command.action else { return false };
    !reads.is_empty()
        && reads.iter().all(|word| {
            let text = word.literal.clone().or_else(|| {
                let at = word.raw.find(['*', '?', '['])?;
                word.raw.get(..at)?.rsplit_once('/').map(|(folder, _)| folder.to_owned()).filter(|f| !f.contains('$'))
            });
            let path = text.and_then(|t| absolute(command.directory.as_deref(), &t));
            path.is_some_and(|p| {
                draft.context_path(&p).is_none() && (unpacks(command) || draft.copies.iter().any(|c| inside(&p, &c.destination)))
            })
        })
}

/// Whether `path` lies in a folder of the project in which something is built, and not merely in one that holds data.
fn where_builds_run(draft: &Draft, path: &str) -> bool {
    let roots = draft.copies.iter().filter(|c| !c.foreign && !is_system_folder(&c.destination)).map(|c| c.destination.as_str());
    let workdirs = draft.steps.iter().filter_map(|s| s.before.workdir.as_deref()).filter(|w| !is_system_folder(w));
    let commands = || draft.steps.iter().flat_map(|s| s.commands());
    let builds = |folder: &str| {
        commands().filter(|c| matches!(c.action, Action::Build { .. } | Action::Language { .. }) || c.action.is_unforeseen()).any(|c| {
            let here = c.directory.as_deref().is_none_or(|d| inside(d, folder) && !is_system_folder(d));
            here || c
                .words
                .iter()
                .any(|w| absolute(c.directory.as_deref(), w.literal.as_deref().unwrap_or(&w.raw)).is_some_and(|p| inside(&p, folder)))
        })
    };
    roots.chain(workdirs).filter(|root| inside(path, root)).any(builds)
}

/// Whether all that a file command reads lies in the project, which the image that ships has no more.
fn reads_project(draft: &Draft, command: &Classified) -> bool {
    let Action::File { reads, .. } = &command.action else { return false };
    let folder = |word: &crate::shell::ShellWord| {
        let fixed =
            word.literal.clone().or_else(|| Some(word.raw.split(['*', '?', '[']).next()?.to_owned())).filter(|t| !t.contains('$'))?;
        absolute(command.directory.as_deref(), fixed.trim_end_matches('/'))
    };
    !reads.is_empty() && reads.iter().all(|word| folder(word).is_some_and(|path| in_project(draft, &path)))
}

/// Where `cp`, `mv` and the like put things: in a folder, each under its own name. A pattern's names are not known, so the whole
/// folder stands for them; `None` where that holds more.
pub(super) fn targets(draft: &Draft, command: &Classified, paths: &[String]) -> Option<Vec<String>> {
    let Action::File { reads, writes } = &command.action else { return Some(Vec::new()) };
    let into = |path: &String| {
        is_system_folder(path)
            || draft.is_workdir(path)
            || reads.len() > 1
            || writes.iter().any(|w| w.literal.as_deref().unwrap_or(&w.raw).ends_with('/'))
            || plan_folder(draft, path)
    };
    // What `mv` takes away is written too; what it makes comes first.
    let paths = if command.program() == Some("mv") { paths.get(..1).unwrap_or_default() } else { paths };
    let mut found = Vec::new();
    for path in paths {
        if !into(path) {
            found.push(path.clone());
            continue;
        }
        for read in reads {
            match read.literal.as_deref().and_then(|t| t.trim_end_matches('/').rsplit('/').next()) {
                Some("." | "") | None if is_system_folder(path) => return None,
                Some("." | "") | None => found.push(path.clone()),
                Some(name) => found.push(super::draft::join(path, name)),
            }
        }
    }
    found.dedup();
    Some(found)
}

/// Whether `path` lies where the project is: in a folder that a COPY fills.
fn in_project(draft: &Draft, path: &str) -> bool {
    draft.copies.iter().any(|c| !c.foreign && c.into_folder && !is_system_folder(&c.destination) && inside(path, &c.destination))
        || draft.steps.iter().any(|s| s.before.workdir.as_deref().is_some_and(|w| !is_system_folder(w) && inside(path, w) && path != w))
}

fn plan_folder(draft: &Draft, path: &str) -> bool {
    draft.copies.iter().any(|c| c.destination == path && c.into_folder)
}

/// The absolute paths that a file command or a redirection writes, or why they are not known.
pub(super) fn written(command: &Classified, folder: Option<&str>) -> Result<Vec<String>, String> {
    let words = match &command.action {
        Action::File { writes, .. } => writes.as_slice(),
        _ => &[],
    };
    let mut paths = Vec::new();
    for word in words.iter().chain(&command.writes) {
        let text = match &word.literal {
            Some(text) => text.clone(),
            // A glob names files of a folder that is known.
            None if !word.raw.contains(['$', '`', '~']) => {
                let end = word.raw.find(['*', '?', '[', '{']).unwrap_or(word.raw.len());
                let head = word.raw.get(..end).unwrap_or("");
                head.rsplit_once('/').map_or(".", |(f, _)| if f.is_empty() { "/" } else { f }).to_owned()
            }
            None => return Err(format!("`{}` writes to `{}`, which is not known before the build", named(command), word.raw)),
        };
        if text == "/dev/null" || text == "/dev/stdout" || text == "/dev/stderr" {
            continue;
        }
        match absolute(folder, &text) {
            Some(path) => paths.push(path),
            None => return Err(format!("`{}` writes to `{text}` in a folder that is not known", named(command))),
        }
    }
    Ok(paths)
}

/// Notes the variables that are set for an installation alone.
fn installing_environment(plan: &mut Plan, command: &Classified) -> Result<(), Refusal> {
    for (name, value) in &command.environment {
        let plain = value.as_deref().filter(|v| v.chars().all(|c| c.is_ascii_alphanumeric() || "-_./:@,+".contains(c)));
        let known = plan.environment.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
        match plain {
            Some(value) if known.is_none() => plan.environment.push((name.clone(), value.to_owned())),
            Some(value) if known == Some(value) => {}
            _ => return refuse(command.line, format!("{name} is set for this installation in a way that the runtime stage can't repeat")),
        }
    }
    Ok(())
}

pub(super) fn system_package(draft: &Draft, plan: &mut Plan, index: usize, command: &Classified, name: &str) -> Result<(), Refusal> {
    let bare = name.split(['=', ':', '/']).next().unwrap_or(name);
    let distribution = draft.facts.distribution.as_deref().unwrap_or("debian");
    let manager = draft.manager();
    let catalog = draft.model.catalog;
    let with_recommended = !command.words.iter().any(|w| w.raw == "--no-install-recommends");
    if super::served::leaves_behind(draft, bare) || super::assets::leaves_behind(draft, bare) {
        plan.shed.push(bare.to_owned());
        return Ok(());
    }
    if let Some(at_once) = super::system::removed_again(draft, index, command, bare) {
        if !at_once {
            plan.shed.push(bare.to_owned());
        }
        return Ok(());
    }
    // What starts or is searched for in the sources brings them back.
    let compiled = matches!(draft.facts.language.as_deref(), Some("go" | "rust" | "java" | "c"));
    let called = || draft.program.has_word("git").is_some() || draft.completed && super::needs::sources_mention(draft, "git");
    if compiled && facts().builds.fetchers.iter().any(|f| f == bare) && !called() {
        plan.shed.push(bare.to_owned());
        return Ok(());
    }
    // Without what it recommends, leaving a light package behind is no gain.
    let heavy = with_recommended || !facts().system.light.iter().any(|l| l == bare);
    if let Some(others) = super::system::replaced(draft, bare) {
        if heavy && !others.iter().any(|o| o == bare) {
            plan.shed.push(bare.to_owned());
        }
        others.iter().for_each(|other| plan.package_as(other, index, with_recommended));
        return Ok(());
    }
    if super::system::library(draft, plan, bare, index, with_recommended) {
        return Ok(());
    }
    if draft.facts.language.as_deref() == Some("node")
        && facts().system.native_modules.iter().any(|p| p == bare)
        && !speaks_of_python(draft, command)
    {
        plan.shed.push(bare.to_owned());
        return Ok(());
    }
    if let Some(libraries) = catalog.runtime_packages(bare, manager, &draft.facts.releases) {
        plan.shed.push(bare.to_owned());
        for library in libraries {
            plan.package(&library, index);
        }
        return Ok(());
    }
    if !compiled && super::system::unsure_library(draft, plan, bare, index, with_recommended) {
        return Ok(());
    }
    if catalog.is_build_only(bare, manager) {
        if draft.program.has_word(bare).is_some() {
            plan.package(bare, index);
        } else if heavy {
            plan.shed.push(bare.to_owned());
        }
        return Ok(());
    }
    if bare.ends_with("-dev") || bare.ends_with("-devel") {
        return refuse(
            command.line,
            format!("no runtime library is known for `{bare}` on {distribution}; add it to [catalog] in restage.toml"),
        );
    }
    if !plan.packages.iter().any(|p| p.name == name) {
        plan.packages.push(Package { name: name.to_owned(), with_recommended, anchor: index });
    }
    Ok(())
}

/// Whether a project of Node has anything to do with Python beyond the compiling of native modules: a file names it, or it is installed
/// without a compiler, so for its own sake.
fn speaks_of_python(draft: &Draft, command: &Classified) -> bool {
    const COMPILERS: &[&str] = &["make", "g++", "gcc", "build-essential", "build-base", "gcc-c++"];
    let Action::System { packages, .. } = &command.action else { return true };
    let context = draft.model.context;
    let own = |path: &str| !crate::context::is_dockerfile_name(path.rsplit('/').next().unwrap_or(path)) && !path.ends_with(".dockerignore");
    let searched =
        |path: &&String| own(path) && !path.contains("node_modules/") && ![".md", "-lock.json", ".lock"].iter().any(|e| path.ends_with(e));
    *context.knowledge() != crate::context::Knowledge::Known
        || !packages.iter().any(|p| COMPILERS.contains(&p.raw.as_str()))
        || draft.program.commands.iter().flat_map(|c| &c.words).any(|w| w.contains("python"))
        || context.files().0.iter().filter(searched).any(|p| p.ends_with(".py") || context.read(p).is_some_and(|t| t.contains("python")))
}

#[cfg(test)]
mod tests {
    use super::value_of;

    #[test]
    fn values_of_options() {
        assert_eq!(value_of(&["install", "--path", "vendor/bundle"], &["--path"]), Some("vendor/bundle"));
        assert_eq!(value_of(&["install", "--path=/gems"], &["--path"]), Some("/gems"));
        assert_eq!(value_of(&["install", "--path"], &["--path"]), None);
    }
}
