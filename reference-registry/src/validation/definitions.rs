//! How tables and indexes are defined: what a registry writes must be kept as it is written, and all of it.

use rusqlite::{Connection, OptionalExtension};

use super::{
    Class, Validation,
    note::Note,
    number,
    tables::{self, Table, each},
    text,
};

/// An index that registries make: its table, its columns, and what may stand in their place in databases of the field.
struct Index {
    name: &'static str,
    table: &'static str,
    columns: &'static [&'static str],
    /// Whether it covers some of the rows alone.
    is_partial: bool,
    /// Whether every registry has it.
    is_of_all: bool,
}

impl Index {
    const fn of_all(name: &'static str, table: &'static str, columns: &'static [&'static str]) -> Self {
        Self { name, table, columns, is_partial: false, is_of_all: true }
    }

    const fn own(name: &'static str, table: &'static str, columns: &'static [&'static str]) -> Self {
        Self { name, table, columns, is_partial: false, is_of_all: false }
    }
}

const INDEXES: [Index; 8] = [
    Index::of_all("idx_events_token", "events", &["token_id"]),
    // Those in the field have the first column alone.
    Index::of_all("idx_events_file", "events", &["file_id", "timestamp"]),
    Index::of_all("idx_corpus_hash", "corpus", &["hash_kind", "hash_value"]),
    Index::own("idx_beacons_file", "beacons", &["file_id"]),
    Index::own("idx_watermarks_file", "watermarks", &["file_id"]),
    Index { is_partial: true, ..Index::own("idx_watermarks_semantic", "watermarks", &["registered_at"]) },
    Index::own("idx_earlier_beacons", "earlier_beacons", &["token_id"]),
    Index::own("idx_earlier_watermarks", "earlier_watermarks", &["mark_id", "layer"]),
];

/// Words of a definition with which a table refuses, drops or changes what is written to it.
const MEDDLING: [&str; 4] = ["check", "conflict", "references", "collate"];

/// What is wrong with the definition of a table that has all its columns.
pub(super) fn of(
    connection: &Connection,
    table: &Table,
    validation: &mut Validation,
) -> rusqlite::Result<()> {
    let mut faults = columns(connection, table)?;
    let kind: Option<(String, bool)> = connection
        .query_row(
            "SELECT type, wr FROM pragma_table_list WHERE schema = 'main' AND name = ?1",
            [table.name],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    match kind {
        Some((kind, _)) if kind == "virtual" => faults.push(String::from("it is a virtual table")),
        Some((kind, without_rowid)) if kind == "table" && without_rowid == table.has_rowid => {
            faults.push(String::from(if without_rowid {
                "its rows have no rowid"
            } else {
                "its rows have a rowid"
            }));
        }
        _ => {}
    }
    let definition: Option<String> = connection
        .query_row("SELECT sql FROM main.sqlite_schema WHERE name = ?1", [table.name], |row| row.get(0))
        .optional()?
        .flatten();
    let words = words(&definition.unwrap_or_default());
    let has = |word: &str| words.iter().any(|found| found == word);
    faults.extend(MEDDLING.iter().filter(|word| has(word)).map(|word| format!("it is defined with {word}")));
    if table.name == "events" && !has("autoincrement") {
        faults.push(String::from(
            "numbers of deleted events are given out again: it is defined without autoincrement",
        ));
    }
    for why in faults {
        validation.fail(Class::DefinitionMismatches, table.name, table.name, why);
    }
    Ok(())
}

fn columns(connection: &Connection, table: &Table) -> rusqlite::Result<Vec<String>> {
    let mut faults = Vec::new();
    let statement =
        "SELECT name, upper(type), \"notnull\", dflt_value IS NOT NULL, hidden FROM pragma_table_xinfo(?1)";
    each(connection, statement, [table.name], |row| {
        let (name, declared) = (text(row, 0).unwrap_or_default(), text(row, 1).unwrap_or_default());
        let is = |column| number(row, column).unwrap_or_default() != 0;
        let (needs_value, has_default, is_generated) = (is(2), is(3), is(4));
        let place = table.columns.iter().position(|(column, _)| *column == name);
        let Some((place, (_, kind))) = place.and_then(|place| Some((place, table.columns.get(place)?)))
        else {
            if is_generated {
                faults.push(format!("{name} is generated from other columns, and no registry has it"));
            } else if needs_value && !has_default {
                faults.push(format!("{name} needs a value that no registry gives it"));
            }
            return;
        };
        if declared != kind.name() {
            faults.push(format!("{name} is declared as {declared:?}, expected {}", kind.name()));
        }
        if is_generated {
            faults.push(format!("{name} is generated from other columns"));
        }
        // What SQLite itself says of the columns of a key depends on how the key is written.
        if place >= table.key && needs_value == kind.may_be_null() {
            faults.push(format!("{name} {} NULL", if needs_value { "refuses" } else { "takes" }));
        }
    })?;
    Ok(faults)
}

/// Indexes that registries make must be those; others may make look-ups faster, and must not refuse what is written.
pub(super) fn indexes(connection: &Connection, validation: &mut Validation) -> rusqlite::Result<()> {
    let mut found = Vec::new();
    let statement = "SELECT s.name, s.tbl_name, l.\"unique\", l.partial,
             (SELECT group_concat(coalesce(name, '(an expression)')) FROM (SELECT name FROM pragma_index_info(s.name) ORDER BY seqno))
         FROM main.sqlite_schema s, pragma_index_list(s.tbl_name) l WHERE s.type = 'index' AND l.name = s.name AND l.origin <> 'pk'";
    each(connection, statement, [], |row| {
        let said = |column| text(row, column).unwrap_or_default();
        let is = |column| number(row, column).unwrap_or_default() != 0;
        let (name, table) = (said(0), said(1));
        // What others keep beside the tables of a registry is theirs.
        if !tables::is_known(&table) {
            return;
        }
        if let Some(why) = fault(&name, &table, is(2), is(3), &said(4)) {
            validation.fail(Class::DefinitionMismatches, "database", name.clone(), why);
        }
        found.push(name);
    })?;
    for index in
        INDEXES.iter().filter(|index| index.is_of_all && !found.iter().any(|name| name == index.name))
    {
        let note = format!("the index {} is not there: look-ups read a whole table", index.name);
        validation.note(Note::MissingIndex, note);
    }
    Ok(())
}

fn fault(name: &str, table: &str, is_unique: bool, is_partial: bool, columns: &str) -> Option<String> {
    if is_unique {
        return Some(format!("the index refuses rows of {table} that a registry may write: it is unique"));
    }
    let Some(expected) = INDEXES.iter().find(|index| index.name == name) else {
        let may_fail = is_partial || columns.contains("(an expression)");
        return may_fail
            .then(|| format!("the index computes something of each row that is written to {table}"));
    };
    let is_prefix = expected.columns.join(",").split(',').zip(columns.split(',')).all(|(a, b)| a == b)
        && columns.split(',').count() <= expected.columns.len();
    let is_right = table == expected.table && is_partial == expected.is_partial && is_prefix;
    (!is_right).then(|| {
        let part = if is_partial { ", of some rows" } else { "" };
        format!(
            "the index is on {table}({columns}){part}, expected {}({})",
            expected.table,
            expected.columns.join(",")
        )
    })
}

/// The words of an SQL text in small letters, without what stands in quotes, brackets and comments.
fn words(sql: &str) -> Vec<String> {
    let (mut words, mut rest) = (Vec::new(), sql);
    while let Some(first) = rest.chars().next() {
        let ends = |close: &str, from: usize| {
            rest.get(from..).and_then(|rest| rest.find(close)).map(|at| from + at + close.len())
        };
        let length = match first {
            '\'' | '"' | '`' => ends(&first.to_string(), 1),
            '[' => ends("]", 1),
            '-' if rest.starts_with("--") => ends("\n", 2),
            '/' if rest.starts_with("/*") => ends("*/", 2),
            _ if first.is_alphanumeric() || first == '_' => {
                let word: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                let length = word.len();
                words.push(word.to_lowercase());
                Some(length)
            }
            _ => Some(first.len_utf8()),
        };
        rest = length.and_then(|length| rest.get(length..)).unwrap_or_default();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_outside_quotes_and_comments() {
        let sql = "CREATE TABLE \"check\" (a TEXT DEFAULT 'it''s conflict' NOT NULL, [references] b) -- collate\n/* check */ é_1 'open";
        let expected = ["create", "table", "a", "text", "default", "not", "null", "b", "é_1"];
        assert_eq!(words(sql), expected);
    }
}
