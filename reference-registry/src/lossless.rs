//! JSON as it stands in a database that another program wrote: every number keeps its digits.
//!
//! `serde_json::Value` would round what is beyond 64 bits, and a signature over the digits could no longer be
//! checked.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::strict_json::{self, JsonError};

/// Deepest nesting that is read. Python's registries store up to about a thousand levels; no manifest needs them.
const MAX_DEPTH: usize = 512;

/// A JSON value. Of two members with one name the last is kept, as every registry of the field does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    /// As it is spelled.
    Number(String),
    Text(String),
    List(Vec<Self>),
    Object(Vec<(String, Self)>),
}

/// Why a text was not read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LosslessError {
    #[error("not JSON: {0}")]
    Malformed(#[from] serde_json::Error),
    #[error("nests deeper than {MAX_DEPTH} levels")]
    TooDeep,
    #[error("a member is written twice")]
    Twice,
}

impl Json {
    pub(crate) fn read(text: &str) -> Result<Self, LosslessError> {
        value(serde_json::from_str(text)?, 0)
    }

    /// What a registry wrote itself: none writes a member twice.
    pub(crate) fn read_own(text: &str) -> Result<Self, LosslessError> {
        match strict_json::parse(text.as_bytes()) {
            Err(JsonError::DuplicateMember) => Err(LosslessError::Twice),
            _ => Self::read(text),
        }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => members.iter().find(|(found, _)| found == name).map(|(_, value)| value),
            _ => None,
        }
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The text of a member, if it is one.
    pub(crate) fn text_of(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Self::text)
    }

    /// The text of a member, or the digits of one that is a number: Python's registries store both as text.
    pub(crate) fn words_of(&self, name: &str) -> Option<&str> {
        match self.get(name) {
            Some(Self::Text(words) | Self::Number(words)) => Some(words),
            _ => None,
        }
    }

    /// The names of the members, in their order; none of what is no object.
    pub(crate) fn names(&self) -> Vec<&str> {
        match self {
            Self::Object(members) => members.iter().map(|(name, _)| name.as_str()).collect(),
            _ => Vec::new(),
        }
    }

    /// The items of a member that is a list; none otherwise.
    pub(crate) fn list_of(&self, name: &str) -> &[Self] {
        match self.get(name) {
            Some(Self::List(items)) => items,
            _ => &[],
        }
    }
}

/// As it is written, in one line.
impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(truth) => truth.fmt(f),
            Self::Number(digits) => f.write_str(digits),
            Self::Text(text) => f.write_str(&quoted(text)),
            Self::List(items) => {
                let items: Vec<String> = items.iter().map(ToString::to_string).collect();
                write!(f, "[{}]", items.join(","))
            }
            Self::Object(members) => {
                let members: Vec<String> =
                    members.iter().map(|(name, member)| format!("{}:{member}", quoted(name))).collect();
                write!(f, "{{{}}}", members.join(","))
            }
        }
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn value(raw: &RawValue, depth: usize) -> Result<Json, LosslessError> {
    if depth > MAX_DEPTH {
        return Err(LosslessError::TooDeep);
    }
    let text = raw.get();
    Ok(match text.bytes().next() {
        Some(b'{') => object(text, depth)?,
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(text)?;
            Json::List(items.into_iter().map(|item| value(item, depth + 1)).collect::<Result<_, _>>()?)
        }
        Some(b'"') => Json::Text(serde_json::from_str(text)?),
        Some(b'n') => Json::Null,
        Some(b't' | b'f') => Json::Bool(text == "true"),
        _ => Json::Number(text.to_owned()),
    })
}

fn object(text: &str, depth: usize) -> Result<Json, LosslessError> {
    let Members(read) = serde_json::from_str(text)?;
    let mut places = std::collections::HashMap::new();
    let mut members: Vec<(String, Json)> = Vec::with_capacity(read.len());
    for (name, raw) in read {
        let member = value(raw, depth + 1)?;
        let place = *places.entry(name.clone()).or_insert(members.len());
        match members.get_mut(place) {
            Some((_, earlier)) => *earlier = member,
            None => members.push((name, member)),
        }
    }
    Ok(Json::Object(members))
}

/// The members of an object in their order, values unread.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Members(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_digits_and_the_last_member_of_a_name_counts() {
        let read =
            Json::read(r#" {"a":1.0,"b":[18446744073709551616,-0,1E400],"a":null,"\u0062":"é"} "#).unwrap();
        let expected = Json::Object(vec![
            (String::from("a"), Json::Null),
            (String::from("b"), Json::Text(String::from("é"))),
        ]);
        assert_eq!(read, expected);
        let digits = Json::read("[18446744073709551616,-0,1E400]").unwrap();
        let number = |text: &str| Json::Number(text.to_owned());
        assert_eq!(digits, Json::List(vec![number("18446744073709551616"), number("-0"), number("1E400")]));
    }

    #[test]
    fn what_is_no_json_or_too_deep_is_refused() {
        for text in ["", "{", "NaN", "[01]", "{\"a\":1}x", "\u{feff}{}"] {
            assert!(Json::read(text).is_err(), "{text}");
        }
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(Json::read(&nested(MAX_DEPTH)).is_ok());
        assert!(matches!(Json::read(&nested(MAX_DEPTH + 2)), Err(LosslessError::TooDeep)));
        assert!(Json::read(&nested(100_000)).is_err());
    }
}
