//! How a file continues its RUN instructions over lines.

use crate::source::Span;

/// How a file continues its lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Style {
    /// Whether `&&` stands at the end of a line; at the start of the next one otherwise.
    pub trailing: bool,
    /// What a continued line starts with.
    pub indent: String,
}

impl Style {
    /// The style of the RUN bodies in `spans`, the first ones first; four blanks and `&&` in front where they show none.
    pub fn of(source: &str, spans: impl Iterator<Item = Span>, escape: char) -> Self {
        for span in spans {
            let lines: Vec<&str> = span.text(source).lines().collect();
            for pair in lines.windows(2) {
                let [line, next] = pair else { continue };
                let Some(code) = line.trim_end().strip_suffix(escape) else { continue };
                let indent = next.get(..next.len() - next.trim_start().len()).unwrap_or("").to_owned();
                if code.trim_end().ends_with("&&") && !next.trim_start().starts_with('#') {
                    return Self { trailing: true, indent };
                }
                if next.trim_start().starts_with("&&") {
                    return Self { trailing: false, indent };
                }
            }
        }
        Self { trailing: false, indent: "    ".to_owned() }
    }
}
