//! Build arguments that change with every commit: below the steps that they would run again, as far as their first use.

use std::collections::BTreeSet;

use crate::catalog::arguments::{is_changing, is_placeholder};
use crate::edit::Edit;
use crate::model::command::{Action, Operation};
use crate::model::{Model, Step};
use crate::source::Span;
use crate::syntax::{ItemKind, Keyword, View};

use super::starts_paragraph;
use crate::transforms::{Level, Proposal};

/// Whether a text expands the variable `name`, or one that begins with its name.
fn expands(text: &str, name: &str) -> bool {
    text.contains(&format!("${name}")) || text.contains(&format!("${{{name}"))
}

/// What moves down in a stage, and what it is about.
struct Moving {
    /// The indices of the instructions that move.
    steps: Vec<usize>,
    /// The names that they give a value.
    names: BTreeSet<String>,
    /// The keys of the labels among them.
    labels: BTreeSet<String>,
    /// The RUN behind which they go, and how many they are moved over.
    behind: Option<usize>,
    over: usize,
}

/// The move of the arguments of a stage.
pub(super) fn late(model: &Model, stage: usize) -> Option<Proposal> {
    let range = model.stages.get(stage)?.steps.clone();
    let mut moving = Moving { steps: Vec::new(), names: BTreeSet::new(), labels: BTreeSet::new(), behind: None, over: 0 };
    for index in range {
        let step = model.steps.get(index)?;
        if let Some(names) = argument(step) {
            if names.iter().any(|n| moving.names.contains(n) || used_before(model, stage, index, n)) {
                break;
            }
            moving.names.extend(names);
            moving.steps.push(index);
        } else if !moving.steps.is_empty() && !moving.passes(model, index, step) {
            break;
        }
    }
    let behind = moving.behind?;
    // What stands behind the last step that is passed stays where it is.
    moving.steps.retain(|s| *s < behind);
    let first = model.steps.get(*moving.steps.first()?)?;
    let last = model.steps.get(behind)?;
    let names: Vec<String> = moving.steps.iter().filter_map(|s| model.steps.get(*s)).filter_map(argument).flatten().collect();
    let what = if names.len() < 4 { names.join(", ") } else { format!("{} build arguments", names.len()) };
    let many = if moving.over == 1 { "step that installs".to_owned() } else { format!("{} steps", moving.over) };
    Some(Proposal {
        level: Level::Review,
        title: format!("declare {what} behind line {}", last.line),
        reason: format!(
            "a build argument is part of every RUN behind it, and {what} is another one with each commit; the {many} up to line {} do without",
            last.line
        ),
        line: first.line,
        declares: Vec::new(),
        edits: relocate(model, &moving.steps, last)?,
    })
}

/// The names of an ARG that declares nothing but what changes with every commit.
fn argument(step: &Step) -> Option<Vec<String>> {
    let View::Arg { pairs } = &step.view else { return None };
    let names: Vec<String> = pairs.iter().map(|p| p.name.text.clone()).collect();
    // A default that means something, such as the checksum of a download, is no build's.
    let open = pairs.iter().all(|p| p.value.as_ref().is_none_or(|v| is_placeholder(&v.text)));
    (!names.is_empty() && open && names.iter().all(|n| is_changing(n))).then_some(names)
}

/// Whether a name has a value in the stage before: the ARG would mean another one elsewhere.
fn used_before(model: &Model, stage: usize, index: usize, name: &str) -> bool {
    let start = model.stages.get(stage).map_or(0, |s| s.steps.start);
    let known =
        model.steps.get(index).is_some_and(|s| s.before.env.iter().any(|(n, _)| n == name) || s.before.args.iter().any(|(n, _)| n == name));
    known || model.steps.get(start..index).unwrap_or_default().iter().any(|s| expands(s.span.text(model.file.source()), name))
}

impl Moving {
    /// Whether the instruction at `index` can go before what moves; labels and variables that use it move along.
    fn passes(&mut self, model: &Model, index: usize, step: &Step) -> bool {
        let text = step.span.text(model.file.source());
        let uses = self.names.iter().any(|n| expands(text, n));
        match &step.view {
            View::Label { pairs, .. } => {
                let keys: Vec<String> = pairs.iter().map(|p| p.name.text.clone()).collect();
                if uses {
                    self.labels.extend(keys);
                    self.steps.push(index);
                    return true;
                }
                !keys.iter().any(|k| self.labels.contains(k) || k.contains('$'))
            }
            View::Env { pairs, .. } => {
                let names: Vec<String> = pairs.iter().map(|p| p.name.text.clone()).collect();
                if uses {
                    // A variable that is set already, or that means something to the steps in between, stays.
                    let plain = pairs.iter().all(|p| p.value.as_ref().is_some_and(|v| self.names.iter().any(|n| expands(&v.text, n))))
                        && names.iter().all(|n| is_changing(n) || own_name(n))
                        && !names.iter().any(|n| step.before.env.iter().any(|(e, _)| e == n));
                    if plain {
                        self.names.extend(names);
                        self.steps.push(index);
                    }
                    return plain;
                }
                !names.iter().any(|n| self.names.contains(n))
            }
            View::Arg { pairs } => !uses && !pairs.iter().any(|p| self.names.contains(&p.name.text)),
            View::Run { .. } => {
                let plain = self.names.iter().all(|n| !text.contains(n.as_str())) && does_without(step);
                if plain {
                    self.behind = Some(index);
                    self.over += 1;
                }
                plain
            }
            View::Copy { .. }
            | View::Workdir { .. }
            | View::User { .. }
            | View::Expose { .. }
            | View::Volume { .. }
            | View::Stopsignal { .. } => !uses,
            View::Shell { .. } | View::Maintainer { .. } | View::Cmd { .. } | View::Entrypoint { .. } | View::Healthcheck { .. } => true,
            _ => false,
        }
    }
}

/// Names that only a program of one's own reads: `MYAPP_VERSION`, `APP_REVISION`, not `NODE_VERSION` or `npm_config_...`.
fn own_name(name: &str) -> bool {
    ["APP_", "SERVICE_", "IMAGE_", "RELEASE_", "SENTRY_RELEASE"].iter().any(|p| name.starts_with(p))
}

/// Whether a RUN only installs what others have made, or works on files: nothing of the project's own reads its environment.
fn does_without(step: &Step) -> bool {
    let Some(run) = step.run.as_ref().filter(|r| r.script.is_some()) else { return false };
    step.keyword == Keyword::Run
        && !run.commands.is_empty()
        && run.commands.iter().all(|c| match &c.action {
            Action::System { operation, .. } => *operation != Operation::Other,
            Action::Language { manager, operation, packages, .. } => {
                let local = |t: &str| t.starts_with(['.', '/']) || t.contains('$');
                let scripts = match manager.as_str() {
                    // Without names they run the scripts of the project.
                    "npm" | "yarn" | "pnpm" | "composer" => {
                        packages.is_empty() && !c.words.iter().any(|w| matches!(w.raw.as_str(), "--ignore-scripts" | "--no-scripts"))
                    }
                    "pip" | "gem" | "apk" => false,
                    "go" => !c.words.iter().any(|w| w.raw == "download" || w.raw.contains('@')),
                    "bundle" => false,
                    _ => true,
                };
                matches!(operation, Operation::Install | Operation::Download | Operation::Clean)
                    && !scripts
                    && !packages.iter().any(|p| local(&p.raw))
            }
            Action::User | Action::Clean | Action::File { .. } => true,
            Action::Download => c.program() != Some("git") || !c.words.iter().any(|w| w.raw.contains('$')),
            Action::Shell => {
                !matches!(c.program(), Some("env" | "printenv" | "export" | "set" | "declare" | "eval" | "." | "source"))
                    || c.words.len() > 1 && c.program() == Some("set")
            }
            _ => false,
        })
}

/// The edits that take the instructions away and put them behind `last`.
fn relocate(model: &Model, steps: &[usize], last: &Step) -> Option<Vec<Edit>> {
    let source = model.file.source();
    let mut edits = Vec::new();
    let mut text = String::new();
    let eol = if last.span.text(source).ends_with("\r\n") { "\r\n" } else { "\n" };
    if !last.span.text(source).ends_with('\n') {
        text.push_str(eol);
    }
    let blocks: Vec<Span> = steps.iter().filter_map(|s| model.steps.get(*s)).map(|s| model.file.block(s.item)).collect();
    if starts_paragraph(model, *blocks.first()?) {
        text.push_str(eol);
    }
    for block in &blocks {
        let own = source.get(block.start..block.end)?;
        text.push_str(own);
        if !own.ends_with('\n') {
            text.push_str(eol);
        }
        edits.push(Edit::delete(*block));
    }
    edits.extend(doubled(model, &blocks, last).into_iter().map(Edit::delete));
    edits.push(Edit::insert(last.span.end, text));
    Some(edits)
}

/// The blank lines that would follow another blank line where something was taken away.
fn doubled(model: &Model, blocks: &[Span], last: &Step) -> Vec<Span> {
    let mut out = Vec::new();
    let (mut blank, mut taken) = (false, false);
    for item in model.file.items.iter().take_while(|i| i.span.start < last.span.start) {
        if blocks.iter().any(|b| b.start <= item.span.start && item.span.end <= b.end) {
            taken = true;
        } else if matches!(item.kind, ItemKind::Blank) && blank && taken {
            out.push(item.span);
        } else {
            blank = matches!(item.kind, ItemKind::Blank);
            taken = false;
        }
    }
    out
}
