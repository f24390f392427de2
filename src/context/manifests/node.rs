//! `package.json`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::context::{Context, join, normalize};

/// What a `package.json` says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Package {
    /// Its name.
    pub name: Option<String>,
    /// `dependencies` with their ranges.
    pub dependencies: BTreeMap<String, String>,
    /// `devDependencies`.
    pub dev_dependencies: BTreeMap<String, String>,
    /// `optionalDependencies`.
    pub optional_dependencies: BTreeMap<String, String>,
    /// `scripts`.
    pub scripts: BTreeMap<String, String>,
    /// The patterns of `workspaces`.
    pub workspaces: Vec<String>,
    /// `main`.
    pub main: Option<String>,
    /// `bin`: name to path.
    pub bin: BTreeMap<String, String>,
    /// `packageManager`: `pnpm@8.6.0`.
    pub package_manager: Option<String>,
    /// `type`: `module` or `commonjs`.
    pub module_type: Option<String>,
    /// The names of all its keys, and of those in its objects (`prisma.schema`).
    pub keys: BTreeSet<String>,
}

impl Package {
    /// Reads the text of a `package.json`; `None` where it is no JSON object.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(text.strip_prefix('\u{feff}').unwrap_or(text)).ok()?;
        let below = |(key, inner): (&String, &Value)| {
            let keys = inner.as_object().into_iter().flat_map(|o| o.keys()).map(|k| format!("{key}.{k}")).collect::<Vec<_>>();
            std::iter::once(key.clone()).chain(keys).collect::<Vec<_>>()
        };
        let keys = value.as_object()?.iter().flat_map(below).collect();
        let string = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
        let name = string("name");
        let workspaces = value.get("workspaces").and_then(|w| w.as_array().or_else(|| w.get("packages")?.as_array()));
        let bin = match value.get("bin") {
            Some(Value::String(path)) => name.iter().map(|n| (n.rsplit('/').next().unwrap_or(n).to_owned(), path.clone())).collect(),
            Some(other) => strings(Some(other)),
            None => BTreeMap::new(),
        };
        Some(Self {
            dependencies: strings(value.get("dependencies")),
            dev_dependencies: strings(value.get("devDependencies")),
            optional_dependencies: strings(value.get("optionalDependencies")),
            scripts: strings(value.get("scripts")),
            workspaces: workspaces.into_iter().flatten().filter_map(|w| w.as_str().map(str::to_owned)).collect(),
            main: string("main"),
            bin,
            package_manager: string("packageManager"),
            module_type: string("type"),
            keys,
            name,
        })
    }

    /// Reads the `package.json` of `folder`.
    #[must_use]
    pub fn read(context: &Context, folder: &str) -> Option<Self> {
        Self::parse(&context.read(&join(&normalize(folder), "package.json"))?)
    }

    /// The script `name` with those that npm runs before and after it.
    #[must_use]
    pub fn script(&self, name: &str) -> Vec<(String, &str)> {
        [format!("pre{name}"), name.to_owned(), format!("post{name}")]
            .into_iter()
            .filter_map(|n| self.scripts.get(&n).map(|s| (n, s.as_str())))
            .collect()
    }

    /// The scripts that an install without package names runs.
    #[must_use]
    pub fn install_scripts(&self) -> Vec<(&str, &str)> {
        ["preinstall", "install", "postinstall", "prepublish", "preprepare", "prepare", "postprepare", "dependencies"]
            .into_iter()
            .filter_map(|n| self.scripts.get(n).map(|s| (n, s.as_str())))
            .collect()
    }

    /// All dependencies of every kind, with their ranges.
    pub fn all_dependencies(&self) -> impl Iterator<Item = (&str, &str)> {
        [&self.dependencies, &self.dev_dependencies, &self.optional_dependencies]
            .into_iter()
            .flatten()
            .map(|(n, r)| (n.as_str(), r.as_str()))
    }

    /// The folders or archives of the project that are dependencies: `file:`, `link:`, `portal:` and plain paths.
    #[must_use]
    pub fn local_dependencies(&self) -> Vec<(&str, &str)> {
        self.all_dependencies()
            .filter_map(|(name, range)| {
                let path = ["file:", "link:", "portal:"].iter().find_map(|p| range.strip_prefix(p));
                let plain = ["./", "../", "/", "~/"].iter().any(|p| range.starts_with(p));
                path.or_else(|| plain.then_some(range)).map(|p| (name, p))
            })
            .collect()
    }
}

fn strings(value: Option<&Value>) -> BTreeMap<String, String> {
    let entries = value.and_then(Value::as_object).into_iter().flatten();
    entries.filter_map(|(k, v)| Some((k.clone(), v.as_str()?.to_owned()))).collect()
}

#[cfg(test)]
mod tests {
    use super::Package;

    #[test]
    fn reads_what_builds_need() {
        let p = Package::parse(
            r#"{"name":"@s/app","dependencies":{"a":"^1","b":"file:../b","c":"~1.2"},"devDependencies":{"d":"link:./d","e":"./e.tgz"},
                "scripts":{"prebuild":"x","build":"tsc","postinstall":"node fix.js"},"workspaces":{"packages":["packages/*"]},"bin":"cli.js","type":"module"}"#,
        )
        .unwrap();
        assert_eq!(p.bin.get("app").map(String::as_str), Some("cli.js"));
        assert_eq!(p.workspaces, ["packages/*"]);
        assert_eq!(p.script("build"), [("prebuild".to_owned(), "x"), ("build".to_owned(), "tsc")]);
        assert_eq!(p.install_scripts(), [("postinstall", "node fix.js")]);
        assert_eq!(p.local_dependencies(), [("b", "../b"), ("d", "./d"), ("e", "./e.tgz")]);
        assert!(Package::parse("[]").is_none() && Package::parse("{").is_none());
    }
}
