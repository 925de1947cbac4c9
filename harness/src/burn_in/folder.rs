//! The folder of a burn-in: its report, and the sums that cover it and every archive beside it.
//!
//! ```text
//! DIR/burn-in.json    the report
//!     burn-in.txt     the same for people
//!     SHA256SUMS      SHA-256 of these two, and of the sums of each archive, as `sha256sum --check` reads it
//!     live/           the archive of the live run; `live-2` and so on where one broke off
//!     round-0001/     the archive of each round
//! ```

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use assayer_vectors::{LoadError, SUITE, Suite, load_embedded};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{BURN_IN_FORM, BurnIn, derive_again};
use crate::archive::{Archive, ArchiveError, ArchiveState, Difference, file, files_differ, sha256, up_to};
use crate::job::{UnknownName, edition, wire};
use crate::own_suite::own_suite;
use crate::replace::write_beside;
use crate::run::tool;

const REPORT: &str = "burn-in.json";
const TEXT: &str = "burn-in.txt";

/// No report, text or list of sums is longer, in bytes: a round takes about a kilobyte.
const LONGEST: u64 = 64 << 20;

/// Version of the form of [`BurnInRecheck`].
pub const BURN_IN_RECHECK_FORM: &str = "assayer-burn-in-recheck/1";

/// Why the folder of a burn-in could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotRead {
    /// A file of it could not be read.
    #[error(transparent)]
    File(#[from] ArchiveError),
    /// Another form.
    #[error("{}: expected the form {BURN_IN_FORM}, found {found}", path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// The form.
        found: String,
    },
    /// The report is none.
    #[error("{}: this is no report of a burn-in: {message}", path.display())]
    Report {
        /// The file.
        path: PathBuf,
        /// What was expected and found.
        message: String,
    },
    /// The suite in an archive could not be read.
    #[error(transparent)]
    Suite(#[from] LoadError),
    /// The suite has no such edition or wire profile.
    #[error(transparent)]
    Unknown(#[from] UnknownName),
}

/// A burn-in as it stands in its folder.
#[derive(Clone, Debug)]
pub struct Standing {
    /// The report.
    pub report: BurnIn,
    /// SHA-256 (hexadecimal) of the sums, and thereby of everything in the folder.
    pub digest: String,
    /// Where report, text and sums contradict each other.
    pub differences: Vec<Difference>,
    /// Whether another version laid the text out, so that it was not compared.
    pub is_of_another_version: bool,
}

/// What came of judging a burn-in again.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BurnInRecheck {
    /// Form of this document: `assayer-burn-in-recheck/1`.
    pub form: String,
    /// SHA-256 (hexadecimal) of `SHA256SUMS`, and thereby of everything in the folder.
    pub digest: String,
    /// Whether the window is over.
    pub state: ArchiveState,
    /// Whether sums, report and archives agree.
    pub identical: bool,
    /// Where they do not: file, what was expected and found.
    pub differences: Vec<String>,
    /// What else a reader should know before relying on it, in words.
    pub remarks: Vec<String>,
}

/// Whether a folder is that of a burn-in, and not an archive.
#[must_use]
pub fn is_burn_in(folder: &Path) -> bool {
    folder.join(REPORT).is_file() && !folder.join(file::MANIFEST).exists()
}

impl BurnIn {
    /// Writes the report, its text and the sums into the folder. A kill between two of them leaves what [`Standing::read`]
    /// understands: whatever the sums name stands there, or is about to.
    ///
    /// # Errors
    /// Of the file system.
    pub fn write(&self, folder: &Path) -> std::io::Result<()> {
        let (report, text) = (self.to_json(), self.to_text());
        let sums = self.sums(report.as_bytes(), text.as_bytes());
        let files = [(file::SUMS, sums), (TEXT, text), (REPORT, report)];
        let files = files.map(|(name, text)| (folder.join(name), text));
        let beside = files.iter().map(|(path, text)| write_beside(path, text.as_bytes()));
        let beside: Vec<PathBuf> = beside.collect::<std::io::Result<_>>()?;
        files.iter().zip(beside).try_for_each(|((path, _), beside)| fs_err::rename(beside, path))
    }

    /// The sums, as `sha256sum` writes them. What broke off has no sums.
    fn sums(&self, report: &[u8], text: &[u8]) -> String {
        let own = [(REPORT.to_owned(), sha256(report)), (TEXT.to_owned(), sha256(text))];
        let live = self.live.iter().map(|run| (&run.archive, &run.digest));
        let rounds = self.rounds.iter().map(|round| (&round.archive, &round.digest));
        let archives = live
            .chain(rounds)
            .filter_map(|(archive, digest)| Some((format!("{archive}/{}", file::SUMS), digest.clone()?)));
        own.into_iter().chain(archives).map(|(name, sum)| format!("{sum}  {name}\n")).collect()
    }
}

impl Standing {
    /// Reads the report in a folder, and compares it with its text and its sums.
    ///
    /// # Errors
    /// [`NotRead`] where there is no report. What contradicts it stands in [`Standing::differences`].
    pub fn read(folder: &Path) -> Result<Self, NotRead> {
        let sums = match folder.join(file::SUMS).exists() {
            true => up_to(folder, file::SUMS, LONGEST)?,
            false => Vec::new(),
        };
        let (bytes, text) = (listed(folder, REPORT, &sums)?, listed(folder, TEXT, &sums)?);
        let report = parsed(&folder.join(REPORT), &bytes)?;
        let mut differences = files_differ(file::SUMS, &sums, report.sums(&bytes, &text).as_bytes());
        differences.extend(files_differ(REPORT, &bytes, report.to_json().as_bytes()));
        let is_of_another_version = report.tool != tool();
        if !is_of_another_version {
            differences.extend(files_differ(TEXT, &text, report.to_text().as_bytes()));
        }
        Ok(Self { report, digest: sha256(&sums), differences, is_of_another_version })
    }
}

/// The bytes of a file that the sums list: also those that a kill left beside it, if the sums mean these.
fn listed(folder: &Path, name: &str, sums: &[u8]) -> Result<Vec<u8>, ArchiveError> {
    let bytes = up_to(folder, name, LONGEST);
    let is_meant = |bytes: &Vec<u8>| {
        let line = format!("{}  {name}", sha256(bytes));
        sums.split(|byte| *byte == b'\n').any(|known| known == line.as_bytes())
    };
    if bytes.as_ref().is_ok_and(is_meant) {
        return bytes;
    }
    match up_to(folder, &format!("{name}.partial"), LONGEST) {
        Ok(beside) if is_meant(&beside) => Ok(beside),
        _ => bytes,
    }
}

fn parsed(path: &Path, bytes: &[u8]) -> Result<BurnIn, NotRead> {
    let bad =
        |error: serde_json::Error| NotRead::Report { path: path.to_owned(), message: error.to_string() };
    // Whatever else there is of it is passed over.
    #[derive(Deserialize)]
    struct Formed {
        #[serde(default)]
        form: serde_json::Value,
    }
    let value: Formed = serde_json::from_slice(bytes).map_err(bad)?;
    let form = value.form.as_str().unwrap_or("none");
    if form != BURN_IN_FORM {
        let found = form.chars().take(80).collect();
        return Err(NotRead::Form { path: path.to_owned(), found });
    }
    serde_json::from_slice(bytes).map_err(bad)
}

/// Judges a burn-in again, without a network: its sums, and everything in its report that follows from its archives.
///
/// In: its folder; a suite to judge with, or that of the live run. Out: what came of it, and the report as it stands.
///
/// # Errors
/// [`NotRead`] where nothing could be judged.
pub fn recheck_burn_in(folder: &Path, suite: Option<Suite>) -> Result<(BurnInRecheck, BurnIn), NotRead> {
    let Standing { report, digest, differences, is_of_another_version } = Standing::read(folder)?;
    let suite = suite.map_or_else(|| suite_of(&report, folder), Ok)?;
    let (_, name) = report.edition.split_once('@').unwrap_or(("", &report.edition));
    let (edition, wire) = (edition(&suite, name)?, wire(&suite, &report.wire)?);
    let mut differences: Vec<String> = differences.iter().map(ToString::to_string).collect();
    if let Err(error) = derive_again(&report, folder, (&suite, edition, wire)) {
        differences.push(error.to_string());
    }
    let mut remarks = Vec::new();
    if is_of_another_version {
        remarks.push(format!("{TEXT}: not compared: written by version {}", report.tool.version));
    }
    remarks.extend(own_suite(&suite));
    remarks.extend(strangers(&report, folder));
    if !report.asked.no_migration {
        remarks.push(
            "steps 1 to 4 and 9 rest on databases that are not in this folder: they were not derived again"
                .to_owned(),
        );
    }
    let (form, state, identical) = (BURN_IN_RECHECK_FORM.to_owned(), report.state, differences.is_empty());
    Ok((BurnInRecheck { form, digest, state, identical, differences, remarks }, report))
}

/// What lies in the folder and is told nowhere: a live run or a round that somebody left out of the report, perhaps.
fn strangers(report: &BurnIn, folder: &Path) -> Vec<String> {
    /// No more are named.
    const MOST: usize = 100;
    let live = report.live.iter().map(|run| run.archive.as_str());
    let own = [file::SUMS, TEXT, REPORT].into_iter();
    let archives = live.chain(report.rounds.iter().map(|round| round.archive.as_str()));
    let known: BTreeSet<&str> = own.chain(archives).collect();
    let is_known = |name: &str| known.contains(name.strip_suffix(".partial").unwrap_or(name));
    let names = fs_err::read_dir(folder).into_iter().flatten().flatten();
    let names = names.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut strange: Vec<String> = names.filter(|name| !is_known(name)).take(MOST).collect();
    strange.sort();
    strange.into_iter().map(|name| format!("{name} is no part of the burn-in")).collect()
}

/// The suite of the first live run; that of this program where none was made.
fn suite_of(report: &BurnIn, folder: &Path) -> Result<Suite, NotRead> {
    match report.live.first().filter(|run| super::again::live_name(0) == run.archive) {
        Some(run) => Ok(Archive::read(&folder.join(&run.archive))?.suite()?),
        None => Ok(load_embedded(SUITE)?),
    }
}
