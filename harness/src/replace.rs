//! Writing files whole or not at all, in folders that somebody else may have filled.

use std::fs::{File, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Writes a file, in place of what stood there. It stands beside under another name first, so that a half-written one is never
/// taken for a whole one. A link in its place is replaced: what it leads to is left alone.
///
/// # Errors
/// What the file system says; what stood there still does then.
pub fn write_whole(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let partial = write_beside(path, bytes)?;
    fs_err::rename(&partial, path).inspect_err(|_| drop(fs_err::remove_file(&partial)))
}

/// The first half of [`write_whole`]. Out: where it stands, to be renamed.
pub(crate) fn write_beside(path: &Path, bytes: &[u8]) -> std::io::Result<PathBuf> {
    let partial = partial(path);
    // Whatever a killed run left there, or a link that somebody put there to be followed.
    remove(&partial)?;
    let written = fs_err::File::create_new(&partial).and_then(|mut file| file.write_all(bytes));
    written.inspect_err(|_| drop(fs_err::remove_file(&partial)))?;
    Ok(partial)
}

/// Where a file stands until it is whole.
pub(crate) fn partial(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".partial");
    name.into()
}

/// Removes a file or a link, if there is one.
pub(crate) fn remove(path: &Path) -> std::io::Result<()> {
    match fs_err::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// A folder that is being written into, until this is dropped or the process ends, however it does.
#[derive(Debug)]
pub struct Held {
    _folder: Option<File>,
}

/// Makes a folder if it is not there, and holds it against other processes of this program.
///
/// # Errors
/// What the file system says, or [`std::io::ErrorKind::ResourceBusy`] where another one holds it. A file system that cannot hold
/// anything holds nothing.
pub fn hold(folder: &Path) -> std::io::Result<Held> {
    fs_err::create_dir_all(folder)?;
    let Ok(opened) = File::open(folder) else { return Ok(Held { _folder: None }) };
    match opened.try_lock() {
        Err(TryLockError::WouldBlock) => Err(std::io::Error::new(
            std::io::ErrorKind::ResourceBusy,
            format!("{}: another process is writing into this folder", folder.display()),
        )),
        _ => Ok(Held { _folder: Some(opened) }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_held_by_one_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new");
        let held = hold(&path).unwrap();
        let said = hold(&path).unwrap_err();
        assert!(said.to_string().contains("another process"), "{said}");
        drop(held);
        hold(&path).unwrap();
    }

    #[test]
    #[cfg(unix)]
    fn what_a_link_leads_to_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("precious"), "two years of work").unwrap();
        for name in ["a", "a.partial"] {
            std::os::unix::fs::symlink(at("precious"), at(name)).unwrap();
        }
        write_whole(&at("a"), b"one").unwrap();
        assert_eq!(std::fs::read(at("precious")).unwrap(), b"two years of work");
        assert_eq!((std::fs::read(at("a")).unwrap(), at("a").is_symlink()), (b"one".to_vec(), false));
    }

    #[test]
    fn what_cannot_be_written_leaves_what_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let (path, beside) = (folder.path().join("a"), folder.path().join("a.partial"));
        write_whole(&path, b"one").unwrap();
        std::fs::create_dir(&beside).unwrap();
        write_whole(&path, b"two").unwrap_err();
        assert_eq!(std::fs::read(&path).unwrap(), b"one");
        std::fs::remove_dir(&beside).unwrap();
        write_whole(&path, b"two").unwrap();
        assert_eq!((std::fs::read(&path).unwrap(), beside.exists()), (b"two".to_vec(), false));
    }
}
