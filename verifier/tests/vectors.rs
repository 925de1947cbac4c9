//! The project's own vectors (`vectors/`), one table-driven runner a kind. A vector is one JSON file; the expectation
//! names the reason, the place and, for bundles, every layer that is refuted.

#![expect(
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops at the first surprise"
)]

mod vector;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use assayer_verifier::oversight::{Reading, Trust, signing_bytes, verify_bundle};
use assayer_verifier::{
    Code, Document, GrowingTree, Hash, Layer, Limits, Note, PublicKey, Scheme, Signature, State, Trace,
    TreeHead, Value, canonicalize, leaf_hash, verify, verify_consistency, verify_inclusion,
};
use serde_json::Value as Json;
use vector::Known;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors").join(name)
}

/// Every `.json` file below a folder, with its path below `vectors/` as its name.
fn vectors(name: &str) -> Vec<(String, Json)> {
    let mut found = Vec::new();
    let mut open = vec![folder(name)];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "json") {
                let id = path.strip_prefix(folder("")).unwrap().with_extension("").display().to_string();
                found.push((id, serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap()));
            }
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

/// Runs every vector of a folder; `run` gives back what is wrong, if anything.
fn run_all(name: &str, at_least: usize, run: impl Fn(&Json) -> Result<(), String>) {
    let all = vectors(name);
    assert!(all.len() >= at_least, "{name}: {} vectors, expected at least {at_least}", all.len());
    let wrong: Vec<String> = all
        .iter()
        .filter_map(|(id, vector)| run(vector).err().map(|error| format!("{id}: {error}")))
        .collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), all.len(), wrong.join("\n"));
}

fn text<'v>(value: &'v Json, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Json::as_str).unwrap_or_else(|| panic!("no text at {pointer}"))
}

fn unhex(hex: &str) -> Vec<u8> {
    assert!(hex.len().is_multiple_of(2), "odd length of {hex}");
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn input(vector: &Json) -> Vec<u8> {
    match vector.pointer("/input/text") {
        Some(text) => text.as_str().unwrap().as_bytes().to_vec(),
        None => unhex(text(vector, "/input/hex")),
    }
}

fn same(expected: &str, found: &str) -> Result<(), String> {
    if expected == found { Ok(()) } else { Err(format!("expected {expected}, found {found}")) }
}

/// `accept`, or the reason code that the vector names.
fn expectation(vector: &Json) -> &str {
    let expect = &vector["expect"];
    expect.as_str().unwrap_or_else(|| text(expect, "/reject"))
}

fn outcome<T>(result: Result<T, Code>) -> &'static str {
    result.map_or_else(Code::as_str, |_| "accept")
}

#[test]
fn json_texts_are_read_or_refused_for_the_named_reason_at_the_named_place() {
    run_all("json", 100, |vector| {
        let mut limits = Limits::default();
        let bound = |name: &str| vector.pointer(&format!("/input/limits/{name}")).and_then(Json::as_u64);
        limits.bytes = bound("bytes").map_or(limits.bytes, |bytes| bytes as usize);
        limits.depth = bound("depth").map_or(limits.depth, |depth| depth as usize);
        limits.number = bound("number").map_or(limits.number, |number| number as usize);
        limits.values = bound("values").map_or(limits.values, |values| values as usize);
        let bytes = input(vector);
        match Document::read(&bytes, &limits) {
            Ok(_) => same(expectation(vector), "accept"),
            Err(error) => {
                same(expectation(vector), error.code.as_str())?;
                let place = (vector["expect"]["offset"].as_u64(), vector["expect"]["pointer"].as_str());
                let found = (Some(error.offset as u64), Some(error.pointer.as_str()));
                if place == found {
                    Ok(())
                } else {
                    Err(format!("expected at {place:?}, found at {found:?}"))
                }
            }
        }
    });
}

/// Every case of every group of `canonicalization`, with its group.
fn canonicalizations() -> Vec<(String, Json)> {
    let groups = vectors("canonicalization");
    assert_eq!(groups.len(), 9, "groups of canonicalization");
    let cases = groups.into_iter().flat_map(|(_, group)| {
        assert!(text(&group, "/why").len() > 10);
        group["cases"].as_array().unwrap().clone()
    });
    cases.map(|case| (text(&case, "/id").to_owned(), case)).collect()
}

fn canonicalized(bytes: &[u8], scheme: Scheme) -> Result<Vec<u8>, Code> {
    let document = Document::read(bytes, &Limits::default()).map_err(|error| error.code)?;
    canonicalize(document.root(), scheme).map_err(|error| error.code)
}

#[test]
fn canonical_bytes_are_those_of_the_named_scheme() {
    let cases = canonicalizations();
    assert!(cases.len() >= 600, "{} cases", cases.len());
    let mut wrong = Vec::new();
    for (id, case) in &cases {
        let bytes = unhex(text(case, "/hex"));
        assert!(case["text"].as_str().is_none_or(|text| text.as_bytes() == bytes), "{id}: text and hex");
        for (scheme, expected) in case["outcomes"].as_object().unwrap() {
            let found = canonicalized(&bytes, scheme.parse().unwrap());
            let agrees = match (&found, expected["reject"].as_str()) {
                (Err(code), Some(expected)) => code.as_str() == expected,
                (Ok(found), None) => {
                    let hash = assayer_verifier::sha256(found).to_hex();
                    *found == unhex(text(expected, "/hex")) && hash == text(expected, "/sha256")
                }
                _ => false,
            };
            if !agrees {
                wrong.push(format!("{id}, {scheme}: expected {expected}, found {found:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}

/// Five outcomes a case, each of two sources at least; what a scheme refuses has a twin that it accepts.
#[test]
fn canonicalizations_keep_the_rules_of_the_house() {
    let cases = canonicalizations();
    let ids: BTreeSet<&str> = cases.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(ids.len(), cases.len(), "an id stands twice");
    let accepted: BTreeSet<(&str, &str)> = cases
        .iter()
        .flat_map(|(id, case)| {
            let outcomes = case["outcomes"].as_object().unwrap().iter();
            outcomes
                .filter(|(_, found)| found["hex"].is_string())
                .map(move |(scheme, _)| (id.as_str(), scheme.as_str()))
        })
        .collect();
    for (id, case) in &cases {
        assert!(text(case, "/why").len() > 10 && !text(case, "/spec").is_empty(), "{id}");
        assert_eq!(case["outcomes"].as_object().unwrap().len(), 5, "{id}");
        for (scheme, outcome) in case["outcomes"].as_object().unwrap() {
            assert!(outcome["sources"].as_array().unwrap().len() >= 2, "{id}: {scheme} has one source");
            let Some(code) = outcome["reject"].as_str() else { continue };
            code.parse::<Code>().unwrap_or_else(|error| panic!("{id}: {error}"));
            assert!(accepted.contains(&(text(outcome, "/twin"), scheme)), "{id}: the twin under {scheme}");
        }
    }
}

/// A release: its scheme and its readings.
fn written_by(table: &Json, release: &str, manifest: Value<'_>) -> BTreeSet<Vec<u8>> {
    let rules = &table["releases"][release];
    let scheme: Scheme = text(rules, "/scheme").parse().unwrap();
    let names: Vec<&str> =
        rules["readings"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    let readings = Reading::ALL.into_iter().filter(|reading| names.contains(&reading.as_str()));
    readings.filter_map(|reading| signing_bytes(manifest, reading, scheme)).collect()
}

fn texts_of(list: &Json) -> BTreeSet<&str> {
    list.as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect()
}

/// `oversight/manifests.json`: the verifier finds each message under the listed readings and schemes and under no others, and a release
/// takes exactly what its readings and its scheme write.
#[test]
fn manifests_verify_under_the_schemes_and_releases_of_the_table() {
    let table = vectors("oversight").pop().unwrap().1;
    let cases = table["cases"].as_array().unwrap();
    assert!(cases.len() >= 100, "{} cases", cases.len());
    let mut wrong = Vec::new();
    // A signature that is right, of another manifest.
    let other = text(&cases[0], "/signed/0/signature");
    for case in cases {
        let id = text(case, "/id");
        let manifest = text(case, "/manifest");
        let read = Document::read(manifest.as_bytes(), &Limits::default());
        let code = read.as_ref().err().map(|error| error.code.as_str());
        if code != case["unreadable"].as_str() {
            wrong.push(format!("{id}: {code:?}"));
        }
        let Ok(document) = read else { continue };
        for message in case["signed"].as_array().unwrap() {
            let at = format!("{id}, {}", text(message, "/sha256"));
            wrong.extend(unlike(document.root(), message).map(|what| format!("{at}: {what}")));
            wrong.extend(unlike_layer(manifest, message, other).map(|what| format!("{at}: {what}")));
        }
        for (release, told) in case["releases"].as_object().unwrap() {
            let written = written_by(&table, release, document.root());
            let taken = told["accepts"].as_array().into_iter().flatten();
            let taken = taken.map(|at| &case["signed"][at.as_u64().unwrap() as usize]);
            // What fits nothing is signed with another integer, which the verifier does not take for the manifest.
            let taken = taken.filter(|message| message["fits"][0].is_array());
            let taken: BTreeSet<Vec<u8>> =
                taken.map(|message| text(message, "/text").as_bytes().to_vec()).collect();
            let as_told = if told["besides"] == true { !written.is_empty() } else { taken == written };
            if !as_told {
                wrong.push(format!("{id}, {release}: {} messages, expected {}", written.len(), taken.len()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}

/// What is unlike the table in the readings and schemes that write a message.
fn unlike(manifest: Value<'_>, message: &Json) -> Option<String> {
    let bytes = text(message, "/text").as_bytes();
    let pairs = Reading::ALL.into_iter().flat_map(|reading| Scheme::ALL.map(|scheme| (reading, scheme)));
    let found: BTreeSet<(&str, &str)> = pairs
        .filter(|(reading, scheme)| signing_bytes(manifest, *reading, *scheme).as_deref() == Some(bytes))
        .map(|(reading, scheme)| (reading.as_str(), scheme.as_str()))
        .collect();
    let listed = message["fits"].as_array().unwrap().iter().map(|pair| (text(pair, "/0"), text(pair, "/1")));
    let listed: BTreeSet<(&str, &str)> = listed.collect();
    let hash = assayer_verifier::sha256(bytes).to_hex();
    (found != listed || hash != text(message, "/sha256")).then(|| format!("{found:?}, expected {listed:?}"))
}

/// The same for the layer that judges the signature; the signature of another message must be refuted.
fn unlike_layer(manifest: &str, message: &Json, other: &str) -> Option<String> {
    let layer = |signature: &str| {
        let signed = format!("\"signature_ed25519\":\"{signature}\"");
        let bundle = format!("{{\"manifest\":{}}}", manifest.replace("\"signature_ed25519\":\"\"", &signed));
        let trace = verify_bundle(bundle.as_bytes(), &Trust::default(), &Limits::default());
        trace.layer("issuer-signature").unwrap().clone()
    };
    let found = layer(text(message, "/signature"));
    let schemes: BTreeSet<&str> = found.schemes.iter().map(|scheme| scheme.as_str()).collect();
    let readings: BTreeSet<&str> = found.readings.iter().copied().collect();
    let state = if message["fits"][0].is_array() { State::Established } else { State::Refuted };
    if found.state != state
        || schemes != texts_of(&message["schemes"])
        || readings != texts_of(&message["readings"])
    {
        return Some(format!("{:?}: {schemes:?} {readings:?}", found.problem));
    }
    let is_other = text(message, "/signature") != other;
    (is_other && layer(other).state != State::Refuted)
        .then(|| "the signature of another manifest fits".to_owned())
}

fn hash(value: &Json, pointer: &str) -> Hash {
    Hash::from_hex(text(value, pointer)).unwrap()
}

fn hashes(value: &Json, pointer: &str) -> Vec<Hash> {
    value
        .pointer(pointer)
        .unwrap()
        .as_array()
        .unwrap()
        .iter()
        .map(|hash| Hash::from_hex(hash.as_str().unwrap()).unwrap())
        .collect()
}

#[test]
fn merkle_roots_and_proofs() {
    run_all("merkle", 60, |vector| {
        let input = &vector["input"];
        let number = |name: &str| input[name].as_u64().unwrap();
        let head = |size: &str, root: &str| TreeHead { size: number(size), root: hash(input, root) };
        match text(input, "/operation") {
            "root" => {
                let mut tree = GrowingTree::new();
                for leaf in input["leaves"].as_array().unwrap() {
                    tree.push(leaf_hash(&unhex(leaf.as_str().unwrap())));
                }
                same(text(vector, "/output/root"), &tree.head().root.to_hex())
            }
            "inclusion" => {
                let head = head("tree_size", "/root");
                let leaf = hash(input, "/leaf_hash");
                same(
                    expectation(vector),
                    outcome(verify_inclusion(number("index"), &leaf, &hashes(input, "/path"), &head)),
                )
            }
            _ => {
                let (old, new) = (head("old_size", "/old_root"), head("new_size", "/new_root"));
                same(expectation(vector), outcome(verify_consistency(&old, &new, &hashes(input, "/path"))))
            }
        }
    });
}

#[test]
fn signatures_are_accepted_or_refused_for_the_named_reason() {
    run_all("signatures", 40, |vector| {
        let input = &vector["input"];
        let key = PublicKey::from_slice(&unhex(text(input, "/public_key")));
        let signature = Signature::from_slice(&unhex(text(input, "/signature")));
        let message = unhex(text(input, "/message"));
        let result = match (key, signature) {
            (None, _) => Err(Code::Ed25519KeyLength),
            (Some(key), None) => {
                assayer_verifier::VerifiedKey::new(&key).and(Err(Code::Ed25519SignatureLength))
            }
            (Some(key), Some(signature)) => verify(&key, &message, &signature),
        };
        same(expectation(vector), outcome(result))
    });
}

/// The layer that the vector is about, where this build leaves out what the layer takes.
fn layer_not_built(expect: &Json) -> Option<&str> {
    let needs = expect["needs"].as_array().into_iter().flatten();
    let is_built = |feature: &str| match feature {
        "post-quantum" => cfg!(feature = "post-quantum"),
        "rfc3161" => cfg!(feature = "rfc3161"),
        other => panic!("no feature {other}"),
    };
    needs.filter(|need| !is_built(text(need, "/feature"))).map(|need| text(need, "/layer")).next()
}

fn ends_as(trace: &Trace, id: &str, state: &str, code: &str) -> Result<(), String> {
    let layer = trace.layer(id).ok_or_else(|| format!("no layer {id}"))?;
    let found = format!("{} {}", layer.state.as_str(), layer.code());
    same(&format!("{state} {code}"), &found).map_err(|error| format!("{id}: {error}"))
}

#[test]
fn bundles_are_judged_layer_by_layer() {
    run_all("bundles", 200, |vector| {
        let known = Known::of(&vector["input"]["trust"]);
        let trust = known.trust();
        let trace = verify_bundle(text(vector, "/input/bundle").as_bytes(), &trust, &Limits::default());
        let expect = &vector["expect"];
        if let Some(layer) = layer_not_built(expect) {
            return ends_as(&trace, layer, "not-established", "input.not-built");
        }
        same(text(expect, "/verdict"), trace.verdict().as_str())
            .map_err(|error| format!("verdict: {error}: {:?}", trace.refuted().collect::<Vec<_>>()))?;

        let refuted = expect["refuted"].as_array().unwrap();
        let found: Vec<_> = trace.refuted().collect();
        let agrees = refuted.len() == found.len()
            && refuted.iter().zip(&found).all(|(expected, found)| {
                // A more precise place, below the named one, is as good.
                text(expected, "/layer") == found.id
                    && text(expected, "/code") == found.code().as_str()
                    && found.at().starts_with(text(expected, "/at"))
            });
        if !agrees {
            return Err(format!("refuted: expected {refuted:?}, found {found:?}"));
        }
        for id in expect["established"].as_array().unwrap() {
            let id = id.as_str().unwrap();
            let layer = trace.layer(id).ok_or_else(|| format!("no layer {id}"))?;
            same("established", layer.state.as_str()).map_err(|error| format!("{id}: {error}: {layer:?}"))?;
        }
        for open in expect["open"].as_array().into_iter().flatten() {
            ends_as(&trace, text(open, "/layer"), "not-established", text(open, "/code"))?;
            if let Some(at) = open["at"].as_str() {
                same(at, trace.layer(text(open, "/layer")).map_or("", Layer::at))?;
            }
        }
        for note in expect["notes"].as_array().into_iter().flatten() {
            let same =
                |found: &Note| found.code.as_str() == text(note, "/code") && found.at == text(note, "/at");
            if !trace.layers.iter().flat_map(|layer| &layer.notes).any(same) {
                return Err(format!("expected the note {note}"));
            }
        }
        for (id, schemes) in expect["schemes"].as_object().into_iter().flatten() {
            let expected: BTreeSet<&str> =
                schemes.as_array().unwrap().iter().filter_map(Json::as_str).collect();
            // The vectors name the three forms that implementations write.
            let implemented = [Scheme::PythonSortKeys, Scheme::JcsExactIntegers, Scheme::SerdeJcs01];
            let found = trace
                .layer(id)
                .ok_or("no layer")?
                .schemes
                .iter()
                .filter(|scheme| implemented.contains(scheme));
            let found: BTreeSet<&str> = found.map(|scheme| scheme.as_str()).collect();
            // Where only one implementation can read the manifest the vector names only its form, though others have
            // the same bytes.
            let readings = &trace.layer(id).ok_or("no layer")?.readings;
            let all = readings.is_empty() || readings.contains(&"drop-nulls");
            if !(expected == found || !all && expected.is_subset(&found)) {
                return Err(format!("{id}: expected schemes {expected:?}, found {found:?}"));
            }
        }
        Ok(())
    });
}

/// Every vector says why it is there; every rejection has an accepted twin; every reason is a known one.
#[test]
fn vectors_keep_the_rules_of_the_house() {
    let all: Vec<(String, Json)> = ["json", "merkle", "signatures", "bundles", "heads", "logs", "proofs"]
        .into_iter()
        .flat_map(vectors)
        .collect();
    let accepts = |vector: &Json| {
        vector["expect"] == "accept"
            || vector.pointer("/expect/refuted").and_then(Json::as_array).is_some_and(Vec::is_empty)
    };
    let accepted: BTreeSet<&str> =
        all.iter().filter(|(_, vector)| accepts(vector)).map(|(id, _)| id.as_str()).collect();
    let mut codes = BTreeSet::new();
    for (id, vector) in &all {
        assert!(text(vector, "/why").len() > 10 && !text(vector, "/spec").is_empty(), "{id}");
        if accepts(vector) {
            continue;
        }
        let twin = vector["twin"].as_str().unwrap_or_else(|| panic!("{id} names no twin"));
        assert!(accepted.contains(twin), "{id}: the twin {twin} is not accepted");
        let named = vector.pointer("/expect/refuted").and_then(Json::as_array).into_iter().flatten();
        let named = named
            .map(|layer| text(layer, "/code"))
            .chain(vector.pointer("/expect/reject").and_then(Json::as_str));
        codes.extend(named.map(|code| code.parse::<Code>().unwrap_or_else(|error| panic!("{id}: {error}"))));
    }
    assert!(codes.len() >= 60, "only {} codes are reached", codes.len());
}
