//! Time stamps of RFC 3161: a signed statement of an authority that some bytes existed at a time.
//!
//! ```text
//! message --digest--> imprint in TSTInfo --digest--> signed attributes --signature--> certificate --chain--> trusted root
//! ```
//!
//! Verifying takes the feature `rfc3161`; certificates can be held in every build.

#[cfg(feature = "rfc3161")]
mod chain;
#[cfg(feature = "rfc3161")]
mod signature;
#[cfg(feature = "rfc3161")]
mod token;

use crate::code::Code;

/// A certificate (X.509, DER) of a time-stamping authority, or of whoever vouches for one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TsaCertificate(Vec<u8>);

impl TsaCertificate {
    /// Takes DER bytes; what is no certificate is found out when a time stamp is verified.
    #[must_use]
    pub fn from_der(der: &[u8]) -> Self {
        Self(der.to_vec())
    }

    /// Reads every certificate of a PEM text (RFC 7468); `None` if there is none, or one that is not strict base64.
    #[must_use]
    pub fn from_pem(text: &str) -> Option<Vec<Self>> {
        use base64ct::{Base64, Encoding};
        let (begin, end) = ("-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----");
        let blocks = text.split(begin).skip(1);
        let certificates: Option<Vec<Self>> = blocks
            .map(|block| {
                let (body, _) = block.split_once(end)?;
                let coded: String = body.split_ascii_whitespace().collect();
                Base64::decode_vec(&coded).ok().map(Self)
            })
            .collect();
        certificates.filter(|found| !found.is_empty())
    }

    /// The DER bytes.
    #[must_use]
    pub fn as_der(&self) -> &[u8] {
        &self.0
    }
}

/// Which authorities are believed.
#[derive(Clone, Copy, Debug, Default)]
pub struct TsaTrust<'a> {
    /// Certificates that a chain must end at; the authority's own may be one.
    pub roots: &'a [TsaCertificate],
    /// Further certificates for tokens that do not carry them. Nobody is believed because of these.
    pub others: &'a [TsaCertificate],
}

/// What a good time stamp says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TimeStamp {
    /// The time, in microseconds since 1970; what is below a microsecond is cut off.
    pub microseconds: i64,
    /// How far the true time may be from it, either way, in microseconds; `None` if the authority does not say.
    pub accuracy: Option<u64>,
}

/// Why a time stamp does not stand.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: expected {expected}, found {found}", code.meaning())]
#[non_exhaustive]
pub struct TimeStampError {
    /// The stable reason, one of `time-stamp.*`, `key.not-pinned` or `input.not-built`.
    pub code: Code,
    /// What had to be there.
    pub expected: String,
    /// What was there.
    pub found: String,
}

impl TimeStampError {
    #[cfg_attr(not(feature = "rfc3161"), expect(dead_code, reason = "said of tokens that are verified"))]
    pub(crate) fn new(code: Code, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self { code, expected: expected.into(), found: found.into() }
    }

    /// Whether the token is in order as far as can be told, and only trust or an algorithm is missing.
    #[must_use]
    pub fn leaves_open(&self) -> bool {
        matches!(
            self.code,
            Code::KeyNotPinned
                | Code::NotBuilt
                | Code::TimeStampAlgorithm
                | Code::TimeStampCertificateMissing
                | Code::TimeStampUntrusted
        )
    }
}

/// Verifies a time stamp over `message`.
///
/// In: a token or a whole response (DER, RFC 3161 section 2.4.2), the bytes themselves (not a digest), the trusted
/// authorities. All certificates must be valid at the time that the token states; revocation is not looked at.
///
/// # Errors
/// [`TimeStampError`] with the first thing that does not hold.
#[cfg(feature = "rfc3161")]
pub fn verify_time_stamp(
    token: &[u8],
    message: &[u8],
    trust: &TsaTrust<'_>,
) -> Result<TimeStamp, TimeStampError> {
    let token = token::Token::read(token)?;
    token.check_imprint(message)?;
    let certificates = chain::Certificates::read(&token.certificates, trust)?;
    let signer = token.signer(&certificates)?;
    token.check_attributes(signer)?;
    token.check_signature(signer)?;
    certificates.check_purpose(signer)?;
    certificates.check_chain(signer, token.seconds())?;
    Ok(token.time_stamp())
}

/// The time that a token states, in seconds since 1970, whoever made it; `None` for what is no token.
#[cfg(feature = "rfc3161")]
pub(crate) fn stated_time(token: &[u8]) -> Option<i64> {
    token::Token::read(token).ok().map(|token| token.seconds())
}

/// Without the feature `rfc3161` no token is read.
#[cfg(not(feature = "rfc3161"))]
pub(crate) fn stated_time(_: &[u8]) -> Option<i64> {
    None
}

/// Without the feature `rfc3161` no time stamp is verified.
///
/// # Errors
/// `input.not-built`.
#[cfg(not(feature = "rfc3161"))]
pub fn verify_time_stamp(_: &[u8], _: &[u8], _: &TsaTrust<'_>) -> Result<TimeStamp, TimeStampError> {
    let (expected, found) = ("the feature rfc3161".to_owned(), "none".to_owned());
    Err(TimeStampError { code: Code::NotBuilt, expected, found })
}
