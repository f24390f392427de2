//! What Bundler keeps where another user than root can't reach it.

use crate::catalog::Catalog;
use crate::transforms::packages::{bundler_setting, locked_for_linux};

use super::start::Objection;
use super::subject::Subject;

/// The first thing of the final image that Bundler would have to write or read as root.
pub fn objection(subject: &Subject) -> Option<Objection> {
    let context = subject.model.context;
    let locks = || context.files().0.into_iter().filter(|p| p.rsplit('/').next() == Some("Gemfile.lock"));
    for (_, step) in subject.steps() {
        let at_root = step.before.known_variable("HOME").is_none_or(|home| home == "/root");
        let frozen = ["BUNDLE_FROZEN", "BUNDLE_DEPLOYMENT"].iter().any(|name| step.before.variable(name).is_some());
        for command in step.commands().iter().filter(|c| matches!(c.program(), Some("bundle" | "bundler"))) {
            let words = command.texts();
            let object = |reason: String| Some(Objection { reason, line: command.line });
            if let Some((name, _)) = bundler_setting(&words)
                && at_root
                && !words.contains(&"--local")
                && Catalog::built_in().bundler_setting_at_start(name)
            {
                return object(format!("Bundler's setting `{name}` may lie in /root, which only root can enter; set it with `--local`"));
            }
            if !words.contains(&"install") || frozen || words.iter().any(|w| matches!(*w, "--frozen" | "--deployment")) {
                continue;
            }
            if let Some(path) = locks().find(|path| context.read(path).is_some_and(|lock| !locked_for_linux(&lock))) {
                return object(format!(
                    "{path} names no platform of Linux, so Bundler writes it anew when the program starts; run `bundle lock --add-platform x86_64-linux`"
                ));
            }
        }
    }
    None
}
