//! Everything that a run saw, whatever check it was asked for: each answer beside its request and the call that it is of.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use assayer_vectors::{Call, Exchange, Reference, Suite, Wherever, Wire};
use assayer_verifier::Document;
use serde_json::Value as Json;

use crate::judge::is_same;
use crate::names::GIVEN;
use crate::rewrite::path_variables;
use crate::transcript::{Answer, Documents, Outcome, Recorded, Sent, Transcript};

/// One request of a run and what became of it.
#[derive(Clone)]
pub(crate) struct Seen<'t> {
    pub(crate) recorded: &'t Recorded,
    /// Name of the call, and what the wire profile says about it.
    pub(crate) name: &'t str,
    pub(crate) call: &'t Call,
    pub(crate) request: &'t Sent,
    /// None where it broke off.
    pub(crate) answer: Option<&'t Answer>,
    /// What it was sent at the same moment with.
    pub(crate) moment: Option<&'t str>,
    /// Whether a conforming target refuses it: where it does not, that is the matter of the check that sends it.
    is_to_be_refused: bool,
    /// The bodies of the run.
    documents: Rc<Documents<'t>>,
}

/// Every request that was sent up to an attempt, in order, but for those about files that were there before the run: the laws of
/// a run are about what it registered.
pub(crate) fn seen<'t>(
    suite: &'t Suite,
    wire: &'t Wire,
    transcript: &'t Transcript,
    attempt: u32,
    documents: &Rc<Documents<'t>>,
) -> Vec<Seen<'t>> {
    let is_given = |exchange: &Exchange| exchange.references(suite).iter().any(|known| known.name == GIVEN);
    let given: BTreeSet<&str> =
        suite.exchanges.iter().filter(|known| is_given(known)).map(|known| known.id.as_str()).collect();
    let recorded = transcript.exchanges.iter().filter(|recorded| recorded.attempt <= attempt);
    let of_the_run = recorded.filter(|recorded| !given.contains(recorded.exchange.as_str()));
    of_the_run.filter_map(|recorded| Seen::of(suite, wire, recorded, documents)).collect()
}

impl<'t> Seen<'t> {
    pub(crate) fn of(
        suite: &'t Suite,
        wire: &'t Wire,
        recorded: &'t Recorded,
        documents: &Rc<Documents<'t>>,
    ) -> Option<Self> {
        let exchange = suite.exchange(&recorded.exchange)?;
        let is_to_be_refused = exchange.twin.is_some();
        let (name, moment) = (exchange.request_in(suite)?.call.as_str(), exchange.together.as_deref());
        let call = wire.calls.get(name)?;
        let (request, answer) = match &recorded.outcome {
            Outcome::Answered { request, answer } => (request, Some(answer)),
            Outcome::Failed { request, .. } => (request, None),
            Outcome::NotSent { .. } => return None,
        };
        let documents = Rc::clone(documents);
        Some(Self { recorded, name, call, request, answer, moment, is_to_be_refused, documents })
    }

    /// Whether it was asked by the method that the call has.
    pub(crate) fn is_asked_rightly(&self) -> bool {
        self.request.method == self.call.method
    }

    /// The answer, if the request was accepted and had to be.
    pub(crate) fn accepted(&self) -> Option<&'t Answer> {
        let is_expected = self.is_asked_rightly() && !self.is_to_be_refused;
        self.answer.filter(|answer| answer.is_success() && is_expected)
    }

    /// The answer, if it is one of those that are meant.
    pub(crate) fn meant(&self, wherever: &Wherever) -> Option<&'t Answer> {
        let answer = self.answer.filter(|answer| answer.is_success() != wherever.refused)?;
        let is_of_call = wherever.calls.is_empty() || wherever.calls.iter().any(|name| name == self.name);
        let is_expected = wherever.refused || !self.is_to_be_refused;
        // A method that there is not is refused like anything else; what a browser asks ahead, and HEAD, has no body.
        let is_asked = self.is_asked_rightly()
            || wherever.refused && !matches!(self.request.method.as_str(), "HEAD" | "OPTIONS");
        (is_expected && is_asked && is_of_call && self.has_sent(wherever) && self.says(answer, wherever))
            .then_some(answer)
    }

    fn has_sent(&self, wherever: &Wherever) -> bool {
        let has = |pointer: &String| self.sent(pointer).is_some();
        wherever.sent_has.is_empty() || wherever.sent_has.iter().all(has)
    }

    /// The body of the answer as JSON.
    pub(crate) fn document(&self) -> Option<Rc<Document<'t>>> {
        self.documents.answered(self.answer?).ok()
    }

    /// A part of the answer.
    pub(crate) fn answered(&self, pointer: &str) -> Option<Json> {
        self.documents.part_of_answer(self.answer?, pointer)
    }

    /// A part of the request.
    pub(crate) fn sent(&self, pointer: &str) -> Option<Json> {
        self.documents.part_of_request(self.request, pointer)
    }

    /// What a reference to this request or answer stands for.
    pub(crate) fn look_up(&self, reference: &Reference) -> Option<Json> {
        let (kind, rest) = reference.name.split_once('.').unwrap_or((&reference.name, ""));
        match kind {
            "sent" => self.sent(&reference.pointer),
            "length" if rest == "sent" => {
                self.sent(&reference.pointer)?.as_array().map(|list| list.len().into())
            }
            "answer" => self.answered(&reference.pointer),
            "path" => self.path().remove(rest).map(number_or_text),
            "header" => {
                let mut fields = self.request.headers.iter();
                let found = fields.find(|(name, _)| name.eq_ignore_ascii_case(rest))?;
                Some(Json::String(found.1.clone()))
            }
            _ => None,
        }
    }

    fn says(&self, answer: &'t Answer, wherever: &Wherever) -> bool {
        if wherever.condition.is_empty() {
            return true;
        }
        let Ok(document) = self.documents.answered(answer) else { return false };
        let stands = |(pointer, expected): (&String, &Json)| {
            document.root().at(pointer).is_some_and(|value| is_same(value, expected))
        };
        wherever.condition.iter().all(stands)
    }

    fn path(&self) -> BTreeMap<String, String> {
        let target = &self.request.target;
        let path = target.split_once('?').map_or(target.as_str(), |(path, _)| path);
        path_variables(&self.call.path, path).unwrap_or_default()
    }

    /// A number in the query.
    pub(crate) fn query(&self, name: &str) -> Option<u64> {
        let (_, query) = self.request.target.split_once('?')?;
        let value = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))?;
        value.parse().ok()
    }
}

/// A short number in a path is compared with numbers.
fn number_or_text(text: String) -> Json {
    /// Longer runs of digits are names.
    const MOST_DIGITS: usize = 9;
    let number = text.parse::<u64>().ok().filter(|number| number.to_string() == text);
    number.filter(|_| text.len() <= MOST_DIGITS).map_or(Json::String(text), Json::from)
}
