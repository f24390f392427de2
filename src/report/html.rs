//! The report of a batch as one page that needs nothing else: no network, no other file.

use super::batch::Summary;
use crate::batch::record::Row;
use serde_json::json;
use std::io::{self, Write};

const PAGE: &str = include_str!("html/page.html");
const STYLE: &str = include_str!("html/page.css");
const SCRIPT: &str = include_str!("html/page.js");

/// Writes the page; rows are written as they come.
///
/// # Errors
/// What `out` says, and what the rows say.
pub fn write(out: &mut impl Write, summary: &Summary, about: &str, rows: impl Iterator<Item = io::Result<Row>>) -> io::Result<()> {
    let (head, rest) = split(PAGE, "{{css}}");
    let (before_about, rest) = split(rest, "{{about}}");
    let (before_data, rest) = split(rest, "{{data}}");
    let (before_script, tail) = split(rest, "{{js}}");
    write!(out, "{head}{STYLE}{before_about}{}{before_data}", text(about))?;
    write!(out, "{{\"totals\":{},\"groups\":{},\"repositories\":[", json(&json!(summary))?, summary.groups.len())?;
    for (i, row) in rows.enumerate() {
        write!(out, "{}{}", if i > 0 { ",\n" } else { "\n" }, json(&row?)?)?;
    }
    write!(out, "\n]}}{before_script}{SCRIPT}{tail}")
}

fn split<'a>(page: &'a str, mark: &str) -> (&'a str, &'a str) {
    page.split_once(mark).unwrap_or((page, ""))
}

/// JSON that can't end the script element that it stands in.
fn json(value: &impl serde::Serialize) -> io::Result<String> {
    Ok(serde_json::to_string(value)?.replace('<', "\\u003c").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029"))
}

/// Text that is no markup.
fn text(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}
