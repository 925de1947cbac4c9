//! Conditions on one value in the body of an answer.

use assayer_vectors::{Expectation, Reference, SentBefore};
use assayer_verifier::Value;
use serde_json::Value as Json;

use super::same::{is_same, same_json, shown};
use super::shortfall::{Shortfall, failed};
use super::{Judge, place};
use crate::conditions::within_run;
use crate::schema;
use crate::seen::Seen;
use crate::transcript::{Answer, Recorded};

impl<'t> Judge<'t> {
    /// Conditions on one value of the body.
    pub(super) fn value(
        &self,
        expectation: &Expectation,
        recorded: &'t Recorded,
        answer: &'t Answer,
    ) -> Result<(), Shortfall> {
        let conditions = [
            expectation.schema.is_some(),
            expectation.equals.is_some(),
            expectation.at_least.is_some(),
            expectation.length_of.is_some(),
            expectation.within_run.is_some(),
            expectation.sent_before.is_some(),
        ];
        if !conditions.contains(&true) {
            return Ok(());
        }
        let place = place(recorded);
        let pointer = expectation.at.as_deref().unwrap_or("");
        let document = match self.documents.answered(answer) {
            Ok(document) => document,
            Err(error) => {
                return Err(failed("condition.json", format!("{place}: expected JSON, found {error}")));
            }
        };
        let at = if pointer.is_empty() { "the body" } else { pointer };
        let Some(value) = document.root().at(pointer) else {
            let text = format!("{place}: {at}: expected a value, found no such member");
            return Err(failed("condition.absent", text));
        };
        match self.value_differs(expectation, recorded, document.root(), value)? {
            None => Ok(()),
            Some((code, difference)) => Err(failed(code, format!("{place}: {difference}"))),
        }
    }

    /// The first of the conditions on a value that it does not meet: where, what was expected and found.
    fn value_differs(
        &self,
        expectation: &Expectation,
        recorded: &'t Recorded,
        body: Value<'_>,
        value: Value<'_>,
    ) -> Result<Option<Differs>, Shortfall> {
        let pointer = expectation.at.as_deref().unwrap_or("");
        let at = if pointer.is_empty() { "the body" } else { pointer };
        if let Some(schema) = &expectation.schema
            && let Err(error) = schema::check(value.raw(), schema)
        {
            return Ok(Some(("condition.schema", format!("{at}: {error}"))));
        }
        if let Some(expected) = &expectation.equals {
            let expected = self.resolve_for(expected, Some(recorded))?;
            if let Err(difference) = same_json(value, &expected, pointer) {
                return Ok(Some(("condition.equals", difference)));
            }
        }
        if let Some(least) = &expectation.at_least
            && let Some(differs) = at_least(value, &self.resolve_for(least, Some(recorded))?, at)
        {
            return Ok(Some(differs));
        }
        if let Some(list) = &expectation.length_of
            && let Some(differs) = is_length(value, self.length(list, recorded, body)?, list, at)
        {
            return Ok(Some(differs));
        }
        if let Some(before) = &expectation.sent_before
            && !self.was_sent(before, recorded, value)
        {
            let found = shown(value.raw());
            let text = format!("{at}: expected what an accepted {} sent before, found {found}", before.call);
            return Ok(Some(("condition.sent-before", text)));
        }
        let time = expectation.within_run.map(|most| within_run(value.raw(), most, self.transcript));
        Ok(time.and_then(Result::err).map(|difference| ("condition.time", format!("{at}: {difference}"))))
    }

    /// How many items a list has: one of the same body, or what a reference stands for.
    fn length(&self, list: &str, recorded: &'t Recorded, body: Value<'_>) -> Result<Option<u64>, Shortfall> {
        if Reference::whole(list).is_none() {
            return Ok(body.at(list).map(|list| list.items().count() as u64));
        }
        let list = self.resolve_for(&Json::String(list.to_owned()), Some(recorded))?;
        Ok(list.as_array().map(|items| items.len() as u64))
    }

    /// Whether a value stood in an earlier request that was accepted.
    fn was_sent(&self, before: &SentBefore, recorded: &Recorded, value: Value<'_>) -> bool {
        let all = self.seen();
        let earlier = all.iter().take_while(|seen| !std::ptr::eq(seen.recorded, recorded));
        let accepted = earlier.filter(|seen| seen.name == before.call && seen.accepted().is_some());
        // The newest first: it is the one that counts.
        let mut accepted: Vec<&Seen<'_>> = accepted.collect();
        accepted.reverse();
        accepted.into_iter().any(|seen| {
            let sent = seen.sent(&before.at);
            sent.is_some_and(|sent| is_same(value, &sent))
        })
    }
}

/// Why a value is not as it must be: reason code, and where, what was expected and found.
type Differs = (&'static str, String);

fn at_least(value: Value<'_>, least: &Json, at: &str) -> Option<Differs> {
    let enough = least.as_u64().zip(value.as_u64()).is_some_and(|(least, found)| found >= least);
    let text = || format!("{at}: expected at least {least}, found {}", shown(value.raw()));
    (!enough).then(|| ("condition.at-least", text()))
}

fn is_length(value: Value<'_>, length: Option<u64>, list: &str, at: &str) -> Option<Differs> {
    if length.is_some() && value.as_u64() == length {
        return None;
    }
    let expected = length.map_or_else(|| format!("a list at {list}"), |length| length.to_string());
    Some(("condition.length", format!("{at}: expected {expected}, found {}", shown(value.raw()))))
}
