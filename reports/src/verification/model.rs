//! What a report on evidence says.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::Tool;

/// Version of the report's form: the number grows when a member changes its meaning or disappears.
pub const FORM: &str = "assayer-verify/1";

/// A text that is mostly one of ours, and sometimes from outside.
pub type Text = Cow<'static, str>;

/// How a layer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Recomputed, and it agrees.
    Established,
    /// Nothing was given that could show it either way; never a pass.
    NotEstablished,
    /// Recomputed, and it does not agree.
    Refuted,
}

impl State {
    /// As in the machine-readable report.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Established => "established",
            Self::NotEstablished => "not-established",
            Self::Refuted => "refuted",
        }
    }
}

/// The verdict on one document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every required layer is established under trust anchors that the caller gave.
    Authentic,
    /// Nothing is refuted, but something required is not established.
    Consistent,
    /// The document proves, under a key that the caller gave, that the registry contradicted itself.
    Equivocation,
    /// At least one layer is refuted.
    Refuted,
}

impl Verdict {
    /// As in the machine-readable report.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Authentic => "authentic",
            Self::Consistent => "consistent",
            Self::Equivocation => "equivocation",
            Self::Refuted => "refuted",
        }
    }
}

/// One document, and what was found.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// Path; with `:LINE` for a document of a file of lines, with `/MEMBER` for one of an archive.
    pub path: String,
    /// Kind, as `oversight-bundle`; `unknown` for readable JSON that is no evidence of a known kind; `unreadable` for
    /// what could not be read.
    pub kind: Text,
    /// The verdict; null for a document of no known kind and for what could not be read.
    pub verdict: Option<Verdict>,
    /// Why it could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Its length in bytes, with `--explain`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length: Option<usize>,
    /// SHA-256 (hexadecimal) of its bytes as they were read, with `--explain`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// What a claim says, whether it holds or not; absent for other kinds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<Claimed>,
    /// Layers that are not established, and without which the document is not `authentic`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub open: Vec<Text>,
    /// Layers that the caller requires and that no document of this kind has: they were not asked of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_asked: Vec<Text>,
    /// The layers, in the order in which they build on each other.
    pub layers: Vec<Layer>,
}

impl Document {
    /// What could not be read.
    #[must_use]
    pub fn unreadable(path: String, error: String) -> Self {
        Self {
            path,
            kind: Text::Borrowed("unreadable"),
            verdict: None,
            error: Some(error),
            length: None,
            sha256: None,
            claim: None,
            open: Vec::new(),
            not_asked: Vec::new(),
            layers: Vec::new(),
        }
    }
}

/// What a claim says of its target, whether it holds or not. The texts are from the claim, the counts from the archive.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Claimed {
    /// `PASSED`, `WARNED` or `FAILED`; anything else says nothing.
    pub result: String,
    /// The target: a URL, or `in-process`.
    pub target: String,
    /// Suite and edition.
    pub edition: String,
    /// SHA-256 (hexadecimal) of the suite's data.
    pub suite_digest: String,
    /// When the run began (RFC 3339, UTC).
    pub started_at: String,
    /// How many verdicts rest on what the target signed; absent without an archive that can be judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_signed: Option<usize>,
    /// How many verdicts there are; absent without an archive that can be judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdicts: Option<usize>,
}

impl Claimed {
    /// Whether it says that the target conforms.
    #[must_use]
    pub fn is_favourable(&self) -> bool {
        matches!(self.result.as_str(), "PASSED" | "WARNED")
    }

    /// What is claimed, in words.
    #[must_use]
    pub fn words(&self) -> String {
        let Self { result, target, edition, suite_digest, started_at, .. } = self;
        let day = started_at.split('T').next().unwrap_or_default();
        format!("{result} by {target} on {day}, {edition} (suite SHA-256 {suite_digest})")
    }

    /// What the verdicts rest on, in words, if that is known.
    #[must_use]
    pub fn rests(&self) -> Option<String> {
        let (signed, all) = (self.target_signed?, self.verdicts?);
        Some(format!(
            "{signed} of {all} verdicts rest on what the target signed; the others on the prober's word"
        ))
    }
}

/// One thing that can be established, and how it ended.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Layer {
    /// Name of the layer.
    pub id: Text,
    /// How it ended.
    pub state: State,
    /// Reason code of the first problem; `ok` when established.
    pub code: Text,
    /// Where: a JSON Pointer, `byte N`, or `line N: POINTER`; empty for the whole document.
    pub at: String,
    /// What had to be there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// What was there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
    /// How many problems this layer has, where there are more than the one that is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problems: Option<usize>,
    /// Canonical forms under which a signature fits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub schemes: Vec<Text>,
    /// How the signed document was read before it was written anew.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub readings: Vec<Text>,
    /// What differs between implementations and is no forgery.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
    /// The code in plain words.
    #[serde(skip)]
    pub meaning: Text,
    /// What lies behind it, with `--explain`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explained: Option<Box<Explained>>,
}

/// What lies behind a layer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Explained {
    /// The rule that applies, with its source.
    pub rule: Text,
    /// What was recomputed, in words.
    pub recomputed: String,
    /// What is shown when the layer is established.
    pub establishes: Text,
    /// What is not shown even then.
    pub does_not_establish: Text,
    /// The keys that it rests on.
    pub keys: Vec<Key>,
    /// The bytes that were recomputed.
    pub bytes: Vec<Bytes>,
    /// How many more texts were recomputed than are listed.
    pub more: usize,
}

/// A key that a layer rests on.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// The key, in hexadecimal.
    pub key: String,
    /// JSON Pointer of its place in the document; empty if it is not there.
    pub at: String,
    /// Why it is known.
    pub origin: Origin,
}

/// Where a key came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// The caller named it.
    Pinned,
    /// It is known only from the evidence itself, which is no reason to trust it.
    Evidence,
}

impl Origin {
    /// In words.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pinned => "pinned by you",
            Self::Evidence => "from the evidence itself",
        }
    }
}

/// Bytes that were recomputed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bytes {
    /// What they are.
    pub what: String,
    /// JSON Pointer of what they were rebuilt from.
    pub at: String,
    /// Their length.
    pub length: usize,
    /// Their SHA-256, in hexadecimal.
    pub sha256: String,
    /// The canonical forms that write them.
    pub schemes: Vec<Text>,
    /// The readings that lead to them.
    pub readings: Vec<Text>,
    /// Whether they are what the document's signature or hash is over; null if there was nothing to compare with.
    pub fits: Option<bool>,
    /// Where they first differ from what they were compared with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub difference: Option<Difference>,
}

impl Bytes {
    /// Whether they fit, in words.
    #[must_use]
    pub fn outcome(&self) -> &'static str {
        match self.fits {
            Some(true) => "fits",
            Some(false) => "does not fit",
            None => "nothing to compare with",
        }
    }
}

/// The first byte in which recomputed bytes differ from others.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Difference {
    /// What they were compared with.
    pub with: String,
    /// Offset of the first byte that differs.
    pub offset: usize,
    /// JSON Pointer of the value in the recomputed text that this byte is of.
    pub at: String,
    /// Offset of the first byte that is shown.
    pub from: usize,
    /// Recomputed bytes from there, in hexadecimal.
    pub recomputed_hex: String,
    /// The same as text.
    pub recomputed_text: String,
    /// The other bytes from there, in hexadecimal.
    pub other_hex: String,
    /// The same as text.
    pub other_text: String,
}

/// A remark on something that is no forgery.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Note {
    /// Its code.
    pub code: Text,
    /// JSON Pointer of the place.
    pub at: String,
    /// In words.
    pub text: String,
}

/// The verdict that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Required {
    /// Nothing may be refuted.
    Consistent,
    /// Everything required must be established under keys that the caller gave.
    Authentic,
    /// Every document must be a proof of equivocation that holds under a key that the caller gave.
    Equivocation,
}

/// What the caller trusts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Trusted {
    /// Keys of registries, in hexadecimal.
    pub registry_keys: Vec<String>,
    /// Keys of issuers, in hexadecimal.
    pub issuer_keys: Vec<String>,
    /// Whether any issuer will do.
    pub any_issuer: bool,
    /// Known tree heads, as SIZE:ROOT.
    pub heads: Vec<String>,
    /// The file that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_id: Option<String>,
    /// The log that stands beside the documents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<String>,
    /// The file of the trust policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// Layers that must be established beyond the usual ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<Text>,
}

/// What was asked, when, of what.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// What made the report.
    pub tool: Tool,
    /// When (RFC 3339, UTC, by the clock of this machine).
    pub at: String,
    /// The least verdict that will do.
    pub required: Required,
    /// Under which trust.
    pub trust: Trusted,
}

/// What came out over all documents.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// Documents that were read: the sum of the next five.
    pub documents: usize,
    /// Authentic ones.
    pub authentic: usize,
    /// Consistent ones.
    pub consistent: usize,
    /// Proofs of equivocation that hold under a key that the caller gave.
    pub equivocation: usize,
    /// Refuted ones.
    pub refuted: usize,
    /// Readable ones of no known kind.
    pub unknown: usize,
    /// Proofs of equivocation that are not refuted, whether the key is one that the caller gave or not.
    pub accusations: usize,
    /// Claims that are as required in all else, and do not say that their target conforms.
    pub unfavourable: usize,
    /// Paths, lines and members that could not be read.
    pub unreadable: usize,
    /// What was left out, being no evidence.
    pub skipped: usize,
    /// Whether reading ended at the first document that is not as required (`--fail-fast`): then these are not all.
    pub stopped: bool,
    /// Reason codes of refuted layers, of open ones where `authentic` is required, and of documents of no known kind: the most
    /// frequent first, each with how many documents have it and one of them.
    pub reasons: Vec<Reason>,
    /// Notes by their codes, most frequent first, each with how many documents have it and one of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Reason>,
    /// How many documents that are not refuted lack a layer that the caller requires beyond the usual ones.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unmet: usize,
    /// Of each layer that the caller requires beyond the usual ones, of how many documents it was asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub demands: Vec<Demand>,
    /// How long it took, in milliseconds.
    pub elapsed_ms: u64,
    /// Documents a second.
    pub documents_per_second: u64,
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// A layer that the caller requires, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Demand {
    /// The layer.
    pub layer: Text,
    /// How many documents have it: of these it was asked.
    pub asked: usize,
    /// In how many of them it is established.
    pub established: usize,
    /// How many documents are of a kind that has no such layer: of these it was not asked.
    pub not_asked: usize,
}

/// A reason code, how many documents have it, and one of them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// The code.
    pub code: Text,
    /// How many documents have it.
    pub documents: usize,
    /// The first of them.
    pub example: String,
}

impl Document {
    /// Whether it is a claim that does not say that its target conforms: nobody who asks for a claim asks for that.
    #[must_use]
    pub fn is_unfavourable(&self) -> bool {
        self.claim.as_ref().is_some_and(|claim| !claim.is_favourable())
    }

    /// Whether it is not refuted and yet has a layer that is demanded and not established.
    fn lacks_one_of(&self, demands: &[Demand]) -> bool {
        let lacks = |demand: &Demand| {
            self.layers.iter().any(|layer| layer.id == demand.layer && layer.state != State::Established)
        };
        matches!(self.verdict, Some(Verdict::Authentic | Verdict::Consistent)) && demands.iter().any(lacks)
    }

    /// Whether it is a proof of equivocation that is not refuted: then its registry is not as it must be, or nobody knows
    /// whose equivocation it is, and neither is a success that nobody asked for.
    #[must_use]
    pub fn accuses(&self) -> bool {
        self.kind == "equivocation-proof"
            && matches!(self.verdict, Some(Verdict::Consistent | Verdict::Equivocation))
    }
}

/// Counts documents as they come. Codes are a closed vocabulary, so it stays small.
#[derive(Clone, Debug)]
pub struct Tally {
    required: Required,
    summary: Summary,
    reasons: Counted,
    notes: Counted,
}

/// Codes, each with how many documents have it and the first of them.
type Counted = BTreeMap<Text, (usize, String)>;

impl Tally {
    /// Nothing counted yet; `layers` are those that the caller requires beyond the usual ones.
    #[must_use]
    pub fn new(required: Required, layers: &[Text]) -> Self {
        let demand = |layer: &Text| Demand { layer: layer.clone(), asked: 0, established: 0, not_asked: 0 };
        let summary = Summary { demands: layers.iter().map(demand).collect(), ..Summary::default() };
        Self { required, summary, reasons: Counted::new(), notes: Counted::new() }
    }

    /// Counts one document; whether it is as required.
    pub fn take(&mut self, document: &Document) -> bool {
        let summary = &mut self.summary;
        if document.error.is_some() {
            summary.unreadable += 1;
            return false;
        }
        summary.documents += 1;
        for demand in &mut summary.demands {
            if let Some(layer) = document.layers.iter().find(|layer| layer.id == demand.layer) {
                demand.asked += 1;
                demand.established += usize::from(layer.state == State::Established);
            }
            demand.not_asked += usize::from(document.not_asked.contains(&demand.layer));
        }
        *match document.verdict {
            Some(Verdict::Authentic) => &mut summary.authentic,
            Some(Verdict::Consistent) => &mut summary.consistent,
            Some(Verdict::Equivocation) => &mut summary.equivocation,
            Some(Verdict::Refuted) => &mut summary.refuted,
            None => &mut summary.unknown,
        } += 1;
        let accuses = document.accuses();
        summary.accusations += usize::from(accuses);
        let unmet = document.lacks_one_of(&summary.demands);
        summary.unmet += usize::from(unmet);
        let good = match (self.required, document.verdict) {
            (_, Some(Verdict::Refuted) | None) => false,
            (Required::Equivocation, verdict) => verdict == Some(Verdict::Equivocation),
            (Required::Authentic, verdict) => verdict == Some(Verdict::Authentic),
            (Required::Consistent, _) => !accuses && !unmet,
        };
        let unfavourable = good && document.is_unfavourable();
        summary.unfavourable += usize::from(unfavourable);
        let good = good && !unfavourable;
        if !good {
            self.count_reasons(document);
        }
        let notes = document.layers.iter().flat_map(|layer| &layer.notes).map(|note| &note.code);
        count(&mut self.notes, notes.collect(), document);
        good
    }

    /// How many documents were counted.
    #[must_use]
    pub fn documents(&self) -> usize {
        self.summary.documents
    }

    /// Counts something that was left out.
    pub fn skip(&mut self) {
        self.summary.skipped += 1;
    }

    fn count_reasons(&mut self, document: &Document) {
        let refuted = document.verdict == Some(Verdict::Refuted);
        let decides = |layer: &&Layer| match layer.state {
            State::Refuted => true,
            State::NotEstablished => !refuted && document.open.contains(&layer.id),
            State::Established => false,
        };
        let mut codes: Vec<&Text> = document.layers.iter().filter(decides).map(|layer| &layer.code).collect();
        let unfavourable = Text::Borrowed("claim.unfavourable");
        codes.extend(document.is_unfavourable().then_some(&unfavourable));
        count(&mut self.reasons, codes, document);
    }

    /// The summary so far.
    #[must_use]
    pub fn summary(&self, elapsed: std::time::Duration, stopped: bool) -> Summary {
        /// How many reasons are worth showing.
        const MOST: usize = 20;
        let listed = |counted: &Counted| {
            let reason = |(code, (documents, example)): (&Text, &(usize, String))| Reason {
                code: code.clone(),
                documents: *documents,
                example: example.clone(),
            };
            let mut listed: Vec<Reason> = counted.iter().map(reason).collect();
            listed.sort_by_key(|reason| std::cmp::Reverse(reason.documents));
            listed.truncate(MOST);
            listed
        };
        let (reasons, notes) = (listed(&self.reasons), listed(&self.notes));
        let elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        let documents = self.summary.documents as u64;
        let documents_per_second = documents.saturating_mul(1_000) / elapsed_ms.max(1);
        Summary { stopped, reasons, notes, elapsed_ms, documents_per_second, ..self.summary.clone() }
    }
}

/// Counts each of these codes once for a document.
fn count(counted: &mut Counted, mut codes: Vec<&Text>, document: &Document) {
    codes.sort();
    codes.dedup();
    for code in codes {
        let first = || (0, document.path.clone());
        counted.entry(code.clone()).or_insert_with(first).0 += 1;
    }
}
