//! Whether a stopped registry's database, log and identity agree with each other: `--validate-db`.
//!
//! Everything is read, nothing is written. The classes are those of the deployment guide, under the names that the
//! published registries print, and those that they overlook.

mod class;
mod definitions;
mod events;
mod files;
pub(crate) mod leaves;
mod manifests;
mod note;
mod own;
pub(crate) mod tables;

use std::{collections::BTreeMap, error::Error, io::Read, path::Path};

use rusqlite::{Connection, Row};
use serde::Serialize;
use serde_json::{Map, Value, json};

pub use class::Class;
use note::Note;

use crate::{
    identity::Identity,
    regular_file, schema,
    untouched::{self, Untouched},
};

/// Most offending rows that are named in each class, and most notes of a kind; all are counted.
const MAX_NAMED: u64 = 100;

/// Most characters of a row's name or of what is said of it: both quote what stands in the files.
const MAX_SAID: usize = 600;

/// What a leaf and the row written with it may differ by, in seconds: published registries read the clock twice.
const TOLERANCE: i64 = 5;

/// Write versions of a database with a rollback journal, and with a write-ahead log.
const WRITE_VERSIONS: [u8; 2] = [1, 2];

/// What no signature and no leaf binds, so that no validation of it is possible.
const NOT_ESTABLISHED: [&str; 4] = [
    "corpus rows: hashes and metadata are covered neither by the manifest's signature nor by the log",
    "the log as a whole: rows and leaves that were rewritten together, or taken from its end, contradict only heads that others have kept",
    "earlier registrations of a file: the log has their counts and issuer, but not their manifests",
    "the identity: nothing else in these files says which key the registry signed with",
];

/// One row that is wrong, or one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// Which rule it breaks.
    pub class: Class,
    /// Table, or file, that it stands in.
    pub table: &'static str,
    /// Which row or line: its key.
    pub row: String,
    /// What was expected, and what was found.
    pub why: String,
}

/// The outcome of a validation.
#[derive(Clone, Debug, Default)]
pub struct Validation {
    rows: Vec<(&'static str, i64)>,
    log_size: u64,
    /// Whether one registry, this one, has written everything: then nothing is tolerated that others do.
    is_born_here: bool,
    counts: BTreeMap<Class, u64>,
    failures: Vec<Failure>,
    note_counts: BTreeMap<Note, u64>,
    notes: Vec<String>,
}

impl Validation {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        self.counts.is_empty()
    }

    /// How many rows are wrong in this class.
    #[must_use]
    pub fn count(&self, class: Class) -> u64 {
        self.counts.get(&class).copied().unwrap_or(0)
    }

    /// The offending rows, at most 100 of each class.
    #[must_use]
    pub fn failures(&self) -> &[Failure] {
        &self.failures
    }

    /// `ok`, `counts` of the rows, `tlog_size`, a number for every class, the offending rows (`failures`), what
    /// looks odd and is explained (`notes`, 100 of each kind, and the number of all in `note_counts`), and what cannot be told
    /// from these files (`not_established`).
    #[must_use]
    pub fn to_json(&self) -> Value {
        let rows: Map<String, Value> =
            self.rows.iter().map(|(name, count)| ((*name).to_owned(), json!(count))).collect();
        let mut report = Map::new();
        report.insert(String::from("ok"), json!(self.is_ok()));
        report.insert(String::from("counts"), Value::Object(rows));
        report.insert(String::from("tlog_size"), json!(self.log_size));
        for class in Class::ALL {
            report.insert(class.name(), json!(self.count(class)));
        }
        report.insert(String::from("failures"), json!(self.failures));
        report.insert(String::from("notes"), json!(self.notes));
        report.insert(String::from("note_counts"), json!(self.note_counts));
        report.insert(String::from("not_established"), json!(NOT_ESTABLISHED));
        Value::Object(report)
    }

    /// Seconds by which a leaf and the row written with it may differ.
    fn tolerance(&self) -> i64 {
        if self.is_born_here { 0 } else { TOLERANCE }
    }

    fn fail(&mut self, class: Class, table: &'static str, row: impl Into<String>, why: impl Into<String>) {
        let count = self.counts.entry(class).or_default();
        *count += 1;
        if *count <= MAX_NAMED {
            self.failures.push(Failure {
                class,
                table,
                row: shortened(row.into()),
                why: shortened(why.into()),
            });
        }
    }

    fn note(&mut self, kind: Note, text: impl Into<String>) {
        let count = self.note_counts.entry(kind).or_default();
        *count += 1;
        if *count <= MAX_NAMED {
            self.notes.push(shortened(text.into()));
        }
    }
}

fn shortened(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(MAX_SAID) {
        text.truncate(end);
        text.push('…');
    }
    text
}

/// A column that is a text; one of another type counts as absent, and is reported as such by [`tables`].
fn text(row: &Row<'_>, column: usize) -> Option<String> {
    row.get::<_, Option<String>>(column).ok().flatten()
}

/// A column that is an integer.
fn number(row: &Row<'_>, column: usize) -> Option<i64> {
    row.get::<_, Option<i64>>(column).ok().flatten()
}

/// A text as JSON has it, for whoever reads what is wrong.
fn shown(text: Option<&str>) -> String {
    text.map_or_else(|| String::from("no text"), |text| json!(text).to_string())
}

/// The digits of a number.
fn digits(number: Option<i64>) -> String {
    number.map_or_else(|| String::from("no integer"), |number| number.to_string())
}

/// Validates the database, the log (in it, or `tlog/leaves.jsonl` in `data_dir`) and the identity in `data_dir`.
///
/// A file that is missing or cannot be read is a failure of the validation, not an error of this function.
#[must_use]
pub fn validate(db: &Path, data_dir: &Path) -> Validation {
    let mut validation = Validation::default();
    let name = db.file_name().unwrap_or(db.as_os_str()).to_string_lossy().into_owned();
    let opened = untouched::open(db).map_err(|error| chain(&error));
    let connected = opened.and_then(|database| {
        if database.is_copy() {
            let text = "changes that a crash left beside the database were read with it: it was not closed";
            validation.note(Note::UnclosedDatabase, text);
        }
        Ok((database.connect().map_err(|error| chain(&error))?, database))
    });
    let identity = identity(data_dir, &mut validation);
    let key = identity.as_ref().map(Identity::public);
    let outcome = connected.and_then(|(connection, database)| {
        for why in faults(&connection, &database, db).map_err(|error| chain(&error))? {
            validation.fail(Class::DatabaseErrors, "database", &name, why);
        }
        all(&connection, data_dir, key, &mut validation).map_err(|error| chain(&error))
    });
    if let Err(error) = outcome {
        validation.fail(Class::DatabaseErrors, "database", name, error);
    }
    validation
}

fn chain(error: &(dyn Error + 'static)) -> String {
    std::iter::successors(Some(error), |error| (*error).source())
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

/// What is wrong with the database as a file. What can be read all the same is read.
fn faults(connection: &Connection, database: &Untouched, db: &Path) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare(&format!("PRAGMA integrity_check({MAX_NAMED})"))?;
    let said = statement.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
    let mut faults: Vec<String> = said.into_iter().filter(|line| line != "ok").collect();
    faults.iter_mut().for_each(|line| line.insert_str(0, "SQLite's integrity check says: "));
    faults.extend(schema::foreign(connection)?);
    if let Some(format) = write_version(db).filter(|format| !WRITE_VERSIONS.contains(format)) {
        faults.push(format!("its header has the write version {format}: nobody can write to it"));
    }
    let pragma = |name| connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i64>(0));
    let pages = u64::try_from(pragma("page_count")? * pragma("page_size")?).unwrap_or(u64::MAX);
    let found = fs_err::metadata(db).map_or(0, |db| db.len());
    if found > pages && !database.is_copy() {
        faults.push(format!("the file has {found} bytes, and its pages {pages}: something follows them"));
    }
    Ok(faults)
}

/// The file format that a program must know to write to a database (SQLite file format, section 1.3.3).
fn write_version(db: &Path) -> Option<u8> {
    let mut header = [0; 19];
    fs_err::File::open(db).ok()?.read_exact(&mut header).ok()?;
    header.last().copied()
}

fn all(
    connection: &Connection,
    data_dir: &Path,
    key: Option<&str>,
    validation: &mut Validation,
) -> rusqlite::Result<()> {
    validation.is_born_here = schema::is_born_here(connection)?;
    tables::copy(connection, validation)?;
    leaves::read(connection, data_dir, validation)?;
    own::all(connection, key, validation)?;
    manifests::all(connection, validation)?;
    files::all(connection, validation)?;
    events::all(connection, validation)
}

/// The key is read and its halves are compared; an absent file is the operator's matter.
fn identity(data_dir: &Path, validation: &mut Validation) -> Option<Identity> {
    let read = match regular_file::identity(&data_dir.join("registry-identity.json")) {
        Ok(None) => {
            let text = "no registry-identity.json beside the log: the identity was not looked at";
            validation.note(Note::NoIdentity, text);
            return None;
        }
        Ok(Some(text)) => Identity::read_plain(&text).map_err(|error| chain(&error)),
        Err(error) => Err(error.to_string()),
    };
    read.map_err(|why| validation.fail(Class::IdentityFileErrors, "registry-identity.json", "", why)).ok()
}

/// Seconds since 1970 of a text as leaves have it.
fn seconds(text: &str) -> Option<i64> {
    text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_is_bounded_and_what_is_counted_is_not() {
        let mut validation = Validation::default();
        for number in 0..250 {
            validation.fail(Class::OrphanBeacons, "beacons", number.to_string(), "é".repeat(10_000));
            validation.note(Note::EarlierRegistration, number.to_string());
        }
        validation.note(Note::NoIdentity, "x");
        let report = validation.to_json();
        let length = |name: &str| report[name].as_array().unwrap().len();
        assert_eq!((length("failures"), length("notes")), (100, 101));
        assert_eq!(report["orphan_beacons"], 250);
        assert_eq!(report["note_counts"], json!({"earlier_registration": 250, "no_identity": 1}));
        assert_eq!(validation.failures()[0].why.chars().count(), MAX_SAID + 1);
    }
}
