//! Files that have several stages already: nothing is moved, but what a final stage carries without need is told.

use crate::model::command::{Action, Operation};
use crate::model::{Base, Model, Step};
use crate::syntax::{Keyword, View};
use crate::transforms::Refusal;

/// What the last stage of `model` brings along that only builds.
pub(super) fn reports(model: &Model) -> Vec<Refusal> {
    let Some(stage) = model.stages.last() else { return Vec::new() };
    let steps = model.steps.get(stage.steps.start..stage.steps.end).unwrap_or_default();
    // A last stage that starts nothing is a base for others, or tests.
    if !steps.iter().any(Step::starts) {
        return Vec::new();
    }
    steps.iter().filter_map(|s| build_packages(model, s)).chain(toolchain(model, &stage.base, steps)).collect()
}

/// Packages that only build, installed by a RUN that doesn't remove them again.
fn build_packages(model: &Model, step: &Step) -> Option<Refusal> {
    let removes = step.commands().iter().any(|c| matches!(c.action, Action::System { operation: Operation::Remove, .. }));
    let mut found: Vec<&str> = Vec::new();
    for command in step.commands().iter().filter(|_| !removes) {
        let Action::System { manager, operation: Operation::Install, packages } = &command.action else { continue };
        let literal = packages.iter().filter_map(|w| w.literal.as_deref());
        // A virtual package is there to be removed by a later line.
        if command.words.iter().any(|w| w.raw == "--virtual" || w.raw == "-t") {
            continue;
        }
        let started = |p: &str| {
            let starts = model.steps.iter().filter(|s| matches!(s.keyword, Keyword::Cmd | Keyword::Entrypoint | Keyword::Healthcheck));
            starts.into_iter().any(|s| s.span.text(model.file.source()).contains(p))
        };
        found.extend(literal.filter(|p| !started(p) && model.catalog.is_build_only(p.split(['=', ':', '/']).next().unwrap_or(p), manager)));
    }
    found.dedup();
    let names = found.iter().map(|p| format!("`{p}`")).collect::<Vec<_>>().join(", ");
    (!found.is_empty()).then(|| Refusal {
        line: step.line,
        reason: format!("the last of several stages installs {names}, which only build; a stage that is left behind could do that"),
    })
}

/// A toolchain as the base of a stage that only takes over what others built.
fn toolchain(model: &Model, base: &Base, steps: &[Step]) -> Option<Refusal> {
    let (Base::Image(image), Some(from)) = (base, steps.first()) else { return None };
    let facts = image.facts.as_ref().filter(|f| matches!(f.language.as_deref(), Some("go" | "rust" | "c" | "java")))?;
    let smaller = facts.runtime.as_ref().filter(|r| **r != image.written)?;
    let copies =
        |from_stage: bool| steps.iter().filter(move |s| matches!(&s.view, View::Copy { from, .. } if from.is_some() == from_stage)).count();
    let builds = steps
        .iter()
        .flat_map(|s| s.commands())
        .any(|c| matches!(c.action, Action::Build { .. } | Action::Language { .. }) || c.action.is_unforeseen());
    let starts = steps.iter().filter(|s| matches!(s.keyword, Keyword::Cmd | Keyword::Entrypoint)).map(|s| s.span.text(model.file.source()));
    let tools = ["go ", "go\"", "cargo", "mvn", "gradle", "javac", "make", "gcc"];
    let builds_late = starts.into_iter().any(|text| tools.iter().any(|t| text.contains(t)));
    (copies(true) > 0 && copies(false) == 0 && !builds && !builds_late).then(|| Refusal {
        line: from.line,
        reason: format!(
            "the last stage takes all that it holds from other stages and still starts from `{}`, a whole toolchain; `{smaller}` would run it",
            image.written
        ),
    })
}
