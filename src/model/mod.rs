//! What a Dockerfile means: computed once per tree, read-only.

mod build;
pub mod check;
pub mod command;
pub mod config;
pub mod copied;
pub mod image;
pub mod inspect;
pub mod path;
pub mod rebuild;
mod signal;
mod state;
pub(crate) mod tools;
pub mod walk;

pub use command::RunFacts;
pub use config::ImageConfig;
pub use state::{State, Value};

use crate::catalog::Catalog;
use crate::config::Options;
use crate::context::Context;
use crate::source::Span;
use crate::syntax::{Dockerfile, Keyword, Reading, View};
use std::borrow::Cow;

/// A Dockerfile with everything that restage understands of it.
#[derive(Debug)]
pub struct Model<'a> {
    /// The tree.
    pub file: Cow<'a, Dockerfile>,
    /// Every instruction in order, with what was in force before it.
    pub steps: Vec<Step>,
    /// The stages in order.
    pub stages: Vec<Stage>,
    /// The build context.
    pub context: &'a Context,
    /// The catalog, with the user's additions.
    pub catalog: &'a Catalog,
    /// The settings of the transforms.
    pub options: &'a Options,
}

/// One instruction and the state before it.
#[derive(Clone, Debug)]
pub struct Step {
    /// The index of its item in the file.
    pub item: usize,
    /// Its keyword.
    pub keyword: Keyword,
    /// The stage that it belongs to; `None` before the first FROM.
    pub stage: Option<usize>,
    /// The first line, from 1.
    pub line: usize,
    /// The whole item.
    pub span: Span,
    /// What it says.
    pub reading: Reading,
    /// The typed view of it.
    pub view: View,
    /// What is in force before it.
    pub before: std::rc::Rc<State>,
    /// For RUN: what its commands do.
    pub run: Option<RunFacts>,
}

impl Step {
    /// The commands of a RUN in order; none of other instructions, and of a RUN that is not understood.
    #[must_use]
    pub fn commands(&self) -> &[command::Classified] {
        self.run.as_ref().map_or(&[], |run| &run.commands)
    }

    /// Whether it is a CMD or an ENTRYPOINT that names something to start: `CMD []` only takes away what was there.
    #[must_use]
    pub fn starts(&self) -> bool {
        matches!(self.keyword, Keyword::Cmd | Keyword::Entrypoint) && self.reading.args.iter().any(|a| !a.trim().is_empty())
    }
}

/// A stage.
#[derive(Clone, Debug)]
pub struct Stage {
    /// Its name in lower case, if it has one.
    pub name: Option<String>,
    /// What it starts from.
    pub base: Base,
    /// The indices of its steps, FROM included.
    pub steps: std::ops::Range<usize>,
    /// The state at its end.
    pub end: std::rc::Rc<State>,
    /// The stages and steps that need it: by FROM, COPY --from or --mount from=.
    pub used_by: Vec<usize>,
}

/// What a stage starts from.
#[derive(Clone, Debug)]
pub enum Base {
    /// An earlier stage.
    Stage(usize),
    /// `scratch`.
    Scratch,
    /// An image, as far as its name is known, and what the catalog knows of it.
    Image(Box<image::Image>),
}
