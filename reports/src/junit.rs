//! The report as JUnit XML: one test case a check, one test suite a group.
//!
//! A CI system knows three ways not to pass. What was judged and is wrong is a failure. What could not be judged, and counts
//! against conformance, is an error: to skip it would read as if it did not matter. What decides nothing is skipped, with
//! the reason. So a file without failures and errors is that of a run in which nothing stands against conformance.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Property, SerializeError, TestCase, TestCaseStatus, TestSuite};

use crate::baseline::Review;
use crate::model::{CheckResult, Report};
use crate::outcome::Weight;
use crate::visible::visible;
use crate::words::{Reviewed, baseline, ended, stands_against, verdict};

/// The report as JUnit XML, with a newline at its end.
///
/// # Errors
/// None that is known: it writes to memory.
pub(crate) fn to_junit(report: &Report) -> Result<String, SerializeError> {
    let mut junit = quick_junit::Report::new(format!("assayer {}", report.edition));
    junit.timestamp = report.started_at.parse().ok();
    junit.time = Some(Duration::from_millis(report.elapsed_ms));
    let mut suites: Vec<TestSuite> = Vec::new();
    let (_, entries) = baseline(report).unwrap_or_default();
    for check in &report.checks {
        let name = format!("{}.{}", report.edition, check.group);
        let position = suites.iter().position(|suite| suite.name.as_str() == name);
        let position = position.unwrap_or_else(|| {
            suites.push(suite(report, &name));
            suites.len() - 1
        });
        if let Some(suite) = suites.get_mut(position) {
            let mut case = case(&name, check);
            let entry = entries.iter().find(|entry| entry.what == check.id);
            for (name, value) in entry.map(reviewed).unwrap_or_default() {
                case.add_property(Property::new(name, visible(&value, |_| false)));
            }
            suite.add_test_case(case);
        }
    }
    suites.extend(of_baseline(report));
    junit.add_test_suites(suites);
    junit.to_string()
}

fn reviewed(entry: &Reviewed<'_>) -> Vec<(&'static str, String)> {
    let Review { owner, link, expires } = entry.review.clone();
    vec![("baseline", entry.text.clone()), ("owner", owner), ("link", link), ("expires", expires)]
}

/// Entries of the baseline that are stale and whose failure no check shows: what is unknown, expired, too broad, not run.
fn of_baseline(report: &Report) -> Option<TestSuite> {
    let (_, entries) = baseline(report)?;
    let is_shown = |what: &str| {
        report.checks.iter().any(|check| check.id == what && check.status.weight() == Weight::Refuted)
    };
    let alone = entries.iter().filter(|entry| entry.status.weight() == Weight::Refuted);
    let mut suite = suite(report, &format!("{}.baseline", report.edition));
    for entry in alone.filter(|entry| !is_shown(entry.what)) {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        let text = visible(&entry.text, |_| false);
        status.set_type(entry.status.as_str());
        status.set_message(format!("{}: {text}", entry.status.as_str()));
        status.set_description(format!("{text}\n{}\n", visible(&entry.answered_for(), |_| false)));
        let mut case = TestCase::new(visible(entry.what, |_| false), status);
        case.set_classname(suite.name.clone());
        suite.add_test_case(case);
    }
    Some(suite).filter(|suite| !suite.test_cases.is_empty())
}

fn suite(report: &Report, name: &str) -> TestSuite {
    let mut suite = TestSuite::new(name);
    suite.timestamp = report.started_at.parse().ok();
    let conformant =
        report.conformant.map_or_else(|| "not evaluated".to_owned(), |conformant| conformant.to_string());
    for (name, value) in [
        ("target", report.target.as_str()),
        ("wire", &report.wire),
        ("suite-digest", &report.suite_digest),
        ("conformant", &conformant),
        ("verdict", &verdict(report)),
    ] {
        suite.add_property(Property::new(name, visible(value, |_| false)));
    }
    suite
}

fn case(suite: &str, check: &CheckResult) -> TestCase {
    let mut case = TestCase::new(check.id.as_str(), status(check));
    case.set_classname(suite);
    case.add_property(Property::new("status", check.status.as_str()));
    case.add_property(Property::new("keyword", check.keyword.as_str()));
    case.add_property(Property::new("label", check.label.as_str()));
    if let Some(judged) = check.judged {
        case.add_property(Property::new("judged", judged.as_str()));
    }
    if !check.code.is_empty() {
        case.add_property(Property::new("code", check.code.as_str()));
    }
    for cited in &check.requirements {
        case.add_property(Property::new("requirement", cited.id.as_str()));
    }
    case
}

fn status(check: &CheckResult) -> TestCaseStatus {
    let mut status = match check.status.weight() {
        Weight::Good => return TestCaseStatus::success(),
        Weight::Refuted => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Weight::Open if stands_against(check) => TestCaseStatus::non_success(NonSuccessKind::Error),
        _ => TestCaseStatus::skipped(),
    };
    let reason = visible(&check.reason, |character| character == '\n');
    status.set_type(check.status.as_str());
    status.set_message(format!("{}: {}", ended(check), reason.lines().next().unwrap_or_default()));
    let mut text = format!("{reason}\n");
    for cited in &check.requirements {
        text.push_str(&format!(
            "{} ({}, {}): {}\n",
            cited.id,
            cited.keyword.as_str(),
            cited.source,
            cited.statement
        ));
    }
    for exchange in &check.exchanges {
        text.push_str(&format!("{}\n", visible(exchange, |_| false)));
    }
    text.push_str(&format!("again: {}\n", check.rerun));
    status.set_description(text);
    status
}
