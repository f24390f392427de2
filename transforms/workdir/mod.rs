//! WORKDIR in place of `cd` at the head of RUNs, where what follows starts in the same directory as before.

use super::{Findings, Group, Level, Proposal, Transform};
use crate::edit::Edit;
use crate::model::{Model, Step};
use crate::shell::{AndOr, Command, CommandKind, Operator};
use crate::source::Span;
use crate::syntax::{Form, ItemKind, Keyword, View, mount};

/// See `page.md`.
pub const TRANSFORM: Transform = Transform {
    id: "workdir",
    summary: "Suggest WORKDIR in place of cd at the head of RUNs",
    group: Group::Modernize,
    may_change: &[],
    page: include_str!("page.md"),
    run,
};

/// A RUN that begins with `cd DIRECTORY &&`.
struct Head<'m> {
    step: &'m Step,
    /// The directory as written.
    written: String,
    /// The directory, absolute.
    directory: String,
    /// From `cd` to the next command.
    cut: Span,
}

fn run(model: &Model) -> Findings {
    let mut findings = Findings::default();
    for stage in &model.stages {
        let steps: Vec<&Step> = stage.steps.clone().filter_map(|index| model.steps.get(index)).collect();
        let mut at = 0;
        while let Some(step) = steps.get(at) {
            at += 1;
            let Some(head) = Head::of(model, step) else { continue };
            if step.before.workdir.as_deref() == Some(head.directory.as_str()) {
                findings.proposals.push(head.needless());
                continue;
            }
            let row: Vec<Head> = std::iter::once(head).chain(steps.iter().skip(at).map_while(|s| Head::of(model, s))).collect();
            let same = row.iter().all(|h| Some(&h.directory) == row.first().map(|f| &f.directory));
            at += row.len() - 1;
            if let (true, Some(next)) = (same, steps.get(at)) {
                findings.proposals.extend(moved(model, &row, next));
            }
        }
    }
    findings
}

impl<'m> Head<'m> {
    fn of(model: &Model, step: &'m Step) -> Option<Self> {
        let source = model.file.source();
        if step.keyword != Keyword::Run || step.reading.form != Form::Shell || !model.file.instruction(step.item)?.heredocs.is_empty() {
            return None;
        }
        // The builder finds the relative target of a mount from WORKDIR.
        if mounts_relatively(step) {
            return None;
        }
        let facts = step.run.as_ref()?;
        let list = facts.script.as_ref().filter(|s| s.lists.len() == 1)?.lists.first()?;
        let directory = written_directory(list)?;
        let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@".contains(c);
        let text = step.span.text(source);
        // `cd -` asks where the shell came from, and a link on the way would show in `pwd` under another name.
        if text.to_ascii_lowercase().contains("pwd")
            || !directory.chars().all(plain)
            || text.contains("OLDPWD")
            || text.contains("cd -")
            || text.contains("BASH_SOURCE")
        {
            return None;
        }
        let here = step.before.workdir.as_deref()?;
        let next = list.rest.first().filter(|(operator, _)| *operator == Operator::And).map(|(_, p)| p.span)?;
        let cut = Span::new(list.span.start, next.start);
        let commented = cut.text(source).lines().skip(1).any(|l| l.trim_start().starts_with('#'));
        let absolute = resolve(here, &directory)?;
        (!commented).then_some(Self { step, written: directory, directory: absolute, cut })
    }

    /// `cd` to where the RUN is already.
    fn needless(&self) -> Proposal {
        Proposal {
            level: Level::Suggest,
            title: format!("leave `cd {}` away", self.written),
            reason: format!("WORKDIR is `{}` already", self.directory),
            line: self.step.line,
            declares: Vec::new(),
            edits: vec![Edit::delete(self.cut)],
        }
    }
}

/// Whether a mount of the RUN has a target that is relative, or may be.
fn mounts_relatively(step: &Step) -> bool {
    let mounts = step.reading.flags.iter().filter(|f| f.name == "mount").filter_map(|f| f.value.as_deref());
    // A secret and an agent have places of their own where none is named.
    let settled = |target: &str| target.is_empty() || target.starts_with('/');
    mounts.map(|value| mount::parse(value, &|text| Ok(text.to_owned()))).any(|mount| !mount.is_ok_and(|m| settled(&m.target)))
}

/// The directory of a list that begins with `cd DIRECTORY &&`, and that nothing but `&&` joins.
fn written_directory(list: &AndOr) -> Option<String> {
    let [Command { kind: CommandKind::Simple { assignments, words }, redirections, .. }] = list.first.commands.as_slice() else {
        return None;
    };
    let [cd, directory] = words.as_slice() else { return None };
    let only_and = list.rest.iter().all(|(operator, _)| *operator == Operator::And) && !list.background && !list.first.negated;
    let plain = assignments.is_empty() && redirections.is_empty() && cd.raw == "cd" && directory.literal.as_deref() == Some(&directory.raw);
    (only_and && plain && directory.raw != "-").then(|| directory.raw.clone())
}

/// WORKDIR in front of a row of RUNs that all begin with the same `cd`, where the instruction behind them sets another one.
fn moved(model: &Model, row: &[Head], next: &Step) -> Option<Proposal> {
    let (first, last) = (row.first()?, row.last()?);
    let sets = matches!(&next.view, View::Workdir { path } if is_absolute(next, &path.text, model.file.escape));
    let between = model.file.items.get(last.step.item + 1..next.item)?;
    let idle = between.iter().all(|i| matches!(i.kind, ItemKind::Comment | ItemKind::Blank));
    if !sets || !idle || !first.written.starts_with('/') {
        return None;
    }
    let instruction = model.file.instruction(first.step.item)?;
    let end = if model.file.source().contains("\r\n") { "\r\n" } else { "\n" };
    let keyword = if instruction.keyword_span.text(model.file.source()) == "run" { "workdir" } else { "WORKDIR" };
    let mut edits = vec![Edit::insert(instruction.keyword_span.start, format!("{keyword} {}{end}", first.written))];
    edits.extend(row.iter().map(|h| Edit::delete(h.cut)));
    Some(Proposal {
        level: Level::Suggest,
        title: format!("work in `{}` by WORKDIR, not by cd", first.directory),
        reason: format!(
            "line {} sets the directory anew, so nothing behind these RUNs starts elsewhere; WORKDIR makes the directory where it is missing",
            next.line
        ),
        line: first.step.line,
        declares: Vec::new(),
        edits,
    })
}

fn is_absolute(step: &Step, path: &str, escape: char) -> bool {
    step.before.known(path, escape).is_some_and(|p| p.starts_with('/'))
}

/// `path` from `directory`; `None` for one that goes upwards, which may pass a link.
fn resolve(directory: &str, path: &str) -> Option<String> {
    if path.split('/').any(|part| part == "..") {
        return None;
    }
    let full = if path.starts_with('/') { path.to_owned() } else { format!("{directory}/{path}") };
    let parts: Vec<&str> = full.split('/').filter(|p| !p.is_empty() && *p != ".").collect();
    Some(format!("/{}", parts.join("/")))
}
