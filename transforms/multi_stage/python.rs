//! Python: everything that pip installs goes into a virtual environment at one path, which the runtime stage takes over.

use super::draft::{Draft, absolute, inside, refuse};
use super::facts::facts;
use super::language::{At, Planner};
use super::needs;
use super::plan::{Plan, Snapshot};
use super::roles::{Role, is_system_folder, named, own_folder, value_of};
use crate::edit::Edit;
use crate::model::command::{Action, Classified, Operation, acts_elsewhere};
use crate::model::{Step, Value};
use crate::source::Span;
use crate::transforms::Refusal;
use crate::transforms::packages::is_root;

/// Where the virtual environment is made.
const VENV: &str = "/opt/venv";

/// Where the official images have the interpreter and what pip installs, and nothing else.
const PREFIX: &str = "/usr/local";

/// What Python's sources say that start programs.
const RUNS: &[&str] = &["subprocess", "os.system", "popen", "which(", "sh."];

/// What the planner has seen.
#[derive(Debug, Default)]
pub(super) struct Python {
    /// Whether the interpreter is the distribution's own, which has a place of its own for what pip installs.
    system: bool,
    /// The first step that installs.
    first_install: Option<usize>,
    /// The last one.
    last_install: usize,
    /// Whether something is installed outside of the user's own environments.
    into_venv: bool,
    /// Virtual environments that the file makes itself.
    own: Vec<String>,
    /// The names of what is installed, lower case.
    packages: Vec<(String, Vec<String>)>,
    /// The versions that are asked for exactly.
    pins: Vec<(String, String)>,
    /// The first line that installs something whose names can't be read.
    unread: Option<(String, usize)>,
    /// Why what pip installs can't go into a virtual environment, though it can stay where it is.
    by_path: Option<(String, usize)>,
    /// Whether a tool installs that finds its environment by `VIRTUAL_ENV` alone.
    by_variable: bool,
    /// Whether wheels are not used.
    from_source: bool,
    /// A step after which something was built besides.
    built: bool,
    /// The virtual environment that a step has activated.
    activated: Option<(usize, String)>,
    /// Folders that hold wheels only to install from.
    wheels: Vec<String>,
}

/// Whether cron is what is started.
fn is_cron(started: &super::program::Started) -> bool {
    matches!(started.words.first().and_then(|w| w.rsplit('/').next()), Some("cron" | "crond"))
}

/// Whether a command sets up the environment anew before it starts anything.
fn is_login_shell(words: &[String]) -> bool {
    let Some(first) = words.first() else { return false };
    let option = |w: &String| w == "--login" || w.starts_with('-') && !w.starts_with("--") && w.contains('l');
    match first.rsplit('/').next().unwrap_or(first) {
        "sh" | "bash" | "dash" | "ash" => words.iter().skip(1).take_while(|w| w.starts_with('-')).any(option),
        "su" => words.iter().skip(1).any(|w| w == "-" || option(w)),
        _ => false,
    }
}

impl Planner for Python {
    fn role(&mut self, at: &At, plan: &mut Plan) -> Result<Option<Role>, Refusal> {
        let At { draft, index, step, command } = *at;
        let words = command.texts();
        if let Some(folder) = environment_made(&words) {
            // `$VIRTUAL_ENV` and the like are the file's own ENV.
            let folder = draft.model.expand(step, folder.trim_matches(['"', '\'']));
            let Some(folder) = folder.and_then(|f| absolute(command.directory.as_deref(), &f)).filter(|f| !is_system_folder(f)) else {
                return refuse(command.line, format!("`{}` makes a virtual environment in a folder that is not known", named(command)));
            };
            self.own.push(folder.clone());
            self.first_install.get_or_insert(index);
            plan.snapshot(&folder, index);
            return Ok(Some(Role::Build));
        }
        if let [".", script] | ["source", script] = words.as_slice()
            && let Some(script) = draft.model.expand(step, script.trim_matches(['"', '\'']))
            && let Some(venv) =
                absolute(command.directory.as_deref(), &script).and_then(|p| p.strip_suffix("/bin/activate").map(str::to_owned))
            && self.own.contains(&venv)
        {
            self.activated = Some((index, venv));
            return Ok(Some(Role::Neutral));
        }
        if let ["pip" | "pip3", "wheel" | "download", ..] | ["python" | "python3", "-m", "pip", "wheel" | "download", ..] = words.as_slice()
        {
            return self.wheels(at, plan, &words).map(Some);
        }
        match &command.action {
            Action::Language { manager, operation, packages, files } => match (manager.as_str(), operation) {
                ("pip", Operation::Install | Operation::Download) => self.pip(at, plan, packages, files).map(Some),
                ("pip" | "pip3", _) => Ok(Some(Role::Build)),
                ("poetry" | "pipenv", _) => self.project_tool(at, plan, manager, &words).map(Some),
                ("uv", _) => self.uv(plan, index, command, &words).map(Some),
                ("conda", _) => refuse(command.line, "conda installs outside of any virtual environment; split it by hand"),
                _ => Ok(None),
            },
            Action::Build { .. } => {
                super::installed::stays_in(command, &own_folder(command)?)?;
                self.in_folder(plan, index, command).map(Some)
            }
            _ => self.project_code(at, plan, &words),
        }
    }

    fn builds(&self) -> bool {
        self.first_install.is_some() || self.built
    }

    fn finish(&mut self, draft: &Draft, plan: &mut Plan) -> Result<(), Refusal> {
        let line = draft.from.line;
        let full = needs::is_full(draft);
        if draft.facts.version.as_deref().is_some_and(|v| v == "2" || v.starts_with("2.")) {
            return refuse(line, "Python 2 has no virtual environments of its own");
        }
        if !full && plan.shed.is_empty() {
            return refuse(
                line,
                format!("no gain: `{}` is small already, and the file installs nothing that only builds", draft.image.written),
            );
        }
        needs::readable_start(draft)?;
        development(draft)?;
        if self.system && self.into_venv {
            return self.finish_system(draft, plan);
        }
        if let Some(started) = draft.program.commands.iter().find(|c| is_login_shell(&c.words)) {
            let reason = format!(
                "`{}` is a login shell, whose PATH is that of /etc/profile, without the virtual environment",
                started.words.join(" ")
            );
            self.by_path.get_or_insert((reason, started.line));
        }
        let in_place = match self.interpreter_paths(draft) {
            Err(refusal) if !(full && self.can_stay(draft, plan)) => return Err(refusal),
            found => found.is_err(),
        };
        if full {
            needs::known_context(draft, "which libraries of the full image the program's packages load can't be told")?;
            if let Some((what, line)) = &self.unread
                && !self.own_sources_read(plan)
            {
                return refuse(
                    *line,
                    format!(
                        "context unknown: `{what}` can't be read, so which libraries of the full image its packages load can't be told"
                    ),
                );
            }
            needs::late_libraries(draft, plan, &[".py"], &["find_library(", "CDLL(", "LoadLibrary(", ".dlopen("])?;
            needs::tools(draft, plan, &[".py"], RUNS)?;
            needs::media_types(draft, plan);
            let anchor = self.first_install.unwrap_or(0);
            let manager = draft.manager();
            for package in &self.packages {
                let (name, extras) = package;
                match draft.model.catalog.python_runtime(name, extras, manager, &draft.facts.releases, self.compiles(draft, name)) {
                    Ok(libraries) => libraries.iter().for_each(|library| plan.package(library, anchor)),
                    Err(reason) => return refuse(draft.line(anchor), reason),
                }
            }
        }
        let anchor = self.first_install.unwrap_or(0);
        if !full {
            needs::no_toolchain(draft, &[".py"], RUNS)?;
            // What a compiler's package brought along goes with it.
            let manager = draft.manager();
            let runtime = |(name, extras): &(String, Vec<String>)| {
                draft.model.catalog.python_runtime(name, extras, manager, &draft.facts.releases, self.compiles(draft, name))
            };
            let libraries = self.packages.iter().filter_map(|p| runtime(p).ok()).flatten();
            libraries.filter(|l| facts().system.of_compilers.contains(l)).for_each(|l| plan.package(&l, anchor));
        }
        super::system::compiled_modules(draft, plan, anchor);
        if in_place {
            plan.snapshot(PREFIX, self.first_install.unwrap_or(0).max(self.last_install));
            plan.notes.push(format!("`{PREFIX}` is taken over whole, the interpreter with it, because its paths are named"));
        } else if self.into_venv {
            needs::path_is_not_quoted(draft, "the virtual environment")?;
            let anchor = self.first_install.unwrap_or(0);
            plan.builder_head.push(format!("RUN python -m venv {VENV}"));
            let variable = if self.by_variable { format!("VIRTUAL_ENV={VENV} ") } else { String::new() };
            plan.builder_head.push(format!("ENV {variable}PATH={VENV}/bin:$PATH"));
            plan.extras.push(super::plan::Extra { anchor: 0, text: format!("ENV PATH={VENV}/bin:$PATH") });
            plan.snapshots.push(Snapshot { folder: VENV.to_owned(), last_writer: anchor });
            plan.notes.push(format!("what pip installs goes into a virtual environment at `{VENV}`, at the same path in both stages"));
        }
        plan.shed.sort();
        plan.shed.dedup();
        Ok(())
    }
}

impl Python {
    pub(super) fn new(system: bool) -> Self {
        Self { system, ..Self::default() }
    }

    fn pip(
        &mut self,
        at: &At,
        plan: &mut Plan,
        packages: &[crate::shell::ShellWord],
        files: &[crate::shell::ShellWord],
    ) -> Result<Role, Refusal> {
        let At { draft, index, step, command } = *at;
        let line = command.line;
        if !is_root(step) {
            return refuse(line, "pip runs as another user than root here, and could not write to a virtual environment made by root");
        }
        let program = command.words.first().map(|w| w.raw.as_str()).unwrap_or_default();
        let activated = self.activated.iter().find(|(i, _)| *i == index).map(|(_, v)| v.clone());
        let in_own = self.own.iter().find(|v| inside(program, v)).cloned().or(activated);
        if program.contains('/') && in_own.is_none() {
            let reason = format!("`{program}` is called by its path, so it would install outside of the virtual environment");
            if !program.starts_with("/usr/local/bin/") || self.system {
                return refuse(line, reason);
            }
            self.by_path.get_or_insert((reason, line));
        }
        if acts_elsewhere(step.span.text(draft.model.file.source())) {
            return refuse(
                line,
                "pip runs as another user or in another root here, and could not write to a virtual environment made by root",
            );
        }
        if program.contains("python2") || program.contains("pip2") {
            return refuse(line, "Python 2 has no virtual environments of its own");
        }
        let mut targeted = false;
        for word in &command.words {
            let flag = word.raw.split('=').next().unwrap_or("");
            match flag {
                "--no-binary" => self.from_source = true,
                "--user" if in_own.is_none() && self.system => {
                    return refuse(line, "pip's `--user` installs into root's home; copy that by hand");
                }
                "--user" if in_own.is_none() => plan.builder_edits.push(Edit::delete(with_blank(draft.model.file.source(), word.span))),
                "-t" | "--target" => {
                    let next = command.words.iter().skip_while(|w| w.span != word.span).nth(1);
                    let value =
                        word.literal.as_deref().and_then(|w| w.split_once('=').map(|(_, v)| v)).or(next.and_then(|n| n.literal.as_deref()));
                    let Some(target) = value.and_then(|v| absolute(command.directory.as_deref(), v)).filter(|t| !is_system_folder(t))
                    else {
                        return refuse(line, format!("pip's `{flag}` installs among other files; copy that by hand"));
                    };
                    plan.artifact(&target, index);
                    self.first_install.get_or_insert(index);
                    targeted = true;
                }
                "--prefix" | "--root" => {
                    return refuse(line, format!("pip's `{flag}` installs to a place of its own; copy that by hand"));
                }
                _ => {}
            }
        }
        for (name, value) in &command.environment {
            if matches!(name.as_str(), "PIP_TARGET" | "PIP_PREFIX" | "PIP_USER" | "PYTHONUSERBASE") {
                return refuse(line, format!("{name}={} sends pip's files to a place of its own", value.as_deref().unwrap_or("...")));
            }
        }
        self.first_install.get_or_insert(index);
        self.last_install = index;
        self.into_venv |= in_own.is_none() && !self.active_own(step) && !targeted;
        if let Some(own) = in_own.or_else(|| self.own.iter().find(|v| self.on_path(step, v)).cloned()) {
            plan.snapshot(&own, index);
        }
        let folder = command.directory.as_deref();
        let editable = command.words.iter().any(|w| w.raw == "-e" || w.raw == "--editable");
        for word in packages {
            let text = word.literal.as_deref().unwrap_or(&word.raw);
            if word.literal.is_none() && text.contains(['$', '`']) {
                self.unread.get_or_insert((text.to_owned(), line));
                continue;
            }
            if is_path(text) {
                let bare = text.split('[').next().unwrap_or(text);
                match absolute(folder, bare) {
                    Some(path) if self.wheels.iter().any(|w| inside(&path, w) && (path != *w)) => continue,
                    Some(path) if editable || !path.ends_with(".whl") => self.sources(draft, plan, index, line, &path)?,
                    Some(_) => {}
                    None => return refuse(line, format!("pip installs `{text}` from a folder that is not known")),
                }
                self.unread.get_or_insert((text.to_owned(), line));
            } else {
                self.asked_for(text);
            }
        }
        if packages.is_empty() && files.is_empty() && step.span.text(draft.model.file.source()).contains("xargs") {
            self.unread.get_or_insert((named(command), line));
        }
        for word in files {
            let Some(text) = word.literal.clone().or_else(|| draft.model.expand(step, word.raw.trim_matches('"'))) else {
                self.unread.get_or_insert((word.raw.clone(), line));
                continue;
            };
            if text.contains("://") {
                self.unread.get_or_insert((text, line));
                continue;
            }
            let Some(path) = absolute(folder, &text) else {
                return refuse(line, format!("pip reads `{text}` in a folder that is not known"));
            };
            self.requirements(draft, plan, index, line, &path, 0)?;
        }
        Ok(Role::Build)
    }

    /// `pip wheel` and `pip download`: what they write is there to install from.
    fn wheels(&mut self, at: &At, plan: &mut Plan, words: &[&str]) -> Result<Role, Refusal> {
        let At { draft, index, command, .. } = *at;
        let folder = command.directory.as_deref();
        let into = absolute(folder, value_of(words, &["-w", "--wheel-dir", "-d", "--dest"]).unwrap_or("."));
        let Some(into) = into else { return refuse(command.line, format!("`{}` writes to a folder that is not known", named(command))) };
        self.wheels.push(into);
        self.first_install.get_or_insert(index);
        self.from_source |= words.iter().any(|w| w.starts_with("--no-binary"));
        if let Some(file) = value_of(words, &["-r", "--requirement"]).and_then(|f| absolute(folder, f)) {
            self.requirements(draft, plan, index, command.line, &file, 0)?;
        }
        Ok(Role::Build)
    }

    /// Reads a requirements file of the image, and those that it includes.
    fn requirements(&mut self, draft: &Draft, plan: &mut Plan, index: usize, line: usize, path: &str, depth: usize) -> Result<(), Refusal> {
        let text = draft.context_path(path).and_then(|p| draft.model.context.read(&p));
        let Some(text) = text.filter(|_| depth < 8) else {
            self.unread.get_or_insert((path.to_owned(), line));
            return Ok(());
        };
        let folder = path.rsplit_once('/').map_or("/", |(f, _)| f);
        let joined = text.replace("\\\r\n", " ").replace("\\\n", " ");
        for entry in joined.lines() {
            let entry = entry.split(" #").next().unwrap_or(entry).trim();
            if entry.is_empty() || entry.starts_with('#') {
                continue;
            }
            let option = |names: [&str; 2]| {
                names.iter().find_map(|n| {
                    entry.strip_prefix(n).filter(|rest| rest.starts_with([' ', '='])).map(|rest| rest.trim_start_matches(['=', ' ']).trim())
                })
            };
            if let Some(included) =
                option(["-r", "--requirement"]).or_else(|| entry.strip_prefix("-r").filter(|_| !entry.starts_with("-r ")).map(str::trim))
            {
                if let Some(next) = absolute(Some(folder), included) {
                    self.requirements(draft, plan, index, line, &next, depth + 1)?;
                }
            } else if let Some(source) = option(["-e", "--editable"]) {
                if is_path(source) {
                    // Relative paths in a requirements file start at the folder in which pip runs.
                    let here = draft.steps.get(index).and_then(|s| s.before.workdir.as_deref());
                    let Some(path) = absolute(here, source.split('[').next().unwrap_or(source)) else {
                        return refuse(line, format!("{path} installs `{source}` from a folder that is not known"));
                    };
                    self.sources(draft, plan, index, line, &path)?;
                }
            } else if entry.starts_with('-') {
                self.from_source |= entry.starts_with("--no-binary");
            } else if is_path(entry) {
                self.unread.get_or_insert((entry.to_owned(), line));
            } else {
                self.asked_for(entry);
            }
        }
        Ok(())
    }

    /// Notes one requirement.
    fn asked_for(&mut self, text: &str) {
        let (name, extras) = requirement(text);
        if let Some((_, version)) = text.split_once("==") {
            let version: String = version.trim().chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '.').collect();
            self.pins.push((name.clone(), version));
        }
        self.packages.push((name, extras));
    }

    /// Whether the package `name` is compiled when it is installed.
    fn compiles(&self, draft: &Draft, name: &str) -> bool {
        let python = draft.facts.version.as_deref().unwrap_or_default();
        let pinned = self.pins.iter().find(|(n, _)| n == name);
        self.from_source
            || draft.manager() == "apk"
            || pinned.is_some_and(|(_, version)| draft.model.catalog.python_compiles(name, version, python))
    }

    /// Takes over the folder of a project that is installed from its sources.
    fn sources(&mut self, draft: &Draft, plan: &mut Plan, index: usize, line: usize, path: &str) -> Result<(), Refusal> {
        if is_system_folder(path) {
            return refuse(line, format!("the project is installed from `{path}`, which holds more than the project"));
        }
        for name in ["setup.py", "setup.cfg", "pyproject.toml"] {
            let text = draft.context_path(&format!("{path}/{name}")).and_then(|p| draft.model.context.read(&p));
            if let Some(text) = text {
                self.packages.extend(quoted_requirements(&text));
            }
        }
        plan.snapshot(path, index);
        Ok(())
    }

    fn project_tool(&mut self, at: &At, plan: &mut Plan, tool: &str, words: &[&str]) -> Result<Role, Refusal> {
        let At { draft, index, command, .. } = *at;
        self.first_install.get_or_insert(index);
        if !words.iter().any(|w| matches!(*w, "install" | "sync" | "update")) {
            return Ok(Role::Build);
        }
        if self.system && tool == "poetry" {
            return refuse(command.line, "where poetry installs to with the distribution's own Python is not certain");
        }
        let source = draft.model.file.source();
        let system = match tool {
            "pipenv" => words.contains(&"--system"),
            _ => {
                source.contains("virtualenvs.create false")
                    || draft.steps.get(index).is_some_and(|s| {
                        s.before
                            .env
                            .iter()
                            .any(|(n, v)| n == "POETRY_VIRTUALENVS_CREATE" && matches!(v, Value::Known(v) if v == "false" || v == "0"))
                    })
            }
        };
        if !system {
            return refuse(
                command.line,
                format!("{tool} makes a virtual environment of its own in a place that depends on its settings; split it by hand"),
            );
        }
        self.into_venv = true;
        self.last_install = index;
        // Without the variable poetry takes the interpreter that its own environment was made from.
        self.by_variable |= tool == "poetry";
        self.unread.get_or_insert((format!("{tool}'s lock file"), command.line));
        let folder = own_folder(command)?;
        for name in ["pyproject.toml", "Pipfile"] {
            if let Some(text) = draft.context_path(&format!("{folder}/{name}")).and_then(|p| draft.model.context.read(&p)) {
                self.packages.extend(table_keys(&text));
                self.unread = None;
            }
        }
        if tool == "poetry" && !words.contains(&"--no-root") {
            plan.snapshot(&folder, index);
        }
        Ok(Role::Build)
    }

    fn uv(&mut self, plan: &mut Plan, index: usize, command: &Classified, words: &[&str]) -> Result<Role, Refusal> {
        self.first_install.get_or_insert(index);
        if words.contains(&"pip") {
            return refuse(command.line, "`uv pip` chooses its environment by rules of its own; split it by hand");
        }
        let folder = own_folder(command)?;
        self.unread.get_or_insert(("uv.lock".to_owned(), command.line));
        plan.snapshot(&folder, index);
        Ok(Role::Build)
    }

    /// A tool that writes only into the folder that it runs in.
    fn in_folder(&mut self, plan: &mut Plan, index: usize, command: &Classified) -> Result<Role, Refusal> {
        let folder = own_folder(command)?;
        self.built = true;
        plan.snapshot(&folder, index);
        Ok(Role::Build)
    }

    /// The project's own code, run at build time.
    fn project_code(&mut self, at: &At, plan: &mut Plan, words: &[&str]) -> Result<Option<Role>, Refusal> {
        let At { draft, index, command, .. } = *at;
        let name = words.first().map(|w| w.rsplit('/').next().unwrap_or(w)).unwrap_or_default();
        let python = name == "python" || name.strip_prefix("python3").is_some_and(|r| r.is_empty() || r.starts_with('.'));
        if !python {
            // What makes a site writes into its project's folder, as far as its settings don't say otherwise.
            if command.action.is_unforeseen() && facts().served.generators.iter().chain(&facts().builds.in_folder).any(|g| g == name) {
                let folder = own_folder(command)?;
                super::outside::stays_inside(draft, command, &folder)?;
                super::installed::stays_in(command, &folder)?;
                return self.in_folder(plan, index, command).map(Some);
            }
            return Ok(None);
        }
        let argument = words.get(1).copied().unwrap_or_default();
        match (argument, words.get(2).copied()) {
            ("--version" | "-V", _) => return Ok(Some(Role::Neutral)),
            ("-m", Some("compileall")) => return Ok(Some(Role::Build)),
            ("-m", Some("spacy")) => {
                self.first_install.get_or_insert(index);
                self.last_install = index;
                self.into_venv = true;
                return Ok(Some(Role::Build));
            }
            _ => {}
        }
        if !argument.ends_with(".py") {
            return refuse(
                command.line,
                format!("`{}` has effects that are not known; copy what it leaves behind by hand", named(command)),
            );
        }
        let folder = own_folder(command)?;
        if argument == "setup.py" {
            self.first_install.get_or_insert(index);
            self.last_install = index;
            self.into_venv = true;
            self.sources(draft, plan, index, command.line, &folder)?;
            return Ok(Some(Role::Build));
        }
        // What Django writes at build time goes where its settings say.
        let settings: &[&str] = if argument == "manage.py" { &["settings"] } else { &[] };
        let filled = needs::writes_elsewhere(draft, plan, command, words, settings)?;
        filled.iter().for_each(|folder| plan.artifact(folder, index));
        self.built = true;
        plan.snapshot(&folder, index);
        plan.notes.push(format!(
            "`{}` (line {}) runs the project's own code, so `{folder}` is taken over whole from the builder",
            named(command),
            command.line
        ));
        Ok(Some(Role::Build))
    }

    fn active_own(&self, step: &Step) -> bool {
        self.own.iter().any(|v| self.on_path(step, v))
    }

    fn on_path(&self, step: &Step, venv: &str) -> bool {
        step.before
            .env
            .iter()
            .any(|(n, v)| n == "PATH" && matches!(v, Value::Known(v) if v.split(':').next() == Some(&format!("{venv}/bin"))))
    }

    /// The distribution's pip installs below /usr/local, where its image has nothing: that is taken over as it is.
    fn finish_system(&self, draft: &Draft, plan: &mut Plan) -> Result<(), Refusal> {
        let anchor = self.first_install.unwrap_or(0);
        let line = draft.line(anchor);
        if draft.facts.package_manager.as_deref() != Some("apt") {
            return refuse(
                line,
                "pip installs among the files of the system's own packages here; use a virtual environment to have it split",
            );
        }
        needs::tools(draft, plan, &[".py"], RUNS)?;
        if let Some((name, _)) = self.packages.iter().find(|(name, _)| facts().system.links_libpython.contains(name)) {
            return refuse(line, format!("`{name}` is linked against Python's own library, which only the development packages bring"));
        }
        // The interpreter may have come along with a package that only builds.
        if !plan.packages.iter().any(|p| p.name.starts_with("python3")) {
            plan.package("python3", anchor);
        }
        plan.snapshot("/usr/local", anchor.max(self.last_install));
        plan.notes.push("pip installs below `/usr/local`, where the base image has nothing, so that is taken over whole".to_owned());
        plan.shed.sort();
        plan.shed.dedup();
        Ok(())
    }

    fn own_sources_read(&self, plan: &Plan) -> bool {
        self.unread.as_ref().is_some_and(|(what, _)| is_path(what)) && !plan.snapshots.is_empty()
    }

    /// Whether what pip installs can ship where it is, with the whole folder of the interpreter: nothing sends it elsewhere.
    fn can_stay(&self, draft: &Draft, plan: &Plan) -> bool {
        const ELSEWHERE: &[&str] = &["PIP_TARGET", "PIP_PREFIX", "PIP_USER", "PYTHONUSERBASE", "PYTHONHOME", "/root/.local"];
        let source = draft.model.file.source();
        draft.facts.family == "python"
            && self.own.is_empty()
            && plan.builder_edits.is_empty()
            && !ELSEWHERE.iter().any(|word| source.contains(word))
            && needs::interpreter_named(draft, true).is_ok()
            && !self.cron_finds_another(draft)
    }

    /// Whether cron is started, whose PATH leads to the system's own interpreter, and a file calls one by its bare name.
    fn cron_finds_another(&self, draft: &Draft) -> bool {
        if !draft.program.commands.iter().any(is_cron) {
            return false;
        }
        let context = draft.model.context;
        let files = context.files().0;
        let searched = files.iter().filter(|p| ![".md", ".rst", ".txt", ".html", ".js", ".lock"].iter().any(|e| p.ends_with(e)));
        searched.filter_map(|p| context.read(p)).any(|text| {
            let bare = |(at, _): (usize, &str)| !text.get(..at).is_some_and(|before| before.ends_with("/usr/local/bin/"));
            text.match_indices("python3").any(bare)
        })
    }

    /// Refuses what names the interpreter's own folders: there the packages would be missing.
    fn interpreter_paths(&self, draft: &Draft) -> Result<(), Refusal> {
        if !self.into_venv {
            return Ok(());
        }
        if let Some((reason, line)) = &self.by_path {
            return refuse(*line, reason.clone());
        }
        for step in draft.steps {
            let text = step.span.text(draft.model.file.source());
            for name in [
                "/usr/local/lib/python",
                "/usr/local/bin/python",
                "/usr/local/bin/pip",
                "site-packages",
                "/root/.local/lib",
                "/root/.local/share",
            ] {
                if text.contains(name) {
                    return refuse(step.line, format!("this line names `{name}`, where the packages would no longer be"));
                }
            }
            if let crate::syntax::View::Env { pairs, .. } = &step.view {
                for pair in pairs {
                    let value = pair.value.as_ref().map(|v| v.text.as_str()).unwrap_or_default();
                    if pair.name.text == "PATH" && !value.contains("$PATH") && !value.contains("${PATH}") {
                        return refuse(step.line, "PATH is set without its old value, which hides the virtual environment");
                    }
                    if matches!(pair.name.text.as_str(), "PIP_TARGET" | "PIP_PREFIX" | "PIP_USER" | "PYTHONUSERBASE" | "PYTHONHOME") {
                        return refuse(step.line, format!("{} sends packages to a place of its own", pair.name.text));
                    }
                }
            }
        }
        needs::interpreter_named(draft, false)?;
        for started in &draft.program.commands {
            let Some(first) = started.words.first() else { continue };
            if is_cron(started) {
                return refuse(started.line, "cron starts its jobs with a PATH of its own, which would not find the virtual environment");
            }
            if first.starts_with("/usr/local/bin/") && draft.context_path(first).is_none() {
                return refuse(
                    started.line,
                    format!("`{first}` would no longer be there: what pip installs goes into a virtual environment"),
                );
            }
        }
        Ok(())
    }
}

/// Refuses a file that starts a development server.
fn development(draft: &Draft) -> Result<(), Refusal> {
    for started in &draft.program.commands {
        if started.words.iter().any(|w| matches!(w.as_str(), "--reload" | "--debug" | "--debugger" | "--auto-reload" | "--autoreload")) {
            return refuse(
                started.line,
                format!(
                    "`{}` is a development server; this is a development file, and a production image is another one",
                    started.words.join(" ")
                ),
            );
        }
    }
    for (name, value) in &draft.stage.end.env {
        let development = matches!(value, Value::Known(v) if name == "FLASK_DEBUG" && (v == "1" || v == "true") || name == "FLASK_ENV" && v == "development");
        if development {
            return refuse(
                draft.program.line,
                format!("{name} asks for development mode; this is a development file, and a production image is another one"),
            );
        }
    }
    Ok(())
}

/// The folder of `python -m venv FOLDER` and `virtualenv FOLDER`.
fn environment_made<'w>(words: &[&'w str]) -> Option<&'w str> {
    let (first, rest) = words.split_first()?;
    let name = first.rsplit('/').next().unwrap_or(first);
    let arguments = if name == "virtualenv" {
        rest
    } else if name.starts_with("python") && rest.first() == Some(&"-m") && matches!(rest.get(1), Some(&"venv" | &"virtualenv")) {
        rest.get(2..)?
    } else {
        return None;
    };
    // Options that take the word behind them as their value: https://virtualenv.pypa.io/en/latest/cli_interface.html.
    const VALUED: &[&str] =
        &["-p", "--python", "--prompt", "--app-data", "--creator", "--seeder", "--activators", "--pip", "--setuptools", "--wheel"];
    let is_value = |at: usize| at.checked_sub(1).and_then(|before| arguments.get(before)).is_some_and(|w| VALUED.contains(w));
    arguments.iter().enumerate().rev().find(|(at, w)| !w.starts_with('-') && !is_value(*at)).map(|(_, w)| *w)
}

/// Whether pip takes `text` for a path of the file system.
fn is_path(text: &str) -> bool {
    let bare = text.split('[').next().unwrap_or(text);
    !text.contains("://")
        && (bare == "."
            || bare == ".."
            || bare.starts_with("./")
            || bare.starts_with("../")
            || bare.starts_with('/')
            || bare.starts_with("file:")
            || bare.ends_with(".whl")
            || bare.ends_with(".tar.gz"))
}

/// The name of a requirement as the index writes it (lower case, `_` and `.` as `-`), and its extras.
fn requirement(text: &str) -> (String, Vec<String>) {
    let extras = text.split_once('[').and_then(|(_, rest)| rest.split_once(']')).map(|(inside, _)| inside);
    (package_name(text), extras.map(|e| e.split(',').map(|x| x.trim().to_owned()).collect()).unwrap_or_default())
}

fn package_name(text: &str) -> String {
    let bare = text.strip_prefix("git+").map_or(text, |_| text.rsplit("egg=").next().unwrap_or(text));
    let end = bare.find(|c: char| !(c.is_alphanumeric() || c == '-' || c == '_' || c == '.')).unwrap_or(bare.len());
    bare.get(..end).unwrap_or(bare).to_ascii_lowercase().replace(['_', '.'], "-")
}

/// The names in quotes of a setup.py or a pyproject.toml, as far as they look like requirements.
fn quoted_requirements(text: &str) -> Vec<(String, Vec<String>)> {
    text.split(['"', '\''])
        .skip(1)
        .step_by(2)
        .filter(|s| s.starts_with(|c: char| c.is_ascii_alphabetic()))
        .map(requirement)
        .filter(|(n, _)| !n.is_empty())
        .collect()
}

/// The keys of a TOML file that look like packages.
fn table_keys(text: &str) -> Vec<(String, Vec<String>)> {
    text.lines()
        .filter_map(|l| l.split_once('=').map(|(k, _)| requirement(k.trim().trim_matches('"'))))
        .filter(|(k, _)| !k.is_empty())
        .chain(quoted_requirements(text))
        .collect()
}

/// `span` with the blank in front of it.
fn with_blank(source: &str, span: Span) -> Span {
    let blank = source.get(..span.start).is_some_and(|s| s.ends_with([' ', '\t']));
    Span::new(span.start - usize::from(blank), span.end)
}
