//! Images of a distribution: what they build and run comes from the packages that the file installs.

use super::draft::{Draft, refuse};
use super::facts::facts;
use super::plan::Plan;
use crate::context::fits;
use crate::model::Step;
use crate::model::command::{Action, Classified, Operation};
use crate::model::image::ImageFacts;
use crate::transforms::Refusal;

/// The facts of the base as the file's own packages complete them: the language, and the same system as the runtime's.
/// `None` where the packages don't tell what starts.
pub(super) fn completed(draft: &Draft) -> Option<ImageFacts> {
    let base: &ImageFacts = &draft.facts;
    if !matches!(base.package_manager.as_deref(), Some("apt" | "apk")) {
        return None;
    }
    let language = language(draft)?;
    let written = &draft.image.written;
    // On the small images of older releases, packages with manual pages stumble over the folders that are left out there; a
    // Java runtime does so still (https://bugs.debian.org/863199).
    let small = language != "java" && base.releases.iter().all(|r| facts().system.small.contains(r));
    let certain = base.slim.as_ref().filter(|_| small && base.release.is_some() && !base.release_moving && !written.contains('$'));
    let runtime = certain.unwrap_or(written).clone();
    Some(ImageFacts {
        language: Some(language.to_owned()),
        version: None,
        variant: "system".to_owned(),
        slim: None,
        runtime: Some(runtime.clone()),
        static_runtime: Some(runtime.clone()),
        dynamic_runtime: Some(runtime),
        ..base.clone()
    })
}

/// The language of what starts: that of the interpreter on the command line, else that of what builds, else the only one whose
/// packages are installed.
fn language(draft: &Draft) -> Option<&'static str> {
    let installs = |patterns: &[String]| packages(draft).any(|p| patterns.iter().any(|pattern| fits(pattern, &p)));
    let starts = |programs: &[String]| {
        draft.program.commands.iter().filter(|c| !c.health).any(|c| {
            let first = c.words.first().map(|w| w.rsplit('/').next().unwrap_or(w)).unwrap_or_default();
            programs.iter().any(|p| fits(p, first))
        })
    };
    let builds = |programs: &[String]| {
        draft.steps.iter().flat_map(|s| s.commands()).any(|c| {
            let first = c.words.first().map(|w| w.raw.rsplit('/').next().unwrap_or(&w.raw)).unwrap_or_default();
            programs.iter().any(|p| fits(p, first))
        })
    };
    let known = facts().system.languages.iter().filter(|l| installs(&l.packages)).collect::<Vec<_>>();
    let found = known.iter().find(|l| starts(&l.starts)).or_else(|| known.iter().find(|l| builds(&l.builds)));
    // A console script says nothing; that one language alone installs its packages does.
    let managed = || {
        let commands = draft.steps.iter().flat_map(|s| s.commands());
        let used: Vec<&str> =
            commands.filter_map(|c| if let Action::Language { manager, .. } = &c.action { Some(manager.as_str()) } else { None }).collect();
        let mut languages = known.iter().filter(|l| l.managers.iter().any(|m| used.contains(&m.as_str())));
        languages.next().filter(|_| languages.next().is_none())
    };
    found.or_else(managed).map(|l| l.name.as_str())
}

/// The names of all packages that the file installs by the system's manager, without versions.
pub(super) fn packages<'a>(draft: &'a Draft) -> impl Iterator<Item = String> + 'a {
    draft.steps.iter().flat_map(packages_of)
}

fn packages_of(step: &Step) -> impl Iterator<Item = String> + '_ {
    step.commands()
        .iter()
        .filter_map(|c| match &c.action {
            Action::System { operation: Operation::Install, packages, .. } => Some(packages),
            _ => None,
        })
        .flatten()
        .filter_map(|w| w.literal.as_deref())
        .map(|name| name.split(['=', ':', '/']).next().unwrap_or(name).to_owned())
}

/// Adds what modules that were compiled by C++ load on Alpine, where nothing but the compiler's package brings it.
pub(super) fn compiled_modules(draft: &Draft, plan: &mut Plan, anchor: usize) {
    let facts = &facts().system;
    let compiler = plan.shed.iter().find(|name| facts.compilers.contains(name)).cloned();
    let Some(compiler) = compiler.filter(|_| draft.manager() == "apk") else { return };
    let names = |step: &&Step| packages_of(step).any(|p| p == compiler);
    let line = draft.steps.iter().find(names).map_or(draft.line(anchor), |s| s.line);
    for library in &facts.compiled_loads {
        plan.package(library, anchor);
        plan.stays.push(Refusal {
            line,
            reason: format!("whether modules that `{compiler}` compiles load `{library}` is not known, so the image that ships keeps it"),
        });
    }
}

/// Whether the file itself removes the package `name` of `install` (a command of step `index`) again, with what came along: `true` where
/// it does so in the same RUN, so that the package never was in the image. apk knows a package that was added as one of a group by
/// that group alone.
pub(super) fn removed_again(draft: &Draft, index: usize, install: &Classified, name: &str) -> Option<bool> {
    let words = install.texts();
    let group = words.iter().enumerate().find_map(|(at, word)| match *word {
        "--virtual" | "-t" => words.get(at + 1).copied(),
        _ => word.strip_prefix("--virtual="),
    });
    let apk = draft.manager() == "apk";
    let certain = |c: &Classified| {
        let texts = c.texts();
        let agrees =
            texts.iter().any(|w| matches!(*w, "--yes" | "--assume-yes") || w.starts_with('-') && !w.starts_with("--") && w.contains('y'));
        let pretends = texts.iter().any(|w| matches!(*w, "-s" | "--simulate" | "--dry-run" | "--no-act" | "--just-print" | "--recon"));
        !c.conditional && !c.failure_ignored && !pretends && (apk || agrees) && c.span.start > install.span.start
    };
    draft.steps.iter().enumerate().skip(index).find_map(|(at, step)| {
        let removal = |c: &&Classified| match &c.action {
            Action::System { operation: Operation::Remove, packages, .. } if certain(c) => {
                packages.iter().filter_map(|w| w.literal.as_deref()).any(|removed| removed == group.unwrap_or(name))
            }
            _ => false,
        };
        step.commands().iter().find(removal)?;
        let orphans = |c: &Classified| c.words.iter().any(|w| matches!(w.raw.as_str(), "autoremove" | "--autoremove" | "--auto-remove"));
        (apk || step.commands().iter().any(|c| orphans(c) && certain(c))).then_some(at == index)
    })
}

/// What the runtime stage installs instead of the package `name`; `None` if nothing special is known of it.
pub(super) fn replaced(draft: &Draft, name: &str) -> Option<Vec<String>> {
    if !draft.completed {
        return None;
    }
    let language = draft.facts.language.as_deref().unwrap_or_default();
    let of_distribution = |r: &&super::facts::Replacement| r.language == language && r.manager == draft.manager();
    let rule = facts()
        .system
        .replacements
        .iter()
        .filter(of_distribution)
        .find(|r| fits(&r.package, name) && r.unless_started.iter().all(|p| draft.program.has_word(p).is_none()))?;
    let stem = rule.package.split('*').fold(name, |rest, part| rest.strip_prefix(part).or(rest.strip_suffix(part)).unwrap_or(rest));
    Some(rule.by.iter().map(|b| b.replace('*', stem)).collect())
}

/// The runtime packages of a library's `-dev` package: those whose names are the same in every release that the image may
/// stand on; else the package itself, which brings its library along.
pub(super) fn library(draft: &Draft, plan: &mut Plan, name: &str, anchor: usize, with_recommended: bool) -> bool {
    if !draft.completed || !is_library(name) {
        return false;
    }
    let exact = draft.facts.distribution.as_deref() == Some("debian")
        && facts().system.releases.iter().any(|r| draft.facts.releases == [r.clone()]);
    let libraries = if exact {
        draft.model.catalog.runtime_packages(name, draft.manager(), &draft.facts.releases)
    } else {
        of_any_release(draft, name)
    };
    bring(plan, name, libraries, anchor, with_recommended);
    true
}

/// The same for a language's own image, where no names are known for exactly its releases: those that all releases have, or the
/// package itself.
pub(super) fn unsure_library(draft: &Draft, plan: &mut Plan, name: &str, anchor: usize, with_recommended: bool) -> bool {
    if !is_library(name) || facts().system.only_headers.iter().any(|pattern| fits(pattern, name)) {
        return false;
    }
    let releases = &draft.facts.releases;
    let older = !releases.is_empty() && !releases.iter().any(|r| facts().system.releases.contains(r));
    bring(plan, name, of_any_release(draft, name).filter(|_| older), anchor, with_recommended);
    true
}

fn is_library(name: &str) -> bool {
    ["-dev", "-devel", "-dev-all"].iter().any(|end| name.ends_with(end)) || name.starts_with("postgresql-server-dev-")
}

/// The libraries of `name` if they have the same names wherever it was looked.
fn of_any_release(draft: &Draft, name: &str) -> Option<Vec<String>> {
    let system = &facts().system;
    let manager = draft.manager();
    let renamed = manager == "apt" && system.renamed.iter().any(|pattern| fits(pattern, name));
    draft.model.catalog.runtime_packages(name, manager, &system.releases).filter(|_| !renamed)
}

fn bring(plan: &mut Plan, name: &str, libraries: Option<Vec<String>>, anchor: usize, with_recommended: bool) {
    match libraries {
        Some(libraries) => {
            plan.shed.push(name.to_owned());
            // The C library is on every image.
            libraries.iter().filter(|l| *l != "libc6").for_each(|l| plan.package_as(l, anchor, with_recommended));
        }
        None => {
            plan.package_as(name, anchor, with_recommended);
            plan.notes.push(format!("`{name}` stays, because the name of its runtime library is not certain"));
        }
    }
}

/// Refuses where the header packages that stay outweigh what is left behind.
pub(super) fn enough_is_shed(draft: &Draft, plan: &Plan) -> Result<(), Refusal> {
    if !draft.completed {
        return Ok(());
    }
    let kept = plan.packages.iter().filter(|p| p.name.ends_with("-dev") || p.name.ends_with("-devel")).count();
    if plan.shed.is_empty() || kept >= plan.shed.len() {
        return refuse(
            draft.from.line,
            format!("no gain: of what `{}` gets installed, hardly anything only builds and could stay behind", draft.image.written),
        );
    }
    Ok(())
}
