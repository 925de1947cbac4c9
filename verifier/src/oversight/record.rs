//! The fast way through a record of a log as registries write it: one object a line, members of fixed names, nothing odd.
//!
//! ```text
//! {"index":7,"leaf_hash":"<64 digits>","leaf_data":"{\"event\":…}","leaf_data_hex":"7b22…7d"}
//! ```
//!
//! Other members may stand beside these, as long as they are neither many nor deep.
//!
//! It takes a record only if the strict reader would take it with the same index and the same leaf, and find nothing to
//! say about it. Whatever it does not take is no verdict: the strict reader looks again, and names what is wrong.

use sha2::{Digest, Sha256};

use crate::hash::{Hash, decode_hex};
use crate::json::plain_start;
use crate::limits::Limits;

/// Digits of the largest index that is read here; the strict reader knows the few that are longer.
const MOST_DIGITS: usize = 19;

/// So many members beyond the known ones are passed over, and so many of an object in one of them.
const MOST_OTHERS: usize = 8;
/// So many values are passed over in all, lists and objects and what is in them, and so deep.
const MOST_PASSED: usize = 64;
const DEEPEST: usize = 4;

/// Room for a leaf at first, and at most.
const ROOM: usize = 1 << 12;
const MOST_ROOM: usize = 1 << 20;

/// A record that is as it must be: the leaf hash was recomputed and is the one that it states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) index: u64,
    pub(super) leaf_hash: Hash,
    /// Length of the record with what ends its line.
    pub(super) length: usize,
}

/// Reads records, and keeps its buffers from one to the next.
#[derive(Debug, Default)]
pub(super) struct Fast {
    /// Room for a zero byte, then the leaf: what a leaf hash is over (RFC 6962 section 2.1).
    leaf: Vec<u8>,
    /// How much of it is the leaf that was read last, with the zero byte.
    length: usize,
    decoded: Vec<u8>,
}

/// The members of a record, as far as they were met.
#[derive(Default)]
struct Members<'b> {
    index: Option<u64>,
    leaf_hash: Option<Hash>,
    has_data: bool,
    hex: Option<&'b [u8]>,
    has_hex: bool,
    others: Names<'b>,
    passed: usize,
}

/// Names of one object.
#[derive(Default)]
struct Names<'b> {
    names: [&'b [u8]; MOST_OTHERS],
    count: usize,
}

impl<'b> Names<'b> {
    /// Takes another name, unless it is there already or there is no room.
    fn add(&mut self, name: &'b [u8]) -> Option<()> {
        if self.names.get(..self.count)?.contains(&name) {
            return None;
        }
        *self.names.get_mut(self.count)? = name;
        self.count += 1;
        Some(())
    }
}

impl Fast {
    /// The leaf of the record that was read last.
    fn leaf(&self) -> &[u8] {
        self.leaf.get(1..self.length).unwrap_or_default()
    }

    /// Reads the record at the start of `text`, up to the end of its line; `None` for whatever is not plainly good.
    pub(super) fn read(&mut self, text: &[u8], limits: &Limits) -> Option<Record> {
        // The object, four members and the others, each perhaps with its name; the levels; numbers of twenty bytes.
        if limits.values < 1 + 2 * (4 + MOST_OTHERS + MOST_PASSED)
            || limits.depth < 1 + DEEPEST
            || limits.number < MOST_DIGITS
        {
            return None;
        }
        let mut at = Cursor(text);
        at.expect(b"{")?;
        let mut members = Members::default();
        loop {
            self.member(&mut at, &mut members)?;
            match at.next()? {
                b',' => at.spaces(),
                b'}' => break,
                _ => return None,
            }
        }
        at.end_of_line()?;
        let length = text.len() - at.0.len();
        if length > limits.bytes || !members.has_data {
            return None;
        }
        if let Some(hex) = members.hex {
            self.decoded.resize(hex.len() / 2, 0);
            if !decode_hex(hex, &mut self.decoded) || self.decoded != self.leaf() {
                return None;
            }
        }
        let leaf_hash = Hash(Sha256::digest(self.leaf.get(..self.length)?).into());
        let agrees = members.leaf_hash? == leaf_hash;
        agrees.then_some(Record { index: members.index?, leaf_hash, length })
    }

    /// The text of the leaf. What is longer than the room there is goes the strict way, and the next one finds more.
    fn leaf_data(&mut self, at: &mut Cursor<'_>) -> Option<()> {
        if self.leaf.is_empty() {
            self.leaf.resize(ROOM, 0);
        }
        let room = self.leaf.get_mut(1..)?;
        let Some(length) = at.string(room) else {
            if self.leaf.len() < MOST_ROOM {
                self.leaf.resize(2 * self.leaf.len(), 0);
            }
            return None;
        };
        self.length = 1 + length;
        Some(())
    }

    /// One member: name, colon, value. A name that is not known, or known and met before, is for the strict reader.
    fn member<'b>(&mut self, at: &mut Cursor<'b>, members: &mut Members<'b>) -> Option<()> {
        at.spaces();
        if at.take(b"\"index\"") {
            at.colon()?;
            none(members.index.replace(at.integer()?))?;
        } else if at.take(b"\"leaf_hash\"") {
            at.colon()?;
            none(members.leaf_hash.replace(at.hash()?))?;
        } else if at.take(b"\"leaf_data\"") {
            at.colon()?;
            if std::mem::replace(&mut members.has_data, true) {
                return None;
            }
            self.leaf_data(at)?;
        } else if at.take(b"\"leaf_data_hex\"") {
            at.colon()?;
            // Its length follows from the leaf, which is to be known before.
            if std::mem::replace(&mut members.has_hex, true) || !members.has_data {
                return None;
            }
            members.hex = if at.take(b"null") { None } else { Some(at.digits(self.leaf().len())?) };
        } else {
            // A member of this name makes the record a page.
            let name = at.plain_string().filter(|name| *name != b"entries")?;
            members.others.add(name)?;
            at.spaces();
            at.colon()?;
            at.value(DEEPEST, &mut members.passed)?;
        }
        at.spaces();
        Some(())
    }
}

fn none<T>(before: Option<T>) -> Option<()> {
    if before.is_none() { Some(()) } else { None }
}

/// The text that is left.
struct Cursor<'b>(&'b [u8]);

impl<'b> Cursor<'b> {
    fn take(&mut self, text: &[u8]) -> bool {
        let Some(rest) = self.0.strip_prefix(text) else { return false };
        self.0 = rest;
        true
    }

    fn expect(&mut self, text: &[u8]) -> Option<()> {
        self.take(text).then_some(())
    }

    fn next(&mut self) -> Option<u8> {
        let (byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*byte)
    }

    fn spaces(&mut self) {
        while let [b' ', rest @ ..] = self.0 {
            self.0 = rest;
        }
    }

    fn colon(&mut self) -> Option<()> {
        self.expect(b":")?;
        self.spaces();
        Some(())
    }

    /// What may follow the closing brace on its line.
    fn end_of_line(&mut self) -> Option<()> {
        self.spaces();
        self.take(b"\r");
        if self.0.is_empty() || self.take(b"\n") { Some(()) } else { None }
    }

    /// An integer without a sign and without a leading zero.
    fn integer(&mut self) -> Option<u64> {
        let mut value: u64 = 0;
        let mut count = 0;
        while let [digit @ b'0'..=b'9', rest @ ..] = self.0 {
            if count == MOST_DIGITS || (count == 1 && value == 0) {
                return None;
            }
            value = value * 10 + u64::from(digit - b'0');
            count += 1;
            self.0 = rest;
        }
        (count > 0).then_some(value)
    }

    /// A string without escapes: its text.
    fn plain_string(&mut self) -> Option<&'b [u8]> {
        self.expect(b"\"")?;
        let text = self.0;
        let mut length = 0;
        let mut ascii = true;
        loop {
            if let Some(chunk) = text.get(length..)?.first_chunk::<8>() {
                let plain = plain_start(chunk);
                length += plain;
                if plain == chunk.len() {
                    continue;
                }
            }
            match CLASS.get(usize::from(*text.get(length)?)).copied()? {
                Class::Plain => {}
                Class::Beyond => ascii = false,
                Class::Quote => break,
                Class::Escape | Class::Control => return None,
            }
            length += 1;
        }
        let (string, rest) = text.split_at_checked(length)?;
        self.0 = rest.get(1..)?;
        (ascii || std::str::from_utf8(string).is_ok()).then_some(string)
    }

    /// A value, of at most so many levels of lists and objects.
    fn value(&mut self, levels: usize, passed: &mut usize) -> Option<()> {
        *passed += 1;
        if *passed > MOST_PASSED {
            return None;
        }
        match self.0.first()? {
            b'{' => self.object(levels.checked_sub(1)?, passed),
            b'[' => self.list(levels.checked_sub(1)?, passed),
            _ => self.scalar(),
        }
    }

    fn object(&mut self, levels: usize, passed: &mut usize) -> Option<()> {
        self.expect(b"{")?;
        self.spaces();
        if self.take(b"}") {
            return Some(());
        }
        let mut names = Names::default();
        loop {
            self.spaces();
            names.add(self.plain_string()?)?;
            self.spaces();
            self.colon()?;
            self.value(levels, passed)?;
            self.spaces();
            match self.next()? {
                b',' => {}
                b'}' => return Some(()),
                _ => return None,
            }
        }
    }

    fn list(&mut self, levels: usize, passed: &mut usize) -> Option<()> {
        self.expect(b"[")?;
        self.spaces();
        if self.take(b"]") {
            return Some(());
        }
        loop {
            self.spaces();
            self.value(levels, passed)?;
            self.spaces();
            match self.next()? {
                b',' => {}
                b']' => return Some(()),
                _ => return None,
            }
        }
    }

    /// A value that is no list and no object.
    fn scalar(&mut self) -> Option<()> {
        match self.0.first()? {
            b'"' => self.plain_string().map(|_| ()),
            b't' => self.expect(b"true"),
            b'f' => self.expect(b"false"),
            b'n' => self.expect(b"null"),
            _ => self.number(),
        }
    }

    /// A number as JSON writes it (RFC 8259 section 6), of at most so many bytes as an index.
    fn number(&mut self) -> Option<()> {
        let before = self.0.len();
        self.take(b"-");
        if !self.take(b"0") {
            self.some_digits()?;
        }
        if self.take(b".") {
            self.some_digits()?;
        }
        if self.take(b"e") || self.take(b"E") {
            let _ = self.take(b"+") || self.take(b"-");
            self.some_digits()?;
        }
        (before - self.0.len() <= MOST_DIGITS).then_some(())
    }

    fn some_digits(&mut self) -> Option<()> {
        let count = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.0 = self.0.get(count..)?;
        (count > 0).then_some(())
    }

    fn hash(&mut self) -> Option<Hash> {
        let mut hash = [0; 32];
        decode_hex(self.digits(32)?, &mut hash).then_some(Hash(hash))
    }

    /// A string of two characters for each of `bytes` bytes; whether they are digits is seen when they are decoded.
    fn digits(&mut self, bytes: usize) -> Option<&'b [u8]> {
        self.expect(b"\"")?;
        let (digits, rest) = self.0.split_at_checked(bytes.checked_mul(2)?)?;
        self.0 = rest;
        self.expect(b"\"")?;
        Some(digits)
    }

    /// A string of UTF-8 with no escapes but those of quote, backslash and slash, decoded into `out`; gives its length.
    fn string(&mut self, out: &mut [u8]) -> Option<usize> {
        self.expect(b"\"")?;
        let text = self.0;
        let (mut from, mut to) = (0, 0);
        let mut ascii = true;
        loop {
            // Eight bytes are copied at once, as far as they are plain; what was copied beyond that is written over.
            if let Some(chunk) = text.get(from..)?.first_chunk::<8>()
                && let Some(room) = out.get_mut(to..)?.first_chunk_mut::<8>()
            {
                *room = *chunk;
                let plain = plain_start(chunk);
                (from, to) = (from + plain, to + plain);
                if plain == chunk.len() {
                    continue;
                }
            }
            let byte = *text.get(from)?;
            from += 1;
            let decoded = match CLASS.get(usize::from(byte)).copied()? {
                Class::Plain => byte,
                Class::Escape => {
                    let escaped = text.get(from).copied().filter(|byte| b"\"\\/".contains(byte))?;
                    from += 1;
                    escaped
                }
                Class::Quote => break,
                Class::Beyond => {
                    ascii = false;
                    byte
                }
                Class::Control => return None,
            };
            *out.get_mut(to)? = decoded;
            to += 1;
        }
        let (string, rest) = text.split_at_checked(from)?;
        self.0 = rest;
        (ascii || std::str::from_utf8(string).is_ok()).then_some(to)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Plain,
    /// Of a character beyond ASCII.
    Beyond,
    Control,
    Escape,
    Quote,
}

#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a table of 256 bytes, made at compile time"
)]
const CLASS: [Class; 256] = {
    let mut table = [Class::Plain; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match byte as u8 {
            b'"' => Class::Quote,
            b'\\' => Class::Escape,
            0..0x20 => Class::Control,
            0x80.. => Class::Beyond,
            _ => Class::Plain,
        };
        byte += 1;
    }
    table
};
