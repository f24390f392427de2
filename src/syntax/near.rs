//! Near misses: the name that was probably meant.

/// The one of `names` that `word` is most like, case aside, if it is like it at all.
#[must_use]
pub fn near_miss<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.is_empty() || word.len() > 64 {
        return None;
    }
    let lower = word.to_lowercase();
    let length = lower.chars().count();
    // One slip in short names, more in longer ones.
    let most = |name: &str| (length.max(name.chars().count()).div_ceil(3)).clamp(1, 3);
    let likely = |d: usize, name: &str| d <= most(name) && d < name.chars().count().min(length);
    names
        .into_iter()
        // What differs more in length, or has too few characters of the other, needs no closer look.
        .filter(|name| name.chars().count().abs_diff(length) <= most(name) && likeness(&lower, name) + most(name) >= length)
        .map(|name| (distance(&lower, &name.to_lowercase()), name))
        .filter(|(d, name)| likely(*d, name))
        .min_by_key(|(d, _)| *d)
        .map(|(_, name)| name)
}

/// How many characters of `a` are somewhere in `b`, case aside. With each slip one less is.
fn likeness(a: &str, b: &str) -> usize {
    a.chars().filter(|x| !x.is_ascii() || b.chars().any(|y| y.eq_ignore_ascii_case(x) || !y.is_ascii())).count()
}

/// How many characters must be put in, left out, replaced or swapped with their neighbour.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().collect();
    let b: Vec<char> = b.chars().collect();
    let at = |row: &[usize], i: usize| row.get(i).copied().unwrap_or(usize::MAX / 2);
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let mut best = (at(&last, j) + usize::from(x != y)).min(at(&last, j + 1) + 1).min(at(&row, j) + 1);
            let swapped = i > 0 && j > 0 && Some(x) == b.get(j - 1) && a.get(i - 1) == Some(y);
            if swapped {
                best = best.min(at(&before, j - 1) + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    at(&last, b.len())
}

#[cfg(test)]
mod tests {
    use super::near_miss;

    #[test]
    fn finds_what_was_meant() {
        let names = ["FROM", "RUN", "COPY", "ENTRYPOINT"];
        assert_eq!(near_miss("FORM", names), Some("FROM"));
        assert_eq!(near_miss("runn", names), Some("RUN"));
        assert_eq!(near_miss("FNTRYPOINT", names), Some("ENTRYPOINT"));
        assert_eq!(near_miss("tmp", ["bind", "tmpfs"]), Some("tmpfs"));
        assert_eq!(near_miss("mkdir", names), None);
        assert_eq!(near_miss("a", ["b"]), None);
        assert_eq!(near_miss("{{", names), None);
        assert_eq!(near_miss("", names), None);
    }
}
