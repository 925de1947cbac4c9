//! Recomputes what evidence claims, and says layer by layer what is established, what is refuted and what is not
//! established.
//!
//! The library is pure: bytes and trust anchors in, a [`Trace`] out. It does no I/O, reads no clock, draws no
//! randomness and starts no thread.
//!
//! ```text
//! bytes + trust anchors --parse (strict, bounded)--> document --recompute, layer by layer--> trace --> verdict
//! ```
//!
//! A [`Layer`] is one thing that can be established. It ends as established, refuted or not established, with a stable
//! [`Code`], the place ([`Problem::at`], a JSON Pointer or `byte N`), what was expected and what was found. A [`Verdict`]
//! follows from the layers: `authentic` only under keys that the caller gave, `consistent` where keys came from the evidence
//! itself, `refuted` where something does not hold. What a layer does and does not show is in [`LayerMeaning`].
//!
//! Nothing here fails on bad evidence: a text that is no JSON has a trace as well, in which the layer `json` is refuted.
//!
//! # Verify a bundle
//!
//! ```
//! use assayer_verifier::oversight::{Trust, verify_bundle};
//! use assayer_verifier::{Code, Limits, PublicKey, State, Verdict};
//!
//! # let vector = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors/bundles/good/three-events.json"));
//! # let vector = assayer_verifier::Document::read(vector.as_bytes(), &Limits::default())?;
//! # let bundle = vector.root().at("/input/bundle").and_then(|text| text.as_str()).unwrap();
//! // `bundle` is the answer of `/evidence/{file_id}`, byte for byte. The keys come from elsewhere.
//! let registry = [PublicKey::from_hex("b66d7d656568595fb75a2b51a617c83702ba0199aa86553883215f6694390a57").unwrap()];
//! let issuer = [PublicKey::from_hex("54d1d8eabd1af76876a791a81dee3840ac515968ac90cab99c4182b2c4d65dc0").unwrap()];
//! let trust = Trust::default().registry_keys(&registry).issuer_keys(&issuer);
//! let limits = Limits::default();
//! assert_eq!(verify_bundle(bundle.as_bytes(), &trust, &limits).verdict(), Verdict::Authentic);
//!
//! // Without keys, everything in it can only agree with itself.
//! assert_eq!(verify_bundle(bundle.as_bytes(), &Trust::default(), &limits).verdict(), Verdict::Consistent);
//!
//! // One character of a user agent that was not logged so.
//! let forged = bundle.replacen("\"user_agent\":\"", "\"user_agent\":\"x", 1);
//! let trace = verify_bundle(forged.as_bytes(), &trust, &limits);
//! let binding = trace.layer("event-binding").unwrap();
//! assert_eq!((binding.state, binding.code()), (State::Refuted, Code::EventLeafDiffers));
//! assert!(binding.at().starts_with("/events/"));
//! # Ok::<(), assayer_verifier::ReadError>(())
//! ```
//!
//! For many bundles, [`oversight::BundleVerifier`] gives the same answers sooner. [`oversight::explain`] gives the bytes
//! behind them.
//!
//! # Verify a log
//!
//! ```
//! use assayer_verifier::oversight::{Trust, verify_log};
//! use assayer_verifier::{GrowingTree, Limits, Verdict, leaf_hash};
//!
//! // `leaves.jsonl`, a record a line.
//! let record = |index: usize, leaf: &str| {
//!     format!(r#"{{"index":{index},"leaf_hash":"{}","leaf_data":"{leaf}"}}"#, leaf_hash(leaf.as_bytes()))
//! };
//! let lines = [record(0, "first"), record(1, "second")];
//! let mut tree = GrowingTree::new();
//! tree.push(leaf_hash(b"first"));
//! tree.push(leaf_hash(b"second"));
//!
//! let heads = [tree.head()]; // known from elsewhere
//! let trust = Trust::default().heads(&heads);
//! let (log, trace) = verify_log(lines.iter().map(String::as_bytes), &trust, &Limits::default());
//! assert_eq!(trace.verdict(), Verdict::Authentic);
//! assert_eq!(log.head_at(2), Some(heads[0]));
//! ```
//!
//! [`oversight::LogVerifier`] does the same for a log of any length, in memory that does not grow with it.
//!
//! # Canonicalize
//!
//! ```
//! use assayer_verifier::{Document, Limits, Scheme, canonicalize};
//!
//! let document = Document::read(br#"{"b": 1.0, "a": "\u00e9"}"#, &Limits::default())?;
//! assert_eq!(canonicalize(document.root(), Scheme::Jcs)?, r#"{"a":"é","b":1}"#.as_bytes());
//! assert!(canonicalize(document.root(), Scheme::JcsExactIntegers).is_err()); // no fractions there
//! assert!(Document::read(br#"{"a": 1, "a": 2}"#, &Limits::default()).is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Verify a proof
//!
//! ```
//! use assayer_verifier::{Code, TreeHead, leaf_hash, node_hash, verify_inclusion};
//!
//! let (first, second) = (leaf_hash(b"first"), leaf_hash(b"second"));
//! let head = TreeHead { size: 2, root: node_hash(&first, &second) };
//! assert_eq!(verify_inclusion(1, &second, &[first], &head), Ok(()));
//! assert_eq!(verify_inclusion(0, &second, &[first], &head), Err(Code::MerkleRootMismatch));
//! ```
//!
//! [`oversight::verify_proof`] does it for the answer of `/tlog/proof/{index}`, and [`verify_consistency`] for two heads.
//!
//! # Bounds
//!
//! [`Limits`] bound what a document may ask for: bytes, depth, numbers, values. Time and memory are linear in the text.

mod canon;
mod checkpoint;
mod code;
mod dsse;
mod ed25519;
mod hash;
mod json;
mod layers;
mod limits;
mod merkle;
mod ml_dsa;
mod number;
pub mod oversight;
mod prover;
mod time_stamp;
mod verdict;

pub use canon::{CanonError, Scheme, UnknownScheme, canonicalize};
pub use checkpoint::LogKey;
pub use code::{Code, UnknownCode};
pub use ed25519::{VerifiedKey, verify, verify_batch};
pub use hash::{Hash, PublicKey, Signature, sha256};
pub use json::{Document, Kind, ReadError, Value, push_token};
pub use layers::LayerMeaning;
pub use limits::Limits;
pub use merkle::{
    GrowingTree, TreeHead, empty_root, leaf_hash, node_hash, verify_consistency, verify_inclusion,
};
pub use ml_dsa::MlDsa65Key;
pub use prover::{ConsistencyPath, InclusionPath, Proof, ProofRequest, Prover};
pub use time_stamp::{TimeStamp, TimeStampError, TsaCertificate, TsaTrust, verify_time_stamp};
pub use verdict::{Layer, Note, Problem, State, Trace, Verdict};
