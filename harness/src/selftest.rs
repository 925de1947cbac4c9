//! The harness tried on registries whose faults are known: every fault must be noticed by the check that is named for it,
//! no harmless difference may be accused, and a registry with nothing inside must pass nothing that shows something.

use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpListener;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use assayer_reports::{FaultRow, HollowRow, Kill, Matrix, Report, Selection, Status, VariantRow};
use assayer_vectors::{
    Check, Edition, Exchange, Fault, Hollow, HollowAnswers, MayPass, Setup, Suite, Variant, Wire,
};
use serde_json::json;

use crate::job::{Job, UnknownName, edition, wire};
use crate::parallel::in_order;
use crate::plan::{Case, cases, exchanges};
use crate::rewrite::{Reply, Request, Rewriting};
use crate::run::{Against, Options, RunError, run_planned};
use crate::secrets::Secrets;
use crate::target::{InProcess, Misbehaviour, TargetError};
use crate::transcript::{Answer, Outcome, Transcript};

/// The edition that is tried, and the one whose checks are run against the same faults for comparison.
const EDITION: &str = "strict";
const COMPARED: &str = "0.4.12";

/// What is run, and how.
pub struct Selftest<'s> {
    /// The suite.
    pub suite: &'s Suite,
    /// Names of the faults, variants and hollow registries that are run; all, if there are none.
    pub only: BTreeSet<String>,
    /// How many registries are tried at once.
    pub jobs: usize,
}

/// One registry to try.
#[derive(Clone, Copy)]
enum Trial<'s> {
    Fault(&'s Fault),
    Variant(&'s Variant),
    Hollow(&'s Hollow),
}

enum Row {
    Fault(FaultRow),
    Variant(VariantRow),
    Hollow(HollowRow),
}

/// Why a trial came to no end.
#[derive(Debug, thiserror::Error)]
enum TrialError {
    #[error(transparent)]
    Run(#[from] RunError),
    #[error(transparent)]
    Target(#[from] TargetError),
    #[error(transparent)]
    Name(#[from] UnknownName),
    #[error("no port to leave closed: {0}")]
    Port(#[from] std::io::Error),
    #[error("the harness panicked")]
    Panic,
}

impl<'s> Selftest<'s> {
    /// How many registries are tried.
    #[must_use]
    pub fn count(&self) -> usize {
        self.trials().len()
    }

    /// Tries them all; `done` is called after each one.
    ///
    /// # Errors
    /// [`UnknownName`] for a suite without the editions that are compared.
    pub fn run(&self, done: &(dyn Fn() + Sync)) -> Result<Matrix, UnknownName> {
        let (strict, compared) = (self.edition(EDITION)?, self.edition(COMPARED)?);
        let trials = self.trials();
        let mut rows = Vec::new();
        in_order(
            self.jobs,
            |hand_in| {
                let _ = trials.iter().try_for_each(|trial| hand_in(*trial));
            },
            || {
                |trial| {
                    let row = trial_row(trial, &strict, &compared);
                    done();
                    row
                }
            },
            |row| {
                rows.push(row);
                ControlFlow::Continue(())
            },
        );
        Ok(self.matrix(rows, &strict, &compared))
    }

    fn trials(&self) -> Vec<Trial<'s>> {
        let selected = |id: &String| self.only.is_empty() || self.only.contains(id);
        let suite = self.suite;
        let faults = suite.faults.iter().filter(|fault| selected(&fault.id)).map(Trial::Fault);
        let variants = suite.variants.iter().filter(|variant| selected(&variant.id)).map(Trial::Variant);
        let hollow = suite.hollow.iter().filter(|hollow| selected(&hollow.id)).map(Trial::Hollow);
        faults.chain(variants).chain(hollow).collect()
    }

    fn edition(&self, name: &str) -> Result<Edited<'s>, UnknownName> {
        let (suite, edition) = (self.suite, edition(self.suite, name)?);
        let cases = cases(suite, edition);
        let planned = exchanges(suite, &cases);
        Ok(Edited { suite, edition, wire: wire(suite, &edition.wire)?, cases, planned })
    }

    fn matrix(&self, rows: Vec<Row>, strict: &Edited<'_>, compared: &Edited<'_>) -> Matrix {
        let (mut faults, mut variants, mut hollow) = (Vec::new(), Vec::new(), Vec::new());
        for row in rows {
            match row {
                Row::Fault(row) => faults.push(row),
                Row::Variant(row) => variants.push(row),
                Row::Hollow(row) => hollow.push(row),
            }
        }
        let checks: Vec<(String, Option<String>)> =
            strict.cases.iter().map(|case| (case.check.id.clone(), case.check.redundant.clone())).collect();
        let whole = self.only.is_empty();
        Matrix::new(strict.name(), compared.name(), whole, faults, variants, hollow, &checks)
    }
}

/// An edition and what is needed to run it.
struct Edited<'s> {
    suite: &'s Suite,
    edition: &'s Edition,
    wire: &'s Wire,
    cases: Vec<Case<'s>>,
    planned: Vec<&'s Exchange>,
}

impl Edited<'_> {
    fn name(&self) -> String {
        format!("{}@{}", self.suite.name, self.edition.edition)
    }

    /// Runs the whole edition.
    fn run(&self, against: &Against) -> Result<(Report, Transcript), TrialError> {
        let (suite, edition, wire) = (self.suite, self.edition, self.wire);
        let job = Job { suite, edition, wire, cases: &self.cases, selection: Selection::Whole };
        catch_unwind(AssertUnwindSafe(|| run_planned(&job, &self.planned, against, &Options::default())))
            .map_err(|_| TrialError::Panic)?
            .map_err(Into::into)
    }

    /// Runs it against a registry that is started for this, and says whether its misbehaviour made a difference.
    fn run_with(&self, misbehaviour: &Misbehaviour) -> Result<(Report, bool), TrialError> {
        let started = Arc::new(InProcess::start(misbehaviour, self.wire)?);
        let (report, _) = self.run(&Against::Started(Arc::clone(&started)))?;
        Ok((report, started.acted()))
    }
}

fn trial_row(trial: Trial<'_>, strict: &Edited<'_>, compared: &Edited<'_>) -> Row {
    match trial {
        Trial::Fault(fault) => Row::Fault(fault_row(fault, strict, compared)),
        Trial::Variant(variant) => Row::Variant(variant_row(variant, strict)),
        Trial::Hollow(hollow) => Row::Hollow(hollow_row(hollow, strict)),
    }
}

/// A check has noticed something if it says that it is not as it must or should be, or that the target broke. One that could
/// not be judged has noticed nothing.
fn is_notice(status: Status) -> bool {
    matches!(status, Status::Fail | Status::Warn | Status::Finding | Status::Error)
}

fn noticed(report: &Report) -> Vec<String> {
    let noticed = report.checks.iter().filter(|check| is_notice(check.status));
    noticed.map(|check| check.id.clone()).collect()
}

fn fault_row(fault: &Fault, strict: &Edited<'_>, compared: &Edited<'_>) -> FaultRow {
    let (outcome, noticed_by, remark) = match tried(fault, strict) {
        Ok((noticed_by, acted)) => (outcome(fault, &noticed_by, acted), noticed_by, None),
        Err(error) => (Kill::Crashed, Vec::new(), Some(error.to_string())),
    };
    // A run of the other edition that breaks off has noticed nothing; it makes no difference to the outcome.
    let compared_noticed_by = tried(fault, compared).map(|(noticed_by, _)| noticed_by).unwrap_or_default();
    FaultRow {
        id: fault.id.clone(),
        kind: fault.kind,
        does: fault.does.clone(),
        killed_by: fault.killed_by.clone(),
        outcome,
        noticed_by,
        compared_noticed_by,
        remark,
    }
}

fn tried(fault: &Fault, edited: &Edited<'_>) -> Result<(Vec<String>, bool), TrialError> {
    let (report, acted) = edited.run_with(&Misbehaviour::named(edited.suite, [&fault.id])?)?;
    Ok((noticed(&report), acted))
}

fn outcome(fault: &Fault, noticed_by: &[String], acted: bool) -> Kill {
    match () {
        () if !acted => Kill::NotApplied,
        () if noticed_by.contains(&fault.killed_by) => Kill::Named,
        () if noticed_by.is_empty() => Kill::Survived,
        () => Kill::Other,
    }
}

fn variant_row(variant: &Variant, strict: &Edited<'_>) -> VariantRow {
    let tried = Misbehaviour::named(strict.suite, [&variant.id])
        .map_err(TrialError::from)
        .and_then(|misbehaviour| strict.run_with(&misbehaviour));
    let (accused_by, remark) = match tried {
        Ok((report, acted)) => {
            let idle = !acted && !variant.rewrite.is_empty();
            let remark = idle.then(|| "it made no difference".to_owned());
            (accused(&report, &variant.setup), remark)
        }
        Err(error) => (Vec::new(), Some(error.to_string())),
    };
    VariantRow {
        id: variant.id.clone(),
        does: variant.does.clone(),
        good: accused_by.is_empty() && remark.is_none(),
        accused_by,
        remark,
    }
}

/// Checks that failed, broke, or were left open. While others write, a log may grow too fast to be read.
fn accused(report: &Report, setup: &Setup) -> Vec<String> {
    let accuses = |status: Status| match status {
        Status::Fail | Status::Error => true,
        Status::NotVerified => !setup.other_writer,
        Status::Pass
        | Status::Warn
        | Status::Finding
        | Status::NotApplicable
        | Status::ExpectedFailure
        | Status::Stale => false,
    };
    let accusing = report.checks.iter().filter(|check| accuses(check.status));
    accusing.map(|check| check.id.clone()).collect()
}

fn hollow_row(hollow: &Hollow, strict: &Edited<'_>) -> HollowRow {
    let (passed, conformant, remark) = match hollow_report(hollow, strict) {
        Ok(report) => {
            let passed = report.checks.iter().filter(|check| check.status == Status::Pass);
            (passed.map(|check| check.id.clone()).collect(), report.conformant, None)
        }
        Err(error) => (Vec::new(), None, Some(error.to_string())),
    };
    let wrongly_passed: Vec<String> =
        passed.iter().filter(|id| !may_pass(hollow.may_pass, strict.suite, id)).cloned().collect();
    HollowRow {
        id: hollow.id.clone(),
        does: hollow.does.clone(),
        may_pass: hollow.may_pass,
        good: wrongly_passed.is_empty() && conformant != Some(true) && remark.is_none(),
        passed,
        wrongly_passed,
        remark,
    }
}

fn may_pass(allowed: MayPass, suite: &Suite, id: &str) -> bool {
    let Some(check) = suite.check(id) else { return false };
    match allowed {
        MayPass::Nothing => false,
        MayPass::Trivial => check.trivial.is_some(),
        MayPass::Unbound => check.trivial.is_some() || !is_bound(suite, check),
        MayPass::NotCryptographic => {
            check.expect.iter().all(|expectation| expectation.established.is_empty())
        }
    }
}

/// Whether a check sends or expects something that is drawn anew in each run.
fn is_bound(suite: &Suite, check: &Check) -> bool {
    let mut names: Vec<String> = check.needs.iter().chain(&check.sent).cloned().collect();
    for expectation in &check.expect {
        names.push(expectation.exchange.clone());
        names.extend(expectation.references().into_iter().map(|reference| reference.name));
    }
    let drawn = |name: &String| {
        suite.values.contains_key(name) || suite.fixtures.iter().any(|fixture| fixture.id == *name)
    };
    let sends_drawn = |name: &String| {
        let exchange = suite.exchange(name);
        let references = exchange.map(|exchange| exchange.references(suite)).unwrap_or_default();
        references.iter().any(|reference| drawn(&reference.name))
    };
    names.iter().any(|name| drawn(name) || sends_drawn(name))
}

fn hollow_report(hollow: &Hollow, strict: &Edited<'_>) -> Result<Report, TrialError> {
    let rewriting = || Rewriting::new(&hollow.rewrite, strict.wire);
    let nothing = || Reply::json(404, &json!({}));
    let against = match hollow.answers {
        HollowAnswers::Nothing => Against::Url(closed_port()?, Secrets::default()),
        HollowAnswers::Rules => {
            let answer = move |rules: &Rewriting, request| rules.exchange(request, &|_| nothing());
            Against::Started(Arc::new(InProcess::hollow(rewriting(), answer)?))
        }
        HollowAnswers::Recording => {
            let (_, transcript) = strict.run(&Against::InProcess(BTreeSet::new()))?;
            let recording = Recording::of(&transcript, &rewriting());
            let answer = move |rules: &Rewriting, request: Request| {
                recording.answer(rules, &request).unwrap_or_else(nothing)
            };
            Against::Started(Arc::new(InProcess::hollow(rewriting(), answer)?))
        }
    };
    Ok(strict.run(&against)?.0)
}

/// A URL at which nobody listens.
fn closed_port() -> Result<String, std::io::Error> {
    let address = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?;
    Ok(format!("http://{address}"))
}

/// Method and call.
type Asked = (String, Option<String>);

/// The answers of an earlier run, by method and call, in order. After the last one it begins again.
struct Recording {
    answers: BTreeMap<Asked, Vec<Answer>>,
    next: Mutex<BTreeMap<Asked, usize>>,
}

impl Recording {
    fn of(transcript: &Transcript, rules: &Rewriting) -> Self {
        let mut answers: BTreeMap<Asked, Vec<Answer>> = BTreeMap::new();
        for recorded in &transcript.exchanges {
            if let Outcome::Answered { request, answer } = &recorded.outcome {
                let asked = (request.method.clone(), rules.call_of(&request.method, &request.target));
                answers.entry(asked).or_default().push(answer.clone());
            }
        }
        Self { answers, next: Mutex::default() }
    }

    fn answer(&self, rules: &Rewriting, request: &Request) -> Option<Reply> {
        let asked = (request.method.clone(), rules.call_of(&request.method, &request.target));
        let all = self.answers.get(&asked)?;
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = next.entry(asked).or_insert(0);
        let answer = all.get(*turn % all.len().max(1))?;
        *turn += 1;
        let headers = answer.headers.iter().filter(|(name, _)| name != "transfer-encoding");
        Some(Reply {
            status: answer.status,
            headers: headers.map(|(name, value)| (name.clone(), value.clone().into_bytes())).collect(),
            body: answer.body().into_owned(),
            sending: Vec::new(),
        })
    }
}
