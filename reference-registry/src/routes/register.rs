//! `POST /register`

use axum::{Json, extract::State, http::HeaderMap};
use serde_json::{Map, Value, json};

use crate::{
    app::{App, Peer, Shared},
    auth,
    body::JsonBody,
    dialect::Dialect,
    error::ApiError,
    receipt,
    registration::{Registration, log_rejected},
    rows::Snapshot,
};

pub(super) async fn register(
    State(app): State<Shared>,
    peer: Peer,
    headers: HeaderMap,
    JsonBody(body): JsonBody,
) -> Result<Json<Value>, ApiError> {
    auth::operator(&app, &headers)?;
    app.admit(peer)?;
    let outcome = recorded(&app, &body).await;
    if outcome.is_err() && app.faults.on("rejection-appends-leaf") {
        app.write(move |_, pending| log_rejected(pending, &body)).await?;
    }
    outcome.map(Json)
}

/// Everything that can be checked without the database is checked before the writer hears of it.
async fn recorded(app: &Shared, body: &Map<String, Value>) -> Result<Value, ApiError> {
    let registration = Registration::read(body, app.dialect.form(), &app.faults)?;
    let answer = app.write(move |app, pending| registration.record(pending, &app.faults)).await?;
    match app.dialect {
        Dialect::Candidate => Ok(answer),
        Dialect::Announced => app.read(|app, snapshot| with_receipt(app, snapshot, answer)).await,
    }
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
