use super::*;

fn script(text: &str) -> Option<Script> {
    parse(&Body::line(text, Span::new(0, text.len()), '\\'), Dialect::Bash)
}

fn spans(text: &str) -> Vec<&str> {
    script(text).unwrap().lists.iter().map(|l| l.span.text(text)).collect()
}

#[test]
fn edges_are_those_of_the_text() {
    assert_eq!(spans("! test -f é > x; b &"), ["! test -f é > x", "b"]);
    assert_eq!(spans("{ a; } 2>&1 && (b) | c"), ["{ a; } 2>&1 && (b) | c"]);
    assert_eq!(spans(">x a b"), [">x a b"]);
    assert_eq!(
        spans("if a; then b; elif c; then d; else e; fi >/dev/null; f"),
        ["if a; then b; elif c; then d; else e; fi >/dev/null", "f"]
    );
    assert_eq!(
        spans("for i in a b; do c $i; done; case x in (a|b) c;; *) ;; esac; d"),
        ["for i in a b; do c $i; done", "case x in (a|b) c;; *) ;; esac", "d"]
    );
    assert_eq!(spans("bash <(curl x) y; a=(1 2) b; f() { x; }; f"), ["bash <(curl x) y", "a=(1 2) b", "f() { x; }", "f"]);
    assert_eq!(
        spans("[[ a == b ]] && (( 1 + 2 )); while a; do b; done < <(c)"),
        ["[[ a == b ]] && (( 1 + 2 ))", "while a; do b; done < <(c)"]
    );
    assert_eq!(spans("cat <<< x; time -p b"), ["cat <<< x", "time -p b"]);
}

#[test]
fn heredocs_of_the_shell() {
    let text = "cat <<EOF > f && b\nhello $x\nEOF\n";
    let body = Body::verbatim(text, Span::new(0, text.len()));
    let script = parse(&body, Dialect::Posix).unwrap();
    assert_eq!(script.lists.len(), 1);
    assert_eq!(script.lists[0].rest.len(), 1);
    assert_eq!(script.lists[0].span.text(text), "cat <<EOF > f && b");
}

#[test]
fn a_heredoc_that_a_blank_names_is_opaque() {
    for text in ["a <<\u{c}<#", "a << \u{c} ;#", "a <<-\t\u{c}&#", "a <<\r<#", "a \"$(b <<\u{c}<#)\""] {
        assert!(script(text).is_none(), "{text:?}");
    }
    assert!(script("a\u{c}b").is_some() && script("a <<< b").is_some());
}

#[test]
fn continuations_and_comments() {
    let text = "a \\\n# why\n && b # note";
    let script = script(text).unwrap();
    assert_eq!(script.lists[0].span.text(text), "a \\\n# why\n && b");
    assert_eq!(script.comment.unwrap().text(text), "# note");
    assert_eq!(script.span.text(text), text);
}

#[test]
fn words_and_assignments() {
    let text = "A=1 B=\"x y\" env 'a b' $c";
    let script = script(text).unwrap();
    let CommandKind::Simple { assignments, words } = &script.lists[0].first.commands[0].kind else { panic!() };
    assert_eq!(
        assignments.iter().map(|a| (a.name.as_str(), a.value.literal.as_deref())).collect::<Vec<_>>(),
        [("A", Some("1")), ("B", Some("x y"))]
    );
    assert_eq!(words.iter().map(|w| w.literal.as_deref()).collect::<Vec<_>>(), [Some("env"), Some("a b"), None]);
}

#[test]
fn opaque_without_panic() {
    for text in ["(", "if x", "a 'b", "99999999999999999999>x", "a &&", "}", "cat <<EOF", "&>", "a=(", "case", "for"] {
        assert_eq!(script(text), None, "{text}");
    }
    assert_eq!(parse(&Body::inside("Get-Item x", Span::default()), Dialect::Other), None);
}

#[test]
fn deep_nesting_is_bounded_in_time() {
    let start = std::time::Instant::now();
    for piece in [
        "(",
        "{ ",
        "if ",
        "$(",
        "((",
        "`",
        "while ",
        "a=(",
        "<(",
        "! ",
        "case x in (",
        "f() (",
        "${a:-",
        "\"$(",
        "[[ (",
        "for x in ",
        "&& ",
        "| ",
    ] {
        for count in [5, 11, 12, 13, 50, 5000] {
            let _ = script(&piece.repeat(count));
            let _ = script(&format!("{}a", piece.repeat(count)));
        }
    }
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}

#[test]
fn functions_have_bodies() {
    for (text, body) in [
        ("f() { a; b; } >x 2>&1; c", "{ a; b; } >x 2>&1"),
        ("function f { a; }; c", "{ a; }"),
        ("function f() (a); c", "(a)"),
        ("f ()\n{\n  if a; then b; fi\n}\nc", "{\n  if a; then b; fi\n}"),
        ("f() for i in 1; do a; done; c", "for i in 1; do a; done"),
        ("é() { gosu x; }; c", "{ gosu x; }"),
    ] {
        let inner = Body::verbatim(text, Span::new(0, text.len()));
        let script = parse(&inner, Dialect::Bash).unwrap();
        let CommandKind::Function { body: found, .. } = &script.lists[0].first.commands[0].kind else { panic!("{text}") };
        assert_eq!(found.span.text(text), body, "{text}");
        assert!(!matches!(found.kind, CommandKind::Simple { .. }));
        assert_eq!(script.lists.last().unwrap().span.text(text), "c", "{text}");
    }
}
