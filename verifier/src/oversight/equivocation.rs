//! Proofs of equivocation: two tree heads, signed by one key, that cannot belong to one log. Whoever has the key can check
//! one, and needs nothing else.
//!
//! ```text
//! {"form": "assayer-equivocation-proof/1",
//!  "registry_key": "<hex>",
//!  "old": {"size": 5, "root": "<hex>", "signature": "<hex>"},
//!  "new": {"size": 9, "root": "<hex>", "signature": "<hex>"},
//!  "contradiction": …}
//!
//! {"kind": "same-size"}                                 one size, two roots
//! {"kind": "prefix", "root": "<hex>", "path": […]}      a consistency proof to `new` from another root of the old size
//! {"kind": "leaf", "index": 3, "old_leaf_hash": "<hex>", "old_path": […],
//!                              "new_leaf_hash": "<hex>", "new_path": […]}    two leaves at one index
//! ```
//!
//! Why each is a proof, as long as nobody finds a collision of SHA-256. A root and a size fix every node of the tree, at its
//! place. A *good* consistency proof to the newer root fixes what the root of its first leaves is; if the registry
//! signed another root for that size, it signed two histories. Two *good* inclusion proofs fix what stands at one index in
//! each tree. A proof that fails to verify fixes nothing: anybody can make one. The messages are rebuilt from size and
//! root; no text in the file is taken for what was signed.

use std::fmt::Write;

use crate::code::Code;
use crate::hash::{Hash, PublicKey};
use crate::json::{Document, Value};
use crate::limits::Limits;
use crate::merkle::{TreeHead, verify_consistency, verify_inclusion};
use crate::oversight::consistency::StatedHead;
use crate::oversight::head::SignedHead;
use crate::oversight::proof::{check_form, hash, integer, members, path_json, read_path};
use crate::oversight::{Trust, describe, head, read_then};
use crate::verdict::{CONTRADICTION, Layer, Problem, Trace};

pub(crate) const FORM: &str = "assayer-equivocation-proof/1";

/// What shows that two heads cannot belong to one log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Contradiction {
    /// Two different leaves at one index.
    Leaf {
        /// The index, below both sizes.
        index: u64,
        /// Leaf hash under the older head, and its siblings from the leaf upwards.
        old: (Hash, Vec<Hash>),
        /// The same under the newer head.
        new: (Hash, Vec<Hash>),
    },
    /// The first leaves of the newer tree, as many as the older tree has, have another root than the older tree.
    Prefix {
        /// That root.
        root: Hash,
        /// The consistency proof from that root to the newer head.
        path: Vec<Hash>,
    },
    /// Both heads have the same size.
    SameSize,
}

/// Two heads that were signed with one key and contradict each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EquivocationProof {
    key: PublicKey,
    pub(crate) old: SignedHead,
    pub(crate) new: SignedHead,
    pub(crate) contradiction: Contradiction,
}

/// Why there is no proof in what was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no proof of equivocation: {}", .0.meaning())]
pub struct NoContradiction(pub Code);

impl EquivocationProof {
    /// Makes a proof of what is given in any order of the heads, and verifies it: one that does not hold is never handed out.
    /// In a [`Contradiction`] `old` is the smaller head.
    ///
    /// # Errors
    /// [`NoContradiction`] with the code that a verifier of the proof would give.
    pub fn new(
        key: PublicKey,
        heads: [SignedHead; 2],
        contradiction: Contradiction,
    ) -> Result<Self, NoContradiction> {
        let [a, b] = heads;
        let (old, new) = if a.head.size <= b.head.size { (a, b) } else { (b, a) };
        let proof = Self { key, old, new, contradiction };
        proof.old.verify(&key).and_then(|()| proof.new.verify(&key)).map_err(NoContradiction)?;
        proof.contradicts().map_err(|(code, _)| NoContradiction(code))?;
        Ok(proof)
    }

    /// The file.
    #[must_use]
    pub fn to_json(&self) -> String {
        let Self { key, old, new, contradiction } = self;
        let mut evidence = String::new();
        // Writing to a string cannot fail.
        let _ = match contradiction {
            Contradiction::SameSize => write!(evidence, "{{\"kind\": \"same-size\"}}"),
            Contradiction::Prefix { root, path } => {
                write!(
                    evidence,
                    "{{\"kind\": \"prefix\", \"root\": \"{root}\", \"path\": {}}}",
                    path_json(path)
                )
            }
            Contradiction::Leaf { index, old, new } => write!(
                evidence,
                "{{\"kind\": \"leaf\", \"index\": {index},\n    \"old_leaf_hash\": \"{}\", \"old_path\": {},\n    \"new_leaf_hash\": \"{}\", \"new_path\": {}}}",
                old.0,
                path_json(&old.1),
                new.0,
                path_json(&new.1)
            ),
        };
        format!(
            "{{\n  \"form\": \"{FORM}\",\n  \"registry_key\": \"{key}\",\n  \"old\": {},\n  \"new\": {},\n  \"contradiction\": {evidence}\n}}\n",
            old.to_json(),
            new.to_json()
        )
    }

    pub(crate) fn read(document: &Document<'_>) -> Result<Self, Problem> {
        let root = document.root();
        members(Some(root), "", &["form", "registry_key", "old", "new", "contradiction"], &[])?;
        check_form(root, FORM)?;
        let key = root.get("registry_key");
        let key = key.and_then(Value::as_str).as_deref().and_then(PublicKey::from_hex).ok_or_else(|| {
            Problem::new(
                Code::ProofEncoding,
                "/registry_key",
                "64 lower-case hexadecimal digits",
                describe(key),
            )
        })?;
        Ok(Self {
            key,
            old: read_head(root.get("old"), "/old")?,
            new: read_head(root.get("new"), "/new")?,
            contradiction: read_contradiction(root.get("contradiction"))?,
        })
    }

    /// Whether the heads contradict each other, supposing that both are signed.
    ///
    /// # Errors
    /// The reason, and the member of the file that it is about.
    fn contradicts(&self) -> Result<(), (Code, &'static str)> {
        let (old, new) = (self.old.head, self.new.head);
        if old.size > new.size {
            return Err((Code::MerkleSizeOrder, "/old/size"));
        }
        if old == new {
            return Err((Code::EquivocationHeadsAgree, "/new"));
        }
        match &self.contradiction {
            Contradiction::SameSize if old.size == new.size => Ok(()),
            Contradiction::SameSize => Err((Code::EquivocationSizesDiffer, "/contradiction")),
            Contradiction::Prefix { root, path } => {
                let prefix = TreeHead { size: old.size, root: *root };
                verify_consistency(&prefix, &new, path).map_err(|code| (code, "/contradiction/path"))?;
                if *root == old.root {
                    return Err((Code::EquivocationPrefixAgrees, "/contradiction/root"));
                }
                Ok(())
            }
            Contradiction::Leaf { index, old: old_leaf, new: new_leaf } => {
                verify_inclusion(*index, &old_leaf.0, &old_leaf.1, &old)
                    .map_err(|code| (code, "/contradiction/old_path"))?;
                verify_inclusion(*index, &new_leaf.0, &new_leaf.1, &new)
                    .map_err(|code| (code, "/contradiction/new_path"))?;
                if old_leaf.0 == new_leaf.0 {
                    return Err((Code::EquivocationLeavesAgree, "/contradiction/new_leaf_hash"));
                }
                Ok(())
            }
        }
    }
}

/// A head of which no more is left out than the text that was signed.
fn read_head(value: Option<Value<'_>>, at: &str) -> Result<SignedHead, Problem> {
    let stated = StatedHead::read(value, at)?;
    let signature = stated.signature.ok_or_else(|| {
        Problem::new(Code::ProofEncoding, format!("{at}/signature"), "a member of this name", "nothing")
    })?;
    Ok(SignedHead { head: stated.head, signature })
}

fn read_contradiction(value: Option<Value<'_>>) -> Result<Contradiction, Problem> {
    let at = "/contradiction";
    let member = |name: &str| value.and_then(|value| value.get(name));
    let leaf = |leaf_hash: &str, path: &str| {
        let leaf = hash(member(leaf_hash), || format!("{at}/{leaf_hash}"))?;
        Ok((leaf, read_path(member(path), format_args!("{at}/{path}"))?))
    };
    match member("kind").and_then(Value::as_str).as_deref() {
        Some("same-size") => {
            members(value, at, &["kind"], &[])?;
            Ok(Contradiction::SameSize)
        }
        Some("prefix") => {
            members(value, at, &["kind", "root", "path"], &[])?;
            let root = hash(member("root"), || format!("{at}/root"))?;
            Ok(Contradiction::Prefix { root, path: read_path(member("path"), format_args!("{at}/path"))? })
        }
        Some("leaf") => {
            members(
                value,
                at,
                &["kind", "index", "old_leaf_hash", "old_path", "new_leaf_hash", "new_path"],
                &[],
            )?;
            Ok(Contradiction::Leaf {
                index: integer(member("index"), || format!("{at}/index"))?,
                old: leaf("old_leaf_hash", "old_path")?,
                new: leaf("new_leaf_hash", "new_path")?,
            })
        }
        _ => {
            let expected = "\"same-size\", \"prefix\" or \"leaf\"";
            Err(Problem::new(Code::ProofEncoding, format!("{at}/kind"), expected, describe(member("kind"))))
        }
    }
}

/// Verifies a proof of equivocation.
///
/// In: the JSON text and the registry keys that the caller knows; nothing else is looked at. Out: layers `limits`,
/// `json`, `shape`, `old-head` and `new-head` (the key in the file signed them), `registry-key` (that key is pinned) and
/// `contradiction`. The verdict of a proof that holds is [`Verdict::Equivocation`](crate::Verdict::Equivocation), never
/// `authentic`; without a pinned key it is `consistent`, since anybody can contradict himself under a key of his own.
#[must_use]
pub fn verify_equivocation_proof(input: &[u8], trust: &Trust<'_>, limits: &Limits) -> Trace {
    let layers = read_then(input, limits, |document, layers| {
        let shape = Layer::new("shape", "docs/auditors.md: a proof of equivocation, and nothing beyond it");
        let proof = match EquivocationProof::read(document) {
            Ok(proof) => proof,
            Err(problem) => return layers.push(shape.refuted(problem)),
        };
        layers.push(shape);
        layers.push(signed_layer("old-head", &proof.old, &proof.key, "/old"));
        layers.push(signed_layer("new-head", &proof.new, &proof.key, "/new"));
        layers.push(key_layer(&proof.key, trust));
        layers.push(contradiction_layer(&proof));
    });
    let required = vec!["limits", "json", "shape", "old-head", "new-head", "registry-key", CONTRADICTION];
    Trace::new(layers, required)
}

fn signed_layer(id: &'static str, signed: &SignedHead, key: &PublicKey, at: &str) -> Layer {
    let message = head::message(&signed.head);
    let layer = Layer::new(id, "fact sheet 1.3: Ed25519 over {\"root\":…,\"size\":…}, rebuilt here");
    let Err(code) = signed.verify(key) else { return layer.recomputed(message) };
    let expected = format!("a signature of {message} by {key}");
    let found = format!("{} ({})", signed.signature, code.meaning());
    let (code, place) = match code {
        Code::HeadEmptyRoot => (code, format!("{at}/root")),
        code if code.as_str().starts_with("ed25519.key-") => (code, "/registry_key".to_owned()),
        _ => (Code::HeadSignatureMismatch, format!("{at}/signature")),
    };
    layer.refuted(Problem::new(code, place, expected, found)).recomputed(message)
}

fn key_layer(key: &PublicKey, trust: &Trust<'_>) -> Layer {
    let layer = Layer::new("registry-key", "a key is trusted only when the caller pins it (FE-2)");
    let at = "/registry_key";
    if trust.registry_keys.is_empty() {
        layer.not_established(Problem::new(Code::KeyNotPinned, at, "a pinned registry key", "none"))
    } else if trust.registry_keys.contains(key) {
        layer.recomputed(key.to_hex())
    } else {
        let expected = trust.registry_keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ");
        layer.refuted(Problem::new(Code::KeyDiffers, at, expected, key.to_hex()))
    }
}

fn contradiction_layer(proof: &EquivocationProof) -> Layer {
    let rule =
        "RFC 9162 section 2.1: size and root fix every leaf; an older log is a prefix of every newer one";
    let layer = Layer::new(CONTRADICTION, rule);
    let (old, new) = (proof.old.head, proof.new.head);
    match proof.contradicts() {
        Ok(()) => layer.recomputed(format!(
            "root {} of {} and root {} of {} cannot belong to one log",
            old.root, old.size, new.root, new.size
        )),
        Err((code, place)) => {
            let expected = "two heads of which the older is no prefix of the newer";
            layer.refuted(Problem::new(code, place, expected, code.meaning()))
        }
    }
}
