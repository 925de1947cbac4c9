//! An engine in another process, behind the adapter protocol: one JSON object a line each way (`adapters/README.md`).
//!
//! Requests are sent ahead of their answers. If the process ends or falls silent, it is started anew and the next texts are
//! sent one at a time, so that the text which broke it is known and no other is blamed. Once a process has been silent for as long as
//! an answer may take, silences are cut short while a text is made smaller; what is published is asked again with all the time.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::{Answer, Engine, Identity, SLOW};

/// What is sent to an adapter: one of these in each line.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "cmd", rename_all = "lowercase", deny_unknown_fields)]
pub enum Request {
    /// Say who you are.
    Start {},
    /// Canonicalize a text.
    Canonicalize {
        /// The text's bytes in hexadecimal; they need be neither JSON nor UTF-8.
        input: String,
    },
    /// End, with exit code 0.
    Stop {},
}

/// The answer to `start`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Started {
    /// Name of the canonicalizer.
    #[serde(default)]
    pub name: String,
    /// Its version.
    #[serde(default)]
    pub version: String,
    /// The scheme that it means to follow, as `jcs`.
    #[serde(default)]
    pub scheme: String,
    /// Instead of all others: why the canonicalizer is not to be had on this machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// The answer to `canonicalize`: exactly one member.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Canonicalized {
    /// The canonical bytes in hexadecimal.
    Ok(String),
    /// Why the text is refused.
    Reject(String),
    /// What broke.
    Error(String),
}

/// Why there is no engine behind a command.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AdapterError {
    /// The program, or what it needs, is not on this machine.
    #[error("`{command}` is not to be had here: {why}")]
    Absent {
        /// The command.
        command: String,
        /// What is missing.
        why: String,
    },
    /// The command line cannot be split into words.
    #[error("`{command}`: expected a command line, found {why}")]
    Command {
        /// The command line.
        command: String,
        /// What is wrong.
        why: String,
    },
    /// It does not speak the protocol.
    #[error("`{command}`: expected the answer to `start`, found {found}")]
    Protocol {
        /// The command.
        command: String,
        /// What came instead.
        found: String,
    },
}

/// How long an adapter may take, and how often it may break.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For the answer to `start`.
    pub start: Duration,
    /// For the answer to one text.
    pub answer: Duration,
    /// After so many new starts the engine is given up; while a text is made smaller, so many more are allowed.
    pub restarts: u32,
    /// It is given up after so many silences as well: each costs the time of an answer.
    pub silences: u32,
    /// It is given up, too, after waiting so long in all for answers that were late ([`SLOW`]).
    pub late: Duration,
}

impl Patience {
    /// What is usual.
    pub const DEFAULT: Self = Self {
        start: Duration::from_secs(30),
        answer: Duration::from_secs(5),
        restarts: 50,
        silences: 6,
        late: Duration::from_secs(30),
    };
}

impl Default for Patience {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// So many requests are sent ahead.
const AHEAD: usize = 128;
/// So many bytes of requests are written at once, where they are there.
const WRITTEN_AT_ONCE: usize = 64 << 10;
/// After a silence the next ones are waited for so many times less, though never less than [`SLOWER`] times the slowest answer.
const SHORTER: u32 = 10;
const SLOWER: u32 = 20;
/// No answer is longer: a quarter of a gigabyte of hexadecimal text would be a defect of its own.
const LONGEST_ANSWER: u64 = 256 << 20;
/// So much of the end of standard error is kept.
const COMPLAINT: usize = 2_000;

/// An engine in another process.
pub struct Adapter {
    command: String,
    words: Vec<String>,
    identity: Identity,
    patience: Patience,
    running: Option<Running>,
    restarts: u32,
    /// The new starts before the experiment that is going on, if one is.
    before: Option<u32>,
    /// So many texts are still sent one at a time, because the process broke a short while ago.
    careful: usize,
    silences: u32,
    slowest: Duration,
    /// How long it was waited for late answers in all, and the latest of them with its text.
    late: Duration,
    latest: Option<(Duration, Vec<u8>)>,
}

impl Adapter {
    /// Starts an adapter.
    ///
    /// In: a command line, split as a shell would, run without a shell.
    ///
    /// # Errors
    /// [`AdapterError`]: `Absent` where program or library are missing, which is no fault of anybody.
    pub fn start(command: &str, patience: Patience) -> Result<Self, AdapterError> {
        let failed = |why: String| AdapterError::Command { command: command.to_owned(), why };
        let words = shell_words::split(command).map_err(|error| failed(error.to_string()))?;
        if words.is_empty() {
            return Err(failed("nothing".to_owned()));
        }
        let identity = Identity { name: String::new(), version: String::new(), scheme: String::new() };
        let mut adapter = Self {
            command: command.to_owned(),
            words,
            identity,
            patience,
            running: None,
            restarts: 0,
            before: None,
            careful: 0,
            silences: 0,
            slowest: Duration::ZERO,
            late: Duration::ZERO,
            latest: None,
        };
        let (running, started) = adapter.launch()?;
        adapter.running = Some(running);
        adapter.identity = Identity { name: started.name, version: started.version, scheme: started.scheme };
        Ok(adapter)
    }

    fn launch(&self) -> Result<(Running, Started), AdapterError> {
        let absent = |why: String| AdapterError::Absent { command: self.command.clone(), why };
        let mut running = Running::spawn(&self.words).map_err(|error| absent(error.to_string()))?;
        running.send(&Request::Start {});
        let line = match running.answers.recv_timeout(self.patience.start) {
            Ok(line) => line,
            Err(RecvTimeoutError::Timeout) => {
                let found = format!("no line within {} s", self.patience.start.as_secs());
                return Err(AdapterError::Protocol { command: self.command.clone(), found });
            }
            Err(RecvTimeoutError::Disconnected) => {
                let found = format!("the end of its output{}", running.complaint());
                return Err(AdapterError::Protocol { command: self.command.clone(), found });
            }
        };
        let started: Started = serde_json::from_slice(&line).map_err(|error| AdapterError::Protocol {
            command: self.command.clone(),
            found: format!("{} ({error})", shortened(&line)),
        })?;
        match started.error {
            Some(why) => Err(absent(why)),
            None if started.name.is_empty() => Err(AdapterError::Protocol {
                command: self.command.clone(),
                found: format!("{} without a name", shortened(&line)),
            }),
            None => Ok((running, started)),
        }
    }

    /// The running process, started anew if need be, taken out; otherwise why there is none any more.
    fn take_running(&mut self) -> Result<Running, String> {
        if let Some(running) = self.running.take() {
            return Ok(running);
        }
        self.restarts += 1;
        Ok(self.launch().map_err(|error| error.to_string())?.0)
    }

    /// How long the next answer is waited for. What comes of an experiment is asked again before anybody is blamed.
    fn limit(&self) -> Duration {
        let full = self.patience.answer;
        if self.before.is_some() && self.silences > 0 {
            (full / SHORTER).max(self.slowest * SLOWER).min(full)
        } else {
            full
        }
    }

    /// Sends texts, at most `ahead` before their answers, and takes the answers until all are there, something goes wrong, or too much
    /// time went by.
    fn stream(&mut self, texts: &[Vec<u8>], ahead: usize, answers: &mut Vec<Answer>) -> Result<(), String> {
        let limit = self.limit();
        let mut running = self.take_running()?;
        let mut unsent = texts.iter();
        let mut send = |running: &mut Running, count: usize| {
            for text in unsent.by_ref().take(count) {
                running.send(&Request::Canonicalize { input: hex::encode(text) });
            }
        };
        send(&mut running, ahead);
        for text in texts {
            let asked = Instant::now();
            let line = running.answers.recv_timeout(limit);
            let time = asked.elapsed();
            match taken(line, &running, limit) {
                Ok(answer) => answers.push(answer),
                Err((was_silent, why)) => {
                    // It is not to be trusted to end by itself.
                    let _ = running.child.kill();
                    self.silences += u32::from(was_silent && (self.before.is_none() || self.silences == 0));
                    return Err(why);
                }
            }
            if self.is_too_late(text, time) {
                return Ok(());
            }
            send(&mut running, 1);
        }
        self.running = Some(running);
        Ok(())
    }

    /// Notes how long an answer took; whether it is now too much in all.
    fn is_too_late(&mut self, text: &[u8], time: Duration) -> bool {
        self.slowest = self.slowest.max(time);
        if time < SLOW {
            return false;
        }
        self.late += time;
        if self.latest.as_ref().is_none_or(|(latest, _)| *latest < time) {
            self.latest = Some((time, text.to_vec()));
        }
        self.late >= self.patience.late
    }
}

/// The answer of a line; or whether it is silence, and why there is none.
fn taken(
    line: Result<Vec<u8>, RecvTimeoutError>,
    running: &Running,
    limit: Duration,
) -> Result<Answer, (bool, String)> {
    match line {
        Ok(line) => answer(&line).map_err(|problem| (false, problem)),
        Err(RecvTimeoutError::Timeout) => Err((true, format!("no answer within {} s", limit.as_secs_f64()))),
        Err(RecvTimeoutError::Disconnected) => {
            Err((false, format!("its process ended{}", running.complaint())))
        }
    }
}

impl Engine for Adapter {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    fn canonicalize(&mut self, texts: &[Vec<u8>]) -> Vec<Answer> {
        let mut answers = Vec::with_capacity(texts.len());
        while let Some(open) = texts.get(answers.len()..).filter(|open| !open.is_empty()) {
            if self.is_given_up() {
                break;
            }
            let before = answers.len();
            let (count, ahead) = if self.careful > 0 { (self.careful, 1) } else { (open.len(), AHEAD) };
            let problem = self.stream(open.get(..count).unwrap_or(open), ahead, &mut answers);
            self.careful = self.careful.saturating_sub(answers.len() - before);
            if let Err(why) = problem {
                // Sent alone, it is the one that did it. Otherwise it is asked again by itself, like those that were sent with it.
                if ahead == 1 {
                    answers.push(Answer::error(why));
                }
                self.careful = AHEAD;
            }
        }
        answers
    }

    fn answer(&mut self, text: &[u8]) -> Option<Answer> {
        let mut answers = Vec::new();
        let silences = std::mem::take(&mut self.silences);
        let problem = self.stream(&[text.to_vec()], 1, &mut answers);
        self.silences = silences.max(self.silences);
        answers.pop().or_else(|| problem.err().map(Answer::error))
    }

    fn waits(&self) -> bool {
        true
    }

    fn start_anew(&mut self) -> bool {
        self.running = None;
        self.running = self.launch().ok().map(|(running, _)| running);
        self.running.is_some()
    }

    fn slowest(&self) -> Option<Vec<u8>> {
        self.latest.as_ref().map(|(_, text)| text.clone())
    }

    fn is_given_up(&self) -> bool {
        let is_silent = self.before.is_none() && self.silences >= self.patience.silences;
        let is_late = self.late >= self.patience.late;
        self.running.is_none() && (is_silent || is_late || self.restarts >= self.patience.restarts)
    }

    fn set_experimenting(&mut self, on: bool) {
        if on {
            self.before = Some(std::mem::take(&mut self.restarts));
        } else if let Some(before) = self.before.take() {
            self.restarts = before;
        }
    }
}

fn answer(line: &[u8]) -> Result<Answer, String> {
    let outside = |why: String| format!("an answer outside the protocol: {} ({why})", shortened(line));
    match serde_json::from_slice::<Canonicalized>(line).map_err(|error| outside(error.to_string()))? {
        Canonicalized::Ok(bytes) => {
            hex::decode(&bytes).map(Answer::bytes).map_err(|error| outside(error.to_string()))
        }
        Canonicalized::Reject(why) => Ok(Answer::reject(why)),
        Canonicalized::Error(why) => Ok(Answer::error(why)),
    }
}

fn shortened(line: &[u8]) -> String {
    let start = line.get(..120.min(line.len())).unwrap_or_default();
    format!("`{}{}`", start.escape_ascii(), if start.len() < line.len() { "…" } else { "" })
}

struct Running {
    child: Child,
    requests: Option<Sender<Vec<u8>>>,
    answers: Receiver<Vec<u8>>,
    complaint: Arc<Mutex<Vec<u8>>>,
    writer: Option<JoinHandle<()>>,
}

impl Running {
    fn spawn(words: &[String]) -> std::io::Result<Self> {
        let (program, arguments) = words.split_first().ok_or(std::io::ErrorKind::InvalidInput)?;
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let (requests, to_write) = channel::<Vec<u8>>();
        let (to_read, answers) = channel();
        let complaint = Arc::new(Mutex::new(Vec::new()));
        let writer = child.stdin.take().map(|mut stdin| {
            std::thread::spawn(move || {
                while let Ok(mut lines) = to_write.recv() {
                    while lines.len() < WRITTEN_AT_ONCE
                        && let Ok(line) = to_write.try_recv()
                    {
                        lines.extend(line);
                    }
                    if stdin.write_all(&lines).and_then(|()| stdin.flush()).is_err() {
                        return;
                    }
                }
            })
        });
        if let Some(stdout) = child.stdout.take() {
            std::thread::spawn(move || read_lines(stdout, &to_read));
        }
        if let Some(stderr) = child.stderr.take() {
            let complaint = Arc::clone(&complaint);
            std::thread::spawn(move || keep_end(stderr, &complaint));
        }
        Ok(Self { child, requests: Some(requests), answers, complaint, writer })
    }

    /// What cannot be written shows as an answer that does not come.
    fn send(&mut self, request: &Request) {
        if let (Ok(mut line), Some(requests)) = (serde_json::to_vec(request), &self.requests) {
            line.push(b'\n');
            let _ = requests.send(line);
        }
    }

    fn complaint(&self) -> String {
        // The other thread may still be reading the last words.
        std::thread::sleep(Duration::from_millis(20));
        let kept = self.complaint.lock().map(|kept| kept.clone()).unwrap_or_default();
        let text = String::from_utf8_lossy(&kept);
        let last =
            text.lines().rev().find(|line| !line.trim().is_empty()).map(|line| format!(": {}", line.trim()));
        last.unwrap_or_default()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.send(&Request::Stop {});
        self.requests = None;
        for _ in 0..100 {
            if matches!(self.child.try_wait(), Ok(Some(_)) | Err(_)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

fn read_lines(stdout: impl Read, lines: &Sender<Vec<u8>>) {
    let mut input = BufReader::new(stdout);
    loop {
        let mut line = Vec::new();
        match (&mut input).take(LONGEST_ANSWER).read_until(b'\n', &mut line) {
            Ok(read) if read > 0 && lines.send(line).is_ok() => {}
            _ => return,
        }
    }
}

fn keep_end(mut stderr: impl Read, kept: &Mutex<Vec<u8>>) {
    let mut buffer = [0; 1024];
    while let Ok(read) = stderr.read(&mut buffer)
        && read > 0
    {
        if let Ok(mut kept) = kept.lock() {
            kept.extend(buffer.get(..read).unwrap_or_default());
            let surplus = kept.len().saturating_sub(COMPLAINT);
            kept.drain(..surplus);
        }
    }
}
