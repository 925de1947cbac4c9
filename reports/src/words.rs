//! The words that every form of the report shares, so that no two of them say something else.

use assayer_vectors::Effect;

use crate::baseline::{Met, Review, Stale};
use crate::model::{CheckResult, Counts, Label, Mode, Report, Selection, Status};
use crate::outcome::{Outcome, STATUSES, Weight, outcome};

/// How a thing is to be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tone {
    /// As it must be.
    Good,
    /// It decides nothing.
    Aside,
    /// To be looked at; neither shown nor refuted, or a SHOULD.
    Open,
    /// Not as it must be.
    Bad,
}

impl Tone {
    pub(crate) fn of(status: Status) -> Self {
        match (status.weight(), status) {
            (Weight::Good, _) => Self::Good,
            (_, Status::NotApplicable) => Self::Aside,
            (_, Status::Error) => Self::Bad,
            (Weight::Allowed | Weight::Open, _) => Self::Open,
            // Whatever else there may be is no better for being unknown here.
            _ => Self::Bad,
        }
    }

    /// As a class of the style sheet.
    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Aside => "aside",
            Self::Open => "open",
            Self::Bad => "bad",
        }
    }

    pub(crate) fn of_verdict(report: &Report) -> Self {
        match report.conformant {
            Some(true) => Self::Good,
            Some(false) => Self::Bad,
            None if report.checks.iter().any(stands_against) => Self::Bad,
            None => Self::Open,
        }
    }
}

/// How a check ended; and before, where a baseline changed that.
pub(crate) fn ended(check: &CheckResult) -> String {
    match check.judged {
        Some(judged) => format!("{} ({})", judged.as_str(), check.status.as_str()),
        None => check.status.as_str().to_owned(),
    }
}

/// Whether a check stands in the way of a conformant run.
pub(crate) fn stands_against(check: &CheckResult) -> bool {
    matches!(check.status.weight(), Weight::Open | Weight::Refuted) && check.decides()
}

/// Whether a check did not pass, and stands in nobody's way.
pub(crate) fn is_remark(check: &CheckResult) -> bool {
    !stands_against(check) && !matches!(check.status, Status::Pass | Status::NotApplicable)
}

/// The verdict in one line.
pub(crate) fn verdict(report: &Report) -> String {
    match (report.conformant, report.selection) {
        (Some(true), _) => format!("conformant to {}", report.edition),
        (Some(false), _) => format!("NOT conformant to {}", report.edition),
        (None, Selection::Part) => format!("{}; conformance was not evaluated", of_the_selection(report)),
        (None, Selection::Whole) => INCONCLUSIVE.to_owned(),
    }
}

const INCONCLUSIVE: &str =
    "inconclusive: the target could not be asked to the end, or its log never stood still";

fn of_the_selection(report: &Report) -> &'static str {
    match outcome(&report.checks, report.inconclusive) {
        Outcome::Good => "the selection passed",
        Outcome::Bad if report.checks.iter().any(stands_against) => "the selection did not pass",
        Outcome::Bad => "nothing of the selection applies here",
        Outcome::Inconclusive => INCONCLUSIVE,
    }
}

/// The counts in one line: `370 of 379 passed, 6 failed`.
pub(crate) fn counted(counts: &Counts) -> String {
    let mut line = format!("{} of {} passed", counts.pass, counts.total);
    for meaning in STATUSES.iter().filter(|meaning| meaning.status != Status::Pass) {
        let count = counts.with(meaning.status);
        if count > 0 {
            line.push_str(&format!(", {count} {}", meaning.counted));
        }
    }
    line
}

/// A number and what there is of it, as in `1 event` and `2 events`.
#[must_use]
pub fn number_of(count: impl TryInto<u64>, one: &str, more: &str) -> String {
    let count = count.try_into().unwrap_or(u64::MAX);
    format!("{count} {}", if count == 1 { one } else { more })
}

/// What was left behind, in one line; and of a run that does not write whatever it needs, each thing.
pub(crate) fn left(report: &Report) -> (String, Vec<String>) {
    let count = |effect| report.wrote.iter().filter(|wrote| wrote.certain && wrote.effect == effect).count();
    let (registered, events) = (count(Effect::Registers), count(Effect::RecordsEvent));
    let perhaps = match report.wrote.iter().filter(|wrote| !wrote.certain).count() {
        0 => String::new(),
        1 => ", and perhaps 1 more that was not answered for".to_owned(),
        count => format!(", and perhaps {count} more that were not answered for"),
    };
    let mode = report.mode.as_str();
    let registered = number_of(registered, "registration", "registrations");
    let events = number_of(events, "event", "events");
    let all = format!("{registered}, {events}{perhaps} (mode {mode})");
    let told = report.wrote.iter().filter(|_| report.mode != Mode::Full).map(|wrote| {
        let file = wrote.file_id.as_ref().map(|id| format!(", file {id}")).unwrap_or_default();
        let leaf = wrote.tlog_index.map(|index| format!(", leaf {index}")).unwrap_or_default();
        let perhaps = if wrote.certain { "" } else { " (perhaps)" };
        format!("{}{file}{leaf}{perhaps}", wrote.request)
    });
    (all, told.collect())
}

/// A line about a baseline.
pub(crate) struct Reviewed<'r> {
    pub(crate) status: Status,
    /// The check, or the entry where no check is meant.
    pub(crate) what: &'r str,
    pub(crate) text: String,
    pub(crate) review: &'r Review,
}

impl Reviewed<'_> {
    pub(crate) fn tone(&self) -> &'static str {
        Tone::of(self.status).class()
    }

    /// Where it is dealt with, if that is a page.
    pub(crate) fn page(&self) -> Option<&str> {
        let is_page = |link: &&str| link.starts_with("https://") || link.starts_with("http://");
        Some(self.review.link.as_str()).filter(is_page)
    }

    /// Who answers for it, where, and until when.
    pub(crate) fn answered_for(&self) -> String {
        let Review { owner, link, expires } = self.review;
        format!("{owner}, until {expires}, {link}")
    }
}

/// What a baseline came to: in one line, and entry by entry, what is stale first.
pub(crate) fn baseline(report: &Report) -> Option<(String, Vec<Reviewed<'_>>)> {
    let result = report.baseline.as_ref()?;
    let (met, stale, others) = (result.met.len(), result.stale.len(), result.out_of_scope);
    let met = number_of(met, "failure", "failures");
    let stale = number_of(stale, "entry", "entries");
    let all = format!("{met} as expected, {stale} stale, {others} about other runs");
    let stale = result.stale.iter().map(|Stale { entry, check, why, text, review }| Reviewed {
        status: Status::Stale,
        what: check.as_ref().unwrap_or(entry),
        text: match check.as_ref().is_some_and(|check| check != entry) {
            true => format!("{} (entry {entry}): {text}", why.as_str()),
            false => format!("{}: {text}", why.as_str()),
        },
        review,
    });
    let met = result.met.iter().map(|Met { check, status, code, review, .. }| Reviewed {
        status: Status::ExpectedFailure,
        what: check,
        text: format!("{} ({code})", status.as_str()),
        review,
    });
    Some((all, stale.chain(met).collect()))
}

/// What is known to come and go and did not pass.
pub(crate) fn flaky(report: &Report) -> Vec<String> {
    let all = report.baseline.iter().flat_map(|result| &result.flaky);
    all.map(|check| format!("{check} is known to come and go, which changes nothing")).collect()
}

/// How many verdicts rest on what the target signed.
pub(crate) fn signed(report: &Report) -> String {
    let signed = report.checks.iter().filter(|check| check.label == Label::TargetSigned).count();
    let are = if signed == 1 { "is" } else { "are" };
    format!("{signed} of {} {are} target-signed", number_of(report.counts.total, "verdict", "verdicts"))
}

/// The day of the run (UTC), as in `2026-01-31`.
pub(crate) fn day(report: &Report) -> &str {
    report.started_at.get(..10).unwrap_or(&report.started_at)
}

/// The counts of each group that has checks, under its title and in the order of `titles`; groups without a title come last,
/// under their own name.
pub(crate) fn by_group<'r>(report: &'r Report, titles: &'r [(String, String)]) -> Vec<(&'r str, Counts)> {
    grouped(report, titles).into_iter().map(|group| (group.title, Counts::of(group.checks))).collect()
}

/// A group and its checks.
pub(crate) struct Group<'r> {
    pub(crate) id: &'r str,
    pub(crate) title: &'r str,
    pub(crate) checks: Vec<&'r CheckResult>,
}

/// The checks of each group that has some, in the order of `titles`; groups without a title come last, under their own name.
pub(crate) fn grouped<'r>(report: &'r Report, titles: &'r [(String, String)]) -> Vec<Group<'r>> {
    let named = titles.iter().map(|(id, title)| Group { id, title, checks: Vec::new() });
    let mut groups: Vec<Group<'r>> = named.collect();
    for check in &report.checks {
        match groups.iter_mut().find(|group| group.id == check.group) {
            Some(group) => group.checks.push(check),
            None => groups.push(Group { id: &check.group, title: &check.group, checks: vec![check] }),
        }
    }
    groups.retain(|group| !group.checks.is_empty());
    groups
}
