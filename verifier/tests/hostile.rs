//! Every hostile input ends in a clear answer: the right code, soon, and in bounded memory. The bound on time is far
//! above what linear work takes in a debug build on a busy machine (a few seconds) and far below what quadratic work
//! would take (minutes).

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use base64ct::{Base64, Encoding};
use ed25519_dalek::{Signer, SigningKey};

use assayer_verifier::oversight::{
    DocumentKind, Log, Reading, Trust, explain, signing_bytes, verify_bundle, verify_head, verify_log,
    verify_proof,
};
use assayer_verifier::{
    Code, Document, Hash, Limits, Scheme, State, Trace, TreeHead, Verdict, canonicalize, empty_root,
    leaf_hash, verify_consistency, verify_inclusion,
};

const SOON: Duration = Duration::from_secs(30);

/// What is refused by default for its size is read all the same by whoever raises the bounds, and must be as harmless then.
const WIDE: Limits = Limits { bytes: 64 << 20, values: 4_000_000, ..Limits::DEFAULT };

fn soon<T>(what: &str, run: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = run();
    let took = start.elapsed();
    eprintln!("{what}: {took:?}");
    assert!(took < SOON, "{what} took {took:?}");
    result
}

/// The code of the refusal by the reader, which is that of the bundle, and, asked only about small inputs, of the head,
/// the proof and the log.
fn refusal(what: &str, input: &[u8]) -> Code {
    let limits = Limits::default();
    let error = soon(what, || Document::read(input, &limits).map(|_| ())).unwrap_err();
    assert!(error.offset <= input.len(), "{what}: {error}");
    let trust = Trust::default();
    let mut traces = vec![soon(what, || verify_bundle(input, &trust, &limits))];
    if input.len() < 2_000_000 {
        traces.push(soon(what, || verify_head(input, &trust, &limits)));
        traces.push(soon(what, || verify_proof(input, &trust, &limits)));
        traces.push(soon(what, || verify_log([input], &trust, &limits).1));
    }
    for trace in traces {
        assert_eq!(trace.verdict(), Verdict::Refuted, "{what}");
        assert_eq!(trace.refuted().next().map(|layer| layer.code()), Some(error.code), "{what}");
    }
    error.code
}

fn layer_code(trace: &Trace, id: &str) -> (State, Code) {
    trace.layer(id).map(|layer| (layer.state, layer.code())).unwrap()
}

fn bundle(input: &str) -> Trace {
    bundle_beside(input, &Trust::default())
}

fn bundle_beside(input: &str, trust: &Trust<'_>) -> Trace {
    assert!(Document::read(input.as_bytes(), &WIDE).is_ok(), "the input has to be readable");
    soon("bundle", || verify_bundle(input.as_bytes(), trust, &WIDE))
}

const REFUTED: State = State::Refuted;

#[test]
fn short_inputs_are_refused() {
    assert_eq!(refusal("nothing", b""), Code::JsonEmpty);
    assert_eq!(refusal("one space", b" "), Code::JsonEmpty);
    assert_eq!(refusal("line ends", b"\r\n\r\n"), Code::JsonEmpty);
    assert_eq!(refusal("one byte", b"x"), Code::JsonSyntax);
    assert_eq!(refusal("one quote", b"\""), Code::JsonEnd);
    assert_eq!(refusal("one byte above 127", b"\xFF"), Code::JsonUtf8);
    assert_eq!(refusal("NUL", b"\0"), Code::JsonSyntax);
    assert_eq!(refusal("a million NULs", &vec![0; 1_000_000]), Code::JsonSyntax);
    assert_eq!(refusal("a value and NUL", b"{}\0"), Code::JsonTrailing);
    assert_eq!(refusal("a byte order mark alone", b"\xEF\xBB\xBF"), Code::JsonBom);
    assert_eq!(refusal("a byte order mark", b"\xEF\xBB\xBF{}"), Code::JsonBom);
    assert_eq!(refusal("UTF-16", b"\xFF\xFE{\0}\0"), Code::JsonUtf8);
    for byte in 0..=u8::MAX {
        let digit = byte.is_ascii_digit();
        assert_eq!(Document::read(&[byte], &Limits::default()).is_ok(), digit, "{byte}");
    }
}

#[test]
fn line_ends_of_every_system_are_white_space() {
    let limits = Limits::default();
    for text in ["{\r\n}\r\n", "{\n}\n", "{\r}\r"] {
        assert!(Document::read(text.as_bytes(), &limits).is_ok());
        let trace = verify_bundle(text.as_bytes(), &Trust::default(), &limits);
        assert_eq!(layer_code(&trace, "shape"), (REFUTED, Code::MemberMissing));
    }
    assert_eq!(refusal("a raw line end in a string", b"\"a\r\nb\""), Code::JsonControlCharacter);
}

#[test]
fn too_many_bytes_are_refused_before_they_are_read() {
    assert_eq!(refusal("70 MB of spaces", &vec![b' '; 70 << 20]), Code::LimitsBytes);
    let most = Limits::DEFAULT.bytes;
    assert_eq!(refusal("spaces beyond the limit", &vec![b' '; most + 1]), Code::LimitsBytes);
    assert_eq!(refusal("spaces to the limit", &vec![b' '; most]), Code::JsonEmpty);
    assert_eq!(refusal("one string to the limit", &vec![b'"'; most]), Code::JsonTrailing);
    for item in [",0", ",[]", ",{}"] {
        let items = format!("[0{}]", item.repeat(1_000_000));
        assert_eq!(refusal("a million items", items.as_bytes()), Code::LimitsValues);
    }
    let names = object((0..300_000).map(|number| number.to_string()));
    assert_eq!(refusal("more names than are read", names.as_bytes()), Code::LimitsValues);
}

#[test]
fn deep_nesting_is_refused_where_it_gets_too_deep() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let text = format!("{}0{}", open.repeat(100_000), close.repeat(100_000));
        assert_eq!(refusal("100,000 levels", text.as_bytes()), Code::LimitsDepth);
        assert_eq!(refusal("100,000 levels, cut off", open.repeat(100_000).as_bytes()), Code::LimitsDepth);
    }
    let limits = Limits { depth: usize::MAX, ..Limits::default() };
    let error = Document::read("[".repeat(100_000).as_bytes(), &limits).map(|_| ()).unwrap_err();
    assert_eq!((error.code, error.offset), (Code::LimitsDepth, Limits::MAX_DEPTH));
}

/// Writers recurse: the deepest text that is ever read has to fit the 2 MiB stack of a thread.
#[test]
fn the_deepest_nesting_that_is_read_is_written_on_the_stack_of_a_thread() {
    let limits = Limits { depth: Limits::MAX_DEPTH, ..Limits::default() };
    for (open, close) in [("[", "]"), ("{\"é\":", "}"), ("{\"a\":[", "]}")] {
        let times = Limits::MAX_DEPTH / (1 + usize::from(open.ends_with(":[")));
        let text = format!("{}0{}", open.repeat(times), close.repeat(times));
        let document = Document::read(text.as_bytes(), &limits).unwrap();
        for scheme in Scheme::ALL {
            canonicalize(document.root(), scheme).unwrap();
        }
    }
}

#[test]
fn long_numbers_are_refused_and_long_strings_are_not() {
    let limits = Limits::default();
    for (before, after) in [("", ""), ("-", ""), ("0.", ""), ("1e", ""), ("[1,", "]"), ("1", "e+5")] {
        let text = format!("{before}{}{after}", "7".repeat(1_000_000));
        assert_eq!(refusal("a million digits", text.as_bytes()), Code::LimitsNumber);
    }
    assert_eq!(refusal("a million signs", "-".repeat(1_000_000).as_bytes()), Code::LimitsNumber);
    let longest = "7".repeat(limits.number);
    let document = Document::read(longest.as_bytes(), &limits).unwrap();
    assert_eq!(canonicalize(document.root(), Scheme::JcsExactIntegers).unwrap(), longest.as_bytes());
    assert_eq!(canonicalize(document.root(), Scheme::Jcs).unwrap_err().code, Code::CanonNumberRange);
    let exponent = format!("1e-{}", "9".repeat(4_000));
    let document = Document::read(exponent.as_bytes(), &limits).unwrap();
    assert_eq!(canonicalize(document.root(), Scheme::Jcs).unwrap(), b"0");

    let escaped = format!("\"{}\"", "\\u0000".repeat(200_000));
    let document = Document::read(escaped.as_bytes(), &limits).unwrap();
    for scheme in Scheme::ALL {
        assert_eq!(soon("many escapes", || canonicalize(document.root(), scheme)).unwrap().len(), 1_200_002);
    }
}

fn object(names: impl Iterator<Item = String>) -> String {
    let members: Vec<String> = names.map(|name| format!("\"{name}\":0")).collect();
    format!("{{{}}}", members.join(","))
}

#[test]
fn a_million_member_names_are_read_compared_and_sorted() {
    let limits = WIDE;
    let plain = object((0..1_000_000_u64).map(|number| format!("{:06}", (number * 7_919) % 1_000_000)));
    let document = soon("a million names", || Document::read(plain.as_bytes(), &limits)).unwrap();
    let written = soon("a million names, written", || canonicalize(document.root(), Scheme::Jcs)).unwrap();
    assert!(written.starts_with(br#"{"000000":0,"000001":0,"#));
    let fewer = object((0..200_000_u64).map(|number| number.to_string()));
    assert_eq!(layer_code(&bundle(&fewer), "shape"), (REFUTED, Code::MemberMissing));

    let last = plain.trim_end_matches('}').to_owned() + ",\"000000\":1}";
    let error = soon("and one again", || Document::read(last.as_bytes(), &limits).map(|_| ())).unwrap_err();
    assert_eq!((error.code, error.offset), (Code::JsonDuplicateKey, plain.len()));
}

/// Names that differ in one character, at the end of a long common beginning, each written with an escape.
#[test]
fn names_that_are_nearly_duplicates_cost_no_more_than_their_length() {
    let limits = WIDE;
    let short = object((0..100_000).map(|number| format!("\\u006{}{number}", number % 10)));
    soon("escaped names", || Document::read(short.as_bytes(), &limits).map(|_| ())).unwrap();
    // A million, every one escaped; and names that are alike at both ends.
    let many = object((0..1_000_000).map(|number| format!("\\u0061{number}")));
    soon("a million escaped names", || Document::read(many.as_bytes(), &limits).map(|_| ())).unwrap();
    let alike = object((0..200_000).rev().map(|number| format!("\\u0061aaaaaaa{number:06}aaaaaaaa")));
    soon("escaped names alike at both ends", || Document::read(alike.as_bytes(), &limits).map(|_| ()))
        .unwrap();
    for count in [16, 17, 200] {
        let beginning = "\\u0061".repeat(300_000 / count);
        let names = || (0..count).map(|number| format!("{beginning}{number:03}"));
        soon("long names", || Document::read(object(names()).as_bytes(), &limits).map(|_| ())).unwrap();
        let again = object(names().chain([format!("{}000", "a".repeat(300_000 / count))]));
        let error = soon("long names", || Document::read(again.as_bytes(), &limits).map(|_| ())).unwrap_err();
        assert_eq!(error.code, Code::JsonDuplicateKey);
        assert_eq!(error.offset, again.rfind("\"a").unwrap());
    }
}

/// Equal after normalization is not equal: RFC 8785 section 3.1 forbids to normalize.
#[test]
fn names_equal_after_unicode_normalization_are_different_names() {
    let text =
        "{\"\u{e9}\":1,\"e\u{301}\":2,\"\u{212b}\":3,\"\u{c5}\":4,\"A\u{30a}\":5,\"\u{fb01}\":6,\"fi\":7}";
    let document = Document::read(text.as_bytes(), &Limits::default()).unwrap();
    assert_eq!(document.root().members().count(), 7);
    assert_eq!(document.root().get("\u{e9}").and_then(|value| value.as_u64()), Some(1));
    assert_eq!(document.root().get("e\u{301}").and_then(|value| value.as_u64()), Some(2));
    for scheme in Scheme::ALL {
        canonicalize(document.root(), scheme).unwrap();
    }
    assert_eq!(refusal("the same name", "{\"\u{e9}\":1,\"\\u00e9\":2}".as_bytes()), Code::JsonDuplicateKey);
}

const KEY: &str = "b66d7d656568595fb75a2b51a617c83702ba0199aa86553883215f6694390a57";

/// A bundle that is nothing but lists; `manifest` and the lists are JSON texts.
fn skeleton(manifest: &str, lists: &[(&str, String)]) -> String {
    let mut text = format!(
        "{{\"file_id\":\"f\",\"registry_pub\":\"{KEY}\",\"bundle_signature_ed25519\":\"{}\",\"manifest\":{manifest}",
        "0".repeat(128)
    );
    for name in ["beacons", "watermarks", "events", "tlog_proofs"] {
        let list = lists.iter().find(|(given, _)| *given == name).map_or("", |(_, list)| list);
        write!(text, ",\"{name}\":[{list}]").unwrap();
    }
    text + "}"
}

fn times(count: usize, item: impl Fn(usize) -> String) -> String {
    (0..count).map(item).collect::<Vec<_>>().join(",")
}

fn proof(index: u64, size: u64, path: &str) -> String {
    let root = empty_root();
    format!(
        "{{\"index\":{index},\"leaf_hash\":\"{root}\",\"proof\":[{path}],\"root\":\"{root}\",\"tree_size\":{size}}}"
    )
}

/// The subjects of a statement are looked up among the marks of the manifest: many among many.
#[test]
fn many_subjects_of_an_attestation_beside_many_marks_are_refused() {
    let subjects = times(50_000, |_| "{\"name\":\"mark:x\"}".to_owned());
    let statement = format!("{{\"_type\":\"https://in-toto.io/Statement/v1\",\"subject\":[{subjects}]}}");
    let payload = Base64::encode_string(statement.as_bytes());
    let marks = times(200_000, |_| "{\"mark_id\":\"y\"}".to_owned());
    let text = skeleton(&format!("{{\"watermarks\":[{marks}]}}"), &[]);
    let text = text.trim_end_matches('}').to_owned()
        + &format!(
            ",\"rekor\":{{\"payloadType\":\"application/vnd.in-toto+json\",\"payload\":\"{payload}\",\"signatures\":[{{\"sig\":\"AAAA\"}}]}}}}"
        );
    let trace = bundle(&text);
    let layer = trace.layer("attestation").unwrap();
    assert_eq!((layer.state, layer.code()), (REFUTED, Code::AttestationStatement));
    assert!(layer.problems > 100_000, "{}", layer.problems);
}

#[test]
fn many_proofs_and_long_proofs_are_refused() {
    let hash = format!("\"{}\"", empty_root());
    let events = times(100_000, |row| format!("{{\"tlog_index\":{row}}}"));
    let proofs = times(100_000, |row| {
        format!("{{\"event_row\":{row},\"tlog_index\":{row},\"proof\":{}}}", proof(row as u64, 2, &hash))
    });
    let trace = bundle(&skeleton("{}", &[("events", events), ("tlog_proofs", proofs)]));
    assert_eq!(layer_code(&trace, "inclusion"), (REFUTED, Code::MerkleRootMismatch));
    assert_eq!(trace.layer("inclusion").unwrap().problems, 100_000);

    let one_event = || ("events", "{\"tlog_index\":0}".to_owned());
    let long = proof(0, 2, &times(100_000, |_| hash.clone()));
    let item = format!("{{\"event_row\":0,\"tlog_index\":0,\"proof\":{long}}}");
    let trace = bundle(&skeleton("{}", &[one_event(), ("tlog_proofs", item)]));
    assert_eq!(layer_code(&trace, "inclusion"), (REFUTED, Code::MerklePathLength));
    let trace = soon("a long proof", || verify_proof(long.as_bytes(), &Trust::default(), &WIDE));
    assert_eq!(layer_code(&trace, "inclusion"), (REFUTED, Code::MerklePathLength));

    let again = times(100_000, |_| "{\"event_row\":0}".to_owned());
    let trace = bundle(&skeleton("{}", &[one_event(), ("tlog_proofs", again)]));
    assert_eq!(layer_code(&trace, "inclusion"), (REFUTED, Code::ProofEncoding));
    assert_eq!(trace.layer("inclusion").unwrap().problems, 100_000);
}

#[test]
fn many_events_without_proofs_are_refused() {
    let events = times(100_000, |row| format!("{{\"id\":{row},\"tlog_index\":{row},\"timestamp\":{row}}}"));
    let trace = bundle(&skeleton("{}", &[("events", events)]));
    assert_eq!(layer_code(&trace, "inclusion"), (REFUTED, Code::EventProofMissing));
    assert_eq!(layer_code(&trace, "event-binding"), (REFUTED, Code::EventExtra));
    assert_eq!(layer_code(&trace, "event-order").1, Code::Ok);
    let same = times(100_000, |_| "{\"tlog_index\":0}".to_owned());
    let trace = bundle(&skeleton("{}", &[("events", same)]));
    assert_eq!(layer_code(&trace, "event-order"), (REFUTED, Code::EventDuplicateIndex));
    let trace = bundle(&skeleton("{}", &[("events", times(200_000, |_| "0".to_owned()))]));
    assert!(trace.layer("shape").unwrap().problems > 200_000);
}

#[test]
fn many_rows_are_compared_as_multisets() {
    let item = |number: usize| format!("{{\"token_id\":\"{number}\",\"kind\":\"dns\"}}");
    for (signed, stored) in [(1_900, 1_900), (50_000, 50_000)] {
        let manifest = format!("{{\"beacons\":[{}]}}", times(signed, item));
        let other = times(stored, |number| item(if number == 0 { signed } else { number }));
        let trace = bundle(&skeleton(&manifest, &[("beacons", other)]));
        let layer = trace.layer("beacon-rows").unwrap();
        assert_eq!((layer.code(), layer.at()), (Code::RowsDiffer, "/beacons/0"));
        let backwards = times(stored, |number| item(signed - 1 - number));
        let trace = bundle(&skeleton(&manifest, &[("beacons", backwards)]));
        assert_eq!(layer_code(&trace, "beacon-rows").1, Code::Ok);
    }
}

/// A text of the manifest that every row is compared with is neither decoded nor repeated for every row.
#[test]
fn a_long_identifier_is_not_copied_for_every_row() {
    for identifier in ["a".repeat(1_000_000), "\\u0061".repeat(50_000)] {
        let manifest = format!(
            "{{\"file_id\":\"{identifier}\",\"issuer_id\":\"{identifier}\",\"recipient\":{{\"recipient_id\":\"{identifier}\"}}}}"
        );
        let row = |_| "{\"file_id\":\"x\"}".to_owned();
        let lists = ["beacons", "watermarks", "events"].map(|name| (name, times(20_000, row)));
        let trace = bundle(&skeleton(&manifest, &lists));
        for layer in ["beacon-rows", "watermark-rows"] {
            assert_eq!(layer_code(&trace, layer), (REFUTED, Code::RowsDiffer));
        }
        assert_eq!(layer_code(&trace, "event-binding"), (REFUTED, Code::EventIdentityDiffers));

        let leaf = r#"{"event":"beacon","file_id":null,"token_id":"t"}"#;
        let records: Vec<String> = (0..20_000)
            .map(|index| {
                let hash = leaf_hash(leaf.as_bytes());
                format!("{{\"index\":{index},\"leaf_hash\":\"{hash}\",\"leaf_data\":{leaf:?}}}")
            })
            .collect();
        let (log, _) = Log::read(records.iter().map(String::as_bytes), &Limits::default());
        let head = log.head_at(20_000).unwrap();
        let (root, size) = (head.root, head.size);
        let signature = "0".repeat(128);
        let head = format!("{{\"size\":{size},\"root\":\"{root}\",\"signature\":\"{signature}\"}}");
        let text = skeleton(&manifest, &lists);
        let text = text.trim_end_matches('}').to_owned() + &format!(",\"tlog_head\":{head}}}");
        let text = text.replacen("\"file_id\":\"f\"", &format!("\"file_id\":\"{identifier}\""), 1);
        let trace = bundle_beside(&text, &Trust::default().log(Some(&log)));
        assert_eq!(layer_code(&trace, "registration"), (REFUTED, Code::LogRegistrationMissing));
        assert_eq!(layer_code(&trace, "completeness").1, Code::Ok);
    }
}

#[test]
fn the_largest_sizes_are_refused_without_arithmetic_going_wrong() {
    let root = empty_root();
    let head = |size: u64| TreeHead { size, root };
    for path in [0, 1, 63, 64, 65] {
        let path = vec![root; path];
        for size in [1 << 63, u64::MAX - 1, u64::MAX] {
            for index in [0, 1, size / 2, size - 1, size] {
                assert!(verify_inclusion(index, &root, &path, &head(size)).is_err());
            }
            for old in [0, 1, 2, 1 << 62, 1 << 63, u64::MAX - 1] {
                assert!(verify_consistency(&head(old), &head(size), &path[..]).is_err() || old == size);
            }
        }
    }
    // 2^64 - 1 is a size; 2^64 is none.
    let trust = Trust::default();
    for (size, code) in
        [("18446744073709551615", Code::MerklePathLength), ("18446744073709551616", Code::ProofEncoding)]
    {
        let text = proof(0, 7, "").replace(":7}", &format!(":{size}}}"));
        let trace = verify_proof(text.as_bytes(), &trust, &Limits::default());
        assert_eq!(layer_code(&trace, "inclusion"), (REFUTED, code), "{size}");
    }
    for (size, code) in
        [("18446744073709551615", Code::HeadMessageDiffers), ("18446744073709551616", Code::HeadEncoding)]
    {
        let text =
            format!("{{\"size\":{size},\"root\":\"{root}\",\"signature\":\"\",\"signed_message\":\"\"}}");
        let trace = verify_head(text.as_bytes(), &trust, &Limits::default());
        assert_eq!(layer_code(&trace, "tree-head"), (REFUTED, code), "{size}");
    }
}

fn record(index: u64) -> String {
    format!("{{\"index\":{index},\"leaf_hash\":\"{}\",\"leaf_data\":\"\"}}", leaf_hash(b""))
}

/// After the last index there is none: the numbering must not start again.
#[test]
fn no_entry_follows_the_last_index_of_all() {
    let (last, first) = (record(u64::MAX), record(0));
    let documents = [last.as_bytes(), first.as_bytes()];
    let (log, trace) = verify_log(documents, &Trust::default(), &Limits::default());
    assert_eq!(layer_code(&trace, "entries"), (REFUTED, Code::LogIndexGap));
    assert_eq!(log.leaf(u64::MAX).map(|leaf| leaf.hash), Some(leaf_hash(b"")));
    assert!(log.leaf(0).is_none() && log.head_at(1).is_none() && log.head_at(u64::MAX).is_none());
}

#[test]
fn long_logs_are_read_in_one_go() {
    let records: Vec<String> = (0..100_000).map(record).collect();
    let lines = || records.iter().map(String::as_bytes);
    let limits = Limits::default();
    let (log, trace) = soon("lines", || verify_log(lines(), &Trust::default(), &limits));
    assert_eq!((trace.verdict(), log.leaves().len()), (Verdict::Consistent, 100_000));
    let page = format!("{{\"start\":0,\"count\":100000,\"entries\":[{}]}}", records.join(","));
    let (_, trace) = soon("a page", || verify_log([page.as_bytes()], &Trust::default(), &WIDE));
    assert_eq!(trace.verdict(), Verdict::Consistent);
    let heads: Vec<TreeHead> = (0..30).map(|step| step * 400).filter_map(|size| log.head_at(size)).collect();
    let trust = Trust::default().heads(&heads);
    let (_, trace) = soon("dozens of heads", || verify_log(lines(), &trust, &limits));
    assert_eq!(layer_code(&trace, "log-root"), (State::Established, Code::Ok));
    // Nobody vouches for the leaves after the largest of them.
    assert_eq!(
        (trace.verdict(), layer_code(&trace, "log-end").1),
        (Verdict::Consistent, Code::LogBeyondHead)
    );
    let wrong = TreeHead { size: 100_000, root: Hash([0; 32]) };
    let heads = [wrong];
    let trust = Trust::default().heads(&heads);
    assert_eq!(verify_log(lines(), &trust, &limits).1.verdict(), Verdict::Refuted);
}

/// `extra` is JSON in a text in JSON: it has the limits of a document of its own.
#[test]
fn deep_extra_text_inside_of_an_event_is_refused() {
    for (kind, code) in [("http_img", Code::EventExtra), ("dns", Code::EventExtra)] {
        for depth in [900, 1_001, 100_000] {
            let extra = format!("{{\\\"qname\\\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
            let event = format!("{{\"kind\":\"{kind}\",\"tlog_index\":0,\"extra\":\"{extra}\"}}");
            let item = format!("{{\"event_row\":0,\"tlog_index\":0,\"proof\":{}}}", proof(0, 1, ""));
            let trace = bundle(&skeleton("{}", &[("events", event), ("tlog_proofs", item)]));
            assert_eq!(layer_code(&trace, "inclusion").1, Code::NotReached, "there is no head to lead to");
            let layer = trace.layer("event-binding").unwrap();
            assert_eq!((layer.state, layer.code()), (REFUTED, code), "{kind} {depth}");
            assert!(layer.problem.as_ref().unwrap().found.len() < 300);
        }
    }
}

/// A signature that fits nothing is tried on the text of every reading and scheme: what is dear to write, as much of it as is read.
#[test]
fn many_values_that_every_scheme_writes_otherwise_are_refused() {
    // A point of full order and a number: whether they fit is only found out with every text.
    let fitting_nothing = format!("{KEY}01{}", "00".repeat(31));
    let halfway = |number: usize| format!("{}.25", 1_424_953_923_781_206 + 4 * number);
    let small = |number: usize| format!("1.2345678901234567e-{}", number % 300);
    let names = |number: usize| format!("\"é{}\":1.5", (number * 7_919) % 200_000);
    let nulls = |number: usize| format!("\"é{}\":null", (number * 7_919) % 200_000);
    let list = |items: String| format!("{{\"x\":[\"é\",{items}]}}");
    for policy in [
        list(times(180_000, halfway)),
        list(times(165_000, small)),
        list(times(60_000, |_| "{\"a\":null}".to_owned())),
        format!("{{{}}}", times(90_000, names)),
        format!("{{{}}}", times(90_000, nulls)),
        format!("{{\"x\":\"{}\"}}", "\\u00e9".repeat(600_000)),
    ] {
        let manifest = format!(
            "{{\"file_id\":\"f\",\"issued_at\":0,\"policy\":{policy},\"issuer_ed25519_pub\":\"{KEY}\",\"signature_ed25519\":\"{}\"}}",
            fitting_nothing
        );
        let text = skeleton(&manifest, &[]).replace(&"0".repeat(128), &fitting_nothing);
        let trace =
            soon("many values", || verify_bundle(text.as_bytes(), &Trust::default(), &Limits::default()));
        for (layer, code) in [
            ("issuer-signature", Code::ManifestSignatureMismatch),
            ("registry-signature", Code::BundleSignatureMismatch),
        ] {
            assert_eq!(layer_code(&trace, layer), (REFUTED, code));
        }
    }
}

/// What is repeated from the outside is short, and says how long it was.
#[test]
fn long_values_are_cut_in_messages() {
    let text = format!("{{\"size\":\"{}\"}}", "é".repeat(1_000_000));
    let trace = verify_head(text.as_bytes(), &Trust::default(), &Limits::default());
    let layer = trace.layer("tree-head").unwrap();
    assert_eq!(layer.code(), Code::HeadEncoding);
    let found = &layer.problem.as_ref().unwrap().found;
    assert!(found.chars().count() < 240 && found.ends_with("… (2000002 bytes)"), "{found}");
}

/// No more of them are looked at than are shown: else each would be hashed with all that it is over.
#[test]
fn a_large_manifest_that_is_stamped_thousands_of_times_is_explained_soon() {
    let key = SigningKey::from_bytes(&[1; 32]);
    let (public, filling) = (hex(key.verifying_key().as_bytes()), "x".repeat(2_000_000));
    let manifest = |signature: &str| {
        format!(
            r#"{{"file_id":"f","issued_at":1,"issuer_ed25519_pub":"{public}","policy":{{"x":"{filling}"}},"signature_ed25519":"{signature}"}}"#
        )
    };
    let unsigned = manifest("");
    let document = Document::read(unsigned.as_bytes(), &WIDE).unwrap();
    let bytes = signing_bytes(document.root(), Reading::KeepNulls, Scheme::Jcs).unwrap();
    let signed = manifest(&hex(&key.sign(&bytes).to_bytes()));
    let stamps = vec![r#"{"over":"/manifest","token":"MAA="}"#; 100_000].join(",");
    let input = format!(r#"{{"manifest":{signed},"time_stamps":[{stamps}]}}"#);
    let explanation =
        soon("stamps", || explain(DocumentKind::Bundle, input.as_bytes(), &Trust::default(), &WIDE));
    let time = explanation.layers.iter().find(|detail| detail.layer == "time").unwrap();
    assert_eq!((time.bytes.len(), time.more), (16, 100_000 - 16));
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
