//! `restage diff`.

use super::args::{Answers, Common, Format};
use super::exit::Exit;
use super::output;
use crate::diff::unified;
use crate::discover::STDIN;
use crate::file::Processed;
use crate::report::{Totals, text};
use crate::write::side_files;
use clap::Args;
use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};

/// Options of `diff`.
#[derive(Debug, Args)]
pub struct DiffArgs {
    #[command(flatten)]
    common: Common,
    /// The folder that paths in the diff are relative to, instead of the current one
    #[arg(long, value_name = "DIR")]
    relative_to: Option<PathBuf>,
}

/// Prints the diffs to standard output and a line a proposal to standard error.
pub fn run(args: &DiffArgs) -> io::Result<Exit> {
    let common = &args.common;
    let Some(answers) = common.answers() else { return Ok(Exit::Failed) };
    if common.format != Format::Text {
        return super::check::report(common, &answers);
    }
    let root = args.relative_to.clone().unwrap_or_else(|| PathBuf::from("."));
    let colour = output::stdout_has_colours();
    let mut out = output::stdout();
    let mut err = io::stderr().lock();
    for file in &answers.files {
        if !common.quiet {
            text::proposals(&mut err, file)?;
        }
        if common.verbose {
            text::refusals(&mut err, file)?;
        }
        if let (Some(outcome), Some(source)) = (&file.outcome, &file.source) {
            let mut patch = Vec::new();
            unified(&mut patch, &name(&real_path(file), &root), Some(source), &outcome.text)?;
            print(&mut out, &patch, colour)?;
        }
    }
    let side = side_files(&answers.files);
    for (path, change) in &side.changes {
        let mut patch = Vec::new();
        unified(&mut patch, &name(path, &root), change.old.as_deref(), &change.new)?;
        print(&mut out, &patch, colour)?;
    }
    out.flush()?;
    drop(err);
    side.problems.iter().for_each(|p| output::complain(p));
    output::errors(&answers.files, &answers.missing);
    if common.verbose || (!common.quiet && answers.files.len() > 1) {
        output::complain(&text::summary(&Totals::of(&answers.files)));
    }
    Ok(status(common, &answers))
}

/// The status of `diff` and `check`.
pub fn status(common: &Common, answers: &Answers) -> Exit {
    let changes = if answers.files.iter().any(Processed::has_changes) { Exit::Changes } else { Exit::Done };
    Exit::of(&answers.files, &answers.missing, common.strict).max(changes)
}

/// The path that a patch has to name: where a link leads, because `git apply` follows none.
fn real_path(file: &Processed) -> PathBuf {
    let path = &file.found.path;
    if path.as_os_str() == STDIN {
        return PathBuf::from("Dockerfile");
    }
    if path.is_symlink() { std::fs::canonicalize(path).unwrap_or_else(|_| path.clone()) } else { path.clone() }
}

/// `path` relative to `root`, with `/`.
fn name(path: &Path, root: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    let (path, mut root) = (tidy(&here.join(path)), tidy(&here.join(root)));
    if path.strip_prefix(&root).is_err()
        && let Ok(real) = std::fs::canonicalize(&root)
    {
        root = real;
    }
    let relative = path.strip_prefix(&root).unwrap_or(&path);
    relative
        .components()
        .filter_map(|c| match c {
            Component::Normal(part) => Some(part.to_string_lossy()),
            _ => None,
        })
        .collect::<Vec<_>>()
        .join("/")
}

/// The path without `.` and `..`.
fn tidy(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            part => out.push(part),
        }
    }
    out
}

/// Writes a patch, coloured by line where that is wanted.
pub fn print(out: &mut impl Write, patch: &[u8], colour: bool) -> io::Result<()> {
    if !colour {
        return out.write_all(patch);
    }
    let mut in_hunk = false;
    for line in patch.split_inclusive(|b| *b == b'\n') {
        in_hunk |= line.starts_with(b"@@");
        let style = match line.first() {
            _ if !in_hunk => "\x1b[1m",
            Some(b'@') => "\x1b[36m",
            Some(b'+') => "\x1b[32m",
            Some(b'-') => "\x1b[31m",
            _ => "",
        };
        let (body, end) = if let Some(body) = line.strip_suffix(b"\n") { (body, "\n") } else { (line, "") };
        if style.is_empty() {
            out.write_all(body)?;
        } else {
            out.write_all(style.as_bytes())?;
            out.write_all(body)?;
            out.write_all(b"\x1b[0m")?;
        }
        out.write_all(end.as_bytes())?;
    }
    Ok(())
}

/// The names of the transforms that changed a file, each once.
pub fn transforms_of(file: &Processed) -> Vec<&'static str> {
    let mut seen = BTreeSet::new();
    file.outcome.iter().flat_map(|o| &o.proposals).filter(|p| p.applied && seen.insert(p.transform)).map(|p| p.transform).collect()
}
