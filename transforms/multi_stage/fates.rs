//! Where each step goes: to the builder, to the runtime stage, or to both.

use super::draft::{Draft, inside, refuse};
use super::facts::facts;
use super::plan::{Fate, Plan};
use super::roles::{Role, Roles, configures_system, named};
use crate::model::Step;
use crate::model::command::{Action, Classified};
use crate::syntax::Keyword;
use crate::transforms::Refusal;

/// Folders whose files the programs of a build read by themselves: settings, keys, certificates.
const SETTINGS: &[&str] =
    &["/etc", "/usr/share/keyrings", "/usr/share/ca-certificates", "/usr/local/share/ca-certificates", "/usr/local/etc"];

/// Whether a COPY to `destination` brings settings: those of the system, of root's own programs, or of the server.
fn is_setting(draft: &Draft, destination: &str) -> bool {
    let home = destination.strip_prefix("/root").is_some_and(|rest| rest.is_empty() || rest.starts_with("/."));
    home || SETTINGS.iter().copied().chain(draft.facts.configuration.as_deref()).any(|s| inside(destination, s))
}

/// Refuses where packages come from a source that the file adds behind the first ones: they are installed in one RUN.
fn package_sources(draft: &Draft, roles: &Roles, plan: &Plan) -> Result<(), Refusal> {
    const SOURCES: &[&str] = &["/etc/apt", "/etc/apk", "/etc/yum.repos.d", "/usr/share/keyrings"];
    let Some(first) = plan.packages.iter().map(|p| p.anchor).min() else { return Ok(()) };
    let late = |step: usize| step >= first && plan.packages.iter().any(|p| p.anchor >= step);
    if let Some(copy) = draft.copies.iter().find(|c| late(c.step) && SOURCES.iter().any(|s| inside(&c.destination, s))) {
        return refuse(
            draft.line(copy.step),
            "this adds a source of packages between installations; the runtime stage installs all in one RUN",
        );
    }
    for (index, commands) in roles.of.iter().enumerate().skip(first) {
        for (role, command) in commands.iter().zip(draft.steps.get(index).iter().flat_map(|s| s.commands())) {
            let program = command.words.first().map(|w| w.raw.rsplit('/').next().unwrap_or(&w.raw)).unwrap_or_default();
            let adds = matches!(program, "add-apt-repository" | "apt-add-repository" | "apt-key")
                || matches!(role, Role::Runtime(paths) if paths.iter().any(|p| SOURCES.iter().any(|s| inside(p, s))));
            if adds && late(index) {
                return refuse(
                    command.line,
                    format!(
                        "`{}` adds a source of packages between installations; the runtime stage installs all in one RUN",
                        named(command)
                    ),
                );
            }
        }
    }
    Ok(())
}

/// Refuses what the runtime stage would run without the package manager or compiler that its own packages lack, or without a program
/// that the full image brings.
fn tools_left_behind(draft: &Draft, plan: &Plan, index: usize, wanted: &[usize]) -> Result<(), Refusal> {
    let Some(commands) = draft.steps.get(index).map(|s| s.commands()) else { return Ok(()) };
    let installed = |package: &String| plan.packages.iter().any(|p| p.name == *package);
    let missing = |c: &&Classified| {
        let program = c.program().and_then(|program| facts().tools.get(program));
        draft.completed && matches!(c.action, Action::Language { .. } | Action::Build { .. })
            || super::needs::is_full(draft) && program.is_some_and(|package| !installed(package))
    };
    match wanted.iter().filter_map(|i| commands.get(*i)).find(missing) {
        Some(command) => refuse(
            command.line,
            format!("`{}` is needed in the image that ships, and what it runs with is left behind in the builder", named(command)),
        ),
        None => Ok(()),
    }
}

/// Decides where each step goes, when it is known what is built and where.
pub(super) fn decide(draft: &Draft, roles: &Roles, plan: &mut Plan, compiled: bool) -> Result<(), Refusal> {
    let moved = |plan: &Plan, paths: &[String]| paths.is_empty() || !paths.iter().all(|p| plan.snapshot_of(p).is_some());
    package_sources(draft, roles, plan)?;
    // First the RUNs: what writes only into a folder that is taken over whole stays in the builder.
    let mut late_writers = Vec::new();
    for (index, commands) in roles.of.iter().enumerate() {
        let Some(step) = draft.steps.get(index).filter(|s| s.keyword == Keyword::Run) else { continue };
        let builds = commands.contains(&Role::Build);
        let runtime: Vec<usize> =
            commands.iter().enumerate().filter(|(_, r)| matches!(r, Role::Runtime(paths) if moved(plan, paths))).map(|(i, _)| i).collect();
        let carried = commands.iter().any(|r| matches!(r, Role::Removal(_)) || matches!(r, Role::Runtime(paths) if !moved(plan, paths)));
        if carried {
            late_writers.push(index);
        }
        let carried_owners =
            |plan: &Plan, role: &Role| compiled && *role == Role::Build || matches!(role, Role::Runtime(paths) if !moved(plan, paths));
        let owners: Vec<Classified> =
            commands.iter().zip(step.commands()).filter(|(role, _)| carried_owners(plan, role)).map(|(_, c)| c.clone()).collect();
        tools_left_behind(draft, plan, index, &runtime)?;
        if runtime.is_empty() {
            plan.set(index, Fate::Build);
        } else if builds || carried {
            plan.set(index, Fate::Build);
            // What is said of files comes behind the COPYs that bring them; what makes folders and users comes before.
            let of_files = |at: &usize| compiled && step.commands().get(*at).is_some_and(super::owner::says_of_files);
            let (behind, before): (Vec<usize>, Vec<usize>) = runtime.iter().copied().partition(of_files);
            for (wanted, is_behind) in [(before, false), (behind, true)] {
                if wanted.is_empty() {
                    continue;
                }
                let extra = super::plan::Extra { anchor: index, text: extract(draft, step, &wanted)? };
                if is_behind { plan.behind.push(extra) } else { plan.extras.push(extra) }
            }
        } else {
            plan.set(index, Fate::Runtime);
        }
        for command in owners {
            super::owner::repeat(draft, plan, index, &command.with_values(&|name| draft.variable(step, name)))?;
        }
        if !runtime.is_empty() {
            super::owner::ahead(draft, plan, index, &runtime);
        }
    }
    for index in late_writers {
        let folders: Vec<String> = match roles.of.get(index) {
            Some(commands) => commands
                .iter()
                .filter_map(|r| if let Role::Runtime(paths) | Role::Removal(paths) = r { Some(paths.clone()) } else { None })
                .flatten()
                .collect(),
            None => Vec::new(),
        };
        for folder in folders {
            if let Some(known) = plan.snapshots.iter_mut().find(|s| inside(&folder, &s.folder)) {
                known.last_writer = known.last_writer.max(index);
            }
        }
    }
    settings_of_git(draft, plan)?;
    let last_build = last_build(draft, plan);
    // What is needed in the builder besides: folders, users and files that a later line of it names.
    for index in 0..last_build.min(draft.steps.len()) {
        let Some(step) = draft.steps.get(index) else { continue };
        if step.keyword == Keyword::Run && plan.fate(index) == Fate::Runtime {
            let configures = step.commands().iter().any(configures_system);
            let users = step.commands().iter().any(|c| c.action == Action::User);
            let paths: Vec<&String> = roles
                .of
                .get(index)
                .into_iter()
                .flatten()
                .filter_map(|r| if let Role::Runtime(p) = r { Some(p) } else { None })
                .flatten()
                .collect();
            let needed = draft
                .steps
                .iter()
                .enumerate()
                .skip(index + 1)
                .take_while(|(i, _)| *i <= last_build)
                .any(|(i, later)| plan.fate(i) != Fate::Runtime && needs(draft, later, users, &paths));
            // Package managers and their downloads read settings without anybody naming them.
            let settings = paths.iter().any(|p| is_setting(draft, p));
            if needed || configures || settings {
                plan.set(index, Fate::Both);
            }
        }
    }
    copies(draft, plan, compiled, last_build);
    configuration(draft, plan);
    Ok(())
}

/// Says git's settings for all projects in the runtime stage, too, where that has git.
fn settings_of_git(draft: &Draft, plan: &mut Plan) -> Result<(), Refusal> {
    if !plan.packages.iter().any(|p| p.name == "git") {
        return Ok(());
    }
    for (index, step) in draft.steps.iter().enumerate() {
        if plan.fate(index) != Fate::Build {
            continue;
        }
        let sets = |c: &Classified| {
            let words = c.texts();
            let for_all = words.contains(&"config") && words.iter().any(|w| matches!(*w, "--global" | "--system"));
            // What only the build knows is a secret of the build more often than not.
            c.program() == Some("git") && for_all && !c.span.text(draft.model.file.source()).contains('$')
        };
        let wanted: Vec<usize> = step.commands().iter().enumerate().filter(|(_, c)| sets(c)).map(|(i, _)| i).collect();
        if !wanted.is_empty() {
            plan.extras.push(super::plan::Extra { anchor: index, text: extract(draft, step, &wanted)? });
        }
    }
    Ok(())
}

fn needs(draft: &Draft, later: &Step, users: bool, paths: &[&String]) -> bool {
    if later.keyword != Keyword::Run && later.keyword != Keyword::Copy && later.keyword != Keyword::Add && later.keyword != Keyword::User {
        return false;
    }
    let text = later.span.text(draft.model.file.source());
    let as_user = later.keyword == Keyword::Run
        && !matches!(later.before.user.as_deref().and_then(|u| u.split(':').next()), Some("" | "0" | "root") | None);
    (users
        && (later.keyword == Keyword::User
            || later.reading.flags.iter().any(|f| f.name == "chown")
            || text.contains("chown")
            || text.contains("su ")))
        || paths.iter().any(|p| {
            // WORKDIR makes its folder by itself, as root's: another user needs whoever gave it to him.
            let is_workdir = later
                .before
                .workdir
                .as_deref()
                .is_some_and(|w| inside(p, w) && w != p.as_str() || as_user && (inside(p, w) || inside(w, p)));
            text.contains(p.as_str()) || is_workdir
        })
}

/// The last step that stays in the builder because it builds.
pub(super) fn last_build(draft: &Draft, plan: &Plan) -> usize {
    draft
        .steps
        .iter()
        .enumerate()
        .filter(|(i, s)| s.keyword == Keyword::Run && plan.fate(*i) == Fate::Build)
        .map(|(i, _)| i)
        .max()
        .unwrap_or(0)
}

fn copies(draft: &Draft, plan: &mut Plan, compiled: bool, last_build: usize) {
    for copy in &draft.copies {
        let snapshot = plan.snapshot_of(&copy.destination).cloned();
        let below: bool = plan.snapshots.iter().any(|s| inside(&s.folder, &copy.destination));
        let fate = match snapshot {
            Some(s) if copy.step <= s.last_writer => Fate::Build,
            _ if copy.step > last_build => Fate::Runtime,
            // Package managers and their downloads read what stands there without anybody naming it.
            // Everything lies in `/`, so what such a COPY brings is not the builds' alone.
            _ if is_setting(draft, &copy.destination) || copy.destination == "/" => Fate::Both,
            _ if compiled && read_by_builds(draft, plan, copy.step, &copy.destination) => Fate::Build,
            _ if below => Fate::Both,
            _ if covered(draft, plan, copy.step) => Fate::Build,
            _ if read_by_builds(draft, plan, copy.step, &copy.destination) => Fate::Both,
            _ => Fate::Runtime,
        };
        plan.set(copy.step, fate);
    }
}

/// Whether a RUN of the builder behind `step` works in `folder`, or names it.
fn read_by_builds(draft: &Draft, plan: &Plan, step: usize, folder: &str) -> bool {
    draft.steps.iter().enumerate().skip(step + 1).any(|(i, later)| {
        let Some(run) = later.run.as_ref().filter(|_| plan.fate(i) != Fate::Runtime) else { return false };
        run.commands.iter().any(|c| c.directory.as_deref().is_none_or(|d| inside(d, folder) || inside(folder, d)) && !only_system(c))
            || later.span.text(draft.model.file.source()).contains(folder)
    })
}

fn only_system(command: &Classified) -> bool {
    matches!(command.action, Action::System { .. } | Action::Clean | Action::Shell | Action::User)
}

/// Whether a later COPY that moves to the runtime stage brings the same files to the same place.
fn covered(draft: &Draft, plan: &Plan, step: usize) -> bool {
    let Some(copy) = draft.copies.iter().find(|c| c.step == step && !c.foreign) else { return false };
    let last = last_build(draft, plan);
    draft.copies.iter().filter(|later| later.step > step.max(last) && !later.foreign).any(|later| {
        copy.sources.iter().all(|source| {
            let (parent, name) = source.rsplit_once('/').unwrap_or((".", source));
            if draft.model.context.is_dir(source) {
                return later.sources.iter().any(|s| s == ".")
                    && (later.destination == copy.destination && source == "."
                        || super::draft::join(&later.destination, source) == copy.destination);
            }
            let target = if copy.into_folder { super::draft::join(&copy.destination, name) } else { copy.destination.clone() };
            later.sources.iter().any(|s| {
                s == "." && super::draft::join(&later.destination, source) == target
                    || s == parent && super::draft::join(&later.destination, name) == target
            })
        })
    })
}

/// Configuration goes to the runtime stage, and stays in the builder as far as its RUNs see it.
fn configuration(draft: &Draft, plan: &mut Plan) {
    let last = draft
        .steps
        .iter()
        .enumerate()
        .filter(|(i, s)| matches!(s.keyword, Keyword::Run | Keyword::Copy | Keyword::Add) && plan.fate(*i) != Fate::Runtime)
        .map(|(i, _)| i)
        .max();
    for (index, step) in draft.steps.iter().enumerate() {
        let before_builds = last.is_some_and(|l| index < l);
        let fate = match step.keyword {
            Keyword::Run | Keyword::Copy | Keyword::Add => continue,
            Keyword::Env | Keyword::Arg | Keyword::Workdir | Keyword::Shell | Keyword::User if before_builds => Fate::Both,
            _ => Fate::Runtime,
        };
        plan.set(index, fate);
    }
    // An ARG that no line of the runtime stage uses stays where it is.
    let source = draft.model.file.source();
    for (index, step) in draft.steps.iter().enumerate() {
        let crate::syntax::View::Arg { pairs } = &step.view else { continue };
        if plan.fate(index) != Fate::Both {
            continue;
        }
        let used = pairs.iter().any(|pair| {
            draft
                .steps
                .iter()
                .enumerate()
                .skip(index + 1)
                .any(|(i, later)| plan.fate(i) != Fate::Build && super::draft::mentions(later.span.text(source), &pair.name.text))
        });
        let installs = !plan.packages.is_empty() || plan.upgrade.is_some();
        let for_installing = installs && pairs.iter().any(|p| facts().installing.contains(&p.name.text));
        if !used && !for_installing {
            plan.set(index, Fate::Build);
        }
    }
}

/// A RUN of some of the commands of `step`, which must be a plain `&&` list.
fn extract(draft: &Draft, step: &Step, wanted: &[usize]) -> Result<String, Refusal> {
    let source = draft.model.file.source();
    let commands = step.commands();
    let mut texts = Vec::new();
    for index in wanted {
        let Some(command) = commands.get(*index) else { continue };
        let same_folder = command.directory.is_some() && command.directory == step.before.workdir;
        if command.conditional || command.failure_ignored || !same_folder && !absolute_only(command) {
            return refuse(
                command.line,
                format!(
                    "`{}` is needed in the image that ships, but it stands inside a RUN that also builds; give it a RUN of its own",
                    named(command)
                ),
            );
        }
        texts.push(command.span.text(source).replace(['\r', '\n'], " "));
    }
    Ok(format!("RUN {}", texts.join(" && ")))
}

fn absolute_only(command: &Classified) -> bool {
    command.words.iter().skip(1).all(|w| w.raw.starts_with(['/', '-']) || !w.raw.contains('/'))
        && !matches!(command.action, Action::File { .. })
        || command
            .words
            .iter()
            .skip(1)
            .filter(|w| !w.raw.starts_with('-'))
            .all(|w| w.raw.starts_with('/') || w.raw.chars().all(|c| c.is_ascii_digit() || c == '+' || c == ':' || c.is_ascii_lowercase()))
}
