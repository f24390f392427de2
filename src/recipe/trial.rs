//! The tests that stand in recipe files.

use super::Recipe;
use crate::catalog::Catalog;
use crate::config::Options;
use crate::context::Context;
use crate::pipeline::{self, Selection, Settings};

/// A test that came out otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The recipe.
    pub id: &'static str,
    /// The line of the test.
    pub line: usize,
    /// What was expected.
    pub expected: String,
    /// What came out.
    pub found: String,
    /// What was refused.
    pub refusals: Vec<String>,
}

/// Runs the tests of a recipe, each with this recipe alone.
#[must_use]
pub fn try_out(recipe: &Recipe) -> Vec<Failure> {
    let recipes = std::slice::from_ref(recipe);
    let own = [recipe.transform.id.to_owned()];
    let Ok(selection) = Selection::resolve_with(crate::transforms::all(), recipes, &own, &[], false) else { return Vec::new() };
    let options = Options::default();
    let settings = Settings { transforms: &[], recipes, selection: &selection, options: &options, catalog: Catalog::built_in() };
    let failures = recipe.trials.iter().filter_map(|trial| {
        let outcome = pipeline::run(&trial.before, &Context::none(), settings);
        (outcome.text != trial.after).then(|| Failure {
            id: recipe.transform.id,
            line: trial.line,
            expected: trial.after.clone(),
            found: outcome.text,
            refusals: outcome.refusals.into_iter().map(|r| r.reason).collect(),
        })
    });
    failures.collect()
}
