//! Reading: files with one document or one a line, folders of them, streams. Nothing is held but the item at hand.

use std::ffi::OsString;
use std::io::Read;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use assayer_verifier::oversight::DocumentKind;
use assayer_verifier::{Document, Limits};

use super::lines::{Line, Lines};
use super::work::kind_of;
use super::{Item, Skipped, Unreadable};

/// Files of a folder that are taken for evidence.
const EXTENSIONS: [&str; 3] = ["json", "jsonl", "ndjson"];

/// No folder is followed deeper.
const DEEPEST_FOLDER: usize = 32;

/// How many records of a log are handed on together.
const RECORDS_TOGETHER: usize = 256;

/// Where read items go; it may ask for no more.
pub type Sink<'s> = dyn FnMut(Result<Item, Unreadable>) -> ControlFlow<()> + 's;

/// Why reading ends before its end.
enum Stop {
    Asked,
    Failed(std::io::Error),
}

impl From<std::io::Error> for Stop {
    fn from(error: std::io::Error) -> Self {
        Self::Failed(error)
    }
}

/// Reads evidence, and hands it in item by item.
pub struct Reader<'s> {
    /// What the caller takes every document for, if anything; records of a log belong together.
    kind: Option<DocumentKind>,
    limits: &'s Limits,
    sink: &'s mut Sink<'s>,
    done: Option<&'s AtomicU64>,
}

impl<'s> Reader<'s> {
    /// A reader that hands in to `sink`; every document is taken for a `kind`, if there is one.
    pub fn new(kind: Option<DocumentKind>, limits: &'s Limits, sink: &'s mut Sink<'s>) -> Self {
        Self { kind, limits, sink, done: None }
    }

    /// Counts the bytes that are read of files and streams.
    #[must_use]
    pub fn counting(mut self, done: &'s AtomicU64) -> Self {
        self.done = Some(done);
        self
    }

    /// Reads everything that a path holds: a file with one document or with one a line, or a folder of such files.
    /// What cannot be read is handed in as that. Breaks when the sink asked for no more.
    pub fn path(&mut self, path: &Path) -> ControlFlow<()> {
        let ended = match fs_err::metadata(path).map(|metadata| metadata.is_dir()) {
            Err(source) => self.unreadable(path.display().to_string(), source),
            Ok(true) => self.folder(path, DEEPEST_FOLDER),
            Ok(false) => self.file(path),
        };
        flow(ended)
    }

    /// Reads everything in a stream. More than one document is recognized by the first line being one.
    pub fn stream(&mut self, name: &str, input: impl Read) -> ControlFlow<()> {
        flow(self.named(name, input))
    }

    fn hand(&mut self, item: Item) -> Result<(), Stop> {
        if (self.sink)(Ok(item)).is_break() { Err(Stop::Asked) } else { Ok(()) }
    }

    fn unreadable(&mut self, path: String, source: std::io::Error) -> Result<(), Stop> {
        if (self.sink)(Err(Unreadable { path, source })).is_break() { Err(Stop::Asked) } else { Ok(()) }
    }

    fn skip(&mut self, path: &Path, why: &'static str) -> Result<(), Stop> {
        self.hand(Item::Skipped(Skipped { path: path.display().to_string(), why }))
    }

    fn file(&mut self, path: &Path) -> Result<(), Stop> {
        let name = path.display().to_string();
        match fs_err::File::open(path) {
            Ok(opened) => self.named(&name, opened),
            Err(source) => self.unreadable(name, source),
        }
    }

    /// The files of a folder by name, with those of inner folders. What is left out is named.
    fn folder(&mut self, folder: &Path, depth: usize) -> Result<(), Stop> {
        let mut names = match names_in(folder) {
            Ok(names) => names,
            Err(source) => return self.unreadable(folder.display().to_string(), source),
        };
        names.sort();
        for name in names {
            let entry = folder.join(name);
            if entry.is_dir() {
                match depth {
                    _ if entry.is_symlink() => self.skip(&entry, "being a link to a folder")?,
                    0 => self.skip(&entry, "being nested too deep")?,
                    depth => self.folder(&entry, depth - 1)?,
                }
            } else if !entry.is_file() {
                self.skip(&entry, "being no file")?;
            } else if is_evidence(&entry) {
                self.file(&entry)?;
            } else {
                self.skip(&entry, "being no .json, .jsonl or .ndjson file")?;
            }
        }
        Ok(())
    }

    fn named(&mut self, name: &str, input: impl Read) -> Result<(), Stop> {
        let input = Counted { input, done: self.done };
        match self.documents(name, input) {
            Err(Stop::Failed(source)) => self.unreadable(name.to_owned(), source),
            ended => ended,
        }
    }

    fn documents(&mut self, name: &str, input: impl Read) -> Result<(), Stop> {
        let mut lines = Lines::new(input, self.limits);
        let first = lines.next_filled()?.unwrap_or_default();
        let is_document = Document::read(&first.bytes, self.limits).is_ok();
        let lower = name.to_ascii_lowercase();
        let is_lines = [".jsonl", ".ndjson"].iter().any(|ending| lower.ends_with(ending));
        let second = if is_document || is_lines { lines.next_filled()? } else { None };
        match second {
            Some(second) => self.lines(name, [first, second], &mut lines),
            None if is_document => self.hand(Item::Document { path: name.to_owned(), bytes: first.bytes }),
            None if is_lines => {
                let path = format!("{name}:{}", first.number.max(1));
                self.hand(Item::Document { path, bytes: first.bytes })
            }
            None => {
                // Not one document a line: the whole is one document.
                let mut whole = first.before;
                whole.extend_from_slice(&first.bytes);
                lines.rest(&mut whole)?;
                self.hand(Item::Document { path: name.to_owned(), bytes: whole })
            }
        }
    }

    /// Records of a log belong together; everything else is a document a line.
    fn lines(&mut self, name: &str, first: [Line; 2], lines: &mut Lines<impl Read>) -> Result<(), Stop> {
        let kind = self.kind.or_else(|| first.iter().find_map(|line| kind_of(&line.bytes, self.limits)));
        if kind == Some(DocumentKind::Log) {
            return self.records(name, first, lines);
        }
        let mut next = |line: Line| {
            let path = format!("{name}:{}", line.number);
            self.hand(Item::Document { path, bytes: line.bytes })
        };
        for line in first {
            next(line)?;
        }
        while let Some(line) = lines.next_filled()? {
            next(line)?;
        }
        Ok(())
    }

    fn records(&mut self, name: &str, first: [Line; 2], lines: &mut Lines<impl Read>) -> Result<(), Stop> {
        let mut records: Vec<_> = first.into_iter().map(|line| (line.number as u64, line.bytes)).collect();
        while let Some(line) = lines.next_filled()? {
            records.push((line.number as u64, line.bytes));
            if records.len() == RECORDS_TOGETHER {
                self.hand(Item::Records(std::mem::take(&mut records)))?;
            }
        }
        self.hand(Item::Records(records))?;
        self.hand(Item::LogEnd { path: name.to_owned() })
    }
}

/// A failure was handed in already.
fn flow(ended: Result<(), Stop>) -> ControlFlow<()> {
    match ended {
        Ok(()) | Err(Stop::Failed(_)) => ControlFlow::Continue(()),
        Err(Stop::Asked) => ControlFlow::Break(()),
    }
}

/// Names only: a folder of a million files has a million of them.
fn names_in(folder: &Path) -> std::io::Result<Vec<OsString>> {
    fs_err::read_dir(folder)?.map(|entry| entry.map(|entry| entry.file_name())).collect()
}

fn is_evidence(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|found| EXTENSIONS.iter().any(|known| found.eq_ignore_ascii_case(known)))
}

/// Counts what is read.
struct Counted<'s, R> {
    input: R,
    done: Option<&'s AtomicU64>,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.input.read(buffer)?;
        if let Some(done) = self.done {
            done.fetch_add(read as u64, Ordering::Relaxed);
        }
        Ok(read)
    }
}
