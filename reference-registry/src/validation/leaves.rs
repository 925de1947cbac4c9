//! The log: in the database, or line by line as the published registries keep it.

use std::{
    io::{BufRead, BufReader, Read},
    path::Path,
};

use rusqlite::{Connection, params};

use super::{Class, Validation, tables};
use crate::{log::leaf_hash, lossless::Json};

/// Longest line of `leaves.jsonl` that is read, in bytes. A leaf of this protocol is below 10 KiB.
const MAX_LINE: u64 = 4 * 1024 * 1024;

const SCHEMA: &str = "
CREATE TEMP TABLE leaves (position INTEGER PRIMARY KEY, event TEXT, file_id TEXT, text TEXT, is_true INTEGER NOT NULL);
CREATE INDEX temp.leaves_file ON leaves (event, file_id, position);
";

/// Makes `leaves`: position, event, file and text of every leaf that could be read, and whether its text is that of
/// the bytes that were hashed.
pub(super) fn read(connection: &Connection, data_dir: &Path, validation: &mut Validation) -> rusqlite::Result<()> {
    connection.execute_batch(SCHEMA)?;
    let is_in_database = !tables::columns_of(connection, "tlog")?.is_empty();
    let file = data_dir.join("tlog").join("leaves.jsonl");
    match fs_err::File::open(&file) {
        _ if is_in_database => from_table(connection, validation),
        Ok(file) => from_lines(connection, BufReader::new(file), validation),
        Err(error) => {
            if validation.rows.iter().any(|(_, count)| *count > 0) {
                let why = format!("there are rows, but no log beside them: {}", error.kind());
                validation.fail(Class::MissingTlog, "leaves.jsonl", "", why);
            }
            Ok(())
        }
    }
}

fn from_table(connection: &Connection, validation: &mut Validation) -> rusqlite::Result<()> {
    let mut statement = connection.prepare("SELECT leaf_index, leaf_hash, leaf FROM tlog ORDER BY leaf_index")?;
    let mut rows = statement.query([])?;
    let mut position = 0;
    while let Some(row) = rows.next()? {
        let (index, hash, leaf): (Option<i64>, Option<Vec<u8>>, Option<Vec<u8>>) =
            (row.get(0).ok(), row.get(1).ok(), row.get(2).ok());
        let name = format!("leaf_index={}", index.map_or_else(|| String::from("?"), |index| index.to_string()));
        match (index, hash, leaf) {
            (Some(index), Some(hash), Some(leaf)) => {
                let record = Record { name, index, hash, text: None, bytes: leaf };
                record.keep(connection, position, validation)?;
            }
            _ => validation.fail(Class::MalformedTlogRecords, "tlog", name, "hash or leaf is no run of bytes"),
        }
        position += 1;
    }
    validation.log_size = u64::try_from(position).unwrap_or(0);
    Ok(())
}

fn from_lines(
    connection: &Connection,
    mut lines: impl BufRead,
    validation: &mut Validation,
) -> rusqlite::Result<()> {
    let (mut number, mut position) = (0u64, 0);
    loop {
        let mut line = Vec::new();
        number += 1;
        match lines.by_ref().take(MAX_LINE).read_until(b'\n', &mut line) {
            Ok(0) => break,
            Ok(_) if line.trim_ascii().is_empty() => continue,
            Ok(_) => match Record::of_line(number, &line) {
                Ok(record) => record.keep(connection, position, validation)?,
                Err(why) => validation.fail(Class::MalformedTlogRecords, "leaves.jsonl", format!("line {number}"), why),
            },
            Err(error) => {
                validation.fail(Class::MalformedTlogRecords, "leaves.jsonl", format!("line {number}"), error.to_string());
                break;
            }
        }
        position += 1;
    }
    validation.log_size = u64::try_from(position).unwrap_or(0);
    Ok(())
}

struct Record {
    name: String,
    index: i64,
    hash: Vec<u8>,
    text: Option<String>,
    bytes: Vec<u8>,
}

impl Record {
    fn of_line(number: u64, line: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(line).map_err(|error| error.to_string())?;
        let record = Json::read(text).map_err(|error| error.to_string())?;
        let index = match record.get("index") {
            Some(Json::Number(digits)) => digits.parse().map_err(|_| format!("index is {digits}, not an integer"))?,
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
        Ok(Self { name: format!("line {number}"), index, hash, text: Some(text), bytes })
    }

    /// Checks the record and keeps what it says under its position: that is what proofs are made of.
    fn keep(self, connection: &Connection, position: i64, validation: &mut Validation) -> rusqlite::Result<()> {
        if self.index != position {
            let why = format!("expected index {position}, found {}", self.index);
            validation.fail(Class::NoncontiguousTlogRecords, "log", self.name.clone(), why);
        }
        if self.hash != leaf_hash(&self.bytes) {
            let why = format!("the bytes hash to {}, not {}", hex::encode(leaf_hash(&self.bytes)), hex::encode(&self.hash));
            validation.fail(Class::TlogLeafHashMismatches, "log", self.name.clone(), why);
        }
        let is_true = self.text.as_ref().is_none_or(|text| text.as_bytes() == self.bytes);
        if !is_true {
            validation.fail(Class::TlogTextMismatches, "log", self.name.clone(), "leaf_data is not the text of leaf_data_hex");
        }
        let leaf = String::from_utf8(self.bytes).ok().and_then(|text| Some((Json::read(&text).ok()?, text)));
        let Some((leaf, text)) = leaf.filter(|(leaf, _)| matches!(leaf, Json::Object(_))) else {
            validation.fail(Class::MalformedTlogRecords, "log", self.name, "the leaf is not a JSON object");
            return Ok(());
        };
        let event = leaf.text_of("event");
        if !matches!(event, Some("register" | "beacon")) {
            validation.fail(Class::UnknownTlogLeaves, "log", self.name, "event is neither register nor beacon");
        }
        connection
            .prepare_cached("INSERT INTO temp.leaves VALUES (?1, ?2, ?3, ?4, ?5)")?
            .execute(params![position, event, leaf.words_of("file_id"), text, is_true])?;
        Ok(())
    }
}
