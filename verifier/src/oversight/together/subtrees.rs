//! What the inclusion proofs of several bundles say about one log: trees of any two sizes have every perfect subtree in common that both
//! hold whole (RFC 9162 section 2.1.1), so that two hashes of one of them are of two logs.
//!
//! ```text
//! a tree of 6         leaf 3 is proven: fixes leaf 2, leaf 3, [2,4), [0,2), [0,4), [4,6)
//! a tree of 9         leaf 4 is proven: fixes leaf 4, leaf 5, [4,6), [6,8), [4,8), [0,4), [0,8), leaf 8
//! both                must have one hash of [0,4) and one of [4,6)
//! ```

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use crate::hash::{Hash, PublicKey};
use crate::merkle::fixed_subtrees;
use crate::prover::InclusionPath;

/// A perfect subtree, as the first document fixed it.
#[derive(Debug)]
struct Fixed {
    hash: Hash,
    path: Arc<str>,
}

/// A subtree of which two documents have two hashes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Conflict {
    /// It has 2^level leaves.
    pub(super) level: u32,
    /// Place among those of that level, from 0.
    pub(super) place: u64,
    /// The hash that was known, and the one that was found.
    pub(super) hashes: [Hash; 2],
    /// The document that it was known from.
    pub(super) path: Arc<str>,
}

/// The subtrees that are remembered, by key. When there are too many, the smallest ones are forgotten: what lies in them is still
/// compared where a larger one that holds them is whole.
#[derive(Debug)]
pub(super) struct Subtrees {
    most: usize,
    count: usize,
    /// Smaller ones than those of 2^floor leaves are not remembered.
    floor: u32,
    fixed: BTreeMap<PublicKey, BTreeMap<(u32, u64), Fixed>>,
}

impl Subtrees {
    /// One that remembers so many, and none yet.
    pub(super) fn new(most: usize) -> Self {
        Self { most, count: 0, floor: 0, fixed: BTreeMap::new() }
    }

    /// Of how many leaves the largest subtrees are that were forgotten, as a power of two; `None` where none was.
    pub(super) fn forgotten(&self) -> Option<u32> {
        self.floor.checked_sub(1)
    }

    /// Takes proofs that hold against heads that `key` signed; gives the smallest subtree that is known otherwise.
    pub(super) fn add(
        &mut self,
        key: PublicKey,
        path: &Arc<str>,
        proofs: &[InclusionPath],
    ) -> Option<Conflict> {
        let mut conflict: Option<Conflict> = None;
        for proof in proofs {
            let InclusionPath { index, leaf_hash, path: siblings, head } = proof;
            fixed_subtrees(*index, leaf_hash, siblings, head.size, |at, hash| {
                let found = self.compare(key, at, hash, path);
                let is_smaller = |before: &Conflict| at < (before.level, before.place);
                if found.is_some() && conflict.as_ref().is_none_or(is_smaller) {
                    conflict = found;
                }
            });
        }
        conflict
    }

    fn compare(&mut self, key: PublicKey, at: (u32, u64), hash: &Hash, path: &Arc<str>) -> Option<Conflict> {
        if at.0 < self.floor {
            return None;
        }
        match self.fixed.entry(key).or_default().entry(at) {
            Entry::Occupied(entry) => {
                let known = entry.get();
                return (known.hash != *hash).then(|| Conflict {
                    level: at.0,
                    place: at.1,
                    hashes: [known.hash, *hash],
                    path: known.path.clone(),
                });
            }
            Entry::Vacant(entry) => {
                entry.insert(Fixed { hash: *hash, path: path.clone() });
            }
        }
        self.count += 1;
        while self.count > self.most {
            self.forget();
        }
        None
    }

    /// Forgets the smallest ones.
    fn forget(&mut self) {
        self.floor += 1;
        for fixed in self.fixed.values_mut() {
            *fixed = fixed.split_off(&(self.floor, 0));
        }
        self.fixed.retain(|_, fixed| !fixed.is_empty());
        self.count = self.fixed.values().map(BTreeMap::len).sum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merkle::leaf_hash;
    use crate::{ProofRequest, Prover};

    /// Proofs of the leaves at these indexes, in the tree of `size` leaves of a log whose leaf at `other` is another one.
    fn proofs(size: u64, indexes: &[u64], other: Option<u64>) -> Vec<InclusionPath> {
        let mut prover =
            Prover::new(indexes.iter().map(|index| ProofRequest::Inclusion { index: *index, size: None }));
        for index in 0..size {
            let data = if other == Some(index) { index + 1_000 } else { index };
            prover.push(leaf_hash(&data.to_be_bytes()));
        }
        let made = prover.finish().into_iter().map(|proof| match proof {
            Ok(crate::Proof::Inclusion(path)) => path,
            other => panic!("{other:?}"),
        });
        made.collect()
    }

    fn key(number: u8) -> PublicKey {
        PublicKey([number; 32])
    }

    #[test]
    fn one_log_never_contradicts_itself_and_another_one_does_where_both_are_whole() {
        for (old, new) in (1..20).flat_map(|old| (1..20).map(move |new| (old, new))) {
            let mut known = Subtrees::new(1_000);
            let everything: Vec<u64> = (0..old).collect();
            assert_eq!(known.add(key(1), &"a".into(), &proofs(old, &everything, None)), None);
            for index in 0..new {
                assert_eq!(known.add(key(1), &"b".into(), &proofs(new, &[index], None)), None);
            }
            for other in 0..old.min(new) {
                let mut known = Subtrees::new(1_000);
                known.add(key(1), &"a".into(), &proofs(old, &everything, None));
                let conflict = known.add(key(1), &"b".into(), &proofs(new, &[other], Some(other)));
                let conflict = conflict.unwrap_or_else(|| panic!("{other} of {old} and {new}"));
                assert_eq!((conflict.level, conflict.place, &*conflict.path), (0, other, "a"));
                assert_eq!(known.add(key(2), &"b".into(), &proofs(new, &[other], Some(other))), None);
            }
        }
    }

    /// Neither proof is of the leaf that differs.
    #[test]
    fn a_leaf_that_nobody_shows_is_noticed_by_the_subtree_that_holds_it() {
        let mut known = Subtrees::new(1_000);
        assert_eq!(known.add(key(1), &"a".into(), &proofs(6, &[3], None)), None);
        let conflict = known.add(key(1), &"b".into(), &proofs(9, &[4], Some(0))).unwrap();
        assert_eq!((conflict.level, conflict.place), (2, 0));
    }

    #[test]
    fn what_is_remembered_is_bounded_and_small_subtrees_go_first() {
        let mut known = Subtrees::new(100);
        let everything: Vec<u64> = (0..256).collect();
        assert_eq!(known.add(key(1), &"a".into(), &proofs(256, &everything, None)), None);
        assert!(known.count <= 100 && known.count == known.fixed.values().map(BTreeMap::len).sum::<usize>());
        assert_eq!(known.forgotten(), Some(2));
        let conflict = known.add(key(1), &"b".into(), &proofs(300, &[7], Some(7))).unwrap();
        assert_eq!((conflict.level, conflict.place), (3, 0));
        assert_eq!(Subtrees::new(100).forgotten(), None);
    }
}
