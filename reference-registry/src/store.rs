//! One database, one thread that writes, and readers on snapshots of their own.
//!
//! ```text
//! requests ── queue ── writer: all that wait share one transaction and one fsync ── answers, once the commit is on disk
//! requests ── readers: each in one snapshot, so that head, proofs, rows and leaves belong together
//! heads ───── the head that the writer published after its last commit
//! ```

use std::{
    fs::{File, TryLockError},
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, config::DbConfig};
use tokio::sync::Semaphore;

use crate::{
    canonical::Form,
    error::ApiError,
    log::{self, Log, LogError, TileCache},
    merkle::Hash,
    rows::Snapshot,
    schema,
    writer::{Pending, Writer},
};

/// Readers that work at the same moment.
const READERS: usize = 4;

/// Leaves that are hashed again in one snapshot, in the background.
const CHECK_STEP: u64 = 1 << 13;

/// Why the database was not opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another process has the database open.
    #[error("another process serves this database: it holds {lock}")]
    InUse {
        /// The file that it has locked.
        lock: PathBuf,
    },
    /// The file that keeps other processes out cannot be created or locked.
    #[error("cannot lock {lock}")]
    Lock {
        /// The file.
        lock: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The log in it is damaged.
    #[error("transparency log is damaged")]
    Log(#[from] LogError),
    /// It is not a database of this registry, or it cannot be written to.
    #[error("database cannot be opened")]
    Sqlite(#[from] rusqlite::Error),
    /// It was written by a later registry, or by something else.
    #[error("expected a database of this registry or of the field, found user_version {found}")]
    Version {
        /// What it says.
        found: i64,
    },
    /// The thread that writes was not started.
    #[error("no thread for the writer")]
    Thread(#[source] io::Error),
}

/// The tree as it was after a commit.
pub(crate) struct Head {
    pub(crate) size: u64,
    pub(crate) root: Hash,
    /// The signature of this head, made when it is asked for first.
    pub(crate) signature: OnceLock<String>,
}

impl Head {
    pub(crate) fn new(size: u64, root: Hash) -> Self {
        Self { size, root, signature: OnceLock::new() }
    }
}

/// What writer and readers share.
pub(crate) struct State {
    head: RwLock<Arc<Head>>,
    pub(crate) cache: TileCache,
    /// Whether the log turned out to be damaged after the registry had started.
    is_damaged: AtomicBool,
    is_closed: AtomicBool,
}

impl State {
    pub(crate) fn publish(&self, head: Head) {
        *self.head.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(head);
    }

    pub(crate) fn damaged(&self, error: &LogError) {
        self.is_damaged.store(true, Ordering::SeqCst);
        eprintln!("reference-registry: transparency log is damaged, and no longer served: {error}");
    }
}

/// Where readers read.
enum Readers {
    /// On connections of their own.
    Pool { db: PathBuf, idle: Mutex<Vec<Connection>> },
    /// On the writer's connection, between its transactions: a database in memory has no other.
    Shared(Arc<Mutex<Connection>>),
}

pub(crate) struct Store {
    state: Arc<State>,
    readers: Readers,
    permits: Semaphore,
    writer: Writer,
    /// Locked as long as the database is open.
    lock: Mutex<Option<File>>,
}

impl Store {
    pub(crate) fn in_memory(form: Form) -> Result<Arc<Self>, StoreError> {
        let mut connection = Connection::open_in_memory()?;
        schema::prepare(&mut connection)?;
        let connection = Arc::new(Mutex::new(connection));
        Self::on(Arc::clone(&connection), Readers::Shared(connection), None, form).map(Arc::new)
    }

    /// Opens a database and keeps every other registry out of it.
    pub(crate) fn open(db: &Path, form: Form) -> Result<Arc<Self>, StoreError> {
        let lock = locked(db)?;
        let mut connection = writing(db)?;
        is_known(&connection)?;
        schema::prepare(&mut connection)?;
        schema::is_whole(&connection)?;
        log::build_nodes(&connection)?;
        let readers = Readers::Pool { db: db.to_owned(), idle: Mutex::default() };
        let store = Arc::new(Self::on(Arc::new(Mutex::new(connection)), readers, Some(lock), form)?);
        store.check_in_background()?;
        Ok(store)
    }

    fn on(
        connection: Arc<Mutex<Connection>>,
        readers: Readers,
        lock: Option<File>,
        form: Form,
    ) -> Result<Self, StoreError> {
        let cache = TileCache::default();
        let edge = {
            let connection = held(&connection);
            keeps_statements(&connection)?;
            let log = Log::at(&connection, &cache)?;
            log.check_end()?;
            log.edge()?
        };
        let state = Arc::new(State {
            head: RwLock::new(Arc::new(Head::new(edge.size(), edge.root()))),
            cache,
            is_damaged: AtomicBool::new(false),
            is_closed: AtomicBool::new(false),
        });
        let writer = Writer::start(connection, edge, Arc::clone(&state), form).map_err(StoreError::Thread)?;
        Ok(Self { state, readers, permits: Semaphore::new(READERS), writer, lock: Mutex::new(lock) })
    }

    /// The head after the last commit.
    pub(crate) fn head(&self) -> Result<Arc<Head>, ApiError> {
        match self.is_closed() || self.is_damaged() {
            true => Err(ApiError::server_error()),
            false => Ok(Arc::clone(&self.state.head.read().unwrap_or_else(PoisonError::into_inner))),
        }
    }

    /// Leaves in the log after the last commit.
    pub(crate) fn size(&self) -> u64 {
        self.state.head.read().unwrap_or_else(PoisonError::into_inner).size
    }

    /// Whether the log turned out to be damaged: then nothing of it is served or appended to.
    pub(crate) fn is_damaged(&self) -> bool {
        self.state.is_damaged.load(Ordering::SeqCst)
    }

    fn is_closed(&self) -> bool {
        self.state.is_closed.load(Ordering::SeqCst)
    }

    /// Runs work in the next transaction, and answers once that is on disk.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Pending<'_>) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        if self.is_damaged() {
            return Err(ApiError::server_error());
        }
        self.writer.write(work).await
    }

    /// Runs work on a snapshot, in a thread that may block.
    pub(crate) async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Snapshot<'_>) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let _permit = self.permits.acquire().await.map_err(|_| ApiError::server_error())?;
        let store = Arc::clone(self);
        let task = tokio::task::spawn_blocking(move || store.read_now(work));
        task.await.unwrap_or_else(|_| Err(ApiError::server_error()))
    }

    fn read_now<T>(&self, work: impl FnOnce(&Snapshot<'_>) -> Result<T, ApiError>) -> Result<T, ApiError> {
        if self.is_closed() || self.is_damaged() {
            return Err(ApiError::server_error());
        }
        match &self.readers {
            Readers::Shared(connection) => in_snapshot(&held(connection), &self.state.cache, work),
            Readers::Pool { db, idle } => {
                let known = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
                let connection = known.map_or_else(|| reader(db), Ok)?;
                let outcome = in_snapshot(&connection, &self.state.cache, work);
                let mut idle = idle.lock().unwrap_or_else(PoisonError::into_inner);
                if !self.is_closed() {
                    idle.push(connection);
                }
                outcome
            }
        }
    }

    /// Hashes the whole log again while requests are served, a part at a time.
    fn check_in_background(self: &Arc<Self>) -> Result<(), StoreError> {
        let end = self.head().map_or(0, |head| head.size);
        let store = Arc::downgrade(self);
        let check = move || {
            for start in (0..end).step_by(usize::try_from(CHECK_STEP).unwrap_or(1)) {
                let Some(store) = store.upgrade().filter(|store| !store.is_closed()) else { return };
                let checked =
                    store.read_now(|snapshot| Ok(snapshot.log.check(start, (start + CHECK_STEP).min(end))));
                if let Ok(Err(error)) = checked {
                    store.state.damaged(&error);
                    return;
                }
                drop(store);
                thread::sleep(Duration::from_millis(2));
            }
        };
        thread::Builder::new().name(String::from("log-check")).spawn(check).map_err(StoreError::Thread)?;
        Ok(())
    }

    /// Writes what waits, closes the database and lets other processes have it.
    pub(crate) fn close(&self) {
        self.state.is_closed.store(true, Ordering::SeqCst);
        if let Readers::Pool { idle, .. } = &self.readers {
            idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
        self.writer.stop();
        drop(self.lock.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

pub(crate) fn held(connection: &Mutex<Connection>) -> MutexGuard<'_, Connection> {
    connection.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The path of a database without symbolic links in it, also of one that does not exist yet.
fn resolved(db: &Path) -> PathBuf {
    /// As many as the system follows.
    const MOST_LINKS: usize = 40;
    let folder_of = |path: &Path| path.parent().map_or_else(PathBuf::new, Path::to_path_buf);
    let mut path = db.to_owned();
    for _ in 0..MOST_LINKS {
        let Ok(target) = path.read_link() else { break };
        path = folder_of(&path).join(target);
    }
    let folder = Some(folder_of(&path)).filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or_else(|| PathBuf::from(".")).canonicalize();
    match (folder, path.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => path,
    }
}

/// A file beside the database (beside that which a symbolic link names), since closing any handle of the database itself would drop the locks of SQLite on it.
pub(crate) fn locked(db: &Path) -> Result<File, StoreError> {
    let mut name = resolved(db).into_os_string();
    name.push(".lock");
    let lock = PathBuf::from(name);
    let file = File::options().create(true).truncate(false).write(true).open(&lock);
    let file = file.map_err(|source| StoreError::Lock { lock: lock.clone(), source })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse { lock }),
        Err(TryLockError::Error(source)) => Err(StoreError::Lock { lock, source }),
    }
}

/// A database that is none of ours is not written to.
pub(crate) fn is_known(connection: &Connection) -> Result<(), StoreError> {
    let found = schema::version(connection)?;
    if schema::is_unknown(found) { Err(StoreError::Version { found }) } else { Ok(()) }
}

fn writing(db: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(db)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // FULL, since an answered registration must survive a loss of power.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "wal_autocheckpoint", 4000)?;
    connection.pragma_update(None, "cache_size", -16_384)?;
    // What a savepoint would restore is kept in memory; it is never more than one write.
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    runs_nothing_stored(&connection)?;
    Ok(connection)
}

fn reader(db: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(db, flags)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    keeps_statements(&connection)?;
    runs_nothing_stored(&connection)?;
    Ok(connection)
}

/// This registry has neither triggers nor views. What somebody put into the database does not act on rows, nor stand in for a table.
fn runs_nothing_stored(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false).map(|_| ())
}

/// Statements are planned once, whatever values they are given: otherwise SQLite prepares half of them anew for every value, since it
/// could make a difference to the plan.
fn keeps_statements(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_prepared_statement_cache_capacity(64);
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(|_| ())
}

/// The first statement takes the snapshot, and the end of the transaction gives it back.
fn in_snapshot<T>(
    connection: &Connection,
    cache: &TileCache,
    work: impl FnOnce(&Snapshot<'_>) -> Result<T, ApiError>,
) -> Result<T, ApiError> {
    let transaction = connection.unchecked_transaction()?;
    let log = Log::at(&transaction, cache)?;
    work(&Snapshot::new(&transaction, log))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No test without a loss of power sees whether a commit is on disk; this one sees whether SQLite is told to see to it.
    #[test]
    fn commits_are_synchronous() {
        let folder = tempfile::TempDir::new().unwrap();
        let connection = writing(&folder.path().join("registry.sqlite")).unwrap();
        let pragma = |name| connection.pragma_query_value(None, name, |row| row.get(0));
        const FULL: i64 = 2;
        assert_eq!(pragma("synchronous"), Ok(FULL));
        let mode: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
        assert_eq!(mode, "wal");
    }
}
