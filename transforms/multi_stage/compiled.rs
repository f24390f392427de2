//! What the compiled languages share: only what is built ships, with the files beside the sources that it may open.

use super::draft::{Draft, absolute, join, refuse};
use super::facts::facts;
use super::language::At;
use super::needs;
use super::plan::{Extra, Plan};
use super::roles::{Role, is_system_folder};
use crate::model::Value;
use crate::model::command::Action;
use crate::model::walk::DEFAULT_PATH;
use crate::syntax::Keyword;
use crate::transforms::Refusal;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Source files: path below the project's folder, and text.
pub(super) type Sources = Vec<(String, Rc<str>)>;

/// The role of a command that makes folders or empty files: in the builder, since the image that ships may have no shell to make them.
pub(super) fn made(at: &At, plan: &mut Plan) -> Option<Role> {
    let At { draft, index, command, .. } = *at;
    let Action::File { writes, .. } = &command.action else { return None };
    for word in writes {
        let path = word.literal.as_deref().and_then(|t| absolute(command.directory.as_deref(), t))?;
        if !is_system_folder(&path) && !draft.is_workdir(&path) {
            plan.artifact(&path, index);
        }
    }
    Some(Role::Build)
}

/// The source files below `folder` of the image, tests aside.
pub(super) fn sources(draft: &Draft, folder: &str, endings: &[&str]) -> Sources {
    let Some(root) = draft.context_path(folder).or_else(|| draft.copies.iter().any(|c| !c.foreign).then(|| ".".to_owned())) else {
        return Vec::new();
    };
    let prefix = if root == "." { String::new() } else { format!("{root}/") };
    let context = draft.model.context;
    context
        .files()
        .0
        .into_iter()
        .filter(|p| endings.iter().any(|e| p.ends_with(e)) && p.starts_with(&prefix) && !p.contains("vendor/") && !needs::is_test(p))
        .filter_map(|p| context.read(&p).map(|t| (p.strip_prefix(&prefix).map(str::to_owned).unwrap_or(p), t)))
        .collect()
}

/// Takes over the files beside the sources that the program may open. `own` are endings of files that only build.
pub(super) fn data(draft: &Draft, plan: &mut Plan, folder: &str, sources: &Sources, own: &[&str], anchor: usize) {
    let mut taken: Vec<String> = Vec::new();
    let root = draft.context_path(folder).unwrap_or_else(|| ".".to_owned());
    let prefix = if root == "." { String::new() } else { format!("{root}/") };
    let code: Vec<String> = sources.iter().map(|(_, text)| without_imports(text)).collect();
    for (entry, idle) in entries_with_data(draft, &prefix, own) {
        let excluded = idle || facts().context.never_read.iter().any(|p| crate::context::fits(p, &entry));
        let named = || {
            code.iter().any(|text| names_entry(text, &entry))
                || draft.program.commands.iter().flat_map(|c| &c.words).chain(values(draft).iter()).any(|w| word_names(w, &entry))
        };
        // A front end that is built into the program needs its sources no more.
        let front_end = plan.front_end.is_some() && draft.model.context.is_file(&format!("{prefix}{entry}/package.json"));
        if (excluded || front_end) && !named() || is_embedded(sources, &entry) && !opens(&code, &entry) {
            continue;
        }
        let target = join(folder, &entry);
        // Only what a COPY really brought there, and no build line makes.
        if draft.context_path(&target).is_some()
            && !draft.is_removed(&target)
            && plan.snapshot_of(&target).is_none()
            && !plan.artifacts.iter().any(|a| a.path == target)
        {
            plan.artifact(&target, anchor);
            taken.push(entry);
        }
    }
    if !taken.is_empty() {
        plan.notes.push(format!(
            "{} may be read at run time and ship{} with the program",
            taken.join(", "),
            if taken.len() == 1 { "s" } else { "" }
        ));
    }
}

/// The files and folders right below `prefix` that are, or hold, anything but sources, in order; with each whether it holds only what
/// is there for people.
fn entries_with_data(draft: &Draft, prefix: &str, own: &[&str]) -> Vec<(String, bool)> {
    let mut entries: BTreeMap<String, bool> = BTreeMap::new();
    for path in draft.model.context.files().0 {
        let Some(rest) = path.strip_prefix(prefix) else { continue };
        let (entry, below) = rest.split_once('/').map_or((rest, ""), |(e, b)| (e, b));
        if own.iter().any(|e| rest.ends_with(e)) || !below.is_empty() && needs::is_test(below) {
            continue;
        }
        let idle = [".md", ".gitkeep", ".gitignore"].iter().any(|e| rest.ends_with(e)) && !below.is_empty();
        *entries.entry(entry.to_owned()).or_insert(true) &= idle;
    }
    entries.into_iter().collect()
}

/// WORKDIR and ENV that the base brought and the `programs` or the file rely on.
pub(super) fn base_configuration(draft: &Draft, plan: &mut Plan, programs: &[String]) -> Result<(), Refusal> {
    let first_workdir = draft.steps.iter().find(|s| s.keyword == Keyword::Workdir);
    let relative = first_workdir.is_none_or(|s| !s.reading.words.first().is_some_and(|w| w.text.starts_with(['/', '$'])));
    if let Some(workdir) = draft.facts.workdir.as_deref().filter(|w| relative && *w != "/" && !w.is_empty()) {
        plan.extras.push(Extra { anchor: 0, text: format!("WORKDIR {workdir}") });
    }
    for (name, value) in &draft.facts.env {
        let used = draft.steps.iter().any(|s| super::draft::mentions(s.span.text(draft.model.file.source()), name));
        if name == "PATH" || !used || draft.sets(name) {
            continue;
        }
        match value {
            Some(value) => plan.extras.push(Extra { anchor: 0, text: format!("ENV {name}={value}") }),
            None => {
                return refuse(
                    draft.from.line,
                    format!("the file relies on {name}, which the base image sets to a value that is not known here"),
                );
            }
        }
    }
    let by_name = |program: &&String| {
        draft.program.commands.iter().any(|c| c.words.first().is_some_and(|w| !w.contains('/') && program.rsplit('/').next() == Some(w)))
    };
    let own = |folder: &str| {
        draft.steps.iter().any(|s| {
            matches!(&s.view, crate::syntax::View::Env { pairs, .. }
                if pairs.iter().any(|p| p.name.text == "PATH" && p.value.as_ref().is_some_and(|v| v.text.split(':').any(|f| f == folder))))
        })
    };
    let mut folders: Vec<&str> = Vec::new();
    for program in programs.iter().filter(by_name) {
        let folder = program.rsplit_once('/').map_or("/", |(f, _)| f);
        if !DEFAULT_PATH.split(':').any(|f| f == folder) && !own(folder) && !folders.contains(&folder) {
            folders.push(folder);
        }
    }
    if !folders.is_empty() {
        needs::path_is_not_quoted(draft, "the smaller image")?;
        plan.extras.push(Extra { anchor: 0, text: format!("ENV PATH={}:$PATH", folders.join(":")) });
    }
    Ok(())
}

/// The values that the file sets by ENV.
fn values(draft: &Draft) -> Vec<String> {
    draft.stage.end.env.iter().filter_map(|(_, v)| if let Value::Known(v) = v { Some(v.clone()) } else { None }).collect()
}

/// Whether a string of `text` names `entry` as a path or a part of one.
fn names_entry(text: &str, entry: &str) -> bool {
    ['"', '`', '\''].iter().any(|quote| {
        ["", "./", "/"].iter().any(|lead| {
            let start = format!("{quote}{lead}{entry}");
            text.match_indices(&start)
                .any(|(at, _)| text.get(at + start.len()..).and_then(|r| r.chars().next()).is_some_and(|c| c == *quote || c == '/'))
        })
    }) || text.contains(&format!("/{entry}\""))
        || text.contains(&format!("/{entry}/"))
}

fn word_names(word: &str, entry: &str) -> bool {
    let value = word.split_once('=').map_or(word, |(_, v)| v);
    value.split('/').any(|part| part == entry)
}

/// A source file without the lines that import packages.
fn without_imports(text: &str) -> String {
    let mut block = false;
    let kept = text.lines().filter(|line| {
        let line = line.trim();
        if line.starts_with("import (") {
            block = true;
        }
        let import = block || line.starts_with("import ") || line.starts_with("//go:embed");
        if line.starts_with(')') {
            block = false;
        }
        !import
    });
    kept.collect::<Vec<_>>().join("\n")
}

/// Whether `entry` is taken into the program by `//go:embed`, `include_str!` and the like.
fn is_embedded(sources: &Sources, entry: &str) -> bool {
    sources.iter().any(|(path, text)| {
        let embeds = |line: &str| {
            line.trim().strip_prefix("//go:embed").is_some_and(|rest| {
                rest.split_whitespace().any(|p| p.trim_matches('"').trim_start_matches("all:").split('/').next() == Some(entry))
            })
        };
        !path.contains('/') && text.lines().any(embeds)
    })
}

/// Whether code opens `entry` by its name at run time.
fn opens(code: &[String], entry: &str) -> bool {
    const CALLS: &[&str] =
        &["os.Open", "os.ReadFile", "ioutil.ReadFile", "ReadDir", "http.Dir", "ParseFiles", "ParseGlob", "LoadHTML", "Static("];
    code.iter().any(|text| CALLS.iter().any(|c| text.contains(c)) && names_entry(text, entry) && !text.contains("embed.FS"))
}
