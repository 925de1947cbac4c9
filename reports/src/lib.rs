//! The report of a run: one model, one renderer a file. A renderer decides nothing; every word of a verdict is in the
//! model.

mod badge;
mod baseline;
mod comparison;
mod diff;
mod diff_text;
mod difference;
mod form;
mod html;
mod json;
mod junit;
mod markdown;
mod matrix;
mod matrix_text;
mod model;
mod ndjson;
mod outcome;
#[cfg(test)]
mod sample;
mod site;
mod text;
pub mod verification;
mod visible;
mod words;

pub use badge::NoBadge;
pub use baseline::{
    BASELINE_FORM, Baseline, BaselineResult, Expected, ExpectedStatus, Flaky, Known, MOST_COVERED, Met,
    Refusal, Review, Scope, Stale, Staleness, baseline_schema, updated, with_baseline,
};
pub use comparison::{
    COMPARISON_FORM, Cell, ComparedRun, Comparison, Implementation, Row, comparison_schema,
    comparison_to_json,
};
pub use diff::{
    Cause, Change, ChangeKind, DIFF_FORM, Diff, DiffCounts, Ended, Side, diff_schema, diff_to_json,
};
pub use diff_text::{diff_to_markdown, diff_to_text};
pub use form::{Form, FormError};
pub use json::{schema, to_json};
pub use matrix::{
    CheckRow, FaultRow, HollowRow, Kill, MATRIX_FORM, Matrix, Totals, VariantRow, matrix_schema,
    matrix_to_json,
};
pub use matrix_text::{matrix_to_markdown, matrix_to_text};
pub use model::{
    CheckResult, Cited, Counts, FORM, Label, Mode, PROVENANCE, Report, Selection, Status, Tool, Wrote,
};
pub use ndjson::{LINES_FORM, Line, RunLine, SummaryLine, line_schema};
pub use outcome::{Meaning, Outcome, STATUSES, Weight, conformant, outcome};
pub use site::{Site, site};
pub use text::to_text;
pub use visible::one_line;
pub use words::number_of;
