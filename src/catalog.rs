//! Facts about base images, packages and ecosystems, written in `catalog/*.toml`.

/// The file `catalog/NAME.toml` as the build script wrote it down: as JSON, which is read ten times as fast as TOML. The files
/// are part of the program and tests read each, so that one that does not fit its type can't leave development.
macro_rules! shipped {
    ($name:literal) => {
        serde_json::from_str(include_str!(concat!(env!("OUT_DIR"), "/", $name, ".json"))).unwrap_or_default()
    };
}
pub(crate) use shipped;

mod accounts;
mod additions;
pub mod arguments;
pub mod context;
mod homes;
mod images;
mod packages;

pub use accounts::is_system_account;
pub use additions::{Additions, MANAGERS, OwnImage, RUNTIME_MANAGERS};
pub use homes::HomeDownload;
pub(crate) use images::compare as compare_versions;
pub use packages::{Needs, Store};

use crate::model::image::{ImageFacts, Reference};

/// Everything that is known about the world.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    images: images::Images,
    added: Additions,
}

impl Catalog {
    /// What restage ships with.
    #[must_use]
    pub fn built_in() -> &'static Self {
        static CATALOG: std::sync::OnceLock<Catalog> = std::sync::OnceLock::new();
        CATALOG.get_or_init(|| Self { images: shipped!("images"), added: Additions::default() })
    }

    /// What restage ships with, and what the user adds to it.
    #[must_use]
    pub fn with(added: &Additions) -> Self {
        let mut out = Self::built_in().clone();
        out.images.add(added);
        out.added = added.clone();
        out
    }

    /// What is known of the image that `reference` names.
    #[must_use]
    pub fn image(&self, reference: &Reference) -> Option<ImageFacts> {
        self.images.facts(reference)
    }
}

#[cfg(test)]
mod tests;
