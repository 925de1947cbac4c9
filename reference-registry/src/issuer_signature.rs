//! Strict Ed25519 (RFC 8032) for issuers: `ring`, behind checks that it leaves out.
//!
//! `ring` accepts keys of small order, under which one signature fits every message, and second spellings
//! of a key. Here both are refused, and so is any hex but lower-case of the exact length.

use ring::signature::{ED25519, UnparsedPublicKey};

/// The y coordinates of the eight points whose order divides 8, little-endian.
const SMALL_ORDER: [[u8; 32]; 5] = [
    [0; 32],
    [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    [
        0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f,
    ],
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5,
        0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a,
        0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
    ],
];

/// Why an issuer's signature is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SignatureError {
    #[error("issuer_ed25519_pub is not 64 lower-case hex digits")]
    KeyText,
    #[error("issuer_ed25519_pub is not the canonical encoding of a point")]
    NonCanonicalKey,
    #[error("signature_ed25519 is not 128 lower-case hex digits")]
    SignatureText,
    #[error("issuer_ed25519_pub or the signature's first half is a point of small order")]
    SmallOrder,
    #[error("signature_ed25519 does not verify over the canonical manifest")]
    Unverified,
}

/// Checks a signature over `message`; key and signature are given as the manifest spells them.
pub(crate) fn verify(key: &str, signature: &str, message: &[u8]) -> Result<(), SignatureError> {
    let key: [u8; 32] = lower_hex(key).ok_or(SignatureError::KeyText)?;
    let signature: [u8; 64] = lower_hex(signature).ok_or(SignatureError::SignatureText)?;
    if !is_canonical(&key) {
        return Err(SignatureError::NonCanonicalKey);
    }
    let (commitment, _) = signature.split_first_chunk().ok_or(SignatureError::SignatureText)?;
    if is_small_order(&key) || is_small_order(commitment) {
        return Err(SignatureError::SmallOrder);
    }
    UnparsedPublicKey::new(&ED25519, key).verify(message, &signature).map_err(|_| SignatureError::Unverified)
}

fn lower_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let is_lower = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let mut bytes = [0; N];
    (is_lower && hex::decode_to_slice(text, &mut bytes).is_ok()).then_some(bytes)
}

/// y < 2^255 - 19, whatever the sign bit (RFC 8032, section 5.1.3).
fn is_canonical(point: &[u8; 32]) -> bool {
    let [lowest, middle @ .., highest] = point;
    *lowest < 0xed || highest & 0x7f != 0x7f || middle.iter().any(|byte| *byte != 0xff)
}

fn is_small_order(point: &[u8; 32]) -> bool {
    let mut y = *point;
    let [.., highest] = &mut y;
    *highest &= 0x7f;
    SMALL_ORDER.contains(&y)
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 8032, section 7.1, test 1: the empty message.
    const KEY: &str = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    const SIGNATURE: &str = "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b";

    #[test]
    fn the_rfc_vector_is_accepted_and_its_neighbours_are_not() {
        assert_eq!(verify(KEY, SIGNATURE, b""), Ok(()));
        assert_eq!(verify(KEY, SIGNATURE, b"x"), Err(SignatureError::Unverified));
        assert_eq!(verify(&KEY.to_uppercase(), SIGNATURE, b""), Err(SignatureError::KeyText));
        assert_eq!(verify(KEY, &SIGNATURE.to_uppercase(), b""), Err(SignatureError::SignatureText));
        assert_eq!(verify(KEY, &SIGNATURE[2..], b""), Err(SignatureError::SignatureText));
        assert_eq!(verify(&KEY[2..], SIGNATURE, b""), Err(SignatureError::KeyText));
    }

    #[test]
    fn keys_of_small_order_and_second_spellings_are_refused() {
        let forged = format!("01{}", "00".repeat(63));
        let identity = format!("01{}", "00".repeat(31));
        assert_eq!(verify(&identity, &forged, b"x"), Err(SignatureError::SmallOrder));
        let identity_with_sign = format!("01{}80", "00".repeat(30));
        assert_eq!(verify(&identity_with_sign, &forged, b"x"), Err(SignatureError::SmallOrder));
        let second_spelling = format!("ee{}7f", "ff".repeat(30));
        assert_eq!(verify(&second_spelling, &forged, b"x"), Err(SignatureError::NonCanonicalKey));
        let commitment = format!("{}{}", identity, &SIGNATURE[64..]);
        assert_eq!(verify(KEY, &commitment, b""), Err(SignatureError::SmallOrder));
    }
}
