//! What `restage parse --format json` prints of a file.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::model::check::check;
use crate::source::Diagnostic;
use crate::syntax::{Dockerfile, Flag, Form, ItemKind, Reading, decode, problems};

/// A file as `restage parse` shows it.
#[derive(Clone, Debug, Serialize)]
pub struct ParseObject {
    path: String,
    directives: BTreeMap<String, String>,
    items: Vec<ItemObject>,
    errors: Vec<Message>,
    problems: Vec<Message>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
struct Message {
    message: String,
    line: usize,
}

impl From<Diagnostic> for Message {
    fn from(diagnostic: Diagnostic) -> Self {
        Self { message: diagnostic.message, line: diagnostic.line }
    }
}

#[derive(Clone, Debug, Serialize)]
struct ItemObject {
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    keyword: Option<String>,
    start_line: usize,
    end_line: usize,
    start: usize,
    end: usize,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    instruction: Option<InstructionObject>,
}

#[derive(Clone, Debug, Serialize)]
struct InstructionObject {
    flags: Vec<String>,
    form: &'static str,
    original: String,
    args: Vec<String>,
    heredocs: Vec<HeredocObject>,
    onbuild: Option<OnbuildObject>,
}

#[derive(Clone, Debug, Serialize)]
struct HeredocObject {
    name: String,
    expand: bool,
    strip_tabs: bool,
    content: String,
}

#[derive(Clone, Debug, Serialize)]
struct OnbuildObject {
    keyword: String,
    args: Vec<String>,
    flags: Vec<String>,
}

/// The object for the file `path` that holds `bytes`; `with_text` adds the file printed back from its tree.
#[must_use]
pub fn parse_object(path: &str, bytes: &[u8], with_text: bool) -> ParseObject {
    let mut object = ParseObject {
        path: path.to_owned(),
        directives: BTreeMap::new(),
        items: Vec::new(),
        errors: Vec::new(),
        problems: Vec::new(),
        text: None,
    };
    let source = match decode(bytes) {
        Ok(source) => source,
        Err(diagnostic) => {
            object.errors.push(diagnostic.into());
            return object;
        }
    };
    let file = Dockerfile::parse(source);
    object.directives = file.directives.iter().map(|d| (d.name.clone(), d.value.clone())).collect();
    object.items = items(&file);
    object.errors = file.errors.iter().cloned().map(Message::from).collect();
    let mut problems = problems(&file);
    // Only a file whose instructions are all well formed goes on to the converter.
    if file.errors.is_empty() && problems.is_empty() {
        problems = check(&file);
    }
    object.problems = problems.into_iter().map(Message::from).collect();
    object.text = with_text.then(|| file.print());
    object
}

fn items(file: &Dockerfile) -> Vec<ItemObject> {
    let mut items = Vec::with_capacity(file.items.len());
    for item in &file.items {
        let (kind, keyword, instruction) = match &item.kind {
            ItemKind::Directive => ("directive", None, None),
            ItemKind::Comment => ("comment", None, None),
            ItemKind::Blank => ("blank", None, None),
            ItemKind::Unknown => ("unknown", None, None),
            ItemKind::Instruction(instruction) => {
                let reading = file.read(instruction);
                let written = written_name(&reading.original);
                let heredocs = instruction.heredocs.iter().map(|h| HeredocObject {
                    name: h.name.clone(),
                    expand: h.expand,
                    strip_tabs: h.strip_tabs,
                    content: h.content.text(file.source()).to_owned(),
                });
                let object = InstructionObject {
                    flags: flags(&reading),
                    form: form(reading.form),
                    heredocs: heredocs.collect(),
                    onbuild: reading.onbuild.as_deref().map(|(_, inner)| OnbuildObject {
                        keyword: written_name(&inner.original),
                        args: inner.args.clone(),
                        flags: flags(inner),
                    }),
                    args: reading.args,
                    original: reading.original,
                };
                ("instruction", Some(written), Some(object))
            }
        };
        items.push(ItemObject {
            kind,
            keyword,
            start_line: item.start_line,
            end_line: item.end_line,
            start: item.span.start,
            end: item.span.end,
            instruction,
        });
    }
    items
}

fn written_name(line: &str) -> String {
    Dockerfile::written_keyword(line).to_uppercase()
}

const fn form(form: Form) -> &'static str {
    match form {
        Form::Exec => "exec",
        Form::Shell => "shell",
        Form::Other => "other",
    }
}

/// The flags as BuildKit's parser has them: `--name=value`, unquoted.
fn flags(reading: &Reading) -> Vec<String> {
    let text = |f: &Flag| f.value.as_ref().map_or_else(|| format!("--{}", f.name), |v| format!("--{}={v}", f.name));
    reading.flags.iter().map(text).collect()
}
