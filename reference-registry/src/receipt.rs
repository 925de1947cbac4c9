//! Receipts of registrations, which the announced dialect hands out: the exact leaf, signed for, with its inclusion proof.

use serde_json::{Value, json};

use crate::{app::App, error::ApiError, head, merkle::leaf_hash, rows::Snapshot};

/// One receipt for each registration of a file, oldest first.
pub(crate) fn all(app: &App, snapshot: &Snapshot<'_>, file_id: &str) -> Result<Vec<Value>, ApiError> {
    let registrations = snapshot.registrations(file_id)?;
    registrations.iter().map(|registration| receipt(app, snapshot, file_id, registration)).collect()
}

fn receipt(
    app: &App,
    snapshot: &Snapshot<'_>,
    file_id: &str,
    registration: &Value,
) -> Result<Value, ApiError> {
    let member = |name: &str| registration.get(name).cloned().unwrap_or_default();
    let index = member("tlog_index").as_u64().ok_or_else(ApiError::server_error)?;
    let leaf = snapshot.log.leaf(index)?.ok_or_else(ApiError::server_error)?;
    let mut receipt = json!({
        "file_id": file_id,
        "issuer_pub": member("issuer_pub"),
        "leaf_data_hex": hex::encode(&leaf),
        "leaf_hash": hex::encode(leaf_hash(&leaf)),
        "tlog_index": index,
        "registered_at": member("registered_at"),
    });
    let signature = app.identity.sign(&app.dialect.form().bytes(&receipt)?);
    let proof = head::inclusion(app, &snapshot.log, index)?.ok_or_else(ApiError::server_error)?;
    if let Some(members) = receipt.as_object_mut() {
        members.insert(String::from("signature"), json!(signature));
        members.insert(String::from("proof"), proof);
    }
    Ok(receipt)
}

/// A text as one segment of a path (RFC 3986, section 2.3): all but unreserved characters percent-encoded.
pub(crate) fn path_segment(text: &str) -> String {
    let encoded = text.bytes().map(|byte| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    });
    encoded.collect()
}
