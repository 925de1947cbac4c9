//! What a report of a burn-in says, derived again from its archives: whoever reads the report need not believe it.

use std::path::{Path, PathBuf};

use assayer_reports::{Mode, Report};
use assayer_vectors::{Edition, Suite, Wire};
use jiff::Timestamp;
use serde_json::Value as Json;

use super::{BurnIn, StepResult, StepStatus, live, registered, round};
use crate::archive::{Archive, ArchiveState, recheck};
use crate::names::GIVEN;
use crate::plan::{allowed, cases};
use crate::transcript::Transcript;

/// Where the report of a burn-in and its archives part ways.
#[derive(Debug, thiserror::Error)]
pub enum NotDerived {
    /// An archive is gone, is another one, or something else follows from it.
    #[error("{}: {message}", .archive.display())]
    Archive {
        /// The folder.
        archive: PathBuf,
        /// What was expected and found.
        message: String,
    },
    /// The report contradicts itself.
    #[error("burn-in.json: {0}")]
    Report(String),
}

/// What a burn-in speaks: the suite, one of its editions, one of its wire profiles.
pub type Spoken<'s> = (&'s Suite, &'s Edition, &'s Wire);

/// Reads every archive of a burn-in again, judges it again, and compares all that the report says about it; then, that there are as
/// many rounds as window and interval imply, each not before it was due.
///
/// In: the report, the folder that it stands in. Out: the transcript of the live run, if there was one.
///
/// # Errors
/// [`NotDerived`], naming the first archive that differs.
pub fn derive_again(
    recorded: &BurnIn,
    folder: &Path,
    spoken: Spoken<'_>,
) -> Result<Option<Transcript>, NotDerived> {
    of_what_was_asked(recorded, spoken)?;
    let mut again = recorded.clone();
    let seen = of_the_live_run(&mut again, folder, spoken)?;
    let is_after = |step: u8| usize::from(step) >= LIVE_RUN && step != OLD_DATABASE;
    if seen.is_none()
        && (recorded.steps.iter().any(|step| is_after(step.step)) || !recorded.rounds.is_empty())
    {
        return Err(NotDerived::Report(
            "expected the live run before what comes after it, found none".to_owned(),
        ));
    }
    of_the_rounds(&again, folder, spoken)?;
    of_the_window(recorded)?;
    if !again.rounds.is_empty() {
        again.rounds();
    }
    match recorded.steps.iter().zip(&again.steps).find(|(before, found)| before != found) {
        Some((before, found)) => {
            let message = format!("step {}: {}", before.step, differs(before, found));
            Err(NotDerived::Report(message))
        }
        None => Ok(seen),
    }
}

/// The suite is the one that is named, and there is a migration or there is none.
fn of_what_was_asked(recorded: &BurnIn, (suite, edition, _): Spoken<'_>) -> Result<(), NotDerived> {
    let said = (&recorded.suite_digest, &recorded.edition);
    let found = (&suite.digest, &format!("{}@{}", suite.name, edition.edition));
    if said != found {
        return Err(NotDerived::Report(format!("suite and edition: {}", differs(&said, &found))));
    }
    let is_of_databases = |step: &&StepResult| step.step < 5 || step.step == OLD_DATABASE;
    let is_none = |step: &StepResult| step.status == StepStatus::NotApplicable;
    let mut steps = recorded.steps.iter().filter(is_of_databases);
    match steps.find(|step| is_none(step) != recorded.asked.no_migration) {
        Some(step) => Err(NotDerived::Report(format!(
            "step {}: it applies only where there is something to migrate, and no_migration is {}",
            step.step, recorded.asked.no_migration
        ))),
        None => Ok(()),
    }
}

/// The name of the archive of a live run, by its place.
pub(super) fn live_name(place: usize) -> String {
    if place == 0 { "live".to_owned() } else { format!("live-{}", place + 1) }
}

/// The number of the live run among the steps.
const LIVE_RUN: usize = 6;
/// The number of the step that is looked at before it too.
const OLD_DATABASE: u8 = 9;

/// Every live run stands where it is said to, the last of them came to its end, and the steps are what follows from it.
fn of_the_live_run(
    again: &mut BurnIn,
    folder: &Path,
    spoken: Spoken<'_>,
) -> Result<Option<Transcript>, NotDerived> {
    let is_over = again.steps.iter().any(|step| usize::from(step.step) == LIVE_RUN);
    let runs = again.live.clone();
    for (place, run) in runs.iter().enumerate() {
        let expected = live_name(place);
        let at = |message| NotDerived::Archive { archive: folder.join(&run.archive), message };
        if run.archive != expected {
            return Err(at(format!("expected {expected} as live run {}", place + 1)));
        }
        let (archive, report) =
            read(again, folder, &run.archive, run.digest.as_deref(), again.asked.mode, spoken)?;
        let found = super::LiveRun::of(&run.archive, &archive, run.is_elsewhere, spoken.0);
        if *run != found {
            return Err(at(differs(run, &found)));
        }
        if is_over && place + 1 == runs.len() {
            let before = again.steps.clone();
            live(again, &report, &archive.transcript, run.is_elsewhere, spoken);
            if let Some((before, found)) =
                before.iter().zip(&again.steps).find(|(before, found)| before != found)
            {
                return Err(at(format!("step {}: {}", before.step, differs(before, found))));
            }
            let mut files = again.asked.file_ids.clone();
            files.extend(registered(&report, spoken.0));
            if files != again.file_ids {
                return Err(at(format!("file_ids: {}", differs(&again.file_ids, &files))));
            }
            return Ok(Some(archive.transcript));
        }
    }
    Ok(None)
}

/// Every round is what follows from its archive, and from that of the round before.
fn of_the_rounds(again: &BurnIn, folder: &Path, spoken: Spoken<'_>) -> Result<(), NotDerived> {
    let (suite, _, wire) = spoken;
    let mut before: Option<Transcript> = None;
    for known in &again.rounds {
        let name = BurnIn::archive_of(known.round);
        let at = |message| NotDerived::Archive { archive: folder.join(&name), message };
        let (archive, report) = read(again, folder, &name, known.digest.as_deref(), Mode::ReadOnly, spoken)?;
        let given = archive.transcript.manifest.names.get(GIVEN).and_then(|given| given.get("file_ids"));
        if given != Some(&Json::from(again.file_ids.clone())) {
            return Err(at(format!("file_ids: {}", differs(&again.file_ids, &given))));
        }
        let found = round(known.round, &name, &archive, &report, before.as_ref(), (suite, wire));
        if *known != found {
            return Err(at(differs(known, &found)));
        }
        if found.tree_size.is_some() {
            before = Some(archive.transcript);
        }
    }
    Ok(())
}

/// An archive of the burn-in, and the report that follows from it.
fn read(
    recorded: &BurnIn,
    folder: &Path,
    name: &str,
    digest: Option<&str>,
    mode: Mode,
    (suite, edition, wire): Spoken<'_>,
) -> Result<(Archive, Report), NotDerived> {
    let path = folder.join(name);
    let at = |message: String| NotDerived::Archive { archive: path.clone(), message };
    if !fs_err::symlink_metadata(&path).is_ok_and(|found| found.is_dir()) {
        return Err(at("expected a folder, found none, or a link".to_owned()));
    }
    let archive = Archive::read(&path).map_err(|error| at(error.to_string()))?;
    if archive.digest.as_deref() != digest {
        return Err(at(format!("digest: {}", differs(&digest, &archive.digest))));
    }
    let (found, report) = recheck(&archive, suite).map_err(|error| at(error.to_string()))?;
    if let Some(difference) = found.differences.first() {
        return Err(at(difference.to_string()));
    }
    let manifest = &archive.transcript.manifest;
    let checks: Vec<&str> =
        allowed(suite, mode, &cases(suite, edition)).iter().map(|case| case.check.id.as_str()).collect();
    let said = serde_json::json!({"target": manifest.target, "edition": manifest.edition, "wire": manifest.wire,
        "mode": manifest.mode, "tool": manifest.tool, "checks": manifest.checks});
    let asked = serde_json::json!({"target": recorded.target, "edition": edition.edition, "wire": wire.wire,
        "mode": mode, "tool": recorded.tool, "checks": checks});
    if said == asked { Ok((archive, report)) } else { Err(at(differs(&asked, &said))) }
}

/// As many rounds as window and interval imply, none before it was due.
fn of_the_window(recorded: &BurnIn) -> Result<(), NotDerived> {
    let wrong = |message: String| Err(NotDerived::Report(message));
    let (all, seen) = (recorded.rounds_due(), recorded.rounds_over());
    let is_over = recorded.state == ArchiveState::Complete;
    if seen > all || (is_over && seen != all) {
        let (window, interval) = (recorded.window_s, recorded.interval_s);
        return wrong(format!(
            "a window of {window} s and an interval of {interval} s imply {all} rounds, found {} and {} missed",
            recorded.rounds.len(),
            recorded.missed
        ));
    }
    let numbers: Vec<u64> = recorded.rounds.iter().map(|round| round.round).collect();
    let is_ordered = numbers.is_sorted_by(|one, next| one < next) && numbers.first() != Some(&0);
    if !is_ordered || numbers.last().is_some_and(|last| *last != seen) {
        return wrong(format!("rounds: expected numbers that grow up to {seen}, found {numbers:?}"));
    }
    // After a jump of the clock the times of the archives show nothing, and the outcome says so.
    if recorded.jumps.is_empty() { of_the_times(recorded) } else { Ok(()) }
}

fn of_the_times(recorded: &BurnIn) -> Result<(), NotDerived> {
    let time = |text: &str| {
        let read = text.parse::<Timestamp>();
        read.map_err(|error| NotDerived::Report(format!("{text}: expected a time (RFC 3339): {error}")))
    };
    let started = time(&recorded.started_at)?;
    for round in &recorded.rounds {
        let due = recorded.due_s(round.round.saturating_sub(1));
        let after = time(&round.started_at)?.duration_since(started).as_secs();
        if after < i64::try_from(due).unwrap_or(i64::MAX).saturating_sub(slack_s(due)) {
            return Err(NotDerived::Report(format!(
                "round {}: expected {due} s after the beginning of the window, found {after} s",
                round.round
            )));
        }
    }
    Ok(())
}

/// How far two clocks may run apart within so many seconds, without anything that would be told as a jump.
#[must_use]
pub fn slack_s(seconds: u64) -> i64 {
    i64::try_from(seconds / 1000).unwrap_or(i64::MAX).saturating_add(10)
}

/// The first member of two documents in which they differ.
fn differs(recorded: &impl serde::Serialize, derived: &impl serde::Serialize) -> String {
    let json = |value: Result<Json, _>| value.unwrap_or(Json::Null);
    let recorded = json(serde_json::to_value(recorded));
    let derived = json(serde_json::to_value(derived));
    let members = recorded.as_object().into_iter().chain(derived.as_object()).flatten();
    let member = members.map(|(name, _)| name).find(|name| recorded.get(*name) != derived.get(*name));
    let shown = |value: Option<&Json>| crate::judge::shown(&value.unwrap_or(&Json::Null).to_string());
    match member {
        Some(name) => {
            format!("{name}: recorded {}, derived {}", shown(recorded.get(name)), shown(derived.get(name)))
        }
        None => format!("recorded {}, derived {}", shown(Some(&recorded)), shown(Some(&derived))),
    }
}
