//! Paths of the image, as the builder joins them (`util/system/path.go` of BuildKit).

/// Whether `path` starts at the root.
#[must_use]
pub fn is_absolute(path: &str, windows: bool) -> bool {
    if windows { drop_drive(&path.replace('\\', "/")).is_some_and(|p| p.starts_with('/')) } else { path.starts_with('/') }
}

/// Whether a shell takes `path` as it stands, unquoted.
#[must_use]
pub fn is_plain(path: &str) -> bool {
    !path.starts_with('~') && path.chars().all(|c| c.is_alphanumeric() || "_-./@+,:%=".contains(c))
}

/// The working directory that `WORKDIR to` gives in `from`; `None` where the builder refuses it. An absolute path stays
/// as it is written, a relative one is joined and cleaned.
#[must_use]
pub fn workdir(from: Option<&str>, to: &str, windows: bool) -> Option<String> {
    if !windows {
        return Some(relative(from.unwrap_or("/"), to));
    }
    let from = drop_drive(&from.unwrap_or("/").replace('\\', "/"))?;
    let to = if to.is_empty() { from.clone() } else { drop_drive(&to.replace('\\', "/"))? };
    Some(relative(&from, &to).replace('/', "\\"))
}

fn relative(from: &str, to: &str) -> String {
    let from = if from.starts_with('/') { from.to_owned() } else { clean(&format!("/{from}")) };
    if to.is_empty() {
        return from;
    }
    if to.starts_with('/') { to.to_owned() } else { clean(&format!("{from}/{to}")) }
}

/// A Windows path without its drive, cleaned. `CheckSystemDriveAndRemoveDriveLetter`.
fn drop_drive(path: &str) -> Option<String> {
    if path.starts_with("//") || (path.len() == 2 && path.ends_with(':')) {
        return None;
    }
    match path.split_once(':') {
        None => Some(clean(path)),
        Some((drive, rest)) => drive.eq_ignore_ascii_case("c").then(|| clean(rest)),
    }
}

/// What follows `folder` in `path`, if it is that folder or lies in it. Both are clean.
#[must_use]
pub fn below<'p>(path: &'p str, folder: &str) -> Option<&'p str> {
    if folder == "/" {
        return Some(path.trim_start_matches('/'));
    }
    let rest = path.strip_prefix(folder)?;
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix('/') }
}

/// Whether `path` is `folder` or lies in it. Both are clean.
#[must_use]
pub fn inside(path: &str, folder: &str) -> bool {
    below(path, folder).is_some()
}

/// The shortest spelling of `path`, as Go's `path.Clean` gives it.
#[must_use]
pub fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|p| *p != "..") => {
                parts.pop();
            }
            ".." if rooted => {}
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    match (rooted, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".into(),
        (false, false) => joined,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_below() {
        for (path, folder, rest) in [
            ("/a/b", "/a", Some("b")),
            ("/a", "/a", Some("")),
            ("/ab", "/a", None),
            ("/a", "/a/b", None),
            ("/a/b", "/", Some("a/b")),
            ("/", "/", Some("")),
            ("a/b", "a", Some("b")),
        ] {
            assert_eq!(below(path, folder), rest, "{path} in {folder}");
            assert_eq!(inside(path, folder), rest.is_some());
        }
    }
}
