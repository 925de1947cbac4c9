//! Rows that hang on a file: beacons, watermarks, corpus. Events have a page of their own.

use rusqlite::{Connection, OptionalExtension, Row};

use super::{
    Class, Validation, digits, manifests::Registrations, note::Note, number, shown, tables::each, text,
};
use crate::{lossless::Json, registration::MAX_CORPUS};

/// A table whose rows belong to files.
struct Table {
    name: &'static str,
    /// Key of a row, as a text; then file, recipient, issuer and second of registration.
    rows: &'static str,
    orphan: Class,
    identity: Option<Class>,
}

const TABLES: [Table; 3] = [
    Table {
        name: "beacons",
        rows: "SELECT concat('token_id=', token_id), file_id, recipient_id, issuer_id, registered_at FROM r_beacons",
        orphan: Class::OrphanBeacons,
        identity: Some(Class::BeaconIdentityMismatches),
    },
    Table {
        name: "watermarks",
        rows: "SELECT concat('mark_id=', mark_id, ' layer=', layer), file_id, recipient_id, issuer_id, registered_at
             FROM r_watermarks",
        orphan: Class::OrphanWatermarks,
        identity: Some(Class::WatermarkIdentityMismatches),
    },
    Table {
        name: "corpus",
        rows: "SELECT concat('file_id=', file_id, ' hash_kind=', hash_kind, ' hash_value=', hash_value), file_id,
             NULL, NULL, registered_at FROM r_corpus",
        orphan: Class::OrphanCorpus,
        identity: None,
    },
];

pub(super) fn all(connection: &Connection, validation: &mut Validation) -> rusqlite::Result<()> {
    for table in TABLES {
        let mut statement = connection.prepare(table.rows)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            belongs(connection, &table, row, validation)?;
        }
    }
    corpus_metadata(connection, validation)?;
    corpus_rows(connection, validation)
}

fn belongs(
    connection: &Connection,
    table: &Table,
    row: &Row<'_>,
    validation: &mut Validation,
) -> rusqlite::Result<()> {
    let name = text(row, 0).unwrap_or_default();
    let file_id = text(row, 1).unwrap_or_default();
    let Some(owner) = owner(connection, &file_id)? else {
        let why = format!("no manifest has file_id {}", shown(Some(&file_id)));
        validation.fail(table.orphan, table.name, name, why);
        return Ok(());
    };
    let (registrations, second) = (Registrations::of(connection, &file_id, validation), number(row, 4));
    let found = (text(row, 2), text(row, 3));
    if let Some(class) = table.identity.filter(|_| found != owner) {
        let is_earlier = match second {
            Some(second) => registrations.named_at(second, &found)?,
            None => false,
        };
        match is_earlier && !validation.is_born_here {
            true => {
                let note = format!("{}: {name} is of an earlier registration of {file_id}", table.name);
                validation.note(Note::EarlierRegistration, note);
            }
            false => validation.fail(class, table.name, name.clone(), different(&found, &owner)),
        }
    }
    let has_leaf = match second {
        Some(second) => registrations.happened_at(second)?,
        None => false,
    };
    if !has_leaf {
        let (found, file) = (digits(second), shown(Some(&file_id)));
        let why = format!("registered_at is {found}, at which the log has no registration of {file}");
        validation.fail(Class::RegisteredAtMismatches, table.name, name, why);
    }
    Ok(())
}

/// Recipient and issuer.
pub(super) type Owner = (Option<String>, Option<String>);

pub(super) fn owner(connection: &Connection, file_id: &str) -> rusqlite::Result<Option<Owner>> {
    connection
        .prepare_cached("SELECT recipient_id, issuer_id FROM r_manifests WHERE file_id = ?1")?
        .query_row([file_id], |row| Ok((text(row, 0), text(row, 1))))
        .optional()
}

pub(super) fn different(found: &Owner, expected: &Owner) -> String {
    let both = |owner: &Owner| format!("{} and {}", shown(owner.0.as_deref()), shown(owner.1.as_deref()));
    format!("recipient_id and issuer_id are {}, those of the manifest's row {}", both(found), both(expected))
}

fn corpus_metadata(connection: &Connection, validation: &mut Validation) -> rusqlite::Result<()> {
    let mut statement = connection.prepare(
        "SELECT concat('file_id=', file_id, ' hash_kind=', hash_kind), metadata FROM r_corpus WHERE metadata IS NOT NULL",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let metadata: String = row.get(1).unwrap_or_else(|_| String::from("?"));
        if let Some(error) =
            Some(metadata.trim()).filter(|text| !text.is_empty()).and_then(|text| Json::read(text).err())
        {
            let name = text(row, 0).unwrap_or_default();
            validation.fail(Class::MalformedCorpusMetadataJson, "corpus", name, error.to_string());
        }
    }
    Ok(())
}

/// Longest hash and name of a kind that this registry takes, in bytes.
const MAX_OWN: usize = 256;

/// Neither signature nor log covers a corpus. What can be said is what no registration writes: an empty hash, and of the one object
/// that it brings two hashes under one name. Published registries keep the hashes of earlier registrations.
fn corpus_rows(connection: &Connection, validation: &mut Validation) -> rusqlite::Result<()> {
    let is_own = validation.is_born_here;
    let rows = "SELECT concat('file_id=', file_id, ' hash_kind=', hash_kind), hash_kind, hash_value, metadata FROM r_corpus";
    each(connection, rows, [], |row| {
        let length = |column| text(row, column).unwrap_or_default().len();
        let why = match (length(2), length(1)) {
            (0, _) => "hash_value is empty",
            (value, kind) if is_own && value.max(kind) > MAX_OWN => {
                "hash_kind or hash_value is longer than 256 bytes"
            }
            _ if is_own && text(row, 3).is_some() => "metadata is there, which this registry does not write",
            _ => return,
        };
        validation.fail(Class::CorpusRowMismatches, "corpus", text(row, 0).unwrap_or_default(), why);
    })?;
    let twice = "SELECT concat('file_id=', file_id, ' hash_kind=', hash_kind), count(*) FROM r_corpus c GROUP BY file_id, hash_kind
         HAVING count(*) > 1 AND (?1 OR 2 > (SELECT count(*) FROM temp.leaves l WHERE event = 'register' AND l.file_id = c.file_id))";
    let many = format!(
        "SELECT concat('file_id=', file_id), count(*) FROM r_corpus GROUP BY file_id HAVING ?1 AND count(*) > {MAX_CORPUS}"
    );
    each(connection, &many, [is_own], |row| {
        let why = format!("{} hashes, expected at most {MAX_CORPUS}", number(row, 1).unwrap_or_default());
        validation.fail(Class::CorpusRowMismatches, "corpus", text(row, 0).unwrap_or_default(), why);
    })?;
    each(connection, twice, [is_own], |row| {
        let why = format!("{} hashes of one kind, from one registration", number(row, 1).unwrap_or_default());
        validation.fail(Class::CorpusRowMismatches, "corpus", text(row, 0).unwrap_or_default(), why);
    })
}
