//! The edits: who is made, what it owns, and where USER stands.

use crate::edit::Edit;
use crate::model::command::{Action, Classified};
use crate::model::path::is_plain;
use crate::model::{Model, Step};
use crate::shell::Operator;
use crate::syntax::{Dockerfile, Form, ItemKind, Keyword, View};
use crate::transforms::merge_run::joined_with;

use super::account::{Account, Tools};
use super::facts::{facts, within};
use super::places::{Places, makes};
use super::start::{Objection, Write};
use super::subject::{Origin, Subject, absolute, below, filled, join, located, normal, parent, resolve};

/// The edits and the line that they start from.
#[derive(Debug)]
pub struct Plan {
    /// The edits.
    pub edits: Vec<Edit>,
    /// The line of what becomes another user's.
    pub line: usize,
}

#[derive(Clone)]
struct Planner<'s, 'm, 'a> {
    subject: &'s Subject<'m, 'a>,
    account: &'s Account,
    own: Vec<(usize, &'m Step)>,
    /// The steps whose COPY gets `--chown`.
    chown: Vec<usize>,
    /// Directories that the RUN makes.
    directories: Vec<String>,
    /// Directories that get their owner behind a step that makes them.
    behind: Vec<(usize, String)>,
    /// Directories that get made at the end.
    late: Vec<String>,
    /// The WORKDIR before which USER stands, on an image without a shell.
    early: Option<usize>,
}

/// Makes the edits.
///
/// # Errors
/// Where something that the user needs can't be given to it.
pub fn make(subject: &Subject, account: &Account, places: &Places) -> Result<Plan, Objection> {
    let mut planner = Planner {
        subject,
        account,
        own: subject.own_steps().collect(),
        chown: Vec::new(),
        directories: Vec::new(),
        behind: Vec::new(),
        late: Vec::new(),
        early: None,
    };
    planner.ends()?;
    planner.others(places)?;
    let position = planner.position(places);
    for write in &places.writes {
        let before = planner.clone();
        match planner.place(write, position) {
            Err(_) if !write.needed => planner = before,
            placed => placed?,
        }
    }
    for (file, line) in &places.files {
        planner.file(file, *line)?;
    }
    planner.filled(places, position)?;
    planner.make_by_workdir();
    planner.edits(position)
}

impl<'m> Planner<'_, 'm, '_> {
    fn owner_name(&self) -> &str {
        self.account.owner.split(':').next().unwrap_or("")
    }

    /// The owner without an empty group.
    fn owner(&self) -> &str {
        self.account.owner.trim_end_matches(':')
    }

    /// The owner as `--chown` of this COPY takes it: a linked layer has no user data base below it in which a name could be
    /// looked up, and a uid alone brings the gid of the same number (`parseChownFlag` in dockerfile2llb/convert.go).
    fn owner_for(&self, step: &Step) -> Result<&str, Objection> {
        let linked = step.reading.flags.iter().any(|f| f.name == "link" && f.value.as_deref() != Some("false"));
        let user = self.account.user.as_str();
        let is_number = |name: &str| name.chars().all(|c| c.is_ascii_digit() || c == ':');
        match (linked, is_number(user), is_number(&self.account.owner)) {
            (false, ..) | (true, true, true) => Ok(self.owner()),
            (true, true, false) => Ok(user),
            _ => Err(Objection { reason: format!("COPY --link can't give files to {user} by name"), line: step.line }),
        }
    }

    fn is_owner(&self, value: &str) -> bool {
        let name = value.split([':', '.']).next().unwrap_or("");
        name == self.owner_name() || name == self.account.user.split(':').next().unwrap_or("")
    }

    /// Whether a line can be put behind the last one, which may end in a continuation that nothing follows.
    fn ends(&self) -> Result<(), Objection> {
        let Some((_, last)) = self.own.last() else { return Ok(()) };
        let file = &self.subject.model.file;
        let plain = file.instruction(last.item).is_some_and(|i| i.heredocs.is_empty());
        let behind = file.source().get(last.reading.arguments.end..last.span.end).unwrap_or_default();
        if plain && behind.contains(file.escape) {
            let reason = "the file ends in a continuation, so nothing can stand behind its last line".to_owned();
            return Err(Objection { reason, line: last.line });
        }
        Ok(())
    }

    /// What the file gives to somebody else.
    fn others(&self, places: &Places) -> Result<(), Objection> {
        let workdir = self.subject.workdir().unwrap_or_default();
        for (paths, owner, line) in self.given() {
            let matters = |p: &String| {
                within(p, &workdir)
                    || within(&workdir, p)
                    || places.writes.iter().any(|w| within(p, &w.directory) || within(&w.directory, p))
            };
            if !self.is_owner(&owner) && !matches!(owner.split(':').next(), Some("root" | "0")) && paths.iter().any(matters) {
                let reason = format!("{} belongs to {owner} here, so the program is meant to run as {owner}", paths.join(" "));
                return Err(Objection { reason, line });
            }
        }
        Ok(())
    }

    /// What RUNs of the final image give away: paths, the owner, the line.
    fn given(&self) -> Vec<(Vec<String>, String, usize)> {
        let mut out = Vec::new();
        for (_, step) in self.subject.steps() {
            for command in step.commands() {
                let mut words = command.words.iter().map(|w| w.literal.as_deref().unwrap_or(&w.raw));
                if words.next() != Some("chown") {
                    continue;
                }
                let mut words = words.filter(|w| !w.starts_with('-'));
                let Some(owner) = words.next() else { continue };
                let paths = words.filter_map(|w| absolute(&resolve(w, &step.before)?, command.directory.as_deref())).collect();
                out.push((paths, owner.to_owned(), command.line));
            }
        }
        out
    }

    /// Whether a RUN of the file gives `path` to the user already.
    fn given_already(&self, path: &str) -> bool {
        self.given().iter().any(|(paths, owner, _)| self.is_owner(owner) && paths.iter().any(|p| within(path, p)))
    }

    fn copies(&self) -> impl Iterator<Item = (usize, &'m Step)> + '_ {
        self.own.iter().copied().filter(|(_, s)| matches!(s.view, View::Copy { .. }))
    }

    fn target(step: &Step) -> Option<String> {
        let View::Copy { destination, .. } = &step.view else { return None };
        located(&destination.text, step)
    }

    /// The index of the step before which the RUN stands.
    fn position(&self, places: &Places) -> usize {
        let first = self.own.iter().skip(1).find(|(_, step)| match &step.view {
            View::Copy { .. } => true,
            View::Volume { paths } => paths.iter().any(|p| {
                let path = located(&p.text, step);
                path.is_some_and(|p| places.writes.iter().any(|w| w.directory == p))
            }),
            _ => false,
        });
        let first = first.map_or_else(|| self.user_anchor(), |(i, _)| *i);
        match self.account.made_at {
            Some(made) if made >= first => made + 1,
            _ => first,
        }
    }

    /// The step before which USER stands: the first start behind everything that root does; one behind the last of those if
    /// there is no start there.
    fn user_anchor(&self) -> usize {
        let root = |k: Keyword| matches!(k, Keyword::Run | Keyword::Copy | Keyword::Add | Keyword::Workdir | Keyword::From);
        let last = self.own.iter().rev().find(|(_, s)| root(s.keyword)).map_or(0, |(i, _)| *i);
        let start = self.own.iter().find(|(i, s)| *i > last && matches!(s.keyword, Keyword::Cmd | Keyword::Entrypoint));
        start.map_or(last + 1, |(i, _)| *i)
    }

    fn place(&mut self, write: &Write, position: usize) -> Result<(), Objection> {
        let directory = &write.directory;
        if self.given_already(directory) {
            return Ok(());
        }
        if write.late {
            if self.account.tools == Tools::Nothing {
                return Err(Objection {
                    reason: format!("{}, and the image has no shell to make it", write.why),
                    line: self.subject.line(),
                });
            }
            self.late.push(directory.clone());
            return Ok(());
        }
        for (index, step) in self.subject.steps() {
            let inherited = !self.own.iter().any(|(i, _)| *i == index);
            if inherited && Self::target(step).is_some_and(|t| within(&t, directory)) {
                let reason =
                    format!("what is copied here has to belong to {}, and the stage is one that others build on", self.account.user);
                return Err(Objection { reason, line: step.line });
            }
        }
        let mut made = None;
        let own = self.own.clone();
        for (index, step) in own {
            match &step.view {
                View::Workdir { path } => {
                    let path = located(&path.text, step);
                    if path.is_some_and(|p| within(&p, directory)) && made.is_none() {
                        made = Some((index, false));
                    }
                }
                View::Copy { .. } => {
                    let Some(target) = Self::target(step) else { continue };
                    if within(&target, directory) {
                        if target.ends_with("/node_modules") && target != *directory {
                            made = made.or(Some((index, false)));
                            continue;
                        }
                        self.give(index, step, position)?;
                        made = made.or(Some((index, true)));
                    } else if within(directory, &target) && facts().root.paths.is_closed(&target) {
                        // A copy onto the root of the image brings much that stays root's: only the folder changes hands.
                        if self.brings(step, &target, directory) == Some(true) {
                            self.behind.push((index, directory.clone()));
                            made = made.or(Some((index, true)));
                        }
                    } else if within(directory, &target) {
                        match self.brings(step, &target, directory) {
                            Some(false) => {}
                            sure => {
                                self.give(index, step, position)?;
                                if sure == Some(true) {
                                    made = made.or(Some((index, true)));
                                }
                            }
                        }
                    }
                }
                _ if makes(step).iter().any(|(_, p)| within(p, directory)) => made = made.or(Some((index, false))),
                _ => {}
            }
        }
        if made.is_some_and(|(_, owned)| owned) {
            return Ok(());
        }
        if self.account.tools == Tools::Nothing {
            if let Some((index, _)) = made
                && self.early.is_none_or(|e| e == index)
                && self
                    .own
                    .iter()
                    .any(|(i, s)| *i == index && s.keyword == Keyword::Workdir && s.before.workdir.as_deref() != Some(directory))
            {
                self.early = Some(index);
                return Ok(());
            }
            let reason =
                format!("{}: {directory} has to belong to {}, and the image has no shell to make it", write.why, self.account.user);
            return Err(Objection { reason, line: self.subject.line() });
        }
        // A plain `mkdir` behind the RUN would stumble over the directory.
        let stumbles = self.own.iter().find(|(i, step)| {
            *i >= position
                && makes(step).iter().any(|(c, p)| p == directory && !c.words.iter().any(|w| w.raw.starts_with('-') && w.raw.contains('p')))
        });
        match stumbles {
            Some((index, _)) => self.behind.push((*index, directory.clone())),
            None => self.directories.push(directory.clone()),
        }
        Ok(())
    }

    /// Lets WORKDIR make the one directory that the user needs, where the user is there before and no RUN follows: the builder makes it
    /// as whom USER says (`dispatchWorkdir` in dockerfile2llb/convert.go), and no layer is spent on it.
    fn make_by_workdir(&mut self) {
        let [directory] = self.directories.as_slice() else { return };
        let others = !self.account.make.is_empty() || !self.late.is_empty() || !self.behind.is_empty() || self.early.is_some();
        // These may be there before, and what is there keeps its owner.
        let in_base = facts().root.paths.present.iter().any(|dir| parent(directory) == dir || directory == dir);
        if others || in_base {
            return;
        }
        let made = |step: &Step| match filled(step) {
            Some(word) => located(word, step).is_none_or(|p| within(&p, directory)),
            None => makes(step).iter().any(|(_, p)| within(p, directory)),
        };
        let Some((index, first)) = self.subject.steps().find(|(_, step)| made(step)) else { return };
        // Any program may have made it before; those of package managers and accounts do not.
        let plain = |c: &Classified| matches!(c.action, Action::System { .. } | Action::User | Action::Clean | Action::Shell);
        let known = |step: &Step| {
            step.keyword != Keyword::Run || step.run.as_ref().is_some_and(|r| r.script.is_some() && r.commands.iter().all(plain))
        };
        if !self.subject.steps().take_while(|(i, _)| *i < index).all(|(_, step)| known(step)) {
            return;
        }
        let is_workdir = matches!(first.view, View::Workdir { .. }) && self.own.iter().any(|(i, _)| *i == index);
        let exact = self.own.iter().find(|(i, _)| *i > index).is_some_and(|(_, next)| next.before.workdir.as_deref() == Some(directory));
        let run_behind = self.own.iter().any(|(i, step)| *i > index && step.keyword == Keyword::Run);
        if is_workdir && exact && !run_behind {
            self.early = Some(index);
            self.directories.clear();
        }
    }

    /// Whether a COPY to `target` brings `directory` below it.
    fn brings(&self, step: &Step, target: &str, directory: &str) -> Option<bool> {
        let View::Copy { from, sources, .. } = &step.view else { return None };
        let rest = below(directory, target)?;
        if from.is_some() {
            return None;
        }
        let mut unknown = false;
        for source in sources {
            let source = resolve(&source.text, &step.before)?;
            if source.contains(['*', '?']) {
                // Files and the contents of folders: a folder of that name would have to be inside one of them.
                continue;
            }
            let source = normal(&format!("/{source}"));
            match self.subject.project.is_dir(&join(source.trim_start_matches('/'), rest)) {
                Some(true) => return Some(true),
                Some(false) => {}
                None => unknown = true,
            }
        }
        if unknown { None } else { Some(false) }
    }

    /// Marks a COPY to get `--chown`.
    fn give(&mut self, index: usize, step: &Step, position: usize) -> Result<(), Objection> {
        if let Some(flag) = step.reading.flags.iter().find(|f| f.name == "chown") {
            let owner = flag.value.clone().unwrap_or_default();
            if self.is_owner(&owner) {
                return Ok(());
            }
            return Err(Objection { reason: format!("--chown gives to {owner} what the program has to write"), line: step.line });
        }
        if index < position && self.account.made_at.is_some() {
            let reason = format!("the user {} is made only after this, so it can't get what the program writes", self.owner_name());
            return Err(Objection { reason, line: step.line });
        }
        self.owner_for(step)?;
        if !self.chown.contains(&index) {
            self.chown.push(index);
        }
        Ok(())
    }

    /// A file that only its owner may use.
    fn file(&mut self, path: &str, line: usize) -> Result<(), Objection> {
        if self.given_already(path) {
            return Ok(());
        }
        let index = match self.subject.origin(path) {
            Some(Origin::Context(_, i) | Origin::Heredoc(_, i) | Origin::Other(i)) => Some(i),
            None => self.copies().find(|(_, s)| s.line == line).map(|(i, _)| i),
        };
        let found = index.and_then(|i| self.copies().find(|(j, _)| *j == i));
        let Some((index, step)) = found else {
            return Err(Objection { reason: format!("only root may read or run {path}"), line });
        };
        self.give(index, step, 0)
    }

    /// Steps that put data for the program into its directories as root.
    fn filled(&self, places: &Places, position: usize) -> Result<(), Objection> {
        const DATA: &[&str] = &[
            "migrate",
            "loaddata",
            "createsuperuser",
            "syncdb",
            "seed",
            "initdb",
            "init_db",
            "init-db",
            "db:migrate",
            "db:seed",
            "db:setup",
            "db:create",
        ];
        for (index, step) in &self.own {
            for command in step.commands().iter().filter(|_| *index >= position) {
                let words = command.words.iter().map(|w| w.literal.as_deref().unwrap_or(&w.raw));
                let data = words.clone().any(|w| DATA.iter().any(|d| w == *d || w.split(['/', '.']).any(|p| p == *d)));
                let first = words.clone().next();
                let touched = first == Some("touch");
                // The tool of a database is told of its file.
                let loaded = first == Some("sqlite3");
                let inside = |p: &str| places.writes.iter().any(|w| w.needed && within(p, &w.directory));
                let here = command.directory.as_deref().is_some_and(inside);
                let target =
                    (touched || loaded) && words.skip(1).filter_map(|w| absolute(w, command.directory.as_deref())).any(|p| inside(&p));
                if (data && here) || target {
                    let reason = "this writes files as root that the program has to change".to_owned();
                    return Err(Objection { reason, line: command.line });
                }
            }
        }
        Ok(())
    }

    fn edits(&self, position: usize) -> Result<Plan, Objection> {
        let given = self.directories.iter().chain(&self.late).chain(self.behind.iter().map(|(_, directory)| directory));
        if let Some(strange) = given.into_iter().find(|directory| !is_plain(directory)) {
            let reason = format!(
                "{} would have to be given to the user, and a shell reads some of its characters as something else",
                strange.escape_debug()
            );
            return Err(Objection { reason, line: self.subject.line() });
        }
        let mut edits = Vec::new();
        for index in &self.chown {
            if let Some((_, step)) = self.own.iter().find(|(i, _)| i == index) {
                edits.push(Edit::insert(step.reading.arguments.start, format!("--chown={} ", self.owner_for(step)?)));
            }
        }
        let anchor = self.early.unwrap_or_else(|| self.user_anchor());
        let mut commands = self.account.make.clone();
        commands.extend(self.give_directories(&self.directories, position));
        let mut before: Vec<(usize, String)> = Vec::new();
        if !commands.is_empty() {
            self.needs_shell(position)?;
            match self.appended(position, &commands) {
                Some(edit) => edits.push(edit),
                None => before.push((position, self.instruction("RUN", &commands))),
            }
        }
        for (index, directory) in &self.behind {
            let command = [format!("chown {} {directory}", self.owner())];
            match self.end_of(*index).map(|at| self.continuation(at, &command)) {
                Some(edit) => edits.push(edit),
                None => before.push((index + 1, self.instruction("RUN", &command))),
            }
        }
        if !self.late.is_empty() {
            before.push((anchor, self.instruction("RUN", &self.give_directories(&self.late, anchor))));
        }
        before.push((anchor, self.instruction("USER", std::slice::from_ref(&self.account.user))));
        // Insertions at one place become one edit, in order.
        let mut grouped: Vec<(usize, Vec<String>)> = Vec::new();
        before.sort_by_key(|(i, _)| *i);
        for (index, text) in before {
            match grouped.last_mut() {
                Some((last, lines)) if *last == index => lines.push(text),
                _ => grouped.push((index, vec![text])),
            }
        }
        for (index, lines) in grouped {
            edits.push(self.insertion(index, &lines));
        }
        edits.sort_by_key(|e| (e.span.start, e.span.end));
        let line = self
            .subject
            .model
            .steps
            .get(anchor)
            .filter(|_| self.own.iter().any(|(i, _)| *i == anchor))
            .or(self.own.last().map(|(_, s)| *s))
            .map_or(1, |s| s.line);
        Ok(Plan { edits, line })
    }

    /// The commands put behind those of the RUN right before `position`, if merge-run would join the two otherwise.
    fn appended(&self, position: usize, commands: &[String]) -> Option<Edit> {
        let (index, step) = *self.own.iter().find(|(i, _)| i + 1 == position)?;
        if step.keyword != Keyword::Run {
            return None;
        }
        let insertion = self.insertion(position, &[self.instruction("RUN", commands)]);
        let model = self.subject.model;
        let mut text = model.file.source().to_owned();
        if !text.is_char_boundary(insertion.span.start) {
            return None;
        }
        text.insert_str(insertion.span.start, &insertion.text);
        let file = Dockerfile::parse(&text);
        let after = Model::new(&file, model.context, model.catalog, model.options);
        if joined_with(&after, position).is_empty() {
            return None;
        }
        Some(self.continuation(self.end_of(index)?, commands))
    }

    /// Where a RUN ends, if all its commands are joined by `&&` and nothing is behind them, so that more can follow.
    fn end_of(&self, index: usize) -> Option<usize> {
        let (_, step) = self.own.iter().find(|(i, _)| *i == index)?;
        let instruction = self.subject.model.file.instruction(step.item)?;
        let script = step.run.as_ref()?.script.as_ref()?;
        let [list] = script.lists.as_slice() else { return None };
        let plain = !list.background
            && script.comment.is_none()
            && instruction.heredocs.is_empty()
            && step.reading.form != Form::Exec
            && list.rest.iter().all(|(o, _)| *o == Operator::And)
            && std::iter::once(&list.first).chain(list.rest.iter().map(|(_, p)| p)).all(|p| !p.negated && p.commands.len() == 1);
        (plain && script.span.end <= instruction.body.end).then_some(script.span.end)
    }

    fn continuation(&self, at: usize, commands: &[String]) -> Edit {
        let glue = format!(" {}{} && ", self.subject.model.file.escape, self.newline());
        Edit::insert(at, commands.iter().map(|c| format!("{glue}{c}")).collect::<String>())
    }

    fn needs_shell(&self, position: usize) -> Result<(), Objection> {
        let state = match self.own.iter().find(|(i, _)| *i == position) {
            Some((_, step)) => &step.before,
            None => match self.subject.stage() {
                Some(stage) => &stage.end,
                None => return Ok(()),
            },
        };
        let line = self.subject.line();
        let user = state.user.as_deref().unwrap_or("").split(':').next().unwrap_or("");
        if !matches!(user, "" | "root" | "0") {
            return Err(Objection { reason: format!("a user would have to be made where USER is {user}"), line });
        }
        if crate::shell::Dialect::of(&state.shell) == crate::shell::Dialect::Other {
            return Err(Objection { reason: "SHELL is no shell of Unix where a user would have to be made".into(), line });
        }
        Ok(())
    }

    fn give_directories(&self, directories: &[String], position: usize) -> Vec<String> {
        if directories.is_empty() {
            return Vec::new();
        }
        let list = directories.join(" ");
        let make = !directories.iter().all(|d| self.stands(d, position));
        let (name, group) = self.account.owner.split_once(':').unwrap_or((&self.account.owner, ""));
        match self.account.tools {
            Tools::Install => {
                let group = if group.is_empty() { String::new() } else { format!(" -g {group}") };
                vec![format!("install -d -o {name}{group} {list}")]
            }
            _ if make => vec![format!("mkdir -p {list}"), format!("chown {} {list}", self.owner())],
            _ => vec![format!("chown {} {list}", self.owner())],
        }
    }

    /// Whether a WORKDIR of this stage has made the directory before the step of that index.
    fn stands(&self, directory: &str, position: usize) -> bool {
        self.own.iter().any(|(i, step)| match &step.view {
            View::Workdir { path } if *i < position => located(&path.text, step).as_deref() == Some(directory),
            _ => false,
        })
    }

    fn instruction(&self, keyword: &str, parts: &[String]) -> String {
        let file = &self.subject.model.file;
        let lower = self
            .own
            .first()
            .and_then(|(_, s)| file.instruction(s.item))
            .is_some_and(|i| i.keyword_span.text(file.source()).chars().all(|c| c.is_ascii_lowercase()));
        let keyword = if lower { keyword.to_ascii_lowercase() } else { keyword.to_owned() };
        format!("{keyword} {}", parts.join(&format!(" {}{} && ", file.escape, self.newline())))
    }

    /// The line end of the final FROM.
    fn newline(&self) -> &'static str {
        let source = self.subject.model.file.source();
        let crlf = self.own.first().is_some_and(|(_, s)| s.span.text(source).ends_with("\r\n"));
        if crlf { "\r\n" } else { "\n" }
    }

    /// Whole lines before the step of that index, or behind the stage's last one.
    fn insertion(&self, index: usize, lines: &[String]) -> Edit {
        let file = &self.subject.model.file;
        let source = file.source();
        let newline = self.newline();
        let anchor = self.own.iter().find(|(i, _)| *i == index).map(|(_, s)| *s);
        let Some(step) = anchor else {
            let end = self.own.last().map_or(source.len(), |(_, s)| s.span.end);
            let text = lines.join(newline);
            let open = !source.get(..end).is_some_and(|s| s.ends_with('\n'));
            return Edit::insert(end, if open { format!("{newline}{text}") } else { format!("{text}{newline}") });
        };
        // The comments right above belong to the step.
        let mut item = step.item;
        while item > 0 && file.items.get(item - 1).is_some_and(|i| matches!(i.kind, ItemKind::Comment)) {
            item -= 1;
        }
        let start = file.items.get(item).map_or(step.span.start, |i| i.span.start);
        let indent = file.instruction(step.item).and_then(|i| source.get(step.span.start..i.keyword_span.start)).unwrap_or("");
        let indent = if indent.chars().all(|c| c == ' ' || c == '\t') { indent } else { "" };
        let text: String = lines.iter().map(|l| format!("{indent}{l}{newline}")).collect();
        Edit::insert(start, text)
    }
}
