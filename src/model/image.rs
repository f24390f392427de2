//! Image references and what the catalog knows of them.

/// An image as a FROM names it.
#[derive(Clone, Debug)]
pub struct Image {
    /// The name as written.
    pub written: String,
    /// The parsed name with variables expanded; `None` where a variable has no known value or the name is malformed.
    pub reference: Option<Reference>,
    /// What the catalog knows; `None` for an unknown image.
    pub facts: Option<ImageFacts>,
}

/// A parsed image name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The registry's host if one is written (`docker.io` and `index.docker.io` are folded away together with `library/`).
    pub registry: Option<String>,
    /// The repository path: `python`, `bitnami/node`.
    pub repository: String,
    /// The tag if one is written.
    pub tag: Option<String>,
    /// The digest if one is written.
    pub digest: Option<String>,
}

/// What the catalog knows of an image with its tag.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageFacts {
    /// The family: `python`, `node`, `golang`, `debian`, ... (the catalog's key).
    pub family: String,
    /// The language whose toolchain or interpreter it brings: `python`, `node`, `go`, `rust`, `java`, `c`, ...
    pub language: Option<String>,
    /// The language version as far as the tag says it: `3.11`, `18`.
    pub version: Option<String>,
    /// `debian`, `ubuntu`, `alpine`, `fedora`, `rhel`, `windows`, `distroless`, ...
    pub distribution: Option<String>,
    /// The release if it is certain from the tag or a fixed fact (`bookworm`, `22.04`); `None` where the tag moves.
    pub release: Option<String>,
    /// `apt`, `apk`, `dnf`, ...
    pub package_manager: Option<String>,
    /// `full`, `slim`, `alpine`, `runtime`, `windows`, ...
    pub variant: String,
    /// `glibc` or `musl`.
    pub libc: Option<String>,
    /// The full reference of the smaller variant of the same image and release, for interpreters (`python:3.11-slim`).
    pub slim: Option<String>,
    /// The full reference of the image to run on what this one builds (`eclipse-temurin:17-jre`, `debian:bookworm-slim`).
    pub runtime: Option<String>,
    /// Users other than root: name, uid, gid, home.
    pub users: Vec<ImageUser>,
    /// Uids taken besides (for instance 1000 on Ubuntu 24.04).
    pub user: Option<String>,
    /// ENV that the image sets, with the values where they are fixed.
    pub env: Vec<(String, Option<String>)>,
    /// The working directory that it sets.
    pub workdir: Option<String>,
    /// Whether it sets a CMD, an ENTRYPOINT script that matters, or ONBUILD triggers.
    pub cmd: Option<Vec<String>>,
    /// The ENTRYPOINT.
    pub entrypoint: Option<Vec<String>>,
    /// Whether it has a POSIX shell.
    pub shell: bool,
    /// Programs on it that its slim or runtime counterpart lacks (`curl`, `git`, `gcc`, ...).
    pub tools: Vec<String>,
    /// Whether its entrypoint starts as root and drops privileges itself (postgres, nginx's master).
    pub drops_root: bool,
}

/// A user that an image brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageUser {
    /// Its name.
    pub name: String,
    /// Its uid.
    pub uid: u32,
    /// Its gid.
    pub gid: u32,
    /// Its home directory.
    pub home: String,
}
