//! JSON texts on the fault lines: where canonicalizers are known to part ways, and what surrounds those places.
//!
//! Two sources, both deterministic. The **catalogue** is a fixed list of small texts, one for each known fault line. The
//! **strategies** ([`JsonText`] for [`proptest`]) draw texts at random, biased to the same lines.

use std::fmt::Write as _;

use proptest::prelude::Rng as _;
use proptest::strategy::{NewTree, Strategy, ValueTree};
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};

use crate::loose::reductions;
use crate::tables::{CHARACTERS, INVALID, LENGTHS, NAMES, NUMBERS, WORDS};

/// Writes a character in a string: as it is where JSON allows that, else as an escape.
fn push_char(text: &mut Vec<u8>, c: char) {
    match c {
        '"' => text.extend(b"\\\""),
        '\\' => text.extend(b"\\\\"),
        '\u{0}'..='\u{1f}' => text.extend(format!("\\u{:04x}", u32::from(c)).bytes()),
        _ => text.extend(c.encode_utf8(&mut [0; 4]).bytes()),
    }
}

/// How the hexadecimal digits of an escape are written.
#[derive(Clone, Copy)]
enum Digits {
    Small,
    Capital,
    Mixed,
}

fn escape(c: char, digits: Digits) -> String {
    let mut text = String::new();
    for unit in c.encode_utf16(&mut [0; 2]) {
        let _ = match digits {
            Digits::Small => write!(text, "\\u{unit:04x}"),
            Digits::Capital => write!(text, "\\u{unit:04X}"),
            Digits::Mixed => write!(text, "\\u{:02X}{:02x}", *unit >> 8, *unit & 0xff),
        };
    }
    text
}

fn quoted(name: &str) -> Vec<u8> {
    let mut text = vec![b'"'];
    name.chars().for_each(|c| push_char(&mut text, c));
    text.push(b'"');
    text
}

fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

/// The fixed texts, in a fixed order, without repetition.
#[must_use]
pub fn catalogue() -> Vec<Vec<u8>> {
    let mut texts = Vec::new();
    scalars(&mut texts);
    strings(&mut texts);
    words(&mut texts);
    code_points(&mut texts);
    pairs_of_names(&mut texts);
    structures(&mut texts);
    borders_of_buffers(&mut texts);
    texts.extend(INVALID.iter().map(|text| text.to_vec()));
    let mut seen = std::collections::BTreeSet::new();
    texts.retain(|text| seen.insert(text.clone()));
    texts
}

fn scalars(texts: &mut Vec<Vec<u8>>) {
    texts.extend(
        [&b"null"[..], b"true", b"false", b"[]", b"{}", b"\"\"", b" null", b"null ", b"\n[ 1 ,\t2 ]\r\n"]
            .map(<[u8]>::to_vec),
    );
    for number in NUMBERS {
        texts.push(number.as_bytes().to_vec());
        texts.push(join(&[b"[", number.as_bytes(), b"]"]));
        texts.push(join(&[b"{\"a\":", number.as_bytes(), b"}"]));
    }
    // Every border of the exponent forms, and the powers of two where doubles become sparse.
    for exponent in -30..=30 {
        texts.push(format!("1e{exponent}").into_bytes());
        texts.push(format!("1.2345e{exponent}").into_bytes());
        texts.push(format!("-9.875e{exponent}").into_bytes());
    }
    for shift in 50..70_u32 {
        let power = 1_u128 << shift;
        texts.extend([power - 1, power, power + 1].map(|number| number.to_string().into_bytes()));
    }
}

fn strings(texts: &mut Vec<Vec<u8>>) {
    for c in CHARACTERS {
        let mut raw = vec![b'"'];
        push_char(&mut raw, *c);
        raw.push(b'"');
        texts.push(raw);
        texts.push(format!("\"{}\"", escape(*c, Digits::Small)).into_bytes());
        texts.push(format!("[\"a{}z\"]", escape(*c, Digits::Capital)).into_bytes());
        texts.push(join(&[b"{", &quoted(&c.to_string()), b":0}"]));
    }
    for code in 0..0x100_u32 {
        if let Some(c) = char::from_u32(code) {
            texts.push(quoted(&c.to_string()));
        }
    }
    for text in [
        r#""\b\f\n\r\t\"\\\/""#,
        r#""\/""#,
        r#""/""#,
        r#""</script>""#,
        r#""\\u0041""#,
        r#""\u005c\u0022""#,
        r#"" a ""#,
        r#""  ""#,
        r#""&<>'""#,
    ] {
        texts.push(text.as_bytes().to_vec());
    }
}

fn words(texts: &mut Vec<Vec<u8>>) {
    for word in WORDS {
        texts.push(quoted(word));
        texts.push(join(&[b"[", &quoted(word), b"]"]));
        texts.push(join(&[b"{\"a\":", &quoted(word), b"}"]));
        texts.push(join(&[b"{", &quoted(word), b":0}"]));
    }
}

/// Every character of the planes in which there are many, and of the others those at either end: 256 in a string, those of plane 0 once
/// more in a name. What an implementation does to a single character shows here whichever it is.
fn code_points(texts: &mut Vec<Vec<u8>>) {
    let everywhere = 0..0x200_u32;
    let ends =
        (2..=16_u32).flat_map(|plane| [0, 1, 0xf8, 0xf9, 0xfa, 0xff].map(|block| (plane << 8) + block));
    for block in everywhere.chain(ends) {
        let characters: String = (block << 8..(block + 1) << 8).filter_map(char::from_u32).collect();
        if characters.is_empty() {
            continue;
        }
        texts.push(quoted(&characters));
        if block < 0x100 {
            texts.push(join(&[b"{", &quoted(&characters), b":0}"]));
        }
    }
}

/// Characters of several bytes, and escapes, across the places where buffers of the usual sizes end.
fn borders_of_buffers(texts: &mut Vec<Vec<u8>>) {
    for (size, characters) in [
        (4_096, &['é', '€', '\u{1f600}', '"', '\n', '\u{1}'][..]),
        (8_192, &['€', '\n']),
        (65_536, &['a', '€']),
    ] {
        for c in characters {
            for before in 0..=c.len_utf8() {
                let count = size / c.len_utf8() + 2;
                let inner: String =
                    std::iter::repeat_n('a', before).chain(std::iter::repeat_n(*c, count)).collect();
                texts.push(quoted(&inner));
            }
        }
    }
}

fn pairs_of_names(texts: &mut Vec<Vec<u8>>) {
    for (position, left) in NAMES.iter().enumerate() {
        // Every name beside its neighbours, and beside a spread of others; both ways round.
        for distance in [1, 2, 3, 5, 8, 13, 21, 34, 45, 61] {
            if let Some(right) = NAMES.get((position + distance) % NAMES.len())
                && left != right
            {
                texts.push(join(&[b"{", &quoted(left), b":0,", &quoted(right), b":1}"]));
                texts.push(join(&[b"{", &quoted(right), b":0,", &quoted(left), b":1}"]));
            }
        }
    }
}

/// Small objects and lists, spaces, and names of values as texts.
const STRUCTURES: [&str; 32] = [
    "{\"b\":1,\"a\":2}",
    "{\"b\":{\"d\":1,\"c\":2},\"a\":3}",
    "[{\"b\":1,\"a\":2}]",
    "[[{\"b\":[{\"d\":1,\"c\":2}],\"a\":0}]]",
    "[2,1]",
    "[\"b\",\"a\"]",
    "[3,1,2,1]",
    "[null]",
    "{\"a\":null}",
    "{\"a\":null,\"b\":1}",
    "{\"a\":[null,{\"b\":null}]}",
    "[[],{},\"\",0,false,null]",
    "{\"a\":[],\"b\":{},\"c\":\"\"}",
    "{\"a\":{}}",
    "[{}]",
    "[[]]",
    "[1,1]",
    "[true,false]",
    "[1,\"1\"]",
    "{\"a\":\"1\"}",
    "{\"c\":1,\"b\":2,\"a\":3}",
    "[ ]",
    "{ }",
    "{ \"a\" : 1 }",
    "[1, 2]",
    "{\"a\":true}",
    "{\"a\":false}",
    "[\"true\"]",
    "[\"null\"]",
    "[\"1.0\"]",
    "[0,-0]",
    "[1.0,1]",
];

fn structures(texts: &mut Vec<Vec<u8>>) {
    texts.extend(STRUCTURES.iter().map(|text| text.as_bytes().to_vec()));
    // No deeper than 127: a common limit of honest readers.
    for depth in [2, 3, 4, 5, 8, 10, 16, 17, 20, 32, 33, 50, 64, 65, 100, 101, 120, 127] {
        texts.push(join(&[&b"[".repeat(depth), &b"]".repeat(depth)]));
        texts.push(join(&[&b"{\"b\":0,\"a\":".repeat(depth), b"0", &b"}".repeat(depth)]));
    }
    for length in LENGTHS.iter().filter(|length| **length <= 8192) {
        texts.push(join(&[b"\"", &b"a".repeat(*length), b"\""]));
        texts.push(join(&[b"{\"", &b"k".repeat(*length), b"b\":0,\"", &b"k".repeat(*length), b"a\":0}"]));
    }
    many_members(texts);
    for digits in [16, 17, 18, 19, 20, 21, 22, 30, 40, 100, 300, 308, 309, 310] {
        texts.push("7".repeat(digits).into_bytes());
        texts.push(format!("0.{}", "3".repeat(digits)).into_bytes());
        texts.push(format!("1{}", "0".repeat(digits)).into_bytes());
    }
}

fn many_members(texts: &mut Vec<Vec<u8>>) {
    for count in [3, 8, 9, 16, 17, 32, 33, 64, 65, 100, 128, 129, 257, 513, 1001, 1025, 2049, 4097, 10_001] {
        let members: Vec<String> =
            (0..count).rev().map(|number| format!("\"k{number:03}\":{}", number % 100)).collect();
        let object = format!("{{{}}}", members.join(","));
        // What counts members may count them in one place and not in another.
        if count <= 257 {
            texts.push(format!("[{object}]").into_bytes());
            texts.push(format!("{{\"b\":0,\"a\":{object}}}").into_bytes());
        }
        texts.push(object.into_bytes());
        let items: Vec<String> = (0..count).rev().map(|number| (number % 1_000).to_string()).collect();
        texts.push(format!("[{}]", items.join(",")).into_bytes());
    }
}

/// Random JSON texts, mostly valid, for `proptest`. A value is the text's bytes (valid UTF-8 only where the text is
/// meant to be valid JSON); shrinking removes parts and simplifies what is left.
///
/// ```
/// use assayer_canon_lab::JsonText;
/// use proptest::prelude::*;
///
/// proptest!(|(text in JsonText::valid())| {
///     prop_assert!(assayer_verifier::Document::read(&text, &Default::default()).is_ok());
/// });
/// ```
#[derive(Clone, Debug)]
pub struct JsonText {
    invalid_in_sixteen: u64,
}

impl JsonText {
    /// Valid texts only (RFC 8259 with the I-JSON rules: no name twice in one object, no lone surrogate).
    #[must_use]
    pub fn valid() -> Self {
        Self { invalid_in_sixteen: 0 }
    }

    /// About one text in eight is not valid.
    #[must_use]
    pub fn any() -> Self {
        Self { invalid_in_sixteen: 2 }
    }
}

impl Strategy for JsonText {
    type Tree = TextTree;
    type Value = Vec<u8>;

    fn new_tree(&self, runner: &mut TestRunner) -> NewTree<Self> {
        Ok(TextTree::new(draw(runner.rng(), self.invalid_in_sixteen)))
    }
}

/// A drawn text and the simpler ones to try.
pub struct TextTree {
    best: Vec<u8>,
    candidates: Box<dyn Iterator<Item = Vec<u8>> + Send>,
    current: Vec<u8>,
}

impl TextTree {
    fn new(text: Vec<u8>) -> Self {
        Self { best: text.clone(), candidates: Box::new(std::iter::empty()), current: text }
    }

    fn advance(&mut self) -> bool {
        let next = self.candidates.next();
        let found = next.is_some();
        self.current = next.unwrap_or_else(|| self.best.clone());
        found
    }
}

impl ValueTree for TextTree {
    type Value = Vec<u8>;

    fn current(&self) -> Vec<u8> {
        self.current.clone()
    }

    fn simplify(&mut self) -> bool {
        self.best.clone_from(&self.current);
        self.candidates = reductions(&self.best);
        self.advance()
    }

    fn complicate(&mut self) -> bool {
        self.advance()
    }
}

/// Number `index` of the texts that belong to `seed`: the same wherever and in whatever order it is asked for.
#[must_use]
pub fn text_of(seed: u64, index: u64) -> Vec<u8> {
    let mut bytes = [0; 16];
    let (left, right) = bytes.split_at_mut(8);
    left.copy_from_slice(&mix(seed ^ mix(index)).to_le_bytes());
    right.copy_from_slice(&mix(index.wrapping_add(mix(seed))).to_le_bytes());
    draw(&mut TestRng::from_seed(RngAlgorithm::XorShift, &bytes), 2)
}

/// SplitMix64's finalizer: neighbouring numbers lead to unlike ones.
fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn draw(rng: &mut TestRng, invalid_in_sixteen: u64) -> Vec<u8> {
    let mut source = Source { rng };
    if source.below(16) < invalid_in_sixteen {
        return source.invalid();
    }
    let mut text = Vec::with_capacity(96);
    match source.below(64) {
        0 => source.numbers(&mut text),
        1 => source.strings(&mut text),
        2 => source.wide(&mut text),
        3..=10 => text.extend(source.number().bytes()),
        11..=18 => source.string(&mut text),
        19..=22 => source.large(&mut text),
        23..=26 => source.manifest(&mut text),
        27..=34 => source.object(&mut text, 1),
        35..=38 => source.array(&mut text, 1),
        _ => source.value(&mut text, 0),
    }
    text
}

struct Source<'r> {
    rng: &'r mut TestRng,
}

impl Source<'_> {
    fn below(&mut self, bound: u64) -> u64 {
        // The bias of a remainder is far below anything that matters here.
        self.rng.next_u64() % bound.max(1)
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    fn count(&mut self, bound: usize) -> usize {
        usize::try_from(self.below(bound as u64)).unwrap_or(0)
    }

    fn pick<T: Copy>(&mut self, list: &[T], otherwise: T) -> T {
        let at = self.count(list.len());
        list.get(at).copied().unwrap_or(otherwise)
    }

    fn character(&mut self) -> char {
        match self.below(8) {
            0 => char::from_u32(u32::try_from(self.below(0x80)).unwrap_or(0)).unwrap_or('a'),
            1 => char::from_u32(u32::try_from(self.below(0x800)).unwrap_or(0)).unwrap_or('a'),
            2 => char::from_u32(u32::try_from(self.below(0x11_0000)).unwrap_or(0)).unwrap_or('\u{e000}'),
            3..=5 => self.pick(CHARACTERS, 'a'),
            _ => self.pick(&['a', 'b', 'c', 'A', '0', '1', '_'], 'a'),
        }
    }

    fn characters(&mut self) -> String {
        let length = self.count(6);
        (0..length).map(|_| self.character()).collect()
    }

    /// A string, each character raw or spelled in one of its other ways.
    fn string(&mut self, text: &mut Vec<u8>) {
        let characters = if self.one_in(5) { self.word() } else { self.characters() };
        self.spell(text, &characters);
    }

    fn word(&mut self) -> String {
        let word = self.pick(WORDS, "a");
        match self.below(6) {
            0 => format!("{word}{}", self.character()),
            1 => format!("{}{word}", self.character()),
            2 => format!("{word}{}", self.pick(WORDS, "a")),
            _ => word.to_owned(),
        }
    }

    fn spell(&mut self, text: &mut Vec<u8>, characters: &str) {
        text.push(b'"');
        for c in characters.chars() {
            match (self.below(8), c) {
                (0, _) => text.extend(escape(c, Digits::Small).bytes()),
                (1, _) => {
                    let digits = self.pick(&[Digits::Small, Digits::Capital, Digits::Mixed], Digits::Capital);
                    text.extend(escape(c, digits).bytes());
                }
                (_, '\u{8}') => text.extend(b"\\b"),
                (_, '\t') => text.extend(b"\\t"),
                (_, '\n') => text.extend(b"\\n"),
                (_, '\u{c}') => text.extend(b"\\f"),
                (_, '\r') => text.extend(b"\\r"),
                (2, '/') => text.extend(b"\\/"),
                _ => push_char(text, c),
            }
        }
        text.push(b'"');
    }

    fn name(&mut self) -> String {
        match self.below(9) {
            0..=3 => self.pick(NAMES, "a").to_owned(),
            8 => self.word(),
            4 => format!("{}{}", self.pick(NAMES, "a"), self.character()),
            5 => self.below(200).to_string(),
            _ => self.characters(),
        }
    }

    fn number(&mut self) -> String {
        match self.below(14) {
            12 => self.near_power_of_two(),
            13 => self.tie(),
            0..=3 => self.pick(NUMBERS, "0").to_owned(),
            4 => self.double(),
            5 => self.respelled(),
            6 => {
                let digits = 1 + self.count(34);
                self.integer(digits)
            }
            7 => {
                // Near a power of two: exact integers, ties, and the first ones that no double holds.
                let power = 1_i128 << (1 + self.below(80));
                (power + i128::from(self.below(5)) - 2).to_string()
            }
            8 => {
                let digits = 1 + self.count(20);
                let (head, exponent) = (self.integer(digits), self.below(50));
                format!("{head}e{}{exponent}", self.pick(&["", "-", "+"], ""))
            }
            9 => {
                let (whole, digits) = (self.below(1000), 1 + self.count(24));
                format!("{whole}.{}", self.digits(digits))
            }
            10 => format!("0.{}{}", "0".repeat(self.count(10)), 1 + self.below(100_000)),
            _ => self.below(300).to_string(),
        }
    }

    fn digits(&mut self, count: usize) -> String {
        (0..count).map(|_| char::from(b'0' + u8::try_from(self.below(10)).unwrap_or(0))).collect()
    }

    fn integer(&mut self, digits: usize) -> String {
        let sign = if self.one_in(4) { "-" } else { "" };
        let rest = self.digits(digits.saturating_sub(1));
        format!("{sign}{}{rest}", 1 + self.below(9))
    }

    /// The shortest text of a random double.
    fn double(&mut self) -> String {
        let number = f64::from_bits(self.rng.next_u64());
        if number.is_finite() { format!("{number:e}") } else { "1.5".to_owned() }
    }

    /// A power of two of any size, or one of the doubles beside it: the space to the next double halves there.
    fn near_power_of_two(&mut self) -> String {
        let bits = (self.below(2_047) << 52).wrapping_add(self.below(5)).wrapping_sub(2);
        let number = f64::from_bits(bits);
        let sign = if self.one_in(4) { "-" } else { "" };
        if number.is_finite() { format!("{sign}{:e}", number.abs()) } else { "2.5".to_owned() }
    }

    /// Exactly between two doubles, or a very little above or below: readers that look at the first digits only go wrong here.
    fn tie(&mut self) -> String {
        let between = (u128::from(self.below(1 << 52)) + (1 << 52)) * 2 + 1;
        let nudge = self.below(3);
        if self.one_in(2) {
            return ((between << self.below(70)) + u128::from(nudge) - 1).to_string();
        }
        let places = 1 + u32::try_from(self.below(28)).unwrap_or(0);
        let digits = between * 5_u128.pow(places);
        match nudge {
            0 => format!("{digits}e-{places}"),
            1 => format!("{digits}.{}1e-{places}", "0".repeat(self.count(40))),
            _ => format!("{}.{}e-{places}", digits - 1, "9".repeat(1 + self.count(40))),
        }
    }

    /// A double of moderate size with zeros, signs and exponents that a writer has to take away.
    fn respelled(&mut self) -> String {
        let (whole, fraction) = (self.below(10_000), self.below(10_000));
        let zeros = "0".repeat(self.count(4));
        let exponent = self.below(24);
        let (e, sign) = (self.pick(&["e", "E"], "e"), self.pick(&["", "+", "-"], ""));
        format!("{whole}.{fraction}{zeros}{e}{sign}{}{exponent}", "0".repeat(self.count(2)))
    }

    fn space(&mut self, text: &mut Vec<u8>) {
        if self.one_in(12) {
            text.extend(self.pick(&[&b" "[..], b"\n", b"\t", b"\r\n", b"  "], b" "));
        }
    }

    fn value(&mut self, text: &mut Vec<u8>, depth: u32) {
        let kinds = if depth > 4 { 7 } else { 12 };
        match self.below(kinds) {
            0 => text.extend(b"null"),
            1 => text.extend(self.pick(&[&b"true"[..], b"false"], b"true")),
            2..=4 => text.extend(self.number().bytes()),
            5 | 6 => self.string(text),
            7 | 8 => self.array(text, depth + 1),
            _ => self.object(text, depth + 1),
        }
    }

    fn array(&mut self, text: &mut Vec<u8>, depth: u32) {
        text.push(b'[');
        for position in 0..self.count(5) {
            if position > 0 {
                text.push(b',');
            }
            self.space(text);
            self.value(text, depth);
            self.space(text);
        }
        text.push(b']');
    }

    /// Many numbers in one text; none that no double holds, for that would hide the others.
    fn numbers(&mut self, text: &mut Vec<u8>) {
        let numbers: Vec<String> = (0..8 + self.count(32))
            .map(|_| self.number())
            .filter(|number| number.parse::<f64>().is_ok_and(f64::is_finite))
            .collect();
        text.extend(format!("[{}]", numbers.join(",")).bytes());
    }

    fn strings(&mut self, text: &mut Vec<u8>) {
        text.push(b'[');
        for position in 0..4 + self.count(12) {
            if position > 0 {
                text.push(b',');
            }
            self.string(text);
        }
        text.push(b']');
    }

    /// An object of many members.
    fn wide(&mut self, text: &mut Vec<u8>) {
        let count = 8 + self.count(24);
        let (open, close) = self.pick(&[(&b""[..], &b""[..]), (b"[", b"]"), (b"{\"a\":", b"}")], (b"", b""));
        text.extend(open);
        self.members(text, 5, count);
        text.extend(close);
    }

    fn object(&mut self, text: &mut Vec<u8>, depth: u32) {
        let count = self.count(7);
        self.members(text, depth, count);
    }

    fn members(&mut self, text: &mut Vec<u8>, depth: u32, count: usize) {
        let mut names: Vec<String> = Vec::new();
        text.push(b'{');
        for _ in 0..count {
            // A sibling that shares a beginning is where orders part ways.
            let name = match names.last() {
                Some(last) if self.one_in(3) => format!("{last}{}", self.character()),
                _ => self.name(),
            };
            if names.contains(&name) {
                continue;
            }
            if !names.is_empty() {
                text.push(b',');
            }
            self.space(text);
            self.spell(text, &name);
            self.space(text);
            text.push(b':');
            self.space(text);
            self.value(text, depth);
            names.push(name);
        }
        text.push(b'}');
    }

    /// Something long, wide or deep.
    fn large(&mut self, text: &mut Vec<u8>) {
        let bound = if self.one_in(24) {
            LENGTHS.len()
        } else {
            LENGTHS.iter().filter(|length| **length <= 520).count()
        };
        let length = LENGTHS.get(..bound).map_or(8, |lengths| self.pick(lengths, 8));
        match self.below(6) {
            0 | 1 => {
                let c = self.pick(&['a', 'a', 'é', '€', '\u{1f600}', '"', '\n', ' '], 'a');
                self.spell(text, &std::iter::repeat_n(c, length).collect::<String>());
            }
            2 => {
                let stem: String = "k".repeat(length.min(1025));
                let (left, right) = (self.character(), self.character());
                if left == right {
                    return text.extend(b"[]");
                }
                text.push(b'{');
                self.spell(text, &format!("{stem}{left}"));
                text.extend(b":1,");
                self.spell(text, &format!("{stem}{right}"));
                text.extend(b":2}");
            }
            3 => {
                let depth = length.min(120);
                let (open, close): (&[u8], &[u8]) =
                    if self.one_in(2) { (b"[", b"]") } else { (b"{\"b\":1,\"a\":", b"}") };
                text.extend(open.repeat(depth));
                text.extend(self.number().bytes());
                text.extend(close.repeat(depth));
            }
            4 => {
                let count = length.min(1_100);
                let stride = 1 + self.below(97);
                let members: Vec<String> = (0..count as u64)
                    .map(|number| {
                        format!("\"k{}\":{number}", (number * stride) % (count as u64 * 97) * 1000 + number)
                    })
                    .collect();
                text.extend(format!("{{{}}}", members.join(",")).bytes());
            }
            _ => {
                let items: Vec<String> =
                    (0..length.min(1_100)).map(|_| self.below(100).to_string()).collect();
                text.extend(format!("[{}]", items.join(",")).bytes());
            }
        }
    }

    /// A manifest of the Oversight registry with one value changed.
    fn manifest(&mut self, text: &mut Vec<u8>) {
        let mut member = |name: &str, plain: &str, source: &mut Self| {
            text.push(if text.is_empty() { b'{' } else { b',' });
            text.extend(quoted(name));
            text.push(b':');
            if source.one_in(12) { source.value(text, 2) } else { text.extend(plain.bytes()) }
        };
        let size = self.below(1 << 40).to_string();
        let filename = {
            let mut name = Vec::new();
            self.string(&mut name);
            String::from_utf8(name).unwrap_or_default()
        };
        for (name, plain) in [
            ("file_id", "\"5f0c8a5e-6f0f-4f6e-9b3a-0c1d2e3f4a5b\""),
            ("issued_at", "1767225600"),
            ("version", "\"OVERSIGHT-v1\""),
            ("suite", "\"OSGT-CLASSIC-v1\""),
            ("original_filename", filename.as_str()),
            ("size_bytes", size.as_str()),
            ("recipient", "{\"recipient_id\":\"r\",\"x25519_pub\":\"00\"}"),
            ("watermarks", "[{\"mark_id\":\"10\",\"layer\":\"L1_zero_width\"}]"),
            ("beacons", "[{\"token_id\":\"t\",\"kind\":\"dns\"},{\"token_id\":\"u\",\"kind\":\"http\"}]"),
            ("policy", "{\"jurisdiction\":\"GLOBAL\",\"b\":{\"z\":1,\"y\":[1.5,null]}}"),
            ("l3_policy", "{}"),
            ("signature_ed25519", "\"\""),
            ("signature_ml_dsa", "\"\""),
        ] {
            member(name, plain, self);
        }
        text.push(b'}');
    }

    /// A text that is not valid: from the list, or a valid one broken in one place.
    fn invalid(&mut self) -> Vec<u8> {
        if self.one_in(2) {
            let broken = self.pick(INVALID, b"[");
            return match self.below(3) {
                0 => join(&[b"{\"a\":", broken, b"}"]),
                1 => join(&[b"[0,", broken, b"]"]),
                _ => broken.to_vec(),
            };
        }
        let mut text = Vec::new();
        self.value(&mut text, 0);
        let at = self.count(text.len().max(1));
        match self.below(4) {
            0 => {
                text.truncate(at);
            }
            1 => text.insert(at, u8::try_from(self.below(256)).unwrap_or(0)),
            2 => text.extend([b',', b' ', b'}', b']', b'0', 0].get(self.count(6))),
            _ => {
                if let Some(byte) = text.get_mut(at) {
                    *byte ^= 1 << self.below(8);
                }
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assayer_verifier::{Document, Limits};
    use std::collections::BTreeSet;

    #[test]
    fn the_catalogue_repeats_nothing_and_is_mostly_valid() {
        let texts = catalogue();
        assert_eq!(texts.iter().collect::<BTreeSet<_>>().len(), texts.len());
        let valid = texts.iter().filter(|text| Document::read(text, &Limits::default()).is_ok()).count();
        assert!(valid * 100 > texts.len() * 85, "{valid} of {}", texts.len());
        assert!(texts.len() < 10_000, "half of a run of 20,000 is to be enough for all: {}", texts.len());
    }

    #[test]
    fn the_catalogue_holds_what_is_long_and_wide_and_every_character_of_two_planes() {
        let texts: Vec<String> =
            catalogue().into_iter().filter_map(|text| String::from_utf8(text).ok()).collect();
        let most = |open: char, mark: &str| {
            let of_kind = texts.iter().filter(|text| text.starts_with(open));
            of_kind.map(|text| text.matches(mark).count()).max().unwrap()
        };
        assert!(most('{', ":") > 10_000 && most('[', ",") >= 10_000);
        assert!(texts.iter().any(|text| text.len() > 65_538 && text.starts_with('"')));
        let characters: BTreeSet<char> = texts.iter().flat_map(|text| text.chars()).collect();
        let expected = (0x20..0x2_0000_u32).filter_map(char::from_u32);
        assert_eq!(expected.filter(|c| !characters.contains(c)).count(), 0);
    }

    #[test]
    fn what_is_listed_as_invalid_is_refused_by_the_strict_reader_unless_only_too_large() {
        for text in INVALID {
            let is_overflow = text.windows(5).any(|part| part == b"1e400");
            assert!(
                is_overflow || Document::read(text, &Limits::default()).is_err(),
                "{}",
                text.escape_ascii()
            );
        }
    }

    #[test]
    fn valid_texts_are_valid_and_a_text_depends_on_seed_and_index_only() {
        let mut runner = TestRunner::deterministic();
        for _ in 0..5_000 {
            let text = JsonText::valid().new_tree(&mut runner).unwrap().current();
            let read = Document::read(&text, &Limits::default());
            assert!(read.is_ok(), "{}: {:?}", text.escape_ascii(), read.err());
        }
        assert_eq!(text_of(7, 11), text_of(7, 11));
        let texts: BTreeSet<Vec<u8>> = (0..2_000).map(|index| text_of(7, index)).collect();
        assert!(texts.len() > 1_500, "{}", texts.len());
    }
}
