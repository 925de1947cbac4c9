//! What the verifier is asked about, and what it is given to trust.

use std::rc::Rc;

use assayer_vectors::{Document as Kind, Expectation, Growth};
use assayer_verifier::oversight::{
    BundleVerifier, Log, Trust, verify_consistency_proof, verify_head, verify_log, verify_proof,
};
use assayer_verifier::{Document, Hash, PublicKey, State, Trace, TreeHead};

use super::same::shown;
use super::shortfall::{How, Shortfall, failed, not_verified};
use super::{Judge, place};
use crate::client::ANSWER_LIMITS;
use crate::growth::{NotOneLog, Sighting, compare};
use crate::transcript::{Answer, Outcome, Recorded};

impl<'t> Judge<'t> {
    /// Asks the verifier about the answers.
    pub(super) fn established(
        &self,
        expectation: &Expectation,
        answers: &[(&Recorded, &Answer)],
    ) -> Result<(), Shortfall> {
        let anchors = self.anchors(expectation)?;
        let kind = match &expectation.wherever {
            None => self.document_kind(&expectation.exchange),
            Some(wherever) => wherever.calls.first().and_then(|name| self.wire.calls.get(name)?.document),
        };
        let Some(kind) = kind else {
            let text = format!("{}: the wire profile does not say what it answers", expectation.exchange);
            return Err(not_verified("wire.no-document", text));
        };
        let races = self.reading_of(&expectation.exchange).map(|reading| reading.races.as_slice());
        for (place, trace) in &self.traces(kind, expectation, answers, &anchors.trust()) {
            for id in &expectation.established {
                layer_is_established(trace, id, place, races.unwrap_or_default())?;
                layer_is_without(trace, id, place, &expectation.without_notes)?;
            }
        }
        Ok(())
    }

    /// What the verifier says about each answer; about the pages of one log, all together.
    fn traces(
        &self,
        kind: Kind,
        expectation: &Expectation,
        answers: &[(&Recorded, &Answer)],
        trust: &Trust<'_>,
    ) -> Vec<(String, Rc<Trace>)> {
        if kind == Kind::OversightLog && expectation.wherever.is_none() {
            let bodies: Vec<_> = answers.iter().map(|(_, answer)| answer.body()).collect();
            let (_, trace) = verify_log(bodies.iter().map(AsRef::as_ref), trust, &ANSWER_LIMITS);
            return vec![(expectation.exchange.clone(), Rc::new(trace))];
        }
        let mut bundles = BundleVerifier::new(trust, &ANSWER_LIMITS);
        // What is trusted follows from these names and the attempt; what is verified, from the kind.
        let under = serde_json::to_string(&(kind, &expectation.under)).unwrap_or_default();
        let mut known = self.traces.borrow_mut();
        let known = known.entry((under, self.attempt.get())).or_default();
        let mut trace = |(recorded, answer): &(&Recorded, &Answer)| {
            let verify = || Rc::new(trace(kind, &answer.body(), trust, &mut bundles));
            (place(recorded), Rc::clone(known.entry(recorded.n).or_insert_with(verify)))
        };
        answers.iter().map(&mut trace).collect()
    }

    fn anchors(&self, expectation: &Expectation) -> Result<Anchors, Shortfall> {
        let Some(under) = &expectation.under else { return Ok(Anchors::default()) };
        let key = |reference: &Option<String>| -> Result<Vec<PublicKey>, Shortfall> {
            let Some(reference) = reference else { return Ok(Vec::new()) };
            let text = self.resolve_text(reference)?;
            let key = PublicKey::from_hex(&text.to_ascii_lowercase());
            let key = key.ok_or_else(|| {
                not_verified("anchor.no-key", format!("{reference} is no key: {}", shown(&text)))
            })?;
            Ok(vec![key])
        };
        let mut heads = Vec::new();
        for exchange in &under.heads {
            for (recorded, answer) in self.answers(exchange)? {
                let head = read_head(&answer.body());
                let head = head.ok_or_else(|| {
                    let text = format!("{}: no tree head to compare with", place(recorded));
                    not_verified("anchor.no-head", text)
                })?;
                heads.push(head);
            }
        }
        Ok(Anchors {
            registry_keys: key(&under.registry_key)?,
            issuer_keys: key(&under.issuer_key)?,
            file_id: under.file_id.as_ref().map(|text| self.resolve_text(text)).transpose()?,
            heads,
            log: under.log.as_ref().map(|exchange| self.log(exchange)).transpose()?,
        })
    }

    pub(super) fn log(&self, exchange: &str) -> Result<Rc<Log>, Shortfall> {
        let key = (exchange.to_owned(), self.attempt.get());
        if let Some(log) = self.logs.borrow().get(&key) {
            return Ok(Rc::clone(log));
        }
        let bodies: Vec<_> = self.answers(exchange)?.into_iter().map(|(_, answer)| answer.body()).collect();
        let (log, layers) = Log::read(bodies.iter().map(AsRef::as_ref), &ANSWER_LIMITS);
        if let Some(layer) = layers.iter().find(|layer| layer.state == State::Refuted) {
            let reason =
                layer.problem.as_ref().map(|problem| format!("{} at {}", problem.code.meaning(), problem.at));
            let text = format!("the log of `{exchange}` is not sound: {}", reason.unwrap_or_default());
            return Err(not_verified("log.unsound", text));
        }
        let log = Rc::new(log);
        self.logs.borrow_mut().insert(key, Rc::clone(&log));
        Ok(log)
    }

    /// Compares every head that the run saw with the log, whatever check they were asked for.
    pub(super) fn growth(&self, growth: &Growth) -> Result<(), Shortfall> {
        let log = self.log(&growth.log)?;
        let answered = self.transcript.exchanges.iter().filter_map(|recorded| match &recorded.outcome {
            Outcome::Answered { answer, .. } if answer.is_success() => Some((recorded, answer)),
            _ => None,
        });
        let sightings: Vec<Sighting> = answered
            .filter_map(|(recorded, answer)| {
                let kind = self.document_kind(&recorded.exchange);
                let document = self.documents.answered(answer).ok()?;
                let sighting = Sighting::read(place(recorded), kind, &document)?;
                Some(sighting.at_the_moment(self.moment(recorded)))
            })
            .collect();
        compare(&sightings, &log, growth).map_err(|difference| match difference {
            NotOneLog::Shown(text) => failed("growth.not-one-log", text),
            NotOneLog::TooShort(text) => not_verified("growth.log-too-short", text),
        })
    }

    /// What an exchange was sent at the same moment with.
    fn moment(&self, recorded: &Recorded) -> Option<String> {
        let together = self.suite.exchange(&recorded.exchange)?.together.as_ref()?;
        Some(format!("{together} {}", recorded.attempt))
    }
}

/// What the verifier says about one answer, which is always of the same kind.
fn trace(kind: Kind, body: &[u8], trust: &Trust<'_>, bundles: &mut BundleVerifier<'_>) -> Trace {
    let limits = ANSWER_LIMITS;
    match kind {
        Kind::OversightBundle => bundles.verify(body),
        Kind::OversightConsistency => verify_consistency_proof(body, trust, &limits),
        Kind::OversightHead => verify_head(body, trust, &limits),
        Kind::OversightLog => verify_log([body], trust, &limits).1,
        Kind::OversightProof => verify_proof(body, trust, &limits),
    }
}

#[derive(Default)]
struct Anchors {
    registry_keys: Vec<PublicKey>,
    issuer_keys: Vec<PublicKey>,
    file_id: Option<String>,
    heads: Vec<TreeHead>,
    log: Option<Rc<Log>>,
}

impl Anchors {
    fn trust(&self) -> Trust<'_> {
        Trust::default()
            .registry_keys(&self.registry_keys)
            .issuer_keys(&self.issuer_keys)
            .heads(&self.heads)
            .file_id(self.file_id.as_deref())
            .log(self.log.as_deref())
    }
}

/// Size and root of a head; its signature is another check's matter.
fn read_head(body: &[u8]) -> Option<TreeHead> {
    let document = Document::read(body, &ANSWER_LIMITS).ok()?;
    let root = document.root();
    let hash = root.get("root")?.as_str()?;
    Some(TreeHead { size: root.get("size")?.as_u64()?, root: Hash::from_hex(&hash)? })
}

/// Whether the verifier found nothing of this kind worth a note.
fn layer_is_without(trace: &Trace, id: &str, place: &str, codes: &[String]) -> Result<(), Shortfall> {
    let mut notes = trace.layer(id).into_iter().flat_map(|layer| &layer.notes);
    match notes.find(|note| codes.iter().any(|code| code == note.code.as_str())) {
        None => Ok(()),
        Some(note) => {
            let (code, text) = (note.code.as_str(), &note.text);
            Err(failed(
                code,
                format!("{place}: {id}: expected nothing of the kind {code}, found that it {text}"),
            ))
        }
    }
}

fn layer_is_established(trace: &Trace, id: &str, place: &str, races: &[String]) -> Result<(), Shortfall> {
    let unread = || trace.layers.iter().find(|layer| layer.state == State::Refuted);
    let Some(layer) = trace.layer(id).or_else(unread) else {
        return Err(not_verified("layer.absent", format!("{place}: there is no layer {id}")));
    };
    let Some(problem) = &layer.problem else { return Ok(()) };
    let text = format!(
        "{place}: {} {} ({}) at {}: expected {}, found {}",
        layer.id,
        layer.state.as_str(),
        problem.code,
        if problem.at.is_empty() { "the document" } else { &problem.at },
        problem.expected,
        problem.found,
    );
    let raced = races.iter().any(|code| code == problem.code.as_str());
    let how = match layer.state {
        State::Refuted | State::NotEstablished if raced => How::Raced,
        State::Refuted => How::Failed,
        State::NotEstablished | State::Established => How::NotVerified,
    };
    Err(Shortfall { how, code: problem.code.as_str().to_owned(), text })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use assayer_reports::Selection;
    use assayer_vectors::{SUITE, load_embedded};

    use super::*;
    use crate::job::{Job, cases_named, edition, wire};
    use crate::run::{Against, run};

    #[test]
    fn what_is_remembered_of_an_answer_is_of_its_kind_and_its_attempt() {
        let suite = load_embedded(SUITE).unwrap();
        let strict = edition(&suite, "strict").unwrap();
        let (wire, cases) = (
            wire(&suite, &strict.wire).unwrap(),
            cases_named(&suite, strict, &["head-signature-over-recomputed-bytes".to_owned()]).unwrap(),
        );
        let job = Job { suite: &suite, edition: strict, wire, cases: &cases, selection: Selection::Part };
        let (_, transcript) = run(&job, &Against::InProcess(BTreeSet::new())).unwrap();
        let judge = Judge::new(&suite, wire, &transcript, "");
        let mut expectations = cases.iter().flat_map(|case| case.expect);
        let expectation = expectations.find(|expectation| !expectation.established.is_empty()).unwrap();
        let answers = judge.answers(&expectation.exchange).ok().unwrap();
        let traced = |kind, trust: &Trust<'_>| {
            judge
                .traces(kind, expectation, &answers, trust)
                .into_iter()
                .map(|(_, trace)| trace)
                .collect::<Vec<_>>()
        };
        let head = traced(Kind::OversightHead, &Trust::default());
        assert!(Rc::ptr_eq(&head[0], &traced(Kind::OversightHead, &Trust::default())[0]));
        let bundle = traced(Kind::OversightBundle, &Trust::default());
        assert_ne!(head[0].layers, bundle[0].layers);
        judge.attempt.set(2);
        let keys = [PublicKey::from_hex(&"58".repeat(32)).unwrap()];
        let pinned = traced(Kind::OversightHead, &Trust::default().registry_keys(&keys));
        assert_ne!(head[0].layers, pinned[0].layers);
    }
}
