//! Ed25519 (RFC 8032, pure) with a stated acceptance policy.
//!
//! "Valid" means different things to different libraries at the edges. Here a signature is accepted when
//! the key is a canonically encoded point that is not of small order, S is below the group order, R is not of small
//! order, and the cofactorless equation `S·B = R + k·A` holds. The reasons are in
//! `docs/decisions/ed25519-policy.md`.

mod batch;
mod memory;

use ed25519_dalek::{Signature as DalekSignature, Verifier, VerifyingKey};

pub(crate) use self::memory::Memory;
pub use self::memory::verify_batch;

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

    fn public(&self) -> PublicKey {
        PublicKey(self.key.to_bytes())
    }

    /// Checks a signature over `message` (the bytes themselves, not a digest).
    ///
    /// # Errors
    /// `ed25519.s-out-of-range`, `ed25519.r-small-order`, `ed25519.mismatch`.
    pub fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), Code> {
        let parsed = DalekSignature::from_bytes(&signature.0);
        // The library compares R with the encoding of S·B - k·A byte by byte, and so accepts one encoding of R only. That
        // is `verify_strict`, but for the small orders, which are known by their encodings without decoding R.
        if self.key.verify(message, &parsed).is_ok() && !is_of_small_order(signature) {
            return Ok(());
        }
        Err(diagnose(signature))
    }
}

/// The y of the points of order 8, little endian; they are each other's negatives.
const ORDER_8: [[u8; 32]; 2] = [
    [
        0x26, 0xE8, 0x95, 0x8F, 0xC2, 0xB2, 0x27, 0xB0, 0x45, 0xC3, 0xF4, 0x89, 0xF2, 0xEF, 0x98, 0xF0, 0xD5,
        0xDF, 0xAC, 0x05, 0xD3, 0xC6, 0x33, 0x39, 0xB1, 0x38, 0x02, 0x88, 0x6D, 0x53, 0xFC, 0x05,
    ],
    [
        0xC7, 0x17, 0x6A, 0x70, 0x3D, 0x4D, 0xD8, 0x4F, 0xBA, 0x3C, 0x0B, 0x76, 0x0D, 0x10, 0x67, 0x0F, 0x2A,
        0x20, 0x53, 0xFA, 0x2C, 0x39, 0xCC, 0xC6, 0x4E, 0xC7, 0xFD, 0x77, 0x92, 0xAC, 0x03, 0x7A,
    ],
];

/// Whether R, canonically encoded, is one of the eight points whose order divides 8.
fn is_of_small_order(signature: &Signature) -> bool {
    let Some((mut y, _)) = signature.0.split_first_chunk::<32>().map(|(r, s)| (*r, s)) else { return true };
    y[31] &= 0x7F;
    y == [0; 32] || is_zero_x(&y) || ORDER_8.contains(&y)
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
    use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT, EIGHT_TORSION};

    use super::*;

    #[test]
    fn small_orders_are_known_by_their_encodings() {
        let of = |r: [u8; 32]| {
            let mut signature = [0; 64];
            signature[..32].copy_from_slice(&r);
            is_of_small_order(&Signature(signature))
        };
        for point in EIGHT_TORSION {
            assert!(of(point.compress().0));
            assert!(!of((point + ED25519_BASEPOINT_POINT).compress().0));
        }
    }

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
