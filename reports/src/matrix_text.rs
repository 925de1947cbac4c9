//! The kill matrix for people: on a terminal what is not as it must be and the totals; as a page, all of it.

use std::fmt::Write;

use crate::matrix::{Kill, Matrix, Totals};

/// What is not as it must be, and the totals.
#[must_use]
pub fn matrix_to_text(matrix: &Matrix) -> String {
    let mut out = String::new();
    for fault in matrix.faults.iter().filter(|fault| fault.outcome != Kill::Named) {
        let noticed =
            if fault.noticed_by.is_empty() { "no check".to_owned() } else { fault.noticed_by.join(" ") };
        let _ = writeln!(out, "{:<26} {} ({})", fault.outcome.words(), fault.id, fault.does);
        let _ = writeln!(out, "{:<26} expected {}, found {noticed}", "", fault.killed_by);
        if let Some(remark) = &fault.remark {
            let _ = writeln!(out, "{:<26} {remark}", "");
        }
    }
    for variant in matrix.variants.iter().filter(|variant| !variant.good) {
        let _ = writeln!(out, "{:<26} {} ({})", "accused", variant.id, variant.does);
        let reason = variant.remark.clone().unwrap_or_else(|| variant.accused_by.join(" "));
        let _ = writeln!(out, "{:<26} {reason}", "");
    }
    for hollow in matrix.hollow.iter().filter(|hollow| !hollow.good) {
        let _ = writeln!(out, "{:<26} {} ({})", "passed what it must not", hollow.id, hollow.does);
        let reason = hollow.remark.clone().unwrap_or_else(|| hollow.wrongly_passed.join(" "));
        let _ = writeln!(out, "{:<26} {reason}", "");
    }
    for check in matrix.checks.iter().filter(|_| matrix.whole) {
        if let Some(complaint) = check.complaint() {
            let _ = writeln!(out, "{:<26} {}: {complaint}", "check", check.id);
        }
    }
    summary(&mut out, matrix);
    out
}

fn summary(out: &mut String, matrix: &Matrix) {
    let totals = &matrix.totals;
    let _ = writeln!(out, "edition   {}", matrix.edition);
    let _ = writeln!(
        out,
        "faults    {} of {} killed by the named check, {}",
        totals.named,
        totals.faults,
        others(totals)
    );
    let _ = writeln!(
        out,
        "compared  {} of {} noticed by {}",
        totals.compared, totals.faults, matrix.compared_with
    );
    let good = matrix.variants.iter().filter(|variant| variant.good).count();
    let _ = writeln!(out, "variants  {good} of {} accused of nothing", matrix.variants.len());
    let good = matrix.hollow.iter().filter(|hollow| hollow.good).count();
    let _ = writeln!(out, "hollow    {good} of {} pass nothing that they must not", matrix.hollow.len());
    let alone = matrix.checks.iter().filter(|check| !check.alone.is_empty()).count();
    let _ = writeln!(
        out,
        "checks    {alone} of {} notice something that nothing else notices",
        matrix.checks.len()
    );
    let verdict = match (matrix.is_good(), matrix.whole) {
        (true, true) => "the selftest passed",
        (true, false) => "the selection passed",
        (false, _) => "the selftest did NOT pass",
    };
    let _ = writeln!(out, "{verdict}");
}

fn others(totals: &Totals) -> String {
    format!(
        "{} by another, {} survived, {} not applied, {} crashed",
        totals.other, totals.survived, totals.not_applied, totals.crashed
    )
}

/// The page of the book.
#[must_use]
pub fn matrix_to_markdown(matrix: &Matrix) -> String {
    let mut out = String::new();
    let totals = &matrix.totals;
    let _ = writeln!(
        out,
        "# What the checks detect\n\n\
         Made by `assayer selftest --page docs/kill-matrix.md`; do not edit. Each fault was switched on alone, and `{}` was run \
         against it. `reports/kill-matrix.json` has every check that noticed each fault.\n\n\
         | | {} | {} |\n|---|---|---|\n| faults noticed | {} of {} | {} of {} |\n| by the check named for it | {} | |\n",
        matrix.edition,
        matrix.edition,
        matrix.compared_with,
        totals.named + totals.other,
        totals.faults,
        totals.compared,
        totals.faults,
        totals.named,
    );
    kinds(&mut out, matrix);
    faults(&mut out, matrix);
    variants(&mut out, matrix);
    hollow(&mut out, matrix);
    redundant(&mut out, matrix);
    out
}

fn kinds(out: &mut String, matrix: &Matrix) {
    let _ = writeln!(
        out,
        "## By kind\n\n| kind | faults | by the named check | by another | survived | noticed by {} |\n|---|---|---|---|---|---|",
        matrix.compared_with
    );
    for (kind, totals) in &matrix.kinds {
        let Totals { faults, named, other, survived, compared, .. } = totals;
        let _ = writeln!(out, "| {kind} | {faults} | {named} | {other} | {survived} | {compared} |");
    }
}

fn faults(out: &mut String, matrix: &Matrix) {
    let _ = writeln!(
        out,
        "\n## Faults\n\n`assayer serve --fault ID` serves the reference registry with one of them.\n\n\
         | fault | kind | what the registry does | must be noticed by | outcome | {} |\n|---|---|---|---|---|---|",
        matrix.compared_with
    );
    for fault in &matrix.faults {
        let compared = if fault.compared_noticed_by.is_empty() { "not noticed" } else { "noticed" };
        let (kind, outcome) = (fault.kind.as_str(), fault.outcome.words());
        let _ = writeln!(
            out,
            "| `{}` | {kind} | {} | `{}` | {outcome} | {compared} |",
            fault.id,
            cell(&fault.does),
            fault.killed_by
        );
    }
}

fn variants(out: &mut String, matrix: &Matrix) {
    let _ = writeln!(
        out,
        "\n## Differences that must not be accused\n\n| variant | what the registry does | accused |\n|---|---|---|"
    );
    for variant in &matrix.variants {
        let accused = if variant.good { "of nothing".to_owned() } else { variant.accused_by.join(" ") };
        let _ = writeln!(out, "| `{}` | {} | {accused} |", variant.id, cell(&variant.does));
    }
}

fn hollow(out: &mut String, matrix: &Matrix) {
    let _ = writeln!(
        out,
        "\n## Registries with nothing inside\n\n| registry | what it does | checks that it passes | of these wrongly |\n|---|---|---|---|"
    );
    for hollow in &matrix.hollow {
        let (passed, wrongly) = (hollow.passed.len(), hollow.wrongly_passed.len());
        let _ = writeln!(out, "| `{}` | {} | {passed} | {wrongly} |", hollow.id, cell(&hollow.does));
    }
}

fn redundant(out: &mut String, matrix: &Matrix) {
    let alone = matrix.checks.iter().filter(|check| !check.alone.is_empty()).count();
    let _ = writeln!(
        out,
        "\n## Checks\n\n{alone} of {} checks notice a fault that no other check notices. The others say why they are kept:\n\n\
         | check | faults that it notices | why it is kept |\n|---|---|---|",
        matrix.checks.len()
    );
    for check in matrix.checks.iter().filter(|check| check.alone.is_empty()) {
        let why = check.redundant.as_deref().unwrap_or("it does not say");
        let _ = writeln!(out, "| `{}` | {} | {} |", check.id, check.kills, cell(why));
    }
}

/// A text that does not end its cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
