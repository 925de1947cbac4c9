//! The forms of a report: what each is called, and its file in an archive.

use crate::badge::{NoBadge, to_badge};
use crate::html::to_html;
use crate::json::to_json;
use crate::junit::to_junit;
use crate::markdown::to_markdown;
use crate::model::Report;
use crate::ndjson::to_ndjson;
use crate::text::to_text;

/// One way to write a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// For people on a terminal.
    Text,
    /// One JSON document, as `report.schema.json` describes it.
    Json,
    /// JUnit XML, for CI systems.
    Junit,
    /// Markdown, for the summary of a CI step.
    Markdown,
    /// One JSON document a line, as `report-line.schema.json` describes it.
    Ndjson,
    /// One self-contained page.
    Html,
    /// A picture of the verdict (SVG).
    Badge,
}

/// Why a report cannot be had in some form.
#[derive(Debug, thiserror::Error)]
pub enum FormError {
    /// There is nothing that a badge could say.
    #[error(transparent)]
    Badge(#[from] NoBadge),
    /// A fault of ours.
    #[error("the page could not be written: {0}")]
    Html(#[from] askama::Error),
    /// A fault of ours.
    #[error("the JUnit report could not be written: {0}")]
    Junit(#[from] quick_junit::SerializeError),
}

impl Form {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Text, Self::Json, Self::Junit, Self::Markdown, Self::Ndjson, Self::Html, Self::Badge];

    /// Name of its file in an archive.
    #[must_use]
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Text => "report.txt",
            Self::Json => "report.json",
            Self::Junit => "junit.xml",
            Self::Markdown => "report.md",
            Self::Ndjson => "report.ndjson",
            Self::Html => "report.html",
            Self::Badge => "badge.svg",
        }
    }

    /// The report in this form, with a newline at its end; `titles` are the groups in order, each with what it is called.
    /// Text has colours as ANSI sequences; whoever prints it to something else strips them.
    ///
    /// # Errors
    /// [`NoBadge`] for a badge of a run that is not complete. The others are faults of ours.
    pub fn render(self, report: &Report, titles: &[(String, String)]) -> Result<String, FormError> {
        Ok(match self {
            Self::Text => to_text(report, titles),
            Self::Json => to_json(report),
            Self::Junit => to_junit(report)?,
            Self::Markdown => to_markdown(report, titles),
            Self::Ndjson => to_ndjson(report),
            Self::Html => to_html(report, titles)?,
            Self::Badge => to_badge(report)?,
        })
    }
}
