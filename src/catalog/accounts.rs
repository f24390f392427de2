//! Users and groups that distributions have before anything is installed: `catalog/accounts.toml`.

use serde::Deserialize;
use std::sync::OnceLock;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Accounts {
    distribution: Vec<Distribution>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Distribution {
    #[allow(dead_code)]
    name: String,
    #[allow(dead_code)]
    source: String,
    names: Vec<String>,
}

/// Whether a distribution has a user or a group of this name from the start.
#[must_use]
pub fn is_system_account(name: &str) -> bool {
    static ACCOUNTS: OnceLock<Accounts> = OnceLock::new();
    let accounts = ACCOUNTS.get_or_init(|| super::shipped!("accounts"));
    accounts.distribution.iter().flat_map(|d| &d.names).any(|known| known == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_parses_and_names_its_sources() {
        let accounts: Accounts = toml::from_str(include_str!("../../catalog/accounts.toml")).unwrap();
        assert!(accounts.distribution.iter().all(|d| !d.name.is_empty() && !d.source.is_empty()));
        assert!(is_system_account("www-data") && is_system_account("wheel") && !is_system_account("app"));
    }
}
