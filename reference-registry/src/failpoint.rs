//! Places between a request and its answer where tests make things go wrong. Without the feature `failpoints` there is nothing here.

use crate::error::ApiError;

/// What a request has behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Its body was read.
    BodyRead,
    /// Signature and sidecars were found right.
    Verified,
    /// It waits for the writer.
    Queued,
    /// The transaction began.
    Begun,
    /// Its rows were written, and its leaf was not.
    RowsWritten,
    /// Its rows and its leaf were written.
    LeafWritten,
    /// The interior nodes were written; what follows is the commit.
    NodesWritten,
    /// The commit is on disk, and nobody knows yet.
    Committed,
    /// The new head was published.
    Published,
    /// The answer was handed to the connection's task.
    Answered,
}

impl Step {
    /// All of them, in the order in which a registration passes them.
    pub const ALL: [Self; 10] = [
        Self::BodyRead,
        Self::Verified,
        Self::Queued,
        Self::Begun,
        Self::RowsWritten,
        Self::LeafWritten,
        Self::NodesWritten,
        Self::Committed,
        Self::Published,
        Self::Answered,
    ];

    /// The name of its failpoint.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::BodyRead => "body-read",
            Self::Verified => "verified",
            Self::Queued => "queued",
            Self::Begun => "begun",
            Self::RowsWritten => "rows-written",
            Self::LeafWritten => "leaf-written",
            Self::NodesWritten => "nodes-written",
            Self::Committed => "committed",
            Self::Published => "published",
            Self::Answered => "answered",
        }
    }
}

/// A defect that a test seeds, to see that a campaign notices it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Defect {
    /// Writes are answered before their commit.
    AnswersEarly,
    /// What a refused write did already stays.
    KeepsRefused,
}

impl Defect {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::AnswersEarly, Self::KeepsRefused];

    /// The name of its failpoint.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::AnswersEarly => "answers-early",
            Self::KeepsRefused => "keeps-refused",
        }
    }
}

/// Whether a test has seeded this defect.
pub(crate) fn has(defect: Defect) -> bool {
    #[cfg(feature = "failpoints")]
    fail::fail_point!(defect.name(), |_| true);
    let _ = defect;
    false
}

/// Goes on, unless a test has the failpoint of this step fail.
#[cfg_attr(
    not(feature = "failpoints"),
    expect(clippy::unnecessary_wraps, reason = "a failpoint that is compiled in can fail")
)]
pub(crate) fn reach(step: Step) -> Result<(), ApiError> {
    #[cfg(feature = "failpoints")]
    fail::fail_point!(step.name(), |_| Err(ApiError::server_error()));
    let _ = step;
    Ok(())
}

/// Sets the failpoints that `FAILPOINTS` names, in the notation of the crate `fail`, once. One that panics stands for a crash: the
/// process ends there and then.
#[cfg(feature = "failpoints")]
pub(crate) fn from_environment() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        if std::env::var_os("FAILPOINTS").is_some() {
            std::mem::forget(fail::FailScenario::setup());
            std::panic::set_hook(Box::new(|_| std::process::abort()));
        }
    });
}
