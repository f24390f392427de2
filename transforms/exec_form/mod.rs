//! CMD and ENTRYPOINT in exec form where the shell does nothing for them.

mod script;

use super::{Findings, Group, Level, Proposal, Refusal, Transform, merge_run};
use crate::edit::Edit;
use crate::model::{Base, Model, Step};
use crate::shell::{self, Body, CommandKind, Dialect, Operator};
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
    let change = |title: String, reason: &str, edit: Edit| Proposal {
        level: Level::Review,
        title,
        reason: reason.to_owned(),
        line: step.line,
        declares: vec![key],
        edits: vec![edit],
    };
    if step.reading.arguments.text(model.file.source()).starts_with('[') {
        let reason = "this is no JSON, which has double quotes and no comma at its end: a shell is started with the brackets as words";
        findings.refusals.push(Refusal { reason: reason.into(), line: step.line });
        return;
    }
    let free = obstacle.is_none();
    match obstacle.map_or_else(|| words(model, step), Err) {
        Ok(words) => findings.proposals.push(change(
            format!("write {} in exec form", step.keyword.name()),
            "the program becomes process 1 and gets the signals of `docker stop` itself, where the shell kept them",
            Edit::replace(step.reading.arguments, words),
        )),
        // The words of a shell form are one for an ENTRYPOINT beside it, so that only a shell form of its own may change.
        Err(reason) => match last_command(model, step).filter(|_| free || step.keyword == Keyword::Entrypoint) {
            Some(edit) => findings.proposals.push(change(
                format!("let the shell of {} become its program", step.keyword.name()),
                "with `exec` the program takes the place of the shell, and gets the signals of `docker stop` itself",
                edit,
            )),
            None => findings.refusals.push(Refusal { reason, line: step.line }),
        },
    }
}

/// `exec` in front of the last command, where everything before it is done by then and nothing waits for its end.
fn last_command(model: &Model, step: &Step) -> Option<Edit> {
    let shell: Vec<&str> = step.before.shell.iter().map(String::as_str).collect();
    if !matches!(shell.as_slice(), ["/bin/sh" | "sh" | "/bin/bash" | "bash" | "/bin/ash", "-c"]) {
        return None;
    }
    let body = Body::line(model.file.source(), step.reading.arguments, model.file.escape);
    let script = shell::parse(&body, Dialect::of(&step.before.shell)).filter(|s| s.comment.is_none())?;
    // A trap or a process in the background belongs to the shell, and so does what a function is.
    let mut kept = false;
    script.each_command(&mut |command| match &command.kind {
        CommandKind::Simple { words, .. } => {
            kept |= words.first().is_some_and(|w| matches!(w.raw.as_str(), "trap" | "wait" | "eval" | "." | "source" | "exec" | "alias"));
        }
        CommandKind::Function { .. } => kept = true,
        _ => {}
    });
    let last = script.lists.last()?;
    if kept || script.lists.iter().any(|l| l.background) || last.rest.iter().any(|(operator, _)| *operator == Operator::Or) {
        return None;
    }
    let pipeline = last.rest.last().map_or(&last.first, |(_, p)| p);
    let [command] = pipeline.commands.as_slice() else { return None };
    let CommandKind::Simple { assignments, words } = &command.kind else { return None };
    let program = words.first()?;
    let name = program.literal.as_deref().filter(|n| is_plain(n))?;
    // `exec` takes no assignments, and a builtin is no program.
    let fit = assignments.is_empty()
        && !pipeline.negated
        && !OF_THE_SHELL.contains(&name)
        && !BUILT_IN.contains(&name)
        && !name.starts_with(['-', '['])
        && program.span.text(model.file.source()) == program.raw;
    fit.then(|| Edit::insert(program.span.start, "exec "))
}

/// Builtins that exist as programs too, or that end at once: nothing is gained.
const BUILT_IN: &[&str] = &["echo", "printf", "test", "true", "false", "pwd", "kill", "sleep", "time", "let", "local", "declare", "if"];

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
    if let Some(why) = script::obstacle(model, step, program) {
        return Err(why);
    }
    let quoted: Vec<String> = words.iter().map(|w| format!("\"{w}\"")).collect();
    Ok(format!("[{}]", quoted.join(", ")))
}

/// Words that need no escape in JSON and mean nothing to a shell.
fn is_plain(word: &str) -> bool {
    word.chars().all(|c| c.is_alphanumeric() || "_@%+=:,./- ".contains(c))
}
