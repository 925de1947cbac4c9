//! Checkpoints: signed tree heads in text (C2SP `tlog-checkpoint`, over C2SP `signed-note`), with Ed25519 signatures.

use base64ct::{Base64, Encoding};

use crate::code::Code;
use crate::ed25519::Memory;
use crate::hash::{Hash, PublicKey, Signature, sha256};
use crate::merkle::TreeHead;

/// The key of a log, as its notes name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogKey {
    /// The name that stands in the signature line; for most logs the origin.
    pub name: String,
    /// The Ed25519 key.
    pub key: PublicKey,
}

impl LogKey {
    /// What the first four bytes of a signature must be: SHA-256 of name, line feed, the type 1 and the key.
    fn id(&self) -> Vec<u8> {
        let text = [self.name.as_bytes(), b"\n\x01", &self.key.0].concat();
        sha256(&text).0.into_iter().take(4).collect()
    }
}

/// A checkpoint, read but not yet verified.
pub(crate) struct Checkpoint<'t> {
    pub(crate) head: TreeHead,
    /// What is signed: everything up to and with the line feed before the blank line.
    pub(crate) text: &'t str,
    signatures: Vec<&'t str>,
}

impl<'t> Checkpoint<'t> {
    /// The signatures that say to be of this key.
    pub(crate) fn signatures_of(&self, key: &LogKey) -> impl Iterator<Item = Signature> {
        let lines = self.signatures.iter();
        lines.filter_map(|line| Signature::from_slice(&signature_of(line, key)?))
    }

    /// Reads a note whose text is origin, size, root in base64, and perhaps further lines; `None` for anything else.
    pub(crate) fn read(note: &'t str) -> Option<Self> {
        let (text, signatures) = note.rsplit_once("\n\n")?;
        let text = note.get(..=text.len())?;
        let mut lines = text.lines();
        lines.next().filter(|origin| !origin.is_empty())?;
        let size = lines.next()?;
        let root = Base64::decode_vec(lines.next()?).ok()?;
        let plain = size.bytes().all(|byte| byte.is_ascii_digit()) && (size == "0" || !size.starts_with('0'));
        let head = TreeHead { size: size.parse().ok().filter(|_| plain)?, root: Hash::from_slice(&root)? };
        let signatures: Vec<&str> = signatures.strip_suffix('\n')?.split('\n').collect();
        (signatures.len() <= 16).then_some(Self { head, text, signatures })
    }

    /// Whether one of the keys signed it.
    ///
    /// # Errors
    /// `key.not-pinned` where no signature is of a given key, `checkpoint.signature-mismatch` where one says so and does not fit.
    pub(crate) fn verify(&self, keys: &[LogKey], memory: &mut Memory) -> Result<(), Code> {
        let mut outcome = Err(Code::KeyNotPinned);
        for (key, line) in keys.iter().flat_map(|key| self.signatures.iter().map(move |line| (key, *line))) {
            let Some(signature) = signature_of(line, key) else { continue };
            let fits = Signature::from_slice(&signature).is_some_and(|signature| {
                memory
                    .key(&key.key)
                    .is_ok_and(|key| memory.verify(&key, self.text.as_bytes(), &signature).is_ok())
            });
            if fits {
                return Ok(());
            }
            outcome = Err(Code::CheckpointSignatureMismatch);
        }
        outcome
    }
}

/// The signature of a line `— NAME BASE64` whose name and key id are those of the key.
fn signature_of(line: &str, key: &LogKey) -> Option<Vec<u8>> {
    let (name, coded) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
    let bytes = Base64::decode_vec(coded).ok()?;
    let (id, signature) = bytes.split_at_checked(4)?;
    (name == key.name && id == key.id()).then(|| signature.to_vec())
}
