//! The program as an operator runs it.

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::send;

struct Program {
    child: Child,
    address: SocketAddr,
}

fn command(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_reference-registry"));
    command.args(["--bind", "127.0.0.1:0", "--db"]).arg(directory.join("own.sqlite"));
    command.env_remove("OVERSIGHT_OPERATOR_TOKEN").env_remove("OVERSIGHT_DNS_EVENT_SECRET");
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn started(mut command: Command) -> Program {
    let mut child = command.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim_end().strip_prefix("listening on http://").unwrap().parse().unwrap();
    Program { child, address }
}

fn stopped(mut program: Program, signal: &str) -> ExitStatus {
    let kill = Command::new("kill").args([signal, &program.child.id().to_string()]).status().unwrap();
    assert!(kill.success());
    program.child.wait().unwrap()
}

fn public_key(program: &Program) -> Value {
    send(program.address, "GET", "/.well-known/oversight-registry", &[], b"").accepts()["ed25519_pub"].clone()
}

#[test]
fn it_says_where_it_listens_and_stops_on_either_signal() {
    let directory = TempDir::new().unwrap();
    let program = started(command(directory.path()));
    let key = public_key(&program);
    assert!(stopped(program, "-TERM").success());
    assert!(directory.path().join("registry-identity.json").exists());
    let program = started(command(directory.path()));
    assert_eq!(public_key(&program), key);
    assert!(stopped(program, "-INT").success());
}

#[test]
fn secrets_come_from_the_environment() {
    let directory = TempDir::new().unwrap();
    let mut command = command(directory.path());
    command.arg("--data-dir").arg(directory.path().join("identity"));
    command.env("OVERSIGHT_OPERATOR_TOKEN", "operator").env("OVERSIGHT_DNS_EVENT_SECRET", "hush");
    let program = started(command);
    let json = ("content-type", "application/json");
    let asked = |target: &str, headers: &[(&str, &str)]| {
        send(program.address, "POST", target, headers, br#"{"token_id":"t"}"#)
    };
    asked("/attribute", &[json]).refuses(401, "auth_required");
    asked("/dns_event", &[json]).refuses(401, "auth_required");
    asked("/attribute", &[json, ("authorization", "Bearer operator")]).accepts();
    asked("/dns_event", &[json, ("authorization", "Bearer hush")]).accepts();
    assert!(directory.path().join("identity/registry-identity.json").exists());
    assert!(stopped(program, "-TERM").success());
}

#[test]
fn what_prevents_the_start_is_said_on_standard_error() {
    let directory = TempDir::new().unwrap();
    std::fs::write(directory.path().join("own.sqlite"), "this is no database, and it is long enough to tell")
        .unwrap();
    let output = command(directory.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .starts_with("reference-registry: cannot open the registry's data: ")
    );
}

#[test]
fn it_validates_and_migrates_instead_of_listening() {
    let (source, target) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    assert!(stopped(started(command(source.path())), "-TERM").success());
    let run = |directory: &Path, arguments: &[&str]| {
        let output = command(directory).args(arguments).output().unwrap();
        (
            output.status.code(),
            serde_json::from_slice::<Value>(&output.stdout).ok(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    let (code, report, _) = run(source.path(), &["--validate-db"]);
    assert_eq!((code, &report.unwrap()["ok"]), (Some(0), &Value::Bool(true)));
    let from = source.path().join("own.sqlite");
    let (code, counts, _) = run(target.path(), &["--migrate-from", from.to_str().unwrap()]);
    assert_eq!((code, &counts.unwrap()["identity"]), (Some(0), &Value::Bool(true)));
    let (code, report, _) = run(target.path(), &["--validate-db"]);
    assert_eq!((code, &report.unwrap()["ok"]), (Some(0), &Value::Bool(true)));
    std::fs::remove_file(target.path().join("own.sqlite")).unwrap();
    let (code, report, _) = run(target.path(), &["--validate-db"]);
    assert_eq!((code, &report.unwrap()["database_errors"]), (Some(1), &Value::from(1)));
    let (code, nothing, said) = run(target.path(), &["--migrate-from", "/nowhere.sqlite"]);
    assert_eq!((code, nothing), (Some(2), None));
    assert!(said.contains("/nowhere.sqlite"), "{said}");
}

/// Runs the program to its end: exit code, standard output, standard error.
fn ran(directory: &Path, arguments: &[&str]) -> (Option<i32>, Vec<u8>, String) {
    let output = command(directory).args(arguments).output().unwrap();
    (output.status.code(), output.stdout, String::from_utf8(output.stderr).unwrap())
}

fn names(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_log_goes_out_and_in_again_whole_or_not_at_all() {
    let (source, target) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let program = started(command(source.path()));
    for token in ["a", "b", "c"] {
        assert_eq!(send(program.address, "GET", &format!("/p/{token}.png"), &[], b"").status, 200);
    }
    let file = source.path().join("leaves.jsonl");
    let path = file.to_str().unwrap();
    let (code, _, said) = ran(source.path(), &["--export-log", path]);
    assert_eq!((code, said.as_str()), (Some(0), "3 leaves exported\n"));
    assert!(stopped(program, "-TERM").success());
    let leaves = std::fs::read(&file).unwrap();
    let (code, printed, _) = ran(source.path(), &["--export-log", "-"]);
    assert_eq!((code, &printed), (Some(0), &leaves));
    // Never over a file that is there, and nothing where there is no database.
    let (code, _, said) = ran(source.path(), &["--export-log", path]);
    assert!(code == Some(2) && said.contains("leaves.jsonl"), "{said}");
    assert_eq!(std::fs::read(&file).unwrap(), leaves);
    let (code, _, said) = ran(target.path(), &["--export-log", target.path().join("x").to_str().unwrap()]);
    assert!(code == Some(2) && said.contains("own.sqlite"), "{said}");
    assert_eq!(names(target.path()), [""; 0]);
    wrong_leaves_are_refused(target.path(), &leaves);
    let (code, _, said) = ran(target.path(), &["--import-log", target.path().join("none").to_str().unwrap()]);
    assert!(code == Some(2) && said.contains("none"), "{said}");
    let (code, _, said) = ran(target.path(), &["--import-log", path]);
    assert_eq!((code, said.as_str()), (Some(0), "3 leaves imported\n"));
    let (code, _, said) = ran(target.path(), &["--import-log", path]);
    assert!(code == Some(2) && said.contains("expected a database without leaves, found 3"), "{said}");
}

/// None of them leaves a database behind.
fn wrong_leaves_are_refused(target: &Path, leaves: &[u8]) {
    let wrong = target.join("wrong");
    let text = String::from_utf8(leaves.to_vec()).unwrap();
    let edited = |from: &str, to: &str| text.replacen(from, to, 1).into_bytes();
    let cases: [(Vec<u8>, &str); 5] = [
        (b"\x1f\x8b\x08".to_vec(), "line 1"),
        (leaves[..leaves.len() - 9].to_vec(), "line 3"),
        (edited("\"index\":1", "\"index\":7"), "line 2 is no leaf of the log: expected index 1, found 7"),
        (edited("\"leaf_hash\":\"", "\"leaf_hash\":\"00"), "line 1"),
        (b"[]".to_vec(), "line 1"),
    ];
    for (bytes, expected) in cases {
        std::fs::write(&wrong, bytes).unwrap();
        let (code, _, said) = ran(target, &["--import-log", wrong.to_str().unwrap()]);
        assert!(code == Some(2) && said.contains(expected), "{expected}: {said}");
        assert_eq!(names(target), ["wrong"]);
    }
    std::fs::remove_file(wrong).unwrap();
}

/// Whatever a limit on the size of files refuses is refused as by a full disk.
#[test]
fn a_log_that_finds_no_room_leaves_nothing_behind() {
    let (source, target) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let leaf = |index: usize| {
        let leaf = format!(r#"{{"event":"beacon","token_id":"{}"}}"#, "x".repeat(2000));
        let hash = hex::encode(crate::support::leaf_hash(leaf.as_bytes()));
        serde_json::json!({"index": index, "leaf_hash": hash, "leaf_data": leaf}).to_string()
    };
    let lines: Vec<String> = (0..100).map(leaf).collect();
    let file = source.path().join("leaves.jsonl");
    std::fs::write(&file, lines.join("\n")).unwrap();
    let path = file.to_str().unwrap();
    let without_room = |directory: &Path, arguments: &[&str]| {
        let program = command(directory);
        let script = "trap '' XFSZ; exec prlimit --fsize=65536 -- \"$@\"";
        let mut limited = Command::new("sh");
        limited
            .args(["-c", script, "sh"])
            .arg(program.get_program())
            .args(program.get_args())
            .args(arguments);
        let output = limited.output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, said) = without_room(target.path(), &["--import-log", path]);
    assert!(code == Some(2) && said.contains("cannot use the database"), "{said}");
    assert_eq!(names(target.path()), [""; 0]);
    assert_eq!(ran(source.path(), &["--import-log", path]).0, Some(0));
    let (code, said) =
        without_room(source.path(), &["--export-log", source.path().join("out").to_str().unwrap()]);
    assert!(code == Some(2) && said.contains("cannot write the leaves"), "{said}");
    let left = names(source.path());
    assert!(left.iter().all(|name| name.starts_with("own.sqlite") || name == "leaves.jsonl"), "{left:?}");
}

#[test]
fn it_does_not_start_open_to_others_and_says_which_setting_is_wrong() {
    let directory = TempDir::new().unwrap();
    let refused = |arguments: &[&str]| {
        let mut command = command(directory.path());
        command.env_remove("OVERSIGHT_AUTH_DISABLED").args(arguments);
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty());
        String::from_utf8(output.stderr).unwrap()
    };
    for arguments in [&["--trusted-proxies", "10.0.0.0/8"][..], &["--beacon-domain", "b.example"]] {
        assert!(refused(arguments).contains("operator token"));
    }
    let wrong = [
        ("--trusted-proxies", "10.0.0.0/33"),
        ("--cors-origins", "https://a.example,https://B.example"),
        ("--registry-domain", "https://r.example"),
        ("--rate-limit", "many"),
        ("--admin", "localhost:1"),
        ("--rekor-url", "rekor.example"),
    ];
    for (flag, value) in wrong {
        let message = refused(&[flag, value]);
        assert!(message.starts_with(&format!("reference-registry: {flag} ")), "{message}");
    }
    assert!(refused(&["--admin", "0.0.0.0:0"]).contains("loopback"));
}

#[test]
fn the_log_has_a_line_for_each_request_and_no_secret() {
    let directory = TempDir::new().unwrap();
    let mut command = command(directory.path());
    command.args([
        "--log",
        "json",
        "--admin",
        "127.0.0.1:0",
        "--trusted-proxies",
        " 127.0.0.1 , 10.0.0.0/8,",
    ]);
    command.env("OVERSIGHT_OPERATOR_TOKEN", "very-secret").env("OVERSIGHT_CORS_ORIGINS", "");
    let mut program = started(command);
    let stderr = program.child.stderr.take().unwrap();
    let bearer = ("authorization", "Bearer very-secret");
    let ask = |method, target, headers: &[(&str, &str)]| {
        send(program.address, method, target, headers, b"{}").status
    };
    assert_eq!(ask("GET", "/r/private-token?private=query", &[("x-forwarded-for", "192.0.2.7")]), 200);
    assert_eq!(ask("POST", "/register", &[bearer, ("content-type", "application/json")]), 400);
    assert_eq!(ask("POST", "/register", &[("x-oversight-operator-token", "guess-private")]), 401);
    assert_eq!(ask("BREW", "/private-path", &[]), 404);
    assert!(stopped(program, "-TERM").success());
    let text = std::io::read_to_string(stderr).unwrap();
    assert!(!text.contains("private") && !text.contains("very-secret"), "{text}");
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.iter().any(|line| line["message"] == "started" && line["has_token"] == true));
    each_request_has_its_line(&lines);
}

fn each_request_has_its_line(lines: &[Value]) {
    let answered: Vec<&Value> = lines.iter().filter(|line| line["message"] == "answered").collect();
    let found: Vec<_> = answered
        .iter()
        .map(|line| {
            (
                line["method"].as_str().unwrap(),
                line["route"].as_str().unwrap(),
                line["status"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            ("GET", "/r/{token}", 200),
            ("POST", "/register", 400),
            ("POST", "/register", 401),
            ("other", "none", 404)
        ]
    );
    assert_eq!(answered[0]["client"], "192.0.2.7");
    assert!(answered[0]["milliseconds"].as_f64().unwrap() > 0.0);
}

#[test]
fn a_probe_says_whether_a_registry_is_well() {
    let directory = TempDir::new().unwrap();
    let mut command = command(directory.path());
    command.args(["--admin", "127.0.0.1:0"]);
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let (_, admin) = (lines.next(), lines.next().unwrap().unwrap());
    let admin = admin.strip_prefix("admin listener on http://").unwrap();
    let probe =
        || Command::new(env!("CARGO_BIN_EXE_reference-registry")).args(["--probe", admin]).output().unwrap();
    assert!(probe().status.success());
    let address = admin.parse().unwrap();
    assert!(stopped(Program { child, address }, "-TERM").success());
    assert_eq!(probe().status.code(), Some(2));
}

/// The words in a text that are names of variables.
fn variables(text: &str) -> std::collections::BTreeSet<String> {
    let words = text.split(|character: char| {
        !character.is_ascii_uppercase() && !character.is_ascii_digit() && character != '_'
    });
    words.filter(|word| word.starts_with("OVERSIGHT_")).map(str::to_owned).collect()
}

fn file(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)).unwrap()
}

/// The variables that the program reads.
fn settings() -> std::collections::BTreeSet<String> {
    let help = Command::new(env!("CARGO_BIN_EXE_reference-registry")).arg("--help").output().unwrap();
    let mut known = variables(&String::from_utf8(help.stdout).unwrap());
    known.insert(String::from("OVERSIGHT_JURISDICTION"));
    known
}

#[test]
fn the_deployment_files_and_the_page_name_the_settings_that_there_are() {
    let known = settings();
    // The harness reads it, not the registry.
    let of_registry = |text: &str| {
        variables(text).into_iter().filter(|name| name != "OVERSIGHT_REGISTRY_URL").collect::<Vec<_>>()
    };
    for name in [
        "deploy/.env.example",
        "deploy/compose.yaml",
        "deploy/Caddyfile",
        "deploy/Dockerfile",
        "deploy/oversight-registry.service",
    ] {
        for variable in of_registry(&file(name)) {
            assert!(known.contains(&variable), "{name}: {variable} is read by nobody");
        }
    }
    for name in &known {
        let page = file("docs/deployment.md");
        let suffix = name.strip_prefix("OVERSIGHT").unwrap();
        assert!(
            page.contains(name) || page.contains(&suffix.replace("DOMAIN", "")),
            "{name} is not in the page"
        );
    }
}

#[test]
fn the_example_of_an_environment_has_no_secret_and_reaches_the_container() {
    let example = file("deploy/.env.example");
    let settings: Vec<(&str, &str)> = example
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('='))
        .collect();
    let passed = variables(&file("deploy/compose.yaml"));
    for (name, value) in settings {
        let is_secret = name.ends_with("_TOKEN") || name.ends_with("_SECRET");
        assert!(!is_secret || value.is_empty(), "{name} has a value that everybody knows");
        assert!(
            passed.contains(name) || name == "OVERSIGHT_REGISTRY_URL",
            "{name} does not reach the container"
        );
    }
}
