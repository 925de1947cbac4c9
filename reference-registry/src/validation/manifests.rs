//! Manifests: their text, their signature, and what the log says of their registration.

use std::{collections::BTreeSet, sync::Arc};

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::Value;

use super::{Class, Validation, digits, files::Owner, note::Note, number, shown, text};
use crate::{canonical::Form, faults::Faults, lossless::Json, manifest::Manifest, published, strict_json};

/// What rows and leaves say where the manifest does not name an issuer or recipient.
const UNKNOWN: &str = "unknown";

/// A row of `manifests`; a column that is no text or number is absent.
struct Stored {
    file_id: String,
    recipient_id: Option<String>,
    issuer_id: Option<String>,
    issuer_key: Option<String>,
    text: Option<String>,
    registered_at: Option<i64>,
}

impl Stored {
    fn read(row: &Row<'_>) -> Self {
        Self {
            file_id: text(row, 0).unwrap_or_default(),
            recipient_id: text(row, 1),
            issuer_id: text(row, 2),
            issuer_key: text(row, 3),
            text: text(row, 4),
            registered_at: number(row, 5),
        }
    }
}

/// Which tokens the manifests list: a row for each, and one without a token for each manifest that was read.
const LISTED: &str = "
CREATE TEMP TABLE listed (file_id TEXT NOT NULL, token_id TEXT);
CREATE INDEX temp.listed_file ON listed (file_id, token_id);
CREATE INDEX temp.listed_token ON listed (token_id);
";

/// Where the tokens of files that were registered once became known: anybody may report events of a token that no file has, so that
/// each of these must be a look-up.
const KNOWN: &str = "
CREATE TEMP TABLE once AS SELECT file_id, min(position) AS position FROM temp.registered GROUP BY file_id HAVING count(*) = 1;
CREATE TEMP TABLE known AS SELECT token_id, position, l.file_id FROM temp.once o CROSS JOIN temp.listed l
    WHERE l.file_id = o.file_id AND token_id IS NOT NULL;
CREATE INDEX temp.known_token ON known (token_id, position);
";

pub(super) fn all(connection: &Connection, validation: &mut Validation) -> rusqlite::Result<()> {
    connection.execute_batch(LISTED)?;
    let mut statement = connection.prepare(
        "SELECT file_id, recipient_id, issuer_id, issuer_ed25519_pub, manifest_json, registered_at FROM r_manifests",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        one(connection, &Stored::read(row), validation)?;
    }
    connection.execute_batch(KNOWN)?;
    leaves_have_manifests(connection, validation)
}

fn one(connection: &Connection, stored: &Stored, validation: &mut Validation) -> rusqlite::Result<()> {
    let row = format!("file_id={}", stored.file_id);
    let text = stored.text.as_deref().unwrap_or_default();
    let manifest = match read(text) {
        Ok(manifest) => manifest,
        Err(why) => {
            validation.fail(Class::MalformedManifestJson, "manifests", row, why);
            return Ok(());
        }
    };
    if let Err(error) = strict_json::parse(text.as_bytes()) {
        let note = format!("manifests: {row} cannot be served in a bundle of this registry: {error}");
        validation.note(Note::Unservable, note);
    }
    is_signed(&row, text, &manifest, validation);
    let is_as_stored = match validation.is_born_here {
        true => published::is_compact(&manifest, text),
        false => published::is_as_stored(&manifest, text),
    };
    if !is_as_stored {
        let why = "the same JSON, spelled as no registry stores it: blanks, escapes or numbers";
        validation.fail(Class::ManifestTextMismatches, "manifests", row.clone(), why);
    }
    let unsigned = published::unsigned_members(&manifest);
    if !unsigned.is_empty() {
        let why = format!("no signature covers {}", unsigned.join(", "));
        validation.fail(Class::UnsignedManifestMembers, "manifests", row, why);
    }
    says_what_its_row_says(stored, &manifest, validation);
    remember(connection, stored, &manifest)?;
    let registrations = Registrations::of(connection, &stored.file_id, validation);
    registrations.include(stored, &manifest, validation)?;
    has_its_rows(connection, &BEACONS, stored, &manifest, &registrations, validation)?;
    has_its_rows(connection, &WATERMARKS, stored, &manifest, &registrations, validation)
}

fn is_signed(row: &str, text: &str, manifest: &Json, validation: &mut Validation) {
    let as_others_do = if validation.is_born_here { None } else { published::verified(manifest) };
    match as_others_do {
        Some(nulls) if nulls.is_empty() => {}
        _ if verifies_as_own(text) => {}
        Some(nulls) => {
            let nulls = nulls.join(", ");
            let note =
                format!("manifests: {row}: {nulls}: null, left out by its registry, and in no signature");
            validation.note(Note::UnsignedNulls, note);
        }
        None => {
            let why = "the issuer's signature verifies in none of the forms that registries have used";
            validation.fail(Class::InvalidManifestSignatures, "manifests", row, why);
        }
    }
}

fn read(text: &str) -> Result<Json, String> {
    let manifest = Json::read_own(text).map_err(|error| error.to_string())?;
    match published::wrong_type(&manifest) {
        Some((name, expected)) => Err(format!("/{name} is not {expected}")),
        None => Ok(manifest),
    }
}

fn remember(connection: &Connection, stored: &Stored, manifest: &Json) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached("INSERT INTO temp.listed VALUES (?1, ?2)")?;
    let tokens = manifest.list_of("beacons").iter().filter_map(|item| item.words_of("token_id"));
    tokens
        .map(Some)
        .chain([None])
        .try_for_each(|token| statement.execute(params![stored.file_id, token]).map(|_| ()))
}

/// What is known of the tokens of a file.
pub(super) struct Listing<'f> {
    file_id: &'f str,
    /// Position of the first leaf of a registration.
    pub(super) registered_at: Option<i64>,
    /// Whether the manifest that is there is the only one that ever was.
    pub(super) is_known: bool,
}

impl<'f> Listing<'f> {
    pub(super) fn of(connection: &Connection, file_id: &'f str) -> rusqlite::Result<Self> {
        let statement = "SELECT first, coalesce(first = last, 0) AND EXISTS (SELECT 1 FROM temp.listed WHERE file_id = ?1 AND token_id IS NULL)
             FROM (SELECT (SELECT min(position) FROM temp.registered WHERE file_id = ?1) AS first,
                 (SELECT max(position) FROM temp.registered WHERE file_id = ?1) AS last)";
        let (registered_at, is_known) = connection
            .prepare_cached(statement)?
            .query_row([file_id], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(Self { file_id, registered_at, is_known })
    }

    pub(super) fn lists(&self, connection: &Connection, token_id: &str) -> rusqlite::Result<bool> {
        let statement = "SELECT EXISTS (SELECT 1 FROM temp.listed WHERE file_id = ?1 AND token_id = ?2)";
        connection.prepare_cached(statement)?.query_row([self.file_id, token_id], |row| row.get(0))
    }
}

/// A file that lists the token and whose only registration stands before a leaf.
pub(super) fn registered_before(
    connection: &Connection,
    token_id: &str,
    index: i64,
) -> rusqlite::Result<Option<String>> {
    let statement =
        "SELECT file_id FROM temp.known WHERE token_id = ?1 AND position < ?2 ORDER BY position LIMIT 1";
    connection.prepare_cached(statement)?.query_row(params![token_id, index], |row| row.get(0)).optional()
}

/// As this registry reads and signs.
fn verifies_as_own(text: &str) -> bool {
    let (Ok(Value::Object(members)), Ok(faults)) =
        (strict_json::parse(text.as_bytes()), Faults::new(BTreeSet::new(), None))
    else {
        return false;
    };
    let manifest = Manifest::read(Arc::new(members), &faults);
    manifest.is_ok_and(|manifest| {
        [Form::Jcs, Form::SortedAscii].into_iter().any(|form| manifest.verify(form, &faults).is_ok())
    })
}

fn says_what_its_row_says(stored: &Stored, manifest: &Json, validation: &mut Validation) {
    let row = format!("file_id={}", stored.file_id);
    let file_id = manifest.text_of("file_id").unwrap_or_default();
    if file_id != stored.file_id {
        let why = format!("the manifest says {file_id}");
        validation.fail(Class::MismatchedManifestFileIds, "manifests", row.clone(), why);
    }
    let key = manifest.text_of("issuer_ed25519_pub");
    let columns = [
        ("recipient_id", &stored.recipient_id, recipient_id(manifest)),
        ("issuer_id", &stored.issuer_id, manifest.text_of("issuer_id")),
        ("issuer_ed25519_pub", &stored.issuer_key, key),
    ];
    for (column, found, signed) in columns {
        if !is_named(found.as_deref(), signed) {
            let why = format!("{column} is {}, the manifest says {}", shown(found.as_deref()), shown(signed));
            validation.fail(Class::ManifestRowMismatches, "manifests", row.clone(), why);
        }
    }
}

fn recipient_id(manifest: &Json) -> Option<&str> {
    manifest.get("recipient").and_then(|recipient| recipient.text_of("recipient_id"))
}

/// Where a manifest names nobody, rows say `unknown` or nothing.
fn is_named(found: Option<&str>, signed: Option<&str>) -> bool {
    match signed.filter(|signed| !signed.is_empty()) {
        Some(signed) => found == Some(signed),
        None => matches!(found, None | Some("" | UNKNOWN)),
    }
}

/// The registration leaves of one file. It may be registered as often as its issuer likes, and each of its rows and events asks for them:
/// what is asked of them all is a look-up.
pub(super) struct Registrations<'a> {
    connection: &'a Connection,
    file_id: &'a str,
    /// Seconds by which a row may differ from its leaf.
    tolerance: i64,
}

impl<'a> Registrations<'a> {
    pub(super) fn of(connection: &'a Connection, file_id: &'a str, validation: &Validation) -> Self {
        Self { connection, file_id, tolerance: validation.tolerance() }
    }

    /// In the order of the log.
    fn leaves(&self) -> rusqlite::Result<Vec<(i64, Json)>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT position, text FROM temp.leaves WHERE event = 'register' AND file_id = ?1 ORDER BY position",
        )?;
        let leaves =
            statement.query_map([self.file_id], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))?;
        let leaves: Vec<(i64, String)> = leaves.collect::<Result<_, _>>()?;
        let read = |(position, text): (i64, String)| Some((position, Json::read(&text).ok()?));
        Ok(leaves.into_iter().filter_map(read).collect())
    }

    fn include(&self, stored: &Stored, manifest: &Json, validation: &mut Validation) -> rusqlite::Result<()> {
        let row = format!("file_id={}", stored.file_id);
        let leaves = self.leaves()?;
        let Some((position, last)) = leaves.last() else {
            let why = "no leaf says that this file was registered";
            validation.fail(Class::ManifestsWithoutRegistrationLeaf, "manifests", row, why);
            return Ok(());
        };
        for why in self.differences(stored, manifest, last) {
            let why = format!("leaf {position}: {why}");
            validation.fail(Class::RegistrationLeafMismatches, "manifests", row.clone(), why);
        }
        let key = last.text_of("issuer_pub");
        for (position, earlier) in leaves.iter().filter(|(_, leaf)| leaf.text_of("issuer_pub") != key) {
            let why = format!("leaf {position} has another issuer: {}", shown(earlier.text_of("issuer_pub")));
            validation.fail(Class::RegistrationLeafMismatches, "manifests", row.clone(), why);
        }
        Ok(())
    }

    /// Whether a registration of this second, but not the last, named this recipient and issuer.
    pub(super) fn named_at(&self, second: i64, (recipient_id, issuer_id): &Owner) -> rusqlite::Result<bool> {
        let (from, to) = self.around(second);
        let statement = "SELECT EXISTS (SELECT 1 FROM temp.registered WHERE file_id = ?1 AND recipient_id IS ?2 AND issuer_id IS ?3
             AND second BETWEEN ?4 AND ?5 AND position < (SELECT max(position) FROM temp.registered WHERE file_id = ?1))";
        let mut statement = self.connection.prepare_cached(statement)?;
        statement.query_row(params![self.file_id, recipient_id, issuer_id, from, to], |row| row.get(0))
    }

    /// Whether the last registration before this index, if another one followed, named this recipient and issuer.
    pub(super) fn before(
        &self,
        index: Option<i64>,
        (recipient_id, issuer_id): &Owner,
    ) -> rusqlite::Result<bool> {
        let statement = "SELECT recipient_id IS ?3 AND issuer_id IS ?4
                 AND position < (SELECT max(position) FROM temp.registered WHERE file_id = ?1)
             FROM temp.registered WHERE file_id = ?1 AND position < ?2 ORDER BY position DESC LIMIT 1";
        let mut statement = self.connection.prepare_cached(statement)?;
        let found = statement
            .query_row(params![self.file_id, index, recipient_id, issuer_id], |row| row.get(0))
            .optional()?;
        Ok(found.unwrap_or(false))
    }

    /// Whether the file was registered at this second, by any of its registrations.
    pub(super) fn happened_at(&self, second: i64) -> rusqlite::Result<bool> {
        let (from, to) = self.around(second);
        let statement =
            "SELECT EXISTS (SELECT 1 FROM temp.registered WHERE file_id = ?1 AND second BETWEEN ?2 AND ?3)";
        let mut statement = self.connection.prepare_cached(statement)?;
        statement.query_row(params![self.file_id, from, to], |row| row.get(0))
    }

    /// Whether it was registered at this second, and again later.
    fn was_replaced_after(&self, second: i64) -> rusqlite::Result<bool> {
        let statement = "SELECT position > (SELECT min(position) FROM temp.registered WHERE file_id = ?1) AND second >= ?2
             FROM temp.registered WHERE file_id = ?1 ORDER BY position DESC LIMIT 1";
        let mut statement = self.connection.prepare_cached(statement)?;
        let (from, _) = self.around(second);
        let found = statement
            .query_row(params![self.file_id, from], |row| row.get::<_, Option<bool>>(0))
            .optional()?;
        Ok(found.flatten().unwrap_or(false) && self.happened_at(second)?)
    }

    /// The seconds that a leaf of this second may have.
    fn around(&self, second: i64) -> (i64, i64) {
        (second.saturating_sub(self.tolerance), second.saturating_add(self.tolerance))
    }

    fn is_at(&self, leaf: &Json, second: i64) -> bool {
        let (from, to) = self.around(second);
        seconds(leaf).is_some_and(|at| (from..=to).contains(&at))
    }

    fn differences(&self, stored: &Stored, manifest: &Json, leaf: &Json) -> Vec<String> {
        let mut found = Vec::new();
        let names = [
            ("issuer_pub", manifest.text_of("issuer_ed25519_pub")),
            ("issuer_id", manifest.text_of("issuer_id")),
            ("recipient_id", recipient_id(manifest)),
        ];
        for (name, signed) in names {
            if !is_named(leaf.text_of(name), signed) {
                found.push(format!(
                    "{name} is {}, the manifest says {}",
                    shown(leaf.text_of(name)),
                    shown(signed)
                ));
            }
        }
        for (name, list) in [("n_beacons", "beacons"), ("n_watermarks", "watermarks")] {
            let listed = manifest.list_of(list).len().to_string();
            match leaf.get(name) {
                Some(Json::Number(digits)) if *digits == listed => {}
                Some(other) => found.push(format!("{name} is {other}, the manifest lists {listed}")),
                None => found.push(format!("there is no {name}, the manifest lists {listed}")),
            }
        }
        match stored.registered_at {
            Some(second) if self.is_at(leaf, second) => {}
            other => {
                let timestamp = shown(leaf.text_of("timestamp"));
                found.push(format!("timestamp is {timestamp}, registered_at {}", digits(other)));
            }
        }
        found
    }
}

fn seconds(leaf: &Json) -> Option<i64> {
    super::seconds(leaf.text_of("timestamp")?)
}

fn leaves_have_manifests(connection: &Connection, validation: &mut Validation) -> rusqlite::Result<()> {
    let mut statement = connection.prepare(
        "SELECT position, file_id FROM temp.leaves WHERE event = 'register'
             AND NOT EXISTS (SELECT 1 FROM r_manifests m WHERE m.file_id = leaves.file_id) ORDER BY position",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (position, file_id) = (number(row, 0).unwrap_or_default(), text(row, 1));
        let why = format!("the registration of {} has no manifest", shown(file_id.as_deref()));
        validation.fail(Class::RegistrationLeavesWithoutManifest, "log", format!("leaf {position}"), why);
    }
    Ok(())
}

/// One of the two arrays of a manifest that have rows of their own.
struct Array {
    table: &'static str,
    list: &'static str,
    /// Members of an item, and what the row says where the second is absent.
    members: (&'static str, &'static str, &'static str),
    /// Whether the first of them alone is the key of a row.
    first_is_key: bool,
    of_file: &'static str,
    elsewhere: &'static str,
    missing: Class,
    unsigned: Class,
}

const BEACONS: Array = Array {
    table: "beacons",
    list: "beacons",
    members: ("token_id", "kind", UNKNOWN),
    first_is_key: true,
    of_file: "SELECT token_id, kind, registered_at FROM r_beacons WHERE file_id = ?1",
    elsewhere: "SELECT file_id FROM r_beacons WHERE token_id = ?1 AND ?2 = ?2 AND file_id <> ?3",
    missing: Class::MissingBeaconRows,
    unsigned: Class::UnsignedBeaconRows,
};

const WATERMARKS: Array = Array {
    table: "watermarks",
    list: "watermarks",
    members: ("mark_id", "layer", ""),
    first_is_key: false,
    of_file: "SELECT mark_id, layer, registered_at FROM r_watermarks WHERE file_id = ?1",
    elsewhere: "SELECT file_id FROM r_watermarks WHERE mark_id = ?1 AND layer = ?2 AND file_id <> ?3",
    missing: Class::MissingWatermarkRows,
    unsigned: Class::UnsignedWatermarkRows,
};

impl Array {
    fn signed<'a>(&self, manifest: &'a Json) -> BTreeSet<(&'a str, &'a str)> {
        let (first, second, default) = self.members;
        let items = manifest.list_of(self.list).iter();
        items
            .filter_map(|item| Some((item.words_of(first)?, item.words_of(second).unwrap_or(default))))
            .collect()
    }

    fn named(&self, item: (&str, &str)) -> String {
        let (first, second, _) = self.members;
        format!("{first}={} {second}={}", item.0, item.1)
    }
}

/// The rows of a file are what its manifest lists; what is not so is explained by another registration, or wrong.
fn has_its_rows(
    connection: &Connection,
    array: &Array,
    stored: &Stored,
    manifest: &Json,
    registrations: &Registrations<'_>,
    validation: &mut Validation,
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(array.of_file)?;
    let words = |row: &Row<'_>, column| text(row, column).unwrap_or_default();
    let rows =
        statement.query_map([&stored.file_id], |row| Ok((words(row, 0), words(row, 1), number(row, 2))))?;
    let rows: Vec<(String, String, Option<i64>)> = rows.collect::<Result<_, _>>()?;
    let signed = array.signed(manifest);
    for (first, second, at) in &rows {
        let item = (first.as_str(), second.as_str());
        if !signed.contains(&item) {
            // A token that is registered again replaces its row, whatever the kind.
            let is_listed = array.first_is_key && signed.iter().any(|(listed, _)| listed == first);
            let is_earlier = match at.filter(|_| !is_listed && !validation.is_born_here) {
                Some(at) => registrations.was_replaced_after(at)?,
                None => false,
            };
            is_not_listed(array, &stored.file_id, item, is_earlier, validation);
        }
    }
    let found: BTreeSet<(&str, &str)> = rows.iter().map(|(a, b, _)| (a.as_str(), b.as_str())).collect();
    // One token under two kinds has one row.
    let has_row = |first: &str| signed.iter().any(|item| item.0 == first && found.contains(item));
    for item in signed.difference(&found).filter(|item| !has_row(item.0)) {
        is_taken_over(connection, array, &stored.file_id, *item, validation)?;
    }
    Ok(())
}

fn is_not_listed(
    array: &Array,
    file_id: &str,
    item: (&str, &str),
    is_earlier: bool,
    validation: &mut Validation,
) {
    let (table, row) = (array.table, array.named(item));
    match is_earlier {
        true => {
            let note = format!("{table}: {row} of {file_id} is from an earlier registration of that file");
            validation.note(Note::EarlierRegistration, note);
        }
        false => {
            let why = format!("the manifest of {file_id} does not list it");
            validation.fail(array.unsigned, table, row, why);
        }
    }
}

/// Published registries keep one row for a token or mark, that of whoever registered it last; this one keeps the others aside.
fn is_taken_over(
    connection: &Connection,
    array: &Array,
    file_id: &str,
    item: (&str, &str),
    validation: &mut Validation,
) -> rusqlite::Result<()> {
    let (table, row) = (array.table, array.named(item));
    match holder(connection, array, file_id, item)?.filter(|_| !validation.is_born_here) {
        Some(other) => {
            let note =
                format!("{table}: {row} of {file_id} was registered again by {other}, which has its row now");
            validation.note(Note::TakenOver, note);
        }
        None => {
            let why = format!("the manifest of {file_id} lists it, and there is no such row");
            validation.fail(array.missing, table, row, why);
        }
    }
    Ok(())
}

/// Another file that lists the token or mark, and has its row.
fn holder(
    connection: &Connection,
    array: &Array,
    file_id: &str,
    item: (&str, &str),
) -> rusqlite::Result<Option<String>> {
    let mut statement = connection.prepare_cached(array.elsewhere)?;
    let others =
        statement.query_map(params![item.0, item.1, file_id], |row| Ok(text(row, 0).unwrap_or_default()))?;
    for other in others.collect::<Result<Vec<String>, _>>()? {
        if lists(connection, array, &other, item.0)? {
            return Ok(Some(other));
        }
    }
    Ok(None)
}

fn lists(connection: &Connection, array: &Array, file_id: &str, first: &str) -> rusqlite::Result<bool> {
    let mut statement =
        connection.prepare_cached("SELECT manifest_json FROM r_manifests WHERE file_id = ?1")?;
    let texts = statement.query_map([file_id], |row| Ok(text(row, 0).unwrap_or_default()))?;
    let texts: Vec<String> = texts.collect::<Result<_, _>>()?;
    Ok(texts
        .iter()
        .filter_map(|text| Json::read(text).ok())
        .any(|manifest| array.signed(&manifest).iter().any(|(listed, _)| *listed == first)))
}
