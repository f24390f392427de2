//! The proof by running: generated RUN bodies, one by one in fresh shells and joined in one, must leave the same files, print the
//! same and succeed alike. `RESTAGE_PROPERTY_CASES` sets how many sequences are tried, `RESTAGE_PROPERTY_SEED` the seed.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use super::super::style::Style;
use super::heredoc;
use super::join::{self, Part};
use super::shape::Shape;
use crate::edit::Edit;
use crate::shell::{self, Body, Dialect, Script};
use crate::source::Span;
use crate::syntax::Dockerfile;

/// A small generator of random numbers: the same seed gives the same cases everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % limit
    }

    fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

const COMMANDS: &[&str] = &[
    "echo one",
    "echo \"two  ${V-unset}\"",
    "echo ${PWD##*/}",
    "true",
    "false",
    "mkdir -p d/e",
    "cd d",
    "cd ..",
    "cd d/e",
    "pwd >/dev/null",
    "echo x >> f",
    "cat f",
    "cat f 2>/dev/null",
    "touch a\\ b",
    "rm -f f",
    "ls",
    "export V=1",
    "V=2",
    "V=3 sh -c 'echo $V'",
    "unset V",
    "set -e",
    "set +e",
    "set -ex",
    "set -u",
    "set -f; echo *",
    "umask 077",
    "touch p",
    "exit 0",
    "exit 3",
    "test -d d",
    "[ -f f ]",
    "trap 'echo bye' EXIT",
    "f() { echo in f; }",
    "f",
    "g() { false; echo after; }; g",
    "! false",
    "! true",
    ". ./env",
    "echo 'V=9; cd d' > env",
    "echo 'it is # no comment'",
    "echo a | tr a b",
    "false | true",
    "true | false",
    "exec echo gone",
    "eval 'V=7'",
    "set -- a b c",
    "echo $#",
    "echo $?",
    "readonly R=1",
    "R=2",
    ": ${Z:=5}",
    "echo ${Z-}",
    "read x < f",
    "echo ${x-}",
    "IFS=:",
    "for i in 1 2; do echo $i; done",
    "echo ${i-}",
    "case $V in 1) echo first;; *) false;; esac",
    "if test -f f; then echo yes; else echo no; fi",
    "if false; then echo never; fi",
    "while false; do :; done",
    "sleep 0 & wait",
    "echo bg &",
    "echo $(cd d && ls)",
    "echo $(false; echo inner)",
    "touch $(false; echo s)",
    "(exit 2)",
    "{ echo grouped; }",
    "command cd d",
    "printf '%s\\n' \"$V\"",
    "cat <<< x",
    "alias ls=echo",
    "hash -r",
    "local q=1",
    "chmod 600 f",
    "ln -s f l",
    "mv f m",
    "cp -r d c",
    "echo > 'q#1'",
    "sh -c 'cd d; exit 1'",
    "env V=4 sh -c 'echo $V'",
    "test \"$V\" = 1",
    "echo \"$-\" | grep -c e",
    "set -o pipefail",
    "cd d; touch in-d",
    "h() { cd d && touch h; }; h",
    "k() { exit 0; }; k",
    "sleep 0 & touch after; wait $!",
    "trap 'touch t' EXIT; true",
    "shopt -s nullglob",
    "pushd d",
    "until test -f u; do touch u; done",
    "echo \"a && b; c\" 'd # e'",
    "echo a\\;b",
    "printf 'x\\ny\\n' | while read l; do echo \"<$l>\"; done",
    "test -f f || exit 0",
    "[ -d d ] || mkdir d",
    "cd - >/dev/null",
];

/// What a careless join gets wrong: its name, and whether a sequence of bodies holds it.
type Trap = (&'static str, fn(&[String]) -> bool);

/// What careless joins get wrong, and how to know that a sequence holds it.
const TRAPS: &[Trap] = &[
    ("a failure caught at the end", |b| before_last(b, |t| t.ends_with("|| true") || t.ends_with("|| :"))),
    ("several lists", |b| before_last(b, |t| t.contains("; "))),
    ("another directory", |b| before_last(b, |t| t.contains("cd d"))),
    ("a variable", |b| before_last(b, |t| t.contains("export V=1") || t.contains("V=2"))),
    ("set -e", |b| before_last(b, |t| t.contains("set -e"))),
    ("set -e at every head", |b| b.iter().all(|t| t.starts_with("set -e; "))),
    ("set +e", |b| before_last(b, |t| t.contains("set +e"))),
    ("an end that succeeds", |b| before_last(b, |t| t.contains("exit 0"))),
    ("a trap", |b| before_last(b, |t| t.contains("trap "))),
    ("a function", |b| before_last(b, |t| t.contains("() {"))),
    ("a process in the background", |b| before_last(b, |t| t.contains(" & wait") || t.contains("bg &"))),
    ("a process that is waited for", |b| before_last(b, |t| t.contains("wait $!"))),
    ("a subshell", |b| before_last(b, |t| t.contains("(cd d") || t.contains("(exit 2)"))),
    ("another way", |b| before_last(b, |t| t.contains(" || "))),
    ("a failing command", |b| before_last(b, |t| t.contains("false"))),
    ("a comment at the end", |b| before_last(b, |t| t.ends_with("# a note"))),
    ("a comment inside", |b| b.iter().any(|t| t.contains("# inside"))),
    ("a status turned around", |b| before_last(b, |t| t.contains("! "))),
    ("a here-document", |b| b.iter().any(|t| t.contains("<<END"))),
    ("a script in a here-document", |b| b.iter().any(|t| t.starts_with("<<EOF"))),
    ("an `&&` list before a script under set -e", |b| before_last(b, |t| t.contains(" && ")) && b.iter().any(|t| t.starts_with("<<EOF"))),
    ("an umask", |b| before_last(b, |t| t.contains("umask"))),
    ("a pipeline that fails", |b| before_last(b, |t| t.contains("false | true"))),
    ("quoted operators", |b| b.iter().any(|t| t.contains("a && b; c"))),
    ("exec", |b| before_last(b, |t| t.contains("exec "))),
];

/// Whether a body that another follows is like this.
fn before_last(bodies: &[String], like: fn(&str) -> bool) -> bool {
    bodies.split_last().is_some_and(|(_, before)| before.iter().any(|t| like(t)))
}

fn list(random: &mut Random, depth: usize) -> String {
    let count = 1 + random.below(3);
    let mut text = String::new();
    for index in 0..count {
        if index > 0 {
            text.push_str(random.pick(&[" && ", " && ", " && ", "; ", "; ", " || "]));
        }
        let command = if depth > 0 && random.chance(12) {
            let inner = list(random, depth - 1);
            match random.below(4) {
                0 => format!("({inner})"),
                1 => format!("{{ {inner}; }}"),
                2 => format!("if {inner}; then echo then; fi"),
                _ => format!("! {{ {inner}; }}"),
            }
        } else {
            random.pick(COMMANDS).to_owned()
        };
        text.push_str(&command);
    }
    text
}

/// A body for here-documents: commands in an `&&` list, or a script under `set -e`.
fn lines(random: &mut Random) -> String {
    let commands: Vec<&str> = (0..1 + random.below(4)).map(|_| random.pick(COMMANDS)).collect();
    match random.below(5) {
        0 => format!("<<EOF\nset -e\n{}\nEOF", commands.join("\n")),
        1 => format!("<<EOF\nset -e\n{}\n{}\nEOF", list(random, 1), commands.join("\n# inside\n")),
        2 => commands.join(" \\\n  # inside\n    && "),
        _ => commands.join(" && "),
    }
}

fn body(random: &mut Random) -> String {
    let mut text = list(random, 2);
    if random.chance(20) {
        let head = random.pick(&["set -e; ", "set -eu; ", "set -ex && ", "set -e; ", "cd d && ", "cd d; ", "export V=1 && "]);
        text.insert_str(0, head);
    }
    if random.chance(12) {
        text.push_str(random.pick(&[" || true", " || :", "; true", ";", " # a note", " && true"]));
    }
    if random.chance(25) {
        text = text.replacen(" && ", " \\\n  # inside\n    && ", 1);
    }
    if random.chance(2) {
        return "cat <<END >> f\nit's V=$V; cd d\nEND".to_owned();
    }
    if random.chance(10) {
        text = text.replacen("; ", "; \\\n    ", 1);
    }
    text
}

/// What a run of scripts leaves behind.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    success: bool,
    output: String,
    tree: BTreeMap<String, String>,
}

fn tree(folder: &Path, prefix: &str, into: &mut BTreeMap<String, String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let data = std::fs::symlink_metadata(entry.path()).unwrap();
        let mode = data.permissions().mode() & 0o777;
        if data.is_dir() {
            into.insert(name.clone(), format!("dir {mode:o}"));
            tree(&entry.path(), &format!("{name}/"), into);
        } else if data.is_symlink() {
            into.insert(name, format!("-> {}", std::fs::read_link(entry.path()).unwrap().display()));
        } else {
            into.insert(name, format!("{mode:o} {}", std::fs::read_to_string(entry.path()).unwrap_or_default()));
        }
    }
}

fn run(shell: &[&str], scripts: &[String]) -> Outcome {
    let scratch = tempfile::tempdir().unwrap();
    // Deep enough that no `cd ..` leads out of it.
    let folder = scratch.path().join("a/b/c/d/e/f/g/h/work");
    std::fs::create_dir_all(&folder).unwrap();
    let (mut success, mut output) = (true, String::new());
    for script in scripts {
        let done = Command::new(shell[0])
            .args(&shell[1..])
            .arg(script)
            .current_dir(&folder)
            .env_clear()
            .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        // Where the scratch directory lies is no difference.
        output.push_str(&String::from_utf8_lossy(&done.stdout).replace(&*scratch.path().to_string_lossy(), ""));
        success = done.status.success();
        if !success {
            break;
        }
    }
    let mut found = BTreeMap::new();
    tree(scratch.path(), "", &mut found);
    Outcome { success, output, tree: found }
}

fn apply(source: &str, mut edits: Vec<Edit>) -> String {
    edits.sort_by_key(|e| e.span);
    let mut text = source.to_owned();
    for edit in edits.iter().rev() {
        text.replace_range(edit.span.start..edit.span.end, &edit.text);
    }
    text
}

/// The logical lines of the RUNs of a file.
fn scripts(source: &str) -> Vec<String> {
    let file = Dockerfile::parse(source);
    assert!(file.errors.is_empty(), "{source}");
    file.instructions().map(|(_, i)| Body::of_run(source, i, &file.read(i), file.escape).unwrap().text().to_owned()).collect()
}

struct Parsed {
    script: Script,
    shape: Shape,
    body: Span,
}

fn parsed(source: &str, dialect: Dialect, errexit: bool) -> Option<Vec<Parsed>> {
    let file = Dockerfile::parse(source);
    file.instructions()
        .map(|(_, i)| {
            if !i.heredocs.is_empty() {
                return None;
            }
            let body = Body::of_run(source, i, &file.read(i), file.escape)?;
            let script = shell::parse(&body, dialect)?;
            let shape = Shape::of(&script, body.text(), dialect, errexit);
            shape.unfit.is_none().then_some(Parsed { script, shape, body: i.body })
        })
        .collect()
}

/// Joins the bodies of `source` where they can be joined as a whole.
fn joined(source: &str, dialect: Dialect, errexit: bool) -> Option<String> {
    let parsed = parsed(source, dialect, errexit)?;
    let pairs = || parsed.windows(2);
    let governed = pairs().all(|p| p[0].shape.governed_like(&p[1].shape));
    if !governed && pairs().any(|p| p[0].shape.stops().is_some()) {
        return None;
    }
    let parts: Vec<Part> = parsed.iter().map(|p| Part { script: &p.script, shape: &p.shape, body: p.body }).collect();
    let style = Style::of(source, parts.iter().map(|p| p.body), '\\');
    Some(apply(source, join::edits(source, &parts, &style, '\\')))
}

/// Joins the bodies of `source` as the lines of one here-document.
fn in_lines(source: &str, dialect: Dialect, errexit: bool) -> Option<String> {
    let file = Dockerfile::parse(source);
    let understood: Option<Vec<_>> = file
        .instructions()
        .map(|(_, i)| {
            let reading = file.read(i);
            let body = Body::of_run(source, i, &reading, file.escape)?;
            let script = shell::parse(&body, dialect)?;
            let shape = Shape::of(&script, body.text(), dialect, errexit);
            Some((i, reading.arguments, script, shape))
        })
        .collect();
    let understood = understood?;
    let parts: Option<Vec<_>> = understood
        .iter()
        .map(|(instruction, arguments, script, shape)| {
            let part = heredoc::Part { instruction, arguments: *arguments, script, shape };
            heredoc::Lines::of(source, &part, file.escape).map(|lines| (part, lines))
        })
        .collect();
    let parts = parts?;
    parts.windows(2).all(|pair| pair[0].1.fits(&pair[1].1)).then_some(())?;
    Some(apply(source, vec![heredoc::edit(source, &parts, "<<EOF")?]))
}

#[test]
fn a_shell_cannot_tell_the_difference() {
    let number = |name: &str, default: u64| std::env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(default);
    let cases = number("RESTAGE_PROPERTY_CASES", 300);
    let seed = number("RESTAGE_PROPERTY_SEED", 20_240_229);
    let mut random = Random(seed);
    let shells: &[(&[&str], Dialect, bool)] = &[
        (&["/bin/sh", "-c"], Dialect::Posix, false),
        (&["/bin/bash", "-c"], Dialect::Bash, false),
        (&["/bin/bash", "-eo", "pipefail", "-c"], Dialect::Bash, true),
    ];
    let (mut compared, mut refused, mut naive_differs, mut governed, mut subshells, mut groups, mut in_heredocs) = (0, 0, 0, 0, 0, 0, 0);
    let mut trapped = vec![0usize; TRAPS.len()];
    let mut tries = 0;
    while compared < cases && tries < cases * 40 {
        tries += 1;
        let (shell, dialect, errexit) = shells[random.below(shells.len())];
        let head = if random.chance(6) { "set -e; " } else { "" };
        let for_lines = random.chance(25);
        let body = |random: &mut Random| if for_lines { lines(random) } else { format!("{head}{}", body(random)) };
        let bodies: Vec<String> = (0..2 + random.below(3)).map(|_| body(&mut random)).collect();
        for (count, (_, holds)) in trapped.iter_mut().zip(TRAPS) {
            *count += usize::from(holds(&bodies));
        }
        let source: String = bodies.iter().map(|b| format!("RUN {b}\n{}", if random.chance(30) { "# between\n\n" } else { "" })).collect();
        let (chained, lines) = (joined(&source, dialect, errexit), in_lines(&source, dialect, errexit));
        if chained.is_none() && lines.is_none() {
            refused += 1;
            continue;
        }
        compared += 1;
        let apart = run(shell, &scripts(&source));
        for text in chained.iter().chain(&lines) {
            let new = scripts(text);
            assert_eq!(new.len(), 1, "{source}\n=>\n{text}");
            assert_eq!(
                source.matches("# inside").count() + source.matches("# between").count(),
                text.matches("# inside").count() + text.matches("# between").count()
            );
            assert_eq!(apart, run(shell, &new), "seed {seed}, {shell:?}\n{source}\n=>\n{text}");
        }
        in_heredocs += usize::from(lines.is_some());
        let Some(text) = chained else { continue };
        let naive = scripts(&source).join(" && ");
        governed += usize::from(text.contains("; \\\n"));
        subshells += usize::from(text.contains("&& (") || text.contains("RUN ("));
        groups += usize::from(text.contains("{ "));
        if compared % 5 == 0 {
            naive_differs += usize::from(run(shell, &[naive]) != apart);
        }
    }
    eprintln!(
        "{compared} sequences compared, {refused} not joined; {subshells} with a subshell, {groups} with a group, {governed} under one set -e, {in_heredocs} in one here-document; joined by a bare && every fifth differs {naive_differs} times"
    );
    assert_eq!(compared, cases);
    // The generator produces what a careless join gets wrong.
    assert!(naive_differs as u64 * 50 > cases, "{naive_differs}");
    for (count, (name, _)) in trapped.iter().zip(TRAPS) {
        assert!(*count > 0, "the generator made no {name} in {tries} sequences");
    }
    assert!(subshells > 0 && groups > 0 && governed > 0 && refused > 0);
    assert!(in_heredocs as u64 * 20 > cases, "{in_heredocs}");
}

/// The known traps, each: a careless join goes wrong, ours does not, or does not join.
#[test]
fn known_traps() {
    for (one, two) in [
        ("false || true", "echo b"),
        ("mkdir d", "cd d || true"),
        ("mkdir d && cd d", "touch x"),
        ("export V=1", "echo ${V-unset}"),
        ("false; true", "echo b"),
        ("exit 0", "echo b"),
        ("set -e; true", "false; echo b"),
        ("set -e; false; echo a", "echo b"),
        ("echo a # note", "echo b"),
        ("f() { echo mine; }", "f"),
        ("trap 'echo bye' EXIT", "echo b"),
        ("umask 077", "touch x"),
        ("echo a;", "echo b"),
        ("! true", "echo b"),
        ("exec echo a", "echo b"),
        ("true", "false; echo b"),
        ("false", "echo a || echo b"),
        ("set -u; true", "echo $NO"),
    ] {
        let source = format!("RUN {one}\nRUN {two}\n");
        for (shell, dialect) in [("/bin/sh", Dialect::Posix), ("/bin/bash", Dialect::Bash)] {
            let apart = run(&[shell, "-c"], &scripts(&source));
            if let Some(text) = joined(&source, dialect, false) {
                assert_eq!(apart, run(&[shell, "-c"], &scripts(&text)), "{source}=> {text}");
            } else {
                assert!(["set -", "echo a # note", "f() "].iter().any(|s| one.starts_with(s)), "not joined: {one}");
            }
        }
    }
}
