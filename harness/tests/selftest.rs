//! `assayer selftest` and faulty servers, as their users meet them.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Output, Stdio};

use assayer_harness::cases;
use assayer_reports::{Matrix, matrix_to_markdown};
use assayer_vectors::{SUITE, load_embedded};
use serde_json::Value as Json;

fn assayer(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_assayer"));
    command.args(arguments).env("OVERSIGHT_OPERATOR_TOKEN", "an-operator-token");
    command.env("OVERSIGHT_DNS_EVENT_SECRET", "a-dns-secret").env_remove("OVERSIGHT_REGISTRY_URL");
    command
}

fn run(arguments: &[&str]) -> Output {
    assayer(arguments).output().unwrap()
}

/// A server that is stopped at the end of the test, and what it said on standard error so far.
struct Server {
    child: Child,
    url: String,
}

impl Server {
    fn start(arguments: &[&str]) -> Self {
        let all = [&["serve", "--bind", "127.0.0.1:0"], arguments].concat();
        let mut child = assayer(&all).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { child, url: line.trim().strip_prefix("listening on ").unwrap().to_owned() }
    }

    fn stop(mut self) -> String {
        self.child.kill().unwrap();
        let mut said = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        said
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The names of the checks that failed.
fn failed(output: &Output) -> Vec<String> {
    let report: Json = serde_json::from_slice(&output.stdout).unwrap();
    let checks = report["checks"].as_array().unwrap();
    let failed = checks.iter().filter(|check| check["status"] == "fail");
    failed.map(|check| check["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_rewriting_stands_in_front_of_any_registry() {
    let registry = Server::start(&["--no-rate-limit"]);
    let layer = Server::start(&["--fault", "head-signature-flipped", "--upstream", &registry.url]);
    let only = ["--only", "head-signature*", "--only", "health-200", "--format", "json"];
    let honest = run(&[&["check", "--url", &registry.url], &only[..]].concat());
    assert_eq!((honest.status.code(), failed(&honest)), (Some(0), vec![]));
    let faulty = run(&[&["check", "--url", &layer.url], &only[..]].concat());
    assert_eq!(failed(&faulty), ["head-signature-over-recomputed-bytes"]);
    let said = layer.stop();
    assert!(said.contains("faulty on purpose: head-signature-flipped"), "{said}");
    assert_eq!(registry.stop(), "");
}

#[test]
fn switches_and_rules_inside_of_a_registry_cannot_be_put_in_front_of_one() {
    for fault in ["head-root-random", "head-root-flipped"] {
        let output = run(&["serve", "--fault", fault, "--upstream", "http://127.0.0.1:9"]);
        assert_eq!(output.status.code(), Some(2), "{fault}");
    }
    assert_eq!(run(&["serve", "--fault", "no-such-fault"]).status.code(), Some(2));
}

#[test]
fn a_served_fault_of_each_sort_is_the_one_that_is_checked_for() {
    for (fault, check) in [
        ("head-signature-flipped", "head-signature-over-recomputed-bytes"),
        ("head-root-flipped", "root-recomputed-from-the-range"),
        ("head-signature-garbage", "head-signature-over-recomputed-bytes"),
    ] {
        let registry = Server::start(&["--no-rate-limit", "--fault", fault]);
        let output = run(&["check", "--url", &registry.url, "--only", check, "--format", "json"]);
        assert_eq!(failed(&output), [check], "{fault}");
    }
}

/// What an operator reads about a lie told to one reader: the exchange that told it comes first, and the command shows it again.
#[test]
fn a_failure_shows_its_exchange_and_a_command_that_reproduces_it() {
    let check = "lists-of-candidates-are-one-list";
    let only = ["--fault", "candidate-hidden-from-pages", "--only", check, "--format", "json"];
    let output = run(&[&["check"], &only[..]].concat());
    assert_eq!(failed(&output), [check]);
    let report: Json = serde_json::from_slice(&output.stdout).unwrap();
    let found = &report["checks"][0];
    assert!(found["reason"].as_str().unwrap().starts_with("cors-foreign-candidates: "), "{found:#}");
    let told = |place: usize, count: u32| {
        let exchange = found["exchanges"][place].as_str().unwrap();
        let count = format!("\"count\":{count},");
        assert!(
            exchange.starts_with("GET /candidates/semantic -> 200 ") && exchange.contains(&count),
            "{exchange}"
        );
    };
    // The one that was told too little, before what others were told.
    told(0, 1);
    told(1, 2);
    let again: Vec<&str> = found["rerun"].as_str().unwrap().split(' ').skip(1).collect();
    assert_eq!(failed(&run(&[&again[..], &["--format", "json"]].concat())), [check]);
}

#[test]
fn a_selection_of_the_catalogue_is_tried_and_written_down() {
    let folder = tempfile::tempdir().unwrap();
    let (matrix, page) = (folder.path().join("matrix.json"), folder.path().join("page.md"));
    let (matrix_name, page_name) = (matrix.to_str().unwrap(), page.to_str().unwrap());
    let only = ["--only", "head-signature-*", "--only", "json-pretty", "--only", "nobody"];
    let files = ["--matrix", matrix_name, "--page", page_name, "--format", "json"];
    let output = run(&[&["selftest"], &only[..], &files[..]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!(std::fs::read(&matrix).unwrap(), output.stdout);
    let found: Json = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found["whole"], false);
    assert!(found["totals"]["faults"].as_u64().unwrap() >= 3);
    assert_eq!(found["totals"]["named"], found["totals"]["faults"]);
    assert_eq!(
        (found["variants"][0]["good"].as_bool(), found["hollow"][0]["good"].as_bool()),
        (Some(true), Some(true))
    );
    assert!(std::fs::read_to_string(&page).unwrap().contains("| `head-signature-empty` | cryptography |"));
    assert_eq!(run(&["selftest", "--only", "no-such-*"]).status.code(), Some(2));
}

/// The published matrix is of this catalogue: the same faults, variants, hollow registries and checks, with the same words.
/// What came out is not tried again here, that takes minutes; `docs/faults.md` says how to publish it anew.
#[test]
fn the_published_matrix_is_of_this_catalogue() {
    let book =
        |name: &str| std::fs::read_to_string(format!("{}/../{name}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let published: Matrix = serde_json::from_str(&book("reports/kill-matrix.json")).unwrap();
    let suite = load_embedded(SUITE).unwrap();
    let how =
        "publish it anew: assayer selftest --matrix reports/kill-matrix.json --page docs/kill-matrix.md";
    let rows = published.faults.iter().map(|row| (&row.id, &row.does, row.kind, &row.killed_by));
    let faults = suite.faults.iter().map(|fault| (&fault.id, &fault.does, fault.kind, &fault.killed_by));
    assert!(rows.eq(faults), "the faults are not those of the catalogue; {how}");
    let rows = published.variants.iter().map(|row| (&row.id, &row.does));
    assert!(rows.eq(suite.variants.iter().map(|known| (&known.id, &known.does))), "variants; {how}");
    let rows = published.hollow.iter().map(|row| (&row.id, &row.does));
    assert!(rows.eq(suite.hollow.iter().map(|known| (&known.id, &known.does))), "hollow registries; {how}");
    let strict = suite.editions.iter().find(|known| known.edition == "strict").unwrap();
    let checks = cases(&suite, strict).into_iter().map(|case| (&case.check.id, &case.check.redundant));
    assert!(published.checks.iter().map(|row| (&row.id, &row.redundant)).eq(checks), "checks; {how}");
    assert!(published.whole && published.is_good(), "what is published is not a selftest that passed; {how}");
    assert_eq!(book("docs/kill-matrix.md"), matrix_to_markdown(&published), "{how}");
}

/// Each way for a catalogue to be wrong has an outcome of its own, and none of them is success.
#[test]
fn a_catalogue_that_is_wrong_is_not_a_success() {
    let folder = tempfile::tempdir().unwrap();
    copy(concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors/suites/oversight-v1").as_ref(), folder.path());
    let entry = |id: &str, killed_by: &str, rewrite: &str| {
        format!("  - {{id: {id}, kind: log, does: x, killed_by: {killed_by}, rewrite: [{rewrite}]}}\n")
    };
    let cases = [
        ("survived", "health-200", "{then: [{header: {name: X-Anything, to: y}}]}", 1),
        ("other", "health-200", "{calls: [tlog-head], then: [{status: 500}]}", 1),
        ("not_applied", "health-200", "{calls: [health], then: [{remove: {at: /nothing}}]}", 2),
        ("named", "tlog-head-200", "{calls: [tlog-head], then: [{status: 500}]}", 0),
    ];
    for (outcome, killed_by, rewrite, expected) in cases {
        let faults = format!("faults:\n{}", entry("tried", killed_by, rewrite));
        std::fs::write(folder.path().join("faults/tried.yaml"), faults).unwrap();
        let name = folder.path().to_str().unwrap();
        let output = run(&["selftest", "--suite-dir", name, "--only", "tried", "--format", "json"]);
        let found: Json = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(found["totals"][outcome], 1, "{outcome}: {found:#}");
        assert_eq!(output.status.code(), Some(expected), "{outcome}");
    }
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let (path, target) = (entry.as_ref().unwrap().path(), to.join(entry.unwrap().file_name()));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, &target).unwrap();
        }
    }
}
