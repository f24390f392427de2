//! Cases of the parser. What BuildKit makes of each was asked of BuildKit itself.

use super::{Dockerfile, Form, ItemKind, Keyword, Reading, View, problems};
use proptest::prelude::*;

fn read(source: &str) -> (Dockerfile, Vec<Reading>) {
    let file = Dockerfile::parse(source);
    let readings = file.instructions().map(|(_, i)| file.read(i)).collect();
    (file, readings)
}

fn one(source: &str) -> Reading {
    let (file, mut readings) = read(source);
    assert_eq!(readings.len(), 1, "{source:?}: {:?}", file.errors);
    readings.remove(0)
}

/// The laws that hold for any text.
fn laws(source: &str) {
    let file = Dockerfile::parse(source);
    assert_eq!(file.print(), source);
    let mut at = if source.starts_with('\u{feff}') { 3 } else { 0 };
    let mut line = 1;
    for item in &file.items {
        assert_eq!(item.span.start, at, "{source:?}");
        assert!(item.span.end > at, "{source:?}");
        assert_eq!(item.start_line, line, "{source:?}");
        assert!(item.end_line >= line, "{source:?}");
        (at, line) = (item.span.end, item.end_line + 1);
    }
    assert_eq!(at, source.len(), "{source:?}");
    for (index, instruction) in file.instructions() {
        let reading = file.read(instruction);
        let item = file.items[index].span;
        let inside = |span: crate::source::Span| {
            assert!(item.start <= span.start && span.start <= span.end && span.end <= item.end, "{source:?}: {span} in {item}");
        };
        inside(instruction.body);
        inside(instruction.keyword_span);
        inside(reading.arguments);
        reading.words.iter().for_each(|w| inside(w.span));
        reading.flags.iter().for_each(|f| inside(f.span));
        instruction.heredocs.iter().for_each(|h| inside(h.content.cover(h.terminator)));
        assert!(file.block(index).end == item.end);
        let _ = View::of(instruction.keyword, &reading);
    }
    let _ = problems(&file);
    let _ = crate::model::check::check(&file);
}

#[test]
fn lines_are_joined_as_the_builder_joins_them() {
    let cases = [
        ("RUN a \\\n  b", "RUN a   b"),
        ("RUN a \\ \t\n# c\n\n  b \\\n", "RUN a   b "),
        ("RUN a \\\\\n", "RUN a \\\\"),
        ("RUN a\\\r\nb\r\n", "RUN ab"),
        ("al\\\npine x", "alpine x"),
        ("\\\nRUN x", "RUN x"),
        ("RUN a `\n", "RUN a `"),
        ("RUN a \\", "RUN a "),
        ("  \tRUN x  \n", "RUN x  "),
        ("RUN a \\\n   # comment\n   b # not one", "RUN a    b # not one"),
    ];
    for (source, original) in cases {
        assert_eq!(one(source).original, original, "{source:?}");
        laws(source);
    }
}

#[test]
fn the_escape_directive_counts_only_at_the_top() {
    assert_eq!(read("# escape=`\nFROM x\nRUN a `\nb").1[1].original, "RUN a b");
    assert_eq!(read("#escape = ` \r\nFROM x\r\nRUN a `\r\nb").1[1].original, "RUN a b");
    assert_eq!(read("# syntax=a\n# escape=`\nFROM x").0.escape, '`');
    for source in ["# a comment\n# escape=`\nFROM x", "\n# escape=`\nFROM x", "# foo=bar\n# escape=`\nFROM x", "FROM x\n# escape=`\n"] {
        assert_eq!(read(source).0.escape, '\\', "{source:?}");
    }
    for source in ["# escape=x\nFROM x", "# escape=`\n# escape=`\nFROM x", "# escape= \nFROM x"] {
        assert_eq!(read(source).0.errors.len(), 1, "{source:?}");
    }
    assert_eq!(read("# escape=\nFROM x").0.errors, []);
    let file = read("\u{feff}# syntax=a=b\n# check=skip=all\nFROM x").0;
    let directives: Vec<(&str, &str)> = file.directives.iter().map(|d| (d.name.as_str(), d.value.as_str())).collect();
    assert_eq!(directives, [("syntax", "a=b"), ("check", "skip=all")]);
}

#[test]
fn heredocs_are_found_on_the_joined_line() {
    let heredocs = |source: &str| {
        let file = Dockerfile::parse(source);
        let (_, instruction) = file.instructions().next().unwrap();
        let found: Vec<(String, bool, bool, String)> =
            instruction.heredocs.iter().map(|h| (h.name.clone(), h.expand, h.strip_tabs, h.content.text(source).to_owned())).collect();
        laws(source);
        found
    };
    let doc = |name: &str, expand, strip, content: &str| (name.to_owned(), expand, strip, content.to_owned());
    assert_eq!(heredocs("RUN <<EOF\na\\\nEOF\nRUN x"), [doc("EOF", true, false, "a\\\n")]);
    assert_eq!(heredocs("RUN <<-'E'\n\ta\n\t\tE\n"), [doc("E", false, true, "\ta\n")]);
    assert_eq!(heredocs("COPY <<A <<\"B\" /x/\n1\nA\n2\nB\n"), [doc("A", true, false, "1\n"), doc("B", false, false, "2\n")]);
    assert_eq!(heredocs("RUN cat \\\n 3<<EOF\nx\nEOF"), [doc("EOF", true, false, "x\n")]);
    assert_eq!(heredocs("RUN << EOF\nx\nEOF"), [doc("EOF", true, false, "x\n")]);
    assert_eq!(heredocs("ONBUILD RUN <<EOF\nx\nEOF"), [doc("EOF", true, false, "x\n")]);
    // A modifier that does not exist is one only where the variable is set, and here none is.
    assert_eq!(heredocs("COPY <<a ${b:c} /d\nx\na\n"), [doc("a", true, false, "x\n")]);
    assert_eq!(heredocs("RUN <<EOF\r\nx\r\nEOF\r\n"), [doc("EOF", true, false, "x\r\n")]);
    for source in ["RUN echo '<<EOF'", "RUN a <<<b", "RUN [\"<<EOF\"]", "CMD <<EOF", "RUN a ' <<EOF", "ENV a=<<EOF", "RUN $((1<<2))x"] {
        assert_eq!(heredocs(source), [], "{source:?}");
    }
    let file = Dockerfile::parse("FROM x\nRUN <<EOF\nFROM y\n");
    assert_eq!(file.errors[0].line, 2);
    assert!(file.errors[0].message.contains("EOF"));
}

#[test]
fn arguments_are_cut_as_buildkit_cuts_them() {
    let cases: [(&str, &[&str]); 18] = [
        ("RUN a  b", &["a  b"]),
        ("CMD [\"a\", \"b\\u00e9\"]", &["a", "b\u{e9}"]),
        ("CMD ['a']", &["['a']"]),
        ("CMD []", &[]),
        ("COPY a  b\tc/", &["a", "b", "c/"]),
        ("COPY [\"a b\", \"c\"]", &["a b", "c"]),
        ("ENV a=b c='d e' f=\\ g", &["a", "b", "=", "c", "'d e'", "=", "f", "\\ g", "="]),
        ("ENV a b  c=d", &["a", "b  c=d", ""]),
        ("LABEL \"a b\"=c", &["\"a b\"", "c", "="]),
        ("ARG a b=c", &["a", "b=c"]),
        ("FROM a AS b", &["a", "AS", "b"]),
        ("HEALTHCHECK --interval=1s CMD [\"a\"]", &["CMD", "a"]),
        ("HEALTHCHECK NONE", &["NONE"]),
        ("WORKDIR /a b", &["/a b"]),
        ("EXPOSE 80 443/tcp", &["80", "443/tcp"]),
        ("FOO a b", &[""]),
        ("ENV", &[]),
        ("COPY --from=a --chown='x y' b c", &["b", "c"]),
    ];
    for (source, args) in cases {
        assert_eq!(one(source).args, args, "{source:?}");
        laws(source);
    }
}

#[test]
fn flags_are_decoded_byte_by_byte() {
    let flags = |source: &str| one(source).flags.iter().map(|f| (f.name.clone(), f.value.clone())).collect::<Vec<_>>();
    let flag = |name: &str, value: Option<&str>| (name.to_owned(), value.map(str::to_owned));
    assert_eq!(flags("COPY --from=a --link b c"), [flag("from", Some("a")), flag("link", None)]);
    assert_eq!(flags("RUN --mount=type='a b',x=\\ y z"), [flag("mount", Some("type=a b,x= y"))]);
    assert_eq!(flags("RUN --a=b -- --c"), [flag("a", Some("b"))]);
    assert_eq!(flags("RUN --x=\u{e9} y"), [flag("x", Some("\u{c3}\u{a9}"))]);
}

#[test]
fn the_parser_refuses_what_buildkit_refuses() {
    for (source, line) in [
        ("", 1),
        ("# only\n# comments\n", 2),
        ("FROM x\nENV a\n", 2),
        ("FROM x\n\nLABEL a=b c\n", 3),
        ("FROM x\nCMD [1]\n", 2),
        ("FROM x\nONBUILD ENV a\n", 2),
        ("FROM x\nHEALTHCHECK CMD [true]\n", 2),
    ] {
        let file = Dockerfile::parse(source);
        assert_eq!(file.errors.first().map(|e| e.line), Some(line), "{source:?}");
        laws(source);
    }
    let long = format!("FROM x\nRUN {}\n", "x".repeat(65_532));
    assert_eq!(Dockerfile::parse(long.as_str()).errors[0].line, 2);
    let fits = format!("FROM x\nRUN {}\n", "x".repeat(65_531));
    assert_eq!(Dockerfile::parse(fits.as_str()).errors, []);
}

#[test]
fn words_know_where_they_stand() {
    let source = "FROM x\nENV a=b \\\n  # comment\n  c=\"d \\\n e\" f=g\n";
    let (_, readings) = read(source);
    let texts: Vec<&str> = readings[1].words.iter().map(|w| w.span.text(source)).collect();
    assert_eq!(texts, ["a=b", "c=\"d \\\n e\"", "f=g"]);
    let View::Env { pairs, .. } = View::of(Keyword::Env, &readings[1]) else { panic!("no ENV") };
    assert_eq!(pairs[1].name.span.text(source), "c");
    assert_eq!(pairs[1].value.as_ref().unwrap().span.text(source), "\"d \\\n e\"");
    let source = "COPY --from=a \\\n  [\"b\", \"c d\"]";
    let reading = one(source);
    assert_eq!(reading.form, Form::Exec);
    assert_eq!(reading.flags[0].span.text(source), "--from=a");
    assert_eq!(reading.words[1].span.text(source), "\"c d\"");
    assert_eq!(reading.arguments.text(source), "[\"b\", \"c d\"]");
}

#[test]
fn blocks_take_their_comments_along() {
    let source = "FROM x\n\n# one\n# two\nRUN a\n# apart\n\nRUN b\n";
    let file = Dockerfile::parse(source);
    let blocks: Vec<&str> = file.instructions().map(|(i, _)| file.block(i).text(source)).collect();
    assert_eq!(blocks, ["FROM x\n", "# one\n# two\nRUN a\n", "RUN b\n"]);
}

#[test]
fn the_second_pass_says_what_was_meant() {
    let message = |source: &str| problems(&Dockerfile::parse(source)).first().map(|p| p.message.clone()).unwrap_or_default();
    assert_eq!(message("FORM x\n"), "`FORM` is no instruction; did you mean `FROM`?");
    for (source, part) in [
        ("RUN a\nFROM x", "before the first FROM"),
        ("FROM x\nRUN --mont=type=cache,target=/x a", "did you mean `--mount`?"),
        ("FROM x\nCOPY --link --link a b", "twice"),
        ("FROM x\nCOPY a", "a source and a destination"),
        ("FROM x AS 1", "can't name a stage"),
        ("FROM x y", "an image AS a name"),
        ("FROM x\nONBUILD FROM y", "can't hold FROM"),
        ("FROM x\nONBUILD ONBUILD RUN y", "another ONBUILD"),
        ("FROM x\nONBUILD Onbuild\u{85}\tWORKDIR", "another ONBUILD"),
        ("FROM x\nSHELL bash", "JSON"),
        ("FROM x\n{{ end }}", "template"),
        ("FROM x\nRUN a\n  && b", "missing at the end of the line above"),
        ("FROM x\nHEALTHCHECK --interval=5 CMD a", "duration"),
        ("FROM x\nRUN --mount=from=$x a", "variable"),
        ("ARG x", "no FROM"),
        ("FROM a\nRUN --device=a,b,c x", "needs a value"),
        ("FROM a\nRUN --device=name=a,name=b x", "has a name already"),
    ] {
        assert!(message(source).contains(part), "{source:?}: {}", message(source));
    }
    for source in ["FROM x\nHEALTHCHECK --foo NONE", "FROM x\nARG --foo y", "FROM x\nRUN", "FROM x\nONBUILD FOO", "ARG a=1\nFROM x"] {
        assert_eq!(message(source), "", "{source:?}");
    }
}

#[test]
fn the_converter_checks_what_variables_give() {
    let message =
        |source: &str| crate::model::check::check(&Dockerfile::parse(source)).first().map(|p| p.message.clone()).unwrap_or_default();
    for (source, part) in [
        ("FROM $x", "is missing above the first FROM"),
        ("FROM %s", "no image name"),
        ("FROM a AS b\nFROM c\nCOPY --from=2 x y", "no stage 2"),
        ("FROM a AS builder\nFROM c\nCOPY --from=bulder x y", "did you mean `builder`?"),
        ("FROM a AS q\nCOPY --from=b x y\nFROM c AS b\nCOPY --from=q x y", "in a circle"),
        ("FROM a\nCOPY --from=$b x y", "can't hold a variable"),
        ("FROM a\nCOPY --chmod=10000 x y", "no mode"),
        ("FROM a\nCOPY http://x y", "ADD can"),
        ("FROM a\nADD --checksum=sha256:0 http://x y", "no checksum"),
        ("FROM --platform=li.ux/amd64 a", "platform"),
        ("FROM a\nRUN --mount=typ=tmpfs,target=/x y", "did you mean `type`?"),
        ("FROM a\nRUN --mount=type=tmp,target=/x y", "did you mean `tmpfs`?"),
        ("FROM a\nVOLUME $x", "empty path"),
        ("FROM a\nSTOPSIGNAL FOO", "no signal"),
        ("FROM a\nEXPOSE x", "no port"),
        ("FROM a\nENV x=${y:?gone}", "gone"),
        ("FROM --platform=$BULIDPLATFORM a", "did you mean `BUILDPLATFORM`?"),
        ("FROM a\nENV x=${y:x}", "no modifier"),
        ("FROM a\u{20}a\u{17f} b\nFROM B", "no image name"),
        ("FROM a AS b\nCOPY --from=c x y\nFROM d AS c\nCOPY --from=b x y", "in a circle"),
        // A stage looks ahead to one that its copy needs, by the base.
        ("FROM x AS a\nRUN --mount=from=c,target=/m x\nFROM a AS c", "must stand before"),
        // What ONBUILD brings is checked where it is brought.
        ("FROM a AS b\nONBUILD FOO\nFROM b", "ONBUILD of the base: `FOO` is no instruction"),
        ("FROM a AS b\nONBUILD # x\nFROM b", "no instructions"),
        ("FROM a AS b\nONBUILD STOPSIGNAL FOO\nFROM b", "no signal"),
        ("FROM a AS b\nONBUILD ENV x=${11=/\nFROM b", "can't be read"),
        ("FROM a\nCOPY <<E /y\n${x\nE\n", "can't be read"),
        ("#!/bin/sh\n# check=SKIP=all\nFROM a", "none of skip"),
        ("# check=skip=a; error=true\nFROM a", "none of skip"),
        ("FROM a AS b\nONBUILD COPY --from=7 x y\nFROM b", "no stage 7"),
    ] {
        assert!(message(source).contains(part), "{source:?}: {}", message(source));
    }
    for source in [
        "FROM a\nENV x=${y:-z}",
        "FROM a\nCOPY --chmod=u+x x y",
        "FROM a\nADD --checksum=sha256:0 http://x/y.git z",
        "FROM scratch",
        "FROM --platform=$BUILDPLATFORM a",
        "FROM a\nSTOPSIGNAL SIGRTMIN+3",
        "FROM a AS b\nONBUILD FOO\nFROM c",
        "  # check=SKIP=all\nFROM a",
        "# check=skip=a error=true\nFROM a",
        // A heredoc that is no word of the copy, and one that another of its name covers.
        "FROM a\nADD x /y 3<< EOF\n${x\nEOF\n",
        "FROM a\nCOPY <<E <<E /y/\n${x\nE\nE\n",
        "FROM a\nRUN --device=vendor1.com/device=foo,required x",
        // An image that is mounted from becomes a stage behind the last one.
        "FROM a\nRUN --mount=from=c,target=/m x\nCOPY --from=1 x y\nFROM d AS b",
        "FROM a AS builder\nFROM builder-x\nFROM alpine AS alpin\nCOPY --from=alpine x y",
        // Nothing needs the first stage, so the builder never looks at what it copies from.
        "FROM a\nCOPY --from=b x y\nFROM c AS b",
    ] {
        assert_eq!(message(source), "", "{source:?}");
    }
}

/// The list of the reference, https://docs.docker.com/reference/dockerfile/#environment-replacement, and what BuildKit expands
/// beyond it: ARG's default, the flags and RUN's mounts (`dispatch` in dockerfile2llb/convert.go).
#[test]
fn variables_are_expanded_where_the_reference_says_so() {
    let message = |line: &str| {
        let file = Dockerfile::parse(format!("FROM a AS b\n{line}\nFROM b\n"));
        assert_eq!((file.errors.len(), problems(&file).len()), (0, 0), "{line}");
        crate::model::check::check(&file).first().map(|p| p.message.clone()).unwrap_or_default()
    };
    for line in [
        "ADD ${x:?gone} /",
        "ADD a ${x:?gone}",
        "COPY ${x:?gone} /",
        "COPY --chown=${x:?gone} a /",
        "ENV a=${x:?gone}",
        "ENV a ${x:?gone}",
        "EXPOSE ${x:?gone}",
        "FROM ${x:?gone}",
        "FROM --platform=${x:?gone} a",
        "LABEL a=${x:?gone}",
        "LABEL \"${x:?gone}\"=a",
        "STOPSIGNAL ${x:?gone}",
        "USER ${x:?gone}",
        "VOLUME ${x:?gone}",
        "VOLUME [\"${x:?gone}\"]",
        "WORKDIR ${x:?gone}",
        "ARG a=${x:?gone}",
        "RUN --mount=type=cache,target=${x:?gone} a",
        "ONBUILD WORKDIR ${x:?gone}",
        "COPY <<E /a\n${x:?gone}\nE",
    ] {
        assert!(message(line).contains("gone"), "{line}: {}", message(line));
    }
    for line in [
        "RUN ${x:?gone}",
        "RUN <<E\n${x:?gone}\nE",
        "CMD ${x:?gone}",
        "CMD [\"${x:?gone}\"]",
        "ENTRYPOINT ${x:?gone}",
        "HEALTHCHECK CMD ${x:?gone}",
        "SHELL [\"${x:?gone}\"]",
        "MAINTAINER ${x:?gone}",
        "ONBUILD RUN ${x:?gone}",
        "COPY <<'E' /a\n${x:?gone}\nE",
        "WORKDIR \\${x:?gone}",
        "WORKDIR '${x:?gone}'",
    ] {
        assert_eq!(message(line), "", "{line}");
    }
}

#[test]
fn files_that_are_too_large_or_no_utf_8_are_refused_where_that_shows() {
    let refused = |bytes: &[u8]| super::decode(bytes).map(str::len).map_err(|d| (d.line, d.message));
    assert_eq!(refused(&vec![b'\n'; super::LARGEST_FILE]), Ok(super::LARGEST_FILE));
    let (line, message) = refused(&vec![b'\n'; super::LARGEST_FILE + 1]).unwrap_err();
    assert!(line == 1 && message.contains("larger than the 16 MB"), "{message}");
    let (line, message) = refused(b"FROM x\nRUN \xff").unwrap_err();
    assert!(line == 2 && message.contains("column 5"), "{message}");
}

#[test]
fn nothing_overflows_the_stack() {
    for source in [
        format!("FROM x\n{}RUN a", "ONBUILD ".repeat(200_000)),
        format!("FROM x\nENV a={}", "${a:-".repeat(5_000)),
        format!("FROM x\nENV a={}{}", "${a:-".repeat(10_000), "}".repeat(10_000)),
        format!("FROM x\nCMD {}", "[".repeat(60_000)),
        format!("FROM x\nRUN <<{}", "'\"".repeat(20_000)),
    ] {
        let file = Dockerfile::parse(source.as_str());
        assert_eq!(file.print(), source);
        let _ = problems(&file);
        let _ = crate::model::check::check(&file);
    }
}

#[test]
fn files_that_set_thousands_of_names_are_refused_and_files_that_set_hundreds_are_not() {
    let first = |source: String| problems(&Dockerfile::parse(source)).first().map(|p| (p.line, p.message.clone()));
    let lines = |n: usize| (0..n).map(|i| format!("ENV a{i}=1\n")).collect::<String>();
    assert_eq!(first(format!("FROM x\n{}", lines(900))), None);
    let (line, message) = first(format!("FROM x\n{}", lines(1_100))).unwrap();
    assert_eq!(line, 1_001);
    assert!(message.contains("so many names"));
    // Stages do not add up, unless one starts from the other.
    assert_eq!(first((0..20).map(|i| format!("FROM x AS s{i}\n{}", lines(100))).collect()), None);
    assert!(first((0..40).map(|i| format!("FROM s{} AS s{i}\n{}", i - 1, lines(100))).collect()).is_some());
}

/// Pieces that mean something to the parser, so that random texts reach its corners.
fn tokens() -> impl Strategy<Value = String> {
    let token = prop_oneof![
        4 => prop::sample::select(vec!["RUN ", "COPY ", "FROM x\n", "ENV a=", "ONBUILD ", "HEALTHCHECK CMD ", "ARG ", "LABEL ", "CMD ", "EXPOSE "]),
        6 => prop::sample::select(vec!["\n", "\r\n", "\\\n", "\\ \n", "`\n", " ", "\t", "#", "\\", "`", "'", "\"", "<<EOF", "EOF\n", "\nEOF\n", "<<-'A' <<B"]),
        3 => prop::sample::select(vec!["# escape=`\n", "\u{feff}", "\u{a0}", "\u{85}", "\u{e0}", "[\"a\"]", "--from=", "--x", "${a:-b}", "$", "{", "}", "=", "a", "/"]),
    ];
    prop::collection::vec(token, 0..24).prop_map(|t| t.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_tokens_obey_the_laws(source in tokens()) {
        laws(&source);
    }

    #[test]
    fn any_text_obeys_the_laws(source in "\\PC*") {
        laws(&source);
    }
}

#[test]
fn every_kind_of_item_is_told() {
    let file = Dockerfile::parse("# syntax=a\n# c\n\nFROM x\n");
    let kinds: Vec<u8> = file
        .items
        .iter()
        .map(|i| match i.kind {
            ItemKind::Directive => 0,
            ItemKind::Comment => 1,
            ItemKind::Blank => 2,
            ItemKind::Instruction(_) => 3,
            ItemKind::Unknown => 4,
        })
        .collect();
    assert_eq!(kinds, [0, 1, 2, 3]);
}
