//! Which of a Node project's development modules are loaded when the program runs.

use super::draft::{Draft, absolute};
use super::needs;
use super::node_start::Start;
use super::package::Package;
use crate::context::fits;

/// What is asked about the modules of one install.
pub(super) struct Asked<'a> {
    /// The folder of the image that holds them.
    pub folder: &'a str,
    /// Those that only develop, by package.json.
    pub dev: &'a [String],
    pub package: &'a Package,
    pub start: &'a Start,
    /// Packages that are installed for all.
    pub everywhere: &'a [String],
}

/// Why the development modules have to stay.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Kept {
    /// The file at `path` loads `name`, a devDependency.
    Loads { name: String, path: String },
    /// The file at `path` loads modules whose names it works out.
    Dynamic { path: String },
}

/// Endings of what Node runs as it stands, and of what a compiler reads.
const SCRIPTS: &[&str] = &[".js", ".mjs", ".cjs"];
const COMPILED: &[&str] = &[".ts", ".tsx", ".jsx", ".mts", ".cts"];
/// Endings of settings, which name modules too, and of pages, which name their files.
const SETTINGS: &[&str] = &[".json", ".json5", ".yml", ".yaml", ".env", ".sequelizerc", ".ini", ".toml"];
const PAGES: &[&str] = &[".html", ".ejs", ".pug", ".jade", ".hbs", ".handlebars", ".njk", ".mustache"];
/// Words of sources that start other programs.
const STARTS_PROGRAMS: &[&str] = &["child_process", "execa", "shelljs", "zx", "cross-spawn"];

/// Why a devDependency is needed at run time, or may be; `None` where none is.
pub(super) fn kept(draft: &Draft, asked: &Asked) -> Option<String> {
    let Asked { folder, dev, package, start, everywhere } = *asked;
    if let Some(name) = dev.iter().find(|name| start.uses(draft, name)) {
        return Some(format!("`{name}` is a devDependency and is used at run time"));
    }
    if let Some(text) = &start.unclear {
        return Some(format!("what `{text}` starts can't be told"));
    }
    let lock = absolute(Some(folder), "package-lock.json").and_then(|p| draft.context_path(&p));
    let lock = lock.and_then(|p| draft.model.context.read(&p));
    if let Some(name) = start.unknown_program(draft, package, lock.as_deref(), everywhere) {
        return Some(format!("`{name}` is started and may be a program of a devDependency"));
    }
    match loaded(draft, asked) {
        Some(Kept::Loads { name, path }) => return Some(format!("{path} loads `{name}`, a devDependency")),
        Some(Kept::Dynamic { path }) => return Some(format!("{path} loads modules whose names it works out")),
        None => {}
    }
    by_name(draft, asked)
}

/// A devDependency that another package loads: by a setting, or because it needs it beside itself.
fn by_name(draft: &Draft, asked: &Asked) -> Option<String> {
    let runtime = asked.package.runtime_names();
    let context = draft.model.context;
    let mut files: Option<Vec<String>> = None;
    draft.model.catalog.node_by_name().iter().find_map(|row| {
        let by = row.by.iter().find(|p| runtime.contains(p))?;
        let name = row.loads.iter().find(|p| asked.dev.contains(p))?;
        let files = files.get_or_insert_with(|| context.files().0.into_iter().filter(|p| is_read(p)).collect());
        let is_meant = row.texts.is_empty() && row.files.is_empty() && !row.one_of
            || row.one_of && !row.loads.iter().any(|p| runtime.contains(p))
            || files.iter().any(|path| row.files.iter().any(|f| fits(f, path) || path.split_once('/').is_some_and(|(_, p)| fits(f, p))))
            || !row.texts.is_empty()
                && (draft.stage.end.env.iter().any(|(name, _)| {
                    draft.stage.end.known_variable(name).is_some_and(|v| row.texts.iter().any(|t| v.contains(t.as_str())))
                }) || files.iter().filter_map(|p| context.read(p)).any(|text| row.texts.iter().any(|t| text.contains(t.as_str()))));
        is_meant.then(|| format!("`{by}` may load `{name}`, a devDependency"))
    })
}

/// Whether `path` is a source or a file of settings of the program's own.
fn is_read(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let of_tools = matches!(name, "package.json" | "package-lock.json" | "pnpm-lock.yaml" | "tsconfig.json");
    let setting = SETTINGS.iter().any(|e| path.ends_with(e)) || name.starts_with(".env");
    let source = SCRIPTS.iter().chain(COMPILED).any(|e| path.ends_with(e));
    !of_tools && (setting || source) && !needs::is_test(path) && !path.contains("node_modules/") && !path.ends_with(".min.js")
}

/// Looks for a devDependency that the sources load at run time.
fn loaded(draft: &Draft, asked: &Asked) -> Option<Kept> {
    let Asked { folder, dev, package, start, .. } = *asked;
    let files = draft.model.context.files().0;
    let pages = files.iter().filter(|p| PAGES.iter().any(|e| p.ends_with(e)) && !p.contains("node_modules/"));
    if let Some(kept) = pages.into_iter().find_map(|path| names_files(draft, path, asked, false)) {
        return Some(kept);
    }
    if let Some(files) = reached(draft, folder, &start.commands, package.main()) {
        // A framework may load what a setting names, such as a view engine.
        return files.iter().find_map(|path| {
            loads(draft, path, dev).or_else(|| mentions(draft, path, dev)).or_else(|| names_files(draft, path, asked, false))
        });
    }
    let bundled = bundles(draft, folder, &package.all_scripts());
    files.iter().filter(|path| is_program(path)).find_map(|path| {
        let script = SCRIPTS.iter().any(|e| path.ends_with(e));
        let compiled = COMPILED.iter().any(|e| path.ends_with(e)) && !path.ends_with(".d.ts");
        let found = match loads(draft, path, dev) {
            // What a bundler took in is part of its output.
            Some(Kept::Loads { name, path }) if bundled => {
                let required = script && draft.model.context.read(&path).is_some_and(|t| requires(&t, &name));
                required.then_some(Kept::Loads { name, path })
            }
            Some(Kept::Dynamic { .. }) if compiled || bundled => None,
            found if script || compiled => found,
            _ => None,
        };
        let found = found.or_else(|| (script || compiled).then(|| names_files(draft, path, asked, bundled)).flatten());
        let found = found.or_else(|| (script || compiled).then(|| runs(draft, path, dev)).flatten());
        found.or_else(|| (!bundled && (script || compiled)).then(|| mentions(draft, path, dev)).flatten())
    })
}

/// Whether the file at `path` starts a program of a development module, or a script of package.json.
fn runs(draft: &Draft, path: &str, dev: &[String]) -> Option<Kept> {
    let text = draft.model.context.read(path)?;
    if !STARTS_PROGRAMS.iter().any(|w| text.contains(w)) {
        return None;
    }
    if ["npm run ", "npm start", "npm exec ", "yarn ", "pnpm "].iter().any(|s| text.contains(s)) {
        return Some(Kept::Dynamic { path: path.to_owned() });
    }
    let starts = |name: &&String| {
        let bins = draft.model.catalog.node_bins(name);
        !name.starts_with("@types/") && bins.iter().any(|bin| needs::calls(&text, bin) || text.contains(&format!("npx {bin}")))
    };
    dev.iter().find(starts).map(|name| Kept::Loads { name: name.clone(), path: path.to_owned() })
}

/// Whether the file at `path` names files of a development module by the folder `node_modules`. `bundled`: a bundler takes the sources in,
/// so that only what reads files counts.
fn names_files(draft: &Draft, path: &str, asked: &Asked, bundled: bool) -> Option<Kept> {
    const READS: &[&str] = &["__dirname", "static(", "readFile", "sendFile", "cwd()"];
    let text = draft.model.context.read(path)?;
    let lines = text.lines().filter(|l| l.contains("node_modules") && (!bundled || READS.iter().any(|w| l.contains(w))));
    let found = lines.flat_map(named_modules).find_map(|named| match named {
        Named::Program(bin) => asked.dev.iter().find(|d| draft.model.catalog.node_bins(d).contains(&bin)).map(|d| Some(d.clone())),
        Named::Module(name) => asked.dev.iter().find(|d| *d == name).map(|d| Some(d.clone())),
        Named::Scope(scope) => asked.dev.iter().find(|d| d.starts_with(&format!("{scope}/")) && scope != "@types").map(|d| Some(d.clone())),
        Named::Any => Some(None),
    })?;
    Some(match found {
        Some(name) => Kept::Loads { name, path: path.to_owned() },
        None => Kept::Dynamic { path: path.to_owned() },
    })
}

/// What a line means by the folder `node_modules`.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Named<'t> {
    Program(&'t str),
    Module(&'t str),
    /// Any module of a scope.
    Scope(&'t str),
    /// One whose name is worked out, or all of them.
    Any,
}

fn named_modules(line: &str) -> Vec<Named<'_>> {
    let comment = line.trim_start();
    // A pattern that leaves modules out names none.
    let leaves_out = ["exclude", "gnore", "skip", "import "].iter().any(|w| line.contains(w));
    if comment.starts_with("//") || comment.starts_with('*') || leaves_out {
        return Vec::new();
    }
    let found = line.match_indices("node_modules").filter_map(|(at, word)| {
        let before = line.get(..at).unwrap_or("");
        let rest = line.get(at + word.len()..).unwrap_or("");
        if before.ends_with(['*', '!', '(', '^', '\\']) || before.ends_with("**/") {
            return None;
        }
        let Some(below) = rest.strip_prefix('/') else {
            // `path.join(__dirname, 'node_modules', 'bootstrap')` or the folder itself.
            let tail = rest.strip_prefix(['"', '\'', '`'])?.trim_start();
            let next = tail.strip_prefix(',').map(str::trim_start).and_then(quoted);
            return Some(next.map_or(Named::Any, |name| name_of(name).map_or(Named::Any, Named::Module)));
        };
        if let Some(bin) = below.strip_prefix(".bin/") {
            return Some(Named::Program(bin.split(|c: char| !(c.is_alphanumeric() || "-_.".contains(c))).next().unwrap_or(bin)));
        }
        if let Some(name) = name_of(below) {
            return Some(Named::Module(name));
        }
        if below.starts_with("**") {
            return None;
        }
        if let Some((scope, rest)) = below.split_once('/').filter(|(scope, _)| scope.starts_with('@'))
            && rest.starts_with(['*', '$', '"', '\'', '`'])
        {
            return Some(Named::Scope(scope));
        }
        // `/node_modules/` alone is a regular expression.
        (below.starts_with(['*', '$', '"', '\'', '`']) && !before.ends_with(' ')).then_some(Named::Any)
    });
    found.collect()
}

/// The package that a path below `node_modules` starts with.
fn name_of(path: &str) -> Option<&str> {
    let part = |text: &str| text.find(|c: char| !(c.is_alphanumeric() || "-_.".contains(c))).unwrap_or(text.len());
    let end = match path.strip_prefix('@') {
        Some(rest) => {
            let scope = part(rest);
            let name = rest.get(scope..)?.strip_prefix('/')?;
            (part(name) > 0).then_some(1 + scope + 1 + part(name))?
        }
        None => part(path),
    };
    path.get(..end).filter(|name| !name.is_empty() && !name.starts_with('.'))
}

/// Whether a file of the context can be part of the program: no test, no configuration of a tool, no module.
fn is_program(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let configures =
        name.contains(".config.") || name.starts_with('.') || ["gulpfile", "Gruntfile", "karma.conf"].iter().any(|n| name.starts_with(n));
    !configures && !needs::is_test(path) && !path.contains("node_modules/") && !path.ends_with(".min.js")
}

/// The files that the program can load, if all of them can be followed from what starts.
fn reached(draft: &Draft, folder: &str, commands: &[Vec<String>], main: Option<&str>) -> Option<Vec<String>> {
    let context = draft.model.context;
    let mut open: Vec<String> = Vec::new();
    for words in commands {
        let name = words.first()?.rsplit('/').next()?;
        if matches!(name, "npm" | "yarn" | "pnpm" | "echo" | "cd" | "sleep" | "mkdir" | "set" | "curl" | "wget") {
            continue;
        }
        if !matches!(name, "node" | "nodejs") {
            return None;
        }
        let mut arguments = words.iter().skip(1);
        let mut entry = None;
        while let Some(word) = arguments.next() {
            match word.as_str() {
                flag if flag.split_once('=').is_some_and(|(_, value)| value.starts_with(['.', '/'])) => return None,
                "-r" | "--require" | "--import" | "--loader" | "--experimental-loader" => {
                    if arguments.next().is_some_and(|m| m.starts_with('.')) {
                        return None;
                    }
                }
                flag if flag.starts_with('-') => {}
                file => {
                    entry = Some(file);
                    break;
                }
            }
        }
        let entry = entry?;
        let file = if matches!(entry, "." | "./") { main.unwrap_or("index.js") } else { entry };
        let file = draft.context_path(&absolute(Some(folder), file)?)?;
        open.push(resolve(draft, ".", &file)?);
    }
    let mut seen: Vec<String> = Vec::new();
    while let Some(path) = open.pop() {
        if seen.contains(&path) {
            continue;
        }
        let text = context.read(&path)?;
        let parent = path.rsplit_once('/').map_or(".", |(p, _)| p).to_owned();
        for found in imports(&text) {
            match found {
                Import::Name(name) if name.starts_with('.') => open.push(resolve(draft, &parent, &name)?),
                Import::Name(_) | Import::Unknown => {}
                Import::Local => return None,
            }
        }
        seen.push(path);
        if seen.len() > 2_000 {
            return None;
        }
    }
    (!seen.is_empty()).then_some(seen)
}

/// The file that `name` means in `folder` of the context, as Node looks for it.
fn resolve(draft: &Draft, folder: &str, name: &str) -> Option<String> {
    let base = crate::context::normalize(&format!("{folder}/{name}"));
    ["", ".js", ".cjs", ".mjs", ".json", "/index.js", "/index.cjs", "/index.mjs"]
        .iter()
        .map(|ending| format!("{base}{ending}"))
        .find(|path| draft.model.context.is_file(path))
}

/// What a file of the project loads.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Import {
    Name(String),
    /// A file of the project whose name is worked out.
    Local,
    /// A module whose name is worked out.
    Unknown,
}

/// Everything that `text` loads by `require`, `import` and `export ... from`; types alone are left out.
fn imports(text: &str) -> Vec<Import> {
    let mut out = Vec::new();
    // Programs of the project that run beside this one.
    if text.contains("worker_threads") || text.contains("child_process") {
        out.push(Import::Local);
    }
    for line in text.lines().map(str::trim_start) {
        if line.starts_with("//") || line.starts_with('*') || line.starts_with("import type ") {
            continue;
        }
        for call in ["require(", "import(", "require.resolve("] {
            for (at, _) in line.match_indices(call) {
                let before = line.get(..at).and_then(|t| t.chars().next_back());
                if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '.') {
                    continue;
                }
                let argument = line.get(at + call.len()..).unwrap_or("").trim_start();
                out.push(match quoted(argument) {
                    // What follows the name makes another one of it: `require('./routes/' + n)`.
                    Some(name) if argument.get(name.len() + 2..).is_some_and(|r| !r.trim_start().starts_with([')', ','])) => Import::Local,
                    Some(name) => Import::Name(name.to_owned()),
                    None if ["__dirname", "path", "join", "./", "../", "file"].iter().any(|w| argument.contains(w)) => Import::Local,
                    None => Import::Unknown,
                });
            }
        }
        // `} from 'x'` may stand lines below its `import`.
        for word in ["from", "import"] {
            for (at, _) in line.match_indices(word) {
                let before = line.get(..at).and_then(|t| t.chars().next_back());
                let rest = line.get(at + word.len()..).unwrap_or("").trim_start();
                if before.is_none_or(|c| matches!(c, ' ' | '}' | '\t' | ';' | '*')) {
                    out.extend(quoted(rest).map(|n| Import::Name(n.to_owned())));
                }
            }
        }
    }
    out
}

/// The content of the quotes that `text` starts with.
fn quoted(text: &str) -> Option<&str> {
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    text.get(1..)?.split_once(quote).map(|(name, _)| name)
}

fn loads(draft: &Draft, path: &str, dev: &[String]) -> Option<Kept> {
    let found = imports(&draft.model.context.read(path)?);
    let package = |name: &str| {
        dev.iter().find(|d| {
            !d.starts_with("@types/") && name.strip_prefix(d.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    };
    found.iter().find_map(|import| match import {
        Import::Name(name) => package(name).map(|d| Kept::Loads { name: d.clone(), path: path.to_owned() }),
        Import::Unknown => Some(Kept::Dynamic { path: path.to_owned() }),
        Import::Local => None,
    })
}

fn mentions(draft: &Draft, path: &str, dev: &[String]) -> Option<Kept> {
    let text = draft.model.context.read(path)?;
    let found = dev.iter().find(|d| ['"', '\''].iter().any(|q| text.contains(&format!("{q}{d}{q}"))));
    found.map(|name| Kept::Loads { name: name.clone(), path: path.to_owned() })
}

fn requires(text: &str, name: &str) -> bool {
    ['"', '\''].iter().any(|q| [format!("require({q}{name}{q}"), format!("require({q}{name}/")].iter().any(|s| text.contains(s.as_str())))
}

/// Whether the build takes the modules that it needs into its output.
fn bundles(draft: &Draft, folder: &str, build: &str) -> bool {
    let mut text = build.to_owned();
    let named = build.split([' ', '"', '&', ';']).filter(|w| SCRIPTS.iter().any(|e| w.ends_with(e))).map(str::to_owned);
    let configurations =
        ["webpack.config.js", "webpack.config.ts", "vite.config.js", "vite.config.ts", "rollup.config.js"].map(str::to_owned);
    for name in named.chain(configurations) {
        let path = absolute(Some(folder), &name).and_then(|p| draft.context_path(&p));
        text.push_str(&path.and_then(|p| draft.model.context.read(&p)).unwrap_or_default());
    }
    let has = |words: &[&str]| words.iter().any(|w| text.contains(w));
    has(&[
        "webpack",
        "--bundle",
        "bundle: true",
        "vite",
        "rollup",
        "parcel",
        "browserify",
        "react-scripts",
        "next build",
        "nuxt",
        "ng build",
        "ncc ",
    ]) && !has(&["external", "babel ", "swc "])
        && !build.split(['&', ';', '"']).any(|c| c.trim_start().starts_with("tsc") && !c.contains("--noEmit"))
}

#[cfg(test)]
mod tests {
    use super::{Import, Named, imports, named_modules};

    fn name(n: &str) -> Import {
        Import::Name(n.into())
    }

    #[test]
    fn imports_of_a_file() {
        let text = "const a = require('a'), b = require(\"./b\");\nimport c from 'c';\nimport 'd/e';\nimport type { T } from 't';\nimport {\n  x,\n} from \"@s/x\";\nexport * from './y';\nconst z = await import('z');\n// require('no')\nmyrequire('no');\n";
        let expected = ["a", "./b", "c", "d/e", "@s/x", "./y", "z"].map(name).to_vec();
        assert_eq!(imports(text), expected);
    }

    #[test]
    fn names_that_are_worked_out() {
        assert_eq!(imports("list.map((n) => require(n))"), [Import::Unknown]);
        assert_eq!(imports("require(path.join(__dirname, file))"), [Import::Local]);
        assert_eq!(imports("require('./models/' + n)"), [Import::Local]);
        assert_eq!(imports("import{x}from\"./b.js\";import a from 'a'"), [name("./b.js"), name("a")]);
        assert_eq!(imports("import(`./${n}.js`)"), [Import::Local]);
    }

    #[test]
    fn files_of_modules() {
        assert_eq!(
            named_modules("app.use(express.static(path.join(__dirname, 'node_modules/bootstrap/dist')))"),
            [Named::Module("bootstrap")]
        );
        assert_eq!(named_modules("path.join(__dirname, 'node_modules', '@a/b', 'dist')"), [Named::Module("@a/b")]);
        assert_eq!(named_modules("express.static('node_modules')"), [Named::Any]);
        assert_eq!(named_modules("spawn('./node_modules/.bin/knex', ['x'])"), [Named::Program("knex")]);
        assert_eq!(named_modules("glob('node_modules/@acme/*/plugin.js')"), [Named::Scope("@acme")]);
        assert_eq!(named_modules("readFileSync(`node_modules/${name}/x`)"), [Named::Any]);
        assert_eq!(named_modules("<script src=\"/node_modules/jquery/dist/jquery.js\">"), [Named::Module("jquery")]);
        assert!(named_modules("test: /node_modules/, exclude: 'node_modules'").is_empty());
        assert!(named_modules("if (/node_modules/.test(id)) {").is_empty());
    }
}
