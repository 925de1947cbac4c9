//! `assayer burn-in`: the nine steps of the deployment guide, over a window of time.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use assayer_harness::burn_in::{
    Asked, BURN_IN_FORM, BurnIn, Databases, Jump, LiveRun, MOST_ROUNDS, Standing, StepStatus, derive_again,
    live, registered, round, slack_s,
};
use assayer_harness::{
    Against, Archive, ArchiveState, Case, Client, Held, Job, Options, Outcome as Recording, Pace, Recorded,
    Secrets, Transcript, allowed, cases, edition, hold, own_suite, recheck, run_with, tool, wire,
};
use assayer_reports::{Mode, Report, Selection};
use assayer_vectors::{Edition, SUITE, Suite, Wire};
use clap::Args;
use jiff::Timestamp;

use super::check::{Bar, ModeName, exit_of_outcome, given, permitted};
use super::{Exit, complain, edition_name, load, print, secret};

#[derive(Args)]
pub(crate) struct BurnInArguments {
    /// The registry, before traffic is switched to it.
    #[arg(long)]
    url: String,
    /// How long it is watched.
    #[arg(long, value_name = "H")]
    hours: f64,
    /// Folder of the report (`burn-in.json`, `burn-in.txt`, `SHA256SUMS`) and of an archive for the live run and for each round. A burn-in that
    /// broke off there is taken up again.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Seconds from one round to the next.
    #[arg(long, value_name = "S", default_value_t = 3600)]
    interval: u64,
    /// At most so many requests a second, for a registry whose limit allows more than 8.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    rate: Option<u16>,
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
    let (report, is_begun, _held) = begun(arguments, &suite, wire, edition)?;
    let mut burning = Burning { arguments, suite: &suite, edition, wire, secrets, report };
    if is_begun {
        burning.again()?;
    }
    if !burning.report.steps.iter().any(|step| step.step == LIVE_RUN) {
        burning.before()?;
    }
    burning.window()?;
    let report = &burning.report;
    let printed = if arguments.json { print(&report.to_json()) } else { print(&report.to_text()) };
    let exit = exit_of_outcome(report.outcome());
    Ok(if printed == Exit::Good { exit } else { printed })
}

/// A new report, or that of a burn-in of the same registry that broke off, or is over; whether it is one of these; and its folder, in
/// which no other process writes meanwhile.
fn begun(
    arguments: &BurnInArguments,
    suite: &Suite,
    wire: &Wire,
    edition: &Edition,
) -> Result<(BurnIn, bool, Held), Failure> {
    if !(arguments.hours > 0.0 && arguments.hours <= LONGEST_HOURS) {
        return Err(usage(format!(
            "--hours: expected more than 0 and at most {LONGEST_HOURS}, found {}",
            arguments.hours
        )));
    }
    let fresh = fresh(arguments, suite, wire, edition)?;
    if fresh.rounds_due() > MOST_ROUNDS {
        return Err(usage(format!(
            "--interval: expected at most {MOST_ROUNDS} rounds, found {} within {} hours",
            fresh.rounds_due(),
            arguments.hours
        )));
    }
    let held = hold(&arguments.out).map_err(usage)?;
    let path = arguments.out.join("burn-in.json");
    if !path.exists() {
        has_room(&arguments.out)?;
        return Ok((fresh, false, held));
    }
    let earlier = earlier(&arguments.out)?;
    let json = |report: &BurnIn| serde_json::to_value(report).map_err(usage);
    let (before, asked) = (json(&earlier)?, json(&fresh)?);
    for name in ["tool", "target", "edition", "suite_digest", "wire", "asked", "window_s", "interval_s"] {
        let (before, asked) = (before.get(name), asked.get(name));
        if before != asked {
            let shown =
                |value: Option<&serde_json::Value>| value.map(ToString::to_string).unwrap_or_default();
            return Err(usage(format!(
                "{}: {name}: it was begun with {}, now asked for {}",
                path.display(),
                shown(before),
                shown(asked)
            )));
        }
    }
    let resumed = earlier.resumed.saturating_add(u32::from(earlier.state == ArchiveState::Incomplete));
    Ok((BurnIn { resumed, ..earlier }, true, held))
}

/// A burn-in begins in an empty folder, or in one with live runs of a burn-in that was killed before it wrote its report. What else
/// stands there is not mixed with it.
fn has_room(folder: &Path) -> Result<(), Failure> {
    for entry in fs_err::read_dir(folder).map_err(usage)? {
        let name = entry.map_err(usage)?.file_name().to_string_lossy().into_owned();
        if !name.starts_with("live")
            && !name.ends_with(".partial")
            && name != "burn-in.txt"
            && name != "SHA256SUMS"
        {
            return Err(usage(format!(
                "{}: expected no folder, an empty one, or one of a burn-in to be taken up again, found {name}",
                folder.display()
            )));
        }
    }
    Ok(())
}

fn fresh(
    arguments: &BurnInArguments,
    suite: &Suite,
    wire: &Wire,
    edition: &Edition,
) -> Result<BurnIn, Failure> {
    let named = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
    let asked = Asked {
        mode: arguments.mode.into(),
        file_ids: given(&arguments.file_id)?,
        no_migration: arguments.no_migration,
        old_db: named(&arguments.old_db),
        db: named(&arguments.db),
        data_dir: named(&arguments.data_dir),
    };
    Ok(BurnIn {
        form: BURN_IN_FORM.to_owned(),
        tool: tool(),
        target: arguments.url.clone(),
        edition: format!("{}@{}", suite.name, edition.edition),
        suite_digest: suite.digest.clone(),
        own_suite: own_suite(suite).is_some(),
        wire: wire.wire.clone(),
        file_ids: asked.file_ids.clone(),
        asked,
        started_at: now(),
        window_s: Duration::from_secs_f64(arguments.hours * 3600.0).as_secs(),
        interval_s: arguments.interval.max(SHORTEST_INTERVAL),
        state: ArchiveState::Incomplete,
        complete_since: None,
        derived_again_at: None,
        resumed: 0,
        missed: 0,
        jumps: Vec::new(),
        live: Vec::new(),
        old_database_sha256: None,
        steps: Vec::new(),
        rounds: Vec::new(),
    })
}

/// The report that stands in the folder. One that was changed since it was written is not gone on with.
fn earlier(folder: &Path) -> Result<BurnIn, Failure> {
    let Standing { report, differences, .. } = Standing::read(folder).map_err(usage)?;
    match differences.first() {
        None => Ok(report),
        Some(difference) => Err(usage(format!("{}: {difference}", folder.display()))),
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
    /// A report that stands already is derived again from its archives, and the databases are looked at again.
    fn again(&mut self) -> Result<(), Failure> {
        let seen = self.derived()?;
        let Some(seen) = seen else { return Ok(()) };
        self.before_the_live_run();
        self.report.tie(self.databases().as_ref(), &seen, (self.suite, self.wire));
        if self.report.state == ArchiveState::Complete {
            self.report.derived_again_at = Some(now());
        }
        self.write()
    }

    /// That the report is what follows from its archives. Out: what the live run saw, if it is over.
    fn derived(&self) -> Result<Option<Transcript>, Failure> {
        derive_again(&self.report, &self.arguments.out, (self.suite, self.edition, self.wire)).map_err(usage)
    }

    /// Steps 1 to 4, and 9.
    fn before_the_live_run(&mut self) {
        if self.arguments.no_migration {
            for step in [1, 2, 3, 4, 9] {
                self.report.set(step, StepStatus::NotApplicable, "there is nothing to migrate");
            }
        } else {
            self.report.databases(self.databases().as_ref());
            self.old_database();
        }
    }

    /// What is done once, before the window: steps 1 to 6, and 8.
    fn before(&mut self) -> Result<(), Failure> {
        let client = Client::new(&self.arguments.url, None).map_err(usage)?;
        let is_elsewhere = client.may_be_elsewhere();
        let name = self.adopt(is_elsewhere)?;
        self.before_the_live_run();
        // What a live run wrote that was killed stays on record, and is not written over.
        self.write()?;
        let (report, archive) = self.run(Mode::from(self.arguments.mode), &name)?;
        self.report.live.push(LiveRun::of(&name, &archive, is_elsewhere, self.suite));
        let spoken = (self.suite, self.edition, self.wire);
        if !archive.transcript.exchanges.iter().any(is_answered) {
            self.write()?;
            let text = format!("{}: it never answered: nothing to burn in", self.arguments.url);
            return Err((Exit::Inconclusive, text));
        }
        live(&mut self.report, &report, &archive.transcript, is_elsewhere, spoken);
        self.report.tie(self.databases().as_ref(), &archive.transcript, (self.suite, self.wire));
        self.report.file_ids.extend(registered(&report, self.suite));
        self.report.started_at = now();
        // Two days are long: who waits should know at once what is wrong already.
        self.report.to_text().lines().for_each(complain);
        self.write()
    }

    /// Takes live runs into the report that were killed before it knew of them. Out: a name for another one.
    fn adopt(&mut self, is_elsewhere: bool) -> Result<String, Failure> {
        loop {
            let name = match self.report.live.len() {
                0 => "live".to_owned(),
                before => format!("live-{}", before + 1),
            };
            let folder = self.arguments.out.join(&name);
            // Nothing is sent before there is a manifest.
            if !folder.join("manifest.json").exists() {
                return Ok(name);
            }
            let archive = Archive::read(&folder).map_err(usage)?;
            self.report.live.push(LiveRun::of(&name, &archive, is_elsewhere, self.suite));
        }
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
        if self.report.state == ArchiveState::Complete {
            return Ok(());
        }
        let mut clock = Clocks::at(&self.report)?;
        loop {
            let (next, last) = (self.report.rounds_over(), self.report.rounds_due() - 1);
            if next > last {
                return self.complete();
            }
            let due = self.report.due_s(next);
            // Of rounds that were due while nobody was there, only the last is done.
            if clock.elapsed_s().saturating_sub(due) > self.report.interval_s && next < last {
                self.report.missed += 1;
                continue;
            }
            std::thread::sleep(Duration::from_secs(due).saturating_sub(clock.elapsed()));
            if let Some(seconds) = clock.jump() {
                complain(format!(
                    "before round {} the clock of this machine was set by {seconds} s",
                    next + 1
                ));
                self.report.jumps.push(Jump { round: next + 1, seconds });
            }
            self.round(next + 1)?;
        }
    }

    /// The window is over: what the report says must follow from its archives, as they stand now.
    fn complete(&mut self) -> Result<(), Failure> {
        self.report.state = ArchiveState::Complete;
        self.report.complete_since = Some(now());
        self.old_database();
        self.report.rounds();
        self.derived()?;
        self.write()
    }

    fn round(&mut self, number: u64) -> Result<(), Failure> {
        let name = BurnIn::archive_of(number);
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
            pace: self.arguments.rate.map(Pace::of),
            ..Options::default()
        };
        let against = Against::Url(self.arguments.url.clone(), self.secrets.clone());
        run_with(&job, &against, &options).map_err(usage)?;
        let archive = Archive::read(&folder).map_err(usage)?;
        // What the report says is what anybody can derive from the archive.
        let (_, report) = recheck(&archive, self.suite).map_err(usage)?;
        Ok((report, archive))
    }

    fn write(&self) -> Result<(), Failure> {
        self.report.write(&self.arguments.out).map_err(usage)
    }
}

fn is_answered(recorded: &Recorded) -> bool {
    matches!(recorded.outcome, Recording::Answered { .. })
}

fn now() -> String {
    Timestamp::now().round(jiff::Unit::Second).unwrap_or_default().to_string()
}

/// How much of the window went by: since this process began by a clock that nobody sets, before that by the clock of the machine.
struct Clocks {
    before: Duration,
    since: Instant,
    wall: Timestamp,
    /// Jumps that were told already, in seconds.
    known: i64,
}

impl Clocks {
    /// A time before the last round was due is none at which the burn-in can go on.
    fn at(report: &BurnIn) -> Result<Self, Failure> {
        let started: Timestamp = report.started_at.parse().map_err(usage)?;
        let wall = Timestamp::now();
        let known: i64 = report.jumps.iter().map(|jump| jump.seconds).fold(0, i64::saturating_add);
        let after = wall.duration_since(started).as_secs().saturating_sub(known);
        let due = report.due_s(report.rounds_over().saturating_sub(1));
        let least = i64::try_from(due).unwrap_or(i64::MAX).saturating_sub(slack_s(due));
        if after < least {
            return Err(usage(format!(
                "the clock of this machine was set back: it is {wall}, and the window began at {started}, with a round {due} s later; \
                 set it right, or begin anew in another folder"
            )));
        }
        let before = Duration::from_secs(u64::try_from(after).unwrap_or(0));
        Ok(Self { before, since: Instant::now(), wall, known: 0 })
    }

    fn elapsed(&self) -> Duration {
        self.before + self.since.elapsed()
    }

    fn elapsed_s(&self) -> u64 {
        self.elapsed().as_secs()
    }

    /// By how much the clock of the machine was set since it was last asked, in seconds, if it was.
    fn jump(&mut self) -> Option<i64> {
        self.jump_at(Timestamp::now(), self.since.elapsed())
    }

    fn jump_at(&mut self, wall: Timestamp, since: Duration) -> Option<i64> {
        let gone = i64::try_from(since.as_secs()).unwrap_or(i64::MAX);
        let ahead = wall.duration_since(self.wall).as_secs().saturating_sub(gone);
        let jump = ahead.saturating_sub(self.known);
        self.known = ahead;
        (jump.abs() > JUMP_S).then_some(jump)
    }
}

/// A clock that is kept right is moved by less than this from one round to the next.
const JUMP_S: i64 = 5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_set_is_noticed_once_and_one_that_drifts_is_not() {
        let wall: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
        let mut clock = Clocks { before: Duration::ZERO, since: Instant::now(), wall, known: 0 };
        let at = |seconds: i64| wall + jiff::SignedDuration::from_secs(seconds);
        let after = Duration::from_secs;
        assert_eq!(clock.jump_at(at(3602), after(3600)), None, "drift");
        assert_eq!(clock.jump_at(at(3604), after(7200)), Some(-3598), "set back");
        assert_eq!(clock.jump_at(at(7204), after(10_800)), None, "told already");
        assert_eq!(clock.jump_at(at(14_404), after(14_400)), Some(3600), "set right again");
    }
}
