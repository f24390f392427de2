//! What the languages know about their own commands.

use super::built::{Built, Kind};
use super::draft::{Draft, refuse};
use super::go::Go;
use super::node::Node;
use super::plan::Plan;
use super::python::Python;
use super::roles::Role;
use super::ruby::Ruby;
use super::served::Served;
use crate::model::Step;
use crate::model::command::Classified;
use crate::transforms::Refusal;

/// The language of the base image, with what its planner has seen so far.
#[derive(Debug)]
pub(super) enum Language {
    Python(Python),
    Node(Node),
    Ruby(Ruby),
    Go(Go),
    Built(Built),
    /// Of no language: a web server, whose files anything may build.
    Served(Served),
}

impl Language {
    /// The planner for the base image of `draft`.
    pub(super) fn of(draft: &Draft) -> Result<Self, Refusal> {
        if !draft.facts.content.is_empty() {
            return Ok(Self::Served(Served::default()));
        }
        match draft.facts.language.as_deref() {
            Some("python") => Ok(Self::Python(Python::new(draft.completed))),
            Some("node") => Ok(Self::Node(Node::default())),
            Some("ruby") => Ok(Self::Ruby(Ruby::default())),
            Some("go") => Ok(Self::Go(Go::default())),
            Some("rust") => Ok(Self::Built(Built::new(Kind::Rust))),
            Some("java") => Ok(Self::Built(Built::new(Kind::Java))),
            Some("c") => Ok(Self::Built(Built::new(Kind::C))),
            Some(other) => refuse(draft.from.line, format!("files that start from `{}` ({other}) are not split yet", draft.image.written)),
            None => refuse(
                draft.from.line,
                format!(
                    "`{}` brings no language of its own, and the packages that are installed don't tell what builds the program that starts",
                    draft.image.written
                ),
            ),
        }
    }

    /// The image of the runtime stage, before anything else is known.
    pub(super) fn runtime(&self, draft: &Draft) -> Result<String, Refusal> {
        match self {
            Self::Python(_) | Self::Node(_) | Self::Ruby(_) => super::needs::smaller_variant(draft),
            Self::Served(_) => Ok(Served::runtime(draft)),
            Self::Go(_) | Self::Built(_) => Ok(String::new()),
        }
    }

    /// Whether only what is built ships, not the sources.
    pub(super) fn compiled(&self) -> bool {
        matches!(self, Self::Go(_) | Self::Built(_) | Self::Served(_))
    }

    /// The role of a command that this language knows; `None` for all others.
    pub(super) fn role(
        &mut self,
        draft: &Draft,
        plan: &mut Plan,
        index: usize,
        step: &Step,
        command: &Classified,
    ) -> Result<Option<Role>, Refusal> {
        match self {
            Self::Python(p) => p.role(draft, plan, index, step, command),
            Self::Node(n) => n.role(draft, plan, index, step, command),
            Self::Ruby(r) => r.role(draft, plan, index, step, command),
            Self::Go(g) => g.role(draft, plan, index, step, command),
            Self::Built(b) => b.role(draft, index, command),
            Self::Served(s) => s.role(draft, plan, index, command),
        }
    }

    /// Whether anything is built that a runtime stage could take over.
    pub(super) fn builds(&self) -> bool {
        match self {
            Self::Python(p) => p.builds(),
            Self::Node(n) => n.builds(),
            Self::Ruby(r) => r.builds(),
            Self::Go(g) => g.builds(),
            Self::Built(b) => b.builds(),
            Self::Served(s) => s.builds(),
        }
    }

    /// What is known only after all RUNs have been read.
    pub(super) fn finish(&mut self, draft: &Draft, plan: &mut Plan) -> Result<(), Refusal> {
        match self {
            Self::Python(p) => p.finish(draft, plan),
            Self::Node(n) => n.finish(draft, plan),
            Self::Ruby(r) => r.finish(draft, plan),
            Self::Go(g) => g.finish(draft, plan),
            Self::Built(b) => b.finish(draft, plan),
            Self::Served(s) => s.finish(draft, plan),
        }
    }
}
