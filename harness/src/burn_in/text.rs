//! The report of a burn-in for people. What a target said stands in it on one line, and steers no terminal.

use assayer_reports::{Outcome as Came, number_of, one_line};

use super::{BurnIn, Jump, LiveRun, Round, StepResult, StepStatus};
use crate::archive::ArchiveState;

impl BurnIn {
    /// For people.
    #[must_use]
    pub fn to_text(&self) -> String {
        let lines = [self.heading()]
            .into_iter()
            .chain(self.steps.iter().map(of_step))
            .chain(self.live.iter().map(of_live_run))
            .chain(self.jumps.iter().map(of_jump))
            .chain(self.rounds.iter().map(of_round))
            .chain([self.ending()]);
        lines.map(|line| format!("{}\n", one_line(&line))).collect()
    }

    fn heading(&self) -> String {
        let Self { target, edition, wire, .. } = self;
        let own = if self.own_suite { " (own suite)" } else { "" };
        let (window, interval) = (seconds(self.window_s), seconds(self.interval_s));
        format!(
            "burn-in of {target} ({edition}{own}, wire {wire}): window {window}, a round every {interval}"
        )
    }

    fn ending(&self) -> String {
        let state = match (self.state, self.outcome()) {
            (ArchiveState::Incomplete, _) => "the window is not over",
            (ArchiveState::Complete, Came::Good) => "every step and every round passed",
            (ArchiveState::Complete, Came::Bad) => "NOT ready: something failed",
            (ArchiveState::Complete, Came::Inconclusive) => "inconclusive: not everything was shown",
        };
        let since = match (&self.complete_since, &self.derived_again_at) {
            (Some(since), Some(_)) => format!("complete since {since}, derived again from its archives: "),
            _ => String::new(),
        };
        let (rounds, missed, resumed) = (self.rounds.len(), self.missed, self.resumed);
        let (rounds, times) = (number_of(rounds, "round", "rounds"), number_of(resumed, "time", "times"));
        format!("{rounds}, {missed} missed, taken up again {times}: {since}{state}")
    }
}

fn of_step(StepResult { step, title, status, text }: &StepResult) -> String {
    format!("  {:<14} {step}. {title}: {text}", word(*status))
}

fn of_live_run(run: &LiveRun) -> String {
    let end = match run.state {
        ArchiveState::Complete => "complete",
        ArchiveState::Incomplete => "broke off; one more may have been under way",
    };
    format!("  {:<14} left behind by {}; {end}", run.archive, number_of(run.wrote, "write", "writes"))
}

fn of_jump(Jump { round, seconds }: &Jump) -> String {
    let word = word(StepStatus::NotVerified);
    format!("  {word:<14} before round {round} the clock of this machine was set by {seconds} s")
}

fn of_round(round: &Round) -> String {
    let size = round.tree_size.map_or_else(|| "no head".to_owned(), |size| number_of(size, "leaf", "leaves"));
    let bundles = number_of(round.bundles, "bundle", "bundles");
    let Round { round: number, started_at, text, growth_text, .. } = round;
    let (status, growth) = (word(round.status), word(round.growth));
    format!(
        "  {status:<14} round {number} at {started_at}: {text}, {bundles}, {size}; growth {growth}: {growth_text}"
    )
}

/// As in the machine-readable report.
fn word(status: StepStatus) -> &'static str {
    match status {
        StepStatus::Passed => "passed",
        StepStatus::Failed => "failed",
        StepStatus::NotVerified => "not-verified",
        StepStatus::NotApplicable => "not-applicable",
    }
}

/// A length of time for people.
fn seconds(seconds: u64) -> String {
    match seconds {
        0..3600 => format!("{seconds} s"),
        _ => format!("{seconds} s ({}.{:02} h)", seconds / 3600, seconds % 3600 / 36),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_target_says_stays_on_its_line_and_steers_no_terminal() {
        let hostile = "a\nb\u{1b}[2Jc\u{202e}d\u{9b}e";
        let step = StepResult {
            step: 6,
            title: "a live run".to_owned(),
            status: StepStatus::Failed,
            text: hostile.to_owned(),
        };
        let text: BurnIn = serde_json::from_value(serde_json::json!({
            "form": "assayer-burn-in/1", "tool": {"name": "assayer", "version": "0"}, "target": hostile, "edition": hostile,
            "wire": hostile, "suite_digest": "", "asked": {"mode": "canary", "file_ids": [], "no_migration": true},
            "started_at": "", "window_s": 1, "interval_s": 1, "state": "incomplete", "resumed": 0, "missed": 0, "jumps": [],
            "live": [{"archive": hostile, "state": "complete", "wrote": 0, "is_elsewhere": false}],
            "file_ids": [], "steps": [step], "rounds": [{"round": 1, "started_at": hostile, "archive": "round-0001",
                "counts": assayer_reports::Counts::default(), "status": "failed", "text": hostile, "bundles": 0,
                "growth": "failed", "growth_text": hostile}],
        }))
        .unwrap();
        let said = text.to_text();
        assert_eq!(said.lines().count(), 5, "{said}");
        assert!(!said.chars().any(|character| character != '\n' && character.is_control()), "{said:?}");
        assert!(!said.contains('\u{202e}') && said.contains(r"a\u{a}b\u{1b}[2Jc\u{202e}d\u{9b}e"), "{said}");
    }
}
