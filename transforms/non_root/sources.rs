//! What the project's sources say that the program writes, and whether they ask for root.

use crate::model::Value;
use crate::syntax::View;

use super::facts::{Language, facts};
use super::start::{Objection, Start, Write};
use super::state;
use super::subject::{Subject, absolute, join, normal, parent, resolve};

/// What the sources say.
#[derive(Debug, Default)]
pub struct Sources {
    /// What speaks against another user.
    pub objections: Vec<Objection>,
    /// Where the program writes.
    pub writes: Vec<Write>,
    /// The first source that uses the home directory.
    pub home: Option<String>,
    /// Whether all sources were read: the context is known and not beyond measure.
    pub complete: bool,
}

/// Sources beyond this are not read: the program is taken as one that writes.
const MOST: usize = 16 << 20;

/// Reads the sources that the file's COPYs and ADDs bring.
pub fn read(subject: &Subject, start: &Start) -> Sources {
    let mut out = Sources::default();
    if !subject.project.known() {
        return out;
    }
    let Some(files) = subject.project.files() else { return out };
    out.complete = true;
    let brought = brought(subject);
    let mut bytes = 0;
    for path in files {
        if !brought.iter().any(|b| b.is_empty() || path == *b || path.starts_with(&format!("{b}/"))) {
            continue;
        }
        // Settings in the language of the program are read where what starts names them.
        let name = path.rsplit('/').next().unwrap_or(&path);
        let told = start.programs.iter().flatten().any(|word| word.rsplit('/').next() == Some(name));
        let Some(language) = language(&path, told) else { continue };
        let Some(text) = subject.project.text(&path) else { continue };
        bytes += text.len();
        if bytes > MOST {
            out.complete = false;
            return out;
        }
        file(subject, &path, &text, language, &mut out);
        if language.name != "settings" || !state::of_others(&path, &start.programs) {
            places_of_state(&path, &text, language, &mut out);
        }
    }
    out
}

/// The context paths that the file copies, in any stage; a pattern counts as its folder.
fn brought(subject: &Subject) -> Vec<String> {
    let mut out = Vec::new();
    for step in &subject.model.steps {
        let View::Copy { from: None, sources, .. } = &step.view else { continue };
        for source in sources {
            let text = resolve(&source.text, &step.before).unwrap_or_default();
            let mut path = normal(&format!("/{text}"));
            while path.contains(['*', '?', '[']) {
                path = parent(&path).to_owned();
            }
            out.push(path.trim_start_matches('/').to_owned());
        }
    }
    out
}

/// The language of a source that the program runs; `told`: what starts names it, so that it is no tool of the build.
fn language(path: &str, told: bool) -> Option<&'static Language> {
    let names = &facts().writes.names;
    let mut parts: Vec<&str> = path.split('/').collect();
    let name = parts.pop()?;
    if parts.iter().any(|p| names.apart.iter().any(|a| a == p)) || !told && names.tools.iter().any(|t| t == name) {
        return None;
    }
    if !told && names.tool_endings.iter().any(|e| name.ends_with(e.as_str())) || (name.starts_with("test_") && name.ends_with(".py")) {
        return None;
    }
    if matches!(name, "package.json" | "package-lock.json" | "composer.json" | "tsconfig.json" | "pom.xml" | "yarn.lock") {
        return None;
    }
    let ending = name.rsplit_once('.')?.1;
    facts().writes.languages.iter().find(|l| l.extensions.iter().any(|e| e == ending))
}

fn file(subject: &Subject, path: &str, text: &str, language: &Language, out: &mut Sources) {
    for need in &facts().root.texts {
        if let Some((line, what)) = need.any.iter().find_map(|t| code_line(text, t, language).map(|l| (l, t))) {
            // A word of C is half a word elsewhere.
            let bare = what.starts_with(|c: char| c.is_ascii_lowercase()) && what.ends_with('(') && !what.contains(['.', ' ', ':']);
            if bare && language.name != "c" {
                continue;
            }
            out.objections.push(Objection { reason: format!("{path}:{line}: {}", need.why), line: 0 });
        }
    }
    if out.home.is_none() && language.home.iter().any(|h| text.contains(h.as_str())) {
        out.home = Some(path.to_owned());
    }
    for (number, line) in text.lines().enumerate() {
        if comment(line, language) || line.len() > 4000 {
            continue;
        }
        let place = format!("{path}:{}", number + 1);
        if let Some(target) = target(line, language) {
            let database = ["sql", "Sql", "bolt", "Database"].iter().any(|w| line.contains(w));
            if target == Target::Unknown && database && environment_has_database(subject) {
                continue;
            }
            write(subject, target, &place, out);
        } else if let Some(name) = database(line, language)
            && !named_by_environment(subject, &name)
        {
            write(subject, Target::Named { path: name, directory: false }, &place, out);
        }
    }
}

/// Notes the places for state that a source names in full: if it only reads there, nothing is lost.
fn places_of_state(path: &str, text: &str, language: &Language, out: &mut Sources) {
    for (number, line) in text.lines().enumerate() {
        if comment(line, language) || line.len() > 4000 {
            continue;
        }
        let binds = ["isten", "bind", "Bind"].iter().any(|word| line.contains(word));
        for directory in state::places(line, binds) {
            let why = format!("{path}:{} names {directory}", number + 1);
            match out.writes.iter_mut().find(|w| w.directory == directory) {
                Some(known) => known.certain = true,
                None => out.writes.push(Write::new(directory, why, true)),
            }
        }
    }
}

fn code_line(text: &str, what: &str, language: &Language) -> Option<usize> {
    text.contains(what).then(|| text.lines().position(|l| l.contains(what) && !comment(l, language)))?.map(|n| n + 1)
}

fn comment(line: &str, language: &Language) -> bool {
    let line = line.trim_start();
    match language.name.as_str() {
        "python" | "ruby" | "settings" => line.starts_with('#'),
        _ => line.starts_with("//") || line.starts_with('*') || line.starts_with("/*"),
    }
}

/// What a line writes.
#[derive(Debug, PartialEq, Eq)]
enum Target {
    /// A path that the line says.
    Named {
        /// As written.
        path: String,
        /// Whether it is a directory.
        directory: bool,
    },
    /// Something.
    Unknown,
}

fn target(line: &str, language: &Language) -> Option<Target> {
    for call in &language.directories {
        if let Some(rest) = after(line, call) {
            return Some(named(rest, true));
        }
    }
    for call in &language.calls {
        if let Some(rest) = after(line, call) {
            // The call may hold the beginning of the literal: `sql.Open("sqlite3", "./x.db")`, `jdbc:sqlite:x.db`.
            if call.ends_with(':') || call.ends_with("./") {
                let path: String = rest.chars().take_while(|c| !c.is_whitespace() && !"\"';?)<>&".contains(*c)).collect();
                return Some(if path.is_empty() { Target::Unknown } else { Target::Named { path, directory: false } });
            }
            return Some(named(rest.strip_prefix('"').filter(|_| call.contains('"')).unwrap_or(rest), false));
        }
    }
    for call in &language.moded {
        let Some(rest) = after(line, call) else { continue };
        let mut all = literals(rest).into_iter();
        let path = if rest.trim_start().starts_with(['"', '\'', '`']) { all.next() } else { None };
        if all.any(|l| writing_mode(&l)) {
            return Some(path.map_or(Target::Unknown, |path| Target::Named { path, directory: false }));
        }
    }
    for call in &language.flags {
        if let Some(rest) = after(line, call)
            && ["O_WRONLY", "O_RDWR", "O_CREAT", "O_APPEND"].iter().any(|f| rest.contains(f))
        {
            return Some(named(rest, false));
        }
    }
    None
}

/// What follows `call` in `line`, where it stands alone: `open(` is not the end of `urlopen(`.
fn after<'l>(line: &'l str, call: &str) -> Option<&'l str> {
    let mut from = 0;
    while let Some(at) = line.get(from..)?.find(call) {
        let start = from + at;
        let word = call.starts_with(|c: char| c.is_alphanumeric());
        let joined = line.get(..start)?.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        if !(word && joined) {
            return line.get(start + call.len()..);
        }
        from = start + call.len();
    }
    // A call at the start of a line that the table writes with a blank in front.
    call.strip_prefix([' ', '\t']).and_then(|c| line.strip_prefix(c))
}

fn named(rest: &str, directory: bool) -> Target {
    let start = rest.trim_start();
    // Only a literal that is the whole first argument is a path; one that is joined to something else is a part of it.
    let Some(quote) = start.chars().next().filter(|c| "\"'`".contains(*c)) else { return Target::Unknown };
    let Some(literal) = literals(start).into_iter().next() else { return Target::Unknown };
    let behind = start.get(literal.len() + 2..).unwrap_or("").trim_start();
    let whole = behind.is_empty() || behind.starts_with([',', ')', ';', ']', '}']);
    let plain = !literal.contains(['$', '{', '%', '<', '*']) && (quote != '`' || !literal.contains("${"));
    if whole && plain && !literal.is_empty() { Target::Named { path: literal, directory } } else { Target::Unknown }
}

fn literals(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['"', '\'', '`']) {
        let Some(quote) = rest.get(at..).and_then(|r| r.chars().next()) else { break };
        let Some(inner) = rest.get(at + 1..) else { break };
        let Some(end) = inner.find(quote) else { break };
        out.push(inner.get(..end).unwrap_or("").to_owned());
        rest = inner.get(end + 1..).unwrap_or("");
    }
    out
}

fn writing_mode(literal: &str) -> bool {
    !literal.is_empty() && literal.len() <= 4 && literal.chars().all(|c| "rwaxbt+".contains(c)) && literal.contains(['w', 'a', 'x', '+'])
}

/// Whether the environment names a place for that file, so that the literal is only what holds without it.
fn named_by_environment(subject: &Subject, path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let ends = |v: &str| v.strip_suffix(name).is_some_and(|head| head.ends_with('/'));
    subject.stage().is_some_and(|s| s.end.env.iter().any(|(_, v)| matches!(v, Value::Known(v) if ends(v))))
}

/// Whether the environment names a data base file: one that the program opens by a name that is not literal is that.
fn environment_has_database(subject: &Subject) -> bool {
    subject.stage().is_some_and(|s| s.end.env.iter().any(|(_, v)| matches!(v, Value::Known(v) if database_path(v).is_some())))
}

/// A literal of the line that names a data base file.
fn database(line: &str, language: &Language) -> Option<String> {
    let names = &facts().writes.names;
    if !names.databases.iter().any(|e| line.contains(e.as_str())) && !line.contains("sqlite:") {
        return None;
    }
    let mut all = literals(line);
    // Settings without quotes: `db = data/app.sqlite3`.
    if language.name == "settings" {
        all.extend(line.split([' ', '=', '"', '\'']).map(ToOwned::to_owned));
    }
    all.into_iter().find_map(|l| {
        let path = database_path(&l)?;
        (!path.contains(['$', '{', '%', '*', ' '])).then_some(path)
    })
}

/// The path in `sqlite:///data/x.db`, `file:x.db?mode=rwc` or `x.db`; relative as written.
pub fn database_path(value: &str) -> Option<String> {
    let lower = value.to_ascii_lowercase();
    let rest = match lower.find("sqlite").filter(|_| lower.contains(':') && lower.starts_with("sqlite")) {
        Some(_) => {
            let after = value.split_once(':')?.1;
            // Three slashes and a name is a relative path for SQLAlchemy, four an absolute one.
            after.strip_prefix("///").or(after.strip_prefix("//")).unwrap_or(after)
        }
        None => value.strip_prefix("file:").unwrap_or(value),
    };
    let rest = rest.split(['?', ';', '&']).next().unwrap_or(rest);
    let is_url = lower.starts_with("sqlite");
    let names = &facts().writes.names;
    let fits = names.databases.iter().any(|e| rest.ends_with(e.as_str()) && rest.len() > e.len());
    if rest.is_empty() || rest.contains(":memory:") || !(fits || is_url) || rest.contains("://") {
        return None;
    }
    Some(rest.to_owned())
}

fn write(subject: &Subject, target: Target, place: &str, out: &mut Sources) {
    let Some(workdir) = subject.workdir() else { return };
    let (directory, certain, what) = match target {
        Target::Unknown => (workdir, false, "writes a file".to_owned()),
        Target::Named { path, directory } => {
            if path.contains("://") || path.starts_with('~') || path.contains('\n') {
                return;
            }
            let Some(full) = absolute(&path, Some(&workdir)) else { return };
            let paths = &facts().root.paths;
            if paths.is_open(&full) {
                return;
            }
            let absolute = path.starts_with('/');
            // An URL's route looks like a path at the root.
            if absolute && (paths.is_closed(parent(&full)) || paths.is_closed(&full)) && !directory {
                (workdir, false, "writes a file".to_owned())
            } else {
                let folder = if directory { full.clone() } else { parent(&full).to_owned() };
                // Relative names are often relative to the source, not to the working directory.
                let beside = place.rsplit_once(':').map_or("", |(p, _)| p).contains('/') && !absolute;
                let folder = if beside || (!absolute && (path.starts_with("..") || path.starts_with("./"))) { workdir } else { folder };
                (folder, false, format!("writes {path}"))
            }
        }
    };
    let why = format!("{place} {what}");
    if !out.writes.iter().any(|w| w.directory == directory) {
        out.writes.push(Write::new(directory, why, certain));
    }
}

/// The path that an environment value names, if its variable is one for places that are written: the directory.
pub fn variable(name: &str, value: &str, workdir: &str) -> Option<String> {
    let names = &facts().writes.names;
    if names.installed.iter().any(|n| n == name) {
        return None;
    }
    let told = name.to_ascii_uppercase().split(['_', '.', '-']).any(|p| names.variables.iter().any(|v| v == p));
    let path = match database_path(value) {
        Some(path) => path,
        None if told && (value.starts_with('/') || value.starts_with("./") || value.starts_with("file:")) => {
            value.strip_prefix("file:").unwrap_or(value).to_owned()
        }
        None => return None,
    };
    if path.contains("://") || path.contains([' ', ',', ':', '$']) {
        return None;
    }
    let full = absolute(&path, Some(workdir))?;
    let last = full.rsplit('/').next().unwrap_or("");
    let file =
        database_path(value).is_some() || [".log", ".pid", ".sock", ".lock", ".json", ".txt", ".csv"].iter().any(|e| last.ends_with(e));
    Some(if file { parent(&full).to_owned() } else { full })
}

/// Whether a directory's name tells of state.
pub fn tells_of_state(directory: &str) -> bool {
    let names = &facts().writes.names;
    let last = directory.rsplit('/').next().unwrap_or("");
    names.directories.iter().any(|n| n == last)
        || names.parents.iter().any(|p| p == parent(directory) || p == parent(parent(directory)))
        || join(directory, "").starts_with("/data/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str, line: &str) -> Option<Target> {
        target(line, facts().writes.languages.iter().find(|l| l.name == name).unwrap())
    }

    fn path(p: &str, directory: bool) -> Option<Target> {
        Some(Target::Named { path: p.into(), directory })
    }

    #[test]
    fn python() {
        assert_eq!(of("python", "with open('log/x.txt', 'w') as f:"), path("log/x.txt", false));
        assert_eq!(of("python", "open(\"x\")"), None);
        assert_eq!(of("python", "data = json.load(open('x.json', 'r'))"), None);
        assert_eq!(of("python", "open(name, 'ab')"), Some(Target::Unknown));
        assert_eq!(of("python", "urllib.request.urlopen('http://x', 'w')"), None);
        assert_eq!(of("python", "os.makedirs('uploads', exist_ok=True)"), path("uploads", true));
        assert_eq!(of("python", "db = sqlite3.connect('notes.db')"), path("notes.db", false));
        assert_eq!(of("python", "sqlite3.connect('notes-' + name)"), Some(Target::Unknown));
    }

    #[test]
    fn others() {
        assert_eq!(of("javascript", "fs.writeFileSync('./data/x.json', s)"), path("./data/x.json", false));
        assert_eq!(of("javascript", "fs.mkdirSync(path.join(__dirname, 'x'))"), Some(Target::Unknown));
        assert_eq!(of("go", "f, err := os.Create(\"out.txt\")"), path("out.txt", false));
        assert_eq!(of("go", "os.OpenFile(p, os.O_RDONLY, 0)"), None);
        assert_eq!(of("c", "FILE *f = fopen(\"a.txt\", \"r\");"), None);
        assert_eq!(of("c", "FILE *f = fopen(\"a.txt\", \"w\");"), path("a.txt", false));
        assert_eq!(of("java", "String url = \"jdbc:sqlite:data/x.db\";"), path("data/x.db", false));
    }

    #[test]
    fn databases() {
        let language = |n: &str| facts().writes.languages.iter().find(|l| l.name == n).unwrap();
        assert_eq!(database("'NAME': BASE_DIR / 'db.sqlite3',", language("python")), Some("db.sqlite3".into()));
        assert_eq!(database("from django.db import models", language("python")), None);
        assert_eq!(database("path = data/app.sqlite3", language("settings")), Some("data/app.sqlite3".into()));
        assert_eq!(database_path("sqlite:///app.db"), Some("app.db".into()));
        assert_eq!(database_path("sqlite:////data/app.db"), Some("/data/app.db".into()));
        assert_eq!(database_path("sqlite://"), None);
        assert_eq!(database_path("postgres://x/y.db"), None);
        assert_eq!(database_path(".db"), None);
        assert_eq!(database_path("file:x.sqlite?mode=rwc"), Some("x.sqlite".into()));
    }

    #[test]
    fn variables() {
        assert_eq!(variable("TALLY_DB", "/app/data/tally.db", "/app"), Some("/app/data".into()));
        assert_eq!(variable("DATABASE_URL", "sqlite:///x.db", "/app"), Some("/app".into()));
        assert_eq!(variable("DATABASE_URL", "postgres://db/x", "/app"), None);
        assert_eq!(variable("UPLOAD_DIR", "/var/uploads", "/app"), Some("/var/uploads".into()));
        assert_eq!(variable("JAVA_HOME", "/opt/java", "/app"), None);
        assert_eq!(variable("PORT", "/x", "/app"), None);
        assert!(tells_of_state("/app/logs") && tells_of_state("/var/lib/notes") && !tells_of_state("/usr/src/app"));
    }
}
