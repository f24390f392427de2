//! Settings: what `restage.toml` and the command line say.

mod options;
pub mod schema;

use options::choice;
pub use options::{OPTIONS, OptionSpec, Takes};

use crate::catalog::Additions;
use crate::pipeline::{Selection, UnknownName, nearest};
use crate::recipe;
use crate::source::LineIndex;
use crate::transforms;
use globset::{GlobBuilder, GlobMatcher};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The name of the file that is looked for from a Dockerfile's folder upwards.
pub const FILE_NAME: &str = "restage.toml";

/// The settings of the transforms, resolved for one file.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// `[transforms.ID]`: a table of options each.
    pub transforms: BTreeMap<String, toml::Table>,
}

impl Options {
    /// The value of an option, if the user has set it.
    #[must_use]
    pub fn get(&self, transform: &str, name: &str) -> Option<&toml::Value> {
        self.transforms.get(transform)?.get(name)
    }
}

/// A `restage.toml` with those that it extends.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// Where it stands; `None` for the built-in settings.
    pub path: Option<PathBuf>,
    /// The files that it extends, the nearest first.
    pub extends: Vec<PathBuf>,
    /// What holds everywhere.
    pub general: Settings,
    /// `[per-path."GLOB"]`, in the order of the files; later ones win.
    pub per_path: Vec<(GlobMatcher, Settings)>,
    /// `[catalog]`: additions of the user's own.
    pub catalog: Additions,
    /// `recipes`: files with transforms of the user's own.
    pub recipes: Vec<PathBuf>,
}

/// Where a value was set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The file.
    pub path: PathBuf,
    /// The line, from 1.
    pub line: usize,
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.path.display(), self.line)
    }
}

/// Where settings come from.
#[derive(Clone, Debug, Default)]
pub enum ConfigSource {
    /// The nearest `restage.toml` above each Dockerfile.
    #[default]
    Search,
    /// This file.
    File(PathBuf),
    /// None.
    Off,
}

/// What becomes of what package managers download.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Caches {
    /// It is removed in the layer that fetched it.
    #[default]
    Clean,
    /// It lies in cache mounts of BuildKit.
    Mount,
}

impl Caches {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Clean, Self::Mount];

    /// As it is written in the settings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Mount => "mount",
        }
    }
}

/// What can be set in general and for some paths.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    /// Transforms and groups, as in `--select`.
    pub select: Option<Vec<String>>,
    /// Transforms and groups, as in `--ignore`.
    pub ignore: Option<Vec<String>>,
    /// What becomes of package managers' downloads.
    pub cache: Option<Caches>,
    /// `[transforms.ID]`.
    pub transforms: BTreeMap<String, toml::Table>,
    /// Where each of them was set, by its dotted name.
    pub origins: BTreeMap<String, Origin>,
    /// The names in `select` and `ignore` that are none of restage's own, with their lines: recipes, or slips.
    foreign: Vec<(String, Origin)>,
}

/// A mistake in a settings file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// The file.
    pub path: PathBuf,
    /// The line, from 1; `None` where the file could not be read.
    pub line: Option<usize>,
    /// What is wrong.
    pub message: String,
}

impl std::fmt::Display for ConfigError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.path.display(), self.message),
            None => write!(f, "{}: {}", self.path.display(), self.message),
        }
    }
}

impl std::error::Error for ConfigError {}

impl Config {
    /// Reads the settings at `path`, and those that they extend.
    ///
    /// # Errors
    /// Where a file can't be read, is no TOML, or has a key that means nothing.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        Self::read_below(path, &mut BTreeSet::new())
    }

    fn read_below(path: &Path, seen: &mut BTreeSet<PathBuf>) -> Result<Self, ConfigError> {
        let wrong = |message: String| ConfigError { path: path.to_owned(), line: None, message };
        let real = std::fs::canonicalize(path).map_err(|e| wrong(e.to_string()))?;
        if !seen.insert(real) {
            return Err(wrong("extends itself".to_owned()));
        }
        let text = std::fs::read_to_string(path).map_err(|e| wrong(e.to_string()))?;
        let mut out = Self::parse(&text, path)?;
        let Some(base) = out.extends.first().cloned() else { return Ok(out) };
        let base = Self::read_below(&base, seen)?;
        out.extends.extend(base.extends);
        let mut general = base.general;
        general.overlay(&out.general);
        out.general = general;
        // Patterns of the file that is extended come first, so that those of this file win; both are meant from here.
        out.per_path.splice(0..0, base.per_path);
        out.recipes.splice(0..0, base.recipes);
        out.catalog = base.catalog.and(out.catalog);
        out.check_names()?;
        Ok(out)
    }

    /// Fails for a name in `select` or `ignore` that is none of restage's own and no recipe of these settings.
    fn check_names(&self) -> Result<(), ConfigError> {
        let foreign: Vec<&(String, Origin)> =
            self.per_path.iter().map(|(_, s)| s).chain([&self.general]).flat_map(|s| &s.foreign).collect();
        if foreign.is_empty() {
            return Ok(());
        }
        let wrong = |message: String| ConfigError { path: self.path.clone().unwrap_or_default(), line: None, message };
        let recipes = recipe::load_all(&self.recipes).map_err(wrong)?;
        for (name, origin) in foreign {
            Selection::resolve_with(transforms::all(), &recipes, std::slice::from_ref(name), &[], false).map_err(|e| ConfigError {
                path: origin.path.clone(),
                line: Some(origin.line),
                message: e.to_string(),
            })?;
        }
        Ok(())
    }

    /// The settings in `text`, which stands at `path`, without those that it extends.
    ///
    /// # Errors
    /// As [`Config::read`].
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let lines = LineIndex::new(text);
        let fail = |at: usize, message: String| ConfigError { path: path.to_owned(), line: Some(lines.line(at)), message };
        let table = DeTable::parse(text).map_err(|e| fail(e.span().map_or(0, |s| s.start), e.message().to_owned()))?;
        let mut out = Self { path: Some(path.to_owned()), ..Self::default() };
        let origin = |at: usize| Origin { path: path.to_owned(), line: lines.line(at) };
        let beside = |name: &str| path.parent().unwrap_or(Path::new("")).join(name);
        (|| {
            for (key, value) in table.get_ref() {
                match key.get_ref().as_ref() {
                    "per-path" => {
                        for (glob, value) in table_of(value)? {
                            let matcher = GlobBuilder::new(glob.get_ref())
                                .literal_separator(true)
                                .build()
                                .map_err(|e| (glob.span().start, format!("no pattern for paths: {e}")))?
                                .compile_matcher();
                            let mut settings = Settings::default();
                            for (key, value) in table_of(value)? {
                                settings.take(key, value, &[], &origin)?;
                            }
                            out.per_path.push((matcher, settings));
                        }
                    }
                    "catalog" => {
                        table_of(value)?;
                        out.catalog = Additions::deserialize(toml::de::ValueDeserializer::from(value.clone()))
                            .map_err(|e| (e.span().map_or(value.span().start, |s| s.start), e.message().to_owned()))?;
                        out.catalog.check().map_err(|message| (key.span().start, message))?;
                    }
                    "extends" => {
                        let name = value.get_ref().as_str().ok_or_else(|| (value.span().start, "expected a path in quotes".to_owned()))?;
                        if crate::batch::git::is_url(name) {
                            return Err((value.span().start, "a file can only be extended from this machine, not from a URL".to_owned()));
                        }
                        let base = beside(name);
                        if !base.is_file() {
                            return Err((value.span().start, format!("there is no file {}", base.display())));
                        }
                        out.extends.push(base);
                    }
                    "recipes" => {
                        let wrong = |v: &Spanned<DeValue>| (v.span().start, "expected a list of paths in quotes".to_owned());
                        for item in value.get_ref().as_array().ok_or_else(|| wrong(value))? {
                            out.recipes.push(beside(item.get_ref().as_str().ok_or_else(|| wrong(item))?));
                        }
                    }
                    _ => out.general.take(key, value, &["extends", "recipes", "per-path", "catalog"], &origin)?,
                }
            }
            Ok(())
        })()
        .map_err(|(at, message): Wrong| fail(at, message))?;
        // A file that extends another one may name the recipes of that.
        if out.extends.is_empty() {
            out.check_names()?;
        }
        Ok(out)
    }

    /// What is in force for the file at `path`; the current folder counts where there is no file.
    ///
    /// # Errors
    /// As [`Config::read`].
    pub fn in_force(path: &Path, source: &ConfigSource) -> Result<Self, ConfigError> {
        let found = match source {
            ConfigSource::Search => Self::find(path.parent().unwrap_or(Path::new(""))),
            ConfigSource::File(path) => Some(path.clone()),
            ConfigSource::Off => None,
        };
        found.map_or_else(|| Ok(Self::default()), |path| Self::read(&path))
    }

    /// The nearest settings file from `folder` upwards.
    #[must_use]
    pub fn find(folder: &Path) -> Option<PathBuf> {
        let folder = std::fs::canonicalize(if folder.as_os_str().is_empty() { Path::new(".") } else { folder }).ok()?;
        folder.ancestors().map(|f| f.join(FILE_NAME)).find(|p| p.is_file())
    }

    /// What holds for the Dockerfile at `file`: patterns are matched against its path relative to the settings' own folder.
    #[must_use]
    pub fn for_file(&self, file: &Path) -> Settings {
        let mut out = self.general.clone();
        if self.per_path.is_empty() {
            return out;
        }
        let real = std::fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
        let root = self.path.as_deref().and_then(Path::parent).and_then(|p| std::fs::canonicalize(p).ok()).unwrap_or_default();
        let relative = real.strip_prefix(&root).unwrap_or(&real);
        for (glob, settings) in &self.per_path {
            if relative.ancestors().any(|p| !p.as_os_str().is_empty() && glob.is_match(p)) {
                out.overlay(settings);
            }
        }
        out
    }
}

/// An offset and what is wrong there.
pub(crate) type Wrong = (usize, String);

impl Settings {
    /// The names that `select` and `cache` ask for: mounts are the work of a transform that suggests them otherwise.
    #[must_use]
    pub fn selected(&self) -> Vec<String> {
        let mut names = self.select.clone().unwrap_or_default();
        if self.cache == Some(Caches::Mount) {
            names.push("+cache-mount".to_owned());
        }
        names
    }

    /// Lets what `other` sets replace what is set here, option by option.
    fn overlay(&mut self, other: &Self) {
        self.select = other.select.clone().or(self.select.take());
        self.ignore = other.ignore.clone().or(self.ignore.take());
        self.cache = other.cache.or(self.cache);
        for (id, table) in &other.transforms {
            self.transforms.entry(id.clone()).or_default().extend(table.clone());
        }
        self.origins.extend(other.origins.clone());
        self.foreign.extend(other.foreign.clone());
    }

    /// A list of transforms, groups and recipes.
    fn names(&mut self, value: &Spanned<DeValue>, origin: &dyn Fn(usize) -> Origin) -> Result<Vec<String>, Wrong> {
        let list = texts(value)?;
        let foreign = list.iter().filter(|(name, _)| own_name(name).is_err());
        self.foreign.extend(foreign.map(|(name, at)| (name.clone(), origin(*at))));
        Ok(list.into_iter().map(|(name, _)| name).collect())
    }

    /// Takes one key; `others` are keys that would have been right at this place too.
    fn take(
        &mut self,
        key: &Spanned<toml::de::DeString>,
        value: &Spanned<DeValue>,
        others: &[&str],
        origin: &dyn Fn(usize) -> Origin,
    ) -> Result<(), Wrong> {
        match key.get_ref().as_ref() {
            "select" => {
                self.select = Some(self.names(value, origin)?);
                self.origins.insert("select".to_owned(), origin(key.span().start));
            }
            "ignore" => {
                self.ignore = Some(self.names(value, origin)?);
                self.origins.insert("ignore".to_owned(), origin(key.span().start));
            }
            "cache" => {
                known_value(value, "cache", &Caches::ALL.map(Caches::name))?;
                self.cache = Caches::ALL.into_iter().find(|c| value.get_ref().as_str() == Some(c.name()));
                self.origins.insert("cache".to_owned(), origin(key.span().start));
            }
            "transforms" => {
                for (id, options) in table_of(value)? {
                    let known: Vec<&str> = transforms::all().iter().map(|t| t.id).collect();
                    known_key(id, "transform", &known)?;
                    let specs: Vec<&OptionSpec> = OPTIONS.iter().filter(|o| o.transform == id.get_ref()).collect();
                    for (name, value) in table_of(options)? {
                        let names: Vec<&str> = specs.iter().map(|o| o.name).collect();
                        known_key(name, &format!("option of {}", id.get_ref()), &names)?;
                        if let Some(spec) = specs.iter().find(|o| o.name == name.get_ref()) {
                            spec.takes(value)?;
                        }
                        self.origins.insert(format!("transforms.{}.{}", id.get_ref(), name.get_ref()), origin(name.span().start));
                        let value = own(value)?;
                        self.transforms.entry(id.get_ref().to_string()).or_default().insert(name.get_ref().to_string(), value);
                    }
                }
            }
            _ => {
                let known: Vec<&str> = ["select", "ignore", "cache", "transforms"].iter().chain(others).copied().collect();
                known_key(key, "setting", &known)?;
            }
        }
        Ok(())
    }
}

/// Fails for a key that is none of `known`.
pub(crate) fn known_key(key: &Spanned<toml::de::DeString>, what: &str, known: &[&str]) -> Result<(), Wrong> {
    let name: &str = key.get_ref();
    if known.contains(&name) {
        return Ok(());
    }
    let hint = nearest(name, known.iter().copied()).map(|n| format!("; did you mean `{n}`?")).unwrap_or_default();
    Err((key.span().start, format!("there is no {what} `{name}`{hint}")))
}

/// Fails for a value of `name` that is none of `known`.
fn known_value(value: &Spanned<DeValue>, name: &str, known: &[&str]) -> Result<(), Wrong> {
    let wrong = |said: String| Err((value.span().start, format!("{said}: expected {}", choice(known))));
    let Some(text) = value.get_ref().as_str() else {
        return wrong(format!("`{name}` is text in quotes, found {}", value.get_ref().type_str()));
    };
    if known.contains(&text) {
        return Ok(());
    }
    let hint = nearest(text, known.iter().copied()).map(|n| format!("; did you mean `{n}`?")).unwrap_or_default();
    wrong(format!("there is no {name} `{text}`")).map_err(|(at, said)| (at, said + &hint))
}

pub(crate) fn table_of<'a, 'b>(value: &'b Spanned<DeValue<'a>>) -> Result<&'b DeTable<'a>, Wrong> {
    value.get_ref().as_table().ok_or_else(|| (value.span().start, format!("expected a table, found {}", value.get_ref().type_str())))
}

/// A list of names, with their offsets.
pub(crate) fn texts(value: &Spanned<DeValue>) -> Result<Vec<(String, usize)>, Wrong> {
    let wrong = |v: &Spanned<DeValue>| (v.span().start, "expected a list of names in quotes".to_owned());
    let list = value.get_ref().as_array().ok_or_else(|| wrong(value))?;
    list.iter().map(|item| Ok((item.get_ref().as_str().ok_or_else(|| wrong(item))?.to_owned(), item.span().start))).collect()
}

/// Fails for a name that is no transform and no group.
fn own_name(name: &str) -> Result<(), UnknownName> {
    Selection::resolve(transforms::all(), &[name.to_owned()], &[], false).map(|_| ())
}

/// The value without its places.
fn own(value: &Spanned<DeValue>) -> Result<toml::Value, Wrong> {
    toml::Value::deserialize(toml::de::ValueDeserializer::from(value.clone())).map_err(|e| (value.span().start, e.message().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config, ConfigError> {
        Config::parse(text, Path::new("restage.toml"))
    }

    #[test]
    fn reads_what_is_right() {
        let c = parse("select = [\"all\"]\n[per-path.\"services/*\"]\nignore = [\"hygiene\"]\n[catalog]\nmirrors = [\"r.example/\"]\n")
            .unwrap();
        assert_eq!(c.general.select, Some(vec!["all".to_owned()]));
        assert!(c.catalog.mirrors == ["r.example/"]);
        assert_eq!(c.for_file(Path::new("services/a/Dockerfile")).ignore, Some(vec!["hygiene".to_owned()]));
        assert_eq!(c.for_file(Path::new("other/Dockerfile")).ignore, None);
    }

    #[test]
    fn an_unknown_key_is_told_with_its_line_and_the_nearest() {
        let e = parse("ignore = []\n\nselct = [\"all\"]\n").unwrap_err();
        assert_eq!((e.line, e.message.contains("did you mean `select`")), (Some(3), true), "{e}");
        assert_eq!(parse("select = [\n  \"nonsense\",\n]\n").unwrap_err().line, Some(2));
        assert!(parse("a = [\n").unwrap_err().line.is_some());
        assert_eq!(parse("[transforms.no-such]\n").unwrap_err().line, Some(1));
    }

    #[test]
    fn extends_another_file_and_knows_where_each_value_is_from() {
        let dir = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
        put(
            "org.toml",
            "ignore = [\"apk\"]\nselect = [\"hygiene\"]\n[transforms.merge-run]\npolicy = \"all\"\n[catalog]\nmirrors = [\"a/\"]\n",
        );
        put("restage.toml", "extends = \"org.toml\"\nselect = [\"all\"]\n[catalog]\nmirrors = [\"b/\"]\n");
        let c = Config::read(&dir.path().join("restage.toml")).unwrap();
        assert_eq!((c.general.select, c.general.ignore), (Some(vec!["all".to_owned()]), Some(vec!["apk".to_owned()])));
        assert_eq!(c.catalog.mirrors, ["a/", "b/"]);
        let of = |name: &str| c.general.origins[name].to_string();
        assert!(of("select").ends_with("restage.toml:2") && of("ignore").ends_with("org.toml:1"));
        assert!(of("transforms.merge-run.policy").ends_with("org.toml:4"));
        put("org.toml", "extends = \"restage.toml\"\n");
        assert!(Config::read(&dir.path().join("restage.toml")).unwrap_err().message.contains("extends itself"));
        put("restage.toml", "\nextends = \"nothing.toml\"\n");
        assert_eq!(Config::read(&dir.path().join("restage.toml")).unwrap_err().line, Some(2));
        put("restage.toml", "[catalog]\nmirors = []\n");
        assert_eq!(Config::read(&dir.path().join("restage.toml")).unwrap_err().line, Some(2));
    }
}
