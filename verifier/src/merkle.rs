//! The Merkle tree of RFC 6962 / RFC 9162 section 2.1: hashes, roots, inclusion and consistency proofs.
//!
//! A proof is checked in three moves: take the path apart by what index and size demand (the lengths are checked here,
//! so that hashing cannot fail), hash upwards, compare.

use sha2::{Digest, Sha256};

use crate::code::Code;
use crate::hash::{Hash, sha256};

/// Size and root of a log at one moment; neither means anything without the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TreeHead {
    /// Number of leaves.
    pub size: u64,
    /// Merkle tree hash of those leaves.
    pub root: Hash,
}

/// `SHA-256(0x00 || leaf)` (RFC 6962 section 2.1).
#[must_use]
pub fn leaf_hash(leaf: &[u8]) -> Hash {
    Hash(Sha256::new().chain_update([0]).chain_update(leaf).finalize().into())
}

/// `SHA-256(0x01 || left || right)` (RFC 6962 section 2.1).
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut node = [1; 65];
    let (_, children) = node.split_at_mut(1);
    let (first, second) = children.split_at_mut(32);
    first.copy_from_slice(&left.0);
    second.copy_from_slice(&right.0);
    Hash(Sha256::digest(node).into())
}

/// The root of a tree without leaves: SHA-256 of nothing.
#[must_use]
pub fn empty_root() -> Hash {
    sha256(b"")
}

/// A tree that grows leaf by leaf and keeps only the roots of its perfect subtrees: at most 64 hashes.
#[derive(Clone, Debug, Default)]
pub struct GrowingTree {
    size: u64,
    /// Roots of the perfect subtrees, largest (leftmost) first.
    subtrees: Vec<Hash>,
}

impl GrowingTree {
    /// An empty tree.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends one leaf by its leaf hash.
    pub fn push(&mut self, leaf: Hash) {
        self.push_seen(leaf, |_, _, _| {});
    }

    /// Appends one leaf, and shows every perfect subtree that it completes: level (2^level leaves), place among those of
    /// that level, hash.
    pub(crate) fn push_seen(&mut self, leaf: Hash, mut seen: impl FnMut(u32, u64, &Hash)) {
        let mut hash = leaf;
        seen(0, self.size, &hash);
        // As many subtrees merge as the old size has trailing one bits.
        for level in 0..self.size.trailing_ones() {
            if let Some(left) = self.subtrees.pop() {
                hash = node_hash(&left, &hash);
                seen(level + 1, self.size >> level >> 1, &hash);
            }
        }
        self.subtrees.push(hash);
        self.size += 1;
    }

    /// Appends all leaves of a stretch that starts where this tree ends; any other stretch is left out.
    pub(crate) fn append(&mut self, stretch: &Stretch) {
        if stretch.start != self.size {
            return;
        }
        for (level, hash) in &stretch.subtrees {
            let (mut level, mut hash) = (*level, *hash);
            let end = self.size + (1 << level);
            while self.size.checked_shr(level).is_some_and(|places| places & 1 == 1) {
                let Some(left) = self.subtrees.pop() else { break };
                hash = node_hash(&left, &hash);
                level += 1;
            }
            self.subtrees.push(hash);
            self.size = end;
        }
    }

    /// Number of leaves.
    pub(crate) fn head_size(&self) -> u64 {
        self.size
    }

    /// One of the perfect subtrees of which the tree consists now, by level and place.
    pub(crate) fn subtree(&self, level: u32, place: u64) -> Option<Hash> {
        let is_one = self.size.checked_shr(level)? & 1 == 1;
        let larger = self.size.checked_shr(level).and_then(|high| high.checked_shr(1)).unwrap_or(0);
        if is_one && place == larger << 1 {
            self.subtrees.get(larger.count_ones() as usize).copied()
        } else {
            None
        }
    }

    /// Size and root now.
    #[must_use]
    pub fn head(&self) -> TreeHead {
        let root = self.subtrees.iter().rev().copied().reduce(|right, left| node_hash(&left, &right));
        TreeHead { size: self.size, root: root.unwrap_or_else(empty_root) }
    }
}

/// The perfect subtrees over leaves in a row that need not start at 0: what can be hashed before it is known what comes
/// before them. At most 128 hashes.
#[derive(Clone, Debug)]
pub(crate) struct Stretch {
    start: u64,
    length: u64,
    /// Level (2^level leaves) and hash, from left to right.
    subtrees: Vec<(u32, Hash)>,
}

impl Stretch {
    /// No leaves yet; the first will be that at index `start`.
    pub(crate) fn starting_at(start: u64) -> Self {
        Self { start, length: 0, subtrees: Vec::new() }
    }

    /// Index of the next leaf; `None` after the last that there can be.
    pub(crate) fn end(&self) -> Option<u64> {
        self.start.checked_add(self.length)
    }

    /// Number of leaves.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Appends one leaf by its leaf hash.
    pub(crate) fn push(&mut self, leaf: Hash) {
        let Some(index) = self.end() else { return };
        let (mut level, mut hash) = (0, leaf);
        // A right child is joined to its left sibling, if that is in the stretch.
        while index.checked_shr(level).is_some_and(|place| place & 1 == 1) {
            let Some((_, left)) = self.subtrees.pop_if(|(left, _)| *left == level) else { break };
            hash = node_hash(&left, &hash);
            level += 1;
        }
        self.subtrees.push((level, hash));
        self.length += 1;
    }
}

/// How many siblings a proof for leaf `index` of a tree of `size` leaves has below, and above, the point where the way
/// up from the leaf joins the right border of the tree.
fn path_lengths(index: u64, size: u64) -> (u32, u32) {
    let inner = u64::BITS - (index ^ (size - 1)).leading_zeros();
    let border = (index.checked_shr(inner).unwrap_or(0)).count_ones();
    (inner, border)
}

/// Checks that the leaf stands at `index` in the tree of `head` (RFC 9162 section 2.1.3.2).
///
/// In: `path` are the siblings from the leaf upwards.
///
/// # Errors
/// `merkle.index-out-of-range`, `merkle.path-length`, `merkle.root-mismatch`.
pub fn verify_inclusion(index: u64, leaf: &Hash, path: &[Hash], head: &TreeHead) -> Result<(), Code> {
    let root = inclusion_root(index, leaf, path, head.size)?;
    if root == head.root { Ok(()) } else { Err(Code::MerkleRootMismatch) }
}

/// The root that a path leads to, in a tree of `size` leaves.
///
/// # Errors
/// `merkle.index-out-of-range`, `merkle.path-length`.
pub(crate) fn inclusion_root(index: u64, leaf: &Hash, path: &[Hash], size: u64) -> Result<Hash, Code> {
    if index >= size {
        return Err(Code::MerkleIndexOutOfRange);
    }
    let (inner, border) = path_lengths(index, size);
    if path.len() as u64 != u64::from(inner) + u64::from(border) {
        return Err(Code::MerklePathLength);
    }
    let (below, above) = path.split_at(inner as usize);
    Ok(chain_border(chain_inner(*leaf, below, index), above))
}

/// A step upwards on a path: a node, and the sibling that it is joined with.
pub(crate) struct Rung<'p> {
    /// How high it is: at most 2^level leaves are under it.
    level: u32,
    place: u64,
    /// The node on the way up, before it is joined.
    pub(crate) hash: Hash,
    pub(crate) sibling: &'p Hash,
}

impl Rung<'_> {
    /// The perfect subtree that the sibling is, in a tree of `size` leaves: level and place.
    pub(crate) fn perfect_sibling(&self, size: u64) -> Option<(u32, u64)> {
        perfect(self.level, self.place ^ 1, size)
    }
}

/// Goes up a path that [`verify_inclusion`] takes, in a tree of `size` leaves, step by step.
pub(crate) fn climb<'p>(
    index: u64,
    leaf: &Hash,
    path: &'p [Hash],
    size: u64,
) -> impl Iterator<Item = Rung<'p>> + use<'p> {
    let (inner, _) = path_lengths(index, size);
    let (mut level, mut hash) = (0, *leaf);
    path.iter().map(move |sibling| {
        // On the right border the levels without a sibling are passed over (RFC 9162 section 2.1.3.2).
        while level >= inner && level < u64::BITS && index.unbounded_shr(level) & 1 == 0 {
            level += 1;
        }
        let place = index.unbounded_shr(level);
        let joined = if place & 1 == 0 { node_hash(&hash, sibling) } else { node_hash(sibling, &hash) };
        let rung = Rung { level, place, hash: std::mem::replace(&mut hash, joined), sibling };
        level += 1;
        rung
    })
}

/// Shows every perfect subtree whose hash a good path fixes below the root: its level (2^level leaves), its place among those of that
/// level, and its hash; a leaf is of level 0.
///
/// Trees that have all leaves of a perfect subtree in common have its hash in common, whatever their sizes are.
pub(crate) fn fixed_subtrees(
    index: u64,
    leaf: &Hash,
    path: &[Hash],
    size: u64,
    mut seen: impl FnMut((u32, u64), &Hash),
) {
    if path.is_empty() {
        seen((0, index), leaf);
    }
    for rung in climb(index, leaf, path, size) {
        if let Some(at) = perfect(rung.level, rung.place, size) {
            seen(at, &rung.hash);
        }
        if let Some(at) = rung.perfect_sibling(size) {
            seen(at, rung.sibling);
        }
    }
}

/// The perfect subtree that a node of a tree of `size` leaves is, by level and place; `None` where it is of a number of leaves that is no power
/// of two: then it is of no other tree.
fn perfect(level: u32, place: u64, size: u64) -> Option<(u32, u64)> {
    let width = 1_u128.checked_shl(level)?;
    let start = u128::from(place).checked_mul(width)?;
    let leaves = u128::from(size).checked_sub(start)?.min(width);
    let place = start.checked_div(leaves)?;
    leaves.is_power_of_two().then_some((leaves.trailing_zeros(), u64::try_from(place).ok()?))
}

/// Upwards, on the side that each bit of the index names.
fn chain_inner(seed: Hash, siblings: &[Hash], index: u64) -> Hash {
    siblings.iter().enumerate().fold(seed, |hash, (level, sibling)| {
        if index >> level & 1 == 0 { node_hash(&hash, sibling) } else { node_hash(sibling, &hash) }
    })
}

/// Upwards, taking only the siblings on the left (what the old tree of a consistency proof contained).
fn chain_inner_left(seed: Hash, siblings: &[Hash], index: u64) -> Hash {
    siblings.iter().enumerate().fold(seed, |hash, (level, sibling)| {
        if index >> level & 1 == 1 { node_hash(sibling, &hash) } else { hash }
    })
}

/// Upwards along the right border, where every sibling is on the left.
fn chain_border(seed: Hash, siblings: &[Hash]) -> Hash {
    siblings.iter().fold(seed, |hash, sibling| node_hash(sibling, &hash))
}

/// Checks that the tree of `old` is a prefix of the tree of `new` (RFC 9162 section 2.1.4.2).
///
/// A proof from the empty tree is always refused: it would prove nothing (`docs/decisions/empty-trees.md`).
///
/// # Errors
/// `merkle.empty-old-tree`, `merkle.size-order`, `merkle.path-length`, `merkle.root-mismatch`.
pub fn verify_consistency(old: &TreeHead, new: &TreeHead, path: &[Hash]) -> Result<(), Code> {
    let (old_root, new_root) = consistency_roots(old, new.size, path)?;
    if old_root == old.root && new_root == new.root { Ok(()) } else { Err(Code::MerkleRootMismatch) }
}

/// The roots of the older and of the newer tree that a path leads to. The older root itself is needed only where it is not
/// in the path: when its tree is perfect, or when the tree did not grow.
///
/// # Errors
/// `merkle.empty-old-tree`, `merkle.size-order`, `merkle.path-length`.
pub(crate) fn consistency_roots(old: &TreeHead, new_size: u64, path: &[Hash]) -> Result<(Hash, Hash), Code> {
    if old.size == 0 {
        return Err(Code::MerkleEmptyOldTree);
    }
    if old.size > new_size {
        return Err(Code::MerkleSizeOrder);
    }
    if old.size == new_size {
        return if path.is_empty() { Ok((old.root, old.root)) } else { Err(Code::MerklePathLength) };
    }
    // The proof starts at the largest perfect subtree that ends where the old tree ends.
    let shift = old.size.trailing_zeros();
    let (inner, border) = path_lengths(old.size - 1, new_size);
    let inner = inner - shift;
    // If the old tree is that subtree, its root is the seed and is not sent.
    let (seed, path) = if old.size.is_power_of_two() {
        (old.root, path)
    } else {
        let (first, rest) = path.split_first().ok_or(Code::MerklePathLength)?;
        (*first, rest)
    };
    if path.len() as u64 != u64::from(inner) + u64::from(border) {
        return Err(Code::MerklePathLength);
    }
    let (below, above) = path.split_at(inner as usize);
    let index = (old.size - 1) >> shift;
    let old_root = chain_border(chain_inner_left(seed, below, index), above);
    let new_root = chain_border(chain_inner(seed, below, index), above);
    Ok((old_root, new_root))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_of_stretches_is_that_of_their_leaves() {
        let all = leaves(70);
        for cut in 0..=70 {
            for end in cut..=70 {
                let mut tree = GrowingTree::new();
                all[..cut].iter().for_each(|leaf| tree.push(*leaf));
                let mut stretch = Stretch::starting_at(cut as u64);
                all[cut..end].iter().for_each(|leaf| stretch.push(*leaf));
                tree.append(&stretch);
                assert_eq!(tree.head(), head(&all[..end]), "{cut} to {end}");
                tree.append(&stretch);
                assert_eq!(tree.head().size, end as u64, "what starts elsewhere is not appended");
            }
        }
    }

    /// RFC 6962 section 2.1, word for word: the oracle.
    fn root(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => empty_root(),
            [leaf] => *leaf,
            _ => {
                let (left, right) = leaves.split_at(split(leaves.len()));
                node_hash(&root(left), &root(right))
            }
        }
    }

    fn split(n: usize) -> usize {
        n.next_power_of_two() / 2
    }

    fn path(index: usize, leaves: &[Hash]) -> Vec<Hash> {
        if leaves.len() <= 1 {
            return Vec::new();
        }
        let (left, right) = leaves.split_at(split(leaves.len()));
        let (mut below, other) = if index < left.len() {
            (path(index, left), root(right))
        } else {
            (path(index - left.len(), right), root(left))
        };
        below.push(other);
        below
    }

    /// RFC 6962 section 2.1.2.
    fn consistency(old: usize, leaves: &[Hash], whole: bool) -> Vec<Hash> {
        if old == leaves.len() {
            return if whole { Vec::new() } else { vec![root(leaves)] };
        }
        let (left, right) = leaves.split_at(split(leaves.len()));
        let (mut below, other) = if old <= left.len() {
            (consistency(old, left, whole), root(right))
        } else {
            (consistency(old - left.len(), right, false), root(left))
        };
        below.push(other);
        below
    }

    fn leaves(n: usize) -> Vec<Hash> {
        (0..n).map(|i| leaf_hash(&i.to_be_bytes())).collect()
    }

    fn head(leaves: &[Hash]) -> TreeHead {
        TreeHead { size: leaves.len() as u64, root: root(leaves) }
    }

    /// The halves that the recursion of RFC 6962 section 2.1.2 meets on its way to a leaf, each with where it starts.
    fn halves(index: usize, start: usize, leaves: &[Hash], met: &mut Vec<(usize, Vec<Hash>)>) {
        if leaves.len() > 1 {
            let (left, right) = leaves.split_at(split(leaves.len()));
            let middle = start + left.len();
            met.extend([(start, left.to_vec()), (middle, right.to_vec())]);
            if index < middle {
                halves(index, start, left, met);
            } else {
                halves(index, middle, right, met);
            }
        }
    }

    #[test]
    fn a_path_fixes_every_perfect_subtree_that_it_meets_and_no_other() {
        let all = leaves(70);
        for size in 1..=70 {
            for index in 0..size {
                let mut met = if size == 1 { vec![(0, all[..1].to_vec())] } else { Vec::new() };
                halves(index, 0, &all[..size], &mut met);
                let mut expected: Vec<(u32, u64, Hash)> = met
                    .iter()
                    .filter(|(_, leaves)| leaves.len().is_power_of_two())
                    .map(|(start, leaves)| {
                        (leaves.len().trailing_zeros(), (start / leaves.len()) as u64, root(leaves))
                    })
                    .collect();
                let mut found = Vec::new();
                let path = path(index, &all[..size]);
                fixed_subtrees(index as u64, &all[index], &path, size as u64, |(level, place), hash| {
                    found.push((level, place, *hash));
                });
                expected.sort_unstable();
                found.sort_unstable();
                assert_eq!(found, expected, "{index} of {size}");
            }
        }
    }

    /// Sizes and indexes up to the last that there can be.
    #[test]
    fn the_subtrees_of_enormous_trees_are_named_as_well() {
        let (leaf, most) = (leaf_hash(b""), u64::MAX);
        let seen = |index: u64| {
            let mut seen = Vec::new();
            let (inner, border) = path_lengths(index, most);
            let path = vec![leaf; (inner + border) as usize];
            fixed_subtrees(index, &leaf, &path, most, |at, _| seen.push(at));
            seen
        };
        assert_eq!(seen(0).first(), Some(&(0, 0)));
        assert!(seen(0).contains(&(63, 0)) && seen(most - 1).contains(&(63, 0)));
        assert_eq!(seen(most - 1).first(), Some(&(0, most - 1)));
    }

    #[test]
    fn every_inclusion_proof_up_to_130_leaves_verifies_and_every_change_is_refused() {
        let all = leaves(130);
        for size in 1..=130 {
            let tree = &all[..size];
            let head = head(tree);
            let grown = tree.iter().fold(GrowingTree::new(), |mut grown, leaf| {
                grown.push(*leaf);
                grown
            });
            assert_eq!(grown.head(), head);
            for index in 0..size {
                let mut path = path(index, tree);
                let at = index as u64;
                assert_eq!(verify_inclusion(at, &tree[index], &path, &head), Ok(()), "{index} of {size}");
                assert!(verify_inclusion(at + 1, &tree[index], &path, &head).is_err());
                assert!(verify_inclusion(at, &all[(index + 1) % 130], &path, &head).is_err());
                let longer = [path.clone(), vec![head.root]].concat();
                assert_eq!(verify_inclusion(at, &tree[index], &longer, &head), Err(Code::MerklePathLength));
                if let Some(last) = path.pop() {
                    assert_eq!(verify_inclusion(at, &tree[index], &path, &head), Err(Code::MerklePathLength));
                    path.push(Hash(last.0.map(|byte| byte ^ 1)));
                    let found = verify_inclusion(at, &tree[index], &path, &head);
                    assert_eq!(found, Err(Code::MerkleRootMismatch));
                }
            }
            assert_eq!(verify_inclusion(size as u64, &tree[0], &[], &head), Err(Code::MerkleIndexOutOfRange));
        }
    }

    #[test]
    fn every_consistency_proof_up_to_70_leaves_verifies_and_no_other_old_root_does() {
        let all = leaves(70);
        for size in 1..=70 {
            let new = head(&all[..size]);
            for old_size in 1..=size {
                let old = head(&all[..old_size]);
                let path = consistency(old_size, &all[..size], true);
                assert_eq!(verify_consistency(&old, &new, &path), Ok(()), "{old_size} to {size}");
                let other = TreeHead { root: leaf_hash(b"other"), ..old };
                assert!(verify_consistency(&other, &new, &path).is_err());
                let longer = [path, vec![new.root]].concat();
                assert_eq!(verify_consistency(&old, &new, &longer), Err(Code::MerklePathLength));
            }
            let empty = TreeHead { size: 0, root: empty_root() };
            assert_eq!(verify_consistency(&empty, &new, &[]), Err(Code::MerkleEmptyOldTree));
        }
    }
}
