//! The log itself: saved pages of `/tlog/range` and `leaves.jsonl`, and what they show about heads and bundles.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use crate::code::Code;
use crate::hash::{Hash, PublicKey, decode_hex, sha256};
use crate::json::{Document, Kind, Value};
use crate::limits::Limits;
use crate::merkle::{GrowingTree, Stretch, TreeHead, empty_root, leaf_hash, node_hash};
use crate::oversight::explain::{Detail, Explanation, Recomputed};
use crate::oversight::proof::InclusionProof;
use crate::oversight::record::Fast;
use crate::oversight::{Trust, describe, quorum, reading_pair, window};
use crate::prover::{self, ConsistencyPath, InclusionPath};
use crate::verdict::{Layer, Problem, Trace};

/// One leaf of a log, decoded.
#[derive(Clone, Debug)]
#[non_exhaustive]
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
    /// Which leaves are about which file; made when it is first asked for. Many bundles are looked up in one log.
    by_file: OnceLock<ByFile>,
}

/// Positions of leaves, in order.
#[derive(Clone, Debug, Default)]
struct ByFile {
    /// By event and file.
    known: BTreeMap<(String, Named), Vec<usize>>,
    /// Those that do not say what they are of.
    unclear: Vec<usize>,
    /// By file, the first that may be of a registration of it and is not written as one; under no file, the first that may be of any.
    doubtful: BTreeMap<Named, usize>,
    /// By file, its first registration with a beacon at all.
    with_beacons: BTreeMap<Named, usize>,
    /// Those of beacons, each with the start of the hash of its token, in the order of these.
    tokens: Vec<(u64, usize)>,
    /// The latest time in each leaf and all before it; that of a leaf without one is the least there is.
    latest: Vec<i64>,
}

/// A file, or a token, as a leaf names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Named {
    /// It is null: of no file.
    None,
    /// By its text. The columns of registries are texts: one that came as a number comes back so.
    Text(String),
    /// By something that is no name, as it is written, or not at all: nobody can say which one it is.
    Unclear(String),
}

impl Named {
    fn of(value: Option<Value<'_>>) -> Self {
        let Some(value) = value else { return Self::Unclear(String::new()) };
        let text = || value.as_str().or_else(|| value.number_text().map(Cow::Borrowed));
        match text() {
            Some(text) => Self::Text(text.into_owned()),
            None if value.is_null() => Self::None,
            None => Self::Unclear(value.raw().to_owned()),
        }
    }

    fn is_unclear(&self) -> bool {
        matches!(self, Self::Unclear(_))
    }
}

fn by_file(leaves: &[Leaf]) -> ByFile {
    let mut found = ByFile::default();
    for (position, leaf) in leaves.iter().enumerate() {
        let before = found.latest.last().copied().unwrap_or(i64::MIN);
        let Some(subject) = Subject::of(&leaf.bytes) else {
            found.latest.push(before);
            found.unclear.push(position);
            found.doubtful.entry(Named::None).or_insert(position);
            continue;
        };
        found.latest.push(subject.at.unwrap_or(before).max(before));
        if subject.is_unclear() {
            found.unclear.push(position);
        }
        if let Some(file) = subject.perhaps_registered() {
            found.doubtful.entry(file).or_insert(position);
        }
        if subject.has_beacons {
            found.with_beacons.entry(subject.file.clone()).or_insert(position);
        }
        if let Named::Text(token) = &subject.token {
            found.tokens.push((token_hash(token), position));
        }
        found.known.entry((subject.event, subject.file)).or_default().push(position);
    }
    found.tokens.sort_unstable();
    found
}

/// What a leaf is of.
struct Subject {
    event: String,
    file: Named,
    /// The token of a beacon.
    token: Named,
    /// Whether it is of a registration with a beacon at all.
    has_beacons: bool,
    /// The time that it states, in seconds since 1970.
    at: Option<i64>,
}

impl Subject {
    fn of(leaf: &[u8]) -> Option<Self> {
        let document = Document::read(leaf, &Limits::default()).ok()?;
        let root = document.root();
        let event = root.get("event").and_then(Value::as_str)?.into_owned();
        let token = if event == "beacon" { Named::of(root.get("token_id")) } else { Named::None };
        let count = root.get("n_beacons").and_then(Value::as_u64).unwrap_or_default();
        let has_beacons = event == "register" && count > 0;
        let at = root.get("timestamp").and_then(window::seconds);
        Some(Self { event, file: Named::of(root.get("file_id")), token, has_beacons, at })
    }

    /// Whether it may be of an event of any file: it does not say in a known way of what event, of which file, or, where it is of no file, of
    /// which token it is.
    fn is_unclear(&self) -> bool {
        match self.event.as_str() {
            "register" => !matches!(self.file, Named::Text(_)),
            "beacon" => self.file.is_unclear() || self.file == Named::None && self.token.is_unclear(),
            _ => true,
        }
    }

    /// The file that it may register although it is not written as a registration of it: what is of an unknown event may be of the file
    /// that it names, and what names no file of any (`Named::None`).
    fn perhaps_registered(&self) -> Option<Named> {
        match (self.event.as_str(), &self.file) {
            ("beacon", _) | ("register", Named::Text(_)) => None,
            (_, Named::Text(_)) => Some(self.file.clone()),
            (_, Named::None | Named::Unclear(_)) => Some(Named::None),
        }
    }
}

/// Eight bytes for each leaf find those of a token; that they are is then looked up in the leaf.
fn token_hash(token: &str) -> u64 {
    let Hash([a, b, c, d, e, f, g, h, ..]) = sha256(token.as_bytes());
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

impl Log {
    /// Reads pages of `/tlog/range` (a JSON text each) or records as in `leaves.jsonl` (one JSON text a line).
    ///
    /// In: one or several documents, in order. Out: the log, and the layers of reading it: `limits`, `json`, `entries`
    /// (encoding, count, numbering without gaps) and `leaf-hashes`.
    #[must_use]
    pub fn read<'a>(documents: impl IntoIterator<Item = &'a [u8]>, limits: &Limits) -> (Self, Vec<Layer>) {
        let (log, trace) = verify_log(documents, &Trust::default(), limits);
        let of_reading = |layer: &Layer| READING_LAYERS.contains(&layer.id);
        let layers = trace.layers.into_iter().filter(of_reading).collect();
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

    /// Those of the first `size` leaves that are of an event about a file, in order.
    pub(crate) fn leaves_about(
        &self,
        event: &str,
        file_id: Option<Value<'_>>,
        size: u64,
    ) -> impl DoubleEndedIterator<Item = &Leaf> + Clone + use<'_> {
        let by_file = self.by_file.get_or_init(|| by_file(&self.leaves));
        let positions = by_file.known.get(&(event.to_owned(), Named::of(file_id))).into_iter().flatten();
        let first = self.first(size);
        positions.filter_map(|position| first.get(*position))
    }

    /// The latest time in the first `size` leaves, in seconds since 1970; `None` where none of them has one.
    pub(crate) fn latest(&self, size: u64) -> Option<i64> {
        let by_file = self.by_file.get_or_init(|| by_file(&self.leaves));
        let last = self.first(size).len().checked_sub(1)?;
        by_file.latest.get(last).copied().filter(|latest| *latest > i64::MIN)
    }

    /// Those of the first `size` leaves that are no JSON object, or do not say in a known way what they are of.
    pub(crate) fn unclear_leaves(&self, size: u64) -> impl Iterator<Item = &Leaf> {
        let by_file = self.by_file.get_or_init(|| by_file(&self.leaves));
        let first = self.first(size);
        by_file.unclear.iter().filter_map(|position| first.get(*position))
    }

    /// The first of the first `size` leaves that may be of a registration of a file, and is not written as one: it cannot be read strictly, is
    /// of no known event, or says `register` and names no file.
    pub(crate) fn doubtful_registration(&self, file_id: Option<Value<'_>>, size: u64) -> Option<&Leaf> {
        let doubtful = &self.by_file.get_or_init(|| by_file(&self.leaves)).doubtful;
        let of_file = [Named::of(file_id), Named::None].into_iter().filter_map(|file| doubtful.get(&file));
        self.first(size).get(*of_file.min()?)
    }

    /// Those of the first `size` leaves that are of a beacon with this token and name no file, or one other than `file_id` that had not been
    /// registered with a beacon by then; in order.
    pub(crate) fn astray(
        &self,
        token: &str,
        file_id: Option<Value<'_>>,
        size: u64,
    ) -> impl Iterator<Item = &Leaf> {
        let ByFile { tokens, with_beacons, .. } = self.by_file.get_or_init(|| by_file(&self.leaves));
        let hash = token_hash(token);
        let start = tokens.partition_point(|(other, _)| *other < hash);
        let alike =
            tokens.get(start..).unwrap_or_default().iter().take_while(move |(other, _)| *other == hash);
        let leaves =
            alike.filter_map(move |(_, position)| Some((*position, self.first(size).get(*position)?)));
        let (token, file) = (Named::Text(token.to_owned()), Named::of(file_id));
        let is_astray = move |position: usize, of: &Subject| {
            let is_registered = || with_beacons.get(&of.file).is_some_and(|first| *first < position);
            of.token == token && of.file != file && !of.file.is_unclear() && !is_registered()
        };
        leaves.filter_map(move |(position, leaf)| {
            Subject::of(&leaf.bytes).filter(|of| is_astray(position, of)).map(|_| leaf)
        })
    }

    fn first(&self, size: u64) -> &[Leaf] {
        let size = usize::try_from(size).unwrap_or(usize::MAX).min(self.leaves.len());
        self.leaves.get(..size).unwrap_or_default()
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
    runs: Vec<Run>,
    /// How many records could not be read after the last one that could.
    unread: u64,
    /// The leaves themselves, where they are wanted.
    leaves: Option<Vec<Leaf>>,
    limits: Layer,
    json: Layer,
    entries: Layer,
    leaf_hashes: Layer,
    /// The line that is being read; 0 for a page on its own.
    line: u64,
}

/// Records with indexes in a row.
#[derive(Debug)]
struct Run {
    /// How many records before it could not be read.
    unread: u64,
    /// Line of the first record; 0 for none.
    line: u64,
    /// Index of the first record.
    index: u64,
    /// Recomputed leaf hashes.
    hashes: Vec<Hash>,
    /// Perfect subtrees over them.
    stretch: Stretch,
}

impl LogPart {
    /// Reads records, one a line. In: the number of the first line, and lines with their ends; blank ones are passed over.
    #[must_use]
    pub fn read(first_line: u64, lines: &[u8], limits: &Limits) -> Self {
        let mut part = Self::new(None);
        let mut fast = Fast::default();
        let mut rest = lines;
        part.line = first_line;
        while !rest.is_empty() {
            rest = match fast.read(rest, limits) {
                Some(record) => {
                    part.push(record.index, record.leaf_hash);
                    rest.get(record.length..).unwrap_or_default()
                }
                None => part.read_line(rest, limits),
            };
            part.line += 1;
        }
        part
    }

    /// The strict way through a line; gives what follows it.
    fn read_line<'b>(&mut self, text: &'b [u8], limits: &Limits) -> &'b [u8] {
        let end = text.iter().position(|byte| *byte == b'\n');
        let (line, rest) = match end.and_then(|end| text.split_at_checked(end + 1)) {
            Some((line, rest)) => (line.strip_suffix(b"\n").unwrap_or(line), rest),
            None => (text, &[][..]),
        };
        if !line.trim_ascii().is_empty() {
            self.add(line, limits);
        }
        rest
    }

    /// Reads one page of `/tlog/range`, or one record, on its own.
    #[must_use]
    pub fn read_page(page: &[u8], limits: &Limits) -> Self {
        let mut part = Self::new(None);
        part.add(page, limits);
        part
    }

    /// Index of the first record that could be read.
    #[must_use]
    pub fn start(&self) -> Option<u64> {
        self.runs.first().map(|run| run.index)
    }

    /// Index after that of the last record that could be read.
    #[must_use]
    pub fn end(&self) -> Option<u64> {
        self.runs.last().and_then(|run| run.stretch.end())
    }

    /// Index and recomputed leaf hash of every record that could be read, in order.
    pub fn leaf_hashes(&self) -> impl Iterator<Item = (u64, Hash)> {
        self.runs.iter().flat_map(|run| (run.index..).zip(run.hashes.iter().copied()))
    }

    /// Forgets the leaf hashes that no comparison with a head of one of these sizes needs: what is left are the subtrees.
    pub fn keep_hashes_for(&mut self, sizes: &[u64]) {
        for run in &mut self.runs {
            let inside = |size: &u64| *size > run.index && run.stretch.end().is_none_or(|end| *size < end);
            if !sizes.iter().any(inside) {
                run.hashes = Vec::new();
            }
        }
    }

    /// Puts the name of a file before every place that was found.
    #[must_use]
    pub fn of_file(mut self, name: &str) -> Self {
        for layer in [&mut self.limits, &mut self.json, &mut self.entries, &mut self.leaf_hashes] {
            layer.place_in_file(name);
        }
        self
    }

    fn new(leaves: Option<Vec<Leaf>>) -> Self {
        let [limits, json] = reading_pair(Ok(()), &Limits::default());
        Self {
            runs: Vec::new(),
            unread: 0,
            leaves,
            limits,
            json,
            entries: Layer::new(
                "entries",
                "TL-2, TL-4: index, leaf_hash, leaf_data; contiguous, nothing left out",
            ),
            leaf_hashes: Layer::new(
                "leaf-hashes",
                "TL-3: SHA-256(0x00 || leaf), the hexadecimal form being the exact leaf",
            ),
            line: 0,
        }
    }

    fn push(&mut self, index: u64, hash: Hash) {
        if let Some(run) =
            self.runs.last_mut().filter(|run| self.unread == 0 && run.stretch.end() == Some(index))
        {
            run.hashes.push(hash);
            return run.stretch.push(hash);
        }
        if let Some(before) = self.runs.last().map(|run| run.stretch.end())
            && !goes_on(before, self.unread, index)
        {
            self.entries.refute(gap(before, index, self.line));
        }
        let mut stretch = Stretch::starting_at(index);
        stretch.push(hash);
        let unread = std::mem::take(&mut self.unread);
        self.runs.push(Run { unread, line: self.line, index, hashes: vec![hash], stretch });
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
                self.unread += 1;
                let place = line_name(self.line);
                let [mut bounds, mut json] = reading_pair(Err(&error), limits);
                if !place.is_empty() {
                    bounds.place_within(&place, &error.pointer);
                    json.place_within(&place, &error.pointer);
                }
                self.limits.join(bounds);
                self.json.join(json);
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
            Err(problem) => {
                self.unread += 1;
                self.entries.refute(problem);
            }
            Ok(leaf) => {
                let recomputed = leaf_hash(&leaf.bytes);
                if recomputed != leaf.hash {
                    let place = join(at, "/leaf_hash");
                    let (expected, found) = (recomputed.to_hex(), leaf.hash.to_hex());
                    self.leaf_hashes.refute(Problem::new(Code::LogLeafHashDiffers, place, expected, found));
                }
                self.push(leaf.index, recomputed);
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
                let mut bytes = vec![0; hex.len() / 2];
                if !decode_hex(hex.as_bytes(), &mut bytes) {
                    return Err(encoding("leaf_data_hex", "lower-case hexadecimal text"));
                }
                bytes
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

/// A head that a log is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Known {
    size: u64,
    root: Hash,
    /// The key that signed it; none where the caller knows that it is of this log.
    signer: Option<PublicKey>,
}

impl Known {
    fn new(head: TreeHead, signer: Option<PublicKey>) -> Self {
        Self { size: head.size, root: head.root, signer }
    }
}

/// What the heads of one key say about a log.
#[derive(Debug)]
struct Signer {
    /// How many of them the log leads to, but for empty trees, which every log leads to.
    agreed: u64,
    /// The layer `log-root` as these heads alone have it.
    root: Layer,
}

fn line_name(line: u64) -> String {
    if line == 0 { String::new() } else { format!("line {line}") }
}

/// Whether a record follows what came before. Records that could not be read are accused of that, and not of a gap as well.
fn goes_on(expected: Option<u64>, unread: u64, index: u64) -> bool {
    let resumed = unread > 0 && expected.and_then(|next| next.checked_add(unread)) == Some(index);
    expected == Some(index) || resumed
}

fn gap(expected: Option<u64>, index: u64, line: u64) -> Problem {
    let expected =
        expected.map_or_else(|| "no leaf after the last index".to_owned(), |next| next.to_string());
    let at = if line == 0 { format!("index {index}") } else { join(&line_name(line), "/index") };
    Problem::new(Code::LogIndexGap, at, expected, index.to_string())
}

/// A pointer behind the line that it is of.
fn join(at: &str, pointer: &str) -> String {
    if at.starts_with("line ") && !at.contains('/') {
        format!("{at}: {pointer}")
    } else {
        format!("{at}{pointer}")
    }
}

/// Verifies a log from its beginning to its end, in memory that does not grow with it: it keeps the known heads, and 64
/// hashes.
///
/// ```
/// use assayer_verifier::{Limits, TreeHead, Verdict, leaf_hash};
/// use assayer_verifier::oversight::{LogPart, LogVerifier, Trust};
///
/// let hash = leaf_hash(b"{}");
/// let record = format!(r#"{{"index": 0, "leaf_hash": "{hash}", "leaf_data": "{{}}"}}"#);
/// // The root of a tree of one leaf is its hash.
/// let heads = [TreeHead { size: 1, root: hash }];
/// let (trust, limits) = (Trust::default().heads(&heads), Limits::default());
/// let mut verifier = LogVerifier::new(&trust, &limits);
/// // A log in parts of any length, each with the number of its first line.
/// verifier.add(LogPart::read(1, record.as_bytes(), &limits));
/// assert_eq!(verifier.finish().verdict(), Verdict::Authentic);
/// ```
#[derive(Debug)]
pub struct LogVerifier<'t> {
    trust: Trust<'t>,
    limits: Layer,
    json: Layer,
    /// Known heads, smallest first, each once.
    heads: Vec<Known>,
    /// The roots that were recomputed for them, as far as the log goes.
    roots: Vec<Hash>,
    /// By key; empty where all heads are known otherwise.
    signers: BTreeMap<PublicKey, Signer>,
    /// Keys whose heads are of another log.
    set_aside: BTreeSet<PublicKey>,
    /// How many heads were met when the leaves that they are of were gone by.
    late: u64,
    /// A head that was refuted at the leaf before: perhaps its root is that of one leaf more.
    suspect: Option<Known>,
    /// The tree of all leaves so far, while these are the leaves from index 0 without a gap.
    tree: Option<GrowingTree>,
    /// Index that the next leaf must have; `None` before the first and after the last that there can be.
    next: Option<u64>,
    /// How many records could not be read since the last one that could.
    unread: u64,
    count: u64,
    entries: Layer,
    leaf_hashes: Layer,
    root: Layer,
}

impl<'t> LogVerifier<'t> {
    /// A verifier that compares the log with `trust.heads` and the heads of all vantage points.
    #[must_use]
    pub fn new(trust: &Trust<'t>, limits: &Limits) -> Self {
        Self::knowing([], trust, limits)
    }

    /// A verifier that compares the log with these heads, and trusts nothing else.
    #[must_use]
    pub fn with_heads(heads: impl IntoIterator<Item = TreeHead>, limits: &Limits) -> Self {
        Self::of(heads.into_iter().map(|head| Known::new(head, None)), Trust::default(), limits)
    }

    /// The same as [`new`](Self::new), with further heads, each with the key that signed it.
    ///
    /// Heads of one key are of one log, but several keys may be of several registries, and nothing says whose log this is. The
    /// heads of a key are set aside, with the note `log.other-key`, where the log leads to none of them and to one at least of
    /// another key. Where it leads to no head of any key, all of them refute it.
    #[must_use]
    pub fn knowing(
        further: impl IntoIterator<Item = (PublicKey, TreeHead)>,
        trust: &Trust<'t>,
        limits: &Limits,
    ) -> Self {
        let signed = further.into_iter().map(|(signer, head)| Known::new(head, Some(signer)));
        let named = trust.known_heads().map(|head| Known::new(head, None));
        Self::of(named.chain(signed), trust.clone(), limits)
    }

    fn of(heads: impl Iterator<Item = Known>, trust: Trust<'t>, limits: &Limits) -> Self {
        let LogPart { entries, leaf_hashes, .. } = LogPart::new(None);
        let [bounds, json] = reading_pair(Ok(()), limits);
        let mut heads: Vec<Known> = heads.collect();
        heads.sort_unstable();
        heads.dedup();
        let mut verifier = Self {
            trust,
            limits: bounds,
            json,
            heads,
            roots: Vec::new(),
            signers: BTreeMap::new(),
            set_aside: BTreeSet::new(),
            late: 0,
            suspect: None,
            tree: Some(GrowingTree::new()),
            next: None,
            unread: 0,
            count: 0,
            entries,
            leaf_hashes,
            root: Layer::new(ROOT_LAYER, ROOT_RULE),
        };
        verifier.compare();
        verifier
    }

    /// Heads that became known only after the whole log was read, each with the key that signed it: compared where they are of
    /// its end or beyond; else the layer `log-root` stays open (`input.not-reached`).
    pub fn know_late(&mut self, further: impl IntoIterator<Item = (PublicKey, TreeHead)>) {
        let heads = further.into_iter().map(|(signer, head)| Known::new(head, Some(signer)));
        let fresh: BTreeSet<Known> = heads.filter(|head| self.heads.binary_search(head).is_err()).collect();
        let (gone_by, ahead): (Vec<Known>, Vec<Known>) =
            fresh.into_iter().partition(|head| head.size < self.count && head.size > 0);
        self.late += gone_by.len() as u64;
        let mut beyond = self.heads.split_off(self.roots.len());
        beyond.extend(ahead);
        beyond.sort_unstable();
        self.heads.append(&mut beyond);
        self.compare();
    }

    /// Index that the next record must have; `None` before the first.
    #[must_use]
    pub fn next(&self) -> Option<u64> {
        self.next
    }

    /// The sizes of the known heads, in order: a head within a stretch can be compared only with the hashes of its leaves.
    pub fn sizes(&self) -> impl Iterator<Item = u64> {
        self.heads.iter().map(|head| head.size)
    }

    /// Joins the next stretch. What it found wrong in itself is kept; the numbering must go on without a gap.
    pub fn add(&mut self, part: LogPart) {
        self.limits.join(part.limits);
        self.json.join(part.json);
        if let Some(first) = part.runs.first() {
            self.check_gap(first);
        }
        self.entries.join(part.entries);
        self.leaf_hashes.join(part.leaf_hashes);
        part.runs.iter().for_each(|run| self.add_run(run));
        self.unread += part.unread;
    }

    fn add_run(&mut self, run: &Run) {
        self.unread += run.unread;
        // A tree can be recomputed only from all of its leaves.
        let expected = if self.count == 0 { Some(0) } else { self.next };
        if expected != Some(run.index) || self.unread > 0 {
            self.tree = None;
        }
        self.unread = 0;
        let length = run.stretch.length();
        self.next = run.stretch.end();
        let inside = self.stop().is_some_and(|stop| stop < self.count + length);
        if !inside || run.hashes.is_empty() {
            self.count += length;
            if let Some(tree) = &mut self.tree {
                tree.append(&run.stretch);
            }
            return self.compare();
        }
        for hash in &run.hashes {
            self.count += 1;
            if let Some(tree) = &mut self.tree {
                tree.push(*hash);
            }
            self.compare();
        }
    }

    /// The number of leaves at which there is something to compare next.
    fn stop(&self) -> Option<u64> {
        let suspect = self.suspect.map(|suspect| suspect.size + 1);
        let known = self.heads.get(self.roots.len()).map(|known| known.size);
        self.tree.as_ref().and_then(|_| suspect.into_iter().chain(known).min())
    }

    /// Whether the first record of a part goes on where the part before ended; within a part that was seen already.
    fn check_gap(&mut self, first: &Run) {
        let expected = if self.count == 0 { Some(first.index) } else { self.next };
        if !goes_on(expected, self.unread + first.unread, first.index) {
            self.entries.refute(gap(expected, first.index, first.line));
        }
    }

    /// Compares with every known head of the size that is reached.
    fn compare(&mut self) {
        let Some(tree) = &self.tree else { return };
        if let Some(suspect) = self.suspect.take_if(|suspect| suspect.size < self.count)
            && suspect.size + 1 == self.count
            && suspect.root == tree.head().root
        {
            let text = format!("the root of the head of {} leaves is that of {}", suspect.size, self.count);
            self.root.note(Code::NoteNextRoot, "", text);
        }
        while let Some(known) =
            self.heads.get(self.roots.len()).filter(|known| known.size <= self.count).copied()
            && let Some(found) = self.tree.as_ref().map(GrowingTree::head)
        {
            self.roots.push(found.root);
            self.compared(known, found.root);
        }
    }

    fn compared(&mut self, known: Known, found: Hash) {
        let signer = known.signer.map(|key| {
            let none = || Signer { agreed: 0, root: Layer::new(ROOT_LAYER, ROOT_RULE) };
            self.signers.entry(key).or_insert_with(none)
        });
        if known.root == found {
            if let Some(signer) = signer.filter(|_| known.size > 0) {
                signer.agreed += 1;
            }
            return;
        }
        let expected = format!("root {} of {} leaves", known.root, known.size);
        let problem = Problem::new(Code::LogRootDiffers, "", expected, found.to_hex());
        signer.map_or(&mut self.root, |signer| &mut signer.root).refute(problem);
        self.suspect.get_or_insert(known);
    }

    /// Decides whose log it is, as far as its heads show that.
    fn settle_signers(&mut self) {
        let signers = std::mem::take(&mut self.signers);
        let is_owned = signers.values().any(|signer| signer.agreed > 0);
        let agrees = |key: &PublicKey| signers.get(key).is_some_and(|signer| signer.agreed > 0);
        if is_owned {
            let others = self.heads.iter().filter(|head| head.size > 0).filter_map(|head| head.signer);
            self.set_aside = others.filter(|key| !agrees(key)).collect();
        }
        for key in &self.set_aside {
            self.root.note(Code::LogOtherKey, "", format!("no head that {key} signed is of this log"));
        }
        for (key, signer) in signers {
            if !self.set_aside.contains(&key) {
                self.root.join(signer.root);
            }
        }
    }

    /// Whether a head is one of this log, as far as that can be told.
    fn counts(&self, known: &Known) -> bool {
        known.signer.is_none_or(|key| !self.set_aside.contains(&key))
    }

    /// What lies behind the layers `log-root` and `log-end` of what was read so far: the roots that were recomputed.
    #[must_use]
    pub fn explain(&self) -> Explanation {
        let mut at_heads = Detail::new(ROOT_LAYER);
        for (known, root) in self.heads.iter().zip(&self.roots) {
            let what = format!("the root of the first {} leaves", known.size);
            at_heads.push(Recomputed::root(what, "", *root, known.root, "the known head"));
        }
        let mut at_end = Detail::new(END_LAYER);
        if let Some(tree) = self.tree.as_ref().filter(|_| self.count > 0) {
            at_end.push(Recomputed::whole_log(tree.head()));
        }
        Explanation { length: None, hash: None, layers: vec![at_heads, at_end] }
    }

    /// Ends the log: its layers, and the verdict that follows.
    #[must_use]
    pub fn finish(mut self) -> Trace {
        if self.limits.problem.is_some() || self.json.problem.is_some() {
            for layer in [&mut self.entries, &mut self.leaf_hashes] {
                layer.leave_open(Problem::new(Code::NotReached, "", "documents that can be read", "none"));
            }
        }
        self.settle_signers();
        self.entries.recomputed = format!("{} entries", self.count);
        self.leaf_hashes.recomputed = format!("{} leaf hashes", self.count);
        if let Some(tree) = self.tree.as_ref().filter(|_| self.count > 0) {
            let head = tree.head();
            let heads = format!("{} known heads compared", self.roots.len());
            self.root.recomputed = format!("root {} of {} leaves; {heads}", head.root, head.size);
        }
        if let Some(problem) = self.uncompared() {
            self.root.leave_open(problem);
        }
        let end = self.end_layer();
        let quorum = quorum::of_log(self.trust.vantages, self.trust.quorum, |seen| self.says(seen));
        let Self { trust, limits, json, entries, leaf_hashes, root, .. } = self;
        let layers = vec![limits, json, entries, leaf_hashes, root, end, quorum];
        trust.judge(layers, &["limits", "json", "entries", "leaf-hashes", ROOT_LAYER, END_LAYER])
    }

    /// Whether the log leads to a known head; `None` where that was not compared.
    fn says(&self, seen: &TreeHead) -> Option<bool> {
        let place = self.heads.iter().position(|head| (head.size, head.root) == (seen.size, seen.root))?;
        self.roots.get(place).map(|root| *root == seen.root)
    }

    /// Why there are known heads that were not compared, or none at all.
    fn uncompared(&self) -> Option<Problem> {
        let counting = || self.heads.iter().filter(|head| self.counts(head));
        if self.late > 0 {
            let expected = "heads that are known before the log is read";
            let found = format!("{} that were met after it, and not compared", self.late);
            return Some(Problem::new(Code::NotReached, "", expected, found));
        }
        let Some(last) = counting().next_back() else {
            return Some(Problem::new(Code::NotGiven, "", "a known head within this log", "none"));
        };
        let missing = self.heads.iter().skip(self.roots.len()).filter(|head| self.counts(head)).count();
        if missing == 0 {
            return None;
        }
        let expected = format!("{} leaves, for {missing} known heads", last.size);
        let found = format!("{} leaves", self.count);
        if self.tree.is_none() {
            let expected = format!("{expected}, from index 0 without a gap");
            return Some(Problem::new(Code::NotReached, "", expected, found));
        }
        Some(Problem::new(Code::LogTooShort, "", expected, found))
    }

    /// Layer `log-end`: the leaves after the largest known head rest on nothing.
    fn end_layer(&self) -> Layer {
        let layer = Layer::new(END_LAYER, "leaves after the last known head are vouched for by nobody");
        let mut compared = self.heads.iter().take(self.roots.len());
        let largest = compared.rfind(|head| self.counts(head));
        let Some(largest) = largest.filter(|_| self.tree.is_some()) else {
            let problem = Problem::new(Code::NotGiven, "", "a known head at the end of this log", "none");
            return layer.not_established(problem);
        };
        if largest.size == self.count {
            return layer.recomputed(format!("a known head of {} leaves", self.count));
        }
        let expected = format!("a known head of {} leaves", self.count);
        let found = format!("the largest is of {}", largest.size);
        layer.not_established(Problem::new(Code::LogBeyondHead, "", expected, found))
    }
}

/// Verifies a log, or a stretch of one, and keeps its leaves.
///
/// In: documents as in [`Log::read`]; `trust.heads` are heads known from elsewhere. Out: the log and its layers: with
/// `log-root` (the recomputed roots are those of all known heads), `log-end` (one of these is of the whole log), `quorum`,
/// and `freshness` where the age is bounded. A [`LogVerifier`] does the same in constant memory.
#[must_use]
pub fn verify_log<'a>(
    documents: impl IntoIterator<Item = &'a [u8]>,
    trust: &Trust<'_>,
    limits: &Limits,
) -> (Log, Trace) {
    let mut reader = LogReader::new(limits);
    for document in documents {
        reader.add(document);
    }
    reader.finish(trust)
}

/// Reads a log document by document, and keeps its leaves: the documents themselves need not be held.
///
/// ```
/// use assayer_verifier::{Limits, leaf_hash};
/// use assayer_verifier::oversight::{LogReader, Trust};
///
/// let limits = Limits::default();
/// let mut reader = LogReader::new(&limits);
/// let hash = leaf_hash(b"{}");
/// reader.add(format!(r#"{{"index": 0, "leaf_hash": "{hash}", "leaf_data": "{{}}"}}"#).as_bytes());
/// let (log, trace) = reader.finish(&Trust::default());
/// assert_eq!((log.leaves().len(), trace.refuted().count()), (1, 0));
/// ```
#[derive(Debug)]
pub struct LogReader<'l> {
    part: LogPart,
    limits: &'l Limits,
}

impl<'l> LogReader<'l> {
    /// One that has read nothing.
    #[must_use]
    pub fn new(limits: &'l Limits) -> Self {
        Self { part: LogPart::new(Some(Vec::new())), limits }
    }

    /// Reads the next page or record, a JSON text.
    pub fn add(&mut self, document: &[u8]) {
        self.part.add(document, self.limits);
    }

    /// The log, and its layers as [`verify_log`] has them.
    #[must_use]
    pub fn finish(self, trust: &Trust<'_>) -> (Log, Trace) {
        let Self { mut part, limits } = self;
        let leaves = part.leaves.take().unwrap_or_default();
        let first = part.runs.first().filter(|run| run.index == 0 && run.unread == 0);
        let subtrees = subtrees(first.map(|run| run.hashes.clone()).unwrap_or_default());
        let mut verifier = LogVerifier::new(trust, limits);
        verifier.add(part);
        (Log { leaves, subtrees, by_file: OnceLock::new() }, verifier.finish())
    }
}

/// Layer `registration` of a file whose last registration is of the manifest: all are by one key. The file is another issuer's if the first is by
/// another key; if one in between is, nobody can tell.
///
/// In: index and bytes of the leaves of the registrations, in order.
pub(crate) fn of_one_issuer<'l>(
    layer: Layer,
    registrations: impl DoubleEndedIterator<Item = (u64, &'l [u8])> + Clone,
) -> Layer {
    let key = |leaf: &[u8]| {
        let document = Document::read(leaf, &Limits::default()).ok()?;
        document.root().get("issuer_pub").and_then(Value::as_str).map(|key| key.to_ascii_lowercase())
    };
    let Some((_, last)) = registrations.clone().next_back() else { return layer };
    let last = key(last);
    let Some((place, (index, other))) = registrations.enumerate().find(|(_, (_, leaf))| key(leaf) != last)
    else {
        return layer;
    };
    let expected = "registrations of one issuer (SI-3)";
    let found = format!("leaf {index}: {}", String::from_utf8_lossy(other));
    let problem = |code| Problem::new(code, "/manifest/issuer_ed25519_pub", expected, found);
    if place == 0 && key(other).is_some() {
        layer.refuted(problem(Code::RegistrationIssuerDiffers))
    } else {
        layer.not_established(problem(Code::LogRegistrationDiffers))
    }
}

const READING_LAYERS: [&str; 4] = ["limits", "json", "entries", "leaf-hashes"];

const END_LAYER: &str = "log-end";

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
    // Every log extends the empty one: who knows nothing but that can compare nothing (`docs/decisions/empty-trees.md`).
    let shows_something =
        |known: &&TreeHead| known.size > 0 || known.root != empty_root() || head == Some(**known);
    let Some(head) = head.filter(|_| trust.heads.iter().any(|known| shows_something(&known))) else {
        let problem =
            Problem::new(Code::NotGiven, "", "a head of a leaf or more, known from elsewhere", "none");
        return layer.not_established(problem);
    };
    for known in trust.heads.iter().filter(shows_something) {
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

    /// A registry that takes a number for a file logs the number, and shows it as a text; of a list nobody knows whose it is.
    #[test]
    fn leaves_of_a_file_are_found_however_they_name_it() {
        let found = |leaf: &str| {
            let hash = leaf_hash(leaf.as_bytes());
            let leaf = leaf.replace('"', "\\\"");
            let record = format!("{{\"index\":0,\"leaf_hash\":\"{hash}\",\"leaf_data\":\"{leaf}\"}}");
            let (log, _) = verify_log([record.as_bytes()], &Trust::default(), &Limits::default());
            let asked = Document::read(b"[\"5\"]", &Limits::default()).unwrap();
            let file = asked.root().items().next();
            let about = log.leaves_about("beacon", file, 1).count();
            (about, log.unclear_leaves(1).count(), log.astray("7", file, 1).count())
        };
        for (file, token, expected) in [
            ("\"5\"", "\"7\"", (1, 0, 0)),
            ("5", "7", (1, 0, 0)),
            ("6", "7", (0, 0, 1)),
            ("6", "8", (0, 0, 0)),
            ("null", "\"7\"", (0, 0, 1)),
            ("null", "7", (0, 0, 1)),
            ("null", "8", (0, 0, 0)),
            ("null", "[7]", (0, 1, 0)),
            ("[\"5\"]", "7", (0, 1, 0)),
            ("{\"id\":\"5\"}", "7", (0, 1, 0)),
            ("true", "7", (0, 1, 0)),
        ] {
            let leaf = format!("{{\"event\":\"beacon\",\"file_id\":{file},\"token_id\":{token}}}");
            assert_eq!(found(&leaf), expected, "{leaf}");
            let unclear = usize::from(!file.trim_matches('"').starts_with(char::is_numeric));
            assert_eq!(found(&leaf.replace("beacon", "register")), (0, unclear, 0), "{leaf}");
        }
        assert_eq!(found("{\"event\":\"beacon\",\"token_id\":\"7\"}"), (0, 1, 0), "no file at all");
    }

    #[test]
    fn the_latest_time_is_that_of_the_leaves_of_the_head() {
        let leaf = |at: &str| format!("{{\"event\":\"beacon\",\"timestamp\":\"1970-01-01T00:00:{at}Z\"}}");
        let leaves = ["x".to_owned(), leaf("09"), leaf("30"), leaf("10"), "{}".to_owned()];
        let record = |(index, leaf): (usize, &String)| {
            let (hash, leaf) = (leaf_hash(leaf.as_bytes()), leaf.replace('"', "\\\""));
            format!("{{\"index\":{index},\"leaf_hash\":\"{hash}\",\"leaf_data\":\"{leaf}\"}}")
        };
        let records: Vec<String> = leaves.iter().enumerate().map(record).collect();
        let (log, _) =
            verify_log(records.iter().map(String::as_bytes), &Trust::default(), &Limits::default());
        let latest: Vec<_> = (0..7).map(|size| log.latest(size)).collect();
        assert_eq!(latest, [None, None, Some(9), Some(30), Some(30), Some(30), Some(30)]);
    }

    fn plain(part: &LogPart) -> Vec<(u64, Hash)> {
        part.leaf_hashes().collect()
    }

    /// What the strict reader says of a line: the leaf, and whether it had nothing to remark.
    fn strictly(line: &[u8]) -> Option<(u64, Hash)> {
        let mut part = LogPart::new(None);
        part.add(line, &Limits::default());
        let silent = [&part.limits, &part.json, &part.entries, &part.leaf_hashes]
            .iter()
            .all(|layer| layer.problem.is_none() && layer.notes.is_empty());
        plain(&part).first().copied().filter(|_| silent)
    }

    fn quickly(line: &[u8]) -> Option<(u64, Hash)> {
        Fast::default().read(line, &Limits::default()).map(|record| (record.index, record.leaf_hash))
    }

    fn spelled(index: u64, data: &str, order: usize, space: &str, hex: bool, end: &str) -> String {
        let escaped = data.replace('\\', "\\\\").replace('"', "\\\"");
        let mut members = vec![
            format!("\"index\":{space}{index}"),
            format!("\"leaf_hash\":{space}\"{}\"", leaf_hash(data.as_bytes())),
            format!("\"leaf_data\":{space}\"{escaped}\""),
        ];
        members.rotate_left(order % 3);
        if hex {
            let digits: String = data.bytes().map(|byte| format!("{byte:02x}")).collect();
            members.push(format!("\"leaf_data_hex\":{space}\"{digits}\""));
        }
        format!("{{{}}}{end}", members.join(&format!(",{space}")))
    }

    /// Other members before those of the record.
    fn with(line: &str, others: &str) -> String {
        if others.is_empty() { line.to_owned() } else { line.replacen('{', &format!("{{{others},"), 1) }
    }

    /// Otherwise the property below would hold for a way that takes nothing.
    #[test]
    fn what_registries_write_goes_the_fast_way() {
        let data = "{\"event\":\"beacon\",\"user_agent\":\"café \\\\ 😀\"}";
        for order in 0..3 {
            for (space, end) in [("", "\n"), (" ", "\r\n"), ("", "")] {
                for hex in [true, false] {
                    let line = spelled(7, data, order, space, hex, end);
                    assert_eq!(quickly(line.as_bytes()), Some((7, leaf_hash(data.as_bytes()))), "{line}");
                }
            }
        }
        let null = spelled(7, data, 0, "", false, "\n").replace("}\n", ",\"leaf_data_hex\":null}\n");
        assert!(quickly(null.as_bytes()).is_some(), "{null}");
        for others in [
            "\"stored_at\":1795196772",
            "\"a\": -1.5e+3 ,\"b\":\"é\", \"c\":null,\"d\":true",
            "\"\":\"\"",
            "\"a\":{}, \"b\": [ ],\"c\":[1, {\"d\" :[{\"entries\":\"é\"}], \"index\":null }]",
        ] {
            let line = with(&spelled(7, data, 1, " ", true, "\n"), others);
            assert!(quickly(line.as_bytes()).is_some(), "{line}");
        }
    }

    use proptest::prelude::*;

    proptest! {
        /// Of a record and of every change to it: what the fast way takes, the strict reader takes as the same leaf and
        /// says nothing about.
        #[test]
        fn the_fast_way_takes_nothing_that_the_strict_reader_would_not(
            index in prop_oneof![0..1_000_u64, any::<u64>()],
            data in prop_oneof!["[ -~]{0,60}", ".{0,30}"],
            order in 0..3_usize,
            space in prop_oneof![Just(""), Just(" "), Just("  "), Just("\t")],
            hex in any::<bool>(),
            end in prop_oneof![Just(""), Just("\n"), Just("\r\n"), Just(" \n"), Just("x\n")],
            at in any::<prop::sample::Index>(),
            change in prop_oneof![Just(None), any::<u8>().prop_map(Some), Just(Some(b'"')), Just(Some(b'\\')), Just(Some(b'0'))],
            cut in any::<bool>(),
            others in prop_oneof![
                Just(""), Just("\"stored_at\":17"), Just("\"entries\":1"), Just("\"index\":1"), Just("\"a\":\"é\",\"b\":-0.5e1"),
                Just("\"a\":01"), Just("\"a\":[]"), Just("\"a\":null,\"a\":true"), Just("\"a\":\"\\u0041\""),
                Just("\"a\":{\"b\":1,\"c\":[2, {}]}"), Just("\"a\":{\"b\":1,\"b\":2}"), Just("\"a\":[[[[[]]]]]"),
                Just("\"a\":[1,]"), Just("\"a\":{\"b\":{\"\":\"\"} }"), Just("\"a\":[01]"),
            ],
            near in any::<bool>(),
        ) {
            let mut line = with(&spelled(index, &data, order, space, hex, end), others).into_bytes();
            let at = if near { at.index(others.len() + 8) } else { at.index(line.len()) };
            if let Some(change) = change {
                if cut { line.insert(at, change) } else { line[at] = change }
            } else if cut {
                line.remove(at);
            }
            if let Some(found) = quickly(&line) {
                let end = line.iter().position(|byte| *byte == b'\n').unwrap_or(line.len());
                prop_assert_eq!(Some(found), strictly(&line[..end]), "{}", String::from_utf8_lossy(&line));
            }
        }
    }
}
