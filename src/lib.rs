//! restage rewrites legacy Dockerfiles the way a careful expert would, and shows its work as a diff.
//!
//! The data goes one way: bytes, [`syntax`], [`model`], [`transforms`], [`edit`]s, [`gate`], and then a
//! [`diff`], a [`write`](mod@write) or a [`report`]. Nothing below [`cli`] knows about the command line, and only
//! [`context`] reads the build context from disk.

pub mod batch;
pub mod catalog;
pub mod cli;
pub mod config;
pub mod context;
pub mod diff;
pub mod discover;
pub mod edit;
pub mod file;
pub mod gate;
pub mod model;
pub mod pipeline;
pub mod rebuild;
pub mod recipe;
pub mod report;
pub mod shell;
pub mod source;
pub mod syntax;
pub mod write;

#[path = "../transforms/mod.rs"]
pub mod transforms;
