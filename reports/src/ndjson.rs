//! The report line by line: what was run, each check, what came out. Without its last line it is not whole.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::baseline::BaselineResult;
use crate::model::{CheckResult, Counts, Mode, Report, Selection, Tool, Wrote};

/// Version of the lines' form: the number grows when a member changes its meaning or disappears.
pub const LINES_FORM: &str = "assayer-report-lines/1";

/// One line.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Line {
    /// The first: what was run.
    Run(RunLine),
    /// How one check ended.
    Check(Box<CheckResult>),
    /// The last: what came out.
    Summary(SummaryLine),
}

/// What was run.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
pub struct RunLine {
    /// Form of the lines: `assayer-report-lines/1`.
    pub form: String,
    /// What made it.
    pub tool: Tool,
    /// Suite and edition, as in `oversight-v1@0.4.12`.
    pub edition: String,
    /// SHA-256 (hexadecimal) of the suite's data.
    pub suite_digest: String,
    /// Whether the suite is not the one of the version that judged, but somebody's own: its checks may ask less. Absent where it is
    /// that of the version.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub own_suite: bool,
    /// Wire profile.
    pub wire: String,
    /// What was checked: a URL, or `in-process`.
    pub target: String,
    /// Whether the whole edition was run.
    pub selection: Selection,
    /// What the run was allowed to leave behind.
    pub mode: Mode,
    /// When the first request was sent (RFC 3339, UTC).
    pub started_at: String,
}

/// What came out.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
pub struct SummaryLine {
    /// True: every required check passed. False: at least one did not. Null: not evaluated.
    pub conformant: Option<bool>,
    /// Whether the target could not be asked to the end.
    pub inconclusive: bool,
    /// How long recording took, in milliseconds.
    pub elapsed_ms: u64,
    /// How many exchanges were sent: a burst is one, and what was asked again after a 429 is one.
    pub requests: usize,
    /// How many checks ended how.
    pub counts: Counts,
    /// What it left behind.
    pub wrote: Vec<Wrote>,
    /// What a baseline that was laid over the report came to; absent without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<BaselineResult>,
    /// What the transcript of a run shows at all.
    pub provenance: String,
    /// What a pass does not prove.
    pub does_not_prove: Vec<String>,
}

/// The report, a JSON document on each line.
pub(crate) fn to_ndjson(report: &Report) -> String {
    let first = Line::Run(RunLine {
        form: LINES_FORM.to_owned(),
        tool: report.tool.clone(),
        edition: report.edition.clone(),
        suite_digest: report.suite_digest.clone(),
        own_suite: report.own_suite,
        wire: report.wire.clone(),
        target: report.target.clone(),
        selection: report.selection,
        mode: report.mode,
        started_at: report.started_at.clone(),
    });
    let last = Line::Summary(SummaryLine {
        conformant: report.conformant,
        inconclusive: report.inconclusive,
        elapsed_ms: report.elapsed_ms,
        requests: report.requests,
        counts: report.counts,
        wrote: report.wrote.clone(),
        baseline: report.baseline.clone(),
        provenance: report.provenance.clone(),
        does_not_prove: report.does_not_prove.clone(),
    });
    let checks = report.checks.iter().map(|check| Line::Check(Box::new(check.clone())));
    std::iter::once(first).chain(checks).chain([last]).map(|line| written(&line)).collect()
}

fn written(line: &Line) -> String {
    // The model has only texts, numbers and lists: there is nothing that could not be written.
    let mut text = serde_json::to_string(line).unwrap_or_default();
    text.push('\n');
    text
}

/// The JSON Schema of a line (draft 2020-12), with a newline at its end.
#[must_use]
pub fn line_schema() -> String {
    let mut text = serde_json::to_string_pretty(&schemars::schema_for!(Line)).unwrap_or_default();
    text.push('\n');
    text
}
