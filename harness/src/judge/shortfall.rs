//! How conditions are not met, and how checks end.

use assayer_reports::Status;

/// Why a condition is not met.
#[derive(Clone)]
pub(super) struct Shortfall {
    pub(super) how: How,
    /// Stable: baselines name it.
    pub(super) code: String,
    pub(super) text: String,
}

/// How a condition is not met, from the mildest to the gravest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum How {
    /// Not shown: something that it needs is missing.
    NotVerified,
    /// The target broke.
    Broken,
    /// Shown to be otherwise, in a way that a target which others are writing to can bring about without being at fault.
    Raced,
    /// Shown to be otherwise.
    Failed,
}

pub(super) fn failed(code: &str, text: String) -> Shortfall {
    Shortfall { how: How::Failed, code: code.to_owned(), text }
}

pub(super) fn not_verified(code: &str, text: String) -> Shortfall {
    Shortfall { how: How::NotVerified, code: code.to_owned(), text }
}

/// How a check ended.
pub(super) struct Ended {
    pub(super) status: Status,
    pub(super) code: String,
    pub(super) reason: String,
}

pub(super) fn ended(status: Status, code: &str, reason: String) -> Ended {
    Ended { status, code: code.to_owned(), reason }
}
