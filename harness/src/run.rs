//! A run: plan, record, judge, and read once more before anybody is accused.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use assayer_reference_registry::RateLimit;
use assayer_reports::{
    CheckResult, Counts, FORM, Mode, PROVENANCE, Report, Selection, Status, Tool, conformant,
};
use assayer_vectors::Exchange;

use crate::archive::{ArchiveState, Verdict, WriteError, derive, sha256};
use crate::client::{BadUrl, Client, Pace};
use crate::job::{Job, UnknownName};
use crate::judge::{Judge, Known, moved};
use crate::names::NamesError;
use crate::own_suite::own_suite;
use crate::plan::exchanges;
use crate::record::Recorder;
use crate::secrets::Secrets;
use crate::target::{InProcess, Misbehaviour, TargetError};
use crate::transcript::{Outcome, Transcript};
use crate::wrote::wrote;

/// How often a reading is taken while the target keeps moving. One that did not move is taken twice at most.
const MOST_READINGS: u32 = 4;

/// How long the log is left alone before it is read again.
const QUIET: Duration = Duration::from_millis(1_500);

/// The limit that the reference registry in this process has while a burst is sent; at other times it has none.
/// It is not filled up again: however slowly a machine under load sends the burst, the 31st request of it is one too many.
const LIMIT: RateLimit = RateLimit { per_second: 0, burst: 30 };

/// Why a run could not be done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The URL is of no use.
    #[error(transparent)]
    Url(#[from] BadUrl),
    /// The suite's documents could not be made.
    #[error(transparent)]
    Names(#[from] NamesError),
    /// The reference registry did not start.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// The archive could not be written.
    #[error(transparent)]
    Archive(#[from] WriteError),
    /// There is no such fault.
    #[error(transparent)]
    Fault(#[from] UnknownName),
}

/// What is run against.
#[derive(Clone, Debug)]
pub enum Against {
    /// The reference registry in this process, with faults or variants.
    InProcess(BTreeSet<String>),
    /// A registry that runs in this process already.
    Started(Arc<InProcess>),
    /// A registry at a URL, with the secrets that it needs.
    Url(String, Secrets),
}

/// How a run is done.
#[derive(Clone, Default)]
pub struct Options<'o> {
    /// What it may leave behind on the target.
    pub mode: Mode,
    /// Files that are registered already, for checks that look at these.
    pub given: Vec<String>,
    /// Told how many exchanges are done, and how many there are; readings that are taken again count beyond that.
    pub progress: Option<&'o dyn Fn(usize)>,
    /// What random choices of turns follow from; drawn if absent.
    pub seed: Option<String>,
    /// Folder in which an archive is written while the run goes on.
    pub out: Option<&'o Path>,
    /// How fast a registry at a URL is asked; at the polite pace if absent.
    pub pace: Option<Pace>,
    /// How long it may take; fifteen minutes if absent. What is not sent by then leaves the run inconclusive.
    pub longest: Option<Duration>,
}

/// Records and judges.
///
/// # Errors
/// [`RunError`] if nothing could be sent at all. A target that does not answer is a report, not an error.
pub fn run(job: &Job<'_>, against: &Against) -> Result<(Report, Transcript), RunError> {
    run_with(job, against, &Options::default())
}

/// Records and judges, with options.
///
/// # Errors
/// [`RunError`] if nothing could be sent at all, or the archive could not be written.
pub fn run_with(
    job: &Job<'_>,
    against: &Against,
    options: &Options<'_>,
) -> Result<(Report, Transcript), RunError> {
    run_planned(job, &exchanges(job.suite, job.cases), against, options)
}

/// As [`run_with`], with the exchanges that these cases need: whoever runs the same ones many times plans them once.
pub(crate) fn run_planned(
    job: &Job<'_>,
    planned: &[&Exchange],
    against: &Against,
    options: &Options<'_>,
) -> Result<(Report, Transcript), RunError> {
    let (started, url, secrets, pace, name) = match against {
        Against::InProcess(faults) => {
            let started = InProcess::start(&Misbehaviour::named(job.suite, faults)?, job.wire)?;
            of_this_process(Arc::new(started))
        }
        Against::Started(started) => of_this_process(Arc::clone(started)),
        Against::Url(url, secrets) => {
            let pace = options.pace.unwrap_or(Pace::POLITE);
            (None, url.clone(), secrets.clone(), Some(pace), url.as_str())
        }
    };
    let client = Client::new(&url, pace)?;
    let mut recorder = Recorder::new(job, client, secrets, name, options)?;
    if let Against::InProcess(faults) = against {
        recorder.rerun_with(faults);
    }
    if let Some(folder) = options.out {
        recorder.write_to(folder)?;
    }
    if let Some(limit) = started.as_ref().and_then(|started| started.limit()) {
        recorder.around_bursts(move |is_on| limit.set(is_on.then_some(LIMIT)));
    }
    let known = record_until_settled(job, planned, &mut recorder, pace.is_some());
    let (transcript, archive) = recorder.finish()?;
    drop(started);
    let Some(archive) = archive else {
        return Ok((report_knowing(job, &transcript, known), transcript));
    };
    let manifest = sha256(transcript.manifest.to_json().as_bytes());
    let (report, derived) = derive(job, &transcript, manifest, archive.transcript_sha256());
    archive.finish(&transcript, &derived)?;
    Ok((report, transcript))
}

/// Sends everything once, and readings that are in doubt again. Out: what judging it in between found out.
fn record_until_settled<'s>(
    job: &Job<'s>,
    planned: &[&Exchange],
    recorder: &mut Recorder<'s, '_>,
    is_paced: bool,
) -> Known {
    recorder.record(planned, 1);
    let mut known = Known::default();
    for attempt in 1..MOST_READINGS {
        let judge = Judge::new(job.suite, job.wire, recorder.transcript(), "").knowing(known);
        let again = readings_in_doubt(job, planned, &judge, recorder.transcript(), attempt);
        known = judge.known();
        if again.is_empty() {
            break;
        }
        if is_paced {
            sleep(QUIET);
            recorder.rest();
        }
        recorder.record(&again, attempt + 1);
    }
    known
}

type Target<'t> = (Option<Arc<InProcess>>, String, Secrets, Option<Pace>, &'t str);

fn of_this_process<'t>(started: Arc<InProcess>) -> Target<'t> {
    let (url, secrets) = (started.url(), started.secrets());
    (Some(started), url, secrets, None, "in-process")
}

/// This program, as reports name it.
#[must_use]
pub fn tool() -> Tool {
    Tool { name: "assayer".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() }
}

/// The report that follows from a transcript; pure.
#[must_use]
pub fn report(job: &Job<'_>, transcript: &Transcript) -> Report {
    report_knowing(job, transcript, Known::default())
}

/// The same, where something is known already of how attempts ended.
fn report_knowing(job: &Job<'_>, transcript: &Transcript, known: Known) -> Report {
    let judge = Judge::new(job.suite, job.wire, transcript, &transcript.manifest.rerun).knowing(known);
    report_of(job, transcript, job.cases.iter().map(|case| judge.judge(case)).collect())
}

/// The report that follows from a transcript, and what each verdict in it rests on; pure.
pub(crate) fn judged(job: &Job<'_>, transcript: &Transcript) -> (Report, Vec<Verdict>) {
    let judge = Judge::new(job.suite, job.wire, transcript, &transcript.manifest.rerun);
    let (checks, verdicts): (Vec<CheckResult>, Vec<Verdict>) =
        job.cases.iter().map(|case| judge.verdict(case)).unzip();
    (report_of(job, transcript, checks), verdicts)
}

fn report_of(job: &Job<'_>, transcript: &Transcript, checks: Vec<CheckResult>) -> Report {
    let manifest = &transcript.manifest;
    let inconclusive = is_inconclusive(job, &checks, transcript);
    Report {
        form: FORM.to_owned(),
        tool: manifest.tool.clone(),
        edition: format!("{}@{}", job.suite.name, job.edition.edition),
        suite_digest: job.suite.digest.clone(),
        own_suite: own_suite(job.suite).is_some(),
        wire: job.wire.wire.clone(),
        target: manifest.target.clone(),
        conformant: conformant(&checks, job.selection, inconclusive),
        inconclusive,
        mode: manifest.mode,
        wrote: wrote(job.suite, transcript),
        selection: job.selection,
        started_at: manifest.clock.started_at.clone(),
        elapsed_ms: manifest.clock.elapsed_ms,
        requests: transcript.requests(),
        counts: Counts::of(&checks),
        baseline: None,
        checks,
        provenance: PROVENANCE.to_owned(),
        does_not_prove: job.suite.does_not_prove.clone(),
    }
}

/// Whether the target could not be reached, refused to be asked, was too slow for the time of a run, never stood still long
/// enough to be read, or the run was broken off.
fn is_inconclusive(job: &Job<'_>, checks: &[CheckResult], transcript: &Transcript) -> bool {
    let unanswered = transcript.exchanges.iter().any(|recorded| match &recorded.outcome {
        Outcome::Failed { failure, .. } => failure.is_inconclusive(),
        Outcome::NotSent { out_of_time, .. } => *out_of_time,
        Outcome::Answered { .. } => false,
    });
    let open = checks.iter().any(|check| check.decides() && check.status == Status::NotVerified);
    let moving = job.suite.readings.iter().any(|reading| moved(reading, transcript, transcript.attempts()));
    unanswered || (open && moving) || transcript.manifest.state == ArchiveState::Incomplete
}

/// Exchanges of readings on which something did not pass; they store nothing, so they can be sent again.
///
/// The recorded registries tear heads and proofs when others write, so nobody is accused on one reading. What no race
/// explains stays a failure whatever a later reading says.
fn readings_in_doubt<'e>(
    job: &Job<'_>,
    planned: &[&'e Exchange],
    judge: &Judge<'_>,
    transcript: &Transcript,
    attempt: u32,
) -> Vec<&'e Exchange> {
    let doubted: BTreeSet<&str> = job
        .cases
        .iter()
        .filter(|case| judge.is_in_doubt(case))
        .flat_map(|case| case.expect)
        .filter_map(|expectation| job.suite.exchange(&expectation.exchange)?.reading.as_deref())
        .collect();
    let again: BTreeSet<&str> = job
        .suite
        .readings
        .iter()
        .filter(|reading| doubted.contains(reading.id.as_str()))
        .filter(|reading| attempt == 1 || moved(reading, transcript, attempt))
        .map(|reading| reading.id.as_str())
        .collect();
    let in_doubt =
        |exchange: &&&Exchange| exchange.reading.as_deref().is_some_and(|name| again.contains(name));
    planned.iter().filter(in_doubt).copied().collect()
}

/// The command that shows a failure again; where it ends with `--only`, the name of the check is put behind it.
///
/// A check alone sends only what it needs itself, and what is wrong may show only in a log to which others wrote too. So the registry
/// of this process, which takes a second, is asked everything again; elsewhere less is left behind with one check alone.
pub(crate) fn rerun_command(job: &Job<'_>, target: &str, client: &Client, options: &Options<'_>) -> String {
    let url = if target == "in-process" { String::new() } else { format!(" --url {target}") };
    let wire = match job.wire.wire == job.edition.wire {
        true => String::new(),
        false => format!(" --wire {}", job.wire.wire),
    };
    let folder = job.suite.folder.as_ref();
    let folder = folder
        .map_or_else(String::new, |folder| format!(" --suite-dir {}", quoted(&folder.display().to_string())));
    let mode = match options.mode {
        Mode::Full if client.may_be_elsewhere() => " --i-operate-this-target".to_owned(),
        Mode::Full => String::new(),
        mode => format!(" --mode {}", mode.as_str()),
    };
    let given: String = options.given.iter().map(|id| format!(" --file-id {}", quoted(id))).collect();
    let only = if target == "in-process" && job.selection == Selection::Whole { "" } else { " --only" };
    format!("assayer check --edition {}{wire}{folder}{url}{mode}{given}{only}", job.edition.edition)
}

/// As a shell takes it for one word.
fn quoted(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+:".contains(&byte);
    if text.bytes().all(is_plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', "'\\''")) }
}
