//! A strict, bounded JSON reader (RFC 8259 and the I-JSON rules of RFC 7493 section 2.3) that keeps what it read.
//!
//! Everything that two parsers could read differently is an error: duplicate member names (also when equal only after
//! their escapes are decoded), invalid UTF-8, lone surrogates, a byte order mark, trailing bytes. Numbers are not
//! converted; their exact text is kept, so that canonical forms that disagree about numbers can all be rebuilt.
//!
//! The document is one flat list of nodes in reading order, 16 bytes each, that points back into the text:
//!
//! ```text
//! {"a":[1,"x"]}   ->   object "a" array 1 "x"        (each node knows where its subtree ends)
//! ```

use std::borrow::Cow;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;

use crate::code::Code;
use crate::limits::Limits;

/// What a [`Value`] is: the kinds of RFC 8259 section 3, and no others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `null`
    Null,
    /// `true` or `false`
    Bool,
    /// A number; its text is kept as written.
    Number,
    /// A string.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "null",
            Self::Bool => "a boolean",
            Self::Number => "a number",
            Self::String => "a string",
            Self::Array => "an array",
            Self::Object => "an object",
        })
    }
}

/// Why a text was refused, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {found} at byte {offset} (in {})", code.meaning(), display_pointer(pointer))]
#[non_exhaustive]
pub struct ReadError {
    /// The stable reason code, one of `json.*` or `limits.*`.
    pub code: Code,
    /// Byte offset into the input at which the defect is certain.
    pub offset: usize,
    /// JSON Pointer (RFC 6901) of the innermost value concerned; empty for the root.
    pub pointer: String,
    /// What stood there, in words.
    pub found: String,
}

fn display_pointer(pointer: &str) -> &str {
    if pointer.is_empty() { "the root" } else { pointer }
}

#[derive(Clone, Copy, Debug)]
struct Node {
    start: u32,
    end: u32,
    /// Index of the first node after this one's subtree.
    next: u32,
    kind: Kind,
    marks: Marks,
}

/// What the reader noticed about a node in passing, so that nobody has to look again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Marks(u8);

impl Marks {
    /// A string with at least one escape, or a number with a fraction or an exponent.
    const SPECIAL: Self = Self(1);
    /// Every scheme writes the same bytes for it.
    const ALIKE: Self = Self(2);
    /// Its text as it stands is those bytes.
    const CANONICAL: Self = Self(4);
    /// Somewhere inside, a member is `null`.
    const NULLS: Self = Self(8);
    /// The member names are [plain](plain_name_length) and ascend.
    const ASCENDING: Self = Self(16);

    fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    fn with_if(self, condition: bool, other: Self) -> Self {
        if condition { self.with(other) } else { self }
    }
}

impl Node {
    fn is_special(self) -> bool {
        self.marks.has(Marks::SPECIAL)
    }
}

/// A text that was read, with the structure found in it. Memory: 16 bytes a value beside the text.
#[derive(Debug)]
pub struct Document<'t> {
    text: &'t str,
    nodes: Vec<Node>,
}

impl<'t> Document<'t> {
    /// Reads exactly one JSON text.
    ///
    /// In: `input`, at most `limits.bytes` bytes, UTF-8 without a byte order mark.
    ///
    /// # Errors
    /// [`ReadError`] with the code, the byte offset and the JSON Pointer of the first defect.
    pub fn read(input: &'t [u8], limits: &Limits) -> Result<Self, ReadError> {
        // Offsets are kept in 32 bits; the limit can never ask for more.
        let most = limits.bytes.min(u32::MAX as usize - 1);
        if input.len() > most {
            return Err(ReadError {
                code: Code::LimitsBytes,
                offset: most,
                pointer: String::new(),
                found: format!("{} bytes, at most {most} are read", input.len()),
            });
        }
        if input.starts_with(b"\xEF\xBB\xBF") {
            return Err(ReadError {
                code: Code::JsonBom,
                offset: 0,
                pointer: String::new(),
                found: "a byte order mark".to_owned(),
            });
        }
        let text = match std::str::from_utf8(input) {
            Ok(text) => text,
            Err(error) => return Err(Self::invalid_utf8(input, error.valid_up_to(), limits)),
        };
        let nodes = Reader::new(text, limits).run().map_err(|error| *error)?;
        Ok(Self { text, nodes })
    }

    /// Reads the valid part before the bad byte, to say in which value the bad byte stands.
    fn invalid_utf8(input: &[u8], offset: usize, limits: &Limits) -> ReadError {
        let prefix = input.get(..offset).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or("");
        let byte = input.get(offset).copied().unwrap_or_default();
        let mut error = ReadError {
            code: Code::JsonUtf8,
            offset,
            pointer: String::new(),
            found: format!("byte 0x{byte:02x}"),
        };
        if let Err(earlier) = Reader::new(prefix, limits).run() {
            match earlier.code {
                Code::JsonEnd | Code::JsonEmpty => error.pointer = earlier.pointer,
                _ => error = *earlier,
            }
        }
        error
    }

    /// The whole value.
    #[must_use]
    #[inline]
    pub fn root(&self) -> Value<'_> {
        Value { document: self, index: 0 }
    }

    /// The text that was read.
    #[must_use]
    pub fn text(&self) -> &'t str {
        self.text
    }

    /// The same document as if the reader had noticed nothing: to compare the ways of writing with.
    #[cfg(test)]
    pub(crate) fn without_marks(mut self) -> Self {
        for node in &mut self.nodes {
            node.marks = Marks::default().with_if(node.is_special(), Marks::SPECIAL);
        }
        self
    }

    fn node(&self, index: u32) -> Node {
        // Indexes only ever come from the reader, which pushed the node; the fallback is never seen.
        let unseen = Node { start: 0, end: 0, next: u32::MAX, kind: Kind::Null, marks: Marks::default() };
        self.nodes.get(index as usize).copied().unwrap_or(unseen)
    }

    /// Whether a member name is this one, however it is spelled.
    #[inline]
    fn is_name(&self, key: Node, name: &str) -> bool {
        let (start, end) = (key.start as usize + 1, (key.end as usize).saturating_sub(1));
        if key.is_special() {
            return self.text.get(start..end).is_some_and(|inner| decodes_to(inner, name));
        }
        start + name.len() == end && self.text.as_bytes().get(start..end) == Some(name.as_bytes())
    }
}

/// One value inside a [`Document`]; cheap to copy.
#[derive(Clone, Copy, Debug)]
pub struct Value<'d> {
    document: &'d Document<'d>,
    index: u32,
}

impl<'d> Value<'d> {
    fn node(self) -> Node {
        self.document.node(self.index)
    }

    /// What it is.
    #[must_use]
    pub fn kind(self) -> Kind {
        self.node().kind
    }

    /// Its text exactly as written, quotes and escapes included.
    #[must_use]
    pub fn raw(self) -> &'d str {
        let node = self.node();
        self.document.text.get(node.start as usize..node.end as usize).unwrap_or("")
    }

    /// Byte offset of its first byte in the text.
    #[must_use]
    pub fn offset(self) -> usize {
        self.node().start as usize
    }

    /// Whether it is `null`.
    #[must_use]
    pub fn is_null(self) -> bool {
        self.kind() == Kind::Null
    }

    /// The boolean, if it is one.
    #[must_use]
    pub fn as_bool(self) -> Option<bool> {
        (self.kind() == Kind::Bool).then(|| self.raw() == "true")
    }

    /// The string with its escapes decoded, if it is one.
    #[must_use]
    pub fn as_str(self) -> Option<Cow<'d, str>> {
        let node = self.node();
        if node.kind != Kind::String {
            return None;
        }
        let inner = self.document.text.get(node.start as usize + 1..(node.end as usize).saturating_sub(1))?;
        Some(if node.is_special() { Cow::Owned(unescape(inner)) } else { Cow::Borrowed(inner) })
    }

    /// Which of the document's values and names it is.
    pub(crate) fn index(self) -> u32 {
        self.index
    }

    /// The value or name of this index in the same document.
    pub(crate) fn beside(self, index: u32) -> Self {
        Self { index, ..self }
    }

    /// Whether both are the same place of the same document.
    pub(crate) fn is_at(self, other: Self) -> bool {
        std::ptr::eq(self.document, other.document) && self.index == other.index
    }

    /// Whether it is a string that is written without any escape.
    #[must_use]
    pub fn is_plain_string(self) -> bool {
        let node = self.node();
        node.kind == Kind::String && !node.is_special()
    }

    /// Whether every scheme writes the same bytes for it.
    pub(crate) fn is_alike_in_all_schemes(self) -> bool {
        self.node().marks.has(Marks::ALIKE)
    }

    /// Whether its text as it stands is what every scheme writes; `null` members are kept.
    pub(crate) fn is_canonical_text(self) -> bool {
        self.node().marks.has(Marks::CANONICAL)
    }

    /// Whether an object in it, or itself, has a member that is `null`.
    pub(crate) fn has_null_members(self) -> bool {
        self.node().marks.has(Marks::NULLS)
    }

    /// Whether it is an object whose members stand in the order of every scheme.
    pub(crate) fn is_ascending(self) -> bool {
        self.node().marks.has(Marks::ASCENDING)
    }

    /// Name, colon and value as they stand, if every scheme writes them so; `null` members are kept.
    pub(crate) fn canonical_member(self, value: Self) -> Option<&'d str> {
        let (name, value) = (self.node(), value.node());
        let canonical = name.marks.has(Marks::CANONICAL) && value.marks.has(Marks::CANONICAL);
        // With one byte between them that byte is the colon.
        let compact = name.end + 1 == value.start;
        if canonical && compact {
            self.document.text.get(name.start as usize..value.end as usize)
        } else {
            None
        }
    }

    /// The value that stands after this member name.
    pub(crate) fn named_value(self) -> Self {
        Self { index: self.index + 1, ..self }
    }

    /// The number's text as written, if it is a number.
    #[must_use]
    pub fn number_text(self) -> Option<&'d str> {
        (self.kind() == Kind::Number).then(|| self.raw())
    }

    /// Whether it is a number without fraction and exponent.
    #[must_use]
    pub fn is_integer(self) -> bool {
        let node = self.node();
        node.kind == Kind::Number && !node.is_special()
    }

    /// The number, if it is written as an integer from 0 to 2^64 - 1.
    #[must_use]
    pub fn as_u64(self) -> Option<u64> {
        if self.is_integer() { self.raw().parse().ok() } else { None }
    }

    /// The number, if it is written as an integer that fits 64 bits with a sign.
    #[must_use]
    pub fn as_i64(self) -> Option<i64> {
        if self.is_integer() { self.raw().parse().ok() } else { None }
    }

    /// The members in the order written: name, value. Empty unless it is an object.
    pub fn members(self) -> impl Iterator<Item = (Self, Self)> + use<'d> {
        let end = if self.kind() == Kind::Object { self.node().next } else { self.index + 1 };
        let mut at = self.index + 1;
        std::iter::from_fn(move || {
            if at >= end {
                return None;
            }
            let key = Value { document: self.document, index: at };
            let value = Value { document: self.document, index: at + 1 };
            at = value.node().next;
            Some((key, value))
        })
    }

    /// The items in the order written. Empty unless it is an array.
    pub fn items(self) -> impl Iterator<Item = Self> + use<'d> {
        let end = if self.kind() == Kind::Array { self.node().next } else { self.index + 1 };
        let mut at = self.index + 1;
        std::iter::from_fn(move || {
            if at >= end {
                return None;
            }
            let value = Value { document: self.document, index: at };
            at = value.node().next;
            Some(value)
        })
    }

    /// The member called `name`, if this is an object that has it.
    #[must_use]
    pub fn get(self, name: &str) -> Option<Self> {
        let node = self.node();
        if node.kind != Kind::Object {
            return None;
        }
        let mut at = self.index + 1;
        while at < node.next {
            if self.document.is_name(self.document.node(at), name) {
                return Some(Self { index: at + 1, ..self });
            }
            at = self.document.node(at + 1).next;
        }
        None
    }

    /// The members of these names, each as [`get`](Self::get) finds it, in one pass; quickest where both are in one order.
    pub(crate) fn pick<const N: usize>(self, names: &[&str; N]) -> [Option<Self>; N] {
        let mut found = [None; N];
        let mut likely = 0;
        for (key, value) in self.members() {
            let node = key.node();
            let mut positions = (likely..N).chain(0..likely);
            // A name with escapes is decoded once and not for each comparison.
            let decoded = if node.is_special() { key.as_str() } else { None };
            let is_it = |position: &usize| {
                names.get(*position).is_some_and(|name| match &decoded {
                    Some(decoded) => decoded == name,
                    None => self.document.is_name(node, name),
                })
            };
            if let Some(position) = positions.find(is_it)
                && let Some(slot) = found.get_mut(position)
            {
                *slot = Some(value);
                likely = position + 1;
            }
        }
        found
    }

    /// Whether this is a member name, and this one.
    pub(crate) fn is_named(self, name: &str) -> bool {
        self.document.is_name(self.node(), name)
    }

    /// The value at a JSON Pointer (RFC 6901) below this one; `""` is the value itself.
    #[must_use]
    pub fn at(self, pointer: &str) -> Option<Self> {
        if pointer.is_empty() {
            return Some(self);
        }
        let mut value = self;
        for token in pointer.strip_prefix('/')?.split('/') {
            let token = token.replace("~1", "/").replace("~0", "~");
            value = match value.kind() {
                Kind::Object => value.get(&token)?,
                Kind::Array => value.items().nth(array_index(&token)?)?,
                _ => return None,
            };
        }
        Some(value)
    }
}

/// RFC 6901 section 4: digits without a leading zero.
fn array_index(token: &str) -> Option<usize> {
    let plain = token.bytes().all(|byte| byte.is_ascii_digit()) && (token == "0" || !token.starts_with('0'));
    if plain { token.parse().ok() } else { None }
}

/// Appends one reference token to a JSON Pointer, escaping `~` and `/` (RFC 6901 section 3).
pub fn push_token(pointer: &mut String, token: &str) {
    pointer.push('/');
    for character in token.chars() {
        match character {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            other => pointer.push(other),
        }
    }
}

/// Whether a string that the reader has checked is `text` once its escapes are decoded. Looks no further than the first
/// difference: such names may be a million.
fn decodes_to(inner: &str, text: &str) -> bool {
    let (mut inner, mut rest) = (inner, text.chars());
    while let Some(character) = inner.chars().next() {
        let (character, used) = match character {
            '\\' => decode_escape(inner).unwrap_or(('\u{FFFD}', inner.len())),
            plain => (plain, plain.len_utf8()),
        };
        if rest.next() != Some(character) {
            return false;
        }
        inner = inner.get(used..).unwrap_or("");
    }
    rest.next().is_none()
}

/// Decodes the escapes of a string that the reader has checked.
fn unescape(inner: &str) -> String {
    let mut out = String::with_capacity(inner.len());
    unescape_into(&mut out, inner);
    out
}

/// The same, behind what stands in `out`.
fn unescape_into(out: &mut String, inner: &str) {
    let mut rest = inner;
    // Escapes often stand one behind the other.
    while let Some(at) = if rest.starts_with('\\') { Some(0) } else { rest.find('\\') } {
        let (plain, escape) = rest.split_at(at);
        out.push_str(plain);
        let (character, used) = decode_escape(escape).unwrap_or(('\u{FFFD}', escape.len()));
        out.push(character);
        rest = escape.get(used..).unwrap_or("");
    }
    out.push_str(rest);
}

/// Decodes the escape at the start of `text`: the character and how many bytes it took.
fn decode_escape(text: &str) -> Result<(char, usize), Code> {
    let simple = |character| Ok((character, 2));
    match text.as_bytes().get(1) {
        Some(b'"') => simple('"'),
        Some(b'\\') => simple('\\'),
        Some(b'/') => simple('/'),
        Some(b'b') => simple('\u{8}'),
        Some(b'f') => simple('\u{c}'),
        Some(b'n') => simple('\n'),
        Some(b'r') => simple('\r'),
        Some(b't') => simple('\t'),
        Some(b'u') => decode_unicode_escape(text),
        _ => Err(Code::JsonEscape),
    }
}

fn decode_unicode_escape(text: &str) -> Result<(char, usize), Code> {
    let first = hex4(text, 2).ok_or(Code::JsonEscape)?;
    match first {
        0xD800..=0xDBFF => {
            let paired = text.get(6..8) == Some("\\u");
            let second = if paired { hex4(text, 8) } else { None };
            match second {
                Some(low @ 0xDC00..=0xDFFF) => {
                    let scalar = 0x1_0000 + ((first - 0xD800) << 10) + (low - 0xDC00);
                    char::from_u32(scalar).map(|character| (character, 12)).ok_or(Code::JsonLoneSurrogate)
                }
                _ => Err(Code::JsonLoneSurrogate),
            }
        }
        other => char::from_u32(other).map(|character| (character, 6)).ok_or(Code::JsonLoneSurrogate),
    }
}

fn hex4(text: &str, at: usize) -> Option<u32> {
    let digits = text.as_bytes().get(at..at + 4)?;
    digits.iter().try_fold(0, |number, digit| Some(number << 4 | char::from(*digit).to_digit(16)?))
}

/// An array or object that is still open.
struct Open {
    node: usize,
    object: bool,
    /// How many items or members were begun.
    count: usize,
    /// Whether the reader is inside of the last of them: then that one is concerned by a defect, else the container.
    inside: bool,
    /// Node of the member name that was read last.
    key: usize,
    /// Its first bytes.
    prefix: u64,
    /// Whether all names so far are plain and ascend; then none repeats another.
    ascending: bool,
    /// What was counted before it began.
    before: Tally,
}

/// How often something was met that a canonical text would not have. What did not grow while a container was read is not
/// in it.
#[derive(Clone, Copy, Default)]
struct Tally {
    /// Names, strings and numbers that schemes may write in different ways, or order differently.
    unlike: usize,
    /// White space, members out of order, and what is spelled in a way that no scheme writes.
    stray: usize,
    /// Members that are `null`.
    nulls: usize,
}

/// A defect is rare and its description is large.
type Read<T> = Result<T, Box<ReadError>>;

struct Reader<'t, 'l> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    limits: &'l Limits,
    nodes: Vec<Node>,
    open: Vec<Open>,
    /// Scratch for names whose escapes are decoded.
    decoded: String,
    /// Scratch for the fingerprints of the names of one object.
    fingerprints: Vec<u64>,
    tally: Tally,
}

/// What the reader expects next.
enum Next {
    Value,
    FirstKeyOrEnd,
    FirstItemOrEnd,
    CommaOrEnd,
    Done,
}

impl<'t, 'l> Reader<'t, 'l> {
    fn new(text: &'t str, limits: &'l Limits) -> Self {
        let guess = (text.len() / 12).min(limits.values);
        Self {
            text,
            bytes: text.as_bytes(),
            at: 0,
            limits,
            nodes: Vec::with_capacity(guess),
            open: Vec::new(),
            decoded: String::new(),
            fingerprints: Vec::new(),
            tally: Tally::default(),
        }
    }

    fn run(mut self) -> Read<Vec<Node>> {
        self.skip_space();
        if self.at == self.bytes.len() {
            return Err(self.error_at(Code::JsonEmpty, 0, "no value at all".to_owned()));
        }
        let mut next = Next::Value;
        loop {
            self.skip_space();
            next = match next {
                Next::Value => self.value()?,
                Next::FirstKeyOrEnd if self.peek() == Some(b'}') => self.close()?,
                Next::FirstKeyOrEnd => self.key()?,
                Next::FirstItemOrEnd if self.peek() == Some(b']') => self.close()?,
                Next::FirstItemOrEnd => {
                    self.begin_item();
                    Next::Value
                }
                Next::CommaOrEnd => self.comma_or_end()?,
                Next::Done => break,
            };
        }
        self.skip_space();
        if self.at < self.bytes.len() {
            return Err(self.error(Code::JsonTrailing, self.describe()));
        }
        Ok(self.nodes)
    }

    #[inline]
    fn skip_space(&mut self) {
        if let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.tally.stray += 1;
            self.skip_more_space();
        }
    }

    fn skip_more_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn value(&mut self) -> Read<Next> {
        match self.peek() {
            Some(b'{') => self.enter(true),
            Some(b'[') => self.enter(false),
            Some(b'"') => {
                self.string_value()?;
                Ok(self.after_value())
            }
            Some(b'-' | b'0'..=b'9') => {
                self.number()?;
                Ok(self.after_value())
            }
            Some(b't') => self.word("true", Kind::Bool),
            Some(b'f') => self.word("false", Kind::Bool),
            Some(b'n') => self.word("null", Kind::Null),
            Some(_) => Err(self.error(Code::JsonSyntax, self.describe())),
            None => Err(self.error(Code::JsonEnd, "the end where a value was expected".to_owned())),
        }
    }

    fn after_value(&mut self) -> Next {
        match self.open.last_mut() {
            None => Next::Done,
            Some(open) => {
                open.inside = false;
                Next::CommaOrEnd
            }
        }
    }

    fn word(&mut self, word: &str, kind: Kind) -> Read<Next> {
        let start = self.at;
        for expected in word.bytes() {
            match self.peek() {
                Some(byte) if byte == expected => self.at += 1,
                Some(_) => return Err(self.error(Code::JsonSyntax, self.describe())),
                None => return Err(self.error(Code::JsonEnd, format!("the end inside `{word}`"))),
            }
        }
        if kind == Kind::Null && self.open.last().is_some_and(|open| open.object) {
            self.tally.nulls += 1;
        }
        self.push(kind, start, Marks::ALIKE.with(Marks::CANONICAL))?;
        Ok(self.after_value())
    }

    fn enter(&mut self, object: bool) -> Read<Next> {
        if self.open.len() >= self.limits.depth.min(Limits::MAX_DEPTH) {
            let found = format!("more than {} levels", self.limits.depth.min(Limits::MAX_DEPTH));
            return Err(self.error(Code::LimitsDepth, found));
        }
        let start = self.at;
        self.at += 1;
        let node = self.nodes.len();
        self.push(if object { Kind::Object } else { Kind::Array }, start, Marks::default())?;
        let before = self.tally;
        self.open.push(Open {
            node,
            object,
            count: 0,
            inside: false,
            key: 0,
            prefix: 0,
            ascending: true,
            before,
        });
        Ok(if object { Next::FirstKeyOrEnd } else { Next::FirstItemOrEnd })
    }

    fn begin_item(&mut self) {
        if let Some(open) = self.open.last_mut() {
            open.count += 1;
            open.inside = true;
        }
    }

    fn key(&mut self) -> Read<Next> {
        match self.peek() {
            Some(b'"') => {}
            Some(_) => return Err(self.error(Code::JsonSyntax, self.describe())),
            None => {
                return Err(self.error(Code::JsonEnd, "the end where a member name was expected".to_owned()));
            }
        }
        self.name_of_member()?;
        self.skip_space();
        match self.peek() {
            Some(b':') => {
                self.at += 1;
                if let Some(open) = self.open.last_mut() {
                    open.inside = true;
                }
                Ok(Next::Value)
            }
            Some(_) => Err(self.error(Code::JsonSyntax, self.describe())),
            None => Err(self.error(Code::JsonEnd, "the end where `:` was expected".to_owned())),
        }
    }

    fn comma_or_end(&mut self) -> Read<Next> {
        let object = self.open.last().is_some_and(|open| open.object);
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                self.skip_space();
                if object {
                    self.key()
                } else {
                    self.begin_item();
                    Ok(Next::Value)
                }
            }
            Some(b'}') if object => self.close(),
            Some(b']') if !object => self.close(),
            Some(_) => Err(self.error(Code::JsonSyntax, self.describe())),
            None => Err(self.error(Code::JsonEnd, "the end inside an array or object".to_owned())),
        }
    }

    fn close(&mut self) -> Read<Next> {
        self.at += 1;
        if let Some(open) = self.open.pop() {
            let next = to_u32(self.nodes.len());
            let end = to_u32(self.at);
            let marks = self.marks_of(&open);
            if let Some(node) = self.nodes.get_mut(open.node) {
                node.next = next;
                node.end = end;
                node.marks = marks;
            }
            if open.object && !open.ascending && self.may_repeat_a_name(&open) {
                self.refuse_duplicates(&open)?;
            }
        }
        Ok(self.after_value())
    }

    /// What is known of a container from what was counted since it began.
    fn marks_of(&self, open: &Open) -> Marks {
        let alike = self.tally.unlike == open.before.unlike;
        let canonical = alike && self.tally.stray == open.before.stray;
        Marks::default()
            .with_if(alike, Marks::ALIKE)
            .with_if(canonical, Marks::CANONICAL)
            .with_if(self.tally.nulls != open.before.nulls, Marks::NULLS)
            .with_if(open.object && open.ascending, Marks::ASCENDING)
    }

    fn push(&mut self, kind: Kind, start: usize, marks: Marks) -> Read<()> {
        if self.nodes.len() >= self.limits.values {
            let found = format!("more than {} values and member names", self.limits.values);
            return Err(self.error_at(Code::LimitsValues, start, found));
        }
        let next = to_u32(self.nodes.len() + 1);
        self.nodes.push(Node { start: to_u32(start), end: to_u32(self.at), next, kind, marks });
        Ok(())
    }

    /// A member name and what it says of the order of its object.
    fn name_of_member(&mut self) -> Read<()> {
        let (start, node) = (self.at + 1, self.nodes.len());
        let rest = self.bytes.get(start..).unwrap_or_default();
        let length = plain_name_length(rest);
        let plain = rest.get(length) == Some(&b'"');
        if plain {
            self.at = start + length + 1;
            self.push(Kind::String, start - 1, Marks::ALIKE.with(Marks::CANONICAL))?;
        } else {
            let special = self.string()?.has(Marks::SPECIAL);
            let alike = special && self.is_plain_decoded(start..self.at - 1);
            if !alike {
                self.tally.unlike += 1;
            }
            let marks = Marks::default().with_if(special, Marks::SPECIAL).with_if(alike, Marks::ALIKE);
            self.push(Kind::String, start - 1, marks)?;
        }
        let prefix = prefix(rest, length);
        let ascends = plain && self.open.last().is_some_and(|open| self.ascends(open, prefix, start, length));
        if !ascends {
            self.tally.stray += 1;
        }
        if let Some(open) = self.open.last_mut() {
            open.count += 1;
            open.key = node;
            open.prefix = prefix;
            open.ascending &= ascends;
        }
        Ok(())
    }

    /// Whether a name is plain once its escapes are decoded: then all schemes write and order it alike.
    fn is_plain_decoded(&mut self, name: Range<usize>) -> bool {
        self.decoded.clear();
        unescape_into(&mut self.decoded, self.text.get(name).unwrap_or_default());
        is_plain_name(&self.decoded)
    }

    /// Whether the name comes after the one before it; both are plain, or the answer does not matter any more.
    fn ascends(&self, open: &Open, prefix: u64, start: usize, length: usize) -> bool {
        let before = || self.raw(open.key).as_bytes();
        let name = || self.bytes.get(start..start + length).unwrap_or_default();
        open.count == 0 || open.prefix < prefix || (open.prefix == prefix && before() < name())
    }

    fn string_value(&mut self) -> Read<()> {
        let start = self.at;
        let rest = self.bytes.get(start + 1..).unwrap_or_default();
        let length = plain_length(rest);
        if rest.get(length) == Some(&b'"') {
            self.at = start + length + 2;
            return self.push(Kind::String, start, Marks::ALIKE.with(Marks::CANONICAL));
        }
        let marks = self.string()?;
        if !marks.has(Marks::CANONICAL) {
            self.tally.unlike += 1;
        }
        self.push(Kind::String, start, marks)
    }

    /// Any string, up to and with its closing quote mark.
    fn string(&mut self) -> Read<Marks> {
        self.at += 1;
        let mut special = false;
        let mut canonical = true;
        loop {
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            self.at += plain_length(rest);
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    special = true;
                    let before = self.at;
                    self.escape()?;
                    // What can be escaped with one letter is written so by all; but nobody writes `\/`.
                    canonical &= self.at == before + 2 && self.bytes.get(before + 1) != Some(&b'/');
                }
                Some(byte @ ..0x20) => {
                    return Err(
                        self.error(Code::JsonControlCharacter, format!("control character 0x{byte:02x}"))
                    );
                }
                Some(_) => {
                    canonical = false;
                    let rest = self.bytes.get(self.at..).unwrap_or_default();
                    self.at += unescaped_length(rest);
                }
                None => return Err(self.error(Code::JsonEnd, "the end inside a string".to_owned())),
            }
        }
        self.at += 1;
        Ok(Marks::default()
            .with_if(special, Marks::SPECIAL)
            .with_if(canonical, Marks::ALIKE.with(Marks::CANONICAL)))
    }

    fn escape(&mut self) -> Read<()> {
        let text = self.text.get(self.at..).unwrap_or("");
        match decode_escape(text) {
            Ok((_, used)) => {
                self.at += used;
                Ok(())
            }
            // A cut-off escape is an early end, not a bad escape.
            Err(_) if text.len() < 6 && !text.contains('"') => {
                self.at = self.bytes.len();
                Err(self.error(Code::JsonEnd, "the end inside an escape".to_owned()))
            }
            Err(code) => {
                let shown: String = text.chars().take(6).collect();
                Err(self.error(code, format!("`{shown}`")))
            }
        }
    }

    /// RFC 8259 section 6: an optional minus, no leading zero, digits on both sides of the point.
    fn number(&mut self) -> Read<()> {
        let start = self.at;
        let token = self.bytes.get(start..).unwrap_or_default();
        if let Some(length) = short_integer(token)
            && length <= self.limits.number
        {
            self.at += length;
            return self.push(Kind::Number, start, Marks::ALIKE.with(Marks::CANONICAL));
        }
        self.tally.unlike += 1;
        let length = token
            .iter()
            .position(|byte| !matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'))
            .unwrap_or(token.len());
        if length > self.limits.number {
            let found = format!("a number of {length} bytes, at most {} are read", self.limits.number);
            return Err(self.error_at(Code::LimitsNumber, start, found));
        }
        let token = token.get(..length).unwrap_or_default();
        match number_shape(token) {
            Some(integer) => {
                self.at += length;
                self.push(Kind::Number, start, Marks::default().with_if(!integer, Marks::SPECIAL))
            }
            None => {
                let shown =
                    String::from_utf8_lossy(token.get(..length.min(24)).unwrap_or_default()).into_owned();
                Err(self.error_at(Code::JsonNumber, start, format!("`{shown}`")))
            }
        }
    }

    /// Whether two names of the object could be equal; says so too often rather than too rarely.
    fn may_repeat_a_name(&mut self, open: &Open) -> bool {
        self.fingerprints.clear();
        let mut at = open.node + 1;
        while let (Some(name), Some(value)) = (self.nodes.get(at), self.nodes.get(at + 1)) {
            let text = self.text.get(name.start as usize + 1..name.end as usize - 1).unwrap_or_default();
            let print = if name.is_special() {
                self.decoded.clear();
                unescape_into(&mut self.decoded, text);
                fingerprint(self.decoded.as_bytes())
            } else {
                fingerprint(text.as_bytes())
            };
            self.fingerprints.push(print);
            at = value.next as usize;
        }
        any_twice(&mut self.fingerprints)
    }

    /// Names equal after decoding are duplicates, however they are spelled.
    fn refuse_duplicates(&self, open: &Open) -> Read<()> {
        let mut names: Vec<(u64, usize)> = Vec::with_capacity(open.count);
        let mut at = open.node + 1;
        while let Some(value) = self.nodes.get(at + 1).filter(|_| names.len() < open.count) {
            let mut hasher = DefaultHasher::new();
            self.name(at).hash(&mut hasher);
            names.push((hasher.finish(), at));
            at = value.next as usize;
        }
        // Nodes are numbered in reading order, so the first of each kind comes first.
        names.sort_unstable();
        let alike = names.chunk_by(|one, other| one.0 == other.0);
        match alike.filter_map(|names| self.first_repeated(names)).min() {
            Some(node) => Err(self.duplicate(node)),
            None => Ok(()),
        }
    }

    /// Node of the earliest of some names that repeats one before it. That many have one hash and differ is not to be had.
    fn first_repeated(&self, names: &[(u64, usize)]) -> Option<usize> {
        let repeats = |(position, (_, node)): &(usize, &(u64, usize))| {
            names.iter().take(*position).any(|(_, earlier)| self.name(*earlier) == self.name(*node))
        };
        names.iter().enumerate().find(repeats).map(|(_, (_, node))| *node)
    }

    fn raw(&self, index: usize) -> &'t str {
        self.nodes
            .get(index)
            .and_then(|node| self.text.get(node.start as usize + 1..(node.end as usize).saturating_sub(1)))
            .unwrap_or("")
    }

    fn name(&self, index: usize) -> Cow<'t, str> {
        let special = self.nodes.get(index).is_some_and(|node| node.is_special());
        if special { Cow::Owned(unescape(self.raw(index))) } else { Cow::Borrowed(self.raw(index)) }
    }

    fn duplicate(&self, name: usize) -> Box<ReadError> {
        let mut pointer = self.pointer();
        push_token(&mut pointer, &self.name(name));
        let offset = self.nodes.get(name).map_or(0, |node| node.start as usize);
        let shown: String = self.name(name).chars().take(64).collect();
        let found = format!("a second member {shown:?}");
        Box::new(ReadError { code: Code::JsonDuplicateKey, offset, pointer, found })
    }

    fn describe(&self) -> String {
        match self.text.get(self.at..).and_then(|rest| rest.chars().next()) {
            Some(character) => format!("{character:?}"),
            None => "the end".to_owned(),
        }
    }

    #[cold]
    fn error(&self, code: Code, found: String) -> Box<ReadError> {
        self.error_at(code, self.at, found)
    }

    #[cold]
    fn error_at(&self, code: Code, offset: usize, found: String) -> Box<ReadError> {
        Box::new(ReadError { code, offset, pointer: self.pointer(), found })
    }

    /// Where the reader stands, rebuilt from what is open: costs nothing until there is an error.
    fn pointer(&self) -> String {
        let mut pointer = String::new();
        for open in &self.open {
            match (open.inside, open.object) {
                (false, _) => {}
                (true, true) => push_token(&mut pointer, &self.name(open.key)),
                (true, false) => push_token(&mut pointer, &(open.count - 1).to_string()),
            }
        }
        pointer
    }
}

/// Each byte of a word.
const ONES: u64 = 0x0101_0101_0101_0101;
/// The top bit of each byte of a word.
const TOPS: u64 = 0x8080_8080_8080_8080;

/// Marks the bytes that are zero with their top bit; exact for the lowest that is marked.
fn zeros(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & TOPS
}

/// Marks the bytes below `bound` (at most 0x80); exact for the lowest that is marked.
fn below(word: u64, bound: u8) -> u64 {
    word.wrapping_sub(ONES * u64::from(bound)) & !word & TOPS
}

/// Marks DEL and what is not ASCII; exact for the lowest that is marked.
fn beyond_printable(word: u64) -> u64 {
    (word.wrapping_add(ONES) | word) & TOPS
}

fn equal(word: u64, byte: u8) -> u64 {
    zeros(word ^ (ONES * u64::from(byte)))
}

/// How many bytes stand before the first that `stops` marks; eight at a time.
#[inline(always)]
fn length_before(bytes: &[u8], stops: impl Fn(u64) -> u64) -> usize {
    let (words, rest) = bytes.as_chunks::<8>();
    let mut length = 0;
    for word in words {
        let marked = stops(u64::from_le_bytes(*word));
        if marked != 0 {
            return length + marked.trailing_zeros() as usize / 8;
        }
        length += 8;
    }
    // Bytes are tried alone at the end of the text only; the rest of the word is neutral.
    let stop = rest
        .iter()
        .position(|byte| stops(u64::from_le_bytes([*byte, b'a', b'a', b'a', b'a', b'a', b'a', b'a'])) != 0);
    length + stop.unwrap_or(rest.len())
}

/// How much of a string is printable ASCII without quote marks and escapes.
fn plain_length(bytes: &[u8]) -> usize {
    length_before(bytes, not_plain)
}

/// How many of eight bytes of a string come before the first that is not printable ASCII, or a quote mark or backslash.
pub(crate) fn plain_start(bytes: &[u8; 8]) -> usize {
    not_plain(u64::from_le_bytes(*bytes)).trailing_zeros() as usize / 8
}

/// Marks the first byte that is not printable ASCII, or a quote mark or backslash.
fn not_plain(word: u64) -> u64 {
    below(word, 0x20) | equal(word, b'"') | equal(word, b'\\') | beyond_printable(word)
}

/// How much of a string has neither quote marks nor escapes nor control characters.
fn unescaped_length(bytes: &[u8]) -> usize {
    length_before(bytes, |word| below(word, 0x20) | equal(word, b'"') | equal(word, b'\\'))
}

/// How much of a member name is plain: printable ASCII above the quote mark, without escapes. Below the quote mark are
/// the space and `!`: a name that goes on with one of them comes before the shorter name where quote marks count.
fn plain_name_length(bytes: &[u8]) -> usize {
    length_before(bytes, |word| below(word, b'"' + 1) | equal(word, b'\\') | beyond_printable(word))
}

/// Whether every scheme orders and writes the member name as it is.
pub(crate) fn is_plain_name(name: &str) -> bool {
    plain_name_length(name.as_bytes()) == name.len()
}

/// The first eight of `length` bytes as a number that is ordered as they are; zeros where there are fewer.
pub(crate) fn prefix(bytes: &[u8], length: usize) -> u64 {
    let word = bytes.first_chunk().map_or_else(
        || bytes.iter().chain(&[0; 8]).take(8).fold(0, |word, byte| word << 8 | u64::from(*byte)),
        |chunk| u64::from_be_bytes(*chunk),
    );
    let surplus = 64_usize.saturating_sub(length.saturating_mul(8));
    word.checked_shr(to_u32(surplus)).and_then(|word| word.checked_shl(to_u32(surplus))).unwrap_or(0)
}

/// The same for equal names, and seldom for others.
fn fingerprint(name: &[u8]) -> u64 {
    let last = name.last_chunk().map_or(0, |chunk| u64::from_le_bytes(*chunk));
    prefix(name, name.len()) ^ (last ^ name.len() as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

fn any_twice(fingerprints: &mut [u64]) -> bool {
    // Comparing all pairs is quicker than sorting as long as they are few.
    const FEW: usize = 24;
    if fingerprints.len() > FEW {
        fingerprints.sort_unstable();
        return fingerprints.windows(2).any(|pair| matches!(pair, [one, other] if one == other));
    }
    let mut rest = &*fingerprints;
    while let Some((one, others)) = rest.split_first() {
        // Without an early end the comparisons go on side by side.
        if others.iter().fold(false, |twice, other| twice | (one == other)) {
            return true;
        }
        rest = others;
    }
    false
}

/// The length of the integer at the start, if it has at most 15 characters and only one spelling: every scheme writes it
/// as it is.
fn short_integer(bytes: &[u8]) -> Option<usize> {
    let sign = usize::from(bytes.first() == Some(&b'-'));
    let digits = bytes.get(sign..)?;
    let count = digits.iter().take(16).take_while(|byte| byte.is_ascii_digit()).count();
    let canonical = match digits.first() {
        Some(b'0') => count == 1 && sign == 0,
        _ => count >= 1 && sign + count <= 15,
    };
    let ends = !matches!(digits.get(count), Some(b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'));
    (canonical && ends).then_some(sign + count)
}

fn to_u32(value: usize) -> u32 {
    // `Document::read` refuses inputs of 4 GiB and more, so nothing is ever cut off here.
    u32::try_from(value).unwrap_or(u32::MAX)
}

/// Whether the token is an integer; `None` if it is no number at all.
fn number_shape(token: &[u8]) -> Option<bool> {
    let digits = |from: usize| {
        let rest = token.get(from..).unwrap_or_default();
        rest.iter().take_while(|byte| byte.is_ascii_digit()).count()
    };
    let mut at = usize::from(token.first() == Some(&b'-'));
    let whole = digits(at);
    if whole == 0 || (whole > 1 && token.get(at) == Some(&b'0')) {
        return None;
    }
    at += whole;
    let integer = at == token.len();
    if token.get(at) == Some(&b'.') {
        let fraction = digits(at + 1);
        if fraction == 0 {
            return None;
        }
        at += 1 + fraction;
    }
    if matches!(token.get(at), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(token.get(at + 1), Some(b'+' | b'-')));
        let exponent = digits(at + 1 + sign);
        if exponent == 0 {
            return None;
        }
        at += 1 + sign + exponent;
    }
    (at == token.len()).then_some(integer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Document<'_>, ReadError> {
        Document::read(text.as_bytes(), &Limits::default())
    }

    #[test]
    fn values_keep_their_text_and_are_found_by_pointer() {
        let document = read(r#" {"a":[1, -0.50e+1,"x\u00e9"],"b/~":{"":null}} "#).unwrap();
        let root = document.root();
        assert_eq!(root.at("/a/1").unwrap().number_text(), Some("-0.50e+1"));
        assert_eq!(root.at("/a/2").unwrap().as_str().unwrap(), "xé");
        assert!(root.at("/b~1~0/").unwrap().is_null());
        assert_eq!(root.at("/a").unwrap().raw(), r#"[1, -0.50e+1,"x\u00e9"]"#);
        assert!(root.at("/a/01").is_none() && root.at("/a/3").is_none() && root.at("a").is_none());
    }

    #[test]
    fn a_duplicate_is_named_by_offset_and_pointer_in_small_and_large_objects() {
        let error = read(r#"{"o":[{"a":1,"\u0061":2}]}"#).unwrap_err();
        assert_eq!(
            (error.code, error.offset, error.pointer.as_str()),
            (Code::JsonDuplicateKey, 13, "/o/0/a")
        );
        let members: Vec<String> = (0..40).map(|n| format!("\"k{}\":0", n % 39)).collect();
        let error = read(&format!("{{{}}}", members.join(","))).unwrap_err();
        assert_eq!((error.code, error.pointer.as_str()), (Code::JsonDuplicateKey, "/k0"));
    }

    #[test]
    fn the_depth_limit_is_exact() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(read(&nested(1_000)).is_ok());
        let error = read(&nested(1_001)).map(|_| ()).unwrap_err();
        assert_eq!((error.code, error.offset), (Code::LimitsDepth, 1_000));
    }
}
