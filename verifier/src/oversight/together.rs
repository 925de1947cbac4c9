//! What several documents say together: each of them may be sound, and no two of one registry may contradict each other.

mod subtrees;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use crate::code::Code;
use crate::hash::{Hash, PublicKey};
use crate::limits::Limits;
use crate::merkle::TreeHead;
use crate::oversight::{DocumentKind, compare_heads, heads_not_compared, reading_layers};
use crate::prover::InclusionPath;
use crate::verdict::{Layer, Problem, Trace, Verdict};
use subtrees::{Conflict, Subtrees};

/// What a document says under a registry's signature, as far as another document can contradict it.
///
/// Only what was verified stands here: the head if its signature is good, proofs that hold against it, time, manifest and events if the
/// signature of the whole bundle is good.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statement {
    /// The registry's key.
    pub key: PublicKey,
    /// Whether the caller trusts this key for this document. A key that contradicts itself does so whether anybody trusts it
    /// or not.
    pub is_trusted: bool,
    /// The signed tree head.
    pub head: Option<TreeHead>,
    /// When a bundle was made, by the registry's own clock, in seconds since 1970.
    pub generated: Option<i64>,
    /// The manifest that a bundle shows.
    pub manifest: Option<ShownManifest>,
    /// Inclusion proofs that hold against the signed tree head.
    pub proofs: Vec<InclusionPath>,
    /// The places in the log of all events that a bundle has of its file, each of them proven against the signed tree head; ascending.
    pub events: Option<Vec<u64>>,
}

impl Statement {
    pub(crate) fn new(key: PublicKey, is_trusted: bool) -> Self {
        Self {
            key,
            is_trusted,
            head: None,
            generated: None,
            manifest: None,
            proofs: Vec::new(),
            events: None,
        }
    }
}

/// A manifest whose issuer's signature is good, in a bundle whose registry's signature is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShownManifest {
    /// SHA-256 of the file's id, as text.
    pub file_id: Hash,
    /// The issuer's key.
    pub issuer: PublicKey,
    /// SHA-256 of the bytes that the issuer signed.
    pub signed: Hash,
}

impl ShownManifest {
    pub(crate) fn new(file_id: Hash, issuer: PublicKey, signed: Hash) -> Self {
        Self { file_id, issuer, signed }
    }
}

/// What two documents show that neither shows alone.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CrossFinding {
    /// The names of the two documents, joined by ` and `.
    pub path: String,
    /// The kind of both.
    pub kind: DocumentKind,
    /// The layers: `append-only`, `one-manifest` or `completeness`, beside those of reading. Never authentic.
    pub trace: Trace,
}

/// Compares what documents state, each with all before it.
///
/// | contradiction | layer | ends as |
/// |---|---|---|
/// | two roots of one size | `append-only` | refuted, `head.conflict` |
/// | two trees with different leaves where both are whole | `append-only` | refuted, `head.leaves-differ` |
/// | one file, and an event that only one of two bundles has although both trees hold it | `completeness` | refuted, `log.event-missing` |
/// | a later bundle with a smaller tree | `append-only` | open, `head.rollback`: the registry's clock may have been set back |
/// | one file with manifests of two issuers | `one-manifest` | refuted, `manifest.issuer-differs` (SI-3) |
/// | one file with two manifests of its issuer | `one-manifest` | open, `manifest.differs`: a file may be registered again |
///
/// Leaves are compared by the perfect subtrees that inclusion proofs fix: a leaf that was exchanged is noticed although neither bundle
/// shows it, as soon as both prove something whose path leads by it.
///
/// Memory is bounded: it remembers `most` heads, `most` files, `most` events and `most` subtrees, each with the names of at most three
/// documents. What found no room is compared with those, and [`finish`](Self::finish) says that it was not with all.
#[derive(Debug)]
pub struct CrossCheck {
    most: usize,
    heads: BTreeMap<(PublicKey, u64), Met>,
    files: BTreeMap<(PublicKey, Hash), Shown>,
    subtrees: Subtrees,
    /// How many events are remembered, over all files.
    events: usize,
    left_out: u64,
}

/// A head that was met.
#[derive(Debug)]
struct Met {
    root: Hash,
    is_trusted: bool,
    path: Arc<str>,
    /// Of the bundles with this head, the first and the last by their own time.
    times: Option<[Moment; 2]>,
}

/// When a bundle says that it was made, and its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Moment {
    at: i64,
    path: Arc<str>,
}

/// The manifest of a file, as the first bundle has it, and its events, as any bundle has them.
#[derive(Debug)]
struct Shown {
    issuer: PublicKey,
    signed: Hash,
    path: Arc<str>,
    /// Places in the log, each with the first bundle that shows the event.
    events: BTreeMap<u64, Arc<str>>,
    /// The bundle with the largest tree: of all that lack an event it is the one to say so of.
    largest: Option<(u64, Arc<str>)>,
}

/// How far two clocks of one registry may be apart, in seconds: head and time of a bundle are read at two moments.
const CLOCKS_APART: i64 = 5;

impl CrossCheck {
    /// One that has met nothing, and will remember so many heads and so many files.
    #[must_use]
    pub fn new(most: usize) -> Self {
        let (heads, files) = (BTreeMap::new(), BTreeMap::new());
        Self { most, heads, files, subtrees: Subtrees::new(most), events: 0, left_out: 0 }
    }

    /// Takes a statement, under the name of its document; gives what contradicts an earlier one.
    pub fn add(&mut self, path: &str, statement: &Statement) -> Vec<CrossFinding> {
        let path: Arc<str> = path.into();
        let of_head = statement.head.and_then(|head| self.add_head(&path, statement, head));
        // Of two roots of one size it is plain that their leaves differ.
        let proofs = if of_head.is_some() { &[] } else { statement.proofs.as_slice() };
        let of_leaves = self.subtrees.add(statement.key, &path, proofs);
        let of_leaves = of_leaves.map(|conflict| leaves_differ(&conflict, &path, statement.key));
        let of_file = statement.manifest.map(|manifest| self.add_file(&path, statement, manifest));
        of_head.into_iter().chain(of_leaves).chain(of_file.unwrap_or_default()).collect()
    }

    /// The heads that were met under keys that the caller trusts, each with its key, the smallest of each key first.
    pub fn trusted_heads(&self) -> impl Iterator<Item = (PublicKey, TreeHead)> {
        let trusted = self.heads.iter().filter(|(_, met)| met.is_trusted);
        trusted.map(|((key, size), met)| (*key, TreeHead { size: *size, root: met.root }))
    }

    /// What shows only when all documents were met: trees that became smaller, one finding for each key, and what was not
    /// compared.
    #[must_use]
    pub fn finish(self) -> Vec<CrossFinding> {
        let mut found = self.rollbacks();
        if self.left_out > 0 {
            found.push(CrossFinding {
                path: "heads and files of this call".to_owned(),
                kind: DocumentKind::Head,
                trace: heads_not_compared(self.most, self.left_out),
            });
        }
        if let Some(level) = self.subtrees.forgotten() {
            found.push(CrossFinding {
                path: "proofs of this call".to_owned(),
                kind: DocumentKind::Bundle,
                trace: leaves_not_compared(self.most, level),
            });
        }
        found
    }

    fn add_head(&mut self, path: &Arc<str>, statement: &Statement, head: TreeHead) -> Option<CrossFinding> {
        let moment = statement.generated.map(|at| Moment { at, path: path.clone() });
        let Some(met) = self.heads.get_mut(&(statement.key, head.size)) else {
            if self.heads.len() < self.most {
                let (root, is_trusted, path) = (head.root, statement.is_trusted, path.clone());
                let times = moment.map(|moment| [moment.clone(), moment]);
                self.heads.insert((statement.key, head.size), Met { root, is_trusted, path, times });
            } else {
                self.left_out += 1;
            }
            return None;
        };
        if met.root != head.root {
            let known = TreeHead { size: head.size, root: met.root };
            let trace = compare_heads(known, head, &Limits::default());
            return Some(CrossFinding { path: both(&met.path, path), kind: DocumentKind::Head, trace });
        }
        met.is_trusted |= statement.is_trusted;
        if let Some(moment) = moment {
            let [first, last] = met.times.get_or_insert_with(|| [moment.clone(), moment.clone()]);
            if moment.at < first.at {
                *first = moment;
            } else if moment.at > last.at {
                *last = moment;
            }
        }
        None
    }

    fn add_file(
        &mut self,
        path: &Arc<str>,
        statement: &Statement,
        manifest: ShownManifest,
    ) -> Vec<CrossFinding> {
        let full = self.files.len() >= self.most;
        let shown = match self.files.entry((statement.key, manifest.file_id)) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(_) if full => {
                self.left_out += 1;
                return Vec::new();
            }
            Entry::Vacant(entry) => entry.insert(Shown::new(manifest, path)),
        };
        let is_same = shown.signed == manifest.signed && shown.issuer == manifest.issuer;
        let differs = (!is_same).then(|| CrossFinding {
            path: both(&shown.path, path),
            kind: DocumentKind::Bundle,
            trace: manifests_differ(shown, &manifest),
        });
        let missing = statement.head.zip(statement.events.as_deref());
        let missing = missing.and_then(|(head, events)| {
            let room = self.most.saturating_sub(self.events);
            let before = shown.events.len();
            let (missing, left_out) = shown.add_events(path, head.size, events, room);
            self.events += shown.events.len() - before;
            self.left_out += left_out;
            missing
        });
        differs.into_iter().chain(missing).collect()
    }

    /// Per key, from the smallest tree up: no smaller tree may be of a later time.
    fn rollbacks(&self) -> Vec<CrossFinding> {
        let mut found: BTreeMap<PublicKey, (CrossFinding, usize)> = BTreeMap::new();
        let mut latest: Option<(PublicKey, u64, &Moment)> = None;
        for ((key, size), met) in &self.heads {
            let Some([first, last]) = &met.times else { continue };
            let before = latest.filter(|(of, ..)| of == key);
            if let Some((_, smaller, later)) = before
                && later.at > first.at.saturating_add(CLOCKS_APART)
            {
                let finding = || (rollback([*size, smaller], [first, later]), 0);
                found.entry(*key).or_insert_with(finding).1 += 1;
            }
            if before.is_none_or(|(.., later)| later.at < last.at) {
                latest = Some((*key, *size, last));
            }
        }
        let counted = found.into_values().map(|(mut finding, count)| {
            for layer in finding.trace.layers.iter_mut().filter(|layer| layer.problem.is_some()) {
                layer.problems = count;
            }
            finding
        });
        counted.collect()
    }
}

impl Shown {
    fn new(manifest: ShownManifest, path: &Arc<str>) -> Self {
        let ShownManifest { issuer, signed, .. } = manifest;
        Self { issuer, signed, path: path.clone(), events: BTreeMap::new(), largest: None }
    }

    /// Takes all events that a bundle has under a tree of `size` leaves; says which one it lacks, or which one of its own a bundle before
    /// lacks, and how many found no room.
    ///
    /// Whichever was made first: an event that is in both trees is in both bundles (EV-1).
    fn add_events(
        &mut self,
        path: &Arc<str>,
        size: u64,
        events: &[u64],
        room: usize,
    ) -> (Option<CrossFinding>, u64) {
        let lacked = self.events.range(..size).find(|(index, _)| events.binary_search(index).is_err());
        let lacked = lacked.map(|(index, shown_by)| event_missing(*index, shown_by, path));
        let fresh: Vec<u64> =
            events.iter().copied().filter(|index| !self.events.contains_key(index)).collect();
        let before = self.largest.as_ref().and_then(|(size, lacks)| {
            let index = fresh.iter().find(|index| *index < size)?;
            Some(event_missing(*index, path, lacks))
        });
        self.events.extend(fresh.iter().take(room).map(|index| (*index, path.clone())));
        if self.largest.as_ref().is_none_or(|(largest, _)| *largest < size) {
            self.largest = Some((size, path.clone()));
        }
        (lacked.or(before), fresh.len().saturating_sub(room) as u64)
    }
}

fn event_missing(index: u64, shown_by: &str, lacks: &str) -> CrossFinding {
    let layer = Layer::new("completeness", "EV-1: the bundle holds the events of the file");
    let expected = format!("the event at index {index} of the log, which {shown_by} has");
    let found = format!("no such row in {lacks}");
    let problem = Problem::new(Code::LogEventMissing, "/events", expected, found);
    CrossFinding {
        path: both(shown_by, lacks),
        kind: DocumentKind::Bundle,
        trace: trace_of(layer.refuted(problem)),
    }
}

fn leaves_differ(conflict: &Conflict, path: &str, key: PublicKey) -> CrossFinding {
    let Conflict { level, place, hashes: [known, other], path: first } = conflict;
    let start = u128::from(*place) << level;
    let (what, proof) = match level {
        0 => {
            (format!("leaf {start}"), format!("; `assayer prove equivocation` with {key} makes a file of it"))
        }
        level => (format!("leaves {start} to {}", start + (1 << level) - 1), String::new()),
    };
    let expected = format!("{what} under the hash {known}");
    let layer =
        Layer::new("append-only", "RFC 9162 section 2.1: what two trees hold whole is the same in both");
    let problem = Problem::new(Code::HeadLeavesDiffer, "", expected, format!("{other}{proof}"));
    CrossFinding {
        path: both(first, path),
        kind: DocumentKind::Bundle,
        trace: trace_of(layer.refuted(problem)),
    }
}

/// What is said where not all subtrees could be kept.
fn leaves_not_compared(kept: usize, level: u32) -> Trace {
    let expected = format!("proofs of one call that fix at most {kept} subtrees");
    let found = format!("more: what only subtrees of 2^{level} leaves or fewer would show was not compared");
    let layer =
        Layer::new("append-only", "RFC 9162 section 2.1: what two trees hold whole is the same in both");
    trace_of(layer.not_established(Problem::new(Code::LimitsValues, "", expected, found)))
}

fn both(one: &str, other: &str) -> String {
    format!("{one} and {other}")
}

fn rollback(sizes: [u64; 2], moments: [&Moment; 2]) -> CrossFinding {
    let ([larger, smaller], [first, later]) = (sizes, moments);
    let expected = format!("a tree of at least {larger} leaves, as {} s before", later.at - first.at);
    let found = format!("{smaller} leaves");
    let layer = Layer::new("append-only", "RFC 9162 section 2.1: a log only grows")
        .not_established(Problem::new(Code::HeadRollback, "", expected, found));
    let path = both(&first.path, &later.path);
    CrossFinding { path, kind: DocumentKind::Head, trace: trace_of(layer) }
}

fn manifests_differ(shown: &Shown, other: &ShownManifest) -> Trace {
    let layer = Layer::new("one-manifest", "SI-3: a file belongs to the issuer that registered it first");
    let at = "/manifest";
    trace_of(if shown.issuer == other.issuer {
        let expected = format!("the manifest with SHA-256 {}, as signed", shown.signed);
        let found = format!("one with SHA-256 {}", other.signed);
        layer.not_established(Problem::new(Code::ManifestDiffers, at, expected, found))
    } else {
        let (expected, found) = (shown.issuer.to_hex(), other.issuer.to_hex());
        layer.refuted(Problem::new(
            Code::ManifestIssuerDiffers,
            format!("{at}/issuer_ed25519_pub"),
            expected,
            found,
        ))
    })
}

/// The trace of a finding that has one layer beside those of reading.
fn trace_of(layer: Layer) -> Trace {
    let required = vec![layer.id];
    let mut layers = reading_layers(Ok(()), &Limits::default());
    layers.push(layer);
    debug_assert_ne!(Trace::new(layers.clone(), required.clone()).verdict(), Verdict::Authentic);
    Trace::new(layers, required)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bundle(size: u64, at: i64) -> Statement {
        let head = TreeHead { size, root: Hash([7; 32]) };
        Statement { head: Some(head), generated: Some(at), ..Statement::new(PublicKey([1; 32]), false) }
    }

    fn found(statements: &[Statement]) -> Vec<CrossFinding> {
        let mut check = CrossCheck::new(100);
        for (number, statement) in statements.iter().enumerate() {
            assert_eq!(check.add(&number.to_string(), statement), []);
        }
        check.finish()
    }

    #[test]
    fn the_first_and_the_last_time_of_a_head_count_whenever_they_were_met() {
        for times in [[100, 50, 200], [200, 100, 50], [50, 200, 100]] {
            let mut smaller: Vec<_> = times.map(|at| bundle(5, at)).into();
            smaller.push(bundle(7, 150));
            assert_eq!(found(&smaller)[0].path.split(" and ").next(), Some("3"), "{times:?}");
        }
        for times in [[300, 150, 400], [150, 300, 400], [400, 300, 150]] {
            let mut larger: Vec<_> = times.map(|at| bundle(7, at)).into();
            larger.push(bundle(5, 200));
            assert_eq!(found(&larger)[0].path.split(" and ").nth(1), Some("3"), "{times:?}");
        }
        assert_eq!(found(&[bundle(5, 100), bundle(5, 50), bundle(7, 150)]), []);
    }

    #[test]
    fn every_tree_that_became_smaller_is_counted_against_the_latest_of_all_smaller_ones() {
        let found = found(&[bundle(5, 100), bundle(6, 50), bundle(7, 70), bundle(8, 101)]);
        let layer = found[0].trace.layers.iter().find(|layer| layer.id == "append-only").unwrap();
        assert_eq!((found.len(), layer.problems), (1, 2));
    }

    #[test]
    fn a_head_is_trusted_as_soon_as_one_of_its_documents_is() {
        let trusted = Statement { is_trusted: true, ..bundle(5, 100) };
        for statements in [[bundle(5, 100), trusted.clone()], [trusted, bundle(5, 100)]] {
            let mut check = CrossCheck::new(100);
            for statement in &statements {
                assert_eq!(check.add("a", statement), []);
            }
            assert_eq!(check.trusted_heads().count(), 1);
        }
        let mut check = CrossCheck::new(100);
        check.add("a", &bundle(5, 100));
        assert_eq!(check.trusted_heads().count(), 0);
    }

    #[test]
    fn what_found_no_room_is_said_to_be_not_compared() {
        let of_file = |number| {
            let manifest = ShownManifest::new(Hash([number; 32]), PublicKey([2; 32]), Hash([3; 32]));
            Statement { manifest: Some(manifest), ..Statement::new(PublicKey([1; 32]), false) }
        };
        let with_event = |index| {
            let head = Some(TreeHead { size: 9, root: Hash([7; 32]) });
            Statement { head, events: Some(vec![index]), ..of_file(1) }
        };
        for [one, other] in
            [[bundle(5, 100), bundle(6, 100)], [of_file(1), of_file(2)], [with_event(3), with_event(12)]]
        {
            let mut check = CrossCheck::new(1);
            check.add("a", &one);
            check.add("b", &one);
            assert_eq!(check.left_out, 0);
            check.add("c", &other);
            assert_eq!(check.finish().len(), 1);
        }
    }
}
