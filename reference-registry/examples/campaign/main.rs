//! Kills a registry under load, again and again, and looks whether anything that it acknowledged is lost.
//!
//! ```text
//! cargo run --release -p assayer-reference-registry --features failpoints --example campaign -- --rounds 500
//! ```

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a program for those who test")]

#[path = "../common/mod.rs"]
mod common;
mod rounds;

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf, process::ExitCode, time::Instant};

use clap::{Parser, Subcommand};

use assayer_reference_registry::{Defect, Step};
use common::Program;
use rounds::{Accident, Campaign, Dice};

#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Rounds in all
    #[arg(long, default_value_t = 500)]
    rounds: u64,
    /// Where the dice start; the same seed gives the same accidents
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Seed a defect into the registry in every round, to see the campaign fail: answers-early or keeps-refused
    #[arg(long, value_name = "DEFECT", value_parser = defect)]
    defect: Option<Defect>,
    /// Rounds that one database goes through
    #[arg(long, default_value_t = 25)]
    each: u64,
}

#[derive(Subcommand)]
enum Command {
    /// Serves; the campaign calls itself so
    #[command(hide = true)]
    Serve {
        #[arg(long)]
        bind: SocketAddr,
        #[arg(long)]
        db: PathBuf,
    },
}

fn defect(name: &str) -> Result<Defect, String> {
    let found = Defect::ALL.into_iter().find(|defect| defect.name() == name);
    found.ok_or_else(|| format!("expected one of {}", Defect::ALL.map(Defect::name).join(", ")))
}

/// Every second round is the plain one.
pub(crate) fn accident(round: u64) -> Accident {
    let steps = Step::ALL.len() as u64;
    let others = 2 * steps + 8;
    if round.is_multiple_of(2) {
        return Accident::Kill;
    }
    let which = (round / 2) % others;
    let step = |number: u64| Step::ALL[usize::try_from(number % steps).unwrap()].name();
    match which {
        which if which < steps => Accident::CrashAt(step(which)),
        which if which < 2 * steps => Accident::FailAt(step(which)),
        which => {
            let damages = [Accident::DiskFull, Accident::TornWal, Accident::CutWal, Accident::ReadOnly];
            damages[usize::try_from(which % 4).unwrap()]
        }
    }
}

#[derive(Default)]
struct Line {
    rounds: u64,
    acknowledged: usize,
    failures: Vec<String>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(Command::Serve { bind, db }) = arguments.command {
        common::serve(db, bind);
        return ExitCode::SUCCESS;
    }
    let (mut dice, start, mut table) =
        (Dice(arguments.seed), Instant::now(), BTreeMap::<Accident, Line>::new());
    let mut round = 0;
    while round < arguments.rounds {
        let directory = tempfile::tempdir().unwrap();
        let mut campaign = Campaign::new(Program::this(), directory.path());
        for _ in 0..arguments.each.min(arguments.rounds - round) {
            let accident = arguments.defect.map_or_else(|| accident(round), Accident::Seeded);
            round += 1;
            let line = table.entry(accident).or_default();
            line.rounds += 1;
            match campaign.round(accident, &mut dice) {
                Ok(acknowledged) => line.acknowledged += acknowledged,
                Err(failure) => {
                    eprintln!("round {round}, {}: {failure}", accident.name());
                    line.failures.push(failure);
                    // What the next rounds would find was lost in this one.
                    break;
                }
            }
        }
        eprintln!("{round} rounds, {} s", start.elapsed().as_secs());
    }
    print(&table)
}

fn print(table: &BTreeMap<Accident, Line>) -> ExitCode {
    println!("{:<68} {:>7} {:>13} {:>9}", "accident", "rounds", "acknowledged", "failures");
    for (accident, line) in table {
        println!(
            "{:<68} {:>7} {:>13} {:>9}",
            accident.name(),
            line.rounds,
            line.acknowledged,
            line.failures.len()
        );
    }
    let sum = |of: fn(&Line) -> usize| table.values().map(of).sum::<usize>();
    let (rounds, failures) =
        (sum(|line| usize::try_from(line.rounds).unwrap()), sum(|line| line.failures.len()));
    println!("{:<68} {rounds:>7} {:>13} {failures:>9}", "all", sum(|line| line.acknowledged));
    if failures == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
