//! What a report says.

use assayer_vectors::{Effect, Keyword};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::baseline::BaselineResult;

/// Version of the report's form: the number grows when a member changes its meaning or disappears.
pub const FORM: &str = "assayer-report/1";

/// How a check ended. Only `pass` is a pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Every condition holds.
    Pass,
    /// A condition of a MUST does not hold.
    Fail,
    /// A condition of a SHOULD does not hold.
    Warn,
    /// A weakness that no sentence forbids was seen. It decides nothing.
    Finding,
    /// A capability that the check needs is absent, and the run says so.
    NotApplicable,
    /// A prerequisite is missing: neither shown nor refuted. Counts against conformance.
    NotVerified,
    /// The target or the harness broke.
    Error,
    /// It does not pass, as the baseline says.
    ExpectedFailure,
    /// The baseline expects something else: it passes, or fails for another reason. Fails the run.
    Stale,
}

/// What a run is allowed to leave behind on its target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Whatever the checks need.
    #[default]
    Full,
    /// One registration that is marked as that of a conformance run.
    Canary,
    /// Nothing.
    ReadOnly,
}

impl Mode {
    /// As in the machine-readable report.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Canary => "canary",
            Self::ReadOnly => "read-only",
        }
    }
}

/// What a run left behind on its target: one exchange that stores something and was accepted, or may have been.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Wrote {
    /// Its line in the transcript, from 0.
    pub n: u64,
    /// Name of the exchange.
    pub exchange: String,
    /// What it stores.
    pub effect: Effect,
    /// Whether the target said that it was accepted. Where no answer came, or one that says that the target broke, nobody knows.
    pub certain: bool,
    /// Method and path.
    pub request: String,
    /// The file that it is about, if it names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_id: Option<String>,
    /// The leaf that it became, if the answer says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tlog_index: Option<u64>,
}

/// What a verdict rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Label {
    /// Every condition was established from bytes that carry the target's own signature, under the key that it shows to all.
    TargetSigned,
    /// The prober saw it. Whoever keeps the transcript could have written something else.
    ProberObserved,
}

impl Label {
    /// As in the machine-readable report.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TargetSigned => "target-signed",
            Self::ProberObserved => "prober-observed",
        }
    }
}

/// What every report says about itself.
pub const PROVENANCE: &str = "A transcript shows what this endpoint answered to this prober, as the prober wrote it down. Only what is labelled \
    target-signed can be checked without trusting the prober.";

/// The report of one run.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// Form of this document: `assayer-report/1`.
    pub form: String,
    /// What made it.
    pub tool: Tool,
    /// Suite and edition, as in `oversight-v1@0.4.12`.
    pub edition: String,
    /// SHA-256 (hexadecimal) of the suite's data.
    pub suite_digest: String,
    /// Whether the suite is not the one of the version that judged, but somebody's own: its checks may ask less. Absent where it is
    /// that of the version.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub own_suite: bool,
    /// Wire profile.
    pub wire: String,
    /// What was checked: a URL, or `in-process`.
    pub target: String,
    /// True: every required check passed. False: at least one did not. Null: not evaluated (a selection, or no answer).
    pub conformant: Option<bool>,
    /// Whether the target could not be asked to the end, or never stood still long enough to be read.
    pub inconclusive: bool,
    /// What the run was allowed to leave behind.
    pub mode: Mode,
    /// What it left behind.
    pub wrote: Vec<Wrote>,
    /// Whether the whole edition was run.
    pub selection: Selection,
    /// When the first request was sent (RFC 3339, UTC).
    pub started_at: String,
    /// How long recording took, in milliseconds.
    pub elapsed_ms: u64,
    /// How many exchanges were sent: a burst is one, and what was asked again after a 429 is one.
    pub requests: usize,
    /// How many checks ended how.
    pub counts: Counts,
    /// What a baseline that was laid over the report came to; absent without one, as in archives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<BaselineResult>,
    /// The checks, in the order of the edition's groups.
    pub checks: Vec<CheckResult>,
    /// What the transcript of a run shows at all.
    pub provenance: String,
    /// What a pass does not prove.
    pub does_not_prove: Vec<String>,
}

/// Name and version of the program.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    /// `assayer`.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// Which part of the edition was run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Selection {
    /// All of it.
    Whole,
    /// A filter was given: conformance is not evaluated.
    Part,
}

/// How many checks ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Counts {
    /// All checks of the selection.
    pub total: usize,
    /// Passed.
    pub pass: usize,
    /// Failed.
    pub fail: usize,
    /// Warned.
    pub warn: usize,
    /// Weaknesses that no sentence forbids.
    pub finding: usize,
    /// Not applicable.
    pub not_applicable: usize,
    /// Not verified.
    pub not_verified: usize,
    /// Broken.
    pub error: usize,
    /// Not passed, as the baseline says.
    pub expected_failure: usize,
    /// Otherwise than the baseline says.
    pub stale: usize,
}

impl CheckResult {
    /// Whether it can decide about conformance: a check that no sentence demands cannot, however it ends.
    #[must_use]
    pub fn decides(&self) -> bool {
        self.keyword != Keyword::Finding
    }
}

impl Counts {
    /// Counts the checks.
    #[must_use]
    pub fn of<'r>(checks: impl IntoIterator<Item = &'r CheckResult>) -> Self {
        let mut counts = Self::default();
        for check in checks {
            counts.total += 1;
            *counts.place(check.status) += 1;
        }
        counts
    }

    /// How many checks ended like this.
    #[must_use]
    pub fn with(&self, status: Status) -> usize {
        let mut counts = *self;
        *counts.place(status)
    }

    fn place(&mut self, status: Status) -> &mut usize {
        match status {
            Status::Pass => &mut self.pass,
            Status::Fail => &mut self.fail,
            Status::Warn => &mut self.warn,
            Status::Finding => &mut self.finding,
            Status::NotApplicable => &mut self.not_applicable,
            Status::NotVerified => &mut self.not_verified,
            Status::Error => &mut self.error,
            Status::ExpectedFailure => &mut self.expected_failure,
            Status::Stale => &mut self.stale,
        }
    }
}

/// How one check ended.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckResult {
    /// Name of the check.
    pub id: String,
    /// Its group.
    pub group: String,
    /// Strength of what it tests.
    pub keyword: Keyword,
    /// How it ended.
    pub status: Status,
    /// How it ended before a baseline was laid over the report; absent where that changed nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judged: Option<Status>,
    /// Why it did not pass, as a stable code; empty for a pass.
    pub code: String,
    /// Why it did not pass: expected, found, where. Empty for a pass without remarks.
    pub reason: String,
    /// What that rests on.
    pub label: Label,
    /// The sentences that it tests.
    pub requirements: Vec<Cited>,
    /// Where the condition is weaker than the sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weak: Option<String>,
    /// Why a user should care.
    pub why: String,
    /// What was sent and answered, one line an exchange.
    pub exchanges: Vec<String>,
    /// A command that runs just this check again.
    pub rerun: String,
}

/// A requirement that a check cites.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cited {
    /// Stable id.
    pub id: String,
    /// Its strength.
    pub keyword: Keyword,
    /// What it demands.
    pub statement: String,
    /// Where it stands.
    pub source: String,
}
