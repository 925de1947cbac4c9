//! The burn-in of a registry before traffic is switched to it: the nine steps of the deployment guide, with rounds of reading over a
//! window of time and append-only growth proven from round to round.
//!
//! Each round is an archive of its own, so that whoever doubts the report can judge every round again.

mod again;
mod databases;
mod folder;
mod live;
mod rounds;
mod text;
mod tied;

use std::fmt;
use std::marker::PhantomData;

use assayer_reports::{Counts, Mode, Outcome as Came, Tool, number_of};
use assayer_vectors::Suite;
use schemars::JsonSchema;
use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::archive::{Archive, ArchiveState};
use crate::wrote::wrote;

pub use again::{NotDerived, Spoken, derive_again, slack_s};
pub use databases::Databases;
pub use folder::{BURN_IN_RECHECK_FORM, BurnInRecheck, NotRead, Standing, is_burn_in, recheck_burn_in};
pub use live::{live, registered};
pub use rounds::{grown, round};
pub use tied::tied;

/// No burn-in has more rounds: one each hour for a year are 8,785.
pub const MOST_ROUNDS: u64 = 10_000;

/// Version of the form of [`BurnIn`].
pub const BURN_IN_FORM: &str = "assayer-burn-in/1";

/// The report of a burn-in: it is written anew after each step and each round, and read again when one is resumed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BurnIn {
    /// Form of this document: `assayer-burn-in/1`.
    pub form: String,
    /// What made it.
    pub tool: Tool,
    /// What is burnt in.
    pub target: String,
    /// Suite and edition.
    pub edition: String,
    /// SHA-256 (hexadecimal) of the suite's data.
    pub suite_digest: String,
    /// Whether the suite is not the one of the version that ran it, but somebody's own. Absent where it is that of the version.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub own_suite: bool,
    /// Wire profile.
    pub wire: String,
    /// What it was begun with: it is taken up again with the same.
    pub asked: Asked,
    /// When the window began, after the live run (RFC 3339, UTC).
    pub started_at: String,
    /// How long the window is, in seconds.
    pub window_s: u64,
    /// From the beginning of one round to that of the next, in seconds.
    pub interval_s: u64,
    /// Whether the window is over.
    pub state: ArchiveState,
    /// Since when it is (RFC 3339, UTC).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub complete_since: Option<String>,
    /// When all of it was last derived again from its archives, after it was over (RFC 3339, UTC).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub derived_again_at: Option<String>,
    /// How often it was taken up again after it had broken off.
    pub resumed: u32,
    /// Rounds that were due while nobody was there to do them.
    pub missed: u64,
    /// When the clock of this machine was set while the burn-in went on.
    #[serde(deserialize_with = "bounded")]
    pub jumps: Vec<Jump>,
    /// The live runs: the last one is that of step 6; those before it broke off.
    #[serde(deserialize_with = "bounded")]
    pub live: Vec<LiveRun>,
    /// Files whose evidence is looked at in each round.
    pub file_ids: Vec<String>,
    /// SHA-256 (hexadecimal) of the old database when it began, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_database_sha256: Option<String>,
    /// The nine steps.
    #[serde(deserialize_with = "bounded")]
    pub steps: Vec<StepResult>,
    /// The rounds.
    #[serde(deserialize_with = "bounded")]
    pub rounds: Vec<Round>,
}

/// Reads a list, and refuses it as soon as it is longer than that of any burn-in.
fn bounded<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    struct Bounded<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for Bounded<T> {
        type Value = Vec<T>;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(formatter, "a list of at most {MOST_ROUNDS}")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<T>, A::Error> {
            let mut read = Vec::new();
            while let Some(item) = items.next_element()? {
                if read.len() as u64 == MOST_ROUNDS {
                    return Err(A::Error::custom(format!(
                        "expected a list of at most {MOST_ROUNDS}, found a longer one"
                    )));
                }
                read.push(item);
            }
            Ok(read)
        }
    }

    deserializer.deserialize_seq(Bounded(PhantomData))
}

/// What a burn-in was asked for, beside registry, edition and window.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// What the live run may leave behind.
    pub mode: Mode,
    /// Files that were named by the operator.
    pub file_ids: Vec<String>,
    /// Whether the operator says that there is nothing to migrate.
    pub no_migration: bool,
    /// The database that was taken over, as it was named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_db: Option<String>,
    /// The database of the registry, as it was named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub db: Option<String>,
    /// The folder of its log and identity, as it was named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_dir: Option<String>,
}

/// The clock of the machine was set: times of day before and after do not say how much time went by.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Jump {
    /// The round before which it was noticed.
    pub round: u64,
    /// By how many seconds it ran ahead of a clock that nobody sets; negative where it was set back.
    pub seconds: i64,
}

/// One live run.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LiveRun {
    /// Its archive, relative to the report.
    pub archive: String,
    /// Whether it came to its end.
    pub state: ArchiveState,
    /// SHA-256 (hexadecimal) of the archive's sums; absent if it broke off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// Exchanges that stored something on the target, or may have. Of a run that broke off there may be one more, which was under
    /// way.
    pub wrote: usize,
    /// Whether some address of the target was not on the loopback interface.
    pub is_elsewhere: bool,
}

impl LiveRun {
    /// What an archive of a live run comes to.
    #[must_use]
    pub fn of(name: &str, archive: &Archive, is_elsewhere: bool, suite: &Suite) -> Self {
        Self {
            archive: name.to_owned(),
            state: archive.transcript.manifest.state,
            digest: archive.digest.clone(),
            wrote: wrote(suite, &archive.transcript).len(),
            is_elsewhere,
        }
    }
}

/// How a step or a comparison ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StepStatus {
    /// It is as it must be.
    Passed,
    /// It is not: this blocks.
    Failed,
    /// Nothing was shown.
    NotVerified,
    /// The operator says that there is nothing to migrate.
    NotApplicable,
}

/// One step of the deployment guide.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepResult {
    /// Its number there.
    pub step: u8,
    /// What it is about.
    pub title: String,
    /// How it ended.
    pub status: StepStatus,
    /// Expected and found.
    pub text: String,
}

/// One round.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Round {
    /// Its number, from 1.
    pub round: u64,
    /// When it began (RFC 3339, UTC).
    pub started_at: String,
    /// Its archive, relative to the report.
    pub archive: String,
    /// SHA-256 (hexadecimal) of the archive's sums.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// How its checks ended.
    pub counts: Counts,
    /// What they come to.
    pub status: StepStatus,
    /// The checks that did not pass, and why.
    pub text: String,
    /// Leaves of the log at its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tree_size: Option<u64>,
    /// How many bundles of evidence were fetched and verified.
    pub bundles: usize,
    /// Whether every head of the round before is one of the log of this round.
    pub growth: StepStatus,
    /// Expected and found.
    pub growth_text: String,
}

const TITLES: [&str; 9] = [
    "the old database is a cold copy that cannot be written",
    "a dry run counts the rows of the old database",
    "the new database has them all",
    "the new database is valid, and that of the registry",
    "the registry listens on loopback, and asks for operator token and event secret",
    "a live conformance run",
    "identity, head, log and evidence, fetched and verified in each round",
    "the surface is the one of the wire profile",
    "the old database is there, unchanged, until the window is over",
];

impl BurnIn {
    /// Sets how a step ended.
    pub fn set(&mut self, step: u8, status: StepStatus, text: impl Into<String>) {
        let title = TITLES.get(usize::from(step).saturating_sub(1)).copied().unwrap_or_default().to_owned();
        let result = StepResult { step, title, status, text: text.into() };
        self.steps.retain(|known| known.step != step);
        self.steps.push(result);
        self.steps.sort_by_key(|known| known.step);
    }

    /// What it comes to: good only if the window is over, every step passed or there was nothing to migrate, and every round
    /// passed and grew out of the one before.
    #[must_use]
    pub fn outcome(&self) -> Came {
        let rounds = self.rounds.iter().flat_map(|round| [round.status, round.growth]);
        let all: Vec<StepStatus> = self.steps.iter().map(|step| step.status).chain(rounds).collect();
        let good = |status: &StepStatus| matches!(status, StepStatus::Passed | StepStatus::NotApplicable);
        let is_whole = self.state == ArchiveState::Complete && self.steps.len() == TITLES.len();
        match () {
            () if all.contains(&StepStatus::Failed) => Came::Bad,
            () if is_whole && self.is_seen_through() && all.iter().all(good) => Came::Good,
            () => Came::Inconclusive,
        }
    }

    /// Whether every round was done, by a clock that was not set.
    fn is_seen_through(&self) -> bool {
        self.rounds.len() > 1 && self.missed == 0 && self.jumps.is_empty()
    }

    /// How many rounds window and interval imply: one at its beginning, one at its end.
    #[must_use]
    pub fn rounds_due(&self) -> u64 {
        self.window_s.div_ceil(self.interval_s.max(1)).saturating_add(1)
    }

    /// How many of them were done or missed.
    #[must_use]
    pub fn rounds_over(&self) -> u64 {
        (self.rounds.len() as u64).saturating_add(self.missed)
    }

    /// When a round is due, in seconds after the beginning of the window; the first is 0.
    #[must_use]
    pub fn due_s(&self, before: u64) -> u64 {
        before.saturating_mul(self.interval_s).min(self.window_s)
    }

    /// The name of the archive of a round.
    #[must_use]
    pub fn archive_of(round: u64) -> String {
        format!("round-{round:04}")
    }

    /// As one JSON document, with a newline at its end.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }

    /// Step 7: what all rounds come to.
    pub fn rounds(&mut self) {
        let bad = self.rounds.iter().find(|round| [round.status, round.growth].contains(&StepStatus::Failed));
        let open = self.rounds.iter().find(|round| {
            round.status != StepStatus::Passed || round.growth != StepStatus::Passed || round.bundles == 0
        });
        let (count, size) = (self.rounds.len(), self.rounds.last().and_then(|round| round.tree_size));
        match (bad, open) {
            (Some(round), _) => self.set(7, StepStatus::Failed, format!("round {}", round.round)),
            (None, Some(round)) => {
                let text = format!("round {} left something open, or saw no evidence", round.round);
                self.set(7, StepStatus::NotVerified, text);
            }
            (None, None) => {
                let rounds = number_of(count, "round", "rounds");
                let leaves = number_of(size.unwrap_or(0), "leaf", "leaves");
                let text = format!("{rounds}, the last with {leaves}");
                self.set(7, StepStatus::Passed, text);
            }
        }
    }
}
