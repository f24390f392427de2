//! What a RUN does against its package managers' caches: with a mount it must go.

use super::Install;
use crate::edit::Edit;
use crate::model::command::{Action, Classified, Operation};
use crate::model::path::inside;
use crate::model::{Model, RunFacts};
use crate::shell::{AndOr, Operator, ShellWord};
use crate::source::Span;

/// The edits that let `installs` fill their caches and leave them filled; or what stands in the way.
pub(super) fn edits(model: &Model, facts: &RunFacts, installs: &[Install]) -> Result<Vec<Edit>, String> {
    let source = model.file.source();
    let mut edits = Vec::new();
    for install in installs {
        edits.extend(options(source, install)?);
    }
    let mut gone: Vec<Span> = Vec::new();
    for command in &facts.commands {
        match clean_up(command, installs) {
            None => {}
            Some(Fate::Goes) => gone.push(command.span),
            Some(Fate::Words(words)) => {
                for word in words {
                    edits.push(Edit::delete(with_blank(source, word.span).ok_or_else(|| not_plain(model, &[command.span]))?));
                }
            }
            Some(Fate::Stays(why)) => return Err(format!("line {} {why}", command.line)),
        }
    }
    let lists = facts.script.iter().flat_map(|s| &s.lists);
    let mut left = gone.len();
    for list in lists {
        let here: Vec<Span> = gone.iter().filter(|g| list.span.start <= g.start && g.end <= list.span.end).copied().collect();
        if here.is_empty() {
            continue;
        }
        let cut = cut(source, list, &here).ok_or_else(|| not_plain(model, &here))?;
        left -= here.len();
        edits.extend(cut);
    }
    if left > 0 {
        return Err(not_plain(model, &gone));
    }
    Ok(edits)
}

fn not_plain(model: &Model, gone: &[Span]) -> String {
    let line = gone.first().map_or(1, |g| model.file.lines().line(g.start));
    format!("line {line} empties a cache in a way that can't be taken out")
}

/// What becomes of a command that removes something.
enum Fate<'c> {
    Goes,
    /// These of its words go.
    Words(Vec<&'c ShellWord>),
    /// It would empty the mount, or may, and can't go; with what it does.
    Stays(String),
}

/// What becomes of `command`, if it empties what `installs` fill.
fn clean_up<'c>(command: &'c Classified, installs: &[Install]) -> Option<Fate<'c>> {
    let of_manager = |name: &str| installs.iter().any(|i| i.manager.name == name);
    match &command.action {
        Action::System { manager, operation: Operation::Clean, .. } => of_manager(manager).then_some(Fate::Goes),
        Action::Clean if command.program() != Some("rm") => {
            let program = command.program()?;
            let own = |i: &Install| i.manager.name == program || i.command.program() == Some(program);
            installs.iter().any(own).then_some(Fate::Goes)
        }
        Action::Clean | Action::File { .. } => match command.program() {
            Some("rm") => removed(command, command.words.iter().skip(1).filter(|w| !w.raw.starts_with('-')).collect(), installs),
            Some("find") if deletes(command) => {
                let paths = command.words.iter().skip(1).take_while(|w| !w.raw.starts_with(['-', '(', '!', '\\'])).collect();
                removed(command, paths, installs)
            }
            _ => None,
        },
        _ => None,
    }
}

/// What becomes of `command`, which removes what stands at `paths` or in there.
fn removed<'c>(command: &'c Classified, paths: Vec<&'c ShellWord>, installs: &[Install]) -> Option<Fate<'c>> {
    let find = command.program() == Some("find");
    let targets = || installs.iter().flat_map(|i| &i.manager.mounts);
    let (mut own, mut others) = (Vec::new(), 0);
    for word in paths {
        let text = word.raw.trim_matches(['"', '\'']).replace('~', "/root");
        let path = match text.trim_end_matches(['*', '.']).trim_end_matches('/') {
            "" => "/",
            path => path,
        };
        if targets().any(|t| inside(path, t)) {
            own.push(word);
        } else if path.contains(['$', '`', '?', '[', '{']) {
            return Some(Fate::Stays(format!("removes `{}`, and it can't be told whether a cache lies there", word.raw)));
        } else if targets().any(|t| inside(t, path)) {
            return Some(Fate::Stays(match find {
                true => format!("removes what it finds in `{}`, where the cache lies too", word.raw),
                false => "empties a cache, and the mount would be emptied with it".to_owned(),
            }));
        } else {
            others += 1;
        }
    }
    match (own.is_empty(), others) {
        (true, _) => None,
        (false, 0) => Some(Fate::Goes),
        _ if find => Some(Fate::Stays("empties a cache and other folders with one `find`".to_owned())),
        _ => Some(Fate::Words(own)),
    }
}

/// Whether a `find` removes what it finds.
fn deletes(command: &Classified) -> bool {
    let removes =
        |pair: &[ShellWord]| matches!(pair, [exec, rm] if exec.raw.starts_with("-exec") && matches!(rm.raw.rsplit('/').next(), Some("rm")));
    command.words.iter().any(|w| w.raw == "-delete") || command.words.windows(2).any(removes)
}

/// Takes options away by which nothing would be kept, and adds the one by which something is.
fn options(source: &str, install: &Install) -> Result<Vec<Edit>, String> {
    let manager = install.manager;
    let mut edits = Vec::new();
    for word in install.command.words.iter().filter(|w| manager.uncached.contains(&w.raw)) {
        let Some(span) = with_blank(source, word.span).filter(|_| word.span.text(source) == word.raw) else {
            return Err(format!("`{}` can't be taken out", word.raw));
        };
        edits.push(match &manager.instead {
            Some(instead) => Edit::replace(word.span, instead.clone()),
            None => Edit::delete(span),
        });
    }
    let program = install.command.words.first().filter(|w| w.span.text(source) == w.raw);
    let says = install.command.words.iter().any(|w| w.raw.contains("keepcache"));
    if let (Some(keep), Some(program), false) = (&manager.keep, program, says || install.updates()) {
        edits.push(Edit::insert(program.span.end, format!(" {keep}")));
    }
    Ok(edits)
}

/// A word with the blank in front of it. `None` where a comment would go with it.
fn with_blank(source: &str, word: Span) -> Option<Span> {
    let before = source.get(..word.start)?;
    let kept = before.trim_end_matches([' ', '\t', '\r', '\n', '\\']).len();
    (kept < word.start).then(|| Span::new(kept, word.end)).filter(|s| !has_comment(source, *s))
}

fn has_comment(source: &str, span: Span) -> bool {
    span.text(source).lines().skip(1).any(|l| l.trim_start().starts_with('#'))
}

/// Takes the commands at `gone` out of an `&&` list, of which something must be left.
fn cut(source: &str, list: &AndOr, gone: &[Span]) -> Option<Vec<Edit>> {
    if list.background || list.rest.iter().any(|(operator, _)| *operator == Operator::Or) {
        return None;
    }
    let pipelines: Vec<_> = list.pipelines().collect();
    let goes = |at: usize| pipelines.get(at).is_some_and(|p| gone.contains(&p.span) && p.commands.len() == 1 && !p.negated);
    let taken = (0..pipelines.len()).filter(|at| goes(*at)).count();
    let first = (0..pipelines.len()).find(|at| !goes(*at))?;
    if taken != gone.len() {
        return None;
    }
    let mut spans = Vec::new();
    if first > 0 {
        spans.push(Span::new(list.span.start, pipelines.get(first)?.span.start));
    }
    for at in (first + 1..pipelines.len()).filter(|at| goes(*at)) {
        spans.push(Span::new(pipelines.get(at - 1)?.span.end, pipelines.get(at)?.span.end));
    }
    let plain = spans.iter().all(|s| !has_comment(source, *s));
    plain.then(|| spans.into_iter().map(Edit::delete).collect())
}
