//! Signed tree heads. The signed message is rebuilt from size and root, never taken from the document.

use crate::code::Code;
use crate::ed25519::{self, Memory};
use crate::hash::{Hash, PublicKey, Signature};
use crate::json::Value;
use crate::limits::Limits;
use crate::merkle::{TreeHead, empty_root};
use crate::oversight::{Statement, Trust, describe, log, proof, quorum, read_then, reading_layers};
use crate::verdict::{Layer, Problem, State, Trace};

const RULE: &str = "fact sheet 1.3: Ed25519 over {\"root\":…,\"size\":…} by the registry identity key (TL-1)";

/// A tree head with a registry's signature over it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignedHead {
    /// Size and root.
    pub head: TreeHead,
    /// Ed25519 over `{"root":"<hex>","size":<integer>}`.
    pub signature: Signature,
}

impl SignedHead {
    /// Takes size, root and signature from the answer of `/tlog/head` or the `tlog_head` of a bundle; `None` where one of
    /// them is not encoded as it must be.
    #[must_use]
    pub fn read(value: Value<'_>) -> Option<Self> {
        let head = read(value, "").ok()?;
        let signature = value.get("signature").and_then(Value::as_str);
        Some(Self { head, signature: Signature::from_hex(&signature?)? })
    }

    /// Checks the signature over the bytes rebuilt from size and root.
    ///
    /// # Errors
    /// Any code that starts with `ed25519.`; `head.empty-root`.
    pub fn verify(&self, key: &PublicKey) -> Result<(), Code> {
        if self.head.size == 0 && self.head.root != empty_root() {
            return Err(Code::HeadEmptyRoot);
        }
        ed25519::verify(key, message(&self.head).as_bytes(), &self.signature)
    }

    /// `{"size":…,"root":…,"signature":…}`, as in a proof file.
    pub(crate) fn to_json(self) -> String {
        let Self { head, signature } = self;
        format!("{{\"size\": {}, \"root\": \"{}\", \"signature\": \"{signature}\"}}", head.size, head.root)
    }
}

/// What two heads say together that were signed with one key: layer `append-only`.
///
/// Two roots of one size refute it (`head.conflict`). One root of one size establishes it. Of two sizes nothing is shown
/// without a log.
#[must_use]
pub fn compare_heads(known: TreeHead, other: TreeHead, limits: &Limits) -> Trace {
    let mut layer = Layer::new("append-only", "one key signs one root of one size");
    let expected = format!("root {} of {} leaves", known.root, known.size);
    let found = format!("root {} of {} leaves", other.root, other.size);
    if known.size != other.size {
        let expected = "the log, which shows that one head extends the other";
        layer.leave_open(Problem::new(Code::NotGiven, "", expected, "none"));
    } else if known.root != other.root {
        layer.refute(Problem::new(Code::HeadConflict, "", expected, found));
    }
    let mut layers = reading_layers(Ok(()), limits);
    layers.push(layer);
    Trace::new(layers, vec!["append-only"])
}

/// What is said where a caller could not keep all signed heads and files that it met: layer `append-only` stays open.
///
/// In: how many it kept, and how many it did not. Out: a trace that is never authentic.
#[must_use]
pub fn heads_not_compared(kept: usize, left_out: u64) -> Trace {
    let expected = format!("at most {kept} heads and {kept} files of one call");
    let found = format!("{left_out} more, which were not compared with each other");
    let layer = Layer::new("append-only", "one key signs one root of one size");
    let problem = Problem::new(Code::LimitsValues, "", expected, found);
    Trace::new(vec![layer.not_established(problem)], vec!["append-only"])
}

/// Verifies a tree head as answered by `/tlog/head`.
///
/// In: the JSON text, the trust anchors (the registry key stands outside of a head, so without one the signature stays
/// not established). Out: layers `limits`, `json`, `shape`, `tree-head`, `registry-key`, `log-root`, `append-only`,
/// `quorum`, and `freshness` where the age is bounded.
#[must_use]
pub fn verify_head(input: &[u8], trust: &Trust<'_>, limits: &Limits) -> Trace {
    let mut statement = None;
    let layers = read_then(input, limits, |document, layers| {
        let (layer, head, key) = verify_any_key(document.root(), trust.registry_keys, "");
        let of_key = key_layer(key, trust);
        statement = key.zip(head).map(|(key, head)| {
            let is_trusted = of_key.state == State::Established;
            Box::new(Statement { head: Some(head), ..Statement::new(*key, is_trusted) })
        });
        layers.push(shape_layer(
            document.root(),
            &MEMBERS,
            "fact sheet 1.3: these members of a head, and no other",
        ));
        layers.push(layer);
        layers.push(of_key);
        layers.push(log::root_layer(head, trust.log, ""));
        layers.push(log::append_only_layer(head, trust));
        layers.push(quorum::layer(head, trust));
    });
    let trace = trust.judge(layers, &["limits", "json", "shape", "tree-head", "registry-key"]);
    Trace { statement, ..trace }
}

const MEMBERS: [&str; 4] = ["size", "root", "signature", "signed_message"];

/// Layer `shape`: a member that nobody signed is not refuted, but a document with one is not authentic.
pub(crate) fn shape_layer(root: Value<'_>, members: &[&str], rule: &'static str) -> Layer {
    let layer = Layer::new("shape", rule);
    match proof::members(Some(root), "", &[], members) {
        Ok(()) => layer,
        Err(problem) => layer.not_established(problem),
    }
}

/// Layer `tree-head` under the first of several keys that fits, and that key.
fn verify_any_key<'k>(
    head: Value<'_>,
    keys: &'k [PublicKey],
    at: &str,
) -> (Layer, Option<TreeHead>, Option<&'k PublicKey>) {
    let memory = &mut Memory::default();
    let mut last = None;
    for key in keys {
        let (layer, read) = verify(Some(head), Some(key), memory, at);
        if layer.problem.is_none() {
            return (layer, read, Some(key));
        }
        last = Some((layer, read));
    }
    let (layer, read) = last.unwrap_or_else(|| verify(Some(head), None, memory, at));
    (layer, read, None)
}

/// Layer `registry-key` of a head: the pinned key that signed it. A key that is trusted for a time only vouches for nothing
/// that has no time.
fn key_layer(key: Option<&PublicKey>, trust: &Trust<'_>) -> Layer {
    let layer = Layer::new("registry-key", "a key is trusted only when the caller pins it (FE-2)");
    let Some(key) = key else {
        let expected = "a pinned registry key that verifies";
        return layer.not_established(Problem::new(Code::KeyNotPinned, "", expected, "none"));
    };
    if trust.windows.iter().any(|window| window.key == *key) {
        let expected = "a time at which this key is trusted";
        let problem = Problem::new(Code::KeyOutsideWindow, "", expected, "a head, which has no time");
        return layer.recomputed(key.to_hex()).not_established(problem);
    }
    layer.recomputed(key.to_hex())
}

/// Layer `tree-head` for the head at the pointer `at`, under `key`; and the head itself as far as it can be read.
pub(crate) fn verify(
    head: Option<Value<'_>>,
    key: Option<&PublicKey>,
    memory: &mut Memory,
    at: &str,
) -> (Layer, Option<TreeHead>) {
    let mut layer = Layer::new("tree-head", RULE);
    let Some(value) = head.filter(|value| !value.is_null()) else {
        let problem = Problem::new(Code::HeadMissing, at, "a signed tree head", describe(head));
        return (layer.not_established(problem), None);
    };
    let tree_head = match read(value, at) {
        Ok(tree_head) => tree_head,
        Err(problem) => return (layer.refuted(problem), None),
    };
    let message = message(&tree_head);
    layer.recomputed = message.clone();
    match value.get("signed_message").map(|text| (text, text.as_str())) {
        Some((_, Some(text))) if text == message => {}
        Some((found, _)) => {
            let place = format!("{at}/signed_message");
            layer.refute(Problem::new(Code::HeadMessageDiffers, place, message.clone(), found.raw()));
        }
        None => layer.refute(Problem::new(Code::HeadMessageDiffers, at, "signed_message", "no such member")),
    }
    if tree_head.size == 0 && tree_head.root != empty_root() {
        let place = format!("{at}/root");
        layer.refute(Problem::new(
            Code::HeadEmptyRoot,
            place,
            empty_root().to_hex(),
            tree_head.root.to_hex(),
        ));
    }
    check_signature(&mut layer, value, key.map(|key| (key, memory)), &message, at);
    (layer, Some(tree_head))
}

fn check_signature(
    layer: &mut Layer,
    head: Value<'_>,
    key: Option<(&PublicKey, &mut Memory)>,
    message: &str,
    at: &str,
) {
    let place = format!("{at}/signature");
    let text = head.get("signature").and_then(Value::as_str);
    let Some(signature) = text.as_deref().and_then(Signature::from_hex) else {
        let found = describe(head.get("signature"));
        return layer.refute(Problem::new(
            Code::HeadEncoding,
            place,
            "128 lower-case hexadecimal digits",
            found,
        ));
    };
    match key {
        None => {
            layer.leave_open(Problem::new(Code::NotGiven, place, "a registry key to verify with", "none"));
        }
        Some((key, memory)) => {
            let outcome = memory.key(key).and_then(|key| memory.verify(&key, message.as_bytes(), &signature));
            if let Err(code) = outcome {
                let expected = format!("a signature of {message} by {key}");
                let found = format!("{signature} ({})", code.meaning());
                layer.refute(Problem::new(Code::HeadSignatureMismatch, place, expected, found));
            }
        }
    }
}

/// Size and root of a head, strictly encoded.
pub(crate) fn read(head: Value<'_>, at: &str) -> Result<TreeHead, Problem> {
    let size = head.get("size");
    let Some(size) = size.and_then(Value::as_u64) else {
        let expected = "an integer from 0 to 2^64 - 1";
        return Err(Problem::new(Code::HeadEncoding, format!("{at}/size"), expected, describe(size)));
    };
    let root = head.get("root");
    let Some(root) = root.and_then(Value::as_str).as_deref().and_then(Hash::from_hex) else {
        let expected = "64 lower-case hexadecimal digits";
        return Err(Problem::new(Code::HeadEncoding, format!("{at}/root"), expected, describe(root)));
    };
    Ok(TreeHead { size, root })
}

/// The bytes that a registry signs for a head.
pub(crate) fn message(head: &TreeHead) -> String {
    format!("{{\"root\":\"{}\",\"size\":{}}}", head.root, head.size)
}
