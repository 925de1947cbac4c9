//! Lines of a stream, bounded.

use std::io::{BufRead, BufReader, Error, ErrorKind, Read};

use assayer_verifier::Limits;

/// How many bytes of a log are handed on together, or a little more.
const BLOCK: usize = 1 << 17;

/// How much is passed over of a line beyond the limit for a document, and of blank lines, before the rest is given up.
const PASSED_OVER: u64 = 256 << 20;

/// How many blank lines in a row are passed over: nobody writes more than a few, and each costs as much as a filled one.
const MOST_BLANK: u64 = 1 << 22;

/// A line that is not blank.
#[derive(Default)]
pub(super) struct Line {
    pub(super) number: usize,
    pub(super) bytes: Vec<u8>,
    /// Blank lines that came before it, where the text may still turn out to be one document.
    pub(super) before: Vec<u8>,
}

impl Line {
    /// Without its end, which is no part of a document.
    pub(super) fn into_document(mut self) -> Vec<u8> {
        let bytes = self.bytes.strip_suffix(b"\n").unwrap_or(&self.bytes);
        let length = bytes.strip_suffix(b"\r").unwrap_or(bytes).len();
        self.bytes.truncate(length);
        self.bytes
    }
}

/// Lines of a stream, none longer than the limit for a document by more than one byte.
pub(super) struct Lines<R> {
    input: BufReader<R>,
    most: u64,
    pub(super) number: usize,
    /// Why reading failed after the lines that were handed on.
    failed: Option<Error>,
}

impl<R: Read> Lines<R> {
    pub(super) fn new(input: R, limits: &Limits) -> Self {
        let input = BufReader::with_capacity(1 << 16, input);
        Self { input, most: limits.bytes as u64 + 1, number: 0, failed: None }
    }

    /// The lines that start with `read`, which was read already from line `number + 1` on, and go on with the rest of these.
    pub(super) fn again<'r>(self, read: &'r [u8], number: usize) -> Lines<impl Read + use<'r, R>> {
        let input = BufReader::with_capacity(1 << 16, read.chain(self.input));
        Lines { input, most: self.most, number, failed: self.failed }
    }

    /// Fails with this when the next line is asked for.
    pub(super) fn fail(&mut self, error: Error) {
        self.failed = Some(error);
    }

    /// Whether nothing follows, and nothing failed.
    pub(super) fn is_at_end(&mut self) -> bool {
        match self.input.fill_buf() {
            Ok(rest) => rest.is_empty() && self.failed.is_none(),
            Err(error) => {
                self.failed.get_or_insert(error);
                false
            }
        }
    }

    /// The next line that is not blank. What is beyond the limit of an overlong line is skipped.
    pub(super) fn next_filled(&mut self) -> std::io::Result<Option<Line>> {
        let mut before = Vec::new();
        let (mut blank, mut blank_lines) = (0_u64, 0_u64);
        loop {
            if let Some(error) = self.failed.take() {
                return Err(error);
            }
            let mut bytes = Vec::new();
            let read = (&mut self.input).take(self.most).read_until(b'\n', &mut bytes)?;
            if read == 0 {
                return Ok(None);
            }
            self.number += 1;
            if read as u64 == self.most && bytes.last() != Some(&b'\n') {
                self.failed = self.pass_over().err();
            }
            if !bytes.trim_ascii().is_empty() {
                return Ok(Some(Line { number: self.number, bytes, before }));
            }
            if before.len() < 1 << 16 {
                before.extend_from_slice(&bytes);
            }
            blank += read as u64;
            blank_lines += 1;
            if blank > PASSED_OVER || blank_lines > MOST_BLANK {
                let text = format!("expected a document, found {blank_lines} blank lines of {blank} bytes");
                return Err(Error::new(ErrorKind::InvalidData, text));
            }
        }
    }

    /// Goes on to the next line; one that never ends is not waited for.
    fn pass_over(&mut self) -> std::io::Result<()> {
        let mut rest = (&mut self.input).take(PASSED_OVER);
        rest.skip_until(b'\n')?;
        if rest.limit() > 0 {
            return Ok(());
        }
        let most = self.most.saturating_add(PASSED_OVER);
        let text = format!(
            "expected the end of the line before, found more than {most} bytes of it: nothing after it is read"
        );
        Err(Error::new(ErrorKind::InvalidData, text))
    }

    /// The next lines, as many as fit a block, with the number of the first. What is beyond the limit of an overlong line is
    /// skipped.
    pub(super) fn next_block(&mut self) -> std::io::Result<Option<(usize, Vec<u8>)>> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        let mut block = Vec::with_capacity(BLOCK + (BLOCK >> 4));
        if let Err(error) = self.fill(&mut block) {
            // The whole lines before it are handed on first.
            block.truncate(memchr::memrchr(b'\n', &block).map_or(0, |last| last + 1));
            self.failed = Some(error);
        }
        if block.is_empty() {
            return self.failed.take().map_or(Ok(None), Err);
        }
        let first = self.number + 1;
        self.number += memchr::memchr_iter(b'\n', &block).count();
        Ok(Some((first, block)))
    }

    fn fill(&mut self, block: &mut Vec<u8>) -> std::io::Result<()> {
        (&mut self.input).take(BLOCK as u64).read_to_end(block)?;
        if block.last().is_some_and(|last| *last != b'\n') {
            let read = (&mut self.input).take(self.most).read_until(b'\n', block)?;
            if read as u64 == self.most && block.last() != Some(&b'\n') {
                block.push(b'\n');
                self.pass_over()?;
            }
        }
        Ok(())
    }

    /// Passes over everything that is left; whoever reads it again is told why that fails.
    pub(super) fn pass_all(&mut self) {
        let _ = std::io::copy(&mut self.input, &mut std::io::sink());
    }

    /// Everything that is left, up to the limit.
    pub(super) fn rest(&mut self, whole: &mut Vec<u8>) -> std::io::Result<()> {
        let left = self.most.saturating_sub(whole.len() as u64);
        (&mut self.input).take(left).read_to_end(whole)?;
        Ok(())
    }
}
