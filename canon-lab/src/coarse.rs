//! Large steps for large texts: runs of members, items or characters left out, and everything in them made alike.

use crate::loose::{Part, take_apart, units};

/// So many of the widest parts of one text are gone through.
const MOST: usize = 24;
/// Parts that hold less are left to the single reductions.
const NARROWEST: usize = 8;

/// The place of a part that holds much.
pub(crate) struct Wide {
    path: Vec<Step>,
}

/// From a part to one inside of it.
#[derive(Clone, Copy)]
enum Step {
    Into(usize),
    /// The name of a member, which has no parts of its own.
    Name(usize),
}

/// The widest parts of a text, the widest first; none where it cannot be taken apart.
pub(crate) fn wide(text: &[u8]) -> Vec<Wide> {
    let Some(part) = take_apart(text) else { return Vec::new() };
    let mut found = Vec::new();
    collect(&part, &mut Vec::new(), &mut found);
    found.sort_by_key(|(count, path)| (std::cmp::Reverse(*count), path.len()));
    found.into_iter().take(MOST).map(|(_, path)| Wide { path }).collect()
}

fn collect(part: &Part, path: &mut Vec<Step>, found: &mut Vec<(usize, Vec<Step>)>) {
    let mut note = |count: usize, path: &[Step]| {
        if count >= NARROWEST {
            found.push((count, path.to_vec()));
        }
    };
    note(count(part), path);
    match part {
        Part::Scalar(_) | Part::Text(_) => {}
        Part::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                path.push(Step::Into(at));
                collect(item, path, found);
                path.pop();
            }
        }
        Part::Object(members) => {
            for (at, (name, member)) in members.iter().enumerate() {
                path.push(Step::Name(at));
                if name.len() >= NARROWEST {
                    collect(&Part::Text(name.clone()), path, found);
                }
                path.pop();
                path.push(Step::Into(at));
                collect(member, path, found);
                path.pop();
            }
        }
    }
}

fn count(part: &Part) -> usize {
    match part {
        Part::Scalar(token) => token.len(),
        Part::Text(token) => units(token).len(),
        Part::Array(items) => items.len(),
        Part::Object(members) => members.len(),
    }
}

impl Wide {
    /// How much it holds in this text; nothing where it is not there any more.
    pub(crate) fn count(&self, text: &[u8]) -> usize {
        let part = take_apart(text);
        part.and_then(|mut part| at(&mut part, &self.path, &mut |part| count(part))).unwrap_or(0)
    }

    /// The text without `length` of what it holds, from `start` on; `None` where there is nothing of it.
    pub(crate) fn without(&self, text: &[u8], start: usize, length: usize) -> Option<Vec<u8>> {
        let mut part = take_apart(text)?;
        at(&mut part, &self.path, &mut |part| leave_out(part, start, length))?;
        Some(part.write()).filter(|smaller| smaller.len() < text.len())
    }
}

/// Does something with the part at a place, and puts a changed name back.
fn at<T>(part: &mut Part, path: &[Step], act: &mut dyn FnMut(&mut Part) -> T) -> Option<T> {
    match (path, part) {
        ([], part) => Some(act(part)),
        ([Step::Into(position), rest @ ..], Part::Array(items)) => at(items.get_mut(*position)?, rest, act),
        ([Step::Into(position), rest @ ..], Part::Object(members)) => {
            at(&mut members.get_mut(*position)?.1, rest, act)
        }
        ([Step::Name(position)], Part::Object(members)) => {
            let name = &mut members.get_mut(*position)?.0;
            let mut part = Part::Text(std::mem::take(name));
            let done = act(&mut part);
            *name = part.write();
            Some(done)
        }
        _ => None,
    }
}

fn leave_out(part: &mut Part, start: usize, length: usize) {
    let within = |count: usize| start.min(count)..start.saturating_add(length).min(count);
    match part {
        Part::Scalar(token) => drop(token.drain(within(token.len()))),
        Part::Text(token) => {
            let mut units = units(token);
            units.drain(within(units.len()));
            *token = [b"\"", units.concat().as_slice(), b"\""].concat();
        }
        Part::Array(items) => drop(items.drain(within(items.len()))),
        Part::Object(members) => drop(members.drain(within(members.len()))),
    }
}

/// The text with everything of one kind made alike at once: values 0, characters `a`, names counted.
pub(crate) fn levelled(text: &[u8]) -> Vec<Vec<u8>> {
    let Some(part) = take_apart(text) else { return Vec::new() };
    let zero = || Part::Scalar(b"0".to_vec());
    let values = level(&part, &mut |part| match part {
        Part::Scalar(_) | Part::Text(_) => Some(zero()),
        Part::Array(_) | Part::Object(_) => None,
    });
    let shallow = level(&part, &mut |part| match part {
        Part::Array(items) => Some(Part::Array(vec![zero(); items.len()])),
        Part::Object(members) => {
            Some(Part::Object(members.iter().map(|(name, _)| (name.clone(), zero())).collect()))
        }
        Part::Scalar(_) | Part::Text(_) => None,
    });
    let names = level(&part, &mut |part| match part {
        Part::Object(members) => Some(Part::Object(
            members.iter().enumerate().map(|(at, (_, member))| (counted(at), member.clone())).collect(),
        )),
        _ => None,
    });
    let characters = level(&part, &mut |part| match part {
        Part::Text(token) => {
            Some(Part::Text([b"\"", b"a".repeat(units(token).len()).as_slice(), b"\""].concat()))
        }
        _ => None,
    });
    [shallow, values, names, characters].iter().map(Part::write).collect()
}

/// Replaces the outermost parts for which there is a replacement.
fn level(part: &Part, replace: &mut dyn FnMut(&Part) -> Option<Part>) -> Part {
    if let Some(replaced) = replace(part) {
        return replaced;
    }
    match part {
        Part::Scalar(_) | Part::Text(_) => part.clone(),
        Part::Array(items) => Part::Array(items.iter().map(|item| level(item, replace)).collect()),
        Part::Object(members) => Part::Object(
            members.iter().map(|(name, member)| (name.clone(), level(member, replace))).collect(),
        ),
    }
}

/// Names that are short and all different.
fn counted(at: usize) -> Vec<u8> {
    format!("\"{at:x}\"").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_left_out_of_what_is_wide_wherever_it_stands() {
        let text = br#"{"long name":[0,1,2,3,4,5,6,7,8,9],"s":"abcdefgh\n"}"#;
        let all = wide(text);
        let counts: Vec<usize> = all.iter().map(|wide| wide.count(text)).collect();
        assert_eq!(counts, [10, 9, 9]);
        let without: Vec<Vec<u8>> = all.iter().map(|wide| wide.without(text, 2, 6).unwrap()).collect();
        assert!(without.contains(&br#"{"long name":[0,1,8,9],"s":"abcdefgh\n"}"#.to_vec()));
        assert!(without.contains(&br#"{"loe":[0,1,2,3,4,5,6,7,8,9],"s":"abcdefgh\n"}"#.to_vec()));
        assert!(without.contains(&br#"{"long name":[0,1,2,3,4,5,6,7,8,9],"s":"ab\n"}"#.to_vec()));
        assert_eq!(all[0].without(text, 10, 3), None);
        assert_eq!(all[0].count(b"[]"), 0);
        assert!(wide(b"[1").is_empty() && wide(b"[1,2]").is_empty());
    }

    #[test]
    fn what_is_made_alike_keeps_how_much_there_is() {
        let texts = levelled(br#"{"abc":["xy",{"q":1.5}],"d":null}"#);
        assert_eq!(texts[0], br#"{"abc":0,"d":0}"#);
        assert_eq!(texts[1], br#"{"abc":[0,{"q":0}],"d":0}"#);
        assert_eq!(texts[2], br#"{"0":["xy",{"q":1.5}],"1":null}"#);
        assert_eq!(texts[3], br#"{"abc":["aa",{"q":1.5}],"d":null}"#);
    }
}
