//! `.dockerignore`, with the rules of moby's patternmatcher as BuildKit applies them while it walks the context.

use super::glob::{self, Part};

/// The patterns of a `.dockerignore` file.
#[derive(Clone, Debug, Default)]
pub struct Ignore {
    patterns: Vec<Pattern>,
}

#[derive(Clone, Debug)]
struct Pattern {
    text: String,
    exception: bool,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Exact,
    Prefix,
    Suffix,
    Parts(Vec<Part>),
}

impl Ignore {
    /// Reads the text of a `.dockerignore` file.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        Self { patterns: text.split('\n').filter_map(Pattern::parse).collect() }
    }

    /// Whether nothing is ignored.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Whether a pattern that starts with `!` lets something back in.
    #[must_use]
    pub fn has_exceptions(&self) -> bool {
        self.patterns.iter().any(|p| p.exception)
    }

    /// Whether the context leaves `path` out. The path is relative to the context's root, with `/`.
    #[must_use]
    pub fn excludes(&self, path: &str) -> bool {
        if self.patterns.is_empty() || path.is_empty() {
            return false;
        }
        // The builder walks from the top and hands each folder's matches down, so a pattern that matched a parent counts
        // for the child; one that was not looked at there, because its outcome could change nothing, does not.
        let mut inherited: Option<Vec<bool>> = None;
        let mut excluded = false;
        let ends = path.match_indices('/').map(|(i, _)| i).chain([path.len()]);
        for prefix in ends.filter_map(|end| path.get(..end)) {
            excluded = false;
            let mut matches = Vec::with_capacity(self.patterns.len());
            for (i, pattern) in self.patterns.iter().enumerate() {
                let mut hit = inherited.as_ref().and_then(|m| m.get(i)).copied().unwrap_or(false);
                if !hit && pattern.exception == excluded {
                    hit = pattern.matches(prefix);
                }
                if hit {
                    excluded = !pattern.exception;
                }
                matches.push(hit);
            }
            inherited = Some(matches);
        }
        excluded
    }
}

impl Pattern {
    fn parse(line: &str) -> Option<Self> {
        if line.starts_with('#') {
            return None;
        }
        let line = line.trim();
        let (exception, text) = match line.strip_prefix('!') {
            Some(rest) => (true, rest.trim()),
            None => (false, line),
        };
        if text.is_empty() {
            return None;
        }
        let mut text = clean(text);
        if text.len() > 1 && text.starts_with('/') {
            text.remove(0);
        }
        Some(Self { kind: Kind::of(&text), text, exception })
    }

    fn matches(&self, path: &str) -> bool {
        match &self.kind {
            Kind::Exact => path == self.text,
            Kind::Prefix => self.text.strip_suffix("**").is_some_and(|head| path.starts_with(head)),
            Kind::Suffix => {
                let tail = self.text.strip_prefix("**").unwrap_or(&self.text);
                path.ends_with(tail) || tail.strip_prefix('/').is_some_and(|name| path == name)
            }
            Kind::Parts(parts) => glob::matches(parts, path),
        }
    }
}

impl Kind {
    /// What a cleaned pattern is made of. A pattern is as simple as its last special element allows, in the reference's order.
    fn of(text: &str) -> Self {
        let mut kind = Self::Exact;
        let mut parts = Vec::new();
        let mut general = false;
        let mut chars = text.chars();
        let mut first = true;
        while let Some(c) = chars.next() {
            match c {
                '*' if chars.as_str().starts_with('*') => {
                    chars.next();
                    if chars.as_str().starts_with('/') {
                        chars.next();
                    }
                    if chars.as_str().is_empty() {
                        if !general && matches!(kind, Self::Exact) {
                            kind = Self::Prefix;
                        } else {
                            parts.push(Part::All);
                            general = true;
                        }
                    } else {
                        parts.push(Part::Directories);
                        general = true;
                    }
                    if first {
                        kind = Self::Suffix;
                        general = false;
                    }
                }
                '*' => {
                    parts.push(Part::Star);
                    general = true;
                }
                '?' => {
                    parts.push(Part::One);
                    general = true;
                }
                '\\' => {
                    general = true;
                    parts.push(Part::Literal(chars.next().unwrap_or('\\')));
                }
                '[' => {
                    general = true;
                    parts.push(glob::class(&mut chars).unwrap_or(Part::Literal('[')));
                }
                c => parts.push(Part::Literal(c)),
            }
            first = false;
        }
        if general { Self::Parts(parts) } else { kind }
    }
}

/// Go's `path.Clean`.
pub(super) fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|p| *p != "..") => {
                parts.pop();
            }
            ".." if rooted => {}
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    match (rooted, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    }
}

#[cfg(test)]
mod tests {
    use super::Ignore;

    #[track_caller]
    fn check(file: &str, excluded: &[&str], kept: &[&str]) {
        let ignore = Ignore::parse(file);
        for path in excluded {
            assert!(ignore.excludes(path), "{path} should be excluded by {file:?}");
        }
        for path in kept {
            assert!(!ignore.excludes(path), "{path} should be kept by {file:?}");
        }
    }

    #[test]
    fn anchored_at_the_root() {
        check("foo\n", &["foo", "foo/bar", "foo/bar/baz"], &["a/foo", "foobar"]);
        check("/foo", &["foo"], &["a/foo"]);
        check("foo/", &["foo", "foo/bar"], &["a/foo"]);
        check("./a/../b", &["b"], &["a"]);
        check("*.md", &["README.md"], &["docs/README.md"]);
        check("*/temp*", &["a/temporary.txt", "a/temp"], &["temp", "a/b/temp"]);
    }

    #[test]
    fn double_stars() {
        check("**/node_modules", &["node_modules", "a/node_modules/x", "a/b/node_modules"], &["a/node_modules.txt"]);
        check("**/*.pyc", &["a.pyc", "a/b.pyc", "a/b/c.pyc"], &["a.py"]);
        check("**", &["a", "a/b"], &[]);
        check("dir/**", &["dir/a", "dir/a/b"], &["dir", "dirx"]);
        check("a/**/b", &["a/b", "a/x/b", "a/x/y/b"], &["a/xb"]);
        check("**/foo/bar", &["foo/bar", "x/foo/bar"], &["foo"]);
        check("abc.def/**", &["abc.def/x"], &["abcxdef/x"]);
        check("**/.git*", &[".git", "a/.gitignore", ".github/x"], &["git"]);
        // A suffix without a slash is compared with the end of the path.
        check("**file", &["file", "dir/file", "afile"], &["files"]);
    }

    #[test]
    fn order_of_exceptions() {
        check("*.md\n!README.md", &["other.md"], &["README.md"]);
        check("!README.md\n*.md", &["README.md"], &[]);
        check("*\n!src\n!package.json", &["lib", "lib/a"], &["src/a", "src", "package.json"]);
        check("*\n!src\nsrc/secret", &["src/secret", "src/secret/a"], &["src/a"]);
        check("*\n!dir/file", &["dir", "dir/other"], &["dir/file"]);
        check("**\n!a/b.txt", &["a/c.txt"], &["a/b.txt"]);
    }

    #[test]
    fn comments_blanks_and_byte_order_marks() {
        check("\u{feff}foo\r\n# bar\n  baz  \n\n ! foo/x \n", &["foo", "baz", "foo/y"], &["bar", "foo/x"]);
        check(" # not a comment", &["# not a comment"], &[]);
        check("!\n", &[], &["a"]);
    }

    #[test]
    fn classes_and_escapes() {
        check("[ab].txt", &["a.txt", "b.txt"], &["c.txt"]);
        check("[^ab].txt", &["c.txt"], &["a.txt"]);
        check("a\\*b", &["a*b"], &["axb"]);
        check("?at", &["cat"], &["at", "c/at"]);
        check("a+b(c)|d", &["a+b(c)|d"], &["aab"]);
    }
}
