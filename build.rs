//! Lets `restage --version` name the commit that it was built from, and writes the catalog down in a form that a program reads
//! fast.

use std::path::Path;
use std::process::Command;

fn main() {
    version();
    catalog().unwrap_or_else(|e| {
        println!("cargo::error={e}");
        std::process::exit(1);
    });
    println!("cargo::rerun-if-changed=build.rs");
}

/// Each `catalog/NAME.toml` as `NAME.json` in the build's own folder: JSON takes a tenth of the time to read, and reading the
/// catalog was most of what a run over one small file took.
fn catalog() -> Result<(), Box<dyn std::error::Error>> {
    let out = std::env::var("OUT_DIR")?;
    println!("cargo::rerun-if-changed=catalog");
    for entry in std::fs::read_dir("catalog")? {
        let path = entry?.path();
        let Some(name) = path.file_name().and_then(|n| n.to_str()?.strip_suffix(".toml")) else { continue };
        let text = std::fs::read_to_string(&path)?;
        let table: toml::Table = toml::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))?;
        std::fs::write(Path::new(&out).join(format!("{name}.json")), serde_json::to_string(&table)?)?;
    }
    Ok(())
}

fn version() {
    let version = env!("CARGO_PKG_VERSION");
    let git = |args: &[&str]| {
        let out = Command::new("git").args(args).output().ok().filter(|out| out.status.success())?;
        Some(String::from_utf8_lossy(&out.stdout).trim().to_owned()).filter(|text| !text.is_empty())
    };
    // A source archive may lie in the work tree of somebody else's repository.
    let own = git(&["ls-files", "--error-unmatch", "build.rs"]).is_some();
    match git(&["rev-parse", "--short=10", "HEAD"]).filter(|_| own) {
        Some(commit) => {
            println!("cargo::rustc-env=RESTAGE_VERSION={version} ({commit})");
            if let Some(log) = git(&["rev-parse", "--git-path", "logs/HEAD"]) {
                println!("cargo::rerun-if-changed={log}");
            }
        }
        None => println!("cargo::rustc-env=RESTAGE_VERSION={version}"),
    }
}
