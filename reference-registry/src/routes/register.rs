//! `POST /register`

use axum::{Json, extract::State, http::HeaderMap};
use serde_json::{Value, json};

use crate::{
    app::{App, Peer, Shared},
    auth,
    body::JsonBody,
    dialect::Dialect,
    error::ApiError,
    receipt,
    registration::{Registration, log_rejected},
    store::Store,
};

pub(super) async fn register(
    State(app): State<Shared>,
    peer: Peer,
    headers: HeaderMap,
    JsonBody(body): JsonBody,
) -> Result<Json<Value>, ApiError> {
    auth::operator(&app, &headers)?;
    app.admit(peer)?;
    let answer = app.with_store(move |app, store| {
        let outcome = Registration::read(&body, app.dialect.form(), &app.faults)
            .and_then(|registration| registration.record(store, &app.faults))
            .and_then(|answer| with_receipt(app, store, answer));
        if outcome.is_err() && app.faults.on("rejection-appends-leaf") {
            log_rejected(store, &body)?;
        }
        outcome
    });
    answer.await.map(Json)
}

/// The announced dialect also says where the evidence is, and signs for the leaf.
fn with_receipt(app: &App, store: &Store, mut answer: Value) -> Result<Value, ApiError> {
    let file_id = answer.get("file_id").and_then(Value::as_str).unwrap_or_default().to_owned();
    if app.dialect == Dialect::Announced
        && let Some(members) = answer.as_object_mut()
    {
        let path = format!("/evidence/{}", receipt::path_segment(&file_id));
        members.insert(String::from("evidence_url"), json!(path));
        members
            .insert(String::from("receipt"), receipt::all(app, store, &file_id)?.pop().unwrap_or_default());
    }
    Ok(answer)
}
