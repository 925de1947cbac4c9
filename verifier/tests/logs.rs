//! What a log beside a bundle shows, and what a log that does not lead to the bundle's head cannot show.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use assayer_verifier::oversight::{Log, Trust, verify_bundle};
use assayer_verifier::{Limits, State, Trace, Verdict, leaf_hash};
use serde_json::{Value as Json, json};

/// A good bundle, and the records of its log.
fn vector() -> (String, Vec<Json>) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors/bundles/good/with-log.json");
    let vector: Json = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let text = |pointer: &str| vector.pointer(pointer).and_then(Json::as_str).unwrap();
    let records = text("/input/trust/log").lines().map(|line| serde_json::from_str(line).unwrap());
    (text("/input/bundle").to_owned(), records.collect())
}

fn verify(bundle: &str, records: &[Json]) -> Trace {
    let lines: Vec<String> = records.iter().map(Json::to_string).collect();
    let (log, layers) = Log::read(lines.iter().map(String::as_bytes), &Limits::default());
    assert!(layers.iter().all(|layer| layer.state == State::Established), "{layers:?}");
    verify_bundle(bundle.as_bytes(), &Trust { log: Some(&log), ..Trust::default() }, &Limits::default())
}

fn ends(trace: &Trace) -> Vec<(&str, &str, &str)> {
    let layers = ["registration", "completeness", "log-root"].map(|id| trace.layer(id).unwrap());
    layers.map(|layer| (layer.id, layer.state.as_str(), layer.code().as_str())).to_vec()
}

/// A record with its event's text changed, rightly hashed: a log of its own.
fn rewritten(record: &Json, from: &str, to: &str) -> Json {
    let data = record["leaf_data"].as_str().unwrap();
    assert!(data.contains(from), "{data}");
    let data = data.replace(from, to);
    json!({"index": record["index"], "leaf_hash": leaf_hash(data.as_bytes()).to_hex(), "leaf_data": data})
}

#[test]
fn the_log_of_the_head_shows_registration_completeness_and_root() {
    let (bundle, records) = vector();
    let shown = ["registration", "completeness", "log-root"].map(|id| (id, "established", "ok"));
    assert_eq!(ends(&verify(&bundle, &records)), shown);
}

#[test]
fn a_download_that_stopped_early_shows_nothing_and_accuses_nobody() {
    let (bundle, records) = vector();
    for length in 1..records.len() {
        let trace = verify(&bundle, records.get(..length).unwrap());
        let open =
            ["registration", "completeness", "log-root"].map(|id| (id, "not-established", "log.too-short"));
        assert_eq!((trace.verdict(), ends(&trace)), (Verdict::Consistent, open.to_vec()), "{length} records");
    }
}

#[test]
fn a_log_that_leads_elsewhere_shows_no_registration() {
    let (bundle, mut records) = vector();
    let last = records.pop().unwrap();
    records.push(rewritten(&last, "2026", "2025"));
    let expected = [
        ("registration", "not-established", "log.root-differs"),
        ("completeness", "not-established", "log.root-differs"),
        ("log-root", "refuted", "log.root-differs"),
    ];
    assert_eq!(ends(&verify(&bundle, &records)), expected);
}
