//! How much there is to remember of a file: what is in force before each instruction is kept, so a file that sets thousands
//! of names one by one would take memory that grows with the square of its length.

use std::borrow::Borrow;
use std::collections::HashMap;

use super::{Dockerfile, Keyword, Reading};

/// How many names may be in force, summed over the instructions that set one: about a thousand ENV instructions in a stage.
const MOST: usize = 500_000;

/// The index of the first instruction that is one too many to keep in mind, counted among the instructions.
pub(crate) fn too_much(file: &Dockerfile, readings: impl Iterator<Item = impl Borrow<Reading>>) -> Option<usize> {
    let (mut globals, mut entries, mut total) = (0_usize, 0_usize, 0_usize);
    let mut stages: HashMap<String, usize> = HashMap::new();
    let (mut name, mut in_stage) = (None, false);
    for (index, ((_, instruction), reading)) in file.instructions().zip(readings).enumerate() {
        let reading = reading.borrow();
        match instruction.keyword {
            Keyword::From => {
                if let Some(name) = name.take() {
                    stages.insert(name, entries);
                }
                let base = reading.args.first().and_then(|base| stages.get(base));
                entries = globals + base.copied().unwrap_or(0);
                name = reading.args.get(2).map(|n| n.to_lowercase());
                in_stage = true;
            }
            Keyword::Env | Keyword::Label | Keyword::Arg | Keyword::Expose | Keyword::Volume | Keyword::Onbuild => {
                entries += reading.words.len().max(1);
                if !in_stage {
                    globals = entries;
                }
            }
            Keyword::Workdir
            | Keyword::User
            | Keyword::Cmd
            | Keyword::Entrypoint
            | Keyword::Shell
            | Keyword::Healthcheck
            | Keyword::Stopsignal => {}
            _ => continue,
        }
        total += entries;
        if total > MOST {
            return Some(index);
        }
    }
    None
}

/// Whether there is too much to keep in mind of `file`. Looks closely only where a file is large enough for that.
pub(crate) fn is_too_much(file: &Dockerfile) -> bool {
    // A name takes two bytes at least.
    let most = file.instructions().count().saturating_mul(file.source().len() / 2);
    most > MOST && too_much(file, file.instructions().map(|(_, instruction)| file.read(instruction))).is_some()
}
