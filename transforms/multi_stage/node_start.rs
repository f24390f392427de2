//! What a Node container starts, taken apart: npm's scripts, the programs that only start others, and the scripts of the project.

use super::draft::{Draft, absolute, mentions};
use super::facts::facts;
use super::package::{Package, package};
use super::program::{Program, parse_text, simple_commands};
use crate::context::Knowledge;
use crate::model::walk::DEFAULT_PATH;
use crate::syntax::{Keyword, View};
use std::collections::BTreeSet;

/// How deep scripts of package.json that start others are followed.
const DEPTH: usize = 6;

/// What `npm start` and the like go through.
#[derive(Debug, Default)]
pub(super) struct Start {
    /// The words of everything that starts, and of Node's options.
    pub words: Vec<String>,
    /// The commands one by one, without what only prepares them.
    pub commands: Vec<Vec<String>>,
    /// The programs that have to be there, with the script of the context that calls each.
    programs: Vec<(String, Option<String>)>,
    /// What starts something that can't be told.
    pub unclear: Option<String>,
    pub refusal: Option<(String, usize)>,
    /// The scripts of package.json that were followed, by folder and name.
    seen: BTreeSet<(String, String)>,
}

impl Start {
    pub(super) fn read(draft: &Draft, folder: &str) -> Self {
        let mut start = Self::default();
        let mut here = folder.to_owned();
        for c in &draft.program.commands {
            start.command(draft, &mut here, &c.words, c.script.as_deref(), c.line, 0);
        }
        start.node_options(draft, folder);
        start
    }

    /// What Node's options load: those of the image's environment, of the start itself and of `.npmrc`.
    fn node_options(&mut self, draft: &Draft, folder: &str) {
        let mut texts: Vec<String> = Vec::new();
        for step in draft.steps {
            match &step.view {
                View::Env { pairs, .. } => {
                    texts.extend(
                        pairs.iter().filter(|p| p.name.text == "NODE_OPTIONS").filter_map(|p| Some(p.value.as_ref()?.text.clone())),
                    );
                }
                _ if matches!(step.keyword, Keyword::Cmd | Keyword::Entrypoint) => texts.extend(step.reading.args.iter().cloned()),
                _ => {}
            }
        }
        let scripts = draft.program.commands.iter().filter_map(|c| c.script.as_deref());
        let settings = absolute(Some(folder), ".npmrc").and_then(|p| draft.context_path(&p));
        let files = scripts.map(str::to_owned).chain(settings).filter_map(|p| draft.model.context.read(&p));
        let lines = |text: &str| -> Vec<String> {
            text.lines().filter(|l| l.contains("NODE_OPTIONS") || l.contains("node-options")).map(str::to_owned).collect()
        };
        texts.extend(files.flat_map(|text| lines(&text)));
        for text in texts {
            self.tokens(&text);
        }
    }

    /// The words of a text of shell with its assignments and quotes taken apart.
    fn tokens(&mut self, text: &str) {
        self.words.extend(text.split([' ', '\t', '\n', '=', '"', '\'']).filter(|w| !w.is_empty()).map(str::to_owned));
    }

    fn command(&mut self, draft: &Draft, folder: &mut String, words: &[String], script: Option<&str>, line: usize, depth: usize) {
        let Some(first) = words.first() else { return };
        let name = first.rsplit('/').next().unwrap_or(first);
        let tail = words.get(1..).unwrap_or_default();
        for word in words {
            self.tokens(word);
        }
        if draft.model.catalog.node_development_server(&words.join(" ")) {
            self.refusal.get_or_insert((
                format!("`{}` is a development server; this is a development file, and a production image is another one", words.join(" ")),
                line,
            ));
            return;
        }
        if words.iter().any(|w| w == "--watch" || w == "--hot") && depth > 0 {
            self.refusal.get_or_insert((
                format!("`{}` watches the sources; this is a development file, and a production image is another one", words.join(" ")),
                line,
            ));
            return;
        }
        let assigns = first.split_once('=').is_some_and(|(n, _)| n.chars().all(|c| c.is_alphanumeric() || c == '_'));
        if (assigns || name == "env") && !tail.is_empty() {
            return self.command(draft, folder, tail, script, line, depth);
        }
        self.programs.push((first.clone(), script.map(str::to_owned)));
        if name == "cd" {
            let to = tail.first().filter(|w| !w.contains(['$', '`', '~'])).and_then(|w| absolute(Some(folder), w));
            *folder = to.unwrap_or_else(|| folder.clone());
        }
        // Programs that set something up and start what their last words say.
        let sets_variables = matches!(name, "cross-env" | "cross-env-shell");
        let starts = |w: &String| matches!(w.as_str(), "node" | "npm" | "npx" | "yarn" | "pnpm" | "--");
        let own = matches!(name, "node" | "nodejs" | "npm" | "npx" | "yarn" | "pnpm" | "pnpx" | "echo" | "sh" | "bash");
        if sets_variables {
            let inner: Vec<String> = tail.iter().skip_while(|w| w.contains('=')).cloned().collect();
            match inner.as_slice() {
                [text] if text.contains(' ') => self.text(draft, folder, text, line, depth),
                _ => self.command(draft, folder, &inner, script, line, depth),
            }
            return;
        }
        if !own && let Some(at) = tail.iter().position(starts) {
            let at = if tail.get(at).is_some_and(|w| w == "--") { at + 1 } else { at };
            return self.command(draft, folder, tail.get(at..).unwrap_or_default(), script, line, depth);
        }
        self.commands.push(words.to_vec());
        if depth > DEPTH {
            return;
        }
        let rest: Vec<&str> = tail.iter().map(String::as_str).filter(|w| !w.starts_with('-')).collect();
        match name {
            "npx" | "pnpx" => self.programs.extend(rest.first().map(|w| (bare(w).to_owned(), None))),
            "run-s" | "run-p" | "npm-run-all" | "npm-run-all2" => {
                let Some(package) = package(draft, folder) else { return };
                for pattern in rest.iter().filter_map(|w| w.split_whitespace().next()) {
                    let pattern = pattern.replace("**", "*");
                    for script in package.scripts().iter().filter(|s| crate::context::fits(&pattern, s)) {
                        self.script(draft, folder, &package, script, words, line, depth);
                    }
                }
            }
            "npm" | "yarn" | "pnpm" => self.manager(draft, folder, name, &rest, words, line, depth),
            _ => {}
        }
    }

    /// What a package manager is told to start.
    #[expect(clippy::too_many_arguments, reason = "a command with where it stands")]
    fn manager(&mut self, draft: &Draft, folder: &str, name: &str, rest: &[&str], words: &[String], line: usize, depth: usize) {
        const ELSEWHERE: &[&str] = &["--prefix", "-C", "--cwd", "--dir", "-w", "--workspace", "--filter", "--top-level"];
        if words.iter().any(|w| ELSEWHERE.contains(&w.split('=').next().unwrap_or(w))) || matches!(rest, ["workspace" | "workspaces", ..]) {
            self.unclear.get_or_insert_with(|| words.join(" "));
            return;
        }
        let script = match rest {
            ["run" | "run-script", script, ..] => *script,
            ["start", ..] => "start",
            ["test" | "t", ..] => "test",
            ["exec" | "dlx" | "x", program, ..] => {
                self.programs.push((bare(program).to_owned(), None));
                return;
            }
            [script, ..] if name != "npm" => *script,
            _ => return,
        };
        let Some(package) = package(draft, folder) else {
            if draft.model.context.knowledge() != &Knowledge::Known {
                self.refusal.get_or_insert((
                    format!("context unknown: package.json can't be read, so what `{}` starts can't be told", words.join(" ")),
                    line,
                ));
            }
            self.unclear.get_or_insert_with(|| words.join(" "));
            return;
        };
        if name != "npm" && package.script(script).is_none() && !matches!(script, "start" | "node" | "test") {
            self.programs.push((script.to_owned(), None));
        }
        self.script(draft, folder, &package, script, words, line, depth);
    }

    #[expect(clippy::too_many_arguments, reason = "a command with where it stands")]
    fn script(&mut self, draft: &Draft, folder: &str, package: &Package, script: &str, words: &[String], line: usize, depth: usize) {
        for hook in [format!("pre{script}"), script.to_owned(), format!("post{script}")] {
            let Some(text) = package.script(&hook).filter(|_| self.seen.insert((folder.to_owned(), hook.clone()))) else { continue };
            if builds(&text) {
                self.refusal.get_or_insert((
                    format!("`{}` runs `{text}` (package.json), which builds when the container starts: the development modules are needed at run time", words.join(" ")),
                    line,
                ));
                return;
            }
            self.text(draft, folder, &text, line, depth);
        }
    }

    /// A text of shell that package.json or another program starts.
    fn text(&mut self, draft: &Draft, folder: &str, text: &str, line: usize, depth: usize) {
        self.tokens(text);
        let Some(parsed) = parse_text(text) else {
            self.commands.push(text.split_whitespace().map(str::to_owned).collect());
            self.unclear.get_or_insert_with(|| text.to_owned());
            return;
        };
        let mut here = folder.to_owned();
        for inner in simple_commands(&parsed) {
            // Scripts of the project among them are read like those that CMD names.
            let mut program = Program::default();
            program.start(draft, inner, line, false, None, 0);
            if let Some((path, _)) = &program.unreadable {
                self.unclear.get_or_insert_with(|| path.clone());
            }
            for c in &program.commands {
                if let Some(text) = c.script.as_ref().and_then(|p| draft.model.context.read(p)).filter(|t| t.contains("NODE_OPTIONS")) {
                    self.tokens(&text);
                }
                self.command(draft, &mut here, &c.words, c.script.as_deref(), line, depth + 1);
            }
        }
    }

    /// Whether the package `name` is started, or one of its programs.
    pub(super) fn uses(&self, draft: &Draft, name: &str) -> bool {
        let programs = draft.model.catalog.node_bins(name);
        let short = name.rsplit('/').next().unwrap_or(name);
        let below = format!("node_modules/{name}");
        // Types are for compilers only, and `node` is no program of a package here.
        !name.starts_with("@types/")
            && self.words.iter().any(|w| {
                let word = w.rsplit('/').next().unwrap_or(w);
                word == short
                    || programs.contains(&word)
                    || w == name
                    || w.strip_prefix(name).is_some_and(|rest| rest.starts_with('/'))
                    || w.split_once(below.as_str()).is_some_and(|(_, rest)| rest.is_empty() || rest.starts_with('/'))
            })
    }

    /// A program that is neither one of the image, nor the project's, nor one that `package` or a package of `everywhere`, installed for
    /// all, is known to bring: it may be one of a development module.
    pub(super) fn unknown_program(&self, draft: &Draft, package: &Package, lock: Option<&str>, everywhere: &[String]) -> Option<&str> {
        let runtime = package.runtime_names();
        let mut locked: Option<Vec<String>> = None;
        let catalog = draft.model.catalog;
        self.programs.iter().find_map(|(written, script)| {
            let written = written.trim_matches(['"', '\'']);
            let name = match written.split_once("node_modules/.bin/") {
                Some((_, name)) => name,
                None if written.contains('/') => interpreter(draft, written)?,
                None => written,
            };
            if name.is_empty() || name.starts_with(['-', '#']) || matches!(name, "$@" | "${@}" | "$*") {
                return None;
            }
            let known = catalog.node_program(name)
                || facts().basic_programs.iter().any(|p| p == name)
                || facts().tools.contains_key(name)
                || runtime.iter().chain(everywhere).any(|p| catalog.node_bins(p).contains(&name))
                || script.as_ref().and_then(|p| draft.model.context.read(p)).is_some_and(|text| defines(&text, name))
                || DEFAULT_PATH.split(':').any(|f| draft.origin(&format!("{f}/{name}")).is_some())
                || installed(draft, name)
                || locked.get_or_insert_with(|| lock.map(production_programs).unwrap_or_default()).iter().any(|p| p == name);
            (!known).then_some(name)
        })
    }
}

/// A package's name without its version.
pub(super) fn bare(package: &str) -> &str {
    package.rsplit_once('@').map_or(package, |(name, _)| if name.is_empty() { package } else { name })
}

/// The program that the first line of the project's file `path` asks for.
fn interpreter<'p>(draft: &Draft, path: &str) -> Option<&'p str> {
    // Only programs of modules are of interest, and `env` looks for those along PATH.
    let file = draft.origin(&absolute(draft.workdir(), path)?)?;
    let text = draft.model.context.read(&file)?;
    let first = text.lines().next()?.strip_prefix("#!")?;
    ["ts-node", "tsx", "babel-node", "coffee", "zx", "esno"].into_iter().find(|program| mentions(first, program))
}

/// Whether a script defines the function `name`.
fn defines(text: &str, name: &str) -> bool {
    text.contains(&format!("{name}()")) || text.contains(&format!("{name} ()")) || text.contains(&format!("function {name}"))
}

/// Whether a RUN of the file names `name` and may install it, for all.
fn installed(draft: &Draft, name: &str) -> bool {
    draft.steps.iter().filter_map(|s| s.run.as_ref()).flat_map(|run| &run.commands).any(|command| {
        let words = command.texts();
        let calls = words.first().is_some_and(|w| matches!(*w, "npm" | "npx" | "yarn" | "pnpm" | "node") || *w == name);
        !calls && words.iter().any(|w| w.split(['=', '/']).any(|part| part == name))
    })
}

/// The programs that a package-lock.json of npm 7 and later gives to packages that do not only develop.
fn production_programs(lock: &str) -> Vec<String> {
    let Ok(json) = serde_json::from_str::<serde_json::Value>(lock) else { return Vec::new() };
    let packages = json.get("packages").and_then(|p| p.as_object());
    let shipped = packages.into_iter().flatten().filter(|(path, p)| {
        // Only what lies at the top has its programs in node_modules/.bin.
        path.matches("node_modules/").count() == 1 && p.get("dev").is_none_or(|d| d.as_bool() != Some(true))
    });
    let names = shipped.filter_map(|(path, p)| match p.get("bin")? {
        serde_json::Value::Object(bins) => Some(bins.keys().cloned().collect()),
        _ => Some(vec![path.rsplit('/').next()?.to_owned()]),
    });
    names.flat_map(|names: Vec<String>| names).collect()
}

/// Whether a start script builds first.
fn builds(text: &str) -> bool {
    text.split(['&', ';', '|']).any(|part| {
        let words: Vec<&str> = part.split_whitespace().collect();
        matches!(words.as_slice(), ["npm" | "yarn" | "pnpm", "run", script, ..] if script.starts_with("build"))
            || matches!(words.as_slice(), ["yarn" | "pnpm", "build", ..])
            || matches!(words.first().copied(), Some("tsc" | "webpack" | "rollup" | "gulp" | "grunt" | "parcel" | "babel"))
            || matches!(words.as_slice(), ["next" | "nuxt" | "vite" | "ng" | "nest" | "react-scripts", "build", ..])
            || matches!(words.as_slice(), ["npm" | "yarn", "install" | "ci" | "i", ..])
    })
}
