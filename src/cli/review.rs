//! `restage review`: each proposal in turn, with its hunk and its reason.

use super::args::Common;
use super::exit::Exit;
use super::output;
use crate::diff::unified;
use crate::edit::EditSet;
use crate::file::{Processed, part};
use crate::pipeline::{Finding, Outcome};
use crate::write::{replace, side_files};
use clap::Args;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};

/// Options of `review`.
#[derive(Debug, Args)]
pub struct ReviewArgs {
    #[command(flatten)]
    common: Common,
    /// Ask again what was answered with no before
    #[arg(long)]
    again: bool,
    /// Where the answers are kept
    #[arg(long, value_name = "FILE")]
    answers: Option<PathBuf>,
}

/// What the user says to a proposal.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Answer {
    Yes,
    No,
    /// Yes, and to all others of this transform.
    All,
    /// No, and to all others of this transform.
    None,
    Quit,
}

const HELP: &str = "y  make this change\nn  leave it; it is not asked again\na  make this change and all others of this transform\n\
                    d  leave this change and all others of this transform\nq  stop; what was answered so far is written\n";

/// Asks, and writes what is wanted.
pub fn run(args: &ReviewArgs) -> io::Result<Exit> {
    let common = &args.common;
    if !io::stdin().is_terminal() {
        output::complain("review asks questions, and there is no terminal to ask on; `restage apply` writes without asking");
        return Ok(Exit::Failed);
    }
    let Some(answers) = common.answers() else { return Ok(Exit::Failed) };
    let path = args.answers.clone().or_else(default_path);
    let mut memory = Memory::read(path, args.again);
    let mut exit = Exit::of(&answers.files, &answers.missing, common.strict);
    let mut kinds: BTreeMap<&'static str, bool> = BTreeMap::new();
    let mut chosen: Vec<Processed> = Vec::new();
    'files: for file in &answers.files {
        let (Some(outcome), Some(source)) = (&file.outcome, &file.source) else { continue };
        let mut taken: Vec<&Finding> = Vec::new();
        let mut quit = false;
        for group in groups(outcome) {
            let Some(first) = group.first() else { continue };
            let key = memory.key(file, &group);
            let answer = match kinds.get(first.transform) {
                Some(true) => Answer::Yes,
                Some(false) => Answer::No,
                None if memory.declined.contains(&key) => Answer::No,
                None => ask(file, source, &group)?,
            };
            match answer {
                Answer::All => drop(kinds.insert(first.transform, true)),
                Answer::None => drop(kinds.insert(first.transform, false)),
                _ => {}
            }
            match answer {
                Answer::Yes | Answer::All => taken.extend(group),
                Answer::No | Answer::None => drop(memory.declined.insert(key)),
                Answer::Quit => {
                    quit = true;
                    break;
                }
            }
        }
        if !taken.is_empty() {
            match part(file, &taken, &common.request()) {
                Ok(part) => chosen.push(part),
                Err(e) => {
                    output::complain(&format!("{}: {e}", file.found.path.display()));
                    exit = Exit::Failed;
                }
            }
        }
        if quit {
            break 'files;
        }
    }
    memory.write()?;
    let mut out = output::stdout();
    for file in &chosen {
        let (Some(outcome), Some(source)) = (&file.outcome, &file.source) else { continue };
        match replace(&file.found.path, &file.found.tree, Some(source), &outcome.text) {
            Ok(()) => writeln!(out, "{}: written", file.found.path.display())?,
            Err(e) => {
                output::complain(&format!("{}: {e}", file.found.path.display()));
                exit = Exit::Failed;
            }
        }
    }
    let side = side_files(&chosen);
    for (path, change) in &side.changes {
        match replace(path, path.parent().unwrap_or(path), change.old.as_deref(), &change.new) {
            Ok(()) => writeln!(out, "{}: written", path.display())?,
            Err(e) => {
                output::complain(&format!("{}: {e}", path.display()));
                exit = Exit::Failed;
            }
        }
    }
    out.flush()?;
    drop(out);
    side.problems.iter().for_each(|p| output::complain(p));
    output::errors(&answers.files, &answers.missing);
    Ok(exit)
}

/// The proposals that can be taken or left on their own; suggestions are not asked for.
fn groups(outcome: &Outcome) -> Vec<Vec<&Finding>> {
    let mut out: BTreeMap<usize, Vec<&Finding>> = BTreeMap::new();
    for finding in outcome.proposals.iter().filter(|p| p.applied) {
        out.entry(finding.group).or_default().push(finding);
    }
    out.into_values().collect()
}

/// The edits of the Dockerfile itself.
fn own_edits(findings: &[&Finding]) -> Result<EditSet, String> {
    let edits = findings.iter().flat_map(|f| &f.edits).filter(|e| e.path.is_none()).cloned();
    EditSet::new(edits).map_err(|e| e.to_string())
}

/// Shows a group and asks what to do with it.
fn ask(file: &Processed, source: &str, group: &[&Finding]) -> io::Result<Answer> {
    let mut out = output::stdout();
    let path = crate::report::shown(file);
    for finding in group {
        writeln!(out, "\n{path}:{}: {} ({}): {}", finding.line, finding.transform, finding.level.name(), finding.title)?;
        writeln!(out, "{}", finding.reason)?;
    }
    if let Ok(new) = own_edits(group).and_then(|set| set.apply(source).map_err(|e| e.to_string())) {
        let mut patch = Vec::new();
        unified(&mut patch, &path, Some(source), &new)?;
        super::diff::print(&mut out, &patch, output::stdout_has_colours())?;
    }
    for edit in group.iter().flat_map(|f| &f.edits) {
        if let Some(path) = &edit.path {
            writeln!(out, "and in {path}: {}", edit.text.trim_end())?;
        }
    }
    loop {
        write!(out, "Make this change [y,n,a,d,q,?]? ")?;
        out.flush()?;
        let mut line = String::new();
        if io::stdin().lock().read_line(&mut line)? == 0 {
            return Ok(Answer::Quit);
        }
        match line.trim() {
            "y" => return Ok(Answer::Yes),
            "n" => return Ok(Answer::No),
            "a" => return Ok(Answer::All),
            "d" => return Ok(Answer::None),
            "q" => return Ok(Answer::Quit),
            _ => write!(out, "{HELP}")?,
        }
    }
}

/// What was answered with no, so that it is not asked again.
struct Memory {
    path: Option<PathBuf>,
    declined: BTreeSet<String>,
}

impl Memory {
    fn read(path: Option<PathBuf>, forget: bool) -> Self {
        let text = path.as_ref().filter(|_| !forget).and_then(|p| std::fs::read(p).ok());
        Self { path, declined: text.and_then(|t| serde_json::from_slice(&t).ok()).unwrap_or_default() }
    }

    /// What a proposal is known by: the file, what is done, and the lines that it is done to.
    fn key(&self, file: &Processed, group: &[&Finding]) -> String {
        let mut hash = Sha256::new();
        let path = std::fs::canonicalize(&file.found.path).unwrap_or_else(|_| file.found.path.clone());
        hash.update(path.to_string_lossy().as_bytes());
        for finding in group {
            hash.update([0]);
            hash.update(finding.transform);
            hash.update(&finding.title);
            for edit in &finding.edits {
                hash.update([1]);
                hash.update(edit.span.text(file.source.as_deref().unwrap_or("")));
                hash.update([2]);
                hash.update(&edit.text);
            }
        }
        hash.finalize().iter().take(12).map(|b| format!("{b:02x}")).collect()
    }

    fn write(&self) -> io::Result<()> {
        let Some(path) = self.path.as_ref().filter(|_| !self.declined.is_empty()) else { return Ok(()) };
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
        crate::batch::journal::put(path, &serde_json::to_vec(&self.declined)?)
    }
}

/// Where programs of this user keep what they remember.
fn default_path() -> Option<PathBuf> {
    let base = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from).filter(|p| p.is_absolute());
    let base = base.or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".local/state")));
    base.map(|b| b.join("restage/declined.json"))
}
