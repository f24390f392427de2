//! .NET: what `dotnet publish` wrote ships, and runs on the image of the runtime.

use super::compiled;
use super::draft::{Draft, absolute, inside, refuse};
use super::facts::facts;
use super::language::{At, Planner};
use super::needs;
use super::plan::{Extra, Plan};
use super::roles::{Role, is_system_folder, named};
use crate::catalog::compare_versions;
use crate::model::command::{Action, Classified, Operation};
use crate::model::image::Reference;
use crate::transforms::Refusal;

/// What the planner has seen.
#[derive(Debug, Default)]
pub(super) struct Dotnet {
    publishes: Vec<Publish>,
    /// Whether the SDK does anything.
    builds: bool,
    /// The line of a `dotnet tool install`.
    tools: Option<usize>,
}

/// One `dotnet publish`.
#[derive(Debug)]
struct Publish {
    step: usize,
    /// The folder that it runs in.
    folder: String,
    /// The folder of the project that it names, or the one that it runs in.
    project: String,
    /// The value of `--output`.
    output: Option<String>,
}

impl Publish {
    /// Whether it may have written `folder`, where what starts lies.
    ///
    /// Up to SDK 2 a relative output lies below each project that is published, since then below the folder that the command runs in.
    /// Without one it is `bin/CONFIGURATION/FRAMEWORK[/RUNTIME]/publish` below the project.
    /// Source: learn.microsoft.com/dotnet/core/tools/dotnet-publish.
    fn wrote(&self, folder: &str, by_project: bool) -> bool {
        match self.output.as_deref().map(|o| o.trim_end_matches('/')) {
            Some(output) if output.starts_with('/') => output == folder,
            Some(output) if by_project => {
                absolute(Some(&self.project), output).as_deref() == Some(folder)
                    || inside(folder, &self.folder) && !output.starts_with('.') && folder.ends_with(&format!("/{output}"))
            }
            Some(output) => absolute(Some(&self.folder), output).as_deref() == Some(folder),
            None => inside(folder, &self.folder) && folder.contains("/bin/") && folder.ends_with("/publish"),
        }
    }
}

impl Planner for Dotnet {
    fn role(&mut self, at: &At, plan: &mut Plan) -> Result<Option<Role>, Refusal> {
        let At { index, command, .. } = *at;
        let Action::Language { manager, operation, .. } = &command.action else {
            return Ok(match &command.action {
                Action::Build { .. } if command.program() == Some("dotnet") => Some(self.publish(index, command)?),
                Action::Test => Some(Role::Build),
                Action::File { .. } if matches!(command.program(), Some("mkdir" | "touch")) => compiled::made(at, plan),
                _ => None,
            });
        };
        if manager != "dotnet" {
            return Ok(None);
        }
        self.builds = true;
        if *operation == Operation::Run {
            return refuse(command.line, format!("`{}` runs a program at build time, whose effects are not known", named(command)));
        }
        let verb = command.words.get(1).map(|w| w.raw.as_str()).unwrap_or_default();
        if *operation == Operation::Other && !facts().dotnet.in_project.iter().any(|known| known == verb) {
            return refuse(
                command.line,
                format!("`{}` leaves something that the program may need elsewhere than in the project", named(command)),
            );
        }
        if *operation == Operation::Install && command.words.iter().any(|w| w.raw == "tool") {
            self.tools = Some(command.line);
        }
        Ok(Some(Role::Build))
    }

    fn builds(&self) -> bool {
        self.builds
    }

    fn finish(&mut self, draft: &Draft, plan: &mut Plan) -> Result<(), Refusal> {
        needs::readable_start(draft)?;
        needs::known_context(draft, "which files the program opens can't be told")?;
        let assemblies = self.assemblies(draft)?;
        let by_project = draft.facts.version.as_deref().is_some_and(|v| compare_versions(v, "3").is_lt());
        let mut program = String::new();
        for (path, line) in assemblies {
            let folder = path.rsplit_once('/').map_or("/", |(f, _)| f);
            let Some(publish) = self.publishes.iter().rev().find(|p| p.wrote(folder, by_project)) else {
                return refuse(
                    line,
                    format!(
                        "`{path}` is what starts, and no `dotnet publish` writes there as far as can be told (what `dotnet build` leaves \
                         may need the packages that NuGet keeps elsewhere)"
                    ),
                );
            };
            if is_system_folder(folder) {
                return refuse(line, format!("`dotnet publish` writes into `{folder}`, among other files; give it a folder of its own"));
            }
            plan.artifact(folder, publish.step);
            program = path;
        }
        if draft.facts.distribution.as_deref() == Some("alpine") && !draft.sets("DOTNET_SYSTEM_GLOBALIZATION_INVARIANT") {
            return refuse(
                draft.from.line,
                "the SDK's Alpine image has the data of languages and regions (ICU), the runtime's has not; set \
                 DOTNET_SYSTEM_GLOBALIZATION_INVARIANT to say whether the program needs it",
            );
        }
        let Some(runtime) = draft.facts.runtime.clone() else {
            return refuse(
                draft.from.line,
                format!("no image is known that surely runs what `{}` builds; name a version such as 8.0 in its tag", draft.image.written),
            );
        };
        plan.runtime = runtime;
        keep_addresses(draft, plan);
        needs::tools(draft, plan, &[".cs", ".fs", ".vb"], &facts().dotnet.starts.iter().map(String::as_str).collect::<Vec<_>>())?;
        needs::time_zones(draft, plan, false);
        let here = draft.workdir().unwrap_or("/").to_owned();
        if !plan.artifacts.iter().any(|a| inside(&here, &a.path)) && !is_system_folder(&here) {
            // The program looks for its settings and its static files below the folder that it starts in.
            let sources = compiled::sources(draft, &here, &[".cs", ".fs", ".vb"]);
            let own: Vec<&str> = facts().dotnet.own.iter().map(String::as_str).collect();
            let last = plan.artifacts.iter().map(|a| a.step).max().unwrap_or(0);
            compiled::data(draft, plan, &here, &sources, &own, last);
        }
        compiled::base_configuration(draft, plan, &[program])
    }

    fn compiled(&self) -> bool {
        true
    }
}

impl Dotnet {
    fn publish(&mut self, step: usize, command: &Classified) -> Result<Role, Refusal> {
        self.builds = true;
        let words = command.texts();
        if words.get(1) != Some(&"publish") {
            return Ok(Role::Build);
        }
        let Some(folder) = command.directory.clone() else {
            return refuse(command.line, format!("`{}` runs in a folder that is not known", named(command)));
        };
        let (project, output) = arguments(words.get(2..).unwrap_or_default());
        if let Some(output) = output.filter(|o| o.contains(['$', '`', '*'])) {
            return refuse(command.line, format!("`{}` writes to `{output}`, which is not known before the build", named(command)));
        }
        let project = match project.and_then(|p| absolute(Some(&folder), p)) {
            Some(file) if file.ends_with("proj") || file.ends_with(".sln") => {
                file.rsplit_once('/').map_or_else(|| folder.clone(), |(f, _)| f.to_owned())
            }
            Some(path) => path,
            None => folder.clone(),
        };
        self.publishes.push(Publish { step, folder, project, output: output.map(str::to_owned) });
        Ok(Role::Build)
    }

    /// The absolute paths of the assemblies and programs that start, with the line that starts each.
    fn assemblies(&self, draft: &Draft) -> Result<Vec<(String, usize)>, Refusal> {
        let mut found = Vec::new();
        for started in draft.program.commands.iter().filter(|c| !c.health) {
            let mut words = started.words.iter();
            let Some(first) = words.next() else { continue };
            let name = first.rsplit('/').next().unwrap_or(first);
            let path = absolute(draft.workdir(), first);
            let of_system = || first.rsplit_once('/').is_some_and(|(folder, _)| is_system_folder(folder));
            let of_context = || path.as_deref().and_then(|p| draft.context_path(p)).is_some_and(|p| draft.model.context.exists(&p));
            let named = match name {
                "dotnet" => {
                    let mut assembly = None;
                    while let Some(word) = words.next() {
                        if facts().dotnet.host_values.contains(word) {
                            words.next();
                        } else if word != "exec" && !word.starts_with('-') {
                            assembly = Some(word);
                            break;
                        }
                    }
                    match assembly {
                        Some(assembly) if assembly.ends_with(".dll") => assembly,
                        _ => {
                            return refuse(
                                started.line,
                                format!("`{}` needs the SDK at run time; publish the project and start its .dll", started.words.join(" ")),
                            );
                        }
                    }
                }
                // An executable of its own, which `dotnet publish` makes beside the assembly.
                _ if first.contains('/') && !of_system() && !of_context() => first,
                _ if facts().basic_programs.iter().any(|p| p == name) || of_context() => continue,
                _ => match self.tools {
                    Some(line) => {
                        return refuse(
                            started.line,
                            format!("`{name}` may be a program of `dotnet tool install` (line {line}), which needs the SDK"),
                        );
                    }
                    None => continue,
                },
            };
            match absolute(draft.workdir(), named).filter(|_| !named.contains('$')) {
                Some(path) => found.push((path, started.line)),
                None => return refuse(started.line, format!("where `{named}` lies, which is what starts, is not known")),
            }
        }
        if found.is_empty() {
            let line = draft.program.line;
            return refuse(line, "what starts is no assembly that `dotnet publish` wrote, as far as can be told");
        }
        Ok(found)
    }
}

/// The project and the output of `dotnet publish` arguments.
fn arguments<'w>(words: &[&'w str]) -> (Option<&'w str>, Option<&'w str>) {
    let (mut project, mut output) = (None, None);
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        let glued = ["-o=", "--output=", "-o:", "--output:", "-p:PublishDir=", "/p:PublishDir=", "--property:PublishDir="];
        if let Some(value) = glued.iter().find_map(|head| word.strip_prefix(head)) {
            output = Some(value);
        } else if matches!(*word, "-o" | "--output") {
            output = rest.next().copied();
        } else if facts().dotnet.publish_values.iter().any(|o| o == word) {
            rest.next();
        } else if !(word.starts_with('-') || word.starts_with('/') && word.contains(':')) && project.is_none() {
            project = Some(*word);
        }
    }
    (project, output)
}

/// Keeps the variables that say where the server listens as they are on the SDK's image: the runtime's sets them otherwise.
fn keep_addresses(draft: &Draft, plan: &mut Plan) {
    let runtime = Reference::parse(&plan.runtime).and_then(|r| draft.model.catalog.image(&r)).unwrap_or_default();
    let before = |name: &str| draft.facts.env.iter().find(|(n, _)| n == name).and_then(|(_, v)| v.clone()).unwrap_or_default();
    for (name, value) in &runtime.env {
        let Some(value) = value.as_deref().filter(|v| *v != before(name)) else { continue };
        // Where the file says it all, the ports do not count.
        if name != "PATH" && !draft.sets(name) && !draft.sets("ASPNETCORE_URLS") {
            plan.extras.push(Extra { anchor: 0, text: format!("ENV {name}={}", before(name)) });
            plan.notes.push(format!("{name} stays as it was, where `{}` would set it to `{value}`", plan.runtime));
        }
    }
}
