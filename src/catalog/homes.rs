//! Packages of npm that put what they fetch at their installation into the home of who installs.

use serde::Deserialize;

use super::Catalog;

/// Such a package.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HomeDownload {
    /// Its names.
    pub packages: Vec<String>,
    /// The first major version that does so.
    pub since: u32,
    /// The folder, below the home.
    pub folder: String,
    /// The variable that names another one.
    pub moved_by: String,
    /// Variables with which nothing is fetched.
    pub skipped_by: Vec<String>,
    /// Its files of settings, which may name another folder.
    pub settings: Vec<String>,
}

impl HomeDownload {
    /// Whether a version that fits `range`, as package.json writes it, may be of those that do so.
    #[must_use]
    pub fn may_be(&self, range: &str) -> bool {
        let number = range.trim_start_matches(['^', '~', '=', 'v', ' ']);
        let digits: String = number.chars().take_while(char::is_ascii_digit).collect();
        // `>=13`, `*`, `latest`, an address, or one of several ranges.
        range.contains("||") || digits.parse::<u32>().map_or(true, |major| major >= self.since)
    }
}

impl Catalog {
    /// The packages of npm that put what they fetch into the home of who installs.
    #[must_use]
    pub fn node_home_downloads(&self) -> &'static [HomeDownload] {
        super::packages::node_homes()
    }
}

#[cfg(test)]
mod tests {
    use super::HomeDownload;

    #[test]
    fn ranges_of_versions() {
        let puppeteer = HomeDownload { since: 19, ..HomeDownload::default() };
        for range in ["^19.2.0", "21", "latest", "*", ">=13", "~19", "^13 || ^19"] {
            assert!(puppeteer.may_be(range), "{range}");
        }
        for range in ["^13.0.0", "18.2.1", "~1.20"] {
            assert!(!puppeteer.may_be(range), "{range}");
        }
    }
}
