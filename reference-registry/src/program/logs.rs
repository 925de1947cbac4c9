//! The log on standard error. Lines are written by a thread of their own: whoever reads them slowly, or not at all, holds up nobody.

use std::{
    io::{self, Write},
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread,
    time::Duration,
};

use clap::ValueEnum;
use tracing_subscriber::{filter::LevelFilter, fmt::MakeWriter};

/// Lines that may wait; those beyond are dropped.
const WAITING: usize = 4096;

/// How long a program that stops waits for its last lines.
const PATIENCE: Duration = Duration::from_secs(2);

/// How a line is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// One JSON object a line.
    Json,
    /// Nothing.
    Off,
    /// For people.
    Text,
}

enum Message {
    Line(Vec<u8>),
    Flush(SyncSender<()>),
}

/// The log of this program.
pub(crate) struct Logs(Option<SyncSender<Message>>);

impl Logs {
    /// From now on everything at level INFO and above is written.
    pub(crate) fn start(format: Format) -> Self {
        if format == Format::Off {
            return Self(None);
        }
        let (sender, receiver) = sync_channel(WAITING);
        thread::spawn(move || write_all(&receiver));
        let lines = Lines(sender.clone());
        let logs =
            tracing_subscriber::fmt().with_max_level(LevelFilter::INFO).with_writer(lines).with_ansi(false);
        let started = match format {
            Format::Json => logs.json().flatten_event(true).try_init(),
            Format::Off | Format::Text => logs.try_init(),
        };
        drop(started);
        Self(Some(sender))
    }

    /// Waits for the lines so far, but not for long.
    pub(crate) fn finish(self) {
        let (done, finished) = sync_channel(1);
        let Some(sender) = self.0 else { return };
        if sender.try_send(Message::Flush(done)).is_ok() {
            // Late is as good as never.
            let _ = finished.recv_timeout(PATIENCE);
        }
    }
}

fn write_all(messages: &Receiver<Message>) {
    for message in messages {
        match message {
            Message::Line(line) => drop(io::stderr().write_all(&line)),
            Message::Flush(done) => drop(done.send(())),
        }
    }
}

struct Lines(SyncSender<Message>);

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line { text: Vec::new(), to: &self.0 }
    }
}

/// A line that is handed over when it is complete.
struct Line<'a> {
    text: Vec<u8>,
    to: &'a SyncSender<Message>,
}

impl Write for Line<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line<'_> {
    fn drop(&mut self) {
        drop(self.to.try_send(Message::Line(std::mem::take(&mut self.text))));
    }
}
