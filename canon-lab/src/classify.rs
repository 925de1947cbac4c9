//! The cause of a difference, by name. A class has the rule that applies, of RFC 8785 or of the text format itself.

use std::cmp::Ordering;

use assayer_verifier::{Code, Document, Limits};
use unicode_normalization::UnicodeNormalization;

use crate::engine::Outcome;
use crate::loose::{Part, character, take_apart, units};

/// Makes the enum, its texts and the list of all classes from one table.
macro_rules! classes {
    ($($variant:ident = $text:literal, $rule:literal;)*) => {
        /// Why two canonicalizers disagree.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Class { $(#[doc = $rule] $variant,)* }

        impl Class {
            /// Every class, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable name.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// The rule that decides, with its source.
            #[must_use]
            pub fn rule(self) -> &'static str {
                match self { $(Self::$variant => $rule,)* }
            }
        }
    };
}

classes! {
    OrderUnsorted = "order.unsorted", "RFC 8785 section 3.2.3: the members of every object are sorted; json.dumps sorts with sort_keys only";
    OrderNested = "order.nested", "RFC 8785 section 3.2.3: objects inside objects and arrays are sorted too";
    OrderMany = "order.many-members", "RFC 8785 section 3.2.3: the members of every object are sorted, however many there are";
    OrderUtf16 = "order.utf16-or-code-point", "RFC 8785 section 3.2.3: names are compared as UTF-16 code units; json.dumps compares code points, which differs beyond U+FFFF";
    OrderQuoted = "order.quoted-name", "RFC 8785 section 3.2.3: names are compared without the quote marks and escapes of their text";
    OrderIntegers = "order.integer-names", "RFC 8785 section 3.2.3: names are text, also when they look like numbers; ECMAScript objects list integer names first";
    OrderCase = "order.letter-case", "RFC 8785 section 3.2.3: code units are compared as they are, capitals before small letters";
    OrderLength = "order.length", "RFC 8785 section 3.2.3: a name comes before those that it begins, and length plays no other part";
    OrderCollation = "order.collation", "RFC 8785 section 3.2.3: no locale and no normal form takes part in the comparison";
    OrderOther = "order.other", "RFC 8785 section 3.2.3: names are compared as UTF-16 code units";

    ArrayOrder = "array.order", "RFC 8785 section 3.2.3: the items of an array keep their order";
    ArrayItems = "array.items", "RFC 8785 section 3.1: no item is left out or added";

    MemberNull = "member.null", "RFC 8785 section 3.1: members that are null are written like others";
    MemberEmptyName = "member.empty-name", "RFC 8259 section 4: the empty text is a name like others";
    MemberSpecialName = "member.special-name", "RFC 8259 section 4: a name that the host language uses itself is a name like others";
    MemberEmptyValue = "member.empty-value", "RFC 8785 section 3.1: members that are empty or false are written like others";
    MemberLost = "member.lost", "RFC 8785 section 3.1: no member is left out or added";
    DuplicateNames = "member.duplicate", "RFC 7493 section 2.3: a name stands once in an object; RFC 8785 section 3.1 demands that input";

    EscapeSolidus = "escape.solidus", "RFC 8785 section 3.2.2.2: a solidus is not escaped";
    EscapeDelete = "escape.delete", "RFC 8785 section 3.2.2.2: U+007F is not escaped; json.dumps escapes it with ensure_ascii";
    EscapeC1 = "escape.c1", "RFC 8785 section 3.2.2.2: U+0080 to U+009F are not escaped; json.dumps escapes them with ensure_ascii";
    EscapeControl = "escape.control", "RFC 8785 section 3.2.2.2: control characters below U+0020 have a short escape or four digits";
    EscapeHexCase = "escape.hex-case", "RFC 8785 section 3.2.2.2: the digits of an escape are lower-case";
    EscapeLineSeparator = "escape.line-separator", "RFC 8785 section 3.2.2.2: U+2028 and U+2029 are not escaped";
    EscapeNonAscii = "escape.non-ascii", "RFC 8785 section 3.2.2.2: what is not ASCII is written as UTF-8; json.dumps escapes it with ensure_ascii";
    EscapeHtml = "escape.html", "RFC 8785 section 3.2.2.2: <, >, & and ' are not escaped";
    EscapeOther = "escape.other", "RFC 8785 section 3.2.2.2: only what JSON forbids unescaped is escaped";

    StringNormalized = "string.normalization", "RFC 8785 section 3.1: strings are not normalized";
    StringCase = "string.letter-case", "RFC 8785 section 3.1: strings are kept";
    StringTrimmed = "string.trimmed", "RFC 8785 section 3.1: white space inside strings is kept";
    StringNul = "string.nul", "RFC 8259 section 7: U+0000 is a character of a string like others";
    StringDropped = "string.character-dropped", "RFC 8785 section 3.1: no character is left out, visible or not";
    StringTruncated = "string.truncated", "RFC 8785 section 3.1: strings are kept at any length";
    StringSurrogates = "string.surrogate-encoding", "RFC 3629 section 3: a supplementary character is one sequence of four bytes, not two surrogates of three";
    StringReplaced = "string.replacement", "RFC 8785 section 3.2.2.2: characters are not replaced";
    StringChanged = "string.changed", "RFC 8785 section 3.1: strings are kept";

    NumberNegativeZero = "number.negative-zero", "RFC 8785 section 3.2.2.3: minus zero is written as 0; json.dumps keeps -0.0";
    NumberIntegral = "number.integral-fraction", "RFC 8785 section 3.2.2.3: a whole number is written without a fraction; json.dumps writes 1.0";
    NumberThreshold = "number.exponent-threshold", "ECMA-262 Number::toString: exponents from 1e21 on and below 1e-6; json.dumps from 1e16 on and below 1e-4";
    NumberExponent = "number.exponent-form", "ECMA-262 Number::toString: e, a sign, and digits without leading zeros; json.dumps writes two digits at least";
    NumberZeros = "number.zeros", "ECMA-262 Number::toString: no zeros that add nothing";
    NumberDigits = "number.shortest-digits", "ECMA-262 Number::toString: the fewest digits that lead back to the same double, and of those the closest";
    NumberInteger = "number.integer-precision", "RFC 8785 section 3.2.2.3: integers beyond 2^53 are rounded to a double; json.dumps writes them exactly";
    NumberSubnormal = "number.subnormal", "IEEE 754: numbers below 2.2e-308 are kept with fewer digits, not made zero";
    NumberOverflow = "number.overflow", "RFC 8785 section 3.2.2.3: a number that no double holds is an error; json.dumps writes Infinity";
    NumberFractions = "number.fractions-refused", "RFC 8785 section 3.2.2.3: numbers with a fraction or an exponent are numbers";
    NumberChanged = "number.changed", "RFC 8785 section 3.2.2.3: a number keeps its value";

    TypeChanged = "value.type", "RFC 8785 section 3.1: a value keeps its type";
    ScalarAtRoot = "value.scalar-at-root", "RFC 8259 section 2: a text may be any value, not only an object or an array";
    WhiteSpace = "output.white-space", "RFC 8785 section 3.2.1: there is no white space between tokens";
    OutputBroken = "output.not-json", "RFC 8785 section 3.2: the output is JSON";

    InputBom = "input.byte-order-mark", "RFC 8259 section 8.1: no byte order mark is added; a parser may ignore one or refuse it";
    InputUtf8 = "input.invalid-utf-8", "RFC 8259 section 8.1 and RFC 8785 section 3.2.4: texts are UTF-8";
    InputSurrogate = "input.lone-surrogate", "RFC 8785 section 3.2.2.2: a lone surrogate is an error";
    InputTrailing = "input.trailing", "RFC 8259 section 2: one value, and nothing after it";
    InputNumber = "input.number-syntax", "RFC 8259 section 6: how numbers are written";
    InputNonFinite = "input.non-finite", "RFC 8259 section 6: NaN and Infinity are no numbers; Python's json takes them";
    InputControl = "input.raw-control-character", "RFC 8259 section 7: control characters in strings are escaped";
    InputEscape = "input.unknown-escape", "RFC 8259 section 7: the escapes that there are";
    InputSyntax = "input.syntax", "RFC 8259 section 2: the grammar of JSON texts";

    Depth = "limit.depth", "RFC 8259 section 9: a parser may limit depth; two that limit it differently disagree";
    Size = "limit.size", "RFC 8259 section 9: a parser may limit size; two that limit it differently disagree";
    Refused = "refused.other", "RFC 8785 section 3.1: every I-JSON text has a canonical form";
    Broke = "engine.broke", "an engine must answer, also with a refusal";
    Unstable = "engine.unstable", "an engine must answer a text always alike, whatever it was asked before";
}

/// What the engines of a pair make of further texts; a cause is told apart by experiment where one case fits several.
pub(crate) type Probe<'p> = &'p mut dyn FnMut(&[u8]) -> bool;

/// Names the cause of a difference.
///
/// In: the text, both outcomes, and a function that says whether the same two engines disagree about another text.
pub(crate) fn classify(text: &[u8], left: &Outcome, right: &Outcome, probe: Probe<'_>) -> Class {
    if *left == Outcome::Error || *right == Outcome::Error {
        return Class::Broke;
    }
    if let Err(error) = Document::read(text, &Limits::default()) {
        return of_invalid(error.code, text);
    }
    match (left.bytes(), right.bytes()) {
        (Some(left), Some(right)) => of_bytes(text, left, right, probe),
        _ => of_refusal(text, probe),
    }
}

fn of_invalid(code: Code, text: &[u8]) -> Class {
    let has = |word: &[u8]| text.windows(word.len()).any(|part| part == word);
    match code {
        Code::JsonBom => Class::InputBom,
        Code::JsonUtf8 => Class::InputUtf8,
        Code::JsonLoneSurrogate => Class::InputSurrogate,
        Code::JsonDuplicateKey => Class::DuplicateNames,
        Code::JsonTrailing => Class::InputTrailing,
        Code::JsonControlCharacter => Class::InputControl,
        Code::JsonEscape => Class::InputEscape,
        Code::LimitsDepth => Class::Depth,
        Code::LimitsBytes | Code::LimitsNumber | Code::LimitsValues => Class::Size,
        _ if has(b"NaN") || has(b"Infinity") => Class::InputNonFinite,
        Code::JsonNumber => Class::InputNumber,
        _ => Class::InputSyntax,
    }
}

/// One of them refuses a text that is valid JSON.
fn of_refusal(text: &[u8], probe: Probe<'_>) -> Class {
    let Some(part) = take_apart(text) else { return Class::Refused };
    // The smallest text of each feature: the first that is refused by one of the two alone names the cause.
    let features: [(&[u8], Class); 12] = [
        (b"[]", Class::Refused),
        (b"0", Class::ScalarAtRoot),
        (b"[null]", Class::MemberNull),
        (b"{\"a\":null}", Class::MemberNull),
        (b"{\"\":0}", Class::MemberEmptyName),
        (b"{\"__proto__\":0}", Class::MemberSpecialName),
        (b"[0.5]", Class::NumberFractions),
        (b"[1e5]", Class::NumberFractions),
        (b"[1e400]", Class::NumberOverflow),
        (b"[9007199254740993]", Class::NumberInteger),
        (b"[18446744073709551616]", Class::NumberInteger),
        (b"[1000000000000000000000000000000]", Class::NumberInteger),
    ];
    if let Some((_, class)) = features.iter().find(|(text, _)| probe(text)) {
        return *class;
    }
    let mut found = Class::Refused;
    visit(&part, 0, &mut |part, depth| {
        if let Part::Scalar(token) = part {
            let value = std::str::from_utf8(token).ok().and_then(|token| token.parse::<f64>().ok());
            found = match value {
                Some(value) if !value.is_finite() => Class::NumberOverflow,
                Some(value) if value != 0.0 && value.abs() < f64::MIN_POSITIVE => Class::NumberSubnormal,
                Some(value) if value.abs() > 9_007_199_254_740_992.0 && is_integer(token) => {
                    Class::NumberInteger
                }
                Some(_) if token.starts_with(b"-0") => Class::NumberNegativeZero,
                _ => found,
            };
        }
        if depth >= 8 && found == Class::Refused {
            found = Class::Depth;
        }
    });
    if found == Class::Refused && text.len() > 100 { Class::Size } else { found }
}

fn visit(part: &Part, depth: usize, look: &mut dyn FnMut(&Part, usize)) {
    look(part, depth);
    match part {
        Part::Array(items) => items.iter().for_each(|item| visit(item, depth + 1, look)),
        Part::Object(members) => members.iter().for_each(|(_, member)| visit(member, depth + 1, look)),
        Part::Scalar(_) | Part::Text(_) => {}
    }
}

fn is_integer(token: &[u8]) -> bool {
    token.strip_prefix(b"-").unwrap_or(token).iter().all(u8::is_ascii_digit)
}

fn of_bytes(text: &[u8], left: &[u8], right: &[u8], probe: Probe<'_>) -> Class {
    let (Some(left), Some(right)) = (take_apart(left), take_apart(right)) else { return Class::OutputBroken };
    if left == right {
        return Class::WhiteSpace;
    }
    let input = take_apart(text);
    of_parts(&left, &right, input.as_ref(), probe).unwrap_or(Class::OutputBroken)
}

/// The first difference, depth first.
fn of_parts(left: &Part, right: &Part, input: Option<&Part>, probe: Probe<'_>) -> Option<Class> {
    match (left, right) {
        (Part::Object(left), Part::Object(right)) => of_objects(left, right, input, probe),
        (Part::Array(left), Part::Array(right)) => of_arrays(left, right, input, probe),
        (Part::Text(left), Part::Text(right)) => of_strings(left, right),
        (Part::Scalar(left), Part::Scalar(right)) => of_scalars(left, right),
        _ => Some(Class::TypeChanged),
    }
}

fn of_arrays(left: &[Part], right: &[Part], input: Option<&Part>, probe: Probe<'_>) -> Option<Class> {
    if left.len() != right.len() {
        return Some(Class::ArrayItems);
    }
    let sorted = |items: &[Part]| {
        let mut texts: Vec<Vec<u8>> = items.iter().map(Part::write).collect();
        texts.sort();
        texts
    };
    if left != right && sorted(left) == sorted(right) {
        return Some(Class::ArrayOrder);
    }
    let inputs = match input {
        Some(Part::Array(items)) => items.as_slice(),
        _ => &[],
    };
    left.iter()
        .zip(right)
        .enumerate()
        .find_map(|(at, (left, right))| of_parts(left, right, inputs.get(at), probe))
}

type Members = [(Vec<u8>, Part)];

fn decoded(token: &[u8]) -> Vec<Result<char, Vec<u8>>> {
    units(token).into_iter().map(|unit| character(unit).ok_or_else(|| unit.to_vec())).collect()
}

fn text_of(token: &[u8]) -> String {
    units(token).into_iter().map(|unit| character(unit).unwrap_or('\u{fffd}')).collect()
}

fn of_objects(left: &Members, right: &Members, input: Option<&Part>, probe: Probe<'_>) -> Option<Class> {
    let names = |members: &Members| members.iter().map(|(name, _)| decoded(name)).collect::<Vec<_>>();
    let (left_names, right_names) = (names(left), names(right));
    if left_names == right_names {
        let inputs = |name: &[u8]| match input {
            Some(Part::Object(members)) => {
                members.iter().find(|(other, _)| decoded(other) == decoded(name)).map(|(_, member)| member)
            }
            _ => None,
        };
        return left.iter().zip(right).find_map(|((name, left), (other, right))| {
            of_strings(name, other).or_else(|| of_parts(left, right, inputs(name), probe))
        });
    }
    let sorted = |names: &[Vec<Result<char, Vec<u8>>>]| {
        let mut names = names.to_vec();
        names.sort();
        names
    };
    if sorted(&left_names) == sorted(&right_names) {
        let (first, second) = left.iter().zip(right).find(|((a, _), (b, _))| decoded(a) != decoded(b))?;
        return Some(of_order([&text_of(&first.0), &text_of(&second.0)], [left, right], probe));
    }
    let lost = |from: &Members, others: &[Vec<Result<char, Vec<u8>>>]| -> Vec<(Vec<u8>, Part)> {
        from.iter().filter(|(name, _)| !others.contains(&decoded(name))).cloned().collect()
    };
    let (only_left, only_right) = (lost(left, &right_names), lost(right, &left_names));
    Some(match (only_left.as_slice(), only_right.as_slice()) {
        ([(name, _), ..], [(other, _), ..]) => of_strings(name, other).unwrap_or(Class::MemberLost),
        ([(name, member), ..], []) | ([], [(name, member), ..]) => {
            of_lost_member(name, member, [left, right], probe)
        }
        ([], []) => Class::DuplicateNames,
    })
}

fn of_lost_member(name: &[u8], member: &Part, objects: [&Members; 2], probe: Probe<'_>) -> Class {
    let text = text_of(name);
    let normal = |text: &str| text.nfkc().collect::<String>();
    let alike =
        objects.into_iter().flatten().filter(|(other, _)| normal(&text_of(other)) == normal(&text)).count();
    // A plain member of the same value tells a name that is lost from a value that is.
    let value = member.write();
    match value.as_slice() {
        b"null" if probe(b"{\"a\":null}") => Class::MemberNull,
        b"false" | b"\"\"" | b"[]" | b"{}" if probe(&[b"{\"a\":", value.as_slice(), b"}"].concat()) => {
            Class::MemberEmptyValue
        }
        _ if text.is_empty() => Class::MemberEmptyName,
        _ if is_special(&text) => Class::MemberSpecialName,
        _ if alike > 1 => Class::StringNormalized,
        b"null" => Class::MemberNull,
        b"false" | b"\"\"" | b"[]" | b"{}" => Class::MemberEmptyValue,
        _ => Class::MemberLost,
    }
}

/// Names that a host language gives a meaning of its own.
fn is_special(name: &str) -> bool {
    let known = ["constructor", "hasOwnProperty", "length", "toJSON", "toString", "valueOf"];
    name.starts_with("__") || name.starts_with("$serde") || known.contains(&name)
}

/// Two names that stand in the opposite order. The simplest texts of each cause are tried on the two engines.
fn of_order([first, second]: [&str; 2], objects: [&Members; 2], probe: Probe<'_>) -> Class {
    let probes: [(&[u8], Class); 10] = [
        (b"{\"b\":0,\"a\":0}", Class::OrderUnsorted),
        (b"{\"a\":{\"b\":0,\"a\":0}}", Class::OrderNested),
        (b"[{\"b\":0,\"a\":0}]", Class::OrderNested),
        (b"{\"aa\":0,\"b\":0}", Class::OrderLength),
        (b"{\"10\":0,\"9\":0}", Class::OrderIntegers),
        (b"{\"-\":0,\"0\":0}", Class::OrderIntegers),
        (b"{\"a\":0,\"B\":0}", Class::OrderCase),
        (b"{\"a\":0,\"a!\":0}", Class::OrderQuoted),
        ("{\"\u{e000}\":0,\"\u{1f600}\":0}".as_bytes(), Class::OrderUtf16),
        ("{\"\u{e9}\":0,\"z\":0}".as_bytes(), Class::OrderCollation),
    ];
    if let Some((_, class)) = probes.iter().find(|(text, _)| probe(text)) {
        return *class;
    }
    if [[first, second], [second, first]].into_iter().any(|names| probe(&nested(names, 0))) {
        return of_two_names(first, second);
    }
    // Not the names: how many there are, or how deep they stand.
    let [count, _] = objects.map(<[_]>::len);
    let written = objects.map(|members| Part::Object(members.to_vec()).write());
    let inside = written.each_ref().map(|text| [b"{\"a\":", text.as_slice(), b"}"].concat());
    if written.iter().chain(&inside).any(|text| probe(text)) {
        return if count > 8 { Class::OrderMany } else { Class::OrderOther };
    }
    let depths = [2, 4, 8, 16, 32, 64, 128, 256];
    if depths.into_iter().any(|depth| probe(&nested(["b", "a"], depth))) {
        return Class::OrderNested;
    }
    of_two_names(first, second)
}

/// An object of two members, inside so many others.
fn nested(names: [&str; 2], depth: usize) -> Vec<u8> {
    let [first, second] = names.map(|name| serde_json::Value::String(name.to_owned()).to_string());
    format!("{}{{{first}:0,{second}:0}}{}", "{\"a\":".repeat(depth), "}".repeat(depth)).into_bytes()
}

/// Which comparison, other than that of UTF-16 code units, puts these two the other way round.
fn of_two_names(first: &str, second: &str) -> Class {
    let utf16 = first.encode_utf16().cmp(second.encode_utf16());
    let differs = |order: Ordering| order != utf16;
    let number = |name: &str| name.parse::<u64>().ok().filter(|number| number.to_string() == name);
    let quoted = |name: &str| serde_json::Value::String(name.to_owned()).to_string();
    let base = |name: &str| name.nfkd().flat_map(char::to_lowercase).collect::<String>();
    if differs(first.cmp(second)) {
        return Class::OrderUtf16;
    }
    match (number(first), number(second)) {
        (Some(a), Some(b)) if differs(a.cmp(&b)) => return Class::OrderIntegers,
        (Some(_), None) if utf16 == Ordering::Greater => return Class::OrderIntegers,
        (None, Some(_)) if utf16 == Ordering::Less => return Class::OrderIntegers,
        _ => {}
    }
    if differs(quoted(first).cmp(&quoted(second))) {
        Class::OrderQuoted
    } else if differs(first.to_lowercase().cmp(&second.to_lowercase())) {
        Class::OrderCase
    } else if differs(base(first).cmp(&base(second))) {
        Class::OrderCollation
    } else if differs(first.len().cmp(&second.len()).then(utf16)) {
        Class::OrderLength
    } else {
        Class::OrderOther
    }
}

fn of_strings(left: &[u8], right: &[u8]) -> Option<Class> {
    if left == right {
        return None;
    }
    if decoded(left) == decoded(right) {
        let (a, b) = (units(left), units(right));
        let (a, b) = a.into_iter().zip(b).find(|(a, b)| a != b)?;
        return Some(of_spelling(character(a)?, a, b));
    }
    if std::str::from_utf8(left).is_err() || std::str::from_utf8(right).is_err() {
        return Some(Class::StringSurrogates);
    }
    let (a, b) = (text_of(left), text_of(right));
    let normal = |text: &str| text.nfkc().collect::<String>();
    Some(if normal(&a) == normal(&b) {
        Class::StringNormalized
    } else if a.to_lowercase() == b.to_lowercase() {
        Class::StringCase
    } else if a.trim() == b.trim() || a.split_whitespace().eq(b.split_whitespace()) {
        Class::StringTrimmed
    } else if has_surrogate_escapes(left) != has_surrogate_escapes(right) || has_lone(left) || has_lone(right)
    {
        Class::StringSurrogates
    } else if a.contains('\u{fffd}') != b.contains('\u{fffd}') || a.contains('?') != b.contains('?') {
        Class::StringReplaced
    } else if a.contains('\0') != b.contains('\0') {
        Class::StringNul
    } else if is_dropped(&a, &b) || is_dropped(&b, &a) {
        Class::StringDropped
    } else if a.starts_with(&b) || b.starts_with(&a) {
        Class::StringTruncated
    } else {
        Class::StringChanged
    })
}

/// Whether `rest` is `whole` without one character, wherever that stands.
fn is_dropped(whole: &str, rest: &str) -> bool {
    let lost = whole.chars().find(|c| whole.matches(*c).count() != rest.matches(*c).count());
    lost.is_some_and(|c| whole.replace(c, "") == rest)
}

fn has_surrogate_escapes(token: &[u8]) -> bool {
    units(token).into_iter().any(|unit| unit.len() == 12)
}

fn has_lone(token: &[u8]) -> bool {
    units(token).into_iter().any(|unit| character(unit).is_none())
}

/// One character that is written in two ways.
fn of_spelling(c: char, left: &[u8], right: &[u8]) -> Class {
    match c {
        _ if left.eq_ignore_ascii_case(right) => Class::EscapeHexCase,
        '/' => Class::EscapeSolidus,
        '\u{7f}' => Class::EscapeDelete,
        '\u{80}'..='\u{9f}' => Class::EscapeC1,
        '\u{0}'..='\u{1f}' => Class::EscapeControl,
        '\u{2028}' | '\u{2029}' => Class::EscapeLineSeparator,
        '<' | '>' | '&' | '\'' => Class::EscapeHtml,
        _ if c.is_ascii() => Class::EscapeOther,
        _ => Class::EscapeNonAscii,
    }
}

/// Sign, digits without zeros at either end, and the power of ten of the last digit: the value exactly as written.
fn exact(token: &str) -> Option<(bool, String, i64)> {
    let (negative, rest) = token.strip_prefix('-').map_or((false, token), |rest| (true, rest));
    let (mantissa, exponent) = rest.split_once(['e', 'E']).unwrap_or((rest, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let trimmed = digits.trim_end_matches('0');
    let dropped = i64::try_from(digits.len() - trimmed.len()).ok()?;
    let scale = exponent.parse::<i64>().ok()? - i64::try_from(fraction.len()).ok()? + dropped;
    let significant = trimmed.trim_start_matches('0');
    Some(if significant.is_empty() {
        (false, String::new(), 0)
    } else {
        (negative, significant.to_owned(), scale)
    })
}

fn of_scalars(left: &[u8], right: &[u8]) -> Option<Class> {
    if left == right {
        return None;
    }
    let (Ok(a), Ok(b)) = (std::str::from_utf8(left), std::str::from_utf8(right)) else {
        return Some(Class::OutputBroken);
    };
    let (Some(exact_a), Some(exact_b)) = (exact(a), exact(b)) else {
        let overflow = [a, b]
            .into_iter()
            .any(|text| text.contains("inf") || text.contains("Inf") || text == "null" || text == "NaN");
        return Some(if overflow { Class::NumberOverflow } else { Class::TypeChanged });
    };
    let has = |text: &str, c: char| text.contains([c, c.to_ascii_uppercase()]);
    if exact_a == exact_b {
        return Some(if a.trim_start_matches('-') == b.trim_start_matches('-') || is_zero(a) {
            Class::NumberNegativeZero
        } else if has(a, 'e') && has(b, 'e') {
            of_two_exponents(a, b)
        } else if has(a, 'e') != has(b, 'e') {
            Class::NumberThreshold
        } else if a.ends_with(".0") || b.ends_with(".0") {
            Class::NumberIntegral
        } else {
            Class::NumberZeros
        });
    }
    let (x, y) = (a.parse::<f64>().ok()?, b.parse::<f64>().ok()?);
    let larger = x.abs().max(y.abs());
    Some(if larger != 0.0 && larger < f64::MIN_POSITIVE {
        Class::NumberSubnormal
    } else if larger > 9_007_199_254_740_991.0
        && (x - y).abs() <= larger * 1e-3
        && (is_integer(left) || is_integer(right))
    {
        Class::NumberInteger
    } else if x == y || (x - y).abs() <= larger * 1e-4 {
        Class::NumberDigits
    } else {
        Class::NumberChanged
    })
}

fn is_zero(token: &str) -> bool {
    token.parse::<f64>().is_ok_and(|number| number == 0.0)
}

fn of_two_exponents(a: &str, b: &str) -> Class {
    let mantissa = |text: &str| text.split(['e', 'E']).next().unwrap_or_default().to_owned();
    if mantissa(a) == mantissa(b) { Class::NumberExponent } else { Class::NumberZeros }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(text: &str, left: &str, right: &str) -> Class {
        let of = |text: &str| Outcome::Bytes(text.as_bytes().to_vec());
        classify(text.as_bytes(), &of(left), &of(right), &mut |_| false)
    }

    #[test]
    fn names_are_unique() {
        let mut names: Vec<&str> = Class::ALL.iter().map(|class| class.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Class::ALL.len());
    }

    #[test]
    fn differences_of_bytes_are_named_by_their_cause() {
        for (text, left, right, expected) in [
            ("[1]", "[1]", "[1.0]", Class::NumberIntegral),
            ("-0", "0", "-0", Class::NumberNegativeZero),
            ("-0.0", "0", "-0.0", Class::NumberNegativeZero),
            ("1e21", "1e+21", "1e21", Class::NumberExponent),
            ("1e-7", "1e-7", "1e-07", Class::NumberExponent),
            ("1e20", "100000000000000000000", "1e+20", Class::NumberThreshold),
            ("9007199254740993", "9007199254740992", "9007199254740993", Class::NumberInteger),
            ("5e-324", "5e-324", "0", Class::NumberSubnormal),
            ("0.1", "0.1", "0.10000000000000001", Class::NumberDigits),
            ("\"\u{7f}\"", "\"\u{7f}\"", "\"\\u007f\"", Class::EscapeDelete),
            ("\"é\"", "\"é\"", "\"\\u00e9\"", Class::EscapeNonAscii),
            ("\"\\n\"", "\"\\n\"", "\"\\u000a\"", Class::EscapeControl),
            ("\"\\u001f\"", "\"\\u001f\"", "\"\\u001F\"", Class::EscapeHexCase),
            ("\"/\"", "\"/\"", "\"\\/\"", Class::EscapeSolidus),
            ("\"e\u{301}\"", "\"e\u{301}\"", "\"é\"", Class::StringNormalized),
            ("\" a\"", "\" a\"", "\"a\"", Class::StringTrimmed),
            ("{\"a\":null}", "{\"a\":null}", "{}", Class::MemberNull),
            ("{\"__proto__\":0}", "{\"__proto__\":0}", "{}", Class::MemberSpecialName),
            ("{\"\":0}", "{\"\":0}", "{}", Class::MemberEmptyName),
            ("[2,1]", "[2,1]", "[1,2]", Class::ArrayOrder),
            ("[1,2]", "[1,2]", "[1, 2]", Class::WhiteSpace),
            ("[12]", "[12]", "[\"12\"]", Class::TypeChanged),
            ("{\"a\":1,\"a\":2}", "{\"a\":2}", "{\"a\":1}", Class::DuplicateNames),
            ("\"\\u0000b\"", "\"\\u0000b\"", "\"\"", Class::StringNul),
        ] {
            assert_eq!(class(text, left, right), expected, "{text}: {left} and {right}");
        }
    }

    #[test]
    fn two_names_are_told_apart_by_the_comparison_that_turns_them_round() {
        for (first, second, expected) in [
            ("\u{e000}", "\u{1f600}", Class::OrderUtf16),
            ("a", "a!", Class::OrderQuoted),
            ("10", "9", Class::OrderIntegers),
            ("B", "a", Class::OrderCase),
            ("aa", "b", Class::OrderLength),
            ("z", "é", Class::OrderCollation),
        ] {
            assert_eq!(of_two_names(first, second), expected, "{first:?} and {second:?}");
            assert_eq!(of_two_names(second, first), expected, "{second:?} and {first:?}");
        }
    }
}
