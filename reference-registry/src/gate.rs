//! What a request must be before a route gets to see it: within bounds, framed in one way, and for a host that has the route.

use std::{collections::HashMap, sync::Arc};

use axum::{
    extract::{MatchedPath, Request, State},
    http::{
        HeaderMap, HeaderValue, StatusCode, Version,
        header::{CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING, X_CONTENT_TYPE_OPTIONS},
    },
    middleware::Next,
    response::{IntoResponse, Response},
};
use tokio::time::timeout;

use crate::{
    app::Shared,
    client::Client,
    endpoint::Endpoint,
    error::ApiError,
    hosts::{self, Family},
};

/// Longest request target, in bytes: thrice the longest identifier, percent-encoded, and room to spare.
const MAX_TARGET: usize = 4 * 1024;

/// Most bytes of names and values of header fields together.
const MAX_FIELDS: usize = 16 * 1024;

/// What the gate knows.
pub(crate) struct Gate {
    app: Shared,
    families: HashMap<&'static str, Family>,
}

impl Gate {
    pub(crate) fn new(app: Shared, endpoints: &[Endpoint]) -> Arc<Self> {
        let families = endpoints.iter().map(|endpoint| (endpoint.route(), endpoint.family)).collect();
        Arc::new(Self { app, families })
    }

    fn admits(&self, request: &Request) -> Result<(), ApiError> {
        is_bounded(request).and_then(|()| is_framed_once(request)).map_err(ApiError::and_close)?;
        let host =
            hosts::asked(request.uri(), request.version(), request.headers()).map_err(ApiError::and_close)?;
        let route = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
        match route.and_then(|route| self.families.get(route)) {
            Some(family) if !self.app.hosts.serve(*family, host.as_deref()) => {
                Err(ApiError::no_such_endpoint())
            }
            _ => Ok(()),
        }
    }
}

/// Lets a request through, within the time that it has.
pub(crate) async fn gate(State(gate): State<Arc<Gate>>, request: Request, next: Next) -> Response {
    let is_chunked = request.headers().contains_key(TRANSFER_ENCODING);
    let mut response = match gate.admits(&request) {
        Err(refusal) => refusal.into_response(),
        Ok(()) => match timeout(gate.app.timeouts.request, next.run(request)).await {
            Ok(response) => response,
            Err(_) => ApiError::unavailable("the request took too long").and_close().into_response(),
        },
    };
    let headers = response.headers_mut();
    // A head that a cache kept looks like a log that was rolled back, and a beacon from a cache is one that nobody sees.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // A length that stood behind the transfer coding is gone when the request comes here. Whatever it would have made of the
    // bytes that follow, nobody reads them (RFC 9112, section 6.1).
    if is_chunked {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// Counts a request that only reads.
pub(crate) async fn reads(
    State(app): State<Shared>,
    client: Client,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    app.admit_read(client)?;
    Ok(next.run(request).await)
}

fn is_bounded(request: &Request) -> Result<(), ApiError> {
    let target = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    let fields: usize = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    let refused = |message, status| Err(ApiError::missing_field(message).with_status(status));
    match () {
        () if target > MAX_TARGET => {
            refused("the request target is longer than 4 KiB", StatusCode::URI_TOO_LONG)
        }
        () if fields > MAX_FIELDS => {
            refused("the header fields are larger than 16 KiB", StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE)
        }
        () => Ok(()),
    }
}

/// A message with two framings ends in two places, depending on who reads it. Two different lengths are refused by the HTTP library.
fn is_framed_once(request: &Request) -> Result<(), ApiError> {
    let headers: &HeaderMap = request.headers();
    let has_coding = headers.contains_key(TRANSFER_ENCODING);
    let is_chunked = |value: &HeaderValue| value.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked");
    match () {
        () if headers.get_all(TRANSFER_ENCODING).iter().count() > 1
            || !headers.get_all(TRANSFER_ENCODING).iter().all(is_chunked) =>
        {
            Err(ApiError::missing_field("the request has a Transfer-Encoding other than chunked, given once"))
        }
        () if has_coding && headers.contains_key(CONTENT_LENGTH) => {
            Err(ApiError::missing_field("the request has both Transfer-Encoding and Content-Length"))
        }
        () if has_coding && request.version() < Version::HTTP_11 => {
            Err(ApiError::missing_field("a request of HTTP/1.0 has no Transfer-Encoding"))
        }
        () => Ok(()),
    }
}
