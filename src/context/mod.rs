//! The build context: what stands beside the Dockerfile. The only module that reads it from disk.

mod declared;
mod discover;
mod glob;
mod ignore;
pub mod manifests;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

pub use discover::{Source, is_dockerfile_name, is_remote, literal_sources};
pub use glob::{fits, has_wildcard};
pub use ignore::Ignore;

/// The largest file that is read.
const MAX_FILE: u64 = 4 * 1024 * 1024;
/// How many entries [`Context::files`] looks at.
const MAX_ENTRIES: usize = 20_000;
/// The longest path that is looked for, in bytes: `PATH_MAX`.
const MAX_PATH: usize = 4096;
/// How deep it goes.
const MAX_DEPTH: usize = 32;

/// Whether the context's contents can be relied on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Knowledge {
    /// Every literal COPY and ADD source of the file exists in it.
    Known,
    /// Contents are unknown, not absent: the source that is missing, and the line that names it.
    Unknown {
        /// The missing source as written; empty where there is no folder at all (standard input).
        missing: String,
        /// The line of the COPY or ADD, from 1; 1 where there is no folder.
        line: usize,
    },
}

/// What a path of the context is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
}

/// A build context. Look-ups are by path relative to its root, with `/`, and see what `.dockerignore` lets through
/// unless their name says otherwise. Results are cached; nothing is followed out of the root by a symlink.
#[derive(Debug)]
pub struct Context {
    root: Option<PathBuf>,
    /// The root without symlinks, against which links are checked.
    real: Option<PathBuf>,
    knowledge: Knowledge,
    /// Who says that this is the context, where somebody does.
    declared_by: Option<String>,
    ignore: Ignore,
    /// The file that `ignore` was read from, as it is called in messages and edits.
    ignore_path: Option<String>,
    /// Its text on disk.
    ignore_text: Option<String>,
    cache: RefCell<Cache>,
}

#[derive(Debug, Default)]
struct Cache {
    /// Where each path really is, inside the root or not, and what stands there; `None` where nothing does.
    places: BTreeMap<String, Option<Place>>,
    lists: BTreeMap<String, Vec<String>>,
    texts: BTreeMap<String, Option<String>>,
    files: Option<(Vec<String>, bool)>,
}

/// What a path leads to once its symlinks are followed.
#[derive(Clone, Debug)]
struct Place {
    real: PathBuf,
    /// `None` for what is neither a file nor a folder.
    kind: Option<Kind>,
    /// Whether the last name of the path is a symlink.
    link: bool,
}

impl Place {
    fn of(real: PathBuf, data: &std::fs::Metadata, link: bool) -> Self {
        let kind = if data.is_dir() { Some(Kind::Folder) } else { data.is_file().then_some(Kind::File) };
        Self { real, kind, link }
    }
}

impl Context {
    /// No context at all: standard input.
    #[must_use]
    pub fn none() -> Self {
        Self {
            root: None,
            real: None,
            knowledge: Knowledge::Unknown { missing: String::new(), line: 1 },
            declared_by: None,
            ignore: Ignore::default(),
            ignore_path: None,
            ignore_text: None,
            cache: RefCell::default(),
        }
    }

    /// The context for the Dockerfile at `dockerfile`, which names `sources`: `explicit` if it is given, else the nearest
    /// ancestor that holds all of them, else the Dockerfile's folder with unknown contents.
    #[must_use]
    pub fn discover(dockerfile: &Path, sources: &[Source], explicit: Option<&Path>) -> Self {
        discover::discover(dockerfile, sources, explicit)
    }

    /// The context in the folder `root`, with the ignore file that stands there or beside the Dockerfile.
    fn at(root: &Path, dockerfile: &Path) -> Self {
        let mut context = Self { root: Some(root.to_owned()), real: root.canonicalize().ok(), ..Self::none() };
        let mut own = dockerfile.as_os_str().to_owned();
        own.push(".dockerignore");
        let own = PathBuf::from(own);
        let (path, name) = if own.is_file() {
            // The root may be written as `.` and the file without it.
            let real = own.canonicalize().ok();
            let below = context.real.as_ref().and_then(|root| real.as_ref()?.strip_prefix(root).ok());
            (own, below.map(|p| p.to_string_lossy().into_owned()).unwrap_or_default())
        } else {
            (root.join(".dockerignore"), ".dockerignore".to_owned())
        };
        if let Some(text) = read_text(&path) {
            context.ignore = Ignore::parse(&text);
            context.ignore_path = Some(name);
            context.ignore_text = Some(text);
        }
        context
    }

    /// The same context with another ignore file in force; on disk nothing changes.
    #[must_use]
    pub fn with_ignore(&self, text: &str) -> Self {
        Self {
            root: self.root.clone(),
            real: self.real.clone(),
            knowledge: self.knowledge.clone(),
            declared_by: self.declared_by.clone(),
            ignore: Ignore::parse(text),
            ignore_path: self.ignore_path.clone(),
            ignore_text: self.ignore_text.clone(),
            cache: RefCell::default(),
        }
    }

    /// The text of the ignore file on disk; `None` where there is none.
    #[must_use]
    pub fn ignore_text(&self) -> Option<&str> {
        self.ignore_text.as_deref()
    }

    /// The root folder; `None` for standard input.
    #[must_use]
    pub fn root(&self) -> Option<&Path> {
        self.root.as_deref()
    }

    /// Whether absence of a file means anything.
    #[must_use]
    pub fn knowledge(&self) -> &Knowledge {
        &self.knowledge
    }

    /// Whether absence of a file means anything.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.knowledge == Knowledge::Known
    }

    /// The file and the entry in it that say that this is the context, where some do.
    #[must_use]
    pub fn declared_by(&self) -> Option<&str> {
        self.declared_by.as_deref()
    }

    /// What `.dockerignore` leaves out.
    #[must_use]
    pub fn ignore(&self) -> &Ignore {
        &self.ignore
    }

    /// The ignore file in force, relative to the root; empty where it lies outside of it.
    #[must_use]
    pub fn ignore_path(&self) -> Option<&str> {
        self.ignore_path.as_deref()
    }

    /// What `path` is, if the context has it.
    #[must_use]
    pub fn kind(&self, path: &str) -> Option<Kind> {
        let path = normalize(path);
        if self.ignore.excludes(&path) && !self.has_exception_below(&path) {
            return None;
        }
        self.kind_on_disk(&path)
    }

    /// An excluded folder is still there if an exception brings back something below it.
    fn has_exception_below(&self, path: &str) -> bool {
        self.ignore.has_exceptions()
            && self.kind_on_disk(path) == Some(Kind::Folder)
            && self.all_files().0.iter().any(|f| f.strip_prefix(path).is_some_and(|rest| rest.starts_with('/')))
    }

    /// What `path` is on disk, whatever `.dockerignore` says.
    #[must_use]
    pub fn kind_on_disk(&self, path: &str) -> Option<Kind> {
        let path = normalize(path);
        self.inside(&path)?.kind
    }

    /// Where a normalized path leads to, if that lies inside the root.
    fn inside(&self, path: &str) -> Option<Place> {
        let real = self.real.as_ref()?;
        self.place(path).filter(|place| place.real.starts_with(real))
    }

    /// Where a normalized path leads to, wherever that is.
    fn place(&self, path: &str) -> Option<Place> {
        if let Some(place) = self.cache.borrow().places.get(path) {
            return place.clone();
        }
        // Folder by folder, so that what was found of one serves all that lies in it.
        let root = self.real.as_ref()?;
        let mut here = Place { real: root.clone(), kind: root.is_dir().then_some(Kind::Folder), link: false };
        let mut end = 0;
        for name in path.split('/').filter(|name| !name.is_empty()) {
            end += usize::from(end > 0) + name.len();
            if end > MAX_PATH {
                return None;
            }
            let prefix = path.get(..end)?;
            let known = self.cache.borrow().places.get(prefix).cloned();
            let place = known.unwrap_or_else(|| {
                let place = step(&here, name);
                self.cache.borrow_mut().places.insert(prefix.to_owned(), place.clone());
                place
            });
            here = place?;
        }
        if end == 0 {
            self.cache.borrow_mut().places.insert(String::new(), Some(here.clone()));
        }
        Some(here)
    }

    /// Whether the context has `path`.
    #[must_use]
    pub fn exists(&self, path: &str) -> bool {
        self.kind(path).is_some()
    }

    /// Whether the context has a file at `path`.
    #[must_use]
    pub fn is_file(&self, path: &str) -> bool {
        self.kind(path) == Some(Kind::File)
    }

    /// Whether the context has a folder at `path`.
    #[must_use]
    pub fn is_dir(&self, path: &str) -> bool {
        self.kind(path) == Some(Kind::Folder)
    }

    /// The text of the file at `path`; `None` where it is missing, ignored, too large or not UTF-8.
    #[must_use]
    pub fn read(&self, path: &str) -> Option<String> {
        let path = normalize(path);
        if !self.is_file(&path) {
            return None;
        }
        if let Some(text) = self.cache.borrow().texts.get(&path) {
            return text.clone();
        }
        let text = self.inside(&path).and_then(|place| read_text(&place.real));
        self.cache.borrow_mut().texts.insert(path, text.clone());
        text
    }

    /// The text of the file at `path`, whatever `.dockerignore` says.
    #[must_use]
    pub fn read_on_disk(&self, path: &str) -> Option<String> {
        self.inside(&normalize(path)).and_then(|place| read_text(&place.real))
    }

    /// Whether `path` on disk is a symbolic link.
    #[must_use]
    pub fn is_link(&self, path: &str) -> bool {
        self.place(&normalize(path)).is_some_and(|place| place.link)
    }

    /// The names in the folder `path`, sorted; empty where there is no such folder.
    #[must_use]
    pub fn list(&self, path: &str) -> Vec<String> {
        let path = normalize(path);
        let names = self.list_on_disk(&path);
        names.into_iter().filter(|name| self.exists(&join(&path, name))).collect()
    }

    /// The names in the folder `path` on disk, whatever `.dockerignore` says.
    #[must_use]
    pub fn list_on_disk(&self, path: &str) -> Vec<String> {
        let path = normalize(path);
        if let Some(names) = self.cache.borrow().lists.get(&path) {
            return names.clone();
        }
        let mut names: Vec<String> = self
            .inside(&path)
            .and_then(|place| place.real.read_dir().ok())
            .map(|entries| entries.filter_map(|e| e.ok()?.file_name().into_string().ok()).collect())
            .unwrap_or_default();
        names.sort();
        self.cache.borrow_mut().lists.insert(path, names.clone());
        names
    }

    /// All files of the context in order, and whether that is all of them (a very large context is cut off).
    #[must_use]
    pub fn files(&self) -> (Vec<String>, bool) {
        self.all_files()
    }

    fn all_files(&self) -> (Vec<String>, bool) {
        if let Some(files) = &self.cache.borrow().files {
            return files.clone();
        }
        let mut out = Vec::new();
        let mut seen = 0;
        let mut whole = true;
        let mut folders = vec![(String::new(), 0)];
        while let Some((folder, depth)) = folders.pop() {
            for name in self.list_on_disk(&folder) {
                seen += 1;
                if seen > MAX_ENTRIES {
                    whole = false;
                    break;
                }
                let path = join(&folder, &name);
                let excluded = self.ignore.excludes(&path);
                let is_link = self.is_link(&path);
                match self.kind_on_disk(&path) {
                    Some(Kind::File) if !excluded => out.push(path),
                    // A link to a folder is sent as a link, so what it leads to is listed where it really is.
                    Some(Kind::Folder) if !is_link && (!excluded || self.ignore.has_exceptions()) => {
                        if depth < MAX_DEPTH {
                            folders.push((path, depth + 1));
                        } else {
                            whole = false;
                        }
                    }
                    _ => {}
                }
            }
            if !whole {
                break;
            }
        }
        out.sort();
        self.cache.borrow_mut().files = Some((out.clone(), whole));
        (out, whole)
    }

    /// The paths that a COPY source names: itself, or what its wildcards match.
    #[must_use]
    pub fn sources_match(&self, source: &str) -> Vec<String> {
        if has_wildcard(source) {
            return self.glob(source);
        }
        let path = normalize(source);
        if path.is_empty() || self.exists(&path) { vec![path] } else { Vec::new() }
    }

    /// The paths that fit a pattern of Go's `filepath.Match`, sorted.
    #[must_use]
    pub fn glob(&self, pattern: &str) -> Vec<String> {
        // Cleaning the pattern as a path is what the builder does too.
        let pattern = normalize(pattern);
        let mut found = vec![String::new()];
        for part in pattern.split('/') {
            let mut next = Vec::new();
            for folder in found {
                if has_wildcard(part) || part.contains('\\') {
                    let Some(parts) = glob::compile(part) else { return Vec::new() };
                    let names = self.list_on_disk(&folder).into_iter().filter(|name| glob::matches(&parts, name));
                    next.extend(names.map(|name| join(&folder, &name)).filter(|path| self.exists(path)));
                } else if self.exists(&join(&folder, part)) {
                    next.push(join(&folder, part));
                }
            }
            found = next;
        }
        found.sort();
        found
    }

    /// The files that COPY takes for `source`: the file itself, or everything below the folder.
    #[must_use]
    pub fn files_of(&self, source: &str) -> Vec<String> {
        let roots = self.sources_match(source);
        let files = self.all_files().0;
        files.into_iter().filter(|f| roots.iter().any(|r| is_within(f, r))).collect()
    }
}

/// What `name` in the folder `here` leads to. A link costs a look at the whole of its path, and nothing else does.
fn step(here: &Place, name: &str) -> Option<Place> {
    if here.kind != Some(Kind::Folder) {
        return None;
    }
    let full = here.real.join(name);
    let data = full.symlink_metadata().ok()?;
    if !data.is_symlink() {
        return Some(Place::of(full, &data, false));
    }
    let real = full.canonicalize().ok()?;
    let data = real.metadata().ok()?;
    Some(Place::of(real, &data, true))
}

/// Whether `path` is `folder` or lies below it; both normalized.
#[must_use]
pub fn is_within(path: &str, folder: &str) -> bool {
    folder.is_empty() || path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// A path of the context as look-ups take it: relative, without `.` and `..`, empty for the root. `..` does not leave the root.
#[must_use]
pub fn normalize(path: &str) -> String {
    if path.split('/').all(|name| !matches!(name, "" | "." | "..")) {
        return path.to_owned();
    }
    ignore::clean(&format!("/{path}")).trim_start_matches('/').to_owned()
}

/// Joins a normalized folder and a name.
#[must_use]
pub fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

fn read_text(path: &Path) -> Option<String> {
    let data = path.metadata().ok()?;
    if !data.is_file() || data.len() > MAX_FILE {
        return None;
    }
    String::from_utf8(std::fs::read(path).ok()?).ok()
}

/// The folder that holds `path`; `.` for a bare name.
fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if parent.components().next().is_some() => parent.to_owned(),
        _ => PathBuf::from(Component::CurDir.as_os_str()),
    }
}

#[cfg(test)]
mod tests;
