//! How many steps the builder runs again after a change, before and after the proposals.

use crate::catalog::Catalog;
use crate::config::Options;
use crate::context::{Context, literal_sources};
use crate::file::Processed;
use crate::model::Model;
use crate::model::rebuild::{Change, Counted, rebuild, typical_manifest, typical_source};
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
}

impl Steps {
    fn of(counted: Vec<Counted>) -> Self {
        Self { steps: counted.len(), again: counted.into_iter().filter(|c| c.again).map(|c| c.name).collect() }
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
        let part = |s: &Steps| format!("{} of {}", s.again.len(), super::count(s.steps, "step"));
        if self.before == self.after {
            format!("{what} reruns {}", part(&self.before))
        } else {
            format!("{what} reruns {}; after: {} of {}", part(&self.before), self.after.again.len(), self.after.steps)
        }
    }
}

/// What a file means as it is and with all that is applied, over its build context.
pub struct Both {
    before: Dockerfile,
    after: Dockerfile,
    context: Context,
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
        Some(Self { before, after: Dockerfile::parse(outcome.text.as_str()), context, options: Options::default() })
    }

    /// The models before and after.
    #[must_use]
    pub fn models(&self) -> (Model<'_>, Model<'_>) {
        let model = |text| Model::new(text, &self.context, Catalog::built_in(), &self.options);
        (model(&self.before), model(&self.after))
    }
}

/// What runs again in `file` after the change of `touched`, or else of a source file and of a manifest. Nothing where the
/// builder refuses the file, or copies nothing of that kind.
#[must_use]
pub fn of(file: &Processed, touched: Option<&str>) -> Vec<Rebuild> {
    let Some(texts) = Both::of(file) else { return Vec::new() };
    let (before, after) = texts.models();
    let compare = |change: &'static str, path: Option<String>| {
        let what = path.as_deref().map_or(Change::Source, Change::File);
        let (before, after) = (Steps::of(rebuild(&before, what)), Steps::of(rebuild(&after, what)));
        Rebuild { change, before, after, file: path }
    };
    if let Some(path) = touched {
        return vec![compare("file", Some(crate::context::normalize(path)))];
    }
    if !texts.context.is_known() {
        return Some(compare("source", None)).filter(|r| r.before.steps > 0).into_iter().collect();
    }
    let typical = [("source", typical_source(&before, &after)), ("manifest", typical_manifest(&before, &after))];
    typical.into_iter().filter_map(|(change, path)| path.map(|path| compare(change, Some(path)))).collect()
}
