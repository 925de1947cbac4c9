//! Who this registry is and how it fares.

use axum::{Json, extract::State};
use serde_json::{Value, json};

use crate::{app::Shared, error::ApiError, manifest::SUITES};

const VERSION: &str = env!("CARGO_PKG_VERSION");

pub(super) async fn health(State(app): State<Shared>) -> Result<Json<Value>, ApiError> {
    let size = app.store.head()?.size;
    Ok(Json(json!({"status": "ok", "service": "oversight-registry", "version": VERSION, "tlog_size": size})))
}

pub(super) async fn well_known(State(app): State<Shared>) -> Result<Json<Value>, ApiError> {
    let size = app.store.head()?.size;
    let key = if app.faults.on("well-known-key-differs") { &app.impostor } else { app.key(size) };
    Ok(Json(json!({
        "ed25519_pub": key.public(),
        "version": VERSION,
        "jurisdiction": app.jurisdiction,
        "tlog_size": size,
        "federation": {"spec_version": "v1"},
        "canonicalization": app.dialect.form().as_str(),
        "suites": SUITES,
        "log_type": "rfc6962-sha256",
    })))
}
