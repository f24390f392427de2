//! Facts about base images, packages and ecosystems, read from `catalog/*.toml`.

use crate::model::image::{ImageFacts, Reference};

/// Everything that is known about the world.
#[derive(Clone, Debug, Default)]
pub struct Catalog {}

impl Catalog {
    /// What restage ships with.
    #[must_use]
    pub fn built_in() -> &'static Self {
        static CATALOG: std::sync::OnceLock<Catalog> = std::sync::OnceLock::new();
        CATALOG.get_or_init(Self::default)
    }

    /// What is known of the image that `reference` names.
    #[must_use]
    pub fn image(&self, reference: &Reference) -> Option<ImageFacts> {
        let _ = reference;
        None
    }
}
