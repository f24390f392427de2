//! What the languages know about their own commands.

use super::built::{Built, Kind};
use super::dotnet::Dotnet;
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

/// A command at its place.
#[derive(Clone, Copy)]
pub(super) struct At<'a> {
    pub draft: &'a Draft<'a>,
    /// The index of its step.
    pub index: usize,
    pub step: &'a Step,
    pub command: &'a Classified,
}

/// The language of the base image, or a web server whose files anything may build, with what was seen so far.
pub(super) trait Planner {
    /// The role of a command that this language knows; `None` for all others.
    fn role(&mut self, at: &At, plan: &mut Plan) -> Result<Option<Role>, Refusal>;

    /// Whether anything is built that a runtime stage could take over.
    fn builds(&self) -> bool;

    /// What is known only after all RUNs have been read.
    fn finish(&mut self, draft: &Draft, plan: &mut Plan) -> Result<(), Refusal>;

    /// Whether only what is built ships, not the sources.
    fn compiled(&self) -> bool {
        false
    }

    /// The image of the runtime stage, before anything else is known.
    fn runtime(&self, draft: &Draft) -> Result<String, Refusal> {
        if self.compiled() { Ok(String::new()) } else { super::needs::smaller_variant(draft) }
    }
}

/// The planner for the base image of `draft`.
pub(super) fn planner(draft: &Draft) -> Result<Box<dyn Planner>, Refusal> {
    if !draft.facts.content.is_empty() {
        return Ok(Box::new(Served::default()));
    }
    match draft.facts.language.as_deref() {
        Some("python") => Ok(Box::new(Python::new(draft.completed))),
        Some("node") => Ok(Box::new(Node::default())),
        Some("ruby") => Ok(Box::new(Ruby::default())),
        Some("go") => Ok(Box::new(Go::default())),
        Some("rust") => Ok(Box::new(Built::new(Kind::Rust))),
        Some("java") => Ok(Box::new(Built::new(Kind::Java))),
        Some("c") => Ok(Box::new(Built::new(Kind::C))),
        Some("dotnet") => Ok(Box::new(Dotnet::default())),
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
