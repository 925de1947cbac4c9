//! Event rows of a bundle, and the log leaf that each of them must rebuild to.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use crate::canon::{Form, Nulls, Scheme};
use crate::code::Code;
use crate::hash::Hash;
use crate::json::{Document, Kind, Value};
use crate::limits::Limits;
use crate::merkle::leaf_hash;
use crate::oversight::describe;
use crate::oversight::signed::{Text, texts};
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

/// An event row, its members looked up once.
pub(crate) struct Row<'d> {
    value: Value<'d>,
    extra: Option<Value<'d>>,
    file_id: Option<Value<'d>>,
    issuer_id: Option<Value<'d>>,
    kind: Option<Value<'d>>,
    qualified_timestamp: Option<Value<'d>>,
    recipient_id: Option<Value<'d>>,
    source_ip: Option<Value<'d>>,
    timestamp: Option<Value<'d>>,
    pub(crate) token_id: Option<Value<'d>>,
    user_agent: Option<Value<'d>>,
    is_dns: bool,
    has_unknown_members: bool,
}

/// Members of an event row (fact sheet 3), in ascending order.
const ROW_MEMBERS: [&str; 12] = [
    "extra",
    "file_id",
    "id",
    "issuer_id",
    "kind",
    "qualified_timestamp",
    "recipient_id",
    "source_ip",
    "timestamp",
    "tlog_index",
    "token_id",
    "user_agent",
];

impl<'d> Row<'d> {
    pub(crate) fn of(value: Value<'d>) -> Self {
        let members = value.pick(&ROW_MEMBERS);
        let has_unknown_members = members.iter().flatten().count() != value.members().count();
        let [
            extra,
            file_id,
            _,
            issuer_id,
            kind,
            qualified_timestamp,
            recipient_id,
            source_ip,
            timestamp,
            _,
            token_id,
            user_agent,
        ] = members;
        let is_dns = kind.and_then(Value::as_str).is_some_and(|kind| kind == DNS_KIND);
        Self {
            value,
            extra,
            file_id,
            issuer_id,
            kind,
            qualified_timestamp,
            recipient_id,
            source_ip,
            timestamp,
            token_id,
            user_agent,
            is_dns,
            has_unknown_members,
        }
    }

    /// Schemes under which the leaf rebuilt from the row hashes to `proven`; empty when none does.
    pub(crate) fn fitting_schemes(&self, proven: &Hash) -> Vec<Scheme> {
        self.with_leaf(|leaves| {
            let fitting =
                leaves.filter(|(_, leaf)| leaf.write().is_some_and(|leaf| leaf_hash(&leaf) == *proven));
            fitting.flat_map(|(schemes, _)| schemes.iter().copied()).collect()
        })
    }

    /// The leaf that hashes to `proven`, with the schemes that write it; if none does, or none is named, the first that is tried.
    pub(crate) fn leaf(&self, proven: Option<&Hash>) -> Option<(Vec<Scheme>, Vec<u8>)> {
        let fits = |(_, bytes): &(&[Scheme], Vec<u8>)| Some(leaf_hash(bytes)) == proven.copied();
        let (schemes, bytes) = self.with_leaf(|leaves| {
            let mut leaves: Vec<_> =
                leaves.filter_map(|(schemes, leaf)| Some((schemes, leaf.write()?))).collect();
            let at = leaves.iter().position(fits).unwrap_or_default();
            (at < leaves.len()).then(|| leaves.swap_remove(at))
        })?;
        Some((schemes.to_vec(), bytes))
    }

    fn with_leaf<T>(
        &self,
        use_leaves: impl FnOnce(&mut dyn Iterator<Item = (&'static [Scheme], Text<'_>)>) -> T,
    ) -> T {
        let extra_text = if self.is_dns { self.extra.and_then(Value::as_str) } else { None };
        let extra =
            extra_text.as_deref().and_then(|text| Document::read(text.as_bytes(), &Limits::default()).ok());
        let leaf = self.rebuild(extra.as_ref().map(Document::root));
        use_leaves(&mut texts(leaf, Nulls::Keep, &LEAF_SCHEMES))
    }

    /// The leaf of an event, fact sheet 1.4: exactly these members, nulls kept.
    fn rebuild<'e>(&self, extra: Option<Value<'e>>) -> Form<'e>
    where
        'd: 'e,
    {
        let text = |text: &'static str| Form::Text(Cow::Borrowed(text));
        let member = |value: Option<Value<'e>>| value.map_or_else(|| text("null"), Form::Value);
        let of_extra = |name: &str| member(extra.and_then(|extra| extra.get(name)));
        let mut leaf = Vec::with_capacity(9);
        leaf.extend([
            ("event", text("\"beacon\"")),
            ("file_id", member(self.file_id)),
            ("kind", member(self.kind)),
        ]);
        if self.is_dns {
            leaf.extend([("qname", of_extra("qname")), ("qtype", of_extra("qtype"))]);
        }
        leaf.extend([
            ("recipient_id", member(self.recipient_id)),
            ("source_ip", member(self.source_ip)),
            ("timestamp", member(self.qualified_timestamp)),
            ("token_id", member(self.token_id)),
        ]);
        if !self.is_dns {
            leaf.push(("user_agent", member(self.user_agent)));
        }
        Form::Object(leaf)
    }

    /// Checks of the row that the leaf does not cover: they add to the layer `event-binding`. That of `extra` was made already.
    pub(crate) fn check(
        &self,
        layer: &mut Layer,
        at: impl fmt::Display + Copy,
        identity: &Identity<'_>,
        extra: Result<(), ExtraFault<'_>>,
        was_registered_so: impl FnOnce() -> bool,
    ) {
        let stated = [self.file_id, self.recipient_id, self.issuer_id];
        match identity.difference(stated, at, Code::EventIdentityDiffers) {
            None => {}
            Some(problem) if was_registered_so() => {
                layer.leave_open_with(|| Problem { code: Code::EventIdentityEarlier, ..problem() });
            }
            Some(problem) => layer.refute_with(problem),
        }
        if let Err(fault) = extra {
            layer.refute_with(|| fault.problem(self, at));
        }
        if !self.times_agree() {
            layer.refute_with(|| self.time_problem(at));
        }
        let noted = self.has_unknown_members && layer.has_room_for(Code::NoteUnknownMember);
        for (key, _) in self.value.members().filter(|_| noted) {
            let name = key.as_str().unwrap_or_default();
            if !ROW_MEMBERS.contains(&name.as_ref()) {
                let mut place = at.to_string();
                crate::json::push_token(&mut place, &name);
                layer.note(
                    Code::NoteUnknownMember,
                    place,
                    "the log does not cover it; the registry signed it",
                );
            }
        }
        let kind = self.kind.and_then(Value::as_str);
        let known = kind.is_some_and(|kind| kind == DNS_KIND || WEB_KINDS.contains(&kind.as_ref()));
        if !known && layer.has_room_for(Code::EventKindUnknown) {
            layer.note(Code::EventKindUnknown, format!("{at}/kind"), describe(self.kind));
        }
    }

    /// `timestamp` (seconds since 1970) and `qualified_timestamp` (RFC 3339, UTC, whole seconds) are of one request.
    fn times_agree(&self) -> bool {
        let seconds = self.timestamp.and_then(Value::as_i64);
        let instant = self.qualified_timestamp.and_then(Value::as_str).as_deref().and_then(whole_seconds);
        seconds
            .zip(instant)
            .is_some_and(|(seconds, instant)| seconds.abs_diff(instant) <= CLOCK_READINGS_APART)
    }

    fn time_problem(&self, at: impl fmt::Display) -> Problem {
        let qualified = describe(self.qualified_timestamp);
        let expected = format!("a time at most {CLOCK_READINGS_APART} s from {qualified}");
        let place = format!("{at}/timestamp");
        Problem::new(Code::EventTimeDiffers, place, expected, describe(self.timestamp))
    }

    /// `extra` is JSON text: `{}` for web events; for DNS events an object that holds what the leaf has beyond the row.
    pub(crate) fn check_extra(&self) -> Result<(), ExtraFault<'d>> {
        if !self.is_dns && self.extra.is_some_and(|extra| extra.raw() == "\"{}\"") {
            return Ok(());
        }
        let text = self.extra.and_then(Value::as_str);
        let document =
            text.as_deref().and_then(|text| Document::read(text.as_bytes(), &Limits::default()).ok());
        let Some(extra) = document.as_ref().map(Document::root).filter(|extra| extra.kind() == Kind::Object)
        else {
            return Err(ExtraFault::Text("the text of a JSON object"));
        };
        let agent = self.user_agent.filter(|agent| !agent.is_null() && agent.raw() != "\"\"");
        if let Some(agent) = agent.filter(|_| self.is_dns) {
            return Err(ExtraFault::UserAgent(agent));
        }
        let covered: &[&str] = if self.is_dns { &["qname", "qtype"] } else { &[] };
        let exactly =
            extra.members().count() == covered.len() && covered.iter().all(|name| extra.get(name).is_some());
        if exactly { Ok(()) } else { Err(ExtraFault::Text("exactly the members that the log covers")) }
    }
}

/// What is wrong with a row beyond its leaf, yet to be put into words: there may be a million such rows.
#[derive(Clone, Copy)]
pub(crate) enum ExtraFault<'d> {
    /// `extra` is not this.
    Text(&'static str),
    /// A DNS event has a user agent.
    UserAgent(Value<'d>),
}

impl ExtraFault<'_> {
    fn problem(self, row: &Row<'_>, at: impl fmt::Display) -> Problem {
        let (member, expected, found) = match self {
            Self::Text(expected) => ("extra", expected, describe(row.extra)),
            Self::UserAgent(agent) => {
                ("user_agent", "no user agent: the leaf of a DNS event has none", agent.raw())
            }
        };
        Problem::new(Code::EventExtra, format!("{at}/{member}"), expected, found)
    }
}

/// How far apart the two times of one event may be. The registries read the clock twice while they answer one request,
/// so the recorded pairs differ by a second now and then.
const CLOCK_READINGS_APART: u64 = 5;

/// Seconds since 1970 of `YYYY-MM-DDThh:mm:ssZ`; other spellings are `None`.
pub(crate) fn whole_seconds(text: &str) -> Option<i64> {
    let in_form = |(byte, form): (u8, u8)| if form == b'0' { byte.is_ascii_digit() } else { byte == form };
    const FORM: &str = "0000-00-00T00:00:00Z";
    let fits = text.len() == FORM.len() && text.bytes().zip(FORM.bytes()).all(in_form);
    fits.then(|| text.parse::<jiff::Timestamp>().ok()).flatten().map(jiff::Timestamp::as_second)
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

/// The members of a row that say what it is about.
pub(crate) const IDENTITY: [&str; 3] = ["file_id", "recipient_id", "issuer_id"];

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

    /// Compares file, recipient and issuer of a row (see [`IDENTITY`]) with the manifest's; gives what differs, yet to be put into
    /// words.
    pub(crate) fn difference<'r>(
        &'r self,
        stated: [Option<Value<'r>>; 3],
        at: impl fmt::Display + 'r,
        code: Code,
    ) -> Option<impl FnOnce() -> Problem + 'r> {
        let signed = [&self.file_id, &self.recipient_id, &self.issuer_id];
        let mut members = IDENTITY.iter().zip(signed).zip(stated);
        let differs = members.find(|((_, signed), found)| !same_identity(signed, *found));
        differs.map(move |((name, signed), found)| {
            move || Problem::new(code, format!("{at}/{name}"), describe(signed.value), describe(found))
        })
    }

    /// Compares recipient and issuer alone.
    pub(crate) fn difference_of_parties(&self, leaf: Value<'_>, at: &str, code: Code) -> Option<Problem> {
        let [_, recipient, issuer] = leaf.pick(&IDENTITY);
        self.difference([self.file_id.value, recipient, issuer], at, code).map(|problem| problem())
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

/// What the order of events goes by.
#[derive(Clone, Copy)]
struct Place<'d> {
    id: Option<Value<'d>>,
    timestamp: Option<Value<'d>>,
    tlog_index: Option<Value<'d>>,
    seconds: Option<i64>,
}

impl<'d> Place<'d> {
    fn of(row: Value<'d>) -> Self {
        let [id, timestamp, tlog_index] = row.pick(&["id", "timestamp", "tlog_index"]);
        Self { id, timestamp, tlog_index, seconds: timestamp.and_then(Value::as_i64) }
    }
}

/// Layer `event-order`: times never go back, and no place in the log is claimed twice.
pub(crate) fn order_layer(events: &[Value<'_>], generated: Option<Value<'_>>, at: &str) -> Layer {
    let mut layer = Layer::new("event-order", "EV-1: events ordered by timestamp");
    let latest = generated.and_then(Value::as_str).as_deref().and_then(whole_seconds);
    let latest = latest.map_or(i64::MAX, |generated| generated.saturating_add(CLOCK_STEP));
    let mut seen = BTreeSet::new();
    let mut after = None;
    let mut before: Option<Place<'_>> = None;
    for (position, row) in events.iter().enumerate() {
        let (row, at) = (Place::of(*row), format_args!("{at}/{position}"));
        if let Some(index) = row.tlog_index.and_then(Value::as_u64)
            && !seen.insert(index)
        {
            let (place, found) = (format!("{at}/tlog_index"), index.to_string());
            layer.refute(Problem::new(Code::EventDuplicateIndex, place, "an index of its own", found));
        }
        if after.is_none() && row.seconds.is_some_and(|seconds| seconds > latest) {
            after = row.timestamp;
        }
        if let Some(before) = before.replace(row) {
            compare_neighbours(&mut layer, before, row, at);
        }
    }
    if after.is_some() {
        let text = format!("an event of {}, later than the bundle", describe(after));
        layer.note(Code::EventAfterBundle, "/bundle_generated_at", text);
    }
    layer
}

/// How far a server's clock may be set back between an event and a bundle without a remark, in seconds.
pub(crate) const CLOCK_STEP: i64 = 5;

/// Within one second the order of the rows or of the log will do; neither is fixed by the specification.
fn compare_neighbours(layer: &mut Layer, earlier: Place<'_>, later: Place<'_>, at: impl fmt::Display) {
    let ascends = |earlier: Option<Value<'_>>, later: Option<Value<'_>>| {
        earlier.and_then(Value::as_i64) < later.and_then(Value::as_i64)
    };
    let by_index = || ascends(earlier.tlog_index, later.tlog_index);
    let refused = match earlier.seconds.cmp(&later.seconds) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Greater => true,
        std::cmp::Ordering::Equal => !by_index() && !ascends(earlier.id, later.id),
    };
    if refused {
        let expected = "an event that is not earlier than the one before it";
        let found = format!("{} after {}", describe(later.timestamp), describe(earlier.timestamp));
        layer.refute(Problem::new(Code::EventOrder, at.to_string(), expected, found));
    } else if earlier.seconds == later.seconds && !by_index() {
        layer.note(Code::NoteTieOrder, at.to_string(), "same second, lower index in the log");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_has_one_spelling() {
        assert_eq!(whole_seconds("2026-01-01T01:23:20Z"), Some(1_767_230_600));
        for other in [
            "2026-01-01 01:23:20Z",
            "20260101T01:23:20.0Z",
            "2026-01-01t01:23:20z",
            "2026-01-01T01:23:20+",
            "2026-13-01T01:23:20Z",
            "+026-01-01T01:23:20Z",
            "2026-01-01T01:23:200Z",
        ] {
            assert_eq!(whole_seconds(other), None, "{other}");
        }
    }
}
