//! Vectors of kind `document` (`vectors/`): every layer of every case ends as the vector says, with the reason and the
//! place.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::fs;
use std::path::{Path, PathBuf};

use assayer_verifier::oversight::{Trust, verify_consistency_proof, verify_equivocation_proof};
use assayer_verifier::{Hash, Limits, PublicKey, State, Trace, TreeHead};
use serde_json::Value as Json;

/// Folders of cases of this kind.
const FOLDERS: &[&str] = &["proofs"];

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

fn head(value: &Json) -> TreeHead {
    TreeHead {
        size: value["size"].as_u64().unwrap(),
        root: Hash::from_hex(value["root"].as_str().unwrap()).unwrap(),
    }
}

fn run(vector: &Json) -> Trace {
    let keys: Vec<PublicKey> = list(vector, "/input/trust/registry_keys")
        .map(|key| PublicKey::from_hex(key.as_str().unwrap()).unwrap())
        .collect();
    let heads: Vec<TreeHead> = list(vector, "/input/trust/heads").map(head).collect();
    let trust = Trust { registry_keys: &keys, heads: &heads, ..Trust::default() };
    let (document, limits) = (text(vector, "/input/document").as_bytes(), Limits::default());
    match text(vector, "/input/as") {
        "consistency-proof" => verify_consistency_proof(document, &trust, &limits),
        "equivocation-proof" => verify_equivocation_proof(document, &trust, &limits),
        other => panic!("no verifier of {other}"),
    }
}

/// Everything that a vector expects, and everything that was found, in the same words.
fn compare(vector: &Json) -> (Vec<String>, Vec<String>) {
    let expect = &vector["expect"];
    let mut expected = vec![text(expect, "/verdict").to_owned()];
    let of = |layer: &Json| format!("{} {}", text(layer, "/layer"), text(layer, "/code"));
    expected.extend(list(expect, "/refuted").map(|layer| format!("{} at {}", of(layer), text(layer, "/at"))));
    expected.extend(list(expect, "/open").map(|layer| format!("{} open", of(layer))));
    expected.extend(list(expect, "/established").map(|layer| format!("{} ok", layer.as_str().unwrap())));
    let trace = run(vector);
    let mut found = vec![trace.verdict().as_str().to_owned()];
    let places = |layer: &assayer_verifier::Layer| {
        // A vector gives the pointer of a text that cannot be read; where there is none, the byte is shown instead.
        if layer.id == "json" && layer.at().starts_with("byte ") {
            String::new()
        } else {
            layer.at().to_owned()
        }
    };
    found.extend(trace.layers.iter().map(|layer| match layer.state {
        State::Refuted => format!("{} {} at {}", layer.id, layer.code(), places(layer)),
        State::NotEstablished => format!("{} {} open", layer.id, layer.code()),
        State::Established => format!("{} ok", layer.id),
    }));
    expected.sort();
    found.sort();
    (expected, found)
}

#[test]
fn every_layer_of_every_document_ends_as_its_vector_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors");
    let mut paths = Vec::new();
    FOLDERS.iter().for_each(|folder| files(&root.join(folder), &mut paths));
    assert!(paths.len() >= 60, "{} vectors", paths.len());
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
