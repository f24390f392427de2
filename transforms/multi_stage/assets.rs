//! Front ends: what Node's tools make beside a program of another language.

use super::compiled::Sources;
use super::draft::{Draft, absolute, refuse};
use super::facts::facts;
use super::outside::{climbs, stays_inside};
use super::plan::Plan;
use super::roles::{Role, is_system_folder, named};
use crate::context::fits;
use crate::model::command::{Action, Classified, Operation};
use crate::transforms::Refusal;

/// Code that holds files of the project inside of the program.
const EMBEDS: &[&str] = &["//go:embed", "include_str!", "include_bytes!", "include_dir!", "RustEmbed"];

/// Calls that serve files of a folder.
const OPENS: &[&str] = &["http.Dir(", "os.DirFS(", "ServeDir", "ServeFile", "NamedFile", "Files::new", ".Static(", "StaticFS"];

/// Whether the system's package `name` brings Node for a front end alone: what starts is of another language and calls none.
pub(super) fn leaves_behind(draft: &Draft, name: &str) -> bool {
    let assets = &facts().assets;
    let own = match draft.facts.language.as_deref() {
        None | Some("node") => true,
        Some("ruby") => super::ruby::needs_javascript(draft),
        Some(_) => false,
    };
    !own && assets.packages.iter().any(|p| fits(p, name))
        && !assets.programs.iter().any(|p| draft.program.has_word(p).is_some() || super::needs::sources_call(draft, p))
}

/// The role of a command of Node's tools in an image of another language; `None` for all others.
pub(super) fn role(draft: &Draft, plan: &mut Plan, index: usize, command: &Classified, compiled: bool) -> Result<Option<Role>, Refusal> {
    let assets = &facts().assets;
    let words = command.texts();
    let manager = match &command.action {
        Action::Language { manager, .. } => manager,
        Action::Build { tool } => tool,
        action if action.is_unforeseen() && command.program().is_some_and(|p| assets.tools.iter().any(|t| t == p)) => {
            return tool(draft, plan, index, command, &words, compiled).map(Some);
        }
        _ => return Ok(None),
    };
    if !assets.managers.contains(manager) || draft.facts.language.as_deref() == Some("node") {
        return Ok(None);
    }
    let idle = matches!(command.action, Action::Language { operation: Operation::Clean, .. }) || words.contains(&"config");
    if idle || manager == "corepack" {
        return Ok(Some(Role::Build));
    }
    if words.iter().any(|w| matches!(*w, "-g" | "--global" | "global")) {
        // Of other programs it is not known that only builds call them.
        let bare = |w: &str| w.rsplit_once('@').map_or(w, |(name, _)| if name.is_empty() { w } else { name }).to_owned();
        let builds = |w: &&str| assets.global.contains(&bare(w)) && draft.program.has_word(&bare(w)).is_none();
        let packages: Vec<&str> = words.iter().skip(2).filter(|w| !w.starts_with('-') && **w != "add").copied().collect();
        return Ok(packages.iter().all(builds).then_some(Role::Build));
    }
    let Some(folder) = command.directory.clone().filter(|f| !is_system_folder(f)) else {
        return refuse(command.line, format!("`{}` runs in a folder that holds more than the project, or is not known", named(command)));
    };
    stays_inside(draft, command, &folder)?;
    // What its build writes above its folder lies in the project.
    let written = draft.project_of(&folder).filter(|_| climbs(draft, &folder)).unwrap_or(&folder);
    made(plan, written, index, compiled);
    Ok(Some(Role::Build))
}

/// A program that is told what to write.
fn tool(draft: &Draft, plan: &mut Plan, index: usize, command: &Classified, words: &[&str], compiled: bool) -> Result<Role, Refusal> {
    let folder = command.directory.clone().unwrap_or_else(|| "/".to_owned());
    stays_inside(draft, command, &folder)?;
    let named_paths = words.iter().skip(1).filter(|w| !w.starts_with('-')).filter_map(|w| absolute(Some(&folder), w));
    let mut projects: Vec<&str> = named_paths.filter_map(|p| draft.project_of(&p)).collect();
    projects.dedup();
    if projects.is_empty() {
        return refuse(command.line, format!("what `{}` writes is not clear", named(command)));
    }
    projects.iter().for_each(|project| made(plan, project, index, compiled));
    Ok(Role::Build)
}

fn made(plan: &mut Plan, folder: &str, index: usize, compiled: bool) {
    if compiled {
        plan.front_end = Some(index);
    } else {
        plan.snapshot(folder, index);
    }
}

/// Of a compiled project only the program ships; a front end that is not inside of it ships with the whole folder.
pub(super) fn ship(draft: &Draft, plan: &mut Plan, folder: &str, sources: &Sources, embeds: bool) {
    let Some(step) = plan.front_end else { return };
    let any = |words: &[&str]| sources.iter().any(|(_, text)| words.iter().any(|w| text.contains(w)));
    let embedded = embeds || any(EMBEDS) && !any(OPENS);
    if !embedded && !is_system_folder(folder) && !draft.is_removed(folder) {
        plan.snapshot(folder, step);
        plan.notes.push(format!("a front end is built in `{folder}`, so that is taken over whole"));
    }
}
