//! `restage check`, and the formats for programs.

use super::args::{Answers, Common, Format};
use super::exit::Exit;
use super::output;
use crate::rebuild::Looked;
use crate::report::json::Report;
use crate::report::{Totals, github, markdown, sarif, text};
use clap::Args;
use std::io::{self, Write};

/// Options of `check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    #[command(flatten)]
    common: Common,
    /// Tell which steps a build runs again after a change of this file of the build context, instead of a typical source
    #[arg(long, value_name = "FILE")]
    touch: Option<String>,
}

/// Tells what would change.
pub fn run(args: &CheckArgs) -> io::Result<Exit> {
    let looked = args.touch.clone().map_or(Looked::Typical, Looked::File);
    let Some(answers) = args.common.answers_with(looked) else { return Ok(Exit::Failed) };
    report(&args.common, &answers)
}

/// Tells it in the format that was asked for.
pub fn report(common: &Common, answers: &Answers) -> io::Result<Exit> {
    let mut out = output::stdout();
    match common.format {
        Format::Text => {
            let colour = output::stdout_has_colours();
            for file in answers.files.iter().filter(|_| !common.quiet) {
                text::file(&mut out, file, common.verbose, colour)?;
                text::rebuild(&mut out, file, common.verbose)?;
            }
            if !answers.files.is_empty() {
                writeln!(out, "{}", text::summary(&Totals::of(&answers.files)))?;
            }
        }
        Format::Json => {
            serde_json::to_writer(&mut out, &Report::new(&answers.files, &answers.missing))?;
            writeln!(out)?;
        }
        Format::Ndjson => {
            for file in Report::new(&answers.files, &answers.missing).files() {
                serde_json::to_writer(&mut out, file)?;
                writeln!(out)?;
            }
        }
        Format::Sarif => {
            serde_json::to_writer_pretty(&mut out, &sarif::log(&answers.files))?;
            writeln!(out)?;
        }
        Format::Github => {
            for file in &answers.files {
                github::file(&mut out, file)?;
            }
        }
        Format::Markdown => markdown::write(&mut out, &answers.files)?,
    }
    out.flush()?;
    output::errors(&answers.files, &answers.missing);
    Ok(super::diff::status(common, answers))
}
