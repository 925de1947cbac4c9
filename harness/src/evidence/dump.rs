//! The bytes behind a verdict as files, for whoever checks them with tools of his own.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use assayer_verifier::oversight::{Explanation, Recomputed};
use assayer_verifier::{PublicKey, sha256};

/// Bytes could not be written.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct DumpError(#[from] std::io::Error);

/// What stands before the 32 bytes of an Ed25519 key in its DER form (RFC 8410 section 4).
const ED25519_KEY: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// Writes what is behind one document into a folder of its own below `folder`, and how to check it into `check.txt`.
///
/// Layers with a signature get `LAYER.bin` (the signed bytes), `LAYER.sig` (64 bytes) and `LAYER.key.der` (the key); others
/// `LAYER-N.bin`, whose SHA-256 is the leaf hash, or which is a root in hexadecimal. Returns the folder.
///
/// # Errors
/// [`DumpError`] when a file cannot be written.
pub fn dump(folder: &Path, document: &str, explanation: &Explanation) -> Result<PathBuf, DumpError> {
    let folder = folder.join(folder_name(document));
    fs_err::create_dir_all(&folder)?;
    let mut how = match explanation.length.zip(explanation.hash) {
        Some((length, hash)) => format!("# {length} bytes, SHA-256 {hash}\n# Run from this folder.\n"),
        None => "# Run from this folder.\n".to_owned(),
    };
    for detail in &explanation.layers {
        for (position, recomputed) in detail.bytes.iter().enumerate() {
            match (recomputed.key, recomputed.signature) {
                (Some(key), Some(signature)) if position == 0 => {
                    let name = detail.layer;
                    write(&folder, &format!("{name}.bin"), &recomputed.bytes)?;
                    write(&folder, &format!("{name}.sig"), &signature.0)?;
                    write(&folder, &format!("{name}.key.der"), &der(&key))?;
                    signature_line(&mut how, name, recomputed);
                }
                // Other texts than the first are those that the signature does not fit.
                (Some(_), Some(_)) => {}
                _ => {
                    let name = format!("{}-{position}", detail.layer);
                    write(&folder, &format!("{name}.bin"), &recomputed.bytes)?;
                    let _ = writeln!(
                        how,
                        "\n# {}\necho '{}  {name}.bin' | sha256sum -c",
                        recomputed.what, recomputed.hash
                    );
                }
            }
        }
    }
    write(&folder, "check.txt", how.as_bytes())?;
    Ok(folder)
}

fn signature_line(how: &mut String, name: &str, recomputed: &Recomputed) {
    let fits = if recomputed.fits == Some(true) { "fits" } else { "does not fit" };
    let _ = writeln!(
        how,
        "\n# {name}: the signature {fits}\n\
         openssl pkeyutl -verify -pubin -keyform DER -inkey {name}.key.der -rawin -in {name}.bin -sigfile {name}.sig"
    );
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), DumpError> {
    Ok(fs_err::write(folder.join(name), bytes)?)
}

fn der(key: &PublicKey) -> Vec<u8> {
    [&ED25519_KEY[..], &key.0].concat()
}

/// A name that no path can lead out of, and that two documents do not share.
fn folder_name(document: &str) -> String {
    const LONGEST: usize = 80;
    let harmless = |character: char| {
        let keep = character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.');
        if keep { character } else { '_' }
    };
    let name: String = document.chars().map(harmless).collect();
    let end = name.get(name.len().saturating_sub(LONGEST)..).unwrap_or_default();
    let hash = sha256(document.as_bytes()).to_hex();
    format!("{}-{}", end.trim_start_matches(['.', '_']), hash.get(..8).unwrap_or_default())
}
