//! Ed25519 (RFC 8032, pure) with a stated acceptance policy.
//!
//! "Valid" means different things to different libraries at the edges. Here a signature is accepted when
//! the key is a canonically encoded point that is not of small order, S is below the group order, R is not of small
//! order, and the cofactorless equation `S·B = R + k·A` holds. The reasons are in
//! `docs/decisions/ed25519-policy.md`.

use ed25519_dalek::{Signature as DalekSignature, VerifyingKey};

use crate::code::Code;
use crate::hash::{PublicKey, Signature};

/// 2^255 - 19, little endian: the field prime.
const P: [u8; 32] = {
    let mut bytes = [0xFF; 32];
    bytes[0] = 0xED;
    bytes[31] = 0x7F;
    bytes
};

/// The order of the base point, little endian (RFC 8032 section 5.1).
const L: [u8; 32] = [
    0xED, 0xD3, 0xF5, 0x5C, 0x1A, 0x63, 0x12, 0x58, 0xD6, 0x9C, 0xF7, 0xA2, 0xDE, 0xF9, 0xDE, 0x14, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// A public key that the policy accepts. Holding one is the proof that it was checked.
#[derive(Clone, Debug)]
pub struct VerifiedKey {
    key: VerifyingKey,
}

impl VerifiedKey {
    /// Checks a public key.
    ///
    /// # Errors
    /// `ed25519.key-not-canonical`, `ed25519.key-not-a-point`, `ed25519.key-small-order`.
    pub fn new(key: &PublicKey) -> Result<Self, Code> {
        let mut y = key.0;
        y[31] &= 0x7F;
        if !is_below(&y, &P) {
            return Err(Code::Ed25519KeyNotCanonical);
        }
        // RFC 8032 section 5.1.3 step 4: for x = 0 there is no point with the sign bit set.
        if y != key.0 && is_zero_x(&y) {
            return Err(Code::Ed25519KeyNotAPoint);
        }
        let key = VerifyingKey::from_bytes(&key.0).map_err(|_| Code::Ed25519KeyNotAPoint)?;
        if key.is_weak() {
            return Err(Code::Ed25519KeySmallOrder);
        }
        Ok(Self { key })
    }

    /// Checks a signature over `message` (the bytes themselves, not a digest).
    ///
    /// # Errors
    /// `ed25519.s-out-of-range`, `ed25519.r-small-order`, `ed25519.mismatch`.
    pub fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), Code> {
        let parsed = DalekSignature::from_bytes(&signature.0);
        if self.key.verify_strict(message, &parsed).is_ok() {
            return Ok(());
        }
        Err(diagnose(signature))
    }
}

/// Why the signature failed, most telling reason first.
fn diagnose(signature: &Signature) -> Code {
    let (r, s) = signature.0.split_at(32);
    let (Ok(r), Ok(s)) = (<[u8; 32]>::try_from(r), <[u8; 32]>::try_from(s)) else {
        return Code::Ed25519SignatureLength;
    };
    if !is_below(&s, &L) {
        return Code::Ed25519SOutOfRange;
    }
    match VerifyingKey::from_bytes(&r) {
        Ok(point) if point.is_weak() => Code::Ed25519RSmallOrder,
        _ => Code::Ed25519Mismatch,
    }
}

/// x is 0 exactly where y is 1 or -1.
fn is_zero_x(y: &[u8; 32]) -> bool {
    let mut one = [0; 32];
    one[0] = 1;
    let mut minus_one = P;
    minus_one[0] -= 1;
    *y == one || *y == minus_one
}

/// Little-endian comparison.
fn is_below(value: &[u8; 32], bound: &[u8; 32]) -> bool {
    value.iter().rev().lt(bound.iter().rev())
}

/// Checks key and signature in one call.
///
/// In: the public key (32 bytes), the message, the signature (64 bytes, R then S).
///
/// # Errors
/// Any code that starts with `ed25519.`.
pub fn verify(key: &PublicKey, message: &[u8], signature: &Signature) -> Result<(), Code> {
    VerifiedKey::new(key)?.verify(message, signature)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The identity "signs" everything under a lax verifier: R = identity, S = 0.
    #[test]
    fn the_identity_key_signs_nothing_here() {
        let mut identity = [0; 32];
        identity[0] = 1;
        let mut forged = [0; 64];
        forged[0] = 1;
        let found = verify(&PublicKey(identity), b"anything", &Signature(forged));
        assert_eq!(found, Err(Code::Ed25519KeySmallOrder));
        let mut not_canonical = [0xFF; 32];
        not_canonical[0] = 0xEE;
        not_canonical[31] = 0x7F;
        let found = verify(&PublicKey(not_canonical), b"anything", &Signature(forged));
        assert_eq!(found, Err(Code::Ed25519KeyNotCanonical));
    }
}
