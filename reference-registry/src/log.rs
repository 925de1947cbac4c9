//! The append-only log: leaves and interior nodes in SQLite, beside the rows that they commit to.
//!
//! Whoever reads, reads within one snapshot of the database, so that size, root, proofs and leaves belong together. Nothing that is
//! stored is believed: a tile must lead to the node above it, a leaf must hash to its node.

use std::{
    cell::{OnceCell, RefCell},
    collections::HashMap,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest, Sha256};

use crate::merkle::{self, Edge, Hash, Nodes, RightEdge, Tile, TileId, leaf_hash};

pub(crate) const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS tlog (leaf_index INTEGER PRIMARY KEY, leaf_hash BLOB NOT NULL, leaf BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS tlog_nodes (tile INTEGER PRIMARY KEY, hashes BLOB NOT NULL);
";

/// Leaves at the end of the log that are hashed again before the registry starts; those before are hashed while it serves.
const CHECKED_AT_START: u64 = 1 << 16;

/// Rows of tiles that a log can have whose size is a number of 64 bits.
const ROWS: usize = u64::BITS.div_ceil(merkle::TILE_HEIGHT) as usize;

/// Rows of events, newest first, whose leaves must exist before the registry starts.
const EVENTS_AT_START: u32 = 1000;

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
    /// A stored leaf hash is not that of the stored leaf, or not that in the tree.
    #[error("leaf {index} does not hash to its stored leaf hash")]
    HashMismatch {
        /// Index of the leaf.
        index: u64,
    },
    /// An interior node is missing, or those beneath it do not lead to it.
    #[error("node {index} of level {level} is missing or is not that of the nodes beneath it")]
    Node {
        /// Level of the node; leaves are level 0.
        level: u32,
        /// Place of the node in its level, from the left.
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

/// Full tiles that were read lately. They never change, so all snapshots share them.
#[derive(Default)]
pub(crate) struct TileCache(Mutex<Tiles>);

/// Tiles in two generations. A full one becomes the older one and the one before it is forgotten; what is found in the older one goes
/// into the newer. So the tiles near the root, which every proof needs, stay.
#[derive(Default)]
struct Tiles {
    newer: HashMap<TileId, Arc<Tile>>,
    older: HashMap<TileId, Arc<Tile>>,
}

impl TileCache {
    /// Tiles of a generation: a bound on memory, at about 2 KiB a tile.
    const MAX_TILES: usize = 2048;

    fn find(&self, id: TileId) -> Option<Arc<Tile>> {
        let mut tiles = self.held();
        let found = tiles.newer.get(&id).cloned();
        found.or_else(|| tiles.older.remove(&id).inspect(|tile| tiles.keep(id, tile)))
    }

    fn keep(&self, id: TileId, tile: &Arc<Tile>) {
        self.held().keep(id, tile);
    }

    pub(crate) fn clear(&self) {
        *self.held() = Tiles::default();
    }

    fn held(&self) -> MutexGuard<'_, Tiles> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tiles {
    fn keep(&mut self, id: TileId, tile: &Arc<Tile>) {
        if self.newer.len() >= TileCache::MAX_TILES {
            self.older = mem::take(&mut self.newer);
        }
        self.newer.insert(id, Arc::clone(tile));
    }
}

/// A tile that was read, and which.
type Known = (TileId, Arc<Tile>);

/// The log as one snapshot of the database has it.
pub(crate) struct Log<'c> {
    connection: &'c Connection,
    cache: &'c TileCache,
    /// Tiles of the right edge that were read already: they are those of this snapshot only.
    partial: RefCell<HashMap<TileId, Arc<Tile>>>,
    /// The tile of each row that was asked for last: five siblings of a path, and the leaves of a page, stand in one, and neighbouring
    /// paths meet in the upper ones.
    last: RefCell<[Option<Known>; ROWS]>,
    right_edge: OnceCell<RightEdge>,
    size: u64,
}

impl<'c> Log<'c> {
    /// The log within the transaction that the connection is in.
    pub(crate) fn at(connection: &'c Connection, cache: &'c TileCache) -> Result<Self, LogError> {
        let last: Option<i64> =
            connection.prepare_cached("SELECT max(leaf_index) FROM tlog")?.query_row([], |row| row.get(0))?;
        let size = last.map_or(Ok(0), |last| match u64::try_from(last) {
            Ok(last) => Ok(last + 1),
            Err(_) => Err(LogError::Gap { expected: 0, found: last }),
        })?;
        let (partial, last, right_edge) = (RefCell::default(), RefCell::default(), OnceCell::new());
        Ok(Self { connection, cache, partial, last, right_edge, size })
    }

    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    pub(crate) fn root(&self) -> Result<Hash, LogError> {
        merkle::root(self, self.size)
    }

    /// Root of the tree over the first `size` leaves, or over all if there are fewer.
    pub(crate) fn root_at(&self, size: u64) -> Result<Hash, LogError> {
        merkle::root(self, size.min(self.size))
    }

    pub(crate) fn edge(&self) -> Result<Edge, LogError> {
        Edge::of(self, self.size)
    }

    /// Leaf hash, and siblings from the leaf upwards; `None` beyond the end.
    pub(crate) fn inclusion(&self, index: u64) -> Result<Option<(Hash, Vec<Hash>)>, LogError> {
        match index < self.size {
            true => Ok(Some((self.node(0, index)?, merkle::inclusion(self, self.right_edge()?, index)?))),
            false => Ok(None),
        }
    }

    fn right_edge(&self) -> Result<&RightEdge, LogError> {
        if let Some(edge) = self.right_edge.get() {
            return Ok(edge);
        }
        let edge = RightEdge::of(self, self.size)?;
        Ok(self.right_edge.get_or_init(|| edge))
    }

    /// The proof that the first `first` leaves are the beginning of the first `second`; `None` beyond the end.
    pub(crate) fn consistency(&self, first: u64, second: u64) -> Result<Option<Vec<Hash>>, LogError> {
        match first >= 1 && first <= second && second <= self.size {
            true => merkle::consistency(self, first, second).map(Some),
            false => Ok(None),
        }
    }

    /// The bytes of a leaf, which must be the ones in the tree; `None` beyond the end.
    pub(crate) fn leaf(&self, index: u64) -> Result<Option<Vec<u8>>, LogError> {
        let mut leaf = None;
        self.range(index, 1, |_, _, bytes| leaf = Some(bytes.to_vec()))?;
        Ok(leaf)
    }

    /// Every leaf, for faults whose trees are of another shape.
    pub(crate) fn leaves(&self) -> Result<Vec<Vec<u8>>, LogError> {
        let mut leaves = Vec::new();
        self.range(0, self.size, |_, _, leaf| leaves.push(leaf.to_vec()))?;
        Ok(leaves)
    }

    /// Gives index, leaf hash and bytes of each leaf of a page, hashed again and compared with the tree.
    pub(crate) fn range(
        &self,
        start: u64,
        limit: u64,
        mut each: impl FnMut(u64, &Hash, &[u8]),
    ) -> Result<(), LogError> {
        let end = start.saturating_add(limit).min(self.size);
        if start >= end {
            return Ok(());
        }
        // From the first page on, so that an index below zero is met too.
        let first = if start == 0 { i64::MIN } else { i64::try_from(start).unwrap_or(i64::MAX) };
        let mut statement = self.connection.prepare_cached(
            "SELECT leaf_index, leaf_hash, leaf FROM tlog WHERE leaf_index >= ?1 ORDER BY leaf_index LIMIT ?2",
        )?;
        let mut rows = statement.query(params![first, i64::try_from(end - start).unwrap_or(i64::MAX)])?;
        let mut expected = start;
        while let Some(row) = rows.next()? {
            let (found, stored, leaf) = (row.get(0)?, row.get_ref(1)?.as_blob(), row.get_ref(2)?.as_blob());
            if u64::try_from(found) != Ok(expected) {
                return Err(LogError::Gap { expected, found });
            }
            let mismatch = LogError::HashMismatch { index: expected };
            let (Ok(stored), Ok(leaf)) = (stored, leaf) else { return Err(mismatch) };
            let hash = leaf_hash(leaf);
            if stored != hash || self.node(0, expected)? != hash {
                return Err(mismatch);
            }
            each(expected, &hash, leaf);
            expected += 1;
        }
        if expected == end { Ok(()) } else { Err(LogError::Short { expected: end, found: expected }) }
    }

    fn tile(&self, id: TileId) -> Result<Arc<Tile>, LogError> {
        let width = id.width(self.size);
        let tile = match width == merkle::TILE_WIDTH {
            true => self.full(id)?,
            false => self.partial(id, width)?,
        };
        if let Some(last) = self.last.borrow_mut().get_mut(id.row()) {
            *last = Some((id, Arc::clone(&tile)));
        }
        Ok(tile)
    }

    fn full(&self, id: TileId) -> Result<Arc<Tile>, LogError> {
        if let Some(tile) = self.cache.find(id) {
            return Ok(tile);
        }
        let tile = self.read(id, merkle::TILE_WIDTH)?;
        self.cache.keep(id, &tile);
        Ok(tile)
    }

    fn partial(&self, id: TileId, width: usize) -> Result<Arc<Tile>, LogError> {
        let known = self.partial.borrow().get(&id).cloned();
        let tile = known.map_or_else(|| self.read(id, width), Ok)?;
        self.partial.borrow_mut().insert(id, Arc::clone(&tile));
        Ok(tile)
    }

    /// A node of the tile of its row that was asked for last.
    fn near(&self, id: TileId, height: usize, place: usize) -> Option<Hash> {
        let last = self.last.borrow();
        let (_, tile) = last.get(id.row())?.as_ref().filter(|(last, _)| *last == id)?;
        tile.node(height, place)
    }

    /// A full tile must lead to the node above it, and so on up to the right edge, out of which the root is made.
    fn read(&self, id: TileId, width: usize) -> Result<Arc<Tile>, LogError> {
        let (level, index) = id.root();
        let mut statement =
            self.connection.prepare_cached("SELECT hashes FROM tlog_nodes WHERE tile = ?1")?;
        let tile = statement
            .query_row([id.key()], |row| Ok(row.get_ref(0)?.as_blob().ok().and_then(Tile::read)))
            .optional()?
            .flatten()
            .filter(|tile| tile.width() == width)
            .ok_or(LogError::Node { level, index })?;
        match tile.root() {
            Some(root) if root != self.node(level, index)? => Err(LogError::Node { level, index }),
            _ => Ok(Arc::new(tile)),
        }
    }

    /// What is checked before the registry starts: that no event is without its leaf, and that the end of the log is whole.
    pub(crate) fn check_end(&self) -> Result<(), LogError> {
        let last: Option<i64> = self.connection.query_row(
            "SELECT max(tlog_index) FROM (SELECT tlog_index FROM events ORDER BY id DESC LIMIT ?1)",
            [EVENTS_AT_START],
            |row| row.get(0),
        )?;
        if let Some(found) = last.filter(|found| u64::try_from(*found).is_ok_and(|index| index >= self.size))
        {
            return Err(LogError::EventBeyondLog { size: self.size, found });
        }
        self.check(self.size.saturating_sub(CHECKED_AT_START), self.size)?;
        self.ends_where_its_nodes_end()
    }

    /// Tiles beyond the last leaf tell of leaves that are gone.
    pub(crate) fn ends_where_its_nodes_end(&self) -> Result<(), LogError> {
        let (above, ..) = TileId::of(merkle::TILE_HEIGHT, 0);
        let last: Option<i64> = self.connection.query_row(
            "SELECT max(tile) FROM tlog_nodes WHERE tile < ?1",
            [above.key()],
            |row| row.get(0),
        )?;
        let tiles = last.map_or(0, |last| u64::try_from(last).unwrap_or_default() + 1);
        let width = merkle::TILE_WIDTH as u64;
        match tiles == self.size.div_ceil(width) {
            true => Ok(()),
            false => Err(LogError::Short { expected: tiles * width, found: self.size }),
        }
    }

    /// Hashes a part of the log again.
    pub(crate) fn check(&self, start: u64, end: u64) -> Result<(), LogError> {
        self.range(start, end.saturating_sub(start), |_, _, _| ())
    }
}

impl Nodes for Log<'_> {
    type Error = LogError;

    fn node(&self, level: u32, index: u64) -> Result<Hash, LogError> {
        let (id, height, place) = TileId::of(level, index);
        match self.near(id, height, place) {
            Some(node) => Ok(node),
            None => self.tile(id)?.node(height, place).ok_or(LogError::Node { level, index }),
        }
    }
}

/// Makes the interior nodes of a log that has none: it was taken over from a registry that keeps no nodes, or from a file.
pub(crate) fn build_nodes(connection: &Connection) -> Result<(), LogError> {
    let has_nodes = connection.query_row("SELECT EXISTS (SELECT 1 FROM tlog_nodes)", [], |row| row.get(0))?;
    if has_nodes {
        return Ok(());
    }
    let mut edge = Edge::default();
    let mut statement = connection.prepare("SELECT leaf_index, leaf FROM tlog ORDER BY leaf_index")?;
    let mut leaves = statement.query([])?;
    while let Some(row) = leaves.next()? {
        let (found, leaf): (i64, Vec<u8>) = (row.get(0)?, row.get(1)?);
        if u64::try_from(found) != Ok(edge.size()) {
            return Err(LogError::Gap { expected: edge.size(), found });
        }
        edge.push(leaf_hash(&leaf));
        if edge.size().is_multiple_of(4096) {
            write_nodes(connection, &mut edge)?;
        }
    }
    write_nodes(connection, &mut edge)?;
    Ok(())
}

/// Writes a leaf within the caller's transaction; its nodes follow with [`write_nodes`].
pub(crate) fn insert(connection: &Connection, index: u64, leaf: &[u8]) -> rusqlite::Result<Hash> {
    let index =
        i64::try_from(index).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    let hash = leaf_hash(leaf);
    connection
        .prepare_cached("INSERT INTO tlog (leaf_index, leaf_hash, leaf) VALUES (?1, ?2, ?3)")?
        .execute(params![index, hash, leaf])?;
    Ok(hash)
}

/// Writes the tiles that changed, within the caller's transaction.
pub(crate) fn write_nodes(connection: &Connection, edge: &mut Edge) -> rusqlite::Result<()> {
    let mut statement =
        connection.prepare_cached("INSERT OR REPLACE INTO tlog_nodes (tile, hashes) VALUES (?1, ?2)")?;
    for (id, hashes) in edge.take_changed() {
        statement.execute(params![id.key(), hashes.as_flattened()])?;
    }
    Ok(())
}

/// A log that is not what it was: only the faults `log-*` make one.
#[derive(Clone, Copy)]
pub(crate) enum Tampering {
    /// The first leaf is another one.
    FirstRewritten,
    /// The last two leaves change places.
    Swapped,
}

/// Changes what is stored, within the caller's transaction, and gives the edge of the tree that it is now.
pub(crate) fn tamper(
    connection: &Connection,
    mut leaves: Vec<Vec<u8>>,
    how: Tampering,
) -> rusqlite::Result<Edge> {
    match how {
        Tampering::FirstRewritten => {
            if let Some(first) = leaves.first_mut() {
                *first =
                    String::from_utf8_lossy(first).replace("\"n_beacons\":2", "\"n_beacons\":1").into_bytes();
            }
        }
        Tampering::Swapped => {
            let count = leaves.len();
            leaves.get_mut(count.saturating_sub(2)..).into_iter().for_each(<[_]>::reverse);
        }
    }
    connection.execute_batch("DELETE FROM tlog; DELETE FROM tlog_nodes")?;
    let mut edge = Edge::default();
    for (index, leaf) in (0..).zip(&leaves) {
        edge.push(insert(connection, index, leaf)?);
    }
    write_nodes(connection, &mut edge)?;
    Ok(edge)
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
        level.first().copied().unwrap_or_else(merkle::empty_root)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(leaves: &[&[u8]]) -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(SCHEMA).unwrap();
        connection.execute_batch("CREATE TABLE events (id INTEGER PRIMARY KEY, tlog_index INTEGER)").unwrap();
        let mut edge = Edge::default();
        (0..).zip(leaves).for_each(|(index, leaf)| edge.push(insert(&connection, index, leaf).unwrap()));
        write_nodes(&connection, &mut edge).unwrap();
        connection
    }

    fn many(count: u64) -> Connection {
        let leaves: Vec<Vec<u8>> = (0..count).map(|number| format!("leaf {number}").into_bytes()).collect();
        stored(&leaves.iter().map(Vec::as_slice).collect::<Vec<_>>())
    }

    fn checked(connection: &Connection) -> Result<(), LogError> {
        Log::at(connection, &TileCache::default())?.check_end()
    }

    #[test]
    fn a_stored_log_is_read_again_and_paged() {
        let connection = stored(&[b"a", b"b", b"c"]);
        let cache = TileCache::default();
        let log = Log::at(&connection, &cache).unwrap();
        let ab = merkle::node_hash(&leaf_hash(b"a"), &leaf_hash(b"b"));
        assert_eq!(log.root().unwrap(), merkle::node_hash(&ab, &leaf_hash(b"c")));
        assert_eq!(log.root_at(2).unwrap(), ab);
        let page = |start, limit| {
            let mut indexes = Vec::new();
            log.range(start, limit, |index, _, _| indexes.push(index)).unwrap();
            indexes
        };
        assert_eq!(page(1, 1), [1]);
        assert_eq!((page(0, 9).len(), page(3, 9).len(), page(u64::MAX, 9).len()), (3, 0, 0));
        assert_eq!(log.leaf(1).unwrap().unwrap(), b"b");
        assert_eq!(log.leaf(3).unwrap(), None);
    }

    #[test]
    fn a_damaged_log_is_neither_started_with_nor_served() {
        let damages = [
            "UPDATE tlog SET leaf = x'00' WHERE leaf_index = 41",
            "UPDATE tlog SET leaf_hash = x'00' WHERE leaf_index = 41",
            "DELETE FROM tlog WHERE leaf_index = 41",
            "UPDATE tlog SET leaf_index = -1 WHERE leaf_index = 0",
            "DELETE FROM tlog_nodes WHERE tile = 1",
            "UPDATE tlog_nodes SET hashes = zeroblob(1024) WHERE tile = 1",
            "UPDATE tlog_nodes SET hashes = x'00' WHERE tile = 3",
            "UPDATE tlog_nodes SET hashes = zeroblob(96) WHERE tile = 1 << 56",
        ];
        for damage in damages {
            let connection = many(100);
            checked(&connection).unwrap();
            connection.execute_batch(damage).unwrap();
            assert!(checked(&connection).is_err(), "{damage}");
            let cache = TileCache::default();
            let log = Log::at(&connection, &cache).unwrap();
            assert!(log.range(0, 500, |_, _, _| ()).is_err(), "{damage}");
        }
    }

    #[test]
    fn a_leaf_that_was_exchanged_together_with_its_hash_is_not_served() {
        let connection = many(100);
        connection
            .execute("UPDATE tlog SET leaf = x'00', leaf_hash = ?1 WHERE leaf_index = 41", [leaf_hash(b"\0")])
            .unwrap();
        assert!(matches!(checked(&connection), Err(LogError::HashMismatch { index: 41 })));
    }

    #[test]
    fn a_leaf_less_at_the_end_is_noticed() {
        for size in [2, 33, 64, 65] {
            let connection = many(size);
            connection
                .execute("DELETE FROM tlog WHERE leaf_index = ?1", [i64::try_from(size - 1).unwrap()])
                .unwrap();
            assert!(checked(&connection).is_err(), "{size}");
        }
    }

    #[test]
    fn nodes_that_are_missing_altogether_are_made_again() {
        let connection = many(100);
        let cache = TileCache::default();
        let root = Log::at(&connection, &cache).unwrap().root().unwrap();
        connection.execute_batch("DELETE FROM tlog_nodes").unwrap();
        build_nodes(&connection).unwrap();
        assert_eq!(Log::at(&connection, &TileCache::default()).unwrap().root().unwrap(), root);
        checked(&connection).unwrap();
    }

    #[test]
    fn an_event_without_its_leaf_is_noticed_at_start() {
        let connection = stored(&[b"a"]);
        connection.execute_batch("INSERT INTO events (tlog_index) VALUES (1)").unwrap();
        assert!(matches!(checked(&connection), Err(LogError::EventBeyondLog { size: 1, found: 1 })));
    }
}
