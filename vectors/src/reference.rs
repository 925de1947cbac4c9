//! References in data: `$name` and `$name#/pointer` stand for a whole value, `${name}` for a text within a text.

use serde_json::Value as Json;

/// A reference: a name, and a JSON Pointer below it (empty for the whole).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    /// Name of a value, a fixture or an exchange, or `each`.
    pub name: String,
    /// JSON Pointer (RFC 6901).
    pub pointer: String,
}

impl std::fmt::Display for Reference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.pointer.is_empty() {
            write!(f, "${}", self.name)
        } else {
            write!(f, "${}#{}", self.name, self.pointer)
        }
    }
}

/// A reference that leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not there")]
pub struct Unresolved(pub Reference);

impl Reference {
    fn parse(text: &str) -> Option<Self> {
        let (name, pointer) = text.split_once('#').unwrap_or((text, ""));
        let plain = !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        let points = pointer.is_empty() || pointer.starts_with('/');
        (plain && points).then(|| Self { name: name.to_owned(), pointer: pointer.to_owned() })
    }

    /// The reference that a text is as a whole, if it is one.
    #[must_use]
    pub fn whole(text: &str) -> Option<Self> {
        Self::parse(text.strip_prefix('$').filter(|rest| !rest.starts_with('{'))?)
    }
}

/// One stretch of a text: as it is, or a reference to a text.
enum Part<'t> {
    Plain(&'t str),
    Named(Reference),
}

fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((inner, tail)) = after.split_once('}') else { break };
        let Some(reference) = Reference::parse(inner) else { break };
        parts.push(Part::Plain(before));
        parts.push(Part::Named(reference));
        rest = tail;
    }
    parts.push(Part::Plain(rest));
    parts
}

/// Every reference in a JSON value, member names set aside.
#[must_use]
pub fn references(value: &Json) -> Vec<Reference> {
    match value {
        Json::String(text) => references_in_text(text),
        Json::Array(items) => items.iter().flat_map(references).collect(),
        Json::Object(members) => members.values().flat_map(references).collect(),
        Json::Null | Json::Bool(_) | Json::Number(_) => Vec::new(),
    }
}

/// Every reference in a text.
#[must_use]
pub fn references_in_text(text: &str) -> Vec<Reference> {
    if let Some(reference) = Reference::whole(text) {
        return vec![reference];
    }
    let named = |part| match part {
        Part::Named(reference) => Some(reference),
        Part::Plain(_) => None,
    };
    parts(text).into_iter().filter_map(named).collect()
}

/// Puts values in the place of references, at every depth.
///
/// # Errors
/// [`Unresolved`] with the first reference for which `look_up` has nothing.
pub fn resolve(value: &Json, look_up: &dyn Fn(&Reference) -> Option<Json>) -> Result<Json, Unresolved> {
    Ok(match value {
        Json::String(text) => resolve_text(text, look_up)?,
        Json::Array(items) => {
            Json::Array(items.iter().map(|item| resolve(item, look_up)).collect::<Result<_, _>>()?)
        }
        Json::Object(members) => {
            let resolved = members.iter().map(|(name, member)| Ok((name.clone(), resolve(member, look_up)?)));
            Json::Object(resolved.collect::<Result<_, Unresolved>>()?)
        }
        Json::Null | Json::Bool(_) | Json::Number(_) => value.clone(),
    })
}

fn resolve_text(text: &str, look_up: &dyn Fn(&Reference) -> Option<Json>) -> Result<Json, Unresolved> {
    let find = |reference: &Reference| look_up(reference).ok_or_else(|| Unresolved(reference.clone()));
    if let Some(reference) = Reference::whole(text) {
        return find(&reference);
    }
    let mut out = String::new();
    for part in parts(text) {
        match part {
            Part::Plain(plain) => out.push_str(plain),
            Part::Named(reference) => match find(&reference)? {
                Json::String(text) => out.push_str(&text),
                other => out.push_str(&other.to_string()),
            },
        }
    }
    Ok(Json::String(out))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn whole_texts_become_values_and_parts_become_texts() {
        let look_up = |reference: &Reference| match (reference.name.as_str(), reference.pointer.as_str()) {
            ("n", "") => Some(json!(7)),
            ("m", "/a") => Some(json!([1])),
            _ => None,
        };
        let data = json!({"x": "$n", "y": ["$m#/a", "a ${n} b"], "z": "$ 5", "w": "costs $"});
        let found = resolve(&data, &look_up).unwrap();
        assert_eq!(found, json!({"x": 7, "y": [[1], "a 7 b"], "z": "$ 5", "w": "costs $"}));
        assert_eq!(references(&data).len(), 3);
        let error = resolve(&json!("$m#/b"), &look_up).unwrap_err();
        assert_eq!(error.to_string(), "$m#/b is not there");
    }
}
