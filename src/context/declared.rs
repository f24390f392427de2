//! Build contexts that a project declares: for compose, bake, skaffold, and in GitHub workflows.

use super::{Path, PathBuf, normalize};
use serde_json::Value as Json;
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::fs;
use std::sync::{Arc, Mutex, PoisonError};
use yaml_rust2::{Yaml, YamlLoader};

/// A build that some file describes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Declared {
    /// The folder that is sent to the builder.
    pub context: PathBuf,
    /// The Dockerfile.
    pub dockerfile: PathBuf,
    /// Who says so, for people: `docker-compose.yml, service web`.
    pub by: String,
}

/// The largest file that is read for this.
const MAX_FILE: u64 = 512 * 1024;
/// How a step of a workflow names the action that builds an image.
const BUILD_ACTION: &str = "docker/build-push-action@";
/// How many folders are remembered.
const REMEMBERED: usize = 4096;

/// The builds that the files in `folder` describe. A folder is looked at once.
pub(super) fn in_folder(folder: &Path) -> Arc<Vec<Declared>> {
    static KNOWN: Mutex<BTreeMap<PathBuf, Arc<Vec<Declared>>>> = Mutex::new(BTreeMap::new());
    if let Some(known) = KNOWN.lock().unwrap_or_else(PoisonError::into_inner).get(folder) {
        return known.clone();
    }
    let found = Arc::new(read(folder));
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if known.len() >= REMEMBERED {
        known.clear();
    }
    known.insert(folder.to_owned(), found.clone());
    found
}

fn read(folder: &Path) -> Vec<Declared> {
    let mut out = Vec::new();
    let mut names: Vec<String> =
        fs::read_dir(folder).into_iter().flatten().flatten().filter_map(|e| e.file_name().into_string().ok()).collect();
    names.sort();
    let yaml = |name: &str| name.ends_with(".yml") || name.ends_with(".yaml");
    for name in &names {
        let path = folder.join(name);
        if yaml(name) && (name.starts_with("compose") || name.starts_with("docker-compose")) {
            documents(&path).iter().for_each(|d| compose(d, folder, name, &mut out));
        } else if name.starts_with("docker-bake") && name.ends_with(".hcl") {
            let body: Option<Json> = text(&path).and_then(|t| hcl::from_str(&t).ok());
            body.iter().for_each(|b| bake(b, folder, name, &mut out));
        } else if name.starts_with("docker-bake") && name.ends_with(".json") {
            let body: Option<Json> = text(&path).and_then(|t| serde_json::from_str(&t).ok());
            body.iter().for_each(|b| bake(b, folder, name, &mut out));
        } else if yaml(name) && name.starts_with("skaffold") {
            documents(&path).iter().for_each(|d| skaffold(d, folder, name, &mut out));
        } else if name == ".github" {
            workflows(folder, &mut out);
        }
    }
    out
}

fn text(path: &Path) -> Option<String> {
    fs::metadata(path).ok().filter(|m| m.is_file() && m.len() <= MAX_FILE)?;
    fs::read_to_string(path).ok()
}

/// The documents of a YAML file; none where it is not well formed.
fn documents(path: &Path) -> Vec<Yaml> {
    text(path).map(|text| parsed(&text)).unwrap_or_default()
}

fn parsed(text: &str) -> Vec<Yaml> {
    YamlLoader::load_from_str(text).unwrap_or_default()
}

/// Notes a build, unless its context or Dockerfile is not a path that can be told from here.
fn note(folder: &Path, context: &str, dockerfile: Option<&str>, by: String, out: &mut Vec<Declared>) {
    let (Some(context), Some(dockerfile)) = (plain(context), plain(dockerfile.unwrap_or("Dockerfile"))) else { return };
    let context = folder.join(context);
    let dockerfile = context.join(dockerfile);
    out.push(Declared { context, dockerfile, by });
}

/// The path with the defaults of its variables; `None` for a URL, and where a variable has no default.
fn plain(path: &str) -> Option<String> {
    let mut out = String::new();
    let mut rest = path;
    while let Some(at) = rest.find('$') {
        let (before, variable) = rest.split_at(at);
        let (body, behind) = variable.strip_prefix("${")?.split_once('}')?;
        let default = body.split_once(":-").or_else(|| body.split_once('-')).map(|(_, default)| default)?;
        out.push_str(before);
        out.push_str(default);
        rest = behind;
    }
    out.push_str(rest);
    (!out.contains("://") && !out.starts_with("git@")).then_some(out)
}

/// Who says so, with the stage that is built and the names of the arguments; their values may be secrets.
fn told(by: String, target: Option<&str>, args: Vec<String>) -> String {
    let target = target.filter(|t| !t.is_empty()).map(|t| format!(", which builds the stage {t}")).unwrap_or_default();
    let args = if args.is_empty() { String::new() } else { format!(", with the arguments {}", args.join(", ")) };
    format!("{by}{target}{args}")
}

/// The names in a table `NAME: value` or a list of `NAME=value`.
fn names(args: &Yaml) -> Vec<String> {
    let name = |text: &str| text.split('=').next().unwrap_or(text).trim().to_owned();
    match args {
        Yaml::Hash(table) => table.keys().filter_map(Yaml::as_str).map(name).collect(),
        Yaml::Array(list) => list.iter().filter_map(Yaml::as_str).map(name).collect(),
        // An input of an action is text with one a line.
        Yaml::String(text) => text.lines().map(name).filter(|n| !n.is_empty()).collect(),
        _ => Vec::new(),
    }
}

/// `services.NAME.build` of a compose file.
fn compose(document: &Yaml, folder: &Path, file: &str, out: &mut Vec<Declared>) {
    for (name, service) in document["services"].as_hash().into_iter().flatten() {
        let by = format!("{file}, service {}", name.as_str().unwrap_or("?"));
        match &service["build"] {
            Yaml::String(context) => note(folder, context, None, by, out),
            build @ Yaml::Hash(_) if build["dockerfile_inline"].is_badvalue() => {
                let by = told(by, build["target"].as_str(), names(&build["args"]));
                note(folder, build["context"].as_str().unwrap_or("."), build["dockerfile"].as_str(), by, out);
            }
            _ => {}
        }
    }
}

/// `target NAME` of a bake file, in HCL or JSON; what it inherits counts where it says nothing itself.
fn bake(body: &Json, folder: &Path, file: &str, out: &mut Vec<Declared>) {
    let Some(targets) = body["target"].as_object() else { return };
    for (name, target) in targets {
        let get = |key: &str| inherited(targets, target, key, 0);
        if get("dockerfile-inline").is_some() {
            continue;
        }
        let args = target["args"].as_object().into_iter().flat_map(|args| args.keys().cloned()).collect();
        let by = told(format!("{file}, target {name}"), get("target"), args);
        note(folder, get("context").unwrap_or("."), get("dockerfile"), by, out);
    }
}

fn inherited<'a>(targets: &'a serde_json::Map<String, Json>, target: &'a Json, key: &str, depth: usize) -> Option<&'a str> {
    if let Some(own) = target[key].as_str() {
        return Some(own);
    }
    let parents = target["inherits"].as_array().filter(|_| depth < 10)?;
    // The last one of several wins.
    parents.iter().rev().filter_map(|p| targets.get(p.as_str()?)).find_map(|p| inherited(targets, p, key, depth + 1))
}

/// `build.artifacts` of a skaffold file, those of its profiles included.
fn skaffold(document: &Yaml, folder: &Path, file: &str, out: &mut Vec<Declared>) {
    let profiles = document["profiles"].as_vec().into_iter().flatten();
    for part in std::iter::once(document).chain(profiles) {
        for artifact in part["build"]["artifacts"].as_vec().into_iter().flatten() {
            let docker = &artifact["docker"];
            let others = ["jib", "buildpacks", "bazel", "ko", "custom"];
            if others.iter().any(|other| !artifact[*other].is_badvalue()) {
                continue;
            }
            let by = format!("{file}, artifact {}", artifact["image"].as_str().unwrap_or("?"));
            let by = told(by, docker["target"].as_str(), names(&docker["buildArgs"]));
            note(folder, artifact["context"].as_str().unwrap_or("."), docker["dockerfile"].as_str(), by, out);
        }
    }
}

/// Steps of GitHub workflows that call docker/build-push-action; paths are those of the repository.
fn workflows(root: &Path, out: &mut Vec<Declared>) {
    let folder = root.join(".github/workflows");
    let mut paths: Vec<PathBuf> = fs::read_dir(&folder).into_iter().flatten().flatten().map(|e| e.path()).collect();
    paths.retain(|p| p.extension().is_some_and(|e| e == "yml" || e == "yaml"));
    paths.sort();
    for path in paths {
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        // Few workflows build an image, and reading YAML takes longer than anything else that is done with a small file.
        let Some(text) = text(&path).filter(|text| text.contains(BUILD_ACTION)) else { continue };
        for document in parsed(&text) {
            for (job, body) in document["jobs"].as_hash().into_iter().flatten() {
                for step in body["steps"].as_vec().into_iter().flatten() {
                    if !step["uses"].as_str().is_some_and(|uses| uses.starts_with(BUILD_ACTION)) {
                        continue;
                    }
                    let by = format!(".github/workflows/{file}, job {}", job.as_str().unwrap_or("?"));
                    let by = told(by, step["with"]["target"].as_str(), names(&step["with"]["build-args"]));
                    let context = step["with"]["context"].as_str().unwrap_or(".");
                    // Unlike elsewhere, `file` is relative to the repository.
                    let dockerfile = step["with"]["file"].as_str();
                    let (Some(context), Some(dockerfile)) = (plain(context), dockerfile.map_or(Some(None), |d| plain(d).map(Some))) else {
                        continue;
                    };
                    let context = root.join(context);
                    let dockerfile = dockerfile.map_or_else(|| context.join("Dockerfile"), |d| root.join(d));
                    out.push(Declared { context, dockerfile, by });
                }
            }
        }
    }
}

/// The builds of this Dockerfile, the nearest declaration first, and of one folder in the order in which builders are known best.
pub(super) fn of<'p>(dockerfile: &Path, ancestors: impl Iterator<Item = &'p Path>) -> Vec<Declared> {
    let mut out = Vec::new();
    let real = OnceCell::new();
    for folder in ancestors {
        for declared in in_folder(folder).iter() {
            let Some(real) = real.get_or_init(|| dockerfile.canonicalize().ok()) else { return out };
            if declared.dockerfile.canonicalize().is_ok_and(|d| d == *real) && declared.context.is_dir() {
                out.push(declared.clone());
            }
        }
    }
    out
}

/// The folder without `.` and `..` in the middle, for people.
pub(super) fn tidy(folder: &Path) -> PathBuf {
    match folder.canonicalize() {
        Ok(real) if folder.is_absolute() => real,
        _ if folder.components().any(|c| c == std::path::Component::ParentDir) => {
            folder.canonicalize().unwrap_or_else(|_| folder.to_owned())
        }
        _ => match normalize(&folder.to_string_lossy()) {
            here if here.is_empty() => PathBuf::from("."),
            below => PathBuf::from(below),
        },
    }
}
