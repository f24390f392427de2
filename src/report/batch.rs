//! The reports of a batch: totals, groups of identical changes, and a row a repository. Rows are read from the journal one
//! at a time, so the number of repositories costs no memory.

use super::count;
use crate::batch::journal::Journal;
use crate::batch::record::{Row, Status};
use crate::batch::source::Repository;
use crate::batch::{Mode, Plan};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};

/// How many groups are told on a terminal.
const SHOWN_GROUPS: usize = 5;

/// What all repositories come to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Repositories with a row.
    pub repositories: usize,
    /// Repositories that change.
    pub changed: usize,
    /// Repositories in which nothing is to do.
    pub clean: usize,
    /// Repositories that failed.
    pub failed: usize,
    /// Dockerfiles.
    pub files: usize,
    /// Dockerfiles that change.
    pub changed_files: usize,
    /// Changes.
    pub proposals: usize,
    /// What was left alone.
    pub refusals: usize,
    /// Changes of each transform.
    pub transforms: BTreeMap<String, usize>,
    /// Dockerfiles of each language that change.
    pub languages: BTreeMap<String, usize>,
    /// Identical changes, those with most files first.
    #[serde(skip)]
    pub groups: Vec<Group>,
}

/// Files with the same change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Group {
    /// Its id, as in the rows of the files.
    pub id: String,
    /// The repository and the path of the file to read for all of them.
    pub example: (String, String),
    /// How many files have this change.
    pub files: usize,
    /// What changes them.
    pub transforms: Vec<String>,
}

impl Summary {
    /// Adds up the rows of these repositories.
    ///
    /// # Errors
    /// Where a row can't be read.
    pub fn read(journal: &Journal, all: &[Repository]) -> io::Result<Self> {
        let mut out = Self::default();
        let mut groups: BTreeMap<String, Group> = BTreeMap::new();
        for repository in all.iter().filter(|r| journal.is_done(&r.slug)) {
            out.add(&journal.row(&repository.slug)?, &mut groups);
        }
        out.groups = groups.into_values().collect();
        out.groups.sort_by(|a, b| b.files.cmp(&a.files).then_with(|| a.example.cmp(&b.example)));
        Ok(out)
    }

    fn add(&mut self, row: &Row, groups: &mut BTreeMap<String, Group>) {
        self.repositories += 1;
        match row.status {
            Status::Changed => self.changed += 1,
            Status::Clean => self.clean += 1,
            Status::Failed => self.failed += 1,
        }
        self.files += row.files.len();
        for file in &row.files {
            let applied: Vec<&str> = file.proposals.iter().filter(|p| p.applied).map(|p| p.transform.as_str()).collect();
            self.proposals += applied.len();
            self.refusals += file.refusals.len();
            for id in &applied {
                *self.transforms.entry((*id).to_owned()).or_default() += 1;
            }
            let Some(id) = &file.group else { continue };
            self.changed_files += 1;
            *self.languages.entry(file.language.clone().unwrap_or_else(|| "other".to_owned())).or_default() += 1;
            let group = groups.entry(id.clone()).or_insert_with(|| {
                let mut transforms: Vec<String> = Vec::new();
                applied.iter().for_each(|id| {
                    if !transforms.iter().any(|t| t == id) {
                        transforms.push((*id).to_owned());
                    }
                });
                Group { id: id.clone(), example: (row.name.clone(), file.path.clone()), files: 0, transforms }
            });
            group.files += 1;
        }
    }

    /// The totals for people.
    ///
    /// # Errors
    /// What `out` says.
    pub fn tell(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(
            out,
            "{}: {} changed, {} clean, {} failed; {}: {} to change, {}",
            repositories(self.repositories),
            self.changed,
            self.clean,
            self.failed,
            count(self.files, "Dockerfile"),
            self.changed_files,
            count(self.proposals, "change")
        )?;
        let shared: Vec<&Group> = self.groups.iter().filter(|g| g.files > 1).collect();
        if !shared.is_empty() {
            writeln!(out, "{} to read instead of {}; the same change is in", count(self.groups.len(), "diff"), self.changed_files)?;
        }
        for group in shared.iter().take(SHOWN_GROUPS) {
            let (repository, path) = &group.example;
            writeln!(out, "  {} such as {repository} {path}: {}", count(group.files, "file"), group.transforms.join(", "))?;
        }
        Ok(())
    }

    /// Writes the reports into the folder of the batch.
    ///
    /// # Errors
    /// What the system says.
    pub fn write(&self, journal: &Journal, all: &[Repository], plan: &Plan) -> io::Result<()> {
        let rows = || all.iter().filter(|r| journal.is_done(&r.slug)).map(|r| journal.row(&r.slug));
        let whole = |name: &str, fill: &dyn Fn(&mut BufWriter<File>) -> io::Result<()>| -> io::Result<()> {
            let file = crate::batch::journal::new_file(journal.folder())?;
            let mut out = BufWriter::new(file.reopen()?);
            fill(&mut out)?;
            out.flush()?;
            file.persist(journal.folder().join(name)).map_err(|e| e.error)?;
            Ok(())
        };
        whole("report.json", &|out| self.json(out, rows(), plan))?;
        whole("report.md", &|out| self.markdown(out, rows()))?;
        let about = match (&plan.mode, plan.dry_run) {
            (_, true) => "A dry run: nothing was written into any repository.".to_owned(),
            (Mode::Diff, _) => "Nothing was written into any repository; the patches stand beside this page.".to_owned(),
            (Mode::Apply, _) => "The changes are written into the work trees.".to_owned(),
            (Mode::Branch(name), _) => format!("The changes are committed on the branch {name}."),
        };
        whole("report.html", &|out| super::html::write(out, self, &about, rows()))?;
        Ok(())
    }

    /// One JSON object; `docs/batch.md` explains it.
    fn json(&self, out: &mut impl Write, rows: impl Iterator<Item = io::Result<Row>>, plan: &Plan) -> io::Result<()> {
        let mode = match &plan.mode {
            Mode::Diff => "diff",
            Mode::Apply => "apply",
            Mode::Branch(_) => "branch",
        };
        write!(out, "{{\"version\":1,\"mode\":\"{mode}\",\"dry_run\":{},\"totals\":", plan.dry_run)?;
        serde_json::to_writer(&mut *out, self)?;
        write!(out, ",\"groups\":")?;
        serde_json::to_writer(&mut *out, &self.groups)?;
        write!(out, ",\"repositories\":[")?;
        for (i, row) in rows.enumerate() {
            write!(out, "{}", if i > 0 { ",\n" } else { "\n" })?;
            serde_json::to_writer(&mut *out, &row?)?;
        }
        writeln!(out, "\n]}}")
    }

    /// A page for people who read Markdown.
    fn markdown(&self, out: &mut impl Write, rows: impl Iterator<Item = io::Result<Row>>) -> io::Result<()> {
        writeln!(out, "# A batch of Dockerfiles, restaged\n")?;
        self.tell(out)?;
        writeln!(out, "\n| transform | changes |\n| --- | ---: |")?;
        for (id, number) in &self.transforms {
            writeln!(out, "| `{id}` | {number} |")?;
        }
        writeln!(out, "\n| repository | status | files | what |\n| --- | --- | ---: | --- |")?;
        for row in rows {
            let row = row?;
            let what = row.reason.clone().unwrap_or_else(|| row.transforms().join(", "));
            let what = what.replace('|', "\\|").replace('\n', " ");
            writeln!(out, "| {} | {} | {} | {what} |", row.name.replace('|', "\\|"), row.status.name(), row.changed_paths().count())?;
        }
        Ok(())
    }
}

/// `1 repository`, `2 repositories`.
#[must_use]
pub fn repositories(number: usize) -> String {
    if number == 1 { "1 repository".to_owned() } else { format!("{number} repositories") }
}
