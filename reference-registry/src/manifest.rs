//! A manifest as the issuer signed it: typed strictly, kept as it came.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use crate::{
    body::{MAX_IDENTIFIER, identifier},
    canonical,
    error::{ApiError, Code},
    issuer_signature,
};

/// Most beacons, and most watermarks, that one manifest may list.
const MAX_ITEMS: usize = 500;

/// Longest compact text of a manifest, in bytes.
const MAX_TEXT: usize = 256 * 1024;

/// What rows and leaves say where the manifest does not name an issuer or recipient.
const UNKNOWN: &str = "unknown";

/// What a member may be.
#[derive(Clone, Copy)]
enum Shape {
    Beacons,
    Integer,
    Object,
    Recipient,
    Text,
    Unsigned,
    Watermarks,
}

/// What is signed in place of a member that is absent.
#[derive(Clone, Copy)]
enum Absent {
    EmptyList,
    EmptyObject,
    Nothing,
    Refused,
    Text(&'static str),
    Zero,
}

/// Every member a manifest may have. An unknown one would be stored and served without being understood.
const MEMBERS: [(&str, Shape, Absent); 18] = [
    ("file_id", Shape::Text, Absent::Refused),
    ("issued_at", Shape::Integer, Absent::Refused),
    ("version", Shape::Text, Absent::Text("OVERSIGHT-v1")),
    ("suite", Shape::Text, Absent::Text("OSGT-CLASSIC-v1")),
    ("original_filename", Shape::Text, Absent::Text("")),
    ("content_hash", Shape::Text, Absent::Text("")),
    ("canonical_content_hash", Shape::Text, Absent::Text("")),
    ("content_type", Shape::Text, Absent::Text("application/octet-stream")),
    ("size_bytes", Shape::Unsigned, Absent::Zero),
    ("issuer_id", Shape::Text, Absent::Text("")),
    ("issuer_ed25519_pub", Shape::Text, Absent::Refused),
    ("recipient", Shape::Recipient, Absent::Nothing),
    ("watermarks", Shape::Watermarks, Absent::EmptyList),
    ("beacons", Shape::Beacons, Absent::EmptyList),
    ("policy", Shape::Object, Absent::EmptyObject),
    ("l3_policy", Shape::Object, Absent::EmptyObject),
    ("signature_ed25519", Shape::Text, Absent::Text("")),
    ("signature_ml_dsa", Shape::Text, Absent::Text("")),
];

const RECIPIENT_REQUIRED: [&str; 2] = ["recipient_id", "x25519_pub"];
const RECIPIENT_OPTIONAL: [&str; 2] = ["ed25519_pub", "p256_pub"];

/// A manifest whose members have the right types and sizes. Its signature is checked by [`Manifest::verify`].
pub(crate) struct Manifest {
    members: Map<String, Value>,
}

impl Manifest {
    pub(crate) fn read(members: &Map<String, Value>) -> Result<Self, ApiError> {
        match members.get("file_id") {
            Some(Value::String(text)) => identifier(text, "manifest.file_id")?,
            _ => return Err(ApiError::missing_field("manifest.file_id is not a string")),
        };
        has_known_members(members)?;
        MEMBERS.iter().try_for_each(|(name, shape, absent)| has_shape(members, name, *shape, *absent))?;
        if members.get("issuer_ed25519_pub") == Some(&json!("")) {
            return Err(ApiError::missing_field("manifest.issuer_ed25519_pub is empty"));
        }
        let manifest = Self { members: members.clone() };
        manifest.has_bounds()?;
        Ok(manifest)
    }

    pub(crate) fn file_id(&self) -> &str {
        self.text("file_id").unwrap_or_default()
    }

    pub(crate) fn issuer_id(&self) -> &str {
        self.text("issuer_id").unwrap_or(UNKNOWN)
    }

    pub(crate) fn issuer_key(&self) -> &str {
        self.text("issuer_ed25519_pub").unwrap_or_default()
    }

    pub(crate) fn recipient_id(&self) -> &str {
        let recipient = self.members.get("recipient").and_then(|recipient| recipient.get("recipient_id"));
        recipient.and_then(Value::as_str).unwrap_or(UNKNOWN)
    }

    pub(crate) fn list(&self, name: &str) -> &[Value] {
        self.members.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// Token and kind of each beacon, repetitions folded.
    pub(crate) fn beacons(&self) -> Vec<(&str, &str)> {
        folded(self.list("beacons").iter().map(|item| (text_of(item, "token_id"), kind_of(item))))
    }

    /// Mark and layer of each watermark, repetitions folded.
    pub(crate) fn watermarks(&self) -> Vec<(&str, &str)> {
        folded(self.list("watermarks").iter().map(|item| (text_of(item, "mark_id"), text_of(item, "layer"))))
    }

    /// The text that is stored, and served again as it came.
    pub(crate) fn to_text(&self) -> String {
        Value::Object(self.members.clone()).to_string()
    }

    /// Checks the issuer's signature.
    pub(crate) fn verify(&self) -> Result<(), ApiError> {
        let signature = self.text("signature_ed25519").unwrap_or_default();
        issuer_signature::verify(self.issuer_key(), signature, &self.signed_bytes()?)
            .map_err(|error| ApiError::new(Code::SignatureInvalid, error.to_string()))
    }

    /// RFC 8785 bytes with absent members at their defaults and both signatures present but empty.
    fn signed_bytes(&self) -> Result<Vec<u8>, ApiError> {
        let mut members = self.members.clone();
        for (name, _, absent) in MEMBERS {
            if let Some(value) = default_value(absent).filter(|_| !members.contains_key(name)) {
                members.insert(String::from(name), value);
            }
        }
        for name in ["signature_ed25519", "signature_ml_dsa"] {
            members.insert(String::from(name), json!(""));
        }
        Ok(canonical::bytes(&Value::Object(members))?)
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.members.get(name).and_then(Value::as_str)
    }

    fn has_bounds(&self) -> Result<(), ApiError> {
        for (name, text) in [("recipient_id", self.recipient_id()), ("issuer_id", self.issuer_id())] {
            if text.len() > MAX_IDENTIFIER {
                return Err(ApiError::missing_field(format!("manifest {name} is longer than 256 bytes")));
            }
        }
        for name in ["beacons", "watermarks"] {
            if self.list(name).len() > MAX_ITEMS {
                return Err(ApiError::missing_field(format!("manifest.{name} has more than 500 items")));
            }
        }
        if self.to_text().len() > MAX_TEXT {
            return Err(ApiError::missing_field("manifest is longer than 256 KiB"));
        }
        has_one_kind_per_token(&self.beacons())
    }
}

fn has_known_members(members: &Map<String, Value>) -> Result<(), ApiError> {
    let is_known = |name: &String| MEMBERS.iter().any(|(known, ..)| known == name);
    if members.keys().all(is_known) {
        Ok(())
    } else {
        Err(ApiError::missing_field("manifest has an unknown member"))
    }
}

fn has_shape(members: &Map<String, Value>, name: &str, shape: Shape, absent: Absent) -> Result<(), ApiError> {
    let Some(value) = members.get(name) else {
        return match absent {
            Absent::Refused => Err(ApiError::missing_field(format!("manifest.{name} is missing"))),
            _ => Ok(()),
        };
    };
    let wrong = |expected| Err(ApiError::missing_field(format!("manifest.{name} is not {expected}")));
    match (shape, value) {
        (Shape::Text, Value::String(_)) | (Shape::Object, Value::Object(_)) => Ok(()),
        (Shape::Integer, Value::Number(number)) if number.is_i64() => Ok(()),
        (Shape::Unsigned, Value::Number(number)) if number.is_u64() => Ok(()),
        (Shape::Recipient, Value::Object(recipient)) => is_recipient(recipient),
        (Shape::Beacons, Value::Array(items)) => items.iter().try_for_each(is_beacon),
        (Shape::Watermarks, Value::Array(items)) => items.iter().try_for_each(is_watermark),
        (Shape::Text, _) => wrong("a string"),
        (Shape::Integer, _) => wrong("an integer"),
        (Shape::Unsigned, _) => wrong("a non-negative integer"),
        (Shape::Object | Shape::Recipient, _) => wrong("an object"),
        (Shape::Beacons | Shape::Watermarks, _) => wrong("a list"),
    }
}

fn is_recipient(recipient: &Map<String, Value>) -> Result<(), ApiError> {
    for name in RECIPIENT_REQUIRED {
        if !recipient.contains_key(name) {
            return Err(ApiError::missing_field(format!("manifest.recipient.{name} is missing")));
        }
    }
    for (name, value) in recipient {
        if !RECIPIENT_REQUIRED.iter().chain(&RECIPIENT_OPTIONAL).any(|known| known == name) {
            return Err(ApiError::missing_field("manifest.recipient has an unknown member"));
        }
        if !value.is_string() {
            return Err(ApiError::missing_field(format!("manifest.recipient.{name} is not a string")));
        }
    }
    Ok(())
}

fn is_beacon(item: &Value) -> Result<(), ApiError> {
    let token_id = item.get("token_id").and_then(Value::as_str);
    let token_id = token_id.ok_or_else(|| ApiError::missing_field("a signed beacon has no token_id"))?;
    identifier(token_id, "token_id of a signed beacon")?;
    match item.get("kind") {
        None | Some(Value::Null) => Ok(()),
        Some(Value::String(kind)) if kind.len() <= MAX_IDENTIFIER => Ok(()),
        Some(_) => {
            Err(ApiError::missing_field("kind of a signed beacon is not a string of at most 256 bytes"))
        }
    }
}

fn is_watermark(item: &Value) -> Result<(), ApiError> {
    let Value::Object(members) = item else {
        return Err(ApiError::missing_field("a signed watermark is not an object"));
    };
    match (members.len(), members.get("mark_id"), members.get("layer")) {
        (2, Some(Value::String(mark_id)), Some(Value::String(layer))) => {
            identifier(mark_id, "mark_id of a signed watermark")?;
            identifier(layer, "layer of a signed watermark")?;
            Ok(())
        }
        _ => {
            Err(ApiError::missing_field("a signed watermark is not exactly layer and mark_id, both strings"))
        }
    }
}

/// One token cannot have two rows, so evidence could not show both kinds.
fn has_one_kind_per_token(beacons: &[(&str, &str)]) -> Result<(), ApiError> {
    let tokens: HashMap<_, _> = beacons.iter().copied().collect();
    match tokens.len() == beacons.len() {
        true => Ok(()),
        false => Err(ApiError::missing_field("a signed token_id is listed under two kinds")),
    }
}

fn default_value(absent: Absent) -> Option<Value> {
    match absent {
        Absent::EmptyList => Some(json!([])),
        Absent::EmptyObject => Some(json!({})),
        Absent::Nothing | Absent::Refused => None,
        Absent::Text(text) => Some(json!(text)),
        Absent::Zero => Some(json!(0)),
    }
}

fn text_of<'a>(item: &'a Value, name: &str) -> &'a str {
    item.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn kind_of(item: &Value) -> &str {
    item.get("kind").and_then(Value::as_str).unwrap_or(UNKNOWN)
}

fn folded<'a>(items: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<(&'a str, &'a str)> {
    let mut seen = std::collections::HashSet::new();
    items.filter(|item| seen.insert(*item)).collect()
}
