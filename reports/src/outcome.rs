//! What the statuses of checks come to: one table, and two predicates over it. Whatever prints, counts or exits asks here.
//!
//! | status | counts as |
//! |---|---|
//! | `pass` | good |
//! | `warn`, `finding`, `not-applicable` | allowed |
//! | `not-verified`, `error` | open: counts against conformance |
//! | `fail` | refuted |

use crate::model::{CheckResult, Counts, Selection, Status};

/// What a status counts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// The condition was shown to hold.
    Good,
    /// Nothing that is required was shown not to hold.
    Allowed,
    /// Neither shown nor refuted.
    Open,
    /// Shown not to hold.
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
pub const STATUSES: [Meaning; 7] = [
    row(Status::Pass, "pass", "passed", Weight::Good),
    row(Status::Fail, "fail", "failed", Weight::Refuted),
    row(Status::Warn, "warn", "warned", Weight::Allowed),
    row(Status::Finding, "finding", "found weak where no sentence forbids it", Weight::Allowed),
    row(Status::NotVerified, "not-verified", "not verified", Weight::Open),
    row(Status::NotApplicable, "not-applicable", "not applicable", Weight::Allowed),
    row(Status::Error, "error", "broken", Weight::Open),
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
        () if any(Weight::Open) || counts.pass + counts.finding == 0 => Outcome::Bad,
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
    match outcome(checks, inconclusive) {
        Outcome::Inconclusive => None,
        Outcome::Bad => Some(false),
        Outcome::Good => Some(passed),
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
