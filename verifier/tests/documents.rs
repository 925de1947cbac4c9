//! Vectors of kind `document` (`vectors/`): every layer of every case ends as the vector says, with the reason and the
//! place.

#![expect(
    clippy::cast_possible_truncation,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops at the first surprise"
)]

mod vector;

use std::fs;
use std::path::{Path, PathBuf};

use assayer_verifier::oversight::{
    CrossCheck, LogPart, LogVerifier, Trust, compare_heads, read_only, verify_bundle,
    verify_consistency_proof, verify_equivocation_proof, verify_head, verify_log, verify_proof,
};
use assayer_verifier::{Hash, Limits, PublicKey, State, Trace, TreeHead, Verdict};
use serde_json::Value as Json;
use vector::Known;

/// Folders of cases of this kind.
const FOLDERS: &[&str] = &["bundles-together", "heads", "logs", "proofs"];

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

fn text<'v>(value: &'v Json, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Json::as_str).unwrap_or_else(|| panic!("no text at {pointer} of {value}"))
}

fn list<'v>(value: &'v Json, pointer: &str) -> impl Iterator<Item = &'v Json> {
    value.pointer(pointer).and_then(Json::as_array).into_iter().flatten()
}

/// How a layer ended: state, code, place, and the notes on it.
type End = (String, State, String, String, Vec<String>);

fn ends(trace: &Trace) -> Vec<End> {
    let end = |layer: &assayer_verifier::Layer| {
        let notes = layer.notes.iter().map(|note| note.code.to_string()).collect();
        let (code, at) = (layer.code().to_string(), layer.at().to_owned());
        (layer.id.to_owned(), layer.state, code, at, notes)
    };
    trace.layers.iter().map(end).collect()
}

/// What the bundles of all lines show together: of each layer the worst end, and the verdict of the worst finding.
fn together(lines: &[u8], trust: &Trust<'_>, limits: &Limits) -> (Verdict, Vec<End>) {
    let mut check = CrossCheck::new(1_000);
    let mut found = Vec::new();
    for (number, line) in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).enumerate() {
        let trace = verify_bundle(line, trust, limits);
        assert_ne!(trace.verdict(), Verdict::Refuted, "line {number}");
        found.extend(check.add(&format!("line {number}"), &trace.statement.expect("a statement")));
    }
    found.extend(check.finish());
    let ok = |id: &str| (id.to_owned(), State::Established, "ok".to_owned(), String::new(), Vec::new());
    let mut worst = ["limits", "json", "append-only", "one-manifest", "completeness"].map(ok).to_vec();
    for end in found.iter().flat_map(|finding| ends(&finding.trace)) {
        let before = worst.iter_mut().find(|before| before.0 == end.0).unwrap();
        if before.1 == State::Established || end.1 == State::Refuted {
            *before = end;
        }
    }
    let verdicts: Vec<Verdict> = found.iter().map(|finding| finding.trace.verdict()).collect();
    let verdict = match verdicts.as_slice() {
        [] => Verdict::Authentic,
        all if all.contains(&Verdict::Refuted) => Verdict::Refuted,
        _ => Verdict::Consistent,
    };
    (verdict, worst)
}

fn run(vector: &Json) -> Trace {
    let (known, limits) = (Known::of(&vector["input"]["trust"]), Limits::default());
    let trust = known.trust();
    let document = text(vector, "/input/document").as_bytes();
    match text(vector, "/input/as") {
        "consistency-proof" => verify_consistency_proof(document, &trust, &limits),
        "equivocation-proof" => verify_equivocation_proof(document, &trust, &limits),
        "oversight-head" => verify_head(document, &trust, &limits),
        "oversight-heads" => {
            let heads = document.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
            let heads: Vec<_> = heads
                .map(|head| verify_head(head, &trust, &limits).statement.expect("a signed head"))
                .collect();
            let [one, other] = &heads[..] else { panic!("{} heads", heads.len()) };
            assert_eq!(one.key, other.key);
            compare_heads(one.head.unwrap(), other.head.unwrap(), &limits)
        }
        "oversight-log" => log_in_one_block(document, &trust, &signed_heads(vector), &limits),
        "oversight-proof" => verify_proof(document, &trust, &limits),
        "unknown" => read_only(document, &limits),
        other => panic!("no verifier of {other}"),
    }
}

/// Heads with the key that signed each.
fn signed_heads(vector: &Json) -> Vec<(PublicKey, TreeHead)> {
    let head = |head: &Json| {
        let root = Hash::from_hex(text(head, "/root")).unwrap();
        (
            PublicKey::from_hex(text(head, "/key")).unwrap(),
            TreeHead { size: head["size"].as_u64().unwrap(), root },
        )
    };
    list(vector, "/input/trust/signed_heads").map(head).collect()
}

fn log_in_one_block(
    document: &[u8],
    trust: &Trust<'_>,
    signed: &[(PublicKey, TreeHead)],
    limits: &Limits,
) -> Trace {
    let mut verifier = LogVerifier::knowing(signed.iter().copied(), trust, limits);
    verifier.add(LogPart::read(1, document, limits));
    verifier.finish()
}

/// Everything that a vector expects, and everything that was found, in the same words.
fn compare(vector: &Json) -> (Vec<String>, Vec<String>) {
    let expect = &vector["expect"];
    let mut expected = vec![text(expect, "/verdict").to_owned()];
    let of = |layer: &Json| format!("{} {}", text(layer, "/layer"), text(layer, "/code"));
    expected.extend(list(expect, "/refuted").map(|layer| format!("{} at {}", of(layer), text(layer, "/at"))));
    expected.extend(list(expect, "/open").map(|layer| format!("{} open", of(layer))));
    expected.extend(list(expect, "/established").map(|layer| format!("{} ok", layer.as_str().unwrap())));
    expected.extend(list(expect, "/notes").map(|note| format!("{} noted", of(note))));
    let (verdict, layers) = if text(vector, "/input/as") == "bundles-together" {
        let document = text(vector, "/input/document").as_bytes();
        together(document, &Trust::default(), &Limits::default())
    } else {
        let trace = run(vector);
        (trace.verdict(), ends(&trace))
    };
    let mut found = vec![verdict.as_str().to_owned()];
    for (id, state, code, at, notes) in layers {
        // A vector gives the pointer of a text that cannot be read; where there is none, the byte is shown instead.
        let at = if id == "json" && at.starts_with("byte ") { "" } else { &at };
        found.push(match state {
            State::Refuted => format!("{id} {code} at {at}"),
            State::NotEstablished => format!("{id} {code} open"),
            State::Established => format!("{id} ok"),
        });
        found.extend(notes.iter().map(|note| format!("{id} {note} noted")));
    }
    expected.sort();
    found.sort();
    (expected, found)
}

#[test]
fn every_layer_of_every_document_ends_as_its_vector_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors");
    let mut paths = Vec::new();
    FOLDERS.iter().for_each(|folder| files(&root.join(folder), &mut paths));
    assert!(paths.len() >= 90, "{} vectors", paths.len());
    let wrong: Vec<String> = paths
        .iter()
        .filter_map(|path| {
            let vector: Json = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
            let (expected, found) = compare(&vector);
            let id = path.strip_prefix(&root).unwrap().display();
            (expected != found).then(|| format!("{id}:\n  expected {expected:?}\n  found    {found:?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), paths.len(), wrong.join("\n"));
}

/// Read as `assayer verify` reads them, and line by line with the leaves kept: the layers end alike, but for the numbers of
/// lines.
#[test]
fn logs_end_alike_in_one_block_and_line_by_line() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors/logs");
    let mut paths = Vec::new();
    files(&root, &mut paths);
    let ends = |trace: &Trace| -> Vec<_> {
        trace.layers.iter().map(|layer| (layer.id, layer.state, layer.code(), layer.problems)).collect()
    };
    let differ = |path: &PathBuf| {
        let vector: Json = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        let (known, limits) = (Known::of(&vector["input"]["trust"]), Limits::default());
        let document = text(&vector, "/input/document").as_bytes();
        let block = log_in_one_block(document, &known.trust(), &[], &limits);
        let lines = document.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
        ends(&block) != ends(&verify_log(lines, &known.trust(), &limits).1)
    };
    let differing: Vec<_> = paths.iter().filter(|path| differ(path)).collect();
    assert!(paths.len() > 30 && differing.is_empty(), "{differing:?}");
}

/// Other documents are held against a statement, so nothing may stand in it that a forger could have written.
#[test]
fn a_bundle_states_only_what_its_layers_establish() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors/bundles-together/grown.json");
    let vector: Json = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let bundle: Json =
        serde_json::from_str(text(&vector, "/input/document").lines().next().unwrap()).unwrap();
    let stated = |bundle: &Json, trust: &Trust<'_>| {
        let statement = verify_bundle(bundle.to_string().as_bytes(), trust, &Limits::default()).statement;
        statement.map(|it| {
            let of_the_log = (it.proofs.len(), it.events.map(|events| events.len()));
            (it.head.is_some(), it.generated.is_some(), it.manifest.is_some(), of_the_log)
        })
    };
    let anybody = Trust::default();
    assert_eq!(stated(&bundle, &anybody), Some((true, true, true, (1, Some(1)))));

    let forged = |pointer: &str| {
        let mut forged = bundle.clone();
        let signature = forged.pointer_mut(pointer).unwrap();
        *signature = Json::String("0".repeat(signature.as_str().unwrap().len()));
        stated(&forged, &anybody)
    };
    assert_eq!(forged("/bundle_signature_ed25519"), Some((true, false, false, (1, None))));
    assert_eq!(forged("/tlog_head/signature"), Some((false, false, false, (0, None))));
    assert_eq!(forged("/tlog_proofs/0/proof/leaf_hash"), Some((true, false, false, (0, None))));

    let another = Trust::default().file_id(Some("a-file-that-was-not-asked-for"));
    assert_eq!(stated(&bundle, &another), Some((true, true, false, (1, None))));
    let stranger = [PublicKey([7; 32])];
    assert_eq!(stated(&bundle, &Trust::default().registry_keys(&stranger)), None);
}
