//! Reports for tests.

use assayer_vectors::Keyword;

use crate::model::{CheckResult, Counts, FORM, Label, Mode, Report, Selection, Status, Tool};

pub(crate) fn check(id: &str, status: Status, code: &str) -> CheckResult {
    CheckResult {
        id: id.to_owned(),
        group: "log".to_owned(),
        keyword: Keyword::Must,
        status,
        judged: None,
        code: code.to_owned(),
        reason: String::new(),
        label: Label::ProberObserved,
        requirements: Vec::new(),
        weak: None,
        why: String::new(),
        exchanges: Vec::new(),
        rerun: String::new(),
    }
}

pub(crate) fn report(checks: Vec<CheckResult>) -> Report {
    Report {
        form: FORM.to_owned(),
        tool: Tool { name: "assayer".to_owned(), version: "0".to_owned() },
        edition: "suite@edition".to_owned(),
        suite_digest: String::new(),
        own_suite: false,
        wire: "wire".to_owned(),
        target: "https://registry.example".to_owned(),
        conformant: Some(false),
        inconclusive: false,
        mode: Mode::Full,
        wrote: Vec::new(),
        selection: Selection::Whole,
        started_at: "2026-01-02T03:04:05Z".to_owned(),
        elapsed_ms: 0,
        requests: 0,
        counts: Counts::of(&checks),
        baseline: None,
        checks,
        provenance: String::new(),
        does_not_prove: Vec::new(),
    }
}
