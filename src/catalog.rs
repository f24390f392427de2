//! Facts about base images, packages and ecosystems, read from `catalog/*.toml`.

mod accounts;
mod additions;
pub mod arguments;
pub mod context;
mod images;
mod packages;

pub use accounts::is_system_account;
pub use additions::{Additions, MANAGERS, OwnImage, RUNTIME_MANAGERS};
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
        // The files are part of the program and a test reads them, so a failure here can't happen outside of development.
        CATALOG.get_or_init(|| Self {
            images: toml::from_str(include_str!("../catalog/images.toml")).unwrap_or_default(),
            added: Additions::default(),
        })
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
