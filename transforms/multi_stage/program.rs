//! What the container starts: the program of CMD and ENTRYPOINT, and the scripts that it goes through.

use super::draft::{Draft, absolute};
use crate::model::command::filled;
use crate::model::walk::DEFAULT_PATH;
use crate::shell::{self, Body, Command, CommandKind, Script};
use crate::source::Span;
use crate::syntax::{Form, Keyword, Reading};
use crate::transforms::Refusal;

/// How deep scripts that start scripts are followed.
const DEPTH: usize = 4;

/// What starts, as far as it can be read.
#[derive(Clone, Debug, Default)]
pub(super) struct Program {
    /// Every command, in order: CMD and ENTRYPOINT first, then those of the scripts.
    pub commands: Vec<Started>,
    /// Whether a shell is needed to start it: a shell form, `sh -c`, or a script.
    pub needs_shell: bool,
    /// A script that starts and can't be read: its path in the image, and the line that names it.
    pub unreadable: Option<(String, usize)>,
    /// The line of the CMD or ENTRYPOINT that starts it.
    pub line: usize,
}

/// A command that runs when the container starts (or when its health is checked).
#[derive(Clone, Debug)]
pub(super) struct Started {
    /// The words, as far as they are literal; others as written.
    pub words: Vec<String>,
    /// The line of the instruction that leads to it.
    pub line: usize,
    /// The script of the context that holds it, if it is not the instruction itself.
    pub script: Option<String>,
    /// Whether HEALTHCHECK runs it.
    pub health: bool,
}

impl Program {
    /// Reads what the file starts.
    pub(super) fn read(draft: &Draft, line: usize) -> Result<Self, Refusal> {
        let mut program = Self { line, ..Self::default() };
        let last = |keyword| draft.steps.iter().rev().find(move |s| s.keyword == keyword);
        let entrypoint = last(Keyword::Entrypoint);
        let cmd = last(Keyword::Cmd);
        let mut argv: Vec<String> = Vec::new();
        for step in [entrypoint, cmd].into_iter().flatten() {
            match step.reading.form {
                Form::Exec => argv.extend(step.reading.args.iter().cloned()),
                _ if step.keyword == Keyword::Cmd && !argv.is_empty() => {
                    // `/bin/sh -c ...` becomes arguments of the entrypoint, which as a rule ends in `exec "$@"`.
                    program.needs_shell = true;
                    program.shell_text(draft, &body(&step.reading), step.line, false, None, 0);
                }
                _ => {
                    program.needs_shell = true;
                    program.shell_text(draft, &body(&step.reading), step.line, false, None, 0);
                    if step.keyword == Keyword::Entrypoint {
                        break; // CMD is ignored
                    }
                }
            }
        }
        if !argv.is_empty() {
            program.start(draft, argv.clone(), line, false, None, 0);
            // A script in front gets the rest as arguments, and as a rule starts it.
            if entrypoint.is_some()
                && let Some(words) = cmd.filter(|c| c.reading.form == Form::Exec).map(|c| c.reading.args.clone())
                && !words.is_empty()
                && program.commands.iter().any(|c| c.script.is_some())
            {
                program.start(draft, words, line, false, None, 1);
            }
        }
        if let Some(step) = last(Keyword::Healthcheck) {
            let args = step.reading.args.get(1..).unwrap_or_default().to_vec();
            match step.view {
                crate::syntax::View::Healthcheck { form: Some(Form::Exec) } => program.start(draft, args, step.line, true, None, 0),
                crate::syntax::View::Healthcheck { form: Some(_) } => {
                    program.needs_shell = true;
                    program.shell_text(draft, &args.join(" "), step.line, true, None, 0);
                }
                _ => {}
            }
        }
        Ok(program)
    }

    fn shell_text(&mut self, draft: &Draft, text: &str, line: usize, health: bool, script: Option<&str>, depth: usize) {
        let Some(parsed) = parse_text(text) else {
            let words = text.split_whitespace().map(str::to_owned).collect();
            self.commands.push(Started { words, line, script: script.map(str::to_owned), health });
            return;
        };
        // What the image's environment says, unless the script says something else.
        let variable = |name: &str| {
            let value = draft.stage.end.known_variable(name)?;
            (!text.contains(&format!("{name}="))).then(|| value.to_owned())
        };
        for mut words in simple_commands(&parsed) {
            for word in words.iter_mut().filter(|w| w.contains('$')) {
                if let Some(value) = filled(word, &variable) {
                    *word = value;
                }
            }
            self.start(draft, words, line, health, script, depth);
        }
    }

    /// Reads what `words` start.
    pub(super) fn start(&mut self, draft: &Draft, words: Vec<String>, line: usize, health: bool, script: Option<&str>, depth: usize) {
        let words = plain(words);
        self.commands.push(Started { words: words.clone(), line, script: script.map(str::to_owned), health });
        let (Some(first), true) = (words.first(), depth < DEPTH) else { return };
        let name = first.rsplit('/').next().unwrap_or(first);
        let is_shell = matches!(name, "sh" | "bash" | "ash" | "dash");
        if is_shell && let Some(at) = words.iter().position(|w| w.starts_with('-') && w.ends_with('c')) {
            self.needs_shell = true;
            if let Some(text) = words.get(at + 1) {
                self.shell_text(draft, text, line, health, script, depth + 1);
            }
            return;
        }
        let candidate = if is_shell || matches!(name, "." | "source") {
            self.needs_shell = true;
            words.iter().skip(1).find(|w| !w.starts_with('-'))
        } else {
            Some(first)
        };
        let Some(path) = candidate else { return };
        let found = locate(draft, path).find_map(|p| draft.origin(&p).map(|c| (p, c)));
        let Some((path, context_path)) = found else {
            if (is_shell || has_script_name(path)) && depth < DEPTH {
                let unknown = locate(draft, path).next().unwrap_or_else(|| path.clone());
                self.needs_shell = true;
                self.unreadable.get_or_insert((unknown, line));
            }
            return;
        };
        match draft.model.context.read(&context_path) {
            Some(text) if is_shell || is_shell_script(&path, &text) => {
                self.needs_shell = true;
                if self.commands.iter().any(|c| c.script.as_deref() == Some(context_path.as_str())) {
                    return;
                }
                let body = text.replace("\r\n", "\n");
                self.shell_text(draft, &body, line, health, Some(&context_path), depth + 1);
            }
            None if has_script_name(&path) || is_shell => {
                self.unreadable.get_or_insert((path, line));
            }
            _ => {}
        }
    }

    /// Whether any command starts `name` or has it as a word.
    pub(super) fn has_word(&self, name: &str) -> Option<&Started> {
        self.commands.iter().find(|c| {
            c.words.iter().any(|w| w == name || w.strip_prefix("/usr/bin/") == Some(name) || w.strip_prefix("/bin/") == Some(name))
        })
    }
}

fn body(reading: &Reading) -> String {
    reading.args.first().cloned().unwrap_or_default()
}

/// Without what only prepares the start: `exec`, `env A=b`, assignments, `tini --`.
fn plain(words: Vec<String>) -> Vec<String> {
    let mut rest: &[String] = &words;
    while let Some((first, tail)) = rest.split_first() {
        let name = first.rsplit('/').next().unwrap_or(first);
        let passes = matches!(name, "exec" | "env" | "nohup" | "time" | "command" | "tini" | "dumb-init" | "--");
        let assigns = first.split_once('=').is_some_and(|(n, _)| !n.is_empty() && n.chars().all(|c| c.is_alphanumeric() || c == '_'));
        let option_of_one = first.starts_with('-') && rest.len() < words.len();
        if tail.is_empty() || !(passes || assigns || option_of_one) {
            break;
        }
        rest = tail;
    }
    rest.to_vec()
}

/// Where a program of that name would be: as it stands, in the working directory, or on PATH.
fn locate<'d>(draft: &'d Draft, path: &str) -> impl Iterator<Item = String> + use<'d> {
    let direct = path.contains('/');
    let first = absolute(draft.workdir(), path);
    let name = path.to_owned();
    first.into_iter().chain(DEFAULT_PATH.split(':').filter(move |_| !direct).map(move |folder| format!("{folder}/{name}")))
}

fn has_script_name(path: &str) -> bool {
    path.ends_with(".sh") || path.ends_with(".bash")
}

fn is_shell_script(path: &str, text: &str) -> bool {
    let first = text.lines().next().unwrap_or("");
    match first.strip_prefix("#!") {
        Some(line) => line.split(['/', ' ']).any(|w| matches!(w.trim(), "sh" | "bash" | "ash" | "dash")),
        None => has_script_name(path),
    }
}

/// The words of every simple command of a script, those of groups, conditions, functions and substitutions included.
pub(super) fn simple_commands(script: &Script) -> Vec<Vec<String>> {
    let mut out = Vec::new();
    collect(script, &mut out);
    out
}

fn collect(script: &Script, out: &mut Vec<Vec<String>>) {
    let pipelines = script.lists.iter().flat_map(|l| std::iter::once(&l.first).chain(l.rest.iter().map(|(_, p)| p)));
    pipelines.flat_map(|p| &p.commands).for_each(|command| collect_command(command, out));
}

fn collect_command(command: &Command, out: &mut Vec<Vec<String>>) {
    match &command.kind {
        CommandKind::Simple { words, assignments } => {
            for word in words.iter().map(|w| &w.raw).chain(assignments.iter().map(|a| &a.value.raw)) {
                for inner in substitutions(word) {
                    collect_text(&inner, out);
                }
            }
            let words: Vec<String> = words.iter().map(|w| w.literal.clone().unwrap_or_else(|| w.raw.clone())).collect();
            if !words.is_empty() {
                out.push(words);
            }
        }
        CommandKind::Subshell(inner) | CommandKind::Group(inner) => collect(inner, out),
        CommandKind::If { branches, otherwise } => {
            for (condition, body) in branches {
                collect(condition, out);
                collect(body, out);
            }
            if let Some(body) = otherwise {
                collect(body, out);
            }
        }
        CommandKind::Loop { condition, body, .. } => {
            if let Some(condition) = condition {
                collect(condition, out);
            }
            collect(body, out);
        }
        CommandKind::Case(bodies) => bodies.iter().for_each(|b| collect(b, out)),
        // Whether it is called is not asked.
        CommandKind::Function { body, .. } => collect_command(body, out),
        CommandKind::Other => {}
    }
}

fn collect_text(text: &str, out: &mut Vec<Vec<String>>) {
    if let Some(parsed) = parse_text(text) {
        collect(&parsed, out);
    }
}

/// The texts of the outermost command substitutions of a word: `$(...)` and backquotes, but not those in single quotes.
fn substitutions(word: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut rest = word;
    let mut double = false;
    while let Some(c) = rest.chars().next() {
        let tail = rest.get(c.len_utf8()..).unwrap_or("");
        rest = match c {
            '\\' => tail.get(tail.chars().next().map_or(0, char::len_utf8)..).unwrap_or(""),
            '"' => {
                double = !double;
                tail
            }
            '\'' if !double => tail.split_once('\'').map_or("", |(_, after)| after),
            '`' => {
                let (inner, after) = tail.split_once('`').unwrap_or((tail, ""));
                out.push(inner.to_owned());
                after
            }
            '$' if tail.starts_with('(') && !tail.starts_with("((") => {
                let inner = tail.get(1..).unwrap_or("");
                let mut depth = 1usize;
                let end = inner.find(|c| {
                    match c {
                        '(' => depth += 1,
                        ')' => depth -= 1,
                        _ => {}
                    }
                    depth == 0
                });
                let end = end.unwrap_or(inner.len());
                out.push(inner.get(..end).unwrap_or("").to_owned());
                inner.get(end + 1..).unwrap_or("")
            }
            _ => tail,
        };
    }
    out
}

/// A text of shell that stands in no Dockerfile.
pub(super) fn parse_text(text: &str) -> Option<Script> {
    shell::parse(&Body::verbatim(text, Span::new(0, text.len())), shell::Dialect::Bash)
}

#[cfg(test)]
mod tests {
    use super::{parse_text, simple_commands, substitutions};

    #[test]
    fn substitutions_of_a_word() {
        assert_eq!(substitutions(r#""$(git --version | cut -d' ' -f1)""#), ["git --version | cut -d' ' -f1"]);
        assert_eq!(substitutions("a`date`b$(id -u $(whoami))"), ["date", "id -u $(whoami)"]);
        assert!(substitutions("'$(git)'").is_empty());
        assert!(substitutions("$((1 + 2))\\$(x").is_empty());
        assert_eq!(substitutions("$(unclosed"), ["unclosed"]);
    }

    #[test]
    fn commands_of_a_script() {
        let text = "export V=\"$(git describe)\"\nN=`nproc`\nwait_for() {\n  nc -z $1\n}\nexec app -w $(wc -l x)\n";
        let script = parse_text(text).unwrap();
        let first: Vec<String> = simple_commands(&script).into_iter().filter_map(|w| w.into_iter().next()).collect();
        assert_eq!(first, ["git", "export", "nproc", "nc", "wc", "exec"]);
    }
}
