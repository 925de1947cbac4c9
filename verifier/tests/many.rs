//! Many bundles under one `BundleVerifier`: what it remembers changes no trace.
#![allow(clippy::unwrap_used, clippy::allow_attributes, reason = "a test may panic")]

use std::path::{Path, PathBuf};

use assayer_verifier::Limits;
use assayer_verifier::oversight::{BundleVerifier, Trust, verify_bundle};

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

/// Good and forged bundles, again and again, until their keys have tables.
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
