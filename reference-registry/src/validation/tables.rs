//! The rows, copied into temporary tables with the indexes that the comparisons need: an old database has none on
//! its file ids. This registry keeps rows of older files in tables of their own; here they stand beside the others.

use rusqlite::{Connection, OptionalExtension, Params, Row, types::ValueRef};

use super::{Class, Validation, definitions};
use crate::schema;

/// A table as a registry must have it.
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(super) columns: &'static [(&'static str, Type)],
    /// How many of the columns, from the first, are the key.
    pub(super) key: usize,
    /// Whether rows have numbers of their own; those of the tables in the field have, and answers are ordered by them.
    pub(super) has_rowid: bool,
}

/// What a column may hold.
#[derive(Clone, Copy)]
pub(super) enum Type {
    Blob,
    Integer,
    IntegerOrNull,
    Text,
    TextOrNull,
}

impl Type {
    /// As columns are declared.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Blob => "BLOB",
            Self::Integer | Self::IntegerOrNull => "INTEGER",
            Self::Text | Self::TextOrNull => "TEXT",
        }
    }

    pub(super) fn may_be_null(self) -> bool {
        matches!(self, Self::IntegerOrNull | Self::TextOrNull)
    }

    /// What a value is that does not belong into the column.
    fn misfit(self, value: ValueRef<'_>) -> Option<&'static str> {
        match value {
            ValueRef::Null => (!self.may_be_null()).then_some("NULL"),
            ValueRef::Integer(_) => (self.name() != "INTEGER").then_some("INTEGER"),
            ValueRef::Real(_) => Some("REAL"),
            ValueRef::Text(_) if self.name() != "TEXT" => Some("TEXT"),
            ValueRef::Text(text) => str::from_utf8(text).is_err().then_some("TEXT that is not UTF-8"),
            ValueRef::Blob(_) => (self.name() != "BLOB").then_some("BLOB"),
        }
    }
}

impl Table {
    pub(crate) fn columns(&self) -> impl Iterator<Item = &'static str> {
        self.columns.iter().map(|(name, _)| *name)
    }

    /// The columns, separated by commas.
    pub(crate) fn list(&self) -> String {
        self.columns().collect::<Vec<_>>().join(", ")
    }

    /// An expression that names a row by its key.
    fn named(&self) -> String {
        let parts = self.columns().take(self.key).map(|name| format!("'{name}=' || quote({name})"));
        parts.collect::<Vec<_>>().join(" || ' ' || ")
    }
}

/// The tables that every registry of this protocol has (fact sheet, section 4).
pub(crate) const TABLES: [Table; 5] = [
    Table {
        name: "manifests",
        columns: &[
            ("file_id", Type::Text),
            ("recipient_id", Type::Text),
            ("issuer_id", Type::Text),
            ("issuer_ed25519_pub", Type::Text),
            ("manifest_json", Type::Text),
            ("registered_at", Type::Integer),
        ],
        key: 1,
        has_rowid: true,
    },
    Table {
        name: "beacons",
        columns: &[
            ("token_id", Type::Text),
            ("file_id", Type::Text),
            ("recipient_id", Type::Text),
            ("issuer_id", Type::Text),
            ("kind", Type::Text),
            ("registered_at", Type::Integer),
        ],
        key: 1,
        has_rowid: true,
    },
    Table {
        name: "watermarks",
        columns: &[
            ("mark_id", Type::Text),
            ("layer", Type::Text),
            ("file_id", Type::Text),
            ("recipient_id", Type::Text),
            ("issuer_id", Type::Text),
            ("registered_at", Type::Integer),
        ],
        key: 2,
        has_rowid: true,
    },
    Table {
        name: "events",
        columns: &[
            ("id", Type::Integer),
            ("token_id", Type::Text),
            ("file_id", Type::TextOrNull),
            ("recipient_id", Type::TextOrNull),
            ("issuer_id", Type::TextOrNull),
            ("kind", Type::Text),
            ("source_ip", Type::TextOrNull),
            ("user_agent", Type::TextOrNull),
            ("extra", Type::TextOrNull),
            ("timestamp", Type::Integer),
            ("qualified_timestamp", Type::TextOrNull),
            ("tlog_index", Type::IntegerOrNull),
        ],
        key: 1,
        has_rowid: true,
    },
    Table {
        name: "corpus",
        columns: &[
            ("file_id", Type::Text),
            ("hash_kind", Type::Text),
            ("hash_value", Type::Text),
            ("metadata", Type::TextOrNull),
            ("registered_at", Type::Integer),
        ],
        key: 3,
        has_rowid: true,
    },
];

/// Tables that a database of this registry has besides.
const OWN_TABLES: [Table; 6] = [
    Table {
        name: "tlog",
        columns: &[("leaf_index", Type::Integer), ("leaf_hash", Type::Blob), ("leaf", Type::Blob)],
        key: 1,
        has_rowid: true,
    },
    Table {
        name: "tlog_nodes",
        columns: &[("tile", Type::Integer), ("hashes", Type::Blob)],
        key: 1,
        has_rowid: true,
    },
    Table {
        name: "registrations",
        columns: &[
            ("file_id", Type::Text),
            ("tlog_index", Type::Integer),
            ("issuer_pub", Type::Text),
            ("registered_at", Type::Integer),
        ],
        key: 2,
        has_rowid: false,
    },
    Table {
        name: "attestations",
        columns: &[("file_id", Type::Text), ("tlog_index", Type::Integer), ("attestation", Type::Text)],
        key: 2,
        has_rowid: false,
    },
    Table {
        name: "earlier_beacons",
        columns: &[
            ("file_id", Type::Text),
            ("token_id", Type::Text),
            ("recipient_id", Type::Text),
            ("issuer_id", Type::Text),
            ("kind", Type::Text),
            ("registered_at", Type::Integer),
        ],
        key: 2,
        has_rowid: true,
    },
    Table {
        name: "earlier_watermarks",
        columns: &[
            ("file_id", Type::Text),
            ("mark_id", Type::Text),
            ("layer", Type::Text),
            ("recipient_id", Type::Text),
            ("issuer_id", Type::Text),
            ("registered_at", Type::Integer),
        ],
        key: 3,
        has_rowid: true,
    },
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
    for table in &TABLES {
        let found = columns_of(connection, table.name)?;
        is_there(connection, table.name, validation)?;
        let selected = table.columns().map(|column| match found.iter().any(|name| name == column) {
            true => column.to_owned(),
            false => {
                if !found.is_empty() {
                    validation.fail(Class::MissingColumns, table.name, column, "the column is not there");
                }
                format!("NULL AS {column}")
            }
        });
        let selected = selected.collect::<Vec<_>>().join(", ");
        let name = table.name;
        let source = if found.is_empty() { "(SELECT 1 LIMIT 0)" } else { &format!("main.{name}") };
        connection
            .execute_batch(&format!("CREATE TEMP TABLE r_{name} AS SELECT {selected} FROM {source}"))?;
        let count = connection.query_row(&format!("SELECT count(*) FROM r_{name}"), [], |row| row.get(0))?;
        validation.rows.push((name, count));
        if !found.is_empty() {
            has_its_key(connection, table, &format!("temp.r_{name}"), validation)?;
            has_its_types(connection, table, &format!("temp.r_{name}"), &found, validation)?;
            definitions::of(connection, table, validation)?;
        }
    }
    has_all_else(connection, validation)?;
    with_earlier_rows(connection)
}

/// The tables of this registry, where the database is one of its own.
fn own(connection: &Connection, validation: &mut Validation) -> rusqlite::Result<()> {
    for table in &OWN_TABLES {
        is_there(connection, table.name, validation)?;
        let found = columns_of(connection, table.name)?;
        let missing: Vec<_> =
            table.columns().filter(|column| !found.iter().any(|name| name == column)).collect();
        if found.is_empty() || !missing.is_empty() {
            for column in missing.iter().filter(|_| !found.is_empty()) {
                validation.fail(Class::MissingColumns, table.name, *column, "the column is not there");
            }
            continue;
        }
        let source = format!("main.{}", table.name);
        has_its_key(connection, table, &source, validation)?;
        has_its_types(connection, table, &source, &found, validation)?;
        definitions::of(connection, table, validation)?;
    }
    Ok(())
}

/// The names of all tables of this registry.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    TABLES.iter().chain(&OWN_TABLES).map(|table| table.name)
}

/// Whether a registry writes to a table of this name.
pub(super) fn is_known(name: &str) -> bool {
    names().any(|known| known == name)
}

/// A view under the name of a table can be read, and not written to.
fn is_there(
    connection: &Connection,
    table: &'static str,
    validation: &mut Validation,
) -> rusqlite::Result<()> {
    let kind: Option<String> = connection
        .query_row("SELECT type FROM main.sqlite_schema WHERE name = ?1", [table], |row| row.get(0))
        .optional()?;
    match kind.as_deref() {
        Some("table") => {}
        None => validation.fail(Class::MissingTables, table, table, "the table is not there"),
        Some(kind) => {
            validation.fail(
                Class::MissingTables,
                table,
                table,
                format!("there is a {kind} in place of the table"),
            );
        }
    }
    Ok(())
}

fn has_its_key(
    connection: &Connection,
    table: &Table,
    source: &str,
    validation: &mut Validation,
) -> rusqlite::Result<()> {
    let key = table.columns().take(table.key).collect::<Vec<_>>().join(", ");
    let statement = "SELECT group_concat(name, ', ') FROM (SELECT name FROM pragma_table_info(?1) WHERE pk > 0 ORDER BY pk)";
    let found: Option<String> = connection.query_row(statement, [table.name], |row| row.get(0))?;
    if found.as_deref() != Some(&key) {
        let why = format!("the key is {}, expected {key}", found.as_deref().unwrap_or("none"));
        validation.fail(Class::MissingKeys, table.name, table.name, why);
    }
    let folding = "SELECT x.name, x.coll FROM pragma_index_list(?1) l, pragma_index_xinfo(l.name) x
         WHERE l.\"unique\" AND x.key AND x.coll <> 'BINARY'";
    each(connection, folding, [table.name], |row| {
        let said = |column| super::text(row, column).unwrap_or_default();
        let why = format!("the key compares {} by {}, expected BINARY", said(0), said(1));
        validation.fail(Class::MissingKeys, table.name, table.name, why);
    })?;
    let named = table.named();
    let statement = format!("SELECT {named}, count(*) FROM {source} GROUP BY {key} HAVING count(*) > 1");
    each(connection, &statement, [], |row| {
        let why = format!("{} rows have this key", super::number(row, 1).unwrap_or_default());
        validation.fail(Class::DuplicateRows, table.name, super::text(row, 0).unwrap_or_default(), why);
    })
}

fn has_its_types(
    connection: &Connection,
    table: &Table,
    source: &str,
    found: &[String],
    validation: &mut Validation,
) -> rusqlite::Result<()> {
    let is_found = |column: &str| found.iter().any(|name| name == column);
    let columns: Vec<_> = table.columns.iter().filter(|(column, _)| is_found(column)).collect();
    let names = columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    let mut statement = connection.prepare(&format!("SELECT {names}, {} FROM {source}", table.named()))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        for (position, (column, kind)) in columns.iter().enumerate() {
            if let Some(misfit) = kind.misfit(row.get_ref(position)?) {
                let why = format!("{column} is {misfit}, expected {}", kind.name());
                let named = super::text(row, columns.len()).unwrap_or_default();
                validation.fail(Class::ColumnTypeMismatches, table.name, named, why);
            }
        }
    }
    Ok(())
}

/// What stands beside the rows: triggers, indexes, and the tables of this registry where it is one of its databases.
fn has_all_else(connection: &Connection, validation: &mut Validation) -> rusqlite::Result<()> {
    each(connection, "SELECT name, tbl_name FROM main.sqlite_schema WHERE type = 'trigger'", [], |row| {
        let name = |column| super::text(row, column).unwrap_or_default();
        validation.fail(Class::Triggers, "database", name(0), format!("a trigger on {}", name(1)));
    })?;
    definitions::indexes(connection, validation)?;
    match schema::is_own(schema::version(connection)?) {
        true => own(connection, validation),
        false => Ok(()),
    }
}

/// Rows of older files that this registry keeps aside.
fn with_earlier_rows(connection: &Connection) -> rusqlite::Result<()> {
    for table in &TABLES {
        let (name, columns) = (table.name, table.list());
        if !columns_of(connection, &format!("earlier_{name}"))?.is_empty() {
            connection.execute_batch(&format!(
                "INSERT INTO temp.r_{name} SELECT {columns} FROM main.earlier_{name}"
            ))?;
        }
    }
    connection.execute_batch(INDEXES)
}

pub(super) fn each(
    connection: &Connection,
    statement: &str,
    parameters: impl Params,
    mut take: impl FnMut(&Row<'_>),
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare(statement)?;
    let mut rows = statement.query(parameters)?;
    while let Some(row) = rows.next()? {
        take(row);
    }
    Ok(())
}

pub(crate) fn columns_of(connection: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare("SELECT name FROM pragma_table_info(?1)")?;
    let names = statement.query_map([table], |row| row.get(0))?;
    names.collect()
}
