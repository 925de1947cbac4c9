//! The report for people: every check by name and group, and a summary that says what was and was not shown.

use anstyle::{AnsiColor, Style};

use assayer_vectors::Effect;

use crate::model::{CheckResult, Cited, Mode, Report, Status};
use crate::words::{counted, signed, verdict};

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

fn check_lines(out: &mut String, check: &CheckResult) {
    let style = style(check.status);
    let weak = check.weak.as_ref().map_or(String::new(), |weak| format!("  (weak: {weak})"));
    let word = match check.judged {
        Some(judged) => format!("{} ({})", judged.as_str(), check.status.as_str()),
        None => check.status.as_str().to_owned(),
    };
    push(out, &format!("  {style}{word:<14}{style:#} {}{weak}", check.id));
    if check.status == Status::Pass {
        if !check.reason.is_empty() {
            push(out, &format!("                 {}", check.reason));
        }
        return;
    }
    if !check.code.is_empty() {
        push(out, &format!("                 {}", check.code));
    }
    for line in check.reason.lines() {
        push(out, &format!("                 {line}"));
    }
    if matches!(check.status, Status::NotApplicable) {
        return;
    }
    for cited in &check.requirements {
        let Cited { id, keyword, statement, source } = cited;
        push(out, &format!("                 {id} ({}, {source}): {statement}", keyword.as_str()));
    }
    for exchange in &check.exchanges {
        push(out, &format!("                 {exchange}"));
    }
    push(out, &format!("                 again: {}", check.rerun));
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
    push(out, &format!("target   {}", report.target));
    push(out, &format!("sent     {} requests in {} ms", report.requests, report.elapsed_ms));
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
    let Some(result) = &report.baseline else { return };
    let (expected, stale) = (report.counts.expected_failure, result.stale.len());
    push(
        out,
        &format!(
            "baseline {expected} failures as expected, {stale} entries stale, {} of other runs",
            result.out_of_scope
        ),
    );
    for entry in &result.stale {
        let check = entry.check.as_ref().filter(|check| **check != entry.entry);
        let check = check.map(|check| format!(" ({check})")).unwrap_or_default();
        push(out, &format!("         stale: {}{check}: {}", entry.entry, entry.text));
    }
    for check in &result.flaky {
        push(out, &format!("         known to come and go, which changes nothing: {check}"));
    }
}

/// What was left behind: of a canary run each thing, of others how many.
fn wrote(out: &mut String, report: &Report) {
    let count = |effect| report.wrote.iter().filter(|wrote| wrote.effect == effect).count();
    let (registered, events) = (count(Effect::Registers), count(Effect::RecordsEvent));
    push(
        out,
        &format!("left     {registered} registrations, {events} events (mode {})", report.mode.as_str()),
    );
    for wrote in report.wrote.iter().filter(|_| report.mode != Mode::Full) {
        let file = wrote.file_id.as_ref().map(|id| format!(", file {id}")).unwrap_or_default();
        let leaf = wrote.tlog_index.map(|index| format!(", leaf {index}")).unwrap_or_default();
        push(out, &format!("         {}{file}{leaf}", wrote.request));
    }
}
