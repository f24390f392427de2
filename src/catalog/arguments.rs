//! Build arguments that are known by name.

use std::sync::OnceLock;

use serde::Deserialize;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Arguments {
    changing: Vec<String>,
    placeholders: Vec<String>,
}

fn arguments() -> &'static Arguments {
    static DATA: OnceLock<Arguments> = OnceLock::new();
    DATA.get_or_init(|| crate::catalog::shipped!("arguments"))
}

/// Whether a build argument of this name gets another value with every commit or build.
#[must_use]
pub fn is_changing(name: &str) -> bool {
    arguments().changing.iter().any(|n| n.eq_ignore_ascii_case(name))
}

/// Whether a default says that only a build gives the value.
#[must_use]
pub fn is_placeholder(default: &str) -> bool {
    let bare = default.trim_matches(['"', '\'']);
    arguments().placeholders.iter().any(|p| p.eq_ignore_ascii_case(bare))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_read() {
        assert!(toml::from_str::<Arguments>(include_str!("../../catalog/arguments.toml")).is_ok());
        assert!(is_changing("VCS_REF") && is_changing("git_commit") && !is_changing("NODE_VERSION") && !is_changing("CACHEBUST"));
        assert!(is_placeholder("\"unknown\"") && !is_placeholder("1.2.3"));
    }
}
