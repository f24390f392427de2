//! What `restage inspect --format ndjson` prints of a file: the final configuration of each stage.

use serde::Serialize;

use super::config::ImageConfig;
use super::walk::{Assumptions, BaseImage, walk};
use crate::source::Diagnostic;
use crate::syntax::{Dockerfile, LARGEST_FILE, decode};

/// A file's stages with their configuration.
#[derive(Clone, Debug, Serialize)]
pub struct InspectObject {
    path: String,
    stages: Vec<StageObject>,
}

#[derive(Clone, Debug, Serialize)]
struct StageObject {
    name: String,
    base: String,
    config: ImageConfig,
}

/// The text to inspect. Nothing is written back, so bytes that are not UTF-8 may be replaced.
///
/// # Errors
/// Where the file is too large.
pub fn decode_lossy(bytes: &[u8]) -> Result<std::borrow::Cow<'_, str>, Diagnostic> {
    match decode(bytes) {
        Ok(text) => Ok(text.into()),
        Err(diagnostic) if bytes.len() > LARGEST_FILE => Err(diagnostic),
        Err(_) => Ok(String::from_utf8_lossy(bytes)),
    }
}

/// The object for the file `path`. Each base answers as `base` says.
#[must_use]
pub fn inspect_object(path: &str, file: &Dockerfile, assumptions: &Assumptions<'_>) -> InspectObject {
    let stages = walk(file, assumptions).stages.into_iter().map(|stage| StageObject {
        name: stage.name.unwrap_or_default(),
        base: stage.written,
        config: stage.end.config.clone(),
    });
    InspectObject { path: path.to_owned(), stages: stages.collect() }
}

/// The same with every base taken for one that sets the default PATH alone, in a build without options: comparable with
/// the builder's own converter.
#[must_use]
pub fn inspect_bare(path: &str, file: &Dockerfile) -> InspectObject {
    inspect_object(path, file, &Assumptions { base: &|_| BaseImage::bare(), plain_build: true })
}
