//! Reading an archive: what stands in it, and whether the sums of its files are right. Everything is bounded.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Take};
use std::path::{Path, PathBuf};

use assayer_vectors::{LoadError, Suite, load_folder};
use sha2::{Digest, Sha256};

use super::differences::Difference;
use super::write::is_plain;
use super::{ARCHIVE_FORM, ArchiveState, Manifest, file};
use crate::transcript::{Outcome, Recorded, Transcript};

/// No file that is read whole is longer: a report of some hundred checks takes some hundred kilobytes.
const LONGEST_FILE: u64 = 256 << 20;
/// No transcript is longer, in either of its forms, and no line of it: a run keeps at most 256 MiB of answers.
pub(super) const LONGEST_TRANSCRIPT: u64 = 1 << 30;
/// Nor has one more lines: a run of the whole suite sends some hundred exchanges.
pub(super) const MOST_EXCHANGES: usize = 50_000;

/// How many bytes of a file are read: what is longer is not written either.
pub(super) fn longest(name: &str) -> u64 {
    if [file::TRANSCRIPT, file::HAR].contains(&name) { LONGEST_TRANSCRIPT } else { LONGEST_FILE }
}
/// No archive lists more files.
const MOST_FILES: usize = 10_000;
/// No more files of the folder are looked at.
const MOST_FOUND: usize = 2 * MOST_FILES;
/// Nor are folders that are deeper: those of an archive are one deep, and what is deeper is named by its folder.
const DEEPEST: usize = 32;

/// Why a folder could not be read as an archive.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// Another version of the form.
    #[error("{path}: expected the form {ARCHIVE_FORM}, found {found}")]
    Form {
        /// The file.
        path: PathBuf,
        /// The form.
        found: String,
    },
    /// A file could not be read.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// A line of the transcript does not fit.
    #[error("{path}: line {line}: {message}")]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What was expected and found.
        message: String,
    },
    /// A file is too long.
    #[error("{path}: {found} bytes, at most {most} are read")]
    Long {
        /// The file.
        path: PathBuf,
        /// How long it is.
        found: u64,
        /// How long it may be.
        most: u64,
    },
    /// The manifest is none.
    #[error("{path}: this is no manifest of an archive: {message}")]
    Manifest {
        /// The file.
        path: PathBuf,
        /// What was expected and found.
        message: String,
    },
    /// Nothing that could be judged stands there.
    #[error("{}: expected the folder of an archive, as `assayer check --out` writes it, found no {} in it", .0.display(), file::MANIFEST)]
    NotAnArchive(PathBuf),
    /// A link, a folder or a device: it could lead anywhere, and need not end.
    #[error("{}: expected a regular file, found a link, a folder or a device", .0.display())]
    NotAFile(PathBuf),
}

/// What stands in an archive.
#[derive(Clone, Debug)]
pub struct Archive {
    /// The folder.
    pub folder: PathBuf,
    /// Manifest and lines of the transcript.
    pub transcript: Transcript,
    /// SHA-256 of the manifest as it stands.
    pub manifest_sha256: String,
    /// SHA-256 of the transcript as it stands.
    pub transcript_sha256: String,
    /// SHA-256 (hexadecimal) of `SHA256SUMS`, and thereby of everything; absent if the archive is incomplete.
    pub digest: Option<String>,
    /// Files whose sums are wrong, that are missing, or that ought to be listed.
    pub integrity: Vec<Difference>,
    /// Paths of the files whose sums are listed.
    pub listed: BTreeSet<String>,
    /// Files in the folder that are not listed.
    pub unlisted: Vec<String>,
    /// Whether the last line was cut off by the end of the run.
    pub is_cut: bool,
}

impl Archive {
    /// Reads the archive in a folder.
    ///
    /// # Errors
    /// [`ArchiveError`] where nothing could be judged: no manifest, another form, lines that are none. Wrong sums are no
    /// error but stand in [`Archive::integrity`].
    pub fn read(folder: &Path) -> Result<Self, ArchiveError> {
        let path = folder.join(file::MANIFEST);
        if fs_err::symlink_metadata(&path).is_err_and(|error| is_absent(&error)) {
            return Err(ArchiveError::NotAnArchive(folder.to_owned()));
        }
        let bytes = whole(folder, file::MANIFEST)?;
        let manifest = manifest(&path, &bytes)?;
        let sums = match manifest.state {
            ArchiveState::Complete => Sums::read(folder)?,
            ArchiveState::Incomplete => Sums::default(),
        };
        let lines = Lines::read(folder, manifest.state)?;
        let mut transcript = Transcript { manifest, exchanges: lines.exchanges };
        if transcript.manifest.state == ArchiveState::Incomplete {
            // Nobody was there to write down how long it took.
            transcript.manifest.clock.elapsed_ms = transcript.exchanges.iter().map(end_ms).max().unwrap_or(0);
        }
        Ok(Self {
            folder: folder.to_owned(),
            transcript,
            manifest_sha256: super::sha256(&bytes),
            transcript_sha256: lines.sha256,
            digest: sums.digest,
            integrity: sums.differences,
            listed: sums.listed,
            unlisted: sums.unlisted,
            is_cut: lines.is_cut,
        })
    }

    /// The suite's data as it was, linted.
    ///
    /// # Errors
    /// [`LoadError`] naming the file and the place.
    pub fn suite(&self) -> Result<Suite, LoadError> {
        load_folder(&self.folder.join(file::SUITE))
    }

    /// The bytes of one file of the archive.
    ///
    /// # Errors
    /// [`ArchiveError`] if it cannot be read or is too long.
    pub fn file(&self, name: &str) -> Result<Vec<u8>, ArchiveError> {
        whole(&self.folder, name)
    }
}

fn is_absent(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory)
}

fn manifest(path: &Path, bytes: &[u8]) -> Result<Manifest, ArchiveError> {
    let bad = |message: String| ArchiveError::Manifest { path: path.to_owned(), message };
    let value: serde_json::Value = serde_json::from_slice(bytes).map_err(|error| bad(error.to_string()))?;
    let form = value.get("form").and_then(|form| form.as_str()).unwrap_or("none");
    if form != ARCHIVE_FORM {
        return Err(ArchiveError::Form { path: path.to_owned(), found: form.chars().take(80).collect() });
    }
    serde_json::from_slice(bytes).map_err(|error| bad(error.to_string()))
}

fn end_ms(recorded: &Recorded) -> u64 {
    match &recorded.outcome {
        Outcome::Answered { answer, .. } => recorded.at_ms.saturating_add(answer.elapsed_ms),
        Outcome::Failed { .. } | Outcome::NotSent { .. } => recorded.at_ms,
    }
}

/// The bytes of a file of an archive.
pub(crate) fn whole(folder: &Path, name: &str) -> Result<Vec<u8>, ArchiveError> {
    up_to(folder, name, longest(name))
}

/// The bytes of a file that is not longer than this.
pub(crate) fn up_to(folder: &Path, name: &str, most: u64) -> Result<Vec<u8>, ArchiveError> {
    let mut bytes = Vec::new();
    open(folder, name, most)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Opens a file of an archive: a regular one that folders alone lead to, and that is not too long.
fn open(folder: &Path, name: &str, most: u64) -> Result<Take<fs_err::File>, ArchiveError> {
    let mut path = folder.to_owned();
    let mut found = None;
    for part in Path::new(name).components() {
        path.push(part);
        let metadata = fs_err::symlink_metadata(&path)?;
        if !metadata.is_file() && !metadata.is_dir() {
            return Err(ArchiveError::NotAFile(path));
        }
        found = Some(metadata).filter(std::fs::Metadata::is_file);
    }
    match found.map(|metadata| metadata.len()) {
        None => Err(ArchiveError::NotAFile(path)),
        Some(found) if found > most => Err(ArchiveError::Long { path, found, most }),
        Some(_) => Ok(fs_err::File::open(path)?.take(most)),
    }
}

/// `SHA256SUMS`, compared with the files.
#[derive(Default)]
struct Sums {
    digest: Option<String>,
    differences: Vec<Difference>,
    listed: BTreeSet<String>,
    unlisted: Vec<String>,
}

impl Sums {
    fn read(folder: &Path) -> Result<Self, ArchiveError> {
        if fs_err::symlink_metadata(folder.join(file::SUMS)).is_err() {
            let missing = Difference::new(file::SUMS, "", "a complete archive", "no such file");
            return Ok(Self { differences: vec![missing], ..Self::default() });
        }
        let bytes = whole(folder, file::SUMS)?;
        let (listed, mut differences) = listed(&bytes);
        for (name, sum) in &listed {
            let found = sum_of(folder, name).unwrap_or_else(|error| error.to_string());
            if found != *sum {
                differences.push(Difference::new(name, "SHA-256", sum, found));
            }
        }
        for name in [file::MANIFEST, file::TRANSCRIPT, file::VERDICTS, file::REPORT, file::TEXT, file::HAR] {
            if !listed.contains_key(name) {
                differences.push(Difference::new(file::SUMS, name, "nothing", "a file of every archive"));
            }
        }
        let mut unlisted = Vec::new();
        files_below(folder, "", 0, &mut unlisted)?;
        // A claim is about the sums, so it cannot be among them.
        let is_beside = |name: &str| [file::SUMS, crate::claim::CLAIM_FILE].contains(&name);
        unlisted.retain(|name| !is_beside(name) && !listed.contains_key(name));
        let listed = listed.into_keys().collect();
        Ok(Self { digest: Some(super::sha256(&bytes)), differences, listed, unlisted })
    }
}

/// Paths and sums, and lines that are neither.
fn listed(bytes: &[u8]) -> (BTreeMap<String, String>, Vec<Difference>) {
    let text = String::from_utf8_lossy(bytes);
    let (mut listed, mut differences) = (BTreeMap::new(), Vec::new());
    for (position, line) in text.lines().enumerate() {
        let entry = line.split_once("  ").filter(|(sum, path)| sum.len() == 64 && is_plain(path));
        let is_new = entry.filter(|_| listed.len() < MOST_FILES);
        let taken = is_new.map(|(sum, path)| listed.insert(path.to_owned(), sum.to_owned()));
        if taken != Some(None) {
            let at = format!("line {}", position + 1);
            differences.push(Difference::new(file::SUMS, &at, line, "a SHA-256, two spaces and a new path"));
        }
    }
    if super::write::sums_text(&listed).as_bytes() != bytes && differences.is_empty() {
        differences.push(Difference::new(file::SUMS, "", "another spelling", "lines in the order of paths"));
    }
    (listed, differences)
}

fn sum_of(folder: &Path, name: &str) -> Result<String, ArchiveError> {
    let mut reader = open(folder, name, LONGEST_TRANSCRIPT)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let count = reader.read(&mut buffer)?;
        if count == 0 {
            return Ok(hex::encode(hash.finalize()));
        }
        hash.update(buffer.get(..count).unwrap_or_default());
    }
}

/// The files in a folder and below it; of a folder that is too deep, or of more than can be told, its name with `/` at its end.
fn files_below(
    folder: &Path,
    prefix: &str,
    depth: usize,
    found: &mut Vec<String>,
) -> Result<(), ArchiveError> {
    for entry in fs_err::read_dir(folder)? {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if found.len() >= MOST_FOUND {
            found.push(if prefix.is_empty() { "what else there is".to_owned() } else { prefix.to_owned() });
            return Ok(());
        }
        if !entry.file_type()?.is_dir() {
            found.push(name);
        } else if depth < DEEPEST {
            files_below(&entry.path(), &format!("{name}/"), depth + 1, found)?;
        } else {
            found.push(format!("{name}/"));
        }
    }
    Ok(())
}

/// `transcript.ndjson`.
struct Lines {
    exchanges: Vec<Recorded>,
    sha256: String,
    is_cut: bool,
}

impl Lines {
    fn read(folder: &Path, state: ArchiveState) -> Result<Self, ArchiveError> {
        let path = folder.join(file::TRANSCRIPT);
        let mut reader = BufReader::new(open(folder, file::TRANSCRIPT, LONGEST_TRANSCRIPT)?);
        let (mut exchanges, mut hash) = (Vec::new(), Sha256::new());
        let mut line = Vec::new();
        loop {
            line.clear();
            if reader.read_until(b'\n', &mut line)? == 0 {
                return Ok(Self { exchanges, sha256: hex::encode(hash.finalize()), is_cut: false });
            }
            hash.update(&line);
            let number = exchanges.len() as u64;
            let bad = |message: String| ArchiveError::Line { path: path.clone(), line: number + 1, message };
            if line.last() != Some(&b'\n') {
                if state == ArchiveState::Complete {
                    return Err(bad("expected a line, found one that is cut off".to_owned()));
                }
                return Ok(Self { exchanges, sha256: hex::encode(hash.finalize()), is_cut: true });
            }
            let recorded: Recorded = serde_json::from_slice(&line).map_err(|error| bad(error.to_string()))?;
            if exchanges.len() >= MOST_EXCHANGES {
                return Err(bad(format!("expected at most {MOST_EXCHANGES} exchanges")));
            }
            if recorded.n != number {
                return Err(bad(format!("expected exchange {number}, found {}", recorded.n)));
            }
            exchanges.push(recorded);
        }
    }
}
