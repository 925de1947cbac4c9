//! A registration that is good, for readers and testers of the OpenAPI document. Its issuer's key is known to everybody.

use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};

pub(crate) const FILE_ID: &str = "0b5a4b0e-7d3c-4b3e-9a55-3f6d1c2e8a10";
pub(crate) const TOKEN_ID: &str = "5f0c9e1d2a7b4c6883e1d0f2a4b6c8e0";

/// A seed that protects nothing.
const SEED: [u8; 32] = *b"a seed that everyone may look at";

/// The body of a registration that is accepted on the candidate wire; `null` where no signature could be made.
pub(crate) fn registration() -> Value {
    let Ok(key) = Ed25519KeyPair::from_seed_unchecked(&SEED) else { return Value::Null };
    let mut manifest = manifest(&hex::encode(key.public_key()));
    let Ok(message) = serde_json_canonicalizer::to_vec(&manifest) else { return Value::Null };
    if let Some(members) = manifest.as_object_mut() {
        members.insert(String::from("signature_ed25519"), json!(hex::encode(key.sign(&message))));
    }
    let list = |name: &str| manifest.get(name).cloned().unwrap_or_default();
    json!({"beacons": list("beacons"), "watermarks": list("watermarks"), "manifest": manifest})
}

fn manifest(issuer_key: &str) -> Value {
    json!({
        "file_id": FILE_ID,
        "issued_at": 1_750_000_000,
        "version": "OVERSIGHT-v1",
        "suite": "OSGT-CLASSIC-v1",
        "original_filename": "report.txt",
        "content_hash": "ab".repeat(32),
        "canonical_content_hash": "ab".repeat(32),
        "content_type": "text/plain",
        "size_bytes": 4096,
        "issuer_id": "example-issuer",
        "issuer_ed25519_pub": issuer_key,
        "recipient": {"recipient_id": "example-recipient", "x25519_pub": "cd".repeat(32)},
        "watermarks": [{"layer": "L3_semantic", "mark_id": "e3a1c5b7d9f01234"}],
        "beacons": [{"token_id": TOKEN_ID, "kind": "http"}],
        "policy": {},
        "l3_policy": {},
        "signature_ed25519": "",
        "signature_ml_dsa": "",
    })
}
