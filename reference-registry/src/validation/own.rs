//! Tables that only this registry has: the tree over the leaves, and where registrations stand in the log.

use rusqlite::Connection;

use super::{Class, Validation, number, tables, text};
use crate::{
    attestation::{self, Registered},
    log::{Log, LogError, TileCache},
    merkle::TileId,
};

/// `key` is the registry's own, where it is known.
pub(super) fn all(
    connection: &Connection,
    key: Option<&str>,
    validation: &mut Validation,
) -> rusqlite::Result<()> {
    let has_nodes = !tables::columns_of(connection, "tlog_nodes")?.is_empty();
    let is_contiguous = validation.count(Class::NoncontiguousTlogRecords) == 0;
    if let Some(error) = (has_nodes && is_contiguous).then(|| tree(connection).err()).flatten() {
        validation.fail(Class::TlogNodeMismatches, "tlog_nodes", "", super::chain(&error));
    }
    if has_nodes {
        no_node_beyond(connection, validation)?;
    }
    if !tables::columns_of(connection, "registrations")?.is_empty() {
        registrations(connection, validation)?;
    }
    for (table, statement) in EARLIER {
        if !tables::columns_of(connection, table)?.is_empty() {
            earlier(connection, table, statement, validation)?;
        }
    }
    match tables::columns_of(connection, "attestations")?.is_empty() {
        true => Ok(()),
        false => attestations(connection, key, validation),
    }
}

/// Every leaf leads to its node, and every node to the one above.
fn tree(connection: &Connection) -> Result<(), LogError> {
    let cache = TileCache::default();
    let log = Log::at(connection, &cache)?;
    log.check(0, log.size())?;
    // Events are held against the log by their own rules: one of a wrong type says nothing of the tree.
    log.ends_where_its_nodes_end()?;
    log.root().map(|_| ())
}

/// A tile that no proof reads is one that nobody looks at.
fn no_node_beyond(connection: &Connection, validation: &mut Validation) -> rusqlite::Result<()> {
    let mut statement = connection.prepare("SELECT tile FROM main.tlog_nodes ORDER BY tile")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let tile = number(row, 0).unwrap_or_default();
        if TileId::of_key(tile).width(validation.log_size) == 0 {
            let why = "the log has no leaves beneath these nodes";
            validation.fail(Class::TlogNodeMismatches, "tlog_nodes", format!("tile={tile}"), why);
        }
    }
    Ok(())
}

fn registrations(connection: &Connection, validation: &mut Validation) -> rusqlite::Result<()> {
    let mut statement = connection.prepare(
        "SELECT position, file_id, 'a registration leaf has no row that says the same' FROM temp.leaves WHERE event = 'register' AND NOT EXISTS
             (SELECT 1 FROM main.registrations r WHERE r.tlog_index = position AND r.file_id = leaves.file_id
                 AND r.issuer_pub = text ->> '$.issuer_pub' AND r.registered_at IS unixepoch(text ->> '$.timestamp'))
         UNION ALL SELECT tlog_index, file_id, 'the row has no registration leaf' FROM main.registrations r WHERE NOT EXISTS
             (SELECT 1 FROM temp.leaves WHERE event = 'register' AND position = r.tlog_index AND leaves.file_id = r.file_id)",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (index, file_id) = (number(row, 0).unwrap_or_default(), text(row, 1).unwrap_or_default());
        let why = text(row, 2).unwrap_or_default();
        let row = format!("tlog_index={index} file_id={file_id}");
        validation.fail(Class::RegistrationRowMismatches, "registrations", row, why);
    }
    Ok(())
}

/// Rows kept aside that have no row of a file that was registered later in their place.
const EARLIER: [(&str, &str); 2] = [
    (
        "earlier_beacons",
        "SELECT concat('token_id=', token_id, ' file_id=', file_id) FROM main.earlier_beacons e WHERE NOT EXISTS (
             SELECT 1 FROM main.beacons b WHERE b.token_id = e.token_id AND b.file_id <> e.file_id AND
                 (SELECT max(position) FROM temp.leaves l WHERE event = 'register' AND l.file_id = b.file_id) >
                 (SELECT max(position) FROM temp.leaves l WHERE event = 'register' AND l.file_id = e.file_id))",
    ),
    (
        "earlier_watermarks",
        "SELECT concat('mark_id=', mark_id, ' layer=', layer, ' file_id=', file_id) FROM main.earlier_watermarks e WHERE NOT EXISTS (
             SELECT 1 FROM main.watermarks w WHERE w.mark_id = e.mark_id AND w.layer = e.layer AND w.file_id <> e.file_id AND
                 (SELECT max(position) FROM temp.leaves l WHERE event = 'register' AND l.file_id = w.file_id) >
                 (SELECT max(position) FROM temp.leaves l WHERE event = 'register' AND l.file_id = e.file_id))",
    ),
];

fn earlier(
    connection: &Connection,
    table: &'static str,
    statement: &str,
    validation: &mut Validation,
) -> rusqlite::Result<()> {
    tables::each(connection, statement, [], |row| {
        let why = "no file that was registered later answers for it";
        validation.fail(Class::EarlierRowMismatches, table, text(row, 0).unwrap_or_default(), why);
    })
}

fn attestations(
    connection: &Connection,
    key: Option<&str>,
    validation: &mut Validation,
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare(
        "SELECT a.tlog_index, a.file_id, a.attestation, l.text ->> '$.issuer_pub', unixepoch(l.text ->> '$.timestamp')
         FROM main.attestations a LEFT JOIN temp.leaves l
             ON l.event = 'register' AND l.position = a.tlog_index AND l.file_id = a.file_id",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (index, file_id) = (number(row, 0).unwrap_or_default(), text(row, 1).unwrap_or_default());
        let why = match (text(row, 3), number(row, 4)) {
            (Some(issuer_key), Some(registered_at)) => {
                let registered = Registered { file_id: &file_id, issuer_key: &issuer_key, registered_at };
                attestation::fault(&text(row, 2).unwrap_or_default(), &registered, key)
            }
            _ => Some("the log has no such registration"),
        };
        if let Some(why) = why {
            let row = format!("tlog_index={index} file_id={file_id}");
            validation.fail(Class::AttestationMismatches, "attestations", row, why);
        }
    }
    Ok(())
}
