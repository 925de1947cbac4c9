//! A picture of the verdict (SVG): the edition, the outcome, the day. Nothing that was not shown by a complete run.

use askama::Template;

use crate::model::{Report, Selection};
use crate::visible::visible;
use crate::words::{counted, day};

/// Why there is no badge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoBadge {
    /// A filter was given.
    #[error("a badge stands for a complete run: expected the whole edition, found a selection of its checks")]
    Selection,
    /// The target could not be asked to the end.
    #[error("a badge stands for a complete run: expected a verdict, found an inconclusive run")]
    Inconclusive,
}

#[derive(Template)]
#[template(path = "badge.svg", escape = "xml")]
struct Badge<'r> {
    label: &'r str,
    message: &'r str,
    title: &'r str,
    fill: &'static str,
    label_width: u32,
    message_width: u32,
}

/// The badge.
///
/// # Errors
/// [`NoBadge`] for a run that is not complete.
pub(crate) fn to_badge(report: &Report) -> Result<String, NoBadge> {
    let conformant = match (report.selection, report.conformant) {
        (Selection::Part, _) => return Err(NoBadge::Selection),
        (Selection::Whole, None) => return Err(NoBadge::Inconclusive),
        (Selection::Whole, Some(conformant)) => conformant,
    };
    let word = if conformant { "conformant" } else { "not conformant" };
    let message = format!("{word} · {}", day(report));
    let title = format!(
        "{}: {word} to {} on {}: {}. Target: {}. Suite: SHA-256 {}.",
        report.tool.name,
        report.edition,
        day(report),
        counted(&report.counts),
        visible(&report.target, |_| false),
        report.suite_digest,
    );
    let badge = Badge {
        label: &report.edition,
        message: &message,
        title: &title,
        fill: if conformant { "#14622f" } else { "#9c1c1c" },
        label_width: width(&report.edition),
        message_width: width(&message),
    };
    // It writes to memory, and there is nothing in it that could fail.
    Ok(badge.render().unwrap_or_default() + "\n")
}

/// About how wide a text is in Verdana at 11 pixels, with its margins; the picture stretches the text to it.
fn width(text: &str) -> u32 {
    let tenths = |character: char| match character {
        'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | '\'' | '|' => 36,
        'f' | 'r' | 't' | ' ' | '-' | '·' | '(' | ')' => 46,
        'm' | 'w' | 'M' | 'W' | '@' => 100,
        'A'..='Z' => 78,
        _ => 68,
    };
    text.chars().map(tenths).sum::<u32>() / 10 + 14
}
