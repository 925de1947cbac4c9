//! A short campaign; the long one is the example `campaign`.

#[path = "../../examples/common/mod.rs"]
#[expect(dead_code, reason = "the examples use the rest")]
mod common;
#[path = "../../examples/campaign/rounds.rs"]
mod rounds;

use assayer_reference_registry::{Defect, Step};

use common::Program;
use rounds::{Accident, Campaign, Dice};

fn program() -> Program {
    Program { path: env!("CARGO_BIN_EXE_reference-registry").into(), arguments: Vec::new() }
}

fn survives(accidents: impl IntoIterator<Item = Accident>) {
    let directory = tempfile::TempDir::new().unwrap();
    let (mut campaign, mut dice) = (Campaign::new(program(), directory.path()), Dice(42));
    for accident in accidents {
        let outcome = campaign.round(accident, &mut dice);
        assert!(outcome.is_ok(), "{}: {outcome:?}", accident.name());
    }
    let (files, events, heads) = campaign.counts();
    assert!(files > 0 && events > 0 && heads > 0, "{files} {events} {heads}");
}

#[test]
fn a_crash_at_any_step_loses_nothing_that_was_acknowledged() {
    survives(Step::ALL.map(|step| Accident::CrashAt(step.name())));
}

#[test]
fn an_error_at_any_step_leaves_nothing_by_halves() {
    survives(Step::ALL.map(|step| Accident::FailAt(step.name())));
}

#[test]
fn kills_full_disks_and_torn_logs_lose_nothing_that_was_acknowledged() {
    survives([
        Accident::Kill,
        Accident::DiskFull,
        Accident::TornWal,
        Accident::Kill,
        Accident::CutWal,
        Accident::DiskFull,
        Accident::TornWal,
        Accident::CutWal,
        Accident::ReadOnly,
        Accident::Kill,
    ]);
}

/// A campaign that could not fail would show nothing.
#[test]
fn a_registry_that_is_not_crash_safe_does_not_survive() {
    let expected =
        [(Defect::AnswersEarly, "was acknowledged and is lost"), (Defect::KeepsRefused, "expected")];
    assert_eq!(expected.map(|(defect, _)| defect), Defect::ALL);
    for (defect, why) in expected {
        let directory = tempfile::TempDir::new().unwrap();
        let (mut campaign, mut dice) = (Campaign::new(program(), directory.path()), Dice(42));
        // A kill does not fall between answer and commit each time.
        let failure = (0..20).find_map(|_| campaign.round(Accident::Seeded(defect), &mut dice).err());
        assert!(
            failure.as_ref().is_some_and(|failure| failure.contains(why)),
            "{}: {failure:?}",
            defect.name()
        );
    }
}
