//! Where what an archive says and what follows from it part ways.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::judge::shown;

/// No list of differences is longer; the rest is counted.
pub(crate) const MOST: usize = 100;

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Difference {
    /// The file of the archive.
    pub file: String,
    /// Where in it: a JSON Pointer, in which items of lists go by their names, or a line; empty for the file as a whole.
    pub at: String,
    /// What the archive says.
    pub recorded: String,
    /// What follows from its transcript and suite.
    pub derived: String,
}

impl Difference {
    pub(crate) fn new(file: &str, at: &str, recorded: impl ToString, derived: impl ToString) -> Self {
        let (recorded, derived) = (shown(&recorded.to_string()), shown(&derived.to_string()));
        Self { file: file.to_owned(), at: at.to_owned(), recorded, derived }
    }
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { file, at, recorded, derived } = self;
        let space = if at.is_empty() { "" } else { " " };
        write!(f, "{file}{space}{at}: recorded {recorded}, derived {derived}")
    }
}

/// A file that is longer by far than what follows is not read as JSON: its length says enough, and it may be made to fill memory.
fn is_comparable(recorded: &[u8], derived: &[u8]) -> bool {
    recorded.len() <= 4 * derived.len() + (1 << 20)
}

/// The differences of two files: none if their bytes are the same, and at least one if they are not.
pub(crate) fn of_files(file: &str, recorded: &[u8], derived: &[u8]) -> Vec<Difference> {
    if recorded == derived {
        return Vec::new();
    }
    if !is_comparable(recorded, derived) {
        let bytes = |bytes: &[u8]| format!("{} bytes", bytes.len());
        return vec![Difference::new(file, "", bytes(recorded), bytes(derived))];
    }
    let mut found = Vec::new();
    match (serde_json::from_slice::<Json>(recorded), serde_json::from_slice::<Json>(derived)) {
        (Ok(recorded), Ok(derived)) => of_values(file, "", &recorded, &derived, &mut found),
        (Err(error), Ok(_)) => found.push(Difference::new(file, "", error, "a JSON document")),
        (_, Err(_)) => {}
    }
    if found.is_empty() {
        let same = recorded.iter().zip(derived).take_while(|(one, other)| one == other).count();
        let line = derived.iter().take(same).filter(|byte| **byte == b'\n').count() + 1;
        found.push(Difference::new(
            file,
            &format!("line {line}"),
            line_at(recorded, same),
            line_at(derived, same),
        ));
    }
    found
}

/// The line that a byte stands in.
fn line_at(bytes: &[u8], position: usize) -> String {
    let before = bytes.get(..position).unwrap_or(bytes);
    let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let line = bytes.get(start..).unwrap_or_default().split(|byte| *byte == b'\n').next().unwrap_or_default();
    String::from_utf8_lossy(line).into_owned()
}

fn of_values(file: &str, at: &str, recorded: &Json, derived: &Json, found: &mut Vec<Difference>) {
    if recorded == derived {
        return;
    }
    match (children(recorded), children(derived)) {
        (Some(old), Some(new)) if recorded.is_object() == derived.is_object() => {
            let before = found.len();
            for (name, value) in &old {
                let below = format!("{at}/{name}");
                match new.iter().find(|(other, _)| other == name) {
                    Some((_, other)) => of_values(file, &below, value, other, found),
                    None => found.push(Difference::new(file, &below, value, "nothing")),
                }
            }
            for (name, value) in new.iter().filter(|(name, _)| !old.iter().any(|(other, _)| other == name)) {
                found.push(Difference::new(file, &format!("{at}/{name}"), "nothing", value));
            }
            if found.len() == before {
                found.push(Difference::new(file, at, "the same items", "another order of them"));
            }
        }
        _ => found.push(Difference::new(file, at, recorded, derived)),
    }
}

/// Members by name; items by what they name themselves, or by their place.
fn children(value: &Json) -> Option<Vec<(String, &Json)>> {
    match value {
        Json::Object(members) => Some(members.iter().map(|(name, value)| (name.clone(), value)).collect()),
        Json::Array(items) => {
            let named = |item: &Json| {
                let name = item.get("id").or_else(|| item.get("check"))?;
                name.as_str().map(str::to_owned)
            };
            let items = items.iter().enumerate();
            Some(
                items.map(|(place, item)| (named(item).unwrap_or_else(|| place.to_string()), item)).collect(),
            )
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_named_and_none_is_lost() {
        let of = |recorded: &str, derived: &str| {
            let found = of_files("report.json", recorded.as_bytes(), derived.as_bytes());
            found.iter().map(ToString::to_string).collect::<Vec<String>>()
        };
        assert_eq!(of("{\"a\":1}", "{\"a\":1}"), Vec::<String>::new());
        let (one, other) = (r#"[{"id":"x","s":"fail"}]"#, r#"[{"id":"x","s":"pass"}]"#);
        assert_eq!(of(one, other), [r#"report.json /x/s: recorded "fail", derived "pass""#]);
        assert_eq!(of(one, "[]").len(), 1);
        assert_eq!(of("[1,2]", "[1,2,3]"), ["report.json /2: recorded nothing, derived 3"]);
        for (recorded, derived) in [
            ("{\"a\":1}", "{ \"a\":1}"),
            (r#"[{"id":"x"},{"id":"y"}]"#, r#"[{"id":"y"},{"id":"x"}]"#),
            ("text", "{}"),
            ("one\ntwo", "one\ntoo"),
            ("{}", "[]"),
            ("", "{}"),
        ] {
            assert!(!of(recorded, derived).is_empty(), "{recorded} {derived}");
        }
        let long = format!("[{}]", "0,".repeat(1 << 20));
        assert_eq!(of(&long, "[]"), ["report.json: recorded 2097154 bytes, derived 2 bytes"]);
    }
}
