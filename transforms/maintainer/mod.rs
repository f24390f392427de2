//! MAINTAINER to a label.

use super::{Findings, Group, Level, Proposal, Refusal, Transform};
use crate::edit::Edit;
use crate::model::{Model, Step};
use crate::syntax::{Keyword, View};

/// See `page.md`.
pub const TRANSFORM: Transform = Transform {
    id: "maintainer",
    summary: "Say who maintains the image with a label in place of the deprecated MAINTAINER",
    group: Group::Modernize,
    may_change: &["Labels"],
    page: include_str!("page.md"),
    run,
};

/// The key that the image specification names for it.
const KEY: &str = "org.opencontainers.image.authors";

fn run(model: &Model) -> Findings {
    let mut findings = Findings::default();
    for step in model.steps.iter().filter(|s| s.keyword == Keyword::Maintainer && s.stage.is_some()) {
        match label(model, step) {
            Ok(edits) => findings.proposals.push(Proposal {
                level: Level::Review,
                title: "turn MAINTAINER into a label".into(),
                reason: format!("MAINTAINER is deprecated; `docker inspect` shows the label {KEY} in its place"),
                line: step.line,
                declares: vec!["Labels"],
                edits,
            }),
            Err(reason) => findings.refusals.push(Refusal { reason: reason.to_owned(), line: step.line }),
        }
    }
    findings
}

fn label(model: &Model, step: &Step) -> Result<Vec<Edit>, &'static str> {
    let View::Maintainer { name } = &step.view else { return Err("MAINTAINER names nobody") };
    let instruction = model.file.instruction(step.item).ok_or("MAINTAINER names nobody")?;
    let source = model.file.source();
    if source.contains(KEY) {
        return Err("the file has the label org.opencontainers.image.authors already; drop MAINTAINER or join the two by hand");
    }
    let written = instruction.body.text(source);
    if written.contains('\n') || written.trim() != name.text.trim() {
        return Err("MAINTAINER goes over several lines; write the label by hand");
    }
    let text = name.text.trim();
    let text = text.strip_prefix('"').and_then(|t| t.strip_suffix('"')).unwrap_or(text);
    if text.is_empty() || text.contains(['"', '\\', '$', '`']) {
        return Err("MAINTAINER holds quotes, dollars or escapes; write the label by hand");
    }
    let keyword = instruction.keyword_span;
    let lower = keyword.text(source).chars().all(|c| c.is_lowercase());
    Ok(vec![Edit::replace(keyword, if lower { "label" } else { "LABEL" }), Edit::replace(instruction.body, format!("{KEY}=\"{text}\""))])
}
