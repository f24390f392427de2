//! Suggests a stage of its own for RUNs that only test.

use super::{Findings, Group, Level, Proposal, Transform};
use crate::edit::Edit;
use crate::model::command::{Action, Operation};
use crate::model::{Model, Stage, Step};
use crate::syntax::{Form, ItemKind, Keyword, View};

/// See `page.md`.
pub const TRANSFORM: Transform = Transform {
    id: "test-stage",
    summary: "Suggest a stage of its own for the RUNs of a builder that only test",
    group: Group::Restructure,
    may_change: &[],
    page: include_str!("page.md"),
    run,
};

/// The name of the new stage.
const TEST: &str = "test";

fn run(model: &Model) -> Findings {
    let mut findings = Findings::default();
    let Some((_, builders)) = model.stages.split_last() else { return findings };
    let counts = |step: &Step| match &step.view {
        View::Copy { from: Some(from), .. } => from.parse::<usize>().is_ok(),
        _ => step.reading.flags.iter().any(|f| f.name == "mount" && f.value.as_deref().is_some_and(|v| v.contains("from="))),
    };
    // A new stage changes the numbers of those behind it.
    if model.stages.iter().any(|s| s.name.as_deref() == Some(TEST)) || model.steps.iter().any(counts) {
        return findings;
    }
    findings.proposals.extend(builders.iter().find_map(|stage| moved(model, stage)));
    findings
}

/// The tests of `stage` in a stage behind it; `None` where it has none that can move.
fn moved(model: &Model, stage: &Stage) -> Option<Proposal> {
    let steps = model.steps.get(stage.steps.clone())?;
    let (from, next) = (steps.first()?, model.steps.get(stage.steps.end)?);
    let tests: Vec<&Step> = steps.iter().filter(|s| only_tests(s)).collect();
    let first = tests.first()?;
    let builds = |step: &Step| step.keyword == Keyword::Run && !only_tests(step);
    if stage.used_by.is_empty() || !steps.iter().any(builds) || !tests.iter().all(|t| same_state(t, stage)) {
        return None;
    }
    let source = model.file.source();
    // What a later line takes away, the tests may need.
    let removes = |step: &Step| {
        step.commands().iter().any(|c| {
            matches!(c.program(), Some("rm" | "rmdir" | "mv"))
                || matches!(
                    &c.action,
                    Action::System { operation: Operation::Remove, .. } | Action::Language { operation: Operation::Remove, .. }
                )
        }) || step.span.text(source).contains("prune")
    };
    if steps.iter().skip_while(|s| s.line <= first.line).any(removes) {
        return None;
    }
    let newline = if from.span.text(source).ends_with("\r\n") { "\r\n" } else { "\n" };
    let lower = from.span.text(source).trim_start().starts_with("from");
    let word = |keyword: &str| if lower { keyword.to_ascii_lowercase() } else { keyword.to_owned() };
    let mut edits = Vec::new();
    let View::From { image, alias, .. } = &from.view else { return None };
    let name = match alias {
        Some(alias) => alias.text.clone(),
        None => {
            let name = ["build", "builder"].into_iter().find(|n| !model.stages.iter().any(|s| s.name.as_deref() == Some(n)))?;
            edits.push(Edit::insert(image.span.end, format!(" {} {name}", word("AS"))));
            name.to_owned()
        }
    };
    let mut text = format!("{} {name} {} {TEST}{newline}", word("FROM"), word("AS"));
    for test in &tests {
        let block = model.file.block(test.item);
        text.push_str(block.text(source));
        edits.push(Edit::delete(block));
    }
    let blank_before = model.file.block(next.item).start;
    let behind_blank = model.file.items.iter().any(|i| i.span.end == blank_before && matches!(i.kind, ItemKind::Blank));
    let lead = if behind_blank { "" } else { newline };
    edits.push(Edit::insert(blank_before, format!("{lead}{text}{newline}")));
    edits.sort_by_key(|e| (e.span.start, e.span.end));
    Some(Proposal {
        level: Level::Suggest,
        title: format!("test in a stage of its own, `{TEST}`"),
        reason: format!(
            "whoever builds the image waits for the tests each time; `docker build --target {TEST}` runs them, and a build of the image skips them then"
        ),
        line: first.line,
        declares: Vec::new(),
        edits,
    })
}

/// Whether a RUN does nothing but test, and leaves nothing that it names.
fn only_tests(step: &Step) -> bool {
    let Some(run) = step.run.as_ref().filter(|_| step.keyword == Keyword::Run) else { return false };
    let understood = run.script.is_some() || step.reading.form == Form::Exec;
    let commands = &run.commands;
    understood && !commands.is_empty() && commands.iter().all(|c| c.action == Action::Test && c.writes.is_empty())
}

/// Whether the end of the stage gives the tests what stands at their own place.
fn same_state(test: &Step, stage: &Stage) -> bool {
    let (here, end) = (&test.before, &stage.end);
    here.workdir.is_some()
        && here.workdir == end.workdir
        && here.user == end.user
        && here.shell == end.shell
        && here.env == end.env
        && here.args == end.args
}
