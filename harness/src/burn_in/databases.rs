//! Steps 1 to 4 and 9: the database that was taken over, and the one of the registry. Both are only read.

use std::io::Read;
use std::path::{Path, PathBuf};

use assayer_reference_registry as registry;
use assayer_vectors::{Suite, Wire};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use super::{BurnIn, StepStatus, tied};
use crate::transcript::Transcript;

/// The old and the new database of a migration.
#[derive(Clone, Debug)]
pub struct Databases {
    /// The database that was taken over: only read.
    pub old: PathBuf,
    /// The database of the registry that is burnt in: only read.
    pub new: PathBuf,
    /// The folder of its log and identity.
    pub data_dir: PathBuf,
}

impl BurnIn {
    /// Steps 1 to 4: the old database, a dry run over it, and the new one against it. When a burn-in is taken up again they are looked
    /// at again: the new database may have grown since, and what failed once stays failed.
    ///
    /// Out: nothing where there is nothing to migrate.
    pub fn databases(&mut self, databases: Option<&Databases>) {
        let Some(Databases { old, new, data_dir }) = databases else {
            for step in [1, 2, 3, 4] {
                self.set(step, StepStatus::NotVerified, "expected --old-db and --db, or --no-migration");
            }
            return;
        };
        let may_have_grown = !self.live.is_empty();
        self.old_database_sha256 = self.old_database_sha256.take().or_else(|| sha256_of(old));
        let (status, text) = cold(old);
        self.set_for_good(1, status, text);
        let validation = registry::validate(new, data_dir);
        let found = validation.to_json();
        let status = if validation.is_ok() { StepStatus::Passed } else { StepStatus::Failed };
        self.set_for_good(4, status, nonzero(&found));
        let scratch = new.with_extension("never-written");
        match registry::migrate(old, &scratch, &scratch.with_extension("folder"), true) {
            Ok(dry_run) => {
                let dry_run = dry_run.to_json();
                self.set_for_good(2, StepStatus::Passed, rows(&dry_run));
                let (status, text) = same_rows(&dry_run, &found, may_have_grown);
                self.set_for_good(3, status, text);
            }
            Err(error) => {
                self.set_for_good(2, StepStatus::Failed, error.to_string());
                self.set_for_good(3, StepStatus::NotVerified, "there are no counts to compare with");
            }
        }
    }

    /// Step 4 goes on: a valid database may be that of another registry.
    ///
    /// In: what the live run saw.
    pub fn tie(&mut self, databases: Option<&Databases>, live: &Transcript, spoken: (&Suite, &Wire)) {
        let step = self.steps.iter().find(|step| step.step == 4 && step.status == StepStatus::Passed);
        if let (Some(databases), Some(step)) = (databases, step) {
            let valid = step.text.clone();
            let (status, text) = tied(databases, live, spoken);
            self.set(4, status, format!("{valid}; {text}"));
        }
    }

    /// What failed once stays failed.
    fn set_for_good(&mut self, step: u8, status: StepStatus, text: impl Into<String>) {
        if !self.steps.iter().any(|known| known.step == step && known.status == StepStatus::Failed) {
            self.set(step, status, text);
        }
    }

    /// Step 9: the old database is what it was. Said at the beginning, after each round and at the end.
    pub fn old_database(&mut self, old: &Path) {
        let found = sha256_of(old);
        let (status, text) = match (&self.old_database_sha256, found) {
            (Some(before), Some(found)) if *before == found => {
                (StepStatus::Passed, format!("SHA-256 {found}, as at the beginning"))
            }
            (Some(before), Some(found)) => {
                (StepStatus::Failed, format!("expected SHA-256 {before}, found {found}"))
            }
            (Some(before), None) => (StepStatus::Failed, format!("expected SHA-256 {before}, found no file")),
            (None, _) => (StepStatus::Failed, "it could not be read at the beginning".to_owned()),
        };
        self.set_for_good(9, status, text);
    }
}

/// SHA-256 of a file, whatever its length.
fn sha256_of(path: &Path) -> Option<String> {
    let mut reader = fs_err::File::open(path).ok()?;
    let (mut hash, mut buffer) = (Sha256::new(), vec![0; 1 << 16]);
    loop {
        match reader.read(&mut buffer).ok()? {
            0 => return Some(hex::encode(hash.finalize())),
            count => hash.update(buffer.get(..count)?),
        }
    }
}

/// A copy that can be written is not what the guide asks for.
fn cold(old: &Path) -> (StepStatus, String) {
    match fs_err::metadata(old) {
        Err(error) => (StepStatus::Failed, error.to_string()),
        Ok(metadata) if metadata.permissions().readonly() => {
            (StepStatus::Passed, format!("{} bytes, read-only", metadata.len()))
        }
        Ok(_) => match fs_err::OpenOptions::new().append(true).open(old) {
            Err(_) => (StepStatus::Passed, "it cannot be opened for writing".to_owned()),
            Ok(_) => {
                (StepStatus::Failed, "expected a file that cannot be written, found one that can".to_owned())
            }
        },
    }
}

const TABLES: [&str; 5] = ["manifests", "beacons", "watermarks", "events", "corpus"];

fn rows(counts: &Json) -> String {
    let rows: Vec<String> = TABLES.iter().map(|table| format!("{table} {}", &counts[*table])).collect();
    rows.join(", ")
}

fn same_rows(dry_run: &Json, validation: &Json, may_have_grown: bool) -> (StepStatus, String) {
    let new = &validation["counts"];
    let has_them = |old: &Json, new: &Json| match (old.as_u64(), new.as_u64()) {
        (Some(old), Some(new)) => {
            if may_have_grown {
                new >= old
            } else {
                new == old
            }
        }
        _ => false,
    };
    if let Some(table) = TABLES.iter().find(|table| !has_them(&dry_run[**table], &new[**table])) {
        let text = format!("{table}: the old database has {}, the new one {}", dry_run[*table], new[*table]);
        return (StepStatus::Failed, text);
    }
    let (old, leaves) = (&dry_run["tlog_leaves"], &validation["tlog_size"]);
    let is_without_log = !may_have_grown && old == leaves;
    match has_them(old, leaves) || is_without_log {
        true => (StepStatus::Passed, format!("{}, leaves {leaves}", rows(new))),
        false => (StepStatus::Failed, format!("leaves: the old log has {old}, the new one {leaves}")),
    }
}

/// The classes of failure that are not zero.
fn nonzero(validation: &Json) -> String {
    let members = validation.as_object().into_iter().flatten();
    let failures =
        members.filter(|(name, value)| *name != "tlog_size" && value.as_u64().is_some_and(|count| count > 0));
    let named: Vec<String> = failures.map(|(name, count)| format!("{name} {count}")).collect();
    if named.is_empty() { "every class of failure is zero".to_owned() } else { named.join(", ") }
}
