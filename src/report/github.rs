//! Annotations of GitHub's workflow commands.

use crate::file::Processed;
use std::io::{self, Write};

/// Writes the annotations of one file.
///
/// # Errors
/// What `out` says.
pub fn file(out: &mut impl Write, file: &Processed) -> io::Result<()> {
    let path = property(&super::plain_path(file));
    for p in file.outcome.iter().flat_map(|o| &o.proposals) {
        let level = if p.applied { "warning" } else { "notice" };
        let text = data(&format!("{}: {}", p.title.trim_end_matches('.'), p.reason));
        writeln!(out, "::{level} file={path},line={},title=restage {}::{text}", p.line, property(p.transform))?;
    }
    for (line, note) in file.outcome.iter().flat_map(|o| &o.notes) {
        writeln!(out, "::notice file={path},line={line},title=restage ignore::{}", data(note))?;
    }
    if let Some(error) = &file.error {
        let line = error.diagnostic.line.max(1);
        writeln!(out, "::error file={path},line={line},title=restage::{}", data(&error.diagnostic.message))?;
    }
    Ok(())
}

/// Escapes a message.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes a property's value.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
