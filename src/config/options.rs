//! The options of the transforms: the one table that the settings file, the schema, `init` and `config` read.

use super::{Wrong, known_value};
use crate::catalog::is_system_account;
use serde_json::{Value, json};
use toml::Spanned;
use toml::de::DeValue;

/// An option that a transform reads.
#[derive(Clone, Copy, Debug)]
pub struct OptionSpec {
    /// The transform's id.
    pub transform: &'static str,
    /// The key in `[transforms.ID]`.
    pub name: &'static str,
    /// The values that it can have.
    pub takes: Takes,
    /// What holds where it is not set.
    pub default: &'static str,
    /// What it means, in a sentence.
    pub about: &'static str,
}

/// The values that an option can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// One of these words.
    Word(&'static [&'static str]),
    /// `true` or `false`.
    Truth,
    /// The number of a user or group of one's own.
    Id,
    /// The name of a user of one's own.
    Name,
    /// A plain absolute path.
    Path,
}

/// The smallest number that distributions leave to users of one's own (`UID_MIN` and `GID_MIN` in `/etc/login.defs`).
const FIRST_ID: i64 = 1000;
/// The largest number that the builder takes in USER (`maxID` in moby/sys/user).
const LAST_ID: i64 = 0x7fff_ffff;
/// Names that every tool takes (`is_valid_name` of shadow).
const NAME: &str = "^[a-z_][a-z0-9_-]{0,31}$";
/// Paths in which no shell reads anything.
const PATH: &str = "^/[A-Za-z0-9/._-]*$";

/// Every option of every transform.
pub const OPTIONS: &[OptionSpec] = &[
    OptionSpec {
        transform: "merge-run",
        name: "policy",
        takes: Takes::Word(&["size", "all"]),
        default: "size",
        about: "\"size\" joins where it pays in a stage that ships, \"all\" wherever it can be done",
    },
    OptionSpec {
        transform: "merge-run",
        name: "style",
        takes: Takes::Word(&["chain", "heredoc", "auto"]),
        default: "auto",
        about: "\"chain\" joins by &&, \"heredoc\" in here-documents where it can be done, \"auto\" in here-documents where the file has them",
    },
    OptionSpec {
        transform: "non-root",
        name: "user",
        takes: Takes::Name,
        default: "app",
        about: "the name of the user that is made; where it is set, the image's own user is not taken",
    },
    OptionSpec {
        transform: "non-root",
        name: "uid",
        takes: Takes::Id,
        default: "10001",
        about: "its number; where it is set, the image's own user is not taken",
    },
    OptionSpec {
        transform: "non-root",
        name: "gid",
        takes: Takes::Id,
        default: "10001",
        about: "its group's number; that of the user where only uid is set",
    },
    OptionSpec { transform: "non-root", name: "home", takes: Takes::Path, default: "/home/app", about: "its home, which is made" },
    OptionSpec {
        transform: "non-root",
        name: "shell",
        takes: Takes::Path,
        default: "/bin/sh",
        about: "its login shell; the image's usual one where it is not set",
    },
    OptionSpec {
        transform: "non-root",
        name: "system",
        takes: Takes::Truth,
        default: "false",
        about: "true makes a system user, without a home and without a login shell",
    },
    OptionSpec {
        transform: "non-root",
        name: "numeric",
        takes: Takes::Truth,
        default: "true",
        about: "whether USER is a number, which Kubernetes can verify, or a name; users that images bring stay names unless it is set",
    },
];

impl OptionSpec {
    /// Its values as one lists them in a sentence, in quotes.
    #[must_use]
    pub fn choice(&self) -> String {
        match self.takes {
            Takes::Word(words) => choice(words),
            Takes::Truth => "true or false".to_owned(),
            Takes::Id => format!("a number from {FIRST_ID} to {LAST_ID}"),
            Takes::Name => "the name of a user in quotes".to_owned(),
            Takes::Path => "an absolute path in quotes".to_owned(),
        }
    }

    /// The default as TOML.
    #[must_use]
    pub fn written_default(&self) -> String {
        if self.kind() == "string" { format!("{:?}", self.default) } else { self.default.to_owned() }
    }

    /// The type of its values, as TOML calls it.
    fn kind(&self) -> &'static str {
        match self.takes {
            Takes::Truth => "boolean",
            Takes::Id => "integer",
            Takes::Word(_) | Takes::Name | Takes::Path => "string",
        }
    }

    /// Its values in JSON Schema.
    #[must_use]
    pub fn schema(&self) -> Value {
        let about = format!("{}; {} by default", self.about, self.written_default());
        match self.takes {
            Takes::Word(words) => json!({ "enum": words, "default": self.default, "description": self.about }),
            Takes::Truth => json!({ "type": "boolean", "description": about }),
            Takes::Id => json!({ "type": "integer", "minimum": FIRST_ID, "maximum": LAST_ID, "description": about }),
            Takes::Name => json!({ "type": "string", "pattern": NAME, "description": about }),
            Takes::Path => json!({ "type": "string", "pattern": PATH, "description": about }),
        }
    }

    /// Fails for a value that it can't have.
    pub(super) fn takes(&self, value: &Spanned<DeValue>) -> Result<(), Wrong> {
        let wrong = |said: String| Err((value.span().start, said));
        let found = value.get_ref().type_str();
        match self.takes {
            Takes::Word(words) => return known_value(value, self.name, words),
            _ if found != self.kind() => return wrong(format!("`{}` is {}, found {found}", self.name, self.choice())),
            Takes::Truth => {}
            Takes::Id => {
                // A number that does not even fit is too large, or too small where it has a sign.
                let digits = value.get_ref().as_integer();
                let number = digits.and_then(|d| i64::from_str_radix(d.as_str(), d.radix()).ok());
                let low = digits.is_some_and(|d| d.as_str().starts_with('-'));
                let number = number.unwrap_or(if low { i64::MIN } else { i64::MAX });
                if !(FIRST_ID..=LAST_ID).contains(&number) {
                    let nearest = number.clamp(FIRST_ID, LAST_ID);
                    let why = match number {
                        0 => " (which is root)",
                        1..FIRST_ID => " (those below are the distributions' own)",
                        _ => "",
                    };
                    let shown = digits.map_or_else(String::new, ToString::to_string);
                    return wrong(format!("`{}` is {}, found {shown}{why}; the nearest is {nearest}", self.name, self.choice()));
                }
            }
            Takes::Name => {
                let name = value.get_ref().as_str().unwrap_or_default();
                if is_system_account(name) {
                    return wrong(format!(
                        "`{}` is a user of one's own, and `{name}` is a user or group that distributions bring; take another name, such as `{}`",
                        self.name, self.default
                    ));
                }
                if !is_name(name) {
                    return wrong(format!(
                        "`{}` is `{name}`, which is no name of a user (lower-case letters, digits, `_` and `-`, not more than 32); did you mean `{}`?",
                        self.name,
                        as_name(name).unwrap_or_else(|| self.default.to_owned())
                    ));
                }
            }
            Takes::Path => {
                let path = value.get_ref().as_str().unwrap_or_default();
                let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-');
                if !path.starts_with('/') || !path.chars().all(plain) {
                    return wrong(format!("`{}` is `{path}`, which is no plain absolute path, such as `{}`", self.name, self.default));
                }
            }
        }
        Ok(())
    }
}

/// Whether every tool takes it as the name of a user, as [`NAME`] has it.
fn is_name(name: &str) -> bool {
    let inside = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-');
    name.len() <= 32 && name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_') && name.chars().all(inside)
}

/// The name that was probably meant.
fn as_name(text: &str) -> Option<String> {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c.to_ascii_lowercase() } else { '-' };
    let name: String = text.trim().chars().map(plain).skip_while(|c| !c.is_ascii_lowercase() && *c != '_').take(32).collect();
    let name = name.trim_end_matches('-').to_owned();
    (is_name(&name) && !is_system_account(&name)).then_some(name)
}

/// `"a", "b" or "c"`.
pub(super) fn choice(values: &[&str]) -> String {
    let quoted: Vec<String> = values.iter().map(|v| format!("{v:?}")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => String::new(),
    }
}
