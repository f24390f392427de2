//! Suggests a shell in which a pipeline fails if any part of it does.

use super::{Findings, Group, Level, Proposal, Refusal, Transform};
use crate::edit::Edit;
use crate::model::{Base, Model, Step};
use crate::shell::{AndOr, CommandKind, Pipeline};
use crate::syntax::{Form, Keyword, View};

/// See `page.md`.
pub const TRANSFORM: Transform = Transform {
    id: "pipefail",
    summary: "Suggest a SHELL in which a failing part of a pipeline fails the build",
    group: Group::Harden,
    may_change: &["Shell"],
    page: include_str!("page.md"),
    run,
};

/// They end before they have read everything, and what writes to them then fails.
const EARLY: &[&str] = &["head", "grep", "true", "exit"];

fn run(model: &Model) -> Findings {
    let mut findings = Findings::default();
    for stage in 0..model.stages.len() {
        let steps = model.steps_of(stage);
        let Some(first) = steps.iter().find(|s| pipelines(s).any(is_lossy)) else { continue };
        // A script that says it itself does.
        if steps.iter().any(|s| s.keyword == Keyword::Shell) || first.before.shell != ["/bin/sh", "-c"] {
            continue;
        }
        match (obstacle(steps), shell(model, stage)) {
            (Some(reason), _) => findings.refusals.push(Refusal { reason, line: first.line }),
            (None, None) => {}
            (None, Some(shell)) => {
                let Some(instruction) = model.file.instruction(first.item) else { continue };
                let source = model.file.source();
                let before = source.get(..instruction.keyword_span.start).unwrap_or("");
                let line = before.rfind('\n').map_or(0, |at| at + 1);
                let end = if source.contains("\r\n") { "\r\n" } else { "\n" };
                findings.proposals.push(Proposal {
                    level: Level::Suggest,
                    title: "let a pipeline fail if any part of it does".into(),
                    reason: format!(
                        "in a pipeline like that of line {} the shell forgets the failure of all parts but the last",
                        first.line
                    ),
                    line: first.line,
                    declares: vec!["Shell"],
                    edits: vec![Edit::insert(line, format!("SHELL [\"{shell}\", \"-o\", \"pipefail\", \"-c\"]{end}"))],
                });
            }
        }
    }
    findings
}

fn pipelines(step: &Step) -> impl Iterator<Item = &Pipeline> {
    let script = step.run.as_ref().and_then(|r| r.script.as_ref());
    let sets = script.is_some_and(|s| {
        let mut found = false;
        s.each_command(&mut |c| {
            found |= matches!(&c.kind, CommandKind::Simple { words, .. } if words.iter().any(|w| w.raw == "pipefail"));
        });
        found
    });
    script.into_iter().filter(move |_| !sets).flat_map(|s| s.lists.iter().flat_map(AndOr::pipelines))
}

fn is_lossy(pipeline: &Pipeline) -> bool {
    let prints = |kind: &CommandKind| matches!(kind, CommandKind::Simple { words, .. } if words.first().is_some_and(|w| matches!(w.raw.as_str(), "echo" | "printf" | "yes" | "cat")));
    pipeline.commands.len() > 1 && pipeline.commands.split_last().is_some_and(|(_, before)| !before.iter().all(|c| prints(&c.kind)))
}

/// Why another shell would change more than pipelines.
fn obstacle(steps: &[Step]) -> Option<String> {
    let started = |s: &&Step| {
        matches!(
            s.view,
            View::Cmd { form: Form::Shell } | View::Entrypoint { form: Form::Shell } | View::Healthcheck { form: Some(Form::Shell) }
        )
    };
    if let Some(step) = steps.iter().find(started) {
        return Some(format!("line {} is in shell form and would be started by the new SHELL too", step.line));
    }
    let early = steps.iter().find(|s| {
        pipelines(s).filter(|p| p.commands.len() > 1).any(|p| {
            let name = |kind: &CommandKind| match kind {
                CommandKind::Simple { words, .. } => words.first().and_then(|w| w.literal.clone()),
                _ => None,
            };
            let names: Vec<_> = p.commands.iter().map(|c| name(&c.kind).unwrap_or_default()).collect();
            names.first().is_some_and(|n| n == "yes") || names.iter().skip(1).any(|n| EARLY.contains(&n.as_str()))
        })
    });
    early.map(|s| format!("line {} has a pipeline whose end may stop reading early, which would then be a failure", s.line))
}

/// A shell of the stage's base that knows pipefail.
fn shell(model: &Model, stage: usize) -> Option<&'static str> {
    let mut base = &model.stages.get(stage)?.base;
    while let Base::Stage(parent) = base {
        base = &model.stages.get(*parent)?.base;
    }
    let Base::Image(image) = base else { return None };
    match image.facts.as_ref()?.distribution.as_deref()? {
        "debian" | "ubuntu" | "fedora" | "rhel" | "amazon" | "oracle" | "opensuse" | "arch" => Some("/bin/bash"),
        "alpine" => Some("/bin/ash"),
        _ => None,
    }
}
