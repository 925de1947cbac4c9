//! The report on evidence for people.

use std::borrow::Cow;
use std::fmt::Write;

use anstyle::{AnsiColor, Style};

use super::model::{Bytes, Demand, Document, Explained, Layer, Note, Reason, State, Summary, Verdict};
use crate::visible::visible;
use crate::words::number_of;

/// One document, with all its layers. With colours as ANSI sequences; whoever prints it to something else strips them.
#[must_use]
pub fn document_text(document: &Document) -> String {
    let mut out = heading(document) + &claim_lines(document);
    for layer in &document.layers {
        layer_lines(&mut out, layer);
    }
    out + &open_line(document) + &not_asked_line(document)
}

/// One document among many: a line if it is as required (`good`), else with the layers that are refuted.
#[must_use]
pub fn brief_text(document: &Document, good: bool) -> String {
    let mut out = heading(document) + &claim_lines(document);
    out += &remarks(document);
    if good {
        return out + &not_asked_line(document);
    }
    for layer in document.layers.iter().filter(|layer| layer.state == State::Refuted) {
        layer_lines(&mut out, layer);
    }
    out + &open_line(document) + &not_asked_line(document)
}

/// The remarks that nobody may miss: a trusted key signed heads of another log, and they were set aside; or a number is not the one that was
/// signed, to who reads all of its digits.
fn remarks(document: &Document) -> String {
    let notes = document.layers.iter().flat_map(|layer| &layer.notes);
    let line = |note: &Note| {
        let (name, at) = match &*note.code {
            "log.other-key" => ("set aside", String::new()),
            "interop.rounded-number" => ("rounded", format!("{}: ", shown(&note.at))),
            _ => return None,
        };
        Some(format!("  {name:<16}{at}{} ({})\n", shown_in_full(&note.text), note.code))
    };
    notes.filter_map(line).collect()
}

fn not_asked_line(document: &Document) -> String {
    if document.not_asked.is_empty() {
        return String::new();
    }
    let layers = document.not_asked.join(", ");
    format!("  not asked of it, since no {} has such a layer: {layers}\n", document.kind)
}

/// What is claimed: a claim that holds is not one that anybody has to like.
fn claim_lines(document: &Document) -> String {
    let Some(claim) = &document.claim else { return String::new() };
    let mut out = format!("  {:<16}{}\n", "claims", shown_in_full(&claim.words()));
    if let Some(rests) = claim.rests() {
        let _ = writeln!(out, "  {:<16}{rests}", "of these");
    }
    if !claim.is_favourable() {
        let _ = writeln!(out, "  {:<16}it does not claim that the target conforms: exit code 1", "so");
    }
    out
}

fn open_line(document: &Document) -> String {
    if document.verdict == Some(Verdict::Equivocation) {
        return "  the proof holds: the holder of this key signed two heads that cannot belong to one log\n"
            .to_owned();
    }
    if document.verdict != Some(Verdict::Consistent) {
        return String::new();
    }
    let short = if document.accuses() { "whose equivocation this is, is not shown" } else { "not authentic" };
    format!("  {short}, because these are not established: {}\n", document.open.join(", "))
}

fn heading(document: &Document) -> String {
    if document.error.is_some() {
        // It was complained about, on standard error.
        return String::new();
    }
    let (word, colour) = match document.verdict {
        Some(Verdict::Authentic) => ("authentic", AnsiColor::Green),
        Some(Verdict::Consistent) => ("consistent", AnsiColor::Cyan),
        Some(Verdict::Equivocation) => ("EQUIVOCATION ESTABLISHED", AnsiColor::Red),
        Some(Verdict::Refuted) => ("refuted", AnsiColor::Red),
        None => ("not evidence of a known kind", AnsiColor::Yellow),
    };
    let style = Style::new().bold().fg_color(Some(colour.into()));
    format!("{}: {}: {style}{word}{style:#}\n", shown(&document.path), document.kind)
}

fn layer_lines(out: &mut String, layer: &Layer) {
    let colour = match layer.state {
        State::Established => AnsiColor::Green,
        State::NotEstablished => AnsiColor::Yellow,
        State::Refuted => AnsiColor::Red,
    };
    let style = colour.on_default();
    let mut detail = Vec::new();
    if !layer.schemes.is_empty() {
        let ambiguous = if layer.schemes.len() > 1 { " (ambiguous: each of them fits)" } else { "" };
        detail.push(format!("under {}{ambiguous}", layer.schemes.join(", ")));
    }
    if layer.state != State::Established {
        let at = if layer.at.is_empty() { String::new() } else { format!(" at {}", shown(&layer.at)) };
        detail.push(format!("{}{at}: {}", layer.code, layer.meaning));
    }
    let detail = if detail.is_empty() { String::new() } else { format!("  {}", detail.join("; ")) };
    let _ = writeln!(out, "  {style}{:<16}{style:#}{:<19}{detail}", layer.state.as_str(), layer.id);
    let mut line = |name: &str, text: &str| {
        let _ = writeln!(out, "                  {name:<11}{}", shown(text));
    };
    if layer.state == State::Refuted || layer.explained.is_some() {
        if let Some(expected) = &layer.expected {
            line("expected", expected);
        }
        if let Some(found) = &layer.found {
            line("found", found);
        }
    }
    if let Some(problems) = layer.problems {
        line("problems", &format!("{problems} in all, the first is shown"));
    }
    if let Some(explained) = &layer.explained {
        explained_lines(explained, layer, &mut line);
    }
    for note in &layer.notes {
        line("note", &format!("{} at {}: {}", note.code, note.at, note.text));
    }
}

fn explained_lines(explained: &Explained, layer: &Layer, line: &mut impl FnMut(&str, &str)) {
    line("rule", &explained.rule);
    if !explained.recomputed.is_empty() {
        line("recomputed", &explained.recomputed);
    }
    if !layer.readings.is_empty() {
        line("read as", &layer.readings.join(", "));
    }
    if layer.state == State::Established {
        line("shows", &explained.establishes);
        line("but", &explained.does_not_establish);
    } else {
        line("would show", &explained.establishes);
    }
    for key in &explained.keys {
        let at = if key.at.is_empty() { String::new() } else { format!(", at {}", key.at) };
        line("key", &format!("{} {}{at}", key.key, key.origin.as_str()));
    }
    for bytes in &explained.bytes {
        bytes_lines(bytes, line);
    }
    if explained.more > 0 {
        line("bytes", &format!("and {} more", explained.more));
    }
}

fn bytes_lines(bytes: &Bytes, line: &mut impl FnMut(&str, &str)) {
    let at = if bytes.at.is_empty() { String::new() } else { format!(" ({})", bytes.at) };
    line("bytes", &format!("{}{at}", bytes.what));
    line("", &format!("{} bytes, SHA-256 {}: {}", bytes.length, bytes.sha256, bytes.outcome()));
    if !bytes.schemes.is_empty() {
        let readings = match bytes.readings.as_slice() {
            [] => String::new(),
            readings => format!(", read as {}", readings.join(", ")),
        };
        line("", &format!("written by {}{readings}", bytes.schemes.join(", ")));
    }
    if let Some(difference) = &bytes.difference {
        let place = if difference.at.is_empty() { String::new() } else { format!(", {}", difference.at) };
        line("differs", &format!("from {}, first at byte {}{place}", difference.with, difference.offset));
        let shown = |hex: &str, text: &str| format!("{hex}  {text:?}");
        line("  here", &shown(&difference.recomputed_hex, &difference.recomputed_text));
        line("  there", &shown(&difference.other_hex, &difference.other_text));
    }
}

/// What came out over all documents: counts, rate, the most frequent reasons with one example each.
#[must_use]
pub fn summary_text(summary: &Summary) -> String {
    let mut out = format!(
        "{}: {} authentic, {} consistent, {}{} refuted, {} of no known kind; {} unreadable, {} left out\n",
        number_of(summary.documents, "document", "documents"),
        summary.authentic,
        summary.consistent,
        match summary.equivocation {
            0 => String::new(),
            proofs => format!("{} of equivocation, ", number_of(proofs, "proof", "proofs")),
        },
        summary.refuted,
        summary.unknown,
        summary.unreadable,
        number_of(summary.skipped, "file", "files")
    );
    for reason in &summary.reasons {
        let _ =
            writeln!(out, "  {:>9}  {:<28} as in {}", reason.documents, reason.code, shown(&reason.example));
    }
    for note in &summary.notes {
        let Reason { code, documents, example } = note;
        let _ = writeln!(out, "  {documents:>9}  {code:<28} noted, as in {}", shown(example));
    }
    for demand in &summary.demands {
        let Demand { layer, asked, established, not_asked } = demand;
        let asked = number_of(*asked, "document", "documents");
        let others = match not_asked {
            0 => String::new(),
            1 => "; 1 other cannot, and was not asked".to_owned(),
            others => format!("; {others} others cannot, and were not asked"),
        };
        let _ = writeln!(
            out,
            "  {layer} was required: established in {established} of {asked} that can have it{others}"
        );
    }
    let seconds = summary.elapsed_ms / 1_000;
    let tenths = summary.elapsed_ms % 1_000 / 100;
    let _ = writeln!(
        out,
        "  {} a second, {seconds}.{tenths} s in all",
        number_of(summary.documents_per_second, "document", "documents")
    );
    if summary.stopped {
        let _ = writeln!(out, "  stopped at the first document that is not as required: these are not all");
    }
    out
}

/// A complaint about a path, on one line.
#[must_use]
pub fn complaint(path: &str, what: &str) -> String {
    format!("{}: {}", shown(path), shown(what))
}

/// A text from outside must not steer the terminal, nor fill it.
#[must_use]
pub fn shown(text: &str) -> String {
    const MOST: usize = 240;
    match text.char_indices().nth(MOST).and_then(|(at, _)| text.get(..at)) {
        None => visible(text, |_| false).into_owned(),
        Some(start) => format!("{}…", visible(start, |_| false)),
    }
}

/// A text from outside that must not steer the terminal, with more room: it has a digest at its end.
fn shown_in_full(text: &str) -> String {
    const MOST: usize = 2_000;
    let start: String = text.chars().take(MOST).collect();
    visible(&start, |_| false).into_owned()
}

/// A text from outside, of several lines perhaps, that steers no terminal.
#[must_use]
pub fn harmless(text: &str) -> Cow<'_, str> {
    visible(text, |character| character == '\n')
}
