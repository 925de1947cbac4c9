//! Finding the bytes that a signature fits, among those that several schemes write for one document.

use crate::code::Code;
use crate::ed25519::VerifiedKey;
use crate::hash::{Hash, Signature, sha256};

/// The bytes that a signature fits, and the names of all candidates that are these bytes.
pub(crate) struct Fit<N> {
    pub(crate) bytes: Vec<u8>,
    pub(crate) names: Vec<N>,
}

/// Tries candidates one at a time; each different text is verified once, and no two are held that do not fit.
///
/// One signature fits one text, so after the first that fits the others are only compared with it.
///
/// # Errors
/// The reason of the last one that does not fit, or `ed25519.mismatch` if there is no candidate.
pub(crate) fn fitting<N>(
    candidates: impl Iterator<Item = (N, Vec<u8>)>,
    key: &VerifiedKey,
    signature: &Signature,
) -> Result<Fit<N>, Code> {
    let mut refused: Vec<Hash> = Vec::new();
    let mut reason = Code::Ed25519Mismatch;
    let mut found: Option<Fit<N>> = None;
    for (name, bytes) in candidates {
        if let Some(fit) = &mut found {
            if fit.bytes == bytes {
                fit.names.push(name);
            }
            continue;
        }
        let digest = sha256(&bytes);
        if refused.contains(&digest) {
            continue;
        }
        match key.verify(&bytes, signature) {
            Ok(()) => found = Some(Fit { bytes, names: vec![name] }),
            Err(code) => {
                reason = code;
                refused.push(digest);
            }
        }
    }
    found.ok_or(reason)
}
