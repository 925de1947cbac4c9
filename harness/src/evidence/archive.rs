//! Archives: tar, read as a stream. Nothing is written to disk, no link is followed, and no length that an archive states is
//! believed before as many bytes have come.

use std::io::{Error, ErrorKind, Read};

use tar::EntryType;

use super::read::{NO_EVIDENCE, Reader, Stop, is_evidence, is_packed, nothing_in_it};
use super::{Item, Skipped};

/// Longest name that is taken from a member of its own (GNU `L`, POSIX `path`), in bytes.
const LONGEST_NAME: u64 = 1 << 14;

/// Zeros that may follow the end mark: archives are filled up to whole records, of at most so many bytes.
const FILLED_UP: u64 = 64 << 20;

/// Why a packed member is unreadable: a bomb is one archive in another, again and again.
const NESTED: &str = "expected a member that is not packed, found an archive or a compressed file by its name: unpack it first";

/// Why a sparse member is.
const SPARSE: &str = "expected a member that is written whole, found a sparse file";

/// What a member of a tar archive is, as far as it matters here.
enum Member {
    File,
    /// The next member's name.
    Name,
    /// Attributes of the next member (POSIX `x`), among which its name may be.
    Attributes,
    /// A file that is written without its gaps.
    Sparse,
    /// Nothing to verify, and nothing to say about.
    Silent,
    Left(&'static str),
}

impl Member {
    fn of(kind: EntryType) -> Self {
        match kind {
            EntryType::Regular | EntryType::Continuous => Self::File,
            EntryType::GNULongName => Self::Name,
            EntryType::XHeader => Self::Attributes,
            EntryType::Directory | EntryType::XGlobalHeader | EntryType::GNULongLink => Self::Silent,
            EntryType::Link | EntryType::Symlink => Self::Left("being a link"),
            EntryType::Char | EntryType::Block | EntryType::Fifo => Self::Left("being a device"),
            EntryType::GNUSparse => Self::Sparse,
            _ => Self::Left("being no file"),
        }
    }
}

impl Reader<'_> {
    /// Reads the members of an archive one after the other, each as a file of that name.
    pub(super) fn tar(&mut self, archive: &str, input: impl Read) -> Result<(), Stop> {
        self.enter_archive();
        let mut input = Ending { input, zeros: 0, read: 0 };
        let mut tar = tar::Archive::new(&mut input);
        let (mut long_name, mut last): (Option<String>, Option<String>) = (None, None);
        // Raw: else the crate reads members that hold names to their end, however long they say that they are.
        for entry in tar.entries()?.raw(true) {
            let named = |error| after(last.as_deref(), error);
            let mut entry = entry.map_err(named)?;
            let size = entry.header().entry_size().map_err(named)?;
            let member = Member::of(entry.header().entry_type());
            if matches!(member, Member::Name | Member::Attributes) {
                let text = text_of(&mut entry, size)?;
                let name = if matches!(member, Member::Name) { Some(text) } else { path_attribute(&text)? };
                long_name = name.or(long_name);
                continue;
            }
            let own_name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            let name = long_name.take().unwrap_or(own_name);
            let path = format!("{archive}/{}", name.trim_end_matches('\0'));
            last = Some(format!("`{path}`"));
            match member {
                Member::File if is_evidence(&path) => {
                    let mut content = Exactly::of(&mut entry, size);
                    self.member(&path, &mut content)?;
                    // That member was named; there is nothing behind it.
                    if content.cut {
                        return Ok(());
                    }
                }
                Member::File => self.unread(path, NESTED)?,
                Member::Sparse => self.unread(path, SPARSE)?,
                Member::Left(why) => self.left_out(path, why)?,
                Member::Name | Member::Attributes | Member::Silent => {}
            }
        }
        input.ends()?;
        if last.is_some() { Ok(()) } else { Err(nothing_in_it().into()) }
    }

    /// A member that is not read: one that may be evidence is missed, whatever else the archive holds.
    fn unread(&mut self, path: String, why: &'static str) -> Result<(), Stop> {
        if is_evidence(&path) || is_packed(&path) {
            return self.unreadable(path, Error::new(ErrorKind::Unsupported, why));
        }
        self.left_out(path, NO_EVIDENCE)
    }

    fn left_out(&mut self, path: String, why: &'static str) -> Result<(), Stop> {
        self.hand(Item::Skipped(Skipped { path, why }))
    }
}

/// Says after which member an archive cannot be read.
fn after(last: Option<&str>, error: Error) -> Error {
    let last = last.unwrap_or("its beginning");
    Error::new(error.kind(), format!("the member after {last}: {error}"))
}

fn text_of(entry: &mut impl Read, size: u64) -> Result<String, Error> {
    if size > LONGEST_NAME {
        let text = format!("a name or attributes of {size} bytes, expected at most {LONGEST_NAME}");
        return Err(Error::new(ErrorKind::InvalidData, text));
    }
    let mut bytes = Vec::new();
    Exactly::of(entry, size).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The name among the attributes of a member (POSIX pax: records `LENGTH NAME=VALUE\n`). A length is not supported: archives
/// of files beyond 8 GiB are written without these by GNU tar.
fn path_attribute(text: &str) -> Result<Option<String>, Error> {
    let mut path = None;
    let mut rest = text;
    while let Some((length, _)) = rest.split_once(' ') {
        let Some(record) = length.parse().ok().and_then(|length: usize| rest.get(..length)) else { break };
        rest = rest.get(record.len()..).unwrap_or_default();
        let pair =
            record.get(length.len() + 1..).and_then(|pair| pair.trim_end_matches('\n').split_once('='));
        match pair {
            Some(("path", value)) => path = Some(value.to_owned()),
            Some(("size", _)) => {
                let text = "a member whose length stands in its attributes (over 8 GiB) is not supported";
                return Err(Error::new(ErrorKind::Unsupported, text));
            }
            Some(_) => {}
            None => break,
        }
    }
    Ok(path)
}

/// A member as long as its header says: an archive that ends within it is an error, not the end of the member.
struct Exactly<'e, R> {
    input: &'e mut R,
    left: u64,
    size: u64,
    /// Whether the archive turned out to end within the member.
    cut: bool,
}

impl<'e, R> Exactly<'e, R> {
    fn of(input: &'e mut R, size: u64) -> Self {
        Self { input, left: size, size, cut: false }
    }
}

impl<R: Read> Read for Exactly<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.left = self.left.saturating_sub(read as u64);
        if read == 0 && self.left > 0 && !buffer.is_empty() {
            self.cut = true;
            let (found, size) = (self.size - self.left, self.size);
            let text = format!("the archive ends within this member: expected {size} bytes, found {found}");
            return Err(Error::new(ErrorKind::UnexpectedEof, text));
        }
        Ok(read)
    }
}

/// Remembers how many of the last bytes were zero: an archive ends with two blocks of them.
struct Ending<R> {
    input: R,
    zeros: u64,
    read: u64,
}

impl<R: Read> Ending<R> {
    /// Reads what follows the end mark. Another archive there would be read by nobody, and missed by nobody.
    fn ends(&mut self) -> std::io::Result<()> {
        // Cut between two members, an archive ends like a whole one but for its mark.
        if self.zeros < 512 {
            let text = "the archive ends without its end mark: members may be missing";
            return Err(Error::new(ErrorKind::UnexpectedEof, text));
        }
        let (mark, zeros) = (self.read, self.zeros);
        let filled = std::io::copy(&mut self.by_ref().take(FILLED_UP), &mut std::io::sink())?;
        if filled < FILLED_UP && self.zeros == zeros + filled {
            return Ok(());
        }
        let text = format!(
            "expected the end of the archive after its end mark at byte {}, or zeros, found more: what is there is not read",
            mark.saturating_sub(512)
        );
        Err(Error::new(ErrorKind::InvalidData, text))
    }
}

impl<R: Read> Read for Ending<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.input.read(buffer)?;
        let fresh = buffer.get(..read).unwrap_or_default();
        let trailing = fresh.iter().rev().take_while(|byte| **byte == 0).count();
        self.read += read as u64;
        self.zeros = if trailing == read { self.zeros + trailing as u64 } else { trailing as u64 };
        Ok(read)
    }
}
