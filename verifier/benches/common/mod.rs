//! What the benches share: the corpora, and a ratio measured in one run.
#![allow(dead_code, clippy::allow_attributes, reason = "each bench uses a part of it")]

use std::hint::black_box;
use std::time::Duration;

use assayer_verifier::{Hash, PublicKey, leaf_hash, node_hash};
use ed25519_dalek::{Signer, SigningKey};
use serde_json::{Value, json};

/// How often each side of a ratio is timed; odd, so that there is a median.
const ROUNDS: usize = 31;

/// How long this thread has had a processor. While others have it the thread does not age, so a noisy neighbour costs
/// caches and no more.
#[cfg(unix)]
fn now() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.try_into().unwrap(), time.tv_nsec.try_into().unwrap())
}

#[cfg(not(unix))]
fn now() -> Duration {
    static START: std::sync::LazyLock<std::time::Instant> = std::sync::LazyLock::new(std::time::Instant::now);
    START.elapsed()
}

/// Median processor times of several jobs that take turns, so that whatever goes on beside them disturbs all alike.
pub(crate) fn medians<const N: usize>(mut jobs: [&mut dyn FnMut(); N]) -> [Duration; N] {
    let mut times: [Vec<Duration>; N] = std::array::from_fn(|_| Vec::with_capacity(ROUNDS));
    for round in 0..=ROUNDS {
        for (job, times) in jobs.iter_mut().zip(&mut times) {
            let start = now();
            job();
            // The first round warms the caches up.
            if round > 0 {
                times.push(now() - start);
            }
        }
    }
    times.map(|mut times| {
        times.sort_unstable();
        times[ROUNDS / 2]
    })
}

/// How many times as long the first takes as the second.
pub(crate) fn ratio(long: Duration, short: Duration) -> f64 {
    long.as_secs_f64() / short.as_secs_f64()
}

/// Whether `cargo bench` asks; `cargo test --benches` only wants to know that the benches run.
pub(crate) fn is_bench() -> bool {
    std::env::args().any(|argument| argument == "--bench")
}

/// The recorded corpus, where it is there: bundles of a real registry, one a line.
pub(crate) fn recorded() -> Option<Vec<Vec<u8>>> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../shared/interop/oversight/perf/bundles-1000-rust-0.4.12.jsonl"
    );
    let text = std::fs::read(path).ok()?;
    Some(text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(<[u8]>::to_vec).collect())
}

pub(crate) fn registry() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

fn issuer() -> SigningKey {
    SigningKey::from_bytes(&[9; 32])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn signed(key: &SigningKey, value: &Value) -> String {
    hex(&key.sign(&serde_jcs::to_vec(value).unwrap()).to_bytes())
}

/// Every level of a tree, the leaves first; an odd last node goes up as it is.
fn levels(leaves: Vec<Hash>) -> Vec<Vec<Hash>> {
    let mut levels = vec![leaves];
    while levels.last().unwrap().len() > 1 {
        let below = levels.last().unwrap();
        let above = below.chunks(2).map(|pair| match pair {
            [left, right] => node_hash(left, right),
            other => other[0],
        });
        let above = above.collect();
        levels.push(above);
    }
    levels
}

fn path(levels: &[Vec<Hash>], mut index: usize) -> Vec<String> {
    let mut path = Vec::new();
    for level in levels {
        if let Some(sibling) = level.get(index ^ 1) {
            path.push(sibling.to_hex());
        }
        index /= 2;
    }
    path
}

const EVENTS: usize = 5;
const INSTANT: &str = "2026-11-20T17:46:12Z";

fn event_leaf(file: &str) -> Value {
    json!({
        "event": "beacon", "kind": "http_img", "token_id": format!("{file}-0"), "file_id": file,
        "recipient_id": "recipient@example.test", "source_ip": "127.0.0.1", "timestamp": INSTANT,
        "user_agent": "perf",
    })
}

/// A manifest in the order in which issuers write it, without a signature.
fn unsigned_manifest(file: &str) -> Value {
    let digest = assayer_verifier::sha256(file.as_bytes()).to_hex();
    json!({
        "file_id": file, "issued_at": 1_750_000_000, "version": "OVERSIGHT-v1", "suite": "OSGT-CLASSIC-v1",
        "original_filename": "file.txt", "content_hash": digest, "canonical_content_hash": digest,
        "content_type": "text/plain", "size_bytes": 1234, "issuer_id": "issuer@example.test",
        "issuer_ed25519_pub": hex(issuer().verifying_key().as_bytes()),
        "recipient": {"recipient_id": "recipient@example.test", "x25519_pub": digest},
        "watermarks": [{"layer": "L1_zero_width", "mark_id": format!("{file}-m")}],
        "beacons": [{"token_id": format!("{file}-0"), "kind": "dns"}, {"token_id": format!("{file}-1"), "kind": "dns"}],
        "policy": {"registry_url": "https://registry.example.test", "jurisdiction": "GLOBAL"},
        "l3_policy": {}, "signature_ed25519": "", "signature_ml_dsa": "",
    })
}

fn manifest(file: &str) -> Value {
    let mut manifest = unsigned_manifest(file);
    manifest["signature_ed25519"] = signed(&issuer(), &manifest).into();
    manifest
}

/// Bundles of the recorded shape: five events, one log of 7,000 leaves, one head. The same bytes in every run.
pub(crate) fn own_bundles(count: usize) -> Vec<Vec<u8>> {
    let registry = registry();
    let file = |n: usize| format!("own-{n:05}");
    let leaf = |n: usize| leaf_hash(&serde_jcs::to_vec(&event_leaf(&file(n % count))).unwrap());
    let size = 7_000.max(count * EVENTS);
    let levels = levels((0..size).map(leaf).collect());
    let root = levels.last().unwrap()[0].to_hex();
    let head = json!({"root": root, "size": size});
    let message = serde_jcs::to_string(&head).unwrap();
    let head =
        json!({"root": root, "size": size, "signature": signed(&registry, &head), "signed_message": message});
    (0..count)
        .map(|n| {
            let file = file(n);
            let row = |member: &str, kind: &str, text: &str, value: String| {
                json!({
                    "file_id": file, "issuer_id": "issuer@example.test", member: text, "registered_at": 1_795_196_769,
                    "recipient_id": "recipient@example.test", kind: value,
                })
            };
            let events: Vec<Value> = (0..EVENTS)
                .map(|e| {
                    json!({
                        "id": e * count + n, "tlog_index": e * count + n, "token_id": format!("{file}-0"),
                        "file_id": file, "issuer_id": "issuer@example.test", "recipient_id": "recipient@example.test",
                        "kind": "http_img", "source_ip": "127.0.0.1", "user_agent": "perf", "extra": "{}",
                        "timestamp": 1_795_196_772, "qualified_timestamp": INSTANT,
                    })
                })
                .collect();
            let proofs: Vec<Value> = (0..EVENTS)
                .map(|e| {
                    let index = e * count + n;
                    json!({"event_row": e, "tlog_index": index, "proof": {
                        "index": index, "leaf_hash": leaf(index).to_hex(), "proof": path(&levels, index),
                        "root": root, "tree_size": size,
                    }})
                })
                .collect();
            let mut bundle = json!({
                "file_id": file, "bundle_generated_at": INSTANT, "manifest": manifest(&file),
                "registry_pub": hex(registry.verifying_key().as_bytes()), "disclaimer": "A record, not a finding.",
                "beacons": [row("kind", "token_id", "dns", format!("{file}-0")), row("kind", "token_id", "dns", format!("{file}-1"))],
                "watermarks": [row("layer", "mark_id", "L1_zero_width", format!("{file}-m"))],
                "events": events, "tlog_head": head, "tlog_proofs": proofs,
            });
            bundle["bundle_signature_ed25519"] = signed(&registry, &bundle).into();
            serde_jcs::to_vec(&bundle).unwrap()
        })
        .collect()
}

/// Manifests alone, as issuers write them: compact, members in their own order.
pub(crate) fn own_manifests(count: usize) -> Vec<Vec<u8>> {
    (0..count).map(|n| manifest(&format!("own-{n:05}")).to_string().into_bytes()).collect()
}

/// The registry's key of a corpus of bundles.
pub(crate) fn registry_key(bundle: &[u8]) -> PublicKey {
    let bundle: Value = serde_json::from_slice(bundle).unwrap();
    PublicKey::from_hex(bundle["registry_pub"].as_str().unwrap()).unwrap()
}

/// The issuer's key of a corpus of bundles.
pub(crate) fn issuer_key(bundle: &[u8]) -> PublicKey {
    let bundle: Value = serde_json::from_slice(bundle).unwrap();
    PublicKey::from_hex(bundle["manifest"]["issuer_ed25519_pub"].as_str().unwrap()).unwrap()
}

/// Runs `job` on every text and keeps the compiler from leaving it out.
pub(crate) fn each<T>(texts: &[Vec<u8>], job: impl Fn(&[u8]) -> T) {
    for text in texts {
        black_box(job(black_box(text)));
    }
}
