//! Receipts of registrations: the exact leaf, signed for by the registry, with its inclusion proof (the announced dialect).

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::canon::{Form, Nulls};
use crate::code::Code;
use crate::ed25519::{Memory, VerifiedKey};
use crate::hash::Signature;
use crate::json::{Document, Kind, Value};
use crate::limits::Limits;
use crate::merkle::{TreeHead, leaf_hash};
use crate::oversight::bundle::BUNDLE_SCHEMES;
use crate::oversight::describe;
use crate::oversight::proof::{self, InclusionProof};
use crate::oversight::signed::{fitting, texts};
use crate::verdict::Problem;

/// What the registry signs of a receipt, in ascending order.
const SIGNED: [&str; 6] =
    ["file_id", "issuer_pub", "leaf_data_hex", "leaf_hash", "registered_at", "tlog_index"];

/// Checks every receipt; gives index and bytes of their leaves, by index.
///
/// In: the list at `/registration_receipts`, the manifest, the signed head of the bundle, the key of the registry.
pub(crate) fn leaves(
    receipts: Value<'_>,
    manifest: Value<'_>,
    head: Option<&TreeHead>,
    key: &VerifiedKey,
    memory: &mut Memory,
) -> Result<BTreeMap<u64, Vec<u8>>, Problem> {
    let at = "/registration_receipts";
    let empty = || {
        Problem::new(Code::ReceiptEncoding, at, "a list of receipts, one at least", describe(Some(receipts)))
    };
    if receipts.kind() != Kind::Array {
        return Err(empty());
    }
    let mut leaves = BTreeMap::new();
    for (position, receipt) in receipts.items().enumerate() {
        let (index, leaf) = check(receipt, manifest, head, key, memory, &format!("{at}/{position}"))?;
        leaves.entry(index).or_insert(leaf);
    }
    if leaves.is_empty() { Err(empty()) } else { Ok(leaves) }
}

fn check(
    receipt: Value<'_>,
    manifest: Value<'_>,
    head: Option<&TreeHead>,
    key: &VerifiedKey,
    memory: &mut Memory,
    at: &str,
) -> Result<(u64, Vec<u8>), Problem> {
    let signature = receipt.get("signature");
    let Some(parsed) = signature.and_then(Value::as_str).as_deref().and_then(Signature::from_hex) else {
        let expected = "128 lower-case hexadecimal digits";
        return Err(Problem::new(
            Code::ReceiptEncoding,
            format!("{at}/signature"),
            expected,
            describe(signature),
        ));
    };
    let candidates = texts(signed_form(receipt), Nulls::Keep, &BUNDLE_SCHEMES)
        .map(|(schemes, text)| (schemes.iter().copied(), text));
    if let Err(reason) = fitting(candidates, memory, key, &parsed, None) {
        let expected = "a signature over the six members of the receipt by registry_pub";
        let found = format!("{parsed} ({})", reason.meaning());
        return Err(Problem::new(Code::ReceiptSignatureMismatch, format!("{at}/signature"), expected, found));
    }
    let registered = receipt.get("registered_at");
    if registered.is_none_or(|time| time.kind() != Kind::Number) {
        let place = format!("{at}/registered_at");
        return Err(Problem::new(Code::ReceiptEncoding, place, "a number", describe(registered)));
    }
    let leaf = leaf(receipt, manifest, at)?;
    let index = proof::integer(receipt.get("tlog_index"), || format!("{at}/tlog_index"))?;
    included(receipt, index, &leaf, head, at)?;
    Ok((index, leaf))
}

pub(crate) fn signed_form(receipt: Value<'_>) -> Form<'_> {
    let members = SIGNED.iter().zip(receipt.pick(&SIGNED));
    Form::Object(members.filter_map(|(name, value)| Some((*name, Form::Value(value?)))).collect())
}

/// The leaf, which hashes to what the receipt says and names the same file and key as receipt and manifest.
fn leaf(receipt: Value<'_>, manifest: Value<'_>, at: &str) -> Result<Vec<u8>, Problem> {
    let hex = receipt.get("leaf_data_hex");
    let text = hex.and_then(Value::as_str);
    let Some(leaf) = text.as_deref().and_then(|text| base16ct::lower::decode_vec(text).ok()) else {
        let expected = "lower-case hexadecimal text of the leaf";
        return Err(Problem::new(
            Code::ReceiptEncoding,
            format!("{at}/leaf_data_hex"),
            expected,
            describe(hex),
        ));
    };
    let (stated, found) =
        (proof::hash(receipt.get("leaf_hash"), || format!("{at}/leaf_hash"))?, leaf_hash(&leaf));
    if stated != found {
        return Err(Problem::new(
            Code::ReceiptLeafDiffers,
            format!("{at}/leaf_hash"),
            found.to_hex(),
            stated.to_hex(),
        ));
    }
    let differs = |expected: String, found: String| {
        Problem::new(Code::ReceiptLeafDiffers, format!("{at}/leaf_data_hex"), expected, found)
    };
    let document = Document::read(&leaf, &Limits::default())
        .map_err(|error| differs("a leaf in JSON".to_owned(), error.to_string()))?;
    let spelled = |value: Value<'_>| value.as_str().map_or_else(|| value.raw().to_owned(), Cow::into_owned);
    let text = |value: Value<'_>, name: &str| value.get(name).map(spelled);
    let of_leaf = |name: &str| text(document.root(), name);
    for (found, expected, what) in [
        (of_leaf("event"), Some("register".to_owned()), "event"),
        (of_leaf("file_id"), text(receipt, "file_id"), "file_id of the receipt"),
        (of_leaf("file_id"), text(manifest, "file_id"), "file_id of the manifest"),
        (of_leaf("issuer_pub"), text(receipt, "issuer_pub"), "issuer_pub of the receipt"),
    ] {
        if found != expected {
            let shown = |text: Option<String>| text.unwrap_or_else(|| "none".to_owned());
            return Err(differs(format!("{what}: {}", shown(expected)), shown(found)));
        }
    }
    Ok(leaf)
}

/// The leaf stands at its index in the log of the signed head.
fn included(
    receipt: Value<'_>,
    index: u64,
    leaf: &[u8],
    head: Option<&TreeHead>,
    at: &str,
) -> Result<(), Problem> {
    let place = format!("{at}/proof");
    let Some(value) = receipt.get("proof") else {
        return Err(Problem::new(Code::ProofEncoding, place, "an inclusion proof", "none"));
    };
    let proof = InclusionProof::read(value, &place)?;
    if proof.index != index {
        let expected = index.to_string();
        return Err(Problem::new(
            Code::ProofIndexDiffers,
            format!("{place}/index"),
            expected,
            proof.index.to_string(),
        ));
    }
    if proof.leaf_hash != leaf_hash(leaf) {
        let expected = leaf_hash(leaf).to_hex();
        let found = proof.leaf_hash.to_hex();
        return Err(Problem::new(Code::ReceiptLeafDiffers, format!("{place}/leaf_hash"), expected, found));
    }
    if let Some(head) = head.filter(|head| **head != proof.head) {
        let show = |head: &TreeHead| format!("root {} of {} leaves", head.root, head.size);
        return Err(Problem::new(
            Code::ProofHeadDiffers,
            format!("{place}/root"),
            show(head),
            show(&proof.head),
        ));
    }
    proof.verify(&place)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An identifier that is a number is one all the same: two that differ are not alike for having no text.
    #[test]
    fn a_receipt_is_of_the_file_whose_number_it_names() {
        let outcome = |of_leaf: &str, of_receipt: &str| {
            let data = format!(r#"{{"event":"register","file_id":{of_leaf},"issuer_pub":"k"}}"#);
            let hash = leaf_hash(data.as_bytes());
            let hex = base16ct::lower::encode_string(data.as_bytes());
            let receipt = format!(
                r#"{{"file_id":{of_receipt},"issuer_pub":"k","leaf_hash":"{hash}","leaf_data_hex":"{hex}"}}"#
            );
            let receipt = Document::read(receipt.as_bytes(), &Limits::default()).unwrap();
            let manifest = Document::read(br#"{"file_id":5}"#, &Limits::default()).unwrap();
            leaf(receipt.root(), manifest.root(), "/0").map(|_| ()).map_err(|problem| problem.code)
        };
        assert_eq!(outcome("5", "5"), Ok(()));
        assert_eq!(outcome("7", "7"), Err(Code::ReceiptLeafDiffers));
        assert_eq!(outcome("5", "7"), Err(Code::ReceiptLeafDiffers));
    }
}
