//! How fast files are read, and that the time grows with the size alone. `cargo bench --bench parse [-- FOLDER]` reads every
//! file below FOLDER; without one, a text made here.
//!
//! `parse --once nothing|tree|words` goes once through the text made here, for a tool that counts instructions (see
//! benches/instructions).

use restage::syntax::Dockerfile;
use std::hint::black_box;
use std::path::Path;
use std::sync::OnceLock;
use std::time::Instant;

const SAMPLE: &str = "# syntax=docker/dockerfile:1\n\n# The build.\nFROM golang:1.22-bookworm AS build\nWORKDIR /src\nENV CGO_ENABLED=0 \\\n    GOFLAGS=\"-mod=readonly\"\nCOPY go.mod go.sum ./\nRUN --mount=type=cache,target=/root/.cache go mod download \\\n    # the linter is only for the test stage\n    && go install example.org/lint@v1.2.3\nCOPY --chown=app:app . .\nRUN <<EOF\nset -e\ngo build -o /out/server ./cmd/server\nEOF\n\nFROM debian:bookworm-slim\nRUN apt-get update && apt-get install -y --no-install-recommends \\\n      ca-certificates \\\n      tzdata \\\n    && rm -rf /var/lib/apt/lists/*\nCOPY --from=build /out/server /usr/local/bin/server\nEXPOSE 8080\nHEALTHCHECK --interval=30s CMD [\"server\", \"-check\"]\nCMD [\"server\"]\n";

fn main() {
    let mut args = std::env::args().skip(1).skip_while(|a| a != "--once");
    if args.next().is_some() {
        once(&args.next().unwrap_or_default());
        return;
    }
    let folder = std::env::args().skip(1).find(|a| !a.starts_with('-'));
    let texts = folder.map_or_else(|| vec![SAMPLE.to_owned(); 4000], |f| read(Path::new(&f)));
    let bytes: usize = texts.iter().map(String::len).sum();
    println!("{} files, {:.2} MB", texts.len(), bytes as f64 / 1e6);
    rate("tree", bytes, || texts.iter().map(|t| Dockerfile::parse(t.as_str()).items.len()).sum());
    rate("tree and every instruction read", bytes, || texts.iter().map(|t| every_word(&Dockerfile::parse(t.as_str()))).sum());
    println!("\n{:<28}{:>10}{:>10}{:>10}{:>10}", "seconds for", "1 MB", "2 MB", "4 MB", "8 MB");
    for (name, shape) in SHAPES {
        print!("{name:<28}");
        for size in [1, 2, 4, 8] {
            let text = shape(size * 1_000_000);
            let start = clock();
            black_box(every_word(&Dockerfile::parse(text)));
            print!("{:>10.3}", clock() - start);
        }
        println!();
    }
}

/// What is counted: a thousand files like the sample, and what is done with them.
fn once(what: &str) {
    for text in black_box(vec![SAMPLE; 1000]) {
        black_box(match what {
            "tree" => Dockerfile::parse(text).items.len(),
            "words" => every_word(&Dockerfile::parse(text)),
            _ => text.len(),
        });
    }
}

fn every_word(file: &Dockerfile) -> usize {
    file.instructions().map(|(_, i)| file.read(i).words.len()).sum()
}

/// Seconds of this thread on a processor, so that other work on the machine counts little; seconds on the wall elsewhere than
/// on Linux.
fn clock() -> f64 {
    static START: OnceLock<Instant> = OnceLock::new();
    let spent = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = spent.and_then(|s| s.split(' ').next()?.parse::<f64>().ok());
    nanoseconds.map_or_else(|| START.get_or_init(Instant::now).elapsed().as_secs_f64(), |n| n / 1e9)
}

fn rate(name: &str, bytes: usize, run: impl Fn() -> usize) {
    black_box(run());
    let start = clock();
    for _ in 0..20 {
        black_box(run());
    }
    let mean = (clock() - start) / 20.0;
    println!("{name:<36}{:>8.1} MB/s", bytes as f64 / 1e6 / mean);
}

fn read(folder: &Path) -> Vec<String> {
    let mut texts = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            texts.extend(read(&path));
        } else if let Ok(text) = std::fs::read_to_string(&path) {
            texts.push(text);
        }
    }
    texts
}

type Shape = fn(usize) -> String;

/// Texts of a given size that are hard on parsers.
const SHAPES: [(&str, Shape); 7] = [
    ("RUN lines", |n| format!("FROM x\n{}", "RUN echo a && echo b\n".repeat(n / 21))),
    ("comments", |n| format!("FROM x\n{}", "# a comment of some length\n".repeat(n / 27))),
    ("heredocs", |n| format!("FROM x\n{}", "RUN <<EOF\necho a\nEOF\n".repeat(n / 22))),
    ("one joined line", |n| format!("FROM x\nRUN a {}b\n", "\\\n  && echo a ".repeat(n / 14))),
    ("nested quotes", |n| format!("FROM x\nENV a={}\n", "\"'\\\n".repeat(n / 4))),
    ("unterminated heredocs", |n| format!("FROM x\n{}", "RUN <<EOF\n".repeat(n / 10))),
    ("ONBUILD in ONBUILD", |n| format!("FROM x\n{}RUN a\n", "ONBUILD \\\n".repeat(n / 10))),
];
