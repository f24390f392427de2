//! Node: the modules are installed and the project built in the builder; the runtime stage gets production modules only.

use super::draft::{Draft, absolute, inside, refuse};
use super::language::{At, Planner};
use super::modules::{self, Asked};
use super::needs;
use super::node_start::{Start, bare};
use super::package::{Package, package};
use super::plan::{Extra, Plan};
use super::roles::{Role, named, own_folder};
use crate::context::Knowledge;
use crate::model::Value;
use crate::model::command::{Action, Classified, Operation};
use crate::transforms::Refusal;
use crate::transforms::home_downloads::{Place, fetched};

/// What the planner has seen.
#[derive(Debug, Default)]
pub(super) struct Node {
    /// Every install of the project's modules.
    installs: Vec<Install>,
    /// The last step that may use modules that only develop.
    last_use: usize,
    built: bool,
    /// The packages that are installed for all.
    everywhere: Vec<String>,
    /// Where modules are removed by hand: the folder that holds them, and the place in the file.
    removed: Vec<(String, usize)>,
}

/// One `npm install` and the like.
#[derive(Clone, Debug)]
struct Install {
    manager: String,
    folder: String,
    step: usize,
    /// Where the command stands in the file.
    place: usize,
    /// Whether it leaves out what only develops.
    production: bool,
}

impl Planner for Node {
    fn role(&mut self, at: &At, plan: &mut Plan) -> Result<Option<Role>, Refusal> {
        let At { draft, index, command, .. } = *at;
        let words = command.texts();
        match &command.action {
            Action::Language { manager, operation, packages, .. } if matches!(manager.as_str(), "npm" | "yarn" | "pnpm") => {
                let named_packages: Vec<&str> = packages.iter().map(|w| w.literal.as_deref().unwrap_or(&w.raw)).collect();
                let global = words.iter().any(|w| matches!(*w, "-g" | "--global" | "global" | "--location=global"));
                if global && *operation == Operation::Install {
                    return self.global(at, plan, &named_packages).map(Some);
                }
                if global {
                    return Ok(Some(Role::Build));
                }
                match operation {
                    Operation::Install | Operation::Download => self.install(at, plan, manager, &words).map(Some),
                    Operation::Run => {
                        for script in &named_packages {
                            self.script(draft, command, script)?;
                        }
                        self.in_own_folder(at, plan).map(Some)
                    }
                    Operation::Remove if words.contains(&"prune") => {
                        self.installs.iter_mut().for_each(|i| i.production = true);
                        Ok(Some(Role::Build))
                    }
                    Operation::Clean | Operation::Remove | Operation::Update | Operation::Upgrade => Ok(Some(Role::Build)),
                    Operation::Other if words.contains(&"prune") => {
                        self.installs.iter_mut().for_each(|i| i.production = true);
                        Ok(Some(Role::Build))
                    }
                    // It writes the number into package.json.
                    Operation::Other if words.get(1) == Some(&"version") && words.len() > 2 => self.build(plan, index, command).map(Some),
                    Operation::Other
                        if words.iter().any(|w| {
                            matches!(*w, "config" | "set" | "cache" | "dedupe" | "audit" | "ls" | "--version" | "-v" | "version")
                        }) =>
                    {
                        Ok(Some(Role::Build))
                    }
                    Operation::Other if manager == "yarn" => self.in_workspaces(at, plan, &words),
                    Operation::Other => Ok(None),
                }
            }
            Action::Language { manager, .. } if manager == "corepack" => Ok(Some(Role::Runtime(Vec::new()))),
            Action::Build { .. } => {
                super::installed::stays_in(command, &own_folder(command)?)?;
                self.build(plan, index, command).map(Some)
            }
            _ if words.first().is_some_and(|w| *w == "node")
                && words.get(1).is_some_and(|w| w.ends_with(".js") || w.ends_with(".mjs") || w.ends_with(".cjs")) =>
            {
                let _ = needs::writes_elsewhere(draft, plan, command, &words, &[])?;
                plan.notes.push(format!(
                    "`{}` (line {}) runs the project's own code, so its folder is taken over whole",
                    named(command),
                    command.line
                ));
                self.build(plan, index, command).map(Some)
            }
            Action::File { writes, .. } if words.first() == Some(&"rm") => {
                for word in writes.iter().filter_map(|w| w.literal.as_deref()) {
                    if let Some(folder) =
                        absolute(command.directory.as_deref(), word).and_then(|p| Some(p.strip_suffix("/node_modules")?.to_owned()))
                    {
                        self.removed.push((folder, command.span.start));
                    }
                }
                Ok(None)
            }
            // What a tool of the project's own modules writes, by what it is told and its settings say.
            action
                if (action.is_unforeseen() || matches!(action, Action::Language { manager, .. } if manager == "npx"))
                    && runs_tool(&words) =>
            {
                super::outside::stays_inside(draft, command, &own_folder(command)?)?;
                self.in_own_folder(at, plan).map(Some)
            }
            Action::Test => {
                self.last_use = self.last_use.max(index);
                Ok(Some(Role::Neutral))
            }
            _ => Ok(None),
        }
    }

    fn builds(&self) -> bool {
        !self.installs.is_empty() || self.built
    }

    fn finish(&mut self, draft: &Draft, plan: &mut Plan) -> Result<(), Refusal> {
        needs::readable_start(draft)?;
        let line = draft.from.line;
        let folder = draft.workdir().unwrap_or("/").to_owned();
        let start = Start::read(draft, &folder);
        if let Some((reason, line)) = start.refusal {
            return refuse(line, reason);
        }
        let full = needs::is_full(draft);
        if full {
            needs::known_context(draft, "what the program calls of the full image can't be told")?;
            let endings = &[".js", ".mjs", ".cjs", ".ts"];
            needs::late_libraries(draft, plan, endings, &["ffi.Library(", "koffi.load(", "ffi.DynamicLibrary("])?;
            needs::tools(draft, plan, endings, &["child_process", "execa", "shelljs", "zx"])?;
        }
        self.downloads(draft, plan)?;
        let prunes = self.prune(draft, plan, &start)?;
        if !full && plan.shed.is_empty() && !prunes {
            return refuse(
                line,
                format!("no gain: `{}` is small already, and the file installs nothing that only builds", draft.image.written),
            );
        }
        if full {
            let names: Vec<String> =
                self.installs.iter().filter_map(|i| package(draft, &i.folder)).flat_map(|p| p.runtime_names()).collect();
            let anchor = self.installs.first().map_or(0, |i| i.step);
            let manager = draft.manager();
            for name in names {
                match draft.model.catalog.node_runtime(&name, manager, &draft.facts.releases) {
                    Ok(libraries) => libraries.iter().for_each(|library| plan.package(library, anchor)),
                    Err(reason) => return refuse(draft.line(anchor), reason),
                }
            }
        }
        for install in &self.installs {
            let modules = format!("{}/node_modules", install.folder.trim_end_matches('/'));
            if plan.snapshot_of(&modules).is_some() || !self.is_last(install) {
                continue;
            }
            if draft.model.context.exists(&draft.context_path(&modules).unwrap_or_else(|| "node_modules".to_owned())) {
                // The context's own modules would overlay the installed ones, as they did before: keep that order.
                plan.snapshot(&install.folder, last_copy_into(draft, &install.folder).max(install.step));
                continue;
            }
            plan.artifact(&modules, install.step);
        }
        needs::time_zones(draft, plan, false);
        Ok(())
    }
}

impl Node {
    /// A program installed for all: it stays in the builder, and the runtime stage installs it again if what starts names it.
    fn global(&mut self, at: &At, plan: &mut Plan, packages: &[&str]) -> Result<Role, Refusal> {
        let At { draft, index, command, .. } = *at;
        let tools =
            |p: &&str| {
                let bare = bare(p);
                let name = bare.rsplit('/').next().unwrap_or(bare);
                matches!(name, "npm" | "yarn" | "pnpm") && !draft.completed
                    || draft.program.commands.iter().any(|c| {
                        c.words.iter().any(|w| w.rsplit('/').next().is_some_and(|w| w == name || w.starts_with(&format!("{name}-"))))
                    })
            };
        self.everywhere.extend(packages.iter().map(|p| bare(p).to_owned()));
        if packages.iter().any(tools) {
            // There npm is a package of its own, which stays behind.
            if draft.completed {
                return refuse(command.line, format!("what `{}` installs is needed in the image that ships", super::roles::named(command)));
            }
            let text = command.span.text(draft.model.file.source()).replace(['\r', '\n'], " ");
            plan.extras.push(Extra { anchor: index, text: format!("RUN {text}") });
        }
        Ok(Role::Build)
    }

    fn install(&mut self, at: &At, plan: &mut Plan, manager: &str, words: &[&str]) -> Result<Role, Refusal> {
        let At { draft, index, step, command } = *at;
        let folder = own_folder(command)?;
        let production_env =
            step.before.env.iter().chain(&[]).any(|(n, v)| n == "NODE_ENV" && matches!(v, Value::Known(v) if v == "production"))
                || step.before.args.iter().any(|(n, v)| n == "NODE_ENV" && matches!(v, Some(Value::Known(v)) if v == "production"))
                || command.environment.iter().any(|(n, v)| n == "NODE_ENV" && v.as_deref() == Some("production"));
        let with_dev = words.iter().any(|w| matches!(*w, "--include=dev" | "--production=false" | "--only=dev" | "--also=dev"));
        let flagged = words.iter().any(|w| {
            matches!(*w, "--production" | "--production=true" | "--omit=dev" | "--only=prod" | "--only=production" | "--prod" | "-P")
        });
        self.installs.push(Install {
            manager: manager.to_owned(),
            folder: folder.clone(),
            step: index,
            place: command.span.start,
            production: flagged || production_env && !with_dev,
        });
        let beside = |name: &str| draft.context_path(&format!("{}/{name}", folder.trim_end_matches('/')));
        let has = |name: &str| beside(name).is_some_and(|p| draft.model.context.exists(&p));
        // npm and yarn call node-gyp by themselves where they find its file, and it writes beside it.
        if self.lifecycle(draft, &folder) || has("binding.gyp") || draft.model.context.knowledge() != &Knowledge::Known {
            plan.snapshot(&folder, index);
        }
        let linker = beside(".yarnrc.yml").and_then(|p| draft.model.context.read(&p));
        let in_archives = linker.is_some_and(|text| !text.contains("nodeLinker: node-modules") && !text.contains("nodeLinker: pnpm"));
        if manager == "yarn" && (in_archives || [".pnp.cjs", ".pnp.js", ".pnp.loader.mjs"].into_iter().any(has)) {
            return refuse(
                command.line,
                "yarn's Plug'n'Play keeps the modules in archives of the project or of the one who installs, not in node_modules; split it by hand",
            );
        }
        Ok(Role::Build)
    }

    /// Whether installing runs scripts of the project itself.
    fn lifecycle(&self, draft: &Draft, folder: &str) -> bool {
        package(draft, folder).is_none_or(|p| {
            ["preinstall", "install", "postinstall", "prepare", "prepublish"].iter().any(|s| p.script(s).is_some()) || p.has_workspaces()
        })
    }

    /// Whether the modules of this install are those that ship: no other install of the folder and no removal comes later.
    fn is_last(&self, install: &Install) -> bool {
        !self.installs.iter().any(|i| i.folder == install.folder && i.place > install.place)
            && !self.removed.iter().any(|(folder, place)| *folder == install.folder && *place > install.place)
    }

    /// Looks at a script of package.json that runs at build time.
    fn script(&self, draft: &Draft, command: &Classified, name: &str) -> Result<(), Refusal> {
        let Some(folder) = command.directory.as_deref() else { return Ok(()) };
        let Some(text) = package(draft, folder).and_then(|p| p.script(name)) else { return Ok(()) };
        for word in text.split([' ', '=', '"', '\'']) {
            let outside =
                word.starts_with('/') && word.len() > 1 && !inside(word, folder) && !word.starts_with("/dev/") && !word.starts_with("/tmp")
                    || word.starts_with("../") && !word.contains("node_modules");
            if outside {
                return refuse(
                    command.line,
                    format!(
                        "`{}` runs `{text}`, which names `{word}` outside of `{folder}`; copy what it leaves there by hand",
                        named(command)
                    ),
                );
            }
        }
        Ok(())
    }

    /// `yarn workspace NAME SCRIPT` and `yarn workspaces run SCRIPT`.
    fn in_workspaces(&mut self, at: &At, plan: &mut Plan, words: &[&str]) -> Result<Option<Role>, Refusal> {
        let At { draft, index, command, .. } = *at;
        let script = match words {
            [_, "workspaces", "run", script, ..] | [_, "workspace", _, "run", script, ..] => *script,
            [_, "workspace", _, script, ..] if !matches!(*script, "add" | "remove" | "install" | "upgrade") => *script,
            _ => return Ok(None),
        };
        let root = own_folder(command)?;
        let context = draft.model.context;
        let manifests = context.files().0.into_iter().filter(|p| p.ends_with("package.json") && !p.contains("node_modules/"));
        for text in manifests.filter_map(|p| context.read(&p)).filter_map(|t| Package::read(&t)?.script(script)) {
            let outside = |word: &&str| {
                word.contains("../../..") || word.starts_with('/') && word.len() > 1 && !inside(word, &root) && !inside(word, "/dev")
            };
            if let Some(word) = text.split([' ', '=', '"', '\'']).find(outside) {
                return refuse(
                    command.line,
                    format!(
                        "`{}` runs `{text}`, which names `{word}` outside of `{root}`; copy what it leaves there by hand",
                        named(command)
                    ),
                );
            }
        }
        self.build(plan, index, command).map(Some)
    }

    /// The same for a tool that is told where to write, by its words or by the project's settings.
    fn in_own_folder(&mut self, at: &At, plan: &mut Plan) -> Result<Role, Refusal> {
        let At { draft, index, command, .. } = *at;
        let folder = own_folder(command)?;
        super::installed::stays_in(command, &folder)?;
        if super::outside::climbs(draft, &folder) {
            return refuse(command.line, format!("`{}` may write above `{folder}`; copy what it leaves there by hand", named(command)));
        }
        self.build(plan, index, command)
    }

    fn build(&mut self, plan: &mut Plan, index: usize, command: &Classified) -> Result<Role, Refusal> {
        let folder = own_folder(command)?;
        self.built = true;
        self.last_use = self.last_use.max(index);
        plan.snapshot(&folder, index);
        Ok(Role::Build)
    }

    /// What packages fetch besides the modules has to be in the runtime stage, too.
    fn downloads(&self, draft: &Draft, plan: &mut Plan) -> Result<(), Refusal> {
        for install in &self.installs {
            let Some(step) = draft.steps.get(install.step) else { continue };
            let manifest = draft.context_path(&format!("{}/package.json", install.folder.trim_end_matches('/')));
            let folder = manifest.as_deref().map(|p| p.rsplit_once('/').map_or(".", |(above, _)| above));
            for command in step.commands().iter().filter(|c| c.span.start == install.place) {
                let Some(found) = fetched(draft.model.catalog, draft.model.context, step, command, folder) else { continue };
                let taken = match &found.place {
                    Place::Settings => {
                        plan.snapshot(&install.folder, install.step);
                        true
                    }
                    Place::Moved(path) => plan.snapshot_of(path).is_some(),
                    Place::Home(_) => false,
                };
                if !taken {
                    let path = found.folder("~").unwrap_or_default();
                    let package = found.package;
                    return refuse(
                        command.line,
                        format!("`{package}` puts what it fetches into `{path}`, which stays behind in the builder; copy it by hand"),
                    );
                }
            }
        }
        Ok(())
    }

    /// Leaves what only develops behind, where it is sure that nothing at run time needs it.
    fn prune(&mut self, draft: &Draft, plan: &mut Plan, start: &Start) -> Result<bool, Refusal> {
        let mut prunes = false;
        let old = draft.facts.version.as_deref().and_then(|v| v.split('.').next()?.parse::<u32>().ok()).is_some_and(|v| v < 16);
        let mut done: Vec<String> = Vec::new();
        for install in &self.installs {
            let Some(package) = package(draft, &install.folder) else { continue };
            let dev = package.dev_names();
            if install.production || dev.is_empty() || done.contains(&install.folder) || !self.is_last(install) {
                continue;
            }
            let asked = Asked { folder: &install.folder, dev: &dev, package: &package, start, everywhere: &self.everywhere };
            if let Some(reason) = modules::kept(draft, &asked) {
                plan.notes.push(format!("{reason}, so the development modules stay"));
                continue;
            }
            if package.has_workspaces() {
                plan.notes.push("the project has workspaces, so the development modules stay".to_owned());
                continue;
            }
            let command = match install.manager.as_str() {
                "yarn" if package.uses_yarn_berry() => continue,
                "yarn" => "yarn install --production --ignore-scripts --prefer-offline",
                "pnpm" => "pnpm prune --prod",
                _ if old => "npm prune --production",
                _ => "npm prune --omit=dev",
            };
            let after = self.last_use.max(install.step);
            let here = draft.steps.get(after).and_then(|s| s.before.workdir.clone());
            let text = if here.as_deref() == Some(install.folder.as_str()) {
                format!("RUN {command}")
            } else {
                format!("RUN cd {} && {command}", install.folder)
            };
            if install.manager == "npm" && package.is_prepared() {
                plan.notes.push("pruning would run the project's `prepare` script, so the development modules stay".to_owned());
                continue;
            }
            plan.builder_after.push((after, text));
            if let Some(s) = plan.snapshots.iter_mut().find(|s| inside(&install.folder, &s.folder)) {
                s.last_writer = s.last_writer.max(after);
            }
            plan.notes.push(format!("`{command}` drops the {} development modules", dev.len()));
            done.push(install.folder.clone());
            prunes = true;
        }
        Ok(prunes)
    }
}

/// Whether `npx`, or a path to the project's own modules, runs a tool that writes what it is told.
fn runs_tool(words: &[&str]) -> bool {
    let tool = match words {
        ["npx", "--no-install" | "--no" | "-y" | "--yes", tool, ..] | ["npx", tool, ..] => *tool,
        [first, ..] => first.strip_prefix("./").unwrap_or(first).strip_prefix("node_modules/.bin/").unwrap_or_default(),
        [] => "",
    };
    super::facts::facts().assets.tools.iter().any(|t| t == tool)
}

fn last_copy_into(draft: &Draft, folder: &str) -> usize {
    draft.copies.iter().filter(|c| inside(folder, &c.destination) || inside(&c.destination, folder)).map(|c| c.step).max().unwrap_or(0)
}
