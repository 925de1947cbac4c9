//! A manifest as the issuer signed it: typed strictly, kept as it came.

use std::{collections::HashMap, sync::Arc};

use serde_json::{Map, Value, json};

use crate::{
    body::{MAX_IDENTIFIER, identifier},
    canonical::Form,
    error::{ApiError, Code},
    faults::Faults,
    issuer_signature, sloppy,
};

/// Most beacons, and most watermarks, that one manifest may list.
pub(crate) const MAX_ITEMS: u32 = 500;

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

const DEFAULT_SUITE: &str = "OSGT-CLASSIC-v1";

/// The suites whose signatures this registry verifies.
pub(crate) const SUITES: [&str; 2] = [DEFAULT_SUITE, "OSGT-HW-P256-v1"];

const FILE_ID: Place =
    Place::new("file_id", Empty::Refused, "file-id-unbounded", "file-id-bounded-by-characters");
const ISSUER_ID: Place =
    Place::new("issuer_id", Empty::Allowed, "issuer-id-unbounded", "issuer-id-bounded-by-characters");
const MARK_ID: Place =
    Place::new("mark_id", Empty::Refused, "mark-id-unbounded", "mark-id-bounded-by-characters");
const RECIPIENT_ID: Place = Place::new(
    "recipient_id",
    Empty::Allowed,
    "recipient-id-unbounded",
    "recipient-id-bounded-by-characters",
);
const TOKEN_ID: Place =
    Place::new("token_id", Empty::Refused, "token-id-unbounded", "token-id-bounded-by-characters");

/// One of the five places of an identifier in a manifest, and the faults under which too long ones pass.
struct Place {
    name: &'static str,
    empty: Empty,
    unbounded: &'static str,
    by_characters: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Empty {
    Allowed,
    Refused,
}

impl Place {
    const fn new(
        name: &'static str,
        empty: Empty,
        unbounded: &'static str,
        by_characters: &'static str,
    ) -> Self {
        Self { name, empty, unbounded, by_characters }
    }

    fn admits(&self, text: &str, faults: &Faults) -> Result<(), ApiError> {
        if text.is_empty() && self.empty == Empty::Allowed {
            return Ok(());
        }
        let bound_is_off = text.len() > MAX_IDENTIFIER
            && match text.chars().count() <= MAX_IDENTIFIER {
                true => faults.on(self.by_characters),
                false => faults.on(self.unbounded),
            };
        if bound_is_off {
            return Ok(());
        }
        let is_at_the_bound = text.len() == MAX_IDENTIFIER;
        let refused = is_at_the_bound
            && match text.is_ascii() {
                true => faults.on("identifiers-of-256-bytes-refused"),
                false => faults.on("identifiers-bounded-as-escaped"),
            };
        if refused {
            return Err(ApiError::missing_field(format!("manifest {} is too long", self.name)));
        }
        identifier(text, self.name).map(|_| ())
    }
}

/// Every member a manifest may have. An unknown one would be stored and served without being understood.
const MEMBERS: [(&str, Shape, Absent); 18] = [
    ("file_id", Shape::Text, Absent::Refused),
    ("issued_at", Shape::Integer, Absent::Refused),
    ("version", Shape::Text, Absent::Text("OVERSIGHT-v1")),
    ("suite", Shape::Text, Absent::Text(DEFAULT_SUITE)),
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
    /// As it came.
    sent: Arc<Map<String, Value>>,
    /// As it is understood, where a fault makes that something else.
    understood: Option<Map<String, Value>>,
    /// The text that is stored, and served again as it came.
    text: String,
}

/// What a registry makes of a manifest that it does not refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    /// A fault has it answer as if the signature held. Nothing is stored, so that only the answer is wrong.
    Pretended,
    /// The signature holds.
    Verified,
}

impl Manifest {
    pub(crate) fn read(sent: Arc<Map<String, Value>>, faults: &Faults) -> Result<Self, ApiError> {
        match sent.get("file_id") {
            Some(Value::String(text)) => FILE_ID.admits(text, faults)?,
            _ => return Err(ApiError::missing_field("manifest.file_id is not a string")),
        }
        let names = MEMBERS.map(|(name, ..)| name);
        let recipient = [RECIPIENT_REQUIRED, RECIPIENT_OPTIONAL].concat();
        let known = sloppy::Known { members: &names, recipient: &recipient };
        let understood = sloppy::understood(&sent, &known, faults);
        let text = serde_json::to_string(&*sent).map_err(|_| ApiError::server_error())?;
        let manifest = Self { sent, understood, text };
        manifest.has_shape()?;
        manifest.has_bounds(faults)?;
        manifest.is_of_a_known_suite()?;
        Ok(manifest)
    }

    fn members(&self) -> &Map<String, Value> {
        self.understood.as_ref().unwrap_or(&self.sent)
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
        let recipient = self.members().get("recipient").and_then(|recipient| recipient.get("recipient_id"));
        recipient.and_then(Value::as_str).unwrap_or(UNKNOWN)
    }

    pub(crate) fn list(&self, name: &str) -> &[Value] {
        self.members().get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// A list as it was sent, with whatever a faulty registry does not understand.
    pub(crate) fn sent_list(&self, name: &str) -> &[Value] {
        self.sent.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
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
    pub(crate) fn to_text(&self) -> &str {
        &self.text
    }

    /// Checks the issuer's signature.
    pub(crate) fn verify(&self, form: Form, faults: &Faults) -> Result<Trust, ApiError> {
        let signature = self.text("signature_ed25519").unwrap_or_default();
        let Err(error) = issuer_signature::verify(
            self.issuer_key(),
            signature,
            &self.signed_bytes(self.issuer_key(), form)?,
        ) else {
            return Ok(Trust::Verified);
        };
        let message = |key: &str| self.signed_bytes(key, form).ok();
        sloppy::verify(self.issuer_key(), signature, &message, faults)
            .map(|()| Trust::Pretended)
            .ok_or_else(|| ApiError::new(Code::SignatureInvalid, error.to_string()))
    }

    /// Canonical bytes with absent members at their defaults and both signatures present but empty.
    fn signed_bytes(&self, key: &str, form: Form) -> Result<Vec<u8>, ApiError> {
        let (members, key, blank) = (self.members(), json!(key), json!(""));
        let defaults = MEMBERS.map(|(.., absent)| default_value(absent));
        let signed = MEMBERS.iter().zip(&defaults).filter_map(|((name, ..), default)| {
            let value = match *name {
                "issuer_ed25519_pub" => Some(&key),
                "signature_ed25519" | "signature_ml_dsa" => Some(&blank),
                name => members.get(name).or(default.as_ref()),
            };
            value.map(|value| (*name, value))
        });
        Ok(form.object(signed)?)
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.members().get(name).and_then(Value::as_str)
    }

    /// What this registry cannot check it does not vouch for: only suites whose signatures it verifies, all of them.
    fn is_of_a_known_suite(&self) -> Result<(), ApiError> {
        if !SUITES.contains(&self.text("suite").unwrap_or(DEFAULT_SUITE)) {
            return Err(ApiError::missing_field("manifest.suite is not one that this registry verifies"));
        }
        match self.text("signature_ml_dsa") {
            None | Some("") => Ok(()),
            Some(_) => Err(ApiError::missing_field("manifest.signature_ml_dsa has no place in this suite")),
        }
    }

    fn has_shape(&self) -> Result<(), ApiError> {
        let members = self.members();
        has_known_members(members)?;
        MEMBERS.iter().try_for_each(|(name, shape, absent)| has_shape(members, name, *shape, *absent))?;
        match self.issuer_key() {
            "" => Err(ApiError::missing_field("manifest.issuer_ed25519_pub is empty")),
            _ => Ok(()),
        }
    }

    fn has_bounds(&self, faults: &Faults) -> Result<(), ApiError> {
        RECIPIENT_ID.admits(self.recipient_id(), faults)?;
        ISSUER_ID.admits(self.issuer_id(), faults)?;
        let tokens = self.list("beacons").iter().map(|item| (&TOKEN_ID, text_of(item, "token_id")));
        let marks = self.list("watermarks").iter().map(|item| (&MARK_ID, text_of(item, "mark_id")));
        tokens.chain(marks).try_for_each(|(place, text)| place.admits(text, faults))?;
        for name in ["beacons", "watermarks"] {
            if self.list(name).len() > MAX_ITEMS as usize {
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
    if item.get("token_id").and_then(Value::as_str).is_none() {
        return Err(ApiError::missing_field("a signed beacon has no token_id"));
    }
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
        (2, Some(Value::String(_)), Some(Value::String(layer))) => {
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
