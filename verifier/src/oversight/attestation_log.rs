//! The entry of a transparency log about an attestation: `rekor.log_entry`, as Rekor answers it.
//!
//! ```text
//! envelope --is named by--> body --leaf hash, path--> root --signed, in text--> checkpoint of a log that the caller knows
//! ```

use crate::checkpoint::Checkpoint;
use crate::code::Code;
use crate::dsse::{Envelope, base64};
use crate::ed25519::Memory;
use crate::hash::{Hash, sha256};
use crate::json::{Document, Kind, Value};
use crate::limits::Limits;
use crate::merkle::{TreeHead, leaf_hash, verify_inclusion};
use crate::oversight::{Trust, describe};
use crate::verdict::{Layer, Problem};

const ID: &str = "attestation-log";

const RULE: &str = "RFC 9162 section 2.1.3.2 from the entry about this envelope to the root of a checkpoint that a known log signed";

const AT: &str = "/rekor/log_entry";

/// No path is longer: a tree of 2^64 leaves is 64 levels high.
const LONGEST_PATH: usize = 64;

/// Layer `attestation-log`: a transparency log that the caller knows holds an entry about the envelope.
pub(crate) fn layer(
    bundle: Value<'_>,
    envelope: Option<&Envelope>,
    trust: &Trust<'_>,
    memory: &mut Memory,
) -> Layer {
    let mut layer = Layer::new(ID, RULE);
    let Some(entry) = bundle.at(AT).filter(|entry| !entry.is_null()) else {
        let problem = Problem::new(Code::NotGiven, AT, "an entry of a transparency log", "none");
        return layer.not_established(problem);
    };
    let Some(envelope) = envelope else {
        return layer.not_established(Problem::new(Code::NotReached, "/rekor", "an envelope", "none"));
    };
    let outcome = verify_entry(&mut layer, entry, envelope, trust, memory);
    match outcome {
        Ok(()) => layer,
        Err(problem) if matches!(problem.code, Code::KeyNotPinned | Code::TransparencyEntryKind) => {
            layer.not_established(problem)
        }
        Err(problem) => layer.refuted(problem),
    }
}

fn verify_entry(
    layer: &mut Layer,
    entry: Value<'_>,
    envelope: &Envelope,
    trust: &Trust<'_>,
    memory: &mut Memory,
) -> Result<(), Problem> {
    let body = entry.get("body").and_then(Value::as_str).and_then(|text| base64(&text));
    let body = body.ok_or_else(|| malformed("/body", "base64 of the entry", entry.get("body")))?;
    let proof = entry.at("/verification/inclusionProof");
    let proof = proof.filter(|proof| proof.kind() == Kind::Object);
    let Some(proof) = proof else {
        let found = entry.get("verification");
        return Err(malformed("/verification/inclusionProof", "an inclusion proof", found));
    };
    let place = format!("{AT}/verification/inclusionProof");
    let head = verify_path(&leaf_hash(&body), proof, &place)?;
    check_body(&body, envelope)?;
    layer.recomputed = format!("root {} of {} entries", head.root, head.size);
    check_checkpoint(proof, &head, trust, memory, format!("{place}/checkpoint"))
}

fn malformed(pointer: &str, expected: &str, found: Option<Value<'_>>) -> Problem {
    Problem::new(Code::TransparencyEncoding, format!("{AT}{pointer}"), expected, describe(found))
}

/// Index, siblings and head that a proof names.
pub(crate) fn read_path(proof: Value<'_>, at: &str) -> Result<(u64, Vec<Hash>, TreeHead), Problem> {
    let malformed = |name: &str, expected: &str| {
        let found = describe(proof.get(name));
        Problem::new(Code::TransparencyEncoding, format!("{at}/{name}"), expected, found)
    };
    let number = |name| proof.get(name).and_then(Value::as_u64).ok_or_else(|| malformed(name, "an integer"));
    let hash = |value: Value<'_>| value.as_str().as_deref().and_then(Hash::from_hex);
    let hashes =
        proof.get("hashes").filter(|list| list.kind() == Kind::Array && list.items().count() <= LONGEST_PATH);
    let path = hashes.and_then(|list| list.items().map(hash).collect::<Option<Vec<Hash>>>());
    let path =
        path.ok_or_else(|| malformed("hashes", "a list of at most 64 SHA-256 in hexadecimal digits"))?;
    let root = proof.get("rootHash").and_then(hash);
    let root = root.ok_or_else(|| malformed("rootHash", "a SHA-256 in hexadecimal digits"))?;
    let head = TreeHead { size: number("treeSize")?, root };
    Ok((number("logIndex")?, path, head))
}

/// The root to which the path from the leaf leads is the one that the proof names.
fn verify_path(leaf: &Hash, proof: Value<'_>, at: &str) -> Result<TreeHead, Problem> {
    let (index, path, head) = read_path(proof, at)?;
    verify_inclusion(index, leaf, &path, &head).map_err(|code| {
        let expected = format!("a path from entry {index} to root {} of {}", head.root, head.size);
        Problem::new(
            code,
            format!("{at}/hashes"),
            expected,
            format!("{} hashes; {}", path.len(), code.meaning()),
        )
    })?;
    Ok(head)
}

/// The entry is about this envelope: of the kind `dsse` by payload and signature, `hashedrekord` by the signed bytes.
fn check_body(body: &[u8], envelope: &Envelope) -> Result<(), Problem> {
    let place = format!("{AT}/body");
    let document = Document::read(body, &Limits::default()).map_err(|error| {
        Problem::new(
            error.code,
            place.clone(),
            "one strict JSON text",
            format!("{} at byte {}", error.found, error.offset),
        )
    })?;
    let Entry { digest, expected, signatures } = entry(document.root(), envelope, &place)?;
    let algorithm = digest.and_then(|digest| digest.get("algorithm")).and_then(Value::as_str);
    let value = digest.and_then(|digest| digest.get("value")).and_then(Value::as_str);
    if algorithm.as_deref() != Some("sha256") || value.as_deref() != Some(&expected.to_hex()) {
        let expected = format!("an entry about sha256 {expected}");
        return Err(Problem::new(Code::TransparencyEntryDiffers, place, expected, describe(digest)));
    }
    let is_of_envelope = |text: &Option<Value<'_>>| {
        let bytes = text.and_then(Value::as_str).and_then(|text| base64(&text));
        bytes.is_some_and(|bytes| envelope.signatures.iter().any(|signature| signature.bytes == bytes))
    };
    if signatures.iter().any(is_of_envelope) {
        return Ok(());
    }
    Err(Problem::new(
        Code::TransparencyEntryDiffers,
        place,
        "an entry with a signature of the envelope",
        "another",
    ))
}

/// What an entry says, and the digest that it must say of its envelope.
struct Entry<'v> {
    digest: Option<Value<'v>>,
    expected: Hash,
    signatures: Vec<Option<Value<'v>>>,
}

/// The members of an entry, by its kind.
fn entry<'v>(root: Value<'v>, envelope: &Envelope, place: &str) -> Result<Entry<'v>, Problem> {
    let kind = root.get("kind").and_then(Value::as_str).unwrap_or_default();
    match &*kind {
        "dsse" => {
            let list = root.at("/spec/signatures").into_iter().flat_map(Value::items);
            Ok(Entry {
                digest: root.at("/spec/payloadHash"),
                expected: sha256(&envelope.payload),
                signatures: list.map(|item| item.get("signature")).collect(),
            })
        }
        "hashedrekord" => Ok(Entry {
            digest: root.at("/spec/data/hash"),
            expected: sha256(&envelope.signed_bytes()),
            signatures: vec![root.at("/spec/signature/content")],
        }),
        _ => Err(Problem::new(
            Code::TransparencyEntryKind,
            place.to_owned(),
            "an entry of the kind dsse or hashedrekord",
            describe(root.get("kind")),
        )),
    }
}

/// The root is that of a checkpoint which a log signed that the caller knows.
fn check_checkpoint(
    proof: Value<'_>,
    head: &TreeHead,
    trust: &Trust<'_>,
    memory: &mut Memory,
    at: String,
) -> Result<(), Problem> {
    let Some(note) = proof.get("checkpoint").filter(|note| !note.is_null()) else {
        return Err(Problem::new(Code::KeyNotPinned, at, "a checkpoint of a known log", "none"));
    };
    let text = note.as_str().unwrap_or_default();
    let Some(checkpoint) = Checkpoint::read(&text) else {
        return Err(Problem::new(
            Code::TransparencyEncoding,
            at,
            "a checkpoint (C2SP tlog-checkpoint)",
            note.raw(),
        ));
    };
    if checkpoint.head != *head {
        let expected = format!("size {} and root {}", head.size, head.root);
        let found = format!("size {} and root {}", checkpoint.head.size, checkpoint.head.root);
        return Err(Problem::new(Code::CheckpointDiffers, at, expected, found));
    }
    checkpoint
        .verify(trust.log_keys, memory)
        .map_err(|code| Problem::new(code, at, "a signature by a log that the caller knows", note.raw()))
}
