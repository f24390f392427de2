//! What `restage parse --format json` prints of a file.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::ser::{Serialize, SerializeStruct, Serializer};

use crate::model::check::check_read;
use crate::source::Diagnostic;
use crate::syntax::{Dockerfile, Flag, Form, Heredoc, Instruction, Item, ItemKind, Reading, decode, problems_read};

/// The object for the file `path` that holds `bytes`, as JSON. `with_text` adds the file printed back from its tree, `pretty`
/// breaks it into lines.
///
/// # Errors
/// Where the serializer fails, which a buffer in memory gives no cause for.
pub fn parse_json(path: &str, bytes: &[u8], with_text: bool, pretty: bool) -> serde_json::Result<Vec<u8>> {
    let parsed;
    let object = match decode(bytes) {
        Ok(source) => {
            parsed = Parsed::new(source);
            parsed.object(path, with_text)
        }
        Err(diagnostic) => Object { path, errors: vec![diagnostic.into()], ..Object::default() },
    };
    if pretty {
        return serde_json::to_vec_pretty(&object);
    }
    // The text is in the answer about three times: as it stands, joined, and in words.
    let mut out = Vec::with_capacity(bytes.len() * 5 + 256);
    serde_json::to_writer(&mut out, &object)?;
    Ok(out)
}

/// A file with everything that is said of it.
struct Parsed {
    file: Dockerfile,
    readings: Vec<Reading>,
    problems: Vec<Diagnostic>,
}

impl Parsed {
    fn new(source: &str) -> Self {
        let file = Dockerfile::parse(source);
        let mut readings: Vec<Reading> = file.instructions().map(|(_, instruction)| file.read(instruction)).collect();
        let mut problems = problems_read(&file, readings.iter());
        // Only a file whose instructions are all well formed goes on to the converter.
        if file.errors.is_empty() && problems.is_empty() {
            (problems, readings) = check_read(&file, readings);
        }
        Self { file, readings, problems }
    }

    fn object<'a>(&'a self, path: &'a str, with_text: bool) -> Object<'a> {
        let mut readings = self.readings.iter();
        let items = self.file.items.iter().map(|item| {
            let instruction = match &item.kind {
                ItemKind::Instruction(instruction) => readings.next().map(|reading| (&**instruction, reading)),
                _ => None,
            };
            ItemObject { file: &self.file, item, instruction }
        });
        Object {
            path,
            directives: self.file.directives.iter().map(|d| (d.name.as_str(), d.value.as_str())).collect(),
            items: items.collect(),
            errors: self.file.errors.iter().cloned().map(Message::from).collect(),
            problems: self.problems.iter().cloned().map(Message::from).collect(),
            text: with_text.then(|| self.file.print()),
        }
    }
}

#[derive(Default, serde::Serialize)]
struct Object<'a> {
    path: &'a str,
    directives: BTreeMap<&'a str, &'a str>,
    items: Vec<ItemObject<'a>>,
    errors: Vec<Message>,
    problems: Vec<Message>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

#[derive(serde::Serialize)]
struct Message {
    message: String,
    line: usize,
}

impl From<Diagnostic> for Message {
    fn from(diagnostic: Diagnostic) -> Self {
        Self { message: diagnostic.message, line: diagnostic.line }
    }
}

struct ItemObject<'a> {
    file: &'a Dockerfile,
    item: &'a Item,
    instruction: Option<(&'a Instruction, &'a Reading)>,
}

impl Serialize for ItemObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let kind = match &self.item.kind {
            ItemKind::Directive => "directive",
            ItemKind::Comment => "comment",
            ItemKind::Blank => "blank",
            ItemKind::Unknown => "unknown",
            ItemKind::Instruction(_) => "instruction",
        };
        let mut object = serializer.serialize_struct("Item", if self.instruction.is_some() { 12 } else { 5 })?;
        object.serialize_field("kind", kind)?;
        if let Some((_, reading)) = self.instruction {
            object.serialize_field("keyword", &*written_name(&reading.original))?;
        }
        object.serialize_field("start_line", &self.item.start_line)?;
        object.serialize_field("end_line", &self.item.end_line)?;
        object.serialize_field("start", &self.item.span.start)?;
        object.serialize_field("end", &self.item.span.end)?;
        if let Some((instruction, reading)) = self.instruction {
            object.serialize_field("flags", &Flags(&reading.flags))?;
            object.serialize_field("form", form(reading.form))?;
            object.serialize_field("original", &reading.original)?;
            object.serialize_field("args", &reading.args)?;
            object.serialize_field("heredocs", &Heredocs(&instruction.heredocs, self.file.source()))?;
            let onbuild = reading.onbuild.as_deref().map(|(_, inner)| OnbuildObject {
                keyword: written_name(&inner.original),
                args: &inner.args,
                flags: Flags(&inner.flags),
            });
            object.serialize_field("onbuild", &onbuild)?;
        }
        object.end()
    }
}

#[derive(serde::Serialize)]
struct OnbuildObject<'a> {
    keyword: Cow<'a, str>,
    args: &'a [String],
    flags: Flags<'a>,
}

struct Heredocs<'a>(&'a [Heredoc], &'a str);

impl Serialize for Heredocs<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|h| HeredocObject {
            name: &h.name,
            expand: h.expand,
            strip_tabs: h.strip_tabs,
            content: h.content.text(self.1),
        }))
    }
}

#[derive(serde::Serialize)]
struct HeredocObject<'a> {
    name: &'a str,
    expand: bool,
    strip_tabs: bool,
    content: &'a str,
}

/// The flags as BuildKit's parser has them: `--name=value`, unquoted.
struct Flags<'a>(&'a [Flag]);

impl Serialize for Flags<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|flag| match &flag.value {
            Some(value) => format!("--{}={value}", flag.name),
            None => format!("--{}", flag.name),
        }))
    }
}

/// The keyword in capitals, letter by letter; two letters that Unicode 16 gave capitals have none for the builder.
fn written_name(line: &str) -> Cow<'_, str> {
    let name = Dockerfile::written_keyword(line);
    let capital = |c: char| {
        let mut upper = c.to_uppercase();
        let only = upper.next().filter(|_| upper.next().is_none() && !matches!(c, '\u{19b}' | '\u{264}'));
        only.unwrap_or(c)
    };
    if name.bytes().all(|b| b.is_ascii_uppercase()) { name.into() } else { name.chars().map(capital).collect::<String>().into() }
}

const fn form(form: Form) -> &'static str {
    match form {
        Form::Exec => "exec",
        Form::Shell => "shell",
        Form::Other => "other",
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn capitals() {
        for (written, capital) in
            [("run x", "RUN"), ("fo\u{264}o x", "FO\u{264}O"), ("stra\u{df}e", "STRA\u{df}E"), ("\u{e9}t\u{e9}", "\u{c9}T\u{c9}")]
        {
            assert_eq!(super::written_name(written), capital);
        }
    }
}
