//! Ed25519 (RFC 8032, pure) with a stated acceptance policy.
//!
//! "Valid" means different things to different libraries at the edges. Here a signature is accepted when
//! the key is a canonically encoded point that is not of small order, S is below the group order, R is not of small
//! order, and the cofactorless equation `S·B = R + k·A` holds. The reasons are in
//! `docs/decisions/ed25519-policy.md`.

use std::collections::BTreeMap;

use curve25519_dalek::Scalar;
use curve25519_dalek::constants::ED25519_BASEPOINT_POINT;
use curve25519_dalek::edwards::EdwardsPoint;
use curve25519_dalek::traits::Identity;
use ed25519_dalek::{Signature as DalekSignature, Verifier, VerifyingKey};
use sha2::{Digest, Sha512};

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

/// How many signatures a key has to verify before a table is made for it: making one takes as long as about 30 of them.
const USES_BEFORE_A_TABLE: u32 = 64;
/// How many tables are kept at most, of 1.3 MB each.
const MOST_TABLES: usize = 8;
/// How many keys are remembered at most.
const MOST_KEYS: usize = 4_096;
/// How many good signatures are remembered at most, and over how long a message.
const MOST_SIGNATURES: usize = 4_096;
const LONGEST_MESSAGE: usize = 256;

/// Keys and signatures that were met before. It makes the same answers come faster and changes none of them: a key is
/// decoded once, the signature of a tree head that many bundles share is verified once, and a key that verifies many
/// signatures gets a table of its multiples (`docs/decisions/many-signatures.md`).
#[derive(Clone, Debug, Default)]
pub(crate) struct Memory {
    keys: BTreeMap<PublicKey, Remembered>,
    /// Good ones only: what each is over, and under which key.
    signatures: BTreeMap<Signature, (PublicKey, Vec<u8>)>,
    base: Option<Multiples>,
    tables: usize,
}

#[derive(Clone, Debug)]
struct Remembered {
    key: Result<VerifiedKey, Code>,
    uses: u32,
    /// Of the key's negative.
    table: Option<Multiples>,
}

impl Memory {
    /// As [`VerifiedKey::new`].
    pub(crate) fn key(&mut self, key: &PublicKey) -> Result<VerifiedKey, Code> {
        if self.keys.len() >= MOST_KEYS && !self.keys.contains_key(key) {
            self.keys.clear();
            self.tables = 0;
        }
        let fresh = || Remembered { key: VerifiedKey::new(key), uses: 0, table: None };
        self.keys.entry(*key).or_insert_with(fresh).key.clone()
    }

    /// As [`VerifiedKey::verify`].
    pub(crate) fn verify(
        &mut self,
        key: &VerifiedKey,
        message: &[u8],
        signature: &Signature,
    ) -> Result<(), Code> {
        let public = key.public();
        let seen = |(under, over): &(PublicKey, Vec<u8>)| *under == public && over == message;
        if self.signatures.get(signature).is_some_and(seen) {
            return Ok(());
        }
        // Whatever the table does not accept is judged, and its reason named, without it.
        if !self.fits_by_table(key, message, signature) {
            key.verify(message, signature)?;
        }
        if message.len() <= LONGEST_MESSAGE {
            if self.signatures.len() >= MOST_SIGNATURES {
                self.signatures.clear();
            }
            self.signatures.insert(*signature, (public, message.to_vec()));
        }
        Ok(())
    }

    fn fits_by_table(&mut self, key: &VerifiedKey, message: &[u8], signature: &Signature) -> bool {
        let Some(remembered) = self.keys.get_mut(&key.public()) else { return false };
        remembered.uses = remembered.uses.saturating_add(1);
        if remembered.table.is_none() {
            if remembered.uses < USES_BEFORE_A_TABLE || self.tables >= MOST_TABLES {
                return false;
            }
            remembered.table = Some(Multiples::of(-key.key.to_edwards()));
            self.tables += 1;
        }
        let base = self.base.get_or_insert_with(|| Multiples::of(ED25519_BASEPOINT_POINT));
        remembered.table.as_ref().is_some_and(|table| fits(table, base, key, message, signature))
    }
}

/// The whole policy for a key that was accepted: S below L, R = S·B - k·A by its only encoding, R not of small order.
fn fits(
    minus_a: &Multiples,
    b: &Multiples,
    key: &VerifiedKey,
    message: &[u8],
    signature: &Signature,
) -> bool {
    let Some((r, s)) = signature.0.split_first_chunk::<32>() else { return false };
    let s =
        <[u8; 32]>::try_from(s).ok().and_then(|s| Option::<Scalar>::from(Scalar::from_canonical_bytes(s)));
    let Some(s) = s else { return false };
    let digest =
        Sha512::new().chain_update(r).chain_update(key.key.as_bytes()).chain_update(message).finalize();
    let k = Scalar::from_bytes_mod_order_wide(&digest.into());
    let mut expected = EdwardsPoint::identity();
    b.add_to(&mut expected, &s);
    minus_a.add_to(&mut expected, &k);
    expected.compress().as_bytes() == r && !is_of_small_order(signature)
}

/// The multiples of a point by every byte in every place: 255 for each of the 32 bytes of a scalar. A product is then a
/// sum of 32 of them, without doublings.
#[derive(Clone, Debug)]
struct Multiples(Vec<EdwardsPoint>);

impl Multiples {
    const BYTE: usize = 255;

    fn of(point: EdwardsPoint) -> Self {
        let mut multiples = Vec::with_capacity(32 * Self::BYTE);
        let mut unit = point;
        for _ in 0..32 {
            let mut multiple = unit;
            for _ in 0..Self::BYTE {
                multiples.push(multiple);
                multiple += unit;
            }
            // 256 times the unit: the unit of the next byte.
            unit = multiple;
        }
        Self(multiples)
    }

    /// Adds `scalar` times the point to `sum`.
    fn add_to(&self, sum: &mut EdwardsPoint, scalar: &Scalar) {
        for (byte, multiples) in scalar.as_bytes().iter().zip(self.0.chunks_exact(Self::BYTE)) {
            if let Some(multiple) = usize::from(*byte).checked_sub(1).and_then(|at| multiples.get(at)) {
                *sum += multiple;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use curve25519_dalek::constants::EIGHT_TORSION;
    use ed25519_dalek::{Signer, SigningKey};

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

    /// Each message in turn is the signed one, another, or the signed one under a changed signature.
    #[test]
    fn a_memory_answers_as_if_it_remembered_nothing() {
        let mut memory = Memory::default();
        let keys = [1, 2, 3].map(|seed| SigningKey::from_bytes(&[seed; 32]));
        for round in 0..3 * USES_BEFORE_A_TABLE {
            for signing in &keys {
                let key = memory.key(&PublicKey(signing.verifying_key().to_bytes())).unwrap();
                let message = vec![b'm'; if round % 2 == 0 { 300 } else { 7 + round as usize / 8 }];
                let good = signing.sign(&message).to_bytes();
                let mut last = good;
                last[63] |= 0x80;
                let mut r = good;
                r[round as usize % 32] ^= 1;
                let mut s = good;
                s[32 + round as usize % 31] ^= 1;
                for (message, signature) in
                    [(&message[..], good), (b"other", good), (&message, last), (&message, r), (&message, s)]
                {
                    let signature = Signature(signature);
                    assert_eq!(memory.verify(&key, message, &signature), key.verify(message, &signature));
                }
            }
        }
        assert_eq!(memory.tables, 3);
    }

    /// With a private key one can make a key of mixed order, and signatures that fit under it now and then.
    #[test]
    fn tables_know_the_part_of_small_order_of_a_mixed_key() {
        let secret = Scalar::from_bytes_mod_order([5; 32]);
        let b = Multiples::of(ED25519_BASEPOINT_POINT);
        let (mut good, mut bad) = (0, 0);
        for torsion in EIGHT_TORSION {
            let a = ED25519_BASEPOINT_POINT * secret + torsion;
            let public = PublicKey(a.compress().0);
            let key = VerifiedKey::new(&public).unwrap();
            let table = Multiples::of(-a);
            for nonce in 1..40_u64 {
                let nonce = Scalar::from(nonce);
                for r in [ED25519_BASEPOINT_POINT * nonce, ED25519_BASEPOINT_POINT * nonce + torsion] {
                    let r = r.compress().0;
                    let digest =
                        Sha512::new().chain_update(r).chain_update(public.0).chain_update(b"m").finalize();
                    let k = Scalar::from_bytes_mod_order_wide(&digest.into());
                    let mut signature = [0; 64];
                    signature[..32].copy_from_slice(&r);
                    signature[32..].copy_from_slice((nonce + k * secret).as_bytes());
                    let strict = key.key.verify_strict(b"m", &DalekSignature::from_bytes(&signature)).is_ok();
                    let signature = Signature(signature);
                    assert_eq!(key.verify(b"m", &signature).is_ok(), strict);
                    assert_eq!(fits(&table, &b, &key, b"m", &signature), strict);
                    *(if strict { &mut good } else { &mut bad }) += 1;
                }
            }
        }
        assert!(good > 50 && bad > 50, "{good} good, {bad} bad");
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
