//! The image configuration, as the builder writes it.

use std::collections::BTreeMap;

use serde::Serialize;

/// The image configuration with the image specification's keys, as `docker inspect` shows them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[allow(missing_docs)]
pub struct ImageConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub exposed_ports: BTreeMap<String, Empty>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entrypoint: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cmd: Option<Vec<String>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub volumes: BTreeMap<String, Empty>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub working_dir: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_signal: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub healthcheck: Option<Healthcheck>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shell: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub on_build: Vec<String>,
}

/// The value of a key in a set: `{}`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Empty {}

/// A HEALTHCHECK; times in nanoseconds, 0 where none is given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[allow(missing_docs)]
pub struct Healthcheck {
    pub test: Vec<String>,
    #[serde(skip_serializing_if = "is_zero")]
    pub interval: i64,
    #[serde(skip_serializing_if = "is_zero")]
    pub timeout: i64,
    #[serde(skip_serializing_if = "is_zero")]
    pub start_period: i64,
    #[serde(skip_serializing_if = "is_zero")]
    pub start_interval: i64,
    #[serde(skip_serializing_if = "is_zero")]
    pub retries: i64,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde wants it so")]
const fn is_zero(n: &i64) -> bool {
    *n == 0
}

/// Nanoseconds of a duration such as `1m30s`, as Go's `time.ParseDuration` reads it.
#[must_use]
pub fn duration(text: &str) -> Option<i64> {
    const UNITS: [(&str, f64); 8] =
        [("ns", 1.0), ("us", 1e3), ("\u{b5}s", 1e3), ("\u{3bc}s", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3600e9)];
    let (sign, mut rest) = match text.as_bytes().first() {
        Some(b'-') => (-1.0, text.get(1..)?),
        Some(b'+') => (1.0, text.get(1..)?),
        _ => (1.0, text),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let number = rest.get(..digits)?;
        if !number.bytes().any(|b| b.is_ascii_digit()) {
            return None;
        }
        rest = rest.get(digits..)?;
        let unit_len = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        let unit = rest.get(..unit_len)?;
        let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit)?;
        total += number.parse::<f64>().ok()? * factor;
        rest = rest.get(unit_len..)?;
    }
    #[allow(clippy::cast_possible_truncation, reason = "a duration beyond the range is refused")]
    (total < 9.2e18).then_some((sign * total) as i64)
}

/// The ports that one word of EXPOSE names, as `port/protocol`. `parsePort` in dockerfile2llb/convert_expose.go.
///
/// # Errors
/// Where the builder refuses the word.
pub fn ports(word: &str) -> Result<Vec<String>, String> {
    let mut parts = word.rsplitn(3, ':');
    let (container, host) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""));
    let address = parts.next().unwrap_or("");
    let (port, protocol) = container.split_once('/').unwrap_or((container, ""));
    if port.is_empty() {
        return Err(format!("EXPOSE {word} names no port"));
    }
    let protocol = match protocol.to_lowercase().as_str() {
        "" => "tcp".to_owned(),
        known @ ("tcp" | "udp" | "sctp") => known.to_owned(),
        other => return Err(format!("EXPOSE {word}: `{other}` is none of tcp, udp and sctp")),
    };
    let bare = address.strip_prefix('[').and_then(|a| a.strip_suffix(']')).unwrap_or(address);
    if !bare.is_empty() && bare.parse::<std::net::IpAddr>().is_err() {
        return Err(format!("EXPOSE {word}: `{address}` is no address"));
    }
    let refused = || format!("EXPOSE {word}: `{port}` is no port or range of ports");
    let (start, end) = range(port).ok_or_else(refused)?;
    if !host.is_empty() {
        let (first, last) = range(host).ok_or_else(|| format!("EXPOSE {word}: `{host}` is no port or range of ports"))?;
        if end - start != last - first && end != start {
            return Err(format!("EXPOSE {word}: the ranges {host} and {port} differ in length"));
        }
    }
    Ok((start..=end).map(|n| format!("{n}/{protocol}")).collect())
}

fn range(text: &str) -> Option<(u16, u16)> {
    // Go's ParseInt takes a sign; a port with one passes if it is in range.
    let number = |s: &str| s.parse::<i64>().ok().and_then(|n| u16::try_from(n).ok());
    let Some((start, end)) = text.split_once('-') else { return number(text).map(|n| (n, n)) };
    let first = number(start)?;
    if start == end {
        return Some((first, first));
    }
    number(end).filter(|last| *last >= first).map(|last| (first, last))
}
