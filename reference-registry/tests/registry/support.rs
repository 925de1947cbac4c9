//! A blocking HTTP client of a few lines, manifests signed with `ring`, and a registry to talk to.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use assayer_reference_registry::{Options, Running, start};
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use tokio::runtime::Runtime;

/// A registry in this process; the runtime stops with it.
pub(crate) struct Registry {
    pub(crate) runtime: Runtime,
    pub(crate) running: Running,
}

impl Registry {
    pub(crate) fn honest() -> Self {
        Self::with(Options::ephemeral())
    }

    pub(crate) fn with(options: Options) -> Self {
        let runtime = Runtime::new().unwrap();
        let running = runtime.block_on(start(options)).unwrap();
        Self { runtime, running }
    }

    pub(crate) fn stop(self) {
        self.runtime.block_on(self.running.stop());
    }

    pub(crate) fn get(&self, target: &str) -> Answer {
        self.send("GET", target, &[], b"")
    }

    pub(crate) fn post(&self, target: &str, body: &Value) -> Answer {
        self.post_with(target, &[], body)
    }

    pub(crate) fn post_with(&self, target: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        let mut all = vec![("content-type", "application/json")];
        all.extend(headers);
        self.send("POST", target, &all, body.to_string().as_bytes())
    }

    pub(crate) fn send(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        send(self.running.address(), method, target, headers, body)
    }

    /// Leaves in the log.
    pub(crate) fn size(&self) -> u64 {
        self.get("/health").json()["tlog_size"].as_u64().unwrap()
    }

    pub(crate) fn evidence(&self, file_id: &str) -> Value {
        let answer = self.get(&format!("/evidence/{file_id}"));
        assert_eq!(answer.status, 200);
        answer.json()
    }
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {:?}", String::from_utf8_lossy(&self.body)))
    }

    /// Asserts the error envelope, its code and nothing else.
    #[track_caller]
    pub(crate) fn refuses(&self, status: u16, code: &str) {
        let text = String::from_utf8_lossy(&self.body);
        assert_eq!(self.status, status, "{text}");
        assert_eq!(self.header("content-type"), Some("application/json"), "{text}");
        let body = self.json();
        assert_eq!(body["error"]["code"], code, "{text}");
        let message = body["error"]["message"].as_str().unwrap();
        let is_clean = [".rs", ".sqlite", "SQL", "INSERT", "/work", "panicked"]
            .iter()
            .all(|leak| !message.contains(leak));
        assert!(!message.is_empty() && is_clean, "{message}");
        assert_eq!(body.as_object().unwrap().len(), 1);
        assert_eq!(body["error"].as_object().unwrap().len(), 2);
    }

    #[track_caller]
    pub(crate) fn accepts(&self) -> Value {
        assert_eq!(self.status, 200, "{}", String::from_utf8_lossy(&self.body));
        self.json()
    }
}

pub(crate) fn send(
    address: SocketAddr,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Answer {
    let mut request = format!("{method} {target} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n");
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    if method == "POST" {
        request.push_str(&format!("content-length: {}\r\n", body.len()));
    }
    let mut bytes = request.into_bytes();
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(body);
    exchange(address, &bytes)
}

pub(crate) fn exchange(address: SocketAddr, request: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request).unwrap();
    answer(stream)
}

/// What comes up to the end of the connection.
pub(crate) fn answer(mut stream: TcpStream) -> Answer {
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let split =
        |line: &str| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned()));
    Answer { status, headers: lines.filter_map(split).collect(), body: bytes[end + 4..].to_vec() }
}

/// A key that signs manifests.
pub(crate) struct Issuer(Ed25519KeyPair);

impl Issuer {
    pub(crate) fn new(number: u8) -> Self {
        Self(Ed25519KeyPair::from_seed_unchecked(&[number; 32]).unwrap())
    }

    pub(crate) fn public(&self) -> String {
        hex::encode(self.0.public_key())
    }

    /// A full manifest with two beacons and two watermarks, not yet signed.
    pub(crate) fn manifest(&self, file_id: &str) -> Value {
        json!({
            "file_id": file_id,
            "issued_at": 1_750_000_000,
            "version": "OVERSIGHT-v1",
            "suite": "OSGT-CLASSIC-v1",
            "original_filename": "report.txt",
            "content_hash": "ab".repeat(32),
            "canonical_content_hash": "ab".repeat(32),
            "content_type": "text/plain",
            "size_bytes": 4096,
            "issuer_id": "issuer",
            "issuer_ed25519_pub": self.public(),
            "recipient": {"recipient_id": "recipient", "x25519_pub": "cd".repeat(32)},
            "watermarks": [
                {"layer": "L1_zero_width", "mark_id": format!("{file_id}-m1")},
                {"layer": "L3_semantic", "mark_id": format!("{file_id}-m3")},
            ],
            "beacons": [
                {"token_id": format!("{file_id}-t1"), "kind": "dns"},
                {"token_id": format!("{file_id}-t2"), "kind": "http"},
            ],
            "policy": {"jurisdiction": "GLOBAL"},
            "l3_policy": {},
            "signature_ed25519": "",
            "signature_ml_dsa": "",
        })
    }

    /// Signs over the manifest as it is, with both signatures empty; members that are absent at their defaults.
    pub(crate) fn sign(&self, mut manifest: Value) -> Value {
        let mut signed = manifest.clone();
        let defaults = json!({
            "version": "OVERSIGHT-v1", "suite": "OSGT-CLASSIC-v1", "original_filename": "", "content_hash": "",
            "canonical_content_hash": "", "content_type": "application/octet-stream", "size_bytes": 0,
            "issuer_id": "", "watermarks": [], "beacons": [], "policy": {}, "l3_policy": {},
        });
        for (name, value) in defaults.as_object().unwrap() {
            members(&mut signed).entry(name.clone()).or_insert_with(|| value.clone());
        }
        signed["signature_ed25519"] = json!("");
        signed["signature_ml_dsa"] = json!("");
        let bytes = serde_json_canonicalizer::to_vec(&signed).unwrap();
        manifest["signature_ed25519"] = json!(hex::encode(self.0.sign(&bytes)));
        manifest
    }

    /// A registration of this file that must be accepted.
    pub(crate) fn registration(&self, file_id: &str) -> Value {
        self.registration_of(self.manifest(file_id))
    }

    pub(crate) fn registration_of(&self, manifest: Value) -> Value {
        let manifest = self.sign(manifest);
        let list = |name: &str| manifest.get(name).cloned().unwrap_or_else(|| json!([]));
        json!({"beacons": list("beacons"), "watermarks": list("watermarks"), "manifest": manifest})
    }
}

pub(crate) fn members(value: &mut Value) -> &mut Map<String, Value> {
    value.as_object_mut().unwrap()
}

pub(crate) fn verifies(key: &Value, message: &[u8], signature: &Value) -> bool {
    let bytes = |value: &Value| hex::decode(value.as_str().unwrap()).unwrap();
    ring::signature::UnparsedPublicKey::new(&ring::signature::ED25519, bytes(key))
        .verify(message, &bytes(signature))
        .is_ok()
}

pub(crate) fn leaf_hash(leaf: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update([0]).chain_update(leaf).finalize().into()
}

/// The leaf that an event row stands for.
pub(crate) fn leaf_of(event: &Value) -> Value {
    let mut leaf = json!({"event": "beacon", "timestamp": event["qualified_timestamp"]});
    for name in ["kind", "token_id", "file_id", "recipient_id", "source_ip"] {
        leaf[name] = event[name].clone();
    }
    if event["kind"] == "dns" {
        let extra: Value = serde_json::from_str(event["extra"].as_str().unwrap()).unwrap();
        members(&mut leaf).extend(extra.as_object().unwrap().clone());
    } else {
        leaf["user_agent"] = event["user_agent"].clone();
    }
    leaf
}
