//! The report as Markdown, for the summary of a CI step and for an issue: the verdict, what stands against it, the groups.

use std::fmt::Write;

use crate::difference::difference;
use crate::model::{CheckResult, Report, Status};
use crate::outcome::STATUSES;
use crate::visible::visible;
use crate::words::{
    self, counted, ended, flaky, is_remark, left, number_of, signed, stands_against, verdict,
};

/// So many checks are told at length; a summary of a CI step may have a mebibyte.
const MOST: usize = 100;

/// So many exchanges of a check are told.
const MOST_EXCHANGES: usize = 6;

/// The report as Markdown (GitHub's), with a newline at its end.
pub(crate) fn to_markdown(report: &Report, titles: &[(String, String)]) -> String {
    let mut out = format!("# Conformance: {}\n\n", escaped(&verdict(report)));
    let _ = writeln!(out, "{}.\n", counted(&report.counts));
    about(&mut out, report);
    baseline(&mut out, report);
    let against: Vec<&CheckResult> = report.checks.iter().filter(|check| stands_against(check)).collect();
    section(&mut out, "What broke", &against);
    let remarks: Vec<&CheckResult> = report.checks.iter().filter(|check| is_remark(check)).collect();
    section(&mut out, "What decides nothing, and is worth a look", &remarks);
    groups(&mut out, report, titles);
    let _ = writeln!(out, "{}\n\n{}.\n", escaped(&report.provenance), signed(report));
    let _ = writeln!(out, "## What a pass does not prove\n");
    for sentence in &report.does_not_prove {
        let _ = writeln!(out, "- {}", escaped(sentence));
    }
    out
}

fn about(out: &mut String, report: &Report) {
    let _ = writeln!(out, "| | |\n|---|---|");
    for (name, value) in [
        ("Target", escaped(&report.target)),
        ("Edition", escaped(&report.edition)),
        ("Wire profile", escaped(&report.wire)),
        ("Suite", format!("SHA-256 `{}`", report.suite_digest)),
        ("Started", escaped(&report.started_at)),
        (
            "Sent",
            format!("{} in {} ms", number_of(report.requests, "exchange", "exchanges"), report.elapsed_ms),
        ),
        ("Left behind", escaped(&left_in_all(report))),
        ("Made by", escaped(&format!("{} {}", report.tool.name, report.tool.version))),
    ] {
        let _ = writeln!(out, "| {name} | {value} |");
    }
    out.push('\n');
}

fn left_in_all(report: &Report) -> String {
    let (all, each) = left(report);
    [vec![all], each].concat().join("; ")
}

/// What the baseline came to, if one was laid over the report.
fn baseline(out: &mut String, report: &Report) {
    let Some((all, entries)) = words::baseline(report) else { return };
    let _ = writeln!(out, "## Baseline\n\n{all}.\n");
    for entry in entries {
        let (what, text) = (escaped(entry.what), escaped(&entry.text));
        let _ = writeln!(
            out,
            "- {}: **{what}**: {text}; {}",
            entry.status.as_str(),
            escaped(&entry.answered_for())
        );
    }
    for line in flaky(report) {
        let _ = writeln!(out, "- {}", escaped(&line));
    }
    out.push('\n');
}

fn section(out: &mut String, title: &str, checks: &[&CheckResult]) {
    if checks.is_empty() {
        return;
    }
    let _ = writeln!(out, "## {title}\n");
    for check in checks.iter().take(MOST) {
        told(out, check);
    }
    if let Some(more) = checks.len().checked_sub(MOST).filter(|more| *more > 0) {
        let _ = writeln!(out, "…and {more} more, named below.\n");
    }
}

fn told(out: &mut String, check: &CheckResult) {
    let _ = writeln!(out, "### {}: {}\n", ended(check), escaped(&check.id));
    for cited in &check.requirements {
        let (id, keyword) = (escaped(&cited.id), cited.keyword.as_str());
        let (statement, source) = (escaped(&cited.statement), escaped(&cited.source));
        let _ = writeln!(out, "> **{id}** ({keyword}, {source}): {statement}\n>");
    }
    let _ = writeln!(out, "\n{} ({})\n", escaped(&check.why), check.label.as_str());
    if !check.code.is_empty() {
        let _ = writeln!(out, "Reason: {}\n", escaped(&check.code));
    }
    match difference(&check.reason) {
        Some(found) => {
            let line = |text: crate::difference::Marked| text.before + &text.differs + &text.after;
            let place =
                if found.place.is_empty() { String::new() } else { format!("at       {}\n", found.place) };
            let (expected, other) = (line(found.expected), line(found.found));
            fenced(out, &format!("{place}expected {expected}\nfound    {other}"));
        }
        None => fenced(out, &check.reason),
    }
    let _ = writeln!(out, "<details><summary>Exchanges, and how to see it again</summary>\n");
    let mut text = check.exchanges.iter().take(MOST_EXCHANGES).cloned().collect::<Vec<_>>().join("\n");
    if let Some(more) = check.exchanges.len().checked_sub(MOST_EXCHANGES).filter(|more| *more > 0) {
        let _ = write!(text, "\n…and {more} more");
    }
    fenced(out, &text);
    fenced(out, &check.rerun);
    let _ = writeln!(out, "</details>\n");
}

fn groups(out: &mut String, report: &Report, titles: &[(String, String)]) {
    let head: Vec<&str> = STATUSES.iter().map(|meaning| meaning.name).collect();
    let _ = writeln!(out, "## Groups\n\n| group | checks | {} |", head.join(" | "));
    let _ = writeln!(out, "|---|{}", "---:|".repeat(head.len() + 1));
    for (title, counts) in crate::words::by_group(report, titles) {
        let cells: Vec<String> =
            STATUSES.iter().map(|meaning| counts.with(meaning.status).to_string()).collect();
        let _ = writeln!(out, "| {} | {} | {} |", escaped(title), counts.total, cells.join(" | "));
    }
    let all: Vec<String> =
        STATUSES.iter().map(|meaning| report.counts.with(meaning.status).to_string()).collect();
    let _ = writeln!(out, "| **all** | {} | {} |\n", report.counts.total, all.join(" | "));
    for status in STATUSES.map(|meaning| meaning.status).into_iter().filter(|status| *status != Status::Pass)
    {
        let of_status = report.checks.iter().filter(|check| check.status == status);
        let names: Vec<String> = of_status.map(|check| format!("`{}`", check.id.replace('`', "'"))).collect();
        if !names.is_empty() {
            let _ = writeln!(out, "{}: {}\n", status.as_str(), names.join(", "));
        }
    }
}

/// A text in a block of its own, which nothing in it can end.
fn fenced(out: &mut String, text: &str) {
    let text = visible(text, |character| character == '\n');
    let longest = text.split(|character| character != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    let _ = writeln!(out, "{fence}text\n{text}\n{fence}\n");
}

/// A text that is nothing but text, wherever it stands.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for character in visible(text, |_| false).chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            // No person is called because a text from outside names one.
            '@' => out.push_str("&#64;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '#' | '|' | '~' | '!' => out.extend(['\\', character]),
            _ => out.push(character),
        }
    }
    out
}
