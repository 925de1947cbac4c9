//! `assayer recheck`: judges a recorded run again, offline.

use std::path::{Path, PathBuf};

use assayer_harness::{Job, Transcript, cases, cases_named, edition, report, wire};
use assayer_reports::Selection;
use clap::Args;

use super::check::{Format, show};
use super::{Exit, complain, load};

#[derive(Args)]
pub(crate) struct RecheckArguments {
    /// Folder that `assayer check --out` wrote, or its `transcript.json`.
    archive: PathBuf,
    /// Form of the report on standard output.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Take the suite from this folder instead of from the program.
    #[arg(long, value_name = "DIR")]
    suite_dir: Option<PathBuf>,
}

/// No transcript is longer: a run keeps at most some hundred answers.
const LONGEST_TRANSCRIPT: u64 = 1 << 30;

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
    let transcript = read(&arguments.archive)?;
    let suite = load(&transcript.suite, arguments.suite_dir.as_deref()).map_err(|error| error.to_string())?;
    if suite.digest != transcript.suite_digest {
        complain(format!(
            "the run was recorded with other suite data ({}) than it is judged with ({})",
            transcript.suite_digest, suite.digest
        ));
    }
    let edition = edition(&suite, &transcript.edition).map_err(|error| error.to_string())?;
    let wire = wire(&suite, &transcript.wire).map_err(|error| error.to_string())?;
    let selected = cases_named(&suite, edition, &transcript.checks).map_err(|error| error.to_string())?;
    let whole = selected.len() == cases(&suite, edition).len();
    let selection = if whole { Selection::Whole } else { Selection::Part };
    let job = Job { suite: &suite, edition, wire, cases: &selected, selection };
    Ok(show(&job, &report(&job, &transcript), &transcript, arguments.format))
}

fn read(archive: &Path) -> Result<Transcript, String> {
    let path = if archive.is_dir() { archive.join("transcript.json") } else { archive.to_owned() };
    let name = path.display();
    let length = fs_err::metadata(&path).map_err(|error| error.to_string())?.len();
    if length > LONGEST_TRANSCRIPT {
        return Err(format!("{name}: {length} bytes, at most {LONGEST_TRANSCRIPT} are read"));
    }
    let text = fs_err::read_to_string(&path).map_err(|error| error.to_string())?;
    let transcript: Transcript =
        serde_json::from_str(&text).map_err(|error| format!("{name}: this is no transcript: {error}"))?;
    if transcript.form != assayer_harness::TRANSCRIPT_FORM {
        let expected = assayer_harness::TRANSCRIPT_FORM;
        return Err(format!("{name}: expected the form {expected}, found {}", transcript.form));
    }
    Ok(transcript)
}
