//! apk without its cache.

use super::packages::{Run, has_cache_mount, has_option, shipped_runs, system, verb};
use super::{Findings, Group, Level, Proposal, Transform};
use crate::edit::Edit;
use crate::model::Model;
use crate::model::command::{Action, Classified, Operation};
use crate::shell::{Operator, ShellWord};
use crate::source::Span;

/// See `page.md`.
pub const TRANSFORM: Transform = Transform {
    id: "apk",
    summary: "Install with apk without leaving its index in the image",
    group: Group::Hygiene,
    may_change: &[],
    page: include_str!("page.md"),
    run,
};

fn run(model: &Model) -> Findings {
    let mut findings = Findings::default();
    // A cache that somebody set up is wanted.
    if model.file.source().contains("/etc/apk/cache") {
        return findings;
    }
    for run in shipped_runs(model).into_iter().filter(|r| !has_cache_mount(r.step)) {
        let commands: Vec<&Classified> =
            run.facts.commands.iter().filter(|c| system(c).is_some_and(|(manager, _)| manager == "apk")).collect();
        let mut edits = Vec::new();
        for command in commands.iter().filter(|c| system(c) == Some(("apk", Operation::Install)) && !keeps_nothing(c)) {
            let Some(word) = verb(model, command, &["add"]) else { continue };
            if !has_option(command, &["--no-network", "--cache-dir"]) {
                edits.push((command.line, Edit::insert(word.span.end, " --no-cache")));
            }
        }
        if edits.is_empty() {
            continue;
        }
        let line = edits.first().map_or(run.step.line, |(line, _)| *line);
        let mut edits: Vec<Edit> = edits.into_iter().map(|(_, edit)| edit).collect();
        edits.extend(needless_update(&run, &commands));
        edits.sort_by_key(|e| e.span);
        findings.proposals.push(Proposal {
            level: Level::Safe,
            title: "install with apk --no-cache".into(),
            reason: "--no-cache fetches the index, uses it and keeps nothing in /var/cache/apk".into(),
            line,
            declares: Vec::new(),
            edits,
        });
    }
    for run in shipped_runs(model) {
        findings.proposals.extend(virtual_package(model, &run));
    }
    findings
}

/// The names of packages in order, without their versions.
fn names(packages: &[ShellWord]) -> Vec<&str> {
    let mut names: Vec<&str> = packages.iter().map(|p| p.raw.split(['=', '<', '>', '~', '@']).next().unwrap_or_default()).collect();
    names.sort_unstable();
    names
}

/// A name for what a RUN adds and, word for word, deletes again.
fn virtual_package(model: &Model, run: &Run) -> Option<Proposal> {
    let source = model.file.source();
    let of = |wanted: Operation| {
        run.facts.commands.iter().filter_map(move |command| match &command.action {
            Action::System { manager, operation, packages } if manager == "apk" && *operation == wanted => Some((command, packages)),
            _ => None,
        })
    };
    let (deleting, deleted) = of(Operation::Remove).next().filter(|_| of(Operation::Remove).count() == 1)?;
    let (adding, _) =
        of(Operation::Install).find(|(adding, added)| names(added) == names(deleted) && adding.span.end <= deleting.span.start)?;
    let verb = verb(model, adding, &["add"])?;
    let (first, last) = (deleted.first()?, deleted.last()?);
    // Options and comments among the packages would go with them.
    let between = Span::new(first.span.start, last.span.end);
    let written = between.text(source).split(|c: char| c.is_whitespace() || c == '\\').filter(|w| !w.is_empty());
    let plain = deleted.len() > 1
        && deleted.iter().all(|p| p.literal.is_some() && p.span.text(source) == p.raw)
        && written.eq(deleted.iter().map(|p| p.raw.as_str()))
        && !has_option(adding, &["--virtual", "-t"])
        && !adding.conditional
        && !deleting.conditional
        && !source.contains(".build-deps");
    plain.then(|| Proposal {
        level: Level::Suggest,
        title: "give the packages that are deleted again a name of their own".into(),
        reason: format!(
            "line {} deletes what line {} adds; under `--virtual .build-deps` it is one name, and what was there before stays",
            deleting.line, adding.line
        ),
        line: adding.line,
        declares: Vec::new(),
        edits: vec![Edit::insert(verb.span.end, " --virtual .build-deps"), Edit::replace(between, ".build-deps")],
    })
}

fn keeps_nothing(command: &Classified) -> bool {
    has_option(command, &["--no-cache"])
}

/// The edit that takes `apk update &&` away, where every other apk command of the RUN fetches its own index.
fn needless_update(run: &Run, commands: &[&Classified]) -> Option<Edit> {
    let update = commands.iter().find(|c| system(c) == Some(("apk", Operation::Update)))?;
    let others = commands.iter().filter(|c| !std::ptr::eq(**c, *update));
    if !others.clone().all(|c| matches!(system(c), Some(("apk", Operation::Install | Operation::Remove)))) || update.conditional {
        return None;
    }
    let list = run.script.lists.iter().find(|l| l.span.start <= update.span.start && update.span.end <= l.span.end)?;
    let pipelines: Vec<_> = std::iter::once(&list.first).chain(list.rest.iter().map(|(_, p)| p)).collect();
    let at = pipelines.iter().position(|p| p.span == update.span)?;
    // It must be followed at once by the installation that it was for.
    let next = pipelines.get(at + 1)?;
    let installs = others.clone().any(|c| c.span == next.span && system(c) == Some(("apk", Operation::Install)));
    let and = list.rest.get(at).is_some_and(|(operator, _)| *operator == Operator::And);
    (installs && and && list.rest.iter().all(|(operator, _)| *operator == Operator::And))
        .then(|| Edit::delete(Span::new(update.span.start, next.span.start)))
}
