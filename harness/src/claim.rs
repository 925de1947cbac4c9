//! A signed claim: who claims it, what about which archive, and how much of it anybody can check.
//!
//! The claim is an in-toto Statement (v1) with the test-result predicate (v0.1) in a DSSE envelope (v1), signed with Ed25519.
//! Its subject is the archive, by SHA-256 of the archive's sums. A signature shows only who claims something. So a claim is
//! verified in five layers that are told apart: who signed, whether the archive is the one that is meant and hangs
//! together, whether every verdict follows from it, whether the suite is a known one, and how much rests on what the target itself
//! signed.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use assayer_reports::verification::{Claimed, Document as Found, Layer, State, Text, Verdict};
use assayer_reports::{CheckResult, Label, Report, Selection, Status, Weight};
use assayer_vectors::{SUITE, embedded_digest};
use assayer_verifier::{Document, Limits, PublicKey, Signature, VerifiedKey, sha256};
use base64ct::{Base64, Encoding};
use ed25519_dalek::pkcs8::DecodePrivateKey;
use ed25519_dalek::{Signer, SigningKey};
use serde::{Deserialize, Serialize};

use crate::archive::{Archive, ArchiveState, recheck};
use crate::compare::Intact;
use crate::transcript::{Outcome, Transcript, part_of};

/// Name of the claim's file in an archive.
pub const CLAIM_FILE: &str = "claim.dsse.json";
/// Kind of document, as `assayer verify` names it.
pub const CLAIM_KIND: &str = "conformance-claim";
/// No claim is longer, in bytes: it names some hundred checks.
pub const LONGEST_CLAIM: u64 = 1 << 20;

const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
const PREDICATE_TYPE: &str = "https://in-toto.io/attestation/test-result/v0.1";
/// No envelope has more signatures: each costs a verification under every trusted key.
const MOST_SIGNATURES: usize = 16;

/// Why there is no claim.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClaimError {
    /// The target could not be asked to the end.
    #[error("a claim stands for a complete run: expected a verdict, found an inconclusive run")]
    Inconclusive,
    /// The key's file cannot be read.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// The file is no key. What stands in it is not repeated.
    #[error("{}: expected an Ed25519 private key in PEM (PKCS #8), as `openssl genpkey -algorithm ed25519` writes it", .0.display())]
    Key(PathBuf),
    /// Another version recorded it, and laid out some of its files.
    #[error(
        "a claim stands for an archive of which every file was compared: {files} were written by another version; sign with that one"
    )]
    NotCompared {
        /// The files.
        files: String,
    },
    /// A filter was given.
    #[error("a claim stands for a complete run: expected the whole edition, found a selection of its checks")]
    Selection,
}

/// An in-toto Statement.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Statement {
    /// `https://in-toto.io/Statement/v1`.
    #[serde(rename = "_type")]
    pub kind: String,
    /// What it is about: the archive.
    pub subject: Vec<Resource>,
    /// `https://in-toto.io/attestation/test-result/v0.1`.
    #[serde(rename = "predicateType")]
    pub predicate_type: String,
    /// What is claimed.
    pub predicate: TestResult,
}

/// A test result, as its predicate has it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TestResult {
    /// `PASSED`, `WARNED` or `FAILED`.
    pub result: String,
    /// What the tests were: the suite.
    pub configuration: Vec<Resource>,
    /// Checks that passed.
    #[serde(default)]
    pub passed_tests: Vec<String>,
    /// Checks that decide nothing and did not pass.
    #[serde(default)]
    pub warned_tests: Vec<String>,
    /// Checks that stand against conformance.
    #[serde(default)]
    pub failed_tests: Vec<String>,
}

/// An in-toto resource descriptor.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Resource {
    /// What it is called.
    pub name: String,
    /// Its digests, by algorithm.
    pub digest: BTreeMap<String, String>,
    /// More about it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

#[derive(Deserialize, Serialize)]
struct Envelope {
    payload: String,
    #[serde(rename = "payloadType")]
    payload_type: String,
    signatures: Vec<EnvelopeSignature>,
}

#[derive(Deserialize, Serialize)]
struct EnvelopeSignature {
    #[serde(default)]
    keyid: String,
    sig: String,
}

/// What a run supports: a statement about its archive.
///
/// # Errors
/// [`ClaimError::Selection`] and [`ClaimError::Inconclusive`] for a run that is not complete, [`ClaimError::NotCompared`] for an
/// archive of which some files were not compared.
pub fn statement(run: &Intact) -> Result<Statement, ClaimError> {
    if run.report.selection == Selection::Part {
        return Err(ClaimError::Selection);
    }
    if !run.not_compared.is_empty() {
        return Err(ClaimError::NotCompared { files: run.not_compared.join(", ") });
    }
    let conformant = run.report.conformant.ok_or(ClaimError::Inconclusive)?;
    Ok(claimed(&run.report, conformant, &run.digest))
}

fn claimed(report: &Report, conformant: bool, archive: &str) -> Statement {
    let of = |wanted: fn(&CheckResult) -> bool| -> Vec<String> {
        report.checks.iter().filter(|check| wanted(check)).map(|check| check.id.clone()).collect()
    };
    let warned_tests = of(is_warned);
    let result = match (conformant, warned_tests.is_empty()) {
        (false, _) => "FAILED",
        (true, false) => "WARNED",
        (true, true) => "PASSED",
    };
    let sha256 = |digest: &str| BTreeMap::from([("sha256".to_owned(), digest.to_owned())]);
    let annotations = [
        ("assayer", report.tool.version.clone()),
        ("startedAt", report.started_at.clone()),
        ("wire", report.wire.clone()),
    ];
    let annotations = annotations.map(|(name, value)| (name.to_owned(), value)).into();
    let suite = Resource { name: report.edition.clone(), digest: sha256(&report.suite_digest), annotations };
    let subject =
        Resource { name: report.target.clone(), digest: sha256(archive), annotations: BTreeMap::new() };
    Statement {
        kind: STATEMENT_TYPE.to_owned(),
        subject: vec![subject],
        predicate_type: PREDICATE_TYPE.to_owned(),
        predicate: TestResult {
            result: result.to_owned(),
            configuration: vec![suite],
            passed_tests: of(|check| check.status == Status::Pass),
            warned_tests,
            failed_tests: of(is_failed),
        },
    }
}

fn is_failed(check: &CheckResult) -> bool {
    check.decides() && matches!(check.status.weight(), Weight::Open | Weight::Refuted)
}

fn is_warned(check: &CheckResult) -> bool {
    !is_failed(check) && !matches!(check.status, Status::Pass | Status::NotApplicable)
}

/// No file of a key is longer: its PEM takes some hundred bytes.
const LONGEST_KEY: u64 = 64 << 10;

/// The key in a file: Ed25519, PKCS #8 in PEM.
///
/// # Errors
/// [`ClaimError::Io`] and [`ClaimError::Key`]; neither repeats what stands in the file.
pub fn signing_key(path: &Path) -> Result<SigningKey, ClaimError> {
    let mut text = String::new();
    fs_err::File::open(path)?.take(LONGEST_KEY).read_to_string(&mut text)?;
    SigningKey::from_pkcs8_pem(text.trim()).map_err(|_| ClaimError::Key(path.to_owned()))
}

/// The statement in an envelope, signed, as one JSON document with a newline at its end.
#[must_use]
pub fn sign(statement: &Statement, key: &SigningKey) -> String {
    // Texts and lists: there is nothing that could not be written.
    let payload = serde_json::to_vec(statement).unwrap_or_default();
    let signature = key.sign(&signed_bytes(PAYLOAD_TYPE, &payload));
    let envelope = Envelope {
        payload: Base64::encode_string(&payload),
        payload_type: PAYLOAD_TYPE.to_owned(),
        signatures: vec![EnvelopeSignature {
            keyid: sha256(key.verifying_key().as_bytes()).to_hex(),
            sig: Base64::encode_string(&signature.to_bytes()),
        }],
    };
    let mut text = serde_json::to_string_pretty(&envelope).unwrap_or_default();
    text.push('\n');
    text
}

/// The bytes that are signed (DSSE, version 1).
fn signed_bytes(kind: &str, payload: &[u8]) -> Vec<u8> {
    let mut bytes = format!("DSSEv1 {} {kind} {} ", kind.len(), payload.len()).into_bytes();
    bytes.extend_from_slice(payload);
    bytes
}

/// Whether these bytes are an envelope with a test result in it, whatever it says.
#[must_use]
pub fn is_claim(bytes: &[u8]) -> bool {
    // Most documents name no such member, and are not read for it.
    if bytes.len() as u64 > LONGEST_CLAIM || memchr::memmem::find(bytes, b"payloadType").is_none() {
        return false;
    }
    let Ok(envelope) = envelope(bytes) else { return false };
    let kind = |payload: Vec<u8>| {
        let value: serde_json::Value = serde_json::from_slice(&payload).ok()?;
        Some(value.get("predicateType")?.as_str()? == PREDICATE_TYPE)
    };
    envelope.payload_type == PAYLOAD_TYPE
        && Base64::decode_vec(&envelope.payload).ok().and_then(kind) == Some(true)
}

fn envelope(bytes: &[u8]) -> Result<Envelope, String> {
    strict(bytes)?;
    serde_json::from_slice(bytes).map_err(|error| error.to_string())
}

/// No member twice, nothing behind the text, nothing too deep.
fn strict(bytes: &[u8]) -> Result<(), String> {
    Document::read(bytes, &Limits::default()).map(|_| ()).map_err(|error| error.to_string())
}

/// What a claim is verified with.
#[derive(Clone, Copy, Debug, Default)]
pub struct ClaimTrust<'t> {
    /// Keys of who may claim.
    pub claimants: &'t [PublicKey],
    /// Keys of the registry that was checked.
    pub registries: &'t [PublicKey],
    /// The archive, if it is there.
    pub archive: Option<&'t Path>,
    /// SHA-256 (hexadecimal) of suites that the caller knows, besides the one of this version.
    pub suites: &'t [String],
}

/// Verifies a claim that stands in a file: its archive is the folder that it lies in, where that is one and the caller names none.
#[must_use]
pub fn verify_claim_at(path: String, bytes: &[u8], trust: ClaimTrust<'_>) -> Found {
    let around = around(Path::new(&path)).filter(|_| trust.archive.is_none());
    let archive = trust.archive.or(around.as_deref());
    verify_claim(path, bytes, ClaimTrust { archive, ..trust })
}

/// The folder of a file, if it is an archive.
fn around(path: &Path) -> Option<PathBuf> {
    let folder = path.parent().filter(|_| path.is_file())?;
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    folder.join("manifest.json").is_file().then(|| folder.to_owned())
}

/// Verifies a claim: five layers, told apart.
#[must_use]
pub fn verify_claim(path: String, bytes: &[u8], trust: ClaimTrust<'_>) -> Found {
    let opened = open(bytes);
    let archive = trust.archive.map(Judged::read);
    let layers = vec![
        signature(opened.as_ref(), trust.claimants),
        self_consistency(opened.as_ref(), archive.as_ref()),
        re_derivation(opened.as_ref(), archive.as_ref()),
        suite(opened.as_ref(), trust.suites),
        target_signed(archive.as_ref(), trust.registries),
    ];
    let any = |state| layers.iter().any(|layer: &Layer| layer.state == state);
    let verdict = match (any(State::Refuted), any(State::NotEstablished)) {
        (true, _) => Verdict::Refuted,
        (false, true) => Verdict::Consistent,
        (false, false) => Verdict::Authentic,
    };
    let open = layers.iter().filter(|layer| layer.state != State::Established);
    let open = open.map(|layer| layer.id.clone()).collect();
    Found {
        path,
        kind: Text::Borrowed(CLAIM_KIND),
        verdict: Some(verdict),
        error: None,
        length: Some(bytes.len()),
        sha256: Some(sha256(bytes).to_hex()),
        claim: opened.ok().map(|opened| said(&opened.statement, archive.as_ref())),
        not_asked: Vec::new(),
        open,
        layers,
    }
}

/// What a statement says, and what its archive shows of what that rests on.
fn said(statement: &Statement, archive: Option<&Judged>) -> Claimed {
    let of = |resources: &[Resource]| -> (String, String, String) {
        let Some(first) = resources.first() else { return Default::default() };
        let text = |map: &BTreeMap<String, String>, name: &str| map.get(name).cloned().unwrap_or_default();
        (first.name.clone(), text(&first.digest, "sha256"), text(&first.annotations, "startedAt"))
    };
    let (edition, suite_digest, started_at) = of(&statement.predicate.configuration);
    let report = archive.and_then(|archive| archive.report.as_ref());
    Claimed {
        result: statement.predicate.result.clone(),
        target: of(&statement.subject).0,
        edition,
        suite_digest,
        started_at,
        target_signed: report.map(signed_by_the_target),
        verdicts: report.map(|report| report.checks.len()),
    }
}

fn signed_by_the_target(report: &Report) -> usize {
    report.checks.iter().filter(|check| check.label == Label::TargetSigned).count()
}

/// An envelope with its statement.
struct Opened {
    envelope: Envelope,
    payload: Vec<u8>,
    statement: Statement,
}

fn open(bytes: &[u8]) -> Result<Opened, String> {
    let envelope = envelope(bytes)?;
    if envelope.payload_type != PAYLOAD_TYPE {
        return Err(format!("payloadType {}", envelope.payload_type));
    }
    let payload =
        Base64::decode_vec(&envelope.payload).map_err(|_| "a payload that is no base64".to_owned())?;
    strict(&payload)?;
    let statement: Statement = serde_json::from_slice(&payload).map_err(|error| error.to_string())?;
    match (statement.kind.as_str(), statement.predicate_type.as_str()) {
        (STATEMENT_TYPE, PREDICATE_TYPE) => Ok(Opened { envelope, payload, statement }),
        (kind, predicate) => Err(format!("_type {kind}, predicateType {predicate}")),
    }
}

/// An archive as far as it can be judged.
struct Judged {
    integrity: Vec<String>,
    digest: Option<String>,
    differences: Vec<String>,
    not_compared: Vec<String>,
    report: Option<Report>,
    transcript: Option<Transcript>,
}

impl Judged {
    fn read(folder: &Path) -> Self {
        let broken = |why: String| Self {
            integrity: vec![why],
            digest: None,
            differences: Vec::new(),
            not_compared: Vec::new(),
            report: None,
            transcript: None,
        };
        let archive = match Archive::read(folder) {
            Ok(archive) if archive.transcript.manifest.state == ArchiveState::Complete => archive,
            Ok(_) => return broken("a run that did not come to its end".to_owned()),
            Err(error) => return broken(error.to_string()),
        };
        let judged = archive
            .suite()
            .map_err(|error| error.to_string())
            .and_then(|suite| recheck(&archive, &suite).map_err(|error| error.to_string()));
        let (differences, not_compared, report) = match judged {
            Ok((found, report)) => {
                let own = found.differences.iter().filter(|found| !archive.integrity.contains(found));
                (own.map(ToString::to_string).collect(), found.not_compared, Some(report))
            }
            Err(error) => (vec![error], Vec::new(), None),
        };
        Self {
            integrity: archive.integrity.iter().map(ToString::to_string).collect(),
            digest: archive.digest,
            differences,
            not_compared,
            report,
            transcript: Some(archive.transcript),
        }
    }
}

fn layer(id: &'static str, state: State, code: &'static str, meaning: &'static str) -> Layer {
    Layer {
        id: Text::Borrowed(id),
        state,
        code: Text::Borrowed(code),
        at: String::new(),
        expected: None,
        found: None,
        problems: None,
        schemes: Vec::new(),
        readings: Vec::new(),
        notes: Vec::new(),
        meaning: Text::Borrowed(meaning),
        explained: None,
    }
}

fn established(id: &'static str) -> Layer {
    layer(id, State::Established, "ok", "recomputed and agrees")
}

fn with(found: Layer, at: &str, expected: impl ToString, seen: impl ToString) -> Layer {
    Layer { at: at.to_owned(), expected: Some(expected.to_string()), found: Some(seen.to_string()), ..found }
}

fn refuted(id: &'static str, code: &'static str, meaning: &'static str) -> Layer {
    layer(id, State::Refuted, code, meaning)
}

fn not_a_statement(id: &'static str, why: &str) -> Layer {
    let layer = refuted(id, "claim.statement", "this is no test result in an envelope");
    with(layer, "", "an in-toto Statement with a test result in a DSSE envelope", why)
}

/// Who claims it.
fn signature(opened: Result<&Opened, &String>, claimants: &[PublicKey]) -> Layer {
    const ID: &str = "claim-signature";
    let opened = match opened {
        Ok(opened) => opened,
        Err(why) => return not_a_statement(ID, why),
    };
    if claimants.is_empty() {
        return layer(
            ID,
            State::NotEstablished,
            "key.not-pinned",
            "no trusted key was given to compare with",
        );
    }
    let message = signed_bytes(&opened.envelope.payload_type, &opened.payload);
    let signatures = opened.envelope.signatures.iter().take(MOST_SIGNATURES);
    let is_good = |signature: &EnvelopeSignature| {
        let bytes =
            Base64::decode_vec(&signature.sig).ok().and_then(|bytes| <[u8; 64]>::try_from(bytes).ok());
        let fits = |key: &PublicKey, bytes| {
            VerifiedKey::new(key).is_ok_and(|key| key.verify(&message, &Signature(bytes)).is_ok())
        };
        bytes.is_some_and(|bytes| claimants.iter().any(|key| fits(key, bytes)))
    };
    if signatures.into_iter().any(is_good) {
        return established(ID);
    }
    let layer = refuted(ID, "claim.signature", "no trusted key signed this statement");
    let keys: Vec<String> = claimants.iter().map(|key| key.to_hex()).collect();
    with(layer, "/signatures", format!("a signature of {}", keys.join(" or ")), "none that fits")
}

/// Whether the archive is the one that is meant, and its files are what its sums say.
fn self_consistency(opened: Result<&Opened, &String>, archive: Option<&Judged>) -> Layer {
    const ID: &str = "self-consistency";
    let statement = match opened {
        Ok(opened) => &opened.statement,
        Err(why) => return not_a_statement(ID, why),
    };
    let Some(archive) = archive else { return no_archive(ID) };
    if let Some(first) = archive.integrity.first() {
        let layer = refuted(ID, "claim.archive-changed", "the archive is not what its sums say");
        let problems = (archive.integrity.len() > 1).then_some(archive.integrity.len());
        return Layer { problems, ..with(layer, "", "files as their sums say", first) };
    }
    let digest = archive.digest.as_deref().unwrap_or("none");
    let [subject] = statement.subject.as_slice() else {
        let layer = refuted(ID, "claim.subject", "the claim is about another archive");
        return with(layer, "/subject", "one subject", statement.subject.len());
    };
    match subject.digest.get("sha256").map(String::as_str) {
        Some(claimed) if claimed == digest => established(ID),
        claimed => {
            let layer = refuted(ID, "claim.subject", "the claim is about another archive");
            with(layer, "/subject/0/digest/sha256", digest, claimed.unwrap_or("no such member"))
        }
    }
}

fn no_archive(id: &'static str) -> Layer {
    layer(id, State::NotEstablished, "claim.no-archive", "no archive was given to compare with")
}

/// Whether every verdict, and what is claimed of them, follows from what was recorded.
fn re_derivation(opened: Result<&Opened, &String>, archive: Option<&Judged>) -> Layer {
    const ID: &str = "re-derivation";
    let opened = match opened {
        Ok(opened) => opened,
        Err(why) => return not_a_statement(ID, why),
    };
    let Some(archive) = archive else { return no_archive(ID) };
    let (Some(report), None) = (&archive.report, archive.differences.first()) else {
        let layer = refuted(ID, "claim.not-derived", "the verdicts do not follow from what was recorded");
        let first = archive.differences.first().or_else(|| archive.integrity.first());
        return with(layer, "", "what follows from the transcript", first.map_or("nothing", String::as_str));
    };
    let Some(conformant) = report.conformant.filter(|_| report.selection == Selection::Whole) else {
        let layer = refuted(ID, "claim.incomplete-run", "a claim stands for a complete run");
        return with(layer, "/predicate/result", "a complete run", "a selection, or an inconclusive run");
    };
    let derived = claimed(report, conformant, archive.digest.as_deref().unwrap_or_default());
    match differs(&opened.statement, &derived) {
        None if archive.not_compared.is_empty() => match more(opened, &derived) {
            None => established(ID),
            Some(at) => {
                let meaning = "the claim says more than what follows from the archive";
                let layer = layer(ID, State::NotEstablished, "claim.more", meaning);
                with(layer, &at, "no such member", "a member that nothing was compared with")
            }
        },
        None => {
            let meaning = "another version wrote files of the archive, and these were not compared";
            let layer = layer(ID, State::NotEstablished, "claim.other-version", meaning);
            with(layer, "", "files that this version lays out alike", archive.not_compared.join(", "))
        }
        Some((at, expected, found)) => {
            let layer = refuted(ID, "claim.result", "the claim says something else than the archive");
            with(layer, at, expected, found)
        }
    }
}

/// Whether the suite is one whose checks are known: the one of this version, or one that the caller named. A suite of the same name
/// may ask less.
fn suite(opened: Result<&Opened, &String>, known: &[String]) -> Layer {
    const ID: &str = "suite";
    let statement = match opened {
        Ok(opened) => &opened.statement,
        Err(why) => return not_a_statement(ID, why),
    };
    let own = embedded_digest(SUITE);
    let (edition, used) = match statement.predicate.configuration.as_slice() {
        [one] => (one.name.as_str(), one.digest.get("sha256").map_or("no digest", String::as_str)),
        _ => ("", "another number of suites than one"),
    };
    let is_own = own.as_deref() == Some(used) && edition.split('@').next() == Some(SUITE);
    if is_own || known.iter().any(|digest| digest == used) {
        return established(ID);
    }
    let meaning = "the suite is not the one of this version: what its checks ask is not known";
    let layer = layer(ID, State::NotEstablished, "claim.unknown-suite", meaning);
    let all: Vec<&str> = own.iter().chain(known).map(String::as_str).collect();
    with(layer, "/predicate/configuration/0/digest/sha256", all.join(" or "), used)
}

/// The first member in which a statement differs from what follows from the archive.
fn differs(claimed: &Statement, derived: &Statement) -> Option<(&'static str, String, String)> {
    let (one, other) = (&derived.predicate, &claimed.predicate);
    let lists = |derived: &[String], claimed: &[String]| {
        let first =
            derived.iter().find(|id| !claimed.contains(id)).map(|id| (id.clone(), "not there".to_owned()));
        let more =
            || claimed.iter().find(|id| !derived.contains(id)).map(|id| ("not there".to_owned(), id.clone()));
        let order = || {
            (derived != claimed).then(|| ("each check once, in order".to_owned(), "another list".to_owned()))
        };
        first.or_else(more).or_else(order)
    };
    let text =
        |derived: &str, claimed: &str| (derived != claimed).then(|| (derived.to_owned(), claimed.to_owned()));
    let name = |statement: &Statement| {
        statement.subject.first().map(|subject| subject.name.clone()).unwrap_or_default()
    };
    let suites = |result: &TestResult| serde_json::to_string(&result.configuration).unwrap_or_default();
    [
        ("/predicate/result", text(&one.result, &other.result)),
        ("/predicate/failedTests", lists(&one.failed_tests, &other.failed_tests)),
        ("/predicate/warnedTests", lists(&one.warned_tests, &other.warned_tests)),
        ("/predicate/passedTests", lists(&one.passed_tests, &other.passed_tests)),
        ("/predicate/configuration", text(&suites(one), &suites(other))),
        ("/subject/0/name", text(&name(derived), &name(claimed))),
    ]
    .into_iter()
    .find_map(|(at, found)| found.map(|(expected, found)| (at, expected, found)))
}

/// The first member of the signed text that does not follow from the archive, although all that a statement needs does: a page to
/// believe, a digest by another algorithm.
fn more(opened: &Opened, derived: &Statement) -> Option<String> {
    let claimed: serde_json::Value = serde_json::from_slice(&opened.payload).ok()?;
    first_more("", &claimed, &serde_json::to_value(derived).ok()?)
}

fn first_more(at: &str, claimed: &serde_json::Value, derived: &serde_json::Value) -> Option<String> {
    use serde_json::Value as Json;
    match (claimed, derived) {
        (Json::Object(claimed), Json::Object(derived)) => claimed.iter().find_map(|(name, value)| {
            let at = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
            // What is absent may also be said to be nothing.
            let is_nothing = |value: &Json| value.as_object().is_some_and(serde_json::Map::is_empty);
            match derived.get(name) {
                Some(other) => first_more(&at, value, other),
                None => (!is_nothing(value)).then_some(at),
            }
        }),
        (Json::Array(claimed), Json::Array(derived)) => {
            let pairs = claimed.iter().zip(derived).enumerate();
            pairs
                .into_iter()
                .find_map(|(place, (value, other))| first_more(&format!("{at}/{place}"), value, other))
        }
        // Values were compared already, each by its layer.
        _ => None,
    }
}

/// How much rests on what the target signed, under a key of the target that the caller knows.
fn target_signed(archive: Option<&Judged>, registries: &[PublicKey]) -> Layer {
    const ID: &str = "target-signed";
    let Some((report, transcript)) =
        archive.and_then(|archive| Some((archive.report.as_ref()?, archive.transcript.as_ref()?)))
    else {
        return no_archive(ID);
    };
    let signed = signed_by_the_target(report);
    let share = format!(
        "{signed} of {} verdicts rest on what the target signed; the others on the prober's word",
        report.checks.len()
    );
    let key = shown_key(transcript);
    let shown = key.map_or_else(|| "no key".to_owned(), |key| key.to_hex());
    if registries.is_empty() {
        let layer =
            layer(ID, State::NotEstablished, "key.not-pinned", "no trusted key was given to compare with");
        return with(layer, "", "a key of the target that you trust", format!("{shown}; {share}"));
    }
    if !key.is_some_and(|key| registries.contains(&key)) {
        let layer = refuted(ID, "claim.other-target", "the archive is of a target with another key");
        let keys: Vec<String> = registries.iter().map(|key| key.to_hex()).collect();
        return with(layer, "", keys.join(" or "), shown);
    }
    if signed == 0 {
        let layer = layer(
            ID,
            State::NotEstablished,
            "claim.nothing-signed",
            "nothing in it was signed by the target",
        );
        return with(layer, "", "verdicts that rest on what the target signed", share);
    }
    Layer { found: Some(share), ..established(ID) }
}

/// The key that the target shows to all.
fn shown_key(transcript: &Transcript) -> Option<PublicKey> {
    let recorded = transcript.of("well-known");
    let Outcome::Answered { answer, .. } = &recorded.first()?.outcome else { return None };
    let key = part_of(&answer.body(), "/ed25519_pub")?;
    PublicKey::from_hex(&key.as_str()?.to_ascii_lowercase())
}
