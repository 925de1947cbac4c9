//! What lies behind the layers of a document: the bytes that were recomputed, where they first differ from what they were
//! compared with, and the keys. For whoever wants to see for himself; the verdict does not need it, so it is computed only
//! when it is asked for, and anew.

mod attached;
mod place;
mod proofs;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::canon::{Form, Nulls, Scheme};
use crate::code::Code;
use crate::ed25519::VerifiedKey;
use crate::hash::{Hash, PublicKey, Signature, sha256};
use crate::json::{Document, Kind, Value};
use crate::limits::Limits;
use crate::merkle::TreeHead;
use crate::oversight::event::Row;
use crate::oversight::proof::InclusionProof;
use crate::oversight::signed::{Tried, all, texts};
use crate::oversight::{BundleVerifier, DocumentKind, Reading, Trust, bundle, head, manifest};

/// How many recomputed texts of one layer are kept.
const MOST_BYTES: usize = 16;

/// How many bytes are shown on either side of the first difference.
const AROUND: usize = 16;

/// What lies behind the layers of one document.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Explanation {
    /// Length of the document in bytes; `None` for a log, which is never held as a whole.
    pub length: Option<usize>,
    /// SHA-256 of the document as it was given; `None` for a log.
    pub hash: Option<Hash>,
    /// Details of the layers that rest on recomputed bytes or on keys.
    pub layers: Vec<Detail>,
}

/// What lies behind one layer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Detail {
    /// Name of the layer.
    pub layer: &'static str,
    /// What was recomputed; at most sixteen texts.
    pub bytes: Vec<Recomputed>,
    /// How many more texts there are.
    pub more: usize,
    /// The keys.
    pub keys: Vec<KeyUse>,
}

/// Bytes that were recomputed from the document.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recomputed {
    /// What they are, in words.
    pub what: String,
    /// JSON Pointer of what they were rebuilt from.
    pub at: String,
    /// Length of the bytes.
    pub length: usize,
    /// The bytes that a signature is over, or that are hashed; none where a signature was tried on them and another
    /// text of the layer stands before them.
    pub bytes: Arc<[u8]>,
    /// Their SHA-256.
    pub hash: Hash,
    /// The schemes that write them.
    pub schemes: Vec<Scheme>,
    /// The readings that lead to them (names of `Reading`).
    pub readings: Vec<&'static str>,
    /// Whether they are what the document's signature or hash is over; `None` if nothing was there to compare with.
    pub fits: Option<bool>,
    /// The signature that they were tried with.
    pub signature: Option<Signature>,
    /// The key that they were tried with.
    pub key: Option<PublicKey>,
    /// Where they first differ from what they were compared with.
    pub difference: Option<Difference>,
}

/// The first byte in which two texts differ, with its surroundings.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Difference {
    /// What the recomputed bytes were compared with, in words.
    pub with: String,
    /// Offset of the first byte that differs, in bytes.
    pub offset: usize,
    /// JSON Pointer of the value that this byte is of, in the recomputed text; empty for the whole, or if it is no JSON.
    pub at: String,
    /// Offset of the first byte that is shown.
    pub from: usize,
    /// The recomputed bytes there.
    pub recomputed: Vec<u8>,
    /// The others.
    pub other: Vec<u8>,
}

/// A key that a layer rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyUse {
    /// The key.
    pub key: PublicKey,
    /// JSON Pointer of its place in the document; empty if it is not there.
    pub at: String,
    /// Whether the caller trusts it; if not, it is known from the evidence itself.
    pub pinned: bool,
}

/// What lies behind the layers of a document of this kind.
///
/// In: the JSON text and the trust anchors that it was verified with. Out: nothing but length and hash for a text that
/// cannot be read.
///
/// ```
/// use assayer_verifier::{Limits, oversight::{DocumentKind, Trust, explain}};
///
/// let head = br#"{"size":1,"root":"00","signature":"","signed_message":""}"#;
/// let explanation = explain(DocumentKind::Head, head, &Trust::default(), &Limits::default());
/// assert_eq!(explanation.length, Some(head.len()));
/// ```
#[must_use]
pub fn explain(kind: DocumentKind, input: &[u8], trust: &Trust<'_>, limits: &Limits) -> Explanation {
    let mut explanation = Explanation::of(input);
    if let Ok(document) = Document::read(input, limits) {
        let root = document.root();
        let layers = &mut explanation.layers;
        match kind {
            DocumentKind::Bundle => {
                return BundleVerifier::new(trust, limits).explain_read(&document, input).1;
            }
            DocumentKind::Head => head_details(root, trust, layers),
            DocumentKind::Proof => {
                layers.extend(root_detail("inclusion", [(root, String::new())]));
                let proof = InclusionProof::read(root, "").ok();
                layers.extend(proofs::quorum(proof.map(|proof| proof.head), trust));
            }
            DocumentKind::Consistency => {
                // The file names no key: the caller's is tried.
                let key = |place: &str| fitting_key(root.get(place), trust);
                proof_heads(root, [key("old"), key("new")], "", trust, layers);
                layers.extend(proofs::consistency(&document, trust));
            }
            DocumentKind::Equivocation => {
                let key = text_key(root.get("registry_key"));
                let keys = key_use(key, "/registry_key", trust.registry_keys);
                layers.push(Detail { layer: "registry-key", bytes: Vec::new(), more: 0, keys });
                proof_heads(root, [key, key], "/registry_key", trust, layers);
                layers.extend(proofs::contradiction(&document));
            }
            // A log is read in parts: see `LogVerifier::explain`.
            DocumentKind::Log => {}
        }
    }
    explanation
}

/// The same for a bundle that was verified just now: `kept` is what that wrote.
pub(crate) fn of_bundle(
    bundle: Value<'_>,
    input: &[u8],
    kept: bundle::Kept,
    trust: &Trust<'_>,
) -> Explanation {
    let mut explanation = Explanation::of(input);
    bundle_details(bundle, kept, trust, &mut explanation.layers);
    explanation
}

fn bundle_details(bundle: Value<'_>, kept: bundle::Kept, trust: &Trust<'_>, layers: &mut Vec<Detail>) {
    let mut signed_manifest = None;
    if let Some(manifest) = bundle.get("manifest").filter(|manifest| manifest.kind() == Kind::Object) {
        let key = manifest::issuer_key(manifest);
        let at = "/manifest/issuer_ed25519_pub";
        let keys = key_use(key, at, trust.issuer_keys);
        let signature = manifest::issuer_signature(manifest);
        let write = || all(manifest::candidates(manifest), verifying(key, signature));
        let tried = kept.manifest.unwrap_or_else(write);
        signed_manifest =
            tried.iter().find(|tried| tried.outcome == Some(Ok(()))).map(|tried| tried.bytes.clone());
        let what = "the manifest, with both signatures blank";
        let name = |(reading, scheme): (Reading, Scheme)| (Some(reading.as_str()), scheme);
        let bytes = signed(what, "/manifest", tried, name, (key, signature));
        layers.push(Detail { layer: "issuer-signature", bytes, more: 0, keys: keys.clone() });
        layers.push(Detail { layer: "issuer-key", bytes: Vec::new(), more: 0, keys });
    }
    let key = text_key(bundle.get("registry_pub"));
    let keys = key_use(key, "/registry_pub", trust.registry_keys);
    let text = bundle.get("bundle_signature_ed25519").and_then(Value::as_str);
    let signature = text.as_deref().and_then(Signature::from_hex);
    let write = || tried_as_bundle(bundle::signed_form(bundle), key, signature);
    let tried = kept.bundle.unwrap_or_else(write);
    let bytes = signed("the bundle, without its signature", "", tried, of_no_reading, (key, signature));
    layers.push(Detail { layer: "registry-signature", bytes, more: 0, keys: keys.clone() });
    layers.push(Detail { layer: "registry-key", bytes: Vec::new(), more: 0, keys: keys.clone() });
    if let Some(head) = bundle.get("tlog_head").filter(|head| head.kind() == Kind::Object) {
        let bytes = head_bytes(head, "/tlog_head", key).into_iter().collect();
        layers.push(Detail { layer: "tree-head", bytes, more: 0, keys });
    }
    let items = || bundle.get("tlog_proofs").into_iter().flat_map(Value::items).enumerate();
    let proofs = items().filter_map(|(position, item)| {
        let name = ["proof", "inclusion"].into_iter().find(|name| item.get(name).is_some())?;
        Some((item.get(name)?, format!("/tlog_proofs/{position}/{name}")))
    });
    layers.extend(root_detail("inclusion", proofs));
    layers.push(leaf_details(bundle, trust));
    layers.extend(attached::receipts(bundle, key, trust));
    let head = bundle.get("tlog_head").and_then(|head| head::read(head, "").ok());
    layers.extend(proofs::quorum(head, trust));
    layers.extend(attached::time_stamps(bundle, head.as_ref(), signed_manifest.as_deref(), trust));
    layers.extend(attached::attestation(bundle, trust));
    layers.extend(attached::attestation_log(bundle, trust));
}

/// The two heads of a proof.
fn proof_heads(
    proof: Value<'_>,
    keys: [Option<PublicKey>; 2],
    key_at: &str,
    trust: &Trust<'_>,
    layers: &mut Vec<Detail>,
) {
    let heads = [("old", "old-head"), ("new", "new-head")];
    for ((member, layer), key) in heads.into_iter().zip(keys) {
        let head = proof.get(member).filter(|head| head.kind() == Kind::Object);
        let bytes = head.and_then(|head| head_bytes(head, &format!("/{member}"), key));
        let keys = key_use(key, key_at, trust.registry_keys);
        layers.push(Detail { layer, bytes: bytes.into_iter().collect(), more: 0, keys });
    }
}

/// The first of the caller's keys that signed the head; the first of all if none did.
fn fitting_key(head: Option<Value<'_>>, trust: &Trust<'_>) -> Option<PublicKey> {
    let head = head.filter(|head| head.kind() == Kind::Object)?;
    let fits =
        |key: &&PublicKey| head_bytes(head, "", Some(**key)).is_some_and(|bytes| bytes.fits == Some(true));
    trust.registry_keys.iter().find(fits).or_else(|| trust.registry_keys.first()).copied()
}

fn text_key(value: Option<Value<'_>>) -> Option<PublicKey> {
    value.and_then(Value::as_str).as_deref().and_then(PublicKey::from_hex)
}

fn head_details(head: Value<'_>, trust: &Trust<'_>, layers: &mut Vec<Detail>) {
    let key = fitting_key(Some(head), trust);
    let keys = key_use(key, "", trust.registry_keys);
    let bytes = head_bytes(head, "", key).into_iter().collect();
    layers.push(Detail { layer: "tree-head", bytes, more: 0, keys: keys.clone() });
    layers.push(Detail { layer: "registry-key", bytes: Vec::new(), more: 0, keys });
    layers.extend(proofs::quorum(head::read(head, "").ok(), trust));
}

fn key_use(key: Option<PublicKey>, at: &str, pinned: &[PublicKey]) -> Vec<KeyUse> {
    key.into_iter().map(|key| KeyUse { key, at: at.to_owned(), pinned: pinned.contains(&key) }).collect()
}

/// The text that the signature fits, and how the others differ from it; if it fits none, the first that was tried. Only the
/// first keeps its bytes, if there is a signature to try.
fn signed<N: Copy>(
    what: &str,
    at: &str,
    mut tried: Vec<Tried<N>>,
    name: impl Fn(N) -> (Option<&'static str>, Scheme),
    pair: (Option<PublicKey>, Option<Signature>),
) -> Vec<Recomputed> {
    // A stable sort: what fits comes first.
    tried.sort_by_key(|tried| tried.outcome != Some(Ok(())));
    let mut found: Vec<Recomputed> = Vec::new();
    let mut with = String::new();
    let was_tried = pair.0.is_some() && pair.1.is_some();
    for Tried { bytes, hash, names, outcome } in tried {
        let (mut schemes, mut readings) = (Vec::new(), Vec::new());
        for (reading, scheme) in names.into_iter().map(&name) {
            merge(&mut schemes, scheme);
            reading.into_iter().for_each(|reading| merge(&mut readings, reading));
        }
        let (length, fits) = (bytes.len(), outcome.map(|outcome| outcome.is_ok()));
        let (difference, bytes) = match found.first() {
            Some(first) => (
                difference(&bytes, &first.bytes, &with, 0),
                if was_tried { Arc::default() } else { bytes.into() },
            ),
            None => {
                with = described(&schemes, &readings);
                (None, bytes.into())
            }
        };
        let (what, at, (key, signature)) = (what.to_owned(), at.to_owned(), pair);
        found.push(Recomputed {
            what,
            at,
            length,
            bytes,
            hash,
            schemes,
            readings,
            fits,
            signature,
            key,
            difference,
        });
    }
    found
}

fn merge<T: PartialEq>(into: &mut Vec<T>, item: T) {
    if !into.contains(&item) {
        into.push(item);
    }
}

fn described(schemes: &[Scheme], readings: &[&str]) -> String {
    let names: Vec<&str> = schemes.iter().map(|scheme| scheme.as_str()).collect();
    let read = if readings.is_empty() { String::new() } else { format!(", read as {}", readings.join(", ")) };
    format!("what {} writes{read}", names.join(", "))
}

/// How a text is verified under a key and a signature, where both are there.
fn verifying(
    key: Option<PublicKey>,
    signature: Option<Signature>,
) -> impl Fn(&[u8]) -> Option<Result<(), Code>> {
    let pair = key.and_then(|key| VerifiedKey::new(&key).ok()).zip(signature);
    move |bytes| pair.as_ref().map(|(key, signature)| key.verify(bytes, signature))
}

fn head_bytes(head: Value<'_>, at: &str, key: Option<PublicKey>) -> Option<Recomputed> {
    let message = head::message(&head::read(head, at).ok()?).into_bytes();
    let signature = head.get("signature").and_then(Value::as_str).as_deref().and_then(Signature::from_hex);
    let fits = key.zip(signature);
    let fits = fits.map(|(key, signature)| crate::ed25519::verify(&key, &message, &signature).is_ok());
    let stated = head.get("signed_message").and_then(Value::as_str);
    let difference = stated
        .and_then(|stated| difference(&message, stated.as_bytes(), "signed_message in the document", 0));
    let recomputed = Recomputed::new("the signed text of size and root".to_owned(), at.to_owned(), message);
    Some(Recomputed { fits, signature, key, difference, ..recomputed })
}

/// The roots that proofs lead to, compared with those that they name.
fn root_detail<'d>(
    layer: &'static str,
    proofs: impl IntoIterator<Item = (Value<'d>, String)>,
) -> Option<Detail> {
    let mut detail = Detail::new(layer);
    for (value, at) in proofs {
        let Ok(proof) = InclusionProof::read(value, &at) else { continue };
        let Some(root) = proof.root() else { continue };
        let what = format!("the root that the path from leaf {} leads to", proof.index);
        let (place, with) = (format!("{at}/root"), "the root in the document");
        detail.push(Recomputed::root(what, &place, root, proof.head.root, with));
    }
    detail.shown()
}

/// The leaf that each event row rebuilds to, compared with the proven hash, and with the log where that is given.
fn leaf_details(bundle: Value<'_>, trust: &Trust<'_>) -> Detail {
    let mut detail = Detail::new("event-binding");
    let mut proofs = BTreeMap::new();
    for item in bundle.get("tlog_proofs").into_iter().flat_map(Value::items) {
        if let Some(row) = item.get("event_row").and_then(Value::as_u64) {
            proofs.entry(row).or_insert_with(|| item.get("proof").or_else(|| item.get("inclusion")));
        }
    }
    let rows = bundle.get("events").into_iter().flat_map(Value::items).enumerate();
    for (position, row) in rows.filter(|(_, row)| row.kind() == Kind::Object) {
        if detail.is_full() {
            detail.more += 1;
            continue;
        }
        let proof = proofs.get(&(position as u64)).copied().flatten();
        detail.bytes.extend(leaf_detail(row, format!("/events/{position}"), proof, trust));
    }
    detail
}

fn leaf_detail(
    row: Value<'_>,
    at: String,
    proof: Option<Value<'_>>,
    trust: &Trust<'_>,
) -> Option<Recomputed> {
    let hash = proof.and_then(|proof| proof.get("leaf_hash")).and_then(Value::as_str);
    let proven = hash.as_deref().and_then(Hash::from_hex);
    let in_log = row.get("tlog_index").and_then(Value::as_u64).and_then(|index| trust.log?.leaf(index));
    let (schemes, leaf) = Row::of(row).leaf(proven.as_ref())?;
    let bytes = [&[0], leaf.as_slice()].concat();
    let other = in_log.map(|leaf| [&[0], leaf.bytes.as_slice()].concat());
    let difference = other.and_then(|other| difference(&bytes, &other, "the leaf in the log", 1));
    let what = "the leaf of the event, behind the byte 00 (RFC 9162 section 2.1.1)".to_owned();
    let recomputed = Recomputed::new(what, at, bytes);
    let fits = proven.map(|proven| proven == recomputed.hash);
    Some(Recomputed { schemes, fits, difference, ..recomputed })
}

/// The texts of an object that registries sign as they do bundles.
fn tried_as_bundle(
    form: Form<'_>,
    key: Option<PublicKey>,
    signature: Option<Signature>,
) -> Vec<Tried<Scheme>> {
    let candidates = texts(form, Nulls::Keep, &bundle::BUNDLE_SCHEMES);
    all(candidates.map(|(schemes, text)| (schemes.iter().copied(), text)), verifying(key, signature))
}

fn of_no_reading(scheme: Scheme) -> (Option<&'static str>, Scheme) {
    (None, scheme)
}

impl Explanation {
    fn of(input: &[u8]) -> Self {
        Self { length: Some(input.len()), hash: Some(sha256(input)), layers: Vec::new() }
    }
}

impl Detail {
    pub(crate) fn new(layer: &'static str) -> Self {
        Self { layer, bytes: Vec::new(), more: 0, keys: Vec::new() }
    }

    /// Nothing, where there is nothing to show.
    fn shown(self) -> Option<Self> {
        (!self.bytes.is_empty()).then_some(self)
    }

    fn is_full(&self) -> bool {
        self.bytes.len() >= MOST_BYTES
    }

    pub(crate) fn push(&mut self, recomputed: Recomputed) {
        if self.is_full() {
            self.more += 1;
        } else {
            self.bytes.push(recomputed);
        }
    }
}

impl Recomputed {
    /// A root that was recomputed, beside the one that it must be.
    pub(crate) fn root(what: String, at: &str, found: Hash, expected: Hash, with: &str) -> Self {
        let (found, expected) = (found.to_hex().into_bytes(), expected.to_hex());
        let difference = difference(&found, expected.as_bytes(), with, 0);
        let fits = Some(difference.is_none());
        let what = format!("{what}, in hexadecimal");
        Self { fits, difference, ..Self::new(what, at.to_owned(), found) }
    }

    /// The text that a registry would sign for the log as it was read.
    pub(crate) fn whole_log(head: TreeHead) -> Self {
        let what = format!("the text that is signed for all {} leaves", head.size);
        Self::new(what, String::new(), head::message(&head).into_bytes())
    }

    fn new(what: String, at: String, bytes: Vec<u8>) -> Self {
        Self {
            what,
            at,
            length: bytes.len(),
            hash: sha256(&bytes),
            bytes: bytes.into(),
            schemes: Vec::new(),
            readings: Vec::new(),
            fits: None,
            signature: None,
            key: None,
            difference: None,
        }
    }
}

/// The first difference; `text` is where the JSON text starts in the recomputed bytes.
fn difference(recomputed: &[u8], other: &[u8], with: &str, text: usize) -> Option<Difference> {
    let same = recomputed.iter().zip(other).take_while(|(one, other)| one == other).count();
    if same == recomputed.len() && same == other.len() {
        return None;
    }
    let from = same.saturating_sub(AROUND);
    let window = |bytes: &[u8]| bytes.iter().skip(from).take(2 * AROUND).copied().collect();
    Some(Difference {
        with: with.to_owned(),
        offset: same,
        at: recomputed.get(text..).map(|json| place::at(json, same.saturating_sub(text))).unwrap_or_default(),
        from,
        recomputed: window(recomputed),
        other: window(other),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_difference_is_named_by_the_path_of_its_value() {
        let one = br#"{"a":[1,{"b c":"x"}],"d":true}"#;
        let found = |other: &str| difference(one, other.as_bytes(), "it", 0);
        assert_eq!(found(std::str::from_utf8(one).unwrap()), None);
        let places = [
            (r#"{"a":[1,{"b c":"y"}],"d":true}"#, 16, "/a/1/b c"),
            (r#"{"a":[2,{"b c":"x"}],"d":true}"#, 6, "/a/0"),
            (r#"{"a":[1,{"b c":"x"}],"d":null}"#, 25, "/d"),
            (r#"{"a":[1,{"b c":"x"}],"e":true}"#, 22, "/d"),
            (r#"{"a":[1,{"b c":"x"}],"d":true}}"#, 30, ""),
        ];
        for (other, offset, at) in places {
            let difference = found(other).unwrap();
            assert_eq!((difference.offset, difference.at.as_str()), (offset, at), "{other}");
        }
    }

    #[test]
    fn only_the_surroundings_of_a_difference_are_kept() {
        let (one, other) = (vec![b'a'; 1_000], [vec![b'a'; 500], vec![b'b'; 9]].concat());
        let difference = difference(&one, &other, "it", 0).unwrap();
        assert_eq!((difference.offset, difference.from), (500, 500 - AROUND));
        assert_eq!((difference.recomputed.len(), difference.other.len()), (2 * AROUND, AROUND + 9));
    }
}
