//! Request bodies: bounded, declared as JSON, and read strictly.

use std::{future::poll_fn, pin::Pin};

use axum::{
    body::{Body, HttpBody},
    extract::{FromRequest, Request},
    http::{HeaderMap, StatusCode, header::CONTENT_TYPE},
};
use serde_json::{Map, Value};

use crate::{error::ApiError, strict_json};

/// Largest body that is read.
const MAX_BODY: usize = 2 * 1024 * 1024;

/// How much of a body that is too large is swallowed, so that a client which writes before it reads still
/// gets to see the refusal.
const MAX_DRAIN: usize = 8 * MAX_BODY;

/// Longest identifier, in bytes.
pub(crate) const MAX_IDENTIFIER: usize = 256;

/// The JSON object that a request carries.
pub(crate) struct JsonBody(pub(crate) Map<String, Value>);

impl<S: Send + Sync> FromRequest<S> for JsonBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        let bytes = read(body).await?;
        if !declares_json(&parts.headers) {
            return Err(ApiError::missing_field("content-type is not application/json")
                .with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE));
        }
        match strict_json::parse(&bytes)? {
            Value::Object(members) => Ok(Self(members)),
            _ => Err(ApiError::missing_field("body is not a JSON object")),
        }
    }
}

async fn read(mut body: Body) -> Result<Vec<u8>, ApiError> {
    let (mut kept, mut seen) = (Vec::new(), 0);
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let frame = frame.map_err(|_| ApiError::missing_field("body ended early"))?;
        let Ok(data) = frame.into_data() else { continue };
        seen += data.len();
        if seen > MAX_DRAIN {
            break;
        }
        if seen <= MAX_BODY {
            kept.extend_from_slice(&data);
        }
    }
    if seen > MAX_BODY {
        return Err(
            ApiError::missing_field("body is larger than 2 MiB").with_status(StatusCode::PAYLOAD_TOO_LARGE)
        );
    }
    Ok(kept)
}

/// `application/json` or `application/*+json`, and no charset but UTF-8.
fn declares_json(headers: &HeaderMap) -> bool {
    let Some(text) = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()) else { return false };
    let lower = text.to_ascii_lowercase();
    let mut parts = lower.split(';').map(str::trim);
    let subtype = parts.next().and_then(|essence| essence.strip_prefix("application/"));
    let is_json = subtype.is_some_and(|subtype| subtype == "json" || subtype.ends_with("+json"));
    let is_utf8 = parts
        .filter_map(|parameter| parameter.strip_prefix("charset="))
        .all(|charset| ["utf-8", "utf8"].contains(&charset.trim_matches('"')));
    is_json && is_utf8
}

/// An optional text member of at most 256 bytes; `null` counts as absent.
pub(crate) fn optional_text<'a>(
    members: &'a Map<String, Value>,
    name: &'static str,
) -> Result<Option<&'a str>, ApiError> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.len() <= MAX_IDENTIFIER => Ok(Some(text)),
        Some(Value::String(_)) => Err(ApiError::too_long(name)),
        Some(_) => Err(ApiError::missing_field(format!("{name} is not a string"))),
    }
}

/// A text of 1 to 256 bytes that a line of text can show.
pub(crate) fn identifier<'a>(text: &'a str, name: &'static str) -> Result<&'a str, ApiError> {
    match text.len() {
        0 => Err(ApiError::missing_field(format!("{name} is empty"))),
        1..=MAX_IDENTIFIER if text.chars().any(char::is_control) => {
            Err(ApiError::missing_field(format!("{name} has a control character")))
        }
        1..=MAX_IDENTIFIER => Ok(text),
        _ => Err(ApiError::too_long(name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn json_types_are_recognised() {
        let declared = |text: &'static str| {
            declares_json(&HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(text))]))
        };
        for text in ["application/json", "Application/JSON; charset=UTF-8", "application/vnd.x+json"] {
            assert!(declared(text), "{text}");
        }
        for text in ["text/json", "application/jsonx", "application/json; charset=latin-1", "text/plain", ""]
        {
            assert!(!declared(text), "{text}");
        }
    }
}
