//! Every form of a report says the same. `ASSAYER_BLESS=1 cargo test -p assayer-reports` writes the page and the badge anew:
//! look at them in a browser, narrow and wide, light and dark, before you commit them.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::collections::BTreeMap;

use assayer_reports::{
    BaselineResult, CheckResult, Cited, Counts, FORM, Form, Label, Line, Met, Mode, NoBadge, PROVENANCE,
    Report, Review, STATUSES, Selection, Stale, Staleness, Status, Tool, Wrote,
};
use assayer_vectors::{Effect, Keyword};

/// So many checks end so: each status another number, so that no two can be mixed up.
const COUNTS: [(Status, Keyword, usize); 9] = [
    (Status::Pass, Keyword::Must, 11),
    (Status::Fail, Keyword::Must, 2),
    (Status::Warn, Keyword::Should, 3),
    (Status::Finding, Keyword::Finding, 4),
    (Status::NotVerified, Keyword::Must, 5),
    (Status::NotApplicable, Keyword::Must, 6),
    (Status::Error, Keyword::Must, 7),
    (Status::ExpectedFailure, Keyword::Must, 8),
    (Status::Stale, Keyword::Must, 9),
];

fn check(status: Status, keyword: Keyword, number: usize) -> CheckResult {
    let hostile = "<script>alert(1)</script> ]]> ``` | @who \u{202e}\u{7}";
    CheckResult {
        id: format!("{}-{number}", status.as_str()),
        group: if number.is_multiple_of(2) { "even" } else { "odd" }.to_owned(),
        keyword,
        status,
        judged: match status {
            Status::ExpectedFailure => Some(Status::Fail),
            Status::Stale => Some(Status::Pass),
            _ => None,
        },
        code: if status == Status::Pass { String::new() } else { "condition.status".to_owned() },
        reason: match (status, number) {
            (Status::Pass, _) => String::new(),
            (_, 1) => {
                format!("head: /root: expected aaaaaaaaaaaabcccccccc, found aaaaaaaaaaaadcccccccc {hostile}")
            }
            _ => format!("head: not answered {hostile}"),
        },
        label: if number == 1 { Label::TargetSigned } else { Label::ProberObserved },
        requirements: vec![Cited {
            id: "TL-1".to_owned(),
            keyword,
            statement: "Tree heads are signed with `Ed25519`.".to_owned(),
            source: "a draft & its notes".to_owned(),
        }],
        weak: None,
        why: "Without it anybody could make heads.".to_owned(),
        exchanges: (0..3).map(|line| format!("GET /tlog/head -> 200 {line} {hostile}")).collect(),
        rerun: format!("assayer check --only {}-{number}", status.as_str()),
    }
}

/// What the baseline of these checks came to.
fn baseline(checks: &[CheckResult]) -> Option<BaselineResult> {
    let review = |check: &CheckResult| Review {
        owner: "log <team>".to_owned(),
        link: format!("https://tracker.example/{}?a=1&b=2", check.id),
        expires: "2026-03-01".to_owned(),
    };
    let of = |status| checks.iter().filter(move |check| check.status == status);
    let met: Vec<Met> = of(Status::ExpectedFailure)
        .map(|check| Met {
            entry: "expected-*".to_owned(),
            check: check.id.clone(),
            status: Status::Fail,
            code: check.code.clone(),
            review: review(check),
        })
        .collect();
    let stale: Vec<Stale> = of(Status::Stale)
        .map(|check| Stale {
            entry: check.id.clone(),
            check: Some(check.id.clone()),
            why: Staleness::Passes,
            text: "expected fail (condition.status), found pass".to_owned(),
            review: review(check),
        })
        .collect();
    let entries = met.len() + stale.len();
    let flaky = of(Status::Error).map(|check| check.id.clone()).take(1).collect();
    (entries > 0).then_some(BaselineResult { entries, out_of_scope: 1, met, stale, flaky })
}

fn report(counts: &[(Status, Keyword, usize)]) -> Report {
    let checks: Vec<CheckResult> = counts
        .iter()
        .flat_map(|(status, keyword, count)| (1..=*count).map(|number| check(*status, *keyword, number)))
        .collect();
    Report {
        form: FORM.to_owned(),
        tool: Tool { name: "assayer".to_owned(), version: "0.0.0".to_owned() },
        edition: "oversight-v1@strict".to_owned(),
        suite_digest: "00ff".repeat(16),
        own_suite: false,
        wire: "candidate".to_owned(),
        target: "https://registry.example".to_owned(),
        conformant: Some(false),
        inconclusive: false,
        mode: Mode::Canary,
        wrote: vec![Wrote {
            n: 4,
            exchange: "register".to_owned(),
            effect: Effect::Registers,
            certain: true,
            request: "POST /register".to_owned(),
            file_id: Some("file-7".to_owned()),
            tlog_index: Some(12),
        }],
        selection: Selection::Whole,
        started_at: "2026-01-31T12:00:00Z".to_owned(),
        elapsed_ms: 1_234,
        requests: 99,
        counts: Counts::of(&checks),
        baseline: baseline(&checks),
        checks,
        provenance: PROVENANCE.to_owned(),
        does_not_prove: vec!["It is a snapshot.".to_owned()],
    }
}

fn titles() -> Vec<(String, String)> {
    [("even", "Even & fine"), ("odd", "Odd"), ("empty", "Nothing here")]
        .map(|(id, title)| (id.to_owned(), title.to_owned()))
        .to_vec()
}

fn render(form: Form, report: &Report) -> String {
    form.render(report, &titles()).unwrap()
}

type Found = BTreeMap<&'static str, usize>;

fn counted(of: impl Fn(Status) -> usize) -> Found {
    STATUSES.into_iter().map(|meaning| (meaning.name, of(meaning.status))).collect()
}

/// The counts of a line like `370 of 379 passed, 6 failed`.
fn of_words(text: &str, total: usize) -> Found {
    let line = text.lines().find(|line| line.contains(&format!(" of {total} passed"))).unwrap_or_default();
    let number = |status: Status| {
        let word = if status == Status::Pass {
            format!("of {total} passed")
        } else {
            status.meaning().counted.to_owned()
        };
        let before = line.split(&word).next().filter(|before| *before != line)?;
        before
            .rsplit(|character: char| !character.is_ascii_digit())
            .find(|part| !part.is_empty())?
            .parse()
            .ok()
    };
    counted(|status| number(status).unwrap_or(0))
}

fn of_checks<'c>(checks: impl Iterator<Item = &'c CheckResult> + Clone) -> Found {
    counted(|status| checks.clone().filter(|check| check.status == status).count())
}

fn in_markdown(text: &str) -> Found {
    let row = text.lines().find(|line| line.starts_with("| **all** |")).unwrap();
    let cells: Vec<usize> = row.split('|').filter_map(|cell| cell.trim().parse().ok()).collect();
    STATUSES.iter().map(|meaning| meaning.name).zip(cells.into_iter().skip(1)).collect()
}

fn in_html(text: &str) -> Found {
    counted(|status| {
        let tile = format!("</b> {}</li>", status.as_str());
        let before = text.split(&tile).next().unwrap();
        before.rsplit("<b>").next().unwrap().parse().unwrap()
    })
}

/// The rows of the page, one for each check.
fn rows_of_html(text: &str) -> Found {
    let all = text.split("<details id=\"check-").skip(1);
    let rows: Vec<&str> = all.map(|row| row.split("</summary>").next().unwrap()).collect();
    counted(|status| rows.iter().filter(|row| row.contains(&format!(">{}</span>", status.as_str()))).count())
}

fn in_junit(text: &str) -> Found {
    counted(|status| text.matches(&format!("name=\"status\" value=\"{}\"", status.as_str())).count())
}

#[test]
fn all_forms_agree_on_all_counts() {
    let report = report(&COUNTS);
    let total = report.checks.len();
    let expected: Found = COUNTS.iter().map(|(status, _, count)| (status.as_str(), *count)).collect();
    assert_eq!((total, expected.len()), (55, STATUSES.len()));
    let json: Report = serde_json::from_str(&render(Form::Json, &report)).unwrap();
    let lines = render(Form::Ndjson, &report);
    let lines: Vec<Line> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of_lines: Vec<CheckResult> = lines
        .iter()
        .filter_map(|line| if let Line::Check(check) = line { Some((**check).clone()) } else { None })
        .collect();
    let Some(Line::Summary(summary)) = lines.last() else { panic!("the last line is no summary") };
    let page = render(Form::Html, &report);
    for (form, found) in [
        ("text", of_words(&render(Form::Text, &report), total)),
        ("json", counted(|status| json.counts.with(status))),
        ("checks of json", of_checks(json.checks.iter())),
        ("junit", in_junit(&render(Form::Junit, &report))),
        ("markdown", in_markdown(&render(Form::Markdown, &report))),
        ("words of markdown", of_words(&render(Form::Markdown, &report), total)),
        ("ndjson", counted(|status| summary.counts.with(status))),
        ("lines of ndjson", of_checks(of_lines.iter())),
        ("html", in_html(&page)),
        ("rows of html", rows_of_html(&page)),
        ("words of html", of_words(&page, total)),
        ("badge", of_words(&render(Form::Badge, &report), total)),
    ] {
        assert_eq!(found, expected, "{form}");
    }
}

/// The numbers of JUnit's root: tests, failures, errors.
fn root(report: &Report) -> (usize, usize, usize) {
    let text = render(Form::Junit, report);
    let root = text.split("<testsuites").nth(1).unwrap().split('>').next().unwrap();
    let number = |name: &str| {
        let value = root.split(&format!(" {name}=\"")).nth(1).unwrap().split('"').next().unwrap();
        value.parse().unwrap()
    };
    (number("tests"), number("failures"), number("errors"))
}

#[test]
fn junit_fails_exactly_for_what_stands_against_conformance() {
    assert_eq!(root(&report(&COUNTS)), (55, 11, 12));
    for (status, keyword, against) in [
        (Status::Pass, Keyword::Must, false),
        (Status::Fail, Keyword::Must, true),
        (Status::Warn, Keyword::Should, false),
        (Status::Finding, Keyword::Finding, false),
        (Status::NotApplicable, Keyword::Must, false),
        (Status::NotVerified, Keyword::Must, true),
        (Status::NotVerified, Keyword::Finding, false),
        (Status::Error, Keyword::Must, true),
        (Status::Error, Keyword::Finding, false),
        (Status::ExpectedFailure, Keyword::Must, false),
        (Status::Stale, Keyword::Must, true),
    ] {
        let (tests, failures, errors) =
            root(&report(&[(Status::Pass, Keyword::Must, 1), (status, keyword, 1)]));
        assert_eq!((tests, failures + errors > 0), (2, against), "{status:?} {keyword:?}");
    }
}

/// Who answers for a failure that is expected, until when and where, is said in every form; what is stale and no check shows
/// fails in JUnit too.
#[test]
fn a_baseline_is_told_alike_in_every_form() {
    let mut report = report(&[(Status::Pass, Keyword::Must, 1), (Status::ExpectedFailure, Keyword::Must, 1)]);
    let unknown = Stale {
        entry: "no-such-check".to_owned(),
        check: None,
        why: Staleness::Unknown,
        text: "the edition has no such check".to_owned(),
        review: Review {
            owner: "edge".to_owned(),
            link: "javascript:alert(1)".to_owned(),
            expires: "2026-04-01".to_owned(),
        },
    };
    assert_eq!(root(&report), (2, 0, 0));
    report.baseline.as_mut().unwrap().stale.push(unknown);
    assert_eq!(root(&report), (3, 1, 0), "an entry that is stale fails in JUnit");
    for form in Form::ALL.into_iter().filter(|form| *form != Form::Badge) {
        let text = render(form, &report);
        for said in [
            "2026-03-01",
            "2026-04-01",
            "tracker.example/expected-failure-1",
            "no-such-check",
            "the edition has no such check",
            "edge",
            "condition.status",
        ] {
            assert!(text.contains(said), "{form:?} does not say {said}");
        }
    }
    let page = render(Form::Html, &report);
    assert!(page.contains("href=\"https://tracker.example/"), "a page can be opened");
    assert!(!page.contains("href=\"javascript"), "what is no page cannot be opened");
    assert!(render(Form::Badge, &report).contains(">not conformant · 2026-01-31</text>"));
    // What a canary left behind.
    for form in [Form::Text, Form::Markdown, Form::Html, Form::Ndjson, Form::Json] {
        assert!(render(form, &report).contains("file-7"), "{form:?}");
    }
}

#[test]
fn a_badge_stands_only_for_a_complete_run() {
    let whole = report(&COUNTS);
    let badge = render(Form::Badge, &whole);
    assert!(badge.contains(">oversight-v1@strict</text>"), "{badge}");
    assert!(badge.contains(">not conformant · 2026-01-31</text>"), "{badge}");
    let good = Report { conformant: Some(true), ..whole.clone() };
    assert!(render(Form::Badge, &good).contains(">conformant · 2026-01-31</text>"));
    let refused = |report: &Report| {
        let error = Form::Badge.render(report, &titles()).unwrap_err();
        matches!(error, assayer_reports::FormError::Badge(NoBadge::Selection | NoBadge::Inconclusive))
            .then(|| error.to_string())
            .unwrap()
    };
    let part = Report { selection: Selection::Part, conformant: None, ..whole.clone() };
    assert!(refused(&part).contains("found a selection"));
    // A selection has no badge whatever else the report says.
    assert!(refused(&Report { conformant: Some(true), ..part }).contains("found a selection"));
    assert!(refused(&Report { conformant: None, ..whole }).contains("found an inconclusive run"));
}

#[test]
fn a_selection_says_whether_it_passed_whatever_did_not_apply() {
    let said = |counts: &[(Status, Keyword, usize)], inconclusive| {
        let part = Report {
            selection: Selection::Part,
            conformant: None,
            baseline: None,
            inconclusive,
            ..report(counts)
        };
        render(Form::Text, &part)
    };
    let good = [
        (Status::Pass, Keyword::Must, 2),
        (Status::NotApplicable, Keyword::Must, 1),
        (Status::Warn, Keyword::Should, 1),
    ];
    assert!(said(&good, false).contains("the selection passed; "));
    assert!(said(&good, true).contains("inconclusive: "));
    assert!(
        said(&[(Status::NotApplicable, Keyword::Must, 1)], false)
            .contains("nothing of the selection applies here; ")
    );
    assert!(
        said(&[(Status::Pass, Keyword::Must, 2), (Status::Fail, Keyword::Must, 1)], false)
            .contains("did not pass; ")
    );
}

#[test]
fn no_text_from_outside_is_more_than_a_text() {
    let report = report(&COUNTS);
    for form in Form::ALL {
        let text = render(form, &report);
        assert!(text.ends_with('\n') && !text.ends_with("\n\n"), "{form:?}");
        if matches!(form, Form::Html | Form::Junit | Form::Markdown | Form::Badge | Form::Text) {
            assert!(!text.contains('\u{202e}') && !text.contains('\u{7}'), "{form:?}");
        }
        if matches!(form, Form::Html | Form::Junit | Form::Badge) {
            assert!(!text.contains("<script"), "{form:?}");
        }
    }
    // Markdown has outside texts in fences that are longer than anything within.
    let markdown = render(Form::Markdown, &report);
    let mut fence: Option<&str> = None;
    for line in markdown.lines() {
        match fence {
            Some(open) if line == open => fence = None,
            None if line.starts_with("```") => fence = line.strip_suffix("text"),
            None => assert!(!line.contains("<script") && !line.contains("@who"), "{line}"),
            Some(_) => {}
        }
    }
    assert_eq!(fence, None);
}

#[test]
fn the_page_fetches_nothing_and_runs_nothing() {
    let page = render(Form::Html, &report(&COUNTS));
    for part in
        ["<script", " src=", "@import", "url(", "http-equiv=\"refresh\"", "<link", "<img", "<iframe", " on"]
    {
        let found: Vec<&str> = page
            .lines()
            .filter(|line| line.contains(part))
            // Prose has the word "on"; no attribute does.
            .filter(|line| part != " on" || line.contains(" onload=") || line.contains(" onclick="))
            .collect();
        assert!(found.is_empty(), "{part}: {found:?}");
    }
    assert!(page.contains("Content-Security-Policy\" content=\"default-src 'none'"));
}

#[test]
fn the_page_and_the_badge_are_those_that_were_looked_at() {
    let report = report(&COUNTS);
    for (form, name) in [(Form::Html, "report.html"), (Form::Badge, "badge.svg")] {
        let path = format!("{}/tests/{name}", env!("CARGO_MANIFEST_DIR"));
        let made = render(form, &report);
        if std::env::var_os("ASSAYER_BLESS").is_some() {
            std::fs::write(&path, &made).unwrap();
        }
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        let differs = made.lines().zip(kept.lines()).find(|(made, kept)| made != kept);
        assert!(made == kept, "{path} is stale, first at {differs:?}");
    }
}
