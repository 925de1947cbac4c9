//! How far verification has come: a bar with rate and remaining time, for who watches a terminal.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use assayer_reports::number_of;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::variable;

/// What is done sooner needs no bar.
const PATIENCE: Duration = Duration::from_millis(500);

/// A bar that appears on standard error when work takes long; nothing at all where nobody watches.
pub(super) struct Progress {
    bar: Option<ProgressBar>,
    started: Instant,
    visible: bool,
    /// Whether standard output goes to the same terminal: then each line must wait until the bar is out of its way.
    shares_screen: bool,
}

impl Progress {
    /// A bar over all bytes of these paths; their sum is unknown when one is a stream.
    pub(super) fn over(paths: &[PathBuf]) -> Self {
        let bar = is_watched().then(|| bar(total(paths)));
        let shares_screen = std::io::stdout().is_terminal();
        Self { bar, started: Instant::now(), visible: false, shares_screen }
    }

    /// Moves on to so many bytes and documents.
    pub(super) fn advance(&mut self, done: &AtomicU64, documents: usize, bad: usize) {
        let Some(bar) = &self.bar else { return };
        if !self.visible {
            if self.started.elapsed() < PATIENCE {
                return;
            }
            bar.set_draw_target(ProgressDrawTarget::stderr());
            self.visible = true;
        }
        bar.set_position(done.load(Ordering::Relaxed));
        let rate = per_second(documents, self.started.elapsed());
        bar.set_message(message(documents, bad, rate));
    }

    /// Prints to standard output, while the bar is out of the way if it would be in it.
    pub(super) fn print<T>(&self, print: impl FnOnce() -> T) -> T {
        if self.shares_screen { self.aside(print) } else { print() }
    }

    /// Prints to standard error while the bar is out of the way.
    pub(super) fn aside<T>(&self, print: impl FnOnce() -> T) -> T {
        match &self.bar {
            Some(bar) if self.visible => bar.suspend(print),
            _ => print(),
        }
    }

    /// Takes the bar away.
    pub(super) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Whether somebody watches standard error who can see a bar and did not ask for plain output.
fn is_watched() -> bool {
    let plain = variable("NO_COLOR").is_some() || variable("CI").is_some();
    let dumb = variable("TERM").is_none_or(|terminal| terminal == "dumb");
    std::io::stderr().is_terminal() && !plain && !dumb
}

fn bar(total: Option<u64>) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::hidden());
    let template = match total {
        Some(_) => "{bar:24} {percent:>3}%  {msg}  {binary_bytes_per_sec}  {eta} left",
        None => "{spinner}  {msg}  {binary_bytes} read  {elapsed}",
    };
    // A template that does not parse leaves the bar as the library draws it.
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style.progress_chars("=> ")),
        Err(_) => bar,
    }
}

fn message(documents: usize, bad: usize, rate: u64) -> String {
    let bad = if bad == 0 { String::new() } else { format!(", {bad} not as required") };
    format!("{}{bad}  {rate}/s", number_of(documents, "document", "documents"))
}

fn per_second(documents: usize, elapsed: Duration) -> u64 {
    let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX).max(1);
    (documents as u64).saturating_mul(1_000) / millis
}

/// Bytes of all files; `None` when a path is a stream. What cannot be looked at counts as nothing: reading it will say why.
fn total(paths: &[PathBuf]) -> Option<u64> {
    paths.iter().try_fold(0_u64, |sum, path| Some(sum.saturating_add(size(path)?)))
}

fn size(path: &Path) -> Option<u64> {
    if path.as_os_str() == "-" {
        return None;
    }
    let Ok(metadata) = path.metadata() else { return Some(0) };
    if metadata.is_file() {
        return Some(metadata.len());
    }
    metadata.is_dir().then(|| folder(path, 0))
}

fn folder(folder: &Path, depth: usize) -> u64 {
    /// As deep as the reader goes.
    const DEEPEST: usize = 32;
    let Ok(entries) = folder.read_dir() else { return 0 };
    let sizes = entries.flatten().map(|entry| match entry.file_type() {
        Ok(kind) if kind.is_dir() && depth < DEEPEST => self::folder(&entry.path(), depth + 1),
        Ok(kind) if kind.is_file() => entry.metadata().map_or(0, |metadata| metadata.len()),
        _ => 0,
    });
    sizes.fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_is_known_unless_a_stream_is_among_the_paths() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.json"), [0; 10]).unwrap();
        std::fs::create_dir(folder.path().join("inner")).unwrap();
        std::fs::write(folder.path().join("inner").join("b.json"), [0; 7]).unwrap();
        let path = folder.path().to_owned();
        assert_eq!(total(&[path.clone(), path.join("a.json"), path.join("missing")]), Some(27));
        assert_eq!(total(&[path, PathBuf::from("-")]), None);
    }

    #[test]
    fn the_bar_shows_count_rate_and_remaining_time() {
        let terminal = indicatif::InMemoryTerm::new(3, 100);
        let bar = bar(Some(1_000));
        bar.set_draw_target(ProgressDrawTarget::term_like(Box::new(terminal.clone())));
        bar.set_position(500);
        bar.set_message(message(40, 2, per_second(40, Duration::from_secs(2))));
        let shown = terminal.contents();
        for part in ["50%", "40 documents", "2 not as required", "20/s", "left"] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
    }
}
