//! Texts taken apart without judging them, so that also what is no valid JSON can be made smaller.
//!
//! A **reduction** is one step to a text that is smaller by length, then by simplicity of its bytes ([`is_simpler`]), so every chain
//! of reductions ends. A text none of whose reductions still shows a difference is 1-minimal.

use std::ops::Range;

/// A part of a text. Tokens are kept as they were written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// A number, a literal, or whatever stands in such a place.
    Scalar(Vec<u8>),
    /// A string with its quote marks.
    Text(Vec<u8>),
    Array(Vec<Self>),
    /// Names are [`Part::Text`] or [`Part::Scalar`] tokens.
    Object(Vec<(Vec<u8>, Self)>),
}

/// Deeper texts are only reduced byte by byte: the parts are visited by recursion.
const DEEPEST: usize = 256;

/// Takes a text apart; `None` where brackets do not match or something is out of place.
pub(crate) fn take_apart(text: &[u8]) -> Option<Part> {
    let mut reader = Reader { text, at: 0 };
    let part = reader.part(0)?;
    reader.skip_space();
    (reader.at == text.len()).then_some(part)
}

struct Reader<'t> {
    text: &'t [u8],
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while self.peek().is_some_and(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn eat(&mut self, byte: u8) -> bool {
        self.skip_space();
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn part(&mut self, depth: usize) -> Option<Part> {
        if depth > DEEPEST {
            return None;
        }
        if self.eat(b'[') {
            return self.items(depth);
        }
        if self.eat(b'{') {
            return self.members(depth);
        }
        let token = self.token()?;
        Some(if token.first() == Some(&b'"') { Part::Text(token) } else { Part::Scalar(token) })
    }

    fn items(&mut self, depth: usize) -> Option<Part> {
        let mut items = Vec::new();
        if self.eat(b']') {
            return Some(Part::Array(items));
        }
        loop {
            items.push(self.part(depth + 1)?);
            if self.eat(b']') {
                return Some(Part::Array(items));
            }
            if !self.eat(b',') {
                return None;
            }
        }
    }

    fn members(&mut self, depth: usize) -> Option<Part> {
        let mut members = Vec::new();
        if self.eat(b'}') {
            return Some(Part::Object(members));
        }
        loop {
            let name = self.token()?;
            if !self.eat(b':') {
                return None;
            }
            members.push((name, self.part(depth + 1)?));
            if self.eat(b'}') {
                return Some(Part::Object(members));
            }
            if !self.eat(b',') {
                return None;
            }
        }
    }

    fn token(&mut self) -> Option<Vec<u8>> {
        self.skip_space();
        let start = self.at;
        if self.peek() == Some(b'"') {
            self.at += 1;
            while let Some(byte) = self.peek() {
                self.at += 1;
                match byte {
                    b'\\' => self.at += 1,
                    b'"' => return self.text.get(start..self.at).map(<[u8]>::to_vec),
                    _ => {}
                }
            }
            return None;
        }
        while self.peek().is_some_and(|byte| {
            !matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b',' | b':' | b'[' | b']' | b'{' | b'}' | b'"')
        }) {
            self.at += 1;
        }
        self.text.get(start..self.at).filter(|token| !token.is_empty()).map(<[u8]>::to_vec)
    }
}

impl Part {
    /// The text of the part without white space.
    pub(crate) fn write(&self) -> Vec<u8> {
        let mut text = Vec::new();
        self.push(&mut text);
        text
    }

    fn push(&self, text: &mut Vec<u8>) {
        match self {
            Self::Scalar(token) | Self::Text(token) => text.extend(token),
            Self::Array(items) => {
                text.push(b'[');
                for (position, item) in items.iter().enumerate() {
                    if position > 0 {
                        text.push(b',');
                    }
                    item.push(text);
                }
                text.push(b']');
            }
            Self::Object(members) => {
                text.push(b'{');
                for (position, (name, member)) in members.iter().enumerate() {
                    if position > 0 {
                        text.push(b',');
                    }
                    text.extend(name);
                    text.push(b':');
                    member.push(text);
                }
                text.push(b'}');
            }
        }
    }

    fn children(&self) -> Vec<&Self> {
        match self {
            Self::Scalar(_) | Self::Text(_) => Vec::new(),
            Self::Array(items) => items.iter().collect(),
            Self::Object(members) => members.iter().map(|(_, member)| member).collect(),
        }
    }
}

/// Every text that one step, at any depth, makes of the text of a part.
fn steps(part: &Part) -> Vec<Vec<u8>> {
    let whole = part.write();
    let mut texts = Vec::new();
    collect_steps(part, 0, &whole, &mut texts);
    texts
}

/// Puts the steps of the part that begins `at` this place of the whole text to the others; out: where it ends.
fn collect_steps(part: &Part, at: usize, whole: &[u8], texts: &mut Vec<Vec<u8>>) -> usize {
    let in_place_of = |place: Range<usize>, text: &[u8]| spliced(whole, place, text);
    match part {
        Part::Scalar(token) => {
            let place = at..at + token.len();
            texts.extend(scalar_steps(token).iter().map(|step| in_place_of(place.clone(), step)));
            place.end
        }
        Part::Text(token) => {
            let place = at..at + token.len();
            texts.push(in_place_of(place.clone(), b"0"));
            texts.extend(string_steps(token).iter().map(|step| in_place_of(place.clone(), step)));
            place.end
        }
        Part::Array(items) => {
            let mut places = Vec::with_capacity(items.len());
            let mut next = at + 1;
            for item in items {
                let end = collect_steps(item, next, whole, texts);
                places.push(next..end);
                next = end + 1;
            }
            collect_steps_of_whole(at..next.max(at + 2), &places, &places, whole, texts)
        }
        Part::Object(members) => {
            let mut places = Vec::with_capacity(members.len());
            let mut parts = Vec::with_capacity(2 * members.len());
            let mut next = at + 1;
            for (name, member) in members {
                let name_place = next..next + name.len();
                let steps = string_steps(name);
                texts.extend(steps.iter().map(|step| in_place_of(name_place.clone(), step)));
                let begin = name_place.end + 1;
                let end = collect_steps(member, begin, whole, texts);
                places.push(next..end);
                parts.extend([name_place, begin..end]);
                next = end + 1;
            }
            collect_steps_of_whole(at..next.max(at + 2), &places, &parts, whole, texts)
        }
    }
}

/// The steps of a list or an object in its place: another value instead of it, one of its `parts` instead of it, fewer of its
/// items. Out: where it ends.
fn collect_steps_of_whole(
    place: Range<usize>,
    items: &[Range<usize>],
    parts: &[Range<usize>],
    whole: &[u8],
    texts: &mut Vec<Vec<u8>>,
) -> usize {
    texts.push(spliced(whole, place.clone(), b"0"));
    texts.extend(parts.iter().map(|part| spliced(whole, place.clone(), of(whole, part))));
    texts.extend(left_out(items).map(|left_out| spliced(whole, left_out, b"")));
    place.end
}

fn of<'t>(text: &'t [u8], place: &Range<usize>) -> &'t [u8] {
    text.get(place.clone()).unwrap_or_default()
}

/// The text with another in one place.
fn spliced(text: &[u8], place: Range<usize>, other: &[u8]) -> Vec<u8> {
    [of(text, &(0..place.start)), other, of(text, &(place.end..text.len()))].concat()
}

/// For each of the neighbours in a list, what goes when it goes: itself and one comma.
fn left_out(places: &[Range<usize>]) -> impl Iterator<Item = Range<usize>> {
    places.iter().enumerate().map(|(at, place)| match (at.checked_sub(1), places.get(at + 1)) {
        (_, Some(next)) => place.start..next.start,
        (Some(before), None) => places.get(before).map_or(place.start, |before| before.end)..place.end,
        (None, None) => place.clone(),
    })
}

/// The text with the members of every object in the opposite order; `None` where that is the same text, or no text at all.
pub(crate) fn members_turned_round(text: &[u8]) -> Option<Vec<u8>> {
    // Most texts have no object of two members, and are not taken apart for it.
    text.iter().filter(|byte| **byte == b':').nth(1)?;
    let part = take_apart(text)?;
    let turned = turned_round(&part);
    (turned != part).then(|| turned.write())
}

fn turned_round(part: &Part) -> Part {
    match part {
        Part::Scalar(_) | Part::Text(_) => part.clone(),
        Part::Array(items) => Part::Array(items.iter().map(turned_round).collect()),
        Part::Object(members) => Part::Object(
            members.iter().rev().map(|(name, member)| (name.clone(), turned_round(member))).collect(),
        ),
    }
}

fn without<T: Clone>(list: &[T], position: usize) -> Vec<T> {
    list.iter().enumerate().filter(|(at, _)| *at != position).map(|(_, item)| item.clone()).collect()
}

fn with<T: Clone>(list: &[T], position: usize, replacement: T) -> Vec<T> {
    let mut list = list.to_vec();
    if let Some(place) = list.get_mut(position) {
        *place = replacement;
    }
    list
}

fn scalar_steps(token: &[u8]) -> Vec<Vec<u8>> {
    let mut steps = vec![b"0".to_vec()];
    for (position, byte) in token.iter().enumerate() {
        steps.push(without(token, position));
        for digit in [b'0', b'1'] {
            if byte.is_ascii_digit() && digit < *byte {
                steps.push(with(token, position, digit));
            }
        }
        if *byte == b'E' {
            steps.push(with(token, position, b'e'));
        }
    }
    steps
}

/// The units of a string without its quote marks: characters, escapes, surrogate pairs, stray bytes.
pub(crate) fn units(token: &[u8]) -> Vec<&[u8]> {
    let inner = token.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).unwrap_or_default();
    let mut units = Vec::new();
    let mut rest = inner;
    while let Some(first) = rest.first() {
        let length = match first {
            b'\\'
                if is_escaped_unit(rest, b'd', b"89ab")
                    && is_escaped_unit(rest.get(6..).unwrap_or_default(), b'd', b"cdef") =>
            {
                12
            }
            b'\\' if rest.get(1) == Some(&b'u') => 6,
            b'\\' => 2,
            0xC2..=0xDF => 2,
            0xE0..=0xEF => 3,
            0xF0..=0xF4 => 4,
            _ => 1,
        };
        let (unit, after) = rest.split_at(length.min(rest.len()));
        units.push(unit);
        rest = after;
    }
    units
}

/// Whether a text starts with `\uDx..` where `x` is one of the given digits, in either case.
fn is_escaped_unit(text: &[u8], second: u8, thirds: &[u8]) -> bool {
    match text {
        [b'\\', b'u', a, b, _, _, ..] => {
            a.eq_ignore_ascii_case(&second) && thirds.contains(&b.to_ascii_lowercase())
        }
        _ => false,
    }
}

/// The character that a unit stands for, if it does for one.
pub(crate) fn character(unit: &[u8]) -> Option<char> {
    match unit {
        [b'\\', b'u', ..] => {
            let text = std::str::from_utf8(unit).ok()?;
            let numbers: Option<Vec<u16>> =
                text.split("\\u").skip(1).map(|digits| u16::from_str_radix(digits, 16).ok()).collect();
            char::decode_utf16(numbers?).next()?.ok()
        }
        [b'\\', short] => Some(match short {
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'"' | b'\\' | b'/' => char::from(*short),
            _ => return None,
        }),
        _ => std::str::from_utf8(unit).ok()?.chars().next(),
    }
}

fn string_steps(token: &[u8]) -> Vec<Vec<u8>> {
    let units = units(token);
    let rebuild = |units: &[&[u8]]| [b"\"", units.concat().as_slice(), b"\""].concat();
    let mut steps = Vec::new();
    if token.first() != Some(&b'"') {
        return scalar_steps(token);
    }
    steps.push(b"\"\"".to_vec());
    for (position, unit) in units.iter().enumerate() {
        steps.push(rebuild(&without(&units, position)));
        steps.push(rebuild(&with(&units, position, &b"0"[..])));
        steps.push(rebuild(&with(&units, position, &b"a"[..])));
        if let Some(c) = character(unit).filter(|c| !matches!(c, '"' | '\\' | '\u{0}'..='\u{1f}')) {
            let mut buffer = [0; 4];
            let raw = c.encode_utf8(&mut buffer).as_bytes();
            let mut all = units.clone();
            if let Some(place) = all.get_mut(position) {
                *place = raw;
            }
            steps.push(rebuild(&all));
        }
    }
    steps
}

/// Whether a text is simpler than another: shorter; or as long, with simpler bytes, `0` being the simplest and then `1`, other
/// digits, `a`.
fn is_simpler(text: &[u8], than: &[u8]) -> bool {
    text.len() < than.len() || text.len() == than.len() && rank(text) < rank(than)
}

fn rank(text: &[u8]) -> u64 {
    let rank = |byte: &u8| match byte {
        b'0'..=b'9' => u64::from(byte - b'0'),
        b'a'..=b'z' => 10 + u64::from(byte - b'a'),
        _ => 64 + u64::from(*byte),
    };
    text.iter().map(rank).sum()
}

/// Every text that one reduction makes of this one, large steps first; made one at a time.
#[must_use]
pub fn reductions(text: &[u8]) -> Box<dyn Iterator<Item = Vec<u8>> + Send> {
    let [own, whole, chunked, single, before] = [text; 5].map(<[u8]>::to_vec);
    let parts = std::iter::once_with(move || {
        let part = take_apart(&own);
        let mut texts: Vec<Vec<u8>> = part.iter().flat_map(descendants).map(Part::write).collect();
        texts.extend(part.as_ref().map(Part::write));
        texts.sort_by_key(Vec::len);
        texts
    });
    let sizes =
        std::iter::successors(Some(text.len() / 2), |size| Some(size / 2)).take_while(|size| *size >= 2);
    let chunks = sizes.flat_map(move |size| {
        let text = chunked.clone();
        (0..text.len().div_ceil(size)).map(move |position| cut_characters(&text, position * size, size))
    });
    let steps = std::iter::once_with(move || {
        let part = take_apart(&whole).filter(|_| whole.len() <= LONGEST_TAKEN_APART);
        let mut texts: Vec<Vec<u8>> = part.iter().flat_map(steps).collect();
        texts.sort_by_key(Vec::len);
        texts
    });
    let bytes = (0..single.len()).map(move |at| cut(&single, at, 1));
    let all = parts.flatten().chain(chunks).chain(steps.flatten()).chain(bytes);
    Box::new(all.filter(move |text| is_simpler(text, &before)))
}

/// The steps of a longer text would be too many to hold.
const LONGEST_TAKEN_APART: usize = 2_000;

fn cut(text: &[u8], at: usize, length: usize) -> Vec<u8> {
    let (before, rest) = text.split_at(at.min(text.len()));
    let after = rest.get(length..).unwrap_or_default();
    [before, after].concat()
}

/// As [`cut`], but no character of several bytes is cut through.
fn cut_characters(text: &[u8], at: usize, length: usize) -> Vec<u8> {
    let whole = |at: usize| at + text.iter().skip(at).take_while(|byte| matches!(byte, 0x80..=0xBF)).count();
    let (start, end) = (whole(at), whole(at + length));
    cut(text, start, end.saturating_sub(start))
}

fn descendants(part: &Part) -> Vec<&Part> {
    let mut found: Vec<&Part> = Vec::new();
    let mut open = part.children();
    // A bound: of a very wide text the parts need not all be tried alone.
    while let Some(next) = open.pop().filter(|_| found.len() < 500) {
        open.extend(next.children());
        found.push(next);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_written_back_without_white_space() {
        let text = br#" { "a\"" : [ 1.50 , "x\\" , { } ], b:nul } "#;
        assert_eq!(take_apart(text).unwrap().write(), br#"{"a\"":[1.50,"x\\",{}],b:nul}"#);
        for broken in [&b"[1"[..], b"[1 2]", b"{\"a\"}", b"\"a", b"", b"1 2"] {
            assert_eq!(take_apart(broken), None, "{}", broken.escape_ascii());
        }
    }

    #[test]
    fn every_reduction_is_smaller_and_every_byte_is_left_out_once() {
        for text in [
            &br#"{"a":[1.5,"\ud83d\ude00x"],"b":null}"#[..],
            b"[[[",
            b"\"\xff\"",
            b"-0.0",
            b"{\"a\":1,\"a\":2}",
        ] {
            let all: Vec<Vec<u8>> = reductions(text).collect();
            assert!(all.iter().all(|smaller| is_simpler(smaller, text)));
            for at in 0..text.len() {
                assert!(all.contains(&cut(text, at, 1)));
            }
        }
        assert!(reductions(b"0").all(|text| text.is_empty()));
    }

    #[test]
    fn steps_put_a_part_in_the_place_of_what_holds_it_or_leave_one_out() {
        let texts: Vec<String> = steps(&take_apart(b"{\"a\":[7,[]],\"b\":{}}").unwrap())
            .into_iter()
            .map(|text| String::from_utf8(text).unwrap())
            .collect();
        for expected in [
            "{\"a\":[7],\"b\":{}}",
            "{\"a\":[[]],\"b\":{}}",
            "{\"a\":7,\"b\":{}}",
            "{\"a\":[],\"b\":{}}",
            "{\"a\":[7,0],\"b\":{}}",
            "{\"a\":[7,[]],\"b\":0}",
            "{\"\":[7,[]],\"b\":{}}",
            "{\"a\":[7,[]]}",
            "{\"b\":{}}",
            "[7,[]]",
            "{}",
            "\"a\"",
            "0",
        ] {
            assert!(texts.iter().any(|text| text == expected), "{expected} of {texts:?}");
        }
    }

    #[test]
    fn units_are_characters_escapes_pairs_and_stray_bytes() {
        let found: Vec<Option<char>> =
            units(b"\"a\\n\\ud83d\\ude00\xc3\xa9\\u0041\xff\\ud800\"").into_iter().map(character).collect();
        assert_eq!(found, [Some('a'), Some('\n'), Some('\u{1f600}'), Some('é'), Some('A'), None, None]);
    }
}
