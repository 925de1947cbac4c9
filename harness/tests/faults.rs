//! Each fault of the reference registry is noticed by the check that is named for it, and an honest registry is accused
//! of nothing. This is what makes a pass mean something.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::collections::BTreeSet;

use assayer_harness::{Against, Job, cases, run};
use assayer_reference_registry::FAULTS;
use assayer_reports::{Report, Selection, Status};
use assayer_vectors::{SUITE, Suite, load_embedded};

fn run_edition(suite: &Suite, edition: &str, fault: Option<&str>) -> Report {
    let edition = suite.editions.iter().find(|known| known.edition == edition).unwrap();
    let wire = suite.wires.iter().find(|wire| wire.wire == edition.wire).unwrap();
    let cases = cases(suite, edition);
    let job = Job { suite, edition, wire, cases: &cases, selection: Selection::Whole };
    let faults: BTreeSet<String> = fault.into_iter().map(str::to_owned).collect();
    run(&job, &Against::InProcess(faults)).unwrap().0
}

#[test]
fn an_honest_registry_passes_every_check_of_every_edition() {
    let suite = load_embedded(SUITE).unwrap();
    for edition in &suite.editions {
        let report = run_edition(&suite, &edition.edition, None);
        let open: Vec<_> = report.checks.iter().filter(|check| check.status != Status::Pass).collect();
        assert!(open.is_empty(), "{}: {open:?}", edition.edition);
        assert_eq!(report.conformant, Some(true));
    }
}

#[test]
fn each_fault_is_noticed_by_the_check_that_is_named_for_it() {
    let suite = load_embedded(SUITE).unwrap();
    let mut survivors = Vec::new();
    for fault in &suite.faults {
        let report = run_edition(&suite, "strict", Some(&fault.id));
        let failed: Vec<&str> = report
            .checks
            .iter()
            .filter(|check| check.status == Status::Fail)
            .map(|check| check.id.as_str())
            .collect();
        if !failed.contains(&fault.killed_by.as_str()) || report.conformant != Some(false) {
            survivors.push(format!("{}: expected {} to fail, found {failed:?}", fault.id, fault.killed_by));
        }
    }
    assert!(survivors.is_empty(), "{} of {}:\n{}", survivors.len(), suite.faults.len(), survivors.join("\n"));
}

#[test]
fn the_catalogue_and_the_registry_know_the_same_faults() {
    let suite = load_embedded(SUITE).unwrap();
    let listed: BTreeSet<&str> = suite.faults.iter().map(|fault| fault.id.as_str()).collect();
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
            let open: Vec<_> = report.checks.iter().filter(|check| check.status != Status::Pass).collect();
            assert!(open.is_empty() && report.counts.total == 1, "{}: {open:?}", edition.edition);
        }
    }
}
