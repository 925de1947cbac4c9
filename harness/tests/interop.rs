//! The recorded bundles of three registries through the program itself, each as a file of its own: the verdict is the one
//! that the recording names. The data stands beside the project and is not part of it; where it is absent this test skips,
//! visibly.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use libtest_mimic::{Arguments, Completion, Trial};
use serde_json::Value as Json;

/// Encodings of the points of small order, canonical and not: the y coordinates, with the sign bit cleared.
const SMALL_ORDER: [&str; 7] = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];

fn main() {
    let arguments = Arguments::from_args();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/interop/oversight");
    let trials = ["py-0.4.7", "py-0.4.12", "rust-0.4.12"].into_iter().map(|name| {
        let folder = root.join(name);
        Trial::ignorable_test(format!("{name} through the program"), move || {
            if !folder.is_dir() {
                return Ok(Completion::ignored_with("../shared/interop/oversight is not here"));
            }
            let wrong = wrong_verdicts(&folder);
            if wrong.is_empty() { Ok(Completion::Completed) } else { Err(wrong.join("\n").into()) }
        })
    });
    libtest_mimic::run(&arguments, trials.collect()).exit();
}

fn json(path: &Path) -> Json {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn text<'v>(value: &'v Json, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Json::as_str).unwrap_or("")
}

fn wrong_verdicts(folder: &Path) -> Vec<String> {
    let bodies = tempfile::tempdir().unwrap();
    let mut expected: BTreeMap<String, bool> = BTreeMap::new();
    for entry in json(&folder.join("verdicts.json")).as_array().unwrap() {
        if text(entry, "/type") == "evidence" {
            let exchange = json(&folder.join("exchanges").join(text(entry, "/file")));
            let body = text(&exchange, "/response/body_text");
            expected.insert(write(bodies.path(), text(entry, "/file"), body), is_refuted(entry, body));
        }
    }
    let mut wrong = compare(&[bodies.path().to_str().unwrap()], &expected);
    let log = folder.join("state-main/tlog/leaves.jsonl");
    for entry in json(&folder.join("negatives/index.json")).as_array().unwrap() {
        let case = json(&folder.join("negatives").join(text(entry, "/file")));
        let one = tempfile::tempdir().unwrap();
        let path = write(one.path(), text(entry, "/file"), text(&case, "/body_text"));
        let expected = BTreeMap::from([(path.clone(), text(entry, "/expect") == "reject")]);
        let (key, id) = (text(&case, "/pinned_registry_pub"), text(&case, "/requested_file_id"));
        let with_log = ["--registry-key", key, "--file-id", id, "--log", log.to_str().unwrap()];
        wrong.extend(compare(&[&[path.as_str()][..], &with_log].concat(), &expected));
    }
    wrong
}

/// Whether the recording says that a layer does not hold, or the issuer's key is of small order.
fn is_refuted(entry: &Json, body: &str) -> bool {
    let holds = |pointer: &str| entry.pointer(pointer).and_then(Json::as_bool).unwrap_or(false);
    let fits = |pointer: &str| {
        entry.pointer(pointer).and_then(Json::as_array).is_some_and(|forms| !forms.is_empty())
    };
    let all = [
        fits("/bundle_sig_forms"),
        fits("/manifest_sig_forms"),
        holds("/head/sig"),
        holds("/head/msg_exact"),
        holds("/proofs_verify"),
        holds("/proofs_bound"),
        holds("/leaf_from_row"),
        holds("/events_sorted"),
        holds("/beacon_rows_match_manifest"),
        holds("/watermark_rows_match_manifest"),
    ];
    all.contains(&false) || has_small_order(body)
}

fn has_small_order(body: &str) -> bool {
    let bundle: Json = serde_json::from_str(body).unwrap();
    let mut key =
        hex::decode(text(&bundle, "/manifest/issuer_ed25519_pub").to_ascii_lowercase()).unwrap_or_default();
    if let Some(last) = key.last_mut() {
        *last &= 0x7F;
    }
    SMALL_ORDER.contains(&hex::encode(key).as_str())
}

fn write(folder: &Path, name: &str, body: &str) -> String {
    let path: PathBuf = folder.join(name);
    fs::write(&path, body).unwrap();
    path.display().to_string()
}

fn compare(arguments: &[&str], expected: &BTreeMap<String, bool>) -> Vec<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_assayer"))
        .args(["verify", "--format", "ndjson"])
        .args(arguments)
        .output()
        .unwrap();
    let lines = String::from_utf8(output.stdout).unwrap();
    let found: BTreeMap<String, bool> = lines
        .lines()
        .map(|line| {
            let line: Json = serde_json::from_str(line).unwrap();
            (text(&line, "/path").to_owned(), text(&line, "/verdict") == "refuted")
        })
        .collect();
    let code = if found.values().any(|refuted| *refuted) { 1 } else { 0 };
    let mut wrong: Vec<String> = expected
        .iter()
        .filter(|(path, refuted)| found.get(*path) != Some(*refuted))
        .map(|(path, refuted)| format!("{path}: expected refuted={refuted}, found {:?}", found.get(path)))
        .collect();
    if output.status.code() != Some(code) || expected.is_empty() {
        wrong.push(format!(
            "exit code {:?}: {}",
            output.status.code(),
            String::from_utf8_lossy(&output.stderr)
        ));
    }
    wrong
}
