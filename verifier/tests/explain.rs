//! What lies behind the layers: the bytes that `explain` gives are those that the verdict rests on.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

use assayer_verifier::oversight::{Detail, DocumentKind, Explanation, Trust, explain, verify_bundle};
use assayer_verifier::{Code, Limits, PublicKey, leaf_hash, sha256, verify};
use serde_json::Value as Json;

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
    assert_eq!((explanation.length, explanation.hash), (text.len(), sha256(text.as_bytes())));
    let trace = verify_bundle(text.as_bytes(), &Trust::default(), &Limits::default());
    for layer in ["issuer-signature", "registry-signature", "tree-head"] {
        let first = &detail(&explanation, layer).bytes[0];
        assert_eq!((first.fits, first.hash), (Some(true), sha256(&first.bytes)), "{layer}");
        // Anybody can check it with nothing but these three.
        assert_eq!(verify(&first.key.unwrap(), &first.bytes, &first.signature.unwrap()), Ok(()), "{layer}");
        assert_eq!(first.schemes, trace.layer(layer).unwrap().schemes, "{layer}");
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
        let trust = Trust { registry_keys: keys, ..Trust::default() };
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
    assert_eq!((explanation.length, explanation.layers.len()), (13, 0));
}
