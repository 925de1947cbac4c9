//! Layer `time`: time stamps of an authority, in the member `time_stamps` of a bundle (`docs/decisions/time-stamps.md`).

use std::borrow::Cow;

use crate::code::Code;
use crate::dsse::base64;
use crate::json::{Kind, Value};
use crate::merkle::TreeHead;
use crate::oversight::bundle::CLOCKS_APART;
use crate::oversight::{Trust, describe, head};
use crate::time_stamp::{TimeStamp, TsaTrust, stated_time, verify_time_stamp};
use crate::verdict::{Layer, Problem};

const ID: &str = "time";

const RULE: &str = "RFC 3161: only a time-stamping authority shows when something was known; the imprint is over recomputed bytes";

const AT: &str = "/time_stamps";

/// No bundle needs more time stamps: one of the tree head is one of everything that the log holds.
const MOST_TIME_STAMPS: usize = 16;
/// No token is longer, in bytes: with all its certificates one takes some kilobytes.
const LONGEST_TOKEN: usize = 1 << 16;

/// Every time stamp of the bundle is good, under an authority that the caller trusts; `manifest` are the bytes that its issuer signed.
pub(crate) fn layer(
    bundle: Value<'_>,
    tree_head: Option<&TreeHead>,
    manifest: Option<&[u8]>,
    trust: &Trust<'_>,
) -> Layer {
    let mut layer = Layer::new(ID, RULE);
    let Some(list) = bundle.get("time_stamps").filter(|list| !list.is_null()) else {
        let expected = "time stamps of a trusted authority";
        let found = "the registry's own clock";
        return layer.not_established(Problem::new(Code::TimeServerClock, "/events", expected, found));
    };
    let count = list.items().take(MOST_TIME_STAMPS + 1).count();
    if list.kind() != Kind::Array || count == 0 || count > MOST_TIME_STAMPS {
        let expected = format!("a list of 1 to {MOST_TIME_STAMPS} time stamps");
        return layer.refuted(Problem::new(Code::TimeStampEncoding, AT, expected, describe(Some(list))));
    }
    let mut recomputed = Vec::new();
    let messages = Messages::of(tree_head, manifest);
    for (position, item) in list.items().enumerate() {
        let at = format!("{AT}/{position}");
        match verify(item, &at, &messages, trust) {
            Ok((over, stamp)) => {
                if let Some(problem) = contradiction(bundle, &over, stamp) {
                    layer.leave_open(problem);
                }
                recomputed.push(format!("{over} at {}", shown(stamp)));
            }
            Err((problem, true)) => layer.leave_open(problem),
            Err((problem, false)) => layer.refute(problem),
        }
    }
    layer.recomputed(recomputed.join("; "))
}

/// What the time stamps of a bundle state, each with its place in the list; nobody need trust them.
pub(crate) fn stated(bundle: Value<'_>) -> Vec<(usize, i64)> {
    let list = bundle.get("time_stamps").into_iter().flat_map(Value::items).take(MOST_TIME_STAMPS);
    let seconds = |item| stated_time(&token(item)?);
    list.enumerate().filter_map(|(position, item)| Some((position, seconds(item)?))).collect()
}

/// One time stamp. The error says whether it leaves the layer open, or refutes it.
fn verify<'d>(
    item: Value<'d>,
    at: &str,
    messages: &Messages<'_>,
    trust: &Trust<'_>,
) -> Result<(Cow<'d, str>, TimeStamp), (Problem, bool)> {
    let malformed = |name: &str, expected: &str| {
        let found = describe(item.get(name));
        (Problem::new(Code::TimeStampEncoding, format!("{at}/{name}"), expected, found), false)
    };
    let token = token(item).ok_or_else(|| malformed("token", "base64 of a token of at most 65536 bytes"))?;
    let over = item.get("over").and_then(Value::as_str).unwrap_or_default();
    if !["/tlog_head", "/manifest"].contains(&&*over) {
        return Err(malformed("over", "/tlog_head or /manifest"));
    }
    let message = messages.over(&over).ok_or_else(|| {
        let problem = Problem::new(Code::NotReached, &*over, "bytes that are signed", "none");
        (problem, true)
    })?;
    let anchors = TsaTrust { roots: trust.tsa_roots, others: trust.tsa_certificates };
    match verify_time_stamp(&token, message, &anchors) {
        Ok(stamp) => Ok((over, stamp)),
        Err(error) => {
            let open = error.leaves_open();
            Err((Problem::new(error.code, format!("{at}/token"), error.expected, error.found), open))
        }
    }
}

/// What a time stamp covers and yet states a later time, by more than clocks are apart.
fn contradiction(bundle: Value<'_>, over: &str, stamp: TimeStamp) -> Option<Problem> {
    let accuracy = stamp.accuracy.map_or(0, |micros| i64::try_from(micros / 1_000_000).unwrap_or(i64::MAX));
    let latest = (stamp.microseconds / 1_000_000).saturating_add(CLOCKS_APART).saturating_add(accuracy);
    let later = |value: Option<Value<'_>>| value.and_then(Value::as_i64).filter(|stated| *stated > latest);
    let (at, stated) = if over == "/manifest" {
        let issued = bundle.get("manifest").and_then(|manifest| manifest.get("issued_at"));
        ("/manifest/issued_at".to_owned(), later(issued)?)
    } else {
        let rows = bundle.get("events").into_iter().flat_map(Value::items).enumerate();
        let mut stated = rows.map(|(row, event)| (row, later(event.get("timestamp"))));
        let (row, stated) = stated.find_map(|(row, stated)| Some((row, stated?)))?;
        (format!("/events/{row}/timestamp"), stated)
    };
    let expected = format!("a time before that of the time stamp, {}", shown(stamp));
    Some(Problem::new(Code::TimeStampBeforeEvidence, at, expected, stated.to_string()))
}

/// The bytes that time stamps are of: those that are signed.
pub(crate) struct Messages<'d> {
    tree_head: Option<Vec<u8>>,
    manifest: Option<&'d [u8]>,
}

impl<'d> Messages<'d> {
    pub(crate) fn of(tree_head: Option<&TreeHead>, manifest: Option<&'d [u8]>) -> Self {
        Self { tree_head: tree_head.map(head::message).map(String::into_bytes), manifest }
    }

    /// The bytes behind a member of the bundle; `None` where nothing is signed.
    pub(crate) fn over(&self, member: &str) -> Option<&[u8]> {
        match member {
            "/tlog_head" => self.tree_head.as_deref(),
            "/manifest" => self.manifest,
            _ => None,
        }
    }
}

/// The token of an item.
pub(crate) fn token(item: Value<'_>) -> Option<Vec<u8>> {
    let text = item.get("token").and_then(Value::as_str).filter(|text| text.len() / 4 * 3 <= LONGEST_TOKEN);
    text.and_then(|text| base64(&text))
}

fn shown(stamp: TimeStamp) -> String {
    let instant = jiff::Timestamp::from_microsecond(stamp.microseconds);
    let instant = instant.map_or_else(|_| stamp.microseconds.to_string(), |instant| instant.to_string());
    match stamp.accuracy {
        Some(accuracy) => format!("{instant}, give or take {accuracy} microseconds"),
        None => instant,
    }
}
