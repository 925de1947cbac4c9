//! Values compared as JSON, and texts from outside.

use assayer_verifier::{Document, Kind, Scheme, Value, canonicalize};
use serde_json::Value as Json;

/// Whether two values are the same as JSON: members in any order, numbers by value.
pub(crate) fn is_same(found: Value<'_>, expected: &Json) -> bool {
    match (expected, found.kind()) {
        (Json::String(expected), Kind::String) => found.as_str().is_some_and(|found| found == *expected),
        (Json::String(_), _) | (_, Kind::String) => false,
        (Json::Number(number), Kind::Number) => match (small(number.as_u64()), small(found.as_u64())) {
            (Some(expected), Some(found)) => found == expected,
            _ => same_json(found, expected, "").is_ok(),
        },
        _ => same_json(found, expected, "").is_ok(),
    }
}

/// An integer that a double holds exactly: it has one value, however numbers are read.
fn small(number: Option<u64>) -> Option<u64> {
    number.filter(|number| *number < 1 << 53)
}

/// Compares as JSON values; else in words what differs, and where.
pub(crate) fn same_json(found: Value<'_>, expected: &Json, at: &str) -> Result<(), String> {
    if let Json::String(_) = expected
        && is_same(found, expected)
    {
        return Ok(());
    }
    let text = expected.to_string();
    let document =
        Document::read(text.as_bytes(), &crate::client::ANSWER_LIMITS).map_err(|error| error.to_string())?;
    difference(found, document.root(), at).map_or(Ok(()), Err)
}

/// The first difference, as deep as it can be named.
pub(super) fn difference(found: Value<'_>, expected: Value<'_>, at: &str) -> Option<String> {
    let canonical = |value| canonicalize(value, Scheme::SerdeJcs01).ok();
    if canonical(found).is_some() && canonical(found) == canonical(expected) {
        return None;
    }
    if found.kind() == Kind::Object && expected.kind() == Kind::Object {
        for (key, value) in expected.members() {
            let name = key.as_str().unwrap_or_default();
            let mut place = at.to_owned();
            assayer_verifier::push_token(&mut place, &name);
            match found.get(&name) {
                None => {
                    return Some(format!("{place}: expected {}, found no such member", shown(value.raw())));
                }
                Some(other) => {
                    if let Some(text) = difference(other, value, &place) {
                        return Some(text);
                    }
                }
            }
        }
        let more = found.members().find(|(key, _)| expected.get(&key.as_str().unwrap_or_default()).is_none());
        if let Some((key, _)) = more {
            return Some(format!("{at}: expected no member {}, found one", key.raw()));
        }
    }
    let place = if at.is_empty() { "the body" } else { at };
    Some(format!("{place}: expected {}, found {}", shown(expected.raw()), shown(found.raw())))
}

/// No text from outside is repeated at length, or over several lines.
pub(crate) fn shown(text: &str) -> String {
    const MOST: usize = 160;
    let line: String = text.chars().take(MOST).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().count() > MOST { format!("{line}…") } else { line }
}
