//! What a rule can ask of an exchange.

use std::collections::BTreeMap;

use assayer_vectors::{When, Wire};
use percent_encoding::percent_decode_str;
use serde_json::Value as Json;
use wildmatch::WildMatch;

use super::document::places;
use super::message::{Fields, Reply, Request, field, json_of};

/// The calls of a wire profile, to find out which one a request is.
pub(super) struct Calls(Vec<(String, String, String)>);

impl Calls {
    pub(super) fn of(wire: &Wire) -> Self {
        let calls = wire.calls.iter();
        Self(calls.map(|(name, call)| (name.clone(), call.method.clone(), call.path.clone())).collect())
    }

    /// The call and the variables of its path: of the same method rather than of another, and of the template that says more.
    pub(super) fn find(&self, method: &str, path: &str) -> Option<(String, BTreeMap<String, String>)> {
        let of_path = self.0.iter().filter_map(|(name, its, template)| {
            let literal = template.len() - template.matches(['{', '}']).count();
            path_variables(template, path).map(|found| (name, (its == method, literal), found))
        });
        let found = of_path.max_by_key(|(_, rank, _)| *rank);
        found.map(|(name, _, variables)| (name.clone(), variables))
    }
}

/// The values of the variables of a URI Template (RFC 6570, level 1) in a path, if it is of that form.
pub(crate) fn path_variables(template: &str, path: &str) -> Option<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    let (templates, parts): (Vec<&str>, Vec<&str>) =
        (template.split('/').collect(), path.split('/').collect());
    if templates.len() != parts.len() {
        return None;
    }
    for (expected, part) in templates.into_iter().zip(parts) {
        match expected.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?))) {
            None if expected == part => {}
            None => return None,
            Some((before, (name, after))) => {
                let value = part.strip_prefix(before)?.strip_suffix(after)?;
                let value = percent_decode_str(value).decode_utf8_lossy().into_owned();
                found.insert(name.to_owned(), value);
            }
        }
    }
    Some(found)
}

/// A request as it came, and what it is.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) call: Option<String>,
    pub(super) path: BTreeMap<String, String>,
    pub(super) headers: Fields,
    pub(super) body: Option<Json>,
    method: String,
    target: String,
    bytes: usize,
}

impl Seen {
    pub(super) fn of(request: &Request, calls: &Calls) -> Self {
        let path = request.target.split_once('?').map_or(request.target.as_str(), |(path, _)| path);
        let (call, path) = calls.find(&request.method, path).unzip();
        Self {
            call,
            path: path.unwrap_or_default(),
            headers: request.headers.clone(),
            body: json_of(&request.body),
            method: request.method.clone(),
            target: request.target.clone(),
            bytes: request.body.len(),
        }
    }

    /// Whether it is one of these calls; if there are none, whatever it is.
    pub(super) fn is_of(&self, calls: &[String]) -> bool {
        calls.is_empty() || self.call.as_ref().is_some_and(|call| calls.contains(call))
    }
}

/// Whether all conditions but that on the turn are met.
pub(super) fn hold(when: &When, seen: &Seen, reply: Option<&Reply>) -> bool {
    of_request(when, seen) && of_reply(when, reply)
}

fn of_request(when: &When, seen: &Seen) -> bool {
    let matches = |pattern: &str, found: &str| WildMatch::new(pattern).matches(found);
    let has_field = |(name, pattern): (&String, &String)| {
        field(&seen.headers, name).is_some_and(|found| matches(pattern, &String::from_utf8_lossy(found)))
    };
    when.method.as_ref().is_none_or(|method| *method == seen.method)
        && when.target.as_ref().is_none_or(|pattern| matches(pattern, &seen.target))
        && when.headers.iter().all(has_field)
        && when.without_headers.iter().all(|name| field(&seen.headers, name).is_none())
        && when.request_bytes.is_none_or(|least| seen.bytes >= least)
        && has_values(seen.body.as_ref(), &when.request)
        && has_places(seen.body.as_ref(), &when.request_has)
        && when.request_lacks.iter().all(|place| !has(seen.body.as_ref(), place))
}

fn of_reply(when: &When, reply: Option<&Reply>) -> bool {
    let asks_document = !when.document.is_empty() || !when.document_has.is_empty();
    let Some(reply) = reply else {
        return when.status.is_none() && when.accepted.is_none() && !asks_document;
    };
    let document = if asks_document { json_of(&reply.body) } else { None };
    when.status.is_none_or(|status| status == reply.status)
        && when.accepted.is_none_or(|accepted| accepted == reply.is_success())
        && has_values(document.as_ref(), &when.document)
        && has_places(document.as_ref(), &when.document_has)
}

/// Conditions on a document inside of the registry.
pub(super) fn hold_for_document(when: &When, document: &Json) -> bool {
    has_values(Some(document), &when.document) && has_places(Some(document), &when.document_has)
}

fn has(document: Option<&Json>, pointer: &str) -> bool {
    document.is_some_and(|document| {
        places(document, pointer).iter().any(|place| document.pointer(place).is_some())
    })
}

fn has_places(document: Option<&Json>, pointers: &[String]) -> bool {
    pointers.iter().all(|pointer| has(document, pointer))
}

/// At one of the places that a pointer means, at least, stands this value.
fn has_values(document: Option<&Json>, values: &BTreeMap<String, Json>) -> bool {
    values.iter().all(|(pointer, expected)| {
        document.is_some_and(|document| {
            places(document, pointer).iter().any(|place| document.pointer(place) == Some(expected))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_the_call_of_its_path_and_if_there_are_several_of_its_method() {
        let calls = [("a", "GET", "/x/{id}.png"), ("b", "POST", "/x/{id}.png"), ("c", "GET", "/x")];
        let calls = Calls(calls.map(|(name, method, path)| (name.into(), method.into(), path.into())).into());
        let found = |method, path| calls.find(method, path);
        let (name, path) = found("GET", "/x/1%2F2.png").unwrap();
        assert_eq!((name.as_str(), path["id"].as_str()), ("a", "1/2"));
        assert_eq!(found("POST", "/x/1.png").unwrap().0, "b");
        assert_eq!(found("HEAD", "/x").unwrap().0, "c");
        assert_eq!(found("GET", "/x/1"), None);
        assert_eq!(found("GET", "/y"), None);
    }
}
