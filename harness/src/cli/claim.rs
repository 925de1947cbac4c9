//! `assayer claim`: a signed statement about an archive.

use std::path::{Path, PathBuf};

use assayer_harness::{CLAIM_FILE, ClaimError, Intact, sign, signing_key, statement, write_whole};
use clap::Args;

use super::diff::exit_of;
use super::{Exit, complain, print};

#[derive(Args)]
pub(crate) struct ClaimArguments {
    /// Folder that `assayer check --out` wrote.
    archive: PathBuf,
    /// File with the Ed25519 key that signs: PKCS #8 in PEM, as `openssl genpkey -algorithm ed25519` writes it.
    #[arg(long, value_name = "FILE")]
    sign: PathBuf,
    /// Where the claim is written; standard output if absent.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

type Failure = (Exit, String);

pub(crate) fn run(arguments: &ClaimArguments) -> Exit {
    let done = claim(&arguments.archive, &arguments.sign).and_then(|text| match &arguments.out {
        None => Ok(print(&text)),
        Some(path) => written(fs_err::write(path, text)),
    });
    done.unwrap_or_else(|(exit, message)| {
        complain(message);
        exit
    })
}

/// Signs what an archive supports, and puts the claim beside it.
pub(super) fn beside(archive: &Path, key: &Path) -> Result<Exit, Failure> {
    written(write_whole(&archive.join(CLAIM_FILE), claim(archive, key)?.as_bytes()))
}

/// The claim. Nothing is signed that does not follow from the archive.
fn claim(archive: &Path, key: &Path) -> Result<String, Failure> {
    let failed = |error: ClaimError| match error {
        ClaimError::Inconclusive => (Exit::Inconclusive, error.to_string()),
        other => (Exit::Usage, other.to_string()),
    };
    let key = signing_key(key).map_err(failed)?;
    let run = Intact::read(archive).map_err(|error| (exit_of(&error), error.to_string()))?;
    Ok(sign(&statement(&run).map_err(failed)?, &key))
}

fn written(result: std::io::Result<()>) -> Result<Exit, Failure> {
    result.map(|()| Exit::Good).map_err(|error| (Exit::Usage, error.to_string()))
}
