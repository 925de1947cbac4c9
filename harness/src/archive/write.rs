//! Writing an archive while a run goes on.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Component, Path, PathBuf};

use assayer_reports::Form;
use assayer_vectors::Suite;
use sha2::{Digest, Sha256};

use super::read::{LONGEST_TRANSCRIPT, MOST_EXCHANGES, longest, whole};
use super::{ARCHIVE_FORM, ArchiveState, Manifest, file, sha256};
use crate::claim::CLAIM_FILE;
use crate::replace::{Held, hold, partial, remove, write_beside, write_whole};
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
    /// More than whoever judges it again would read. What stands already is an archive of a run that did not come to its end.
    #[error("{}: {found} {unit}, and of an archive at most {most} are read: it would be refused", path.display())]
    Long {
        /// The file.
        path: PathBuf,
        /// How long it would be.
        found: u64,
        /// How long it may be.
        most: u64,
        /// Of what: bytes or exchanges.
        unit: &'static str,
    },
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
    /// Bytes and lines of the transcript.
    length: u64,
    lines: u64,
    most: Most,
    _held: Held,
}

/// What is read of an archive, and therefore written.
#[derive(Clone, Copy)]
struct Most {
    transcript: u64,
    lines: u64,
    file: fn(&str) -> u64,
}

impl Default for Most {
    fn default() -> Self {
        Self { transcript: LONGEST_TRANSCRIPT, lines: MOST_EXCHANGES as u64, file: longest }
    }
}

impl Writer {
    /// Begins an archive: suite and manifest stand, the transcript is empty. An earlier archive in the folder is replaced.
    ///
    /// # Errors
    /// [`WriteError`]; a folder with other files in it is refused, and one that another run is writing into.
    pub fn create(folder: &Path, suite: &Suite, manifest: &Manifest) -> Result<Self, WriteError> {
        let held = hold(folder)?;
        make_room(folder)?;
        let path = folder.join(file::MANIFEST);
        let begun = Manifest { state: ArchiveState::Incomplete, ..manifest.clone() };
        // It marks the folder before anything else stands there, so that one whose run was killed here can be used again; and it gets
        // its name when all that belongs to it is there.
        let marked = write_beside(&path, begun.to_json().as_bytes())?;
        let sums = write_suite(folder, suite)?;
        let transcript = fs_err::File::create_new(folder.join(file::TRANSCRIPT))?;
        fs_err::rename(marked, path)?;
        let (hash, most) = (Sha256::new(), Most::default());
        let folder = folder.to_owned();
        Ok(Self { folder, transcript, hash, sums, length: 0, lines: 0, most, _held: held })
    }

    /// Writes one line of the transcript: in one piece, so that a kill between two leaves whole lines.
    ///
    /// # Errors
    /// [`WriteError::Io`], for example on a full disk; [`WriteError::Long`] where nobody would read the line.
    pub fn append(&mut self, recorded: &Recorded) -> Result<(), WriteError> {
        let mut line = serde_json::to_vec(recorded).map_err(std::io::Error::other)?;
        line.push(b'\n');
        self.length += line.len() as u64;
        self.lines += 1;
        self.fits(file::TRANSCRIPT, self.length, self.most.transcript, "bytes")?;
        self.fits(file::TRANSCRIPT, self.lines, self.most.lines, "exchanges")?;
        self.transcript.write_all(&line)?;
        self.hash.update(&line);
        Ok(())
    }

    fn fits(&self, name: &str, found: u64, most: u64, unit: &'static str) -> Result<(), WriteError> {
        if found <= most {
            return Ok(());
        }
        Err(WriteError::Long { path: self.folder.join(name), found, most, unit })
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
    /// [`WriteError::Io`], or [`WriteError::Long`] before anything of it is written. The archive is incomplete then, and says so.
    pub fn finish(mut self, transcript: &Transcript, derived: &Derived) -> Result<(), WriteError> {
        for (name, text) in derived.files() {
            self.fits(name, text.len() as u64, (self.most.file)(name), "bytes")?;
        }
        for (name, text) in derived.files() {
            write_whole(&self.folder.join(name), text.as_bytes())?;
            self.sums.insert(name.to_owned(), sha256(text.as_bytes()));
        }
        let manifest = transcript.manifest.to_json();
        self.sums.insert(file::TRANSCRIPT.to_owned(), self.transcript_sha256());
        self.sums.insert(file::MANIFEST.to_owned(), sha256(manifest.as_bytes()));
        write_whole(&self.folder.join(file::SUMS), sums_text(&self.sums).as_bytes())?;
        Ok(write_whole(&self.folder.join(file::MANIFEST), manifest.as_bytes())?)
    }
}

/// Writes the data of a suite. Out: paths and sums.
fn write_suite(folder: &Path, suite: &Suite) -> Result<BTreeMap<String, String>, WriteError> {
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
    Ok(sums)
}

/// As `sha256sum` writes it.
pub(super) fn sums_text(sums: &BTreeMap<String, String>) -> String {
    sums.iter().map(|(path, sum)| format!("{sum}  {path}\n")).collect()
}

/// Takes an earlier archive out of the folder, by the names that an archive has: its own sums may name anything. A folder with
/// something else is refused.
fn make_room(folder: &Path) -> Result<(), WriteError> {
    if fs_err::read_dir(folder)?.next().is_none() {
        return Ok(());
    }
    // Whatever stands there: no more of it is read than of an archive, and no link or device.
    if !is_archive(folder)? {
        return Err(WriteError::NotAnArchive(folder.to_owned()));
    }
    let own = [file::TRANSCRIPT, file::VERDICTS, file::HAR, file::SUMS, CLAIM_FILE];
    for path in own.into_iter().chain(Form::ALL.map(Form::file_name)).map(|name| folder.join(name)) {
        remove(&path)?;
        remove(&partial(&path))?;
    }
    let suite = folder.join(file::SUITE);
    if suite.is_symlink() {
        remove(&suite)?;
    } else if suite.is_dir() {
        fs_err::remove_dir_all(suite)?;
    }
    // The manifest goes last: until then the folder is an archive that can be replaced.
    Ok(remove(&folder.join(file::MANIFEST))?)
}

/// Whether a folder holds an archive, or what a run left that was killed before it was one.
fn is_archive(folder: &Path) -> Result<bool, WriteError> {
    let marked = format!("{}.partial", file::MANIFEST);
    let has_form = |name: &str| {
        let text = whole(folder, name).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        text.is_ok_and(|text| text.contains(ARCHIVE_FORM))
    };
    let mut names = fs_err::read_dir(folder)?;
    let is_only_begun = names.all(|entry| entry.is_ok_and(|entry| entry.file_name() == marked.as_str()));
    Ok(is_only_begun || has_form(file::MANIFEST) || has_form(&marked))
}

/// Whether a path leads to nothing outside of the folder.
pub(super) fn is_plain(path: &str) -> bool {
    let mut parts = Path::new(path).components().peekable();
    parts.peek().is_some() && parts.all(|part| matches!(part, Component::Normal(_)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use assayer_reports::Selection;
    use assayer_vectors::{SUITE, load_embedded};

    use super::*;
    use crate::archive::Archive;
    use crate::job::{Job, cases_named, edition, wire};
    use crate::{Against, Options, run_with};

    /// An archive of one exchange, begun again in another folder with other limits.
    fn rewritten(most: Most) -> (tempfile::TempDir, Result<(), WriteError>) {
        let suite = load_embedded(SUITE).unwrap();
        let edition = edition(&suite, "strict").unwrap();
        let wire = wire(&suite, &edition.wire).unwrap();
        let cases = cases_named(&suite, edition, &["health-200".to_owned()]).unwrap();
        let job = Job { suite: &suite, edition, wire, cases: &cases, selection: Selection::Part };
        let first = tempfile::tempdir().unwrap();
        let options = Options { out: Some(first.path()), ..Options::default() };
        run_with(&job, &Against::InProcess(BTreeSet::new()), &options).unwrap();
        let archive = Archive::read(first.path()).unwrap();
        let text = |name: &str| String::from_utf8(archive.file(name).unwrap()).unwrap();
        let derived = Derived {
            verdicts: text(file::VERDICTS),
            report: text(file::REPORT),
            forms: vec![(file::TEXT, text(file::TEXT))],
            har: text(file::HAR),
        };
        let second = tempfile::tempdir().unwrap();
        let mut writer = Writer::create(second.path(), &suite, &archive.transcript.manifest).unwrap();
        writer.most = most;
        let lines = archive.transcript.exchanges.iter().try_for_each(|recorded| writer.append(recorded));
        let written = lines.and_then(|()| writer.finish(&archive.transcript, &derived));
        (second, written)
    }

    /// A run that is killed while it begins leaves a part of this; the next one takes its place.
    #[test]
    fn a_folder_in_which_a_run_was_killed_before_it_began_can_be_used_again() {
        let suite = load_embedded(SUITE).unwrap();
        let manifest = Manifest::sample("2026-01-02T03:04:05Z", 0);
        let begun = |stages: usize, text: &str| {
            let folder = tempfile::tempdir().unwrap();
            let at = |name: &str| folder.path().join(name);
            let write = |name: &str, text: &str| std::fs::write(at(name), text).unwrap();
            let all: [&dyn Fn(); 4] = [
                &|| write("manifest.json.partial", text),
                &|| std::fs::create_dir_all(at("suite/checks")).unwrap(),
                &|| write("suite/suite.yaml", "suite: "),
                &|| write("transcript.ndjson", ""),
            ];
            all.iter().take(stages).for_each(|stage| stage());
            Writer::create(folder.path(), &suite, &manifest).map(|_| folder)
        };
        let json = manifest.to_json();
        for (stages, text) in [(0, ""), (1, ""), (1, &json[..40]), (2, &json), (3, &json), (4, &json)] {
            let folder = begun(stages, text).unwrap();
            assert_eq!(
                Archive::read(folder.path()).unwrap().transcript.manifest.state,
                ArchiveState::Incomplete
            );
        }
        // Nothing says that this is ours.
        assert!(matches!(begun(2, "somebody's").unwrap_err(), WriteError::NotAnArchive(_)));
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("suite")).unwrap();
        Writer::create(folder.path(), &suite, &manifest).err().unwrap();
        assert!(folder.path().join("suite").is_dir());
    }

    #[test]
    fn what_nobody_would_read_is_not_written() {
        let (folder, written) = rewritten(Most::default());
        written.unwrap();
        assert_eq!(Archive::read(folder.path()).unwrap().transcript.manifest.state, ArchiveState::Complete);
        let too_long: [(Most, &str); 3] = [
            (Most { transcript: 100, ..Most::default() }, "bytes"),
            (Most { lines: 0, ..Most::default() }, "exchanges"),
            (Most { file: |name| if name == file::HAR { 100 } else { 1 << 20 }, ..Most::default() }, "bytes"),
        ];
        for (most, expected) in too_long {
            let (folder, written) = rewritten(most);
            let Err(WriteError::Long { unit, .. }) = written else { panic!("{written:?}") };
            assert_eq!(unit, expected);
            let archive = Archive::read(folder.path()).unwrap();
            assert_eq!(archive.transcript.manifest.state, ArchiveState::Incomplete);
        }
    }
}
