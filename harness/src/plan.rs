//! Which exchanges a selection of checks needs, and in which order they are sent.

use std::collections::BTreeSet;

use assayer_vectors::{Check, Edition, Exchange, Expectation, Reading, Reference, Suite, references_in_text};

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
    while !rest.is_empty() {
        let ready = rest.iter().copied().find(|exchange| {
            let joint =
                rest.iter().filter(|other| other.id == exchange.id || exchange.is_together_with(other));
            !joint.copied().any(|exchange| waits(suite, exchange, &rest))
        });
        let Some(ready) = ready.or_else(|| rest.first().copied()) else { break };
        let is_next = |other: &&Exchange| other.id == ready.id || ready.is_together_with(other);
        ordered.extend(rest.extract_if(.., |other| is_next(other)));
    }
    ordered
}

/// Whether an exchange waits for one of those that are left.
fn waits(suite: &Suite, exchange: &Exchange, rest: &[&Exchange]) -> bool {
    // Nobody else is to meet the limit that a burst runs into.
    if exchange.burst.is_some() && rest.iter().any(|other| other.burst.is_none()) {
        return true;
    }
    // A reading shows how everything ended, so it comes after whatever may store something.
    let ends_before = |other: &&Exchange| {
        other.reading.is_none() && other.burst.is_none() && !looks_at_reading(suite, other)
    };
    if exchange.reading.is_some() && rest.iter().any(ends_before) {
        return true;
    }
    let referred = exchange.references(suite);
    let referred = referred.iter().filter_map(|reference| exchange_name(suite, &reference.name));
    exchange
        .comes_after(suite)
        .chain(referred)
        .any(|name| rest.iter().any(|other| other.id == name && other.id != exchange.id))
}

/// Whether an exchange comes after a part of a reading.
fn looks_at_reading(suite: &Suite, exchange: &Exchange) -> bool {
    let referred: Vec<Reference> = exchange.references(suite);
    let names = referred.iter().map(|reference| reference.name.as_str()).chain(exchange.comes_after(suite));
    names.into_iter().any(|name| suite.exchange(name).is_some_and(|other| other.reading.is_some()))
}
