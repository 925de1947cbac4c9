//! What the tables say, read within one snapshot.

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::{Map, Value, json};

use crate::{
    attestation,
    error::{ApiError, Code},
    log::Log,
    strict_json,
    text::Text,
};

/// Rows and log as they are at one moment.
pub(crate) struct Snapshot<'c> {
    connection: &'c Connection,
    pub(crate) log: Log<'c>,
}

/// What a beacon, watermark or corpus row says of the file it belongs to.
pub(crate) struct Owner {
    pub(crate) file_id: String,
    pub(crate) recipient_id: String,
    pub(crate) issuer_id: String,
}

/// Where a mark stands in the order of marks, newest first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) registered_at: i64,
    pub(crate) row: i64,
}

/// Some marks, and where the next page begins, if there is one.
pub(crate) struct Page {
    pub(crate) marks: Vec<Value>,
    pub(crate) next: Option<Place>,
}

impl<'c> Snapshot<'c> {
    pub(crate) fn new(connection: &'c Connection, log: Log<'c>) -> Self {
        Self { connection, log }
    }

    /// The manifest as it was stored.
    pub(crate) fn manifest_text(&self, file_id: &str) -> Result<Option<String>, ApiError> {
        let mut statement =
            self.connection.prepare_cached("SELECT manifest_json FROM manifests WHERE file_id = ?1")?;
        Ok(statement.query_row([file_id], |row| row.get(0)).optional()?)
    }

    pub(crate) fn manifest(&self, file_id: &str) -> Result<Option<Map<String, Value>>, ApiError> {
        self.manifest_text(file_id)?.map(|text| read_manifest(&text)).transpose()
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
        owner_of_token(self.connection, token_id)
    }

    fn owner(&self, statement: &str, parameters: impl rusqlite::Params) -> Result<Option<Owner>, ApiError> {
        Ok(self.connection.prepare_cached(statement)?.query_row(parameters, owner_row).optional()?)
    }

    /// Writes the beacon rows of a file, also those of tokens that a newer file of the issuer answers for.
    pub(crate) fn beacons(&self, text: &mut Text, file_id: &str) -> Result<(), ApiError> {
        for table in ["beacons", "earlier_beacons"] {
            let statement = format!(
                "SELECT file_id, issuer_id, kind, recipient_id, registered_at, token_id FROM {table} WHERE file_id = ?1 ORDER BY rowid"
            );
            let mut statement = self.connection.prepare_cached(&statement)?;
            text.rows(&mut statement, file_id, "", |_| ())?;
        }
        Ok(())
    }

    /// Writes the watermark rows of a file, also those of marks that a newer file of the issuer answers for.
    pub(crate) fn watermarks(&self, text: &mut Text, file_id: &str) -> Result<(), ApiError> {
        for table in ["watermarks", "earlier_watermarks"] {
            let statement = format!(
                "SELECT file_id, issuer_id, layer, mark_id, recipient_id, registered_at FROM {table} WHERE file_id = ?1 ORDER BY rowid"
            );
            let mut statement = self.connection.prepare_cached(&statement)?;
            text.rows(&mut statement, file_id, "", |_| ())?;
        }
        Ok(())
    }

    /// Writes the event rows of a file, and gives the index of the leaf of each.
    pub(crate) fn events(&self, text: &mut Text, file_id: &str) -> Result<Vec<Option<i64>>, ApiError> {
        let statement = "SELECT extra, file_id, id, issuer_id, kind, qualified_timestamp, recipient_id, source_ip, timestamp,
             tlog_index, token_id, user_agent FROM events WHERE file_id = ?1 ORDER BY timestamp, id";
        let mut indexes = Vec::new();
        let mut statement = self.connection.prepare_cached(statement)?;
        text.rows(&mut statement, file_id, "tlog_index", |index| indexes.push(index))?;
        Ok(indexes)
    }

    /// The registrations of a file in the log: index, issuer key and seconds.
    pub(crate) fn registrations(&self, file_id: &str) -> Result<Vec<Value>, ApiError> {
        let statement = "SELECT tlog_index, issuer_pub, registered_at FROM registrations WHERE file_id = ?1 ORDER BY tlog_index";
        self.rows(statement, [file_id])
    }

    /// What was attested of the last registration of a file.
    pub(crate) fn attestation(&self, file_id: &str) -> Result<Option<Value>, ApiError> {
        let last = self.registrations(file_id)?.pop();
        let index = last.and_then(|row| row.get("tlog_index")?.as_u64());
        index.map_or(Ok(None), |index| attestation::kept(self.connection, file_id, index))
    }

    pub(crate) fn recent_events(&self, file_id: &str) -> Result<Vec<Value>, ApiError> {
        let statement = "SELECT kind, source_ip, user_agent, timestamp, qualified_timestamp, tlog_index
             FROM events WHERE file_id = ?1 ORDER BY timestamp DESC, id DESC LIMIT 50";
        self.rows(statement, [file_id])
    }

    /// A page of the marks in the layer `L3_semantic` that were registered at `since` or later, newest first.
    pub(crate) fn semantic_candidates(
        &self,
        since: u64,
        limit: u64,
        before: Option<Place>,
    ) -> Result<Page, ApiError> {
        let statement = "SELECT mark_id, file_id, recipient_id, registered_at, rowid FROM watermarks
             WHERE layer = 'L3_semantic' AND registered_at >= ?1 AND (registered_at, rowid) < (?2, ?3)
             ORDER BY registered_at DESC, rowid DESC LIMIT ?4";
        let end = before.unwrap_or(Place { registered_at: i64::MAX, row: i64::MAX });
        let bound = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let limit = bound(limit);
        // One more than asked for shows whether there are more.
        let mut marks =
            self.rows(statement, params![bound(since), end.registered_at, end.row, limit.saturating_add(1)])?;
        let has_more = bound(marks.len() as u64) > limit;
        if has_more {
            marks.pop();
        }
        let mut last = None;
        for mark in &mut marks {
            last = place_of(mark);
        }
        Ok(Page { marks, next: last.filter(|_| has_more) })
    }

    /// Rows as JSON objects, members named and ordered like the columns.
    fn rows(&self, statement: &str, parameters: impl rusqlite::Params) -> Result<Vec<Value>, ApiError> {
        let mut statement = self.connection.prepare_cached(statement)?;
        let names: Vec<String> = statement.column_names().map(String::from).collect();
        let rows = statement.query_map(parameters, |row| json_row(&names, row))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

/// Takes the row number off a mark: it is the registry's own.
fn place_of(mark: &mut Value) -> Option<Place> {
    let row = mark.as_object_mut()?.shift_remove("rowid")?.as_i64()?;
    Some(Place { registered_at: mark.get("registered_at")?.as_i64()?, row })
}

/// A stored manifest as it is signed again within a bundle. One that was taken over from another registry can have numbers
/// or a nesting that no canonical form of this registry keeps: it is refused, since what would be served is not what its
/// issuer signed.
pub(crate) fn read_manifest(text: &str) -> Result<Map<String, Value>, ApiError> {
    match strict_json::parse(text.as_bytes()) {
        Ok(Value::Object(members)) => Ok(members),
        _ => Err(ApiError::new(Code::ServerError, "the stored manifest of this file has no RFC 8785 form")),
    }
}

pub(crate) fn owner_of_token(connection: &Connection, token_id: &str) -> Result<Option<Owner>, ApiError> {
    let statement = "SELECT file_id, recipient_id, issuer_id FROM beacons WHERE token_id = ?1";
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
