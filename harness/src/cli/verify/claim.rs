//! Claims among what is to be verified.

use std::io::Read;
use std::path::{Path, PathBuf};

use assayer_harness::{ClaimTrust, LONGEST_CLAIM, is_claim, verify_claim};
use assayer_reports::verification::Document;
use assayer_verifier::PublicKey;

use super::{Kind, VerifyArguments};

/// Whether a path is a claim, or is to be taken for one.
pub(super) fn is_wanted(arguments: &VerifyArguments, path: &Path) -> bool {
    match arguments.kind {
        Some(Kind::Claim) => true,
        Some(_) => false,
        None => path.is_file() && read(path).is_ok_and(|bytes| is_claim(&bytes)),
    }
}

/// Verifies a claim.
pub(super) fn verify(arguments: &VerifyArguments, path: &Path, registries: &[PublicKey]) -> Document {
    let name = path.display().to_string();
    let bytes = match read(path) {
        Ok(bytes) => bytes,
        Err(error) => return Document::unreadable(name, error.to_string()),
    };
    let archive = arguments.archive.clone().or_else(|| around(path));
    let trust = ClaimTrust {
        claimants: &arguments.claimant_key,
        registries,
        archive: archive.as_deref(),
        suites: &arguments.suite_digest,
    };
    verify_claim(name, &bytes, trust)
}

/// The folder of a claim, if it is an archive.
fn around(path: &Path) -> Option<PathBuf> {
    let folder =
        path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    folder.join("manifest.json").is_file().then(|| folder.to_owned())
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // A device has no length that could be looked at.
    fs_err::File::open(path)?.take(LONGEST_CLAIM + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LONGEST_CLAIM {
        return Err(std::io::Error::other(format!(
            "a claim has at most {LONGEST_CLAIM} bytes, this has more"
        )));
    }
    Ok(bytes)
}
