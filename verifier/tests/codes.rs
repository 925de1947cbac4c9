//! Vectors of kind `log`, and the rule that no reason code exists without a vector that produces it.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use assayer_verifier::oversight::{Log, Trust, conflicting_heads, read_only, verify_log, verify_proof};
use assayer_verifier::{Code, Hash, Limits, State, Trace, TreeHead};
use serde_json::Value as Json;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors").join(name)
}

/// Every JSON file below a folder, with its path.
fn files(folder: &Path) -> Vec<(PathBuf, Json)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "json") {
            let value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
            found.push((path, value));
        }
    }
    found
}

fn list<'v>(value: &'v Json, pointer: &str) -> impl Iterator<Item = &'v Json> {
    value.pointer(pointer).and_then(Json::as_array).into_iter().flatten()
}

fn text<'v>(value: &'v Json, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_else(|| panic!("no text {name} in {value}"))
}

fn head(head: &Json) -> TreeHead {
    TreeHead { size: head["size"].as_u64().unwrap(), root: Hash::from_hex(text(head, "root")).unwrap() }
}

fn run(vector: &Json) -> Trace {
    let limits = Limits::default();
    let documents: Vec<&[u8]> =
        list(vector, "/input/documents").map(|document| document.as_str().unwrap().as_bytes()).collect();
    let heads: Vec<TreeHead> = list(vector, "/input/trust/heads").map(head).collect();
    let log = vector.pointer("/input/trust/log").and_then(Json::as_str);
    let log = log.map(|log| Log::read(log.lines().map(str::as_bytes), &limits).0);
    let trust = Trust { heads: &heads, log: log.as_ref(), ..Trust::default() };
    match (text(&vector["input"], "as"), documents[..].split_first().unwrap()) {
        ("log", _) => verify_log(documents, &trust, &limits).1,
        ("proof", (proof, _)) => verify_proof(proof, &trust, &limits),
        ("heads", (first, rest)) => {
            let head = |text: &[u8]| head(&serde_json::from_slice(text).unwrap());
            conflicting_heads(head(first), head(rest.first().unwrap()), &limits)
        }
        ("any", (document, _)) => read_only(document, &limits),
        (other, _) => panic!("no verifier of {other}"),
    }
}

/// Everything that a vector expects, and everything that was found, in the same words.
fn compare(vector: &Json) -> (BTreeSet<String>, BTreeSet<String>) {
    let expect = &vector["expect"];
    let of = |one: &Json| format!("{} {}", text(one, "layer"), text(one, "code"));
    let mut expected = BTreeSet::from([text(expect, "verdict").to_owned()]);
    expected.extend(list(expect, "/refuted").map(|one| format!("{} at {}", of(one), text(one, "at"))));
    expected.extend(list(expect, "/open").map(|one| format!("{} open", of(one))));
    expected.extend(
        list(expect, "/notes").map(|one| format!("note {} at {}", text(one, "code"), text(one, "at"))),
    );
    let trace = run(vector);
    let mut found = BTreeSet::from([trace.verdict().as_str().to_owned()]);
    for layer in &trace.layers {
        found.extend(layer.notes.iter().map(|note| format!("note {} at {}", note.code, note.at)));
        // A vector gives the pointer of a text that cannot be read; where there is none, the byte is shown instead.
        let at = layer.at().split("byte ").next().unwrap_or_default();
        match layer.state {
            State::Established => {}
            State::NotEstablished => found.extend([format!("{} {} open", layer.id, layer.code())]),
            State::Refuted => found.extend([format!("{} {} at {at}", layer.id, layer.code())]),
        }
    }
    (expected, found)
}

#[test]
fn logs_and_proofs_beside_them_end_as_their_vectors_say() {
    let all = files(&folder("logs"));
    assert!(all.len() >= 20, "{} vectors", all.len());
    let wrong: Vec<String> = all
        .iter()
        .filter_map(|(path, vector)| {
            let (expected, found) = compare(vector);
            (expected != found)
                .then(|| format!("{}:\n  expected {expected:?}\n  found    {found:?}", path.display()))
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), all.len(), wrong.join("\n"));
}

/// Texts at these members are reason codes that a vector or an edit produces.
fn codes_of(expect: &Json, found: &mut BTreeSet<String>) {
    match expect {
        Json::Object(members) => {
            for (name, member) in members {
                // In the soundness matrix the refuted layers are an object: layer and code.
                if let ("refuted", Some(layers)) = (name.as_str(), member.as_object()) {
                    found.extend(layers.values().filter_map(Json::as_str).map(str::to_owned));
                }
                match member.as_str() {
                    Some(code) if ["code", "reject"].contains(&name.as_str()) => {
                        found.insert(code.to_owned());
                    }
                    _ => codes_of(member, found),
                }
            }
        }
        Json::Array(items) => items.iter().for_each(|item| codes_of(item, found)),
        _ => {}
    }
}

/// Codes that no vector can produce, and why. One that a vector does produce must not stand here.
const WITHOUT_A_VECTOR: &[(&str, &str)] = &[
    ("input.not-built", "only a build without a feature says it, of the layers that a vector's `needs` name"),
    ("ok", "it is what an established layer says"),
];

#[test]
fn every_reason_code_has_a_vector_that_produces_it() {
    let mut produced = BTreeSet::new();
    for (_, vector) in files(&folder("")) {
        codes_of(&vector["expect"], &mut produced);
        codes_of(&vector["classes"], &mut produced);
    }
    for exception in WITHOUT_A_VECTOR {
        assert!(!produced.contains(exception.0), "{} has a vector after all", exception.0);
        assert!(exception.1.len() > 10 && exception.0.parse::<Code>().is_ok(), "{exception:?}");
    }
    let excepted = |code: &Code| WITHOUT_A_VECTOR.iter().any(|(known, _)| *known == code.as_str());
    let missing: Vec<&str> = Code::ALL
        .iter()
        .filter(|code| !produced.contains(code.as_str()) && !excepted(code))
        .map(|code| code.as_str())
        .collect();
    assert!(missing.is_empty(), "no vector produces {missing:?}");
    let unknown: Vec<&String> = produced.iter().filter(|code| code.parse::<Code>().is_err()).collect();
    assert!(unknown.is_empty(), "vectors name codes that do not exist: {unknown:?}");
}
