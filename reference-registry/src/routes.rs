//! The routes, one module for each resource.

mod attribute;
mod beacons;
mod candidates;
mod dns_event;
mod evidence;
mod log;
mod register;
mod service;

use axum::{
    Router,
    http::StatusCode,
    routing::{get, post},
};

use crate::{app::Shared, dialect::Dialect, error::ApiError};

/// What any browser page on the approved origins may read.
pub(crate) fn read_only(dialect: Dialect) -> Router<Shared> {
    let router = match dialect {
        Dialect::Candidate => Router::new(),
        Dialect::Announced => Router::new().route("/tlog/proof", get(log::consistency)),
    };
    router
        .route(dialect.health_path(), get(service::health))
        .route("/.well-known/oversight-registry", get(service::well_known))
        .route("/evidence/{file_id}", get(evidence::bundle))
        .route("/tlog/head", get(log::head))
        .route("/tlog/proof/{index}", get(log::proof))
        .route("/tlog/range", get(log::range))
        .route("/candidates/semantic", get(candidates::semantic))
        .method_not_allowed_fallback(method_not_allowed)
}

/// What leaves a trace. HEAD has handlers of its own, because axum would otherwise run those of GET.
pub(crate) fn recording(dialect: Dialect) -> Router<Shared> {
    let redirect = match dialect {
        Dialect::Candidate => get(beacons::status).post(beacons::status).head(beacons::status_unrecorded),
        Dialect::Announced => get(beacons::redirect).head(beacons::redirect_unrecorded),
    };
    let status = get(beacons::status).post(beacons::status).head(beacons::status_unrecorded);
    let license = get(beacons::license).head(beacons::license_unrecorded);
    Router::new()
        .route("/register", post(register::register))
        .route("/attribute", post(attribute::attribute))
        .route("/dns_event", post(dns_event::dns_event))
        .route("/p/{name}", get(beacons::pixel).head(beacons::pixel_unrecorded))
        .route("/r/{token}", redirect)
        .route("/ocsp/r/{token}", status)
        .route("/v/{token}", license.clone())
        .route("/lic/v/{token}", license)
        .method_not_allowed_fallback(method_not_allowed)
}

pub(crate) async fn not_found() -> ApiError {
    ApiError::not_found("no such endpoint")
}

async fn method_not_allowed() -> ApiError {
    ApiError::not_found("this endpoint has no such method").with_status(StatusCode::METHOD_NOT_ALLOWED)
}
