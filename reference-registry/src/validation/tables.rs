//! The rows, copied into temporary tables with the indexes that the comparisons need: an old database has none on
//! its file ids. This registry keeps rows of older files in tables of their own; here they stand beside the others.

use rusqlite::Connection;

use super::{Class, Validation};

/// The tables that every registry of this protocol has (fact sheet, section 4).
pub(crate) const TABLES: [(&str, &[&str]); 5] = [
    (
        "manifests",
        &["file_id", "recipient_id", "issuer_id", "issuer_ed25519_pub", "manifest_json", "registered_at"],
    ),
    ("beacons", &["token_id", "file_id", "recipient_id", "issuer_id", "kind", "registered_at"]),
    ("watermarks", &["mark_id", "layer", "file_id", "recipient_id", "issuer_id", "registered_at"]),
    (
        "events",
        &[
            "id",
            "token_id",
            "file_id",
            "recipient_id",
            "issuer_id",
            "kind",
            "source_ip",
            "user_agent",
            "extra",
            "timestamp",
            "qualified_timestamp",
            "tlog_index",
        ],
    ),
    ("corpus", &["file_id", "hash_kind", "hash_value", "metadata", "registered_at"]),
];

const INDEXES: &str = "
CREATE INDEX temp.r_manifests_file ON r_manifests (file_id);
CREATE INDEX temp.r_beacons_file ON r_beacons (file_id);
CREATE INDEX temp.r_beacons_token ON r_beacons (token_id);
CREATE INDEX temp.r_watermarks_file ON r_watermarks (file_id);
CREATE INDEX temp.r_watermarks_mark ON r_watermarks (mark_id, layer);
CREATE INDEX temp.r_events_index ON r_events (tlog_index);
CREATE INDEX temp.r_corpus_file ON r_corpus (file_id);
";

/// Makes `r_manifests` and so on, empty where the table is missing, null where a column is.
pub(super) fn copy(connection: &Connection, validation: &mut Validation) -> rusqlite::Result<()> {
    for (table, columns) in TABLES {
        let found = columns_of(connection, table)?;
        if found.is_empty() {
            validation.fail(Class::MissingTables, table, table, "the table is not there");
        }
        let is_there = |column: &str| found.iter().any(|name| name == column);
        for column in columns.iter().filter(|column| !found.is_empty() && !is_there(column)) {
            validation.fail(Class::MissingColumns, table, *column, "the column is not there");
        }
        let selected = columns.iter().map(|column| match is_there(column) {
            true => (*column).to_owned(),
            false => format!("NULL AS {column}"),
        });
        let selected = selected.collect::<Vec<_>>().join(", ");
        let source = if found.is_empty() { "(SELECT 1 LIMIT 0)" } else { &format!("main.{table}") };
        connection
            .execute_batch(&format!("CREATE TEMP TABLE r_{table} AS SELECT {selected} FROM {source}"))?;
        let count = connection.query_row(&format!("SELECT count(*) FROM r_{table}"), [], |row| row.get(0))?;
        validation.rows.push((table, count));
    }
    for (table, columns) in TABLES {
        let earlier = format!("earlier_{table}");
        if !columns_of(connection, &earlier)?.is_empty() {
            let columns = columns.join(", ");
            connection
                .execute_batch(&format!("INSERT INTO temp.r_{table} SELECT {columns} FROM main.{earlier}"))?;
        }
    }
    connection.execute_batch(INDEXES)
}

pub(crate) fn columns_of(connection: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare("SELECT name FROM pragma_table_info(?1)")?;
    let names = statement.query_map([table], |row| row.get(0))?;
    names.collect()
}
