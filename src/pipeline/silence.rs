//! `# restage: ignore[id] reason`: comments that keep transforms away from an instruction, or from the file.

use crate::edit::Edit;
use crate::source::Span;
use crate::syntax::{Dockerfile, ItemKind};

/// The comments of one file.
#[derive(Clone, Debug, Default)]
pub struct Silences {
    all: Vec<Silence>,
}

/// One such comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silence {
    /// The ids, groups or `all` that it names; empty means all.
    pub names: Vec<String>,
    /// What it silences; `None` for the whole file.
    target: Option<Span>,
    /// The line of the comment.
    pub line: usize,
}

impl Silences {
    /// Whether `source` can hold any: a look that needs no tree.
    #[must_use]
    pub fn may_be_in(source: &str) -> bool {
        source.contains("restage:")
    }

    /// Finds them: above an instruction or among its lines they mean that instruction; above the first one, the file.
    #[must_use]
    pub fn of(file: &Dockerfile) -> Self {
        let source = file.source();
        let mut all: Vec<Silence> = Vec::new();
        if !Self::may_be_in(source) {
            return Self::default();
        }
        let mut waiting: Vec<(Vec<String>, usize)> = Vec::new();
        let mut seen_instruction = false;
        for item in &file.items {
            match &item.kind {
                ItemKind::Comment => waiting.extend(comment(item.span.text(source)).map(|names| (names, item.start_line))),
                ItemKind::Instruction(instruction) => {
                    let inside = instruction.body.text(source).lines().filter_map(comment).map(|names| (names, item.start_line));
                    let target = seen_instruction.then_some(item.span);
                    all.extend(waiting.drain(..).map(|(names, line)| Silence { names, target, line }));
                    all.extend(inside.map(|(names, line)| Silence { names, target: Some(item.span), line }));
                    seen_instruction = true;
                }
                ItemKind::Blank if seen_instruction => waiting.clear(),
                _ => {}
            }
        }
        Self { all }
    }

    /// All of them, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &Silence> {
        self.all.iter()
    }

    /// The comment that keeps `transform` (of `group`) from a change that starts at `line` and makes these edits.
    #[must_use]
    pub fn against(&self, transform: &str, group: &str, at: usize, edits: &[Edit]) -> Option<&Silence> {
        self.all.iter().find(|s| {
            (s.names.is_empty() || s.names.iter().any(|n| n == transform || n == group || n == "all"))
                && s.target.is_none_or(|t| {
                    t.contains(at)
                        || edits.iter().any(|e| {
                            e.path.is_none()
                                && e.span.start < t.end
                                && e.span.end > t.start
                                && (!e.span.is_empty() || e.span.start > t.start)
                        })
                })
        })
    }
}

/// The names in a comment `# restage: ignore[a, b] reason`.
fn comment(line: &str) -> Option<Vec<String>> {
    let rest = line.trim_start().strip_prefix('#')?.trim_start().strip_prefix("restage:")?.trim_start().strip_prefix("ignore")?;
    match rest.strip_prefix('[') {
        Some(list) => Some(list.split_once(']')?.0.split(',').map(|n| n.trim().to_owned()).filter(|n| !n.is_empty()).collect()),
        None if rest.is_empty() || rest.starts_with(char::is_whitespace) => Some(Vec::new()),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_names_and_ignores_other_comments() {
        assert_eq!(comment("# restage: ignore[merge-run, non-root] because"), Some(vec!["merge-run".into(), "non-root".into()]));
        assert_eq!(comment("  #restage:ignore\r"), Some(vec![]));
        assert_eq!(comment("# restage: ignored things"), None);
        assert_eq!(comment("# restage is ignored"), None);
    }

    #[test]
    fn above_an_instruction_it_means_that_one_and_at_the_top_the_file() {
        let file = Dockerfile::parse("FROM a\n# restage: ignore[x] why\nRUN b\nRUN c\n");
        let s = Silences::of(&file);
        let edit = |start, end| [Edit::delete(Span::new(start, end))];
        assert!(s.against("x", "g", 0, &edit(36, 38)).is_some());
        assert!(s.against("y", "g", 0, &edit(36, 38)).is_none());
        assert!(s.against("x", "g", 0, &edit(41, 44)).is_none());
        let file = Dockerfile::parse("# restage: ignore[x] why\n\nFROM a\nRUN b\n");
        assert!(Silences::of(&file).against("x", "g", 0, &[]).is_some());
    }
}
