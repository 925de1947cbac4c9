//! The program as its users meet it: exit codes, machine output, hostile and useless targets. A module for each command.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

mod canon;
mod check;
mod claim;
mod diff;
#[path = "../shared/keep.rs"]
mod keep;
mod list;
mod matrix;
mod own_suite;
mod prove;
mod recheck;
mod verify;

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

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

fn write(folder: &Path, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, content).unwrap();
    path
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
    put(archive, name, &after);
}

/// Puts another text in place of a file of an archive, and its sum in place of that of the file.
fn put(archive: &str, name: &str, after: &str) {
    let path = Path::new(archive).join(name);
    let before = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, after).unwrap();
    let sum = |text: &str| assayer_verifier::sha256(text.as_bytes()).to_hex();
    let sums = Path::new(archive).join("SHA256SUMS");
    let listed = std::fs::read_to_string(&sums).unwrap();
    std::fs::write(&sums, listed.replace(&sum(&before), &sum(after))).unwrap();
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
