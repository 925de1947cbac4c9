//! `assayer check`: exit codes, hostile and useless targets, secrets, new checks.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;

use assayer_vectors::{Expectation, SUITE, load_embedded};
use serde_json::Value as Json;

use crate::{Server, assayer, code, copy, json, run, text, write};

/// A request, as far as a useless server looks at it.
struct Request {
    body: Vec<u8>,
    headers: String,
}

/// Serves the same kind of answer to everything, one connection after another, for as long as the test runs.
fn serve(answer: impl Fn(&Request) -> (u16, String) + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let _ = answer_one(stream, &answer);
        }
    });
    address
}

fn answer_one(stream: TcpStream, answer: &impl Fn(&Request) -> (u16, String)) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut headers = String::new();
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        if header.trim().is_empty() {
            break;
        }
        if let Some(value) = header.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        headers.push_str(&header);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let (status, text) = answer(&Request { body, headers });
    let mut stream = reader.into_inner();
    write!(
        stream,
        "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}",
        text.len()
    )
}

/// Names of the checks that look at nothing but a status.
fn bare_statuses() -> Vec<String> {
    let suite = load_embedded(SUITE).unwrap();
    let bare = |expectation: &Expectation| {
        let judged = serde_json::to_value(expectation).unwrap();
        let members: Vec<&str> = judged.as_object().unwrap().keys().map(String::as_str).collect();
        members.iter().all(|name| ["exchange", "status", "status_in"].contains(name))
    };
    suite.checks.iter().filter(|check| check.expect.iter().all(bare)).map(|check| check.id.clone()).collect()
}

#[test]
fn useless_servers_pass_nothing_beyond_a_bare_status() {
    let bare = bare_statuses();
    assert!(bare.len() > 10 && bare.len() < 20, "{bare:?}");
    let servers: [(&str, SocketAddr); 5] = [
        ("200 {} to all", serve(|_| (200, "{}".to_owned()))),
        ("echo", serve(|request| (200, text(&request.body)))),
        ("echo of the head", serve(|request| (200, format!("{:?}", request.headers)))),
        ("404 to all", serve(|_| (404, "<h1>nothing here</h1>".to_owned()))),
        ("refuses all", serve(|_| (400, r#"{"error":{"code":"missing_field","message":"no"}}"#.to_owned()))),
    ];
    // Each of them is asked again and again what it answers slowly, so they are asked side by side.
    std::thread::scope(|scope| {
        let bare = &bare;
        for (name, address) in servers {
            scope.spawn(move || passes_nothing_beyond(bare, name, address));
        }
    });
}

fn passes_nothing_beyond(bare: &[String], name: &str, address: SocketAddr) {
    for edition in ["0.4.7", "0.4.12", "strict"] {
        let url = format!("http://{address}");
        let call = ["check", "--url", &url, "--rate", "1000", "--edition", edition, "--format", "json"];
        let output = run(&call);
        let report = json(&output);
        assert_eq!(code(&output), 1, "{name}: {edition}");
        assert_eq!(report["conformant"], false, "{name}: {edition}");
        let checks = report["checks"].as_array().unwrap();
        for check in checks.iter().filter(|check| check["status"] == "pass") {
            let id = check["id"].as_str().unwrap();
            let refusal = name == "refuses all" && check["weak"].is_string();
            assert!(bare.iter().any(|known| known == id) || refusal, "{name}: {edition}: {id} passed");
        }
    }
}

#[test]
fn a_closed_port_is_inconclusive_and_passes_nothing() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let output = run(&["check", "--url", &format!("http://{address}"), "--format", "json"]);
    let report = json(&output);
    assert_eq!(code(&output), 3);
    assert_eq!(report["counts"]["pass"], 0);
    assert_eq!(report["counts"]["fail"], 0);
    assert!(report["conformant"].is_null());
}

#[test]
fn a_target_that_only_says_429_is_inconclusive() {
    let address = serve(|_| (429, String::new()));
    // One check sends one request; the patience with 429 is bounded.
    let url = format!("http://{address}");
    let output = run(&["check", "--url", &url, "--only", "health-200", "--format", "json"]);
    assert_eq!(code(&output), 3, "{}", text(&output.stdout));
    assert_eq!(json(&output)["counts"]["pass"], 0);
}

#[test]
fn the_reference_registry_conforms_and_the_report_has_the_promised_members() {
    let suite = load_embedded(SUITE).unwrap();
    let strict = suite.editions.iter().find(|edition| edition.edition == "strict").unwrap().checks.len();
    assert!(strict > 158, "38 checks of upstream and 120 of our own, found {strict}");
    for (edition, count) in [("0.4.7", 32), ("0.4.12", 38), ("oversight-v1@strict", strict)] {
        let output = run(&["check", "--edition", edition, "--format", "json"]);
        let report = json(&output);
        assert_eq!(code(&output), 0, "{}", text(&output.stderr));
        assert_eq!(report["conformant"], true);
        assert_eq!(report["target"], "in-process");
        // What the registry does with callers from elsewhere, and with files that were there before, cannot be asked here.
        let from_elsewhere = 3 * usize::from(count == strict);
        assert_eq!(report["counts"]["pass"], count - from_elsewhere);
        assert_eq!(report["counts"]["not-applicable"], from_elsewhere);
        assert_eq!(report["checks"].as_array().unwrap().len(), count);
        for check in report["checks"].as_array().unwrap() {
            for member in ["id", "group", "keyword", "status", "reason"] {
                assert!(check[member].is_string(), "{member} of {check}");
            }
        }
    }
}

#[test]
fn a_selection_never_says_conformant() {
    let output = run(&["check", "--only", "health-*", "--format", "json"]);
    let report = json(&output);
    assert_eq!((code(&output), report["conformant"].is_null()), (0, true));
    let output = run(&["check", "--only", "health-*"]);
    let said = text(&output.stdout);
    assert!(said.contains("conformance was not evaluated") && !said.contains("conformant to"), "{said}");
    // Leaving out what failed does not make a registry conformant either.
    let output = run(&["check", "--skip", "no-event-left-out", "--fault", "event-dropped"]);
    assert!(!text(&output.stdout).contains("\nconformant"));
}

#[test]
fn a_fault_makes_the_exit_code_1_and_says_what_where_and_how_to_see_it_again() {
    let output = run(&["check", "--fault", "proof-siblings-reversed"]);
    assert_eq!(code(&output), 1);
    let said = text(&output.stdout);
    for part in ["inclusion-proof-of-every-index", "merkle.root-mismatch", "/tlog/proof/0", "NOT conformant"]
    {
        assert!(said.contains(part), "{part}: {said}");
    }
    let again = said.lines().find_map(|line| line.trim().strip_prefix("again: assayer ")).unwrap();
    let again = run(&[&again.split(' ').collect::<Vec<_>>()[..], &["--format", "json"]].concat());
    let failed = json(&again)["checks"].as_array().unwrap().clone();
    let failed = failed.iter().find(|check| check["id"] == "inclusion-proof-of-every-index").unwrap().clone();
    assert_eq!((code(&again), &failed["code"]), (1, &"merkle.root-mismatch".into()), "{failed}");
    // A selection is told to select again.
    let alone = ["--fault", "health-status-missing", "--only", "health-has-status"];
    let alone = text(&run(&[&["check"], &alone[..]].concat()).stdout);
    let again =
        "again: assayer check --edition strict --fault health-status-missing --only health-has-status";
    assert!(alone.contains(again), "{alone}");
    // The 38 checks of the upstream harness do not see it.
    assert_eq!(code(&run(&["check", "--edition", "0.4.12", "--fault", "proof-siblings-reversed"])), 0);
}

#[test]
fn wrong_calls_exit_with_2() {
    for arguments in [
        &["check", "--no-such-flag"][..],
        &["check", "--only", "no-such-check"],
        &["check", "--group", "no-such-group"],
        &["check", "--edition", "9.9"],
        &["check", "--suite", "no-such-suite"],
        &["check", "--suite-dir", "no/such/folder"],
        &["check", "--fault", "no-such-fault"],
        &["check", "--url", "ftp://registry.example"],
        &["check", "--url", "http://user:hunter2@127.0.0.1"],
        &["check", "--url", "http://user:hunter2/x@127.0.0.1"],
        &["check", "--url", "registry"],
        &["verify", "no-such-file.json"],
        &["verify", "--registry-key", "abcd", "x.json"],
        &["canon", "--scheme", "no-such-scheme"],
        &["list", "--edition", "9.9"],
        &[],
    ] {
        let output = run(arguments);
        assert_eq!(code(&output), 2, "{arguments:?}: {}", text(&output.stderr));
        assert!(!output.stderr.is_empty(), "{arguments:?} says nothing");
        assert!(!text(&output.stderr).contains("hunter2"), "{arguments:?} repeats a password");
    }
}

#[test]
fn secrets_reach_the_target_and_no_output() {
    let address = serve(|request| (200, format!("{{\"heard\":{:?}}}", request.headers)));
    let folder = tempfile::tempdir().unwrap();
    let output = assayer()
        .args(["check", "--url", &format!("http://{address}"), "--out", folder.path().to_str().unwrap()])
        .env("OVERSIGHT_OPERATOR_TOKEN", "operator-hush-7")
        .env("OVERSIGHT_DNS_EVENT_SECRET", "dns-hush-8")
        .output()
        .unwrap();
    let mut all = text(&output.stdout) + &text(&output.stderr);
    for entry in std::fs::read_dir(folder.path()).unwrap().flatten().filter(|entry| entry.path().is_file()) {
        all += &std::fs::read_to_string(entry.path()).unwrap();
    }
    assert!(all.contains("Bearer (secret)"), "the token was not sent");
    assert!(!all.contains("operator-hush-7") && !all.contains("dns-hush-8"));
}

#[test]
fn a_served_registry_passes_both_upstream_editions_within_its_own_rate_limit() {
    let server = Server::start(&[]);
    for (edition, count) in [("0.4.7", 32), ("0.4.12", 38)] {
        let output = run(&["check", "--url", &server.url, "--edition", edition, "--format", "json"]);
        let report = json(&output);
        assert_eq!((code(&output), &report["counts"]["pass"]), (0, &Json::from(count)), "{report:#}");
        assert_eq!(report["conformant"], true);
    }
}

/// A negative check, its defect and its accepted twin, as somebody writes them who knows no Rust.
const NEW_CHECK: &str = r#"
exchanges:
  - id: register-without-file-id
    effect: none
    twin: register
    defect: [{op: remove, path: /manifest/file_id}]
checks:
  - id: rejects-manifest-without-file-id
    group: signed-input-rejection
    requirements: [RE-1, ER-3]
    why: A registration without a name could be found by nobody.
    expect: [{exchange: register-without-file-id, error: missing_field}]
  - id: health-is-degraded
    group: identity-and-liveness
    requirements: [HE-1]
    why: It is not, so this check must fail.
    expect: [{exchange: health, at: /status, equals: degraded}]
"#;

#[test]
fn a_new_check_is_data_and_needs_no_rebuild() {
    let folder = tempfile::tempdir().unwrap();
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors/suites").join(SUITE), folder.path());
    write(&folder.path().join("checks"), "8-mine.yaml", NEW_CHECK);
    let edition = "edition: mine\ntitle: mine\nwire: candidate\nchecks:\n  - {id: rejects-manifest-without-file-id}\n  - {id: health-is-degraded}\n";
    write(&folder.path().join("editions"), "mine.yaml", edition);
    let folder_name = folder.path().to_str().unwrap();
    let output = run(&["check", "--suite-dir", folder_name, "--edition", "mine", "--format", "json"]);
    let report = json(&output);
    let statuses: Vec<(&str, &str)> = report["checks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|check| (check["id"].as_str().unwrap(), check["status"].as_str().unwrap()))
        .collect();
    let expected = [("health-is-degraded", "fail"), ("rejects-manifest-without-file-id", "pass")];
    assert_eq!((code(&output), statuses), (1, expected.to_vec()));

    // A typing error is named with its file and line, and nothing is run.
    write(&folder.path().join("checks"), "8-mine.yaml", NEW_CHECK.replace("    why: It", "    wy: It"));
    let output = run(&["check", "--suite-dir", folder_name, "--edition", "mine"]);
    let said = text(&output.stderr);
    assert!(code(&output) == 2 && said.contains("checks/8-mine.yaml") && said.contains("wy"), "{said}");
}

#[test]
fn secrets_that_could_not_be_kept_out_of_the_output_are_refused() {
    for secret in ["short", "with a space in it", "tökntokn"] {
        let output = assayer()
            .args(["check", "--url", "http://127.0.0.1:9"])
            .env("OVERSIGHT_OPERATOR_TOKEN", secret)
            .output()
            .unwrap();
        assert_eq!(code(&output), 2, "{secret}");
        assert!(!text(&output.stderr).contains(secret));
    }
    // A variable was empty where somebody meant a target: the reference registry is not what they wanted to hear about.
    let no_url = run(&["check", "--only", "health-200", "--url", ""]);
    assert_eq!((code(&no_url), no_url.stdout.len()), (2, 0), "{}", text(&no_url.stderr));
    let empty = assayer()
        .args(["check", "--only", "health-200", "--fault", "event-dropped"])
        .env("OVERSIGHT_REGISTRY_URL", "")
        .output()
        .unwrap();
    assert_eq!(code(&empty), 0);
}
