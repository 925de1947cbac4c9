//! The log itself: saved pages of `/tlog/range` and `leaves.jsonl`, and what they show about heads and bundles.

use crate::code::Code;
use crate::hash::Hash;
use crate::json::{Document, Kind, ReadError, Value};
use crate::limits::Limits;
use crate::merkle::{GrowingTree, TreeHead, leaf_hash, node_hash};
use crate::oversight::proof::InclusionProof;
use crate::oversight::{Trust, describe, reading_layers};
use crate::prover::{self, ConsistencyPath, InclusionPath};
use crate::verdict::{Layer, Problem, Trace};

/// One leaf of a log, decoded.
#[derive(Clone, Debug)]
pub struct Leaf {
    /// Place in the log, from 0.
    pub index: u64,
    /// The leaf hash that the record states.
    pub hash: Hash,
    /// The leaf bytes.
    pub bytes: Vec<u8>,
}

/// A log, or a stretch of one, as downloaded. Holding one says that it could be read, not that it is sound.
#[derive(Clone, Debug, Default)]
pub struct Log {
    leaves: Vec<Leaf>,
    /// Hashes of the perfect subtrees over the leaves that are numbered from 0 without a gap: `subtrees[k]` are those of
    /// 2^k leaves each. With them every head is a few hashes away, however many are asked for.
    subtrees: Vec<Vec<Hash>>,
}

impl Log {
    /// Reads pages of `/tlog/range` (a JSON text each) or records as in `leaves.jsonl` (one JSON text a line).
    ///
    /// In: one or several documents, in order. Out: the log, and the layers of reading it: `limits`, `json`, `entries`
    /// (encoding, count, numbering without gaps) and `leaf-hashes`.
    #[must_use]
    pub fn read<'a>(documents: impl IntoIterator<Item = &'a [u8]>, limits: &Limits) -> (Self, Vec<Layer>) {
        let (log, trace) = verify_log(documents, &Trust::default(), limits);
        let layers = trace.layers.into_iter().filter(|layer| layer.id != ROOT_LAYER).collect();
        (log, layers)
    }

    /// The leaves, in order.
    #[must_use]
    pub fn leaves(&self) -> &[Leaf] {
        &self.leaves
    }

    /// The leaf at `index`.
    #[must_use]
    pub fn leaf(&self, index: u64) -> Option<&Leaf> {
        let first = self.leaves.first()?.index;
        let leaf = self.leaves.get(usize::try_from(index.checked_sub(first)?).ok()?)?;
        (leaf.index == index).then_some(leaf)
    }

    /// The head that the first `size` leaves lead to, from the leaf bytes; `None` unless the log holds them all.
    #[must_use]
    pub fn head_at(&self, size: u64) -> Option<TreeHead> {
        Some(TreeHead { size, root: prover::root(size, &|level, place| self.subtree(level, place))? })
    }

    /// Proves that the leaf at `index` stands in the tree of the first `size` leaves (RFC 9162 section 2.1.3.1).
    ///
    /// # Errors
    /// `merkle.index-out-of-range`; `log.too-short` unless the log holds these leaves from index 0 without a gap.
    pub fn prove_inclusion(&self, index: u64, size: u64) -> Result<InclusionPath, Code> {
        prover::prove_inclusion(index, size, &|level, place| self.subtree(level, place))
    }

    /// Proves that the first `old` leaves are a prefix of the first `new` ones (RFC 9162 section 2.1.4.1).
    ///
    /// # Errors
    /// `merkle.empty-old-tree`, `merkle.size-order`; `log.too-short` unless the log holds these leaves from index 0 without
    /// a gap.
    pub fn prove_consistency(&self, old: u64, new: u64) -> Result<ConsistencyPath, Code> {
        prover::prove_consistency(old, new, &|level, place| self.subtree(level, place))
    }

    fn subtree(&self, level: u32, place: u64) -> Option<Hash> {
        self.subtrees.get(level as usize)?.get(usize::try_from(place).ok()?).copied()
    }
}

/// Perfect subtrees over leaf hashes, level by level; what is left over at a level is not of a perfect subtree.
fn subtrees(leaf_hashes: Vec<Hash>) -> Vec<Vec<Hash>> {
    let mut levels = vec![leaf_hashes];
    while let Some(below) = levels.last().filter(|below| below.len() > 1) {
        let pairs = below.chunks_exact(2);
        let above = pairs.filter_map(|pair| match pair {
            [left, right] => Some(node_hash(left, right)),
            _ => None,
        });
        levels.push(above.collect());
    }
    levels
}

/// A stretch of a log, read and hashed on its own. Stretches can be read at the same time, and are then joined in order
/// by a [`LogVerifier`].
#[derive(Debug)]
pub struct LogPart {
    /// Line number (0 for none), index and recomputed leaf hash of each record that could be read.
    hashes: Vec<(u64, u64, Hash)>,
    /// The leaves themselves, where they are wanted.
    leaves: Option<Vec<Leaf>>,
    entries: Layer,
    leaf_hashes: Layer,
    failure: Option<(String, ReadError)>,
    /// The line that is being read; 0 for a page on its own.
    line: u64,
}

impl LogPart {
    /// Reads records, one a line. In: line numbers with the lines.
    #[must_use]
    pub fn read<'a>(lines: impl IntoIterator<Item = (u64, &'a [u8])>, limits: &Limits) -> Self {
        let mut part = Self::new(None);
        for (number, line) in lines {
            part.line = number;
            part.add(line, limits);
        }
        part
    }

    fn new(leaves: Option<Vec<Leaf>>) -> Self {
        Self {
            hashes: Vec::new(),
            leaves,
            entries: Layer::new(
                "entries",
                "TL-2, TL-4: index, leaf_hash, leaf_data; contiguous, nothing left out",
            ),
            leaf_hashes: Layer::new(
                "leaf-hashes",
                "TL-3: SHA-256(0x00 || leaf), the hexadecimal form being the exact leaf",
            ),
            failure: None,
            line: 0,
        }
    }

    fn add(&mut self, document: &[u8], limits: &Limits) {
        match Document::read(document, limits) {
            Ok(document) => {
                let root = document.root();
                let at = line_name(self.line);
                match root.get("entries") {
                    Some(entries) => self.add_page(root, entries, &at),
                    None => self.add_record(root, &at),
                }
            }
            Err(error) => {
                self.failure.get_or_insert_with(|| (line_name(self.line), error));
            }
        }
    }

    fn add_page(&mut self, page: Value<'_>, entries: Value<'_>, at: &str) {
        let place = |member: &str| join(at, member);
        if entries.kind() != Kind::Array {
            let found = describe(Some(entries));
            return self.entries.refute(Problem::new(Code::LogEncoding, place("/entries"), "a list", found));
        }
        let count = entries.items().count() as u64;
        if page.get("count").and_then(Value::as_u64) != Some(count) {
            let found = describe(page.get("count"));
            self.entries.refute(Problem::new(Code::LogCount, place("/count"), count.to_string(), found));
        }
        let start = page.get("start");
        let first = entries.items().next().and_then(|entry| entry.get("index"));
        let agrees = match (start.and_then(Value::as_u64), first) {
            (Some(_), None) => true,
            (Some(start), Some(first)) => first.as_u64() == Some(start),
            (None, _) => false,
        };
        if !agrees {
            let expected = format!("the index of the first entry, {}", describe(first));
            self.entries.refute(Problem::new(Code::LogIndexGap, place("/start"), expected, describe(start)));
        }
        for (position, entry) in entries.items().enumerate() {
            self.add_record(entry, &place(&format!("/entries/{position}")));
        }
    }

    fn add_record(&mut self, record: Value<'_>, at: &str) {
        match self.read_record(record, at) {
            Err(problem) => self.entries.refute(problem),
            Ok(leaf) => {
                let recomputed = leaf_hash(&leaf.bytes);
                if recomputed != leaf.hash {
                    let place = join(at, "/leaf_hash");
                    let (expected, found) = (recomputed.to_hex(), leaf.hash.to_hex());
                    self.leaf_hashes.refute(Problem::new(Code::LogLeafHashDiffers, place, expected, found));
                }
                self.hashes.push((self.line, leaf.index, recomputed));
                if let Some(leaves) = &mut self.leaves {
                    leaves.push(leaf);
                }
            }
        }
    }

    fn read_record(&mut self, record: Value<'_>, at: &str) -> Result<Leaf, Problem> {
        let encoding = |name: &str, expected: &str| {
            let place = join(at, &format!("/{name}"));
            Problem::new(Code::LogEncoding, place, expected, describe(record.get(name)))
        };
        let index =
            record.get("index").and_then(Value::as_u64).ok_or_else(|| encoding("index", "an integer"))?;
        let hash_text = record.get("leaf_hash").and_then(Value::as_str).unwrap_or_default();
        let hash = Hash::from_hex(&hash_text)
            .or_else(|| Hash::from_hex(&hash_text.to_ascii_lowercase()))
            .ok_or_else(|| encoding("leaf_hash", "64 hexadecimal digits"))?;
        if hash_text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            self.entries.note(Code::NoteHexSpelling, join(at, "/leaf_hash"), "upper case");
        }
        let text = record.get("leaf_data").and_then(Value::as_str);
        let text = text.ok_or_else(|| encoding("leaf_data", "the text of the leaf"))?;
        let hex = record.get("leaf_data_hex").filter(|hex| !hex.is_null());
        let bytes = match hex {
            None => text.as_bytes().to_vec(),
            Some(hex) => {
                let hex = hex.as_str().unwrap_or_default();
                base16ct::lower::decode_vec(hex.as_ref())
                    .map_err(|_| encoding("leaf_data_hex", "lower-case hexadecimal text"))?
            }
        };
        if bytes != text.as_bytes() {
            let place = join(at, "/leaf_data");
            let expected = String::from_utf8_lossy(&bytes).into_owned();
            let problem = Problem::new(Code::LogLeafTextDiffers, place, expected, &*text);
            self.leaf_hashes.refute(problem);
        }
        Ok(Leaf { index, hash, bytes })
    }
}

fn line_name(line: u64) -> String {
    if line == 0 { String::new() } else { format!("line {line}") }
}

/// A pointer behind the line that it is of.
fn join(at: &str, pointer: &str) -> String {
    if at.starts_with("line ") && !at.contains('/') {
        format!("{at}: {pointer}")
    } else {
        format!("{at}{pointer}")
    }
}

/// Verifies a log from its beginning to its end, in memory that does not grow with it.
#[derive(Debug)]
pub struct LogVerifier {
    limits: Limits,
    /// Known heads, smallest first.
    heads: Vec<TreeHead>,
    /// The tree of all leaves so far, while these are the leaves from index 0 without a gap.
    tree: Option<GrowingTree>,
    /// Index that the next leaf must have; `None` before the first and after the last that there can be.
    next: Option<u64>,
    count: u64,
    compared: usize,
    entries: Layer,
    leaf_hashes: Layer,
    root: Layer,
    failure: Option<(String, ReadError)>,
}

impl LogVerifier {
    /// A verifier that compares the log with `trust.heads`.
    #[must_use]
    pub fn new(trust: &Trust<'_>, limits: &Limits) -> Self {
        let LogPart { entries, leaf_hashes, .. } = LogPart::new(None);
        let mut heads = trust.heads.to_vec();
        heads.sort_by_key(|head| head.size);
        let mut verifier = Self {
            limits: *limits,
            heads,
            tree: Some(GrowingTree::new()),
            next: None,
            count: 0,
            compared: 0,
            entries,
            leaf_hashes,
            root: Layer::new(ROOT_LAYER, ROOT_RULE),
            failure: None,
        };
        verifier.compare();
        verifier
    }

    /// Joins the next stretch. What it found wrong in itself is kept; the numbering must go on without a gap.
    pub fn add(&mut self, part: LogPart) {
        self.entries.join(part.entries);
        self.leaf_hashes.join(part.leaf_hashes);
        if self.failure.is_none() {
            self.failure = part.failure;
        }
        for (line, index, hash) in part.hashes {
            self.check_index(index, line);
            self.count += 1;
            self.next = index.checked_add(1);
            if let Some(tree) = &mut self.tree {
                tree.push(hash);
            }
            self.compare();
        }
    }

    fn check_index(&mut self, index: u64, line: u64) {
        let expected = if self.count == 0 { Some(index) } else { self.next };
        if expected != Some(index) {
            let expected =
                expected.map_or_else(|| "no leaf after the last index".to_owned(), |next| next.to_string());
            let at = if line == 0 { format!("index {index}") } else { join(&line_name(line), "/index") };
            self.entries.refute(Problem::new(Code::LogIndexGap, at, expected, index.to_string()));
        }
        // A tree can be recomputed only from all of its leaves.
        if expected != Some(index) || (self.count == 0 && index != 0) {
            self.tree = None;
        }
    }

    /// Compares with every known head of the size that is reached.
    fn compare(&mut self) {
        let Some(tree) = &self.tree else { return };
        while let Some(known) =
            self.heads.get(self.compared).filter(|known| known.size <= self.count).copied()
        {
            self.compared += 1;
            let found = tree.head();
            if known != found {
                let expected = format!("root {} of {} leaves", known.root, known.size);
                self.root.refute(Problem::new(Code::LogRootDiffers, "", expected, found.root.to_hex()));
            }
        }
    }

    /// Ends the log: its layers, and the verdict that follows.
    #[must_use]
    pub fn finish(mut self) -> Trace {
        let outcome = self.failure.as_ref().map_or(Ok(()), |(_, error)| Err(error));
        let mut layers = reading_layers(outcome, &self.limits);
        if let Some((place, error)) = self.failure.filter(|(place, _)| !place.is_empty()) {
            for layer in layers.iter_mut().filter(|layer| layer.problem.is_some()) {
                layer.place_within(&place, &error.pointer);
            }
        }
        if layers.iter().any(|layer| layer.problem.is_some()) {
            for layer in [&mut self.entries, &mut self.leaf_hashes] {
                layer.leave_open(Problem::new(Code::NotReached, "", "documents that can be read", "none"));
            }
        }
        self.entries.recomputed = format!("{} entries", self.count);
        self.leaf_hashes.recomputed = format!("{} leaf hashes", self.count);
        if let Some(tree) = self.tree.filter(|_| self.count > 0) {
            let head = tree.head();
            self.root.recomputed = format!("root {} of {} leaves", head.root, head.size);
        }
        if self.compared == 0 {
            self.root.leave_open(Problem::new(Code::NotGiven, "", "a known head within this log", "none"));
        }
        layers.extend([self.entries, self.leaf_hashes, self.root]);
        Trace { layers, required: vec!["limits", "json", "entries", "leaf-hashes", ROOT_LAYER] }
    }
}

/// Verifies a log, or a stretch of one, and keeps its leaves.
///
/// In: documents as in [`Log::read`]; `trust.heads` are heads known from elsewhere. Out: the log and its layers, with
/// `log-root` (the recomputed root is that of a known head of this size). A [`LogVerifier`] does the same in constant
/// memory.
#[must_use]
pub fn verify_log<'a>(
    documents: impl IntoIterator<Item = &'a [u8]>,
    trust: &Trust<'_>,
    limits: &Limits,
) -> (Log, Trace) {
    let mut part = LogPart::new(Some(Vec::new()));
    for document in documents {
        part.add(document, limits);
    }
    let leaves = part.leaves.take().unwrap_or_default();
    let numbered = (0..).zip(&part.hashes).take_while(|(expected, (_, index, _))| expected == index);
    let subtrees = subtrees(numbered.map(|(_, (.., hash))| *hash).collect());
    let mut verifier = LogVerifier::new(trust, limits);
    verifier.add(part);
    (Log { leaves, subtrees }, verifier.finish())
}

const ROOT_LAYER: &str = "log-root";

const ROOT_RULE: &str = "RFC 9162 section 2.1.1: the root is recomputed from all leaves";

/// Layer `log-root` of a head or proof: the given log leads to its root.
pub(crate) fn root_layer(head: Option<TreeHead>, log: Option<&Log>, at: &str) -> Layer {
    let layer = Layer::new(ROOT_LAYER, ROOT_RULE);
    let (Some(head), Some(log)) = (head, log) else {
        let problem = Problem::new(Code::NotGiven, at, "a head, and the log that it is of", "not both");
        return layer.not_established(problem);
    };
    match log.head_at(head.size) {
        None => {
            let found = format!("{} leaves", log.leaves.len());
            let expected = format!("at least {} leaves", head.size);
            layer.not_established(Problem::new(Code::LogTooShort, at, expected, found))
        }
        Some(recomputed) if recomputed.root == head.root => {
            layer.recomputed(format!("root {} of {} leaves", head.root, head.size))
        }
        Some(recomputed) => layer.refuted(Problem::new(
            Code::LogRootDiffers,
            format!("{at}/root"),
            recomputed.root.to_hex(),
            head.root.to_hex(),
        )),
    }
}

/// Layer `log-leaf` of a proof: the log has the proven leaf at that index.
pub(crate) fn leaf_layer(proof: &InclusionProof, log: Option<&Log>) -> Layer {
    let layer = Layer::new("log-leaf", "the log has the proven leaf at that index");
    let Some(log) = log else {
        return layer.not_established(Problem::new(Code::NotGiven, "", "the log", "none"));
    };
    match log.leaf(proof.index) {
        None => {
            layer.not_established(Problem::new(Code::LogTooShort, "/index", "a leaf at that index", "none"))
        }
        Some(leaf) if leaf_hash(&leaf.bytes) == proof.leaf_hash => layer,
        Some(leaf) => layer.refuted(Problem::new(
            Code::LogLeafDiffers,
            "/leaf_hash",
            leaf_hash(&leaf.bytes).to_hex(),
            proof.leaf_hash.to_hex(),
        )),
    }
}

/// Layer `append-only`: the head and the heads known from elsewhere belong to one log.
pub(crate) fn append_only_layer(head: Option<TreeHead>, trust: &Trust<'_>) -> Layer {
    let mut layer =
        Layer::new("append-only", "RFC 9162 section 2.1.4: an older log is a prefix of every newer one");
    let Some(head) = head.filter(|_| !trust.heads.is_empty()) else {
        let problem = Problem::new(Code::NotGiven, "", "a head known from elsewhere", "none");
        return layer.not_established(problem);
    };
    for known in trust.heads {
        if known.size == head.size && known.root != head.root {
            let expected = format!("root {} of {} leaves", known.root, known.size);
            layer.refute(Problem::new(Code::LogRootDiffers, "", expected, head.root.to_hex()));
        } else if known.size != head.size {
            let shown = trust.log.and_then(|log| Some((log.head_at(known.size)?, log.head_at(head.size)?)));
            match shown {
                Some((old, new)) if old.root == known.root && new.root == head.root => {}
                Some(_) => {
                    let expected = format!("one log with root {} at {} leaves", known.root, known.size);
                    layer.refute(Problem::new(Code::LogRootDiffers, "", expected, head.root.to_hex()));
                }
                None => {
                    let expected = "the log, which shows that one head extends the other";
                    layer.leave_open(Problem::new(Code::NotGiven, "", expected, "none"));
                }
            }
        }
    }
    layer
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(index: u64) -> String {
        let data = format!("leaf {index}");
        let hash = leaf_hash(data.as_bytes());
        format!("{{\"index\":{index},\"leaf_hash\":\"{hash}\",\"leaf_data\":\"{data}\"}}")
    }

    fn log(indexes: impl Iterator<Item = u64>) -> Log {
        let records: Vec<String> = indexes.map(record).collect();
        verify_log(records.iter().map(String::as_bytes), &Trust::default(), &Limits::default()).0
    }

    #[test]
    fn every_head_is_that_of_the_tree_grown_leaf_by_leaf() {
        let log = log(0..70);
        let mut tree = GrowingTree::new();
        for leaf in log.leaves() {
            assert_eq!(log.head_at(leaf.index), Some(tree.head()));
            tree.push(leaf_hash(&leaf.bytes));
        }
        assert_eq!(log.head_at(70), Some(tree.head()));
        assert_eq!(log.head_at(71), None);
        assert_eq!(log.head_at(u64::MAX), None);
    }

    #[test]
    fn a_log_with_a_gap_has_heads_up_to_the_gap_only() {
        let gap = log((0..5).chain(6..9));
        assert_eq!(gap.head_at(5), log(0..5).head_at(5));
        assert_eq!(gap.head_at(6), None);
        let late = log(3..9);
        assert_eq!((late.head_at(0).map(|head| head.size), late.head_at(1)), (Some(0), None));
    }
}
