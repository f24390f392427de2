use super::*;
use crate::catalog::Catalog;
use crate::config::Options;
use crate::context::Context;
use crate::syntax::Dockerfile;

/// The names of the steps that run again; a question mark stands behind those that do perhaps.
fn again(text: &str, files: &[&str], change: Change) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    for file in files {
        let path = folder.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, if *file == ".dockerignore" { "docs" } else { "x" }).unwrap();
    }
    let file = Dockerfile::parse(text);
    let context = match change {
        Change::Source => Context::none(),
        _ => Context::discover(&folder.path().join("Dockerfile"), &[], Some(folder.path())),
    };
    let options = Options::default();
    let model = Model::new(&file, &context, Catalog::built_in(), &options);
    let mark = |c: Counted| match c.again {
        Again::No => None,
        Again::Perhaps => Some(format!("{}?", c.name)),
        Again::Yes => Some(c.name),
    };
    rebuild(&model, change).into_iter().filter_map(mark).collect()
}

#[test]
fn everything_behind_the_copy_that_takes_the_file() {
    let text = "FROM node\nWORKDIR /app\nCOPY package.json ./\nRUN npm ci\nCOPY . .\nENV A=1\nRUN npm run build\n";
    assert_eq!(again(text, &["package.json", "src/a.js"], Change::File("src/a.js")), ["5/6", "6/6"]);
    assert_eq!(again(text, &["package.json", "src/a.js"], Change::File("package.json")), ["3/6", "4/6", "5/6", "6/6"]);
    assert_eq!(again(text, &["package.json", "src/a.js", ".dockerignore"], Change::File("docs/a")), [] as [&str; 0]);
    assert_eq!(again(text, &["src/a.js"], Change::Nothing), [] as [&str; 0]);
    assert_eq!(again(text, &[], Change::Source), ["5/6", "6/6"]);
}

#[test]
fn a_copy_from_a_stage_looks_at_what_it_takes() {
    let text = "FROM python AS build\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install --prefix /venv -r requirements.txt\nCOPY . .\nRUN make\nFROM alpine AS unused\nRUN x\nFROM python\nCOPY --from=build /venv /venv\nRUN y\nCOPY --from=build /app /app\nRUN z\n";
    let files = ["requirements.txt", "app.py"];
    assert_eq!(again(text, &files, Change::File("app.py")), ["build 5/6", "build 6/6", "stage-2 4/5", "stage-2 5/5"]);
    let all = ["build 3/6", "build 4/6", "build 5/6", "build 6/6", "stage-2 2/5?", "stage-2 3/5?", "stage-2 4/5", "stage-2 5/5"];
    assert_eq!(again(text, &files, Change::File("requirements.txt")), all);
}

#[test]
fn linked_copies_and_mounts() {
    let text = "FROM scratch AS data\nCOPY b.txt /\nFROM debian\nCOPY a.txt /\nCOPY --link b.txt /\nRUN x\nRUN --mount=target=/src,source=a.txt y\n";
    assert_eq!(again(text, &["a.txt", "b.txt"], Change::File("a.txt")), ["stage-1 2/5", "stage-1 4/5", "stage-1 5/5"]);
    assert_eq!(again(text, &["a.txt", "b.txt"], Change::File("b.txt")), ["stage-1 3/5", "stage-1 4/5", "stage-1 5/5"]);
    assert_eq!(again("FROM a\nRUN --mount=target=/src,source=. y\n", &["a.txt"], Change::File("a.txt")), ["2/2"]);
}
