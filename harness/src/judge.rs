//! The judge: a pure function from suite data and a transcript to verdicts. No clock, no network, no randomness.

mod attempts;
mod expectation;
mod items;
mod label;
mod layers;
mod references;
mod refusal;
mod same;
mod shortfall;
mod value;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use assayer_reports::{CheckResult, Cited};
use assayer_vectors::{Document as Kind, Expectation, Reading, Suite, Wire};
use assayer_verifier::Trace;
use assayer_verifier::oversight::Log;

use crate::archive::{Judged, Verdict};
use crate::ledger::Settled;
use crate::plan::Case;
use crate::seen::Seen;
use crate::transcript::{Documents, Outcome, Recorded, Transcript};

use attempts::Ends;
use shortfall::Ended;

pub(crate) use attempts::{Known, moved};
pub(crate) use same::{is_same, same_json, shown};

/// What the verifier said of an answer, by the number of its exchange.
type Traces = BTreeMap<u64, Rc<Trace>>;

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
    /// What the verifier said of answers, by their kind with what was trusted, and the attempt.
    traces: RefCell<BTreeMap<(String, u32), Traces>>,
    /// The bodies as JSON.
    documents: Rc<Documents<'t>>,
    /// What was recorded, by exchange.
    by_exchange: BTreeMap<&'t str, Vec<&'t Recorded>>,
    /// How attempts ended.
    ends: RefCell<Ends>,
    /// The requests up to an attempt.
    seen: RefCell<BTreeMap<u32, Rc<Vec<Seen<'t>>>>>,
    /// Which request added which leaf of a log, by the exchange that read it and the attempt: several laws ask for it.
    settled: RefCell<BTreeMap<(String, u32), Rc<Settled>>>,
}

impl<'t> Judge<'t> {
    /// A judge over one transcript; `rerun` is the command that shows it again, as manifests have it.
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
            traces: RefCell::default(),
            documents: Rc::default(),
            by_exchange,
            ends: RefCell::default(),
            seen,
            settled: RefCell::default(),
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
        let exchanges = self.exchange_lines(case, &reason);
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
            exchanges,
            rerun: match self.rerun.ends_with(" --only") {
                true => format!("{} {}", self.rerun, check.id),
                false => self.rerun.clone(),
            },
        }
    }

    /// One line for each exchange that the case looks at, as it went in the attempt that decided.
    fn exchange_lines(&self, case: &Case<'_>, reason: &str) -> Vec<String> {
        const MOST: usize = 6;
        // The one that the reason speaks of comes first; it may be none that the check names.
        let spoken_of = reason.split([':', '[']).next().and_then(|name| self.suite.exchange(name));
        let mut names: Vec<&str> = spoken_of.map(|exchange| exchange.id.as_str()).into_iter().collect();
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

    fn of(&self, exchange: &str) -> Vec<&'t Recorded> {
        let all = self.by_exchange.get(exchange).into_iter().flatten().copied();
        let all = all.filter(|recorded| recorded.attempt <= self.attempt.get());
        let latest = all.clone().map(|recorded| recorded.attempt).max().unwrap_or(0);
        all.filter(|recorded| recorded.attempt == latest).collect()
    }

    fn reading_of(&self, exchange: &str) -> Option<&'t Reading> {
        let name = self.suite.exchange(exchange)?.reading.as_ref()?;
        self.suite.readings.iter().find(|reading| reading.id == *name)
    }

    fn document_kind(&self, exchange: &str) -> Option<Kind> {
        let exchange = self.suite.exchange(exchange)?;
        self.wire.calls.get(&exchange.request_in(self.suite)?.call)?.document
    }
}

/// Name of an exchange, and of its turn if it is repeated.
pub(crate) fn place(recorded: &Recorded) -> String {
    match recorded.each {
        Some(each) => format!("{}[{each}]", recorded.exchange),
        None => recorded.exchange.clone(),
    }
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
        Outcome::NotSent { because, .. } => format!("{} was not sent: {because}", place(recorded)),
    }
}
