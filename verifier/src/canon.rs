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
use std::fmt;
use std::str::FromStr;

use crate::code::Code;
use crate::json::{Kind, Value, is_plain_name, prefix};
use crate::number;

/// A named way of turning a JSON value into bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
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
#[non_exhaustive]
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
    /// An object; its members have plain names, in ascending order.
    Object(Vec<(&'static str, Self)>),
    /// An object of a document without the member of this name.
    Without(Value<'d>, &'static str),
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
        let out = Vec::with_capacity(self.length());
        let mut writer = Writer { scheme, nulls, integers, out, members: Vec::new() };
        writer.form(self)?;
        Ok(writer.out)
    }

    /// Whether every scheme writes the same bytes, and none refuses.
    pub(crate) fn is_alike_in_all_schemes(&self) -> bool {
        match self {
            Self::Value(value) => value.is_alike_in_all_schemes(),
            Self::Text(_) => true,
            Self::Array(items) => items.iter().all(Self::is_alike_in_all_schemes),
            Self::Object(members) => members.iter().all(|(_, form)| form.is_alike_in_all_schemes()),
            // The member that is left out can only have made it say no where it could say yes.
            Self::Without(object, _) => object.is_alike_in_all_schemes(),
        }
    }

    /// Whether somewhere in it a member is `null`.
    pub(crate) fn has_null_members(&self) -> bool {
        match self {
            Self::Value(value) | Self::Without(value, _) => value.has_null_members(),
            Self::Text(_) => false,
            Self::Array(items) => items.iter().any(Self::has_null_members),
            Self::Object(members) => {
                members.iter().any(|(_, form)| form.is_null() || form.has_null_members())
            }
        }
    }

    fn is_null(&self) -> bool {
        matches!(self, Form::Value(value) if value.is_null())
    }

    /// Whether it is made of the same parts as `other`; says no where that is not plain to see.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let same_members =
            |(one, another): (&(&str, Self), &(&str, Self))| one.0 == another.0 && one.1.is_same(&another.1);
        match (self, other) {
            (Self::Value(one), Self::Value(other)) => one.is_at(*other),
            (Self::Text(one), Self::Text(other)) => one == other,
            (Self::Object(one), Self::Object(other)) => {
                one.len() == other.len() && one.iter().zip(other).all(same_members)
            }
            (Self::Object(members), Self::Value(object)) | (Self::Value(object), Self::Object(members)) => {
                object.members().count() == members.len()
                    && members.iter().all(|(name, form)| {
                        object.get(name).is_some_and(|value| form.is_same(&Self::Value(value)))
                    })
            }
            (Self::Array(forms), Self::Value(list)) | (Self::Value(list), Self::Array(forms)) => {
                list.kind() == Kind::Array
                    && list.items().count() == forms.len()
                    && list.items().zip(forms).all(|(item, form)| form.is_same(&Self::Value(item)))
            }
            _ => false,
        }
    }

    /// Whether both are objects and have other members once they are written: then no two schemes write one text.
    pub(crate) fn has_other_names(&self, nulls: Nulls, other: &Self, others: Nulls) -> bool {
        let (Self::Object(one), Self::Object(another)) = (self, other) else { return false };
        fn names<'f>(
            members: &'f [(&'static str, Form<'_>)],
            nulls: Nulls,
        ) -> impl Iterator<Item = &'static str> + 'f {
            let drops = nulls == Nulls::DropMembers;
            members.iter().filter(move |(_, form)| !(drops && form.is_null())).map(|(name, _)| *name)
        }
        names(one, nulls).ne(names(another, others))
    }

    /// About how many bytes it has.
    fn length(&self) -> usize {
        match self {
            Self::Value(value) | Self::Without(value, _) => value.raw().len(),
            Self::Text(text) => text.len(),
            Self::Array(items) => items.iter().map(|item| item.length() + 1).sum::<usize>() + 2,
            Self::Object(members) => {
                members.iter().map(|(name, form)| name.len() + form.length() + 4).sum::<usize>() + 2
            }
        }
    }
}

struct Writer<'d> {
    scheme: Scheme,
    nulls: Nulls,
    integers: Integers,
    out: Vec<u8>,
    /// Scratch for the members of the objects that are being put in order: the first bytes of the name, the name.
    members: Vec<(u64, Value<'d>)>,
}

impl<'d> Writer<'d> {
    fn form(&mut self, form: &Form<'d>) -> Result<(), CanonError> {
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
            Form::Object(members) => self.made_up(members),
            Form::Without(object, name) => self.object(*object, Some(name)),
        }
    }

    fn made_up(&mut self, members: &[(&'static str, Form<'d>)]) -> Result<(), CanonError> {
        let ascends = |pair: &[(&str, _)]| matches!(pair, [(one, _), (other, _)] if one < other);
        debug_assert!(members.windows(2).all(ascends) && members.iter().all(|(name, _)| is_plain_name(name)));
        self.out.push(b'{');
        let mut position = 0;
        for (name, form) in members {
            if self.drops(form) {
                continue;
            }
            self.separate(position);
            position += 1;
            self.out.push(b'"');
            self.out.extend_from_slice(name.as_bytes());
            self.out.extend_from_slice(b"\":");
            self.form(form)?;
        }
        self.out.push(b'}');
        Ok(())
    }

    fn drops(&self, form: &Form<'_>) -> bool {
        self.dropping() && form.is_null()
    }

    fn separate(&mut self, position: usize) {
        if position > 0 {
            self.out.push(b',');
        }
    }

    fn value(&mut self, value: Value<'d>) -> Result<(), CanonError> {
        if value.is_canonical_text() && !(self.dropping() && value.has_null_members()) {
            self.out.extend_from_slice(value.raw().as_bytes());
            return Ok(());
        }
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
            Kind::Array => self.array(value),
            Kind::Object => self.object(value, None),
        }
    }

    /// An object, without the member of one name.
    fn object(&mut self, value: Value<'d>, without: Option<&str>) -> Result<(), CanonError> {
        if value.is_ascending() {
            return self.ascending(value, without);
        }
        let first = self.members.len();
        if self.collect_members(value, without) {
            return self.collected(first);
        }
        self.members.truncate(first);
        self.object_of_any_names(value, without)
    }

    /// Whether a member is left out.
    fn leaves_out(&self, key: Value<'d>, member: Value<'d>, without: Option<&str>) -> bool {
        (self.dropping() && member.is_null()) || without.is_some_and(|name| key.is_named(name))
    }

    fn array(&mut self, value: Value<'d>) -> Result<(), CanonError> {
        self.out.push(b'[');
        for (position, item) in value.items().enumerate() {
            self.separate(position);
            self.value(item)?;
        }
        self.out.push(b']');
        Ok(())
    }

    fn dropping(&self) -> bool {
        self.nulls == Nulls::DropMembers
    }

    /// An object whose members stand in order already.
    fn ascending(&mut self, value: Value<'d>, without: Option<&str>) -> Result<(), CanonError> {
        self.out.push(b'{');
        let mut position = 0;
        for (key, member) in value.members() {
            if self.leaves_out(key, member, without) {
                continue;
            }
            self.member(position, key, member)?;
            position += 1;
        }
        self.out.push(b'}');
        Ok(())
    }

    /// A member, copied as one piece where it stands in the document as every scheme writes it.
    fn member(&mut self, position: usize, key: Value<'d>, value: Value<'d>) -> Result<(), CanonError> {
        if let Some(text) = key.canonical_member(value)
            && !(self.dropping() && value.has_null_members())
        {
            self.separate(position);
            self.out.extend_from_slice(text.as_bytes());
            return Ok(());
        }
        self.name(position, key);
        self.value(value)
    }

    fn name(&mut self, position: usize, key: Value<'d>) {
        self.separate(position);
        self.string(key);
        self.out.push(b':');
    }

    /// An object whose members stand in order on the scratch, from `first` on.
    fn collected(&mut self, first: usize) -> Result<(), CanonError> {
        self.out.push(b'{');
        for at in first..self.members.len() {
            if let Some((_, key)) = self.members.get(at).copied() {
                self.member(at - first, key, key.named_value())?;
            }
        }
        self.members.truncate(first);
        self.out.push(b'}');
        Ok(())
    }

    /// Puts the members of an object onto the scratch, in order; `false` if a name is not plain. Plain names are in the
    /// same order under every scheme; others are prepared for the comparison.
    fn collect_members(&mut self, value: Value<'d>, without: Option<&str>) -> bool {
        let first = self.members.len();
        for (key, member) in value.members() {
            if !key.is_canonical_text() {
                return false;
            }
            if !self.leaves_out(key, member, without) {
                let name = key.raw().as_bytes();
                let prefix = prefix(name.get(1..).unwrap_or_default(), name.len() - 2);
                self.members.push((prefix, key));
            }
        }
        if let Some(members) = self.members.get_mut(first..) {
            // Quote marks come before every byte of a plain name, so the raw texts are in the order of the names.
            if members.len() <= FEW {
                members.sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.raw().cmp(b.1.raw())));
            } else {
                sort_many(members, |key| key.raw().as_bytes().get(1..).unwrap_or_default());
            }
        }
        true
    }

    fn object_of_any_names(&mut self, value: Value<'d>, without: Option<&str>) -> Result<(), CanonError> {
        // What the names are ordered by stands in one text: they may be a million.
        let mut order = Vec::new();
        let mut names: Vec<(u64, Named)> = Vec::new();
        for (key, _) in value.members().filter(|(key, member)| !self.leaves_out(*key, *member, without)) {
            let start = order.len();
            write_order(&mut order, &key.as_str().unwrap_or_default(), self.scheme);
            names.push((0, Named { start, length: order.len() - start, key: key.index() }));
        }
        sort_many(&mut names, |name| order.get(name.start..name.start + name.length).unwrap_or_default());
        drop(order);
        self.out.push(b'{');
        for (position, (_, name)) in names.into_iter().enumerate() {
            let key = value.beside(name.key);
            self.member(position, key, key.named_value())?;
        }
        self.out.push(b'}');
        Ok(())
    }

    fn string(&mut self, value: Value<'_>) {
        let raw = value.raw();
        if value.is_canonical_text() {
            return self.out.extend_from_slice(raw.as_bytes());
        }
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

/// A member, by the index of its name, and the bytes that it is ordered by, in a text of many. Small, as it is moved about.
#[derive(Clone, Copy)]
struct Named {
    start: usize,
    length: usize,
    key: u32,
}

/// Writes bytes that are ordered as the scheme orders member names.
fn write_order(out: &mut Vec<u8>, name: &str, scheme: Scheme) {
    match scheme {
        // RFC 8785 section 3.2.3: as arrays of UTF-16 code units. For ASCII names, in part or as a whole, a zero before each byte
        // changes nothing in their order.
        Scheme::Jcs | Scheme::JcsExactIntegers => out.extend(name.encode_utf16().flat_map(u16::to_be_bytes)),
        // UTF-8 is ordered as the code points are.
        Scheme::PythonSortKeys | Scheme::PythonSortKeysUtf8 => out.extend_from_slice(name.as_bytes()),
        Scheme::SerdeJcs01 => write_string(out, name, scheme),
    }
}

/// So many names are compared with each other as they are.
const FEW: usize = 32;

/// Puts items in the order of their names, eight bytes of these at a time: the work is linear in their length, however many of
/// them begin alike. The numbers are scratch.
fn sort_many<'n, T: Copy>(items: &mut [(u64, T)], name: impl Fn(T) -> &'n [u8]) {
    const STEP: usize = 8;
    // Ranges of items whose names are alike up to an offset.
    let mut alike = vec![(0..items.len(), 0)];
    while let Some((range, from)) = alike.pop() {
        let mut start = range.start;
        let Some(run) = items.get_mut(range) else { continue };
        let rest = |item: T| name(item).get(from..).unwrap_or_default();
        if run.len() <= FEW {
            run.sort_unstable_by(|one, other| rest(one.1).cmp(rest(other.1)));
            continue;
        }
        for (next, item) in run.iter_mut() {
            *next = prefix(rest(*item), rest(*item).len());
        }
        run.sort_unstable_by_key(|(next, _)| *next);
        for same in run.chunk_by_mut(|one, other| one.0 == other.0) {
            let end = start + same.len();
            if same.len() <= FEW {
                same.sort_unstable_by(|(_, one), (_, other)| rest(*one).cmp(rest(*other)));
            } else {
                // Names that end here, and but for zeros are all that the others begin with, come first.
                same.sort_by_key(|(_, item)| rest(*item).len().min(STEP + 1));
                let ended = same.iter().take_while(|(_, item)| rest(*item).len() <= STEP).count();
                alike.push((start + ended..end, from + STEP));
            }
            start = end;
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
    let digit = |shift: u16| match (unit >> shift & 0xF) as u8 {
        digit @ 0..=9 => b'0' + digit,
        letter => b'a' + (letter - 10),
    };
    out.extend_from_slice(&[b'\\', b'u', digit(12), digit(8), digit(4), digit(0)]);
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;
    use crate::json::Document;
    use crate::limits::Limits;

    const NAMES: [&str; 20] = [
        "a",
        "a!",
        "a b",
        "a#",
        "b",
        "B",
        "",
        "abcdefgh",
        "abcdefgh!",
        "abcdefghi",
        "abcdefghj",
        "abcdefgi",
        "é",
        "\u{7f}",
        "\u{10000}",
        "\u{ffff}",
        "a\\n",
        "a\\\"",
        "a\\\\",
        "\\u0061\\u0061",
    ];
    const SCALARS: [&str; 28] = [
        "null",
        "null",
        "null",
        "true",
        "0",
        "-0",
        "-1",
        "999999999999999",
        "-99999999999999",
        "-999999999999999",
        "1234567890123456",
        "9007199254740993",
        "18446744073709551616",
        "1.5",
        "1e3",
        "1.0",
        "\"\"",
        "\"plain\"",
        "\"with \\\" and \\\\\"",
        "\"\\n\\t\\b\\f\\r\"",
        "\"a\\/b\"",
        "\"\\u0041\"",
        "\"\\u0000\"",
        "\"\u{7f}\"",
        "\"longer than eight, \u{e9} at the end\"",
        "\"0123456\u{7f}\"",
        "[]",
        "{}",
    ];

    fn space() -> impl Strategy<Value = &'static str> {
        select(vec!["", "", "", "", "", "", " ", "\n\t"])
    }

    fn text() -> impl Strategy<Value = String> {
        let scalar = (space(), select(&SCALARS[..])).prop_map(|(space, text)| format!("{space}{text}"));
        scalar.prop_recursive(4, 64, 8, |inner| {
            let member = (select(&NAMES[..]), space(), inner.clone())
                .prop_map(|(name, space, value)| (name, format!("\"{name}\"{space}:{value}")));
            let object = vec(member, 0..12).prop_map(|mut members| {
                // A name that repeats another would only be refused.
                let mut seen = std::collections::BTreeSet::new();
                members.retain(|(name, _)| seen.insert(*name));
                // Half of the objects are sorted as most canonical texts are.
                if members.len() % 2 == 0 {
                    members.sort_by_key(|(name, _)| *name);
                }
                let members: Vec<String> = members.into_iter().map(|(_, text)| text).collect();
                format!("{{{}}}", members.join(","))
            });
            prop_oneof![object, vec(inner, 0..5).prop_map(|items| format!("[{}]", items.join(",")))]
        })
    }

    fn decoded(name: Value<'_>) -> String {
        name.as_str().unwrap().into_owned()
    }

    fn names_are_unique(value: Value<'_>) -> bool {
        let names: Vec<String> = value.members().map(|(name, _)| decoded(name)).collect();
        let unique: std::collections::BTreeSet<&String> = names.iter().collect();
        unique.len() == names.len()
            && value.members().all(|(_, member)| names_are_unique(member))
            && value.items().all(names_are_unique)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn what_the_reader_noticed_changes_no_byte(text in text()) {
            let limits = Limits::default();
            let Ok(document) = Document::read(text.as_bytes(), &limits) else { return Ok(()) };
            prop_assert!(names_are_unique(document.root()), "{text}");
            let plain = Document::read(text.as_bytes(), &limits).unwrap().without_marks();
            for nulls in [Nulls::Keep, Nulls::DropMembers] {
                let mut all = Vec::new();
                for scheme in Scheme::ALL {
                    for integers in [Integers::AsTheSchemeSays, Integers::Unchanged] {
                        let quick = Form::Value(document.root()).write_with(scheme, nulls, integers);
                        let slow = Form::Value(plain.root()).write_with(scheme, nulls, integers);
                        prop_assert_eq!(&quick, &slow, "{} {}", scheme, text);
                        all.push(quick);
                    }
                }
                if document.root().is_alike_in_all_schemes() {
                    prop_assert!(all.iter().all(|bytes| bytes.is_ok() && *bytes == all[0]), "{text}");
                }
            }
        }

        /// Zeros among them: what a name that has ended is filled up with.
        #[test]
        fn many_names_are_put_in_the_order_of_their_bytes(
            beginning in vec(select(vec![0_u8, 1, b'a']), 0..20),
            ends in proptest::collection::btree_set(vec(select(vec![0_u8, 0, 1, b'a']), 0..20), 0..200),
            seed in any::<u64>(),
        ) {
            let sorted: Vec<Vec<u8>> = ends.into_iter().map(|end| [beginning.clone(), end].concat()).collect();
            let mut items: Vec<(u64, usize)> = (0..sorted.len()).map(|at| (0, at)).collect();
            items.sort_by_key(|(_, at)| (*at as u64 ^ seed).wrapping_mul(0x9E37_79B9_7F4A_7C15));
            sort_many(&mut items, |at| sorted.get(at).unwrap());
            prop_assert!(items.iter().map(|(_, at)| *at).eq(0..sorted.len()));
        }

        #[test]
        fn a_repeated_name_is_refused_however_many_there_are(
            mut names in vec("[a-c!#]{7,9}|[a-z]{1,2}", 2..40),
            at in any::<prop::sample::Index>(),
            to in any::<prop::sample::Index>(),
        ) {
            names.sort();
            names.dedup();
            let object = |names: &[String]| {
                let members: Vec<String> = names.iter().map(|name| format!("\"{name}\":1")).collect();
                format!("{{{}}}", members.join(","))
            };
            prop_assert!(Document::read(object(&names).as_bytes(), &Limits::default()).is_ok());
            names.reverse();
            prop_assert!(Document::read(object(&names).as_bytes(), &Limits::default()).is_ok());
            let again = names[at.index(names.len())].clone();
            names.insert(to.index(names.len() + 1), again);
            let error = Document::read(object(&names).as_bytes(), &Limits::default()).unwrap_err();
            prop_assert_eq!(error.code, Code::JsonDuplicateKey);
            names.sort();
            let error = Document::read(object(&names).as_bytes(), &Limits::default()).unwrap_err();
            prop_assert_eq!(error.code, Code::JsonDuplicateKey);
        }
    }
}
