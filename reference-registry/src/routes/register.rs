//! `POST /register`

use std::sync::Arc;

use axum::{Json, extract::State};
use serde_json::{Map, Value, json};

use crate::{
    app::{App, Shared},
    attestation::attest,
    auth::Registers,
    body::Guarded,
    dialect::Dialect,
    error::ApiError,
    failpoint::{Step, reach},
    receipt,
    registration::{Registration, log_rejected},
    rows::Snapshot,
};

pub(super) async fn register(
    State(app): State<Shared>,
    Guarded { members: mut body, claim: _claim, .. }: Guarded<Registers>,
) -> Result<Json<Value>, ApiError> {
    let manifest = match body.swap_remove("manifest") {
        Some(Value::Object(manifest)) => Some(Arc::new(manifest)),
        _ => None,
    };
    let outcome = recorded(&app, manifest.clone(), &body).await;
    if outcome.is_err() && app.faults.on("rejection-appends-leaf") {
        app.write(move |_, pending| log_rejected(pending, &manifest.unwrap_or_default())).await?;
    }
    outcome.map(Json)
}

/// Everything that can be checked without the database is checked before the writer hears of it.
async fn recorded(
    app: &Shared,
    manifest: Option<Arc<Map<String, Value>>>,
    body: &Map<String, Value>,
) -> Result<Value, ApiError> {
    reach(Step::BodyRead)?;
    let manifest = manifest.ok_or_else(|| ApiError::missing_field("manifest is not an object"))?;
    let registration = Registration::read(Arc::clone(&manifest), body, app.dialect.form(), &app.faults)?;
    reach(Step::Verified)?;
    let answer = app.write(move |app, pending| registration.record(pending, &app.faults)).await?;
    reach(Step::Answered)?;
    let answer = with_attestation(app, manifest, answer).await?;
    match app.dialect {
        Dialect::Candidate => Ok(answer),
        Dialect::Announced => app.read(|app, snapshot| with_receipt(app, snapshot, answer)).await,
    }
}

/// The file is registered already: what goes wrong from here on is said, and changes nothing about that.
async fn with_attestation(
    app: &Shared,
    manifest: Arc<Map<String, Value>>,
    mut answer: Value,
) -> Result<Value, ApiError> {
    if app.attestor.is_none() {
        return Ok(answer);
    }
    let index = answer.get("tlog_index").and_then(Value::as_u64).unwrap_or_default();
    // A task of its own: the client may go away, and the attestation is kept all the same.
    let attestor = Arc::clone(app);
    let task = tokio::spawn(async move { attest(&attestor, &manifest, index).await });
    let attested = task.await.unwrap_or_else(|_| Err(ApiError::server_error()));
    let failed = || json!({"error": "the attestation could not be kept"});
    if let (Some(attestation), Some(members)) =
        (attested.unwrap_or_else(|_| Some(failed())), answer.as_object_mut())
    {
        members.insert(String::from("rekor"), attestation);
    }
    Ok(answer)
}

/// The announced dialect also says where the evidence is, and signs for the leaf.
fn with_receipt(app: &App, snapshot: &Snapshot<'_>, mut answer: Value) -> Result<Value, ApiError> {
    let file_id = answer.get("file_id").and_then(Value::as_str).unwrap_or_default().to_owned();
    let index = answer.get("tlog_index").cloned();
    let receipts = receipt::all(app, snapshot, &file_id)?;
    let receipt = receipts.into_iter().rfind(|receipt| receipt.get("tlog_index") == index.as_ref());
    if let Some(members) = answer.as_object_mut() {
        let path = format!("/evidence/{}", receipt::path_segment(&file_id));
        members.insert(String::from("evidence_url"), json!(path));
        members.insert(String::from("receipt"), receipt.unwrap_or_default());
    }
    Ok(answer)
}
