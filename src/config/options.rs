//! The options of the transforms: the one table that the settings file, the schema, `init` and `config` read.

use super::{Wrong, known_value};
use toml::Spanned;
use toml::de::DeValue;

/// An option that a transform reads.
#[derive(Clone, Copy, Debug)]
pub struct OptionSpec {
    /// The transform's id.
    pub transform: &'static str,
    /// The key in `[transforms.ID]`.
    pub name: &'static str,
    /// The values that it can have; empty for any of the default's type.
    pub values: &'static [&'static str],
    /// What holds where it is not set.
    pub default: &'static str,
    /// What it means, in a sentence.
    pub about: &'static str,
}

/// Every option of every transform.
pub const OPTIONS: &[OptionSpec] = &[
    OptionSpec {
        transform: "merge-run",
        name: "policy",
        values: &["size", "all"],
        default: "size",
        about: "\"size\" joins where it pays in a stage that ships, \"all\" wherever it can be done",
    },
    OptionSpec {
        transform: "merge-run",
        name: "style",
        values: &["chain", "heredoc", "auto"],
        default: "auto",
        about: "\"chain\" joins by &&, \"heredoc\" in here-documents where it can be done, \"auto\" in here-documents where the file has them",
    },
    OptionSpec {
        transform: "non-root",
        name: "user",
        values: &[],
        default: "app",
        about: "the name of the user that is made; where it is set, the image's own user is not taken",
    },
    OptionSpec {
        transform: "non-root",
        name: "uid",
        values: &[],
        default: "10001",
        about: "its number; where it is set, the image's own user is not taken",
    },
    OptionSpec {
        transform: "non-root",
        name: "gid",
        values: &[],
        default: "10001",
        about: "its group's number; that of the user where only uid is set",
    },
    OptionSpec { transform: "non-root", name: "home", values: &[], default: "/home/app", about: "its home, which is made" },
    OptionSpec {
        transform: "non-root",
        name: "shell",
        values: &[],
        default: "/bin/sh",
        about: "its login shell; the image's usual one where it is not set",
    },
    OptionSpec {
        transform: "non-root",
        name: "system",
        values: &[],
        default: "false",
        about: "true makes a system user, without a home and without a login shell",
    },
    OptionSpec {
        transform: "non-root",
        name: "numeric",
        values: &[],
        default: "true",
        about: "whether USER is a number, which Kubernetes can verify, or a name; users that images bring stay names unless it is set",
    },
];

impl OptionSpec {
    /// Its values as one lists them in a sentence, in quotes.
    #[must_use]
    pub fn choice(&self) -> String {
        match self.kind() {
            _ if !self.values.is_empty() => choice(self.values),
            "boolean" => "true or false".to_owned(),
            "integer" => "a number".to_owned(),
            _ => "text in quotes".to_owned(),
        }
    }

    /// The default as TOML.
    #[must_use]
    pub fn written_default(&self) -> String {
        if self.kind() == "string" { format!("{:?}", self.default) } else { self.default.to_owned() }
    }

    /// The type of its values, as TOML calls it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self.default {
            "true" | "false" => "boolean",
            text if text.parse::<u32>().is_ok() => "integer",
            _ => "string",
        }
    }

    /// Fails for a value that it can't have.
    pub(super) fn takes(&self, value: &Spanned<DeValue>) -> Result<(), Wrong> {
        if !self.values.is_empty() {
            return known_value(value, self.name, self.values);
        }
        let found = value.get_ref().type_str();
        if found == self.kind() {
            return Ok(());
        }
        Err((value.span().start, format!("`{}` is {}, found {found}", self.name, self.choice())))
    }
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
