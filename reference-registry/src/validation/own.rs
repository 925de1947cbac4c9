//! Tables that only this registry has: the tree over the leaves, and where registrations stand in the log.

use rusqlite::Connection;

use super::{Class, Validation, tables};
use crate::log::{Log, LogError, TileCache};

pub(super) fn all(connection: &Connection, validation: &mut Validation) -> rusqlite::Result<()> {
    let has_nodes = !tables::columns_of(connection, "tlog_nodes")?.is_empty();
    let is_contiguous = validation.count(Class::NoncontiguousTlogRecords) == 0;
    if let Some(error) = (has_nodes && is_contiguous).then(|| tree(connection).err()).flatten() {
        validation.fail(Class::TlogNodeMismatches, "tlog_nodes", "", super::chain(&error));
    }
    match tables::columns_of(connection, "registrations")?.is_empty() {
        true => Ok(()),
        false => registrations(connection, validation),
    }
}

/// Every leaf leads to its node, and every node to the one above.
fn tree(connection: &Connection) -> Result<(), LogError> {
    let cache = TileCache::default();
    let log = Log::at(connection, &cache)?;
    log.check(0, log.size())?;
    log.check_end()?;
    log.root().map(|_| ())
}

fn registrations(connection: &Connection, validation: &mut Validation) -> rusqlite::Result<()> {
    let mut statement = connection.prepare(
        "SELECT position, file_id, 'a registration leaf has no row' FROM temp.leaves WHERE event = 'register' AND NOT EXISTS
             (SELECT 1 FROM main.registrations r WHERE r.tlog_index = position AND r.file_id = leaves.file_id
                 AND r.issuer_pub = text ->> '$.issuer_pub')
         UNION ALL SELECT tlog_index, file_id, 'the row has no registration leaf' FROM main.registrations r WHERE NOT EXISTS
             (SELECT 1 FROM temp.leaves WHERE event = 'register' AND position = r.tlog_index AND leaves.file_id = r.file_id)",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (index, file_id, why): (i64, Option<String>, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let row = format!("tlog_index={index} file_id={}", file_id.unwrap_or_default());
        validation.fail(Class::RegistrationRowMismatches, "registrations", row, why);
    }
    Ok(())
}
