//! Ruby: the gems are installed in the builder; the runtime stage takes over the folder that holds them.

use super::draft::{Draft, absolute, refuse};
use super::facts::facts;
use super::language::{At, Planner};
use super::needs;
use super::plan::Plan;
use super::roles::{Role, is_system_folder, named, of_the_project, own_folder, value_of};
use crate::context::Knowledge;
use crate::edit::Edit;
use crate::model::Value;
use crate::model::command::{Action, Classified, Operation, acts_elsewhere};
use crate::transforms::Refusal;
use crate::transforms::packages::{bundler_setting, is_root, locked_for_linux};

/// Where Bundler keeps an application's settings and, if nothing else is said, its gems, on the official images.
const GEMS: &str = "/usr/local/bundle";

/// What the planner has seen.
#[derive(Debug, Default)]
pub(super) struct Ruby {
    /// The first step that installs gems.
    first_install: Option<usize>,
    /// Whether the application builds something besides.
    built: bool,
    /// The names of the gems that are installed, as far as they can be read.
    gems: Vec<String>,
    /// The first line that installs gems whose names can't be read.
    unread: Option<(String, usize)>,
    /// Whether a setting keeps Bundler from writing the lock.
    frozen: bool,
    /// Gems installed by their names, with the lines.
    named: Vec<(String, usize)>,
    /// Whether gems are told to use the system's libraries instead of their own.
    system_libraries: bool,
}

impl Planner for Ruby {
    fn role(&mut self, at: &At, plan: &mut Plan) -> Result<Option<Role>, Refusal> {
        let At { index, command, .. } = *at;
        let words = command.texts();
        match &command.action {
            Action::Language { manager, .. } if manager == "bundle" => {
                let rest: Vec<&str> = words.iter().skip(1).filter(|w| !w.starts_with('_')).copied().collect();
                let verb = rest.iter().find(|w| !w.starts_with('-')).copied().unwrap_or("install");
                match verb {
                    "config" => self.config(at, plan, &words),
                    "exec" => {
                        let inner: Vec<&str> = rest.iter().skip_while(|w| **w != "exec").skip(1).copied().collect();
                        return self.program(at, plan, &inner);
                    }
                    "install" | "update" | "add" | "lock" | "remove" | "binstubs" | "init" => self.bundle(at, plan, &rest, verb),
                    _ => Ok(Role::Build),
                }
                .map(Some)
            }
            Action::Language { manager, operation: Operation::Install, packages, .. } if manager == "gem" => {
                let names = packages.iter().map(|w| w.literal.as_deref().unwrap_or(&w.raw));
                self.gem(at, plan, &names.collect::<Vec<_>>()).map(Some)
            }
            Action::Language { manager, .. } if manager == "gem" => Ok(Some(Role::Build)),
            Action::Build { .. } => {
                let folder = own_folder(command)?;
                super::installed::stays_in(command, &folder)?;
                self.in_folder(plan, index, &folder).map(Some)
            }
            action if action.is_unforeseen() => self.program(at, plan, &words),
            _ => Ok(None),
        }
    }

    fn builds(&self) -> bool {
        self.first_install.is_some() || self.built
    }

    fn finish(&mut self, draft: &Draft, plan: &mut Plan) -> Result<(), Refusal> {
        let line = draft.from.line;
        if !needs::is_full(draft) {
            return refuse(
                line,
                if plan.shed.is_empty() {
                    format!("no gain: `{}` is small already, and the file installs nothing that only builds", draft.image.written)
                } else {
                    format!("`{}` is small already; what only builds there is not separated from gems yet", draft.image.written)
                },
            );
        }
        needs::readable_start(draft)?;
        starts_as_it_is(draft)?;
        let anchor = self.first_install.unwrap_or(0);
        needs::known_context(draft, "which libraries of the full image the gems load can't be told")?;
        if let Some((what, line)) = &self.unread {
            return refuse(
                *line,
                format!("context unknown: `{what}` can't be read, so which libraries of the full image its gems load can't be told"),
            );
        }
        for (name, line) in std::mem::take(&mut self.named) {
            let file = name.strip_suffix(".gem").map(|n| n.rsplit_once('-').map_or(n, |(gem, _)| gem).to_owned());
            let name = file.unwrap_or(name);
            if !draft.model.catalog.gem_is_self_contained(&name) && !self.gems.contains(&name) {
                return refuse(
                    line,
                    format!("which gems `{name}` brings along is not known without a lock, and so not which libraries they load"),
                );
            }
            self.gems.push(name);
        }
        needs::late_libraries(draft, plan, &[".rb"], &["ffi_lib ", "ffi_lib(", "dlopen(", "dlload "])?;
        let runs = ["system", "Open3", "popen", "spawn", "`", "%x", "exec", "sh "];
        needs::tools(draft, plan, &[".rb", ".ru", ".rake", ".gemspec", ".erb", "Rakefile", "bin/", "exe/", "script/", "scripts/"], &runs)?;
        for gem in &self.gems {
            match draft.model.catalog.ruby_runtime(gem, draft.manager(), &draft.facts.releases, self.system_libraries) {
                Ok(libraries) => libraries.iter().for_each(|library| plan.package(library, anchor)),
                Err(reason) => return refuse(draft.line(anchor), reason),
            }
        }
        plan.notes.push(format!("the gems are taken over with `{GEMS}`"));
        plan.shed.sort();
        plan.shed.dedup();
        Ok(())
    }
}

impl Ruby {
    /// `bundle install` and what else changes the Gemfile, its lock or the gems.
    fn bundle(&mut self, at: &At, plan: &mut Plan, words: &[&str], verb: &str) -> Result<Role, Refusal> {
        let At { draft, index, step, command } = *at;
        self.installs(at, plan)?;
        let gemfile = value_of(words, &["--gemfile"]).or(step.before.known_variable("BUNDLE_GEMFILE"));
        let Some(gemfile) = absolute(command.directory.as_deref(), gemfile.unwrap_or("Gemfile")) else {
            return refuse(command.line, format!("`{}` runs in a folder that is not known", named(command)));
        };
        let folder = gemfile.rsplit_once('/').map_or("/", |(folder, _)| if folder.is_empty() { "/" } else { folder }).to_owned();
        // What stands in the project's folder besides: programs, gems of the application alone.
        let is_set = |name: &&str| step.before.known_variable(name).is_some();
        let keeps_lock = ["BUNDLE_FROZEN", "BUNDLE_DEPLOYMENT"].iter().any(is_set)
            || self.frozen
            || words.iter().any(|w| matches!(*w, "--frozen" | "--deployment"));
        self.read_lock(draft, &gemfile, command, keeps_lock)?;
        if let Some(Value::Unknown) = step.before.variable("BUNDLE_PATH") {
            return refuse(command.line, "where gems are installed is not known: the value of BUNDLE_PATH depends on the build");
        }
        let path = value_of(words, &["--path"]).or(step.before.known_variable("BUNDLE_PATH"));
        let deployment = words.contains(&"--deployment") || step.before.known_variable("BUNDLE_DEPLOYMENT").is_some_and(is_on);
        let own_gems = self.gems_in(plan, index, command, path)? || deployment && path.is_none();
        if let Some(programs) = value_of(words, &["--binstubs"]).filter(|f| f.starts_with('/')) {
            return refuse(command.line, format!("`{}` puts programs into `{programs}`; copy those by hand", named(command)));
        }
        let writes = words.iter().any(|w| w.starts_with("--binstubs") || w.starts_with("--standalone"))
            || matches!(verb, "update" | "add" | "lock" | "remove" | "binstubs" | "init");
        if own_gems || writes {
            of_the_project(command, &folder)?;
            plan.snapshot(&folder, index);
        }
        Ok(Role::Build)
    }

    /// Takes over the folder that an absolute `path` of Bundler is; whether it is one in the project.
    fn gems_in(&self, plan: &mut Plan, index: usize, command: &Classified, path: Option<&str>) -> Result<bool, Refusal> {
        match path {
            Some(path) if path.starts_with('/') => {
                of_the_project(command, path)?;
                plan.snapshot(path, index);
                Ok(false)
            }
            Some(_) => Ok(true),
            None => Ok(false),
        }
    }

    /// `bundle config`: what counts at run time, too, goes to the application's settings, which are taken over with the gems.
    fn config(&mut self, at: &At, plan: &mut Plan, words: &[&str]) -> Result<Role, Refusal> {
        let At { draft, index, command, .. } = *at;
        let Some((name, values)) = bundler_setting(words) else { return Ok(Role::Build) };
        let value = values.join(" ");
        self.system_libraries |= value.contains("system-libraries");
        let on = is_on(&value);
        if name.starts_with("local.") || name == "bin" && value.starts_with('/') {
            return refuse(command.line, format!("`{}` names a place of its own; copy what lies there by hand", named(command)));
        }
        self.frozen |= matches!(name, "frozen" | "deployment") && on;
        let own_gems = name == "path" && self.gems_in(plan, index, command, Some(&value))? || name == "deployment" && on || name == "bin";
        if own_gems {
            plan.snapshot(&own_folder(command)?, index);
        }
        if !draft.model.catalog.bundler_setting_at_start(name) {
            return Ok(Role::Build);
        }
        plan.snapshot(GEMS, index);
        if let Some(word) = command.words.iter().find(|w| w.raw == "--global") {
            plan.builder_edits.push(Edit::replace(word.span, "--local"));
        } else if !words.contains(&"--local")
            && let Some(word) = command.words.iter().rfind(|w| matches!(w.raw.as_str(), "config" | "set"))
        {
            plan.builder_edits.push(Edit::insert(word.span.end, " --local"));
        }
        Ok(Role::Build)
    }

    /// `gem install`.
    fn gem(&mut self, at: &At, plan: &mut Plan, names: &[&str]) -> Result<Role, Refusal> {
        let At { command, .. } = *at;
        let words = command.texts();
        let elsewhere = ["-i", "--install-dir", "-n", "--bindir", "--user-install", "--system", "--vendor", "--destdir"];
        if let Some(option) = words.iter().find(|w| elsewhere.contains(&w.split('=').next().unwrap_or(w))) {
            return refuse(command.line, format!("`{option}` of gem installs among other files; copy that by hand"));
        }
        self.installs(at, plan)?;
        for name in names {
            if name.contains(['$', '`']) {
                self.unread.get_or_insert(((*name).to_owned(), command.line));
            }
            let bare = name.split(':').next().unwrap_or(name);
            self.named.push((bare.rsplit('/').next().unwrap_or(bare).to_owned(), command.line));
        }
        Ok(Role::Build)
    }

    /// Notes an installation, which goes to the folder of all gems.
    fn installs(&mut self, at: &At, plan: &mut Plan) -> Result<(), Refusal> {
        let At { draft, index, step, command } = *at;
        let line = command.line;
        let text = step.span.text(draft.model.file.source());
        if !is_root(step) || acts_elsewhere(text) {
            return refuse(line, format!("`{}` installs gems as another user than root, whose files would become root's", named(command)));
        }
        for (name, value) in &command.environment {
            if name.starts_with("GEM_") || name.starts_with("BUNDLE_") && !matches!(name.as_str(), "BUNDLE_JOBS" | "BUNDLE_RETRY") {
                return refuse(line, format!("{name}={} may send gems to a place of its own", value.as_deref().unwrap_or("...")));
            }
        }
        let variable = |name: &str| step.before.known_variable(name);
        let home = variable("GEM_HOME").unwrap_or_default();
        if home != GEMS && (!home.starts_with('/') || is_system_folder(home)) {
            return refuse(line, "where gems are installed is not known: GEM_HOME is not that of the official images");
        }
        if variable("BUNDLE_APP_CONFIG") != Some(GEMS) {
            return refuse(line, "where Bundler keeps its settings is not known: BUNDLE_APP_CONFIG is not that of the official images");
        }
        if let Some(name) = ["BUNDLE_USER_HOME", "BUNDLE_USER_CONFIG", "BUNDLE_CONFIG"].iter().find(|name| variable(name).is_some()) {
            return refuse(line, format!("{name} sends Bundler's settings to a place of its own; split it by hand"));
        }
        if let Some(programs) = variable("BUNDLE_BIN") {
            of_the_project(command, programs)?;
            plan.snapshot(programs, index);
        }
        self.system_libraries |=
            text.contains("system-libraries") || text.contains("SYSTEM_LIBRARIES") || variable("NOKOGIRI_USE_SYSTEM_LIBRARIES").is_some();
        plan.snapshot(GEMS, index);
        plan.snapshot(home, index);
        self.first_install.get_or_insert(index);
        Ok(())
    }

    /// Reads the names of all gems out of the lock of `gemfile`. Without it, what they need in turn is not known; and one that is
    /// written anew when gems are installed is not the one that a later COPY brings.
    fn read_lock(&mut self, draft: &Draft, gemfile: &str, command: &Classified, keeps_lock: bool) -> Result<(), Refusal> {
        let path = match gemfile.strip_suffix("gems.rb") {
            Some(folder) => format!("{folder}gems.locked"),
            None => format!("{gemfile}.lock"),
        };
        let Some(lock) = draft.context_path(&path).and_then(|p| draft.model.context.read(&p)) else {
            self.unread.get_or_insert((path, command.line));
            return Ok(());
        };
        if !keeps_lock && !locked_for_linux(&lock) {
            return refuse(
                command.line,
                format!("`{path}` names no platform of Linux, so installing writes it anew; run `bundle lock --add-platform x86_64-linux`"),
            );
        }
        self.gems.extend(locked(&lock));
        Ok(())
    }

    /// A program that the application brings, or a generator of sites.
    fn program(&mut self, at: &At, plan: &mut Plan, words: &[&str]) -> Result<Option<Role>, Refusal> {
        let At { draft, index, command, .. } = *at;
        let Some(name) = words.first().map(|w| w.rsplit('/').next().unwrap_or(w)) else { return Ok(None) };
        let is_task = matches!(name, "rake" | "rails");
        let known = |task: &&str| draft.model.catalog.ruby_task_in_folder(task);
        let tasks: Vec<&str> = words.iter().skip(1).filter(|w| !w.starts_with('-') && !w.contains('=')).copied().collect();
        if is_task && (tasks.is_empty() || !tasks.iter().all(known)) {
            return refuse(
                command.line,
                format!("what `{}` writes is not known; copy what it leaves behind by hand, or leave the file as it is", named(command)),
            );
        }
        if !is_task && !facts().served.generators.iter().any(|g| g == name) {
            return Ok(None);
        }
        let folder = own_folder(command)?;
        super::outside::stays_inside(draft, command, &folder)?;
        super::installed::stays_in(command, &folder)?;
        self.in_folder(plan, index, &folder).map(Some)
    }

    fn in_folder(&mut self, plan: &mut Plan, index: usize, folder: &str) -> Result<Role, Refusal> {
        self.built = true;
        plan.snapshot(folder, index);
        Ok(Role::Build)
    }
}

/// Whether a setting's value is one of those by which Bundler reads it as set.
fn is_on(value: &str) -> bool {
    matches!(value, "1" | "true" | "yes" | "on")
}

/// Whether the application looks for a JavaScript runtime when it starts, or that can't be told.
pub(super) fn needs_javascript(draft: &Draft) -> bool {
    let context = draft.model.context;
    let mut gems = Vec::new();
    for path in context.files().0 {
        match path.rsplit('/').next() {
            Some("Gemfile.lock") => gems.extend(context.read(&path).map(|t| locked(&t)).unwrap_or_default()),
            Some("Gemfile") => gems.extend(context.read(&path).map(|t| asked_for(&t)).unwrap_or_default()),
            _ => {}
        }
    }
    *context.knowledge() != Knowledge::Known || draft.model.catalog.gems_need_javascript(&gems)
}

/// Refuses what installs gems when it starts, and what is there for development alone.
fn starts_as_it_is(draft: &Draft) -> Result<(), Refusal> {
    for started in &draft.program.commands {
        let text = started.words.join(" ");
        if draft.model.catalog.ruby_development_server(&text) {
            return refuse(
                started.line,
                format!("`{text}` restarts when the sources change; this is a development file, and a production image is another one"),
            );
        }
        let installs = started.words.windows(2).any(|pair| {
            matches!(pair, [program, verb] if matches!(program.rsplit('/').next(), Some("bundle" | "bundler" | "gem")) && matches!(verb.as_str(), "install" | "update"))
        });
        let runner = |w: &String| matches!(w.rsplit('/').next(), Some("foreman" | "overmind" | "hivemind" | "honcho" | "cron" | "crond"));
        if started.words.iter().any(runner) {
            return refuse(started.line, format!("`{text}` starts what another file names, which is not read"));
        }
        if installs || text == "bundle" {
            return refuse(started.line, format!("`{text}` installs gems when it starts: the toolchain is needed at run time"));
        }
    }
    Ok(())
}

/// The names of all gems in a Gemfile.lock: its lines with a version, indented by four.
/// Source: rubygems/bundler, lib/bundler/lockfile_parser.rb, NAME_VERSION.
fn locked(lock: &str) -> Vec<String> {
    let spec = |line: &str| {
        let rest = line.trim_end().strip_prefix("    ").filter(|r| !r.starts_with(' '))?;
        rest.split_once(" (").map(|(name, _)| name.to_owned())
    };
    lock.lines().filter_map(spec).collect()
}

/// The gems that a Gemfile names.
fn asked_for(gemfile: &str) -> Vec<String> {
    let name = |line: &str| {
        let rest = line.trim_start().strip_prefix("gem")?.trim_start_matches([' ', '(']);
        let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        rest.get(1..)?.split(quote).next().map(str::to_owned)
    };
    gemfile.lines().filter_map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::{asked_for, locked};

    #[test]
    fn gems_by_name() {
        let lock = "GEM\n  remote: https://rubygems.org/\n  specs:\n    pg (1.5.4)\n    rack-test (2.1.0)\n      rack (>= 1.3)\n\nDEPENDENCIES\n  pg\n";
        assert_eq!(locked(lock), ["pg", "rack-test"]);
        let gemfile = "source 'https://rubygems.org'\ngem 'pg', '~> 1.5'\n  gem(\"puma\")\n# gem 'x'\ngemspec\n";
        assert_eq!(asked_for(gemfile), ["pg", "puma"]);
    }
}
