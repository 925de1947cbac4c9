//! The layout of the database.
//!
//! Five tables are those of the registries in the field, column by column, so that a database of theirs can be taken over and read
//! back: `manifests`, `beacons`, `watermarks`, `events` and `corpus`. What this registry adds stands in tables of its own:
//!
//! ```text
//! tlog(leaf_index, leaf_hash, leaf)      the log, one row a leaf, written in the transaction of the rows it proves
//! tlog_nodes(tile, hashes)               interior nodes of its Merkle tree, up to 32 neighbours a row (merkle.rs)
//! registrations(file_id, tlog_index, …)  where the leaves of a file's registrations stand
//! attestations(file_id, tlog_index, …)   what was attested of them, if anything
//! earlier_beacons, earlier_watermarks    rows of older files of the same issuer whose token or mark a newer file lists too
//! ```
//!
//! `beacons` has one row a token, and `watermarks` one a mark and layer: the newest file of the issuer answers for them.

use rusqlite::{Connection, TransactionBehavior};

use crate::{attestation, log, validation::tables};

/// What `PRAGMA user_version` says of a database that this registry has opened; others, and those of the field, say 0.
const VERSION: i64 = 2;

/// What `PRAGMA application_id` says of a database in which this registry has written every row; of one that was taken over it says
/// what it said before.
const BORN_HERE: i64 = 0x4f56_5231;

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS beacons (
    token_id TEXT PRIMARY KEY, file_id TEXT NOT NULL, recipient_id TEXT NOT NULL, issuer_id TEXT NOT NULL,
    kind TEXT NOT NULL, registered_at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS watermarks (
    mark_id TEXT NOT NULL, layer TEXT NOT NULL, file_id TEXT NOT NULL, recipient_id TEXT NOT NULL,
    issuer_id TEXT NOT NULL, registered_at INTEGER NOT NULL, PRIMARY KEY (mark_id, layer));
CREATE TABLE IF NOT EXISTS manifests (
    file_id TEXT PRIMARY KEY, recipient_id TEXT NOT NULL, issuer_id TEXT NOT NULL,
    issuer_ed25519_pub TEXT NOT NULL, manifest_json TEXT NOT NULL, registered_at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS events (
    id INTEGER PRIMARY KEY AUTOINCREMENT, token_id TEXT NOT NULL, file_id TEXT, recipient_id TEXT,
    issuer_id TEXT, kind TEXT NOT NULL, source_ip TEXT, user_agent TEXT, extra TEXT,
    timestamp INTEGER NOT NULL, qualified_timestamp TEXT, tlog_index INTEGER);
CREATE TABLE IF NOT EXISTS corpus (
    file_id TEXT NOT NULL, hash_kind TEXT NOT NULL, hash_value TEXT NOT NULL, metadata TEXT,
    registered_at INTEGER NOT NULL, PRIMARY KEY (file_id, hash_kind, hash_value));
CREATE INDEX IF NOT EXISTS idx_events_token ON events (token_id);
CREATE INDEX IF NOT EXISTS idx_events_file ON events (file_id, timestamp);
CREATE INDEX IF NOT EXISTS idx_corpus_hash ON corpus (hash_kind, hash_value);

CREATE TABLE IF NOT EXISTS registrations (
    file_id TEXT NOT NULL, tlog_index INTEGER NOT NULL, issuer_pub TEXT NOT NULL, registered_at INTEGER NOT NULL,
    PRIMARY KEY (file_id, tlog_index)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS earlier_beacons (
    token_id TEXT NOT NULL, file_id TEXT NOT NULL, recipient_id TEXT NOT NULL, issuer_id TEXT NOT NULL,
    kind TEXT NOT NULL, registered_at INTEGER NOT NULL, PRIMARY KEY (file_id, token_id));
CREATE TABLE IF NOT EXISTS earlier_watermarks (
    mark_id TEXT NOT NULL, layer TEXT NOT NULL, file_id TEXT NOT NULL, recipient_id TEXT NOT NULL,
    issuer_id TEXT NOT NULL, registered_at INTEGER NOT NULL, PRIMARY KEY (file_id, mark_id, layer));
CREATE INDEX IF NOT EXISTS idx_beacons_file ON beacons (file_id);
CREATE INDEX IF NOT EXISTS idx_watermarks_file ON watermarks (file_id);
CREATE INDEX IF NOT EXISTS idx_watermarks_semantic ON watermarks (registered_at) WHERE layer = 'L3_semantic';
CREATE INDEX IF NOT EXISTS idx_earlier_beacons ON earlier_beacons (token_id);
CREATE INDEX IF NOT EXISTS idx_earlier_watermarks ON earlier_watermarks (mark_id, layer);
";

/// Of a database that has leaves and no table of registrations: the leaves have them.
const REGISTRATIONS_FROM_LEAVES: &str =
    "INSERT OR IGNORE INTO registrations SELECT leaf ->> '$.file_id', leaf_index, leaf ->> '$.issuer_pub', unixepoch(leaf ->> '$.timestamp')
    FROM (SELECT leaf_index, CAST(leaf AS TEXT) AS leaf FROM tlog)
    WHERE json_valid(leaf) AND leaf ->> '$.event' = 'register' AND leaf ->> '$.file_id' IS NOT NULL
        AND leaf ->> '$.issuer_pub' IS NOT NULL AND unixepoch(leaf ->> '$.timestamp') IS NOT NULL";

/// Creates what is missing. A database that is complete is not written to.
pub(crate) fn prepare(connection: &mut Connection) -> rusqlite::Result<()> {
    if version(connection)? == VERSION {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if transaction.query_row("SELECT NOT EXISTS (SELECT 1 FROM sqlite_schema)", [], |row| row.get(0))? {
        transaction.pragma_update(None, "application_id", BORN_HERE)?;
    }
    transaction.execute_batch(SCHEMA)?;
    transaction.execute_batch(log::SCHEMA)?;
    transaction.execute_batch(attestation::SCHEMA)?;
    fill_registrations(&transaction)?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()
}

/// Fails with the name of a table that is missing.
pub(crate) fn is_whole(connection: &Connection) -> rusqlite::Result<()> {
    tables::names().try_for_each(|table| connection.prepare(&format!("SELECT * FROM {table}")).map(|_| ()))
}

/// Reads the registrations out of the leaves, where a log was taken over without them.
pub(crate) fn fill_registrations(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute(REGISTRATIONS_FROM_LEAVES, []).map(|_| ())
}

pub(crate) fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

/// Whether this registry has written every row of the database: then rows say exactly what their leaves say.
pub(crate) fn is_born_here(connection: &Connection) -> rusqlite::Result<bool> {
    origin(connection, "main").map(|origin| origin == BORN_HERE)
}

/// The origin of a database, if neither this registry nor one of the field writes it: those leave it at zero.
fn foreign_origin(connection: &Connection) -> rusqlite::Result<Option<i64>> {
    origin(connection, "main").map(|origin| Some(origin).filter(|origin| ![0, BORN_HERE].contains(origin)))
}

/// Why a database is none that this registry can take for one of its kind.
pub(crate) fn foreign(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let version = Some(version(connection)?).filter(|version| is_unknown(*version));
    let found = [("user_version", version), ("application_id", foreign_origin(connection)?)];
    let said = found.into_iter().filter_map(|(name, found)| {
        Some(format!("{name} is {}: no registry that this one knows has written it", found?))
    });
    Ok(said.collect())
}

/// Gives a database that was made for the rows of another one the origin of that.
pub(crate) fn take_origin(connection: &Connection, source: &str) -> rusqlite::Result<()> {
    connection.pragma_update(None, "application_id", origin(connection, source)?)
}

fn origin(connection: &Connection, database: &str) -> rusqlite::Result<i64> {
    connection.pragma_query_value(Some(database), "application_id", |row| row.get(0))
}

/// Whether a database of this version is that of a later registry, or of something else.
pub(crate) fn is_unknown(version: i64) -> bool {
    !(0..=VERSION).contains(&version)
}

/// Whether a database of this version has all tables of this registry.
pub(crate) fn is_own(version: i64) -> bool {
    version == VERSION
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Column, whether it may be null, and place in the primary key, of each table in the field.
    const IN_THE_FIELD: [(&str, &str); 5] = [
        (
            "beacons",
            "token_id TEXT 0 1, file_id TEXT 1 0, recipient_id TEXT 1 0, issuer_id TEXT 1 0, kind TEXT 1 0, registered_at INTEGER 1 0",
        ),
        (
            "watermarks",
            "mark_id TEXT 1 1, layer TEXT 1 2, file_id TEXT 1 0, recipient_id TEXT 1 0, issuer_id TEXT 1 0, registered_at INTEGER 1 0",
        ),
        (
            "manifests",
            "file_id TEXT 0 1, recipient_id TEXT 1 0, issuer_id TEXT 1 0, issuer_ed25519_pub TEXT 1 0, manifest_json TEXT 1 0, registered_at INTEGER 1 0",
        ),
        (
            "events",
            "id INTEGER 0 1, token_id TEXT 1 0, file_id TEXT 0 0, recipient_id TEXT 0 0, issuer_id TEXT 0 0, kind TEXT 1 0, source_ip TEXT 0 0, user_agent TEXT 0 0, extra TEXT 0 0, timestamp INTEGER 1 0, qualified_timestamp TEXT 0 0, tlog_index INTEGER 0 0",
        ),
        (
            "corpus",
            "file_id TEXT 1 1, hash_kind TEXT 1 2, hash_value TEXT 1 3, metadata TEXT 0 0, registered_at INTEGER 1 0",
        ),
    ];

    fn columns(connection: &Connection, table: &str) -> String {
        let statement = "SELECT group_concat(name || ' ' || type || ' ' || \"notnull\" || ' ' || pk, ', ') FROM pragma_table_info(?1)";
        connection.query_row(statement, [table], |row| row.get(0)).unwrap()
    }

    #[test]
    fn the_tables_of_the_field_are_as_they_are_there() {
        let mut connection = Connection::open_in_memory().unwrap();
        prepare(&mut connection).unwrap();
        for (table, expected) in IN_THE_FIELD {
            assert_eq!(columns(&connection, table), expected, "{table}");
        }
    }

    #[test]
    fn a_database_without_our_tables_gets_them_and_its_registrations() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(log::SCHEMA).unwrap();
        let leaf =
            r#"{"event":"register","file_id":"f","issuer_pub":"k","timestamp":"2026-01-01T00:00:00Z"}"#;
        log::insert(&connection, 0, leaf.as_bytes()).unwrap();
        prepare(&mut connection).unwrap();
        prepare(&mut connection).unwrap();
        let found: (String, i64) = connection
            .query_row("SELECT file_id, tlog_index FROM registrations", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .unwrap();
        assert_eq!(found, (String::from("f"), 0));
    }
}
