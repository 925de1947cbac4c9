//! The one shape in which this registry refuses: `{"error":{"code","message"}}`.

use std::borrow::Cow;

use axum::{
    Json,
    body::Body,
    extract::{Request, State},
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use crate::{app::Shared, canonical::NotCanonical, log::LogError, store::StoreError, strict_json::JsonError};

/// The closed vocabulary of error codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    AuthRequired,
    IssuerMismatch,
    MissingField,
    NotFound,
    RateLimited,
    ServerError,
    SidecarMismatch,
    SignatureInvalid,
}

impl Code {
    fn text(self) -> &'static str {
        match self {
            Self::AuthRequired => "auth_required",
            Self::IssuerMismatch => "issuer_mismatch",
            Self::MissingField => "missing_field",
            Self::NotFound => "not_found",
            Self::RateLimited => "rate_limited",
            Self::ServerError => "server_error",
            Self::SidecarMismatch => "sidecar_mismatch",
            Self::SignatureInvalid => "signature_invalid",
        }
    }

    fn status(self) -> StatusCode {
        match self {
            Self::AuthRequired => StatusCode::UNAUTHORIZED,
            Self::IssuerMismatch => StatusCode::CONFLICT,
            Self::MissingField | Self::SidecarMismatch | Self::SignatureInvalid => StatusCode::BAD_REQUEST,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::RateLimited => StatusCode::TOO_MANY_REQUESTS,
            Self::ServerError => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

/// A refusal on its way to the client.
#[derive(Debug)]
pub(crate) struct ApiError {
    code: Code,
    status: StatusCode,
    message: Cow<'static, str>,
    header: Option<(HeaderName, HeaderValue)>,
}

impl ApiError {
    pub(crate) fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, status: code.status(), message: message.into(), header: None }
    }

    pub(crate) fn missing_field(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Code::MissingField, message)
    }

    pub(crate) fn not_found(message: &'static str) -> Self {
        Self::new(Code::NotFound, message)
    }

    pub(crate) fn auth_required(message: &'static str) -> Self {
        let challenge = (header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        Self { header: Some(challenge), ..Self::new(Code::AuthRequired, message) }
    }

    pub(crate) fn rate_limited(retry_after_seconds: u64) -> Self {
        let retry_after = (header::RETRY_AFTER, HeaderValue::from(retry_after_seconds));
        Self {
            header: Some(retry_after),
            ..Self::new(Code::RateLimited, "too many requests from this address")
        }
    }

    /// Says nothing of what broke: the cause may name files or statements.
    pub(crate) fn server_error() -> Self {
        Self::new(Code::ServerError, "the registry failed to answer this request")
    }

    /// The same code under a status of HTTP's own (405, 413, 415).
    pub(crate) fn with_status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let envelope = json!({"error": {"code": self.code.text(), "message": self.message}});
        let mut response = (self.status, Json(envelope)).into_response();
        if let Some((name, value)) = self.header {
            response.headers_mut().insert(name, value);
        }
        response.extensions_mut().insert(Enveloped);
        response
    }
}

impl From<JsonError> for ApiError {
    fn from(error: JsonError) -> Self {
        Self::missing_field(error.to_string())
    }
}

impl From<NotCanonical> for ApiError {
    fn from(_: NotCanonical) -> Self {
        Self::server_error()
    }
}

impl From<StoreError> for ApiError {
    fn from(_: StoreError) -> Self {
        Self::server_error()
    }
}

impl From<LogError> for ApiError {
    fn from(_: LogError) -> Self {
        Self::server_error()
    }
}

impl From<rusqlite::Error> for ApiError {
    fn from(_: rusqlite::Error) -> Self {
        Self::server_error()
    }
}

/// Marks a response that this module wrote.
#[derive(Clone, Copy)]
struct Enveloped;

/// Puts refusals of the framework into the envelope, so that no route can forget it.
pub(crate) async fn envelope(State(app): State<Shared>, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    if response.status().is_success() {
        response
    } else if app.faults.on("errors-without-envelope") {
        with_body(response, &json!({"detail": "the request was refused"}))
    } else if response.extensions().get::<Enveloped>().is_none() {
        let code = code_for(response.status());
        with_body(response, &json!({"error": {"code": code.text(), "message": "the request was refused"}}))
    } else {
        response
    }
}

fn code_for(status: StatusCode) -> Code {
    match status {
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => Code::NotFound,
        status if status.is_server_error() => Code::ServerError,
        _ => Code::MissingField,
    }
}

/// Another body under the same status and headers.
fn with_body(response: Response, body: &Value) -> Response {
    let (mut parts, _) = response.into_parts();
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(body.to_string()))
}
