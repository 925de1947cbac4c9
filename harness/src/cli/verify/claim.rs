//! What is to be taken for a claim, whatever it looks like.

use std::io::Read;
use std::path::Path;

use assayer_harness::{ClaimTrust, LONGEST_CLAIM, verify_claim_at};
use assayer_reports::verification::Document;

/// Verifies a claim.
pub(super) fn verify(path: &Path, trust: ClaimTrust<'_>) -> Document {
    let name = path.display().to_string();
    match read(path) {
        Ok(bytes) => verify_claim_at(name, &bytes, trust),
        Err(error) => Document::unreadable(name, error.to_string()),
    }
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
    if bytes.trim_ascii().is_empty() {
        return Err(std::io::Error::other("expected a claim, found nothing in it"));
    }
    Ok(bytes)
}
