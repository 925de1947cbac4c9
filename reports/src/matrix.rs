//! What a selftest says: faults by checks, differences that must not be accused, and registries with nothing inside.

use std::collections::{BTreeMap, BTreeSet};

use assayer_vectors::{FaultKind, MayPass};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Version of the matrix's form.
pub const MATRIX_FORM: &str = "assayer-kill-matrix/1";

/// The result of one selftest. It holds neither times nor random values, so that two of them can be compared.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Matrix {
    /// Form of this document: `assayer-kill-matrix/1`.
    pub form: String,
    /// The edition whose checks are tried, as in `oversight-v1@strict`.
    pub edition: String,
    /// The edition that it is compared with.
    pub compared_with: String,
    /// Whether all of the catalogue was run.
    pub whole: bool,
    /// How many faults ended how.
    pub totals: Totals,
    /// The same for each kind of fault.
    pub kinds: BTreeMap<String, Totals>,
    /// Each fault.
    pub faults: Vec<FaultRow>,
    /// Each difference that no sentence forbids.
    pub variants: Vec<VariantRow>,
    /// Each registry that has nothing inside.
    pub hollow: Vec<HollowRow>,
    /// Each check of the edition.
    pub checks: Vec<CheckRow>,
}

/// How a fault ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kill {
    /// The check that is named for it noticed.
    Named,
    /// Other checks noticed, that one did not.
    Other,
    /// No check noticed.
    Survived,
    /// It never made a difference: an error of the catalogue.
    NotApplied,
    /// The run broke off: an error of the catalogue or of the harness.
    Crashed,
}

impl Kill {
    /// As shown to people.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Named => "killed by the named check",
            Self::Other => "killed by another",
            Self::Survived => "survived",
            Self::NotApplied => "not applied",
            Self::Crashed => "crashed",
        }
    }
}

/// How many faults ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Totals {
    /// All of them.
    pub faults: usize,
    /// Noticed by the check that is named for it.
    pub named: usize,
    /// Noticed by others only.
    pub other: usize,
    /// Noticed by no check.
    pub survived: usize,
    /// Without a difference.
    pub not_applied: usize,
    /// Broken off.
    pub crashed: usize,
    /// Noticed by the edition that it is compared with.
    pub compared: usize,
}

/// One fault.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FaultRow {
    /// Its name.
    pub id: String,
    /// What it breaks.
    pub kind: FaultKind,
    /// What a registry with it does.
    pub does: String,
    /// The check that must notice it.
    pub killed_by: String,
    /// How it ended.
    pub outcome: Kill,
    /// Every check that noticed it.
    pub noticed_by: Vec<String>,
    /// Every check of the edition that it is compared with that noticed it.
    pub compared_noticed_by: Vec<String>,
    /// Why the run broke off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remark: Option<String>,
}

/// One difference that no sentence forbids.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VariantRow {
    /// Its name.
    pub id: String,
    /// What a registry with it does.
    pub does: String,
    /// Whether it made a difference, and nobody was accused of it.
    pub good: bool,
    /// Checks that accused it, or could not be judged because of it.
    pub accused_by: Vec<String>,
    /// Why it is not good, where no check says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remark: Option<String>,
}

/// One registry that has nothing inside.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HollowRow {
    /// Its name.
    pub id: String,
    /// What it does.
    pub does: String,
    /// Which checks it may pass.
    pub may_pass: MayPass,
    /// Whether it passes no other, and is not conformant.
    pub good: bool,
    /// The checks that it passes.
    pub passed: Vec<String>,
    /// Those of them that it must not pass.
    pub wrongly_passed: Vec<String>,
    /// Why it is not good, where no check says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remark: Option<String>,
}

/// One check, seen from the faults.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckRow {
    /// Its name.
    pub id: String,
    /// How many faults it noticed.
    pub kills: usize,
    /// The faults that it alone noticed.
    pub alone: Vec<String>,
    /// Why it is kept although it noticed none alone, as the suite says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redundant: Option<String>,
}

impl CheckRow {
    /// What is wrong with it: it shows nothing of its own and does not say why it is kept, or the other way round.
    #[must_use]
    pub fn complaint(&self) -> Option<&'static str> {
        match (self.alone.is_empty(), &self.redundant) {
            (true, None) => Some("notices nothing that nothing else notices, and does not say `redundant`"),
            (false, Some(_)) => Some("says `redundant`, and notices something that nothing else notices"),
            _ => None,
        }
    }
}

impl Matrix {
    /// Puts the rows together and counts.
    #[must_use]
    pub fn new(
        edition: String,
        compared_with: String,
        whole: bool,
        faults: Vec<FaultRow>,
        variants: Vec<VariantRow>,
        hollow: Vec<HollowRow>,
        checks: &[(String, Option<String>)],
    ) -> Self {
        let all: Vec<&FaultRow> = faults.iter().collect();
        let of_kind = |kind: FaultKind| -> Vec<&FaultRow> {
            faults.iter().filter(|fault| fault.kind == kind).collect()
        };
        let kinds = FaultKind::ALL.into_iter().map(|kind| (kind, of_kind(kind)));
        let kinds = kinds.filter(|(_, rows)| !rows.is_empty());
        let kinds = kinds.map(|(kind, rows)| (kind.as_str().to_owned(), Totals::of(&rows))).collect();
        let checks =
            checks.iter().map(|(id, redundant)| check_row(id, redundant.as_ref(), &faults)).collect();
        Self {
            form: MATRIX_FORM.to_owned(),
            edition,
            compared_with,
            whole,
            totals: Totals::of(&all),
            kinds,
            faults,
            variants,
            hollow,
            checks,
        }
    }

    /// Whether every fault was killed by the check that is named for it, no variant was accused, no hollow registry passed what
    /// it must not, and, where all was run, every check shows something of its own or says why not.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.totals.named == self.totals.faults
            && self.variants.iter().all(|variant| variant.good)
            && self.hollow.iter().all(|hollow| hollow.good)
            && (!self.whole || self.checks.iter().all(|check| check.complaint().is_none()))
    }
}

impl Totals {
    fn of(rows: &[&FaultRow]) -> Self {
        let count = |kill: Kill| rows.iter().filter(|row| row.outcome == kill).count();
        Self {
            faults: rows.len(),
            named: count(Kill::Named),
            other: count(Kill::Other),
            survived: count(Kill::Survived),
            not_applied: count(Kill::NotApplied),
            crashed: count(Kill::Crashed),
            compared: rows.iter().filter(|row| !row.compared_noticed_by.is_empty()).count(),
        }
    }
}

fn check_row(id: &str, redundant: Option<&String>, faults: &[FaultRow]) -> CheckRow {
    let noticed: Vec<&FaultRow> =
        faults.iter().filter(|fault| fault.noticed_by.iter().any(|by| by == id)).collect();
    let alone = noticed.iter().filter(|fault| fault.noticed_by.iter().collect::<BTreeSet<_>>().len() == 1);
    CheckRow {
        id: id.to_owned(),
        kills: noticed.len(),
        alone: alone.map(|fault| fault.id.clone()).collect(),
        redundant: redundant.cloned(),
    }
}

/// The matrix as one JSON document, with a newline at its end.
#[must_use]
pub fn matrix_to_json(matrix: &Matrix) -> String {
    // Texts, numbers and lists: there is nothing that could not be written.
    let mut text = serde_json::to_string_pretty(matrix).unwrap_or_default();
    text.push('\n');
    text
}

/// The JSON Schema of the matrix (draft 2020-12), with a newline at its end.
#[must_use]
pub fn matrix_schema() -> String {
    let mut text = serde_json::to_string_pretty(&schemars::schema_for!(Matrix)).unwrap_or_default();
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: &str, outcome: Kill, noticed_by: &[&str]) -> FaultRow {
        FaultRow {
            id: id.to_owned(),
            kind: FaultKind::Log,
            does: String::new(),
            killed_by: "a".to_owned(),
            outcome,
            noticed_by: noticed_by.iter().map(|by| (*by).to_owned()).collect(),
            compared_noticed_by: Vec::new(),
            remark: None,
        }
    }

    fn matrix(faults: Vec<FaultRow>, redundant: Option<&str>) -> Matrix {
        let checks = [("a".to_owned(), None), ("b".to_owned(), redundant.map(str::to_owned))];
        Matrix::new(String::new(), String::new(), true, faults, Vec::new(), Vec::new(), &checks)
    }

    #[test]
    fn a_check_must_notice_something_alone_or_say_why_it_does_not() {
        let both = row("x", Kill::Named, &["a", "b"]);
        let only = row("y", Kill::Named, &["a"]);
        assert!(!matrix(vec![both.clone(), only.clone()], None).is_good());
        assert!(matrix(vec![both.clone(), only], Some("b is weaker than a")).is_good());
        let found = matrix(vec![both, row("z", Kill::Named, &["b"])], Some("b is weaker than a"));
        assert_eq!(found.checks[1].alone, ["z"]);
        assert!(found.checks[1].complaint().is_some_and(|text| text.starts_with("says `redundant`")));
    }

    #[test]
    fn only_a_kill_by_the_named_check_is_good() {
        for outcome in [Kill::Other, Kill::Survived, Kill::NotApplied, Kill::Crashed] {
            let found = matrix(vec![row("x", Kill::Named, &["a"]), row("y", outcome, &[])], Some("why"));
            assert!(!found.is_good(), "{outcome:?}");
            assert_eq!((found.totals.faults, found.totals.named), (2, 1));
        }
    }
}
