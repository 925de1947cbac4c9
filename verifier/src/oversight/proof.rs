//! Inclusion proofs as the registry sends them: `index`, `leaf_hash`, `proof`, `root`, `tree_size`.

use std::fmt;

use crate::code::Code;
use crate::hash::Hash;
use crate::json::{Kind, Value, push_token};
use crate::limits::Limits;
use crate::merkle::{TreeHead, climb, inclusion_root, verify_inclusion};
use crate::oversight::{Trust, describe, head, log, quorum, read_then};
use crate::prover::InclusionPath;
use crate::verdict::{Layer, Problem, Trace};

/// A tree of 2^64 leaves is 64 levels high: no honest path is longer.
const LONGEST_PATH: usize = 64;

const RULE: &str = "RFC 9162 section 2.1.3.2; siblings from the leaf upwards (fact sheet 2)";

/// A proof object, strictly decoded.
#[derive(Clone, Debug)]
pub(crate) struct InclusionProof {
    pub(crate) index: u64,
    pub(crate) leaf_hash: Hash,
    pub(crate) path: Vec<Hash>,
    pub(crate) head: TreeHead,
}

impl InclusionProof {
    /// Reads the proof object at the pointer `at`.
    pub(crate) fn read(value: Value<'_>, at: impl fmt::Display) -> Result<Self, Problem> {
        if value.kind() != Kind::Object {
            let found = describe(Some(value));
            return Err(Problem::new(Code::ProofEncoding, at.to_string(), "a proof object", found));
        }
        let [index, leaf_hash, path, root, size] = value.pick(&MEMBERS);
        let path = read_path(path, format_args!("{at}/proof"))?;
        Ok(Self {
            index: integer(index, || format!("{at}/index"))?,
            leaf_hash: hash(leaf_hash, || format!("{at}/leaf_hash"))?,
            path,
            head: TreeHead {
                size: integer(size, || format!("{at}/tree_size"))?,
                root: hash(root, || format!("{at}/root"))?,
            },
        })
    }

    /// Checks the path from the leaf to the root that the proof itself names.
    pub(crate) fn verify(&self, at: impl fmt::Display) -> Result<(), Problem> {
        verify_inclusion(self.index, &self.leaf_hash, &self.path, &self.head).map_err(|code| {
            let expected =
                format!("a path from leaf {} to root {} of {}", self.index, self.head.root, self.head.size);
            let found = format!("{} hashes; {}", self.path.len(), code.meaning());
            Problem::new(code, format!("{at}/proof"), expected, found)
        })
    }

    /// The root that the path leads to; `None` where it has not the length that index and size demand.
    pub(crate) fn root(&self) -> Option<Hash> {
        inclusion_root(self.index, &self.leaf_hash, &self.path, self.head.size).ok()
    }
}

pub(crate) fn hash(value: Option<Value<'_>>, at: impl Fn() -> String) -> Result<Hash, Problem> {
    value.and_then(Value::as_str).as_deref().and_then(Hash::from_hex).ok_or_else(|| {
        Problem::new(Code::ProofEncoding, at(), "64 lower-case hexadecimal digits", describe(value))
    })
}

pub(crate) fn integer(value: Option<Value<'_>>, at: impl Fn() -> String) -> Result<u64, Problem> {
    value.and_then(Value::as_u64).ok_or_else(|| {
        Problem::new(Code::ProofEncoding, at(), "an integer from 0 to 2^64 - 1", describe(value))
    })
}

/// Writes an inclusion proof as `/tlog/proof/{index}` answers it.
#[must_use]
pub fn inclusion_json(proof: &InclusionPath) -> String {
    let InclusionPath { index, leaf_hash, path, head } = proof;
    format!(
        "{{\n  \"index\": {index},\n  \"leaf_hash\": \"{leaf_hash}\",\n  \"proof\": {},\n  \"root\": \"{}\",\n  \"tree_size\": {}\n}}\n",
        path_json(path),
        head.root,
        head.size
    )
}

/// The inclusion proofs in a bundle that hold against the roots which they name, and those of the leaves that are siblings in their
/// paths. That these roots are signed is for the caller to compare.
pub fn inclusion_proofs_of(bundle: Value<'_>) -> impl Iterator<Item = InclusionPath> {
    let proofs = bundle.get("tlog_proofs").into_iter().flat_map(Value::items);
    let proofs = proofs.filter_map(|entry| entry.get("proof").or_else(|| entry.get("inclusion")));
    let proofs = proofs.filter_map(|value| {
        let proof = InclusionProof::read(value, "").ok().filter(|proof| proof.verify("").is_ok())?;
        let InclusionProof { index, leaf_hash, path, head } = proof;
        Some(InclusionPath { index, leaf_hash, path, head })
    });
    proofs.flat_map(|proof| {
        let beside: Vec<InclusionPath> = leaves_beside(&proof).collect();
        std::iter::once(proof).chain(beside)
    })
}

/// Proofs of the leaves that are siblings in the path of a proof that holds: what is joined with them goes to the front of theirs.
fn leaves_beside(proof: &InclusionPath) -> impl Iterator<Item = InclusionPath> {
    let InclusionPath { index, leaf_hash, path, head } = proof;
    let rungs = climb(*index, leaf_hash, path, head.size).enumerate();
    rungs.filter_map(|(position, rung)| {
        let (0, index) = rung.perfect_sibling(head.size)? else { return None };
        let above = path.get(position + 1..).unwrap_or_default();
        let path = [&[rung.hash], above].concat();
        Some(InclusionPath { index, leaf_hash: *rung.sibling, path, head: *head })
    })
}

/// A list of hashes.
pub(crate) fn path_json(path: &[Hash]) -> String {
    let hashes: Vec<String> = path.iter().map(|hash| format!("\"{hash}\"")).collect();
    format!("[{}]", hashes.join(", "))
}

/// A list of hashes, no longer than an honest path can be.
pub(crate) fn read_path(value: Option<Value<'_>>, at: impl fmt::Display) -> Result<Vec<Hash>, Problem> {
    let Some(list) = value.filter(|path| path.kind() == Kind::Array) else {
        return Err(Problem::new(Code::ProofEncoding, at.to_string(), "a list of hashes", describe(value)));
    };
    let length = list.items().take(LONGEST_PATH + 1).count();
    if length > LONGEST_PATH {
        let expected = format!("at most {LONGEST_PATH} hashes");
        return Err(Problem::new(Code::MerklePathLength, at.to_string(), expected, "more"));
    }
    let mut path = Vec::with_capacity(length);
    for (position, item) in list.items().enumerate() {
        path.push(hash(Some(item), || format!("{at}/{position}"))?);
    }
    Ok(path)
}

/// An object with exactly these members: what nobody knows, nobody verifies.
pub(crate) fn members(
    value: Option<Value<'_>>,
    at: &str,
    names: &[&str],
    optional: &[&str],
) -> Result<(), Problem> {
    let Some(object) = value.filter(|value| value.kind() == Kind::Object) else {
        return Err(Problem::new(Code::ProofEncoding, at, "an object", describe(value)));
    };
    if let Some(name) = names.iter().find(|name| object.get(name).is_none()) {
        return Err(Problem::new(
            Code::ProofEncoding,
            format!("{at}/{name}"),
            "a member of this name",
            "nothing",
        ));
    }
    for (name, _) in object.members() {
        let name = name.as_str().unwrap_or_default();
        if !names.iter().chain(optional).any(|known| *known == name) {
            let mut place = at.to_owned();
            push_token(&mut place, &name);
            let known = [names, optional].concat().join(", ");
            return Err(Problem::new(Code::ProofUnknownMember, place, known, &*name));
        }
    }
    Ok(())
}

/// The member `form`.
pub(crate) fn check_form(value: Value<'_>, form: &str) -> Result<(), Problem> {
    let found = value.get("form");
    if found.and_then(Value::as_str).is_some_and(|found| found == form) {
        return Ok(());
    }
    Err(Problem::new(Code::ProofEncoding, "/form", form, describe(found)))
}

const MEMBERS: [&str; 5] = ["index", "leaf_hash", "proof", "root", "tree_size"];

/// Verifies a stand-alone proof as answered by `/tlog/proof/{index}`.
///
/// Out: layers `limits`, `json`, `shape`, `inclusion` (against the root in the proof), `head-known` (that root is one the caller
/// knows), `log-root` and `log-leaf` (against a given log), `quorum`, and `freshness` where the age is bounded.
#[must_use]
pub fn verify_proof(input: &[u8], trust: &Trust<'_>, limits: &Limits) -> Trace {
    let layers = read_then(input, limits, |document, layers| {
        let rule = "fact sheet 2: these members of a proof, and no other";
        layers.push(head::shape_layer(document.root(), &MEMBERS, rule));
        let mut layer = Layer::new("inclusion", RULE);
        let proof = match InclusionProof::read(document.root(), "") {
            Ok(proof) => proof,
            Err(problem) => return layers.push(layer.refuted(problem)),
        };
        if let Err(problem) = proof.verify("") {
            layer.refute(problem);
        }
        layers.push(layer.recomputed(format!("path of {} hashes", proof.path.len())));
        layers.push(head_known_layer(&proof.head, trust));
        layers.push(log::root_layer(Some(proof.head), trust.log, ""));
        layers.push(log::leaf_layer(&proof, trust.log));
        layers.push(quorum::layer(Some(proof.head), trust));
    });
    trust.judge(layers, &["limits", "json", "shape", "inclusion", "head-known"])
}

fn head_known_layer(head: &TreeHead, trust: &Trust<'_>) -> Layer {
    let mut layer =
        Layer::new("head-known", "a proof shows inclusion in a tree, not that anybody signed that tree");
    let mut known = trust.known_heads().filter(|known| known.size == head.size).peekable();
    if known.peek().is_none() {
        let expected = "a known head of this size";
        return layer.not_established(Problem::new(Code::NotGiven, "/root", expected, "none"));
    }
    for known in known.filter(|known| known.root != head.root) {
        let (expected, found) = (known.root.to_hex(), head.root.to_hex());
        layer.refute(Problem::new(Code::ProofHeadDiffers, "/root", expected, found));
    }
    layer
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merkle::leaf_hash;
    use crate::{Proof, ProofRequest, Prover};

    #[test]
    fn a_leaf_beside_a_proven_one_is_proven_too() {
        let mut found = 0;
        for (size, index) in (1..40_u64).flat_map(|size| (0..size).map(move |index| (size, index))) {
            let mut prover = Prover::new([ProofRequest::Inclusion { index, size: None }]);
            (0..size).for_each(|leaf| prover.push(leaf_hash(&leaf.to_be_bytes())));
            let Some(Ok(Proof::Inclusion(proof))) = prover.finish().pop() else { panic!() };
            for beside in leaves_beside(&proof) {
                found += 1;
                assert_eq!(beside.leaf_hash, leaf_hash(&beside.index.to_be_bytes()));
                let InclusionPath { index, leaf_hash, path, head } = &beside;
                assert_eq!(verify_inclusion(*index, leaf_hash, path, head), Ok(()), "{index} of {size}");
            }
        }
        assert!(found > 700, "{found}");
    }
}
