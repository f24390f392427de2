//! Runs the selected transforms over one file, in the order of the one list.
//!
//! After every change the text is parsed again, so each transform sees a valid tree. A transform runs until it proposes
//! nothing more, and the list runs until a whole round changes nothing: then a second run over the result proposes
//! nothing either. What the gate ([`crate::gate`]) does not let through is dropped and reported.

mod named_lines;
mod selection;
mod silence;

pub use selection::{Selection, UnknownName, nearest};
pub use silence::Silences;

use crate::catalog::Catalog;
use crate::config::Options;
use crate::context::Context;
use crate::edit::{Edit, EditSet, History};
use crate::gate;
use crate::model::Model;
use crate::recipe::Recipe;
use crate::source::Span;
use crate::syntax::Dockerfile;
use crate::transforms::{Findings, Level, Proposal, Transform};
use named_lines::renumbered;
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// How often the whole list is run before whatever goes on proposing is switched off.
const ROUNDS: usize = 5;
/// How often one transform is run in a row.
const PASSES: usize = 20;

/// What a run needs besides the file and its context.
#[derive(Clone, Copy, Debug)]
pub struct Settings<'a> {
    /// The list, in order.
    pub transforms: &'static [Transform],
    /// The user's own, which run before them.
    pub recipes: &'a [Recipe],
    /// Which of them run.
    pub selection: &'a Selection,
    /// Their options.
    pub options: &'a Options,
    /// What is known of the world.
    pub catalog: &'a Catalog,
}

/// What became of one file.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The new text.
    pub text: String,
    /// Changes that were made, and suggestions that were not.
    pub proposals: Vec<Finding>,
    /// What was left alone, and why.
    pub refusals: Vec<Refused>,
    /// Edits of other files, relative to the root of the context.
    pub others: Vec<Edit>,
    /// What is odd about the file's own comments for restage: a line and a sentence.
    pub notes: Vec<(usize, String)>,
}

impl Outcome {
    /// The ignore file of the context with what is changed in it; `None` where nothing is.
    #[must_use]
    pub fn ignore_file(&self, context: &Context) -> Option<String> {
        ignore_file(context, self.others.iter())
    }
}

/// The text of the ignore file of `context` with those of `edits` that are meant for it; `None` where there are none.
fn ignore_file<'e>(context: &Context, edits: impl Iterator<Item = &'e Edit>) -> Option<String> {
    let name = context.ignore_path().unwrap_or(".dockerignore");
    let own: Vec<Edit> = edits.filter(|e| e.path.as_deref() == Some(name)).cloned().collect();
    if own.is_empty() {
        return None;
    }
    EditSet::new(own).ok()?.apply(context.ignore_text().unwrap_or_default()).ok()
}

/// A proposal in terms of the original file.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The transform's id.
    pub transform: &'static str,
    /// How far it can be trusted.
    pub level: Level,
    /// What is done.
    pub title: String,
    /// Why.
    pub reason: String,
    /// The line in the original file, from 1.
    pub line: usize,
    /// Proposals of one group can only be taken together; their edits stand with the first of them.
    pub group: usize,
    /// Configuration keys that it changes on purpose.
    pub declares: Vec<&'static str>,
    /// The edits, in offsets of the original file.
    pub edits: Vec<Edit>,
    /// Whether the new text has it; suggestions are only shown.
    pub applied: bool,
}

/// A refusal in terms of the original file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Refused {
    /// The line in the original file, from 1.
    pub line: usize,
    /// The transform's id.
    pub transform: &'static str,
    /// The reason.
    pub reason: String,
    /// Whether it is a failure of ours: the gate held a proposal back.
    pub bug: bool,
}

/// Runs the selected transforms over `source`.
#[must_use]
pub fn run(source: &str, context: &Context, settings: Settings) -> Outcome {
    let file = Dockerfile::parse(source);
    run_over(&Model::new(&file, context, settings.catalog, settings.options), settings)
}

/// The same for a text whose model is there already.
#[must_use]
pub fn run_over(model: &Model, settings: Settings) -> Outcome {
    let mut barred: Vec<Refused> = Vec::new();
    loop {
        let mut run = Run::new(model.file.source(), model.context, settings, barred.iter().map(|b| b.transform).collect());
        match run.run_out(model) {
            Ok(()) => return run.outcome(barred),
            Err(transform) => barred.push(Refused {
                line: 1,
                transform,
                reason: "never comes to an end: its result is proposed to be changed again; this is a bug in restage, please report it"
                    .to_owned(),
                bug: true,
            }),
        }
    }
}

/// One run over one file.
struct Run<'a> {
    context: &'a Context,
    /// The context with the ignore file that a proposal changes, and the number of that proposal.
    amended: Option<(Rc<Context>, usize)>,
    settings: Settings<'a>,
    barred: BTreeSet<&'static str>,
    history: History,
    accepted: Vec<Accepted>,
    suggested: Vec<Accepted>,
    /// Edits of other files, with the proposals that want them.
    others: Vec<(usize, Edit)>,
    refusals: BTreeSet<Refused>,
    /// What the gate has held back, so that it is not tried again.
    dropped: BTreeSet<(&'static str, usize, String)>,
    /// The transforms whose refusals are in.
    heard: BTreeSet<&'static str>,
    /// The lines of the comments that kept something away, in the original file.
    silencing: BTreeSet<usize>,
    /// The model of the current text with its facts, where letting the last change through has made them.
    current: Option<(Model<'a>, gate::Facts)>,
}

/// A proposal that was let through, with its place in the original file.
struct Accepted {
    transform: &'static str,
    proposal: Proposal,
    line: usize,
    /// Whether it holds only over the changed ignore file.
    relies: bool,
}

/// A text that the gate lets through.
struct Attempt<'a> {
    history: History,
    /// Its model, where that does not hang on a changed ignore file.
    current: Option<(Model<'a>, gate::Facts)>,
}

impl<'a> Run<'a> {
    fn new(source: &str, context: &'a Context, settings: Settings<'a>, barred: BTreeSet<&'static str>) -> Self {
        Self {
            context,
            amended: None,
            settings,
            barred,
            history: History::new(source),
            accepted: Vec::new(),
            suggested: Vec::new(),
            others: Vec::new(),
            refusals: BTreeSet::new(),
            dropped: BTreeSet::new(),
            heard: BTreeSet::new(),
            silencing: BTreeSet::new(),
            current: None,
        }
    }

    /// Runs the list in rounds until every transform has seen the final text; the id of one that never ends is the error.
    fn run_out(&mut self, original: &Model) -> Result<(), &'static str> {
        let settings = self.settings;
        let list: Vec<&'static Transform> = settings
            .recipes
            .iter()
            .map(|r| r.transform)
            .chain(settings.transforms)
            .filter(|t| settings.selection.runs(t.id) && !self.barred.contains(t.id))
            .collect();
        let (mut quiet, mut passes) = (0, 0);
        let mut turns = (0..ROUNDS).flat_map(|_| list.iter().copied()).peekable();
        while quiet < list.len() {
            let (made, renewed);
            let amended = self.amended.as_ref().map(|(context, _)| Rc::clone(context));
            let facts = OnceCell::new();
            let model = if let Some((model, known)) = self.current.take().filter(|_| amended.is_none()) {
                let _ = facts.set(known);
                made = model;
                &made
            } else if self.history.is_changed() || amended.is_some() {
                let changed = Dockerfile::parse(self.history.text());
                let context = amended.as_deref().unwrap_or(self.context);
                renewed = Model::owning(changed, context, settings.catalog, settings.options);
                &renewed
            } else {
                original
            };
            let silences = Silences::of(&model.file);
            while quiet < list.len() {
                let Some(transform) = turns.peek().copied() else {
                    return Err(self.accepted.last().map_or("", |a| a.transform));
                };
                let recipe = settings.recipes.iter().find(|r| std::ptr::eq(r.transform, transform));
                let findings = recipe.map_or_else(|| (transform.run)(model), |r| r.find(model));
                if self.take(transform, findings, model, &facts, &silences) {
                    (quiet, passes) = (0, passes + 1);
                    if passes > PASSES {
                        return Err(transform.id);
                    }
                    break;
                }
                quiet += 1;
                passes = 0;
                turns.next();
            }
        }
        Ok(())
    }

    /// Takes what may be taken of a transform's findings. Whether the text has changed.
    fn take(
        &mut self,
        transform: &'static Transform,
        findings: Findings,
        model: &Model,
        facts: &OnceCell<gate::Facts>,
        silences: &Silences,
    ) -> bool {
        let first = self.heard.insert(transform.id);
        let mut wanted = Vec::new();
        let plain = self.without_amendment(transform, model, &findings);
        for mut proposal in findings.proposals {
            let at = model.file.lines().start(proposal.line);
            let line = self.original_line(model, proposal.line);
            proposal.title = self.original_words(model, proposal.title);
            proposal.reason = self.original_words(model, proposal.reason);
            if let Some(silence) = silences.against(transform.id, transform.group.name(), at, &proposal.edits) {
                let comment = self.original_line(model, silence.line);
                self.silencing.insert(comment);
                let reason = format!("silenced by the comment in line {comment}: {}", proposal.title);
                self.refusals.insert(Refused { line, transform: transform.id, reason, bug: false });
            } else if self.dropped.contains(&(transform.id, line, proposal.title.clone())) || self.is_done(&proposal) {
            } else if self.settings.selection.applies(transform.id, proposal.level) {
                let relies = plain.as_ref().is_some_and(|p| !p.iter().any(|p| p.edits == proposal.edits));
                wanted.push(Accepted { transform: transform.id, proposal, line, relies });
            } else if proposal.level == Level::Suggest && first {
                self.suggested.push(self.suggestion(transform.id, proposal, line));
            }
        }
        if first {
            for refusal in findings.refusals {
                let at = model.file.lines().start(refusal.line);
                let silence = silences.against(transform.id, transform.group.name(), at, &[]);
                self.silencing.extend(silence.map(|s| self.original_line(model, s.line)));
                if silence.is_none() || transform.id == "multi-stage" {
                    let line = self.original_line(model, refusal.line);
                    let reason = self.original_words(model, refusal.reason);
                    self.refusals.insert(Refused { line, transform: transform.id, reason, bug: false });
                }
            }
        }
        !wanted.is_empty() && self.admit(transform, wanted, facts.get_or_init(|| gate::Facts::of(model)))
    }

    /// What a transform proposes over the ignore file as it is on disk, where an earlier proposal changes that.
    fn without_amendment(&self, transform: &Transform, model: &Model, findings: &Findings) -> Option<Vec<Proposal>> {
        if self.amended.is_none()
            || findings.proposals.is_empty()
            || self.settings.recipes.iter().any(|r| std::ptr::eq(r.transform, transform))
        {
            return None;
        }
        Some((transform.run)(&Model::new(&model.file, self.context, self.settings.catalog, self.settings.options)).proposals)
    }

    /// Lets proposals through the gate: together where that holds, else one by one.
    fn admit(&mut self, transform: &'static Transform, wanted: Vec<Accepted>, before: &gate::Facts) -> bool {
        let together: Vec<&Accepted> = wanted.iter().collect();
        if let Ok(attempt) = self.attempt(transform, &together, before) {
            self.go_on_from(attempt);
            wanted.into_iter().for_each(|a| self.accept(a));
            return true;
        }
        // Offsets hold for the first of them only, so the others get their turn in the next pass.
        for one in wanted {
            match self.attempt(transform, &[&one], before) {
                Ok(attempt) => {
                    self.go_on_from(attempt);
                    self.accept(one);
                    return true;
                }
                Err(reason) => {
                    self.dropped.insert((one.transform, one.line, one.proposal.title.clone()));
                    let reason =
                        format!("{} was left out because {reason}; this is a bug in restage, please report it", one.proposal.title);
                    self.refusals.insert(Refused { line: one.line, transform: one.transform, reason, bug: true });
                }
            }
        }
        false
    }

    fn go_on_from(&mut self, attempt: Attempt<'a>) {
        self.history = attempt.history;
        self.current = attempt.current;
    }

    /// What comes of these proposals, if the gate lets the text through.
    fn attempt(&self, transform: &'static Transform, wanted: &[&Accepted], before: &gate::Facts) -> Result<Attempt<'a>, String> {
        let number = self.accepted.len();
        let edits: Vec<(usize, Edit)> = wanted
            .iter()
            .enumerate()
            .flat_map(|(i, a)| a.proposal.edits.iter().filter(|e| e.path.is_none()).map(move |e| (number + i, e.clone())))
            .collect();
        let mut history = self.history.clone();
        history.apply(&edits).map_err(|e| e.to_string())?;
        let declares: BTreeSet<&str> = wanted.iter().flat_map(|a| a.proposal.declares.iter().copied()).collect();
        if let Some(key) = declares.iter().find(|k| !transform.may_change.contains(k)) {
            return Err(format!("it declares to change {key}, which {} never does", transform.id));
        }
        let file = Dockerfile::parse(history.text());
        let check = |facts: &gate::Facts| gate::check(before, facts, self.history.original(), &declares);
        let current = if let Some((context, _)) = &self.amended {
            check(&gate::Facts::of(&Model::owning(file, context, self.settings.catalog, self.settings.options)))?;
            None
        } else {
            let model = Model::owning(file, self.context, self.settings.catalog, self.settings.options);
            let facts = gate::Facts::of(&model);
            check(&facts)?;
            Some((model, facts))
        };
        Ok(Attempt { history, current })
    }

    fn accept(&mut self, accepted: Accepted) {
        let number = self.accepted.len();
        self.others.extend(accepted.proposal.edits.iter().filter(|e| e.path.is_some()).map(|e| (number, e.clone())));
        self.accepted.push(accepted);
        if self.others.last().is_some_and(|(owner, _)| *owner == number)
            && let Some(text) = ignore_file(self.context, self.others.iter().map(|(_, e)| e))
        {
            let first = self.amended.as_ref().map_or(number, |(_, first)| *first);
            self.amended = Some((Rc::new(self.context.with_ignore(&text)), first));
        }
    }

    /// Whether nothing is left to do of a proposal: it changes nothing, or only other files that get this very edit already.
    fn is_done(&self, proposal: &Proposal) -> bool {
        proposal.edits.iter().all(|e| match e.path {
            None => e.is_idle(self.history.text()),
            Some(_) => self.others.iter().any(|(_, o)| o == e),
        })
    }

    /// A suggestion with its edits in offsets of the original; those within what other proposals changed are left out.
    fn suggestion(&self, transform: &'static str, mut proposal: Proposal, line: usize) -> Accepted {
        for edit in proposal.edits.iter_mut().filter(|e| e.path.is_none()) {
            edit.span = Span::new(self.history.origin(edit.span.start), self.history.origin(edit.span.end));
        }
        Accepted { transform, proposal, line, relies: false }
    }

    /// The line of the original file from which a line of the current text comes.
    fn original_line(&self, model: &Model, line: usize) -> usize {
        if !self.history.is_changed() {
            return line.max(1);
        }
        let offset = self.history.origin(model.file.lines().start(line));
        self.history.original().bytes().take(offset).filter(|b| *b == b'\n').count() + 1
    }

    /// A title or a reason with the lines of the original file in place of those of the current text.
    fn original_words(&self, model: &Model, words: String) -> String {
        if self.history.is_changed() { renumbered(&words, |line| self.original_line(model, line)) } else { words }
    }

    /// The comments that keep nothing away, and those that name what does not exist. One that names a transform that did not
    /// run may well be needed in another run.
    fn notes(&self) -> Vec<(usize, String)> {
        let mut notes = Vec::new();
        if !Silences::may_be_in(self.history.original()) {
            return notes;
        }
        let file = Dockerfile::parse(self.history.original());
        for silence in Silences::of(&file).iter() {
            let mut all_ran = true;
            for name in &silence.names {
                match selection::members(self.settings.transforms, self.settings.recipes, name) {
                    Ok(ids) => all_ran &= ids.iter().all(|id| self.settings.selection.runs(id)),
                    Err(e) => {
                        notes.push((silence.line, e.to_string()));
                        all_ran = false;
                    }
                }
            }
            let everything = silence.names.is_empty() && self.settings.transforms.iter().all(|t| self.settings.selection.runs(t.id));
            if all_ran && (everything || !silence.names.is_empty()) && !self.silencing.contains(&silence.line) {
                notes.push((silence.line, "this comment keeps nothing away; it can go".to_owned()));
            }
        }
        notes
    }

    fn outcome(self, barred: Vec<Refused>) -> Outcome {
        let mut edits: BTreeMap<usize, Vec<Edit>> = BTreeMap::new();
        let mut groups: Vec<usize> = (0..self.accepted.len()).collect();
        for change in self.history.composed() {
            let Some(first) = change.owners.first().copied() else { continue };
            for owner in &change.owners {
                join(&mut groups, first, *owner);
            }
            edits.entry(first).or_default().push(Edit::replace(change.origin, change.text));
        }
        if let Some((_, first)) = &self.amended {
            for (number, _) in self.accepted.iter().enumerate().filter(|(_, a)| a.relies) {
                join(&mut groups, *first, number);
            }
        }
        let mut others: Vec<Edit> = Vec::new();
        for (owner, edit) in &self.others {
            edits.entry(*owner).or_default().push(edit.clone());
            if !others.contains(edit) {
                others.push(edit.clone());
            }
        }
        let applied = self.accepted.len();
        let notes = self.notes();
        let proposals = self
            .accepted
            .into_iter()
            .enumerate()
            .map(|(i, a)| (i, a, edits.remove(&i).unwrap_or_default(), true))
            .chain(self.suggested.into_iter().enumerate().map(|(i, a)| {
                let edits = a.proposal.edits.clone();
                (applied + i, a, edits, false)
            }))
            .map(|(i, a, edits, applied)| Finding {
                transform: a.transform,
                level: a.proposal.level,
                title: a.proposal.title,
                reason: a.proposal.reason,
                line: a.line,
                group: groups.get(i).copied().unwrap_or(i),
                declares: a.proposal.declares,
                edits,
                applied,
            })
            .collect();
        let mut refusals: Vec<Refused> = self.refusals.into_iter().collect();
        refusals.extend(barred);
        Outcome { text: self.history.text().to_owned(), proposals, refusals, others, notes }
    }
}

/// Gives both proposals one group, the lower number.
fn join(groups: &mut [usize], a: usize, b: usize) {
    let of = |groups: &[usize], i: usize| groups.get(i).copied().unwrap_or(i);
    let (a, b) = (of(groups, a), of(groups, b));
    let (low, high) = (a.min(b), a.max(b));
    for group in groups.iter_mut().filter(|g| **g == high) {
        *group = low;
    }
}

#[cfg(test)]
mod tests;
