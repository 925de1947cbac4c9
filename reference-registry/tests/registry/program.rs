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
