//! Which of a Node project's development modules are loaded when the program runs.

use super::draft::{Draft, absolute};
use super::needs;

/// Why the development modules have to stay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    /// The file at `path` loads `name`, a devDependency.
    Loads { name: String, path: String },
    /// The file at `path` loads modules whose names it works out.
    Dynamic { path: String },
}

/// Endings of what Node runs as it stands, and of what a compiler reads.
const SCRIPTS: &[&str] = &[".js", ".mjs", ".cjs"];
const COMPILED: &[&str] = &[".ts", ".tsx", ".jsx", ".mts", ".cts"];

/// Looks for a devDependency of `dev` that is loaded at run time. `commands` are those that start, npm's scripts taken apart; `main` is the
/// manifest's, `build` the text of its scripts.
pub(super) fn kept(draft: &Draft, folder: &str, dev: &[String], commands: &[Vec<String>], main: Option<&str>, build: &str) -> Option<Kept> {
    if let Some(files) = reached(draft, folder, commands, main) {
        // A framework may load what a setting names, such as a view engine.
        return files.iter().find_map(|path| loads(draft, path, dev).or_else(|| mentions(draft, path, dev)));
    }
    let bundled = bundles(draft, folder, build);
    let files = draft.model.context.files().0;
    files.iter().filter(|path| is_program(path)).find_map(|path| {
        let script = SCRIPTS.iter().any(|e| path.ends_with(e));
        let compiled = COMPILED.iter().any(|e| path.ends_with(e)) && !path.ends_with(".d.ts");
        match loads(draft, path, dev) {
            // What a bundler took in is part of its output.
            Some(Kept::Loads { name, path }) if bundled => {
                let required = script && draft.model.context.read(&path).is_some_and(|t| requires(&t, &name));
                required.then_some(Kept::Loads { name, path })
            }
            Some(Kept::Dynamic { .. }) if compiled || bundled => None,
            found if script || compiled => found,
            _ => None,
        }
    })
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
    use super::{Import, imports};

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
}
