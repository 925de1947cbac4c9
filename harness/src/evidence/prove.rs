//! What proofs are made of: the leaves of a log one after the other, and the signed heads of any documents.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use assayer_verifier::oversight::{
    Contradiction, DocumentKind, EquivocationProof, LogPart, LogVerifier, NoContradiction, SignedHead,
    inclusion_proofs_of,
};
use assayer_verifier::{
    Document, GrowingTree, Hash, InclusionPath, Limits, Proof, ProofRequest, Prover, PublicKey,
};

use super::log::Ordered;
use super::{Item, Reader, Unreadable};

/// Heads and leaves of one call that are remembered; more are left out, and said to be.
const MOST: usize = 65_536;

/// Why there is no proof.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// A path cannot be read, or holds nothing that was asked for.
    #[error("{0}")]
    Call(String),
    /// The log is not sound, so that nothing can be proved from it.
    #[error("the log is not sound: {0}")]
    Log(String),
    /// What is there proves nothing.
    #[error("there is nothing to prove: {0}")]
    Nothing(String),
}

impl From<Unreadable> for Problem {
    fn from(unreadable: Unreadable) -> Self {
        Self::Call(unreadable.to_string())
    }
}

/// What is done with each leaf: its index and leaf hash.
pub type EachLeaf<'l> = dyn FnMut(u64, Hash) -> ControlFlow<()> + 'l;

/// Reads the leaves of a log, in order and verified, in memory that does not grow with it.
#[derive(Clone, Copy, Debug)]
pub struct LeafReader<'l> {
    limits: &'l Limits,
}

impl<'l> LeafReader<'l> {
    /// A reader with these bounds on each document.
    #[must_use]
    pub fn new(limits: &'l Limits) -> Self {
        Self { limits }
    }

    /// Reads `leaves.jsonl` or pages of `/tlog/range`, in files or folders; pages may come in any order. Every leaf goes to
    /// `each`, from index 0 on.
    ///
    /// # Errors
    /// [`Problem::Call`] for what cannot be read; [`Problem::Log`] for a log that is not sound or does not start at 0.
    pub fn read(&self, paths: &[PathBuf], each: &mut EachLeaf<'_>) -> Result<(), Problem> {
        let mut leaves = Leaves {
            ordered: Ordered::default(),
            verifier: LogVerifier::with_heads([], self.limits),
            each,
            next: 0,
        };
        let mut failed = None;
        for path in paths {
            let mut take = |item: Result<Item, Unreadable>| match item {
                Ok(Item::Document { bytes, .. }) => leaves.put(LogPart::read_page(&bytes, self.limits)),
                Ok(Item::Records { line, lines }) => leaves.add(LogPart::read(line, &lines, self.limits)),
                Ok(Item::LogEnd { .. } | Item::Skipped(_)) => ControlFlow::Continue(()),
                Err(unreadable) => {
                    failed = Some(unreadable);
                    ControlFlow::Break(())
                }
            };
            if Reader::new(Some(DocumentKind::Log), self.limits, &mut take).path(path).is_break() {
                break;
            }
        }
        if let Some(unreadable) = failed {
            return Err(unreadable.into());
        }
        leaves.finish()
    }
}

struct Leaves<'e, 'l> {
    ordered: Ordered,
    verifier: LogVerifier<'static>,
    each: &'e mut EachLeaf<'l>,
    next: u64,
}

impl Leaves<'_, '_> {
    /// Pages wait with all of their hashes: each of them is wanted.
    fn put(&mut self, part: LogPart) -> ControlFlow<()> {
        let parts = self.ordered.put_whole(part);
        parts.into_iter().try_for_each(|part| self.add(part))
    }

    fn add(&mut self, part: LogPart) -> ControlFlow<()> {
        let mut flow = ControlFlow::Continue(());
        for (index, hash) in part.leaf_hashes() {
            if index == self.next && flow.is_continue() {
                self.next += 1;
                flow = (self.each)(index, hash);
            }
        }
        self.verifier.add(part);
        flow
    }

    fn finish(mut self) -> Result<(), Problem> {
        for part in self.ordered.rest() {
            let _ = self.add(part);
        }
        let trace = self.verifier.finish();
        if let Some(layer) = trace.refuted().next() {
            let problem = layer.problem.as_ref();
            let text = problem.map(|problem| format!("{} at {}", problem.code.meaning(), problem.at));
            return Err(Problem::Log(format!("{}: {}", layer.id, text.unwrap_or_default())));
        }
        if self.next == 0 {
            return Err(Problem::Log("it does not start with the leaf at index 0".to_owned()));
        }
        Ok(())
    }
}

/// Heads that one key signed, and the leaves that are proven under them.
#[derive(Debug)]
pub struct Heads {
    key: PublicKey,
    /// By size, each root once.
    heads: BTreeMap<u64, Vec<SignedHead>>,
    /// By index, each leaf hash under each head once.
    leaves: BTreeMap<u64, Vec<InclusionPath>>,
    /// Paths of logs, in the order in which they were given.
    logs: Vec<PathBuf>,
}

impl Heads {
    /// Reads signed heads, bundles and logs. Heads that `key` did not sign are left out: they prove nothing.
    ///
    /// # Errors
    /// [`Problem::Call`] for what cannot be read, and where there are not two heads and a log, nor two heads.
    pub fn read(paths: &[PathBuf], key: PublicKey, limits: &Limits) -> Result<Self, Problem> {
        let mut heads = Self { key, heads: BTreeMap::new(), leaves: BTreeMap::new(), logs: Vec::new() };
        for path in paths {
            let mut failed = None;
            let mut is_log = false;
            let mut take = |item: Result<Item, Unreadable>| match item {
                Ok(Item::Document { bytes, .. }) => {
                    is_log |= heads.document(&bytes, limits);
                    ControlFlow::Continue(())
                }
                Ok(Item::Records { .. }) => {
                    is_log = true;
                    ControlFlow::Continue(())
                }
                Ok(Item::LogEnd { .. } | Item::Skipped(_)) => ControlFlow::Continue(()),
                Err(unreadable) => {
                    failed = Some(unreadable);
                    ControlFlow::Break(())
                }
            };
            let _ = Reader::new(None, limits, &mut take).path(path);
            if let Some(unreadable) = failed {
                return Err(unreadable.into());
            }
            if is_log {
                heads.logs.push(path.clone());
            }
        }
        if heads.heads.values().map(Vec::len).sum::<usize>() < 2 {
            return Err(Problem::Nothing(format!("fewer than two heads are signed with {key}")));
        }
        Ok(heads)
    }

    /// Takes what a document holds; whether it is of a log.
    fn document(&mut self, bytes: &[u8], limits: &Limits) -> bool {
        let Ok(document) = Document::read(bytes, limits) else { return false };
        let root = document.root();
        match DocumentKind::of(root) {
            Some(DocumentKind::Log) => return true,
            Some(DocumentKind::Head) => self.head(SignedHead::read(root)),
            Some(DocumentKind::Bundle) => {
                self.head(root.get("tlog_head").and_then(SignedHead::read));
                for proof in inclusion_proofs_of(root) {
                    let leaves = self.leaves.entry(proof.index).or_default();
                    let known = |other: &InclusionPath| {
                        other.head == proof.head && other.leaf_hash == proof.leaf_hash
                    };
                    if leaves.len() < 64 && !leaves.iter().any(known) {
                        leaves.push(proof);
                    }
                }
            }
            _ => {}
        }
        false
    }

    fn head(&mut self, head: Option<SignedHead>) {
        let Some(head) = head.filter(|head| head.verify(&self.key).is_ok()) else { return };
        let full = self.heads.len() >= MOST;
        let same_size = match self.heads.get_mut(&head.head.size) {
            Some(same_size) => same_size,
            None if full => return,
            None => self.heads.entry(head.head.size).or_default(),
        };
        // Two roots of one size are proof enough.
        if same_size.len() < 2 && same_size.iter().all(|known| known.head != head.head) {
            same_size.push(head);
        }
    }

    fn signed(&self, leaf: &InclusionPath) -> Option<SignedHead> {
        self.heads.get(&leaf.head.size)?.iter().find(|head| head.head == leaf.head).copied()
    }

    /// Looks for two heads that cannot belong to one log: of one size, with different leaves at one index, or by one of the
    /// logs.
    ///
    /// # Errors
    /// [`Problem::Nothing`] if there are none, as far as these documents show; as [`LeafReader::read`] for the logs.
    pub fn prove(&self, limits: &Limits) -> Result<EquivocationProof, Problem> {
        if let Some(proof) = self.of_one_size().or_else(|| self.by_leaves()) {
            return Ok(proof);
        }
        for log in &self.logs {
            if let Some(proof) = self.by_log(log, limits)? {
                return Ok(proof);
            }
        }
        let count: usize = self.heads.values().map(Vec::len).sum();
        Err(Problem::Nothing(format!(
            "as far as these documents show, the {count} heads that {} signed belong to one log",
            self.key
        )))
    }

    fn of_one_size(&self) -> Option<EquivocationProof> {
        self.heads.values().find_map(|same_size| match same_size.as_slice() {
            [a, b] => EquivocationProof::new(self.key, [*a, *b], Contradiction::SameSize).ok(),
            _ => None,
        })
    }

    /// Two bundles that prove different leaves at one index.
    fn by_leaves(&self) -> Option<EquivocationProof> {
        self.leaves.values().find_map(|leaves| {
            let first = leaves.iter().find(|leaf| self.signed(leaf).is_some())?;
            let other = leaves
                .iter()
                .find(|leaf| leaf.leaf_hash != first.leaf_hash && self.signed(leaf).is_some())?;
            self.of_leaves(first, other).ok()
        })
    }

    fn of_leaves(&self, a: &InclusionPath, b: &InclusionPath) -> Result<EquivocationProof, NoContradiction> {
        let (old, new) = if a.head.size <= b.head.size { (a, b) } else { (b, a) };
        let none = NoContradiction(assayer_verifier::Code::HeadMissing);
        let heads = [self.signed(old).ok_or(none)?, self.signed(new).ok_or(none)?];
        let leaf = |path: &InclusionPath| (path.leaf_hash, path.path.clone());
        let contradiction = Contradiction::Leaf { index: old.index, old: leaf(old), new: leaf(new) };
        EquivocationProof::new(self.key, heads, contradiction)
    }

    /// What a log shows: it leads to some of the heads, and not to others.
    fn by_log(&self, log: &Path, limits: &Limits) -> Result<Option<EquivocationProof>, Problem> {
        let paths = [log.to_owned()];
        let reader = LeafReader::new(limits);
        let compared = self.compare(&reader, &paths)?;
        // The largest head that the log leads to stands for the log: the others are of its prefixes.
        let Some(largest) = compared.agreeing else { return Ok(None) };
        let new = largest.head.size;
        let by_prefix = compared.differing.iter().find(|head| head.head.size < new);
        let by_leaf = compared.leaf.filter(|leaf| leaf.index < new);
        let request = match (by_prefix, by_leaf) {
            (Some(old), _) => ProofRequest::Consistency { old: old.head.size, new: Some(new) },
            (None, Some(leaf)) => ProofRequest::Inclusion { index: leaf.index, size: Some(new) },
            (None, None) => return Ok(None),
        };
        let mut prover = Prover::new([request]);
        reader.read(&paths, &mut |_, hash| {
            prover.push(hash);
            ControlFlow::Continue(())
        })?;
        let proof = match (prover.finish().pop(), by_prefix, by_leaf) {
            (Some(Ok(Proof::Consistency(proof))), Some(old), _) => {
                let contradiction = Contradiction::Prefix { root: proof.old.root, path: proof.path };
                EquivocationProof::new(self.key, [*old, largest], contradiction)
            }
            (Some(Ok(Proof::Inclusion(proof))), _, Some(leaf)) => self.of_leaves(leaf, &proof),
            _ => return Ok(None),
        };
        Ok(proof.ok())
    }

    fn compare(&self, reader: &LeafReader<'_>, paths: &[PathBuf]) -> Result<Compared<'_>, Problem> {
        let mut tree = GrowingTree::new();
        let mut compared = Compared { agreeing: None, differing: Vec::new(), leaf: None };
        reader.read(paths, &mut |index, hash| {
            tree.push(hash);
            for head in self.heads.get(&(index + 1)).into_iter().flatten() {
                if head.head == tree.head() {
                    compared.agreeing = Some(*head);
                } else {
                    compared.differing.push(*head);
                }
            }
            for leaf in self.leaves.get(&index).into_iter().flatten() {
                if leaf.leaf_hash != hash && self.signed(leaf).is_some() {
                    compared.leaf.get_or_insert(leaf);
                }
            }
            ControlFlow::Continue(())
        })?;
        Ok(compared)
    }
}

/// Signed heads beside a log.
struct Compared<'h> {
    /// The largest that the log leads to.
    agreeing: Option<SignedHead>,
    /// Those that it does not lead to.
    differing: Vec<SignedHead>,
    /// The first proven leaf that is another in the log.
    leaf: Option<&'h InclusionPath>,
}
