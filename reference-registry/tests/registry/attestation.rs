//! Attestations of registrations, against a transparency log of the test's own.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener},
    sync::{
        Arc, Mutex,
        mpsc::{Sender, channel},
    },
    thread,
};

use assayer_reference_registry::{Class, DataLocation, Options, openapi, validate};
use base64ct::{Base64, Encoding};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::{Issuer, Registry, leaf_hash, send, verifies};

/// How the log answers an envelope.
type Answers = fn(&Value) -> (u16, String);

/// A log that answers each request once, and shows what it was sent.
struct Log {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<(String, Value)>>>,
    _stop: Sender<()>,
}

impl Log {
    fn answering(answers: Answers) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, seen) = (listener.local_addr().unwrap(), Arc::new(Mutex::new(Vec::new())));
        let (_stop, stopped) = channel::<()>();
        let record = Arc::clone(&seen);
        thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.try_recv() == Err(std::sync::mpsc::TryRecvError::Disconnected) {
                    return;
                }
                let mut stream = stream.unwrap();
                let (line, body) = request(&mut stream);
                let (status, text) = answers(&body);
                record.lock().unwrap().push((line, body));
                let length = text.len();
                drop(write!(
                    stream,
                    "HTTP/1.1 {status} x\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{text}"
                ));
            }
        });
        Self { address, seen, _stop }
    }

    fn options(&self) -> Options {
        let log = format!("http://{}", self.address).parse().unwrap();
        let admin = Some(([127, 0, 0, 1], 0).into());
        Options { transparency_log: Some(log), admin, ..Options::ephemeral() }
    }
}

fn request(stream: &mut impl Read) -> (String, Value) {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let count = stream.read(&mut buffer).unwrap();
        bytes.extend_from_slice(&buffer[..count]);
        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap().to_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        if bytes.len() - end - 4 >= length.parse::<usize>().unwrap() {
            return (
                head.lines().next().unwrap().to_owned(),
                serde_json::from_slice(&bytes[end + 4..]).unwrap(),
            );
        }
    }
}

/// What Rekor answers: an entry of kind `dsse` in a log of one.
fn logged(proposed: &Value) -> (u16, String) {
    let envelope: Value =
        serde_json::from_str(proposed["spec"]["proposedContent"]["envelope"].as_str().unwrap()).unwrap();
    (201, entry(&envelope).to_string())
}

fn entry(envelope: &Value) -> Value {
    let payload = Base64::decode_vec(envelope["payload"].as_str().unwrap()).unwrap();
    let signature = json!({"signature": envelope["signatures"][0]["sig"], "verifier": "eA=="});
    let hash = |bytes: &[u8]| json!({"algorithm": "sha256", "value": hex::encode(Sha256::digest(bytes))});
    let spec = json!({"envelopeHash": hash(envelope.to_string().as_bytes()), "payloadHash": hash(&payload), "signatures": [signature]});
    let body = json!({"apiVersion": "0.0.1", "kind": "dsse", "spec": spec}).to_string();
    let root = hex::encode(leaf_hash(body.as_bytes()));
    let proof = json!({"hashes": [], "logIndex": 0, "rootHash": root, "treeSize": 1, "checkpoint": "none"});
    json!({"24296fb24b8ad77a": {
        "body": Base64::encode_string(body.as_bytes()), "integratedTime": 1_767_225_600, "logID": "00", "logIndex": 0,
        "verification": {"inclusionProof": proof, "signedEntryTimestamp": "eA=="},
    }})
}

#[test]
fn a_registration_is_attested_and_its_evidence_has_statement_and_entry() {
    let log = Log::answering(logged);
    let (registry, issuer) = (Registry::with(log.options()), Issuer::new(1));
    let registration = issuer.registration("file");
    let rekor = registry.post("/register", &registration).accepts()["rekor"].clone();
    let bundle = registry.evidence("file");
    assert_eq!(bundle["rekor"], rekor);
    assert_eq!((&rekor["bundle_schema"], &rekor["error"]), (&json!(2), &Value::Null));
    let payload = Base64::decode_vec(rekor["dsse"]["payload"].as_str().unwrap()).unwrap();
    let statement: Value = serde_json::from_slice(&payload).unwrap();
    let manifest = &registration["manifest"];
    assert_eq!(statement["_type"], "https://in-toto.io/Statement/v1");
    assert_eq!(
        statement["subject"][0],
        json!({"name": "mark:file-m1", "digest": {"sha256": manifest["content_hash"]}})
    );
    assert_eq!(statement["subject"].as_array().unwrap().len(), 2);
    let predicate = &statement["predicate"];
    assert_eq!(predicate["watermarks"], manifest["watermarks"]);
    assert_eq!(predicate["issuer_pubkey_ed25519"], issuer.public());
    assert_eq!(predicate["recipient_pubkey_sha256"], hex::encode(Sha256::digest([0xcd; 32])));
    assert_eq!(predicate["registered_at"], bundle["beacons"][0]["registered_at"]);
    let message = [
        &b"DSSEv1 28 application/vnd.in-toto+json "[..],
        payload.len().to_string().as_bytes(),
        b" ",
        &payload,
    ]
    .concat();
    let signature = Base64::decode_vec(rekor["dsse"]["signatures"][0]["sig"].as_str().unwrap()).unwrap();
    assert!(verifies(&bundle["registry_pub"], &message, &json!(hex::encode(signature))));
    assert_eq!(rekor["log_entry"]["logIndex"], 0);
    let (line, proposed) = log.seen.lock().unwrap()[0].clone();
    assert_eq!(line, "post /api/v1/log/entries http/1.1");
    let key =
        Base64::decode_vec(proposed["spec"]["proposedContent"]["verifiers"][0].as_str().unwrap()).unwrap();
    assert!(key.starts_with(b"-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA"));
    registry.stop();
}

#[test]
fn whatever_the_log_does_the_file_is_registered_and_the_failure_is_seen() {
    let failing: [(Answers, &str); 6] = [
        (|_| (500, "{}".into()), "status 500"),
        (|_| (409, "{}".into()), "status 409"),
        (|_| (302, "{}".into()), "status 302"),
        (|_| (201, "no JSON".into()), "no entry"),
        (|_| (201, "{}".into()), "no entry"),
        // An entry about another envelope is not served as evidence of this one.
        (
            |_| (201, entry(&json!({"payload": "e30=", "signatures": [{"sig": "eA=="}]})).to_string()),
            "no entry",
        ),
    ];
    for (answers, expected) in failing {
        let log = Log::answering(answers);
        let registry = Registry::with(log.options());
        let answer = registry.post("/register", &Issuer::new(1).registration("file")).accepts();
        let error = answer["rekor"]["error"].as_str().unwrap();
        assert!(error.contains(expected) && !error.contains("127.0.0.1"), "{error}");
        let rekor = registry.evidence("file")["rekor"].clone();
        assert_eq!(rekor["dsse"], answer["rekor"]["dsse"]);
        assert!(rekor["log_entry"].is_null() && rekor["error"].is_null());
        let metrics = send(registry.running.admin_address().unwrap(), "GET", "/metrics", &[], b"");
        let text = String::from_utf8(metrics.body).unwrap();
        assert!(text.contains(r#"oversight_registry_attestations_total{outcome="failed"} 1"#), "{text}");
        registry.stop();
    }
}

#[test]
fn a_log_that_is_not_there_is_no_reason_to_refuse() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let log = Some(format!("http://{gone}").parse().unwrap());
    let registry = Registry::with(Options { transparency_log: log, ..Options::ephemeral() });
    let answer = registry.post("/register", &Issuer::new(1).registration("file")).accepts();
    assert!(answer["rekor"]["error"].as_str().unwrap().contains("could not be reached"));
    let mut bare = Issuer::new(1).manifest("bare");
    bare["watermarks"] = json!([]);
    let answer = registry.post("/register", &Issuer::new(1).registration_of(bare)).accepts();
    assert!(answer["rekor"]["error"].as_str().unwrap().contains("no mark"));
    assert!(registry.evidence("bare")["rekor"].is_null());
    registry.stop();
}

#[test]
fn evidence_has_the_attestation_of_the_last_registration_only() {
    let log = Log::answering(logged);
    let (registry, issuer) = (Registry::with(log.options()), Issuer::new(1));
    let first = registry.post("/register", &issuer.registration("file")).accepts()["rekor"].clone();
    let mut manifest = issuer.manifest("file");
    manifest["content_hash"] = json!("ef".repeat(32));
    let second = registry.post("/register", &issuer.registration_of(manifest)).accepts()["rekor"].clone();
    assert_ne!(first["dsse"], second["dsse"]);
    assert_eq!(registry.evidence("file")["rekor"], second);
    registry.stop();
}

/// What may have been done to an attestation that was kept, in a registry whose files `file` and `other` have one each.
const FORGERIES: [&str; 6] = [
    "UPDATE attestations SET attestation = replace(attestation, '\"sig\":\"', '\"sig\":\"AAAA')",
    "UPDATE attestations SET attestation = replace(attestation, '\"keyid\":\"', '\"keyid\":\"00')",
    "UPDATE attestations SET attestation = json_set(attestation, '$.dsse.payload', 'e30=')",
    "UPDATE attestations SET attestation = json_remove(attestation, '$.dsse')",
    "UPDATE attestations SET attestation = (SELECT attestation FROM attestations WHERE file_id = 'other')",
    "UPDATE attestations SET tlog_index = 7 WHERE file_id = 'file'",
];

#[test]
fn a_validation_sees_attestations_that_the_registry_did_not_make() {
    let directory = tempfile::TempDir::new().unwrap();
    let (log, db) = (Log::answering(logged), directory.path().join("registry.sqlite"));
    let data = DataLocation::Directory(directory.path().to_owned());
    let (registry, issuer) = (Registry::with(Options { data, ..log.options() }), Issuer::new(1));
    for file_id in ["file", "other"] {
        registry.post("/register", &issuer.registration(file_id)).accepts();
    }
    registry.stop();
    let found = || validate(&db, directory.path()).count(Class::AttestationMismatches);
    assert!(validate(&db, directory.path()).is_ok());
    for forgery in FORGERIES {
        let connection = rusqlite::Connection::open(&db).unwrap();
        let undone = "CREATE TABLE kept AS SELECT * FROM attestations";
        connection.execute_batch(&format!("{undone}; {forgery}")).unwrap();
        assert!(found() > 0, "{forgery}");
        let undo = "DELETE FROM attestations; INSERT INTO attestations SELECT * FROM kept; DROP TABLE kept";
        connection.execute_batch(undo).unwrap();
        assert_eq!(found(), 0, "{forgery}");
    }
}

#[test]
fn without_a_log_nothing_is_attested() {
    let registry = Registry::honest();
    let answer = registry.post("/register", &Issuer::new(1).registration("file")).accepts();
    assert!(answer.get("rekor").is_none() && registry.evidence("file").get("rekor").is_none());
    assert!(openapi(&Options::ephemeral())["components"]["schemas"]["Attestation"].is_object());
    registry.stop();
}
