//! Why each line goes where it goes, for `inspect`.

use serde::Serialize;

use super::draft::{Draft, inside};
use super::plan::{Fate, Plan};
use super::roles::{Role, Roles, named};
use crate::model::{Model, Step};
use crate::syntax::Keyword;
use crate::transforms::Refusal;

/// What a split of a single stage would do, line by line.
#[derive(Clone, Debug, Serialize)]
pub struct Explained {
    /// The image of the runtime stage.
    pub runtime: String,
    /// The instructions behind FROM, in order.
    pub lines: Vec<LineRole>,
    /// Files and folders that the runtime stage takes over from the builder.
    pub artifacts: Vec<String>,
    /// System packages that the runtime stage installs.
    pub packages: Vec<String>,
    /// What is left behind besides the base image's own toolchain.
    pub left_behind: Vec<String>,
    /// What a reviewer should know.
    pub notes: Vec<String>,
}

/// An instruction and what it is for.
#[derive(Clone, Debug, Serialize)]
pub struct LineRole {
    /// Its line, from 1.
    pub line: usize,
    /// Its keyword.
    pub instruction: String,
    /// `build`, `run`, or `both`.
    pub stage: &'static str,
    /// Why.
    pub reason: String,
}

/// Explains the split of the single stage of `model`; the refusal where there is none. `None` for files with several stages.
#[must_use]
pub fn explain(model: &Model) -> Option<Result<Explained, Refusal>> {
    (model.stages.len() == 1).then(|| {
        let (draft, roles, plan) = super::plan(model)?;
        Ok(explained(&draft, &roles, &plan))
    })
}

fn explained(draft: &Draft, roles: &Roles, plan: &Plan) -> Explained {
    let lines = draft.steps.iter().enumerate().map(|(index, step)| {
        let stage = match plan.fate(index) {
            Fate::Build => "build",
            Fate::Runtime => "run",
            Fate::Both => "both",
        };
        let reason = match step.keyword {
            Keyword::Run => of_run(step, roles.of.get(index).map(Vec::as_slice).unwrap_or_default()),
            Keyword::Copy | Keyword::Add => of_copy(draft, plan, index),
            Keyword::Cmd | Keyword::Entrypoint => "what the container starts".to_owned(),
            _ if plan.fate(index) == Fate::Both => "configuration that the builds see too".to_owned(),
            _ => "configuration of the image".to_owned(),
        };
        LineRole { line: step.line, instruction: step.keyword.name().to_owned(), stage, reason }
    });
    Explained {
        runtime: plan.runtime.clone(),
        lines: lines.collect(),
        artifacts: plan.snapshots.iter().map(|s| s.folder.clone()).chain(plan.artifacts.iter().map(|a| a.path.clone())).collect(),
        packages: plan.packages.iter().map(|p| p.name.clone()).collect(),
        left_behind: plan.shed.clone(),
        notes: plan.notes.clone(),
    }
}

/// One half sentence for each kind of command, in the order of the commands.
fn of_run(step: &Step, roles: &[Role]) -> String {
    let commands = step.commands();
    let mut parts: Vec<(&str, Vec<String>)> = Vec::new();
    for (command, role) in commands.iter().zip(roles) {
        let kind = match role {
            Role::Build => "builds or installs",
            Role::Runtime(_) => "sets up what ships",
            Role::Removal(_) => "removes what a build left",
            Role::Neutral | Role::Unknown(_) => continue,
        };
        match parts.last_mut() {
            Some((last, of)) if *last == kind => of.push(named(command)),
            _ => parts.push((kind, vec![named(command)])),
        }
    }
    if parts.is_empty() {
        return "leaves nothing that the image needs".to_owned();
    }
    parts.iter().map(|(kind, of)| format!("{kind}: {}", of.join(", "))).collect::<Vec<_>>().join("; ")
}

fn of_copy(draft: &Draft, plan: &Plan, index: usize) -> String {
    let Some(copy) = draft.copies.iter().find(|c| c.step == index) else { return String::new() };
    let folder = plan.snapshots.iter().find(|s| inside(&copy.destination, &s.folder)).map(|s| s.folder.as_str());
    match (plan.fate(index), folder) {
        (Fate::Build, Some(folder)) => format!("comes along with `{folder}`, which is taken over whole"),
        (Fate::Build, None) => "read by builds alone".to_owned(),
        (Fate::Both, _) => "read by builds, and when the program runs".to_owned(),
        (Fate::Runtime, _) => "read when the program runs".to_owned(),
    }
}
