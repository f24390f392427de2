//! `restage recipe`.

use super::exit::Exit;
use super::output;
use crate::diff::unified;
use crate::recipe::{load, try_out};
use clap::{Args, Subcommand};
use std::io::{self, Write};
use std::path::PathBuf;

/// Options of `recipe`.
#[derive(Debug, Args)]
pub struct RecipeArgs {
    #[command(subcommand)]
    command: RecipeCommand,
}

#[derive(Debug, Subcommand)]
enum RecipeCommand {
    /// Run the tests that stand in recipe files
    Test {
        /// The files
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
}

/// Runs the tests; 1 if one of them fails, 2 if a file is wrong.
pub fn run(args: &RecipeArgs) -> io::Result<Exit> {
    let RecipeCommand::Test { files } = &args.command;
    let mut out = output::stdout();
    let mut exit = Exit::Done;
    for path in files {
        let recipes = match load(path) {
            Ok(recipes) => recipes,
            Err(message) => {
                output::complain(&message);
                exit = Exit::Failed;
                continue;
            }
        };
        for recipe in &recipes {
            let failures = try_out(recipe);
            let all = crate::report::count(recipe.trials.len(), "test");
            writeln!(out, "{}: {}: {all}, {} failed", path.display(), recipe.transform.id, failures.len())?;
            for failure in failures {
                exit = exit.max(Exit::Changes);
                writeln!(out, "{}:{}: expected (-) and found (+):", path.display(), failure.line)?;
                unified(&mut out, "Dockerfile", Some(&failure.expected), &failure.found)?;
                for refusal in failure.refusals {
                    writeln!(out, "left alone: {refusal}")?;
                }
            }
        }
    }
    out.flush()?;
    Ok(exit)
}
