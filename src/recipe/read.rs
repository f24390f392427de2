//! From TOML to recipes.

use super::{Action, Matches, Recipe, Trial};
use crate::config::{ConfigError, Wrong, known_key, table_of};
use crate::source::LineIndex;
use crate::transforms::{self, Findings, Group, Level, Transform};
use regex::Regex;
use std::path::Path;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Reads a file of recipes.
pub(super) fn read(path: &Path) -> Result<Vec<Recipe>, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|e| ConfigError { path: path.to_owned(), line: None, message: e.to_string() })?;
    parse(&text, path)
}

pub(super) fn parse(text: &str, path: &Path) -> Result<Vec<Recipe>, ConfigError> {
    let lines = LineIndex::new(text);
    let fail = |(at, message): Wrong| ConfigError { path: path.to_owned(), line: Some(lines.line(at)), message };
    let table = DeTable::parse(text).map_err(|e| fail((e.span().map_or(0, |s| s.start), e.message().to_owned())))?;
    let mut out: Vec<Recipe> = Vec::new();
    for (key, value) in table.get_ref() {
        known_key(key, "key of a recipe file", &["recipe"]).map_err(fail)?;
        let entries = value.get_ref().as_array().ok_or_else(|| fail((value.span().start, "expected `[[recipe]]` tables".to_owned())))?;
        for entry in entries {
            let recipe = one(entry, &lines).map_err(fail)?;
            if out.iter().any(|r| r.transform.id == recipe.transform.id) {
                return Err(fail((entry.span().start, format!("there is another recipe `{}`", recipe.transform.id))));
            }
            out.push(recipe);
        }
    }
    Ok(out)
}

/// Text that has to be there.
fn text(value: &Spanned<DeValue>) -> Result<String, Wrong> {
    value.get_ref().as_str().map(str::to_owned).ok_or_else(|| (value.span().start, "expected text in quotes".to_owned()))
}

fn one(entry: &Spanned<DeValue>, lines: &LineIndex) -> Result<Recipe, Wrong> {
    let at = entry.span().start;
    let (mut id, mut title, mut reason, mut level) = (None, None, None, Level::Review);
    let (mut matches, mut action, mut trials) = (Matches::default(), None, Vec::new());
    for (key, value) in table_of(entry)? {
        known_key(key, "key of a recipe", &["id", "title", "reason", "level", "match", "do", "test"])?;
        match key.get_ref().as_ref() {
            "id" => id = Some(identifier(value)?),
            "title" => title = Some(text(value)?),
            "reason" => reason = Some(text(value)?),
            "level" => {
                level = match text(value)?.as_str() {
                    "safe" => Level::Safe,
                    "review" => Level::Review,
                    "suggest" => Level::Suggest,
                    _ => return Err((value.span().start, "a level is safe, review or suggest".to_owned())),
                }
            }
            "match" => matches = conditions(value)?,
            "do" => action = Some(deed(value)?),
            _ => {
                let all = value.get_ref().as_array().ok_or_else(|| (value.span().start, "expected `[[recipe.test]]` tables".to_owned()))?;
                trials = all.iter().map(|t| trial(t, lines)).collect::<Result<_, _>>()?;
            }
        }
    }
    let missing = |what: &str| (at, format!("a recipe needs {what}"));
    let id = id.ok_or_else(|| missing("an id"))?;
    let title = title.ok_or_else(|| missing("a title"))?;
    let reason = reason.ok_or_else(|| missing("a reason"))?;
    let action = action.ok_or_else(|| missing("something to `do`"))?;
    if matches!(action, Action::Image(_)) && matches.image.is_none() {
        return Err(missing("`match.image`, a pattern for the image that it replaces"));
    }
    if matches!(action, Action::Package(_)) && matches.package.is_none() {
        return Err(missing("`match.package`, the package that it is about"));
    }
    let everything = matches.instruction.is_none() && matches.image.is_none() && matches.package.is_none() && matches.flag.is_none();
    if everything && matches.label.is_none() && matches.env.is_none() && !matches!(action, Action::Labels(_)) {
        return Err(missing("a `match` that says which instructions are meant"));
    }
    let may_change: &'static [&'static str] = match &action {
        Action::Image(_) => &["Image", "Env", "Cmd", "Entrypoint", "User", "WorkingDir", "Shell"],
        Action::Package(_) => &[],
        Action::Insert { .. } | Action::Remove => {
            &["Labels", "Env", "Cmd", "Entrypoint", "User", "WorkingDir", "Shell", "ExposedPorts", "Volumes", "StopSignal", "Healthcheck"]
        }
        Action::Labels(_) => &["Labels"],
    };
    // Recipes live as long as the program: each file is read once.
    let keep = |text: String| -> &'static str { Box::leak(text.into_boxed_str()) };
    let transform = Box::leak(Box::new(Transform {
        id: keep(id),
        summary: keep(title),
        group: Group::Recipes,
        may_change,
        page: "",
        run: |_| Findings::default(),
    }));
    Ok(Recipe { transform, level, reason, matches, action, trials })
}

fn identifier(value: &Spanned<DeValue>) -> Result<String, Wrong> {
    let id = text(value)?;
    let plain = !id.is_empty() && id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if !plain {
        return Err((value.span().start, "an id has small letters, digits and dashes only".to_owned()));
    }
    let groups = ["restructure", "hygiene", "modernize", "harden", "recipes", "all"];
    if transforms::all().iter().any(|t| t.id == id) || groups.contains(&id.as_str()) {
        return Err((value.span().start, format!("`{id}` is built in; a recipe needs another id")));
    }
    Ok(id)
}

fn conditions(value: &Spanned<DeValue>) -> Result<Matches, Wrong> {
    let mut out = Matches::default();
    for (key, value) in table_of(value)? {
        known_key(key, "condition", &["instruction", "image", "package", "flag", "label", "env", "final-stage"])?;
        match key.get_ref().as_ref() {
            "instruction" => out.instruction = Some(text(value)?.to_ascii_uppercase()),
            "image" => {
                let pattern = format!("^(?:{})$", text(value)?);
                out.image = Some(Regex::new(&pattern).map_err(|e| (value.span().start, format!("no pattern: {e}")))?);
            }
            "package" => out.package = Some(text(value)?),
            "flag" => out.flag = Some(text(value)?.trim_start_matches('-').to_owned()),
            "label" => out.label = Some(text(value)?),
            "env" => out.env = Some(text(value)?),
            _ => out.final_stage = value.get_ref().as_bool().ok_or_else(|| (value.span().start, "expected true or false".to_owned()))?,
        }
    }
    Ok(out)
}

fn deed(value: &Spanned<DeValue>) -> Result<Action, Wrong> {
    let mut out = None;
    let at = value.span().start;
    for (key, value) in table_of(value)? {
        known_key(key, "thing to do", &["image", "rename-package", "drop-package", "insert-before", "insert-after", "remove", "labels"])?;
        let lines = |value| text(value).map(|t| t.trim_matches('\n').to_owned());
        let flag = || match value.get_ref().as_bool() {
            Some(true) => Ok(()),
            _ => Err((value.span().start, "expected true".to_owned())),
        };
        let action = match key.get_ref().as_ref() {
            "image" => Action::Image(text(value)?),
            "rename-package" => Action::Package(Some(text(value)?)),
            "drop-package" => flag().map(|()| Action::Package(None))?,
            "insert-before" => Action::Insert { text: lines(value)?, behind: false },
            "insert-after" => Action::Insert { text: lines(value)?, behind: true },
            "remove" => flag().map(|()| Action::Remove)?,
            _ => Action::Labels(
                table_of(value)?.iter().map(|(k, v)| Ok((k.get_ref().to_string(), text(v)?))).collect::<Result<Vec<_>, Wrong>>()?,
            ),
        };
        if out.replace(action).is_some() {
            return Err((key.span().start, "a recipe does one thing; write another one for the other".to_owned()));
        }
    }
    out.ok_or_else(|| (at, "there is nothing to do".to_owned()))
}

fn trial(value: &Spanned<DeValue>, lines: &LineIndex) -> Result<Trial, Wrong> {
    let (mut before, mut after) = (None, None);
    for (key, value) in table_of(value)? {
        known_key(key, "key of a test", &["before", "after"])?;
        let slot = if key.get_ref() == "before" { &mut before } else { &mut after };
        *slot = Some(text(value)?);
    }
    let before = before.ok_or_else(|| (value.span().start, "a test needs the text `before`".to_owned()))?;
    Ok(Trial { line: lines.line(value.span().start), after: after.unwrap_or_else(|| before.clone()), before })
}
