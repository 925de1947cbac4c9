//! The closed vocabulary of reasons. A code is stable: reports, vectors and scripts name it; it is never renamed.
//!
//! A new code goes to the end of the table: what a program made of the number of a variant stays as it was.

/// Makes the enum, its texts and the list of all codes from one table.
macro_rules! codes {
    ($($variant:ident = $text:literal, $meaning:literal;)*) => {
        /// Why a layer ended as it did, or why an input was refused.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Code { $(#[doc = $meaning] $variant,)* }

        impl Code {
            /// Every code, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable text, as in vectors and reports.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// The reason in plain words: a lower-case fragment.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)* }
            }
        }
    };
}

codes! {
    Ok = "ok", "recomputed and agrees";

    LimitsBytes = "limits.bytes", "the document is larger than the limit";
    LimitsDepth = "limits.depth", "the document is nested deeper than the limit";
    LimitsNumber = "limits.number", "a number is longer than the limit";
    LimitsValues = "limits.values", "the document has more values than the limit";

    JsonBom = "json.bom", "a JSON text starts with a byte order mark";
    JsonControlCharacter = "json.control-character", "a control character stands unescaped in a string";
    JsonDuplicateKey = "json.duplicate-key", "a member name is given twice in one object";
    JsonEmpty = "json.empty", "there is no JSON value";
    JsonEnd = "json.end", "the JSON text ends too early";
    JsonEscape = "json.escape", "a string has an escape that JSON does not know";
    JsonLoneSurrogate = "json.lone-surrogate", "an escape names half of a surrogate pair";
    JsonNumber = "json.number", "a number is not written as JSON writes numbers";
    JsonSyntax = "json.syntax", "a character stands where JSON does not allow it";
    JsonTrailing = "json.trailing", "something follows the JSON value";
    JsonUtf8 = "json.utf8", "the text is not valid UTF-8";

    CanonFloat = "canon.float", "the scheme refuses numbers with a fraction or an exponent";
    CanonNumberRange = "canon.number-range", "a number is too large for a double";

    Ed25519KeyLength = "ed25519.key-length", "an Ed25519 public key has 32 bytes";
    Ed25519KeyNotAPoint = "ed25519.key-not-a-point", "the public key is no point of the curve";
    Ed25519KeyNotCanonical = "ed25519.key-not-canonical", "the public key is not encoded canonically";
    Ed25519KeySmallOrder = "ed25519.key-small-order", "the public key has small order: it verifies signatures that nobody made";
    Ed25519Mismatch = "ed25519.mismatch", "the signature does not belong to these bytes and this key";
    Ed25519RSmallOrder = "ed25519.r-small-order", "the point R of the signature has small order";
    Ed25519SOutOfRange = "ed25519.s-out-of-range", "the scalar S of the signature is not below the group order";
    Ed25519SignatureLength = "ed25519.signature-length", "an Ed25519 signature has 64 bytes";

    MlDsaMismatch = "ml-dsa.mismatch", "the ML-DSA-65 signature does not belong to these bytes and this key";
    MlDsaSignatureEncoding = "ml-dsa.signature-encoding", "the ML-DSA-65 signature is not encoded as FIPS 204 demands";
    MlDsaSignatureLength = "ml-dsa.signature-length", "an ML-DSA-65 signature has 3,309 bytes";

    MerkleEmptyOldTree = "merkle.empty-old-tree", "a consistency proof from the empty tree proves nothing";
    MerkleIndexOutOfRange = "merkle.index-out-of-range", "the leaf index is not below the tree size";
    MerklePathLength = "merkle.path-length", "the path has not the length that index and size demand";
    MerkleRootMismatch = "merkle.root-mismatch", "the path leads to another root";
    MerkleSizeOrder = "merkle.size-order", "the old tree is larger than the new one";

    DocumentKind = "document.kind", "the document is of no kind that is known here";
    MemberMissing = "bundle.member-missing", "a required member is absent";
    MemberType = "bundle.member-type", "a member is of the wrong type";
    FileIdDiffers = "bundle.file-id-differs", "the document is about another file";

    ManifestDiffers = "manifest.differs", "two bundles show different manifests of one file, by one issuer";
    ManifestIssuerDiffers = "manifest.issuer-differs", "two bundles show manifests of one file by different issuers";
    ManifestSignatureEncoding = "manifest.signature-encoding", "key or signature of the manifest is no hexadecimal text of the right length";
    ManifestSignatureMismatch = "manifest.signature-mismatch", "the issuer's signature fits the manifest under no known canonical form";
    ManifestSignatureMissing = "manifest.signature-missing", "the manifest carries no signature";
    ManifestUnsignedMember = "manifest.unsigned-member", "a member of the manifest is not covered by the issuer's signature";

    SuiteDowngraded = "suite.downgraded", "the suite is weaker than the caller accepts of this issuer";
    SuiteUnknown = "suite.unknown", "the suite is none of the known ones, so nobody can say which signatures it needs";

    PostQuantumKeyMissing = "post-quantum.key-missing", "no ML-DSA-65 key is trusted for this issuer";
    PostQuantumSignatureMissing = "post-quantum.signature-missing", "a hybrid manifest carries no ML-DSA-65 signature";

    RowsDiffer = "rows.differ", "the rows are not those that the issuer signed";
    RowsIdentityDiffers = "rows.identity-differs", "a row names another file, recipient or issuer than the manifest";

    BundleSignatureEncoding = "bundle.signature-encoding", "key or signature of the bundle is no lower-case hexadecimal text of the right length";
    BundleSignatureMismatch = "bundle.signature-mismatch", "the registry's signature fits the bundle under no known canonical form";
    BundleSignatureMissing = "bundle.signature-missing", "the bundle carries no signature";

    KeyDiffers = "key.differs", "the key is none of the trusted ones";
    KeyOutsideWindow = "key.outside-window", "the key is trusted, but not at the time of the document";
    KeyNotPinned = "key.not-pinned", "no trusted key was given to compare with";

    HeadConflict = "head.conflict", "two heads of one size, signed with one key, have different roots";
    HeadEmptyRoot = "head.empty-root", "the root of the empty tree is the SHA-256 of nothing";
    HeadEncoding = "head.encoding", "a member of the tree head is not encoded as it must be";
    HeadLeavesDiffer = "head.leaves-differ", "two trees, signed with one key, have different leaves where both are whole";
    HeadMessageDiffers = "head.message-differs", "the message said to be signed does not restate size and root";
    HeadMissing = "head.missing", "there is no tree head";
    HeadRollback = "head.rollback", "a later bundle has a smaller tree than an earlier one";
    HeadSignatureMismatch = "head.signature-mismatch", "the tree-head signature does not fit size and root under this key";

    EquivocationHeadsAgree = "equivocation.heads-agree", "the two heads are the same: nothing contradicts";
    EquivocationLeavesAgree = "equivocation.leaves-agree", "both trees have the same leaf at this index: nothing contradicts";
    EquivocationPrefixAgrees = "equivocation.prefix-agrees", "the older head is that of a prefix of the newer tree: nothing contradicts";
    EquivocationSizesDiffer = "equivocation.sizes-differ", "heads of different sizes contradict each other only with evidence from their trees";

    EventExtra = "event.extra", "the extra data of an event is not what its kind allows";
    EventIdentityDiffers = "event.identity-differs", "an event row names another file, recipient or issuer than the manifest";
    EventIdentityEarlier = "event.identity-earlier", "an event row names whom the file was registered for earlier, and the manifest of then is not given";
    EventIndexMissing = "event.index-missing", "an event has no place in the log";
    EventLeafDiffers = "event.leaf-differs", "the leaf rebuilt from the event row is not the proven one";
    EventProofMissing = "event.proof-missing", "an event has no inclusion proof";
    EventTimeDiffers = "event.time-differs", "the two times of an event are too far apart to be of one request";
    EventOrder = "event.order", "the events are not in the order of their times";
    EventDuplicateIndex = "event.duplicate-index", "two events claim the same place in the log";
    EventAfterBundle = "event.after-bundle", "an event is later than the bundle that shows it";
    EventBeforeRegistration = "event.before-registration", "an event is earlier than the registration that the rows state";
    EventTokenUnsigned = "event.token-unsigned", "the token of an event is none that the issuer signed";
    EventKindUnknown = "event.kind-unknown", "the kind of the event is none of the known ones";

    ProofDuplicate = "proof.duplicate", "two proofs are given for one event";
    ProofEncoding = "proof.encoding", "a member of the proof is not encoded as it must be";
    ProofEventRow = "proof.event-row", "the proof names an event that is not there";
    ProofHeadDiffers = "proof.head-differs", "the proof is against another tree than the signed head";
    ProofIndexDiffers = "proof.index-differs", "the proof is for another leaf than the event names";
    ProofUnknownMember = "proof.unknown-member", "the proof has a member that nobody verifies";

    QuorumConflict = "quorum.conflict", "vantage points saw heads that cannot belong to one log";
    QuorumNotReached = "quorum.not-reached", "too few vantage points saw this head";

    LogBeyondHead = "log.beyond-head", "the log goes on beyond the largest known head";
    LogCount = "log.count", "the page does not hold as many entries as it says";
    LogEventMissing = "log.event-missing", "the log has an event of this file that the bundle leaves out";
    LogIndexGap = "log.index-gap", "the entries are not numbered without gaps";
    LogLeafDiffers = "log.leaf-differs", "the log has another leaf at this index";
    LogLeafHashDiffers = "log.leaf-hash-differs", "the leaf hash is not the hash of the leaf bytes";
    LogLeafTextDiffers = "log.leaf-text-differs", "text and hexadecimal form of a leaf disagree";
    LogOtherKey = "log.other-key", "heads that another trusted key signed are not of this log";
    LogRegistrationDiffers = "log.registration-differs", "the registration in the log is not of this manifest";
    LogRegistrationMissing = "log.registration-missing", "the log has no registration of this file";
    LogRootDiffers = "log.root-differs", "the leaves of the log lead to another root, or the log is of another registry";
    LogTooShort = "log.too-short", "the given log ends before this tree head";
    LogEncoding = "log.encoding", "a log record is not encoded as it must be";

    DsseDuplicateSignature = "dsse.duplicate-signature", "an envelope has two signatures of one key, or the same one twice";
    DsseEncoding = "dsse.encoding", "an envelope is not written as DSSE demands";
    DssePayloadType = "dsse.payload-type", "the payload is of another type than the one that is expected";
    DsseSize = "dsse.size", "an envelope has a payload or more signatures than any statement needs";

    AttestationDigestDiffers = "attestation.digest-differs", "the statement is about other content than the manifest";
    AttestationFileDiffers = "attestation.file-differs", "the statement names another file than the manifest";
    AttestationIssuerDiffers = "attestation.issuer-differs", "the statement names another issuer key than the manifest";
    AttestationKeyUnknown = "attestation.key-unknown", "no signature of the envelope is by a trusted key";
    AttestationPredicate = "attestation.predicate", "a member of the predicate is absent or of the wrong type";
    AttestationRecipientDiffers = "attestation.recipient-differs", "the statement names another recipient than the manifest";
    AttestationRecipientKeyDiffers = "attestation.recipient-key-differs", "the statement names another key of the recipient than the manifest";
    AttestationSchema = "attestation.schema", "the attestation is of a schema that is not known here";
    AttestationSignatureMismatch = "attestation.signature-mismatch", "no signature of the envelope fits, though it must or claims to be by a trusted key";
    AttestationStatement = "attestation.statement", "the payload is no in-toto statement of version 1";
    AttestationSubjectDiffers = "attestation.subject-differs", "a subject of the statement is no mark of the manifest";
    AttestationSuiteDiffers = "attestation.suite-differs", "the statement names another suite than the manifest";
    AttestationWatermarksDiffer = "attestation.watermarks-differ", "the statement names other marks than the manifest";

    CheckpointDiffers = "checkpoint.differs", "the checkpoint is of another tree than the proof";
    CheckpointSignatureMismatch = "checkpoint.signature-mismatch", "the checkpoint claims to be signed by a known log, and is not";
    TransparencyEncoding = "transparency.encoding", "an entry of a transparency log is not written as it must be";
    TransparencyEntryDiffers = "transparency.entry-differs", "the entry of the transparency log is about another envelope";
    TransparencyEntryKind = "transparency.entry-kind", "the entry of the transparency log is of a kind that is not known here";

    TimeStampAlgorithm = "time-stamp.algorithm", "a time stamp uses an algorithm that is not known here";
    TimeStampCertificate = "time-stamp.certificate", "a certificate of the chain is not fit for it";
    TimeStampCertificateAttribute = "time-stamp.certificate-attribute", "the signed attributes do not name the certificate of the signer";
    TimeStampCertificateMissing = "time-stamp.certificate-missing", "the certificate of the signer is neither in the token nor given";
    TimeStampDigestDiffers = "time-stamp.digest-differs", "the signed digest is not that of the token's content";
    TimeStampEncoding = "time-stamp.encoding", "a time stamp is not written as RFC 3161 demands";
    TimeStampExpired = "time-stamp.expired", "a certificate was not valid at the time that the token states";
    TimeStampImprintDiffers = "time-stamp.imprint-differs", "the time stamp is over other bytes";
    TimeStampRefused = "time-stamp.refused", "the authority did not grant the time stamp";
    TimeStampSignatureMismatch = "time-stamp.signature-mismatch", "the signature of the time stamp does not fit";
    TimeStampUntrusted = "time-stamp.untrusted", "no chain of certificates leads to a trusted root";
    TimeStampUsage = "time-stamp.usage", "the certificate is not one for time stamps alone";

    NotBuilt = "input.not-built", "this build of the verifier leaves out what it takes";
    NotGiven = "input.not-given", "nothing was given that could establish this";
    NotReached = "input.not-reached", "what it needs is missing or refuted";
    ReceiptEncoding = "receipt.encoding", "a member of a registration receipt is not encoded as it must be";
    ReceiptLeafDiffers = "receipt.leaf-differs", "the leaf in a registration receipt is not the one that it speaks of";
    ReceiptSignatureMismatch = "receipt.signature-mismatch", "the registry's signature does not fit the registration receipt";

    RegistrationNoProof = "registration.no-proof", "a bundle carries no proof of the registration";
    TimeStale = "time.stale", "the document is older than the caller allows, or from the future";
    TimeAfterBundle = "time.after-bundle", "the bundle states a time of registration or issue that is later than itself";
    TimeServerClock = "time.server-clock", "times come from the registry's own clock";

    NoteLegacyScheme = "interop.legacy-scheme", "only a form other than RFC 8785 fits";
    NoteLegacyReading = "interop.legacy-reading", "fits only when newer members are left out";
    NoteHexSpelling = "interop.hex-spelling", "hexadecimal text is not written in plain lower case";
    NoteRoundedNumber = "interop.rounded-number", "a number has digits that no double keeps; what is signed is the double";
    NoteTieOrder = "interop.tie-order", "events of one second are not in the order of the log";
    NoteNullDropped = "interop.null-dropped", "a member that is null was left out of the signed bytes";
    NoteUnknownMember = "interop.unknown-member", "a member that is not known; only the registry signed it";
    NoteKeyDigest = "interop.key-digest", "the digest of a key is over its hexadecimal text";
    NoteMemberAbsent = "interop.member-absent", "a member that the specification requires is absent";
    NoteSealedForm = "interop.sealed-form", "a member has not the form that the specification asks for";
    NoteUnsignedSlot = "interop.unsigned-slot", "a signature that the suite does not ask for; nobody signed it and nothing verifies it";
    NoteNextRoot = "interop.next-root", "the root of a head is that of one leaf more: size and root were read at two moments";
    NoteInclusionName = "interop.inclusion-name", "the proof is called `inclusion`, as in the specification's text";

    // From here on in the order in which they came.
    TimeStampBeforeEvidence = "time-stamp.before-evidence", "the time stamp is older than the time that what it covers states for itself";
    RegistrationIssuerDiffers = "registration.issuer-differs", "another issuer registered the file before";
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// By their texts, so that a code that is new leaves the order of the others alone.
impl Ord for Code {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl PartialOrd for Code {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl std::str::FromStr for Code {
    type Err = UnknownCode;

    fn from_str(text: &str) -> Result<Self, UnknownCode> {
        Self::ALL
            .iter()
            .copied()
            .find(|code| code.as_str() == text)
            .ok_or_else(|| UnknownCode(text.to_owned()))
    }
}

/// A text that is no reason code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no reason code")]
pub struct UnknownCode(pub String);

#[cfg(test)]
mod tests {
    use super::*;

    /// The auditors' page repeats this table: it must not go stale.
    #[test]
    fn the_auditors_page_lists_every_code_with_its_meaning() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/auditors.md");
        let page = std::fs::read_to_string(path).unwrap();
        let missing: Vec<&str> = Code::ALL
            .iter()
            .filter(|code| !page.contains(&format!("| `{code}` | {} |", code.meaning())))
            .map(|code| code.as_str())
            .collect();
        assert!(missing.is_empty(), "not in docs/auditors.md as in code.rs: {missing:?}");
        let rows = page.lines().filter(|line| {
            let name = line.strip_prefix("| `").and_then(|rest| rest.split_once("` |")).map(|(name, _)| name);
            name.is_some_and(|name| name.contains('.') && !name.contains(['/', ' ']))
        });
        // `ok` is the one code without a dot.
        assert_eq!(rows.count(), Code::ALL.len() - 1, "docs/auditors.md lists codes that do not exist");
    }
}
