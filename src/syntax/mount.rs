//! The value of `RUN --mount=...`. `parseMount` in BuildKit's instructions/commands_runmount.go.

use super::near::near_miss;

/// A mount with its variables expanded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mount {
    /// `bind`, `cache`, `tmpfs`, `secret` or `ssh`.
    pub kind: String,
    /// The stage or image that it comes from; empty for the build context or none.
    pub from: String,
    /// The path there.
    pub source: String,
    /// Where it is mounted.
    pub target: String,
    /// The name of a cache or a secret.
    pub id: String,
    /// How a cache is shared.
    pub sharing: String,
}

const KEYS: [&str; 19] = [
    "type",
    "from",
    "source",
    "src",
    "target",
    "dst",
    "destination",
    "readonly",
    "ro",
    "readwrite",
    "rw",
    "required",
    "size",
    "id",
    "sharing",
    "mode",
    "uid",
    "gid",
    "env",
];
const KINDS: [&str; 5] = ["bind", "cache", "tmpfs", "secret", "ssh"];
const SHARING: [&str; 3] = ["shared", "private", "locked"];

/// What can be said before variables are known.
pub(super) fn check_written(value: &str) -> Result<(), String> {
    for field in fields(value)? {
        let Some((key, value)) = field.split_once('=') else { continue };
        let variable = value.find('$').is_some_and(|at| at + 1 != value.len());
        if key.to_lowercase() == "from" && variable {
            return Err("the mount's `from` can't hold a variable: name a stage that starts FROM it".into());
        }
    }
    Ok(())
}

/// What the mount says that it comes from, before variables are known; nothing where it does not say.
#[must_use]
pub fn written_from(value: &str) -> Option<String> {
    let fields = fields(value).unwrap_or_default();
    let from = |field: &String| field.split_once('=').filter(|(key, _)| key.to_lowercase() == "from").map(|(_, v)| v.to_owned());
    fields.iter().rev().find_map(from).filter(|from| !from.is_empty())
}

/// Reads the mount; `expand` replaces variables.
///
/// # Errors
/// Where the builder refuses it.
pub fn parse(value: &str, expand: &dyn Fn(&str) -> Result<String, String>) -> Result<Mount, String> {
    let mut mount = Mount { kind: "bind".into(), ..Mount::default() };
    let (mut owner, mut sharing) = (None, false);
    for field in fields(value)? {
        let (key, value) = field.split_once('=').map_or((field.as_str(), None), |(k, v)| (k, Some(v)));
        let key = key.to_lowercase();
        let Some(value) = value else {
            match key.as_str() {
                "readonly" | "ro" | "readwrite" | "rw" => continue,
                "required" if matches!(mount.kind.as_str(), "secret" | "ssh") => continue,
                "required" => return Err(format!("`required` does not go with a mount of type {}", mount.kind)),
                _ => return Err(format!("`{field}` in a mount needs a value")),
            }
        };
        let value = expand(value)?;
        let refused = || format!("`{value}` is no value of `{key}`");
        match key.as_str() {
            "type" => mount.kind = one_of(&value, &KINDS, "type of mount")?,
            "from" => mount.from = value,
            "source" | "src" => mount.source = value,
            "target" | "dst" | "destination" => mount.target = value,
            "readonly" | "ro" | "readwrite" | "rw" => boolean(&value).ok_or_else(refused)?,
            "required" if matches!(mount.kind.as_str(), "secret" | "ssh") => boolean(&value).ok_or_else(refused)?,
            "size" if mount.kind == "tmpfs" => size(&value).ok_or_else(refused)?,
            "required" | "size" => return Err(format!("`{key}` does not go with a mount of type {}", mount.kind)),
            "id" => mount.id = value,
            "sharing" => {
                mount.sharing = one_of(&value, &SHARING, "way of sharing")?;
                sharing = true;
            }
            "mode" => {
                unsigned(&value, 8).ok_or_else(refused)?;
                owner = Some("mode");
            }
            "uid" | "gid" => {
                unsigned(&value, 10).ok_or_else(refused)?;
                owner = Some(if key == "uid" { "uid" } else { "gid" });
            }
            "env" => {}
            _ => {
                let hint = near_miss(&key, KEYS).map(|k| format!("; did you mean `{k}`?")).unwrap_or_default();
                return Err(format!("a mount has no `{key}`{hint}"));
            }
        }
    }
    match (mount.kind.as_str(), owner) {
        ("bind" | "tmpfs", Some(owner)) => return Err(format!("`{owner}` does not go with a mount of type {}", mount.kind)),
        ("secret", _) if !mount.from.is_empty() => return Err("a secret has no `from`".into()),
        ("secret", _) if mount.source.is_empty() && mount.target.is_empty() && mount.id.is_empty() => {
            return Err("a secret needs an `id`, a `source` or a `target`".into());
        }
        ("secret", _) if !mount.source.is_empty() && !mount.id.is_empty() => return Err("a secret takes `source` or `id`, not both".into()),
        (kind, _) if sharing && kind != "cache" => return Err(format!("`sharing` does not go with a mount of type {kind}")),
        _ => {}
    }
    Ok(mount)
}

/// The value of `RUN --device=...`. `ParseDevice` in instructions/commands_rundevice.go.
pub(super) fn check_device(value: &str) -> Result<(), String> {
    let mut name = String::new();
    for field in fields(value)? {
        let (key, value) = field.split_once('=').map_or((field.as_str(), None), |(k, v)| (k, Some(v)));
        match (key.to_lowercase().as_str(), value) {
            ("required", None) => {}
            ("required", Some(value)) => boolean(value).ok_or_else(|| format!("`{value}` is no value of `required`"))?,
            ("name", Some(value)) if name.is_empty() => value.clone_into(&mut name),
            (_, _) if name.is_empty() && key.to_lowercase() != "name" => name = field,
            ("name", None) if name.is_empty() => name = field,
            ("name", Some(_)) => return Err(format!("the device has a name already: `{name}`")),
            (_, None) => return Err(format!("`{field}` in a device needs a value")),
            (key, Some(_)) => {
                let hint = near_miss(key, ["name", "required"]).map(|k| format!("; did you mean `{k}`?")).unwrap_or_default();
                return Err(format!("a device has no `{key}`{hint}"));
            }
        }
    }
    Ok(())
}

fn one_of(value: &str, known: &[&'static str], what: &str) -> Result<String, String> {
    let lower = value.to_lowercase();
    if known.contains(&lower.as_str()) {
        return Ok(lower);
    }
    let hint = near_miss(value, known.iter().copied()).map(|k| format!("; did you mean `{k}`?")).unwrap_or_default();
    Err(format!("`{value}` is no {what}{hint}"))
}

/// Go's `strconv.ParseBool`.
fn boolean(value: &str) -> Option<()> {
    matches!(value, "1" | "t" | "T" | "TRUE" | "true" | "True" | "0" | "f" | "F" | "FALSE" | "false" | "False").then_some(())
}

/// Go's `strconv.ParseUint`, which takes no sign.
fn unsigned(value: &str, radix: u32) -> Option<()> {
    (!value.starts_with('+') && u32::from_str_radix(value, radix).is_ok()).then_some(())
}

/// `RAMInBytes` of docker/go-units: a number, perhaps a fraction, with a binary unit.
fn size(value: &str) -> Option<()> {
    let end = value.rfind(|c: char| c.is_ascii_digit() || c == '.')? + 1;
    let number: f64 = value.get(..end)?.parse().ok()?;
    let unit = value.get(end..)?.strip_prefix(' ').unwrap_or(value.get(end..)?).to_lowercase();
    (number >= 0.0 && matches!(unit.trim_end_matches('b').trim_end_matches('i'), "" | "k" | "m" | "g" | "t" | "p" | "e")).then_some(())
}

/// One record of comma-separated values.
fn fields(value: &str) -> Result<Vec<String>, String> {
    if value.is_empty() {
        return Err("a mount needs at least its type and its target".into());
    }
    let mut out = Vec::new();
    let mut rest = value;
    loop {
        let mut field = String::new();
        if let Some(mut quoted) = rest.strip_prefix('"') {
            loop {
                let Some((text, behind)) = quoted.split_once('"') else { return Err(format!("a quote in `{value}` is not closed")) };
                field.push_str(text);
                match behind.strip_prefix('"') {
                    Some(more) => {
                        field.push('"');
                        quoted = more;
                    }
                    None => {
                        rest = behind;
                        break;
                    }
                }
            }
            if !rest.is_empty() && !rest.starts_with(',') {
                return Err(format!("a quote in `{value}` closes in the middle of a field"));
            }
        } else {
            let end = rest.find(',').unwrap_or(rest.len());
            let (text, behind) = rest.split_at(end);
            if text.contains('"') {
                return Err(format!("a quote in `{value}` opens in the middle of a field"));
            }
            field.push_str(text);
            rest = behind;
        }
        out.push(field);
        match rest.strip_prefix(',') {
            Some(more) => rest = more,
            None => return Ok(out),
        }
    }
}
