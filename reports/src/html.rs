//! The report as one self-contained page: no script, nothing fetched, for the screen, for paper and for reading aloud.

use askama::Template;

use crate::difference::{Difference, difference};
use crate::model::{CheckResult, Label, Report, Selection, Status};
use crate::outcome::STATUSES;
use crate::visible::visible;
use crate::words::{
    self, Group, Reviewed, Tone, counted, day, ended, flaky, grouped, is_remark, left, number_of, signed,
    stands_against, verdict,
};

/// So many exchanges of a check are shown, of those that are told at length.
const MOST_EXCHANGES: usize = 12;

/// So many exchanges are shown without being asked for.
const SHOWN_EXCHANGES: usize = 2;

/// The report as a page; `titles` are the groups in order, each with what it is called.
///
/// # Errors
/// None that is known: it writes to memory.
pub(crate) fn to_html(report: &Report, titles: &[(String, String)]) -> Result<String, askama::Error> {
    let verdict = verdict(report);
    let of = |wanted: fn(&CheckResult) -> bool| -> Vec<Item<'_>> {
        report.checks.iter().filter(|check| wanted(check)).map(Item::of).collect()
    };
    let page = Html {
        report,
        headline: capital(&verdict),
        tone: Tone::of_verdict(report).class(),
        mark: mark(report),
        day: day(report),
        counted: counted(&report.counts),
        signed: signed(report),
        tiles: tiles(report),
        requests: number_of(report.requests, "exchange", "exchanges"),
        left: left(report),
        baseline: words::baseline(report),
        flaky: flaky(report),
        broken: of(stands_against),
        remarks: of(is_remark),
        groups: grouped(report, titles).into_iter().map(Section::of).collect(),
    };
    let page = page.render()? + "\n";
    // Whatever stood in an outside text: the template itself has no such character but the line feed.
    Ok(visible(&page, |character| character == '\n').into_owned())
}

#[derive(Template)]
#[template(path = "report.html")]
struct Html<'r> {
    report: &'r Report,
    headline: String,
    tone: &'static str,
    mark: &'static str,
    day: &'r str,
    counted: String,
    signed: String,
    tiles: Vec<Tile>,
    requests: String,
    left: (String, Vec<String>),
    baseline: Option<(String, Vec<Reviewed<'r>>)>,
    flaky: Vec<String>,
    broken: Vec<Item<'r>>,
    remarks: Vec<Item<'r>>,
    groups: Vec<Section<'r>>,
}

impl Html<'_> {
    fn is_part(&self) -> bool {
        self.report.selection == Selection::Part
    }

    fn is_in_process(&self) -> bool {
        self.report.target == "in-process"
    }
}

/// How many checks ended so.
struct Tile {
    status: Status,
    count: usize,
    tone: &'static str,
}

/// A check, and how it is told.
struct Item<'r> {
    check: &'r CheckResult,
    tone: &'static str,
    difference: Option<Difference>,
    exchanges: &'r [String],
    more: usize,
    /// Whether it is told at length above the groups.
    is_told: bool,
}

impl<'r> Item<'r> {
    fn ended(&self) -> String {
        ended(self.check)
    }

    fn is_signed(&self) -> bool {
        self.check.label == Label::TargetSigned
    }

    fn of(check: &'r CheckResult) -> Self {
        let exchanges = check.exchanges.get(..MOST_EXCHANGES).unwrap_or(&check.exchanges);
        Self {
            check,
            tone: Tone::of(check.status).class(),
            difference: difference(&check.reason),
            exchanges,
            more: check.exchanges.len() - exchanges.len(),
            is_told: stands_against(check) || is_remark(check),
        }
    }
}

/// A group of checks.
struct Section<'r> {
    id: &'r str,
    title: &'r str,
    pass: usize,
    total: usize,
    tiles: Vec<Tile>,
    tone: &'static str,
    items: Vec<Item<'r>>,
}

impl<'r> Section<'r> {
    fn of(group: Group<'r>) -> Self {
        let counts = crate::Counts::of(group.checks.iter().copied());
        let worst = group.checks.iter().map(|check| Tone::of(check.status)).max();
        Self {
            id: group.id,
            title: group.title,
            pass: counts.pass,
            total: counts.total,
            tiles: all_tiles(&counts).filter(|tile| tile.count > 0).collect(),
            // What does not apply leaves a group as good as it is.
            tone: worst.filter(|tone| *tone > Tone::Aside).unwrap_or(Tone::Good).class(),
            items: group.checks.into_iter().map(Item::of).collect(),
        }
    }
}

fn tiles(report: &Report) -> Vec<Tile> {
    all_tiles(&report.counts).collect()
}

fn all_tiles(counts: &crate::Counts) -> impl Iterator<Item = Tile> {
    let counts = *counts;
    STATUSES.into_iter().map(move |meaning| Tile {
        status: meaning.status,
        count: counts.with(meaning.status),
        tone: Tone::of(meaning.status).class(),
    })
}

/// A sentence cut into what is prose and what stands between backticks.
pub(crate) fn spans(text: &str) -> Vec<(bool, &str)> {
    if !text.matches('`').count().is_multiple_of(2) {
        return vec![(false, text)];
    }
    text.split('`').enumerate().map(|(position, part)| (!position.is_multiple_of(2), part)).collect()
}

/// A sign beside the verdict, for who does not see colours.
fn mark(report: &Report) -> &'static str {
    match Tone::of_verdict(report) {
        Tone::Good => "✓",
        Tone::Bad => "✗",
        Tone::Open | Tone::Aside => "?",
    }
}

/// The text as the beginning of a sentence.
fn capital(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}
