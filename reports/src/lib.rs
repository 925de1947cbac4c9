//! The report of a run: one model, one renderer a file. A renderer decides nothing; every word of a verdict is in the
//! model.

mod json;
mod model;
mod text;
pub mod verification;

pub use json::{schema, to_json};
pub use model::{CheckResult, Cited, Counts, FORM, Report, Selection, Status, Tool};
pub use text::to_text;
