//! What a verification of evidence reports: one model, one renderer a file. A renderer decides nothing.

mod html;
mod json;
mod model;
mod text;

pub use html::{HTML_MOST, Page};
pub use json::{json_begin, json_document, json_end, json_line, line_schema, schema};
pub use model::{
    Bytes, Claimed, Demand, Difference, Document, Explained, FORM, Key, Layer, Note, Origin, Reason,
    Required, Run, State, Summary, Tally, Text, Trusted, Verdict,
};
pub use text::{brief_text, complaint, document_text, harmless, shown, summary_text};
