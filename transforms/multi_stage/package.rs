//! package.json, as far as the split asks for it.

use super::draft::Draft;

/// The package.json that stands in `folder` of the image.
pub(super) fn package(draft: &Draft, folder: &str) -> Option<Package> {
    let path = draft.context_path(&format!("{}/package.json", folder.trim_end_matches('/')))?;
    let text = draft.model.context.read(&path)?;
    Package::read(&text)
}

/// A package.json.
pub(super) struct Package(serde_json::Value);

impl Package {
    pub(super) fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok().map(Self)
    }

    pub(super) fn script(&self, name: &str) -> Option<String> {
        self.0.get("scripts")?.get(name)?.as_str().map(str::to_owned)
    }

    pub(super) fn main(&self) -> Option<&str> {
        self.0.get("main")?.as_str()
    }

    /// The names of all scripts.
    pub(super) fn scripts(&self) -> Vec<String> {
        self.names("scripts")
    }

    /// The texts of all scripts, one a line.
    pub(super) fn all_scripts(&self) -> String {
        let scripts = self.0.get("scripts").and_then(|v| v.as_object());
        scripts.into_iter().flatten().filter_map(|(_, v)| v.as_str()).collect::<Vec<_>>().join("&")
    }

    pub(super) fn names(&self, key: &str) -> Vec<String> {
        self.0.get(key).and_then(|v| v.as_object()).map(|m| m.keys().cloned().collect()).unwrap_or_default()
    }

    pub(super) fn dev_names(&self) -> Vec<String> {
        let runtime = self.runtime_names();
        self.names("devDependencies").into_iter().filter(|n| !runtime.contains(n)).collect()
    }

    pub(super) fn runtime_names(&self) -> Vec<String> {
        [self.names("dependencies"), self.names("optionalDependencies")].concat()
    }

    pub(super) fn has_workspaces(&self) -> bool {
        self.0.get("workspaces").is_some()
    }

    pub(super) fn is_prepared(&self) -> bool {
        self.script("prepare").is_some()
    }

    pub(super) fn uses_yarn_berry(&self) -> bool {
        self.0.get("packageManager").and_then(|v| v.as_str()).is_some_and(|v| v.starts_with("yarn@") && !v.starts_with("yarn@1"))
    }
}
