//! The final image seen from its end: the chain of stages that it is made of, and where its files come from.

use crate::model::image::{Image, ImageFacts};
use crate::model::{Base, Model, Stage, State, Step, Value};
use crate::syntax::{Keyword, View};

use super::project::Project;

/// The final stage with the stages that it starts from.
#[derive(Debug)]
pub struct Subject<'m, 'a> {
    /// The model.
    pub model: &'m Model<'a>,
    /// The stages from the one that starts from an image up to the final one.
    pub chain: Vec<usize>,
    /// The build context.
    pub project: Project<'m>,
}

/// Where a file of the image comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A path of the build context, brought by the step of that index (in the final chain).
    Context(String, usize),
    /// A heredoc of COPY: the bytes are in the Dockerfile.
    Heredoc(String, usize),
    /// Brought from a stage or an image, but what it is there is not known to come from the context.
    Other(usize),
}

impl<'m, 'a> Subject<'m, 'a> {
    /// The subject of a file; `None` for a file without stages.
    pub fn of(model: &'m Model<'a>) -> Option<Self> {
        let mut at = model.stages.len().checked_sub(1)?;
        let mut chain = vec![at];
        while let Base::Stage(parent) = model.stages.get(at)?.base {
            if parent >= at {
                break;
            }
            chain.push(parent);
            at = parent;
        }
        chain.reverse();
        Some(Self { model, chain, project: Project::new(model.context) })
    }

    /// The final stage.
    pub fn stage(&self) -> Option<&'m Stage> {
        self.model.stages.last()
    }

    /// The steps of the whole chain with their indices, in the order in which they run.
    pub fn steps(&self) -> impl DoubleEndedIterator<Item = (usize, &'m Step)> + '_ {
        self.chain.iter().filter_map(|s| self.model.stages.get(*s)).flat_map(|s| steps_of(self.model, s))
    }

    /// The steps of the final stage alone.
    pub fn own_steps(&self) -> impl DoubleEndedIterator<Item = (usize, &'m Step)> + '_ {
        self.stage().into_iter().flat_map(|s| steps_of(self.model, s))
    }

    /// The line of the final FROM.
    pub fn line(&self) -> usize {
        self.own_steps().next().map_or(1, |(_, s)| s.line)
    }

    /// What the chain starts from.
    pub fn base(&self) -> Option<&'m Base> {
        self.chain.first().and_then(|s| self.model.stages.get(*s)).map(|s| &s.base)
    }

    /// The image that the chain starts from.
    pub fn image(&self) -> Option<&'m Image> {
        match self.base()? {
            Base::Image(image) => Some(image),
            _ => None,
        }
    }

    /// What the catalog knows of it.
    pub fn facts(&self) -> Option<&'m ImageFacts> {
        self.image()?.facts.as_ref()
    }

    /// The working directory at the end; `None` where it is unknown.
    pub fn workdir(&self) -> Option<String> {
        Some(normal(self.stage()?.end.workdir.as_deref()?))
    }

    /// The last step of the chain with that keyword.
    pub fn last(&self, keyword: Keyword) -> Option<&'m Step> {
        self.steps().rev().map(|(_, s)| s).find(|s| s.keyword == keyword)
    }

    /// Where the file `path` of the final image comes from.
    pub fn origin(&self, path: &str) -> Option<Origin> {
        self.steps().rev().find_map(|(i, step)| self.origin_in(step, i, path, 0))
    }

    fn origin_in(&self, step: &Step, index: usize, path: &str, depth: usize) -> Option<Origin> {
        let View::Copy { from, sources, destination, .. } = &step.view else { return None };
        let written = resolve(&destination.text, &step.before)?;
        let target = absolute(&written, step.before.workdir.as_deref())?;
        for doc in self.model.file.instruction(step.item).map(|i| i.heredocs.as_slice()).unwrap_or_default() {
            if join(&target, &doc.name) == path || (target == path && sources.is_empty()) {
                return Some(Origin::Heredoc(doc.content.text(self.model.file.source()).to_owned(), index));
            }
        }
        let folder = written.ends_with('/') || sources.len() > 1 || matches!(written.as_str(), "." | "..");
        for source in sources {
            let Some(source) = resolve(&source.text, &step.before) else { continue };
            let Some(found) = self.matching(from.is_none(), &source, &target, folder, path) else { continue };
            return Some(match from {
                None => Origin::Context(found, index),
                Some(name) => self
                    .stage_named(name, step.stage)
                    .filter(|_| depth < 16)
                    .and_then(|stage| {
                        let found = normal(&format!("/{found}"));
                        steps_of(self.model, stage).rev().find_map(|(i, s)| self.origin_in(s, i, &found, depth + 1))
                    })
                    .map_or(Origin::Other(index), |origin| match origin {
                        Origin::Context(p, _) => Origin::Context(p, index),
                        Origin::Heredoc(t, _) => Origin::Heredoc(t, index),
                        Origin::Other(_) => Origin::Other(index),
                    }),
            });
        }
        None
    }

    /// The path in the context (or in the stage, without the leading slash) that `source` puts at `path`.
    fn matching(&self, in_context: bool, source: &str, target: &str, folder: bool, path: &str) -> Option<String> {
        if source.contains("://") {
            return None;
        }
        let source = normal(&format!("/{source}"));
        let clean = source.trim_start_matches('/');
        let name = clean.rsplit('/').next().unwrap_or(clean);
        let parent = clean.rsplit_once('/').map_or("", |(p, _)| p);
        if name.contains(['*', '?', '[']) {
            let below = path.strip_prefix(&format!("{}/", target.trim_end_matches('/')))?;
            let first = below.split('/').next().unwrap_or(below);
            let glob = globset::GlobBuilder::new(name).literal_separator(true).build().ok()?.compile_matcher();
            // A directory that matches gives its contents; the first element then is one of them.
            return (glob.is_match(first) && !below.contains('/')).then(|| join(parent, below));
        }
        let is_dir = if in_context { self.project.is_dir(clean) } else { None };
        // As a directory: its contents land in the target.
        if is_dir != Some(false)
            && let Some(rest) = below(path, target)
            && (is_dir == Some(true) || clean.is_empty() || looks_like_folder(name))
        {
            return Some(join(clean, rest));
        }
        if is_dir == Some(true) {
            return None;
        }
        // As a file: named like the target, or put into it.
        let inside = join(target, name);
        if path == inside || (path == target && !folder) {
            return Some(clean.to_owned());
        }
        // A directory of a stage that looks like a file.
        let rest = below(path, target)?;
        (is_dir.is_none() && !rest.is_empty()).then(|| join(clean, rest))
    }

    fn stage_named(&self, name: &str, before: Option<usize>) -> Option<&'m Stage> {
        let lower = name.to_ascii_lowercase();
        let limit = before.unwrap_or(0);
        if let Some(found) = self.model.stages.iter().take(limit).rev().find(|s| s.name.as_deref() == Some(lower.as_str())) {
            return Some(found);
        }
        name.parse::<usize>().ok().filter(|n| *n < limit).and_then(|n| self.model.stages.get(n))
    }
}

fn steps_of<'m>(model: &'m Model, stage: &'m Stage) -> impl DoubleEndedIterator<Item = (usize, &'m Step)> {
    let range = stage.steps.clone();
    range.clone().zip(model.steps.get(range).unwrap_or_default())
}

/// A name without an ending is taken for a folder where the context does not say.
fn looks_like_folder(name: &str) -> bool {
    name.is_empty() || !name.trim_start_matches('.').contains('.')
}

/// What of `path` lies below `directory`, without a leading slash; empty for the directory itself.
pub fn below<'p>(path: &'p str, directory: &str) -> Option<&'p str> {
    if directory == "/" {
        return Some(path.trim_start_matches('/'));
    }
    let rest = path.strip_prefix(directory)?;
    if rest.is_empty() { Some("") } else { rest.strip_prefix('/') }
}

/// `a` and `b` with one slash between; either may be empty.
pub fn join(a: &str, b: &str) -> String {
    match (a, b) {
        (_, "") => a.to_owned(),
        ("", _) => b.to_owned(),
        _ => format!("{}/{}", a.trim_end_matches('/'), b),
    }
}

/// An absolute path without `.`, `..`, double and final slashes.
pub fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

/// `path` seen from `directory`; `None` where the path is relative and the directory unknown.
pub fn absolute(path: &str, directory: Option<&str>) -> Option<String> {
    if path.starts_with('/') { Some(normal(path)) } else { Some(normal(&format!("{}/{path}", directory?))) }
}

/// The path of the image that a word of `step` names; `None` where the file does not say it.
pub fn located(word: &str, step: &Step) -> Option<String> {
    absolute(&resolve(word, &step.before)?, step.before.workdir.as_deref())
}

/// The folder that a WORKDIR makes, or the place that a COPY or ADD fills, as written.
pub fn filled(step: &Step) -> Option<&str> {
    match &step.view {
        View::Workdir { path } => Some(&path.text),
        View::Copy { destination, .. } => Some(&destination.text),
        _ => None,
    }
}

/// The parent of an absolute path.
pub fn parent(path: &str) -> &str {
    match path.rsplit_once('/') {
        Some(("", _)) | None => "/",
        Some((p, _)) => p,
    }
}

/// What a word says with the variables of the file filled in; `None` where it depends on what the file does not say.
pub fn resolve(text: &str, state: &State) -> Option<String> {
    let lookup = |name: &str| -> Option<String> {
        if let Some((_, value)) = state.env.iter().rev().find(|(n, _)| n == name) {
            return match value {
                Value::Known(v) => Some(v.clone()),
                Value::Unknown => None,
            };
        }
        match state.args.iter().rev().find(|(n, _)| n == name) {
            Some((_, Some(Value::Known(v)))) => Some(v.clone()),
            _ => None,
        }
    };
    let mut out = String::new();
    let mut rest = text.chars().peekable();
    let mut quote = None;
    while let Some(c) = rest.next() {
        match c {
            '\'' | '"' if quote == Some(c) => quote = None,
            '\'' | '"' if quote.is_none() => quote = Some(c),
            '\\' if quote != Some('\'') => out.push(rest.next()?),
            '$' if quote != Some('\'') => {
                let braced = rest.next_if_eq(&'{').is_some();
                let mut name = String::new();
                while let Some(n) = rest.next_if(|n| n.is_ascii_alphanumeric() || *n == '_') {
                    name.push(n);
                }
                if braced && rest.next() != Some('}') {
                    return None;
                }
                out.push_str(&lookup(&name)?);
            }
            _ => out.push(c),
        }
    }
    quote.is_none().then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        assert_eq!(normal("/a//b/./c/../d/"), "/a/b/d");
        assert_eq!(normal("/.."), "/");
        assert_eq!(absolute("x", Some("/app")), Some("/app/x".into()));
        assert_eq!(absolute("x", None), None);
        assert_eq!(parent("/a"), "/");
        assert_eq!(parent("/a/b"), "/a");
        assert_eq!(below("/app/x/y", "/app"), Some("x/y"));
        assert_eq!(below("/apple", "/app"), None);
        assert_eq!(join("", "x"), "x");
    }

    #[test]
    fn variables() {
        let mut state = State::default();
        state.env = vec![("A".into(), Value::Known("/srv".into())), ("B".into(), Value::Unknown)];
        assert_eq!(resolve("\"$A/x\"", &state), Some("/srv/x".into()));
        assert_eq!(resolve("${A}b", &state), Some("/srvb".into()));
        assert_eq!(resolve("$B", &state), None);
        assert_eq!(resolve("${A:-x}", &state), None);
    }
}
