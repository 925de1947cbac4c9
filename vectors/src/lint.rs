//! What the schema of a single file cannot say: names that refer to each other, and rules of the house.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::coverage::STRICT;
use crate::model::{Check, Effect, Exchange, Expectation, Keyword, Request, Requirement, Suite};
use crate::reference::Reference;
use crate::rewriting;

mod expectation;

/// One thing that does not fit, in words that name the place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint(pub String);

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Everything in the suite that does not fit together; empty for a sound suite.
#[must_use]
pub fn lint(suite: &Suite) -> Vec<Complaint> {
    let mut lint = Lint { suite, complaints: Vec::new() };
    lint.names();
    lint.requirements();
    lint.exchanges();
    lint.canary();
    lint.checks();
    lint.editions();
    lint.faults();
    lint.references();
    lint.renames();
    lint.complaints
}

struct Lint<'s> {
    suite: &'s Suite,
    complaints: Vec<Complaint>,
}

impl Lint<'_> {
    fn complain(&mut self, text: String) {
        self.complaints.push(Complaint(text));
    }

    /// Values, fixtures and exchanges are referred to by one sign, so their names are of one space.
    fn names(&mut self) {
        let suite = self.suite;
        let referable = suite
            .values
            .keys()
            .chain(suite.fixtures.iter().map(|fixture| &fixture.id))
            .chain(suite.exchanges.iter().map(|exchange| &exchange.id));
        self.unique("value, fixture or exchange", referable);
        self.unique("check", suite.checks.iter().map(|check| &check.id));
        self.unique("requirement", suite.requirements.iter().map(|requirement| &requirement.id));
        self.unique("edition", suite.editions.iter().map(|edition| &edition.edition));
        self.unique("wire profile", suite.wires.iter().map(|wire| &wire.wire));
        let defects = suite.faults.iter().map(|fault| &fault.id);
        let others = suite.variants.iter().map(|variant| &variant.id);
        let hollow = suite.hollow.iter().map(|hollow| &hollow.id);
        self.unique("fault or variant", defects.chain(others).chain(hollow));
        self.unique("group", suite.groups.iter().map(|group| &group.id));
    }

    fn unique<'n>(&mut self, what: &str, names: impl Iterator<Item = &'n String>) {
        let mut seen = BTreeSet::new();
        for name in names {
            let plain = !name.is_empty()
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
            if !plain {
                self.complain(format!("{what} `{name}`: expected letters, digits, `-`, `_`, `.`"));
            }
            if !seen.insert(name) {
                self.complain(format!("{what} `{name}` is defined twice"));
            }
        }
    }

    /// Each older name leads to one name that there is, and is none itself: else an older archive would be read wrongly.
    fn renames(&mut self) {
        let suite = self.suite;
        let checks: BTreeSet<&str> = suite.checks.iter().map(|check| check.id.as_str()).collect();
        let exchanges: BTreeSet<&str> = suite.exchanges.iter().map(|exchange| exchange.id.as_str()).collect();
        for (what, renames, known) in
            [("check", &suite.renames.checks, checks), ("exchange", &suite.renames.exchanges, exchanges)]
        {
            self.unique(&format!("older {what}"), renames.iter().map(|rename| &rename.from));
            for rename in renames {
                if known.contains(rename.from.as_str()) {
                    self.complain(format!("older {what} `{}` is still there", rename.from));
                }
                if !known.contains(rename.to.as_str()) {
                    self.complain(format!("older {what} `{}`: there is no `{}`", rename.from, rename.to));
                }
            }
        }
    }

    fn requirements(&mut self) {
        let suite = self.suite;
        let has_strict = suite.editions.iter().any(|edition| edition.edition == STRICT);
        for requirement in &suite.requirements {
            self.reviewed(requirement);
            let at = format!("requirement `{}`", requirement.id);
            if let Some(whole) = requirement.whole()
                && !suite.requirements.iter().any(|other| other.id == whole)
            {
                self.complain(format!("{at}: a part of `{whole}`, which is not there"));
            }
            for name in requirement.reference_diverges.keys() {
                if !suite.implementations.contains_key(name) {
                    self.complain(format!("{at}: there is no implementation `{name}`"));
                }
            }
            if has_strict {
                self.tested(&at, requirement);
            }
        }
    }

    /// A sentence that changed may mean something else to the checks that cite it.
    fn reviewed(&mut self, requirement: &Requirement) {
        let digest = requirement.digest();
        if requirement.reviewed == digest {
            return;
        }
        let citing = self.suite.checks.iter().filter(|check| check.requirements.contains(&requirement.id));
        let citing: Vec<&str> = citing.map(|check| check.id.as_str()).collect();
        let checks = if citing.is_empty() { "no check cites it yet".to_owned() } else { citing.join(", ") };
        self.complain(format!(
            "requirement `{}`: the sentence is not the one that its checks were read against ({checks}); \
             read them again, change what the sentence now asks for, then write `reviewed: \"{digest}\"`",
            requirement.id
        ));
    }

    /// A sentence is tested by the strict edition, through its parts, or says why not.
    fn tested(&mut self, at: &str, requirement: &Requirement) {
        let suite = self.suite;
        let has_parts = suite.requirements.iter().any(|part| part.whole() == Some(requirement.id.as_str()));
        let is_tested = suite.is_tested(requirement);
        let says_why = requirement.not_tested.as_ref().is_some_and(|why| !why.is_empty());
        if requirement.keyword != Keyword::May && !is_tested && !says_why && !has_parts {
            self.complain(format!(
                "{at}: no check of the strict edition tests it; expected one, or `not_tested`"
            ));
        }
        if is_tested && requirement.not_tested.is_some() {
            self.complain(format!("{at}: `not_tested`, and yet a check of the strict edition tests it"));
        }
    }

    fn exchanges(&mut self) {
        let suite = self.suite;
        let known: BTreeMap<&str, &Exchange> =
            suite.exchanges.iter().map(|exchange| (exchange.id.as_str(), exchange)).collect();
        for exchange in &suite.exchanges {
            let at = format!("exchange `{}`", exchange.id);
            self.request_or_twin(&at, exchange);
            for name in exchange.needs.iter().chain(&exchange.after).chain(&exchange.twin) {
                self.is_exchange(&at, name);
            }
            if exchange.together.is_some() && exchange.each.is_some() {
                self.complain(format!("{at}: what is sent `together` with others is sent once"));
            }
            if let Some(reading) = &exchange.reading
                && !suite.readings.iter().any(|known| known.id == *reading)
            {
                self.complain(format!("{at}: there is no reading `{reading}`"));
            }
            if exchange.burst.is_some() && exchange.effect != Effect::None {
                self.complain(format!("{at}: what is sent in a burst stores nothing"));
            }
            if let Some(request) = &exchange.request {
                self.request(&at, request);
            }
        }
        self.cycles(&known);
    }

    /// An exchange says what it sends: a request of its own, or what its defect makes of the twin's.
    fn request_or_twin(&mut self, at: &str, exchange: &Exchange) {
        match (&exchange.request, &exchange.twin) {
            (None, None) => self.complain(format!("{at}: expected `request` or `twin`, found neither")),
            (Some(_), Some(_)) if exchange.is_defective() => {
                self.complain(format!(
                    "{at}: a defect is applied to the twin's request; `request` is one too many"
                ));
            }
            (Some(_), None) if exchange.is_defective() => {
                self.complain(format!("{at}: a `defect` needs the `twin` whose request it is applied to"));
            }
            (None, Some(_)) if !exchange.is_defective() => {
                self.complain(format!("{at}: the same request as its twin; expected a `defect` or `damage`"));
            }
            _ => {}
        }
    }

    fn request(&mut self, at: &str, request: &Request) {
        if request.secret.is_some() && !request.credentials.is_empty() {
            self.complain(format!("{at}: `secret` and `credentials` say two things about one header"));
        }
        let served = |wire: &&crate::model::Wire| wire.calls.contains_key(&request.call);
        if !self.suite.wires.iter().any(|wire| served(&wire)) {
            self.complain(format!("{at}: no wire profile has a call `{}`", request.call));
        }
    }

    /// The one registration of a canary run registers something.
    fn canary(&mut self) {
        let suite = self.suite;
        let Some(name) = &suite.canary else { return };
        let registers = |exchange: &Exchange| exchange.id == *name && exchange.effect == Effect::Registers;
        if !suite.exchanges.iter().any(registers) {
            self.complain(format!("canary `{name}`: expected an exchange that registers"));
        }
    }

    fn is_exchange(&mut self, at: &str, name: &str) {
        if self.suite.exchanges_like(name).next().is_none() {
            self.complain(format!("{at}: there is no exchange `{name}`"));
        }
    }

    /// An order must exist in which every exchange comes after what it waits for.
    fn cycles(&mut self, known: &BTreeMap<&str, &Exchange>) {
        let suite = self.suite;
        let before: BTreeMap<&str, Vec<&str>> =
            known.iter().map(|(name, exchange)| (*name, exchange.comes_after(suite).collect())).collect();
        let mut done: BTreeSet<&str> = BTreeSet::new();
        loop {
            let ready: Vec<&str> = before
                .iter()
                .filter(|(name, _)| !done.contains(*name))
                .filter(|(_, names)| names.iter().all(|name| done.contains(name)))
                .map(|(name, _)| *name)
                .collect();
            if ready.is_empty() {
                break;
            }
            done.extend(ready);
        }
        let stuck: Vec<&str> = known.keys().copied().filter(|name| !done.contains(name)).collect();
        if !stuck.is_empty() {
            self.complain(format!("exchanges wait for each other in a circle: {}", stuck.join(", ")));
        }
    }

    fn checks(&mut self) {
        let suite = self.suite;
        let groups: BTreeSet<&str> = suite.groups.iter().map(|group| group.id.as_str()).collect();
        let requirements: BTreeSet<&str> =
            suite.requirements.iter().map(|requirement| requirement.id.as_str()).collect();
        for check in &suite.checks {
            let at = format!("check `{}`", check.id);
            if !groups.contains(check.group.as_str()) {
                self.complain(format!("{at}: there is no group `{}`", check.group));
            }
            if check.requirements.is_empty() {
                self.complain(format!("{at}: cites no requirement"));
            }
            for id in &check.requirements {
                if !requirements.contains(id.as_str()) {
                    self.complain(format!("{at}: there is no requirement `{id}`"));
                }
            }
            self.strength(&at, check);
            let is_listed =
                |edition: &crate::model::Edition| edition.checks.iter().any(|listed| listed.id == check.id);
            if !suite.editions.iter().any(is_listed) {
                self.complain(format!("{at}: no edition lists it, so it is never run"));
            }
            for name in check.needs.iter().chain(&check.sent).chain(&check.only_if_accepted) {
                self.is_exchange(&at, name);
            }
            for expectations in check.variants.values().chain([&check.expect]) {
                if expectations.is_empty() {
                    self.complain(format!("{at}: expects nothing, so it could not fail"));
                }
                for expectation in expectations {
                    self.expectation(&at, expectation, check.weak.is_some());
                }
            }
        }
    }

    /// No check is stricter than a sentence that it cites: a SHOULD beside a MUST would fail like a MUST.
    fn strength(&mut self, at: &str, check: &Check) {
        let cited = self.suite.requirements.iter().filter(|known| check.requirements.contains(&known.id));
        let cited: Vec<(&str, Keyword)> = cited.map(|known| (known.id.as_str(), known.keyword)).collect();
        let Some((first, keyword)) = cited.first().copied() else { return };
        if keyword == Keyword::May && cited.iter().all(|(_, other)| *other == Keyword::May) {
            self.complain(format!("{at}: `{first}` only allows something, so nothing can be expected of it"));
        }
        if let Some((other, other_keyword)) = cited.iter().find(|(_, other)| *other != keyword) {
            self.complain(format!(
                "{at}: `{first}` is a {} and `{other}` a {}: a check is not stricter than any sentence it cites",
                keyword.as_str(),
                other_keyword.as_str()
            ));
        }
    }

    fn editions(&mut self) {
        let suite = self.suite;
        for edition in &suite.editions {
            let at = format!("edition `{}`", edition.edition);
            if edition.checks.is_empty() {
                self.complain(format!("{at}: lists no check"));
            }
            if !suite.wires.iter().any(|wire| wire.wire == edition.wire) {
                self.complain(format!("{at}: there is no wire profile `{}`", edition.wire));
            }
            if let Some(name) = &edition.echo {
                self.is_exchange(&at, name);
                if suite.exchange(name).is_some_and(|exchange| exchange.accepted.is_empty()) {
                    self.complain(format!("{at}: nothing says what `{name}` repeats; expected `accepted`"));
                }
            }
            let mut seen = BTreeSet::new();
            for listed in &edition.checks {
                if !seen.insert(&listed.id) {
                    self.complain(format!("{at}: lists `{}` twice", listed.id));
                }
                match suite.checks.iter().find(|check| check.id == listed.id) {
                    None => self.complain(format!("{at}: there is no check `{}`", listed.id)),
                    Some(check) => {
                        if let Some(variant) = &listed.variant
                            && !check.variants.contains_key(variant)
                        {
                            self.complain(format!("{at}: check `{}` has no variant `{variant}`", listed.id));
                        }
                    }
                }
            }
        }
    }

    /// Every reference leads to something that is defined.
    fn references(&mut self) {
        let suite = self.suite;
        let known = |name: &str| {
            ["each", "given"].contains(&name)
                || suite.values.contains_key(name)
                || suite.fixtures.iter().any(|fixture| fixture.id == name)
                || suite.exchange(name).is_some()
        };
        let of_exchanges = suite
            .exchanges
            .iter()
            .map(|exchange| (format!("exchange `{}`", exchange.id), exchange.references(suite)));
        let of_checks = suite.checks.iter().map(|check| {
            let expectations = check.variants.values().flatten().chain(&check.expect);
            let mut found: Vec<Reference> = expectations.flat_map(Expectation::references).collect();
            found.retain(|reference| !Expectation::is_of_the_answer(&reference.name));
            (format!("check `{}`", check.id), found)
        });
        let of_readings = suite.readings.iter().map(|reading| {
            let texts = [&reading.first, &reading.last];
            let found = texts.into_iter().flat_map(|text| crate::reference::references_in_text(text));
            (format!("reading `{}`", reading.id), found.collect())
        });
        for (at, references) in of_exchanges.chain(of_checks).chain(of_readings).collect::<Vec<_>>() {
            for reference in references.iter().filter(|reference| !known(&reference.name)) {
                self.complain(format!("{at}: {reference} refers to nothing that is defined"));
            }
        }
    }

    fn faults(&mut self) {
        let suite = self.suite;
        for fault in &suite.faults {
            if !suite.checks.iter().any(|check| check.id == fault.killed_by) {
                self.complain(format!("fault `{}`: there is no check `{}`", fault.id, fault.killed_by));
            }
        }
        let found = rewriting::complaints(suite);
        self.complaints.extend(found.into_iter().map(Complaint));
    }
}

impl Suite {
    /// The check called `id`.
    #[must_use]
    pub fn check(&self, id: &str) -> Option<&crate::model::Check> {
        self.checks.iter().find(|check| check.id == id)
    }

    /// The names of the exchanges that a name stands for: one, or with `*` at its end all that begin like that.
    pub fn exchanges_like<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s str> {
        let beginning = name.strip_suffix('*');
        let one = if beginning.is_none() { self.exchange(name) } else { None };
        let is_like =
            move |exchange: &&Exchange| beginning.is_some_and(|beginning| exchange.id.starts_with(beginning));
        one.into_iter().chain(self.exchanges.iter().filter(is_like)).map(|exchange| exchange.id.as_str())
    }

    /// The exchange called `id`.
    #[must_use]
    pub fn exchange(&self, id: &str) -> Option<&Exchange> {
        self.places.find(&self.exchanges, id)
    }

    /// The rules of the fault or the variant called `id`; none for a switch of the reference registry.
    #[must_use]
    pub fn rules_of(&self, id: &str) -> Option<&[crate::fault::Rule]> {
        let faults = self.faults.iter().map(|fault| (&fault.id, &fault.rewrite));
        let variants = self.variants.iter().map(|variant| (&variant.id, &variant.rewrite));
        let hollow = self.hollow.iter().map(|hollow| (&hollow.id, &hollow.rewrite));
        let found = faults.chain(variants).chain(hollow).find(|(known, _)| known.as_str() == id);
        found.map(|(_, rules)| rules.as_slice())
    }

    /// The keyword of the requirements that a check cites; the lint has made sure that they have one.
    #[must_use]
    pub fn keyword(&self, check: &crate::model::Check) -> Keyword {
        let cited =
            self.requirements.iter().filter(|requirement| check.requirements.contains(&requirement.id));
        cited.map(|requirement| requirement.keyword).max().unwrap_or(Keyword::May)
    }
}
