//! The forms in which the published registries signed manifests, for databases that come from them.
//!
//! New manifests are signed in the registry's own form; these three are only read. Fact sheet, sections 1.0
//! and 1.1.

use std::{cmp::Ordering, collections::BTreeSet};

use serde_json::Number;

use crate::{canonical, issuer_signature, lossless::Json};

/// One of the canonical forms, named as everywhere in this project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// UTF-16 order, integers as they are, no other numbers.
    ExactIntegers,
    /// `json.dumps(sort_keys=True)`.
    PythonSortKeys,
    /// Order of the quoted and escaped names; 64-bit integers as they are, other numbers as ECMAScript has them.
    SerdeJcs,
}

impl Form {
    fn bytes(self, value: &Json) -> Option<String> {
        let mut text = String::new();
        self.push(value, &mut text)?;
        Some(text)
    }

    fn push(self, value: &Json, text: &mut String) -> Option<()> {
        match value {
            Json::Null => text.push_str("null"),
            Json::Bool(truth) => text.push_str(if *truth { "true" } else { "false" }),
            Json::Number(digits) => text.push_str(&self.number(digits)?),
            Json::Text(string) => text.push_str(&self.string(string)?),
            Json::List(items) => {
                text.push('[');
                for (position, item) in items.iter().enumerate() {
                    text.push_str(if position > 0 { "," } else { "" });
                    self.push(item, text)?;
                }
                text.push(']');
            }
            Json::Object(members) => self.push_members(members, text)?,
        }
        Some(())
    }

    fn push_members(self, members: &[(String, Json)], text: &mut String) -> Option<()> {
        let mut members: Vec<&(String, Json)> = members.iter().collect();
        members.sort_by(|(a, _), (b, _)| self.order(a, b));
        text.push('{');
        for (position, (name, member)) in members.into_iter().enumerate() {
            text.push_str(if position > 0 { "," } else { "" });
            text.push_str(&self.string(name)?);
            text.push(':');
            self.push(member, text)?;
        }
        text.push('}');
        Some(())
    }

    fn order(self, a: &str, b: &str) -> Ordering {
        match self {
            Self::ExactIntegers => a.encode_utf16().cmp(b.encode_utf16()),
            Self::PythonSortKeys => a.cmp(b),
            Self::SerdeJcs => self.string(a).cmp(&self.string(b)),
        }
    }

    fn string(self, string: &str) -> Option<String> {
        match self {
            Self::ExactIntegers | Self::SerdeJcs => serde_json::to_string(string).ok(),
            Self::PythonSortKeys => {
                let mut text = String::new();
                canonical::push_string(string, &mut text);
                Some(text)
            }
        }
    }

    fn number(self, digits: &str) -> Option<String> {
        let is_integer = !digits.contains(['.', 'e', 'E']);
        match self {
            Self::SerdeJcs if is_integer && digits != "-0" && is_of_64_bits(digits) => {
                Some(digits.to_owned())
            }
            Self::SerdeJcs => ecmascript(digits),
            _ if is_integer => Some(String::from(if digits == "-0" { "0" } else { digits })),
            Self::ExactIntegers => None,
            Self::PythonSortKeys => {
                let mut text = String::new();
                canonical::push_number(&Number::from_f64(digits.parse().ok()?)?, &mut text);
                Some(text)
            }
        }
    }
}

fn is_of_64_bits(digits: &str) -> bool {
    digits.parse::<u64>().is_ok() || digits.parse::<i64>().is_ok()
}

fn ecmascript(digits: &str) -> Option<String> {
    let double = Number::from_f64(digits.parse().ok()?)?;
    String::from_utf8(serde_json_canonicalizer::to_vec(&double).ok()?).ok()
}

/// How a registry reads a manifest before it signs or checks what it read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// Nulls disappear, and so does a recipient that is empty.
    Python,
    /// Nulls stay, except where a recipient or one of its keys is null.
    Rust,
    /// As `Rust`, for manifests older than two of the members.
    RustWithoutNewMembers,
}

const READINGS: [(Form, Reading); 4] = [
    (Form::ExactIntegers, Reading::Python),
    (Form::PythonSortKeys, Reading::Python),
    (Form::SerdeJcs, Reading::Rust),
    (Form::SerdeJcs, Reading::RustWithoutNewMembers),
];

/// If the issuer's signature of a stored manifest verifies as one of the published registries read it: the members that are null and were
/// left out before (JSON Pointers), the fewest if several do.
pub(crate) fn verified(manifest: &Json) -> Option<Vec<String>> {
    let text = |name: &str| manifest.text_of(name).map(plain_hex).unwrap_or_default();
    let (key, signature) = (text("issuer_ed25519_pub"), text("signature_ed25519"));
    let verified = READINGS.iter().filter_map(|(form, reading)| {
        let read = reading.read(manifest)?;
        issuer_signature::verify(&key, &signature, form.bytes(&read)?.as_bytes()).ok()?;
        let signed = nulls(&read, "");
        Some(nulls(manifest, "").into_iter().filter(|null| !signed.contains(null)).collect())
    });
    verified.min_by_key(Vec::len)
}

/// Where a value is null: JSON Pointers.
fn nulls(value: &Json, at: &str) -> BTreeSet<String> {
    match value {
        Json::Null => BTreeSet::from([at.to_owned()]),
        Json::List(items) => items
            .iter()
            .enumerate()
            .flat_map(|(position, item)| nulls(item, &format!("{at}/{position}")))
            .collect(),
        Json::Object(members) => members
            .iter()
            .flat_map(|(name, member)| nulls(member, &format!("{at}/{}", escaped(name))))
            .collect(),
        Json::Bool(_) | Json::Number(_) | Json::Text(_) => BTreeSet::new(),
    }
}

/// A name in a JSON Pointer (RFC 6901).
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// Whether a text is the canonical one of what was read from it, in any of the forms. RFC 8785 writes leaves, which have no numbers but
/// small counts, as the first of them does.
pub(crate) fn is_canonical(read: &Json, text: &str) -> bool {
    let forms = [Form::ExactIntegers, Form::PythonSortKeys, Form::SerdeJcs];
    forms.iter().any(|form| form.bytes(read).as_deref() == Some(text))
}

/// Whether a text is as registries store what they were sent: compact in Rust, in Python with a space behind each comma and colon and in
/// ASCII alone. Members have the order that they came in.
pub(crate) fn is_as_stored(read: &Json, text: &str) -> bool {
    is_compact(read, text) || Spelling::Python.text(read).as_deref() == Some(text)
}

/// As this registry stores it.
pub(crate) fn is_compact(read: &Json, text: &str) -> bool {
    Spelling::Compact.text(read).as_deref() == Some(text)
}

/// How a JSON text is written, members in their order.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Spelling {
    Compact,
    Python,
}

impl Spelling {
    fn text(self, value: &Json) -> Option<String> {
        let mut text = String::new();
        self.push(value, &mut text)?;
        Some(text)
    }

    fn push(self, value: &Json, text: &mut String) -> Option<()> {
        let (comma, colon) = if self == Self::Python { (", ", ": ") } else { (",", ":") };
        match value {
            Json::Null => text.push_str("null"),
            Json::Bool(truth) => text.push_str(if *truth { "true" } else { "false" }),
            Json::Number(digits) => is_plain_number(digits).then(|| text.push_str(digits))?,
            Json::Text(string) => text.push_str(&self.string(string)?),
            Json::List(items) => {
                text.push('[');
                for (position, item) in items.iter().enumerate() {
                    text.push_str(if position > 0 { comma } else { "" });
                    self.push(item, text)?;
                }
                text.push(']');
            }
            Json::Object(members) => {
                text.push('{');
                for (position, (name, member)) in members.iter().enumerate() {
                    text.push_str(if position > 0 { comma } else { "" });
                    text.push_str(&self.string(name)?);
                    text.push_str(colon);
                    self.push(member, text)?;
                }
                text.push('}');
            }
        }
        Some(())
    }

    fn string(self, string: &str) -> Option<String> {
        match self {
            Self::Compact => Form::ExactIntegers.string(string),
            Self::Python => Form::PythonSortKeys.string(string),
        }
    }
}

/// Whether one of the languages writes a number so.
fn is_plain_number(digits: &str) -> bool {
    if !digits.contains(['.', 'e', 'E']) {
        return true;
    }
    let rust = digits.parse().ok().and_then(Number::from_f64).map(|number| number.to_string());
    rust.as_deref() == Some(digits) || Form::PythonSortKeys.number(digits).as_deref() == Some(digits)
}

/// Python reads hex in either case and with white space between the pairs.
fn plain_hex(text: &str) -> String {
    text.chars().filter(|c| !c.is_ascii_whitespace()).map(|c| c.to_ascii_lowercase()).collect()
}

impl Reading {
    fn read(self, manifest: &Json) -> Option<Json> {
        let Json::Object(members) = manifest else { return None };
        // In Rust these are integers by their type, and 12.0 is none.
        let is_integer = |name: &str| !matches!(manifest.get(name), Some(Json::Number(digits)) if digits.contains(['.', 'e', 'E']));
        if self != Self::Python && !(is_integer("issued_at") && is_integer("size_bytes")) {
            return None;
        }
        let mut members: Vec<(String, Json)> = members
            .iter()
            .filter(|(name, _)| MEMBERS.iter().any(|(known, _)| known == name))
            .cloned()
            .collect();
        for (name, default) in MEMBERS {
            if !default.is_empty() && !members.iter().any(|(found, _)| found == name) {
                members.push((name.to_owned(), Json::read(default).ok()?));
            }
        }
        for (name, member) in &mut members {
            match name.as_str() {
                "signature_ed25519" | "signature_ml_dsa" => *member = Json::Text(String::new()),
                "recipient" => *member = self.recipient(member),
                "watermarks" => known_members_of_each(member, &["layer", "mark_id"]),
                _ => {}
            }
        }
        self.drop_what_is_not_signed(&mut members);
        Some(Json::Object(members))
    }

    fn drop_what_is_not_signed(self, members: &mut Vec<(String, Json)>) {
        members.retain(|(name, member)| match (self, name.as_str(), member) {
            (_, "recipient", Json::Null) => false,
            (Self::Python, _, member) => *member != Json::Null,
            (Self::RustWithoutNewMembers, "canonical_content_hash", Json::Text(text)) => !text.is_empty(),
            (Self::RustWithoutNewMembers, "l3_policy", Json::Object(members)) => !members.is_empty(),
            _ => true,
        });
        if self == Self::Python {
            members.iter_mut().for_each(|(_, member)| drop_nulls(member));
        }
    }

    fn recipient(self, member: &Json) -> Json {
        let Json::Object(members) = member else { return member.clone() };
        if members.is_empty() && self == Self::Python {
            return Json::Null;
        }
        let known = members.iter().filter(|(name, value)| {
            RECIPIENT.contains(&name.as_str()) && (*value != Json::Null || !name.ends_with("_pub"))
        });
        let mut known: Vec<(String, Json)> = known.cloned().collect();
        if !known.iter().any(|(name, _)| name == "x25519_pub") {
            known.push((String::from("x25519_pub"), Json::Text(String::new())));
        }
        Json::Object(known)
    }
}

const RECIPIENT: [&str; 4] = ["recipient_id", "x25519_pub", "ed25519_pub", "p256_pub"];

/// Every member of a manifest, and what is signed where it is absent (nothing: the empty text).
pub(crate) const MEMBERS: [(&str, &str); 18] = [
    ("file_id", "\"\""),
    ("issued_at", "0"),
    ("version", "\"OVERSIGHT-v1\""),
    ("suite", "\"OSGT-CLASSIC-v1\""),
    ("original_filename", "\"\""),
    ("content_hash", "\"\""),
    ("canonical_content_hash", "\"\""),
    ("content_type", "\"application/octet-stream\""),
    ("size_bytes", "0"),
    ("issuer_id", "\"\""),
    ("issuer_ed25519_pub", "\"\""),
    ("recipient", ""),
    ("watermarks", "[]"),
    ("beacons", "[]"),
    ("policy", "{}"),
    ("l3_policy", "{}"),
    ("signature_ed25519", "\"\""),
    ("signature_ml_dsa", "\"\""),
];

/// Where a stored manifest has members that its signature does not cover: JSON Pointers.
pub(crate) fn unsigned_members(manifest: &Json) -> Vec<String> {
    let mut found = unknown(manifest, &MEMBERS.map(|(name, _)| name), "");
    if let Some(recipient) = manifest.get("recipient") {
        found.extend(unknown(recipient, &RECIPIENT, "/recipient"));
    }
    for (position, item) in manifest.list_of("watermarks").iter().enumerate() {
        found.extend(unknown(item, &["layer", "mark_id"], &format!("/watermarks/{position}")));
    }
    if manifest.text_of("signature_ml_dsa").is_some_and(|text| !text.is_empty()) {
        found.push(String::from("/signature_ml_dsa"));
    }
    found
}

fn unknown(object: &Json, known: &[&str], at: &str) -> Vec<String> {
    let Json::Object(members) = object else { return Vec::new() };
    let names = members.iter().map(|(name, _)| name).filter(|name| !known.contains(&name.as_str()));
    names.map(|name| format!("{at}/{}", escaped(name))).collect()
}

fn known_members_of_each(list: &mut Json, known: &[&str]) {
    let Json::List(items) = list else { return };
    for item in items {
        if let Json::Object(members) = item {
            members.retain(|(name, _)| known.contains(&name.as_str()));
        }
    }
}

fn drop_nulls(value: &mut Json) {
    match value {
        Json::List(items) => items.iter_mut().for_each(drop_nulls),
        Json::Object(members) => {
            members.retain(|(_, member)| *member != Json::Null);
            members.iter_mut().for_each(|(_, member)| drop_nulls(member));
        }
        _ => {}
    }
}

/// What a member of a manifest is that has the wrong type: its name and what was expected.
pub(crate) fn wrong_type(manifest: &Json) -> Option<(&'static str, &'static str)> {
    let Json::Object(_) = manifest else { return Some(("", "an object")) };
    MEMBERS.iter().find_map(|(name, _)| {
        let member = manifest.get(name)?;
        let (fits, expected) = match *name {
            "issued_at" => (is_integer(member, i64::MIN.into(), i64::MAX.into()), "an integer of 64 bits"),
            "size_bytes" => (is_integer(member, 0, u64::MAX.into()), "an integer from 0 to 2^64-1"),
            "watermarks" | "beacons" => (matches!(member, Json::List(_)), "a list"),
            "policy" | "l3_policy" => (true, "any value"),
            "recipient" => (is_recipient(member), "an object with text members, recipient_id among them"),
            _ => (matches!(member, Json::Text(_)), "a string"),
        };
        (!fits).then_some((*name, expected))
    })
}

fn is_integer(member: &Json, least: i128, most: i128) -> bool {
    let Json::Number(digits) = member else { return false };
    match digits.parse::<i128>() {
        Ok(number) => (least..=most).contains(&number),
        // 12.0 and 1e2 are the integers they say.
        Err(_) => digits.parse::<f64>().is_ok_and(|double| {
            #[expect(clippy::cast_precision_loss, reason = "the bounds themselves need not be met exactly")]
            let is_between = double >= least as f64 && double <= most as f64;
            double.fract() == 0.0 && is_between
        }),
    }
}

fn is_recipient(member: &Json) -> bool {
    let is_text = |name: &str| matches!(member.get(name), None | Some(Json::Text(_) | Json::Null));
    match member {
        Json::Null => true,
        Json::Object(_) => {
            member.text_of("recipient_id").is_some() && RECIPIENT.iter().all(|name| is_text(name))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(form: Form, text: &str) -> Option<String> {
        form.bytes(&Json::read(text).unwrap())
    }

    /// The rows of the fact sheet's table of cases, section 6.
    #[test]
    fn the_three_forms_differ_where_the_table_of_cases_says() {
        let cases = [
            (
                r#"["é\u007f\b\u001f\/"]"#,
                Some(r#"["\u00e9\u007f\b\u001f/"]"#),
                Some("[\"é\u{7f}\\b\\u001f/\"]"),
            ),
            (r#"{"a":1,"a b":2}"#, Some(r#"{"a":1,"a b":2}"#), Some(r#"{"a":1,"a b":2}"#)),
            ("[1.0,1e2,1E-7,1e20,-0]", Some("[1.0,100.0,1e-07,1e+20,0]"), None),
            ("[18446744073709551616]", Some("[18446744073709551616]"), Some("[18446744073709551616]")),
        ];
        for (text, python, exact) in cases {
            assert_eq!(bytes(Form::PythonSortKeys, text).as_deref(), python);
            assert_eq!(bytes(Form::ExactIntegers, text).as_deref(), exact);
        }
        let quoted = [
            (r#"{"a":1,"a b":2}"#, r#"{"a b":2,"a":1}"#),
            (r##"{"\"":1,"#":2}"##, r##"{"#":2,"\"":1}"##),
            (r#"{"\n":1,"A":2}"#, r#"{"A":2,"\n":1}"#),
            (
                "[1.0,1E-7,-0.0,18446744073709551615,18446744073709551616]",
                "[1,1e-7,0,18446744073709551615,18446744073709552000]",
            ),
        ];
        for (text, expected) in quoted {
            assert_eq!(bytes(Form::SerdeJcs, text).as_deref(), Some(expected));
        }
        let names = r#"{"\ue000":1,"😀":2}"#;
        assert_eq!(bytes(Form::ExactIntegers, names).unwrap(), "{\"😀\":2,\"\u{e000}\":1}");
        assert_eq!(bytes(Form::SerdeJcs, names).unwrap(), "{\"\u{e000}\":1,\"😀\":2}");
    }

    #[test]
    fn members_that_no_signature_covers_are_named() {
        let manifest = r#"{"x/y":1,"recipient":{"recipient_id":"r","z":2},"watermarks":[{"mark_id":"m","w":3}],"signature_ml_dsa":"00"}"#;
        let found = unsigned_members(&Json::read(manifest).unwrap());
        assert_eq!(found, ["/x~1y", "/recipient/z", "/watermarks/0/w", "/signature_ml_dsa"]);
    }

    #[test]
    fn types_are_those_of_the_specification() {
        let wrong = |text: &str| wrong_type(&Json::read(text).unwrap()).map(|(name, _)| name);
        assert_eq!(wrong(r#"{"size_bytes":12.0,"issued_at":1e2,"policy":null,"recipient":null}"#), None);
        assert_eq!(wrong("[]"), Some(""));
        assert_eq!(wrong(r#"{"size_bytes":-1}"#), Some("size_bytes"));
        assert_eq!(wrong(r#"{"issued_at":"1"}"#), Some("issued_at"));
        assert_eq!(wrong(r#"{"version":1}"#), Some("version"));
        assert_eq!(wrong(r#"{"beacons":null}"#), Some("beacons"));
        assert_eq!(wrong(r#"{"recipient":{"recipient_id":7}}"#), Some("recipient"));
    }
}
