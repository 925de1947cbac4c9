//! An engine in another process, behind the adapter protocol: one JSON object a line each way (`adapters/README.md`).
//!
//! Requests are sent ahead of their answers. If the process ends or falls silent, it is started anew and what was not answered
//! is sent one at a time, so that the text which broke it is known and no other is blamed.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::{Answer, Engine, Identity};

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
    /// After so many new starts the engine is given up.
    pub restarts: u32,
}

impl Default for Patience {
    fn default() -> Self {
        Self { start: Duration::from_secs(30), answer: Duration::from_secs(5), restarts: 50 }
    }
}

/// So many requests are sent ahead.
const AHEAD: usize = 64;
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
        let mut adapter =
            Self { command: command.to_owned(), words, identity, patience, running: None, restarts: 0 };
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

    /// A running process, started anew if need be; otherwise why there is none any more.
    fn running(&mut self) -> Result<&mut Running, String> {
        if self.running.is_none() {
            if self.restarts >= self.patience.restarts {
                return Err(format!("given up after {} new starts", self.restarts));
            }
            self.restarts += 1;
            let (running, _) = self.launch().map_err(|error| error.to_string())?;
            self.running = Some(running);
        }
        self.running.as_mut().ok_or_else(|| "not running".to_owned())
    }

    /// Sends the first `ahead` of the texts and takes their answers; how far it came, and what went wrong there.
    fn round(
        &mut self,
        texts: &VecDeque<&Vec<u8>>,
        ahead: usize,
        answers: &mut Vec<Answer>,
    ) -> (usize, Option<String>) {
        let limit = self.patience.answer;
        let running = match self.running() {
            Ok(running) => running,
            Err(why) => return (0, Some(why)),
        };
        let sent = texts
            .iter()
            .take(ahead)
            .map(|text| running.send(&Request::Canonicalize { input: hex::encode(text) }))
            .count();
        for done in 0..sent {
            let problem = match running.answers.recv_timeout(limit) {
                Ok(line) => match answer(&line) {
                    Ok(answer) => {
                        answers.push(answer);
                        continue;
                    }
                    Err(problem) => problem,
                },
                Err(RecvTimeoutError::Timeout) => format!("no answer within {} s", limit.as_secs_f64()),
                Err(RecvTimeoutError::Disconnected) => format!("its process ended{}", running.complaint()),
            };
            self.running = None;
            return (done, Some(problem));
        }
        (sent, None)
    }
}

impl Engine for Adapter {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    fn canonicalize(&mut self, texts: &[Vec<u8>]) -> Vec<Answer> {
        let mut answers = Vec::with_capacity(texts.len());
        let mut open: VecDeque<&Vec<u8>> = texts.iter().collect();
        // How many texts are still sent one at a time, because one of them broke the process.
        let mut careful = 0_usize;
        while !open.is_empty() {
            let ahead = if careful > 0 { 1 } else { AHEAD };
            let (done, problem) = self.round(&open, ahead, &mut answers);
            open.drain(..done);
            careful = careful.saturating_sub(done);
            match problem {
                None => {}
                Some(_) if ahead > 1 && self.restarts < self.patience.restarts => {
                    careful = AHEAD.min(open.len())
                }
                Some(why) => {
                    answers.push(Answer::error(why));
                    open.pop_front();
                    careful = careful.saturating_sub(1);
                }
            }
        }
        answers
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
                for line in to_write {
                    if stdin.write_all(&line).and_then(|()| stdin.flush()).is_err() {
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
