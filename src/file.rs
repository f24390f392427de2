//! One file from its bytes to its outcome. Whatever goes wrong with it stays with it.

use crate::catalog::Catalog;
use crate::config::{Config, ConfigSource, Options, Settings};
use crate::context::{Context, literal_sources};
use crate::discover::{Found, STDIN};
use crate::edit::{Edit, EditSet};
use crate::gate::{self, Facts};
use crate::model::{Base, Model};
use crate::pipeline::{self, Finding, Outcome, Selection};
use crate::rebuild::{self, Looked, Rebuild};
use crate::recipe::{self, Recipe};
use crate::source::{Diagnostic, LineIndex, Span};
use crate::syntax::{Dockerfile, LARGEST_FILE, decode};
use crate::transforms;
use rayon::prelude::*;
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::io::Read;
use std::path::{Path, PathBuf};

/// What the user asked for, whatever the file.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// `--select`.
    pub select: Vec<String>,
    /// `--ignore`.
    pub ignore: Vec<String>,
    /// `--safe`.
    pub safe: bool,
    /// `--context`.
    pub context: Option<PathBuf>,
    /// `--config`, or no file at all.
    pub config: ConfigSource,
    /// `--recipe`.
    pub recipes: Vec<PathBuf>,
    /// Whether it is asked what a build runs again.
    pub looked: Looked,
}

/// What was made of a file.
#[derive(Clone, Debug)]
pub struct Processed {
    /// Where it came from.
    pub found: Found,
    /// Its text; `None` where there is none to speak of.
    pub source: Option<String>,
    /// The SHA-256 of its bytes, in hexadecimal; empty where it could not be read.
    pub sha256: String,
    /// The language of the image that it builds, as far as its base tells.
    pub language: Option<String>,
    /// How many stages it has.
    pub stages: usize,
    /// What the transforms made of it; `None` where there is an error.
    pub outcome: Option<Outcome>,
    /// Why it was left alone.
    pub error: Option<Failure>,
    /// The root of its build context, where it has one.
    pub context: Option<PathBuf>,
    /// Who says that this is the build context, where somebody does.
    pub context_from: Option<String>,
    /// What a build runs again after a change, where that was asked for.
    pub rebuild: Vec<Rebuild>,
}

/// Why a file was left alone.
#[derive(Clone, Debug)]
pub struct Failure {
    /// What and where; line 0 where no line is meant.
    pub diagnostic: Diagnostic,
    /// What kind of failure, for the exit status.
    pub kind: FailureKind,
}

/// Kinds of [`Failure`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// The system refused, or a setting is wrong: always a failure of the run.
    Fatal,
    /// It is no Dockerfile that the builder would take: a failure only of a file that was named.
    NoDockerfile,
}

impl Processed {
    /// Whether the transforms change the file or another one beside it.
    #[must_use]
    pub fn has_changes(&self) -> bool {
        self.outcome.as_ref().is_some_and(|o| self.source.as_deref() != Some(o.text.as_str()) || !o.others.is_empty())
    }

    /// `clean`, `changes` or `error`.
    #[must_use]
    pub fn status(&self) -> &'static str {
        match (&self.error, self.has_changes()) {
            (Some(_), _) => "error",
            (None, true) => "changes",
            (None, false) => "clean",
        }
    }

    fn failed(found: &Found, kind: FailureKind, diagnostic: Diagnostic) -> Self {
        Self {
            found: found.clone(),
            source: None,
            sha256: String::new(),
            language: None,
            stages: 0,
            outcome: None,
            error: Some(Failure { diagnostic, kind }),
            context: None,
            context_from: None,
            rebuild: Vec::new(),
        }
    }
}

/// Works on all files in parallel; the answers stand in the order of the files.
#[must_use]
pub fn process_all(files: &[Found], request: &Request) -> Vec<Processed> {
    process_with(files, request, &|| {})
}

/// The same, and calls `done` after each file.
#[must_use]
pub fn process_with(files: &[Found], request: &Request, done: &(dyn Fn() + Sync)) -> Vec<Processed> {
    let one = |found: &Found| {
        let out = guarded(found, |found| process(found, request));
        done();
        out
    };
    files.par_iter().map(one).collect()
}

/// Runs `work`; a panic in it becomes the answer for this file.
pub fn guarded(found: &Found, work: impl FnOnce(&Found) -> Processed) -> Processed {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(found))).unwrap_or_else(|panic| {
        let what =
            panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("unknown");
        let message = format!("restage failed here and left the file alone ({what}); this is a bug, please report it");
        Processed::failed(found, FailureKind::Fatal, whole_file(message))
    })
}

/// Something to say about a file as a whole.
#[must_use]
pub fn whole_file(message: impl Into<String>) -> Diagnostic {
    Diagnostic { message: message.into(), line: 0, span: Span::default() }
}

/// A file that was read.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// Its text.
    pub text: String,
    /// The SHA-256 of its bytes.
    pub sha256: String,
}

/// Reads a file.
///
/// # Errors
/// Where the system refuses, the file is too long, or it is no UTF-8.
pub fn load(found: &Found) -> Result<Loaded, Failure> {
    let fatal = |message: String| Failure { diagnostic: whole_file(message), kind: FailureKind::Fatal };
    let read = |reader: &mut dyn Read| {
        let mut bytes = Vec::new();
        reader.take(LARGEST_FILE as u64 + 1).read_to_end(&mut bytes).map(|_| bytes)
    };
    let bytes = if found.path.as_os_str() == STDIN {
        read(&mut std::io::stdin().lock())
    } else {
        std::fs::File::open(&found.path).and_then(|mut f| read(&mut f))
    }
    .map_err(|e| fatal(format!("can't be read: {e}")))?;
    let sha256 = Sha256::digest(&bytes).iter().map(|b| format!("{b:02x}")).collect();
    match decode(&bytes) {
        Ok(text) => Ok(Loaded { text: text.to_owned(), sha256 }),
        Err(diagnostic) => Err(Failure { diagnostic, kind: FailureKind::NoDockerfile }),
    }
}

/// Works on one file.
#[must_use]
pub fn process(found: &Found, request: &Request) -> Processed {
    let loaded = match load(found) {
        Ok(loaded) => loaded,
        Err(failure) => return Processed::failed(found, failure.kind, failure.diagnostic),
    };
    let mut out = Processed::failed(found, FailureKind::Fatal, whole_file(""));
    out.error = None;
    out.sha256 = loaded.sha256;
    let setup = match Setup::of(found, request) {
        Ok(setup) => setup,
        Err(message) => {
            out.error = Some(Failure { diagnostic: whole_file(message), kind: FailureKind::Fatal });
            out.source = Some(loaded.text);
            return out;
        }
    };
    let file = Dockerfile::parse(&loaded.text);
    let context = context_of(found, &file, request);
    out.context = context.root().map(Path::to_owned);
    out.context_from = context.declared_by().map(str::to_owned);
    let model = Model::new(&file, &context, &setup.catalog, &setup.options);
    out.stages = model.stages.len();
    out.language = language(&model);
    if let Some(diagnostic) = file.errors.iter().chain(&model.problems()).min_by_key(|d| d.line) {
        out.error = Some(Failure { diagnostic: explained(diagnostic, &loaded.text), kind: FailureKind::NoDockerfile });
    } else {
        let settings = pipeline::Settings {
            transforms: transforms::all(),
            recipes: &setup.recipes,
            selection: &setup.selection,
            options: &setup.options,
            catalog: &setup.catalog,
        };
        let outcome = pipeline::run_over(&model, settings);
        if request.looked != Looked::Nothing {
            let changed = Dockerfile::parse(outcome.text.as_str());
            let amended = outcome.ignore_file(&context).map(|text| context.with_ignore(&text));
            let after = Model::new(&changed, amended.as_ref().unwrap_or(&context), &setup.catalog, &setup.options);
            out.rebuild = rebuild::compare(&model, &after, &request.looked);
        }
        out.outcome = Some(outcome);
    }
    out.source = Some(loaded.text);
    out
}

/// The file with only these of its findings, as long as the gate lets the result through: it has seen them only together, and
/// one may need another.
///
/// # Errors
/// Where they don't go without the others, with the reason.
pub fn part(file: &Processed, taken: &[&Finding], request: &Request) -> Result<Processed, String> {
    let (Some(whole), Some(source)) = (&file.outcome, &file.source) else { return Err("there is nothing to change".to_owned()) };
    let alone = |reason: String| format!("these changes don't go without the others: {reason}");
    let own = taken.iter().flat_map(|f| &f.edits).filter(|e| e.path.is_none()).cloned();
    let text = EditSet::new(own).and_then(|set| set.apply(source)).map_err(|e| alone(e.to_string()))?;
    let mut others: Vec<Edit> = Vec::new();
    for edit in taken.iter().flat_map(|f| &f.edits).filter(|e| e.path.is_some()) {
        if !others.contains(edit) {
            others.push(edit.clone());
        }
    }
    let outcome = Outcome { text, others, ..whole.clone() };
    let setup = Setup::of(&file.found, request)?;
    let (before, after) = (Dockerfile::parse(source), Dockerfile::parse(outcome.text.as_str()));
    let context = context_of(&file.found, &before, request);
    let amended = outcome.ignore_file(&context).map(|text| context.with_ignore(&text));
    let facts = |file: &Dockerfile, context: &Context| Facts::of(&Model::new(file, context, &setup.catalog, &setup.options));
    let declares = taken.iter().flat_map(|f| f.declares.iter().copied()).collect();
    gate::check(&facts(&before, &context), &facts(&after, amended.as_ref().unwrap_or(&context)), source, &declares).map_err(alone)?;
    Ok(Processed { outcome: Some(outcome), ..file.clone() })
}

/// What holds for one file: the command line over the settings file over the defaults.
struct Setup {
    selection: Selection,
    recipes: Vec<Recipe>,
    options: Options,
    catalog: Cow<'static, Catalog>,
}

impl Setup {
    fn of(found: &Found, request: &Request) -> Result<Self, String> {
        let config = Config::in_force(&found.path, &request.config).map_err(|e| e.to_string())?;
        let settings: Settings = config.for_file(&found.path);
        let mut select = if request.select.iter().any(|n| !n.starts_with('+')) { Vec::new() } else { settings.selected() };
        select.extend(request.select.iter().cloned());
        let mut ignore = settings.ignore.unwrap_or_default();
        ignore.extend(request.ignore.iter().cloned());
        let recipes = recipe::load_all(&[config.recipes.as_slice(), &request.recipes].concat())?;
        let selection = Selection::resolve_with(transforms::all(), &recipes, &select, &ignore, request.safe).map_err(|e| e.to_string())?;
        Ok(Self {
            selection,
            recipes,
            options: Options { transforms: settings.transforms },
            catalog: if config.catalog.is_empty() {
                Cow::Borrowed(Catalog::built_in())
            } else {
                Cow::Owned(Catalog::with(&config.catalog))
            },
        })
    }
}

/// The build context of a file.
#[must_use]
pub fn context_of(found: &Found, file: &Dockerfile, request: &Request) -> Context {
    let stdin = found.path.as_os_str() == STDIN;
    if stdin && request.context.is_none() {
        return Context::none();
    }
    let path = if stdin { Path::new("Dockerfile") } else { found.path.as_path() };
    Context::discover(path, &literal_sources(file), request.context.as_deref())
}

/// The language of what is built, by the first base image that has one, from the last stage backwards.
fn language(model: &Model) -> Option<String> {
    model.stages.iter().rev().find_map(|stage| match &stage.base {
        Base::Image(image) => image.facts.as_ref().and_then(|f| f.language.clone()),
        _ => None,
    })
}

/// The diagnostic, with a word on templates where the line looks like one.
#[must_use]
pub fn explained(diagnostic: &Diagnostic, source: &str) -> Diagnostic {
    let start = LineIndex::new(source).start(diagnostic.line);
    let line = source.get(start..).unwrap_or("").lines().next().unwrap_or("");
    let mut out = diagnostic.clone();
    if ["{{", "{%", "<%", "${{"].iter().any(|mark| line.contains(mark)) {
        out.message.push_str(" (this looks like a template that another program turns into a Dockerfile)");
    }
    out
}
