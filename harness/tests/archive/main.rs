//! Archives: what is written while a run goes on, that it is judged again to the same bytes, and that nothing in it can be changed
//! unnoticed.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

mod edits;
#[path = "../shared/keep.rs"]
mod keep;
mod operate;
mod secrets;

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use assayer_harness::{
    Against, Archive, ArchiveState, Job, Options, cases, edition, recheck, run_with, wire,
};
use assayer_reports::{Outcome, Report, Selection, Status, to_json};
use assayer_vectors::{SUITE, Suite, load_embedded};
use serde_json::Value as Json;

/// The program without settings of whoever runs the tests.
fn assayer(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_assayer"));
    for variable in ["OVERSIGHT_REGISTRY_URL", "OVERSIGHT_OPERATOR_TOKEN", "OVERSIGHT_DNS_EVENT_SECRET"] {
        command.env_remove(variable);
    }
    command.args(arguments);
    command
}

fn output(arguments: &[&str]) -> Output {
    let output = assayer(arguments).output().unwrap();
    keep::keep_of(arguments);
    output
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn json(bytes: &[u8]) -> Json {
    serde_json::from_slice(bytes).unwrap()
}

fn read(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join(name)).unwrap()
}

/// Runs an edition in this process and leaves its archive in a folder.
fn record(suite: &Suite, name: &str, fault: Option<&str>, folder: &Path) -> Report {
    let edition = edition(suite, name).unwrap();
    let cases = cases(suite, edition);
    let wire = wire(suite, &edition.wire).unwrap();
    let job = Job { suite, edition, wire, cases: &cases, selection: Selection::Whole };
    let faults: BTreeSet<String> = fault.map(str::to_owned).into_iter().collect();
    let options = Options { out: Some(folder), ..Options::default() };
    let report = run_with(&job, &Against::InProcess(faults), &options).unwrap().0;
    keep::keep(folder);
    report
}

#[test]
fn a_recorded_run_is_judged_again_offline_to_the_same_report() {
    for arguments in [&[][..], &["--fault", "event-dropped"], &["--only", "health-*"]] {
        let folder = tempfile::tempdir().unwrap();
        let name = folder.path().to_str().unwrap();
        let first = output(&[&["check", "--format", "json", "--out", name], arguments].concat());
        let again = output(&["recheck", name, "--format", "json"]);
        assert_eq!(code(&first), code(&again), "{arguments:?}");
        assert!(first.stdout == again.stdout, "{arguments:?}: the reports differ in their bytes");
        assert!(first.stdout == std::fs::read(folder.path().join("report.json")).unwrap());
        let text = output(&["recheck", name]);
        assert_eq!(String::from_utf8(text.stdout).unwrap(), read(folder.path(), "report.txt"));
    }
    assert_eq!(code(&output(&["recheck", "no/such/archive"])), 2);
}

/// A target that is too slow for the time of a run has shown nothing, offline as little as on the spot.
#[test]
fn a_run_whose_time_is_over_is_inconclusive() {
    let (suite, folder) = (load_embedded(SUITE).unwrap(), tempfile::tempdir().unwrap());
    let edition = edition(&suite, "0.4.12").unwrap();
    let (cases, wire) = (cases(&suite, edition), wire(&suite, &edition.wire).unwrap());
    let job = Job { suite: &suite, edition, wire, cases: &cases, selection: Selection::Whole };
    let at_once = Some(Duration::ZERO);
    let options = Options { out: Some(folder.path()), longest: at_once, ..Options::default() };
    let (report, _) = run_with(&job, &Against::InProcess(BTreeSet::new()), &options).unwrap();
    let open = report.checks.iter().find(|check| check.status == Status::NotVerified).unwrap();
    assert!(open.reason.contains("not sent: given up after 0 s"), "{}", open.reason);
    assert_eq!((report.conformant, report.outcome()), (None, Outcome::Inconclusive));
    let again = recheck(&Archive::read(folder.path()).unwrap(), &suite).unwrap().1;
    assert_eq!(to_json(&again), to_json(&report));
}

#[test]
fn an_archive_has_what_a_stranger_needs() {
    let folder = tempfile::tempdir().unwrap();
    let suite = load_embedded(SUITE).unwrap();
    let report = record(&suite, "strict", None, folder.path());
    let manifest = json(read(folder.path(), "manifest.json").as_bytes());
    assert_eq!((&manifest["state"], &manifest["target"]), (&"complete".into(), &"in-process".into()));
    assert_eq!(manifest["suite"]["digest"], suite.digest);
    let mut sums = Command::new("sha256sum");
    sums.args(["--check", "--strict", "--quiet", "SHA256SUMS"]).current_dir(folder.path());
    assert!(sums.status().unwrap().success());

    // Every verdict points to lines of the transcript, each of an exchange that its expectation speaks of.
    let lines: Vec<Json> =
        read(folder.path(), "transcript.ndjson").lines().map(|line| json(line.as_bytes())).collect();
    let verdicts = json(read(folder.path(), "verdicts.json").as_bytes());
    let verdicts = verdicts["verdicts"].as_array().unwrap();
    assert_eq!(verdicts.len(), report.checks.len());
    let applicable = verdicts.iter().filter(|verdict| verdict["status"] != "not-applicable");
    for judged in applicable.flat_map(|verdict| verdict["judged"].as_array().unwrap()) {
        let named = judged["expectation"]["exchange"].as_str().unwrap();
        let pointed = judged["lines"]
            .as_array()
            .unwrap()
            .iter()
            .map(|n| &lines[usize::try_from(n.as_u64().unwrap()).unwrap()]);
        assert!(pointed.into_iter().any(|line| line["exchange"] == named), "{judged}");
    }
    let signed = verdicts.iter().filter(|verdict| verdict["label"] == "target-signed").count();
    assert!(signed > 0 && signed < verdicts.len(), "{signed}");

    let har = json(read(folder.path(), "transcript.har").as_bytes());
    let entries = har["log"]["entries"].as_array().unwrap();
    assert_eq!((har["log"]["version"].as_str(), entries.len()), (Some("1.2"), report.requests));
    for entry in entries {
        for member in ["startedDateTime", "time", "request", "response", "cache", "timings"] {
            assert!(!entry[member].is_null(), "{member}: {entry}");
        }
    }
}

/// The reference registry as a server, until it is dropped.
struct Server {
    child: Child,
    url: String,
}

impl Server {
    fn start(arguments: &[&str], secrets: &[(&str, &str)]) -> Self {
        let all = [&["serve"], arguments].concat();
        let all =
            if arguments.contains(&"--bind") { all } else { [&all[..], &["--bind", "127.0.0.1:0"]].concat() };
        let mut command = assayer(&all);
        command.envs(secrets.iter().copied()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("listening on ").unwrap().to_owned();
        Self { child, url }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_run_that_is_killed_leaves_an_archive_that_says_so_and_accuses_nobody() {
    let server = Server::start(&[], &[]);
    let folder = tempfile::tempdir().unwrap();
    let name = folder.path().join("archive");
    let name = name.to_str().unwrap();
    let mut check =
        assayer(&["check", "--url", &server.url, "--out", name]).stdout(Stdio::null()).spawn().unwrap();
    let lines = || std::fs::read(Path::new(name).join("transcript.ndjson")).unwrap_or_default();
    let count = |bytes: &[u8]| bytes.iter().filter(|byte| **byte == b'\n').count();
    while count(&lines()) < 30 {
        assert!(check.try_wait().unwrap().is_none(), "it ended before it could be killed");
        std::thread::sleep(Duration::from_millis(20));
    }
    // Nobody else writes there while it goes on, and it holds nothing once it is gone.
    let busy = output(&["check", "--only", "health-*", "--out", name]);
    let said = String::from_utf8_lossy(&busy.stderr);
    assert!(code(&busy) == 2 && said.contains("another process is writing into this folder"), "{said}");
    check.kill().unwrap();
    check.wait().unwrap();
    let archive = Archive::read(Path::new(name)).unwrap();
    assert_eq!(archive.transcript.manifest.state, ArchiveState::Incomplete);
    assert_eq!((archive.digest, archive.transcript.exchanges.len()), (None, count(&lines())));
    let again = output(&["recheck", name, "--format", "json"]);
    let report = json(&again.stdout);
    assert_eq!(code(&again), 3, "{}", String::from_utf8_lossy(&again.stderr));
    assert_eq!((&report["counts"]["fail"], &report["conformant"]), (&0.into(), &Json::Null));
    assert!(String::from_utf8_lossy(&again.stderr).contains("did not come to its end"));

    // The folder can be used again; one with other files in it cannot.
    let whole = output(&["check", "--only", "health-*", "--out", name]);
    assert_eq!((code(&whole), code(&output(&["recheck", name]))), (0, 0));
    let other = tempfile::tempdir().unwrap();
    std::fs::write(other.path().join("thesis.txt"), "two years of work").unwrap();
    assert_eq!(code(&output(&["check", "--only", "health-*", "--out", other.path().to_str().unwrap()])), 2);
    assert_eq!(read(other.path(), "thesis.txt"), "two years of work");
    assert_eq!(std::fs::read_dir(other.path()).unwrap().count(), 1);
    // What calls itself a manifest and has no end is none.
    std::os::unix::fs::symlink("/dev/zero", other.path().join("manifest.json")).unwrap();
    assert_eq!(code(&output(&["check", "--only", "health-*", "--out", other.path().to_str().unwrap()])), 2);
}

/// An archive that came from elsewhere may list anything, and have links in it that lead anywhere.
#[test]
fn an_archive_that_is_replaced_takes_nothing_outside_with_it() {
    let outside = tempfile::tempdir().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let check = || output(&["check", "--only", "health-*", "--out", folder.path().to_str().unwrap()]);
    assert_eq!(code(&check()), 0);
    let names = ["precious.txt", "suite.yaml"];
    names.iter().for_each(|name| std::fs::write(outside.path().join(name), "two years of work").unwrap());
    let link = |name: &str, to: &Path| {
        let path = folder.path().join(name);
        let _ = std::fs::remove_file(&path);
        let _ = std::fs::remove_dir_all(&path);
        std::os::unix::fs::symlink(to, path).unwrap();
    };
    link("link", outside.path());
    link("suite", outside.path());
    for name in ["manifest.json.partial", "report.html.partial", "transcript.ndjson", "badge.svg"] {
        link(name, &outside.path().join("precious.txt"));
    }
    let sums = folder.path().join("SHA256SUMS");
    let mut text = std::fs::read_to_string(&sums).unwrap();
    text.push_str(&format!("{}  link/precious.txt\n", "0".repeat(64)));
    std::fs::write(sums, text).unwrap();
    assert_eq!(code(&check()), 0);
    names.iter().for_each(|name| assert_eq!(read(outside.path(), name), "two years of work", "{name}"));
    assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 2);
    assert_eq!(code(&output(&["recheck", folder.path().to_str().unwrap()])), 0);
}

/// What a run that did not come to its end cannot have is named: a page and a badge of another run may lie there.
#[test]
fn pages_beside_a_run_that_did_not_come_to_its_end_are_named() {
    let folder = tempfile::tempdir().unwrap();
    record(&load_embedded(SUITE).unwrap(), "0.4.12", None, folder.path());
    let manifest = read(folder.path(), "manifest.json").replace("\"complete\"", "\"incomplete\"");
    std::fs::write(folder.path().join("manifest.json"), manifest).unwrap();
    let again = output(&["recheck", folder.path().to_str().unwrap()]);
    let said = String::from_utf8_lossy(&again.stderr);
    assert_eq!(code(&again), 3, "{said}");
    for name in ["report.html", "badge.svg", "verdicts.json", "SHA256SUMS"] {
        assert!(said.contains(&format!("{name}: not compared: no such file follows")), "{said}");
    }
}

/// Wherever a run is cut off, also within a line, what it leaves can be read, and an honest registry is accused of nothing.
#[test]
fn no_beginning_of_an_honest_run_accuses_anybody() {
    let folder = tempfile::tempdir().unwrap();
    let suite = load_embedded(SUITE).unwrap();
    record(&suite, "strict", None, folder.path());
    let manifest = read(folder.path(), "manifest.json").replace("\"complete\"", "\"incomplete\"");
    std::fs::write(folder.path().join("manifest.json"), manifest).unwrap();
    let transcript = read(folder.path(), "transcript.ndjson");
    for position in (0..transcript.len()).step_by(transcript.len() / 23) {
        std::fs::write(folder.path().join("transcript.ndjson"), &transcript.as_bytes()[..position]).unwrap();
        let archive = Archive::read(folder.path()).unwrap();
        let (found, report) = recheck(&archive, &suite).unwrap();
        let accusing: Vec<_> = report.checks.iter().filter(|check| check.status == Status::Fail).collect();
        assert!(accusing.is_empty(), "cut at {position}: {accusing:?}");
        assert_eq!((found.identical, report.conformant), (true, None), "{:?}", found.differences);
    }
}

/// One of so many faults is judged again here; `ASSAYER_ALL_FAULTS=1` takes them all.
const EVERY: usize = 96;

/// The report of a run is what follows from its archive, whatever is wrong with the registry.
#[test]
fn what_follows_from_an_archive_is_the_report_of_the_run_under_every_fault() {
    let suite = load_embedded(SUITE).unwrap();
    let step = if std::env::var_os("ASSAYER_ALL_FAULTS").is_some() { 1 } else { EVERY };
    let faults: Vec<&str> = suite.faults.iter().step_by(step).map(|fault| fault.id.as_str()).collect();
    let variants = suite.variants.iter().step_by(step).map(|variant| variant.id.as_str());
    let all: Vec<&str> = faults.into_iter().chain(variants).collect();
    assert!(all.len() > 10, "{}", all.len());
    let next = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(fault) = all.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
                    let folder = tempfile::tempdir().unwrap();
                    let report = record(&suite, "strict", Some(fault), folder.path());
                    let archive = Archive::read(folder.path()).unwrap();
                    let (found, again) = recheck(&archive, &suite).unwrap();
                    assert!(found.identical, "{fault}: {:?}", found.differences);
                    assert!(to_json(&report) == to_json(&again), "{fault}: another report");
                    assert!(to_json(&again) == read(folder.path(), "report.json"), "{fault}: other bytes");
                }
            });
        }
    });
    println!("{} runs judged again", all.len());
}
