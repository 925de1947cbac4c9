//! The place of a byte in a JSON text that was written here: it is looked at up to that byte, and not read again as a whole.

use crate::json::{Document, push_token};
use crate::limits::Limits;

/// A list or an object on the way to the byte.
enum Around<'t> {
    /// Position of the item at hand.
    List(usize),
    /// Name of the member at hand, with its quote marks.
    Object(&'t [u8]),
}

/// JSON Pointer of the innermost value, or member, that the byte at `offset` is of; empty for the whole, or if the text is no
/// list or object, or longer than what is read by default: names in it can be as long. What stands between two members, such as a
/// comma, belongs to the later one.
pub(super) fn at(text: &[u8], offset: usize) -> String {
    if !matches!(text.first(), Some(b'[' | b'{')) || text.len() > Limits::DEFAULT.bytes {
        return String::new();
    }
    pointer(&around(text, offset).unwrap_or_default())
}

/// What is around the first value that ends behind the byte; `None` if none does.
fn around(text: &[u8], offset: usize) -> Option<Vec<Around<'_>>> {
    let mut stack = Vec::new();
    let mut at = 0;
    loop {
        match text.get(at)? {
            b'{' if text.get(at + 1) != Some(&b'}') => {
                let name = string(text, at + 1)?;
                at += 1 + name.len();
                stack.push(Around::Object(name));
            }
            b'[' if text.get(at + 1) != Some(&b']') => stack.push(Around::List(0)),
            b',' => match stack.last_mut()? {
                Around::List(position) => *position += 1,
                Around::Object(name) => {
                    *name = string(text, at + 1)?;
                    at += name.len();
                }
            },
            b'}' | b']' => {
                stack.pop();
                if offset <= at {
                    return Some(stack);
                }
            }
            b':' => {}
            _ => {
                at = scalar_end(text, at)?;
                if offset < at {
                    return Some(stack);
                }
                continue;
            }
        }
        at += 1;
    }
}

/// The end of a value without parts.
fn scalar_end(text: &[u8], at: usize) -> Option<usize> {
    match text.get(at)? {
        b'"' => Some(at + string(text, at)?.len()),
        b'{' | b'[' => Some(at + 2),
        _ => {
            let rest = text.get(at..)?;
            let length = rest.iter().take_while(|byte| !matches!(byte, b',' | b']' | b'}')).count();
            Some(at + length.max(1))
        }
    }
}

/// The string that starts here, with its quote marks.
fn string(text: &[u8], start: usize) -> Option<&[u8]> {
    let mut at = start + 1;
    loop {
        at += text.get(at..)?.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
        if text.get(at) == Some(&b'"') {
            return text.get(start..=at);
        }
        at += 2;
    }
}

fn pointer(around: &[Around<'_>]) -> String {
    let mut pointer = String::new();
    for around in around {
        match around {
            Around::List(position) => push_token(&mut pointer, &position.to_string()),
            Around::Object(name) => {
                let name = Document::read(name, &Limits::DEFAULT).ok();
                let name = name.as_ref().and_then(|name| name.root().as_str());
                push_token(&mut pointer, &name.unwrap_or_default());
            }
        }
    }
    pointer
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Value;

    /// The same, by the strict reader.
    fn read_at(text: &str, offset: usize) -> String {
        let document = Document::read(text.as_bytes(), &Limits::DEFAULT).unwrap();
        let reaches = |value: Value<'_>| offset < value.offset() + value.raw().len();
        let (mut value, mut pointer) = (document.root(), String::new());
        loop {
            let member = value.members().find(|(_, member)| reaches(*member));
            let item = value.items().enumerate().find(|(_, item)| reaches(*item));
            let (token, inner) = match (member, item) {
                (Some((name, member)), _) => (name.as_str().unwrap().into_owned(), member),
                (None, Some((position, item))) => (position.to_string(), item),
                (None, None) => return pointer,
            };
            push_token(&mut pointer, &token);
            value = inner;
        }
    }

    #[test]
    fn every_byte_is_of_the_value_that_the_strict_reader_finds_there() {
        let texts = [
            r#"{"a":[1,{"b c":"x"}],"d":true}"#,
            r#"{"":{},"[":[],"a/~b":[[],[{}],{"k":[]}],"\u0001\"\\":"}\"]\\","z":[-1.5e3,null,false,""]}"#,
            r#"[[[0]],{"a":{"b":{"c":[1,2,[3]]}}},"é😀"]"#,
            "{}",
            "[]",
            "17",
            r#""text""#,
        ];
        for text in texts {
            for offset in 0..=text.len() + 1 {
                assert_eq!(at(text.as_bytes(), offset), read_at(text, offset), "{text} {offset}");
            }
        }
    }

    /// What is no JSON, such as a leaf of a foreign log, has no places; nor does looking for one fail or last.
    #[test]
    fn what_is_no_json_has_no_places() {
        for text in
            ["", "{", "[", "{\"a", "{\"a\\", "[1", "]", "{a}", "[,]", "{,}", "}}", "[\"", "[1,", "{\"a\":"]
        {
            for offset in 0..9 {
                let place = at(text.as_bytes(), offset);
                assert!(place.len() <= 2, "{text}: {place}");
            }
        }
    }
}
