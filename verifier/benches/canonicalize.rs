//! Canonical bytes from bytes, strict reading included, beside `serde_json` and `serde_jcs`.
//!
//! `cargo bench -p assayer-verifier --bench canonicalize`
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::allow_attributes,
    reason = "a bench"
)]

mod common;

use std::sync::LazyLock;
use std::time::Duration;

use assayer_verifier::{Document, Limits, Scheme, canonicalize};
use common::{each, medians, ratio};

type Texts = Vec<Vec<u8>>;

/// As the recorded corpus (sorted, compact) where it is there, else the own one.
static BUNDLES: LazyLock<Texts> = LazyLock::new(|| {
    common::recorded().map_or_else(|| common::own_bundles(200), |texts| texts.into_iter().take(200).collect())
});
/// The members of every object in reverse order: nothing can be copied as it stands.
static REVERSED: LazyLock<Texts> = LazyLock::new(|| BUNDLES.iter().map(|text| reversed(text)).collect());
/// The same with line breaks and indentation.
static INDENTED: LazyLock<Texts> = LazyLock::new(|| BUNDLES.iter().map(|text| indented(text)).collect());
static MANIFESTS: LazyLock<Texts> = LazyLock::new(|| common::own_manifests(1_000));
static SORTED_MANIFESTS: LazyLock<Texts> =
    LazyLock::new(|| MANIFESTS.iter().map(|text| peer(text)).collect());

fn reversed(text: &[u8]) -> Vec<u8> {
    fn reverse(value: &mut serde_json::Value) {
        match value {
            serde_json::Value::Object(members) => {
                let old = std::mem::take(members);
                for (name, mut member) in old.into_iter().rev() {
                    reverse(&mut member);
                    members.insert(name, member);
                }
            }
            serde_json::Value::Array(items) => items.iter_mut().for_each(reverse),
            _ => {}
        }
    }
    let mut value = serde_json::from_slice(text).unwrap();
    reverse(&mut value);
    serde_json::to_vec(&value).unwrap()
}

fn indented(text: &[u8]) -> Vec<u8> {
    let value: serde_json::Value = serde_json::from_slice(text).unwrap();
    serde_json::to_vec_pretty(&value).unwrap()
}

fn ours(text: &[u8]) -> Vec<u8> {
    let document = Document::read(text, &Limits::default()).unwrap();
    canonicalize(document.root(), Scheme::Jcs).unwrap()
}

fn read(text: &[u8]) -> usize {
    Document::read(text, &Limits::default()).unwrap().text().len()
}

fn peer(text: &[u8]) -> Vec<u8> {
    let value: serde_json::Value = serde_json::from_slice(text).unwrap();
    serde_jcs::to_vec(&value).unwrap()
}

fn corpora() -> [(&'static str, &'static Texts); 5] {
    [
        ("bundles", &BUNDLES),
        ("bundles, members reversed", &REVERSED),
        ("bundles, indented", &INDENTED),
        ("manifests, as issuers write", &MANIFESTS),
        ("manifests, sorted", &SORTED_MANIFESTS),
    ]
}

fn print_ratios() {
    println!("{:<30} {:>8} {:>8} {:>8} {:>8}", "canonicalize (MB/s)", "read", "ours", "peer", "ratio");
    for (name, texts) in corpora() {
        each(texts, |text| assert_eq!(ours(text), peer(text)));
        let bytes: usize = texts.iter().map(Vec::len).sum();
        let [reading, own, other] =
            medians([&mut || each(texts, read), &mut || each(texts, ours), &mut || each(texts, peer)]);
        let rate = |time: Duration| bytes as f64 / time.as_secs_f64() / 1e6;
        println!(
            "{name:<30} {:>8.0} {:>8.0} {:>8.0} {:>7.1}x",
            rate(reading),
            rate(own),
            rate(other),
            ratio(other, own)
        );
    }
}

#[divan::bench(args = corpora().map(|(name, _)| name))]
fn verifier(bencher: divan::Bencher<'_, '_>, corpus: &str) {
    run(bencher, corpus, ours);
}

#[divan::bench(args = corpora().map(|(name, _)| name))]
fn serde_json_and_serde_jcs(bencher: divan::Bencher<'_, '_>, corpus: &str) {
    run(bencher, corpus, peer);
}

fn run(bencher: divan::Bencher<'_, '_>, corpus: &str, job: fn(&[u8]) -> Vec<u8>) {
    let (_, texts) = corpora().into_iter().find(|(name, _)| *name == corpus).unwrap();
    let bytes: usize = texts.iter().map(Vec::len).sum();
    bencher.counter(divan::counter::BytesCount::new(bytes)).bench(|| each(texts, job));
}

fn main() {
    if common::is_bench() {
        print_ratios();
    }
    divan::main();
}
