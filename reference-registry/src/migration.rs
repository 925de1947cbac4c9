//! Taking over the database, the log and the identity of another registry: `--migrate-from`.
//!
//! The source is only read. The new database is made beside its place under another name, and gets its own when it is
//! complete: whatever happens before leaves nothing behind that looks like a registry.

use std::{
    io,
    path::{Path, PathBuf},
};

use rusqlite::{Connection, ErrorCode, OpenFlags, params};
use serde_json::{Map, Value, json};

use crate::{
    identity::{self, IdentityError},
    log, regular_file, schema,
    untouched::{self, Leftover, Untouched, has_no_leftovers},
    validation::{
        leaves::{Record, Source, Unreadable},
        tables::{TABLES, columns_of},
    },
};

/// What a migration did, or would do.
#[derive(Clone, Debug)]
pub struct Migration {
    source: PathBuf,
    dry_run: bool,
    rows: Vec<(&'static str, i64)>,
    leaves: Option<i64>,
    has_identity: bool,
    was_done: bool,
}

impl Migration {
    /// `source`, `dry_run`, the number of rows of each table, `tlog_leaves` (null without a log), whether there is an
    /// `identity`, and `already_migrated`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut report = Map::new();
        report.insert(String::from("source"), json!(self.source.display().to_string()));
        report.insert(String::from("dry_run"), json!(self.dry_run));
        report.extend(self.rows.iter().map(|(table, count)| ((*table).to_owned(), json!(count))));
        report.insert(String::from("tlog_leaves"), json!(self.leaves));
        report.insert(String::from("identity"), json!(self.has_identity));
        report.insert(String::from("already_migrated"), json!(self.was_done));
        Value::Object(report)
    }
}

/// Why nothing was migrated.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    /// Source and target are one file.
    #[error("--migrate-from names the database that --db names")]
    SameFile,
    /// The source is missing or cannot be read.
    #[error("the source {}: {why}", source_path.display())]
    Source {
        /// What was named.
        source_path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The source lacks a table, or a column of one.
    #[error("the source has no {0}: expected the tables of an Oversight registry")]
    Missing(String),
    /// There are rows that point into a log, and no log.
    #[error("the source's rows have a log, but {} is not there and the source has no table tlog", .0.display())]
    MissingLog(PathBuf),
    /// A record of the log is not what it must be: a registry would not start on it.
    #[error("the source's log, {row}: {why}")]
    Log {
        /// Line or leaf.
        row: String,
        /// What is wrong with it.
        why: String,
    },
    /// The target has rows or leaves that are not those of the source.
    #[error("the target {} exists and is not what this migration makes; name a database that does not exist yet", .0.display())]
    TargetDiffers(PathBuf),
    /// The target has an identity other than the source's.
    #[error("{} exists and has another key than the source's identity", .0.display())]
    IdentityDiffers(PathBuf),
    /// An identity file, of the source or in the target's place, cannot be read.
    #[error("the identity file {}", .path.display())]
    Identity {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: IdentityError,
    },
    /// Something of an older database lies where the target is to be.
    #[error(transparent)]
    Leftover(#[from] Leftover),
    /// A row has a key that another has too, or nothing where something is needed.
    #[error("the source's table {table} has a row that no registry keeps: {why}")]
    Row {
        /// The table.
        table: &'static str,
        /// What SQLite says of it.
        why: String,
    },
    /// The new database cannot be written.
    #[error("the target cannot be written")]
    Io(#[from] io::Error),
    /// SQLite refuses a row, or the target.
    #[error("the target cannot be written")]
    Sqlite(#[from] rusqlite::Error),
    /// The tree over the leaves cannot be built.
    #[error("the tree over the leaves cannot be built")]
    Tree(#[from] log::LogError),
}

/// Copies the five tables, the log and `registry-identity.json` of the registry whose database is `source` to `db` and
/// `data_dir`. Log and identity of the source are looked for beside its database.
///
/// A dry run reads and checks everything, the target too, and writes nothing but a database without a name in the folder for temporary
/// files. A log that is missing is told (`tlog_leaves` is null), since counts can be compared without one.
///
/// # Errors
/// When the source is incomplete or its log is damaged, or when the target is there and is something else. Nothing is
/// written then.
pub fn migrate(
    source: &Path,
    db: &Path,
    data_dir: &Path,
    dry_run: bool,
) -> Result<Migration, MigrationError> {
    if is_same_file(source, db) {
        return Err(MigrationError::SameFile);
    }
    has_no_leftovers(db)?;
    let failed = |why: String| MigrationError::Source { source_path: source.to_path_buf(), why };
    let database = untouched::open(source).map_err(|error| failed(error.to_string()))?;
    let connection = database.connect().map_err(|error| failed(error.to_string()))?;
    if let Some(why) = schema::foreign(&connection).map_err(|error| failed(error.to_string()))?.pop() {
        return Err(failed(why));
    }
    let folder = folder_of(source);
    let rows = rows(&connection).map_err(|error| match error {
        MigrationError::Sqlite(error) => failed(error.to_string()),
        error => error,
    })?;
    let leaves = leaves(&connection, folder, |_, _| Ok(()))?;
    if leaves.is_none() && rows.iter().any(|(_, count)| *count > 0) && !dry_run {
        return Err(MigrationError::MissingLog(folder.join("tlog").join("leaves.jsonl")));
    }
    let path = data_dir.join("registry-identity.json");
    let identity = identity(&folder.join("registry-identity.json"))?;
    let identity = identity.map(|(text, public)| Identity { text, public, path });
    // Refused before anything is made.
    identity.as_ref().map_or(Ok(true), Identity::is_there)?;
    let has_identity = identity.is_some();
    let old = Old { database: &database, connection: &connection, folder };
    let was_done = match dry_run {
        true => old.compare(db)?,
        false => {
            fs_err::create_dir_all(data_dir)?;
            write(&old, db, identity)?
        }
    };
    Ok(Migration { source: source.to_path_buf(), dry_run, rows, leaves, has_identity, was_done })
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
}

fn is_same_file(a: &Path, b: &Path) -> bool {
    matches!((fs_err::canonicalize(a), fs_err::canonicalize(b)), (Ok(a), Ok(b)) if a == b)
}

fn rows(connection: &Connection) -> Result<Vec<(&'static str, i64)>, MigrationError> {
    let mut rows = Vec::new();
    for described in &TABLES {
        let table = described.name;
        let found = columns_of(connection, table)?;
        if found.is_empty() || !is_table(connection, table)? {
            return Err(MigrationError::Missing(format!("table {table}")));
        }
        if let Some(column) = described.columns().find(|column| !found.iter().any(|name| name == column)) {
            return Err(MigrationError::Missing(format!("column {column} in table {table}")));
        }
        let count = connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0))?;
        rows.push((table, count));
    }
    Ok(rows)
}

/// Not a view under the name of one, whose rows have no order.
fn is_table(connection: &Connection, name: &str) -> rusqlite::Result<bool> {
    let statement = "SELECT EXISTS (SELECT 1 FROM main.sqlite_schema WHERE type = 'table' AND name = ?1)";
    connection.query_row(statement, [name], |row| row.get(0))
}

/// Hands every leaf over in its order, and says how many there are; nothing where there is no log.
fn leaves(
    connection: &Connection,
    folder: &Path,
    mut take: impl FnMut(u64, &[u8]) -> rusqlite::Result<()>,
) -> Result<Option<i64>, MigrationError> {
    let Some(mut source) = Source::of(connection, folder)? else { return Ok(None) };
    let mut position = 0;
    source.each(&mut |record| {
        let record = record.map_err(|Unreadable { name, why }| MigrationError::Log { row: name, why })?;
        is_right(&record, position)?;
        take(position.unsigned_abs(), &record.bytes)?;
        position += 1;
        Ok::<(), MigrationError>(())
    })?;
    Ok(Some(position))
}

fn is_right(record: &Record, position: i64) -> Result<(), MigrationError> {
    match record.faults(position).into_iter().next() {
        Some((_, why)) => Err(MigrationError::Log { row: record.name.clone(), why }),
        None => Ok(()),
    }
}

/// The text of an identity file and its public key, if it is there and its halves belong together.
fn identity(path: &Path) -> Result<Option<(Vec<u8>, String)>, MigrationError> {
    let told = |source| MigrationError::Identity { path: path.to_path_buf(), source };
    let Some(text) = regular_file::identity(path).map_err(|error| told(error.into()))? else {
        return Ok(None);
    };
    let public = identity::Identity::read(&text).map_err(told)?.public().to_owned();
    Ok(Some((text, public)))
}

/// An identity file, and the place that it is carried over to.
struct Identity {
    text: Vec<u8>,
    public: String,
    path: PathBuf,
}

impl Identity {
    /// Whether the place has the same key already; one with another is an error.
    fn is_there(&self) -> Result<bool, MigrationError> {
        match identity(&self.path)? {
            Some((_, public)) if public == self.public => Ok(true),
            Some(_) => Err(MigrationError::IdentityDiffers(self.path.clone())),
            None => Ok(false),
        }
    }

    fn carry_over(&self) -> Result<(), MigrationError> {
        if self.is_there()? { Ok(()) } else { Ok(identity::write(&self.path, &self.text)?) }
    }
}

/// The registry that is taken over.
struct Old<'a> {
    database: &'a Untouched,
    connection: &'a Connection,
    folder: &'a Path,
}

impl Old<'_> {
    /// What a dry run does: everything, in a database without a name that is gone afterwards.
    fn compare(&self, db: &Path) -> Result<bool, MigrationError> {
        is_there(&self.migrated(Path::new(""))?, db)
    }

    /// A new database with everything that the old one has.
    fn migrated(&self, path: &Path) -> Result<Connection, MigrationError> {
        let flags =
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_URI;
        let mut target = Connection::open_with_flags(path, flags)?;
        schema::prepare(&mut target)?;
        target.execute("ATTACH ?1 AS source", [&self.database.uri])?;
        let transaction = target.transaction()?;
        copy_rows(&transaction)?;
        copy_own_rows(&transaction)?;
        schema::take_origin(&transaction, "source")?;
        leaves(self.connection, self.folder, |index, leaf| {
            log::insert(&transaction, index, leaf).map(|_| ())
        })?;
        log::build_nodes(&transaction)?;
        schema::fill_registrations(&transaction)?;
        transaction.commit()?;
        Ok(target)
    }
}

/// Makes the database; true if it was there already, row by row.
fn write(old: &Old<'_>, db: &Path, identity: Option<Identity>) -> Result<bool, MigrationError> {
    let carry_over = || identity.as_ref().map_or(Ok(()), Identity::carry_over);
    let mut name = db.as_os_str().to_owned();
    name.push(".migrating");
    let unfinished = Unfinished::new(PathBuf::from(name))?;
    if is_there(&old.migrated(&unfinished.0)?, db)? {
        return carry_over().map(|()| true);
    }
    fs_err::File::open(&unfinished.0)?.sync_all()?;
    // Before the database has its name: a registry that starts between the two finds the key, not the rows.
    carry_over()?;
    has_no_leftovers(db)?;
    fs_err::rename(&unfinished.0, db)?;
    fs_err::File::open(folder_of(db))?.sync_all()?;
    Ok(false)
}

/// Whether the target is what was made; one that is something else is an error.
fn is_there(made: &Connection, db: &Path) -> Result<bool, MigrationError> {
    match db.exists() {
        false => Ok(false),
        true if is_equal(made, db)? => Ok(true),
        true => Err(MigrationError::TargetDiffers(db.to_path_buf())),
    }
}

/// Rows in their order, so that whatever asks for the newest gets the same one; numbers of events that were given out stay so.
fn copy_rows(target: &Connection) -> Result<(), MigrationError> {
    for described in &TABLES {
        let (table, columns) = (described.name, described.list());
        let statement = format!(
            "INSERT INTO main.{table} ({columns}) SELECT {columns} FROM source.{table} ORDER BY rowid"
        );
        target.execute(&statement, []).map_err(|error| match error.sqlite_error_code() {
            Some(ErrorCode::ConstraintViolation) => MigrationError::Row { table, why: error.to_string() },
            _ => error.into(),
        })?;
    }
    let last =
        target.query_row("SELECT max(seq) FROM source.sqlite_sequence WHERE name = 'events'", [], |row| {
            row.get(0)
        });
    if let Ok(Some(last)) = last.map(|last: Option<i64>| last) {
        target.execute("DELETE FROM main.sqlite_sequence WHERE name = 'events'", [])?;
        target.execute("INSERT INTO main.sqlite_sequence VALUES ('events', ?1)", params![last])?;
    }
    Ok(())
}

/// Rows that only a database of this registry has: those of older files, and attestations.
const OWN_TABLES: [&str; 3] = ["earlier_beacons", "earlier_watermarks", "attestations"];

fn copy_own_rows(target: &Connection) -> Result<(), MigrationError> {
    for table in OWN_TABLES {
        let is_there =
            "SELECT EXISTS (SELECT 1 FROM source.sqlite_schema WHERE type = 'table' AND name = ?1)";
        if target.query_row(is_there, [table], |row| row.get(0))? {
            target.execute(&format!("INSERT INTO main.{table} SELECT * FROM source.{table}"), [])?;
        }
    }
    Ok(())
}

/// Whether the database has the same rows and leaves, no more and no fewer.
fn is_equal(made: &Connection, db: &Path) -> Result<bool, MigrationError> {
    let there = untouched::open(db).map_err(|error| io::Error::other(error.to_string()))?;
    made.execute("ATTACH ?1 AS there", [&there.uri])?;
    let tables = TABLES.iter().map(|table| (table.name, table.list()));
    let own = OWN_TABLES.map(|table| (table, String::from("*")));
    let tlog = [("tlog", String::from("leaf_index, leaf_hash, leaf"))];
    for (table, columns) in tables.chain(tlog).chain(own) {
        let statement = format!(
            "SELECT NOT EXISTS (SELECT {columns} FROM main.{table} EXCEPT SELECT {columns} FROM there.{table})
                AND NOT EXISTS (SELECT {columns} FROM there.{table} EXCEPT SELECT {columns} FROM main.{table})"
        );
        // A table that is not there is a difference.
        if !made.query_row(&statement, [], |row| row.get(0)).unwrap_or(false) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A file that goes away unless it got another name.
struct Unfinished(PathBuf);

impl Unfinished {
    fn new(path: PathBuf) -> io::Result<Self> {
        let unfinished = Self(path);
        unfinished.remove()?;
        Ok(unfinished)
    }

    fn remove(&self) -> io::Result<()> {
        for suffix in ["", "-journal", "-wal", "-shm"] {
            let mut name = self.0.as_os_str().to_owned();
            name.push(suffix);
            match fs_err::remove_file(PathBuf::from(name)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        let _ = self.remove();
    }
}
