//! The types of the data files. Unknown members are refused everywhere; the JSON Schemas are generated from here.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::OnceLock;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use crate::fault::{Fault, Hollow, Variant};
use crate::reference::{Reference, references, references_in_text};

/// Everything that makes up one suite, loaded and linted.
#[derive(Clone, Debug)]
pub struct Suite {
    /// Name of the suite, as in `oversight-v1@strict`.
    pub name: String,
    /// The folder that it was loaded from, if not from the program itself.
    pub folder: Option<PathBuf>,
    /// One line on what it is about.
    pub title: String,
    /// The groups of checks, in the order of reports.
    pub groups: Vec<Group>,
    /// What every report repeats.
    pub does_not_prove: Vec<String>,
    /// Values drawn anew in each run.
    pub values: BTreeMap<String, ValueSource>,
    /// Documents built from templates and values.
    pub fixtures: Vec<Fixture>,
    /// Readings of one state of the target.
    pub readings: Vec<Reading>,
    /// The one registration of a canary run.
    pub canary: Option<String>,
    /// What can be sent.
    pub exchanges: Vec<Exchange>,
    /// What can be judged.
    pub checks: Vec<Check>,
    /// The normative sentences.
    pub requirements: Vec<Requirement>,
    /// Implementations that sentences speak of, by name.
    pub implementations: BTreeMap<String, String>,
    /// Frozen lists of checks.
    pub editions: Vec<Edition>,
    /// Dialects.
    pub wires: Vec<Wire>,
    /// Deliberate defects.
    pub faults: Vec<Fault>,
    /// Differences that no sentence forbids.
    pub variants: Vec<Variant>,
    /// Registries that have nothing inside.
    pub hollow: Vec<Hollow>,
    /// What was called otherwise once.
    pub renames: Renames,
    /// SHA-256 (hexadecimal) over the names and bytes of all its files.
    pub digest: String,
    /// SHA-256 (hexadecimal) over the bytes of `requirements.yaml`.
    pub requirements_digest: String,
    /// Its files as they were read: path within the suite's folder, with `/`, and text. An archive keeps them.
    pub files: BTreeMap<String, String>,
    /// Where exchanges stand.
    pub(crate) places: Places,
}

/// Where the exchanges of a suite stand in its list, by name; looked up once, for a run asks thousands of times.
#[derive(Debug, Default)]
pub(crate) struct Places(OnceLock<HashMap<String, usize>>);

/// Whoever copies a suite may change the copy.
impl Clone for Places {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Places {
    /// The exchange of that name. A list that was changed since is searched.
    pub(crate) fn find<'e>(&self, exchanges: &'e [Exchange], id: &str) -> Option<&'e Exchange> {
        let all =
            || exchanges.iter().enumerate().rev().map(|(at, exchange)| (exchange.id.clone(), at)).collect();
        let places = self.0.get_or_init(all);
        let known = places.get(id).and_then(|at| exchanges.get(*at)).filter(|exchange| exchange.id == id);
        let is_changed = places.len() != exchanges.len() || known.is_none() && places.contains_key(id);
        known.or_else(|| exchanges.iter().find(|exchange| is_changed && exchange.id == id))
    }
}

/// `renames.yaml`: what was called otherwise once, so that older archives can be compared with newer ones.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Renames {
    /// Checks.
    pub checks: Vec<Rename>,
    /// Exchanges.
    pub exchanges: Vec<Rename>,
}

/// One name that changed.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rename {
    /// The older name, which nothing has now.
    pub from: String,
    /// The name now.
    pub to: String,
}

impl Renames {
    /// What a check is called now.
    #[must_use]
    pub fn check<'n>(&'n self, name: &'n str) -> &'n str {
        now(&self.checks, name)
    }

    /// What an exchange is called now.
    #[must_use]
    pub fn exchange<'n>(&'n self, name: &'n str) -> &'n str {
        now(&self.exchanges, name)
    }
}

fn now<'n>(renames: &'n [Rename], name: &'n str) -> &'n str {
    renames.iter().find(|rename| rename.from == name).map_or(name, |rename| rename.to.as_str())
}

/// `suite.yaml`.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SuiteFile {
    /// Name of the suite.
    pub suite: String,
    /// One line on what it is about.
    pub title: String,
    /// The groups of checks, in the order of reports.
    pub groups: Vec<Group>,
    /// What a pass does not prove; every report repeats it.
    pub does_not_prove: Vec<String>,
    /// Values drawn anew in each run; `$name` refers to one.
    pub values: BTreeMap<String, ValueSource>,
    /// Documents built from templates; `$name#/pointer` refers to a part of one.
    pub fixtures: Vec<Fixture>,
    /// Readings of one state of the target.
    #[serde(default)]
    pub readings: Vec<Reading>,
    /// The exchange that is the one registration of a canary run. What it sends says that it is of a conformance run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canary: Option<String>,
}

/// Exchanges that together show one state of a target which others may be changing. If what was seen first and last
/// differs, the state moved, and the reading is taken again.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reading {
    /// Name; exchanges say that they belong to it.
    pub id: String,
    /// Taken after everything that does not itself wait for it, so that nothing is sent behind its back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub last_of_all: bool,
    /// Reference to what is seen first, as `$head#/size`.
    pub first: String,
    /// Reference to the same, seen last.
    pub last: String,
    /// Reason codes of the verifier that a moving target can bring about without being at fault.
    pub races: Vec<String>,
}

/// A group of checks.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Stable name.
    pub id: String,
    /// As shown to people.
    pub title: String,
}

/// Where a value comes from.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", tag = "random")]
pub enum ValueSource {
    /// A version 4 UUID.
    Uuid {},
    /// Lower-case hexadecimal text.
    Hex {
        /// How many random bytes.
        bytes: usize,
    },
    /// An Ed25519 key: an object with the member `public` (hexadecimal). The private part never leaves the recorder.
    Ed25519 {},
}

/// A document built freshly in each run.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fixture {
    /// Name; `$name` refers to it.
    pub id: String,
    /// The document, with references; or, with `of`, absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<Json>,
    /// Another fixture's template to start from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// JSON Patch (RFC 6902) applied before signing: a differently signed document.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<PatchOperation>,
    /// The value (an Ed25519 key) that signs the document as a manifest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign: Option<String>,
    /// Canonicalization that is signed, if not the wire profile's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheme: Option<String>,
    /// What becomes of the signature members in the signed bytes.
    #[serde(default, skip_serializing_if = "SignedForm::is_blanked")]
    pub signed_form: SignedForm,
    /// JSON Patch applied after signing: a broken document.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<PatchOperation>,
}

/// What becomes of the members `signature_ed25519` and `signature_ml_dsa` in the bytes that are signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SignedForm {
    /// They are empty texts, as every implementation has it.
    #[default]
    Blanked,
    /// They are left out, as the specification's text has it.
    Removed,
}

impl SignedForm {
    // serde hands over a reference.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
    fn is_blanked(&self) -> bool {
        *self == Self::Blanked
    }
}

/// One operation of a JSON Patch (RFC 6902 section 4), or one of our own on the text at `path`; `value` may hold
/// references.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PatchOperation {
    /// `add`, `remove`, `replace`, `move`, `copy` or `test`; or, of our own:
    /// `flip-bit` (of the bytes that the text is the hexadecimal form of; `bit` counts from the lowest of the first),
    /// `cut` (the last `count` characters), `append` (the text `value`), `upper-case`,
    /// `add-order` (the order of the group to the second half of an Ed25519 signature in hexadecimal).
    pub op: String,
    /// JSON Pointer of the place.
    pub path: String,
    /// JSON Pointer of the source of `move` and `copy`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The new value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Json>,
    /// Which bit `flip-bit` flips.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bit: Option<usize>,
    /// How many characters `cut` takes away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<usize>,
}

/// One change of the bytes of a body. Texts may hold references.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Damage {
    /// Bytes at the end, in hexadecimal.
    Append(String),
    /// So many bytes are taken away at the end.
    Cut(usize),
    /// Bytes at the beginning, in hexadecimal.
    Prepend(String),
    /// The first place where a text stands.
    Replace(Replacement),
}

/// A text that is replaced.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Replacement {
    /// The text.
    pub text: String,
    /// What stands there then.
    #[serde(default)]
    pub with: String,
    /// Bytes in hexadecimal after `with`.
    #[serde(default)]
    pub with_hex: String,
}

/// `checks/*.yaml`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckFile {
    /// Values that these checks draw beside those of `suite.yaml`.
    #[serde(default)]
    pub values: BTreeMap<String, ValueSource>,
    /// Documents that they build; they may start from those of `suite.yaml` and of files before this one.
    #[serde(default)]
    pub fixtures: Vec<Fixture>,
    /// What these checks need sent.
    #[serde(default)]
    pub exchanges: Vec<Exchange>,
    /// The checks.
    #[serde(default)]
    pub checks: Vec<Check>,
}

/// What a conforming target stores when it answers an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// Nothing.
    None,
    /// An event and a leaf of the log.
    RecordsEvent,
    /// A registration and a leaf of the log.
    Registers,
}

/// One request, and thereby one answer, of a run.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Exchange {
    /// Name; `$name#/pointer` refers to the JSON body of its answer.
    pub id: String,
    /// What a conforming target stores.
    pub effect: Effect,
    /// What is sent; absent with `twin`, whose request is taken over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Request>,
    /// The accepted sibling: the same request without the defect. It must be accepted in the same run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub twin: Option<String>,
    /// JSON Patch on the twin's JSON body: the single defect.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub defect: Vec<PatchOperation>,
    /// Changes of the bytes of the body: the single defect, where it is not one of the JSON value.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub damage: Vec<Damage>,
    /// Exchanges that must have been accepted before; otherwise this one is not sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<String>,
    /// Exchanges that come first if they are sent at all; `refused-*` stands for all whose names begin like that.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<String>,
    /// All exchanges with the same text here are sent at the same moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub together: Option<String>,
    /// What an accepted answer says beside its status, by JSON Pointer: whoever repeats the success of another has accepted
    /// nothing.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub accepted: BTreeMap<String, Json>,
    /// Sent once for each of several numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub each: Option<Each>,
    /// The reading that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reading: Option<String>,
    /// Sent up to so many times as fast as it goes, until one answer is 429. That answer is recorded, or the last. Comes
    /// after everything else, so that no other exchange meets the limit. `{nth}` in a header field is the number of the request, from
    /// 1 to 250 and again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub burst: Option<u32>,
}

/// Repetition of an exchange: `$each` is 0, `step`, `2·step`, … below `below`.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Each {
    /// The number that is not reached: a reference, as `$tlog-head#/size`, or the number itself. In pointers, `{each}` stands for
    /// the number of the turn.
    pub below: String,
    /// Distance between two numbers.
    #[serde(default = "one")]
    pub step: u64,
    /// At most so many are sent.
    pub most: u64,
    /// What is done when there are more.
    pub beyond: Beyond,
}

/// What is done when an exchange would have to be sent more often than its bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Beyond {
    /// The first, the last, and a random choice of those between.
    Sample,
    /// None is sent: a part would show nothing.
    Nothing,
}

fn one() -> u64 {
    1
}

/// What is sent. Strings may hold references: `$name`, `$name#/pointer`, and `${name}` within a text.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Operation of the wire profile.
    pub call: String,
    /// Variables of the path template.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub path: BTreeMap<String, String>,
    /// Query parameters.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub query: BTreeMap<String, String>,
    /// Header fields beyond the usual ones.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// JSON body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub json: Option<Json>,
    /// Body as it is, sent as `application/json`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Method other than the call's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Which secret is sent where the call may need one; the right one, if the run has it, when nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<SecretUse>,
    /// Credentials that are sent instead of the usual one, in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub credentials: Vec<Credential>,
}

/// One credential of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Credential {
    /// The header field that carries it.
    #[serde(rename = "in")]
    pub field: CredentialField,
    /// What stands in that field.
    pub is: CredentialText,
}

/// A header field that carries a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CredentialField {
    /// `Authorization`, without any scheme.
    Bare,
    /// `Authorization`, with the scheme `Bearer`.
    Bearer,
    /// The same with the scheme in lower case, which is the same scheme (RFC 9110, section 11.1).
    LowerCaseBearer,
    /// `Authorization`, with the scheme `Token`, under which nobody asked for anything.
    OtherScheme,
    /// The registry's own field for this secret.
    OwnField,
}

/// What is sent in place of a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CredentialText {
    /// No character at all.
    Empty,
    /// The secret with one character more.
    Longer,
    /// What opens the other guarded routes: the secret for DNS events in place of the operator's token, and the other way round. One
    /// drawn at random, where the run does not know it or both are one.
    OfOtherRoutes,
    /// The secret with its letters in the other case.
    OtherCase,
    /// The secret without its last character.
    Prefix,
    /// The secret.
    Right,
    /// One drawn at random, that nobody knows.
    Wrong,
}

/// Which secret is sent with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SecretUse {
    /// None at all.
    None,
    /// One drawn at random, that nobody knows.
    Wrong,
}

/// One named test case: it judges exchanges and sends nothing.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// Stable name.
    pub id: String,
    /// Its group.
    pub group: String,
    /// Requirements whose sentences it tests. All have the same keyword, and that is the check's.
    pub requirements: Vec<String>,
    /// Why a user should care, in one sentence.
    pub why: String,
    /// Why it is kept although every fault that it notices is noticed by another check too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redundant: Option<String>,
    /// Where the condition is weaker than the sentence, and how: frozen editions assert what they always did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weak: Option<String>,
    /// Capabilities of the run without which it does not apply.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requires: Vec<Capability>,
    /// Why a registry that has nothing inside passes it too: what a constant answer can satisfy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trivial: Option<String>,
    /// Exchanges that must have been answered, in whatever way; `refused-*` stands for all whose names begin like that.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sent: Vec<String>,
    /// Exchanges that must have been accepted, beyond those that are judged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<String>,
    /// Exchanges that a registry may refuse: where it refuses one of them, the check does not apply.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub only_if_accepted: Vec<String>,
    /// All of these must hold.
    pub expect: Vec<Expectation>,
    /// Other conditions under which editions know this check.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub variants: BTreeMap<String, Vec<Expectation>>,
}

/// What a run may have or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Capability {
    /// The target is reached at an address that is not on the loopback interface.
    BeyondLoopback,
    /// The target has an operator's token, and the run knows it.
    OperatorToken,
    /// The target has a secret for DNS events, and the run knows it.
    DnsEventSecret,
    /// The caller has named files that are registered already (`$given`).
    GivenFiles,
}

impl Capability {
    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BeyondLoopback => "beyond-loopback",
            Self::OperatorToken => "operator-token",
            Self::DnsEventSecret => "dns-event-secret",
            Self::GivenFiles => "given-files",
        }
    }

    /// What is so when a run does not have it.
    #[must_use]
    pub fn absence(self) -> &'static str {
        match self {
            Self::BeyondLoopback => "the target is on the loopback interface",
            Self::OperatorToken => "the run has no operator-token",
            Self::DnsEventSecret => "the run has no dns-event-secret",
            Self::GivenFiles => "the run was given no files that are registered already",
        }
    }
}

/// Conditions on one exchange; all that are given must hold.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    /// The exchange that is judged; with `each`, every one of its answers.
    pub exchange: String,
    /// Judged instead: answers to other exchanges too, all that the run saw; `exchange` is sent, so that there is a run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wherever: Option<Wherever>,
    /// The status is this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The status is one of these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub status_in: Vec<u16>,
    /// The statuses of this exchange and of others are these, in any order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statuses: Option<Statuses>,
    /// A condition on a header field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<HeaderExpectation>,
    /// The answer is this error: status, envelope and code as the wire profile has them, and a message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The answer is one of these errors, where the specification leaves open which.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub error_in: Vec<String>,
    /// The answer may also be one of these errors; if it is, nothing else is expected of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unless_error: Vec<String>,
    /// The answer is an error in the envelope, with a known code under whatever status.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub envelope: bool,
    /// The media type of the body, parameters set aside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media: Option<String>,
    /// JSON Schema of the whole body as one text; a body that is not UTF-8 fits none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Json>,
    /// The body is a PNG image that can be decoded, of this size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub png: Option<Png>,
    /// JSON Pointer of the value that `schema`, `equals`, `at_least`, `length_of`, `within_run` and `sent_before` speak of;
    /// the whole body if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// JSON Schema of that value; a value that is absent fits no schema.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<Json>,
    /// That value is this one (numbers and texts compared as JSON values, members in any order).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub equals: Option<Json>,
    /// That value is a number that is not below this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<Json>,
    /// That value is the length of the list at this JSON Pointer of the same body, or of the list that a reference means.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length_of: Option<String>,
    /// That value is a time (RFC 3339, or seconds since 1970) at most so many seconds before or after the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within_run: Option<u32>,
    /// The body contains items like this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub find: Option<Find>,
    /// All items of a list are like this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<Every>,
    /// Every tree head that the run saw, wherever it stood, is one of a log that only grew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub growth: Option<Growth>,
    /// The log has a leaf for every request that adds one, and none of this run that no request explains.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger: Option<OfTheLog>,
    /// Sizes and indexes of the log, in whatever answers, follow each other as in one log that grows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sizes: Option<OfTheLog>,
    /// The times that the registry shows, in leaves of this run and in answers, follow each other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<OfTheLog>,
    /// Lists of events are whole: they have whatever the log had of their file before they were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub whole: Option<Whole>,
    /// That value was sent before, in a request that was accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_before: Option<SentBefore>,
    /// The same question, asked again before anything was written, is answered in the same way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeatable: Option<Repeatable>,
    /// The body does not contain this text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lacks: Option<String>,
    /// Layers that the verifier must establish on the answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub established: Vec<String>,
    /// Notes that the verifier must not make on these layers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without_notes: Vec<String>,
    /// Trust anchors for `established`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub under: Option<Under>,
}

/// Answers of a run, whatever exchange they were given to: by the method of the call, and recorded up to the attempt that is
/// judged. In conditions on them `$sent#/pointer` is the body of the request, `$path.name` a variable of its path,
/// `$header.name` one of its fields, `$answer#/pointer` the body of the answer.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Wherever {
    /// Calls of the wire profile; all of them, if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<String>,
    /// The answers that refuse, instead of those of 2xx.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub refused: bool,
    /// JSON Pointers of what the body of the request has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sent_has: Vec<String>,
    /// JSON Pointer below the answer -> value that stands there.
    #[serde(default, rename = "where", skip_serializing_if = "BTreeMap::is_empty")]
    pub condition: BTreeMap<String, Json>,
}

/// The log that something is compared with.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OfTheLog {
    /// Exchange whose answers are its pages.
    pub log: String,
}

/// A list of the newest events of a file.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Whole {
    /// Exchange whose answers are the pages of the log.
    pub log: String,
    /// JSON Pointer of the list.
    #[serde(rename = "in")]
    pub list: String,
    /// JSON Pointer of the list where there is none at `in`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub or_in: Option<String>,
    /// JSON Pointer of the file in the answer.
    pub file: String,
    /// JSON Pointer below an item of its index in the log.
    pub index: String,
    /// So many of the newest are enough.
    pub most: usize,
}

/// A part of an earlier request.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SentBefore {
    /// Call of the wire profile.
    pub call: String,
    /// JSON Pointer of the value in its body.
    pub at: String,
}

/// Questions that have one answer while nothing is written.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Repeatable {
    /// Calls of the wire profile.
    pub calls: Vec<String>,
    /// Calls after which the answer may be another one; all that write, if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub until: Vec<String>,
    /// JSON Pointers of what may differ, `*` for every item.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub except: Vec<String>,
    /// JSON Pointer of a list that may grow -> JSON Pointer below an item of what tells items apart: only those that are in
    /// both answers are compared.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub growing: BTreeMap<String, String>,
}

/// The leaf that an item of a list speaks of.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LeafOf {
    /// Exchange whose answers are the pages of the log.
    pub log: String,
    /// JSON Pointer below the item of its index.
    pub index: String,
    /// JSON Pointer below the leaf -> JSON Pointer below the item, with `#` as in `find`; where the leaf has no such member,
    /// nothing is compared.
    pub same: BTreeMap<String, String>,
    /// JSON Pointer below the leaf -> value.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub has: BTreeMap<String, Json>,
}

/// How several exchanges are answered together.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Statuses {
    /// The other exchanges.
    pub with: Vec<String>,
    /// Their statuses and that of the exchange itself, in any order.
    pub are: Vec<u16>,
}

/// A condition on a header field of the answer.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HeaderExpectation {
    /// Name of the field, any case.
    pub name: String,
    /// Its value is one of these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub one_of: Vec<String>,
    /// JSON Schema of its value as a text; a field that is absent is `null`, one that is repeated is joined by commas.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<Json>,
}

/// Size of an image, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Png {
    /// From left to right.
    pub width: u32,
    /// From top to bottom.
    pub height: u32,
}

/// Items of a list, by what stands in them.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Find {
    /// JSON Pointer of the list.
    #[serde(rename = "in")]
    pub list: String,
    /// JSON Pointer of the list where there is none at `in`: two names are in use for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub or_in: Option<String>,
    /// JSON Pointer below the item -> value; `/a#/b` reads the text at `/a` as JSON and looks at `/b` in it.
    #[serde(rename = "where")]
    pub condition: BTreeMap<String, Json>,
    /// Exactly so many items (over all answers of the exchange).
    pub count: usize,
}

/// All items of a list (over all answers of the exchange), or those that are described.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Every {
    /// JSON Pointer of the list.
    #[serde(rename = "in")]
    pub list: String,
    /// JSON Pointer of the list where there is none at `in`: two names are in use for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub or_in: Option<String>,
    /// Which items are meant, as in `find`; all if absent.
    #[serde(default, rename = "where", skip_serializing_if = "BTreeMap::is_empty")]
    pub condition: BTreeMap<String, Json>,
    /// At least so many items are meant, so that nothing is said of none.
    pub least: usize,
    /// The value of the item that is judged, with `#` as in `find`; the whole item if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// JSON Schema of that value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<Json>,
    /// That value is a time at most so many seconds before or after the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within_run: Option<u32>,
    /// How that value runs from item to item; equal neighbours are in either order. With `wherever`, within each answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<Order>,
    /// No two items have the same value. With `wherever`, within each answer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub distinct: bool,
    /// Items with the same value have the same value at this JSON Pointer too, in whatever answer they stand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identifies: Option<String>,
    /// That value is this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub equals: Option<Json>,
    /// The log has, at the index that the item names, a leaf that says the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leaf: Option<LeafOf>,
}

/// How numbers, or texts, follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// None is smaller than the one before.
    Ascending,
    /// None is greater than the one before.
    Descending,
}

/// Tree heads seen in a run, in the order in which they were seen: in heads, proofs and bundles.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Growth {
    /// Exchange whose answers are the pages of the log.
    pub log: String,
    /// What is made of a size that came with the root of a later tree.
    pub torn: Torn,
}

/// What is made of a head whose size and root were read apart, while somebody else wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Torn {
    /// It says nothing about another log.
    Ignored,
    /// It is what the check looks for.
    Refused,
}

/// What the verifier trusts while it judges an answer.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Under {
    /// Reference to the registry key, as `$well-known#/ed25519_pub`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registry_key: Option<String>,
    /// Reference to the issuer key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer_key: Option<String>,
    /// Reference to the file that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_id: Option<String>,
    /// Exchanges whose answers are tree heads known from elsewhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub heads: Vec<String>,
    /// Exchange whose answers are the pages of the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<String>,
}

/// `requirements.yaml`.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequirementFile {
    /// Names of implementations -> what they are.
    pub implementations: BTreeMap<String, String>,
    /// The sentences.
    pub requirements: Vec<Requirement>,
}

/// One normative sentence, in our words. An id with a dot (`TR-2.file-id`) is a part of the sentence before the dot.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Requirement {
    /// Stable id.
    pub id: String,
    /// Its strength.
    pub keyword: Keyword,
    /// What it demands; of a `FINDING`, what a sound registry does although no sentence says so.
    pub statement: String,
    /// Digest of the sentence ([`Requirement::digest`]) that the checks which cite it were last read against.
    pub reviewed: String,
    /// Where it stands, if not in the interop draft of v0.4.12.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Whether a client can see on the wire that it is kept.
    pub observable: Observable,
    /// Why no check of the strict edition tests it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_tested: Option<String>,
    /// The two readings, where the specification contradicts itself or leaves one open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ambiguous: Option<String>,
    /// Implementation -> what it does instead.
    #[serde(default, rename = "reference-diverges", skip_serializing_if = "BTreeMap::is_empty")]
    pub reference_diverges: BTreeMap<String, String>,
    /// What else a reader should know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remark: Option<String>,
}

impl Requirement {
    /// The first 16 hexadecimal digits of SHA-256 over id, keyword and statement, a line each.
    #[must_use]
    pub fn digest(&self) -> String {
        let sentence = format!("{}\n{}\n{}\n", self.id, self.keyword.as_str(), self.statement);
        Sha256::digest(sentence).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }

    /// Where it stands.
    #[must_use]
    pub fn source(&self) -> &str {
        self.source.as_deref().unwrap_or("Oversight interop draft, v0.4.12")
    }

    /// The id of the sentence that this one is a part of.
    #[must_use]
    pub fn whole(&self) -> Option<&str> {
        self.id.split_once('.').map(|(whole, _)| whole)
    }
}

/// Strength of a requirement (RFC 2119), and one word of our own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema)]
pub enum Keyword {
    /// No sentence demands it: a weakness is reported and decides nothing.
    #[serde(rename = "FINDING")]
    Finding,
    /// Optional.
    #[serde(rename = "MAY")]
    May,
    /// Recommended: when unmet, a warning.
    #[serde(rename = "SHOULD")]
    Should,
    /// Required, or forbidden.
    #[serde(rename = "MUST")]
    Must,
}

impl Keyword {
    /// As in RFC 2119, or `FINDING`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Finding => "FINDING",
            Self::May => "MAY",
            Self::Should => "SHOULD",
            Self::Must => "MUST",
        }
    }
}

/// Whether a requirement can be seen from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Observable {
    /// On the wire.
    Wire,
    /// Not from outside.
    No,
}

/// `editions/*.yaml`: a frozen list of checks, so that a claim can name it.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Edition {
    /// Name after the `@`.
    pub edition: String,
    /// What it stands for, in one line.
    pub title: String,
    /// Wire profile it is meant for.
    pub wire: String,
    /// An exchange whose answer repeats what this run drew. A target that answers it with something else answers nobody, as
    /// a recording does: then no check passes that is not `trivial`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub echo: Option<String>,
    /// The checks, in order.
    pub checks: Vec<Listed>,
}

/// One check of an edition.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Listed {
    /// Name of the check.
    pub id: String,
    /// Name of the variant, if not the check's own conditions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
}

/// `wire/*.yaml`: one dialect of the protocol.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Wire {
    /// Name of the profile.
    pub wire: String,
    /// One line on it.
    pub title: String,
    /// Canonicalization under which issuers sign manifests.
    pub canonicalization: String,
    /// Shape of error answers.
    pub envelope: Envelope,
    /// Errors, by the names that checks use, and the statuses they come with.
    pub errors: BTreeMap<String, u16>,
    /// What the dialect calls them, where that is another name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub codes: BTreeMap<String, String>,
    /// Operations.
    pub calls: BTreeMap<String, Call>,
}

impl Wire {
    /// What the dialect calls an error that checks know as `name`.
    #[must_use]
    pub fn code<'w>(&'w self, name: &'w str) -> &'w str {
        self.codes.get(name).map_or(name, String::as_str)
    }
}

/// Where an error answer says what.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Envelope {
    /// JSON Pointer of the code.
    pub code: String,
    /// JSON Pointer of the message for people.
    pub message: String,
}

/// One operation of a wire profile.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// HTTP method.
    pub method: String,
    /// URI Template (RFC 6570, level 1) of the path.
    pub path: String,
    /// Which secret it may need.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization: Option<Authorization>,
    /// What its answer is to the verifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<Document>,
    /// JSON Pointer below the leaf that an accepted request adds -> what stands there, in references as in `wherever`.
    /// A reference that leads nowhere leaves the member open.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub adds: BTreeMap<String, Json>,
    /// The same of a leaf that it may add or not.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub may_add: BTreeMap<String, Json>,
    /// JSON Pointer of that leaf's index in the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<String>,
    /// JSON Pointer of the moment at which the answer was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// JSON Pointer of the size of the log in the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<String>,
    /// What the registry dates in lists of the answer, that the log dates too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dated: Vec<Dated>,
}

/// A date that stands in each item of a list.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dated {
    /// JSON Pointer of the list in the answer.
    #[serde(rename = "in")]
    pub list: String,
    /// JSON Pointer of the date in an item: RFC 3339, or seconds since 1970.
    pub at: String,
    /// What happened then.
    pub when: DatedBy,
}

/// What the log dates as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DatedBy {
    /// A registration of the item's `/file_id`.
    Registration,
    /// The leaf of the item's `/tlog_index`.
    Leaf,
}

/// Which secret an operation may need.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Authorization {
    /// The operator's token.
    Operator,
    /// The secret of the DNS bridge.
    DnsEvent,
}

/// What an answer is to the verifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Document {
    /// An evidence bundle.
    OversightBundle,
    /// A signed tree head.
    OversightHead,
    /// A consistency proof.
    OversightConsistency,
    /// An inclusion proof.
    OversightProof,
    /// A page of the log.
    OversightLog,
}

impl Exchange {
    /// The request: its own, or that of its twin.
    #[must_use]
    pub fn request_in<'s>(&'s self, suite: &'s Suite) -> Option<&'s Request> {
        self.request.as_ref().or_else(|| suite.exchange(self.twin.as_deref()?)?.request.as_ref())
    }

    /// Every reference in what it sends.
    #[must_use]
    pub fn references(&self, suite: &Suite) -> Vec<Reference> {
        let mut found = Vec::new();
        if let Some(request) = self.request_in(suite) {
            let texts = request.path.values().chain(request.query.values()).chain(request.headers.values());
            found.extend(texts.chain(&request.text).flat_map(|text| references_in_text(text)));
            found.extend(request.json.iter().flat_map(references));
        }
        found
            .extend(self.defect.iter().filter_map(|operation| operation.value.as_ref()).flat_map(references));
        found.extend(self.each.iter().flat_map(|each| references_in_text(&each.below)));
        found.extend(self.damage.iter().flat_map(Damage::references));
        found.extend(self.accepted.values().flat_map(references));
        found
    }

    /// Whether the request is changed before it is sent.
    #[must_use]
    pub fn is_defective(&self) -> bool {
        !self.defect.is_empty() || !self.damage.is_empty()
    }

    /// The names of the exchanges that come before this one, `*` resolved.
    pub fn comes_after<'s>(&'s self, suite: &'s Suite) -> impl Iterator<Item = &'s str> {
        let named = self.needs.iter().chain(&self.after);
        named.flat_map(move |name| suite.exchanges_like(name)).filter(move |name| *name != self.id)
    }

    /// Whether two exchanges are sent at the same moment.
    #[must_use]
    pub fn is_together_with(&self, other: &Self) -> bool {
        self.together.is_some() && self.together == other.together
    }
}

impl Damage {
    /// Every reference in what it puts into a body.
    #[must_use]
    pub fn references(&self) -> Vec<Reference> {
        match self {
            Self::Cut(_) => Vec::new(),
            Self::Append(text) | Self::Prepend(text) => references_in_text(text),
            Self::Replace(replacement) => [&replacement.text, &replacement.with]
                .into_iter()
                .flat_map(|text| references_in_text(text))
                .collect(),
        }
    }
}

impl Expectation {
    /// Whether the answer has to be a rejection with a named reason: then there must be an accepted twin.
    #[must_use]
    pub fn demands_rejection(&self) -> bool {
        self.error.is_some() || !self.error_in.is_empty()
    }

    /// Whether a reference is to the request or the answer that is judged.
    #[must_use]
    pub fn is_of_the_answer(name: &str) -> bool {
        matches!(name, "sent" | "answer" | "length.sent")
            || name.starts_with("path.")
            || name.starts_with("header.")
    }

    /// Every reference in what it compares with, and every exchange that it looks at beside its own.
    #[must_use]
    pub fn references(&self) -> Vec<Reference> {
        let mut found: Vec<Reference> =
            self.equals.iter().chain(&self.at_least).flat_map(references).collect();
        found.extend(self.lacks.iter().flat_map(|text| references_in_text(text)));
        let others = self.statuses.iter().flat_map(|statuses| &statuses.with);
        found.extend(others.map(|name| Reference { name: name.clone(), pointer: String::new() }));
        found.extend(self.find.iter().flat_map(|find| find.condition.values()).flat_map(references));
        found.extend(self.every.iter().flat_map(|every| every.condition.values()).flat_map(references));
        found.extend(self.every.iter().filter_map(|every| every.equals.as_ref()).flat_map(references));
        found.extend(self.length_of.iter().flat_map(|text| references_in_text(text)));
        let leaf = self.every.iter().filter_map(|every| every.leaf.as_ref());
        found.extend(leaf.clone().flat_map(|leaf| leaf.has.values()).flat_map(references));
        let log = self.growth.iter().map(|growth| &growth.log);
        let log = log.chain(self.ledger.iter().chain(&self.sizes).chain(&self.clock).map(|of| &of.log));
        let log = log.chain(self.whole.iter().map(|whole| &whole.log)).chain(leaf.map(|leaf| &leaf.log));
        found.extend(log.map(|name| Reference { name: name.clone(), pointer: String::new() }));
        if let Some(under) = &self.under {
            let texts = [&under.registry_key, &under.issuer_key, &under.file_id];
            found.extend(texts.into_iter().flatten().flat_map(|text| references_in_text(text)));
            let exchanges = under.heads.iter().chain(&under.log);
            found.extend(exchanges.map(|name| Reference { name: name.clone(), pointer: String::new() }));
        }
        found
    }
}
