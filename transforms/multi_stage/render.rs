//! The plan as edits of the user's file.

use super::draft::{Draft, refuse};
use super::facts::facts;
use super::plan::{Artifact, Extra, Fate, Plan};
use crate::edit::Edit;
use crate::model::image::Reference;
use crate::source::Span;
use crate::syntax::{ItemKind, Keyword, View, Word};
use crate::transforms::Refusal;

/// The edits that turn the single stage into two.
pub(super) fn edits(draft: &Draft, plan: &Plan) -> Result<Vec<Edit>, Refusal> {
    let style = Style::of(draft);
    let source = draft.model.file.source();
    let mut edits = plan.builder_edits.clone();
    let builder = name_builder(draft, &style, &mut edits)?;
    if let Some((path, step)) = taken(plan).find(|(path, _)| path.contains(|c: char| c.is_control() || "\"\\$*?[".contains(c))) {
        let path = path.escape_debug();
        return refuse(
            draft.line(step),
            format!("`{path}` would have to be copied, and a COPY reads some of its characters as something else"),
        );
    }
    // Behind this step everything belongs to the runtime stage and can stay in place.
    let split = draft.steps.iter().enumerate().filter(|(i, _)| plan.fate(*i) != Fate::Runtime).map(|(i, _)| i + 1).max().unwrap_or(0);
    let split = plan.builder_after.iter().map(|(i, _)| i + 1).fold(split, usize::max);
    let at = if split == 0 { draft.from.span.end } else { draft.steps.get(split - 1).map_or(draft.from.span.end, |s| s.span.end) };
    if !plan.builder_head.is_empty() {
        edits.push(Edit::insert(draft.from.span.end, style.lines(&plan.builder_head)));
    }
    let mut moved = Vec::new();
    for (index, step) in draft.steps.iter().enumerate().take(split) {
        let block = draft.model.file.block(step.item);
        match plan.fate(index) {
            Fate::Build => {}
            Fate::Both => moved.push(Extra { anchor: index, text: step.span.text(source).to_owned() }),
            Fate::Runtime => {
                moved.push(Extra { anchor: index, text: block.text(source).to_owned() });
                edits.push(Edit::delete(with_blank_line(draft, block)));
            }
        }
    }
    // Packages come first: a command of the same line may set up what they bring.
    let mut own: Vec<Extra> = packages(draft, plan)?.into_iter().collect();
    own.extend(plan.extras.iter().cloned());
    own.extend(copies(draft, plan, &builder));
    own.extend(plan.behind.iter().cloned());
    // Lines that belong behind the split go in front of the step that they precede.
    let (early, late): (Vec<Extra>, Vec<Extra>) = own.into_iter().partition(|e| e.anchor < split || e.anchor >= draft.steps.len());
    for extra in late {
        if let Some(step) = draft.steps.get(extra.anchor) {
            edits.push(Edit::insert(draft.model.file.block(step.item).start, style.lines(std::slice::from_ref(&extra.text))));
        }
    }
    let mut stage: Vec<(usize, u8, String)> = Vec::new();
    stage.extend(early.into_iter().map(|e| (if e.anchor >= draft.steps.len() { 0 } else { e.anchor }, 0, style.lines(&[e.text]))));
    stage.extend(moved.into_iter().map(|e| (e.anchor, 1, style.ended(&e.text))));
    stage.sort_by_key(|(anchor, kind, _)| (*anchor, *kind));

    let mut text = String::new();
    let ends_line = source.get(..at).is_some_and(|s| s.ends_with('\n'));
    if !ends_line {
        text.push_str(style.newline);
    }
    for (after, line) in &plan.builder_after {
        // All of them stand at the end of the builder or behind their own step.
        if after + 1 == split {
            text.push_str(&style.lines(std::slice::from_ref(line)));
        } else if let Some(step) = draft.steps.get(*after) {
            edits.push(Edit::insert(step.span.end, style.lines(std::slice::from_ref(line))));
        }
    }
    text.push_str(style.newline);
    let platform = match &draft.from.view {
        View::From { platform: Some(p), .. } => format!("--platform={p} "),
        _ => String::new(),
    };
    let name = shipped(draft).map(|alias| format!(" {} {}", style.keyword("AS"), alias.text)).unwrap_or_default();
    text.push_str(&style.lines(&[format!("FROM {platform}{}{name}", plan.runtime)]));
    for (_, _, line) in &stage {
        text.push_str(line);
    }
    let rest_follows = source.get(at..).is_some_and(|s| !s.trim().is_empty());
    if !rest_follows
        && !source.ends_with('\n')
        && let Some(cut) = text.strip_suffix(style.newline)
    {
        text = cut.to_owned();
    }
    edits.push(Edit::insert(at, text));
    merge(edits)
}

/// Inserts at the same place become one, so that the set is disjoint.
fn merge(mut edits: Vec<Edit>) -> Result<Vec<Edit>, Refusal> {
    edits.sort_by_key(|e| (e.span.start, e.span.end));
    let mut out: Vec<Edit> = Vec::new();
    for edit in edits {
        match out.last_mut() {
            Some(last) if last.span == edit.span && edit.span.is_empty() => last.text.push_str(&edit.text),
            Some(last) if last.span.is_empty() && last.span.start == edit.span.start => {
                let text = format!("{}{}", last.text, edit.text);
                *last = Edit::replace(edit.span, text);
            }
            Some(last) if edit.span.start < last.span.end => {
                if edit.span.is_empty() || edit.span.end > last.span.end {
                    return refuse(0, "two edits of one line meet; this is a bug of restage");
                }
            }
            _ => out.push(edit),
        }
    }
    Ok(out)
}

/// The name of the builder stage.
pub(super) fn builder(draft: &Draft) -> &'static str {
    if shipped(draft).is_some_and(|alias| alias.text.eq_ignore_ascii_case("build")) { "builder" } else { "build" }
}

/// The name that the user gave to what ships. Whoever builds the file with `--target` means the image that starts, so the last stage keeps it.
fn shipped<'a>(draft: &'a Draft<'_>) -> Option<&'a Word> {
    match &draft.from.view {
        View::From { alias: Some(alias), .. } => Some(alias),
        _ => None,
    }
}

/// Gives the builder stage its name.
fn name_builder(draft: &Draft, style: &Style, edits: &mut Vec<Edit>) -> Result<String, Refusal> {
    let View::From { image, alias, .. } = &draft.from.view else {
        return refuse(draft.from.line, "this FROM is not understood");
    };
    let name = builder(draft).to_owned();
    match alias {
        None => edits.push(Edit::insert(image.span.end, format!(" {} {name}", style.keyword("AS")))),
        Some(alias) => edits.push(Edit::replace(alias.span, name.clone())),
    }
    Ok(name)
}

/// How the file is written.
struct Style {
    newline: &'static str,
    lower: bool,
    escape: char,
}

impl Style {
    fn of(draft: &Draft) -> Self {
        let file = &draft.model.file;
        let source = file.source();
        let newline = if source.find('\n').is_some_and(|at| source.get(..at).is_some_and(|s| s.ends_with('\r'))) { "\r\n" } else { "\n" };
        let from = file.instruction(draft.from.item).map(|i| i.keyword_span.text(source)).unwrap_or("FROM");
        Self { newline, lower: from.chars().all(|c| c.is_ascii_lowercase()), escape: file.escape }
    }

    fn keyword(&self, word: &str) -> String {
        if self.lower { word.to_ascii_lowercase() } else { word.to_owned() }
    }

    /// Instructions of ours as lines of this file. A `\` at the end of a line stands for the file's escape character.
    fn lines(&self, texts: &[String]) -> String {
        let mut out = String::new();
        for text in texts {
            let (keyword, rest) = text.split_once(' ').unwrap_or((text, ""));
            let rest = if keyword == "FROM" { rest.to_owned() } else { rest.replace(" \\\n", &format!(" {}\n", self.escape)) };
            let whole = format!("{} {rest}", self.keyword(keyword));
            out.push_str(&whole.replace('\n', self.newline));
            out.push_str(self.newline);
        }
        out
    }

    /// `text` with a line end.
    fn ended(&self, text: &str) -> String {
        if text.ends_with('\n') { text.to_owned() } else { format!("{text}{}", self.newline) }
    }
}

/// One RUN that installs the packages of the runtime stage.
fn packages(draft: &Draft, plan: &Plan) -> Result<Option<Extra>, Refusal> {
    let anchors = plan.packages.iter().map(|p| p.anchor).chain(plan.upgrade.iter().map(|(_, anchor)| *anchor));
    let Some(anchor) = anchors.min() else { return Ok(None) };
    let anchor = behind_settings(draft, if anchor >= draft.steps.len() { 0 } else { anchor });
    let mut names: Vec<&str> = plan.packages.iter().map(|p| p.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let names = names.join(" ");
    let known = Reference::parse(&plan.runtime).and_then(|r| draft.model.catalog.image(&r));
    let manager = known.as_ref().or(Some(&*draft.facts)).and_then(|f| f.package_manager.as_deref());
    let option = if plan.packages.iter().any(|p| p.with_recommended) { "" } else { " --no-install-recommends" };
    let mut environment: String = plan.environment.iter().map(|(name, value)| format!("{name}={value} ")).collect();
    // Its questions would wait for an answer on some releases.
    if plan.packages.iter().any(|p| p.name == "tzdata") && !environment.contains("DEBIAN_FRONTEND=") {
        environment.insert_str(0, "DEBIAN_FRONTEND=noninteractive ");
    }
    let verb = plan.upgrade.as_ref().map(|(verb, _)| verb.as_str());
    let text = match manager {
        Some("apt") => {
            let upgrade = verb.map(|v| format!("{environment}apt-get {v} -y"));
            let install = (!names.is_empty()).then(|| format!("{environment}apt-get install -y{option} {names}"));
            let first = Some("apt-get update".to_owned());
            let last = Some("rm -rf /var/lib/apt/lists/*".to_owned());
            let commands: Vec<String> = [first, upgrade, install, last].into_iter().flatten().collect();
            format!("RUN {}", commands.join(" \\\n && "))
        }
        Some("apk") => {
            let upgrade = verb.map(|_| "apk upgrade --no-cache".to_owned());
            let install = (!names.is_empty()).then(|| format!("apk add --no-cache {names}"));
            let commands: Vec<String> = [upgrade, install].into_iter().flatten().collect();
            format!("RUN {}", commands.join(" \\\n && "))
        }
        // Nothing is there that could be brought up to date.
        _ if names.is_empty() => return Ok(None),
        _ => {
            return refuse(
                draft.from.line,
                format!("the runtime stage needs {names}, and `{}` has no package manager that restage knows", plan.runtime),
            );
        }
    };
    Ok(Some(Extra { anchor, text }))
}

/// The place from `anchor` on behind the variables by which the file's own first lines tell packages how to be installed.
fn behind_settings(draft: &Draft, anchor: usize) -> usize {
    let sets = |step: &crate::model::Step| match &step.view {
        View::Env { pairs, .. } | View::Arg { pairs } => pairs.iter().any(|p| facts().installing.contains(&p.name.text)),
        _ => false,
    };
    let settings = draft.steps.iter().take_while(|s| matches!(s.keyword, Keyword::Arg | Keyword::Env | Keyword::Label));
    settings.enumerate().skip(anchor).filter(|(_, s)| sets(s)).map(|(i, _)| i + 1).last().unwrap_or(anchor)
}

/// The paths that are taken from the builder, each with the step that makes it.
fn taken(plan: &Plan) -> impl Iterator<Item = (&str, usize)> {
    let folders = plan.snapshots.iter().map(|s| (s.folder.as_str(), s.last_writer));
    folders.chain(plan.artifacts.iter().map(|a| (a.path.as_str(), a.step)))
}

/// The COPYs from the builder.
fn copies(draft: &Draft, plan: &Plan, builder: &str) -> Vec<Extra> {
    let mut out = Vec::new();
    for snapshot in &plan.snapshots {
        out.push(copy(draft, builder, &Artifact { path: snapshot.folder.clone(), step: snapshot.last_writer }, None));
    }
    for artifact in &plan.artifacts {
        if plan.snapshot_of(&artifact.path).is_none() {
            out.push(copy(draft, builder, artifact, super::owner::of_maker(draft, artifact)));
        }
    }
    out
}

fn copy(draft: &Draft, builder: &str, artifact: &Artifact, maker: Option<String>) -> Extra {
    let owner = draft.copies.iter().rev().find(|c| c.destination == artifact.path).and_then(|c| c.chown.clone()).or(maker);
    let chown = owner.map(|o| format!("--chown={o} ")).unwrap_or_default();
    let path = &artifact.path;
    let paths = if path.contains(char::is_whitespace) { format!("[\"{path}\", \"{path}\"]") } else { format!("{path} {path}") };
    Extra { anchor: artifact.step, text: format!("COPY --from={builder} {chown}{paths}") }
}

/// The block, with the blank line behind it if one stands before it too, so that no double blank line stays.
fn with_blank_line(draft: &Draft, block: Span) -> Span {
    let items = &draft.model.file.items;
    let next = items.iter().find(|i| i.span.start == block.end);
    let previous = items.iter().rev().find(|i| i.span.end == block.start);
    let blank = |i: Option<&crate::syntax::Item>| i.is_some_and(|i| matches!(i.kind, ItemKind::Blank));
    let behind_from = previous.is_some_and(|i| matches!(&i.kind, ItemKind::Instruction(x) if x.keyword == Keyword::From));
    match next {
        Some(n) if blank(Some(n)) && (blank(previous) || behind_from) => Span::new(block.start, n.span.end),
        _ => block,
    }
}
