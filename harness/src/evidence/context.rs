//! A log that stands beside the documents.

use std::ops::ControlFlow;
use std::path::Path;

use assayer_verifier::oversight::{DocumentKind, Log, LogPart, LogReader, Trust};
use assayer_verifier::{Limits, Problem};

use super::{Item, Reader, Unreadable};

/// Reads a log as context for other documents: a file of records, or of one or several pages.
///
/// # Errors
/// A text that names the file and the first thing that is wrong with it: a log that is not sound shows nothing.
pub fn read_log(path: &Path, limits: &Limits) -> Result<Log, String> {
    let name = path.display();
    let mut log = LogReader::new(limits);
    // Page files are in order of their indexes, whatever they are called.
    let mut pages: Vec<Vec<u8>> = Vec::new();
    let in_order = |log: &mut LogReader<'_>, pages: &mut Vec<Vec<u8>>| {
        pages.sort_by_cached_key(|page| LogPart::read_page(page, limits).start());
        pages.drain(..).for_each(|page| log.add(&page));
    };
    let mut failed = None;
    let mut ended = false;
    let mut take = |item: Result<Item, Unreadable>| {
        match item {
            Ok(Item::Document { bytes, .. }) => pages.push(bytes),
            Ok(Item::Records { lines, .. }) => {
                in_order(&mut log, &mut pages);
                let filled = lines.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
                filled.for_each(|line| log.add(line));
            }
            Ok(Item::LogEnd { .. }) => ended = true,
            Ok(Item::Skipped(_)) => {}
            Err(error) => failed = Some(error.to_string()),
        }
        if failed.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let _ = Reader::new(Some(DocumentKind::Log), limits, &mut take).path(path);
    if let Some(error) = failed {
        return Err(error);
    }
    in_order(&mut log, &mut pages);
    let (log, trace) = log.finish(&Trust::default());
    match trace.refuted().next() {
        Some(layer) => {
            let problem = layer.problem.as_ref();
            let text = problem.map(|Problem { code, at, expected, found, .. }| {
                let place = if at.is_empty() { String::new() } else { format!(" at {at}") };
                format!("{}{place}: expected {expected}, found {found}", code.meaning())
            });
            Err(format!("{name}: expected a log; {}: {}", layer.id, text.unwrap_or_default()))
        }
        // The log of a registry in which nothing has happened yet is an empty file; a folder without files is none.
        None if log.leaves().is_empty() && !ended => Err(format!("{name}: expected a log, found no record")),
        None => Ok(log),
    }
}
