//! What a COPY or ADD takes from the context, and where it puts it.

use super::{Model, Step, path};
use crate::context::{self, Kind, has_wildcard, is_remote, is_within, join};
use crate::source::Span;
use crate::syntax::{Form, View};

/// A COPY or ADD from the build context whose sources are known.
#[derive(Clone, Debug)]
pub struct Copy<'m> {
    /// The instruction.
    pub step: &'m Step,
    /// Files and folders of the context with the absolute path that each gets.
    pub parts: Vec<Part>,
    /// The destination's folder as the image has it; for a single file the file itself.
    pub destination: String,
    /// The destination as written.
    pub written: String,
    /// Where that stands.
    pub destination_span: Span,
    /// Shell or JSON form.
    pub form: Form,
}

/// A file or folder that is copied.
#[derive(Clone, Debug)]
pub struct Part {
    /// Relative to the context's root; empty for all of it.
    pub source: String,
    /// Its absolute path in the image.
    pub target: String,
    /// Whether it is a folder, whose contents land in the target.
    pub folder: bool,
}

impl<'m> Copy<'m> {
    /// `None` for what is no COPY from the context, or one that can't be followed.
    #[must_use]
    pub fn of(model: &Model, step: &'m Step) -> Option<Self> {
        let View::Copy { from: None, sources, destination, form, .. } = &step.view else { return None };
        if step
            .reading
            .flags
            .iter()
            .any(|f| matches!(f.name.as_str(), "from" | "exclude" | "parents" | "unpack" | "checksum" | "keep-git-dir"))
        {
            return None;
        }
        if model.file.instruction(step.item).is_none_or(|i| !i.heredocs.is_empty()) {
            return None;
        }
        let written = destination.text.clone();
        let to = model.expand(step, &written)?;
        let workdir = step.before.workdir.as_deref();
        let target = path::clean(&if to.starts_with('/') { to.clone() } else { format!("{}/{to}", workdir?) });
        let mut names = Vec::new();
        for word in sources {
            let source = model.expand(step, &word.text)?;
            if is_remote(&source) || is_archive(&source) && matches!(step.view, View::Copy { add: true, .. }) {
                return None;
            }
            let found = model.context.sources_match(&source);
            if found.is_empty() && !has_wildcard(&source) {
                return None;
            }
            names.extend(found);
        }
        let into_folder = to.ends_with('/')
            || to.ends_with("/.")
            || matches!(to.as_str(), "." | "./")
            || names.len() > 1
            || workdir == Some(target.as_str());
        let parts = names.into_iter().map(|source| {
            let folder = source.is_empty() || model.context.kind(&source) == Some(Kind::Folder);
            let base = source.rsplit('/').next().unwrap_or_default();
            let target = if folder || !into_folder { target.clone() } else { path::clean(&format!("{target}/{base}")) };
            Part { source, target, folder }
        });
        Some(Self { step, parts: parts.collect(), destination: target.clone(), written, destination_span: destination.span, form: *form })
    }

    /// Whether a folder is among what it takes.
    #[must_use]
    pub fn takes_folder(&self) -> bool {
        self.parts.iter().any(|p| p.folder)
    }

    /// The path of the context that becomes `image`; the folder itself counts.
    #[must_use]
    pub fn origin(&self, image: &str) -> Option<String> {
        self.parts.iter().rev().find_map(|part| {
            if part.folder {
                path::below(image, &part.target).map(|rest| join_path(&part.source, rest))
            } else {
                (part.target == image).then(|| part.source.clone())
            }
        })
    }

    /// Where the context's `file` ends up.
    #[must_use]
    pub fn target(&self, file: &str) -> Option<String> {
        self.parts.iter().find_map(|part| {
            if part.folder {
                if !is_within(file, &part.source) {
                    return None;
                }
                let rest = file.get(part.source.len()..)?.trim_start_matches('/');
                Some(path::clean(&format!("{}/{rest}", part.target)))
            } else {
                (part.source == file).then(|| part.target.clone())
            }
        })
    }

    /// Whether `image` lies where this copy writes.
    #[must_use]
    pub fn covers(&self, image: &str) -> bool {
        self.parts.iter().any(|part| if part.folder { path::inside(image, &part.target) } else { path::inside(&part.target, image) })
    }

    /// The files of the context that it takes.
    #[must_use]
    pub fn files(&self, model: &Model) -> Vec<String> {
        self.parts.iter().flat_map(|p| if p.folder { model.context.files_of(&p.source) } else { vec![p.source.clone()] }).collect()
    }
}

fn join_path(folder: &str, rest: &str) -> String {
    if rest.is_empty() { folder.to_owned() } else { context::normalize(&join(folder, rest)) }
}

fn is_archive(source: &str) -> bool {
    [".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst"].iter().any(|e| source.ends_with(e))
}
