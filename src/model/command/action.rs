//! From the words of a command to what it does, by the facts of the catalog.

use super::super::tools::{Entry, FileTool, Manager, Tools};
use super::walk::program_name;
use super::{Action, Operation};
use crate::shell::ShellWord;

/// What the command `words` does; its first word is the program.
pub(super) fn action(words: &[ShellWord]) -> Action {
    let Some(first) = words.first() else { return Action::Shell };
    // `# a comment` between backquotes is a command that does nothing.
    if words.len() == 1 && first.raw.starts_with("`#") {
        return Action::Shell;
    }
    let Some(program) = first.literal.as_deref() else { return Action::Unknown };
    let arguments = words.get(1..).unwrap_or_default();
    if let Some((entry, arguments)) = module(words) {
        return of_entry(entry, program, arguments);
    }
    match Tools::built_in().program(program) {
        Some(entry) => of_entry(entry, program, arguments),
        None if only_says_what_it_is(program, arguments) => Action::Shell,
        None if matches!(program, "." | "source") => sourced(arguments),
        None => Action::Unknown,
    }
}

/// `PROGRAM --version` or `--help` and nothing else. A script may take the short ones for something else.
fn only_says_what_it_is(program: &str, arguments: &[ShellWord]) -> bool {
    let [only] = arguments else { return false };
    matches!(only.raw.as_str(), "--version" | "-version" | "--help") || (!program.contains('/') && matches!(only.raw.as_str(), "-V" | "-h"))
}

/// `. FILE`.
fn sourced(arguments: &[ShellWord]) -> Action {
    let path = arguments.first().map(|w| w.literal.as_deref().unwrap_or(&w.raw).trim_end_matches('"'));
    path.and_then(|p| Tools::built_in().sourced(p)).map_or(Action::Unknown, |of| Action::Setup { of: of.to_owned() })
}

/// `python -m NAME`, or an interpreter and a known script: what the module or the script is, and the arguments behind it.
fn module(words: &[ShellWord]) -> Option<(Entry<'static>, &[ShellWord])> {
    let program = program_name(words)?;
    if matches!(program, "sh" | "bash" | "php") {
        // `sh gradlew build`, `php composer.phar install`.
        let script = words.get(1)?.literal.as_deref().filter(|s| program != "php" || s.ends_with(".phar"))?;
        return Some((Tools::built_in().script(script)?, words.get(2..).unwrap_or_default()));
    }
    if !matches!(program, "python" | "pypy") {
        return None;
    }
    let script = words.iter().position(|w| w.literal.as_deref().is_some_and(|t| t.ends_with(".py")));
    if let Some(at) = script.filter(|at| words.get(1..*at).is_some_and(|before| before.iter().all(|w| w.raw.starts_with('-')))) {
        return Some((Tools::built_in().script(words.get(at)?.literal.as_deref()?)?, words.get(at + 1..).unwrap_or_default()));
    }
    let flag = words.iter().skip(1).position(|w| w.raw == "-m")? + 1;
    let name = words.get(flag + 1)?.literal.as_deref()?;
    // `python -m` is the interpreter's own option only in front of a script.
    if words.get(1..flag)?.iter().any(|w| !w.raw.starts_with('-')) {
        return None;
    }
    Some((Tools::built_in().module(name)?, words.get(flag + 2..).unwrap_or_default()))
}

fn of_entry(entry: Entry<'_>, program: &str, arguments: &[ShellWord]) -> Action {
    match entry {
        Entry::Manager(manager) => managed(manager, arguments),
        Entry::Tool(tool) => match tool.kind.as_str() {
            "build" => Action::Build { tool: program.rsplit('/').next().unwrap_or(program).to_owned() },
            "test" => Action::Test,
            "download" => Action::Download,
            "git" => git(arguments),
            "user" => Action::User,
            "shell" => Action::Shell,
            "daemon" => Action::Unknown,
            system => Action::System { manager: system.to_owned(), operation: Operation::Other, packages: Vec::new() },
        },
        Entry::File(file) => on_files(file, program, arguments),
        // A wrapper without a command only prints.
        Entry::Wrapper(_) => Action::Shell,
        Entry::Setup(setup) => Action::Setup { of: setup.of.clone() },
    }
}

/// git works on files but for what it fetches.
fn git(arguments: &[ShellWord]) -> Action {
    let verb = operands(arguments, &["-C", "-c", "--git-dir", "--work-tree"]).into_iter().next();
    match verb.and_then(|w| w.literal.as_deref()) {
        Some("clone" | "fetch" | "pull" | "submodule" | "lfs" | "ls-remote" | "remote") => Action::Download,
        Some("config" | "log" | "describe" | "rev-parse" | "status" | "show") => Action::Shell,
        Some("checkout" | "reset" | "init" | "apply" | "clean" | "add" | "commit" | "merge" | "switch" | "tag" | "branch") => {
            Action::File { writes: Vec::new(), reads: Vec::new() }
        }
        _ => Action::Unknown,
    }
}

/// The words that are no options, given the options that take a value.
fn operands<'w>(arguments: &'w [ShellWord], values: &[impl AsRef<str>]) -> Vec<&'w ShellWord> {
    let mut found = Vec::new();
    let mut words = arguments.iter();
    let mut options = true;
    while let Some(word) = words.next() {
        if options && word.raw == "--" {
            options = false;
        } else if options && word.raw.starts_with('-') && word.raw.len() > 1 {
            if values.iter().any(|v| v.as_ref() == word.raw) {
                words.next();
            }
        } else {
            found.push(word);
        }
    }
    found
}

fn operation(name: &str) -> Option<Operation> {
    Some(match name {
        "update" => Operation::Update,
        "upgrade" => Operation::Upgrade,
        "install" => Operation::Install,
        "download" => Operation::Download,
        "remove" => Operation::Remove,
        "clean" => Operation::Clean,
        "run" => Operation::Run,
        "other" => Operation::Other,
        _ => return None,
    })
}

fn managed(manager: &Manager, arguments: &[ShellWord]) -> Action {
    let read = Read::of(manager, arguments);
    if manager.has_option_verbs() {
        let verb = arguments.iter().find_map(|w| manager.option_verb(&w.raw)).unwrap_or("other");
        let mut done = operation(verb).unwrap_or(Operation::Other);
        if done == Operation::Install && read.operands.is_empty() {
            done = Operation::Update;
        }
        let packages = read.operands.into_iter().cloned().collect();
        return Action::System { manager: manager.name.clone(), operation: done, packages };
    }
    // `cargo +nightly build` names a toolchain first.
    let toolchain = usize::from(read.operands.first().is_some_and(|w| w.raw.starts_with('+')));
    let read = Read { operands: read.operands.get(toolchain..).unwrap_or_default().to_vec(), ..read };
    let mut words: Vec<&str> = read.operands.iter().map(|w| w.literal.as_deref().unwrap_or("?")).collect();
    // `mvn clean package`, `gradle clean build`: the last goal says what it is for.
    let (verb, taken) = match (words.first().copied(), words.get(1).copied()) {
        (None, _) => (manager.default.as_deref().unwrap_or("other"), 0),
        (Some("clean"), Some(next)) if manager.unknown.is_some() => {
            words.remove(0);
            manager.verb(next, None).map_or((manager.unknown.as_deref().unwrap_or("other"), 0), |(verb, _)| (verb, 2))
        }
        (Some(first), second) => match manager.verb(first, second) {
            Some((verb, taken)) => (verb, taken),
            None => (manager.unknown.as_deref().unwrap_or("other"), 0),
        },
    };
    // `rustup` without sub-command installs what its options say; `sh rustup-init -y` likewise.
    let done = match verb {
        "build" => {
            // `go install example.com/tool@v1` fetches a program of others.
            if manager.name == "go" && words.first() == Some(&"install") && words.iter().any(|w| w.contains('@')) {
                Operation::Install
            } else if manager.is_system() {
                Operation::Other
            } else {
                return Action::Build { tool: manager.name.clone() };
            }
        }
        "test" => return Action::Test,
        "clean" if !manager.is_system() => return Action::Clean,
        other => operation(other).unwrap_or(Operation::Other),
    };
    let mut packages: Vec<ShellWord> = read.operands.into_iter().skip(taken).cloned().collect();
    packages.extend(read.named);
    if manager.is_system() {
        return Action::System { manager: manager.name.clone(), operation: done, packages };
    }
    Action::Language { manager: manager.name.clone(), operation: done, packages, files: read.files }
}

/// The arguments of a package manager, sorted.
struct Read<'w> {
    operands: Vec<&'w ShellWord>,
    files: Vec<ShellWord>,
    named: Vec<ShellWord>,
}

impl<'w> Read<'w> {
    fn of(manager: &Manager, arguments: &'w [ShellWord]) -> Self {
        let mut read = Self { operands: Vec::new(), files: Vec::new(), named: Vec::new() };
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            let raw = word.raw.as_str();
            if !raw.starts_with('-') || raw.len() < 2 {
                read.operands.push(word);
            } else if manager.files.iter().any(|o| o == raw) {
                read.files.extend(words.next().cloned());
            } else if manager.named.iter().any(|o| o == raw) {
                read.named.extend(words.next().cloned());
            } else if let Some(value) = attached(&manager.files, word) {
                read.files.push(value);
            } else if let Some(value) = attached(&manager.named, word) {
                read.named.push(value);
            } else if manager.values.iter().any(|o| o == raw) {
                words.next();
            }
        }
        read
    }
}

/// The value in `--option=value` or `-ovalue`.
fn attached(options: &[String], word: &ShellWord) -> Option<ShellWord> {
    let option = options.iter().find(|o| {
        word.raw.starts_with(o.as_str()) && (!o.starts_with("--") || word.raw.get(o.len()..).is_some_and(|r| r.starts_with('=')))
    })?;
    let cut = option.len() + usize::from(option.starts_with("--"));
    let raw = word.raw.get(cut..)?.to_owned();
    let literal = crate::shell::literal(&raw);
    let start = if word.span.len() == word.raw.len() { word.span.start + cut } else { word.span.start };
    Some(ShellWord { raw, literal, span: crate::source::Span::new(start, word.span.end) })
}

fn on_files(file: &FileTool, program: &str, arguments: &[ShellWord]) -> Action {
    let has = |options: &[String], word: &ShellWord| {
        options.iter().any(|o| *o == word.raw || (o.starts_with("--") && word.raw.starts_with(&format!("{o}="))))
    };
    let value = |options: &[String]| {
        let at = arguments.iter().position(|w| options.contains(&w.raw))?;
        arguments.get(at + 1).cloned()
    };
    let plain: Vec<&ShellWord> = operands(arguments, &file.values);
    let collect = |words: &[&ShellWord]| words.iter().map(|w| (*w).clone()).collect::<Vec<_>>();
    let paths = plain.get(file.skip..).unwrap_or_default();
    let (writes, reads) = match file.operands.as_str() {
        "last" => match value(&file.target) {
            Some(target) => (vec![target], collect(paths)),
            // `install -d` and `ln -s x` write what they name.
            None if paths.len() < 2
                || arguments.iter().any(|w| program.ends_with("install") && (w.raw == "-d" || w.raw == "--directory")) =>
            {
                (collect(paths), Vec::new())
            }
            None => match paths.split_last() {
                // What `mv` moves is gone afterwards.
                Some((last, sources)) if program.ends_with("mv") => (collect(&[&[*last], sources].concat()), collect(sources)),
                Some((last, sources)) => (vec![(*last).clone()], collect(sources)),
                None => (Vec::new(), Vec::new()),
            },
        },
        "all" => (collect(paths), Vec::new()),
        "first" => (collect(paths.get(..1).unwrap_or_default()), Vec::new()),
        "none" => {
            let in_place = arguments.iter().any(|w| {
                file.in_place.iter().any(|o| w.raw.starts_with(o.as_str()))
                    || (program == "perl" && w.raw.starts_with('-') && w.raw.contains('i'))
            });
            if program == "perl" && !in_place {
                return Action::Unknown;
            }
            let pattern_given = arguments.iter().any(|w| has(&file.pattern_options, w));
            let paths = if pattern_given { plain.as_slice() } else { paths };
            if in_place { (collect(paths), Vec::new()) } else { (Vec::new(), collect(paths)) }
        }
        "archive" => {
            let directory = value(&file.directory).into_iter().collect::<Vec<_>>();
            let mut reads: Vec<_> = value(&file.archive).into_iter().collect();
            reads.extend(collect(&plain));
            (directory, reads)
        }
        "find" => {
            let paths: Vec<_> = arguments.iter().take_while(|w| !w.raw.starts_with(['-', '(', '!', '\\'])).cloned().collect();
            if arguments.iter().any(|w| has(&file.writing, w)) { (paths, Vec::new()) } else { (Vec::new(), paths) }
        }
        _ => (Vec::new(), Vec::new()),
    };
    if program.ends_with("rm") && !writes.is_empty() && writes.iter().all(is_cache) {
        return Action::Clean;
    }
    Action::File { writes, reads }
}

/// Whether a path lies where only caches are.
fn is_cache(word: &ShellWord) -> bool {
    cache_of(word).is_some()
}

/// Whose cache a path lies in; a glob at its end does not matter.
pub(super) fn cache_of(word: &ShellWord) -> Option<&'static str> {
    let raw = word.literal.as_deref().unwrap_or(&word.raw);
    let path = raw.trim_matches('"').trim_end_matches(['*', '.']);
    if path.contains(['$', '`', '?', '[']) || path.contains("..") {
        return None;
    }
    Tools::built_in().cache(path)
}
