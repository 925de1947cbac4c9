//! How careless verifiers read signatures and keys, each as a fault. What a fault ignores is tried out: if the signature
//! holds with any content there, it is accepted.

use serde_json::{Map, Value};

use crate::{faults::Faults, issuer_signature};

/// The order of the group of Ed25519 (RFC 8032 section 5.1), little-endian.
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// Whether a refused signature holds for a registry with one of the faults that are on; `message` gives the signed bytes
/// of the manifest under a key.
pub(crate) fn verify(
    key: &str,
    signature: &str,
    message: &dyn Fn(&str) -> Option<Vec<u8>>,
    faults: &Faults,
) -> Option<()> {
    let holds_for = |key: &str, signature: &str| {
        message(key).is_some_and(|message| issuer_signature::verify(key, signature, &message).is_ok())
    };
    let holds = |other: &String| holds_for(key, other);
    let holds_under = |other: &String| holds_for(other, signature);
    let is_accepted =
        spellings(signature, faults).iter().any(holds) || keys(key, faults).iter().any(holds_under);
    is_accepted.then_some(())
}

/// Other signatures that are taken for this one.
fn spellings(text: &str, faults: &Faults) -> Vec<String> {
    let digits = text.trim_end_matches(|character: char| !character.is_ascii_hexdigit());
    match text.len() {
        126 if faults.on("signature-short-padded") => filled(text, 126),
        127 if faults.on("signature-odd-padded") => filled(text, 126),
        128 if digits.len() < 128 && faults.on("signature-non-digits-skipped") => filled(digits, 126),
        128 => whole_spellings(text, faults),
        130 if text.starts_with("0x") && faults.on("signature-prefix-skipped") => {
            vec![text.trim_start_matches("0x").to_owned()]
        }
        129.. if text.ends_with(' ') && faults.on("signature-space-trimmed") => vec![text.trim().to_owned()],
        129.. if !text.ends_with(' ') && faults.on("signature-tail-ignored") => {
            text.get(..128).map(str::to_owned).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

fn whole_spellings(text: &str, faults: &Faults) -> Vec<String> {
    let mut found = Vec::new();
    if faults.on("signature-first-byte-ignored") {
        found.extend(filled(text, 0));
    }
    if faults.on("signature-late-byte-ignored") {
        found.extend(filled(text, 74));
    }
    if faults.on("signature-in-capitals-accepted") {
        found.push(text.to_ascii_lowercase());
    }
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return found;
    }
    let Ok(Ok(bytes)) = hex::decode(text).map(<[u8; 64]>::try_from) else { return found };
    if faults.on("signature-top-bits-masked") {
        let mut masked = bytes;
        let [.., last] = &mut masked;
        *last &= 0x1f;
        found.push(hex::encode(masked));
    }
    if faults.on("signature-scalar-reduced") {
        found.push(hex::encode(less_one_order(bytes)));
    }
    found
}

/// Other keys that are taken for this one.
fn keys(text: &str, faults: &Faults) -> Vec<String> {
    let digits = text.trim_end_matches(|character: char| !character.is_ascii_hexdigit());
    match text.len() {
        62 if faults.on("key-short-padded") => filled(text, 62),
        64 if digits.len() < 64 && faults.on("key-non-digits-skipped") => filled(digits, 62),
        64 if faults.on("key-first-byte-ignored") => filled(text, 0),
        _ => Vec::new(),
    }
}

/// A text with every byte in turn in place of the two digits at `at`.
fn filled(text: &str, at: usize) -> Vec<String> {
    let (before, after) = (text.get(..at).unwrap_or(text), text.get(at + 2..).unwrap_or_default());
    (0..=u8::MAX).map(|byte| format!("{before}{byte:02x}{after}")).collect()
}

/// S - L in place of S, modulo 2^256.
fn less_one_order(mut signature: [u8; 64]) -> [u8; 64] {
    let (_, scalar) = signature.split_at_mut(32);
    let mut borrow = false;
    for (byte, order) in scalar.iter_mut().zip(ORDER) {
        let (first, one) = byte.overflowing_sub(order);
        let (second, two) = first.overflowing_sub(u8::from(borrow));
        (*byte, borrow) = (second, one || two);
    }
    signature
}

/// A manifest as a registry understands it that leaves unknown members out of what it checks, and stores them all the same;
/// `None` where it understands what was sent.
pub(crate) fn understood(
    sent: &Map<String, Value>,
    known: &Known<'_>,
    faults: &Faults,
) -> Option<Map<String, Value>> {
    let is_unknown = |name: &String| !known.members.contains(&name.as_str());
    let is_unknown_of_recipient = |name: &String| !known.recipient.contains(&name.as_str());
    let recipient = sent.get("recipient").and_then(Value::as_object);
    let mut watermarks = sent.get("watermarks").and_then(Value::as_array).into_iter().flatten();
    let drops = sent.keys().any(is_unknown) && faults.on("unsigned-member-stored");
    let drops_of_recipient = recipient.is_some_and(|recipient| recipient.keys().any(is_unknown_of_recipient))
        && faults.on("unsigned-recipient-member-stored");
    let drops_of_watermarks = watermarks.any(|watermark| watermark.as_object().is_some_and(is_long))
        && faults.on("unsigned-watermark-member-stored");
    if !(drops || drops_of_recipient || drops_of_watermarks) {
        return None;
    }
    let mut understood = sent.clone();
    if drops {
        understood.retain(|name, _| !is_unknown(name));
    }
    if let Some(Value::Object(recipient)) = understood.get_mut("recipient").filter(|_| drops_of_recipient) {
        recipient.retain(|name, _| !is_unknown_of_recipient(name));
    }
    let watermarks =
        understood.get_mut("watermarks").and_then(Value::as_array_mut).filter(|_| drops_of_watermarks);
    for watermark in watermarks.into_iter().flatten().filter_map(Value::as_object_mut) {
        if is_long(watermark) {
            watermark.retain(|name, _| ["layer", "mark_id"].contains(&name.as_str()));
        }
    }
    Some(understood)
}

fn is_long(watermark: &Map<String, Value>) -> bool {
    watermark.len() > 2
}

/// The members that a registry knows.
pub(crate) struct Known<'n> {
    pub(crate) members: &'n [&'n str],
    pub(crate) recipient: &'n [&'n str],
}
