//! `assayer check`.

use std::path::PathBuf;

use assayer_harness::{
    Against, Case, Job, Misbehaviour, Secrets, Transcript, cases, edition, is_inconclusive, run as run_job,
    wire,
};
use assayer_reports::{Report, Selection, Status, to_json, to_text};
use assayer_vectors::{SUITE, Suite};
use clap::{Args, ValueEnum};
use wildmatch::WildMatch;

use super::{Exit, complain, edition_name, load, print, secret, variable};

#[derive(Args)]
pub(crate) struct CheckArguments {
    /// Registry to check; if absent, `OVERSIGHT_REGISTRY_URL`; if that is absent, the reference registry is started in
    /// this process.
    #[arg(long)]
    url: Option<String>,
    /// Suite of checks.
    #[arg(long, default_value = SUITE)]
    suite: String,
    /// Edition, as `0.4.12` or `oversight-v1@0.4.12`.
    #[arg(long, default_value = "strict")]
    edition: String,
    /// Wire profile; the edition's own if absent.
    #[arg(long)]
    wire: Option<String>,
    /// Run only checks whose name matches (`*` and `?`); may be given several times.
    #[arg(long, value_name = "GLOB")]
    only: Vec<String>,
    /// Leave out checks whose name matches; may be given several times.
    #[arg(long, value_name = "GLOB")]
    skip: Vec<String>,
    /// Run only checks of this group; may be given several times.
    #[arg(long)]
    group: Vec<String>,
    /// Write `report.json`, `report.txt` and `transcript.json` into this folder.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Form of the report on standard output.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Take the suite from this folder instead of from the program.
    #[arg(long, value_name = "DIR")]
    suite_dir: Option<PathBuf>,
    /// Start the reference registry with this fault; may be given several times.
    #[arg(long, value_name = "ID", conflicts_with = "url")]
    fault: Vec<String>,
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum Format {
    Text,
    Json,
}

pub(crate) fn run(arguments: &CheckArguments) -> Exit {
    match check(arguments) {
        Ok(exit) => exit,
        Err((exit, message)) => {
            complain(message);
            exit
        }
    }
}

type Failure = (Exit, String);

fn usage(message: impl std::fmt::Display) -> Failure {
    (Exit::Usage, message.to_string())
}

fn check(arguments: &CheckArguments) -> Result<Exit, Failure> {
    let (suite_name, edition_name) = edition_name(&arguments.suite, &arguments.edition);
    let suite = load(suite_name, arguments.suite_dir.as_deref()).map_err(usage)?;
    let edition = edition(&suite, edition_name).map_err(usage)?;
    let wire = wire(&suite, arguments.wire.as_ref().unwrap_or(&edition.wire)).map_err(usage)?;
    let all = cases(&suite, edition);
    let selected = select(arguments, &suite, &all)?;
    let selection = if selected.len() == all.len() { Selection::Whole } else { Selection::Part };
    let job = Job { suite: &suite, edition, wire, cases: &selected, selection };
    let (report, transcript) = run_job(&job, &against(arguments, &suite)?).map_err(|error| match error {
        assayer_harness::RunError::Url(_) => usage(error),
        other => (Exit::Fault, other.to_string()),
    })?;
    if let Some(folder) = &arguments.out {
        write_out(folder, &suite, &report, &transcript)?;
    }
    Ok(show(&job, &report, &transcript, arguments.format))
}

/// Prints the report; the exit code that follows from it.
pub(super) fn show(job: &Job<'_>, report: &Report, transcript: &Transcript, format: Format) -> Exit {
    let printed = match format {
        Format::Text => print(&to_text(report, &titles(job.suite))),
        Format::Json => print(&to_json(report)),
    };
    if printed == Exit::Good { exit(job, report, transcript) } else { printed }
}

fn against(arguments: &CheckArguments, suite: &Suite) -> Result<Against, Failure> {
    let url = arguments.url.clone().filter(|url| !url.is_empty());
    // A fault is one of the reference registry, whatever the environment says.
    let from_environment =
        || arguments.fault.is_empty().then(|| variable("OVERSIGHT_REGISTRY_URL")).flatten();
    Ok(match url.or_else(from_environment) {
        Some(url) => Against::Url(
            url,
            Secrets {
                operator_token: secret("OVERSIGHT_OPERATOR_TOKEN").map_err(usage)?,
                dns_event_secret: secret("OVERSIGHT_DNS_EVENT_SECRET").map_err(usage)?,
            },
        ),
        None => {
            Misbehaviour::named(suite, &arguments.fault).map_err(usage)?;
            Against::InProcess(arguments.fault.iter().cloned().collect())
        }
    })
}

/// The cases that the filters leave; a filter that leaves none is a mistake, not a success.
fn select<'s>(arguments: &CheckArguments, suite: &Suite, all: &[Case<'s>]) -> Result<Vec<Case<'s>>, Failure> {
    for group in &arguments.group {
        if !suite.groups.iter().any(|known| known.id == *group) {
            let known: Vec<&str> = suite.groups.iter().map(|group| group.id.as_str()).collect();
            return Err(usage(format!("there is no group `{group}`, expected one of {}", known.join(", "))));
        }
    }
    for pattern in arguments.only.iter().chain(&arguments.skip) {
        let matcher = WildMatch::new(pattern);
        if !all.iter().any(|case| matcher.matches(&case.check.id)) {
            return Err(usage(format!("no check of this edition matches `{pattern}`")));
        }
    }
    let matches =
        |patterns: &[String], id: &str| patterns.iter().any(|pattern| WildMatch::new(pattern).matches(id));
    let selected: Vec<Case<'s>> = all
        .iter()
        .filter(|case| arguments.only.is_empty() || matches(&arguments.only, &case.check.id))
        .filter(|case| !matches(&arguments.skip, &case.check.id))
        .filter(|case| arguments.group.is_empty() || arguments.group.contains(&case.check.group))
        .copied()
        .collect();
    if selected.is_empty() {
        return Err(usage("the filters leave no check"));
    }
    Ok(selected)
}

fn titles(suite: &Suite) -> Vec<(String, String)> {
    suite.groups.iter().map(|group| (group.id.clone(), group.title.clone())).collect()
}

fn write_out(
    folder: &std::path::Path,
    suite: &Suite,
    report: &Report,
    transcript: &Transcript,
) -> Result<(), Failure> {
    let failed = |error: std::io::Error| (Exit::Usage, error.to_string());
    fs_err::create_dir_all(folder).map_err(failed)?;
    let text = anstream::adapter::strip_str(&to_text(report, &titles(suite))).to_string();
    let record =
        serde_json::to_string_pretty(transcript).map_err(|error| (Exit::Fault, error.to_string()))?;
    for (name, text) in
        [("report.json", to_json(report)), ("report.txt", text), ("transcript.json", record + "\n")]
    {
        // A half-written report must not be mistaken for a whole one.
        let (path, partial) = (folder.join(name), folder.join(format!("{name}.partial")));
        fs_err::write(&partial, text).map_err(failed)?;
        fs_err::rename(&partial, &path).map_err(failed)?;
    }
    Ok(())
}

fn exit(job: &Job<'_>, report: &Report, transcript: &Transcript) -> Exit {
    let refuted = report.checks.iter().any(|check| check.status == Status::Fail);
    let is_open = |status| matches!(status, Status::NotVerified | Status::Error);
    let open = report.checks.iter().any(|check| check.decides() && is_open(check.status));
    if refuted {
        Exit::Bad
    } else if is_inconclusive(job, &report.checks, transcript) {
        Exit::Inconclusive
    } else if open || report.counts.pass + report.counts.finding == 0 {
        Exit::Bad
    } else {
        Exit::Good
    }
}
