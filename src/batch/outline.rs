//! The shape of a Dockerfile for a report: its stages, how they hang together, and what runs again after a change.

use crate::catalog::Catalog;
use crate::config::Options;
use crate::context::Context;
use crate::model::{Base, Model, Step};
use crate::syntax::{Dockerfile, Keyword, View};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The shape of one text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outline {
    /// The stages in order.
    pub stages: Vec<StageOutline>,
    /// How many RUN instructions the final stage needs.
    pub runs: usize,
    /// How many of them the builder's cache can't answer for after a source file has changed: those behind the first COPY
    /// of a whole folder, in its stage and in those that need it.
    pub rebuilt: usize,
}

/// One stage.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageOutline {
    /// Its name, or its number.
    pub name: String,
    /// The image that it starts from, as written; `None` for another stage.
    pub image: Option<String>,
    /// The stages that it needs, by number.
    pub needs: Vec<usize>,
    /// How many RUN instructions it has.
    pub runs: usize,
}

impl Outline {
    /// The shape of `text`, whose context is in the folder `root` if it is known.
    #[must_use]
    pub fn of(text: &str, root: Option<&Path>) -> Self {
        let file = Dockerfile::parse(text);
        let (context, options) = (Context::none(), Options::default());
        let model = Model::new(&file, &context, Catalog::built_in(), &options);
        let mut out = Self::default();
        // For each stage: whether it is another one after a change, and how many of its RUN instructions run again.
        let mut stale: Vec<(bool, usize)> = Vec::new();
        for (number, stage) in model.stages.iter().enumerate() {
            let mut shape = StageOutline { name: stage.name.clone().unwrap_or_else(|| number.to_string()), ..StageOutline::default() };
            let mut changed = false;
            match &stage.base {
                Base::Stage(base) => {
                    shape.needs.push(*base);
                    changed = stale.get(*base).is_some_and(|s| s.0);
                }
                Base::Scratch => shape.image = Some("scratch".to_owned()),
                Base::Image(image) => shape.image = Some(image.written.clone()),
            }
            let mut again = 0;
            for step in model.steps.get(stage.steps.clone()).unwrap_or_default() {
                for need in needs(step, &model, number) {
                    changed |= stale.get(need).is_some_and(|s| s.0);
                    if !shape.needs.contains(&need) {
                        shape.needs.push(need);
                    }
                }
                changed |= copies_folder(step, root);
                if step.keyword == Keyword::Run {
                    shape.runs += 1;
                    again += usize::from(changed);
                }
            }
            stale.push((changed, again));
            out.stages.push(shape);
        }
        let mut wanted: Vec<usize> = out.stages.len().checked_sub(1).into_iter().collect();
        let mut at = 0;
        while let Some(stage) = wanted.get(at).copied() {
            at += 1;
            let Some(shape) = out.stages.get(stage) else { continue };
            out.runs += shape.runs;
            out.rebuilt += stale.get(stage).map_or(0, |s| s.1);
            let more: Vec<usize> = shape.needs.iter().copied().filter(|n| !wanted.contains(n)).collect();
            wanted.extend(more);
        }
        out
    }
}

/// The stages that an instruction copies from or mounts.
fn needs(step: &Step, model: &Model, stage: usize) -> Vec<usize> {
    let mut names: Vec<&str> = Vec::new();
    if let View::Copy { from: Some(from), .. } = &step.view {
        names.push(from);
    }
    let mounts = step.reading.flags.iter().filter(|f| f.name == "mount").filter_map(|f| f.value.as_deref());
    names.extend(mounts.flat_map(|m| m.split(',')).filter_map(|part| part.strip_prefix("from=")));
    let number = |name: &str| {
        let named = model.stages.iter().take(stage).position(|s| s.name.as_deref().is_some_and(|n| n.eq_ignore_ascii_case(name)));
        named.or_else(|| name.parse().ok().filter(|n| *n < stage))
    };
    names.into_iter().filter_map(number).collect()
}

/// Whether an instruction copies a folder of the context, in which some source file has changed.
fn copies_folder(step: &Step, root: Option<&Path>) -> bool {
    let View::Copy { from: None, sources, .. } = &step.view else { return false };
    sources.iter().any(|s| {
        let path = s.text.trim_start_matches("./").trim_start_matches('/');
        path.is_empty() || path == "." || path.ends_with('/') || path == "*" || root.is_some_and(|root| root.join(path).is_dir())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_what_runs_again() {
        let before = Outline::of("FROM node\nRUN a\nCOPY . .\nRUN b\nRUN c\n", None);
        assert_eq!((before.runs, before.rebuilt), (3, 2));
        let after = Outline::of(
            "FROM node AS build\nCOPY package.json .\nRUN b\nCOPY . .\nRUN c\nFROM other AS unused\nRUN x\nFROM node:slim\nRUN y\nCOPY --from=build /a /a\nRUN z\n",
            None,
        );
        assert_eq!((after.runs, after.rebuilt), (4, 2));
        assert_eq!(after.stages[2].needs, [0]);
        assert_eq!(after.stages[0].image.as_deref(), Some("node"));
        assert_eq!(Outline::of("", None), Outline::default());
    }
}
