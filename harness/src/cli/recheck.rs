//! `assayer recheck`: judges a recorded run again, offline.

use std::path::PathBuf;

use assayer_harness::burn_in::{is_burn_in, recheck_burn_in};
use assayer_harness::{Archive, ArchiveState, Recheck, recheck as judge_again};
use assayer_reports::{Report, number_of};
use assayer_vectors::{Suite, load_folder};
use clap::Args;

use super::check::{exit_of_outcome, show};
use super::format::Format;
use super::{Exit, complain, print};

#[derive(Args)]
pub(crate) struct RecheckArguments {
    /// Folder that `assayer check --out` or `assayer burn-in --out` wrote.
    archive: PathBuf,
    /// Form of the report on standard output; with `json`, the canonical report if the archive is what it says, and otherwise
    /// the list of differences.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Judge with the suite in this folder instead of with that in the archive.
    #[arg(long, value_name = "DIR")]
    suite_dir: Option<PathBuf>,
}

pub(crate) fn run(arguments: &RecheckArguments) -> Exit {
    match recheck(arguments) {
        Ok(exit) => exit,
        Err(message) => {
            complain(message);
            Exit::Usage
        }
    }
}

fn recheck(arguments: &RecheckArguments) -> Result<Exit, String> {
    if is_burn_in(&arguments.archive) {
        return burn_in(arguments);
    }
    let archive = Archive::read(&arguments.archive).map_err(|error| error.to_string())?;
    let suite = match &arguments.suite_dir {
        Some(folder) => load_folder(folder),
        None => archive.suite(),
    };
    let suite = match suite {
        Ok(suite) => suite,
        // Data that was changed may be no suite any more; that it was changed is known by its sum.
        Err(error) => {
            archive.integrity.iter().for_each(complain);
            return Err(error.to_string());
        }
    };
    let (found, report) = judge_again(&archive, &suite).map_err(|error| error.to_string())?;
    remarks(&archive, &found);
    Ok(match found.differences.is_empty() {
        true => show(&suite, &report, arguments.format),
        false => differs(&suite, &found, &report, arguments.format),
    })
}

/// A burn-in: its sums, and all of its report that follows from its archives.
fn burn_in(arguments: &RecheckArguments) -> Result<Exit, String> {
    if !matches!(arguments.format, Format::Text | Format::Json) {
        return Err("this is the folder of a burn-in: expected --format text or --format json".to_owned());
    }
    let suite = arguments.suite_dir.as_deref().map(load_folder).transpose();
    let suite = suite.map_err(|error| error.to_string())?;
    let (found, report) = recheck_burn_in(&arguments.archive, suite).map_err(|error| error.to_string())?;
    found.remarks.iter().for_each(complain);
    match found.identical {
        true => complain(format!("every round was judged again; SHA-256 of the burn-in {}", found.digest)),
        false => found.differences.iter().for_each(complain),
    }
    let printed = print(&match arguments.format {
        Format::Json if found.identical => report.to_json(),
        Format::Json => format!("{:#}\n", serde_json::to_value(&found).unwrap_or_default()),
        _ => report.to_text(),
    });
    Ok(match (printed, found.identical) {
        (Exit::Good, true) => exit_of_outcome(report.outcome()),
        (Exit::Good, false) => Exit::Bad,
        (other, _) => other,
    })
}

/// What a reader should know beside the report.
fn remarks(archive: &Archive, found: &Recheck) {
    let lines = archive.transcript.exchanges.len();
    if found.state == ArchiveState::Incomplete {
        let cut = if archive.is_cut { ", and one that was cut off" } else { "" };
        let lines = number_of(lines, "exchange", "exchanges");
        complain(format!("the run did not come to its end; recorded: {lines}{cut}"));
    }
    for name in &archive.unlisted {
        complain(format!("{name} is no part of the archive"));
    }
    found.remarks.iter().for_each(complain);
    match (&found.digest, found.differences.is_empty()) {
        (Some(digest), true) => {
            complain(format!("every verdict was derived again; SHA-256 of the archive {digest}"))
        }
        _ => found.differences.iter().for_each(complain),
    }
    if found.more > 0 {
        complain(format!("and {} more differences", found.more));
    }
}

/// The archive is not what it says: the report that follows from its transcript, for people, and the list for machines.
fn differs(suite: &Suite, found: &Recheck, report: &Report, format: Format) -> Exit {
    let printed = match format {
        Format::Json => print(&format!("{:#}\n", serde_json::to_value(found).unwrap_or_default())),
        _ => show(suite, report, format),
    };
    if matches!(printed, Exit::Fault) { printed } else { Exit::Bad }
}
