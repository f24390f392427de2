//! What packages of npm put into the home of who installs them, such as browsers: another user, and another stage, has to have it there too.

use crate::catalog::{Catalog, HomeDownload};
use crate::context::Context;
use crate::model::command::{Action, Classified, Operation};
use crate::model::{Step, Value};

/// What an install fetches besides the modules.
pub(crate) struct Fetched {
    /// The package that fetches it.
    pub package: String,
    pub place: Place,
}

/// Where it goes.
pub(crate) enum Place {
    /// Into the home, below which it is this folder.
    Home(&'static str),
    /// Into the folder that a variable names.
    Moved(String),
    /// Where a file of settings of the project says.
    Settings,
}

/// What `command` of `step` fetches, if it installs a package that does so. `folder`: the folder of the context that the command runs in;
/// `None` where it can't be told, so that any package.json counts.
pub(crate) fn fetched(catalog: &Catalog, context: &Context, step: &Step, command: &Classified, folder: Option<&str>) -> Option<Fetched> {
    let Action::Language { manager, operation: Operation::Install | Operation::Download, packages, .. } = &command.action else {
        return None;
    };
    let words = command.texts();
    if !matches!(manager.as_str(), "npm" | "yarn" | "pnpm") || words.contains(&"--ignore-scripts") {
        return None;
    }
    let named: Vec<&str> = packages.iter().map(|w| w.literal.as_deref().unwrap_or(&w.raw)).collect();
    let production =
        words.iter().any(|w| matches!(*w, "--production" | "--prod" | "-P" | "--omit=dev" | "--only=prod" | "--only=production"));
    let production = production
        || words.windows(2).any(|w| matches!(w, ["--omit", "dev"] | ["--only", "prod" | "production"]))
        || words.contains(&"--production=true")
        || step.before.known_variable("NODE_ENV") == Some("production");
    let folders: Vec<String> = match folder {
        Some(folder) => vec![folder.to_owned()],
        None => {
            let manifests =
                context.files().0.into_iter().filter(|p| p.rsplit('/').next() == Some("package.json") && !p.contains("node_modules/"));
            manifests.map(|p| p.rsplit_once('/').map_or(".", |(above, _)| above).to_owned()).collect()
        }
    };
    catalog.node_home_downloads().iter().find_map(|download| {
        let package = download.packages.iter().find(|name| {
            let told = named.iter().find_map(|n| n.strip_prefix(name.as_str()));
            match told {
                Some("") => true,
                Some(version) => version.strip_prefix('@').is_some_and(|v| download.may_be(v)),
                None => folders.iter().any(|folder| depends(context, folder, name, download, production)),
            }
        })?;
        let value = |name: &str| {
            let argument = || step.before.args.iter().rev().find(|(n, _)| n == name).and_then(|(_, v)| v.as_ref());
            match step.before.variable(name).or_else(argument) {
                Some(Value::Known(value)) => Some(value.clone()),
                Some(Value::Unknown) => None,
                None => step.commands().iter().flat_map(|c| &c.environment).find(|(n, _)| n == name).and_then(|(_, v)| v.clone()),
            }
        };
        let settings =
            download.settings.iter().flat_map(|s| folders.iter().map(move |f| format!("{f}/{s}"))).find_map(|p| context.read(&p));
        if download.skipped_by.iter().any(|name| value(name).is_some_and(|v| !matches!(v.as_str(), "" | "0" | "false" | "off" | "no")))
            || settings.as_ref().is_some_and(|text| text.contains("skipDownload"))
        {
            return None;
        }
        let place = match value(&download.moved_by) {
            // It stands for the folder of the package itself.
            Some(moved) if moved == "0" => return None,
            Some(moved) => Place::Moved(moved.trim_matches(['"', '\'']).to_owned()),
            None if settings.is_some_and(|text| text.contains("cacheDirectory")) => Place::Settings,
            None => Place::Home(&download.folder),
        };
        Some(Fetched { package: package.clone(), place })
    })
}

impl Fetched {
    /// The folder, where `home` is that of who installs; `None` where a file of settings names it.
    pub(crate) fn folder(&self, home: &str) -> Option<String> {
        match &self.place {
            Place::Home(below) => Some(format!("{}/{below}", home.trim_end_matches('/'))),
            Place::Moved(folder) => Some(folder.clone()),
            Place::Settings => None,
        }
    }
}

/// Whether the project in `folder` has `name` among what it needs when it runs.
fn depends(context: &Context, folder: &str, name: &str, download: &HomeDownload, production: bool) -> bool {
    let json = |file: &str| context.read(&format!("{folder}/{file}")).and_then(|t| serde_json::from_str::<serde_json::Value>(&t).ok());
    let Some(manifest) = json("package.json") else { return false };
    let range = |key: &str| manifest.get(key)?.get(name)?.as_str().map(str::to_owned);
    if let Some(range) = range("dependencies").or_else(|| range("optionalDependencies")) {
        return download.may_be(&range);
    }
    if let Some(range) = range("devDependencies") {
        return !production && download.may_be(&range) && sources_name(context, name);
    }
    // A package that another one needs.
    let is_of_lock = |lock: &serde_json::Value| {
        let entry =
            lock.get("packages").and_then(|p| p.get(format!("node_modules/{name}"))).or_else(|| lock.get("dependencies")?.get(name));
        entry.is_some_and(|e| {
            let develops = e.get("dev").is_some_and(|d| d.as_bool() == Some(true));
            !develops && e.get("version").and_then(|v| v.as_str()).is_some_and(|v| download.may_be(v))
        })
    };
    json("package-lock.json").is_some_and(|lock| is_of_lock(&lock))
}

/// Whether a source that is no test names the package.
fn sources_name(context: &Context, name: &str) -> bool {
    const ENDINGS: &[&str] = &[".js", ".mjs", ".cjs", ".ts"];
    let quoted = [format!("'{name}'"), format!("\"{name}\"")];
    let tests = |path: &str| {
        path.split('/').any(|p| matches!(p, "test" | "tests" | "__tests__" | "spec" | "e2e" | "cypress"))
            || path.contains(".test.")
            || path.contains(".spec.")
            || path.contains(".config.")
    };
    let sources =
        context.files().0.into_iter().filter(|p| ENDINGS.iter().any(|e| p.ends_with(e)) && !tests(p) && !p.contains("node_modules/"));
    sources.filter_map(|p| context.read(&p)).any(|text| quoted.iter().any(|q| text.contains(q.as_str())))
}
