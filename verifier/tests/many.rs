//! Many bundles under one `BundleVerifier`: what it remembers changes no trace.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::allow_attributes,
    reason = "a test may panic"
)]

use std::path::{Path, PathBuf};

use assayer_verifier::oversight::{BundleVerifier, Trust, verify_bundle};
use assayer_verifier::{Limits, Trace, Verdict};

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "json") {
            found.push(path);
        }
    }
}

fn bundles() -> Vec<String> {
    let mut paths = Vec::new();
    files(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors/bundles")), &mut paths);
    let texts = paths.iter().filter_map(|path| {
        let vector: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).ok()?;
        vector.pointer("/input/bundle")?.as_str().map(str::to_owned)
    });
    texts.collect()
}

/// Good and forged bundles, again and again.
#[test]
fn a_verifier_of_many_bundles_says_of_each_what_it_says_of_one() {
    let bundles = bundles();
    assert!(bundles.len() >= 200, "{}", bundles.len());
    let (trust, limits) = (Trust::default(), Limits::default());
    let alone: Vec<_> =
        bundles.iter().map(|bundle| verify_bundle(bundle.as_bytes(), &trust, &limits)).collect();
    let mut verifier = BundleVerifier::new(&trust, &limits);
    for _ in 0..3 {
        for (bundle, alone) in bundles.iter().zip(&alone) {
            assert_eq!(verifier.verify(bundle.as_bytes()), *alone);
        }
    }
}

/// The same order in every run, and another for every seed.
fn shuffle<T>(items: &mut [T], seed: u64) {
    let mut state = seed;
    for at in (1..items.len()).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        items.swap(at, usize::try_from(state >> 33).unwrap() % (at + 1));
    }
}

/// Mostly good ones, so that batches hold but for a few culprits; and everything that is forged in some vector.
#[test]
fn bundles_that_are_verified_together_get_the_traces_that_each_gets_alone() {
    let (trust, limits) = (Trust::default(), Limits::default());
    let bundles: Vec<(String, Trace)> = bundles()
        .into_iter()
        .map(|bundle| {
            let trace = verify_bundle(bundle.as_bytes(), &trust, &limits);
            (bundle, trace)
        })
        .collect();
    let good: Vec<_> = bundles.iter().filter(|(_, trace)| trace.verdict() != Verdict::Refuted).collect();
    assert!(good.len() >= 20, "{}", good.len());
    let mut verifier = BundleVerifier::new(&trust, &limits);
    for (round, forged) in [0, 1, 2, 5, bundles.len()].into_iter().enumerate() {
        let mut window: Vec<_> = good.iter().copied().cycle().take(150).collect();
        let mut others: Vec<_> = bundles.iter().collect();
        shuffle(&mut others, round as u64);
        window.extend(others.into_iter().take(forged));
        shuffle(&mut window, 7 + round as u64);
        let texts: Vec<&str> = window.iter().map(|(text, _)| text.as_str()).collect();
        for (found, (text, alone)) in verifier.verify_together(&texts).iter().zip(&window) {
            assert_eq!(found, alone, "{text}");
        }
    }
    assert_eq!(verifier.verify_together::<&str>(&[]), Vec::new());
}

/// One byte of one bundle of a window is another: the traces stay those of each bundle alone.
#[test]
fn a_changed_byte_is_seen_in_a_window_as_alone() {
    let (trust, limits) = (Trust::default(), Limits::default());
    let good = bundles()
        .into_iter()
        .filter(|bundle| verify_bundle(bundle.as_bytes(), &trust, &limits).verdict() != Verdict::Refuted);
    let good: Vec<Vec<u8>> = good.map(String::into_bytes).take(12).collect();
    let alone: Vec<Trace> = good.iter().map(|bundle| verify_bundle(bundle, &trust, &limits)).collect();
    let mut verifier = BundleVerifier::new(&trust, &limits);
    for round in 0..24_usize {
        let mut window: Vec<Vec<u8>> = good.iter().cloned().cycle().take(80).collect();
        let mut expected: Vec<Trace> = alone.iter().cloned().cycle().take(80).collect();
        for culprit in 0..=round % 4 {
            let at = (round * 31 + culprit * 17) % 80;
            let byte = (round * 7_919 + culprit * 104_729) % window[at].len();
            window[at][byte] ^= 1 << (round % 5);
            expected[at] = verify_bundle(&window[at], &trust, &limits);
        }
        assert_eq!(verifier.verify_together(&window), expected, "round {round}");
    }
}
