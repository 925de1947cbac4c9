//! Merkle trees of RFC 6962, section 2.1, over roots of complete subtrees that are stored and never change.
//!
//! ```text
//!                 root            Complete subtrees are kept in tiles of five levels: up to 32 neighbouring nodes of
//!               /      \          levels 0, 5, 10, … What is between is hashed when a tile is read. The tree of n leaves
//!          complete   ragged      has its right edge in one tile a row, so that appending, a head and a proof read
//!         /   \         |         O(log n) tiles.
//!       tile  tile    tile (partial)
//! ```

use sha2::{Digest, Sha256};

/// A SHA-256 hash.
pub(crate) type Hash = [u8; 32];

/// Levels of the tree from one row of tiles to the next.
pub(crate) const TILE_HEIGHT: u32 = 5;

/// Nodes that a full tile has in its bottom level.
pub(crate) const TILE_WIDTH: usize = 1 << TILE_HEIGHT;

/// SHA-256(0x00 || leaf) (RFC 6962, section 2.1).
pub(crate) fn leaf_hash(leaf: &[u8]) -> Hash {
    Sha256::new().chain_update([0]).chain_update(leaf).finalize().into()
}

/// SHA-256(0x01 || left || right) (RFC 6962, section 2.1).
pub(crate) fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

/// SHA-256 of nothing (RFC 6962, section 2.1).
pub(crate) fn empty_root() -> Hash {
    Sha256::digest(b"").into()
}

/// Where roots of complete subtrees come from.
pub(crate) trait Nodes {
    type Error;

    /// Root of the complete subtree over the leaves from `index << level` to `(index + 1) << level`.
    fn node(&self, level: u32, index: u64) -> Result<Hash, Self::Error>;
}

/// The largest power of two below `width`, which is at least 2.
fn split(width: u64) -> u64 {
    1 << (u64::BITS - 1 - (width - 1).leading_zeros())
}

/// MTH of the first `size` leaves.
pub(crate) fn root<N: Nodes>(nodes: &N, size: u64) -> Result<Hash, N::Error> {
    if size == 0 { Ok(empty_root()) } else { subtree(nodes, 0, size) }
}

/// MTH of the leaves from `start` to `end`, as the RFC's recursion meets them: `start` is a multiple of a power of two
/// that is not below the width.
fn subtree<N: Nodes>(nodes: &N, start: u64, end: u64) -> Result<Hash, N::Error> {
    let width = end - start;
    if width.is_power_of_two() {
        return nodes.node(width.trailing_zeros(), start / width);
    }
    let middle = start + split(width);
    Ok(node_hash(&subtree(nodes, start, middle)?, &subtree(nodes, middle, end)?))
}

/// Roots of the subtrees that end with the last leaf, as the RFC's recursion meets them: the whole tree, what is right of its largest
/// complete subtree, and so on. Every path ends in some of them, so that many paths need them made only once.
pub(crate) struct RightEdge {
    size: u64,
    /// Where each begins, and its root.
    roots: Vec<(u64, Hash)>,
}

impl RightEdge {
    pub(crate) fn of<N: Nodes>(nodes: &N, size: u64) -> Result<Self, N::Error> {
        let (mut start, mut complete) = (0, Vec::new());
        while let Some(level) = (size - start).checked_ilog2() {
            complete.push((start, nodes.node(level, start >> level)?));
            start += 1 << level;
        }
        let (mut roots, mut right) = (Vec::with_capacity(complete.len()), None);
        for (start, left) in complete.into_iter().rev() {
            let root = right.map_or(left, |right| node_hash(&left, &right));
            roots.push((start, root));
            right = Some(root);
        }
        Ok(Self { size, roots })
    }

    /// Root of the leaves from `start` to `end`, if these are the last ones.
    fn root(&self, start: u64, end: u64) -> Option<Hash> {
        let mut roots = self.roots.iter().filter(|_| end == self.size);
        roots.find(|(first, _)| *first == start).map(|(_, root)| *root)
    }
}

/// PATH(index, D[size]) from the leaf upwards (RFC 6962, section 2.1.1); `index` is below the size, which `edge` has.
pub(crate) fn inclusion<N: Nodes>(nodes: &N, edge: &RightEdge, index: u64) -> Result<Vec<Hash>, N::Error> {
    let (mut start, mut end, mut path) = (0, edge.size, Vec::new());
    while end - start > 1 {
        let middle = start + split(end - start);
        if index < middle {
            path.push(edge.root(middle, end).map_or_else(|| subtree(nodes, middle, end), Ok)?);
            end = middle;
        } else {
            path.push(subtree(nodes, start, middle)?);
            start = middle;
        }
    }
    path.reverse();
    Ok(path)
}

/// PROOF(first, D[second]) (RFC 6962, section 2.1.2); `first` is from 1 to `second`.
pub(crate) fn consistency<N: Nodes>(nodes: &N, first: u64, second: u64) -> Result<Vec<Hash>, N::Error> {
    let (mut start, mut end, mut path) = (0, second, Vec::new());
    while first != end {
        let middle = start + split(end - start);
        if first <= middle {
            path.push(subtree(nodes, middle, end)?);
            end = middle;
        } else {
            path.push(subtree(nodes, start, middle)?);
            start = middle;
        }
    }
    if start > 0 {
        path.push(subtree(nodes, start, end)?);
    }
    path.reverse();
    Ok(path)
}

/// Which tile: the rows are numbered from the leaves upwards, and the tiles of a row from the left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct TileId {
    row: u32,
    number: u64,
}

impl TileId {
    /// Bits of the number beneath those of the row.
    const NUMBER_BITS: u32 = 56;

    /// The tile in which a node stands, its height in it and its place at that height.
    pub(crate) fn of(level: u32, index: u64) -> (Self, usize, usize) {
        let (row, height) = (level / TILE_HEIGHT, level % TILE_HEIGHT);
        // As shifts: a path asks for a tile more often than it hashes anything.
        let bits = TILE_HEIGHT - height;
        let place = usize::try_from(index & ((1 << bits) - 1)).unwrap_or_default();
        (Self { row, number: index >> bits }, height as usize, place)
    }

    /// The row that it stands in; that of the leaves is 0.
    pub(crate) fn row(self) -> usize {
        self.row as usize
    }

    /// The number under which it is stored.
    pub(crate) fn key(self) -> i64 {
        (i64::from(self.row) << Self::NUMBER_BITS) | i64::try_from(self.number).unwrap_or(i64::MAX)
    }

    /// The tile that is stored under this number.
    pub(crate) fn of_key(key: i64) -> Self {
        let row = u32::try_from(key >> Self::NUMBER_BITS).unwrap_or(u32::MAX);
        Self { row, number: key.unsigned_abs() & ((1 << Self::NUMBER_BITS) - 1) }
    }

    /// How many nodes its bottom level has when the log has `size` leaves.
    pub(crate) fn width(self, size: u64) -> usize {
        let in_row = size.checked_shr(self.row.saturating_mul(TILE_HEIGHT)).unwrap_or_default();
        let before = self.number.saturating_mul(TILE_WIDTH as u64);
        usize::try_from(in_row.saturating_sub(before)).unwrap_or(usize::MAX).min(TILE_WIDTH)
    }

    /// Level and index of the node that is the root of this tile once it is full.
    pub(crate) fn root(self) -> (u32, u64) {
        ((self.row + 1) * TILE_HEIGHT, self.number)
    }
}

/// The bottom nodes of a tile and those above them, level after level.
pub(crate) struct Tile {
    width: usize,
    nodes: Vec<Hash>,
}

impl Tile {
    pub(crate) fn new(bottom: &[Hash]) -> Self {
        let width = bottom.len();
        let mut nodes = Vec::with_capacity(2 * width);
        nodes.extend_from_slice(bottom);
        let (mut below, mut count) = (0, width);
        while count > 1 {
            for left in (below..).step_by(2).take(count / 2) {
                if let Some([left, right]) = nodes.get(left..left + 2) {
                    let above = node_hash(left, right);
                    nodes.push(above);
                }
            }
            (below, count) = (below + count, count / 2);
        }
        Self { width, nodes }
    }

    /// The bottom nodes one after another, as they are stored.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let (hashes, rest) = bytes.as_chunks::<32>();
        (rest.is_empty() && hashes.len() <= TILE_WIDTH).then(|| Self::new(hashes))
    }

    pub(crate) fn width(&self) -> usize {
        self.width
    }

    pub(crate) fn node(&self, height: usize, place: usize) -> Option<Hash> {
        let beneath: usize = (0..height).map(|height| self.width >> height).sum();
        self.nodes.get(beneath + place).filter(|_| place < self.width >> height).copied()
    }

    /// Root of a full tile.
    pub(crate) fn root(&self) -> Option<Hash> {
        self.node(TILE_HEIGHT as usize, 0)
    }
}

/// The right edge of a growing tree: the tile of each row that is not full.
#[derive(Clone, Default)]
pub(crate) struct Edge {
    size: u64,
    rows: Vec<Vec<Hash>>,
    /// Tiles that became full since they were last taken.
    full: Vec<(TileId, Vec<Hash>)>,
    /// Rows, from the lowest, that grew since they were last taken.
    grown: usize,
}

impl Edge {
    /// The edge of a tree of `size` leaves whose nodes are stored.
    pub(crate) fn of<N: Nodes>(nodes: &N, size: u64) -> Result<Self, N::Error> {
        let mut rows = Vec::new();
        for row in 0.. {
            let level = row * TILE_HEIGHT;
            let Some(count) = size.checked_shr(level).filter(|count| *count > 0) else { break };
            let first = count - count % TILE_WIDTH as u64;
            rows.push((first..count).map(|index| nodes.node(level, index)).collect::<Result<_, _>>()?);
        }
        Ok(Self { size, rows, ..Self::default() })
    }

    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf.
    pub(crate) fn push(&mut self, leaf: Hash) {
        let mut node = leaf;
        for row in 0.. {
            if self.rows.len() <= row {
                self.rows.push(Vec::with_capacity(TILE_WIDTH));
            }
            self.grown = self.grown.max(row + 1);
            let Some(tile) = self.rows.get_mut(row) else { break };
            tile.push(node);
            let Some(root) = Some(&*tile).filter(|tile| tile.len() == TILE_WIDTH).and_then(|tile| mth(tile))
            else {
                break;
            };
            let bottom = std::mem::replace(tile, Vec::with_capacity(TILE_WIDTH));
            self.full.push((self.tile(row), bottom));
            node = root;
        }
        self.size += 1;
    }

    /// The tile of a row that the next node of this row comes into.
    fn tile(&self, row: usize) -> TileId {
        let row = u32::try_from(row).unwrap_or(u32::MAX);
        let in_row = self.size.checked_shr(row.saturating_mul(TILE_HEIGHT)).unwrap_or_default();
        TileId { row, number: in_row / TILE_WIDTH as u64 }
    }

    /// The tiles that changed since the last call.
    pub(crate) fn take_changed(&mut self) -> Vec<(TileId, Vec<Hash>)> {
        let mut changed = std::mem::take(&mut self.full);
        let grown = std::mem::take(&mut self.grown);
        let partial = self.rows.iter().enumerate().take(grown).filter(|(_, tile)| !tile.is_empty());
        changed.extend(partial.map(|(row, tile)| (self.tile(row), tile.clone())));
        changed
    }

    /// Root of the tree: what is ragged beneath a row is one more node at the end of the row.
    pub(crate) fn root(&self) -> Hash {
        let mut ragged = None;
        for tile in &self.rows {
            let nodes: Vec<Hash> = tile.iter().copied().chain(ragged).collect();
            ragged = mth(&nodes);
        }
        ragged.unwrap_or_else(empty_root)
    }
}

/// MTH over nodes in place of leaves; `None` of none.
fn mth(nodes: &[Hash]) -> Option<Hash> {
    match nodes {
        [] => None,
        [node] => Some(*node),
        _ => {
            let (left, right) = nodes.split_at_checked(nodes.len().next_power_of_two() / 2)?;
            Some(node_hash(&mth(left)?, &mth(right)?))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, collections::HashMap, convert::Infallible};

    use ct_merkle::mem_backed_tree::MemoryBackedTree;

    use super::*;

    /// Tiles in memory, as a database would hold them.
    #[derive(Default)]
    struct Stored(RefCell<HashMap<i64, Vec<Hash>>>);

    impl Stored {
        fn take(&self, edge: &mut Edge) {
            let changed = edge.take_changed().into_iter().map(|(id, hashes)| (id.key(), hashes));
            self.0.borrow_mut().extend(changed);
        }
    }

    impl Nodes for Stored {
        type Error = Infallible;

        fn node(&self, level: u32, index: u64) -> Result<Hash, Infallible> {
            let (id, height, place) = TileId::of(level, index);
            Ok(Tile::new(&self.0.borrow()[&id.key()]).node(height, place).unwrap())
        }
    }

    fn leaf(number: u64) -> Vec<u8> {
        format!("leaf {number}").into_bytes()
    }

    fn hashes(proof: &[u8]) -> Vec<Hash> {
        proof.as_chunks::<32>().0.to_vec()
    }

    /// Compares with `ct-merkle`, which has its own notion of everything here.
    #[test]
    fn roots_and_proofs_are_those_of_another_implementation() {
        let (mut edge, stored, mut peer) =
            (Edge::default(), Stored::default(), MemoryBackedTree::<Sha256, Vec<u8>>::new());
        assert_eq!(edge.root(), empty_root());
        for size in 1..=1100 {
            edge.push(leaf_hash(&leaf(size - 1)));
            peer.push(leaf(size - 1));
            if size % 3 == 0 || size > 1020 {
                stored.take(&mut edge);
            }
            let expected: Hash = (*peer.root().as_bytes()).into();
            assert_eq!((edge.root(), edge.size()), (expected, size));
            if !(size <= 70 || size > 1020) {
                continue;
            }
            stored.take(&mut edge);
            assert_eq!(root(&stored, size).unwrap(), expected, "{size}");
            assert_eq!(Edge::of(&stored, size).unwrap().root(), expected);
            for index in [0, 1, size / 2, size - 1].into_iter().filter(|index| *index < size) {
                let proof = peer.prove_inclusion(usize::try_from(index).unwrap());
                let edge = RightEdge::of(&stored, size).unwrap();
                assert_eq!(
                    inclusion(&stored, &edge, index).unwrap(),
                    hashes(proof.as_bytes()),
                    "{index} of {size}"
                );
            }
            for first in [1, 2, size / 2, size - 1].into_iter().filter(|first| (1..size).contains(first)) {
                let proof = peer.prove_consistency(usize::try_from(size - first).unwrap());
                assert_eq!(
                    consistency(&stored, first, size).unwrap(),
                    hashes(proof.as_bytes()),
                    "{first} to {size}"
                );
            }
            assert!(consistency(&stored, size, size).unwrap().is_empty());
        }
    }

    #[test]
    fn an_older_root_is_found_in_the_tiles_of_a_newer_tree() {
        let (mut edge, stored, mut roots) = (Edge::default(), Stored::default(), vec![empty_root()]);
        for number in 0..200 {
            edge.push(leaf_hash(&leaf(number)));
            roots.push(edge.root());
        }
        stored.take(&mut edge);
        for (size, expected) in (0..).zip(roots) {
            assert_eq!(root(&stored, size).unwrap(), expected);
        }
    }

    #[test]
    fn an_edge_that_is_loaded_grows_like_the_one_that_was_saved() {
        for size in [0, 1, 31, 32, 33, 1023, 1024, 1025] {
            let (mut edge, stored) = (Edge::default(), Stored::default());
            (0..size).for_each(|number| edge.push(leaf_hash(&leaf(number))));
            stored.take(&mut edge);
            let mut loaded = Edge::of(&stored, size).unwrap();
            for number in size..size + 70 {
                edge.push(leaf_hash(&leaf(number)));
                loaded.push(leaf_hash(&leaf(number)));
                assert_eq!(edge.root(), loaded.root());
            }
            assert_eq!(edge.take_changed(), loaded.take_changed());
        }
    }

    #[test]
    fn stored_tiles_of_the_wrong_length_are_not_read() {
        assert!(Tile::read(&[0; 31]).is_none());
        assert!(Tile::read(&[0; 33 * 32]).is_none());
        assert_eq!(Tile::read(&[0; 32 * 32]).unwrap().width(), 32);
        assert!(Tile::read(&[0; 32 * 31]).unwrap().root().is_none());
    }
}
