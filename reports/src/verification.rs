//! What a verification of evidence reports: one model, one renderer a file. A renderer decides nothing.

mod json;
mod model;
mod text;

pub use json::{json_begin, json_document, json_end, json_line, line_schema, schema};
pub use model::{
    Document, FORM, Layer, Note, Reason, Required, Run, State, Summary, Tally, Text, Trusted, Verdict,
};
pub use text::{complaint, document_text, shown, summary_text};
