//! Names in `.dockerignore` what has no place in an image that takes the whole build context.

mod needs;
mod project;

use project::Project;

use super::{Findings, Group, Level, Proposal, Refusal, Transform};
use crate::catalog::context::{LeaveOut, left_out, secrets};
use crate::context::{Context, is_within};
use crate::edit::Edit;
use crate::model::Model;
use crate::model::copied::Copy;
use crate::model::rebuild::mounts;
use crate::source::Span;
use crate::syntax::Dockerfile;

/// See `page.md`.
pub const TRANSFORM: Transform = Transform {
    id: "dockerignore",
    summary: "Name in .dockerignore what the image must not take along: history, environments, caches, keys",
    group: Group::Restructure,
    may_change: &[],
    page: include_str!("page.md"),
    run,
};

/// Something that the image takes along with a folder.
struct Taken<'m> {
    fact: &'static LeaveOut,
    path: String,
    copy: Copy<'m>,
}

fn run(model: &Model) -> Findings {
    let mut findings = Findings::default();
    if !model.context.is_known() || model.context.root().is_none() {
        return findings;
    }
    findings.refusals.extend(needs::ignored_manifests(model));
    let copies: Vec<Copy> = model.steps.iter().filter_map(|s| Copy::of(model, s)).filter(Copy::takes_folder).collect();
    let Some(first) = copies.first() else { return findings };
    // A mount reads the context too, under names that are not looked at here.
    if let Some(step) = model.steps.iter().find(|s| mounts(s).any(|m| m.kind == "bind" && m.from.is_empty())) {
        let reason = "this mounts the build context, and what it reads there is not known".to_owned();
        findings.refusals.push(Refusal { reason, line: step.line });
        return findings;
    }
    let project = model.context.once(Project::walk);
    let line = first.step.line;
    findings.refusals.extend(copied_secrets(model.context, &project, &copies));
    let taken = taken(model.context, &project, &copies);
    if taken.is_empty() {
        return findings;
    }
    if model.context.ignore_path() == Some("") {
        let reason = "the ignore file in force lies outside of the build context".to_owned();
        findings.refusals.push(Refusal { reason, line });
        return findings;
    }
    let others = others(model, &project);
    let mut leaving: Vec<&Taken> = Vec::new();
    for found in &taken {
        match stays(model, found, &project, &others) {
            Some((reason, line)) => {
                findings.refusals.push(Refusal { reason: format!("{} stays in the image: {reason}", found.path), line })
            }
            None => leaving.push(found),
        }
    }
    findings.proposals.extend(proposal(model.context, &leaving, line));
    findings
}

/// What of the context has no place in an image and is brought by the copy of a folder.
fn taken<'m>(context: &Context, project: &Project, copies: &[Copy<'m>]) -> Vec<Taken<'m>> {
    let mut out = Vec::new();
    for fact in left_out() {
        for path in project.named(&fact.name) {
            let is_sent = context.exists(path) && (context.is_file(path) || !context.list(path).is_empty());
            let copy = copies.iter().find(|c| c.parts.iter().any(|p| p.folder && is_within(path, &p.source)));
            if let (Some(copy), true, true) = (copy, project::is_it(context, fact, path), is_sent) {
                out.push(Taken { fact, path: path.clone(), copy: copy.clone() });
            }
        }
    }
    out
}

pub(super) fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The other Dockerfiles of the context for which the same ignore file is in force.
fn others(model: &Model, project: &Project) -> Vec<(String, Dockerfile)> {
    let own = model.file.source();
    let of_its_own = model.context.ignore_path().is_some_and(|p| p != ".dockerignore");
    let paths = project.dockerfiles().iter().filter(|p| !of_its_own && model.context.kind_on_disk(&format!("{p}.dockerignore")).is_none());
    let texts = paths.filter_map(|p| Some((p.clone(), model.context.read_on_disk(p)?)));
    texts.filter(|(_, text)| **text != *own).map(|(p, text)| (p, Dockerfile::parse(&*text))).collect()
}

/// Why something has to stay, and the line that says so.
fn stays(model: &Model, found: &Taken, project: &Project, others: &[(String, Dockerfile)]) -> Option<(String, usize)> {
    let line = found.copy.step.line;
    let exception = |text: &str| text.lines().map(str::trim).any(|l| l.starts_with('!') && l.contains(found.fact.name.as_str()));
    if model.context.ignore_text().is_some_and(exception) {
        return Some((format!("{} brings it back on purpose", model.context.ignore_path().unwrap_or_default()), line));
    }
    if found.path.contains(['*', '?', '[', '\\', ' ', '#', '!']) {
        return Some(("its name would have to be escaped".to_owned(), line));
    }
    if let Some(reason) = needs::of(model, found.fact, &found.path) {
        return Some(reason);
    }
    for (path, file) in others {
        let model = Model::new(file, model.context, model.catalog, model.options);
        if let Some((reason, at)) = needs::of(&model, found.fact, &found.path) {
            return Some((format!("{path}:{at}: {reason}"), line));
        }
    }
    if found.fact.search {
        return project.search(model.context, found.fact).map(|reason| (reason, line));
    }
    None
}

/// The lines for the ignore file, at its end.
fn proposal(context: &Context, leaving: &[&Taken], line: usize) -> Option<Proposal> {
    let file = context.ignore_path().unwrap_or(".dockerignore").to_owned();
    let old = context.ignore_text().unwrap_or_default();
    let eol = if old.contains("\r\n") { "\r\n" } else { "\n" };
    let mut patterns: Vec<(String, &str)> = Vec::new();
    for found in leaving {
        let pattern = if found.fact.anywhere { format!("**/{}", found.fact.name) } else { found.path.clone() };
        if !patterns.iter().any(|(p, _)| *p == pattern) {
            patterns.push((pattern, &found.fact.what));
        }
    }
    if patterns.is_empty() {
        return None;
    }
    let at = |text: String| Edit { path: Some(file.clone()), span: Span::at(old.len()), text };
    // One edit a line, so that Dockerfiles that share the file and want the same line get it once.
    let mut edits: Vec<Edit> = Vec::new();
    if !old.is_empty() && !old.ends_with('\n') {
        edits.push(at(eol.to_owned()));
    }
    edits.extend(patterns.iter().map(|(p, _)| at(format!("{p}{eol}"))));
    let names: Vec<&str> = patterns.iter().map(|(p, _)| p.as_str()).collect();
    let mut what: Vec<String> = Vec::new();
    for (pattern, reason) in &patterns {
        what.push(format!("{pattern} ({reason})"));
    }
    Some(Proposal {
        level: Level::Review,
        title: format!("name {} in {file}", list(&names)),
        reason: format!(
            "line {line} copies the whole folder, and so {} into the image; nothing that builds or starts names it, and what changes in it runs everything behind the copy again",
            list(&what.iter().map(String::as_str).collect::<Vec<_>>())
        ),
        line,
        declares: Vec::new(),
        edits,
    })
}

/// `a`, `a and b`, `a, b and c`.
fn list(names: &[&str]) -> String {
    match names {
        [all @ .., last] if !all.is_empty() => format!("{} and {last}", all.join(", ")),
        names => names.concat(),
    }
}

/// Settings that often hold secrets and are copied into the image: told, because the program may read them there.
fn copied_secrets(context: &Context, project: &Project, copies: &[Copy]) -> Vec<Refusal> {
    let found = secrets().iter().flat_map(|name| project.named(name)).filter(|path| context.is_file(path));
    found
        .filter_map(|path| {
            let copy = copies.iter().find(|c| c.parts.iter().any(|p| p.folder && is_within(path, &p.source)))?;
            let reason = format!("{path} goes into the image, and whoever gets the image can read it: if it holds secrets, give it at run time and name it in .dockerignore");
            Some(Refusal { reason, line: copy.step.line })
        })
        .collect()
}
