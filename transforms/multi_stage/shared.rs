//! Shared libraries that a C or C++ project makes itself, or loads while it runs.

use super::compiled::Sources;
use super::draft::{Draft, absolute, inside, refuse};
use super::facts::facts;
use super::plan::{Extra, Plan};
use crate::model::Value;
use crate::transforms::Refusal;

/// Folders in which the loader looks by itself.
const SYSTEM: &[&str] = &["/usr", "/lib", "/lib64"];

/// All that says how the project is built: its build files, and the Dockerfile.
pub(super) fn build_text(draft: &Draft) -> String {
    const FILES: &[&str] = &["Makefile", "makefile", "GNUmakefile", "CMakeLists.txt", "Makefile.am", "configure.ac", "meson.build"];
    let context = draft.model.context;
    let mut text = String::new();
    for path in context.files().0 {
        if FILES.contains(&path.rsplit('/').next().unwrap_or(&path)) {
            text.push_str(&context.read(&path).unwrap_or_default());
            text.push('\n');
        }
    }
    for step in draft.steps {
        text.push_str(step.span.text(draft.model.file.source()));
        text.push('\n');
    }
    text
}

/// Takes over what the program in `folder`, built by step `step`, loads from the project, and refuses what it may load from elsewhere.
/// `installed` where what is built is installed among the system's files, and taken over from there.
pub(super) fn libraries(
    draft: &Draft,
    plan: &mut Plan,
    folder: &str,
    sources: &Sources,
    step: usize,
    installed: bool,
) -> Result<(), Refusal> {
    let text = build_text(draft);
    let makes = makes_libraries(&text);
    let placed = plan.artifacts.iter().any(|a| a.path.contains(".so"));
    if makes && !installed && !placed && draft.project_of(folder).is_some() {
        take(plan, folder, step);
    }
    for (name, value) in &draft.stage.end.env {
        let Value::Known(value) = value else { continue };
        for path in value.split(':').filter(|p| name == "LD_LIBRARY_PATH" && p.starts_with('/')) {
            let path = path.trim_end_matches('/');
            if SYSTEM.iter().any(|s| inside(path, s))
                || plan.snapshot_of(path).is_some()
                || plan.artifacts.iter().any(|a| inside(&a.path, path))
            {
                continue;
            }
            match draft.project_of(path).map(str::to_owned) {
                Some(project) => take(plan, &project, step),
                None if installed => {}
                None => {
                    return refuse(
                        draft.program.line,
                        format!("LD_LIBRARY_PATH names `{path}`, and what is there is not known; copy it by hand"),
                    );
                }
            }
        }
    }
    for (path, source) in sources {
        for (at, _) in source.match_indices("dlopen(") {
            loaded(draft, plan, (folder, step), (path, source.get(at + "dlopen(".len()..).unwrap_or("")), makes)?;
        }
    }
    register(draft, plan);
    Ok(())
}

/// One `dlopen` of the source file `path`: what stands behind its bracket.
fn loaded(draft: &Draft, plan: &mut Plan, (folder, step): (&str, usize), (path, rest): (&str, &str), makes: bool) -> Result<(), Refusal> {
    const BASIC: &[&str] = &["libc.so", "libm.so", "libdl.so", "libpthread.so", "librt.so", "libgcc_s.so"];
    let rest = rest.trim_start();
    let none = ["NULL", "nullptr", "0"].iter().any(|n| rest.strip_prefix(n).is_some_and(|r| r.trim_start().starts_with(',')));
    if none {
        return Ok(());
    }
    let Some(name) = rest.strip_prefix('"').and_then(|r| r.split('"').next()) else {
        if makes {
            return Ok(());
        }
        return refuse(draft.program.line, format!("{path} loads a library whose name is not a literal; the smaller image may lack it"));
    };
    if name.contains('/') {
        let place = absolute(draft.workdir(), name);
        let ships = place.as_deref().is_some_and(|p| plan.snapshot_of(p).is_some() || plan.artifacts.iter().any(|a| inside(p, &a.path)));
        if ships {
            return Ok(());
        }
        if place.as_deref().is_some_and(|p| inside(p, folder)) && draft.project_of(folder).is_some() {
            take(plan, folder, step);
            return Ok(());
        }
    }
    let bare = name.rsplit('/').next().unwrap_or(name);
    let bare = bare.strip_prefix("lib").unwrap_or(bare).split(".so").next().unwrap_or(bare);
    let own = makes && build_text(draft).contains(&format!("lib{bare}."));
    let brought = plan.packages.iter().any(|p| p.name.contains(bare));
    if own || brought || BASIC.iter().any(|b| name.starts_with(b)) {
        return Ok(());
    }
    refuse(draft.program.line, format!("{path} loads the library `{name}`, and no package of the runtime stage is known to bring it"))
}

/// Whether build files speak of a shared library that they make.
fn makes_libraries(text: &str) -> bool {
    let known = &facts().c.shared;
    let ends = |c: char| c.is_whitespace() || matches!(c, '(' | ')' | '"' | '\'' | ',');
    known.parts.iter().any(|p| text.contains(p)) || text.split(ends).any(|word| known.words.iter().any(|w| w == word))
}

fn take(plan: &mut Plan, folder: &str, step: usize) {
    plan.snapshot(folder, step);
    plan.notes.push(format!("the program loads libraries that the build leaves in `{folder}`, which is taken over whole"));
}

/// Lets the loader find libraries that are taken over one by one, where the file itself makes it look for them.
fn register(draft: &Draft, plan: &mut Plan) {
    let registers = draft.steps.iter().flat_map(|s| s.commands()).any(|c| c.program() == Some("ldconfig"));
    let last = plan.artifacts.iter().filter(|a| a.path.contains(".so")).map(|a| a.step).max();
    if let Some(anchor) = last.filter(|_| registers) {
        plan.behind.push(Extra { anchor, text: "RUN ldconfig".to_owned() });
    }
}
