//! Commit messages and the bodies of pull requests, made of templates.

use super::record::Row;

/// The commit message where the user gives none.
pub const DEFAULT: &str = "Restage {count}\n\n{changes}";

/// What may stand in a template, with its meaning.
pub const PLACEHOLDERS: [(&str, &str); 5] = [
    ("repository", "the repository's name"),
    ("count", "how many files change, as `2 files`"),
    ("files", "their paths"),
    ("transforms", "the transforms that change them"),
    ("changes", "a list of all changes"),
];

/// The template with everything filled in.
///
/// # Errors
/// The first placeholder that means nothing.
pub fn fill(template: &str, row: &Row) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = template;
    while let Some(at) = rest.find('{') {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        let word = after.get(1..).and_then(|a| a.split_once('}')).map(|(word, _)| word).unwrap_or("");
        if word.is_empty() || !word.chars().all(|c| c.is_ascii_lowercase()) {
            out.push('{');
            rest = after.get(1..).unwrap_or("");
            continue;
        }
        match word {
            "repository" => out.push_str(&row.name),
            "count" => out.push_str(&crate::report::count(row.changed_paths().count(), "file")),
            "files" => out.push_str(&row.changed_paths().collect::<Vec<_>>().join(", ")),
            "transforms" => out.push_str(&row.transforms().join(", ")),
            "changes" => out.push_str(&changes(row)),
            _ => {
                let known = PLACEHOLDERS.map(|(name, _)| format!("{{{name}}}")).join(", ");
                return Err(format!("the message has {{{word}}}, which means nothing; there are {known}"));
            }
        }
        rest = after.get(word.len() + 2..).unwrap_or("");
    }
    out.push_str(rest);
    Ok(out)
}

/// A line for each change.
fn changes(row: &Row) -> String {
    let mut out = String::new();
    for file in &row.files {
        for p in file.proposals.iter().filter(|p| p.applied) {
            out.push_str(&format!("- {}:{}: {} ({}, {})\n", file.path, p.line, p.title, p.transform, p.level));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fills_in_what_it_knows_and_refuses_the_rest() {
        let row = Row::new("o/n", String::new());
        assert_eq!(fill("{repository}: {count} {} {a b} {", &row).unwrap(), "o/n: 0 files {} {a b} {");
        assert!(fill("{repo}", &row).unwrap_err().contains("{repository}"));
    }
}
