//! How many steps the builder runs again after a change, before and after the proposals.

use crate::catalog::Catalog;
use crate::config::Options;
use crate::context::{Context, literal_sources};
use crate::file::Processed;
use crate::model::Model;
use crate::model::rebuild::{Again, Change, Counted, rebuild, typical_manifest, typical_source};
use crate::syntax::Dockerfile;
use serde::Serialize;

/// What runs again after the change of one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rebuild {
    /// `source`, `manifest`, or `file` for one that the user named.
    pub change: &'static str,
    /// The file that stands for the others of its kind, relative to the build context; `None` where the context is unknown.
    pub file: Option<String>,
    /// In the file as it is.
    pub before: Steps,
    /// With all that is applied.
    pub after: Steps,
}

/// The steps that the builder counts: RUN, COPY, ADD and WORKDIR of the stages that the last one needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Steps {
    /// How many there are.
    pub steps: usize,
    /// Those that run again, as the builder calls them: `build 3/7`.
    pub again: Vec<String>,
    /// Those that do if a command that runs again writes something else than before.
    pub perhaps: Vec<String>,
}

impl Steps {
    fn of(counted: Vec<Counted>) -> Self {
        let (steps, mut again, mut perhaps) = (counted.len(), Vec::new(), Vec::new());
        for step in counted {
            match step.again {
                Again::No => {}
                Again::Perhaps => perhaps.push(step.name),
                Again::Yes => again.push(step.name),
            }
        }
        Self { steps, again, perhaps }
    }

    /// `2 of 9`.
    fn told(&self) -> String {
        let most = self.again.len() + self.perhaps.len();
        format!("{}{most} of {}", if self.perhaps.is_empty() { "" } else { "up to " }, self.steps)
    }
}

impl Rebuild {
    /// In a sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        let what = match &self.file {
            Some(file) => format!("a change of {file}"),
            None => format!("a {} change", self.change),
        };
        let before = self.before.told();
        let steps = if self.before.steps == 1 { "step" } else { "steps" };
        if self.before == self.after {
            format!("{what} reruns {before} {steps}")
        } else {
            format!("{what} reruns {before} {steps}; after: {}", self.after.told())
        }
    }
}

/// What a file means as it is and with all that is applied, over its build context.
pub struct Both {
    before: Dockerfile,
    after: Dockerfile,
    context: Context,
    /// The context with the ignore file that the proposals make.
    amended: Option<Context>,
    options: Options,
}

impl Both {
    /// `None` where the builder refuses the file.
    #[must_use]
    pub fn of(file: &Processed) -> Option<Self> {
        let (source, outcome) = (file.source.as_ref()?, file.outcome.as_ref()?);
        let before = Dockerfile::parse(source.as_str());
        let context = match &file.context {
            Some(root) => Context::discover(&file.found.path, &literal_sources(&before), Some(root)),
            None => Context::none(),
        };
        let amended = outcome.ignore_file(&context).map(|text| context.with_ignore(&text));
        Some(Self { amended, before, after: Dockerfile::parse(outcome.text.as_str()), context, options: Options::default() })
    }

    /// The models before and after.
    #[must_use]
    pub fn models(&self) -> (Model<'_>, Model<'_>) {
        let catalog = Catalog::built_in();
        let after = self.amended.as_ref().unwrap_or(&self.context);
        (Model::new(&self.before, &self.context, catalog, &self.options), Model::new(&self.after, after, catalog, &self.options))
    }
}

/// Which change is looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Looked {
    /// None: nobody asks.
    #[default]
    Nothing,
    /// That of a source file and of a manifest.
    Typical,
    /// That of this file of the build context.
    File(String),
}

/// What runs again before and after. Nothing where the files copy nothing of that kind.
#[must_use]
pub fn compare(before: &Model, after: &Model, looked: &Looked) -> Vec<Rebuild> {
    let one = |change: &'static str, path: Option<String>| {
        let what = path.as_deref().map_or(Change::Source, Change::File);
        let (before, after) = (Steps::of(rebuild(before, what)), Steps::of(rebuild(after, what)));
        Rebuild { change, before, after, file: path }
    };
    match looked {
        Looked::Nothing => Vec::new(),
        Looked::File(path) => vec![one("file", Some(crate::context::normalize(path)))],
        Looked::Typical if !before.context.is_known() => Some(one("source", None)).filter(|r| r.before.steps > 0).into_iter().collect(),
        Looked::Typical => {
            let typical = [("source", typical_source(before, after)), ("manifest", typical_manifest(before, after))];
            typical.into_iter().filter_map(|(change, path)| path.map(|path| one(change, Some(path)))).collect()
        }
    }
}
