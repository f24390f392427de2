//! System packages, and the packages of language indexes that need them at run time.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;

use super::Catalog;
use super::images::compare;
use crate::context::fits;

/// What a package of a language's index needs beside itself when it runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Needs {
    /// System packages on Debian's family; a `-dev` name stands for its runtime libraries.
    pub apt: Vec<String>,
    /// System packages on Alpine.
    pub apk: Vec<String>,
    /// Whether what its index offers for glibc brings the libraries along.
    pub wheel: bool,
    /// The first version that offers one, for each version of the language.
    pub wheels: BTreeMap<String, String>,
    /// Whether it is compiled when it is installed.
    pub native: bool,
    /// Extras that bring the libraries along.
    pub bundled_by_extra: Vec<String>,
    /// The first Debian release that has these names.
    pub from: Option<String>,
    /// Why it can't be said what it needs.
    pub unsure: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Ecosystem {
    package: BTreeMap<String, Needs>,
    commands: BTreeMap<String, Vec<String>>,
    development: Development,
    tasks: Vec<String>,
    settings: Vec<String>,
    javascript: Vec<String>,
    javascript_runtimes: Vec<String>,
    self_contained: Vec<String>,
    bins: BTreeMap<String, Vec<String>>,
    image_programs: Vec<String>,
    by_name: Vec<ByName>,
    home_download: Vec<super::homes::HomeDownload>,
}

/// Packages that others load without naming them in a `require` of the project's: by a setting, or because they need them beside themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ByName {
    /// The packages that load.
    pub by: Vec<String>,
    /// The packages that they load.
    pub loads: Vec<String>,
    /// Texts of sources and settings, one of which has to be there.
    pub texts: Vec<String>,
    /// Patterns of files, one of which may be there instead.
    pub files: Vec<String>,
    /// Whether one of `loads` is needed in any case.
    pub one_of: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Development {
    servers: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct System {
    build_only: BTreeMap<String, Vec<String>>,
    apk_runtime: BTreeMap<String, Vec<String>>,
    store: Vec<Store>,
}

/// Where a tool keeps what it fetches, under root.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Store {
    /// The tool.
    pub tool: String,
    /// The image family that it holds for; empty for any.
    pub family: String,
    /// The folder.
    pub path: String,
    /// The variable that moves it.
    pub variable: Option<String>,
    /// What follows the variable's value.
    pub below: String,
    /// Variables that may move it anywhere.
    pub options: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Debian {
    runtime: BTreeMap<String, BTreeMap<String, Vec<String>>>,
    provides: BTreeMap<String, BTreeMap<String, String>>,
}

/// Each file is read when somebody asks for it first.
macro_rules! file {
    ($name:ident, $type:ty, $file:literal) => {
        fn $name() -> &'static $type {
            static DATA: OnceLock<$type> = OnceLock::new();
            DATA.get_or_init(|| crate::catalog::shipped!($file))
        }
    };
}
file!(system, System, "packages");
file!(debian, Debian, "debian");
file!(python, Ecosystem, "python");
file!(node, Ecosystem, "node");
file!(ruby, Ecosystem, "ruby");

pub(super) fn node_homes() -> &'static [super::homes::HomeDownload] {
    &node().home_download
}

impl Catalog {
    /// Whether `package` of the package manager `manager` (`apt`, `apk`, `dnf`, `yum`, ...) serves building alone.
    #[must_use]
    pub fn is_build_only(&self, package: &str, manager: &str) -> bool {
        let manager = if matches!(manager, "yum" | "microdnf" | "tdnf") { "dnf" } else { manager };
        let name = bare(package);
        let lists = [system().build_only.get(manager), self.added.build_only.get(manager)];
        lists.into_iter().flatten().flatten().any(|pattern| fits(pattern, name))
    }

    /// The runtime libraries of Debian's `-dev` package on any of `releases`; `None` where they are not known, or where no names work on all of them.
    #[must_use]
    pub fn debian_runtime(&self, package: &str, releases: &[String]) -> Option<Vec<String>> {
        let rows = debian().runtime.get(bare(package))?;
        let mut releases = releases.iter();
        let names = rows.get(releases.next()?)?.clone();
        // A later release may have renamed a package and still answer to its older name.
        releases
            .all(|release| {
                let provided = debian().provides.get(release);
                rows.get(release).is_some_and(|here| {
                    let mut here: Vec<&String> =
                        here.iter().map(|n| provided.and_then(|p| p.get(n)).filter(|old| names.contains(old)).unwrap_or(n)).collect();
                    here.sort();
                    let mut names: Vec<&String> = names.iter().collect();
                    names.sort();
                    here == names
                })
            })
            .then_some(names)
    }

    /// The runtime packages of a `-dev` package: `manager` is `apt` or `apk`, `releases` those that the image may stand on.
    #[must_use]
    pub fn runtime_packages(&self, package: &str, manager: &str, releases: &[String]) -> Option<Vec<String>> {
        if let Some(own) = self.added.runtime_packages.get(manager).and_then(|packages| packages.get(bare(package))) {
            return Some(own.clone());
        }
        match manager {
            "apk" => system().apk_runtime.get(bare(package)).cloned(),
            "apt" => self.debian_runtime(package, releases),
            _ => None,
        }
    }

    /// What the package `name` of the Python Package Index needs at run time; `None` for one that the catalog does not list.
    #[must_use]
    pub fn python_package(&self, name: &str) -> Option<&'static Needs> {
        python().package.get(&crate::context::manifests::python::canonical(name))
    }

    /// The packages of the Python Package Index, one of which has the command `name`.
    #[must_use]
    pub fn python_command(&self, name: &str) -> &'static [String] {
        python().commands.get(name).map_or(&[], Vec::as_slice)
    }

    /// The system packages that the package `name` of the Python Package Index needs at run time on such an image. `from_source`: its wheels
    /// are not used (Alpine, `--no-binary`). `Err` with the reason where that can't be said.
    ///
    /// # Errors
    /// Where the catalog knows that nothing can be known, or no package name fits all releases.
    pub fn python_runtime(
        &self,
        name: &str,
        extras: &[String],
        manager: &str,
        releases: &[String],
        from_source: bool,
    ) -> Result<Vec<String>, String> {
        self.python_package(name).map_or(Ok(Vec::new()), |needs| self.needs(name, needs, extras, manager, releases, from_source))
    }

    /// Whether the Python Package Index offers no wheel of `version` of the package `name` for `python` (`3.11`), so that it is compiled.
    #[must_use]
    pub fn python_compiles(&self, name: &str, version: &str, python: &str) -> bool {
        let Some(wheels) = self.python_package(name).map(|needs| &needs.wheels).filter(|w| !w.is_empty()) else { return false };
        let minor: String = python.split('.').take(2).collect::<Vec<_>>().join(".");
        // A newer Python than the table knows had its wheels later still.
        let newest = wheels.values().max_by(|a, b| compare(a, b));
        wheels.get(&minor).or(wheels.get("3")).or(newest).is_some_and(|first| compare(version, first).is_lt())
    }

    /// What the package `name` of npm needs at run time; `None` for one that the catalog does not list.
    #[must_use]
    pub fn node_package(&self, name: &str) -> Option<&'static Needs> {
        node().package.get(name)
    }

    /// The system packages that the package `name` of npm needs at run time on such an image.
    ///
    /// # Errors
    /// As [`Catalog::python_runtime`].
    pub fn node_runtime(&self, name: &str, manager: &str, releases: &[String]) -> Result<Vec<String>, String> {
        self.node_package(name).map_or(Ok(Vec::new()), |needs| self.needs(name, needs, &[], manager, releases, manager == "apk"))
    }

    /// The programs that the package `name` of npm brings; one of its own name where nothing else is known.
    #[must_use]
    pub fn node_bins<'n>(&self, name: &'n str) -> Vec<&'n str> {
        match node().bins.get(name) {
            Some(bins) => bins.iter().map(String::as_str).collect(),
            None => name.rsplit('/').next().into_iter().collect(),
        }
    }

    /// Whether every image of Node, or its shell, has the program `name`.
    #[must_use]
    pub fn node_program(&self, name: &str) -> bool {
        node().image_programs.iter().any(|p| p == name)
    }

    /// What packages of npm load without being told by a `require` of the project's.
    #[must_use]
    pub fn node_by_name(&self) -> &'static [ByName] {
        &node().by_name
    }

    /// Whether a command line starts a development server (`nodemon app.js`, `vite`, `next dev`).
    #[must_use]
    pub fn node_development_server(&self, command: &str) -> bool {
        let words: Vec<&str> = command.split_whitespace().map(|w| w.rsplit('/').next().unwrap_or(w)).collect();
        node().development.servers.iter().any(|server| {
            let wanted: Vec<&str> = server.split_whitespace().collect();
            // `vite build` and `vite preview` are no development servers, so a bare name counts only before an option or a file.
            words.windows(wanted.len().max(1)).enumerate().any(|(i, window)| {
                let next = words.get(i + wanted.len()).copied().unwrap_or_default();
                let is_task = wanted.len() == 1 && matches!(next, "build" | "preview" | "optimize" | "--version" | "--help");
                window == wanted.as_slice() && !is_task
            })
        })
    }

    /// The system packages that the gem `name` needs at run time on such an image. `system_libraries`: gems that bring libraries along are
    /// told to use those of the system.
    ///
    /// # Errors
    /// As [`Catalog::python_runtime`].
    pub fn ruby_runtime(&self, name: &str, manager: &str, releases: &[String], system_libraries: bool) -> Result<Vec<String>, String> {
        ruby().package.get(name).map_or(Ok(Vec::new()), |needs| self.needs(name, needs, &[], manager, releases, system_libraries))
    }

    /// Whether the task `name` of rake or rails writes into the application's folder alone.
    #[must_use]
    pub fn ruby_task_in_folder(&self, name: &str) -> bool {
        ruby().tasks.iter().any(|task| task == name)
    }

    /// Whether Bundler's setting `name` counts when a program starts, and not only when gems are installed.
    #[must_use]
    pub fn bundler_setting_at_start(&self, name: &str) -> bool {
        ruby().settings.iter().any(|setting| setting == name)
    }

    /// Whether one of `gems` looks for a JavaScript runtime when it is loaded, and none of them brings one.
    #[must_use]
    pub fn gems_need_javascript(&self, gems: &[String]) -> bool {
        let any = |list: &[String]| gems.iter().any(|gem| list.contains(gem));
        any(&ruby().javascript) && !any(&ruby().javascript_runtimes)
    }

    /// Whether the gem `name` needs nothing of the system besides what the catalog says of itself.
    #[must_use]
    pub fn gem_is_self_contained(&self, name: &str) -> bool {
        ruby().self_contained.iter().any(|gem| gem == name)
    }

    /// Whether a command line starts a program that restarts a Ruby application when its sources change.
    #[must_use]
    pub fn ruby_development_server(&self, command: &str) -> bool {
        let words: Vec<&str> = command.split_whitespace().map(|w| w.rsplit('/').next().unwrap_or(w)).collect();
        ruby().development.servers.iter().any(|server| {
            let wanted: Vec<&str> = server.split_whitespace().collect();
            words.windows(wanted.len().max(1)).any(|window| window == wanted.as_slice())
        })
    }

    /// Where `tool` keeps what it fetches on an image of `family`.
    #[must_use]
    pub fn store(&self, tool: &str, family: &str) -> Option<&'static Store> {
        system().store.iter().find(|s| s.tool == tool && (s.family.is_empty() || s.family == family))
    }

    fn needs(
        &self,
        name: &str,
        needs: &Needs,
        extras: &[String],
        manager: &str,
        releases: &[String],
        from_source: bool,
    ) -> Result<Vec<String>, String> {
        if let Some(reason) = &needs.unsure {
            return Err(format!("{name} {reason}"));
        }
        if (needs.wheel && !from_source) || needs.bundled_by_extra.iter().any(|e| extras.contains(e)) {
            return Ok(Vec::new());
        }
        if manager == "apk" {
            return if needs.apk.is_empty() && !needs.apt.is_empty() {
                Err(format!("what {name} needs on Alpine is not known"))
            } else {
                Ok(needs.apk.clone())
            };
        }
        if needs.from.as_deref().is_some_and(|from| releases.iter().any(|r| older(r, from))) {
            return Err(format!("what {name} needs on {} is not known", releases.join(" or ")));
        }
        let mut out = Vec::new();
        for package in &needs.apt {
            if package.ends_with("-dev") {
                let runtime = self.runtime_packages(package, "apt", releases);
                out.extend(runtime.ok_or_else(|| {
                    format!("the runtime libraries of {package}, which {name} needs, are not known for {}", releases.join(" or "))
                })?);
            } else {
                out.push(package.clone());
            }
        }
        Ok(out)
    }
}

/// A package's name without version, architecture and release.
fn bare(package: &str) -> &str {
    package.split(['=', ':', '/', '<', '>', '~']).next().unwrap_or(package)
}

/// Whether one Debian release came before another.
fn older(a: &str, b: &str) -> bool {
    const ORDER: [&str; 8] = ["wheezy", "jessie", "stretch", "buster", "bullseye", "bookworm", "trixie", "forky"];
    let at = |r: &str| ORDER.iter().position(|o| *o == r);
    match (at(a), at(b)) {
        (Some(a), Some(b)) => a < b,
        _ => compare(a, b).is_lt(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Debian, Ecosystem, System};
    use crate::catalog::Catalog;

    fn names(list: &[&str]) -> Vec<String> {
        list.iter().map(|n| (*n).to_owned()).collect()
    }

    #[test]
    fn files_parse() {
        toml::from_str::<System>(include_str!("../../catalog/packages.toml")).unwrap();
        toml::from_str::<Debian>(include_str!("../../catalog/debian.toml")).unwrap();
        toml::from_str::<Ecosystem>(include_str!("../../catalog/python.toml")).unwrap();
        toml::from_str::<Ecosystem>(include_str!("../../catalog/node.toml")).unwrap();
        toml::from_str::<Ecosystem>(include_str!("../../catalog/ruby.toml")).unwrap();
    }

    #[test]
    fn every_dev_package_that_is_named_is_known() {
        for (name, needs) in super::python().package.iter().chain(&super::node().package).chain(&super::ruby().package) {
            for package in needs.apt.iter().filter(|p| p.ends_with("-dev")) {
                let found = Catalog::built_in().debian_runtime(package, &names(&["bookworm"]));
                assert!(found.is_some_and(|f| !f.is_empty()), "{package} of {name}");
            }
        }
    }

    #[test]
    fn runtime_libraries_by_release() {
        let c = Catalog::built_in();
        assert_eq!(c.debian_runtime("libpq-dev", &names(&["bookworm", "trixie"])), Some(names(&["libpq5"])));
        assert_eq!(c.debian_runtime("libffi-dev", &names(&["bullseye"])), Some(names(&["libffi7"])));
        assert_eq!(c.debian_runtime("libffi-dev", &names(&["bullseye", "bookworm"])), None);
        // libssl3t64 of trixie answers to libssl3.
        assert_eq!(c.debian_runtime("libssl-dev", &names(&["bookworm", "trixie"])), Some(names(&["libssl3"])));
        assert_eq!(c.debian_runtime("libssl-dev=3.0", &names(&["trixie"])), Some(names(&["libssl3t64"])));
        assert_eq!(c.debian_runtime("libfoo-dev", &names(&["bookworm"])), None);
        assert_eq!(c.debian_runtime("libpq-dev", &[]), None);
        assert_eq!(c.debian_runtime("default-libmysqlclient-dev", &names(&["bookworm"])), Some(names(&["libmariadb3"])));
        assert_eq!(c.runtime_packages("postgresql-dev", "apk", &[]), Some(names(&["libpq"])));
    }

    #[test]
    fn what_builds_only() {
        let c = Catalog::built_in();
        for (name, manager) in [
            ("build-essential", "apt"),
            ("gcc", "apk"),
            ("libxml2-dev", "apt"),
            ("gcc-c++", "yum"),
            ("g++-12", "apt"),
            ("openssl-devel", "dnf"),
            ("make=4.3-4.1", "apt"),
        ] {
            assert!(c.is_build_only(name, manager), "{name}");
        }
        for (name, manager) in [("curl", "apt"), ("libpq5", "apt"), ("gettext", "apt"), ("git", "apk"), ("python3", "apt")] {
            assert!(!c.is_build_only(name, manager), "{name}");
        }
    }

    #[test]
    fn what_python_packages_load() {
        let c = Catalog::built_in();
        let r = names(&["bookworm"]);
        assert_eq!(c.python_runtime("psycopg2", &[], "apt", &r, false), Ok(names(&["libpq5"])));
        assert_eq!(c.python_runtime("psycopg2_binary", &[], "apt", &r, false), Ok(vec![]));
        assert_eq!(c.python_runtime("psycopg", &names(&["binary"]), "apt", &r, false), Ok(vec![]));
        assert_eq!(c.python_runtime("lxml", &[], "apt", &r, false), Ok(vec![]));
        assert_eq!(c.python_runtime("lxml", &[], "apt", &r, true), Ok(names(&["libxml2", "libxslt1.1"])));
        assert_eq!(c.python_runtime("Flask", &[], "apt", &r, false), Ok(vec![]));
        assert!(c.python_runtime("weasyprint", &[], "apt", &names(&["bullseye", "bookworm"]), false).is_err());
        assert!(c.python_runtime("playwright", &[], "apt", &r, false).is_err());
        assert_eq!(c.python_command("celery"), ["celery"]);
        assert!(c.python_compiles("Pillow", "4.0.0", "3.8.1") && !c.python_compiles("Pillow", "4.0.0", "3.6"));
        assert!(c.python_compiles("pycurl", "7.43.0.2", "3.6") && !c.python_compiles("Flask", "0.1", "3.6"));
    }

    #[test]
    fn development_servers() {
        let c = Catalog::built_in();
        for command in
            ["nodemon app.js", "next dev", "vite --host", "./node_modules/.bin/nodemon x", "react-scripts start", "node --watch a.js"]
        {
            assert!(c.node_development_server(command), "{command}");
        }
        for command in ["node server.js", "vite build", "next start", "vite preview", "react-scripts build"] {
            assert!(!c.node_development_server(command), "{command}");
        }
    }
}
