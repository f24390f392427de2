//! Go: the binaries ship, with the files beside the sources that the program may open.

use super::compiled;
use super::draft::{ContextCopy, Draft, absolute, inside, join, refuse};
use super::facts::facts;
use super::installed::{self, Installed};
use super::language::{At, Planner};
use super::needs;
use super::plan::Plan;
use super::roles::{Role, is_system_folder, named, of_the_project};
use crate::edit::Edit;
use crate::model::Step;
use crate::model::command::{Action, Classified, Operation};
use crate::syntax::{Form, Keyword};
use crate::transforms::Refusal;
use std::rc::Rc;

/// Endings of what belongs to the sources.
const GO: &[&str] = &[".go", ".mod", ".sum", ".work", ".proto", ".c", ".h"];

/// What the planner has seen.
#[derive(Debug, Default)]
pub(super) struct Go {
    builds: Vec<Build>,
    /// Folders in which something else builds (`make`), with the step and line.
    others: Vec<(String, usize, usize)>,
    installs: Vec<Installed>,
}

/// One `go build` or `go install`.
#[derive(Clone, Debug)]
struct Build {
    step: usize,
    line: usize,
    /// Where `go` stands, to put an assignment in front.
    at: usize,
    /// The binaries that it writes, absolute.
    binaries: Vec<String>,
    /// `CGO_ENABLED` as far as the file says it.
    cgo: Option<bool>,
    /// Whether flags ask for cgo (`-race`, `-buildmode=plugin`).
    needs_cgo: bool,
    /// The folder of the module.
    folder: String,
    /// Whether it fetches somebody else's program, whose sources the context does not hold.
    foreign: bool,
}

impl Build {
    /// The command `at`, which makes nothing yet.
    fn of(at: &At, folder: String) -> Self {
        let At { index, step, command, .. } = *at;
        Self {
            step: index,
            line: command.line,
            at: command_start(command),
            binaries: Vec::new(),
            cgo: cgo(step, command),
            needs_cgo: false,
            folder,
            foreign: false,
        }
    }
}

impl Planner for Go {
    fn role(&mut self, at: &At, plan: &mut Plan) -> Result<Option<Role>, Refusal> {
        let At { draft, index, step, command } = *at;
        let words = command.texts();
        let program = words.first().map(|w| w.rsplit('/').next().unwrap_or(w)).unwrap_or_default();
        if program == "go" {
            return match words.get(1).copied().unwrap_or_default() {
                "build" => self.build(at, &words).map(Some),
                "install" => self.install(at, &words).map(Some),
                "run" => refuse(command.line, format!("`{}` runs a program at build time, whose effects are not known", named(command))),
                "generate" => refuse(command.line, "`go generate` runs programs of the project, whose effects are not known"),
                "get" if step.before.workdir.is_some() && !words.contains(&"-d") => {
                    let folder = module_folder(draft, command)?;
                    let packages: Vec<&str> = words.iter().skip(2).filter(|w| !w.starts_with('-')).copied().collect();
                    self.fetch(at, &folder, &packages);
                    Ok(Some(Role::Build))
                }
                _ => Ok(Some(Role::Build)),
            };
        }
        match &command.action {
            Action::Language { manager, operation, .. } if manager == "go" && *operation != Operation::Run => Ok(Some(Role::Build)),
            Action::Test => Ok(Some(Role::Build)),
            Action::File { .. } if matches!(program, "mkdir" | "touch") => Ok(compiled::made(at, plan)),
            Action::Build { .. } => {
                let folder = module_folder(draft, command)?;
                of_the_project(command, &folder)?;
                if installed::installs(&words) {
                    if installed::makefile(draft, command).is_some_and(|text| text.contains("go install")) {
                        return refuse(
                            command.line,
                            format!("`{}` runs `go install`, and where its programs end up is not clear", named(command)),
                        );
                    }
                    self.installs.push(Installed::of(draft, index, command, installed::prefix(&words)));
                }
                self.others.push((folder, index, command.line));
                Ok(Some(Role::Build))
            }
            _ => Ok(None),
        }
    }

    fn builds(&self) -> bool {
        !self.builds.is_empty() || !self.others.is_empty()
    }

    fn finish(&mut self, draft: &Draft, plan: &mut Plan) -> Result<(), Refusal> {
        needs::readable_start(draft)?;
        if let Some(started) = draft.program.commands.iter().find(|c| c.words.first().is_some_and(|w| w == "go" || w.ends_with("/bin/go")))
        {
            return refuse(started.line, format!("`{}` needs the Go toolchain at run time", started.words.join(" ")));
        }
        if let Some(started) = draft.program.commands.iter().find(|c| {
            matches!(
                c.words.first().map(|w| w.rsplit('/').next().unwrap_or(w)),
                Some("air" | "realize" | "fresh" | "gin" | "CompileDaemon" | "reflex" | "dlv")
            )
        }) {
            return refuse(started.line, format!("`{}` builds when sources change; this is a development file", started.words.join(" ")));
        }
        needs::known_context(draft, "which files the program opens can't be told")?;
        let program = self.program(draft, plan)?;
        let origin = draft.placed_from(&program).unwrap_or_else(|| program.clone());
        let build = self.builds.iter().find(|b| b.binaries.contains(&origin)).cloned();
        let placed = plan.artifacts.iter().any(|a| a.path == program);
        let installed = !placed && build.is_none() && self.installs.iter().any(|i| inside(&program, &i.prefix));
        let folder = build.as_ref().map(|b| if b.foreign { self.beside(draft, b) } else { b.folder.clone() }).or_else(|| {
            let of = |(f, ..): &&(String, usize, usize)| inside(&origin, f) || installed;
            self.others.iter().rev().find(of).map(|(f, ..)| f.clone())
        });
        let Some(folder) = folder else {
            return refuse(draft.program.line, format!("`{program}` is what starts, and no line builds it as far as can be told"));
        };
        for b in &self.builds {
            for binary in b.binaries.iter().filter(|b| !placed || **b != origin) {
                if draft.program.commands.iter().any(|c| c.words.iter().any(|w| binary.rsplit('/').next() == w.rsplit('/').next()))
                    || *binary == program
                {
                    plan.artifact(binary, b.step);
                }
            }
        }
        if installed {
            let mut folders: Vec<String> = self.others.iter().map(|(f, ..)| f.clone()).collect();
            folders.push("/go/pkg".to_owned());
            folders.dedup();
            installed::gather(draft, plan, &self.installs, &folders)?;
        } else if build.is_none() && !placed {
            let (_, step, line) = self.others.iter().find(|(f, ..)| *f == folder).cloned().unwrap_or((folder.clone(), 0, 0));
            plan.snapshot(&folder, step);
            plan.notes.push(format!("what line {line} writes is not known in detail, so `{folder}` is taken over whole"));
        }
        let sources = compiled::sources(draft, &folder, &[".go"]);
        let uses_cgo = self.uses_cgo(draft, &sources);
        let programs: Vec<String> = self.builds.iter().flat_map(|b| &b.binaries).chain([&program]).cloned().collect();
        let ships = |path: &String| plan.artifacts.iter().any(|a| a.path == *path);
        // Somebody else's program is built with the toolchain's own settings, so it may need the C library.
        let foreign = self.builds.iter().filter(|b| b.foreign).any(|b| b.binaries.iter().any(ships));
        let shell = draft.program.needs_shell
            || foreign
            || starts_another(draft, plan, &programs)
            || draft.steps.iter().any(|s| {
                matches!(s.keyword, Keyword::Run) && s.commands().iter().any(|c| matches!(c.action, Action::User) || needs_a_shell(c))
            });
        self.called_programs(draft, plan, &sources)?;
        if needs::is_full(draft) {
            let names: Vec<String> = programs.iter().filter_map(|p| p.rsplit('/').next()).map(str::to_owned).collect();
            needs::started_tools(draft, plan, &names)?;
        }
        let needs_system = shell || !plan.packages.is_empty();
        let explicit = build.as_ref().and_then(|b| b.cgo);
        let is_static = match explicit {
            Some(cgo) => !cgo,
            None => build.is_some() && !uses_cgo,
        };
        if is_static
            && explicit.is_none()
            && let Some(b) = &build
        {
            plan.builder_edits.push(Edit::insert(b.at, "CGO_ENABLED=0 "));
            plan.notes.push(format!("`CGO_ENABLED=0` (line {}) makes the program static, which this image needs", b.line));
        }
        let facts_of = &draft.facts;
        let alpine = facts_of.distribution.as_deref() == Some("alpine");
        plan.runtime = if is_static && !needs_system {
            // The user is for non-root to decide, which also sees to what the program writes.
            facts_of.static_runtime.as_deref().map(|r| r.trim_end_matches(":nonroot").to_owned())
        } else if !is_static && !needs_system && !alpine && plan.packages.is_empty() {
            facts_of.dynamic_runtime.clone().filter(|_| false).or_else(|| facts_of.runtime.clone())
        } else {
            facts_of.runtime.clone()
        }
        .unwrap_or_default();
        if plan.runtime.is_empty() {
            return refuse(
                draft.from.line,
                format!(
                    "the release of `{}` is not certain, so no image is known that surely runs what it builds; name one in its tag",
                    draft.image.written
                ),
            );
        }
        let distroless = plan.runtime.contains("distroless");
        if !distroless {
            if calls_https(&sources) || needs::start_trusts(draft, plan) {
                plan.package("ca-certificates", 0);
            }
            needs::time_zones(draft, plan, false);
            if sources.iter().any(|(_, text)| text.contains("time.LoadLocation")) {
                plan.package("tzdata", 0);
            }
        }
        let anchor = self.builds.iter().map(|b| b.step).chain(self.others.iter().map(|(_, step, _)| *step)).max().unwrap_or(0);
        super::assets::ship(draft, plan, &folder, &sources, false);
        compiled::data(draft, plan, &folder, &sources, GO, anchor);
        let shipped: Vec<String> = programs.into_iter().filter(|p| *p == program || plan.artifacts.iter().any(|a| a.path == *p)).collect();
        compiled::base_configuration(draft, plan, &shipped)
    }

    fn compiled(&self) -> bool {
        true
    }
}

impl Go {
    fn build(&mut self, at: &At, words: &[&str]) -> Result<Role, Refusal> {
        let At { draft, command, .. } = *at;
        let folder = module_folder(draft, command)?;
        let (packages, output) = arguments(words.get(2..).unwrap_or_default());
        let mut binaries = Vec::new();
        match output {
            Some(output) => {
                if output.contains(['$', '`', '*']) {
                    return refuse(command.line, format!("`{}` writes to `{output}`, which is not known before the build", named(command)));
                }
                let Some(path) = absolute(Some(&folder), output) else {
                    return refuse(command.line, "the folder of the build is not known");
                };
                let is_folder = output.ends_with('/') || packages.len() > 1 || packages.iter().any(|p| p.contains("..."));
                if is_folder {
                    for package in &packages {
                        if let Some(below) = package.strip_suffix("...") {
                            let names = main_packages(draft, &folder, below);
                            if names.len() > 1 {
                                return refuse(
                                    command.line,
                                    format!("`{}` writes several programs into `{output}`; name them", named(command)),
                                );
                            }
                            binaries.extend(names.iter().map(|name| join(&path, name)));
                            continue;
                        }
                        if let Some(name) = binary_name(draft, &folder, package) {
                            binaries.push(join(&path, &name));
                        }
                    }
                } else {
                    binaries.push(path);
                }
            }
            None if packages.len() > 1 && !packages.iter().all(|p| p.ends_with(".go")) || packages.iter().any(|p| p.contains("...")) => {}
            None => {
                let package = packages.first().copied().unwrap_or(".");
                match binary_name(draft, &folder, package) {
                    Some(name) => binaries.push(join(&folder, &name)),
                    None => {
                        needs::known_context(draft, "the name of the program that `go build` writes can't be told")?;
                        return refuse(
                            command.line,
                            "go.mod can't be read, so the name of the program that `go build` writes is not known; give it with -o",
                        );
                    }
                }
            }
        }
        let needs_cgo =
            words.iter().any(|w| *w == "-race" || *w == "-msan" || w.starts_with("-buildmode=p") || w.starts_with("-buildmode=c"));
        self.builds.push(Build { binaries, needs_cgo, ..Build::of(at, folder) });
        Ok(Role::Build)
    }

    fn install(&mut self, at: &At, words: &[&str]) -> Result<Role, Refusal> {
        let At { draft, command, .. } = *at;
        let folder = module_folder(draft, command)?;
        let (mut packages, _) = arguments(words.get(2..).unwrap_or_default());
        if packages.is_empty() {
            packages.push(".");
        }
        self.fetch(at, &folder, &packages);
        Ok(Role::Build)
    }

    /// Notes what `go install` or `go get` makes of `packages`, those of the project apart from those of others.
    fn fetch(&mut self, at: &At, folder: &str, packages: &[&str]) {
        let At { draft, step, command, .. } = *at;
        let bin = go_bin(step, command);
        let (foreign, own): (Vec<&str>, Vec<&str>) = packages.iter().partition(|package| is_foreign(draft, package));
        for (packages, foreign) in [(own, false), (foreign, true)] {
            let names = packages.iter().flat_map(|package| match package.strip_suffix("...") {
                Some(below) if !foreign => main_packages(draft, folder, below),
                _ => binary_name(draft, folder, package.trim_end_matches("/...")).into_iter().collect(),
            });
            let binaries: Vec<String> = names.map(|name| join(&bin, &name)).collect();
            if let Some(first) = packages.first() {
                let folder = in_copied_gopath(draft, first).unwrap_or_else(|| folder.to_owned());
                self.builds.push(Build { binaries, foreign, ..Build::of(at, folder) });
            }
        }
    }

    /// The folder of the project that somebody else's program works on.
    fn beside(&self, draft: &Draft, build: &Build) -> String {
        let own = self.builds.iter().rev().filter(|b| !b.foreign).map(|b| &b.folder);
        let mut folders = own.chain(self.others.iter().rev().map(|(folder, ..)| folder));
        let workdir = || draft.workdir().filter(|w| draft.context_path(w).is_some()).map(str::to_owned);
        folders.next().cloned().or_else(workdir).unwrap_or_else(|| build.folder.clone())
    }

    /// The absolute path of the program that starts: one of the project rather than one of others, which as a rule only prepares.
    fn program(&self, draft: &Draft, plan: &Plan) -> Result<String, Refusal> {
        let of = |foreign: bool| self.builds.iter().filter(move |b| b.foreign == foreign).flat_map(|b| &b.binaries).collect::<Vec<_>>();
        if let Some(path) = self.started(draft, plan, &of(false)).or_else(|| self.started(draft, plan, &of(true))) {
            return Ok(path);
        }
        let first = draft.program.commands.first().and_then(|c| c.words.first().cloned()).unwrap_or_default();
        refuse(draft.program.line, format!("`{first}` is what starts, and no line builds it as far as can be told"))
    }

    /// The first of `all` that starts, or what a build of another kind may have made.
    fn started(&self, draft: &Draft, plan: &Plan, all: &[&String]) -> Option<String> {
        for started in draft.program.commands.iter().filter(|c| !c.health) {
            let Some(first) = started.words.first().filter(|w| !facts().basic_programs.contains(w)) else { continue };
            if first.contains('/') {
                let Some(path) = absolute(draft.workdir(), first) else { continue };
                let known = all.contains(&&path) || plan.artifacts.iter().any(|a| a.path == path);
                if known
                    || self.installs.iter().any(|i| inside(&path, &i.prefix))
                    || self.others.iter().any(|(f, ..)| inside(&path, f)) && draft.context_path(&path).is_none()
                {
                    return Some(path);
                }
            } else if let Some(path) = all.iter().find(|b| b.rsplit('/').next() == Some(first)) {
                return Some((*path).clone());
            } else {
                let mut places = draft.search_path().into_iter().map(|folder| join(&folder, first));
                let known = |p: &String| {
                    plan.artifacts.iter().any(|a| a.path == *p)
                        || self.installs.iter().any(|i| ["bin", "sbin"].iter().any(|b| *p == join(&join(&i.prefix, b), first)))
                };
                if let Some(path) = places.find(known) {
                    return Some(path);
                }
            }
        }
        None
    }

    fn uses_cgo(&self, draft: &Draft, sources: &[(String, Rc<str>)]) -> bool {
        if self.builds.iter().any(|b| b.needs_cgo) || !self.others.is_empty() {
            return true;
        }
        if sources.is_empty() || sources.iter().any(|(_, text)| text.contains("import \"C\"") || text.lines().any(|l| l.trim() == "\"C\""))
        {
            return true;
        }
        let imported = |module: &str| sources.iter().any(|(_, text)| text.contains(&format!("\"{module}")));
        let modules = draft.model.context.files().0.into_iter().filter(|p| p.ends_with("go.mod") || p.ends_with("vendor/modules.txt"));
        let required = modules.filter_map(|p| draft.model.context.read(&p)).collect::<Vec<_>>().join("\n");
        facts().go.cgo_modules.iter().any(|m| mentions_module(&required, m) || imported(m))
    }

    /// Packages of the programs that the sources start; refuses what is not known.
    fn called_programs(&self, draft: &Draft, plan: &mut Plan, sources: &[(String, Rc<str>)]) -> Result<(), Refusal> {
        for (path, text) in sources {
            for call in ["exec.Command(", "exec.CommandContext(", "exec.LookPath("] {
                for (at, _) in text.match_indices(call) {
                    let rest = text.get(at + call.len()..).unwrap_or("");
                    let rest = if call.contains("Context") { rest.split_once(',').map_or("", |(_, r)| r) } else { rest }.trim_start();
                    let Some(name) = rest.strip_prefix('"').and_then(|r| r.split('"').next()) else {
                        return refuse(
                            draft.program.line,
                            format!(
                                "{path} starts a program whose name is not a literal, so the image that ships can't be known to have it"
                            ),
                        );
                    };
                    match facts().tools.get(name) {
                        Some(package) => {
                            plan.package(package, 0);
                            plan.notes.push(format!("{path} runs `{name}`, so `{package}` is installed"));
                        }
                        None if plan.packages.iter().any(|p| p.name == name) => {}
                        None if facts().basic_programs.iter().any(|p| p == name.strip_prefix("/bin/").unwrap_or(name)) => {
                            plan.package("ca-certificates", 0);
                        }
                        None => return refuse(draft.program.line, format!("{path} runs `{name}`; which package brings it is not known")),
                    }
                }
            }
        }
        Ok(())
    }
}

fn command_start(command: &Classified) -> usize {
    command.words.first().map_or(command.span.start, |w| w.span.start)
}

fn module_folder(draft: &Draft, command: &Classified) -> Result<String, Refusal> {
    let _ = draft;
    match &command.directory {
        Some(folder) => Ok(folder.clone()),
        None => refuse(command.line, format!("`{}` runs in a folder that is not known", named(command))),
    }
}

/// Whether `package` is neither of a module of the context nor copied into the folder of all sources.
fn is_foreign(draft: &Draft, package: &str) -> bool {
    let bare = package.split('@').next().unwrap_or(package).trim_end_matches("/...");
    if bare.starts_with(['.', '/']) || bare.ends_with(".go") || matches!(bare, "" | "all") {
        return false;
    }
    let place = format!("/src/{bare}");
    let all = |folder: &str| draft.steps.iter().any(|s| folder == join(s.before.known_variable("GOPATH").unwrap_or("/go"), "src"));
    let of = |c: &ContextCopy| c.destination.contains(&place) || all(&c.destination) || is_gopath_of(&c.destination, bare);
    let copied = draft.copies.iter().any(|c| !c.foreign && of(c));
    let context = draft.model.context;
    let modules = context.files().0.into_iter().filter(|p| p.ends_with("go.mod")).filter_map(|p| module_path(&context.read(&p)?));
    !copied && !modules.into_iter().any(|module| inside(bare, &module))
}

/// The folder of a GOPATH into which the sources of `package` are copied.
fn in_copied_gopath(draft: &Draft, package: &str) -> Option<String> {
    let copied = draft.copies.iter().rev().filter(|c| !c.foreign && !is_system_folder(&c.destination));
    let mut folders =
        copied.map(|c| &c.destination).filter(|folder| folder.split_once("/src/").is_some_and(|(_, module)| inside(package, module)));
    folders.next().cloned()
}

/// Whether the sources of `package` lie below `folder` of a GOPATH.
fn is_gopath_of(folder: &str, package: &str) -> bool {
    folder.split_once("/src").is_some_and(|(_, rest)| !rest.is_empty() && inside(&format!("/{package}"), rest))
}

/// Whether the container starts, or asks for its health by, a program that no build makes, so that the image that ships has to bring it.
fn starts_another(draft: &Draft, plan: &Plan, programs: &[String]) -> bool {
    let last = |keyword| draft.steps.iter().rev().find(move |s| s.keyword == keyword && s.reading.form == Form::Exec);
    let health = last(Keyword::Healthcheck).and_then(|s| s.reading.args.get(1));
    let start = last(Keyword::Entrypoint).or_else(|| last(Keyword::Cmd)).and_then(|s| s.reading.args.first());
    let name = |path: &str| path.rsplit('/').next().unwrap_or(path).to_owned();
    let known = |word: &&String| {
        programs.iter().any(|p| name(p) == name(word))
            || plan.artifacts.iter().any(|a| name(&a.path) == name(word))
            || plan.snapshot_of(word).is_some()
    };
    health.into_iter().chain(start).any(|word| !known(&word))
}

/// The packages and the output of `go build` arguments.
fn arguments<'w>(words: &[&'w str]) -> (Vec<&'w str>, Option<&'w str>) {
    const WITH_VALUE: &[&str] = &[
        "-ldflags",
        "-gcflags",
        "-asmflags",
        "-tags",
        "-mod",
        "-p",
        "-installsuffix",
        "-buildmode",
        "-pkgdir",
        "-toolexec",
        "-modfile",
        "-overlay",
        "-C",
        "-pgo",
    ];
    let (mut packages, mut output) = (Vec::new(), None);
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        let dashed = word.strip_prefix('-').filter(|w| w.starts_with('-')).unwrap_or(word);
        if dashed == "-o" {
            output = rest.next().copied();
        } else if let Some(value) = dashed.strip_prefix("-o=") {
            output = Some(value);
        } else if WITH_VALUE.contains(&dashed) {
            rest.next();
        } else if !word.starts_with('-') {
            packages.push(*word);
        }
    }
    (packages, output)
}

/// The name of the program of `package`, as `go build` in `folder` gives it.
fn binary_name(draft: &Draft, folder: &str, package: &str) -> Option<String> {
    let bare = package.split('@').next().unwrap_or(package);
    if bare.ends_with(".go") {
        let file = bare.rsplit('/').next()?;
        return file.strip_suffix(".go").map(str::to_owned);
    }
    let relative = bare == "." || bare.starts_with("./") || bare.starts_with("../");
    if relative {
        let path = absolute(Some(folder), bare)?;
        // The module's own folder is named by the module path, any other by itself.
        let module = read(draft, &join(&path, "go.mod")).and_then(|t| module_path(&t));
        return match module {
            Some(module) => last_element(&module),
            None if path == folder && draft.context_path(&join(&path, "go.mod")).is_none() && in_gopath(&path).is_none() => None,
            None => path.rsplit('/').next().map(str::to_owned),
        };
    }
    last_element(bare)
}

fn in_gopath(path: &str) -> Option<&str> {
    path.strip_prefix("/go/src/")
}

/// The last element of a module path that is no major version.
fn last_element(path: &str) -> Option<String> {
    let mut parts = path.split('/').rev();
    let last = parts.next()?;
    let version = last.strip_prefix('v').is_some_and(|v| v.parse::<u32>().is_ok_and(|n| n > 1));
    let name = if version { parts.next().unwrap_or(last) } else { last };
    let name = name.split(".v").next().unwrap_or(name);
    (!name.is_empty()).then(|| name.to_owned())
}

fn module_path(text: &str) -> Option<String> {
    let line = text.lines().map(str::trim).find_map(|l| l.strip_prefix("module"))?;
    let name = line.split("//").next().unwrap_or(line).trim().trim_matches(['"', '`']);
    (!name.is_empty()).then(|| name.to_owned())
}

fn read(draft: &Draft, path: &str) -> Option<Rc<str>> {
    draft.context_path(path).and_then(|p| draft.model.context.read(&p))
}

/// The programs of the module in `folder` whose packages lie below `pattern`, such as `./cmd/`.
fn main_packages(draft: &Draft, folder: &str, pattern: &str) -> Vec<String> {
    let mut names = Vec::new();
    for (path, text) in compiled::sources(draft, folder, &[".go"]) {
        if text.lines().any(|l| l.trim() == "package main") && !needs::is_test(&path) {
            let parent = path.rsplit_once('/').map_or("", |(p, _)| p);
            let package = if parent.is_empty() { ".".to_owned() } else { format!("./{parent}") };
            if pattern.starts_with("./") && !format!("{package}/").starts_with(pattern) && pattern != "./" {
                continue;
            }
            if let Some(name) = binary_name(draft, folder, &package)
                && !names.contains(&name)
            {
                names.push(name);
            }
        }
    }
    names
}

/// The value that `name` has for a command, as far as the file says it.
fn told(step: &Step, command: &Classified, name: &str) -> Option<String> {
    let own = command.environment.iter().find(|(n, _)| n == name).and_then(|(_, v)| v.clone());
    own.or_else(|| step.before.known_variable(name).map(str::to_owned))
}

fn go_bin(step: &Step, command: &Classified) -> String {
    told(step, command, "GOBIN").unwrap_or_else(|| {
        let path = told(step, command, "GOPATH").and_then(|p| p.split(':').next().map(str::to_owned));
        format!("{}/bin", path.unwrap_or_else(|| "/go".to_owned()))
    })
}

fn cgo(step: &Step, command: &Classified) -> Option<bool> {
    told(step, command, "CGO_ENABLED").map(|v| v != "0")
}

fn mentions_module(text: &str, module: &str) -> bool {
    text.match_indices(module)
        .any(|(at, _)| text.get(at + module.len()..).and_then(|r| r.chars().next()).is_none_or(|c| c.is_whitespace() || c == '/'))
}

fn calls_https(sources: &[(String, Rc<str>)]) -> bool {
    sources.is_empty()
        || sources.iter().any(|(_, t)| {
            t.contains("http.Get") || t.contains("http.Client") || t.contains("https://") || t.contains("tls.") || t.contains("grpc")
        })
}

/// Whether a command that moves to the image that ships needs its shell.
fn needs_a_shell(command: &Classified) -> bool {
    let program = command.words.first().map(|w| w.raw.rsplit('/').next().unwrap_or(&w.raw)).unwrap_or_default();
    match &command.action {
        Action::File { .. } => !matches!(program, "mkdir" | "touch" | "cp" | "mv" | "rm" | "ls" | "chmod" | "install"),
        Action::Shell => !command.writes.is_empty(),
        _ => false,
    }
}
