//! `assayer baseline`: reviewed expected failures, read, laid over reports, and made anew.

use std::fmt::Write;
use std::io::Read;
use std::path::{Path, PathBuf};

use assayer_harness::{Archive, ArchiveState, Case, recheck, write_whole};
use assayer_reports::{
    BASELINE_FORM, Baseline, Expected, ExpectedStatus, Flaky, Known, Report, Review, number_of, updated,
    with_baseline,
};
use clap::{Args, Subcommand};
use jiff::civil::Date;

use super::{Exit, complain};

#[derive(Args)]
pub(crate) struct BaselineArguments {
    #[command(subcommand)]
    command: BaselineCommand,
}

#[derive(Subcommand)]
enum BaselineCommand {
    /// Make a baseline fit a recorded run: keep what still holds, drop what passes, add what is new. Refuses after a run
    /// that was filtered, broke, or did not come to its end.
    Update(UpdateArguments),
}

#[derive(Args)]
struct UpdateArguments {
    /// Folder that `assayer check --out` wrote.
    archive: PathBuf,
    /// The file; it is made if it is not there.
    #[arg(long, value_name = "FILE")]
    baseline: PathBuf,
    /// Who answers for new entries.
    #[arg(long, requires = "link", requires = "expires")]
    owner: Option<String>,
    /// Where new entries are being dealt with.
    #[arg(long, value_name = "URL", requires = "owner")]
    link: Option<String>,
    /// The last day on which new entries hold (`YYYY-MM-DD`).
    #[arg(long, value_name = "DATE", requires = "owner")]
    expires: Option<String>,
}

/// No baseline is longer: an entry takes some hundred bytes.
const LONGEST: u64 = 4 << 20;

pub(crate) fn run(arguments: &BaselineArguments) -> Exit {
    let BaselineCommand::Update(arguments) = &arguments.command;
    match update(arguments) {
        Ok(()) => Exit::Good,
        Err(message) => {
            complain(message);
            Exit::Usage
        }
    }
}

fn update(arguments: &UpdateArguments) -> Result<(), String> {
    let report = report_of(&arguments.archive)?;
    let old = match arguments.baseline.exists() {
        true => read(&arguments.baseline)?,
        false => Baseline { form: BASELINE_FORM.to_owned(), expected: Vec::new(), flaky: Vec::new() },
    };
    let review = review(arguments)?;
    let new = updated(&old, &report, review.as_ref(), &day_of(&report)).map_err(|error| error.to_string())?;
    write(&arguments.baseline, &new).map_err(|error| error.to_string())?;
    let kept = new.expected.iter().filter(|entry| old.expected.contains(entry)).count();
    let (all, before) = (new.expected.len(), old.expected.len());
    let entries = number_of(all, "entry", "entries");
    complain(format!("{entries}: {kept} kept, {} new; {} dropped", all - kept, before - kept));
    Ok(())
}

fn review(arguments: &UpdateArguments) -> Result<Option<Review>, String> {
    let (Some(owner), Some(link), Some(expires)) = (&arguments.owner, &arguments.link, &arguments.expires)
    else {
        return Ok(None);
    };
    let review = Review { owner: owner.clone(), link: link.clone(), expires: expires.clone() };
    is_day(&review.expires).map_err(|error| format!("--expires: {error}"))?;
    let today = jiff::Timestamp::now().strftime("%Y-%m-%d").to_string();
    if review.expires < today {
        let found = &review.expires;
        return Err(format!(
            "--expires: expected {today} or a later day, found {found}: it would answer for nothing"
        ));
    }
    Ok(Some(review))
}

/// The report of an archive that is what it says.
fn report_of(folder: &Path) -> Result<Report, String> {
    let archive = Archive::read(folder).map_err(|error| error.to_string())?;
    if archive.transcript.manifest.state == ArchiveState::Incomplete {
        return Err("the run did not come to its end: what it did not see would be dropped".to_owned());
    }
    let suite = archive.suite().map_err(|error| error.to_string())?;
    let (found, report) = recheck(&archive, &suite).map_err(|error| error.to_string())?;
    match found.differences.first() {
        None => Ok(report),
        Some(difference) => Err(format!("the archive is not what it says: {difference}")),
    }
}

/// Reads a baseline.
///
/// # Errors
/// What was expected and found, with file and place.
pub(super) fn read(path: &Path) -> Result<Baseline, String> {
    let at = |message: String| format!("{}: {message}", path.display());
    let mut text = String::new();
    let file = fs_err::File::open(path).map_err(|error| error.to_string())?;
    let length = file.take(LONGEST + 1).read_to_string(&mut text).map_err(|error| error.to_string())?;
    if length as u64 > LONGEST {
        return Err(at(format!("more than {LONGEST} bytes, which is no baseline")));
    }
    let baseline: Baseline = serde_saphyr::from_str(&text).map_err(|error| at(error.to_string()))?;
    if baseline.form != BASELINE_FORM {
        return Err(at(format!("expected the form {BASELINE_FORM}, found {}", baseline.form)));
    }
    for entry in &baseline.expected {
        is_day(&entry.expires).map_err(|error| at(format!("{}: expires: {error}", entry.check)))?;
        // What no run is called would be about none, and never stale.
        let edition = &entry.scope.edition;
        if !edition.contains('@') || edition.contains(['*', '?']) {
            return Err(at(format!(
                "{}: scope: expected an edition as oversight-v1@strict, found `{edition}`",
                entry.check
            )));
        }
        for (name, text) in [("code", &entry.code), ("link", &entry.link), ("owner", &entry.owner)] {
            if text.trim().is_empty() {
                return Err(at(format!("{}: {name}: expected a text, found none", entry.check)));
            }
        }
    }
    Ok(baseline)
}

fn is_day(text: &str) -> Result<(), String> {
    let is_day = text.len() == 10 && text.parse::<Date>().is_ok();
    if is_day { Ok(()) } else { Err(format!("expected a day as 2027-01-31, found `{text}`")) }
}

/// Lays a baseline over the report of a run of these cases, which may be fewer than the edition has.
pub(super) fn laid_over(report: Report, baseline: &Baseline, all: &[Case<'_>]) -> Report {
    let known: Vec<Known> = all
        .iter()
        .map(|case| Known { check: case.check.id.clone(), group: case.check.group.clone() })
        .collect();
    let today = day_of(&report);
    with_baseline(report, baseline, &known, &today)
}

/// The day of a run, so that it is judged tomorrow as today.
fn day_of(report: &Report) -> String {
    report.started_at.chars().take(10).collect()
}

fn write(path: &Path, baseline: &Baseline) -> std::io::Result<()> {
    write_whole(path, to_yaml(baseline).as_bytes())
}

/// One entry after the other, texts quoted as JSON quotes them, which YAML reads too.
fn to_yaml(baseline: &Baseline) -> String {
    let mut out = format!("form: {BASELINE_FORM}\nexpected:");
    out.push_str(if baseline.expected.is_empty() { " []\n" } else { "\n" });
    for entry in &baseline.expected {
        push_expected(&mut out, entry);
    }
    if !baseline.flaky.is_empty() {
        out.push_str("flaky:\n");
    }
    for Flaky { check, link, owner } in &baseline.flaky {
        let _ = writeln!(
            out,
            "  - check: {}\n    link: {}\n    owner: {}",
            quoted(check),
            quoted(link),
            quoted(owner)
        );
    }
    out
}

fn push_expected(out: &mut String, entry: &Expected) {
    let status = match entry.status {
        ExpectedStatus::Fail => "fail",
        ExpectedStatus::NotVerified => "not-verified",
        ExpectedStatus::Error => "error",
    };
    let _ = writeln!(out, "  - check: {}\n    status: {status}", quoted(&entry.check));
    let scope = &entry.scope;
    let wire = scope.wire.as_ref().map(|wire| format!(", wire: {}", quoted(wire))).unwrap_or_default();
    let target =
        scope.target.as_ref().map(|target| format!(", target: {}", quoted(target))).unwrap_or_default();
    let _ = writeln!(out, "    code: {}", quoted(&entry.code));
    let _ = writeln!(out, "    scope: {{edition: {}{wire}{target}}}", quoted(&scope.edition));
    for (name, text) in [("link", &entry.link), ("owner", &entry.owner), ("expires", &entry.expires)] {
        let _ = writeln!(out, "    {name}: {}", quoted(text));
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use assayer_reports::Scope;

    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("baseline.yaml");
        let entry = |check: &str, status, target: Option<&str>| Expected {
            check: check.to_owned(),
            status,
            code: "merkle.root-mismatch".to_owned(),
            scope: Scope {
                edition: "oversight-v1@strict".to_owned(),
                wire: Some("candidate".to_owned()),
                target: target.map(str::to_owned),
            },
            link: "https://tracker.example/1?a=\"b\": c # d".to_owned(),
            owner: "O'Brien: team\u{e9}".to_owned(),
            expires: "2027-01-31".to_owned(),
        };
        let expected = vec![
            entry("head-*", ExpectedStatus::Fail, Some("https://registry.example")),
            entry("log/*", ExpectedStatus::NotVerified, None),
        ];
        let flaky = vec![Flaky { check: "x".to_owned(), link: "y".to_owned(), owner: "z".to_owned() }];
        for baseline in [
            Baseline { form: BASELINE_FORM.to_owned(), expected, flaky },
            Baseline { form: BASELINE_FORM.to_owned(), expected: vec![], flaky: vec![] },
        ] {
            write(&path, &baseline).unwrap();
            assert_eq!(read(&path), Ok(baseline));
        }
        for (wrong, says) in [
            ("form: assayer-baseline/2\n", "expected the form"),
            ("form: assayer-baseline/1\nexpectde: []\n", "expectde"),
            (
                "form: assayer-baseline/1\nexpected:\n  - {check: x, code: c, scope: {edition: s@e}, link: l, owner: o, expires: soon}\n",
                "expected a day",
            ),
            (
                "form: assayer-baseline/1\nexpected:\n  - {check: x, code: c, scope: {edition: s@e}, link: l, owner: '', expires: 2027-01-31}\n",
                "owner",
            ),
            (
                "form: assayer-baseline/1\nexpected:\n  - {check: x, code: c, scope: {edition: strict}, link: l, owner: o, expires: 2027-01-31}\n",
                "expected an edition as oversight-v1@strict, found `strict`",
            ),
        ] {
            std::fs::write(&path, wrong).unwrap();
            let error = read(&path).unwrap_err();
            assert!(error.contains(says), "{error}");
        }
    }
}
