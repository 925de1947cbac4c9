//! DSSE envelopes (Dead Simple Signing Envelope, version 1): what they say and the bytes that their signatures cover.

use base64ct::{Base64, Base64Url, Encoding};

use crate::code::Code;
use crate::json::{Kind, Value};
use crate::verdict::Problem;

/// No payload is longer, in bytes: a statement about one file takes some kilobytes.
const LONGEST_PAYLOAD: usize = 1 << 20;
/// No envelope has more signatures: each costs a verification under every trusted key.
const MOST_SIGNATURES: usize = 16;

/// An envelope, strictly decoded. The payload is still bytes: only their signature gives them a meaning.
#[derive(Debug)]
pub(crate) struct Envelope {
    pub(crate) payload_type: String,
    pub(crate) payload: Vec<u8>,
    pub(crate) signatures: Vec<EnvelopeSignature>,
}

/// One signature of an envelope.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct EnvelopeSignature {
    /// A hint which key it is of; empty where there is none.
    pub(crate) keyid: String,
    pub(crate) bytes: Vec<u8>,
}

impl Envelope {
    /// Reads the envelope at the pointer `at`.
    pub(crate) fn read(value: Value<'_>, at: &str) -> Result<Self, Problem> {
        let payload_type = text(value, "payloadType", at)?;
        let payload = base64_member(value, "payload", at)?;
        let list = value.get("signatures").filter(|list| list.kind() == Kind::Array);
        let Some(list) = list else {
            return Err(encoding(
                format!("{at}/signatures"),
                "a list of signatures",
                value.get("signatures"),
            ));
        };
        let mut signatures = Vec::new();
        for (position, item) in list.items().enumerate() {
            let place = format!("{at}/signatures/{position}");
            if position == MOST_SIGNATURES {
                let expected = format!("at most {MOST_SIGNATURES} signatures");
                return Err(Problem::new(Code::DsseSize, place, expected, "more"));
            }
            let signature = read_signature(item, &place)?;
            if signatures.iter().any(|other: &EnvelopeSignature| {
                other.bytes == signature.bytes || is_same_key(other, &signature)
            }) {
                let expected = "one signature for each key";
                return Err(Problem::new(Code::DsseDuplicateSignature, place, expected, item.raw()));
            }
            signatures.push(signature);
        }
        if signatures.is_empty() {
            return Err(encoding(format!("{at}/signatures"), "at least one signature", Some(list)));
        }
        Ok(Self { payload_type, payload, signatures })
    }

    /// The bytes that are signed: `DSSEv1`, then length and text of the type, then length and bytes of the payload.
    pub(crate) fn signed_bytes(&self) -> Vec<u8> {
        let (kind, payload) = (&self.payload_type, &self.payload);
        let mut bytes = format!("DSSEv1 {} {kind} {} ", kind.len(), payload.len()).into_bytes();
        bytes.extend_from_slice(payload);
        bytes
    }
}

fn is_same_key(one: &EnvelopeSignature, other: &EnvelopeSignature) -> bool {
    !one.keyid.is_empty() && one.keyid == other.keyid
}

fn read_signature(item: Value<'_>, at: &str) -> Result<EnvelopeSignature, Problem> {
    let keyid = match item.get("keyid") {
        None => String::new(),
        Some(_) => text(item, "keyid", at)?,
    };
    Ok(EnvelopeSignature { keyid, bytes: base64_member(item, "sig", at)? })
}

fn encoding(at: String, expected: &str, found: Option<Value<'_>>) -> Problem {
    Problem::new(Code::DsseEncoding, at, expected, found.map_or("no such member", Value::raw))
}

fn text(value: Value<'_>, name: &str, at: &str) -> Result<String, Problem> {
    let member = value.get(name);
    let text = member.and_then(Value::as_str);
    text.map(|text| text.into_owned()).ok_or_else(|| encoding(format!("{at}/{name}"), "a text", member))
}

fn base64_member(value: Value<'_>, name: &str, at: &str) -> Result<Vec<u8>, Problem> {
    let place = || format!("{at}/{name}");
    let coded = text(value, name, at)?;
    if coded.len() / 4 * 3 > LONGEST_PAYLOAD {
        let expected = format!("at most {LONGEST_PAYLOAD} bytes");
        return Err(Problem::new(Code::DsseSize, place(), expected, format!("{} characters", coded.len())));
    }
    base64(&coded)
        .ok_or_else(|| encoding(place(), "base64 with padding and without white space", value.get(name)))
}

/// Strict base64 of either alphabet (RFC 4648 sections 4 and 5, both allowed by DSSE): padded, one spelling for each
/// text of bytes.
pub(crate) fn base64(text: &str) -> Option<Vec<u8>> {
    Base64::decode_vec(text).or_else(|_| Base64Url::decode_vec(text)).ok()
}
