//! Requests and answers as the layer holds them: everything that was sent, nothing interpreted.

use assayer_vectors::Sending;
use serde_json::Value as Json;

/// Header fields, in order; names in any case, values as bytes.
pub(super) type Fields = Vec<(String, Vec<u8>)>;

/// What a client sent.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// Path and query.
    pub(crate) target: String,
    pub(crate) headers: Fields,
    pub(crate) body: Vec<u8>,
}

/// What is sent back.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Fields,
    pub(crate) body: Vec<u8>,
    /// How it is put on the wire, beyond the usual.
    pub(crate) sending: Vec<Sending>,
}

impl Reply {
    pub(crate) fn json(status: u16, body: &Json) -> Self {
        let headers = vec![("content-type".to_owned(), b"application/json".to_vec())];
        Self { status, headers, body: body.to_string().into_bytes(), sending: Vec::new() }
    }

    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// The value of the first field of that name.
pub(super) fn field<'f>(fields: &'f Fields, name: &str) -> Option<&'f [u8]> {
    fields.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_slice())
}

/// Puts a field in the place of those of the same name.
pub(super) fn set_field(fields: &mut Fields, name: &str, value: &[u8]) {
    let place = fields.iter().position(|(known, _)| known.eq_ignore_ascii_case(name));
    remove_field(fields, name);
    let place = place.unwrap_or(fields.len()).min(fields.len());
    fields.insert(place, (name.to_owned(), value.to_vec()));
}

pub(super) fn remove_field(fields: &mut Fields, name: &str) {
    fields.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
}

/// The body as JSON, where it is JSON.
pub(super) fn json_of(body: &[u8]) -> Option<Json> {
    serde_json::from_slice(body).ok()
}
