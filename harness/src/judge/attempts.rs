//! A check over all readings that were taken of what it looks at: which of them decides.

use std::cell::RefCell;
use std::collections::BTreeMap;

use assayer_reports::Status;
use assayer_vectors::{Expectation, Keyword, Reading, Reference, resolve};
use serde_json::Value as Json;

use super::shortfall::{Ended, How, Shortfall, ended, not_verified};
use super::{Judge, place};
use crate::archive::ArchiveState;
use crate::plan::Case;
use crate::record::{look_up, not_an_acceptance};
use crate::transcript::{Outcome, Transcript};

/// How attempts ended, by check and attempt; nothing for those that passed.
pub(super) type Ends = BTreeMap<(String, u32), Option<Shortfall>>;

/// How attempts at checks ended, by check and attempt. What an attempt shows does not change with later ones.
#[derive(Default)]
pub(crate) struct Known(Ends);

impl<'t> Judge<'t> {
    /// Whether a case is open in its latest attempt for a reason that another reading could remove.
    pub(crate) fn is_in_doubt(&self, case: &Case<'_>) -> bool {
        self.attempt.set(self.attempts(case));
        match self.end_of_attempt(case).map(|shortfall| shortfall.how) {
            Some(How::Raced) => true,
            Some(How::NotVerified) => self.moved(case),
            None | Some(How::Broken | How::Failed) => false,
        }
    }

    pub(super) fn status(&self, case: &Case<'_>, keyword: Keyword) -> Ended {
        self.attempt.set(u32::MAX);
        let absent =
            case.check.requires.iter().find(|known| !self.transcript.manifest.capabilities.contains(known));
        if let Some(capability) = absent {
            let code = format!("capability.{}", capability.as_str());
            return ended(Status::NotApplicable, &code, capability.absence().to_owned());
        }
        if let Some(text) = self.refused(case) {
            return ended(Status::NotApplicable, "target.refused", text);
        }
        let fails = match keyword {
            Keyword::Must => Status::Fail,
            Keyword::Should | Keyword::May => Status::Warn,
            Keyword::Finding => Status::Finding,
        };
        self.over_attempts(case, fails)
    }

    /// What the readings show, one after the other.
    fn over_attempts(&self, case: &Case<'_>, fails: Status) -> Ended {
        let attempts = self.attempts(case);
        let mut before: Option<String> = None;
        for attempt in 1..=attempts {
            self.attempt.set(attempt);
            match self.end_of_attempt(case) {
                // No race explains this, so no later reading takes it back.
                Some(Shortfall { how: How::Failed, code, text }) => {
                    return ended(fails, &code, text + &on_reading(attempt, attempts));
                }
                end if attempt < attempts => before = before.or_else(|| end.map(|shortfall| shortfall.text)),
                None => return self.passed(case, before),
                Some(shortfall) => return self.at_the_end(case, shortfall, fails),
            }
        }
        ended(Status::NotVerified, "exchange.not-recorded", "nothing was recorded".to_owned())
    }

    /// In: why an earlier reading did not do, if there was one.
    fn passed(&self, case: &Case<'_>, before: Option<String>) -> Ended {
        if let Some(reason) = self.answers_nobody(case) {
            return ended(Status::NotVerified, "answers.to-another", reason);
        }
        let remark = before.map(|reason| format!("at first: {reason}; so it was read again"));
        let remarks: Vec<String> = remark.into_iter().chain(self.samples(case)).collect();
        ended(Status::Pass, "", remarks.join("; "))
    }

    /// What the last reading leaves open.
    fn at_the_end(&self, case: &Case<'_>, shortfall: Shortfall, fails: Status) -> Ended {
        let Shortfall { how, code, text } = shortfall;
        match how {
            How::Broken => ended(Status::Error, &code, text),
            How::NotVerified => ended(Status::NotVerified, &code, text),
            // Whoever was stopped before reading again accuses nobody.
            How::Raced if self.transcript.manifest.state == ArchiveState::Incomplete => {
                let text = format!("the run broke off before it was read again: {text}");
                ended(Status::NotVerified, "run.broken-off", text)
            }
            How::Raced if self.moved(case) => {
                let text = format!("the log grew while it was read: {text}");
                ended(Status::NotVerified, "reading.moved", text)
            }
            How::Raced | How::Failed => ended(fails, &code, text),
        }
    }

    /// Why nothing is shown by answers that do not depend on what is sent, as those of a recording.
    fn answers_nobody(&self, case: &Case<'_>) -> Option<String> {
        let edition =
            self.suite.editions.iter().find(|known| known.edition == self.transcript.manifest.edition)?;
        let echo = edition.echo.as_deref().filter(|_| case.check.trivial.is_none())?;
        self.of(echo).into_iter().find_map(|recorded| match &recorded.outcome {
            Outcome::Answered { answer, .. } if answer.is_success() => {
                let reason = not_an_acceptance(self.suite, self.transcript, echo, answer)?;
                Some(format!("these may be answers to somebody else: `{echo}`: {reason}"))
            }
            _ => None,
        })
    }

    /// Which exchange the target refused, where it is free to.
    fn refused(&self, case: &Case<'_>) -> Option<String> {
        let all = case.check.only_if_accepted.iter().flat_map(|name| self.of(name));
        all.into_iter().find_map(|recorded| match &recorded.outcome {
            Outcome::Answered { answer, .. } if !answer.is_success() => {
                Some(format!("the target answers {} with {}", place(recorded), answer.status))
            }
            _ => None,
        })
    }

    /// Where a case rests on a part of what there is: how large a part.
    fn samples(&self, case: &Case<'_>) -> Option<String> {
        case.expect.iter().find_map(|expectation| {
            let each = self.suite.exchange(&expectation.exchange)?.each.as_ref()?;
            let below = self.resolve(&Json::String(each.below.clone())).ok()?.as_u64()?;
            let (all, sent) = (below.div_ceil(each.step.max(1)), self.of(&expectation.exchange).len() as u64);
            let text = || format!("a random choice: {sent} of {all} {} were looked at", expectation.exchange);
            (sent < all).then(text)
        })
    }

    /// How often the readings were taken that a case looks at.
    pub(super) fn attempts(&self, case: &Case<'_>) -> u32 {
        let names = case.expect.iter().map(|expectation| &expectation.exchange);
        let all = names.filter_map(|name| self.by_exchange.get(name.as_str())).flatten();
        let all = all.map(|recorded| recorded.attempt);
        all.max().unwrap_or(1).max(1)
    }

    /// The worst that one attempt shows.
    fn end_of_attempt(&self, case: &Case<'_>) -> Option<Shortfall> {
        let key = (case.check.id.clone(), self.attempt.get());
        if let Some(known) = self.ends.borrow().get(&key) {
            return known.clone();
        }
        let end = self.shortfalls(case).into_iter().max_by_key(|shortfall| shortfall.how);
        self.ends.borrow_mut().insert(key, end.clone());
        end
    }

    /// What is known of the attempts so far, for a judge over the same transcript after further attempts.
    pub(crate) fn known(self) -> Known {
        Known(self.ends.into_inner())
    }

    /// A judge that does not judge again what is known.
    pub(crate) fn knowing(self, known: Known) -> Self {
        Self { ends: RefCell::new(known.0), ..self }
    }

    /// Whether something that this case reads moved while it was read, in the attempt that is judged.
    fn moved(&self, case: &Case<'_>) -> bool {
        let readings = case.expect.iter().filter_map(|expectation| self.reading_of(&expectation.exchange));
        readings.into_iter().any(|reading| moved(reading, self.transcript, self.attempt.get()))
    }

    fn shortfalls(&self, case: &Case<'_>) -> Vec<Shortfall> {
        let mut found = Vec::new();
        for needed in case.check.sent.iter().flat_map(|name| self.suite.exchanges_like(name)) {
            if let Err(shortfall) = self.answers(needed) {
                found.push(shortfall);
            }
        }
        for needed in case.check.needs.iter().chain(&case.check.only_if_accepted) {
            if let Some(reason) = self.not_accepted(needed) {
                found.push(not_verified(
                    "prerequisite.not-accepted",
                    format!("it needs `{needed}`: {reason}"),
                ));
            }
        }
        for expectation in case.expect {
            if expectation.demands_rejection() && case.demands_twins() {
                let exchange = self.suite.exchange(&expectation.exchange);
                let twin = exchange.and_then(|exchange| exchange.twin.as_deref());
                if let Some((twin, reason)) = twin.and_then(|twin| Some((twin, self.not_accepted(twin)?))) {
                    let text =
                        format!("its twin without the defect, `{twin}`, was not accepted either: {reason}");
                    found.push(not_verified("twin.not-accepted", text));
                }
            }
            if let Err(shortfall) = self.expectation(expectation) {
                found.push(self.perhaps_raced(expectation, shortfall));
            }
        }
        found
    }

    /// Comparing two answers of one reading can fail by a race.
    fn perhaps_raced(&self, expectation: &Expectation, shortfall: Shortfall) -> Shortfall {
        let Some(reading) =
            self.suite.exchange(&expectation.exchange).and_then(|exchange| exchange.reading.as_ref())
        else {
            return shortfall;
        };
        let request =
            self.suite.exchange(&expectation.exchange).map(|exchange| exchange.references(self.suite));
        let references = expectation.references().into_iter().chain(request.unwrap_or_default());
        // Laws of the whole run hold whoever else writes.
        let laws = [&expectation.ledger, &expectation.sizes, &expectation.clock];
        let is_law = laws.iter().any(|law| law.is_some()) || expectation.whole.is_some();
        let compared = expectation.established.is_empty()
            && !is_law
            && expectation.growth.is_none()
            && references.into_iter().any(|reference| {
                self.suite
                    .exchange(&reference.name)
                    .is_some_and(|other| other.reading.as_ref() == Some(reading))
            });
        match shortfall.how {
            How::Failed if compared && self.may_have_moved(reading) => {
                Shortfall { how: How::Raced, ..shortfall }
            }
            _ => shortfall,
        }
    }

    /// Whether others may have written while it was read; also where its end was not seen, as of a run that broke off.
    fn may_have_moved(&self, reading: &str) -> bool {
        let mut known = self.suite.readings.iter().filter(|known| known.id == reading);
        known.any(|reading| !stood_still(reading, self.transcript, self.attempt.get()))
    }

    /// Why an exchange was not accepted; `None` if it was.
    fn not_accepted(&self, exchange: &str) -> Option<String> {
        let recorded = self.of(exchange);
        if recorded.is_empty() {
            return Some("it was not sent".to_owned());
        }
        recorded.iter().find_map(|recorded| match &recorded.outcome {
            Outcome::Answered { answer, .. } => {
                not_an_acceptance(self.suite, self.transcript, exchange, answer)
            }
            Outcome::Failed { message, .. } => Some(message.clone()),
            Outcome::NotSent { because, .. } => Some(format!("not sent: {because}")),
        })
    }
}

fn on_reading(attempt: u32, attempts: u32) -> String {
    match attempt < attempts {
        true => format!(" (on reading {attempt} of {attempts}; no race explains it)"),
        false => String::new(),
    }
}

/// Whether a target moved while it was read: what was seen first and last is there, and differs.
pub(crate) fn moved(reading: &Reading, transcript: &Transcript, attempt: u32) -> bool {
    matches!(ends(reading, transcript, attempt), [Some(first), Some(last)] if first != last)
}

/// Whether it is shown that a target did not move while it was read.
fn stood_still(reading: &Reading, transcript: &Transcript, attempt: u32) -> bool {
    matches!(ends(reading, transcript, attempt), [Some(first), Some(last)] if first == last)
}

/// What was seen first and last.
fn ends(reading: &Reading, transcript: &Transcript, attempt: u32) -> [Option<Json>; 2] {
    [&reading.first, &reading.last].map(|text| {
        let look_up = |reference: &Reference| look_up(transcript, reference, attempt);
        resolve(&Json::String(text.clone()), &look_up).ok()
    })
}
