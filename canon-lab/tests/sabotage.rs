//! Engines with one defect each, beside an honest one: each must be found, shown in a few bytes, and named.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::or_fun_call,
    clippy::cast_possible_truncation,
    clippy::allow_attributes,
    reason = "a test"
)]

use std::cmp::Ordering;

use assayer_canon_lab::{
    Answer, Budget, Builtin, Difference, Divergence, Engine, Identity, Outcome, Plan, Within, reductions,
    run, shrink,
};
use assayer_verifier::{Document, Kind, Limits, Scheme, Value, canonicalize};

/// A canonicalizer of its own kind: it walks the value itself, so that a defect can be put anywhere.
#[derive(Clone, Copy)]
struct Sabotage {
    name: &'static str,
    /// Classes of which one is right.
    classes: &'static [&'static str],
    order: fn(&str, &str) -> Ordering,
    /// Applied to the text before it is read.
    input: fn(&[u8]) -> Vec<u8>,
    /// Applied to each canonical scalar.
    scalar: fn(&[u8]) -> Vec<u8>,
    /// Whether a member is written.
    keeps: fn(&str, Value<'_>) -> bool,
    deepest: usize,
    rest: Rest,
}

/// Defects that fit nowhere else.
#[derive(Clone, Copy, PartialEq)]
enum Rest {
    Nothing,
    ArraysSorted,
    NestedUnsorted,
    ManyMembersUnsorted,
    ManyMembersInsideUnsorted,
    SpaceAfterComma,
    OverflowIsNull,
    CrashesBeyondPlaneZero,
}

fn utf16(a: &str, b: &str) -> Ordering {
    a.encode_utf16().cmp(b.encode_utf16())
}

const HONEST: Sabotage = Sabotage {
    name: "honest",
    classes: &[],
    order: utf16,
    input: |text| text.to_vec(),
    scalar: |token| token.to_vec(),
    keeps: |_, _| true,
    deepest: usize::MAX,
    rest: Rest::Nothing,
};

struct Sabotaged(Sabotage, Identity);

impl Sabotaged {
    fn of(sabotage: Sabotage) -> Box<dyn Engine> {
        let identity =
            Identity { name: sabotage.name.to_owned(), version: "1".to_owned(), scheme: "jcs".to_owned() };
        Box::new(Self(sabotage, identity))
    }
}

impl Engine for Sabotaged {
    fn identity(&self) -> &Identity {
        &self.1
    }

    fn canonicalize(&mut self, texts: &[Vec<u8>]) -> Vec<Answer> {
        texts.iter().map(|text| self.0.canonicalize(text)).collect()
    }
}

impl Sabotage {
    fn canonicalize(&self, text: &[u8]) -> Answer {
        let text = (self.input)(text);
        let document = match Document::read(&text, &Limits::default()) {
            Ok(document) => document,
            Err(error) => return Answer::reject(error.to_string()),
        };
        let mut out = Vec::new();
        match self.write(document.root(), 0, &mut out) {
            Ok(()) => Answer::bytes(out),
            Err(answer) => answer,
        }
    }

    fn write(&self, value: Value<'_>, depth: usize, out: &mut Vec<u8>) -> Result<(), Answer> {
        if depth > self.deepest {
            return Err(Answer::reject("too deep"));
        }
        match value.kind() {
            Kind::Object => {
                let mut members: Vec<(String, Value<'_>, Value<'_>)> = value
                    .members()
                    .map(|(key, member)| (key.as_str().unwrap().into_owned(), key, member))
                    .filter(|(name, _, member)| (self.keeps)(name, *member))
                    .collect();
                let unsorted = self.rest == Rest::NestedUnsorted && depth > 0
                    || self.rest == Rest::ManyMembersUnsorted && members.len() > 64
                    || self.rest == Rest::ManyMembersInsideUnsorted && members.len() > 16 && depth > 0;
                if !unsorted {
                    members.sort_by(|(a, ..), (b, ..)| (self.order)(a, b));
                }
                out.push(b'{');
                for (position, (_, key, member)) in members.into_iter().enumerate() {
                    self.comma(position, out);
                    self.write(key, depth, out)?;
                    out.push(b':');
                    self.write(member, depth + 1, out)?;
                }
                out.push(b'}');
            }
            Kind::Array => {
                let mut items = Vec::new();
                for item in value.items() {
                    let mut text = Vec::new();
                    self.write(item, depth + 1, &mut text)?;
                    items.push(text);
                }
                if self.rest == Rest::ArraysSorted {
                    items.sort();
                }
                out.push(b'[');
                for (position, item) in items.iter().enumerate() {
                    self.comma(position, out);
                    out.extend(item);
                }
                out.push(b']');
            }
            Kind::Null | Kind::Bool | Kind::Number | Kind::String => match canonicalize(value, Scheme::Jcs) {
                Ok(token)
                    if self.rest == Rest::CrashesBeyondPlaneZero
                        && token.iter().any(|byte| *byte >= 0xF0) =>
                {
                    return Err(Answer::error("index out of range"));
                }
                Ok(token) => out.extend((self.scalar)(&token)),
                Err(_) if self.rest == Rest::OverflowIsNull => out.extend(b"null"),
                Err(error) => return Err(Answer::reject(error.to_string())),
            },
        }
        Ok(())
    }

    fn comma(&self, position: usize, out: &mut Vec<u8>) {
        if position > 0 {
            out.push(b',');
            if self.rest == Rest::SpaceAfterComma {
                out.push(b' ');
            }
        }
    }
}

/// Applies a change to strings only, or to numbers only.
fn strings(token: &[u8], change: impl Fn(&str) -> String) -> Vec<u8> {
    if token.starts_with(b"\"") {
        change(std::str::from_utf8(token).unwrap()).into_bytes()
    } else {
        token.to_vec()
    }
}

fn numbers(token: &[u8], change: impl Fn(&str, f64) -> String) -> Vec<u8> {
    let text = std::str::from_utf8(token).unwrap();
    match text.parse::<f64>() {
        Ok(number) if !token.starts_with(b"\"") => change(text, number).into_bytes(),
        _ => token.to_vec(),
    }
}

fn escaped(text: &str, which: fn(char) -> bool) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if which(c) {
            c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| out += &format!("\\u{unit:04x}"));
        } else {
            out.push(c);
        }
    }
    out
}

fn respelled_input(text: &[u8], change: impl Fn(&str) -> String) -> Vec<u8> {
    std::str::from_utf8(text).map_or_else(|_| text.to_vec(), |text| change(text).into_bytes())
}

fn engines() -> Vec<Sabotage> {
    let order = |name, classes, order| Sabotage { name, classes, order, ..HONEST };
    let scalar = |name, classes, scalar| Sabotage { name, classes, scalar, ..HONEST };
    let input = |name, classes, input| Sabotage { name, classes, input, ..HONEST };
    let keeps = |name, classes, keeps| Sabotage { name, classes, keeps, ..HONEST };
    let rest = |name, classes, rest| Sabotage { name, classes, rest, ..HONEST };
    vec![
        order("code points", &["order.utf16-or-code-point"], |a, b| a.cmp(b)),
        order("not sorted", &["order.unsorted"], |_, _| Ordering::Equal),
        order("integer names first", &["order.integer-names"], |a, b| {
            let number = |name: &str| name.parse::<u32>().ok().filter(|number| number.to_string() == name);
            match (number(a), number(b)) {
                (Some(a), Some(b)) => a.cmp(&b),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => utf16(a, b),
            }
        }),
        order("letter case", &["order.letter-case"], |a, b| {
            a.to_lowercase().cmp(&b.to_lowercase()).then(utf16(a, b))
        }),
        order("short names first", &["order.length"], |a, b| a.len().cmp(&b.len()).then(utf16(a, b))),
        order("quoted names", &["order.quoted-name"], |a, b| utf16(&format!("{a}\""), &format!("{b}\""))),
        order("eight characters", &["order.other", "order.unsorted"], |a, b| {
            a.encode_utf16().take(8).cmp(b.encode_utf16().take(8))
        }),
        rest("nested objects not sorted", &["order.nested"], Rest::NestedUnsorted),
        rest("many members not sorted", &["order.many-members"], Rest::ManyMembersUnsorted),
        rest("many members inside not sorted", &["order.many-members"], Rest::ManyMembersInsideUnsorted),
        scalar("ASCII", &["escape.non-ascii", "escape.c1", "escape.line-separator"], |token| {
            strings(token, |text| escaped(text, |c| !c.is_ascii()))
        }),
        scalar("DEL escaped", &["escape.delete"], |token| {
            strings(token, |text| escaped(text, |c| c == '\u{7f}'))
        }),
        scalar("solidus escaped", &["escape.solidus"], |token| {
            strings(token, |text| text.replace('/', "\\/"))
        }),
        scalar("capital digits", &["escape.hex-case"], |token| {
            strings(token, |text| {
                let parts: Vec<String> = text
                    .split("\\u")
                    .enumerate()
                    .map(
                        |(at, part)| {
                            if at == 0 { part.to_owned() } else { part[..4].to_uppercase() + &part[4..] }
                        },
                    )
                    .collect();
                parts.join("\\u")
            })
        }),
        scalar("long escapes", &["escape.control"], |token| {
            strings(token, |text| text.replace("\\b", "\\u0008").replace("\\f", "\\u000c"))
        }),
        scalar("line separators escaped", &["escape.line-separator"], |token| {
            strings(token, |text| escaped(text, |c| matches!(c, '\u{2028}' | '\u{2029}')))
        }),
        scalar("HTML escaped", &["escape.html"], |token| {
            strings(token, |text| escaped(text, |c| matches!(c, '<' | '>' | '&')))
        }),
        scalar("normalized", &["string.normalization"], |token| {
            strings(token, |text| text.replace("e\u{301}", "é").replace('\u{212b}', "\u{c5}"))
        }),
        scalar("trimmed", &["string.trimmed"], |token| {
            strings(token, |text| format!("\"{}\"", text[1..text.len() - 1].trim()))
        }),
        scalar("cut at 255", &["string.truncated"], |token| {
            strings(token, |text| {
                if text.len() > 257 && text.is_ascii() && !text.contains('\\') {
                    format!("{}\"", &text[..256])
                } else {
                    text.to_owned()
                }
            })
        }),
        scalar("ends at NUL", &["string.nul", "string.truncated"], |token| {
            strings(token, |text| {
                text.find("\\u0000").map_or(text.to_owned(), |at| {
                    if text[..at].ends_with('\\') { text.to_owned() } else { format!("{}\"", &text[..at]) }
                })
            })
        }),
        scalar("noncharacters replaced", &["string.replacement"], |token| {
            strings(token, |text| text.replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}"))
        }),
        scalar("no plus sign", &["number.exponent-form"], |token| {
            numbers(token, |text, _| text.replace("e+", "e"))
        }),
        scalar("two digits", &["number.exponent-form"], |token| {
            numbers(token, |text, _| {
                text.split_once("e-")
                    .filter(|(_, digits)| digits.len() == 1)
                    .map_or(text.to_owned(), |(head, digits)| format!("{head}e-0{digits}"))
            })
        }),
        scalar("exponent from 1e16", &["number.exponent-threshold"], |token| {
            numbers(token, |text, number| {
                if number.abs() >= 1e16 && number.abs() < 1e21 {
                    format!("{number:e}").replace('e', "e+")
                } else {
                    text.to_owned()
                }
            })
        }),
        scalar("seventeen digits", &["number.shortest-digits"], |token| {
            numbers(token, |text, number| {
                if text.contains('.') && !text.contains('e') {
                    format!("{number:.17}").trim_end_matches('0').to_owned()
                } else {
                    text.to_owned()
                }
            })
        }),
        scalar("no subnormals", &["number.subnormal"], |token| {
            numbers(
                token,
                |text, number| {
                    if number.abs() < f64::MIN_POSITIVE { "0".to_owned() } else { text.to_owned() }
                },
            )
        }),
        scalar(
            "single precision",
            &["number.shortest-digits", "number.changed", "number.integer-precision"],
            |token| {
                numbers(token, |text, number| {
                    if text.contains('.') && number.abs() < 1e6 && number.abs() > 1e-6 {
                        format!("{}", number as f32)
                    } else {
                        text.to_owned()
                    }
                })
            },
        ),
        input("minus zero", &["number.negative-zero", "value.type"], |text| {
            if text == b"-0" || text == b"-0.0" { b"\"-0\"".to_vec() } else { text.to_vec() }
        }),
        input("byte order mark", &["input.byte-order-mark"], |text| {
            text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text).to_vec()
        }),
        input("lossy UTF-8", &["input.invalid-utf-8"], |text| {
            String::from_utf8_lossy(text).into_owned().into_bytes()
        }),
        input("trailing bytes", &["input.trailing"], |text| {
            let mut values = serde_json::Deserializer::from_slice(text).into_iter::<serde_json::Value>();
            match values.next() {
                Some(Ok(_)) if std::str::from_utf8(text).is_ok() => text[..values.byte_offset()].to_vec(),
                _ => text.to_vec(),
            }
        }),
        input("last name wins", &["member.duplicate"], |text| {
            match serde_json::from_slice::<serde_json::Value>(text) {
                Ok(value) if Document::read(text, &Limits::default()).is_err() => {
                    value.to_string().into_bytes()
                }
                _ => text.to_vec(),
            }
        }),
        input("surrogates replaced", &["input.lone-surrogate"], |text| {
            let is_lone = |text: &[u8]| matches!(Document::read(text, &Limits::default()), Err(error) if error.code.as_str() == "json.lone-surrogate");
            if is_lone(text) {
                respelled_input(text, |text| {
                    text.replace("\\ud800", "\u{fffd}").replace("\\udc00", "\u{fffd}")
                })
            } else {
                text.to_vec()
            }
        }),
        input("NaN", &["input.non-finite"], |text| {
            if text == b"[NaN]" { b"[null]".to_vec() } else { text.to_vec() }
        }),
        keeps("nulls dropped", &["member.null"], |_, member| !member.is_null()),
        keeps("prototype lost", &["member.special-name"], |name, _| name != "__proto__"),
        keeps("empty name lost", &["member.empty-name"], |name, _| !name.is_empty()),
        keeps("empty values lost", &["member.empty-value"], |_, member| {
            !matches!(member.raw(), "{}" | "[]" | "\"\"")
        }),
        rest("arrays sorted", &["array.order"], Rest::ArraysSorted),
        scalar("joiners dropped", &["string.character-dropped"], |token| {
            strings(token, |text| text.replace('\u{200c}', ""))
        }),
        scalar("variation selectors dropped", &["string.character-dropped"], |token| {
            strings(token, |text| text.replace(|c| matches!(c, '\u{e0100}'..='\u{e01ef}'), ""))
        }),
        scalar("noncharacters of plane 1 replaced", &["string.replacement"], |token| {
            strings(token, |text| text.replace(['\u{1fffe}', '\u{1ffff}'], "\u{fffd}"))
        }),
        scalar("dates respelled", &["string.changed"], |token| {
            strings(token, |text| text.replace("T00:00:00.000Z\"", "T00:00:00Z\""))
        }),
        scalar("line ends", &["string.trimmed", "string.character-dropped"], |token| {
            strings(token, |text| text.replace("\\r\\n", "\\n"))
        }),
        scalar("powers of two with all digits", &["number.shortest-digits"], |token| {
            numbers(token, |text, number| {
                let is_power = number.to_bits() << 12 == 0 && number != 0.0 && number.abs() < 1e-7;
                if is_power { format!("{number:.16e}") } else { text.to_owned() }
            })
        }),
        input("escapes in both cases refused", &["refused.other"], |text| {
            let has_both = |digits: &[u8]| {
                digits.iter().take(4).any(u8::is_ascii_uppercase)
                    && digits.iter().take(4).any(u8::is_ascii_lowercase)
            };
            let mut escapes = text.windows(6).filter(|part| part.starts_with(b"\\u"));
            if escapes.any(|part| has_both(&part[2..])) { b"[".to_vec() } else { text.to_vec() }
        }),
        rest("space after comma", &["output.white-space"], Rest::SpaceAfterComma),
        rest("overflow is null", &["number.overflow"], Rest::OverflowIsNull),
        rest("breaks beyond plane 0", &["engine.broke"], Rest::CrashesBeyondPlaneZero),
        Sabotage { name: "depth 50", classes: &["limit.depth"], deepest: 50, ..HONEST },
    ]
}

fn plan() -> Plan {
    Plan { cases: 20_000, seed: 20_261_127, scheme: None, first: false }
}

/// Every reduction, made and tried here once more, must show no difference of that kind.
fn assert_minimal(found: &Divergence, engines: &mut [Box<dyn Engine>]) {
    assert!(found.minimal, "{:?}: the budget ran out", found.class);
    let all: Vec<Vec<u8>> = reductions(&found.text).collect();
    assert!(
        found.text.is_empty() || all.len() >= found.text.len(),
        "the list holds at least every text with one byte less"
    );
    let [left, right]: [Vec<Answer>; 2] = [0, 1].map(|at| engines[at].canonicalize(&all));
    for ((text, left), right) in all.iter().zip(left).zip(right) {
        let difference = Difference::between(&left.outcome, &right.outcome);
        assert_ne!(difference, Some(found.difference), "{} shows it too", text.escape_ascii());
    }
}

/// What came of one sabotaged engine.
struct TriedOut {
    name: &'static str,
    /// Length of the smallest text that shows the defect; `None` where it was missed.
    bytes: Option<usize>,
    /// The causes that were named, and whether a right one is among them.
    named: String,
    is_right: bool,
}

fn try_out(sabotage: Sabotage) -> TriedOut {
    let mut engines = vec![Sabotaged::of(HONEST), Sabotaged::of(sabotage)];
    let found = run(&mut engines, &Plan { first: true, ..plan() }, &mut |_| {}).unwrap();
    let plain = found.divergences.iter().filter(|found| found.within == Within::Difference);
    plain.for_each(|found| assert_minimal(found, &mut engines));
    let names: Vec<&str> = found.divergences.iter().map(|found| found.class.as_str()).collect();
    let bytes = found.divergences.iter().map(|found| found.text.len()).min();
    let is_right = names.iter().any(|name| sabotage.classes.contains(name));
    TriedOut { name: sabotage.name, bytes, named: names.join(" "), is_right }
}

#[test]
fn every_defect_is_found_shown_in_a_few_bytes_and_named() {
    let all = engines();
    let (even, odd): (Vec<(usize, &Sabotage)>, Vec<_>) =
        all.iter().enumerate().partition(|(at, _)| at % 2 == 0);
    let results: Vec<TriedOut> = std::thread::scope(|scope| {
        let halves = [even, odd].map(|half| {
            scope.spawn(move || half.into_iter().map(|(_, sabotage)| try_out(*sabotage)).collect::<Vec<_>>())
        });
        halves.into_iter().flat_map(|half| half.join().unwrap()).collect()
    });
    let mut lengths: Vec<usize> = results.iter().filter_map(|result| result.bytes).collect();
    lengths.sort_unstable();
    results
        .iter()
        .for_each(|result| println!("{:<28} {:?} bytes  {}", result.name, result.bytes, result.named));
    println!("{} engines, median {} bytes", all.len(), lengths[lengths.len() / 2]);
    let missed: Vec<&str> =
        results.iter().filter(|result| result.bytes.is_none()).map(|result| result.name).collect();
    let misnamed: Vec<&str> =
        results.iter().filter(|result| !result.is_right).map(|result| result.name).collect();
    assert!(missed.is_empty(), "missed: {missed:?}");
    assert!(misnamed.is_empty(), "misnamed: {misnamed:?}");
    assert!(lengths[lengths.len() / 2] <= 12);
}

/// What only counts how much there is: shrinking must not try ten thousand members one by one.
#[test]
fn a_text_of_ten_thousand_members_is_made_small_with_a_few_hundred_questions() {
    let members = |text: &[u8]| text.iter().filter(|byte| **byte == b':').count();
    let narrow =
        Builtin::of("narrow", "jcs", |text| match text.iter().filter(|byte| **byte == b':').count() {
            ..=1_000 => Answer::bytes(Vec::new()),
            _ => Answer::reject("too wide"),
        });
    let wide = Builtin::of("wide", "jcs", |_| Answer::bytes(Vec::new()));
    let (mut narrow, mut wide) = (narrow, wide);
    let all: Vec<String> = (0..10_001).map(|at| format!("\"member {at}\":[{at},\"{at}\"]")).collect();
    let text = format!("{{{}}}", all.join(",")).into_bytes();
    let mut budget = Budget { texts: 600, bytes: 16 << 20 };
    let shrunk = shrink(&text, Difference::SecondRejects, None, &mut [&mut wide, &mut narrow], &mut budget);
    assert_eq!((members(&shrunk.text), shrunk.minimal), (1_001, false));
    assert!(shrunk.text.len() < 10_000, "{}", shrunk.text.len());
}

#[test]
fn two_honest_engines_agree_about_everything() {
    let ours = Box::new(Builtin::named("jcs").unwrap()) as Box<dyn Engine>;
    let found = run(&mut [ours, Sabotaged::of(HONEST)], &plan(), &mut |_| {}).unwrap();
    assert!(found.divergences.is_empty(), "{:?}", found.divergences);
    assert_eq!(found.counts.divergent, 0);
    assert!(found.accepted_share() > 0.8, "{}", found.accepted_share());
}

/// Answers every 700th text with the bytes of the one before.
struct Forgetful(Box<dyn Engine>, usize, Answer);

impl Engine for Forgetful {
    fn identity(&self) -> &Identity {
        self.0.identity()
    }

    fn canonicalize(&mut self, texts: &[Vec<u8>]) -> Vec<Answer> {
        let mut answers = self.0.canonicalize(texts);
        for answer in &mut answers {
            self.1 += 1;
            let right = answer.clone();
            if self.1.is_multiple_of(700) {
                *answer = self.2.clone();
            }
            self.2 = right;
        }
        answers
    }
}

#[test]
fn an_answer_that_depends_on_more_than_the_text_is_called_that() {
    let forgetful = Forgetful(Sabotaged::of(HONEST), 0, Answer::reject("nothing yet"));
    let found = run(&mut [Sabotaged::of(HONEST), Box::new(forgetful)], &plan(), &mut |_| {}).unwrap();
    let names: Vec<&str> = found.divergences.iter().map(|found| found.class.as_str()).collect();
    assert!(!names.is_empty() && names.iter().all(|name| *name == "engine.unstable"), "{names:?}");
    let laws: Vec<(&str, usize)> =
        found.violations.iter().map(|found| (found.law.as_str(), found.engine)).collect();
    assert!(laws.contains(&("deterministic", 1)) && laws.iter().all(|(_, engine)| *engine == 1), "{laws:?}");
}

#[test]
fn engines_that_share_a_defect_still_break_a_law() {
    let shared: Vec<Sabotage> = engines()
        .into_iter()
        .filter(|sabotage| ["not sorted", "nulls dropped"].contains(&sabotage.name))
        .collect();
    let laws: Vec<Vec<&str>> = shared
        .into_iter()
        .map(|sabotage| {
            let found =
                run(&mut [Sabotaged::of(sabotage), Sabotaged::of(sabotage)], &plan(), &mut |_| {}).unwrap();
            assert!(found.divergences.is_empty());
            found
                .violations
                .iter()
                .filter(|violation| violation.engine == 0)
                .map(|violation| violation.law.as_str())
                .collect()
        })
        .collect();
    assert_eq!(laws, [vec!["order-independent"], vec!["injective"]]);
    assert_eq!(Outcome::Reject.bytes(), None);
}
