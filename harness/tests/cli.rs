//! The program as its users meet it: exit codes, machine output, hostile and useless targets.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

#[path = "shared/keep.rs"]
mod keep;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use assayer_vectors::{Expectation, SUITE, load_embedded};
use serde_json::Value as Json;

fn assayer() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_assayer"));
    for variable in ["OVERSIGHT_REGISTRY_URL", "OVERSIGHT_OPERATOR_TOKEN", "OVERSIGHT_DNS_EVENT_SECRET"] {
        command.env_remove(variable);
    }
    command
}

fn run(arguments: &[&str]) -> Output {
    let output = assayer().args(arguments).output().unwrap();
    keep::keep_of(arguments);
    output
}

fn run_with_input(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = assayer()
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that has seen enough may close its input.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn json(output: &Output) -> Json {
    serde_json::from_slice(&output.stdout).unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

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
    // Each of them is asked at a polite pace, so they are asked side by side.
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
        let output = run(&["check", "--url", &url, "--edition", edition, "--format", "json"]);
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
    for part in [
        "inclusion-proof-of-every-index",
        "merkle.root-mismatch",
        "/tlog/proof/0",
        "--only inclusion-proof-of-every-index",
        "NOT conformant",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
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

/// The registry as a server, until it is dropped.
struct Server {
    child: std::process::Child,
    url: String,
}

impl Server {
    fn start(arguments: &[&str]) -> Self {
        let mut command = assayer();
        command.args(["serve", "--bind", "127.0.0.1:0"]).args(arguments).stdout(Stdio::piped());
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
fn a_served_registry_passes_both_upstream_editions_within_its_own_rate_limit() {
    let server = Server::start(&[]);
    for (edition, count) in [("0.4.7", 32), ("0.4.12", 38)] {
        let output = run(&["check", "--url", &server.url, "--edition", edition, "--format", "json"]);
        let report = json(&output);
        assert_eq!((code(&output), &report["counts"]["pass"]), (0, &Json::from(count)), "{report:#}");
        assert_eq!(report["conformant"], true);
    }
}

fn vector(name: &str) -> Json {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors/bundles").join(format!("{name}.json"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn bundle(name: &str) -> String {
    vector(name)["input"]["bundle"].as_str().unwrap().to_owned()
}

fn key(name: &str, member: &str) -> String {
    let trust = &vector(name)["input"]["trust"];
    trust[member].as_str().or_else(|| trust[member][0].as_str()).unwrap().to_owned()
}

fn write(folder: &Path, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, content).unwrap();
    path
}

#[test]
fn bundles_are_verified_from_files_folders_lines_and_standard_input() {
    let folder = tempfile::tempdir().unwrap();
    let good = bundle("good/three-events");
    let bad = bundle("inclusion/sibling-flipped");
    write(folder.path(), "a.json", &good);
    let pretty = format!("{:#}", serde_json::from_str::<Json>(&good).unwrap());
    write(folder.path(), "b.json", pretty);
    write(folder.path(), "c.ndjson", format!("{good}\n\n{bad}\n{{\"cut off"));
    write(folder.path(), "ignored.txt", "not evidence");
    let output = run(&["verify", "--format", "ndjson", folder.path().to_str().unwrap()]);
    assert_eq!(code(&output), 1);
    let lines: Vec<Json> =
        text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let verdicts: Vec<(String, String)> = lines
        .iter()
        .map(|line| {
            let path =
                Path::new(line["path"].as_str().unwrap()).file_name().unwrap().to_string_lossy().into_owned();
            (path, line["verdict"].as_str().unwrap().to_owned())
        })
        .collect();
    let expected = [
        ("a.json", "consistent"),
        ("b.json", "consistent"),
        ("c.ndjson:1", "consistent"),
        ("c.ndjson:3", "refuted"),
        ("c.ndjson:4", "refuted"),
    ];
    assert_eq!(verdicts, expected.map(|(path, verdict)| (path.to_owned(), verdict.to_owned())));
    let inclusion =
        lines[3]["layers"].as_array().unwrap().iter().find(|layer| layer["id"] == "inclusion").unwrap();
    assert_eq!(
        (&inclusion["state"], &inclusion["code"]),
        (&Json::from("refuted"), &Json::from("merkle.root-mismatch"))
    );
    assert!(inclusion["at"].as_str().unwrap().starts_with("/tlog_proofs/"));

    let output = run_with_input(&["verify", "-"], good.as_bytes());
    assert_eq!(code(&output), 0, "{}", text(&output.stdout));
}

/// Enough bundles for a batch of signatures, with forged ones, other documents and unreadable lines among them: neither the number of
/// threads nor what else is in a batch changes a line.
#[test]
fn documents_that_are_verified_together_are_reported_as_each_alone() {
    let folder = tempfile::tempdir().unwrap();
    let good = bundle("good/three-events");
    let head = serde_json::from_str::<Json>(&good).unwrap()["tlog_head"].to_string();
    let others = [
        bundle("inclusion/sibling-flipped"),
        good.replace("\"file_id\"", "\"file_iD\""),
        head,
        "no JSON".to_owned(),
        good.replacen("\"bundle_generated_at\":\"2", "\"bundle_generated_at\":\"3", 1),
    ];
    let lines: Vec<&String> =
        (0..400).map(|n| if n % 23 == 7 { &others[n / 23 % others.len()] } else { &good }).collect();
    let together = write(
        folder.path(),
        "together.ndjson",
        lines.iter().map(|line| format!("{line}\n")).collect::<String>(),
    );
    let found = |path: &Path, jobs: &str| {
        let output = run(&["verify", path.to_str().unwrap(), "--format", "ndjson", "--jobs", jobs]);
        let lines = text(&output.stdout);
        let lines = lines.lines().map(|line| {
            let mut line: Json = serde_json::from_str(line).unwrap();
            let path = line["path"].take();
            (path.as_str().unwrap().rsplit_once(':').map(|(_, number)| number.to_owned()), line)
        });
        lines.collect::<Vec<_>>()
    };
    let one = found(&together, "1");
    assert_eq!(one, found(&together, "3"));
    let expected = |line: &String| {
        let alone = write(folder.path(), "alone.ndjson", line);
        found(&alone, "1").remove(0).1
    };
    let (good_alone, others_alone) = (expected(&good), others.each_ref().map(expected));
    assert_eq!(one.len(), lines.len());
    for (n, (number, line)) in one.iter().enumerate() {
        assert_eq!(number.as_deref(), Some((n + 1).to_string().as_str()));
        let alone = if n % 23 == 7 { &others_alone[n / 23 % others.len()] } else { &good_alone };
        assert_eq!(line, alone, "line {}", n + 1);
    }
}

#[test]
fn every_document_is_verified_unless_the_first_bad_one_is_to_end_it() {
    let folder = tempfile::tempdir().unwrap();
    let (good, bad) = (bundle("good/three-events"), bundle("inclusion/sibling-flipped"));
    let path = write(folder.path(), "a.ndjson", format!("{good}\n{bad}\n{good}\n"));
    let path = path.to_str().unwrap();
    for (flags, documents, stopped) in [
        (&[][..], 3, false),
        (&["--keep-going"], 3, false),
        (&["--fail-fast"], 2, true),
        (&["--fail-fast", "--keep-going"], 3, false),
    ] {
        let output = run(&[&["verify", path, "--format", "json"], flags].concat());
        let report = json(&output);
        assert_eq!((code(&output), &report["summary"]["stopped"]), (1, &Json::from(stopped)), "{flags:?}");
        assert_eq!(report["summary"]["documents"], documents, "{flags:?}");
        assert_eq!(report["documents"].as_array().unwrap().len(), documents, "{flags:?}");
    }
    // What is below `--require` ends it as well.
    let output = run(&["verify", path, "--format", "json", "--fail-fast", "--require", "authentic"]);
    assert_eq!((code(&output), &json(&output)["summary"]["documents"]), (1, &Json::from(1)));
    let output = run(&["verify", path, "--format", "json", "--summary-only"]);
    assert_eq!((code(&output), json(&output)["documents"].as_array().unwrap().len()), (1, 0));
    assert_eq!(json(&output)["summary"]["reasons"][0]["example"], format!("{path}:2"));
}

#[test]
fn authentic_needs_both_keys() {
    let folder = tempfile::tempdir().unwrap();
    let name = "good/three-events";
    let path = write(folder.path(), "a.json", bundle(name));
    let (registry, issuer) = (key(name, "registry_key"), key(name, "issuer_keys"));
    let path = path.to_str().unwrap();
    let both =
        ["verify", path, "--require", "authentic", "--registry-key", &registry, "--issuer-key", &issuer];
    assert_eq!(code(&run(&both)), 0);
    assert_eq!(code(&run(&both[..6])), 1);
    assert_eq!(code(&run(&["verify", path])), 0);
    assert_eq!(code(&run(&["verify", path, "--registry-key", &issuer])), 1);
}

#[test]
fn malformed_evidence_is_refuted_with_layer_and_place() {
    for (input, layer, code_text) in [
        (&b""[..], "json", "json.empty"),
        (b"\xFF", "json", "json.utf8"),
        (b"not json", "json", "json.syntax"),
        (b"{\"manifest\":{},\"manifest\":{}}", "json", "json.duplicate-key"),
    ] {
        let output = run_with_input(&["verify", "--format", "ndjson", "-"], input);
        assert_eq!(code(&output), 1, "{}", text(input));
        let line: Json = json(&output);
        assert_eq!(line["verdict"], "refuted");
        let layers = line["layers"].as_array().unwrap();
        assert!(layers.iter().any(|found| found["id"] == layer && found["code"] == code_text), "{line}");
    }
    let deep = "[".repeat(100_000);
    assert_eq!(code(&run_with_input(&["verify", "-"], deep.as_bytes())), 1);
    // Good JSON that is no evidence is not refuted: nothing can be said of it.
    let output = run_with_input(&["verify", "--format", "ndjson", "-"], b"{\"name\":\"package\"}");
    assert_eq!((code(&output), json(&output)["verdict"].is_null()), (2, true));
}

#[test]
fn canonical_bytes_and_nothing_else_go_to_standard_output() {
    let output = run_with_input(&["canon"], br#" {"b": 1.0, "a": "\u00e9"} "#);
    assert_eq!((code(&output), text(&output.stdout).as_str()), (0, r#"{"a":"é","b":1}"#));
    let output =
        run_with_input(&["canon", "--scheme", "python-sort-keys", "-"], br#"{"b": 1.0, "a": "\u00e9"}"#);
    assert_eq!(text(&output.stdout), r#"{"a":"\u00e9","b":1.0}"#);
    let output = run_with_input(&["canon", "--scheme", "jcs-exact-integers"], b"1.5");
    assert_eq!((code(&output), output.stdout.len()), (1, 0));
    assert!(text(&output.stderr).contains("canon.float"));
}

#[test]
fn lists_name_every_check_and_fault() {
    let count = |arguments: &[&str]| json(&run(arguments)).as_array().unwrap().len();
    assert_eq!(count(&["list", "--edition", "0.4.7", "--json"]), 32);
    assert_eq!(count(&["list", "--edition", "0.4.12", "--json"]), 38);
    assert_eq!(count(&["list", "--editions", "--json"]), 4);
    assert!(count(&["list", "--faults", "--json"]) >= 32);
    assert!(count(&["list", "--requirements", "--json"]) >= 50);
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, &target).unwrap();
        }
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
fn a_log_is_verified_line_by_line_against_known_heads() {
    let name = "good/with-log";
    let trust = &vector(name)["input"]["trust"];
    let log = trust["log"].as_str().unwrap().to_owned();
    let bundle: Json = serde_json::from_str(&bundle(name)).unwrap();
    let head = format!("{}:{}", bundle["tlog_head"]["size"], bundle["tlog_head"]["root"].as_str().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "leaves.jsonl", &log);
    let path = path.to_str().unwrap();
    let layer = |output: &Output, id: &str| {
        let line = json(output);
        line["layers"].as_array().unwrap().iter().find(|layer| layer["id"] == id).unwrap().clone()
    };
    let ndjson = ["verify", path, "--format", "ndjson"];
    let output = run(&[&ndjson[..], &["--head", &head]].concat());
    assert_eq!((code(&output), layer(&output, "log-root")["state"].as_str()), (0, Some("established")));
    let other = format!("1:{}", "0".repeat(64));
    let output = run(&[&ndjson[..], &["--head", &other]].concat());
    assert_eq!((code(&output), layer(&output, "log-root")["code"].as_str()), (1, Some("log.root-differs")));

    // A leaf that is taken out, and one that is changed, are named with their line.
    let lines: Vec<&str> = log.lines().collect();
    write(folder.path(), "leaves.jsonl", [lines[0], lines[2]].join("\n"));
    let output = run(&ndjson);
    let entries = layer(&output, "entries");
    assert_eq!((code(&output), entries["code"].as_str()), (1, Some("log.index-gap")));
    write(folder.path(), "leaves.jsonl", log.replace("2026-", "2025-"));
    let output = run(&ndjson);
    let hashes = layer(&output, "leaf-hashes");
    assert_eq!((code(&output), hashes["at"].as_str()), (1, Some("line 1: /leaf_data")), "{hashes}");
    write(folder.path(), "leaves.jsonl", format!("{}\n{}\n{{\"cut", lines[0], lines[1]));
    let output = run(&ndjson);
    assert_eq!((code(&output), layer(&output, "json")["at"].as_str()), (1, Some("line 3")));
}

/// The text of a document, and the key that it is verified with.
fn document(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors/proofs").join(format!("{name}.json"));
    let vector: Json = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    vector["input"]["document"].as_str().unwrap().to_owned()
}

/// Pages as `/tlog/range` answers them, of `size` records each.
fn pages(log: &str, size: usize) -> Vec<String> {
    let records: Vec<Json> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let pages = records.chunks(size).map(|entries| {
        serde_json::json!({"start": entries[0]["index"], "count": entries.len(), "entries": entries})
            .to_string()
    });
    pages.collect()
}

fn findings(output: &Output) -> Vec<Json> {
    String::from_utf8_lossy(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Pages of one folder are one log, whatever their names sort to; a signed head in the same call vouches for it.
#[test]
fn pages_of_one_folder_are_one_log_in_any_order() {
    let name = "good/with-log";
    let log = vector(name)["input"]["trust"]["log"].as_str().unwrap().to_owned();
    let key = key(name, "registry_key");
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "a-bundle.json", bundle(name));
    let pages = pages(&log, 2);
    assert!(pages.len() >= 3, "{}", pages.len());
    for (position, page) in pages.iter().enumerate() {
        write(folder.path(), &format!("range-{}.json", (position + 1) % pages.len()), page);
    }
    let verify =
        || run(&["verify", folder.path().to_str().unwrap(), "--registry-key", &key, "--format", "ndjson"]);
    let output = verify();
    let found = findings(&output);
    let words: Vec<_> = found
        .iter()
        .map(|finding| (finding["kind"].as_str().unwrap(), finding["verdict"].as_str().unwrap()))
        .collect();
    assert_eq!(words, [("oversight-bundle", "consistent"), ("oversight-log", "authentic")], "{found:?}");

    // A page that is altered is named by its file; one that is missing is a gap.
    let altered = pages[1].replace("2026-", "2025-");
    write(folder.path(), "range-2.json", &altered);
    let output = verify();
    let layers = findings(&output)[1]["layers"].clone();
    let hashes = layers.as_array().unwrap().iter().find(|layer| layer["id"] == "leaf-hashes").unwrap();
    assert_eq!(
        (code(&output), hashes["at"].as_str()),
        (1, Some("range-2.json: /entries/0/leaf_data")),
        "{hashes}"
    );
    std::fs::remove_file(folder.path().join("range-2.json")).unwrap();
    let output = verify();
    let layers = findings(&output)[1]["layers"].clone();
    let entries = layers.as_array().unwrap().iter().find(|layer| layer["id"] == "entries").unwrap();
    assert_eq!((code(&output), entries["code"].as_str()), (1, Some("log.index-gap")), "{entries}");
}

#[test]
fn proofs_are_made_from_a_log_and_verified() {
    let log = vector("good/with-log")["input"]["trust"]["log"].as_str().unwrap().to_owned();
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "leaves.jsonl", &log);
    let path = path.to_str().unwrap();
    let out = folder.path().join("proof.json");
    let out = out.to_str().unwrap();
    let prove = |more: &[&str]| code(&run(&[&["prove"], more, &["--out", out]].concat()));
    let heads = |proof: &Json| {
        ["old", "new"]
            .map(|side| format!("{}:{}", proof[side]["size"], proof[side]["root"].as_str().unwrap()))
    };

    assert_eq!(prove(&["consistency", path, "--old", "3"]), 0);
    let proof: Json = serde_json::from_str(&std::fs::read_to_string(out).unwrap()).unwrap();
    let [old, new] = heads(&proof);
    let verify = |more: &[&str]| code(&run(&[&["verify", out, "--require", "authentic"], more].concat()));
    assert_eq!((verify(&["--head", &old, "--head", &new]), verify(&["--head", &old])), (0, 1));
    assert_eq!(verify(&["--log", path]), 0);

    assert_eq!(prove(&["inclusion", path, "--index", "2", "--size", "4"]), 0);
    let proof: Json = serde_json::from_str(&std::fs::read_to_string(out).unwrap()).unwrap();
    let head = format!("4:{}", proof["root"].as_str().unwrap());
    assert_eq!(verify(&["--head", &head]), 0);

    // What cannot be proved leaves what stood there before.
    let before = std::fs::read_to_string(out).unwrap();
    for wrong in [["--old", "0"], ["--old", "1000"]] {
        assert_eq!(prove(&[&["consistency", path], &wrong[..]].concat()), 1);
    }
    let bad = write(folder.path(), "bad.jsonl", log.replace("2026-", "2025-"));
    assert_eq!(prove(&["consistency", bad.to_str().unwrap(), "--old", "2"]), 1);
    assert_eq!(prove(&["consistency", "nowhere.jsonl", "--old", "2"]), 2);
    assert_eq!(std::fs::read_to_string(out).unwrap(), before);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3, "no partial file is left");
}

/// From two heads of one size; and from a log and a signed head that is not of it.
#[test]
fn two_histories_become_a_proof_of_equivocation() {
    let folder = tempfile::tempdir().unwrap();
    let key = key("good/with-log", "registry_key");
    let head = |vector: &str, side: &str, name: &str| {
        let proof: Json = serde_json::from_str(&document(vector)).unwrap();
        let mut head = proof[side].clone();
        head["signed_message"] = format!("{{\"root\":{},\"size\":{}}}", head["root"], head["size"]).into();
        write(folder.path(), name, head.to_string()).to_str().unwrap().to_owned()
    };
    let out = folder.path().join("equivocation.json");
    let out = out.to_str().unwrap();
    let prove = |paths: &[&str]| {
        code(&run(&[&["prove", "equivocation"], paths, &["--registry-key", &key, "--out", out]].concat()))
    };
    let holds = || code(&run(&["verify", out, "--registry-key", &key, "--require", "equivocation"]));

    let (a, b) =
        (head("equivocation/same-size", "old", "a.json"), head("equivocation/same-size", "new", "b.json"));
    assert_eq!((prove(&[&a, &b]), holds()), (0, 0));
    let output = run(&["verify", &a, &b, "--registry-key", &key, "--format", "ndjson"]);
    let found = findings(&output);
    assert_eq!((code(&output), found.len()), (1, 3), "{found:?}");
    assert!(
        found[2]["path"].as_str().unwrap().contains("b.json") && found[2]["verdict"] == "refuted",
        "{found:?}"
    );

    // Another registry, trusted as well, has a log of its own: nobody contradicts anybody.
    let other_key = "5b66a0f9a7d0e7c965148b5022637cc5c62a5410ad9fbc113659f29e27b98d79";
    let other = head("equivocation/heads-of-two-keys", "new", "other.json");
    let both = ["--registry-key", &key, "--registry-key", other_key, "--require", "authentic"];
    let output = run(&[&["verify", &a, &other, "--format", "ndjson"], &both[..]].concat());
    assert_eq!((code(&output), findings(&output).len()), (0, 2), "{:?}", findings(&output));

    let (fork, new) =
        (head("equivocation/prefix", "old", "fork.json"), head("equivocation/prefix", "new", "new.json"));
    let leaves: String = (0..9)
        .map(|index| {
            let data = format!("leaf {index}");
            let hash = assayer_verifier::leaf_hash(data.as_bytes());
            format!("{{\"index\":{index},\"leaf_hash\":\"{hash}\",\"leaf_data\":\"{data}\"}}\n")
        })
        .collect();
    let log = write(folder.path(), "leaves.jsonl", leaves);
    std::fs::remove_file(out).unwrap();
    assert_eq!(prove(&[&fork, &new]), 1, "heads of two sizes alone contradict nothing");
    assert!(!Path::new(out).exists());
    assert_eq!((prove(&[&fork, &new, log.to_str().unwrap()]), holds()), (0, 0));
    assert_eq!(prove(&[&a, &new, log.to_str().unwrap()]), 1, "a log that grew");
}

/// A head has no time: a key that is trusted for a time only does not vouch for it.
#[test]
fn a_key_with_a_window_makes_no_head_authentic() {
    let folder = tempfile::tempdir().unwrap();
    let key = key("good/with-log", "registry_key");
    let growth = write(folder.path(), "growth.json", document("consistency/signed-heads"));
    let proof: Json = serde_json::from_str(&document("consistency/signed-heads")).unwrap();
    let mut head = proof["old"].clone();
    head["signed_message"] = format!("{{\"root\":{},\"size\":{}}}", head["root"], head["size"]).into();
    let head = write(folder.path(), "head.json", head.to_string());
    for (window, expected) in [("", 0), ("until = \"2999-01-01T00:00:00Z\"", 1)] {
        let policy =
            write(folder.path(), "policy.toml", format!("[[registry]]\nkey = \"{key}\"\n{window}\n"));
        for path in [&growth, &head] {
            let (path, policy) = (path.to_str().unwrap(), policy.to_str().unwrap());
            let output = run(&["verify", "--trust", policy, "--require", "authentic", path]);
            assert_eq!(code(&output), expected, "{path} {window}: {}", text(&output.stdout));
            assert_eq!(code(&run(&["verify", "--trust", policy, path])), 0, "{path} {window}");
        }
    }
}

/// What a policy asks for holds for heads and logs as well, or is said to be meant for others.
#[test]
fn a_policy_holds_for_heads_and_logs_too() {
    let folder = tempfile::tempdir().unwrap();
    let [head, log] = ["../heads/known", "../logs/whole"].map(vector);
    let key = &head["input"]["trust"]["registry_keys"][0];
    let pinned = format!("[[registry]]\nkey = {key}\n");
    let seen = |place: &str, size: u64, root: &str| {
        format!("[[vantage]]\nname = \"{place}\"\n[[vantage.head]]\nsize = {size}\nroot = \"{root}\"\n")
    };
    let at = |size: u64| {
        let heads = log["input"]["trust"]["heads"].as_array().unwrap();
        heads.iter().find(|head| head["size"] == size).unwrap()["root"].as_str().unwrap()
    };
    let two = "[quorum]\nat_least = 2\n";
    let of = |document: &Json| document["input"]["document"].as_str().unwrap().to_owned();
    let (head, lines) = (of(&head), of(&log));
    for (name, document, policy, expected) in [
        ("head.json", &head, pinned.clone(), (0, "authentic", "append-only input.not-given")),
        (
            "head.json",
            &head,
            format!("max_age_days = 1\n{pinned}"),
            (1, "consistent", "freshness time.stale"),
        ),
        (
            "head.json",
            &head,
            format!("require = [\"append-only\"]\n{pinned}"),
            (1, "consistent", "append-only input.not-given"),
        ),
        (
            "head.json",
            &head,
            format!("require = [\"registration\"]\n{pinned}"),
            (2, "authentic", "quorum input.not-given"),
        ),
        (
            "leaves.jsonl",
            &lines,
            format!("{two}{}{}", seen("a", 3, at(3)), seen("b", 8, at(8))),
            (0, "authentic", "quorum ok"),
        ),
        (
            "leaves.jsonl",
            &lines,
            format!("{two}{}{}", seen("a", 9, at(8)), seen("b", 8, at(8))),
            (1, "consistent", "quorum quorum.not-reached"),
        ),
        (
            "leaves.jsonl",
            &lines,
            format!("{two}{}{}", seen("a", 3, at(8)), seen("b", 8, at(8))),
            (1, "refuted", "quorum quorum.conflict"),
        ),
    ] {
        let (path, policy_path) =
            (write(folder.path(), name, document), write(folder.path(), "policy.toml", &policy));
        let (path, policy_path) = (path.to_str().unwrap(), policy_path.to_str().unwrap());
        let call = ["verify", path, "--trust", policy_path, "--require", "authentic", "--format", "ndjson"];
        let output = run(&call);
        let finding = findings(&output).first().unwrap().clone();
        let layers = finding["layers"].as_array().unwrap();
        let ends =
            |layer: &Json| format!("{} {}", layer["id"].as_str().unwrap(), layer["code"].as_str().unwrap());
        let (exit, verdict, layer) = expected;
        assert_eq!((code(&output), finding["verdict"].as_str().unwrap()), (exit, verdict), "{policy}");
        assert!(layers.iter().map(ends).any(|found| found == layer), "{policy}: {layers:?}");
    }
}

/// k of n vantage points; one that saw another log refutes, however many agree.
#[test]
fn a_quorum_of_vantage_points_vouches_for_a_head_and_a_conflict_refutes_it() {
    let folder = tempfile::tempdir().unwrap();
    let name = "good/with-log";
    let (registry, issuer) = (key(name, "registry_key"), key(name, "issuer_keys"));
    let bundle: Json = serde_json::from_str(&bundle(name)).unwrap();
    let path = write(folder.path(), "bundle.json", bundle.to_string());
    write(folder.path(), "seen.json", bundle["tlog_head"].to_string());
    let mut unsigned = bundle["tlog_head"].clone();
    unsigned["size"] = 1.into();
    write(folder.path(), "unsigned.json", unsigned.to_string());
    let (size, root) = (&bundle["tlog_head"]["size"], bundle["tlog_head"]["root"].as_str().unwrap());
    let keys = format!("[[registry]]\nkey = \"{registry}\"\n[[issuer]]\nkey = \"{issuer}\"\n");
    let verify = |quorum: &str| {
        let policy = write(folder.path(), "policy.toml", format!("{keys}{quorum}"));
        let output = run(&[
            "verify",
            path.to_str().unwrap(),
            "--trust",
            policy.to_str().unwrap(),
            "--format",
            "ndjson",
        ]);
        let layer = findings(&output).first().and_then(|finding| {
            let layers = finding["layers"].as_array()?.clone();
            layers
                .into_iter()
                .find(|layer| layer["id"] == "quorum")
                .map(|layer| layer["code"].as_str().unwrap().to_owned())
        });
        let verdict =
            findings(&output).first().map(|finding| finding["verdict"].as_str().unwrap().to_owned());
        (code(&output), verdict.unwrap_or_default(), layer.unwrap_or_default())
    };
    let said = |code: i32, verdict: &str, layer: &str| (code, verdict.to_owned(), layer.to_owned());
    let of = |name: &str, root: &str| {
        format!("[[vantage]]\nname = \"{name}\"\n[[vantage.head]]\nsize = {size}\nroot = \"{root}\"\n")
    };
    let file = |name: &str, file: &str| format!("[[vantage]]\nname = \"{name}\"\nfiles = [\"{file}\"]\n");
    let two = "[quorum]\nat_least = 2\n";
    let other = "0".repeat(64);
    assert_eq!(verify(&[two, &file("a", "seen.json"), &of("b", root)].concat()), said(0, "authentic", "ok"));
    let empty = "[[vantage]]\nname = \"b\"\n";
    assert_eq!(
        verify(&[two, &file("a", "seen.json"), empty].concat()),
        said(0, "consistent", "quorum.not-reached")
    );
    let conflict = [two, &file("a", "seen.json"), &of("b", root), &of("c", &other)].concat();
    assert_eq!(verify(&conflict), said(1, "refuted", "quorum.conflict"));
    assert_eq!(verify(""), said(0, "authentic", "input.not-given"));
    for wrong in [
        [two, &file("a", "seen.json")].concat(),
        [two, &of("a", root), &of("a", root)].concat(),
        ["[quorum]\nat_least = 0\n", &of("a", root)].concat(),
        file("a", "unsigned.json"),
        file("a", "nowhere.json"),
    ] {
        assert_eq!(verify(&wrong).0, 2, "{wrong}");
    }
}

/// That the proof is good is the worst that can be said of a registry: it must never look like success.
#[test]
fn a_proof_of_equivocation_that_holds_is_no_success_unless_it_was_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let key = key("good/with-log", "registry_key");
    let good = write(folder.path(), "equivocation.json", document("equivocation/prefix"));
    let good = good.to_str().unwrap();
    let verify = |path: &str, more: &[&str]| {
        let output = run(&[&["verify", "--format", "json", path][..], more].concat());
        let word = json(&output)["documents"][0]["verdict"].as_str().unwrap().to_owned();
        (code(&output), word)
    };
    let pinned = ["--registry-key", &key];
    let asked = [&pinned[..], &["--require", "equivocation"]].concat();
    assert_eq!(verify(good, &pinned), (1, "equivocation".to_owned()));
    assert_eq!(verify(good, &asked), (0, "equivocation".to_owned()));
    assert_eq!(verify(good, &[]), (1, "consistent".to_owned()));
    assert_eq!(verify(good, &["--require", "equivocation"]), (1, "consistent".to_owned()));
    let output = run(&["verify", good, "--registry-key", &key]);
    assert!(text(&output.stdout).contains("EQUIVOCATION ESTABLISHED"), "{}", text(&output.stdout));

    let forged = write(folder.path(), "forged.json", document("equivocation/failed-consistency-proof"));
    let forged = forged.to_str().unwrap();
    assert_eq!(verify(forged, &pinned), (1, "refuted".to_owned()));
    assert_eq!(verify(forged, &asked), (1, "refuted".to_owned()));
    // A bundle is no proof of equivocation, whatever its verdict.
    let bundle = write(folder.path(), "bundle.json", bundle("good/one-event"));
    assert_eq!(verify(bundle.to_str().unwrap(), &asked).0, 1);

    let growth = write(folder.path(), "growth.json", document("consistency/signed-heads"));
    let growth = growth.to_str().unwrap();
    assert_eq!(verify(growth, &pinned), (0, "authentic".to_owned()));
    assert_eq!(verify(growth, &[]), (0, "consistent".to_owned()));
}

#[test]
fn a_trust_policy_says_what_is_authentic() {
    let folder = tempfile::tempdir().unwrap();
    let name = "good/with-log";
    let path = write(folder.path(), "a.json", bundle(name));
    let log = write(folder.path(), "leaves.jsonl", vector(name)["input"]["trust"]["log"].as_str().unwrap());
    let (registry, issuer) = (key(name, "registry_key"), key(name, "issuer_keys"));
    let generated: Json = serde_json::from_str(&bundle(name)).unwrap();
    let day = &generated["bundle_generated_at"].as_str().unwrap()[..10];
    let verify = |policy: &str, more: &[&str]| {
        let policy = write(folder.path(), "policy.toml", policy);
        let fixed =
            ["verify", "--require", "authentic", "--trust", policy.to_str().unwrap(), path.to_str().unwrap()];
        code(&run(&[&fixed[..], more].concat()))
    };
    let key_of = |table: &str, key: &str, more: &str| format!("[[{table}]]\nkey = \"{key}\"\n{more}\n");
    let trusted = key_of("registry", &registry, "") + &key_of("issuer", &issuer, "");
    assert_eq!(verify(&trusted, &[]), 0);
    assert_eq!(verify(&key_of("registry", &registry, ""), &[]), 1);
    assert_eq!(verify(&format!("any_issuer = true\n{}", key_of("registry", &registry, "")), &[]), 0);
    assert_eq!(verify(&key_of("registry", &registry, ""), &["--any-issuer"]), 0);
    // The key is trusted on that day only, and until the day before.
    let on_the_day = format!("from = \"{day}T00:00:00Z\"\nuntil = \"{day}T23:59:59Z\"");
    let window = |window: &str| key_of("registry", &registry, window) + &key_of("issuer", &issuer, "");
    assert_eq!(verify(&window(&on_the_day), &[]), 0);
    assert_eq!(verify(&window("until = \"2000-01-01T00:00:00Z\""), &[]), 1);
    // More can be asked for: what only the log shows, and freshness.
    assert_eq!(verify(&format!("require = [\"registration\"]\n{trusted}"), &[]), 1);
    assert_eq!(
        verify(&format!("require = [\"registration\"]\n{trusted}"), &["--log", log.to_str().unwrap()]),
        0
    );
    assert_eq!(verify(&format!("max_age_days = 0\n{trusted}"), &[]), 1);
    assert_eq!(verify(&format!("max_age_days = 100000\n{trusted}"), &[]), 0);
    for wrong in [
        "require = [\"nothing\"]",
        "surprise = 1",
        "[[registry]]\nkey = \"abc\"",
        "any_issuer = ",
        "[[head]]\nsize = 1\nroot = \"x\"",
    ] {
        assert_eq!(verify(wrong, &[]), 2, "{wrong}");
    }
}

/// Records a run and hands its transcript to `change`; then judges it again.
fn judge_changed(change: impl FnOnce(&mut Vec<Json>)) -> (i32, Json) {
    judge_changed_of(&[], change)
}

/// The same for a part of the checks: what is edited here breaks signatures that others look at.
fn judge_changed_of(only: &[&str], change: impl FnOnce(&mut Vec<Json>)) -> (i32, Json) {
    let folder = tempfile::tempdir().unwrap();
    let name = folder.path().to_str().unwrap();
    run(&[&["check", "--out", name], only].concat());
    let path = folder.path().join("transcript.ndjson");
    let lines = std::fs::read_to_string(&path).unwrap();
    let mut exchanges: Vec<Json> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    change(&mut exchanges);
    for (position, exchange) in exchanges.iter_mut().enumerate() {
        exchange["n"] = position.into();
    }
    let lines: String = exchanges.iter().map(|exchange| format!("{exchange}\n")).collect();
    std::fs::write(&path, lines).unwrap();
    // The archive is not what it says any more; what is asked here is how its transcript is judged.
    let archive = assayer_harness::Archive::read(folder.path()).unwrap();
    let suite = archive.suite().unwrap();
    let (_, report) = assayer_harness::recheck(&archive, &suite).unwrap();
    let code = assayer_reports::outcome(&report.checks, report.inconclusive).code();
    (i32::from(code), serde_json::to_value(&report).unwrap())
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
    let (exit, report) = judge_changed_of(&["--only", "sizes-agree"], |exchanges| {
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
    let empty = assayer()
        .args(["check", "--only", "health-200", "--fault", "event-dropped"])
        .env("OVERSIGHT_REGISTRY_URL", "")
        .output()
        .unwrap();
    assert_eq!(code(&empty), 0);
}

#[test]
fn the_laboratory_shows_what_two_canonicalizers_disagree_about() {
    let output = run(&[
        "canon",
        "lab",
        "--adapter",
        "builtin:jcs",
        "--adapter",
        "builtin:python-sort-keys",
        "--cases",
        "3000",
        "--format",
        "json",
    ]);
    assert_eq!(output.status.code(), Some(1));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["counts"]["generated"], 3000);
    let divergences = report["divergences"].as_array().unwrap();
    let delete = divergences.iter().find(|found| found["class"] == "escape.delete").unwrap();
    assert_eq!(delete["input"], "227f22");
    assert_eq!(delete["outcomes"]["assayer:jcs"]["ok"], "227f22");
    assert_eq!(delete["outcomes"]["assayer:python-sort-keys"]["ok"], hex::encode("\"\\u007f\""));

    let same = run(&[
        "canon",
        "lab",
        "--adapter",
        "builtin:jcs",
        "--adapter",
        "builtin:jcs",
        "--cases",
        "500",
        "--scheme",
        "jcs",
    ]);
    assert_eq!(same.status.code(), Some(0), "{}", String::from_utf8_lossy(&same.stdout));
}

#[test]
fn the_laboratory_needs_two_engines_and_names_the_absent() {
    let one = run(&["canon", "lab", "--adapter", "builtin:jcs"]);
    let absent =
        run(&["canon", "lab", "--adapter", "builtin:jcs", "--adapter", "no-such-program-of-anybody x"]);
    let unknown = run(&["canon", "lab", "--adapter", "builtin:jcs", "--adapter", "builtin:nobody"]);
    for (output, says) in [
        (&one, "at least two engines, found 1"),
        (&absent, "absent: no-such-program"),
        (&unknown, "there is no engine `nobody`"),
    ] {
        assert_eq!(output.status.code(), Some(2));
        assert!(
            String::from_utf8_lossy(&output.stderr).contains(says),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

/// Records a run into a folder of its own below `parent`; the path of its archive.
fn archived(parent: &Path, name: &str, arguments: &[&str]) -> String {
    let folder = parent.join(name).to_str().unwrap().to_owned();
    let output = run(&[&["check", "--format", "json", "--out", &folder], arguments].concat());
    assert!(code(&output) < 2, "{arguments:?}: {}", text(&output.stderr));
    folder
}

/// Changes a file of an archive, and its sum with it, as somebody does who wants it not to be noticed.
fn tamper(archive: &str, name: &str, from: &str, to: &str) {
    let path = Path::new(archive).join(name);
    let before = std::fs::read_to_string(&path).unwrap();
    let after = before.replace(from, to);
    assert_ne!(before, after, "{name} has no {from}");
    std::fs::write(&path, &after).unwrap();
    let sum = |text: &str| assayer_verifier::sha256(text.as_bytes()).to_hex();
    let sums = Path::new(archive).join("SHA256SUMS");
    let listed = std::fs::read_to_string(&sums).unwrap();
    std::fs::write(&sums, listed.replace(&sum(&before), &sum(&after))).unwrap();
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

#[test]
fn a_badge_and_a_claim_stand_only_for_a_complete_run() {
    let folder = tempfile::tempdir().unwrap();
    let key = key_file(folder.path(), "key.pem", 7);
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let out = folder.path().join("never");
    let part = ["check", "--only", "health-*", "--url", &format!("http://{closed}")];
    for more in [&["--format", "badge"][..], &["--out", out.to_str().unwrap(), "--sign", &key]] {
        let output = run(&[&part[..], more].concat());
        let said = text(&output.stderr);
        // Exit code 2 and not 3: nothing was sent.
        assert!(code(&output) == 2 && said.contains("found a selection"), "{said}");
        assert!(output.stdout.is_empty() && !out.exists());
    }
    let output =
        run(&["check", "--format", "badge", "--edition", "0.4.7", "--url", &format!("http://{closed}")]);
    assert_eq!((code(&output), output.stdout.len()), (3, 0), "{}", text(&output.stderr));
}

/// Name of the check, kind of change and cause of everything that changed.
fn changes(output: &Output) -> Vec<(String, String, String)> {
    let word = |change: &Json, name: &str| change[name].as_str().unwrap().to_owned();
    let report = json(output);
    let changes = report["changes"].as_array().unwrap();
    changes
        .iter()
        .map(|change| (word(change, "check"), word(change, "kind"), word(change, "cause")))
        .collect()
}

#[test]
fn a_change_of_the_target_is_told_apart_from_a_change_of_the_suite() {
    let folder = tempfile::tempdir().unwrap();
    let only = ["--edition", "0.4.12", "--only", "health-*", "--only", "well-known-*"];
    let good = archived(folder.path(), "good", &only);
    let bad = archived(folder.path(), "bad", &[&only[..], &["--fault", "health-status-missing"]].concat());
    let diff = |older: &str, newer: &str| run(&["diff", older, newer, "--format", "json"]);
    let same = diff(&good, &good);
    assert_eq!((code(&same), changes(&same)), (0, vec![]));
    let triple = |check: &str, kind: &str, cause: &str| (check.to_owned(), kind.to_owned(), cause.to_owned());
    let worse = diff(&good, &bad);
    assert_eq!(
        (code(&worse), changes(&worse)),
        (1, vec![triple("health-has-status", "regressed", "target")])
    );
    // A newer run that leaves out what is red shows nothing of it.
    let fewer = ["--edition", "0.4.12", "--only", "well-known-*", "--fault", "health-status-missing"];
    let fewer = archived(folder.path(), "fewer", &fewer);
    let narrower = diff(&good, &fewer);
    assert_eq!((code(&narrower), json(&narrower)["is_narrower"].as_bool()), (1, Some(true)));
    assert!(text(&narrower.stderr).contains("selection that leaves out checks"));
    let wider = diff(&fewer, &good);
    assert_eq!((code(&wider), json(&wider)["is_narrower"].as_bool()), (0, Some(false)));
    let better = diff(&bad, &good);
    assert_eq!((code(&better), changes(&better)), (0, vec![triple("health-has-status", "fixed", "target")]));

    // Another suite: a check that asks for more, and one that is called otherwise.
    let suite = folder.path().join("suite");
    std::fs::create_dir(&suite).unwrap();
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors/suites").join(SUITE), &suite);
    change_all(&suite, "well-known-has-version", "well-known-version-named");
    change_one(&suite, "health-200", "status: 200", "status: 204");
    write(
        &suite,
        "renames.yaml",
        "checks: [{from: well-known-has-version, to: well-known-version-named}]\nexchanges: []\n",
    );
    let newer =
        archived(folder.path(), "newer", &[&only[..], &["--suite-dir", suite.to_str().unwrap()]].concat());
    let drift = diff(&good, &newer);
    assert_eq!((code(&drift), changes(&drift)), (1, vec![triple("health-200", "regressed", "suite")]));
    // Without the table the renamed check is one that went and one that came.
    std::fs::remove_file(suite.join("renames.yaml")).unwrap();
    let newer =
        archived(folder.path(), "unnamed", &[&only[..], &["--suite-dir", suite.to_str().unwrap()]].concat());
    let found = changes(&diff(&good, &newer));
    assert!(found.contains(&triple("well-known-has-version", "removed", "suite")), "{found:?}");
    assert!(found.contains(&triple("well-known-version-named", "added", "suite")), "{found:?}");
    for form in ["text", "markdown"] {
        let output = run(&["diff", &good, &newer, "--format", form]);
        assert!(text(&output.stdout).contains("1 regressed, 1 added, 1 removed"), "{}", text(&output.stdout));
    }

    // What an archive says is not believed.
    tamper(&bad, "verdicts.json", "\"fail\"", "\"pass\"");
    let output = run(&["diff", &good, &bad]);
    assert!(
        code(&output) == 1 && text(&output.stderr).contains("is not what it says"),
        "{}",
        text(&output.stderr)
    );
    assert_eq!(code(&run(&["diff", &good, "no/such/archive"])), 2);
}

/// Replaces a text in all files below a folder.
fn change_all(folder: &Path, from: &str, to: &str) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            change_all(&path, from, to);
        } else {
            let text = std::fs::read_to_string(&path).unwrap();
            std::fs::write(&path, text.replace(from, to)).unwrap();
        }
    }
}

/// Replaces the first text behind the definition of a check.
fn change_one(suite: &Path, check: &str, from: &str, to: &str) {
    let files = std::fs::read_dir(suite.join("checks")).unwrap().map(|entry| entry.unwrap().path());
    let head = format!("- id: {check}\n");
    let (path, text) = files
        .map(|path| (path.clone(), std::fs::read_to_string(path).unwrap()))
        .find(|(_, text)| text.contains(&head))
        .unwrap();
    let (before, after) = text.split_once(&head).unwrap();
    std::fs::write(path, format!("{before}{head}{}", after.replacen(from, to, 1))).unwrap();
}

#[test]
fn implementations_stand_side_by_side_and_who_differs_from_all_others_is_marked() {
    let folder = tempfile::tempdir().unwrap();
    let only = ["--edition", "0.4.12", "--only", "health-*"];
    let good = archived(folder.path(), "good", &only);
    let bad = archived(folder.path(), "bad", &[&only[..], &["--fault", "health-status-missing"]].concat());
    let site = folder.path().join("site");
    let out = site.to_str().unwrap();
    let (one, other, third) = (format!("one={good}"), format!("<b>={good}"), bad.as_str());
    let output = run(&["matrix", &one, &other, third, "--out", out]);
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    let matrix: Json = serde_json::from_slice(&std::fs::read(site.join("matrix.json")).unwrap()).unwrap();
    let row = |id: &str| {
        let rows = matrix["checks"].as_array().unwrap();
        rows.iter().find(|row| row["id"] == id).unwrap()["results"].clone()
    };
    let alone = |row: &Json, name: &str| row[name]["alone"].as_bool().unwrap();
    let status = row("health-has-status");
    assert_eq!((alone(&status, "one"), alone(&status, "<b>"), alone(&status, "bad")), (false, false, true));
    assert!(!alone(&row("health-200"), "bad"));
    let page = |name: &str| std::fs::read_to_string(site.join(name)).unwrap();
    assert!(
        page("implementations/3.html").contains("Anomalies")
            && !page("implementations/1.html").contains("Anomalies")
    );
    assert!(
        page("checks/health-has-status.html").contains("&#60;b&#62;") && !page("index.html").contains("<b>=")
    );
    // Every link leads to a page that there is.
    let mut links = 0;
    for name in ["index.html", "implementations/3.html", "checks/health-200.html"] {
        for link in page(name).split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap()) {
            let target = site.join(name).parent().unwrap().join(link);
            assert!(link.starts_with('#') || target.is_file(), "{name}: {link}");
            links += 1;
        }
    }
    assert!(links > 10, "{links}");
    // An earlier site is replaced, other files are left alone, and two implementations need two names.
    assert_eq!(code(&run(&["matrix", &one, "--out", out])), 0);
    assert!(!site.join("implementations/2.html").exists());
    assert_eq!(code(&run(&["matrix", &one, "--out", &good])), 2);
    assert_eq!(code(&run(&["matrix", &one, &one, "--out", out])), 2);
    tamper(&bad, "verdicts.json", "\"fail\"", "\"pass\"");
    assert_eq!(code(&run(&["matrix", &one, &bad, "--out", out])), 1);
}

/// A key file as `openssl genpkey` writes it; the path.
fn key_file(folder: &Path, name: &str, seed: u8) -> String {
    use ed25519_dalek::pkcs8::EncodePrivateKey;
    let key = ed25519_dalek::SigningKey::from_bytes(&[seed; 32]);
    let pem = key.to_pkcs8_pem(Default::default()).unwrap();
    write(folder, name, pem.as_bytes()).to_str().unwrap().to_owned()
}

fn public(seed: u8) -> String {
    let key = ed25519_dalek::SigningKey::from_bytes(&[seed; 32]);
    assayer_verifier::PublicKey(key.verifying_key().to_bytes()).to_hex()
}

#[test]
fn a_claim_is_verified_in_five_layers_that_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let key = key_file(folder.path(), "key.pem", 7);
    let archive = archived(folder.path(), "run", &["--sign", &key]);
    let claim = format!("{archive}/claim.dsse.json");
    let lines = std::fs::read_to_string(format!("{archive}/transcript.ndjson")).unwrap();
    let well_known = lines.lines().find(|line| line.contains("\"exchange\":\"well-known\"")).unwrap();
    let at = well_known.find("ed25519_pub\\\":\\\"").unwrap() + 16;
    let (claimant, registry) = (public(7), &well_known[at..at + 64]);
    let pem = std::fs::read_to_string(&key).unwrap();
    let layers = |path: &str, more: &[&str]| {
        let output = run(&[&["verify", path, "--format", "ndjson"], more].concat());
        assert!(!text(&output.stdout).contains(pem.lines().nth(1).unwrap()));
        let line = json(&output);
        assert_eq!(line["kind"], "conformance-claim");
        let states = line["layers"].as_array().unwrap().iter();
        let states: Vec<String> = states.map(|layer| layer["state"].as_str().unwrap().to_owned()).collect();
        (code(&output), line["verdict"].as_str().unwrap().to_owned(), states)
    };
    let states = |letters: &str| -> Vec<String> {
        let word = |letter| match letter {
            'e' => "established",
            'r' => "refuted",
            _ => "not-established",
        };
        letters.chars().map(|letter| word(letter).to_owned()).collect()
    };
    let both = ["--claimant-key", &claimant, "--registry-key", registry];
    assert_eq!(layers(&claim, &both), (0, "authentic".to_owned(), states("eeeee")));
    assert_eq!(layers(&claim, &[]), (0, "consistent".to_owned(), states("neeen")));
    let other = public(8);
    assert_eq!(layers(&claim, &["--claimant-key", &other, "--registry-key", registry]).2, states("reeee"));
    assert_eq!(layers(&claim, &["--claimant-key", &claimant, "--registry-key", &other]).2, states("eeeer"));

    // Alone, away from its archive.
    let alone = write(folder.path(), "alone.json", std::fs::read(&claim).unwrap());
    assert_eq!(layers(alone.to_str().unwrap(), &both), (0, "consistent".to_owned(), states("ennen")));

    // A claim of more than the archive shows, signed by the right key.
    let run_of = assayer_harness::Intact::read(Path::new(&archive)).unwrap();
    let signer = assayer_harness::signing_key(Path::new(&key)).unwrap();
    let honest = assayer_harness::statement(&run_of).unwrap();
    let mut more = honest.clone();
    more.predicate.passed_tests.push("no-such-check".to_owned());
    let more = write(folder.path(), "more.json", assayer_harness::sign(&more, &signer));
    let with_archive = [&both[..], &["--archive", &archive]].concat();
    assert_eq!(layers(more.to_str().unwrap(), &with_archive), (1, "refuted".to_owned(), states("eeree")));
    // A claim about another archive.
    let mut elsewhere = honest;
    elsewhere.subject[0].digest.insert("sha256".to_owned(), "00".repeat(32));
    let elsewhere = write(folder.path(), "elsewhere.json", assayer_harness::sign(&elsewhere, &signer));
    assert_eq!(layers(elsewhere.to_str().unwrap(), &with_archive).2, states("ereee"));

    // A file whose sum is wrong; then a verdict that was flipped with its sum.
    let page = format!("{archive}/report.txt");
    let before = std::fs::read(&page).unwrap();
    std::fs::write(&page, "all is well\n").unwrap();
    assert_eq!(layers(&claim, &both).2[1], "refuted");
    std::fs::write(&page, before).unwrap();
    assert_eq!(layers(&claim, &both).2, states("eeeee"));
    tamper(&archive, "report.json", "\"conformant\": true", "\"conformant\": false");
    assert_eq!(layers(&claim, &both).2, states("erree"));

    // What is no key is not repeated.
    let secret = write(folder.path(), "secret.pem", "a-secret-that-is-no-key");
    let output = run(&["claim", &archive, "--sign", secret.to_str().unwrap()]);
    let said = text(&output.stderr);
    assert!(code(&output) == 2 && said.contains("PKCS #8") && !said.contains("a-secret"), "{said}");
}

/// What `assayer verify` says of a claim: exit code, verdict, and state and code of each layer by name.
fn claim_of(path: &str, more: &[&str]) -> (i32, Json, impl Fn(&str) -> (String, String) + use<>) {
    let output = run(&[&["verify", path, "--format", "ndjson"], more].concat());
    let line = json(&output);
    let layers = line["layers"].as_array().unwrap().clone();
    let of = move |id: &str| {
        let layer = layers.iter().find(|layer| layer["id"] == id).unwrap();
        (layer["state"].as_str().unwrap().to_owned(), layer["code"].as_str().unwrap().to_owned())
    };
    (code(&output), line, of)
}

/// A suite that asks less may have the name of ours, but not its weight.
#[test]
fn a_suite_of_our_name_that_is_not_ours_is_told_wherever_its_edition_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let suites = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors/suites").join(SUITE);
    let (same, weak) = (folder.path().join("same"), folder.path().join("weak"));
    copy(&suites, &same);
    copy(&suites, &weak);
    change_one(&weak, "health-200", "A", "An");
    let key = key_file(folder.path(), "key.pem", 7);
    let edition = |suite: &Path, name: &str| {
        let suite = suite.to_str().unwrap();
        archived(folder.path(), name, &["--edition", "0.4.12", "--suite-dir", suite, "--sign", &key])
    };
    let (ours, own) = (edition(&same, "ours"), edition(&weak, "own"));
    for form in assayer_reports::Form::ALL {
        let marked = |archive: &str| {
            let report = std::fs::read_to_string(Path::new(archive).join(form.file_name())).unwrap();
            report.contains("0.4.12 (own suite)")
        };
        let is_for_people = !matches!(form, assayer_reports::Form::Json | assayer_reports::Form::Ndjson);
        assert_eq!((marked(&ours), marked(&own)), (false, is_for_people), "{form:?}");
    }
    let report = std::fs::read_to_string(format!("{own}/report.txt")).unwrap();
    assert!(report.contains("is not the suite of assayer"), "{report}");
    let said = |archive: &str| text(&run(&["recheck", archive]).stderr);
    assert!(said(&own).contains("own suite: oversight-v1 with SHA-256"), "{}", said(&own));
    assert!(!said(&ours).contains("own suite"), "{}", said(&ours));
    let site = folder.path().join("site");
    assert_eq!(code(&run(&["matrix", &ours, &own, "--out", site.to_str().unwrap()])), 0);
    let matrix: Json = serde_json::from_slice(&std::fs::read(site.join("matrix.json")).unwrap()).unwrap();
    let is_own = |place: usize| matrix["implementations"][place]["own_suite"].as_bool();
    assert_eq!((is_own(0), is_own(1)), (Some(false), Some(true)));
    let index = std::fs::read_to_string(site.join("index.html")).unwrap();
    assert_eq!(index.matches("(own suite)").count(), 1);

    let claim = |archive: &str| format!("{archive}/claim.dsse.json");
    let (_, _, layers) = claim_of(&claim(&ours), &[]);
    assert_eq!(layers("suite"), ("established".to_owned(), "ok".to_owned()));
    let (_, line, layers) = claim_of(&claim(&own), &["--claimant-key", &public(7)]);
    assert_eq!(layers("suite"), ("not-established".to_owned(), "claim.unknown-suite".to_owned()));
    let digest = line["claim"]["suite_digest"].as_str().unwrap().to_owned();
    let (_, _, layers) = claim_of(&claim(&own), &["--suite-digest", &digest]);
    assert_eq!(layers("suite").0, "established");
}

/// A claim that holds is not one that says what was hoped for.
#[test]
fn a_claim_says_what_it_claims_and_one_of_a_failure_is_no_success() {
    let folder = tempfile::tempdir().unwrap();
    let key = key_file(folder.path(), "key.pem", 7);
    let signed = |name: &str, more: &[&str]| {
        archived(folder.path(), name, &[&["--edition", "0.4.12", "--sign", &key], more].concat())
    };
    let (good, bad) = (signed("good", &[]), signed("bad", &["--fault", "health-status-missing"]));
    let claim = |archive: &str| format!("{archive}/claim.dsse.json");
    for (archive, exit, favourable) in [(&good, 0, true), (&bad, 1, false)] {
        let (found, line, _) = claim_of(&claim(archive), &[]);
        let claimed = &line["claim"];
        let result = claimed["result"].as_str().unwrap();
        assert_eq!((found, ["PASSED", "WARNED"].contains(&result)), (exit, favourable), "{line}");
        assert_eq!(
            (&claimed["target"], line["verdict"].as_str()),
            (&"in-process".into(), Some("consistent"))
        );
        assert!(claimed["target_signed"].as_u64() < claimed["verdicts"].as_u64(), "{claimed}");
        let words = format!("{result} by in-process on ");
        for form in ["text", "html"] {
            let said = text(&run(&["verify", &claim(archive), "--format", form]).stdout);
            assert!(said.contains(&words) && said.contains("oversight-v1@0.4.12"), "{said}");
            assert!(said.contains("verdicts rest on what the target signed"), "{said}");
            assert_eq!(said.contains("not claim that the target conforms"), !favourable, "{said}");
        }
    }
    let summary = json(&run(&["verify", &claim(&good), &claim(&bad), "--format", "json"]))["summary"].clone();
    assert_eq!(
        (&summary["unfavourable"], &summary["reasons"][0]["code"]),
        (&1.into(), &"claim.unfavourable".into())
    );

    // An archive of another version: its pages were not compared, so nobody signs for them here, and no claim on it is authentic.
    let version = format!("\"version\": \"{}\"", env!("CARGO_PKG_VERSION"));
    let manifest = || std::fs::read(Path::new(&good).join("manifest.json")).unwrap();
    let sum = |bytes: &[u8]| assayer_verifier::sha256(bytes).to_hex();
    let signer = assayer_harness::signing_key(Path::new(&key)).unwrap();
    let mut statement =
        assayer_harness::statement(&assayer_harness::Intact::read(Path::new(&good)).unwrap()).unwrap();
    let before = sum(&manifest());
    for name in ["manifest.json", "report.json", "transcript.har"] {
        tamper(&good, name, &version, "\"version\": \"0.0.9\"");
    }
    let compact = version.replace(": ", ":");
    tamper(&good, "report.ndjson", &compact, "\"version\":\"0.0.9\"");
    tamper(&good, "verdicts.json", &before, &sum(&manifest()));
    tamper(&good, "report.html", "onformant", "onformant, and more");
    let output = run(&["claim", &good, "--sign", &key]);
    let said = text(&output.stderr);
    assert!(code(&output) == 2 && said.contains("written by another version"), "{said}");
    statement.subject[0]
        .digest
        .insert("sha256".to_owned(), sum(&std::fs::read(format!("{good}/SHA256SUMS")).unwrap()));
    statement.predicate.configuration[0].annotations.insert("assayer".to_owned(), "0.0.9".to_owned());
    let forged = write(folder.path(), "forged.json", assayer_harness::sign(&statement, &signer));
    let (_, _, layers) = claim_of(forged.to_str().unwrap(), &["--archive", &good]);
    assert_eq!(layers("self-consistency").0, "established");
    assert_eq!(layers("re-derivation"), ("not-established".to_owned(), "claim.other-version".to_owned()));
}
