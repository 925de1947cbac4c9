//! Reading: files with one document or one a line, folders and archives of them, streams. Nothing is held but the item at hand.

use std::ffi::OsString;
use std::io::{BufReader, ErrorKind, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use assayer_verifier::oversight::DocumentKind;
use assayer_verifier::{Document, Limits};

use super::compressed::Decompressed;
use super::lines::{Line, Lines};
use super::work::kind_of;
use super::{Item, Skipped, Unreadable};
use crate::archive::{ARCHIVE_FORM, file};

/// Files of a folder, and members of an archive, that are taken for evidence.
const EVIDENCE: [&str; 3] = [".json", ".jsonl", ".ndjson"];

/// Files of a folder that hold such files, or one of them compressed.
const CONTAINERS: [&str; 6] = [".tar", ".tar.gz", ".tgz", ".json.gz", ".jsonl.gz", ".ndjson.gz"];

/// How the names of archives end, also of those that are not read here.
const ARCHIVES: [&str; 9] = [".tar", ".tgz", ".tbz", ".tbz2", ".txz", ".tzst", ".zip", ".7z", ".rar"];

/// How the names of compressed files end, after that of what is in them.
const COMPRESSIONS: [&str; 8] = [".gz", ".bz2", ".xz", ".zst", ".lz4", ".lzma", ".br", ".z"];

/// A tar archive has this at this place of its first block (POSIX ustar; GNU tar writes the same five letters).
const TAR_MARK: (usize, &[u8]) = (257, b"ustar");

/// The first two bytes of a gzip stream.
const GZIP_MARK: &[u8] = &[0x1f, 0x8b];

/// So many lines that say of no kind are held back, and so many bytes, to learn whether they are of a log.
const UNDECIDED: (usize, usize) = (256, 1 << 20);

/// What the archive of a run has of such names, and what is no evidence; a claim beside them is.
const PARTS_OF_ARCHIVES: [&str; 5] =
    [file::MANIFEST, file::TRANSCRIPT, file::VERDICTS, file::REPORT, "report.ndjson"];

/// No folder is followed deeper.
const DEEPEST_FOLDER: usize = 32;

/// Where read items go; it may ask for no more.
pub type Sink<'s> = dyn FnMut(Result<Item, Unreadable>) -> ControlFlow<()> + 's;

/// Why reading ends before its end.
pub(super) enum Stop {
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
    turn: Turn,
    /// What is read now, where it can be read again.
    source: Option<Source>,
    /// What has logs that are put off.
    later: Vec<PathBuf>,
    /// Whether there was something to verify under the path that is read now, or something to complain of.
    found: bool,
}

/// When logs are read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// As they come.
    Any,
    /// Those that can be read again are put off until everything else was read.
    Others,
    /// Everything else was read.
    Logs,
}

/// A file that can be read again.
struct Source {
    path: PathBuf,
    is_archive: bool,
}

impl<'s> Reader<'s> {
    /// A reader that hands in to `sink`; every document is taken for a `kind`, if there is one.
    pub fn new(kind: Option<DocumentKind>, limits: &'s Limits, sink: &'s mut Sink<'s>) -> Self {
        Self {
            kind,
            limits,
            sink,
            done: None,
            turn: Turn::Any,
            source: None,
            later: Vec::new(),
            found: false,
        }
    }

    /// Puts off the logs that stand in files until [`logs`](Self::logs): heads count for a log only if they are met before it.
    #[must_use]
    pub fn logs_last(mut self) -> Self {
        self.turn = Turn::Others;
        self
    }

    /// Reads the logs that were put off, from the files that they stand in.
    pub fn logs(&mut self) -> ControlFlow<()> {
        self.turn = Turn::Logs;
        let later = std::mem::take(&mut self.later);
        later.iter().try_for_each(|path| flow(self.file(path)))
    }

    /// Counts the bytes that are read of files and streams.
    #[must_use]
    pub fn counting(mut self, done: &'s AtomicU64) -> Self {
        self.done = Some(done);
        self
    }

    /// Reads everything that a path holds: a file with one document or with one a line, an archive of such files, or a folder.
    /// What cannot be read is handed in as that, and so is a path that holds nothing to verify. Breaks when the sink asked for no more.
    pub fn path(&mut self, path: &Path) -> ControlFlow<()> {
        self.found = false;
        let ended = match path.metadata().map(|metadata| metadata.is_dir()) {
            Err(source) => self.unreadable(path.display().to_string(), source),
            Ok(true) => self.folder(path, DEEPEST_FOLDER),
            Ok(false) => self.file(path),
        };
        flow(ended.and_then(|()| self.found_one(&path.display().to_string())))
    }

    /// Reads everything in a stream: JSON, JSON lines or a tar archive, each perhaps compressed with gzip. More than one
    /// document is recognized by the first line being one.
    pub fn stream(&mut self, name: &str, input: impl Read) -> ControlFlow<()> {
        self.found = false;
        let ended = self.named(name, input);
        flow(ended.and_then(|()| self.found_one(name)))
    }

    /// What was left out is no document: whoever named a path meant evidence.
    fn found_one(&mut self, name: &str) -> Result<(), Stop> {
        if self.found { Ok(()) } else { self.complain(name.to_owned(), nothing_in_it()) }
    }

    pub(super) fn hand(&mut self, item: Item) -> Result<(), Stop> {
        let is_skipped = matches!(item, Item::Skipped(_));
        if self.was_here() && is_skipped {
            return Ok(());
        }
        self.found |= !is_skipped;
        if (self.sink)(Ok(item)).is_break() { Err(Stop::Asked) } else { Ok(()) }
    }

    /// Whether this archive was read before, but for its logs.
    fn was_here(&self) -> bool {
        self.turn == Turn::Logs && self.is_in_archive()
    }

    fn is_in_archive(&self) -> bool {
        self.source.as_ref().is_some_and(|source| source.is_archive)
    }

    /// From here on what is read is in an archive.
    pub(super) fn enter_archive(&mut self) {
        if let Some(source) = &mut self.source {
            source.is_archive = true;
        }
    }

    /// Whether it is the turn of something that is a log or not; a log whose turn is later is remembered.
    fn is_turn_of(&mut self, is_log: impl FnOnce(&Self) -> bool) -> bool {
        match self.turn {
            Turn::Any => true,
            Turn::Logs => !self.is_in_archive() || is_log(self),
            Turn::Others if self.source.is_none() || !is_log(self) => true,
            Turn::Others => {
                let path = self.source.as_ref().map(|source| source.path.clone());
                self.later.extend(path.filter(|path| self.later.last() != Some(path)));
                self.found = true;
                false
            }
        }
    }

    /// Hands in a document by itself, if it is its turn.
    fn document(&mut self, path: String, bytes: Vec<u8>) -> Result<(), Stop> {
        if !self.is_turn_of(|reader| reader.is_page(&bytes)) {
            return Ok(());
        }
        self.hand(Item::Document { path, bytes })
    }

    /// Whether a document is of a log: one that names none of the members of a page or a record is not read for that.
    fn is_page(&self, bytes: &[u8]) -> bool {
        let names = |name: &[u8]| memchr::memmem::find(bytes, name).is_some();
        match self.kind {
            Some(kind) => kind == DocumentKind::Log,
            None if names(b"\"entries\"") || names(b"\"leaf_data\"") => {
                kind_of(bytes, self.limits) == Some(DocumentKind::Log)
            }
            None => false,
        }
    }

    pub(super) fn unreadable(&mut self, path: String, source: std::io::Error) -> Result<(), Stop> {
        if self.was_here() { Ok(()) } else { self.complain(path, source) }
    }

    fn complain(&mut self, path: String, source: std::io::Error) -> Result<(), Stop> {
        self.found = true;
        if (self.sink)(Err(Unreadable { path, source })).is_break() { Err(Stop::Asked) } else { Ok(()) }
    }

    fn skip(&mut self, path: &Path, why: &'static str) -> Result<(), Stop> {
        self.hand(Item::Skipped(Skipped { path: path.display().to_string(), why }))
    }

    fn file(&mut self, path: &Path) -> Result<(), Stop> {
        let name = path.display().to_string();
        let is_file = path.metadata().is_ok_and(|metadata| metadata.is_file());
        self.source = is_file.then(|| Source { path: path.to_owned(), is_archive: false });
        let ended = match fs_err::File::open(path) {
            Ok(opened) => self.named(&name, opened),
            Err(source) => self.unreadable(name, source),
        };
        self.source = None;
        ended
    }

    /// The files of a folder by name, with those of inner folders. What is left out is named.
    fn folder(&mut self, folder: &Path, depth: usize) -> Result<(), Stop> {
        let mut names = match names_in(folder) {
            Ok(names) => names,
            Err(source) => return self.unreadable(folder.display().to_string(), source),
        };
        names.sort();
        let is_archive = self.kind.is_none() && is_archive(folder);
        for name in names {
            let path = folder.join(&name);
            if is_archive && name.to_str().is_some_and(|name| PARTS_OF_ARCHIVES.contains(&name)) {
                self.skip(&path, "being part of the archive of a run, which `assayer recheck` judges")?;
            } else {
                self.entry(&path, depth)?;
            }
        }
        Ok(())
    }

    /// What stands in a folder. What a link leads to that cannot be followed may be anything, evidence too.
    fn entry(&mut self, entry: &Path, depth: usize) -> Result<(), Stop> {
        let kind = match entry.metadata() {
            Ok(metadata) => metadata.file_type(),
            Err(source) => return self.unreadable(entry.display().to_string(), source),
        };
        match depth {
            _ if kind.is_dir() && entry.is_symlink() => self.skip(entry, "being a link to a folder"),
            0 if kind.is_dir() => {
                let text = format!("expected at most {DEEPEST_FOLDER} folders in each other, found more");
                self.unreadable(entry.display().to_string(), std::io::Error::other(text))
            }
            depth if kind.is_dir() => self.folder(entry, depth - 1),
            _ if !kind.is_file() => self.skip(entry, "being no file"),
            _ if is_taken(entry) => self.file(entry),
            _ if is_packed(&entry.to_string_lossy()) => {
                let text =
                    "expected tar or gzip, found another archive or compression by its name: unpack it first";
                let source = std::io::Error::new(ErrorKind::Unsupported, text);
                self.unreadable(entry.display().to_string(), source)
            }
            _ => self.skip(entry, NO_EVIDENCE),
        }
    }

    /// A file or stream, whatever it holds: told by its first bytes, and by no name.
    fn named(&mut self, name: &str, input: impl Read) -> Result<(), Stop> {
        let counted = Counted { input, done: self.done };
        let ended = Peeked::of(counted).map_err(Stop::from).and_then(|input| self.content(name, input));
        self.failed(name, ended)
    }

    fn content<R: Read>(&mut self, name: &str, input: Peeked<R>) -> Result<(), Stop> {
        if input.starts_with(GZIP_MARK) {
            let went_in = AtomicU64::new(0);
            let input = Peeked::of(Decompressed::new(BufReader::new(input), &went_in))?;
            let inner = name.strip_suffix(".gz").unwrap_or(name).to_owned();
            return self.decompressed(&inner, name, input);
        }
        self.decompressed(name, name, input)
    }

    /// An archive, or documents; `inner` is the name without that of a compression.
    fn decompressed<R: Read>(&mut self, inner: &str, name: &str, input: Peeked<R>) -> Result<(), Stop> {
        let is_tar = input.is_tar() || input.is_end_of_tar() && !is_evidence(inner);
        if is_tar { self.tar(name, input) } else { self.documents(inner, name, input) }
    }

    /// A member of an archive.
    pub(super) fn member(&mut self, name: &str, input: impl Read) -> Result<(), Stop> {
        let ended = self.documents(name, name, input);
        self.failed(name, ended)
    }

    fn failed(&mut self, name: &str, ended: Result<(), Stop>) -> Result<(), Stop> {
        match ended {
            Err(Stop::Failed(source)) => self.unreadable(name.to_owned(), source),
            ended => ended,
        }
    }

    /// JSON, one document or one a line. `lines_name` is the name that says so; it is `name` but for what is compressed.
    fn documents(&mut self, lines_name: &str, name: &str, input: impl Read) -> Result<(), Stop> {
        let mut lines = Lines::new(input, self.limits);
        let Some(first) = lines.next_filled()? else { return self.nothing(name) };
        let lower = lines_name.to_ascii_lowercase();
        let is_lines = [".jsonl", ".ndjson"].iter().any(|ending| lower.ends_with(ending));
        // What stands alone is one document, good or bad, and is read by whoever verifies it.
        if !is_lines && first.before.is_empty() && lines.is_at_end() {
            return self.document(name.to_owned(), first.bytes);
        }
        let is_document = Document::read(&first.bytes, self.limits).is_ok();
        let overlong = first.bytes.len() > self.limits.bytes;
        let second = if is_document || is_lines || overlong { lines.next_filled() } else { Ok(None) };
        match second {
            Ok(Some(second)) => self.lines(name, vec![first, second], &mut lines).map(|_| ()),
            // The first line is good, whatever befell the second.
            Err(source) => {
                let nothing = &mut Lines::new(std::io::empty(), self.limits);
                let taken = self.lines(name, vec![first], nothing)?;
                if taken { self.cut_line(name, &lines, source) } else { Ok(()) }
            }
            Ok(None) if is_document => self.document(name.to_owned(), first.bytes),
            Ok(None) if is_lines => {
                let path = format!("{name}:{}", first.number.max(1));
                self.document(path, first.into_document())
            }
            Ok(None) => self.whole(name, first, lines),
        }
    }

    /// A text without one filled line. A log is one if the caller says so: that of a registry in which nothing has happened yet.
    fn nothing(&mut self, name: &str) -> Result<(), Stop> {
        match self.kind {
            Some(DocumentKind::Log) => {}
            Some(_) => return Err(nothing_in_it().into()),
            None => {
                let text = format!("{NO_DOCUMENT} (an empty log is one with `--as oversight-log`)");
                return Err(std::io::Error::new(ErrorKind::UnexpectedEof, text).into());
            }
        }
        let end = Item::LogEnd { path: name.to_owned(), more: self.turn != Turn::Logs };
        if self.is_turn_of(|_| true) { self.hand(end) } else { Ok(()) }
    }

    /// The first line is no document: the whole is one, unless it cannot be read and a later line is one by itself. Then the
    /// first line is a bad one among others.
    fn whole(&mut self, name: &str, first: Line, mut lines: Lines<impl Read>) -> Result<(), Stop> {
        let blank = memchr::memchr_iter(b'\n', &first.before).count();
        let number = first.number.saturating_sub(1 + blank);
        let mut whole = first.before;
        whole.extend_from_slice(&first.bytes);
        let failed = lines.rest(&mut whole).err();
        if !self.holds_lines(&whole) {
            return match failed {
                Some(error) => Err(error.into()),
                None => self.document(name.to_owned(), whole),
            };
        }
        let Some(error) = failed else {
            return self.lines(name, Vec::new(), &mut lines.again(&whole, number)).map(|_| ());
        };
        whole.truncate(memchr::memrchr(b'\n', &whole).map_or(0, |last| last + 1));
        let mut lines = Lines::new(std::io::empty(), self.limits).again(&whole, number);
        let taken = self.lines(name, Vec::new(), &mut lines)?;
        if taken { self.cut_line(name, &lines, error) } else { Ok(()) }
    }

    /// Whether one line at least is a document of a known kind, and all together are none. Most documents of several lines
    /// have no line like that, and are not read for it.
    fn holds_lines(&self, whole: &[u8]) -> bool {
        let braced = |line: &&[u8]| line.starts_with(b"{") && line.trim_ascii_end().ends_with(b"}");
        let mut braced = whole.split(|byte| *byte == b'\n').skip(1).filter(braced).peekable();
        braced.peek().is_some()
            && Document::read(whole, self.limits).is_err()
            && braced.any(|line| kind_of(line, self.limits).is_some())
    }

    /// The kind of lines, by the first of which that can be said. Lines that cannot be read are held back for that.
    fn kind_of_lines(&self, first: &mut Vec<Line>, lines: &mut Lines<impl Read>) -> Option<DocumentKind> {
        let mut kind = self.kind.or_else(|| first.iter().find_map(|line| kind_of(&line.bytes, self.limits)));
        let mut held: usize = first.iter().map(|line| line.bytes.len()).sum();
        let unread = |line: &Line| Document::read(&line.bytes, self.limits).is_err();
        let (most, most_bytes) = UNDECIDED;
        while kind.is_none() && first.len() < most && held < most_bytes && first.last().is_none_or(unread) {
            match lines.next_filled() {
                Ok(Some(line)) => {
                    kind = kind_of(&line.bytes, self.limits);
                    held += line.bytes.len();
                    first.push(line);
                }
                Ok(None) => break,
                Err(source) => {
                    lines.fail(source);
                    break;
                }
            }
        }
        kind
    }

    /// Records of a log belong together; everything else is a document a line. Whether it was their turn.
    fn lines(
        &mut self,
        name: &str,
        mut first: Vec<Line>,
        lines: &mut Lines<impl Read>,
    ) -> Result<bool, Stop> {
        let is_log = self.kind_of_lines(&mut first, lines) == Some(DocumentKind::Log);
        if !self.is_turn_of(|_| is_log) {
            // What comes after it in an archive is found only behind it.
            if self.is_in_archive() {
                lines.pass_all();
            }
            return Ok(false);
        }
        let ended = if is_log { self.records(name, first, lines) } else { self.each(name, first, lines) };
        ended.map(|()| true)
    }

    /// A document a line.
    fn each(&mut self, name: &str, first: Vec<Line>, lines: &mut Lines<impl Read>) -> Result<(), Stop> {
        let next = |reader: &mut Self, line: Line| {
            let path = format!("{name}:{}", line.number);
            reader.hand(Item::Document { path, bytes: line.into_document() })
        };
        for line in first {
            next(self, line)?;
        }
        loop {
            match lines.next_filled() {
                Ok(Some(line)) => next(self, line)?,
                Ok(None) => return Ok(()),
                Err(source) => return self.cut_line(name, lines, source),
            }
        }
    }

    /// A line that could not be read to its end; those before it were.
    fn cut_line(&mut self, name: &str, lines: &Lines<impl Read>, source: std::io::Error) -> Result<(), Stop> {
        self.complain(format!("{name}:{}", lines.number + 1), source)
    }

    /// A log that cannot be read to its end is ended all the same: the next one must not go on where it stopped.
    fn records(&mut self, name: &str, first: Vec<Line>, lines: &mut Lines<impl Read>) -> Result<(), Stop> {
        for line in first {
            self.hand(Item::Records { line: line.number as u64, lines: line.bytes })?;
        }
        let ended = loop {
            match lines.next_block() {
                Ok(Some((line, lines))) => self.hand(Item::Records { line: line as u64, lines })?,
                Ok(None) => break Ok(()),
                Err(source) => break Err(source),
            }
        };
        self.hand(Item::LogEnd { path: name.to_owned(), more: self.turn != Turn::Logs })?;
        match ended {
            Ok(()) => Ok(()),
            Err(source) => self.cut_line(name, lines, source),
        }
    }
}

/// A failure was handed in already.
fn flow(ended: Result<(), Stop>) -> ControlFlow<()> {
    match ended {
        Ok(()) | Err(Stop::Failed(_)) => ControlFlow::Continue(()),
        Err(Stop::Asked) => ControlFlow::Break(()),
    }
}

/// Why what holds no document is unreadable: nothing was verified, so that nothing was refuted either.
const NO_DOCUMENT: &str = "expected at least one document, found none";

pub(super) fn nothing_in_it() -> std::io::Error {
    std::io::Error::new(ErrorKind::UnexpectedEof, NO_DOCUMENT)
}

/// Names only: a folder of a million files has a million of them.
fn names_in(folder: &Path) -> std::io::Result<Vec<OsString>> {
    fs_err::read_dir(folder)?.map(|entry| entry.map(|entry| entry.file_name())).collect()
}

/// Whether a folder is the archive of a run, by the beginning of its manifest.
fn is_archive(folder: &Path) -> bool {
    let path = folder.join(file::MANIFEST);
    let mut begin = Vec::new();
    path.symlink_metadata().is_ok_and(|metadata| metadata.is_file())
        && fs_err::File::open(&path).and_then(|file| file.take(256).read_to_end(&mut begin)).is_ok()
        && memchr::memmem::find(&begin, ARCHIVE_FORM.as_bytes()).is_some()
}

/// Why a file of a folder or archive is left out.
pub(super) const NO_EVIDENCE: &str = "being no .json, .jsonl or .ndjson file";

/// Whether a name is that of a file of evidence.
pub(super) fn is_evidence(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    EVIDENCE.iter().any(|ending| lower.ends_with(ending))
}

/// Whether a name is that of a file which may hold evidence, but not as it stands: an archive, or compressed evidence.
pub(super) fn is_packed(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let inner = COMPRESSIONS.iter().find_map(|ending| lower.strip_suffix(ending));
    let is_archive = |name: &str| ARCHIVES.iter().any(|ending| name.ends_with(ending));
    is_archive(&lower) || inner.is_some_and(|inner| is_archive(inner) || is_evidence(inner))
}

fn is_taken(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    is_evidence(&name) || CONTAINERS.iter().any(|ending| name.ends_with(ending))
}

/// How long the blocks of a tar archive are.
const BLOCK: u64 = 512;

/// A stream whose first block was looked at.
struct Peeked<R> {
    first: Vec<u8>,
    /// How much of the first block was read.
    taken: usize,
    input: R,
}

impl<R: Read> Peeked<R> {
    fn of(mut input: R) -> std::io::Result<Self> {
        let mut first = Vec::new();
        (&mut input).take(BLOCK).read_to_end(&mut first)?;
        Ok(Self { first, taken: 0, input })
    }

    fn starts_with(&self, mark: &[u8]) -> bool {
        self.first.starts_with(mark)
    }

    /// A JSON text has no NUL; the first block of an archive has many.
    fn is_tar(&self) -> bool {
        let (at, mark) = TAR_MARK;
        self.first.get(at..).is_some_and(|rest| rest.starts_with(mark)) && self.first.contains(&0)
    }

    /// An archive without members is nothing but its end mark, two blocks of zeros; a text of zeros is as well, and is no JSON.
    fn is_end_of_tar(&self) -> bool {
        self.first.len() as u64 == BLOCK && self.first.iter().all(|byte| *byte == 0)
    }
}

impl<R: Read> Read for Peeked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let mut rest = self.first.get(self.taken..).unwrap_or_default();
        if rest.is_empty() {
            return self.input.read(buffer);
        }
        let read = rest.read(buffer)?;
        self.taken += read;
        Ok(read)
    }
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
