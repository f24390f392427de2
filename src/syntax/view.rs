//! Typed views of what instructions say.

use super::{Form, Keyword, Reading, Word};
use crate::source::Span;

/// `NAME=value`, as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The name.
    pub name: Word,
    /// The value with quotes and variables as written; `None` for an ARG without default.
    pub value: Option<Word>,
}

/// What an instruction says, by its kind. Texts are as written: nothing is expanded.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs)]
pub enum View {
    From {
        image: Word,
        platform: Option<String>,
        alias: Option<Word>,
    },
    Run {
        form: Form,
    },
    /// COPY and ADD. `from` is the value of `--from`; sources that are heredocs are left out.
    Copy {
        add: bool,
        from: Option<String>,
        sources: Vec<Word>,
        destination: Word,
        form: Form,
    },
    /// `legacy`: the form `ENV name value`.
    Env {
        pairs: Vec<Pair>,
        legacy: bool,
    },
    Label {
        pairs: Vec<Pair>,
        legacy: bool,
    },
    Arg {
        pairs: Vec<Pair>,
    },
    Workdir {
        path: Word,
    },
    User {
        user: Word,
    },
    Cmd {
        form: Form,
    },
    Entrypoint {
        form: Form,
    },
    Expose {
        ports: Vec<Word>,
    },
    Volume {
        paths: Vec<Word>,
    },
    /// `form` is `None` for `HEALTHCHECK NONE`.
    Healthcheck {
        form: Option<Form>,
    },
    Stopsignal {
        signal: Word,
    },
    Shell {
        words: Vec<Word>,
    },
    Maintainer {
        name: Word,
    },
    Onbuild,
    /// An instruction that is not well formed, or none of the reference.
    Other,
}

impl View {
    /// The view of `reading`; [`View::Other`] where the arguments do not fit the keyword.
    #[must_use]
    pub fn of(keyword: Keyword, reading: &Reading) -> Self {
        Self::fitting(keyword, reading).unwrap_or(Self::Other)
    }

    fn fitting(keyword: Keyword, reading: &Reading) -> Option<Self> {
        let words = &reading.words;
        let form = reading.form;
        let one = || match words.as_slice() {
            [word] => Some(word.clone()),
            _ => None,
        };
        let some = || (!words.is_empty()).then(|| words.clone());
        Some(match keyword {
            Keyword::From => {
                let (image, alias) = match words.as_slice() {
                    [image] => (image, None),
                    [image, by, alias] if super::problems::fold_eq(&by.text, "as") => (image, Some(alias.clone())),
                    _ => return None,
                };
                Self::From { image: image.clone(), platform: reading.flag("platform").map(str::to_owned), alias }
            }
            Keyword::Run => Self::Run { form },
            Keyword::Copy | Keyword::Add => {
                let (destination, sources) = words.split_last()?;
                if sources.is_empty() {
                    return None;
                }
                let heredoc = |w: &&Word| form == Form::Exec || !matches!(super::heredoc::start(&w.text), Ok(Some(_)));
                Self::Copy {
                    add: keyword == Keyword::Add,
                    from: reading.flag("from").map(str::to_owned),
                    sources: sources.iter().filter(heredoc).cloned().collect(),
                    destination: destination.clone(),
                    form,
                }
            }
            Keyword::Env | Keyword::Label => {
                let legacy = reading.args.len() == 3 && reading.args.get(2).is_some_and(String::is_empty);
                let pairs = match words.as_slice() {
                    [] => return None,
                    [name, value] if legacy => vec![Pair { name: name.clone(), value: Some(value.clone()) }],
                    words => words.iter().map(pair).collect(),
                };
                if keyword == Keyword::Env { Self::Env { pairs, legacy } } else { Self::Label { pairs, legacy } }
            }
            Keyword::Arg => Self::Arg { pairs: some()?.iter().map(pair).collect() },
            Keyword::Workdir => Self::Workdir { path: one()? },
            Keyword::User => Self::User { user: one()? },
            Keyword::Cmd => Self::Cmd { form },
            Keyword::Entrypoint => Self::Entrypoint { form },
            Keyword::Expose => Self::Expose { ports: some()? },
            Keyword::Volume => Self::Volume { paths: some()? },
            Keyword::Healthcheck => {
                let kind = words.first()?;
                match (kind.text.to_ascii_uppercase().as_str(), words.len()) {
                    ("NONE", 1) => Self::Healthcheck { form: None },
                    ("CMD", 2..) => Self::Healthcheck { form: Some(form) },
                    _ => return None,
                }
            }
            Keyword::Stopsignal => Self::Stopsignal { signal: one()? },
            Keyword::Shell if form == Form::Exec => Self::Shell { words: words.clone() },
            Keyword::Maintainer => Self::Maintainer { name: one()? },
            Keyword::Onbuild => Self::Onbuild,
            Keyword::Shell | Keyword::Unknown => return None,
        })
    }
}

/// `NAME=value` cut at its first `=`.
fn pair(word: &Word) -> Pair {
    let Some((name, value)) = word.text.split_once('=') else { return Pair { name: word.clone(), value: None } };
    // Should a continuation stand inside the word, it stands in the value: nobody breaks a name.
    let middle = (word.span.start + name.len()).min(word.span.end);
    let behind = (middle + 1).min(word.span.end);
    Pair {
        name: Word { text: name.to_owned(), span: Span::new(word.span.start, middle) },
        value: Some(Word { text: value.to_owned(), span: Span::new(behind, word.span.end) }),
    }
}
