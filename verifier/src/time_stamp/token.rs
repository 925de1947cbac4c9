//! The token: CMS `SignedData` (RFC 5652) around `TSTInfo` (RFC 3161 section 2.4.2).

use cms::cert::CertificateChoices;
use cms::content_info::ContentInfo;
use cms::signed_data::{SignedData, SignerIdentifier, SignerInfo};
use der::asn1::{Any, AnyRef, ObjectIdentifier, OctetString};
use der::{Decode, Encode, Reader, SliceReader, Tag, TagNumber, Tagged};
use spki::AlgorithmIdentifierOwned;
use x509_cert::Certificate;
use x509_cert::ext::pkix::SubjectKeyIdentifier;

use super::chain::Certificates;
use super::signature::{Digest, verify};
use super::{TimeStamp, TimeStampError};
use crate::code::Code;

const SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
const TST_INFO: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.1.4");
const CONTENT_TYPE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.3");
const MESSAGE_DIGEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.4");
const SIGNING_CERTIFICATE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.2.12");
const SIGNING_CERTIFICATE_V2: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.2.47");

/// A token, decoded and not yet verified.
pub(super) struct Token {
    content: Vec<u8>,
    imprint: (AlgorithmIdentifierOwned, Vec<u8>),
    time_stamp: TimeStamp,
    signer_info: SignerInfo,
    pub(super) certificates: Vec<Certificate>,
}

fn malformed(what: &str) -> TimeStampError {
    TimeStampError::new(Code::TimeStampEncoding, what, "another structure")
}

impl Token {
    pub(super) fn read(der: &[u8]) -> Result<Self, TimeStampError> {
        let decoded = decode(der).map_err(|error| {
            TimeStampError::new(Code::TimeStampEncoding, "a token of RFC 3161 in DER", error.to_string())
        });
        let info = decoded?.ok_or_else(|| {
            TimeStampError::new(Code::TimeStampRefused, "a response that grants the time stamp", "a refusal")
        })?;
        let signed = Some(info)
            .filter(|info| info.content_type == SIGNED_DATA)
            .and_then(|info| info.content.decode_as::<SignedData>().ok());
        let signed = signed.ok_or_else(|| malformed("signed data (RFC 5652)"))?;
        let content = Some(&signed.encap_content_info)
            .filter(|content| content.econtent_type == TST_INFO)
            .and_then(|content| content.econtent.as_ref()?.decode_as::<OctetString>().ok());
        let content = content.ok_or_else(|| malformed("TSTInfo as content"))?.as_bytes().to_vec();
        let mut signers = signed.signer_infos.0.iter();
        let (Some(signer_info), None) = (signers.next().cloned(), signers.next()) else {
            return Err(malformed("exactly one signer"));
        };
        let (algorithm, digest, time_stamp) =
            read_info(&content).ok().flatten().ok_or_else(|| malformed("TSTInfo of version 1"))?;
        let certificates = signed.certificates.iter().flat_map(|set| set.0.iter());
        let certificates = certificates.filter_map(|choice| match choice {
            CertificateChoices::Certificate(certificate) => Some(certificate.clone()),
            CertificateChoices::Other(_) => None,
        });
        let certificates = certificates.collect();
        Ok(Self { content, imprint: (algorithm, digest), time_stamp, signer_info, certificates })
    }

    pub(super) fn time_stamp(&self) -> TimeStamp {
        self.time_stamp
    }

    pub(super) fn seconds(&self) -> i64 {
        self.time_stamp.microseconds.div_euclid(1_000_000)
    }

    /// The imprint is the digest of the message.
    pub(super) fn check_imprint(&self, message: &[u8]) -> Result<(), TimeStampError> {
        let (algorithm, found) = &self.imprint;
        let expected = Digest::of(&algorithm.oid)?.digest(message);
        let hex = |bytes: &[u8]| base16ct::lower::encode_string(bytes);
        if *found == expected {
            return Ok(());
        }
        Err(TimeStampError::new(Code::TimeStampImprintDiffers, hex(&expected), hex(found)))
    }

    /// The certificate that the token names as that of its signer.
    pub(super) fn signer<'c>(
        &self,
        certificates: &'c Certificates,
    ) -> Result<&'c Certificate, TimeStampError> {
        let is_signer = |certificate: &&Certificate| {
            let tbs = certificate.tbs_certificate();
            match &self.signer_info.sid {
                SignerIdentifier::IssuerAndSerialNumber(sid) => {
                    sid.issuer == *tbs.issuer() && sid.serial_number == *tbs.serial_number()
                }
                SignerIdentifier::SubjectKeyIdentifier(sid) => tbs
                    .get_extension::<SubjectKeyIdentifier>()
                    .is_ok_and(|found| found.is_some_and(|(_, id)| id == *sid)),
            }
        };
        certificates.all().find(is_signer).ok_or_else(|| {
            let expected = "the certificate of the signer, in the token or given by the caller";
            TimeStampError::new(Code::TimeStampCertificateMissing, expected, "none")
        })
    }

    /// The only value of a signed attribute; `None` unless the attribute stands there once.
    fn attribute(&self, oid: ObjectIdentifier) -> Option<&Any> {
        let mut found =
            self.signer_info.signed_attrs.as_ref()?.iter().filter(|attribute| attribute.oid == oid);
        let (Some(attribute), None) = (found.next(), found.next()) else { return None };
        let mut values = attribute.values.iter();
        match (values.next(), values.next()) {
            (Some(value), None) => Some(value),
            _ => None,
        }
    }

    /// RFC 5652 section 5.4 and RFC 5816: type and digest of the content, and the certificate, are signed.
    pub(super) fn check_attributes(&self, signer: &Certificate) -> Result<(), TimeStampError> {
        let kind = self.attribute(CONTENT_TYPE).and_then(|value| value.decode_as::<ObjectIdentifier>().ok());
        if kind != Some(TST_INFO) {
            return Err(malformed("the type TSTInfo as a signed attribute"));
        }
        let found = self.attribute(MESSAGE_DIGEST).and_then(|value| value.decode_as::<OctetString>().ok());
        let expected = Digest::of(&self.signer_info.digest_alg.oid)?.digest(&self.content);
        if found.is_none_or(|found| found.as_bytes() != expected) {
            let expected = base16ct::lower::encode_string(&expected);
            return Err(TimeStampError::new(
                Code::TimeStampDigestDiffers,
                expected,
                "another digest of the content",
            ));
        }
        let der = signer.to_der().map_err(|_| malformed("a certificate in DER"))?;
        if self.names_certificate(&der).unwrap_or(false) {
            return Ok(());
        }
        let expected = "a signed attribute that names the signer's certificate";
        Err(TimeStampError::new(
            Code::TimeStampCertificateAttribute,
            expected,
            "none, or another certificate",
        ))
    }

    /// Whether the first certificate of the attribute SigningCertificateV2 (RFC 5035), or of the older one with SHA-1, is
    /// this one.
    fn names_certificate(&self, der: &[u8]) -> Option<bool> {
        let (value, newer) = match self.attribute(SIGNING_CERTIFICATE_V2) {
            Some(value) => (value, true),
            None => (self.attribute(SIGNING_CERTIFICATE)?, false),
        };
        let outer = value.to_ref();
        let ids = first_item(outer.value())?;
        let id = first_item(ids.value())?;
        let mut reader = SliceReader::new(id.value()).ok()?;
        let first = AnyRef::decode(&mut reader).ok()?;
        if first.tag() == Tag::OctetString {
            let digest = if newer { Digest::Sha256 } else { Digest::Sha1 };
            return Some(first.value() == digest.digest(der));
        }
        let algorithm = first.decode_as::<AlgorithmIdentifierOwned>().ok()?;
        let hash = AnyRef::decode(&mut reader).ok()?;
        let digest = Digest::of(&algorithm.oid).ok()?;
        Some(newer && hash.tag() == Tag::OctetString && hash.value() == digest.digest(der))
    }

    pub(super) fn check_signature(&self, signer: &Certificate) -> Result<(), TimeStampError> {
        let attributes =
            self.signer_info.signed_attrs.as_ref().and_then(|attributes| attributes.to_der().ok());
        let attributes = attributes.ok_or_else(|| malformed("signed attributes"))?;
        let key = signer.tbs_certificate().subject_public_key_info();
        let digest = Digest::of(&self.signer_info.digest_alg.oid)?;
        let signature = self.signer_info.signature.as_bytes();
        verify(key, &self.signer_info.signature_algorithm.oid, digest, &attributes, signature)
    }
}

/// The token of a response that grants it, or the token itself; `None` for a response that does not.
fn decode(der: &[u8]) -> der::Result<Option<ContentInfo>> {
    let mut reader = SliceReader::new(der)?;
    let outer = AnyRef::decode(&mut reader)?;
    reader.finish()?;
    let mut inner = SliceReader::new(outer.value())?;
    let first = AnyRef::decode(&mut inner)?;
    if first.tag() != Tag::Sequence {
        return ContentInfo::from_der(der).map(Some);
    }
    // PKIStatus: 0 is granted, 1 granted with modifications.
    let status = first_item(first.value()).is_some_and(|status| matches!(status.value(), [0 | 1]));
    if !status {
        return Ok(None);
    }
    let token = ContentInfo::decode(&mut inner)?;
    inner.finish()?;
    Ok(Some(token))
}

fn first_item(content: &[u8]) -> Option<AnyRef<'_>> {
    AnyRef::decode(&mut SliceReader::new(content).ok()?).ok()
}

type Info = (AlgorithmIdentifierOwned, Vec<u8>, TimeStamp);

/// Imprint, time and accuracy of a `TSTInfo`. The time may have a fraction of a second, which general decoders refuse.
fn read_info(content: &[u8]) -> der::Result<Option<Info>> {
    let mut whole = SliceReader::new(content)?;
    let outer = AnyRef::decode(&mut whole)?;
    whole.finish()?;
    let mut reader = SliceReader::new(outer.value())?;
    let version = u8::decode(&mut reader)?;
    let _policy: ObjectIdentifier = ObjectIdentifier::decode(&mut reader)?;
    let imprint = AnyRef::decode(&mut reader)?;
    AnyRef::decode(&mut reader)?;
    let time = AnyRef::decode(&mut reader)?;
    let mut parts = SliceReader::new(imprint.value())?;
    let algorithm = AlgorithmIdentifierOwned::decode(&mut parts)?;
    let digest = OctetString::decode(&mut parts)?;
    parts.finish()?;
    let mut accuracy = None;
    while !reader.is_finished() {
        let item = AnyRef::decode(&mut reader)?;
        if item.tag() == Tag::Sequence {
            accuracy = read_accuracy(item.value())?;
        }
    }
    let text = std::str::from_utf8(time.value()).ok().filter(|_| time.tag() == Tag::GeneralizedTime);
    let Some(microseconds) = text.and_then(generalized_time).filter(|_| version == 1) else {
        return Ok(None);
    };
    let time_stamp = TimeStamp { microseconds, accuracy };
    Ok(Some((algorithm, digest.as_bytes().to_vec(), time_stamp)))
}

/// Seconds, and milli- and microseconds under the tags 0 and 1, together in microseconds.
fn read_accuracy(content: &[u8]) -> der::Result<Option<u64>> {
    let mut reader = SliceReader::new(content)?;
    let mut sum = Some(0_u64);
    while !reader.is_finished() {
        let item = AnyRef::decode(&mut reader)?;
        let unit = match item.tag() {
            Tag::Integer => 1_000_000,
            Tag::ContextSpecific { number: TagNumber(0), .. } => 1_000,
            Tag::ContextSpecific { number: TagNumber(1), .. } => 1,
            _ => return Ok(None),
        };
        let fits = item.value().len() <= 4 && item.value().first().is_some_and(|byte| *byte < 0x80);
        let number = item.value().iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        sum = sum.and_then(|sum| sum.checked_add(number.checked_mul(unit)?)).filter(|_| fits);
    }
    Ok(sum)
}

/// `YYYYMMDDhhmmss[.f…]Z` (RFC 3161 section 2.4.2), in microseconds since 1970. A fraction has no zero at its end.
fn generalized_time(text: &str) -> Option<i64> {
    let body = text.strip_suffix('Z')?;
    let (whole, fraction) = match body.split_once('.') {
        Some((_, fraction)) if fraction.is_empty() || fraction.ends_with('0') || fraction.len() > 20 => {
            return None;
        }
        Some((whole, fraction)) => (whole, fraction),
        None => (body, ""),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() != 14 || !digits(whole) || !digits(fraction) {
        return None;
    }
    let part = |from: usize, to: usize| whole.get(from..to);
    let text = format!(
        "{}-{}-{}T{}:{}:{}Z",
        part(0, 4)?,
        part(4, 6)?,
        part(6, 8)?,
        part(8, 10)?,
        part(10, 12)?,
        part(12, 14)?
    );
    let instant: jiff::Timestamp = text.parse().ok()?;
    let micros: i64 = format!("{fraction:0<6}").get(..6)?.parse().ok()?;
    instant.as_second().checked_mul(1_000_000)?.checked_add(micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_with_fractions_are_read_and_other_spellings_refused() {
        assert_eq!(generalized_time("19700101000001Z"), Some(1_000_000));
        assert_eq!(generalized_time("19700101000001.5Z"), Some(1_500_000));
        assert_eq!(generalized_time("19700101000001.1234567Z"), Some(1_123_456));
        for wrong in
            ["19700101000001", "19700101000001.Z", "19700101000001.50Z", "197001010000Z", "19701301000001Z"]
        {
            assert_eq!(generalized_time(wrong), None, "{wrong}");
        }
    }
}
