//! The append-only log: leaves in SQLite, beside the rows they commit to, and their Merkle tree in memory.

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest, Sha256};

pub(crate) type Hash = [u8; 32];

pub(crate) const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS tlog (
    leaf_index INTEGER PRIMARY KEY,
    leaf_hash BLOB NOT NULL,
    leaf BLOB NOT NULL
)";

/// Why the stored log is not served.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// A row points beyond the end of the log: leaves are gone.
    #[error("an event row points to leaf {found}, but the log has {size}")]
    EventBeyondLog {
        /// Leaves in the log.
        size: u64,
        /// Index in the row.
        found: i64,
    },
    /// A leaf is missing, or there is one too many.
    #[error("expected leaf {expected} in the log, found {found}")]
    Gap {
        /// Index that comes next.
        expected: u64,
        /// Index of the record.
        found: i64,
    },
    /// A stored leaf hash is not that of the stored leaf.
    #[error("leaf {index} does not hash to its stored leaf hash")]
    HashMismatch {
        /// Index of the leaf.
        index: u64,
    },
    /// The page ends before it should.
    #[error("expected leaves up to {expected}, found them up to {found}")]
    Short {
        /// End of the page.
        expected: u64,
        /// Where it ended.
        found: u64,
    },
    /// The database failed.
    #[error("log cannot be read")]
    Sqlite(#[from] rusqlite::Error),
}

/// One leaf as `/tlog/range` serves it.
pub(crate) struct Entry {
    pub(crate) index: u64,
    pub(crate) leaf_hash: Hash,
    pub(crate) leaf: Vec<u8>,
}

pub(crate) struct Log {
    tree: MemoryBackedTree<Sha256, Vec<u8>>,
}

impl Log {
    /// Reads every leaf again and believes none of the stored hashes.
    pub(crate) fn load(connection: &Connection) -> Result<Self, LogError> {
        let mut log = Self { tree: MemoryBackedTree::new() };
        for entry in entries(connection, 0, i64::MAX)? {
            log.extend(entry.leaf);
        }
        log.covers_events(connection)?;
        Ok(log)
    }

    pub(crate) fn size(&self) -> u64 {
        self.tree.len()
    }

    pub(crate) fn root(&self) -> Hash {
        root(&self.tree)
    }

    /// Root of the tree over the first `size` leaves.
    pub(crate) fn root_at(&self, size: u64) -> Hash {
        let mut tree = MemoryBackedTree::<Sha256, &[u8]>::new();
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        self.tree.items().iter().take(size).for_each(|leaf| tree.push(leaf.as_slice()));
        root(&tree)
    }

    pub(crate) fn leaves(&self) -> &[Vec<u8>] {
        self.tree.items()
    }

    pub(crate) fn leaf(&self, index: u64) -> Option<&[u8]> {
        self.tree.get(usize::try_from(index).ok()?).map(Vec::as_slice)
    }

    /// Siblings from the leaf upwards (RFC 6962, section 2.1.1).
    pub(crate) fn inclusion(&self, index: u64) -> Option<Vec<Hash>> {
        let position = usize::try_from(index).ok().filter(|_| index < self.size())?;
        let proof = self.tree.prove_inclusion(position);
        proof.as_bytes().chunks_exact(32).map(|hash| hash.try_into().ok()).collect()
    }

    /// The proof that the first `first` leaves are the beginning of the first `second`; `first` is not zero.
    pub(crate) fn consistency(&self, first: u64, second: u64) -> Option<Vec<Hash>> {
        if first == 0 || first > second || second > self.size() {
            return None;
        }
        let added = usize::try_from(second - first).ok().filter(|added| *added > 0);
        let Some(added) = added else { return Some(Vec::new()) };
        let mut tree = MemoryBackedTree::<Sha256, &[u8]>::new();
        let second = usize::try_from(second).unwrap_or(usize::MAX);
        self.tree.items().iter().take(second).for_each(|leaf| tree.push(leaf.as_slice()));
        let proof = tree.prove_consistency(added);
        proof.as_bytes().chunks_exact(32).map(|hash| hash.try_into().ok()).collect()
    }

    /// A page of leaves out of the database, hashed again and compared with the tree.
    pub(crate) fn range(
        &self,
        connection: &Connection,
        start: u64,
        limit: u64,
    ) -> Result<Vec<Entry>, LogError> {
        let end = start.saturating_add(limit).min(self.size());
        if start >= end {
            return Ok(Vec::new());
        }
        let page = entries(connection, start, i64::try_from(end - start).unwrap_or(i64::MAX))?;
        let found = page.last().map_or(start, |entry| entry.index + 1);
        if found != end {
            return Err(LogError::Short { expected: end, found });
        }
        match page.iter().find(|entry| self.leaf(entry.index) != Some(&entry.leaf)) {
            Some(entry) => Err(LogError::HashMismatch { index: entry.index }),
            None => Ok(page),
        }
    }

    /// Follows a leaf that has been committed.
    pub(crate) fn extend(&mut self, leaf: Vec<u8>) {
        self.tree.push(leaf);
    }

    fn covers_events(&self, connection: &Connection) -> Result<(), LogError> {
        let last = connection.query_row("SELECT max(tlog_index) FROM events", [], |row| row.get(0));
        match last.optional()?.flatten() {
            Some(found) if u64::try_from(found).is_ok_and(|index| index >= self.size()) => {
                Err(LogError::EventBeyondLog { size: self.size(), found })
            }
            _ => Ok(()),
        }
    }
}

/// A log that is not what it was: only the faults `log-*` make one.
#[derive(Clone, Copy)]
pub(crate) enum Tampering {
    /// The first leaf is another one.
    FirstRewritten,
    /// The last two leaves change places.
    Swapped,
}

impl Log {
    /// Changes what is stored, and reads it again.
    pub(crate) fn tamper(&mut self, connection: &Connection, how: Tampering) -> rusqlite::Result<()> {
        let mut leaves = self.leaves().to_vec();
        match how {
            Tampering::FirstRewritten => {
                if let Some(first) = leaves.first_mut() {
                    *first = String::from_utf8_lossy(first)
                        .replace("\"n_beacons\":2", "\"n_beacons\":1")
                        .into_bytes();
                }
            }
            Tampering::Swapped => {
                let count = leaves.len();
                leaves.get_mut(count.saturating_sub(2)..).into_iter().for_each(<[_]>::reverse);
            }
        }
        connection.execute("DELETE FROM tlog", [])?;
        self.tree = MemoryBackedTree::new();
        for (index, leaf) in (0..).zip(leaves) {
            insert(connection, index, &leaf)?;
            self.extend(leaf);
        }
        Ok(())
    }
}

/// A Merkle tree that is not that of RFC 6962: only the faults `tree-*` make one.
#[derive(Clone, Copy)]
pub(crate) struct OtherTree {
    pub(crate) leaf_prefix: &'static [u8],
    pub(crate) node_prefix: &'static [u8],
    pub(crate) repeats_odd: bool,
}

impl OtherTree {
    /// Level by level; an odd node goes up as it is, or with itself as its sibling.
    pub(crate) fn root(self, leaves: &[Vec<u8>]) -> Hash {
        let leaf = |leaf: &Vec<u8>| {
            Sha256::new().chain_update(self.leaf_prefix).chain_update(leaf).finalize().into()
        };
        let mut level: Vec<Hash> = leaves.iter().map(leaf).collect();
        while level.len() > 1 {
            level = level.chunks(2).map(|pair| self.node(pair)).collect();
        }
        level.first().copied().unwrap_or_else(|| Sha256::digest(b"").into())
    }

    fn node(self, pair: &[Hash]) -> Hash {
        let node = |left: &Hash, right: &Hash| -> Hash {
            Sha256::new()
                .chain_update(self.node_prefix)
                .chain_update(left)
                .chain_update(right)
                .finalize()
                .into()
        };
        match pair {
            [left, right] => node(left, right),
            [odd] if self.repeats_odd => node(odd, odd),
            [odd, ..] => *odd,
            [] => Hash::default(),
        }
    }
}

/// Writes a leaf within the caller's transaction.
pub(crate) fn insert(connection: &Connection, index: u64, leaf: &[u8]) -> rusqlite::Result<()> {
    let index =
        i64::try_from(index).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    connection
        .prepare_cached("INSERT INTO tlog (leaf_index, leaf_hash, leaf) VALUES (?1, ?2, ?3)")?
        .execute(params![index, leaf_hash(leaf), leaf])?;
    Ok(())
}

/// SHA-256(0x00 || leaf) (RFC 6962, section 2.1).
pub(crate) fn leaf_hash(leaf: &[u8]) -> Hash {
    Sha256::new().chain_update([0]).chain_update(leaf).finalize().into()
}

fn root<T: ct_merkle::HashableLeaf>(tree: &MemoryBackedTree<Sha256, T>) -> Hash {
    if tree.is_empty() { Sha256::digest(b"").into() } else { (*tree.root().as_bytes()).into() }
}

fn entries(connection: &Connection, start: u64, limit: i64) -> Result<Vec<Entry>, LogError> {
    let first = i64::try_from(start).unwrap_or(i64::MAX);
    let mut statement = connection.prepare_cached(
        "SELECT leaf_index, leaf_hash, leaf FROM tlog WHERE leaf_index >= ?1 OR ?1 = 0 ORDER BY leaf_index LIMIT ?2",
    )?;
    let rows =
        statement.query_map(params![first, limit], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    (start..).zip(rows).map(|(expected, row)| checked(expected, row?)).collect()
}

fn checked(expected: u64, (found, stored, leaf): (i64, Vec<u8>, Vec<u8>)) -> Result<Entry, LogError> {
    if u64::try_from(found) != Ok(expected) {
        return Err(LogError::Gap { expected, found });
    }
    let leaf_hash = leaf_hash(&leaf);
    if stored != leaf_hash {
        return Err(LogError::HashMismatch { index: expected });
    }
    Ok(Entry { index: expected, leaf_hash, leaf })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log_of(leaves: &[&[u8]]) -> Log {
        let mut log = Log { tree: MemoryBackedTree::new() };
        leaves.iter().for_each(|leaf| log.extend(leaf.to_vec()));
        log
    }

    /// RFC 6962, section 2.1, word for word.
    fn naive_root(leaves: &[&[u8]]) -> Hash {
        match leaves {
            [] => Sha256::digest(b"").into(),
            [leaf] => leaf_hash(leaf),
            _ => {
                let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
                node(&naive_root(left), &naive_root(right))
            }
        }
    }

    fn node(left: &Hash, right: &Hash) -> Hash {
        Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
    }

    /// RFC 9162, section 2.1.3.2.
    fn root_from(index: u64, size: u64, leaf: Hash, path: &[Hash]) -> Hash {
        let (mut position, mut last, mut hash) = (index, size - 1, leaf);
        for sibling in path {
            if position % 2 == 1 || position == last {
                hash = node(sibling, &hash);
                while position % 2 == 0 && position != 0 {
                    (position, last) = (position >> 1, last >> 1);
                }
            } else {
                hash = node(&hash, sibling);
            }
            (position, last) = (position >> 1, last >> 1);
        }
        assert_eq!(last, 0);
        hash
    }

    #[test]
    fn roots_and_paths_are_those_of_the_rfc() {
        let leaves: Vec<Vec<u8>> = (0..20).map(|number| format!("leaf {number}").into_bytes()).collect();
        let leaves: Vec<&[u8]> = leaves.iter().map(Vec::as_slice).collect();
        for size in 0..=leaves.len() {
            let log = log_of(&leaves[..size]);
            assert_eq!(log.root(), naive_root(&leaves[..size]));
            for (index, leaf) in (0u64..).zip(&leaves[..size]) {
                let path = log.inclusion(index).unwrap();
                assert_eq!(root_from(index, log.size(), leaf_hash(leaf), &path), log.root());
            }
            assert_eq!(log.inclusion(log.size()), None);
        }
        assert_eq!(log_of(&leaves).root_at(7), naive_root(&leaves[..7]));
    }

    fn stored(leaves: &[&[u8]]) -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(SCHEMA).unwrap();
        connection.execute_batch("CREATE TABLE events (tlog_index INTEGER)").unwrap();
        (0..).zip(leaves).for_each(|(index, leaf)| insert(&connection, index, leaf).unwrap());
        connection
    }

    #[test]
    fn a_stored_log_is_read_again_and_paged() {
        let connection = stored(&[b"a", b"b", b"c"]);
        let log = Log::load(&connection).unwrap();
        assert_eq!(log.root(), naive_root(&[b"a", b"b", b"c"]));
        let page = |start, limit| log.range(&connection, start, limit).unwrap();
        assert_eq!(page(1, 1).iter().map(|entry| entry.index).collect::<Vec<_>>(), [1]);
        assert_eq!((page(0, 9).len(), page(3, 9).len(), page(u64::MAX, 9).len()), (3, 0, 0));
    }

    #[test]
    fn a_damaged_log_is_neither_loaded_nor_served() {
        let damages = [
            "UPDATE tlog SET leaf = x'00' WHERE leaf_index = 1",
            "UPDATE tlog SET leaf_hash = x'00' WHERE leaf_index = 1",
            "DELETE FROM tlog WHERE leaf_index = 1",
            "UPDATE tlog SET leaf_index = -1 WHERE leaf_index = 0",
        ];
        for damage in damages {
            let connection = stored(&[b"a", b"b", b"c"]);
            let log = Log::load(&connection).unwrap();
            connection.execute_batch(damage).unwrap();
            assert!(log.range(&connection, 0, 500).is_err(), "{damage}");
            assert!(Log::load(&connection).is_err(), "{damage}");
        }
    }

    #[test]
    fn a_shortened_or_replaced_log_is_noticed_while_serving() {
        let connection = stored(&[b"a", b"b", b"c"]);
        let log = Log::load(&connection).unwrap();
        connection.execute_batch("DELETE FROM tlog WHERE leaf_index = 2").unwrap();
        assert!(matches!(log.range(&connection, 0, 500), Err(LogError::Short { expected: 3, found: 2 })));
        insert(&connection, 2, b"other").unwrap();
        assert!(matches!(log.range(&connection, 0, 500), Err(LogError::HashMismatch { index: 2 })));
    }

    #[test]
    fn an_event_without_its_leaf_is_noticed_at_start() {
        let connection = stored(&[b"a"]);
        connection.execute_batch("INSERT INTO events VALUES (1)").unwrap();
        assert!(matches!(Log::load(&connection), Err(LogError::EventBeyondLog { size: 1, found: 1 })));
    }
}
