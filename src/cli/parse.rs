//! `restage parse`.

use super::args::{Color, in_pool};
use super::exit::Exit;
use super::output;
use crate::discover::{self, Found, STDIN};
use crate::report::parse::parse_json;
use crate::syntax::{Dockerfile, ItemKind, LARGEST_FILE, decode, problems};
use clap::{Args, ValueEnum};
use rayon::prelude::*;
use std::io::{self, Read, Write};
use std::path::PathBuf;

/// How `parse` tells what it read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One line an item
    #[default]
    Text,
    /// One JSON object a file
    Json,
    /// One JSON object a file and line
    Ndjson,
}

/// Options of `parse`.
#[derive(Debug, Args)]
pub struct ParseArgs {
    /// Files, folders, or `-` for standard input
    paths: Vec<PathBuf>,
    /// How it is told
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Add the text printed back from the tree
    #[arg(long)]
    text: bool,
    /// Print only the text, back from the tree
    #[arg(long, conflicts_with_all = ["format", "text"])]
    print: bool,
    /// How many files to read at once
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    jobs: usize,
    /// When to use colours
    #[arg(long, value_enum, default_value_t)]
    color: Color,
}

/// What is printed for one file, and whether the builder's parser takes it.
struct Answer {
    out: Vec<u8>,
    err: String,
    fails: bool,
}

/// Prints how the files are read.
pub fn run(args: &ParseArgs) -> io::Result<Exit> {
    args.color.set();
    let found = discover::find(&args.paths, args.jobs);
    let mut exit = if found.missing.is_empty() { Exit::Done } else { Exit::Failed };
    let mut out = output::stdout();
    // Batches keep memory flat however many files there are.
    for files in found.files.chunks(512) {
        let answers: Vec<Answer> = in_pool(args.jobs, files.len(), || files.par_iter().map(|f| guarded(f, args)).collect());
        for answer in answers {
            out.write_all(&answer.out)?;
            if !answer.err.is_empty() {
                output::complain(&answer.err);
            }
            if answer.fails {
                exit = Exit::Failed;
            }
        }
    }
    out.flush()?;
    output::errors(&[], &found.missing);
    Ok(exit)
}

fn guarded(file: &Found, args: &ParseArgs) -> Answer {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| one(file, args))).unwrap_or_else(|_| Answer {
        out: Vec::new(),
        err: format!("{}: restage failed here; this is a bug, please report it", file.path.display()),
        fails: true,
    })
}

fn one(file: &Found, args: &ParseArgs) -> Answer {
    let path = file.path.to_string_lossy();
    let mut bytes = Vec::new();
    let limit = LARGEST_FILE as u64 + 1;
    let read = if file.path.as_os_str() == STDIN {
        io::stdin().lock().take(limit).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(&file.path).and_then(|f| f.take(limit).read_to_end(&mut bytes))
    };
    if let Err(e) = read {
        return Answer { out: Vec::new(), err: format!("{path}: can't be read: {e}"), fails: true };
    }
    if args.format == Format::Text {
        return text(&path, file, &bytes, args.print);
    }
    match parse_json(&path, &bytes, args.text, args.format == Format::Json) {
        Ok(mut out) => {
            out.push(b'\n');
            // Errors of the file are in the object; only a named file that can't be decoded at all is a failure.
            Answer { out, err: String::new(), fails: file.named && decode(&bytes).is_err() }
        }
        Err(e) => Answer { out: Vec::new(), err: format!("{path}: {e}"), fails: true },
    }
}

fn text(path: &str, found: &Found, bytes: &[u8], print: bool) -> Answer {
    let source = match decode(bytes) {
        Ok(source) => source,
        Err(d) => return Answer { out: Vec::new(), err: format!("{path}:{}: {}", d.line, d.message), fails: found.named },
    };
    let file = Dockerfile::parse(source);
    if print {
        return Answer { out: file.print().into_bytes(), err: String::new(), fails: false };
    }
    let mut out = format!("{path}\n");
    for item in &file.items {
        let what = match &item.kind {
            ItemKind::Instruction(instruction) => file.read(instruction).original.chars().take(120).collect(),
            ItemKind::Directive => "directive".to_owned(),
            ItemKind::Comment => "comment".to_owned(),
            ItemKind::Blank => "blank".to_owned(),
            ItemKind::Unknown => "unknown".to_owned(),
        };
        out.push_str(&format!("{:>5}-{:<5} {what}\n", item.start_line, item.end_line));
    }
    let wrong: Vec<String> = file.errors.iter().chain(&problems(&file)).map(|d| format!("{path}:{}: {}", d.line, d.message)).collect();
    Answer { out: out.into_bytes(), fails: found.named && !wrong.is_empty(), err: wrong.join("\nrestage: ") }
}
