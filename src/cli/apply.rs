//! `restage apply`.

use super::args::{Common, Format};
use super::diff::transforms_of;
use super::exit::Exit;
use super::output;
use crate::discover::STDIN;
use crate::report::{Totals, text};
use crate::write::{replace, side_files};
use clap::Args;
use std::io::{self, Write};
use std::sync::atomic::Ordering;

/// Options of `apply`.
#[derive(Debug, Args)]
pub struct ApplyArgs {
    #[command(flatten)]
    common: Common,
}

/// Writes the changes; standard input goes to standard output.
pub fn run(args: &ApplyArgs) -> io::Result<Exit> {
    let common = &args.common;
    let Some(answers) = common.answers() else { return Ok(Exit::Failed) };
    let mut exit = Exit::of(&answers.files, &answers.missing, common.strict);
    let mut out = output::stdout();
    let mut err = io::stderr().lock();
    let stop = super::signal::stop_gently();
    for file in &answers.files {
        if stop.load(Ordering::SeqCst) {
            writeln!(err, "restage: stopped; the files above are written, the others are as they were")?;
            return Ok(Exit::Failed);
        }
        let stdin = file.found.path.as_os_str() == STDIN;
        if stdin && common.format == Format::Text {
            // A filter gives back what it can't improve.
            let text = file.outcome.as_ref().map(|o| &o.text).or(file.source.as_ref());
            out.write_all(text.map_or("", String::as_str).as_bytes())?;
        }
        let (Some(outcome), Some(source)) = (&file.outcome, &file.source) else { continue };
        if !common.quiet && common.format == Format::Text {
            text::proposals(&mut err, file)?;
        }
        if common.verbose {
            text::refusals(&mut err, file)?;
        }
        if stdin || &outcome.text == source {
            continue;
        }
        match replace(&file.found.path, &file.found.tree, Some(source), &outcome.text) {
            Ok(()) if common.format == Format::Text && !common.quiet => {
                writeln!(out, "{}: {}", file.found.path.display(), transforms_of(file).join(", "))?;
            }
            Ok(()) => {}
            Err(e) => {
                writeln!(err, "restage: {}: {e}", file.found.path.display())?;
                exit = Exit::Failed;
            }
        }
    }
    let side = side_files(&answers.files);
    for (path, change) in &side.changes {
        if let Err(e) = replace(path, path.parent().unwrap_or(path), change.old.as_deref(), &change.new) {
            writeln!(err, "restage: {}: {e}", path.display())?;
            exit = Exit::Failed;
        } else if common.format == Format::Text && !common.quiet {
            writeln!(out, "{}: {}", path.display(), if change.old.is_some() { "changed" } else { "created" })?;
        }
    }
    drop(err);
    out.flush()?;
    drop(out);
    if common.format != Format::Text {
        super::check::report(common, &answers)?;
        return Ok(exit);
    }
    side.problems.iter().for_each(|p| output::complain(p));
    output::errors(&answers.files, &answers.missing);
    if common.verbose || (!common.quiet && answers.files.len() > 1) {
        output::complain(&text::summary(&Totals::of(&answers.files)));
    }
    Ok(exit)
}
