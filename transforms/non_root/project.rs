//! What the transform asks of the build context.

use crate::context::{Context, Kind};
use std::rc::Rc;

/// The build context with the few questions that are asked here. Paths are relative to its root, without a leading slash.
#[derive(Clone, Copy, Debug)]
pub struct Project<'c> {
    context: &'c Context,
}

impl<'c> Project<'c> {
    /// The project of a context.
    pub fn new(context: &'c Context) -> Self {
        Self { context }
    }

    /// Whether absence of a file means anything.
    pub fn known(&self) -> bool {
        self.context.is_known()
    }

    /// Whether `path` is a directory; `None` where that is not known.
    pub fn is_dir(&self, path: &str) -> Option<bool> {
        if path.is_empty() {
            return Some(true);
        }
        match self.context.kind(path) {
            Some(kind) => Some(kind == Kind::Folder),
            None => self.known().then_some(false),
        }
    }

    /// The text of a file; `None` where there is none, or where it is not UTF-8.
    pub fn text(&self, path: &str) -> Option<Rc<str>> {
        self.context.read(path)
    }

    /// Whether `path` is there.
    pub fn exists(&self, path: &str) -> bool {
        self.context.exists(path)
    }

    /// All files; `None` where there are too many to look at, or no folder.
    pub fn files(&self) -> Option<Vec<String>> {
        let (files, all) = self.context.files();
        all.then_some(files)
    }
}
