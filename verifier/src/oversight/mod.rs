//! Evidence of the Oversight registry v1: bundles, tree heads, inclusion proofs and logs.

mod attestation;
mod attestation_log;
mod bundle;
mod consistency;
mod equivocation;
mod event;
mod explain;
mod head;
mod log;
mod manifest;
mod post_quantum;
mod proof;
mod quorum;
mod receipt;
mod record;
mod signed;
mod suite;
mod time;
mod together;
mod window;

pub use bundle::{BUNDLE_LAYERS, BundleVerifier, verify_bundle};
pub use consistency::{consistency_json, verify_consistency_proof};
pub use equivocation::{Contradiction, EquivocationProof, NoContradiction, verify_equivocation_proof};
pub use explain::{Detail, Difference, Explanation, KeyUse, Recomputed, explain};
pub use head::{SignedHead, compare_heads, heads_not_compared, verify_head};
pub use log::{Leaf, Log, LogPart, LogReader, LogVerifier, verify_log};
pub use manifest::{Reading, signing_bytes};
pub use proof::{inclusion_json, inclusion_proofs_of, verify_proof};
pub use together::{CrossCheck, CrossFinding, ShownManifest, Statement};

use crate::checkpoint::LogKey;
use crate::code::Code;
use crate::hash::PublicKey;
use crate::json::{Document, ReadError, Value};
use crate::limits::Limits;
use crate::merkle::TreeHead;
use crate::ml_dsa::MlDsa65Key;
use crate::time_stamp::TsaCertificate;
use crate::verdict::{Layer, Problem, Trace};

/// The kinds of document that are known here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DocumentKind {
    /// The answer of `/evidence/{file_id}`.
    Bundle,
    /// A file that shows that one tree head extends another.
    Consistency,
    /// A file that shows that two signed tree heads cannot belong to one log.
    Equivocation,
    /// The answer of `/tlog/head`.
    Head,
    /// The answer of `/tlog/proof/{index}`.
    Proof,
    /// A page of `/tlog/range`, or one record of `leaves.jsonl`.
    Log,
}

/// Members by which a bundle is recognized, in ascending order.
const OF_BUNDLES: [&str; 9] = [
    "beacons",
    "bundle_generated_at",
    "bundle_signature_ed25519",
    "events",
    "manifest",
    "registry_pub",
    "tlog_head",
    "tlog_proofs",
    "watermarks",
];

impl DocumentKind {
    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bundle => "oversight-bundle",
            Self::Consistency => "consistency-proof",
            Self::Equivocation => "equivocation-proof",
            Self::Head => "oversight-head",
            Self::Proof => "oversight-proof",
            Self::Log => "oversight-log",
        }
    }

    /// Recognizes a document by its members. Tolerant on purpose: a damaged bundle is still a bundle.
    #[must_use]
    pub fn of(root: Value<'_>) -> Option<Self> {
        let has = |names: &[&str]| names.iter().filter(|name| root.get(name).is_some()).count();
        let bundle = root.pick(&OF_BUNDLES).iter().flatten().count();
        let form = root.get("form").and_then(Value::as_str).unwrap_or_default();
        if bundle >= 3 {
            Some(Self::Bundle)
        } else if form == equivocation::FORM || has(&["old", "new", "contradiction"]) >= 3 {
            Some(Self::Equivocation)
        } else if form == consistency::FORM
            || has(&["old", "new", "path"]) >= 3
            || has(&["first", "second", "first_root", "second_root", "proof"]) >= 4
        {
            Some(Self::Consistency)
        } else {
            let kind = Self::of_the_log(&has)?;
            // Nothing that only bundles have may ride on a head or a proof: it would be verified by nobody.
            Some(if bundle > 0 { Self::Bundle } else { kind })
        }
    }

    /// Recognizes what the routes of the log answer.
    fn of_the_log(has: &impl Fn(&[&str]) -> usize) -> Option<Self> {
        if has(&["size", "root", "signature", "signed_message"]) >= 3 {
            Some(Self::Head)
        } else if has(&["index", "leaf_hash", "proof", "root", "tree_size"]) >= 4 {
            Some(Self::Proof)
        } else if has(&["start", "count", "entries"]) >= 2 || has(&["index", "leaf_hash", "leaf_data"]) >= 2 {
            Some(Self::Log)
        } else {
            None
        }
    }
}

/// Makes the type and, for each of its members, a method that sets it.
macro_rules! trust {
    ($(#[$doc:meta])* pub struct $name:ident<$life:lifetime> { $($(#[$what:meta])* $member:ident: $type:ty,)* }) => {
        $(#[$doc])*
        pub struct $name<$life> { $($(#[$what])* pub $member: $type,)* }

        impl<$life> $name<$life> {
            $($(#[$what])* #[must_use] pub fn $member(self, $member: $type) -> Self {
                Self { $member, ..self }
            })*
        }
    };
}

trust! {
    /// What the caller trusts. Everything is optional; what is not given ends as *not established*.
    ///
    /// ```
    /// use assayer_verifier::{PublicKey, oversight::Trust};
    ///
    /// let keys = [PublicKey([1; 32])]; // from elsewhere than the evidence
    /// let trust = Trust::default().registry_keys(&keys).any_issuer(true);
    /// assert_eq!(trust.registry_keys, keys);
    /// ```
    #[derive(Clone, Debug, Default)]
    #[non_exhaustive]
    pub struct Trust<'a> {
        /// Keys of registries: the identity key must be one of these.
        registry_keys: &'a [PublicKey],
        /// Keys of issuers: the manifest's key must be one of these.
        issuer_keys: &'a [PublicKey],
        /// Tree heads known from elsewhere: the log must contain them.
        heads: &'a [TreeHead],
        /// The file that was asked for.
        file_id: Option<&'a str>,
        /// The log, or its beginning, as downloaded.
        log: Option<&'a Log>,
        /// Times outside of which a registry key is not trusted; a key that is not named here is trusted at any time.
        windows: &'a [KeyWindow],
        /// Whether any issuer will do: then a manifest need only be signed by the key that it names.
        any_issuer: bool,
        /// Layers that must be established for `authentic`, beyond those that always must, of every document that has them.
        required: &'a [&'static str],
        /// ML-DSA-65 keys of issuers: hybrid manifests need one.
        ml_dsa_keys: &'a [IssuerMlDsaKey],
        /// Keys that sign attestations, beside those of registries: if any is given, one of all these must have signed.
        attestation_keys: &'a [PublicKey],
        /// Transparency logs whose checkpoints are believed.
        log_keys: &'a [LogKey],
        /// Certificates that the chains of time stamps must end at.
        tsa_roots: &'a [TsaCertificate],
        /// Certificates for time stamps that do not carry them; not trusted for being here.
        tsa_certificates: &'a [TsaCertificate],
        /// How old evidence may be.
        freshness: Option<Freshness>,
        /// Heads that were fetched from several places; the log must contain them all.
        vantages: &'a [Vantage],
        /// How many of these places must have seen a head for it to be `authentic`; 0 asks for none.
        quorum: usize,
    }
}

impl Trust<'_> {
    /// The heads that the caller knows: those named, and those that were seen from any vantage point.
    pub(crate) fn known_heads(&self) -> impl Iterator<Item = TreeHead> {
        let seen = self.vantages.iter().flat_map(|vantage| &vantage.heads);
        self.heads.iter().chain(seen).copied()
    }

    /// What must be established of a document that is no bundle: `always`, a quorum and a bound on the age where the caller
    /// asks for them, and those of the layers that the caller requires which such a document has.
    ///
    /// Heads, logs and proofs have no time. Where the caller bounds the age of evidence, that is said of them.
    pub(crate) fn judge(&self, mut layers: Vec<Layer>, always: &[&'static str]) -> Trace {
        if self.freshness.is_some() {
            let expected = "a time, which shows how old the evidence is";
            let problem = Problem::new(Code::TimeStale, "", expected, "a document that has no time");
            let rule = "the age of evidence is for the caller to bound";
            layers.push(Layer::new("freshness", rule).not_established(problem));
        }
        let mut required = always.to_vec();
        if let Some(file_id) = self.file_id {
            let problem = Problem::new(Code::NotReached, "", file_id, "a document that is about no file");
            layers.push(Layer::new("file-id", "the caller asked about one file").not_established(problem));
            required.push("file-id");
        }
        let quorum = (self.quorum > 0).then_some("quorum");
        let age = self.freshness.map(|_| "freshness");
        let named = self.required.iter().copied().filter(|id| layers.iter().any(|layer| layer.id == *id));
        required.extend(quorum.into_iter().chain(age).chain(named));
        Trace::new(layers, required)
    }
}

/// A place from which tree heads were fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vantage {
    /// What the caller calls it.
    pub name: String,
    /// The heads that were seen there.
    pub heads: Vec<TreeHead>,
}

/// When a key is trusted, both ends included, in seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyWindow {
    /// The key.
    pub key: PublicKey,
    /// Not before.
    pub from: Option<i64>,
    /// Not after.
    pub until: Option<i64>,
}

impl KeyWindow {
    /// Whether it is open at this time, in seconds since 1970.
    #[must_use]
    pub fn holds(&self, at: i64) -> bool {
        self.from.is_none_or(|from| from <= at) && self.until.is_none_or(|until| at <= until)
    }
}

/// The second key of an issuer.
#[derive(Clone, Debug, PartialEq)]
pub struct IssuerMlDsaKey {
    /// The Ed25519 key that the issuer's manifests name.
    pub issuer: PublicKey,
    /// The key that signs the same bytes again.
    pub key: MlDsa65Key,
    /// Whether manifests of this issuer of any other suite than the hybrid one are refuted.
    pub hybrid_only: bool,
}

/// How old evidence may be. The verifier reads no clock: the caller says what time it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Freshness {
    /// Now, in seconds since 1970.
    pub now: i64,
    /// The oldest that is fresh, in seconds.
    pub most_seconds: i64,
}

/// Layers `limits` and `json` from the outcome of reading.
pub(crate) fn reading_layers(outcome: Result<(), &ReadError>, limits: &Limits) -> Vec<Layer> {
    reading_pair(outcome, limits).into()
}

/// The same, one by one.
pub(crate) fn reading_pair(outcome: Result<(), &ReadError>, limits: &Limits) -> [Layer; 2] {
    let mut bounds = Layer::new("limits", "bounds on what comes from outside (assayer)").recomputed(format!(
        "at most {} bytes, {} levels, {} values",
        limits.bytes, limits.depth, limits.values
    ));
    let mut json = Layer::new("json", "RFC 8259 with the I-JSON rules of RFC 7493 section 2");
    if let Err(error) = outcome {
        let byte = format!("byte {}", error.offset);
        let found = format!("{} at {byte}", error.found);
        let place = if error.pointer.is_empty() { byte } else { error.pointer.clone() };
        let beyond = error.code.as_str().starts_with("limits.");
        let within = "a document within the limits, which whoever verifies can raise";
        let expected = if beyond { within } else { "one strict JSON text" };
        let problem = Problem::new(error.code, place, expected, found);
        if beyond {
            bounds.refute(problem);
            json.leave_open(Problem::new(Code::NotReached, "", "a document within the limits", "none"));
        } else {
            json.refute(problem);
        }
    }
    [bounds, json]
}

/// Layers `limits` and `json` alone, for a text that is of no known kind.
#[must_use]
pub fn read_only(input: &[u8], limits: &Limits) -> Trace {
    let layers = read_then(input, limits, |_, layers| {
        let problem = Problem::new(Code::DocumentKind, "", "a document of a known kind", "another");
        layers.push(Layer::new("kind", "documents are recognized by their members").not_established(problem));
    });
    Trace::new(layers, vec!["kind"])
}

/// Reads a document and, if that succeeds, lets `verify` add its layers.
pub(crate) fn read_then(
    input: &[u8],
    limits: &Limits,
    verify: impl FnOnce(&Document<'_>, &mut Vec<Layer>),
) -> Vec<Layer> {
    match Document::read(input, limits) {
        Err(error) => reading_layers(Err(&error), limits),
        Ok(document) => {
            let mut layers = reading_layers(Ok(()), limits);
            verify(&document, &mut layers);
            layers
        }
    }
}

/// What a value is, in words, for the `found` of a problem.
pub(crate) fn describe(value: Option<Value<'_>>) -> &str {
    value.map_or("nothing", Value::raw)
}
