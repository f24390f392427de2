//! What the catalog says of programs that need root and of programs that write: `catalog/root_programs.toml` and
//! `catalog/writes.toml`, read once.

use std::sync::OnceLock;

use serde::Deserialize;

/// Both tables.
#[derive(Debug, Default)]
pub struct Facts {
    /// What needs root.
    pub root: Root,
    /// What writes, and where.
    pub writes: Writes,
}

/// `catalog/root_programs.toml`.
#[derive(Debug, Default, Deserialize)]
pub struct Root {
    /// Programs that need root.
    #[serde(rename = "program")]
    pub programs: Vec<RootProgram>,
    /// Programs that give up root themselves when an option says so.
    #[serde(rename = "drop")]
    pub drops: Vec<Drop>,
    /// Texts in sources that show a need of root.
    #[serde(rename = "text")]
    pub texts: Vec<Text>,
    /// Installers that put things into root's home.
    #[serde(rename = "home")]
    pub homes: Vec<Home>,
    /// Directories that stay root's.
    pub paths: Paths,
    /// Programs that run as root whoever starts them.
    pub setuid: Setuid,
}

/// Programs that do nothing for a user without their setuid bit.
#[derive(Debug, Default, Deserialize)]
pub struct Setuid {
    /// Their names.
    pub programs: Vec<String>,
    /// Those whose names mean little else in sources.
    pub in_sources: Vec<String>,
}

/// An installer that puts things into the home directory.
#[derive(Debug, Deserialize)]
pub struct Home {
    /// Texts in a RUN that show it.
    pub any: Vec<String>,
    /// The variable that moves it elsewhere.
    pub variable: String,
    /// What it is called.
    pub what: String,
}

/// Programs that need root, and why.
#[derive(Debug, Deserialize)]
pub struct RootProgram {
    /// Names, or whole paths.
    pub names: Vec<String>,
    /// Finishes the sentence "NAME ...".
    pub why: String,
}

/// A program that becomes another user by an option or a key of its settings file.
#[derive(Debug, Deserialize)]
pub struct Drop {
    /// Its name.
    pub program: String,
    /// The options on the command line.
    pub options: Vec<String>,
    /// The keys in a file of settings that it is started with.
    #[serde(default)]
    pub keys: Vec<String>,
    /// The endings of such files.
    #[serde(default)]
    pub endings: Vec<String>,
    /// The one that it reads in its working directory without being told.
    #[serde(default)]
    pub default: Option<String>,
    /// The keys there that name a file which it writes.
    #[serde(default)]
    pub writes: Vec<String>,
}

/// Texts that show a need.
#[derive(Debug, Deserialize)]
pub struct Text {
    /// Any of them.
    pub any: Vec<String>,
    /// Finishes the sentence "FILE ...".
    pub why: String,
}

/// Directories by how far they may be given away.
#[derive(Debug, Default, Deserialize)]
pub struct Paths {
    /// Not themselves.
    pub kept: Vec<String>,
    /// Neither themselves nor what is below.
    pub closed: Vec<String>,
    /// Folders right below which images have folders of their own.
    pub present: Vec<String>,
    /// Anybody may write there.
    pub open: Vec<String>,
}

/// `catalog/writes.toml`.
#[derive(Debug, Default, Deserialize)]
pub struct Writes {
    /// Names that tell of state.
    pub names: Names,
    /// The calls of each language that write.
    #[serde(rename = "language")]
    pub languages: Vec<Language>,
    /// Programs that write beside their sources.
    #[serde(rename = "program")]
    pub programs: Vec<Writer>,
    /// Build tools, with caches in root's home.
    pub builds: Vec<Builder>,
}

/// Names of directories, variables and files.
#[derive(Debug, Default, Deserialize)]
#[allow(missing_docs)]
pub struct Names {
    pub directories: Vec<String>,
    pub parents: Vec<String>,
    pub foreign: Vec<String>,
    pub address_parents: Vec<String>,
    pub address_words: Vec<String>,
    pub deployment: Vec<String>,
    pub services: Vec<String>,
    pub variables: Vec<String>,
    pub installed: Vec<String>,
    pub databases: Vec<String>,
    pub apart: Vec<String>,
    pub tools: Vec<String>,
    pub tool_endings: Vec<String>,
}

/// The calls of a language that write.
#[derive(Debug, Deserialize)]
pub struct Language {
    /// Its name.
    pub name: String,
    /// The endings of its sources.
    pub extensions: Vec<String>,
    /// Calls that write if one of their arguments is a writing mode.
    pub moded: Vec<String>,
    /// Calls that write the file that their first string names.
    pub calls: Vec<String>,
    /// Calls that write if their line says `O_WRONLY`, `O_RDWR` or `O_CREAT`.
    #[serde(default)]
    pub flags: Vec<String>,
    /// Calls whose first string names a directory.
    pub directories: Vec<String>,
    /// Texts that show that the program uses its home directory.
    pub home: Vec<String>,
}

/// A program that writes in fixed directories.
#[derive(Debug, Deserialize)]
pub struct Writer {
    /// Its name.
    pub name: String,
    /// Only with this argument.
    #[serde(default)]
    pub argument: Option<String>,
    /// Where, relative to the working directory or absolute.
    pub directories: Vec<String>,
}

/// Build tools that a container should not start as another user than the one that filled their caches.
#[derive(Debug, Deserialize)]
pub struct Builder {
    /// Their names.
    pub names: Vec<String>,
    /// Only with one of these arguments; empty for any.
    #[serde(default)]
    pub arguments: Vec<String>,
}

/// The facts, read once. Tests hold that both files parse; a file that did not would be empty here.
pub fn facts() -> &'static Facts {
    static FACTS: OnceLock<Facts> = OnceLock::new();
    FACTS.get_or_init(|| Facts { root: crate::catalog::shipped!("root_programs"), writes: crate::catalog::shipped!("writes") })
}

impl Root {
    /// Why a program needs root, by the words that start it.
    pub fn needs(&self, words: &[String]) -> Option<String> {
        let program = words.first()?;
        let name = program.rsplit('/').next().unwrap_or(program);
        // A project's own `./init` is no service manager.
        if program.contains('/') && !SYSTEM.iter().any(|d| within(program, d)) && !self.programs.iter().any(|e| e.names.contains(program)) {
            return None;
        }
        for entry in &self.programs {
            if entry.names.iter().any(|n| if n.starts_with('/') { n == program } else { n == name }) {
                return Some(format!("{name} {}", entry.why));
            }
        }
        let drop = self.drops.iter().find(|d| d.program == name)?;
        let option = words.iter().skip(1).find(|w| drop.options.iter().any(|o| takes(w, o)))?;
        Some(format!("{name} {option} gives up root itself"))
    }
}

/// Where the programs of a distribution stand.
const SYSTEM: &[&str] = &["/bin", "/sbin", "/usr", "/etc", "/lib", "/opt"];

fn takes(word: &str, option: &str) -> bool {
    word == option || (option.starts_with("--") && word.strip_prefix(option).is_some_and(|r| r.starts_with('=')))
}

impl Paths {
    /// Whether anybody may write there.
    pub fn is_open(&self, path: &str) -> bool {
        self.open.iter().any(|p| within(path, p))
    }

    /// Whether a directory must stay root's.
    pub fn is_closed(&self, path: &str) -> bool {
        self.kept.iter().any(|p| p == path) || self.closed.iter().any(|p| within(path, p))
    }
}

/// Whether `path` is `directory` or lies below it. Both absolute and without a final slash.
pub fn within(path: &str, directory: &str) -> bool {
    directory == "/" || path == directory || path.strip_prefix(directory).is_some_and(|r| r.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_tables_parse() {
        toml::from_str::<Root>(include_str!("../../catalog/root_programs.toml")).unwrap();
        toml::from_str::<Writes>(include_str!("../../catalog/writes.toml")).unwrap();
    }

    #[test]
    fn every_fact_has_a_source() {
        for text in [include_str!("../../catalog/root_programs.toml"), include_str!("../../catalog/writes.toml")] {
            let table: toml::Table = text.parse().unwrap();
            for entries in table.values().filter_map(toml::Value::as_array) {
                assert!(entries.iter().all(|e| e.get("source").is_some_and(|s| !s.as_str().unwrap_or("").is_empty())));
            }
        }
    }

    #[test]
    fn programs_and_options() {
        let needs = |w: &[&str]| facts().root.needs(&w.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert!(needs(&["/usr/sbin/cron", "-f"]).is_some());
        assert!(needs(&["gunicorn", "--user=www", "app:app"]).is_some());
        assert!(needs(&["gunicorn", "app:app"]).is_none());
        assert!(needs(&["init"]).is_some());
        assert!(needs(&["./bin/server"]).is_none());
    }

    #[test]
    fn paths() {
        let paths = &facts().root.paths;
        assert!(paths.is_closed("/") && paths.is_closed("/usr/src") && !paths.is_closed("/usr/src/app"));
        assert!(paths.is_closed("/root/.cache") && !paths.is_closed("/var/lib/notes"));
        assert!(paths.is_open("/tmp/x") && !paths.is_open("/tmpx"));
    }
}
