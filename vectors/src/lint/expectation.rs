//! What one expectation of a check must say, and must not.

use super::Lint;
use crate::model::{Exchange, Expectation};

impl Lint<'_> {
    /// Complains of everything in an expectation of the check at `at` that is empty, contradicts itself, or names
    /// what is not there. A `weak` check repeats what an older harness asks, and may ask too little.
    pub(super) fn expectation(&mut self, at: &str, expectation: &Expectation, weak: bool) {
        let exchange = self.suite.exchanges.iter().find(|exchange| exchange.id == expectation.exchange);
        let Some(exchange) = exchange else {
            return self.complain(format!("{at}: there is no exchange `{}`", expectation.exchange));
        };
        self.says_something(at, expectation);
        self.says_something_of_the_field(at, expectation);
        self.says_something_of_every_item(at, expectation);
        self.error_codes(at, expectation);
        if !weak {
            self.has_an_accepted_twin(at, expectation, exchange);
            self.success_is_no_failure(at, expectation);
        }
        self.calls(at, expectation);
        self.exchanges_beside_it(at, expectation);
    }

    fn says_something(&mut self, at: &str, expectation: &Expectation) {
        let says_of_the_place = says_of_the_place(expectation);
        if !says_of_the_place && !says_of_the_answer(expectation) {
            self.complain(format!("{at}: nothing is expected of `{}`", expectation.exchange));
        }
        if !expectation.without_notes.is_empty() && expectation.established.is_empty() {
            self.complain(format!("{at}: `without_notes` without `established`"));
        }
        if expectation.at.is_some() && !says_of_the_place {
            self.complain(format!(
                "{at}: `at` without `schema`, `equals`, `at_least`, `length_of`, `within_run` or `sent_before`"
            ));
        }
    }

    fn says_something_of_the_field(&mut self, at: &str, expectation: &Expectation) {
        if let Some(header) = &expectation.header
            && header.one_of.is_empty()
            && header.schema.is_none()
        {
            self.complain(format!("{at}: nothing is expected of the field {}", header.name));
        }
    }

    fn says_something_of_every_item(&mut self, at: &str, expectation: &Expectation) {
        let Some(every) = &expectation.every else { return };
        if every.least == 0 {
            self.complain(format!("{at}: `every` of no item says nothing"));
        }
        let says = [
            every.schema.is_some(),
            every.equals.is_some(),
            every.leaf.is_some(),
            every.within_run.is_some(),
            every.order.is_some(),
            every.distinct,
            every.identifies.is_some(),
        ];
        if !says.contains(&true) {
            self.complain(format!("{at}: nothing is expected of every item in {}", every.list));
        }
    }

    fn error_codes(&mut self, at: &str, expectation: &Expectation) {
        let codes = expectation.error.iter().chain(&expectation.error_in).chain(&expectation.unless_error);
        for code in codes {
            if !self.suite.wires.iter().any(|wire| wire.errors.contains_key(code)) {
                self.complain(format!("{at}: no wire profile has an error `{code}`"));
            }
        }
    }

    /// A rejection without an accepted sibling is passed by a registry that rejects everything. A burst is its own
    /// sibling: it begins with a request that is not refused for coming too fast.
    fn has_an_accepted_twin(&mut self, at: &str, expectation: &Expectation, exchange: &Exchange) {
        if expectation.demands_rejection() && exchange.twin.is_none() && exchange.burst.is_none() {
            self.complain(format!("{at}: `{}` is to be rejected and names no accepted twin", exchange.id));
        }
    }

    fn success_is_no_failure(&mut self, at: &str, expectation: &Expectation) {
        let fails = |status: &u16| *status >= 400;
        let failures = expectation.status_in.iter().filter(|status| fails(status)).count();
        if failures > 0 && failures < expectation.status_in.len() {
            self.complain(format!("{at}: a set of statuses that includes both success and failure"));
        }
    }

    fn calls(&mut self, at: &str, expectation: &Expectation) {
        if expectation.wherever.is_some() && (expectation.demands_rejection() || expectation.find.is_some()) {
            self.complain(format!(
                "{at}: `wherever` is of many answers: neither `error` nor `find` is one of all"
            ));
        }
        let before = expectation.sent_before.iter().map(|before| &before.call);
        for call in expectation.wherever.iter().flat_map(|wherever| &wherever.calls).chain(before) {
            if !self.suite.wires.iter().any(|wire| wire.calls.contains_key(call)) {
                self.complain(format!("{at}: no wire profile has a call `{call}`"));
            }
        }
    }

    /// The heads, logs and earlier answers that an expectation compares an answer with.
    fn exchanges_beside_it(&mut self, at: &str, expectation: &Expectation) {
        let under = expectation.under.iter().flat_map(|under| under.heads.iter().chain(&under.log));
        for name in under.chain(expectation.growth.iter().map(|growth| &growth.log)) {
            if self.suite.exchange(name).is_none() {
                self.complain(format!("{at}: there is no exchange `{name}`"));
            }
        }
    }
}

/// Whether anything is expected of the value that `at` points to.
fn says_of_the_place(expectation: &Expectation) -> bool {
    [
        expectation.schema.is_some(),
        expectation.equals.is_some(),
        expectation.at_least.is_some(),
        expectation.length_of.is_some(),
        expectation.within_run.is_some(),
        expectation.sent_before.is_some(),
    ]
    .contains(&true)
}

/// Whether anything is expected of the answer as a whole.
fn says_of_the_answer(expectation: &Expectation) -> bool {
    [
        expectation.status.is_some(),
        !expectation.status_in.is_empty(),
        expectation.statuses.is_some(),
        expectation.header.is_some(),
        expectation.media.is_some(),
        expectation.body.is_some(),
        expectation.png.is_some(),
        expectation.error.is_some(),
        !expectation.error_in.is_empty(),
        expectation.envelope,
        expectation.find.is_some(),
        expectation.every.is_some(),
        expectation.growth.is_some(),
        expectation.ledger.is_some(),
        expectation.sizes.is_some(),
        expectation.clock.is_some(),
        expectation.whole.is_some(),
        expectation.repeatable.is_some(),
        expectation.lacks.is_some(),
        !expectation.established.is_empty(),
    ]
    .contains(&true)
}
