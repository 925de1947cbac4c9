//! Whether a database is that of the registry that was asked: its identity has the key, its log the heads.

use std::io::Write;
use std::path::Path;

use assayer_reference_registry as registry;
use assayer_vectors::{Growth, Reference, Suite, Torn, Wire};
use assayer_verifier::oversight::Log;
use serde_json::Value as Json;

use super::rounds::sightings;
use super::{Databases, StepStatus};
use crate::client::ANSWER_LIMITS;
use crate::growth::{NotOneLog, compare};
use crate::record::look_up;
use crate::transcript::Transcript;

/// No log that is longer is compared: 1 GiB of lines.
const LONGEST_LOG: usize = 1 << 30;
/// No identity file is longer.
const LONGEST_IDENTITY: u64 = 1 << 20;

/// Compares key and heads that a run saw with the files of the registry.
///
/// Out: passed only if the key is that of the identity file, and the first leaves of the database's log lead to every head.
#[must_use]
pub fn tied(
    databases: &Databases,
    live: &Transcript,
    (suite, wire): (&Suite, &Wire),
) -> (StepStatus, String) {
    let reference = Reference { name: "well-known".to_owned(), pointer: "/ed25519_pub".to_owned() };
    let Some(shown) = look_up(live, &reference, u32::MAX) else {
        return (StepStatus::NotVerified, "the live run saw no key".to_owned());
    };
    let key = match public_key(&databases.data_dir) {
        Ok(key) => key,
        Err(text) => return (StepStatus::Failed, text),
    };
    if shown != key {
        return (
            StepStatus::Failed,
            format!("expected the key of the identity file, {key}; the registry shows {shown}"),
        );
    }
    let lines = match log_of(&databases.new, &databases.data_dir) {
        Ok(lines) => lines,
        Err(text) => return (StepStatus::Failed, format!("the log cannot be read: {text}")),
    };
    let heads = sightings(live, suite, wire);
    let Some(largest) = heads.iter().flat_map(|seen| seen.sizes()).max() else {
        return (StepStatus::NotVerified, "the live run saw no head".to_owned());
    };
    let records = lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let (log, _) = Log::read(records, &ANSWER_LIMITS);
    match compare(&heads, &log, &Growth { log: "the database".to_owned(), torn: Torn::Ignored }) {
        Ok(()) => (
            StepStatus::Passed,
            format!("key and heads of up to {largest} leaves are those that the registry shows"),
        ),
        Err(NotOneLog::Shown(text) | NotOneLog::TooShort(text)) => {
            (StepStatus::Failed, format!("it is not the database of this registry: {text}"))
        }
    }
}

/// The public half of the identity; the private one is not looked at.
fn public_key(data_dir: &Path) -> Result<Json, String> {
    let path = data_dir.join("registry-identity.json");
    let length = fs_err::metadata(&path).map_err(|error| error.to_string())?.len();
    if length > LONGEST_IDENTITY {
        return Err(format!("{}: {length} bytes, at most {LONGEST_IDENTITY} are read", path.display()));
    }
    let bytes = fs_err::read(&path).map_err(|error| error.to_string())?;
    // The error of the reader would name a place, never a value.
    let identity: Json = serde_json::from_slice(&bytes)
        .map_err(|error| format!("{}: line {}: this is no JSON", path.display(), error.line()))?;
    let key = identity.get("ed25519_pub").filter(|key| key.is_string()).cloned();
    key.ok_or_else(|| format!("{}: expected a text at /ed25519_pub", path.display()))
}

/// The log as lines: out of the database, or out of the file that older registries keep.
fn log_of(db: &Path, data_dir: &Path) -> Result<Vec<u8>, String> {
    let file = data_dir.join("tlog").join("leaves.jsonl");
    let mut lines = Bounded(Vec::new());
    match registry::export_log(db, &mut lines) {
        Ok(count) if count > 0 || !file.exists() => Ok(lines.0),
        Err(error) if !file.exists() => Err(error.to_string()),
        Ok(_) | Err(_) => {
            let mut reader = fs_err::File::open(&file).map_err(|error| error.to_string())?;
            std::io::copy(&mut reader, &mut lines).map_err(|error| error.to_string())?;
            Ok(lines.0)
        }
    }
}

struct Bounded(Vec<u8>);

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.0.len().saturating_add(bytes.len()) > LONGEST_LOG {
            return Err(std::io::Error::other(format!("more than {LONGEST_LOG} bytes")));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
