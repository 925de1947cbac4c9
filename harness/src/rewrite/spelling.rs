//! The same JSON, written in another way.

use std::io::{self, Write};

use assayer_vectors::Spelling;
use serde::Serialize;
use serde_json::ser::{CharEscape, Formatter, Serializer};
use serde_json::{Map, Value as Json};

/// The text of a JSON value in another spelling.
pub(super) fn spelt(value: &Json, spelling: Spelling) -> Vec<u8> {
    let plain = value.to_string();
    match spelling {
        Spelling::Pretty => format!("{value:#}\n").into_bytes(),
        Spelling::Spaced => written(value, Spaced),
        Spelling::Sorted => reordered(value, &|names| names.sort_unstable()).to_string().into_bytes(),
        Spelling::ReverseMembers => reordered(value, &|names| names.reverse()).to_string().into_bytes(),
        Spelling::Escaped => written(value, Escaped),
        // Outside of strings there is no slash.
        Spelling::EscapedSlashes => plain.replace('/', "\\/").into_bytes(),
        Spelling::ByteOrderMark => format!("\u{feff}{plain}").into_bytes(),
        Spelling::TrailingGarbage => format!("{plain}x").into_bytes(),
        Spelling::DuplicateMember => with_first_member_again(value).unwrap_or(plain).into_bytes(),
        Spelling::Truncated => plain.into_bytes().split_at(value.to_string().len() / 2).0.to_vec(),
    }
}

fn with_first_member_again(value: &Json) -> Option<String> {
    let (name, member) = value.as_object()?.iter().next()?;
    let text = value.to_string();
    Some(format!("{},{}:{member}}}", text.strip_suffix('}')?, Json::from(name.as_str())))
}

fn reordered(value: &Json, order: &dyn Fn(&mut Vec<&String>)) -> Json {
    match value {
        Json::Array(items) => Json::Array(items.iter().map(|item| reordered(item, order)).collect()),
        Json::Object(members) => {
            let mut names: Vec<&String> = members.keys().collect();
            order(&mut names);
            let pairs = names.into_iter().filter_map(|name| Some((name.clone(), members.get(name)?)));
            Json::Object(pairs.map(|(name, member)| (name, reordered(member, order))).collect::<Map<_, _>>())
        }
        other => other.clone(),
    }
}

fn written(value: &Json, formatter: impl Formatter) -> Vec<u8> {
    let mut text = Vec::new();
    // A value written into memory: there is nothing that could fail.
    let _ = value.serialize(&mut Serializer::with_formatter(&mut text, formatter));
    text
}

/// White space of all four kinds (RFC 8259, section 2) wherever it is allowed.
struct Spaced;

const SPACE: &[u8] = b" \t\r\n";

impl Formatter for Spaced {
    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b"[")?;
        writer.write_all(SPACE)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(SPACE)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(SPACE)?;
        writer.write_all(b"{")?;
        writer.write_all(SPACE)
    }

    fn end_object_key<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(SPACE)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(SPACE)
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b"}")?;
        writer.write_all(SPACE)
    }
}

/// Every character as `\uXXXX`, in names too.
struct Escaped;

impl Formatter for Escaped {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        fragment.encode_utf16().try_for_each(|unit| write!(writer, "\\u{unit:04X}"))
    }

    fn write_char_escape<W: ?Sized + Write>(&mut self, writer: &mut W, escape: CharEscape) -> io::Result<()> {
        let code = match escape {
            CharEscape::Quote => b'"',
            CharEscape::ReverseSolidus => b'\\',
            CharEscape::Solidus => b'/',
            CharEscape::Backspace => 0x08,
            CharEscape::FormFeed => 0x0c,
            CharEscape::LineFeed => b'\n',
            CharEscape::CarriageReturn => b'\r',
            CharEscape::Tab => b'\t',
            CharEscape::AsciiControl(code) => code,
        };
        write!(writer, "\\u{code:04x}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_spelling_keeps_the_value() {
        let value = json!({"b/c": "é\n\"x\"😀/", "a": [1, {"z": null, "y": 1.5}], "e": [], "o": {}});
        let same = [
            Spelling::Pretty,
            Spelling::Spaced,
            Spelling::Sorted,
            Spelling::ReverseMembers,
            Spelling::Escaped,
            Spelling::EscapedSlashes,
        ];
        for spelling in same {
            let text = spelt(&value, spelling);
            assert_ne!(text, value.to_string().into_bytes(), "{spelling:?}");
            let read: Json = serde_json::from_slice(&text).unwrap();
            assert_eq!(read, value, "{spelling:?}");
        }
        assert!(String::from_utf8(spelt(&value, Spelling::Escaped)).unwrap().contains(r"\uD83D\uDE00"));
    }

    #[test]
    fn a_broken_spelling_is_no_json() {
        let value = json!({"a": "b", "c": 1});
        for spelling in [Spelling::ByteOrderMark, Spelling::TrailingGarbage, Spelling::Truncated] {
            assert!(serde_json::from_slice::<Json>(&spelt(&value, spelling)).is_err(), "{spelling:?}");
        }
        assert_eq!(spelt(&value, Spelling::DuplicateMember), br#"{"a":"b","c":1,"a":"b"}"#);
    }
}
