//! Rows and log in one SQLite database, so that a leaf and the rows it stands for are written together or
//! not at all.

use std::{path::Path, time::Duration};

use rusqlite::{Connection, OptionalExtension, Row, Transaction, TransactionBehavior, params};
use serde_json::{Map, Value, json};

use crate::{
    canonical::Form,
    error::ApiError,
    log::{self, Log, LogError},
};

// A token or mark may be listed by several files of one issuer; the newest registration answers for it.
const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS manifests (
    file_id TEXT PRIMARY KEY, recipient_id TEXT NOT NULL, issuer_id TEXT NOT NULL,
    issuer_ed25519_pub TEXT NOT NULL, manifest_json TEXT NOT NULL, registered_at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS beacons (
    token_id TEXT NOT NULL, file_id TEXT NOT NULL, recipient_id TEXT NOT NULL, issuer_id TEXT NOT NULL,
    kind TEXT NOT NULL, registered_at INTEGER NOT NULL, PRIMARY KEY (token_id, file_id));
CREATE TABLE IF NOT EXISTS watermarks (
    mark_id TEXT NOT NULL, layer TEXT NOT NULL, file_id TEXT NOT NULL, recipient_id TEXT NOT NULL,
    issuer_id TEXT NOT NULL, registered_at INTEGER NOT NULL, PRIMARY KEY (mark_id, layer, file_id));
CREATE TABLE IF NOT EXISTS events (
    id INTEGER PRIMARY KEY AUTOINCREMENT, token_id TEXT NOT NULL, file_id TEXT, recipient_id TEXT,
    issuer_id TEXT, kind TEXT NOT NULL, source_ip TEXT, user_agent TEXT, extra TEXT,
    timestamp INTEGER NOT NULL, qualified_timestamp TEXT, tlog_index INTEGER);
CREATE TABLE IF NOT EXISTS corpus (
    file_id TEXT NOT NULL, hash_kind TEXT NOT NULL, hash_value TEXT NOT NULL, metadata TEXT,
    registered_at INTEGER NOT NULL, PRIMARY KEY (file_id, hash_kind, hash_value));
CREATE TABLE IF NOT EXISTS registrations (
    tlog_index INTEGER PRIMARY KEY, file_id TEXT NOT NULL, issuer_pub TEXT NOT NULL, registered_at INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS idx_registrations_file ON registrations (file_id);
CREATE INDEX IF NOT EXISTS idx_beacons_file ON beacons (file_id);
CREATE INDEX IF NOT EXISTS idx_watermarks_file ON watermarks (file_id);
CREATE INDEX IF NOT EXISTS idx_watermarks_layer ON watermarks (layer, registered_at);
CREATE INDEX IF NOT EXISTS idx_events_token ON events (token_id);
CREATE INDEX IF NOT EXISTS idx_events_file ON events (file_id, timestamp);
CREATE INDEX IF NOT EXISTS idx_corpus_hash ON corpus (hash_kind, hash_value);
";

/// A database that is older than the table of registrations has them in its leaves.
const REGISTRATIONS_FROM_LEAVES: &str = "
INSERT INTO registrations SELECT leaf_index, leaf ->> '$.file_id', leaf ->> '$.issuer_pub', unixepoch(leaf ->> '$.timestamp')
    FROM (SELECT leaf_index, CAST(leaf AS TEXT) AS leaf FROM tlog)
    WHERE NOT EXISTS (SELECT 1 FROM registrations) AND json_valid(leaf) AND leaf ->> '$.event' = 'register'
        AND leaf ->> '$.file_id' IS NOT NULL AND leaf ->> '$.issuer_pub' IS NOT NULL AND unixepoch(leaf ->> '$.timestamp') IS NOT NULL";

/// Why the database was not opened.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The log in it is damaged.
    #[error("transparency log is damaged")]
    Log(#[from] LogError),
    /// It is not a database of this registry, or it is in use by another process.
    #[error("database cannot be opened")]
    Sqlite(#[from] rusqlite::Error),
}

pub(crate) struct Store {
    form: Form,
    pub(crate) connection: Connection,
    pub(crate) log: Log,
    /// Whether a fault has changed the log.
    pub(crate) is_tampered: bool,
}

/// What a beacon, watermark or corpus row says of the file it belongs to.
pub(crate) struct Owner {
    pub(crate) file_id: String,
    pub(crate) recipient_id: String,
    pub(crate) issuer_id: String,
}

impl Store {
    pub(crate) fn in_memory(form: Form) -> Result<Self, StoreError> {
        Self::on(Connection::open_in_memory()?, form)
    }

    /// Opens a database and keeps every other process out of it: the tree in memory would not see what
    /// they append.
    pub(crate) fn open(path: &Path, form: Form) -> Result<Self, StoreError> {
        let connection = Connection::open(path)?;
        // Whoever holds the database now will hold it as long as it runs: there is nothing to wait for.
        connection.busy_timeout(Duration::ZERO)?;
        connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // FULL, since an answered registration must survive a loss of power.
        connection.pragma_update(None, "synchronous", "FULL")?;
        Self::on(connection, form)
    }

    fn on(mut connection: Connection, form: Form) -> Result<Self, StoreError> {
        connection.set_prepared_statement_cache_capacity(64);
        let schema = connection.transaction_with_behavior(TransactionBehavior::Exclusive)?;
        schema.execute_batch(SCHEMA)?;
        schema.execute_batch(log::SCHEMA)?;
        schema.execute(REGISTRATIONS_FROM_LEAVES, [])?;
        schema.commit()?;
        let log = Log::load(&connection)?;
        Ok(Self { form, connection, log, is_tampered: false })
    }

    /// Runs `write` in one transaction. The tree grows after the commit, or not at all.
    pub(crate) fn transact<T>(
        &mut self,
        write: impl FnOnce(&mut Pending<'_>) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut pending =
            Pending { form: self.form, next_index: self.log.size(), transaction, leaves: Vec::new() };
        let outcome = write(&mut pending)?;
        let Pending { transaction, leaves, .. } = pending;
        transaction.commit()?;
        leaves.into_iter().for_each(|leaf| self.log.extend(leaf));
        Ok(outcome)
    }

    pub(crate) fn manifest(&self, file_id: &str) -> Result<Option<Map<String, Value>>, ApiError> {
        let text: Option<String> = self
            .connection
            .prepare_cached("SELECT manifest_json FROM manifests WHERE file_id = ?1")?
            .query_row([file_id], |row| row.get(0))
            .optional()?;
        text.map(|text| serde_json::from_str(&text)).transpose().map_err(|_| ApiError::server_error())
    }

    pub(crate) fn newest_file(&self) -> Result<Option<Owner>, ApiError> {
        self.owner("SELECT file_id, recipient_id, issuer_id FROM manifests ORDER BY rowid DESC LIMIT 1", [])
    }

    pub(crate) fn owner_of_mark(
        &self,
        mark_id: &str,
        layer: Option<&str>,
    ) -> Result<Option<Owner>, ApiError> {
        let statement = "SELECT file_id, recipient_id, issuer_id FROM watermarks
             WHERE mark_id = ?1 AND (?2 IS NULL OR layer = ?2) ORDER BY registered_at DESC, rowid DESC LIMIT 1";
        self.owner(statement, params![mark_id, layer])
    }

    pub(crate) fn owner_of_perceptual_hash(&self, hash: &str) -> Result<Option<Owner>, ApiError> {
        let statement =
            "SELECT file_id, m.recipient_id, m.issuer_id FROM corpus c JOIN manifests m USING (file_id)
             WHERE hash_kind = 'perceptual' AND hash_value = ?1
             ORDER BY c.registered_at DESC, c.rowid DESC LIMIT 1";
        self.owner(statement, [hash])
    }

    pub(crate) fn owner_of_token(&self, token_id: &str) -> Result<Option<Owner>, ApiError> {
        owner_of_token(&self.connection, token_id)
    }

    fn owner(&self, statement: &str, parameters: impl rusqlite::Params) -> Result<Option<Owner>, ApiError> {
        Ok(self.connection.prepare_cached(statement)?.query_row(parameters, owner_row).optional()?)
    }

    pub(crate) fn beacons(&self, file_id: &str) -> Result<Vec<Value>, ApiError> {
        let statement = "SELECT token_id, file_id, recipient_id, issuer_id, kind, registered_at
             FROM beacons WHERE file_id = ?1 ORDER BY rowid";
        self.rows(statement, [file_id])
    }

    pub(crate) fn watermarks(&self, file_id: &str) -> Result<Vec<Value>, ApiError> {
        let statement = "SELECT mark_id, layer, file_id, recipient_id, issuer_id, registered_at
             FROM watermarks WHERE file_id = ?1 ORDER BY rowid";
        self.rows(statement, [file_id])
    }

    pub(crate) fn events(&self, file_id: &str) -> Result<Vec<Value>, ApiError> {
        let statement = "SELECT id, token_id, file_id, recipient_id, issuer_id, kind, source_ip, user_agent, extra,
             timestamp, qualified_timestamp, tlog_index FROM events WHERE file_id = ?1 ORDER BY timestamp, id";
        self.rows(statement, [file_id])
    }

    /// The registrations of a file in the log: index, issuer key and seconds.
    pub(crate) fn registrations(&self, file_id: &str) -> Result<Vec<Value>, ApiError> {
        let statement = "SELECT tlog_index, issuer_pub, registered_at FROM registrations WHERE file_id = ?1 ORDER BY tlog_index";
        self.rows(statement, [file_id])
    }

    pub(crate) fn recent_events(&self, file_id: &str) -> Result<Vec<Value>, ApiError> {
        let statement = "SELECT kind, source_ip, user_agent, timestamp, qualified_timestamp, tlog_index
             FROM events WHERE file_id = ?1 ORDER BY timestamp DESC, id DESC LIMIT 50";
        self.rows(statement, [file_id])
    }

    pub(crate) fn semantic_candidates(&self, since: i64, limit: i64) -> Result<Vec<Value>, ApiError> {
        let statement = "SELECT mark_id, file_id, recipient_id, registered_at FROM watermarks
             WHERE layer = 'L3_semantic' AND registered_at >= ?1 ORDER BY registered_at DESC, rowid DESC LIMIT ?2";
        self.rows(statement, params![since, limit])
    }

    /// Rows as JSON objects, members named and ordered like the columns.
    fn rows(&self, statement: &str, parameters: impl rusqlite::Params) -> Result<Vec<Value>, ApiError> {
        let mut statement = self.connection.prepare_cached(statement)?;
        let names: Vec<String> = statement.column_names().map(String::from).collect();
        let rows = statement.query_map(parameters, |row| json_row(&names, row))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

/// A transaction that has begun, and the leaves that it will add to the tree.
pub(crate) struct Pending<'a> {
    form: Form,
    next_index: u64,
    pub(crate) transaction: Transaction<'a>,
    leaves: Vec<Vec<u8>>,
}

impl Pending<'_> {
    /// Index of the leaf that would be appended next.
    pub(crate) fn next_index(&self) -> u64 {
        self.next_index
    }

    /// Appends the canonical bytes of an event.
    pub(crate) fn append(&mut self, event: &Value) -> Result<u64, ApiError> {
        let index = self.next_index;
        let leaf = self.form.bytes(event)?;
        log::insert(&self.transaction, index, &leaf)?;
        self.leaves.push(leaf);
        self.next_index += 1;
        Ok(index)
    }

    pub(crate) fn owner_of_token(&self, token_id: &str) -> Result<Option<Owner>, ApiError> {
        owner_of_token(&self.transaction, token_id)
    }
}

fn owner_of_token(connection: &Connection, token_id: &str) -> Result<Option<Owner>, ApiError> {
    let statement = "SELECT file_id, recipient_id, issuer_id FROM beacons
         WHERE token_id = ?1 ORDER BY registered_at DESC, rowid DESC LIMIT 1";
    Ok(connection.prepare_cached(statement)?.query_row([token_id], owner_row).optional()?)
}

fn owner_row(row: &Row<'_>) -> rusqlite::Result<Owner> {
    Ok(Owner { file_id: row.get(0)?, recipient_id: row.get(1)?, issuer_id: row.get(2)? })
}

fn json_row(names: &[String], row: &Row<'_>) -> rusqlite::Result<Value> {
    let mut members = Map::new();
    for (position, name) in names.iter().enumerate() {
        let value = match row.get(position)? {
            rusqlite::types::Value::Null => Value::Null,
            rusqlite::types::Value::Integer(number) => json!(number),
            rusqlite::types::Value::Real(number) => json!(number),
            rusqlite::types::Value::Text(text) => Value::String(text),
            rusqlite::types::Value::Blob(bytes) => Value::String(hex::encode(bytes)),
        };
        members.insert(name.clone(), value);
    }
    Ok(Value::Object(members))
}
