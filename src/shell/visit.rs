//! Going through every command of a script.

use super::{AndOr, Command, CommandKind, Pipeline, Script};

impl AndOr {
    /// Its pipelines in order.
    pub fn pipelines(&self) -> impl Iterator<Item = &Pipeline> {
        std::iter::once(&self.first).chain(self.rest.iter().map(|(_, pipeline)| pipeline))
    }
}

impl Script {
    /// Shows `see` every command in the order of the text: first a compound command itself, then those inside of it, the bodies of
    /// functions included.
    pub fn each_command<'s>(&'s self, see: &mut dyn FnMut(&'s Command)) {
        self.lists.iter().flat_map(AndOr::pipelines).flat_map(|p| &p.commands).for_each(|c| c.each(see));
    }
}

impl Command {
    fn each<'s>(&'s self, see: &mut dyn FnMut(&'s Self)) {
        see(self);
        match &self.kind {
            CommandKind::Subshell(script) | CommandKind::Group(script) => script.each_command(see),
            CommandKind::If { branches, otherwise } => {
                for (condition, body) in branches {
                    condition.each_command(see);
                    body.each_command(see);
                }
                otherwise.iter().for_each(|script| script.each_command(see));
            }
            CommandKind::Loop { condition, body, .. } => {
                condition.iter().for_each(|script| script.each_command(see));
                body.each_command(see);
            }
            CommandKind::Case(bodies) => bodies.iter().for_each(|script| script.each_command(see)),
            CommandKind::Function { body, .. } => body.each(see),
            CommandKind::Simple { .. } | CommandKind::Other => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::{Body, Dialect, parse};
    use crate::source::Span;

    #[test]
    fn every_command_is_seen_once_and_in_order() {
        let text = "a && (b | c; { d; }); if e; then f; else g; fi; while h; do i; done; case x in y) j;; esac; k() { l; }; m";
        let script = parse(&Body::line(text, Span::new(0, text.len()), '\\'), Dialect::Posix).unwrap();
        let mut seen = String::new();
        script.each_command(&mut |command| {
            if let CommandKind::Simple { words, .. } = &command.kind {
                seen.push_str(&words[0].raw);
            }
        });
        assert_eq!(seen, "abcdefghijlm");
    }
}
