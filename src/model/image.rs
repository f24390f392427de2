//! Image references and what the catalog knows of them.

use std::fmt;

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
    /// The releases that the tag may stand for, oldest first; the one of `release` where that is certain, empty where nothing is known.
    pub releases: Vec<String>,
    /// Whether the release behind the tag changes over time (`python:3.12`, `debian:stable`).
    pub release_moving: bool,
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
    /// The image to run a static binary on, if what it builds may be one (`gcr.io/distroless/static-debian12:nonroot`).
    pub static_runtime: Option<String>,
    /// The image without a shell to run a binary on that links to libc alone (`gcr.io/distroless/base-debian12:nonroot`).
    pub dynamic_runtime: Option<String>,
    /// Users other than root: name, uid, gid, home. Their ids are taken.
    pub users: Vec<ImageUser>,
    /// The USER that the image sets, if it is not root.
    pub user: Option<String>,
    /// What the images of these names set each in its own way, so that nothing is assumed of it.
    pub varies: Vec<Varying>,
    /// ENV that the image sets, with the values where they are fixed.
    pub env: Vec<(String, Option<String>)>,
    /// The working directory that it sets.
    pub workdir: Option<String>,
    /// The CMD.
    pub cmd: Option<Vec<String>>,
    /// The ENTRYPOINT.
    pub entrypoint: Option<Vec<String>>,
    /// Whether it has a POSIX shell.
    pub shell: bool,
    /// Programs on it that its slim or runtime counterpart lacks (`curl`, `git`, `gcc`, ...).
    pub tools: Vec<String>,
    /// Whether its entrypoint starts as root and drops privileges itself (postgres, nginx's master).
    pub drops_root: bool,
    /// Whether its entrypoint only prepares the environment and starts what it is given, so that none would do as well.
    pub passes_on: bool,
    /// The folders whose files it serves as it comes, for web servers; empty for all other images.
    pub content: Vec<String>,
    /// The folder of the web server's configuration.
    pub configuration: Option<String>,
}

impl ImageFacts {
    /// The user in force behind FROM, empty for root; `None` where that is not known.
    #[must_use]
    pub fn start_user(&self) -> Option<String> {
        (!self.varies.contains(&Varying::User)).then(|| self.user.clone().unwrap_or_default())
    }

    /// The working directory in force behind FROM; `None` where that is not known.
    #[must_use]
    pub fn start_folder(&self) -> Option<String> {
        let folder = self.workdir.clone().filter(|w| !w.is_empty()).unwrap_or_else(|| "/".to_owned());
        (!self.varies.contains(&Varying::Workdir)).then_some(folder)
    }
}

/// What images of one name may set each in its own way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Varying {
    /// The USER.
    User,
    /// The WORKDIR.
    Workdir,
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

impl Reference {
    /// Parses an image name as the builder does: the grammar of distribution/reference, with the names of Docker Hub
    /// folded to their short form. `None` for a name that the builder refuses.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) => (name, Some(digest)),
            None => (text, None),
        };
        if digest.is_some_and(|d| !is_digest(d)) {
            return None;
        }
        // A colon behind the last slash starts the tag; one before it belongs to the registry's port.
        let after_slash = name.rfind('/').map_or(0, |i| i + 1);
        let (name, tag) = match name.get(after_slash..)?.find(':') {
            Some(i) => (name.get(..after_slash + i)?, name.get(after_slash + i + 1..)),
            None => (name, None),
        };
        if tag.is_some_and(|t| !is_tag(t)) || name.len() > 255 {
            return None;
        }
        let (registry, path) = match name.split_once('/') {
            // What looks like a host and is none may be a path all the same: `gcr.io_mirror/x`. The regular expression of
            // distribution/reference lets the host be missing.
            Some((first, _)) if is_registry(first) && !is_host(first) && is_component(first) => (None, name),
            Some((first, rest)) if is_registry(first) => (Some(first), rest),
            _ => (None, name),
        };
        if registry.is_some_and(|r| !is_host(r)) || !path.split('/').all(is_component) {
            return None;
        }
        // Without its host `docker.io/gcr.io/x` would be another image.
        let looks_hosted = path.split_once('/').is_some_and(|(first, _)| is_registry(first));
        let registry = registry.filter(|r| looks_hosted || !matches!(*r, "docker.io" | "index.docker.io"));
        let repository = match (registry, path.strip_prefix("library/")) {
            (None, Some(short)) if !short.contains('/') => short,
            _ => path,
        };
        // A bare name of 64 hexadecimal digits would be an image id.
        if registry.is_none() && repository.len() == 64 && repository.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        Some(Self {
            registry: registry.map(str::to_owned),
            repository: repository.to_owned(),
            tag: tag.map(str::to_owned),
            digest: digest.map(str::to_owned),
        })
    }

    /// The registry and the repository, without tag and digest.
    #[must_use]
    pub fn name(&self) -> String {
        match &self.registry {
            Some(registry) => format!("{registry}/{}", self.repository),
            None => self.repository.clone(),
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

/// Whether the first element of a name is a registry and not a namespace of Docker Hub.
fn is_registry(first: &str) -> bool {
    first.contains(['.', ':']) || first == "localhost" || first.bytes().any(|b| b.is_ascii_uppercase())
}

fn is_host(text: &str) -> bool {
    if let Some(rest) = text.strip_prefix('[') {
        let Some((address, port)) = rest.split_once(']') else { return false };
        return !address.is_empty()
            && address.bytes().all(|b| b.is_ascii_hexdigit() || b == b':')
            && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port));
    }
    let (host, port) = match text.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (text, None),
    };
    port.is_none_or(is_port)
        && host.split('.').all(|label| {
            !label.is_empty()
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        })
}

fn is_port(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// One element of a path: runs of lower-case letters and digits, joined by `.`, `_`, `__` or dashes.
fn is_component(text: &str) -> bool {
    let is_word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = text.as_bytes();
    if !bytes.first().copied().is_some_and(is_word) || !bytes.last().copied().is_some_and(is_word) {
        return false;
    }
    text.split(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        .all(|joint| matches!(joint, "" | "." | "_" | "__") || joint.bytes().all(|b| b == b'-'))
}

fn is_tag(text: &str) -> bool {
    text.len() <= 128
        && text.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
}

fn is_digest(text: &str) -> bool {
    let Some((algorithm, hex)) = text.split_once(':') else { return false };
    let length = match algorithm {
        "sha256" => 64,
        "sha384" => 96,
        "sha512" => 128,
        _ => return false,
    };
    hex.len() == length && hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

#[cfg(test)]
mod tests {
    use super::Reference;

    fn parts(text: &str) -> Option<(Option<String>, String, Option<String>)> {
        Reference::parse(text).map(|r| (r.registry, r.repository, r.tag))
    }

    #[test]
    fn folds_docker_hub_away() {
        for text in [
            "python:3.11",
            "library/python:3.11",
            "docker.io/python:3.11",
            "docker.io/library/python:3.11",
            "index.docker.io/library/python:3.11",
        ] {
            assert_eq!(parts(text), Some((None, "python".into(), Some("3.11".into()))), "{text}");
            assert_eq!(Reference::parse(text).unwrap().to_string(), "python:3.11");
        }
    }

    #[test]
    fn tells_ports_from_tags() {
        assert_eq!(parts("localhost:5000/app"), Some((Some("localhost:5000".into()), "app".into(), None)));
        assert_eq!(parts("registry.example:5000/a/b:1"), Some((Some("registry.example:5000".into()), "a/b".into(), Some("1".into()))));
        assert_eq!(parts("bitnami/node"), Some((None, "bitnami/node".into(), None)));
        assert_eq!(parts("gcr.io/distroless/static"), Some((Some("gcr.io".into()), "distroless/static".into(), None)));
        assert_eq!(parts("gcr.io_mirror/x:1"), Some((None, "gcr.io_mirror/x".into(), Some("1".into()))));
        assert_eq!(parts("docker.io/gcr.io/x"), Some((Some("docker.io".into()), "gcr.io/x".into(), None)));
        assert_eq!(parts("[::1]:5000/app"), Some((Some("[::1]:5000".into()), "app".into(), None)));
    }

    #[test]
    fn keeps_digests() {
        let text = format!("debian:12@sha256:{}", "0123456789abcdef".repeat(4));
        assert_eq!(Reference::parse(&text).unwrap().to_string(), text);
        assert!(Reference::parse("debian@sha256:12").is_none());
    }

    #[test]
    fn refuses_what_the_builder_refuses() {
        let long = "a".repeat(256);
        for text in [
            "",
            "Python",
            "a//b",
            "a/",
            "/a",
            "a:",
            "a:.b",
            "a b",
            "$X",
            "a___b",
            "-a",
            "a-",
            "-host.io/a",
            "host.io:x/a",
            "{{ x }}",
            long.as_str(),
            &"0".repeat(64),
        ] {
            assert!(Reference::parse(text).is_none(), "{text}");
        }
        for text in ["a__b", "a---b", "a.b_c", "a:v1_2.3-x"] {
            assert!(Reference::parse(text).is_some(), "{text}");
        }
    }
}
