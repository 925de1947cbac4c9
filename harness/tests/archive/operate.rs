//! What operators and CI live with: modes, pacing, baselines, burn-in.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use assayer_harness::burn_in::{BurnIn, Databases, StepStatus, derive_again, tied as tied_to};
use serde_json::Value as Json;

use crate::secrets::{Listener, answer};
use crate::{Server, assayer, code, json, output, read};

/// Asks a registry for a document.
fn get(url: &str, path: &str) -> Json {
    let host = url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    json(text.split_once("\r\n\r\n").unwrap().1.as_bytes())
}

fn log_size(url: &str) -> u64 {
    get(url, "/tlog/head")["size"].as_u64().unwrap()
}

#[test]
fn a_canary_registers_one_file_and_a_reader_nothing() {
    let server = Server::start(&["--no-rate-limit"], &[]);
    let url = server.url.as_str();
    let report = |arguments: &[&str]| {
        let check = ["check", "--rate", "1000", "--url", url, "--format", "json"];
        let output = output(&[&check[..], arguments].concat());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains("requests: ") && said.contains(", of which at most "), "no budget: {said}");
        (code(&output), json(&output.stdout))
    };
    let (exit, reading) = report(&["--mode", "read-only"]);
    assert_eq!(
        (exit, &reading["mode"], &reading["wrote"]),
        (0, &"read-only".into(), &Json::from(Vec::<Json>::new()))
    );
    assert_eq!((log_size(url), &reading["conformant"]), (0, &Json::Null));
    assert!(reading["counts"]["pass"].as_u64().unwrap() > 20, "{}", reading["counts"]);

    let folder = tempfile::tempdir().unwrap();
    let (exit, canary) = report(&["--mode", "canary", "--out", folder.path().to_str().unwrap()]);
    let wrote = canary["wrote"].as_array().unwrap();
    assert_eq!((exit, wrote.len(), log_size(url)), (0, 1, 1), "{wrote:?}");
    assert!(read(folder.path(), "report.txt").contains("left     1 registration, 0 events (mode canary)"));
    let id = wrote[0]["file_id"].as_str().unwrap();
    assert_eq!(wrote[0]["tlog_index"], 0);
    let manifest = &get(url, &format!("/evidence/{id}"))["manifest"];
    assert_eq!(manifest["issuer_id"], "conformance-issuer", "it says what it is");

    let given = ["--mode", "read-only", "--file-id", id, "--only", "given-files-have-sound-*"];
    let (exit, sound) = report(&given);
    assert_eq!((exit, &sound["checks"][0]["status"], log_size(url)), (0, &"pass".into(), 1), "{sound:#}");
    // The same through a layer that signs bundles wrongly, and of a file that is not there.
    let faulty = Server::start(&["--fault", "bundle-signature-flipped", "--upstream", url], &[]);
    let broken = output(&[&["check", "--url", &faulty.url, "--format", "json"], &given[..]].concat());
    assert_eq!((code(&broken), &json(&broken.stdout)["checks"][0]["status"]), (1, &"fail".into()));
    let (exit, absent) = report(&["--mode", "read-only", "--file-id", "nowhere", "--only", "given-*"]);
    assert_eq!((exit, &absent["checks"][0]["code"]), (1, &"condition.status".into()));
    // What is shown to be run again writes no more than what was run.
    let again = absent["checks"][0]["rerun"].as_str().unwrap();
    assert!(again.contains(" --mode read-only --file-id nowhere --only "), "{again}");
}

/// What had to be refused and was accepted is left behind too; and what a target broke off, perhaps.
#[test]
fn what_a_broken_target_stored_is_told() {
    let only = ["--only", "rejects-signature-with-first-bit-flipped", "--format", "json"];
    let wrote = |more: &[&str]| {
        let output = output(&[&["check"], more, &only[..]].concat());
        json(&output.stdout)["wrote"].as_array().unwrap().clone()
    };
    let (honest, faulty) = (wrote(&[]), wrote(&["--fault", "signature-first-byte-ignored"]));
    assert_eq!(faulty.len(), honest.len() + 1, "{faulty:?}");
    assert!(faulty.iter().all(|one| one["certain"] == true && one["effect"] == "registers"), "{faulty:?}");
    let broken = Listener::start(|_, asked| match asked.starts_with("POST ") {
        true => answer(500, "", "{}"),
        false => answer(200, "", "{}"),
    });
    let perhaps = wrote(&["--url", &broken.url()]);
    assert!(!perhaps.is_empty() && perhaps.iter().all(|one| one["certain"] == false), "{perhaps:?}");
}

#[test]
fn a_full_run_elsewhere_needs_its_operator() {
    // TEST-NET-1 (RFC 5737): nothing is sent, so that nobody has to be there.
    let began = Instant::now();
    let refused = output(&["check", "--url", "http://192.0.2.1:9"]);
    assert_eq!(code(&refused), 2);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--i-operate-this-target"));
    let refused = output(&["check", "--only", "register*", "--mode", "read-only"]);
    assert_eq!(code(&refused), 2, "nothing is left of the selection");
    assert_eq!(code(&output(&["check", "--mode", "read-only", "--file-id", ""])), 2);
    assert!(began.elapsed() < Duration::from_secs(15), "something was asked for");
}

#[test]
fn a_target_is_asked_again_when_it_says_and_not_before() {
    let only = ["--only", "health-200", "--format", "json"];
    let at = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let heard = std::sync::Arc::clone(&at);
    let busy = Listener::start(move |number, _| {
        heard.lock().unwrap().push(Instant::now());
        if number == 0 { answer(429, "Retry-After: 3\r\n", "") } else { answer(200, "", "{}") }
    });
    output(&[&["check", "--url", &busy.url()], &only[..]].concat());
    let at = at.lock().unwrap();
    assert!(at.len() >= 2 && at[1] - at[0] >= Duration::from_secs(3), "{at:?}");

    let closed = Listener::start(|_, _| answer(429, "Retry-After: 86400\r\n", ""));
    let began = Instant::now();
    let given_up = output(&[&["check", "--url", &closed.url()], &only[..]].concat());
    let report = json(&given_up.stdout);
    assert_eq!((code(&given_up), closed.count(), &report["counts"]["fail"]), (3, 1, &0.into()));
    assert_eq!(
        (&report["inconclusive"], &report["checks"][0]["code"]),
        (&true.into(), &"answer.rate-limited".into())
    );
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
}

/// A refusal may be lost when a target closes without reading the body; that is no fault of it. What may have been stored is not
/// sent twice.
#[test]
fn what_stores_nothing_is_sent_again_over_a_broken_connection() {
    let checked = |only: &str, broken: usize, of: &str| {
        let target = Listener::start(
            move |number, _| {
                if number < broken { String::new() } else { answer(200, "", "{}") }
            },
        );
        let output = output(&["check", "--url", &target.url(), "--only", only, "--format", "json"]);
        let asked = target.heard.lock().unwrap().iter().filter(|asked| asked.starts_with(of)).count();
        (json(&output.stdout)["checks"][0]["status"].clone(), asked)
    };
    assert_eq!(checked("health-200", 1, "GET /health"), ("pass".into(), 2));
    assert_eq!(checked("health-200", 9, "GET /health"), ("error".into(), 2));
    assert_eq!(checked("register-200", 9, "POST /register").1, 1);
}

const FAULT: [&str; 3] = ["check", "--fault", "proof-siblings-reversed"];

#[test]
fn a_baseline_lets_pass_what_was_reviewed_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (faulty, honest, baseline) = (path("faulty"), path("honest"), path("baseline.yaml"));
    assert_eq!(code(&output(&[&FAULT[..], &["--out", &faulty]].concat())), 1);
    let update = |archive: &str, more: &[&str]| {
        output(&[&["baseline", "update", archive, "--baseline", &baseline], more].concat())
    };
    let review = ["--owner", "log team", "--link", "https://tracker.example/7", "--expires", "2999-12-31"];
    assert_eq!(code(&update(&faulty, &[])), 2, "nobody answers for it");
    let past = [&review[..5], &["2020-01-01"]].concat();
    assert_eq!(code(&update(&faulty, &past)), 2, "it would answer for nothing");
    assert!(!Path::new(&baseline).exists());
    let updated = update(&faulty, &review);
    assert_eq!(code(&updated), 0, "{}", String::from_utf8_lossy(&updated.stderr));
    let written = read(folder.path(), "baseline.yaml");
    assert!(written.contains("merkle.root-mismatch") && written.contains("log team"), "{written}");

    let with =
        |arguments: &[&str]| output(&[arguments, &["--baseline", &baseline, "--format", "json"]].concat());
    let gate = with(&FAULT);
    let report = json(&gate.stdout);
    assert_eq!((code(&gate), &report["conformant"]), (0, &false.into()), "{}", report["baseline"]);
    assert!(report["counts"]["expected-failure"].as_u64().unwrap() > 0);
    assert_eq!((&report["counts"]["fail"], &report["counts"]["stale"]), (&0.into(), &0.into()));
    let text = output(&[&FAULT[..], &["--baseline", &baseline]].concat());
    let said = String::from_utf8_lossy(&text.stdout).into_owned();
    assert!(said.contains("NOT conformant") && said.contains("fail (expected-failure)"), "{said}");
    // The public report is that of the target.
    assert!(read(Path::new(&faulty), "report.txt").contains("\n  fail  "));

    // What passes again is stale; what was reviewed must have been run; the reason counts.
    let check = ["check", "--out", &honest];
    assert_eq!(code(&with(&check)), 1);
    assert_eq!(code(&with(&["check", "--only", "health-200"])), 1);
    for (from, to) in [
        ("merkle.root-mismatch", "merkle.path-too-long"),
        ("2999-12-31", "2020-01-01"),
        ("check: \"", "check: \"no-such-"),
    ] {
        std::fs::write(&baseline, written.replace(from, to)).unwrap();
        let stale = with(&FAULT);
        assert_eq!(code(&stale), 1, "{from} -> {to}: {}", json(&stale.stdout)["baseline"]);
    }
    std::fs::write(&baseline, &written).unwrap();
    // An update from a run that is whole drops what passes; from one that is not, it is refused.
    let part = path("part");
    output(&["check", "--only", "health-*", "--out", &part]);
    assert_eq!(code(&update(&part, &review)), 2);
    assert_eq!(read(folder.path(), "baseline.yaml"), written);
    assert_eq!(code(&update(&honest, &[])), 0);
    assert!(read(folder.path(), "baseline.yaml").contains("expected: []"));
}

const SECRETS: [(&str, &str); 2] =
    [("OVERSIGHT_OPERATOR_TOKEN", "operator-token-9"), ("OVERSIGHT_DNS_EVENT_SECRET", "dns-secret-10")];

fn burn_in<'a>(url: &'a str, folder: &'a str) -> Vec<&'a str> {
    let window = ["--hours", "0.0017", "--interval", "2", "--rate", "1000", "--no-migration"];
    [&["burn-in", "--url", url, "--out", folder], &window[..]].concat()
}

fn report(folder: &Path) -> BurnIn {
    serde_json::from_str(&read(folder, "burn-in.json")).unwrap()
}

#[test]
fn a_burn_in_is_taken_up_again_after_a_kill_and_proves_growth_from_round_to_round() {
    let data = tempfile::tempdir().unwrap();
    let arguments = ["--no-rate-limit", "--data-dir", data.path().to_str().unwrap()];
    let server = Server::start(&arguments, &SECRETS);
    let folder = tempfile::tempdir().unwrap();
    let name = folder.path().to_str().unwrap();
    let mut first = assayer(&burn_in(&server.url, name)).envs(SECRETS).spawn().unwrap();
    let began = Instant::now();
    while !folder.path().join("burn-in.json").exists() || report(folder.path()).rounds.is_empty() {
        assert!(
            first.try_wait().unwrap().is_none() && began.elapsed() < Duration::from_secs(90),
            "no first round"
        );
        std::thread::sleep(Duration::from_millis(50));
    }
    let beside = assayer(&burn_in(&server.url, name)).output().unwrap();
    let said = String::from_utf8_lossy(&beside.stderr);
    assert!(code(&beside) == 2 && said.contains("another process is writing into this folder"), "{said}");
    first.kill().unwrap();
    first.wait().unwrap();
    let before = report(folder.path());
    let other = assayer(&burn_in("http://127.0.0.1:9", name)).output().unwrap();
    assert_eq!(code(&other), 2, "the folder is that of another target");

    let second = assayer(&burn_in(&server.url, name)).envs(SECRETS).output().unwrap();
    let found = report(folder.path());
    assert_eq!((found.resumed, &found.rounds[..1]), (1, &before.rounds[..1]));
    assert!(found.rounds.len() >= 2, "{}", found.to_text());
    for round in &found.rounds {
        assert_eq!(
            (round.status, round.growth),
            (StepStatus::Passed, StepStatus::Passed),
            "{}",
            found.to_text()
        );
        assert!(round.bundles > 0 && round.tree_size > Some(0), "{}", found.to_text());
        assert_eq!(code(&output(&["recheck", folder.path().join(&round.archive).to_str().unwrap()])), 0);
    }
    let steps: Vec<StepStatus> = found.steps.iter().map(|step| step.status).collect();
    let (na, passed, open) = (StepStatus::NotApplicable, StepStatus::Passed, StepStatus::NotVerified);
    // A canary run does not ask for every call of the surface, nor for wrong secrets, and says so.
    assert_eq!(steps, [na, na, na, na, open, passed, passed, open, na], "{}", found.to_text());
    assert!(found.steps[4].text.contains("in mode canary only "), "{}", found.steps[4].text);
    assert_eq!(code(&second), 3, "{}", String::from_utf8_lossy(&second.stdout));

    // Another log behind the same address is not the one that was seen.
    let address = server.url.strip_prefix("http://").unwrap().to_owned();
    let mut shorter = found.clone();
    shorter.state = assayer_harness::ArchiveState::Incomplete;
    shorter.rounds.truncate(1);
    shorter.rounds();
    (shorter.missed, shorter.complete_since) = (0, None);
    shorter.write(folder.path()).unwrap();
    drop(server);
    std::fs::remove_file(data.path().join("registry.sqlite")).unwrap();
    let url = format!("http://{address}");
    let _other = Server::start(&[&arguments[..], &["--bind", &address]].concat(), &SECRETS);
    let third = assayer(&burn_in(&url, name)).envs(SECRETS).output().unwrap();
    let found = report(folder.path());
    assert_eq!(code(&third), 1, "{}", found.to_text());
    assert!(found.rounds.iter().any(|round| round.growth == StepStatus::Failed), "{}", found.to_text());
}

#[test]
fn a_burn_in_has_no_more_rounds_than_anybody_reads() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let asked =
        ["burn-in", "--url", "http://127.0.0.1:9", "--no-migration", "--hours", "100", "--interval", "30"];
    let refused = output(&[&asked[..], &["--out", out.to_str().unwrap()]].concat());
    assert_eq!(code(&refused), 2);
    let message = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(message.contains("at most 10000 rounds, found 12001"), "{message}");
    assert!(!out.exists());
    // A report with more is not read to its end: what follows the first too many need not even be JSON.
    let round = r#"{"round":1,"started_at":"","archive":"","counts":{},"status":"passed","text":"","bundles":0,"growth":"passed","growth_text":""}"#;
    let counts = serde_json::to_string(&assayer_reports::Counts::default()).unwrap();
    let round = round.replace("{}", &counts);
    let rounds = |count: usize, end: &str| format!("[{}{end}", vec![round.as_str(); count].join(","));
    let text = |rounds: &str| {
        format!(
            r#"{{"form":"assayer-burn-in/1","tool":{{"name":"a","version":"0"}},"target":"","edition":"","wire":"","suite_digest":"",
            "asked":{{"mode":"canary","file_ids":[],"no_migration":false}},"started_at":"","window_s":1,"interval_s":1,"state":"incomplete",
            "resumed":0,"missed":0,"jumps":[],"live":[],"file_ids":[],"steps":[],"rounds":{rounds}"#
        )
    };
    assert!(serde_json::from_str::<BurnIn>(&(text(&rounds(10_000, "]")) + "}")).is_ok());
    let refused = serde_json::from_str::<BurnIn>(&text(&rounds(10_001, ", nothing of JSON"))).unwrap_err();
    assert!(refused.to_string().contains("at most 10000"), "{refused}");
}

#[test]
fn the_database_of_a_burn_in_is_compared_with_the_one_that_was_taken_over() {
    let old = tempfile::tempdir().unwrap();
    let new = tempfile::tempdir().unwrap();
    let server = Server::start(&["--no-rate-limit", "--data-dir", old.path().to_str().unwrap()], &[]);
    assert_eq!(code(&output(&["check", "--url", &server.url, "--rate", "1000", "--mode", "canary"])), 0);
    drop(server);
    let databases = Databases {
        old: old.path().join("registry.sqlite"),
        new: new.path().join("registry.sqlite"),
        data_dir: new.path().to_owned(),
    };
    let begun = |databases: &Databases| {
        let mut begun: BurnIn = serde_json::from_value(serde_json::json!({
            "form": "assayer-burn-in/1", "tool": {"name": "assayer", "version": "0"}, "target": "", "edition": "", "wire": "",
            "suite_digest": "", "asked": {"mode": "canary", "file_ids": [], "no_migration": false},
            "started_at": "2026-01-02T03:04:05Z", "window_s": 1, "interval_s": 1, "state": "incomplete", "resumed": 0,
            "missed": 0, "jumps": [], "live": [], "file_ids": [], "steps": [], "rounds": [],
        }))
        .unwrap();
        begun.databases(Some(databases));
        begun
    };
    let statuses =
        |begun: &BurnIn| begun.steps.iter().map(|step| (step.step, step.status)).collect::<Vec<_>>();
    let (passed, failed) = (StepStatus::Passed, StepStatus::Failed);
    // Before the migration there is no new database, and the old one can be written.
    assert_eq!(statuses(&begun(&databases)), [(1, failed), (2, passed), (3, failed), (4, failed)]);
    assayer_reference_registry::migrate(&databases.old, &databases.new, &databases.data_dir, false).unwrap();
    let mut permissions = std::fs::metadata(&databases.old).unwrap().permissions();
    permissions.set_readonly(true);
    std::fs::set_permissions(&databases.old, permissions).unwrap();
    let mut whole = begun(&databases);
    assert_eq!(statuses(&whole), [1, 2, 3, 4].map(|step| (step, passed)), "{}", whole.to_text());
    whole.old_database(&databases.old);
    assert_eq!(whole.steps[4].status, passed);
    std::fs::remove_file(&databases.old).unwrap();
    whole.old_database(&databases.old);
    assert_eq!(whole.steps[4].status, failed);
    // What was gone for a while is not unchanged.
    std::fs::copy(&databases.new, &databases.old).unwrap();
    whole.old_database(&databases.old);
    assert_eq!((whole.steps[4].status, whole.outcome()), (failed, assayer_reports::Outcome::Bad));
}

/// A burn-in of two rounds a second apart, and how it ended.
fn short<'a>(url: &'a str, folder: &'a str, more: &[&'a str]) -> std::process::Output {
    let window = ["burn-in", "--url", url, "--out", folder, "--hours", "0.0005", "--interval", "1"];
    let window = [&window[..], &["--rate", "1000"]].concat();
    assayer(&[&window[..], more].concat()).envs(SECRETS).output().unwrap()
}

fn said(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

type Edit = fn(&mut BurnIn);

#[test]
fn a_burn_in_that_is_over_is_derived_again_and_believed_in_nothing() {
    let server = Server::start(&["--no-rate-limit"], &SECRETS);
    let url = server.url.clone();
    let out = tempfile::tempdir().unwrap();
    let (folder, name) = (out.path(), out.path().to_str().unwrap());
    let first = short(&url, name, &["--no-migration"]);
    let ended = code(&first);
    assert_ne!(ended, 2, "{}", said(&first));
    assert!(said(&first).contains("window 1 s, a round every 1 s"), "{}", said(&first));
    let whole = report(folder);
    assert_eq!((whole.state, whole.rounds.len()), (assayer_harness::ArchiveState::Complete, 2));
    let since = whole.complete_since.clone().unwrap();

    // Nobody has to be there for what was seen to be derived again.
    drop(server);
    let again = short(&url, name, &["--no-migration"]);
    let expected = format!("complete since {since}, derived again from its archives: ");
    assert!(code(&again) == ended && said(&again).contains(&expected), "{}", said(&again));

    // What was asked for stays as it was.
    for (more, member) in [
        (&["--mode", "read-only", "--no-migration"][..], "asked"),
        (&["--file-id", "other", "--no-migration"], "asked"),
        (&[], "asked"),
        (&["--no-migration", "--edition", "0.4.12"], "edition"),
    ] {
        let other = short(&url, name, more);
        assert!(code(&other) == 2 && said(&other).contains(member), "{more:?}: {}", said(&other));
    }

    let edits: [(Edit, &str); 11] = [
        (|it| it.rounds[1].counts.pass += 1, "round-0002: counts"),
        (|it| it.rounds[1].bundles += 1, "round-0002: bundles"),
        (|it| it.rounds[0].tree_size = Some(7), "round-0001: tree_size"),
        (|it| it.rounds[1].growth_text.push('!'), "round-0002: growth_text"),
        (|it| it.rounds[1].archive = "round-0001".to_owned(), "round-0002: archive"),
        (|it| it.rounds.truncate(1), "imply 2 rounds, found 1 and 0 missed"),
        (|it| it.missed = 1, "imply 2 rounds, found 2 and 1 missed"),
        (|it| it.set(5, StepStatus::Passed, "asked for both"), "live: step 5: "),
        (|it| it.set(8, StepStatus::Passed, "all"), "live: step 8: "),
        (|it| it.live[0].wrote = 0, "live: wrote: recorded 0, derived 1"),
        (|it| it.started_at = "2999-01-01T00:00:00Z".to_owned(), "round 1: expected 0 s after the beginning"),
    ];
    let suite = assayer_vectors::load_embedded(assayer_vectors::SUITE).unwrap();
    let strict = assayer_harness::edition(&suite, "strict").unwrap();
    let spoken = (&suite, strict, assayer_harness::wire(&suite, &strict.wire).unwrap());
    for (edit, expected) in edits {
        let mut edited = whole.clone();
        edit(&mut edited);
        let refused = derive_again(&edited, folder, spoken).unwrap_err().to_string();
        assert!(refused.contains(expected), "{expected}: {refused}");
    }
    // Two rounds are not two days.
    let mut longer = whole.clone();
    (longer.window_s, longer.interval_s) = (172_800, 172_800);
    longer.write(folder).unwrap();
    let window = ["--hours", "48", "--interval", "172800", "--no-migration"];
    let refused =
        assayer(&[&["burn-in", "--url", &url, "--out", name], &window[..]].concat()).output().unwrap();
    let expected = "round 2: expected 172800 s after the beginning of the window, found ";
    assert!(code(&refused) == 2 && said(&refused).contains(expected), "{}", said(&refused));
    // Nor does one go on whose clock was set back.
    let mut early = whole.clone();
    early.state = assayer_harness::ArchiveState::Incomplete;
    (early.rounds, early.complete_since, early.started_at) =
        (Vec::new(), None, "2999-01-01T00:00:00Z".to_owned());
    early.steps.retain(|step| step.step != 7);
    early.write(folder).unwrap();
    let refused = short(&url, name, &["--no-migration"]);
    assert!(code(&refused) == 2 && said(&refused).contains("was set back"), "{}", said(&refused));

    whole.write(folder).unwrap();
    for archive in ["round-0002", "round-0001", "live"] {
        std::fs::rename(folder.join(archive), folder.join("elsewhere")).unwrap();
        let refused = derive_again(&whole, folder, spoken).unwrap_err().to_string();
        assert!(refused.contains(&format!("/{archive}: ")), "{archive}: {refused}");
        if archive == "live" {
            assert_eq!(code(&short(&url, name, &["--no-migration"])), 2);
        }
        std::fs::rename(folder.join("elsewhere"), folder.join(archive)).unwrap();
    }
    assert!(derive_again(&whole, folder, spoken).is_ok(), "as it was");
    what_stands_in_the_folder_is_covered(&whole, folder, ended);
}

/// Report, text and sums cover each other and the archives; whoever makes all of them anew is found out by the archives.
fn what_stands_in_the_folder_is_covered(whole: &BurnIn, folder: &Path, ended: i32) {
    let name = folder.to_str().unwrap();
    let mut sums = std::process::Command::new("sha256sum");
    sums.args(["--check", "--strict", "--quiet", "SHA256SUMS"]).current_dir(folder);
    assert!(sums.status().unwrap().success());
    let again = output(&["recheck", name, "--format", "json"]);
    assert!(code(&again) == ended && again.stdout == whole.to_json().as_bytes(), "{}", said(&again));
    assert!(said(&again).contains("SHA-256 of the burn-in "), "{}", said(&again));
    assert_eq!(code(&output(&["recheck", name, "--format", "junit"])), 2);

    let refused = |expected: &str| {
        let found = output(&["recheck", name, "--format", "json"]);
        assert!(code(&found) == 1 && said(&found).contains(expected), "{expected}: {}", said(&found));
        assert_eq!(json(&found.stdout)["identical"], false);
    };
    let before = |file: &str| read(folder, file);
    for (file, from, to) in [
        ("burn-in.json", "\"resumed\": 0", "\"resumed\": 1"),
        ("burn-in.json", "\"missed\": 0", "\"missed\":  0"),
        ("burn-in.txt", "window", "widow"),
        ("SHA256SUMS", "round-0002", "round-0003"),
    ] {
        let text = before(file);
        std::fs::write(folder.join(file), text.replacen(from, to, 1)).unwrap();
        refused("recorded");
        let going_on = short("http://127.0.0.1:9", name, &["--no-migration"]);
        assert!(code(&going_on) == 2 && said(&going_on).contains("recorded"), "{}", said(&going_on));
        std::fs::write(folder.join(file), text).unwrap();
    }
    let edits: [(Edit, &str); 3] = [
        (|it| it.rounds[1].text.push('!'), "round-0002: text"),
        (|it| it.asked.no_migration = false, "it applies only where there is something to migrate"),
        (|it| it.set(1, StepStatus::Passed, "a cold copy"), "it applies only where"),
    ];
    for (edit, expected) in edits {
        let mut edited = whole.clone();
        edit(&mut edited);
        edited.write(folder).unwrap();
        refused(expected);
    }
    whole.write(folder).unwrap();
    what_lies_beside_is_named(folder, ended);
    // A kill between two of the three files: the sums say which of two reports is meant.
    let mut later = whole.clone();
    later.derived_again_at = Some("2026-01-02T03:04:05Z".to_owned());
    later.write(folder).unwrap();
    std::fs::write(folder.join("burn-in.json.partial"), later.to_json()).unwrap();
    std::fs::write(folder.join("burn-in.json"), whole.to_json()).unwrap();
    let found = output(&["recheck", name, "--format", "json"]);
    assert!(code(&found) == ended && found.stdout == later.to_json().as_bytes(), "{}", said(&found));
    std::fs::remove_file(folder.join("burn-in.json.partial")).unwrap();
    refused("SHA256SUMS");
    std::fs::remove_file(folder.join("SHA256SUMS")).unwrap();
    refused("SHA256SUMS");
    whole.write(folder).unwrap();
    assert_eq!(code(&output(&["recheck", name])), ended);
}

/// What was left out of the report lies there still, and is named; what lies elsewhere is not read.
fn what_lies_beside_is_named(folder: &Path, ended: i32) {
    let name = folder.to_str().unwrap();
    std::fs::create_dir(folder.join("live-2")).unwrap();
    let found = output(&["recheck", name]);
    assert!(
        code(&found) == ended && said(&found).contains("live-2 is no part of the burn-in"),
        "{}",
        said(&found)
    );
    std::fs::rename(folder.join("round-0002"), folder.join("live-2/round")).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink("live-2/round", folder.join("round-0002")).unwrap();
    let found = output(&["recheck", name]);
    let expected = "round-0002: expected a folder, found none, or a link";
    assert!(code(&found) == 1 && said(&found).contains(expected), "{}", said(&found));
    #[cfg(unix)]
    std::fs::remove_file(folder.join("round-0002")).unwrap();
    std::fs::rename(folder.join("live-2/round"), folder.join("round-0002")).unwrap();
    std::fs::remove_dir(folder.join("live-2")).unwrap();
}

/// The database must be that of the registry that is asked, and the one that was taken over must stay there.
#[test]
fn a_burn_in_is_tied_to_its_database_and_keeps_an_eye_on_the_old_one() {
    let (old, new, other) =
        (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let at = |folder: &tempfile::TempDir| folder.path().join("registry.sqlite").to_str().unwrap().to_owned();
    let (old_db, new_db) = (at(&old), at(&new));
    let server = Server::start(&["--no-rate-limit", "--data-dir", old.path().to_str().unwrap()], &SECRETS);
    let canary = ["check", "--url", &server.url, "--rate", "1000", "--mode", "canary"];
    assert_eq!(code(&assayer(&canary).envs(SECRETS).output().unwrap()), 0);
    drop(server);
    for folder in [&new, &other] {
        assayer_reference_registry::migrate(Path::new(&old_db), Path::new(&at(folder)), folder.path(), false)
            .unwrap();
    }
    let mut permissions = std::fs::metadata(&old_db).unwrap().permissions();
    permissions.set_readonly(true);
    std::fs::set_permissions(&old_db, permissions).unwrap();
    let server = Server::start(&["--no-rate-limit", "--data-dir", new.path().to_str().unwrap()], &SECRETS);
    let status = |folder: &tempfile::TempDir, step: usize| {
        let found = report(folder.path()).steps[step - 1].clone();
        (found.status, found.text)
    };
    let out = tempfile::tempdir().unwrap();
    let name = out.path().to_str().unwrap();
    let databases = ["--old-db", &old_db, "--db", &new_db];
    let tied = short(&server.url, name, &databases);
    assert_eq!(code(&tied), 3, "{}", said(&tied));
    let (four, text) = status(&out, 4);
    assert!(four == StepStatus::Passed && text.contains("key and heads of up to 2 leaves"), "{text}");

    // The same log and key, but not the file that this registry writes to: its head is not there.
    let stale = tempfile::tempdir().unwrap();
    let others = ["--old-db", &old_db, "--db", &at(&other)];
    let failed = short(&server.url, stale.path().to_str().unwrap(), &others);
    let (four, text) = status(&stale, 4);
    assert!(code(&failed) == 1 && four == StepStatus::Failed, "{text}");
    assert!(text.contains("it is not the database of this registry"), "{text}");
    // The same log, but the identity of another registry.
    let stranger = tempfile::tempdir().unwrap();
    let identity = format!(r#"{{"ed25519_pub": "{}"}}"#, "7".repeat(64));
    std::fs::write(stranger.path().join("registry-identity.json"), identity).unwrap();
    let seen = assayer_harness::Archive::read(&out.path().join("live")).unwrap().transcript;
    let suite = assayer_vectors::load_embedded(assayer_vectors::SUITE).unwrap();
    let wire = assayer_harness::wire(&suite, "candidate").unwrap();
    let of = |data_dir: &Path| Databases {
        old: old_db.clone().into(),
        new: new_db.clone().into(),
        data_dir: data_dir.to_owned(),
    };
    let (status_of_it, text) = tied_to(&of(stranger.path()), &seen, (&suite, wire));
    assert!(status_of_it == StepStatus::Failed && text.contains("expected the key of"), "{text}");
    assert_eq!(tied_to(&of(new.path()), &seen, (&suite, wire)).0, StepStatus::Passed);

    // The new database has grown by now; that the old one is there is asked whenever the command is run.
    let again = short(&server.url, name, &databases);
    assert_eq!((code(&again), status(&out, 3).0), (3, StepStatus::Passed), "{}", said(&again));
    std::fs::remove_file(&old_db).unwrap();
    assert_eq!(code(&short(&server.url, name, &["--no-migration"])), 2, "it was begun with databases");
    let gone = short(&server.url, name, &databases);
    assert_eq!((code(&gone), status(&out, 9).0), (1, StepStatus::Failed), "{}", said(&gone));
}

/// What a live run left behind that was killed is told, and its archive is kept.
#[test]
fn a_live_run_that_was_killed_stays_on_record() {
    let server = Server::start(&["--no-rate-limit"], &SECRETS);
    let out = tempfile::tempdir().unwrap();
    let name = out.path().to_str().unwrap();
    // At the polite pace, so that there is time to kill it.
    let window = ["burn-in", "--url", &server.url, "--out", name, "--hours", "0.0005", "--interval", "1"];
    let window = [&window[..], &["--no-migration"]].concat();
    let mut first = assayer(&window).envs(SECRETS).spawn().unwrap();
    let lines = || std::fs::read_to_string(out.path().join("live/transcript.ndjson")).unwrap_or_default();
    while !lines().lines().any(|line| line.contains("\"effect\":\"registers\"")) {
        assert!(first.try_wait().unwrap().is_none(), "it ended before it could be killed");
        std::thread::sleep(Duration::from_millis(5));
    }
    first.kill().unwrap();
    first.wait().unwrap();
    // Also where the report did not come to be written.
    std::fs::remove_file(out.path().join("burn-in.json")).unwrap();
    let second = short(&server.url, name, &["--no-migration"]);
    let found = report(out.path());
    let runs: Vec<(&str, usize)> = found.live.iter().map(|run| (run.archive.as_str(), run.wrote)).collect();
    assert_eq!(runs, [("live", 1), ("live-2", 1)], "{}", said(&second));
    assert!(said(&second).contains("live           left behind by 1 write; broke off"), "{}", said(&second));
    assert_eq!(log_size(&server.url), 2);
}
