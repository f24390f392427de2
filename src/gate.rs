//! What every change has to pass before it is shown.
//!
//! The gate compares two texts by their [`Facts`], and knows nothing of the transform that led from one to the other. It is
//! the last line of defence: whatever it holds back is a mistake in a transform.

use crate::model::image::Reference;
use crate::model::walk::{Assumptions, BaseImage, walk};
use crate::model::{Base, Model, Step, Value};
use crate::syntax::View;
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};

/// What the gate wants to know of one text.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Whether the items tile the text.
    tiles: bool,
    /// What the builder would complain of, with how often.
    diagnostics: BTreeMap<String, usize>,
    /// The comment lines, with how often.
    comments: BTreeMap<String, usize>,
    /// The final stage's configuration.
    config: BTreeMap<String, Json>,
    /// Whether the final stage starts something of its own.
    starts: bool,
    /// The final stage's base, down to the image.
    base: String,
    /// Every image that a FROM or a `--from` names.
    images: BTreeSet<String>,
    /// What a `--from` names that is no stage before it.
    foreign: BTreeSet<String>,
}

impl Facts {
    /// The facts of a text.
    #[must_use]
    pub fn of(model: &Model) -> Self {
        let source = model.file.source();
        let mut facts = Self { tiles: tiles(model), ..Self::default() };
        for diagnostic in model.file.errors.iter().chain(&model.problems()) {
            *facts.diagnostics.entry(diagnostic.message.clone()).or_default() += 1;
        }
        for line in source.lines().map(str::trim).filter(|l| l.starts_with('#') && !l.trim_matches(['#', ' ', '\t']).is_empty()) {
            *facts.comments.entry(line.to_owned()).or_default() += 1;
        }
        if !model.stages.is_empty() {
            facts.config = final_config(model);
            (facts.base, facts.starts) = lineage(model, model.stages.len() - 1);
        }
        facts.references(model);
        facts
    }

    /// Collects what FROM and `--from` name.
    fn references(&mut self, model: &Model) {
        for step in &model.steps {
            let stage = step.stage.unwrap_or(0);
            let mut from: Vec<String> = Vec::new();
            match &step.view {
                View::From { image, .. } => {
                    self.images.insert(image.text.clone());
                }
                View::Copy { from: Some(name), .. } => from.push(name.clone()),
                View::Run { .. } => {
                    from.extend(step.reading.flags.iter().filter(|f| f.name == "mount").filter_map(|f| f.value.as_deref()).flat_map(
                        |mount| mount.split(',').filter_map(|part| part.strip_prefix("from=")).map(str::to_owned).collect::<Vec<_>>(),
                    ))
                }
                _ => {}
            }
            for name in from {
                let is_stage = name.contains('$')
                    || name.parse::<usize>().is_ok_and(|n| n < stage)
                    || model.stages.iter().take(stage).any(|s| s.name.as_deref().is_some_and(|n| n.eq_ignore_ascii_case(&name)));
                if !is_stage {
                    self.foreign.insert(name.clone());
                    self.images.insert(name);
                }
            }
        }
    }
}

/// The configuration of the last stage, in a build without options; bases bring what the catalog knows of them.
fn final_config(model: &Model) -> BTreeMap<String, Json> {
    let base = |name: Option<&str>| {
        let facts = name.and_then(Reference::parse).and_then(|reference| model.catalog.image(&reference));
        facts.map_or_else(BaseImage::bare, |facts| BaseImage {
            env: facts.env.into_iter().map(|(name, value)| (name, value.map_or(Value::Unknown, Value::Known))).collect(),
            workdir: facts.workdir,
            user: facts.user,
            cmd: facts.cmd,
            entrypoint: facts.entrypoint.filter(|_| !facts.passes_on),
            shell: None,
            complete: true,
        })
    };
    let walked = walk(&model.file, &Assumptions { base: &base, plain_build: true });
    match walked.stages.last().map(|stage| serde_json::to_value(&stage.end.config)) {
        Some(Ok(Json::Object(map))) => map.into_iter().filter(|(_, value)| !is_empty(value)).collect(),
        _ => BTreeMap::new(),
    }
}

/// Whether `after` may take the place of `before`: both came out of `original`, and the keys in `declares` may differ.
///
/// # Errors
/// What is wrong with `after`, as the end of a sentence that begins with "it was left out because".
pub fn check(before: &Facts, after: &Facts, original: &str, declares: &BTreeSet<&str>) -> Result<(), String> {
    if !after.tiles {
        return Err("the result does not print back".to_owned());
    }
    if let Some(new) = more_of(&after.diagnostics, &before.diagnostics) {
        return Err(format!("the builder would refuse the result: {new}"));
    }
    if let Some(lost) = more_of(&before.comments, &after.comments) {
        return Err(format!("the comment `{lost}` would be lost"));
    }
    if let Some(name) = after.foreign.iter().find(|name| !before.images.contains(*name)) {
        return Err(format!("it copies from `{name}`, which is no earlier stage"));
    }
    // `Image` is declared by recipes alone, whose purpose another base may be.
    if !before.starts && before.base != after.base && !declares.contains("Image") {
        return Err("the file starts nothing of its own and would get another base".to_owned());
    }
    if !before.starts && before.config.get("User") != after.config.get("User") {
        return Err("the file starts nothing of its own and would get another user".to_owned());
    }
    let keys: BTreeSet<&String> = before.config.keys().chain(after.config.keys()).collect();
    for key in keys.into_iter().filter(|k| !declares.contains(k.as_str())) {
        let (old, new) = (before.config.get(key), after.config.get(key));
        let same = match key.as_str() {
            "Env" => environment_kept(old, new, original)?,
            "WorkingDir" => directory(old) == directory(new),
            _ => old == new,
        };
        if !same {
            let show = |v: Option<&Json>| v.map_or_else(|| "nothing".to_owned(), ToString::to_string);
            return Err(format!("the image's {key} would change from {} to {}", show(old), show(new)));
        }
    }
    Ok(())
}

/// Something that `a` has more often than `b`.
fn more_of<'a>(a: &'a BTreeMap<String, usize>, b: &BTreeMap<String, usize>) -> Option<&'a String> {
    a.iter().find(|(what, count)| **count > b.get(*what).copied().unwrap_or(0)).map(|(what, _)| what)
}

fn is_empty(value: &Json) -> bool {
    match value {
        Json::Null => true,
        Json::String(s) => s.is_empty(),
        Json::Array(a) => a.is_empty(),
        Json::Object(o) => o.is_empty(),
        _ => false,
    }
}

fn directory(value: Option<&Json>) -> &str {
    value.and_then(Json::as_str).filter(|d| !d.is_empty()).unwrap_or("/")
}

/// Whether every variable that the file names keeps its value; PATH may grow.
fn environment_kept(old: Option<&Json>, new: Option<&Json>, original: &str) -> Result<bool, String> {
    let table = |env: Option<&Json>| -> BTreeMap<String, String> {
        let list = env.and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str);
        list.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).map(|(k, v)| (k.to_owned(), v.to_owned())).collect()
    };
    let (old, new) = (table(old), table(new));
    for (name, value) in old.iter().filter(|(name, _)| names(original, name)) {
        let now = new.get(name);
        if name == "PATH" {
            let kept: Vec<&str> = now.map(|v| v.split(':').collect()).unwrap_or_default();
            if let Some(gone) = value.split(':').find(|dir| !kept.contains(dir) && original.contains(dir)) {
                return Err(format!("PATH would lose {gone}"));
            }
        } else if now != Some(value) {
            return Err(format!(
                "the variable {name} would change from `{value}` to {}",
                now.map_or("nothing".to_owned(), |v| format!("`{v}`"))
            ));
        }
    }
    Ok(true)
}

/// Whether `text` has `name` as a word.
fn names(text: &str, name: &str) -> bool {
    let inside = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    text.match_indices(name).any(|(at, _)| {
        let before = text.get(..at).and_then(|t| t.chars().next_back());
        let after = text.get(at + name.len()..).and_then(|t| t.chars().next());
        !inside(before) && !inside(after)
    })
}

/// Whether the items follow each other without a gap, from the first byte (a byte order mark aside) to the last.
fn tiles(model: &Model) -> bool {
    let mut at = if model.file.source().starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    for item in &model.file.items {
        if item.span.start != at || item.span.end < at {
            return false;
        }
        at = item.span.end;
    }
    at == model.file.source().len()
}

/// The image at the root of a stage as written, and whether the stage or one that it starts from has a CMD or ENTRYPOINT.
fn lineage(model: &Model, stage: usize) -> (String, bool) {
    let mut at = stage;
    let mut starts = false;
    loop {
        let Some(stage) = model.stages.get(at) else { return ("scratch".to_owned(), starts) };
        let steps = model.steps.get(stage.steps.clone()).unwrap_or_default();
        starts |= steps.iter().any(Step::starts);
        match &stage.base {
            Base::Stage(earlier) if *earlier < at => at = *earlier,
            Base::Image(image) => return (image.written.clone(), starts),
            _ => return ("scratch".to_owned(), starts),
        }
    }
}
