//! The body of a pull request: what, why, and what to look at.

use super::{Totals, count};
use crate::batch::record::{FileRow, Row};
use crate::file::Processed;
use crate::transforms::Level;
use std::io::{self, Write};

/// Writes the whole page.
///
/// # Errors
/// What `out` says.
pub fn write(out: &mut impl Write, files: &[Processed]) -> io::Result<()> {
    let totals = Totals::of(files);
    writeln!(out, "# Dockerfiles, restaged\n")?;
    writeln!(out, "{} changed, {}.", count(totals.changed, "file"), count(totals.proposals, "proposal"))?;
    for file in files {
        let Some(outcome) = &file.outcome else { continue };
        if outcome.proposals.is_empty() && outcome.refusals.is_empty() {
            continue;
        }
        writeln!(out, "\n## `{}`\n", super::shown(file))?;
        for p in &outcome.proposals {
            let note = match (p.applied, p.level) {
                (false, _) => " *(a suggestion, not applied)*",
                (true, Level::Safe) => "",
                (true, _) => " *(changes the image: please review)*",
            };
            writeln!(out, "- **{}** (`{}`, line {}){note}: {}", inline(&p.title), p.transform, p.line, inline(&p.reason))?;
            if !p.declares.is_empty() {
                writeln!(out, "  Changes on purpose: {}.", p.declares.join(", "))?;
            }
        }
        let refusals: Vec<_> = outcome.refusals.iter().filter(|r| !r.reason.starts_with("no gain")).collect();
        if !refusals.is_empty() {
            writeln!(out, "\nLeft alone:\n")?;
            for r in refusals {
                writeln!(out, "- line {}, `{}`: {}", r.line, r.transform, inline(&r.reason))?;
            }
        }
    }
    Ok(())
}

/// The body of a pull request for one repository of a batch: what, why, what to look at, and what was left alone.
#[must_use]
pub fn body(row: &Row) -> String {
    let mut out = format!("restage changes {} here.\n", count(row.changed_paths().count(), "file"));
    let applied = |f: &FileRow| f.proposals.iter().filter(|p| p.applied).cloned().collect::<Vec<_>>();
    let review = row.files.iter().flat_map(applied).filter(|p| p.level != "safe").count();
    out.push_str(&match review {
        0 => "All of them leave the image as it is: only layers, caching or spelling differ.\n".to_owned(),
        n => format!(
            "{} the image on purpose and should be built and tested before this is merged.\n",
            if n == 1 { "One change alters".to_owned() } else { format!("{n} changes alter") }
        ),
    });
    for file in row.files.iter().filter(|f| !f.diff.is_empty()) {
        out.push_str(&format!("\n## `{}`\n\n", file.path));
        for p in applied(file) {
            let note = if p.level == "safe" { "" } else { " *(changes the image: please review)*" };
            out.push_str(&format!("- **{}** (`{}`, line {}){note}: {}\n", inline(&p.title), p.transform, p.line, inline(&p.reason)));
            if !p.declares.is_empty() {
                out.push_str(&format!("  Changes on purpose: {}.\n", p.declares.join(", ")));
            }
        }
        let refusals: Vec<_> = file.refusals.iter().filter(|r| !r.reason.starts_with("no gain")).collect();
        if !refusals.is_empty() {
            out.push_str("\nLeft alone:\n\n");
        }
        for r in refusals {
            out.push_str(&format!("- line {}, `{}`: {}\n", r.line, r.transform, inline(&r.reason)));
        }
    }
    for side in &row.side_files {
        out.push_str(&format!("\n`{}` changes, too, because a Dockerfile needs it.\n", side.path));
    }
    out
}

/// Text that ends no list item and starts no markup of its own.
fn inline(text: &str) -> String {
    text.replace(['\n', '\r'], " ").replace('<', "&lt;").replace('*', "\\*").replace('_', "\\_")
}
