//! Lines of a stream, bounded.

use std::io::{BufRead, BufReader, Read};

use assayer_verifier::Limits;

/// How many bytes of a log are handed on together, or a little more.
const BLOCK: usize = 1 << 17;

/// A line that is not blank.
#[derive(Default)]
pub(super) struct Line {
    pub(super) number: usize,
    pub(super) bytes: Vec<u8>,
    /// Blank lines that came before it, where the text may still turn out to be one document.
    pub(super) before: Vec<u8>,
}

/// Lines of a stream, none longer than the limit for a document by more than one byte.
pub(super) struct Lines<R> {
    input: BufReader<R>,
    most: u64,
    pub(super) number: usize,
    /// Why reading failed after the lines that were handed on.
    failed: Option<std::io::Error>,
}

impl<R: Read> Lines<R> {
    pub(super) fn new(input: R, limits: &Limits) -> Self {
        let input = BufReader::with_capacity(1 << 16, input);
        Self { input, most: limits.bytes as u64 + 1, number: 0, failed: None }
    }

    /// The next line that is not blank. What is beyond the limit of an overlong line is skipped.
    pub(super) fn next_filled(&mut self) -> std::io::Result<Option<Line>> {
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
                self.input.skip_until(b'\n')?;
                block.push(b'\n');
            }
        }
        Ok(())
    }

    /// Everything that is left, up to the limit.
    pub(super) fn rest(&mut self, whole: &mut Vec<u8>) -> std::io::Result<()> {
        let left = self.most.saturating_sub(whole.len() as u64);
        (&mut self.input).take(left).read_to_end(whole)?;
        Ok(())
    }
}
