//! Every check of every edition as a named test case: against the reference registry in this process, or against a live
//! one where `OVERSIGHT_REGISTRY_URL` is set.
//!
//! A run records only what the selected cases need: `cargo test -p assayer-harness --test conformance -- --exact
//! oversight-v1@0.4.7::health-200` sends one request.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::process::ExitCode;

use assayer_harness::{Against, Job, Secrets, cases, run};
use assayer_reports::{CheckResult, Selection, Status};
use assayer_vectors::{SUITE, Suite, load_embedded};
use libtest_mimic::{Arguments, Completion, Failed, Trial};

fn main() -> ExitCode {
    match trials(&Arguments::from_args()) {
        Ok(exit) => exit,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn trials(arguments: &Arguments) -> Result<ExitCode, Box<dyn Error>> {
    let suite = load_embedded(SUITE)?;
    let mut trials = Vec::new();
    for edition in &suite.editions {
        let results =
            if arguments.list { BTreeMap::new() } else { results(arguments, &suite, &edition.edition)? };
        for case in cases(&suite, edition) {
            let name = name(&suite, &edition.edition, &case.check.id);
            let result = results.get(&case.check.id).cloned();
            trials.push(Trial::ignorable_test(name, move || outcome(result)));
        }
    }
    Ok(libtest_mimic::run(arguments, trials).exit_code())
}

fn name(suite: &Suite, edition: &str, check: &str) -> String {
    format!("{}@{edition}::{check}", suite.name)
}

/// Runs the cases of one edition that the arguments select.
fn results(
    arguments: &Arguments,
    suite: &Suite,
    edition: &str,
) -> Result<BTreeMap<String, CheckResult>, Box<dyn Error>> {
    let edition = suite.editions.iter().find(|known| known.edition == edition).ok_or("no such edition")?;
    let wire = suite.wires.iter().find(|wire| wire.wire == edition.wire).ok_or("no such wire profile")?;
    let mut selected = cases(suite, edition);
    selected.retain(|case| is_selected(arguments, &name(suite, &edition.edition, &case.check.id)));
    if selected.is_empty() {
        return Ok(BTreeMap::new());
    }
    let job = Job { suite, edition, wire, cases: &selected, selection: Selection::Part };
    let (report, _) = run(&job, &against())?;
    Ok(report.checks.into_iter().map(|result| (result.id.clone(), result)).collect())
}

/// As the test runner selects.
fn is_selected(arguments: &Arguments, name: &str) -> bool {
    let matches = |filter: &str| if arguments.exact { name == filter } else { name.contains(filter) };
    arguments.filter.as_deref().is_none_or(matches) && !arguments.skip.iter().any(|filter| matches(filter))
}

fn against() -> Against {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    match variable("OVERSIGHT_REGISTRY_URL") {
        None => Against::InProcess(BTreeSet::new()),
        Some(url) => Against::Url(
            url,
            Secrets {
                operator_token: variable("OVERSIGHT_OPERATOR_TOKEN"),
                dns_event_secret: variable("OVERSIGHT_DNS_EVENT_SECRET"),
            },
        ),
    }
}

fn outcome(result: Option<CheckResult>) -> Result<Completion, Failed> {
    let Some(result) = result else { return Err("it was not run".into()) };
    match result.status {
        Status::Pass => Ok(Completion::Completed),
        Status::NotApplicable => Ok(Completion::ignored_with(result.reason)),
        Status::Warn
        | Status::Finding
        | Status::Fail
        | Status::NotVerified
        | Status::Error
        | Status::ExpectedFailure
        | Status::Stale => {
            let text =
                format!("{}: {}\n{}", result.status.as_str(), result.reason, result.exchanges.join("\n"));
            Err(text.into())
        }
    }
}
