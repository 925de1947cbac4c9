//! What a run left behind on its target, as its transcript shows it.

use assayer_reports::Wrote;
use assayer_vectors::{Effect, Suite};

use crate::transcript::{Answer, Failure, Outcome, Recorded, Sent, Transcript, part_of};

/// Every exchange that stores something and was accepted, or may have been.
pub(crate) fn wrote(suite: &Suite, transcript: &Transcript) -> Vec<Wrote> {
    transcript.exchanges.iter().filter_map(|recorded| one(suite, recorded)).collect()
}

fn one(suite: &Suite, recorded: &Recorded) -> Option<Wrote> {
    let (request, answer) = match &recorded.outcome {
        Outcome::Answered { request, answer } => (request, Some(answer)),
        Outcome::Failed { request, failure, .. } if may_have_arrived(*failure) => (request, None),
        Outcome::Failed { .. } | Outcome::NotSent { .. } => return None,
    };
    let certain = answer.is_some_and(Answer::is_success);
    // A target that broke off, or says that it broke, may have stored before it did.
    if !certain && answer.is_some_and(|answer| answer.status < 500) {
        return None;
    }
    let effect = effect_of(suite, recorded, certain);
    (effect != Effect::None).then(|| Wrote {
        n: recorded.n,
        exchange: recorded.exchange.clone(),
        effect,
        certain,
        request: format!("{} {}", request.method, request.target),
        file_id: file_id(request),
        tlog_index: answer.and_then(|answer| part_of(&answer.body(), "/tlog_index")?.as_u64()),
    })
}

/// What an exchange stores; if it had to be refused and was not, what its twin stores that had to be accepted.
fn effect_of(suite: &Suite, recorded: &Recorded, is_accepted: bool) -> Effect {
    let twin = || suite.exchange(suite.exchange(&recorded.exchange)?.twin.as_deref()?);
    match recorded.effect {
        Effect::None if is_accepted => twin().map_or(Effect::None, |twin| twin.effect),
        effect => effect,
    }
}

fn may_have_arrived(failure: Failure) -> bool {
    match failure {
        Failure::Unreachable | Failure::RateLimited => false,
        Failure::TimedOut | Failure::TooLarge | Failure::Broken => true,
    }
}

fn file_id(request: &Sent) -> Option<String> {
    part_of(&request.bytes()?, "/manifest/file_id")?.as_str().map(str::to_owned)
}
