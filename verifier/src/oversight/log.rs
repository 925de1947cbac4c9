//! The log itself: saved pages of `/tlog/range` and `leaves.jsonl`, and what they show about heads and bundles.

use crate::code::Code;
use crate::hash::Hash;
use crate::json::{Document, Kind, ReadError, Value};
use crate::limits::Limits;
use crate::merkle::{GrowingTree, TreeHead, leaf_hash};
use crate::oversight::proof::InclusionProof;
use crate::oversight::{Trust, describe, reading_layers};
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
}

impl Log {
    /// Reads pages of `/tlog/range` (a JSON text each) or records as in `leaves.jsonl` (one JSON text a line).
    ///
    /// In: one or several documents, in order. Out: the log, and the layers of reading it: `limits`, `json`, `entries`
    /// (encoding, count, numbering without gaps) and `leaf-hashes`.
    #[must_use]
    pub fn read<'a>(documents: impl IntoIterator<Item = &'a [u8]>, limits: &Limits) -> (Self, Vec<Layer>) {
        let mut reader = LogReader::new();
        let mut failure: Option<ReadError> = None;
        for document in documents {
            match Document::read(document, limits) {
                Ok(document) => reader.add(document.root()),
                Err(error) => {
                    failure.get_or_insert(error);
                }
            }
        }
        let mut layers = reading_layers(failure.as_ref().map_or(Ok(()), Err), limits);
        let (log, entries, hashes) = reader.finish(failure.is_some());
        layers.push(entries);
        layers.push(hashes);
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
        let size = usize::try_from(size).ok()?;
        let leaves = self.leaves.get(..size)?;
        let mut tree = GrowingTree::new();
        for (expected, leaf) in (0..).zip(leaves) {
            if leaf.index != expected {
                return None;
            }
            tree.push(leaf_hash(&leaf.bytes));
        }
        Some(tree.head())
    }
}

struct LogReader {
    log: Log,
    entries: Layer,
    hashes: Layer,
}

impl LogReader {
    fn new() -> Self {
        Self {
            log: Log::default(),
            entries: Layer::new(
                "entries",
                "TL-2, TL-4: index, leaf_hash, leaf_data; contiguous, nothing left out",
            ),
            hashes: Layer::new(
                "leaf-hashes",
                "TL-3: SHA-256(0x00 || leaf), the hexadecimal form being the exact leaf",
            ),
        }
    }

    fn add(&mut self, root: Value<'_>) {
        match root.get("entries") {
            Some(entries) => self.add_page(root, entries),
            None => self.add_record(root, ""),
        }
    }

    fn add_page(&mut self, page: Value<'_>, entries: Value<'_>) {
        if entries.kind() != Kind::Array {
            let found = describe(Some(entries));
            return self.entries.refute(Problem::new(Code::LogEncoding, "/entries", "a list", found));
        }
        let count = entries.items().count() as u64;
        if page.get("count").and_then(Value::as_u64) != Some(count) {
            let found = describe(page.get("count"));
            self.entries.refute(Problem::new(Code::LogCount, "/count", count.to_string(), found));
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
            self.entries.refute(Problem::new(Code::LogIndexGap, "/start", expected, describe(start)));
        }
        for (position, entry) in entries.items().enumerate() {
            self.add_record(entry, &format!("/entries/{position}"));
        }
    }

    fn add_record(&mut self, record: Value<'_>, at: &str) {
        match self.read_record(record, at) {
            Err(problem) => self.entries.refute(problem),
            Ok(leaf) => {
                self.check_index(&leaf, at);
                self.check_hash(&leaf, at);
                self.log.leaves.push(leaf);
            }
        }
    }

    fn check_index(&mut self, leaf: &Leaf, at: &str) {
        let Some(last) = self.log.leaves.last() else { return };
        let next = last.index.checked_add(1);
        if Some(leaf.index) != next {
            let expected =
                next.map_or_else(|| "no entry after the last index".to_owned(), |next| next.to_string());
            let found = leaf.index.to_string();
            self.entries.refute(Problem::new(Code::LogIndexGap, format!("{at}/index"), expected, found));
        }
    }

    fn check_hash(&mut self, leaf: &Leaf, at: &str) {
        let recomputed = leaf_hash(&leaf.bytes);
        if recomputed != leaf.hash {
            let place = format!("{at}/leaf_hash (index {})", leaf.index);
            let (expected, found) = (recomputed.to_hex(), leaf.hash.to_hex());
            self.hashes.refute(Problem::new(Code::LogLeafHashDiffers, place, expected, found));
        }
    }

    fn read_record(&mut self, record: Value<'_>, at: &str) -> Result<Leaf, Problem> {
        let encoding = |name: &str, expected: &str| {
            Problem::new(Code::LogEncoding, format!("{at}/{name}"), expected, describe(record.get(name)))
        };
        let index =
            record.get("index").and_then(Value::as_u64).ok_or_else(|| encoding("index", "an integer"))?;
        let hash_text = record.get("leaf_hash").and_then(Value::as_str).unwrap_or_default();
        let hash = Hash::from_hex(&hash_text)
            .or_else(|| Hash::from_hex(&hash_text.to_ascii_lowercase()))
            .ok_or_else(|| encoding("leaf_hash", "64 hexadecimal digits"))?;
        if hash_text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            self.entries.note(Code::NoteHexSpelling, format!("{at}/leaf_hash"), "upper case");
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
            let place = format!("{at}/leaf_data (index {index})");
            let expected = String::from_utf8_lossy(&bytes).into_owned();
            self.hashes.refute(Problem::new(Code::LogLeafTextDiffers, place, expected, text));
        }
        Ok(Leaf { index, hash, bytes })
    }

    fn finish(mut self, unreadable: bool) -> (Log, Layer, Layer) {
        if unreadable {
            for layer in [&mut self.entries, &mut self.hashes] {
                layer.leave_open(Problem::new(Code::NotReached, "", "documents that can be read", "none"));
            }
        }
        let count = self.log.leaves.len();
        self.entries.recomputed = format!("{count} entries");
        self.hashes.recomputed = format!("{count} leaf hashes");
        (self.log, self.entries, self.hashes)
    }
}

/// Verifies a log, or a stretch of one.
///
/// In: documents as in [`Log::read`]; `trust.heads` are heads known from elsewhere. Out: the log and its layers, with
/// `log-root` (the recomputed root is that of a known head of this size).
#[must_use]
pub fn verify_log<'a>(
    documents: impl IntoIterator<Item = &'a [u8]>,
    trust: &Trust<'_>,
    limits: &Limits,
) -> (Log, Trace) {
    let (log, mut layers) = Log::read(documents, limits);
    layers.push(known_heads_layer(&log, trust.heads));
    (log, Trace { layers, required: &["limits", "json", "entries", "leaf-hashes", "log-root"] })
}

/// Layer `log-root` of a log: it leads to every known head that it is long enough for.
fn known_heads_layer(log: &Log, heads: &[TreeHead]) -> Layer {
    let mut layer = Layer::new("log-root", ROOT_RULE);
    let total = log.leaves.len() as u64;
    if let Some(head) = log.head_at(total) {
        layer.recomputed = format!("root {} of {} leaves", head.root, head.size);
    }
    let mut compared = 0;
    for known in heads {
        if let Some(found) = log.head_at(known.size) {
            compared += 1;
            if found.root != known.root {
                let expected = format!("root {} of {} leaves", known.root, known.size);
                layer.refute(Problem::new(Code::LogRootDiffers, "", expected, found.root.to_hex()));
            }
        }
    }
    if compared == 0 {
        layer.leave_open(Problem::new(Code::NotGiven, "", "a known head within this log", "none"));
    }
    layer
}

const ROOT_RULE: &str = "RFC 9162 section 2.1.1: the root is recomputed from all leaves";

/// Layer `log-root` of a head or proof: the given log leads to its root.
pub(crate) fn root_layer(head: Option<TreeHead>, log: Option<&Log>, at: &str) -> Layer {
    let layer = Layer::new("log-root", ROOT_RULE);
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
