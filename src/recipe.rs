//! Recipes: transforms of the user's own, written down in TOML.
//!
//! A recipe says which instructions it means and what becomes of them. It goes the way of any other transform: proposals
//! with a level and a reason, the gate, and the comments that keep it away.

mod find;
mod read;
mod trial;

pub use trial::{Failure, try_out};

use crate::transforms::{Level, Transform};
use regex::Regex;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// One recipe.
#[derive(Clone, Debug)]
pub struct Recipe {
    /// How it stands among the other transforms: its id, its group, what it may change.
    pub transform: &'static Transform,
    /// How far its changes can be trusted.
    pub level: Level,
    /// Why its changes are made.
    pub reason: String,
    /// Which instructions it means; all of these have to hold.
    pub matches: Matches,
    /// What becomes of them.
    pub action: Action,
    /// What it has to do with some texts.
    pub trials: Vec<Trial>,
}

/// What an instruction has to be like.
#[derive(Clone, Debug, Default)]
pub struct Matches {
    /// Its keyword, in capitals.
    pub instruction: Option<String>,
    /// The image that it names, whole.
    pub image: Option<Regex>,
    /// A system package that it installs.
    pub package: Option<String>,
    /// A flag that it has, `name` or `name=value`.
    pub flag: Option<String>,
    /// A label that it sets.
    pub label: Option<String>,
    /// A variable that it sets.
    pub env: Option<String>,
    /// Whether only the last stage counts.
    pub final_stage: bool,
}

/// What becomes of an instruction.
#[derive(Clone, Debug)]
pub enum Action {
    /// The image that it names becomes another one; `$1` and `$name` are what the pattern caught.
    Image(String),
    /// The package becomes another one; `None` leaves it out.
    Package(Option<String>),
    /// These lines are put before or behind it.
    Insert {
        /// The lines.
        text: String,
        /// Behind it, and not before.
        behind: bool,
    },
    /// It goes.
    Remove,
    /// The last stage gets these labels, where it does not have them.
    Labels(Vec<(String, String)>),
}

/// A text and what the recipe makes of it.
#[derive(Clone, Debug)]
pub struct Trial {
    /// The line in the recipe's file.
    pub line: usize,
    /// The text.
    pub before: String,
    /// What becomes of it; the text itself if the recipe has to leave it alone.
    pub after: String,
}

/// The recipes of a file. A file is read once, however many Dockerfiles want it.
///
/// # Errors
/// What is wrong with the file, with its path and line.
pub fn load(path: &Path) -> Result<Vec<Recipe>, String> {
    type Known = BTreeMap<PathBuf, Result<Vec<Recipe>, String>>;
    static KNOWN: Mutex<Known> = Mutex::new(BTreeMap::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(recipes) = known.get(path) {
        return recipes.clone();
    }
    let recipes = read::read(path).map_err(|e| e.to_string());
    known.insert(path.to_owned(), recipes.clone());
    recipes
}

/// The recipes of all these files.
///
/// # Errors
/// As [`load`], and where two recipes have one id.
pub fn load_all(paths: &[PathBuf]) -> Result<Vec<Recipe>, String> {
    let mut out: Vec<Recipe> = Vec::new();
    for path in paths {
        for recipe in load(path)? {
            if out.iter().any(|r| r.transform.id == recipe.transform.id) {
                return Err(format!("{}: there is another recipe `{}`", path.display(), recipe.transform.id));
            }
            out.push(recipe);
        }
    }
    Ok(out)
}
