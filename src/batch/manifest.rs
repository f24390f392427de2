//! The manifest of a batch: a TOML file with one `[[repository]]` a repository.

use super::source::{Overrides, Place, Wanted};
use crate::config::{Config, ConfigError, ConfigSource, Wrong, known_key, texts};
use crate::file::Request;
use crate::pipeline::Selection;
use crate::recipe;
use crate::source::LineIndex;
use crate::transforms;
use std::path::Path;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The keys of a `[[repository]]`.
const KEYS: [&str; 8] = ["path", "url", "name", "branch", "select", "ignore", "safe", "config"];

/// Reads the manifest at `path`; paths in it are relative to its own folder. `request` is what holds for the whole batch.
///
/// # Errors
/// Where it can't be read, is no TOML, or has a key or a name that means nothing.
pub fn read(path: &Path, request: &Request) -> Result<Vec<Wanted>, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|e| ConfigError { path: path.to_owned(), line: None, message: e.to_string() })?;
    parse(&text, path, request)
}

/// The repositories in `text`, which stands at `path`.
///
/// # Errors
/// As [`read`].
pub fn parse(text: &str, path: &Path, request: &Request) -> Result<Vec<Wanted>, ConfigError> {
    let lines = LineIndex::new(text);
    let fail = |at: usize, message: String| ConfigError { path: path.to_owned(), line: Some(lines.line(at)), message };
    let table = DeTable::parse(text).map_err(|e| fail(e.span().map_or(0, |s| s.start), e.message().to_owned()))?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut out = Vec::new();
    for (key, value) in table.get_ref() {
        known_key(key, "key of a manifest", &["repository"]).map_err(|(at, message)| fail(at, message))?;
        let wrong = || fail(value.span().start, "expected `[[repository]]` tables".to_owned());
        for entry in value.get_ref().as_array().ok_or_else(wrong)? {
            out.push(one(entry, folder, request).map_err(|(at, message)| fail(at, message))?);
        }
    }
    Ok(out)
}

/// One `[[repository]]`.
fn one(entry: &Spanned<DeValue>, folder: &Path, request: &Request) -> Result<Wanted, Wrong> {
    let at = entry.span().start;
    let table = entry.get_ref().as_table().ok_or_else(|| (at, "expected a table".to_owned()))?;
    let mut place = None;
    let mut overrides = Overrides::default();
    let (mut name, mut branch) = (None, None);
    let (mut select, mut ignore, mut config) = (Vec::new(), Vec::new(), None);
    for (key, value) in table {
        known_key(key, "key of a repository", &KEYS)?;
        let text = || {
            let text = value.get_ref().as_str().filter(|t| !t.is_empty());
            text.map(str::to_owned).ok_or_else(|| (value.span().start, "expected text in quotes".to_owned()))
        };
        let mut put = |new: Place| match place.replace(new) {
            None => Ok(()),
            Some(_) => Err((key.span().start, "a repository has either a path or a url".to_owned())),
        };
        match key.get_ref().as_ref() {
            "path" => put(Place::Folder(folder.join(text()?)))?,
            "url" => put(Place::Url(text()?))?,
            "name" => name = Some(text()?),
            "branch" => branch = Some(text()?),
            "select" => select = texts(value)?,
            "ignore" => ignore = texts(value)?,
            "config" => config = Some((folder.join(text()?), value.span().start)),
            _ => overrides.safe = value.get_ref().as_bool().ok_or_else(|| (value.span().start, "expected true or false".to_owned()))?,
        }
    }
    let place = place.ok_or_else(|| (at, "a repository needs a path or a url".to_owned()))?;
    let own = config.as_ref().map(|(path, at)| Config::read(path).map_err(|e| (*at, e.to_string()))).transpose()?;
    if !select.is_empty() || !ignore.is_empty() {
        let settings = own.unwrap_or_else(|| settings_of(&place, request));
        let recipes = recipe::load_all(&[settings.recipes, request.recipes.clone()].concat()).unwrap_or_default();
        for (name, at) in select.iter().chain(&ignore) {
            let known = Selection::resolve_with(transforms::all(), &recipes, std::slice::from_ref(name), &[], false);
            known.map_err(|e| (*at, e.to_string()))?;
        }
    }
    let names = |list: Vec<(String, usize)>| list.into_iter().map(|(name, _)| name).collect();
    (overrides.select, overrides.ignore) = (names(select), names(ignore));
    overrides.config = config.map(|(path, _)| path);
    Ok(Wanted { place, name, branch, overrides, exact: true })
}

/// The settings in force at `place` as far as they can be told before it is there; what is wrong with them is told where they are used.
fn settings_of(place: &Place, request: &Request) -> Config {
    match (place, &request.config) {
        (Place::Folder(folder), source) => Config::in_force(&folder.join("Dockerfile"), source).unwrap_or_default(),
        (Place::Url(_), ConfigSource::File(path)) => Config::read(path).unwrap_or_default(),
        (Place::Url(_), ConfigSource::Search | ConfigSource::Off) => Config::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        parse(text, Path::new("m.toml"), &Request::default()).unwrap_err().to_string()
    }

    #[test]
    fn reads_what_is_right() {
        let all = parse(
            "[[repository]]\npath = 'a'\nsafe = true\n[[repository]]\nurl = 'https://h/o/n'\nbranch = 'dev'\nselect = ['all']\n",
            Path::new("x/m.toml"),
            &Request::default(),
        )
        .unwrap();
        assert_eq!(all[0].place, Place::Folder("x/a".into()));
        assert!(all[0].overrides.safe);
        assert_eq!((all[1].branch.as_deref(), all[1].overrides.select.len()), (Some("dev"), 1));
    }

    #[test]
    fn mistakes_are_told_with_their_line() {
        assert!(error("[[repository]]\npth = 'a'\n").starts_with("m.toml:2: there is no key of a repository `pth`; did you mean `path`"));
        assert!(error("[[repository]]\nbranch = 'a'\n").starts_with("m.toml:1: a repository needs"));
        assert!(error("[[repository]]\npath = 'a'\nurl = 'b'\n").starts_with("m.toml:3: a repository has either"));
        assert!(error("[[repo]]\npath = 'a'\n").contains("did you mean") || error("[[repo]]\n").contains("m.toml:1"));
        assert!(error("repository = 1\n").starts_with("m.toml:1:"));
        assert!(error("[[repository]]\npath = 'a'\nselect = ['nonsense']\n").starts_with("m.toml:3:"));
        assert!(error("[[repository]]\npath = 'a'\nselect = [\n'apt',\n'merg-run']\n").starts_with("m.toml:5: there is no transform"));
        assert!(error("[[repository]]\npath = 'a'\n\nconfig = 'nowhere.toml'\n").starts_with("m.toml:4: nowhere.toml: "));
    }
}
