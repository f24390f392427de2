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
