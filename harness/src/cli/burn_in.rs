//! `assayer burn-in`: the nine steps of the deployment guide, over a window of time.

use std::path::{Path, PathBuf};
use std::time::Duration;

use assayer_harness::burn_in::{BURN_IN_FORM, BurnIn, Databases, StepStatus, live, registered, round};
use assayer_harness::{
    Against, Archive, ArchiveState, Case, Client, Job, Options, Secrets, Transcript, allowed, cases, edition,
    recheck, run_with, tool, wire,
};
use assayer_reports::{Mode, Outcome, Report, Selection};
use assayer_vectors::{Edition, SUITE, Suite, Wire};
use clap::Args;
use jiff::{SignedDuration, Timestamp};

use super::check::{Bar, ModeName, given, permitted};
use super::{Exit, complain, edition_name, load, print, secret};

#[derive(Args)]
pub(crate) struct BurnInArguments {
    /// The registry, before traffic is switched to it.
    #[arg(long)]
    url: String,
    /// How long it is watched.
    #[arg(long, value_name = "H")]
    hours: f64,
    /// Folder of the report (`burn-in.json`, `burn-in.txt`) and of an archive for the live run and for each round. A burn-in that
    /// broke off there is taken up again.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Seconds from one round to the next.
    #[arg(long, value_name = "S", default_value_t = 3600)]
    interval: u64,
    /// What the live run may leave behind.
    #[arg(long, value_enum, default_value = "canary")]
    mode: ModeName,
    /// You operate the target, and what a full run writes into its log for good is welcome there.
    #[arg(long)]
    i_operate_this_target: bool,
    /// A file whose evidence each round looks at, beside the one that the live run registers; may be given several times.
    #[arg(long, value_name = "ID")]
    file_id: Vec<String>,
    /// The database that was taken over; only read.
    #[arg(long, value_name = "FILE", requires = "db")]
    old_db: Option<PathBuf>,
    /// The database of the registry; only read.
    #[arg(long, value_name = "FILE", requires = "old_db")]
    db: Option<PathBuf>,
    /// The folder of its log and identity; that of the database if absent.
    #[arg(long, value_name = "DIR", requires = "db")]
    data_dir: Option<PathBuf>,
    /// There is nothing to migrate.
    #[arg(long, conflicts_with = "old_db")]
    no_migration: bool,
    /// Edition, as `strict` or `oversight-v1@strict`.
    #[arg(long, default_value = "strict")]
    edition: String,
    /// Wire profile; the edition's own if absent.
    #[arg(long)]
    wire: Option<String>,
    /// Take the suite from this folder instead of from the program.
    #[arg(long, value_name = "DIR")]
    suite_dir: Option<PathBuf>,
    /// Print the report as one JSON document.
    #[arg(long)]
    json: bool,
}

type Failure = (Exit, String);

fn usage(message: impl std::fmt::Display) -> Failure {
    (Exit::Usage, message.to_string())
}

/// The step before which nothing is sent.
const LIVE_RUN: u8 = 6;

/// The shortest time between two rounds, and the longest window.
const SHORTEST_INTERVAL: u64 = 1;
const LONGEST_HOURS: f64 = 24.0 * 366.0;
/// Nothing longer is read as a report of a burn-in.
const LONGEST_REPORT: u64 = 256 << 20;

pub(crate) fn run(arguments: &BurnInArguments) -> Exit {
    match burn_in(arguments) {
        Ok(exit) => exit,
        Err((exit, message)) => {
            complain(message);
            exit
        }
    }
}

fn burn_in(arguments: &BurnInArguments) -> Result<Exit, Failure> {
    let (suite_name, edition_name) = edition_name(SUITE, &arguments.edition);
    let suite = load(suite_name, arguments.suite_dir.as_deref()).map_err(usage)?;
    let edition = edition(&suite, edition_name).map_err(usage)?;
    let wire = wire(&suite, arguments.wire.as_ref().unwrap_or(&edition.wire)).map_err(usage)?;
    permitted(&arguments.url, arguments.mode.into(), arguments.i_operate_this_target)?;
    let secrets = Secrets {
        operator_token: secret("OVERSIGHT_OPERATOR_TOKEN").map_err(usage)?,
        dns_event_secret: secret("OVERSIGHT_DNS_EVENT_SECRET").map_err(usage)?,
    };
    let is_guarded = secrets.operator_token.is_some() && secrets.dns_event_secret.is_some();
    let report = begun(arguments, &suite, wire, edition)?;
    let mut burning = Burning { arguments, suite: &suite, edition, wire, secrets, report };
    if !burning.report.steps.iter().any(|step| step.step == LIVE_RUN) {
        burning.before(is_guarded)?;
    }
    burning.window()?;
    let report = &burning.report;
    let printed = if arguments.json { print(&report.to_json()) } else { print(&report.to_text()) };
    let exit = match report.outcome() {
        Outcome::Good => Exit::Good,
        Outcome::Bad => Exit::Bad,
        Outcome::Inconclusive => Exit::Inconclusive,
    };
    Ok(if printed == Exit::Good { exit } else { printed })
}

/// A new report, or that of a burn-in of the same registry that broke off.
fn begun(
    arguments: &BurnInArguments,
    suite: &Suite,
    wire: &Wire,
    edition: &Edition,
) -> Result<BurnIn, Failure> {
    if !(arguments.hours > 0.0 && arguments.hours <= LONGEST_HOURS) {
        return Err(usage(format!(
            "--hours: expected more than 0 and at most {LONGEST_HOURS}, found {}",
            arguments.hours
        )));
    }
    let window = Duration::from_secs_f64(arguments.hours * 3600.0);
    let fresh = BurnIn {
        form: BURN_IN_FORM.to_owned(),
        tool: tool(),
        target: arguments.url.clone(),
        edition: format!("{}@{}", suite.name, edition.edition),
        wire: wire.wire.clone(),
        started_at: now(),
        window_s: window.as_secs(),
        interval_s: arguments.interval.max(SHORTEST_INTERVAL),
        state: ArchiveState::Incomplete,
        resumed: 0,
        missed: 0,
        file_ids: given(&arguments.file_id)?,
        old_database_sha256: None,
        steps: Vec::new(),
        rounds: Vec::new(),
    };
    let path = arguments.out.join("burn-in.json");
    if !path.exists() {
        fs_err::create_dir_all(&arguments.out).map_err(usage)?;
        return Ok(fresh);
    }
    let earlier = earlier(&path)?;
    let same = |name: &str, before: &str, asked: &str| match before == asked {
        true => Ok(()),
        false => Err(usage(format!(
            "{}: {name}: it was begun with {before}, now asked for {asked}",
            path.display()
        ))),
    };
    same("target", &earlier.target, &fresh.target)?;
    same("edition", &earlier.edition, &fresh.edition)?;
    same("wire", &earlier.wire, &fresh.wire)?;
    same("seconds", &earlier.window_s.to_string(), &fresh.window_s.to_string())?;
    same("interval", &earlier.interval_s.to_string(), &fresh.interval_s.to_string())?;
    let resumed = earlier.resumed + u32::from(earlier.state == ArchiveState::Incomplete);
    Ok(BurnIn { resumed, ..earlier })
}

fn earlier(path: &Path) -> Result<BurnIn, Failure> {
    let at = |message: String| usage(format!("{}: {message}", path.display()));
    let length = fs_err::metadata(path).map_err(usage)?.len();
    if length > LONGEST_REPORT {
        return Err(at(format!("{length} bytes, at most {LONGEST_REPORT} are read")));
    }
    let text = fs_err::read_to_string(path).map_err(usage)?;
    let earlier: BurnIn = serde_json::from_str(&text).map_err(|error| at(error.to_string()))?;
    match earlier.form == BURN_IN_FORM {
        true => Ok(earlier),
        false => Err(at(format!("expected the form {BURN_IN_FORM}, found {}", earlier.form))),
    }
}

/// A burn-in that is going on.
struct Burning<'b> {
    arguments: &'b BurnInArguments,
    suite: &'b Suite,
    edition: &'b Edition,
    wire: &'b Wire,
    secrets: Secrets,
    report: BurnIn,
}

impl Burning<'_> {
    /// What is done once, before the window: steps 1 to 6, and 8.
    fn before(&mut self, is_guarded: bool) -> Result<(), Failure> {
        let databases = self.databases();
        if self.arguments.no_migration {
            for step in [1, 2, 3, 4, 9] {
                self.report.set(step, StepStatus::NotApplicable, "there is nothing to migrate");
            }
        } else {
            self.report.databases(databases.as_ref());
            self.old_database();
        }
        let client = Client::new(&self.arguments.url, None).map_err(usage)?;
        let (status, text) = match (client.may_be_elsewhere(), is_guarded) {
            (false, true) => {
                (StepStatus::Passed, "on loopback; token and secret are known, and checked by the live run")
            }
            (true, _) => (StepStatus::Failed, "it is reached at an address that is not on loopback"),
            (false, false) => {
                (StepStatus::NotVerified, "expected OVERSIGHT_OPERATOR_TOKEN and OVERSIGHT_DNS_EVENT_SECRET")
            }
        };
        self.report.set(5, status, text);
        // What a live run wrote that was killed stays on record, and is not written over.
        self.write()?;
        let name = match self.report.resumed {
            0 => "live".to_owned(),
            resumed => format!("live-{}", resumed + 1),
        };
        let (report, archive) = self.run(Mode::from(self.arguments.mode), &name)?;
        live(&mut self.report, &report, &archive.transcript, self.suite, self.wire);
        self.report.file_ids.extend(registered(&report, self.suite));
        self.report.started_at = now();
        self.write()
    }

    fn databases(&self) -> Option<Databases> {
        let (old, new) = (self.arguments.old_db.clone()?, self.arguments.db.clone()?);
        let beside = new.parent().map(Path::to_owned).unwrap_or_default();
        Some(Databases { old, data_dir: self.arguments.data_dir.clone().unwrap_or(beside), new })
    }

    fn old_database(&mut self) {
        match &self.arguments.old_db {
            Some(old) => self.report.old_database(old),
            None if self.arguments.no_migration => {}
            None => {
                self.report.set(9, StepStatus::NotVerified, "expected --old-db and --db, or --no-migration")
            }
        }
    }

    /// Rounds until the window is over: one at its beginning, one at its end.
    fn window(&mut self) -> Result<(), Failure> {
        let started: Timestamp = self.report.started_at.parse().map_err(usage)?;
        let last = self.report.window_s.div_ceil(self.report.interval_s);
        while self.report.state == ArchiveState::Incomplete {
            let next = self.report.rounds.len() as u64 + self.report.missed;
            if next > last {
                self.report.state = ArchiveState::Complete;
                self.old_database();
                self.report.rounds();
                self.write()?;
                break;
            }
            let due = (next * self.report.interval_s).min(self.report.window_s);
            let after = elapsed_s(started).saturating_sub(due);
            // Of rounds that were due while nobody was there, only the last is done.
            if after > self.report.interval_s && next < last {
                self.report.missed += 1;
                continue;
            }
            wait_until(started, due);
            self.round(next + 1)?;
        }
        Ok(())
    }

    fn round(&mut self, number: u64) -> Result<(), Failure> {
        let name = format!("round-{number:04}");
        let before = self.report.rounds.iter().rev().find(|round| round.tree_size.is_some());
        let before: Option<Transcript> = before.map(|round| self.transcript(&round.archive)).transpose()?;
        let (report, archive) = self.run(Mode::ReadOnly, &name)?;
        let found = round(number, &name, &archive, &report, before.as_ref(), (self.suite, self.wire));
        complain(format!("round {number}: {}; growth: {}", found.text, found.growth_text));
        self.report.rounds.push(found);
        self.old_database();
        self.report.rounds();
        self.write()
    }

    /// The transcript of an earlier round, which must be what the report says.
    fn transcript(&self, name: &str) -> Result<Transcript, Failure> {
        let folder = self.arguments.out.join(name);
        let archive = Archive::read(&folder).map_err(usage)?;
        let known = self.report.rounds.iter().find(|round| round.archive == name);
        match known.map(|round| &round.digest) {
            Some(digest) if *digest == archive.digest && archive.integrity.is_empty() => {
                Ok(archive.transcript)
            }
            _ => Err(usage(format!("{}: this is not the archive that the report names", folder.display()))),
        }
    }

    /// Records and judges what the mode leaves of the edition, into an archive beside the report.
    fn run(&self, mode: Mode, name: &str) -> Result<(Report, Archive), Failure> {
        let all = cases(self.suite, self.edition);
        let selected: Vec<Case<'_>> = allowed(self.suite, mode, &all);
        let selection = if selected.len() == all.len() { Selection::Whole } else { Selection::Part };
        let (suite, edition, wire) = (self.suite, self.edition, self.wire);
        let job = Job { suite, edition, wire, cases: &selected, selection };
        let folder = self.arguments.out.join(name);
        let bar = Bar::new(assayer_harness::exchanges(suite, &selected).len());
        let progress = |done| bar.is_at(done);
        let options = Options {
            mode,
            given: self.report.file_ids.clone(),
            out: Some(&folder),
            progress: Some(&progress),
            ..Options::default()
        };
        let against = Against::Url(self.arguments.url.clone(), self.secrets.clone());
        run_with(&job, &against, &options).map_err(usage)?;
        let archive = Archive::read(&folder).map_err(usage)?;
        // What the report says is what anybody can derive from the archive.
        let (_, report) = recheck(&archive, self.suite).map_err(usage)?;
        Ok((report, archive))
    }

    /// A half-written report must not be mistaken for a whole one.
    fn write(&self) -> Result<(), Failure> {
        for (name, text) in [("burn-in.txt", self.report.to_text()), ("burn-in.json", self.report.to_json())]
        {
            let (path, partial) =
                (self.arguments.out.join(name), self.arguments.out.join(format!("{name}.partial")));
            fs_err::write(&partial, text).map_err(usage)?;
            fs_err::rename(&partial, &path).map_err(usage)?;
        }
        Ok(())
    }
}

fn now() -> String {
    Timestamp::now().round(jiff::Unit::Second).unwrap_or_default().to_string()
}

fn elapsed_s(started: Timestamp) -> u64 {
    u64::try_from(Timestamp::now().duration_since(started).as_secs()).unwrap_or(0)
}

fn wait_until(started: Timestamp, due_s: u64) {
    let due = started.saturating_add(SignedDuration::from_secs(i64::try_from(due_s).unwrap_or(i64::MAX)));
    let left = due.map(|due| due.duration_since(Timestamp::now())).unwrap_or_default();
    std::thread::sleep(Duration::try_from(left).unwrap_or_default());
}
