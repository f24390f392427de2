//! An install that shares its RUN with a build: the two are taken apart, and the sources are copied in between.

use super::needs::{absolute, is_install, of_command};
use super::{Ahead, Reach, ahead, indentation, line_end, relocate};
use crate::edit::Edit;
use crate::model::command::{Action, Classified, Operation};
use crate::model::path::inside;
use crate::model::{Base, Model, Step};
use crate::shell::{CommandKind, Operator, Pipeline};
use crate::source::Span;
use crate::syntax::Form;
use crate::transforms::{Level, Proposal};

/// Where a RUN can be taken apart.
struct Seam {
    /// How many of its commands come before.
    before: usize,
    /// What has to be said again behind it: `cd client`, `set -e`.
    again: Vec<String>,
    /// The files of the context that the commands before it read.
    reads: Vec<String>,
}

/// The RUN that stops `reach` in two, with the COPY between them; `Err` where it could be done but for the reason given.
pub(super) fn apart(model: &Model, stage: usize, reach: &Reach) -> Option<Result<Proposal, String>> {
    let step = model.steps.get(reach.block)?;
    if !reach.tending.is_empty() || reach.line == 0 {
        return None;
    }
    let (pipelines, commands) = chain(model, step)?;
    let seam = seam(model, step, reach, &pipelines, &commands)?;
    let ahead = ahead(model, reach, &seam.reads)?;
    if let Some(command) = commands.get(seam.before..)?.iter().find(|c| removes(c)).filter(|_| ships(model, stage)) {
        let said = command.words.iter().map(|w| w.raw.as_str()).collect::<Vec<_>>().join(" ");
        return Some(Err(format!("its RUN ends with `{said}`, and what another layer holds can't be removed")));
    }
    proposal(model, step, reach, &pipelines, &seam, &ahead).map(Ok)
}

fn proposal(model: &Model, step: &Step, reach: &Reach, pipelines: &[&Pipeline], seam: &Seam, ahead: &Ahead) -> Option<Proposal> {
    let source = model.file.source();
    let instruction = model.file.instruction(step.item)?;
    let (last, next) = (pipelines.get(seam.before.checked_sub(1)?)?, pipelines.get(seam.before)?);
    let glue = Span::new(last.span.end, next.span.start);
    // A comment between the two would be lost.
    if glue.text(source).contains('#') {
        return None;
    }
    let mut edits = relocate(model, reach, reach.block, &ahead.narrow.lines, "")?;
    let copied = edits.pop()?.text;
    let eol = line_end(model, step);
    let flags: String = step.reading.flags.iter().map(|f| format!("{} ", f.span.text(source))).collect();
    let again: String = seam.again.iter().map(|text| format!("{text} && ")).collect();
    let (indent, keyword) = (indentation(model, step), instruction.keyword_span.text(source));
    edits.push(Edit::replace(glue, format!("{eol}{copied}{indent}{keyword} {flags}{again}")));
    Some(Proposal {
        level: Level::Safe,
        title: format!("copy the sources between the install and the build of line {}", step.line),
        reason: format!(
            "the first commands of the RUN of line {} install and read {}, so in a step of their own they need not run again when other files change",
            step.line,
            ahead.what()
        ),
        line: reach.copy.step.line,
        declares: Vec::new(),
        edits,
    })
}

/// The commands of a RUN that is nothing but plain commands joined by `&&`.
fn chain<'m>(model: &'m Model, step: &'m Step) -> Option<(Vec<&'m Pipeline>, Vec<&'m Classified>)> {
    let run = step.run.as_ref()?;
    let script = run.script.as_ref()?;
    let [list] = script.lists.as_slice() else { return None };
    let mounts = |f: &&crate::syntax::Flag| f.name == "mount" && f.value.as_deref().is_some_and(|v| v.contains("type=cache"));
    let plain = !list.background
        && script.comment.is_none()
        && model.file.instruction(step.item)?.heredocs.is_empty()
        && step.reading.form != Form::Exec
        && step.reading.flags.iter().all(|f| mounts(&f))
        && list.rest.iter().all(|(o, _)| *o == Operator::And);
    let pipelines: Vec<&Pipeline> = std::iter::once(&list.first).chain(list.rest.iter().map(|(_, p)| p)).collect();
    let commands: Vec<&Classified> = run.commands.iter().collect();
    let simple = |p: &&Pipeline| !p.negated && matches!(p.commands.as_slice(), [c] if matches!(c.kind, CommandKind::Simple { .. }));
    let aligned = || pipelines.iter().zip(&commands).all(|(p, c)| p.span.start <= c.span.start && c.span.end <= p.span.end);
    (plain && pipelines.len() == commands.len() && pipelines.iter().all(simple) && aligned()).then_some((pipelines, commands))
}

/// Behind the last command before the one that stops `reach`, if those before it install something.
fn seam(model: &Model, step: &Step, reach: &Reach, pipelines: &[&Pipeline], commands: &[&Classified]) -> Option<Seam> {
    let mut seam = None;
    let mut again = Vec::new();
    let mut reads = reach.install.as_ref().map(|(_, reads)| reads.clone()).unwrap_or_default();
    let mut installs = false;
    // Folders that only the copy makes: what is brought ahead has to make them too.
    let mut entered: Vec<String> = Vec::new();
    for (index, (pipeline, command)) in pipelines.iter().zip(commands).enumerate() {
        match command.program() {
            Some("cd" | "export" | "set") => {
                if !is_repeatable(pipeline, command) {
                    break;
                }
                if command.program() == Some("cd") {
                    let folder = command.words.get(1).and_then(|w| w.literal.as_deref()).zip(command.directory.as_deref());
                    let Some(folder) = folder.map(|(folder, from)| absolute(from, folder)) else { break };
                    if reach.copy.covers(&folder) && step.before.workdir.as_deref() != Some(folder.as_str()) {
                        entered.push(folder);
                    }
                }
                again.push(pipeline.span.text(model.file.source()).to_owned());
                continue;
            }
            // What else changes the shell is not in force behind the seam.
            program if command.action == Action::Shell && !matches!(program, Some("echo" | "printf" | "true" | "test" | "[")) => break,
            _ => {}
        }
        let Ok(files) = of_command(model, step, command, &reach.copy) else { break };
        reads.extend(files.into_iter().filter(|f| reach.copy.target(f).is_some()));
        installs |= is_install(&command.action);
        let made = |folder: &String| reads.iter().filter_map(|f| reach.copy.target(f)).any(|path| inside(&path, folder));
        if installs && entered.iter().all(made) {
            reads.sort();
            reads.dedup();
            seam = Some(Seam { before: index + 1, again: again.clone(), reads: reads.clone() });
        }
    }
    seam.filter(|s| s.before < commands.len())
}

/// Whether a command that changes the shell does the same once more: plain words, nothing read, nothing written.
fn is_repeatable(pipeline: &Pipeline, command: &Classified) -> bool {
    let words: Option<Vec<&str>> = command.words.iter().map(|w| w.literal.as_deref()).collect();
    let is_plain = pipeline
        .commands
        .iter()
        .all(|c| c.redirections.is_empty() && matches!(&c.kind, CommandKind::Simple { assignments, .. } if assignments.is_empty()));
    is_plain
        && match words.as_deref() {
            Some(["cd", folder]) => *folder != "-",
            Some(["export", rest @ ..]) => rest.iter().all(|w| !w.starts_with('-')),
            Some(["set", rest @ ..]) => rest.iter().all(|w| w.starts_with(['-', '+']) || matches!(*w, "pipefail" | "errexit" | "xtrace")),
            _ => false,
        }
}

/// Whether a command removes what those before it may have written.
fn removes(command: &Classified) -> bool {
    let removing = |o: &Operation| matches!(o, Operation::Remove | Operation::Clean);
    match &command.action {
        Action::Clean => true,
        Action::System { operation, .. } | Action::Language { operation, .. } if removing(operation) => true,
        _ => {
            matches!(command.program(), Some("rm" | "rmdir" | "find" | "mv"))
                || command.words.iter().any(|w| {
                    matches!(w.raw.as_str(), "prune" | "purge" | "autoremove" | "--purge" | "--production" | "--prod")
                        || w.raw.starts_with("--omit")
                        || w.raw.starts_with("--only")
                })
        }
    }
}

/// Whether what a stage holds is shipped: it is the last one, or another starts from it.
fn ships(model: &Model, stage: usize) -> bool {
    stage + 1 == model.stages.len() || model.stages.iter().any(|s| matches!(s.base, Base::Stage(parent) if parent == stage))
}
