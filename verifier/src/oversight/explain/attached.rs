//! What lies behind the statements of others that a bundle carries: receipts, time stamps, attestations and their log.

use super::{Detail, KeyUse, Recomputed, key_use, of_no_reading, signed, tried_as_bundle};
use crate::checkpoint::Checkpoint;
use crate::code::Code;
use crate::dsse::{Envelope, base64};
use crate::hash::{Hash, PublicKey, Signature};
use crate::json::{Kind, Value};
use crate::merkle::{TreeHead, inclusion_root};
use crate::oversight::{Trust, attestation, attestation_log as entry, receipt, time};
use crate::time_stamp::{TsaTrust, verify_time_stamp};

/// Layer `registration` of the announced dialect: the signed text of each receipt, and its leaf.
pub(super) fn receipts(bundle: Value<'_>, key: Option<PublicKey>, trust: &Trust<'_>) -> Option<Detail> {
    let mut detail = Detail::new("registration");
    let list = bundle.get("registration_receipts").into_iter().flat_map(Value::items);
    for (position, receipt) in list.enumerate().filter(|(_, receipt)| receipt.kind() == Kind::Object) {
        if detail.is_full() {
            let has_leaf = receipt.get("leaf_data_hex").is_some_and(|leaf| leaf.kind() == Kind::String);
            detail.more += 1 + usize::from(has_leaf);
            continue;
        }
        let at = format!("/registration_receipts/{position}");
        let text = receipt.get("signature").and_then(Value::as_str);
        let signature = text.as_deref().and_then(Signature::from_hex);
        let tried = tried_as_bundle(receipt::signed_form(receipt), key, signature);
        let what = "the six members of the receipt that are signed";
        let signed = signed(what, &at, tried, of_no_reading, (key, signature));
        // The first is the one that fits; how else it could have been written is of no interest here.
        signed.into_iter().take(1).for_each(|recomputed| detail.push(recomputed));
        let leaf = receipt.get("leaf_data_hex").and_then(Value::as_str);
        let Some(leaf) = leaf.and_then(|text| base16ct::lower::decode_vec(&*text).ok()) else { continue };
        let stated = receipt.get("leaf_hash").and_then(Value::as_str).as_deref().and_then(Hash::from_hex);
        detail.push(leaf_of("the leaf of the registration", format!("{at}/leaf_data_hex"), &leaf, stated));
    }
    detail.keys = key_use(key, "/registry_pub", trust.registry_keys);
    detail.shown()
}

fn leaf_of(what: &str, at: String, leaf: &[u8], stated: Option<Hash>) -> Recomputed {
    let what = format!("{what}, behind the byte 00 (RFC 9162 section 2.1.1)");
    let recomputed = Recomputed::new(what, at, [&[0], leaf].concat());
    Recomputed { fits: stated.map(|stated| stated == recomputed.hash), ..recomputed }
}

/// Layer `time`: the bytes that each time stamp is over.
pub(super) fn time_stamps(
    bundle: Value<'_>,
    head: Option<&TreeHead>,
    manifest: Option<&[u8]>,
    trust: &Trust<'_>,
) -> Option<Detail> {
    let mut detail = Detail::new("time");
    let anchors = TsaTrust { roots: trust.tsa_roots, others: trust.tsa_certificates };
    let list = bundle.get("time_stamps").into_iter().flat_map(Value::items);
    let messages = time::Messages::of(head, manifest);
    for (position, item) in list.enumerate() {
        let Some(over) = item.get("over").and_then(Value::as_str) else { continue };
        let Some(message) = messages.over(&over) else { continue };
        if detail.is_full() {
            detail.more += 1;
            continue;
        }
        let fits = time::token(item).and_then(|token| match verify_time_stamp(&token, message, &anchors) {
            Ok(_) => Some(true),
            // Any other fault says nothing about the imprint, which is looked at before all signatures.
            Err(error) => (error.code == Code::TimeStampImprintDiffers).then_some(false),
        });
        let what = format!("the signed text of {over}, which is time-stamped");
        let recomputed = Recomputed::new(what, format!("/time_stamps/{position}"), message.to_vec());
        detail.push(Recomputed { fits, ..recomputed });
    }
    detail.shown()
}

/// Layer `attestation`: the bytes that the signatures of the envelope are over, with each of them.
pub(super) fn attestation(bundle: Value<'_>, trust: &Trust<'_>) -> Option<Detail> {
    let (value, at) = attestation::find_envelope(bundle).ok()?;
    let envelope = Envelope::read(value, &at).ok()?;
    let message = envelope.signed_bytes();
    let mut tried = Vec::new();
    for (position, signature) in envelope.signatures.iter().enumerate() {
        let what = "the type and the payload, as DSSE has them signed (PAE)".to_owned();
        let recomputed = Recomputed::new(what, format!("{at}/signatures/{position}"), message.clone());
        let Some(signature) = Signature::from_slice(&signature.bytes) else { continue };
        let keys = trust.attestation_keys.iter().chain(trust.registry_keys);
        let key = keys.clone().find(|key| crate::ed25519::verify(key, &message, &signature).is_ok());
        let fits = (keys.count() > 0).then_some(key.is_some());
        tried.push(Recomputed { fits, signature: Some(signature), key: key.copied(), ..recomputed });
    }
    let mut detail = Detail::new("attestation");
    // What a trusted key signed comes first.
    tried.sort_by_key(|recomputed| recomputed.key.is_none());
    let keys: Vec<PublicKey> = tried.iter().filter_map(|recomputed| recomputed.key).collect();
    detail.keys = keys.into_iter().map(|key| KeyUse { key, at: String::new(), pinned: true }).collect();
    tried.into_iter().for_each(|recomputed| detail.push(recomputed));
    detail.shown()
}

/// Layer `attestation-log`: the entry, the root that its path leads to, and the text of the checkpoint.
pub(super) fn attestation_log(bundle: Value<'_>, trust: &Trust<'_>) -> Option<Detail> {
    let at = "/rekor/log_entry";
    let log_entry = bundle.at(at)?;
    let body = log_entry.get("body").and_then(Value::as_str).and_then(|text| base64(&text))?;
    let proof = log_entry.at("/verification/inclusionProof")?;
    let (index, path, head) = entry::read_path(proof, at).ok()?;
    let mut detail = Detail::new("attestation-log");
    let leaf = leaf_of("the entry", format!("{at}/body"), &body, None);
    let root = inclusion_root(index, &leaf.hash, &path, head.size);
    detail.push(leaf);
    let place = format!("{at}/verification/inclusionProof");
    if let Ok(root) = root {
        let what = format!("the root that the path from entry {index} leads to");
        let place = format!("{place}/rootHash");
        detail.push(Recomputed::root(what, &place, root, head.root, "the root in the document"));
    }
    let note = proof.get("checkpoint").and_then(Value::as_str);
    if let Some(checkpoint) = note.as_deref().and_then(Checkpoint::read) {
        let mut signed = trust
            .log_keys
            .iter()
            .flat_map(|log| checkpoint.signatures_of(log).map(move |signature| (log.key, signature)));
        let (key, signature) = signed.next().unzip();
        let text = checkpoint.text.as_bytes();
        let pair = key.zip(signature);
        let fits = pair.map(|(key, signature)| crate::ed25519::verify(&key, text, &signature).is_ok());
        let what = "the signed text of the checkpoint".to_owned();
        let recomputed = Recomputed::new(what, format!("{place}/checkpoint"), text.to_vec());
        detail.keys = key.into_iter().map(|key| KeyUse { key, at: String::new(), pinned: true }).collect();
        detail.push(Recomputed { fits, signature, key, ..recomputed });
    }
    detail.shown()
}
