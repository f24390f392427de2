//! `restage inspect`.

use super::args::in_pool;
use super::exit::Exit;
use super::output;
use crate::catalog::Catalog;
use crate::config::Options;
use crate::discover::{self, Found};
use crate::file::{Request, context_of, load};
use crate::model::inspect::{decode_lossy, inspect_bare};
use crate::model::{Base, Model};
use crate::syntax::Dockerfile;
use crate::transforms::{Refusal, multi_stage};
use clap::{Args, ValueEnum};
use rayon::prelude::*;
use serde_json::{Value, json};
use std::io::{self, Write};
use std::path::PathBuf;

/// How `inspect` tells what it understands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    #[default]
    Text,
    /// One JSON object a file
    Json,
    /// One JSON object a file and line
    Ndjson,
}

/// Options of `inspect`.
#[derive(Debug, Args)]
pub struct InspectArgs {
    /// Files, folders, or `-` for standard input
    paths: Vec<PathBuf>,
    /// How it is told
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Take every base image as one that sets only the default PATH
    #[arg(long)]
    bare_bases: bool,
    /// The build context of every file
    #[arg(long, value_name = "DIR")]
    context: Option<PathBuf>,
    /// How many files to read at once
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    jobs: usize,
}

/// Prints what restage understands.
pub fn run(args: &InspectArgs) -> io::Result<Exit> {
    let found = discover::find(&args.paths, args.jobs);
    let mut exit = if found.missing.is_empty() { Exit::Done } else { Exit::Failed };
    let mut out = output::stdout();
    for files in found.files.chunks(512) {
        let answers: Vec<Result<Vec<u8>, String>> =
            in_pool(args.jobs, files.len(), || files.par_iter().map(|f| guarded(f, args)).collect());
        for (file, answer) in files.iter().zip(answers) {
            match answer {
                Ok(text) => out.write_all(&text)?,
                Err(message) => {
                    output::complain(&format!("{}: {message}", file.path.display()));
                    if file.named {
                        exit = Exit::Failed;
                    }
                }
            }
        }
    }
    out.flush()?;
    output::errors(&[], &found.missing);
    Ok(exit)
}

fn guarded(file: &Found, args: &InspectArgs) -> Result<Vec<u8>, String> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| one(file, args)))
        .unwrap_or_else(|_| Err("restage failed here; this is a bug, please report it".to_owned()))
}

fn one(found: &Found, args: &InspectArgs) -> Result<Vec<u8>, String> {
    if args.bare_bases {
        return bare(found, args.format);
    }
    let loaded = load(found).map_err(|f| f.diagnostic.message)?;
    let file = Dockerfile::parse(loaded.text);
    let path = found.path.to_string_lossy();
    let request = Request { context: args.context.clone(), ..Request::default() };
    let context = context_of(found, &file, &request);
    let options = Options::default();
    let model = Model::new(&file, &context, Catalog::built_in(), &options);
    let stages: Vec<_> = model
        .stages
        .iter()
        .map(|s| {
            let base = match &s.base {
                Base::Stage(n) => format!("stage {n}"),
                Base::Scratch => "scratch".to_owned(),
                Base::Image(image) => image.written.clone(),
            };
            json!({ "name": s.name.as_deref().unwrap_or(""), "base": base, "config": s.end.config, "used_by": s.used_by })
        })
        .collect();
    let split = multi_stage::explain(&model);
    if args.format == Format::Text {
        return Ok(text(&path, &stages, split.as_ref()).into_bytes());
    }
    let mut object = json!({ "path": path, "stages": stages });
    if let (Some(split), Some(map)) = (split, object.as_object_mut()) {
        let value = match split {
            Ok(explained) => serde_json::to_value(explained).map_err(|e| e.to_string())?,
            Err(refusal) => json!({ "refused": refusal.reason, "line": refusal.line }),
        };
        map.insert("split".to_owned(), value);
    }
    line(&object, args.format)
}

/// The stages with their final configuration, and for a single stage what each line is for.
fn text(path: &str, stages: &[Value], split: Option<&Result<multi_stage::Explained, Refusal>>) -> String {
    let mut out = format!("{path}\n");
    for stage in stages {
        let part = |key: &str| stage.get(key).and_then(Value::as_str).unwrap_or_default();
        let name = if part("name").is_empty() { String::new() } else { format!(" `{}`", part("name")) };
        out.push_str(&format!("\nstage{name} from {}\n", part("base")));
        for (key, value) in stage.get("config").and_then(Value::as_object).into_iter().flatten() {
            out.push_str(&format!("  {key:<13} {value}\n"));
        }
    }
    match split {
        None => {}
        Some(Err(refusal)) => out.push_str(&format!("\nnot split: {} (line {})\n", refusal.reason, refusal.line)),
        Some(Ok(explained)) => {
            out.push_str(&format!("\nsplit, to run on {}\n  line  stage  instruction  why\n", explained.runtime));
            for line in &explained.lines {
                out.push_str(&format!("  {:>4}  {:<5}  {:<11}  {}\n", line.line, line.stage, line.instruction, line.reason));
            }
            let lists = [
                ("taken over from the builder", &explained.artifacts),
                ("installed to run", &explained.packages),
                ("left behind", &explained.left_behind),
            ];
            for (title, list) in lists.iter().filter(|(_, list)| !list.is_empty()) {
                out.push_str(&format!("  {title}: {}\n", list.join(", ")));
            }
            for note in &explained.notes {
                out.push_str(&format!("  {note}\n"));
            }
        }
    }
    out
}

/// The stages as the builder's converter sees them when every base sets the default PATH alone.
fn bare(found: &Found, format: Format) -> Result<Vec<u8>, String> {
    let bytes = std::fs::read(&found.path).map_err(|e| format!("can't be read: {e}"))?;
    let text = decode_lossy(&bytes).map_err(|d| d.message)?;
    let object = inspect_bare(&found.path.to_string_lossy(), &Dockerfile::parse(text));
    line(&serde_json::to_value(object).map_err(|e| e.to_string())?, format)
}

fn line(value: &serde_json::Value, format: Format) -> Result<Vec<u8>, String> {
    let json = if format == Format::Ndjson { serde_json::to_vec(value) } else { serde_json::to_vec_pretty(value) };
    let mut out = json.map_err(|e| e.to_string())?;
    out.push(b'\n');
    Ok(out)
}
