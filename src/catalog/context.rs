//! What stands in build contexts, by name.

use std::sync::OnceLock;

use serde::Deserialize;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Contents {
    /// Patterns of one star at most, as those of the sources.
    manifests: Vec<String>,
    sources: Vec<String>,
    leave_out: Vec<LeaveOut>,
    install_reads: Vec<InstallReads>,
    secrets: Secrets,
    history: History,
}

/// A file or folder that has no place in an image.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LeaveOut {
    /// Its name.
    pub name: String,
    /// What it is, in words.
    pub what: String,
    /// Words besides its name that tell of its use.
    pub words: Vec<String>,
    /// Whether the files of the project are searched for them, too.
    pub search: bool,
    /// The tools (or commands) that make it again in the image.
    pub made_by: Vec<String>,
    /// A file in it, without which it is something else.
    pub holds: Option<String>,
    /// A file next to it, without which it is something else.
    pub beside: Option<String>,
    /// Whether its pattern is written for every folder.
    pub anywhere: bool,
}

/// A package of npm whose own install script reads files of the project that installs it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct InstallReads {
    /// Its name.
    pub package: String,
    /// The files and folders that it looks for.
    pub names: Vec<String>,
    /// The key of package.json that names another place.
    pub key: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Secrets {
    names: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct History {
    commands: Vec<String>,
    words: Vec<String>,
}

fn contents() -> &'static Contents {
    static DATA: OnceLock<Contents> = OnceLock::new();
    DATA.get_or_init(|| crate::catalog::shipped!("context"))
}

fn is_named(path: &str, patterns: &[String]) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    patterns.iter().any(|pattern| match pattern.split_once('*') {
        None => pattern == name,
        Some((head, tail)) => name.len() + 1 >= pattern.len() && name.starts_with(head) && name.ends_with(tail),
    })
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

/// The packages of npm whose install scripts read files of the project.
#[must_use]
pub fn install_reads() -> &'static [InstallReads] {
    &contents().install_reads
}

/// What has no place in an image, by name.
#[must_use]
pub fn left_out() -> &'static [LeaveOut] {
    &contents().leave_out
}

/// Names of files that often hold secrets which a program reads when it runs.
#[must_use]
pub fn secrets() -> &'static [String] {
    &contents().secrets.names
}

/// What in `text` reads the history of a git repository: a command of git's, its folder, or a package that asks it.
#[must_use]
pub fn reads_history(text: &str) -> Option<&str> {
    let history = contents();
    let asks = |at: usize| {
        let head = text.get(..at).unwrap_or_default();
        let folder = ["/usr/local/bin/", "/usr/bin/", "/bin/"].iter().find_map(|folder| head.strip_suffix(folder));
        let head = folder.unwrap_or(head);
        let before = head.chars().next_back();
        let after = text.get(at + 3..).unwrap_or_default();
        if before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '/' | '@' | '+' | '$' | '{')) {
            return false;
        }
        if before == Some('.') {
            // `.git/HEAD`, `'.git'`, but neither `x.git` nor `.gitignore`.
            let further = head.get(..head.len().saturating_sub(1)).and_then(|t| t.chars().next_back());
            return !further.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | ')' | '}'))
                && !after.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '-'));
        }
        let quoted = before.is_some_and(|c| matches!(c, '"' | '\'' | '`'));
        let closed = after.starts_with(['"', '\'', '`']);
        let command = after.strip_prefix(' ').is_some_and(|rest| history.history.commands.iter().any(|c| rest.starts_with(c.as_str())));
        (quoted && closed) || command
    };
    if let Some((at, _)) = text.match_indices("git").find(|(at, _)| asks(*at)) {
        return text.get(at..).map(|t| t.split(['\n', '"', '\'', '`', ')', ';', '|']).next().unwrap_or(t).trim());
    }
    history.history.words.iter().find(|w| text.contains(w.as_str())).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manifests_are_no_sources() {
        assert!(toml::from_str::<Contents>(include_str!("../../catalog/context.toml")).is_ok_and(|c| !c.manifests.is_empty()));
        assert!(contents().manifests.iter().chain(&contents().sources).all(|p| p.matches('*').count() < 2 && !p.contains(['?', '['])));
        assert!(is_manifest("a/requirements-dev.txt") && is_manifest("setup.py") && !is_manifest("app.py"));
        assert!(is_source("src/app.py") && !is_source("setup.py") && !is_source("README.md"));
    }

    #[test]
    fn who_reads_the_history() {
        let reads = |text| reads_history(text).is_some();
        assert!(
            reads("VERSION := $(shell git describe --tags)") && reads("subprocess.run([\"git\", \"log\"])") && reads("open('.git/HEAD')")
        );
        assert!(reads("s.files = `git ls-files`.split") && reads("build-backend = \"setuptools_scm\"") && reads("cat .git/HEAD"));
        assert!(reads("/usr/bin/git describe --tags") && reads("['/usr/bin/git', 'log']") && !reads("see /usr/bin/github describe"));
        assert!(!reads("git clone https://example.com/x.git") && !reads("url = \"git+https://x/y.git\"") && !reads(".gitignore"));
        assert!(!reads("https://github.com/x/git/blob") && !reads("# commit this to git and push") && !reads("legit = 1"));
    }
}
