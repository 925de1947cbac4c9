//! Recomputes what evidence claims, and says layer by layer what is established, what is refuted and what is not
//! established.
//!
//! The library is pure: bytes and trust anchors in, a [`Trace`] out. It does no I/O, reads no clock, draws no
//! randomness and starts no thread.
//!
//! ```
//! use assayer_verifier::{Limits, Verdict, oversight::{Trust, verify_bundle}};
//!
//! let trace = verify_bundle(br#"{"manifest": 1}"#, &Trust::default(), &Limits::default());
//! assert_eq!(trace.verdict(), Verdict::Refuted);
//! assert!(trace.layer("shape").is_some_and(|layer| layer.problem.is_some()));
//! ```

mod canon;
mod code;
mod ed25519;
mod hash;
mod json;
mod layers;
mod limits;
mod merkle;
mod number;
pub mod oversight;
mod prover;
mod verdict;

pub use canon::{CanonError, Scheme, UnknownScheme, canonicalize};
pub use code::{Code, UnknownCode};
pub use ed25519::{VerifiedKey, verify, verify_batch};
pub use hash::{Hash, PublicKey, Signature, sha256};
pub use json::{Document, Kind, ReadError, Value, push_token};
pub use layers::LayerMeaning;
pub use limits::Limits;
pub use merkle::{
    GrowingTree, TreeHead, empty_root, leaf_hash, node_hash, verify_consistency, verify_inclusion,
};
pub use prover::{ConsistencyPath, InclusionPath, Proof, ProofRequest, Prover};
pub use verdict::{Layer, Note, Problem, State, Trace, Verdict};
