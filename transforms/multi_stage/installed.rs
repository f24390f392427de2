//! Files that `make install` and the like put among others: found in the builder by the time of their change.

use super::draft::{Draft, absolute, inside, refuse};
use super::plan::{Extra, Plan};
use super::roles::is_system_folder;
use crate::model::command::{Action, Classified, Operation};
use crate::transforms::Refusal;
use crate::transforms::packages::is_root;
use std::rc::Rc;

/// Where they are gathered in the builder.
const GATHERED: &str = "/opt/installed";

/// A step that installs.
#[derive(Clone, Debug)]
pub(super) struct Installed {
    pub step: usize,
    pub line: usize,
    /// The folder below which everything lands.
    pub prefix: String,
}

impl Installed {
    /// The install step `index` with the prefix that it is `told`, else the one that the makefile has by itself, else the usual one.
    pub(super) fn of(draft: &Draft, index: usize, command: &Classified, told: Option<String>) -> Self {
        let prefix = told.or_else(|| own_prefix(draft, command)).unwrap_or_else(|| "/usr/local".to_owned());
        Self { step: index, line: command.line, prefix }
    }
}

/// Whether a build command installs what was built.
pub(super) fn installs(words: &[&str]) -> bool {
    words.iter().any(|w| *w == "install" || w.ends_with("/install") || *w == "--install" || w.starts_with("install-"))
}

/// Refuses a build command that leaves something elsewhere than in `folder`, which is all that is taken over of it.
pub(super) fn stays_in(command: &Classified, folder: &str) -> Result<(), Refusal> {
    const PLACES: &[&str] = &[
        "-o",
        "-C",
        "-B",
        "-d",
        "--output",
        "--directory",
        "--build",
        "--outdir",
        "--outDir",
        "--out-dir",
        "--output-path",
        "--output-dir",
        "--outfile",
        "--outFile",
        "--out",
        "--dist-dir",
        "--dist",
        "--dest",
        "--destination",
        "--site-dir",
        "--target-dir",
        "--prefix",
    ];
    let words = command.texts();
    let value = |at: usize, word: &str| match word.split_once('=') {
        Some((option, value)) if PLACES.contains(&option) => Some(value.to_owned()),
        _ if PLACES.contains(&word) => words.get(at + 1).map(|w| (*w).to_owned()),
        _ => word.strip_prefix("-o").filter(|rest| rest.starts_with('/')).map(str::to_owned),
    };
    let leaves = |place: String| absolute(Some(folder), &place).is_none_or(|p| !inside(&p, folder));
    if installs(&words) || words.iter().enumerate().filter_map(|(at, word)| value(at, word)).any(leaves) {
        return refuse(
            command.line,
            format!("`{}` leaves files outside of `{folder}`; copy them by hand, or leave the file as it is", super::roles::named(command)),
        );
    }
    Ok(())
}

/// The prefix that the words of a build command set: `PREFIX=/opt/x`, `--prefix=/opt/x`, `-DCMAKE_INSTALL_PREFIX=/opt/x`.
pub(super) fn prefix(words: &[&str]) -> Option<String> {
    const NAMES: &[&str] = &["PREFIX=", "prefix=", "DESTDIR=", "--prefix=", "-DCMAKE_INSTALL_PREFIX=", "-DCMAKE_INSTALL_PREFIX:PATH="];
    let attached = words.iter().find_map(|w| NAMES.iter().find_map(|n| w.strip_prefix(n)));
    let separate = || words.iter().position(|w| *w == "--prefix").and_then(|at| words.get(at + 1).copied());
    attached.or_else(separate).map(str::to_owned)
}

/// The prefix that the makefile of the folder of `command` has by itself.
fn own_prefix(draft: &Draft, command: &Classified) -> Option<String> {
    makefile(draft, command)?.lines().find_map(|line| {
        let (name, value) = line.split_once('=')?;
        let name = name.trim_end_matches(['?', ':']).trim();
        (matches!(name, "PREFIX" | "prefix") && value.trim().starts_with('/')).then(|| value.trim().trim_end_matches('/').to_owned())
    })
}

/// The makefile of the folder of `command`.
pub(super) fn makefile(draft: &Draft, command: &Classified) -> Option<Rc<str>> {
    let folder = command.directory.as_deref()?;
    let names = ["Makefile", "makefile", "GNUmakefile"];
    names.iter().filter_map(|n| draft.context_path(&super::draft::join(folder, n))).find_map(|p| draft.model.context.read(&p))
}

/// Gathers what the installing steps made anywhere but in the folders `builds`, and takes that over.
pub(super) fn gather(draft: &Draft, plan: &mut Plan, installs: &[Installed], builds: &[String]) -> Result<(), Refusal> {
    let (Some(Installed { step: first, line, .. }), Some(Installed { step: last, prefix, .. })) = (installs.first(), installs.last())
    else {
        return Ok(());
    };
    let Some(before) = first.checked_sub(1) else { return refuse(*line, "the first line already installs") };
    if !prefix.starts_with('/') || prefix.contains(['$', '`', '*', ' ']) {
        return refuse(
            *line,
            format!("this installs into `{prefix}`, which is not known before the build; copy what it leaves there by hand"),
        );
    }
    if draft.manager() != "apt" {
        return refuse(*line, "what this installs would have to be found by GNU find, which the image does not have");
    }
    if draft.steps.get(*last).is_some_and(|s| !is_root(s)) {
        return refuse(*line, "what this installs can only be found by root");
    }
    if builds.iter().any(|b| inside(prefix, b)) {
        plan.snapshot(prefix, *last);
        return Ok(());
    }
    // What a package manager writes in between would be taken for the program's.
    let between = draft.steps.iter().take(last + 1).skip(*first).flat_map(|s| s.commands());
    if let Some(command) = between.into_iter().find(|c| matches!(c.action, Action::System { operation: Operation::Install, .. })) {
        return refuse(command.line, "packages are installed between the builds, among which what those install can't be told apart");
    }
    let own = builds.iter().filter(|f| !is_system_folder(f)).map(|f| format!(" -o -path {f}")).collect::<String>();
    plan.builder_after.push((before, "RUN touch /tmp/before-install".to_owned()));
    plan.builder_after.push((
        *last,
        format!(
            "RUN find / -xdev \\( -path /tmp -o -path /run -o -path /root -o -path /var/cache -o -path /var/log{own} \\) -prune -o \\\n\
             \x20   -cnewer /tmp/before-install \\( -type f -o -type l -o -type d -empty \\) ! -path '/etc/host*' ! -path /etc/resolv.conf ! -name ld.so.cache -print > /tmp/installed \\\n\
             \x20&& tar -cf /tmp/installed.tar -T /tmp/installed && mkdir {GATHERED} && tar -xf /tmp/installed.tar -C {GATHERED}"
        ),
    ));
    plan.extras.push(Extra { anchor: *last, text: format!("COPY --from={} {GATHERED}/ /", super::render::builder(draft)) });
    if brings_libraries(draft) {
        plan.extras.push(Extra { anchor: *last, text: "RUN ldconfig".to_owned() });
    }
    plan.notes.push(format!("what line {line} installs is found by its time of change and taken over"));
    Ok(())
}

/// Whether what is installed may be shared libraries, which the loader finds by its cache.
fn brings_libraries(draft: &Draft) -> bool {
    let context = draft.model.context;
    let builds = |p: &&String| p.ends_with("Makefile") || p.ends_with("CMakeLists.txt");
    draft.model.file.source().contains("ldconfig")
        || context.files().0.iter().filter(builds).any(|p| context.read(p).is_some_and(|t| t.contains(".so") || t.contains("SHARED")))
}
