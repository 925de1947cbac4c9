//! Questions that were asked more than once: as long as nothing is written, everybody gets the same answer.

use std::collections::BTreeMap;

use assayer_vectors::Repeatable;
use serde_json::Value as Json;

use crate::judge::{place, shown};
use crate::seen::Seen;

/// A question: call, path and query, body.
type Question<'t> = (&'t str, &'t str, Option<Vec<u8>>);

const UNAUTHORIZED: u16 = 401;

/// Whether the same question had the same answer while nothing was written; else in words what differs.
pub(crate) fn compare(seen: &[Seen<'_>], repeatable: &Repeatable) -> Result<(), String> {
    let mut known: BTreeMap<Question<'_>, (String, u16, Json)> = BTreeMap::new();
    for seen in seen {
        // What is sent at one moment with what writes can have either answer.
        let writes = !seen.call.adds.is_empty() || !seen.call.may_add.is_empty();
        let ends = match repeatable.until.is_empty() {
            true => writes || seen.moment.is_some(),
            false => repeatable.until.iter().any(|name| name == seen.name),
        };
        if ends {
            known.clear();
        }
        let is_meant = repeatable.calls.iter().any(|name| name == seen.name) && seen.is_asked_rightly();
        let Some(answer) = seen.answer.filter(|_| is_meant && seen.moment.is_none()) else { continue };
        // Who is not let in has asked nothing; credentials are not written down, so they cannot be compared.
        if answer.status == UNAUTHORIZED {
            continue;
        }
        let Ok(mut body) = serde_json::from_slice::<Json>(&answer.body()) else { continue };
        repeatable.except.iter().for_each(|pointer| take_away(&mut body, pointer));
        let question = (seen.name, seen.request.target.as_str(), seen.request.bytes());
        let Some((before, status, earlier)) = known.get(&question) else {
            known.insert(question, (place(seen.recorded), answer.status, body));
            continue;
        };
        if *status != answer.status {
            let (here, found) = (place(seen.recorded), answer.status);
            return Err(format!("{here}: status: expected {status} as in {before}, found {found}"));
        }
        let (mut earlier, mut later) = (earlier.clone(), body);
        for (list, key) in &repeatable.growing {
            keep_common(&mut earlier, &mut later, list, key);
        }
        if let Some((at, expected, found)) = difference(&earlier, &later, "") {
            let here = place(seen.recorded);
            return Err(format!("{here}: {at}: expected {expected} as in {before}, found {found}"));
        }
    }
    Ok(())
}

/// Keeps those items of a list that are in both answers.
fn keep_common(one: &mut Json, other: &mut Json, list: &str, key: &str) {
    let keys = |answer: &Json| -> Vec<Json> {
        let items = answer.pointer(list).and_then(Json::as_array).into_iter().flatten();
        items.filter_map(|item| item.pointer(key).cloned()).collect()
    };
    let (first, second) = (keys(one), keys(other));
    for answer in [one, other] {
        if let Some(items) = answer.pointer_mut(list).and_then(Json::as_array_mut) {
            items.retain(|item| {
                item.pointer(key).is_some_and(|key| first.contains(key) && second.contains(key))
            });
        }
    }
}

/// Where two values differ, as deep as it can be named, and how.
fn difference(one: &Json, other: &Json, at: &str) -> Option<(String, String, String)> {
    match (one, other) {
        _ if one == other => None,
        (Json::Object(members), Json::Object(others)) if members.len() == others.len() => {
            members.iter().find_map(|(name, member)| {
                difference(member, others.get(name).unwrap_or(&Json::Null), &format!("{at}/{name}"))
            })
        }
        (Json::Array(items), Json::Array(others)) if items.len() == others.len() => {
            let mut pairs = items.iter().zip(others).enumerate();
            pairs.find_map(|(index, (item, other))| difference(item, other, &format!("{at}/{index}")))
        }
        _ => Some((at.to_owned(), shown(&one.to_string()), shown(&other.to_string()))),
    }
}

/// Takes a member away; `*` is every item.
fn take_away(body: &mut Json, pointer: &str) {
    let Some((token, rest)) =
        pointer.strip_prefix('/').map(|rest| rest.split_once('/').unwrap_or((rest, "")))
    else {
        return;
    };
    let rest = if rest.is_empty() { String::new() } else { format!("/{rest}") };
    match body {
        Json::Array(items) if token == "*" => items.iter_mut().for_each(|item| take_away(item, &rest)),
        Json::Object(members) if rest.is_empty() => drop(members.shift_remove(token)),
        Json::Object(members) => {
            members.get_mut(token).into_iter().for_each(|member| take_away(member, &rest))
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_may_differ_is_taken_away() {
        let mut body = json!({"a": 1, "b": {"c": 2, "d": 3}, "e": [{"f": 4, "g": 5}, {"g": 6}]});
        for pointer in ["/a", "/b/c", "/e/*/f", "/none/x", "no pointer"] {
            take_away(&mut body, pointer);
        }
        assert_eq!(body, json!({"b": {"d": 3}, "e": [{"g": 5}, {"g": 6}]}));
    }

    #[test]
    fn of_a_list_that_grows_the_common_items_are_compared() {
        let (mut one, mut other) =
            (json!({"l": [{"k": 1, "v": 1}]}), json!({"l": [{"k": 2}, {"k": 1, "v": 2}]}));
        keep_common(&mut one, &mut other, "/l", "/k");
        assert_eq!(one, json!({"l": [{"k": 1, "v": 1}]}));
        assert_eq!(other, json!({"l": [{"k": 1, "v": 2}]}));
    }

    #[test]
    fn a_difference_is_named_where_it_lies() {
        let at = |one: Json, other: Json| difference(&one, &other, "").map(|found| found.0);
        assert_eq!(at(json!({"a": [1, 2]}), json!({"a": [1, 2]})), None);
        assert_eq!(at(json!({"a": [1, 2]}), json!({"a": [1, 3]})).as_deref(), Some("/a/1"));
        assert_eq!(at(json!({"a": [1]}), json!({"a": [1, 3]})).as_deref(), Some("/a"));
        assert_eq!(at(json!({"a": 1}), json!({"b": 1})).as_deref(), Some("/a"));
    }
}
