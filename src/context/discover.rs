//! Which folder the build context is.

use std::path::{Path, PathBuf};

use super::{Context, Knowledge, declared, folder_of, has_wildcard, join, normalize};
use crate::syntax::{Dockerfile, Keyword, View};

/// A source of a COPY or ADD that is a path of the context without variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The path, quotes removed.
    pub path: String,
    /// The line of its instruction, from 1.
    pub line: usize,
    /// Whether every source of its instruction has wildcards, so that one of them must match something.
    pub alone: bool,
}

/// The sources of a file's COPY and ADD instructions that are paths of the context: no variables, no URLs, not `--from`.
#[must_use]
pub fn literal_sources(file: &Dockerfile) -> Vec<Source> {
    let mut out = Vec::new();
    for (index, instruction) in file.instructions() {
        if !matches!(instruction.keyword, Keyword::Copy | Keyword::Add) {
            continue;
        }
        let reading = file.read(instruction);
        let View::Copy { from: None, sources, .. } = View::of(instruction.keyword, &reading) else { continue };
        let line = file.items.get(index).map_or(1, |i| i.start_line);
        // A name in an exclusion or a variable can hide any of them; only what is certain counts.
        let alone = sources.iter().all(|s| has_wildcard(&s.text));
        out.extend(sources.iter().filter_map(|s| literal(&s.text, file.escape)).map(|path| Source { path, line, alone }));
    }
    out
}

/// The path that a word of COPY means; `None` where it holds a variable or is no path of the context.
fn literal(word: &str, escape: char) -> Option<String> {
    if word.contains('$') || is_remote(word) {
        return None;
    }
    crate::syntax::variables::unquote(word, escape).filter(|path| !path.is_empty())
}

/// Whether an ADD source is fetched from elsewhere: a URL or a git repository.
#[must_use]
pub fn is_remote(word: &str) -> bool {
    let word = word.trim_start_matches(['"', '\'']);
    ["http://", "https://", "git://", "ssh://", "git@"]
        .iter()
        .any(|scheme| word.get(..scheme.len()).is_some_and(|w| w.eq_ignore_ascii_case(scheme)))
}

pub(super) fn discover(dockerfile: &Path, sources: &[Source], explicit: Option<&Path>) -> Context {
    let mut beside = dockerfile.as_os_str().to_owned();
    beside.push(".dockerignore");
    let beside = Some(Path::new(&beside)).filter(|path| path.is_file());
    if let Some(root) = explicit {
        let mut context = Context::at(root, root.canonicalize().ok(), beside);
        context.knowledge = knowledge(&context, sources);
        return context;
    }
    let home = folder_of(dockerfile);
    let above = ancestors(&home);
    let mut said = None;
    for build in declared::of(dockerfile, above.folders.iter().map(|(folder, _)| folder.as_path())) {
        let root = declared::tidy(&build.context);
        let mut context = Context::at(&root, root.canonicalize().ok(), beside);
        context.knowledge = knowledge(&context, sources);
        context.declared_by = Some(build.by);
        if context.is_known() {
            return context;
        }
        said.get_or_insert(context);
    }
    let mut own = said;
    let in_work_tree = above.in_work_tree;
    let real_home = above.folders.first().and_then(|(_, real)| real.clone()).unwrap_or_else(|| home.clone());
    for (at, (root, real)) in above.folders.into_iter().enumerate() {
        if at > 0 && !in_work_tree && (at > REACH || is_at_the_top(&root) || !speaks_for(&root, &real_home, sources)) {
            continue;
        }
        let mut context = Context::at(&root, real, beside);
        context.knowledge = knowledge(&context, sources);
        // The whole folder exists anywhere, so it can't tell one ancestor from another.
        let whole = matches!(&context.knowledge, Knowledge::Unknown { missing, .. } if normalize(missing).is_empty());
        if context.is_known() || whole {
            return context;
        }
        own.get_or_insert(context);
    }
    own.unwrap_or_else(Context::none)
}

/// How many folders above the Dockerfile's a project is looked for where no work tree says how far it reaches.
const REACH: usize = 3;

/// Whether a folder is one of the file system's own: `/tmp`, `/home`, `/srv`.
fn is_at_the_top(folder: &Path) -> bool {
    folder.parent().is_none_or(|parent| parent.parent().is_none())
}

/// The folders in which a build context can lie.
struct Ancestors {
    /// The Dockerfile's own folder and those above it, each also without symlinks.
    folders: Vec<(PathBuf, Option<PathBuf>)>,
    /// Whether they end with the root of a work tree.
    in_work_tree: bool,
}

/// The folder and those above it, up to a work tree's root, never the file system's.
fn ancestors(home: &Path) -> Ancestors {
    let real = home.canonicalize().ok();
    let mut out = Ancestors { folders: vec![(home.to_owned(), real.clone())], in_work_tree: false };
    let Some(mut here) = real.as_deref() else { return out };
    loop {
        out.in_work_tree = here.join(".git").exists();
        let Some(parent) = here.parent().filter(|p| p.parent().is_some() && !out.in_work_tree) else { return out };
        out.folders.push((parent.to_owned(), Some(parent.to_owned())));
        here = parent;
    }
}

/// Whether a folder above the Dockerfile, where no work tree says how far the project reaches, is more than a folder that happens to
/// hold a name of the file: `COPY *.sh` finds something in many places, and `COPY files` finds a folder of checkouts.
fn speaks_for(root: &Path, home: &Path, sources: &[Source]) -> bool {
    let plain = sources.iter().map(|s| normalize(&s.path)).filter(|path| !path.is_empty() && !has_wildcard(path));
    plain.map(|path| root.join(path)).any(|path| !home.starts_with(&path) && path.exists())
}

fn knowledge(context: &Context, sources: &[Source]) -> Knowledge {
    let missing = |s: &&Source| {
        let path = normalize(&s.path);
        if path.is_empty() {
            // A folder with Dockerfiles alone is where somebody keeps them, not a project.
            return !holds_something(context, "", 0);
        }
        match path.split('/').position(has_wildcard) {
            None => context.kind_on_disk(&path).is_none(),
            Some(_) if s.alone => !context.sources_match(&path).iter().any(|p| context.exists(p)),
            Some(first) => {
                let fixed = path.split('/').take(first).fold(String::new(), |folder, part| join(&folder, part));
                !fixed.is_empty() && context.kind_on_disk(&fixed).is_none()
            }
        }
    };
    let named = sources.iter().filter(|s| !normalize(&s.path).is_empty());
    let whole = sources.iter().filter(|s| normalize(&s.path).is_empty());
    match named.chain(whole).find(missing) {
        Some(source) => Knowledge::Unknown { missing: source.path.clone(), line: source.line },
        None => Knowledge::Known,
    }
}

/// Whether a folder holds anything but Dockerfiles and ignore files, a few levels deep.
fn holds_something(context: &Context, folder: &str, depth: usize) -> bool {
    context.list_on_disk(folder).iter().take(200).any(|name| {
        let path = join(folder, name);
        match context.kind_on_disk(&path) {
            Some(super::Kind::File) => !is_dockerfile_name(name) && !name.ends_with(".dockerignore") && name != ".gitignore",
            Some(super::Kind::Folder) => name != ".git" && depth < 4 && holds_something(context, &path, depth + 1),
            None => false,
        }
    })
}

/// Whether a file of this name is taken for a Dockerfile on a walk.
#[must_use]
pub fn is_dockerfile_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    if name.ends_with(".dockerignore") {
        return false;
    }
    let separated = |rest: &str, first: bool| if first { rest.starts_with(['.', '-', '_']) } else { rest.ends_with(['.', '-', '_']) };
    ["dockerfile", "containerfile"].iter().any(|word| {
        name == *word
            || name.strip_prefix(word).is_some_and(|rest| separated(rest, true))
            || name.strip_suffix(word).is_some_and(|rest| separated(rest, false))
    })
}
