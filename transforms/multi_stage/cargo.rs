//! What cargo builds and installs, and which libraries of the system that links.

use super::compiled::Sources;
use super::draft::{Draft, join, refuse};
use super::facts::facts;
use super::plan::Plan;
use crate::model::image::ImageFacts;
use crate::transforms::Refusal;

/// A crate of somebody else that `cargo install` fetches.
#[derive(Clone, Debug)]
pub(super) struct Tool {
    crate_name: String,
    /// The programs that it puts into its folder.
    pub programs: Vec<String>,
    /// The features that are asked for; `None` for the usual ones, too.
    features: Vec<String>,
    only_those: bool,
}

impl Tool {
    /// The crates that bring libraries of the system to it.
    fn libraries(&self, draft: &Draft) -> Result<Vec<String>, Refusal> {
        let Some(known) = facts().rust.tools.get(&self.crate_name) else {
            return refuse(
                draft.program.line,
                format!("which libraries the programs of the crate `{}` load is not known; copy it by hand", self.crate_name),
            );
        };
        let wanted = |feature: &str| !self.only_those || self.features.iter().any(|f| f == feature);
        let of_features = known.features.iter().filter(|(feature, _)| wanted(feature)).map(|(_, library)| library.clone());
        Ok(known.libraries.iter().cloned().chain(of_features).collect())
    }
}

/// The crates that the words of `cargo install` fetch; none where it installs the project.
pub(super) fn tools(words: &[&str]) -> Vec<Tool> {
    const WITH_VALUE: &[&str] = &[
        "--root",
        "--path",
        "--features",
        "-F",
        "--version",
        "--vers",
        "--git",
        "--branch",
        "--tag",
        "--rev",
        "--target",
        "--bin",
        "--example",
        "--profile",
        "-j",
        "--jobs",
        "--registry",
        "--index",
        "--target-dir",
        "--color",
        "--config",
        "-Z",
    ];
    let (mut crates, mut features, mut bins, mut only_those, mut git) = (Vec::new(), Vec::new(), Vec::new(), false, None);
    let install = words.iter().position(|w| *w == "install").map_or(words.len(), |at| at + 1);
    let mut rest = words.iter().skip(install);
    while let Some(word) = rest.next() {
        let (option, attached) = word.split_once('=').filter(|_| word.starts_with('-')).map_or((*word, None), |(o, v)| (o, Some(v)));
        if !option.starts_with('-') {
            crates.push(option.split('@').next().unwrap_or(option).to_owned());
            continue;
        }
        let value = if WITH_VALUE.contains(&option) { attached.or_else(|| rest.next().copied()) } else { None };
        match (option, value) {
            ("--path", _) => return Vec::new(),
            ("--no-default-features", _) => only_those = true,
            ("--features" | "-F", Some(list)) => {
                features.extend(list.split([',', ' ']).filter(|f| !f.is_empty()).map(str::to_owned));
            }
            ("--bin", Some(name)) => bins.push(name.to_owned()),
            ("--git", Some(address)) => git = address.trim_end_matches(".git").rsplit('/').next().map(str::to_owned),
            _ => {}
        }
    }
    if crates.is_empty() {
        crates.extend(git);
    }
    let tool = |crate_name: String| {
        let known = facts().rust.tools.get(&crate_name).map(|t| t.programs.clone());
        let programs = known.unwrap_or_else(|| vec![crate_name.clone()]).into_iter().chain(bins.clone()).collect();
        Tool { crate_name, programs, features: features.clone(), only_those }
    };
    crates.into_iter().map(tool).collect()
}

/// The names of the programs of the crate in `folder` of the image; `None` where its manifest does not tell.
pub(super) fn programs(draft: &Draft, folder: &str) -> Option<Vec<String>> {
    let context = draft.model.context;
    let manifest: toml::Table = context.read(&draft.context_path(&join(folder, "Cargo.toml"))?)?.parse().ok()?;
    let name = |table: &toml::Value| table.get("name").and_then(toml::Value::as_str).map(str::to_owned);
    let mut names = vec![name(manifest.get("package")?)?];
    names.extend(manifest.get("bin").and_then(toml::Value::as_array).into_iter().flatten().filter_map(name));
    let root = draft.context_path(&join(folder, "src/bin"));
    for path in root
        .map(|root| (format!("{root}/"), context.files().0))
        .into_iter()
        .flat_map(|(root, files)| files.into_iter().filter_map(move |p| p.strip_prefix(&root).map(str::to_owned)))
    {
        let first = path.split('/').next().unwrap_or(&path);
        names.push(first.trim_end_matches(".rs").to_owned());
    }
    Some(names)
}

/// The crates that the features of the dependencies of a manifest bring.
fn by_features(text: &str) -> Vec<String> {
    let mut asked: Vec<(String, String)> = Vec::new();
    if let Ok(manifest) = text.parse::<toml::Table>() {
        dependencies(&manifest, &mut asked);
    }
    let mut found = Vec::new();
    for (name, features) in &facts().rust.features {
        for (feature, library) in features {
            let direct = asked.iter().any(|(n, f)| n == name && f == feature);
            // A feature of the project may ask for it.
            let passed_on = || [format!("\"{name}/{feature}\""), format!("\"{name}?/{feature}\"")].iter().any(|f| text.contains(f));
            if direct || passed_on() {
                found.push(library.clone());
            }
        }
    }
    found
}

/// The dependencies of a manifest's table and of those below it, each with one of the features that are asked of it.
fn dependencies(table: &toml::Table, asked: &mut Vec<(String, String)>) {
    for (key, value) in table {
        let Some(inner) = value.as_table().filter(|_| !matches!(key.as_str(), "dev-dependencies" | "build-dependencies" | "features"))
        else {
            continue;
        };
        if key != "dependencies" {
            dependencies(inner, asked);
            continue;
        }
        for (name, spec) in inner {
            let real = spec.get("package").and_then(toml::Value::as_str).unwrap_or(name);
            let features = spec.get("features").and_then(toml::Value::as_array).into_iter().flatten().filter_map(toml::Value::as_str);
            asked.extend(features.map(|feature| (real.to_owned(), feature.to_owned())));
        }
    }
}

/// Adds the packages of the libraries that the crates of the project, and of the `tools` that ship, link.
pub(super) fn libraries(draft: &Draft, plan: &mut Plan, runtime: &ImageFacts, sources: &Sources, tools: &[Tool]) -> Result<(), Refusal> {
    let context = draft.model.context;
    let manifests: Vec<String> = context.files().0.into_iter().filter(|p| p.ends_with("Cargo.toml") && !p.contains("target/")).collect();
    let lock = context.read("Cargo.lock").filter(|t| t.contains("[[package]]"));
    let mut needed: Vec<String> = Vec::new();
    let mut speaks_tls = false;
    for path in &manifests {
        let Some(text) = context.read(path) else { continue };
        for line in text.lines() {
            let Some((name, rest)) = line.split_once('=') else { continue };
            let name = name.trim().trim_matches('"');
            speaks_tls |= [
                "reqwest",
                "hyper",
                "ureq",
                "native-tls",
                "openssl",
                "tonic",
                "awc",
                "surf",
                "isahc",
                "curl",
                "rustls-native-certs",
                "sqlx",
                "aws-config",
            ]
            .contains(&name);
            let own = rest.contains("vendored")
                || rest.contains("bundled")
                || rest.contains("rustls") && rest.contains("default-features = false");
            if facts().rust.libraries.contains_key(name) && !own {
                needed.push(name.to_owned());
            }
        }
        needed.extend(by_features(&text));
        if text.contains("bundled") {
            needed.retain(|n| n != "libsqlite3-sys");
        }
    }
    if let Some(lock) = lock {
        needed.retain(|n| n != "reqwest" && n != "hyper-tls" && n != "native-tls");
        for name in ["openssl-sys", "pq-sys", "mysqlclient-sys"] {
            if lock.contains(&format!("name = \"{name}\"")) && !lock.contains("openssl-src") {
                needed.push(name.to_owned());
            }
        }
    }
    for tool in tools {
        needed.extend(tool.libraries(draft)?);
    }
    needed.sort_unstable();
    needed.dedup();
    for name in needed {
        let Some(names) = facts().rust.libraries.get(&name) else { continue };
        let package = names.get("any").or_else(|| runtime.release.as_deref().and_then(|r| names.get(r)));
        match package {
            Some(package) => {
                plan.package(package, 0);
                plan.notes.push(format!("the crate `{name}` links a library of the system, so `{package}` is installed"));
            }
            None => {
                return refuse(
                    draft.from.line,
                    format!("the crate `{name}` links a library whose package on `{}` is not certain", plan.runtime),
                );
            }
        }
    }
    if speaks_tls || sources.iter().any(|(_, t)| t.contains("https://")) {
        plan.package("ca-certificates", 0);
    }
    Ok(())
}
