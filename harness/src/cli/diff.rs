//! `assayer diff`: what changed between two archives.

use std::path::PathBuf;

use assayer_harness::{CompareError, Intact, diff};
use assayer_reports::{diff_to_json, diff_to_markdown, diff_to_text};
use clap::{Args, ValueEnum};

use super::{Exit, complain, print};

#[derive(Args)]
pub(crate) struct DiffArguments {
    /// Archive of the older run.
    older: PathBuf,
    /// Archive of the newer run.
    newer: PathBuf,
    /// Form of the output.
    #[arg(long, value_enum, default_value = "text")]
    format: DiffFormat,
}

#[derive(Clone, Copy, ValueEnum)]
enum DiffFormat {
    Text,
    Json,
    Markdown,
}

pub(crate) fn run(arguments: &DiffArguments) -> Exit {
    match compare(arguments) {
        Ok(exit) => exit,
        Err(error) => {
            complain(&error);
            exit_of(&error)
        }
    }
}

/// The exit code that follows from an archive that cannot be compared.
pub(super) fn exit_of(error: &CompareError) -> Exit {
    match error {
        CompareError::Changed { .. } => Exit::Bad,
        _ => Exit::Usage,
    }
}

fn compare(arguments: &DiffArguments) -> Result<Exit, CompareError> {
    let (older, newer) = (Intact::read(&arguments.older)?, Intact::read(&arguments.newer)?);
    for (folder, run) in [(&arguments.older, &older), (&arguments.newer, &newer)] {
        run.remarks.iter().for_each(|remark| complain(format!("{}: {remark}", folder.display())));
    }
    let found = diff(&older, &newer)?;
    found.narrower().iter().for_each(complain);
    let printed = print(&match arguments.format {
        DiffFormat::Text => diff_to_text(&found),
        DiffFormat::Json => diff_to_json(&found),
        DiffFormat::Markdown => diff_to_markdown(&found),
    });
    Ok(match printed {
        Exit::Good if found.has_setbacks() || found.is_narrower => Exit::Bad,
        other => other,
    })
}
