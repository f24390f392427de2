//! Builds that fetch while they build (Maven, Gradle, Cargo): a cache mount for what they fetch.

use crate::edit::Edit;
use crate::model::command::{Action, Classified, Operation};
use crate::model::{Base, Model, Step, Value};
use crate::syntax::{Form, Keyword, View};
use crate::transforms::cache_mount::name_of_base;
use crate::transforms::{Level, Proposal};

/// The build tools whose downloads copy-order keeps.
pub(super) const TOOLS: &[&str] = &["maven", "gradle", "cargo"];

/// Cache mounts for what `tools` fetch in a stage that is thrown away.
pub(crate) fn mounts(model: &Model, stage: usize, tools: &[&str]) -> Vec<Proposal> {
    // What a mount holds is not in the image: only where nobody starts from it, and no copy takes it.
    if stage + 1 >= model.stages.len() || model.stages.iter().any(|s| matches!(s.base, Base::Stage(parent) if parent == stage)) {
        return Vec::new();
    }
    let steps = model.steps_of(stage);
    // A stage that starts something may be built for itself.
    if steps.iter().any(|s| matches!(s.keyword, Keyword::Cmd | Keyword::Entrypoint)) {
        return Vec::new();
    }
    let copied = steps.iter().position(|s| matches!(&s.view, View::Copy { from: None, .. }));
    let mut out = Vec::new();
    for tool in tools.iter().copied() {
        let used: Vec<(usize, &Step)> = steps.iter().enumerate().filter(|(_, s)| uses(s, tool)).collect();
        let Some((_, first)) = used.first() else { continue };
        let Some(target) = target(model, stage, first, tool) else { continue };
        let fits = |(index, step): &(usize, &Step)| copied.is_some_and(|c| c < *index) && is_plain(step);
        let touched =
            steps.iter().any(|s| !used.iter().any(|(_, u)| u.item == s.item) && s.span.text(model.file.source()).contains(target.as_str()));
        let taken = model.steps.iter().any(|s| matches!(&s.view, View::Copy { from: Some(_), sources, .. } if sources.iter().any(|w| w.text == "/" || target.starts_with(w.text.trim_end_matches('/')) || w.text.starts_with(&target))));
        // What runs go unseen has to fetch again what only a mount holds.
        let unseen = tool == "go" && steps.iter().skip_while(|s| s.line <= first.line).any(runs_unseen);
        if !used.iter().all(fits) || touched || taken || unseen {
            continue;
        }
        let mut mount = format!("--mount=type=cache,target={target} ");
        if tool == "go" {
            // What Go has compiled with the C compiler fits one distribution alone.
            let compiled = self::target(model, stage, first, "go-build").zip(name_of_base(model, stage));
            mount.extend(compiled.map(|(target, name)| format!("--mount=type=cache,id={name}-go-build,target={target} ")));
        }
        let edits: Vec<Edit> =
            used.iter().filter_map(|(_, s)| Some(Edit::insert(model.file.instruction(s.item)?.body.start, mount.clone()))).collect();
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
    step.commands().iter().any(|c| {
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

/// Whether a RUN may run a build tool where that is not seen.
fn runs_unseen(step: &Step) -> bool {
    let opaque = |c: &Classified| match &c.action {
        action if action.is_unforeseen() => true,
        Action::Build { tool } => tool != "go",
        _ => false,
    };
    step.run.as_ref().is_some_and(|r| r.script.is_none() || r.commands.iter().any(opaque))
}

/// What the targets of this module's mounts, and directories around them, are named.
const STORES: &[&str] = &["m2", "gradle", "cargo", "registry", "/go", "/pkg"];

/// A RUN in shell form by root, with no flags but mounts of other caches, that does not look at the store itself or work offline.
fn is_plain(step: &Step) -> bool {
    step.keyword == Keyword::Run
        && step.reading.form == Form::Shell
        && step.reading.flags.iter().all(|f| {
            f.name == "mount" && f.value.as_deref().is_some_and(|v| v.contains("type=cache") && !STORES.iter().any(|s| v.contains(s)))
        })
        && step.before.user.as_deref().is_some_and(|u| matches!(u, "" | "0" | "root"))
        && step.run.as_ref().is_some_and(|r| r.script.is_some() && r.commands.iter().all(leaves_store_alone))
}

/// Whether a command neither names the store nor works offline or with another store.
fn leaves_store_alone(command: &Classified) -> bool {
    let names = |w: &str| {
        [
            "/.m2",
            "/.gradle",
            "/registry",
            "/pkg/mod",
            "go-build",
            "GOCACHE",
            "GOMODCACHE",
            "GOPATH",
            "GOFLAGS",
            "GOPROXY=off",
            "repo.local",
            "project-cache-dir",
            "CARGO_HOME",
            "GRADLE_USER_HOME",
        ]
        .iter()
        .any(|n| w.contains(n))
    };
    // To Go, `-o` is where the program goes.
    let other = |w: &str| matches!(w, "--offline" | "-g" | "--gradle-user-home") || (w == "-o" && command.program() != Some("go"));
    let is_file_tool = matches!(command.action, Action::File { .. } | Action::Shell);
    !command.environment.iter().any(|(n, _)| names(n)) && !command.words.iter().any(|w| names(&w.raw) || (other(&w.raw) && !is_file_tool))
}

/// Where the tool keeps what it fetched, under root.
fn target(model: &Model, stage: usize, step: &Step, tool: &str) -> Option<String> {
    let set = |name: &str| step.before.variable(name);
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
