//! Every tree head that a run saw, wherever it stood: one log that only grew has them all.

use assayer_vectors::{Document as Kind, Growth, Torn};
use assayer_verifier::oversight::Log;
use assayer_verifier::{Document, Hash, TreeHead, Value};

/// What one answer says about the log.
pub(crate) struct Sighting {
    /// Name of the exchange.
    place: String,
    /// What it was sent at the same moment with, if with anything.
    moment: Option<String>,
    trees: Vec<TreeHead>,
}

impl Sighting {
    /// Reads an answer of the given kind; `None` where it says nothing about the log.
    ///
    /// What cannot be read is another check's matter.
    pub(crate) fn read(place: String, kind: Option<Kind>, document: &Document<'_>) -> Option<Self> {
        let root = document.root();
        let trees: Vec<TreeHead> = match kind {
            Some(Kind::OversightHead) => seen(root, "/size").into_iter().collect(),
            Some(Kind::OversightProof) => seen(root, "/tree_size").into_iter().collect(),
            Some(Kind::OversightBundle) => {
                let head = root.get("tlog_head").and_then(|head| seen(head, "/size"));
                let items = root.get("tlog_proofs").into_iter().flat_map(Value::items);
                let proofs = items.filter_map(|item| {
                    seen(item.get("proof").or_else(|| item.get("inclusion"))?, "/tree_size")
                });
                head.into_iter().chain(proofs).collect()
            }
            // Sizes that nobody signed are compared elsewhere.
            Some(Kind::OversightConsistency | Kind::OversightLog) | None => Vec::new(),
        };
        (!trees.is_empty()).then_some(Self { place, moment: None, trees })
    }

    /// The same, sent at one moment with all others of this name.
    pub(crate) fn at_the_moment(self, moment: Option<String>) -> Self {
        Self { moment, ..self }
    }

    /// The sizes that it shows.
    pub(crate) fn sizes(&self) -> impl Iterator<Item = u64> {
        self.trees.iter().map(|tree| tree.size)
    }

    fn is_beside(&self, other: &Self) -> bool {
        self.moment.is_some() && self.moment == other.moment
    }
}

fn seen(value: Value<'_>, size: &str) -> Option<TreeHead> {
    let root = value.get("root").and_then(Value::as_str)?;
    Some(TreeHead { size: value.at(size)?.as_u64()?, root: Hash::from_hex(&root)? })
}

/// Why the sightings are not those of one log that only grew.
pub(crate) enum NotOneLog {
    /// Shown.
    Shown(String),
    /// The log that was read ends before some head.
    TooShort(String),
}

/// Compares all sightings, in the order in which they were made, with the log.
pub(crate) fn compare(sightings: &[Sighting], log: &Log, growth: &Growth) -> Result<(), NotOneLog> {
    rollback(sightings).map_or(Ok(()), |text| Err(NotOneLog::Shown(text)))?;
    for sighting in sightings {
        for head in &sighting.trees {
            compare_one(&sighting.place, *head, log, growth)?;
        }
    }
    Ok(())
}

/// Whatever an answer shows is at least as large as all that was shown before its request was sent: answers to requests of one
/// moment say nothing about each other.
fn rollback(sightings: &[Sighting]) -> Option<String> {
    let mut largest: Option<(u64, &str)> = None;
    for moment in sightings.chunk_by(Sighting::is_beside) {
        let sizes =
            || moment.iter().flat_map(|seen| seen.trees.iter().map(|tree| (tree.size, seen.place.as_str())));
        let (smallest, place) = sizes().min()?;
        if let Some((before, earlier)) = largest.filter(|(before, _)| *before > smallest) {
            return Some(format!(
                "{place}: expected at least the {before} leaves of {earlier}, found {smallest}"
            ));
        }
        largest = sizes().max().or(largest);
    }
    None
}

fn compare_one(place: &str, head: TreeHead, log: &Log, growth: &Growth) -> Result<(), NotOneLog> {
    let Some(known) = log.head_at(head.size) else {
        let leaves = log.leaves().len();
        return Err(NotOneLog::TooShort(format!(
            "{place}: the log of {} has {leaves} leaves, the head {}",
            growth.log, head.size
        )));
    };
    if known == head {
        return Ok(());
    }
    let leaves = log.leaves().len() as u64;
    let other = (0..=leaves).find(|size| log.head_at(*size).is_some_and(|known| known.root == head.root));
    match (other, growth.torn) {
        (Some(size), Torn::Ignored) if size > head.size => Ok(()),
        (Some(size), _) => Err(NotOneLog::Shown(format!(
            "{place}: expected the root of {} leaves, found that of {size}",
            head.size
        ))),
        (None, _) => Err(NotOneLog::Shown(format!(
            "{place}: expected root {} of {} leaves, found {}",
            known.root, head.size, head.root
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assayer_verifier::leaf_hash;

    fn log(leaves: u8) -> Log {
        let pages: Vec<String> = (0..leaves)
            .map(|index| {
                let hash = leaf_hash(&[b'a' + index]).to_hex();
                format!(
                    r#"{{"index":{index},"leaf_hash":"{hash}","leaf_data":"{}"}}"#,
                    char::from(b'a' + index)
                )
            })
            .collect();
        Log::read(pages.iter().map(|page| page.as_bytes()), &crate::client::ANSWER_LIMITS).0
    }

    fn head(place: &str, size: u64, root: Hash) -> Sighting {
        let body = format!(r#"{{"size":{size},"root":"{}"}}"#, root.to_hex());
        read(place, Some(Kind::OversightHead), &body).unwrap()
    }

    fn read(place: &str, kind: Option<Kind>, body: &str) -> Option<Sighting> {
        let document = Document::read(body.as_bytes(), &crate::client::ANSWER_LIMITS).unwrap();
        Sighting::read(place.to_owned(), kind, &document)
    }

    fn judged(torn: Torn, sightings: &[Sighting]) -> String {
        let growth = Growth { log: "log".to_owned(), torn };
        match compare(sightings, &log(5), &growth) {
            Ok(()) => "one log".to_owned(),
            Err(NotOneLog::Shown(text) | NotOneLog::TooShort(text)) => text,
        }
    }

    #[test]
    fn heads_of_one_growing_log_and_nothing_else_pass() {
        let log = log(5);
        let root = |size| log.head_at(size).unwrap().root;
        let good = || vec![head("a", 2, root(2)), head("b", 2, root(2)), head("c", 5, root(5))];
        assert_eq!(judged(Torn::Ignored, &good()), "one log");
        let mut back = good();
        back.push(head("d", 4, root(4)));
        assert!(judged(Torn::Ignored, &back).starts_with("d: expected at least the 5 leaves of c"));
        let torn = [head("a", 2, root(3))];
        assert_eq!(judged(Torn::Ignored, &torn), "one log");
        assert!(judged(Torn::Refused, &torn).contains("found that of 3"));
        assert!(judged(Torn::Ignored, &[head("a", 3, root(2))]).contains("found that of 2"));
        assert!(judged(Torn::Ignored, &[head("a", 3, Hash([7; 32]))]).contains("expected root"));
        assert!(judged(Torn::Ignored, &[head("a", 6, root(5))]).contains("has 5 leaves"));
    }

    #[test]
    fn answers_of_one_moment_come_in_any_order_but_none_before_what_was_shown_earlier() {
        let log = log(5);
        let root = |size| log.head_at(size).unwrap().root;
        let beside = |place, size| head(place, size, root(size)).at_the_moment(Some("readers".to_owned()));
        let joint = || vec![head("a", 2, root(2)), beside("b", 4), beside("c", 3), head("d", 4, root(4))];
        assert_eq!(judged(Torn::Refused, &joint()), "one log");
        let mut late = joint();
        late.push(head("e", 3, root(3)));
        assert!(judged(Torn::Ignored, &late).starts_with("e: expected at least the 4 leaves of d"));
        let early = [head("a", 4, root(4)), beside("b", 5), beside("c", 3)];
        assert!(judged(Torn::Ignored, &early).starts_with("c: expected at least the 4 leaves of a"));
        let apart = [beside("b", 4), head("c", 3, root(3))];
        assert!(judged(Torn::Ignored, &apart).starts_with("c: expected at least the 4 leaves of b"));
    }

    #[test]
    fn the_heads_and_proofs_of_bundles_are_sightings_too() {
        let log = log(5);
        let root = |size| log.head_at(size).unwrap().root.to_hex();
        let bundle = format!(
            r#"{{"tlog_head":{{"size":5,"root":"{}"}},"tlog_proofs":[{{"proof":{{"tree_size":4,"root":"{}"}}}}]}}"#,
            root(5),
            root(5)
        );
        let bundle = read("b", Some(Kind::OversightBundle), &bundle).unwrap();
        assert!(judged(Torn::Refused, &[bundle]).starts_with("b: expected the root of 4 leaves"));
        assert!(read("n", None, "{}").is_none());
    }
}
