//! The signatures that time-stamping authorities make: RSA (PKCS #1 v1.5), ECDSA over P-256 and P-384, Ed25519.

use der::asn1::ObjectIdentifier;
use der::{Decode, Encode};
use p256::ecdsa::signature::hazmat::PrehashVerifier;
use rsa::Pkcs1v15Sign;
use rsa::pkcs8::SubjectPublicKeyInfoRef;
use rsa::traits::PublicKeyParts;
use sha2::Digest as _;
use spki::SubjectPublicKeyInfoOwned;

use super::TimeStampError;
use crate::code::Code;
use crate::ed25519;
use crate::hash::{PublicKey, Signature};

/// A digest algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Digest {
    /// Only for the older attribute that names a certificate (RFC 2634), beside a signature with another digest.
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

fn unknown(oid: &ObjectIdentifier) -> TimeStampError {
    let expected = "SHA-256, SHA-384 or SHA-512 with RSA, ECDSA (P-256, P-384) or Ed25519";
    TimeStampError::new(Code::TimeStampAlgorithm, expected, oid.to_string())
}

impl Digest {
    /// The digest with that object identifier.
    pub(super) fn of(oid: &ObjectIdentifier) -> Result<Self, TimeStampError> {
        match oid.to_string().as_str() {
            "2.16.840.1.101.3.4.2.1" => Ok(Self::Sha256),
            "2.16.840.1.101.3.4.2.2" => Ok(Self::Sha384),
            "2.16.840.1.101.3.4.2.3" => Ok(Self::Sha512),
            _ => Err(unknown(oid)),
        }
    }

    pub(super) fn digest(self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha1 => sha1::Sha1::digest(message).to_vec(),
            Self::Sha256 => sha2::Sha256::digest(message).to_vec(),
            Self::Sha384 => sha2::Sha384::digest(message).to_vec(),
            Self::Sha512 => sha2::Sha512::digest(message).to_vec(),
        }
    }

    fn padding(self) -> Option<Pkcs1v15Sign> {
        match self {
            Self::Sha1 => None,
            Self::Sha256 => Some(Pkcs1v15Sign::new::<sha2::Sha256>()),
            Self::Sha384 => Some(Pkcs1v15Sign::new::<sha2::Sha384>()),
            Self::Sha512 => Some(Pkcs1v15Sign::new::<sha2::Sha512>()),
        }
    }
}

/// Kind of key, and the digest that a signature algorithm fixes.
enum Kind {
    Rsa(Option<Digest>),
    Ecdsa(Digest),
    Ed25519,
}

fn kind(algorithm: &ObjectIdentifier) -> Result<Kind, TimeStampError> {
    match algorithm.to_string().as_str() {
        "1.2.840.113549.1.1.1" => Ok(Kind::Rsa(None)),
        "1.2.840.113549.1.1.11" => Ok(Kind::Rsa(Some(Digest::Sha256))),
        "1.2.840.113549.1.1.12" => Ok(Kind::Rsa(Some(Digest::Sha384))),
        "1.2.840.113549.1.1.13" => Ok(Kind::Rsa(Some(Digest::Sha512))),
        "1.2.840.10045.4.3.2" => Ok(Kind::Ecdsa(Digest::Sha256)),
        "1.2.840.10045.4.3.3" => Ok(Kind::Ecdsa(Digest::Sha384)),
        "1.2.840.10045.4.3.4" => Ok(Kind::Ecdsa(Digest::Sha512)),
        "1.3.101.112" => Ok(Kind::Ed25519),
        _ => Err(unknown(algorithm)),
    }
}

/// The digest that a signature algorithm of a certificate fixes; `None` where it fixes none.
pub(super) fn fixed_digest(algorithm: &ObjectIdentifier) -> Result<Option<Digest>, TimeStampError> {
    Ok(match kind(algorithm)? {
        Kind::Rsa(digest) => digest,
        Kind::Ecdsa(digest) => Some(digest),
        Kind::Ed25519 => Some(Digest::Sha512),
    })
}

/// Checks a signature; `digest` is for algorithms that fix none.
pub(super) fn verify(
    key: &SubjectPublicKeyInfoOwned,
    algorithm: &ObjectIdentifier,
    digest: Digest,
    message: &[u8],
    signature: &[u8],
) -> Result<(), TimeStampError> {
    let fits = match kind(algorithm)? {
        Kind::Rsa(fixed) => rsa_fits(key, fixed.unwrap_or(digest), message, signature),
        Kind::Ecdsa(fixed) => ecdsa_fits(key, &fixed.digest(message), signature)?,
        Kind::Ed25519 => ed25519_fits(key, message, signature),
    };
    if fits == Some(true) {
        return Ok(());
    }
    let expected = "a signature by the key of the certificate";
    Err(TimeStampError::new(Code::TimeStampSignatureMismatch, expected, "another"))
}

/// RSA keys of 2,048 to 8,192 bits; a smaller one is no reason to believe anything (NIST SP 800-131A).
fn rsa_fits(
    key: &SubjectPublicKeyInfoOwned,
    digest: Digest,
    message: &[u8],
    signature: &[u8],
) -> Option<bool> {
    let der = key.to_der().ok()?;
    let key = rsa::PublicKey::try_from(SubjectPublicKeyInfoRef::from_der(&der).ok()?).ok()?;
    let strong = (256..=1_024).contains(&key.size());
    Some(strong && key.verify(digest.padding()?, &digest.digest(message), signature).is_ok())
}

fn ecdsa_fits(
    key: &SubjectPublicKeyInfoOwned,
    digest: &[u8],
    signature: &[u8],
) -> Result<Option<bool>, TimeStampError> {
    let curve =
        key.algorithm.parameters.as_ref().and_then(|curve| curve.decode_as::<ObjectIdentifier>().ok());
    let curve = curve.unwrap_or(key.algorithm.oid);
    let Some(point) = key.subject_public_key.as_bytes() else { return Ok(None) };
    Ok(match curve.to_string().as_str() {
        "1.2.840.10045.3.1.7" => p256::ecdsa::VerifyingKey::from_sec1_bytes(point).ok().and_then(|key| {
            let signature = p256::ecdsa::Signature::from_der(signature).ok()?;
            Some(key.verify_prehash(digest, &signature).is_ok())
        }),
        "1.3.132.0.34" => p384::ecdsa::VerifyingKey::from_sec1_bytes(point).ok().and_then(|key| {
            let signature = p384::ecdsa::Signature::from_der(signature).ok()?;
            Some(key.verify_prehash(digest, &signature).is_ok())
        }),
        _ => return Err(unknown(&curve)),
    })
}

/// With the policy of all Ed25519 signatures here (`docs/decisions/ed25519-policy.md`).
fn ed25519_fits(key: &SubjectPublicKeyInfoOwned, message: &[u8], signature: &[u8]) -> Option<bool> {
    let key = PublicKey::from_slice(key.subject_public_key.as_bytes()?)?;
    Some(ed25519::verify(&key, message, &Signature::from_slice(signature)?).is_ok())
}
