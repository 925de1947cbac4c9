//! What lies behind proofs: the roots that their paths lead to, and the heads that they are compared with.

use super::{Detail, Recomputed, difference};
use crate::json::Document;
use crate::merkle::{TreeHead, consistency_roots, inclusion_root};
use crate::oversight::consistency::ConsistencyProof;
use crate::oversight::equivocation::{Contradiction, EquivocationProof};
use crate::oversight::{Trust, head};

/// Layers `consistency` and `quorum` of a consistency proof.
pub(super) fn consistency(document: &Document<'_>, trust: &Trust<'_>) -> Vec<Detail> {
    let Ok(proof) = ConsistencyProof::read(document) else { return Vec::new() };
    let mut detail = Detail::new("consistency");
    roots(&mut detail, proof.old.head, proof.new.head, &proof.path);
    detail.shown().into_iter().chain(quorum(Some(proof.new.head), trust)).collect()
}

fn roots(detail: &mut Detail, old: TreeHead, new: TreeHead, path: &[crate::Hash]) {
    if let Ok((old_root, new_root)) = consistency_roots(&old, new.size, path) {
        let with = "the root in the document";
        for (head, root) in [(old, old_root), (new, new_root)] {
            let what = format!("the root of {} leaves that the path leads to", head.size);
            detail.push(Recomputed::root(what, "/path", root, head.root, with));
        }
    }
}

/// Layer `contradiction` of a proof of equivocation.
pub(super) fn contradiction(document: &Document<'_>) -> Option<Detail> {
    let EquivocationProof { old, new, contradiction, .. } = EquivocationProof::read(document).ok()?;
    let (old, new) = (old.head, new.head);
    let mut detail = Detail::new("contradiction");
    match contradiction {
        Contradiction::SameSize => {
            let (message, other) = (head::message(&old).into_bytes(), head::message(&new));
            let difference = difference(&message, other.as_bytes(), "the other signed text", 0);
            let what = "the signed text of one size".to_owned();
            detail.push(Recomputed { difference, ..Recomputed::new(what, "/old".to_owned(), message) });
        }
        Contradiction::Prefix { root, path } => {
            roots(&mut detail, TreeHead { size: old.size, root }, new, &path);
            let what = format!("the root of the first {} leaves of the newer tree", old.size);
            let other = "the root that was signed for them";
            detail.push(Recomputed::root(what, "/contradiction/root", root, old.root, other));
        }
        Contradiction::Leaf { index, old: one, new: other } => {
            for (head, (leaf, path), at) in
                [(old, one, "/contradiction/old_path"), (new, other, "/contradiction/new_path")]
            {
                let Ok(root) = inclusion_root(index, &leaf, &path, head.size) else { continue };
                let what =
                    format!("the root of {} leaves that the path from leaf {index} leads to", head.size);
                detail.push(Recomputed::root(what, at, root, head.root, "the root in the document"));
            }
        }
    }
    detail.shown()
}

/// Layer `quorum` of a head: the text that is signed of it, and of those of its size that vantage points saw.
pub(super) fn quorum(seen: Option<TreeHead>, trust: &Trust<'_>) -> Option<Detail> {
    let (seen, mut detail) = (seen?, Detail::new("quorum"));
    for vantage in trust.vantages {
        for other in vantage.heads.iter().filter(|other| other.size == seen.size) {
            let message = head::message(&seen).into_bytes();
            let with = format!("what {} saw", vantage.name);
            let difference = difference(&message, head::message(other).as_bytes(), &with, 0);
            let what = format!("the signed text of size and root, beside {with}");
            let recomputed = Recomputed::new(what, String::new(), message);
            detail.push(Recomputed { fits: Some(difference.is_none()), difference, ..recomputed });
        }
    }
    detail.shown()
}
