//! Archives against each other: what changed between two runs, and several implementations side by side. Nothing that an
//! archive says is believed: its verdicts are derived again, and one that says something else is refused.

use std::path::{Path, PathBuf};

use assayer_reports::{ComparedRun, Comparison, Diff, Report, Side};
use assayer_vectors::{LoadError, Renames, Suite};

use crate::archive::{Archive, ArchiveError, ArchiveState, Difference, recheck};
use crate::job::{Job, UnknownName, cases_named, edition, selection, wire};
use crate::plan::cases;
use crate::run::{report, tool};
use crate::transcript::Transcript;

/// Why archives could not be compared.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CompareError {
    /// It could not be read.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// It says something else than what follows from its transcript.
    #[error("{}: the archive is not what it says: {}", folder.display(), listed(differences))]
    Changed {
        /// The archive.
        folder: PathBuf,
        /// Where it differs.
        differences: Vec<Difference>,
    },
    /// The run was broken off.
    #[error("{}: expected a complete archive, found one of a run that did not come to its end", .0.display())]
    Incomplete(PathBuf),
    /// The suite in it could not be read.
    #[error(transparent)]
    Suite(#[from] LoadError),
    /// The newer suite has no such edition, wire profile or check.
    #[error(transparent)]
    Unknown(#[from] UnknownName),
}

fn listed(differences: &[Difference]) -> String {
    let first: Vec<String> = differences.iter().take(3).map(ToString::to_string).collect();
    let more = differences.len().saturating_sub(first.len());
    if more == 0 { first.join("; ") } else { format!("{}; and {more} more", first.join("; ")) }
}

/// An archive that says what follows from its transcript.
#[derive(Clone, Debug)]
pub struct Intact {
    /// SHA-256 (hexadecimal) of its sums, and thereby of everything in it.
    pub digest: String,
    /// Manifest and exchanges.
    pub transcript: Transcript,
    /// The suite as it was.
    pub suite: Suite,
    /// The report, derived again.
    pub report: Report,
    /// Files that another version laid out for people, and that were not compared.
    pub not_compared: Vec<String>,
    /// What else should be known before it is relied on, in words.
    pub remarks: Vec<String>,
}

impl Intact {
    /// Reads an archive, judges it again, and compares.
    ///
    /// # Errors
    /// [`CompareError`] if it cannot be read, is not complete, or differs from what follows from its transcript.
    pub fn read(folder: &Path) -> Result<Self, CompareError> {
        let archive = Archive::read(folder)?;
        if archive.transcript.manifest.state == ArchiveState::Incomplete {
            return Err(CompareError::Incomplete(folder.to_owned()));
        }
        let changed = |differences| CompareError::Changed { folder: folder.to_owned(), differences };
        if !archive.integrity.is_empty() {
            return Err(changed(archive.integrity));
        }
        let suite = archive.suite()?;
        let (found, report) = recheck(&archive, &suite)?;
        match archive.digest {
            Some(digest) if found.differences.is_empty() => Ok(Self {
                digest,
                transcript: archive.transcript,
                suite,
                report,
                not_compared: found.not_compared,
                remarks: found.remarks,
            }),
            _ => Err(changed(found.differences)),
        }
    }

    fn side(&self) -> Side {
        Side {
            archive: self.digest.clone(),
            edition: self.report.edition.clone(),
            suite_digest: self.report.suite_digest.clone(),
            own_suite: self.report.own_suite,
            wire: self.report.wire.clone(),
            target: self.report.target.clone(),
            started_at: self.report.started_at.clone(),
            conformant: self.report.conformant,
            selection: self.report.selection,
        }
    }
}

/// What changed from one run to another. If they were judged by different suites or editions, the older transcript is judged
/// again by the newer suite, so that what the suite changed is told apart from what the target changed.
///
/// # Errors
/// [`CompareError::Unknown`] if the newer suite does not have the older wire profile.
pub fn diff(older: &Intact, newer: &Intact) -> Result<Diff, CompareError> {
    let renames = &newer.suite.renames;
    let same = older.suite.digest == newer.suite.digest
        && older.transcript.manifest.edition == newer.transcript.manifest.edition;
    let again = if same { None } else { Some(judged_by(newer, &older.transcript, renames)?) };
    let renamed = |id: &str| renames.check(id).to_owned();
    let sides = ((&older.report, older.side()), (&newer.report, newer.side()));
    Ok(Diff::of(tool(), sides.0, again.as_ref(), sides.1, renamed))
}

/// The report on an older transcript by the suite, the edition and the checks of a newer run.
fn judged_by(newer: &Intact, older: &Transcript, renames: &Renames) -> Result<Report, CompareError> {
    let (suite, manifest) = (&newer.suite, &newer.transcript.manifest);
    let edition = edition(suite, &manifest.edition)?;
    let wire = wire(suite, &older.manifest.wire)?;
    let selected = cases_named(suite, edition, &manifest.checks)?;
    let selection = selection(&selected, &cases(suite, edition));
    let job = Job { suite, edition, wire, cases: &selected, selection };
    let mut transcript = older.clone();
    for recorded in &mut transcript.exchanges {
        recorded.exchange = renames.exchange(&recorded.exchange).to_owned();
    }
    Ok(report(&job, &transcript))
}

/// Several implementations side by side; each with what it is called.
#[must_use]
pub fn side_by_side(runs: &[(String, Intact)]) -> Comparison {
    let run = |(name, run): &(String, Intact)| ComparedRun {
        name: name.clone(),
        archive: run.digest.clone(),
        report: run.report.clone(),
        own_suite: run.report.own_suite,
        remarks: run.remarks.clone(),
    };
    Comparison::of(tool(), &runs.iter().map(run).collect::<Vec<ComparedRun>>())
}
