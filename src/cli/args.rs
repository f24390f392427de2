//! Options that several commands share.

use super::output;
use super::progress::Progress;
use crate::config::ConfigSource;
use crate::discover::{self, Missing};
use crate::file::{Processed, Request, process_with};
use crate::pipeline::Selection;
use crate::rebuild::Looked;
use crate::transforms;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// How results are told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Text,
    /// One JSON object
    Json,
    /// One JSON object a file and line
    Ndjson,
    /// SARIF 2.1.0
    Sarif,
    /// GitHub's annotations
    Github,
    /// The body of a pull request
    Markdown,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// Which transforms run.
#[derive(Clone, Debug, Args)]
pub struct Choice {
    /// Transforms, groups or `all` to run instead of the default groups; `+NAME` adds to them
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    pub select: Vec<String>,
    /// Transforms or groups to leave out
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    pub ignore: Vec<String>,
    /// A file with transforms of your own; may be given more than once
    #[arg(long, value_name = "FILE")]
    pub recipe: Vec<PathBuf>,
    /// Only changes that leave the image as it is
    #[arg(long)]
    pub safe: bool,
    /// Settings to use instead of the nearest restage.toml
    #[arg(long, value_name = "FILE", conflicts_with = "no_config")]
    pub config: Option<PathBuf>,
    /// Use no restage.toml
    #[arg(long)]
    pub no_config: bool,
}

/// What every command that works on files takes.
#[derive(Clone, Debug, Args)]
pub struct Common {
    /// Files, folders, or `-` for standard input; the current folder if there is none
    pub paths: Vec<PathBuf>,
    #[command(flatten)]
    pub choice: Choice,
    /// The build context of every file
    #[arg(long, value_name = "DIR")]
    pub context: Option<PathBuf>,
    /// How many files to work on at once; as many as there are processors by default
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    pub jobs: usize,
    /// Fail for files that the builder would refuse, also where they were not named
    #[arg(long)]
    pub strict: bool,
    /// How results are told
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub format: Format,
    /// When to use colours
    #[arg(long, value_enum, default_value_t, value_name = "WHEN")]
    pub color: Color,
    /// Say less
    #[arg(short, long)]
    pub quiet: bool,
    /// Say more: what was left alone, and which build context was used
    #[arg(short, long, conflicts_with = "quiet")]
    pub verbose: bool,
}

/// The answers for everything that the command line names.
#[derive(Debug, Default)]
pub struct Answers {
    /// The files.
    pub files: Vec<Processed>,
    /// What is not there.
    pub missing: Vec<Missing>,
}

impl Color {
    /// Sets it for the whole program.
    pub fn set(self) {
        match self {
            Self::Auto => anstream::ColorChoice::Auto,
            Self::Always => anstream::ColorChoice::Always,
            Self::Never => anstream::ColorChoice::Never,
        }
        .write_global();
    }
}

impl Choice {
    /// What the transforms are asked for.
    pub fn request(&self) -> Request {
        let config = match (&self.config, self.no_config) {
            (_, true) => ConfigSource::Off,
            (Some(path), _) => ConfigSource::File(path.clone()),
            (None, false) => ConfigSource::Search,
        };
        Request {
            select: self.select.clone(),
            ignore: self.ignore.clone(),
            safe: self.safe,
            context: None,
            config,
            recipes: self.recipe.clone(),
            looked: Looked::Nothing,
        }
    }

    /// Whether the options make sense; what does not has been said then.
    pub fn is_sound(&self) -> bool {
        // Names may be those of recipes that the settings here bring.
        let own = crate::config::Config::in_force(std::path::Path::new("Dockerfile"), &self.request().config).map(|c| c.recipes);
        let recipes = match crate::recipe::load_all(&[own.unwrap_or_default(), self.recipe.clone()].concat()) {
            Ok(recipes) => recipes,
            Err(e) => {
                output::complain(&e);
                return false;
            }
        };
        if let Err(e) = Selection::resolve_with(transforms::all(), &recipes, &self.select, &self.ignore, self.safe) {
            output::complain(&e.to_string());
            return false;
        }
        if let Some(config) = &self.config
            && let Err(e) = crate::config::Config::read(config)
        {
            output::complain(&e.to_string());
            return false;
        }
        true
    }
}

impl Common {
    /// What the transforms are asked for.
    pub fn request(&self) -> Request {
        Request { context: self.context.clone(), ..self.choice.request() }
    }

    /// Finds the files and works on them; `None` where an option makes no sense, which has been said then.
    pub fn answers(&self) -> Option<Answers> {
        let for_programs = matches!(self.format, Format::Json | Format::Ndjson);
        self.answers_with(if for_programs { Looked::Typical } else { Looked::Nothing })
    }

    /// The same, and what a build runs again after the change that is looked at.
    pub fn answers_with(&self, looked: Looked) -> Option<Answers> {
        self.color.set();
        if !self.choice.is_sound() {
            return None;
        }
        if let Some(context) = self.context.as_ref().filter(|c| !c.is_dir()) {
            output::complain(&format!("{}: the build context is no folder", context.display()));
            return None;
        }
        let found = discover::find(&self.paths, self.jobs);
        if found.files.is_empty() && found.missing.is_empty() && !self.quiet {
            output::complain("no Dockerfile found");
        }
        let request = Request { looked, ..self.request() };
        let files = {
            let progress = Progress::new(found.files.len(), "files", self.quiet);
            in_pool(self.jobs, found.files.len(), || process_with(&found.files, &request, &|| progress.tick()))
        };
        Some(Answers { files, missing: found.missing })
    }
}

/// Runs `work` over that many files with that many threads; a second one would only look busy over a single file.
pub fn in_pool<T: Send>(jobs: usize, files: usize, work: impl FnOnce() -> T + Send) -> T {
    let jobs = if files < 2 { 1 } else { jobs };
    // Deep nesting in a file costs stack, which is only reserved here, not used.
    match rayon::ThreadPoolBuilder::new().num_threads(jobs).stack_size(16 << 20).build() {
        Ok(pool) => pool.install(work),
        Err(_) => work(),
    }
}
