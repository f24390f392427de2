//! Requirements files of pip, and which project files a folder has.

use crate::context::{Context, join, normalize};

/// A requirements file with everything that it includes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requirements {
    /// The files read: itself, then what `-r` and `-c` name, relative to the context's root, each once.
    pub files: Vec<String>,
    /// The packages named, with what follows the name.
    pub packages: Vec<Requirement>,
    /// Paths of the context that it installs from (`-e .`, `./libs/x`, `file:`, `--find-links`), as written, with the file that names them.
    pub paths: Vec<(String, String)>,
    /// Installed from a URL or a repository.
    pub urls: Vec<String>,
    /// Options such as `--index-url`.
    pub options: Vec<String>,
    /// Files that it names but that the context does not have, or that lie outside of it.
    pub missing: Vec<String>,
}

/// A named package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// The name in the index's spelling: lower case, with `-` between its words.
    pub name: String,
    /// The extras.
    pub extras: Vec<String>,
    /// What follows: the version and the marker.
    pub rest: String,
}

impl Requirements {
    /// Reads `path` and what it includes; `None` if the context does not have it.
    #[must_use]
    pub fn read(context: &Context, path: &str) -> Option<Self> {
        let path = normalize(path);
        context.is_file(&path).then(|| {
            let mut out = Self::default();
            out.include(context, &path);
            out
        })
    }

    fn include(&mut self, context: &Context, path: &str) {
        if self.files.iter().any(|f| f == path) {
            return;
        }
        let Some(text) = context.read(path) else {
            self.missing.push(path.to_owned());
            return;
        };
        self.files.push(path.to_owned());
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        for line in logical_lines(&text) {
            match Line::of(&line) {
                Line::File(name) if name.contains("://") => self.urls.push(name.to_owned()),
                Line::File(name) if name.starts_with('/') || escapes(folder, name) => self.missing.push(name.to_owned()),
                Line::File(name) => self.include(context, &normalize(&join(folder, name))),
                Line::Path(target) => self.paths.push((target.to_owned(), path.to_owned())),
                Line::Url(url) => self.urls.push(url.to_owned()),
                Line::Option(option) => self.options.push(option.to_owned()),
                Line::Package(package) => self.packages.push(package),
                Line::Nothing => {}
            }
        }
    }

    /// Whether everything comes from package indexes and nothing but `files` is read from the context.
    #[must_use]
    pub fn is_self_contained(&self) -> bool {
        self.paths.is_empty() && self.missing.is_empty()
    }
}

/// Whether `name`, relative to `folder`, leaves the context.
fn escapes(folder: &str, name: &str) -> bool {
    let mut depth = folder.split('/').filter(|p| !p.is_empty()).count();
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." => match depth.checked_sub(1) {
                Some(less) => depth = less,
                None => return true,
            },
            _ => depth += 1,
        }
    }
    false
}

enum Line<'a> {
    File(&'a str),
    Path(&'a str),
    Url(&'a str),
    Option(&'a str),
    Package(Requirement),
    Nothing,
}

impl<'a> Line<'a> {
    fn of(line: &'a str) -> Self {
        let value = |names: &[&str]| {
            names.iter().find_map(|name| {
                let rest = line.strip_prefix(name)?;
                if name.starts_with("--") { rest.strip_prefix([' ', '=']) } else { Some(rest.strip_prefix([' ', '=']).unwrap_or(rest)) }
                    .map(str::trim)
            })
        };
        if line.is_empty() {
            Self::Nothing
        } else if let Some(file) = value(&["--requirement", "--constraint", "-r", "-c"]) {
            Self::File(file)
        } else if let Some(target) = value(&["--editable", "--find-links", "-e", "-f"]) {
            if is_url(target) { Self::Url(target) } else { Self::Path(target) }
        } else if line.starts_with('-') {
            Self::Option(line)
        } else {
            Self::package(line)
        }
    }

    fn package(line: &'a str) -> Self {
        let end = line.find(|c: char| !(c.is_alphanumeric() || matches!(c, '.' | '_' | '-'))).unwrap_or(line.len());
        let (name, rest) = line.split_at_checked(end).unwrap_or((line, ""));
        let rest = rest.trim_start();
        let is_archive = [".whl", ".tar.gz", ".zip", ".tgz"].iter().any(|e| line.split([' ', ';']).next().is_some_and(|l| l.ends_with(e)));
        if let Some(target) = rest.strip_prefix('@').map(str::trim) {
            // `name @ url`
            return match target.strip_prefix("file:") {
                Some(path) => Self::Path(path),
                None => Self::Url(target),
            };
        }
        if let Some(path) = line.strip_prefix("file:") {
            return Self::Path(path);
        }
        if is_url(line) {
            return Self::Url(line);
        }
        if name.is_empty() || name.starts_with('.') || rest.starts_with('/') || is_archive {
            return Self::Path(line);
        }
        let (extras, rest) = match rest.strip_prefix('[').and_then(|r| r.split_once(']')) {
            Some((extras, rest)) => (extras.split(',').map(|e| e.trim().to_owned()).filter(|e| !e.is_empty()).collect(), rest.trim_start()),
            None => (Vec::new(), rest),
        };
        Self::Package(Requirement { name: canonical(name), extras, rest: rest.to_owned() })
    }
}

fn is_url(text: &str) -> bool {
    text.contains("://") || ["git+", "hg+", "svn+", "bzr+"].iter().any(|p| text.starts_with(p))
}

/// A package's name as the index compares it.
#[must_use]
pub fn canonical(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            '-' | '_' | '.' if out.ends_with('-') => {}
            '-' | '_' | '.' => out.push('-'),
            c => out.extend(c.to_lowercase()),
        }
    }
    out
}

/// The lines with continuations joined and comments removed.
fn logical_lines(text: &str) -> Vec<String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut out = Vec::new();
    let mut open = String::new();
    for line in text.lines() {
        let line = match line.find(" #").or_else(|| line.find("\t#")) {
            Some(i) => line.get(..i).unwrap_or(line),
            None if line.trim_start().starts_with('#') => "",
            None => line,
        };
        match line.trim_end().strip_suffix('\\') {
            Some(head) => open.push_str(head),
            None => out.push(format!("{}{}", std::mem::take(&mut open), line).trim().to_owned()),
        }
    }
    out.push(open.trim().to_owned());
    out
}

/// The project files of a folder that tell how it is installed.
#[must_use]
pub fn project_files(context: &Context, folder: &str) -> Vec<String> {
    let names = ["setup.py", "setup.cfg", "pyproject.toml", "Pipfile", "Pipfile.lock", "poetry.lock", "uv.lock", "MANIFEST.in"];
    names.iter().map(|n| join(&normalize(folder), n)).filter(|p| context.is_file(p)).collect()
}

#[cfg(test)]
mod tests {
    use super::{Line, Requirements, canonical, logical_lines};

    fn parse(text: &str) -> Requirements {
        let mut out = Requirements::default();
        for line in logical_lines(text) {
            match Line::of(&line) {
                Line::File(f) => out.files.push(f.to_owned()),
                Line::Path(p) => out.paths.push((p.to_owned(), String::new())),
                Line::Url(u) => out.urls.push(u.to_owned()),
                Line::Option(o) => out.options.push(o.to_owned()),
                Line::Package(p) => out.packages.push(p),
                Line::Nothing => {}
            }
        }
        out
    }

    #[test]
    fn reads_all_kinds_of_lines() {
        let r = parse(
            "# top\nFlask==2.0 # web\nuvicorn[standard] >= 0.1 ; python_version > '3'\n-r base.txt\n--requirement=other.txt\n-c c.txt\n-rshort.txt\n-e .\n./libs/x\nlib @ file:///app/lib\n\
             git+https://e.org/a.git#egg=a\nname @ https://e.org/n.whl\n--index-url https://e.org/simple\nzope.interface \\\n  ==5 \\\n  --hash=sha256:00\nwheels/a.whl\n",
        );
        assert_eq!(r.files, ["base.txt", "other.txt", "c.txt", "short.txt"]);
        assert_eq!(r.packages.iter().map(|p| p.name.as_str()).collect::<Vec<_>>(), ["flask", "uvicorn", "zope-interface"]);
        assert_eq!(r.packages[1].extras, ["standard"]);
        assert_eq!(r.paths.iter().map(|p| p.0.as_str()).collect::<Vec<_>>(), [".", "./libs/x", "///app/lib", "wheels/a.whl"]);
        assert_eq!(r.urls.len(), 2);
        assert_eq!(r.options, ["--index-url https://e.org/simple"]);
        assert_eq!(canonical("Foo__Bar.-baz"), "foo-bar-baz");
    }
}
