//! Registering a file: everything is checked before anything is written, and everything is written at once.

use std::sync::Arc;

use rusqlite::{OptionalExtension, Params, params};
use serde_json::{Map, Value, json};

use crate::{
    body::MAX_IDENTIFIER,
    canonical::Form,
    clock::Instant,
    error::{ApiError, Code},
    failpoint::{Step, reach},
    faults::{Faults, Stage},
    manifest::{Manifest, Trust},
    writer::Pending,
};

/// Most corpus hashes that one registration may bring.
pub(crate) const MAX_CORPUS: usize = 64;

/// A registration whose signature and sidecars are right.
pub(crate) struct Registration {
    manifest: Manifest,
    corpus: Vec<(String, String)>,
    trust: Trust,
}

impl Registration {
    /// Checks a manifest and what came beside it in the body.
    pub(crate) fn read(
        manifest: Arc<Map<String, Value>>,
        body: &Map<String, Value>,
        form: Form,
        faults: &Faults,
    ) -> Result<Self, ApiError> {
        let manifest = Manifest::read(manifest, faults)?;
        let beacons = sidecar(body, "beacons")?;
        let watermarks = sidecar(body, "watermarks")?;
        let corpus = corpus(body)?;
        let trust = match faults.on("manifest-signature-unchecked") {
            true => Trust::Verified,
            false => manifest.verify(form, faults)?,
        };
        if !faults.on("sidecar-comparison-skipped") {
            equals_signed(beacons, manifest.sent_list("beacons"), form)?;
            equals_signed(watermarks, manifest.sent_list("watermarks"), form)?;
        }
        Ok(Self { manifest, corpus, trust })
    }

    /// Writes rows and leaf, and gives the answer.
    pub(crate) fn record(&self, pending: &mut Pending<'_>, faults: &Faults) -> Result<Value, ApiError> {
        if self.trust == Trust::Pretended {
            return Ok(self.answer(pending.next_index()));
        }
        let found = self.found(pending, faults)?;
        let now = Instant::now();
        self.replace_rows(pending, &found, now)?;
        reach(Step::RowsWritten)?;
        let index = match faults.on("register-appends-nothing") {
            true => pending.next_index(),
            false => self.append(pending, now, faults)?,
        };
        reach(Step::LeafWritten)?;
        Ok(self.answer(if faults.on("register-index-constant") { 0 } else { index }))
    }

    fn answer(&self, index: u64) -> Value {
        json!({
            "ok": true,
            "file_id": self.manifest.file_id(),
            "registered_beacons": self.manifest.list("beacons").len(),
            "tlog_index": index,
        })
    }

    /// Logs the registration, and keeps where.
    fn append(&self, pending: &mut Pending<'_>, now: Instant, faults: &Faults) -> Result<u64, ApiError> {
        let index = pending.append(&self.leaf(now, faults))?;
        let statement = "INSERT INTO registrations (file_id, tlog_index, issuer_pub, registered_at) VALUES (?1, ?2, ?3, ?4)";
        let at = i64::try_from(index).map_err(|_| ApiError::server_error())?;
        execute(
            pending,
            statement,
            params![self.manifest.file_id(), at, self.manifest.issuer_key(), now.seconds()],
        )?;
        Ok(index)
    }

    fn leaf(&self, now: Instant, faults: &Faults) -> Value {
        let manifest = &self.manifest;
        let other_file =
            faults.on("register-leaf-of-other-file").then(|| format!("{}-other", manifest.file_id()));
        let mut leaf = json!({
            "event": "register",
            "file_id": other_file.as_deref().unwrap_or_else(|| manifest.file_id()),
            "recipient_id": manifest.recipient_id(),
            "issuer_id": manifest.issuer_id(),
            "issuer_pub": manifest.issuer_key(),
            "n_beacons": manifest.list("beacons").len(),
            "n_watermarks": manifest.list("watermarks").len(),
            "timestamp": now.text(),
        });
        faults.meddle(Stage::Leaf, &mut leaf);
        leaf
    }

    /// What of this registration is registered already. File, tokens and marks belong to whoever registered them first.
    fn found(&self, pending: &Pending<'_>, faults: &Faults) -> Result<Found, ApiError> {
        let is_ours = |key: &str| key == self.manifest.issuer_key() || faults.on("other-issuer-accepted");
        let file_id = self.manifest.file_id();
        let file = "SELECT file_id, issuer_ed25519_pub FROM manifests WHERE file_id = ?1";
        let known = owner(pending, file, [file_id])?;
        if known.as_ref().is_some_and(|(_, key)| !is_ours(key)) {
            return Err(issuer_mismatch("file_id is registered by another issuer"));
        }
        let mut found = Found { is_known: known.is_some(), tokens: Vec::new(), marks: Vec::new() };
        let token = "SELECT file_id, m.issuer_ed25519_pub FROM beacons JOIN manifests m USING (file_id) WHERE token_id = ?1";
        for (token_id, _) in self.manifest.beacons() {
            match owner(pending, token, [token_id])? {
                Some((_, key)) if !is_ours(&key) => {
                    return Err(issuer_mismatch("a token_id is registered by another issuer"));
                }
                Some((other, _)) if other != file_id => found.tokens.push(token_id.to_owned()),
                _ => {}
            }
        }
        let mark = "SELECT file_id, m.issuer_ed25519_pub FROM watermarks JOIN manifests m USING (file_id)
             WHERE mark_id = ?1 AND layer = ?2";
        for (mark_id, layer) in self.manifest.watermarks() {
            match owner(pending, mark, [mark_id, layer])? {
                Some((_, key)) if !is_ours(&key) => {
                    return Err(issuer_mismatch("a mark_id is registered by another issuer in this layer"));
                }
                Some((other, _)) if other != file_id => {
                    found.marks.push((mark_id.to_owned(), layer.to_owned()))
                }
                _ => {}
            }
        }
        Ok(found)
    }

    /// Old rows of the file go, so that its rows are always those of the manifest beside them.
    fn replace_rows(&self, pending: &Pending<'_>, found: &Found, now: Instant) -> Result<(), ApiError> {
        let manifest = &self.manifest;
        let file_id = manifest.file_id();
        let given_up = match found.is_known {
            true => delete_rows(pending, file_id)?,
            false => Vec::new(),
        };
        found.make_way(pending)?;
        execute(
            pending,
            "INSERT INTO manifests (file_id, recipient_id, issuer_id, issuer_ed25519_pub, manifest_json, registered_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                file_id,
                manifest.recipient_id(),
                manifest.issuer_id(),
                manifest.issuer_key(),
                manifest.to_text(),
                now.seconds()
            ],
        )?;
        self.insert_items(pending, now)?;
        given_up.iter().try_for_each(|row| row.give_back(pending))
    }

    fn insert_items(&self, pending: &Pending<'_>, now: Instant) -> Result<(), ApiError> {
        let (manifest, now) = (&self.manifest, now.seconds());
        let (file_id, recipient_id, issuer_id) =
            (manifest.file_id(), manifest.recipient_id(), manifest.issuer_id());
        // OR REPLACE takes the place of a row whose file is gone.
        let beacon =
            "INSERT OR REPLACE INTO beacons (token_id, file_id, recipient_id, issuer_id, kind, registered_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        for (token_id, kind) in manifest.beacons() {
            execute(pending, beacon, params![token_id, file_id, recipient_id, issuer_id, kind, now])?;
        }
        let watermark =
            "INSERT OR REPLACE INTO watermarks (mark_id, layer, file_id, recipient_id, issuer_id, registered_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        for (mark_id, layer) in manifest.watermarks() {
            execute(pending, watermark, params![mark_id, layer, file_id, recipient_id, issuer_id, now])?;
        }
        let hash = "INSERT INTO corpus (file_id, hash_kind, hash_value, metadata, registered_at)
             VALUES (?1, ?2, ?3, NULL, ?4)";
        for (kind, value) in &self.corpus {
            execute(pending, hash, params![file_id, kind, value, now])?;
        }
        Ok(())
    }
}

/// What of a registration was registered before.
struct Found {
    /// Whether the file was.
    is_known: bool,
    /// Tokens that another file of the issuer answers for until now.
    tokens: Vec<String>,
    /// Marks and layers that another file of the issuer answers for until now.
    marks: Vec<(String, String)>,
}

impl Found {
    /// Rows of older files step back: they stay in the evidence of those, and no longer answer for token or mark.
    fn make_way(&self, pending: &Pending<'_>) -> Result<(), ApiError> {
        for token_id in &self.tokens {
            let keep = "INSERT OR REPLACE INTO earlier_beacons
                 SELECT token_id, file_id, recipient_id, issuer_id, kind, registered_at FROM beacons WHERE token_id = ?1";
            execute(pending, keep, [token_id])?;
            execute(pending, "DELETE FROM beacons WHERE token_id = ?1", [token_id])?;
        }
        for (mark_id, layer) in &self.marks {
            let keep = "INSERT OR REPLACE INTO earlier_watermarks
                 SELECT mark_id, layer, file_id, recipient_id, issuer_id, registered_at FROM watermarks
                 WHERE mark_id = ?1 AND layer = ?2";
            execute(pending, keep, [mark_id, layer])?;
            execute(pending, "DELETE FROM watermarks WHERE mark_id = ?1 AND layer = ?2", [mark_id, layer])?;
        }
        Ok(())
    }
}

/// A token or mark for which a file stops to answer.
enum GivenUp {
    Mark { mark_id: String, layer: String },
    Token(String),
}

impl GivenUp {
    /// The newest of the older files that list it answers again, unless the file itself goes on to.
    fn give_back(&self, pending: &Pending<'_>) -> Result<(), ApiError> {
        match self {
            Self::Token(token_id) => {
                let back = "INSERT OR IGNORE INTO beacons
                     SELECT token_id, file_id, recipient_id, issuer_id, kind, registered_at FROM earlier_beacons
                     WHERE token_id = ?1 ORDER BY registered_at DESC, rowid DESC LIMIT 1";
                let gone = "DELETE FROM earlier_beacons WHERE token_id = ?1
                     AND file_id = (SELECT file_id FROM beacons WHERE token_id = ?1)";
                execute(pending, back, [token_id])?;
                execute(pending, gone, [token_id])
            }
            Self::Mark { mark_id, layer } => {
                let back = "INSERT OR IGNORE INTO watermarks
                     SELECT mark_id, layer, file_id, recipient_id, issuer_id, registered_at FROM earlier_watermarks
                     WHERE mark_id = ?1 AND layer = ?2 ORDER BY registered_at DESC, rowid DESC LIMIT 1";
                let gone = "DELETE FROM earlier_watermarks WHERE mark_id = ?1 AND layer = ?2
                     AND file_id = (SELECT file_id FROM watermarks WHERE mark_id = ?1 AND layer = ?2)";
                execute(pending, back, [mark_id, layer])?;
                execute(pending, gone, [mark_id, layer])
            }
        }
    }
}

/// Deletes every row of a file, and names what it answered for.
fn delete_rows(pending: &Pending<'_>, file_id: &str) -> Result<Vec<GivenUp>, ApiError> {
    let mut given_up = Vec::new();
    let connection = pending.connection;
    let mut statement =
        connection.prepare_cached("DELETE FROM beacons WHERE file_id = ?1 RETURNING token_id")?;
    for token_id in statement.query_map([file_id], |row| row.get(0))? {
        given_up.push(GivenUp::Token(token_id?));
    }
    let mut statement =
        connection.prepare_cached("DELETE FROM watermarks WHERE file_id = ?1 RETURNING mark_id, layer")?;
    for mark in statement.query_map([file_id], |row| Ok((row.get(0)?, row.get(1)?)))? {
        let (mark_id, layer) = mark?;
        given_up.push(GivenUp::Mark { mark_id, layer });
    }
    for table in ["manifests", "corpus", "earlier_beacons", "earlier_watermarks"] {
        execute(pending, &format!("DELETE FROM {table} WHERE file_id = ?1"), [file_id])?;
    }
    Ok(given_up)
}

/// File and issuer key of what a statement finds.
fn owner(
    pending: &Pending<'_>,
    statement: &str,
    parameters: impl Params,
) -> Result<Option<(String, String)>, ApiError> {
    let mut statement = pending.connection.prepare_cached(statement)?;
    Ok(statement.query_row(parameters, |row| Ok((row.get(0)?, row.get(1)?))).optional()?)
}

/// Logs what a rejected request asked for: only the fault `rejection-appends-leaf` does this.
pub(crate) fn log_rejected(
    pending: &mut Pending<'_>,
    manifest: &Map<String, Value>,
) -> Result<u64, ApiError> {
    let text = |name: &str| manifest.get(name).and_then(Value::as_str);
    let recipient = manifest.get("recipient").and_then(|recipient| recipient.get("recipient_id"));
    let count = |name: &str| manifest.get(name).and_then(Value::as_array).map(Vec::len);
    let leaf = json!({
        "event": "register",
        "file_id": text("file_id").unwrap_or("unknown"),
        "recipient_id": recipient.and_then(Value::as_str).unwrap_or("unknown"),
        "issuer_id": text("issuer_id").unwrap_or("unknown"),
        "issuer_pub": text("issuer_ed25519_pub").unwrap_or(""),
        "n_beacons": count("beacons").unwrap_or(0),
        "n_watermarks": count("watermarks").unwrap_or(0),
        "timestamp": Instant::now().text(),
    });
    pending.append(&leaf)
}

fn issuer_mismatch(message: &'static str) -> ApiError {
    ApiError::new(Code::IssuerMismatch, message)
}

fn execute(pending: &Pending<'_>, statement: &str, parameters: impl Params) -> Result<(), ApiError> {
    pending.connection.prepare_cached(statement)?.execute(parameters)?;
    Ok(())
}

fn sidecar<'a>(body: &'a Map<String, Value>, name: &'static str) -> Result<&'a [Value], ApiError> {
    match body.get(name) {
        None => Err(ApiError::missing_field(format!("{name} is missing"))),
        Some(Value::Array(items)) => Ok(items),
        Some(_) => Err(ApiError::missing_field(format!("{name} is not a list"))),
    }
}

/// The same items as often as in the signed array, in any order.
fn equals_signed(sidecar: &[Value], signed: &[Value], form: Form) -> Result<(), ApiError> {
    // What equals as it is read does so in the form of RFC 8785, which has one zero. The other form tells -0.0 from 0.0.
    if form == Form::Jcs && sidecar == signed {
        return Ok(());
    }
    let sorted = |items: &[Value]| -> Result<Vec<Vec<u8>>, ApiError> {
        let mut texts = items.iter().map(|item| form.bytes(item)).collect::<Result<Vec<_>, _>>()?;
        texts.sort_unstable();
        Ok(texts)
    };
    match sorted(sidecar)? == sorted(signed)? {
        true => Ok(()),
        false => Err(ApiError::new(
            Code::SidecarMismatch,
            "a sidecar differs from the signed array of the manifest",
        )),
    }
}

fn corpus(body: &Map<String, Value>) -> Result<Vec<(String, String)>, ApiError> {
    let entries = match body.get("corpus") {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Object(entries)) => entries,
        Some(_) => return Err(ApiError::missing_field("corpus is not an object")),
    };
    if entries.len() > MAX_CORPUS {
        return Err(ApiError::missing_field("corpus has more than 64 entries"));
    }
    let checked = |(kind, value): (&String, &Value)| match value {
        Value::String(hash) if (1..=MAX_IDENTIFIER).contains(&hash.len()) && kind.len() <= MAX_IDENTIFIER => {
            Ok((kind.clone(), hash.clone()))
        }
        _ => Err(ApiError::missing_field("a corpus entry is not a string of 1 to 256 bytes")),
    };
    entries.iter().map(checked).collect()
}
