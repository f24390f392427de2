//! `Cargo.toml`.

use crate::context::{Context, join, normalize};

/// What a `Cargo.toml` says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Crate {
    /// The package's name; `None` for a virtual workspace.
    pub name: Option<String>,
    /// The binaries that it builds, those that the folder's layout implies included.
    pub binaries: Vec<String>,
    /// The patterns of the workspace's members.
    pub members: Vec<String>,
    /// Whether it has a `[workspace]`.
    pub workspace: bool,
    /// The names of its dependencies.
    pub dependencies: Vec<String>,
    /// The paths of its path dependencies.
    pub paths: Vec<String>,
    /// `default-run`.
    pub default_run: Option<String>,
}

impl Crate {
    /// Reads the `Cargo.toml` of `folder`.
    #[must_use]
    pub fn read(context: &Context, folder: &str) -> Option<Self> {
        let folder = normalize(folder);
        let table: toml::Table = context.read(&join(&folder, "Cargo.toml"))?.parse().ok()?;
        let package = table.get("package").and_then(toml::Value::as_table);
        let string = |key: &str| package.and_then(|p| p.get(key)).and_then(toml::Value::as_str).map(str::to_owned);
        let mut out = Self { name: string("name"), default_run: string("default-run"), ..Self::default() };
        for binary in table.get("bin").and_then(toml::Value::as_array).into_iter().flatten() {
            out.binaries.extend(binary.get("name").and_then(toml::Value::as_str).map(str::to_owned));
        }
        let automatic = package.and_then(|p| p.get("autobins")).and_then(toml::Value::as_bool).unwrap_or(true);
        if automatic {
            let main = out.name.iter().filter(|_| context.is_file(&join(&folder, "src/main.rs"))).cloned();
            let more = context.list(&join(&folder, "src/bin"));
            let more = more.iter().map(|n| n.strip_suffix(".rs").unwrap_or(n).to_owned());
            for name in main.chain(more).collect::<Vec<_>>() {
                if !out.binaries.contains(&name) {
                    out.binaries.push(name);
                }
            }
        }
        if let Some(workspace) = table.get("workspace") {
            out.workspace = true;
            let members = workspace.get("members").and_then(toml::Value::as_array).into_iter().flatten();
            out.members = members.filter_map(|m| m.as_str().map(str::to_owned)).collect();
        }
        for key in ["dependencies", "build-dependencies"] {
            for (name, value) in table.get(key).and_then(toml::Value::as_table).into_iter().flatten() {
                out.dependencies.push(name.clone());
                out.paths.extend(value.get("path").and_then(toml::Value::as_str).map(str::to_owned));
            }
        }
        Some(out)
    }
}
