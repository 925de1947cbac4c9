//! `assayer check`.

use std::path::PathBuf;
use std::time::Duration;

use assayer_harness::{
    Against, Budget, Case, ClaimError, Client, Job, Misbehaviour, Options, Pace, RunError, Secrets, allowed,
    cases, coloured, edition, exchanges, run_with, signing_key, wire,
};
use assayer_reports::{Form, FormError, Mode, NoBadge, Outcome, Report, Selection};
use assayer_vectors::{SUITE, Suite};
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use wildmatch::WildMatch;

use super::format::Format;
use super::{Exit, baseline, complain, edition_name, load, print, secret, variable};

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
    /// What the run may leave behind: whatever the checks need, one registration, or nothing.
    #[arg(long, value_enum, default_value = "full")]
    mode: ModeName,
    /// A file that is registered already, for checks that look at such files; may be given several times.
    #[arg(long, value_name = "ID")]
    file_id: Vec<String>,
    /// You operate the target, and what a full run writes into its log for good is welcome there.
    #[arg(long)]
    i_operate_this_target: bool,
    /// At most so many requests a second, for a target whose limit allows more than 8.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    rate: Option<u16>,
    /// Choose the turns of long repetitions as an earlier run did (the seed stands in its manifest).
    #[arg(long, value_name = "TEXT")]
    seed: Option<String>,
    /// Reviewed expected failures: what ends as it says there does not fail the run, and what does not is stale and does.
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Write an archive of the run into this folder while it goes on. An earlier archive there is replaced.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Sign what the run supports with the Ed25519 key in this file (PKCS #8 in PEM), and put the claim into the archive.
    #[arg(long, value_name = "FILE", requires = "out")]
    sign: Option<PathBuf>,
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

/// As it is written on the command line.
#[derive(Clone, Copy, ValueEnum)]
pub(super) enum ModeName {
    Full,
    Canary,
    ReadOnly,
}

impl From<ModeName> for Mode {
    fn from(name: ModeName) -> Self {
        match name {
            ModeName::Full => Self::Full,
            ModeName::Canary => Self::Canary,
            ModeName::ReadOnly => Self::ReadOnly,
        }
    }
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
    let mode = Mode::from(arguments.mode);
    let selected = allowed(&suite, mode, &select(arguments, &suite, &all)?);
    if selected.is_empty() {
        return Err(usage(format!("the filters and the mode {} leave no check", mode.as_str())));
    }
    let baseline = arguments.baseline.as_deref().map(baseline::read).transpose().map_err(usage)?;
    let selection = if selected.len() == all.len() { Selection::Whole } else { Selection::Part };
    let job = Job { suite: &suite, edition, wire, cases: &selected, selection };
    can_be_had(arguments, selection)?;
    let report = recorded(arguments, &job)?;
    let report = match &baseline {
        Some(baseline) => baseline::laid_over(report, baseline, &all),
        None => report,
    };
    let shown = show(&suite, &report, arguments.format);
    match (&arguments.sign, &arguments.out) {
        (Some(key), Some(folder)) => super::claim::beside(folder, key).map(|_| shown),
        _ => Ok(shown),
    }
}

/// How fast the target is asked.
fn pace(rate: Option<u16>) -> Pace {
    rate.map_or(Pace::POLITE, Pace::of)
}

/// Nothing is sent for a picture or a claim that there cannot be.
fn can_be_had(arguments: &CheckArguments, selection: Selection) -> Result<(), Failure> {
    if matches!(arguments.format, Format::Badge) && selection == Selection::Part {
        return Err(usage(NoBadge::Selection));
    }
    if let Some(key) = &arguments.sign {
        signing_key(key).map_err(usage)?;
        if selection == Selection::Part {
            return Err(usage(ClaimError::Selection));
        }
    }
    Ok(())
}

/// Records and judges, with a budget before the start and a bar on the way.
fn recorded(arguments: &CheckArguments, job: &Job<'_>) -> Result<Report, Failure> {
    let mode = Mode::from(arguments.mode);
    let against = against(arguments, job.suite)?;
    let planned = exchanges(job.suite, job.cases);
    if let Against::Url(url, _) = &against {
        permitted(url, mode, arguments.i_operate_this_target)?;
        complain(Budget::of(&planned).told(pace(arguments.rate)));
    }
    let bar = Bar::new(planned.len());
    let progress = |done| bar.is_at(done);
    let options = Options {
        mode,
        given: given(&arguments.file_id)?,
        progress: Some(&progress),
        seed: arguments.seed.clone(),
        out: arguments.out.as_deref(),
        pace: arguments.rate.map(Pace::of),
        longest: None,
    };
    let (report, _) = run_with(job, &against, &options).map_err(|error| match error {
        RunError::Url(_) | RunError::Archive(_) => usage(error),
        other => (Exit::Fault, other.to_string()),
    })?;
    Ok(report)
}

/// Whoever does not operate a target may not fill its log, which never forgets.
pub(super) fn permitted(url: &str, mode: Mode, operates: bool) -> Result<(), Failure> {
    let client = Client::new(url, None).map_err(usage)?;
    if mode == Mode::Full && !operates && client.may_be_elsewhere() {
        return Err(usage(
            "a full run registers files and records events on the target, for good: expected --i-operate-this-target, or \
             --mode canary or --mode read-only",
        ));
    }
    Ok(())
}

/// File ids as a registry takes them: up to 256 characters, none of them a control character.
pub(super) fn given(ids: &[String]) -> Result<Vec<String>, Failure> {
    let is_id =
        |id: &&String| !id.is_empty() && id.chars().count() <= 256 && !id.chars().any(char::is_control);
    match ids.iter().find(|id| !is_id(id)) {
        None => Ok(ids.to_vec()),
        Some(id) => Err(usage(format!(
            "--file-id: expected 1 to 256 characters without controls, found {}",
            id.len()
        ))),
    }
}

/// How far the recording has come, on a terminal.
pub(super) struct Bar(ProgressBar);

impl Bar {
    pub(super) fn new(count: usize) -> Self {
        let bar = ProgressBar::new(count as u64);
        if let Ok(style) = ProgressStyle::with_template("{wide_bar} {pos}/{len} exchanges, {eta} left") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        Self(bar)
    }

    /// Beyond the plan are readings that are taken again.
    pub(super) fn is_at(&self, done: usize) {
        let done = done as u64;
        self.0.set_length(self.0.length().unwrap_or(done).max(done));
        self.0.set_position(done);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// Prints the report; the exit code that follows from it.
pub(super) fn show(suite: &Suite, report: &Report, format: Format) -> Exit {
    let form = Form::from(format);
    match coloured(form, suite, report) {
        Ok(text) => match print(&text) {
            Exit::Good => exit_of(report),
            other => other,
        },
        Err(error) => {
            complain(&error);
            no_form(&error, report)
        }
    }
}

/// The exit code where a report cannot be had in the form that was asked for.
fn no_form(error: &FormError, report: &Report) -> Exit {
    match (error, exit_of(report)) {
        (FormError::Badge(NoBadge::Selection), _) => Exit::Usage,
        (FormError::Badge(NoBadge::Inconclusive), exit) => exit,
        (FormError::Html(_) | FormError::Junit(_), _) => Exit::Fault,
    }
}

/// The exit code that follows from a report.
pub(super) fn exit_of(report: &Report) -> Exit {
    exit_of_outcome(report.outcome())
}

/// The exit code that follows from an outcome.
pub(super) fn exit_of_outcome(outcome: Outcome) -> Exit {
    match outcome {
        Outcome::Good => Exit::Good,
        Outcome::Bad => Exit::Bad,
        Outcome::Inconclusive => Exit::Inconclusive,
    }
}

fn against(arguments: &CheckArguments, suite: &Suite) -> Result<Against, Failure> {
    // A fault is one of the reference registry, whatever the environment says.
    let from_environment =
        || arguments.fault.is_empty().then(|| variable("OVERSIGHT_REGISTRY_URL")).flatten();
    // An empty `--url` is no URL, and not the reference registry: a variable was empty where somebody meant a target.
    Ok(match arguments.url.clone().or_else(from_environment) {
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
