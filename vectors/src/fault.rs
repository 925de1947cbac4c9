//! Deliberate defects, harmless differences and hollow registries, as data: what is rewritten, when, and into what.
//!
//! A rewriting has rules. A rule acts at one stage of an exchange, on some calls of the wire profile, under conditions, and
//! takes its steps in order:
//!
//! ```text
//! client ──request──▶ [request] ──▶ registry ──answer──▶ [answer] ──▶ client
//!                                      │
//!                       [event] [leaf] [head] [bundle]     before the registry writes, hashes or signs them
//! ```
//!
//! Places are JSON Pointers in which the token `*` stands for every item and `-1` for the last one.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::reference::{Reference, references};

/// `faults/*.yaml`.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FaultFile {
    /// The faults.
    pub faults: Vec<Fault>,
}

/// One deliberate defect.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Name, as for `assayer serve --fault`.
    pub id: String,
    /// What a registry with it does, in one line.
    pub does: String,
    /// What is broken.
    pub kind: FaultKind,
    /// The check that must notice it.
    pub killed_by: String,
    /// The rules of the rewriting; without any, it is a switch of the reference registry with the same name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rewrite: Vec<Rule>,
}

/// What a fault breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// Accepts what must be refused, refuses what must be accepted, or says the wrong reason.
    Admission,
    /// The members and values of one answer.
    Answer,
    /// Who may do what.
    Authorization,
    /// Two answers that contradict each other.
    CrossDocument,
    /// Keys, signatures, and the bytes that are signed.
    Cryptography,
    /// Heads, proofs, leaves and ranges of the log.
    Log,
    /// Events that are not recorded, or not as they were.
    Recording,
    /// Statuses, header fields, content types, methods.
    Transport,
}

impl FaultKind {
    /// Every kind, in alphabetical order.
    pub const ALL: [Self; 8] = [
        Self::Admission,
        Self::Answer,
        Self::Authorization,
        Self::CrossDocument,
        Self::Cryptography,
        Self::Log,
        Self::Recording,
        Self::Transport,
    ];

    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admission => "admission",
            Self::Answer => "answer",
            Self::Authorization => "authorization",
            Self::CrossDocument => "cross-document",
            Self::Cryptography => "cryptography",
            Self::Log => "log",
            Self::Recording => "recording",
            Self::Transport => "transport",
        }
    }
}

/// `variants.yaml`: differences that no sentence forbids, and registries that do nothing.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VariantFile {
    /// What a conforming registry may do otherwise: no required check may fail.
    #[serde(default)]
    pub variants: Vec<Variant>,
    /// Registries that have nothing inside: no check that shows something may pass.
    #[serde(default)]
    pub hollow: Vec<Hollow>,
}

/// One difference that no sentence forbids.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    /// Name.
    pub id: String,
    /// What a registry with it does, in one line.
    pub does: String,
    /// The rules of the rewriting.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rewrite: Vec<Rule>,
    /// How the reference registry is set up.
    #[serde(default, skip_serializing_if = "Setup::is_usual")]
    pub setup: Setup,
}

/// How the reference registry is set up for a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Setup {
    /// So many events of others stand in the log before the run begins.
    #[serde(default)]
    pub earlier_events: u64,
    /// Somebody else opens beacons while the run lasts.
    #[serde(default)]
    pub other_writer: bool,
    /// No operator token is configured.
    #[serde(default)]
    pub without_operator_token: bool,
    /// No secret for DNS events is configured.
    #[serde(default)]
    pub without_dns_event_secret: bool,
}

impl Setup {
    /// Whether nothing is out of the ordinary.
    #[must_use]
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

/// One registry that has nothing inside.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hollow {
    /// Name.
    pub id: String,
    /// What it does, in one line.
    pub does: String,
    /// What it answers with.
    pub answers: HollowAnswers,
    /// The rules that make its answers, for `rules`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rewrite: Vec<Rule>,
    /// Checks that it may pass.
    pub may_pass: MayPass,
}

/// Where a hollow registry has its answers from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum HollowAnswers {
    /// Nobody listens.
    Nothing,
    /// An earlier run with an honest registry, call by call.
    Recording,
    /// Its rules, which answer every request.
    Rules,
}

/// Which checks a hollow registry may pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MayPass {
    /// None.
    Nothing,
    /// Those that say of themselves that a constant answer passes them.
    Trivial,
    /// Those, and all that neither send nor expect anything that is drawn anew in each run.
    Unbound,
    /// Those that ask for nothing that the verifier establishes: there is no cryptography to find.
    NotCryptographic,
}

/// What happens at one stage of an exchange.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Where it acts.
    #[serde(default)]
    pub at: Stage,
    /// Calls of the wire profile that it acts on; every request, if there are none. Other stages than `request` and `answer`
    /// belong to no call.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<String>,
    /// Under which conditions.
    #[serde(default, skip_serializing_if = "When::is_always")]
    pub when: When,
    /// What it does, in order.
    pub then: Vec<Step>,
}

/// Where a rule acts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// On the request, before it reaches the registry.
    Request,
    /// On the answer, before it reaches the client.
    #[default]
    Answer,
    /// On an event, before its row and its leaf are written (reference registry only).
    Event,
    /// On a leaf, before it is appended (reference registry only).
    Leaf,
    /// On a tree head, before it is signed (reference registry only).
    Head,
    /// On an evidence bundle, before it is signed (reference registry only).
    Bundle,
}

impl Stage {
    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Answer => "answer",
            Self::Event => "event",
            Self::Leaf => "leaf",
            Self::Head => "head",
            Self::Bundle => "bundle",
        }
    }

    /// Whether it lies inside of the registry, where no proxy can reach.
    #[must_use]
    pub fn is_inside(self) -> bool {
        !matches!(self, Self::Request | Self::Answer)
    }
}

/// Conditions; all that are given must hold.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct When {
    /// The registry answers with this status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The registry answers with a status of 200 to 299, or with another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<bool>,
    /// The method of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Path and query of the request match (`*` and `?`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Header fields of the request match.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// Header fields that the request does not have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without_headers: Vec<String>,
    /// Values in the JSON body of the request.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub request: BTreeMap<String, Json>,
    /// Places that the JSON body of the request has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub request_has: Vec<String>,
    /// Places that the JSON body of the request does not have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub request_lacks: Vec<String>,
    /// The body of the request has at least so many bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_bytes: Option<usize>,
    /// Values in the document: the JSON body of the answer, the event, the leaf, the head or the bundle.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub document: BTreeMap<String, Json>,
    /// Places that the document has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub document_has: Vec<String>,
    /// Which of the exchanges that meet all other conditions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turns: Option<Turns>,
}

impl When {
    /// Whether nothing is asked.
    #[must_use]
    pub fn is_always(&self) -> bool {
        *self == Self::default()
    }
}

/// Which of several turns, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Turns {
    /// The first.
    #[serde(default = "one")]
    pub from: u64,
    /// The last; without it, there is no last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<u64>,
    /// Every so many, beginning with the first.
    #[serde(default = "one")]
    pub every: u64,
}

fn one() -> u64 {
    1
}

impl Turns {
    /// Whether turn number `turn` is one of them.
    #[must_use]
    pub fn includes(&self, turn: u64) -> bool {
        turn >= self.from
            && self.to.is_none_or(|to| turn <= to)
            && (turn - self.from).is_multiple_of(self.every.max(1))
    }
}

/// One thing that a rule does. Texts and values may hold references:
///
/// `$request`, `$document` (as they are before the rule), `$path.NAME` (a variable of the path), `$header.NAME` (of the request),
/// `$first.CALL` and `$latest.CALL` (the registry's first and latest answers of 2xx to a call, this one left out),
/// `$first.STAGE` and `$latest.STAGE` (the same for the documents of a stage inside of the registry), `$random.N` (N random bytes in hexadecimal), and `$time.S` (now plus S seconds, as `2026-01-31T12:00:00Z`).
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Step {
    /// Puts a value at a place of the document (`/list/-` after the last item); at stage `request`, of its JSON body.
    Set {
        /// The place; its parent must be there.
        at: String,
        /// The value.
        to: Json,
    },
    /// Takes a member or an item away.
    Remove {
        /// The place.
        at: String,
    },
    /// Gives a member another name.
    Rename {
        /// The place.
        at: String,
        /// The new name.
        to: String,
    },
    /// Makes another value of the value at a place.
    Change {
        /// The place.
        at: String,
        /// How.
        by: Function,
    },
    /// Another status.
    Status(u16),
    /// Another method (stage `request`).
    Method(String),
    /// Another path and query (stage `request`).
    Target(String),
    /// Sets a header field; replaces those of the same name.
    Header {
        /// Its name.
        name: String,
        /// Its value.
        to: String,
    },
    /// Takes a header field away.
    RemoveHeader(String),
    /// Another body, as it is.
    Text(String),
    /// Another body, written in hexadecimal.
    Hex(String),
    /// Another body, in JSON.
    Json(Json),
    /// Answers without asking the registry (stage `request`); the steps after it act on this answer.
    Answer(u16),
    /// Answers with what was sent (stage `request`).
    Echo,
    /// Answers with the registry's own earlier answer to the same call (stage `answer`).
    Repeat(Earlier),
    /// Sends the request to the registry twice; the second answer counts (stage `request`).
    Twice,
    /// Sends another request to the registry first, and forgets its answer (stage `request`).
    AlsoSend {
        /// Method.
        method: String,
        /// Path and query.
        target: String,
        /// JSON body.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        json: Option<Json>,
    },
    /// Writes the same JSON in another way.
    Spell(Spelling),
    /// Sends the same answer in another way.
    Send(Sending),
    /// Waits so many milliseconds.
    Wait(u64),
}

/// Which earlier answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Earlier {
    /// The first one to this call.
    First,
    /// The one before.
    Previous,
}

/// How a value becomes another. Where it does not apply (no text, no list, too short), the value stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Function {
    /// A number plus 1.
    Increment,
    /// A number minus 1.
    Decrement,
    /// A number with the other sign.
    Negate,
    /// A number, boolean or null as the text of it.
    AsText,
    /// A text as the number in it.
    AsNumber,
    /// An integer as `1.0`.
    AsFraction,
    /// Whether there is something: `false` for 0, null and what is empty, otherwise `true`.
    AsBoolean,
    /// A value as a list of it alone.
    AsList,
    /// A text or list without what is in it; an object without its members.
    Empty,
    /// A hexadecimal text with its last digit changed.
    FlipHex,
    /// A hexadecimal text with its first digit changed.
    FlipFirstHex,
    /// As many random hexadecimal digits as the text has characters.
    RandomHex,
    /// A text in capital letters.
    UpperCase,
    /// A text without its last two characters.
    Shorten,
    /// A text with two zeros at its end.
    Lengthen,
    /// Two halves of a text, the second first.
    SwapHalves,
    /// A list without its first item.
    DropFirst,
    /// A list without its last item.
    DropLast,
    /// A list without the item in its middle.
    DropMiddle,
    /// A list of its first item alone.
    KeepFirst,
    /// A list with its first item once more at its end.
    RepeatFirst,
    /// A list with its last item once more.
    RepeatLast,
    /// A list with its first two items exchanged.
    SwapFirstTwo,
    /// A list with its last two items exchanged.
    SwapLastTwo,
    /// A list in the opposite order.
    Reverse,
}

/// Another way to write the same JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Spelling {
    /// With line breaks and indentation.
    Pretty,
    /// With blanks, tabs and line breaks wherever they are allowed.
    Spaced,
    /// Members in alphabetical order.
    Sorted,
    /// Members in the opposite order.
    ReverseMembers,
    /// Every character that is no ASCII letter or digit as `\uXXXX`.
    Escaped,
    /// `/` as `\/`.
    EscapedSlashes,
    /// With a byte order mark in front (not allowed by RFC 8259).
    ByteOrderMark,
    /// With something behind it.
    TrailingGarbage,
    /// With its first member once more, at the end.
    DuplicateMember,
    /// Cut off in its middle.
    Truncated,
}

/// Another way to send the same answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Sending {
    /// In chunks, without a length.
    Chunked,
    /// Without a length, up to the end of the connection.
    UntilClosed,
    /// Compressed with gzip.
    Gzip,
    /// And the connection is closed.
    Close,
    /// Header fields with upper-case names.
    UpperCaseNames,
    /// Header fields with names in title case.
    TitleCaseNames,
    /// Header fields in the opposite order.
    HeadersReversed,
    /// With a status line without a reason phrase.
    NoReason,
    /// The connection is closed after half of the body.
    Broken,
    /// The connection is closed without an answer.
    Nothing,
    /// As one packet for each byte.
    ByteByByte,
}

impl Rule {
    /// Every reference in what it sends.
    #[must_use]
    pub fn references(&self) -> Vec<Reference> {
        self.then.iter().flat_map(Step::references).collect()
    }
}

impl Step {
    fn references(&self) -> Vec<Reference> {
        let of_text = |text: &str| references(&Json::from(text));
        match self {
            Self::Set { to, .. } | Self::Json(to) => references(to),
            Self::Header { to, .. } | Self::Text(to) | Self::Target(to) => of_text(to),
            Self::AlsoSend { target, json, .. } => {
                let mut found = of_text(target);
                found.extend(json.iter().flat_map(references));
                found
            }
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_are_counted_from_one() {
        let turns = |from, to, every| Turns { from, to, every };
        let included = |turns: Turns| (1..=7).filter(|turn| turns.includes(*turn)).collect::<Vec<_>>();
        assert_eq!(included(turns(1, None, 1)), [1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(included(turns(2, None, 2)), [2, 4, 6]);
        assert_eq!(included(turns(3, Some(5), 1)), [3, 4, 5]);
        assert_eq!(included(turns(2, Some(2), 0)), [2]);
    }
}
