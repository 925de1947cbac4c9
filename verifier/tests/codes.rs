//! No reason code exists without a vector that produces it.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use assayer_verifier::Code;
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
    // What a registry refuses has codes of the wire.
    let of_registries = |vector: &Json| vector["kind"] == "registration";
    for (_, vector) in files(&folder("")).into_iter().filter(|(_, vector)| !of_registries(vector)) {
        codes_of(&vector["expect"], &mut produced);
        codes_of(&vector["classes"], &mut produced);
        codes_of(&vector["cases"], &mut produced);
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
