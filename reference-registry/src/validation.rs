//! Whether a stopped registry's database, log and identity agree with each other: `--validate-db`.
//!
//! Everything is read, nothing is written. The classes are those of the deployment guide, under the names that the
//! published registries print, and those that they overlook.

mod class;
mod events;
mod files;
pub(crate) mod leaves;
mod manifests;
mod own;
pub(crate) mod tables;

use std::{collections::BTreeMap, path::Path};

use rusqlite::Connection;
use serde::Serialize;
use serde_json::{Map, Value, json};

pub use class::Class;

use crate::{identity::Identity, untouched};

/// Most offending rows that are named in each class; all are counted.
const MAX_NAMED: u64 = 100;

/// What a leaf and the row written with it may differ by, in seconds: published registries read the clock twice.
const TOLERANCE: i64 = 5;

/// What no signature and no leaf binds, so that no validation of it is possible.
const NOT_ESTABLISHED: [&str; 2] = [
    "corpus rows: hashes and metadata are covered neither by the manifest's signature nor by the log",
    "earlier registrations of a file: the log has their counts and issuer, but not their manifests",
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
    counts: BTreeMap<Class, u64>,
    failures: Vec<Failure>,
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
    /// looks odd and is explained (`notes`), and what cannot be told from these files (`not_established`).
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
        report.insert(String::from("not_established"), json!(NOT_ESTABLISHED));
        Value::Object(report)
    }

    fn fail(&mut self, class: Class, table: &'static str, row: impl Into<String>, why: impl Into<String>) {
        let count = self.counts.entry(class).or_default();
        *count += 1;
        if *count <= MAX_NAMED {
            self.failures.push(Failure { class, table, row: row.into(), why: why.into() });
        }
    }
}

/// Validates the database, the log (in it, or `tlog/leaves.jsonl` in `data_dir`) and the identity in `data_dir`.
///
/// A file that is missing or cannot be read is a failure of the validation, not an error of this function.
#[must_use]
pub fn validate(db: &Path, data_dir: &Path) -> Validation {
    let mut validation = Validation::default();
    let name = db.file_name().unwrap_or(db.as_os_str()).to_string_lossy().into_owned();
    let outcome = untouched::open(db).map_err(|error| chain(&error)).and_then(|database| {
        let connection = database.connect().map_err(|error| chain(&error))?;
        database_is_whole(&connection)?;
        all(&connection, data_dir, &mut validation).map_err(|error| chain(&error))
    });
    if let Err(error) = outcome {
        validation.fail(Class::DatabaseErrors, "database", name, error);
    }
    has_identity(data_dir, &mut validation);
    validation
}

fn chain(error: &dyn std::error::Error) -> String {
    std::iter::successors(Some(error), |error| error.source())
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

fn database_is_whole(connection: &Connection) -> Result<(), String> {
    let said: String = connection
        .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
        .map_err(|error| chain(&error))?;
    if said == "ok" { Ok(()) } else { Err(format!("SQLite's integrity check says: {said}")) }
}

fn all(connection: &Connection, data_dir: &Path, validation: &mut Validation) -> rusqlite::Result<()> {
    tables::copy(connection, validation)?;
    leaves::read(connection, data_dir, validation)?;
    own::all(connection, validation)?;
    files::all(connection, validation)?;
    manifests::all(connection, validation)?;
    events::all(connection, validation)
}

/// The key is read and its halves are compared; an absent file is the operator's matter.
fn has_identity(data_dir: &Path, validation: &mut Validation) {
    let path = data_dir.join("registry-identity.json");
    match fs_err::read(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            validation.notes.push(String::from(
                "no registry-identity.json beside the log: the identity was not looked at",
            ));
        }
        Err(error) => {
            validation.fail(Class::IdentityFileErrors, "registry-identity.json", "", error.to_string())
        }
        Ok(text) => {
            if let Err(error) = Identity::read(&text) {
                validation.fail(Class::IdentityFileErrors, "registry-identity.json", "", chain(&error));
            }
        }
    }
}

/// Seconds since 1970 of a text as leaves have it.
fn seconds(text: &str) -> Option<i64> {
    text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_second)
}
