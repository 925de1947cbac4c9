//! The ways in which this registry can be told to misbehave, one defect each.
//!
//! A fault acts where a dishonest registry would act, and everything around it stays honest: a bundle with
//! altered content is signed again with the registry's own key, so that only the named defect is there.

use std::{
    collections::BTreeSet,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use serde_json::Value;

/// One deliberate defect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Stable id, as given in [`Options::faults`](crate::Options::faults).
    pub id: &'static str,
    /// What the registry does when it is on.
    pub does: &'static str,
}

const fn fault(id: &'static str, does: &'static str) -> Fault {
    Fault { id, does }
}

/// Every fault, in alphabetical order.
pub const FAULTS: &[Fault] = &[
    fault("attribute-finds-everything", "/attribute answers an unknown identifier with an invented file"),
    fault("attribute-finds-nothing", "/attribute answers found:false to every identifier"),
    fault("beacon-not-recorded", "a web beacon is answered 200, and nothing is stored or logged"),
    fault("beacon-recorded-under-other-kind", "a web beacon is stored and logged under another kind"),
    fault("beacon-row-dropped", "evidence leaves out the last beacon row"),
    fault(
        "bundle-signature-over-blank-member",
        "the bundle is signed with its own signature member present and empty",
    ),
    fault(
        "bundle-signature-over-escaped-text",
        "the bundle is signed as JSON in which everything but ASCII is escaped",
    ),
    fault(
        "bundle-signature-over-hash",
        "the bundle's signature is over the SHA-256 hash of its canonical bytes",
    ),
    fault("bundle-signature-over-indented-text", "the bundle is signed as indented text"),
    fault("bundle-signature-over-insertion-order", "the bundle is signed with its members as they come"),
    fault("bundle-signature-over-manifest", "the bundle's signature is over its manifest alone"),
    fault("bundle-signature-without-events", "the bundle's signature leaves its events out"),
    fault("bundle-signed-by-other-key", "the bundle is signed by a key that is not the registry's"),
    fault("dns-secret-ignored", "/dns_event is accepted from anyone, whatever the secret"),
    fault("errors-without-envelope", "refusals carry a framework body instead of the error envelope"),
    fault("event-dropped", "evidence leaves out the newest event and its proof"),
    fault(
        "event-user-agent-altered",
        "the newest web event in evidence has a user agent other than its leaf",
    ),
    fault("evidence-proof-dropped", "evidence leaves out the inclusion proof of its newest event"),
    fault("file-id-bounded-by-characters", "/register counts the characters of a file_id, not its bytes"),
    fault("file-id-unbounded", "/register accepts a file_id of any length"),
    fault("head-root-random", "tree heads are signed over a random root"),
    fault("head-signature-garbage", "tree heads carry 64 random bytes for a signature"),
    fault("head-signed-by-other-key", "tree heads are signed by a key that is not the registry's"),
    fault("head-signs-hash", "the signature of a tree head is over the SHA-256 hash of its message"),
    fault("head-signs-other-message", "the signed message of a tree head names another size than the head"),
    fault(
        "head-signs-size-and-root-as-bytes",
        "the signature of a tree head is over eight bytes of size and the root",
    ),
    fault("head-size-rollback", "every tree head after the first is of a smaller tree than the one before"),
    fault("identifiers-bounded-as-escaped", "/register counts characters outside ASCII as they are escaped"),
    fault("identifiers-of-256-bytes-refused", "/register refuses identifiers of exactly 256 bytes"),
    fault(
        "identity-changes",
        "everything is signed by another key, and says so, once the log has three leaves",
    ),
    fault(
        "issuer-id-bounded-by-characters",
        "/register counts the characters of an issuer_id, not its bytes",
    ),
    fault("issuer-id-unbounded", "/register accepts an issuer_id of any length"),
    fault("key-first-byte-ignored", "/register accepts an issuer key that differs in its first byte"),
    fault("key-non-digits-skipped", "/register takes what is no digit in an issuer key for any digits"),
    fault("key-short-padded", "/register fills up an issuer key that is too short"),
    fault("log-first-leaf-rewritten", "the first leaf is another one once the log has six leaves"),
    fault("log-leaves-swapped", "the last two leaves change places, once, when the log has six leaves"),
    fault(
        "manifest-altered-in-evidence",
        "the manifest in evidence has another file name than the signed one",
    ),
    fault("manifest-signature-unchecked", "/register accepts any manifest signature"),
    fault("mark-id-bounded-by-characters", "/register counts the characters of a mark_id, not its bytes"),
    fault("mark-id-unbounded", "/register accepts a mark_id of any length"),
    fault("other-issuer-accepted", "/register lets another issuer replace a file, token or mark"),
    fault("proof-of-other-leaf", "an inclusion proof is a valid one of a neighbouring leaf"),
    fault("proof-siblings-reversed", "inclusion proofs list their siblings from the root down"),
    fault("range-entry-dropped", "/tlog/range leaves out an entry in the middle of the page"),
    fault(
        "range-leaf-data-replaced",
        "/tlog/range serves other bytes for the first leaf under the true leaf hash",
    ),
    fault("range-leaf-hash-wrong", "/tlog/range gives a wrong leaf hash for its first entry"),
    fault(
        "recipient-id-bounded-by-characters",
        "/register counts the characters of a recipient_id, not its bytes",
    ),
    fault("recipient-id-unbounded", "/register accepts a recipient_id of any length"),
    fault("register-appends-nothing", "/register answers an index, stores the rows and logs nothing"),
    fault("register-index-constant", "/register answers index 0 whatever the leaf's index is"),
    fault("register-leaf-of-other-file", "the leaf of a registration names another file"),
    fault("rejection-appends-leaf", "a rejected registration is logged like an accepted one"),
    fault("sidecar-comparison-skipped", "/register accepts sidecars that differ from the signed arrays"),
    fault("signature-first-byte-ignored", "/register accepts a signature that differs in its first byte"),
    fault("signature-in-capitals-accepted", "/register accepts a signature in capital letters"),
    fault("signature-late-byte-ignored", "/register accepts a signature that differs in its 38th byte"),
    fault("signature-non-digits-skipped", "/register takes what is no digit in a signature for any digits"),
    fault("signature-odd-padded", "/register fills up a signature of an odd number of digits"),
    fault("signature-prefix-skipped", "/register accepts a signature with 0x in front"),
    fault("signature-scalar-reduced", "/register reduces the second half of a signature before it verifies"),
    fault("signature-short-padded", "/register fills up a signature that is too short"),
    fault("signature-space-trimmed", "/register trims white space around a signature"),
    fault("signature-tail-ignored", "/register ignores what follows after 64 bytes of signature"),
    fault("signature-top-bits-masked", "/register masks the highest bits of a signature before it verifies"),
    fault("token-id-bounded-by-characters", "/register counts the characters of a token_id, not its bytes"),
    fault("token-id-unbounded", "/register accepts a token_id of any length"),
    fault("tree-leaves-without-prefix", "roots are made of leaf hashes without the prefix 0x00"),
    fault("tree-nodes-without-prefix", "roots are made of node hashes without the prefix 0x01"),
    fault("tree-odd-node-repeated", "roots are made of trees in which an odd node is its own sibling"),
    fault("unsigned-member-stored", "/register stores members of a manifest that nobody signed"),
    fault("unsigned-recipient-member-stored", "/register stores members of a recipient that nobody signed"),
    fault("unsigned-watermark-member-stored", "/register stores members of a watermark that nobody signed"),
    fault("watermark-row-invented", "evidence has a watermark row that no manifest signed"),
    fault("well-known-key-differs", "the well-known document names a key that signs nothing"),
];

/// Where somebody else may change what this registry is about to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// An event, before its leaf and its row are written: `token_id`, `file_id`, `recipient_id`, `issuer_id`, `kind`, `source_ip`,
    /// `user_agent`, `qname`, `qtype`, `timestamp` (Unix seconds), `qualified_timestamp`.
    Event,
    /// The object of a leaf, before it is canonicalized, hashed and appended.
    Leaf,
    /// `root` and `size` of a tree head, before they are signed. Where `signed_message` is set, that text is signed instead.
    Head,
    /// An evidence bundle, before it is signed.
    Bundle,
}

/// Changes what a registry is about to write, hash or sign: a fault that is not known here by name.
pub trait Meddler: fmt::Debug + Send + Sync {
    /// Changes a document in place, or leaves it.
    fn meddle(&self, stage: Stage, document: &mut Value);
}

/// The faults that are on, and what they remember.
#[derive(Debug)]
pub(crate) struct Faults {
    on: BTreeSet<String>,
    meddler: Option<Arc<dyn Meddler>>,
    /// Whether one of them had an occasion to act.
    acted: AtomicBool,
    /// Size of the last tree head that `head-size-rollback` let out; `u64::MAX` before the first.
    last_size: AtomicU64,
}

/// An id that is not in [`FAULTS`].
#[derive(Debug)]
pub(crate) struct UnknownFault(pub(crate) String);

impl Faults {
    pub(crate) fn new(on: BTreeSet<String>, meddler: Option<Arc<dyn Meddler>>) -> Result<Self, UnknownFault> {
        match on.iter().find(|id| !is_known(id)) {
            Some(id) => Err(UnknownFault(id.clone())),
            None => {
                Ok(Self { on, meddler, acted: AtomicBool::new(false), last_size: AtomicU64::new(u64::MAX) })
            }
        }
    }

    /// Whether a fault is on; asked where it would act, so that asking is its occasion.
    pub(crate) fn on(&self, id: &'static str) -> bool {
        debug_assert!(is_known(id), "{id} is not in the catalogue");
        let on = self.on.contains(id);
        if on {
            self.acted.store(true, Ordering::SeqCst);
        }
        on
    }

    /// Whether this registry is honest: no fault is on, and nobody meddles.
    pub(crate) fn are_off(&self) -> bool {
        self.on.is_empty() && self.meddler.is_none()
    }

    /// Whether a fault that is on had an occasion to act.
    pub(crate) fn acted(&self) -> bool {
        self.acted.load(Ordering::SeqCst)
    }

    /// Lets the meddler, where there is one, change a document.
    pub(crate) fn meddle(&self, stage: Stage, document: &mut Value) {
        if let Some(meddler) = &self.meddler {
            meddler.meddle(stage, document);
        }
    }

    /// The size that the next tree head shall have: the true one first, then less each time.
    pub(crate) fn rolled_back(&self, size: u64) -> u64 {
        let shrink = |last: u64| Some(size.min(last.saturating_sub(1)));
        let last = self.last_size.fetch_update(Ordering::SeqCst, Ordering::SeqCst, shrink);
        last.map_or(size, |last| size.min(last.saturating_sub(1)))
    }
}

fn is_known(id: &str) -> bool {
    FAULTS.iter().any(|fault| fault.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_is_sorted_and_without_repetition() {
        assert!(FAULTS.is_sorted_by(|left, right| left.id < right.id));
        assert!(FAULTS.len() >= 74);
    }

    #[test]
    fn rolled_back_sizes_shrink_after_the_first() {
        let faults = Faults::new(BTreeSet::new(), None).unwrap();
        assert_eq!([5, 9, 9, 9].map(|size| faults.rolled_back(size)), [5, 4, 3, 2]);
    }

    #[test]
    fn an_unknown_fault_is_named() {
        let on = BTreeSet::from([String::from("head-root-random"), String::from("no-such-fault")]);
        assert_eq!(Faults::new(on, None).unwrap_err().0, "no-such-fault");
    }
}
