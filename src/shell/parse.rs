//! From brush's tokens and tree to the small types of this module. The tree says what is what; the tokens say where it ends,
//! because brush's nodes leave out redirections, `!` and the like.

use brush_parser::{Token, ast};

use super::memo;
use super::word::literal;
use super::{AndOr, Assignment, Body, Command, CommandKind, Dialect, Operator, Pipeline, Redirection, Script, ShellWord};
use crate::source::Span;

/// Deeper nesting makes a body opaque: brush recurses, and on unclosed brackets its work doubles with each level.
const MAX_DEPTH: usize = 12;
/// Longer bodies are opaque.
const MAX_BYTES: usize = 1 << 20;

/// Parses a body. `None` where it is opaque: another language, not understood, or nested beyond reason.
#[must_use]
pub fn parse(body: &Body, dialect: Dialect) -> Option<Script> {
    let text = body.text();
    if dialect == Dialect::Other || text.len() > MAX_BYTES || depth(text) > MAX_DEPTH {
        return None;
    }
    let parsed = memo::parsed(text, dialect == Dialect::Posix)?;
    Builder::new(body, &parsed.tokens)?.program(&parsed.program)
}

/// How deep brackets and compound commands can be nested at most; quotes and comments are not looked at.
fn depth(text: &str) -> usize {
    let (mut brackets, mut keywords, mut deepest) = (0usize, 0usize, 0usize);
    for word in text.split(|c: char| c.is_whitespace() || ";|&".contains(c)) {
        match word.trim_start_matches(['(', '{', '`', '$', '"']) {
            "if" | "while" | "until" | "for" | "case" | "select" | "coproc" => keywords += 1,
            "fi" | "done" | "esac" => keywords = keywords.saturating_sub(1),
            _ => {}
        }
        for byte in word.bytes() {
            match byte {
                b'(' | b'{' => brackets += 1,
                b')' | b'}' => brackets = brackets.saturating_sub(1),
                _ => {}
            }
            deepest = deepest.max(brackets + keywords);
        }
    }
    deepest
}

struct Builder<'a> {
    body: &'a Body,
    tokens: &'a [Token],
    /// The byte of each character, where the two differ.
    bytes: Option<Vec<usize>>,
    at: usize,
}

impl<'a> Builder<'a> {
    fn new(body: &'a Body, tokens: &'a [Token]) -> Option<Self> {
        let text = body.text();
        let bytes = (!text.is_ascii()).then(|| text.char_indices().map(|(i, _)| i).chain([text.len()]).collect());
        Some(Self { body, tokens, bytes, at: 0 })
    }

    fn byte(&self, index: usize) -> usize {
        match &self.bytes {
            Some(bytes) => bytes.get(index).copied().unwrap_or(self.body.text().len()),
            None => index.min(self.body.text().len()),
        }
    }

    fn start(&self, token: &Token) -> usize {
        self.byte(token.location().start.index)
    }

    fn end(&self, token: &Token) -> usize {
        self.byte(token.location().end.index)
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn operator(&self) -> Option<&str> {
        match self.peek()? {
            Token::Operator(operator, _) => Some(operator),
            Token::Word(..) => None,
        }
    }

    fn word(&self) -> Option<&str> {
        match self.peek()? {
            Token::Word(word, _) => Some(word),
            Token::Operator(..) => None,
        }
    }

    fn skip_newlines(&mut self) {
        while self.operator().is_some_and(|o| o == "\n" || o == "\r\n") {
            self.at += 1;
        }
    }

    /// Takes the reserved word `word`.
    fn expect(&mut self, word: &str) -> Option<()> {
        (self.word()? == word).then(|| self.at += 1)
    }

    /// Goes on to the first token that starts at `character` or behind it.
    fn seek(&mut self, character: usize) {
        while self.peek().is_some_and(|t| t.location().start.index < character) {
            self.at += 1;
        }
    }

    /// Behind the `)` that closes the `(` at the cursor.
    fn skip_parentheses(&mut self) -> Option<usize> {
        let mut depth = 0usize;
        loop {
            let token = self.peek()?;
            let end = self.end(token);
            match self.operator() {
                Some("(") => depth += 1,
                Some(")") => depth = depth.checked_sub(1)?,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return Some(end);
            }
        }
    }

    fn program(mut self, program: &ast::Program) -> Option<Script> {
        let mut lists = Vec::new();
        for list in &program.complete_commands {
            self.items(list, &mut lists)?;
        }
        self.skip_newlines();
        // Tokens left over mean that tree and tokens were not read alike.
        if self.peek().is_some() {
            return None;
        }
        let text = self.body.text();
        let first = text.len() - text.trim_start().len();
        let last = text.trim_end().len();
        let code = self.tokens.iter().map(|t| self.end(t)).max().unwrap_or(first);
        let rest = text.get(code..last).unwrap_or("");
        let comment = rest.trim_start().starts_with('#').then(|| self.body.place(code + rest.len() - rest.trim_start().len(), last));
        Some(Script { lists, span: self.body.place(first, last), comment })
    }

    fn items(&mut self, list: &ast::CompoundList, lists: &mut Vec<AndOr>) -> Option<()> {
        for ast::CompoundListItem(and_or, separator) in &list.0 {
            self.skip_newlines();
            let mut built = self.and_or(and_or)?;
            built.background = matches!(separator, ast::SeparatorOperator::Async);
            if self.operator().is_some_and(|o| o == ";" || o == "&") {
                self.at += 1;
            }
            self.skip_newlines();
            lists.push(built);
        }
        Some(())
    }

    /// A list inside of a compound command.
    fn list(&mut self, list: &ast::CompoundList) -> Option<Script> {
        let mut lists = Vec::new();
        self.items(list, &mut lists)?;
        let span = lists.iter().map(|l| l.span).reduce(Span::cover).unwrap_or_default();
        Some(Script { lists, span, comment: None })
    }

    fn and_or(&mut self, list: &ast::AndOrList) -> Option<AndOr> {
        let first = self.pipeline(&list.first)?;
        let mut span = first.span;
        let mut rest = Vec::with_capacity(list.additional.len());
        for item in &list.additional {
            let (operator, sign, pipeline) = match item {
                ast::AndOr::And(pipeline) => (Operator::And, "&&", pipeline),
                ast::AndOr::Or(pipeline) => (Operator::Or, "||", pipeline),
            };
            if self.operator()? != sign {
                return None;
            }
            self.at += 1;
            self.skip_newlines();
            let pipeline = self.pipeline(pipeline)?;
            span = span.cover(pipeline.span);
            rest.push((operator, pipeline));
        }
        Some(AndOr { first, rest, span, background: false })
    }

    fn pipeline(&mut self, pipeline: &ast::Pipeline) -> Option<Pipeline> {
        let start = self.start(self.peek()?);
        if let Some(timed) = &pipeline.timed {
            self.expect("time")?;
            if timed.is_posix_output() {
                self.expect("-p")?;
            }
        }
        while self.word() == Some("!") {
            self.at += 1;
        }
        let mut commands: Vec<Command> = Vec::with_capacity(pipeline.seq.len());
        let mut end = start;
        for (index, command) in pipeline.seq.iter().enumerate() {
            if index > 0 {
                if !matches!(self.operator()?, "|" | "|&") {
                    return None;
                }
                self.at += 1;
                self.skip_newlines();
            }
            let (command, command_end) = self.command(command)?;
            end = command_end;
            commands.push(command);
        }
        if commands.is_empty() {
            return None;
        }
        Some(Pipeline { negated: pipeline.bang, commands, span: self.body.place(start, end) })
    }

    /// The command, and where it ends in the text.
    fn command(&mut self, command: &ast::Command) -> Option<(Command, usize)> {
        let start = self.start(self.peek()?);
        let (kind, mut end) = match command {
            ast::Command::Simple(_) => return self.simple(start),
            ast::Command::Compound(compound, _) => self.compound(compound)?,
            ast::Command::Function(function) => {
                if self.word() == Some("function") {
                    self.at += 1;
                }
                // The name, with or without its parentheses.
                self.at += 1;
                if self.operator() == Some("(") {
                    self.skip_parentheses()?;
                }
                self.skip_newlines();
                let body_start = self.start(self.peek()?);
                let (kind, mut end) = self.compound(&function.body.0)?;
                let mut redirections = Vec::new();
                while let Some(redirection_end) = self.redirection(&mut redirections)? {
                    end = redirection_end;
                }
                let body = Box::new(Command { kind, redirections, span: self.body.place(body_start, end) });
                (CommandKind::Function { name: function.fname.value.clone(), body }, end)
            }
            ast::Command::ExtendedTest(test, _) => {
                self.seek(test.loc.end.index);
                (CommandKind::Other, self.byte(test.loc.end.index))
            }
        };
        let mut redirections = Vec::new();
        while let Some(redirection_end) = self.redirection(&mut redirections)? {
            end = redirection_end;
        }
        Some((Command { kind, redirections, span: self.body.place(start, end) }, end))
    }

    fn compound(&mut self, compound: &ast::CompoundCommand) -> Option<(CommandKind, usize)> {
        use ast::CompoundCommand as C;
        let end = ast::SourceLocation::location(compound)?.end.index;
        let kind = match compound {
            C::BraceGroup(group) => {
                self.at += 1;
                CommandKind::Group(self.list(&group.list)?)
            }
            C::Subshell(subshell) => {
                self.at += 1;
                CommandKind::Subshell(self.list(&subshell.list)?)
            }
            C::IfClause(clause) => {
                let kind = self.if_clause(clause)?;
                // brush takes the `if` itself for the clause's end.
                let end = self.end(self.peek()?);
                self.expect("fi")?;
                return Some((kind, end));
            }
            C::WhileClause(clause) | C::UntilClause(clause) => {
                self.at += 1;
                let condition = self.list(&clause.0)?;
                self.expect("do")?;
                CommandKind::Loop { condition: Some(condition), variable: None, body: self.list(&clause.1.list)? }
            }
            C::ForClause(clause) => {
                let words = clause.values.iter().flatten().map(|w| self.tree_word(w)).collect::<Option<Vec<_>>>()?;
                self.seek(clause.body.loc.start.index);
                self.expect("do")?;
                CommandKind::Loop {
                    condition: None,
                    variable: Some((clause.variable_name.clone(), words)),
                    body: self.list(&clause.body.list)?,
                }
            }
            C::CaseClause(clause) => self.case_clause(clause)?,
            C::Arithmetic(_) | C::ArithmeticForClause(_) | C::Coprocess(_) => CommandKind::Other,
        };
        self.seek(end);
        Some((kind, self.byte(end)))
    }

    fn if_clause(&mut self, clause: &ast::IfClauseCommand) -> Option<CommandKind> {
        self.expect("if")?;
        let condition = self.list(&clause.condition)?;
        self.expect("then")?;
        let mut branches = vec![(condition, self.list(&clause.then)?)];
        let mut otherwise = None;
        for part in clause.elses.iter().flatten() {
            match &part.condition {
                Some(condition) => {
                    self.expect("elif")?;
                    let condition = self.list(condition)?;
                    self.expect("then")?;
                    branches.push((condition, self.list(&part.body)?));
                }
                None => {
                    self.expect("else")?;
                    otherwise = Some(self.list(&part.body)?);
                }
            }
        }
        Some(CommandKind::If { branches, otherwise })
    }

    fn case_clause(&mut self, clause: &ast::CaseClauseCommand) -> Option<CommandKind> {
        let mut bodies = Vec::new();
        for item in &clause.cases {
            let Some(list) = &item.cmd else { continue };
            let pattern = item.patterns.last()?.loc.as_ref()?.end.index;
            self.seek(pattern);
            if self.operator()? != ")" {
                return None;
            }
            self.at += 1;
            bodies.push(self.list(list)?);
        }
        Some(CommandKind::Case(bodies))
    }

    fn tree_word(&self, word: &ast::Word) -> Option<ShellWord> {
        let location = word.loc.as_ref()?;
        self.shell_word(self.byte(location.start.index), self.byte(location.end.index))
    }

    fn shell_word(&self, start: usize, end: usize) -> Option<ShellWord> {
        let raw = self.body.text().get(start..end)?.to_owned();
        Some(ShellWord { literal: literal(&raw), raw, span: self.body.place(start, end) })
    }

    fn simple(&mut self, start: usize) -> Option<(Command, usize)> {
        let (mut assignments, mut words, mut redirections) = (Vec::new(), Vec::new(), Vec::new());
        let mut end = start;
        loop {
            if let Some(redirection_end) = self.redirection(&mut redirections)? {
                end = redirection_end;
                continue;
            }
            let Some(token) = self.peek() else { break };
            let word_start = self.start(token);
            match token {
                Token::Word(text, _) => {
                    let text = text.clone();
                    end = self.end(token);
                    self.at += 1;
                    let array = text.ends_with('=') && self.operator() == Some("(");
                    if array {
                        end = self.skip_parentheses()?;
                    }
                    let name = if words.is_empty() { assigned(&text) } else { None };
                    match name {
                        Some((name, value)) => {
                            let mut value = self.shell_word((word_start + value).min(end), end)?;
                            if array {
                                value.literal = None;
                            }
                            assignments.push(Assignment { name: name.to_owned(), value, span: self.body.place(word_start, end) });
                        }
                        None => {
                            let mut word = self.shell_word(word_start, end)?;
                            if array {
                                word.literal = None;
                            }
                            words.push(word);
                        }
                    }
                }
                // What `redirection` left is a process substitution.
                Token::Operator(operator, _) if operator == "<" || operator == ">" => {
                    self.at += 1;
                    end = self.skip_parentheses()?;
                    words.push(ShellWord { literal: None, ..self.shell_word(word_start, end)? });
                }
                Token::Operator(..) => break,
            }
        }
        if assignments.is_empty() && words.is_empty() && redirections.is_empty() {
            return None;
        }
        Some((Command { kind: CommandKind::Simple { assignments, words }, redirections, span: self.body.place(start, end) }, end))
    }

    /// Takes one redirection, if one stands here, and says where it ends.
    #[allow(clippy::option_option)]
    fn redirection(&mut self, into: &mut Vec<Redirection>) -> Option<Option<usize>> {
        let Some(mut token) = self.peek() else {
            return Some(None);
        };
        let mut descriptor = None;
        let mut at = self.at;
        if let (Token::Word(word, place), Some(next)) = (token, self.tokens.get(at + 1))
            && word.bytes().all(|b| b.is_ascii_digit())
            && place.end.index == next.location().start.index
            && is_redirection(next)
        {
            descriptor = word.parse().ok();
            token = next;
            at += 1;
        }
        if !is_redirection(token) {
            return Some(None);
        }
        let operator = token.to_str().to_owned();
        let next = self.tokens.get(at + 1)?;
        // `<(...)` is a word.
        if matches!(next, Token::Operator(o, _) if o == "(") {
            return Some(None);
        }
        self.at = at + 1;
        let start = self.start(next);
        if operator == "<<" || operator == "<<-" {
            let end = self.end(next);
            // The delimiter, the content and the delimiter again.
            self.at += 3;
            into.push(Redirection { operator, descriptor, target: None });
            return Some(Some(end));
        }
        let (target, end) = if matches!(next, Token::Operator(..)) {
            self.at += 1;
            let end = self.skip_parentheses()?;
            (ShellWord { literal: None, ..self.shell_word(start, end)? }, end)
        } else {
            let end = self.end(next);
            self.at += 1;
            (self.shell_word(start, end)?, end)
        };
        into.push(Redirection { operator, descriptor, target: Some(target) });
        Some(Some(end))
    }
}

fn is_redirection(token: &Token) -> bool {
    matches!(token, Token::Operator(o, _) if matches!(o.as_str(), "<" | ">" | ">>" | "<<" | "<<-" | "<<<" | "<&" | ">&" | "<>" | ">|" | "&>" | "&>>"))
}

/// The variable of `NAME=value` or `NAME+=value`, and where the value starts.
fn assigned(word: &str) -> Option<(&str, usize)> {
    let (name, _) = word.split_once('=')?;
    let value = name.len() + 1;
    let name = name.strip_suffix('+').unwrap_or(name);
    let name = name.split_once('[').map_or(name, |(array, _)| array);
    let mut chars = name.chars();
    let head = chars.next()?;
    ((head.is_ascii_alphabetic() || head == '_') && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')).then_some((name, value))
}

#[cfg(test)]
mod tests;
