//! The archive of a run: a folder from which anybody can derive every verdict again, offline.
//!
//! ```text
//! DIR/manifest.json       what was run, against what, with what; whether the run came to its end
//!     transcript.ndjson   what was sent and answered, one line an exchange, written while the run goes on
//!     suite/              the suite's data files, as they were
//!     verdicts.json       how each check ended, on which lines of the transcript, by which expectation
//!     report.json         the report
//!     report.txt          the same for people, and as junit.xml, report.md, report.ndjson, report.html and, of a complete run, badge.svg
//!     transcript.har      the transcript as HAR 1.2
//!     SHA256SUMS          SHA-256 of every file above, as `sha256sum --check` reads it
//! ```
//!
//! A run that is killed leaves manifest, suite and the lines that it wrote: a valid archive whose manifest says `incomplete`.

mod differences;
mod har;
mod manifest;
mod order;
mod read;
mod recheck;
mod verdicts;
mod write;

pub use differences::Difference;
pub(crate) use differences::of_files as files_differ;
pub use har::har;
pub use manifest::{ARCHIVE_FORM, ArchiveState, Certificate, Clock, Manifest, SuiteUsed, TlsPeer};
pub(crate) use read::up_to;
pub use read::{Archive, ArchiveError};
pub use recheck::{RECHECK_FORM, Recheck, derive, recheck};
pub use verdicts::{Judged, VERDICTS_FORM, Verdict, Verdicts};
pub use write::{Derived, WriteError, Writer};

/// Names of the files of an archive.
pub(crate) mod file {
    pub(crate) const MANIFEST: &str = "manifest.json";
    pub(crate) const TRANSCRIPT: &str = "transcript.ndjson";
    pub(crate) const SUITE: &str = "suite";
    pub(crate) const VERDICTS: &str = "verdicts.json";
    pub(crate) const REPORT: &str = "report.json";
    pub(crate) const TEXT: &str = "report.txt";
    pub(crate) const HAR: &str = "transcript.har";
    pub(crate) const SUMS: &str = "SHA256SUMS";
}

/// SHA-256 in lower-case hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest;
    hex::encode(sha2::Sha256::digest(bytes))
}
