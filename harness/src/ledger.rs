//! What the log says against what was asked for: a leaf for each request that adds one, no leaf of this run that nobody asked
//! for, and sizes and indexes that follow each other, in whatever answer they stand.

use std::collections::{BTreeMap, BTreeSet};

use assayer_vectors::{Dated, DatedBy, Suite, Whole, resolve};
use assayer_verifier::Value;
use assayer_verifier::oversight::Log;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value as Json;

use crate::conditions::time;
use crate::growth::Sighting;
use crate::judge::{place, shown};
use crate::seen::Seen;
use crate::transcript::Transcript;

/// By which a leaf is looked up, the one that tells most first.
const IDENTIFIERS: [&str; 3] = ["/token_id", "/file_id", "/user_agent"];

/// How far apart, in seconds, the clocks of one registry may be.
const CLOCKS_APART: i64 = 5;

/// A leaf that can be read.
struct Entry {
    index: u64,
    leaf: Json,
}

impl Entry {
    fn text(&self, name: &str) -> Option<&str> {
        self.leaf.get(name).and_then(Json::as_str)
    }

    fn time(&self) -> Option<Timestamp> {
        self.text("timestamp")?.parse().ok()
    }

    fn is_as(&self, wanted: &[(&str, Json)]) -> bool {
        wanted.iter().all(|(pointer, value)| self.leaf.pointer(pointer) == Some(value))
    }
}

/// A leaf that a request adds.
struct Due<'l> {
    /// Which of the requests.
    position: usize,
    wanted: Vec<(&'l str, Json)>,
    /// Where the answer says that it is.
    index: Option<u64>,
}

/// The requests of a run and the log after them.
pub(crate) struct Ledger<'l, 't> {
    seen: &'l [Seen<'t>],
    entries: Vec<Entry>,
    /// Identifiers of leaves -> positions in `entries`.
    by_identifier: BTreeMap<String, Vec<usize>>,
    /// How many of the requests came before the log was read.
    before_the_log: usize,
}

/// Which leaf each request added, by the position of the request.
pub(crate) struct Settled {
    added: BTreeMap<usize, u64>,
    missing: Option<String>,
    unexplained: Option<String>,
}

impl<'l, 't> Ledger<'l, 't> {
    /// `log` is what the exchange `pages` read.
    pub(crate) fn new(seen: &'l [Seen<'t>], log: &Log, pages: &str) -> Self {
        let read = |bytes: &[u8]| serde_json::from_slice::<Json>(bytes).ok().filter(Json::is_object);
        let leaves = log.leaves().iter();
        let entries: Vec<Entry> =
            leaves.filter_map(|leaf| Some(Entry { index: leaf.index, leaf: read(&leaf.bytes)? })).collect();
        let mut by_identifier: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (position, entry) in entries.iter().enumerate() {
            let names = ["token_id", "file_id", "user_agent"].map(|name| entry.text(name));
            for name in names.into_iter().flatten().collect::<BTreeSet<&str>>() {
                by_identifier.entry(name.to_owned()).or_default().push(position);
            }
        }
        let attempt = seen.iter().filter(|seen| seen.recorded.exchange == pages);
        let attempt = attempt.map(|seen| seen.recorded.attempt).max().unwrap_or(1);
        let is_page = |seen: &Seen<'_>| seen.recorded.exchange == pages && seen.recorded.attempt == attempt;
        let before_the_log = seen.iter().position(is_page).unwrap_or(seen.len());
        Self { seen, entries, by_identifier, before_the_log }
    }

    /// Finds the leaf of each request.
    pub(crate) fn settle(&self, suite: &Suite, transcript: &Transcript) -> Settled {
        let (mut used, mut missing) = (BTreeSet::new(), None);
        let mut added = BTreeMap::new();
        for due in self.due(true) {
            match self.take(&due, &mut used) {
                Some(index) => drop(added.insert(due.position, index)),
                None => missing = missing.or_else(|| Some(self.describe(&due))),
            }
        }
        for perhaps in self.due(false) {
            self.take(&perhaps, &mut used);
        }
        let unexplained = self.unexplained(&used, &own_names(suite, transcript));
        Settled { added, missing, unexplained }
    }

    /// The leaves that the log must have, or may have.
    fn due(&self, certain: bool) -> Vec<Due<'t>> {
        let all = self.seen.iter().enumerate();
        let due = all.filter_map(|(position, seen)| {
            let is_certain = seen.accepted().is_some() && position < self.before_the_log;
            let is_refused = seen.is_asked_rightly()
                && seen.answer.is_some_and(|answer| (400..500).contains(&answer.status));
            let adds = match () {
                () if certain && is_certain => &seen.call.adds,
                () if certain || is_certain && !seen.call.adds.is_empty() || is_refused => return None,
                () if seen.call.adds.is_empty() => &seen.call.may_add,
                () => &seen.call.adds,
            };
            if adds.is_empty() {
                return None;
            }
            let value = |value: &Json| resolve(value, &|reference| seen.look_up(reference)).ok();
            let wanted = adds.iter().filter_map(|(pointer, to)| Some((pointer.as_str(), value(to)?)));
            let index = seen.call.index.as_deref().filter(|_| certain);
            let index = index.and_then(|pointer| answered(seen, pointer));
            Some(Due { position, wanted: wanted.collect(), index })
        });
        due.collect()
    }

    /// Takes a leaf that fits and that no other request has taken.
    fn take(&self, due: &Due<'_>, used: &mut BTreeSet<u64>) -> Option<u64> {
        let identifiers = IDENTIFIERS.iter().filter_map(|name| due.wanted.iter().find(|(at, _)| at == name));
        let positions =
            identifiers.filter_map(|(_, value)| self.by_identifier.get(value.as_str()?)).next()?;
        let mut entries = positions.iter().filter_map(|position| self.entries.get(*position));
        let found = entries.find(|entry| {
            due.index.is_none_or(|index| index == entry.index)
                && !used.contains(&entry.index)
                && entry.is_as(&due.wanted)
        })?;
        used.insert(found.index);
        Some(found.index)
    }

    fn describe(&self, due: &Due<'_>) -> String {
        let Some(seen) = self.seen.get(due.position) else { return String::new() };
        let at = due.index.map_or_else(String::new, |index| format!(" at index {index}"));
        let wanted = due.wanted.iter().map(|(pointer, value)| format!("{pointer} = {value}"));
        let wanted = shown(&wanted.collect::<Vec<_>>().join(", "));
        format!("{}: expected a leaf of its own{at} with {wanted}, found none", place(seen.recorded))
    }

    /// A leaf with a name of this run that no request explains.
    fn unexplained(&self, used: &BTreeSet<u64>, names: &BTreeSet<String>) -> Option<String> {
        let is_own = |text: &str| {
            names.contains(text)
                || names.iter().any(|name| text.len() > name.len() && text.contains(name.as_str()))
        };
        let entry = self.entries.iter().filter(|entry| !used.contains(&entry.index)).find(|entry| {
            let names = ["token_id", "file_id", "user_agent", "qname"];
            names.iter().filter_map(|name| entry.text(name)).any(is_own)
        })?;
        let found = shown(&entry.leaf.to_string());
        Some(format!("leaf {}: expected a leaf that was asked for in this run, found {found}", entry.index))
    }

    /// Whether sizes and indexes follow each other; else in words what does not.
    pub(crate) fn follow(&self, settled: &Settled) -> Result<(), String> {
        self.floors(settled).map(drop)
    }

    /// Whether the times of leaves and answers follow each other; else in words which one does not.
    ///
    /// Leaves and answers can be dated by two machines, and each with a second read earlier.
    pub(crate) fn clock(&self, settled: &Settled) -> Result<(), String> {
        let tolerance = SignedDuration::from_secs(CLOCKS_APART);
        let mut latest: Option<(Timestamp, String)> = None;
        for (position, seen) in self.seen.iter().enumerate() {
            let leaf = settled.added.get(&position).and_then(|index| self.entry(*index)?.text("timestamp"));
            let told = seen.call.time.as_deref().zip(seen.accepted());
            let told = told.and_then(|(pointer, _)| seen.answered(pointer));
            let times = [leaf.map(str::to_owned), told.as_ref().and_then(Json::as_str).map(str::to_owned)];
            for time in times.into_iter().flatten().filter_map(|text| text.parse::<Timestamp>().ok()) {
                if let Some((before, by)) = &latest
                    && time.saturating_add(tolerance).unwrap_or(Timestamp::MAX) < *before
                {
                    let here = place(seen.recorded);
                    return Err(format!(
                        "{here}: expected a time after {before}, which {by} showed, found {time}"
                    ));
                }
                if latest.as_ref().is_none_or(|(before, _)| time > *before) {
                    latest = Some((time, place(seen.recorded)));
                }
            }
        }
        let own = self.registered(settled);
        self.seen.iter().try_for_each(|seen| self.is_dated_rightly(seen, &own))
    }

    /// The files that this run registered, and when, by the leaves of all their registrations.
    fn registered(&self, settled: &Settled) -> BTreeMap<&str, Vec<Timestamp>> {
        let is_registration = |entry: &&Entry| entry.text("event") == Some("register");
        let added = settled.added.values().filter_map(|index| self.entry(*index)).filter(is_registration);
        let files: BTreeSet<&str> = added.filter_map(|entry| entry.text("file_id")).collect();
        let times = |file: &str| {
            let positions = self.by_identifier.get(file).into_iter().flatten();
            let entries =
                positions.filter_map(|position| self.entries.get(*position)).filter(is_registration);
            entries.filter_map(Entry::time).collect()
        };
        files.into_iter().map(|file| (file, times(file))).collect()
    }

    /// Whether what an answer dates has the date that the log has.
    fn is_dated_rightly(&self, seen: &Seen<'_>, own: &BTreeMap<&str, Vec<Timestamp>>) -> Result<(), String> {
        let dates = seen.accepted().is_some() && !seen.call.dated.is_empty();
        let Some(document) = seen.document().filter(|_| dates) else { return Ok(()) };
        for dated in &seen.call.dated {
            let items = document.root().at(&dated.list).into_iter().flat_map(Value::items).enumerate();
            for (position, item) in items {
                let text = self.misdated(item, dated, own);
                let at = format!("{}/{position}{}", dated.list, dated.at);
                text.map_or(Ok(()), |text| Err(format!("{}: {at}: {text}", place(seen.recorded))))?;
            }
        }
        Ok(())
    }

    /// What is wrong with the date of an item; none if the log does not date it.
    fn misdated(
        &self,
        item: Value<'_>,
        dated: &Dated,
        own: &BTreeMap<&str, Vec<Timestamp>>,
    ) -> Option<String> {
        let found = item.at(&dated.at)?;
        let (of, times) = match dated.when {
            DatedBy::Registration => {
                let file = item.at("/file_id").and_then(Value::as_str)?;
                ("a registration of the file", own.get(file.as_ref())?.clone())
            }
            DatedBy::Leaf => {
                let index = item.at("/tlog_index").and_then(Value::as_u64)?;
                ("its leaf", vec![self.entry(index)?.time()?])
            }
        };
        let is_near = |when: &Timestamp| {
            time(found.raw()).is_some_and(|found| found.duration_since(*when).abs().as_secs() <= CLOCKS_APART)
        };
        if times.is_empty() || times.iter().any(is_near) {
            return None;
        }
        let times: Vec<String> = times.iter().map(Timestamp::to_string).collect();
        Some(format!("expected the time of {of}, {}, found {}", times.join(" or "), shown(found.raw())))
    }

    fn entry(&self, index: u64) -> Option<&Entry> {
        let position = self.entries.binary_search_by_key(&index, |entry| entry.index).ok()?;
        self.entries.get(position)
    }

    /// How many leaves the log had at least when each request was sent, by its position.
    fn floors(&self, settled: &Settled) -> Result<Vec<u64>, String> {
        let (mut floors, mut floor, mut by) = (Vec::new(), 0, String::new());
        let is_joint = |one: &(usize, &Seen<'_>), next: &(usize, &Seen<'_>)| {
            let moment = |seen: &Seen<'_>| seen.moment.map(|name| (name.to_owned(), seen.recorded.attempt));
            moment(one.1).is_some() && moment(one.1) == moment(next.1)
        };
        let all: Vec<(usize, &Seen<'_>)> = self.seen.iter().enumerate().collect();
        for moment in all.chunk_by(is_joint) {
            let (mut highest, mut highest_by) = (floor, by.clone());
            for (position, seen) in moment {
                floors.push(floor);
                let shown = Shown::by(seen, settled.added.get(position).copied());
                shown.at_least(floor).map_err(|text| format!("{}: {text} {by}", place(seen.recorded)))?;
                if shown.after > highest {
                    (highest, highest_by) =
                        (shown.after, format!("as {} showed before", place(seen.recorded)));
                }
            }
            (floor, by) = (highest, highest_by);
        }
        Ok(floors)
    }

    /// Whether the lists of events in these answers are whole.
    pub(crate) fn are_whole(
        &self,
        settled: &Settled,
        whole: &Whole,
        meant: &[&Seen<'_>],
    ) -> Result<(), String> {
        // Where sizes contradict each other, nothing is known of any time; that is another check's matter.
        let Ok(floors) = self.floors(settled) else { return Ok(()) };
        for seen in meant {
            let position = self.seen.iter().position(|other| std::ptr::eq(other.recorded, seen.recorded));
            let floor = position.and_then(|position| floors.get(position)).copied().unwrap_or_default();
            let Some(document) = seen.document() else { continue };
            self.is_whole(document.root(), whole, floor)
                .map_err(|text| format!("{}: {text}", place(seen.recorded)))?;
        }
        Ok(())
    }

    fn is_whole(&self, answer: Value<'_>, whole: &Whole, floor: u64) -> Result<(), String> {
        let lists = [Some(&whole.list), whole.or_in.as_ref()].into_iter().flatten();
        let Some(list) = lists.filter_map(|pointer| answer.at(pointer)).next() else {
            return Err(format!("{}: expected a list, found none", whole.list));
        };
        let mut listed = BTreeSet::new();
        for index in list.items().filter_map(|item| item.at(&whole.index).and_then(Value::as_u64)) {
            if !listed.insert(index) {
                return Err(format!(
                    "{}: expected each event once, found that of index {index} twice",
                    whole.list
                ));
            }
        }
        let file = answer.at(&whole.file).and_then(Value::as_str).unwrap_or_default();
        let positions = self.by_identifier.get(file.as_ref()).into_iter().flatten();
        let entries = positions.filter_map(|position| self.entries.get(*position));
        let of_file = entries.filter(|entry| {
            let is_event = entry.text("event") == Some("beacon") && entry.text("file_id") == Some(&file);
            is_event && entry.index < floor
        });
        let events: Vec<u64> = of_file.map(|entry| entry.index).collect();
        let mut newest = events.into_iter().rev().take(whole.most);
        match newest.find(|index| !listed.contains(index)) {
            None => Ok(()),
            Some(index) => {
                Err(format!("{}: expected the event at index {index} of the log, found none", whole.list))
            }
        }
    }
}

impl Settled {
    /// Whether log and requests agree; else in words what does not.
    pub(crate) fn agree(&self) -> Result<(), String> {
        self.missing.clone().or_else(|| self.unexplained.clone()).map_or(Ok(()), Err)
    }
}

/// What one answer shows about the length of the log.
struct Shown {
    /// Sizes that the log had while the answer was made.
    sizes: Vec<u64>,
    /// The leaf that the request added.
    added: Option<u64>,
    /// A page ends here although it could go on.
    ends: Option<u64>,
    /// How many leaves there are at least from then on.
    after: u64,
}

impl Shown {
    fn by(seen: &Seen<'_>, added: Option<u64>) -> Self {
        let mut shown = Self { sizes: Vec::new(), added, ends: None, after: 0 };
        if let Some(document) = seen.accepted().and_then(|_| seen.document()) {
            let sighting = Sighting::read(String::new(), seen.call.document, &document);
            shown.sizes.extend(sighting.iter().flat_map(Sighting::sizes));
            shown.sizes.extend(seen.call.size.as_deref().and_then(|pointer| answered(seen, pointer)));
            if seen.call.document == Some(assayer_vectors::Document::OversightLog) {
                shown.ends = page_end(seen, document.root());
            }
        }
        let seen_sizes = shown.sizes.iter().copied();
        shown.after = seen_sizes.chain(added.map(|index| index + 1)).max().unwrap_or_default();
        shown
    }

    fn at_least(&self, floor: u64) -> Result<(), String> {
        if let Some(size) = self.sizes.iter().find(|size| **size < floor) {
            return Err(format!("expected a size of at least {floor}, found {size},"));
        }
        if let Some(index) = self.added.filter(|index| *index < floor) {
            return Err(format!("expected a new leaf at index {floor} or later, found it at {index},"));
        }
        match self.ends.filter(|end| *end < floor) {
            Some(end) => Err(format!("expected entries up to index {}, found an end at {end},", floor - 1)),
            None => Ok(()),
        }
    }
}

/// The index behind the last entry of a page that has fewer entries than were asked for.
fn page_end(seen: &Seen<'_>, body: Value<'_>) -> Option<u64> {
    /// WF-7: no page has more.
    const MOST: u64 = 1000;
    let (start, limit) = (seen.query("start")?, seen.query("limit")?);
    let count = body.get("entries")?.items().count() as u64;
    // Less than the least that can be meant by a limit of none.
    (count < limit.clamp(1, MOST) && limit > 0).then_some(start.saturating_add(count))
}

fn answered(seen: &Seen<'_>, pointer: &str) -> Option<u64> {
    seen.accepted().and_then(|_| seen.answered(pointer))?.as_u64()
}

/// The texts that this run drew: nobody else has them.
fn own_names(suite: &Suite, transcript: &Transcript) -> BTreeSet<String> {
    /// Shorter texts may be drawn by others too.
    const SHORTEST: usize = 16;
    let drawn = suite.values.keys().filter_map(|name| transcript.manifest.names.get(name));
    drawn.filter_map(Json::as_str).filter(|text| text.len() >= SHORTEST).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use assayer_vectors::{SUITE, load_embedded};
    use assayer_verifier::leaf_hash;
    use serde_json::json;

    use super::*;
    use crate::seen::seen;

    const TOKEN: &str = "00112233445566778899aabbccddeeff";

    fn opening(user_agent: &str) -> Json {
        json!({"event": "beacon", "kind": "http_img", "token_id": TOKEN, "user_agent": user_agent})
    }

    fn log(leaves: &[Json]) -> Log {
        let page = |(index, leaf): (usize, &Json)| {
            let text = leaf.to_string();
            json!({"index": index, "leaf_hash": leaf_hash(text.as_bytes()).to_hex(), "leaf_data": text})
        };
        let pages: Vec<String> = leaves.iter().enumerate().map(|leaf| page(leaf).to_string()).collect();
        Log::read(pages.iter().map(|page| page.as_bytes()), &crate::client::ANSWER_LIMITS).0
    }

    fn answered(exchange: &str, target: &str, user_agent: &str, status: u16, body: &Json) -> Json {
        json!({"n": 0, "at_ms": 0, "exchange": exchange, "attempt": 1, "effect": "none", "outcome": {"answered": {
            "request": {"method": "GET", "target": target, "headers": [["User-Agent", user_agent]]},
            "answer": {"status": status, "headers": [], "body_text": body.to_string(), "elapsed_ms": 1},
        }}})
    }

    fn hit(user_agent: &str, status: u16) -> Json {
        answered("beacon-http-img", &format!("/p/{TOKEN}.png"), user_agent, status, &json!(""))
    }

    fn health(size: u64) -> Json {
        answered("health", "/health", "x", 200, &json!({"tlog_size": size}))
    }

    type Said = Result<(), String>;

    /// What the ledger says of log and requests, what of sizes, and what of times.
    fn judged(exchanges: &[Json], leaves: &[Json]) -> (Said, Said, Said) {
        let suite = load_embedded(SUITE).unwrap();
        let wire = suite.wires.iter().find(|wire| wire.wire == "candidate").unwrap();
        let mut manifest = crate::archive::Manifest::sample("2026-01-02T03:04:05Z", 2000);
        manifest.names.insert("token_http".to_owned(), json!(TOKEN));
        let exchanges = exchanges.iter().map(|one| serde_json::from_value(one.clone()).unwrap()).collect();
        let transcript = Transcript { manifest, exchanges };
        let all = seen(&suite, wire, &transcript, 1, &std::rc::Rc::default());
        let ledger = Ledger::new(&all, &log(leaves), "tlog-range-final");
        let settled = ledger.settle(&suite, &transcript);
        let (follow, clock) = (ledger.follow(&settled), ledger.clock(&settled));
        (settled.agree(), follow, clock)
    }

    #[test]
    fn every_opening_has_a_leaf_and_every_leaf_of_the_run_an_opening() {
        let said = |exchanges: &[Json], leaves: &[Json]| judged(exchanges, leaves).0;
        let twice = [hit("a", 200), hit("b", 200)];
        assert_eq!(said(&twice, &[opening("b"), opening("a")]), Ok(()));
        assert!(said(&twice, &[opening("a")]).unwrap_err().contains("expected a leaf of its own"));
        assert!(
            said(&twice, &[opening("a"), opening("a")]).unwrap_err().contains("expected a leaf of its own")
        );
        let surplus = said(&twice, &[opening("a"), opening("b"), opening("a")]);
        assert!(surplus.unwrap_err().starts_with("leaf 2: expected a leaf that was asked for"));
        let of_others = json!({"event": "beacon", "token_id": "somebody-elses"});
        assert_eq!(said(&[], &[of_others]), Ok(()));
        assert!(said(&[hit("a", 404)], &[opening("a")]).is_err(), "refused and logged");
        assert_eq!(said(&[hit("a", 500)], &[opening("a")]), Ok(()), "broken off: logged or not");
        assert_eq!(said(&[hit("a", 500)], &[]), Ok(()));
    }

    #[test]
    fn what_answers_date_has_the_time_of_the_log() {
        let leaves = [
            json!({"event": "register", "file_id": TOKEN, "n_watermarks": 2, "timestamp": "2026-01-02T03:04:05Z"}),
            json!({"event": "beacon", "token_id": "t", "file_id": TOKEN, "timestamp": "2026-01-02T03:05:00Z"}),
        ];
        let register = |marks: &Json| {
            let body = json!({"manifest": {"file_id": TOKEN, "watermarks": marks}}).to_string();
            let mut sent = answered("register", "/register", "x", 200, &json!({"tlog_index": 0}));
            let request = sent.pointer_mut("/outcome/answered/request").unwrap().as_object_mut().unwrap();
            request.insert("method".to_owned(), json!("POST"));
            request.insert("body_text".to_owned(), json!(body));
            sent
        };
        let bundle = |list: &str, item: &Json| {
            answered("evidence-final", &format!("/evidence/{TOKEN}"), "x", 200, &json!({list: [item]}))
        };
        let said =
            |list: &str, item: Json| judged(&[register(&json!([1, 2])), bundle(list, &item)], &leaves).2;
        let row = |at: i64| json!({"file_id": TOKEN, "registered_at": at});
        assert_eq!(said("beacons", row(1_767_323_045)), Ok(()));
        assert_eq!(said("beacons", row(1_767_323_049)), Ok(()), "read from another clock, or a little later");
        let late = said("watermarks", row(1_767_323_060)).unwrap_err();
        assert!(late.contains("/watermarks/0/registered_at: expected the time of a registration"), "{late}");
        let of_others = json!({"file_id": "somebody-elses", "registered_at": 7});
        assert_eq!(said("beacons", of_others), Ok(()), "this run did not register it");
        let event = |at: i64| json!({"tlog_index": 1, "timestamp": at});
        assert_eq!(said("events", event(1_767_323_100)), Ok(()));
        assert!(said("events", event(1_767_323_000)).unwrap_err().contains("the time of its leaf"));
        assert_eq!(
            said("events", json!({"tlog_index": 9, "timestamp": 0})),
            Ok(()),
            "no leaf to compare with"
        );
        assert!(judged(&[register(&json!([1]))], &leaves).0.is_err(), "the leaf counts one mark more");
    }

    #[test]
    fn sizes_and_indexes_only_rise() {
        let leaves = [opening("a"), opening("b")];
        let said = |exchanges: &[Json]| judged(exchanges, &leaves).1;
        assert_eq!(said(&[health(0), hit("a", 200), health(1), hit("b", 200), health(2)]), Ok(()));
        let behind = said(&[hit("a", 200), health(0), hit("b", 200)]);
        assert!(behind.unwrap_err().starts_with("health: expected a size of at least 1, found 0"));
        let ahead = said(&[hit("a", 200), health(2), hit("b", 200)]);
        assert!(ahead.unwrap_err().starts_with("beacon-http-img: expected a new leaf at index 2 or later"));
        let page = |count: usize| {
            let body = json!({"entries": vec![json!({}); count]});
            answered("tlog-range", "/tlog/range?start=0&limit=10", "x", 200, &body)
        };
        assert_eq!(said(&[health(2), page(2)]), Ok(()));
        assert!(said(&[health(2), page(1)]).unwrap_err().contains("expected entries up to index 1"));
    }
}
