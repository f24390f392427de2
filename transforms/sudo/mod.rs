//! No sudo where the builder is root.

use super::packages::is_root;
use super::{Findings, Group, Level, Proposal, Refusal, Transform};
use crate::edit::Edit;
use crate::model::{Model, Step};
use crate::shell::{CommandKind, ShellWord};
use crate::source::Span;
use crate::syntax::Keyword;

/// See `page.md`.
pub const TRANSFORM: Transform = Transform {
    id: "sudo",
    summary: "Leave sudo away where the builder is root already",
    group: Group::Hygiene,
    may_change: &[],
    page: include_str!("page.md"),
    run,
};

/// Options that mean nothing to root: the environment, the home, and whether somebody may be asked.
const IDLE: &[&str] = &["-E", "-H", "-n", "-S", "-EH", "-HE", "-nE", "-En", "--preserve-env", "--set-home", "--non-interactive", "--stdin"];

fn run(model: &Model) -> Findings {
    let mut findings = Findings::default();
    let path = model.steps.iter().find(|s| s.keyword == Keyword::Env && s.reading.args.iter().any(|a| a == "PATH"));
    for step in model.steps.iter().filter(|s| s.keyword == Keyword::Run && is_root(s)) {
        let edits = edits(model, step);
        if edits.is_empty() {
            continue;
        }
        if let Some(path) = path.filter(|p| p.line < step.line) {
            let reason = format!("sudo stays: it looks for programs in a PATH of its own, and line {} sets another one", path.line);
            findings.refusals.push(Refusal { reason, line: step.line });
            continue;
        }
        findings.proposals.push(Proposal {
            level: Level::Review,
            title: "leave sudo away".into(),
            reason: "the RUN is root's already; sudo only takes the environment away from the command".into(),
            line: step.line,
            declares: Vec::new(),
            edits,
        });
    }
    findings
}

/// What takes `sudo` and its options away in front of each command of a RUN; nothing where one of them does more.
fn edits(model: &Model, step: &Step) -> Vec<Edit> {
    let Some(script) = step.run.as_ref().and_then(|r| r.script.as_ref()) else { return Vec::new() };
    let mut edits = Some(Vec::new());
    script.each_command(&mut |command| {
        let CommandKind::Simple { words, .. } = &command.kind else { return };
        if words.first().is_none_or(|w| w.raw != "sudo") {
            return;
        }
        match prefix(model.file.source(), words) {
            Some(span) => edits.iter_mut().for_each(|e| e.push(Edit::delete(span))),
            None => edits = None,
        }
    });
    edits.unwrap_or_default()
}

/// From `sudo` up to the command that it runs; `None` where it is not plain.
fn prefix(source: &str, words: &[ShellWord]) -> Option<Span> {
    let (sudo, mut rest) = words.split_first()?;
    loop {
        let (word, behind) = rest.split_first()?;
        rest = match word.raw.as_str() {
            "-u" | "--user" => behind.split_first().filter(|(user, _)| user.raw == "root")?.1,
            "--user=root" | "-uroot" => behind,
            "--" => {
                rest = behind;
                break;
            }
            option if IDLE.contains(&option) => behind,
            option if option.starts_with('-') => return None,
            _ => break,
        };
    }
    let span = Span::new(sudo.span.start, rest.first()?.span.start);
    // Over the end of a line there may be a comment.
    (!span.text(source).contains('\n') && span.text(source).starts_with("sudo")).then_some(span)
}
