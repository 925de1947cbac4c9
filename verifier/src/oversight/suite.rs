//! Suites: which signatures a manifest must carry; and the other rules of sealed manifests, as notes.

use crate::code::Code;
use crate::json::{Kind, Value};
use crate::oversight::{Trust, describe, manifest};
use crate::verdict::{Layer, Problem};

/// The suites of the specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Suite {
    /// Ed25519.
    Classic,
    /// Ed25519 and ML-DSA-65, both of which must be good.
    Hybrid,
    /// Ed25519; the recipient's key is of P-256.
    HardwareP256,
}

impl Suite {
    fn of(name: Option<Value<'_>>) -> Option<Self> {
        // Implementations fill in the classic suite where none is named, and the issuer signs that (fact sheet 1.1).
        let Some(name) = name else { return Some(Self::Classic) };
        match &*name.as_str()? {
            "OSGT-CLASSIC-v1" => Some(Self::Classic),
            "OSGT-HYBRID-v1" => Some(Self::Hybrid),
            "OSGT-HW-P256-v1" => Some(Self::HardwareP256),
            _ => None,
        }
    }
}

const RULE: &str = "sealed-manifest rules: the suite is a known one and says which signatures are needed";

/// Layer `suite`: the suite is one whose rules are known, and not a weaker one than the caller expects of this issuer.
pub(crate) fn layer(manifest: Value<'_>, trust: &Trust<'_>, at: &str) -> (Layer, Option<Suite>) {
    let mut layer = Layer::new("suite", RULE);
    note_sealed_rules(&mut layer, manifest, at);
    let name = manifest.get("suite");
    let place = || format!("{at}/suite");
    let suite = Suite::of(name);
    match suite {
        None => {
            let expected = "OSGT-CLASSIC-v1, OSGT-HYBRID-v1 or OSGT-HW-P256-v1";
            layer.leave_open(Problem::new(Code::SuiteUnknown, place(), expected, describe(name)));
        }
        Some(suite) => note_recipient_key(&mut layer, manifest, suite, at),
    }
    if suite != Some(Suite::Hybrid) && is_hybrid_only(manifest, trust) {
        let expected = "OSGT-HYBRID-v1, the only suite that this issuer is trusted with";
        layer.refute(Problem::new(Code::SuiteDowngraded, place(), expected, describe(name)));
    }
    (layer, suite)
}

fn is_hybrid_only(manifest: Value<'_>, trust: &Trust<'_>) -> bool {
    if trust.ml_dsa_keys.iter().all(|key| !key.hybrid_only) {
        return false;
    }
    let issuer = manifest::issuer_key(manifest);
    trust.ml_dsa_keys.iter().any(|key| key.hybrid_only && Some(key.issuer) == issuer)
}

/// Members that a sealed manifest must have.
const REQUIRED: [&str; 11] = [
    "file_id",
    "issued_at",
    "version",
    "suite",
    "content_hash",
    "canonical_content_hash",
    "size_bytes",
    "issuer_id",
    "issuer_ed25519_pub",
    "recipient",
    "signature_ed25519",
];

/// No recorded registry checks these rules, so that honest evidence breaks them: they are noted (one pass over the members).
fn note_sealed_rules(layer: &mut Layer, manifest: Value<'_>, at: &str) {
    let mut seen = [false; REQUIRED.len()];
    for (key, value) in manifest.members() {
        let Some(name) = key.as_str() else { continue };
        if let Some(position) = REQUIRED.iter().position(|required| *required == name)
            && let Some(seen) = seen.get_mut(position)
        {
            *seen = true;
        }
        if let Some((place, expected)) = unlike_rule(&name, value) {
            let text = format!("the specification asks for {expected}");
            layer.note(Code::NoteSealedForm, format!("{at}/{name}{place}"), text);
        }
    }
    for (name, _) in REQUIRED.iter().zip(seen).filter(|(_, seen)| !seen) {
        let text = "the specification requires the member";
        layer.note(Code::NoteMemberAbsent, format!("{at}/{name}"), text);
    }
}

/// Where below a member its form is not that of the specification, and which form that is.
fn unlike_rule(name: &str, value: Value<'_>) -> Option<(String, &'static str)> {
    let whole = |fits: bool, expected| (!fits).then(|| (String::new(), expected));
    let first = |member: &str, digits: usize, expected| {
        let found =
            value.items().position(|item| item.get(member).is_none_or(|id| !is_lower_hex(id, digits)))?;
        Some((format!("/{found}/{member}"), expected))
    };
    match name {
        "file_id" => whole(value.as_str().is_some_and(|id| is_uuid_4(&id)), "a UUID of version 4"),
        "version" => whole(value.as_str().is_some_and(|version| version == "OVERSIGHT-v1"), "OVERSIGHT-v1"),
        "content_hash" | "canonical_content_hash" => {
            whole(is_lower_hex(value, 64), "a SHA-256 in hexadecimal digits")
        }
        "issued_at" | "size_bytes" => whole(value.is_integer(), "an integer"),
        "issuer_id" => whole(value.kind() == Kind::String, "a text"),
        "recipient" => whole(value.kind() == Kind::Object, "an object"),
        "beacons" => first("token_id", 32, "a token of 128 bits in hexadecimal digits"),
        "watermarks" => first("mark_id", 16, "a mark of 64 bits in hexadecimal digits"),
        _ => None,
    }
}

fn note_recipient_key(layer: &mut Layer, manifest: Value<'_>, suite: Suite, at: &str) {
    let Some(recipient) = manifest.get("recipient").filter(|value| value.kind() == Kind::Object) else {
        return;
    };
    let (name, expected, lengths): (_, _, &[usize]) = match suite {
        // SEC 1 section 2.3.3: a point of P-256, compressed or not.
        Suite::HardwareP256 => ("p256_pub", "a P-256 key of the recipient in hexadecimal digits", &[66, 130]),
        Suite::Classic | Suite::Hybrid => {
            ("x25519_pub", "an X25519 key of the recipient in hexadecimal digits", &[64])
        }
    };
    let key = recipient.get(name);
    if !key.is_some_and(|key| lengths.iter().any(|length| is_lower_hex(key, *length))) {
        let text = format!("the suite asks for {expected}");
        layer.note(Code::NoteSealedForm, format!("{at}/recipient/{name}"), text);
    }
}

/// Whether a value is a string of that many lower-case hexadecimal digits.
fn is_lower_hex(value: Value<'_>, digits: usize) -> bool {
    let is_digit = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    value.as_str().is_some_and(|text| text.len() == digits && text.bytes().all(is_digit))
}

/// Whether a text is a UUID of version 4 (RFC 9562 section 5.4), in lower case.
fn is_uuid_4(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(position, byte)| match position {
            8 | 13 | 18 | 23 => byte == b'-',
            14 => byte == b'4',
            19 => matches!(byte, b'8' | b'9' | b'a' | b'b'),
            _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        })
}
