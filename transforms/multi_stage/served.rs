//! Images of web servers: what is built in them are files that the server sends, and what builds them stays behind.

use super::draft::{Draft, absolute, inside, refuse};
use super::facts::facts;
use super::language::{At, Planner};
use super::needs;
use super::outside::stays_inside;
use super::plan::{Extra, Plan};
use super::program;
use super::roles::{Role, is_system_folder, named, of_the_project};
use super::system;
use crate::context::fits;
use crate::model::command::{Action, Classified, Operation};
use crate::model::image::ImageFacts;
use crate::transforms::Refusal;
use std::rc::Rc;

/// Directives of servers that name a folder whose files are sent. Source: ngx_http_core_module and Apache's core.
const FOLDERS: &[&str] = &["root", "alias", "documentroot"];

/// Scripts of this folder run before the server starts. Source: nginx's docker-entrypoint.sh.
const START_SCRIPTS: &str = "/docker-entrypoint.d";

/// What the planner has seen.
#[derive(Debug, Default)]
pub(super) struct Served {
    /// The steps that build, with the folder that each runs in.
    builds: Vec<(usize, String)>,
    /// Folders that commands on files made or filled.
    made: Vec<String>,
    /// The last step that puts files among those that are sent.
    last_writer: usize,
}

/// Whether `name` is a package that a server doesn't run with: a toolchain, an interpreter or a tool that nothing that starts calls.
pub(super) fn leaves_behind(draft: &Draft, name: &str) -> bool {
    let served = &facts().served;
    let called = |program: &str| draft.program.has_word(program).is_some();
    let tool = facts().tools.iter().find(|(_, package)| package.as_str() == name).map(|(tool, _)| tool.as_str());
    let builds = draft.model.catalog.is_build_only(name, draft.manager())
        || tool.is_some()
        || served.packages.iter().chain(facts().system.languages.iter().flat_map(|l| &l.packages)).any(|p| fits(p, name));
    !draft.facts.content.is_empty() && builds && !called(name) && !tool.is_some_and(called)
}

/// The facts of the base where a package brings a server and nothing else starts: what the server sends, and an image without the
/// base's own toolchain that has the same packages.
pub(super) fn completed(draft: &Draft) -> Option<ImageFacts> {
    let served = &facts().served;
    let base: &ImageFacts = &draft.facts;
    let starts =
        |c: &program::Started| c.words.first().is_some_and(|w| served.servers.iter().any(|s| Some(s.as_str()) == w.rsplit('/').next()));
    if !base.content.is_empty() || !draft.program.commands.iter().any(starts) || base.distribution.is_none() {
        return None;
    }
    let names: Vec<String> = system::packages(draft).collect();
    let server = served.installed.iter().find(|s| s.manager == draft.manager() && names.iter().any(|n| s.packages.contains(n)))?;
    let release = base.release.as_deref().filter(|_| !base.release_moving && !draft.image.written.contains('$'));
    let bare = release.and_then(|r| Some(served.bare.get(base.distribution.as_deref()?)?.replace("RELEASE", r)));
    // The small images of older releases lack folders that packages stumble over.
    let small = base.releases.iter().all(|r| facts().system.small.contains(r)) || base.distribution.as_deref() != Some("debian");
    let runtime = match bare.filter(|_| small || base.language.is_some()) {
        // Its start script may do more than to start the server.
        Some(_) if base.entrypoint.is_some() && !base.passes_on => needs::smaller_variant(draft).ok()?,
        Some(bare) => bare,
        None if base.language.is_none() => draft.image.written.clone(),
        None => return None,
    };
    Some(ImageFacts {
        language: None,
        content: server.content.clone(),
        configuration: Some(server.configuration.clone()),
        runtime: Some(runtime),
        ..base.clone()
    })
}

impl Planner for Served {
    fn role(&mut self, at: &At, plan: &mut Plan) -> Result<Option<Role>, Refusal> {
        let At { draft, index, command, .. } = *at;
        let words = command.texts();
        let configuration = configuration_folder(draft);
        let text = command.span.text(draft.model.file.source());
        match &command.action {
            Action::Language { operation: Operation::Clean, .. } => Ok(Some(Role::Build)),
            Action::Build { .. } | Action::Language { .. } => self.build(draft, index, command, &words).map(Some),
            action if action.is_unforeseen() && is_program(draft, command, &words) => self.build(draft, index, command, &words).map(Some),
            Action::File { writes, .. } => {
                let of =
                    |word: &crate::shell::ShellWord| absolute(command.directory.as_deref(), word.literal.as_deref().unwrap_or(&word.raw));
                let paths: Vec<String> = writes.iter().filter_map(of).collect();
                let sent = |p: &String| draft.facts.content.iter().any(|c| inside(p, c));
                let settings = |p: &String| inside(p, configuration);
                let copies = matches!(command.program(), Some("cp" | "mv" | "install" | "tee" | "tar" | "unzip"));
                let switches = FOLDERS.iter().any(|f| text.to_ascii_lowercase().contains(f));
                if paths.iter().any(settings) && (copies || switches) || text.contains(configuration) && switches {
                    return refuse(
                        command.line,
                        format!("`{}` changes which folders are served, in a way that can't be followed", named(command)),
                    );
                }
                if paths.is_empty() || !paths.iter().any(sent) {
                    let own = paths.iter().filter(|p| !is_system_folder(p) && !inside(p, configuration));
                    let own: Vec<String> = own.cloned().collect();
                    if !own.is_empty()
                        && own.len() == paths.len()
                        && !matches!(command.program(), Some("rm" | "rmdir"))
                        && !own.iter().any(|p| ["/etc", "/usr", "/var/log", "/run", "/root"].iter().any(|f| inside(p, f)))
                    {
                        self.made.extend(own);
                        self.last_writer = self.last_writer.max(index);
                        return Ok(Some(Role::Build));
                    }
                    return Ok(None);
                }
                if !paths.iter().all(sent) {
                    return refuse(command.line, format!("`{}` changes files that are sent, and others", named(command)));
                }
                if command.program() == Some("ln") {
                    return refuse(command.line, format!("`{}` links what is sent to another place", named(command)));
                }
                self.last_writer = self.last_writer.max(index);
                if matches!(command.program(), Some("rm" | "rmdir")) {
                    // What the image itself brings has to go from both stages.
                    if command.conditional || words.iter().skip(1).any(|w| !w.starts_with(['/', '-'])) {
                        return refuse(
                            command.line,
                            format!("`{}` removes files that are sent; name them by absolute paths", named(command)),
                        );
                    }
                    plan.extras.push(Extra { anchor: index, text: format!("RUN {}", forced(text)) });
                }
                Ok(Some(Role::Build))
            }
            _ => {
                let into =
                    command.writes.iter().filter_map(|w| absolute(command.directory.as_deref(), w.literal.as_deref().unwrap_or(&w.raw)));
                if into.into_iter().any(|p| inside(&p, configuration)) {
                    return refuse(
                        command.line,
                        format!("`{}` writes the server's configuration, which can't be followed", named(command)),
                    );
                }
                Ok(None)
            }
        }
    }

    fn builds(&self) -> bool {
        !self.builds.is_empty()
    }

    /// Takes over what is sent: the server's own folder, and those that its configuration names.
    fn finish(&mut self, draft: &Draft, plan: &mut Plan) -> Result<(), Refusal> {
        needs::readable_start(draft)?;
        needs::known_context(draft, "which folders the server sends can't be told")?;
        only_the_server_starts(draft)?;
        let mine =
            |path: &str| self.builds.iter().map(|(_, f)| f).chain(&self.made).any(|f| inside(path, f)) || draft.project_of(path).is_some();
        let mut folders = draft.facts.content.clone();
        for (path, named_by) in configured(draft)? {
            if folders.iter().any(|f| inside(&path, f)) {
                continue;
            }
            if is_system_folder(&path) {
                return refuse(draft.program.line, format!("{named_by} names `{path}`, which holds more than what is served"));
            }
            if !mine(&path) {
                return refuse(draft.program.line, format!("{named_by} names `{path}`, and what makes that is not known"));
            }
            folders.push(path);
        }
        self.nothing_else_is_named(draft, &folders)?;
        for folder in folders {
            plan.snapshot(&folder, self.last_writer);
            plan.notes.push(format!("`{folder}` is taken over whole"));
        }
        if plan.shed.is_empty() && plan.runtime == draft.image.written {
            return refuse(draft.from.line, format!("no gain: nothing that `{}` gets installed only builds", draft.image.written));
        }
        Ok(())
    }

    fn compiled(&self) -> bool {
        true
    }

    fn runtime(&self, draft: &Draft) -> Result<String, Refusal> {
        Ok(draft.facts.runtime.clone().unwrap_or_else(|| draft.image.written.clone()))
    }
}

impl Served {
    fn build(&mut self, draft: &Draft, index: usize, command: &Classified, words: &[&str]) -> Result<Role, Refusal> {
        let Some(folder) = command.directory.clone() else {
            return refuse(command.line, format!("`{}` runs in a folder that is not known", named(command)));
        };
        let installs_for_all =
            words.iter().any(|w| matches!(*w, "-g" | "--global")) || command.program().is_some_and(|p| p.starts_with("pip"));
        if !installs_for_all {
            of_the_project(command, &folder)?;
        }
        stays_inside(draft, command, &folder)?;
        if !installs_for_all {
            self.builds.push((index, folder));
        }
        self.last_writer = self.last_writer.max(index);
        Ok(Role::Build)
    }

    /// Refuses where what starts, or the configuration, names something else of the folders that stay behind.
    fn nothing_else_is_named(&self, draft: &Draft, folders: &[String]) -> Result<(), Refusal> {
        let left = |path: &String| {
            let of_copy = draft.copies.iter().any(|c| {
                !is_system_folder(&c.destination)
                    && inside(path, &c.destination)
                    && self.builds.iter().any(|(_, f)| inside(f, &c.destination) || inside(&c.destination, f))
            });
            (of_copy || self.builds.iter().any(|(_, f)| inside(path, f))) && !folders.iter().any(|f| inside(path, f))
        };
        let words = draft.program.commands.iter().flat_map(|c| &c.words).filter(|w| w.contains('/'));
        let started = words.filter_map(|w| absolute(draft.workdir(), w)).find(left);
        let named = started.or_else(|| configurations(draft).find_map(|file| super::outside::paths(&file.text).find(left)));
        match named {
            Some(path) => refuse(draft.program.line, format!("`{path}` is needed when the server runs, and lies where the site is built")),
            None => Ok(()),
        }
    }
}

/// The text of an `rm` that does not mind what is not there.
fn forced(text: &str) -> String {
    let line = text.replace(['\r', '\n'], " ");
    match line.split_once(char::is_whitespace) {
        Some(("rm", rest)) if !rest.trim_start().starts_with("-rf") && !rest.trim_start().starts_with("-f") => {
            format!("rm -f {}", rest.trim_start())
        }
        _ => line,
    }
}

/// A file of the context that is read as the server's configuration.
struct Configuration {
    /// The index of the COPY that brings it.
    step: usize,
    path: String,
    text: Rc<str>,
}

/// The folder of the server's configuration.
fn configuration_folder<'d>(draft: &'d Draft) -> &'d str {
    draft.facts.configuration.as_deref().unwrap_or("/etc")
}

/// The files of the context that a COPY puts where the server's configuration is.
fn configurations(draft: &Draft) -> impl Iterator<Item = Configuration> {
    let context = draft.model.context;
    let copies = draft.copies.iter().filter(|c| inside(&c.destination, configuration_folder(draft)));
    let files = copies.flat_map(move |c| c.sources.iter().flat_map(|s| context.files_of(s)).map(|path| (c.step, path)));
    files.filter_map(move |(step, path)| Some(Configuration { step, text: context.read(&path)?, path }))
}

/// Whether a command that is no known tool builds: a script of the project, by itself or by an interpreter, or a site generator.
fn is_program(draft: &Draft, command: &Classified, words: &[&str]) -> bool {
    let Some(first) = words.first() else { return false };
    let of_context = |word: &str| {
        absolute(command.directory.as_deref(), word).and_then(|p| draft.context_path(&p)).is_some_and(|p| draft.model.context.is_file(&p))
    };
    let name = first.rsplit('/').next().unwrap_or(first);
    let served = &facts().served;
    served.generators.iter().any(|g| g == name)
        || of_context(first)
        || served.interpreters.iter().any(|p| fits(p, name)) && words.get(1).is_some_and(|w| of_context(w))
}

/// The folders that the configuration names, with the file that names each.
fn configured(draft: &Draft) -> Result<Vec<(String, String)>, Refusal> {
    let folder = configuration_folder(draft);
    let mut found = Vec::new();
    if let Some(copy) = draft.copies.iter().find(|c| inside(folder, &c.destination) && c.destination != folder) {
        return refuse(draft.line(copy.step), "this may bring the server's configuration among other files, where it is not looked for");
    }
    if let Some(copy) = draft.copies.iter().find(|c| c.foreign && inside(&c.destination, folder)) {
        return refuse(draft.line(copy.step), "the server's configuration comes from outside of the context and can't be read");
    }
    for Configuration { step, path, text } in configurations(draft) {
        for line in text.lines().map(str::trim).filter(|l| !l.starts_with('#')) {
            let words: Vec<&str> = line.split_whitespace().collect();
            let begins = |at: usize| at.checked_sub(1).and_then(|b| words.get(b)).is_none_or(|w| w.ends_with([';', '{', '}']));
            let named = |(at, w): (usize, &&str)| (FOLDERS.contains(&w.to_ascii_lowercase().as_str()) && begins(at)).then_some(at);
            for at in words.iter().enumerate().filter_map(named) {
                // Apache's `Alias` has the address in front of the folder.
                let at = if words.get(at).is_some_and(|w| *w == "Alias") { at + 1 } else { at };
                let value = words.get(at + 1).copied().unwrap_or_default().trim_end_matches(['}', ';']).trim_matches(['"', '\'']);
                if !value.starts_with('/') {
                    return refuse(draft.line(step), format!("{path} names the folder `{value}`, and where that is can't be told"));
                }
                // What stands before a variable is a folder that holds all of them.
                let fixed = value.split('$').next().unwrap_or(value).trim_end_matches('/');
                found.push((fixed.to_owned(), path.clone()));
            }
        }
    }
    Ok(found)
}

/// Refuses where something else than the server starts: its needs are not known here.
fn only_the_server_starts(draft: &Draft) -> Result<(), Refusal> {
    let served = &facts().served;
    let any = |names: &[String], name: &str| names.iter().any(|n| n == name);
    let known = |first: &str| {
        let name = first.rsplit('/').next().unwrap_or(first);
        let of_context = absolute(draft.workdir(), first).and_then(|p| draft.context_path(&p)).is_some();
        any(&served.servers, name) || any(&served.present, name) || any(&facts().basic_programs, name) || of_context
    };
    for started in draft.program.commands.iter().filter(|c| !c.health) {
        if let Some(first) = started.words.first().filter(|first| !known(first)) {
            return refuse(started.line, format!("`{first}` starts besides the server; what it needs of the image is not known"));
        }
    }
    // The image's own start script runs what lies there.
    for copy in draft.copies.iter().filter(|c| inside(&c.destination, START_SCRIPTS)) {
        let texts = copy.sources.iter().flat_map(|s| draft.model.context.files_of(s)).map(|f| draft.model.context.read(&f));
        for text in texts {
            let script = text.as_deref().and_then(program::parse_text).filter(|_| !copy.foreign);
            let Some(script) = script else {
                return refuse(draft.line(copy.step), "this adds to what starts, and it can't be read");
            };
            let unknown = program::simple_commands(&script).into_iter().find_map(|w| w.into_iter().next().filter(|first| !known(first)));
            if let Some(first) = unknown {
                return refuse(
                    draft.line(copy.step),
                    format!("`{first}` starts besides the server; what it needs of the image is not known"),
                );
            }
        }
    }
    Ok(())
}
