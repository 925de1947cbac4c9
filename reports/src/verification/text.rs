//! The report on evidence for people.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};

use super::model::{Document, Layer, State, Summary, Verdict};

/// One document, with all its layers. With colours as ANSI sequences; whoever prints it to something else strips them.
#[must_use]
pub fn document_text(document: &Document, explain: bool) -> String {
    let mut out = heading(document);
    for layer in &document.layers {
        layer_lines(&mut out, layer, explain);
    }
    if document.verdict == Some(Verdict::Equivocation) {
        out.push_str(
            "  the proof holds: the holder of this key signed two heads that cannot belong to one log\n",
        );
    }
    if document.verdict == Some(Verdict::Consistent) {
        let short =
            if document.accuses() { "whose equivocation this is, is not shown" } else { "not authentic" };
        let _ = writeln!(out, "  {short}, because these are not established: {}", document.open.join(", "));
    }
    out
}

fn heading(document: &Document) -> String {
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

fn layer_lines(out: &mut String, layer: &Layer, explain: bool) {
    let colour = match layer.state {
        State::Established => AnsiColor::Green,
        State::NotEstablished => AnsiColor::Yellow,
        State::Refuted => AnsiColor::Red,
    };
    let style = colour.on_default();
    let mut detail = Vec::new();
    if !layer.schemes.is_empty() {
        detail.push(format!("under {}", layer.schemes.join(", ")));
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
    if layer.state == State::Refuted || explain {
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
    if explain {
        line("rule", &layer.rule);
        if !layer.recomputed.is_empty() {
            line("recomputed", &layer.recomputed);
        }
        if !layer.readings.is_empty() {
            line("read as", &layer.readings.join(", "));
        }
    }
    for note in &layer.notes {
        line("note", &format!("{} at {}: {}", note.code, note.at, note.text));
    }
}

/// The counts over all documents, as one sentence.
#[must_use]
pub fn summary_text(summary: &Summary) -> String {
    format!(
        "{} documents: {} authentic, {} consistent, {}{} refuted, {} of no known kind; {} files left out\n",
        summary.documents,
        summary.authentic,
        summary.consistent,
        match summary.equivocation {
            0 => String::new(),
            proofs => format!("{proofs} proofs of equivocation, "),
        },
        summary.refuted,
        summary.unknown,
        summary.skipped
    )
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
    let mut line: String =
        text.chars().take(MOST).map(|c| if is_hostile(c) { '\u{FFFD}' } else { c }).collect();
    if text.chars().nth(MOST).is_some() {
        line.push('…');
    }
    line
}

/// Characters that steer a terminal or make a text read as another one: controls, line separators, the marks and
/// overrides of bidirectional text (Unicode Annex 9), and what has no width.
pub(super) fn is_hostile(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{00AD}' | '\u{061C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}'
            | '\u{E0000}'..='\u{E0FFF}')
}
