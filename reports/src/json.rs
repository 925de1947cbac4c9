//! The report as JSON, and its schema.

use crate::model::Report;

/// The report as one JSON document, with a newline at its end.
#[must_use]
pub fn to_json(report: &Report) -> String {
    // The model has only texts, numbers and lists: there is nothing that could not be written.
    let mut text = serde_json::to_string_pretty(report).unwrap_or_default();
    text.push('\n');
    text
}

/// The JSON Schema of the report (draft 2020-12), with a newline at its end.
#[must_use]
pub fn schema() -> String {
    let schema = schemars::schema_for!(Report);
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}
