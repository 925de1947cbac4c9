//! Reviewed expected failures: what a team knows and has agreed to live with for a while, so that a gate stays of use.
//!
//! A baseline changes what a run exits with, never what the target is: a report with a baseline still says `NOT conformant`.
//! Whatever in it is no longer so is stale, and fails the run.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use wildmatch::WildMatch;

use crate::model::{CheckResult, Report, Selection, Status};

/// Version of the form of baselines.
pub const BASELINE_FORM: &str = "assayer-baseline/1";

/// A glob that covers more checks than this is no review.
pub const MOST_COVERED: usize = 10;

/// A file of expected failures.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// Form of this document: `assayer-baseline/1`.
    pub form: String,
    /// What is expected not to pass.
    #[serde(default)]
    pub expected: Vec<Expected>,
    /// What is known to come and go. It is pointed out and decides nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flaky: Vec<Flaky>,
}

/// One expected failure.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// Name of a check, or a glob over `check` or `group/check`; `*` and `?` do not cross the slash.
    pub check: String,
    /// How it ends.
    #[serde(default = "fail", skip_serializing_if = "is_fail")]
    pub status: ExpectedStatus,
    /// The reason code that it ends with.
    pub code: String,
    /// Which runs the entry is about.
    pub scope: Scope,
    /// Where the matter is being dealt with.
    pub link: String,
    /// Who answers for it.
    pub owner: String,
    /// The last day on which the entry holds (`YYYY-MM-DD`).
    pub expires: String,
}

/// How a check that does not pass can be expected to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ExpectedStatus {
    /// It fails.
    Fail,
    /// Something that it needs is missing.
    NotVerified,
    /// The target breaks.
    Error,
}

fn fail() -> ExpectedStatus {
    ExpectedStatus::Fail
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_fail(status: &ExpectedStatus) -> bool {
    *status == ExpectedStatus::Fail
}

impl ExpectedStatus {
    /// As a status of a check.
    #[must_use]
    pub fn status(self) -> Status {
        match self {
            Self::Fail => Status::Fail,
            Self::NotVerified => Status::NotVerified,
            Self::Error => Status::Error,
        }
    }

    /// The same of a status, if it is one of these.
    #[must_use]
    pub fn of(status: Status) -> Option<Self> {
        [Self::Fail, Self::NotVerified, Self::Error].into_iter().find(|known| known.status() == status)
    }
}

/// Which runs an entry is about. What is absent may be anything.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// Suite and edition, as in `oversight-v1@strict`.
    pub edition: String,
    /// Wire profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wire: Option<String>,
    /// Target, as reports name it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
}

/// One check that comes and goes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Flaky {
    /// Name of a check, or a glob as in `expected`.
    pub check: String,
    /// Where the matter is being dealt with.
    pub link: String,
    /// Who answers for it.
    pub owner: String,
}

/// What is wrong with an entry of a baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Staleness {
    /// It ends otherwise than expected, or for another reason.
    Changed,
    /// Its last day is over.
    Expired,
    /// The edition has the check, but it was not run.
    NotRun,
    /// It passes.
    Passes,
    /// It covers more than ten checks.
    TooBroad,
    /// Another entry covers the same check.
    Twice,
    /// The edition has no such check.
    Unknown,
}

impl Staleness {
    /// As in the machine-readable report.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Expired => "expired",
            Self::NotRun => "not-run",
            Self::Passes => "passes",
            Self::TooBroad => "too-broad",
            Self::Twice => "twice",
            Self::Unknown => "unknown",
        }
    }
}

/// One entry that is stale.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stale {
    /// The entry's `check`.
    pub entry: String,
    /// The check concerned; absent where it is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
    /// What is wrong.
    pub why: Staleness,
    /// In words: expected and found.
    pub text: String,
    /// Who answers for the entry.
    pub review: Review,
}

/// One check that ended as an entry says.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Met {
    /// The entry's `check`.
    pub entry: String,
    /// The check.
    pub check: String,
    /// How it ended.
    pub status: Status,
    /// For which reason.
    pub code: String,
    /// Who answers for the entry.
    pub review: Review,
}

/// What came of laying a baseline over a report.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BaselineResult {
    /// How many entries are about this run.
    pub entries: usize,
    /// How many are about other runs; they are neither used nor stale.
    pub out_of_scope: usize,
    /// What ended as it says.
    pub met: Vec<Met>,
    /// What is no longer so; each fails the run.
    pub stale: Vec<Stale>,
    /// Checks that are on the flaky list and did not pass. That they are on it changes nothing.
    pub flaky: Vec<String>,
}

/// A check that the edition has, whether it was run or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its name.
    pub check: String,
    /// Its group.
    pub group: String,
}

impl Expected {
    /// Whether the entry is about this run.
    #[must_use]
    pub fn is_about(&self, report: &Report) -> bool {
        let may_be =
            |scope: &Option<String>, found: &String| scope.as_ref().is_none_or(|scope| scope == found);
        self.scope.edition == report.edition
            && may_be(&self.scope.wire, &report.wire)
            && may_be(&self.scope.target, &report.target)
    }

    /// Whether the entry covers a check.
    #[must_use]
    pub fn covers(&self, check: &str, group: &str) -> bool {
        covers(&self.check, check, group)
    }

    fn review(&self) -> Review {
        let Self { owner, link, expires, .. } = self.clone();
        Review { owner, link, expires }
    }

    fn is_glob(&self) -> bool {
        self.check.contains(['*', '?'])
    }
}

fn covers(pattern: &str, check: &str, group: &str) -> bool {
    match pattern.split_once('/') {
        Some((of_group, of_check)) => {
            WildMatch::new(of_group).matches(group) && WildMatch::new(of_check).matches(check)
        }
        None => WildMatch::new(pattern).matches(check),
    }
}

/// Lays a baseline over a report: checks that end as expected become `expected-failure`, those of which something else
/// was expected become `stale`; `judged` keeps how they ended. `conformant` stays as it was.
///
/// In: all checks of the edition, and the day of the run (`YYYY-MM-DD`).
#[must_use]
pub fn with_baseline(mut report: Report, baseline: &Baseline, known: &[Known], today: &str) -> Report {
    let in_scope: Vec<&Expected> =
        baseline.expected.iter().filter(|expected| expected.is_about(&report)).collect();
    let mut result = BaselineResult {
        entries: in_scope.len(),
        out_of_scope: baseline.expected.len() - in_scope.len(),
        ..BaselineResult::default()
    };
    let inconclusive = report.inconclusive;
    let mut laying =
        Laying { known, today, inconclusive, taken: BTreeSet::new(), met: Vec::new(), stale: Vec::new() };
    for expected in in_scope {
        laying.entry(expected, &mut report.checks);
    }
    (result.met, result.stale) = (laying.met, laying.stale);
    for flaky in &baseline.flaky {
        let covered = report.checks.iter().filter(|check| covers(&flaky.check, &check.id, &check.group));
        let open = covered.filter(|check| check.status != Status::Pass);
        result.flaky.extend(open.map(|check| check.id.clone()));
    }
    report.counts = crate::model::Counts::of(&report.checks);
    report.baseline = Some(result);
    report
}

/// A baseline while it is laid over a report.
struct Laying<'l> {
    known: &'l [Known],
    today: &'l str,
    /// The target could not be asked to the end: what is open then says nothing about the baseline.
    inconclusive: bool,
    taken: BTreeSet<String>,
    met: Vec<Met>,
    stale: Vec<Stale>,
}

impl Laying<'_> {
    fn complain(&mut self, expected: &Expected, check: Option<&str>, why: Staleness, text: String) {
        let (entry, check) = (expected.check.clone(), check.map(str::to_owned));
        self.stale.push(Stale { entry, check, why, text, review: expected.review() });
    }

    fn entry(&mut self, expected: &Expected, checks: &mut [CheckResult]) {
        let known = self.known;
        let covered: Vec<&Known> =
            known.iter().filter(|known| expected.covers(&known.check, &known.group)).collect();
        // An entry that is over answers for nothing: what it covers ends as if it were not there.
        if expected.expires.as_str() < self.today {
            let text = format!("it held until {}, the run was on {}", expected.expires, self.today);
            return self.complain(expected, None, Staleness::Expired, text);
        }
        if covered.is_empty() {
            let text = format!("{} has no such check", expected.scope.edition);
            return self.complain(expected, None, Staleness::Unknown, text);
        }
        if expected.is_glob() && covered.len() > MOST_COVERED {
            let text = format!("it covers {} checks, at most {MOST_COVERED} are a review", covered.len());
            return self.complain(expected, None, Staleness::TooBroad, text);
        }
        for known in covered {
            self.check(expected, &known.check, checks);
        }
    }

    fn check(&mut self, expected: &Expected, id: &str, checks: &mut [CheckResult]) {
        if !self.taken.insert(id.to_owned()) {
            return self.complain(
                expected,
                Some(id),
                Staleness::Twice,
                "another entry covers it too".to_owned(),
            );
        }
        let found = checks.iter_mut().find(|check| check.id == id);
        let Some(check) = found.filter(|check| check.status != Status::NotApplicable) else {
            let text = "the edition has it, but it was not run".to_owned();
            return self.complain(expected, Some(id), Staleness::NotRun, text);
        };
        let judged = check.status;
        let difference = differs(expected, check, judged);
        if self.inconclusive && difference.is_some() && matches!(judged, Status::NotVerified | Status::Error)
        {
            return;
        }
        check.judged = Some(judged);
        check.status = if difference.is_some() { Status::Stale } else { Status::ExpectedFailure };
        match difference {
            Some((why, text)) => self.complain(expected, Some(id), why, text),
            None => {
                let (entry, check, code) = (expected.check.clone(), check.id.clone(), check.code.clone());
                self.met.push(Met { entry, check, status: judged, code, review: expected.review() });
            }
        }
    }
}

fn differs(expected: &Expected, check: &CheckResult, judged: Status) -> Option<(Staleness, String)> {
    let wanted = expected.status.status();
    if judged == wanted && check.code == expected.code {
        return None;
    }
    let passes = ExpectedStatus::of(judged).is_none();
    let why = if passes { Staleness::Passes } else { Staleness::Changed };
    let found = if check.code.is_empty() { String::new() } else { format!(" ({})", check.code) };
    let text = format!("expected {} ({}), found {}{found}", wanted.as_str(), expected.code, judged.as_str());
    Some((why, text))
}

/// Why a baseline cannot be made anew from a run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not all checks were run.
    #[error("the run was filtered: what was left out would be dropped from the baseline")]
    Filtered,
    /// Something broke.
    #[error("the run broke at {0}: what an error hides is not known")]
    Broken(String),
    /// The target could not be asked to the end.
    #[error("the run is inconclusive: the target could not be asked to the end")]
    Inconclusive,
    /// Something new does not pass and nobody answers for it.
    #[error(
        "{0} does not pass and is not expected: --owner, --link and --expires are needed for new entries"
    )]
    Unowned(String),
}

/// Who answers for entries.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Review {
    /// Who.
    pub owner: String,
    /// Where the matter is being dealt with.
    pub link: String,
    /// The last day on which the entries hold (`YYYY-MM-DD`).
    pub expires: String,
}

/// The baseline that fits a whole run: entries that hold are kept as they are, what passes is dropped, what is new is owned by
/// the review. Entries about other runs are kept.
///
/// # Errors
/// [`Refusal`] after a run that was filtered, broken or inconclusive, or where something is new and nobody answers for it.
pub fn updated(
    baseline: &Baseline,
    report: &Report,
    review: Option<&Review>,
    today: &str,
) -> Result<Baseline, Refusal> {
    refused(report)?;
    let mut open: Vec<&CheckResult> = report
        .checks
        .iter()
        .filter(|check| check.decides() && ExpectedStatus::of(check.status).is_some())
        .collect();
    let mut expected = Vec::new();
    for entry in &baseline.expected {
        match entry.is_about(report) {
            true => expected.extend(kept(entry, report, &mut open, today)),
            false => expected.push(entry.clone()),
        }
    }
    for check in open {
        let review = review.ok_or_else(|| Refusal::Unowned(check.id.clone()))?;
        expected.push(reviewed(check, report, review));
    }
    expected.sort_by(|one, other| one.check.cmp(&other.check));
    Ok(Baseline { form: BASELINE_FORM.to_owned(), expected, flaky: baseline.flaky.clone() })
}

/// Runs from which no baseline is made.
fn refused(report: &Report) -> Result<(), Refusal> {
    if report.selection == Selection::Part {
        return Err(Refusal::Filtered);
    }
    if report.inconclusive {
        return Err(Refusal::Inconclusive);
    }
    match report.checks.iter().find(|check| check.status == Status::Error) {
        Some(broken) => Err(Refusal::Broken(broken.id.clone())),
        None => Ok(()),
    }
}

/// What is kept of an entry about this run: all of it where everything that it covers is as it says, else an entry for each check
/// that is; nothing of one that has expired. What it answers for is not open any more.
fn kept(entry: &Expected, report: &Report, open: &mut Vec<&CheckResult>, today: &str) -> Vec<Expected> {
    let covers = |check: &CheckResult| entry.covers(&check.id, &check.group);
    let holds = |check: &CheckResult| covers(check) && differs(entry, check, check.status).is_none();
    let held: Vec<&CheckResult> = open.iter().copied().filter(|check| holds(check)).collect();
    if entry.expires.as_str() < today || held.is_empty() {
        return Vec::new();
    }
    open.retain(|check| !holds(check));
    let covered: Vec<&CheckResult> = report.checks.iter().filter(|check| covers(check)).collect();
    if covered.iter().all(|check| holds(check)) && covered.len() <= MOST_COVERED {
        return vec![entry.clone()];
    }
    held.iter().map(|check| Expected { check: check.id.clone(), ..entry.clone() }).collect()
}

/// The entry of a check that is new, owned by the review.
fn reviewed(check: &CheckResult, report: &Report, review: &Review) -> Expected {
    Expected {
        check: check.id.clone(),
        status: ExpectedStatus::of(check.status).unwrap_or(ExpectedStatus::Fail),
        code: check.code.clone(),
        scope: Scope { edition: report.edition.clone(), wire: Some(report.wire.clone()), target: None },
        link: review.link.clone(),
        owner: review.owner.clone(),
        expires: review.expires.clone(),
    }
}

/// The JSON Schema of a baseline (draft 2020-12), with a newline at its end.
#[must_use]
pub fn baseline_schema() -> String {
    let schema = schemars::schema_for!(Baseline);
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Outcome;
    use crate::sample::{check, report};

    #[test]
    fn globs_go_component_by_component() {
        for (pattern, check, group, fits) in [
            ("head-signature", "head-signature", "log", true),
            ("head-*", "head-signature", "log", true),
            ("*", "head-signature", "log", true),
            ("log/*", "head-signature", "log", true),
            ("l?g/head-*", "head-signature", "log", true),
            ("l?g", "head-signature", "log", false),
            ("head", "head-signature", "log", false),
            ("*/head", "head-signature", "log", false),
            ("log*", "head-signature", "log", false),
            ("", "head-signature", "log", false),
        ] {
            assert_eq!(covers(pattern, check, group), fits, "{pattern}");
        }
    }

    fn entry(check: &str, code: &str) -> Expected {
        Expected {
            check: check.to_owned(),
            status: ExpectedStatus::Fail,
            code: code.to_owned(),
            scope: Scope { edition: "suite@edition".to_owned(), wire: None, target: None },
            link: "https://tracker.example/1".to_owned(),
            owner: "team".to_owned(),
            expires: "2026-01-02".to_owned(),
        }
    }

    fn baseline(expected: Vec<Expected>) -> Baseline {
        Baseline { form: BASELINE_FORM.to_owned(), expected, flaky: Vec::new() }
    }

    /// The checks of the edition: these, and one that was left out of the run.
    fn laid(expected: Vec<Expected>, checks: Vec<CheckResult>) -> Report {
        let ids = checks.iter().map(|check| check.id.clone()).chain(["left-out".to_owned()]);
        let known: Vec<Known> = ids.map(|check| Known { check, group: "log".to_owned() }).collect();
        with_baseline(report(checks), &baseline(expected), &known, "2026-01-02")
    }

    fn why(report: &Report) -> Vec<Staleness> {
        report.baseline.iter().flat_map(|result| &result.stale).map(|stale| stale.why).collect()
    }

    #[test]
    fn what_is_expected_does_not_fail_the_run_and_is_no_better_for_it() {
        let checks = vec![check("a", Status::Fail, "x"), check("b", Status::Pass, "")];
        let found = laid(vec![entry("a", "x")], checks.clone());
        assert_eq!((found.outcome(), found.conformant), (Outcome::Good, Some(false)));
        let first = &found.checks[0];
        assert_eq!((first.status, first.judged), (Status::ExpectedFailure, Some(Status::Fail)));
        assert_eq!((found.counts.fail, found.counts.expected_failure), (0, 1));
        // An entry of another run changes nothing.
        let elsewhere = Scope { target: Some("https://other.example".to_owned()), ..entry("a", "x").scope };
        let found = laid(vec![Expected { scope: elsewhere, ..entry("a", "x") }], checks);
        assert_eq!((found.outcome(), why(&found)), (Outcome::Bad, vec![]));
        assert_eq!(found.baseline.map(|result| result.out_of_scope), Some(1));
    }

    #[test]
    fn whatever_is_no_longer_so_fails_the_run() {
        let (fail, pass) = (check("a", Status::Fail, "x"), check("b", Status::Pass, ""));
        let absent = check("c", Status::NotApplicable, "capability.x");
        let open = check("d", Status::NotVerified, "x");
        let good = || vec![fail.clone(), pass.clone(), absent.clone()];
        for (expected, checks, expected_why) in [
            (vec![entry("a", "x"), entry("b", "x")], good(), Staleness::Passes),
            (vec![entry("a", "y")], good(), Staleness::Changed),
            (
                vec![entry("a", "x"), entry("d", "x")],
                vec![fail.clone(), pass.clone(), open],
                Staleness::Changed,
            ),
            (vec![entry("a", "x"), entry("z", "x")], good(), Staleness::Unknown),
            (vec![entry("a", "x"), entry("left-out", "x")], good(), Staleness::NotRun),
            (vec![entry("a", "x"), entry("c", "x")], good(), Staleness::NotRun),
            (
                vec![Expected { expires: "2026-01-01".to_owned(), ..entry("a", "x") }],
                good(),
                Staleness::Expired,
            ),
            (vec![entry("a", "x"), entry("log/a", "x")], good(), Staleness::Twice),
        ] {
            let found = laid(expected, checks);
            assert_eq!(
                (found.outcome(), why(&found)),
                (Outcome::Bad, vec![expected_why]),
                "{:?}",
                found.baseline
            );
        }
        let many =
            |count| (0..count).map(|n| check(&format!("many-{n}"), Status::Fail, "x")).collect::<Vec<_>>();
        let found = laid(vec![entry("many-*", "x")], [many(10), vec![pass.clone()]].concat());
        assert_eq!((found.outcome(), why(&found)), (Outcome::Good, vec![]));
        let found = laid(vec![entry("many-*", "x")], [many(11), vec![pass]].concat());
        assert_eq!((found.outcome(), why(&found)), (Outcome::Bad, vec![Staleness::TooBroad]));
    }

    /// It is listed once, what it covered fails as without it, and its renewal is no second entry.
    #[test]
    fn an_entry_that_is_over_answers_for_nothing() {
        let over = |name: &str| Expected { expires: "2026-01-01".to_owned(), ..entry(name, "x") };
        let checks = vec![check("a", Status::Fail, "x"), check("b", Status::Pass, "")];
        for name in ["a", "b", "no-such-check"] {
            let found = laid(vec![over(name)], checks.clone());
            assert_eq!((why(&found), found.counts.fail), (vec![Staleness::Expired], 1), "{name}");
            assert_eq!(found.baseline.map(|result| result.met), Some(Vec::new()), "{name}");
        }
        let found = laid(vec![over("a"), entry("a", "x")], checks);
        assert_eq!((why(&found), found.counts.expected_failure), (vec![Staleness::Expired], 1));
        assert_eq!(found.outcome(), Outcome::Bad);
    }

    #[test]
    fn the_flaky_list_never_decides() {
        let flaky = vec![Flaky { check: "*".to_owned(), link: String::new(), owner: String::new() }];
        let checks = vec![check("a", Status::Fail, "x"), check("b", Status::Pass, "")];
        let found = with_baseline(report(checks), &Baseline { flaky, ..baseline(vec![]) }, &[], "2026-01-02");
        assert_eq!(found.outcome(), Outcome::Bad);
        assert_eq!(found.baseline.map(|result| result.flaky), Some(vec!["a".to_owned()]));
    }

    #[test]
    fn a_target_that_cannot_be_asked_makes_no_baseline_stale() {
        let checks = vec![check("a", Status::Error, "answer.unreachable"), check("b", Status::Pass, "")];
        let known = [Known { check: "a".to_owned(), group: "log".to_owned() }];
        let cut = Report { inconclusive: true, ..report(checks) };
        let found = with_baseline(cut, &baseline(vec![entry("a", "x")]), &known, "2026-01-02");
        assert_eq!((found.outcome(), why(&found)), (Outcome::Inconclusive, vec![]));
    }

    #[test]
    fn an_update_keeps_what_holds_and_is_refused_where_something_was_not_seen() {
        let review =
            Review { owner: "me".to_owned(), link: "here".to_owned(), expires: "2026-02-01".to_owned() };
        let whole = report(vec![
            check("a", Status::Fail, "x"),
            check("b", Status::Pass, ""),
            check("c", Status::Fail, "y"),
            check("d", Status::NotVerified, "z"),
        ]);
        let other = Expected {
            scope: Scope { edition: "other".to_owned(), ..entry("a", "x").scope },
            ..entry("o", "x")
        };
        let old = baseline(vec![entry("a", "x"), entry("b", "x"), entry("c", "x"), other.clone()]);
        let new = updated(&old, &whole, Some(&review), "2026-01-02").unwrap();
        let found: Vec<(&str, &str, &str)> = new
            .expected
            .iter()
            .map(|entry| (entry.check.as_str(), entry.code.as_str(), entry.owner.as_str()))
            .collect();
        assert_eq!(found, [("a", "x", "team"), ("c", "y", "me"), ("d", "z", "me"), ("o", "x", "team")]);
        assert_eq!(new.expected[2].status, ExpectedStatus::NotVerified);
        assert_eq!(updated(&new, &whole, None, "2026-01-02").as_ref(), Ok(&new), "nothing is new");
        let later = updated(&new, &whole, None, "2026-01-03").unwrap_err();
        assert_eq!(later, Refusal::Unowned("a".to_owned()), "an entry that expired is no review");

        let refused = |report: &Report| updated(&old, report, Some(&review), "2026-01-02").unwrap_err();
        assert_eq!(refused(&Report { selection: Selection::Part, ..whole.clone() }), Refusal::Filtered);
        assert_eq!(refused(&Report { inconclusive: true, ..whole.clone() }), Refusal::Inconclusive);
        let broken = report(vec![check("e", Status::Error, "answer.broken")]);
        assert_eq!(refused(&broken), Refusal::Broken("e".to_owned()));
        // A glob of which a part passes again is what is left of it.
        let half = report(vec![check("h-1", Status::Fail, "x"), check("h-2", Status::Pass, "")]);
        let new = updated(&baseline(vec![entry("h-*", "x")]), &half, None, "2026-01-02").unwrap();
        assert_eq!(new.expected, [entry("h-1", "x")]);
    }
}
