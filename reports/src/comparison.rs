//! Several implementations beside each other: checks by implementations.

use std::collections::BTreeMap;

use assayer_vectors::Keyword;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{CheckResult, Cited, Counts, Label, Report, Status, Tool};
use crate::outcome::Weight;

/// Version of the form of a [`Comparison`]: the number grows when a member changes its meaning or disappears.
pub const COMPARISON_FORM: &str = "assayer-matrix/1";

/// Several implementations beside each other.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Comparison {
    /// Form of this document: `assayer-matrix/1`.
    pub form: String,
    /// What compared.
    pub tool: Tool,
    /// The implementations, in the order of the call.
    pub implementations: Vec<Implementation>,
    /// The checks, in the order of their groups.
    pub checks: Vec<Row>,
    /// What a pass does not prove.
    pub does_not_prove: Vec<String>,
}

/// One implementation, and the run that it is judged by.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Implementation {
    /// What it is called here.
    pub name: String,
    /// SHA-256 (hexadecimal) of the archive.
    pub archive: String,
    /// What was checked.
    pub target: String,
    /// Suite and edition.
    pub edition: String,
    /// SHA-256 (hexadecimal) of the suite's data.
    pub suite_digest: String,
    /// Wire profile.
    pub wire: String,
    /// When (RFC 3339, UTC).
    pub started_at: String,
    /// As in its report.
    pub conformant: Option<bool>,
    /// How many checks ended how.
    pub counts: Counts,
    /// Whether the suite is not the one of the version that compared, but somebody's own: its checks may ask less.
    pub own_suite: bool,
    /// What should be known before it is relied on, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<String>,
}

/// One implementation, as it comes in.
#[derive(Clone, Debug)]
pub struct ComparedRun {
    /// What it is called.
    pub name: String,
    /// SHA-256 (hexadecimal) of its archive.
    pub archive: String,
    /// Its report.
    pub report: Report,
    /// As in [`Implementation`].
    pub own_suite: bool,
    /// As in [`Implementation`].
    pub remarks: Vec<String>,
}

/// One check.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// Name of the check.
    pub id: String,
    /// Its group.
    pub group: String,
    /// Strength of what it tests.
    pub keyword: Keyword,
    /// Why a user should care.
    pub why: String,
    /// The sentences that it tests.
    pub requirements: Vec<Cited>,
    /// How it ended, by name of the implementation; one that did not run it is not there.
    pub results: BTreeMap<String, Cell>,
}

/// How a check ended for one implementation.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cell {
    /// Status.
    pub status: Status,
    /// Why.
    pub reason: String,
    /// What that rests on.
    pub label: Label,
    /// Whether it differs from what every other implementation shows, where these agree: an anomaly.
    pub alone: bool,
}

impl Comparison {
    /// Puts the reports of several implementations beside each other.
    #[must_use]
    pub fn of(tool: Tool, runs: &[ComparedRun]) -> Self {
        let mut checks: Vec<Row> = Vec::new();
        for ComparedRun { name, report, .. } in runs {
            for check in &report.checks {
                let known = checks.iter().position(|row| row.id == check.id);
                let position = known.unwrap_or_else(|| {
                    checks.push(row(check));
                    checks.len() - 1
                });
                if let Some(row) = checks.get_mut(position) {
                    row.results.insert(name.clone(), cell(check));
                }
            }
        }
        checks.iter_mut().for_each(mark_anomalies);
        let mut does_not_prove: Vec<String> = Vec::new();
        for sentence in runs.iter().flat_map(|run| &run.report.does_not_prove) {
            if !does_not_prove.contains(sentence) {
                does_not_prove.push(sentence.clone());
            }
        }
        Self {
            form: COMPARISON_FORM.to_owned(),
            tool,
            implementations: runs.iter().map(implementation).collect(),
            checks,
            does_not_prove,
        }
    }
}

fn implementation(run: &ComparedRun) -> Implementation {
    let report = &run.report;
    Implementation {
        name: run.name.clone(),
        archive: run.archive.clone(),
        target: report.target.clone(),
        edition: report.edition.clone(),
        suite_digest: report.suite_digest.clone(),
        wire: report.wire.clone(),
        started_at: report.started_at.clone(),
        conformant: report.conformant,
        counts: report.counts,
        own_suite: run.own_suite,
        remarks: run.remarks.clone(),
    }
}

fn row(check: &CheckResult) -> Row {
    Row {
        id: check.id.clone(),
        group: check.group.clone(),
        keyword: check.keyword,
        why: check.why.clone(),
        requirements: check.requirements.clone(),
        results: BTreeMap::new(),
    }
}

fn cell(check: &CheckResult) -> Cell {
    Cell { status: check.status, reason: check.reason.clone(), label: check.label, alone: false }
}

/// Where all others agree (at least two of them), who differs is alone.
fn mark_anomalies(row: &mut Row) {
    let good: Vec<(String, bool)> = row
        .results
        .iter()
        .map(|(name, cell)| {
            (
                name.clone(),
                matches!(cell.status.weight(), Weight::Good) || cell.status == Status::NotApplicable,
            )
        })
        .collect();
    if good.len() < 3 {
        return;
    }
    for is_good in [true, false] {
        let mut same = good.iter().filter(|(_, good)| *good == is_good);
        if let (Some((name, _)), None) = (same.next(), same.next())
            && let Some(cell) = row.results.get_mut(name)
        {
            cell.alone = true;
        }
    }
}

/// The comparison as one JSON document, with a newline at its end.
#[must_use]
pub fn comparison_to_json(comparison: &Comparison) -> String {
    // Texts, numbers and lists: there is nothing that could not be written.
    let mut text = serde_json::to_string_pretty(comparison).unwrap_or_default();
    text.push('\n');
    text
}

/// The JSON Schema of a comparison (draft 2020-12), with a newline at its end.
#[must_use]
pub fn comparison_schema() -> String {
    let mut text = serde_json::to_string_pretty(&schemars::schema_for!(Comparison)).unwrap_or_default();
    text.push('\n');
    text
}
