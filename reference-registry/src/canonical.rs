//! Canonical bytes: RFC 8785, and the form of the announcement of v0.4.7.

use std::fmt::Write;

use serde_json::{Number, Value};

/// Largest magnitude up to which every integer is an IEEE double, and written as it is (RFC 8785, section 3.2.2.3).
const MAX_EXACT: u64 = 1 << 53;

/// The value has no canonical form. Values that came through the strict reader always have one.
#[derive(Debug, thiserror::Error)]
#[error("value has no RFC 8785 form")]
pub(crate) struct NotCanonical(#[from] serde_json::Error);

/// Which canonical form everything is signed and hashed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// RFC 8785.
    Jcs,
    /// `json.dumps(value, sort_keys=True, separators=(",", ":"))`: members in the order of code points, ASCII only.
    SortedAscii,
}

impl Form {
    /// As the well-known document calls it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Jcs => "RFC 8785",
            Self::SortedAscii => "json.dumps(sort_keys=True, separators=(\",\", \":\"))",
        }
    }

    /// The canonical bytes of a value.
    pub(crate) fn bytes(self, value: &Value) -> Result<Vec<u8>, NotCanonical> {
        let mut text = String::new();
        self.push(value, &mut text)?;
        Ok(text.into_bytes())
    }

    /// The canonical bytes of an object with these members, each name once.
    pub(crate) fn object<'v>(
        self,
        members: impl Iterator<Item = (&'v str, &'v Value)>,
    ) -> Result<Vec<u8>, NotCanonical> {
        let mut text = String::new();
        self.push_members(members.collect(), &mut text)?;
        Ok(text.into_bytes())
    }

    /// Appends the canonical text of a value.
    pub(crate) fn push(self, value: &Value, text: &mut String) -> Result<(), NotCanonical> {
        match value {
            Value::Null => text.push_str("null"),
            Value::Bool(truth) => text.push_str(if *truth { "true" } else { "false" }),
            Value::Number(number) => self.push_number(number, text)?,
            Value::String(string) => self.push_string(string, text),
            Value::Array(items) => {
                text.push('[');
                for (position, item) in items.iter().enumerate() {
                    text.push_str(if position > 0 { "," } else { "" });
                    self.push(item, text)?;
                }
                text.push(']');
            }
            Value::Object(members) => {
                let members = members.iter().map(|(name, member)| (name.as_str(), member));
                self.push_members(members.collect(), text)?;
            }
        }
        Ok(())
    }

    fn push_members(self, mut members: Vec<(&str, &Value)>, text: &mut String) -> Result<(), NotCanonical> {
        members.sort_unstable_by(|(a, _), (b, _)| match self {
            Self::Jcs => a.encode_utf16().cmp(b.encode_utf16()),
            Self::SortedAscii => a.cmp(b),
        });
        text.push('{');
        for (position, (name, member)) in members.into_iter().enumerate() {
            text.push_str(if position > 0 { "," } else { "" });
            self.push_string(name, text);
            text.push(':');
            self.push(member, text)?;
        }
        text.push('}');
        Ok(())
    }

    fn push_number(self, number: &Number, text: &mut String) -> Result<(), NotCanonical> {
        match self {
            Self::SortedAscii => push_number(number, text),
            Self::Jcs => match number.as_i64().filter(|integer| integer.unsigned_abs() <= MAX_EXACT) {
                Some(integer) => {
                    let _ = write!(text, "{integer}");
                }
                // ECMAScript's digits of a double are the library's.
                None => text.push_str(&serde_json_canonicalizer::to_string(number)?),
            },
        }
        Ok(())
    }

    /// A string in quotes, as this form escapes it.
    pub(crate) fn push_string(self, string: &str, text: &mut String) {
        match self {
            Self::Jcs => push_jcs_string(string, text),
            Self::SortedAscii => push_string(string, text),
        }
    }
}

/// Everything as it is but quotes, backslashes and control characters (RFC 8785, section 3.2.2.2).
fn push_jcs_string(string: &str, text: &mut String) {
    text.push('"');
    let mut rest = string;
    while let Some(at) = rest.bytes().position(|byte| byte < 0x20 || byte == b'"' || byte == b'\\') {
        let (plain, escaped) = rest.split_at(at);
        text.push_str(plain);
        let mut characters = escaped.chars();
        match characters.next() {
            Some('"') => text.push_str("\\\""),
            Some('\\') => text.push_str("\\\\"),
            Some('\n') => text.push_str("\\n"),
            Some('\r') => text.push_str("\\r"),
            Some('\t') => text.push_str("\\t"),
            Some('\u{8}') => text.push_str("\\b"),
            Some('\u{c}') => text.push_str("\\f"),
            other => {
                let _ = write!(text, "\\u{:04x}", other.map_or(0, u32::from));
            }
        }
        rest = characters.as_str();
    }
    text.push_str(rest);
    text.push('"');
}

/// Python's `repr`: an exponent of at least two digits below 1e-4 and from 1e16 on, and a fraction otherwise.
pub(crate) fn push_number(number: &Number, text: &mut String) {
    let Some(double) = number.as_f64().filter(|_| number.is_f64()) else {
        let _ = write!(text, "{number}");
        return;
    };
    let scientific = format!("{double:e}");
    match scientific
        .split_once('e')
        .and_then(|(digits, exponent)| Some((digits, exponent.parse::<i32>().ok()?)))
    {
        Some((digits, exponent)) if double != 0.0 && !(-4..16).contains(&exponent) => {
            let sign = if exponent < 0 { '-' } else { '+' };
            let _ = write!(text, "{digits}e{sign}{:02}", exponent.unsigned_abs());
        }
        _ => {
            let _ = write!(text, "{double:?}");
        }
    }
}

pub(crate) fn push_string(string: &str, text: &mut String) {
    text.push('"');
    for c in string.chars() {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '\u{8}' => text.push_str("\\b"),
            '\u{c}' => text.push_str("\\f"),
            ' '..='~' => text.push(c),
            _ => c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| {
                let _ = write!(text, "\\u{unit:04x}");
            }),
        }
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strict_json;

    fn canonical(text: &str) -> String {
        String::from_utf8(Form::Jcs.bytes(&strict_json::parse(text.as_bytes()).unwrap()).unwrap()).unwrap()
    }

    #[test]
    fn numbers_follow_ecmascript() {
        let numbers = "[1.0,1e2,1E-7,0.00001,1e20,1e21,-0,-0.0,9007199254740992,-5]";
        assert_eq!(
            canonical(numbers),
            "[1,100,1e-7,0.00001,100000000000000000000,1e+21,0,0,9007199254740992,-5]"
        );
    }

    #[test]
    fn members_are_ordered_by_utf16_code_units() {
        assert_eq!(
            canonical(r#"{"\ue000":1,"😀":2,"a b":3,"a":4}"#),
            "{\"a\":4,\"a b\":3,\"😀\":2,\"\u{e000}\":1}"
        );
    }

    #[test]
    fn strings_keep_everything_but_the_mandatory_escapes() {
        assert_eq!(
            canonical(r#"["é\u007f\u2028\/","\b\u001f\"\\"]"#),
            "[\"é\u{7f}\u{2028}/\",\"\\b\\u001f\\\"\\\\\"]"
        );
    }

    /// The library is a second opinion on all but the digits of doubles, which are its own.
    #[test]
    fn every_value_is_written_as_a_library_writes_it() {
        let texts = [
            r#"{"":{},"a":[[],[{}],null,true,false],"b\u0000":"","é":{"z":1,"aa":2,"a":3,"a\u0301":4}}"#,
            r#"{"\ue000":1,"\ud83d\ude00":2,"\uffff":3,"\ud800\udc00":4,"z":5,"\u007f":6,"\u0080":7,"\u07ff":8}"#,
            r#"["\"\\\/\b\f\n\r\t","\u0000\u0001\u000b\u001f\u007f\u0085\u2028","\ud83d\ude00\ufeff"]"#,
            "[0,-0,-1,1,9007199254740992,-9007199254740992,0.1,1e21,-1.5e-9,5e-324,1.7976931348623157e308]",
        ];
        for text in texts {
            let value = strict_json::parse(text.as_bytes()).unwrap();
            assert_eq!(canonical(text), serde_json_canonicalizer::to_string(&value).unwrap());
            let Value::Object(members) = &value else { continue };
            let object = Form::Jcs.object(members.iter().map(|(name, member)| (name.as_str(), member)));
            assert_eq!(String::from_utf8(object.unwrap()).unwrap(), canonical(text));
        }
        let beyond = Value::from(u64::MAX);
        let library = serde_json_canonicalizer::to_vec(&beyond).unwrap();
        assert_eq!(Form::Jcs.bytes(&beyond).unwrap(), library);
    }

    #[test]
    fn the_sorted_ascii_form_is_that_of_python() {
        let text = r#"{"é":"\u007f😀\b/","a":[1.0,1e16,1e-5,0.0001,-0.0,1e22,123456789.5,-7,null,true],"😀":1,"\ue000":2}"#;
        let value = strict_json::parse(text.as_bytes()).unwrap();
        let found = String::from_utf8(Form::SortedAscii.bytes(&value).unwrap()).unwrap();
        let expected = r#"{"a":[1.0,1e+16,1e-05,0.0001,-0.0,1e+22,123456789.5,-7,null,true],"\u00e9":"\u007f\ud83d\ude00\b/","\ue000":2,"\ud83d\ude00":1}"#;
        assert_eq!(found, expected);
    }
}
