//! The report as JUnit XML: one test case a check, one test suite a group.
//!
//! A CI system knows three ways not to pass. What was judged and is wrong is a failure. What could not be judged, and counts
//! against conformance, is an error: to skip it would read as if it did not matter. What decides nothing is skipped, with
//! the reason. So a file without failures and errors is that of a run in which nothing stands against conformance.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Property, SerializeError, TestCase, TestCaseStatus, TestSuite};

use crate::model::{CheckResult, Report};
use crate::outcome::Weight;
use crate::visible::visible;
use crate::words::{stands_against, verdict};

/// The report as JUnit XML, with a newline at its end.
///
/// # Errors
/// None that is known: it writes to memory.
pub(crate) fn to_junit(report: &Report) -> Result<String, SerializeError> {
    let mut junit = quick_junit::Report::new(format!("assayer {}", report.edition));
    junit.timestamp = report.started_at.parse().ok();
    junit.time = Some(Duration::from_millis(report.elapsed_ms));
    let mut suites: Vec<TestSuite> = Vec::new();
    for check in &report.checks {
        let name = format!("{}.{}", report.edition, check.group);
        let position = suites.iter().position(|suite| suite.name.as_str() == name);
        let position = position.unwrap_or_else(|| {
            suites.push(suite(report, &name));
            suites.len() - 1
        });
        if let Some(suite) = suites.get_mut(position) {
            suite.add_test_case(case(&name, check));
        }
    }
    junit.add_test_suites(suites);
    junit.to_string()
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
    status.set_message(format!("{}: {}", check.status.as_str(), reason.lines().next().unwrap_or_default()));
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
