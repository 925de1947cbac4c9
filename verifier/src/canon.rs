//! Canonical bytes of a JSON value under the named schemes that registries really sign with.
//!
//! | scheme | member order | strings | numbers |
//! |---|---|---|---|
//! | `jcs` | UTF-16 code units | raw UTF-8 | through a double (RFC 8785) |
//! | `jcs-exact-integers` | UTF-16 code units | raw UTF-8 | integers exact, others refused |
//! | `python-sort-keys` | code points | ASCII, everything else as `\uXXXX` | integers exact, floats as Python's `repr` |
//! | `python-sort-keys-utf8` | code points | raw UTF-8 | as `python-sort-keys` |
//! | `serde-jcs-0.1` | bytes of the quoted, escaped name | raw UTF-8 | 64-bit integers exact, others through a double |

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use crate::code::Code;
use crate::json::{Kind, Value};
use crate::number;

/// A named way of turning a JSON value into bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scheme {
    /// RFC 8785, numbers included.
    Jcs,
    /// RFC 8785 order and strings; integers exactly as written, of any size; no other numbers.
    JcsExactIntegers,
    /// `json.dumps(value, sort_keys=True, separators=(",", ":"))` of `CPython`.
    PythonSortKeys,
    /// The same with `ensure_ascii=False`.
    PythonSortKeysUtf8,
    /// What `serde_jcs` 0.1.0 writes: members ordered by their serialized names, quote marks included.
    SerdeJcs01,
}

impl Scheme {
    /// Every scheme, the standard's own first.
    pub const ALL: [Self; 5] =
        [Self::Jcs, Self::JcsExactIntegers, Self::SerdeJcs01, Self::PythonSortKeys, Self::PythonSortKeysUtf8];

    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Jcs => "jcs",
            Self::JcsExactIntegers => "jcs-exact-integers",
            Self::PythonSortKeys => "python-sort-keys",
            Self::PythonSortKeysUtf8 => "python-sort-keys-utf8",
            Self::SerdeJcs01 => "serde-jcs-0.1",
        }
    }

    /// Whether the order and the strings are those of RFC 8785 (numbers beyond 2^53 set aside).
    #[must_use]
    pub fn is_rfc8785(self) -> bool {
        matches!(self, Self::Jcs | Self::JcsExactIntegers)
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Scheme {
    type Err = UnknownScheme;

    fn from_str(name: &str) -> Result<Self, UnknownScheme> {
        Self::ALL
            .into_iter()
            .find(|scheme| scheme.as_str() == name)
            .ok_or_else(|| UnknownScheme { found: name.to_owned() })
    }
}

/// A name that is no scheme's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{found}` is no canonicalization scheme, expected jcs, jcs-exact-integers, python-sort-keys, \
     python-sort-keys-utf8 or serde-jcs-0.1"
)]
pub struct UnknownScheme {
    /// The name that was given.
    pub found: String,
}

/// Why a value has no canonical bytes under a scheme.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {number} at byte {offset}", code.meaning())]
pub struct CanonError {
    /// `canon.float` or `canon.number-range`.
    pub code: Code,
    /// The number's text (at most 64 bytes of it).
    pub number: String,
    /// Byte offset of the number in the document.
    pub offset: usize,
}

/// The canonical bytes of `value` under `scheme`.
///
/// # Errors
/// [`CanonError`] for a number that the scheme cannot write.
pub fn canonicalize(value: Value<'_>, scheme: Scheme) -> Result<Vec<u8>, CanonError> {
    Form::Value(value).write_with(scheme, Nulls::Keep, Integers::AsTheSchemeSays)
}

/// A value to canonicalize that need not stand in a document as it is: parts of documents, put together anew.
#[derive(Clone, Debug)]
pub(crate) enum Form<'d> {
    /// A value of a document.
    Value(Value<'d>),
    /// A text that is canonical under every scheme: `""`, `0`, `[]`, `{}`, a plain ASCII string.
    Text(Cow<'d, str>),
    /// An object; members in any order.
    Object(Vec<(Cow<'d, str>, Self)>),
    /// An array.
    Array(Vec<Self>),
}

/// What becomes of members that are `null`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nulls {
    /// They are written.
    Keep,
    /// They are left out of objects at every depth; items of arrays stay.
    DropMembers,
}

/// What becomes of integers that a scheme writes through a double.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Integers {
    /// They are rounded.
    AsTheSchemeSays,
    /// They are refused if that makes another integer of them.
    Unchanged,
}

impl Form<'_> {
    /// The bytes that a signature or a leaf hash is tried on. An integer that the scheme rounds to another one is refused:
    /// else 2^53 + 1 could be put where 2^53 was signed, and readers with exact integers would see what nobody signed.
    pub(crate) fn write(&self, scheme: Scheme, nulls: Nulls) -> Result<Vec<u8>, CanonError> {
        self.write_with(scheme, nulls, Integers::Unchanged)
    }

    fn write_with(&self, scheme: Scheme, nulls: Nulls, integers: Integers) -> Result<Vec<u8>, CanonError> {
        let mut writer = Writer { scheme, nulls, integers, out: Vec::with_capacity(1024) };
        writer.form(self)?;
        Ok(writer.out)
    }
}

struct Writer {
    scheme: Scheme,
    nulls: Nulls,
    integers: Integers,
    out: Vec<u8>,
}

impl Writer {
    fn form(&mut self, form: &Form<'_>) -> Result<(), CanonError> {
        match form {
            Form::Value(value) => self.value(*value),
            Form::Text(text) => {
                self.out.extend_from_slice(text.as_bytes());
                Ok(())
            }
            Form::Array(items) => {
                self.out.push(b'[');
                for (position, item) in items.iter().enumerate() {
                    self.separate(position);
                    self.form(item)?;
                }
                self.out.push(b']');
                Ok(())
            }
            Form::Object(members) => {
                let mut members: Vec<(Name<'_>, &Form<'_>)> = members
                    .iter()
                    .map(|(name, form)| (Name::new(self.scheme, name.clone()), form))
                    .filter(|(_, form)| !self.drops(form))
                    .collect();
                members.sort_by(|a, b| a.0.compare(&b.0, self.scheme));
                self.out.push(b'{');
                for (position, (name, form)) in members.iter().enumerate() {
                    self.separate(position);
                    write_string(&mut self.out, &name.text, self.scheme);
                    self.out.push(b':');
                    self.form(form)?;
                }
                self.out.push(b'}');
                Ok(())
            }
        }
    }

    fn drops(&self, form: &Form<'_>) -> bool {
        self.nulls == Nulls::DropMembers && matches!(form, Form::Value(value) if value.is_null())
    }

    fn separate(&mut self, position: usize) {
        if position > 0 {
            self.out.push(b',');
        }
    }

    fn value(&mut self, value: Value<'_>) -> Result<(), CanonError> {
        match value.kind() {
            Kind::Null | Kind::Bool => {
                self.out.extend_from_slice(value.raw().as_bytes());
                Ok(())
            }
            Kind::Number => self.number(value),
            Kind::String => {
                self.string(value);
                Ok(())
            }
            Kind::Array => {
                self.out.push(b'[');
                for (position, item) in value.items().enumerate() {
                    self.separate(position);
                    self.value(item)?;
                }
                self.out.push(b']');
                Ok(())
            }
            Kind::Object => self.object(value),
        }
    }

    fn object(&mut self, value: Value<'_>) -> Result<(), CanonError> {
        let dropping = self.nulls == Nulls::DropMembers;
        let mut members: Vec<(Name<'_>, Value<'_>, Value<'_>)> = value
            .members()
            .filter(|(_, member)| !(dropping && member.is_null()))
            .map(|(key, member)| (Name::of(self.scheme, key), key, member))
            .collect();
        members.sort_by(|a, b| a.0.compare(&b.0, self.scheme));
        self.out.push(b'{');
        for (position, (_, key, member)) in members.iter().enumerate() {
            self.separate(position);
            self.string(*key);
            self.out.push(b':');
            self.value(*member)?;
        }
        self.out.push(b'}');
        Ok(())
    }

    fn string(&mut self, value: Value<'_>) {
        let raw = value.raw();
        let ascii_only = self.scheme == Scheme::PythonSortKeys;
        let copied =
            value.is_plain_string() && (!ascii_only || raw.bytes().all(|byte| (0x20..0x7F).contains(&byte)));
        if copied {
            self.out.extend_from_slice(raw.as_bytes());
        } else if let Some(text) = value.as_str() {
            write_string(&mut self.out, &text, self.scheme);
        }
    }

    fn number(&mut self, value: Value<'_>) -> Result<(), CanonError> {
        let text = value.raw();
        let start = self.out.len();
        let error =
            |code| CanonError { code, number: text.chars().take(64).collect(), offset: value.offset() };
        number::write(&mut self.out, text, value.is_integer(), self.scheme).map_err(error)?;
        let same = self.out.get(start..) == Some(text.as_bytes()) || text == "-0";
        if self.integers == Integers::Unchanged && value.is_integer() && !same {
            return Err(error(Code::CanonNumberRange));
        }
        Ok(())
    }
}

/// A member name, prepared for comparison.
struct Name<'d> {
    text: Cow<'d, str>,
    /// The serialized name, where the scheme orders by it and it differs from the text.
    quoted: Option<Vec<u8>>,
}

impl<'d> Name<'d> {
    fn of(scheme: Scheme, key: Value<'d>) -> Self {
        Self::new(scheme, key.as_str().unwrap_or_default())
    }

    fn new(scheme: Scheme, text: Cow<'d, str>) -> Self {
        let quoted = (scheme == Scheme::SerdeJcs01).then(|| {
            let mut quoted = Vec::with_capacity(text.len() + 2);
            write_string(&mut quoted, &text, scheme);
            quoted
        });
        Self { text, quoted }
    }

    fn compare(&self, other: &Self, scheme: Scheme) -> Ordering {
        match scheme {
            // RFC 8785 section 3.2.3: as arrays of UTF-16 code units. For ASCII names that is the order of the bytes.
            Scheme::Jcs | Scheme::JcsExactIntegers => {
                if self.text.is_ascii() && other.text.is_ascii() {
                    self.text.cmp(&other.text)
                } else {
                    self.text.encode_utf16().cmp(other.text.encode_utf16())
                }
            }
            Scheme::PythonSortKeys | Scheme::PythonSortKeysUtf8 => self.text.cmp(&other.text),
            Scheme::SerdeJcs01 => self.quoted.cmp(&other.quoted),
        }
    }
}

/// Writes a string with its quote marks.
fn write_string(out: &mut Vec<u8>, text: &str, scheme: Scheme) {
    out.push(b'"');
    for character in text.chars() {
        match character {
            '"' => out.extend_from_slice(b"\\\""),
            '\\' => out.extend_from_slice(b"\\\\"),
            '\u{8}' => out.extend_from_slice(b"\\b"),
            '\t' => out.extend_from_slice(b"\\t"),
            '\n' => out.extend_from_slice(b"\\n"),
            '\u{c}' => out.extend_from_slice(b"\\f"),
            '\r' => out.extend_from_slice(b"\\r"),
            ' '..='~' => out.push(character as u8),
            '\0'..='\u{1f}' => unicode_escape(out, character as u16),
            other if scheme == Scheme::PythonSortKeys => {
                let mut units = [0; 2];
                for unit in other.encode_utf16(&mut units) {
                    unicode_escape(out, *unit);
                }
            }
            other => out.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    out.push(b'"');
}

fn unicode_escape(out: &mut Vec<u8>, unit: u16) {
    out.extend_from_slice(b"\\u");
    for shift in [12, 8, 4, 0] {
        let digit = u32::from(unit >> shift & 0xF);
        out.extend(char::from_digit(digit, 16).map(|character| character as u8));
    }
}
