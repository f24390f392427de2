//! The project's manifests, as far as builds depend on them. Every reader is total: what it can't read is `None` or left out.

pub mod cargo;
pub mod go;
pub mod maven;
pub mod node;
pub mod python;
