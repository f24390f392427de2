//! Unified diffs that `git apply` and `patch -p1` take, byte for byte.
//!
//! Lines end at `\n` alone, so a lone carriage return stays within its line, and the texts are bytes all the way through.

use similar::{Algorithm, DiffTag, TextDiff, group_diff_ops};
use std::io::{self, Write};

/// Lines of context around a change.
const CONTEXT: usize = 3;

/// Writes the diff of one file; nothing where the texts are equal. `old` is `None` for a file that does not exist yet.
///
/// # Errors
/// What `out` says.
pub fn unified(out: &mut impl Write, path: &str, old: Option<&str>, new: &str) -> io::Result<()> {
    let before = old.unwrap_or("");
    if old.is_some() && before == new {
        return Ok(());
    }
    match old {
        Some(_) => writeln!(out, "--- {}", quoted("a/", path))?,
        None => writeln!(out, "--- /dev/null")?,
    }
    writeln!(out, "+++ {}", quoted("b/", path))?;
    let (a, b) = (lines(before), lines(new));
    let diff = TextDiff::configure().algorithm(Algorithm::Patience).newline_terminated(true).diff_slices(&a, &b);
    for group in group_diff_ops(diff.ops().to_vec(), CONTEXT) {
        let (Some(first), Some(last)) = (group.first(), group.last()) else { continue };
        let (x, y) = (first.old_range().start..last.old_range().end, first.new_range().start..last.new_range().end);
        writeln!(out, "@@ -{} +{} @@", range(x.start, x.end), range(y.start, y.end))?;
        for op in &group {
            let (tag, old, new) = op.as_tag_tuple();
            if tag == DiffTag::Equal {
                put(out, b' ', a.get(old.clone()).unwrap_or_default())?;
            } else {
                put(out, b'-', a.get(old).unwrap_or_default())?;
                put(out, b'+', b.get(new).unwrap_or_default())?;
            }
        }
    }
    Ok(())
}

/// The lines with their ends.
fn lines(text: &str) -> Vec<&[u8]> {
    text.as_bytes().split_inclusive(|b| *b == b'\n').collect()
}

/// `START,COUNT` of a hunk's head: a count of one is left out, and an empty range starts at the line before it.
fn range(start: usize, end: usize) -> String {
    match end - start {
        0 => format!("{start},0"),
        1 => format!("{}", start + 1),
        count => format!("{},{count}", start + 1),
    }
}

fn put(out: &mut impl Write, sign: u8, lines: &[&[u8]]) -> io::Result<()> {
    for line in lines {
        out.write_all(&[sign])?;
        out.write_all(line)?;
        if !line.ends_with(b"\n") {
            out.write_all(b"\n\\ No newline at end of file\n")?;
        }
    }
    Ok(())
}

/// The name as git writes it: in quotes with C's escapes where it has a character that would end or change it.
fn quoted(prefix: &str, path: &str) -> String {
    if !path.chars().any(|c| c.is_control() || c == '"' || c == '\\') {
        // A blank would end the name for `patch`; a tab behind it says where it really ends.
        let end = if path.contains(' ') { "\t" } else { "" };
        return format!("{prefix}{path}{end}");
    }
    let mut out = format!("\"{prefix}");
    for c in path.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => out.push_str(&format!("\\{:03o}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    fn of(path: &str, old: Option<&str>, new: &str) -> Vec<u8> {
        let mut out = Vec::new();
        unified(&mut out, path, old, new).unwrap();
        out
    }

    /// Applies the diff with the given program in a fresh folder and gives back the file.
    fn applied(program: &[&str], path: &str, old: Option<&str>, new: &str) -> Vec<u8> {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        if let Some(old) = old {
            std::fs::write(&file, old).unwrap();
        }
        let mut child = Command::new(program[0])
            .args(&program[1..])
            .current_dir(dir.path())
            .env("GIT_CEILING_DIRECTORIES", dir.path().parent().unwrap())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(&of(path, old, new)).unwrap();
        assert!(child.wait().unwrap().success(), "{}", String::from_utf8_lossy(&of(path, old, new)));
        std::fs::read(file).unwrap()
    }

    #[test]
    fn git_and_patch_make_the_new_file_of_the_old_one() {
        let cases: &[(&str, Option<&str>, &str)] = &[
            ("Dockerfile", Some("FROM a\nRUN b\nRUN c\n"), "FROM a\nRUN b && c\n"),
            ("Dockerfile", Some("FROM a\r\nRUN b\r\nRUN c\r\n"), "FROM a\r\nRUN b && \\\r\n  c\r\n"),
            ("Dockerfile", Some("FROM a\nRUN b"), "FROM a\nRUN c"),
            ("Dockerfile", Some("FROM a\nRUN b"), "FROM a\nRUN b\nUSER x\n"),
            ("Dockerfile", Some("FROM a\nRUN b\n"), "FROM a\nRUN b"),
            ("Dockerfile", Some("FROM a\nLABEL a=\"é\u{2028}ü\"\nRUN b\n"), "FROM a\nLABEL a=\"é\u{2028}ü\"\nRUN ñ\n"),
            ("Dockerfile", Some("FROM a\nRUN echo \rx\nRUN b\n"), "FROM a\nRUN echo \rx\nRUN c\n"),
            ("Dockerfile", Some("\u{feff}FROM a\n\u{c}\u{b}\nRUN b\n"), "\u{feff}FROM a\n\u{c}\u{b}\nRUN c\n"),
            ("a/b c/Dockerfile", Some("FROM a\n"), "FROM b\n"),
            ("é/Dockerfile", Some("FROM a\n"), "FROM b\n"),
            (".dockerignore", None, "node_modules\n.git\n"),
            ("x/.dockerignore", None, ".git"),
        ];
        for (path, old, new) in cases {
            assert_eq!(applied(&["git", "apply", "-"], path, *old, new), new.as_bytes(), "git apply, {path} {old:?}");
            // GNU patch reads a name with a byte above 127 as it stands, and so does git.
            assert_eq!(applied(&["patch", "-p1", "-s", "--binary"], path, *old, new), new.as_bytes(), "patch, {path} {old:?}");
        }
    }

    #[test]
    fn equal_texts_have_no_diff() {
        assert!(of("Dockerfile", Some("FROM a\n"), "FROM a\n").is_empty());
    }

    #[test]
    fn hunks_are_numbered_as_diff_does() {
        let old: String = (1..=20).map(|n| format!("{n}\n")).collect();
        let new = old.replace("10\n", "ten\n");
        let text = String::from_utf8(of("f", Some(&old), &new)).unwrap();
        assert!(text.starts_with("--- a/f\n+++ b/f\n@@ -7,7 +7,7 @@\n 7\n"), "{text}");
    }
}
