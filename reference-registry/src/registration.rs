//! Registering a file: everything is checked before anything is written, and everything is written at once.

use rusqlite::{OptionalExtension, Params, params};
use serde_json::{Map, Value, json};

use crate::{
    body::MAX_IDENTIFIER,
    canonical::Form,
    clock::Instant,
    error::{ApiError, Code},
    faults::{Faults, Stage},
    manifest::{Manifest, Trust},
    store::{Pending, Store},
};

/// Most corpus hashes that one registration may bring.
const MAX_CORPUS: usize = 64;

/// A registration whose signature and sidecars are right.
pub(crate) struct Registration {
    manifest: Manifest,
    corpus: Vec<(String, String)>,
    trust: Trust,
}

impl Registration {
    pub(crate) fn read(body: &Map<String, Value>, form: Form, faults: &Faults) -> Result<Self, ApiError> {
        let Some(Value::Object(members)) = body.get("manifest") else {
            return Err(ApiError::missing_field("manifest is not an object"));
        };
        let manifest = Manifest::read(members, faults)?;
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

    /// Writes leaf and rows in one transaction and gives the answer.
    pub(crate) fn record(&self, store: &mut Store, faults: &Faults) -> Result<Value, ApiError> {
        if self.trust == Trust::Pretended {
            return Ok(self.answer(store.log.size()));
        }
        let index = store.transact(|pending| {
            if !faults.on("other-issuer-accepted") {
                self.is_of_one_issuer(pending)?;
            }
            let now = Instant::now();
            self.replace_rows(pending, now)?;
            match faults.on("register-appends-nothing") {
                true => Ok(pending.next_index()),
                false => self.append(pending, now, faults),
            }
        })?;
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
        let statement = "INSERT INTO registrations VALUES (?1, ?2, ?3, ?4)";
        let at = i64::try_from(index).map_err(|_| ApiError::server_error())?;
        execute(
            pending,
            statement,
            params![at, self.manifest.file_id(), self.manifest.issuer_key(), now.seconds()],
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

    /// File, tokens and marks belong to whoever registered them first.
    fn is_of_one_issuer(&self, pending: &Pending<'_>) -> Result<(), ApiError> {
        let key = self.manifest.issuer_key();
        let is_taken = |statement: &str, parameters: &[&str]| -> Result<bool, ApiError> {
            let mut statement = pending.transaction.prepare_cached(statement)?;
            let found = statement.query_row(rusqlite::params_from_iter(parameters), |_| Ok(())).optional()?;
            Ok(found.is_some())
        };
        let file = "SELECT 1 FROM manifests WHERE file_id = ?1 AND issuer_ed25519_pub <> ?2";
        if is_taken(file, &[self.manifest.file_id(), key])? {
            return Err(issuer_mismatch("file_id is registered by another issuer"));
        }
        let token = "SELECT 1 FROM beacons JOIN manifests m USING (file_id)
             WHERE token_id = ?1 AND m.issuer_ed25519_pub <> ?2 LIMIT 1";
        for (token_id, _) in self.manifest.beacons() {
            if is_taken(token, &[token_id, key])? {
                return Err(issuer_mismatch("a token_id is registered by another issuer"));
            }
        }
        let mark = "SELECT 1 FROM watermarks JOIN manifests m USING (file_id)
             WHERE mark_id = ?1 AND m.issuer_ed25519_pub <> ?2 AND layer = ?3 LIMIT 1";
        for (mark_id, layer) in self.manifest.watermarks() {
            if is_taken(mark, &[mark_id, key, layer])? {
                return Err(issuer_mismatch("a mark_id is registered by another issuer in this layer"));
            }
        }
        Ok(())
    }

    /// Old rows of the file go, so that its rows are always those of the manifest beside them.
    fn replace_rows(&self, pending: &Pending<'_>, now: Instant) -> Result<(), ApiError> {
        let manifest = &self.manifest;
        let (file_id, recipient_id, issuer_id) =
            (manifest.file_id(), manifest.recipient_id(), manifest.issuer_id());
        for table in ["manifests", "beacons", "watermarks", "corpus"] {
            execute(pending, &format!("DELETE FROM {table} WHERE file_id = ?1"), [file_id])?;
        }
        execute(
            pending,
            "INSERT INTO manifests VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                file_id,
                recipient_id,
                issuer_id,
                manifest.issuer_key(),
                manifest.to_text(),
                now.seconds()
            ],
        )?;
        self.insert_items(pending, now)
    }

    fn insert_items(&self, pending: &Pending<'_>, now: Instant) -> Result<(), ApiError> {
        let (manifest, now) = (&self.manifest, now.seconds());
        let (file_id, recipient_id, issuer_id) =
            (manifest.file_id(), manifest.recipient_id(), manifest.issuer_id());
        let beacon = "INSERT INTO beacons VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        for (token_id, kind) in manifest.beacons() {
            execute(pending, beacon, params![token_id, file_id, recipient_id, issuer_id, kind, now])?;
        }
        let watermark = "INSERT INTO watermarks VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        for (mark_id, layer) in manifest.watermarks() {
            execute(pending, watermark, params![mark_id, layer, file_id, recipient_id, issuer_id, now])?;
        }
        let hash = "INSERT INTO corpus VALUES (?1, ?2, ?3, NULL, ?4)";
        for (kind, value) in &self.corpus {
            execute(pending, hash, params![file_id, kind, value, now])?;
        }
        Ok(())
    }
}

/// Logs what a rejected request asked for: only the fault `rejection-appends-leaf` does this.
pub(crate) fn log_rejected(store: &mut Store, body: &Map<String, Value>) -> Result<u64, ApiError> {
    let manifest = body.get("manifest");
    let text = |name: &str| manifest.and_then(|manifest| manifest.get(name)).and_then(Value::as_str);
    let recipient = manifest.and_then(|manifest| manifest.pointer("/recipient/recipient_id"));
    let count = |name: &str| manifest.and_then(|manifest| manifest.get(name)?.as_array().map(Vec::len));
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
    store.transact(|pending| pending.append(&leaf))
}

fn issuer_mismatch(message: &'static str) -> ApiError {
    ApiError::new(Code::IssuerMismatch, message)
}

fn execute(pending: &Pending<'_>, statement: &str, parameters: impl Params) -> Result<(), ApiError> {
    pending.transaction.prepare_cached(statement)?.execute(parameters)?;
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
