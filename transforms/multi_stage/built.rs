//! Rust, Java and C: what starts is found among what the builds leave in their folders.

use super::compiled::{self, Sources};
use super::draft::{Draft, absolute, inside, join, mentions, refuse};
use super::facts::facts;
use super::installed::{self, Installed};
use super::language::{At, Planner};
use super::needs;
use super::plan::Plan;
use super::program::Started;
use super::roles::{Role, is_system_folder, named, of_the_project, own_folder, value_of};
use super::{cargo, shared};
use crate::model::command::{Action, Classified, Operation};
use crate::model::image::Reference;
use crate::transforms::Refusal;

/// Options of `java` that say where the classes are.
const PLACED: &[&str] = &["-jar", "-cp", "-classpath", "--class-path", "-p", "--module-path", "-m", "--module"];

/// Which of the languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Rust,
    Java,
    C,
}

impl Kind {
    /// Endings of the files that only build.
    fn own(self) -> &'static [&'static str] {
        match self {
            Self::Rust => &[
                ".rs",
                "Cargo.toml",
                "Cargo.lock",
                "rust-toolchain",
                "rust-toolchain.toml",
                "rustfmt.toml",
                "clippy.toml",
                "deny.toml",
                "cross.toml",
                "tarpaulin.toml",
            ],
            Self::Java => &[
                ".java",
                ".kt",
                ".kts",
                ".scala",
                ".gradle",
                "pom.xml",
                "gradlew",
                "gradlew.bat",
                "mvnw",
                "mvnw.cmd",
                "gradle.properties",
                ".MF",
            ],
            Self::C => &[
                ".c",
                ".h",
                ".cc",
                ".cpp",
                ".cxx",
                ".hpp",
                ".hh",
                ".am",
                ".ac",
                ".in",
                ".m4",
                ".cmake",
                "CMakeLists.txt",
                ".mk",
                "configure",
                ".o",
            ],
        }
    }

    /// Endings of the sources that are searched.
    fn sources(self) -> &'static [&'static str] {
        match self {
            Self::Rust => &[".rs"],
            Self::Java => &[".java", ".kt", ".scala"],
            Self::C => &[".c", ".h", ".cc", ".cpp", ".cxx", ".hpp"],
        }
    }
}

/// What the planner has seen.
#[derive(Debug)]
pub(super) struct Built {
    kind: Kind,
    builds: Vec<Build>,
    installs: Vec<Installed>,
    /// The prefix that `configure` or `cmake` was told of.
    prefix: Option<String>,
}

#[derive(Clone, Debug)]
struct Build {
    folder: String,
    step: usize,
    /// The names of all that it makes there, where they are known.
    programs: Option<Vec<String>>,
    /// The crate of somebody else that it fetches.
    tool: Option<cargo::Tool>,
}

impl Build {
    fn of(folder: String, step: usize) -> Self {
        Self { folder, step, programs: None, tool: None }
    }

    /// Whether it may make `path`.
    fn makes(&self, path: &str) -> bool {
        let name = path.rsplit('/').next().unwrap_or(path);
        inside(path, &self.folder)
            && path != self.folder
            && self.programs.as_ref().is_none_or(|programs| programs.iter().any(|p| p == name))
    }
}

impl Planner for Built {
    fn role(&mut self, at: &At, _plan: &mut Plan) -> Result<Option<Role>, Refusal> {
        let At { draft, index, command, .. } = *at;
        let words = command.texts();
        let program = words.first().map(|w| w.rsplit('/').next().unwrap_or(w)).unwrap_or_default();
        let builds = match &command.action {
            Action::Build { .. } => true,
            Action::Language { manager, operation, .. } => match (self.kind, manager.as_str()) {
                (Kind::Rust, "cargo") => {
                    if *operation == Operation::Install || words.get(1) == Some(&"install") {
                        return self.cargo_install(draft, index, command, &words).map(Some);
                    }
                    if words.get(1) == Some(&"run") {
                        return refuse(
                            command.line,
                            format!("`{}` runs a program at build time, whose effects are not known", named(command)),
                        );
                    }
                    matches!(operation, Operation::Run | Operation::Other) || words.get(1) == Some(&"build")
                }
                (Kind::Java, "maven" | "gradle" | "mvn") => true,
                _ => return Ok(None),
            },
            Action::Test => return Ok(Some(Role::Build)),
            _ if program == "ldconfig" => return Ok(Some(Role::Build)),
            _ if matches!(program, "rustup" | "rustc") && words.len() <= 2 || program == "rustup" => return Ok(Some(Role::Build)),
            _ => return Ok(None),
        };
        if !builds {
            return Ok(Some(Role::Build));
        }
        let folder = own_folder(command)?;
        let told = installed::prefix(&words);
        if self.kind == Kind::C && installed::installs(&words) {
            self.installs.push(Installed::of(draft, index, command, told.or_else(|| self.prefix.clone())));
        } else if told.is_some() {
            self.prefix = told;
        }
        self.builds.push(Build::of(folder, index));
        Ok(Some(Role::Build))
    }

    fn builds(&self) -> bool {
        !self.builds.is_empty()
    }

    fn finish(&mut self, draft: &Draft, plan: &mut Plan) -> Result<(), Refusal> {
        needs::readable_start(draft)?;
        needs::known_context(draft, "which files the program opens can't be told")?;
        for started in &draft.program.commands {
            let first = started.words.first().map(|w| w.rsplit('/').next().unwrap_or(w)).unwrap_or_default();
            if matches!(
                first,
                "cargo" | "mvn" | "mvnw" | "gradle" | "gradlew" | "javac" | "make" | "gcc" | "g++" | "sbt" | "lein" | "rustc"
            ) {
                return refuse(started.line, format!("`{}` needs the build tool at run time", started.words.join(" ")));
            }
        }
        if self.kind == Kind::Java
            && let Some(started) = draft.program.commands.iter().find(|c| c.words.iter().any(|w| w.ends_with(".java") || w == "--source"))
        {
            return refuse(started.line, format!("`{}` compiles when it starts", started.words.join(" ")));
        }
        let Some(runtime) = draft.facts.runtime.clone() else {
            return refuse(
                draft.from.line,
                format!("no image is known that surely runs what `{}` builds; name a version and release in its tag", draft.image.written),
            );
        };
        plan.runtime = runtime;
        let runtime_facts = Reference::parse(&plan.runtime).and_then(|r| draft.model.catalog.image(&r)).unwrap_or_default();
        let (program, step) = self.artifacts(draft, plan)?;
        let started: Vec<String> = plan.artifacts.iter().map(|a| a.path.clone()).chain([program.clone()]).collect();
        let folder = self.project(draft, &program);
        let sources = compiled::sources(draft, &folder, self.kind.sources());
        match self.kind {
            Kind::Rust => {
                let shipped = |b: &&Build| plan.artifacts.iter().any(|a| b.makes(&a.path));
                let tools: Vec<cargo::Tool> = self.builds.iter().filter(shipped).filter_map(|b| b.tool.clone()).collect();
                cargo::libraries(draft, plan, &runtime_facts, &sources, &tools)?;
            }
            Kind::Java => java_tools(draft, plan, &sources)?,
            Kind::C => {
                c_libraries(draft, plan, &sources)?;
                let last = self.builds.iter().map(|b| b.step).max().unwrap_or(step);
                shared::libraries(draft, plan, &folder, &sources, last.max(step), !self.installs.is_empty())?;
            }
        }
        let (endings, calls): (&[&str], &[&str]) = match self.kind {
            Kind::Rust => (&[".rs"], &["Command::new"]),
            Kind::Java => (&[".java", ".kt"], &["ProcessBuilder", ".exec("]),
            Kind::C => (&[".c", ".cc", ".cpp"], &["system(", "popen(", "exec"]),
        };
        needs::tools(draft, plan, endings, calls)?;
        needs::time_zones(draft, plan, self.kind == Kind::Java);
        super::assets::ship(draft, plan, &folder, &sources, self.kind == Kind::Java);
        compiled::data(draft, plan, &folder, &sources, self.kind.own(), step);
        compiled::base_configuration(draft, plan, &started)
    }

    fn compiled(&self) -> bool {
        true
    }
}

impl Built {
    pub(super) fn new(kind: Kind) -> Self {
        Self { kind, builds: Vec::new(), installs: Vec::new(), prefix: None }
    }

    fn cargo_install(&mut self, draft: &Draft, index: usize, command: &Classified, words: &[&str]) -> Result<Role, Refusal> {
        let root = value_of(words, &["--root"]).unwrap_or("/usr/local/cargo");
        let Some(root) = absolute(command.directory.as_deref(), root) else {
            return refuse(command.line, format!("`{}` installs to a folder that is not known", named(command)));
        };
        let bin = format!("{root}/bin");
        let tools = cargo::tools(words);
        if !tools.is_empty() {
            self.builds.extend(tools.into_iter().map(|tool| Build {
                programs: Some(tool.programs.clone()),
                tool: Some(tool),
                ..Build::of(bin.clone(), index)
            }));
            return Ok(Role::Build);
        }
        let path = value_of(words, &["--path"]).unwrap_or(".");
        let Some(folder) = absolute(command.directory.as_deref(), path) else {
            return refuse(command.line, format!("`{}` runs in a folder that is not known", named(command)));
        };
        of_the_project(command, &folder)?;
        self.builds.push(Build { programs: cargo::programs(draft, &folder), ..Build::of(bin, index) });
        self.builds.push(Build::of(folder, index));
        Ok(Role::Build)
    }

    /// The folder of the project that the program was built from.
    fn project(&self, draft: &Draft, program: &str) -> String {
        let of = self
            .builds
            .iter()
            .filter(|b| draft.copies.iter().any(|c| inside(&b.folder, &c.destination) || inside(&c.destination, &b.folder)));
        let mut folders: Vec<&str> = of.map(|b| b.folder.as_str()).collect();
        let origin = draft.placed_from(program).unwrap_or_else(|| program.to_owned());
        folders.sort_by_key(|f| std::cmp::Reverse(usize::from(inside(&origin, f)) * 10_000 + f.len()));
        let mut folder = folders.first().copied().unwrap_or_else(|| draft.workdir().unwrap_or("/"));
        // A folder that the build itself makes has its sources above it.
        while let Some((above, _)) = folder.rsplit_once('/').filter(|(above, _)| draft.project_of(above).is_some()) {
            if draft.context_path(folder).is_some() {
                break;
            }
            folder = above;
        }
        folder.to_owned()
    }

    /// Notes what of the builds is started; the program's path and the step that makes it.
    fn artifacts(&self, draft: &Draft, plan: &mut Plan) -> Result<(String, usize), Refusal> {
        let mut found: Option<(String, usize)> = None;
        let mut found_tool: Option<(String, usize)> = None;
        for started in draft.program.commands.iter().filter(|c| !c.health) {
            for (at, word) in started.words.iter().enumerate() {
                // Of a Java command line the jar and the class path count; elsewhere the program alone.
                let class =
                    at > 0 && !word.contains(['/', ':']) && word.rsplit_once('.').is_some_and(|(_, n)| n.starts_with(char::is_uppercase));
                if word.starts_with('-') || word.contains("://") || class || at > 0 && self.kind != Kind::Java {
                    continue;
                }
                for part in word.split(':').filter(|p| !p.is_empty()) {
                    let paths = self.resolve(draft, part, at == 0);
                    for path in paths {
                        let Some((path, step)) = self.made(draft, plan, &path) else { continue };
                        plan.artifact(&path, step);
                        let tool = self.builds.iter().any(|b| b.tool.is_some() && b.makes(&path));
                        if tool { &mut found_tool } else { &mut found }.get_or_insert((path, step));
                    }
                }
            }
        }
        // Somebody else's program as a rule only prepares what is the project's.
        if let Some(found) = found.or(found_tool) {
            return Ok(found);
        }
        let Some(first) = draft.program.commands.first().and_then(|c| c.words.first()) else {
            return refuse(draft.program.line, "what starts can't be read");
        };
        if let Some(found) = self.classes(draft, plan) {
            return Ok(found);
        }
        if let Some(Installed { step, prefix, .. }) = self.installs.last().cloned() {
            let mut folders: Vec<String> = self.builds.iter().map(|b| b.folder.clone()).collect();
            folders.dedup();
            installed::gather(draft, plan, &self.installs, &folders)?;
            return Ok((join(&format!("{prefix}/bin"), first.rsplit('/').next().unwrap_or(first)), step));
        }
        refuse(draft.program.line, format!("`{first}` is what starts, and no line builds it as far as can be told"))
    }

    /// `java Main`: the classes that javac left beside the sources, in the folder that the class path is by itself.
    fn classes(&self, draft: &Draft, plan: &mut Plan) -> Option<(String, usize)> {
        let started = draft.program.commands.iter().find(|c| !c.health && c.words.first().is_some_and(|w| w == "java"))?;
        if self.kind != Kind::Java || started.words.iter().any(|w| PLACED.contains(&w.split('=').next().unwrap_or(w))) {
            return None;
        }
        let folder = draft.workdir().filter(|w| !is_system_folder(w))?;
        let build = self.builds.iter().rev().find(|b| b.folder == folder)?;
        if draft.stage.end.env.iter().any(|(name, _)| name == "CLASSPATH") {
            return None;
        }
        plan.snapshot(folder, build.step);
        plan.notes.push(format!("the classes lie among the sources, so `{folder}` is taken over whole"));
        Some((join(folder, "classes"), build.step))
    }

    /// Where a word of a command may be a file.
    fn resolve(&self, draft: &Draft, part: &str, first: bool) -> Vec<String> {
        if first && !part.contains('/') {
            let built = self.builds.iter().map(|b| b.folder.clone()).filter(|f| f.ends_with("/bin"));
            return built.chain(draft.search_path()).map(|folder| join(&folder, part)).collect();
        }
        absolute(draft.workdir(), part).into_iter().collect()
    }

    /// The path to take over for `path`, if a build makes it: the file, its folder where a wildcard names several, or the
    /// distribution around a start script.
    fn made(&self, draft: &Draft, plan: &Plan, path: &str) -> Option<(String, usize)> {
        let bare = match path.find(['*', '?', '[', '$']) {
            Some(at) => path.get(..at)?.rsplit_once('/')?.0,
            None => path,
        };
        if plan.artifacts.iter().any(|a| a.path == bare) {
            return plan.artifacts.iter().find(|a| a.path == bare).map(|a| (a.path.clone(), a.step));
        }
        let build = self.builds.iter().rev().find(|b| b.makes(bare))?;
        let from_context = draft.context_path(bare).is_some_and(|c| draft.model.context.exists(&c));
        let is_data = !bare.contains('/') || from_context;
        if is_data {
            return None;
        }
        let step = self.builds.iter().rev().find(|b| b.folder == build.folder).map_or(build.step, |b| b.step);
        let distribution = bare
            .rsplit_once("/bin/")
            .map(|(parent, _)| parent)
            .filter(|p| self.kind == Kind::Java && inside(p, &build.folder) && *p != build.folder);
        // An option's value such as `production` is no file.
        let looks_like_file = distribution.is_some()
            || bare.strip_prefix(&build.folder).is_some_and(|r| self.kind != Kind::Java || r.matches('/').count() > 1 || r.contains('.'))
            || self.kind == Kind::Java && is_made_by_mkdir(draft, bare);
        looks_like_file.then(|| (distribution.unwrap_or(bare).to_owned(), step))
    }
}

fn is_made_by_mkdir(draft: &Draft, path: &str) -> bool {
    path.rsplit('/').next().is_some_and(|name| {
        draft.steps.iter().any(|s| {
            s.run.as_ref().is_some_and(|r| {
                r.commands.iter().any(|c| {
                    c.words.first().is_some_and(|w| w.raw == "mkdir" || w.raw == "javac")
                        && c.words.iter().any(|w| w.raw.rsplit('/').next() == Some(name))
                })
            })
        })
    })
}

/// Refuses what the tools of a JDK are needed for, which a runtime image does not have.
fn java_tools(draft: &Draft, plan: &Plan, sources: &Sources) -> Result<(), Refusal> {
    let tools = &facts().java.jdk_tools;
    let jdk = plan.runtime.contains("jdk") && !plan.runtime.contains("jre");
    let name = |c: &Started| c.words.first().map(|w| w.rsplit('/').next().unwrap_or(w).to_owned()).unwrap_or_default();
    if let Some(started) = draft.program.commands.iter().find(|c| !jdk && tools.contains(&name(c))) {
        return refuse(started.line, format!("`{}` is a tool of the JDK, which `{}` does not have", name(started), plan.runtime));
    }
    for (path, text) in sources.iter().filter(|(_, text)| !jdk && ["ProcessBuilder", ".exec("].iter().any(|c| text.contains(c))) {
        if let Some(tool) = tools.iter().find(|tool| needs::calls(text, tool)) {
            return refuse(draft.program.line, format!("{path} runs `{tool}`, a tool of the JDK, which `{}` does not have", plan.runtime));
        }
    }
    for (path, text) in sources {
        for name in ["javax.tools.", "com.sun.tools.", "jdk.jshell"] {
            if text.contains(name) {
                return refuse(draft.program.line, format!("{path} uses `{name}`, which a runtime image does not have"));
            }
        }
    }
    Ok(())
}

/// Shared libraries that a C or C++ program links, as far as its build files name them.
fn c_libraries(draft: &Draft, plan: &mut Plan, sources: &Sources) -> Result<(), Refusal> {
    let cpp = sources.iter().any(|(p, _)| [".cc", ".cpp", ".cxx", ".hpp"].iter().any(|e| p.ends_with(e)));
    if cpp {
        let major = draft.facts.version.as_deref().and_then(|v| v.split('.').next()?.parse::<u32>().ok());
        if draft.facts.family == "gcc" && major.is_none_or(|m| m > 12) {
            return refuse(
                draft.from.line,
                format!("C++ built with `{}` may need a newer libstdc++ than the runtime image has", draft.image.written),
            );
        }
        plan.package(if draft.manager() == "apk" { "libstdc++" } else { "libstdc++6" }, 0);
    }
    let text = shared::build_text(draft);
    if text.contains("-fopenmp") {
        plan.package(if draft.manager() == "apk" { "libgomp" } else { "libgomp1" }, 0);
    }
    if text.contains("find_package(")
        || text.contains("pkg_check_modules")
        || text.contains("PKG_CHECK_MODULES")
        || text.contains("pkg-config")
    {
        let threads_only = text.matches("find_package(").count() == text.matches("find_package(Threads").count() && !text.contains("pkg");
        if !threads_only && plan.packages.is_empty() {
            return refuse(
                draft.from.line,
                "the build looks for libraries of the full image; which of them the program loads at run time is not known",
            );
        }
    }
    for word in text.split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '(' | ')' | ';')) {
        let Some(name) =
            word.strip_prefix("-l").filter(|n| !n.is_empty() && n.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-' || c == '+'))
        else {
            continue;
        };
        let basic = ["m", "c", "pthread", "dl", "rt", "util", "crypt", "stdc++", "gcc", "gcc_s", "resolv", "nsl"].contains(&name);
        let own = text.contains(&format!("lib{name}.")) || mentions(&text, &format!("add_library({name}"));
        let installed = plan.packages.iter().any(|p| p.name.contains(name));
        let brought = || facts().c.libraries.get(name).filter(|_| draft.facts.family == "gcc" && draft.manager() == "apt");
        if !basic
            && !own
            && !installed
            && let Some(libraries) = brought().and_then(|dev| draft.model.catalog.runtime_packages(dev, "apt", &draft.facts.releases))
        {
            libraries.iter().for_each(|library| plan.package(library, 0));
            plan.notes.push(format!("the program links `-l{name}`, which the full image brings, so {} is installed", libraries.join(", ")));
        } else if !basic && !own && !installed {
            return refuse(
                draft.from.line,
                format!("the program links `-l{name}`, and which package of the runtime image brings it is not known"),
            );
        }
    }
    Ok(())
}
