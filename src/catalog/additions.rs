//! What the user adds to the catalog: `[catalog]` in `restage.toml`.

use super::Catalog;
use super::images::Facts;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The package managers whose packages have runtime counterparts.
pub const RUNTIME_MANAGERS: [&str; 2] = ["apt", "apk"];
/// The package managers that build-only packages are told for; `dnf` stands for those of its family.
pub const MANAGERS: [&str; 3] = ["apt", "apk", "dnf"];

/// Facts of an organisation's own.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Additions {
    /// Prefixes under which a registry has the public images: `registry.example/library/`.
    pub mirrors: Vec<String>,
    /// Own base images, by name without tag.
    pub images: BTreeMap<String, OwnImage>,
    /// For a package manager (`apt`, `apk`), the packages that a `-dev` package's users need at run time.
    pub runtime_packages: BTreeMap<String, BTreeMap<String, Vec<String>>>,
    /// For a package manager, packages that serve building alone.
    pub build_only: BTreeMap<String, Vec<String>>,
}

/// A base image of an organisation's own.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OwnImage {
    /// The public image that it is made of and whose tags it uses: `python`.
    pub like: Option<String>,
    /// What it has that is otherwise; keys as in restage's own catalog.
    #[serde(flatten)]
    pub facts: Facts,
}

impl Additions {
    /// These and `other`'s, which win.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.mirrors.extend(other.mirrors);
        self.images.extend(other.images);
        for (manager, packages) in other.runtime_packages {
            self.runtime_packages.entry(manager).or_default().extend(packages);
        }
        for (manager, packages) in other.build_only {
            self.build_only.entry(manager).or_default().extend(packages);
        }
        self
    }

    /// Whether there is nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether they say something that can't be.
    ///
    /// # Errors
    /// What is wrong.
    pub fn check(&self) -> Result<(), String> {
        for (name, image) in &self.images {
            if let Some(like) = &image.like
                && !Catalog::built_in().images.has(like)
            {
                return Err(format!("images.\"{name}\".like: the catalog has no image `{like}`"));
            }
        }
        let known = |table: &str, managers: &[&str], found: Vec<&String>| match found.iter().find(|m| !managers.contains(&m.as_str())) {
            Some(other) => Err(format!("{table}.{other}: packages can be told for {}", managers.join(", "))),
            None => Ok(()),
        };
        known("runtime-packages", &RUNTIME_MANAGERS, self.runtime_packages.keys().collect())?;
        known("build-only", &MANAGERS, self.build_only.keys().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::image::Reference;

    #[test]
    fn own_images_behave_like_public_ones() {
        let added: Additions = toml::from_str(
            "mirrors = [\"r.example/library/\"]\n[images.\"r.example/base/python\"]\nlike = \"python\"\nruntime = \"r.example/run/python:{tag}\"\n",
        )
        .unwrap();
        let catalog = Catalog::with(&added);
        let of = |text: &str| catalog.image(&Reference::parse(text).unwrap()).unwrap();
        let own = of("r.example/base/python:3.12");
        assert_eq!((own.language.as_deref(), own.runtime.as_deref()), (Some("python"), Some("r.example/run/python:3.12")));
        assert_eq!(of("r.example/library/node:20").language.as_deref(), Some("node"));
        assert!(Catalog::built_in().image(&Reference::parse("r.example/base/python:3.12").unwrap()).is_none());
        let wrong: Additions = toml::from_str("[images.x]\nlike = \"nothing-of-that-name\"\n").unwrap();
        assert!(wrong.check().is_err());
        assert!(toml::from_str::<Additions>("[images.x]\nrunntime = \"a\"\n").is_err());
    }

    #[test]
    fn own_packages_count_where_another_ecosystem_needs_them() {
        let added: Additions = toml::from_str("[runtime-packages.apt]\nlibpq-dev = [\"acme-libpq\"]\n").unwrap();
        let of = |catalog: &Catalog| catalog.python_runtime("psycopg2", &[], "apt", &["bookworm".to_owned()], false);
        assert_eq!(of(&Catalog::with(&added)), Ok(vec!["acme-libpq".to_owned()]));
        assert_eq!(of(Catalog::built_in()), Ok(vec!["libpq5".to_owned()]));
    }

    #[test]
    fn own_packages_count() {
        let added: Additions =
            toml::from_str("[runtime-packages.apt]\nlibacme-dev = [\"libacme1\"]\n[build-only]\napt = [\"acme-compiler\"]\n").unwrap();
        let catalog = Catalog::with(&added);
        assert!(added.check().is_ok());
        let wrong: Additions = toml::from_str("[runtime-packages.atp]\nlibacme-dev = [\"libacme1\"]\n").unwrap();
        assert_eq!(wrong.check(), Err("runtime-packages.atp: packages can be told for apt, apk".to_owned()));
        assert_eq!(catalog.runtime_packages("libacme-dev", "apt", &["bookworm".to_owned()]), Some(vec!["libacme1".to_owned()]));
        assert!(catalog.is_build_only("acme-compiler=1", "apt") && !Catalog::built_in().is_build_only("acme-compiler", "apt"));
    }
}
