//! The closed vocabulary of what a validation counts.

use serde::Serialize;

/// One rule; its counter has its name in snake case, and blocks deployment unless it is zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Beacon rows of a file that has no manifest.
    OrphanBeacons,
    /// Watermark rows of a file that has no manifest.
    OrphanWatermarks,
    /// Events of a file that has no manifest.
    OrphanEvents,
    /// Corpus rows of a file that has no manifest.
    OrphanCorpus,
    /// Beacon rows whose recipient or issuer is not that of the manifest's row.
    BeaconIdentityMismatches,
    /// Watermark rows whose recipient or issuer is not that of the manifest's row.
    WatermarkIdentityMismatches,
    /// Events whose recipient or issuer is not that of the manifest's row, or is absent though the file is known.
    EventIdentityMismatches,
    /// Events whose `extra` is not JSON.
    MalformedEventExtraJson,
    /// Corpus rows whose `metadata` is not JSON.
    MalformedCorpusMetadataJson,
    /// Events beyond the first that name one leaf.
    DuplicateEventTlogIndexes,
    /// Events whose index is below zero.
    NegativeEventTlogIndexes,
    /// Events without an index.
    EventsWithoutTlogIndex,
    /// Events whose index is not below the size of the log.
    EventTlogIndexesOutOfRange,
    /// Events whose leaf says something else.
    EventTlogLeafMismatches,
    /// Manifests that are no JSON object with members of the right types.
    MalformedManifestJson,
    /// Manifests whose text no registry writes so: blanks, escapes, numbers that are spelled otherwise.
    ManifestTextMismatches,
    /// Manifests whose issuer's signature verifies in none of the known forms.
    InvalidManifestSignatures,
    /// Manifests whose `file_id` is not that of their row.
    MismatchedManifestFileIds,
    /// Lines or rows of the log that are no leaf record.
    MalformedTlogRecords,
    /// Leaf records whose index is not their position.
    NoncontiguousTlogRecords,
    /// Leaf records whose hash is not that of their bytes.
    TlogLeafHashMismatches,
    /// Leaf records whose text is not that of their bytes.
    TlogTextMismatches,
    /// The log is missing though there are rows.
    MissingTlog,
    /// A file of the log, beside one in the database, that is not its beginning.
    LogFileMismatches,
    /// The stored tree over the leaves is not theirs.
    TlogNodeMismatches,
    /// Rows of the table of registrations that are not those of the leaves.
    RegistrationRowMismatches,
    /// Rows kept aside, of tokens or marks that no newer file answers for.
    EarlierRowMismatches,
    /// Attestations that were kept and are not of a registration in the log, or not signed by this registry.
    AttestationMismatches,
    /// Beacon leaves that no event names: an event was deleted, or a leaf was added.
    BeaconLeavesWithoutEvent,
    /// Leaves that are neither a registration nor an event, or not as a registry writes one: their members, their form, or a
    /// registration that stands there again, with the time of the first.
    UnknownTlogLeaves,
    /// Registration leaves of a file that has no manifest.
    RegistrationLeavesWithoutManifest,
    /// Manifests that the log knows no registration of.
    ManifestsWithoutRegistrationLeaf,
    /// Manifests that differ from their last registration leaf, or whose file was registered by two issuers.
    RegistrationLeafMismatches,
    /// Manifests whose row names another issuer, recipient or key.
    ManifestRowMismatches,
    /// Manifests with members that their signature does not cover.
    UnsignedManifestMembers,
    /// Signed beacons that have no row.
    MissingBeaconRows,
    /// Beacon rows that the manifest does not list so.
    UnsignedBeaconRows,
    /// Signed watermarks that have no row.
    MissingWatermarkRows,
    /// Watermark rows that the manifest does not list so.
    UnsignedWatermarkRows,
    /// Corpus rows that no registration writes: an empty hash, two hashes of one kind.
    CorpusRowMismatches,
    /// Rows registered at a time at which the log has no registration of their file.
    RegisteredAtMismatches,
    /// Events whose seconds are not those of their text.
    EventTimeMismatches,
    /// Events whose columns say what an event of their kind cannot: user agent of a DNS event, `extra` of another.
    EventColumnMismatches,
    /// Events that stand in the log before their file does, or whose token is not one that their file lists.
    EventTokenMismatches,
    /// Events that are numbered in another order than their leaves, and not within the seconds of a race.
    EventOrderMismatches,
    /// Gaps in the numbers of the events, or numbers that were never given out.
    EventIdGaps,
    /// Rows beyond the first with one key.
    DuplicateRows,
    /// Rows with a value of another type than that of the column, or without one where one is needed.
    ColumnTypeMismatches,
    /// Tables whose key is not that of the registries, or folds what differs, so that a row would be written beside the one that it replaces or
    /// in its place.
    MissingKeys,
    /// Tables and indexes that are defined otherwise, so that rows are refused, dropped or changed when they are written.
    DefinitionMismatches,
    /// Triggers: no registry of this protocol has any, and they change rows behind its back.
    Triggers,
    /// Tables that are not there.
    MissingTables,
    /// Columns that are not there.
    MissingColumns,
    /// The database is missing, damaged or no database.
    DatabaseErrors,
    /// The identity cannot be read, or its public key is not that of its private key.
    IdentityFileErrors,
}

impl Class {
    /// All, in the order of the report.
    pub const ALL: [Self; 55] = [
        Self::OrphanBeacons,
        Self::OrphanWatermarks,
        Self::OrphanEvents,
        Self::OrphanCorpus,
        Self::BeaconIdentityMismatches,
        Self::WatermarkIdentityMismatches,
        Self::EventIdentityMismatches,
        Self::MalformedEventExtraJson,
        Self::MalformedCorpusMetadataJson,
        Self::DuplicateEventTlogIndexes,
        Self::NegativeEventTlogIndexes,
        Self::EventsWithoutTlogIndex,
        Self::EventTlogIndexesOutOfRange,
        Self::EventTlogLeafMismatches,
        Self::MalformedManifestJson,
        Self::ManifestTextMismatches,
        Self::InvalidManifestSignatures,
        Self::MismatchedManifestFileIds,
        Self::MalformedTlogRecords,
        Self::NoncontiguousTlogRecords,
        Self::TlogLeafHashMismatches,
        Self::TlogTextMismatches,
        Self::MissingTlog,
        Self::LogFileMismatches,
        Self::TlogNodeMismatches,
        Self::RegistrationRowMismatches,
        Self::EarlierRowMismatches,
        Self::AttestationMismatches,
        Self::BeaconLeavesWithoutEvent,
        Self::UnknownTlogLeaves,
        Self::RegistrationLeavesWithoutManifest,
        Self::ManifestsWithoutRegistrationLeaf,
        Self::RegistrationLeafMismatches,
        Self::ManifestRowMismatches,
        Self::UnsignedManifestMembers,
        Self::MissingBeaconRows,
        Self::UnsignedBeaconRows,
        Self::MissingWatermarkRows,
        Self::UnsignedWatermarkRows,
        Self::CorpusRowMismatches,
        Self::RegisteredAtMismatches,
        Self::EventTimeMismatches,
        Self::EventColumnMismatches,
        Self::EventTokenMismatches,
        Self::EventOrderMismatches,
        Self::EventIdGaps,
        Self::DuplicateRows,
        Self::ColumnTypeMismatches,
        Self::MissingKeys,
        Self::DefinitionMismatches,
        Self::Triggers,
        Self::MissingTables,
        Self::MissingColumns,
        Self::DatabaseErrors,
        Self::IdentityFileErrors,
    ];

    /// The counter's name in a report.
    #[must_use]
    pub fn name(self) -> String {
        serde_json::to_value(self).ok().and_then(|name| name.as_str().map(String::from)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_is_listed_once_and_in_order() {
        assert!(Class::ALL.is_sorted_by(|a, b| a < b));
        assert_eq!(Class::ALL.last(), Some(&Class::IdentityFileErrors));
        assert_eq!(Class::ALL.len(), Class::IdentityFileErrors as usize + 1);
        assert_eq!(Class::EventsWithoutTlogIndex.name(), "events_without_tlog_index");
    }
}
