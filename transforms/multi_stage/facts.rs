//! What `catalog/split.toml` knows.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;

/// The whole file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Facts {
    /// Commands that set up the system that they run on.
    pub system_commands: Vec<String>,
    /// Build arguments that package managers and their packages read by themselves.
    pub installing: Vec<String>,
    /// Programs of the full images, with the package that holds each.
    pub tools: BTreeMap<String, String>,
    pub toolchain: Toolchain,
    pub go: Go,
    pub rust: Rust,
    pub java: Java,
    pub c: C,
    pub dotnet: Dotnet,
    pub context: ContextFacts,
    pub system: System,
    /// Programs that every image with a shell has.
    pub basic_programs: Vec<String>,
    pub served: Served,
    pub builds: Builds,
    pub assets: Assets,
    pub fetch: Fetch,
}

/// What is known of .NET.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Dotnet {
    /// Sub-commands besides those that install, build or run, of which nothing outside of the project's folder is needed later.
    pub in_project: Vec<String>,
    /// Options of `dotnet` in front of an assembly that take a value.
    pub host_values: Vec<String>,
    /// Options of `dotnet publish` that take a value.
    pub publish_values: Vec<String>,
    /// Calls that start another program.
    pub starts: Vec<String>,
    /// Endings of files that only build.
    pub own: Vec<String>,
}

/// What is known of fetching files from elsewhere.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fetch {
    pub tools: Vec<Fetcher>,
    pub self_contained: Vec<SelfContained>,
}

/// A program that fetches files.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fetcher {
    pub program: String,
    /// Options whose value is the file that it writes.
    pub file: Vec<String>,
    /// Options whose value is the folder that it writes to.
    pub folder: Vec<String>,
    /// Other options with a value.
    pub values: Vec<String>,
    /// Whether files are named after their addresses if nothing else is said.
    #[serde(default)]
    pub own_name: bool,
    /// Options that ask for that.
    #[serde(default)]
    pub remote_name: Vec<String>,
    /// Options that write files whose names only the answer tells.
    pub unclear: Vec<String>,
    /// Whether all that it fetches goes into the one file that is named.
    #[serde(default)]
    pub one_file: bool,
}

impl Fetcher {
    /// Whether a value follows `option`.
    pub fn takes_value(&self, option: &str) -> bool {
        [&self.file, &self.folder, &self.values].iter().any(|known| known.iter().any(|o| o == option))
    }
}

/// Programs that need nothing but the C library.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SelfContained {
    /// A piece of the addresses that they are fetched from.
    pub address: String,
    /// The programs at the top of an archive from there.
    #[serde(default)]
    pub programs: Vec<String>,
}

/// A web server that packages of a distribution bring.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InstalledServer {
    pub manager: String,
    pub packages: Vec<String>,
    /// The folders that it serves as it comes.
    pub content: Vec<String>,
    /// The folder of its configuration.
    pub configuration: String,
}

/// What is known of builds in general.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Builds {
    /// Packages of programs that fetch sources.
    pub fetchers: Vec<String>,
    /// Files of a project's folder that say what its build does.
    pub files: Vec<String>,
    /// Programs that write into the folder that they run in, or into what they are told.
    pub in_folder: Vec<String>,
    /// Folders that builds name because they read from there, or whose files nothing else needs.
    pub only_read: Vec<String>,
}

/// Front ends that Node's tools make inside the image of another language.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Assets {
    /// Packages that bring Node and its tools; patterns.
    pub packages: Vec<String>,
    /// Programs that need those packages where they are started.
    pub programs: Vec<String>,
    /// Package managers.
    pub managers: Vec<String>,
    /// npm packages that only builds call where they are installed for all.
    pub global: Vec<String>,
    /// Programs that write what the words behind them say.
    pub tools: Vec<String>,
}

/// What is known of images of web servers.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Served {
    /// Programs that are the server.
    pub servers: Vec<String>,
    /// Programs that those images have besides the basic ones.
    pub present: Vec<String>,
    /// Packages that only make what is sent, besides toolchains and languages; patterns.
    pub packages: Vec<String>,
    /// Programs that make sites.
    pub generators: Vec<String>,
    /// Programs that run a script of the project; patterns.
    pub interpreters: Vec<String>,
    /// What a server that is installed on another image runs on, by distribution.
    pub bare: BTreeMap<String, String>,
    /// Servers as packages bring them.
    pub installed: Vec<InstalledServer>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Toolchain {
    pub programs: Vec<String>,
    /// Those of them that settings name to have them started.
    pub compilers: Vec<String>,
    /// What sources say that compile, or load a part of the full images, while they run.
    pub late: Vec<String>,
    /// What sources say that start programs by names that need not be strings.
    pub loose: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Go {
    pub cgo_modules: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rust {
    pub libraries: BTreeMap<String, BTreeMap<String, String>>,
    /// Of crates that link by their features: the crate of [`Self::libraries`] that each feature brings.
    pub features: BTreeMap<String, BTreeMap<String, String>>,
    /// Programs that `cargo install` brings, by their crates.
    pub tools: BTreeMap<String, RustTool>,
}

/// What `cargo install` brings of a crate.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RustTool {
    pub programs: Vec<String>,
    /// Crates of [`Rust::libraries`] that it has in any case.
    #[serde(default)]
    pub libraries: Vec<String>,
    /// Those that its features bring, all of which are on by themselves.
    #[serde(default)]
    pub features: BTreeMap<String, String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Java {
    /// Programs of a JDK that a JRE lacks.
    pub jdk_tools: Vec<String>,
}

/// How build files say that they make shared libraries.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Shared {
    /// By a word of its own.
    pub words: Vec<String>,
    /// By a part of one.
    pub parts: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct C {
    /// The package with the headers of each library that the full image brings, by what stands behind `-l`.
    pub libraries: BTreeMap<String, String>,
    pub shared: Shared,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ContextFacts {
    pub never_read: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct System {
    /// The Debian releases over which a library's name must be the same to be used on another one.
    pub releases: Vec<String>,
    /// `-dev` packages whose library has another name on such a release all the same.
    pub renamed: Vec<String>,
    /// `-dev` packages of which nothing that they build loads anything. Patterns.
    pub only_headers: Vec<String>,
    /// The Debian releases whose small images take any package.
    pub small: Vec<String>,
    /// Packages that weigh little without what they recommend.
    pub light: Vec<String>,
    /// Packages that Node's tools need to compile native modules, besides compilers.
    pub native_modules: Vec<String>,
    /// Packages of Alpine that bring a C++ compiler.
    pub compilers: Vec<String>,
    /// Libraries that come along with compilers.
    pub of_compilers: Vec<String>,
    /// Packages that what they compile needs there.
    pub compiled_loads: Vec<String>,
    /// Packages of the Python Package Index that are linked against libpython, which only development packages bring.
    pub links_libpython: Vec<String>,
    /// In the order in which they are tried.
    #[serde(rename = "language")]
    pub languages: Vec<SystemLanguage>,
    #[serde(rename = "replacement")]
    pub replacements: Vec<Replacement>,
}

/// A language that comes from packages. All lists hold patterns.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SystemLanguage {
    pub name: String,
    /// Packages that bring it.
    pub packages: Vec<String>,
    /// Programs that run what is written in it.
    #[serde(default)]
    pub starts: Vec<String>,
    /// Programs that build it.
    #[serde(default)]
    pub builds: Vec<String>,
    /// Its package managers, by which it is known where what starts does not tell.
    #[serde(default)]
    pub managers: Vec<String>,
}

/// A package in whose place the runtime stage installs others.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Replacement {
    pub language: String,
    pub manager: String,
    /// A pattern.
    pub package: String,
    /// What is installed instead; `*` stands for what the pattern's `*` stood for.
    pub by: Vec<String>,
    /// Programs that keep the package itself if they are started.
    #[serde(default)]
    pub unless_started: Vec<String>,
}

/// The facts, read once. The file is part of the program; a unit test reads it.
pub(super) fn facts() -> &'static Facts {
    static FACTS: OnceLock<Facts> = OnceLock::new();
    FACTS.get_or_init(|| crate::catalog::shipped!("split"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_catalog_reads() {
        let facts: super::Facts = toml::from_str(include_str!("../../catalog/split.toml")).unwrap();
        assert_eq!(facts.tools.get("psql"), None);
        assert_eq!(facts.tools.get("convert").map(String::as_str), Some("imagemagick"));
        assert!(!facts.go.cgo_modules.is_empty() && !facts.rust.libraries.is_empty() && !facts.context.never_read.is_empty());
    }
}
