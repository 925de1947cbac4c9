//! What a log beside a bundle shows, and what a log that does not lead to the bundle's head cannot show.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

use assayer_verifier::oversight::{Log, LogPart, LogVerifier, Trust, verify_bundle};
use assayer_verifier::{GrowingTree, Limits, State, Trace, TreeHead, Verdict, leaf_hash, sha256};
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
    verify_bundle(bundle.as_bytes(), &Trust::default().log(Some(&log)), &Limits::default())
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

/// A line as the registries write them: with and without the hexadecimal form.
fn line(index: u64) -> String {
    let data = format!("{{\"n\":{index}}}");
    let mut record =
        json!({"index": index, "leaf_hash": leaf_hash(data.as_bytes()).to_hex(), "leaf_data": data});
    if index.is_multiple_of(3) {
        let hex: String = data.bytes().map(|byte| format!("{byte:02x}")).collect();
        record["leaf_data_hex"] = hex.into();
    }
    record.to_string()
}

fn heads(size: u64) -> Vec<TreeHead> {
    let mut tree = GrowingTree::new();
    let grown = (0..size).map(|index| {
        tree.push(leaf_hash(format!("{{\"n\":{index}}}").as_bytes()));
        tree.head()
    });
    grown.collect()
}

/// Replays a log in blocks of some lines each.
fn replay(lines: &[String], block: usize, known: &[TreeHead]) -> Trace {
    let limits = Limits::default();
    let mut verifier = LogVerifier::with_heads(known.iter().copied(), &limits);
    for (number, lines) in lines.chunks(block).enumerate() {
        let text = lines.join("\n") + "\n";
        verifier.add(LogPart::read((number * block) as u64 + 1, text.as_bytes(), &limits));
    }
    verifier.finish()
}

/// Every layer that is not established: id, code, place, number of problems. Nobody looked from vantage points here.
fn problems(trace: &Trace) -> Vec<(&str, &str, &str, usize)> {
    let open = trace.layers.iter().filter(|layer| layer.problem.is_some() && layer.id != "quorum");
    open.map(|layer| (layer.id, layer.code().as_str(), layer.at(), layer.problems)).collect()
}

#[test]
fn every_known_head_on_the_way_is_compared_wherever_blocks_end() {
    let lines: Vec<String> = (0..100).map(line).collect();
    let known = heads(100);
    for block in [1, 7, 16, 33, 100] {
        let trace = replay(&lines, block, &known);
        assert_eq!((problems(&trace), trace.verdict()), (vec![], Verdict::Authentic), "blocks of {block}");
        // One wrong head among a hundred right ones.
        for wrong in [0, 6, 15, 50, 99] {
            let mut known = known.clone();
            known.get_mut(wrong).unwrap().root = sha256(b"another log");
            let trace = replay(&lines, block, &known);
            assert_eq!(
                problems(&trace),
                [("log-root", "log.root-differs", "", 1)],
                "{wrong} in blocks of {block}"
            );
        }
    }
}

#[test]
fn a_head_beyond_the_end_and_leaves_beyond_the_last_head_are_not_established() {
    let lines: Vec<String> = (0..10).map(line).collect();
    let all = heads(20);
    let at = |size: usize| *all.get(size - 1).unwrap();
    let beyond = replay(&lines, 4, &[at(10), at(11), at(20)]);
    assert_eq!(problems(&beyond), [("log-root", "log.too-short", "", 1)]);
    let before = replay(&lines, 4, &[at(3), at(8)]);
    assert_eq!(problems(&before), [("log-end", "log.beyond-head", "", 1)]);
    assert_eq!(before.verdict(), Verdict::Consistent);
    let none = replay(&lines, 4, &[]);
    assert_eq!(problems(&none).len(), 2);
    let late: Vec<String> = (3..10).map(line).collect();
    assert_eq!(
        problems(&replay(&late, 4, &[at(10)])),
        [("log-root", "input.not-reached", "", 1), ("log-end", "input.not-given", "", 1)]
    );
}

/// A head whose size and root were read at two moments, as some releases sign it under load.
#[test]
fn a_root_of_one_leaf_more_is_refuted_and_remarked_on() {
    let lines: Vec<String> = (0..10).map(line).collect();
    let known = heads(10);
    let raced = TreeHead { size: 5, root: known.get(5).unwrap().root };
    for block in [1, 5, 6, 10] {
        let trace = replay(&lines, block, &[raced, *known.last().unwrap()]);
        let layer = trace.layer("log-root").unwrap();
        assert_eq!((layer.state, layer.notes.len()), (State::Refuted, 1), "blocks of {block}: {layer:?}");
    }
}

/// One bad line is named by its number, and the lines after it are still checked.
#[test]
fn the_one_bad_line_is_named_and_the_others_are_still_checked() {
    let good = || (0..12).map(line).collect::<Vec<String>>();
    let known = heads(12);
    type Change = fn(&mut Vec<String>);
    type Named = (&'static str, Change, &'static [(&'static str, &'static str, &'static str)]);
    let cases: [Named; 10] = [
        ("cut", |lines| lines[4].truncate(20), &[("json", "json.end", "line 5")]),
        ("cut at the end", |lines| lines[11].truncate(20), &[("json", "json.end", "line 12")]),
        ("bom", |lines| lines[4].insert(0, '\u{FEFF}'), &[("json", "json.bom", "line 5")]),
        (
            "foreign",
            |lines| lines[4] = "{\"manifest\":{}}".to_owned(),
            &[("entries", "log.encoding", "line 5: /index")],
        ),
        ("no object", |lines| lines[4] = "17".to_owned(), &[("entries", "log.encoding", "line 5: /index")]),
        ("left out", |lines| drop(lines.remove(4)), &[("entries", "log.index-gap", "line 5: /index")]),
        ("twice", |lines| lines[4] = lines[3].clone(), &[("entries", "log.index-gap", "line 5: /index")]),
        (
            "other leaf",
            |lines| lines[4] = lines[4].replace("\\\"n\\\":4", "\\\"n\\\":5"),
            &[("leaf-hashes", "log.leaf-hash-differs", "line 5: /leaf_hash")],
        ),
        (
            "other text",
            |lines| lines[3] = lines[3].replace("\\\"n\\\":3", "\\\"n\\\":4"),
            &[("leaf-hashes", "log.leaf-text-differs", "line 4: /leaf_data")],
        ),
        (
            "member twice",
            |lines| lines[4] = lines[4].replace("{\"index\"", "{\"index\":4,\"index\""),
            &[("json", "json.duplicate-key", "line 5: /index")],
        ),
    ];
    for (name, change, expected) in cases {
        for block in [1, 5, 12] {
            let mut lines = good();
            change(&mut lines);
            // A second defect, further on: it is found as well.
            lines[8] = lines[8].replace("\"leaf_hash\":\"", "\"leaf_hash\":\"00");
            let trace = replay(&lines, block, &known);
            let refuted = problems(&trace);
            let has = |(id, code, at): &(&str, &str, &str)| {
                refuted.iter().any(|found| (found.0, found.1, found.2) == (*id, *code, *at))
            };
            assert!(expected.iter().all(has), "{name} in blocks of {block}: {refuted:?}");
            let total: usize = trace.refuted().map(|layer| layer.problems).sum();
            assert!(total >= 2, "{name} in blocks of {block}: {refuted:?}");
        }
    }
}

#[test]
fn crlf_blank_lines_upper_case_and_a_missing_last_newline_change_nothing() {
    let known = heads(6);
    let lines: Vec<String> = (0..6).map(line).collect();
    let limits = Limits::default();
    let verify = |text: &str| {
        let mut verifier = LogVerifier::with_heads(known.iter().copied(), &limits);
        verifier.add(LogPart::read(1, text.as_bytes(), &limits));
        verifier.finish()
    };
    for text in [
        lines.join("\n"),
        lines.join("\r\n") + "\r\n",
        lines.join("\n\n  \n") + "\n",
        lines.join("\n").replace(",\"", " , \""),
    ] {
        let trace = verify(&text);
        assert_eq!((problems(&trace), trace.verdict()), (vec![], Verdict::Authentic), "{text}");
    }
    let hash = leaf_hash(b"{\"n\":2}").to_hex();
    let upper = verify(&lines.join("\n").replace(&hash, &hash.to_uppercase()));
    assert_eq!(upper.verdict(), Verdict::Authentic);
    assert_eq!(upper.layer("entries").unwrap().notes.len(), 1);
}

/// What could not be read takes its place with it, and only that: the rest is numbered on.
#[test]
fn bad_lines_are_counted_and_no_gap_is_made_of_them() {
    let mut lines: Vec<String> = (0..12).map(line).collect();
    for bad in [2, 3, 7] {
        lines[bad] = "nothing".to_owned();
    }
    for block in [1, 4, 12] {
        let trace = replay(&lines, block, &heads(2));
        let found = problems(&trace);
        assert_eq!(
            found.first(),
            Some(&("json", "json.syntax", "line 3", 3)),
            "blocks of {block}: {found:?}"
        );
        assert_eq!(
            trace.layer("entries").unwrap().state,
            State::NotEstablished,
            "blocks of {block}: {found:?}"
        );
        assert_eq!(
            trace.layer("log-root").unwrap().state,
            State::Established,
            "the head before the bad line"
        );
    }
}
