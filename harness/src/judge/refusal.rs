//! Conditions on answers that refuse.

use assayer_verifier::Value;
use memchr::memmem;

use super::Judge;
use super::same::shown;
use super::shortfall::{Shortfall, failed, not_verified};
use crate::transcript::Answer;

impl<'t> Judge<'t> {
    /// Status, envelope and code of one of these errors, as the wire profile has them.
    pub(super) fn error(&self, codes: &[&String], answer: &'t Answer, place: &str) -> Result<(), Shortfall> {
        let known =
            codes.iter().filter_map(|code| Some((self.wire.code(code), *self.wire.errors.get(*code)?)));
        let known: Vec<(&str, u16)> = known.collect();
        if known.is_empty() {
            return Err(not_verified(
                "wire.no-such-error",
                format!("the wire profile has no error {codes:?}"),
            ));
        }
        let names = |described: &dyn Fn(&(&str, u16)) -> String| {
            known.iter().map(described).collect::<Vec<String>>().join(" or ")
        };
        if !known.iter().any(|(_, status)| *status == answer.status) {
            let expected = names(&|(code, status)| format!("{status} ({code})"));
            let found = answer.status;
            let text = format!("{place}: status: expected {expected}, found {found}");
            return Err(failed("error.status", text));
        }
        let found = self.enveloped(answer, place).map_err(|text| failed("error.envelope", text))?;
        if known.contains(&(found.as_str(), answer.status)) {
            return Ok(());
        }
        let expected = names(&|(code, _)| (*code).to_owned());
        let at = &self.wire.envelope.code;
        Err(failed("error.code", format!("{place}: {at}: expected {expected}, found {}", shown(&found))))
    }

    /// An error in the envelope, with a code of the wire profile, under whatever status.
    pub(super) fn envelope(&self, answer: &'t Answer, place: &str) -> Result<(), Shortfall> {
        if answer.status < 400 {
            let found = answer.status;
            let text = format!("{place}: status: expected that of an error, found {found}");
            return Err(failed("error.status", text));
        }
        let found = self.enveloped(answer, place).map_err(|text| failed("error.envelope", text))?;
        if self.wire.errors.keys().any(|code| self.wire.code(code) == found) {
            return Ok(());
        }
        let at = &self.wire.envelope.code;
        let text = format!("{place}: {at}: expected a code of the wire profile, found {}", shown(&found));
        Err(failed("error.code", text))
    }

    /// The code in the envelope of an error, which has a message for people too.
    fn enveloped(&self, answer: &'t Answer, place: &str) -> Result<String, String> {
        let envelope = &self.wire.envelope;
        let document = self
            .documents
            .answered(answer)
            .map_err(|error| format!("{place}: body: expected an error envelope in JSON, found {error}"))?;
        let text = |pointer: &str| document.root().at(pointer).and_then(Value::as_str);
        let code = text(&envelope.code)
            .ok_or_else(|| format!("{place}: {}: expected a code, found no text", envelope.code))?;
        match text(&envelope.message) {
            Some(message) if !message.is_empty() => Ok(code.into_owned()),
            _ => Err(format!("{place}: {}: expected a message for people, found none", envelope.message)),
        }
    }

    pub(super) fn lacks(&self, text: &str, answer: &Answer, place: &str) -> Result<(), Shortfall> {
        let text = self.resolve_text(text)?;
        let body = answer.body();
        let contains = !text.is_empty() && memmem::find(&body, text.as_bytes()).is_some();
        if contains {
            let text = format!("{place}: expected nothing about {text}, found it in the body");
            return Err(failed("condition.lacks", text));
        }
        Ok(())
    }
}
