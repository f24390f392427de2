//! The files of a project that its package manager reads to install its dependencies.

use super::needs::{Install, Needed};
use crate::catalog::context::install_reads;
use crate::context::manifests::go::Module;
use crate::context::manifests::maven::Project;
use crate::context::manifests::node::Package;
use crate::context::{Context, join, normalize};
use crate::model::Model;

/// Those of the names that `folder` has.
pub(super) fn present(context: &Context, folder: &str, names: &[&str]) -> Vec<String> {
    names.iter().map(|n| join(folder, n)).filter(|p| context.exists(p)).collect()
}

pub(super) fn node(install: &Install, manager: &str, folder: &str) -> Needed {
    let context = install.model.context;
    if install.has_word(&["--prefix", "-C", "--dir", "--cwd", "-w", "--workspace", "--filter"]) {
        return Err("installs in another folder than its own".into());
    }
    install.not_in_context(folder, &["node_modules"])?;
    let files: &[&str] = match manager {
        "npm" => &["package.json", "package-lock.json", "npm-shrinkwrap.json", ".npmrc"],
        "yarn" => &["package.json", "yarn.lock", ".npmrc", ".yarnrc", ".yarnrc.yml", ".yarn", ".pnp.cjs", ".pnp.loader.mjs"],
        _ => &["package.json", "pnpm-lock.yaml", "pnpm-workspace.yaml", ".npmrc", ".pnpmfile.cjs"],
    };
    let mut out = present(context, folder, files);
    let package = Package::read(context, folder).ok_or_else(|| format!("{} can't be read", join(folder, "package.json")))?;
    let scripts = !install.has_word(&["--ignore-scripts"]);
    if manager == "pnpm" && context.exists(&join(folder, "pnpm-workspace.yaml")) {
        return Err("pnpm-workspace.yaml may name more manifests than can be told".into());
    }
    let mut packages = vec![(folder.to_owned(), package)];
    for pattern in packages.first().map(|(_, p)| p.workspaces.clone()).unwrap_or_default() {
        if pattern.contains("**") || pattern.starts_with('!') {
            return Err(format!("the workspaces {pattern} may be more manifests than can be told"));
        }
        for member in context.glob(&normalize(&join(folder, &pattern))) {
            if let Some(package) = Package::read(context, &member) {
                install.not_in_context(&member, &["node_modules"])?;
                out.push(join(&member, "package.json"));
                packages.push((member, package));
            }
        }
    }
    let members: Vec<String> = packages.iter().map(|(f, _)| f.clone()).collect();
    for (at, package) in &packages {
        for (name, path) in package.local_dependencies() {
            let target = normalize(&join(at, path));
            if path.ends_with(".tgz") && context.is_file(&target) {
                out.push(target);
            } else if !members.contains(&target) {
                return Err(format!("{name} is installed from {path}, so it reads the sources there"));
            }
        }
        if !scripts {
            continue;
        }
        if context.exists(&join(at, "binding.gyp")) {
            return Err("binding.gyp makes the install compile the sources".into());
        }
        for reader in install_reads().iter().filter(|r| package.all_dependencies().any(|(name, _)| name == r.package)) {
            if let Some(key) = reader.key.as_deref().filter(|key| package.keys.contains(*key)) {
                return Err(format!("{} reads what `{key}` of package.json names as it is installed", reader.package));
            }
            out.extend(present(context, at, &reader.names.iter().map(String::as_str).collect::<Vec<_>>()));
        }
        for (name, script) in package.install_scripts() {
            match harmless(script) {
                Some(folders) => out.extend(present(context, at, folders)),
                None if script.contains("husky") && !context.exists(&join(at, ".git")) => {}
                None => return Err(format!("the {name} script of package.json runs `{script}`, which may read the sources")),
            }
        }
    }
    Ok(out)
}

/// The folders that an install script reads beside the manifests; `None` for a script that may read anything.
fn harmless(script: &str) -> Option<&'static [&'static str]> {
    match script.trim() {
        "patch-package" | "npx patch-package" => Some(&["patches"]),
        "npx only-allow npm" | "npx only-allow yarn" | "npx only-allow pnpm" | "only-allow npm" | "only-allow yarn" | "only-allow pnpm" => {
            Some(&[])
        }
        "" | "true" | "exit 0" => Some(&[]),
        _ => None,
    }
}

pub(super) fn go(model: &Model, folder: &str) -> Needed {
    let context = model.context;
    if context.exists(&join(folder, "go.work")) {
        return Err("go.work names further modules".into());
    }
    let module = Module::read(context, folder).ok_or_else(|| format!("{} is not in the context", join(folder, "go.mod")))?;
    let mut out = present(context, folder, &["go.mod", "go.sum"]);
    for path in &module.local_replacements {
        if path.starts_with('/') || path.starts_with("..") {
            return Err(format!("go.mod replaces a module by {path}"));
        }
        let at = normalize(&join(folder, path));
        let found = present(context, &at, &["go.mod", "go.sum"]);
        if found.is_empty() {
            return Err(format!("go.mod replaces a module by {path}, which has no go.mod"));
        }
        out.extend(found);
    }
    Ok(out)
}

pub(super) fn bundle(install: &Install, folder: &str) -> Needed {
    let context = install.model.context;
    let gemfile = join(folder, "Gemfile");
    let text = context.read(&gemfile).ok_or_else(|| format!("{gemfile} is not in the context"))?;
    for word in ["gemspec", "path:", ":path", "path ", "eval_gemfile", "File.", "Dir.", "require", "instance_eval", "load "] {
        if text.lines().any(|l| {
            !l.trim_start().starts_with('#')
                && l.contains(word)
                && !(word == "require" && (l.contains("require:") || l.contains(":require")))
        }) {
            return Err(format!("{gemfile} says `{}`, so it may read more than the manifests", word.trim()));
        }
    }
    install.not_in_context(folder, &["vendor/bundle", "vendor/cache"])?;
    install.all_of(folder, &["Gemfile"], &["Gemfile.lock", ".ruby-version", ".tool-versions", ".bundle/config"])
}

pub(super) fn composer(install: &Install, folder: &str) -> Needed {
    if !(install.has_word(&["--no-scripts"]) && install.has_word(&["--no-autoloader"])) {
        return Err("composer install runs the project's scripts and writes the autoloader from the sources; with --no-scripts --no-autoloader, and dump-autoload after the copy, it would read the manifests alone".into());
    }
    install.not_in_context(folder, &["vendor"])?;
    let context = install.model.context;
    let text = context.read(&join(folder, "composer.json")).unwrap_or_default();
    if text.contains("\"path\"") {
        return Err("composer.json may name repositories in the context".into());
    }
    install.all_of(folder, &["composer.json"], &["composer.lock", "auth.json"])
}

pub(super) fn maven(model: &Model, folder: &str) -> Needed {
    let project = Project::read(model.context, folder).ok_or_else(|| "pom.xml can't be read".to_owned())?;
    if !project.modules.is_empty() || project.text.contains("<relativePath>..") {
        return Err("pom.xml belongs to several modules".into());
    }
    Ok(present(model.context, folder, &["pom.xml", ".mvn", "mvnw"]))
}

pub(super) fn poetry(install: &Install, folder: &str) -> Needed {
    if !install.has_word(&["--no-root", "--only=main", "--only-root"])
        || install.has_word(&["--only-root"])
        || !install.has_word(&["--no-root"])
    {
        return Err("poetry install installs the project itself; with --no-root it would read the manifests alone".into());
    }
    pyproject(install, folder, "poetry.lock")
}

pub(super) fn uv(install: &Install, folder: &str) -> Needed {
    if !install.has_word(&["--no-install-project"]) {
        return Err("uv sync installs the project itself; with --no-install-project it would read the manifests alone".into());
    }
    install.not_in_context(folder, &[".venv"])?;
    pyproject(install, folder, "uv.lock")
}

fn pyproject(install: &Install, folder: &str, lock: &str) -> Needed {
    let text = install.model.context.read(&join(folder, "pyproject.toml")).unwrap_or_default();
    if ["path =", "path=", "[tool.uv.workspace]", "workspace = true"].iter().any(|w| text.contains(w)) {
        return Err("pyproject.toml names dependencies in the context".into());
    }
    install.all_of(folder, &["pyproject.toml"], &[lock, ".python-version", "poetry.toml", "uv.toml"])
}
