use std::path::Path;

use super::{Context, Kind, Knowledge, Source, literal_sources};
use crate::syntax::Dockerfile;

/// A folder with these files, each with its path as text.
fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

fn context(folder: &Path, dockerfile: &str) -> Context {
    let path = folder.join(dockerfile);
    let sources = literal_sources(&Dockerfile::parse(std::fs::read_to_string(&path).unwrap()));
    Context::discover(&path, &sources, None)
}

#[test]
fn sources_of_a_file() {
    let file = Dockerfile::parse(
        "FROM a\nCOPY a b* /x/\nCOPY --from=y c /\nADD https://e.org/z \"q r\" /\nCOPY $A /\nCOPY [\"s t\", \"/\"]\nADD git@h:x.git /\n",
    );
    let got: Vec<_> = literal_sources(&file).into_iter().map(|s| (s.path, s.line)).collect();
    assert_eq!(got, [("a".to_owned(), 2), ("b*".to_owned(), 2), ("s t".to_owned(), 6)].to_vec());
}

#[test]
fn nearest_ancestor_with_all_sources() {
    let t = tree(&[
        (".git/HEAD", ""),
        ("app/docker/Dockerfile", "FROM a\nCOPY package.json .\nCOPY src/*.js x/\n"),
        ("app/package.json", "{}"),
        ("app/src/a.js", ""),
    ]);
    let c = context(t.path(), "app/docker/Dockerfile");
    assert!(c.is_known());
    assert_eq!(c.root().unwrap(), t.path().join("app").canonicalize().unwrap());
    assert_eq!(c.glob("src/*.js"), ["src/a.js"]);
}

#[test]
fn a_folder_above_needs_more_than_a_coincidence_outside_of_a_work_tree() {
    let project = [("app/docker/Dockerfile", "FROM a\nCOPY package.json docker ./\n"), ("app/package.json", "{}")];
    assert!(context(tree(&project).path(), "app/docker/Dockerfile").is_known());
    let checkouts = |copy: &str| {
        let t = tree(&[("files/web/Dockerfile", copy), ("files/acme.sh/README", ""), ("files/other/a.py", "")]);
        context(t.path(), "files/web/Dockerfile").is_known()
    };
    assert!(!checkouts("FROM a\nCOPY files /\n"));
    assert!(!checkouts("FROM a\nCOPY *.sh /\n"));
    let t = tree(&[(".git/HEAD", ""), ("files/web/Dockerfile", "FROM a\nCOPY files /\n"), ("files/a", "")]);
    assert!(context(t.path(), "files/web/Dockerfile").is_known());
}

#[test]
fn a_missing_source_makes_the_contents_unknown() {
    let t = tree(&[(".git/HEAD", ""), ("Dockerfile", "FROM a\nCOPY . .\nCOPY target/app.jar .\n"), ("pom.xml", "")]);
    let c = context(t.path(), "Dockerfile");
    assert_eq!(*c.knowledge(), Knowledge::Unknown { missing: "target/app.jar".into(), line: 3 });
    assert!(c.exists("pom.xml"));
    let t = tree(&[(".git/HEAD", ""), ("Dockerfile", "FROM a\nCOPY target/*.jar .\n"), ("target/x", "")]);
    assert!(!context(t.path(), "Dockerfile").is_known());
    let t = tree(&[(".git/HEAD", ""), ("Dockerfile", "FROM a\nCOPY a b* .\n"), ("a", "")]);
    assert!(context(t.path(), "Dockerfile").is_known());
}

#[test]
fn a_folder_of_dockerfiles_is_no_project() {
    let t = tree(&[(".git/HEAD", ""), ("Dockerfile", "FROM a\nCOPY . .\n"), ("x/web.Dockerfile", "")]);
    assert_eq!(*context(t.path(), "Dockerfile").knowledge(), Knowledge::Unknown { missing: ".".into(), line: 2 });
}

#[test]
fn dockerignore_hides() {
    let t = tree(&[
        (".git/HEAD", ""),
        ("Dockerfile", "FROM a\nCOPY . .\n"),
        (".dockerignore", "node_modules\n*.log\nbuild\n!build/keep\n"),
        ("node_modules/x/index.js", ""),
        ("a.log", ""),
        ("src/b.log", ""),
        ("build/keep/me", ""),
        ("build/drop", ""),
    ]);
    let c = context(t.path(), "Dockerfile");
    assert!(c.is_known());
    assert!(!c.exists("node_modules") && !c.exists("node_modules/x/index.js") && !c.exists("a.log"));
    assert!(c.exists("src/b.log") && c.is_dir("build") && !c.exists("build/drop"));
    assert_eq!(c.kind_on_disk("a.log"), Some(Kind::File));
    assert_eq!(c.files().0, [".dockerignore", ".git/HEAD", "Dockerfile", "build/keep/me", "src/b.log"]);
    assert_eq!(c.list("build"), ["keep"]);
    assert_eq!(c.files_of("build"), ["build/keep/me"]);
}

#[test]
fn the_dockerfiles_own_ignore_file_wins() {
    let t = tree(&[
        (".git/HEAD", ""),
        ("web.Dockerfile", "FROM a\nCOPY . .\n"),
        ("web.Dockerfile.dockerignore", "a"),
        (".dockerignore", "b"),
        ("a", ""),
        ("b", ""),
    ]);
    let c = context(t.path(), "web.Dockerfile");
    assert!(!c.exists("a") && c.exists("b"));
    assert_eq!(c.ignore_path(), Some("web.Dockerfile.dockerignore"));
}

#[cfg(unix)]
#[test]
fn links_stay_inside() {
    let t = tree(&[("out/secret", "x"), ("in/.git/HEAD", ""), ("in/Dockerfile", "FROM a\nCOPY . .\n"), ("in/real/f", "text")]);
    std::os::unix::fs::symlink("../out", t.path().join("in/link")).unwrap();
    std::os::unix::fs::symlink("real", t.path().join("in/inner")).unwrap();
    let c = context(t.path(), "in/Dockerfile");
    assert!(!c.exists("link/secret") && c.read("link/secret").is_none());
    assert_eq!(c.read("inner/f").as_deref(), Some("text"));
    assert!(!c.exists("../out/secret"));
    assert!(!c.files().0.contains(&"inner/f".to_owned()));
}

#[test]
fn no_context_knows_nothing() {
    let c = Context::none();
    assert!(!c.is_known() && !c.exists("a") && c.files().0.is_empty() && c.read("a").is_none());
    let c = Context::discover(Path::new("/nonexistent/Dockerfile"), &[Source { path: "a".into(), line: 3, alone: false }], None);
    assert_eq!(*c.knowledge(), Knowledge::Unknown { missing: "a".into(), line: 3 });
}
