//! The command line. Nothing below this module knows of it.

mod apply;
mod args;
mod batch;
mod check;
mod config;
mod diff;
mod exit;
mod inspect;
mod list;
mod output;
mod parse;
mod progress;
mod recipe;
mod review;
mod shell;
mod signal;

use clap::{Parser, Subcommand};
use exit::Exit;
use std::process::ExitCode;

/// Turns legacy Dockerfiles into the ones that their authors would write today, and shows its work as a diff.
///
/// Without a command, `diff` is run.
#[derive(Debug, Parser)]
#[command(name = "restage", version = env!("RESTAGE_VERSION"), args_conflicts_with_subcommands = true, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    diff: diff::DiffArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print the unified diff of every change; `git apply` and `patch -p1` take it
    Diff(diff::DiffArgs),
    /// Write the changes in place, each file whole or not at all
    Apply(apply::ApplyArgs),
    /// Tell what would change, what was left alone, and why
    Check(check::CheckArgs),
    /// Work on many repositories: patches, changed work trees, or a branch in each
    Batch(batch::BatchArgs),
    /// Show each change in turn and ask whether to make it
    Review(review::ReviewArgs),
    /// List the transforms
    List(list::ListArgs),
    /// Explain a transform
    Explain(list::ExplainArgs),
    /// Work on transforms of your own
    Recipe(recipe::RecipeArgs),
    /// Show what restage understands of files: stages, state, final configuration
    Inspect(inspect::InspectArgs),
    /// Show how files are read, instruction by instruction
    Parse(parse::ParseArgs),
    /// Print the settings in force and where each comes from
    Config(config::ConfigArgs),
    /// Write a commented restage.toml into the current folder
    Init(config::InitArgs),
    /// Print the completions for a shell
    Completions(shell::CompletionsArgs),
    /// Print the manual page, or write one a command into a folder
    Man(shell::ManArgs),
}

/// Runs the program.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    quiet_panics();
    let outcome = match cli.command.unwrap_or(Command::Diff(cli.diff)) {
        Command::Diff(args) => diff::run(&args),
        Command::Apply(args) => apply::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Batch(args) => batch::run(&args),
        Command::Review(args) => review::run(&args),
        Command::List(args) => list::list(&args),
        Command::Explain(args) => list::explain(&args),
        Command::Recipe(args) => recipe::run(&args),
        Command::Inspect(args) => inspect::run(&args),
        Command::Parse(args) => parse::run(&args),
        Command::Config(args) => config::show(&args),
        Command::Init(args) => config::init(&args),
        Command::Completions(args) => shell::completions(&args),
        Command::Man(args) => shell::man(&args),
    };
    match outcome {
        Ok(exit) => exit.into(),
        // Whoever reads our output has had enough of it.
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => Exit::Done.into(),
        Err(e) => {
            output::complain(&e.to_string());
            Exit::Failed.into()
        }
    }
}

/// A panic over one file becomes that file's error; its trace is for us alone.
fn quiet_panics() {
    if std::env::var_os("RUST_BACKTRACE").is_none() {
        std::panic::set_hook(Box::new(|_| {}));
    }
}
