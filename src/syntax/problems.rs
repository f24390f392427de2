//! What the builder's second pass refuses whatever the build's options: unknown keywords, wrong arguments, unknown flags.
//!
//! The rules are those of BuildKit's `frontend/dockerfile/instructions/parse.go`, one arm for each of its functions. What
//! depends on the values of variables is checked where they are known, in [`crate::model::check`].

use super::near::near_miss;
use super::weight::too_much;
use super::{Dockerfile, Flag, Form, Instruction, Keyword, Reading, mount};
use crate::source::{Diagnostic, Span};

/// What the builder refuses behind its parser. Nothing for a file that the parser itself refuses: there
/// [`Dockerfile::errors`] says why.
#[must_use]
pub fn problems(file: &Dockerfile) -> Vec<Diagnostic> {
    if !file.errors.is_empty() {
        return Vec::new();
    }
    let readings: Vec<Reading> = file.instructions().map(|(_, instruction)| file.read(instruction)).collect();
    of_each(file, readings.iter())
}

/// The same where the instructions have been read already: one reading for each, in order.
pub(crate) fn problems_read<'a>(file: &Dockerfile, readings: impl Iterator<Item = &'a Reading> + Clone) -> Vec<Diagnostic> {
    if file.errors.is_empty() { of_each(file, readings) } else { Vec::new() }
}

fn of_each<'a>(file: &Dockerfile, readings: impl Iterator<Item = &'a Reading> + Clone) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut in_stage = false;
    for ((index, instruction), reading) in file.instructions().zip(readings.clone()) {
        let line = file.items.get(index).map_or(1, |item| item.start_line);
        let mut report = |message: String, span: Span| found.push(Diagnostic { message, line, span });
        let name = instruction.keyword_span;
        match check(instruction, reading) {
            Err(Refusal { message, span }) => report(message, span.unwrap_or(name)),
            Ok(()) if !in_stage && !matches!(instruction.keyword, Keyword::From | Keyword::Arg) => {
                report(format!("{} stands before the first FROM: only ARG may", instruction.keyword), name);
            }
            Ok(()) => {}
        }
        in_stage |= instruction.keyword == Keyword::From;
    }
    if let Some((index, instruction)) = too_much(file, readings).and_then(|n| file.instructions().nth(n)) {
        let line = file.items.get(index).map_or(1, |item| item.start_line);
        let message = "up to here the file sets so many names, one by one, that restage does not follow it any further".into();
        found.push(Diagnostic { message, line, span: instruction.keyword_span });
    }
    if !in_stage && found.is_empty() {
        found.push(Diagnostic { message: "the file has no FROM, so there is nothing to build".into(), line: 1, span: Span::default() });
    }
    found
}

/// What the builder refuses of the one instruction of `file`, which an ONBUILD brings into a stage.
pub(crate) fn trigger(file: &Dockerfile) -> Option<String> {
    if let Some(error) = file.errors.first() {
        return Some(error.message.clone());
    }
    let mut instructions = file.instructions();
    let (Some((_, instruction)), None) = (instructions.next(), instructions.next()) else {
        return Some("ONBUILD holds more than one instruction".into());
    };
    if matches!(instruction.keyword, Keyword::From) {
        return Some("ONBUILD can't hold FROM".into());
    }
    check(instruction, &file.read(instruction)).err().map(|refusal| refusal.message)
}

/// Why an instruction is refused.
struct Refusal {
    message: String,
    span: Option<Span>,
}

impl From<String> for Refusal {
    fn from(message: String) -> Self {
        Self { message, span: None }
    }
}

fn refuse<T>(message: impl Into<String>) -> Result<T, Refusal> {
    Err(message.into().into())
}

/// What a flag takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    Bool,
    One,
    Many,
}

/// The flags of an instruction; `None` where the builder does not look at them.
fn flags_of(keyword: Keyword) -> Option<&'static [(&'static str, Takes)]> {
    use Takes::{Bool, Many, One};
    Some(match keyword {
        Keyword::Add => &[
            ("chown", One),
            ("chmod", One),
            ("link", Bool),
            ("keep-git-dir", Bool),
            ("checksum", One),
            ("unpack", Bool),
            ("exclude", Many),
        ],
        Keyword::Copy => &[("chown", One), ("from", One), ("chmod", One), ("link", Bool), ("exclude", Many), ("parents", Bool)],
        Keyword::From => &[("platform", One)],
        Keyword::Run => &[("mount", Many), ("network", One), ("security", One), ("device", Many)],
        Keyword::Healthcheck => &[("interval", One), ("timeout", One), ("start-period", One), ("start-interval", One), ("retries", One)],
        Keyword::Stopsignal | Keyword::Arg => return None,
        _ => &[],
    })
}

/// `BFlags.Parse` in instructions/bflag.go.
fn check_flags(keyword: Keyword, flags: &[Flag]) -> Result<(), Refusal> {
    let Some(known) = flags_of(keyword) else { return Ok(()) };
    for (i, flag) in flags.iter().enumerate() {
        let at = |message: String| Refusal { message, span: Some(flag.span) };
        let name = &flag.name;
        let Some((_, takes)) = known.iter().find(|(n, _)| n == name) else {
            let hint = near_miss(name, known.iter().map(|(n, _)| *n)).map(|n| format!("; did you mean `--{n}`?")).unwrap_or_default();
            return Err(at(format!("{keyword} has no flag `--{name}`{hint}")));
        };
        if *takes != Takes::Many && flags.iter().take(i).any(|f| f.name == *name) {
            return Err(at(format!("the flag `--{name}` stands twice")));
        }
        match (takes, flag.value.as_deref()) {
            (Takes::Bool, None) => {}
            (Takes::Bool, Some(value)) if matches!(value.to_lowercase().as_str(), "true" | "false") => {}
            (Takes::Bool, Some(value)) => return Err(at(format!("`--{name}` is true or false, not `{value}`"))),
            (_, None) => return Err(at(format!("the flag `--{name}` lacks its value: `--{name}=...`"))),
            _ => {}
        }
    }
    Ok(())
}

fn check(instruction: &Instruction, reading: &Reading) -> Result<(), Refusal> {
    let keyword = instruction.keyword;
    let args = &reading.args;
    let one = || if args.len() == 1 { Ok(()) } else { refuse(format!("{keyword} takes exactly one argument")) };
    let some = || if args.is_empty() { refuse(format!("{keyword} needs an argument")) } else { Ok(()) };
    match keyword {
        Keyword::Unknown => unknown(&reading.original),
        Keyword::Onbuild => onbuild(reading),
        // The builder looks at the flags of NONE no more than at its arguments.
        Keyword::Healthcheck => healthcheck(reading),
        _ => {
            match keyword {
                Keyword::Env | Keyword::Label => names(keyword, args)?,
                Keyword::Add | Keyword::Copy => sources(keyword, reading)?,
                Keyword::From => from(reading)?,
                Keyword::Maintainer | Keyword::Workdir | Keyword::User | Keyword::Stopsignal => one()?,
                Keyword::Expose => some()?,
                Keyword::Volume => {
                    some()?;
                    if args.iter().any(|a| a.trim().is_empty()) {
                        return refuse("VOLUME names an empty path");
                    }
                }
                Keyword::Arg => {
                    some()?;
                    if args.iter().any(|a| a.starts_with('=')) {
                        return refuse("ARG has no name before the `=`");
                    }
                }
                Keyword::Shell => {
                    some()?;
                    if reading.form != Form::Exec {
                        return refuse("SHELL takes a JSON array of strings: `SHELL [\"/bin/bash\", \"-c\"]`");
                    }
                }
                _ => {}
            }
            check_flags(keyword, &reading.flags)?;
            if keyword == Keyword::Run { run(reading) } else { Ok(()) }
        }
    }
}

fn unknown(original: &str) -> Result<(), Refusal> {
    let name = super::lex::split(original).keyword.text(original);
    let short: String = name.chars().take(40).collect();
    if name.starts_with("{{") || name.starts_with("{%") {
        return refuse(format!("`{short}` is no instruction: this looks like a template, not like a Dockerfile"));
    }
    if matches!(name, "&&" | "||" | "|" | ";") {
        return refuse(format!("`{name}` is no instruction; is the `\\` missing at the end of the line above?"));
    }
    match near_miss(name, Keyword::ALL.iter().map(|(_, n)| *n)) {
        Some(meant) => refuse(format!("`{short}` is no instruction; did you mean `{meant}`?")),
        None => refuse(format!("`{short}` is no instruction")),
    }
}

/// `parseKvps`.
fn names(keyword: Keyword, args: &[String]) -> Result<(), Refusal> {
    if args.is_empty() {
        return refuse(format!("{keyword} needs an argument: `{keyword} NAME=value`"));
    }
    if args.iter().step_by(3).any(String::is_empty) {
        return refuse(format!("{keyword} has no name before the `=`"));
    }
    Ok(())
}

/// `parseSourcesAndDest`.
fn sources(keyword: Keyword, reading: &Reading) -> Result<(), Refusal> {
    let Some((destination, [_, ..])) = reading.args.split_last() else {
        return refuse(format!("{keyword} needs a source and a destination"));
    };
    if matches!(super::heredoc::start(destination), Ok(Some(_))) {
        return refuse(format!("{keyword} can't write to a heredoc: the destination is missing"));
    }
    Ok(())
}

/// `parseBuildStageName`.
fn from(reading: &Reading) -> Result<(), Refusal> {
    match reading.args.as_slice() {
        [_] => Ok(()),
        [_, by, name] if fold_eq(by, "as") => {
            let lower = name.to_lowercase();
            let plain = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '-' | '_' | '.');
            if lower.starts_with(|c: char| c.is_ascii_lowercase()) && lower.chars().all(plain) {
                return Ok(());
            }
            let span = reading.words.get(2).map(|w| w.span);
            let message = format!("`{name}` can't name a stage: a letter first, then letters, digits, `-`, `_` and `.`");
            Err(Refusal { message, span })
        }
        [_, by, _] => refuse(format!("FROM takes an image, or an image AS a name; `{by}` is not AS")),
        _ => refuse("FROM takes an image, or an image AS a name"),
    }
}

/// Go's `strings.EqualFold` for a lower-case ASCII name: the long s folds to `s` there.
pub(super) fn fold_eq(text: &str, name: &str) -> bool {
    text.chars().map(|c| if c == '\u{17f}' { 's' } else { c.to_ascii_lowercase() }).eq(name.chars())
}

/// `parseOnBuild`.
fn onbuild(reading: &Reading) -> Result<(), Refusal> {
    let Some(inner) = &reading.onbuild else { return refuse("ONBUILD needs an instruction") };
    check_flags(Keyword::Onbuild, &reading.flags)?;
    // The builder trims and folds the name more widely here than where it looks the instruction up.
    let name = Dockerfile::written_keyword(&inner.1.original).trim().to_uppercase();
    match Keyword::from_name(&name) {
        Keyword::Onbuild => refuse("ONBUILD can't hold another ONBUILD"),
        Keyword::From | Keyword::Maintainer => refuse(format!("ONBUILD can't hold {name}")),
        _ => Ok(()),
    }
}

/// `parseHealthcheck`.
fn healthcheck(reading: &Reading) -> Result<(), Refusal> {
    let Some((kind, command)) = reading.args.split_first() else { return refuse("HEALTHCHECK needs `CMD` and a command, or `NONE`") };
    let upper = kind.to_uppercase();
    if upper == "NONE" {
        return if command.is_empty() { Ok(()) } else { refuse("HEALTHCHECK NONE takes no arguments") };
    }
    check_flags(Keyword::Healthcheck, &reading.flags)?;
    if upper != "CMD" {
        return refuse(format!("`{kind}` is no kind of HEALTHCHECK: it takes `CMD` and a command, or `NONE`"));
    }
    if command.is_empty() {
        return refuse("HEALTHCHECK CMD lacks its command");
    }
    for flag in &reading.flags {
        let at = |message: String| Refusal { message, span: Some(flag.span) };
        let value = flag.value.as_deref().unwrap_or("");
        if value.is_empty() {
            continue;
        }
        if flag.name == "retries" {
            if !value.parse::<i32>().is_ok_and(|n| n >= 0) {
                return Err(at(format!("`--retries` is a number from 0, not `{value}`")));
            }
        } else {
            match super::duration::nanoseconds(value) {
                None => return Err(at(format!("`--{}` is a duration such as 30s or 1m30s, not `{value}`", flag.name))),
                Some(n) if n != 0 && n < 1_000_000 => return Err(at(format!("`--{}` can't be less than a millisecond", flag.name))),
                Some(_) => {}
            }
        }
    }
    Ok(())
}

/// The hooks of `parseRun`: mounts, network, security.
fn run(reading: &Reading) -> Result<(), Refusal> {
    for flag in &reading.flags {
        let value = flag.value.as_deref().unwrap_or("");
        let checked = match flag.name.as_str() {
            "mount" => mount::check_written(value),
            "network" if !matches!(value, "default" | "none" | "host") => Err(format!("`{value}` is no network: default, none or host")),
            "device" => mount::check_device(value),
            "security" if !matches!(value, "insecure" | "sandbox") => Err(format!("`{value}` is no security mode: insecure or sandbox")),
            _ => Ok(()),
        };
        checked.map_err(|message| Refusal { message, span: Some(flag.span) })?;
    }
    Ok(())
}
