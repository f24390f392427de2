//! Facts about base images, packages and ecosystems, read from `catalog/*.toml`.

mod images;
mod packages;

pub(crate) use images::compare as compare_versions;
pub use packages::{Needs, Store};

use crate::model::image::{ImageFacts, Reference};

/// Everything that is known about the world.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    images: images::Images,
}

impl Catalog {
    /// What restage ships with.
    #[must_use]
    pub fn built_in() -> &'static Self {
        static CATALOG: std::sync::OnceLock<Catalog> = std::sync::OnceLock::new();
        // The files are part of the program and a test reads them, so a failure here can't happen outside of development.
        CATALOG.get_or_init(|| Self { images: toml::from_str(include_str!("../catalog/images.toml")).unwrap_or_default() })
    }

    /// What is known of the image that `reference` names.
    #[must_use]
    pub fn image(&self, reference: &Reference) -> Option<ImageFacts> {
        self.images.facts(reference)
    }
}

#[cfg(test)]
mod tests;
