//! What references in conditions stand for.

use assayer_vectors::{Expectation, Reference, resolve};
use serde_json::Value as Json;

use super::Judge;
use super::shortfall::{Shortfall, not_verified};
use crate::record::of_turn;
use crate::seen::Seen;
use crate::transcript::{Outcome, Recorded};

impl<'t> Judge<'t> {
    pub(super) fn resolve(&self, value: &Json) -> Result<Json, Shortfall> {
        self.resolve_for(value, None)
    }

    /// `$each` is the number of the turn that is judged; `$sent` and the like are of its request and answer.
    pub(super) fn resolve_for(&self, value: &Json, about: Option<&'t Recorded>) -> Result<Json, Shortfall> {
        let look_up = |reference: &Reference| match (reference.name.as_str(), about) {
            ("each", about) => about.and_then(|recorded| recorded.each).map(Json::from),
            (name, Some(recorded)) if Expectation::is_of_the_answer(name) => {
                Seen::of(self.suite, self.wire, recorded, &self.documents)?.look_up(reference)
            }
            (_, about) => self.part(&of_turn(reference, about.and_then(|recorded| recorded.each))),
        };
        resolve(value, &look_up).map_err(|error| not_verified("reference.absent", error.to_string()))
    }

    /// A value of the run, or a part of an answer.
    fn part(&self, reference: &Reference) -> Option<Json> {
        if let Some(value) = self.transcript.manifest.names.get(&reference.name) {
            return value.pointer(&reference.pointer).cloned();
        }
        match self.of(&reference.name).first().map(|recorded| &recorded.outcome) {
            Some(Outcome::Answered { answer, .. }) => {
                self.documents.part_of_answer(answer, &reference.pointer)
            }
            _ => None,
        }
    }

    pub(super) fn resolve_text(&self, text: &str) -> Result<String, Shortfall> {
        Ok(match self.resolve(&Json::String(text.to_owned()))? {
            Json::String(text) => text,
            other => other.to_string(),
        })
    }
}
