//! What lies behind the layers: the bytes that `explain` gives are those that the verdict rests on.

#![expect(
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops at the first surprise"
)]

mod vector;

use std::collections::BTreeMap;
use std::path::Path;

use assayer_verifier::oversight::{
    BundleVerifier, Detail, DocumentKind, Explanation, LogPart, LogVerifier, Trust, explain, verify_bundle,
    verify_consistency_proof, verify_equivocation_proof, verify_head, verify_proof,
};
use assayer_verifier::{Code, Limits, PublicKey, State, Trace, leaf_hash, sha256, verify};
use serde_json::Value as Json;
use vector::Known;

fn bundle(name: &str) -> String {
    let path = format!("{}/../vectors/bundles/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let vector: Json = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    vector["input"]["bundle"].as_str().unwrap().to_owned()
}

fn explained(text: &str, trust: &Trust<'_>) -> Explanation {
    explain(DocumentKind::Bundle, text.as_bytes(), trust, &Limits::default())
}

fn detail<'e>(explanation: &'e Explanation, layer: &str) -> &'e Detail {
    explanation.layers.iter().find(|detail| detail.layer == layer).unwrap()
}

#[test]
fn signed_bytes_are_those_that_the_signatures_fit() {
    let text = bundle("good/three-events");
    let explanation = explained(&text, &Trust::default());
    assert_eq!(explanation.length.zip(explanation.hash), Some((text.len(), sha256(text.as_bytes()))));
    let trace = verify_bundle(text.as_bytes(), &Trust::default(), &Limits::default());
    for layer in ["issuer-signature", "registry-signature", "tree-head"] {
        let first = &detail(&explanation, layer).bytes[0];
        assert_eq!((first.fits, first.hash), (Some(true), sha256(&first.bytes)), "{layer}");
        // Anybody can check it with nothing but these three.
        assert_eq!(verify(&first.key.unwrap(), &first.bytes, &first.signature.unwrap()), Ok(()), "{layer}");
        assert_eq!(first.schemes, trace.layer(layer).unwrap().schemes, "{layer}");
        assert_eq!(first.readings, trace.layer(layer).unwrap().readings, "{layer}");
    }
    let document: Json = serde_json::from_str(&text).unwrap();
    let leaves = &detail(&explanation, "event-binding").bytes;
    assert_eq!(leaves.len(), 3);
    for (position, leaf) in leaves.iter().enumerate() {
        let proven = &document["tlog_proofs"][position]["proof"]["leaf_hash"];
        assert_eq!((leaf.fits, Json::from(leaf.hash.to_hex())), (Some(true), proven.clone()));
        assert_eq!(leaf_hash(&leaf.bytes[1..]), leaf.hash);
    }
}

#[test]
fn keys_say_where_they_came_from() {
    let text = bundle("good/three-events");
    let document: Json = serde_json::from_str(&text).unwrap();
    let key = PublicKey::from_hex(document["registry_pub"].as_str().unwrap()).unwrap();
    for (pinned, keys) in [(false, &[][..]), (true, &[key][..])] {
        let trust = Trust::default().registry_keys(keys);
        let explanation = explained(&text, &trust);
        for layer in ["registry-signature", "registry-key", "tree-head"] {
            let used = &detail(&explanation, layer).keys;
            assert_eq!(used.len(), 1, "{layer}");
            assert_eq!((used[0].key, used[0].pinned, used[0].at.as_str()), (key, pinned, "/registry_pub"));
        }
        assert!(!detail(&explanation, "issuer-key").keys[0].pinned);
    }
}

#[test]
fn what_does_not_fit_is_shown_with_its_first_difference() {
    let text = bundle("good/three-events");
    let document: Json = serde_json::from_str(&text).unwrap();
    let said = document["tlog_head"]["signed_message"].as_str().unwrap();
    let root = document["tlog_head"]["root"].as_str().unwrap();
    let quoted = Json::from(said).to_string();
    let other = Json::from(said.replacen(&root[..4], "0000", 1)).to_string();
    let explanation = explained(&text.replacen(&quoted, &other, 1), &Trust::default());
    let difference = detail(&explanation, "tree-head").bytes[0].difference.clone().unwrap();
    assert_eq!((difference.at.as_str(), difference.offset), ("/root", said.find(root).unwrap()));
    assert!(difference.with.contains("signed_message"));
    // A sibling of a path that was changed leads to another root.
    let explanation = explained(&bundle("inclusion/sibling-flipped"), &Trust::default());
    let inclusion = detail(&explanation, "inclusion");
    assert!(inclusion.bytes.iter().any(|root| root.fits == Some(false) && root.difference.is_some()));
    // A row that was changed rebuilds to another leaf.
    let row = text.replacen("\"user_agent\":\"", "\"user_agent\":\"x", 1);
    let explanation = explained(&row, &Trust::default());
    let fits: Vec<_> = detail(&explanation, "event-binding").bytes.iter().map(|leaf| leaf.fits).collect();
    assert!(fits.contains(&Some(false)), "{fits:?}");
    let trace = verify_bundle(row.as_bytes(), &Trust::default(), &Limits::default());
    assert_eq!(trace.layer("event-binding").unwrap().code(), Code::EventLeafDiffers);
}

#[test]
fn both_heads_of_a_proof_of_equivocation_are_shown_with_the_key_that_signed_them() {
    let name = format!("{}/../vectors/proofs/equivocation", env!("CARGO_MANIFEST_DIR"));
    let mut seen = 0;
    for entry in std::fs::read_dir(name).unwrap() {
        let vector: Json =
            serde_json::from_str(&std::fs::read_to_string(entry.unwrap().path()).unwrap()).unwrap();
        if vector["expect"]["verdict"] != "equivocation" {
            continue;
        }
        seen += 1;
        let text = vector["input"]["document"].as_str().unwrap();
        let explanation =
            explain(DocumentKind::Equivocation, text.as_bytes(), &Trust::default(), &Limits::default());
        for layer in ["old-head", "new-head"] {
            let detail = detail(&explanation, layer);
            assert_eq!((detail.bytes[0].fits, detail.keys[0].pinned), (Some(true), false), "{layer}");
            assert_eq!(detail.keys[0].at, "/registry_key");
        }
    }
    assert!(seen > 0, "no vector is a proof of equivocation that holds");
}

#[test]
fn a_text_that_cannot_be_read_has_a_length_and_a_hash() {
    let explanation = explained("{\"manifest\": ", &Trust::default());
    assert_eq!((explanation.length, explanation.layers.len()), (Some(13), 0));
}

/// Every vector below a folder.
fn vectors(folder: &Path) -> Vec<Json> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let read =
        |path: &std::path::PathBuf| serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    files.iter().map(read).chain(folders.iter().flat_map(|folder| vectors(folder))).collect()
}

/// A document of a vector, verified and explained with what its vector says is known.
fn both(vector: &Json) -> Option<(Trace, Explanation)> {
    let (known, limits) = (Known::of(&vector["input"]["trust"]), Limits::default());
    let trust = known.trust();
    let text = vector["input"]["bundle"].as_str().or_else(|| vector["input"]["document"].as_str()).unwrap();
    let text = text.as_bytes();
    let explained = |kind| explain(kind, text, &trust, &limits);
    Some(match vector["input"]["as"].as_str().unwrap_or("bundle") {
        "bundle" => {
            let verdict = (verify_bundle(text, &trust, &limits), explained(DocumentKind::Bundle));
            // Who asks for both gets the same.
            match BundleVerifier::new(&trust, &limits).explain(text) {
                Ok(both) => assert_eq!(both, verdict),
                Err(kind) => assert_ne!(kind, Some(DocumentKind::Bundle)),
            }
            verdict
        }
        "consistency-proof" => {
            (verify_consistency_proof(text, &trust, &limits), explained(DocumentKind::Consistency))
        }
        "equivocation-proof" => {
            (verify_equivocation_proof(text, &trust, &limits), explained(DocumentKind::Equivocation))
        }
        "oversight-head" => (verify_head(text, &trust, &limits), explained(DocumentKind::Head)),
        "oversight-proof" => (verify_proof(text, &trust, &limits), explained(DocumentKind::Proof)),
        "oversight-log" => {
            let mut verifier = LogVerifier::new(&trust, &limits);
            verifier.add(LogPart::read(1, text, &limits));
            let explanation = verifier.explain();
            (verifier.finish(), explanation)
        }
        _ => return None,
    })
}

/// Of all vectors: where a layer is established, what is shown first is what it rests on, and fits; and what is shown not to
/// fit is shown with where it differs, or with the hash or signature that it was tried with.
#[test]
fn what_is_shown_agrees_with_the_verdict() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors");
    let mut shown: BTreeMap<&str, [usize; 2]> = BTreeMap::new();
    let mut wrong = Vec::new();
    for folder in ["bundles", "heads", "logs", "proofs"] {
        for vector in vectors(&root.join(folder)) {
            let Some((trace, explanation)) = both(&vector) else { continue };
            for detail in explanation.layers.iter().filter(|detail| !detail.bytes.is_empty()) {
                let Some(layer) = trace.layer(detail.layer) else { continue };
                let first = &detail.bytes[0];
                assert_eq!(first.hash, sha256(&first.bytes));
                let why = &vector["why"];
                let refuted = detail.bytes.iter().any(|bytes| bytes.fits == Some(false));
                if layer.state == State::Established && first.fits == Some(false) {
                    wrong.push(format!("{}: {why}", layer.id));
                }
                shown.entry(layer.id).or_default()[usize::from(refuted)] += 1;
            }
        }
    }
    for layer in [
        "attestation",
        "attestation-log",
        "consistency",
        "event-binding",
        "inclusion",
        "issuer-signature",
        "log-root",
        "new-head",
        "old-head",
        "quorum",
        "registration",
        "registry-signature",
        "time",
        "tree-head",
    ] {
        let [fits, refuted] = shown.get(layer).copied().unwrap_or_default();
        // Without the feature no token is looked into, and nothing can be said of it.
        let told = layer != "time" || cfg!(feature = "rfc3161");
        if told && (fits == 0 || refuted == 0) {
            wrong.push(format!("{layer}: {fits} that fit, {refuted} that do not"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(shown["contradiction"][0] > 0 && shown["log-end"][0] > 0, "{shown:?}");
}

/// Anybody can check the statements of others with what is shown: a signature, a leaf hash, or a root.
#[test]
fn statements_of_others_are_shown_with_what_they_are_over() {
    let shown = |name: &str, layer: &str| {
        let path = format!("{}/../vectors/bundles/{name}.json", env!("CARGO_MANIFEST_DIR"));
        let vector: Json = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        detail(&both(&vector).unwrap().1, layer).bytes.clone()
    };
    for (name, layer, at) in [
        ("good/receipt", "registration", 0),
        ("good/attested", "attestation", 0),
        ("good/attested-and-logged", "attestation-log", 2),
    ] {
        let signed = &shown(name, layer)[at];
        assert_eq!(signed.fits, Some(true), "{name}");
        assert_eq!(verify(&signed.key.unwrap(), &signed.bytes, &signed.signature.unwrap()), Ok(()), "{name}");
    }
    assert!(shown("good/attested", "attestation")[0].bytes.starts_with(b"DSSEv1 28 application/vnd.in-toto"));
    let receipt = &shown("good/receipt", "registration")[1];
    assert_eq!((receipt.fits, leaf_hash(&receipt.bytes[1..])), (Some(true), receipt.hash));
    let stamped = &shown("good/stamped-manifest", "time")[0];
    let signed = &shown("good/stamped-manifest", "issuer-signature")[0];
    assert_eq!(stamped.bytes, signed.bytes);
}
