//! When a registry's key is trusted, and what in a document shows when it was used (`docs/decisions/key-windows.md`).
//!
//! A signature is made after everything that it covers. So every instant in a bundle is one at which the bundle was not signed yet, whoever
//! states it; one before the key was trusted shows nothing, since a log goes on when its registry changes the key.

use crate::code::Code;
use crate::hash::{PublicKey, decode_hex};
use crate::json::{Document, Value};
use crate::limits::Limits;
use crate::oversight::event::CLOCK_STEP;
use crate::oversight::{KeyWindow, Trust, time};
use crate::verdict::Layer;

/// The windows of a key; at least one.
pub(crate) struct Windows<'t>(Vec<&'t KeyWindow>);

impl<'t> Windows<'t> {
    /// Those of `key`; `None` where it is trusted at any time.
    pub(crate) fn of(key: &PublicKey, trust: &Trust<'t>) -> Option<Self> {
        let windows: Vec<_> = trust.windows.iter().filter(|window| window.key == *key).collect();
        (!windows.is_empty()).then_some(Self(windows))
    }

    /// Whether the key is trusted at this time, in seconds since 1970.
    pub(crate) fn hold(&self, at: i64) -> bool {
        self.0.iter().any(|window| window.holds(at))
    }
}

/// An instant, in seconds since 1970, and where it stands.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Instant {
    pub(crate) at: i64,
    pub(crate) place: String,
}

/// The latest of the instants that are met; of several that are equal, the first.
#[derive(Default)]
struct Latest(Option<Instant>);

impl Latest {
    fn meet(&mut self, at: Option<i64>, place: impl FnOnce() -> String) {
        if let Some(at) = at.filter(|at| self.0.as_ref().is_none_or(|known| known.at < *at)) {
            self.0 = Some(Instant { at, place: place() });
        }
    }
}

/// The latest instant in what the registry signs with a bundle: times of events, registrations and receipts, when the issuer says to have made the
/// manifest, what time stamps state, and `leaf`, the latest time in the leaves that the head commits to.
pub(crate) fn latest(bundle: Value<'_>, leaf: Option<i64>) -> Option<Instant> {
    let mut latest = Latest::default();
    for list in ["events", "beacons", "watermarks", "registration_receipts"] {
        for (row, value) in bundle.get(list).into_iter().flat_map(Value::items).enumerate() {
            for member in ["timestamp", "qualified_timestamp", "registered_at"] {
                latest.meet(value.get(member).and_then(seconds), || format!("/{list}/{row}/{member}"));
            }
            let leaf = value.get("leaf_data_hex").and_then(Value::as_str);
            latest.meet(leaf.and_then(|leaf| of_receipt(&leaf)), || format!("/{list}/{row}/leaf_data_hex"));
        }
    }
    latest.meet(bundle.at("/manifest/issued_at").and_then(seconds), || "/manifest/issued_at".to_owned());
    for (stamp, at) in time::stated(bundle) {
        latest.meet(Some(at), || format!("/time_stamps/{stamp}/token"));
    }
    latest.meet(leaf, || "/tlog_head".to_owned());
    latest.0
}

/// Remarks on times of one bundle that cannot all be right: a registration or a manifest later than the bundle, an event before every
/// registration. None of it is a forgery by itself: clocks are set back, issuers have their own, and a file that is registered again has newer rows.
pub(crate) fn note_contradictions(layer: &mut Layer, bundle: Value<'_>, events: &[Value<'_>]) {
    let rows = |list: &str| bundle.get(list).into_iter().flat_map(Value::items).enumerate();
    let registered = ["beacons", "watermarks"].into_iter().flat_map(|list| {
        rows(list)
            .filter_map(move |(row, value)| Some((value.get("registered_at").and_then(seconds)?, list, row)))
    });
    let (mut first, mut last): (Option<i64>, Option<(i64, &str, usize)>) = (None, None);
    for (at, list, row) in registered {
        first = Some(first.map_or(at, |known| known.min(at)));
        if last.as_ref().is_none_or(|(known, ..)| *known < at) {
            last = Some((at, list, row));
        }
    }
    let generated = bundle.get("bundle_generated_at").and_then(seconds);
    let is_later = |at: i64| generated.is_some_and(|generated| at > generated.saturating_add(CLOCK_STEP));
    if let Some((at, list, row)) = last.filter(|(at, ..)| is_later(*at)) {
        layer.note(Code::TimeAfterBundle, format!("/{list}/{row}/registered_at"), at.to_string());
    }
    let issued = bundle.at("/manifest/issued_at").and_then(seconds);
    if let Some(at) = issued.filter(|at| is_later(*at)) {
        layer.note(Code::TimeAfterBundle, "/manifest/issued_at", at.to_string());
    }
    let is_early = |at: i64| first.is_some_and(|first| at < first.saturating_sub(CLOCK_STEP));
    let early =
        events.iter().position(|event| event.get("timestamp").and_then(seconds).is_some_and(is_early));
    if let Some(row) = early {
        let text = "an event of a time before every registration that the rows state";
        layer.note(Code::EventBeforeRegistration, format!("/events/{row}/timestamp"), text);
    }
}

fn of_receipt(hex: &str) -> Option<i64> {
    let mut bytes = vec![0; hex.len() / 2];
    decode_hex(hex.as_bytes(), &mut bytes).then(|| of_leaf(&bytes)).flatten()
}

/// The time that a leaf states.
pub(crate) fn of_leaf(leaf: &[u8]) -> Option<i64> {
    let document = Document::read(leaf, &Limits::default()).ok()?;
    document.root().get("timestamp").and_then(seconds)
}

/// A number of seconds since 1970, a broken one as the next whole one; or a text of RFC 3339, or of a whole number.
pub(crate) fn seconds(value: Value<'_>) -> Option<i64> {
    if let Some(text) = value.as_str() {
        let number = || text.parse::<i64>().ok();
        return text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_second).or_else(number);
    }
    let exact = value.as_i64();
    exact.or_else(|| {
        let number = value.number_text()?.parse::<f64>().ok()?.ceil();
        let beyond = if number < 0.0 { i64::MIN } else { i64::MAX };
        Some(format!("{number:.0}").parse().unwrap_or(beyond))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<i64> {
        let text = format!("[{text}]");
        let document = Document::read(text.as_bytes(), &Limits::default()).unwrap();
        document.root().items().next().and_then(seconds)
    }

    #[test]
    fn an_instant_is_read_however_it_is_written() {
        for (text, expected) in [
            ("17", 17),
            ("-17", -17),
            ("17.0", 17),
            ("17.25", 18),
            ("1.7e1", 17),
            ("1e400", i64::MAX),
            ("-1e400", i64::MIN),
            ("99999999999999999999999", i64::MAX),
            ("\"1970-01-01T00:00:17Z\"", 17),
            ("\"1970-01-01T01:00:17+01:00\"", 17),
            ("\"17\"", 17),
        ] {
            assert_eq!(read(text), Some(expected), "{text}");
        }
        for text in ["null", "\"1970-01-01\"", "[17]", "true"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn every_instant_in_a_bundle_is_met() {
        let leaf = br#"{"timestamp":"1970-01-01T00:00:07Z"}"#;
        let hex: String = leaf.iter().map(|byte| format!("{byte:02x}")).collect();
        let parts = [
            (r#""events":[{"timestamp":1},{"timestamp":7}]"#.to_owned(), "/events/1/timestamp"),
            (
                r#""events":[{"qualified_timestamp":"1970-01-01T00:00:07Z"}]"#.to_owned(),
                "/events/0/qualified_timestamp",
            ),
            (r#""beacons":[{"registered_at":7.0}]"#.to_owned(), "/beacons/0/registered_at"),
            (r#""watermarks":[{"registered_at":7}]"#.to_owned(), "/watermarks/0/registered_at"),
            (
                r#""registration_receipts":[{"registered_at":7}]"#.to_owned(),
                "/registration_receipts/0/registered_at",
            ),
            (
                format!(r#""registration_receipts":[{{"leaf_data_hex":"{hex}"}}]"#),
                "/registration_receipts/0/leaf_data_hex",
            ),
            (r#""manifest":{"issued_at":7}"#.to_owned(), "/manifest/issued_at"),
        ];
        let found = |text: &str, leaf| {
            let document = Document::read(text.as_bytes(), &Limits::default()).unwrap();
            latest(document.root(), leaf).map(|instant| (instant.at, instant.place))
        };
        for (part, place) in parts {
            assert_eq!(found(&format!("{{{part}}}"), Some(6)), Some((7, place.to_owned())));
        }
        assert_eq!(found("{}", Some(7)), Some((7, "/tlog_head".to_owned())));
        assert_eq!(found("{}", None), None);
    }
}
