//! Durations of HEALTHCHECK.

/// Nanoseconds of a duration such as `1m30s`, as Go's `time.ParseDuration` reads it.
#[must_use]
pub fn nanoseconds(text: &str) -> Option<i64> {
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

#[cfg(test)]
mod tests {
    use super::nanoseconds;

    #[test]
    fn reads_what_go_reads() {
        assert_eq!(nanoseconds("1m30s"), Some(90_000_000_000));
        assert_eq!(nanoseconds("1.5s"), Some(1_500_000_000));
        assert_eq!(nanoseconds("100ms"), Some(100_000_000));
        assert_eq!(nanoseconds("0"), Some(0));
        assert_eq!(nanoseconds("-1s"), Some(-1_000_000_000));
        for text in ["", "s", "5", "5 s", "5x", ".s", "1h-2m"] {
            assert_eq!(nanoseconds(text), None, "{text}");
        }
    }
}
