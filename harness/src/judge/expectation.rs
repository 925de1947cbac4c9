//! One condition of a check: which answers it is about, and what is asked of them.

use std::rc::Rc;

use assayer_vectors::{Expectation, Statuses, Wherever};

use super::shortfall::{How, Shortfall, failed, not_verified};
use super::{Judge, place};
use crate::conditions;
use crate::ledger::{Ledger, Settled};
use crate::repeat;
use crate::seen::{Seen, seen};
use crate::transcript::{Answer, Outcome, Recorded};

impl<'t> Judge<'t> {
    pub(super) fn expectation(&self, expectation: &Expectation) -> Result<(), Shortfall> {
        let answers = match &expectation.wherever {
            None => self.without_errors(expectation, self.answers(&expectation.exchange)?)?,
            Some(wherever) => self.wherever(wherever, &expectation.exchange)?,
        };
        if !expectation.established.is_empty() {
            self.established(expectation, &answers)?;
        }
        if let Some(find) = &expectation.find {
            self.find(find, expectation, &answers)?;
        }
        if let Some(every) = &expectation.every {
            self.every(every, expectation, &answers)?;
        }
        if let Some(growth) = &expectation.growth {
            self.growth(growth)?;
        }
        self.of_the_run(expectation)?;
        if let Some(together) = &expectation.statuses {
            self.statuses(together, &answers)?;
        }
        answers.into_iter().try_for_each(|(recorded, answer)| self.one(expectation, recorded, answer))
    }

    /// The conditions on each answer by itself.
    fn one(
        &self,
        expectation: &Expectation,
        recorded: &'t Recorded,
        answer: &'t Answer,
    ) -> Result<(), Shortfall> {
        let place = place(recorded);
        status(expectation, answer, &place)?;
        of_the_answer(expectation, answer, &place)?;
        if expectation.demands_rejection() {
            let codes: Vec<&String> = expectation.error.iter().chain(&expectation.error_in).collect();
            self.error(&codes, answer, &place)?;
        }
        if expectation.envelope {
            self.envelope(answer, &place)?;
        }
        if let Some(text) = &expectation.lacks {
            self.lacks(text, answer, &place)?;
        }
        self.value(expectation, recorded, answer)
    }

    /// The answers that are meant, whatever exchange they were given to.
    pub(super) fn wherever(
        &self,
        wherever: &Wherever,
        anchor: &str,
    ) -> Result<Vec<(&'t Recorded, &'t Answer)>, Shortfall> {
        self.answers(anchor)?;
        let seen = self.seen();
        let meant = seen.iter().filter_map(|seen| Some((seen.recorded, seen.meant(wherever)?)));
        let meant: Vec<(&Recorded, &Answer)> = meant.collect();
        if meant.is_empty() {
            return Err(not_verified("answers.none", "the run saw no such answer".to_owned()));
        }
        Ok(meant)
    }

    /// The answers that are judged.
    pub(super) fn answers(&self, exchange: &str) -> Result<Vec<(&'t Recorded, &'t Answer)>, Shortfall> {
        let recorded = self.of(exchange);
        if recorded.is_empty() {
            let text = format!("{exchange}: there was nothing to send it for");
            return Err(not_verified("exchange.nothing-to-send", text));
        }
        recorded
            .into_iter()
            .map(|recorded| match &recorded.outcome {
                Outcome::Answered { answer, .. } => Ok((recorded, answer)),
                Outcome::Failed { message, failure, .. } => Err(Shortfall {
                    how: How::Broken,
                    code: failure.code().to_owned(),
                    text: format!("{}: no answer: {message}", place(recorded)),
                }),
                Outcome::NotSent { because, .. } => {
                    let text = format!("{}: not sent: {because}", place(recorded));
                    Err(not_verified("exchange.not-sent", text))
                }
            })
            .collect()
    }

    /// The answers that are not one of the errors which the expectation leaves open.
    fn without_errors(
        &self,
        expectation: &Expectation,
        answers: Vec<(&'t Recorded, &'t Answer)>,
    ) -> Result<Vec<(&'t Recorded, &'t Answer)>, Shortfall> {
        if expectation.unless_error.is_empty() {
            return Ok(answers);
        }
        let codes: Vec<&String> = expectation.unless_error.iter().collect();
        let (accepted, refused): (Vec<_>, Vec<_>) =
            answers.into_iter().partition(|(_, answer)| answer.is_success());
        for (recorded, answer) in refused {
            self.error(&codes, answer, &place(recorded))?;
        }
        Ok(accepted)
    }

    /// How this exchange and others were answered together, in whatever order.
    fn statuses(&self, together: &Statuses, answers: &[(&'t Recorded, &'t Answer)]) -> Result<(), Shortfall> {
        let mut all = answers.to_vec();
        for exchange in &together.with {
            all.extend(self.answers(exchange)?);
        }
        let mut found: Vec<u16> = all.iter().map(|(_, answer)| answer.status).collect();
        let mut expected = together.are.clone();
        found.sort_unstable();
        expected.sort_unstable();
        if found == expected {
            return Ok(());
        }
        let names: Vec<String> = all.iter().map(|(recorded, _)| place(recorded)).collect();
        let text =
            format!("{}: statuses: expected {expected:?} in any order, found {found:?}", names.join(", "));
        Err(failed("condition.statuses", text))
    }

    /// Every request of the run, up to the attempt that is judged.
    pub(super) fn seen(&self) -> Rc<Vec<Seen<'t>>> {
        let attempt = self.attempt.get();
        let mut known = self.seen.borrow_mut();
        let all = || Rc::new(seen(self.suite, self.wire, self.transcript, attempt, &self.documents));
        Rc::clone(known.entry(attempt).or_insert_with(all))
    }

    /// What holds between the answers of a run and its log.
    fn of_the_run(&self, expectation: &Expectation) -> Result<(), Shortfall> {
        let all = self.seen();
        if let Some(repeatable) = &expectation.repeatable {
            repeat::compare(&all, repeatable).map_err(|text| failed("run.not-repeatable", text))?;
        }
        let settled = |pages: &str| -> Result<(Ledger<'_, 't>, Rc<Settled>), Shortfall> {
            let log = self.log(pages)?;
            let ledger = Ledger::new(&all, &log, pages);
            let settle = || Rc::new(ledger.settle(self.suite, self.transcript));
            let mut known = self.settled.borrow_mut();
            let settled = known.entry((pages.to_owned(), self.attempt.get())).or_insert_with(settle);
            Ok((ledger, Rc::clone(settled)))
        };
        if let Some(of) = &expectation.ledger {
            settled(&of.log)?.1.agree().map_err(|text| failed("run.log-disagrees", text))?;
        }
        if let Some(of) = &expectation.sizes {
            let (ledger, settled) = settled(&of.log)?;
            ledger.follow(&settled).map_err(|text| failed("run.sizes", text))?;
        }
        if let Some(of) = &expectation.clock {
            let (ledger, settled) = settled(&of.log)?;
            ledger.clock(&settled).map_err(|text| failed("run.clock", text))?;
        }
        if let Some(whole) = &expectation.whole {
            let (ledger, settled) = settled(&whole.log)?;
            let wherever = expectation.wherever.clone().unwrap_or_default();
            let meant: Vec<&Seen<'_>> = all.iter().filter(|seen| seen.meant(&wherever).is_some()).collect();
            ledger.are_whole(&settled, whole, &meant).map_err(|text| failed("run.not-whole", text))?;
        }
        Ok(())
    }
}

pub(super) fn status(expectation: &Expectation, answer: &Answer, place: &str) -> Result<(), Shortfall> {
    let allowed: Vec<u16> = expectation.status.iter().chain(&expectation.status_in).copied().collect();
    if allowed.is_empty() || allowed.contains(&answer.status) {
        return Ok(());
    }
    let expected: Vec<String> = allowed.iter().map(u16::to_string).collect();
    let text = format!("{place}: status: expected {}, found {}", expected.join(" or "), answer.status);
    Err(failed("condition.status", text))
}

/// Conditions on header fields and on the body as bytes.
fn of_the_answer(expectation: &Expectation, answer: &Answer, place: &str) -> Result<(), Shortfall> {
    let coded = |code: &'static str| move |text: String| failed(code, text);
    if let Some(header) = &expectation.header {
        conditions::header(header, answer, place).map_err(coded("condition.header"))?;
    }
    if let Some(media) = &expectation.media {
        conditions::media(media, answer, place).map_err(coded("condition.media"))?;
    }
    if let Some(body) = &expectation.body {
        conditions::body(body, answer, place).map_err(coded("condition.body"))?;
    }
    let png = expectation.png.map_or(Ok(()), |png| conditions::png(png, answer, place));
    png.map_err(coded("condition.png"))
}
