//! `cargo run --release --manifest-path benches/beside/Cargo.toml FOLDER`: the rates of restage's parser and of other crates
//! over every file below FOLDER that all of them take, in one process on one core.

use std::hint::black_box;
use std::path::Path;
use std::sync::OnceLock;
use std::time::Instant;

fn main() {
    let Some(folder) = std::env::args().nth(1) else {
        eprintln!("beside FOLDER");
        std::process::exit(2);
    };
    let mut texts = Vec::new();
    read(Path::new(&folder), &mut texts);
    let all = texts.len();
    for (name, parse) in PARSERS {
        println!("{name:<44}{:>6} of {all} files taken", texts.iter().filter(|t| parse(t).is_some()).count());
    }
    texts.retain(|t| PARSERS.iter().all(|(_, parse)| parse(t).is_some()));
    let bytes: usize = texts.iter().map(String::len).sum();
    println!("\n{} files that all take, {:.2} MB", texts.len(), bytes as f64 / 1e6);
    for (name, parse) in PARSERS {
        seconds(&texts, parse);
        let mean = (0..10).map(|_| seconds(&texts, parse)).sum::<f64>() / 10.0;
        println!("{name:<44}{:>8.1} MB/s", bytes as f64 / 1e6 / mean);
    }
}

fn seconds(texts: &[String], parse: Parse) -> f64 {
    let start = clock();
    black_box(texts.iter().filter_map(|t| parse(t)).sum::<usize>());
    clock() - start
}

/// Seconds of this thread on a processor, or on the wall elsewhere than on Linux.
fn clock() -> f64 {
    static START: OnceLock<Instant> = OnceLock::new();
    let spent = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = spent.and_then(|s| s.split(' ').next()?.parse::<f64>().ok());
    nanoseconds.map_or_else(|| START.get_or_init(Instant::now).elapsed().as_secs_f64(), |n| n / 1e9)
}

/// How many instructions a parser finds; nothing where it refuses the text.
type Parse = fn(&str) -> Option<usize>;

const PARSERS: [(&str, Parse); 5] = [
    ("restage, tree of items with spans", |text| {
        let file = restage::syntax::Dockerfile::parse(text);
        file.errors.is_empty().then(|| file.items.len())
    }),
    ("restage, every word, flag and JSON array", |text| {
        let file = restage::syntax::Dockerfile::parse(text);
        let words = file.instructions().map(|(_, i)| file.read(i).words.len()).sum::<usize>();
        file.errors.is_empty().then_some(words)
    }),
    ("parse-dockerfile", |text| Some(parse_dockerfile::parse(text).ok()?.instructions.len())),
    ("dockerfile-parser", |text| Some(dockerfile_parser::Dockerfile::parse(text).ok()?.instructions.len())),
    ("dockerfile-parser-rs", |text| Some(text.parse::<dockerfile_parser_rs::Dockerfile>().ok()?.instructions.len())),
];

fn read(folder: &Path, texts: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = path.file_name().map(|n| n.to_string_lossy().to_lowercase()).unwrap_or_default();
        if path.is_dir() {
            read(&path, texts);
        } else if name.contains("dockerfile") && !name.ends_with("ignore") {
            texts.extend(std::fs::read_to_string(&path));
        }
    }
}
