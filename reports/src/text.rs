//! The report for people: every check by name and group, and a summary that says what was and was not shown.

use anstyle::{AnsiColor, Style};

use crate::model::{CheckResult, Cited, Report, Status};
use crate::visible::visible;
use crate::words::{self, counted, ended, number_of, signed, verdict};

/// The report as text. With colours as ANSI sequences; whoever prints it to something else strips them.
#[must_use]
pub fn to_text(report: &Report, titles: &[(String, String)]) -> String {
    let mut out = String::new();
    for (group, title) in titles {
        let of_group = |check: &&CheckResult| check.group == *group && check.decides();
        section(&mut out, title, report.checks.iter().filter(of_group).collect());
    }
    let findings = report.checks.iter().filter(|check| !check.decides()).collect();
    section(&mut out, "Weaknesses that no sentence forbids (they decide nothing)", findings);
    summary(&mut out, report);
    out
}

fn section(out: &mut String, title: &str, checks: Vec<&CheckResult>) {
    if checks.is_empty() {
        return;
    }
    let bold = Style::new().bold();
    push(out, &format!("{bold}{title}{bold:#}"));
    for check in checks {
        check_lines(out, check);
    }
    push(out, "");
}

fn push(out: &mut String, line: &str) {
    out.push_str(line);
    out.push('\n');
}

/// A line with something of the target in it, harmless for a terminal.
fn push_foreign(out: &mut String, line: &str) {
    push(out, &visible(line, |_| false));
}

fn check_lines(out: &mut String, check: &CheckResult) {
    let style = style(check.status);
    let weak = check.weak.as_ref().map_or(String::new(), |weak| format!("  (weak: {weak})"));
    let word = ended(check);
    push(out, &format!("  {style}{word:<14}{style:#} {}{weak}", check.id));
    if check.status == Status::Pass {
        if !check.reason.is_empty() {
            push_foreign(out, &format!("                 {}", check.reason));
        }
        return;
    }
    if !check.code.is_empty() {
        push(out, &format!("                 {}", check.code));
    }
    for line in check.reason.lines() {
        push_foreign(out, &format!("                 {line}"));
    }
    if matches!(check.status, Status::NotApplicable) {
        return;
    }
    for cited in &check.requirements {
        let Cited { id, keyword, statement, source } = cited;
        push(out, &format!("                 {id} ({}, {source}): {statement}", keyword.as_str()));
    }
    for exchange in &check.exchanges {
        push_foreign(out, &format!("                 {exchange}"));
    }
    push_foreign(out, &format!("                 again: {}", check.rerun));
}

fn style(status: Status) -> Style {
    let colour = match status {
        Status::Pass => AnsiColor::Green,
        // What is expected is no better for it.
        Status::Fail | Status::Error | Status::ExpectedFailure | Status::Stale => AnsiColor::Red,
        Status::Warn | Status::Finding | Status::NotVerified => AnsiColor::Yellow,
        Status::NotApplicable => AnsiColor::Cyan,
    };
    colour.on_default()
}

fn summary(out: &mut String, report: &Report) {
    push(out, &counted(&report.counts));
    push(out, &format!("edition  {}", report.edition));
    push(out, &format!("wire     {}", report.wire));
    push_foreign(out, &format!("target   {}", report.target));
    push(
        out,
        &format!(
            "sent     {} in {} ms",
            number_of(report.requests, "exchange", "exchanges"),
            report.elapsed_ms
        ),
    );
    wrote(out, report);
    let bold = Style::new().bold();
    let verdict = verdict(report);
    push(out, &format!("{bold}{verdict}{bold:#}"));
    baseline(out, report);
    push(out, "");
    push(out, &report.provenance);
    push(out, &signed(report));
    push(out, "");
    push(out, "What a pass does not prove:");
    for sentence in &report.does_not_prove {
        push(out, &format!("  - {sentence}"));
    }
}

/// What the baseline came to.
fn baseline(out: &mut String, report: &Report) {
    let Some((all, entries)) = words::baseline(report) else { return };
    push(out, &format!("baseline {all}"));
    for entry in entries {
        let (status, what, text) = (entry.status.as_str(), entry.what, &entry.text);
        push_foreign(out, &format!("         {status}: {what}: {text}"));
        push_foreign(out, &format!("           {}", entry.answered_for()));
    }
    for line in words::flaky(report) {
        push(out, &format!("         {line}"));
    }
}

/// What was left behind: of a canary run each thing, of others how many.
fn wrote(out: &mut String, report: &Report) {
    let (all, each) = words::left(report);
    push(out, &format!("left     {all}"));
    for line in each {
        push_foreign(out, &format!("         {line}"));
    }
}
