//! The log as a file: `leaves.jsonl`, one JSON object a line, as the published registries keep it.
//!
//! `index`, `leaf_hash` (hexadecimal), `leaf_data` (the leaf as text) and `leaf_data_hex` (its bytes).

use std::{
    io::{self, BufRead, Write},
    path::{Path, PathBuf},
};

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use crate::{
    canonical::Form,
    log::{self, Log, LogError, TileCache},
    schema,
    store::{StoreError, is_known, locked},
    text::Text,
    untouched::{Leftover, has_no_leftovers},
    validation::leaves::{Source, Unreadable},
};

/// Leaves that are written or read at once.
const STEP: u64 = 1 << 12;

/// Why a log was not written to a file or read from one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogFileError {
    /// The database has a log already, and a log only grows at its end.
    #[error("expected a database without leaves, found {found}")]
    HasLog {
        /// Leaves in it.
        found: u64,
    },
    /// The file cannot be written, or the folder of the database not be made.
    #[error("cannot write the leaves")]
    Io(#[from] io::Error),
    /// Something of an older database lies where the new one is to be.
    #[error(transparent)]
    Leftover(#[from] Leftover),
    /// A record is not a leaf, or not the next one. Nothing was imported.
    #[error("{record} is no leaf of the log: {why}")]
    Record {
        /// The line.
        record: String,
        /// What is wrong with it.
        why: String,
    },
    /// The database cannot be opened, or its log is damaged.
    #[error("cannot use the database")]
    Store(#[from] StoreError),
}

impl From<rusqlite::Error> for LogFileError {
    fn from(error: rusqlite::Error) -> Self {
        StoreError::from(error).into()
    }
}

impl From<LogError> for LogFileError {
    fn from(error: LogError) -> Self {
        StoreError::from(error).into()
    }
}

/// Writes every leaf as a line and gives their number. The database is only read, and may be served meanwhile: what is written is the
/// log at one moment, each leaf hashed again and compared with the tree.
///
/// # Errors
///
/// Returns a [`LogFileError`] if the database cannot be read, a leaf is damaged, or `output` cannot be written.
pub fn export_log(db: &Path, output: &mut dyn Write) -> Result<u64, LogFileError> {
    let connection = Connection::open_with_flags(db, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let snapshot = connection.unchecked_transaction()?;
    let cache = TileCache::default();
    let size = Log::at(&snapshot, &cache)?.size();
    for start in (0..size).step_by(usize::try_from(STEP).unwrap_or(1)) {
        let mut lines = Text::new(Form::Jcs);
        // A log of its own for each step forgets the tiles of the one before.
        Log::at(&snapshot, &cache)?.range(start, STEP, |index, leaf_hash, leaf| {
            lines.raw("{\"index\":");
            lines.integer(index);
            lines.raw(",\"leaf_hash\":");
            lines.hex(leaf_hash);
            lines.raw(",\"leaf_data\":");
            lines.utf8(leaf);
            lines.raw(",\"leaf_data_hex\":");
            lines.hex(leaf);
            lines.raw("}\n");
        })?;
        output.write_all(lines.as_str().as_bytes())?;
    }
    output.flush()?;
    Ok(size)
}

/// Reads the leaves of a file into a database whose log is empty, all or none, and gives their number. A database that was not there
/// before is made, and is there afterwards only if all went well.
///
/// # Errors
///
/// Returns a [`LogFileError`] if a record is damaged or out of place, the database has leaves, or is in use.
pub fn import_log(db: &Path, input: impl BufRead) -> Result<u64, LogFileError> {
    has_no_leftovers(db)?;
    if let Some(folder) = db.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs_err::create_dir_all(folder)?;
    }
    let is_new = !db.exists();
    let _lock = locked(db)?;
    let imported = import(db, input);
    if is_new && imported.is_err() {
        for suffix in ["", "-wal", "-shm", ".lock"] {
            let mut name = db.as_os_str().to_owned();
            name.push(suffix);
            // What cannot be removed is empty, and the error that is told already is the one to know.
            drop(fs_err::remove_file(PathBuf::from(name)));
        }
    }
    imported
}

fn import(db: &Path, input: impl BufRead) -> Result<u64, LogFileError> {
    let mut connection = Connection::open(db)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    is_known(&connection)?;
    schema::prepare(&mut connection)?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found = Log::at(&transaction, &TileCache::default())?.size();
    if found > 0 {
        return Err(LogFileError::HasLog { found });
    }
    let mut size = 0;
    Source::Lines(Box::new(input)).each(&mut |record| {
        let refused = |record, why| Err(LogFileError::Record { record, why });
        let record = match record {
            Ok(record) => record,
            Err(Unreadable { name, why }) => return refused(name, why),
        };
        if let Some((_, why)) = record.faults(i64::try_from(size).unwrap_or(i64::MAX)).into_iter().next() {
            return refused(record.name, why);
        }
        log::insert(&transaction, size, &record.bytes)?;
        size += 1;
        Ok(())
    })?;
    log::build_nodes(&transaction)?;
    schema::fill_registrations(&transaction)?;
    transaction.commit()?;
    Ok(size)
}
