//! What is known of programs: `catalog/commands.toml`, ready for look-ups.

use std::collections::HashMap;
use std::sync::OnceLock;

use serde::Deserialize;

/// A package manager.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manager {
    pub name: String,
    kind: String,
    programs: Vec<String>,
    #[serde(default)]
    scripts: Vec<String>,
    #[serde(default)]
    modules: Vec<String>,
    #[serde(default)]
    pub values: Vec<String>,
    #[serde(default)]
    pub files: Vec<String>,
    #[serde(default)]
    pub named: Vec<String>,
    /// The command that removes what it leaves behind.
    #[serde(default)]
    pub tidy: Option<String>,
    /// Where root's downloads lie, for a cache mount.
    #[serde(default)]
    pub mounts: Vec<String>,
    /// Its cache has room for one at a time.
    #[serde(default)]
    pub locked: bool,
    /// What lies there fits one distribution alone.
    #[serde(default)]
    pub per_base: bool,
    /// The family of images on which its downloads lie there; empty for all.
    #[serde(default)]
    pub family: String,
    /// A directory around its downloads that holds what was installed: who copies that does not ask for the downloads.
    #[serde(default)]
    pub within: String,
    /// Variables that say where its downloads are, or whether it keeps any.
    #[serde(default)]
    pub settled: Vec<String>,
    /// Options by which it keeps no downloads.
    #[serde(default)]
    pub uncached: Vec<String>,
    /// What stands in place of those where a cache is mounted.
    #[serde(default)]
    pub instead: Option<String>,
    /// The option by which it keeps what it has installed from.
    #[serde(default)]
    pub keep: Option<String>,
    /// Options that say where its downloads are, or that nothing else is fetched.
    #[serde(default)]
    pub elsewhere: Vec<String>,
    #[serde(default)]
    verbs: HashMap<String, String>,
    #[serde(default)]
    option_verbs: HashMap<String, String>,
    #[serde(default)]
    pub default: Option<String>,
    #[serde(default)]
    pub unknown: Option<String>,
    #[allow(dead_code)]
    source: String,
}

impl Manager {
    /// Whether it manages the system's packages, not a language's.
    pub fn is_system(&self) -> bool {
        self.kind == "system"
    }

    /// Whether its sub-commands are options (`pacman -S`, `dpkg -i`).
    pub fn has_option_verbs(&self) -> bool {
        !self.option_verbs.is_empty()
    }

    /// What an option asks for; long combinations count as their first letter.
    pub fn option_verb(&self, option: &str) -> Option<&str> {
        let short = option.get(..2).filter(|_| !option.starts_with("--")).unwrap_or(option);
        self.option_verbs.get(option).or_else(|| self.option_verbs.get(short)).map(String::as_str)
    }

    /// What the sub-command asks for and how many words it has.
    pub fn verb(&self, first: &str, second: Option<&str>) -> Option<(&str, usize)> {
        if let Some(second) = second
            && let Some(verb) = self.verbs.get(&format!("{first} {second}"))
        {
            return Some((verb, 2));
        }
        self.verbs.get(first).map(|verb| (verb.as_str(), 1))
    }
}

/// A program that does one kind of thing.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tool {
    pub kind: String,
    programs: Vec<String>,
    #[serde(default)]
    scripts: Vec<String>,
    #[serde(default)]
    modules: Vec<String>,
    #[allow(dead_code)]
    source: String,
}

/// A program on files.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FileTool {
    programs: Vec<String>,
    pub operands: String,
    #[serde(default)]
    pub skip: usize,
    #[serde(default)]
    pub values: Vec<String>,
    #[serde(default)]
    pub target: Vec<String>,
    #[serde(default)]
    pub directory: Vec<String>,
    #[serde(default)]
    pub archive: Vec<String>,
    #[serde(default)]
    pub in_place: Vec<String>,
    #[serde(default)]
    pub pattern_options: Vec<String>,
    #[serde(default)]
    pub writing: Vec<String>,
    #[allow(dead_code)]
    source: String,
}

/// A program that runs another.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wrapper {
    programs: Vec<String>,
    #[serde(default)]
    pub values: Vec<String>,
    #[serde(default)]
    pub operands: usize,
    #[serde(default)]
    pub assignments: bool,
    /// Options that name the user whose command it is.
    #[serde(default)]
    user: Vec<String>,
    /// Whether what it starts runs as another user or in another root.
    #[serde(default)]
    elsewhere: bool,
    #[allow(dead_code)]
    source: String,
}

/// What is known as a whole, but not file by file: an installer, an environment that is sourced, a tool of its own.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Setup {
    /// What it sets up.
    pub of: String,
    #[serde(default)]
    programs: Vec<String>,
    #[serde(default)]
    addresses: Vec<String>,
    #[serde(default)]
    sourced: Vec<String>,
    #[allow(dead_code)]
    source: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cache {
    manager: String,
    paths: Vec<String>,
    #[allow(dead_code)]
    source: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Facts {
    manager: Vec<Manager>,
    tool: Vec<Tool>,
    file: Vec<FileTool>,
    wrapper: Vec<Wrapper>,
    setup: Vec<Setup>,
    cache: Vec<Cache>,
}

/// What a program is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Entry<'a> {
    Manager(&'a Manager),
    Tool(&'a Tool),
    File(&'a FileTool),
    Wrapper(&'a Wrapper),
    Setup(&'a Setup),
}

/// All facts with an index by name.
#[derive(Debug, Default)]
pub(crate) struct Tools {
    facts: Facts,
    programs: HashMap<String, (Kind, usize)>,
    scripts: HashMap<String, (Kind, usize)>,
    modules: HashMap<String, (Kind, usize)>,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Manager,
    Tool,
    File,
    Wrapper,
    Setup,
}

impl Tools {
    /// Whether some command of the shell's text `text` runs as another user or in another root, by a wrapper in front of it.
    pub(crate) fn acts_elsewhere(&self, text: &str) -> bool {
        let words: Vec<&str> = text.split(|c: char| c.is_whitespace() || "()&;|'\"`".contains(c)).filter(|w| !w.is_empty()).collect();
        words.iter().enumerate().any(|(at, word)| {
            let name = word.rsplit('/').next().unwrap_or(word);
            let wrapper = self.facts.wrapper.iter().find(|w| w.programs.iter().any(|p| p == name));
            let option = words.get(at + 1).copied().unwrap_or_default();
            matches!(name, "su" | "runuser" | "setpriv")
                || wrapper.is_some_and(|w| w.elsewhere || w.user.iter().any(|u| option.starts_with(u.as_str())))
        })
    }

    /// What restage ships with.
    pub fn built_in() -> &'static Self {
        static TOOLS: OnceLock<Tools> = OnceLock::new();
        TOOLS.get_or_init(|| Self::of(crate::catalog::shipped!("commands")))
    }

    fn of(facts: Facts) -> Self {
        let mut tools = Self::default();
        let mut add = |kind: Kind, index: usize, programs: &[String], scripts: &[String], modules: &[String]| {
            for (map, names) in [(&mut tools.programs, programs), (&mut tools.scripts, scripts), (&mut tools.modules, modules)] {
                for name in names {
                    map.entry(name.clone()).or_insert((kind, index));
                }
            }
        };
        for (index, manager) in facts.manager.iter().enumerate() {
            add(Kind::Manager, index, &manager.programs, &manager.scripts, &manager.modules);
        }
        for (index, tool) in facts.tool.iter().enumerate() {
            add(Kind::Tool, index, &tool.programs, &tool.scripts, &tool.modules);
        }
        for (index, file) in facts.file.iter().enumerate() {
            add(Kind::File, index, &file.programs, &[], &[]);
        }
        for (index, wrapper) in facts.wrapper.iter().enumerate() {
            add(Kind::Wrapper, index, &wrapper.programs, &[], &[]);
        }
        for (index, setup) in facts.setup.iter().enumerate() {
            add(Kind::Setup, index, &setup.programs, &[], &[]);
        }
        tools.facts = facts;
        tools
    }

    /// What `program` is, as it is written in a command: a name, a path in a `bin` folder, or a known script of a project.
    pub fn program(&self, program: &str) -> Option<Entry<'_>> {
        let Some((folder, name)) = program.rsplit_once('/') else { return self.named(&self.programs, program) };
        if matches!(folder.rsplit('/').next(), Some("bin" | "sbin" | "Scripts")) {
            return self.named(&self.programs, name);
        }
        self.entry(*self.scripts.get(name)?)
    }

    /// What the script `path` is, wherever it lies.
    pub fn script(&self, path: &str) -> Option<Entry<'_>> {
        self.entry(*self.scripts.get(path.rsplit('/').next().unwrap_or(path))?)
    }

    /// What `python -m module` is.
    pub fn module(&self, module: &str) -> Option<Entry<'_>> {
        self.entry(*self.modules.get(module)?)
    }

    /// Names with a version behind them count as the name: `pip3.11`, `gcc-12`.
    fn named(&self, map: &HashMap<String, (Kind, usize)>, name: &str) -> Option<Entry<'_>> {
        let found = map.get(name).or_else(|| map.get(without_version(name)))?;
        self.entry(*found)
    }

    fn entry(&self, (kind, index): (Kind, usize)) -> Option<Entry<'_>> {
        match kind {
            Kind::Manager => self.facts.manager.get(index).map(Entry::Manager),
            Kind::Tool => self.facts.tool.get(index).map(Entry::Tool),
            Kind::File => self.facts.file.get(index).map(Entry::File),
            Kind::Wrapper => self.facts.wrapper.get(index).map(Entry::Wrapper),
            Kind::Setup => self.facts.setup.get(index).map(Entry::Setup),
        }
    }

    /// What the script at `address` sets up, with or without a scheme.
    pub fn installer(&self, address: &str) -> Option<&str> {
        let address = ["https://", "http://"].iter().find_map(|scheme| address.strip_prefix(scheme)).unwrap_or(address);
        let fits = |known: &str| {
            // A host ends where its path begins.
            address.strip_prefix(known).is_some_and(|rest| known.contains('/') || rest.is_empty() || rest.starts_with(['/', '?']))
        };
        self.facts.setup.iter().find(|s| s.addresses.iter().any(|a| fits(a))).map(|s| s.of.as_str())
    }

    /// What a shell gets from sourcing `path`.
    pub fn sourced(&self, path: &str) -> Option<&str> {
        let fits = |known: &str| path.strip_suffix(known).is_some_and(|rest| rest.is_empty() || rest.ends_with('/'));
        self.facts.setup.iter().find(|s| s.sourced.iter().any(|k| fits(k))).map(|s| s.of.as_str())
    }

    /// The manager whose cache `path` lies in (`any` where it is nobody's in particular): the most special directory counts.
    pub fn cache(&self, path: &str) -> Option<&str> {
        let path = path.trim_end_matches('/');
        self.facts
            .cache
            .iter()
            .flat_map(|cache| cache.paths.iter().map(move |p| (p, cache.manager.as_str())))
            .filter(|(cache, _)| path.strip_prefix(cache.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
            .max_by_key(|(cache, _)| cache.len())
            .map(|(_, manager)| manager)
    }
}

/// The name of a program without the version behind it.
pub(crate) fn without_version(name: &str) -> &str {
    name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.').trim_end_matches('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalog_reads() {
        let tools = Tools::of(toml::from_str(include_str!("../../catalog/commands.toml")).unwrap());
        for manager in &tools.facts.manager {
            for operation in manager.verbs.values().chain(manager.option_verbs.values()).chain(&manager.default).chain(&manager.unknown) {
                assert!(
                    ["update", "upgrade", "install", "download", "remove", "clean", "run", "build", "test", "other"]
                        .contains(&operation.as_str()),
                    "{}: {operation}",
                    manager.name
                );
            }
            assert!(manager.source.len() > 3);
        }
    }

    #[test]
    fn names_are_found() {
        let tools = Tools::built_in();
        let name = |program: &str| match tools.program(program) {
            Some(Entry::Manager(m)) => m.name.clone(),
            Some(Entry::Tool(t)) => t.kind.clone(),
            Some(Entry::File(_)) => "file".into(),
            Some(Entry::Wrapper(_)) => "wrapper".into(),
            Some(Entry::Setup(s)) => format!("sets up {}", s.of),
            None => "-".into(),
        };
        for (program, what) in [
            ("/usr/bin/apt-get", "apt"),
            ("pip3.11", "pip"),
            ("venv/bin/pip", "pip"),
            ("./gradlew", "gradle"),
            ("./configure", "build"),
            ("./cp", "-"),
            ("gcc-12", "build"),
            ("sudo", "wrapper"),
            ("./setup.sh", "-"),
            ("sdkmanager", "sets up android"),
        ] {
            assert_eq!(name(program), what, "{program}");
        }
        assert_eq!(tools.cache("/var/lib/apt/lists/*"), Some("apt"));
        assert_eq!(tools.cache("/var/lib"), None);
    }

    #[test]
    fn installers_are_known_by_their_whole_host() {
        let tools = Tools::built_in();
        for (address, of) in [
            ("https://deb.nodesource.com/setup_20.x", Some("apt")),
            ("https://sh.rustup.rs", Some("rustup")),
            ("get.docker.com/", Some("docker")),
            ("https://get.docker.com.example.org/", None),
            ("https://example.org/deb.nodesource.com/setup_20.x", None),
        ] {
            assert_eq!(tools.installer(address), of, "{address}");
        }
        assert_eq!(tools.sourced("/opt/venv/bin/activate"), Some("virtualenv"));
        assert_eq!(tools.sourced("/opt/deactivate"), None);
        assert_eq!(tools.sourced("./setup.sh"), None);
    }
}
