//! A quorum of vantage points: the same head, seen from several places.
//!
//! A registry can show each of its readers another log, and every one of them will find his own sound. Only by
//! comparing heads that were fetched from different places does that come out.

use std::collections::BTreeMap;

use crate::code::Code;
use crate::merkle::TreeHead;
use crate::oversight::{Trust, Vantage};
use crate::verdict::{Layer, Problem};

const RULE: &str =
    "RFC 9162 section 8.3: views are compared, since each of them alone is sound (trust policy: quorum)";

/// What a vantage point says about a head.
enum Says {
    /// It saw this head, or one that the given log leads to as well.
    Same,
    /// It saw a head that cannot belong to the same log.
    Other(TreeHead),
    /// It saw nothing that can be compared.
    Nothing,
}

/// Layer `quorum` of a head: enough vantage points saw it, and none saw another log.
pub(crate) fn layer(head: Option<TreeHead>, trust: &Trust<'_>) -> Layer {
    judge(trust.vantages, trust.quorum, head.map(|head| move |vantage: &Vantage| says(vantage, head, trust)))
}

/// Layer `quorum` of a log: enough vantage points saw heads that it leads to, and none saw another log.
///
/// `leads_to` says of a head whether the log leads to it; `None` where that cannot be said.
pub(crate) fn of_log(
    vantages: &[Vantage],
    needed: usize,
    leads_to: impl Fn(&TreeHead) -> Option<bool>,
) -> Layer {
    let says = |vantage: &Vantage| {
        let seen = || vantage.heads.iter().map(|head| (*head, leads_to(head)));
        if let Some((other, _)) = seen().find(|(_, leads)| *leads == Some(false)) {
            return Says::Other(other);
        }
        // Every log leads to the empty tree.
        let saw_leaves = |(head, leads): (TreeHead, Option<bool>)| leads == Some(true) && head.size > 0;
        if seen().any(saw_leaves) { Says::Same } else { Says::Nothing }
    };
    judge(vantages, needed, Some(says))
}

fn judge(vantages: &[Vantage], needed: usize, says: Option<impl Fn(&Vantage) -> Says>) -> Layer {
    let mut layer = Layer::new("quorum", RULE);
    if let Some([(one, first), (another, second)]) = conflict(vantages) {
        let expected = format!("one root of {} leaves", first.size);
        let found = format!("{} from {one}, {} from {another}", first.root, second.root);
        layer.refute(Problem::new(Code::QuorumConflict, "", expected, found));
    }
    let Some(says) = says.filter(|_| !vantages.is_empty()) else {
        layer.leave_open(Problem::new(Code::NotGiven, "", "a head, and vantage points", "not both"));
        return layer;
    };
    let mut same = 0;
    for vantage in vantages {
        match says(vantage) {
            Says::Same => same += 1,
            Says::Nothing => {}
            Says::Other(other) => {
                let found = format!("root {} of {} leaves from {}", other.root, other.size, vantage.name);
                layer.refute(Problem::new(Code::QuorumConflict, "", "heads of this very log", found));
            }
        }
    }
    let (needed, of) = (needed.max(1), vantages.len());
    if same < needed {
        let expected = format!("{needed} of {of} vantage points that saw this log");
        layer.leave_open(Problem::new(Code::QuorumNotReached, "", expected, same.to_string()));
    }
    layer.recomputed(format!("seen from {same} of {of} vantage points, {needed} needed"))
}

/// Two vantage points, each with the head that it saw, of one size and with different roots.
fn conflict(vantages: &[Vantage]) -> Option<[(&str, TreeHead); 2]> {
    let mut first_seen: BTreeMap<u64, (&str, TreeHead)> = BTreeMap::new();
    let mut seen =
        vantages.iter().flat_map(|vantage| vantage.heads.iter().map(|head| (&*vantage.name, *head)));
    seen.find_map(|(name, head)| {
        let first = *first_seen.entry(head.size).or_insert((name, head));
        (first.1.root != head.root).then_some([first, (name, head)])
    })
}

fn says(vantage: &Vantage, head: TreeHead, trust: &Trust<'_>) -> Says {
    let mut said = Says::Nothing;
    for seen in &vantage.heads {
        if seen.size == head.size {
            if seen.root != head.root {
                return Says::Other(*seen);
            }
            said = Says::Same;
        } else if let Some(log) = trust.log.filter(|log| log.head_at(head.size) == Some(head)) {
            // The log leads to the head; does it lead to what was seen as well?
            match log.head_at(seen.size) {
                // Every log leads to the empty tree: whoever saw that saw nothing of this one.
                Some(shown) if shown == *seen && seen.size == 0 => {}
                Some(shown) if shown == *seen => said = Says::Same,
                Some(_) => return Says::Other(*seen),
                None => {}
            }
        }
    }
    said
}
