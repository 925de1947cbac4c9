//! ML-DSA-65 (FIPS 204): keys, and signatures over a message with a context, pure (not pre-hashed).
//!
//! Keys can be held in every build; verifying takes the feature `post-quantum`.

use crate::code::Code;

/// Length of an ML-DSA-65 public key (FIPS 204 section 4, table 2).
const KEY_BYTES: usize = 1_952;
/// Length of an ML-DSA-65 signature (the same table).
#[cfg(feature = "post-quantum")]
const SIGNATURE_BYTES: usize = 3_309;

/// An ML-DSA-65 public key. Every text of 1,952 bytes is one: there is no key to refuse.
#[derive(Clone, PartialEq)]
pub struct MlDsa65Key {
    bytes: Vec<u8>,
    #[cfg(feature = "post-quantum")]
    key: ml_dsa::VerifyingKey<ml_dsa::MlDsa65>,
}

impl MlDsa65Key {
    /// Takes an encoded key (FIPS 204 algorithm 22); `None` unless it has 1,952 bytes.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        if bytes.len() != KEY_BYTES {
            return None;
        }
        Some(Self {
            bytes: bytes.to_vec(),
            #[cfg(feature = "post-quantum")]
            key: ml_dsa::VerifyingKey::decode(&bytes.try_into().ok()?),
        })
    }

    /// Reads lower-case hexadecimal text of 3,904 digits; anything else is `None`.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        Self::from_slice(&base16ct::lower::decode_vec(text).ok()?)
    }

    /// The encoded key, 1,952 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Checks a signature over `message` (the bytes themselves, not a digest) with a context of at most 255 bytes.
    ///
    /// # Errors
    /// `ml-dsa.signature-length`, `ml-dsa.signature-encoding`, `ml-dsa.mismatch`; `input.not-built` in a build without
    /// the feature `post-quantum`.
    #[cfg(feature = "post-quantum")]
    pub fn verify(&self, message: &[u8], context: &[u8], signature: &[u8]) -> Result<(), Code> {
        if signature.len() != SIGNATURE_BYTES {
            return Err(Code::MlDsaSignatureLength);
        }
        let signature = ml_dsa::Signature::try_from(signature).map_err(|_| Code::MlDsaSignatureEncoding)?;
        let fits = self.key.verify_with_context(message, context, &signature);
        if fits { Ok(()) } else { Err(Code::MlDsaMismatch) }
    }

    /// Without the feature `post-quantum` no signature is verified.
    ///
    /// # Errors
    /// `input.not-built`.
    #[cfg(not(feature = "post-quantum"))]
    pub fn verify(&self, _message: &[u8], _context: &[u8], _signature: &[u8]) -> Result<(), Code> {
        Err(Code::NotBuilt)
    }
}

impl std::fmt::Debug for MlDsa65Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&base16ct::lower::encode_string(&self.bytes))
    }
}
