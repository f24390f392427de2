//! apt as it is meant to be used in a Dockerfile.

use super::packages::{append, has_cache_mount, has_option, layers_with, next_behind, system, verb};
use super::{Findings, Group, Level, Proposal, Refusal, Transform};
use crate::edit::Edit;
use crate::model::command::{Classified, Operation, cache_of};
use crate::model::{Model, RunFacts, Step};
use crate::syntax::Keyword;

/// See `page.md`.
pub const TRANSFORM: Transform = Transform {
    id: "apt",
    summary: "Call apt-get, answer its questions, and remove the package lists in the layer that fetched them",
    group: Group::Hygiene,
    may_change: &[],
    page: include_str!("page.md"),
    run,
};

/// The verbs that `apt` and `apt-get` share.
const SHARED: &[&str] = &[
    "update",
    "upgrade",
    "dist-upgrade",
    "install",
    "remove",
    "purge",
    "autoremove",
    "autopurge",
    "clean",
    "autoclean",
    "download",
    "build-dep",
    "source",
];
/// The verbs that ask before they do something.
const ASKING: &[&str] = &["install", "upgrade", "dist-upgrade", "remove", "purge", "autoremove", "build-dep", "reinstall"];

fn run(model: &Model) -> Findings {
    let mut findings = Findings::default();
    for step in model.steps.iter().filter(|s| s.keyword == Keyword::Run) {
        let Some(facts) = step.run.as_ref().filter(|f| f.script.is_some()) else { continue };
        for command in facts.commands.iter().filter(|c| system(c).is_some_and(|(manager, _)| manager == "apt")) {
            findings.proposals.extend(spelling(model, command));
            findings.proposals.extend(answer(model, command));
        }
    }
    lists(model, &mut findings);
    findings
}

fn proposal(level: Level, title: &str, reason: String, line: usize, edit: Edit) -> Proposal {
    Proposal { level, title: title.to_owned(), reason, line, declares: Vec::new(), edits: vec![edit] }
}

/// `apt` to `apt-get`.
fn spelling(model: &Model, command: &Classified) -> Option<Proposal> {
    let program = command.words.first().filter(|w| w.raw == "apt" && w.span.text(model.file.source()) == "apt")?;
    let verb = verb(model, command, SHARED)?;
    let reason = "apt is made for people: its command line may change and it warns when a script calls it; apt-get is stable".to_owned();
    let mut proposal = proposal(Level::Safe, "call apt-get in place of apt", reason, command.line, Edit::replace(program.span, "apt-get"));
    // `apt upgrade` installs what the new versions need besides; `apt-get upgrade` keeps such packages back.
    if verb.raw == "upgrade" && !has_option(command, &["--with-new-pkgs", "--without-new-pkgs"]) {
        proposal.edits.push(Edit::insert(verb.span.end, " --with-new-pkgs"));
    }
    Some(proposal)
}

/// `-y` where a question would end the build.
fn answer(model: &Model, command: &Classified) -> Option<Proposal> {
    if !matches!(command.words.first()?.raw.as_str(), "apt" | "apt-get") {
        return None;
    }
    let verb = verb(model, command, ASKING)?;
    let answered = has_option(
        command,
        &[
            "-y",
            "--yes",
            "--assume-yes",
            "--assume-no",
            "--force-yes",
            "-s",
            "--simulate",
            "--just-print",
            "--dry-run",
            "-d",
            "--download-only",
            "--print-uris",
        ],
    ) || command.words.iter().any(|w| w.raw.starts_with("-qq") || w.raw == "-q=2" || w.raw.contains("Assume-Yes"));
    // A configuration file or `yes |` may answer elsewhere.
    let source = model.file.source();
    if answered || source.contains("Assume-Yes") || source.contains("yes |") || source.contains("yes|") {
        return None;
    }
    let reason = format!("`{} {}` asks before it goes on, and in a build nobody answers", command.words.first()?.raw, verb.raw);
    Some(proposal(Level::Safe, "answer apt-get's questions with -y", reason, command.line, Edit::insert(verb.span.end, " -y")))
}

/// Removes the lists in the layer that fetched them.
fn lists(model: &Model, findings: &mut Findings) {
    let runs = || model.steps.iter().enumerate().filter(|(_, s)| s.keyword == Keyword::Run);
    let found = |is: &dyn Fn(&Step) -> bool| runs().filter(|(_, s)| is(s)).map(|(at, _)| at).collect::<Vec<_>>();
    let relying = found(&|s| s.run.as_ref().is_some_and(relies_on_lists));
    let unseen = found(&|s| s.run.as_ref().is_none_or(may_install));
    let using = found(&|s| s.commands().iter().any(|c| uses_lists(c) && !is_update(c)));
    for layer in layers_with(model, is_update) {
        let Some(run) = layer.iter().find(|r| r.facts.commands.iter().any(is_update)) else { continue };
        // Many remove the old lists first; those fetched behind that stay.
        let commands = || layer.iter().flat_map(|r| &r.facts.commands);
        let kept = commands().fold(false, |kept, c| (kept || is_update(c)) && !removes_lists(c));
        if !kept || layer.iter().any(|r| has_cache_mount(r.step)) {
            continue;
        }
        // Behind the last use in the layer; a layer that only fetches is there for a later one.
        let last = layer.iter().rev().find_map(|r| Some((r, r.facts.commands.iter().rfind(|c| uses_lists(c) && !is_update(c))?)));
        let Some((last, command)) = last else {
            if next_behind(&using, run.index).is_none() {
                findings.refusals.push(Refusal {
                    reason:
                        "the apt lists stay: nothing here is installed with them; leave `apt-get update` to those who build on this image"
                            .to_owned(),
                    line: run.step.line,
                });
            }
            continue;
        };
        // An index fetched behind that is there for others.
        if commands().skip_while(|c| c.span != command.span).any(is_update) {
            continue;
        }
        let behind = |indices: &[usize]| model.steps.get(next_behind(indices, last.index)?);
        if let Some(step) = behind(&relying) {
            findings.refusals.push(Refusal {
                reason: format!("the apt lists stay: line {} installs without an `apt-get update` of its own", step.line),
                line: run.step.line,
            });
            continue;
        }
        let Some(edit) = command.tidy().and_then(|tidy| append(model, last, command, &tidy)) else {
            findings.refusals.push(Refusal {
                reason: "the apt lists stay: `apt-get install` stands inside a condition, or its failure is caught".to_owned(),
                line: command.line,
            });
            continue;
        };
        let (level, but) = match behind(&unseen) {
            Some(step) => (Level::Review, format!("; make sure that what line {} runs does not install by itself", step.line)),
            None => (Level::Safe, String::new()),
        };
        let reason = format!("the lists are some 20 to 40 MB that nothing needs after the installation{but}");
        findings.proposals.push(proposal(level, "remove the apt lists in the same layer", reason, command.line, edit));
    }
}

fn is_update(command: &Classified) -> bool {
    system(command) == Some(("apt", Operation::Update))
}

fn uses_lists(command: &Classified) -> bool {
    matches!(system(command), Some(("apt", Operation::Update | Operation::Install | Operation::Upgrade | Operation::Download)))
        && command.program() != Some("dpkg")
}

fn removes_lists(command: &Classified) -> bool {
    command
        .words
        .iter()
        .any(|w| cache_of(w).as_deref() == Some("apt") && w.raw.contains("/lists") || w.raw.trim_matches('"').starts_with("/var/lib/apt"))
}

/// Whether a RUN installs before it updates.
fn relies_on_lists(facts: &RunFacts) -> bool {
    let first = facts.commands.iter().find(|c| uses_lists(c));
    first.is_some_and(|c| !is_update(c) || c.conditional)
}

/// Whether a RUN runs something of which it is not known what it does.
fn may_install(facts: &RunFacts) -> bool {
    (facts.script.is_none() && facts.commands.is_empty())
        || facts.commands.iter().any(|c| {
            c.action.is_unforeseen()
                && c.words
                    .first()
                    .is_some_and(|w| w.raw.contains('/') || matches!(c.program(), Some("sh" | "bash" | "ansible-playbook" | "make") | None))
        })
}
