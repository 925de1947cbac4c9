//! Each fault of the reference registry is noticed by the check that is named for it, and an honest registry is accused
//! of nothing. This is what makes a pass mean something.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::collections::BTreeSet;

use assayer_harness::{Against, Job, Selftest, cases, run};
use assayer_reference_registry::FAULTS;
use assayer_reports::{CheckResult, Report, Selection, Status, matrix_to_text};
use assayer_vectors::{SUITE, Suite, load_embedded};

fn run_edition(suite: &Suite, edition: &str) -> Report {
    let edition = suite.editions.iter().find(|known| known.edition == edition).unwrap();
    let wire = suite.wires.iter().find(|wire| wire.wire == edition.wire).unwrap();
    let cases = cases(suite, edition);
    let job = Job { suite, edition, wire, cases: &cases, selection: Selection::Whole };
    run(&job, &Against::InProcess(BTreeSet::new())).unwrap().0
}

/// What a registry in this process cannot be asked: what it does with callers from elsewhere, and with files that were there before.
fn is_as_it_must_be(check: &CheckResult) -> bool {
    let from_elsewhere = [
        "dns-event-without-secret-refused",
        "given-files-have-sound-evidence",
        "given-files-stand-beside-a-whole-log",
    ];
    let expected =
        if from_elsewhere.contains(&check.id.as_str()) { Status::NotApplicable } else { Status::Pass };
    check.status == expected
}

#[test]
fn an_honest_registry_passes_every_check_of_every_edition() {
    let suite = load_embedded(SUITE).unwrap();
    for edition in &suite.editions {
        let report = run_edition(&suite, &edition.edition);
        let open: Vec<_> = report.checks.iter().filter(|check| !is_as_it_must_be(check)).collect();
        assert!(open.is_empty(), "{}: {open:?}", edition.edition);
        assert_eq!(report.conformant, Some(true));
    }
}

/// Every so many rewriting faults are tried here, and every switch; `assayer selftest` tries them all.
const EVERY: usize = 8;

#[test]
fn faults_are_noticed_by_the_checks_that_are_named_for_them_and_no_variant_is_accused() {
    let suite = load_embedded(SUITE).unwrap();
    let switches = suite.faults.iter().filter(|fault| fault.rewrite.is_empty());
    let some = suite.faults.iter().filter(|fault| !fault.rewrite.is_empty()).step_by(EVERY);
    let mut only: BTreeSet<String> = switches.chain(some).map(|fault| fault.id.clone()).collect();
    only.extend(suite.variants.iter().map(|variant| variant.id.clone()));
    only.extend(suite.hollow.iter().map(|hollow| hollow.id.clone()));
    let selftest = Selftest { suite: &suite, only, jobs: 4 };
    let matrix = selftest.run(&|| {}).unwrap();
    assert!(matrix.totals.faults >= 32, "{}", matrix.totals.faults);
    let text = matrix_to_text(&matrix);
    assert_eq!(matrix.totals.named, matrix.totals.faults, "{text}");
    assert!(matrix.variants.iter().all(|variant| variant.good), "{text}");
    assert!(matrix.hollow.iter().all(|hollow| hollow.good), "{text}");
}

#[test]
fn the_catalogue_and_the_registry_know_the_same_switches() {
    let suite = load_embedded(SUITE).unwrap();
    let switches = suite.faults.iter().filter(|fault| fault.rewrite.is_empty());
    let listed: BTreeSet<&str> = switches.map(|fault| fault.id.as_str()).collect();
    let known: BTreeSet<&str> = FAULTS.iter().map(|fault| fault.id).collect();
    assert_eq!(listed, known);
}

#[test]
fn each_check_can_be_run_alone() {
    let suite = load_embedded(SUITE).unwrap();
    for edition in &suite.editions {
        let wire = suite.wires.iter().find(|wire| wire.wire == edition.wire).unwrap();
        for case in cases(&suite, edition) {
            let job = Job { suite: &suite, edition, wire, cases: &[case], selection: Selection::Part };
            let (report, _) = run(&job, &Against::InProcess(BTreeSet::new())).unwrap();
            let open: Vec<_> = report.checks.iter().filter(|check| !is_as_it_must_be(check)).collect();
            assert!(open.is_empty() && report.counts.total == 1, "{}: {open:?}", edition.edition);
        }
    }
}
