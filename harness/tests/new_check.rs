//! `docs/new-check.md`, done as it says, with its own blocks: a reader who follows the page gets what it promises.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const CHECK: &str = "rejects-layer-a-number";
const FAULT: &str = "takes-layer-a-number";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The blocks of YAML of the page, in order.
fn blocks() -> Vec<String> {
    let page = fs::read_to_string(root().join("docs/new-check.md")).unwrap();
    let blocks = page.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap().to_owned());
    blocks.collect()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

fn assayer(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_assayer"));
    command.env_remove("OVERSIGHT_REGISTRY_URL").args(arguments).output().unwrap()
}

#[test]
fn a_new_negative_check_takes_at_most_20_lines_of_data_and_no_rebuild() {
    let blocks = blocks();
    let [check, listed, fault] = &blocks[..] else { panic!("expected three blocks, found {}", blocks.len()) };
    let lines = check.lines().chain(listed.lines()).filter(|line| !line.trim().is_empty()).count();
    assert!(lines <= 20, "{lines} lines");

    let folder = tempfile::tempdir().unwrap();
    copy(&root().join("vectors/suites/oversight-v1"), folder.path());
    let suite = folder.path().to_str().unwrap();
    fs::write(folder.path().join("checks/9-example.yaml"), check).unwrap();
    let check_it = ["check", "--suite-dir", suite, "--only", CHECK];
    assert_eq!(assayer(&check_it).status.code(), Some(2), "a check in no edition is never run");
    let edition = folder.path().join("editions/strict.yaml");
    fs::write(&edition, fs::read_to_string(&edition).unwrap() + listed).unwrap();
    let output = assayer(&check_it);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));

    fs::write(folder.path().join("faults/example.yaml"), fault).unwrap();
    let output = assayer(&[&check_it[..], &["--fault", FAULT]].concat());
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{said}");
    // The sentence, what was expected and found, the exchange, and how to see it again.
    let again =
        format!("again: assayer check --edition strict --suite-dir {suite} --fault {FAULT} --only {CHECK}");
    for part in [
        "SI-2.watermarks (MUST, ",
        "expected 400 (sidecar_mismatch), found 200",
        "POST /register -> 200",
        &again,
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let output = assayer(&["selftest", "--suite-dir", suite, "--only", FAULT]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
}
