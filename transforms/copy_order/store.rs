//! Builds that fetch while they build (Maven, Gradle, Cargo): a cache mount for what they fetch.

use crate::edit::Edit;
use crate::model::command::{Action, Classified, Operation};
use crate::model::{Base, Model, Step, Value};
use crate::syntax::{Form, Keyword, View};
use crate::transforms::{Level, Proposal};

/// Cache mounts for the builds of a stage that is thrown away.
pub(super) fn mounts(model: &Model, stage: usize) -> Vec<Proposal> {
    // What a mount holds is not in the image: only where nobody starts from it, and no copy takes it.
    if stage + 1 >= model.stages.len() || model.stages.iter().any(|s| matches!(s.base, Base::Stage(parent) if parent == stage)) {
        return Vec::new();
    }
    let steps = model.steps_of(stage);
    let copied = steps.iter().position(|s| matches!(&s.view, View::Copy { from: None, .. }));
    let mut out = Vec::new();
    for tool in ["maven", "gradle", "cargo"] {
        let used: Vec<(usize, &Step)> = steps.iter().enumerate().filter(|(_, s)| uses(s, tool)).collect();
        let Some((_, first)) = used.first() else { continue };
        let Some(target) = target(model, stage, first, tool) else { continue };
        let fits = |(index, step): &(usize, &Step)| copied.is_some_and(|c| c < *index) && is_plain(step);
        let touched =
            steps.iter().any(|s| !used.iter().any(|(_, u)| u.item == s.item) && s.span.text(model.file.source()).contains(target.as_str()));
        let taken = model.steps.iter().any(|s| matches!(&s.view, View::Copy { from: Some(_), sources, .. } if sources.iter().any(|w| w.text == "/" || target.starts_with(w.text.trim_end_matches('/')) || w.text.starts_with(&target))));
        if !used.iter().all(fits) || touched || taken {
            continue;
        }
        let edits: Vec<Edit> = used
            .iter()
            .filter_map(|(_, s)| {
                Some(Edit::insert(model.file.instruction(s.item)?.body.start, format!("--mount=type=cache,target={target} ")))
            })
            .collect();
        out.push(Proposal {
            level: Level::Review,
            title: format!("keep what {tool} fetches between builds"),
            reason: format!("the build of line {} fetches its dependencies whenever a source changes; a cache mount keeps them, and this stage does not ship (needs BuildKit)", first.line),
            line: first.line,
            declares: Vec::new(),
            edits,
        });
    }
    out
}

/// Whether a RUN builds or fetches with `tool`.
fn uses(step: &Step, tool: &str) -> bool {
    let commands = step.run.iter().flat_map(|r| &r.commands);
    commands.into_iter().any(|c| {
        let program = c.program().unwrap_or_default();
        let of_tool = match tool {
            "maven" => matches!(program, "mvn" | "mvnw"),
            "gradle" => matches!(program, "gradle" | "gradlew"),
            _ => program == tool,
        };
        of_tool
            && match &c.action {
                Action::Build { .. } | Action::Test => true,
                Action::Language { operation, .. } => !matches!(operation, Operation::Other | Operation::Remove | Operation::Clean),
                _ => false,
            }
    })
}

/// A RUN in shell form by root, without flags, that does not look at the store itself or work offline.
fn is_plain(step: &Step) -> bool {
    step.keyword == Keyword::Run
        && step.reading.form == Form::Shell
        && step.reading.flags.is_empty()
        && step.before.user.as_deref().is_some_and(|u| matches!(u, "" | "0" | "root"))
        && step.run.as_ref().is_some_and(|r| r.script.is_some() && r.commands.iter().all(leaves_store_alone))
}

/// Whether a command neither names the store nor works offline or with another store.
fn leaves_store_alone(command: &Classified) -> bool {
    let names = |w: &str| {
        ["/.m2", "/.gradle", "/registry", "repo.local", "project-cache-dir", "CARGO_HOME", "GRADLE_USER_HOME"].iter().any(|n| w.contains(n))
    };
    let other = |w: &str| matches!(w, "-o" | "--offline" | "-g" | "--gradle-user-home");
    let is_file_tool = matches!(command.action, Action::File { .. } | Action::Shell);
    !command.environment.iter().any(|(n, _)| names(n)) && !command.words.iter().any(|w| names(&w.raw) || (other(&w.raw) && !is_file_tool))
}

/// Where the tool keeps what it fetched, under root.
fn target(model: &Model, stage: usize, step: &Step, tool: &str) -> Option<String> {
    let set = |name: &str| step.before.env.iter().rev().find(|(n, _)| n == name).map(|(_, v)| v);
    let store = model.catalog.store(tool, family(model, stage).as_deref().unwrap_or_default())?;
    match store.variable.as_deref().and_then(set) {
        Some(Value::Known(home)) if home.starts_with('/') => Some(format!("{}{}", home.trim_end_matches('/'), store.below)),
        Some(_) => None,
        None => (!store.options.iter().any(|o| set(o).is_some())).then(|| store.path.clone()),
    }
}

fn family(model: &Model, stage: usize) -> Option<String> {
    let mut index = stage;
    loop {
        match &model.stages.get(index)?.base {
            Base::Stage(parent) if *parent < index => index = *parent,
            Base::Image(image) => return image.facts.as_ref().map(|f| f.family.clone()),
            _ => return None,
        }
    }
}
