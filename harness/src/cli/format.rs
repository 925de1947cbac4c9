//! The forms in which a report can be asked for.

use assayer_reports::Form;
use clap::ValueEnum;

/// Form of a report on standard output.
#[derive(Clone, Copy, ValueEnum)]
pub(super) enum Format {
    /// For people on a terminal.
    Text,
    /// One JSON document.
    Json,
    /// JUnit XML, for CI systems.
    Junit,
    /// Markdown, for the summary of a CI step.
    Markdown,
    /// One JSON document a line: the run, each check, the summary.
    Ndjson,
    /// One self-contained page.
    Html,
    /// The verdict of a complete run as a picture (SVG).
    Badge,
}

impl From<Format> for Form {
    fn from(format: Format) -> Self {
        match format {
            Format::Text => Self::Text,
            Format::Json => Self::Json,
            Format::Junit => Self::Junit,
            Format::Markdown => Self::Markdown,
            Format::Ndjson => Self::Ndjson,
            Format::Html => Self::Html,
            Format::Badge => Self::Badge,
        }
    }
}
