//! Who this registry is and how it fares.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};

use crate::{
    api::{Federation, Fine, Health, Service, SpecVersion, WellKnown},
    app::Shared,
    error::ApiError,
    manifest::SUITES,
};

const VERSION: &str = env!("CARGO_PKG_VERSION");

pub(crate) async fn health(State(app): State<Shared>) -> Result<Json<Health>, ApiError> {
    let size = app.store.head()?.size;
    Ok(Json(Health {
        status: Fine::Ok,
        service: Service::OversightRegistry,
        version: VERSION,
        tlog_size: size,
    }))
}

pub(super) async fn well_known(State(app): State<Shared>) -> Result<Response, ApiError> {
    let size = app.store.head()?.size;
    let key = if app.faults.on("well-known-key-differs") { &app.impostor } else { app.key(size) };
    let document = WellKnown {
        ed25519_pub: key.public(),
        version: VERSION,
        jurisdiction: &app.jurisdiction,
        tlog_size: size,
        federation: Federation { spec_version: SpecVersion::V1 },
        canonicalization: app.dialect.form().as_str(),
        suites: &SUITES,
        log_type: "rfc6962-sha256",
    };
    Ok(Json(document).into_response())
}
