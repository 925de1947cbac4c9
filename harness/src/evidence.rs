//! Evidence on disk: which documents a path holds, and what the verifier says of each. Documents are read one at a
//! time; one that cannot be read does not stop the others.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use assayer_verifier::oversight::{
    DocumentKind, Log, Trust, read_only, verify_bundle, verify_head, verify_log, verify_proof,
};
use assayer_verifier::{Code, Document, Limits, Trace, Verdict};

/// Files of a folder that are taken for evidence.
const EXTENSIONS: [&str; 3] = ["json", "jsonl", "ndjson"];

/// No folder is followed deeper.
const DEEPEST_FOLDER: usize = 32;

/// One document, and what was found.
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

/// A path that could not be read.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {source}")]
pub struct Unreadable {
    /// The path.
    pub path: String,
    /// Why.
    pub source: std::io::Error,
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

/// Verifies everything that a path holds: a file with one document or with one a line, or a folder of such files.
pub fn verify_path(path: &Path, question: &Question<'_>, each: &mut dyn FnMut(Result<Finding, Unreadable>)) {
    match files(path, DEEPEST_FOLDER) {
        Err(error) => each(Err(error)),
        Ok(files) => {
            for file in files {
                let name = file.display().to_string();
                match fs_err::File::open(&file) {
                    Ok(opened) => verify_stream(&name, opened, question, each),
                    Err(source) => each(Err(Unreadable { path: name, source })),
                }
            }
        }
    }
}

/// The file itself, or the files of a folder by name, with those of inner folders.
fn files(path: &Path, depth: usize) -> Result<Vec<PathBuf>, Unreadable> {
    let failed = |source| Unreadable { path: path.display().to_string(), source };
    if !fs_err::metadata(path).map_err(failed)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut entries: Vec<PathBuf> = fs_err::read_dir(path)
        .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect())
        .map_err(failed)?;
    entries.sort();
    let mut found = Vec::new();
    for entry in entries {
        let known = entry.extension().and_then(|extension| extension.to_str());
        if entry.is_dir() && !entry.is_symlink() && depth > 0 {
            found.extend(files(&entry, depth - 1)?);
        } else if entry.is_file() && known.is_some_and(|known| EXTENSIONS.contains(&known)) {
            found.push(entry);
        }
    }
    Ok(found)
}

/// Verifies everything in a stream. More than one document is recognized by the first line being one.
pub fn verify_stream(
    name: &str,
    input: impl Read,
    question: &Question<'_>,
    each: &mut dyn FnMut(Result<Finding, Unreadable>),
) {
    let failed = |source| Unreadable { path: name.to_owned(), source };
    let mut lines = Lines::new(input, question.limits);
    let first = match lines.next_filled() {
        Ok(first) => first.unwrap_or_default(),
        Err(source) => return each(Err(failed(source))),
    };
    let complete = Document::read(&first.bytes, question.limits).is_ok();
    let forced = [".jsonl", ".ndjson"].iter().any(|ending| name.ends_with(ending));
    let second = if complete || forced { lines.next_filled() } else { Ok(None) };
    match second {
        Err(source) => each(Err(failed(source))),
        Ok(second) if complete && second.is_none() => each(Ok(verify_one(name, &first.bytes, question))),
        Ok(Some(second)) => verify_lines(name, [first, second], &mut lines, question, each),
        Ok(None) if forced => {
            each(Ok(verify_one(&format!("{name}:{}", first.number), &first.bytes, question)))
        }
        Ok(None) => {
            // Not one document a line: the whole is one document.
            let mut whole = first.before;
            whole.extend_from_slice(&first.bytes);
            match lines.rest(&mut whole) {
                Ok(()) => each(Ok(verify_one(name, &whole, question))),
                Err(source) => each(Err(failed(source))),
            }
        }
    }
}

/// Records of a log belong together; everything else is a document a line.
fn verify_lines(
    name: &str,
    first: [Line; 2],
    lines: &mut Lines<impl Read>,
    question: &Question<'_>,
    each: &mut dyn FnMut(Result<Finding, Unreadable>),
) {
    let kind = question.kind.or_else(|| first.iter().find_map(|line| kind_of(&line.bytes, question.limits)));
    let is_log = kind == Some(DocumentKind::Log);
    let mut records = Vec::new();
    let mut take = |line: Line, each: &mut dyn FnMut(Result<Finding, Unreadable>)| {
        if is_log {
            records.push(line.bytes);
        } else {
            each(Ok(verify_one(&format!("{name}:{}", line.number), &line.bytes, question)));
        }
    };
    for line in first {
        take(line, each);
    }
    loop {
        match lines.next_filled() {
            Ok(Some(line)) => take(line, each),
            Ok(None) => break,
            Err(source) => {
                each(Err(Unreadable { path: name.to_owned(), source }));
                break;
            }
        }
    }
    if is_log {
        let (_, trace) = verify_log(records.iter().map(Vec::as_slice), question.trust, question.limits);
        each(Ok(Finding { path: name.to_owned(), kind, trace }));
    }
}

fn kind_of(bytes: &[u8], limits: &Limits) -> Option<DocumentKind> {
    DocumentKind::of(Document::read(bytes, limits).ok()?.root())
}

fn verify_one(path: &str, bytes: &[u8], question: &Question<'_>) -> Finding {
    let kind = question.kind.or_else(|| kind_of(bytes, question.limits));
    let (trust, limits) = (question.trust, question.limits);
    let trace = match kind {
        Some(DocumentKind::Bundle) => verify_bundle(bytes, trust, limits),
        Some(DocumentKind::Head) => verify_head(bytes, trust, limits),
        Some(DocumentKind::Proof) => verify_proof(bytes, trust, limits),
        Some(DocumentKind::Log) => verify_log([bytes], trust, limits).1,
        None => read_only(bytes, limits),
    };
    Finding { path: path.to_owned(), kind, trace }
}

/// Reads a log as context for other documents: a file of records, or of one or several pages.
///
/// # Errors
/// A text that names the file and the first thing that is wrong with it: a log that is not sound shows nothing.
pub fn read_log(path: &Path, limits: &Limits) -> Result<Log, String> {
    let name = path.display();
    let file = fs_err::File::open(path).map_err(|error| error.to_string())?;
    let mut lines = Lines::new(file, limits);
    let mut records: Vec<Vec<u8>> = Vec::new();
    while let Some(line) = lines.next_filled().map_err(|error| format!("{name}: {error}"))? {
        if records.is_empty() && Document::read(&line.bytes, limits).is_err() {
            let mut whole = line.bytes;
            lines.rest(&mut whole).map_err(|error| format!("{name}: {error}"))?;
            records.push(whole);
            break;
        }
        records.push(line.bytes);
    }
    let (log, trace) = verify_log(records.iter().map(Vec::as_slice), &Trust::default(), limits);
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
