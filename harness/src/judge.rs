//! The judge: a pure function from suite data and a transcript to verdicts. No clock, no network, no randomness.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use assayer_reports::{CheckResult, Cited, Label, Status};
use assayer_vectors::{
    Document as Kind, Every, Expectation, Find, Growth, Keyword, LeafOf, Reading, Reference, SentBefore,
    Statuses, Suite, Wherever, Wire, resolve,
};
use assayer_verifier::oversight::{
    Log, Trust, verify_bundle, verify_consistency_proof, verify_head, verify_log, verify_proof,
};
use assayer_verifier::{
    Document, Hash, Limits, PublicKey, Scheme, State, Trace, TreeHead, Value, canonicalize,
};
use serde_json::Value as Json;

use crate::archive::{ArchiveState, Judged, Verdict};
use crate::conditions::{self, EveryItem, OfAnswer, WantedLeaf, matches, within_run};
use crate::growth::{NotOneLog, Sighting, compare};
use crate::ledger::{Ledger, Settled};
use crate::plan::Case;
use crate::record::{look_up, not_an_acceptance, of_turn};
use crate::repeat;
use crate::schema;
use crate::seen::{Seen, seen};
use crate::transcript::{Answer, Outcome, Recorded, Transcript, part_of};

/// Judges cases over a transcript.
pub struct Judge<'t> {
    suite: &'t Suite,
    wire: &'t Wire,
    transcript: &'t Transcript,
    /// How a user runs one check again: everything before its name.
    rerun: String,
    /// The attempt that is judged.
    attempt: Cell<u32>,
    /// Logs that were read once, by exchange and attempt, and are looked at by several checks.
    logs: RefCell<BTreeMap<(String, u32), Rc<Log>>>,
    /// What was recorded, by exchange.
    by_exchange: BTreeMap<&'t str, Vec<&'t Recorded>>,
    /// How attempts ended.
    ends: RefCell<Ends>,
    /// The requests up to an attempt.
    seen: RefCell<BTreeMap<u32, Rc<Vec<Seen<'t>>>>>,
}

/// Layers that follow from one document and keys alone: if that is signed, so is what they say.
const WITHIN_ONE_DOCUMENT: [&str; 14] = [
    "beacon-rows",
    "event-binding",
    "event-order",
    "file-id",
    "inclusion",
    "issuer-key",
    "issuer-signature",
    "manifest-members",
    "registry-key",
    "registry-signature",
    "shape",
    "suite",
    "tree-head",
    "watermark-rows",
];

/// How attempts ended, by check and attempt; nothing for those that passed.
type Ends = BTreeMap<(String, u32), Option<Shortfall>>;

/// Why a condition is not met.
#[derive(Clone)]
struct Shortfall {
    how: How,
    /// Stable: baselines name it.
    code: String,
    text: String,
}

/// How a condition is not met, from the mildest to the gravest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum How {
    /// Not shown: something that it needs is missing.
    NotVerified,
    /// The target broke.
    Broken,
    /// Shown to be otherwise, in a way that a target which others are writing to can bring about without being at fault.
    Raced,
    /// Shown to be otherwise.
    Failed,
}

fn failed(code: &str, text: String) -> Shortfall {
    Shortfall { how: How::Failed, code: code.to_owned(), text }
}

fn not_verified(code: &str, text: String) -> Shortfall {
    Shortfall { how: How::NotVerified, code: code.to_owned(), text }
}

/// How a check ended.
struct Ended {
    status: Status,
    code: String,
    reason: String,
}

fn ended(status: Status, code: &str, reason: String) -> Ended {
    Ended { status, code: code.to_owned(), reason }
}

impl<'t> Judge<'t> {
    /// A judge over one transcript; `rerun` is the command that runs one check when its name is put behind it.
    #[must_use]
    pub fn new(suite: &'t Suite, wire: &'t Wire, transcript: &'t Transcript, rerun: &str) -> Self {
        let (attempt, logs, seen) = (Cell::new(1), RefCell::default(), RefCell::default());
        let mut by_exchange: BTreeMap<&str, Vec<&Recorded>> = BTreeMap::new();
        for recorded in &transcript.exchanges {
            by_exchange.entry(&recorded.exchange).or_default().push(recorded);
        }
        Self {
            suite,
            wire,
            transcript,
            rerun: rerun.to_owned(),
            attempt,
            logs,
            by_exchange,
            ends: RefCell::default(),
            seen,
        }
    }

    /// Judges one case, and says what the verdict rests on.
    #[must_use]
    pub fn verdict(&self, case: &Case<'_>) -> (CheckResult, Verdict) {
        let result = self.judge(case);
        // Judging has left the attempt that decided.
        let lines = |name: &String| self.of(name).into_iter().map(|recorded| recorded.n);
        let judged = case.expect.iter().flat_map(|expectation| self.looked_at(expectation));
        let named = case.check.sent.iter().chain(&case.check.needs).chain(&case.check.only_if_accepted);
        let named = named.flat_map(|name| self.suite.exchanges_like(name));
        let mut needed: Vec<u64> = named.flat_map(|name| lines(&name.to_owned())).collect();
        needed.sort_unstable();
        needed.dedup();
        let verdict = Verdict {
            check: result.id.clone(),
            keyword: result.keyword,
            status: result.status,
            code: result.code.clone(),
            reason: result.reason.clone(),
            label: result.label,
            attempt: self.attempt.get().min(self.attempts(case)),
            judged: judged.collect(),
            needed,
        };
        (result, verdict)
    }

    /// What a condition looked at; for a condition on answers wherever they were given, exchange by exchange.
    fn looked_at(&self, expectation: &Expectation) -> Vec<Judged> {
        let meant =
            expectation.wherever.as_ref().map(|wherever| self.wherever(wherever, &expectation.exchange));
        let Some(Ok(meant)) = meant else { return vec![self.looked_at_one(expectation.clone())] };
        let exchanges: BTreeSet<&str> =
            meant.iter().map(|(recorded, _)| recorded.exchange.as_str()).collect();
        let each = |exchange: &str| {
            let exchange = exchange.to_owned();
            self.looked_at_one(Expectation { exchange, wherever: None, ..expectation.clone() })
        };
        exchanges.into_iter().map(each).collect()
    }

    fn looked_at_one(&self, expectation: Expectation) -> Judged {
        let mut names = vec![expectation.exchange.clone()];
        names.extend(expectation.references().into_iter().map(|reference| reference.name));
        let lines = names.iter().flat_map(|name| self.of(name)).map(|recorded| recorded.n);
        let lines: BTreeSet<u64> = lines.collect();
        Judged { lines: lines.into_iter().collect(), expectation }
    }

    /// Judges one case.
    #[must_use]
    pub fn judge(&self, case: &Case<'_>) -> CheckResult {
        let check = case.check;
        let keyword = self.suite.keyword(check);
        let Ended { status, code, reason } = self.status(case, keyword);
        let label = self.label(case, status);
        let cited = self.suite.requirements.iter().filter(|known| check.requirements.contains(&known.id));
        CheckResult {
            id: check.id.clone(),
            group: check.group.clone(),
            keyword,
            status,
            judged: None,
            code,
            reason,
            label,
            requirements: cited
                .map(|known| Cited {
                    id: known.id.clone(),
                    keyword: known.keyword,
                    statement: known.statement.clone(),
                    source: known.source().to_owned(),
                })
                .collect(),
            weak: check.weak.clone(),
            why: check.why.clone(),
            exchanges: self.exchange_lines(case),
            rerun: format!("{} {}", self.rerun, check.id),
        }
    }

    /// What a verdict rests on: on the target's signature only where it is a pass and nothing but layers of signed documents
    /// was asked for. That something is wrong with a document is never shown by its signature.
    fn label(&self, case: &Case<'_>, status: Status) -> Label {
        let is_signed = |expectation: &Expectation| self.rests_on_a_signature(expectation).unwrap_or(false);
        if status == Status::Pass && !case.expect.is_empty() && case.expect.iter().all(is_signed) {
            Label::TargetSigned
        } else {
            Label::ProberObserved
        }
    }

    fn rests_on_a_signature(&self, expectation: &Expectation) -> Option<bool> {
        let bare = Expectation {
            exchange: expectation.exchange.clone(),
            established: expectation.established.clone(),
            under: expectation.under.clone(),
            ..Expectation::default()
        };
        let key = expectation.under.as_ref()?.registry_key.as_ref()?;
        let asks_for_layers = serde_json::to_value(&bare).ok()? == serde_json::to_value(expectation).ok()?;
        let signature = match self.document_kind(&expectation.exchange)? {
            Kind::OversightBundle => "registry-signature",
            Kind::OversightHead => "tree-head",
            Kind::OversightConsistency | Kind::OversightProof | Kind::OversightLog => return None,
        };
        let within = |layer: &String| WITHIN_ONE_DOCUMENT.contains(&layer.as_str());
        let judged = !expectation.established.is_empty() && expectation.established.iter().all(within);
        // The signature itself need not be what the check asks for.
        let signed = Expectation {
            established: vec![signature.to_owned(), "registry-key".to_owned()],
            under: Some(assayer_vectors::Under { registry_key: Some(key.clone()), ..Default::default() }),
            ..bare
        };
        let answers = self.answers(&expectation.exchange).ok()?;
        Some(asks_for_layers && judged && self.established(&signed, &answers).is_ok())
    }

    /// Whether a case is open in its latest attempt for a reason that another reading could remove.
    pub(crate) fn is_in_doubt(&self, case: &Case<'_>) -> bool {
        self.attempt.set(self.attempts(case));
        match self.end_of_attempt(case).map(|shortfall| shortfall.how) {
            Some(How::Raced) => true,
            Some(How::NotVerified) => self.moved(case),
            None | Some(How::Broken | How::Failed) => false,
        }
    }

    fn status(&self, case: &Case<'_>, keyword: Keyword) -> Ended {
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
        let attempts = self.attempts(case);
        let mut before: Option<String> = None;
        for attempt in 1..=attempts {
            self.attempt.set(attempt);
            match self.end_of_attempt(case) {
                // No race explains this, so no later reading takes it back.
                Some(Shortfall { how: How::Failed, code, text }) => {
                    return ended(fails, &code, text + &self.on_reading(attempt, attempts));
                }
                end if attempt < attempts => before = before.or_else(|| end.map(|shortfall| shortfall.text)),
                None => {
                    if let Some(reason) = self.answers_nobody(case) {
                        return ended(Status::NotVerified, "answers.to-another", reason);
                    }
                    let remark = before.map(|reason| format!("at first: {reason}; so it was read again"));
                    let remarks: Vec<String> = remark.into_iter().chain(self.samples(case)).collect();
                    return ended(Status::Pass, "", remarks.join("; "));
                }
                Some(shortfall) => return self.at_the_end(case, shortfall, fails),
            }
        }
        ended(Status::NotVerified, "exchange.not-recorded", "nothing was recorded".to_owned())
    }

    fn on_reading(&self, attempt: u32, attempts: u32) -> String {
        match attempt < attempts {
            true => format!(" (on reading {attempt} of {attempts}; no race explains it)"),
            false => String::new(),
        }
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
    fn attempts(&self, case: &Case<'_>) -> u32 {
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

    fn reading_of(&self, exchange: &str) -> Option<&'t Reading> {
        let name = self.suite.exchange(exchange)?.reading.as_ref()?;
        self.suite.readings.iter().find(|reading| reading.id == *name)
    }

    fn of(&self, exchange: &str) -> Vec<&'t Recorded> {
        let all = self.by_exchange.get(exchange).into_iter().flatten().copied();
        let all = all.filter(|recorded| recorded.attempt <= self.attempt.get());
        let latest = all.clone().map(|recorded| recorded.attempt).max().unwrap_or(0);
        all.filter(|recorded| recorded.attempt == latest).collect()
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
            How::Failed if compared => Shortfall { how: How::Raced, ..shortfall },
            _ => shortfall,
        }
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
            Outcome::NotSent { because } => Some(format!("not sent: {because}")),
        })
    }

    fn expectation(&self, expectation: &Expectation) -> Result<(), Shortfall> {
        let answers = match &expectation.wherever {
            None => self.without_errors(expectation, self.answers(&expectation.exchange)?)?,
            Some(wherever) => self.wherever(wherever, &expectation.exchange)?,
        };
        if !expectation.established.is_empty() {
            self.established(expectation, &answers)?;
        }
        if let Some(find) = &expectation.find {
            self.find(find, expectation, &answers)?;
        }
        if let Some(every) = &expectation.every {
            self.every(every, expectation, &answers)?;
        }
        if let Some(growth) = &expectation.growth {
            self.growth(growth)?;
        }
        self.of_the_run(expectation)?;
        if let Some(together) = &expectation.statuses {
            self.statuses(together, &answers)?;
        }
        for (recorded, answer) in &answers {
            let place = place(recorded);
            status(expectation, answer, &place)?;
            of_the_answer(expectation, answer, &place)?;
            if expectation.demands_rejection() {
                let codes: Vec<&String> = expectation.error.iter().chain(&expectation.error_in).collect();
                self.error(&codes, answer, &place)?;
            }
            if expectation.envelope {
                self.envelope(answer, &place)?;
            }
            if let Some(text) = &expectation.lacks {
                self.lacks(text, answer, &place)?;
            }
            self.value(expectation, recorded, answer)?;
        }
        Ok(())
    }

    /// The answers that are meant, whatever exchange they were given to.
    fn wherever(
        &self,
        wherever: &Wherever,
        anchor: &str,
    ) -> Result<Vec<(&'t Recorded, &'t Answer)>, Shortfall> {
        self.answers(anchor)?;
        let seen = self.seen();
        let meant = seen.iter().filter_map(|seen| Some((seen.recorded, seen.meant(wherever)?)));
        let meant: Vec<(&Recorded, &Answer)> = meant.collect();
        if meant.is_empty() {
            return Err(not_verified("answers.none", "the run saw no such answer".to_owned()));
        }
        Ok(meant)
    }

    /// Every request of the run, up to the attempt that is judged.
    fn seen(&self) -> Rc<Vec<Seen<'t>>> {
        let attempt = self.attempt.get();
        let mut known = self.seen.borrow_mut();
        let all = || Rc::new(seen(self.suite, self.wire, self.transcript, attempt));
        Rc::clone(known.entry(attempt).or_insert_with(all))
    }

    /// What holds between the answers of a run and its log.
    fn of_the_run(&self, expectation: &Expectation) -> Result<(), Shortfall> {
        let all = self.seen();
        if let Some(repeatable) = &expectation.repeatable {
            repeat::compare(&all, repeatable).map_err(|text| failed("run.not-repeatable", text))?;
        }
        let settled = |pages: &str| -> Result<(Ledger<'_>, Settled), Shortfall> {
            let log = self.log(pages)?;
            let ledger = Ledger::new(&all, &log, pages);
            let settled = ledger.settle(self.suite, self.transcript);
            Ok((ledger, settled))
        };
        if let Some(of) = &expectation.ledger {
            settled(&of.log)?.1.agree().map_err(|text| failed("run.log-disagrees", text))?;
        }
        if let Some(of) = &expectation.sizes {
            let (ledger, settled) = settled(&of.log)?;
            ledger.follow(&settled).map_err(|text| failed("run.sizes", text))?;
        }
        if let Some(of) = &expectation.clock {
            let (ledger, settled) = settled(&of.log)?;
            ledger.clock(&settled).map_err(|text| failed("run.clock", text))?;
        }
        if let Some(whole) = &expectation.whole {
            let (ledger, settled) = settled(&whole.log)?;
            let wherever = expectation.wherever.clone().unwrap_or_default();
            let meant: Vec<&Seen<'_>> = all.iter().filter(|seen| seen.meant(&wherever).is_some()).collect();
            ledger.are_whole(&settled, whole, &meant).map_err(|text| failed("run.not-whole", text))?;
        }
        Ok(())
    }

    /// How this exchange and others were answered together, in whatever order.
    fn statuses(&self, together: &Statuses, answers: &[(&Recorded, &Answer)]) -> Result<(), Shortfall> {
        let mut all = answers.to_vec();
        for exchange in &together.with {
            all.extend(self.answers(exchange)?);
        }
        let mut found: Vec<u16> = all.iter().map(|(_, answer)| answer.status).collect();
        let mut expected = together.are.clone();
        found.sort_unstable();
        expected.sort_unstable();
        if found == expected {
            return Ok(());
        }
        let names: Vec<String> = all.iter().map(|(recorded, _)| place(recorded)).collect();
        let text =
            format!("{}: statuses: expected {expected:?} in any order, found {found:?}", names.join(", "));
        Err(failed("condition.statuses", text))
    }

    /// The answers that are judged.
    fn answers(&self, exchange: &str) -> Result<Vec<(&'t Recorded, &'t Answer)>, Shortfall> {
        let recorded = self.of(exchange);
        if recorded.is_empty() {
            let text = format!("{exchange}: there was nothing to send it for");
            return Err(not_verified("exchange.nothing-to-send", text));
        }
        recorded
            .into_iter()
            .map(|recorded| match &recorded.outcome {
                Outcome::Answered { answer, .. } => Ok((recorded, answer)),
                Outcome::Failed { message, failure, .. } => Err(Shortfall {
                    how: How::Broken,
                    code: failure.code().to_owned(),
                    text: format!("{}: no answer: {message}", place(recorded)),
                }),
                Outcome::NotSent { because } => {
                    let text = format!("{}: not sent: {because}", place(recorded));
                    Err(not_verified("exchange.not-sent", text))
                }
            })
            .collect()
    }

    /// The answers that are not one of the errors which the expectation leaves open.
    fn without_errors(
        &self,
        expectation: &Expectation,
        answers: Vec<(&'t Recorded, &'t Answer)>,
    ) -> Result<Vec<(&'t Recorded, &'t Answer)>, Shortfall> {
        if expectation.unless_error.is_empty() {
            return Ok(answers);
        }
        let codes: Vec<&String> = expectation.unless_error.iter().collect();
        let (accepted, refused): (Vec<_>, Vec<_>) =
            answers.into_iter().partition(|(_, answer)| answer.is_success());
        for (recorded, answer) in refused {
            self.error(&codes, answer, &place(recorded))?;
        }
        Ok(accepted)
    }

    /// Status, envelope and code of one of these errors, as the wire profile has them.
    fn error(&self, codes: &[&String], answer: &Answer, place: &str) -> Result<(), Shortfall> {
        let known =
            codes.iter().filter_map(|code| Some((self.wire.code(code), *self.wire.errors.get(*code)?)));
        let known: Vec<(&str, u16)> = known.collect();
        if known.is_empty() {
            return Err(not_verified(
                "wire.no-such-error",
                format!("the wire profile has no error {codes:?}"),
            ));
        }
        let names = |described: &dyn Fn(&(&str, u16)) -> String| {
            known.iter().map(described).collect::<Vec<String>>().join(" or ")
        };
        if !known.iter().any(|(_, status)| *status == answer.status) {
            let expected = names(&|(code, status)| format!("{status} ({code})"));
            let found = answer.status;
            let text = format!("{place}: status: expected {expected}, found {found}");
            return Err(failed("error.status", text));
        }
        let found = self.enveloped(answer, place).map_err(|text| failed("error.envelope", text))?;
        if known.contains(&(found.as_str(), answer.status)) {
            return Ok(());
        }
        let expected = names(&|(code, _)| (*code).to_owned());
        let at = &self.wire.envelope.code;
        Err(failed("error.code", format!("{place}: {at}: expected {expected}, found {}", shown(&found))))
    }

    /// An error in the envelope, with a code of the wire profile, under whatever status.
    fn envelope(&self, answer: &Answer, place: &str) -> Result<(), Shortfall> {
        if answer.status < 400 {
            let found = answer.status;
            let text = format!("{place}: status: expected that of an error, found {found}");
            return Err(failed("error.status", text));
        }
        let found = self.enveloped(answer, place).map_err(|text| failed("error.envelope", text))?;
        if self.wire.errors.keys().any(|code| self.wire.code(code) == found) {
            return Ok(());
        }
        let at = &self.wire.envelope.code;
        let text = format!("{place}: {at}: expected a code of the wire profile, found {}", shown(&found));
        Err(failed("error.code", text))
    }

    /// The code in the envelope of an error, which has a message for people too.
    fn enveloped(&self, answer: &Answer, place: &str) -> Result<String, String> {
        let envelope = &self.wire.envelope;
        let body = answer.body();
        let document = Document::read(&body, &Limits::default())
            .map_err(|error| format!("{place}: body: expected an error envelope in JSON, found {error}"))?;
        let text = |pointer: &str| document.root().at(pointer).and_then(Value::as_str);
        let code = text(&envelope.code)
            .ok_or_else(|| format!("{place}: {}: expected a code, found no text", envelope.code))?;
        match text(&envelope.message) {
            Some(message) if !message.is_empty() => Ok(code.into_owned()),
            _ => Err(format!("{place}: {}: expected a message for people, found none", envelope.message)),
        }
    }

    fn lacks(&self, text: &str, answer: &Answer, place: &str) -> Result<(), Shortfall> {
        let text = self.resolve_text(text)?;
        let body = answer.body();
        let contains = !text.is_empty() && body.windows(text.len()).any(|window| window == text.as_bytes());
        if contains {
            let text = format!("{place}: expected nothing about {text}, found it in the body");
            return Err(failed("condition.lacks", text));
        }
        Ok(())
    }

    /// Conditions on one value of the body.
    fn value(
        &self,
        expectation: &Expectation,
        recorded: &Recorded,
        answer: &Answer,
    ) -> Result<(), Shortfall> {
        let conditions = [
            expectation.schema.is_some(),
            expectation.equals.is_some(),
            expectation.at_least.is_some(),
            expectation.length_of.is_some(),
            expectation.within_run.is_some(),
            expectation.sent_before.is_some(),
        ];
        if !conditions.contains(&true) {
            return Ok(());
        }
        let place = place(recorded);
        let pointer = expectation.at.as_deref().unwrap_or("");
        let body = answer.body();
        let document = match Document::read(&body, &Limits::default()) {
            Ok(document) => document,
            Err(error) => {
                return Err(failed("condition.json", format!("{place}: expected JSON, found {error}")));
            }
        };
        let at = if pointer.is_empty() { "the body" } else { pointer };
        let Some(value) = document.root().at(pointer) else {
            let text = format!("{place}: {at}: expected a value, found no such member");
            return Err(failed("condition.absent", text));
        };
        match self.value_differs(expectation, recorded, document.root(), value)? {
            None => Ok(()),
            Some((code, difference)) => Err(failed(code, format!("{place}: {difference}"))),
        }
    }

    /// The first of the conditions on a value that it does not meet: where, what was expected and found.
    fn value_differs(
        &self,
        expectation: &Expectation,
        recorded: &Recorded,
        body: Value<'_>,
        value: Value<'_>,
    ) -> Result<Option<(&'static str, String)>, Shortfall> {
        let pointer = expectation.at.as_deref().unwrap_or("");
        let at = if pointer.is_empty() { "the body" } else { pointer };
        if let Some(schema) = &expectation.schema
            && let Err(error) = schema::check(value.raw(), schema)
        {
            return Ok(Some(("condition.schema", format!("{at}: {error}"))));
        }
        if let Some(expected) = &expectation.equals {
            let expected = self.resolve_for(expected, Some(recorded))?;
            if let Err(difference) = same_json(value, &expected, pointer) {
                return Ok(Some(("condition.equals", difference)));
            }
        }
        if let Some(least) = &expectation.at_least {
            let least = self.resolve_for(least, Some(recorded))?;
            let enough = least.as_u64().zip(value.as_u64()).is_some_and(|(least, found)| found >= least);
            if !enough {
                let text = format!("{at}: expected at least {least}, found {}", shown(value.raw()));
                return Ok(Some(("condition.at-least", text)));
            }
        }
        if let Some(list) = &expectation.length_of {
            let length = match Reference::whole(list) {
                None => body.at(list).map(|list| list.items().count() as u64),
                Some(_) => {
                    let list = self.resolve_for(&Json::String(list.clone()), Some(recorded))?;
                    list.as_array().map(|items| items.len() as u64)
                }
            };
            if length.is_none() || value.as_u64() != length {
                let expected =
                    length.map_or_else(|| format!("a list at {list}"), |length| length.to_string());
                let text = format!("{at}: expected {expected}, found {}", shown(value.raw()));
                return Ok(Some(("condition.length", text)));
            }
        }
        if let Some(before) = &expectation.sent_before
            && !self.was_sent(before, recorded, value)
        {
            let found = shown(value.raw());
            let text = format!("{at}: expected what an accepted {} sent before, found {found}", before.call);
            return Ok(Some(("condition.sent-before", text)));
        }
        let time = expectation.within_run.map(|most| within_run(value.raw(), most, self.transcript));
        Ok(time.and_then(Result::err).map(|difference| ("condition.time", format!("{at}: {difference}"))))
    }

    /// Whether a value stood in an earlier request that was accepted.
    fn was_sent(&self, before: &SentBefore, recorded: &Recorded, value: Value<'_>) -> bool {
        let all = self.seen();
        let earlier = all.iter().take_while(|seen| !std::ptr::eq(seen.recorded, recorded));
        let accepted = earlier.filter(|seen| seen.name == before.call && seen.accepted().is_some());
        // The newest first: it is the one that counts.
        let mut accepted: Vec<&Seen<'_>> = accepted.collect();
        accepted.reverse();
        accepted.into_iter().any(|seen| {
            let sent = seen.request.bytes().and_then(|bytes| part_of(&bytes, &before.at));
            sent.is_some_and(|sent| same_json(value, &sent, "").is_ok())
        })
    }

    /// Counts the items that are as described, over all answers of the exchange.
    fn find(
        &self,
        find: &Find,
        expectation: &Expectation,
        answers: &[(&Recorded, &Answer)],
    ) -> Result<(), Shortfall> {
        let conditions = self.conditions(&find.condition)?;
        let lists = Lists { list: &find.list, or_in: find.or_in.as_deref() };
        let (mut count, mut items) = (0, 0);
        lists.each_item(answers, |item, _| {
            items += 1;
            count += usize::from(matches(item, &conditions));
            Ok(())
        })?;
        if count == find.count {
            return Ok(());
        }
        let text = format!(
            "{}: expected {} item(s) in {} with {}, found {count} among {items}",
            expectation.exchange,
            find.count,
            find.list,
            described(&conditions),
        );
        Err(failed("condition.find", text))
    }

    /// Looks at every item that is meant, over all answers of the exchange.
    fn every(
        &self,
        every: &Every,
        expectation: &Expectation,
        answers: &[(&Recorded, &Answer)],
    ) -> Result<(), Shortfall> {
        let lists = Lists { list: &every.list, or_in: every.or_in.as_deref() };
        let mut all = EveryItem::new(every, self.transcript);
        for (recorded, answer) in answers {
            all.turn_to(self.of_answer(every, recorded)?, expectation.wherever.is_some());
            lists.each_item(&[(recorded, answer)], |item, place| all.look_at(item, place))?;
        }
        if answers.is_empty() || all.count >= every.least {
            return Ok(());
        }
        let conditions = self.conditions(&every.condition)?;
        let of =
            if conditions.is_empty() { String::new() } else { format!(" with {}", described(&conditions)) };
        let text = format!(
            "{}: expected at least {} item(s) in {}{of}, found {}",
            expectation.exchange, every.least, every.list, all.count
        );
        Err(failed("condition.count", text))
    }

    /// What the items of one answer are compared with.
    fn of_answer<'e>(&self, every: &'e Every, recorded: &Recorded) -> Result<OfAnswer<'e>, Shortfall> {
        let equals =
            every.equals.as_ref().map(|value| self.resolve_for(value, Some(recorded))).transpose()?;
        let wanted = |of: &'e LeafOf| {
            let (log, has) = (self.log(&of.log)?, self.conditions_for(&of.has, Some(recorded))?);
            Ok(WantedLeaf { of, log, has })
        };
        let leaf = every.leaf.as_ref().map(wanted).transpose()?;
        Ok(OfAnswer { conditions: self.conditions_for(&every.condition, Some(recorded))?, equals, leaf })
    }

    fn conditions<'c>(
        &self,
        conditions: &'c BTreeMap<String, Json>,
    ) -> Result<Vec<(&'c str, Json)>, Shortfall> {
        self.conditions_for(conditions, None)
    }

    fn conditions_for<'c>(
        &self,
        conditions: &'c BTreeMap<String, Json>,
        about: Option<&Recorded>,
    ) -> Result<Vec<(&'c str, Json)>, Shortfall> {
        let resolved =
            conditions.iter().map(|(pointer, value)| Ok((pointer.as_str(), self.resolve_for(value, about)?)));
        resolved.collect()
    }

    /// Compares every head that the run saw with the log, whatever check they were asked for.
    fn growth(&self, growth: &Growth) -> Result<(), Shortfall> {
        let log = self.log(&growth.log)?;
        let answered = self.transcript.exchanges.iter().filter_map(|recorded| match &recorded.outcome {
            Outcome::Answered { answer, .. } if answer.is_success() => Some((recorded, answer)),
            _ => None,
        });
        let sightings: Vec<Sighting> = answered
            .filter_map(|(recorded, answer)| {
                let kind = self.document_kind(&recorded.exchange);
                let sighting = Sighting::read(place(recorded), kind, &answer.body())?;
                Some(sighting.at_the_moment(self.moment(recorded)))
            })
            .collect();
        compare(&sightings, &log, growth).map_err(|difference| match difference {
            NotOneLog::Shown(text) => failed("growth.not-one-log", text),
            NotOneLog::TooShort(text) => not_verified("growth.log-too-short", text),
        })
    }

    /// What an exchange was sent at the same moment with.
    fn moment(&self, recorded: &Recorded) -> Option<String> {
        let together = self.suite.exchange(&recorded.exchange)?.together.as_ref()?;
        Some(format!("{together} {}", recorded.attempt))
    }

    /// Asks the verifier about the answers.
    fn established(
        &self,
        expectation: &Expectation,
        answers: &[(&Recorded, &Answer)],
    ) -> Result<(), Shortfall> {
        let anchors = self.anchors(expectation)?;
        let trust = anchors.trust();
        let limits = Limits::default();
        let bodies: Vec<Vec<u8>> = answers.iter().map(|(_, answer)| answer.body()).collect();
        let kind = match &expectation.wherever {
            None => self.document_kind(&expectation.exchange),
            Some(wherever) => wherever.calls.first().and_then(|name| self.wire.calls.get(name)?.document),
        };
        let traces: Vec<(String, Trace)> = match kind {
            Some(Kind::OversightLog) if expectation.wherever.is_none() => {
                let (_, trace) = verify_log(bodies.iter().map(Vec::as_slice), &trust, &limits);
                vec![(expectation.exchange.clone(), trace)]
            }
            Some(kind) => answers
                .iter()
                .zip(&bodies)
                .map(|((recorded, _), body)| {
                    let trace = match kind {
                        Kind::OversightBundle => verify_bundle(body, &trust, &limits),
                        Kind::OversightConsistency => verify_consistency_proof(body, &trust, &limits),
                        Kind::OversightHead => verify_head(body, &trust, &limits),
                        Kind::OversightLog => verify_log([body.as_slice()], &trust, &limits).1,
                        Kind::OversightProof => verify_proof(body, &trust, &limits),
                    };
                    (place(recorded), trace)
                })
                .collect(),
            None => {
                let text = format!("{}: the wire profile does not say what it answers", expectation.exchange);
                return Err(not_verified("wire.no-document", text));
            }
        };
        let races = self.reading_of(&expectation.exchange).map(|reading| reading.races.as_slice());
        for (place, trace) in &traces {
            for id in &expectation.established {
                layer_is_established(trace, id, place, races.unwrap_or_default())?;
            }
        }
        Ok(())
    }

    fn document_kind(&self, exchange: &str) -> Option<Kind> {
        let exchange = self.suite.exchange(exchange)?;
        self.wire.calls.get(&exchange.request_in(self.suite)?.call)?.document
    }

    fn anchors(&self, expectation: &Expectation) -> Result<Anchors, Shortfall> {
        let Some(under) = &expectation.under else { return Ok(Anchors::default()) };
        let key = |reference: &Option<String>| -> Result<Vec<PublicKey>, Shortfall> {
            let Some(reference) = reference else { return Ok(Vec::new()) };
            let text = self.resolve_text(reference)?;
            let key = PublicKey::from_hex(&text.to_ascii_lowercase());
            let key = key.ok_or_else(|| {
                not_verified("anchor.no-key", format!("{reference} is no key: {}", shown(&text)))
            })?;
            Ok(vec![key])
        };
        let mut heads = Vec::new();
        for exchange in &under.heads {
            for (recorded, answer) in self.answers(exchange)? {
                let head = read_head(&answer.body());
                let head = head.ok_or_else(|| {
                    let text = format!("{}: no tree head to compare with", place(recorded));
                    not_verified("anchor.no-head", text)
                })?;
                heads.push(head);
            }
        }
        Ok(Anchors {
            registry_keys: key(&under.registry_key)?,
            issuer_keys: key(&under.issuer_key)?,
            file_id: under.file_id.as_ref().map(|text| self.resolve_text(text)).transpose()?,
            heads,
            log: under.log.as_ref().map(|exchange| self.log(exchange)).transpose()?,
        })
    }

    fn log(&self, exchange: &str) -> Result<Rc<Log>, Shortfall> {
        let key = (exchange.to_owned(), self.attempt.get());
        if let Some(log) = self.logs.borrow().get(&key) {
            return Ok(Rc::clone(log));
        }
        let bodies: Vec<Vec<u8>> =
            self.answers(exchange)?.into_iter().map(|(_, answer)| answer.body()).collect();
        let (log, layers) = Log::read(bodies.iter().map(Vec::as_slice), &Limits::default());
        if let Some(layer) = layers.iter().find(|layer| layer.state == State::Refuted) {
            let reason =
                layer.problem.as_ref().map(|problem| format!("{} at {}", problem.code.meaning(), problem.at));
            let text = format!("the log of `{exchange}` is not sound: {}", reason.unwrap_or_default());
            return Err(not_verified("log.unsound", text));
        }
        let log = Rc::new(log);
        self.logs.borrow_mut().insert(key, Rc::clone(&log));
        Ok(log)
    }

    fn resolve(&self, value: &Json) -> Result<Json, Shortfall> {
        self.resolve_for(value, None)
    }

    /// `$each` is the number of the turn that is judged; `$sent` and the like are of its request and answer.
    fn resolve_for(&self, value: &Json, about: Option<&Recorded>) -> Result<Json, Shortfall> {
        let look_up = |reference: &Reference| match (reference.name.as_str(), about) {
            ("each", about) => about.and_then(|recorded| recorded.each).map(Json::from),
            (name, Some(recorded)) if Expectation::is_of_the_answer(name) => {
                Seen::of(self.suite, self.wire, recorded)?.look_up(reference)
            }
            (_, about) => self.part(&of_turn(reference, about.and_then(|recorded| recorded.each))),
        };
        resolve(value, &look_up).map_err(|error| not_verified("reference.absent", error.to_string()))
    }

    /// A value of the run, or a part of an answer.
    fn part(&self, reference: &Reference) -> Option<Json> {
        if let Some(value) = self.transcript.manifest.names.get(&reference.name) {
            return value.pointer(&reference.pointer).cloned();
        }
        match self.of(&reference.name).first().map(|recorded| &recorded.outcome) {
            Some(Outcome::Answered { answer, .. }) => part_of(&answer.body(), &reference.pointer),
            _ => None,
        }
    }

    fn resolve_text(&self, text: &str) -> Result<String, Shortfall> {
        Ok(match self.resolve(&Json::String(text.to_owned()))? {
            Json::String(text) => text,
            other => other.to_string(),
        })
    }

    /// One line for each exchange that the case looks at, as it went in the attempt that decided.
    fn exchange_lines(&self, case: &Case<'_>) -> Vec<String> {
        const MOST: usize = 6;
        let mut names: Vec<&str> = Vec::new();
        for expectation in case.expect {
            let others = expectation.statuses.iter().flat_map(|statuses| &statuses.with);
            for name in std::iter::once(&expectation.exchange).chain(others) {
                if !names.contains(&name.as_str()) {
                    names.push(name);
                }
            }
        }
        let all: Vec<&Recorded> = names.into_iter().flat_map(|name| self.of(name)).collect();
        let mut lines: Vec<String> = all.iter().take(MOST).map(|recorded| exchange_line(recorded)).collect();
        if all.len() > MOST {
            lines.push(format!("… and {} more", all.len() - MOST));
        }
        lines
    }
}

/// How attempts at checks ended, by check and attempt. What an attempt shows does not change with later ones.
#[derive(Default)]
pub(crate) struct Known(Ends);

/// Whether a target moved while it was read: what was seen first and last is there, and differs.
pub(crate) fn moved(reading: &Reading, transcript: &Transcript, attempt: u32) -> bool {
    let end = |text: &str| {
        let look_up = |reference: &Reference| look_up(transcript, reference, attempt);
        resolve(&Json::String(text.to_owned()), &look_up).ok()
    };
    matches!((end(&reading.first), end(&reading.last)), (Some(first), Some(last)) if first != last)
}

#[derive(Default)]
struct Anchors {
    registry_keys: Vec<PublicKey>,
    issuer_keys: Vec<PublicKey>,
    file_id: Option<String>,
    heads: Vec<TreeHead>,
    log: Option<Rc<Log>>,
}

impl Anchors {
    fn trust(&self) -> Trust<'_> {
        Trust {
            registry_keys: &self.registry_keys,
            issuer_keys: &self.issuer_keys,
            heads: &self.heads,
            file_id: self.file_id.as_deref(),
            log: self.log.as_deref(),
            ..Trust::default()
        }
    }
}

/// Size and root of a head; its signature is another check's matter.
fn read_head(body: &[u8]) -> Option<TreeHead> {
    let document = Document::read(body, &Limits::default()).ok()?;
    let root = document.root();
    let hash = root.get("root")?.as_str()?;
    Some(TreeHead { size: root.get("size")?.as_u64()?, root: Hash::from_hex(&hash)? })
}

fn layer_is_established(trace: &Trace, id: &str, place: &str, races: &[String]) -> Result<(), Shortfall> {
    let unread = || trace.layers.iter().find(|layer| layer.state == State::Refuted);
    let Some(layer) = trace.layer(id).or_else(unread) else {
        return Err(not_verified("layer.absent", format!("{place}: there is no layer {id}")));
    };
    let Some(problem) = &layer.problem else { return Ok(()) };
    let text = format!(
        "{place}: {} {} ({}) at {}: expected {}, found {}",
        layer.id,
        layer.state.as_str(),
        problem.code,
        if problem.at.is_empty() { "the document" } else { &problem.at },
        problem.expected,
        problem.found,
    );
    let raced = races.iter().any(|code| code == problem.code.as_str());
    let how = match layer.state {
        State::Refuted | State::NotEstablished if raced => How::Raced,
        State::Refuted => How::Failed,
        State::NotEstablished | State::Established => How::NotVerified,
    };
    Err(Shortfall { how, code: problem.code.as_str().to_owned(), text })
}

/// A list in the bodies of answers, under one of two names.
struct Lists<'l> {
    list: &'l str,
    or_in: Option<&'l str>,
}

impl Lists<'_> {
    /// Hands over each item with its place, up to the first difference.
    fn each_item(
        &self,
        answers: &[(&Recorded, &Answer)],
        mut look_at: impl FnMut(Value<'_>, &str) -> Result<(), String>,
    ) -> Result<(), Shortfall> {
        for (recorded, answer) in answers {
            let place = place(recorded);
            let body = answer.body();
            let document = Document::read(&body, &Limits::default()).map_err(|error| {
                failed("condition.json", format!("{place}: expected JSON, found {error}"))
            })?;
            let names = [Some(self.list), self.or_in].into_iter().flatten();
            let found = names.into_iter().find_map(|name| {
                let list = document.root().at(name)?;
                (list.kind() == assayer_verifier::Kind::Array).then_some((name, list))
            });
            let Some((name, list)) = found else {
                let text = format!("{place}: expected a list at {}, found none", self.list);
                return Err(failed("condition.list", text));
            };
            for (position, item) in list.items().enumerate() {
                let looked = look_at(item, &format!("{place}: {name}/{position}"));
                looked.map_err(|text| failed("condition.item", text))?;
            }
        }
        Ok(())
    }
}

fn described(conditions: &[(&str, Json)]) -> String {
    let described =
        conditions.iter().map(|(pointer, value)| format!("{pointer} = {}", shown(&value.to_string())));
    described.collect::<Vec<String>>().join(", ")
}

/// Conditions on header fields and on the body as bytes.
fn of_the_answer(expectation: &Expectation, answer: &Answer, place: &str) -> Result<(), Shortfall> {
    let coded = |code: &'static str| move |text: String| failed(code, text);
    if let Some(header) = &expectation.header {
        conditions::header(header, answer, place).map_err(coded("condition.header"))?;
    }
    if let Some(media) = &expectation.media {
        conditions::media(media, answer, place).map_err(coded("condition.media"))?;
    }
    if let Some(body) = &expectation.body {
        conditions::body(body, answer, place).map_err(coded("condition.body"))?;
    }
    let png = expectation.png.map_or(Ok(()), |png| conditions::png(png, answer, place));
    png.map_err(coded("condition.png"))
}

/// Name of an exchange, and of its turn if it is repeated.
pub(crate) fn place(recorded: &Recorded) -> String {
    match recorded.each {
        Some(each) => format!("{}[{each}]", recorded.exchange),
        None => recorded.exchange.clone(),
    }
}

fn status(expectation: &Expectation, answer: &Answer, place: &str) -> Result<(), Shortfall> {
    let allowed: Vec<u16> = expectation.status.iter().chain(&expectation.status_in).copied().collect();
    if allowed.is_empty() || allowed.contains(&answer.status) {
        return Ok(());
    }
    let expected: Vec<String> = allowed.iter().map(u16::to_string).collect();
    let text = format!("{place}: status: expected {}, found {}", expected.join(" or "), answer.status);
    Err(failed("condition.status", text))
}

/// Compares as JSON values: members in any order, numbers by value.
pub(crate) fn same_json(found: Value<'_>, expected: &Json, at: &str) -> Result<(), String> {
    let text = expected.to_string();
    let document = Document::read(text.as_bytes(), &Limits::default()).map_err(|error| error.to_string())?;
    difference(found, document.root(), at).map_or(Ok(()), Err)
}

/// The first difference, as deep as it can be named.
fn difference(found: Value<'_>, expected: Value<'_>, at: &str) -> Option<String> {
    let canonical = |value| canonicalize(value, Scheme::SerdeJcs01).ok();
    if canonical(found).is_some() && canonical(found) == canonical(expected) {
        return None;
    }
    if found.kind() == assayer_verifier::Kind::Object && expected.kind() == assayer_verifier::Kind::Object {
        for (key, value) in expected.members() {
            let name = key.as_str().unwrap_or_default();
            let mut place = at.to_owned();
            assayer_verifier::push_token(&mut place, &name);
            match found.get(&name) {
                None => {
                    return Some(format!("{place}: expected {}, found no such member", shown(value.raw())));
                }
                Some(other) => {
                    if let Some(text) = difference(other, value, &place) {
                        return Some(text);
                    }
                }
            }
        }
        let more = found.members().find(|(key, _)| expected.get(&key.as_str().unwrap_or_default()).is_none());
        if let Some((key, _)) = more {
            return Some(format!("{at}: expected no member {}, found one", key.raw()));
        }
    }
    let place = if at.is_empty() { "the body" } else { at };
    Some(format!("{place}: expected {}, found {}", shown(expected.raw()), shown(found.raw())))
}

/// No text from outside is repeated at length, or over several lines.
pub(crate) fn shown(text: &str) -> String {
    const MOST: usize = 160;
    let line: String = text.chars().take(MOST).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().count() > MOST { format!("{line}…") } else { line }
}

fn exchange_line(recorded: &Recorded) -> String {
    match &recorded.outcome {
        Outcome::Answered { request, answer } => {
            let body = match (&answer.body_text, &answer.body_hex) {
                (Some(text), _) => shown(text),
                (None, hex) => format!("{} bytes", hex.as_ref().map_or(0, String::len) / 2),
            };
            format!("{} {} -> {} {body}", request.method, shown(&request.target), answer.status)
        }
        Outcome::Failed { request, message, .. } => {
            format!("{} {} -> no answer: {message}", request.method, shown(&request.target))
        }
        Outcome::NotSent { because } => format!("{} was not sent: {because}", place(recorded)),
    }
}
