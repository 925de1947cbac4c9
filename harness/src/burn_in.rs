//! The burn-in of a registry before traffic is switched to it: the nine steps of the deployment guide, with rounds of reading over a
//! window of time and append-only growth proven from round to round.
//!
//! Each round is an archive of its own, so that whoever doubts the report can judge every round again.

mod again;
mod tied;

use std::path::{Path, PathBuf};

use assayer_reference_registry as registry;
use assayer_reports::{Counts, Mode, Outcome as Came, Report, Status, Tool, Weight};
use assayer_vectors::{Capability, Document as Kind, Effect, Exchange, Growth, Reference, Suite, Torn, Wire};
use assayer_verifier::Limits;
use assayer_verifier::oversight::Log;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::archive::{Archive, ArchiveState, sha256};
use crate::growth::{NotOneLog, Sighting, compare};
use crate::plan::cases;
use crate::record::look_up;
use crate::transcript::{Answer, Outcome, Recorded, Transcript};
use crate::wrote::wrote;

pub use again::{NotDerived, Spoken, derive_again, slack_s};
pub use tied::tied;

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
    pub jumps: Vec<Jump>,
    /// The live runs: the last one is that of step 6; those before it broke off.
    pub live: Vec<LiveRun>,
    /// Files whose evidence is looked at in each round.
    pub file_ids: Vec<String>,
    /// SHA-256 (hexadecimal) of the old database when it began, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_database_sha256: Option<String>,
    /// The nine steps.
    pub steps: Vec<StepResult>,
    /// The rounds.
    pub rounds: Vec<Round>,
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

/// The old and the new database of a migration.
#[derive(Clone, Debug)]
pub struct Databases {
    /// The database that was taken over: only read.
    pub old: PathBuf,
    /// The database of the registry that is burnt in: only read.
    pub new: PathBuf,
    /// The folder of its log and identity.
    pub data_dir: PathBuf,
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

    /// For people.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut out = format!(
            "burn-in of {} ({}, wire {}): window {}, a round every {}\n",
            self.target,
            self.edition,
            self.wire,
            seconds(self.window_s),
            seconds(self.interval_s)
        );
        for step in &self.steps {
            out.push_str(&format!(
                "  {:<14} {}. {}: {}\n",
                word(step.status),
                step.step,
                step.title,
                step.text
            ));
        }
        for run in &self.live {
            let end = match run.state {
                ArchiveState::Complete => "complete",
                ArchiveState::Incomplete => "broke off; one more may have been under way",
            };
            out.push_str(&format!("  {:<14} left behind by {} writes; {end}\n", run.archive, run.wrote));
        }
        for jump in &self.jumps {
            let Jump { round, seconds } = jump;
            let text = format!("before round {round} the clock of this machine was set by {seconds} s");
            out.push_str(&format!("  {:<14} {text}\n", word(StepStatus::NotVerified)));
        }
        for round in &self.rounds {
            let size = round.tree_size.map_or_else(|| "no head".to_owned(), |size| format!("{size} leaves"));
            out.push_str(&format!(
                "  {:<14} round {} at {}: {}, {} bundles, {size}; growth {}: {}\n",
                word(round.status),
                round.round,
                round.started_at,
                round.text,
                round.bundles,
                word(round.growth),
                round.growth_text,
            ));
        }
        let state = match (self.state, self.outcome()) {
            (ArchiveState::Incomplete, _) => "the window is not over",
            (ArchiveState::Complete, Came::Good) => "every step and every round passed",
            (ArchiveState::Complete, Came::Bad) => "NOT ready: something failed",
            (ArchiveState::Complete, Came::Inconclusive) => "inconclusive: not everything was shown",
        };
        let since = match (&self.complete_since, &self.derived_again_at) {
            (Some(since), Some(_)) => format!("complete since {since}, derived again from its archives: "),
            _ => String::new(),
        };
        out.push_str(&format!(
            "{} rounds, {} missed, taken up again {} times: {since}{state}\n",
            self.rounds.len(),
            self.missed,
            self.resumed
        ));
        out
    }

    /// Steps 1 to 4: the old database, a dry run over it, and the new one against it. When a burn-in is taken up again they are looked
    /// at again: the new database may have grown since, and what failed once stays failed.
    ///
    /// Out: nothing where there is nothing to migrate.
    pub fn databases(&mut self, databases: Option<&Databases>) {
        let Some(Databases { old, new, data_dir }) = databases else {
            for step in [1, 2, 3, 4] {
                self.set(step, StepStatus::NotVerified, "expected --old-db and --db, or --no-migration");
            }
            return;
        };
        let may_have_grown = !self.live.is_empty();
        self.old_database_sha256 = self.old_database_sha256.take().or_else(|| sha256_of(old));
        let (status, text) = cold(old);
        self.set_for_good(1, status, text);
        let validation = registry::validate(new, data_dir);
        let found = validation.to_json();
        let status = if validation.is_ok() { StepStatus::Passed } else { StepStatus::Failed };
        self.set_for_good(4, status, nonzero(&found));
        let scratch = new.with_extension("never-written");
        match registry::migrate(old, &scratch, &scratch.with_extension("folder"), true) {
            Ok(dry_run) => {
                let dry_run = dry_run.to_json();
                self.set_for_good(2, StepStatus::Passed, rows(&dry_run));
                let (status, text) = same_rows(&dry_run, &found, may_have_grown);
                self.set_for_good(3, status, text);
            }
            Err(error) => {
                self.set_for_good(2, StepStatus::Failed, error.to_string());
                self.set_for_good(3, StepStatus::NotVerified, "there are no counts to compare with");
            }
        }
    }

    /// Step 4 goes on: a valid database may be that of another registry.
    ///
    /// In: what the live run saw.
    pub fn tie(&mut self, databases: Option<&Databases>, live: &Transcript, spoken: (&Suite, &Wire)) {
        let step = self.steps.iter().find(|step| step.step == 4 && step.status == StepStatus::Passed);
        if let (Some(databases), Some(step)) = (databases, step) {
            let valid = step.text.clone();
            let (status, text) = tied(databases, live, spoken);
            self.set(4, status, format!("{valid}; {text}"));
        }
    }

    /// What failed once stays failed.
    fn set_for_good(&mut self, step: u8, status: StepStatus, text: impl Into<String>) {
        if !self.steps.iter().any(|known| known.step == step && known.status == StepStatus::Failed) {
            self.set(step, status, text);
        }
    }

    /// Step 9: the old database is what it was. Said at the beginning, after each round and at the end.
    pub fn old_database(&mut self, old: &Path) {
        let found = sha256_of(old);
        let (status, text) = match (&self.old_database_sha256, found) {
            (Some(before), Some(found)) if *before == found => {
                (StepStatus::Passed, format!("SHA-256 {found}, as at the beginning"))
            }
            (Some(before), Some(found)) => {
                (StepStatus::Failed, format!("expected SHA-256 {before}, found {found}"))
            }
            (Some(before), None) => (StepStatus::Failed, format!("expected SHA-256 {before}, found no file")),
            (None, _) => (StepStatus::Failed, "it could not be read at the beginning".to_owned()),
        };
        self.set_for_good(9, status, text);
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
                let text = format!("{count} rounds, the last with {} leaves", size.unwrap_or(0));
                self.set(7, StepStatus::Passed, text);
            }
        }
    }
}

/// As in the machine-readable report.
fn word(status: StepStatus) -> &'static str {
    match status {
        StepStatus::Passed => "passed",
        StepStatus::Failed => "failed",
        StepStatus::NotVerified => "not-verified",
        StepStatus::NotApplicable => "not-applicable",
    }
}

/// A length of time for people.
fn seconds(seconds: u64) -> String {
    match seconds {
        0..3600 => format!("{seconds} s"),
        _ => format!("{seconds} s ({}.{:02} h)", seconds / 3600, seconds % 3600 / 36),
    }
}

fn sha256_of(path: &Path) -> Option<String> {
    fs_err::read(path).ok().map(|bytes| sha256(&bytes))
}

/// A copy that can be written is not what the guide asks for.
fn cold(old: &Path) -> (StepStatus, String) {
    match fs_err::metadata(old) {
        Err(error) => (StepStatus::Failed, error.to_string()),
        Ok(metadata) if metadata.permissions().readonly() => {
            (StepStatus::Passed, format!("{} bytes, read-only", metadata.len()))
        }
        Ok(_) => match fs_err::OpenOptions::new().append(true).open(old) {
            Err(_) => (StepStatus::Passed, "it cannot be opened for writing".to_owned()),
            Ok(_) => {
                (StepStatus::Failed, "expected a file that cannot be written, found one that can".to_owned())
            }
        },
    }
}

const TABLES: [&str; 5] = ["manifests", "beacons", "watermarks", "events", "corpus"];

fn rows(counts: &Json) -> String {
    let rows: Vec<String> = TABLES.iter().map(|table| format!("{table} {}", &counts[*table])).collect();
    rows.join(", ")
}

fn same_rows(dry_run: &Json, validation: &Json, may_have_grown: bool) -> (StepStatus, String) {
    let new = &validation["counts"];
    let has_them = |old: &Json, new: &Json| match (old.as_u64(), new.as_u64()) {
        (Some(old), Some(new)) => {
            if may_have_grown {
                new >= old
            } else {
                new == old
            }
        }
        _ => false,
    };
    if let Some(table) = TABLES.iter().find(|table| !has_them(&dry_run[**table], &new[**table])) {
        let text = format!("{table}: the old database has {}, the new one {}", dry_run[*table], new[*table]);
        return (StepStatus::Failed, text);
    }
    let (old, leaves) = (&dry_run["tlog_leaves"], &validation["tlog_size"]);
    let is_without_log = !may_have_grown && old == leaves;
    match has_them(old, leaves) || is_without_log {
        true => (StepStatus::Passed, format!("{}, leaves {leaves}", rows(new))),
        false => (StepStatus::Failed, format!("leaves: the old log has {old}, the new one {leaves}")),
    }
}

/// The classes of failure that are not zero.
fn nonzero(validation: &Json) -> String {
    let members = validation.as_object().into_iter().flatten();
    let failures =
        members.filter(|(name, value)| *name != "tlog_size" && value.as_u64().is_some_and(|count| count > 0));
    let named: Vec<String> = failures.map(|(name, count)| format!("{name} {count}")).collect();
    if named.is_empty() { "every class of failure is zero".to_owned() } else { named.join(", ") }
}

/// Step 5: where the registry listens and whether it asks for its secrets; step 6: what a live run comes to; and step 8: which calls
/// of the wire profile it saw served.
pub fn live(
    burn_in: &mut BurnIn,
    report: &Report,
    transcript: &Transcript,
    is_elsewhere: bool,
    spoken: Spoken<'_>,
) {
    let (suite, _, wire) = spoken;
    let (status, text) = guarded(report, transcript, is_elsewhere, spoken);
    burn_in.set(5, status, text);
    let (status, text) = of_report(report);
    burn_in.set(6, status, format!("mode {}: {text}", report.mode.as_str()));
    let unserved: Vec<&str> = wire
        .calls
        .keys()
        .map(String::as_str)
        .filter(|call| is_of_the_surface(suite, call))
        .filter(|call| !answers_to(transcript, suite, call).any(|answer| answer.status < 400))
        .collect();
    let refused: Vec<&str> = unserved
        .iter()
        .copied()
        .filter(|call| answers_to(transcript, suite, call).next().is_some())
        .collect();
    if !refused.is_empty() {
        burn_in.set(8, StepStatus::Failed, format!("asked for and never served: {}", refused.join(", ")));
    } else if unserved.is_empty() {
        burn_in.set(8, StepStatus::Passed, "all calls that the suite expects to be served are".to_owned());
    } else {
        let mode = report.mode.as_str();
        let text = format!("in mode {mode} these calls are not asked for: {}", unserved.join(", "));
        burn_in.set(8, StepStatus::NotVerified, text);
    }
}

/// Whether the registry is on loopback, and every check of the edition that sees a wrong credential refused was run and passed.
fn guarded(
    report: &Report,
    transcript: &Transcript,
    is_elsewhere: bool,
    (suite, edition, _): Spoken<'_>,
) -> (StepStatus, String) {
    let open = |text: String| (StepStatus::NotVerified, text);
    let capabilities = &transcript.manifest.capabilities;
    if is_elsewhere || capabilities.contains(&Capability::BeyondLoopback) {
        return (StepStatus::Failed, "it is reached at an address that is not on loopback".to_owned());
    }
    let mut counts = Vec::new();
    for (secret, name) in
        [(Capability::OperatorToken, "operator token"), (Capability::DnsEventSecret, "event secret")]
    {
        if !capabilities.contains(&secret) {
            return open("expected OVERSIGHT_OPERATOR_TOKEN and OVERSIGHT_DNS_EVENT_SECRET".to_owned());
        }
        let mut of_it = cases(suite, edition);
        of_it.retain(|case| {
            case.check.requires.contains(&secret)
                && case.expect.iter().any(|expectation| expectation.demands_rejection())
        });
        let found =
            of_it.iter().filter_map(|case| report.checks.iter().find(|check| check.id == case.check.id));
        let found: Vec<_> = found.collect();
        let mut decisive = found.iter().filter(|check| check.decides());
        if let Some(wrong) = decisive.clone().find(|check| check.status.weight() == Weight::Refuted) {
            return (StepStatus::Failed, format!("{name}: {}: {}", wrong.id, wrong.reason));
        }
        let (all, run) = (of_it.len(), found.len());
        if run < all || all == 0 {
            let mode = report.mode.as_str();
            return open(format!(
                "on loopback; in mode {mode} only {run} of the {all} checks that the {name} is asked for are run"
            ));
        }
        if let Some(open_one) = decisive.find(|check| check.status != Status::Pass) {
            return open(format!("{name}: {}: {}", open_one.id, open_one.reason));
        }
        counts.push(format!("{name}: {run} checks of the live run saw what is wrong refused"));
    }
    (StepStatus::Passed, format!("on loopback; {}", counts.join("; ")))
}

/// Whether the suite expects a call to be served at all: some calls are there to be refused.
fn is_of_the_surface(suite: &Suite, call: &str) -> bool {
    let is_accepted = |exchange: &Exchange| {
        let all = suite.checks.iter().flat_map(|check| &check.expect);
        let mut of_it = all.filter(|expectation| expectation.exchange == exchange.id);
        exchange.effect != Effect::None
            || of_it.any(|expected| {
                expected.status.is_some_and(|status| (200..300).contains(&status))
                    || !expected.established.is_empty()
            })
    };
    let of_call =
        |exchange: &&Exchange| exchange.request_in(suite).is_some_and(|request| request.call == call);
    suite.exchanges.iter().filter(of_call).any(is_accepted)
}

fn answers_to<'t>(
    transcript: &'t Transcript,
    suite: &'t Suite,
    call: &'t str,
) -> impl Iterator<Item = &'t Answer> {
    let all = transcript.exchanges.iter();
    let of_call = all.filter(move |recorded| call_of(suite, recorded) == Some(call));
    of_call.filter_map(answer)
}

fn call_of<'s>(suite: &'s Suite, recorded: &Recorded) -> Option<&'s str> {
    Some(suite.exchange(&recorded.exchange)?.request_in(suite)?.call.as_str())
}

fn answer(recorded: &Recorded) -> Option<&Answer> {
    match &recorded.outcome {
        Outcome::Answered { answer, .. } => Some(answer),
        Outcome::Failed { .. } | Outcome::NotSent { .. } => None,
    }
}

/// What a report comes to, as a step.
fn of_report(report: &Report) -> (StepStatus, String) {
    let counts = &report.counts;
    let text = format!("{} of {} checks passed", counts.pass, counts.total);
    let is_open = |weight| !matches!(weight, Weight::Good | Weight::Allowed);
    let open = report.checks.iter().find(|check| check.decides() && is_open(check.status.weight()));
    let open = open.map(|check| format!("; {}: {}", check.id, check.reason)).unwrap_or_default();
    match report.outcome() {
        Came::Good => (StepStatus::Passed, text),
        Came::Bad => (StepStatus::Failed, text + &open),
        Came::Inconclusive => (StepStatus::NotVerified, text + "; the target could not be asked to the end"),
    }
}

/// What one round saw, and whether it grew out of the one before.
#[must_use]
pub fn round(
    number: u64,
    name: &str,
    archive: &Archive,
    report: &Report,
    before: Option<&Transcript>,
    (suite, wire): (&Suite, &Wire),
) -> Round {
    let transcript = &archive.transcript;
    let (status, text) = of_report(report);
    let bundles = transcript
        .exchanges
        .iter()
        .filter(|known| kind_of(suite, wire, known) == Some(Kind::OversightBundle));
    let bundles = bundles.filter_map(answer).filter(|answer| answer.is_success()).count();
    let (growth, growth_text) = match before {
        None => (StepStatus::Passed, "the first round".to_owned()),
        Some(before) => grown(before, transcript, suite, wire),
    };
    Round {
        round: number,
        started_at: transcript.manifest.clock.started_at.clone(),
        archive: name.to_owned(),
        digest: archive.digest.clone(),
        counts: report.counts,
        status,
        text,
        tree_size: head_sizes(transcript, suite, wire).pop(),
        bundles,
        growth,
        growth_text,
    }
}

fn kind_of(suite: &Suite, wire: &Wire, recorded: &Recorded) -> Option<Kind> {
    wire.calls.get(call_of(suite, recorded)?)?.document
}

/// The sizes of all tree heads that were fetched, in order.
fn head_sizes(transcript: &Transcript, suite: &Suite, wire: &Wire) -> Vec<u64> {
    let heads =
        transcript.exchanges.iter().filter(|known| kind_of(suite, wire, known) == Some(Kind::OversightHead));
    let heads = heads.filter_map(answer).filter(|answer| answer.is_success());
    heads.filter_map(|answer| crate::transcript::part_of(&answer.body(), "/size")?.as_u64()).collect()
}

/// Whether every head that an earlier run saw is one of the log that a later run read whole, and the key is the same.
#[must_use]
pub fn grown(earlier: &Transcript, later: &Transcript, suite: &Suite, wire: &Wire) -> (StepStatus, String) {
    let key = |transcript| {
        let reference = Reference { name: "well-known".to_owned(), pointer: "/ed25519_pub".to_owned() };
        look_up(transcript, &reference, u32::MAX)
    };
    match (key(earlier), key(later)) {
        (Some(before), Some(found)) if before != found => {
            return (StepStatus::Failed, format!("expected the key {before}, found {found}"));
        }
        (Some(_), Some(_)) => {}
        _ => return (StepStatus::NotVerified, "one of the rounds saw no key".to_owned()),
    }
    let largest = |transcript: &Transcript| head_sizes(transcript, suite, wire).into_iter().max();
    if let (Some(before), Some(found)) = (largest(earlier), largest(later))
        && found < before
    {
        return (StepStatus::Failed, format!("expected at least {before} leaves, found {found}"));
    }
    let whole = later.exchanges.iter().find(|recorded| {
        recorded.each.is_some() && kind_of(suite, wire, recorded) == Some(Kind::OversightLog)
    });
    let Some(name) = whole.map(|recorded| recorded.exchange.clone()) else {
        return (StepStatus::NotVerified, "the log was not read".to_owned());
    };
    let pages: Vec<_> = later.of(&name).into_iter().filter_map(answer).map(Answer::body).collect();
    let (log, _) = Log::read(pages.iter().map(AsRef::as_ref), &Limits::default());
    let sightings = sightings(earlier, suite, wire);
    if sightings.is_empty() {
        return (StepStatus::NotVerified, "the round before saw no head".to_owned());
    }
    let leaves = log.leaves().len();
    match compare(&sightings, &log, &Growth { log: name, torn: Torn::Ignored }) {
        Ok(()) => (
            StepStatus::Passed,
            format!("{} heads of the round before are in the log of {leaves} leaves", sightings.len()),
        ),
        // A log that ends before a head that it showed earlier has lost leaves.
        Err(NotOneLog::Shown(text) | NotOneLog::TooShort(text)) => (StepStatus::Failed, text),
    }
}

/// Every head that a run saw, wherever it stood.
fn sightings(transcript: &Transcript, suite: &Suite, wire: &Wire) -> Vec<Sighting> {
    let one = |recorded: &Recorded| {
        let kind = kind_of(suite, wire, recorded);
        let body = answer(recorded).filter(|answer| answer.is_success())?.body();
        let sighting = Sighting::read(recorded.exchange.clone(), kind, &body)?;
        let together = suite.exchange(&recorded.exchange).and_then(|exchange| exchange.together.clone());
        Some(sighting.at_the_moment(together.map(|name| format!("{name} {}", recorded.attempt))))
    };
    transcript.exchanges.iter().filter_map(one).collect()
}

/// The file that a live run registered as its canary, for the rounds to look at.
#[must_use]
pub fn registered(report: &Report, suite: &Suite) -> Option<String> {
    let canary = report.wrote.iter().find(|wrote| Some(&wrote.exchange) == suite.canary.as_ref());
    canary.and_then(|wrote| wrote.file_id.clone())
}
