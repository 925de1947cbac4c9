//! Certificates: what one is for, and the chain from the authority to a root that the caller trusts (RFC 5280 section 6,
//! for one purpose: no name constraints, no policies, no revocation).

use der::asn1::ObjectIdentifier;
use der::{Decode, Encode};
use x509_cert::Certificate;
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage};

use super::signature::{Digest, fixed_digest, verify};
use super::{TimeStampError, TsaTrust};
use crate::code::Code;

/// No chain is longer: authorities have one or two certificates between them and their root.
const LONGEST_CHAIN: usize = 8;
/// No token needs more certificates.
const MOST_CERTIFICATES: usize = 32;
/// So many signatures of certificates are looked at in search of a chain. Certificates of one name and key issue each other,
/// and the ways through 32 of them are beyond count.
const MOST_SIGNATURES: u32 = 64;

const TIME_STAMPING: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.8");

/// Extensions that are looked at here, or that change nothing for a chain of time stamps: basicConstraints, keyUsage,
/// extKeyUsage, subjectAltName, certificatePolicies (RFC 5280 section 4.2). Another that is critical ends the chain.
const KNOWN: [&str; 5] = ["2.5.29.19", "2.5.29.15", "2.5.29.37", "2.5.29.17", "2.5.29.32"];

/// The certificates of a token and those that the caller gave.
pub(super) struct Certificates {
    found: Vec<Certificate>,
    roots: Vec<Certificate>,
}

impl Certificates {
    pub(super) fn read(of_token: &[Certificate], trust: &TsaTrust<'_>) -> Result<Self, TimeStampError> {
        if of_token.len() > MOST_CERTIFICATES {
            let expected = format!("at most {MOST_CERTIFICATES} certificates");
            return Err(TimeStampError::new(Code::TimeStampEncoding, expected, of_token.len().to_string()));
        }
        let parse = |der: &[u8]| {
            Certificate::from_der(der).map_err(|error| {
                TimeStampError::new(Code::TimeStampCertificate, "a certificate in DER", error.to_string())
            })
        };
        let roots = trust.roots.iter().map(|root| parse(root.as_der())).collect::<Result<Vec<_>, _>>()?;
        let mut found = of_token.to_vec();
        for other in trust.others {
            found.push(parse(other.as_der())?);
        }
        Ok(Self { found, roots })
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Certificate> {
        self.found.iter().chain(&self.roots)
    }

    /// RFC 3161 section 2.3: the key is for time stamps and for nothing else, and says so critically.
    pub(super) fn check_purpose(&self, signer: &Certificate) -> Result<(), TimeStampError> {
        let usage = signer.tbs_certificate().get_extension::<ExtendedKeyUsage>().ok().flatten();
        let only = usage.is_some_and(|(critical, usage)| critical && usage.0 == [TIME_STAMPING]);
        let signs = signer.tbs_certificate().get_extension::<KeyUsage>().is_ok_and(|usage| {
            usage.is_none_or(|(_, usage)| usage.digital_signature() || usage.non_repudiation())
        });
        if only && signs {
            return Ok(());
        }
        let expected = "a certificate for time stamps alone, which says so critically";
        Err(TimeStampError::new(Code::TimeStampUsage, expected, "another"))
    }

    /// A chain leads from the signer to a trusted root, and each certificate of it is valid at that time.
    pub(super) fn check_chain(&self, signer: &Certificate, seconds: i64) -> Result<(), TimeStampError> {
        // Where no chain can end there is nothing to look for: the signatures of all certificates would be verified in vain.
        if self.roots.is_empty() {
            let expected = "a trusted root of time-stamping authorities";
            return Err(TimeStampError::new(Code::KeyNotPinned, expected, "none"));
        }
        let mut search = Search { left: MOST_SIGNATURES, problem: None };
        if self.leads_to_root(signer, seconds, 0, &mut search) {
            return Ok(());
        }
        let found = if search.left == 0 { "none within 64 signatures" } else { "none" };
        Err(search.problem.unwrap_or_else(|| {
            let expected = "a chain of certificates to a trusted root";
            TimeStampError::new(Code::TimeStampUntrusted, expected, found)
        }))
    }

    fn leads_to_root(
        &self,
        certificate: &Certificate,
        seconds: i64,
        below: usize,
        search: &mut Search,
    ) -> bool {
        if let Err(error) = check_one(certificate, seconds, below) {
            search.problem.get_or_insert(error);
            return false;
        }
        if self.roots.contains(certificate) {
            return true;
        }
        below < LONGEST_CHAIN
            && self.all().any(|issuer| {
                issuer != certificate
                    && certificate.tbs_certificate().issuer() == issuer.tbs_certificate().subject()
                    && search.goes_on()
                    && is_issued_by(certificate, issuer)
                    && self.leads_to_root(issuer, seconds, below + 1, search)
            })
    }
}

/// The search for a chain: how many signatures may still be looked at, and the first thing that was wrong.
struct Search {
    left: u32,
    problem: Option<TimeStampError>,
}

impl Search {
    fn goes_on(&mut self) -> bool {
        let goes_on = self.left > 0;
        self.left = self.left.saturating_sub(1);
        goes_on
    }
}

/// Validity, critical extensions, and for an issuer that it may be one with `below` certificates under it.
fn check_one(certificate: &Certificate, seconds: i64, below: usize) -> Result<(), TimeStampError> {
    let tbs = certificate.tbs_certificate();
    let instant =
        |time: x509_cert::time::Time| i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX);
    let (from, until) = (instant(tbs.validity().not_before), instant(tbs.validity().not_after));
    if !(from..=until).contains(&seconds) {
        let expected = format!("certificates valid at {seconds} s since 1970");
        return Err(TimeStampError::new(
            Code::TimeStampExpired,
            expected,
            format!("one valid from {from} to {until}"),
        ));
    }
    let mut extensions = tbs.extensions().into_iter().flatten();
    let unknown =
        extensions.find(|found| found.critical && !KNOWN.contains(&found.extn_id.to_string().as_str()));
    if let Some(unknown) = unknown {
        let expected = "no critical extension that is not known here";
        return Err(TimeStampError::new(Code::TimeStampCertificate, expected, unknown.extn_id.to_string()));
    }
    if below > 0 && !may_issue(certificate, below - 1) {
        let expected = "an issuer that may issue certificates for time stamps";
        return Err(TimeStampError::new(Code::TimeStampCertificate, expected, tbs.subject().to_string()));
    }
    Ok(())
}

fn may_issue(certificate: &Certificate, intermediates: usize) -> bool {
    let tbs = certificate.tbs_certificate();
    let constraints = tbs.get_extension::<BasicConstraints>().ok().flatten();
    let is_authority = constraints.is_some_and(|(_, constraints)| {
        constraints.ca
            && constraints.path_len_constraint.is_none_or(|most| intermediates <= usize::from(most))
    });
    let signs = tbs.get_extension::<KeyUsage>();
    let signs = signs.is_ok_and(|usage| usage.is_none_or(|(_, usage)| usage.key_cert_sign()));
    let usage = tbs.get_extension::<ExtendedKeyUsage>();
    let stamps = usage.is_ok_and(|usage| usage.is_none_or(|(_, usage)| usage.0.contains(&TIME_STAMPING)));
    is_authority && signs && stamps
}

/// Whether the signature of a certificate is by the key of the other; whether that is the name of its issuer was seen before.
fn is_issued_by(certificate: &Certificate, issuer: &Certificate) -> bool {
    let algorithm = certificate.signature_algorithm();
    let digest = fixed_digest(&algorithm.oid).ok().flatten();
    let (Ok(tbs), Some(signature), Some(digest)) =
        (certificate.tbs_certificate().to_der(), certificate.signature().as_bytes(), digest)
    else {
        return false;
    };
    debug_assert_ne!(digest, Digest::Sha1, "no signature algorithm fixes it");
    let key = issuer.tbs_certificate().subject_public_key_info();
    *algorithm == *certificate.tbs_certificate().signature()
        && verify(key, &algorithm.oid, digest, &tbs, signature).is_ok()
}
