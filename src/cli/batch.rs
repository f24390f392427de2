//! `restage batch`.

use super::args::{Choice, Color};
use super::exit::Exit;
use super::output;
use super::progress::Progress;
use crate::batch::git::Git;
use crate::batch::journal::Journal;
use crate::batch::record::{Row, Status};
use crate::batch::source::{Repository, Wanted, repositories};
use crate::batch::{self, Ended, Mode, Plan, Watch, manifest, message};
use crate::report::batch::Summary;
use clap::Args;
use globset::{Glob, GlobSet, GlobSetBuilder};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Options of `batch`.
#[derive(Debug, Args)]
pub struct BatchArgs {
    /// Repositories, folders of checkouts, or URLs; `-` reads a list, one a line, from standard input
    #[arg(value_name = "SOURCE")]
    sources: Vec<String>,
    /// A TOML file with a `[[repository]]` for each repository
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,
    /// Write a patch for each repository, and nothing else; this is what happens without another mode
    #[arg(long, conflicts_with_all = ["apply", "branch"])]
    diff: bool,
    /// Write the changes into the work trees
    #[arg(long, conflicts_with = "branch")]
    apply: bool,
    /// Commit the changes on a new branch; what is checked out stays as it is
    #[arg(long, value_name = "NAME")]
    branch: Option<String>,
    /// With --apply, write also into work trees that have changes of their own
    #[arg(long, requires = "apply")]
    dirty: bool,
    /// The commit message; it may hold {repository}, {count}, {files}, {transforms} and {changes}
    #[arg(long, value_name = "TEMPLATE", requires = "branch")]
    message: Option<String>,
    /// A shell command to run in each repository that changes, with REPOSITORY, BRANCH, CHANGED, BODY, PATCH and DRY_RUN in
    /// its environment
    #[arg(long, value_name = "COMMAND")]
    exec: Option<String>,
    /// Write nothing into any repository, and tell the command so
    #[arg(long)]
    dry_run: bool,
    /// Only repositories whose names match
    #[arg(long, value_name = "GLOB")]
    only: Vec<String>,
    /// No repositories whose names match
    #[arg(long, value_name = "GLOB")]
    exclude: Vec<String>,
    /// No more than so many repositories
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// How many repositories to work on at once; as many as there are processors by default
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    jobs: usize,
    /// Where patches, reports and the journal go
    #[arg(long, value_name = "DIR", default_value = "restage-batch")]
    output: PathBuf,
    /// Where repositories from URLs are kept for the next run
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,
    /// Forget a run that did not end, instead of going on with it
    #[arg(long)]
    fresh: bool,
    /// Try again what failed in the last run
    #[arg(long, conflicts_with = "fresh")]
    retry: bool,
    #[command(flatten)]
    choice: Choice,
    /// When to use colours
    #[arg(long, value_enum, default_value_t, value_name = "WHEN")]
    color: Color,
    /// Say only what failed
    #[arg(short, long)]
    quiet: bool,
}

/// Works on all repositories.
pub fn run(args: &BatchArgs) -> io::Result<Exit> {
    args.color.set();
    if !args.choice.is_sound() {
        return Ok(Exit::Failed);
    }
    match prepare(args) {
        Ok((plan, all)) => carry_out(args, &plan, &all),
        Err(message) => {
            output::complain(&message);
            Ok(Exit::Failed)
        }
    }
}

/// What is to be done, and with which repositories.
fn prepare(args: &BatchArgs) -> Result<(Plan, Vec<Repository>), String> {
    let message = args.message.clone().unwrap_or_else(|| message::DEFAULT.to_owned());
    message::fill(&message, &Row::new("", String::new()))?;
    let mode = match (&args.branch, args.apply) {
        (Some(name), _) => Mode::Branch(name.clone()),
        (None, true) => Mode::Apply,
        (None, false) => Mode::Diff,
    };
    let plan = Plan {
        mode,
        request: args.choice.request(),
        dirty: args.dirty,
        dry_run: args.dry_run,
        message,
        exec: args.exec.clone(),
        cache: args.cache.clone().or_else(default_cache).unwrap_or_else(|| args.output.join("cache")),
        jobs: args.jobs,
    };
    let mut wanted = Vec::new();
    if let Some(path) = &args.manifest {
        wanted.extend(manifest::read(path, &plan.request).map_err(|e| e.to_string())?);
    }
    for source in &args.sources {
        if source != "-" {
            wanted.push(Wanted::from_text(source));
            continue;
        }
        let mut list = String::new();
        io::stdin().lock().read_to_string(&mut list).map_err(|e| format!("standard input: {e}"))?;
        wanted.extend(list.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')).map(Wanted::from_text));
    }
    if wanted.is_empty() && args.manifest.is_none() && args.sources.is_empty() {
        wanted.push(Wanted::from_text("."));
    }
    let (only, exclude) = (globs(&args.only)?, globs(&args.exclude)?);
    if let Some(name) = &args.branch {
        let named = Git::at(Path::new(".")).run(&["check-ref-format", "--branch", name], None);
        named.map_err(|e| if e.contains("can't be started") { e } else { format!("--branch: `{name}` is no name for a branch") })?;
    }
    let mut all = repositories(&wanted, &[&args.output, &plan.cache]);
    let found = all.len();
    all.retain(|r| (args.only.is_empty() || only.is_match(&r.name)) && !exclude.is_match(&r.name));
    if all.is_empty() && found > 0 {
        let what = if found == 1 { "the one repository".to_owned() } else { format!("the {found} repositories") };
        return Err(format!("--only and --exclude leave nothing of {what}; names are as the rows of a run without them show them"));
    }
    all.truncate(args.limit.unwrap_or(usize::MAX));
    Ok((plan, all))
}

/// Does it, and tells.
fn carry_out(args: &BatchArgs, plan: &Plan, all: &[Repository]) -> io::Result<Exit> {
    let journal = match Journal::open(&args.output, &plan.identity(), args.fresh, args.retry) {
        Ok(journal) => journal,
        Err(message) => {
            output::complain(&message);
            return Ok(Exit::Failed);
        }
    };
    if all.is_empty() && !args.quiet {
        output::complain("no repository found");
    }
    if journal.resumed > 0 && !args.quiet {
        output::complain(&format!("going on: {} of {} are done", journal.resumed, crate::report::batch::repositories(all.len())));
    }
    let stop = super::signal::stop_gently();
    let progress = Progress::new(all.len(), "repositories", args.quiet);
    let out = Mutex::new(io::stdout());
    let watch = Watch {
        row: &|line| {
            if !args.quiet || line.starts_with(Status::Failed.name()) {
                progress.clear();
                let _ = writeln!(out.lock().unwrap_or_else(PoisonError::into_inner), "{line}");
            }
        },
        count: &|_, _| progress.tick(),
        stop,
    };
    let ended = batch::run(all, plan, &journal, watch)?;
    progress.clear();
    let summary = Summary::read(&journal, all)?;
    summary.write(&journal, all, plan)?;
    if ended == Ended::All {
        journal.end()?;
    }
    let mut out = output::stdout();
    if !args.quiet {
        summary.tell(&mut out)?;
        writeln!(out, "report: {}", args.output.join("report.html").display())?;
    }
    out.flush()?;
    if ended == Ended::Stopped {
        output::complain("stopped; the same command goes on from here");
        return Ok(Exit::Failed);
    }
    Ok(match (summary.failed, &plan.mode) {
        (0, Mode::Diff) if summary.changed > 0 && plan.exec.is_none() => Exit::Changes,
        (0, _) => Exit::Done,
        _ => Exit::Failed,
    })
}

/// Where programs of this user keep what they can fetch again.
fn default_cache() -> Option<PathBuf> {
    let base = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|p| p.is_absolute());
    let base = base.or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache")));
    base.map(|b| b.join("restage/repositories"))
}

fn globs(patterns: &[String]) -> Result<GlobSet, String> {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        set.add(Glob::new(pattern).map_err(|e| format!("no pattern for names: {e}"))?);
    }
    set.build().map_err(|e| e.to_string())
}
