//! Where output goes, and in which colours.

use crate::discover::Missing;
use crate::file::Processed;
use crate::report::snippet::{Kind, Message, render};
use crate::source::LineIndex;
use anstream::{AutoStream, ColorChoice};
use std::io::{self, Write};

/// Standard output, without any filter: what a file holds goes out as it is.
pub fn stdout() -> io::BufWriter<io::StdoutLock<'static>> {
    io::BufWriter::with_capacity(1 << 16, io::stdout().lock())
}

/// Whether standard output takes colours.
pub fn stdout_has_colours() -> bool {
    AutoStream::choice(&io::stdout()) != ColorChoice::Never
}

/// Whether standard error takes colours.
pub fn stderr_has_colours() -> bool {
    AutoStream::choice(&io::stderr()) != ColorChoice::Never
}

/// Says on standard error that something failed.
pub fn complain(message: &str) {
    let _ = writeln!(io::stderr().lock(), "restage: {message}");
}

/// Says on standard error which files were left alone because something is wrong with them.
pub fn errors(files: &[Processed], missing: &[Missing]) {
    let colour = stderr_has_colours();
    let mut err = io::stderr().lock();
    for m in missing {
        let _ = writeln!(err, "restage: {}: {}", m.path.display(), m.message);
    }
    for file in files {
        let Some(error) = &file.error else { continue };
        let path = crate::report::shown(file);
        let source = file.source.as_deref().unwrap_or("");
        let d = &error.diagnostic;
        if source.is_empty() || d.line == 0 {
            let place = if d.line > 0 { format!("{path}:{}", d.line) } else { path };
            let _ = writeln!(err, "restage: {place}: {}", d.message);
            continue;
        }
        let message =
            Message { kind: Kind::Error, id: None, title: &d.message, label: "", path: &path, source, line: d.line, span: d.span };
        let _ = writeln!(err, "{}\n", render(&message, &LineIndex::new(source), colour));
    }
}
