//! The one shape in which this registry refuses: `{"error":{"code","message"}}`, or that of its other dialect.

use std::{borrow::Cow, sync::Arc};

use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use crate::{
    app::Shared, canonical::NotCanonical, dialect::Dialect, log::LogError, store::StoreError,
    strict_json::JsonError,
};

/// The closed vocabulary of error codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    AuthRequired,
    IdentifierTooLong,
    IssuerMismatch,
    MissingField,
    NotFound,
    RateLimited,
    ServerError,
    SidecarMismatch,
    SignatureInvalid,
}

impl Code {
    /// All of them.
    pub(crate) const ALL: [Self; 9] = [
        Self::AuthRequired,
        Self::IdentifierTooLong,
        Self::IssuerMismatch,
        Self::MissingField,
        Self::NotFound,
        Self::RateLimited,
        Self::ServerError,
        Self::SidecarMismatch,
        Self::SignatureInvalid,
    ];
}

/// A refusal on its way to the client.
#[derive(Debug)]
pub(crate) struct ApiError {
    code: Code,
    /// A status of HTTP's own, in place of that which the code has in the dialect.
    status: Option<StatusCode>,
    message: Cow<'static, str>,
    header: Option<(HeaderName, HeaderValue)>,
    /// Whether the connection ends with this answer: what else came over it cannot be told from the rest of the request.
    closes: bool,
}

impl ApiError {
    pub(crate) fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, status: None, message: message.into(), header: None, closes: false }
    }

    pub(crate) fn missing_field(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Code::MissingField, message)
    }

    pub(crate) fn too_long(name: &str) -> Self {
        Self::new(Code::IdentifierTooLong, format!("{name} is longer than 256 bytes"))
    }

    pub(crate) fn not_found(message: &'static str) -> Self {
        Self::new(Code::NotFound, message)
    }

    pub(crate) fn no_such_endpoint() -> Self {
        Self::not_found("no such endpoint")
    }

    pub(crate) fn no_such_method() -> Self {
        Self::not_found("this endpoint has no such method").with_status(StatusCode::METHOD_NOT_ALLOWED)
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

    /// Tells the client nothing of the cause, and the operator's log all of it.
    pub(crate) fn broken(cause: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(cause, "a request could not be answered");
        Self::server_error()
    }

    /// Refuses, with 503, what an operator has not made possible.
    pub(crate) fn unavailable(message: &'static str) -> Self {
        Self::new(Code::ServerError, message).with_status(StatusCode::SERVICE_UNAVAILABLE)
    }

    /// Refuses what needs more memory than there is for it now. Who reads the answers that he asked for makes room.
    pub(crate) fn no_room() -> Self {
        let retry_after = (header::RETRY_AFTER, HeaderValue::from_static("10"));
        Self {
            header: Some(retry_after),
            ..Self::unavailable("no memory is left for so much at once: read the answers you asked for")
        }
    }

    /// The same refusal, at the end of the connection.
    pub(crate) fn and_close(self) -> Self {
        Self { closes: true, ..self }
    }

    /// The same code under a status of HTTP's own (405, 413, 415).
    pub(crate) fn with_status(self, status: StatusCode) -> Self {
        Self { status: Some(status), ..self }
    }
}

/// The answer is written where the dialect is known, in [`envelope`].
impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
        if let Some((name, value)) = self.header.clone() {
            response.headers_mut().insert(name, value);
        }
        if self.closes {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response.extensions_mut().insert(Refusal(Arc::new(self)));
        response
    }
}

impl From<JsonError> for ApiError {
    fn from(error: JsonError) -> Self {
        Self::missing_field(error.to_string())
    }
}

impl From<NotCanonical> for ApiError {
    fn from(error: NotCanonical) -> Self {
        Self::broken(&error)
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        Self::broken(&error)
    }
}

impl From<LogError> for ApiError {
    fn from(error: LogError) -> Self {
        Self::broken(&error)
    }
}

impl From<rusqlite::Error> for ApiError {
    fn from(error: rusqlite::Error) -> Self {
        Self::broken(&error)
    }
}

/// What a response of this module says.
#[derive(Clone)]
struct Refusal(Arc<ApiError>);

/// Writes refusals, and puts those of the framework into the same shape, so that no route can forget it.
pub(crate) async fn envelope(State(app): State<Shared>, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let refusal = response.extensions().get::<Refusal>().cloned();
    let (code, status, message) = match &refusal {
        Some(Refusal(refusal)) => (refusal.code, refusal.status, refusal.message.as_ref()),
        None if response.status().is_success() || response.status().is_redirection() => return response,
        None => (code_for(response.status()), Some(response.status()), "the request was refused"),
    };
    let (name, usual) = app.dialect.error(code);
    let mut response = if app.faults.on("errors-without-envelope") {
        with_body(response, &json!({"detail": "the request was refused"}))
    } else {
        with_body(response, &body(app.dialect, name, message))
    };
    *response.status_mut() = status.unwrap_or(usual);
    response
}

fn body(dialect: Dialect, name: &str, message: &str) -> Value {
    match dialect {
        Dialect::Candidate => json!({"error": {"code": name, "message": message}}),
        Dialect::Announced => json!({"error": name, "message": message}),
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
