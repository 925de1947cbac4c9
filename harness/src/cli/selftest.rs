//! `assayer selftest`.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use assayer_harness::{Selftest, write_whole};
use assayer_reports::{Kill, Matrix, matrix_to_json, matrix_to_markdown, matrix_to_text};
use assayer_vectors::{SUITE, Suite};
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use wildmatch::WildMatch;

use super::{Exit, complain, load, print};

#[derive(Args)]
pub(crate) struct SelftestArguments {
    /// Suite of checks.
    #[arg(long, default_value = SUITE)]
    suite: String,
    /// Take the suite from this folder instead of from the program.
    #[arg(long, value_name = "DIR")]
    suite_dir: Option<PathBuf>,
    /// Try only faults, variants and hollow registries whose name matches (`*` and `?`); may be given several times.
    #[arg(long, value_name = "GLOB")]
    only: Vec<String>,
    /// How many registries are tried at once; two for each processor, if absent.
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// Write the kill matrix into this file, as JSON.
    #[arg(long, value_name = "FILE")]
    matrix: Option<PathBuf>,
    /// Write the kill matrix into this file, as a page of the book.
    #[arg(long, value_name = "FILE")]
    page: Option<PathBuf>,
    /// Form of the result on standard output.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Text,
    Json,
}

pub(crate) fn run(arguments: &SelftestArguments) -> Exit {
    let suite = match load(&arguments.suite, arguments.suite_dir.as_deref()) {
        Ok(suite) => suite,
        Err(error) => {
            complain(error);
            return Exit::Usage;
        }
    };
    let tried = selection(&suite, &arguments.only).and_then(|only| tried(&suite, only, arguments.jobs));
    let matrix = match tried {
        Ok(matrix) => matrix,
        Err(message) => {
            complain(message);
            return Exit::Usage;
        }
    };
    let files = [
        (&arguments.matrix, matrix_to_json as fn(&Matrix) -> String),
        (&arguments.page, matrix_to_markdown as fn(&Matrix) -> String),
    ];
    for (path, form) in files {
        if let Some(Err(error)) = path.as_deref().map(|path| write_whole(path, form(&matrix).as_bytes())) {
            complain(error);
            return Exit::Usage;
        }
    }
    let printed = match arguments.format {
        Format::Text => print(&matrix_to_text(&matrix)),
        Format::Json => print(&matrix_to_json(&matrix)),
    };
    if printed == Exit::Good { exit(&matrix) } else { printed }
}

/// The names that match; a pattern that matches none is a mistake.
fn selection(suite: &Suite, patterns: &[String]) -> Result<BTreeSet<String>, String> {
    let faults = suite.faults.iter().map(|fault| &fault.id);
    let variants = suite.variants.iter().map(|variant| &variant.id);
    let hollow = suite.hollow.iter().map(|hollow| &hollow.id);
    let all: Vec<&String> = faults.chain(variants).chain(hollow).collect();
    let mut selected = BTreeSet::new();
    for pattern in patterns {
        let matcher = WildMatch::new(pattern);
        let matching: Vec<&&String> = all.iter().filter(|id| matcher.matches(id)).collect();
        if matching.is_empty() {
            return Err(format!("no fault, variant or hollow registry matches `{pattern}`"));
        }
        selected.extend(matching.into_iter().map(|id| (*id).clone()));
    }
    Ok(selected)
}

fn tried(suite: &Suite, only: BTreeSet<String>, jobs: Option<usize>) -> Result<Matrix, String> {
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let selftest = Selftest { suite, only, jobs: jobs.unwrap_or(2 * processors).max(1) };
    let bar = ProgressBar::new(selftest.count() as u64);
    if let Ok(style) = ProgressStyle::with_template("{wide_bar} {pos}/{len}, {eta} left") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    let matrix = selftest.run(&|| bar.inc(1)).map_err(|error| error.to_string());
    bar.finish_and_clear();
    matrix
}

/// A fault that never made a difference is an error of the catalogue, one that broke the run off may be one of the harness.
fn exit(matrix: &Matrix) -> Exit {
    let ended = |kill: Kill| matrix.faults.iter().any(|fault| fault.outcome == kill);
    match () {
        () if ended(Kill::Crashed) => Exit::Fault,
        () if ended(Kill::NotApplied) => Exit::Usage,
        () if matrix.is_good() => Exit::Good,
        () => Exit::Bad,
    }
}
