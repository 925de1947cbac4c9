//! Not to be committed.
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing, clippy::allow_attributes, reason = "x")]
use assayer_verifier::oversight::{Trust, verify_bundle};
use assayer_verifier::{Document, Limits, PublicKey, Scheme, canonicalize};
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let text = std::fs::read(&args[2]).unwrap();
    let lines: Vec<&[u8]> = text.split(|b| *b == b'\n').filter(|l| !l.is_empty()).collect();
    let times: usize = args[3].parse().unwrap();
    if args[1] == "canon" {
        for _ in 0..times {
            for line in &lines {
                let document = Document::read(line, &Limits::default()).unwrap();
                std::hint::black_box(canonicalize(document.root(), Scheme::Jcs).unwrap());
            }
        }
        return;
    }
    let bundle = Document::read(lines[0], &Limits::default()).unwrap();
    let key = |at: &str| [PublicKey::from_hex(&bundle.root().at(at).unwrap().as_str().unwrap()).unwrap()];
    let (registry_keys, issuer_keys) = (key("/registry_pub"), key("/manifest/issuer_ed25519_pub"));
    let trust = Trust { registry_keys: &registry_keys, issuer_keys: &issuer_keys, ..Trust::default() };
    for _ in 0..times {
        for line in &lines {
            std::hint::black_box(verify_bundle(line, &trust, &Limits::default()).verdict());
        }
    }
}
