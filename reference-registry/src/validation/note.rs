//! What looks like damage and is none.

use serde::Serialize;

/// A kind of oddity that is explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Note {
    /// The log's times go back: the clock was set.
    ClockSetBack,
    /// Rows and events of a registration that was replaced by a later one of the file.
    EarlierRegistration,
    /// Events that were numbered in another order than their leaves, within a second or so: a race of published registries.
    EventsRaced,
    /// A file of the log beside the database, which has only its beginning.
    LogFileBehind,
    /// An index is missing: look-ups read a whole table.
    MissingIndex,
    /// No identity file, so none was looked at.
    NoIdentity,
    /// Rows of a token or mark that another file registered again.
    TakenOver,
    /// The database was not closed.
    UnclosedDatabase,
    /// Members of a manifest that are null, which its registry left out before it verified the signature.
    UnsignedNulls,
    /// A manifest that has no RFC 8785 form: its bundle is refused.
    Unservable,
}
