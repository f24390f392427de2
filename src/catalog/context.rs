//! What stands in build contexts, by name.

use std::sync::OnceLock;

use serde::Deserialize;

use crate::context::fits;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Contents {
    manifests: Vec<String>,
    sources: Vec<String>,
}

fn contents() -> &'static Contents {
    static DATA: OnceLock<Contents> = OnceLock::new();
    DATA.get_or_init(|| toml::from_str(include_str!("../../catalog/context.toml")).unwrap_or_default())
}

fn is_named(path: &str, patterns: &[String]) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    patterns.iter().any(|pattern| fits(pattern, name))
}

/// Whether package managers read the file of this name to know what to install.
#[must_use]
pub fn is_manifest(path: &str) -> bool {
    is_named(path, &contents().manifests)
}

/// Whether a file of this name holds a program's own text.
#[must_use]
pub fn is_source(path: &str) -> bool {
    is_named(path, &contents().sources) && !is_manifest(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manifests_are_no_sources() {
        assert!(toml::from_str::<Contents>(include_str!("../../catalog/context.toml")).is_ok_and(|c| !c.manifests.is_empty()));
        assert!(is_manifest("a/requirements-dev.txt") && is_manifest("setup.py") && !is_manifest("app.py"));
        assert!(is_source("src/app.py") && !is_source("setup.py") && !is_source("README.md"));
    }
}
