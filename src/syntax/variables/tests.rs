use super::{Lookup, expand, expand_content, unquote, variables};

fn lookup(name: &str) -> Lookup {
    match name {
        "a" => Lookup::Known("A b".into()),
        "empty" => Lookup::Known(String::new()),
        "path" => Lookup::Known("/usr/local/lib/python3".into()),
        "star" => Lookup::Known("a*b*c".into()),
        "unknown" => Lookup::Unknown,
        _ => Lookup::Unset,
    }
}

fn text(word: &str) -> String {
    expand(word, '\\', &lookup).unwrap_or_else(|e| panic!("{word}: {e}")).text
}

/// One row for each rule of the reference's section on environment replacement
/// (https://docs.docker.com/reference/dockerfile/#environment-replacement), and of `processDollar` and `processDoubleQuote` in
/// BuildKit's frontend/dockerfile/shell/lex.go where the reference is silent.
#[test]
fn variables_become_their_values() {
    for (word, expected) in [
        ("$a", "A b"),
        ("${a}", "A b"),
        ("x${a}y", "xA by"),
        ("$a_b", ""),
        ("\\$a", "$a"),
        ("\\${a}", "${a}"),
        ("'$a'", "$a"),
        ("\"$a\"", "A b"),
        ("\"\\$a\"", "$a"),
        ("\"\\x\"", "\\x"),
        ("\\x", "x"),
        ("a\\", "a"),
        ("${a:-z}", "A b"),
        ("${empty:-z}", "z"),
        ("${empty-z}", ""),
        ("${no:-z}", "z"),
        ("${no-z}", "z"),
        ("${a:+z}", "z"),
        ("${empty:+z}", ""),
        ("${empty+z}", "z"),
        ("${no+z}", ""),
        ("${a:?x}", "A b"),
        ("${a?x}", "A b"),
        ("${empty?x}", ""),
        ("${a-z}", "A b"),
        ("${a+z}", "z"),
        ("${no:+z}", ""),
        ("${no:-}", ""),
        ("${no:-\"a  b\"}", "a  b"),
        ("${no#a}", ""),
        ("${no/a/b}", ""),
        ("${path#x}", "/usr/local/lib/python3"),
        ("${path%3}", "/usr/local/lib/python"),
        ("${path/usr/}", "//local/lib/python3"),
        ("${path/%3/}", "/usr/local/lib/python3"),
        ("${path//l/$a}", "/usr/A bocaA b/A bib/python3"),
        ("${no:-${a}}", "A b"),
        ("${no:-'$a'}", "$a"),
        ("${no:-a\\}b}", "a}b"),
        ("${path#*/}", "usr/local/lib/python3"),
        ("${path##*/}", "python3"),
        ("${path%/*}", "/usr/local/lib"),
        ("${path%%/*}", ""),
        ("${path#/us?}", "/local/lib/python3"),
        ("${path/lib/share}", "/usr/local/share/python3"),
        ("${path//\\//:}", ":usr:local:lib:python3"),
        ("${path//o*/x}", "/usr/lx"),
        ("${star//\\*/x}", "axbxc"),
        ("${star#a\\*}", "b*c"),
        ("$", "$"),
        ("$$", ""),
        ("a$ b", "a$ b"),
        ("$1x", "x"),
        ("''", ""),
    ] {
        assert_eq!(text(word), expected, "{word}");
    }
}

#[test]
fn what_the_builder_refuses_is_an_error() {
    for word in [
        "'a",
        "\"a",
        "${",
        "${}",
        "${:}",
        "${a",
        "${a:}",
        "${a:x}",
        "${a:#x}",
        "${a^}",
        "${a/b}",
        "${no:?}",
        "${no?why}",
        "${empty:?}",
        "${no:+${no:?x}}",
        "${a#\\x}",
    ] {
        assert!(expand(word, '\\', &lookup).is_err(), "{word}");
    }
    assert_eq!(expand("${no:?why not}", '\\', &lookup).unwrap_err(), "no: why not");
}

#[test]
fn words_are_split_behind_the_replacement() {
    let words = |word: &str| expand(word, '\\', &lookup).unwrap().words;
    assert_eq!(words("x $a y"), ["x", "A", "b", "y"]);
    assert_eq!(words("\"$a\" 'c d'"), ["A b", "c d"]);
    assert_eq!(words("a\\ b"), ["a b"]);
    assert_eq!(words("$empty"), [""; 0]);
    // BuildKit loses the text in front of an operand in the list of words (not in the text).
    assert_eq!(words("x${no:-y}"), ["y"]);
}

#[test]
fn unknown_values_spread_only_where_they_matter() {
    let unknown = |word: &str| expand(word, '\\', &lookup).unwrap().unknown;
    for word in ["$unknown", "x${unknown}", "${unknown:-a}", "${no:-$unknown}", "${a:+$unknown}", "${path#$unknown}"] {
        assert!(unknown(word), "{word}");
    }
    for word in ["$a", "'$unknown'", "${a:-$unknown}", "${no:+$unknown}"] {
        assert!(!unknown(word), "{word}");
    }
}

#[test]
fn a_backtick_escapes_where_the_file_says_so() {
    let text = |word: &str| expand(word, '`', &lookup).unwrap().text;
    assert_eq!(text("`$a"), "$a");
    assert_eq!(text("C:\\$a"), "C:\\A b");
    assert_eq!(text("\"`\"\""), "\"");
}

#[test]
fn variables_have_spans() {
    let found = variables("x$a '${b}' \"${c:-${d}}\" \\$e ${f##*/}", '\\');
    let names: Vec<&str> = found.iter().map(|v| v.name.as_str()).collect();
    assert_eq!(names, ["a", "c", "d", "f"]);
    assert_eq!((found[1].modifier.as_deref(), found[1].span.start, found[1].span.end), (Some(":-"), 12, 22));
    assert_eq!(found[3].modifier.as_deref(), Some("##"));
}

#[test]
fn quotes_mean_nothing_in_the_content_of_a_heredoc() {
    assert_eq!(expand_content("it's $a \"x\" \\$a", &lookup).unwrap().text, "it's A b \"x\" $a");
}

#[test]
fn unquoting_needs_no_values() {
    assert_eq!(unquote("'a b'\\ c", '\\').as_deref(), Some("a b c"));
    assert_eq!(unquote("a$b", '\\'), None);
    assert_eq!(unquote("'a", '\\'), None);
}

#[test]
fn what_blows_up_is_refused() {
    let long = |_: &str| Lookup::Known("x".repeat(100));
    let mut nested = "y".to_owned();
    for _ in 0..8 {
        nested = format!("${{v///{nested}{nested}}}");
    }
    let doubled = "$v".repeat(2000);
    let quoted = format!("\"{doubled}\"");
    let matches = format!("${{v//*/{}}}", "\\$0".repeat(2000));
    for text in [&nested, &doubled, &quoted, &matches] {
        let error = expand(text, '\\', &long).unwrap_err();
        assert!(error.contains("add more than"), "{error}");
    }
    assert_eq!(expand(&"$v".repeat(1000), '\\', &long).unwrap().text.len(), 100_000);
}
