//! Attestations of registrations: a statement that the registry signs (in-toto Statement v1 in a DSSE v1 envelope) and sends to a transparency log
//! with the interface of Rekor v1.
//!
//! Off unless an operator names a log. A registration never fails because of it: what went wrong stands in the answer, in the
//! operator's log and in the metrics, and the envelope is kept all the same.

use std::{sync::Arc, time::Duration};

use base64ct::{Base64, Encoding};
use ring::signature::{ED25519, UnparsedPublicKey};
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use tokio::{sync::Semaphore, time::timeout};
use ureq::{Agent, http::StatusCode};

use crate::{app::Shared, error::ApiError, identity::Identity, options::LogUrl, rows::Snapshot, strict_json};

const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
const PREDICATE_TYPE: &str = "https://assayer.example/registration/v1";

/// What the bundle calls this form of attestation.
const BUNDLE_SCHEMA: u64 = 2;

/// How long the log may take, waiting for others included.
const PATIENCE: Duration = Duration::from_secs(5);

/// Attestations that are under way at the same moment.
const AT_ONCE: usize = 8;

/// Longest answer of a log that is read, in bytes.
const MAX_ANSWER: u64 = 1024 * 1024;

/// DER of an Ed25519 public key up to the key itself (RFC 8410, section 4).
const SPKI: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

pub(crate) const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS attestations (
    file_id TEXT NOT NULL, tlog_index INTEGER NOT NULL, attestation TEXT NOT NULL,
    PRIMARY KEY (file_id, tlog_index)) WITHOUT ROWID;";

/// Why an attestation has no entry in the log.
#[derive(Debug, thiserror::Error)]
enum LogFailure {
    #[error("the transparency log answered with what is no entry about this envelope")]
    Answer,
    #[error("the transparency log could not be reached or did not answer in time")]
    Silent,
    #[error("the transparency log answered with status {0}")]
    Status(u16),
}

/// The log that attestations go to.
pub(crate) struct Attestor {
    entries: String,
    agent: Agent,
    permits: Semaphore,
}

impl Attestor {
    pub(crate) fn new(log: &LogUrl) -> Self {
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_global(Some(PATIENCE))
            .user_agent(concat!("assayer-reference-registry/", env!("CARGO_PKG_VERSION")))
            .build()
            .new_agent();
        Self {
            entries: format!("{}/api/v1/log/entries", log.base()),
            agent,
            permits: Semaphore::new(AT_ONCE),
        }
    }

    /// Sends an envelope and gives the entry that the log made of it.
    async fn upload(self: &Arc<Self>, envelope: &Value, key: &str) -> Result<Value, LogFailure> {
        let (attestor, envelope, key) = (Arc::clone(self), envelope.clone(), key.to_owned());
        let sent = async move {
            let _permit = attestor.permits.acquire().await.map_err(|_| LogFailure::Silent)?;
            let sender = Arc::clone(&attestor);
            let task = tokio::task::spawn_blocking(move || sender.send(&envelope, &key));
            task.await.unwrap_or(Err(LogFailure::Silent))
        };
        timeout(PATIENCE, sent).await.unwrap_or(Err(LogFailure::Silent))
    }

    fn send(&self, envelope: &Value, key: &str) -> Result<Value, LogFailure> {
        let content = json!({"envelope": envelope.to_string(), "verifiers": [Base64::encode_string(pem(key).as_bytes())]});
        let proposed = json!({"apiVersion": "0.0.1", "kind": "dsse", "spec": {"proposedContent": content}});
        let request = self
            .agent
            .post(&self.entries)
            .header("content-type", "application/json")
            .header("accept", "application/json");
        let mut response = request.send(proposed.to_string()).map_err(|_| LogFailure::Silent)?;
        if response.status() != StatusCode::CREATED {
            return Err(LogFailure::Status(response.status().as_u16()));
        }
        let body = response
            .body_mut()
            .with_config()
            .limit(MAX_ANSWER)
            .read_to_vec()
            .map_err(|_| LogFailure::Silent)?;
        entry(&body, envelope).ok_or(LogFailure::Answer)
    }
}

/// The attestation of a registration, made, sent and kept: `None` where no log is configured.
pub(crate) async fn attest(
    app: &Shared,
    manifest: &Map<String, Value>,
    tlog_index: u64,
) -> Result<Option<Value>, ApiError> {
    let Some(attestor) = app.attestor.as_ref() else { return Ok(None) };
    let file_id = text(manifest, "file_id").to_owned();
    let of_file = file_id.clone();
    let registered_at = app.read(move |_, snapshot| registered_at(snapshot, &of_file, tlog_index)).await?;
    let Some(statement) = statement(manifest, registered_at) else {
        app.metrics.attested("impossible");
        return Ok(Some(
            json!({"error": "the manifest has no mark, or no recipient key, to make a statement about"}),
        ));
    };
    let envelope = envelope(&app.identity, &statement);
    let mut attestation = json!({"bundle_schema": BUNDLE_SCHEMA, "dsse": envelope});
    let uploaded = attestor.upload(&envelope, app.identity.public()).await;
    if let (Ok(entry), Some(members)) = (&uploaded, attestation.as_object_mut()) {
        members.insert(String::from("log_entry"), entry.clone());
    }
    keep(app, file_id, tlog_index, attestation.to_string()).await?;
    app.metrics.attested(if uploaded.is_ok() { "logged" } else { "failed" });
    if let (Err(failure), Some(members)) = (uploaded, attestation.as_object_mut()) {
        tracing::warn!(tlog_index, %failure, "an attestation is in no transparency log");
        members.insert(String::from("error"), json!(failure.to_string()));
    }
    Ok(Some(attestation))
}

async fn keep(app: &Shared, file_id: String, tlog_index: u64, attestation: String) -> Result<(), ApiError> {
    app.write(move |_, pending| {
        let statement = "INSERT OR REPLACE INTO attestations VALUES (?1, ?2, ?3)";
        pending.connection.prepare_cached(statement)?.execute(params![
            file_id,
            stored(tlog_index)?,
            attestation
        ])?;
        Ok(())
    })
    .await
}

/// What was attested of a registration.
pub(crate) fn kept(
    connection: &Connection,
    file_id: &str,
    tlog_index: u64,
) -> Result<Option<Value>, ApiError> {
    let statement = "SELECT attestation FROM attestations WHERE file_id = ?1 AND tlog_index = ?2";
    let mut statement = connection.prepare_cached(statement)?;
    let text: Option<String> =
        statement.query_row(params![file_id, stored(tlog_index)?], |row| row.get(0)).optional()?;
    text.map(|text| serde_json::from_str(&text)).transpose().map_err(|error| ApiError::broken(&error))
}

/// The registration that an attestation is said to be of, as its leaf has it.
pub(crate) struct Registered<'l> {
    pub(crate) file_id: &'l str,
    pub(crate) issuer_key: &'l str,
    pub(crate) registered_at: i64,
}

/// What is wrong with an attestation that was kept: it must be one of this registration, signed under `key` where that is known.
pub(crate) fn fault(text: &str, registered: &Registered<'_>, key: Option<&str>) -> Option<&'static str> {
    let Ok(attestation) = strict_json::parse(text.as_bytes()) else {
        return Some("the attestation is not JSON");
    };
    let Some((payload, signature, signer)) = attestation.get("dsse").and_then(opened) else {
        return Some("the attestation has no DSSE envelope with one signature");
    };
    if key.is_some_and(|key| hex::decode(key).ok().as_deref() != Some(&signer)) {
        return Some("the attestation names another key than the registry's");
    }
    if UnparsedPublicKey::new(&ED25519, signer).verify(&encoded(&payload), &signature).is_err() {
        return Some("the signature of the attestation does not verify");
    }
    let statement = strict_json::parse(&payload).unwrap_or_default();
    let says = |name: &str| statement.pointer(&format!("/predicate/{name}"));
    let is_of_it = says("file_id").and_then(Value::as_str) == Some(registered.file_id)
        && says("issuer_pubkey_ed25519").and_then(Value::as_str) == Some(registered.issuer_key)
        && says("registered_at").and_then(Value::as_i64) == Some(registered.registered_at);
    (!is_of_it).then_some("the statement is about another registration")
}

/// Payload, signature and key of an envelope.
fn opened(envelope: &Value) -> Option<(Vec<u8>, Vec<u8>, Vec<u8>)> {
    let [signature] = envelope.get("signatures")?.as_array()?.as_slice() else { return None };
    let base64 = |value: &Value| Base64::decode_vec(value.as_str()?).ok();
    (envelope.get("payloadType")? == PAYLOAD_TYPE).then_some(())?;
    let key = hex::decode(signature.get("keyid")?.as_str()?).ok()?;
    Some((base64(envelope.get("payload")?)?, base64(signature.get("sig")?)?, key))
}

fn stored(tlog_index: u64) -> Result<i64, ApiError> {
    i64::try_from(tlog_index).map_err(|_| ApiError::server_error())
}

fn registered_at(snapshot: &Snapshot<'_>, file_id: &str, tlog_index: u64) -> Result<i64, ApiError> {
    let registrations = snapshot.registrations(file_id)?;
    let of_index = |row: &&Value| row.get("tlog_index").and_then(Value::as_u64) == Some(tlog_index);
    let row = registrations.iter().find(of_index).and_then(|row| row.get("registered_at")?.as_i64());
    row.ok_or_else(ApiError::server_error)
}

/// The statement about a manifest; `None` where a member that it needs is missing.
fn statement(manifest: &Map<String, Value>, registered_at: i64) -> Option<Value> {
    let recipient = manifest.get("recipient")?;
    let suite = manifest.get("suite").and_then(Value::as_str).unwrap_or("OSGT-CLASSIC-v1");
    let key_name = if suite == "OSGT-HW-P256-v1" { "p256_pub" } else { "x25519_pub" };
    let recipient_key = hex::decode(recipient.get(key_name)?.as_str()?).ok().filter(|key| !key.is_empty())?;
    let marks = manifest.get("watermarks")?.as_array()?.clone();
    let subject = |mark: &Value| {
        let name = format!("mark:{}", mark.get("mark_id").and_then(Value::as_str).unwrap_or_default());
        json!({"name": name, "digest": {"sha256": text(manifest, "content_hash")}})
    };
    let subjects: Vec<Value> = marks.iter().map(subject).collect();
    let predicate = json!({
        "file_id": text(manifest, "file_id"),
        "issuer_pubkey_ed25519": text(manifest, "issuer_ed25519_pub"),
        "recipient_id": recipient.get("recipient_id")?,
        "recipient_pubkey_sha256": hex::encode(Sha256::digest(recipient_key)),
        "suite": suite,
        "registered_at": registered_at,
        "watermarks": marks,
    });
    let statement = json!({"_type": STATEMENT_TYPE, "subject": subjects, "predicateType": PREDICATE_TYPE, "predicate": predicate});
    (!subjects.is_empty()).then_some(statement)
}

/// The pre-authentication encoding (DSSE, version 1).
fn encoded(payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {PAYLOAD_TYPE} {} ", PAYLOAD_TYPE.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

/// A signed statement.
fn envelope(identity: &Identity, statement: &Value) -> Value {
    let payload = statement.to_string();
    let signature = hex::decode(identity.sign(&encoded(payload.as_bytes()))).unwrap_or_default();
    json!({
        "payloadType": PAYLOAD_TYPE,
        "payload": Base64::encode_string(payload.as_bytes()),
        "signatures": [{"keyid": identity.public(), "sig": Base64::encode_string(&signature)}],
    })
}

fn pem(key: &str) -> String {
    let der = [&SPKI[..], &hex::decode(key).unwrap_or_default()].concat();
    format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", Base64::encode_string(&der))
}

/// The one entry in an answer, if it is about this envelope: what the log says of other things is not served as evidence.
fn entry(answer: &[u8], envelope: &Value) -> Option<Value> {
    let Ok(Value::Object(entries)) = strict_json::parse(answer) else { return None };
    let mut entries = entries.into_iter();
    let (Some((_, entry)), None) = (entries.next(), entries.next()) else { return None };
    entry.pointer("/verification/inclusionProof")?.as_object()?;
    let body = Base64::decode_vec(entry.get("body")?.as_str()?).ok()?;
    let body = strict_json::parse(&body).ok()?;
    let payload = Base64::decode_vec(envelope.get("payload")?.as_str()?).ok()?;
    let is_ours = body.get("kind")? == "dsse"
        && body.pointer("/spec/payloadHash/value")? == &json!(hex::encode(Sha256::digest(payload)))
        && body.pointer("/spec/signatures/0/signature")? == envelope.pointer("/signatures/0/sig")?;
    is_ours.then_some(entry)
}

fn text<'m>(members: &'m Map<String, Value>, name: &str) -> &'m str {
    members.get(name).and_then(Value::as_str).unwrap_or_default()
}
