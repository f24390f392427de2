//! Copies what the install steps read first, then installs, then copies the rest.

mod beside;
mod changing;
mod fetch;
mod manifests;
mod needs;
mod split;
pub(crate) mod store;

use beside::Copies;
use needs::Need;

use super::{Findings, Group, Level, Proposal, Refusal, Transform};
use crate::context::Knowledge;
use crate::edit::Edit;
use crate::model::command::Action;
use crate::model::copied::Copy;
use crate::model::path::inside;
use crate::model::{Model, Step, path};
use crate::source::Span;
use crate::syntax::{Form, ItemKind, Keyword, View};

/// How many RUNs behind a COPY are looked at.
const MOST_RUNS: usize = 400;

/// See `page.md`.
pub const TRANSFORM: Transform = Transform {
    id: "copy-order",
    summary: "Copy the manifests, install, and only then copy the sources, so that a source change does not install again",
    group: Group::Restructure,
    may_change: &[],
    page: include_str!("page.md"),
    run,
};

fn run(model: &Model) -> Findings {
    let mut findings = Findings::default();
    for stage in 0..model.stages.len() {
        let range = model.stages.get(stage).map_or(0..0, |s| s.steps.clone());
        let copies = Copies::of(model, range.clone());
        // One move a stage and pass: the copy nearest to the install first, so that earlier ones follow in order.
        let mut moved = false;
        for at in range.clone().rev() {
            let Some(step) = model.steps.get(at) else { continue };
            if !matches!(step.keyword, Keyword::Copy | Keyword::Add) || is_windows(step) {
                continue;
            }
            let Some(end) = first_block(model, &copies, at, range.end) else {
                unknown(model, step, at, range.end, &mut findings);
                continue;
            };
            let split = split::apart(model, stage, &end);
            let refusal = |line: usize, why: String| Refusal {
                reason: format!("{} is copied before the install of line {line}, which can't go first: {why}", source_text(step)),
                line,
            };
            match &split {
                Some(Ok(_)) => {}
                Some(Err(reason)) => findings.refusals.push(refusal(end.line, reason.clone())),
                None if end.refuses => findings.refusals.push(refusal(end.line, end.reason.clone())),
                None => {
                    let between = format!("line {} stands between ({})", end.line, end.reason);
                    findings.refusals.extend(blocked_install(model, &end, range.end).map(|install| refusal(install, between)));
                }
            }
            let proposal =
                moving(model, &end).or_else(|| split?.ok()).or_else(|| fetch::before_build(model, stage, &end)).filter(|_| !moved);
            if let Some(proposal) = proposal {
                moved = true;
                findings.proposals.push(proposal);
            }
        }
        if !moved {
            let others: Vec<Proposal> =
                fetch::in_place_of_get(model, stage).into_iter().chain(store::mounts(model, stage, store::TOOLS)).collect();
            // In the pass after the others, which may touch the same lines.
            findings.proposals.extend(changing::late(model, stage).filter(|_| others.is_empty()));
            findings.proposals.extend(others);
        }
    }
    findings
}

fn is_windows(step: &Step) -> bool {
    step.before.shell.first().is_some_and(|s| s.contains("powershell") || s.contains("cmd"))
}

fn source_text(step: &Step) -> String {
    let View::Copy { sources, .. } = &step.view else { return String::new() };
    sources.iter().map(|s| s.text.as_str()).collect::<Vec<_>>().join(" ")
}

/// The line of an install behind a step that works on the copied files, which is why it can't go before the copy.
fn blocked_install(model: &Model, reach: &Reach, end: usize) -> Option<usize> {
    if reach.reason.is_empty() || reach.refuses || !reach.copy.takes_folder() {
        return None;
    }
    let behind = model.steps.get(reach.block + 1..end).unwrap_or_default();
    let runs = behind.iter().filter(|s| s.keyword == Keyword::Run).take(MOST_RUNS);
    let install = runs.into_iter().find(|s| matches!(needs::of_run(model, s, &reach.copy), Need::Files { installs: true, .. }))?;
    Some(install.line)
}

/// Says that the context is unknown where a copy stands before an install.
fn unknown(model: &Model, step: &Step, at: usize, end: usize, findings: &mut Findings) {
    let Knowledge::Unknown { missing, line } = model.context.knowledge() else { return };
    let takes_folder =
        matches!(&step.view, View::Copy { from: None, sources, .. } if sources.iter().any(|s| matches!(s.text.as_str(), "." | "./")));
    let installs = |s: &&Step| {
        let run = s.run.as_ref();
        run.is_some_and(|r| r.commands.iter().any(|c| matches!(&c.action, crate::model::command::Action::Language { operation: crate::model::command::Operation::Install, files, .. } if c.words.len() < 4 || !files.is_empty())))
    };
    if takes_folder && model.steps.get(at..end).unwrap_or_default().iter().any(|s| installs(&s)) {
        let reason =
            format!("context unknown: COPY {missing} (line {line}), so it can't be told what the install after line {} reads", step.line);
        findings.refusals.push(Refusal { reason, line: step.line });
    }
}

/// How far the steps behind a COPY do without what it brings.
struct Reach<'m> {
    copy: Copy<'m>,
    /// The index of the first step that needs more of the copied files than can be said.
    block: usize,
    /// The last install step before the block, with the files of the context that the steps up to it read.
    install: Option<(usize, Vec<String>)>,
    /// RUNs before the block that only mend files of the copy, so that they follow it, with the files.
    tending: Vec<(usize, Vec<String>)>,
    reason: String,
    line: usize,
    /// Whether the block is an install step that could have gone first but for its reason.
    refuses: bool,
}

/// `None` where the COPY can't be followed or the context is not known.
fn first_block<'m>(model: &'m Model, copies: &Copies<'m>, at: usize, end: usize) -> Option<Reach<'m>> {
    if !model.context.is_known() {
        return None;
    }
    let copy = copies.get(at)?.clone();
    let beside = copies.beside(&copy, at);
    let mut runs = 0;
    // What lies in the system's own folders may be the configuration of any step.
    let system = ["/", "/etc", "/usr", "/usr/local", "/var", "/bin", "/lib", "/sbin", "/opt", "/root", "/home"];
    if copy.parts.iter().any(|p| system.contains(&p.target.as_str()) || inside(&p.target, "/etc") || inside(&p.target, "/usr/local")) {
        return None;
    }
    let mut reach = Reach { copy, block: end, install: None, tending: Vec::new(), reason: String::new(), line: 0, refuses: false };
    let mut reads: Vec<String> = Vec::new();
    let expands = source_text(model.steps.get(at)?).contains('$') || reach.copy.written.contains('$');
    for index in at + 1..end {
        let step = model.steps.get(index)?;
        runs += usize::from(step.keyword == Keyword::Run);
        let stop = match step.keyword {
            Keyword::Run if runs > MOST_RUNS => true,
            Keyword::Run => match needs::of_run(model, step, &reach.copy) {
                Need::Files { files, installs }
                    if installs && reach.tending.iter().flat_map(|(_, f)| f).any(|f| files.contains(f) || reads.contains(f)) =>
                {
                    reach.reason = "reads a file that a step before it changes".to_owned();
                    (reach.line, reach.refuses) = (step.line, true);
                    true
                }
                Need::Files { files, installs } => {
                    reads.extend(files);
                    if installs {
                        reads.sort();
                        reads.dedup();
                        reach.install = Some((index, reads.clone()));
                    }
                    false
                }
                Need::More { installs: false, .. } if tends(model, step, &reach.copy).is_some() => {
                    reach.tending.extend(tends(model, step, &reach.copy).map(|files| (index, files)));
                    false
                }
                Need::More { reason, line, installs } => {
                    let outside = reason.starts_with("runs outside");
                    reach.refuses = installs && !outside && reach.copy.takes_folder();
                    (reach.reason, reach.line) = (reason, line);
                    true
                }
            },
            Keyword::Copy | Keyword::Add => {
                let other = copies.get(index);
                beside.contains(&index) && !is_apart(model, step, other, &reach.copy) || overwrites(other, &reach)
            }
            Keyword::Env | Keyword::Arg => expands,
            Keyword::Workdir => below(model, step, &reach.copy),
            Keyword::Volume => true,
            Keyword::Shell | Keyword::From | Keyword::Unknown => true,
            _ => false,
        };
        if stop {
            reach.block = index;
            break;
        }
    }
    Some(reach)
}

/// The files of the copy that a RUN changes and all that it does: `chmod +x run.sh`, `sed -i ... run.sh`. `None` for any other.
fn tends(model: &Model, step: &Step, copy: &Copy) -> Option<Vec<String>> {
    let run = step.run.as_ref().filter(|r| r.script.is_some() && step.reading.flags.is_empty())?;
    let mut files = Vec::new();
    for command in &run.commands {
        let Action::File { writes, reads } = &command.action else { return None };
        let directory = command.directory.as_deref()?;
        if !matches!(command.program(), Some("chmod" | "sed" | "dos2unix")) || !command.writes.is_empty() || writes.is_empty() {
            return None;
        }
        for word in writes.iter().chain(reads) {
            let origin = copy.origin(&needs::absolute(directory, word.literal.as_deref()?))?;
            if !model.context.is_file(&origin) {
                return None;
            }
            files.push(origin);
        }
    }
    (!files.is_empty()).then_some(files)
}

/// Whether a WORKDIR makes a folder that the copy would have brought, with other owners.
fn below(model: &Model, step: &Step, copy: &Copy) -> bool {
    let View::Workdir { path: word } = &step.view else { return true };
    let Some(text) = model.expand(step, &word.text) else { return true };
    let Some(target) = path::workdir(step.before.workdir.as_deref(), &text, false) else { return true };
    let root = step.before.user.as_deref().is_some_and(|u| matches!(u, "" | "0" | "root"));
    !root && path::below(&path::clean(&target), &copy.destination).is_some_and(|rest| !rest.is_empty())
}

/// Whether a further COPY writes nothing that `copy` writes from another source, so that their order does not matter.
fn is_apart(model: &Model, step: &Step, other: Option<&Copy>, copy: &Copy) -> bool {
    if let Some(other) = other {
        let files = other.files(model);
        return files.len() < 5_000
            && files.iter().all(|file| match other.target(file) {
                Some(target) => !copy.covers(&target) || copy.origin(&target).is_none_or(|o| o == *file || !model.context.exists(&o)),
                None => false,
            })
            // An attribute that the one sets and the other does not would change with the order.
            && (attributes(step) == attributes(copy.step) || !files.iter().filter_map(|f| other.target(f)).any(|t| copy.covers(&t)));
    }
    let Some(target) = target(model, step) else { return false };
    !copy.covers(&target) && !inside(&copy.destination, &target)
}

/// Where a COPY puts what it takes.
fn target(model: &Model, step: &Step) -> Option<String> {
    let View::Copy { destination, .. } = &step.view else { return None };
    let to = model.expand(step, &destination.text)?;
    Some(needs::absolute(step.before.workdir.as_deref()?, &to))
}

/// Whether a further COPY brings a file anew that a step before it has changed.
fn overwrites(other: Option<&Copy>, reach: &Reach) -> bool {
    let targets: Vec<String> = reach.tending.iter().flat_map(|(_, files)| files).filter_map(|f| reach.copy.target(f)).collect();
    !targets.is_empty() && other.is_none_or(|other| targets.iter().any(|t| other.covers(t)))
}

fn attributes(step: &Step) -> Vec<(&str, Option<&str>)> {
    step.reading
        .flags
        .iter()
        .filter(|f| matches!(f.name.as_str(), "chown" | "chmod"))
        .map(|f| (f.name.as_str(), f.value.as_deref()))
        .collect()
}

/// What is copied ahead of the install steps.
struct Ahead {
    /// The files and folders of the context that they read.
    brought: Vec<String>,
    narrow: Narrow,
}

impl Ahead {
    /// In words, behind "read".
    fn what(&self) -> String {
        match self.brought.as_slice() {
            [] => "nothing of it".to_owned(),
            files if files.len() <= 3 => format!("{} alone", files.join(", ")),
            files => format!("{} of its files alone", files.len()),
        }
    }
}

/// What has to be copied ahead for steps that read `reads`; `None` where nothing is gained.
fn ahead(model: &Model, reach: &Reach, reads: &[String]) -> Option<Ahead> {
    let copy = &reach.copy;
    let brought: Vec<&String> = reads.iter().filter(|f| copy.target(f).is_some()).collect();
    if !copy.takes_folder() && brought.is_empty() {
        return None;
    }
    let narrow = narrow(model, reach, &brought)?;
    let mut old = copy.files(model);
    let mut new = brought.iter().flat_map(|f| model.context.files_of(f)).chain(narrow.matched.iter().cloned()).collect::<Vec<_>>();
    for list in [&mut old, &mut new] {
        list.sort();
        list.dedup();
    }
    let gain = old != new && !old.iter().all(|f| new.contains(f));
    gain.then(|| Ahead { brought: brought.into_iter().cloned().collect(), narrow })
}

/// The move of a COPY behind the install steps that read nothing else of it.
fn moving(model: &Model, reach: &Reach) -> Option<Proposal> {
    let (last, reads) = reach.install.as_ref()?;
    let ahead = ahead(model, reach, reads)?;
    let install = model.steps.get(*last)?;
    Some(Proposal {
        level: Level::Safe,
        title: format!("copy the sources after the install of line {}", install.line),
        reason: format!(
            "the install steps up to line {} read {}, so they need not run again when other files change",
            install.line,
            ahead.what()
        ),
        line: reach.copy.step.line,
        declares: Vec::new(),
        edits: relocate(model, reach, *last + 1, &ahead.narrow.lines, "")?,
    })
}

/// The COPY lines for the manifests.
struct Narrow {
    lines: String,
    /// What wildcards in them match besides.
    matched: Vec<String>,
}

/// COPY lines for `files`, one a folder, with the flags of the COPY that they stand in for.
fn narrow(model: &Model, reach: &Reach, files: &[&String]) -> Option<Narrow> {
    let copy = &reach.copy;
    let flags: String = copy.step.reading.flags.iter().map(|f| format!("{} ", f.span.text(model.file.source()))).collect();
    let written = model.file.instruction(copy.step.item)?.keyword_span.text(model.file.source());
    let keyword = if written.chars().all(char::is_lowercase) { "copy" } else { "COPY" };
    let mut folders: Vec<(String, Vec<&str>)> = Vec::new();
    for file in files {
        if file.contains(char::is_whitespace) || file.contains(['$', '"', '\'', '\\', '[', '*', '?', '#']) {
            return None;
        }
        let target = copy.target(file)?;
        let is_folder = model.context.is_dir(file);
        // A folder's contents are copied, so it stands alone with its own destination.
        let into = if is_folder { target } else { target.rsplit_once('/')?.0.to_owned() };
        match folders.iter_mut().find(|(f, _)| *f == into && !is_folder) {
            Some((_, names)) => names.push(file),
            None => folders.push((into, vec![file])),
        }
    }
    if folders.len() > 12 {
        return None;
    }
    // A workspace's members have no lock files of their own.
    let root = files.iter().map(|f| f.as_str()).filter(|f| f.rsplit('/').next() == Some("package.json")).min_by_key(|f| f.len());
    let mut matched = Vec::new();
    let mut lines = String::new();
    let eol = line_end(model, copy.step);
    let indent = indentation(model, copy.step);
    for (into, mut names) in folders {
        let pattern = if names.iter().any(|n| Some(*n) == root) { shorten(model, &mut names) } else { None };
        if let Some(pattern) = &pattern {
            matched.extend(model.context.glob(pattern));
        }
        let sources: Vec<&str> = pattern.as_deref().into_iter().chain(names).collect();
        let to = match path::below(&into, &copy.destination) {
            Some(rest) => {
                let base = copy.written.trim_matches(['"', '\'']).trim_end_matches("/.").trim_end_matches('/');
                let base = if base.is_empty() && copy.written.starts_with('/') { "" } else { base };
                if rest.is_empty() { format!("{base}/") } else { format!("{base}/{rest}/") }
            }
            None => format!("{into}/"),
        };
        lines.push_str(&format!("{indent}{keyword} {flags}{} {}{eol}", sources.join(" "), clean_dots(&to)));
    }
    Some(Narrow { lines, matched })
}

/// `./x/` for what is below the working directory reads better as `x/`.
fn clean_dots(to: &str) -> String {
    match to.strip_prefix("./") {
        Some(rest) if !rest.is_empty() => rest.to_owned(),
        _ => to.to_owned(),
    }
}

/// Replaces package.json and its lock file by the usual wildcard, which goes on matching when a lock file is added.
fn shorten(model: &Model, names: &mut Vec<&str>) -> Option<String> {
    let at = names.iter().position(|n| *n == "package.json" || n.ends_with("/package.json"))?;
    let folder = names.get(at)?.strip_suffix("package.json")?.to_owned();
    let others = ["yarn.lock", "pnpm-lock.yaml", "npm-shrinkwrap.json"].iter().any(|n| names.iter().any(|x| *x == format!("{folder}{n}")));
    let pattern = format!("{folder}package*.json");
    let expected = [format!("{folder}package.json"), format!("{folder}package-lock.json")];
    if others || model.context.glob(&pattern).iter().any(|f| !expected.contains(f)) {
        return None;
    }
    names.retain(|n| !expected.iter().any(|e| e == n));
    Some(pattern)
}

/// The edits that put `lines` in the COPY's place, and `before` and the COPY itself in front of the step at `to`.
fn relocate(model: &Model, reach: &Reach, to: usize, lines: &str, before: &str) -> Option<Vec<Edit>> {
    let file = &model.file;
    let source = file.source();
    let copy = &reach.copy;
    let block = file.block(copy.step.item);
    let previous = model.steps.get(to.checked_sub(1)?)?;
    let eol = line_end(model, copy.step);
    // The destination means the same folder behind the WORKDIRs in between.
    let after = model.steps.get(to).map_or_else(|| previous.before.workdir.clone(), |s| s.before.workdir.clone());
    let mut text = source.get(block.start..block.end)?.to_owned();
    if copy.step.before.workdir != after && !copy.written.trim_start_matches(['"', '\'']).starts_with('/') {
        if copy.form == Form::Exec || copy.written.contains(['$', '"', '\'']) {
            return None;
        }
        let span = copy.destination_span;
        let slash = if copy.destination == "/"
            || !(copy.takes_folder() || copy.parts.len() > 1 || copy.written.ends_with('/') || copy.written == ".")
        {
            ""
        } else {
            "/"
        };
        let relative =
            if after.as_deref() == Some(copy.destination.as_str()) { ".".to_owned() } else { format!("{}{slash}", copy.destination) };
        text.replace_range(span.start.checked_sub(block.start)?..span.end.checked_sub(block.start)?, &relative);
    }
    let mut edits = vec![Edit::replace(block, lines)];
    for (index, _) in reach.tending.iter().filter(|(index, _)| *index < to) {
        let step = model.steps.get(*index)?;
        let here = model.steps.get(to).map_or(&previous.before, |s| &s.before);
        if (&step.before.workdir, &step.before.user, &step.before.shell) != (&here.workdir, &here.user, &here.shell) {
            return None;
        }
        let own = file.block(step.item);
        if !text.ends_with('\n') {
            text.push_str(eol);
        }
        text.push_str(source.get(own.start..own.end)?);
        edits.push(Edit::delete(own));
    }
    let has_comment = block.start < copy.step.span.start;
    let mut insert = String::new();
    if !previous.span.text(source).ends_with('\n') {
        insert.push_str(eol);
    }
    insert.push_str(before);
    if has_comment && starts_paragraph(model, block) {
        insert.push_str(eol);
    }
    insert.push_str(&text);
    if !insert.ends_with('\n') {
        insert.push_str(eol);
    }
    edits.push(Edit::insert(previous.span.end, insert));
    Some(edits)
}

/// Whether the item before a block is a blank line.
fn starts_paragraph(model: &Model, block: Span) -> bool {
    let before = model.file.items.iter().take_while(|i| i.span.start < block.start).last();
    before.is_some_and(|i| matches!(i.kind, ItemKind::Blank))
}

fn line_end<'m>(model: &'m Model, step: &Step) -> &'m str {
    if step.span.text(model.file.source()).ends_with("\r\n") { "\r\n" } else { "\n" }
}

fn indentation<'m>(model: &'m Model, step: &Step) -> &'m str {
    let text = step.span.text(model.file.source());
    text.get(..text.len() - text.trim_start_matches([' ', '\t']).len()).unwrap_or_default()
}
