//! ADD to COPY where ADD does nothing more.

use super::{Findings, Group, Level, Proposal, Refusal, Transform};
use crate::context::is_remote;
use crate::edit::Edit;
use crate::model::{Model, Step};
use crate::syntax::{Keyword, View};

/// See `page.md`.
pub const TRANSFORM: Transform = Transform {
    id: "add-to-copy",
    summary: "Write COPY where ADD only copies",
    group: Group::Modernize,
    may_change: &[],
    page: include_str!("page.md"),
    run,
};

/// Endings of files that ADD never unpacks, because they are text or no tar archives.
const PLAIN: &[&str] = &[
    "py",
    "js",
    "mjs",
    "cjs",
    "ts",
    "tsx",
    "jsx",
    "json",
    "toml",
    "yaml",
    "yml",
    "txt",
    "md",
    "rst",
    "sh",
    "bash",
    "conf",
    "cfg",
    "cnf",
    "ini",
    "env",
    "lock",
    "xml",
    "html",
    "css",
    "sql",
    "go",
    "mod",
    "sum",
    "rs",
    "java",
    "kt",
    "gradle",
    "properties",
    "rb",
    "php",
    "pl",
    "c",
    "h",
    "cpp",
    "hpp",
    "cs",
    "csproj",
    "sln",
    "jar",
    "war",
    "zip",
    "deb",
    "rpm",
    "apk",
    "pem",
    "crt",
    "key",
    "pub",
    "service",
    "list",
    "repo",
    "patch",
    "diff",
    "j2",
    "tmpl",
    "tpl",
    "erb",
    "whl",
    "ex",
    "exs",
    "R",
    "r",
    "lua",
    "vim",
    "cmake",
    "in",
    "cron",
    "asc",
    "gpg",
    "exe",
    "dll",
    "so",
    "png",
    "jpg",
    "svg",
    "ico",
    "pdf",
    "csv",
    "proto",
    "template",
    "default",
    "map",
    "vcl",
    "types",
    "ps1",
    "bat",
    "cmd",
];

fn run(model: &Model) -> Findings {
    let mut findings = Findings::default();
    for step in model.steps.iter().filter(|s| s.keyword == Keyword::Add) {
        let Some(instruction) = model.file.instruction(step.item) else { continue };
        match only_copies(model, step) {
            Ok(()) => {
                let lower = instruction.keyword_span.text(model.file.source()).chars().all(|c| c.is_lowercase());
                findings.proposals.push(Proposal {
                    level: Level::Safe,
                    title: "write COPY in place of ADD".into(),
                    reason: "the sources are plain files of the context; ADD says that something is fetched or unpacked".into(),
                    line: step.line,
                    declares: Vec::new(),
                    edits: vec![Edit::replace(instruction.keyword_span, if lower { "copy" } else { "COPY" })],
                });
            }
            Err(Some(reason)) => findings.refusals.push(Refusal { reason, line: step.line }),
            Err(None) => {}
        }
    }
    findings
}

/// Whether all that ADD does here is copying; otherwise the reason, if it is worth one.
fn only_copies(model: &Model, step: &Step) -> Result<(), Option<String>> {
    let View::Copy { sources, .. } = &step.view else { return Err(None) };
    let heredocs = model.file.instruction(step.item).is_some_and(|i| !i.heredocs.is_empty());
    if sources.is_empty() || heredocs || step.reading.flags.iter().any(|f| !matches!(f.name.as_str(), "chown" | "chmod" | "link")) {
        return Err(None);
    }
    for source in sources {
        let text = source.text.as_str();
        if text.contains('$') {
            return Err(Some(format!("`{text}` may name an archive or an address")));
        }
        if is_remote(text) {
            return Err(None);
        }
        let name = text.trim_end_matches('/').rsplit('/').next().unwrap_or(text);
        let folder = text.ends_with('/') || matches!(name, "" | "." | "..") || model.context.is_dir(text);
        let ending = name.rsplit_once('.').map(|(_, ending)| ending);
        let plain = ending.is_some_and(|e| PLAIN.contains(&e)) || model.context.read(text).is_some_and(|t| !t.contains('\0'));
        if folder || plain {
            continue;
        }
        let archive = [".tar", ".tgz", ".tbz", ".txz", ".gz", ".bz2", ".xz", ".zst"].iter().any(|a| name.contains(a));
        return Err((!archive).then(|| format!("context unknown: `{text}` may be an archive, which ADD unpacks")));
    }
    Ok(())
}
