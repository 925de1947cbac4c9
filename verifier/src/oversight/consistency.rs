//! Consistency proofs as files: that one tree head extends another, without the log.
//!
//! ```text
//! {"form": "assayer-consistency-proof/1",
//!  "old": {"size": 17, "root": "<hex>", "signature": "<hex>"},      signatures may be absent
//!  "new": {"size": 42, "root": "<hex>"},
//!  "path": ["<hex>", …]}                                            RFC 9162 section 2.1.4.1
//! ```

use crate::code::Code;
use crate::ed25519;
use crate::hash::{Hash, PublicKey, Signature};
use crate::json::{Document, Value};
use crate::limits::Limits;
use crate::merkle::{TreeHead, verify_consistency};
use crate::oversight::proof::{check_form, members, path_json, read_path};
use crate::oversight::{Trust, describe, head, proof, quorum, read_then};
use crate::prover::ConsistencyPath;
use crate::verdict::{Layer, Problem, Trace};

pub(crate) const FORM: &str = "assayer-consistency-proof/1";

/// A head in a proof file: the signature is there or not.
pub(crate) struct StatedHead {
    pub(crate) head: TreeHead,
    pub(crate) signature: Option<Signature>,
}

impl StatedHead {
    /// Reads the head at the pointer `at`; no other member may be there.
    pub(crate) fn read(value: Option<Value<'_>>, at: &str) -> Result<Self, Problem> {
        members(value, at, &["size", "root"], &["signature"])?;
        let Some(value) = value else {
            return Err(Problem::new(Code::ProofEncoding, at, "a head", "nothing"));
        };
        let head = head::read(value, at)?;
        let stated = value.get("signature");
        let signature = stated.map(|stated| {
            stated.as_str().as_deref().and_then(Signature::from_hex).ok_or_else(|| {
                let place = format!("{at}/signature");
                let expected = "128 lower-case hexadecimal digits";
                Problem::new(Code::HeadEncoding, place, expected, describe(Some(stated)))
            })
        });
        Ok(Self { head, signature: signature.transpose()? })
    }
}

pub(crate) struct ConsistencyProof {
    pub(crate) old: StatedHead,
    pub(crate) new: StatedHead,
    pub(crate) path: Vec<Hash>,
}

impl ConsistencyProof {
    pub(crate) fn read(document: &Document<'_>) -> Result<Self, Problem> {
        let root = document.root();
        if root.get("form").is_none() && root.get("first_root").is_some() {
            return Self::read_answer(root);
        }
        members(Some(root), "", &["form", "old", "new", "path"], &[])?;
        check_form(root, FORM)?;
        Ok(Self {
            old: StatedHead::read(root.get("old"), "/old")?,
            new: StatedHead::read(root.get("new"), "/new")?,
            path: read_path(root.get("path"), "/path")?,
        })
    }
}

impl ConsistencyProof {
    /// Reads the answer of `/tlog/proof?first=M&second=N` (the announced dialect); its heads carry no signatures.
    fn read_answer(root: Value<'_>) -> Result<Self, Problem> {
        members(Some(root), "", &["first", "second", "first_root", "second_root", "proof"], &[])?;
        let head = |size: &str, at: &str| {
            let size = proof::integer(root.get(size), || format!("/{size}"))?;
            Ok(StatedHead {
                head: TreeHead { size, root: proof::hash(root.get(at), || format!("/{at}"))? },
                signature: None,
            })
        };
        Ok(Self {
            old: head("first", "first_root")?,
            new: head("second", "second_root")?,
            path: read_path(root.get("proof"), "/proof")?,
        })
    }
}

/// Writes a consistency proof as a file; the signatures are those of the two heads, where they are known.
#[must_use]
pub fn consistency_json(proof: &ConsistencyPath, signatures: [Option<Signature>; 2]) -> String {
    let [old, new] = signatures;
    let stated = |head: &TreeHead, signature: Option<Signature>| {
        let signature = signature.map(|signature| format!(", \"signature\": \"{signature}\""));
        format!("{{\"size\": {}, \"root\": \"{}\"{}}}", head.size, head.root, signature.unwrap_or_default())
    };
    format!(
        "{{\n  \"form\": \"{FORM}\",\n  \"old\": {},\n  \"new\": {},\n  \"path\": {}\n}}\n",
        stated(&proof.old, old),
        stated(&proof.new, new),
        path_json(&proof.path)
    )
}

/// Verifies a consistency proof in a file.
///
/// In: the JSON text; trusted are the registry keys, the heads and the log that the caller knows. Out: layers `limits`,
/// `json`, `shape`, `consistency` (the path leads to both roots), `old-head` and `new-head` (a pinned key signed that
/// head, or the caller knows it, or the given log leads to it), `quorum` (of the new head), and `freshness` where the age is
/// bounded.
#[must_use]
pub fn verify_consistency_proof(input: &[u8], trust: &Trust<'_>, limits: &Limits) -> Trace {
    let layers = read_then(input, limits, |document, layers| {
        let shape = Layer::new("shape", "docs/auditors.md: a consistency proof, and nothing beyond it");
        let proof = match ConsistencyProof::read(document) {
            Ok(proof) => proof,
            Err(problem) => return layers.push(shape.refuted(problem)),
        };
        layers.push(shape);
        layers.push(consistency_layer(&proof));
        layers.push(vouched_layer("old-head", &proof.old, trust, "/old"));
        layers.push(vouched_layer("new-head", &proof.new, trust, "/new"));
        layers.push(quorum::layer(Some(proof.new.head), trust));
    });
    trust.judge(layers, &["limits", "json", "shape", "consistency", "old-head", "new-head"])
}

fn consistency_layer(proof: &ConsistencyProof) -> Layer {
    let layer = Layer::new("consistency", "RFC 9162 section 2.1.4.2");
    let (old, new) = (proof.old.head, proof.new.head);
    match verify_consistency(&old, &new, &proof.path) {
        Ok(()) => layer.recomputed(format!("both roots from a path of {} hashes", proof.path.len())),
        Err(code) => {
            let expected =
                format!("a path from {} of {} to {} of {}", old.root, old.size, new.root, new.size);
            let found = format!("{} hashes; {}", proof.path.len(), code.meaning());
            layer.refuted(Problem::new(code, "/path", expected, found))
        }
    }
}

/// A proof ties two heads to each other; somebody has to vouch for each of them.
fn vouched_layer(id: &'static str, stated: &StatedHead, trust: &Trust<'_>, at: &str) -> Layer {
    let mut layer =
        Layer::new(id, "a head counts if a pinned key signed it, or the caller knows it otherwise");
    let head = stated.head;
    let mut vouched = false;
    if let Some(signature) = stated.signature.filter(|_| !trust.registry_keys.is_empty()) {
        let message = head::message(&head);
        let fits = |key: &&PublicKey| ed25519::verify(key, message.as_bytes(), &signature).is_ok();
        // A key that is trusted for a time only vouches for nothing that has no time.
        let bounded = |key: &PublicKey| trust.windows.iter().any(|window| window.key == *key);
        if let Some(key) = trust.registry_keys.iter().find(fits) {
            vouched = !bounded(key);
        } else {
            let (place, found) = (format!("{at}/signature"), signature.to_string());
            let expected = format!("a signature of {message} by a trusted key");
            layer.refute(Problem::new(Code::HeadSignatureMismatch, place, expected, found));
        }
    }
    let known = trust.known_heads().filter(|known| known.size == head.size);
    let known = known.map(|known| (known.root, Code::ProofHeadDiffers));
    let shown =
        trust.log.and_then(|log| log.head_at(head.size)).map(|shown| (shown.root, Code::LogRootDiffers));
    for (root, code) in known.chain(shown) {
        if root == head.root {
            vouched = true;
        } else {
            layer.refute(Problem::new(code, format!("{at}/root"), root.to_hex(), head.root.to_hex()));
        }
    }
    if !vouched {
        let expected = "a signature by a trusted key, a known head of this size, or the log";
        layer.leave_open(Problem::new(Code::NotGiven, at, expected, "none"));
    }
    layer
}
