//! Suggests to take the setuid and setgid bits from the programs of an image that runs as a user.

use super::non_root::facts::facts;
use super::{Findings, Group, Level, Proposal, Refusal, Transform};
use crate::context::is_dockerfile_name;
use crate::edit::Edit;
use crate::model::{Base, Model, Step};
use crate::syntax::{Keyword, View};

/// See `page.md`.
pub const TRANSFORM: Transform = Transform {
    id: "setuid",
    summary: "Suggest to take the setuid bits from an image that runs as a user, who could become root by them",
    group: Group::Harden,
    may_change: &[],
    page: include_str!("page.md"),
    run,
};

/// What takes the bits away, on one file system and from plain files alone; `find` of coreutils' systems and of busybox alike.
const COMMAND: &str = "find / -xdev -type f -perm /6000 -exec chmod a-s {} +";

fn run(model: &Model) -> Findings {
    let mut findings = Findings::default();
    let Some(stage) = model.stages.len().checked_sub(1) else { return findings };
    if model.steps_of(stage).iter().any(is_done) {
        return findings;
    }
    match position(model, stage) {
        Ok(Some(step)) => findings.proposals.extend(proposal(model, step)),
        Ok(None) => {}
        Err((reason, line)) => findings.refusals.push(Refusal { reason, line }),
    }
    findings
}

/// The USER of the final stage before which root can take the bits away; `None` where nothing is to be gained.
fn position<'m>(model: &'m Model<'_>, stage: usize) -> Result<Option<&'m Step>, (String, usize)> {
    let Some(end) = model.stages.get(stage).map(|s| &s.end) else { return Ok(None) };
    let steps = model.steps_of(stage);
    let facts = &facts().root.setuid;
    // Root needs no such bit, and who an unknown user is can't be told.
    if end.user.as_deref().is_none_or(is_root) {
        return Ok(None);
    }
    let Some(at) = steps.iter().rposition(|s| s.keyword == Keyword::User) else {
        let line = steps.first().map_or(1, |s| s.line);
        return Err(("the image runs as a user from its base on, and only root can take the bits away".to_owned(), line));
    };
    let Some((user, behind)) = steps.get(at..).and_then(<[Step]>::split_first) else { return Ok(None) };
    if !has_find(model, stage) {
        return Err(("whether the image has a shell and find is not known".to_owned(), user.line));
    }
    let Some(above) = user.before.user.as_deref() else {
        return Err(("as whom the image runs above this USER is not known, and only root can take the bits away".to_owned(), user.line));
    };
    if !is_root(above) {
        return Err((format!("above this USER, {above} works, and only root can take the bits away"), user.line));
    }
    if crate::shell::Dialect::of(&user.before.shell) == crate::shell::Dialect::Other {
        return Err(("SHELL is no shell of Unix".to_owned(), user.line));
    }
    let starts = steps.iter().filter(|s| matches!(s.keyword, Keyword::Cmd | Keyword::Entrypoint | Keyword::Healthcheck | Keyword::Env));
    for step in behind.iter().chain(starts) {
        if let Some(program) = names(step.span.text(model.file.source()), &facts.programs) {
            return Err((format!("{program} needs its setuid bit"), step.line));
        }
    }
    for path in model.context.files().0 {
        let script = path.ends_with(".sh") || path.rsplit('/').next().is_some_and(|n| n.contains("entrypoint") || !n.contains('.'));
        if is_dockerfile_name(path.rsplit('/').next().unwrap_or_default()) || !script && !crate::catalog::context::is_source(&path) {
            continue;
        }
        let found = model.context.read(&path).and_then(|text| names(&text, if script { &facts.programs } else { &facts.in_sources }));
        if let Some(program) = found {
            return Err((format!("{path} names {program}, which needs its setuid bit"), user.line));
        }
    }
    Ok(Some(user))
}

fn is_root(user: &str) -> bool {
    matches!(user.split(':').next(), Some("" | "root" | "0"))
}

/// Whether a RUN takes the bits away already.
fn is_done(step: &Step) -> bool {
    let View::Run { .. } = step.view else { return false };
    let text = step.reading.args.join(" ");
    text.contains("find") && text.contains("-perm") && text.contains("chmod")
}

/// Whether the image has a shell and `find`: findutils is essential on Debian, and busybox has its own.
fn has_find(model: &Model, stage: usize) -> bool {
    let mut stage = stage;
    loop {
        match model.stages.get(stage).map(|s| &s.base) {
            Some(Base::Stage(parent)) if *parent < stage => stage = *parent,
            Some(Base::Image(image)) => {
                return image
                    .facts
                    .as_ref()
                    .is_some_and(|f| f.shell && matches!(f.distribution.as_deref(), Some("debian" | "ubuntu" | "alpine")));
            }
            _ => return false,
        }
    }
}

/// The first of the programs that a text names as a word or as the last part of a path.
fn names<'p>(text: &str, programs: &'p [String]) -> Option<&'p str> {
    let lines = text.lines().filter(|l| !l.trim_start().starts_with('#'));
    lines
        .flat_map(|l| l.split(|c: char| !(c.is_alphanumeric() || matches!(c, '-' | '_'))))
        .find_map(|word| programs.iter().map(String::as_str).find(|p| *p == word))
}

fn proposal(model: &Model, user: &Step) -> Option<Proposal> {
    let source = model.file.source();
    let at = model.file.block(user.item).start;
    let end = if user.span.text(source).ends_with("\r\n") { "\r\n" } else { "\n" };
    let instruction = model.file.instruction(user.item)?;
    let indent = source.get(user.span.start..instruction.keyword_span.start).filter(|i| i.chars().all(|c| matches!(c, ' ' | '\t')))?;
    let keyword = if instruction.keyword_span.text(source).chars().all(char::is_lowercase) { "run" } else { "RUN" };
    let unread = if model.context.is_known() { "" } else { " The sources could not be read: see that none of them starts such a program." };
    Some(Proposal {
        level: Level::Suggest,
        title: "take the setuid bits away".into(),
        reason: format!(
            "programs like su and mount run as root whoever starts them; no line of this file starts one as a user, and without the bits none can be misused.{unread}"
        ),
        line: user.line,
        declares: Vec::new(),
        edits: vec![Edit::insert(at, format!("{indent}{keyword} {COMMAND}{end}"))],
    })
}
