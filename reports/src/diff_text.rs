//! What changed between two runs, for people: on a terminal, and as Markdown for a pull request.

use std::fmt::Write;

use crate::diff::{Cause, Change, ChangeKind, Diff, Side};
use crate::visible::visible;

const KINDS: [ChangeKind; 6] = [
    ChangeKind::Regressed,
    ChangeKind::NewlyNotVerified,
    ChangeKind::ReasonChanged,
    ChangeKind::Fixed,
    ChangeKind::Added,
    ChangeKind::Removed,
];

fn is_of_both(change: &Change) -> bool {
    !matches!(change.kind, ChangeKind::Added | ChangeKind::Removed)
}

/// Title and changes of each section that has some.
fn sections(diff: &Diff) -> Vec<(&'static str, Vec<&Change>)> {
    let of = |wanted: &dyn Fn(&Change) -> bool| -> Vec<&Change> {
        let kinds =
            KINDS.into_iter().flat_map(|kind| diff.changes.iter().filter(move |change| change.kind == kind));
        kinds.filter(|change| wanted(change)).collect()
    };
    let caused = |cause: Cause| of(&|change| is_of_both(change) && change.cause == cause);
    let all = [
        ("The target answers otherwise", caused(Cause::Target)),
        ("The same answers are judged otherwise by the newer suite", caused(Cause::Suite)),
        (
            "Target or suite: the older run did not send what the newer suite looks at",
            caused(Cause::Undetermined),
        ),
        ("Judged in one run only", of(&|change| !is_of_both(change))),
    ];
    all.into_iter().filter(|(_, changes)| !changes.is_empty()).collect()
}

/// Every kind of change that there is, with its number.
fn counted(diff: &Diff) -> String {
    let words = KINDS.into_iter().map(|kind| (diff.counts.of_kind(kind), kind.as_str()));
    let words = words.filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}"));
    words.chain([format!("{} unchanged", diff.counts.unchanged)]).collect::<Vec<_>>().join(", ")
}

fn how(change: &Change) -> String {
    let status = |ended: &Option<crate::diff::Ended>| {
        ended.as_ref().map_or("not judged", |ended| ended.status.as_str())
    };
    format!("{} -> {}", status(&change.before), status(&change.after))
}

fn reasons(change: &Change) -> Vec<(&'static str, String)> {
    let reason = |ended: &Option<crate::diff::Ended>| {
        let reason = ended.as_ref().map(|ended| visible(&ended.reason, |_| false).into_owned());
        reason.filter(|reason| !reason.is_empty())
    };
    let both = [("was", reason(&change.before)), ("is", reason(&change.after))];
    both.into_iter().filter_map(|(word, reason)| Some((word, reason?))).collect()
}

fn side(side: &Side) -> String {
    let verdict = match side.conformant {
        Some(true) => "conformant",
        Some(false) => "NOT conformant",
        None => "conformance not evaluated",
    };
    let target = visible(&side.target, |_| false);
    let own = if side.own_suite { " (own suite)" } else { "" };
    let suite = digest(&side.suite_digest);
    format!("{} {target}, {}{own}, suite {suite}, {verdict}", side.started_at, side.edition)
}

fn digest(text: &str) -> &str {
    text.get(..12).unwrap_or(text)
}

fn name(change: &Change) -> String {
    match &change.renamed_from {
        Some(from) => format!("{} (was {from})", change.check),
        None => change.check.clone(),
    }
}

/// The comparison for a terminal.
#[must_use]
pub fn diff_to_text(diff: &Diff) -> String {
    let mut out = format!("older  {}\nnewer  {}\n", side(&diff.older), side(&diff.newer));
    if !diff.same_suite {
        out.push_str("suite or edition is another: the older transcript was judged again by the newer one\n");
    }
    for (title, changes) in sections(diff) {
        let _ = writeln!(out, "\n{title}");
        for change in changes {
            let _ = writeln!(out, "  {:<19} {}: {}", change.kind.as_str(), name(change), how(change));
            for (word, reason) in reasons(change) {
                let _ = writeln!(out, "  {:<19} {word:<3} {reason}", "");
            }
        }
    }
    if let Some(narrower) = diff.narrower() {
        let _ = writeln!(out, "\n{}", visible(&narrower, |_| false));
    }
    let _ = writeln!(out, "\n{}", counted(diff));
    out
}

/// The comparison as Markdown (GitHub's).
#[must_use]
pub fn diff_to_markdown(diff: &Diff) -> String {
    let mut out = format!("# What changed: {}\n\n", counted(diff));
    let escaped = crate::markdown::escaped;
    let _ =
        writeln!(out, "- older: {}\n- newer: {}", escaped(&side(&diff.older)), escaped(&side(&diff.newer)));
    if !diff.same_suite {
        out.push_str(
            "\nSuite or edition is another: the older transcript was judged again by the newer one.\n",
        );
    }
    if let Some(narrower) = diff.narrower() {
        let _ = writeln!(out, "\n**{}**", escaped(&narrower));
    }
    for (title, changes) in sections(diff) {
        let _ = writeln!(out, "\n## {title}\n\n| change | check | from, to | reason |\n|---|---|---|---|");
        for change in changes {
            let reasons: Vec<String> =
                reasons(change).iter().map(|(word, reason)| format!("{word}: {}", escaped(reason))).collect();
            let (kind, how) = (change.kind.as_str(), how(change).replace("->", "→"));
            let _ =
                writeln!(out, "| {kind} | {} | {how} | {} |", escaped(&name(change)), reasons.join("<br>"));
        }
    }
    out
}
