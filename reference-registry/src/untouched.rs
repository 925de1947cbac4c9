//! Reading a database that must stay as it is, byte for byte, and so must everything beside it.

use std::{
    ffi::OsString,
    fmt::Write,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;

/// A database that is only read.
pub(crate) struct Untouched {
    /// How SQLite is to be told of it, for opening and attaching.
    pub(crate) uri: String,
    /// Where the copy lies, when one had to be made.
    copy: Option<TempDir>,
}

impl Untouched {
    /// Whether changes that were not written back are read with it.
    pub(crate) fn is_copy(&self) -> bool {
        self.copy.is_some()
    }

    pub(crate) fn connect(&self) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
        match self.copy {
            None => Connection::open_with_flags(&self.uri, flags),
            Some(_) => Connection::open_with_flags(
                &self.uri,
                OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_URI,
            ),
        }
    }
}

/// Why a database was not opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UntouchedError {
    #[error("database {} is not a file", .0.display())]
    Missing(PathBuf),
    #[error("database cannot be read")]
    Io(#[from] std::io::Error),
}

/// Finds out how to read `path` without a lock, a log or an index beside it. A database that was not closed has changes in a file
/// of their own; they are read from a copy, since SQLite would write them back into the original.
pub(crate) fn open(path: &Path) -> Result<Untouched, UntouchedError> {
    if !path.is_file() {
        return Err(UntouchedError::Missing(path.to_path_buf()));
    }
    let pending = ["-wal", "-journal"].map(|suffix| beside(path, suffix));
    let is_pending = |path: &&PathBuf| path.metadata().is_ok_and(|metadata| metadata.len() > 0);
    if !pending.iter().any(|path| is_pending(&path)) {
        return Ok(Untouched { uri: uri(path) + "?mode=ro&immutable=1", copy: None });
    }
    let folder = TempDir::new()?;
    let copy = folder.path().join("copy.sqlite");
    fs_err::copy(path, &copy)?;
    for (from, suffix) in pending.iter().zip(["-wal", "-journal"]) {
        if is_pending(&from) {
            fs_err::copy(from, beside(&copy, suffix))?;
        }
    }
    Ok(Untouched { uri: uri(&copy), copy: Some(folder) })
}

/// What SQLite keeps beside a database, and takes for that of whatever gets its name.
const LEFTOVERS: [&str; 3] = ["-wal", "-shm", "-journal"];

/// A database may be made where this is right: SQLite writes what an older one has left there over the new one.
pub(crate) fn has_no_leftovers(db: &Path) -> Result<(), Leftover> {
    let mut leftovers = LEFTOVERS.iter().map(|suffix| beside(db, suffix));
    match leftovers.find(|file| !db.exists() && file.symlink_metadata().is_ok()) {
        None => Ok(()),
        Some(file) => Err(Leftover { file, db: db.to_path_buf() }),
    }
}

/// What an older database has left.
#[derive(Debug, thiserror::Error)]
#[error(
    "expected nothing beside {}, which does not exist, found {}: it is of an older database, and SQLite would write it into the new one; \
     put that database back, or move this file away",
    db.display(),
    file.display()
)]
pub struct Leftover {
    /// The file.
    pub file: PathBuf,
    /// The database that would be made beside it.
    pub db: PathBuf,
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name: OsString = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// The file as SQLite wants it named.
fn uri(path: &Path) -> String {
    let mut uri = String::from("file:");
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' => {
                uri.push(char::from(*byte))
            }
            _ => {
                let _ = write!(uri, "%{byte:02x}");
            }
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_that_were_not_written_back_are_read_and_stay_where_they_are() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("odd name?%#.sqlite");
        let writer = Connection::open(&path).unwrap();
        writer.pragma_update(None, "journal_mode", "WAL").unwrap();
        writer.execute_batch("CREATE TABLE t (x); INSERT INTO t VALUES (7)").unwrap();
        let copied = TempDir::new().unwrap();
        let stopped = copied.path().join("odd name?%#.sqlite");
        for suffix in ["", "-wal"] {
            fs_err::copy(beside(&path, suffix), beside(&stopped, suffix)).unwrap();
        }
        let before = fs_err::read(beside(&stopped, "-wal")).unwrap();
        let read: i64 = open(&stopped)
            .unwrap()
            .connect()
            .unwrap()
            .query_row("SELECT x FROM t", [], |row| row.get(0))
            .unwrap();
        assert_eq!(read, 7);
        assert_eq!(fs_err::read(beside(&stopped, "-wal")).unwrap(), before);
        assert_eq!(fs_err::read_dir(copied.path()).unwrap().count(), 2);
    }

    #[test]
    fn nothing_is_made_where_nothing_is() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("none.sqlite");
        assert!(matches!(open(&path), Err(UntouchedError::Missing(_))));
        assert_eq!(fs_err::read_dir(folder.path()).unwrap().count(), 0);
    }
}
