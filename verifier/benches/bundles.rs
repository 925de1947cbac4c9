//! Whole bundles beside their bare Ed25519 verifications.
//!
//! `cargo bench -p assayer-verifier --bench bundles`; with `-- --write FILE` it writes its own bundles, one a line, and ends.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::allow_attributes,
    reason = "a bench"
)]

mod common;

use std::sync::LazyLock;

use assayer_verifier::oversight::{BundleVerifier, Trust, verify_bundle};
use assayer_verifier::{Limits, PublicKey, Verdict};
use common::{each, medians, ratio};
use ed25519_dalek::{Signature, VerifyingKey};

const COUNT: usize = 1_000;

struct Corpus {
    name: &'static str,
    bundles: Vec<Vec<u8>>,
    /// The three signatures of each bundle with what they are over.
    signatures: Vec<[Signed; 3]>,
    registry: [PublicKey; 1],
    issuer: [PublicKey; 1],
}

struct Signed {
    key: [u8; 32],
    message: Vec<u8>,
    signature: [u8; 64],
}

static CORPORA: LazyLock<Vec<Corpus>> = LazyLock::new(|| {
    let own = Some(("own", common::own_bundles(COUNT)));
    let recorded = common::recorded().map(|all| ("recorded", all.into_iter().take(COUNT).collect()));
    [recorded, own].into_iter().flatten().map(|(name, bundles)| Corpus::new(name, bundles)).collect()
});

fn unhex<const N: usize>(value: &serde_json::Value) -> [u8; N] {
    let text = value.as_str().unwrap();
    std::array::from_fn(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap())
}

impl Corpus {
    fn new(name: &'static str, bundles: Vec<Vec<u8>>) -> Self {
        let signatures = bundles.iter().map(|bundle| signatures(bundle)).collect();
        let registry = [common::registry_key(&bundles[0])];
        let issuer = [common::issuer_key(&bundles[0])];
        Self { name, bundles, signatures, registry, issuer }
    }

    fn trust(&self) -> Trust<'_> {
        Trust::default().registry_keys(&self.registry).issuer_keys(&self.issuer)
    }

    fn one_at_a_time(&self) {
        each(&self.bundles, |bundle| verify_bundle(bundle, &self.trust(), &Limits::default()).verdict());
    }

    /// A verifier that is made anew each time: what it has to learn first is in the measure.
    fn in_batch(&self) {
        let (trust, limits) = (self.trust(), Limits::default());
        let traces = BundleVerifier::new(&trust, &limits).verify_together(divan::black_box(&self.bundles));
        for trace in traces {
            divan::black_box(trace.verdict());
        }
    }

    fn bare(&self) {
        for signed in self.signatures.iter().flatten() {
            let key = VerifyingKey::from_bytes(divan::black_box(&signed.key)).unwrap();
            let signature = Signature::from_bytes(&signed.signature);
            key.verify_strict(divan::black_box(&signed.message), &signature).unwrap();
        }
    }
}

fn signatures(bundle: &[u8]) -> [Signed; 3] {
    let mut bundle: serde_json::Value = serde_json::from_slice(bundle).unwrap();
    let mut manifest = bundle["manifest"].clone();
    let of_manifest = unhex(&manifest["signature_ed25519"]);
    manifest["signature_ed25519"] = "".into();
    manifest["signature_ml_dsa"] = "".into();
    let removed = bundle.as_object_mut().unwrap().remove("bundle_signature_ed25519").unwrap();
    let registry = unhex(&bundle["registry_pub"]);
    let head = &bundle["tlog_head"];
    let message = head["signed_message"].as_str().unwrap().as_bytes().to_vec();
    [
        Signed {
            key: unhex(&manifest["issuer_ed25519_pub"]),
            message: serde_jcs::to_vec(&manifest).unwrap(),
            signature: of_manifest,
        },
        Signed { key: registry, message: serde_jcs::to_vec(&bundle).unwrap(), signature: unhex(&removed) },
        Signed { key: registry, message, signature: unhex(&head["signature"]) },
    ]
}

fn print_ratios() {
    println!(
        "{:<12} {:>10} {:>10} {:>12} {:>10} {:>13}",
        "µs a bundle", "bare", "single", "single/bare", "batch", "single/batch"
    );
    for corpus in CORPORA.iter() {
        let (trust, limits) = (corpus.trust(), Limits::default());
        let together = BundleVerifier::new(&trust, &limits).verify_together(&corpus.bundles);
        for (bundle, together) in corpus.bundles.iter().zip(together) {
            let trace = verify_bundle(bundle, &trust, &limits);
            assert_eq!(trace.verdict(), Verdict::Authentic, "{trace:#?}");
            assert_eq!(together, trace);
        }
        let [bare, single, batch] =
            medians([&mut || corpus.bare(), &mut || corpus.one_at_a_time(), &mut || corpus.in_batch()]);
        let each = |time: std::time::Duration| time.as_secs_f64() * 1e6 / corpus.bundles.len() as f64;
        println!(
            "{:<12} {:>10.1} {:>10.1} {:>11.2}x {:>10.1} {:>12.2}x",
            corpus.name,
            each(bare),
            each(single),
            ratio(single, bare),
            each(batch),
            ratio(single, batch)
        );
    }
}

fn names() -> impl Iterator<Item = &'static str> {
    CORPORA.iter().map(|corpus| corpus.name)
}

fn named(name: &str) -> &'static Corpus {
    CORPORA.iter().find(|corpus| corpus.name == name).unwrap()
}

#[divan::bench(args = names())]
fn bare_ed25519(corpus: &str) {
    named(corpus).bare();
}

#[divan::bench(args = names())]
fn verify_one_at_a_time(corpus: &str) {
    named(corpus).one_at_a_time();
}

#[divan::bench(args = names())]
fn verify_in_batch(corpus: &str) {
    named(corpus).in_batch();
}

fn main() {
    if let Some(path) = std::env::args().skip_while(|argument| argument != "--write").nth(1) {
        return std::fs::write(path, common::own_bundles(COUNT).join(&b'\n')).unwrap();
    }
    if common::is_bench() {
        print_ratios();
    }
    divan::main();
}
