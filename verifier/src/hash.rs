//! Digests, keys and signatures as fixed-size values with exactly one text form: lower-case hexadecimal.

use std::fmt;

use sha2::{Digest, Sha256};

macro_rules! bytes_type {
    ($(#[$doc:meta])* $name:ident, $length:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; $length]);

        impl $name {
            /// Reads lower-case hexadecimal text of exactly the right length; anything else is `None`.
            #[must_use]
            pub fn from_hex(text: &str) -> Option<Self> {
                let mut bytes = [0; $length];
                decode_hex(text.as_bytes(), &mut bytes).then_some(Self(bytes))
            }

            /// Takes exactly as many bytes as the type has; `None` for any other number.
            #[must_use]
            pub fn from_slice(bytes: &[u8]) -> Option<Self> {
                bytes.try_into().ok().map(Self)
            }

            /// Lower-case hexadecimal text.
            #[must_use]
            pub fn to_hex(self) -> String {
                base16ct::lower::encode_string(&self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.to_hex())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.to_hex())
            }
        }
    };
}

bytes_type!(
    /// A SHA-256 digest: leaf hash, node or root.
    Hash,
    32
);
bytes_type!(
    /// An Ed25519 public key as encoded (RFC 8032 section 5.1.2); not yet known to be acceptable.
    PublicKey,
    32
);
bytes_type!(
    /// An Ed25519 signature as encoded: R, then S.
    Signature,
    64
);

/// SHA-256 of `bytes`.
#[must_use]
pub fn sha256(bytes: &[u8]) -> Hash {
    Hash(Sha256::digest(bytes).into())
}

/// Decodes lower-case hexadecimal digits, two for each byte of `out`; whether they are that. Written so that the compiler can take
/// many at once.
pub(crate) fn decode_hex(digits: &[u8], out: &mut [u8]) -> bool {
    let (pairs, rest) = digits.as_chunks::<2>();
    let mut bad = u8::from(!rest.is_empty() || pairs.len() != out.len());
    for ([high, low], byte) in pairs.iter().zip(out) {
        let (high, low) = (nibble(*high), nibble(*low));
        bad |= (high | low) & 0xF0;
        *byte = high << 4 | low & 0x0F;
    }
    bad == 0
}

/// The value of a digit; beyond 15 for what is none.
fn nibble(digit: u8) -> u8 {
    let (decimal, letter) = (digit.wrapping_sub(b'0'), digit.wrapping_sub(b'a'));
    if decimal < 10 {
        decimal
    } else if letter < 6 {
        letter + 10
    } else {
        0xFF
    }
}
