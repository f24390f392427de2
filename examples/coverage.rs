//! How much of the RUN bodies below some folders restage understands: `cargo run --release --example coverage -- FOLDER...`
//!
//! A body is *fully* understood if every command in it is, *partly* if some are, *opaque* if it was not parsed. The last lines are
//! the commands that are most often unknown, by their first two words.

use std::collections::HashMap;
use std::io::{self, Write as _};
use std::path::PathBuf;

use restage::catalog::Catalog;
use restage::config::Options;
use restage::context::Context;
use restage::discover;
use restage::model::Model;
use restage::model::command::{Action, Classified};
use restage::syntax::{Dockerfile, decode};

#[derive(Default)]
struct Count {
    bodies: usize,
    full: usize,
    partly: usize,
    unknown_only: usize,
    opaque: usize,
    commands: usize,
    unknown: usize,
}

/// A service that is started is known to be one.
fn unknown(command: &Classified) -> bool {
    command.action == Action::Unknown && !command.starts_daemon()
}

impl Count {
    fn take(&mut self, parsed: bool, commands: &[Classified]) {
        let unknown = commands.iter().filter(|c| unknown(c)).count();
        self.bodies += 1;
        self.commands += commands.len();
        self.unknown += unknown;
        match (parsed, unknown) {
            (false, _) => self.opaque += 1,
            (true, 0) => self.full += 1,
            (true, n) if n == commands.len() => self.unknown_only += 1,
            (true, _) => self.partly += 1,
        }
    }

    fn print(&self, name: &str, out: &mut impl io::Write) -> io::Result<()> {
        writeln!(
            out,
            "{name}: {} bodies: {} fully, {} partly, {} of unknown commands only, {} opaque; {} commands, {} unknown ({:.1} %)",
            self.bodies,
            self.full,
            self.partly,
            self.unknown_only,
            self.opaque,
            self.commands,
            self.unknown,
            100.0 * self.unknown as f64 / self.commands.max(1) as f64
        )
    }
}

fn main() -> io::Result<()> {
    let mut out = io::stdout().lock();
    let (mut all, mut managed) = (Count::default(), Count::default());
    let mut names: HashMap<String, usize> = HashMap::new();
    let folders: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    for path in discover::find(&folders, 2).files.into_iter().map(|f| f.path) {
        let Ok(bytes) = std::fs::read(&path) else { continue };
        let Ok(text) = decode(&bytes) else { continue };
        let file = Dockerfile::parse(text);
        let options = Options::default();
        let context = Context::none();
        let model = Model::new(&file, &context, Catalog::built_in(), &options);
        for run in model.steps.iter().filter_map(|s| s.run.as_ref()) {
            let exec = run.script.is_none() && !run.commands.is_empty();
            all.take(run.script.is_some() || exec, &run.commands);
            let manages = run.commands.iter().any(|c| match &c.action {
                Action::System { manager, .. } | Action::Language { manager, .. } => matches!(manager.as_str(), "apt" | "pip" | "npm"),
                _ => false,
            });
            if manages {
                managed.take(true, &run.commands);
                for command in run.commands.iter().filter(|c| unknown(c)) {
                    let words: Vec<&str> = command.words.iter().take(2).map(|w| w.raw.as_str()).collect();
                    *names.entry(words.join(" ")).or_default() += 1;
                }
            }
        }
    }
    all.print("all", &mut out)?;
    managed.print("with apt, pip or npm", &mut out)?;
    let mut names: Vec<_> = names.into_iter().collect();
    names.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    for (name, count) in names.iter().take(200) {
        writeln!(out, "{count:6} {name}")?;
    }
    Ok(())
}
