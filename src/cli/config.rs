//! `restage config` and `restage init`.

use super::exit::Exit;
use super::output;
use crate::config::{Config, ConfigSource, FILE_NAME, OPTIONS};
use crate::pipeline::Selection;
use crate::transforms;
use clap::Args;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Options of `config`.
#[derive(Debug, Args)]
pub struct ConfigArgs {
    /// The Dockerfile that the settings are for
    #[arg(default_value = "Dockerfile")]
    path: PathBuf,
    /// Settings to use instead of the nearest restage.toml
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print the JSON schema of restage.toml, for editors
    #[arg(long)]
    schema: bool,
}

/// Options of `init`.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// The folder
    #[arg(default_value = ".")]
    folder: PathBuf,
}

/// Prints what is in force.
pub fn show(args: &ConfigArgs) -> io::Result<Exit> {
    if args.schema {
        let mut out = output::stdout();
        serde_json::to_writer_pretty(&mut out, &crate::config::schema::schema())?;
        writeln!(out)?;
        out.flush()?;
        return Ok(Exit::Done);
    }
    let source = args.config.clone().map_or(ConfigSource::Search, ConfigSource::File);
    let config = match Config::in_force(&args.path, &source) {
        Ok(config) => config,
        Err(e) => {
            output::complain(&e.to_string());
            return Ok(Exit::Failed);
        }
    };
    let settings = config.for_file(&args.path);
    let origin = |name: &str| settings.origins.get(name).map_or_else(|| "default".to_owned(), ToString::to_string);
    let select = settings.select.clone().unwrap_or_default();
    let ignore = settings.ignore.clone().unwrap_or_default();
    let mut out = output::stdout();
    for file in config.path.iter().chain(&config.extends) {
        writeln!(out, "# {}", file.display())?;
    }
    let list = |names: &[String]| names.iter().map(|n| format!("{n:?}")).collect::<Vec<_>>().join(", ");
    let selected = if settings.select.is_some() { list(&select) } else { "\"restructure\", \"hygiene\"".to_owned() };
    writeln!(out, "select = [{selected}]  # {}", origin("select"))?;
    writeln!(out, "ignore = [{}]  # {}", list(&ignore), origin("ignore"))?;
    writeln!(out, "cache = {:?}  # {}", settings.cache.unwrap_or_default().name(), origin("cache"))?;
    for option in OPTIONS {
        let set = settings.transforms.get(option.transform).and_then(|t| t.get(option.name));
        let value = set.map_or_else(|| option.written_default(), ToString::to_string);
        let name = format!("transforms.{}.{}", option.transform, option.name);
        writeln!(out, "{name} = {value}  # {}; {}", origin(&name), option.choice())?;
    }
    if let Ok(selection) = Selection::resolve(transforms::all(), &settings.selected(), &ignore, false) {
        let running: Vec<&str> = transforms::all().iter().map(|t| t.id).filter(|id| selection.runs(id)).collect();
        writeln!(out, "# runs: {}", running.join(", "))?;
    }
    out.flush()?;
    Ok(Exit::Done)
}

/// Writes a settings file in which everything is a comment.
pub fn init(args: &InitArgs) -> io::Result<Exit> {
    let path = args.folder.join(FILE_NAME);
    if path.exists() {
        output::complain(&format!("{} is there already", path.display()));
        return Ok(Exit::Failed);
    }
    match crate::write::replace(&path, Path::new(&args.folder), None, &template()) {
        Ok(()) => {
            let mut out = output::stdout();
            writeln!(out, "{}", path.display())?;
            out.flush()?;
            Ok(Exit::Done)
        }
        Err(e) => {
            output::complain(&format!("{}: {e}", path.display()));
            Ok(Exit::Failed)
        }
    }
}

/// The file that `init` writes.
fn template() -> String {
    let mut out = String::from(
        "# Settings of restage for the Dockerfiles in this folder and below. Everything here is optional.\n\n\
         # The settings of another file, on top of which these stand.\n# extends = \"../restage.toml\"\n\n\
         # Which transforms run: ids, groups or \"all\"; \"+ID\" adds to the default groups.\n\
         # select = [\"restructure\", \"hygiene\"]\n\n\
         # Which of them do not.\n# ignore = []\n\n\
         # What becomes of package managers' downloads: \"clean\" removes them, \"mount\" keeps them in cache mounts (needs BuildKit).\n\
         # cache = \"clean\"\n",
    );
    for t in transforms::all() {
        out.push_str(&format!("\n# {} ({}): {}\n", t.id, t.group.name(), t.summary));
        let options: Vec<_> = OPTIONS.iter().filter(|o| o.transform == t.id).collect();
        if !options.is_empty() {
            out.push_str(&format!("# [transforms.{}]\n", t.id));
        }
        for o in options {
            out.push_str(&format!("# {} = {}  # {}: {}\n", o.name, o.written_default(), o.choice(), o.about));
        }
    }
    out.push_str(
        "\n# Your own base images, mirrors and packages.\n# [catalog]\n# mirrors = [\"registry.example.com/library/\"]\n\
         # [catalog.images.\"registry.example.com/base/python\"]\n# like = \"python\"\n# runtime = \"registry.example.com/run/python:{tag}\"\n\
         # [catalog.runtime-packages.apt]\n# libacme-dev = [\"libacme1\"]\n# [catalog.build-only]\n# apt = [\"acme-compiler\"]\n",
    );
    out.push_str("\n# Other settings for some paths, relative to this folder.\n# [per-path.\"services/*\"]\n# ignore = [\"non-root\"]\n");
    out
}
