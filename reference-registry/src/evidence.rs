//! The evidence bundle of a file, all of it from one moment, signed with the registry's key.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{
    app::App, clock::Instant, dialect::Dialect, error::ApiError, faults::Stage, head, receipt, rows::Snapshot,
};

const DISCLAIMER: &str =
    "Shows what this registry recorded and when, by its own clock. It is not a legal finding.";

const SIGNATURE: &str = "bundle_signature_ed25519";

pub(crate) fn bundle(app: &App, snapshot: &Snapshot<'_>, file_id: &str) -> Result<Value, ApiError> {
    let manifest = snapshot.manifest(file_id)?.ok_or_else(|| ApiError::not_found("unknown file_id"))?;
    let mut manifest = Value::Object(manifest);
    let mut beacons = snapshot.beacons(file_id)?;
    let mut watermarks = snapshot.watermarks(file_id)?;
    if app.faults.on("manifest-altered-in-evidence") {
        set(&mut manifest, "original_filename", json!("altered"));
    }
    if app.faults.on("beacon-row-dropped") {
        beacons.pop();
    }
    if app.faults.on("watermark-row-invented") {
        watermarks.push(invented_watermark(file_id));
    }
    let events = events(app, snapshot, file_id)?;
    let proofs = proofs(app, snapshot, &events)?;
    let mut bundle = json!({
        "file_id": file_id,
        "bundle_generated_at": Instant::now().text(),
        "registry_pub": app.key(snapshot.log.size()).public(),
        "manifest": manifest,
        "beacons": beacons,
        "watermarks": watermarks,
        "events": events,
        "tlog_head": head::signed(app, &snapshot.log)?,
        "tlog_proofs": proofs,
        "disclaimer": DISCLAIMER,
    });
    if app.dialect == Dialect::Announced {
        set(&mut bundle, "registration_receipts", json!(receipt::all(app, snapshot, file_id)?));
    }
    if let Some(attestation) = snapshot.attestation(file_id)? {
        set(&mut bundle, "rekor", attestation);
    }
    app.faults.meddle(Stage::Bundle, &mut bundle);
    let signature = sign(app, snapshot, &bundle)?;
    set(&mut bundle, SIGNATURE, json!(signature));
    Ok(bundle)
}

fn events(app: &App, snapshot: &Snapshot<'_>, file_id: &str) -> Result<Vec<Value>, ApiError> {
    let mut events = snapshot.events(file_id)?;
    if app.faults.on("event-dropped") {
        events.pop();
    }
    if app.faults.on("event-user-agent-altered") {
        let newest_web = events.iter_mut().rev().find(|event| event.get("kind") != Some(&json!("dns")));
        newest_web.into_iter().for_each(|event| set(event, "user_agent", json!("altered")));
    }
    Ok(events)
}

/// One proof for each event that has a leaf, in the order of the events.
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
        () => app.dialect.form().bytes(&message)?,
    })
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
