//! What a recipe proposes for a file.

use super::{Action, Recipe};
use crate::edit::Edit;
use crate::model::command::{Action as Does, Classified, Operation};
use crate::model::{Base, Model, Step};
use crate::source::Span;
use crate::syntax::{Keyword, Pair, View};
use crate::transforms::{Findings, Proposal, Refusal};

impl Recipe {
    /// What it would change in this file, and what it can't.
    #[must_use]
    pub fn find(&self, model: &Model) -> Findings {
        let mut out = Findings::default();
        if let Action::Labels(labels) = &self.action {
            self.label(model, labels, &mut out);
            return out;
        }
        let last = model.stages.len().checked_sub(1);
        for step in &model.steps {
            if self.means(step, model) && (!self.matches.final_stage || step.stage == last) {
                match self.edits(step, model) {
                    Ok(edits) if edits.is_empty() => {}
                    Ok(edits) => out.proposals.push(self.proposal(step.line, edits)),
                    Err(reason) => out.refusals.push(Refusal { reason, line: step.line }),
                }
            }
        }
        out
    }

    fn proposal(&self, line: usize, edits: Vec<Edit>) -> Proposal {
        Proposal {
            level: self.level,
            title: self.transform.summary.to_owned(),
            reason: self.reason.clone(),
            line,
            declares: self.transform.may_change.to_vec(),
            edits,
        }
    }

    /// Whether all conditions hold for an instruction.
    fn means(&self, step: &Step, model: &Model) -> bool {
        let wanted = &self.matches;
        let keyword = |k: &str| step.keyword.name().eq_ignore_ascii_case(k);
        let has = |pairs: &[Pair], name: &str| pairs.iter().any(|p| unquoted(&p.name.text) == name);
        wanted.instruction.as_deref().is_none_or(keyword)
            && wanted.image.as_ref().is_none_or(|pattern| image(step, model).is_some_and(|(text, _)| pattern.is_match(&text)))
            && wanted.package.as_deref().is_none_or(|name| installs(step).any(|(c, i)| package_at(c, i).is_some_and(|p| p == name)))
            && wanted.flag.as_deref().is_none_or(|flag| {
                let (name, value) = flag.split_once('=').map_or((flag, None), |(n, v)| (n, Some(v)));
                step.reading.flags.iter().any(|f| f.name == name && value.is_none_or(|v| f.value.as_deref() == Some(v)))
            })
            && wanted.label.as_deref().is_none_or(|name| matches!(&step.view, View::Label { pairs, .. } if has(pairs, name)))
            && wanted.env.as_deref().is_none_or(|name| matches!(&step.view, View::Env { pairs, .. } if has(pairs, name)))
    }

    fn edits(&self, step: &Step, model: &Model) -> Result<Vec<Edit>, String> {
        match &self.action {
            Action::Image(template) => {
                let (Some((text, span)), Some(pattern)) = (image(step, model), &self.matches.image) else { return Ok(Vec::new()) };
                let new = pattern.replace(&text, template.as_str()).into_owned();
                Ok(if new == text { Vec::new() } else { vec![Edit::replace(span, new)] })
            }
            Action::Package(new) => self.packages(step, new.as_deref()),
            Action::Insert { text, behind } => Ok(self.insertion(step, model, text, *behind)),
            Action::Remove => Ok(vec![Edit::delete(step.span)]),
            Action::Labels(_) => Ok(Vec::new()),
        }
    }

    /// Renames a package or leaves it out.
    fn packages(&self, step: &Step, new: Option<&str>) -> Result<Vec<Edit>, String> {
        let mut edits = Vec::new();
        for (command, index) in installs(step) {
            let name = package_at(command, index);
            if name.as_deref() != self.matches.package.as_deref() {
                continue;
            }
            let (Some(word), Some(before)) = (command.words.get(index), command.words.get(index.wrapping_sub(1))) else { continue };
            match new {
                Some(new) => {
                    let written = word.literal.clone().unwrap_or_default();
                    let version = written.get(name.map_or(0, |n| n.len())..).unwrap_or_default();
                    if !version.is_empty() && new != self.matches.package.as_deref().unwrap_or_default() {
                        return Err(format!("`{written}` is fixed to a version that `{new}` may not have; change it by hand"));
                    }
                    edits.push(Edit::replace(word.span, new));
                }
                None if installs(step).filter(|(c, _)| std::ptr::eq(*c, command)).count() == 1 => {
                    return Err("the command installs nothing else, so it can't do without the package".to_owned());
                }
                None => edits.push(Edit::delete(Span::new(before.span.end, word.span.end))),
            }
        }
        Ok(edits)
    }

    /// Lines before or behind an instruction, unless they stand there.
    fn insertion(&self, step: &Step, model: &Model, text: &str, behind: bool) -> Vec<Edit> {
        let source = model.file.source();
        let end = if source.contains("\r\n") { "\r\n" } else { "\n" };
        let text = text.lines().collect::<Vec<_>>().join(end);
        let there = if behind {
            let rest = source.get(step.span.end..).unwrap_or("");
            rest.trim_start().starts_with(&text)
        } else {
            source.get(..step.span.start).unwrap_or("").trim_end().ends_with(&text)
        };
        if there {
            return Vec::new();
        }
        if behind {
            let open = !step.span.text(source).ends_with('\n');
            let new = if open { format!("{end}{text}") } else { format!("{text}{end}") };
            return vec![Edit::insert(step.span.end, new)];
        }
        vec![Edit::insert(step.span.start, format!("{text}{end}"))]
    }

    /// Adds the labels that the last stage does not have.
    fn label(&self, model: &Model, labels: &[(String, String)], out: &mut Findings) {
        let Some(stage) = model.stages.last() else { return };
        let steps = model.steps.get(stage.steps.clone()).unwrap_or_default();
        if !steps.iter().any(|s| self.means(s, model)) {
            return;
        }
        let has = |name: &str| {
            steps.iter().any(|s| matches!(&s.view, View::Label { pairs, .. } if pairs.iter().any(|p| unquoted(&p.name.text) == name)))
        };
        let missing: Vec<String> = labels
            .iter()
            .filter(|(name, _)| !has(name))
            .map(|(name, value)| format!("{name}=\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"")))
            .collect();
        let Some(place) = steps.iter().rev().find(|s| matches!(s.keyword, Keyword::Label | Keyword::From)) else { return };
        if missing.is_empty() {
            return;
        }
        // Values may change with each build, so labels stand last, where they make no cache stale.
        let place = if place.keyword == Keyword::Label { place } else { steps.last().unwrap_or(place) };
        let edits = self.insertion(place, model, &format!("LABEL {}", missing.join(" \\\n      ")), true);
        out.proposals.push(self.proposal(place.line, edits));
    }
}

/// The image that an instruction names, with its place; a stage is none.
fn image(step: &Step, model: &Model) -> Option<(String, Span)> {
    let View::From { image, .. } = &step.view else { return None };
    let stage = model.stages.get(step.stage?)?;
    matches!(stage.base, Base::Image(_)).then(|| (image.text.clone(), image.span))
}

/// The words of commands that install system packages.
fn installs(step: &Step) -> impl Iterator<Item = (&Classified, usize)> {
    let facts = step.run.as_ref().filter(|r| r.script.is_some());
    facts.into_iter().flat_map(|f| &f.commands).flat_map(|command| {
        let packages = match &command.action {
            Does::System { operation: Operation::Install, packages, .. } => packages.as_slice(),
            _ => &[],
        };
        (0..command.words.len())
            .filter(move |i| command.words.get(*i).is_some_and(|w| packages.iter().any(|p| p.span == w.span)))
            .map(move |i| (command, i))
    })
}

/// The name of the package at a word, without its version.
fn package_at(command: &Classified, index: usize) -> Option<String> {
    let word = command.words.get(index)?.literal.as_deref()?;
    Some(word.split(['=', '<', '>', '~', ':']).next().unwrap_or(word).to_owned())
}

fn unquoted(text: &str) -> &str {
    text.trim_matches(['"', '\''])
}
