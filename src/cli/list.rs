//! `restage list` and `restage explain`.

use super::exit::Exit;
use super::output;
use crate::pipeline::nearest;
use crate::transforms;
use clap::Args;
use std::io::{self, Write};

/// Options of `list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Options of `explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// A transform's id, as `restage list` prints it
    id: String,
}

/// Prints the transforms in the order in which they run.
pub fn list(args: &ListArgs) -> io::Result<Exit> {
    let mut out = output::stdout();
    if args.json {
        let all: Vec<_> = transforms::all()
            .iter()
            .map(|t| serde_json::json!({ "id": t.id, "group": t.group, "default": t.group.is_default(), "summary": t.summary, "may_change": t.may_change }))
            .collect();
        serde_json::to_writer_pretty(&mut out, &all)?;
        writeln!(out)?;
    } else {
        let width = transforms::all().iter().map(|t| t.id.len()).max().unwrap_or(0);
        for t in transforms::all() {
            let group = t.group.name();
            let off = if t.group.is_default() { "" } else { " (off until selected)" };
            writeln!(out, "{:<width$}  {:<11}  {}{off}", t.id, group, t.summary)?;
        }
    }
    out.flush()?;
    Ok(Exit::Done)
}

/// Prints a transform's page.
pub fn explain(args: &ExplainArgs) -> io::Result<Exit> {
    let Some(transform) = transforms::all().iter().find(|t| t.id == args.id) else {
        let hint = nearest(&args.id, transforms::all().iter().map(|t| t.id)).map(|n| format!("; did you mean `{n}`?")).unwrap_or_default();
        output::complain(&format!("there is no transform `{}`{hint}", args.id));
        return Ok(Exit::Failed);
    };
    let mut out = output::stdout();
    writeln!(out, "{}", transform.page.trim_end())?;
    out.flush()?;
    Ok(Exit::Done)
}
