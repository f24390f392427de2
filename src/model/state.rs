//! The state before each instruction, and the configuration of the image at the end of a stage.

use super::config::ImageConfig;
use crate::syntax::variables::{self, Expansion, Lookup};

/// A value that may not be known before the build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Known.
    Known(String),
    /// Depends on a build argument, a base image or something else that the file does not say.
    Unknown,
}

/// What is in force at one place of a stage.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// The environment in order, the base image's included where the catalog knows it.
    pub env: Vec<(String, Value)>,
    /// The ARGs in scope, in order, those of a parent stage included. `None` where nothing gives the ARG a value.
    pub args: Vec<(String, Option<Value>)>,
    /// The working directory, absolute; `None` where it is unknown.
    pub workdir: Option<String>,
    /// The USER in force as the file or the known base says; empty for root by default, `None` where it is unknown.
    pub user: Option<String>,
    /// The shell of shell forms.
    pub shell: Vec<String>,
    /// The configuration that the image would have if the stage ended here. What is not known stands in it by its name.
    pub config: ImageConfig,
    /// Whether the base may set variables that restage does not know of.
    pub open: bool,
    /// What variables expand to: the environment and the ARGs, the later one winning.
    pub(super) scope: Vec<(String, Value)>,
}

impl State {
    /// What the environment says of `name`; `None` where it does not have it.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&Value> {
        self.env.iter().rev().find(|(n, _)| n == name).map(|(_, value)| value)
    }

    /// The value that `name` has in the environment, if it has one and that is known.
    #[must_use]
    pub fn known_variable(&self, name: &str) -> Option<&str> {
        match self.variable(name)? {
            Value::Known(value) => Some(value),
            Value::Unknown => None,
        }
    }

    /// What `name` expands to here.
    #[must_use]
    pub fn lookup(&self, name: &str) -> Lookup {
        match self.scope.iter().find(|(n, _)| n == name) {
            Some((_, Value::Known(value))) => Lookup::Known(value.clone()),
            Some((_, Value::Unknown)) => Lookup::Unknown,
            None if self.open => Lookup::Unknown,
            None => Lookup::Unset,
        }
    }

    /// `text` with its variables replaced and its quotes removed.
    ///
    /// # Errors
    /// Where the builder refuses the text.
    pub fn expand(&self, text: &str, escape: char) -> Result<Expansion, String> {
        variables::expand(text, escape, &|name| self.lookup(name))
    }

    /// The expanded text if all of it is known.
    #[must_use]
    pub fn known(&self, text: &str, escape: char) -> Option<String> {
        self.expand(text, escape).ok().filter(|e| !e.unknown).map(|e| e.text)
    }

    pub(super) fn set_scope(&mut self, name: &str, value: Value) {
        match self.scope.iter_mut().find(|(n, _)| n == name) {
            Some(slot) => slot.1 = value,
            None => self.scope.push((name.to_owned(), value)),
        }
    }

    pub(super) fn set_env(&mut self, name: &str, value: Value, shown: &str) {
        let line = format!("{name}={shown}");
        match self.config.env.iter_mut().find(|l| l.split_once('=').map_or(l.as_str(), |p| p.0) == name) {
            Some(slot) => *slot = line,
            None => self.config.env.push(line),
        }
        match self.env.iter_mut().find(|(n, _)| n == name) {
            Some(slot) => slot.1 = value.clone(),
            None => self.env.push((name.to_owned(), value.clone())),
        }
        self.set_scope(name, value);
    }

    pub(super) fn set_arg(&mut self, name: &str, value: Option<Value>) {
        if let Some(value) = &value {
            self.set_scope(name, value.clone());
        }
        self.args.retain(|(n, _)| n != name);
        self.args.push((name.to_owned(), value));
    }
}
