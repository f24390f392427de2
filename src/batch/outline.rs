//! The shape of a Dockerfile for a report: its stages, how they hang together, and what runs again after a change.

use crate::model::rebuild::{Again, Change, needs, rebuild};
use crate::model::{Base, Model};
use crate::syntax::Keyword;
use serde::{Deserialize, Serialize};

/// The shape of one text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outline {
    /// The stages in order.
    pub stages: Vec<StageOutline>,
    /// How many RUN instructions the final stage needs.
    pub runs: usize,
    /// How many of them the builder's cache can't answer for after a source file has changed, or perhaps can't.
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
    /// The shape of what `model` understands, and what `change` makes of it.
    #[must_use]
    pub fn of(model: &Model, change: Change) -> Self {
        let mut out = Self::default();
        let runs = |stage: usize| model.steps_of(stage).iter().filter(|s| s.keyword == Keyword::Run).count();
        for (number, stage) in model.stages.iter().enumerate() {
            let image = match &stage.base {
                Base::Stage(_) => None,
                Base::Scratch => Some("scratch".to_owned()),
                Base::Image(image) => Some(image.written.clone()),
            };
            let name = stage.name.clone().unwrap_or_else(|| number.to_string());
            out.stages.push(StageOutline { name, image, needs: needs(model, number), runs: runs(number) });
        }
        let counted = rebuild(model, change);
        let runs = counted.iter().filter(|c| model.steps.get(c.step).is_some_and(|s| s.keyword == Keyword::Run));
        (out.runs, out.rebuilt) = runs.fold((0, 0), |(all, again), c| (all + 1, again + usize::from(c.again > Again::No)));
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use crate::config::Options;
    use crate::context::Context;
    use crate::syntax::Dockerfile;

    fn outline(text: &str) -> Outline {
        let (file, context, options) = (Dockerfile::parse(text), Context::none(), Options::default());
        Outline::of(&Model::new(&file, &context, Catalog::built_in(), &options), Change::Source)
    }

    #[test]
    fn counts_what_runs_again() {
        let before = outline("FROM node\nRUN a\nCOPY . .\nRUN b\nRUN c\n");
        assert_eq!((before.runs, before.rebuilt), (3, 2));
        let after = outline(
            "FROM node AS build\nCOPY package.json .\nRUN b\nCOPY . .\nRUN c\nFROM other AS unused\nRUN x\nFROM node:slim\nRUN y\nCOPY --from=build /a /a\nRUN z\n",
        );
        assert_eq!((after.runs, after.rebuilt), (4, 2));
        assert_eq!(after.stages[2].needs, [0]);
        assert_eq!(after.stages[0].image.as_deref(), Some("node"));
        assert_eq!(outline(""), Outline::default());
    }
}
