//! Compressed input (gzip, RFC 1952), bounded: a small file may not become an endless one.

use std::io::{BufRead, Error, ErrorKind, Read};
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;

/// So much may come out of any file.
const FREE: u64 = 64 << 20;

/// Beyond that, no more than so many bytes for each that went in. Evidence is hexadecimal digits for the most part, which
/// compress to a half; logs of one event over and over reach about 50.
const MOST_TIMES: u64 = 200;

/// What comes out of a gzip stream.
pub(super) struct Decompressed<'c, R> {
    decoder: MultiGzDecoder<CountedIn<'c, R>>,
    went_in: &'c AtomicU64,
    came_out: u64,
}

impl<'c, R: BufRead> Decompressed<'c, R> {
    /// Decompresses `input`; `went_in` counts what is read of it.
    pub(super) fn new(input: R, went_in: &'c AtomicU64) -> Self {
        Self { decoder: MultiGzDecoder::new(CountedIn { input, count: went_in }), went_in, came_out: 0 }
    }
}

impl<R: BufRead> Read for Decompressed<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.decoder.read(buffer)?;
        self.came_out += read as u64;
        let went_in = self.went_in.load(Ordering::Relaxed);
        if self.came_out > FREE.saturating_add(went_in.saturating_mul(MOST_TIMES)) {
            let text =
                format!("{went_in} compressed bytes became {}: more than {MOST_TIMES} times", self.came_out);
            return Err(Error::new(ErrorKind::InvalidData, text));
        }
        Ok(read)
    }
}

struct CountedIn<'c, R> {
    input: R,
    count: &'c AtomicU64,
}

impl<R: BufRead> Read for CountedIn<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.count.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

impl<R: BufRead> BufRead for CountedIn<'_, R> {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        self.input.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.count.fetch_add(amount as u64, Ordering::Relaxed);
        self.input.consume(amount);
    }
}
