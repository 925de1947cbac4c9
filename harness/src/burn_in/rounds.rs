//! Step 7: one round of reading, and whether its log grew out of that of the round before.

use assayer_reports::{Outcome as Came, Report, Weight, number_of};
use assayer_vectors::{Document as Kind, Growth, Reference, Suite, Torn, Wire};
use assayer_verifier::Document;
use assayer_verifier::oversight::Log;

use super::{Round, StepStatus};
use crate::archive::Archive;
use crate::client::ANSWER_LIMITS;
use crate::growth::{NotOneLog, Sighting, compare};
use crate::record::look_up;
use crate::transcript::{Answer, Outcome, Recorded, Transcript};

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
    let (log, _) = Log::read(pages.iter().map(AsRef::as_ref), &ANSWER_LIMITS);
    let sightings = sightings(earlier, suite, wire);
    if sightings.is_empty() {
        return (StepStatus::NotVerified, "the round before saw no head".to_owned());
    }
    let leaves = log.leaves().len();
    match compare(&sightings, &log, &Growth { log: name, torn: Torn::Ignored }) {
        Ok(()) => (
            StepStatus::Passed,
            format!(
                "in the log of {}: {} of the round before",
                number_of(leaves, "leaf", "leaves"),
                number_of(sightings.len(), "head", "heads")
            ),
        ),
        // A log that ends before a head that it showed earlier has lost leaves.
        Err(NotOneLog::Shown(text) | NotOneLog::TooShort(text)) => (StepStatus::Failed, text),
    }
}

/// Every head that a run saw, wherever it stood.
pub(super) fn sightings(transcript: &Transcript, suite: &Suite, wire: &Wire) -> Vec<Sighting> {
    let one = |recorded: &Recorded| {
        let kind = kind_of(suite, wire, recorded);
        let body = answer(recorded).filter(|answer| answer.is_success())?.body();
        let document = Document::read(&body, &ANSWER_LIMITS).ok()?;
        let sighting = Sighting::read(recorded.exchange.clone(), kind, &document)?;
        let together = suite.exchange(&recorded.exchange).and_then(|exchange| exchange.together.clone());
        Some(sighting.at_the_moment(together.map(|name| format!("{name} {}", recorded.attempt))))
    };
    transcript.exchanges.iter().filter_map(one).collect()
}

/// What a report comes to, as a step.
pub(super) fn of_report(report: &Report) -> (StepStatus, String) {
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

fn kind_of(suite: &Suite, wire: &Wire, recorded: &Recorded) -> Option<Kind> {
    wire.calls.get(call_of(suite, recorded)?)?.document
}

pub(super) fn call_of<'s>(suite: &'s Suite, recorded: &Recorded) -> Option<&'s str> {
    Some(suite.exchange(&recorded.exchange)?.request_in(suite)?.call.as_str())
}

pub(super) fn answer(recorded: &Recorded) -> Option<&Answer> {
    match &recorded.outcome {
        Outcome::Answered { answer, .. } => Some(answer),
        Outcome::Failed { .. } | Outcome::NotSent { .. } => None,
    }
}
