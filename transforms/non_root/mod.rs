//! Runs the program of the final image as a user of its own.

mod account;
mod bundler;
mod commands;
pub(super) mod facts;
mod home;
mod places;
mod plan;
mod project;
mod sources;
mod start;
mod state;
mod subject;

use crate::model::image::{Image, ImageFacts};
use crate::model::{Base, Model, Step};
use crate::syntax::{Keyword, View};
use crate::transforms::{Findings, Group, Level, Proposal, Refusal, Transform};

use start::Objection;
use subject::Subject;

/// The transform.
pub const TRANSFORM: Transform = Transform {
    id: "non-root",
    summary: "Run the program as a user of its own, who owns what it may write",
    group: Group::Restructure,
    may_change: &["User"],
    page: include_str!("page.md"),
    run,
};

/// The options of `[transforms.non-root]`.
#[derive(Clone, Debug, Default)]
struct Settings {
    /// The name of the user that is made.
    user: Option<String>,
    /// Its uid.
    uid: Option<u32>,
    /// Its gid.
    gid: Option<u32>,
    /// Its home.
    home: Option<String>,
    /// Its login shell.
    shell: Option<String>,
    /// Whether it is a system user, without a home and a login shell.
    system: bool,
    /// Whether USER is a number.
    numeric: Option<bool>,
}

impl Settings {
    fn of(model: &Model) -> Self {
        let Some(table) = model.options.transforms.get(TRANSFORM.id) else { return Self::default() };
        let text = |key: &str| table.get(key).and_then(|v| v.as_str()).filter(|v| !v.is_empty()).map(ToOwned::to_owned);
        let number = |key: &str| table.get(key).and_then(toml::Value::as_integer).and_then(|n| u32::try_from(n).ok()).filter(|n| *n > 0);
        Self {
            user: text("user"),
            uid: number("uid"),
            gid: number("gid"),
            home: text("home"),
            shell: text("shell"),
            system: table.get("system").and_then(toml::Value::as_bool).unwrap_or_default(),
            numeric: table.get("numeric").and_then(toml::Value::as_bool),
        }
    }

    /// What no tool would take, or what the shell would read as something else.
    fn mistake(&self) -> Option<String> {
        let in_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-');
        let is_name = |n: &String| n.len() <= 32 && n.starts_with(|c: char| c.is_ascii_lowercase() || c == '_') && n.chars().all(in_name);
        let is_path = |p: &String| p.starts_with('/') && p.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-'));
        let wrong = |option: &str, value: &Option<String>, is: &dyn Fn(&String) -> bool, what: &str| {
            value.as_ref().filter(|v| !is(v)).map(|v| format!("the option {option} is `{v}`, which is no {what}"))
        };
        wrong("user", &self.user, &is_name, "name of a user")
            .or_else(|| wrong("home", &self.home, &is_path, "plain absolute path"))
            .or_else(|| wrong("shell", &self.shell, &is_path, "plain absolute path"))
    }
}

fn run(model: &Model) -> Findings {
    match propose(model) {
        Ok(Some(proposal)) => Findings { proposals: vec![proposal], refusals: Vec::new() },
        Ok(None) => Findings::default(),
        Err(o) => Findings { proposals: Vec::new(), refusals: vec![Refusal { reason: o.reason, line: o.line }] },
    }
}

fn object<T>(reason: impl Into<String>, line: usize) -> Result<T, Objection> {
    Err(Objection { reason: reason.into(), line })
}

fn propose(model: &Model) -> Result<Option<Proposal>, Objection> {
    let Some(subject) = Subject::of(model) else { return Ok(None) };
    if !model.file.errors.is_empty() || is_windows(subject.facts()) {
        return Ok(None);
    }
    if already(&subject)? {
        return Ok(None);
    }
    base_for_others(&subject)?;
    if let Some(facts) = subject.facts().filter(|f| f.drops_root) {
        let reason = format!("{} starts as root and gives up its rights itself", facts.family);
        return object(reason, subject.line());
    }
    let start = start::read(&subject);
    if let Some(first) = start.objections.first() {
        return Err(first.clone());
    }
    let settings = Settings::of(model);
    let account = account::choose(&subject, &settings)?;
    if let Some(found) = home::objection(&subject).or_else(|| bundler::objection(&subject)) {
        return Err(found);
    }
    let sources = sources::read(&subject, &start);
    if let Some(first) = sources.objections.first() {
        return object(first.reason.clone(), start.line);
    }
    let places = places::find(&subject, &start, &sources, &account)?;
    let plan = plan::make(&subject, &account, &places)?;
    let reason = reason(&subject, &account, &places, sources.complete);
    Ok(Some(Proposal {
        level: Level::Review,
        title: format!("run as {}", account.user),
        reason,
        line: plan.line,
        declares: vec!["User"],
        edits: plan.edits,
    }))
}

/// Whether the program is not root already.
fn already(subject: &Subject) -> Result<bool, Objection> {
    let last = subject.last(Keyword::User);
    let Some(stage) = subject.stage() else { return Ok(true) };
    let Some(user) = &stage.end.user else {
        return match last {
            Some(step) => object("which USER this is, is not known before the build", step.line),
            // An unknown base says nothing of its user; the reason is found below.
            None => Ok(false),
        };
    };
    let name = user.split(':').next().unwrap_or("");
    if !matches!(name, "" | "root" | "0") {
        return Ok(true);
    }
    match last {
        Some(step) => object("USER says root on purpose at the end", step.line),
        None => Ok(false),
    }
}

/// Others may build on this image, and their RUNs need root.
fn base_for_others(subject: &Subject) -> Result<(), Objection> {
    if let Some(step) = subject.last(Keyword::Onbuild) {
        return object("ONBUILD: other images are built on this one, and their RUNs need root", step.line);
    }
    if ![Keyword::Cmd, Keyword::Entrypoint].iter().any(|k| subject.last(*k).is_some_and(Step::starts)) {
        return object(
            "no gain: the file starts nothing of its own, so it is a base for others or starts what its base starts",
            subject.line(),
        );
    }
    let hidden = subject.model.context.root().and_then(|r| r.file_name()).is_some_and(|n| n == ".devcontainer");
    let name = |i: &Image| i.reference.as_ref().map_or_else(|| i.written.clone(), ToString::to_string);
    let image = subject.image().map(name).unwrap_or_default();
    if hidden || ["devcontainers/", "vscode/devcontainers", "vscode-dev-containers", "gitpod/"].iter().any(|d| image.contains(d)) {
        return object("a development container: its tools set the user", subject.line());
    }
    if subject.stage().is_some_and(|s| !s.used_by.is_empty()) {
        return object("the final stage is used by others", subject.line());
    }
    if let Some(Base::Image(image)) = subject.base()
        && image.reference.is_none()
    {
        return object(format!("which image {} is, is not known before the build", image.written), subject.line());
    }
    Ok(())
}

fn is_windows(facts: Option<&ImageFacts>) -> bool {
    facts.is_some_and(|f| f.distribution.as_deref() == Some("windows") || f.variant == "windows")
}

fn reason(subject: &Subject, account: &account::Account, places: &places::Places, complete: bool) -> String {
    let mut out = format!("a program that is broken into is root in the container; {}.", account.why);
    if let Some(first) = places.writes.first() {
        let names: Vec<&str> = places.writes.iter().map(|w| w.directory.as_str()).collect();
        out += &format!(" It gets {} to write to ({}).", names.join(", "), first.why);
    }
    if !complete {
        out += " The sources could not be read: see that it writes nowhere else.";
    }
    let low = subject.steps().filter_map(|(_, s)| match &s.view {
        View::Expose { ports } => {
            ports.iter().find_map(|p| p.text.split(['/', '-']).next()?.parse::<u16>().ok().filter(|n| (1..1024).contains(n)))
        }
        _ => None,
    });
    if let Some(port) = low.into_iter().next() {
        out += &format!(" Port {port} is below 1024: Docker since 20.10 lets it, some clusters and host networking do not.");
    }
    out
}
