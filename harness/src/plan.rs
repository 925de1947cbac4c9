//! Which exchanges a selection of checks needs, and in which order they are sent.

use std::collections::{BTreeSet, HashMap, HashSet};

use assayer_reports::Mode;
use assayer_vectors::{
    Check, Edition, Effect, Exchange, Expectation, Reading, Reference, Suite, references_in_text,
};

/// A check of an edition, with the conditions that the edition freezes.
#[derive(Clone, Copy, Debug)]
pub struct Case<'s> {
    /// The check.
    pub check: &'s Check,
    /// Its conditions in this edition.
    pub expect: &'s [Expectation],
}

impl Case<'_> {
    /// Whether an accepted twin is demanded of rejections: always, but for conditions that are weak by what they freeze.
    pub(crate) fn demands_twins(&self) -> bool {
        self.check.weak.is_none()
    }
}

/// The cases of an edition, in the order of the suite's groups and within them in the edition's.
#[must_use]
pub fn cases<'s>(suite: &'s Suite, edition: &'s Edition) -> Vec<Case<'s>> {
    let mut cases: Vec<Case<'s>> = edition
        .checks
        .iter()
        .filter_map(|listed| {
            let check = suite.check(&listed.id)?;
            let variant = listed.variant.as_ref().and_then(|name| check.variants.get(name));
            Some(Case { check, expect: variant.unwrap_or(&check.expect) })
        })
        .collect();
    cases.sort_by_key(|case| suite.groups.iter().position(|group| group.id == case.check.group));
    cases
}

/// Whether a run in this mode may send an exchange.
///
/// A call that stores something when it is accepted is left alone even where a conforming target would refuse it: whether the
/// target conforms is what nobody knows yet.
pub(crate) fn may_send(suite: &Suite, mode: Mode, exchange: &Exchange) -> bool {
    let call = |exchange: &Exchange| exchange.request_in(suite).map(|request| request.call.clone());
    let own = call(exchange);
    let stores = |other: &Exchange| other.effect != Effect::None && call(other) == own;
    match mode {
        Mode::Full => true,
        Mode::Canary if suite.canary.as_ref() == Some(&exchange.id) => true,
        Mode::Canary | Mode::ReadOnly => {
            exchange.effect == Effect::None && reads(suite, exchange) && !suite.exchanges.iter().any(stores)
        }
    }
}

/// Whether an exchange uses the method of its call or one that is safe (RFC 9110 section 9.2.1): a DELETE is refused only by a
/// target that conforms.
fn reads(suite: &Suite, exchange: &Exchange) -> bool {
    let own = exchange.request_in(suite).and_then(|request| request.method.as_deref());
    own.is_none_or(|method| ["GET", "HEAD", "OPTIONS"].contains(&method))
}

/// The cases that a mode leaves: those that need nothing sent which it forbids.
#[must_use]
pub fn allowed<'s>(suite: &'s Suite, mode: Mode, cases: &[Case<'s>]) -> Vec<Case<'s>> {
    if mode == Mode::Full {
        return cases.to_vec();
    }
    let forbidden: BTreeSet<&str> = suite
        .exchanges
        .iter()
        .filter(|exchange| !may_send(suite, mode, exchange))
        .map(|exchange| exchange.id.as_str())
        .collect();
    let is_allowed = |case: &&Case<'s>| {
        let needed = exchanges(suite, &[**case]);
        needed.iter().all(|exchange| !forbidden.contains(exchange.id.as_str()))
    };
    cases.iter().filter(is_allowed).copied().collect()
}

/// The exchanges that these cases need, each once, each after what it waits for.
#[must_use]
pub fn exchanges<'s>(suite: &'s Suite, cases: &[Case<'s>]) -> Vec<&'s Exchange> {
    let mut wanted: BTreeSet<&str> = BTreeSet::new();
    let mut open: Vec<&'s str> = Vec::new();
    for case in cases {
        let check = case.check;
        let named = check.needs.iter().chain(&check.sent).chain(&check.only_if_accepted);
        open.extend(named.flat_map(|name| suite.exchanges_like(name)));
        for expectation in case.expect {
            open.push(&expectation.exchange);
            open.extend(
                expectation.references().iter().filter_map(|reference| exchange_name(suite, &reference.name)),
            );
            if expectation.demands_rejection() && case.demands_twins() {
                let exchange = suite.exchange(&expectation.exchange);
                open.extend(exchange.and_then(|exchange| exchange.twin.as_deref()));
            }
        }
    }
    while let Some(name) = open.pop() {
        if !wanted.insert(name) {
            continue;
        }
        if let Some(exchange) = suite.exchange(name) {
            open.extend(exchange.needs.iter().map(String::as_str));
            let joint = suite.exchanges.iter().filter(|other| exchange.is_together_with(other));
            open.extend(joint.map(|other| other.id.as_str()));
            let mut references = exchange.references(suite);
            let reading =
                suite.readings.iter().filter(|reading| Some(&reading.id) == exchange.reading.as_ref());
            references.extend(reading.flat_map(ends));
            open.extend(references.iter().filter_map(|reference| exchange_name(suite, &reference.name)));
        }
    }
    order(suite, &wanted)
}

/// What a reading looks at first and last, to see whether it moved.
fn ends(reading: &Reading) -> Vec<Reference> {
    [&reading.first, &reading.last].into_iter().flat_map(|text| references_in_text(text)).collect()
}

/// The name as the suite holds it, if it is an exchange's.
fn exchange_name<'s>(suite: &'s Suite, name: &str) -> Option<&'s str> {
    suite.exchange(name).map(|exchange| exchange.id.as_str())
}

/// In the order of the data, but each after what it waits for, and those that go together next to each other; the lint
/// has made sure that this ends.
fn order<'s>(suite: &'s Suite, wanted: &BTreeSet<&str>) -> Vec<&'s Exchange> {
    let mut rest: Vec<&Exchange> =
        suite.exchanges.iter().filter(|exchange| wanted.contains(exchange.id.as_str())).collect();
    let mut ordered: Vec<&Exchange> = Vec::with_capacity(rest.len());
    let awaited: Awaited<'_> =
        rest.iter().map(|exchange| (exchange.id.as_str(), awaited(suite, exchange).collect())).collect();
    let phases = phases(suite, &rest, &awaited);
    let mut left: HashSet<&str> = rest.iter().map(|exchange| exchange.id.as_str()).collect();
    while !rest.is_empty() {
        let first = rest.iter().map(|exchange| phase(&phases, exchange)).min();
        let waits = |exchange: &Exchange| {
            let awaited = awaited.get(exchange.id.as_str());
            awaited.into_iter().flatten().any(|name| *name != exchange.id && left.contains(name))
        };
        let joint_wait = |exchange: &Exchange| {
            exchange.together.is_some()
                && rest.iter().any(|other| exchange.is_together_with(other) && waits(other))
        };
        let of_phase = rest.iter().copied().filter(|exchange| Some(phase(&phases, exchange)) == first);
        let ready = of_phase.into_iter().find(|exchange| !waits(exchange) && !joint_wait(exchange));
        let Some(ready) = ready.or_else(|| rest.first().copied()) else { break };
        let is_next = |other: &&Exchange| std::ptr::eq(*other, ready) || ready.is_together_with(other);
        let next: Vec<&Exchange> = rest.extract_if(.., |other| is_next(other)).collect();
        for exchange in &next {
            left.remove(exchange.id.as_str());
        }
        ordered.extend(next);
    }
    ordered
}

/// For each exchange, what comes before it if that is sent at all. The texts of a suite are read for it, so it is made once.
type Awaited<'s> = HashMap<&'s str, Vec<&'s str>>;

/// What comes before an exchange if it is sent at all.
fn awaited<'s>(suite: &'s Suite, exchange: &'s Exchange) -> impl Iterator<Item = &'s str> {
    let named = exchange.comes_after(suite);
    let referred = exchange.references(suite);
    let referred = referred.into_iter().filter_map(|reference| exchange_name(suite, &reference.name));
    named.chain(referred).chain(before_the_end(suite, exchange))
}

/// What a reading looks at last comes after everything else that belongs to it.
fn before_the_end<'s>(suite: &'s Suite, exchange: &'s Exchange) -> impl Iterator<Item = &'s str> {
    let reading = suite.readings.iter().find(|reading| exchange.reading.as_ref() == Some(&reading.id));
    let ends = |reading: &&Reading| {
        references_in_text(&reading.last).iter().any(|reference| reference.name == exchange.id)
    };
    let ended = reading.filter(ends);
    let all = suite.exchanges.iter();
    all.filter(move |other| ended.is_some_and(|reading| other.reading.as_ref() == Some(&reading.id)))
        .map(|other| other.id.as_str())
        .filter(|name| *name != exchange.id)
}

/// When an exchange is sent: a reading that is the last of all comes after what does not wait for it, and a burst after
/// everything, so that nobody else meets the limit that it runs into.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Usual,
    LastReading,
    Burst,
}

fn phases<'s>(suite: &'s Suite, all: &[&'s Exchange], awaited: &Awaited<'s>) -> HashMap<&'s str, Phase> {
    let is_last = |exchange: &Exchange| {
        let reading = suite.readings.iter().find(|known| exchange.reading.as_ref() == Some(&known.id));
        reading.is_some_and(|reading| reading.last_of_all)
    };
    let own = |exchange: &Exchange| match exchange.burst {
        Some(_) => Phase::Burst,
        None if is_last(exchange) => Phase::LastReading,
        None => Phase::Usual,
    };
    let mut phases: HashMap<&str, Phase> =
        all.iter().map(|exchange| (exchange.id.as_str(), own(exchange))).collect();
    // Whoever waits for an exchange of a later phase is of that phase too.
    loop {
        let moved: Vec<(&str, Phase)> = all
            .iter()
            .filter_map(|exchange| {
                let awaited = awaited.get(exchange.id.as_str())?;
                let latest = *awaited.iter().filter_map(|name| phases.get(name)).max()?;
                (latest > phase(&phases, exchange)).then_some((exchange.id.as_str(), latest))
            })
            .collect();
        if moved.is_empty() {
            return phases;
        }
        phases.extend(moved);
    }
}

fn phase(phases: &HashMap<&str, Phase>, exchange: &Exchange) -> Phase {
    phases.get(exchange.id.as_str()).copied().unwrap_or(Phase::Usual)
}

#[cfg(test)]
mod tests {
    use assayer_vectors::{SUITE, load_embedded};

    use super::*;

    #[test]
    fn modes_leave_what_stores_nothing_and_one_registration() {
        let suite = load_embedded(SUITE).unwrap();
        let strict = suite.editions.iter().find(|edition| edition.edition == "strict").unwrap();
        let all = cases(&suite, strict);
        let sent = |mode| {
            let planned = exchanges(&suite, &allowed(&suite, mode, &all));
            planned
                .iter()
                .filter(|exchange| exchange.effect != Effect::None)
                .map(|exchange| exchange.id.clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(sent(Mode::ReadOnly), Vec::<String>::new());
        assert_eq!(sent(Mode::Canary), ["register"]);
        let counts = [Mode::ReadOnly, Mode::Canary, Mode::Full].map(|mode| allowed(&suite, mode, &all).len());
        assert!(counts[0] > 30 && counts[0] < counts[1] && counts[1] < counts[2], "{counts:?}");
        assert_eq!(counts[2], all.len());
        // What a conforming registry refuses is not sent either.
        let planned = exchanges(&suite, &allowed(&suite, Mode::ReadOnly, &all));
        let registers = |exchange: &&Exchange| {
            exchange.request_in(&suite).is_some_and(|request| request.call == "register")
        };
        assert_eq!(planned.iter().filter(|exchange| registers(exchange)).count(), 0);
        let methods = planned.iter().filter_map(|exchange| exchange.request_in(&suite)?.method.as_deref());
        assert_eq!(methods.filter(|method| !["GET", "HEAD", "OPTIONS"].contains(method)).count(), 0);
    }

    #[test]
    fn the_last_reading_comes_after_all_that_stores_and_bursts_come_after_that() {
        let suite = load_embedded(SUITE).unwrap();
        let strict = suite.editions.iter().find(|edition| edition.edition == "strict").unwrap();
        let ordered = exchanges(&suite, &cases(&suite, strict));
        let place = |of: &dyn Fn(&Exchange) -> bool| {
            let found = ordered.iter().enumerate().filter(|(_, exchange)| of(exchange));
            found.map(|(place, _)| place).collect::<Vec<_>>()
        };
        let stores = place(&|exchange| exchange.effect != assayer_vectors::Effect::None);
        let reads = place(&|exchange| exchange.reading.is_some());
        let bursts = place(&|exchange| exchange.burst.is_some());
        assert!(stores.last() < reads.first() && reads.last() < bursts.first());
        assert_eq!(bursts.last(), Some(&(ordered.len() - 1)));
    }
}
