//! Names that the converter reads: platforms, digests, addresses of sources.

/// `platforms.Parse` of containerd, as far as it refuses.
pub(super) fn is_platform(text: &str) -> bool {
    let parts: Vec<&str> = text.split('/').collect();
    let Some((first, rest)) = parts.split_first() else { return false };
    let Some(system) = system(first) else { return false };
    match rest {
        // Alone, the text must be known as a system or else as an architecture.
        [] => is_known_system(&system.to_lowercase()) || is_known_architecture(&first.to_lowercase()),
        [_] | [_, _] => rest.iter().all(|part| is_filled(part, ".-_")),
        _ => false,
    }
}

/// The name in `NAME(VERSION+FEATURE)`; `None` where it is malformed. `osRe`, `decodeOSOption` and `parseOSFeatures`.
fn system(part: &str) -> Option<&str> {
    let (name, options) = match part.split_once('(') {
        Some((name, rest)) => (name, rest.strip_suffix(')')?),
        None => (part, ""),
    };
    let mut options = options.split('+');
    let version = options.next().unwrap_or_default();
    let fits = is_filled(name, "-_")
        && (version.is_empty() || is_filled(version, "._%-"))
        && options.clone().all(|feature| is_filled(feature, "._%-"))
        && is_unescapable(version)
        && options.all(is_unescapable);
    fits.then_some(name)
}

/// Letters and digits of ASCII and the characters of `more`, and at least one.
fn is_filled(text: &str, more: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
}

/// Whether each `%` stands in front of two hexadecimal digits.
fn is_unescapable(text: &str) -> bool {
    text.split('%').skip(1).all(|rest| rest.as_bytes().get(..2).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)))
}

/// `isKnownOS` behind `normalizeOS`.
fn is_known_system(name: &str) -> bool {
    let known = [
        "aix",
        "android",
        "darwin",
        "dragonfly",
        "freebsd",
        "hurd",
        "illumos",
        "ios",
        "js",
        "linux",
        "macos",
        "nacl",
        "netbsd",
        "openbsd",
        "plan9",
        "solaris",
        "windows",
        "zos",
    ];
    known.contains(&name)
}

/// `isKnownArch` behind `normalizeArch`.
fn is_known_architecture(name: &str) -> bool {
    let known = [
        "386",
        "i386",
        "amd64",
        "x86_64",
        "x86-64",
        "amd64p32",
        "arm",
        "armhf",
        "armel",
        "armbe",
        "arm64",
        "aarch64",
        "arm64be",
        "ppc64",
        "ppc64le",
        "loong64",
        "mips",
        "mipsle",
        "mips64",
        "mips64le",
        "mips64p32",
        "mips64p32le",
        "ppc",
        "riscv",
        "riscv64",
        "s390",
        "s390x",
        "sparc",
        "sparc64",
        "wasm",
    ];
    known.contains(&name)
}

/// `Digest.Validate` of go-digest.
pub(super) fn is_digest(text: &str) -> bool {
    let Some((algorithm, digits)) = text.split_once(':') else { return false };
    let length = match algorithm {
        "sha256" => 64,
        "sha384" => 96,
        "sha512" => 128,
        _ => return false,
    };
    digits.len() == length && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// Whether a source is a URL or a git repository.
pub(super) fn is_remote(source: &str) -> bool {
    ["http://", "https://", "git://", "ssh://"].iter().any(|s| source.starts_with(s)) || is_scp(source)
}

/// Whether a remote source is a git repository: of HTTP only what ends in `.git`. `ParseGitRef` in dfgitutil/git_ref.go.
pub(super) fn is_git(source: &str) -> bool {
    if !source.starts_with("http") {
        return true;
    }
    source.split(['#', '?']).next().is_some_and(|path| path.ends_with(".git"))
}

/// `git@host:path`.
fn is_scp(source: &str) -> bool {
    source.strip_prefix("git@").is_some_and(|rest| rest.split_once(':').is_some_and(|(host, _)| !host.is_empty() && !host.contains('/')))
}

#[cfg(test)]
mod tests {
    use super::{is_digest, is_git, is_platform};

    #[test]
    fn platforms_are_those_that_containerd_parses() {
        for platform in [
            "linux",
            "MacOS",
            "arm64",
            "X86-64",
            "linux/amd64",
            "a/b/c",
            "li-nux_1/x.y",
            "windows(10.0.1)/amd64",
            "windows()/x",
            "linux(1+a+b)/x",
            "linux(%20)/x",
            "hurd(1)",
        ] {
            assert!(is_platform(platform), "{platform}");
        }
        for platform in [
            "",
            "/",
            "li.ux/amd64",
            "linux/",
            "x",
            "amd64(1)",
            "a/b/c/d",
            "linux(1/x",
            "linux(1+)/x",
            "linux(%2)/x",
            "linux(a b)/x",
            "linux/*",
        ] {
            assert!(!is_platform(platform), "{platform}");
        }
    }

    #[test]
    fn digests_have_all_their_digits() {
        assert!(is_digest(&format!("sha256:{}", "0".repeat(64))) && is_digest(&format!("sha512:{}", "f".repeat(128))));
        for digest in ["sha256:0", "sha256:", ":", "md5:0", &format!("sha256:{}", "F".repeat(64))] {
            assert!(!is_digest(digest), "{digest}");
        }
    }

    #[test]
    fn of_http_only_what_ends_in_git_is_a_repository() {
        assert!(is_git("https://h/x.git#main") && is_git("git@h:x") && !is_git("http://h/x?y=.git"));
    }
}
