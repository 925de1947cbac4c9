//! What only the operator gets to see, on a listener of its own on loopback: `/health`, `/metrics` and `/openapi.json`.

use axum::{
    Json, Router,
    extract::{Request, State},
    http::header::CONTENT_TYPE,
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::Value;
use std::{net::IpAddr, sync::Arc};

use crate::{
    app::Shared,
    error::{self, ApiError},
    hosts, metrics,
    openapi::{Settings, document},
    routes,
};

pub(crate) fn router(app: Shared, settings: Settings) -> Router {
    let described = Arc::new(document(settings));
    Router::new()
        .route("/health", get(routes::service::health))
        .route("/metrics", get(metrics))
        .route("/openapi.json", get(move || openapi(Arc::clone(&described))))
        .fallback(routes::not_found)
        .layer(middleware::from_fn(asked_here))
        .layer(middleware::from_fn_with_state(Arc::clone(&app), error::envelope))
        .with_state(app)
}

async fn openapi(described: Arc<Value>) -> Json<Value> {
    Json(Value::clone(&described))
}

async fn metrics(State(app): State<Shared>) -> Result<Response, ApiError> {
    let size = app.store.head()?.size;
    let text = app.metrics.text(size).map_err(|error| ApiError::broken(&error))?;
    Ok(([(CONTENT_TYPE, metrics::MEDIA_TYPE)], text).into_response())
}

/// A page in the operator's browser whose name was made to resolve to this machine does not name it so.
async fn asked_here(request: Request, next: Next) -> Result<Response, ApiError> {
    let host = hosts::asked(request.uri(), request.version(), request.headers())?;
    let is_loopback = |host: &str| {
        let address: Option<IpAddr> = host.trim_start_matches('[').trim_end_matches(']').parse().ok();
        host == "localhost" || address.is_some_and(|address| address.to_canonical().is_loopback())
    };
    match host.as_deref().is_none_or(is_loopback) {
        true => Ok(next.run(request).await),
        false => Err(ApiError::no_such_endpoint()),
    }
}
