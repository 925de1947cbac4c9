//! Request bodies: bounded in size and time, declared as JSON, and read strictly.

use std::{future::poll_fn, marker::PhantomData, pin::Pin};

use axum::{
    body::{Body, HttpBody},
    extract::{FromRequest, FromRequestParts, Request},
    http::{
        HeaderMap, StatusCode,
        header::{CONTENT_ENCODING, CONTENT_TYPE, EXPECT},
    },
};
use serde_json::{Map, Value};
use tokio::time::timeout;

use crate::{app::Shared, auth::Guard, client::Client, error::ApiError, room::Claim, strict_json};

/// Largest body that is read.
const MAX_BODY: usize = 2 * 1024 * 1024;

/// How much of a body that is refused is swallowed, so that a client which writes before it reads still
/// gets to see the refusal.
const MAX_DRAIN: usize = 8 * MAX_BODY;

/// What a value takes at most beside its text, in bytes: an object of one member, its table and its name. Measured: 414 where such
/// objects are nested, 104 for texts.
const VALUE: usize = 448;

/// Longest identifier, in bytes.
pub(crate) const MAX_IDENTIFIER: usize = 256;

/// The JSON object that a call carries which its guard has let through.
pub(crate) struct Guarded<G> {
    pub(crate) members: Map<String, Value>,
    /// On the memory of the members, until the call is answered.
    pub(crate) claim: Claim,
    guard: PhantomData<G>,
}

impl<G: Guard> FromRequest<Shared> for Guarded<G> {
    type Rejection = ApiError;

    /// Who may not call is refused before a byte of the body is kept or parsed.
    async fn from_request(request: Request, app: &Shared) -> Result<Self, ApiError> {
        let (mut parts, body) = request.into_parts();
        let client = Client::from_request_parts(&mut parts, app).await?;
        let admitted = G::admit(app, &parts.headers, client).and_then(|()| describes_json(&parts.headers));
        if let Err(refusal) = admitted {
            swallow(&parts.headers, body, app).await;
            return Err(refusal);
        }
        let mut claim = app.room.claim(client);
        let bytes = read(body, Some(&mut claim), app).await?;
        let (value, count) = strict_json::parse_body(&bytes)?;
        claim.cover(bytes.len().saturating_add(count.saturating_mul(VALUE)))?;
        match value {
            Value::Object(members) => Ok(Self { members, claim, guard: PhantomData }),
            _ => Err(ApiError::missing_field("body is not a JSON object")),
        }
    }
}

/// Takes a body that nobody wants off the connection, which could not be used again otherwise: of one that comes after the answer the
/// client would learn only by its next request. Who waits to be told to send the body is told not to.
pub(crate) async fn swallow(headers: &HeaderMap, body: Body, app: &Shared) {
    if !headers.contains_key(EXPECT) {
        drop(read(body, None, app).await);
    }
}

/// Keeps a body where there is a claim for it, and nothing of it where there is none.
async fn read(body: Body, claim: Option<&mut Claim>, app: &Shared) -> Result<Vec<u8>, ApiError> {
    let patience = app.timeouts.body;
    let slow = || {
        let seconds = patience.as_secs_f64();
        ApiError::missing_field(format!("body did not end within {seconds} seconds"))
            .with_status(StatusCode::REQUEST_TIMEOUT)
            .and_close()
    };
    timeout(patience, read_all(body, claim)).await.unwrap_or_else(|_| Err(slow()))
}

/// Keeps a body of at most 2 MiB; of a larger one nothing.
async fn read_all(mut body: Body, mut claim: Option<&mut Claim>) -> Result<Vec<u8>, ApiError> {
    let room = if claim.is_some() { MAX_BODY } else { 0 };
    let (mut kept, mut seen) = (Vec::new(), 0_usize);
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let frame =
            frame.map_err(|_| ApiError::missing_field("body ended early or its framing is broken"))?;
        let Ok(data) = frame.into_data() else { continue };
        seen = seen.saturating_add(data.len());
        match seen {
            seen if seen <= room => {
                if let Some(claim) = &mut claim {
                    claim.cover(seen).map_err(ApiError::and_close)?;
                }
                kept.extend_from_slice(&data);
            }
            seen if seen <= MAX_DRAIN => kept = Vec::new(),
            _ => break,
        }
    }
    match seen > room {
        false => Ok(kept),
        true => Err(ApiError::missing_field("body is larger than 2 MiB")
            .with_status(StatusCode::PAYLOAD_TOO_LARGE)
            .and_close()),
    }
}

fn describes_json(headers: &HeaderMap) -> Result<(), ApiError> {
    let unsupported =
        |message| Err(ApiError::missing_field(message).with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE));
    let is_identity = |value: &axum::http::HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"identity");
    match () {
        () if !headers.get_all(CONTENT_ENCODING).iter().all(is_identity) => {
            unsupported("content-encoding is not identity: a body is sent as it is")
        }
        () if !declares_json(headers) => {
            unsupported("content-type is not application/json in UTF-8, given once")
        }
        () => Ok(()),
    }
}

/// `application/json` or `application/*+json`, and no charset but UTF-8.
fn declares_json(headers: &HeaderMap) -> bool {
    let mut fields = headers.get_all(CONTENT_TYPE).iter();
    let (Some(field), None) = (fields.next(), fields.next()) else { return false };
    let Ok(text) = field.to_str() else { return false };
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
