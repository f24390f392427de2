//! What the package-manager transforms share: which RUNs they look at, and how they add to one.

use std::collections::HashMap;

use super::style::Style;
use super::{Level, Proposal, merge_run};
use crate::edit::Edit;
use crate::model::command::{Action, Classified, Operation};
use crate::model::path::inside;
use crate::model::{Model, RunFacts, Step};
use crate::shell::{Operator, Script};
use crate::source::Span;
use crate::syntax::Keyword;

/// A RUN that was understood, with its index among the steps.
#[derive(Clone, Copy)]
pub(crate) struct Run<'m> {
    pub index: usize,
    pub step: &'m Step,
    pub facts: &'m RunFacts,
    pub script: &'m Script,
}

/// The name and the values of the setting that `bundle config` sets; `None` for another command, or where nothing is set.
/// Source: rubygems/bundler, lib/bundler/cli/config.rs.
pub(crate) fn bundler_setting<'a>(words: &[&'a str]) -> Option<(&'a str, Vec<&'a str>)> {
    let [program, rest @ ..] = words else { return None };
    let rest = rest.iter().copied().skip_while(|w| w.starts_with(['_', '-'])).collect::<Vec<_>>();
    let words = match rest.as_slice() {
        ["config", "get" | "list" | "unset", ..] => return None,
        ["config", "set", words @ ..] | ["config", words @ ..] if matches!(program.rsplit('/').next(), Some("bundle" | "bundler")) => words,
        _ => return None,
    };
    if words.contains(&"--delete") {
        return None;
    }
    let mut words = words.iter().copied().filter(|w| !matches!(*w, "--global" | "--local"));
    let name = words.next()?;
    let values: Vec<&str> = words.collect();
    (!values.is_empty()).then_some((name, values))
}

/// Whether a Gemfile.lock is for Linux, too. Where it is not, Bundler writes it anew before anything else.
/// Source: rubygems/bundler, lib/bundler/definition.rs, add_current_platform.
pub(crate) fn locked_for_linux(lock: &str) -> bool {
    let platforms = lock.lines().skip_while(|l| l.trim_end() != "PLATFORMS").skip(1).take_while(|l| !l.trim().is_empty());
    let mut any = platforms.map(str::trim).peekable();
    any.peek().is_none() || any.any(|p| p == "ruby" || p.contains("linux"))
}

/// The understood RUNs of the stages that ship, in order.
pub(crate) fn shipped_runs<'m>(model: &'m Model) -> Vec<Run<'m>> {
    let mut stages = merge_run::shipping(model);
    stages.sort_unstable();
    let steps = stages.into_iter().filter_map(|s| model.stages.get(s)).flat_map(|s| s.steps.clone());
    steps
        .filter_map(|index| {
            let step = model.steps.get(index).filter(|s| s.keyword == Keyword::Run)?;
            let facts = step.run.as_ref()?;
            Some(Run { index, step, facts, script: facts.script.as_ref()? })
        })
        .collect()
}

/// Whether a RUN has a cache mounted: then there is nothing to clean, and what is there is wanted.
pub(crate) fn has_cache_mount(step: &Step) -> bool {
    step.reading.flags.iter().any(|f| f.name == "mount" && f.value.as_deref().is_some_and(|v| v.contains("type=cache")))
}

/// The system package manager's operation of a command.
pub(crate) fn system(command: &Classified) -> Option<(&str, Operation)> {
    match &command.action {
        Action::System { manager, operation, .. } => Some((manager, *operation)),
        _ => None,
    }
}

/// The language package manager's operation of a command.
pub(crate) fn language(command: &Classified) -> Option<(&str, Operation)> {
    match &command.action {
        Action::Language { manager, operation, .. } => Some((manager, *operation)),
        _ => None,
    }
}

/// Whether one of the options stands on the command, with or without a value; a single letter also among others (`-qy`).
pub(crate) fn has_option(command: &Classified, options: &[&str]) -> bool {
    command.words.iter().skip(1).any(|word| {
        options.iter().any(|option| match option.strip_prefix('-').filter(|letter| letter.len() == 1) {
            Some(letter) => word.raw.starts_with('-') && !word.raw.starts_with("--") && word.raw.contains(letter),
            None => word.raw.split('=').next() == Some(option),
        })
    })
}

/// The word of the sub-command `verb`, where it really stands in the file.
pub(crate) fn verb<'c>(model: &Model, command: &'c Classified, verbs: &[&str]) -> Option<&'c crate::shell::ShellWord> {
    let word = command.words.iter().skip(1).find(|w| verbs.contains(&w.raw.as_str()))?;
    (word.span.text(model.file.source()) == word.raw).then_some(word)
}

/// The edit that lets `addition` run after everything in the list of commands that `command` belongs to, with failures meaning what
/// they meant before. `None` where the command stands inside something, or its failure is caught.
pub(crate) fn append(model: &Model, run: &Run, command: &Classified, addition: &str) -> Option<Edit> {
    let source = model.file.source();
    let at = run.script.lists.iter().position(|l| l.span.start <= command.span.start && command.span.end <= l.span.end)?;
    let list = run.script.lists.get(at)?;
    let pipelines = || std::iter::once(&list.first).chain(list.rest.iter().map(|(_, p)| p));
    let plain = pipelines().any(|p| p.span == command.span && p.commands.len() == 1 && !p.negated);
    let last = at + 1 == run.script.lists.len();
    if !plain || list.background || command.span.text(source).is_empty() || list.rest.iter().any(|(operator, _)| *operator == Operator::Or)
    {
        return None;
    }
    let sudo =
        command.span.text(source).split_whitespace().next() == Some("sudo") && command.words.first().is_some_and(|w| w.raw != "sudo");
    let addition = if sudo { format!("sudo {addition}") } else { addition.to_owned() };
    let instruction = model.file.instruction(run.step.item)?;
    if !last || !instruction.heredocs.is_empty() {
        // In a script of several lists it is one more of them; on the RUN's own line a here-document may begin behind it.
        let in_script = instruction.heredocs.iter().any(|h| h.content.start <= list.span.start && list.span.end <= h.content.end);
        if in_script && list.rest.is_empty() && !last {
            return Some(Edit::insert(list.span.end, format!("\n{addition}")));
        }
        return instruction.heredocs.is_empty().then(|| Edit::insert(list.span.end, format!("; {addition}")));
    }
    let escape = model.file.escape;
    let multiline = list.span.text(source).contains('\n');
    if !multiline {
        return Some(Edit::insert(list.span.end, format!(" && {addition}")));
    }
    let runs = model.file.instructions().filter(|(_, i)| i.keyword == Keyword::Run).map(|(_, i)| i.body);
    let style = Style::of(source, std::iter::once(Span::new(instruction.body.start, instruction.body.end)).chain(runs), escape);
    let end = if source.get(..list.span.end).is_some_and(|before| before.ends_with("\r\n")) || list.span.text(source).contains("\r\n") {
        "\r\n"
    } else {
        "\n"
    };
    let text = if style.trailing {
        format!(" && {escape}{end}{}{addition}", style.indent)
    } else {
        format!(" {escape}{end}{}&& {addition}", style.indent)
    };
    Some(Edit::insert(list.span.end, text))
}

/// What has to be added so that the layers of the image that ships do not keep a manager's cache: for each layer in which a command
/// `fills` it and none behind it `cleans` it, the last such command, the command that tidies up, and the edit that adds it.
pub(crate) fn tidy_layers<'m>(
    model: &'m Model,
    fills: impl Fn(&Classified) -> bool,
    cleans: impl Fn(&Classified) -> bool,
    settled: impl Fn(&Step) -> bool,
) -> Vec<(&'m Classified, String, Edit)> {
    let mut found = Vec::new();
    for layer in layers_with(model, &fills) {
        if !layer.iter().any(|run| !settled(run.step) && run.facts.commands.iter().any(&fills)) {
            continue;
        }
        // What cleans before the last of them has filled it does not help.
        let commands: Vec<_> = layer.iter().flat_map(|r| r.facts.commands.iter().map(move |c| (r, c))).collect();
        let Some(at) = commands.iter().rposition(|(_, c)| fills(c)) else { continue };
        let cleaned = commands.iter().skip(at + 1).any(|(_, c)| cleans(c));
        let Some(&(last, command)) = commands.get(at).filter(|_| !cleaned && !layer.iter().any(|r| has_cache_mount(r.step))) else {
            continue;
        };
        let Some(tidy) = command.tidy() else { continue };
        // Where the program itself may be gone by the end, it tidies up before that.
        let later = commands.iter().skip(at + 1).map(|(_, c)| *c);
        let edit = if later.into_iter().any(|c| removes_program(c, command)) {
            directly_behind(model, last, command, &tidy)
        } else {
            append(model, last, command, &tidy)
        };
        let Some(edit) = edit else { continue };
        found.push((command, tidy, edit));
    }
    found
}

/// Whether `later` may remove the program of `command`, a language's package manager.
fn removes_program(later: &Classified, command: &Classified) -> bool {
    let Some(program) = command.program().filter(|_| matches!(command.action, Action::Language { .. })) else { return false };
    let text = |w: &crate::shell::ShellWord| w.literal.clone().unwrap_or_else(|| w.raw.clone());
    match &later.action {
        Action::System { operation: Operation::Remove, .. } => true,
        Action::Language { operation: Operation::Remove, packages, .. } => packages.iter().any(|p| p.raw.contains(program)),
        _ if matches!(later.program(), Some("rm" | "mv" | "unlink" | "find")) => later.words.iter().skip(1).map(text).any(|word| {
            let path = word.trim_end_matches(['*', '/']);
            word.contains(program) || ["/usr/local/bin", "/usr/bin"].iter().any(|bin| inside(bin, path))
        }),
        _ => false,
    }
}

/// The edit that lets `addition` run right behind `command`, in the midst of an `&&` list: at its end `set -e` would have a say.
fn directly_behind(model: &Model, run: &Run, command: &Classified, addition: &str) -> Option<Edit> {
    let list = run.script.lists.iter().find(|l| l.span.start <= command.span.start && command.span.end <= l.span.end)?;
    let at = list.pipelines().position(|p| p.span == command.span && p.commands.len() == 1 && !p.negated)?;
    let plain = !list.background && list.rest.iter().all(|(operator, _)| *operator == Operator::And) && at < list.rest.len();
    let shell = command.words.first().is_some_and(|w| command.span.text(model.file.source()).starts_with(&w.raw));
    (plain && shell).then(|| Edit::insert(command.span.end, format!(" && {addition}")))
}

/// What [`tidy_layers`] found as proposals, under a title made of the command that tidies up.
pub(crate) fn tidy_proposals(
    found: Vec<(&Classified, String, Edit)>,
    title: impl Fn(&str) -> String,
    reason: &str,
) -> impl Iterator<Item = Proposal> {
    found.into_iter().map(move |(command, tidy, edit)| Proposal {
        level: Level::Safe,
        title: title(&tidy),
        reason: reason.to_owned(),
        line: command.line,
        declares: Vec::new(),
        edits: vec![edit],
    })
}

/// Whether the file sets one of these variables, by ENV or ARG, before `step`.
pub(crate) fn sets(step: &Step, names: &[&str]) -> bool {
    let set = step.before.env.iter().map(|(name, _)| name).chain(step.before.args.iter().map(|(name, _)| name));
    set.into_iter().any(|name| names.iter().any(|n| n.eq_ignore_ascii_case(name)))
}

/// Whether a RUN is run by root for sure.
pub(crate) fn is_root(step: &Step) -> bool {
    step.before.user.as_deref().is_some_and(|user| matches!(user.split(':').next(), Some("" | "0" | "root")))
}

/// The understood RUNs of the stages that ship, layer by layer as merge-run will leave them.
fn shipped_layers<'m>(model: &'m Model) -> Vec<Vec<Run<'m>>> {
    let groups = merge_run::groups(model);
    let group: HashMap<usize, usize> = groups.iter().enumerate().flat_map(|(at, g)| g.iter().map(move |step| (*step, at))).collect();
    let mut layers: Vec<Vec<Run>> = Vec::new();
    for run in shipped_runs(model) {
        let own = group.get(&run.index);
        match layers.last_mut().filter(|l| own.is_some() && l.last().is_some_and(|r| group.get(&r.index) == own)) {
            Some(layer) => layer.push(run),
            None => layers.push(vec![run]),
        }
    }
    layers
}

/// The same, for work that is about commands that `concern` it; nothing where the file has none, since most have none.
pub(crate) fn layers_with<'m>(model: &'m Model, concern: impl Fn(&Classified) -> bool) -> Vec<Vec<Run<'m>>> {
    if model.steps.iter().any(|s| s.commands().iter().any(&concern)) { shipped_layers(model) } else { Vec::new() }
}

/// The first of the `sorted` indices behind `index`.
pub(crate) fn next_behind(sorted: &[usize], index: usize) -> Option<usize> {
    sorted.get(sorted.partition_point(|at| *at <= index)).copied()
}
