//! Wildcards of COPY sources, which are Go's `filepath.Match`.

/// One element of a compiled pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// This character.
    Literal(char),
    /// `?`: any character but `/`.
    One,
    /// `*`: any number of characters but `/`.
    Star,
    /// Any number of characters, `/` included.
    All,
    /// Nothing, or any number of characters up to a `/`.
    Directories,
    /// `[a-z]`, or with `true` in front `[^a-z]`.
    Class(bool, Vec<(char, char)>),
}

/// Whether `path` as a whole fits `parts`.
pub(super) fn matches(parts: &[Part], path: &str) -> bool {
    // Characters that stand for themselves at both ends are what tells most paths.
    let (mut parts, mut path) = (parts, path);
    while let [Part::Literal(c), rest @ ..] = parts {
        let Some(behind) = path.strip_prefix(*c) else { return false };
        (parts, path) = (rest, behind);
    }
    while let [rest @ .., Part::Literal(c)] = parts {
        let Some(before) = path.strip_suffix(*c) else { return false };
        (parts, path) = (rest, before);
    }
    match parts {
        [] => path.is_empty(),
        [Part::Star] => !path.contains('/'),
        [Part::All] => true,
        _ => middle_matches(parts, path),
    }
}

/// Every pair of positions is tried once at most.
fn middle_matches(parts: &[Part], path: &str) -> bool {
    let text: Vec<char> = path.chars().collect();
    // The positions in the text that the parts so far can end at.
    let mut reached = vec![false; text.len() + 1];
    if let Some(first) = reached.first_mut() {
        *first = true;
    }
    for part in parts {
        let mut next = vec![false; text.len() + 1];
        // For the parts that eat any number of characters: whether one started and still goes on.
        let mut open = false;
        for (i, here) in reached.iter().copied().enumerate() {
            let before = i.checked_sub(1).and_then(|i| text.get(i)).copied();
            let came = i.checked_sub(1).and_then(|i| reached.get(i)).copied().unwrap_or(false);
            let fits = match part {
                Part::Literal(c) => came && before == Some(*c),
                Part::One => came && before != Some('/'),
                Part::Class(negated, ranges) => {
                    came && before.is_some_and(|c| ranges.iter().any(|(low, high)| *low <= c && c <= *high) != *negated)
                }
                Part::Star => {
                    open = here || (open && before != Some('/'));
                    open
                }
                Part::All => {
                    open |= here;
                    open
                }
                Part::Directories => {
                    let fits = here || (open && before == Some('/'));
                    open |= here;
                    fits
                }
            };
            if let Some(slot) = next.get_mut(i) {
                *slot = fits;
            }
        }
        reached = next;
    }
    reached.last().copied().unwrap_or(false)
}

/// Compiles one pattern of Go's `filepath.Match`; `None` where it is malformed.
pub(super) fn compile(pattern: &str) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        parts.push(match c {
            '*' => Part::Star,
            '?' => Part::One,
            '\\' => Part::Literal(chars.next()?),
            '[' => class(&mut chars)?,
            c => Part::Literal(c),
        });
    }
    Some(parts)
}

/// The rest of a character class, behind its `[`.
pub(super) fn class(chars: &mut std::str::Chars) -> Option<Part> {
    let negated = chars.as_str().starts_with('^');
    if negated {
        chars.next();
    }
    let mut ranges = Vec::new();
    loop {
        let mut one = || match chars.next()? {
            '\\' => chars.next(),
            c => Some(c),
        };
        let low = one()?;
        let mut high = low;
        if chars.as_str().starts_with('-') && !chars.as_str().starts_with("-]") {
            chars.next();
            high = match chars.next()? {
                '\\' => chars.next()?,
                c => c,
            };
        }
        ranges.push((low, high));
        if chars.as_str().starts_with(']') {
            chars.next();
            return Some(Part::Class(negated, ranges));
        }
    }
}

/// Whether a COPY source has wildcards.
#[must_use]
pub fn has_wildcard(source: &str) -> bool {
    source.contains(['*', '?', '['])
}

/// Whether `path` fits `pattern` as Go's `filepath.Match` says.
#[must_use]
pub fn fits(pattern: &str, path: &str) -> bool {
    let special = |text: &str| text.contains(['*', '?', '[', '\\']);
    match pattern.split_once('*') {
        None if !special(pattern) => return pattern == path,
        // One star, as in most patterns, needs no compilation.
        Some((before, behind)) if !special(before) && !special(behind) => {
            let middle = path.strip_prefix(before).and_then(|rest| rest.strip_suffix(behind));
            return middle.is_some_and(|middle| !middle.contains('/'));
        }
        _ => {}
    }
    compile(pattern).is_some_and(|parts| matches(&parts, path))
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn matches_like_go() {
        for (pattern, path, want) in [
            ("abc", "abc", true),
            ("*", "abc", true),
            ("*c", "abc", true),
            ("a*", "a", true),
            ("a*", "ab/c", false),
            ("a*/b", "abc/b", true),
            ("a*/b", "a/c/b", false),
            ("a*b*c*d*e*/f", "axbxcxdxe/f", true),
            ("a*b*c*d*e*/f", "axbxcxdxexxx/fff", false),
            ("ab[c]", "abc", true),
            ("ab[b-d]", "abc", true),
            ("ab[^c]", "abc", false),
            ("ab[^b-d]", "abe", true),
            ("a\\*b", "a*b", true),
            ("a\\*b", "ab", false),
            ("a?b", "a☺b", true),
            ("a?b", "a/b", false),
            ("[", "a", false),
            ("package*.json", "package-lock.json", true),
            ("**/a", "x/y/a", false),
            ("**/a", "x/a", true),
        ] {
            assert_eq!(fits(pattern, path), want, "{pattern} {path}");
        }
    }
}
