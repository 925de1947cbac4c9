//! What every layer does and does not establish, in plain words: one sentence each, for whoever reads a verdict.

/// A layer in plain words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LayerMeaning {
    /// The stable name of the layer, as in [`Layer::id`](crate::Layer).
    pub id: &'static str,
    /// What is shown when the layer is established: one sentence.
    pub establishes: &'static str,
    /// What is not shown even then: one sentence.
    pub does_not_establish: &'static str,
}

impl LayerMeaning {
    /// Every layer that a trace can have, of any kind of document.
    pub const ALL: &'static [Self] = LAYERS;

    /// The layer called `id`; `None` if there is no such layer.
    #[must_use]
    pub fn of(id: &str) -> Option<&'static Self> {
        LAYERS.iter().find(|layer| layer.id == id)
    }
}

/// Makes the table from lines `id, "establishes", "does not establish"`.
macro_rules! layers {
    ($($id:literal, $establishes:literal, $does_not_establish:literal;)*) => {
        const LAYERS: &[LayerMeaning] = &[$(LayerMeaning {
            id: $id,
            establishes: $establishes,
            does_not_establish: $does_not_establish,
        },)*];
    };
}

layers! {
    "limits", "The text is within the bounds that this verifier sets on size, nesting, numbers and values.",
        "It says nothing about what the text means.";
    "json", "The text is one strict JSON text, so that every reader finds the same in it.",
        "It does not show that anything in it is true.";
    "kind", "The document is of a kind that is known here.",
        "It shows nothing about what is in it.";

    "shape", "The members of the document are there, each of its type.",
        "It does not show who wrote them.";
    "file-id", "Bundle and manifest name one file, and it is the one that you asked for, if you named one.",
        "It does not show that the file has the content that the manifest describes.";
    "issuer-signature", "Whoever holds the private key to the key in the manifest signed this manifest.",
        "It does not show whose key that is: see issuer-key.";
    "manifest-members", "The manifest has no member with a value that the issuer's signature leaves out.",
        "It does not show that what was signed is true.";
    "issuer-key", "The key in the manifest is one that you trust, or you said that any issuer will do.",
        "It does not show that nobody else holds the private key.";
    "suite", "The suite of the manifest is a known one, and not weaker than what you accept of this issuer.",
        "It does not show that the signatures which the suite asks for are good: see issuer-signature and post-quantum.";
    "post-quantum", "The suite asks for no second signature, or the ML-DSA-65 signature over the same bytes is good under a key that you trust.",
        "Where no second signature is asked for, it does not show that Ed25519 still withstands whoever attacks it.";
    "beacon-rows", "The beacon rows are exactly those that the issuer signed, under the manifest's identity.",
        "It does not show that the registration times in them are true.";
    "watermark-rows", "The watermark rows are exactly those that the issuer signed, under the manifest's identity.",
        "It does not show that the registration times in them are true.";
    "registry-signature", "Whoever holds the private key to the key in the bundle signed the whole bundle.",
        "It does not show whose key that is (see registry-key), nor that what was signed is true.";
    "registry-key", "The registry's key is one that you trust, at the time that the document gives for itself.",
        "It does not show that the operator is honest, nor that this time is true.";
    "tree-head", "The registry's key signed this size and this root of its log.",
        "It does not show that others were shown the same head.";
    "inclusion", "Every proof leads from its leaf to the root of the tree head.",
        "It does not show that anybody signed that root: see tree-head or head-known.";
    "event-binding", "Every event row rebuilds to its proven leaf and agrees with the manifest.",
        "It does not show that the event happened, nor where it came from.";
    "event-order", "Events stand in the order of their times, and no two claim one place in the log.",
        "It does not show that these times are true.";
    "registration", "The log holds a registration that names file, recipient, issuer, key and counts of this manifest.",
        "It does not show that it was this very manifest: the leaf holds no hash of it.";
    "completeness", "The log has no event of this file that the bundle leaves out.",
        "It does not show that every opening of the file was logged.";
    "log-root", "The leaves of the log lead to the root of this head, or to that of a head that you knew.",
        "It does not show that others see the same log.";
    "append-only", "This head and the heads that you knew before belong to one log that only grew.",
        "It says nothing about heads that you never saw.";
    "one-manifest", "Bundles of one file show one manifest of it, by one issuer.",
        "It does not show that the registry never showed another.";
    "quorum", "As many of your vantage points as you ask for saw this head, or heads of this log, and none of them saw another log.",
        "It says nothing about places from which nobody looked.";
    "freshness", "The bundle is not older than you allow, by the registry's own clock.",
        "It does not show that this clock is right.";
    "time", "A time-stamping authority that you trust says when the evidence existed.",
        "It does not show what happened before that moment; without it all times are the registry's own.";
    "attestation", "A key that you trust signed a statement about this file, its issuer, recipient, suite and marks, as the manifest has them.",
        "It does not show that the attestation was published anywhere.";
    "attestation-log", "A transparency log that you know signed a tree with an entry about this very attestation.",
        "It does not show that the log showed others the same tree, nor when the entry was made.";

    "head-known", "The root that the proof leads to is one that you know from elsewhere.",
        "It does not show who signed that root.";
    "consistency", "The path of the proof leads to both roots: the older tree is a prefix of the newer one.",
        "It does not show that anybody signed these roots: see old-head and new-head.";
    "old-head", "The older of two heads is signed with the registry's key, or you know it from elsewhere.",
        "It does not show that its leaves are true.";
    "new-head", "The newer of two heads is signed with the registry's key, or you know it from elsewhere.",
        "It does not show that its leaves are true.";
    "contradiction", "The two heads cannot belong to one log: the registry signed two histories.",
        "It does not show why, nor which of the two histories is the true one.";
    "log-leaf", "The log has the proven leaf at that index.",
        "It does not show whose log it is.";

    "entries", "The records of the log can be read, and are numbered without a gap.",
        "It does not show that none came before the first or after the last.";
    "leaf-hashes", "Every leaf hash is the hash of its leaf.",
        "It does not show that a signed root commits to them: see log-root.";
    "log-end", "A head that you knew is of the whole log, to its last leaf.",
        "It does not show that the log has not grown since.";
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The auditors' page repeats this table: it must not go stale. That every layer of every trace is in it is asserted
    /// where layers are made, in debug builds, and so by every test that verifies anything.
    #[test]
    fn the_auditors_page_lists_every_layer_with_its_meaning() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/auditors.md");
        let page = std::fs::read_to_string(path).unwrap();
        let row = |layer: &LayerMeaning| {
            format!("| `{}` | {} | {} |", layer.id, layer.establishes, layer.does_not_establish)
        };
        let missing: Vec<String> = LAYERS.iter().map(row).filter(|row| !page.contains(row)).collect();
        assert!(missing.is_empty(), "not in docs/auditors.md as in layers.rs: {missing:#?}");
    }

    #[test]
    fn every_layer_has_one_entry_of_two_sentences() {
        for (position, layer) in LAYERS.iter().enumerate() {
            assert!(LAYERS.iter().skip(position + 1).all(|other| other.id != layer.id), "{}", layer.id);
            for sentence in [layer.establishes, layer.does_not_establish] {
                let is_one = sentence.ends_with('.') && sentence.starts_with(char::is_uppercase);
                assert!(is_one && sentence.len() > 20, "{}: {sentence}", layer.id);
            }
        }
        for id in crate::oversight::BUNDLE_LAYERS {
            assert!(LayerMeaning::of(id).is_some(), "{id}");
        }
    }
}
