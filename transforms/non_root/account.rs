//! Which user the program becomes, and how that user is made.

use crate::model::Base;
use crate::model::command::Action;
use crate::syntax::Keyword;

use super::Settings;
use super::start::Objection;
use super::subject::Subject;

/// How directories are made and given away on the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tools {
    /// coreutils: `install -d -o`.
    Install,
    /// busybox: `mkdir -p` and `chown`.
    Busybox,
    /// No shell: only COPY and USER.
    Nothing,
}

/// The user that the program becomes.
#[derive(Clone, Debug)]
pub struct Account {
    /// What USER says.
    pub user: String,
    /// What `--chown` says.
    pub owner: String,
    /// The commands that make the user; empty where it exists.
    pub make: Vec<String>,
    /// Its home, where it surely exists and belongs to it.
    pub home: Option<String>,
    /// A home that the user data base names but that nothing makes.
    pub missing_home: Option<String>,
    /// The step that makes it, for a user that the file makes itself.
    pub made_at: Option<usize>,
    /// How directories are made.
    pub tools: Tools,
    /// The sentence that says which user, for the reason.
    pub why: String,
}

impl Account {
    /// Who has no home, in words.
    pub fn without_home(&self) -> &'static str {
        if self.make.is_empty() { "a user without a name" } else { "a system user" }
    }
}

/// The user for the final image of `subject`.
///
/// # Errors
/// Where no user can be had, with the reason.
pub fn choose(subject: &Subject, settings: &Settings) -> Result<Account, Objection> {
    let line = subject.line();
    let object = |reason: String| Err(Objection { reason, line });
    let numeric = |uid: u32, gid: u32, tools: Tools, why: &str| Account {
        user: format!("{uid}:{gid}"),
        owner: format!("{uid}:{gid}"),
        make: Vec::new(),
        home: None,
        missing_home: None,
        made_at: None,
        tools,
        why: why.to_owned(),
    };
    if matches!(subject.base(), Some(Base::Scratch)) {
        let (uid, gid) = (settings.uid.unwrap_or(65532), settings.gid.or(settings.uid).unwrap_or(65532));
        return Ok(numeric(uid, gid, Tools::Nothing, "the image has no user data base, so the user is a number"));
    }
    let Some(image) = subject.image() else { return object("the base of the final stage is not known".into()) };
    let Some(facts) = &image.facts else {
        return object(format!("the base image {} is unknown: as whom it runs and which tools it has is not known", image.written));
    };
    if facts.start_user().is_none() && subject.last(Keyword::User).is_none() {
        return object(format!("as whom `{}` runs is not known", image.written));
    }
    let distribution = facts.distribution.as_deref().unwrap_or("");
    let tools = match distribution {
        _ if !facts.shell => Tools::Nothing,
        "alpine" => Tools::Busybox,
        _ => Tools::Install,
    };
    if let Some(own) = made_by_file(subject, settings, tools)? {
        return Ok(own);
    }
    let fixed = settings.user.is_some() || settings.uid.is_some();
    if !fixed && let Some(user) = facts.users.iter().find(|u| u.name == facts.family || u.name == "nonroot" || u.name == "app") {
        let by_name = user.name == facts.family && settings.numeric != Some(true) || settings.numeric == Some(false);
        let home = (user.home != "/nonexistent").then(|| user.home.clone());
        let number = if tools == Tools::Nothing { format!("{}:{}", user.uid, user.gid) } else { user.uid.to_string() };
        let owner = if tools == Tools::Nothing { number.clone() } else { format!("{0}:{0}", user.name) };
        return Ok(Account {
            user: if by_name { user.name.clone() } else { number },
            owner,
            home,
            ..numeric(user.uid, user.gid, tools, &format!("the image brings the user {}", user.name))
        });
    }
    let uid = settings.uid.unwrap_or(10001);
    let gid = settings.gid.unwrap_or(uid);
    if let Some(other) = facts.users.iter().find(|u| u.uid == uid) {
        return object(format!("the uid {uid} is taken by {} on {}", other.name, image.written));
    }
    let name = settings.user.clone().unwrap_or_else(|| "app".into());
    if let Some(reason) = settings.mistake() {
        return object(reason);
    }
    if facts.users.iter().any(|u| u.name == name) {
        return object(format!("the user {name} exists on {} already", image.written));
    }
    let minimal = facts.family.ends_with("-minimal") || facts.family.ends_with("-micro");
    let new = New { name: &name, uid, gid, settings };
    let make = match distribution {
        _ if !facts.shell => None,
        "debian" | "ubuntu" => Some(new.shadow("/usr/sbin/nologin")),
        "arch" => Some(new.shadow("/usr/bin/nologin")),
        "fedora" => Some(new.shadow("/sbin/nologin")),
        "rhel" | "centos" | "rocky" | "almalinux" if !minimal => Some(new.shadow("/sbin/nologin")),
        "alpine" => Some(new.busybox()),
        "" | "windows" => return object(format!("the distribution of {} is unknown", image.written)),
        _ => None,
    };
    Ok(match make {
        Some(make) => Account {
            user: if settings.numeric == Some(false) { name.clone() } else { uid.to_string() },
            owner: format!("{name}:{name}"),
            home: new.home_named().1.then(|| new.home()),
            make,
            ..numeric(uid, gid, tools, "the image has no user for a program yet")
        },
        None => {
            let (uid, gid) = if tools == Tools::Nothing && settings.uid.is_none() { (65532, 65532) } else { (uid, gid) };
            numeric(uid, gid, tools, "the image has no tool that makes users, so the user is a number")
        }
    })
}

/// A user to be made.
struct New<'s> {
    name: &'s str,
    uid: u32,
    gid: u32,
    settings: &'s Settings,
}

impl New<'_> {
    fn home(&self) -> String {
        self.settings.home.clone().unwrap_or_else(|| format!("/home/{}", self.name))
    }

    /// The home to be named, and whether it is made: system users have none unless one is asked for.
    fn home_named(&self) -> (Option<&str>, bool) {
        match &self.settings.home {
            Some(home) => (Some(home), true),
            None if self.settings.system => (Some("/nonexistent"), false),
            None => (None, true),
        }
    }

    /// A command line of the options that are given, each with its value, and the user's name.
    fn command(&self, program: &str, options: &[(&str, Option<&str>)]) -> String {
        let given = options.iter().filter_map(|(option, value)| value.map(|v| format!(" {option} {v}")));
        format!("{program}{} {}", given.collect::<String>().replace("  ", " ").trim_end(), self.name)
    }

    fn shadow(&self, nologin: &str) -> Vec<String> {
        let Self { name, uid, gid, settings } = self;
        let system = if settings.system { " --system" } else { "" };
        // The group gets the user's number only where that lies in the range of `/etc/login.defs` (`find_new_gid` of shadow).
        let own_group = gid != uid || settings.system || !(1000..=60000).contains(uid);
        let (home, made) = self.home_named();
        let shell = settings.shell.as_deref().or(settings.system.then_some(nologin));
        let gid = gid.to_string();
        let command = self.command(
            &format!("useradd{system} --uid {uid}"),
            &[
                ("--gid", own_group.then_some(gid.as_str())),
                ("--home-dir", home),
                ("--shell", shell),
                (if made { "--create-home" } else { "--no-create-home" }, Some("")),
            ],
        );
        own_group.then(|| format!("groupadd{system} --gid {gid} {name}")).into_iter().chain([command]).collect()
    }

    /// Without `-G`, busybox makes a group with the user's name and number (`adduser_main` in loginutils/adduser.c), but for
    /// system users, who share `nogroup`.
    fn busybox(&self) -> Vec<String> {
        let Self { name, uid, gid, settings } = self;
        let system = if settings.system { " -S" } else { "" };
        let own_group = gid != uid || settings.system;
        let (home, made) = self.home_named();
        let shell = settings.shell.as_deref().or(settings.system.then_some("/sbin/nologin"));
        let command = self.command(
            &format!("adduser{system} -D -u {uid}"),
            &[("-G", own_group.then_some(*name)), ("-h", home), ("-H", (!made).then_some("")), ("-s", shell)],
        );
        own_group.then(|| format!("addgroup{system} -g {gid} {name}")).into_iter().chain([command]).collect()
    }
}

/// A user that a RUN of the final image makes.
#[derive(Debug)]
struct Made {
    name: String,
    uid: Option<String>,
    home: Option<String>,
    has_home: bool,
    group: Option<String>,
    step: usize,
    line: usize,
}

fn made_by_file(subject: &Subject, settings: &Settings, tools: Tools) -> Result<Option<Account>, Objection> {
    let mut found: Vec<Made> = Vec::new();
    for (step_index, step) in subject.steps() {
        let Some(run) = &step.run else { continue };
        for command in run.commands.iter().filter(|c| c.action == Action::User) {
            let words = command.texts();
            if let Some(made) = made(&words, step_index, command.line) {
                found.retain(|m| m.name != made.name);
                found.push(made);
            }
        }
    }
    let Some(made) = found.pop() else { return Ok(None) };
    if let Some(other) = found.first() {
        let reason = format!("the file makes several users ({} and {}): which is the program's is not clear", other.name, made.name);
        return Err(Objection { reason, line: made.line });
    }
    if made.name.contains('$') {
        return Err(Objection { reason: format!("the name of the user {} is not known before the build", made.name), line: made.line });
    }
    let user = match &made.uid {
        Some(uid) if settings.numeric != Some(false) => uid.clone(),
        _ => made.name.clone(),
    };
    let home = made.home.clone().unwrap_or_else(|| format!("/home/{}", made.name));
    // `name:` gives the files the group that the user logs in with.
    let owner = format!("{}:{}", made.name, made.group.as_deref().unwrap_or(""));
    Ok(Some(Account {
        user,
        owner,
        make: Vec::new(),
        home: made.has_home.then(|| home.clone()),
        missing_home: (!made.has_home && home.starts_with('/')).then_some(home),
        made_at: Some(made.step),
        tools,
        why: format!("line {} makes the user {}, and nothing runs as it", made.line, made.name),
    }))
}

fn made(words: &[&str], step: usize, line: usize) -> Option<Made> {
    let program = words.first()?.rsplit('/').next()?;
    if !matches!(program, "useradd" | "adduser") {
        return None;
    }
    let shadow = program == "useradd";
    let (mut uid, mut home, mut group) = (None, None, None);
    let mut names = Vec::new();
    let mut has_home = !shadow;
    let mut words = words.iter().skip(1).copied();
    while let Some(word) = words.next() {
        let (option, mut value) = match word.split_once('=').filter(|_| word.starts_with("--")) {
            Some((o, v)) => (o, Some(v.to_owned())),
            None => (word, None),
        };
        let mut take = |words: &mut dyn Iterator<Item = &str>| value.take().or_else(|| words.next().map(ToOwned::to_owned));
        match option {
            "-u" | "--uid" => uid = take(&mut words),
            "-d" | "--home-dir" | "--home" => home = take(&mut words),
            "-h" if !shadow => home = take(&mut words),
            "-g" | "--gid" | "-G" | "--ingroup"
                if shadow && matches!(option, "-g" | "--gid") || !shadow && matches!(option, "-G" | "--ingroup") =>
            {
                group = take(&mut words);
            }
            "-m" | "--create-home" => has_home = true,
            "-H" | "-M" | "--no-create-home" => has_home = false,
            "-s" | "--shell" | "-c" | "--comment" | "-G" | "--groups" | "-g" | "--gecos" | "--gid" | "-k" | "--skel" | "-K" | "-p"
            | "--password" | "-e" | "--expiredate" | "-f" | "--inactive" | "--firstuid" | "--lastuid" | "-b" | "--base-dir" | "--conf" => {
                take(&mut words);
            }
            _ if option.starts_with('-') => {
                // `-rm`, `-ms /bin/bash`: letters put together, the last of which may take a value.
                let letters = option.trim_start_matches('-');
                if !option.starts_with("--") {
                    if letters.contains('m') && shadow {
                        has_home = true;
                    }
                    if letters.contains('H') || letters.contains('M') {
                        has_home = false;
                    }
                    match letters.chars().last() {
                        Some('u') => uid = words.next().map(ToOwned::to_owned),
                        Some('d') => home = words.next().map(ToOwned::to_owned),
                        Some('g') if shadow => group = words.next().map(ToOwned::to_owned),
                        Some('G') if !shadow => group = words.next().map(ToOwned::to_owned),
                        Some('s' | 'c' | 'G' | 'p' | 'k' | 'e' | 'b') => {
                            words.next();
                        }
                        Some('h') if !shadow => home = words.next().map(ToOwned::to_owned),
                        _ => {}
                    }
                }
            }
            _ => names.push(word.to_owned()),
        }
    }
    // `adduser USER GROUP` adds an existing user to a group.
    let [name] = names.as_slice() else { return None };
    let uid = uid.filter(|u| u.parse::<u32>().is_ok_and(|n| n != 0));
    Some(Made { name: name.clone(), uid, home, has_home, group: group.filter(|g| g.parse::<u32>().is_err()), step, line })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_that_files_make() {
        let of = |t: &str| made(&t.split(' ').collect::<Vec<_>>(), 0, 1).map(|m| (m.name, m.uid, m.home, m.has_home));
        assert_eq!(of("useradd -ms /bin/bash app"), Some(("app".into(), None, None, true)));
        assert_eq!(of("useradd -r -g web -d /var/lib/notes web"), Some(("web".into(), None, Some("/var/lib/notes".into()), false)));
        assert_eq!(of("useradd --uid=1001 --create-home x"), Some(("x".into(), Some("1001".into()), None, true)));
        assert_eq!(of("adduser -S -u 1001 -G app app"), Some(("app".into(), Some("1001".into()), None, true)));
        assert_eq!(of("adduser --disabled-password --gecos x app"), Some(("app".into(), None, None, true)));
        assert_eq!(of("adduser app docker"), None);
        assert_eq!(of("groupadd app"), None);
        assert_eq!(of("adduser -D -H app"), Some(("app".into(), None, None, false)));
    }

    #[test]
    fn commands_that_make_users() {
        let of = |settings: &Settings, uid, gid| New { name: "app", uid, gid, settings }.shadow("/usr/sbin/nologin");
        let settings = Settings::default();
        assert_eq!(of(&settings, 10001, 10001), ["useradd --uid 10001 --create-home app"]);
        assert_eq!(of(&settings, 70000, 70000), ["groupadd --gid 70000 app", "useradd --uid 70000 --gid 70000 --create-home app"]);
        assert_eq!(New { name: "app", uid: 10001, gid: 10001, settings: &settings }.busybox(), ["adduser -D -u 10001 app"]);
        let settings = Settings { shell: Some("/bin/false".into()), home: Some("/srv/web".into()), ..Settings::default() };
        assert_eq!(
            of(&settings, 500, 600),
            ["groupadd --gid 600 app", "useradd --uid 500 --gid 600 --home-dir /srv/web --shell /bin/false --create-home app"]
        );
        let settings = Settings { system: true, ..Settings::default() };
        assert_eq!(
            of(&settings, 10001, 10001),
            [
                "groupadd --system --gid 10001 app",
                "useradd --system --uid 10001 --gid 10001 --home-dir /nonexistent --shell /usr/sbin/nologin --no-create-home app"
            ]
        );
        assert_eq!(
            New { name: "app", uid: 10001, gid: 10001, settings: &settings }.busybox(),
            ["addgroup -S -g 10001 app", "adduser -S -D -u 10001 -G app -h /nonexistent -H -s /sbin/nologin app"]
        );
    }
}
