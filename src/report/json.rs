//! `check --format json`: the one stable description of what would happen. `docs/check.md` explains it.

use crate::discover::Missing;
use crate::edit::Edit;
use crate::file::Processed;
use crate::rebuild::Rebuild;
use serde::Serialize;

/// The whole answer.
#[derive(Debug, Serialize)]
pub struct Report<'a> {
    version: u32,
    files: Vec<FileObject<'a>>,
}

/// One file of it.
#[derive(Debug, Serialize)]
pub struct FileObject<'a> {
    path: String,
    sha256: &'a str,
    status: &'static str,
    language: Option<&'a str>,
    stages: usize,
    proposals: Vec<ProposalObject<'a>>,
    refusals: Vec<RefusalObject<'a>>,
    rebuild: &'a [Rebuild],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<NoteObject<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ErrorObject<'a>>,
}

#[derive(Debug, Serialize)]
struct ProposalObject<'a> {
    transform: &'a str,
    level: &'static str,
    title: &'a str,
    reason: &'a str,
    line: usize,
    group: usize,
    declares: &'a [&'static str],
    edits: Vec<EditObject<'a>>,
}

#[derive(Debug, Serialize)]
struct EditObject<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<&'a str>,
    start: usize,
    end: usize,
    text: &'a str,
}

#[derive(Debug, Serialize)]
struct RefusalObject<'a> {
    transform: &'a str,
    reason: &'a str,
    line: usize,
}

#[derive(Debug, Serialize)]
struct NoteObject<'a> {
    message: &'a str,
    line: usize,
}

#[derive(Debug, Serialize)]
struct ErrorObject<'a> {
    message: &'a str,
    line: Option<usize>,
}

impl<'a> Report<'a> {
    /// The answer for these files; what was named and is missing is a file with an error.
    #[must_use]
    pub fn new(files: &'a [Processed], missing: &'a [Missing]) -> Self {
        let files = files.iter().map(FileObject::of).chain(missing.iter().map(FileObject::missing)).collect();
        Self { version: 1, files }
    }

    /// The files, for one object a line.
    #[must_use]
    pub fn files(&self) -> &[FileObject<'a>] {
        &self.files
    }
}

impl<'a> FileObject<'a> {
    fn of(file: &'a Processed) -> Self {
        let outcome = file.outcome.as_ref();
        Self {
            path: super::shown(file),
            sha256: &file.sha256,
            status: file.status(),
            language: file.language.as_deref(),
            stages: file.stages,
            proposals: outcome
                .into_iter()
                .flat_map(|o| &o.proposals)
                .map(|p| ProposalObject {
                    transform: p.transform,
                    level: p.level.name(),
                    title: &p.title,
                    reason: &p.reason,
                    line: p.line,
                    group: p.group,
                    declares: &p.declares,
                    edits: p.edits.iter().map(EditObject::of).collect(),
                })
                .collect(),
            refusals: outcome
                .into_iter()
                .flat_map(|o| &o.refusals)
                .map(|r| RefusalObject { transform: r.transform, reason: &r.reason, line: r.line })
                .collect(),
            rebuild: &file.rebuild,
            notes: outcome.into_iter().flat_map(|o| &o.notes).map(|(line, message)| NoteObject { message, line: *line }).collect(),
            error: file
                .error
                .as_ref()
                .map(|e| ErrorObject { message: &e.diagnostic.message, line: Some(e.diagnostic.line).filter(|l| *l > 0) }),
        }
    }

    fn missing(missing: &'a Missing) -> Self {
        Self {
            path: missing.path.to_string_lossy().into_owned(),
            sha256: "",
            status: "error",
            language: None,
            stages: 0,
            proposals: Vec::new(),
            refusals: Vec::new(),
            rebuild: &[],
            notes: Vec::new(),
            error: Some(ErrorObject { message: &missing.message, line: None }),
        }
    }
}

impl<'a> EditObject<'a> {
    fn of(edit: &'a Edit) -> Self {
        Self { path: edit.path.as_deref(), start: edit.span.start, end: edit.span.end, text: &edit.text }
    }
}
