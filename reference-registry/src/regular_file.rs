//! Files that a program of another make may have put where one of this registry's is expected: a pipe would hold it up for good,
//! and a device fill its memory.

use std::{
    io::{self, Read},
    path::Path,
};

use fs_err::File;

/// Most bytes of an identity file: two keys and a time are below 300.
const MAX_IDENTITY: u64 = 64 * 1024;

/// The text of the identity file at this path, if there is one.
pub(crate) fn identity(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match read(path, MAX_IDENTITY) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        read => read.map(Some),
    }
}

/// Opens a file, links followed, that is one, and no folder, pipe or device.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    // Looked at before it is opened: opening a pipe waits for somebody who writes to it.
    match fs_err::metadata(path)?.is_file() {
        true => File::open(path),
        false => Err(invalid(format!("expected a regular file, found something else at {}", path.display()))),
    }
}

/// The bytes of a file, which may have at most so many.
fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    match u64::try_from(bytes.len()) {
        Ok(found) if found <= most => Ok(bytes),
        _ => Err(invalid(format!("expected at most {most} bytes in {}, found more", path.display()))),
    }
}

fn invalid(why: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_an_end_within_the_bound() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("file");
        fs_err::write(&path, b"12345").unwrap();
        assert_eq!(read(&path, 5).unwrap(), b"12345");
        let error = read(&path, 4).unwrap_err().to_string();
        assert!(error.starts_with("expected at most 4 bytes"), "{error}");
        let link = folder.path().join("link");
        fs_err::os::unix::fs::symlink(&path, &link).unwrap();
        assert_eq!(read(&link, 5).unwrap(), b"12345");
        for other in [folder.path(), Path::new("/dev/zero")] {
            let error = read(other, 5).unwrap_err().to_string();
            assert!(error.starts_with("expected a regular file"), "{error}");
        }
        assert_eq!(read(&folder.path().join("none"), 5).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
