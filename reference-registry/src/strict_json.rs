//! A JSON reader that accepts one reading of its input or none (RFC 8259, RFC 7493).
//!
//! `serde_json` alone keeps the last of two members with one name and turns big integers into doubles.
//! Both would let a signed text and its reading differ, so this reader builds the value itself.

use std::{cell::Cell, fmt};

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value, map::Entry};

/// Deepest nesting that is read; the outermost array or object is level 1.
pub(crate) const MAX_DEPTH: u8 = 128;

/// Largest magnitude up to which every integer is an IEEE double (RFC 8785, section 3.2.2.3).
const MAX_EXACT: u64 = 1 << 53;

/// Most values that a body may have: ten times what the largest manifest needs beside its sidecars.
const MAX_VALUES: usize = 100_000;

/// Why a text was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum JsonError {
    #[error("body has two members of one name in an object")]
    DuplicateMember,
    #[error("body is empty where JSON is expected")]
    Empty,
    #[error("body has an integer beyond 2^53, which RFC 8785 cannot represent exactly")]
    InexactInteger,
    #[error("body is not well-formed JSON in UTF-8")]
    Malformed,
    #[error("body nests deeper than 128 levels")]
    TooDeep,
    #[error("body has more than 100,000 values")]
    TooMany,
}

/// Reads one JSON text and nothing around it but white space.
pub(crate) fn parse(bytes: &[u8]) -> Result<Value, JsonError> {
    counted(bytes, usize::MAX).map(|(value, _)| value)
}

/// The same for a text from outside, which may have 100,000 values; gives their number, for each takes more memory than its text.
pub(crate) fn parse_body(bytes: &[u8]) -> Result<(Value, usize), JsonError> {
    counted(bytes, MAX_VALUES)
}

fn counted(bytes: &[u8], most: usize) -> Result<(Value, usize), JsonError> {
    if bytes.is_empty() {
        return Err(JsonError::Empty);
    }
    let (reason, left) = (Cell::new(JsonError::Malformed), Cell::new(most));
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    reader.disable_recursion_limit();
    let root = Strict { depth: 0, reason: &reason, left: &left };
    let value = root.deserialize(&mut reader).map_err(|_| reason.get())?;
    reader.end().map_err(|_| JsonError::Malformed)?;
    match has_inexact_integer(bytes) {
        true => Err(JsonError::InexactInteger),
        false => Ok((value, most - left.get())),
    }
}

/// Builds one value; `reason` carries the typed error out, since serde's own carries only text.
#[derive(Clone, Copy)]
struct Strict<'a> {
    depth: u8,
    reason: &'a Cell<JsonError>,
    /// Values that may still come.
    left: &'a Cell<usize>,
}

impl Strict<'_> {
    fn refuse<E: serde::de::Error>(self, reason: JsonError) -> E {
        self.reason.set(reason);
        E::custom(reason)
    }

    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth >= MAX_DEPTH {
            return Err(self.refuse(JsonError::TooDeep));
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        let left = self.left.get().checked_sub(1).ok_or_else(|| self.refuse(JsonError::TooMany))?;
        self.left.set(left);
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("number is not finite"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let Entry::Vacant(place) = object.entry(name) else {
                return Err(self.refuse(JsonError::DuplicateMember));
            };
            place.insert(members.next_value_seed(inner)?);
        }
        Ok(Value::Object(object))
    }
}

/// Looks at the spelling of the numbers, because the reader turns an integer beyond 64 bits into a double
/// that cannot be told from one the sender wrote as `1e20`. Expects well-formed JSON.
fn has_inexact_integer(json: &[u8]) -> bool {
    let mut rest = json;
    while let Some((first, tail)) = rest.split_first() {
        rest = match first {
            b'"' => after_string(tail),
            b'-' | b'0'..=b'9' => {
                let length = rest.iter().take_while(|byte| is_number_byte(**byte)).count();
                let (number, after) = rest.split_at(length);
                if is_inexact_integer(number) {
                    return true;
                }
                after
            }
            _ => tail,
        };
    }
    false
}

fn after_string(mut rest: &[u8]) -> &[u8] {
    loop {
        rest = match rest {
            [] => return rest,
            [b'"', tail @ ..] => return tail,
            [b'\\', _, tail @ ..] | [_, tail @ ..] => tail,
        };
    }
}

fn is_number_byte(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E')
}

fn is_inexact_integer(number: &[u8]) -> bool {
    let digits = number.strip_prefix(b"-").unwrap_or(number);
    if !digits.iter().all(u8::is_ascii_digit) {
        return false;
    }
    let value = str::from_utf8(digits).ok().and_then(|text| text.parse::<u64>().ok());
    value.is_none_or(|value| value > MAX_EXACT)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &[u8]) -> JsonError {
        parse(text).unwrap_err()
    }

    #[test]
    fn one_reading_is_accepted() {
        let text = r#" {"a":[1,-2,0.5,1e400e],"b":null} "#.replace("1e400e", "1e300");
        assert_eq!(parse(text.as_bytes()).unwrap(), serde_json::json!({"a": [1, -2, 0.5, 1e300], "b": null}));
    }

    #[test]
    fn duplicate_members_are_refused_at_every_level_and_spelling() {
        for text in [r#"{"a":1,"a":1}"#, r#"[{"b":{"a":1,"\u0061":2}}]"#] {
            assert_eq!(refused(text.as_bytes()), JsonError::DuplicateMember);
        }
        assert!(parse(br#"{"a":{"a":1}}"#).is_ok());
    }

    #[test]
    fn malformed_texts_are_refused() {
        let texts: [&[u8]; 9] = [
            b"{} x",
            b"{}{}",
            b"[01]",
            b"\"\\ud800\"",
            b"\"\xff\"",
            b"[1e400]",
            b"NaN",
            b"\xef\xbb\xbf{}",
            b"\"\x01\"",
        ];
        for text in texts {
            assert_eq!(refused(text), JsonError::Malformed, "{text:?}");
        }
        assert_eq!(refused(b""), JsonError::Empty);
    }

    #[test]
    fn integers_are_exact_or_refused() {
        for text in [
            "9007199254740993",
            "-9007199254740993",
            "18446744073709551616",
            "[1,{\"a\":1000000000000000000000}]",
        ] {
            assert_eq!(refused(text.as_bytes()), JsonError::InexactInteger, "{text}");
        }
        for text in [
            "9007199254740992",
            "-9007199254740992",
            "1e20",
            "\"9007199254740993\"",
            r#"["\"9007199254740993","\\",1]"#,
        ] {
            assert!(parse(text.as_bytes()).is_ok(), "{text}");
        }
    }

    #[test]
    fn values_of_a_body_are_counted() {
        assert_eq!(parse_body(br#"{"a":[1,{"b":null}],"c":""}"#).unwrap().1, 6);
        let list = |count: usize| format!("[{}0]", "0,".repeat(count - 2));
        assert_eq!(parse_body(list(100_000).as_bytes()).unwrap().1, 100_000);
        assert_eq!(parse_body(list(100_001).as_bytes()).unwrap_err(), JsonError::TooMany);
        assert!(parse(list(100_001).as_bytes()).is_ok());
    }

    #[test]
    fn nesting_is_counted() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(parse(nested(128).as_bytes()).is_ok());
        assert_eq!(refused(nested(129).as_bytes()), JsonError::TooDeep);
        assert_eq!(refused("[".repeat(100_000).as_bytes()), JsonError::TooDeep);
    }
}
