//! `POST /register`

use axum::{Json, extract::State, http::HeaderMap};
use serde_json::Value;

use crate::{
    app::{Peer, Shared},
    auth,
    body::JsonBody,
    error::ApiError,
    registration::{Registration, log_rejected},
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
        let outcome = Registration::read(&body, &app.faults)
            .and_then(|registration| registration.record(store, &app.faults));
        if outcome.is_err() && app.faults.on("rejection-appends-leaf") {
            log_rejected(store, &body)?;
        }
        outcome
    });
    answer.await.map(Json)
}
