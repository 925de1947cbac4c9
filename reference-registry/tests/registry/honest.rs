//! What an honest registry does with right and wrong requests.

use crate::support::{self, Issuer, Registry, leaf_hash, leaf_of, members, verifies};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

fn strings(object: &Value) -> Vec<&str> {
    object.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn the_empty_registry_introduces_itself() {
    let registry = Registry::honest();
    let health = registry.get("/health").accepts();
    assert_eq!(health["status"], "ok");
    assert!(health["service"].as_str().unwrap().starts_with("oversight-registry"));
    assert_eq!(health["tlog_size"], 0);
    let well_known = registry.get("/.well-known/oversight-registry").accepts();
    assert_eq!(well_known["federation"], json!({"spec_version": "v1"}));
    assert_eq!(well_known["canonicalization"], "RFC 8785");
    assert_eq!(well_known["jurisdiction"], "GLOBAL");
    let head = registry.get("/tlog/head").accepts();
    assert_eq!(head["root"], hex::encode(Sha256::digest(b"")));
    let message = head["signed_message"].as_str().unwrap();
    assert_eq!(message, format!(r#"{{"root":"{}","size":0}}"#, head["root"].as_str().unwrap()));
    assert!(verifies(&well_known["ed25519_pub"], message.as_bytes(), &head["signature"]));
    assert_eq!(registry.get("/tlog/range").accepts(), json!({"start": 0, "count": 0, "entries": []}));
    registry.get("/tlog/proof/0").refuses(404, "not_found");
    registry.get("/evidence/missing-file-id").refuses(404, "not_found");
    let miss = registry.post("/attribute", &json!({"token_id": "nonexistent"})).accepts();
    assert_eq!(miss, json!({"found": false}));
    registry.stop();
}

#[test]
fn the_golden_path_leads_to_evidence_that_verifies() {
    let (registry, issuer) = (Registry::honest(), Issuer::new(1));
    let registration = issuer.registration("file");
    let answer = registry.post("/register", &registration).accepts();
    assert_eq!(answer, json!({"ok": true, "file_id": "file", "registered_beacons": 2, "tlog_index": 0}));

    let agent = [("user-agent", "viewer/1")];
    let pixel = registry.send("GET", "/p/file-t2.png", &agent, b"");
    assert_eq!((pixel.status, pixel.header("content-type")), (200, Some("image/png")));
    assert_eq!(pixel.header("cache-control"), Some("no-store"));
    assert!(pixel.body.starts_with(b"\x89PNG\r\n\x1a\n"));
    for (method, target) in [("GET", "/r/file-t1"), ("POST", "/r/file-t1"), ("GET", "/ocsp/r/file-t1")] {
        let status = registry.send(method, target, &agent, b"");
        assert_eq!((status.status, status.body.len()), (200, 0));
    }
    assert_eq!(registry.get("/v/file-t1").accepts(), json!({"valid": true}));
    assert_eq!(registry.get("/lic/v/unknown%2Ftoken").accepts(), json!({"valid": true}));
    let dns =
        json!({"token_id": "file-t1", "client_ip": "198.51.100.7", "qtype": "A", "qname": "t1.example"});
    assert_eq!(registry.post("/dns_event", &dns).accepts(), json!({"ok": true, "tlog_index": 7}));
    evidence_verifies(&registry, &registration["manifest"]);
    registry.stop();
}

/// The members of a bundle, in their order.
const BUNDLE: [&str; 11] = [
    "beacons",
    "bundle_generated_at",
    "disclaimer",
    "events",
    "file_id",
    "manifest",
    "registry_pub",
    "tlog_head",
    "tlog_proofs",
    "watermarks",
    "bundle_signature_ed25519",
];

/// After the six events of the golden path.
fn evidence_verifies(registry: &Registry, manifest: &Value) {
    let bundle = registry.evidence("file");
    assert_eq!(strings(&bundle), BUNDLE);
    assert_eq!(bundle["manifest"], *manifest);
    let well_known = registry.get("/.well-known/oversight-registry").accepts();
    assert_eq!(bundle["registry_pub"], well_known["ed25519_pub"]);
    bundle_signature_verifies(&bundle);
    rows_are_those_of_the_manifest(&bundle);
    events_are_proved(registry, &bundle);
    let kinds: Vec<&str> =
        bundle["events"].as_array().unwrap().iter().map(|event| event["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["http_img", "ocsp", "ocsp", "ocsp", "license", "dns"]);
    assert_eq!(bundle["events"][5]["extra"], r#"{"qname":"t1.example","qtype":"A"}"#);
    assert_eq!(bundle["events"][0]["extra"], "{}");
    assert_eq!(bundle["events"][0]["user_agent"], "viewer/1");
    assert_eq!(bundle["events"][4]["user_agent"], "");
}

fn bundle_signature_verifies(bundle: &Value) {
    let mut message = bundle.clone();
    members(&mut message).shift_remove("bundle_signature_ed25519");
    let bytes = serde_json_canonicalizer::to_vec(&message).unwrap();
    assert!(verifies(&bundle["registry_pub"], &bytes, &bundle["bundle_signature_ed25519"]));
}

fn rows_are_those_of_the_manifest(bundle: &Value) {
    let pairs = |list: &Value, one: &str, other: &str| -> Vec<(Value, Value)> {
        list.as_array().unwrap().iter().map(|item| (item[one].clone(), item[other].clone())).collect()
    };
    let manifest = &bundle["manifest"];
    assert_eq!(
        pairs(&bundle["beacons"], "token_id", "kind"),
        pairs(&manifest["beacons"], "token_id", "kind")
    );
    let marks = pairs(&manifest["watermarks"], "mark_id", "layer");
    assert_eq!(pairs(&bundle["watermarks"], "mark_id", "layer"), marks);
    let row = &bundle["beacons"][0];
    assert_eq!(strings(row), ["file_id", "issuer_id", "kind", "recipient_id", "registered_at", "token_id"]);
    let row = &bundle["watermarks"][0];
    assert_eq!(strings(row), ["file_id", "issuer_id", "layer", "mark_id", "recipient_id", "registered_at"]);
}

fn events_are_proved(registry: &Registry, bundle: &Value) {
    let range = registry.get("/tlog/range").accepts();
    let head = &bundle["tlog_head"];
    assert_eq!(head["size"], range["count"]);
    let events = bundle["events"].as_array().unwrap();
    let proofs = bundle["tlog_proofs"].as_array().unwrap();
    assert_eq!(events.len(), proofs.len());
    for (position, (event, proof)) in events.iter().zip(proofs).enumerate() {
        let index = event["tlog_index"].as_u64().unwrap();
        assert_eq!(proof["event_row"], position);
        assert_eq!(proof["tlog_index"], index);
        assert_eq!(proof["proof"], registry.get(&format!("/tlog/proof/{index}")).accepts());
        assert_eq!((&proof["proof"]["root"], &proof["proof"]["tree_size"]), (&head["root"], &head["size"]));
        let leaf = serde_json_canonicalizer::to_vec(&leaf_of(event)).unwrap();
        assert_eq!(proof["proof"]["leaf_hash"], hex::encode(leaf_hash(&leaf)));
        let entry = &range["entries"][usize::try_from(index).unwrap()];
        assert_eq!(entry["leaf_data_hex"], hex::encode(&leaf));
        assert_eq!(entry["leaf_data"].as_str().unwrap().as_bytes(), leaf);
        assert_eq!(entry["leaf_hash"], hex::encode(leaf_hash(&leaf)));
    }
}

#[test]
fn the_leaf_of_a_registration_names_it() {
    let (registry, issuer) = (Registry::honest(), Issuer::new(1));
    registry.post("/register", &issuer.registration("file")).accepts();
    let entry = registry.get("/tlog/range").accepts()["entries"][0].clone();
    let mut leaf: Value = serde_json::from_str(entry["leaf_data"].as_str().unwrap()).unwrap();
    assert!(members(&mut leaf).shift_remove("timestamp").unwrap().as_str().unwrap().ends_with('Z'));
    let expected = json!({
        "event": "register", "file_id": "file", "recipient_id": "recipient", "issuer_id": "issuer",
        "issuer_pub": issuer.public(), "n_beacons": 2, "n_watermarks": 2,
    });
    assert_eq!(leaf, expected);
    registry.stop();
}

#[test]
fn unknown_tokens_are_answered_and_logged_with_nulls() {
    let registry = Registry::honest();
    assert_eq!(registry.get("/r/nobody").status, 200);
    registry.post("/dns_event", &json!({"token_id": "nobody"})).accepts();
    let entries = registry.get("/tlog/range").accepts()["entries"].clone();
    let leaf = |index: usize| -> Value {
        serde_json::from_str(entries[index]["leaf_data"].as_str().unwrap()).unwrap()
    };
    assert_eq!((&leaf(0)["file_id"], &leaf(0)["recipient_id"]), (&Value::Null, &Value::Null));
    assert_eq!(leaf(1)["qname"], Value::Null);
    assert_eq!(leaf(1)["source_ip"], Value::Null);
    registry.stop();
}

#[test]
fn a_user_agent_that_is_not_utf8_is_kept() {
    let registry = Registry::honest();
    let request = b"GET /r/t HTTP/1.1\r\nhost: x\r\nconnection: close\r\nuser-agent: caf\xe9\r\n\r\n";
    assert_eq!(support::exchange(registry.running.address(), request).status, 200);
    let leaf = registry.get("/tlog/range").accepts()["entries"][0]["leaf_data"].clone();
    assert!(leaf.as_str().unwrap().contains(r#""user_agent":"café""#));
    registry.stop();
}

/// Edits a manifest before it is signed.
fn edited(edit: impl FnOnce(&mut Value)) -> Value {
    let issuer = Issuer::new(1);
    let mut manifest = issuer.manifest("file");
    edit(&mut manifest);
    issuer.registration_of(manifest)
}

/// Edits a registration after the manifest was signed.
fn tampered(edit: impl FnOnce(&mut Value)) -> Value {
    let mut registration = Issuer::new(1).registration("file");
    edit(&mut registration);
    registration
}

#[test]
fn a_signature_is_over_every_member_in_canonical_form() {
    let accepted = [
        edited(|_| ()),
        edited(|m| m["original_filename"] = json!("naïve 😀 \u{7f}.txt")),
        edited(|m| m["policy"] = json!({"a b": 1, "a": null, "\u{e000}": [null, 1.0, 1e21, -0.0], "😀": {}})),
        edited(|m| m["policy"] = json!({"exact": 9_007_199_254_740_992_u64})),
        edited(|m| m["beacons"] = json!([{"token_id": "t", "kind": "dns", "more": {"null": null}}])),
        edited(|m| m["issued_at"] = json!(-1)),
        edited(|m| {
            members(m)
                .retain(|name, _| ["file_id", "issued_at", "issuer_ed25519_pub"].contains(&name.as_str()));
        }),
        tampered(|r| members(&mut r["manifest"]).sort_keys()),
        tampered(|r| r["beacons"].as_array_mut().unwrap().reverse()),
        tampered(|r| r["unknown"] = json!(1)),
    ];
    for registration in accepted {
        let registry = Registry::honest();
        registry.post("/register", &registration).accepts();
        assert_eq!(registry.evidence("file")["manifest"], registration["manifest"]);
        bundle_signature_verifies(&registry.evidence("file"));
        registry.stop();
    }
}

#[test]
fn wrong_signatures_are_refused_and_leave_no_trace() {
    let registry = Registry::honest();
    let signature = |text: &str| tampered(|r| r["manifest"]["signature_ed25519"] = json!(text));
    let good = tampered(|_| ())["manifest"]["signature_ed25519"].as_str().unwrap().to_owned();
    let key = Issuer::new(1).public();
    let order_one = format!("01{}", "00".repeat(31));
    let refused = [
        signature(""),
        signature(&"00".repeat(64)),
        signature(&good.to_uppercase()),
        signature(&good[2..]),
        signature(&format!("{good}00")),
        signature(&format!(" {good}")),
        signature(&good.replace(&good[..2], "zz")),
        tampered(|r| drop(members(&mut r["manifest"]).shift_remove("signature_ed25519"))),
        tampered(|r| r["manifest"]["issuer_ed25519_pub"] = json!(key.to_uppercase())),
        tampered(|r| r["manifest"]["issuer_ed25519_pub"] = json!(Issuer::new(2).public())),
        tampered(|r| r["manifest"]["issuer_ed25519_pub"] = json!(order_one)),
        tampered(|r| r["manifest"]["file_id"] = json!("other")),
        tampered(|r| r["manifest"]["size_bytes"] = json!(4097)),
        tampered(|r| r["manifest"]["policy"]["jurisdiction"] = json!("EU")),
        tampered(|r| r["manifest"]["recipient"]["recipient_id"] = json!("else")),
        edited(|m| m["issuer_ed25519_pub"] = json!(order_one)),
        edited(|m| m["issuer_ed25519_pub"] = json!(format!("ee{}7f", "ff".repeat(30)))),
    ];
    for registration in refused {
        registry.post("/register", &registration).refuses(400, "signature_invalid");
    }
    // The identity point with R = identity and S = 0 would sign everything.
    let mut forged = edited(|m| m["issuer_ed25519_pub"] = json!(order_one));
    forged["manifest"]["signature_ed25519"] = json!(format!("{order_one}{}", "00".repeat(32)));
    registry.post("/register", &forged).refuses(400, "signature_invalid");
    assert_eq!(registry.size(), 0);
    registry.get("/evidence/file").refuses(404, "not_found");
    registry.stop();
}

/// Each is a registration with one member of the wrong shape.
#[track_caller]
fn all_are_refused(registrations: &[Value]) {
    let registry = Registry::honest();
    for registration in registrations {
        registry.post("/register", registration).refuses(400, "missing_field");
    }
    assert_eq!(registry.size(), 0);
    registry.stop();
}

#[test]
fn manifests_of_the_wrong_shape_are_refused() {
    let long = "x".repeat(257);
    all_are_refused(&[
        edited(|m| m["file_id"] = json!("")),
        edited(|m| m["file_id"] = json!(long)),
        edited(|m| m["file_id"] = json!("ß".repeat(129))),
        edited(|m| m["file_id"] = json!(7)),
        edited(|m| m["file_id"] = Value::Null),
        edited(|m| drop(members(m).shift_remove("file_id"))),
        edited(|m| drop(members(m).shift_remove("issued_at"))),
        edited(|m| drop(members(m).shift_remove("issuer_ed25519_pub"))),
        tampered(|r| r["manifest"]["issuer_ed25519_pub"] = json!("")),
        edited(|m| m["issued_at"] = json!("1750000000")),
        edited(|m| m["issued_at"] = json!(1.5)),
        edited(|m| m["size_bytes"] = json!(-1)),
        edited(|m| m["size_bytes"] = json!(true)),
        edited(|m| m["size_bytes"] = Value::Null),
        edited(|m| m["size_bytes"] = json!(9_007_199_254_740_993_u64)),
        edited(|m| m["policy"] = json!({"big": -9_007_199_254_740_993_i64})),
        edited(|m| m["policy"] = Value::Null),
        edited(|m| m["policy"] = json!([])),
        edited(|m| m["l3_policy"] = Value::Null),
        edited(|m| m["issuer_id"] = json!(long)),
        edited(|m| m["issuer_id"] = Value::Null),
        edited(|m| m["suite"] = json!("OSGT-UNKNOWN-v9")),
        edited(|m| m["file_id"] = json!("line\nbreak")),
    ]);
}

#[test]
fn recipients_of_the_wrong_shape_are_refused() {
    let long = "x".repeat(257);
    all_are_refused(&[
        edited(|m| m["recipient"] = Value::Null),
        edited(|m| m["recipient"] = json!("recipient")),
        edited(|m| m["recipient"] = json!({})),
        edited(|m| drop(members(&mut m["recipient"]).shift_remove("x25519_pub"))),
        edited(|m| m["recipient"]["recipient_id"] = json!(long)),
        edited(|m| m["recipient"]["ed25519_pub"] = Value::Null),
        edited(|m| m["recipient"]["more"] = json!("x")),
        edited(|m| m["more"] = json!("x")),
    ]);
}

#[test]
fn beacons_and_watermarks_of_the_wrong_shape_are_refused() {
    let long = "x".repeat(257);
    let many = |item: fn(usize) -> Value| (0..501).map(item).collect::<Value>();
    all_are_refused(&[
        edited(|m| m["beacons"] = Value::Null),
        edited(|m| m["beacons"] = json!({})),
        edited(|m| m["beacons"] = json!([{"kind": "dns"}])),
        edited(|m| m["beacons"] = json!([{"token_id": "", "kind": "dns"}])),
        edited(|m| m["beacons"] = json!([{"token_id": long, "kind": "dns"}])),
        edited(|m| m["beacons"] = json!([{"token_id": "t", "kind": 1}])),
        edited(|m| {
            m["beacons"] = json!([{"token_id": "t", "kind": "dns"}, {"token_id": "t", "kind": "http"}])
        }),
        edited(|m| m["beacons"] = json!(["t"])),
        edited(|m| m["beacons"] = many(|number| json!({"token_id": number.to_string(), "kind": "dns"}))),
        edited(|m| m["watermarks"] = many(|number| json!({"mark_id": number.to_string(), "layer": "L"}))),
        edited(|m| m["watermarks"] = json!([{"mark_id": "m"}])),
        edited(|m| m["watermarks"] = json!([{"mark_id": "", "layer": "L"}])),
        edited(|m| m["watermarks"] = json!([{"mark_id": long, "layer": "L"}])),
        edited(|m| m["watermarks"] = json!([{"mark_id": "m", "layer": "L", "more": 1}])),
        edited(|m| m["policy"]["text"] = json!("x".repeat(256 * 1024))),
    ]);
}

#[test]
fn bodies_of_the_wrong_shape_are_refused() {
    all_are_refused(&[
        tampered(|r| r["manifest"] = json!("x")),
        tampered(|r| drop(members(r).shift_remove("manifest"))),
        tampered(|r| r["beacons"] = Value::Null),
        tampered(|r| drop(members(r).shift_remove("beacons"))),
        tampered(|r| drop(members(r).shift_remove("watermarks"))),
        tampered(|r| r["watermarks"] = json!({})),
        tampered(|r| r["corpus"] = json!([1])),
        tampered(|r| r["corpus"] = json!({"perceptual": 5})),
        tampered(|r| r["manifest"]["signature_ml_dsa"] = json!("00")),
        tampered(|r| r["corpus"] = (0..65).map(|number| (number.to_string(), json!("v"))).collect()),
    ]);
}

#[test]
fn limits_are_inclusive() {
    let full = "x".repeat(256);
    let accepted = [
        edited(|m| m["issuer_id"] = json!(full)),
        edited(|m| m["recipient"]["recipient_id"] = json!("ß".repeat(128))),
        edited(|m| m["beacons"] = json!([{"token_id": full, "kind": full}])),
        edited(|m| m["watermarks"] = json!([{"mark_id": full, "layer": "L"}])),
        edited(|m| {
            m["beacons"] = (0..500).map(|n| json!({"token_id": n.to_string(), "kind": "dns"})).collect()
        }),
        edited(|m| m["policy"]["text"] = json!("x".repeat(255 * 1024))),
    ];
    for registration in accepted {
        let registry = Registry::honest();
        registry.post("/register", &registration).accepts();
        registry.stop();
    }
}

#[test]
fn sidecars_equal_the_signed_arrays_as_multisets() {
    let registry = Registry::honest();
    let item = json!({"token_id": "file-t1", "kind": "dns"});
    let push = |name: &str, item: Value| tampered(|r| r[name].as_array_mut().unwrap().push(item));
    let refused = [
        push("beacons", json!({"token_id": "extra", "kind": "dns"})),
        push("beacons", item),
        tampered(|r| drop(r["beacons"].as_array_mut().unwrap().pop())),
        tampered(|r| r["beacons"][0]["kind"] = json!("http")),
        tampered(|r| r["beacons"][0]["more"] = Value::Null),
        tampered(|r| r["beacons"][0] = r["beacons"][1].clone()),
        push("watermarks", json!({"mark_id": "extra", "layer": "L"})),
        tampered(|r| r["watermarks"] = json!([])),
        tampered(|r| r["watermarks"][0]["layer"] = json!("L2")),
        tampered(|r| r["watermarks"][0]["mark_id"] = json!(1)),
    ];
    for registration in refused {
        registry.post("/register", &registration).refuses(400, "sidecar_mismatch");
    }
    assert_eq!(registry.size(), 0);
    registry.post("/register", &tampered(|r| members(&mut r["watermarks"][0]).sort_keys())).accepts();
    registry.stop();
}

#[test]
fn a_repeated_beacon_counts_twice_and_has_one_row() {
    let registry = Registry::honest();
    let item = json!({"token_id": "t", "kind": "dns"});
    let answer = registry.post("/register", &edited(|m| m["beacons"] = json!([item, item]))).accepts();
    assert_eq!(answer["registered_beacons"], 2);
    assert_eq!(registry.evidence("file")["beacons"].as_array().unwrap().len(), 1);
    registry.stop();
}

#[test]
fn a_beacon_without_kind_is_unknown() {
    let registry = Registry::honest();
    let registration = edited(|m| m["beacons"] = json!([{"token_id": "a"}, {"token_id": "b", "kind": null}]));
    registry.post("/register", &registration).accepts();
    for row in registry.evidence("file")["beacons"].as_array().unwrap() {
        assert_eq!(row["kind"], "unknown");
    }
    registry.stop();
}

#[test]
fn files_tokens_and_marks_stay_with_their_issuer() {
    let (registry, owner, other) = (Registry::honest(), Issuer::new(1), Issuer::new(2));
    registry.post("/register", &owner.registration("file")).accepts();
    let before = registry.evidence("file");
    registry.post("/register", &other.registration("file")).refuses(409, "issuer_mismatch");
    for (name, item) in [
        ("beacons", json!([{"token_id": "file-t1", "kind": "dns"}])),
        ("watermarks", json!([{"mark_id": "file-m1", "layer": "L1_zero_width"}])),
    ] {
        let mut manifest = other.manifest("theirs");
        manifest[name] = item;
        registry.post("/register", &other.registration_of(manifest)).refuses(409, "issuer_mismatch");
    }
    assert_eq!(registry.size(), 1);
    let after = registry.evidence("file");
    for name in ["manifest", "beacons", "watermarks"] {
        assert_eq!(before[name], after[name]);
    }
    let mut manifest = other.manifest("theirs");
    manifest["watermarks"] = json!([{"mark_id": "file-m1", "layer": "L2_whitespace"}]);
    registry.post("/register", &other.registration_of(manifest)).accepts();
    registry.stop();
}

#[test]
fn registering_again_replaces_the_rows_and_appends_a_leaf() {
    let (registry, issuer) = (Registry::honest(), Issuer::new(1));
    registry.post("/register", &issuer.registration("file")).accepts();
    assert_eq!(registry.get("/r/file-t1").status, 200);
    let mut manifest = issuer.manifest("file");
    manifest["beacons"] = json!([{"token_id": "file-t9", "kind": "http"}]);
    manifest["watermarks"] = json!([]);
    let again = issuer.registration_of(manifest);
    assert_eq!(registry.post("/register", &again).accepts()["tlog_index"], 2);
    let bundle = registry.evidence("file");
    assert_eq!(bundle["manifest"], again["manifest"]);
    rows_match(&bundle, &["file-t9"]);
    assert_eq!(bundle["watermarks"], json!([]));
    assert_eq!(bundle["events"].as_array().unwrap().len(), 1);
    assert_eq!(registry.post("/attribute", &json!({"token_id": "file-t1"})).accepts()["found"], false);
    registry.stop();
}

fn rows_match(bundle: &Value, tokens: &[&str]) {
    let found: Vec<&str> =
        bundle["beacons"].as_array().unwrap().iter().map(|row| row["token_id"].as_str().unwrap()).collect();
    assert_eq!(found, tokens);
}

#[test]
fn files_of_one_issuer_may_share_a_token() {
    let (registry, issuer) = (Registry::honest(), Issuer::new(1));
    for file_id in ["one", "two"] {
        let mut manifest = issuer.manifest(file_id);
        manifest["beacons"] = json!([{"token_id": "shared", "kind": "dns"}]);
        registry.post("/register", &issuer.registration_of(manifest)).accepts();
    }
    rows_match(&registry.evidence("one"), &["shared"]);
    rows_match(&registry.evidence("two"), &["shared"]);
    let hit = registry.post("/attribute", &json!({"token_id": "shared"})).accepts();
    assert_eq!(hit["file_id"], "two");
    // Registered again without the token, the newer file gives it back to the older one.
    let mut manifest = issuer.manifest("two");
    manifest["beacons"] = json!([{"token_id": "two-t1", "kind": "dns"}]);
    registry.post("/register", &issuer.registration_of(manifest)).accepts();
    rows_match(&registry.evidence("one"), &["shared"]);
    rows_match(&registry.evidence("two"), &["two-t1"]);
    let hit = registry.post("/attribute", &json!({"token_id": "shared"})).accepts();
    assert_eq!(hit["file_id"], "one");
    registry.stop();
}

#[test]
fn files_of_one_issuer_may_share_a_mark() {
    let (registry, issuer) = (Registry::honest(), Issuer::new(1));
    let marks = |file_id: &str, marks: Value| {
        let mut manifest = issuer.manifest(file_id);
        manifest["watermarks"] = marks;
        registry.post("/register", &issuer.registration_of(manifest)).accepts();
    };
    let answers = || registry.post("/attribute", &json!({"mark_id": "shared"})).accepts()["file_id"].clone();
    let shared = json!([{"mark_id": "shared", "layer": "L1_zero_width"}]);
    let of = |file_id: &str| registry.evidence(file_id)["watermarks"][0]["mark_id"].clone();
    marks("one", shared.clone());
    marks("two", shared);
    assert_eq!((answers(), of("one"), of("two")), (json!("two"), json!("shared"), json!("shared")));
    marks("two", json!([]));
    assert_eq!((answers(), of("one"), of("two")), (json!("one"), json!("shared"), Value::Null));
    registry.stop();
}

/// A registry with one file, and what registered it.
fn attributed() -> (Registry, Value) {
    let (registry, issuer) = (Registry::honest(), Issuer::new(1));
    let mut registration = issuer.registration("file");
    registration["corpus"] = json!({"perceptual": "phash", "sentence": "other"});
    registry.post("/register", &registration).accepts();
    (registry, registration)
}

#[test]
fn attribution_names_the_file_and_its_newest_events() {
    let (registry, registration) = attributed();
    for _ in 0..51 {
        assert_eq!(registry.get("/r/file-t1").status, 200);
    }
    let hits = [
        json!({"token_id": "file-t1"}),
        json!({"token_id": "file-t1", "mark_id": null}),
        json!({"mark_id": "file-m1"}),
        json!({"mark_id": "file-m1", "layer": "L1_zero_width"}),
        json!({"perceptual_hash": "phash"}),
    ];
    for question in hits {
        let hit = registry.post("/attribute", &question).accepts();
        let expected =
            ["found", "file_id", "recipient_id", "issuer_id", "manifest", "recent_events", "events"];
        assert_eq!(strings(&hit), expected);
        assert_eq!((&hit["found"], &hit["file_id"]), (&json!(true), &json!("file")));
        assert_eq!((&hit["recipient_id"], &hit["issuer_id"]), (&json!("recipient"), &json!("issuer")));
        assert_eq!(hit["manifest"], registration["manifest"]);
        assert_eq!(hit["recent_events"].as_array().unwrap().len(), 50);
        assert_eq!(hit["recent_events"][0]["tlog_index"], 51);
        assert_eq!(hit["events"], hit["recent_events"]);
    }
    registry.stop();
}

#[test]
fn attribution_takes_exactly_one_identifier() {
    let (registry, _) = attributed();
    let misses = [
        json!({"token_id": "file-m1"}),
        json!({"mark_id": "file-m1", "layer": "L9"}),
        json!({"perceptual_hash": "other"}),
        json!({"token_id": "x".repeat(256)}),
    ];
    for question in misses {
        assert_eq!(registry.post("/attribute", &question).accepts(), json!({"found": false}));
    }
    let refused = [
        json!({}),
        json!({"layer": "L1_zero_width"}),
        json!({"token_id": ""}),
        json!({"token_id": 7}),
        json!({"token_id": "x".repeat(257)}),
        json!({"token_id": "file-t1", "mark_id": "file-m1"}),
        json!({"token_id": "file-t1", "layer": "L1_zero_width"}),
        json!({"mark_id": "file-m1", "perceptual_hash": "phash"}),
        json!({"token_id": "a", "mark_id": "b", "perceptual_hash": "c"}),
    ];
    for question in refused {
        registry.post("/attribute", &question).refuses(400, "missing_field");
    }
    registry.stop();
}

#[test]
fn semantic_candidates_are_listed_newest_first() {
    let (registry, issuer) = (Registry::honest(), Issuer::new(1));
    registry.post("/register", &issuer.registration("one")).accepts();
    registry.post("/register", &issuer.registration("two")).accepts();
    let marks = |query: &str| -> Vec<Value> {
        let page = registry.get(&format!("/candidates/semantic{query}")).accepts();
        assert_eq!(page["count"], page["candidates"].as_array().unwrap().len());
        page["candidates"].as_array().unwrap().iter().map(|row| row["mark_id"].clone()).collect()
    };
    assert_eq!(marks(""), ["two-m3", "one-m3"]);
    assert_eq!(marks("?limit=1"), ["two-m3"]);
    assert_eq!(marks("?limit=0"), ["two-m3"]);
    assert_eq!(marks("?since=4000000000"), [] as [Value; 0]);
    for query in ["?limit=x", "?limit=-1", "?since=", "?limit=1&limit=2"] {
        registry.get(&format!("/candidates/semantic{query}")).refuses(400, "missing_field");
    }
    registry.stop();
}

#[test]
fn pages_of_semantic_candidates_hold_each_mark_once() {
    let (registry, issuer) = (Registry::honest(), Issuer::new(1));
    for number in 0..7 {
        registry.post("/register", &issuer.registration(&format!("file{number}"))).accepts();
    }
    let (mut target, mut seen) = (String::from("/candidates/semantic?limit=3"), Vec::new());
    for expected in [3, 3, 1] {
        let page = registry.get(&target).accepts();
        assert_eq!(page["count"], expected);
        seen.extend(page["candidates"].as_array().unwrap().clone());
        let next = page["next"].as_str().map(str::to_owned);
        assert_eq!(next.is_some(), expected == 3);
        target = format!("/candidates/semantic?limit=3&before={}", next.unwrap_or_default());
    }
    let marks: Vec<&str> = seen.iter().map(|mark| mark["mark_id"].as_str().unwrap()).collect();
    assert_eq!(marks, (0..7).rev().map(|number| format!("file{number}-m3")).collect::<Vec<_>>());
    assert_eq!(members(&mut seen[0]).len(), 4);
    assert_eq!(registry.get("/candidates/semantic?limit=7").accepts().get("next"), None);
    for before in ["", "1", "1-", "-1", "1-2-3", "01-2", "9223372036854775808-1", "1-2&before=1-2"] {
        registry.get(&format!("/candidates/semantic?before={before}")).refuses(400, "missing_field");
    }
    registry.stop();
}

#[test]
fn ranges_and_indexes_are_strict() {
    let registry = Registry::honest();
    for number in 0..5 {
        assert_eq!(registry.get(&format!("/r/{number}")).status, 200);
    }
    let indexes = |query: &str| -> Vec<u64> {
        let page = registry.get(&format!("/tlog/range{query}")).accepts();
        page["entries"].as_array().unwrap().iter().map(|entry| entry["index"].as_u64().unwrap()).collect()
    };
    assert_eq!(indexes(""), [0, 1, 2, 3, 4]);
    assert_eq!(indexes("?start=1&limit=2"), [1, 2]);
    assert_eq!(indexes("?limit=0"), [0]);
    assert_eq!(indexes("?limit=99999999999999999999999"), [0, 1, 2, 3, 4]);
    assert_eq!(indexes("?start=5"), [] as [u64; 0]);
    assert_eq!(indexes("?start=99999"), [] as [u64; 0]);
    for query in
        ["?start=-1", "?start=x", "?start=1.0", "?limit=-1", "?limit=%2B1", "?start=0&start=1", "?start="]
    {
        registry.get(&format!("/tlog/range{query}")).refuses(400, "missing_field");
    }
    for index in ["01", "+1", "-1", "1.0", "x", "%20", "1_0", "%ff"] {
        registry.get(&format!("/tlog/proof/{index}")).refuses(400, "missing_field");
    }
    for index in ["5", "18446744073709551615", "99999999999999999999999"] {
        registry.get(&format!("/tlog/proof/{index}")).refuses(404, "not_found");
    }
    assert_eq!(registry.get("/tlog/proof/4").accepts()["index"], 4);
    registry.stop();
}

#[test]
fn dns_events_are_bounded() {
    let registry = Registry::honest();
    let long = "x".repeat(257);
    let refused = [
        json!({}),
        json!({"token_id": null}),
        json!({"token_id": ""}),
        json!({"token_id": 1}),
        json!({"token_id": long}),
        json!({"token_id": "t", "qname": long}),
        json!({"token_id": "t", "qtype": 1}),
    ];
    for event in refused {
        registry.post("/dns_event", &event).refuses(400, "missing_field");
    }
    assert_eq!(registry.size(), 0);
    registry.post("/dns_event", &json!({"token_id": "t", "qname": "bü😀", "zzz": 1})).accepts();
    registry.stop();
}
