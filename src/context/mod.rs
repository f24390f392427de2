//! The build context: what stands beside the Dockerfile. The only module that reads it from disk.

mod declared;
mod discover;
mod glob;
mod ignore;
pub mod manifests;

use std::any::{Any, TypeId};
use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;

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

impl Kind {
    fn of(is_dir: bool, is_file: bool) -> Option<Self> {
        if is_dir { Some(Self::Folder) } else { is_file.then_some(Self::File) }
    }
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
    disk: Rc<RefCell<Disk>>,
    files: OnceCell<(Vec<String>, bool)>,
}

/// What was seen on disk, whatever `.dockerignore` says.
#[derive(Debug, Default)]
struct Disk {
    /// Where each path really is, inside the root or not, and what stands there; `None` where nothing does.
    places: BTreeMap<String, Option<Place>>,
    lists: BTreeMap<String, Rc<[String]>>,
    texts: BTreeMap<String, Option<Rc<str>>>,
    /// What was worked out of the rest, by its type.
    worked_out: BTreeMap<TypeId, Rc<dyn Any>>,
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
        Self { real, kind: Kind::of(data.is_dir(), data.is_file()), link }
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
            disk: Rc::default(),
            files: OnceCell::new(),
        }
    }

    /// The context for the Dockerfile at `dockerfile`, which names `sources`: `explicit` if it is given, else the nearest
    /// ancestor that holds all of them, else the Dockerfile's folder with unknown contents.
    #[must_use]
    pub fn discover(dockerfile: &Path, sources: &[Source], explicit: Option<&Path>) -> Self {
        discover::discover(dockerfile, sources, explicit)
    }

    /// The context in the folder `root`, which is `real` without symlinks, with the ignore file that stands there or beside the
    /// Dockerfile.
    fn at(root: &Path, real: Option<PathBuf>, beside: Option<&Path>) -> Self {
        let mut context = Self { root: Some(root.to_owned()), real, ..Self::none() };
        let (path, name) = if let Some(own) = beside {
            // The root may be written as `.` and the file without it.
            let real = own.canonicalize().ok();
            let below = context.real.as_ref().and_then(|root| real.as_ref()?.strip_prefix(root).ok());
            (own.to_owned(), below.map(|p| p.to_string_lossy().into_owned()).unwrap_or_default())
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
            disk: Rc::clone(&self.disk),
            files: OnceCell::new(),
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
        if let Some(place) = self.disk.borrow().places.get(path) {
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
            let known = self.disk.borrow().places.get(prefix).cloned();
            let place = known.unwrap_or_else(|| {
                let place = step(&here, name);
                self.disk.borrow_mut().places.insert(prefix.to_owned(), place.clone());
                place
            });
            here = place?;
        }
        if end == 0 {
            self.disk.borrow_mut().places.insert(String::new(), Some(here.clone()));
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
    pub fn read(&self, path: &str) -> Option<Rc<str>> {
        let path = normalize(path);
        if !self.is_file(&path) {
            return None;
        }
        self.text_of(path)
    }

    /// The text of the file at `path`, whatever `.dockerignore` says.
    #[must_use]
    pub fn read_on_disk(&self, path: &str) -> Option<Rc<str>> {
        self.text_of(normalize(path))
    }

    fn text_of(&self, path: String) -> Option<Rc<str>> {
        if let Some(text) = self.disk.borrow().texts.get(&path) {
            return text.clone();
        }
        let text: Option<Rc<str>> = self.inside(&path).and_then(|place| read_text(&place.real)).map(Rc::from);
        self.disk.borrow_mut().texts.insert(path, text.clone());
        text
    }

    /// What `work` makes of the files on disk, whatever `.dockerignore` says: worked out once, however often it is asked for.
    pub fn once<T: 'static>(&self, work: impl FnOnce(&Self) -> T) -> Rc<T> {
        let key = TypeId::of::<T>();
        let known = self.disk.borrow().worked_out.get(&key).cloned();
        if let Some(known) = known.and_then(|any| any.downcast().ok()) {
            return known;
        }
        let made = Rc::new(work(self));
        self.disk.borrow_mut().worked_out.insert(key, Rc::clone(&made) as Rc<dyn Any>);
        made
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
        names.iter().filter(|name| self.exists(&join(&path, name))).cloned().collect()
    }

    /// The names in the folder `path` on disk, whatever `.dockerignore` says.
    #[must_use]
    pub fn list_on_disk(&self, path: &str) -> Rc<[String]> {
        let path = normalize(path);
        if let Some(names) = self.disk.borrow().lists.get(&path) {
            return Rc::clone(names);
        }
        let place = self.inside(&path);
        let entries = place.as_ref().and_then(|place| place.real.read_dir().ok());
        let mut names: Vec<String> = Vec::new();
        for entry in entries.into_iter().flatten().filter_map(Result::ok) {
            let Ok(name) = entry.file_name().into_string() else { continue };
            // The listing tells of most entries what they are, so that they need not be looked at one by one.
            if let Some(kind) = entry.file_type().ok().filter(|t| !t.is_symlink()).map(|t| Kind::of(t.is_dir(), t.is_file())) {
                let found = Place { real: entry.path(), kind, link: false };
                self.disk.borrow_mut().places.entry(join(&path, &name)).or_insert(Some(found));
            }
            names.push(name);
        }
        names.sort();
        let names: Rc<[String]> = names.into();
        self.disk.borrow_mut().lists.insert(path, Rc::clone(&names));
        names
    }

    /// All files of the context in order, and whether that is all of them (a very large context is cut off).
    #[must_use]
    pub fn files(&self) -> (Vec<String>, bool) {
        self.all_files().clone()
    }

    fn all_files(&self) -> &(Vec<String>, bool) {
        self.files.get_or_init(|| self.walk())
    }

    fn walk(&self) -> (Vec<String>, bool) {
        let mut out = Vec::new();
        let mut seen = 0;
        let mut whole = true;
        let mut folders = vec![(String::new(), 0)];
        while let Some((folder, depth)) = folders.pop() {
            for name in self.list_on_disk(&folder).iter() {
                seen += 1;
                if seen > MAX_ENTRIES {
                    whole = false;
                    break;
                }
                let path = join(&folder, name);
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
                    let all = self.list_on_disk(&folder);
                    let names = all.iter().filter(|name| glob::matches(&parts, name));
                    next.extend(names.map(|name| join(&folder, name)).filter(|path| self.exists(path)));
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
        self.all_files().0.iter().filter(|f| roots.iter().any(|r| is_within(f, r))).cloned().collect()
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
