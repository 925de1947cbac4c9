//! What holds for every input, whatever it is. Each law panics when it is broken. Shared by `properties.rs`, which
//! tries generated inputs, and by the fuzz targets (`fuzz/`), which look for inputs of their own.

use assayer_verifier::oversight::{
    BUNDLE_LAYERS, DocumentKind, Log, LogPart, LogVerifier, Trust, verify_bundle as verify,
    verify_consistency_proof, verify_equivocation_proof, verify_head, verify_log as verify_pages,
    verify_proof,
};
use assayer_verifier::{
    Code, Document, Kind, Limits, PublicKey, ReadError, Scheme, State, Trace, TreeHead, Value, Verdict,
    canonicalize as write, empty_root, push_token,
};

/// The keys of `vectors/generate`: bundles made from the vectors are authentic under them.
const REGISTRY_KEY: &str = "b66d7d656568595fb75a2b51a617c83702ba0199aa86553883215f6694390a57";
const ISSUER_KEY: &str = "54d1d8eabd1af76876a791a81dee3840ac515968ac90cab99c4182b2c4d65dc0";

/// A text is refused at a place inside of it, or read into values whose texts and pointers lead back to them.
pub(crate) fn json_reader(input: &[u8]) {
    match Document::read(input, &Limits::default()) {
        Err(error) => refusal_is_placed(&error, input),
        Ok(document) => {
            assert_eq!(document.text().as_bytes(), input);
            let root = document.root();
            assert_eq!(root.raw(), document.text().trim_matches([' ', '\t', '\n', '\r']));
            spans_lie_inside(root, root.offset());
            // A pointer is followed from the root, so that all of them together are quadratic.
            if input.len() < 4_096 {
                pointers_lead_back(root, root, &mut String::new());
            }
            tighter_limits_refuse(input, root);
            every_canonical_text_is_canonical(root);
        }
    }
}

fn refusal_is_placed(error: &ReadError, input: &[u8]) {
    let group = error.code.as_str();
    assert!(group.starts_with("json.") || group.starts_with("limits."), "{error}");
    assert!(error.offset <= input.len(), "{error}");
    assert!(error.pointer.is_empty() || error.pointer.starts_with('/'), "{error}");
    assert!(!error.to_string().is_empty());
}

/// Children lie inside of their parent, one after the other, and read alone they are the same value.
fn spans_lie_inside(value: Value<'_>, mut from: usize) {
    let end = value.offset() + value.raw().len();
    let mut inside = |child: Value<'_>| {
        assert!(child.offset() >= from && child.offset() + child.raw().len() <= end);
        from = child.offset() + child.raw().len();
    };
    let kinds = [
        (Kind::String, value.as_str().is_some()),
        (Kind::Number, value.number_text().is_some()),
        (Kind::Bool, value.as_bool().is_some()),
        (Kind::Null, value.is_null()),
    ];
    for (kind, is) in kinds {
        assert_eq!(value.kind() == kind, is);
    }
    assert!(value.kind() == Kind::Object || value.members().next().is_none());
    assert!(value.kind() == Kind::Array || value.items().next().is_none());
    for (key, member) in value.members() {
        inside(key);
        assert_eq!(key.kind(), Kind::String);
        inside(member);
        spans_lie_inside(member, member.offset());
    }
    for item in value.items() {
        inside(item);
        spans_lie_inside(item, item.offset());
    }
}

fn pointers_lead_back(root: Value<'_>, value: Value<'_>, pointer: &mut String) {
    let found = root.at(pointer).map(|found| (found.offset(), found.raw()));
    assert_eq!(found, Some((value.offset(), value.raw())), "{pointer}");
    let length = pointer.len();
    for (key, member) in value.members() {
        push_token(pointer, &key.as_str().unwrap_or_default());
        pointers_lead_back(root, member, pointer);
        pointer.truncate(length);
    }
    for (position, item) in value.items().enumerate() {
        push_token(pointer, &position.to_string());
        pointers_lead_back(root, item, pointer);
        pointer.truncate(length);
    }
}

/// The limits are exact: what is needed suffices, and one less is refused for that reason.
fn tighter_limits_refuse(input: &[u8], root: Value<'_>) {
    let mut needed = Limits { bytes: input.len(), depth: 0, number: 0, values: 0 };
    measure(root, 0, &mut needed);
    assert!(Document::read(input, &needed).is_ok(), "{needed:?}");
    let refused = |limits: Limits, code: Code| {
        let found = Document::read(input, &limits).map(|_| ()).map_err(|error| error.code);
        assert_eq!(found, Err(code), "{limits:?}");
    };
    refused(Limits { bytes: needed.bytes - 1, ..needed }, Code::LimitsBytes);
    refused(Limits { values: needed.values - 1, ..needed }, Code::LimitsValues);
    if needed.depth > 0 {
        refused(Limits { depth: needed.depth - 1, ..needed }, Code::LimitsDepth);
    }
    if needed.number > 0 {
        refused(Limits { number: needed.number - 1, ..needed }, Code::LimitsNumber);
    }
}

fn measure(value: Value<'_>, depth: usize, needed: &mut Limits) {
    let nested = usize::from(matches!(value.kind(), Kind::Array | Kind::Object));
    needed.depth = needed.depth.max(depth + nested);
    needed.values += 1;
    needed.number = needed.number.max(value.number_text().map_or(0, str::len));
    for (_, member) in value.members() {
        needed.values += 1;
        measure(member, depth + 1, needed);
    }
    for item in value.items() {
        measure(item, depth + 1, needed);
    }
}

/// What a scheme writes can be read again, and is then written the same.
fn every_canonical_text_is_canonical(root: Value<'_>) {
    for scheme in Scheme::ALL {
        let once = match write(root, scheme) {
            Ok(once) => once,
            Err(error) => {
                assert!(matches!(error.code, Code::CanonFloat | Code::CanonNumberRange), "{error}");
                assert!(root.raw().contains(&error.number));
                continue;
            }
        };
        // Canonical texts of numbers can be longer than what was written: `1e20`.
        let limits = Limits { bytes: once.len(), ..Limits::default() };
        match Document::read(&once, &limits) {
            Ok(document) => {
                assert_eq!(write(document.root(), scheme).as_ref(), Ok(&once), "{scheme}");
            }
            // Python writes what overflows a double as `Infinity`, which is no JSON.
            Err(error) => {
                assert!(scheme.as_str().starts_with("python-"), "{scheme}: {error}");
                assert!(once.windows(8).any(|bytes| bytes == b"Infinity"), "{scheme}: {error}");
            }
        }
    }
}

/// The first byte chooses a scheme and white space; the rest is the text. Written and read between other values, a
/// value has the same canonical bytes, and those of a list are those of its items.
pub(crate) fn canonicalize(input: &[u8]) {
    let Some((choice, text)) = input.split_first() else { return };
    let limits = Limits { depth: 900, ..Limits::default() };
    let Ok(document) = Document::read(text, &limits) else { return };
    let scheme = Scheme::ALL[usize::from(*choice) % Scheme::ALL.len()];
    let space = [&b""[..], b" ", b"\t\r\n", b"  \n"][usize::from(*choice) / Scheme::ALL.len() % 4];
    let alone = write(document.root(), scheme);
    let listed = [b"[", space, text, space, b",", space, text, b"]"].concat();
    let list = Document::read(&listed, &Limits::default()).map(|list| write(list.root(), scheme));
    match (alone, list) {
        (Ok(alone), Ok(Ok(list))) => {
            assert_eq!([b"[", &alone[..], b",", &alone, b"]"].concat(), list);
            re_spelling_changes_nothing(document.root(), scheme, &alone);
        }
        (Err(alone), Ok(Err(list))) => assert_eq!((alone.code, alone.number), (list.code, list.number)),
        (alone, list) => panic!("{scheme}: alone {alone:?}, in a list {list:?}"),
    }
}

/// Every string as escapes, every object backwards: the same canonical bytes.
fn re_spelling_changes_nothing(value: Value<'_>, scheme: Scheme, expected: &[u8]) {
    let mut text = String::new();
    re_spell(value, &mut text);
    match Document::read(text.as_bytes(), &Limits { bytes: usize::MAX, ..Limits::default() }) {
        Ok(document) => assert_eq!(write(document.root(), scheme).as_deref(), Ok(expected), "{scheme}"),
        Err(error) => panic!("{error}: {text}"),
    }
}

fn re_spell(value: Value<'_>, out: &mut String) {
    match value.kind() {
        Kind::String => {
            let units = value.as_str().unwrap_or_default();
            let escapes = units.encode_utf16().map(|unit| format!("\\u{unit:04X}"));
            out.push_str(&format!("\"{}\"", escapes.collect::<String>()));
        }
        Kind::Array => {
            for (position, item) in value.items().enumerate() {
                out.push(if position == 0 { '[' } else { ',' });
                re_spell(item, out);
            }
            out.push_str(if value.items().next().is_none() { "[]" } else { "]" });
        }
        Kind::Object => {
            let mut members: Vec<_> = value.members().collect();
            members.reverse();
            for (position, (key, member)) in members.iter().enumerate() {
                out.push_str(if position == 0 { "{" } else { "," });
                re_spell(*key, out);
                out.push_str(" : ");
                re_spell(*member, out);
            }
            out.push_str(if members.is_empty() { "{}" } else { "}" });
        }
        Kind::Null | Kind::Bool | Kind::Number => out.push_str(value.raw()),
    }
}

/// A bundle, without trust and with every kind of it: the layers are complete, in order, and the verdict is theirs;
/// more trust never turns a refutation into something else.
pub(crate) fn verify_bundle(input: &[u8]) {
    let limits = Limits::default();
    let alone = verify(input, &Trust::default(), &limits);
    let readable = Document::read(input, &limits);
    if readable.is_ok() {
        assert!(alone.layers.iter().map(|layer| layer.id).eq(BUNDLE_LAYERS));
    } else {
        assert_eq!((alone.layers.len(), alone.verdict()), (2, Verdict::Refuted));
    }
    assert_ne!(alone.verdict(), Verdict::Authentic, "nothing is authentic without trust");
    trace_is_sound(&alone);

    let keys = [REGISTRY_KEY, ISSUER_KEY].map(|key| PublicKey::from_hex(key).into_iter().collect::<Vec<_>>());
    let heads = [alone_head(readable.ok().as_ref()), Some(TreeHead { size: 3, root: empty_root() })];
    let heads: Vec<TreeHead> = heads.into_iter().flatten().collect();
    let (log, _) = Log::read([input, br#"{"index":0,"leaf_hash":"","leaf_data":"{}"}"#], &limits);
    let trust = Trust::default()
        .registry_keys(&keys[0])
        .issuer_keys(&keys[1])
        .heads(&heads)
        .file_id(Some("e008bfab-9116-43e0-83c8-a2d0d9304e52"))
        .log(Some(&log));
    let trusting = verify(input, &trust, &limits);
    trace_is_sound(&trusting);
    for refuted in alone.refuted() {
        let state = trusting.layer(refuted.id).map(|layer| layer.state);
        assert_eq!(state, Some(State::Refuted), "{}", refuted.id);
    }
    trace_is_sound(&verify_head(input, &trust, &limits));
    trace_is_sound(&verify_proof(input, &trust, &limits));
}

fn alone_head(document: Option<&Document<'_>>) -> Option<TreeHead> {
    let root = document?.root();
    DocumentKind::of(root)?;
    Some(TreeHead { size: root.at("/tlog_head/size")?.as_u64()?, root: empty_root() })
}

fn trace_is_sound(trace: &Trace) {
    for layer in &trace.layers {
        let established = layer.state == State::Established;
        assert_eq!(established, layer.problem.is_none(), "{}", layer.id);
        assert_eq!(established, layer.problems == 0, "{}", layer.id);
        assert_eq!(established, layer.code() == Code::Ok, "{}", layer.id);
        if let Some(problem) = &layer.problem {
            assert!(problem.expected.chars().count() < 240 && problem.found.chars().count() < 240);
        }
    }
    if trace.verdict() == Verdict::Authentic {
        let established = |id: &&str| trace.layer(id).is_some_and(|layer| layer.state == State::Established);
        assert!(trace.required.iter().all(established));
    }
}

/// A log, whole or line by line: a log in which nothing is refuted has its leaves in a row, and the root that it is
/// said to have is recomputed for every head.
pub(crate) fn verify_log(input: &[u8]) {
    a_block_says_what_its_lines_say(input);
    let limits = Limits::default();
    let lines: Vec<&[u8]> = input.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
    for documents in [vec![input], lines] {
        let (log, trace) = verify_pages(documents.iter().copied(), &Trust::default(), &limits);
        trace_is_sound(&trace);
        assert_ne!(trace.verdict(), Verdict::Authentic, "nothing is authentic without trust");
        if trace.verdict() == Verdict::Refuted {
            continue;
        }
        assert!(log.leaves().windows(2).all(|pair| pair[0].index.checked_add(1) == Some(pair[1].index)));
        for leaf in log.leaves() {
            assert_eq!(assayer_verifier::leaf_hash(&leaf.bytes), leaf.hash);
            assert_eq!(log.leaf(leaf.index).map(|found| found.hash), Some(leaf.hash));
        }
        let total = log.leaves().len() as u64;
        assert!(log.head_at(total + 1).is_none());
        let Some(head) = log.head_at(total) else { continue };
        let other = TreeHead { root: assayer_verifier::sha256(b"another log"), ..head };
        for (known, expected) in [(head, Verdict::Authentic), (other, Verdict::Refuted)] {
            let heads = [known];
            let trust = Trust::default().heads(&heads);
            let (_, trace) = verify_pages(documents.iter().copied(), &trust, &limits);
            assert_eq!(trace.verdict(), expected, "{known:?}");
        }
    }
}

/// A log in one block, as `assayer verify` reads it, says what the same lines say one by one.
fn a_block_says_what_its_lines_say(input: &[u8]) {
    let limits = Limits::default();
    let replay = |blocks: &[&[u8]]| {
        let mut verifier = LogVerifier::with_heads([], &limits);
        for (number, block) in blocks.iter().enumerate() {
            verifier.add(LogPart::read(number as u64 + 1, block, &limits));
        }
        verifier.finish()
    };
    let lines: Vec<&[u8]> = input.split_inclusive(|byte| *byte == b'\n').collect();
    assert_eq!(replay(&[input]), replay(&lines));
}

/// A proof file: sound layers; nothing holds without trust; a proof of equivocation is never authentic, and nothing else
/// is an equivocation.
pub(crate) fn verify_proof_file(input: &[u8]) {
    let limits = Limits::default();
    let keys: Vec<PublicKey> = PublicKey::from_hex(REGISTRY_KEY).into_iter().collect();
    let trusting = Trust::default().registry_keys(&keys);
    for (trust, pinned) in [(Trust::default(), false), (trusting, true)] {
        let growth = verify_consistency_proof(input, &trust, &limits);
        let equivocation = verify_equivocation_proof(input, &trust, &limits);
        trace_is_sound(&growth);
        trace_is_sound(&equivocation);
        assert!(pinned || growth.verdict() != Verdict::Authentic);
        assert!(pinned || equivocation.verdict() != Verdict::Equivocation);
        assert_ne!(growth.verdict(), Verdict::Equivocation);
        assert_ne!(equivocation.verdict(), Verdict::Authentic);
    }
}
