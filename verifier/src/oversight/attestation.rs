//! Attestations: the DSSE envelope in the member `rekor` of a bundle, with an in-toto statement about the manifest.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::code::Code;
use crate::dsse::Envelope;
use crate::ed25519::Memory;
use crate::hash::{PublicKey, Signature, sha256};
use crate::json::{Document, Kind, Value};
use crate::limits::Limits;
use crate::oversight::window::Windows;
use crate::oversight::{Trust, describe, manifest, window};
use crate::verdict::{Layer, Problem};

const ID: &str = "attestation";

const RULE: &str = "EV-4, RE-4: a DSSE envelope (version 1) with an in-toto statement (version 1) about this manifest, signed by a trusted key";

/// The type of payload that an in-toto statement has in an envelope.
const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";

/// Members in which an envelope may stand; `rekor` itself may be one too (`docs/decisions/attestations.md`).
const PLACES: [&str; 3] = ["dsse", "envelope", "dsseEnvelope"];

/// Layer `attestation`: a trusted key signed a statement that is about this manifest and nothing else. A statement that
/// contradicts the manifest is refuted whoever signed it, since the registry shows it as being about this file.
pub(crate) fn layer(
    bundle: Value<'_>,
    manifest: Option<Value<'_>>,
    trust: &Trust<'_>,
    memory: &mut Memory,
) -> (Layer, Option<Envelope>) {
    let mut layer = Layer::new(ID, RULE);
    let (value, at) = match find_envelope(bundle) {
        Ok(found) => found,
        Err(problem) if problem.code == Code::DsseEncoding => return (layer.refuted(problem), None),
        Err(problem) => return (layer.not_established(problem), None),
    };
    let envelope = match Envelope::read(value, &at) {
        Ok(envelope) => envelope,
        Err(problem) => return (layer.refuted(problem), None),
    };
    let schema = bundle.at("/rekor/bundle_schema");
    if let Some(other) = schema.filter(|schema| schema.as_u64() != Some(2)) {
        let place = "/rekor/bundle_schema";
        layer.leave_open(Problem::new(Code::AttestationSchema, place, "2", other.raw()));
    }
    check_signatures(&mut layer, &envelope, manifest, trust, memory, &at);
    match manifest {
        Some(manifest) => check_payload(&mut layer, &envelope, manifest, &at),
        None => layer.leave_open(Problem::new(Code::NotReached, "/manifest", "a manifest", "none")),
    }
    (layer, Some(envelope))
}

/// The one envelope of the member `rekor`.
pub(crate) fn find_envelope(bundle: Value<'_>) -> Result<(Value<'_>, String), Problem> {
    let rekor = bundle.get("rekor");
    let Some(object) = rekor.filter(|rekor| rekor.kind() == Kind::Object) else {
        return Err(Problem::new(Code::NotGiven, "/rekor", "an attestation", describe(rekor)));
    };
    let itself = object.get("payloadType").or_else(|| object.get("payload"));
    let mut found = itself.map(|_| (object, "/rekor".to_owned()));
    for name in PLACES {
        let Some(value) = object.get(name) else { continue };
        let at = format!("/rekor/{name}");
        if let Some((_, other)) = found {
            let expected = format!("no second envelope beside {other}");
            return Err(Problem::new(Code::DsseEncoding, at, expected, value.raw()));
        }
        found = Some((value, at));
    }
    found.ok_or_else(|| Problem::new(Code::NotGiven, "/rekor", "a DSSE envelope", object.raw()))
}

/// One signature by a trusted key will do. A key that the caller named for attestations must be among the signers; that
/// the registry's own key signed is not to be expected, unless the envelope says so.
fn check_signatures(
    layer: &mut Layer,
    envelope: &Envelope,
    manifest: Option<Value<'_>>,
    trust: &Trust<'_>,
    memory: &mut Memory,
    at: &str,
) {
    let place = format!("{at}/signatures");
    let trusted = || trust.attestation_keys.iter().chain(trust.registry_keys);
    if trusted().next().is_none() {
        let found = "none";
        return layer.leave_open(Problem::new(
            Code::KeyNotPinned,
            place,
            "a key trusted for attestations",
            found,
        ));
    }
    let message = envelope.signed_bytes();
    let mut claimed = !trust.attestation_keys.is_empty();
    let mut outside = None;
    for signature in &envelope.signatures {
        for key in trusted() {
            let fits = Signature::from_slice(&signature.bytes).is_some_and(|signature| {
                memory.key(key).is_ok_and(|key| memory.verify(&key, &message, &signature).is_ok())
            });
            if fits && is_trusted_then(key, trust, envelope, manifest) {
                layer.recomputed = format!("signed by {key}, {} bytes", message.len());
                return;
            }
            if fits {
                outside.get_or_insert(key);
            }
            claimed |= names(&signature.keyid, key);
        }
    }
    if let Some(key) = outside {
        let expected = "a signature of a time at which its key is trusted";
        return layer.leave_open(Problem::new(Code::KeyOutsideWindow, place, expected, key.to_hex()));
    }
    let found = format!("{} signatures of other keys", envelope.signatures.len());
    let problem = |code| Problem::new(code, place, "a signature by a trusted key", found);
    if claimed {
        layer.refute(problem(Code::AttestationSignatureMismatch));
    } else {
        layer.leave_open(problem(Code::AttestationKeyUnknown));
    }
}

/// Whether a key that signed an attestation is trusted at the time that the statement gives for the registration, and when the manifest was
/// issued if that was later. The caller names keys for attestations without a time; those of registries have one, where it is bounded.
fn is_trusted_then(
    key: &PublicKey,
    trust: &Trust<'_>,
    envelope: &Envelope,
    manifest: Option<Value<'_>>,
) -> bool {
    let named = trust.attestation_keys.contains(key);
    let Some(windows) = Windows::of(key, trust).filter(|_| !named) else { return true };
    let Ok(statement) = Document::read(&envelope.payload, &Limits::default()) else { return false };
    let registered = statement.root().at("/predicate/registered_at").and_then(window::seconds);
    let issued = manifest.and_then(|manifest| manifest.get("issued_at")).and_then(window::seconds);
    registered.is_some_and(|at| {
        windows.hold(at) && issued.is_none_or(|issued| issued <= at || windows.hold(issued))
    })
}

/// Whether a key id is that of the key: its hexadecimal text, or that of its SHA-256.
fn names(keyid: &str, key: &PublicKey) -> bool {
    keyid == key.to_hex() || keyid == sha256(&key.0).to_hex()
}

/// The payload is a statement about this manifest.
fn check_payload(layer: &mut Layer, envelope: &Envelope, manifest: Value<'_>, at: &str) {
    if envelope.payload_type != PAYLOAD_TYPE {
        let place = format!("{at}/payloadType");
        return layer.refute(Problem::new(
            Code::DssePayloadType,
            place,
            PAYLOAD_TYPE,
            &envelope.payload_type,
        ));
    }
    let place = format!("{at}/payload");
    match Document::read(&envelope.payload, &Limits::default()) {
        Err(error) => {
            let found = format!("{} at byte {} of the payload {}", error.found, error.offset, error.pointer);
            layer.refute(Problem::new(error.code, place, "one strict JSON text", found));
        }
        Ok(statement) => Comparison { layer, place, statement: statement.root(), manifest }.all(),
    }
}

/// Compares a statement with the manifest; every difference is a problem of its own.
struct Comparison<'c, 'd> {
    layer: &'c mut Layer,
    place: String,
    statement: Value<'d>,
    manifest: Value<'d>,
}

impl<'d> Comparison<'_, 'd> {
    fn all(mut self) {
        self.types();
        self.subjects();
        self.recipient_key();
        self.watermarks();
        let recipient = self.manifest.at("/recipient/recipient_id");
        let suite = self.manifest.get("suite");
        self.same_text("file_id", self.manifest.get("file_id"), Code::AttestationFileDiffers);
        self.same_text("recipient_id", recipient, Code::AttestationRecipientDiffers);
        let spelled =
            |value: Value<'_>| value.as_str().map_or_else(|| value.raw().to_owned(), Cow::into_owned);
        let suite = suite.map_or_else(|| "OSGT-CLASSIC-v1".to_owned(), spelled);
        self.compare("suite", Code::AttestationSuiteDiffers, &suite, |found| {
            found.as_str().is_some_and(|found| found == suite)
        });
        let key = manifest::issuer_key(self.manifest);
        let expected = key.map_or_else(|| "a key".to_owned(), PublicKey::to_hex);
        self.compare("issuer_pubkey_ed25519", Code::AttestationIssuerDiffers, &expected, |found| {
            found.as_str().is_some_and(|text| text.eq_ignore_ascii_case(&expected))
        });
        self.compare("registered_at", Code::AttestationPredicate, "a time", |found| {
            found.as_u64().is_some()
                || found.as_str().is_some_and(|text| text.parse::<jiff::Timestamp>().is_ok())
        });
    }

    fn refute(&mut self, code: Code, pointer: &str, expected: &str, found: Option<Value<'_>>) {
        let found = format!("{} at {pointer} of the payload", describe(found));
        self.layer.refute(Problem::new(code, self.place.clone(), expected, found));
    }

    fn types(&mut self) {
        let found = self.statement.get("_type");
        if found.and_then(Value::as_str).as_deref() != Some(STATEMENT_TYPE) {
            self.refute(Code::AttestationStatement, "/_type", STATEMENT_TYPE, found);
        }
        let kind = self.statement.get("predicateType");
        if kind.and_then(Value::as_str).is_none_or(|kind| kind.is_empty()) {
            self.refute(Code::AttestationStatement, "/predicateType", "the type of the predicate", kind);
        }
    }

    /// RE-4: each subject is a mark of the manifest, and its digest that of the content.
    fn subjects(&mut self) {
        let list = self.statement.get("subject").filter(|list| list.items().next().is_some());
        let Some(list) = list else {
            let found = self.statement.get("subject");
            return self.refute(Code::AttestationStatement, "/subject", "at least one subject", found);
        };
        // Many subjects are looked up among many marks.
        let marks: BTreeSet<String> =
            marks(self.manifest).into_iter().map(|(mark, _)| format!("mark:{mark}")).collect();
        let content = self.manifest.get("content_hash").and_then(Value::as_str).unwrap_or_default();
        for (position, subject) in list.items().enumerate() {
            let name = subject.get("name");
            if !name.and_then(Value::as_str).is_some_and(|name| marks.contains(&*name)) {
                let expected = format!("one of the {} marks of the manifest, as mark:ID", marks.len());
                let pointer = format!("/subject/{position}/name");
                self.refute(Code::AttestationSubjectDiffers, &pointer, &expected, name);
            }
            let digest = subject.at("/digest/sha256");
            if digest.and_then(Value::as_str).is_none_or(|digest| digest != content) {
                let pointer = format!("/subject/{position}/digest/sha256");
                self.refute(Code::AttestationDigestDiffers, &pointer, &content, digest);
            }
        }
    }

    fn same_text(&mut self, name: &str, signed: Option<Value<'_>>, code: Code) {
        let signed = signed.and_then(Value::as_str).unwrap_or_default().into_owned();
        self.compare(name, code, &signed, |found| found.as_str().is_some_and(|found| found == signed));
    }

    /// The member of the predicate is there, and as expected.
    fn compare(&mut self, name: &str, code: Code, expected: &str, fits: impl Fn(Value<'_>) -> bool) {
        let pointer = format!("/predicate/{name}");
        match self.statement.at(&pointer) {
            None => self.refute(Code::AttestationPredicate, &pointer, expected, None),
            Some(found) if !fits(found) => self.refute(code, &pointer, expected, Some(found)),
            Some(_) => {}
        }
    }

    /// The digest is over the bytes of the key; that over its hexadecimal text is taken too, and noted.
    fn recipient_key(&mut self) {
        let hardware = self.manifest.get("suite").and_then(Value::as_str);
        let hardware = hardware.is_some_and(|suite| suite == "OSGT-HW-P256-v1");
        let member = if hardware { "/recipient/p256_pub" } else { "/recipient/x25519_pub" };
        let text = self.manifest.at(member).and_then(Value::as_str).unwrap_or_default();
        let of_bytes = base16ct::mixed::decode_vec(&*text).ok().map(|bytes| sha256(&bytes).to_hex());
        let of_text = sha256(text.as_bytes()).to_hex();
        let expected = of_bytes.clone().unwrap_or_else(|| of_text.clone());
        let found = self.statement.at("/predicate/recipient_pubkey_sha256").and_then(Value::as_str);
        if found.as_deref() == Some(&of_text) && of_bytes.as_ref() != Some(&of_text) {
            let note = "recipient_pubkey_sha256 is over the hexadecimal text of the key";
            self.layer.note(Code::NoteKeyDigest, self.place.clone(), note);
        }
        self.compare("recipient_pubkey_sha256", Code::AttestationRecipientKeyDiffers, &expected, |found| {
            found.as_str().is_some_and(|found| Some(&*found) == of_bytes.as_deref() || found == of_text)
        });
    }

    /// The marks are those of the manifest, as multisets: objects with `mark_id` and `layer`, or the ids alone.
    fn watermarks(&mut self) {
        let signed = marks(self.manifest);
        let expected = format!("the {} marks of the manifest", signed.len());
        self.compare("watermarks", Code::AttestationWatermarksDiffer, &expected, |found| {
            let ids = found.items().all(|item| item.kind() == Kind::String);
            let mut given = if ids { ids_of(found) } else { pairs_of(found) };
            let layer = |layer: &Cow<'d, str>| if ids { Cow::Borrowed("") } else { layer.clone() };
            let mut expected: Vec<Mark<'_>> =
                signed.iter().map(|(mark, of)| (mark.clone(), layer(of))).collect();
            expected.sort();
            given.sort();
            found.kind() == Kind::Array && given == expected
        });
    }
}

type Mark<'d> = (Cow<'d, str>, Cow<'d, str>);

/// Marks of the manifest: id and layer.
fn marks(manifest: Value<'_>) -> Vec<Mark<'_>> {
    manifest.get("watermarks").map(pairs_of).unwrap_or_default()
}

fn pairs_of<'d>(list: Value<'d>) -> Vec<Mark<'d>> {
    let text = |item: Value<'d>, name: &str| item.get(name).and_then(Value::as_str).unwrap_or_default();
    list.items().map(|item| (text(item, "mark_id"), text(item, "layer"))).collect()
}

fn ids_of(list: Value<'_>) -> Vec<Mark<'_>> {
    list.items().filter_map(|item| Some((item.as_str()?, Cow::Borrowed("")))).collect()
}
