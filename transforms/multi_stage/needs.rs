//! What a program needs at run time that a smaller image lacks.

use super::draft::{Draft, absolute, inside, mentions, refuse};
use super::facts::facts;
use super::plan::Plan;
use super::program::Started;
use crate::context::Knowledge;
use crate::model::Value;
use crate::model::command::Classified;
use crate::syntax::View;
use crate::transforms::Refusal;

/// How much of the sources is searched for the programs that they call, in bytes.
const SEARCHED: usize = 8 << 20;

/// Whether the base is the full variant, which carries tools and libraries that the small one lacks.
pub(super) fn is_full(draft: &Draft) -> bool {
    draft.facts.variant == "full"
}

/// The small variant of the base as FROM would name it, with the user's variables kept. The image itself if it is small already.
pub(super) fn smaller_variant(draft: &Draft) -> Result<String, Refusal> {
    let written = &draft.image.written;
    if let (true, Some(runtime)) = (draft.completed, &draft.facts.runtime) {
        return Ok(runtime.clone());
    }
    if !is_full(draft) {
        return Ok(written.clone());
    }
    let Some(slim) = &draft.facts.slim else {
        return refuse(draft.from.line, format!("no smaller variant of `{written}` is known"));
    };
    // `latest` and `slim` move by themselves: the two on one machine may be of different versions.
    if !slim.rsplit(':').next().is_some_and(|tag| tag.contains(|c: char| c.is_ascii_digit())) {
        return refuse(
            draft.from.line,
            format!(
                "`{written}` names no version, so `{slim}` may be another one than the builder's on the machine that builds; name a version in the tag"
            ),
        );
    }
    if !written.contains('$') {
        return Ok(slim.clone());
    }
    let Some(known) = &draft.image.reference else {
        return refuse(draft.from.line, format!("`{written}` depends on a build argument without a default"));
    };
    // `python:${VERSION}` becomes `python:${VERSION}-slim` where the resolved names differ by that ending.
    match slim.strip_prefix(&known.to_string()) {
        Some(ending) if ending.starts_with('-') => Ok(format!("{written}{ending}")),
        _ => refuse(
            draft.from.line,
            format!("`{written}` is named by a build argument, and its smaller variant differs in more than an ending"),
        ),
    }
}

/// Refuses where the context is not known: `what` says what can't be told without it.
pub(super) fn known_context(draft: &Draft, what: &str) -> Result<(), Refusal> {
    match draft.model.context.knowledge() {
        Knowledge::Known => Ok(()),
        Knowledge::Unknown { missing, line } if missing.is_empty() => refuse(*line, format!("context unknown: {what}")),
        Knowledge::Unknown { missing, line } => {
            refuse(*line, format!("context unknown: COPY {missing} names what is not there, so {what}"))
        }
    }
}

/// Refuses where a value of the file quotes the PATH that `what` changes.
pub(super) fn path_is_not_quoted(draft: &Draft, what: &str) -> Result<(), Refusal> {
    let quotes = |text: &str| text.contains("$PATH") || text.contains("${PATH");
    for step in draft.steps {
        let pairs = match &step.view {
            View::Env { pairs, .. } | View::Arg { pairs } | View::Label { pairs, .. } => pairs,
            _ => continue,
        };
        let quoting = pairs.iter().find(|p| p.name.text != "PATH" && p.value.as_ref().is_some_and(|v| quotes(&v.text)));
        if let Some(pair) = quoting {
            return refuse(step.line, format!("the value of {} quotes PATH, which {what} changes; write the value out", pair.name.text));
        }
    }
    Ok(())
}

/// Refuses where a script that starts the program can't be read.
pub(super) fn readable_start(draft: &Draft) -> Result<(), Refusal> {
    match &draft.program.unreadable {
        Some((path, line)) => {
            refuse(*line, format!("context unknown: `{path}` starts the program and can't be read, so what it needs is not known"))
        }
        None => Ok(()),
    }
}

/// Adds the packages of tools that the start-up commands call, where the base changes from full to small. `own` are the names of
/// programs that the file builds: the words behind those are theirs.
pub(super) fn started_tools(draft: &Draft, plan: &mut Plan, own: &[String]) -> Result<(), Refusal> {
    let anchor = draft.steps.len();
    let bare = |word: &str| word.rsplit('/').next().unwrap_or(word).to_owned();
    let words = |started: &Started| -> Vec<String> { started.words.iter().take_while(|w| !own.contains(&bare(w))).cloned().collect() };
    let commands: Vec<(&Started, Vec<String>)> = draft.program.commands.iter().map(|c| (c, words(c))).collect();
    for program in &facts().toolchain.programs {
        if let Some((started, _)) = commands.iter().find(|(_, words)| words.first().is_some_and(|w| bare(w) == *program)) {
            let place = started.script.as_deref().map_or(String::new(), |s| format!(" ({s})"));
            return refuse(started.line, format!("what starts calls `{program}`{place}: the toolchain is needed at run time"));
        }
    }
    for (tool, package) in lacking(draft) {
        // A word such as `file` may be an argument; as a command, or in a script, it counts.
        let Some((started, _)) = commands.iter().find(|(_, words)| words.iter().any(|w| names_program(w, tool))) else { continue };
        plan.package(package, anchor);
        plan.notes.push(format!(
            "`{tool}` is called at run time (line {}) and is not on the smaller image, so `{package}` is installed",
            started.line
        ));
    }
    Ok(())
}

/// Whether a word of a command is the program `tool`, by its name or where it lies.
fn names_program(word: &str, tool: &str) -> bool {
    word == tool || word.strip_prefix("/usr/bin/") == Some(tool) || word.strip_prefix("/bin/") == Some(tool)
}

/// The tools that the smaller image lacks, each with its package. A distribution's image has the same tools in both stages, those of the
/// packages that the file names.
fn lacking(draft: &Draft) -> Vec<(&'static String, &'static String)> {
    let python = draft.facts.language.as_deref() == Some("python");
    let all = facts().tools.iter().filter(|(tool, _)| *tool != "python3" || !python);
    if draft.completed { Vec::new() } else { all.collect() }
}

/// Whether what starts calls a program that checks certificates, and not only to ask for its own health.
pub(super) fn start_trusts(draft: &Draft, plan: &Plan) -> bool {
    plan.packages.iter().any(|p| TRUSTING.contains(&p.name.as_str()))
        && draft.program.commands.iter().any(|c| {
            let calls = c.words.iter().any(|w| TRUSTING.contains(&w.rsplit('/').next().unwrap_or(w)));
            calls && !c.words.iter().any(|w| w.contains("http://localhost") || w.contains("http://127.0.0.1"))
        })
}

/// Adds the packages of tools that the start-up commands and the sources call, where the base changes from full to small.
/// `runs_programs` are words that a source file must hold to be searched at all; `endings` are the ends of the sources' file names;
/// one that ends in `/` is a folder whose files without an ending are sources.
pub(super) fn tools(draft: &Draft, plan: &mut Plan, endings: &[&str], runs_programs: &[&str]) -> Result<(), Refusal> {
    let anchor = draft.steps.len();
    let scripts = no_toolchain(draft, endings, runs_programs)?;
    started_tools(draft, plan, &[])?;
    let lacking = lacking(draft);
    let context = &draft.model.context;
    let mut budget = SEARCHED;
    let mut trusts = start_trusts(draft, plan);
    for path in context.files().0 {
        if !endings.iter().any(|e| is_source(&path, e)) || is_test(&path) {
            continue;
        }
        let Some(text) = context.read(&path) else { continue };
        budget = budget.saturating_sub(text.len());
        if budget == 0 {
            return refuse(draft.from.line, "the sources are too large to be searched for the programs that they call");
        }
        trusts |= text.contains("/etc/ssl/certs");
        // Bundler evaluates it whenever the program starts, and most name their files by `git ls-files` in one way or another.
        if path.ends_with(".gemspec") && mentions(&text, "git") && lacking.iter().any(|(tool, _)| *tool == "git") {
            plan.package("git", anchor);
        }
        let loose = facts().toolchain.loose.iter().any(|l| text.contains(l));
        if !loose && !runs_programs.iter().any(|w| text.contains(w)) {
            continue;
        }
        for (tool, package) in &lacking {
            if (calls(&text, tool) || loose && mentions(&text, tool)) && !plan.packages.iter().any(|p| p.name == **package) {
                plan.package(package, anchor);
                trusts |= TRUSTING.contains(&package.as_str());
                plan.notes.push(format!("{path} runs `{tool}`, which is not on the smaller image, so `{package}` is installed"));
            }
        }
    }
    for (path, words) in scripts {
        let name = words.first().map(|w| w.rsplit('/').next().unwrap_or(w)).unwrap_or_default();
        let package = lacking.iter().find(|(tool, _)| *tool == name).map(|(_, package)| package.as_str());
        if let Some(package) = package.filter(|p| !plan.packages.iter().any(|known| known.name == *p)) {
            plan.package(package, anchor);
            trusts |= TRUSTING.contains(&package);
            plan.notes.push(format!("{path} runs `{name}`, which is not on the smaller image, so `{package}` is installed"));
        }
    }
    // The small images of Python, Ruby and .NET bring the certificates; those of others do not.
    if trusts && matches!(draft.facts.language.as_deref(), Some("node" | "rust" | "c" | "java")) {
        plan.package("ca-certificates", anchor);
    }
    Ok(())
}

/// Refuses where what starts, a source or a script that a source names calls a compiler, or loads what only the full images have; else
/// the commands of those scripts, with the script of each.
pub(super) fn no_toolchain(draft: &Draft, endings: &[&str], runs_programs: &[&str]) -> Result<Vec<(String, Vec<String>)>, Refusal> {
    let toolchain = &facts().toolchain;
    let name = |words: &[String]| words.first().map(|w| w.rsplit('/').next().unwrap_or(w).to_owned()).unwrap_or_default();
    if let Some(started) = draft.program.commands.iter().find(|c| toolchain.programs.contains(&name(&c.words))) {
        let place = started.script.as_deref().map_or(String::new(), |s| format!(" ({s})"));
        return refuse(started.line, format!("what starts calls `{}`{place}: the toolchain is needed at run time", name(&started.words)));
    }
    let needed =
        |path: &str, program: &str| refuse(draft.program.line, format!("{path} runs `{program}`: the toolchain is needed at run time"));
    let context = draft.model.context;
    let mut budget = SEARCHED;
    let mut runs = false;
    for path in context.files().0.iter().filter(|p| endings.iter().any(|e| is_source(p, e)) && !is_test(p)) {
        let Some(text) = context.read(path) else { continue };
        budget = budget.saturating_sub(text.len());
        if budget == 0 {
            return refuse(draft.from.line, "the sources are too large to be searched for the programs that they call");
        }
        if let Some(what) = toolchain.late.iter().find(|l| text.contains(l.as_str())) {
            return refuse(
                draft.program.line,
                format!("{path} says `{what}`, which compiles, or loads a part of the full image, while the program runs"),
            );
        }
        if !runs_programs.iter().any(|w| text.contains(w)) {
            continue;
        }
        runs = true;
        if let Some(program) = toolchain.programs.iter().find(|p| calls(&text, p)) {
            return needed(path, program);
        }
    }
    let scripts = scripts(draft, endings);
    if let Some((path, words)) = scripts.iter().find(|(_, words)| toolchain.programs.contains(&name(words))) {
        return needed(path, &name(words));
    }
    let settings = |p: &&String| {
        let file = p.rsplit('/').next().unwrap_or(p);
        [".json", ".yml", ".yaml", ".toml", ".ini", ".cfg"].iter().any(|e| p.ends_with(e))
            && !p.split('/').any(|part| part.starts_with('.') || part == "node_modules")
            && !["package", "tsconfig", "docker-compose", "setup.cfg", "pyproject"].iter().any(|head| file.starts_with(head))
    };
    for path in context.files().0.iter().filter(|_| runs).filter(settings) {
        let Some(text) = context.read(path) else { continue };
        if let Some(compiler) = toolchain.compilers.iter().find(|c| calls(&text, c)) {
            return needed(path, compiler);
        }
    }
    Ok(scripts)
}

/// The commands of the project's shell scripts that sources name, with the script of each.
fn scripts(draft: &Draft, endings: &[&str]) -> Vec<(String, Vec<String>)> {
    let context = draft.model.context;
    let files = context.files().0;
    let mut found = Vec::new();
    for path in files.iter().filter(|p| (p.ends_with(".sh") || p.ends_with(".bash")) && !is_test(p)) {
        let name = path.rsplit('/').next().unwrap_or(path);
        let sources = || files.iter().filter(|p| endings.iter().any(|e| is_source(p, e)) && !is_test(p));
        if !sources().any(|source| context.read(source).is_some_and(|text| mentions(&text, name))) {
            continue;
        }
        let Some(script) = context.read(path).and_then(|text| super::program::parse_text(&text)) else { continue };
        found.extend(super::program::simple_commands(&script).into_iter().map(|words| (path.clone(), words)));
    }
    found
}

/// Whether the file `path` of the context is a source by `ending`.
fn is_source(path: &str, ending: &str) -> bool {
    match (ending.strip_suffix('/'), path.rsplit_once('/')) {
        (Some(folder), Some((above, name))) => above.rsplit('/').next() == Some(folder) && !name.contains('.'),
        (Some(_), None) => false,
        (None, _) => path.ends_with(ending),
    }
}

/// Programs that check a server's certificate against those of the system.
const TRUSTING: &[&str] = &["curl", "wget", "git", "mercurial", "subversion"];

/// Whether a file of the context, documents and Node's own aside, starts `program` by its name.
pub(super) fn sources_call(draft: &Draft, program: &str) -> bool {
    sources_hold(draft, |text| calls(text, program))
}

/// Whether such a file has `program` as a word anywhere.
pub(super) fn sources_mention(draft: &Draft, program: &str) -> bool {
    sources_hold(draft, |text| mentions(text, program))
}

fn sources_hold(draft: &Draft, holds: impl Fn(&str) -> bool) -> bool {
    const SOURCES: &[&str] = &[".py", ".go", ".rs", ".java", ".kt", ".rb", ".php", ".c", ".cc", ".cpp", ".cxx", ".h", ".hpp", ".pl", ".sh"];
    let context = draft.model.context;
    let files = context.files().0;
    let searched = files.iter().filter(|p| SOURCES.iter().any(|e| p.ends_with(e)) && !is_test(p) && !p.contains("node_modules/"));
    searched.filter_map(|p| context.read(p)).any(|text| holds(&text))
}

/// Whether a string literal of `text` is `tool`, or a command line that starts with it.
pub(super) fn calls(text: &str, tool: &str) -> bool {
    let opens = ["\"", "'", "`", "%w[", "%w(", "%x(", "%x{", "%x["];
    let goes_on = ["&& ", "; ", "| ", "$("];
    text.match_indices(tool).any(|(at, _)| {
        let before = text.get(..at).unwrap_or("");
        let before = before.strip_suffix("/usr/bin/").unwrap_or(before);
        let after = text.get(at + tool.len()..).and_then(|rest| rest.chars().next());
        let line = before.rsplit('\n').next().unwrap_or(before);
        let in_string = || ['"', '\'', '`'].iter().any(|quote| line.matches(*quote).count() % 2 == 1);
        after.is_none_or(|c| c.is_whitespace() || "\"'`)]};|&".contains(c))
            && (opens.iter().any(|s| before.ends_with(s)) || goes_on.iter().any(|s| before.ends_with(s)) && in_string())
    })
}

/// Whether a file is a test, by its path.
pub(super) fn is_test(path: &str) -> bool {
    path.split('/').any(|part| matches!(part, "test" | "tests" | "__tests__" | "spec" | "testdata" | "e2e"))
        || path.ends_with("_test.go")
        || path.contains(".test.")
        || path.contains(".spec.")
        || path.rsplit('/').next().is_some_and(|n| n.starts_with("test_"))
}

/// Packages that the runtime stage needs because the file's own words ask for what they hold (time zones).
pub(super) fn time_zones(draft: &Draft, plan: &mut Plan, has_tzdata: bool) {
    if has_tzdata {
        return;
    }
    let source = draft.model.file.source();
    let sets_zone = draft.stage.end.env.iter().any(|(n, _)| n == "TZ") || source.contains("/usr/share/zoneinfo");
    if sets_zone && mentions(source, "TZ") || source.contains("/usr/share/zoneinfo") {
        plan.package("tzdata", 0);
    }
}

/// Adds the table of media types, which only the full image has, where Python's sources ask for the type of a file.
pub(super) fn media_types(draft: &Draft, plan: &mut Plan) {
    let context = draft.model.context;
    let asks =
        |path: &String| path.ends_with(".py") && !is_test(path) && context.read(path).is_some_and(|text| mentions(&text, "mimetypes"));
    let package = match draft.facts.releases.as_slice() {
        _ if draft.manager() != "apt" => return,
        releases if releases.iter().any(|r| matches!(r.as_str(), "jessie" | "stretch" | "buster")) => "mime-support",
        _ => "media-types",
    };
    if context.files().0.iter().any(asks) {
        plan.package(package, draft.steps.len());
        plan.notes.push(format!("the sources ask for media types, whose table is not on the smaller image, so `{package}` is installed"));
    }
}

/// Refuses where the project's own code, run at build time by `command`, may write outside of the folder that it runs in.
/// `only` are parts of the names of the files that say so; none for all files that the command names.
/// What Django's `collectstatic` fills outside is known from its settings, and is returned.
pub(super) fn writes_elsewhere(
    draft: &Draft,
    plan: &Plan,
    command: &Classified,
    words: &[&str],
    only: &[&str],
) -> Result<Vec<String>, Refusal> {
    let mut filled = Vec::new();
    let named = super::roles::named(command);
    known_context(draft, &format!("what `{named}` writes can't be told"))?;
    let Some(folder) = command.directory.as_deref() else {
        return refuse(command.line, format!("`{named}` runs in a folder that is not known"));
    };
    let fine = |path: &str| inside(path, folder) || plan.snapshot_of(path).is_some() || path.starts_with("/dev/") || inside(path, "/tmp");
    for word in words.iter().skip(2) {
        let value = word.split_once('=').map_or(*word, |(_, v)| v);
        if value.starts_with('/') && !fine(value) {
            return refuse(
                command.line,
                format!("`{named}` is told of `{value}`, outside of `{folder}`; copy what it leaves there by hand"),
            );
        }
    }
    let context = draft.model.context;
    let named_files: Vec<String> =
        words.iter().skip(1).filter_map(|w| absolute(Some(folder), w)).filter_map(|p| draft.context_path(&p)).collect();
    let scripts = with_imports(draft, named_files.clone());
    for path in context.files().0 {
        let is_meant =
            if only.is_empty() { scripts.contains(&path) } else { path.ends_with(".py") && only.iter().any(|o| path.contains(o)) };
        if !is_meant || is_test(&path) {
            continue;
        }
        let Some(text) = context.read(&path) else { continue };
        for (at, line) in text.lines().enumerate() {
            // Of settings, only the folders and file names count.
            let relevant = only.is_empty() || line.contains("_ROOT") || line.contains("NAME");
            if !relevant || line.trim_start().starts_with(['#', '/']) {
                continue;
            }
            let place = format!("{path}:{}", at + 1);
            // In what a script imports, a path of a route is more likely than one of the file system.
            let imported = only.is_empty() && !named_files.contains(&path);
            let means_file = |p: &&str| {
                !imported
                    || p.trim_matches('/').contains('/') && !line.trim_start().starts_with('@')
                    || [" = ", "open(", "Path(", "makedirs(", "mkdir"].iter().any(|w| line.contains(w))
            };
            if let Some(found) = absolute_literal(line).filter(|p| !fine(p)).filter(means_file) {
                if collects(words, line) && !super::roles::is_system_folder(found.trim_end_matches('/')) {
                    filled.push(found.trim_end_matches('/').to_owned());
                    continue;
                }
                return refuse(
                    command.line,
                    format!("`{named}` may write to `{found}` ({place}), outside of `{folder}`; copy what it leaves there by hand"),
                );
            }
            for (name, value) in &draft.stage.end.env {
                let Value::Known(value) = value else { continue };
                let elsewhere = value.starts_with('/') && !value.contains(':') && !fine(value) && name != "PATH" && name != "HOME";
                if elsewhere && mentions(line, name) {
                    if collects(words, line) && !super::roles::is_system_folder(value) {
                        filled.push(value.trim_end_matches('/').to_owned());
                        continue;
                    }
                    return refuse(
                        command.line,
                        format!(
                            "`{named}` may write to {name}={value} ({place}), outside of `{folder}`; copy what it leaves there by hand"
                        ),
                    );
                }
            }
            if only.is_empty() && ["expanduser", "Path.home", "os.homedir", "\"../", "'../"].iter().any(|w| line.contains(w)) {
                return refuse(
                    command.line,
                    format!("`{named}` may write outside of `{folder}` ({place}); copy what it leaves there by hand"),
                );
            }
        }
    }
    filled.dedup();
    Ok(filled)
}

/// Whether the line is the setting that says where `collectstatic` writes.
fn collects(words: &[&str], line: &str) -> bool {
    words.contains(&"collectstatic") && line.trim_start().starts_with("STATIC_ROOT")
}

/// The files, and those of the project that they import, as far as names tell.
fn with_imports(draft: &Draft, files: Vec<String>) -> Vec<String> {
    let context = draft.model.context;
    let mut open = files;
    let mut seen: Vec<String> = Vec::new();
    while let Some(path) = open.pop() {
        if seen.contains(&path) || seen.len() > 500 {
            continue;
        }
        let folder = path.rsplit_once('/').map_or(String::new(), |(f, _)| format!("{f}/"));
        for line in context.read(&path).unwrap_or_default().lines().map(str::trim_start) {
            let mut names: Vec<String> = Vec::new();
            if path.ends_with(".py") {
                let module = |m: &str| m.split_whitespace().next().unwrap_or("").trim_start_matches('.').replace('.', "/");
                if let Some(list) = line.strip_prefix("import ") {
                    names.extend(list.split(',').map(module));
                } else if let Some((from, list)) = line.strip_prefix("from ").and_then(|r| r.split_once(" import ")) {
                    let from = module(from);
                    names.extend(list.split(',').map(|n| format!("{from}/{}", module(n)).trim_start_matches('/').to_owned()));
                    names.push(from);
                }
            } else if line.contains("require(") || line.contains("from ") || line.starts_with("import ") {
                names.extend(line.split(['"', '\'']).skip(1).step_by(2).filter(|n| n.starts_with('.')).map(str::to_owned));
            }
            let endings = [".py", "/__init__.py", ".js", ".mjs", ".cjs", "/index.js", ""];
            let candidates = names.iter().filter(|n| !n.is_empty()).flat_map(|n| endings.iter().map(move |e| format!("{n}{e}")));
            for candidate in candidates.flat_map(|c| [crate::context::normalize(&format!("{folder}{c}")), crate::context::normalize(&c)]) {
                if context.is_file(&candidate) && !seen.contains(&candidate) {
                    open.push(candidate);
                }
            }
        }
        seen.push(path);
    }
    seen
}

/// Refuses where a file of the context names the interpreter's own folders, in which packages would be missing once they are installed
/// in an environment of their own.
/// `in_place`: what pip installs stays where it is, so that only the system's own interpreter would be missed.
pub(super) fn interpreter_named(draft: &Draft, in_place: bool) -> Result<(), Refusal> {
    const OTHER: &[&str] = &[".md", ".rst", ".txt", ".html", ".css", ".js", ".lock", ".json", ".svg", ".po", ".csv", ".sql"];
    let context = draft.model.context;
    for path in context.files().0 {
        let name = path.rsplit('/').next().unwrap_or(&path);
        let builds =
            name.contains("Dockerfile") || name.starts_with("docker-compose") || name == "Makefile" || path.starts_with(".github/");
        if builds || OTHER.iter().any(|e| name.ends_with(e)) || is_test(&path) {
            continue;
        }
        let Some(text) = context.read(&path) else { continue };
        for (at, line) in text.lines().enumerate() {
            // The first line counts where the file is started by its own name.
            let starts = || draft.program.commands.iter().any(|c| c.words.first().is_some_and(|w| w.rsplit('/').next() == Some(name)));
            if line.trim_start().starts_with('#') && !(at == 0 && line.starts_with("#!") && starts()) {
                continue;
            }
            let program = line.match_indices("/usr/local/bin/").filter(|_| !in_place).find_map(|(start, found)| {
                let rest = line.get(start + found.len()..).unwrap_or("");
                let end = rest.find(|c: char| !(c.is_alphanumeric() || "-_.".contains(c))).unwrap_or(rest.len());
                let whole = format!("{found}{}", rest.get(..end).unwrap_or(""));
                let named_here = draft.model.file.source().contains(&whole);
                (end > 0 && draft.context_path(&whole).is_none() && !named_here).then_some(whole)
            });
            let folder = ["/usr/local/lib/python", "/usr/bin/python", "/usr/bin/env python2"]
                .iter()
                .find(|n| line.contains(**n) && !(in_place && n.starts_with("/usr/local")))
                .map(|n| (*n).to_owned());
            if let Some(found) = program.or(folder) {
                return refuse(draft.program.line, format!("{path}:{} names `{found}`, where the packages would no longer be", at + 1));
            }
        }
    }
    Ok(())
}

/// The first absolute path in quotes of a line of code, other than a URL's path.
fn absolute_literal(line: &str) -> Option<&str> {
    const ROOTS: &[&str] =
        &["var", "opt", "srv", "data", "usr", "etc", "home", "root", "mnt", "app", "code", "media", "cache", "models", "db"];
    line.split(['"', '\'', '`']).skip(1).step_by(2).find(|s| {
        let mut parts = s.split('/');
        parts.next() == Some("") && parts.next().is_some_and(|root| ROOTS.contains(&root))
    })
}

/// Refuses where the sources load a shared library by a name that no package of the runtime stage is known to bring.
pub(super) fn late_libraries(draft: &Draft, plan: &Plan, endings: &[&str], calls: &[&str]) -> Result<(), Refusal> {
    let context = draft.model.context;
    for path in context.files().0 {
        if !endings.iter().any(|e| path.ends_with(e)) || is_test(&path) {
            continue;
        }
        let Some(text) = context.read(&path) else { continue };
        for call in calls {
            for (at, _) in text.match_indices(call) {
                let rest = text.get(at + call.len()..).unwrap_or("").trim_start();
                let line = text.get(..at).unwrap_or("").matches('\n').count() + 1;
                let name = rest.strip_prefix(['"', '\'']).and_then(|r| r.split(['"', '\'']).next());
                let Some(name) = name else {
                    if rest.starts_with("None") || rest.starts_with("find_library") || rest.starts_with("ctypes.util.find_library") {
                        continue;
                    }
                    return refuse(
                        draft.program.line,
                        format!("{path}:{line} loads a library whose name is not a literal; the smaller image may lack it"),
                    );
                };
                let bare = name.rsplit('/').next().unwrap_or(name);
                let bare = bare.strip_prefix("lib").unwrap_or(bare).split(".so").next().unwrap_or(bare);
                let basic =
                    ["c", "m", "pthread", "dl", "rt", "z", "crypto", "ssl", "sqlite3", "ffi", "stdc++", "gcc_s", "bz2", "lzma", "uuid"]
                        .contains(&bare);
                let brought = plan.packages.iter().any(|p| p.name.contains(bare)) || name.starts_with('.') || context.exists(name);
                if !basic && !brought {
                    return refuse(
                        draft.program.line,
                        format!("{path}:{line} loads the library `{name}`, and no package of the runtime stage is known to bring it"),
                    );
                }
            }
        }
    }
    Ok(())
}
