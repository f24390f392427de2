//! multi-stage: a single stage becomes a builder and a runtime stage.

mod assets;
mod built;
mod cargo;
mod compiled;
mod dotnet;
mod draft;
mod explain;
mod facts;
mod fates;
mod fetched;
mod go;
mod installed;
mod language;
mod modules;
mod needs;
mod node;
mod node_start;
mod outside;
mod owner;
mod package;
mod plan;
mod program;
mod python;
mod render;
mod reports;
mod roles;
mod ruby;
mod served;
mod shared;
mod system;

pub use explain::{Explained, LineRole, explain};

use draft::{Draft, refuse};
use plan::Plan;

use super::{Findings, Group, Level, Proposal, Refusal, Transform};
use crate::model::Model;

/// The transform.
pub const TRANSFORM: Transform = Transform {
    id: "multi-stage",
    summary: "Split a single stage into a builder and a runtime stage that leaves the toolchain behind",
    group: Group::Restructure,
    may_change: &["Env"],
    page: include_str!("page.md"),
    run,
};

fn run(model: &Model) -> Findings {
    let mut findings = Findings::default();
    if model.stages.len() != 1 {
        findings.refusals = reports::reports(model);
        return findings;
    }
    match split(model) {
        Ok((proposal, stays)) => {
            findings.proposals.push(proposal);
            findings.refusals = stays;
        }
        Err(refusal) => findings.refusals.push(refusal),
    }
    findings
}

/// The whole plan of a split, with what it was made from; the refusal where there is none.
fn plan<'a>(model: &'a Model<'a>) -> Result<(Draft<'a>, roles::Roles, Plan), Refusal> {
    let draft = Draft::read(model)?;
    let mut language = language::planner(&draft)?;
    let mut plan = Plan::new(&draft, language.runtime(&draft)?);
    let roles = roles::read(&draft, language.as_mut(), &mut plan)?;
    if !language.builds() {
        return refuse(
            draft.from.line,
            format!(
                "no gain: nothing is installed or built on `{}`, so there is nothing to leave behind in a builder",
                draft.image.written
            ),
        );
    }
    language.finish(&draft, &mut plan)?;
    system::enough_is_shed(&draft, &plan)?;
    fates::decide(&draft, &roles, &mut plan, language.compiled())?;
    Ok((draft, roles, plan))
}

/// The split, and what it leaves in the image that ships.
fn split(model: &Model) -> Result<(Proposal, Vec<Refusal>), Refusal> {
    let (draft, _, plan) = plan(model)?;
    let edits = render::edits(&draft, &plan)?;
    let proposal = Proposal {
        level: Level::Review,
        title: format!("build in `{}`, run on `{}`", draft.image.written, plan.runtime),
        reason: reason(&draft, &plan),
        line: draft.from.line,
        declares: Vec::new(),
        edits,
    };
    let mut stays = plan.stays;
    if plan.runtime == draft.image.written {
        let reason =
            format!("`{}` stays the base of the image that ships: no smaller one is known that has all that it needs", plan.runtime);
        stays.push(Refusal { reason, line: draft.from.line });
    }
    Ok((proposal, stays))
}

/// The sentence that a reviewer reads first.
fn reason(draft: &Draft, plan: &Plan) -> String {
    let mut parts = vec![format!("the image that ships starts from `{}`", plan.runtime)];
    if plan.runtime != draft.image.written {
        parts.push(format!("without the toolchain of `{}`", draft.image.written));
    }
    if !plan.shed.is_empty() {
        parts.push(format!("and without {}", plan.shed.join(", ")));
    }
    let mut text = parts.join(" ");
    for note in &plan.notes {
        text.push_str("; ");
        text.push_str(note);
    }
    text
}
