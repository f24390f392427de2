//! Places for state (`/var/log`, `/run`, …) that a text names in full.

use super::facts::{facts, within};
use super::subject::{normal, parent};

/// The directories in which the paths of `text` lie that are made for state, in order. Of a path whose end is not literal it is the
/// part that is. A socket counts where `binds` says that it is made.
pub fn places(text: &str, binds: bool) -> Vec<String> {
    let names = &facts().writes.names;
    let mut out = Vec::new();
    let address = names.address_words.iter().any(|word| text.contains(word.as_str()));
    for parent_of_state in names.parents.iter().filter(|p| !(address && names.address_parents.contains(p))) {
        for (at, _) in text.match_indices(parent_of_state.as_str()) {
            let starts = text.get(..at).and_then(|t| t.chars().next_back()).is_none_or(|c| "\"'`=: \t,([{<>|".contains(c));
            let rest = text.get(at..).unwrap_or_default();
            let inside = rest.get(parent_of_state.len()..).is_some_and(|r| r.starts_with('/'));
            if !starts || !inside {
                continue;
            }
            let end = rest.find(|c: char| c.is_whitespace() || "\"'`,;<>()[]|&:\\".contains(c)).unwrap_or(rest.len());
            let path = rest.get(..end).unwrap_or_default();
            let literal = path.find(['$', '{', '%', '*', '?']).and_then(|cut| path.get(..cut)?.rsplit_once('/')).map_or(path, |(p, _)| p);
            let path = normal(literal);
            if names.foreign.iter().any(|f| within(&path, f)) || path.ends_with(".sock") && !binds {
                continue;
            }
            let directory = directory(&path, parent_of_state);
            if !out.contains(&directory) {
                out.push(directory);
            }
        }
    }
    out
}

/// The directory that has to be there for `path`: right below `top` a name without an ending is a directory itself.
fn directory(path: &str, top: &str) -> String {
    let last = path.rsplit('/').next().unwrap_or_default();
    if path == top || parent(path) == top && !last.contains('.') { path.to_owned() } else { parent(path).to_owned() }
}

/// Whether a file of settings is for others than the program: for a machine or for a service that `programs` do not start.
pub fn of_others(path: &str, programs: &[Vec<String>]) -> bool {
    let names = &facts().writes.names;
    let deployment = |part: &str| names.deployment.iter().any(|p| crate::context::fits(p, part));
    let lower = path.to_ascii_lowercase();
    let starts = |service: &str| programs.iter().flatten().any(|w| w.contains(service));
    path.split('/').any(deployment) || names.services.iter().any(|s| lower.contains(s.as_str()) && !starts(s))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_in_text() {
        for (text, found) in [
            ("accesslog = \"/var/log/api/access.log\"", "/var/log/api"),
            ("args = ('/var/log/relay.log', 'a')", "/var/log"),
            ("<file>/var/log/app/app.log</file>", "/var/log/app"),
            ("-Xlog:gc:file=/var/log/gc.log:time", "/var/log"),
            ("open(f\"/var/lib/notes/{user}.txt\", \"w\")", "/var/lib/notes"),
            ("fs.mkdirSync('/var/lib/notes')", "/var/lib/notes"),
            ("store=/data/uploads/images", "/data/uploads"),
            ("pidfile=\"/run/api.pid\"", "/run"),
            ("https://example.org/var/log/x", ""),
            ("/srv/var/log/x", ""),
            ("/var/log", ""),
            ("open(\"/var/run/secrets/token\")", ""),
            ("connect(\"/run/app.sock\")", ""),
            ("app.get('/run/:id', start)", ""),
            ("@app.route(\"/data/<int:id>\")", ""),
            ("SYSLOG=\"/var/log/syslog\"", ""),
        ] {
            assert_eq!(places(text, false).join(" "), found, "{text}");
        }
        assert_eq!(places("-b unix:/run/app.sock", true), ["/run"]);
    }

    #[test]
    fn settings_of_others() {
        let started = |words: &[&str]| vec![words.iter().map(ToString::to_string).collect::<Vec<_>>()];
        assert!(
            of_others("deploy/app.yml", &[]) && of_others("conf/nginx.conf", &started(&["gunicorn"])) && of_others(".github/x.yml", &[])
        );
        assert!(!of_others("conf/nginx.conf", &started(&["nginx", "-g", "daemon off;"])) && !of_others("config/log4js.json", &[]));
    }
}
