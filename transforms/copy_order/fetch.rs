//! Go modules: a fetch step of its own before the sources.

use super::{Reach, line_end, manifests, narrow, relocate};
use crate::context::manifests::go::Module;
use crate::context::{Context, is_within, join};
use crate::edit::Edit;
use crate::model::command::{Action, Operation};
use crate::model::copied::Copy;
use crate::model::{Base, Model, Step, Value};
use crate::transforms::{Level, Proposal};

/// Where only `go build` fetches: `go mod download` with the manifests alone before the sources.
pub(super) fn before_build(model: &Model, stage: usize, reach: &Reach) -> Option<Proposal> {
    let build = model.steps.get(reach.block)?;
    let run = build.run.as_ref()?;
    let command = run.commands.iter().find(|c| matches!(&c.action, Action::Build { tool } if tool == "go"))?;
    if !reach.copy.takes_folder()
        || fetches_before(model, stage, reach.block)
        || !build.reading.flags.is_empty()
        || build.before.workdir.is_none()
    {
        return None;
    }
    if !modules_are_on(model, stage, build)
        || command.words.iter().any(|w| w.raw == "-C" || w.raw.starts_with("-mod") || w.raw == "generate")
    {
        return None;
    }
    // The step that fetches runs in the folder in force, so that has to be the module's.
    let folder = reach.copy.origin(build.before.workdir.as_deref()?)?;
    let module = Module::read(model.context, &folder)?;
    let files = manifests::go(model, &folder).ok()?;
    if module.requires.is_empty() || !has_sums(model.context, &folder, &module) || model.context.exists(&join(&folder, "vendor")) {
        return None;
    }
    let narrow = narrow(model, reach, &files.iter().collect::<Vec<_>>())?;
    let eol = line_end(model, reach.copy.step);
    let download = format!("RUN go mod download{eol}");
    Some(Proposal {
        level: Level::Safe,
        title: "fetch the modules before the sources are copied".into(),
        reason: format!(
            "only the build of line {} fetches the modules, so every source change fetches them again; go.mod and go.sum are all that it takes",
            build.line
        ),
        line: reach.copy.step.line,
        declares: Vec::new(),
        edits: relocate(model, reach, reach.block, &narrow.lines, &download)?,
    })
}

/// `go get ./...` where `go.mod` is complete: fetches what `go mod download` does, but reads the sources.
pub(super) fn in_place_of_get(model: &Model, stage: usize) -> Option<Proposal> {
    let steps = model.steps_of(stage);
    steps.iter().find_map(|step| {
        let run = step.run.as_ref()?;
        let [command] = run.commands.as_slice() else { return None };
        let words: Vec<&str> = command.words.iter().map(|w| w.literal.as_deref().unwrap_or("$")).collect();
        let (head, options) = words.split_at_checked(2)?;
        if head != ["go", "get"] || !options.contains(&"./...") || options.iter().any(|o| !matches!(*o, "-d" | "-v" | "./..." | ".")) {
            return None;
        }
        if !modules_are_on(model, stage, step) || !model.context.is_known() || command.environment.iter().any(|_| true) {
            return None;
        }
        let directory = command.directory.as_deref()?;
        let manifest = format!("{}/go.mod", directory.trim_end_matches('/'));
        let before = steps.iter().filter(|s| s.span.start < step.span.start).filter_map(|s| Copy::of(model, s));
        let file = before.filter_map(|c| c.origin(&manifest)).next_back()?;
        let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
        let module = Module::read(model.context, &folder)?;
        manifests::go(model, &folder).ok()?;
        // Without -d, old versions also built and installed what they fetched.
        let old = language_version(model, stage).is_some_and(|v| crate::catalog::compare_versions(&v, "1.18").is_lt());
        let nothing_to_fetch = module.requires.is_empty();
        if (old && !options.contains(&"-d")) || nothing_to_fetch || !has_sums(model.context, &folder, &module) || !is_complete(model.context, &folder, &module) {
            return None;
        }
        Some(Proposal {
            level: Level::Review,
            title: "fetch what go.mod lists".into(),
            reason: "every import of the sources is covered by go.mod and go.sum, so `go get` would only fetch; `go mod download` does that without reading the sources".into(),
            line: step.line,
            declares: Vec::new(),
            edits: vec![Edit::replace(command.span, "go mod download")],
        })
    })
}

fn language_version(model: &Model, stage: usize) -> Option<String> {
    let mut index = stage;
    loop {
        match &model.stages.get(index)?.base {
            Base::Stage(parent) if *parent < index => index = *parent,
            Base::Image(image) => return image.facts.as_ref().filter(|f| f.language.as_deref() == Some("go"))?.version.clone(),
            _ => return None,
        }
    }
}

/// Whether Go works with modules here, and with those that go.mod lists.
fn modules_are_on(model: &Model, stage: usize, step: &Step) -> bool {
    let known = |name: &str| step.before.variable(name);
    let off = known("GO111MODULE")
        .is_some_and(|v| *v != Value::Known("on".into()) && *v != Value::Known("auto".into()) && *v != Value::Known(String::new()));
    let flags = known("GOFLAGS").is_some_and(|v| *v != Value::Known(String::new()));
    let old = language_version(model, stage).is_some_and(|v| crate::catalog::compare_versions(&v, "1.13").is_lt());
    !off && !flags && !old
}

fn fetches_before(model: &Model, stage: usize, before: usize) -> bool {
    let Some(range) = model.stages.get(stage).map(|s| s.steps.start..before) else { return true };
    let steps = model.steps.get(range).unwrap_or_default();
    steps.iter().flat_map(|s| s.commands()).any(
        |c| matches!(&c.action, Action::Language { manager, operation: Operation::Download | Operation::Install, .. } if manager == "go"),
    )
}

/// Whether go.sum knows every module that go.mod requires.
fn has_sums(context: &Context, folder: &str, module: &Module) -> bool {
    let Some(text) = context.read(&join(folder, "go.sum")) else { return module.requires.is_empty() };
    module.requires.iter().all(|(path, version)| {
        let local = !module.local_replacements.is_empty();
        local
            || text.lines().any(|l| {
                l.strip_prefix(path.as_str())
                    .and_then(|l| l.strip_prefix(' '))
                    .and_then(|l| l.strip_prefix(version.as_str()))
                    .is_some_and(|l| l.starts_with(' ') || l.starts_with("/go.mod"))
            })
    })
}

/// Whether every package that the sources import is the standard library's, the module's own, or of a required module.
fn is_complete(context: &Context, folder: &str, module: &Module) -> bool {
    let (files, whole) = context.files();
    let newer = module.go.as_deref().is_some_and(|v| crate::catalog::compare_versions(v, "1.17").is_ge());
    whole
        && newer
        && files.iter().filter(|f| is_within(f, folder) && f.ends_with(".go")).all(|f| {
            context.read(f).is_some_and(|text| {
                imports(&text).iter().all(|path| {
                    let standard = !path.split('/').next().unwrap_or_default().contains('.');
                    standard || is_within(path, &module.path) || module.requires.iter().any(|(required, _)| is_within(path, required))
                })
            })
        })
}

/// The paths that a Go file imports.
fn imports(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut block = false;
    for line in text.lines().map(str::trim) {
        let quoted = || line.split_once('"').and_then(|(_, rest)| rest.split_once('"')).map(|(path, _)| path.to_owned());
        if block {
            block = !line.starts_with(')');
            out.extend(quoted().filter(|_| block && !line.starts_with("//")));
        } else if let Some(rest) = line.strip_prefix("import") {
            block = rest.trim_start().starts_with('(') && !rest.contains(')');
            out.extend(quoted());
        }
    }
    out
}
