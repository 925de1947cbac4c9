//! Questions and answers as types. Their JSON Schemas are those of the OpenAPI document, and a test holds every answer against them.
//!
//! Objects of answers are closed: a member that is not named here is not answered. Most answers are built as JSON values, because the
//! faults change them, so these types are read by the generator of schemas more often than by the compiler.
#![expect(dead_code, reason = "types of what is built as JSON values stand for their schemas")]

pub(crate) mod example;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Lower-case hexadecimal digits of 32 bytes: a SHA-256 hash or an Ed25519 key.
pub(crate) struct Hex32;

/// Lower-case hexadecimal digits of 64 bytes: an Ed25519 signature.
pub(crate) struct Hex64;

/// Seconds in the form `YYYY-MM-DDThh:mm:ssZ`.
pub(crate) struct UtcText;

/// The only value that there is: true.
pub(crate) struct True;

macro_rules! text_schema {
    ($($name:ident: $schema:tt),+ $(,)?) => {$(
        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    )+};
}

text_schema! {
    Hex32: {"type": "string", "pattern": "^[0-9a-f]{64}$"},
    Hex64: {"type": "string", "pattern": "^[0-9a-f]{128}$"},
    UtcText: {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$"},
    True: {"const": true},
}

impl Serialize for True {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bool(true)
    }
}

/// Whether the registry answers.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct Health {
    pub(crate) status: Fine,
    pub(crate) service: Service,
    pub(crate) version: &'static str,
    /// Leaves in the log.
    pub(crate) tlog_size: u64,
}

/// How it fares.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Fine {
    Ok,
}

/// What it is.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Service {
    OversightRegistry,
}

/// Who the registry is.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct WellKnown<'r> {
    /// The Ed25519 key that signs heads and bundles.
    #[schemars(with = "Hex32")]
    pub(crate) ed25519_pub: &'r str,
    pub(crate) version: &'static str,
    pub(crate) jurisdiction: &'r str,
    pub(crate) tlog_size: u64,
    pub(crate) federation: Federation,
    /// Name of the canonical form that is signed and hashed.
    pub(crate) canonicalization: &'static str,
    /// Suites whose manifests are taken.
    pub(crate) suites: &'static [&'static str],
    pub(crate) log_type: &'static str,
}

/// What other registries need to know.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct Federation {
    pub(crate) spec_version: SpecVersion,
}

/// Version of the specification.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SpecVersion {
    V1,
}

/// A registration. Members that are not named here are ignored; those of the manifest are not.
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("example" = example::registration()))]
pub(crate) struct Registration {
    manifest: Manifest,
    /// The items of `manifest.beacons`, in any order.
    beacons: Vec<Beacon>,
    /// The items of `manifest.watermarks`, in any order.
    watermarks: Vec<Watermark>,
    /// Hashes by kind, each a text of 1 to 256 bytes; at most 64.
    corpus: Option<Map<String, Value>>,
}

/// What the issuer signed: RFC 8785 canonical bytes of these members, absent ones at their defaults, both signatures empty. Integers beyond 2^53
/// are refused.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    #[schemars(length(min = 1, max = 256))]
    file_id: String,
    issued_at: i64,
    #[serde(default = "defaults::version")]
    version: String,
    #[serde(default)]
    suite: Suite,
    #[serde(default)]
    original_filename: String,
    #[serde(default)]
    content_hash: String,
    #[serde(default)]
    canonical_content_hash: String,
    #[serde(default = "defaults::content_type")]
    content_type: String,
    #[serde(default)]
    size_bytes: u64,
    #[serde(default)]
    #[schemars(length(max = 256))]
    issuer_id: String,
    #[schemars(with = "Hex32")]
    issuer_ed25519_pub: String,
    #[schemars(with = "Recipient")]
    #[serde(default)]
    recipient: Option<Recipient>,
    #[serde(default)]
    #[schemars(length(max = 500))]
    watermarks: Vec<Watermark>,
    #[serde(default)]
    #[schemars(length(max = 500))]
    beacons: Vec<Beacon>,
    #[serde(default)]
    policy: Map<String, Value>,
    #[serde(default)]
    l3_policy: Map<String, Value>,
    #[schemars(with = "Hex64")]
    signature_ed25519: String,
    #[serde(default)]
    signature_ml_dsa: String,
}

mod defaults {
    pub(super) fn content_type() -> String {
        String::from("application/octet-stream")
    }

    pub(super) fn version() -> String {
        String::from("OVERSIGHT-v1")
    }
}

/// A suite whose signatures are verified.
#[derive(Default, Deserialize, JsonSchema)]
pub(crate) enum Suite {
    #[default]
    #[serde(rename = "OSGT-CLASSIC-v1")]
    Classic,
    #[serde(rename = "OSGT-HW-P256-v1")]
    HardwareP256,
}

/// Whom the copy is for.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Recipient {
    #[schemars(length(max = 256))]
    recipient_id: String,
    x25519_pub: String,
    #[serde(default)]
    ed25519_pub: String,
    #[serde(default)]
    p256_pub: String,
}

/// A signed beacon; further members are signed as they stand.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct Beacon {
    #[schemars(length(min = 1, max = 256))]
    token_id: String,
    #[schemars(length(max = 256))]
    kind: Option<String>,
}

/// A signed watermark.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Watermark {
    #[schemars(length(min = 1, max = 256))]
    layer: String,
    #[schemars(length(min = 1, max = 256))]
    mark_id: String,
}

/// A manifest as it was registered.
pub(crate) struct Stored;

impl JsonSchema for Stored {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Stored".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"$ref": "#/components/schemas/Manifest"})
    }
}

/// A file is registered.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct Registered {
    ok: True,
    file_id: String,
    /// Beacons that the manifest lists.
    registered_beacons: u64,
    /// Index of the leaf.
    tlog_index: u64,
    /// Path of the bundle; on the announced wire.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    evidence_url: Option<String>,
    /// On the announced wire.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Receipt")]
    receipt: Option<Receipt>,
    /// Where registrations are attested.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Attestation")]
    rekor: Option<Attestation>,
}

/// The registry's signed statement about a registration, with its entry in a transparency log or the reason why there is none.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct Attestation {
    /// 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u64")]
    bundle_schema: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Envelope")]
    dsse: Option<Envelope>,
    /// As the log answered it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Map<String, Value>")]
    log_entry: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    error: Option<String>,
}

/// A DSSE envelope, version 1.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct Envelope {
    #[serde(rename = "payloadType")]
    payload_type: String,
    /// Base64 of an in-toto Statement v1.
    payload: String,
    signatures: Vec<EnvelopeSignature>,
}

/// A signature of an envelope.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct EnvelopeSignature {
    /// The registry's public key.
    #[schemars(with = "Hex32")]
    keyid: String,
    /// Base64.
    sig: String,
}

/// The registry's word for the leaf of a registration.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct Receipt {
    file_id: String,
    #[schemars(with = "Hex32")]
    issuer_pub: String,
    leaf_data_hex: String,
    #[schemars(with = "Hex32")]
    leaf_hash: String,
    tlog_index: u64,
    registered_at: i64,
    #[schemars(with = "Hex64")]
    signature: String,
    proof: InclusionProof,
}

/// What is asked: exactly one of `token_id`, `mark_id` (with an optional `layer`) and `perceptual_hash`.
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("example" = {"token_id": example::TOKEN_ID}))]
pub(crate) struct Question {
    #[schemars(length(min = 1, max = 256))]
    token_id: Option<String>,
    #[schemars(length(min = 1, max = 256))]
    mark_id: Option<String>,
    #[schemars(length(min = 1, max = 256))]
    layer: Option<String>,
    #[schemars(length(min = 1, max = 256))]
    perceptual_hash: Option<String>,
}

/// Whose copy it is.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum Attributed {
    Hit(Box<Hit>),
    Miss(Miss),
}

/// The file.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct Hit {
    found: True,
    file_id: String,
    recipient_id: String,
    issuer_id: String,
    #[schemars(with = "Stored")]
    manifest: Value,
    /// The same as `events`.
    recent_events: Vec<RecentEvent>,
    /// The last events, newest first, at most 50.
    events: Vec<RecentEvent>,
}

/// Nobody's.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct Miss {
    /// False.
    #[schemars(extend("const" = false))]
    pub(crate) found: bool,
}

/// An event, in short.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct RecentEvent {
    kind: String,
    source_ip: Option<String>,
    user_agent: Option<String>,
    timestamp: i64,
    #[schemars(with = "UtcText")]
    qualified_timestamp: String,
    tlog_index: u64,
}

/// A resolved token. Members that are not named here are ignored.
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("example" = {"token_id": example::TOKEN_ID, "qtype": "A", "qname": "t.example.org"}))]
pub(crate) struct DnsEvent {
    #[schemars(length(min = 1, max = 256))]
    token_id: String,
    #[schemars(length(max = 256))]
    client_ip: Option<String>,
    #[schemars(length(max = 256))]
    qtype: Option<String>,
    #[schemars(length(max = 256))]
    qname: Option<String>,
}

/// An event is in the log.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct Logged {
    pub(crate) ok: True,
    /// Index of the leaf.
    pub(crate) tlog_index: u64,
}

/// Everything about one file.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct Bundle {
    file_id: String,
    #[schemars(with = "UtcText")]
    bundle_generated_at: String,
    #[schemars(with = "Hex32")]
    registry_pub: String,
    #[schemars(with = "Stored")]
    manifest: Value,
    beacons: Vec<BeaconRow>,
    watermarks: Vec<WatermarkRow>,
    /// By time, then by id.
    events: Vec<EventRow>,
    tlog_head: Head,
    /// One for each event.
    tlog_proofs: Vec<EventProof>,
    disclaimer: String,
    /// One for each registration of the file; on the announced wire.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Vec<Receipt>")]
    registration_receipts: Option<Vec<Receipt>>,
    /// Of the last registration, where it was attested.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Attestation")]
    rekor: Option<Attestation>,
    /// Over the canonical form of all the other members.
    #[schemars(with = "Hex64")]
    bundle_signature_ed25519: String,
}

/// A beacon, as stored.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct BeaconRow {
    token_id: String,
    file_id: String,
    recipient_id: String,
    issuer_id: String,
    kind: String,
    registered_at: i64,
}

/// A watermark, as stored.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct WatermarkRow {
    mark_id: String,
    layer: String,
    file_id: String,
    recipient_id: String,
    issuer_id: String,
    registered_at: i64,
}

/// An event, as stored.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct EventRow {
    id: u64,
    token_id: String,
    file_id: Option<String>,
    recipient_id: Option<String>,
    issuer_id: Option<String>,
    kind: String,
    source_ip: Option<String>,
    user_agent: Option<String>,
    /// JSON text: `{}`, or `qname` and `qtype` of a DNS event.
    extra: Option<String>,
    timestamp: i64,
    #[schemars(with = "Option<UtcText>")]
    qualified_timestamp: Option<String>,
    tlog_index: Option<u64>,
}

/// Inclusion proof of an event.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct EventProof {
    /// Position in `events`, from 0.
    event_row: u64,
    tlog_index: u64,
    proof: InclusionProof,
    /// The same as `proof`, under the specification's name.
    inclusion: InclusionProof,
}

/// A tree head.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct Head {
    size: u64,
    #[schemars(with = "Hex32")]
    root: String,
    #[schemars(with = "Hex64")]
    signature: String,
    /// `{"root":"…","size":…}`.
    signed_message: String,
}

/// An inclusion proof (RFC 9162, section 2.1.3): siblings from the leaf upwards.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct InclusionProof {
    index: u64,
    #[schemars(with = "Hex32")]
    leaf_hash: String,
    #[schemars(with = "Vec<Hex32>")]
    proof: Vec<String>,
    #[schemars(with = "Hex32")]
    root: String,
    tree_size: u64,
}

/// A consistency proof (RFC 9162, section 2.1.4).
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct ConsistencyProof {
    first: u64,
    second: u64,
    #[schemars(with = "Hex32")]
    first_root: String,
    #[schemars(with = "Hex32")]
    second_root: String,
    #[schemars(with = "Vec<Hex32>")]
    proof: Vec<String>,
}

/// Leaves, in order and without gaps.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct Range {
    start: u64,
    /// Length of `entries`.
    count: u64,
    entries: Vec<Entry>,
}

/// A leaf.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct Entry {
    index: u64,
    #[schemars(with = "Hex32")]
    leaf_hash: String,
    leaf_data: String,
    /// The exact bytes, in lower-case hexadecimal.
    leaf_data_hex: String,
}

/// Semantic marks.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct Candidates {
    #[schemars(with = "UtcText")]
    generated_at: String,
    /// Length of `candidates`.
    count: u64,
    candidates: Vec<Candidate>,
    /// Where there are more: what to ask for with `before`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    next: Option<String>,
}

/// A semantic mark.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct Candidate {
    mark_id: String,
    file_id: String,
    recipient_id: String,
    registered_at: i64,
}

/// A licence is valid.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct Valid {
    pub(crate) valid: True,
}
