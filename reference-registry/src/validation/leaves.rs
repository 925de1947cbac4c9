//! The log: in the database, or line by line as the published registries keep it.

use std::{
    io::{self, BufRead, BufReader, Read},
    path::Path,
};

use rusqlite::{Connection, OptionalExtension, params};

use super::{Class, TOLERANCE, Validation, note::Note, seconds, tables};
use crate::{lossless::Json, manifest::MAX_ITEMS, merkle::leaf_hash, published, regular_file};

/// Longest line of `leaves.jsonl` that is read, in bytes. A leaf of this protocol is below 10 KiB.
const MAX_LINE: u64 = 4 * 1024 * 1024;

/// The log as published registries keep it, in the data directory.
const FILE: &str = "tlog/leaves.jsonl";

const SCHEMA: &str = "
CREATE TEMP TABLE leaves (position INTEGER PRIMARY KEY, event TEXT, file_id TEXT, text TEXT, is_true INTEGER NOT NULL);
CREATE INDEX temp.leaves_file ON leaves (event, file_id, position);
CREATE TEMP TABLE registered (file_id TEXT NOT NULL, position INTEGER NOT NULL, second INTEGER, recipient_id TEXT, issuer_id TEXT,
    PRIMARY KEY (file_id, position)) WITHOUT ROWID;
CREATE INDEX temp.registered_second ON registered (file_id, second);
CREATE INDEX temp.registered_owner ON registered (file_id, recipient_id, issuer_id, second);
";

/// Makes `leaves`: position, event, file and text of every leaf that could be read, and whether its text is that of
/// the bytes that were hashed; and `registered`: file, time and owner of every registration.
pub(super) fn read(
    connection: &Connection,
    data_dir: &Path,
    validation: &mut Validation,
) -> rusqlite::Result<()> {
    connection.execute_batch(SCHEMA)?;
    let mut log = match Source::of(connection, data_dir)? {
        Some(source) => source,
        None => {
            if validation.rows.iter().any(|(_, count)| *count > 0) {
                let why =
                    "there are rows, but neither a table tlog nor tlog/leaves.jsonl in the data directory";
                validation.fail(Class::MissingTlog, "log", "", why);
            }
            return Ok(());
        }
    };
    let (mut position, mut clock) = (0, Clock::default());
    log.each(&mut |record| {
        match record {
            Ok(record) => keep(connection, record, position, &mut clock, validation)?,
            Err(Unreadable { name, why }) => validation.fail(Class::MalformedTlogRecords, "log", name, why),
        }
        position += 1;
        Ok::<(), rusqlite::Error>(())
    })?;
    validation.log_size = u64::try_from(position).unwrap_or(0);
    if matches!(log, Source::Table(_)) {
        file_beside(connection, data_dir, validation)?;
    }
    Ok(())
}

/// A log in the database may have been taken over from a file, which then has its beginning.
fn file_beside(
    connection: &Connection,
    data_dir: &Path,
    validation: &mut Validation,
) -> rusqlite::Result<()> {
    let Some(mut file) = Source::of_file(data_dir) else { return Ok(()) };
    let mut position = 0;
    file.each(&mut |record| {
        let found = match record {
            Err(Unreadable { name, why }) => Some((name, why)),
            Ok(record) => match record.faults(position).into_iter().next() {
                Some((_, why)) => Some((record.name, why)),
                None => stands_elsewhere(connection, &record, position)?.map(|why| (record.name, why)),
            },
        };
        if let Some((name, why)) = found {
            validation.fail(Class::LogFileMismatches, FILE, name, why);
        }
        position += 1;
        Ok::<(), rusqlite::Error>(())
    })?;
    if u64::try_from(position).is_ok_and(|position| position < validation.log_size) {
        let note =
            format!("{FILE} has the first {position} leaves of the {} in the database", validation.log_size);
        validation.note(Note::LogFileBehind, note);
    }
    Ok(())
}

fn stands_elsewhere(
    connection: &Connection,
    record: &Record,
    position: i64,
) -> rusqlite::Result<Option<String>> {
    let leaf = connection
        .prepare_cached("SELECT leaf FROM main.tlog WHERE leaf_index = ?1")?
        .query_row([position], |row| Ok(row.get::<_, Vec<u8>>(0).unwrap_or_default()))
        .optional()?;
    Ok(match leaf {
        None => Some(format!("the log in the database has no leaf {position}: it is shorter than it was")),
        Some(leaf) if leaf != record.bytes => {
            Some(format!("the log in the database has another leaf {position}"))
        }
        Some(_) => None,
    })
}

fn keep(
    connection: &Connection,
    record: Record,
    position: i64,
    clock: &mut Clock,
    validation: &mut Validation,
) -> rusqlite::Result<()> {
    for (class, why) in record.faults(position) {
        validation.fail(class, "log", record.name.clone(), why);
    }
    let is_true = record.says_what_was_hashed();
    let leaf = String::from_utf8(record.bytes).ok().and_then(|text| Some((Json::read(&text).ok()?, text)));
    let Some((leaf, text)) = leaf.filter(|(leaf, _)| matches!(leaf, Json::Object(_))) else {
        validation.fail(Class::MalformedTlogRecords, "log", record.name, "the leaf is not a JSON object");
        return Ok(());
    };
    let event = leaf.text_of("event");
    let most = if validation.is_born_here { MAX_ITEMS } else { u32::MAX };
    if let Some(why) = unusual(&leaf, &text, most) {
        validation.fail(Class::UnknownTlogLeaves, "log", record.name.clone(), why);
    }
    if clock.follows(&leaf, position, validation)
        && let Some(first) = registered_so_before(connection, &leaf, &text)?
    {
        let why = format!("leaf {first} once more, in a log that had come further: it was copied");
        validation.fail(Class::UnknownTlogLeaves, "log", record.name, why);
    }
    connection.prepare_cached("INSERT INTO temp.leaves VALUES (?1, ?2, ?3, ?4, ?5)")?.execute(params![
        position,
        event,
        leaf.words_of("file_id"),
        text,
        is_true
    ])?;
    match leaf.words_of("file_id").filter(|_| event == Some("register")) {
        Some(file_id) => keep_registration(connection, file_id, position, &leaf),
        None => Ok(()),
    }
}

fn keep_registration(
    connection: &Connection,
    file_id: &str,
    position: i64,
    leaf: &Json,
) -> rusqlite::Result<()> {
    let second = leaf.text_of("timestamp").and_then(seconds);
    let mut statement =
        connection.prepare_cached("INSERT INTO temp.registered VALUES (?1, ?2, ?3, ?4, ?5)")?;
    let owner = (leaf.text_of("recipient_id"), leaf.text_of("issuer_id"));
    statement.execute(params![file_id, position, second, owner.0, owner.1]).map(|_| ())
}

/// The same file, registered in the same second as before.
fn registered_so_before(connection: &Connection, leaf: &Json, text: &str) -> rusqlite::Result<Option<i64>> {
    let statement =
        "SELECT position FROM temp.leaves WHERE event = 'register' AND file_id = ?1 AND text = ?2 LIMIT 1";
    let mut statement = connection.prepare_cached(statement)?;
    statement.query_row(params![leaf.words_of("file_id"), text], |row| row.get(0)).optional()
}

/// The members of each sort of leaf (fact sheet, section 1.4), ordered.
const REGISTRATION: &[&str] = &[
    "event",
    "file_id",
    "issuer_id",
    "issuer_pub",
    "n_beacons",
    "n_watermarks",
    "recipient_id",
    "timestamp",
];
const OF_WEB: &[&str] =
    &["event", "file_id", "kind", "recipient_id", "source_ip", "timestamp", "token_id", "user_agent"];
const OF_DNS: &[&str] =
    &["event", "file_id", "kind", "qname", "qtype", "recipient_id", "source_ip", "timestamp", "token_id"];

/// What a member of a leaf that no registry writes so is expected to be; registrations list at most so many items.
fn misfit(name: &str, member: &Json, members: &[&str], most: u32) -> Option<String> {
    let is_event = members != REGISTRATION;
    let expected = match (name, member) {
        (_, Json::Text(_)) if !["n_beacons", "n_watermarks"].contains(&name) => return None,
        ("n_beacons" | "n_watermarks", Json::Number(digits))
            if digits.parse::<u32>().is_ok_and(|count| count <= most) =>
        {
            return None;
        }
        ("n_beacons" | "n_watermarks", _) => format!("an integer from 0 to {most}"),
        // Python's registries keep a number that they are given.
        ("file_id", Json::Number(_)) => return None,
        ("file_id" | "recipient_id", Json::Null) if is_event => return None,
        ("source_ip" | "qname" | "qtype", Json::Null) => return None,
        ("source_ip" | "qname" | "qtype", _) => String::from("a string or null"),
        ("file_id" | "recipient_id", _) if is_event => String::from("a string or null"),
        _ => String::from("a string"),
    };
    Some(format!("{name} is {member}, expected {expected}"))
}

/// What a leaf has that no registry writes.
fn unusual(leaf: &Json, text: &str, most: u32) -> Option<String> {
    let members = match (leaf.text_of("event"), leaf.text_of("kind")) {
        (Some("register"), _) => REGISTRATION,
        (Some("beacon"), Some("dns")) => OF_DNS,
        (Some("beacon"), _) => OF_WEB,
        _ => return Some(String::from("event is neither register nor beacon")),
    };
    let mut names = leaf.names();
    names.sort_unstable();
    if names != members {
        return Some(format!("its members are {}, expected {}", names.join(", "), members.join(", ")));
    }
    let misfit = |name: &&str| misfit(name, leaf.get(name)?, members, most);
    if let Some(why) = members.iter().find_map(misfit) {
        return Some(why);
    }
    if leaf.text_of("timestamp").and_then(seconds).is_none() {
        return Some(String::from("timestamp is no time"));
    }
    (!published::is_canonical(leaf, text))
        .then(|| String::from("its bytes are in none of the canonical forms that registries have used"))
}

/// The time of the leaf before.
#[derive(Default)]
struct Clock(Option<i64>);

impl Clock {
    /// Whether the time of this leaf is before that of the one before it.
    fn follows(&mut self, leaf: &Json, position: i64, validation: &mut Validation) -> bool {
        let Some(at) = leaf.text_of("timestamp").and_then(seconds) else { return false };
        let before = self.0.filter(|before| at + TOLERANCE < *before);
        if let Some(before) = before {
            let back = before - at;
            validation.note(
                Note::ClockSetBack,
                format!("log: leaf {position} is {back} seconds older than the one before it"),
            );
        }
        self.0 = Some(at);
        before.is_some()
    }
}

/// Where the leaves of a registry stand.
pub(crate) enum Source<'a> {
    Lines(Box<dyn BufRead + 'a>),
    Table(&'a Connection),
    /// There is something that is no file, or one that may not be read.
    Unopened(io::Error),
}

/// A record that is none.
pub(crate) struct Unreadable {
    pub(crate) name: String,
    pub(crate) why: String,
}

impl<'a> Source<'a> {
    /// The table `tlog`, or `tlog/leaves.jsonl` in the data directory.
    pub(crate) fn of(connection: &'a Connection, data_dir: &Path) -> rusqlite::Result<Option<Self>> {
        if !tables::columns_of(connection, "tlog")?.is_empty() {
            return Ok(Some(Self::Table(connection)));
        }
        Ok(Self::of_file(data_dir))
    }

    fn of_file(data_dir: &Path) -> Option<Self> {
        match regular_file::open(&data_dir.join(FILE)) {
            Ok(file) => Some(Self::Lines(Box::new(BufReader::new(file)))),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                None
            }
            Err(error) => Some(Self::Unopened(error)),
        }
    }

    /// Hands over every record in its order.
    pub(crate) fn each<E: From<rusqlite::Error>>(
        &mut self,
        take: &mut impl FnMut(Result<Record, Unreadable>) -> Result<(), E>,
    ) -> Result<(), E> {
        match self {
            Self::Lines(lines) => each_line(lines, take),
            Self::Table(connection) => each_row(connection, take),
            Self::Unopened(error) => take(Err(Unreadable { name: FILE.to_owned(), why: error.to_string() })),
        }
    }
}

fn each_row<E: From<rusqlite::Error>>(
    connection: &Connection,
    take: &mut impl FnMut(Result<Record, Unreadable>) -> Result<(), E>,
) -> Result<(), E> {
    let mut statement =
        connection.prepare("SELECT leaf_index, leaf_hash, leaf FROM tlog ORDER BY leaf_index")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let index: Option<i64> = row.get(0).ok();
        let name = index.map_or_else(|| String::from("leaf ?"), |index| format!("leaf {index}"));
        take(match (index, row.get(1), row.get(2)) {
            (Some(index), Ok(hash), Ok(bytes)) => Ok(Record { name, index, hash, text: None, bytes }),
            _ => Err(Unreadable { name, why: String::from("index, hash or leaf has another type") }),
        })?;
    }
    Ok(())
}

fn each_line<E>(
    lines: &mut dyn BufRead,
    take: &mut impl FnMut(Result<Record, Unreadable>) -> Result<(), E>,
) -> Result<(), E> {
    for number in 1u64.. {
        let name = format!("line {number}");
        match next_line(lines) {
            Ok(line) if line.is_empty() => break,
            Ok(line) if line.trim_ascii().is_empty() => {}
            Ok(line) => take(Record::of_line(&name, &line).map_err(|why| Unreadable { name, why }))?,
            Err(error) => return take(Err(Unreadable { name, why: error.to_string() })),
        }
    }
    Ok(())
}

/// With its end, so that only the end of the file is empty.
fn next_line(lines: &mut dyn BufRead) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    lines.take(MAX_LINE).read_until(b'\n', &mut line)?;
    match u64::try_from(line.len()) {
        Ok(MAX_LINE..) | Err(_) if line.last() != Some(&b'\n') => Err(io::Error::other(format!(
            "the line is longer than {MAX_LINE} bytes; nothing after it was read"
        ))),
        _ => Ok(line),
    }
}

/// One leaf as it is stored.
pub(crate) struct Record {
    pub(crate) name: String,
    index: i64,
    hash: Vec<u8>,
    text: Option<String>,
    pub(crate) bytes: Vec<u8>,
}

impl Record {
    fn of_line(name: &str, line: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(line).map_err(|error| error.to_string())?;
        let record = Json::read_own(text).map_err(|error| error.to_string())?;
        let index = match record.get("index") {
            Some(Json::Number(digits)) => {
                digits.parse().map_err(|_| format!("index is {digits}, not an integer"))?
            }
            _ => return Err(String::from("index is not a number")),
        };
        let hash = record.text_of("leaf_hash").ok_or("leaf_hash is not a string")?;
        let hash = hex::decode(hash).map_err(|error| format!("leaf_hash is not hexadecimal: {error}"))?;
        if hash.len() != 32 {
            return Err(format!("leaf_hash has {} bytes, not 32", hash.len()));
        }
        let text = record.text_of("leaf_data").ok_or("leaf_data is not a string")?.to_owned();
        let bytes = match record.get("leaf_data_hex") {
            None | Some(Json::Null) => text.clone().into_bytes(),
            Some(Json::Text(digits)) => {
                hex::decode(digits).map_err(|error| format!("leaf_data_hex is not hexadecimal: {error}"))?
            }
            Some(_) => return Err(String::from("leaf_data_hex is not a string")),
        };
        Ok(Self { name: name.to_owned(), index, hash, text: Some(text), bytes })
    }

    fn says_what_was_hashed(&self) -> bool {
        self.text.as_ref().is_none_or(|text| text.as_bytes() == self.bytes)
    }

    /// What is wrong with the record at this position of the log.
    pub(crate) fn faults(&self, position: i64) -> Vec<(Class, String)> {
        let mut found = Vec::new();
        if self.index != position {
            let why = format!("expected index {position}, found {}", self.index);
            found.push((Class::NoncontiguousTlogRecords, why));
        }
        let hash = leaf_hash(&self.bytes);
        if self.hash != hash {
            let why = format!("the bytes hash to {}, not {}", hex::encode(hash), hex::encode(&self.hash));
            found.push((Class::TlogLeafHashMismatches, why));
        }
        if !self.says_what_was_hashed() {
            found.push((
                Class::TlogTextMismatches,
                String::from("leaf_data is not the text of leaf_data_hex"),
            ));
        }
        found
    }
}
