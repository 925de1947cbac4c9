//! The report on evidence as JSON: a line a document, or one document that is written as the findings come.

use serde::Serialize;

use super::model::{Document, FORM, Run, Summary};

/// One document on one line, with the newline.
#[must_use]
pub fn json_line(document: &Document) -> String {
    let mut text = written(document);
    text.push('\n');
    text
}

/// Everything before the first document.
#[must_use]
pub fn json_begin(run: &Run) -> String {
    format!("{{\n\"form\": {},\n\"run\": {},\n\"documents\": [", written(&FORM), written(run))
}

/// The next document; `first` has none before it.
#[must_use]
pub fn json_document(document: &Document, position: usize) -> String {
    let comma = if position == 0 { "" } else { "," };
    format!("{comma}\n{}", written(document))
}

/// Everything after the last document.
#[must_use]
pub fn json_end(summary: &Summary) -> String {
    format!("\n],\n\"summary\": {}\n}}\n", written(summary))
}

/// JSON that steers no terminal: what [`crate::visible::is_hostile`] names stands only in strings, where an escape means the
/// same.
fn written(value: &impl Serialize) -> String {
    // The model has only texts, numbers and lists: there is nothing that could not be written.
    let text = serde_json::to_string(value).unwrap_or_default();
    if !text.chars().any(crate::visible::is_hostile) {
        return text;
    }
    let mut harmless = String::with_capacity(text.len());
    for character in text.chars() {
        if crate::visible::is_hostile(character) {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                harmless.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            harmless.push(character);
        }
    }
    harmless
}

/// The whole report, as its schema describes it.
#[derive(schemars::JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is used: the report is written piece by piece")]
struct Whole {
    /// Form of this document: `assayer-verify/1`.
    form: String,
    /// What was asked, when, of what.
    run: Run,
    /// The documents, in the order of reading; those alone that were asked for.
    documents: Vec<Document>,
    /// What came out over all documents.
    summary: Summary,
}

/// The JSON Schema of `--format json` (draft 2020-12), with a newline at its end.
#[must_use]
pub fn schema() -> String {
    schema_text(&schemars::schema_for!(Whole))
}

/// The JSON Schema of a line of `--format ndjson` (draft 2020-12), with a newline at its end.
#[must_use]
pub fn line_schema() -> String {
    schema_text(&schemars::schema_for!(Document))
}

fn schema_text(schema: &schemars::Schema) -> String {
    let mut text = serde_json::to_string_pretty(schema).unwrap_or_default();
    text.push('\n');
    text
}
