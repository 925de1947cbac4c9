//! Writing an archive while a run goes on.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Component, Path, PathBuf};

use assayer_vectors::Suite;
use sha2::{Digest, Sha256};

use super::read::whole;
use super::{ARCHIVE_FORM, ArchiveState, Manifest, file, sha256};
use crate::claim::CLAIM_FILE;
use crate::transcript::{Recorded, Transcript};

/// Why an archive could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The folder or a file in it cannot be written.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// The folder holds something else, which is left alone.
    #[error("{}: expected no folder, an empty one, or an earlier archive to replace, found other files", .0.display())]
    NotAnArchive(PathBuf),
}

/// What follows from a transcript, as bytes of files.
#[derive(Clone, Debug)]
pub struct Derived {
    /// `verdicts.json`.
    pub verdicts: String,
    /// `report.json`.
    pub report: String,
    /// The report in its other forms, by name of their files.
    pub forms: Vec<(&'static str, String)>,
    /// `transcript.har`.
    pub har: String,
}

impl Derived {
    /// The files that follow from a transcript, by name.
    pub fn files(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let own = [(file::VERDICTS, &self.verdicts), (file::REPORT, &self.report), (file::HAR, &self.har)];
        let forms = self.forms.iter().map(|(name, text)| (*name, text));
        own.into_iter().chain(forms).map(|(name, text)| (name, text.as_str()))
    }
}

/// An archive that is being written.
pub struct Writer {
    folder: PathBuf,
    transcript: fs_err::File,
    /// Over the lines written so far.
    hash: Sha256,
    /// Path and SHA-256 of what stands already.
    sums: BTreeMap<String, String>,
}

impl Writer {
    /// Begins an archive: suite and manifest stand, the transcript is empty. An earlier archive in the folder is replaced.
    ///
    /// # Errors
    /// [`WriteError`]; a folder with other files in it is refused.
    pub fn create(folder: &Path, suite: &Suite, manifest: &Manifest) -> Result<Self, WriteError> {
        make_room(folder)?;
        let mut sums = BTreeMap::new();
        for (name, text) in &suite.files {
            let name = format!("{}/{name}", file::SUITE);
            let path = folder.join(&name);
            if let Some(parent) = path.parent() {
                fs_err::create_dir_all(parent)?;
            }
            fs_err::write(&path, text)?;
            sums.insert(name, sha256(text.as_bytes()));
        }
        let transcript = fs_err::File::create(folder.join(file::TRANSCRIPT))?;
        let begun = Manifest { state: ArchiveState::Incomplete, ..manifest.clone() };
        write_whole(folder, file::MANIFEST, begun.to_json().as_bytes())?;
        Ok(Self { folder: folder.to_owned(), transcript, hash: Sha256::new(), sums })
    }

    /// Writes one line of the transcript: in one piece, so that a kill between two leaves whole lines.
    ///
    /// # Errors
    /// [`WriteError::Io`], for example on a full disk.
    pub fn append(&mut self, recorded: &Recorded) -> Result<(), WriteError> {
        let mut line = serde_json::to_vec(recorded).map_err(std::io::Error::other)?;
        line.push(b'\n');
        self.transcript.write_all(&line)?;
        self.hash.update(&line);
        Ok(())
    }

    /// SHA-256 of the lines so far.
    #[must_use]
    pub fn transcript_sha256(&self) -> String {
        hex::encode(self.hash.clone().finalize())
    }

    /// Ends the archive: writes what follows from the transcript, the sums, and last of all
    /// the manifest that says `complete`.
    ///
    /// # Errors
    /// [`WriteError::Io`]. The archive is incomplete then, and says so.
    pub fn finish(mut self, transcript: &Transcript, derived: &Derived) -> Result<(), WriteError> {
        for (name, text) in derived.files() {
            write_whole(&self.folder, name, text.as_bytes())?;
            self.sums.insert(name.to_owned(), sha256(text.as_bytes()));
        }
        let manifest = transcript.manifest.to_json();
        self.sums.insert(file::TRANSCRIPT.to_owned(), self.transcript_sha256());
        self.sums.insert(file::MANIFEST.to_owned(), sha256(manifest.as_bytes()));
        write_whole(&self.folder, file::SUMS, sums_text(&self.sums).as_bytes())?;
        write_whole(&self.folder, file::MANIFEST, manifest.as_bytes())
    }
}

/// As `sha256sum` writes it.
pub(super) fn sums_text(sums: &BTreeMap<String, String>) -> String {
    sums.iter().map(|(path, sum)| format!("{sum}  {path}\n")).collect()
}

/// A half-written file must not be mistaken for a whole one.
fn write_whole(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), WriteError> {
    let (path, partial) = (folder.join(name), folder.join(format!("{name}.partial")));
    fs_err::write(&partial, bytes)?;
    fs_err::rename(&partial, &path)?;
    Ok(())
}

/// Makes the folder, or takes an earlier archive out of it; what else stands there is a reason to refuse.
fn make_room(folder: &Path) -> Result<(), WriteError> {
    fs_err::create_dir_all(folder)?;
    if fs_err::read_dir(folder)?.next().is_none() {
        return Ok(());
    }
    // Whatever stands there: no more of it is read than of an archive, and no link or device.
    let text = |name| whole(folder, name).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    if !text(file::MANIFEST).is_ok_and(|manifest| manifest.contains(ARCHIVE_FORM)) {
        return Err(WriteError::NotAnArchive(folder.to_owned()));
    }
    let sums = text(file::SUMS).unwrap_or_default();
    let listed = sums.lines().filter_map(|line| line.split_once("  ")).map(|(_, path)| path);
    let own = [file::TRANSCRIPT, file::VERDICTS, file::REPORT, file::TEXT, file::HAR, file::SUMS, CLAIM_FILE];
    // The manifest goes last: until then the folder is an archive that can be replaced.
    for name in own.into_iter().chain(listed).filter(|name| is_plain(name) && *name != file::MANIFEST) {
        remove(&folder.join(name))?;
        remove(&folder.join(format!("{name}.partial")))?;
    }
    let suite = folder.join(file::SUITE);
    if suite.is_dir() {
        fs_err::remove_dir_all(suite)?;
    }
    remove(&folder.join(file::MANIFEST))
}

fn remove(path: &Path) -> Result<(), WriteError> {
    match fs_err::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

/// Whether a path leads to nothing outside of the folder.
pub(super) fn is_plain(path: &str) -> bool {
    let mut parts = Path::new(path).components().peekable();
    parts.peek().is_some() && parts.all(|part| matches!(part, Component::Normal(_)))
}
