//! Lets `restage --version` name the commit that it was built from.

use std::process::Command;

fn main() {
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
    println!("cargo::rerun-if-changed=build.rs");
}
