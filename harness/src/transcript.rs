//! The record of a run: what was sent and what came back. Judging needs nothing else, so it can be done again later,
//! offline, by anybody.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use assayer_vectors::Effect;
use assayer_verifier::Document;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::archive::Manifest;
use crate::client::ANSWER_LIMITS;

/// Everything that a run recorded. No secret is in it.
#[derive(Clone, Debug)]
pub struct Transcript {
    /// What was run, against what, with what.
    pub manifest: Manifest,
    /// What was sent and answered, in order.
    pub exchanges: Vec<Recorded>,
}

/// One exchange as it went: one line of an archive's `transcript.ndjson`.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Recorded {
    /// Its number in the transcript, from 0; verdicts point to it.
    pub n: u64,
    /// When it was sent, in milliseconds after the run began; of one that was sent again after 429, the last time.
    pub at_ms: u64,
    /// Name of the exchange.
    pub exchange: String,
    /// The number it was sent for, if it is repeated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub each: Option<u64>,
    /// 1 for the first reading, 2 for the one that was taken because the first contradicted itself.
    pub attempt: u32,
    /// What a conforming target stores when it answers.
    pub effect: Effect,
    /// How it went.
    pub outcome: Outcome,
}

/// How an exchange went.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Outcome {
    /// There was an answer, whatever it says.
    Answered {
        /// What was sent.
        request: Sent,
        /// What came back.
        answer: Answer,
    },
    /// There was none.
    Failed {
        /// What was sent.
        request: Sent,
        /// Why there was no answer.
        failure: Failure,
        /// In words.
        message: String,
    },
    /// It was not sent.
    NotSent {
        /// Why not.
        because: String,
        /// Whether the time of the run was over, so that nothing is shown about the target.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        out_of_time: bool,
    },
}

/// Why there was no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Failure {
    /// No connection.
    Unreachable,
    /// Refused with 429 to the end.
    RateLimited,
    /// Not answered in time.
    TimedOut,
    /// The answer is larger than is read.
    TooLarge,
    /// The answer is no HTTP, or broke off.
    Broken,
}

impl Failure {
    /// The reason code of checks that it leaves open.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Unreachable => "answer.unreachable",
            Self::RateLimited => "answer.rate-limited",
            Self::TimedOut => "answer.timed-out",
            Self::TooLarge => "answer.too-large",
            Self::Broken => "answer.broken",
        }
    }

    /// Whether the fault may lie between us and the target, so that nothing is shown about the target.
    #[must_use]
    pub fn is_inconclusive(self) -> bool {
        matches!(self, Self::Unreachable | Self::RateLimited | Self::TimedOut)
    }
}

/// A request as sent, with secrets blotted out.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sent {
    /// Method.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Header fields.
    pub headers: Vec<(String, String)>,
    /// Body, if any, where it is UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_text: Option<String>,
    /// Body in hexadecimal, where it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_hex: Option<String>,
}

impl Sent {
    /// The body's bytes, if there is one.
    #[must_use]
    pub fn bytes(&self) -> Option<Vec<u8>> {
        let from_hex = || self.body_hex.as_deref().map(|hex| hex::decode(hex).unwrap_or_default());
        self.body_text.as_ref().map(|text| text.as_bytes().to_vec()).or_else(from_hex)
    }
}

/// An answer as received, with secrets blotted out.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// Status.
    pub status: u16,
    /// Header fields, names in lower case; values as ISO-8859-1 (RFC 9110, section 5.5), so each byte is one character.
    pub headers: Vec<(String, String)>,
    /// Body, where it is UTF-8. Of a compressed answer, what it was before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_text: Option<String>,
    /// Body in hexadecimal, where it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_hex: Option<String>,
    /// From sending to the last byte.
    pub elapsed_ms: u64,
}

impl Answer {
    /// The body's bytes.
    #[must_use]
    pub fn body(&self) -> Cow<'_, [u8]> {
        match (&self.body_text, &self.body_hex) {
            (Some(text), _) => Cow::Borrowed(text.as_bytes()),
            (None, Some(hex)) => Cow::Owned(hex::decode(hex).unwrap_or_default()),
            (None, None) => Cow::Borrowed(&[]),
        }
    }

    /// How many bytes it takes to keep.
    #[must_use]
    pub fn length(&self) -> u64 {
        let headers: usize = self.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
        let body = self.body_text.as_ref().or(self.body_hex.as_ref()).map_or(0, String::len);
        (headers + body) as u64
    }

    /// The value of a header field, by its name in any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Whether the status says that the request was accepted.
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

impl Transcript {
    /// The answers to an exchange, those of its latest attempt.
    #[must_use]
    pub fn of(&self, exchange: &str) -> Vec<&Recorded> {
        self.of_attempt(exchange, u32::MAX)
    }

    /// The answers to an exchange, those of its latest attempt that is not after `attempt`.
    #[must_use]
    pub fn of_attempt(&self, exchange: &str, attempt: u32) -> Vec<&Recorded> {
        let all = self.exchanges.iter();
        let all = all.filter(|recorded| recorded.exchange == exchange && recorded.attempt <= attempt);
        let latest = all.clone().map(|recorded| recorded.attempt).max().unwrap_or(0);
        all.filter(|recorded| recorded.attempt == latest).collect()
    }

    /// The latest attempt at any exchange.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.exchanges.iter().map(|recorded| recorded.attempt).max().unwrap_or(1)
    }

    /// How many requests were sent.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.exchanges.iter().filter(|recorded| !matches!(recorded.outcome, Outcome::NotSent { .. })).count()
    }
}

/// A part of a JSON answer, read strictly; `None` where it is no JSON or has no such part.
pub(crate) fn part_of(body: &[u8], pointer: &str) -> Option<Json> {
    part(&Document::read(body, &ANSWER_LIMITS).ok()?, pointer)
}

fn part(document: &Document<'_>, pointer: &str) -> Option<Json> {
    serde_json::from_str(document.root().at(pointer)?.raw()).ok()
}

/// Bodies of a transcript as JSON, each read once however many checks look at it.
#[derive(Default)]
pub(crate) struct Documents<'t> {
    /// By where the text of the body stands in memory; it stays there as long as the transcript is borrowed.
    known: RefCell<HashMap<(usize, usize), Read<'t>>>,
    /// Bytes of all texts that are known.
    bytes: Cell<usize>,
}

/// A body as JSON, or why it is none.
pub(crate) type Read<'t> = Result<Rc<Document<'t>>, Rc<str>>;

impl<'t> Documents<'t> {
    /// What is known takes up to eight times as much memory.
    const MOST_BYTES: usize = 16 << 20;

    /// The body of an answer.
    pub(crate) fn answered(&self, answer: &'t Answer) -> Read<'t> {
        self.read(answer.body_text.as_deref(), answer.body_hex.as_deref())
    }

    /// A part of the body of an answer; `None` where it is no JSON or has no such part.
    pub(crate) fn part_of_answer(&self, answer: &'t Answer, pointer: &str) -> Option<Json> {
        part(&*self.answered(answer).ok()?, pointer)
    }

    /// A part of the body of a request; `None` where there is none, it is no JSON or has no such part.
    pub(crate) fn part_of_request(&self, sent: &'t Sent, pointer: &str) -> Option<Json> {
        part(&*self.read(sent.body_text.as_deref(), sent.body_hex.as_deref()).ok()?, pointer)
    }

    fn read(&self, text: Option<&'t str>, hex: Option<&str>) -> Read<'t> {
        let Some(text) = text else { return Err(not_text(hex)) };
        let place = (text.as_ptr().addr(), text.len());
        if let Some(known) = self.known.borrow().get(&place) {
            return known.clone();
        }
        let read = Document::read(text.as_bytes(), &ANSWER_LIMITS);
        let read = read.map(Rc::new).map_err(|error| error.to_string().into());
        let mut known = self.known.borrow_mut();
        self.bytes.set(self.bytes.get() + text.len());
        if self.bytes.get() > Self::MOST_BYTES {
            known.clear();
            self.bytes.set(text.len());
        }
        known.insert(place, read.clone());
        read
    }
}

/// Why a body that is not UTF-8, or is none, is no JSON.
fn not_text(hex: Option<&str>) -> Rc<str> {
    let bytes = hex.and_then(|hex| hex::decode(hex).ok()).unwrap_or_default();
    match Document::read(&bytes, &ANSWER_LIMITS) {
        Err(error) => error.to_string().into(),
        Ok(_) => "a text that is kept as bytes".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(body_text: Option<&str>, body_hex: Option<&str>) -> Answer {
        let [body_text, body_hex] = [body_text, body_hex].map(|body| body.map(str::to_owned));
        Answer { status: 200, headers: Vec::new(), body_text, body_hex, elapsed_ms: 0 }
    }

    #[test]
    fn a_body_is_read_once_and_never_taken_for_another() {
        let bodies = [r#"{"a":1}"#, r#"{"a":2}"#, r#"{"a":1}"#].map(|body| answer(Some(body), None));
        let documents = Documents::default();
        let parts = || bodies.each_ref().map(|answer| documents.part_of_answer(answer, "/a"));
        assert_eq!(parts(), [Some(1.into()), Some(2.into()), Some(1.into())]);
        assert_eq!(parts(), [Some(1.into()), Some(2.into()), Some(1.into())]);
        let read = |answer| documents.answered(answer).unwrap();
        assert!(Rc::ptr_eq(&read(&bodies[0]), &read(&bodies[0])));
        let none = [answer(None, None), answer(None, Some("ff")), answer(Some("no JSON"), None)];
        for (answer, reason) in none.iter().zip(["no value at all", "UTF-8", "JSON does not allow"]) {
            let refused = documents.answered(answer).err().unwrap();
            assert!(refused.contains(reason), "{refused}");
        }
    }

    #[test]
    fn what_is_known_of_bodies_is_bounded() {
        let text = |size: usize| format!("\"{}\"", "a".repeat(size));
        let long = [9, 9, 9].map(|parts| answer(Some(&text(parts << 20)), None));
        let documents = Documents::default();
        for answer in &long {
            assert!(documents.answered(answer).is_ok());
            assert!(documents.bytes.get() <= Documents::MOST_BYTES);
        }
        assert_eq!(documents.known.borrow().len(), 1);
    }
}
