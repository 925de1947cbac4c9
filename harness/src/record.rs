//! The recorder: sends the planned exchanges, once each, in order, and writes down what came back. It knows nothing of
//! what is expected.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

use assayer_vectors::{Beyond, Call, Capability, Effect, Exchange, Reference, Request, Suite, Wire, resolve};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use crate::archive::{ARCHIVE_FORM, ArchiveState, Clock, Manifest, SuiteUsed, WriteError, Writer};
use crate::blot::BLOT;
use crate::blot::Blotter;
use crate::client::{Client, Outgoing};
use crate::defect::{damage, patch};
use crate::job::Job;
use crate::names::{Names, NamesError, random_hex};
use crate::plan::may_send;
use crate::run::{Options, rerun_command, tool};
use crate::secrets::Secrets;
use crate::transcript::{Answer, Failure, Outcome, Recorded, Sent, Transcript, part_of};

/// RFC 6570 section 3.2.2: only unreserved characters stand as they are.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Header fields, in order.
pub(crate) type Fields = Vec<(String, String)>;

/// Records exchanges with one target.
pub struct Recorder<'s, 'o> {
    suite: &'s Suite,
    wire: &'s Wire,
    client: Client,
    secrets: Secrets,
    blotter: Blotter,
    transcript: Transcript,
    started: Instant,
    /// How many bytes of answers are kept.
    bytes: u64,
    /// How often in a row there was no answer in time.
    timeouts: u32,
    /// Why nothing more is sent.
    given_up: Option<String>,
    /// How long the run may take, and whether that is over.
    longest: Duration,
    is_out_of_time: bool,
    /// What is done before and after a burst.
    around_bursts: Option<Around>,
    /// Where each exchange is written down as it comes.
    archive: Option<Writer>,
    /// Why it could not be.
    unwritten: Option<WriteError>,
    /// How many exchanges are done, and who is told.
    done: usize,
    progress: Option<&'o dyn Fn(usize)>,
}

/// Called with `true` before a burst and with `false` after it.
type Around = Box<dyn Fn(bool)>;

/// The manifest of a run that begins: draws its values, and builds its documents.
fn begun(
    job: &Job<'_>,
    client: &Client,
    secrets: &Secrets,
    target: &str,
    options: &Options<'_>,
) -> Result<Manifest, NamesError> {
    let (suite, wire) = (job.suite, job.wire);
    let names = Names::draw(suite, wire, &options.given)?;
    let mut capabilities = secrets.capabilities();
    capabilities.extend(client.is_beyond_loopback().then_some(Capability::BeyondLoopback));
    capabilities.extend((!options.given.is_empty()).then_some(Capability::GivenFiles));
    Ok(Manifest {
        form: ARCHIVE_FORM.to_owned(),
        state: ArchiveState::Incomplete,
        tool: tool(),
        suite: SuiteUsed {
            name: suite.name.clone(),
            digest: suite.digest.clone(),
            requirements_digest: suite.requirements_digest.clone(),
        },
        edition: job.edition.edition.clone(),
        selection: job.selection,
        checks: job.cases.iter().map(|case| case.check.id.clone()).collect(),
        wire: wire.wire.clone(),
        mode: options.mode,
        seed: options.seed.clone().map_or_else(|| random_hex(16), Ok)?,
        target: target.to_owned(),
        capabilities,
        tls_peer: client.tls_peer(),
        rerun: rerun_command(job, target, client, options),
        clock: Clock { started_at: now(), finished_at: None, elapsed_ms: 0 },
        names: names.public,
    })
}

/// A target that does not answer so many requests in a row is not asked again.
const MOST_TIMEOUTS: u32 = 3;

/// A run keeps no more than so many bytes of answers, and takes no longer than this.
const MOST_BYTES: u64 = 256 << 20;
const LONGEST_RUN: Duration = Duration::from_secs(900);

impl<'s, 'o> Recorder<'s, 'o> {
    /// Starts a run: draws its values and builds its documents; sends nothing yet.
    ///
    /// # Errors
    /// [`NamesError`] where the suite's documents cannot be made.
    pub fn new(
        job: &Job<'s>,
        client: Client,
        secrets: Secrets,
        target: &str,
        options: &Options<'o>,
    ) -> Result<Self, NamesError> {
        let manifest = begun(job, &client, &secrets, target, options)?;
        let transcript = Transcript { manifest, exchanges: Vec::new() };
        Ok(Self {
            suite: job.suite,
            wire: job.wire,
            client,
            blotter: secrets.blotter(),
            secrets,
            transcript,
            started: Instant::now(),
            bytes: 0,
            timeouts: 0,
            given_up: None,
            longest: options.longest.unwrap_or(LONGEST_RUN),
            is_out_of_time: false,
            around_bursts: None,
            archive: None,
            unwritten: None,
            done: 0,
            progress: options.progress,
        })
    }

    /// The transcript so far.
    #[must_use]
    pub fn transcript(&self) -> &Transcript {
        &self.transcript
    }

    /// The command that runs a check again starts the registry with the same faults.
    pub(crate) fn rerun_with(&mut self, faults: &BTreeSet<String>) {
        let faults: String = faults.iter().map(|fault| format!(" --fault {fault}")).collect();
        let rerun = &mut self.transcript.manifest.rerun;
        *rerun = match rerun.strip_suffix(" --only") {
            Some(before) => format!("{before}{faults} --only"),
            None => format!("{rerun}{faults}"),
        };
    }

    /// From now on writes each exchange down in a folder, as it comes.
    ///
    /// # Errors
    /// [`WriteError`] where the archive cannot be begun.
    pub fn write_to(&mut self, folder: &Path) -> Result<(), WriteError> {
        self.archive = Some(Writer::create(folder, self.suite, &self.transcript.manifest)?);
        Ok(())
    }

    /// Ends the run. Out: the transcript, and the archive that waits for what follows from it.
    ///
    /// # Errors
    /// [`WriteError`] where an exchange could not be written down.
    pub fn finish(mut self) -> Result<(Transcript, Option<Writer>), WriteError> {
        if let Some(error) = self.unwritten {
            return Err(error);
        }
        let manifest = &mut self.transcript.manifest;
        manifest.state = ArchiveState::Complete;
        manifest.clock.finished_at = Some(ended(&manifest.clock));
        Ok((self.transcript, self.archive))
    }

    /// Lets a target whose limit is in our hands set it for the time of a burst.
    pub(crate) fn around_bursts(&mut self, around: impl Fn(bool) + 'static) {
        self.around_bursts = Some(Box::new(around));
    }

    /// Waits until a reading can be taken without a pause between its requests.
    pub fn rest(&mut self) {
        self.client.rest();
    }

    /// Sends exchanges in the given order.
    pub fn record(&mut self, exchanges: &[&Exchange], attempt: u32) {
        for joint in exchanges.chunk_by(|one, next| one.is_together_with(next)) {
            match joint {
                [exchange] => self.record_one(exchange, attempt),
                several => self.record_together(several, attempt),
            }
            self.done += joint.len();
            if let Some(progress) = self.progress {
                progress(self.done);
            }
        }
        self.transcript.manifest.clock.elapsed_ms = self.elapsed_ms();
    }

    fn record_one(&mut self, exchange: &Exchange, attempt: u32) {
        // The plan has left it out already; what writes is not left to one place alone.
        let mode = self.transcript.manifest.mode;
        if !may_send(self.suite, mode, exchange) {
            let because = format!("the mode {} does not send it", mode.as_str());
            return self.not_sent(exchange, attempt, because);
        }
        match self.numbers(exchange) {
            Err(because) => self.not_sent(exchange, attempt, because),
            Ok(numbers) => {
                for each in numbers {
                    let outcome = self.exchange(exchange, each);
                    self.push(exchange, each, attempt, outcome);
                }
            }
        }
    }

    /// Sends all at the same moment, or none: a race with one runner shows nothing.
    fn record_together(&mut self, exchanges: &[&Exchange], attempt: u32) {
        let mode = self.transcript.manifest.mode;
        if !exchanges.iter().all(|exchange| may_send(self.suite, mode, exchange)) {
            let because = format!("the mode {} does not send it", mode.as_str());
            let not_sent = |exchange: &&Exchange| self.not_sent(exchange, attempt, because.clone());
            return exchanges.iter().for_each(not_sent);
        }
        let prepared: Result<Vec<(Sent, Fields)>, String> = exchanges
            .iter()
            .map(|exchange| self.numbers(exchange).and_then(|_| self.prepare(exchange, None)))
            .collect();
        let prepared = match self.given_up.clone().map_or(prepared, Err) {
            Ok(prepared) => prepared,
            Err(because) => {
                let not_sent = |exchange: &&Exchange| self.not_sent(exchange, attempt, because.clone());
                return exchanges.iter().for_each(not_sent);
            }
        };
        let bodies: Vec<Option<Vec<u8>>> = prepared.iter().map(|(sent, _)| sent.bytes()).collect();
        let outgoing: Vec<Outgoing<'_>> = exchanges
            .iter()
            .zip(&prepared)
            .zip(&bodies)
            .map(|((exchange, (sent, headers)), body)| outgoing(exchange, sent, headers, body.as_deref()))
            .collect();
        let sending = self.client.send_together(&outgoing);
        let sent: Vec<Sent> = prepared.iter().map(|(sent, _)| sent.clone()).collect();
        for ((exchange, sent), sending) in exchanges.iter().zip(sent).zip(sending) {
            let outcome = self.outcome(exchange, sent, sending);
            self.push(exchange, None, attempt, outcome);
        }
    }

    fn push(&mut self, exchange: &Exchange, each: Option<u64>, attempt: u32, outcome: Outcome) {
        let took = match &outcome {
            Outcome::Answered { answer, .. } => answer.elapsed_ms,
            Outcome::Failed { .. } | Outcome::NotSent { .. } => 0,
        };
        let recorded = Recorded {
            n: self.transcript.exchanges.len() as u64,
            at_ms: self.elapsed_ms().saturating_sub(took),
            exchange: exchange.id.clone(),
            each,
            attempt,
            effect: exchange.effect,
            outcome,
        };
        let written = self.archive.as_mut().map_or(Ok(()), |archive| archive.append(&recorded));
        if let Err(error) = written {
            // What cannot be written down is not done.
            self.given_up = Some(error.to_string());
            self.archive = None;
            self.unwritten = Some(error);
        }
        self.transcript.exchanges.push(recorded);
    }

    fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn not_sent(&mut self, exchange: &Exchange, attempt: u32, because: String) {
        self.push(exchange, None, attempt, Outcome::NotSent { because, out_of_time: self.is_out_of_time });
    }

    /// The numbers that an exchange is sent for after what was recorded so far.
    fn numbers(&self, exchange: &Exchange) -> Result<Vec<Option<u64>>, String> {
        numbers(self.suite, &self.transcript, exchange)
    }

    /// Values, fixtures, the number of this turn, and parts of answers.
    fn look_up(&self, reference: &Reference, each: Option<u64>) -> Option<Json> {
        if reference.name == "each" {
            return each.map(|number| Json::String(number.to_string()));
        }
        look_up(&self.transcript, &of_turn(reference, each), u32::MAX)
    }

    fn exchange(&mut self, exchange: &Exchange, each: Option<u64>) -> Outcome {
        if let Some(because) = &self.given_up {
            return Outcome::NotSent { because: because.clone(), out_of_time: self.is_out_of_time };
        }
        let prepared = self.prepare(exchange, each);
        let (sent, headers) = match prepared {
            Ok(prepared) => prepared,
            Err(because) => return Outcome::NotSent { because, out_of_time: false },
        };
        let body = sent.bytes();
        let outgoing = outgoing(exchange, &sent, &headers, body.as_deref());
        let sending = match exchange.burst {
            None => self.client.send(&outgoing),
            Some(most) => self.burst(&outgoing, most),
        };
        self.outcome(exchange, sent, sending)
    }

    /// What is written down of an exchange, and what follows from it for those that come.
    fn outcome(
        &mut self,
        exchange: &Exchange,
        sent: Sent,
        sending: Result<Answer, (Failure, String)>,
    ) -> Outcome {
        self.timeouts = if matches!(sending, Err((Failure::TimedOut, _))) { self.timeouts + 1 } else { 0 };
        match sending {
            Ok(answer) => {
                self.bytes += answer.length();
                if self.bytes > MOST_BYTES {
                    let message = format!("its answers are more than {MOST_BYTES} bytes together");
                    self.given_up = Some(message.clone());
                    return Outcome::Failed { request: sent, failure: Failure::TooLarge, message };
                }
                if self.started.elapsed() > self.longest {
                    self.given_up = Some(format!("given up after {} s", self.longest.as_secs()));
                    self.is_out_of_time = true;
                }
                Outcome::Answered { request: sent, answer: self.blot(answer) }
            }
            Err((failure, message)) => {
                let hopeless = match failure {
                    Failure::Unreachable | Failure::RateLimited => true,
                    Failure::TimedOut => self.timeouts >= MOST_TIMEOUTS,
                    Failure::TooLarge | Failure::Broken => false,
                };
                if hopeless {
                    self.given_up =
                        Some(format!("given up after `{}`: {}", exchange.id, self.blotter.text(&message)));
                }
                Outcome::Failed { request: sent, failure, message: self.blotter.text(&message) }
            }
        }
    }

    fn burst(&mut self, outgoing: &Outgoing<'_>, most: u32) -> Result<Answer, (Failure, String)> {
        let around = |is_on| self.around_bursts.iter().for_each(|around| around(is_on));
        around(true);
        let sending = self.client.burst(outgoing, most);
        around(false);
        sending
    }

    /// A target that echoes what it is sent would carry a secret into the transcript.
    fn blot(&self, answer: Answer) -> Answer {
        Answer {
            headers: answer
                .headers
                .iter()
                .map(|(name, value)| (name.clone(), self.blotter.text(value)))
                .collect(),
            body_text: answer.body_text.as_deref().map(|text| self.blotter.text(text)),
            body_hex: answer.body_hex.as_deref().map(|hex| self.blotter.hex(hex)),
            ..answer
        }
    }

    /// The request as it is written down, and the header fields as they are sent.
    fn prepare(&self, exchange: &Exchange, each: Option<u64>) -> Result<(Sent, Fields), String> {
        let request = exchange.request_in(self.suite).ok_or("it has no request")?;
        let call =
            self.wire.calls.get(&request.call).ok_or_else(|| {
                format!("the wire profile `{}` has no call `{}`", self.wire.wire, request.call)
            })?;
        let mut headers = Fields::new();
        for (name, value) in &request.headers {
            headers.push((name.clone(), self.text(value, each)?));
        }
        if !has_field(&headers, "user-agent") {
            headers.push(("User-Agent".to_owned(), self.user_agent()));
        }
        let body = self.body(exchange, request, each)?;
        let has_type = has_field(&headers, "content-type");
        if body.is_some() && !has_type {
            headers.push(("Content-Type".to_owned(), "application/json; charset=utf-8".to_owned()));
        }
        let target = path_and_query(call, request, &|text| self.text(text, each))?;
        let mut shown = headers.clone();
        for (name, value) in self.credentials(call, request)? {
            let scheme = if value.starts_with("Bearer ") { "Bearer " } else { "" };
            shown.push((name.clone(), format!("{scheme}{BLOT}")));
            headers.push((name, value));
        }
        let method = request.method.clone().unwrap_or_else(|| call.method.clone());
        let (body_text, body_hex) = match body.map(String::from_utf8) {
            None => (None, None),
            Some(Ok(text)) => (Some(text), None),
            Some(Err(error)) => (None, Some(hex::encode(error.as_bytes()))),
        };
        Ok((Sent { method, target, headers: shown, body_text, body_hex }, headers))
    }

    /// Whose requests these are: an operator finds them by it in a log, and so does the ledger.
    fn user_agent(&self) -> String {
        let product = concat!("assayer/", env!("CARGO_PKG_VERSION"));
        let nonce = self.transcript.manifest.names.get("nonce").and_then(Json::as_str);
        nonce.map_or_else(|| product.to_owned(), |nonce| format!("{product} (run {nonce})"))
    }

    /// A text with its references resolved.
    fn text(&self, text: &str, each: Option<u64>) -> Result<String, String> {
        let value = resolve(&Json::String(text.to_owned()), &|reference| self.look_up(reference, each));
        Ok(match value.map_err(|error| error.to_string())? {
            Json::String(text) => text,
            other => other.to_string(),
        })
    }

    /// The body with its references resolved and its defect applied.
    fn body(
        &self,
        exchange: &Exchange,
        request: &Request,
        each: Option<u64>,
    ) -> Result<Option<Vec<u8>>, String> {
        let look_up = |reference: &Reference| self.look_up(reference, each);
        let intact = match (&request.json, &request.text) {
            (Some(json), _) => Some(resolve(json, &look_up).map_err(|error| error.to_string())?),
            (None, Some(text)) => return self.text(text, each).map(|text| Some(text.into_bytes())),
            (None, None) => None,
        };
        let Some(intact) = intact else { return Ok(None) };
        let mut body = intact.clone();
        patch(&mut body, &exchange.defect, &look_up).map_err(|error| error.to_string())?;
        let whole = body.to_string().into_bytes();
        let damaged = damage(whole, &exchange.damage, &look_up).map_err(|error| error.to_string())?;
        // A defect that changes nothing would make the rejection of a sound request look right.
        if exchange.is_defective() && damaged == intact.to_string().into_bytes() {
            return Err("its defect changes nothing".to_owned());
        }
        Ok(Some(damaged))
    }

    /// The header fields that carry the credentials of a call.
    fn credentials(&self, call: &Call, request: &Request) -> Result<Fields, String> {
        match call.authorization {
            None => Ok(Fields::new()),
            Some(authorization) => self.secrets.fields(authorization, request),
        }
    }
}

fn has_field(headers: &Fields, name: &str) -> bool {
    headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name))
}

fn outgoing<'r>(
    exchange: &Exchange,
    sent: &'r Sent,
    headers: &'r Fields,
    body: Option<&'r [u8]>,
) -> Outgoing<'r> {
    let stores_nothing = exchange.effect == Effect::None;
    Outgoing { method: &sent.method, path_and_query: &sent.target, headers, body, stores_nothing }
}

/// All of `count` turns; or, beyond `most`, the first, the last, and a choice of those between that follows from the seed,
/// in order: the first numbers of 64 bits in SHA-256 of seed and counter, modulo `count`.
fn sample(count: u64, most: u64, seed: &str) -> Vec<u64> {
    if count <= most {
        return (0..count).collect();
    }
    let mut chosen: BTreeSet<u64> =
        [0, count - 1].into_iter().take(usize::try_from(most).unwrap_or(2)).collect();
    for counter in 0_u64.. {
        if chosen.len() as u64 >= most {
            break;
        }
        let hash = Sha256::digest(format!("{seed} {counter}"));
        let number = hash.iter().take(8).fold(0, |number: u64, byte| (number << 8) | u64::from(*byte));
        chosen.insert(number % count);
    }
    chosen.into_iter().collect()
}

/// The time, in whole seconds.
fn now() -> String {
    in_seconds(jiff::Timestamp::now())
}

fn in_seconds(time: jiff::Timestamp) -> String {
    time.round(jiff::Unit::Second).unwrap_or_default().to_string()
}

/// When recording ended: from its beginning by the clock that nobody sets. The other one may be set back meanwhile, and then the
/// archive would contradict itself.
fn ended(clock: &Clock) -> String {
    let since = jiff::SignedDuration::from_millis(i64::try_from(clock.elapsed_ms).unwrap_or(i64::MAX));
    let ended =
        clock.started_at.parse().ok().and_then(|started: jiff::Timestamp| started.checked_add(since).ok());
    ended.map_or_else(now, in_seconds)
}

fn path_and_query(
    call: &Call,
    request: &Request,
    text: &impl Fn(&str) -> Result<String, String>,
) -> Result<String, String> {
    let mut path = call.path.clone();
    let mut variables: BTreeMap<&str, String> = BTreeMap::new();
    for (name, value) in &request.path {
        variables.insert(name, text(value)?);
    }
    for (name, value) in &variables {
        path = path.replace(&format!("{{{name}}}"), &utf8_percent_encode(value, RESERVED).to_string());
    }
    if path.contains('{') {
        return Err(format!("the path {path} has a variable without a value"));
    }
    for (position, (name, value)) in request.query.iter().enumerate() {
        path.push(if position == 0 { '?' } else { '&' });
        let value = text(value)?;
        path.push_str(&format!("{name}={}", utf8_percent_encode(&value, RESERVED)));
    }
    Ok(path)
}

/// Why an answer accepts nothing: by its status, or by what it says; `None` if it accepts.
pub(crate) fn not_an_acceptance(
    suite: &Suite,
    transcript: &Transcript,
    exchange: &str,
    answer: &Answer,
) -> Option<String> {
    if !answer.is_success() {
        return Some(format!("answered with {}", answer.status));
    }
    let body = answer.body();
    suite.exchange(exchange)?.accepted.iter().find_map(|(pointer, expected)| {
        let expected = resolve(expected, &|reference| look_up(transcript, reference, u32::MAX)).ok();
        let says_so = expected.is_some() && part_of(&body, pointer) == expected;
        (!says_so).then(|| format!("its answer does not have at {pointer} what was sent"))
    })
}

/// A reference in the turn of a repeated exchange: `{each}` in its pointer is the number of the turn.
pub(crate) fn of_turn(reference: &Reference, each: Option<u64>) -> Reference {
    let number = each.map(|each| each.to_string()).unwrap_or_default();
    Reference { name: reference.name.clone(), pointer: reference.pointer.replace("{each}", &number) }
}

/// The numbers that an exchange is sent for after what was recorded before it; one `None` if it is not repeated. They follow from
/// the answers and from the seed, so that nobody can leave out the turn that went wrong.
///
/// # Errors
/// Why it is not sent, in words.
pub(crate) fn numbers(
    suite: &Suite,
    before: &Transcript,
    exchange: &Exchange,
) -> Result<Vec<Option<u64>>, String> {
    if let Some(needed) = exchange.needs.iter().find(|needed| !was_accepted(suite, before, needed)) {
        return Err(format!("`{needed}`, which it needs, was not accepted"));
    }
    let Some(each) = &exchange.each else { return Ok(vec![None]) };
    let below = resolve(&Json::String(each.below.clone()), &|reference| {
        look_up(before, &of_turn(reference, None), u32::MAX)
    });
    let below = below.map_err(|error| error.to_string())?;
    let written = below.as_str().and_then(|text| text.parse().ok());
    let count = below.as_u64().or(written);
    let below = count.ok_or_else(|| format!("{} is {below}, expected a count", each.below))?;
    let turns = below.div_ceil(each.step.max(1));
    let chosen = match each.beyond {
        Beyond::Nothing if turns > each.most => {
            return Err(format!("it would have to be sent {turns} times, at most {} is it sent", each.most));
        }
        Beyond::Nothing | Beyond::Sample => {
            sample(turns, each.most, &format!("{} {}", before.manifest.seed, exchange.id))
        }
    };
    Ok(chosen.into_iter().map(|turn| Some(turn.saturating_mul(each.step))).collect())
}

fn was_accepted(suite: &Suite, transcript: &Transcript, exchange: &str) -> bool {
    let answers = transcript.of(exchange);
    let accepts = |recorded: &&Recorded| match &recorded.outcome {
        Outcome::Answered { answer, .. } => not_an_acceptance(suite, transcript, exchange, answer).is_none(),
        Outcome::Failed { .. } | Outcome::NotSent { .. } => false,
    };
    !answers.is_empty() && answers.iter().all(accepts)
}

/// What a reference stands for in a transcript, with exchanges as they went up to an attempt.
pub(crate) fn look_up(transcript: &Transcript, reference: &Reference, attempt: u32) -> Option<Json> {
    if let Some(value) = transcript.manifest.names.get(&reference.name) {
        return value.pointer(&reference.pointer).cloned();
    }
    match transcript.of_attempt(&reference.name, attempt).first().map(|recorded| &recorded.outcome) {
        Some(Outcome::Answered { answer, .. }) => part_of(&answer.body(), &reference.pointer),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_ends_after_it_began_whatever_the_clock_of_the_machine_says() {
        // The machine was an hour ahead when the run began, and was set right meanwhile.
        let started_at = in_seconds(jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1));
        let manifest = crate::archive::Manifest::sample(&started_at, 2_700);
        let started: jiff::Timestamp = started_at.parse().unwrap();
        let after = jiff::SignedDuration::from_secs(3);
        assert_eq!(ended(&manifest.clock), in_seconds(started + after));
    }

    #[test]
    fn long_repetitions_are_sampled_with_both_ends() {
        assert_eq!(sample(3, 5, "s"), [0, 1, 2]);
        assert!(sample(0, 5, "s").is_empty());
        for count in [6, 100, u64::MAX] {
            let chosen = sample(count, 5, "s");
            assert_eq!((chosen.len(), chosen[0], chosen[4]), (5, 0, count - 1));
            assert_eq!(chosen, sample(count, 5, "s"));
        }
        assert_ne!(sample(u64::MAX, 5, "s"), sample(u64::MAX, 5, "t"));
        assert_eq!(sample(9, 1, "s"), [0]);
    }
}
