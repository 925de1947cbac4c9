//! Steps 5, 6 and 8: what the live run shows.

use assayer_reports::{CheckResult, Report, Status, Weight};
use assayer_vectors::{Capability, Effect, Exchange, Suite, Wire};

use super::rounds::{answer, call_of, of_report};
use super::{BurnIn, Spoken, StepStatus};
use crate::plan::{Case, cases};
use crate::transcript::{Answer, Transcript};

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
    let (status, text) = surface(report, transcript, suite, wire);
    burn_in.set(8, status, text);
}

/// Whether every call that the suite expects to be served was.
fn surface(report: &Report, transcript: &Transcript, suite: &Suite, wire: &Wire) -> (StepStatus, String) {
    let calls = wire.calls.keys().map(String::as_str).filter(|call| is_of_the_surface(suite, call));
    let is_served = |call: &str| answers_to(transcript, suite, call).any(|answer| answer.status < 400);
    let unserved: Vec<&str> = calls.filter(|call| !is_served(call)).collect();
    let is_refused = |call: &&str| answers_to(transcript, suite, call).next().is_some();
    let refused: Vec<&str> = unserved.iter().copied().filter(is_refused).collect();
    match (refused.is_empty(), unserved.is_empty()) {
        (false, _) => (StepStatus::Failed, format!("asked for and never served: {}", refused.join(", "))),
        (true, true) => (StepStatus::Passed, "all calls that the suite expects to be served are".to_owned()),
        (true, false) => {
            let (mode, unserved) = (report.mode.as_str(), unserved.join(", "));
            (StepStatus::NotVerified, format!("in mode {mode} these calls are not asked for: {unserved}"))
        }
    }
}

/// Whether the registry is on loopback, and every check of the edition that sees a wrong credential refused was run and passed.
fn guarded(
    report: &Report,
    transcript: &Transcript,
    is_elsewhere: bool,
    (suite, edition, _): Spoken<'_>,
) -> (StepStatus, String) {
    let capabilities = &transcript.manifest.capabilities;
    if is_elsewhere || capabilities.contains(&Capability::BeyondLoopback) {
        return (StepStatus::Failed, "it is reached at an address that is not on loopback".to_owned());
    }
    let all = cases(suite, edition);
    let mut counts = Vec::new();
    for (secret, name) in
        [(Capability::OperatorToken, "operator token"), (Capability::DnsEventSecret, "event secret")]
    {
        if !capabilities.contains(&secret) {
            let expected = "expected OVERSIGHT_OPERATOR_TOKEN and OVERSIGHT_DNS_EVENT_SECRET";
            return (StepStatus::NotVerified, expected.to_owned());
        }
        match guarded_by(secret, &all, report) {
            (StepStatus::Passed, text) => counts.push(format!("{name}: {text}")),
            (status, text) => return (status, format!("{name}: {text}")),
        }
    }
    (StepStatus::Passed, format!("on loopback; {}", counts.join("; ")))
}

/// Whether all checks that see a wrong secret of one kind refused were run and passed.
fn guarded_by(secret: Capability, all: &[Case<'_>], report: &Report) -> (StepStatus, String) {
    let is_of_it = |case: &&Case<'_>| {
        case.check.requires.contains(&secret)
            && case.expect.iter().any(|expectation| expectation.demands_rejection())
    };
    let of_it: Vec<&Case<'_>> = all.iter().filter(is_of_it).collect();
    let result = |case: &&Case<'_>| report.checks.iter().find(|check| check.id == case.check.id);
    let found: Vec<&CheckResult> = of_it.iter().filter_map(result).collect();
    let mut decisive = found.iter().filter(|check| check.decides());
    if let Some(wrong) = decisive.clone().find(|check| check.status.weight() == Weight::Refuted) {
        return (StepStatus::Failed, format!("{}: {}", wrong.id, wrong.reason));
    }
    let (all, run, mode) = (of_it.len(), found.len(), report.mode.as_str());
    if run < all || all == 0 {
        let text =
            format!("on loopback; in mode {mode} only {run} of the {all} checks that ask for it are run");
        return (StepStatus::NotVerified, text);
    }
    match decisive.find(|check| check.status != Status::Pass) {
        Some(open) => (StepStatus::NotVerified, format!("{}: {}", open.id, open.reason)),
        None => (StepStatus::Passed, format!("{run} checks of the live run saw what is wrong refused")),
    }
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

/// The file that a live run registered as its canary, for the rounds to look at.
#[must_use]
pub fn registered(report: &Report, suite: &Suite) -> Option<String> {
    let canary = report.wrote.iter().find(|wrote| Some(&wrote.exchange) == suite.canary.as_ref());
    canary.and_then(|wrote| wrote.file_id.clone())
}
