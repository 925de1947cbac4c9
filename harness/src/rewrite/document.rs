//! Places in a JSON document, and what becomes of the values there.

use assayer_vectors::Function;
use serde_json::{Map, Value as Json, json};

use crate::names::random_hex;

/// The places that a pointer means: `*` is every item or member, `-1` the last item. The last token need not be there yet.
pub(super) fn places(document: &Json, pointer: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    let tokens: Vec<&str> = pointer.split('/').skip(1).collect();
    for token in tokens {
        found = found.iter().flat_map(|place| below(document, place, token)).collect();
    }
    found
}

fn below(document: &Json, place: &str, token: &str) -> Vec<String> {
    match (document.pointer(place), token) {
        (Some(Json::Array(items)), "*") => (0..items.len()).map(|index| format!("{place}/{index}")).collect(),
        (Some(Json::Object(members)), "*") => {
            members.keys().map(|name| format!("{place}/{}", escaped(name))).collect()
        }
        (Some(Json::Array(items)), "-1") => {
            items.len().checked_sub(1).map(|index| format!("{place}/{index}")).into_iter().collect()
        }
        (Some(Json::Array(_)), token) if token == "-" || token.parse::<usize>().is_ok() => {
            vec![format!("{place}/{token}")]
        }
        (Some(Json::Object(_)), token) => vec![format!("{place}/{token}")],
        _ => Vec::new(),
    }
}

fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

fn unescaped(token: &str) -> String {
    token.replace("~1", "/").replace("~0", "~")
}

/// The parent of a place, and the last token as it is meant.
fn parent<'d>(document: &'d mut Json, place: &str) -> Option<(&'d mut Json, String)> {
    let (above, token) = place.rsplit_once('/')?;
    Some((document.pointer_mut(above)?, unescaped(token)))
}

/// Puts a value at a place: replaces what is there, or adds a member or, at `-`, an item.
pub(super) fn set(document: &mut Json, place: &str, value: Json) {
    if let Some(found) = document.pointer_mut(place) {
        *found = value;
        return;
    }
    match parent(document, place) {
        Some((Json::Object(members), name)) => {
            members.insert(name, value);
        }
        Some((Json::Array(items), token)) if token == "-" => items.push(value),
        _ => {}
    }
}

/// Takes a member or an item away.
pub(super) fn remove(document: &mut Json, place: &str) {
    match parent(document, place) {
        Some((Json::Object(members), name)) => {
            members.shift_remove(&name);
        }
        Some((Json::Array(items), token)) => {
            if let Some(index) = token.parse::<usize>().ok().filter(|index| *index < items.len()) {
                items.remove(index);
            }
        }
        _ => {}
    }
}

/// Gives a member another name, at the same position.
pub(super) fn rename(document: &mut Json, place: &str, to: &str) {
    if let Some((Json::Object(members), name)) = parent(document, place) {
        let old = std::mem::replace(members, Map::new());
        members.extend(
            old.into_iter().map(|(known, value)| (if known == name { to.to_owned() } else { known }, value)),
        );
    }
}

/// Makes another value of a value; where the function does not apply, it stays.
pub(super) fn change(value: &mut Json, by: Function) {
    let changed = match value {
        Json::String(text) => text_by(text, by),
        Json::Number(number) => number_by(number, by),
        Json::Array(items) => list_by(items, by).map(Json::Array),
        Json::Object(members) => (by == Function::Empty && !members.is_empty()).then(|| json!({})),
        Json::Null | Json::Bool(_) => None,
    };
    if let Some(changed) = changed.or_else(|| any_by(value, by)) {
        *value = changed;
    }
}

fn any_by(value: &Json, by: Function) -> Option<Json> {
    match by {
        Function::AsText if !value.is_string() => Some(Json::String(value.to_string())),
        Function::AsBoolean => Some(Json::Bool(match value {
            Json::Null => false,
            Json::Bool(known) => *known,
            Json::Number(number) => number.as_f64() != Some(0.0),
            Json::String(text) => !text.is_empty(),
            Json::Array(items) => !items.is_empty(),
            Json::Object(members) => !members.is_empty(),
        })),
        Function::AsList => Some(json!([value])),
        _ => None,
    }
}

fn number_by(number: &serde_json::Number, by: Function) -> Option<Json> {
    let found = number.as_i64()?;
    match by {
        Function::Increment => Some(json!(found.checked_add(1)?)),
        Function::Decrement => Some(json!(found.checked_sub(1)?)),
        Function::Negate => Some(json!(found.checked_neg()?)),
        #[expect(clippy::cast_precision_loss, reason = "counts and indexes of a test are small")]
        Function::AsFraction => Some(json!(found as f64)),
        _ => None,
    }
}

fn text_by(text: &str, by: Function) -> Option<Json> {
    let characters: Vec<char> = text.chars().collect();
    let count = characters.len();
    let kept = |range: std::ops::Range<usize>| -> String {
        characters.iter().skip(range.start).take(range.len()).collect()
    };
    let changed = match by {
        Function::AsNumber => return text.parse::<i64>().ok().map(Json::from),
        Function::Empty => String::new(),
        Function::FlipHex if count > 0 => format!("{}{}", kept(0..count - 1), flipped(*characters.last()?)?),
        Function::FlipFirstHex if count > 0 => {
            format!("{}{}", flipped(*characters.first()?)?, kept(1..count))
        }
        Function::RandomHex => random_hex(count.div_ceil(2)).ok()?.chars().take(count).collect(),
        Function::UpperCase => text.to_uppercase(),
        Function::Shorten if count > 2 => kept(0..count - 2),
        Function::Lengthen => format!("{text}00"),
        Function::SwapHalves => format!("{}{}", kept(count / 2..count), kept(0..count / 2)),
        _ => return None,
    };
    Some(Json::String(changed))
}

/// Another digit of the same case.
fn flipped(digit: char) -> Option<char> {
    char::from_digit(digit.to_digit(16)? ^ 1, 16)
}

fn list_by(items: &[Json], by: Function) -> Option<Vec<Json>> {
    let mut list = items.to_vec();
    let count = list.len();
    match by {
        Function::Empty => list.clear(),
        Function::DropFirst if count > 0 => drop(list.remove(0)),
        Function::DropLast => drop(list.pop()?),
        Function::DropMiddle if count > 0 => drop(list.remove(count / 2)),
        Function::KeepFirst => list.truncate(1),
        Function::RepeatFirst => list.push(list.first()?.clone()),
        Function::RepeatLast => list.push(list.last()?.clone()),
        Function::SwapFirstTwo if count > 1 => list.swap(0, 1),
        Function::SwapLastTwo if count > 1 => list.swap(count - 2, count - 1),
        Function::Reverse => list.reverse(),
        _ => return None,
    }
    Some(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_mean_every_item_or_the_last() {
        let document = json!({"a": [{"b": 1}, {"b": 2}], "c/d": {"x": 1}});
        assert_eq!(places(&document, "/a/*/b"), ["/a/0/b", "/a/1/b"]);
        assert_eq!(places(&document, "/a/-1/new"), ["/a/1/new"]);
        assert_eq!(places(&document, "/*/x"), ["/c~1d/x"]);
        assert_eq!(places(&document, "/none/*"), Vec::<String>::new());
        assert_eq!(places(&document, ""), [""]);
    }

    #[test]
    fn values_are_put_taken_and_renamed_where_they_stand() {
        let mut document = json!({"a": 1, "b": [1, 2]});
        set(&mut document, "/b/-", json!(3));
        set(&mut document, "/c", json!(null));
        set(&mut document, "/nowhere/x", json!(0));
        rename(&mut document, "/a", "z");
        remove(&mut document, "/b/0");
        assert_eq!(document.to_string(), r#"{"z":1,"b":[2,3],"c":null}"#);
        set(&mut document, "", json!([]));
        assert_eq!(document, json!([]));
    }

    #[test]
    fn each_function_changes_what_it_is_made_for_and_nothing_else() {
        let cases = [
            (json!(4), Function::Increment, json!(5)),
            (json!(0), Function::Decrement, json!(-1)),
            (json!(3), Function::Negate, json!(-3)),
            (json!(3), Function::AsText, json!("3")),
            (json!("3"), Function::AsNumber, json!(3)),
            (json!(3), Function::AsFraction, json!(3.0)),
            (json!(0), Function::AsBoolean, json!(false)),
            (json!("x"), Function::AsList, json!(["x"])),
            (json!("abc0"), Function::FlipHex, json!("abc1")),
            (json!("1bc0"), Function::FlipFirstHex, json!("0bc0")),
            (json!("ab"), Function::UpperCase, json!("AB")),
            (json!("abcd"), Function::Shorten, json!("ab")),
            (json!("ab"), Function::Lengthen, json!("ab00")),
            (json!("abcd"), Function::SwapHalves, json!("cdab")),
            (json!([1, 2, 3]), Function::DropFirst, json!([2, 3])),
            (json!([1, 2, 3]), Function::DropLast, json!([1, 2])),
            (json!([1, 2, 3]), Function::DropMiddle, json!([1, 3])),
            (json!([1, 2, 3]), Function::KeepFirst, json!([1])),
            (json!([1, 2]), Function::RepeatFirst, json!([1, 2, 1])),
            (json!([1, 2]), Function::RepeatLast, json!([1, 2, 2])),
            (json!([1, 2, 3]), Function::SwapFirstTwo, json!([2, 1, 3])),
            (json!([1, 2, 3]), Function::SwapLastTwo, json!([1, 3, 2])),
            (json!([1, 2, 3]), Function::Reverse, json!([3, 2, 1])),
            (json!({"a": 1}), Function::Empty, json!({})),
            (json!(true), Function::Reverse, json!(true)),
            (json!([]), Function::DropLast, json!([])),
            (json!("x"), Function::Increment, json!("x")),
        ];
        for (mut value, by, expected) in cases {
            change(&mut value, by);
            assert_eq!(value, expected, "{by:?}");
        }
        let mut text = json!("ffffffffffffffffffffffffffffffff");
        change(&mut text, Function::RandomHex);
        assert!(text != json!("ffffffffffffffffffffffffffffffff") && text.as_str().map(str::len) == Some(32));
    }
}
