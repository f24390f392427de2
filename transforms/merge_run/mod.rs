//! Joins adjacent RUN instructions where a shell can't tell the difference.

mod between;
mod gain;
mod heredoc;
mod join;
#[cfg(test)]
mod proof;
mod shape;

use std::ops::Range;

use join::Part;
use shape::Shape;

use super::style::Style;
use super::{Findings, Group, Level, Proposal, Refusal, Transform};
use crate::edit::Edit;
use crate::model::command::Classified;
use crate::model::{Base, Model, RunFacts, Step};
use crate::shell::{Body, Dialect, Script};
use crate::source::Span;
use crate::syntax::{Form, Instruction, ItemKind, Keyword};

/// See `page.md`.
pub const TRANSFORM: Transform = Transform {
    id: "merge-run",
    summary: "Join adjacent RUN instructions where it shrinks the image or mends a stale package index",
    group: Group::Restructure,
    may_change: &[],
    page: include_str!("page.md"),
    run,
};

/// A shell gets its script as one argument, for which Linux has 128 KiB at most.
const MOST_BYTES: usize = 100_000;

/// Two or more RUN instructions with nothing but comments and blank lines in between.
struct Row {
    /// The indices of the steps.
    steps: Vec<usize>,
    /// Whether their stage is part of the image that ships.
    ships: bool,
}

/// A RUN beside others.
struct Member<'m> {
    step: &'m Step,
    keyword: Span,
    script: Option<&'m Script>,
    shape: Option<Shape>,
    body: Span,
    /// What it would be in a here-document, where the settings and the file want one.
    lines: Option<heredoc::Lines>,
    is_heredoc: bool,
    /// Its here-document is one of `<<-`.
    strips_tabs: bool,
}

impl<'m> Member<'m> {
    /// The RUN as part of a here-document.
    fn part(&'m self, instruction: &'m Instruction) -> Option<heredoc::Part<'m>> {
        Some(heredoc::Part { instruction, arguments: self.step.reading.arguments, script: self.script?, shape: self.shape.as_ref()? })
    }

    /// Whether this RUN and `next` can be lines of one here-document.
    fn lines_fit(&self, next: &Self) -> bool {
        self.lines.as_ref().zip(next.lines.as_ref()).is_some_and(|(lines, next)| lines.fits(next))
    }
}

/// The delimiter of the here-documents that RUNs are joined into; `None` where they are joined by `&&`.
fn opener(model: &Model) -> Option<String> {
    let written = heredoc::opener(&model.file);
    match model.options.get("merge-run", "style").and_then(|s| s.as_str()) {
        Some("chain") => None,
        Some("heredoc") => Some(written.unwrap_or_else(|| "<<EOF".to_owned())),
        _ => written,
    }
}

/// Joins every group that can be joined, whatever it brings.
fn joins_all(model: &Model) -> bool {
    model.options.get("merge-run", "policy").and_then(|p| p.as_str()) == Some("all")
}

fn run(model: &Model) -> Findings {
    let mut findings = Findings::default();
    for row in rows(model) {
        row_findings(model, &row, &mut findings);
    }
    findings
}

/// The indices of the steps that [`run`] would join, group by group; for transforms that ask what will stand in one layer.
pub(crate) fn groups(model: &Model) -> Vec<Vec<usize>> {
    let mut groups = Vec::new();
    for row in rows(model) {
        let members = members(model, &row.steps);
        let segments = plan(model, &members, row.ships).0.into_iter();
        groups.extend(segments.map(|s| s.range.filter_map(|m| row.steps.get(m).copied()).collect()));
    }
    groups
}

/// Those that it would join with `step`, itself included. Empty where that stands alone.
pub(crate) fn joined_with(model: &Model, step: usize) -> Vec<usize> {
    groups(model).into_iter().find(|group| group.contains(&step)).unwrap_or_default()
}

/// Every row of the file, in order.
fn rows(model: &Model) -> Vec<Row> {
    let shipping = shipping(model);
    let mut rows = Vec::new();
    for (number, stage) in model.stages.iter().enumerate() {
        let ships = shipping.contains(&number);
        let mut steps: Vec<usize> = Vec::new();
        for index in stage.steps.clone() {
            let Some(step) = model.steps.get(index) else { continue };
            let follows =
                steps.last().and_then(|r| model.steps.get(*r)).is_some_and(|before| between_is_idle(model, before.item, step.item));
            if step.keyword != Keyword::Run || !follows {
                let steps = std::mem::take(&mut steps);
                rows.extend((steps.len() > 1).then_some(Row { steps, ships }));
            }
            if step.keyword == Keyword::Run {
                steps.push(index);
            }
        }
        rows.extend((steps.len() > 1).then_some(Row { steps, ships }));
    }
    rows
}

/// The final stage and the stages that it starts from.
pub(crate) fn shipping(model: &Model) -> Vec<usize> {
    let mut stages = Vec::new();
    let mut next = model.stages.len().checked_sub(1);
    while let Some(stage) = next.filter(|s| !stages.contains(s)) {
        stages.push(stage);
        next = match model.stages.get(stage).map(|s| &s.base) {
            Some(Base::Stage(parent)) => Some(*parent),
            _ => None,
        };
    }
    stages
}

fn between_is_idle(model: &Model, from: usize, to: usize) -> bool {
    model.file.items.get(from + 1..to).is_some_and(|items| items.iter().all(|i| matches!(i.kind, ItemKind::Comment | ItemKind::Blank)))
}

fn members<'m>(model: &'m Model, row: &[usize]) -> Vec<Member<'m>> {
    let in_lines = opener(model).is_some();
    row.iter()
        .filter_map(|index| {
            let step = model.steps.get(*index)?;
            let instruction = model.file.instruction(step.item)?;
            let script = step.run.as_ref().and_then(|facts| facts.script.as_ref());
            let shape = script.and_then(|script| {
                let body = Body::of_run(model.file.source(), instruction, &step.reading, model.file.escape)?;
                let errexit = step.before.shell.iter().skip(1).any(|f| f == "errexit" || (f.starts_with('-') && f.contains('e')));
                Some(Shape::of(script, body.text(), Dialect::of(&step.before.shell), errexit))
            });
            let is_heredoc = !instruction.heredocs.is_empty();
            let strips_tabs = instruction.heredocs.iter().any(|h| h.strip_tabs);
            let mut member = Member {
                step,
                keyword: instruction.keyword_span,
                script,
                shape,
                body: instruction.body,
                lines: None,
                is_heredoc,
                strips_tabs,
            };
            if in_lines {
                member.lines = member.part(instruction).and_then(|part| heredoc::Lines::of(model.file.source(), &part, model.file.escape));
            }
            Some(member)
        })
        .collect()
}

/// Why nothing can be joined to `member` on either side.
fn unfit(member: &Member, in_lines: bool) -> Option<String> {
    if member.step.reading.form == Form::Exec {
        return Some("is in exec form, which no shell runs".into());
    }
    if member.is_heredoc && !in_lines {
        return Some(
            if member.strips_tabs {
                "has a here-document of `<<-`, which takes the tabs off all that would join it"
            } else {
                "has a here-document"
            }
            .into(),
        );
    }
    match &member.shape {
        None => Some("is not understood as a shell script".into()),
        Some(shape) => shape.unfit.map(str::to_owned),
    }
}

/// Why `next` can't be joined to `member`, the RUN before it; with the line that it is about.
fn barrier(model: &Model, members: &[Member], at: usize) -> Option<Refusal> {
    let (member, next) = (members.get(at)?, members.get(at + 1)?);
    let refuse = |step: &Step, why: &str| {
        Some(Refusal {
            reason: format!(
                "line {} {why}, so it can't be joined with the RUN {}",
                step.line,
                if std::ptr::eq(step, member.step) { "behind it" } else { "before it" }
            ),
            line: step.line,
        })
    };
    for one in [member, next] {
        if let Some(why) = unfit(one, member.lines_fit(next)) {
            return refuse(one.step, &why);
        }
    }
    let flags = |m: &Member| {
        let mut flags: Vec<_> = m.step.reading.flags.iter().map(|f| (f.name.clone(), f.value.clone())).collect();
        flags.sort();
        flags
    };
    if flags(member) != flags(next) {
        return refuse(next.step, "has other --mount, --network or --security flags than the RUN before it");
    }
    // The joined instruction has one keyword; whose spelling wins is not for this transform to say.
    let spelling = |m: &Member| m.keyword.text(model.file.source()).to_owned();
    if spelling(member) != spelling(next) {
        return refuse(next.step, &format!("spells its keyword `{}`, another way than the RUN before it", spelling(next)));
    }
    let between = Span::new(member.body.end, next.body.start).text(model.file.source());
    if between.lines().any(|l| l.trim_start().starts_with('#') && l.contains("hadolint ignore")) {
        return refuse(next.step, "has a hadolint pragma of its own");
    }
    if let Some(run) = &member.step.run
        && run.commands.iter().any(Classified::starts_daemon)
    {
        return refuse(member.step, "starts a service, which would run on");
    }
    if let Some(why) = member.step.run.as_ref().and_then(|run| between::lost(run, &member.step.before)) {
        return refuse(member.step, &why);
    }
    let earlier: Vec<&RunFacts> = members.get(..=at).unwrap_or_default().iter().filter_map(|m| m.step.run.as_ref()).collect();
    let replaced = next.step.run.as_ref().and_then(|run| between::replaced_program(&earlier, run));
    if let Some(program) = replaced {
        return refuse(next.step, &format!("runs `{program}`, which an earlier RUN replaces; one shell may remember the old one"));
    }
    let (shape, next_shape) = (member.shape.as_ref()?, next.shape.as_ref()?);
    if !shape.governed_like(next_shape)
        && !member.lines_fit(next)
        && let Some(why) = shape.stops()
    {
        return refuse(member.step, why);
    }
    None
}

/// The RUNs of a row that the policy wants to see joined.
fn wanted(model: &Model, members: &[Member], ships: bool) -> Vec<gain::Gain> {
    let facts: Vec<Option<&RunFacts>> = members.iter().map(|m| m.step.run.as_ref()).collect();
    let lines: Vec<usize> = members.iter().map(|m| m.step.line).collect();
    if !ships {
        return gain::stale(&facts, &lines);
    }
    if joins_all(model) {
        return vec![gain::Gain {
            range: 0..members.len(),
            reason: "fewer layers, as the settings ask for (policy = \"all\")".into(),
            shrinks: true,
        }];
    }
    gain::gains(&facts, &lines)
}

/// One end for the segment from `start`: all of it is joined by `&&`, or all by `;` under one `set -e`, or as lines of a here-document.
fn segment_end(members: &[Member], start: usize, limit: usize) -> usize {
    let mut bytes = 0;
    let fits = |member: &&Member| {
        // The continuation and the wrap that each brings along.
        bytes += member.step.span.len() + 32;
        bytes <= MOST_BYTES
    };
    let limit = start + members.get(start..limit).unwrap_or_default().iter().take_while(fits).count().max(1);
    let governed = |at: usize| match (members.get(at).and_then(|m| m.shape.as_ref()), members.get(at + 1).and_then(|m| m.shape.as_ref())) {
        (Some(one), Some(next)) => at + 1 < limit && one.governed_like(next),
        _ => false,
    };
    let in_lines = |at: usize| members.get(at).zip(members.get(at + 1)).is_some_and(|(one, next)| at + 1 < limit && one.lines_fit(next));
    let chained = |at: usize| {
        let pair = members.get(at).zip(members.get(at + 1)).filter(|_| at + 1 < limit);
        pair.is_some_and(|(one, next)| !one.is_heredoc && !next.is_heredoc && one.shape.as_ref().is_some_and(|s| s.stops().is_none()))
    };
    let reach = |joins: &dyn Fn(usize) -> bool| (start..limit).find(|at| !joins(*at)).map_or(limit, |at| at + 1);
    // The longest segment counts, and what the settings want where there is a choice.
    let others = if governed(start) { reach(&governed) } else { reach(&chained) };
    others.max(reach(&in_lines))
}

/// The groups of a row that are joined, each with its reason, and what stands in the way of others.
fn plan(model: &Model, members: &[Member], ships: bool) -> (Vec<gain::Gain>, Vec<Refusal>) {
    let (mut found, mut refusals) = (Vec::new(), Vec::new());
    for gain in wanted(model, members, ships) {
        let mut start = gain.range.start;
        for at in gain.range.clone() {
            let barrier = if at + 1 == gain.range.end { None } else { barrier(model, members, at) };
            if barrier.is_none() && at + 1 < gain.range.end {
                continue;
            }
            // What stands in the way of a gain is worth a word.
            refusals.extend(barrier.filter(|_| gain.shrinks));
            found.extend(worth_it(model, members, ships, start..at + 1, &gain));
            start = at + 1;
        }
    }
    (found, refusals)
}

/// What can be joined of `range`, in which no barrier stands, and pays by itself.
fn worth_it(model: &Model, members: &[Member], ships: bool, range: Range<usize>, gain: &gain::Gain) -> Vec<gain::Gain> {
    let mut found = Vec::new();
    let mut start = range.start;
    while start < range.end {
        let end = segment_end(members, start, range.end);
        if end > start + 1 {
            let inner = members.get(start..end).unwrap_or_default();
            let reason = if (start..end) == gain.range || (ships && joins_all(model)) {
                Some(gain.reason.clone())
            } else {
                wanted(model, inner, ships).into_iter().next().map(|g| g.reason)
            };
            found.extend(reason.map(|reason| gain::Gain { range: start..end, reason, shrinks: gain.shrinks }));
        }
        start = end;
    }
    found
}

fn row_findings(model: &Model, row: &Row, findings: &mut Findings) {
    let members = members(model, &row.steps);
    let (segments, refusals) = plan(model, &members, row.ships);
    findings.refusals.extend(refusals);
    for segment in segments {
        let Some(inner) = members.get(segment.range.clone()) else { continue };
        let (Some(first), Some(edits)) = (inner.first(), edits(model, inner)) else { continue };
        findings.proposals.push(Proposal {
            level: Level::Safe,
            title: format!("join {} RUN instructions into one layer", segment.range.len()),
            reason: segment.reason,
            line: first.step.line,
            declares: Vec::new(),
            edits,
        });
    }
}

/// The edits that join `members`.
fn edits(model: &Model, members: &[Member]) -> Option<Vec<Edit>> {
    let source = model.file.source();
    if members.windows(2).all(|pair| matches!(pair, [one, next] if one.lines_fit(next))) {
        let parts: Option<Vec<_>> =
            members.iter().map(|m| Some((m.part(model.file.instruction(m.step.item)?)?, m.lines.clone()?))).collect();
        let edit = heredoc::edit(source, &parts?, &opener(model)?);
        if edit.is_some() || members.iter().any(|m| m.is_heredoc) {
            return edit.map(|e| vec![e]);
        }
    }
    let parts: Option<Vec<Part>> =
        members.iter().map(|m| Some(Part { script: m.script?, shape: m.shape.as_ref()?, body: m.body })).collect();
    let parts = parts?;
    let file_spans = model.file.instructions().filter(|(_, i)| i.keyword == Keyword::Run).map(|(_, i)| i.body);
    let style = Style::of(source, parts.iter().map(|p| p.body).chain(file_spans), model.file.escape);
    Some(join::edits(source, &parts, &style, model.file.escape))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use crate::config::Options;
    use crate::context::Context;
    use crate::syntax::Dockerfile;

    #[test]
    fn what_is_joined_fits_one_argument() {
        let run = format!("RUN mkdir /{}\n", "a".repeat(3000));
        let file = Dockerfile::parse(format!("FROM debian:12\n{}", run.repeat(60)));
        let (context, options) = (Context::none(), Options::default());
        let found = super::run(&Model::new(&file, &context, Catalog::built_in(), &options));
        let titles: Vec<_> = found.proposals.iter().map(|p| p.title.as_str()).collect();
        assert_eq!(titles, ["join 32 RUN instructions into one layer", "join 28 RUN instructions into one layer"]);
    }
}
