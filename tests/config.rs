//! Settings through the binary.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;
#[path = "common/schema.rs"]
mod schema;

use common::{LEGACY, Tree};

fn out(tree: &Tree, args: &[&str]) -> String {
    let run = tree.run(args);
    assert!(run.status < 2, "{args:?}: {}", run.err);
    String::from_utf8(run.out).unwrap()
}

#[test]
fn config_tells_what_holds_and_where_it_is_from() {
    let tree = Tree::new(&[
        ("org.toml", "ignore = [\"apk\"]\n\n[transforms.merge-run]\npolicy = \"all\"\n"),
        ("app/restage.toml", "extends = \"../org.toml\"\n[per-path.\"x/*\"]\nselect = [\"hygiene\"]\n"),
        ("app/x/y/Dockerfile", LEGACY),
        ("app/z/Dockerfile", LEGACY),
    ]);
    let shown = out(&tree, &["config", "app/x/y/Dockerfile"]);
    assert!(shown.contains("select = [\"hygiene\"]  # ") && shown.contains("app/restage.toml:3\n"), "{shown}");
    assert!(shown.contains("ignore = [\"apk\"]  # ") && shown.contains("org.toml:1\n"), "{shown}");
    assert!(shown.contains("transforms.merge-run.policy = \"all\"  # ") && shown.contains("org.toml:4; \"size\" or \"all\"\n"), "{shown}");
    let shown = out(&tree, &["config", "app/z/Dockerfile"]);
    assert!(shown.contains("select = [\"restructure\", \"hygiene\"]  # default"), "{shown}");
    assert!(shown.contains("transforms.merge-run.style = \"auto\"  # default; \"chain\", \"heredoc\" or \"auto\"\n"), "{shown}");
}

#[test]
fn options_of_a_transform_reach_it_and_have_to_be_of_their_type() {
    let dockerfile = "FROM debian:12-slim\nWORKDIR /srv\nCOPY run.sh .\nCMD [\"sh\", \"run.sh\"]\n";
    let with = |options: &str| Tree::new(&[("Dockerfile", dockerfile), ("run.sh", "echo\n"), ("restage.toml", options)]);
    let diff = out(&with("[transforms.non-root]\nuser = \"web\"\nuid = 2000\nsystem = true\nnumeric = false\n"), &["diff"]);
    assert!(diff.contains("+RUN groupadd --system --gid 2000 web") && diff.contains("+USER web"), "{diff}");
    let run = with("[transforms.non-root]\nuid = \"2000\"\n").run(&["diff"]);
    assert!(run.status == 2 && run.err.contains("restage.toml:2: `uid` is a number from 1000 to 2147483647, found string"), "{}", run.err);
}

#[test]
fn caches_are_mounted_or_cleaned_never_both() {
    let text = "FROM python:3.12-slim\nCOPY . .\nRUN apt-get update && apt-get install -y git && rm -rf /var/lib/apt/lists/*\nRUN pip install -r requirements.txt\nUSER app\nRUN pip install x\n";
    let tree = Tree::new(&[("a/Dockerfile", text), ("a/restage.toml", "cache = \"mount\"\n"), ("b/Dockerfile", text)]);
    let mounted = out(&tree, &["diff", "a"]);
    assert_eq!(mounted.matches("--mount=type=cache").count(), 3, "{mounted}");
    assert!(!mounted.contains("+RUN pip install --no-cache-dir -r") && mounted.contains("-RUN apt-get update"), "{mounted}");
    assert!(mounted.contains("+RUN pip install --no-cache-dir x"), "{mounted}");
    assert!(out(&tree, &["config", "a/Dockerfile"]).contains("cache = \"mount\"  # "));
    let cleaned = out(&tree, &["diff", "b"]);
    assert!(!cleaned.contains("--mount") && cleaned.contains("+RUN pip install --no-cache-dir -r"), "{cleaned}");
    let tree = Tree::new(&[("Dockerfile", text), ("restage.toml", "\ncache = \"both\"\n")]);
    assert!(tree.run(&["diff"]).err.contains("restage.toml:2: there is no cache `both`: expected \"clean\" or \"mount\""));
}

#[test]
fn a_value_that_is_none_of_an_options_own_is_told_with_its_line() {
    let said = |text: &str| {
        let tree = Tree::new(&[("Dockerfile", LEGACY), ("restage.toml", text)]);
        let run = tree.run(&["check"]);
        assert_eq!(run.status, 2, "{text}");
        run.err
    };
    for (text, wanted) in [
        (
            "ignore = []\n[transforms.merge-run]\nstyle = \"heredok\"\n",
            "restage.toml:3: there is no style `heredok`: expected \"chain\", \"heredoc\" or \"auto\"; did you mean `heredoc`?",
        ),
        (
            "[transforms.merge-run]\npolicy = \"sise\"\n",
            "restage.toml:2: there is no policy `sise`: expected \"size\" or \"all\"; did you mean `size`?",
        ),
        (
            "[per-path.\"a\".transforms.merge-run]\npolicy = true\n",
            "restage.toml:2: `policy` is text in quotes, found boolean: expected \"size\" or \"all\"",
        ),
        (
            "[transforms.non-root]\nuid = 0\n",
            "restage.toml:2: `uid` is a number from 1000 to 2147483647, found 0 (which is root); the nearest is 1000",
        ),
        (
            "[transforms.non-root]\nuser = \"web\"\ngid = -5\n",
            "restage.toml:3: `gid` is a number from 1000 to 2147483647, found -5; the nearest is 1000",
        ),
        ("[transforms.non-root]\nuid = 999\n", "found 999 (those below are the distributions' own); the nearest is 1000"),
        ("[transforms.non-root]\nuid = 4294967296\n", "found 4294967296; the nearest is 2147483647"),
        (
            "[transforms.non-root]\nuser = \"www-data\"\n",
            "restage.toml:2: `user` is a user of one's own, and `www-data` is a user or group that distributions bring",
        ),
        ("[transforms.non-root]\nuser = \"Web Server\"\n", "`user` is `Web Server`, which is no name of a user"),
        ("[transforms.non-root]\nuser = \"Web Server\"\n", "did you mean `web-server`?"),
        (
            "[transforms.non-root]\nhome = \"srv/$X\"\n",
            "restage.toml:2: `home` is `srv/$X`, which is no plain absolute path, such as `/home/app`",
        ),
        ("cache = \"mounts\"\n", "restage.toml:1: there is no cache `mounts`: expected \"clean\" or \"mount\"; did you mean `mount`?"),
    ] {
        let err = said(text);
        assert!(err.contains(wanted), "{err}");
    }
}

#[test]
fn a_mistake_in_the_settings_is_told_with_its_line() {
    let tree = Tree::new(&[("Dockerfile", LEGACY), ("restage.toml", "ignore = []\n[per-path.\"a\"]\nslect = []\n")]);
    let run = tree.run(&["check"]);
    assert_eq!(run.status, 2);
    assert!(run.err.contains("restage.toml:3: there is no setting `slect`; did you mean `select`?"), "{}", run.err);
}

#[test]
fn the_template_of_init_is_all_comments_that_hold() {
    let tree = Tree::new(&[("Dockerfile", LEGACY)]);
    let before = out(&tree, &["diff", "-q"]);
    out(&tree, &["init"]);
    assert_eq!(out(&tree, &["diff", "-q"]), before);
    let text = tree.read("restage.toml");
    assert!(text.lines().all(|l| l.is_empty() || l.starts_with('#')), "{text}");
    // Every line that is a setting is right once its mark is taken away; the extended file has to be there.
    let bare: String = text
        .lines()
        .filter_map(|l| l.strip_prefix("# "))
        .filter(|l| (l.contains(" = ") || l.starts_with('[')) && !l.starts_with("extends"))
        .map(|l| format!("{l}\n"))
        .collect();
    tree.write("restage.toml", bare.as_bytes());
    out(&tree, &["config"]);
}

#[test]
fn the_schema_knows_every_transform_and_option() {
    let tree = Tree::new(&[]);
    let schema: serde_json::Value = serde_json::from_str(&out(&tree, &["config", "--schema"])).unwrap();
    assert_eq!(schema["additionalProperties"], false);
    let known = &schema["properties"]["transforms"]["properties"];
    let list: serde_json::Value = serde_json::from_str(&out(&tree, &["list", "--json"])).unwrap();
    for transform in list.as_array().unwrap() {
        assert!(known[transform["id"].as_str().unwrap()].is_object(), "{transform}");
    }
    assert_eq!(known["merge-run"]["properties"]["policy"]["enum"], serde_json::json!(["size", "all"]));
    assert_eq!(known["merge-run"]["properties"]["style"]["default"], "auto");
    // What the schema takes is what the program takes.
    for (settings, right) in [
        ("select = [\"all\"]\ncache = \"mount\"\n[transforms.non-root]\nuid = 1000\nuser = \"web\"\n", true),
        ("[transforms.non-root]\nuid = 999\n", false),
        ("[transforms.non-root]\nuser = \"Web\"\n", false),
        ("[transforms.non-root]\nhome = \"srv\"\n", false),
        ("[transforms.merge-run]\npolicy = \"some\"\n", false),
        ("[per-path.\"a\"]\nslect = []\n", false),
        ("[catalog.runtime-packages.apt]\na-dev = [\"a\"]\n", true),
        ("[catalog.runtime-packages.atp]\na-dev = [\"a\"]\n", false),
        ("[catalog.images.\"r.example/x\"]\nlike = \"python\"\nusers = []\n", true),
        ("[catalog.images.\"r.example/x\"]\nlke = \"python\"\n", false),
    ] {
        let value = serde_json::to_value(toml::from_str::<toml::Table>(settings).unwrap()).unwrap();
        assert_eq!(schema::violations(&schema, &value).is_empty(), right, "{settings}");
        tree.write("restage.toml", settings.as_bytes());
        assert_eq!(tree.run(&["config"]).status == 0, right, "{settings}");
    }
    for key in ["select", "ignore", "extends", "recipes", "per-path", "catalog"] {
        assert!(schema["properties"][key].is_object(), "{key}");
    }
}

#[test]
fn own_base_images_are_known() {
    let tree = Tree::new(&[
        ("Dockerfile", "FROM r.example/base/python:3.12\nCMD [\"python3\"]\n"),
        ("restage.toml", "[catalog.images.\"r.example/base/python\"]\nlike = \"python\"\n"),
    ]);
    let language = |args: &[&str]| {
        let report: serde_json::Value = serde_json::from_str(&out(&tree, args)).unwrap();
        report["files"][0]["language"].clone()
    };
    assert_eq!(language(&["check", "--format", "json"]), "python");
    assert_eq!(language(&["check", "--format", "json", "--no-config"]), serde_json::Value::Null);
    tree.write("restage.toml", b"\n[catalog.images.x]\nlike = \"python\"\nrunntime = \"a\"\n");
    let run = tree.run(&["check"]);
    assert!(run.status == 2 && run.err.contains("restage.toml:") && run.err.contains("runntime"), "{}", run.err);
}

#[test]
fn comments_that_keep_nothing_away_are_told() {
    let head = "# restage: ignore[apk] not here\n# restage: ignore[merg-run]\n";
    let (first, rest) = LEGACY.split_once('\n').unwrap();
    let tree = Tree::new(&[("Dockerfile", &format!("{head}{first}\n# restage: ignore[merge-run] on purpose\n{rest}"))]);
    let report: serde_json::Value = serde_json::from_str(&out(&tree, &["check", "--format", "json"])).unwrap();
    let notes = report["files"][0]["notes"].as_array().unwrap();
    assert_eq!(notes.len(), 2, "{notes:?}");
    assert!(notes[0]["line"] == 1 && notes[0]["message"].as_str().unwrap().contains("keeps nothing away"));
    assert!(notes[1]["line"] == 2 && notes[1]["message"].as_str().unwrap().contains("did you mean `merge-run`"));
    let text = out(&tree, &["check"]);
    assert!(text.contains("[ignore]") && text.contains("Dockerfile:1"), "{text}");
    // Where the transform does not run, nobody can tell.
    let report: serde_json::Value = serde_json::from_str(&out(&tree, &["check", "--format", "json", "--select", "pip"])).unwrap();
    assert_eq!(report["files"][0]["notes"].as_array().unwrap().len(), 1);
}
