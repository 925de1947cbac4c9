//! Conditions on one answer, or on the items of its lists: each a pure function that says in words what differs.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use assayer_vectors::{Every, HeaderExpectation, LeafOf, Order, Png};
use assayer_verifier::oversight::Log;
use assayer_verifier::{Document, Value};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value as Json;

use crate::client::ANSWER_LIMITS;
use crate::judge::{is_same, same_json, shown};
use crate::schema;
use crate::transcript::{Answer, Transcript};

/// What differs, with its place.
pub(crate) type Differs = Result<(), String>;

pub(crate) fn header(expected: &HeaderExpectation, answer: &Answer, place: &str) -> Differs {
    let name = &expected.name;
    if !expected.one_of.is_empty() {
        let found = answer.header(name);
        if !found.is_some_and(|found| expected.one_of.iter().any(|expected| expected == found)) {
            let found = found.map_or_else(|| "no such field".to_owned(), shown);
            return Err(format!("{place}: {name}: expected {}, found {found}", expected.one_of.join(" or ")));
        }
    }
    let Some(wanted) = &expected.schema else { return Ok(()) };
    let found = joined(answer, name);
    let found = found.map_or(Json::Null, Json::String);
    schema::check_value(&found, wanted).map_err(|error| format!("{place}: {name}: {error}"))
}

/// The values of a field, joined as in RFC 9110 section 5.3.
fn joined(answer: &Answer, name: &str) -> Option<String> {
    let fields = answer.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
    let values: Vec<&str> = fields.map(|(_, value)| value.as_str()).collect();
    (!values.is_empty()).then(|| values.join(", "))
}

/// RFC 9110 section 8.3.1: type and subtype are compared without regard to case, parameters are set aside.
pub(crate) fn media(expected: &str, answer: &Answer, place: &str) -> Differs {
    let found = answer.header("content-type");
    let essence = found.and_then(|found| found.split(';').next()).map(str::trim);
    if essence.is_some_and(|essence| essence.eq_ignore_ascii_case(expected)) {
        return Ok(());
    }
    let found = found.map_or_else(|| "no such field".to_owned(), shown);
    Err(format!("{place}: Content-Type: expected {expected}, found {found}"))
}

pub(crate) fn body(wanted: &Json, answer: &Answer, place: &str) -> Differs {
    let Ok(text) = String::from_utf8(answer.body().into_owned()) else {
        return Err(format!("{place}: the body: expected a text, found bytes that are not UTF-8"));
    };
    schema::check_value(&Json::String(text), wanted)
        .map_err(|error| format!("{place}: the body as a text: {error}"))
}

/// The last chunk of a PNG: its length, its name, its checksum (RFC 2083, section 4.1.4).
const END_OF_PNG: &[u8] = b"\0\0\0\0IEND\xae\x42\x60\x82";

/// An image of the expected size, every row of which can be decoded, and nothing behind it.
pub(crate) fn png(expected: Png, answer: &Answer, place: &str) -> Differs {
    /// No beacon needs an image that takes more memory than this.
    const LARGEST_IMAGE: usize = 1 << 20;
    let failed = |found: String| {
        Err(format!(
            "{place}: the body: expected a PNG of {}x{}, found {found}",
            expected.width, expected.height
        ))
    };
    let bytes = answer.body();
    let mut decoder = png::Decoder::new(std::io::Cursor::new(bytes.as_ref()));
    decoder.set_limits(png::Limits { bytes: LARGEST_IMAGE });
    let mut reader = match decoder.read_info() {
        Ok(reader) => reader,
        Err(error) => return failed(format!("none: {error}")),
    };
    let (width, height) = (reader.info().width, reader.info().height);
    if (width, height) != (expected.width, expected.height) {
        return failed(format!("one of {width}x{height}"));
    }
    let Some(length) = reader.output_buffer_size().filter(|length| *length <= LARGEST_IMAGE) else {
        return failed("one that is too large to decode".to_owned());
    };
    // The decoder stops at the end of the image, whatever comes after.
    if !bytes.ends_with(END_OF_PNG) {
        return failed("one with something behind it".to_owned());
    }
    let decoded = reader.next_frame(&mut vec![0; length]).map(|_| ()).and_then(|()| reader.finish());
    decoded.or_else(|error| failed(format!("one that cannot be decoded: {error}")))
}

/// The time that a JSON text is: RFC 3339, or seconds since 1970.
pub(crate) fn time(value: &str) -> Option<Timestamp> {
    match serde_json::from_str(value) {
        Ok(Json::String(text)) => text.parse().ok(),
        Ok(Json::Number(number)) => number.as_i64().and_then(|seconds| Timestamp::from_second(seconds).ok()),
        _ => None,
    }
}

/// A time at most `most` seconds before the run began or after it ended, by our clock.
pub(crate) fn within_run(value: &str, most: u32, transcript: &Transcript) -> Differs {
    let Some(found) = time(value) else { return Err(format!("expected a time, found {}", shown(value))) };
    let Ok(started) = transcript.manifest.clock.started_at.parse::<Timestamp>() else {
        return Err("the transcript does not say when the run began".to_owned());
    };
    let tolerance = SignedDuration::from_secs(i64::from(most));
    let elapsed =
        SignedDuration::from_millis(i64::try_from(transcript.manifest.clock.elapsed_ms).unwrap_or(i64::MAX));
    let earliest = started.saturating_sub(tolerance).unwrap_or(Timestamp::MIN);
    let latest = started.saturating_add(elapsed.saturating_add(tolerance)).unwrap_or(Timestamp::MAX);
    if (earliest..=latest).contains(&found) {
        return Ok(());
    }
    Err(format!("expected a time within {most} s of the run that began at {started}, found {found}"))
}

/// Whether an item has the described values.
pub(crate) fn matches(item: Value<'_>, conditions: &[(&str, Json)]) -> bool {
    conditions.iter().all(|(pointer, expected)| {
        with_value(item, pointer, |value| is_same(value, expected)).unwrap_or(false)
    })
}

/// The value at a pointer below an item. `/a#/b` reads the text at `/a` as JSON and looks at `/b` in it.
fn with_value<T>(item: Value<'_>, pointer: &str, then: impl FnOnce(Value<'_>) -> T) -> Option<T> {
    match pointer.split_once('#') {
        None => item.at(pointer).map(then),
        Some((outer, inner)) => {
            let text = item.at(outer).and_then(Value::as_str)?;
            let document = Document::read(text.as_bytes(), &ANSWER_LIMITS).ok()?;
            document.root().at(inner).map(then)
        }
    }
}

/// Judges item after item; the value before is kept for the order, and all of them where none may be there twice.
pub(crate) struct EveryItem<'e> {
    every: &'e Every,
    transcript: &'e Transcript,
    of_answer: OfAnswer<'e>,
    /// How many items were meant.
    pub(crate) count: usize,
    before: Option<Json>,
    /// The values so far, as JSON.
    known: BTreeSet<String>,
    /// The values of all answers -> what stands beside them, as JSON.
    identified: BTreeMap<String, String>,
}

/// What items are compared with, for one answer.
#[derive(Default)]
pub(crate) struct OfAnswer<'e> {
    /// Which items are meant.
    pub(crate) conditions: Vec<(&'e str, Json)>,
    pub(crate) equals: Option<Json>,
    pub(crate) leaf: Option<WantedLeaf<'e>>,
}

/// A leaf that an item must be of.
pub(crate) struct WantedLeaf<'e> {
    pub(crate) of: &'e LeafOf,
    pub(crate) log: Rc<Log>,
    pub(crate) has: Vec<(&'e str, Json)>,
}

impl WantedLeaf<'_> {
    fn agrees(&self, item: Value<'_>) -> Differs {
        let at = &self.of.index;
        let index = item.at(at).and_then(Value::as_u64);
        let Some(leaf) = index.and_then(|index| self.log.leaf(index)) else {
            let found = item.at(at).map_or("no such member", Value::raw);
            return Err(format!("{at}: expected the index of a leaf of the log, found {}", shown(found)));
        };
        let document = Document::read(&leaf.bytes, &ANSWER_LIMITS);
        let document =
            document.map_err(|error| format!("leaf {}: expected JSON, found {error}", leaf.index))?;
        let in_leaf = |pointer: &str| document.root().at(pointer);
        for (pointer, expected) in &self.has {
            let found = in_leaf(pointer).ok_or_else(|| format!("leaf {}: no {pointer}", leaf.index))?;
            same_json(found, expected, pointer).map_err(|text| format!("leaf {}: {text}", leaf.index))?;
        }
        for (pointer, place) in &self.of.same {
            let Some(logged) = in_leaf(pointer) else { continue };
            let expected: Json = serde_json::from_str(logged.raw()).map_err(|error| error.to_string())?;
            let same = with_value(item, place, |found| same_json(found, &expected, place));
            same.unwrap_or_else(|| {
                Err(format!("{place}: expected {}, found no such member", shown(logged.raw())))
            })?;
        }
        Ok(())
    }
}

impl<'e> EveryItem<'e> {
    pub(crate) fn new(every: &'e Every, transcript: &'e Transcript) -> Self {
        Self {
            every,
            transcript,
            of_answer: OfAnswer::default(),
            count: 0,
            before: None,
            known: BTreeSet::new(),
            identified: BTreeMap::new(),
        }
    }

    /// Goes over to another answer, which may begin anew with its order.
    pub(crate) fn turn_to(&mut self, of_answer: OfAnswer<'e>, is_new_list: bool) {
        self.of_answer = of_answer;
        self.before = self.before.take().filter(|_| !is_new_list);
        if is_new_list {
            self.known.clear();
        }
    }

    /// Looks at one item, if it is one of those that are meant.
    pub(crate) fn look_at(&mut self, item: Value<'_>, place: &str) -> Differs {
        if !matches(item, &self.of_answer.conditions) {
            return Ok(());
        }
        self.count += 1;
        if let Some(leaf) = &self.of_answer.leaf {
            leaf.agrees(item).map_err(|difference| format!("{place}{difference}"))?;
        }
        let pointer = self.every.at.as_deref().unwrap_or("");
        let raw = with_value(item, pointer, |value| value.raw().to_owned());
        let Some(raw) = raw else {
            return Err(format!("{place}{pointer}: expected a value, found no such member"));
        };
        self.judge(&raw)
            .and_then(|()| self.identifies(&raw, item))
            .map_err(|difference| format!("{place}{pointer}: {difference}"))
    }

    /// Whether a value belongs to one item alone, in all answers.
    fn identifies(&mut self, raw: &str, item: Value<'_>) -> Differs {
        let Some(pointer) = self.every.identifies.as_deref() else { return Ok(()) };
        let other = with_value(item, pointer, |value| value.raw().to_owned());
        let other = other.ok_or_else(|| format!("expected {pointer} beside it, found no such member"))?;
        let known = self.identified.entry(raw.to_owned()).or_insert_with(|| other.clone());
        if *known == other {
            return Ok(());
        }
        Err(format!("expected {raw} where {pointer} is {}, found it where it is {other}", shown(known)))
    }

    fn judge(&mut self, raw: &str) -> Differs {
        if let Some(schema) = &self.every.schema {
            schema::check(raw, schema)?;
        }
        if let Some(most) = self.every.within_run {
            within_run(raw, most, self.transcript)?;
        }
        if let Some(expected) = &self.of_answer.equals {
            let found: Json = serde_json::from_str(raw).map_err(|error| error.to_string())?;
            if found != *expected {
                return Err(format!("expected {}, found {}", shown(&expected.to_string()), shown(raw)));
            }
        }
        if self.every.distinct && !self.known.insert(raw.to_owned()) {
            return Err(format!("expected a value that no other item has, found {} again", shown(raw)));
        }
        self.in_order(raw)
    }

    fn in_order(&mut self, raw: &str) -> Differs {
        let Some(order) = self.every.order else { return Ok(()) };
        let value: Json = serde_json::from_str(raw).map_err(|error| error.to_string())?;
        let before = self.before.replace(value.clone());
        match before.as_ref().map(|before| follows(before, &value, order)) {
            None | Some(Some(true)) => Ok(()),
            Some(Some(false)) => {
                let before = before.unwrap_or_default();
                Err(format!("expected {} order, found {value} after {before}", name(order)))
            }
            Some(None) => Err(format!("expected numbers or texts to compare, found {}", shown(raw))),
        }
    }
}

fn name(order: Order) -> &'static str {
    match order {
        Order::Ascending => "ascending",
        Order::Descending => "descending",
    }
}

/// Whether one value may stand before another; `None` where they cannot be compared.
fn follows(before: &Json, after: &Json, order: Order) -> Option<bool> {
    let ordering = match (before, after) {
        (Json::String(before), Json::String(after)) => before.cmp(after),
        (Json::Number(before), Json::Number(after)) => before.as_i64()?.cmp(&after.as_i64()?),
        _ => return None,
    };
    Some(match order {
        Order::Ascending => ordering.is_le(),
        Order::Descending => ordering.is_ge(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn answer(headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Answer { status: 200, headers, body_text: None, body_hex: Some(hex::encode(body)), elapsed_ms: 1 }
    }

    fn transcript() -> Transcript {
        let manifest = crate::archive::Manifest::sample("2026-01-02T03:04:05Z", 2000);
        Transcript { manifest, exchanges: Vec::new() }
    }

    /// A PNG of one grey pixel, written out chunk by chunk with the sums of RFC 2083.
    const PIXEL: &str = "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b550000000a49444154789c636800000082\
                         008177cd72b60000000049454e44ae426082";

    #[test]
    fn an_image_is_one_only_if_every_byte_of_it_is_sound() {
        let one = Png { width: 1, height: 1 };
        let good = hex::decode(PIXEL).unwrap();
        assert_eq!(png(one, &answer(&[], &good), "x"), Ok(()));
        assert!(png(Png { width: 2, height: 1 }, &answer(&[], &good), "x").is_err());
        assert!(png(one, &answer(&[], b""), "x").is_err());
        let cut = good.get(..good.len() - 12).unwrap();
        assert!(png(one, &answer(&[], cut), "x").is_err(), "without its end");
        let more = [good.as_slice(), b"more"].concat();
        assert!(png(one, &answer(&[], &more), "x").is_err(), "with something behind its end");
        for position in 0..good.len() {
            let mut bad = good.clone();
            bad[position] ^= 0x10;
            assert!(png(one, &answer(&[], &bad), "x").is_err(), "byte {position}");
        }
    }

    #[test]
    fn absent_fields_are_null_and_repeated_ones_are_joined() {
        let expectation =
            |schema| HeaderExpectation { name: "X".to_owned(), one_of: vec![], schema: Some(schema) };
        let absent = expectation(json!({"type": "null"}));
        assert_eq!(header(&absent, &answer(&[], b""), "x"), Ok(()));
        assert!(header(&absent, &answer(&[("x", "")], b""), "x").is_err());
        let twice = answer(&[("x", "a"), ("x", "b")], b"");
        assert_eq!(header(&expectation(json!({"const": "a, b"})), &twice, "x"), Ok(()));
        assert!(header(&expectation(json!({"const": "a"})), &twice, "x").is_err());
    }

    #[test]
    fn media_types_are_compared_without_parameters() {
        let of = |value| media("application/json", &answer(&[("content-type", value)], b""), "x");
        assert!(of("application/json").is_ok() && of("Application/JSON; charset=utf-8").is_ok());
        assert!(of("text/html").is_err() && of("application/jsonp").is_err());
        assert!(media("application/json", &answer(&[], b""), "x").is_err());
    }

    #[test]
    fn times_are_near_the_run_or_not() {
        let transcript = transcript();
        for (value, most, near) in [
            ("\"2026-01-02T03:04:05Z\"", 0, true),
            ("\"2026-01-02T03:04:07Z\"", 0, true),
            ("\"2026-01-02T03:04:08Z\"", 0, false),
            ("\"2026-01-02T03:04:08Z\"", 1, true),
            ("\"2026-01-02T03:04:04Z\"", 0, false),
            ("\"2026-01-02T04:04:06+01:00\"", 0, true),
            ("1767323045", 0, true),
            ("1767323044", 0, false),
            ("\"yesterday\"", 9, false),
            ("null", 9, false),
            ("true", 9, false),
            ("1e300", 9, false),
        ] {
            assert_eq!(within_run(value, most, &transcript).is_ok(), near, "{value} {most}");
        }
    }

    #[test]
    fn items_follow_each_other_in_order_or_are_there_once() {
        let transcript = transcript();
        let every = |order, distinct| Every {
            list: String::new(),
            or_in: None,
            condition: BTreeMap::new(),
            least: 1,
            at: Some("/a#/b".to_owned()),
            schema: None,
            within_run: None,
            order,
            distinct,
            identifies: None,
            equals: None,
            leaf: None,
        };
        let looked_at = |every: &Every, items: &str| {
            let document = Document::read(items.as_bytes(), &ANSWER_LIMITS).unwrap();
            let mut all = EveryItem::new(every, &transcript);
            let outcome = document.root().items().try_for_each(|item| all.look_at(item, "x"));
            outcome.map(|()| all.count)
        };
        let judged = |order, items: &str| looked_at(&every(Some(order), false), items);
        let rising = r#"[{"a":"{\"b\":1}"},{"a":"{\"b\":1}"},{"a":"{\"b\":3}"}]"#;
        assert_eq!(judged(Order::Ascending, rising), Ok(3));
        assert!(judged(Order::Descending, rising).is_err());
        assert!(judged(Order::Ascending, r#"[{"a":"{\"b\":1}"},{"a":"{\"b\":\"x\"}"}]"#).is_err());
        assert!(judged(Order::Ascending, r#"[{"a":"no JSON"}]"#).is_err());
        assert_eq!(judged(Order::Descending, r#"[{"a":"{\"b\":\"y\"}"},{"a":"{\"b\":\"x\"}"}]"#), Ok(2));
        let twice = looked_at(&every(None, true), rising);
        assert!(twice.unwrap_err().contains("that no other item has, found 1 again"));
        let once = r#"[{"a":"{\"b\":1}"},{"a":"{\"b\":\"1\"}"},{"a":"{\"b\":2}"}]"#;
        assert_eq!(looked_at(&every(None, true), once), Ok(3));
    }

    #[test]
    fn a_value_that_identifies_belongs_to_one_item_in_all_answers() {
        let transcript = transcript();
        let every = serde_json::from_value(json!({"in": "", "least": 1, "at": "/id", "identifies": "/n"}));
        let every: Every = every.unwrap();
        let looked_at = |lists: &[&str]| {
            let mut all = EveryItem::new(&every, &transcript);
            lists.iter().try_for_each(|list| {
                let document = Document::read(list.as_bytes(), &ANSWER_LIMITS).unwrap();
                all.turn_to(OfAnswer::default(), true);
                document.root().items().try_for_each(|item| all.look_at(item, "x"))
            })
        };
        assert_eq!(looked_at(&[r#"[{"id":1,"n":7}]"#, r#"[{"id":1,"n":7},{"id":2,"n":8}]"#]), Ok(()));
        let restarted = looked_at(&[r#"[{"id":1,"n":7}]"#, r#"[{"id":1,"n":8}]"#]);
        assert_eq!(restarted.unwrap_err(), "x/id: expected 1 where /n is 7, found it where it is 8");
        assert!(looked_at(&[r#"[{"id":1}]"#]).unwrap_err().contains("expected /n beside it"));
    }
}
