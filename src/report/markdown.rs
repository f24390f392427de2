//! The body of a pull request: what, why, and what to look at.

use super::{Totals, count};
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

/// Text that ends no list item and starts no markup of its own.
fn inline(text: &str) -> String {
    text.replace(['\n', '\r'], " ").replace('<', "&lt;").replace('*', "\\*").replace('_', "\\_")
}
