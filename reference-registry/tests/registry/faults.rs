//! Each fault breaks what it says and nothing beside: a small audit lists what an outside client finds wrong.

use std::collections::BTreeSet;

use assayer_reference_registry::{FAULTS, Options, Secret};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::{Issuer, Registry, leaf_hash, leaf_of, members, verifies};

const SECRET: (&str, &str) = ("x-oversight-dns-secret", "hush");

/// What each fault breaks. A fault may show in several places: a wrong root is also one that no proof leads to.
const SYMPTOMS: &[(&str, &[&str])] = &[
    ("attribute-finds-everything", &["attribute-miss"]),
    ("attribute-finds-nothing", &["attribute-hit"]),
    ("beacon-not-recorded", &["events"]),
    ("beacon-recorded-under-other-kind", &["events"]),
    ("beacon-row-dropped", &["beacon-rows"]),
    ("bundle-signature-over-blank-member", &["bundle-signature"]),
    ("bundle-signature-over-hash", &["bundle-signature"]),
    ("bundle-signature-over-indented-text", &["bundle-signature"]),
    ("bundle-signature-over-insertion-order", &["bundle-signature"]),
    ("bundle-signature-over-manifest", &["bundle-signature"]),
    ("bundle-signature-without-events", &["bundle-signature"]),
    ("bundle-signed-by-other-key", &["bundle-signature"]),
    ("dns-secret-ignored", &["dns-secret"]),
    ("errors-without-envelope", &["envelope"]),
    ("event-dropped", &["events"]),
    ("event-user-agent-altered", &["proof-binding"]),
    ("evidence-proof-dropped", &["proof-count"]),
    ("head-root-random", &["head-root", "proof-root"]),
    ("head-signature-garbage", &["head-signature"]),
    ("head-signed-by-other-key", &["head-signature"]),
    ("head-signs-hash", &["head-signature"]),
    ("head-signs-other-message", &["head-message"]),
    ("head-signs-size-and-root-as-bytes", &["head-signature"]),
    ("head-size-rollback", &["head-growth", "head-size", "proof-root"]),
    ("identity-changes", &[]),
    ("log-first-leaf-rewritten", &[]),
    ("log-leaves-swapped", &["proof-binding"]),
    ("manifest-altered-in-evidence", &["manifest"]),
    ("manifest-signature-unchecked", &["bad-signature", "refusals-silent"]),
    ("other-issuer-accepted", &["other-issuer", "refusals-silent"]),
    ("proof-of-other-leaf", &["proof-binding"]),
    ("proof-siblings-reversed", &["proof-path"]),
    ("range-entry-dropped", &["range-complete"]),
    ("range-leaf-data-replaced", &["range-hash"]),
    ("range-leaf-hash-wrong", &["head-root", "range-hash"]),
    ("register-appends-nothing", &["register-leaf"]),
    ("register-index-constant", &["register-leaf"]),
    ("register-leaf-of-other-file", &["register-leaf"]),
    ("rejection-appends-leaf", &["refusals-silent"]),
    ("sidecar-comparison-skipped", &["refusals-silent", "sidecar"]),
    ("tree-leaves-without-prefix", &["head-root", "proof-root"]),
    ("tree-nodes-without-prefix", &["head-root", "proof-root"]),
    ("tree-odd-node-repeated", &["head-root", "proof-root"]),
    ("watermark-row-invented", &["watermark-rows"]),
    ("well-known-key-differs", &["known-key"]),
];

/// Faults that act on registrations which this audit does not send; the suite's checks do.
const ON_OTHER_REGISTRATIONS: &[&str] = &[
    "bundle-signature-over-escaped-text",
    "file-id-bounded-by-characters",
    "file-id-unbounded",
    "identifiers-bounded-as-escaped",
    "identifiers-of-256-bytes-refused",
    "issuer-id-bounded-by-characters",
    "issuer-id-unbounded",
    "key-first-byte-ignored",
    "key-non-digits-skipped",
    "key-short-padded",
    "mark-id-bounded-by-characters",
    "mark-id-unbounded",
    "recipient-id-bounded-by-characters",
    "recipient-id-unbounded",
    "signature-first-byte-ignored",
    "signature-in-capitals-accepted",
    "signature-late-byte-ignored",
    "signature-non-digits-skipped",
    "signature-odd-padded",
    "signature-prefix-skipped",
    "signature-scalar-reduced",
    "signature-short-padded",
    "signature-space-trimmed",
    "signature-tail-ignored",
    "signature-top-bits-masked",
    "token-id-bounded-by-characters",
    "token-id-unbounded",
    "unsigned-member-stored",
    "unsigned-recipient-member-stored",
    "unsigned-watermark-member-stored",
];

#[test]
fn an_honest_registry_shows_no_symptom() {
    assert_eq!(symptoms_of(None), BTreeSet::new());
}

#[test]
fn each_fault_shows_its_own_symptoms_only() {
    let silent = ON_OTHER_REGISTRATIONS.iter().map(|id| (*id, &[][..]));
    let all: Vec<(&str, &[&str])> = SYMPTOMS.iter().copied().chain(silent).collect();
    let ids: BTreeSet<&str> = all.iter().map(|(id, _)| *id).collect();
    assert_eq!(ids, FAULTS.iter().map(|fault| fault.id).collect());
    let wrong: Vec<_> = all
        .into_iter()
        .map(|(id, expected)| (id, BTreeSet::from_iter(expected.iter().copied()), symptoms_of(Some(id))))
        .filter(|(_, expected, found)| expected != found)
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn symptoms_of(fault: Option<&str>) -> BTreeSet<&'static str> {
    let faults = fault.into_iter().map(String::from).collect();
    let options = Options { faults, dns_event_secret: Some(Secret::new("hush")), ..Options::ephemeral() };
    let mut audit = Audit { registry: Registry::with(options), symptoms: BTreeSet::new() };
    audit.run();
    audit.registry.stop();
    audit.symptoms
}

struct Audit {
    registry: Registry,
    symptoms: BTreeSet<&'static str>,
}

impl Audit {
    fn holds(&mut self, symptom: &'static str, is_right: bool) {
        if !is_right {
            self.symptoms.insert(symptom);
        }
    }

    fn run(&mut self) {
        let issuer = Issuer::new(1);
        let first_head = self.registry.get("/tlog/head").accepts();
        let registration = issuer.registration("file");
        let indexes = [registration.clone(), issuer.registration("second")]
            .map(|body| self.registry.post("/register", &body).accepts()["tlog_index"].as_u64().unwrap());
        self.fire();
        let bundle = self.registry.evidence("file");
        self.bundle(&bundle, &registration);
        self.events(&bundle);
        self.head(&bundle, &first_head);
        self.range(&indexes);
        self.attribution();
        self.refusals(&issuer);
    }

    fn fire(&mut self) {
        for target in ["/r/file-t1", "/p/file-t2.png", "/v/file-t1"] {
            assert_eq!(self.registry.send("GET", target, &[("user-agent", "viewer")], b"").status, 200);
        }
        let event =
            json!({"token_id": "file-t1", "client_ip": "198.51.100.7", "qtype": "A", "qname": "x.example"});
        self.registry.post_with("/dns_event", &[SECRET], &event).accepts();
    }

    fn bundle(&mut self, bundle: &Value, registration: &Value) {
        let well_known = self.registry.get("/.well-known/oversight-registry").accepts();
        self.holds("known-key", well_known["ed25519_pub"] == bundle["registry_pub"]);
        let mut message = bundle.clone();
        members(&mut message).shift_remove("bundle_signature_ed25519");
        let message = serde_json_canonicalizer::to_vec(&message).unwrap();
        let is_signed = verifies(&bundle["registry_pub"], &message, &bundle["bundle_signature_ed25519"]);
        self.holds("bundle-signature", is_signed);
        let manifest = &registration["manifest"];
        self.holds("manifest", &bundle["manifest"] == manifest);
        let tokens = |list: &Value| texts(list, "token_id");
        self.holds("beacon-rows", tokens(&bundle["beacons"]) == tokens(&manifest["beacons"]));
        let marks = |list: &Value| texts(list, "mark_id");
        self.holds("watermark-rows", marks(&bundle["watermarks"]) == marks(&manifest["watermarks"]));
    }

    fn events(&mut self, bundle: &Value) {
        let events = bundle["events"].as_array().unwrap();
        let proofs = bundle["tlog_proofs"].as_array().unwrap();
        self.holds("events", texts(&bundle["events"], "kind") == ["ocsp", "http_img", "license", "dns"]);
        self.holds("proof-count", events.len() == proofs.len());
        for (event, item) in events.iter().zip(proofs) {
            let proof = &item["proof"];
            let leaf = serde_json_canonicalizer::to_vec(&leaf_of(event)).unwrap();
            let is_bound =
                proof["index"] == event["tlog_index"] && proof["leaf_hash"] == hex::encode(leaf_hash(&leaf));
            self.holds("proof-binding", is_bound);
            self.holds("proof-path", leads_to_root(proof));
            let alone = self.registry.get(&format!("/tlog/proof/{}", event["tlog_index"])).accepts();
            self.holds("proof-agreement", &alone == proof);
            self.holds("proof-root", proof["root"] == bundle["tlog_head"]["root"]);
        }
    }

    fn head(&mut self, bundle: &Value, first: &Value) {
        let head = self.registry.get("/tlog/head").accepts();
        let message = format!(r#"{{"root":{},"size":{}}}"#, head["root"], head["size"]);
        self.holds("head-message", head["signed_message"] == message);
        let signed = head["signed_message"].as_str().unwrap();
        self.holds(
            "head-signature",
            verifies(&bundle["registry_pub"], signed.as_bytes(), &head["signature"]),
        );
        let sizes = [first, &bundle["tlog_head"], &head].map(|head| head["size"].as_u64().unwrap());
        // An empty log cannot shrink: what gives the rollback away here is that it does not grow either.
        self.holds("head-growth", sizes[0] < sizes[1] && sizes[1] <= sizes[2]);
        self.holds("head-size", sizes[2] == self.registry.size());
        let entries = self.registry.get("/tlog/range").accepts()["entries"].clone();
        let hashes: Vec<[u8; 32]> =
            entries.as_array().unwrap().iter().map(|entry| hash_of(&entry["leaf_hash"])).collect();
        let is_whole = hashes.len() as u64 == sizes[2];
        self.holds("head-root", !is_whole || head["root"] == hex::encode(root(&hashes)));
    }

    fn range(&mut self, registered: &[u64]) {
        let entries = self.registry.get("/tlog/range").accepts()["entries"].clone();
        let entries = entries.as_array().unwrap();
        let indexes: Vec<u64> = entries.iter().map(|entry| entry["index"].as_u64().unwrap()).collect();
        self.holds("range-complete", indexes == (0..self.registry.size()).collect::<Vec<_>>());
        for entry in entries {
            let leaf = hex::decode(entry["leaf_data_hex"].as_str().unwrap()).unwrap();
            self.holds("range-hash", entry["leaf_hash"] == hex::encode(leaf_hash(&leaf)));
        }
        for (file_id, index) in ["file", "second"].iter().zip(registered) {
            let Some(entry) = entries.iter().find(|entry| entry["index"] == *index) else { continue };
            let leaf: Value = serde_json::from_str(entry["leaf_data"].as_str().unwrap()).unwrap();
            let is_other = leaf["event"] == "replaced";
            self.holds(
                "register-leaf",
                is_other || (leaf["event"] == "register" && leaf["file_id"] == *file_id),
            );
        }
    }

    fn attribution(&mut self) {
        let found = |token: &str| self.registry.post("/attribute", &json!({"token_id": token})).accepts();
        let (hit, miss) = (found("file-t1"), found("nonexistent"));
        self.holds("attribute-hit", hit["found"] == true && hit["file_id"] == "file");
        self.holds("attribute-miss", miss == json!({"found": false}));
    }

    fn refusals(&mut self, issuer: &Issuer) {
        let before = self.registry.size();
        let mut unsigned = issuer.registration("unsigned");
        unsigned["manifest"]["signature_ed25519"] = json!("00".repeat(64));
        let mut extra = issuer.registration("extra");
        extra["beacons"][0]["kind"] = json!("changed");
        let other = Issuer::new(2).registration("file");
        for (symptom, status, body) in
            [("bad-signature", 400, unsigned), ("sidecar", 400, extra), ("other-issuer", 409, other)]
        {
            let answer = self.registry.post("/register", &body);
            self.holds(symptom, answer.status == status);
            self.holds("envelope", answer.status == 200 || answer.json()["error"]["code"].is_string());
        }
        self.holds("refusals-silent", self.registry.size() == before);
        let answer = self.registry.post("/dns_event", &json!({"token_id": "file-t1"}));
        self.holds("dns-secret", answer.status == 401);
    }
}

fn texts(list: &Value, name: &str) -> Vec<String> {
    list.as_array().unwrap().iter().map(|item| item[name].as_str().unwrap().to_owned()).collect()
}

fn hash_of(text: &Value) -> [u8; 32] {
    hex::decode(text.as_str().unwrap()).unwrap().try_into().unwrap()
}

fn node(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

/// RFC 6962, section 2.1, over leaf hashes.
fn root(hashes: &[[u8; 32]]) -> [u8; 32] {
    match hashes {
        [] => Sha256::digest(b"").into(),
        [hash] => *hash,
        _ => {
            let (left, right) = hashes.split_at(hashes.len().next_power_of_two() / 2);
            node(&root(left), &root(right))
        }
    }
}

/// RFC 6962, section 2.1.1, from the top: which half holds the leaf says on which side its last sibling is.
fn leads_to_root(proof: &Value) -> bool {
    let path: Vec<[u8; 32]> = proof["proof"].as_array().unwrap().iter().map(hash_of).collect();
    let (index, size) = (proof["index"].as_u64().unwrap(), proof["tree_size"].as_u64().unwrap());
    climbed(index, size, hash_of(&proof["leaf_hash"]), &path) == Some(hash_of(&proof["root"]))
}

fn climbed(index: u64, size: u64, leaf: [u8; 32], path: &[[u8; 32]]) -> Option<[u8; 32]> {
    let Some((sibling, below)) = path.split_last() else { return (size == 1).then_some(leaf) };
    if size < 2 {
        return None;
    }
    let left = size.next_power_of_two() / 2;
    match index < left {
        true => Some(node(&climbed(index, left, leaf, below)?, sibling)),
        false => Some(node(sibling, &climbed(index - left, size - left, leaf, below)?)),
    }
}
