//! Event rows of a bundle, and the log leaf that each of them must rebuild to.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::canon::{Form, Nulls, Scheme};
use crate::code::Code;
use crate::hash::Hash;
use crate::json::{Document, Kind, Value};
use crate::limits::Limits;
use crate::merkle::leaf_hash;
use crate::oversight::describe;
use crate::oversight::signed::texts;
use crate::verdict::{Layer, Problem};

/// Kinds of events (BE-1) and the DNS callback.
const WEB_KINDS: [&str; 3] = ["http_img", "ocsp", "license"];
const DNS_KIND: &str = "dns";

/// Order in which schemes are tried on a leaf: most logs are of one of the first three.
const LEAF_SCHEMES: [Scheme; 5] = [
    Scheme::JcsExactIntegers,
    Scheme::SerdeJcs01,
    Scheme::PythonSortKeys,
    Scheme::Jcs,
    Scheme::PythonSortKeysUtf8,
];

/// Schemes under which the leaf rebuilt from `row` hashes to `proven`; empty when none does.
pub(crate) fn fitting_schemes(row: Value<'_>, proven: &Hash) -> Vec<Scheme> {
    with_leaf(row, |leaves| {
        leaves
            .filter(|(_, bytes)| leaf_hash(bytes) == *proven)
            .flat_map(|(schemes, _)| schemes.iter().copied())
            .collect()
    })
}

/// The leaf that hashes to `proven`, with the schemes that write it; if none does, or none is named, the first that is tried.
pub(crate) fn leaf_of(row: Value<'_>, proven: Option<&Hash>) -> Option<(Vec<Scheme>, Vec<u8>)> {
    let fits = |(_, bytes): &(&[Scheme], Vec<u8>)| Some(leaf_hash(bytes)) == proven.copied();
    let (schemes, bytes) = with_leaf(row, |leaves| {
        let mut leaves: Vec<_> = leaves.collect();
        let at = leaves.iter().position(fits).unwrap_or_default();
        (at < leaves.len()).then(|| leaves.swap_remove(at))
    })?;
    Some((schemes.to_vec(), bytes))
}

fn with_leaf<T>(
    row: Value<'_>,
    use_leaves: impl FnOnce(&mut dyn Iterator<Item = (&'static [Scheme], Vec<u8>)>) -> T,
) -> T {
    let extra_text = if is_dns(row) { row.get("extra").and_then(Value::as_str) } else { None };
    let extra =
        extra_text.as_deref().and_then(|text| Document::read(text.as_bytes(), &Limits::default()).ok());
    let leaf = rebuild(row, extra.as_ref().map(Document::root));
    use_leaves(&mut texts(leaf, Nulls::Keep, &LEAF_SCHEMES))
}

/// The leaf of an event, fact sheet 1.4: exactly these members, nulls kept.
fn rebuild<'d>(row: Value<'d>, extra: Option<Value<'d>>) -> Form<'d> {
    let text = |text: &'static str| Form::Text(Cow::Borrowed(text));
    let member = |value: Option<Value<'d>>| value.map_or_else(|| text("null"), Form::Value);
    let mut leaf: Vec<(Cow<'d, str>, Form<'d>)> = vec![(Cow::Borrowed("event"), text("\"beacon\""))];
    for name in ["kind", "token_id", "file_id", "recipient_id", "source_ip"] {
        leaf.push((Cow::Borrowed(name), member(row.get(name))));
    }
    leaf.push((Cow::Borrowed("timestamp"), member(row.get("qualified_timestamp"))));
    if is_dns(row) {
        for name in ["qname", "qtype"] {
            leaf.push((Cow::Borrowed(name), member(extra.and_then(|extra| extra.get(name)))));
        }
    } else {
        leaf.push((Cow::Borrowed("user_agent"), member(row.get("user_agent"))));
    }
    Form::Object(leaf)
}

fn kind(row: Value<'_>) -> Option<Cow<'_, str>> {
    row.get("kind").and_then(Value::as_str)
}

fn is_dns(row: Value<'_>) -> bool {
    kind(row).is_some_and(|kind| kind == DNS_KIND)
}

const NAMES: [&str; 3] = ["file_id", "recipient_id", "issuer_id"];

/// Checks of the row that the leaf does not cover: they add to the layer `event-binding`.
pub(crate) fn check_row(layer: &mut Layer, row: Value<'_>, at: &str, identity: &Identity<'_>) {
    for outcome in [
        identity.check(row, at, &NAMES, Code::EventIdentityDiffers),
        check_extra(row, at),
        check_time(row, at),
    ] {
        if let Err(problem) = outcome {
            layer.refute(problem);
        }
    }
    for (key, _) in row.members() {
        let name = key.as_str().unwrap_or_default();
        if !ROW_MEMBERS.contains(&name.as_ref()) {
            let mut place = at.to_owned();
            crate::json::push_token(&mut place, &name);
            layer.note(Code::NoteUnknownMember, place, "the log does not cover it; the registry signed it");
        }
    }
    let known = kind(row).is_some_and(|kind| kind == DNS_KIND || WEB_KINDS.contains(&kind.as_ref()));
    if !known {
        layer.note(Code::EventKindUnknown, format!("{at}/kind"), describe(row.get("kind")));
    }
}

/// Members of an event row (fact sheet 3).
const ROW_MEMBERS: [&str; 12] = [
    "id",
    "token_id",
    "file_id",
    "recipient_id",
    "issuer_id",
    "kind",
    "source_ip",
    "user_agent",
    "extra",
    "timestamp",
    "qualified_timestamp",
    "tlog_index",
];

/// How far apart the two times of one event may be. The registries read the clock twice while they answer one request,
/// so the recorded pairs differ by a second now and then.
const CLOCK_READINGS_APART: u64 = 5;

/// `timestamp` (seconds since 1970) and `qualified_timestamp` (RFC 3339, UTC, whole seconds) are of one request.
fn check_time(row: Value<'_>, at: &str) -> Result<(), Problem> {
    let seconds = row.get("timestamp").and_then(Value::as_i64);
    let text = row.get("qualified_timestamp").and_then(Value::as_str);
    let instant = text.as_deref().and_then(whole_seconds);
    if let (Some(seconds), Some(instant)) = (seconds, instant)
        && seconds.abs_diff(instant) <= CLOCK_READINGS_APART
    {
        return Ok(());
    }
    let qualified = describe(row.get("qualified_timestamp"));
    let expected = format!("a time at most {CLOCK_READINGS_APART} s from {qualified}");
    let place = format!("{at}/timestamp");
    Err(Problem::new(Code::EventTimeDiffers, place, expected, describe(row.get("timestamp"))))
}

/// Seconds since 1970 of `YYYY-MM-DDThh:mm:ssZ`; other spellings are `None`.
pub(crate) fn whole_seconds(text: &str) -> Option<i64> {
    let instant: jiff::Timestamp = text.parse().ok()?;
    (text.len() == 20 && text.ends_with('Z') && instant.subsec_nanosecond() == 0).then(|| instant.as_second())
}

/// `extra` is JSON text: `{}` for web events; for DNS events an object that holds what the leaf has beyond the row.
pub(crate) fn check_extra(row: Value<'_>, at: &str) -> Result<(), Problem> {
    let problem = |expected: &str| {
        Problem::new(Code::EventExtra, format!("{at}/extra"), expected, describe(row.get("extra")))
    };
    let text = row.get("extra").and_then(Value::as_str);
    let document = text.as_deref().and_then(|text| Document::read(text.as_bytes(), &Limits::default()).ok());
    let Some(extra) = document.as_ref().map(Document::root).filter(|extra| extra.kind() == Kind::Object)
    else {
        return Err(problem("the text of a JSON object"));
    };
    let agent = row.get("user_agent").filter(|agent| !agent.is_null() && agent.raw() != "\"\"");
    if let Some(agent) = agent.filter(|_| is_dns(row)) {
        let expected = "no user agent: the leaf of a DNS event has none";
        return Err(Problem::new(Code::EventExtra, format!("{at}/user_agent"), expected, agent.raw()));
    }
    let covered: &[&str] = if is_dns(row) { &["qname", "qtype"] } else { &[] };
    let exactly =
        extra.members().count() == covered.len() && covered.iter().all(|name| extra.get(name).is_some());
    if exactly { Ok(()) } else { Err(problem("exactly the members that the log covers")) }
}

/// A value that many others are compared with: decoded once, for it may be long and they may be many.
pub(crate) struct Identifier<'d> {
    pub(crate) value: Option<Value<'d>>,
    pub(crate) text: Option<Cow<'d, str>>,
}

impl<'d> Identifier<'d> {
    pub(crate) fn of(value: Option<Value<'d>>) -> Self {
        Self { value, text: value.and_then(Value::as_str) }
    }
}

/// What rows must say about file, recipient and issuer.
pub(crate) struct Identity<'d> {
    file_id: Identifier<'d>,
    recipient_id: Identifier<'d>,
    issuer_id: Identifier<'d>,
}

impl<'d> Identity<'d> {
    pub(crate) fn of(manifest: Value<'d>) -> Self {
        let recipient = manifest.get("recipient");
        Self {
            file_id: Identifier::of(manifest.get("file_id")),
            recipient_id: Identifier::of(recipient.and_then(|recipient| recipient.get("recipient_id"))),
            issuer_id: Identifier::of(manifest.get("issuer_id")),
        }
    }

    /// Compares the named members of a row with the manifest's.
    pub(crate) fn check(&self, row: Value<'_>, at: &str, names: &[&str], code: Code) -> Result<(), Problem> {
        for name in names {
            let signed = match *name {
                "file_id" => &self.file_id,
                "recipient_id" => &self.recipient_id,
                _ => &self.issuer_id,
            };
            if !same_identity(signed, row.get(name)) {
                let expected = describe(signed.value);
                return Err(Problem::new(code, format!("{at}/{name}"), expected, describe(row.get(name))));
            }
        }
        Ok(())
    }
}

/// A row repeats the manifest's identifier; where the manifest has none, registries write `unknown` or nothing.
/// The database column is text, so an identifier that the manifest has as a number comes back as a text.
fn same_identity(signed: &Identifier<'_>, row: Option<Value<'_>>) -> bool {
    let row_text = row.and_then(Value::as_str);
    let placeholder = match (&row_text, row) {
        (Some(text), _) => text.is_empty() || text == "unknown",
        (None, row) => row.is_none_or(Value::is_null),
    };
    match signed.value {
        None => placeholder,
        Some(value) if value.is_null() => placeholder,
        Some(value) => match &signed.text {
            Some(text) if text.is_empty() => placeholder,
            Some(text) => row_text.is_some_and(|row_text| row_text == *text),
            None => {
                row_text.as_deref() == Some(value.raw()) || row.is_some_and(|row| row.raw() == value.raw())
            }
        },
    }
}

/// Layer `event-order`: times never go back, and no place in the log is claimed twice.
pub(crate) fn order_layer(events: &[Value<'_>], generated: Option<Value<'_>>, at: &str) -> Layer {
    let mut layer = Layer::new("event-order", "EV-1: events ordered by timestamp");
    let mut seen = BTreeSet::new();
    for (position, row) in events.iter().enumerate() {
        if let Some(index) = row.get("tlog_index").and_then(Value::as_u64)
            && !seen.insert(index)
        {
            let place = format!("{at}/{position}/tlog_index");
            layer.refute(Problem::new(
                Code::EventDuplicateIndex,
                place,
                "an index of its own",
                index.to_string(),
            ));
        }
    }
    let instant = generated.and_then(Value::as_str).as_deref().and_then(whole_seconds);
    let after = |row: &&Value<'_>| {
        let seconds = row.get("timestamp").and_then(Value::as_i64);
        instant.zip(seconds).is_some_and(|(instant, seconds)| seconds > instant.saturating_add(CLOCK_STEP))
    };
    if let Some(row) = events.iter().find(after) {
        let text = format!("an event of {}, later than the bundle", describe(row.get("timestamp")));
        layer.note(Code::EventAfterBundle, "/bundle_generated_at", text);
    }
    for (position, pair) in events.windows(2).enumerate() {
        if let [earlier, later] = pair {
            compare_neighbours(&mut layer, *earlier, *later, &format!("{at}/{}", position + 1));
        }
    }
    layer
}

/// How far a server's clock may be set back between an event and a bundle without a remark, in seconds.
const CLOCK_STEP: i64 = 5;

/// Within one second the order of the rows or of the log will do; neither is fixed by the specification.
fn compare_neighbours(layer: &mut Layer, earlier: Value<'_>, later: Value<'_>, at: &str) {
    let number = |row: Value<'_>, name: &str| row.get(name).and_then(Value::as_i64);
    let (first, second) = (number(earlier, "timestamp"), number(later, "timestamp"));
    let ordered = |name: &str| number(earlier, name) < number(later, name);
    let refused = match first.cmp(&second) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Greater => true,
        std::cmp::Ordering::Equal => !ordered("id") && !ordered("tlog_index"),
    };
    if refused {
        let expected = "an event that is not earlier than the one before it";
        let found =
            format!("{} after {}", describe(later.get("timestamp")), describe(earlier.get("timestamp")));
        layer.refute(Problem::new(Code::EventOrder, at, expected, found));
    } else if first == second && !ordered("tlog_index") {
        layer.note(Code::NoteTieOrder, at, "same second, lower index in the log");
    }
}
