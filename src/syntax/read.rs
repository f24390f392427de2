//! What an instruction says: keyword, flags and arguments of the joined line, as BuildKit's parser makes them.

use std::borrow::Cow;

use super::json::{self, Json};
use super::lex::{self, Piece};
use super::logical::Logical;
use super::{Flag, Form, Keyword, Reading, Word};
use crate::source::Span;

/// The arguments of one instruction.
struct Arguments {
    form: Form,
    /// As BuildKit's parser makes them.
    args: Vec<String>,
    /// As they stand in the text.
    words: Vec<(String, Span)>,
}

impl Arguments {
    fn none() -> Self {
        Self { form: Form::Other, args: Vec::new(), words: Vec::new() }
    }

    fn one(form: Form, text: &str) -> Self {
        if text.is_empty() {
            return Self { form, ..Self::none() };
        }
        Self { form, args: vec![text.to_owned()], words: vec![(text.to_owned(), Span::new(0, text.len()))] }
    }

    fn each(form: Form, words: Vec<(String, Span)>) -> Self {
        Self { form, args: words.iter().map(|w| w.0.clone()).collect(), words }
    }
}

fn owned<'a>(pieces: impl IntoIterator<Item = Piece<'a>>) -> Vec<(String, Span)> {
    pieces.into_iter().map(|p| (p.text.into_owned(), p.span)).collect()
}

/// The arguments `args` of `keyword`, or why the builder's parser refuses them. One arm for each line parser of
/// parser/line_parsers.go, as `dispatch` in parser/parser.go hands them out.
fn arguments(keyword: Keyword, args: &str, escape: char) -> Result<Arguments, String> {
    match keyword {
        Keyword::Run | Keyword::Cmd | Keyword::Entrypoint | Keyword::Shell => maybe_json(args),
        Keyword::Add | Keyword::Copy | Keyword::Volume => match json::array(args) {
            Json::Strings(strings) => Ok(Arguments::each(Form::Exec, strings)),
            Json::Mixed => Err(MIXED.into()),
            Json::None => Ok(blank_delimited(args)),
        },
        Keyword::Expose | Keyword::From => Ok(blank_delimited(args)),
        Keyword::Env | Keyword::Label => name_values(keyword, args, escape),
        Keyword::Arg => Ok(Arguments::each(Form::Other, owned(lex::words(args, escape)))),
        Keyword::Healthcheck => healthcheck(args),
        Keyword::Maintainer | Keyword::Stopsignal | Keyword::User | Keyword::Workdir => Ok(Arguments::one(Form::Other, args)),
        Keyword::Onbuild => Ok(Arguments::none()),
        Keyword::Unknown => Ok(Arguments { args: vec![String::new()], ..Arguments::none() }),
    }
}

const MIXED: &str = "an array in JSON syntax holds strings only";

fn maybe_json(args: &str) -> Result<Arguments, String> {
    match json::array(args) {
        Json::Strings(strings) => Ok(Arguments::each(Form::Exec, strings)),
        Json::Mixed => Err(MIXED.into()),
        Json::None => Ok(Arguments::one(Form::Shell, args)),
    }
}

fn blank_delimited(args: &str) -> Arguments {
    if args.is_empty() {
        return Arguments::none();
    }
    Arguments::each(Form::Other, owned(lex::blank_delimited(args)))
}

/// Why `name_values` refuses `args`, if it does, without keeping anything.
fn check_names(keyword: Keyword, args: &str, escape: char) -> Result<(), String> {
    let mut words = lex::words(args, escape);
    let plain = words.next().is_none_or(|first| first.text.contains('=')) && words.all(|word| word.text.contains('='));
    if plain { Ok(()) } else { name_values(keyword, args, escape).map(drop) }
}

/// `parseNameVal`: `NAME=value ...`, or `NAME the rest` where the first word has no `=`.
fn name_values(keyword: Keyword, args: &str, escape: char) -> Result<Arguments, String> {
    let words: Vec<Piece<'_>> = lex::words(args, escape).collect();
    let Some(first) = words.first() else { return Ok(Arguments::none()) };
    if !first.text.contains('=') {
        let legacy = lex::split(args);
        let name = legacy.keyword.text(args);
        let Some(value) = legacy.rest.filter(|_| legacy.keyword.start == 0) else {
            return Err(format!("{keyword} needs a name and a value: `{keyword} {name}=value`"));
        };
        let value = Span::new(value.start, args.len());
        return Ok(Arguments {
            form: Form::Other,
            args: vec![name.to_owned(), value.text(args).to_owned(), String::new()],
            words: vec![(name.to_owned(), legacy.keyword), (value.text(args).to_owned(), value)],
        });
    }
    let mut out = Vec::with_capacity(words.len() * 3);
    for word in &words {
        let Some((name, value)) = word.text.split_once('=') else {
            return Err(format!("`{}` has no `=`: {keyword} takes NAME=value words", word.text));
        };
        out.extend([name.to_owned(), value.to_owned(), "=".to_owned()]);
    }
    Ok(Arguments { form: Form::Other, args: out, words: owned(words) })
}

/// `parseHealthConfig`: a type, then a command.
fn healthcheck(args: &str) -> Result<Arguments, String> {
    let (kind, next) = lex::first_word(args);
    if kind.is_empty() {
        return Ok(Arguments::none());
    }
    let command = lex::from_byte(args, next);
    let mut rest = maybe_json(&command)?;
    if rest.words.is_empty() && rest.form == Form::Shell {
        rest.form = Form::Other;
    }
    let end = args.len().min(kind.len());
    rest.args.insert(0, kind.clone().into_owned());
    for word in &mut rest.words {
        word.1 = Span::new(word.1.start + next, word.1.end + next);
    }
    rest.words.insert(0, (kind.into_owned(), Span::new(0, end)));
    Ok(rest)
}

/// The flags of `rest`, and the offset in it of the arguments.
fn flags(rest: &str, escape: char) -> (Vec<Piece<'_>>, usize) {
    // Nearly every instruction has none.
    if rest.starts_with("--") { lex::flags(rest, escape) } else { (Vec::new(), 0) }
}

/// One level of an instruction's text: keyword, flags, arguments, and where they are.
struct Level<'a> {
    keyword: Keyword,
    flags: Vec<Piece<'a>>,
    /// The offset of what the flags' spans count from.
    rest: usize,
    args: Cow<'a, str>,
    /// The offset of `args`.
    at: usize,
}

fn level(line: &str, escape: char) -> Level<'_> {
    let split = lex::split(line);
    level_of(line, split, Keyword::from_name(split.keyword.text(line)), escape)
}

fn level_of(line: &str, split: lex::Split, keyword: Keyword, escape: char) -> Level<'_> {
    let Some(rest) = split.rest else {
        return Level { keyword, flags: Vec::new(), rest: line.len(), args: "".into(), at: split.keyword.end };
    };
    let text = rest.text(line);
    let (flags, skip) = flags(text, escape);
    let args = lex::from_byte(text, skip);
    let at = rest.start + skip + (args.len() - args.trim_start().len());
    let args = match args {
        Cow::Borrowed(args) => Cow::Borrowed(args.trim()),
        Cow::Owned(args) => Cow::Owned(args.trim().to_owned()),
    };
    Level { keyword, flags, rest: rest.start, args, at }
}

/// What the tree holds of an instruction, found without building what it says.
pub(super) struct Outline {
    pub(super) keyword: Keyword,
    /// The keyword in the joined line.
    pub(super) name: Span,
    /// Whether the builder looks for heredocs in the instruction, or why its parser refuses it.
    pub(super) verdict: Result<bool, String>,
}

impl Outline {
    pub(super) fn of(line: &str, escape: char) -> Self {
        let split = lex::split(line);
        let keyword = Keyword::from_name(split.keyword.text(line));
        Self { keyword, name: split.keyword, verdict: verdict(level_of(line, split, keyword, escape), line, escape) }
    }
}

fn verdict(outer: Level<'_>, line: &str, escape: char) -> Result<bool, String> {
    // `canContainHeredoc` in parser/parser.go looks one level into ONBUILD.
    let mut deep = 0;
    let mut heredocs = false;
    let mut at = outer;
    loop {
        if deep < 2 && at.keyword != Keyword::Onbuild {
            heredocs = matches!(at.keyword, Keyword::Run | Keyword::Add | Keyword::Copy)
                && memchr::memchr(b'<', line.as_bytes()).is_some()
                && line.contains("<<")
                && json::array(&at.args) == Json::None;
        }
        if at.keyword != Keyword::Onbuild {
            break;
        }
        deep += 1;
        at = match at.args {
            Cow::Borrowed("") => return Ok(false),
            Cow::Borrowed(inner) => level(inner, escape),
            Cow::Owned(inner) => owned_level(&inner, escape),
        };
    }
    match at.keyword {
        Keyword::Env | Keyword::Label => check_names(at.keyword, &at.args, escape)?,
        Keyword::Healthcheck if !at.args.contains('[') => {}
        Keyword::Healthcheck => drop(arguments(at.keyword, &at.args, escape)?),
        _ if !at.args.starts_with('[') => {}
        _ => drop(arguments(at.keyword, &at.args, escape)?),
    }
    Ok(heredocs)
}

/// Without the flags, which nobody asks for behind an ONBUILD that is only checked.
fn owned_level(line: &str, escape: char) -> Level<'static> {
    let Level { keyword, rest, args, at, .. } = level(line, escape);
    Level { keyword, flags: Vec::new(), rest, args: args.into_owned().into(), at }
}

/// Reads the joined line.
pub(super) fn read(logical: &Logical<'_>, escape: char) -> Reading {
    let line = logical.text();
    let outer = level(line, escape);
    let onbuild = (outer.keyword == Keyword::Onbuild && !outer.args.is_empty()).then(|| {
        let inner = level(&outer.args, escape);
        // Not deeper: ONBUILD may not hold an ONBUILD, and a long chain of them must not cost more than its length.
        Box::new((inner.keyword, reading(logical, &inner, outer.at, outer.args.clone().into_owned(), None, escape)))
    });
    reading(logical, &outer, 0, line.to_owned(), onbuild, escape)
}

fn reading(
    logical: &Logical<'_>,
    level: &Level<'_>,
    base: usize,
    original: String,
    onbuild: Option<Box<(Keyword, Reading)>>,
    escape: char,
) -> Reading {
    let arguments = arguments(level.keyword, &level.args, escape).unwrap_or_else(|_| Arguments::none());
    let map = |offset: usize, span: Span| logical.span(Span::new(base + offset + span.start, base + offset + span.end));
    let flags = level.flags.iter().map(|flag| {
        let written = flag.text.strip_prefix("--").unwrap_or(&flag.text);
        let (name, value) = written.split_once('=').map_or((written, None), |(n, v)| (n, Some(v.to_owned())));
        Flag { name: name.to_owned(), value, span: map(level.rest, flag.span) }
    });
    Reading {
        original,
        flags: flags.collect(),
        form: arguments.form,
        args: arguments.args,
        words: arguments.words.into_iter().map(|(text, span)| Word { text, span: map(level.at, span) }).collect(),
        arguments: map(level.at, Span::new(0, level.args.len())),
        onbuild,
    }
}
