//! What changed between two runs, check by check; a change of the target is told apart from a change of the suite.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{CheckResult, Report, Selection, Status, Tool};
use crate::outcome::Weight;

/// Version of the form of a [`Diff`]: the number grows when a member changes its meaning or disappears.
pub const DIFF_FORM: &str = "assayer-diff/1";

/// What changed between two runs.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Diff {
    /// Form of this document: `assayer-diff/1`.
    pub form: String,
    /// What compared.
    pub tool: Tool,
    /// The older run.
    pub older: Side,
    /// The newer run.
    pub newer: Side,
    /// Whether both were judged by the same suite and edition. If not, the older transcript was judged again by the newer.
    pub same_suite: bool,
    /// Whether the newer run leaves out checks that could have decided in the older, because it is a selection, of an edition that
    /// asks less, or of a suite that has fewer: then it cannot show that nothing became worse.
    pub is_narrower: bool,
    /// How many changes there are of each kind.
    pub counts: DiffCounts,
    /// The changes, in the order of the newer report; removed checks come last.
    pub changes: Vec<Change>,
}

/// One of the two runs.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Side {
    /// SHA-256 (hexadecimal) of the archive.
    pub archive: String,
    /// Suite and edition.
    pub edition: String,
    /// SHA-256 (hexadecimal) of the suite's data.
    pub suite_digest: String,
    /// Whether the suite is somebody's own, and not the one of the version that compared: its checks may ask less.
    pub own_suite: bool,
    /// Wire profile.
    pub wire: String,
    /// What was checked.
    pub target: String,
    /// When (RFC 3339, UTC).
    pub started_at: String,
    /// As in its report.
    pub conformant: Option<bool>,
    /// Whether the whole edition was run.
    pub selection: Selection,
}

/// How many changes there are of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct DiffCounts {
    /// Better than before.
    pub fixed: usize,
    /// Worse than before.
    pub regressed: usize,
    /// As bad as before, for another reason.
    pub reason_changed: usize,
    /// No longer shown either way.
    pub newly_not_verified: usize,
    /// Judged in the newer run only.
    pub added: usize,
    /// Judged in the older run only.
    pub removed: usize,
    /// Checks that both runs judged, and that ended alike.
    pub unchanged: usize,
}

/// What kind of change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    /// Better than before.
    Fixed,
    /// Worse than before.
    Regressed,
    /// As bad as before, for another reason.
    ReasonChanged,
    /// No longer shown either way.
    NewlyNotVerified,
    /// Judged in the newer run only.
    Added,
    /// Judged in the older run only.
    Removed,
}

impl ChangeKind {
    /// As in the machine-readable form.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fixed => "fixed",
            Self::Regressed => "regressed",
            Self::ReasonChanged => "reason-changed",
            Self::NewlyNotVerified => "newly-not-verified",
            Self::Added => "added",
            Self::Removed => "removed",
        }
    }
}

/// What brought a change about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The target: judged by the same suite, it answers otherwise.
    Target,
    /// The suite: the same answers are judged otherwise.
    Suite,
    /// One of the two: the older run did not send what the newer suite looks at.
    Undetermined,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// Name of the check; of one that was renamed, the newer.
    pub check: String,
    /// Its older name, if it was renamed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renamed_from: Option<String>,
    /// What kind of change.
    pub kind: ChangeKind,
    /// What brought it about.
    pub cause: Cause,
    /// How it ended before; absent for an added check.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Ended>,
    /// How it ended after; absent for a removed check.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Ended>,
    /// Whether it now stands against conformance, and did not before.
    pub is_setback: bool,
}

/// How a check ended.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ended {
    /// Status.
    pub status: Status,
    /// Why.
    pub reason: String,
}

impl Diff {
    /// Compares the reports of two runs. `again` is the older transcript judged by the newer suite, if that is another one.
    /// `renamed` gives the newer name of a check, if it has one.
    #[must_use]
    pub fn of(
        tool: Tool,
        (older, older_side): (&Report, Side),
        again: Option<&Report>,
        (newer, newer_side): (&Report, Side),
        renamed: impl Fn(&str) -> String,
    ) -> Self {
        let mut compared =
            Compared { counts: DiffCounts::default(), changes: Vec::new(), same_suite: again.is_none() };
        let find = |report: &'_ Report, id: &str| report.checks.iter().position(|check| check.id == id);
        for after in &newer.checks {
            let before = older.checks.iter().find(|check| renamed(&check.id) == after.id);
            let between = again.map_or(before, |again| again.checks.get(find(again, &after.id)?));
            compared.check(before, between, after);
        }
        let gone = |check: &&CheckResult| find(newer, &renamed(&check.id)).is_none();
        for before in older.checks.iter().filter(gone) {
            compared.push(Cause::Suite, ChangeKind::Removed, Some(before), None);
        }
        let is_missed = |check: &CheckResult| check.decides() && gone(&check);
        let is_narrower = older.checks.iter().any(is_missed)
            || (newer.selection == Selection::Part && older.selection == Selection::Whole);
        Self {
            form: DIFF_FORM.to_owned(),
            tool,
            is_narrower,
            older: older_side,
            newer: newer_side,
            same_suite: compared.same_suite,
            counts: compared.counts,
            changes: compared.changes,
        }
    }

    /// How many checks that could have decided in the older run the newer leaves out, and what it was asked for instead, in words;
    /// absent where it leaves out none.
    #[must_use]
    pub fn narrower(&self) -> Option<String> {
        let Side { edition: before, .. } = &self.older;
        let now = match self.newer.selection {
            Selection::Part => format!("a selection of {}", self.newer.edition),
            Selection::Whole if self.newer.edition != *before => self.newer.edition.clone(),
            Selection::Whole => format!("{} of another suite", self.newer.edition),
        };
        self.is_narrower.then(|| {
            format!(
                "the newer run ({now}) leaves out checks of the older ({before}): it does not show that nothing became worse"
            )
        })
    }

    /// Whether something stands against conformance that did not before.
    #[must_use]
    pub fn has_setbacks(&self) -> bool {
        self.changes.iter().any(|change| change.is_setback)
    }
}

impl DiffCounts {
    fn place(&mut self, kind: ChangeKind) -> &mut usize {
        match kind {
            ChangeKind::Fixed => &mut self.fixed,
            ChangeKind::Regressed => &mut self.regressed,
            ChangeKind::ReasonChanged => &mut self.reason_changed,
            ChangeKind::NewlyNotVerified => &mut self.newly_not_verified,
            ChangeKind::Added => &mut self.added,
            ChangeKind::Removed => &mut self.removed,
        }
    }

    /// How many changes there are of a kind.
    #[must_use]
    pub fn of_kind(mut self, kind: ChangeKind) -> usize {
        *self.place(kind)
    }
}

struct Compared {
    counts: DiffCounts,
    changes: Vec<Change>,
    same_suite: bool,
}

impl Compared {
    fn check(&mut self, before: Option<&CheckResult>, between: Option<&CheckResult>, after: &CheckResult) {
        let (Some(before), Some(between)) = (before, between) else {
            return self.push(Cause::Suite, ChangeKind::Added, None, Some(after));
        };
        let was = self.changes.len();
        // Judged by the newer suite, the older transcript shows nothing: what it looks at was not sent.
        if !self.same_suite && is_new_gap(before, between) && after.status != Status::NotVerified {
            self.step(Cause::Undetermined, before, after, before);
        } else {
            self.step(Cause::Suite, before, between, before);
            self.step(Cause::Target, between, after, before);
        }
        if was == self.changes.len() {
            self.counts.unchanged += 1;
        }
    }

    fn step(&mut self, cause: Cause, before: &CheckResult, after: &CheckResult, first: &CheckResult) {
        let Some(kind) = kind(before, after) else { return };
        self.push(cause, kind, Some(before), Some(after));
        // What is between the two has the newer name.
        if let Some(change) = self.changes.last_mut().filter(|_| first.id != after.id) {
            change.renamed_from = Some(first.id.clone());
        }
    }

    fn push(
        &mut self,
        cause: Cause,
        kind: ChangeKind,
        before: Option<&CheckResult>,
        after: Option<&CheckResult>,
    ) {
        let Some(named) = after.or(before) else { return };
        *self.counts.place(kind) += 1;
        let ended = |check: &CheckResult| Ended { status: check.status, reason: check.reason.clone() };
        let against = |check: Option<&CheckResult>| check.is_some_and(crate::words::stands_against);
        self.changes.push(Change {
            check: named.id.clone(),
            renamed_from: None,
            kind,
            cause,
            before: before.map(ended),
            after: after.map(ended),
            is_setback: against(after) && !against(before),
        });
    }
}

fn is_new_gap(before: &CheckResult, between: &CheckResult) -> bool {
    between.status == Status::NotVerified && before.status != Status::NotVerified
}

fn kind(before: &CheckResult, after: &CheckResult) -> Option<ChangeKind> {
    let rank = |check: &CheckResult| match check.status.weight() {
        Weight::Good => 0,
        Weight::Allowed => 1,
        Weight::Open => 2,
        Weight::Expected | Weight::Refuted => 3,
    };
    match (before.status == after.status, after.status) {
        (true, Status::Pass) => None,
        (true, _) => (shape(&before.reason) != shape(&after.reason)).then_some(ChangeKind::ReasonChanged),
        (false, Status::NotVerified) => Some(ChangeKind::NewlyNotVerified),
        (false, _) => Some(match rank(before).cmp(&rank(after)) {
            std::cmp::Ordering::Less => ChangeKind::Regressed,
            std::cmp::Ordering::Equal => ChangeKind::ReasonChanged,
            std::cmp::Ordering::Greater => ChangeKind::Fixed,
        }),
    }
}

/// A reason without what differs from run to run: random names, hashes, times. A reason with a code is its code and place.
fn shape(reason: &str) -> String {
    let coded =
        reason.find(") at ").and_then(|from| reason.get(from..)?.find(": expected").map(|to| from + to));
    let text = coded.and_then(|end| reason.get(..end)).unwrap_or(reason);
    text.split_inclusive(char::is_whitespace).map(word).collect()
}

fn word(text: &str) -> String {
    let is_time = text.len() > 15 && text.get(4..5) == Some("-") && text.contains('T') && text.contains(':');
    if is_time && text.starts_with(|character: char| character.is_ascii_digit()) {
        return "#".to_owned();
    }
    let (mut out, mut run) = (String::new(), String::new());
    for character in text.chars().chain([' ']) {
        if character.is_ascii_hexdigit() {
            run.push(character);
            continue;
        }
        // Random values are long; a short run is a word or a number.
        let is_random = run.len() >= 8 && run.contains(|digit: char| digit.is_ascii_digit());
        out.push_str(if is_random { "#" } else { &run });
        run.clear();
        out.push(character);
    }
    out
}

/// The comparison as one JSON document, with a newline at its end.
#[must_use]
pub fn diff_to_json(diff: &Diff) -> String {
    // Texts, numbers and lists: there is nothing that could not be written.
    let mut text = serde_json::to_string_pretty(diff).unwrap_or_default();
    text.push('\n');
    text
}

/// The JSON Schema of a comparison (draft 2020-12), with a newline at its end.
#[must_use]
pub fn diff_schema() -> String {
    let mut text = serde_json::to_string_pretty(&schemars::schema_for!(Diff)).unwrap_or_default();
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_the_same_in_another_run_and_another_for_another_number() {
        let one = "evidence: inclusion refuted (merkle.root-mismatch) at /proof: expected root a89d2431 of 71, found 7 hashes";
        let other = "evidence: inclusion refuted (merkle.root-mismatch) at /proof: expected root 00ff2431 of 9, found 4 hashes";
        assert_eq!(shape(one), shape(other));
        assert_ne!(
            shape(one),
            shape("evidence: inclusion refuted (merkle.path-length) at /proof: expected 1, found 2")
        );
        assert_eq!(
            shape("head: /at: expected 2026-01-01T00:00:00Z, found 3cfc1761-20d7-4816-a4ce-2e685823b0d4"),
            shape("head: /at: expected 2027-02-03T04:05:06Z, found 9729ca3e-20d7-4816-a4ce-00005823b0d4")
        );
        assert_ne!(
            shape("head: status: expected 200, found 404"),
            shape("head: status: expected 200, found 500")
        );
    }
}
