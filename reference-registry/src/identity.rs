//! The registry's Ed25519 key (RFC 8032) and the file it is kept in.

use std::{
    io::Write,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
};

use ring::signature::{Ed25519KeyPair, KeyPair};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{clock::Instant, regular_file};

/// Only the owner may read the private key.
const MODE: u32 = 0o600;

/// Why the identity could not be loaded or created.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The file could not be read or written.
    #[error("identity file cannot be read or written")]
    Io(#[from] std::io::Error),
    /// The file is not the JSON object expected.
    #[error("identity file is not an object with ed25519_priv, ed25519_pub and created_at")]
    Json(#[from] serde_json::Error),
    /// The public key in the file is not that of the private key in it, or one of them is no key.
    #[error("ed25519_pub in the identity file does not belong to ed25519_priv")]
    Mismatch,
    /// A key is not spelled as registries spell it.
    #[error("a key in the identity file is not in lower-case hexadecimal")]
    Spelling,
    /// The operating system gave no randomness.
    #[error("no randomness for a new key")]
    Random(#[from] getrandom::Error),
}

#[derive(Deserialize, Serialize)]
struct IdentityFile {
    ed25519_priv: String,
    ed25519_pub: String,
    /// Unix seconds; what an older file has in its place is not looked at.
    created_at: Value,
}

/// A signing key and the public half as the wire spells it.
pub(crate) struct Identity {
    key: Ed25519KeyPair,
    public: String,
}

impl Identity {
    /// A fresh key that is written nowhere.
    pub(crate) fn ephemeral() -> Result<Self, IdentityError> {
        Ok(Self::generate()?.0)
    }

    /// The identity in `path`, created there if the file is absent.
    pub(crate) fn load_or_create(path: &Path) -> Result<Self, IdentityError> {
        match regular_file::identity(path)? {
            Some(text) => Self::load(path, &text),
            None => Self::create(path),
        }
    }

    /// The public key: 64 lower-case hex digits.
    pub(crate) fn public(&self) -> &str {
        &self.public
    }

    /// An Ed25519 signature in lower-case hex.
    pub(crate) fn sign(&self, message: &[u8]) -> String {
        hex::encode(self.key.sign(message))
    }

    /// Out of the text of an identity file, which is not touched.
    pub(crate) fn read(text: &[u8]) -> Result<Self, IdentityError> {
        let file: IdentityFile = serde_json::from_slice(text)?;
        let seed = hex::decode(&file.ed25519_priv).map_err(|_| IdentityError::Mismatch)?;
        let public = hex::decode(&file.ed25519_pub).map_err(|_| IdentityError::Mismatch)?;
        let key =
            Ed25519KeyPair::from_seed_and_public_key(&seed, &public).map_err(|_| IdentityError::Mismatch)?;
        Ok(Self { key, public: hex::encode(public) })
    }

    /// The same, and each key must be spelled as every registry spells it: others publish what stands there.
    pub(crate) fn read_plain(text: &[u8]) -> Result<Self, IdentityError> {
        let file: IdentityFile = serde_json::from_slice(text)?;
        let identity = Self::read(text)?;
        let is_plain = |key: &str| !key.contains(|c: char| c.is_ascii_uppercase());
        match is_plain(&file.ed25519_priv) && is_plain(&file.ed25519_pub) {
            true => Ok(identity),
            false => Err(IdentityError::Spelling),
        }
    }

    fn load(path: &Path, text: &[u8]) -> Result<Self, IdentityError> {
        let identity = Self::read(text)?;
        fs_err::set_permissions(path, std::fs::Permissions::from_mode(MODE))?;
        Ok(identity)
    }

    fn create(path: &Path) -> Result<Self, IdentityError> {
        let (identity, seed) = Self::generate()?;
        let file = IdentityFile {
            ed25519_priv: hex::encode(seed),
            ed25519_pub: identity.public.clone(),
            created_at: json!(Instant::now().seconds()),
        };
        write(path, &serde_json::to_vec_pretty(&file)?)?;
        Ok(identity)
    }

    fn generate() -> Result<(Self, [u8; 32]), IdentityError> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed)?;
        let key = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_| IdentityError::Mismatch)?;
        let public = hex::encode(key.public_key());
        Ok((Self { key, public }, seed))
    }
}

/// Writes an identity file that only its owner can read.
pub(crate) fn write(path: &Path, text: &[u8]) -> std::io::Result<()> {
    // Under another name first: a crash half way must not leave a file that looks like an identity.
    let unfinished = path.with_extension("json.new");
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(MODE);
    let mut output = options.open(&unfinished)?;
    output.write_all(text)?;
    output.sync_all()?;
    fs_err::rename(&unfinished, path)
}
