//! How each check ended, on which exchanges, by which expectation.

use assayer_reports::{Label, Status};
use assayer_vectors::{Expectation, Keyword};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Version of the form of `verdicts.json`.
pub const VERDICTS_FORM: &str = "assayer-verdicts/1";

/// `verdicts.json`.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Verdicts {
    /// Form of this document: `assayer-verdicts/1`.
    pub form: String,
    /// SHA-256 (hexadecimal) of the manifest that they belong to.
    pub manifest_sha256: String,
    /// SHA-256 (hexadecimal) of the transcript that they are about.
    pub transcript_sha256: String,
    /// One for each check, in the order of the report.
    pub verdicts: Vec<Verdict>,
}

/// How one check ended, and what that rests on.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Verdict {
    /// Name of the check.
    pub check: String,
    /// Strength of what it tests.
    pub keyword: Keyword,
    /// How it ended.
    pub status: Status,
    /// Why it did not pass, as a stable code; empty for a pass.
    pub code: String,
    /// Why it did not pass: expected, found, where.
    pub reason: String,
    /// Whether it rests on what the target signed, or on what the prober saw.
    pub label: Label,
    /// The attempt at reading that decided.
    pub attempt: u32,
    /// What was evaluated, and on what.
    pub judged: Vec<Judged>,
    /// Lines of the transcript that had to be there, or to be accepted, besides.
    pub needed: Vec<u64>,
}

/// One expectation, and the exchanges that it was evaluated on.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Judged {
    /// Numbers of lines of the transcript.
    pub lines: Vec<u64>,
    /// The expectation, as the suite has it.
    pub expectation: Expectation,
}

impl Verdicts {
    /// As one JSON document, with a newline at its end.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }
}
