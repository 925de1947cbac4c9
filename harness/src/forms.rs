//! The report in its forms, with what the suite calls its groups.

use assayer_reports::{Form, FormError, Report};
use assayer_vectors::Suite;

use crate::own_suite::marked;

/// The groups of a suite in order, each with what it is called.
#[must_use]
pub fn titles(suite: &Suite) -> Vec<(String, String)> {
    suite.groups.iter().map(|group| (group.id.clone(), group.title.clone())).collect()
}

/// A report in one form, with a newline at its end and without colours.
///
/// # Errors
/// [`FormError`], as of a badge for a run that is not complete.
pub fn report_in(form: Form, suite: &Suite, report: &Report) -> Result<String, FormError> {
    coloured(form, suite, report).map(|text| without_colours(form, text))
}

/// The same with colours, as ANSI sequences, where it is text for a terminal.
///
/// # Errors
/// [`FormError`], as of a badge for a run that is not complete.
pub fn coloured(form: Form, suite: &Suite, report: &Report) -> Result<String, FormError> {
    form.render(&marked(form, suite, report), &titles(suite))
}

/// The files that an archive has of a report besides `report.json`: name and text of each form that can be had of it.
pub(crate) fn files(suite: &Suite, report: &Report) -> Vec<(&'static str, String)> {
    let others = Form::ALL.into_iter().filter(|form| *form != Form::Json);
    others.filter_map(|form| Some((form.file_name(), report_in(form, suite, report).ok()?))).collect()
}

/// The same files, and `report.json`, as a program writes them to which the suite is what it is not to this one: its own, or not.
pub(crate) fn marked_otherwise(suite: &Suite, report: &Report) -> Vec<(&'static str, String)> {
    let report = Report { own_suite: !report.own_suite, ..report.clone() };
    let mut files = files(suite, &report);
    files.extend(report_in(Form::Json, suite, &report).map(|text| (Form::Json.file_name(), text)));
    files
}

fn without_colours(form: Form, text: String) -> String {
    match form {
        Form::Text => anstream::adapter::strip_str(&text).to_string(),
        _ => text,
    }
}
