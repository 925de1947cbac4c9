//! The evidence bundle of a file, all of it from one moment, signed with the registry's key.
//!
//! The text of a bundle is canonical but for the manifest, which is served as it was stored: what is signed and what is sent are
//! one text, written once, in which the manifest and the signature are put after it is signed.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{
    app::App,
    canonical::Form,
    clock::Instant,
    dialect::Dialect,
    error::ApiError,
    faults::Stage,
    head, receipt,
    room::Claim,
    rows::{Snapshot, read_manifest},
    store::Head,
    text::Text,
};

const DISCLAIMER: &str =
    "Shows what this registry recorded and when, by its own clock. It is not a legal finding.";

const SIGNATURE: &str = "bundle_signature_ed25519";

/// The bundle as JSON text.
pub(crate) fn bundle(
    app: &App,
    snapshot: &Snapshot<'_>,
    file_id: &str,
    claim: Claim,
) -> Result<String, ApiError> {
    let stored = snapshot.manifest_text(file_id)?.ok_or_else(|| ApiError::not_found("unknown file_id"))?;
    let manifest = Value::Object(read_manifest(&stored)?);
    let mut text = Text::within(app.dialect.form(), claim);
    let leaves = before_manifest(snapshot, file_id, &mut text)?;
    let canonical = text.written(|text| text.value(&manifest))?;
    after_manifest(app, snapshot, file_id, &leaves, &mut text)?;
    let mut text = text.into_string();
    let signature = app.identity.sign(text.as_bytes());
    text.pop();
    text.extend([",\"", SIGNATURE, "\":\"", &signature, "\"}"]);
    text.replace_range(canonical, &stored);
    if app.faults.are_off() { Ok(text) } else { misled(app, snapshot, file_id, &text) }
}

/// Writes what stands before the manifest in the canonical text, and gives the index of the leaf of each event.
fn before_manifest(
    snapshot: &Snapshot<'_>,
    file_id: &str,
    text: &mut Text,
) -> Result<Vec<Option<i64>>, ApiError> {
    text.raw("{\"beacons\":[");
    snapshot.beacons(text, file_id)?;
    text.raw("],\"bundle_generated_at\":");
    text.string(&Instant::now().text());
    text.raw(",\"disclaimer\":");
    text.string(DISCLAIMER);
    text.raw(",\"events\":[");
    let leaves = snapshot.events(text, file_id)?;
    text.raw("],\"file_id\":");
    text.string(file_id);
    text.raw(",\"manifest\":");
    Ok(leaves)
}

/// Writes what stands after the manifest in the canonical text.
fn after_manifest(
    app: &App,
    snapshot: &Snapshot<'_>,
    file_id: &str,
    leaves: &[Option<i64>],
    text: &mut Text,
) -> Result<(), ApiError> {
    if app.dialect == Dialect::Announced {
        text.raw(",\"registration_receipts\":");
        text.value(&json!(receipt::all(app, snapshot, file_id)?))?;
    }
    text.raw(",\"registry_pub\":");
    text.string(app.identity.public());
    if let Some(attestation) = snapshot.attestation(file_id)? {
        text.raw(",\"rekor\":");
        text.value(&attestation)?;
    }
    let head = head::current(app, &snapshot.log)?;
    text.raw(",\"tlog_head\":");
    text.value(&head::honest(app, &head)?)?;
    text.raw(",\"tlog_proofs\":[");
    proof_texts(snapshot, &head, leaves, text)?;
    text.raw("],\"watermarks\":[");
    snapshot.watermarks(text, file_id)?;
    text.raw("]}");
    Ok(())
}

/// One proof for each event that has a leaf, in the order of the events.
fn proof_texts(
    snapshot: &Snapshot<'_>,
    head: &Head,
    leaves: &[Option<i64>],
    text: &mut Text,
) -> Result<(), ApiError> {
    text.reserve(leaves.len().saturating_mul(2 * head::proof_length(head)));
    for (row, index) in (0_i64..).zip(leaves) {
        let Some(index) = index.and_then(|index| u64::try_from(index).ok()) else { continue };
        text.next();
        text.raw("{\"event_row\":");
        text.integer(row);
        // Under both of its names: that of the specification, and that which every implementation uses.
        text.raw(",\"inclusion\":");
        let proof = text.written(|text| head::proof_text(text, head, &snapshot.log, index))?;
        text.raw(",\"proof\":");
        text.again(proof);
        text.raw(",\"tlog_index\":");
        text.integer(index);
        text.raw("}");
        text.has_room()?;
    }
    Ok(())
}

/// The bundle of a registry that is not honest: the honest one, changed and signed as the faults ask for.
fn misled(app: &App, snapshot: &Snapshot<'_>, file_id: &str, honest: &str) -> Result<String, ApiError> {
    let mut bundle: Value = serde_json::from_str(honest).map_err(|_| ApiError::server_error())?;
    if let Value::Object(members) = &mut bundle {
        members.shift_remove(SIGNATURE);
    }
    let list =
        |bundle: &Value, name: &str| bundle.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    if app.faults.on("manifest-altered-in-evidence")
        && let Some(manifest) = bundle.get_mut("manifest")
    {
        set(manifest, "original_filename", json!("altered"));
    }
    let (mut beacons, mut watermarks) = (list(&bundle, "beacons"), list(&bundle, "watermarks"));
    if app.faults.on("beacon-row-dropped") {
        beacons.pop();
    }
    if app.faults.on("watermark-row-invented") {
        watermarks.push(invented_watermark(file_id));
    }
    let events = events(app, list(&bundle, "events"));
    let proofs = proofs(app, snapshot, &events)?;
    set(&mut bundle, "beacons", json!(beacons));
    set(&mut bundle, "watermarks", json!(watermarks));
    set(&mut bundle, "events", json!(events));
    set(&mut bundle, "tlog_proofs", json!(proofs));
    set(&mut bundle, "tlog_head", head::signed(app, &snapshot.log)?);
    set(&mut bundle, "registry_pub", json!(app.key(snapshot.log.size()).public()));
    if app.faults.on("bundle-signature-over-insertion-order") {
        // An honest bundle comes in canonical order, in which this fault would not show.
        bundle = turned(&bundle);
    }
    if let Some(attestation) = snapshot.attestation(file_id)? {
        set(&mut bundle, "rekor", attestation);
    }
    app.faults.meddle(Stage::Bundle, &mut bundle);
    let signature = sign(app, snapshot, &bundle)?;
    set(&mut bundle, SIGNATURE, json!(signature));
    Ok(bundle.to_string())
}

fn events(app: &App, mut events: Vec<Value>) -> Vec<Value> {
    if app.faults.on("event-dropped") {
        events.pop();
    }
    if app.faults.on("event-user-agent-altered") {
        let newest_web = events.iter_mut().rev().find(|event| event.get("kind") != Some(&json!("dns")));
        newest_web.into_iter().for_each(|event| set(event, "user_agent", json!("altered")));
    }
    events
}

fn proofs(app: &App, snapshot: &Snapshot<'_>, events: &[Value]) -> Result<Vec<Value>, ApiError> {
    let mut proofs = Vec::new();
    for (row, event) in events.iter().enumerate() {
        let Some(index) = event.get("tlog_index").and_then(Value::as_u64) else { continue };
        let proof = head::inclusion(app, &snapshot.log, index)?.ok_or_else(ApiError::server_error)?;
        proofs.push(json!({"event_row": row, "tlog_index": index, "proof": proof, "inclusion": proof}));
    }
    if app.faults.on("evidence-proof-dropped") {
        proofs.pop();
    }
    Ok(proofs)
}

/// Signs the canonical bundle as it is before its signature is put in.
fn sign(app: &App, snapshot: &Snapshot<'_>, bundle: &Value) -> Result<String, ApiError> {
    let key = match app.faults.on("bundle-signed-by-other-key") {
        true => &app.impostor,
        false => app.key(snapshot.log.size()),
    };
    Ok(key.sign(&signed_bytes(app, bundle)?))
}

fn signed_bytes(app: &App, bundle: &Value) -> Result<Vec<u8>, ApiError> {
    let faults = &app.faults;
    let mut message = bundle.clone();
    if faults.on("bundle-signature-over-blank-member") {
        set(&mut message, SIGNATURE, json!(""));
    }
    if faults.on("bundle-signature-without-events") {
        set(&mut message, "events", json!([]));
    }
    if faults.on("bundle-signature-over-manifest") {
        message = bundle.get("manifest").cloned().unwrap_or_default();
    }
    Ok(match () {
        () if faults.on("bundle-signature-over-insertion-order") => message.to_string().into_bytes(),
        () if faults.on("bundle-signature-over-indented-text") => format!("{message:#}").into_bytes(),
        () if faults.on("bundle-signature-over-hash") => {
            Sha256::digest(app.dialect.form().bytes(&message)?).to_vec()
        }
        () if faults.on("bundle-signature-over-escaped-text") => Form::SortedAscii.bytes(&message)?,
        () => app.dialect.form().bytes(&message)?,
    })
}

/// The members of an object in reverse.
fn turned(object: &Value) -> Value {
    let members = object.as_object().cloned().unwrap_or_default();
    Value::Object(members.into_iter().rev().collect())
}

fn invented_watermark(file_id: &str) -> Value {
    json!({
        "mark_id": "invented",
        "layer": "L1_zero_width",
        "file_id": file_id,
        "recipient_id": "invented",
        "issuer_id": "invented",
        "registered_at": Instant::now().seconds(),
    })
}

fn set(object: &mut Value, name: &str, value: Value) {
    if let Value::Object(members) = object {
        members.insert(String::from(name), value);
    }
}
