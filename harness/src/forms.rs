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
    let text = coloured(form, suite, report)?;
    Ok(match form {
        Form::Text => anstream::adapter::strip_str(&text).to_string(),
        _ => text,
    })
}

/// The same with colours, as ANSI sequences, where it is text for a terminal.
///
/// # Errors
/// [`FormError`], as of a badge for a run that is not complete.
pub fn coloured(form: Form, suite: &Suite, report: &Report) -> Result<String, FormError> {
    form.render(&marked(form, suite, report), &titles(suite))
}

/// The same files as a version writes them whose own suite this is: without a mark.
pub(crate) fn unmarked(suite: &Suite, report: &Report) -> Vec<(&'static str, String)> {
    let others = Form::ALL.into_iter().filter(|form| *form != Form::Json);
    let written = |form: Form| form.render(report, &titles(suite)).ok();
    let plain = |text: String| anstream::adapter::strip_str(&text).to_string();
    others
        .filter_map(|form| {
            let text = written(form)?;
            Some((form.file_name(), if form == Form::Text { plain(text) } else { text }))
        })
        .collect()
}

/// The files that an archive has of a report besides `report.json`: name and text of each form that can be had of it.
pub(crate) fn files(suite: &Suite, report: &Report) -> Vec<(&'static str, String)> {
    let others = Form::ALL.into_iter().filter(|form| *form != Form::Json);
    others.filter_map(|form| Some((form.file_name(), report_in(form, suite, report).ok()?))).collect()
}
