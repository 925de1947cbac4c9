//! Evidence bundles, layer by layer. Every layer is judged on its own, so that one forged part does not hide another.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::canon::{Form, Nulls, Scheme};
use crate::code::Code;
use crate::ed25519::{Memory, VerifiedKey};
use crate::hash::{Hash, PublicKey, Signature, sha256};
use crate::json::{Document, Kind, Value};
use crate::limits::Limits;
use crate::merkle::TreeHead;
use crate::oversight::event::{self, IDENTITY, Identity, Row, whole_seconds};
use crate::oversight::proof::{InclusionProof, integer};
use crate::oversight::signed::{self, Tried, fitting, texts};
use crate::oversight::window::Windows;
use crate::oversight::{
    DocumentKind, Explanation, Freshness, Leaf, Log, ShownManifest, Statement, Trust, attestation,
    attestation_log, describe, explain, head, log, manifest, post_quantum, quorum, reading_layers,
    reading_pair, receipt, suite, time, window,
};
use crate::prover::InclusionPath;
use crate::verdict::{Layer, Problem, State, Trace};

/// How many of the layers, from the first on, must be established for a bundle to be `authentic`.
const REQUIRED: usize = 17;

/// Every layer of a bundle, in order.
pub const BUNDLE_LAYERS: [&str; 26] = [
    "limits",
    "json",
    "shape",
    "file-id",
    "issuer-signature",
    "manifest-members",
    "issuer-key",
    "suite",
    "post-quantum",
    "beacon-rows",
    "watermark-rows",
    "registry-signature",
    "registry-key",
    "tree-head",
    "inclusion",
    "event-binding",
    "event-order",
    "registration",
    "completeness",
    "log-root",
    "append-only",
    "quorum",
    "freshness",
    "time",
    "attestation",
    "attestation-log",
];

/// Verifies an evidence bundle as answered by `/evidence/{file_id}`.
///
/// In: the JSON text (UTF-8, at most `limits.bytes`), the trust anchors. Out: the layers of [`BUNDLE_LAYERS`] (only
/// `limits` and `json` when the text cannot be read) with the verdict that follows from them.
#[must_use]
pub fn verify_bundle(input: &[u8], trust: &Trust<'_>, limits: &Limits) -> Trace {
    BundleVerifier::new(trust, limits).verify(input)
}

/// Verifies many bundles, each exactly as [`verify_bundle`] does.
///
/// It remembers keys and heads, so that what bundles have in common is verified once; what it remembers is bounded, and
/// only makes the same answers come faster. Signatures of bundles that are handed in together are verified together. For
/// several threads, make one for each.
///
/// ```
/// use assayer_verifier::{Limits, Verdict, oversight::{BundleVerifier, Trust}};
///
/// let (trust, limits) = (Trust::default(), Limits::default());
/// let mut verifier = BundleVerifier::new(&trust, &limits);
/// let bundles = [r#"{"manifest": 1}"#, r#"{"manifest": 2}"#];
/// // A million bundles in the memory of a thousand.
/// for window in bundles.chunks(1_000) {
///     for trace in verifier.verify_together(window) {
///         assert_eq!(trace.verdict(), Verdict::Refuted);
///     }
/// }
/// assert_eq!(verifier.verify(bundles[0].as_bytes()).verdict(), Verdict::Refuted);
/// ```
#[derive(Clone, Debug)]
pub struct BundleVerifier<'t> {
    trust: &'t Trust<'t>,
    limits: &'t Limits,
    memory: Memory,
}

/// How many bundles share a batch of signatures at most.
const MOST_TOGETHER: usize = 2_048;
/// A longer document is verified by itself: next to reading it, its signatures cost nothing, and verifying it twice would.
const LONGEST_TOGETHER: usize = 256 << 10;

impl<'t> BundleVerifier<'t> {
    /// One that remembers nothing yet.
    #[must_use]
    pub fn new(trust: &'t Trust<'t>, limits: &'t Limits) -> Self {
        Self { trust, limits, memory: Memory::default() }
    }

    /// As [`verify_bundle`].
    #[must_use]
    pub fn verify(&mut self, input: &[u8]) -> Trace {
        match Document::read(input, self.limits) {
            Ok(document) => self.verify_read(&document),
            Err(error) => Trace::new(reading_layers(Err(&error), self.limits), required(self.trust)),
        }
    }

    fn verify_read(&mut self, document: &Document<'_>) -> Trace {
        self.verify_keeping(document, None)
    }

    fn verify_keeping(&mut self, document: &Document<'_>, kept: Option<&mut Kept>) -> Trace {
        let mut layers = Vec::with_capacity(BUNDLE_LAYERS.len());
        layers.extend(reading_pair(Ok(()), self.limits));
        let statement = verify_document(document, self.trust, &mut self.memory, kept, &mut layers);
        Trace { statement, ..Trace::new(layers, required(self.trust)) }
    }

    fn verify_if_bundle(&mut self, input: &[u8]) -> Result<Trace, Option<DocumentKind>> {
        let Ok(document) = Document::read(input, self.limits) else { return Err(None) };
        match DocumentKind::of(document.root()) {
            Some(DocumentKind::Bundle) => Ok(self.verify_read(&document)),
            kind => Err(kind),
        }
    }

    /// As [`verify_bundle`], with what lies behind the layers, as [`explain`](super::explain()) gives it: what is written for the
    /// one is not written again for the other. The error is for what is no bundle: its kind, `None` for a text that cannot be
    /// read or is of no known kind.
    ///
    /// # Errors
    /// The kind of what is no bundle.
    pub fn explain(&mut self, input: &[u8]) -> Result<(Trace, Explanation), Option<DocumentKind>> {
        let document = Document::read(input, self.limits).map_err(|_| None)?;
        match DocumentKind::of(document.root()) {
            Some(DocumentKind::Bundle) => Ok(self.explain_read(&document, input)),
            kind => Err(kind),
        }
    }

    pub(crate) fn explain_read(&mut self, document: &Document<'_>, input: &[u8]) -> (Trace, Explanation) {
        let mut kept = Kept::default();
        let trace = self.verify_keeping(document, Some(&mut kept));
        (trace, explain::of_bundle(document.root(), input, kept, self.trust))
    }

    /// Verifies several bundles, their signatures in one batch.
    ///
    /// In: as many bundles as the caller wants to hold in memory with their traces; from about 100 on a batch is worth its
    /// while, beyond 1,000 little is gained. Out: the trace of each, in order; each as [`verify_bundle`] gives it, with a
    /// probability that it is not of at most 2^-128 (`docs/decisions/many-signatures.md`).
    #[must_use]
    pub fn verify_together<B: AsRef<[u8]>>(&mut self, inputs: &[B]) -> Vec<Trace> {
        self.in_windows(inputs, Self::verify)
    }

    /// The same for documents that need not be bundles: each is read once, be it a bundle or not.
    ///
    /// Out: for each, in order, the trace as [`verify_bundle`] gives it; or the kind of what is no bundle, `None` for a text that
    /// cannot be read or is of no known kind.
    ///
    /// ```
    /// use assayer_verifier::{Limits, Verdict, oversight::{BundleVerifier, DocumentKind, Trust}};
    ///
    /// let (trust, limits) = (Trust::default(), Limits::default());
    /// let mut verifier = BundleVerifier::new(&trust, &limits);
    /// let found = verifier.verify_bundles_among(&[
    ///     r#"{"manifest": 1, "events": [], "registry_pub": ""}"#,
    ///     r#"{"size": 1, "root": "", "signature": ""}"#,
    ///     "[",
    /// ]);
    /// assert_eq!(found[0].as_ref().map(|trace| trace.verdict()), Ok(Verdict::Refuted));
    /// assert_eq!(found[1], Err(Some(DocumentKind::Head)));
    /// assert_eq!(found[2], Err(None));
    /// ```
    #[must_use]
    pub fn verify_bundles_among<B: AsRef<[u8]>>(
        &mut self,
        inputs: &[B],
    ) -> Vec<Result<Trace, Option<DocumentKind>>> {
        self.in_windows(inputs, Self::verify_if_bundle)
    }

    fn in_windows<B: AsRef<[u8]>, T>(&mut self, inputs: &[B], verify: fn(&mut Self, &[u8]) -> T) -> Vec<T> {
        inputs.chunks(MOST_TOGETHER).flat_map(|inputs| self.in_window(inputs, verify)).collect()
    }

    /// Everything but the signatures first, as if these were good; then these; then again what rests on one that is not.
    fn in_window<B: AsRef<[u8]>, T>(&mut self, inputs: &[B], verify: fn(&mut Self, &[u8]) -> T) -> Vec<T> {
        self.memory.put_off();
        let mut found = Vec::with_capacity(inputs.len());
        for input in inputs.iter().map(AsRef::as_ref) {
            let first = (input.len() <= LONGEST_TOGETHER).then(|| verify(self, input));
            found.push((first, self.memory.rests()));
        }
        let settled = self.memory.settle();
        let found = inputs.iter().zip(found).map(|(input, first)| match first {
            (Some(first), rests) if settled.bears(&rests) => first,
            _ => verify(self, input.as_ref()),
        });
        found.collect()
    }
}

/// The layers that always must be established, and those that the caller asks for beyond.
fn required(trust: &Trust<'_>) -> Vec<&'static str> {
    let mut required: Vec<&'static str> = BUNDLE_LAYERS.into_iter().take(REQUIRED).collect();
    required.extend(trust.freshness.map(|_| "freshness"));
    required.extend((trust.quorum > 0).then_some("quorum"));
    required.extend(trust.required.iter().filter(|id| BUNDLE_LAYERS.contains(id)));
    required
}

/// What a verification wrote to try signatures on, for whoever explains it. `None` where no signature was tried.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    pub(crate) manifest: Option<manifest::Texts>,
    pub(crate) bundle: Option<Vec<Tried<Scheme>>>,
}

/// Layer by layer, in the order of [`BUNDLE_LAYERS`]; gives what the registry states for comparison with other documents.
fn verify_document(
    document: &Document<'_>,
    trust: &Trust<'_>,
    memory: &mut Memory,
    kept: Option<&mut Kept>,
    layers: &mut Vec<Layer>,
) -> Option<Box<Statement>> {
    let bundle = document.root();
    layers.push(shape_layer(bundle));
    if bundle.kind() != Kind::Object {
        let rest = BUNDLE_LAYERS.iter().skip_while(|id| **id != "shape").skip(1);
        layers.extend(rest.map(|id| unreached(id, "")));
        return None;
    }
    let manifest = bundle.get("manifest").filter(|manifest| manifest.kind() == Kind::Object);
    let events = objects(bundle, "events");

    layers.push(file_id_layer(bundle, manifest, trust.file_id));
    let (kept_of_manifest, kept_of_bundle) = kept.map(|kept| (&mut kept.manifest, &mut kept.bundle)).unzip();
    let signed = manifest_layers(bundle, manifest, trust, memory, kept_of_manifest, layers);
    layers.push(rows_layer(bundle, manifest, &BEACONS));
    layers.push(rows_layer(bundle, manifest, &WATERMARKS));
    let key = registry_key(bundle);
    layers.push(registry_signature_layer(bundle, key.as_ref(), memory, kept_of_bundle));
    let (head_layer, head) = head_layer(bundle, key.as_ref(), memory, events.as_deref());
    let log = log_of_head(head.as_ref(), trust.log);
    layers.push(registry_key_layer(bundle, key.as_ref(), trust, log.as_ref().ok()));
    layers.push(head_layer);
    let proven = event_layers(bundle, manifest, events.as_deref(), head.as_ref(), log.as_ref().ok(), layers);
    layers.push(registration(bundle, manifest, &log, head.as_ref(), memory));
    layers.push(completeness_layer(bundle, manifest, events.as_deref(), &log));
    layers.push(log::root_layer(head, trust.log, "/tlog_head"));
    layers.push(log::append_only_layer(head, trust));
    layers.push(quorum::layer(head, trust));
    layers.push(freshness_layer(bundle, trust.freshness));
    layers.push(time::layer(bundle, head.as_ref(), signed.as_deref(), trust));
    let (attestation_layer, envelope) = attestation::layer(bundle, manifest, trust, memory);
    layers.push(attestation_layer);
    layers.push(attestation_log::layer(bundle, envelope.as_ref(), trust, memory));
    let signed = signed.map(|bytes| sha256(&bytes));
    let statement = statement(bundle, key?, head, manifest.zip(signed), layers)?;
    Some(Box::new(of_the_log(statement, events.as_deref(), proven, layers)))
}

/// The layers that rest on the manifest alone; gives the bytes that the issuer signed.
fn manifest_layers(
    bundle: Value<'_>,
    manifest: Option<Value<'_>>,
    trust: &Trust<'_>,
    memory: &mut Memory,
    kept: Option<&mut Option<manifest::Texts>>,
    layers: &mut Vec<Layer>,
) -> Option<Vec<u8>> {
    let Some(manifest) = manifest else {
        let ids = ["issuer-signature", "manifest-members", "issuer-key", "suite", "post-quantum"];
        layers.extend(ids.map(|id| unreached(id, "/manifest")));
        return None;
    };
    let (signature_layer, signed) = manifest::signature_layer(manifest, memory, kept, "/manifest");
    layers.push(signature_layer);
    layers.push(manifest::members_layer(manifest, "/manifest"));
    layers.push(issuer_key_layer(bundle, manifest, trust));
    let (suite_layer, suite) = suite::layer(manifest, trust, "/manifest");
    layers.push(suite_layer);
    layers.push(post_quantum::layer(manifest, suite, trust, signed.as_deref(), "/manifest"));
    signed
}

/// Layer `registry-signature`, under the key that the bundle names.
fn registry_signature_layer(
    bundle: Value<'_>,
    key: Option<&PublicKey>,
    memory: &mut Memory,
    kept: Option<&mut Option<Vec<Tried<Scheme>>>>,
) -> Layer {
    let Some(key) = key else { return unreached("registry-signature", "/registry_pub") };
    signature_layer(bundle, key, memory, kept)
}

/// Inclusion, binding and order of the events; gives the proofs that hold.
fn event_layers(
    bundle: Value<'_>,
    manifest: Option<Value<'_>>,
    events: Option<&[Value<'_>]>,
    head: Option<&TreeHead>,
    log: Option<&Committed<'_>>,
    layers: &mut Vec<Layer>,
) -> Proven {
    let mut all = Proven::new();
    match (events, objects(bundle, "tlog_proofs")) {
        (Some(events), Some(proofs)) => {
            let (inclusion, proven) = inclusion_layer(&proofs, events, head);
            layers.push(inclusion);
            layers.push(binding_layer(manifest, events, &proven, log));
            all = proven;
        }
        _ => {
            layers.push(unreached("inclusion", "/tlog_proofs"));
            layers.push(unreached("event-binding", "/events"));
        }
    }
    layers.push(match events {
        Some(events) => {
            let mut layer = event::order_layer(events, bundle.get("bundle_generated_at"), "/events");
            window::note_contradictions(&mut layer, bundle, events);
            layer
        }
        None => unreached("event-order", "/events"),
    });
    all
}

/// How the layer called `id` ended.
fn state_of(layers: &[Layer], id: &str) -> Option<State> {
    layers.iter().find(|layer| layer.id == id).map(|layer| layer.state)
}

/// What other documents under this key can contradict: only what the layers establish.
fn statement(
    bundle: Value<'_>,
    key: PublicKey,
    head: Option<TreeHead>,
    manifest: Option<(Value<'_>, Hash)>,
    layers: &[Layer],
) -> Option<Statement> {
    let established = |id: &str| state_of(layers, id) == Some(State::Established);
    if state_of(layers, "registry-key") == Some(State::Refuted) {
        return None;
    }
    let mut statement = Statement::new(key, established("registry-key"));
    statement.head = head.filter(|_| established("tree-head"));
    if established("registry-signature") {
        statement.generated = bundle.get("bundle_generated_at").and_then(instant);
        let file_id = bundle.get("file_id").and_then(Value::as_str).filter(|_| established("file-id"));
        statement.manifest = manifest.zip(file_id).and_then(|((manifest, signed), file_id)| {
            Some(ShownManifest::new(sha256(file_id.as_bytes()), manifest::issuer_key(manifest)?, signed))
        });
    }
    Some(statement)
}

/// With what the bundle shows of the log: proofs against a head that is signed, and the events, if every one of them is proven.
fn of_the_log(
    mut statement: Statement,
    events: Option<&[Value<'_>]>,
    proven: Proven,
    layers: &[Layer],
) -> Statement {
    if statement.head.is_none() {
        return statement;
    }
    let all_proven = state_of(layers, "inclusion") == Some(State::Established);
    let bound = state_of(layers, "event-binding") != Some(State::Refuted);
    if all_proven && bound && statement.manifest.is_some() {
        let mut places: Vec<u64> = proven.values().map(|proof| proof.index).collect();
        places.sort_unstable();
        statement.events = events.map(|_| places);
    }
    statement.proofs = proven.into_values().collect();
    statement
}

fn instant(time: Value<'_>) -> Option<i64> {
    time.as_str().as_deref().and_then(whole_seconds)
}

/// Layer `tree-head`. A head may be `null` only where nothing was ever logged, which events contradict.
fn head_layer(
    bundle: Value<'_>,
    key: Option<&PublicKey>,
    memory: &mut Memory,
    events: Option<&[Value<'_>]>,
) -> (Layer, Option<TreeHead>) {
    let value = bundle.get("tlog_head");
    let (mut layer, head) = head::verify(value, key, memory, "/tlog_head");
    let logged = events.is_some_and(|events| !events.is_empty());
    if layer.code() == Code::HeadMissing && (value.is_none() || logged) {
        let expected = "a signed head; null only where there is no log";
        layer.refute(Problem::new(Code::HeadMissing, "/tlog_head", expected, describe(value)));
    }
    (layer, head)
}

/// A layer whose subject is not there; the layer `shape` says so as a refutation.
fn unreached(id: &'static str, at: &str) -> Layer {
    Layer::new(id, "needs a member that is absent").not_established(Problem::new(
        Code::NotReached,
        at,
        "a member to verify",
        "none",
    ))
}

fn registry_key(bundle: Value<'_>) -> Option<PublicKey> {
    bundle.get("registry_pub").and_then(Value::as_str).as_deref().and_then(PublicKey::from_hex)
}

/// Members of a bundle (EV-1, EV-2, EV-3) and whether each is of its type. The signature and the head have layers of
/// their own, which say when they are absent.
fn shape_layer(bundle: Value<'_>) -> Layer {
    let mut layer = Layer::new("shape", "EV-1, EV-2, EV-3: members of an evidence bundle");
    if bundle.kind() != Kind::Object {
        let found = describe(Some(bundle));
        return layer.refuted(Problem::new(Code::MemberType, "", "an object", found));
    }
    let text = |value: Value<'_>| value.kind() == Kind::String;
    let object = |value: Value<'_>| value.kind() == Kind::Object;
    let list = |value: Value<'_>| value.kind() == Kind::Array;
    let instant = |value: Value<'_>| value.as_str().as_deref().and_then(whole_seconds).is_some();
    let key = |value: Value<'_>| value.as_str().as_deref().and_then(PublicKey::from_hex).is_some();
    type Fits<'f> = &'f dyn Fn(Value<'_>) -> bool;
    let members: [(&str, &str, Fits<'_>); 8] = [
        ("file_id", "a text", &text),
        ("bundle_generated_at", "a time YYYY-MM-DDThh:mm:ssZ", &instant),
        ("registry_pub", "64 lower-case hexadecimal digits", &key),
        ("manifest", "an object", &object),
        ("beacons", "a list of objects", &list),
        ("watermarks", "a list of objects", &list),
        ("events", "a list of objects", &list),
        ("tlog_proofs", "a list of objects", &list),
    ];
    let found = bundle.pick(&members.map(|(name, ..)| name));
    for ((name, expected, fits), value) in members.into_iter().zip(found) {
        match value {
            None => {
                let problem =
                    Problem::new(Code::MemberMissing, format!("/{name}"), expected, "no such member");
                layer.refute(problem);
            }
            Some(value) if !fits(value) => {
                let found = describe(Some(value));
                layer.refute(Problem::new(Code::MemberType, format!("/{name}"), expected, found));
            }
            Some(value) => check_row_types(&mut layer, value, name),
        }
    }
    layer
}

/// Members of rows whose types no other layer looks at (fact sheet 3 and 4): an address or a time that is an object reads as
/// anything to whoever shows it.
fn check_row_types(layer: &mut Layer, list: Value<'_>, name: &str) {
    match name {
        "beacons" | "watermarks" => check_types(layer, list, name, REGISTERED),
        "events" => check_types(layer, list, name, EVENT),
        _ => check_types(layer, list, name, []),
    }
}

/// A member of a row, what it has to be, and the kinds that this is.
type Typed = (&'static str, &'static str, &'static [Kind]);

const REGISTERED: [Typed; 1] = [("registered_at", "a number", &[Kind::Number])];
const EVENT: [Typed; 5] = [
    ("id", "a number or a text", &[Kind::Number, Kind::String]),
    ("kind", "a text", &[Kind::String]),
    ("source_ip", "a text or null", &[Kind::Null, Kind::String]),
    ("token_id", "a text", &[Kind::String]),
    ("user_agent", "a text or null", &[Kind::Null, Kind::String]),
];

fn check_types<const N: usize>(layer: &mut Layer, list: Value<'_>, name: &str, types: [Typed; N]) {
    let names = types.map(|(member, ..)| member);
    for (position, row) in list.items().enumerate() {
        let at = format_args!("/{name}/{position}");
        if row.kind() != Kind::Object {
            let found = describe(Some(row));
            layer.refute_with(|| Problem::new(Code::MemberType, at.to_string(), "an object", found));
            continue;
        }
        for ((member, expected, kinds), value) in types.iter().zip(row.pick(&names)) {
            if let Some(value) = value.filter(|value| !kinds.contains(&value.kind())) {
                let place = || format!("{at}/{member}");
                layer.refute_with(|| {
                    Problem::new(Code::MemberType, place(), *expected, describe(Some(value)))
                });
            }
        }
    }
}

/// The items of a list of objects; `None` where the layer `shape` refutes the list.
fn objects<'d>(bundle: Value<'d>, name: &str) -> Option<Vec<Value<'d>>> {
    let list = bundle.get(name).filter(|list| list.kind() == Kind::Array)?;
    let items: Vec<Value<'d>> = list.items().collect();
    items.iter().all(|item| item.kind() == Kind::Object).then_some(items)
}

/// The file that was asked for, the bundle's and the manifest's are one.
fn file_id_layer(bundle: Value<'_>, manifest: Option<Value<'_>>, requested: Option<&str>) -> Layer {
    let mut layer = Layer::new("file-id", "EV-1: file_id echoed; the manifest is of that file");
    let Some(file_id) = bundle.get("file_id").filter(|value| value.kind() == Kind::String) else {
        return unreached("file-id", "/file_id");
    };
    let Some(manifest) = manifest else { return unreached("file-id", "/manifest") };
    let text = |value: Value<'_>| value.as_str().map_or_else(|| value.raw().to_owned(), Cow::into_owned);
    let signed = manifest.get("file_id").map(text);
    if signed.as_deref() != Some(text(file_id).as_str()) {
        let found = describe(manifest.get("file_id"));
        layer.refute(Problem::new(Code::FileIdDiffers, "/manifest/file_id", file_id.raw(), found));
    }
    if let Some(requested) = requested
        && text(file_id) != requested
    {
        layer.refute(Problem::new(Code::FileIdDiffers, "/file_id", requested, file_id.raw()));
    }
    layer
}

fn issuer_key_layer(bundle: Value<'_>, manifest: Value<'_>, trust: &Trust<'_>) -> Layer {
    let layer = Layer::new("issuer-key", "a key found inside a document is never a reason to trust it");
    let at = "/manifest/issuer_ed25519_pub";
    let text = manifest.get("issuer_ed25519_pub");
    if trust.issuer_keys.is_empty() {
        if trust.any_issuer {
            return layer.recomputed("any issuer will do, says the caller");
        }
        let problem = Problem::new(Code::KeyNotPinned, at, "a trusted issuer key", describe(text));
        return layer.not_established(problem);
    }
    let key = manifest::issuer_key(manifest);
    if key.is_some_and(|key| trust.issuer_keys.contains(&key)) {
        return layer;
    }
    let registry = Role { name: "registry", key: registry_key(bundle), trusted: trust.registry_keys };
    layer.refuted(Role { name: "issuer", key, trusted: trust.issuer_keys }.differs(at, text, &registry))
}

/// Layer `registry-key`: the key is pinned, and was trusted when it signed the bundle, as far as the times in it tell.
fn registry_key_layer(
    bundle: Value<'_>,
    key: Option<&PublicKey>,
    trust: &Trust<'_>,
    log: Option<&Committed<'_>>,
) -> Layer {
    let Some(key) = key else { return unreached("registry-key", "/registry_pub") };
    let layer = Layer::new("registry-key", "EV-1: registry_pub is the key of the well-known document");
    let (at, text) = ("/registry_pub", bundle.get("registry_pub"));
    if trust.registry_keys.is_empty() {
        let problem = Problem::new(Code::KeyNotPinned, at, "a trusted registry key", describe(text));
        return layer.recomputed(key.to_hex()).not_established(problem);
    }
    if !trust.registry_keys.contains(key) {
        let issuer = bundle.get("manifest").and_then(manifest::issuer_key);
        let issuer = Role { name: "issuer", key: issuer, trusted: trust.issuer_keys };
        let registry = Role { name: "registry", key: Some(*key), trusted: trust.registry_keys };
        return layer.refuted(registry.differs(at, text, &issuer));
    }
    let layer = layer.recomputed(key.to_hex());
    let Some(windows) = Windows::of(key, trust) else { return layer };
    let expected = "a time at which this key is trusted";
    let outside = |layer: Layer, place: &str, found: &str| {
        layer.not_established(Problem::new(Code::KeyOutsideWindow, place, expected, found))
    };
    let generated = bundle.get("bundle_generated_at");
    let Some(at) = generated.and_then(instant).filter(|at| windows.hold(*at)) else {
        return outside(layer, "/bundle_generated_at", describe(generated));
    };
    if !cfg!(feature = "rfc3161") && bundle.get("time_stamps").is_some_and(|stamps| !stamps.is_null()) {
        let expected = "the feature rfc3161, to read when time stamps in it were made";
        return layer.not_established(Problem::new(Code::NotBuilt, "/time_stamps", expected, "none"));
    }
    // A bundle is signed after everything that is in it, whatever it says of itself.
    match window::latest(bundle, log.and_then(Committed::latest)) {
        Some(latest) if latest.at > at && !windows.hold(latest.at) => {
            outside(layer, &latest.place, &latest.at.to_string())
        }
        _ => layer,
    }
}

/// Layer `freshness`: the evidence is not older than the caller allows, by the registry's own clock.
fn freshness_layer(bundle: Value<'_>, freshness: Option<Freshness>) -> Layer {
    let layer =
        Layer::new("freshness", "the age of evidence is for the caller to bound (EV-1 gives its time)");
    let at = "/bundle_generated_at";
    let generated = bundle.get("bundle_generated_at");
    let Some(freshness) = freshness else {
        let expected = "a greatest age";
        return layer.not_established(Problem::new(Code::NotGiven, at, expected, "none"));
    };
    let instant = generated.and_then(Value::as_str).as_deref().and_then(whole_seconds);
    let age = instant.map(|instant| freshness.now.saturating_sub(instant));
    // Two clocks may differ: a bundle from the near future is fresh.
    let fresh = age.is_some_and(|age| (-CLOCKS_APART..=freshness.most_seconds).contains(&age));
    if fresh {
        return layer.recomputed(format!("{} s old", age.unwrap_or_default()));
    }
    let expected = format!("an age of at most {} s", freshness.most_seconds);
    layer.not_established(Problem::new(Code::TimeStale, at, expected, describe(generated)))
}

/// How far the clock of a registry may be ahead of the caller's, in seconds.
pub(super) const CLOCKS_APART: i64 = 300;

/// Whose a key is: what the bundle has of it, and what the caller trusts.
struct Role<'t> {
    name: &'static str,
    key: Option<PublicKey>,
    trusted: &'t [PublicKey],
}

impl Role<'_> {
    /// The key is none of the trusted ones. One that the caller took for a key of the `other` role is not trusted either, but
    /// that is what to look at first.
    fn differs(&self, at: &str, text: Option<Value<'_>>, other: &Self) -> Problem {
        let (own, their) = (self.name, other.name);
        let is_in =
            |key: Option<PublicKey>, trusted: &[PublicKey]| key.is_some_and(|key| trusted.contains(&key));
        let found = describe(text);
        let found = match (is_in(self.key, other.trusted), is_in(other.key, self.trusted)) {
            (true, true) => {
                format!("{found}, trusted as the {their}'s, and the other way round: the two are swapped")
            }
            (true, false) => format!("{found}, trusted as the {their}'s, not as the {own}'s"),
            (false, true) => format!("{found}; what is trusted as the {own}'s is the {their}'s here"),
            (false, false) => found.to_owned(),
        };
        let trusted: Vec<String> = self.trusted.iter().take(3).map(|key| key.to_hex()).collect();
        Problem::new(Code::KeyDiffers, at, trusted.join(" or "), found)
    }
}

/// One kind of sidecar rows: where they stand, and which two members make an item.
struct Rows {
    layer: &'static str,
    member: &'static str,
    parts: [&'static str; 2],
}

const BEACONS: Rows = Rows { layer: "beacon-rows", member: "beacons", parts: ["token_id", "kind"] };
const WATERMARKS: Rows = Rows { layer: "watermark-rows", member: "watermarks", parts: ["mark_id", "layer"] };

/// The rows are exactly the items that the issuer signed, in any order, each as often, under the manifest's identity.
fn rows_layer(bundle: Value<'_>, manifest: Option<Value<'_>>, rows: &Rows) -> Layer {
    let mut layer = Layer::new(rows.layer, "SI-2, EV-1: the rows are the signed arrays, as multisets");
    let at = format!("/{}", rows.member);
    let (Some(manifest), Some(stored)) = (manifest, objects(bundle, rows.member)) else {
        return unreached(rows.layer, &at);
    };
    let signed: Vec<_> = manifest
        .get(rows.member)
        .into_iter()
        .flat_map(Value::items)
        .map(|item| pair(item, rows.parts))
        .collect();
    layer.recomputed = format!("{} signed, {} stored", signed.len(), stored.len());
    if let Some(problem) = rows_differ(&at, &signed, stored.iter().map(|row| pair(*row, rows.parts))) {
        layer.refute(problem);
    }
    let identity = Identity::of(manifest);
    for (position, row) in stored.into_iter().enumerate() {
        let place = format_args!("{at}/{position}");
        if let Some(problem) = identity.difference(row.pick(&IDENTITY), place, Code::RowsIdentityDiffers) {
            layer.refute_with(problem);
        }
    }
    layer
}

type Pair<'d> = Option<(Cow<'d, str>, Cow<'d, str>)>;

fn pair<'d>(item: Value<'d>, parts: [&str; 2]) -> Pair<'d> {
    // The database column is text: a number that was signed comes back as its text.
    let part = |value: Option<Value<'d>>| {
        let value = value?;
        value.as_str().or_else(|| value.number_text().map(Cow::Borrowed))
    };
    let [first, second] = item.pick(&parts);
    Some((part(first)?, part(second)?))
}

/// Names one row that was not signed, or one item that is missing; `None` if they are the same, in any order, each as often.
///
/// Only what was signed is kept: rows that an operator adds cost no memory.
fn rows_differ<'d>(at: &str, signed: &[Pair<'d>], found: impl Iterator<Item = Pair<'d>>) -> Option<Problem> {
    let show = |item: &Pair<'_>| match item {
        Some((first, second)) => format!("{first} ({second})"),
        None => "an item without its two texts".to_owned(),
    };
    // How many rows of a signed item there are still to come, and where the first one stood.
    let mut open: BTreeMap<&Pair<'_>, (i64, usize)> = BTreeMap::new();
    for item in signed {
        open.entry(item).or_insert((0, usize::MAX)).0 += 1;
    }
    let mut surplus: Option<(usize, String)> = None;
    for (position, item) in found.enumerate() {
        let first = match open.get_mut(&item) {
            Some((left, first)) => {
                (*left, *first) = (*left - 1, position.min(*first));
                if *left < 0 { Some(*first) } else { None }
            }
            None => Some(position),
        };
        if let Some(first) = first.filter(|first| surplus.as_ref().is_none_or(|(known, _)| first < known)) {
            surplus = Some((first, show(&item)));
        }
    }
    if let Some((position, found)) = surplus {
        let place = format!("{at}/{position}");
        return Some(Problem::new(Code::RowsDiffer, place, "only rows that the issuer signed", found));
    }
    let is_missing = |item: &&Pair<'_>| item.is_none() || open.get(item).is_some_and(|(left, _)| *left > 0);
    let missing = signed.iter().find(is_missing)?;
    Some(Problem::new(Code::RowsDiffer, at, show(missing), "no such row"))
}

const SIGNATURE_RULE: &str =
    "fact sheet 1.2: Ed25519 over the canonical bundle without bundle_signature_ed25519, nulls kept (EV-3)";

/// Order in which schemes are tried on a bundle.
pub(crate) const BUNDLE_SCHEMES: [Scheme; 5] = [
    Scheme::JcsExactIntegers,
    Scheme::SerdeJcs01,
    Scheme::PythonSortKeys,
    Scheme::Jcs,
    Scheme::PythonSortKeysUtf8,
];

/// Layer `registry-signature`: over bytes recomputed from the whole document, under the key that it names.
fn signature_layer(
    bundle: Value<'_>,
    key: &PublicKey,
    memory: &mut Memory,
    kept: Option<&mut Option<Vec<Tried<Scheme>>>>,
) -> Layer {
    let layer = Layer::new("registry-signature", SIGNATURE_RULE);
    let at = "/bundle_signature_ed25519";
    let text = bundle.get("bundle_signature_ed25519");
    if text.is_none_or(|text| text.is_null() || text.raw() == "\"\"") {
        return layer.refuted(Problem::new(Code::BundleSignatureMissing, at, "a signature", describe(text)));
    }
    let signature = text.and_then(Value::as_str).as_deref().and_then(Signature::from_hex);
    let Some(signature) = signature else {
        let expected = "128 lower-case hexadecimal digits";
        return layer.refuted(Problem::new(Code::BundleSignatureEncoding, at, expected, describe(text)));
    };
    let key = match memory.key(key) {
        Ok(key) => key,
        Err(code) => {
            let problem = Problem::new(code, "/registry_pub", "a key of full order", key.to_hex());
            return layer.refuted(problem);
        }
    };
    verify_signed_bytes(layer, bundle, memory, &key, &signature, kept)
}

/// What the registry signs: the bundle without the signature.
pub(crate) fn signed_form(bundle: Value<'_>) -> Form<'_> {
    Form::Without(bundle, "bundle_signature_ed25519")
}

fn verify_signed_bytes(
    mut layer: Layer,
    bundle: Value<'_>,
    memory: &mut Memory,
    key: &VerifiedKey,
    signature: &Signature,
    kept: Option<&mut Option<Vec<Tried<Scheme>>>>,
) -> Layer {
    let candidates = texts(signed_form(bundle), Nulls::Keep, &BUNDLE_SCHEMES)
        .map(|(schemes, text)| (schemes.iter().copied(), text));
    match fitting(candidates, memory, key, signature, kept) {
        Ok(fit) => {
            layer.recomputed = format!("{} bytes", fit.bytes.len());
            if !fit.names.iter().any(|scheme| scheme.is_rfc8785()) {
                let names: Vec<&str> = fit.names.iter().map(|scheme| scheme.as_str()).collect();
                layer.note(Code::NoteLegacyScheme, "", format!("fits only under {}", names.join(", ")));
            }
            layer.schemes = fit.names;
            if let Some(place) = signed::first_rounded(bundle) {
                let text = bundle.at(&place).map_or("", Value::raw);
                layer.note(Code::NoteRoundedNumber, place, text);
            }
            layer
        }
        Err(reason) => {
            let expected = "a signature over the canonical bundle by registry_pub";
            let found = format!("{signature} ({})", reason.meaning());
            let at = "/bundle_signature_ed25519";
            layer.refuted(Problem::new(Code::BundleSignatureMismatch, at, expected, found))
        }
    }
}

/// Proofs that hold, by the position of their event.
type Proven = BTreeMap<usize, InclusionPath>;

/// Layer `inclusion`: one proof for each event, against the signed head.
fn inclusion_layer(proofs: &[Value<'_>], events: &[Value<'_>], head: Option<&TreeHead>) -> (Layer, Proven) {
    let mut layer =
        Layer::new("inclusion", "EV-2; RFC 9162 section 2.1.3.2, against the head of this bundle");
    let mut proven = Proven::new();
    let mut named = BTreeSet::new();
    for (position, item) in proofs.iter().enumerate() {
        let at = format_args!("/tlog_proofs/{position}");
        match check_proof(&mut layer, *item, at, events, head, &mut named) {
            Ok((row, proof)) => {
                proven.insert(row, proof);
            }
            Err(problem) => layer.refute(problem),
        }
    }
    for (position, row) in events.iter().enumerate() {
        let at = format_args!("/events/{position}");
        let index = row.get("tlog_index");
        if index.and_then(Value::as_u64).is_none() {
            layer.refute_with(|| {
                let place = format!("{at}/tlog_index");
                Problem::new(Code::EventIndexMissing, place, "a place in the log", describe(index))
            });
        } else if !named.contains(&position) {
            layer.refute_with(|| {
                Problem::new(Code::EventProofMissing, at.to_string(), "an inclusion proof", "none")
            });
        }
    }
    if head.is_none() && !events.is_empty() {
        let expected = "a tree head that the proofs lead to";
        layer.leave_open(Problem::new(Code::NotReached, "/tlog_head", expected, "none"));
    }
    layer.recomputed = format!("{} proofs for {} events", proven.len(), events.len());
    (layer, proven)
}

/// The proof of an item, under whichever of its two names; both are fine while they say the same.
fn proof_member<'d>(
    layer: &mut Layer,
    [proof, inclusion]: [Option<Value<'d>>; 2],
    at: impl fmt::Display,
) -> Result<(&'static str, Value<'d>), Problem> {
    match (proof, inclusion) {
        (Some(proof), Some(other)) if proof.raw() != other.raw() => {
            let place = format!("{at}/inclusion");
            Err(Problem::new(Code::ProofDuplicate, place, proof.raw(), other.raw()))
        }
        (Some(proof), _) => Ok(("proof", proof)),
        (None, Some(proof)) => {
            let text = "the member is called `proof` by the implementations";
            layer.note(Code::NoteInclusionName, format!("{at}/inclusion"), text);
            Ok(("inclusion", proof))
        }
        (None, None) => {
            Err(Problem::new(Code::ProofEncoding, format!("{at}/proof"), "a proof object", "no such member"))
        }
    }
}

/// Checks one item of `tlog_proofs`: it names an event, that event's index, and leads to the signed head. Gives the position of
/// the event, and the proof.
fn check_proof(
    layer: &mut Layer,
    item: Value<'_>,
    at: impl fmt::Display + Copy,
    events: &[Value<'_>],
    head: Option<&TreeHead>,
    named: &mut BTreeSet<usize>,
) -> Result<(usize, InclusionPath), Problem> {
    let [event_row, inclusion, proof, stated] = item.pick(&["event_row", "inclusion", "proof", "tlog_index"]);
    let row_number = event_row.and_then(Value::as_u64).and_then(|row| usize::try_from(row).ok());
    let Some((row, event)) = row_number.and_then(|row| Some((row, events.get(row)?))) else {
        let expected = format!("the position of one of {} events", events.len());
        let found = describe(event_row);
        return Err(Problem::new(Code::ProofEventRow, format!("{at}/event_row"), expected, found));
    };
    if !named.insert(row) {
        let place = format!("{at}/event_row");
        return Err(Problem::new(Code::ProofDuplicate, place, "one proof for each event", row.to_string()));
    }
    let (member, value) = proof_member(layer, [proof, inclusion], at)?;
    let place = format_args!("{at}/{member}");
    let proof = InclusionProof::read(value, place)?;
    let stated = integer(stated, || format!("{at}/tlog_index"))?;
    let index = event.get("tlog_index");
    let differs = |found: u64, where_: String| {
        Err(Problem::new(Code::ProofIndexDiffers, where_, describe(index), found.to_string()))
    };
    let expected = index.and_then(Value::as_u64);
    if Some(stated) != expected {
        return differs(stated, format!("{at}/tlog_index"));
    }
    if Some(proof.index) != expected {
        return differs(proof.index, format!("{place}/index"));
    }
    if let Some(head) = head.filter(|head| **head != proof.head) {
        let (member, expected, found) = if head.size == proof.head.size {
            ("root", head.root.to_hex(), proof.head.root.to_hex())
        } else {
            ("tree_size", head.size.to_string(), proof.head.size.to_string())
        };
        let problem = Problem::new(Code::ProofHeadDiffers, format!("{place}/{member}"), expected, found);
        return Err(problem);
    }
    proof.verify(place)?;
    let InclusionProof { index, leaf_hash, path, head } = proof;
    Ok((row, InclusionPath { index, leaf_hash, path, head }))
}

/// Layer `event-binding`: the leaf rebuilt from each row is the proven one, and the rest of the row agrees.
fn binding_layer(
    manifest: Option<Value<'_>>,
    events: &[Value<'_>],
    proven: &Proven,
    log: Option<&Committed<'_>>,
) -> Layer {
    let rule = "fact sheet 1.4: the leaf is rebuilt from the row, hashed and compared";
    let mut layer = Layer::new("event-binding", rule);
    let identity = manifest.map(Identity::of);
    let tokens = signed_tokens(manifest);
    let registrations = OnceCell::new();
    let all = || log.map_or_else(Vec::new, |log| log.registrations(manifest));
    for (position, value) in events.iter().enumerate() {
        let at = format_args!("/events/{position}");
        let row = Row::of(*value);
        let extra = row.check_extra();
        match proven.get(&position) {
            None => layer.leave_open_with(|| {
                Problem::new(Code::NotReached, at.to_string(), "a proof that holds", "none")
            }),
            // An unreadable `extra` is named below, and not also as a leaf that differs.
            Some(_) if extra.is_err() => {}
            Some(proof) => bind(&mut layer, &row, *value, at, &proof.leaf_hash),
        }
        if let Some(identity) = &identity {
            let was_so = || was_registered_so(registrations.get_or_init(all), *value);
            row.check(&mut layer, at, identity, extra, was_so);
        }
        let token = row.token_id.and_then(Value::as_str);
        if layer.has_room_for(Code::EventTokenUnsigned) && token.is_none_or(|token| !tokens.contains(&token))
        {
            let place = format!("{at}/token_id");
            layer.note(Code::EventTokenUnsigned, place, "the manifest as it is now lists no such beacon");
        }
    }
    layer.recomputed = format!("{} leaves rebuilt", proven.len());
    layer
}

/// The row rebuilds to the leaf hash that is proven.
fn bind(layer: &mut Layer, row: &Row<'_>, value: Value<'_>, at: impl fmt::Display, leaf_hash: &Hash) {
    let schemes = row.fitting_schemes(leaf_hash);
    if schemes.is_empty() {
        let expected = format!("a row that rebuilds to leaf hash {leaf_hash}");
        layer.refute(Problem::new(Code::EventLeafDiffers, at.to_string(), expected, value.raw()));
    }
    for scheme in schemes {
        if !layer.schemes.contains(&scheme) {
            layer.schemes.push(scheme);
        }
    }
}

/// Tokens that the issuer signed.
fn signed_tokens(manifest: Option<Value<'_>>) -> BTreeSet<Cow<'_, str>> {
    let beacons = manifest.and_then(|manifest| manifest.get("beacons")).into_iter().flat_map(Value::items);
    let tokens = beacons.filter_map(|beacon| beacon.get("token_id"));
    tokens.filter_map(|token| token.as_str().or_else(|| token.number_text().map(Cow::Borrowed))).collect()
}

const REGISTRATION_RULE: &str = "fact sheet 1.4: the registration leaf names file, recipient, issuer, key and counts, not the manifest's bytes";

/// A log, and how many of its leaves a head commits to.
struct Committed<'l> {
    log: &'l Log,
    size: u64,
}

impl<'l> Committed<'l> {
    /// Those that are of an event about a file, in order.
    fn about(
        &self,
        event: &str,
        file_id: Option<Value<'_>>,
    ) -> impl DoubleEndedIterator<Item = &'l Leaf> + Clone + use<'l> {
        self.log.leaves_about(event, file_id, self.size)
    }

    /// The latest time in all of them: the head was signed after it.
    fn latest(&self) -> Option<i64> {
        self.log.latest(self.size)
    }

    /// The registrations of a file, in order.
    fn registrations(&self, manifest: Option<Value<'_>>) -> Vec<Registered> {
        let member = |name: &str| manifest.and_then(|manifest| manifest.get(name));
        let key = member("issuer_ed25519_pub").and_then(Value::as_str).unwrap_or_default();
        let registrations = self.about("register", member("file_id"));
        registrations
            .map(|leaf| Registered { index: leaf.index, stated: stated_by(&leaf.bytes, &key) })
            .collect()
    }
}

/// A registration in the log.
struct Registered {
    index: u64,
    /// File, recipient and issuer, where it is by the key that was asked for.
    stated: Option<[String; 3]>,
}

fn stated_by(leaf: &[u8], key: &str) -> Option<[String; 3]> {
    let document = Document::read(leaf, &Limits::default()).ok()?;
    let leaf = document.root();
    let is_by_it = leaf.get("issuer_pub").and_then(Value::as_str)?.eq_ignore_ascii_case(key);
    let [file_id, recipient_id, issuer_id] =
        leaf.pick(&IDENTITY).map(|value| value.and_then(Value::as_str).map(Cow::into_owned));
    is_by_it.then_some([file_id?, recipient_id?, issuer_id?])
}

/// Whether a later registration of the file followed the one under which an event was logged, and that one was by the key of the
/// manifest and for whom the event names (`docs/decisions/event-identity.md`).
fn was_registered_so(registrations: &[Registered], event: Value<'_>) -> bool {
    let Some(index) = event.get("tlog_index").and_then(Value::as_u64) else { return false };
    let (before, after) = registrations.split_at(registrations.partition_point(|known| known.index < index));
    let Some(stated) = before.last().and_then(|known| known.stated.as_ref()) else { return false };
    let found = event.pick(&IDENTITY).map(|value| value.and_then(Value::as_str));
    !after.is_empty() && found.iter().zip(stated).all(|(found, stated)| found.as_deref() == Some(stated))
}

/// The leaves of a log that this head commits to, or why there are none: a log that does not lead to the head shows
/// nothing about the bundle.
fn log_of_head<'l>(head: Option<&TreeHead>, log: Option<&'l Log>) -> Result<Committed<'l>, Problem> {
    let (Some(head), Some(log)) = (head, log) else {
        let expected = "the log (--log), which holds registrations and events";
        return Err(Problem::new(Code::RegistrationNoProof, "/tlog_head", expected, "none"));
    };
    let (at, known) = ("/tlog_head/root", log.head_at(head.size));
    let Some(known) = known else {
        let found = format!("{} leaves", log.leaves().len());
        return Err(Problem::new(Code::LogTooShort, at, format!("{} leaves from index 0", head.size), found));
    };
    if known.root != head.root {
        return Err(Problem::new(Code::LogRootDiffers, at, known.root.to_hex(), head.root.to_hex()));
    }
    Ok(Committed { log, size: head.size })
}

/// Layer `registration`: the log shows it, or receipts do; a bundle of the candidate dialect carries neither.
fn registration(
    bundle: Value<'_>,
    manifest: Option<Value<'_>>,
    log: &Result<Committed<'_>, Problem>,
    head: Option<&TreeHead>,
    memory: &mut Memory,
) -> Layer {
    let layer = registration_layer(manifest, log);
    let (Some(receipts), Some(manifest)) = (bundle.get("registration_receipts"), manifest) else {
        return layer;
    };
    let Some(Ok(key)) = registry_key(bundle).map(|key| memory.key(&key)) else { return layer };
    let leaves = match receipt::leaves(receipts, manifest, head, &key, memory) {
        Ok(leaves) => leaves,
        Err(problem) => return layer.refuted(problem),
    };
    let difference = leaves.values().next_back().and_then(|newest| registration_difference(manifest, newest));
    // Receipts stand in for a log that was not given. Where one was, it knows of registrations that they leave out.
    let no_log = layer.state == State::NotEstablished && layer.code() == Code::RegistrationNoProof;
    match (difference, no_log, head) {
        (Some(problem), ..) => layer.refuted(problem),
        (None, true, Some(_)) => {
            let count = receipts.items().count();
            let registrations = leaves.iter().map(|(index, leaf)| (*index, leaf.as_slice()));
            log::of_one_issuer(Layer::new("registration", REGISTRATION_RULE), registrations)
                .recomputed(format!("{count} receipts, the newest of this manifest"))
        }
        (None, ..) => layer,
    }
}

/// What the log says about the registration.
fn registration_layer(manifest: Option<Value<'_>>, log: &Result<Committed<'_>, Problem>) -> Layer {
    let layer = Layer::new("registration", REGISTRATION_RULE);
    let Some(manifest) = manifest else { return unreached("registration", "/manifest") };
    let committed = match log {
        Ok(committed) => committed,
        Err(problem) => return layer.not_established(problem.clone()),
    };
    let file_id = manifest.get("file_id");
    let Some(latest) = committed.about("register", file_id).next_back() else {
        let expected = format!("a registration of {}", describe(file_id));
        return layer.refuted(Problem::new(
            Code::LogRegistrationMissing,
            "/manifest/file_id",
            expected,
            "none",
        ));
    };
    if let Some(problem) = registration_difference(manifest, &latest.bytes) {
        return layer.refuted(problem);
    }
    let registrations = committed.about("register", file_id);
    let mut layer = log::of_one_issuer(layer, registrations.map(|leaf| (leaf.index, leaf.bytes.as_slice())));
    if let Some(leaf) = committed.log.doubtful_registration(file_id, committed.size) {
        layer.leave_open_with(|| {
            let expected = "no leaf that may be another registration of this file";
            let found = format!("leaf {}: {}", leaf.index, String::from_utf8_lossy(&leaf.bytes));
            Problem::new(Code::LogEncoding, "/manifest/file_id", expected, found)
        });
    }
    layer.recomputed(format!("leaf {}", latest.index))
}

/// The first member in which the registration leaf is not of this manifest.
fn registration_difference(manifest: Value<'_>, leaf: &[u8]) -> Option<Problem> {
    let document = Document::read(leaf, &Limits::default()).ok()?;
    let leaf = document.root();
    let identity = Identity::of(manifest);
    if let Some(problem) = identity.difference_of_parties(leaf, "/manifest", Code::LogRegistrationDiffers) {
        return Some(problem);
    }
    let key = |value: Option<Value<'_>>| value.and_then(Value::as_str).map(|text| text.to_ascii_lowercase());
    let (signed, logged) = (manifest.get("issuer_ed25519_pub"), leaf.get("issuer_pub"));
    if key(signed) != key(logged) {
        let place = "/manifest/issuer_ed25519_pub";
        return Some(Problem::new(Code::LogRegistrationDiffers, place, describe(logged), describe(signed)));
    }
    for (name, count) in [("beacons", "n_beacons"), ("watermarks", "n_watermarks")] {
        let signed = manifest.get(name).map_or(0, |list| list.items().count() as u64);
        let logged = leaf.get(count);
        if logged.and_then(Value::as_u64) != Some(signed) {
            let found = format!("{signed} items");
            let place = format!("/manifest/{name}");
            return Some(Problem::new(Code::LogRegistrationDiffers, place, describe(logged), found));
        }
    }
    None
}

/// Layer `completeness`: no event of this file stands in the log and not in the bundle.
fn completeness_layer(
    bundle: Value<'_>,
    manifest: Option<Value<'_>>,
    events: Option<&[Value<'_>]>,
    log: &Result<Committed<'_>, Problem>,
) -> Layer {
    let Some(events) = events else { return unreached("completeness", "/events") };
    let layer = Layer::new("completeness", "EV-1: the bundle holds the events of the file");
    let committed = match log {
        Ok(committed) => committed,
        Err(problem) => return layer.not_established(problem.clone()),
    };
    let listed: BTreeSet<u64> =
        events.iter().filter_map(|row| row.get("tlog_index").and_then(Value::as_u64)).collect();
    let omitted = committed.about("beacon", bundle.get("file_id")).find(|leaf| !listed.contains(&leaf.index));
    match omitted {
        None if let Some(problem) = doubtful_leaf(bundle, manifest, committed, &listed) => {
            layer.not_established(problem)
        }
        None => layer.recomputed(format!("{} leaves searched", committed.size)),
        Some(leaf) => {
            let expected = format!("the event at index {} of the log", leaf.index);
            layer.refuted(Problem::new(Code::LogEventMissing, "/events", expected, "no such row"))
        }
    }
}

/// A leaf that no row lists, and of which nobody can say that it is of no event of this file.
fn doubtful_leaf(
    bundle: Value<'_>,
    manifest: Option<Value<'_>>,
    committed: &Committed<'_>,
    listed: &BTreeSet<u64>,
) -> Option<Problem> {
    let is_listed = |leaf: &&Leaf| listed.contains(&leaf.index);
    let doubt = |code, expected: &str, leaf: &Leaf| {
        let found = format!("leaf {}: {}", leaf.index, String::from_utf8_lossy(&leaf.bytes));
        Problem::new(code, "/events", expected, found)
    };
    // A leaf that says in no known way what it is of may be of an event of this file.
    if let Some(leaf) = committed.log.unclear_leaves(committed.size).find(|leaf| !is_listed(leaf)) {
        let expected = "leaves that say of what event and file they are (fact sheet 1.4)";
        return Some(doubt(Code::LogEncoding, expected, leaf));
    }
    // One of a token that the issuer signed and of no file was fired before the registration, or is an event of this file. One of
    // another file is that file's if that was registered with a beacon: the recorded registries let a token be taken over, and hand its
    // events to whoever has it then.
    let (tokens, file_id) = (signed_tokens(manifest), bundle.get("file_id"));
    let mut leaves = tokens.iter().flat_map(|token| committed.log.astray(token, file_id, committed.size));
    let leaf = leaves.find(|leaf| !is_listed(leaf))?;
    let expected = "leaves of the tokens that the issuer signed to be of this file";
    Some(doubt(Code::LogEventMissing, expected, leaf))
}
