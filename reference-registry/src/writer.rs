//! The thread that writes: whatever waits when it is ready goes into one transaction, and is answered once that is on disk.

use std::{
    io,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{self, Receiver, Sender},
    },
    thread::{self, JoinHandle},
};

use rusqlite::Connection;
use serde_json::Value;
use tokio::sync::oneshot;

use crate::{
    canonical::Form,
    error::ApiError,
    failpoint::{Defect, Step, has, reach},
    log::{self, Log, Tampering},
    merkle::{Edge, Hash},
    rows::{Owner, owner_of_token},
    store::{Head, State, held},
};

/// Most writes that one transaction takes: a bound on what one commit can lose to an error, and on how long it takes.
const MAX_BATCH: usize = 256;

/// A write that waits for its transaction.
trait Job: Send {
    /// Does the work. If it says no, nothing of it stays.
    fn run(&mut self, pending: &mut Pending<'_>) -> Outcome;

    /// Answers, after the transaction.
    fn answer(self: Box<Self>, commit: Commit);
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Done,
    Refused,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Commit {
    Failed,
    OnDisk,
}

struct Write<T, F> {
    work: Option<F>,
    outcome: Option<Result<T, ApiError>>,
    reply: oneshot::Sender<Result<T, ApiError>>,
}

impl<T, F> Job for Write<T, F>
where
    T: Send,
    F: FnOnce(&mut Pending<'_>) -> Result<T, ApiError> + Send,
{
    fn run(&mut self, pending: &mut Pending<'_>) -> Outcome {
        self.outcome = self.work.take().map(|work| work(pending));
        if matches!(self.outcome, Some(Ok(_))) { Outcome::Done } else { Outcome::Refused }
    }

    /// A refusal may rest on what the same transaction wrote, so it does not outlive that either.
    fn answer(self: Box<Self>, commit: Commit) {
        let outcome = self.outcome.filter(|_| commit == Commit::OnDisk);
        // Whoever asked may be gone.
        drop(self.reply.send(outcome.unwrap_or_else(|| Err(ApiError::server_error()))));
    }
}

/// Where writes are handed in.
pub(crate) struct Writer {
    queue: Mutex<Option<Sender<Box<dyn Job>>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    pub(crate) fn start(
        connection: Arc<Mutex<Connection>>,
        edge: Edge,
        state: Arc<State>,
        form: Form,
    ) -> io::Result<Self> {
        let (queue, jobs) = mpsc::channel();
        let mut engine = Engine { connection, edge, state, form, data_version: None, is_tampered: false };
        let thread =
            thread::Builder::new().name(String::from("writer")).spawn(move || engine.serve(&jobs))?;
        Ok(Self { queue: Mutex::new(Some(queue)), thread: Mutex::new(Some(thread)) })
    }

    pub(crate) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Pending<'_>) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let (reply, answer) = oneshot::channel();
        let job = Box::new(Write { work: Some(work), outcome: None, reply });
        {
            let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
            let queue = queue.as_ref().ok_or_else(ApiError::server_error)?;
            queue.send(job).map_err(|_| ApiError::server_error())?;
        }
        // No answer comes from a writer that panicked: nobody vouches for what it did.
        answer.await.unwrap_or_else(|_| Err(ApiError::server_error()))
    }

    /// Finishes what waits and closes the database.
    pub(crate) fn stop(&self) {
        drop(self.queue.lock().unwrap_or_else(PoisonError::into_inner).take());
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            drop(thread.join());
        }
    }
}

/// What the thread owns.
struct Engine {
    connection: Arc<Mutex<Connection>>,
    edge: Edge,
    state: Arc<State>,
    form: Form,
    /// `PRAGMA data_version` when it last looked; it changes if somebody else wrote.
    data_version: Option<i64>,
    /// Whether a fault has changed the log.
    is_tampered: bool,
}

impl Engine {
    fn serve(&mut self, jobs: &Receiver<Box<dyn Job>>) {
        while let Ok(first) = jobs.recv() {
            let mut batch = vec![first];
            batch.extend(jobs.try_iter().take(MAX_BATCH - 1));
            let commit = match self.commit(&mut batch) {
                Ok(()) => Commit::OnDisk,
                Err(_) => Commit::Failed,
            };
            batch.into_iter().for_each(|job| job.answer(commit));
        }
    }

    /// Runs all in one transaction. The tree grows after the commit, or not at all.
    fn commit(&mut self, batch: &mut Vec<Box<dyn Job>>) -> Result<(), ApiError> {
        let connection = Arc::clone(&self.connection);
        let connection = held(&connection);
        reach(Step::Queued)?;
        connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        let written = self.write(&connection, batch).and_then(|edge| {
            let Some(edge) = edge else { return Ok(None) };
            if has(Defect::AnswersEarly) {
                batch.drain(..).for_each(|job| job.answer(Commit::OnDisk));
            }
            reach(Step::NodesWritten)?;
            connection.prepare_cached("COMMIT")?.execute([])?;
            Ok(Some(edge))
        });
        // Some errors have ended the transaction already.
        if !connection.is_autocommit() {
            drop(connection.execute_batch("ROLLBACK"));
        }
        if let Some(edge) = written? {
            self.grown(edge);
        }
        Ok(())
    }

    /// What is on disk stays, whatever happens to the answer.
    fn grown(&mut self, edge: Edge) {
        drop(reach(Step::Committed));
        if edge.size() != self.edge.size() {
            self.state.publish(Head::new(edge.size(), edge.root()));
        }
        self.edge = edge;
        drop(reach(Step::Published));
    }

    /// Runs all, and gives the edge of the tree that they make; `None` if nothing of it is to stay.
    fn write(
        &mut self,
        connection: &Connection,
        batch: &mut [Box<dyn Job>],
    ) -> Result<Option<Edge>, ApiError> {
        reach(Step::Begun)?;
        self.see_others(connection)?;
        let mut edge = self.edge.clone();
        match batch {
            // What is undone with the whole transaction needs no savepoint, which copies every page before it is changed.
            [alone] => {
                if self.run(connection, alone, &mut edge) == Outcome::Refused && !has(Defect::KeepsRefused) {
                    return Ok(None);
                }
            }
            _ => batch.iter_mut().try_for_each(|job| self.run_apart(connection, job, &mut edge))?,
        }
        log::write_nodes(connection, &mut edge)?;
        Ok(Some(edge))
    }

    /// Runs one of many: if it is refused, nothing of it stays.
    fn run_apart(
        &mut self,
        connection: &Connection,
        job: &mut Box<dyn Job>,
        edge: &mut Edge,
    ) -> Result<(), ApiError> {
        connection.prepare_cached("SAVEPOINT job")?.execute([])?;
        if self.run(connection, job, edge) == Outcome::Refused && !has(Defect::KeepsRefused) {
            connection.prepare_cached("ROLLBACK TO job")?.execute([])?;
        }
        connection.prepare_cached("RELEASE job")?.execute([])?;
        Ok(())
    }

    fn run(&mut self, connection: &Connection, job: &mut Box<dyn Job>, edge: &mut Edge) -> Outcome {
        let mut pending = Pending {
            form: self.form,
            connection,
            state: &self.state,
            next_index: edge.size(),
            leaves: Vec::new(),
            rewritten: None,
            is_tampered: &mut self.is_tampered,
        };
        let outcome = job.run(&mut pending);
        if outcome == Outcome::Done {
            let Pending { leaves, rewritten, .. } = pending;
            leaves.into_iter().for_each(|leaf| edge.push(leaf));
            if let Some(rewritten) = rewritten {
                *edge = rewritten;
            }
        }
        outcome
    }

    /// If another process wrote to the database, although the lock asks it not to, the tree is read again; so it is the first time,
    /// since nobody knows what was written since the start.
    fn see_others(&mut self, connection: &Connection) -> Result<(), ApiError> {
        let version = connection.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))?;
        if self.data_version.replace(version).is_none_or(|known| known != version) {
            self.state.cache.clear();
            let log = Log::at(connection, &self.state.cache)?;
            self.edge = log.edge()?;
            self.state.publish(Head::new(self.edge.size(), self.edge.root()));
        }
        Ok(())
    }
}

/// A transaction that has begun, and the leaves that one write adds to the tree.
pub(crate) struct Pending<'a> {
    form: Form,
    pub(crate) connection: &'a Connection,
    state: &'a State,
    next_index: u64,
    leaves: Vec<Hash>,
    /// The edge of a tree that a fault has made anew.
    rewritten: Option<Edge>,
    is_tampered: &'a mut bool,
}

impl Pending<'_> {
    /// Index of the leaf that would be appended next.
    pub(crate) fn next_index(&self) -> u64 {
        self.next_index
    }

    /// Appends the canonical bytes of an event.
    pub(crate) fn append(&mut self, event: &Value) -> Result<u64, ApiError> {
        let index = self.next_index;
        let leaf = self.form.bytes(event)?;
        self.leaves.push(log::insert(self.connection, index, &leaf)?);
        self.next_index += 1;
        Ok(index)
    }

    pub(crate) fn owner_of_token(&self, token_id: &str) -> Result<Option<Owner>, ApiError> {
        owner_of_token(self.connection, token_id)
    }

    /// Changes the log once, as the faults `log-*` ask for.
    pub(crate) fn tamper_once(&mut self, how: Tampering) -> Result<(), ApiError> {
        if !std::mem::replace(self.is_tampered, true) {
            let statement = "SELECT leaf FROM tlog ORDER BY leaf_index";
            let leaves = self
                .connection
                .prepare(statement)?
                .query_map([], |row| row.get(0))?
                .collect::<Result<_, _>>()?;
            self.state.cache.clear();
            self.rewritten = Some(log::tamper(self.connection, leaves, how)?);
        }
        Ok(())
    }
}
