//! Producing proofs (RFC 9162 sections 2.1.3.1 and 2.1.4.1).
//!
//! A proof is a list of nodes. Each node covers a span of leaves, and is put together from perfect subtrees. Which ones is
//! known from sizes and index alone, so that a log can go by leaf by leaf while only these are kept:
//!
//! ```text
//! sizes, index --spans--> nodes of the path --perfect subtrees--> what to keep --push leaves--> proof
//! ```

use std::collections::BTreeMap;

use crate::code::Code;
use crate::hash::Hash;
use crate::merkle::{GrowingTree, TreeHead, empty_root, node_hash, verify_consistency, verify_inclusion};

/// A tree of 2^64 leaves is 64 levels high.
const LEVELS: u32 = u64::BITS;

/// The leaves under one node: from `start`, included, to `end`, excluded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    start: u64,
    end: u64,
}

impl Span {
    fn length(self) -> u64 {
        self.end - self.start
    }

    /// Both halves, split at the largest power of two below the length; `None` for a single leaf.
    fn halves(self) -> Option<(Self, Self)> {
        let half = 1 << (u64::BITS - 1).checked_sub((self.length() - 1).leading_zeros())?;
        let middle = self.start + half;
        Some((Self { start: self.start, end: middle }, Self { start: middle, end: self.end }))
    }

    /// The node over these leaves, from perfect subtrees: `subtree` is asked for level (2^level leaves) and place among
    /// those of that level. `None` if it lacks one.
    fn node(self, subtree: &impl Fn(u32, u64) -> Option<Hash>) -> Option<Hash> {
        let mut largest_first = Vec::new();
        let mut at = self.start;
        for level in (0..LEVELS).rev().filter(|level| self.length() >> level & 1 == 1) {
            largest_first.push(subtree(level, at >> level)?);
            at += 1 << level;
        }
        // RFC 9162 section 2.1.1: the smaller subtrees stand on the right, and are joined first.
        largest_first.into_iter().rev().reduce(|right, left| node_hash(&left, &right))
    }
}

/// The nodes of `PATH(index, D[size])`, from the leaf upwards. In: `index` below `size`.
fn inclusion_spans(index: u64, size: u64) -> Vec<Span> {
    let mut span = Span { start: 0, end: size };
    let mut downwards = Vec::new();
    while let Some((left, right)) = span.halves() {
        let (inside, sibling) = if index < right.start { (left, right) } else { (right, left) };
        downwards.push(sibling);
        span = inside;
    }
    downwards.reverse();
    downwards
}

/// The nodes of `PROOF(old, D[new])`, from below upwards. In: `old` from 1 to `new`.
fn consistency_spans(old: u64, new: u64) -> Vec<Span> {
    let mut span = Span { start: 0, end: new };
    let mut downwards = Vec::new();
    while span.end != old {
        let Some((left, right)) = span.halves() else { break };
        let (inside, sibling) = if old <= right.start { (left, right) } else { (right, left) };
        downwards.push(sibling);
        span = inside;
    }
    // The old tree itself, if it is a node of the new one, is known to the verifier and not sent.
    if span.start != 0 {
        downwards.push(span);
    }
    downwards.reverse();
    downwards
}

fn nodes(spans: &[Span], subtree: &impl Fn(u32, u64) -> Option<Hash>) -> Option<Vec<Hash>> {
    spans.iter().map(|span| span.node(subtree)).collect()
}

/// Root of the first `size` leaves, from perfect subtrees.
pub(crate) fn root(size: u64, subtree: &impl Fn(u32, u64) -> Option<Hash>) -> Option<Hash> {
    if size == 0 { Some(empty_root()) } else { Span { start: 0, end: size }.node(subtree) }
}

/// That one leaf stands in a tree: what `/tlog/proof/{index}` answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InclusionPath {
    /// Place of the leaf, from 0.
    pub index: u64,
    /// Its leaf hash.
    pub leaf_hash: Hash,
    /// Siblings from the leaf upwards.
    pub path: Vec<Hash>,
    /// The tree.
    pub head: TreeHead,
}

/// That one tree is a prefix of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsistencyPath {
    /// The older tree, of at least one leaf.
    pub old: TreeHead,
    /// The newer tree.
    pub new: TreeHead,
    /// The nodes of RFC 9162 section 2.1.4.1, in its order.
    pub path: Vec<Hash>,
}

/// Makes an inclusion proof from perfect subtrees, and verifies it.
///
/// # Errors
/// `merkle.index-out-of-range`; `log.too-short` if a subtree is missing.
pub(crate) fn prove_inclusion(
    index: u64,
    size: u64,
    subtree: &impl Fn(u32, u64) -> Option<Hash>,
) -> Result<InclusionPath, Code> {
    if index >= size {
        return Err(Code::MerkleIndexOutOfRange);
    }
    let made = || {
        let head = TreeHead { size, root: root(size, subtree)? };
        let path = nodes(&inclusion_spans(index, size), subtree)?;
        Some(InclusionPath { index, leaf_hash: subtree(0, index)?, path, head })
    };
    let proof = made().ok_or(Code::LogTooShort)?;
    verify_inclusion(index, &proof.leaf_hash, &proof.path, &proof.head)?;
    Ok(proof)
}

/// Makes a consistency proof from perfect subtrees, and verifies it.
///
/// # Errors
/// `merkle.empty-old-tree`, `merkle.size-order`; `log.too-short` if a subtree is missing.
pub(crate) fn prove_consistency(
    old: u64,
    new: u64,
    subtree: &impl Fn(u32, u64) -> Option<Hash>,
) -> Result<ConsistencyPath, Code> {
    if old == 0 {
        return Err(Code::MerkleEmptyOldTree);
    }
    if old > new {
        return Err(Code::MerkleSizeOrder);
    }
    let made = || {
        let head = |size| Some(TreeHead { size, root: root(size, subtree)? });
        let path = nodes(&consistency_spans(old, new), subtree)?;
        Some(ConsistencyPath { old: head(old)?, new: head(new)?, path })
    };
    let proof = made().ok_or(Code::LogTooShort)?;
    verify_consistency(&proof.old, &proof.new, &proof.path)?;
    Ok(proof)
}

/// What a [`Prover`] is to prove. A size that is absent is that of the log at its end. Closed on purpose: RFC 9162 has these two proofs,
/// and whoever matches on them should hear of a third from the compiler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProofRequest {
    /// That the tree of `old` leaves is a prefix of that of `new` leaves.
    Consistency {
        /// Size of the older tree, at least 1.
        old: u64,
        /// Size of the newer tree.
        new: Option<u64>,
    },
    /// That the leaf at `index` stands in the tree of `size` leaves.
    Inclusion {
        /// Place of the leaf, from 0.
        index: u64,
        /// Size of the tree.
        size: Option<u64>,
    },
}

impl ProofRequest {
    /// The leaf whose way up to the root has, with all siblings, everything that the proof is made of.
    fn leaf(self) -> u64 {
        match self {
            Self::Consistency { old, .. } => old.saturating_sub(1),
            Self::Inclusion { index, .. } => index,
        }
    }

    fn size(self) -> Option<u64> {
        match self {
            Self::Consistency { new: size, .. } | Self::Inclusion { size, .. } => size,
        }
    }
}

/// A proof that a [`Prover`] made, and that was verified before it was handed out. As closed as [`ProofRequest`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// See [`ConsistencyPath`].
    Consistency(ConsistencyPath),
    /// See [`InclusionPath`].
    Inclusion(InclusionPath),
}

/// Makes proofs while the leaves of a log go by, from the first on. It keeps at most 130 hashes for each request, however
/// long the log is.
///
/// ```
/// use assayer_verifier::{Proof, ProofRequest, Prover, leaf_hash, verify_consistency};
///
/// let mut prover = Prover::new([ProofRequest::Consistency { old: 3, new: None }]);
/// for leaf in [b"a", b"b", b"c", b"d", b"e"] {
///     prover.push(leaf_hash(leaf));
/// }
/// let proofs = prover.finish();
/// let [Ok(Proof::Consistency(proof))] = proofs.as_slice() else { panic!("{proofs:?}") };
/// assert_eq!((proof.old.size, proof.new.size), (3, 5));
/// assert_eq!(verify_consistency(&proof.old, &proof.new, &proof.path), Ok(()));
/// ```
#[derive(Clone, Debug)]
pub struct Prover {
    tree: GrowingTree,
    /// Perfect subtrees that are wanted, by level and place, once they are complete.
    kept: BTreeMap<(u32, u64), Option<Hash>>,
    requests: Vec<(ProofRequest, Option<Result<Proof, Code>>)>,
}

impl Prover {
    /// A prover that has seen no leaf yet.
    #[must_use]
    pub fn new(requests: impl IntoIterator<Item = ProofRequest>) -> Self {
        let requests: Vec<_> = requests.into_iter().map(|request| (request, None)).collect();
        let mut kept = BTreeMap::new();
        for (request, _) in &requests {
            for level in 0..LEVELS {
                let place = request.leaf() >> level;
                kept.insert((level, place), None);
                kept.insert((level, place ^ 1), None);
            }
        }
        Self { tree: GrowingTree::new(), kept, requests }
    }

    /// Takes the next leaf by its leaf hash.
    pub fn push(&mut self, leaf: Hash) {
        let kept = &mut self.kept;
        self.tree.push_seen(leaf, |level, place, hash| {
            if let Some(wanted) = kept.get_mut(&(level, place)) {
                *wanted = Some(*hash);
            }
        });
        let size = self.tree.head_size();
        if self.requests.iter().any(|(request, _)| request.size() == Some(size)) {
            self.answer(Some(size));
        }
    }

    /// Size and root of what was seen.
    #[must_use]
    pub fn head(&self) -> TreeHead {
        self.tree.head()
    }

    /// Answers the requests that wait for this size.
    fn answer(&mut self, waiting_for: Option<u64>) {
        let size = self.tree.head_size();
        let (kept, tree) = (&self.kept, &self.tree);
        let subtree = |level: u32, place: u64| {
            kept.get(&(level, place)).copied().flatten().or_else(|| tree.subtree(level, place))
        };
        for (request, answer) in &mut self.requests {
            if request.size() == waiting_for && answer.is_none() {
                *answer = Some(match *request {
                    ProofRequest::Consistency { old, .. } => {
                        prove_consistency(old, size, &subtree).map(Proof::Consistency)
                    }
                    ProofRequest::Inclusion { index, .. } => {
                        prove_inclusion(index, size, &subtree).map(Proof::Inclusion)
                    }
                });
            }
        }
    }

    /// The answers, in the order of the requests.
    ///
    /// # Errors
    /// For each request: `log.too-short` if the log ended before the size that was asked for; else as the
    /// verification of such a proof: `merkle.index-out-of-range`, `merkle.empty-old-tree`, `merkle.size-order`.
    #[must_use]
    pub fn finish(mut self) -> Vec<Result<Proof, Code>> {
        self.answer(None);
        self.requests.into_iter().map(|(_, answer)| answer.unwrap_or(Err(Code::LogTooShort))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merkle::leaf_hash;

    #[test]
    fn a_prover_answers_each_request_or_says_why_not() {
        use ProofRequest::{Consistency, Inclusion};
        let requests = [
            Consistency { old: 0, new: None },
            Consistency { old: 9, new: Some(8) },
            Consistency { old: 12, new: None },
            Consistency { old: 3, new: Some(11) },
            Inclusion { index: 8, size: Some(8) },
            Inclusion { index: 7, size: Some(8) },
            Inclusion { index: 7, size: Some(99) },
            Inclusion { index: 10, size: None },
        ];
        let mut prover = Prover::new(requests);
        for index in 0..10_u64 {
            prover.push(leaf_hash(&index.to_be_bytes()));
        }
        let found: Vec<_> =
            prover.finish().into_iter().map(|answer| answer.err().map_or("proved", Code::as_str)).collect();
        let expected = [
            "merkle.empty-old-tree",
            "merkle.size-order",
            "merkle.size-order",
            "log.too-short",
            "merkle.index-out-of-range",
            "proved",
            "log.too-short",
            "merkle.index-out-of-range",
        ];
        assert_eq!(found, expected);
    }
}
