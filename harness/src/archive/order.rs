//! The transcript against the plan: which exchanges are there, in which order, how often, with which effect.

use std::collections::BTreeSet;

use assayer_vectors::Exchange;

use super::{ArchiveState, Difference, file};
use crate::job::Job;
use crate::plan::exchanges;
use crate::record::numbers;
use crate::transcript::Transcript;

/// Where a transcript is not what the recorder of this plan writes.
pub(super) fn differences(job: &Job<'_>, transcript: &Transcript) -> Vec<Difference> {
    let planned = exchanges(job.suite, job.cases);
    let mut found = of_the_places(job, transcript, &planned);
    found.extend(of_the_turns(job, transcript));
    if transcript.manifest.state == ArchiveState::Complete {
        found.extend(of_what_is_missing(job, transcript, &planned));
    }
    found
}

fn at(n: u64, recorded: impl ToString, derived: impl ToString) -> Difference {
    Difference::new(file::TRANSCRIPT, &format!("line {}", n + 1), recorded, derived)
}

/// Each exchange behind those that come before it in the plan, with the effect that it has there.
fn of_the_places(job: &Job<'_>, transcript: &Transcript, planned: &[&Exchange]) -> Vec<Difference> {
    let place = |name: &str| planned.iter().position(|known| known.id == name);
    let mut found = Vec::new();
    let mut before: Option<(u32, usize, Option<u64>)> = None;
    for recorded in &transcript.exchanges {
        let exchange = job.suite.exchange(&recorded.exchange);
        let (Some(exchange), Some(place)) = (exchange, place(&recorded.exchange)) else {
            found.push(at(recorded.n, &recorded.exchange, "an exchange that the checks need"));
            continue;
        };
        if exchange.effect != recorded.effect {
            let (here, expected) = (format!("{:?}", recorded.effect), format!("{:?}", exchange.effect));
            found.push(at(recorded.n, here, expected));
        }
        let here = (recorded.attempt, place, recorded.each);
        if before.is_some_and(|before| before >= here) {
            let text = "an exchange that comes later in the plan than the one before";
            found.push(at(recorded.n, &recorded.exchange, text));
        }
        before = Some(here);
    }
    found
}

/// What is repeated is there once for each number that follows from the answers before it and from the seed.
fn of_the_turns(job: &Job<'_>, transcript: &Transcript) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut before = Transcript { manifest: transcript.manifest.clone(), exchanges: Vec::new() };
    let of_one = transcript
        .exchanges
        .chunk_by(|one, next| (&one.exchange, one.attempt) == (&next.exchange, next.attempt));
    for turns in of_one {
        let exchange = turns.first().and_then(|first| job.suite.exchange(&first.exchange));
        if let (Some(first), Some(exchange)) = (turns.first(), exchange.filter(|known| known.each.is_some()))
        {
            let derived = numbers(job.suite, &before, exchange).unwrap_or_else(|_| vec![None]);
            let recorded: Vec<Option<u64>> = turns.iter().map(|turn| turn.each).collect();
            if recorded != derived {
                let [recorded, derived] = [recorded, derived].map(|numbers| spelled(&numbers));
                found.push(at(first.n, format!("{}: {recorded}", exchange.id), derived));
            }
        }
        before.exchanges.extend(turns.iter().cloned());
    }
    found
}

fn spelled(numbers: &[Option<u64>]) -> String {
    let word =
        |number: &Option<u64>| number.map_or_else(|| "not sent".to_owned(), |number| number.to_string());
    numbers.iter().map(word).collect::<Vec<String>>().join(" ")
}

/// The plan, once; and of a reading that was taken again, all that belongs to it.
fn of_what_is_missing(job: &Job<'_>, transcript: &Transcript, planned: &[&Exchange]) -> Vec<Difference> {
    let there: BTreeSet<(&str, u32)> =
        transcript.exchanges.iter().map(|recorded| (recorded.exchange.as_str(), recorded.attempt)).collect();
    let reading = |name: &str| job.suite.exchange(name).and_then(|exchange| exchange.reading.as_deref());
    let again: BTreeSet<(&str, u32)> = there
        .iter()
        .filter(|(_, attempt)| *attempt > 1)
        .filter_map(|(name, attempt)| Some((reading(name)?, *attempt)))
        .collect();
    let first = planned.iter().map(|exchange| (*exchange, 1));
    let later = again.iter().flat_map(|(reading, attempt)| {
        let of_it = planned.iter().filter(move |exchange| exchange.reading.as_deref() == Some(*reading));
        of_it.map(move |exchange| (*exchange, *attempt))
    });
    first
        .chain(later)
        .filter(|(exchange, attempt)| !there.contains(&(exchange.id.as_str(), *attempt)))
        .filter(|(exchange, attempt)| is_due(job, transcript, planned, exchange, *attempt))
        .map(|(exchange, _)| {
            Difference::new(file::TRANSCRIPT, &exchange.id, "nothing", "an exchange that the checks need")
        })
        .collect()
}

/// Whether an exchange that is not there would have been: what is repeated may be for nothing.
fn is_due(
    job: &Job<'_>,
    transcript: &Transcript,
    planned: &[&Exchange],
    exchange: &Exchange,
    attempt: u32,
) -> bool {
    if exchange.each.is_none() {
        return true;
    }
    let place = |name: &str| planned.iter().position(|known| known.id == name);
    let here = (attempt, place(&exchange.id));
    let mut before = transcript.clone();
    before.exchanges.retain(|recorded| (recorded.attempt, place(&recorded.exchange)) < here);
    numbers(job.suite, &before, exchange).map_or(true, |numbers| !numbers.is_empty())
}
