//! CMD and ENTRYPOINT in exec form where the shell does nothing for them.

use super::{Findings, Group, Level, Proposal, Refusal, Transform, merge_run};
use crate::edit::Edit;
use crate::model::{Base, Model, Step};
use crate::shell::{self, Body, CommandKind, Dialect};
use crate::syntax::{Form, Keyword, View};

/// See `page.md`.
pub const TRANSFORM: Transform = Transform {
    id: "exec-form",
    summary: "Start the program itself, not a shell that starts it",
    group: Group::Modernize,
    may_change: &["Cmd", "Entrypoint"],
    page: include_str!("page.md"),
    run,
};

/// What only a shell can run.
const OF_THE_SHELL: &[&str] = &[
    "cd", ".", "source", "export", "eval", "set", "exit", "trap", "ulimit", "umask", "wait", "read", "alias", ":", "type", "command",
    "unset", "shift", "return", "exec",
];

fn run(model: &Model) -> Findings {
    let mut findings = Findings::default();
    let stages = merge_run::shipping(model);
    let Some(last) = stages.first() else { return findings };
    let steps = || stages.iter().rev().flat_map(|s| model.steps_of(*s));
    let has = |keyword: Keyword| steps().any(|s| s.keyword == keyword);
    // The last of a kind counts, and only one of the last stage can be changed without changing another image.
    let last_of = |keyword: Keyword| model.steps_of(*last).iter().rfind(|s| s.keyword == keyword);
    if let Some(step) = last_of(Keyword::Entrypoint).filter(|s| s.view == View::Entrypoint { form: Form::Shell }) {
        let obstacle =
            has(Keyword::Cmd).then(|| "the shell form of ENTRYPOINT ignores CMD; in exec form CMD would become its arguments".to_owned());
        propose(model, step, "Entrypoint", obstacle, &mut findings);
    }
    if let Some(step) = last_of(Keyword::Cmd).filter(|s| s.view == View::Cmd { form: Form::Shell }) {
        let obstacle = if has(Keyword::Entrypoint) {
            Some("CMD gives the ENTRYPOINT its arguments; with another form it gets others".to_owned())
        } else {
            base_entrypoint(model, &stages)
        };
        propose(model, step, "Cmd", obstacle, &mut findings);
    }
    findings
}

/// What stands in the way where the base brings an ENTRYPOINT, or may bring one.
fn base_entrypoint(model: &Model, stages: &[usize]) -> Option<String> {
    match &model.stages.get(*stages.last()?)?.base {
        Base::Image(image) => match &image.facts {
            Some(facts) if facts.entrypoint.as_ref().is_none_or(Vec::is_empty) => None,
            Some(_) => Some(format!("`{}` brings an ENTRYPOINT, which would get other arguments", image.written)),
            None => Some(format!("it is not known whether `{}` brings an ENTRYPOINT, which would get other arguments", image.written)),
        },
        _ => None,
    }
}

fn propose(model: &Model, step: &Step, key: &'static str, obstacle: Option<String>, findings: &mut Findings) {
    match obstacle.map_or_else(|| words(model, step), Err) {
        Ok(words) => findings.proposals.push(Proposal {
            level: Level::Review,
            title: format!("write {} in exec form", step.keyword.name()),
            reason: "the program becomes process 1 and gets the signals of `docker stop` itself, where the shell kept them".into(),
            line: step.line,
            declares: vec![key],
            edits: vec![Edit::replace(step.reading.arguments, words)],
        }),
        Err(reason) => findings.refusals.push(Refusal { reason, line: step.line }),
    }
}

/// The array that says the same, if the shell only splits words.
fn words(model: &Model, step: &Step) -> Result<String, String> {
    let source = model.file.source();
    let shell: Vec<&str> = step.before.shell.iter().map(String::as_str).collect();
    if !matches!(shell.as_slice(), ["/bin/sh" | "sh" | "/bin/bash" | "bash" | "/bin/ash", "-c"]) {
        return Err("SHELL sets a shell with options or environment of its own".into());
    }
    if step.reading.arguments.text(source).contains('\n') {
        return Err("the command goes over several lines".into());
    }
    let needs = || "the command uses the shell: variables, redirections, patterns or several commands".to_owned();
    let body = Body::line(source, step.reading.arguments, model.file.escape);
    let script = shell::parse(&body, Dialect::Posix).filter(|s| s.comment.is_none() && s.lists.len() == 1).ok_or_else(needs)?;
    let list = script.lists.first().filter(|l| l.rest.is_empty() && !l.background && !l.first.negated).ok_or_else(needs)?;
    let [command] = list.first.commands.as_slice() else { return Err(needs()) };
    let CommandKind::Simple { assignments, words } = &command.kind else { return Err(needs()) };
    let mut words: Vec<&str> =
        words.iter().map(|w| w.literal.as_deref().filter(|t| is_plain(t))).collect::<Option<_>>().ok_or_else(needs)?;
    if words.first() == Some(&"exec") {
        words.remove(0);
    }
    let Some(program) = words.first() else { return Err(needs()) };
    if !assignments.is_empty()
        || !command.redirections.is_empty()
        || OF_THE_SHELL.contains(program)
        || program.is_empty()
        || program.starts_with(['-', '['])
    {
        return Err(needs());
    }
    let quoted: Vec<String> = words.iter().map(|w| format!("\"{w}\"")).collect();
    Ok(format!("[{}]", quoted.join(", ")))
}

/// Words that need no escape in JSON and mean nothing to a shell.
fn is_plain(word: &str) -> bool {
    word.chars().all(|c| c.is_alphanumeric() || "_@%+=:,./- ".contains(c))
}
