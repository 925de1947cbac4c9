//! Whether a suite is the one that this version brings along, or somebody's own under perhaps the same name.

use std::borrow::Cow;

use assayer_reports::{Form, Report};
use assayer_vectors::{Suite, embedded_digest};

use crate::run::tool;

/// What stands behind the name of an edition whose suite is not the one of this version.
const MARK: &str = "(own suite)";

/// What a reader has to know of a suite that is not the one of this version, in words; `None` of the one that is. A suite may be
/// anybody's; only its name must not lend it the weight of another.
#[must_use]
pub fn own_suite(suite: &Suite) -> Option<String> {
    let known = match embedded_digest(&suite.name) {
        Some(known) if known == suite.digest => return None,
        Some(known) => format!("which has {known}"),
        None => "which has none of this name".to_owned(),
    };
    let (name, digest, version) = (&suite.name, &suite.digest, tool().version);
    Some(format!("own suite: {name} with SHA-256 {digest} is not the suite of assayer {version}, {known}"))
}

/// A report as it is laid out for people in some form: where the suite is not the one of this version, the edition says so wherever
/// it is named, and the remark is the first of what is not proved. What programs read has a member for it.
pub(crate) fn marked<'r>(form: Form, suite: &Suite, report: &'r Report) -> Cow<'r, Report> {
    let is_for_people = !matches!(form, Form::Json | Form::Ndjson);
    let remark = own_suite(suite).filter(|_| report.own_suite && is_for_people);
    let Some(remark) = remark else { return Cow::Borrowed(report) };
    let mut marked = report.clone();
    marked.edition = format!("{} {MARK}", report.edition);
    marked.does_not_prove.insert(0, remark);
    Cow::Owned(marked)
}
