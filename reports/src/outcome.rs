//! What the statuses of checks come to: one table, and two predicates over it. Whatever prints, counts or exits asks here.
//!
//! | status | counts as |
//! |---|---|
//! | `pass` | good |
//! | `warn`, `finding`, `not-applicable` | allowed |
//! | `not-verified`, `error` | open: counts against conformance |
//! | `fail` | refuted |
//! | `expected-failure` | as the baseline says; the target is not conformant |
//! | `stale` | refuted: of the baseline |

use crate::model::{CheckResult, Counts, Report, Selection, Status};

/// What a status counts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// The condition was shown to hold.
    Good,
    /// Nothing that is required was shown not to hold.
    Allowed,
    /// Neither shown nor refuted.
    Open,
    /// Does not pass, and a baseline says so: the target is not conformant, and the run is as it must be.
    Expected,
    /// Shown not to hold; or a baseline that is no longer so.
    Refuted,
}

/// One status: how it is written, how a sum of it is spoken of, what it counts as.
#[derive(Clone, Copy, Debug)]
pub struct Meaning {
    /// The status.
    pub status: Status,
    /// As in the machine-readable report.
    pub name: &'static str,
    /// As in `3 failed`.
    pub counted: &'static str,
    /// What it counts as.
    pub weight: Weight,
}

const fn row(status: Status, name: &'static str, counted: &'static str, weight: Weight) -> Meaning {
    Meaning { status, name, counted, weight }
}

/// Every status there is, in the order in which reports count them.
pub const STATUSES: [Meaning; 9] = [
    row(Status::Pass, "pass", "passed", Weight::Good),
    row(Status::Fail, "fail", "failed", Weight::Refuted),
    row(Status::Warn, "warn", "warned", Weight::Allowed),
    row(Status::Finding, "finding", "found weak where no sentence forbids it", Weight::Allowed),
    row(Status::NotVerified, "not-verified", "not verified", Weight::Open),
    row(Status::NotApplicable, "not-applicable", "not applicable", Weight::Allowed),
    row(Status::Error, "error", "broken", Weight::Open),
    row(Status::ExpectedFailure, "expected-failure", "failed as the baseline says", Weight::Expected),
    row(Status::Stale, "stale", "otherwise than the baseline says", Weight::Refuted),
];

/// What a run comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Everything judged is as it must be: exit code 0.
    Good,
    /// Something required is not: exit code 1.
    Bad,
    /// The target could not be asked to the end: exit code 3.
    Inconclusive,
}

/// What a run comes to, by how its checks ended.
///
/// In: the checks, and whether the target could not be asked to the end.
#[must_use]
pub fn outcome(checks: &[CheckResult], inconclusive: bool) -> Outcome {
    let counts = Counts::of(checks);
    let any = |weight| checks.iter().any(|check| check.decides() && check.status.weight() == weight);
    match () {
        () if any(Weight::Refuted) => Outcome::Bad,
        () if inconclusive => Outcome::Inconclusive,
        // Nothing that was looked at is not success.
        () if any(Weight::Open) || counts.pass + counts.finding + counts.expected_failure == 0 => {
            Outcome::Bad
        }
        () => Outcome::Good,
    }
}

/// Whether the target conforms; `None` where that was not evaluated: of a selection, of nothing, of a target that could not be
/// asked to the end.
#[must_use]
pub fn conformant(checks: &[CheckResult], selection: Selection, inconclusive: bool) -> Option<bool> {
    if selection == Selection::Part || checks.is_empty() {
        return None;
    }
    let passed = checks.iter().any(|check| check.decides() && check.status == Status::Pass);
    // What a baseline expects is no better for it.
    if checks.iter().any(|check| check.decides() && check.status.weight() == Weight::Expected) {
        return Some(false);
    }
    match outcome(checks, inconclusive) {
        Outcome::Inconclusive => None,
        Outcome::Bad => Some(false),
        Outcome::Good => Some(passed),
    }
}

impl Report {
    /// What the run comes to: by its checks, and by the baseline if one was laid over it.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match &self.baseline {
            Some(baseline) if !baseline.stale.is_empty() => Outcome::Bad,
            _ => outcome(&self.checks, self.inconclusive),
        }
    }
}

impl Status {
    /// Its row of the table.
    #[must_use]
    pub fn meaning(self) -> Meaning {
        let found = STATUSES.into_iter().find(|meaning| meaning.status == self);
        // A status without a row would be no pass; a test looks that each has one.
        found.unwrap_or_else(|| row(self, "error", "broken", Weight::Open))
    }

    /// As in the machine-readable report.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.meaning().name
    }

    /// What it counts as.
    #[must_use]
    pub fn weight(self) -> Weight {
        self.meaning().weight
    }
}

impl Outcome {
    /// The exit code of a run that comes to this.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Good => 0,
            Self::Bad => 1,
            Self::Inconclusive => 3,
        }
    }
}

#[cfg(test)]
mod tests {
    use assayer_vectors::Keyword;

    use super::*;
    use crate::sample::check;

    const ALL: [Status; 9] = [
        Status::Pass,
        Status::Fail,
        Status::Warn,
        Status::Finding,
        Status::NotApplicable,
        Status::NotVerified,
        Status::Error,
        Status::ExpectedFailure,
        Status::Stale,
    ];

    #[test]
    fn every_status_has_one_row_and_is_written_as_in_json() {
        for status in ALL {
            assert_eq!(STATUSES.iter().filter(|meaning| meaning.status == status).count(), 1, "{status:?}");
            assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
            assert_eq!(Counts::of(&[check("a", status, "")]).with(status), 1);
        }
        assert_eq!(STATUSES.len(), ALL.len());
    }

    /// Beside one pass, alone, and beside one pass when the target could not be asked to the end.
    #[test]
    fn what_each_status_comes_to() {
        let (good, bad, open) = (Outcome::Good, Outcome::Bad, Outcome::Inconclusive);
        for (status, beside, alone, cut, conforms) in [
            (Status::Pass, good, good, open, Some(true)),
            (Status::Fail, bad, bad, bad, Some(false)),
            (Status::Warn, good, bad, open, Some(true)),
            (Status::Finding, good, good, open, Some(true)),
            (Status::NotApplicable, good, bad, open, Some(true)),
            (Status::NotVerified, bad, bad, open, Some(false)),
            (Status::Error, bad, bad, open, Some(false)),
            (Status::ExpectedFailure, good, good, open, Some(false)),
            (Status::Stale, bad, bad, bad, Some(false)),
        ] {
            let (one, pass) = (check("a", status, ""), check("b", Status::Pass, ""));
            let both = [one.clone(), pass];
            assert_eq!(outcome(&both, false), beside, "{status:?} beside a pass");
            assert_eq!(outcome(&[one], false), alone, "{status:?} alone");
            assert_eq!(outcome(&both, true), cut, "{status:?}, cut off");
            assert_eq!(conformant(&both, Selection::Whole, false), conforms, "{status:?}");
            assert_eq!(conformant(&both, Selection::Part, false), None, "a selection claims nothing");
        }
        assert_eq!(outcome(&[], false), Outcome::Bad, "nothing that was run is no success");
        assert_eq!(conformant(&[], Selection::Whole, false), None);
        assert_eq!([good, bad, open].map(Outcome::code), [0, 1, 3]);
    }

    /// A check that no sentence demands decides nothing, also where it could not be judged.
    #[test]
    fn findings_decide_nothing() {
        let finding = |status| CheckResult { keyword: Keyword::Finding, ..check("a", status, "") };
        let pass = check("b", Status::Pass, "");
        for status in [Status::Finding, Status::NotVerified, Status::Error] {
            let both = [finding(status), pass.clone()];
            assert_eq!(outcome(&both, false), Outcome::Good, "{status:?}");
            assert_eq!(conformant(&both, Selection::Whole, false), Some(true), "{status:?}");
        }
    }
}
