//! `assayer recheck`: what follows from a transcript that is not what was recorded, and every form of the report.

use std::path::Path;
use std::sync::LazyLock;

use assayer_harness::Archive;
use assayer_vectors::Suite;
use serde_json::Value as Json;

use crate::{archived, code, run, tamper, text};

/// An honest run of the strict edition, recorded once for all tests that change its transcript.
static RECORDED: LazyLock<Recording> = LazyLock::new(|| Recording::of(&[]));

/// An archive and its suite.
struct Recording {
    archive: Archive,
    suite: Suite,
    _folder: tempfile::TempDir,
}

impl Recording {
    fn of(only: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        run(&[&["check", "--out", folder.path().to_str().unwrap()], only].concat());
        let archive = Archive::read(folder.path()).unwrap();
        Self { suite: archive.suite().unwrap(), archive, _folder: folder }
    }

    /// Hands the transcript to `change`, then judges what came of it; exit code and report. The archive is not what it says any
    /// more; what is asked here is how its transcript is judged.
    fn judge_changed(&self, change: impl FnOnce(&mut Vec<Json>)) -> (i32, Json) {
        let mut archive = self.archive.clone();
        let exchanges = archive.transcript.exchanges.iter();
        let mut exchanges: Vec<Json> = exchanges.map(|one| serde_json::to_value(one).unwrap()).collect();
        change(&mut exchanges);
        for (position, exchange) in exchanges.iter_mut().enumerate() {
            exchange["n"] = position.into();
        }
        let exchanges = exchanges.into_iter().map(|exchange| serde_json::from_value(exchange).unwrap());
        archive.transcript.exchanges = exchanges.collect();
        let (_, report) = assayer_harness::recheck(&archive, &self.suite).unwrap();
        let code = assayer_reports::outcome(&report.checks, report.inconclusive).code();
        (i32::from(code), serde_json::to_value(&report).unwrap())
    }
}

fn judge_changed(change: impl FnOnce(&mut Vec<Json>)) -> (i32, Json) {
    RECORDED.judge_changed(change)
}

const READING: [&str; 7] = [
    "tlog-head-final",
    "health-final",
    "well-known-final",
    "evidence-final",
    "tlog-range-final",
    "tlog-proof-final",
    "tlog-head-last",
];

fn edit(exchange: &mut Json, from: &str, to: &str) {
    let body = &mut exchange["outcome"]["answered"]["answer"]["body_text"];
    let text = body.as_str().unwrap().to_owned();
    assert!(text.contains(from), "{from} is not in {text}");
    *body = Json::from(text.replace(from, to));
}

fn named<'e>(exchanges: &'e mut [Json], name: &str) -> &'e mut Json {
    exchanges.iter_mut().find(|exchange| exchange["exchange"] == name).unwrap()
}

/// Adds a second, sound attempt at the reading; the first stays as it is then changed.
fn read_again(exchanges: &mut Vec<Json>) {
    let again: Vec<Json> = exchanges
        .iter()
        .filter(|exchange| READING.iter().any(|name| exchange["exchange"] == *name))
        .map(|exchange| {
            let mut exchange = exchange.clone();
            exchange["attempt"] = Json::from(2);
            exchange
        })
        .collect();
    exchanges.extend(again);
}

fn status(report: &Json, check: &str) -> String {
    let checks = report["checks"].as_array().unwrap();
    let found = checks.iter().find(|found| found["id"] == check).unwrap();
    found["status"].as_str().unwrap().to_owned()
}

#[test]
fn a_reading_whose_end_was_not_seen_may_have_moved() {
    let (_, report) = judge_changed(|exchanges| {
        read_again(exchanges);
        edit(named(exchanges, "health-final"), "\"tlog_size\":", "\"tlog_size\":1");
        let end = exchanges.iter().position(|exchange| exchange["exchange"] == "tlog-head-last").unwrap();
        exchanges.remove(end);
    });
    assert_eq!(status(&report, "sizes-agree"), "pass", "{report:#}");
}

#[test]
fn a_second_reading_takes_back_only_what_a_race_explains() {
    // A size that is out of step although the log did not move meanwhile is not taken back, nor is it that the log shrank after it.
    let (exit, report) = judge_changed(|exchanges| {
        read_again(exchanges);
        edit(named(exchanges, "health-final"), "\"tlog_size\":", "\"tlog_size\":1");
    });
    assert_eq!((exit, status(&report, "sizes-agree").as_str()), (1, "fail"), "{report:#}");
    assert_eq!(status(&report, "sizes-and-indexes-follow-each-other"), "fail");
    // Where it moved, a sound second reading takes back what the first saw out of step.
    let (_, report) = judge_changed(|exchanges| {
        read_again(exchanges);
        edit(named(exchanges, "tlog-head-last"), "\"size\":", "\"size\":1");
        edit(named(exchanges, "health-final"), "\"tlog_size\":", "\"tlog_size\":1");
    });
    assert_eq!(status(&report, "sizes-agree"), "pass", "{report:#}");
    // Evidence with a forged recipient is not, however sound it is when it is read again.
    let (exit, report) = judge_changed(|exchanges| {
        read_again(exchanges);
        edit(named(exchanges, "evidence-final"), "conformance-recipient", "victim");
    });
    assert_eq!((exit, status(&report, "manifest-signature-of-the-issuer").as_str()), (1, "fail"));
    assert_eq!(report["conformant"], false);
    // Nor is a head that nobody signed.
    let (exit, _) = judge_changed(|exchanges| {
        read_again(exchanges);
        edit(named(exchanges, "tlog-head-final"), "\"signature\":\"", "\"signature\":\"0");
    });
    assert_eq!(exit, 1);
}

#[test]
fn a_pass_that_rests_on_a_part_of_the_proofs_says_so() {
    let check = "inclusion-proof-of-every-index";
    let reason = |report: &Json| {
        let checks = report["checks"].as_array().unwrap();
        checks.iter().find(|found| found["id"] == check).unwrap()["reason"].as_str().unwrap().to_owned()
    };
    let (_, report) = judge_changed(|_| {});
    assert_eq!(reason(&report), "");
    let (exit, report) = judge_changed(|exchanges| {
        let at = exchanges.iter().position(|exchange| exchange["exchange"] == "tlog-proof-final").unwrap();
        exchanges.remove(at);
    });
    assert_eq!((exit, status(&report, check).as_str()), (0, "pass"));
    assert!(reason(&report).contains("a random choice"), "{}", reason(&report));
}

#[test]
fn a_log_that_never_stands_still_is_inconclusive_and_nobody_is_accused() {
    // A part of the checks: what is edited here breaks signatures that others look at.
    let (exit, report) = Recording::of(&["--only", "sizes-agree"]).judge_changed(|exchanges| {
        edit(named(exchanges, "tlog-head-last"), "\"size\":", "\"size\":1");
        edit(named(exchanges, "health-final"), "\"tlog_size\":", "\"tlog_size\":1");
    });
    assert_eq!((exit, status(&report, "sizes-agree").as_str()), (3, "not-verified"));
    assert!(report["conformant"].is_null());
    assert_eq!(report["counts"]["fail"], 0);
    // A range that ends before the head says is no race in a log that stood still.
    let (exit, report) = judge_changed(|exchanges| {
        let body = &mut named(exchanges, "tlog-range-final")["outcome"]["answered"]["answer"]["body_text"];
        let mut page: Json = serde_json::from_str(body.as_str().unwrap()).unwrap();
        page["entries"].as_array_mut().unwrap().pop();
        page["count"] = Json::from(page["entries"].as_array().unwrap().len());
        *body = Json::from(page.to_string());
    });
    assert_eq!((exit, status(&report, "root-recomputed-from-the-range").as_str()), (1, "fail"));
    // The same contradiction in a log that stood still is one.
    let (exit, report) = judge_changed(|exchanges| {
        edit(named(exchanges, "health-final"), "\"tlog_size\":", "\"tlog_size\":1")
    });
    assert_eq!((exit, status(&report, "sizes-agree").as_str()), (1, "fail"));
}

#[test]
fn every_form_is_printed_stands_in_the_archive_and_is_judged_again() {
    let folder = tempfile::tempdir().unwrap();
    let archive =
        archived(folder.path(), "run", &["--edition", "0.4.12", "--fault", "health-status-missing"]);
    for form in assayer_reports::Form::ALL {
        let name = format!("{form:?}").to_lowercase();
        let output = run(&["recheck", &archive, "--format", &name]);
        assert_eq!(code(&output), 1, "{name}");
        assert!(
            output.stdout == std::fs::read(Path::new(&archive).join(form.file_name())).unwrap(),
            "{name}"
        );
    }
    // A page that says something else than the transcript is noticed although its sum is right.
    tamper(&archive, "report.html", "NOT conformant", "Conformant");
    let output = run(&["recheck", &archive]);
    assert!(code(&output) == 1 && text(&output.stderr).contains("report.html"), "{}", text(&output.stderr));
}
