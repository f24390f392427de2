//! `go.mod`.

use crate::context::{Context, join, normalize};

/// What a `go.mod` says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Module {
    /// The module's path.
    pub path: String,
    /// The language version.
    pub go: Option<String>,
    /// The modules required, with their versions.
    pub requires: Vec<(String, String)>,
    /// The targets of `replace` directives that are folders.
    pub local_replacements: Vec<String>,
}

impl Module {
    /// Reads the text of a `go.mod`; `None` without a module line.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut out = Self::default();
        let mut block = String::new();
        for line in text.lines() {
            let line = line.split("//").next().unwrap_or("").trim();
            if block.is_empty() {
                if let Some(verb) = line.strip_suffix('(') {
                    verb.trim().clone_into(&mut block);
                } else if let Some((verb, rest)) = line.split_once(char::is_whitespace) {
                    out.directive(verb, rest);
                }
            } else if line == ")" {
                block.clear();
            } else {
                out.directive(&block, line);
            }
        }
        (!out.path.is_empty()).then_some(out)
    }

    fn directive(&mut self, verb: &str, rest: &str) {
        let mut words = rest.split_whitespace().map(|w| w.trim_matches(['"', '`']));
        match verb {
            "module" => self.path = words.next().unwrap_or_default().to_owned(),
            "go" => self.go = words.next().map(str::to_owned),
            "require" => {
                if let (Some(path), Some(version)) = (words.next(), words.next()) {
                    self.requires.push((path.to_owned(), version.to_owned()));
                }
            }
            "replace" => {
                let target = words.skip_while(|w| *w != "=>").nth(1).unwrap_or_default();
                if target.starts_with(['.', '/']) {
                    self.local_replacements.push(target.to_owned());
                }
            }
            _ => {}
        }
    }

    /// Reads the `go.mod` of `folder`.
    #[must_use]
    pub fn read(context: &Context, folder: &str) -> Option<Self> {
        Self::parse(&context.read(&join(&normalize(folder), "go.mod"))?)
    }

    /// The name that `go build` gives the program of the module's root: the path's last element without a version suffix.
    #[must_use]
    pub fn program(&self) -> &str {
        let mut parts = self.path.rsplit('/');
        let last = parts.next().unwrap_or_default();
        let is_version =
            last.strip_prefix('v').is_some_and(|n| !n.is_empty() && n != "0" && n != "1" && n.bytes().all(|b| b.is_ascii_digit()));
        let name = if is_version { parts.next().unwrap_or(last) } else { last };
        // gopkg.in keeps the major version behind a dot.
        match name.rsplit_once(".v") {
            Some((head, n)) if self.path.starts_with("gopkg.in/") && n.bytes().all(|b| b.is_ascii_digit()) => head,
            _ => name,
        }
    }

    /// Whether a required module is `path` or lies below it.
    #[must_use]
    pub fn requires(&self, path: &str) -> bool {
        self.requires.iter().any(|(p, _)| crate::context::is_within(p, path))
    }
}

#[cfg(test)]
mod tests {
    use super::Module;

    #[test]
    fn reads_blocks_and_lines() {
        let m = Module::parse("module example.org/x/greeter/v2 // c\n\ngo 1.21\nrequire (\n\ta.b/c v1.0.0\n\td.e/f v0.1.0 // indirect\n)\nrequire g.h/i v2.0.0\nreplace a.b/c => ./c\nreplace (\n d.e/f v0.1.0 => x.y/z v1\n)\n").unwrap();
        assert_eq!((m.program(), m.go.as_deref(), m.requires.len()), ("greeter", Some("1.21"), 3));
        assert_eq!(m.local_replacements, ["./c"]);
        assert!(m.requires("a.b") && !m.requires("a.bc"));
        assert_eq!(Module::parse("module x").unwrap().program(), "x");
        assert_eq!(Module::parse("module gopkg.in/yaml.v3").unwrap().program(), "yaml");
        assert!(Module::parse("go 1.2").is_none());
    }
}
