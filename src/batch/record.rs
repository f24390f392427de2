//! What is kept of each repository: the rows of the report, which a later run and a report can read back.

use super::outline::Outline;
use crate::file::Processed;
use crate::model::rebuild::{Change, typical_source};
use crate::rebuild::Both;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::path::Path;

/// How a repository came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Something changes.
    Changed,
    /// Nothing to do.
    Clean,
    /// It could not be worked on, or what was to be done with it failed.
    Failed,
}

impl Status {
    /// Its name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Clean => "clean",
            Self::Failed => "failed",
        }
    }
}

/// One repository of the report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Its name, unique in the batch.
    pub name: String,
    /// Where it is, without credentials.
    pub place: String,
    /// How it came out.
    pub status: Status,
    /// Why it failed, or a word on how it went.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The commit that was read, where git knows one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// The branch that was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// The commit that was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The patch, relative to the folder of the batch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patch: Option<String>,
    /// What became of the command that was to be run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exec: Option<ExecRow>,
    /// Its Dockerfiles.
    pub files: Vec<FileRow>,
    /// Other files that change, such as `.dockerignore`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub side_files: Vec<SideRow>,
    /// What could not be looked at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
}

/// What became of `--exec`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecRow {
    /// Its exit status; `None` if it was killed, or if nobody knows because the batch itself was.
    pub status: Option<i32>,
    /// Whether the batch ended while it ran, so that nobody knows how far it came. It is not run again by itself.
    #[serde(default)]
    pub interrupted: bool,
    /// What it printed, relative to the folder of the batch.
    pub log: String,
}

/// One Dockerfile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRow {
    /// Its path in the repository.
    pub path: String,
    /// The SHA-256 of what it holds now.
    pub sha256: String,
    /// `clean`, `changes` or `error`.
    pub status: String,
    /// The language that it builds.
    pub language: Option<String>,
    /// How many stages it has now.
    pub stages: usize,
    /// What is changed, or suggested.
    pub proposals: Vec<ProposalRow>,
    /// What was left alone.
    pub refusals: Vec<RefusalRow>,
    /// Why it was left alone as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorRow>,
    /// The unified diff; empty if nothing changes.
    pub diff: String,
    /// Files with the same change have the same group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Its shape now; only where it changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Outline>,
    /// Its shape afterwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Outline>,
}

/// One proposal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProposalRow {
    /// The transform's id.
    pub transform: String,
    /// `safe`, `review` or `suggest`.
    pub level: String,
    /// What is done.
    pub title: String,
    /// Why.
    pub reason: String,
    /// The line in the file as it is now.
    pub line: usize,
    /// Configuration keys that change on purpose.
    pub declares: Vec<String>,
    /// Whether the change has it; suggestions are only told.
    pub applied: bool,
}

/// One refusal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusalRow {
    /// The transform's id.
    pub transform: String,
    /// Why.
    pub reason: String,
    /// The line.
    pub line: usize,
}

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorRow {
    /// What.
    pub message: String,
    /// The line; `None` for the file as a whole.
    pub line: Option<usize>,
    /// Whether it is a failure of the run and not a file that the builder would refuse too.
    pub fatal: bool,
}

/// Another file that changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SideRow {
    /// Its path in the repository.
    pub path: String,
    /// The unified diff.
    pub diff: String,
}

impl Row {
    /// A row that says only what the repository is.
    #[must_use]
    pub fn new(name: &str, place: String) -> Self {
        Self {
            name: name.to_owned(),
            place,
            status: Status::Clean,
            reason: None,
            base: None,
            branch: None,
            commit: None,
            patch: None,
            exec: None,
            files: Vec::new(),
            side_files: Vec::new(),
            problems: Vec::new(),
        }
    }

    /// The row of a repository that could not be worked on.
    #[must_use]
    pub fn failed(mut self, reason: impl Into<String>) -> Self {
        self.status = Status::Failed;
        self.reason = Some(reason.into());
        self
    }

    /// The paths that change.
    pub fn changed_paths(&self) -> impl Iterator<Item = &str> {
        let files = self.files.iter().filter(|f| !f.diff.is_empty()).map(|f| f.path.as_str());
        files.chain(self.side_files.iter().map(|s| s.path.as_str()))
    }

    /// The transforms that change something, each once, in the order in which they come first.
    #[must_use]
    pub fn transforms(&self) -> Vec<&str> {
        let mut out: Vec<&str> = Vec::new();
        for p in self.files.iter().flat_map(|f| &f.proposals).filter(|p| p.applied) {
            if !out.contains(&p.transform.as_str()) {
                out.push(&p.transform);
            }
        }
        out
    }

    /// One line about it.
    #[must_use]
    pub fn line(&self) -> String {
        let mut out = format!("{:<7} {}", self.status.name(), self.name);
        if self.status != Status::Failed {
            out.push_str(&format!(": {}", crate::report::count(self.files.len(), "Dockerfile")));
        }
        let changed = self.changed_paths().count();
        if changed > 0 {
            out.push_str(&format!(", {} to change: {}", crate::report::count(changed, "file"), self.transforms().join(", ")));
        }
        let errors = self.files.iter().filter(|f| f.error.is_some()).count();
        if errors > 0 && self.status != Status::Failed {
            out.push_str(&format!("; {} with an error, see the report", crate::report::count(errors, "file")));
        }
        if let Some(reason) = &self.reason {
            out.push_str(&format!(": {reason}"));
        }
        out
    }
}

impl FileRow {
    /// The row of a file of the repository at `root`, with the diff that changes it.
    #[must_use]
    pub fn new(file: &Processed, path: String, diff: String) -> Self {
        let outcome = file.outcome.as_ref();
        let proposals = outcome.into_iter().flat_map(|o| &o.proposals).map(|p| ProposalRow {
            transform: p.transform.to_owned(),
            level: p.level.name().to_owned(),
            title: p.title.clone(),
            reason: p.reason.clone(),
            line: p.line,
            declares: p.declares.iter().map(|d| (*d).to_owned()).collect(),
            applied: p.applied,
        });
        let refusals = outcome.into_iter().flat_map(|o| &o.refusals).map(|r| RefusalRow {
            transform: r.transform.to_owned(),
            reason: r.reason.clone(),
            line: r.line,
        });
        let error = file.error.as_ref().map(|e| ErrorRow {
            message: e.diagnostic.message.clone(),
            line: Some(e.diagnostic.line).filter(|l| *l > 0),
            fatal: e.kind == crate::file::FailureKind::Fatal,
        });
        let (before, after) = (!diff.is_empty()).then(|| outlines(file)).flatten().unzip();
        Self {
            before,
            after,
            path,
            sha256: file.sha256.clone(),
            status: file.status().to_owned(),
            language: file.language.clone(),
            stages: file.stages,
            proposals: proposals.collect(),
            refusals: refusals.collect(),
            error,
            group: group_of(&diff),
            diff,
        }
    }
}

/// The shapes of a file before and after, with what runs again when the same source changes.
fn outlines(file: &Processed) -> Option<(Outline, Outline)> {
    let texts = Both::of(file)?;
    let (before, after) = texts.models();
    let source = before.context.is_known().then(|| typical_source(&before, &after)).flatten();
    let change = source.as_deref().map_or(Change::Source, Change::File);
    Some((Outline::of(&before, change), Outline::of(&after, change)))
}

/// What files with the same change have in common: the changed lines with their context, wherever the file is and on
/// whichever line it starts.
fn group_of(diff: &str) -> Option<String> {
    if diff.is_empty() {
        return None;
    }
    let mut hash = Sha256::new();
    for line in diff.split_inclusive('\n').skip(2) {
        hash.update(if line.starts_with("@@") { "@@\n" } else { line });
    }
    Some(hash.finalize().iter().take(6).map(|b| format!("{b:02x}")).collect())
}

/// The path of a file below `root`, with `/`.
#[must_use]
pub fn below(root: &Path, path: &Path) -> String {
    let relative = path.strip_prefix(root).unwrap_or(path);
    relative.components().map(|c| c.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_change_elsewhere_is_the_same_group() {
        let a = "--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n FROM a\n-RUN b\n+RUN c\n";
        let b = a.replace("a/x", "a/y").replace("-1,2", "-7,2");
        assert_eq!(group_of(a), group_of(&b));
        assert_ne!(group_of(a), group_of(&a.replace("RUN c", "RUN d")));
        assert_eq!(group_of(""), None);
    }
}
