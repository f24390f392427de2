//! The lines that reasons name.

/// `reason` with every line that it names replaced by what `original` makes of it. What stands in backquotes is the file's own text.
pub(super) fn renumbered(reason: &str, original: impl Fn(usize) -> usize) -> String {
    let mut out = String::with_capacity(reason.len());
    for (at, piece) in reason.split('`').enumerate() {
        if at > 0 {
            out.push('`');
        }
        if at % 2 == 1 {
            out.push_str(piece);
            continue;
        }
        let mut rest = piece;
        while let Some(found) = rest.find("line") {
            let (before, word) = rest.split_at(found);
            let behind = word.strip_prefix("lines ").or_else(|| word.strip_prefix("line "));
            let own = before.chars().next_back().is_none_or(|c| !c.is_alphanumeric());
            let taken = behind.filter(|_| own).map_or(found + "line".len(), |b| rest.len() - b.len());
            out.push_str(rest.get(..taken).unwrap_or_default());
            rest = rest.get(taken..).unwrap_or_default();
            if behind.is_some() && own {
                rest = numbers(rest, &original, &mut out);
            }
        }
        out.push_str(rest);
    }
    out
}

/// Takes `3`, `3 to 5`, `3, 4 and 5` from the start of `text`; gives what follows.
fn numbers<'t>(text: &'t str, original: &impl Fn(usize) -> usize, out: &mut String) -> &'t str {
    let mut rest = text;
    loop {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, behind) = rest.split_at(digits);
        let Ok(line) = number.parse() else { return rest };
        out.push_str(&original(line).to_string());
        let joint = [" to ", " and ", ", "]
            .into_iter()
            .find(|j| behind.strip_prefix(j).is_some_and(|b| b.starts_with(|c: char| c.is_ascii_digit())));
        let Some(joint) = joint else { return behind };
        out.push_str(joint);
        rest = behind.get(joint.len()..).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::renumbered;

    #[test]
    fn lines_are_renumbered_where_a_reason_names_them() {
        for (reason, told) in [
            ("line 3 installs with what line 12 fetches", "line 13 installs with what line 22 fetches"),
            ("the RUNs from line 2 to 5 take no time", "the RUNs from line 12 to 15 take no time"),
            ("lines 1, 2 and 3", "lines 11, 12 and 13"),
            ("`echo line 5` of line 5", "`echo line 5` of line 15"),
            ("the command goes over several lines", "the command goes over several lines"),
            ("online 4, 20 MB, line by line", "online 4, 20 MB, line by line"),
            ("in the line", "in the line"),
        ] {
            assert_eq!(renumbered(reason, |line| line + 10), told);
        }
    }
}
