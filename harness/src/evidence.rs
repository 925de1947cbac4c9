//! Evidence on disk. Reading (I/O, one item at a time, bounded) stands apart from verifying (pure), so that many items
//! can be verified at once while they are still being read.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use assayer_verifier::oversight::{
    BundleVerifier, DocumentKind, Log, LogPart, LogVerifier, Trust, read_only, verify_head, verify_log,
    verify_proof,
};
use assayer_verifier::{Code, Document, Limits, Trace, Verdict};

/// Files of a folder that are taken for evidence.
const EXTENSIONS: [&str; 3] = ["json", "jsonl", "ndjson"];

/// No folder is followed deeper.
const DEEPEST_FOLDER: usize = 32;

/// Something to verify, as read.
#[derive(Debug)]
pub enum Item {
    /// One document.
    Document {
        /// Path, with `:LINE` for a document of a file of lines.
        path: String,
        /// Its bytes.
        bytes: Vec<u8>,
    },
    /// Some records of a log, with their line numbers.
    Records(Vec<(u64, Vec<u8>)>),
    /// The end of a log whose records came before.
    LogEnd {
        /// Path of the log.
        path: String,
    },
    /// Something in a folder that is not taken for evidence: a file of another kind, a link to a folder.
    Skipped {
        /// Its path.
        path: String,
    },
}

/// What became of an item.
#[derive(Debug)]
pub enum Outcome {
    /// A document was verified.
    Finding(Finding),
    /// Records were read and hashed.
    Part(Box<LogPart>),
    /// A log is at its end.
    LogEnd {
        /// Path of the log.
        path: String,
    },
    /// As [`Item::Skipped`].
    Skipped {
        /// Its path.
        path: String,
    },
}

/// How many records of a log are handed on together.
const RECORDS_TOGETHER: usize = 256;

/// A path that could not be read.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {source}")]
pub struct Unreadable {
    /// The path.
    pub path: String,
    /// Why.
    pub source: std::io::Error,
}

/// One item, and what was found.
#[derive(Debug)]
pub struct Finding {
    /// Path, with `:LINE` for a document of a file of lines.
    pub path: String,
    /// Kind, as recognized or as the caller said.
    pub kind: Option<DocumentKind>,
    /// The layers; for a document of no known kind those of reading it.
    pub trace: Trace,
}

impl Finding {
    /// The verdict; `None` for a readable document of no known kind, of which nothing can be said.
    #[must_use]
    pub fn verdict(&self) -> Option<Verdict> {
        match (self.kind, self.trace.verdict()) {
            (_, Verdict::Refuted) => Some(Verdict::Refuted),
            (None, _) => None,
            (Some(_), verdict) => Some(verdict),
        }
    }
}

/// What the caller asks for.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// What is trusted.
    pub trust: &'a Trust<'a>,
    /// The kind that every document is taken for; recognized by its members if absent.
    pub kind: Option<DocumentKind>,
    /// Bounds on each document.
    pub limits: &'a Limits,
}

/// Does the work on items that needs no other item; one for each thread. Pure but for what it remembers, which only makes
/// the same answers come faster.
pub struct Worker<'a> {
    question: Question<'a>,
    bundles: BundleVerifier<'a>,
}

impl<'a> Worker<'a> {
    /// A worker that remembers nothing yet.
    #[must_use]
    pub fn new(question: Question<'a>) -> Self {
        Self { question, bundles: BundleVerifier::new(question.trust, question.limits) }
    }

    /// Does the work on one item.
    #[must_use]
    pub fn work(&mut self, item: Item) -> Outcome {
        match item {
            Item::Document { path, bytes } => Outcome::Finding(self.verify(path, &bytes)),
            Item::Records(lines) => {
                let lines = lines.iter().map(|(number, line)| (*number, line.as_slice()));
                Outcome::Part(Box::new(LogPart::read(lines, self.question.limits)))
            }
            Item::LogEnd { path } => Outcome::LogEnd { path },
            Item::Skipped { path } => Outcome::Skipped { path },
        }
    }

    fn verify(&mut self, path: String, bytes: &[u8]) -> Finding {
        let Question { trust, limits, kind } = self.question;
        let kind = kind.or_else(|| kind_of(bytes, limits));
        let trace = match kind {
            Some(DocumentKind::Bundle) => self.bundles.verify(bytes),
            Some(DocumentKind::Head) => verify_head(bytes, trust, limits),
            Some(DocumentKind::Proof) => verify_proof(bytes, trust, limits),
            Some(DocumentKind::Log) => verify_log([bytes], trust, limits).1,
            None => read_only(bytes, limits),
        };
        Finding { path, kind, trace }
    }
}

fn kind_of(bytes: &[u8], limits: &Limits) -> Option<DocumentKind> {
    DocumentKind::of(Document::read(bytes, limits).ok()?.root())
}

/// What a [`Joiner`] lets through.
#[derive(Debug)]
pub enum Joined {
    /// A finding.
    Finding(Finding),
    /// The path of something that was left out.
    Skipped(String),
}

/// Joins the parts of a log, in order, and lets findings through.
pub struct Joiner<'a> {
    question: Question<'a>,
    log: Option<LogVerifier>,
}

impl<'a> Joiner<'a> {
    /// A joiner for one stream of outcomes.
    #[must_use]
    pub fn new(question: Question<'a>) -> Self {
        Self { question, log: None }
    }

    /// Takes the next outcome; gives a finding when one is complete, or the path of what was left out.
    pub fn take(&mut self, outcome: Outcome) -> Option<Joined> {
        let fresh = || LogVerifier::new(self.question.trust, self.question.limits);
        match outcome {
            Outcome::Finding(finding) => Some(Joined::Finding(finding)),
            Outcome::Skipped { path } => Some(Joined::Skipped(path)),
            Outcome::Part(part) => {
                self.log.get_or_insert_with(fresh).add(*part);
                None
            }
            Outcome::LogEnd { path } => {
                let trace = self.log.take().unwrap_or_else(fresh).finish();
                Some(Joined::Finding(Finding { path, kind: Some(DocumentKind::Log), trace }))
            }
        }
    }
}

/// Where read items go.
pub type Sink<'s> = dyn FnMut(Result<Item, Unreadable>) + 's;

/// Reads everything that a path holds: a file with one document or with one a line, or a folder of such files.
///
/// `kind` is what the caller takes every document for, if anything; records of a log belong together.
pub fn read_path(path: &Path, kind: Option<DocumentKind>, limits: &Limits, sink: &mut Sink<'_>) {
    let is_folder = fs_err::metadata(path).map(|metadata| metadata.is_dir());
    match is_folder {
        Err(source) => sink(Err(Unreadable { path: path.display().to_string(), source })),
        Ok(true) => read_folder(path, DEEPEST_FOLDER, kind, limits, sink),
        Ok(false) => read_file(path, kind, limits, sink),
    }
}

fn read_file(path: &Path, kind: Option<DocumentKind>, limits: &Limits, sink: &mut Sink<'_>) {
    let name = path.display().to_string();
    match fs_err::File::open(path) {
        Ok(opened) => read_stream(&name, opened, kind, limits, sink),
        Err(source) => sink(Err(Unreadable { path: name, source })),
    }
}

/// The files of a folder by name, with those of inner folders. What is left out is named.
fn read_folder(
    folder: &Path,
    depth: usize,
    kind: Option<DocumentKind>,
    limits: &Limits,
    sink: &mut Sink<'_>,
) {
    let entries: std::io::Result<Vec<PathBuf>> = fs_err::read_dir(folder)
        .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect());
    let mut entries = match entries {
        Ok(entries) => entries,
        Err(source) => return sink(Err(Unreadable { path: folder.display().to_string(), source })),
    };
    entries.sort();
    for entry in entries {
        if entry.is_dir() && !entry.is_symlink() && depth > 0 {
            read_folder(&entry, depth - 1, kind, limits, sink);
        } else if entry.is_file() && is_evidence(&entry) {
            read_file(&entry, kind, limits, sink);
        } else {
            sink(Ok(Item::Skipped { path: entry.display().to_string() }));
        }
    }
}

fn is_evidence(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|found| EXTENSIONS.iter().any(|known| found.eq_ignore_ascii_case(known)))
}

/// Reads everything in a stream. More than one document is recognized by the first line being one.
pub fn read_stream(
    name: &str,
    input: impl Read,
    kind: Option<DocumentKind>,
    limits: &Limits,
    sink: &mut Sink<'_>,
) {
    if let Err(source) = read_all(name, input, kind, limits, sink) {
        sink(Err(Unreadable { path: name.to_owned(), source }));
    }
}

fn read_all(
    name: &str,
    input: impl Read,
    kind: Option<DocumentKind>,
    limits: &Limits,
    sink: &mut Sink<'_>,
) -> std::io::Result<()> {
    let one = |path: String, bytes: Vec<u8>| Ok(Item::Document { path, bytes });
    let mut lines = Lines::new(input, limits);
    let first = lines.next_filled()?.unwrap_or_default();
    let is_document = Document::read(&first.bytes, limits).is_ok();
    let lower = name.to_ascii_lowercase();
    let is_lines = [".jsonl", ".ndjson"].iter().any(|ending| lower.ends_with(ending));
    let second = if is_document || is_lines { lines.next_filled()? } else { None };
    match second {
        Some(second) => read_lines(name, [first, second], &mut lines, kind, limits, sink),
        None if is_document => {
            sink(one(name.to_owned(), first.bytes));
            Ok(())
        }
        None if is_lines => {
            sink(one(format!("{name}:{}", first.number.max(1)), first.bytes));
            Ok(())
        }
        None => {
            // Not one document a line: the whole is one document.
            let mut whole = first.before;
            whole.extend_from_slice(&first.bytes);
            lines.rest(&mut whole)?;
            sink(one(name.to_owned(), whole));
            Ok(())
        }
    }
}

/// Records of a log belong together; everything else is a document a line.
fn read_lines(
    name: &str,
    first: [Line; 2],
    lines: &mut Lines<impl Read>,
    kind: Option<DocumentKind>,
    limits: &Limits,
    sink: &mut Sink<'_>,
) -> std::io::Result<()> {
    let kind = kind.or_else(|| first.iter().find_map(|line| kind_of(&line.bytes, limits)));
    let is_log = kind == Some(DocumentKind::Log);
    let mut records = Vec::new();
    let mut take = |line: Line, sink: &mut Sink<'_>| {
        if !is_log {
            let path = format!("{name}:{}", line.number);
            return sink(Ok(Item::Document { path, bytes: line.bytes }));
        }
        records.push((line.number as u64, line.bytes));
        if records.len() == RECORDS_TOGETHER {
            sink(Ok(Item::Records(std::mem::take(&mut records))));
        }
    };
    for line in first {
        take(line, sink);
    }
    while let Some(line) = lines.next_filled()? {
        take(line, sink);
    }
    if is_log {
        sink(Ok(Item::Records(records)));
        sink(Ok(Item::LogEnd { path: name.to_owned() }));
    }
    Ok(())
}

/// Reads a log as context for other documents: a file of records, or of one or several pages.
///
/// # Errors
/// A text that names the file and the first thing that is wrong with it: a log that is not sound shows nothing.
pub fn read_log(path: &Path, limits: &Limits) -> Result<Log, String> {
    let name = path.display();
    let mut documents: Vec<Vec<u8>> = Vec::new();
    let mut failed = None;
    read_path(path, Some(DocumentKind::Log), limits, &mut |item| match item {
        Ok(Item::Document { bytes, .. }) => documents.push(bytes),
        Ok(Item::Records(lines)) => documents.extend(lines.into_iter().map(|(_, line)| line)),
        Ok(Item::LogEnd { .. } | Item::Skipped { .. }) => {}
        Err(error) => failed = Some(error.to_string()),
    });
    if let Some(error) = failed {
        return Err(error);
    }
    let (log, trace) = verify_log(documents.iter().map(Vec::as_slice), &Trust::default(), limits);
    match trace.refuted().next() {
        Some(layer) => {
            let problem = layer.problem.as_ref();
            let text = problem.map(|problem| format!("{} at {}", problem.code.meaning(), problem.at));
            Err(format!("{name}: {}: {}", layer.id, text.unwrap_or_default()))
        }
        None if log.leaves().is_empty() => Err(format!("{name}: {}", Code::LogTooShort.meaning())),
        None => Ok(log),
    }
}

/// A line that is not blank.
#[derive(Default)]
struct Line {
    number: usize,
    bytes: Vec<u8>,
    /// Blank lines that came before it, where the text may still turn out to be one document.
    before: Vec<u8>,
}

/// Lines of a stream, none longer than the limit for a document by more than one byte.
struct Lines<R> {
    input: BufReader<R>,
    most: u64,
    number: usize,
}

impl<R: Read> Lines<R> {
    fn new(input: R, limits: &Limits) -> Self {
        Self { input: BufReader::with_capacity(1 << 16, input), most: limits.bytes as u64 + 1, number: 0 }
    }

    /// The next line that is not blank. What is beyond the limit of an overlong line is skipped.
    fn next_filled(&mut self) -> std::io::Result<Option<Line>> {
        let mut before = Vec::new();
        loop {
            let mut bytes = Vec::new();
            let read = (&mut self.input).take(self.most).read_until(b'\n', &mut bytes)?;
            if read == 0 {
                return Ok(None);
            }
            self.number += 1;
            if read as u64 == self.most && bytes.last() != Some(&b'\n') {
                self.input.skip_until(b'\n')?;
            }
            if !bytes.trim_ascii().is_empty() {
                return Ok(Some(Line { number: self.number, bytes, before }));
            }
            if before.len() < 1 << 16 {
                before.extend_from_slice(&bytes);
            }
        }
    }

    /// Everything that is left, up to the limit.
    fn rest(&mut self, whole: &mut Vec<u8>) -> std::io::Result<()> {
        let left = self.most.saturating_sub(whole.len() as u64);
        (&mut self.input).take(left).read_to_end(whole)?;
        Ok(())
    }
}
