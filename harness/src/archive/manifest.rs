//! What was run, against what, with what.

use std::collections::{BTreeMap, BTreeSet};

use assayer_reports::{Mode, Selection, Tool};
use assayer_vectors::Capability;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::differences::Difference;
use super::file;

/// Version of the archive's form: the number grows when a member changes its meaning or disappears.
pub const ARCHIVE_FORM: &str = "assayer-archive/1";

/// `manifest.json`.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Form of the archive: `assayer-archive/1`.
    pub form: String,
    /// Whether the run came to its end.
    pub state: ArchiveState,
    /// What recorded it.
    pub tool: Tool,
    /// The suite whose data is beside this file.
    pub suite: SuiteUsed,
    /// Edition whose checks were to be judged.
    pub edition: String,
    /// Whether these are all of its checks.
    pub selection: Selection,
    /// The checks that were selected; what others need was not sent.
    pub checks: Vec<String>,
    /// Wire profile that was spoken.
    pub wire: String,
    /// What the run was allowed to leave behind.
    pub mode: Mode,
    /// What random choices of turns follow from (hexadecimal). Values and keys are drawn elsewhere, so that nobody can make a
    /// key again from it.
    pub seed: String,
    /// A URL, or `in-process`.
    pub target: String,
    /// What the run had.
    pub capabilities: BTreeSet<Capability>,
    /// When it was.
    pub clock: Clock,
    /// Who answered, by the certificate of its TLS; absent without TLS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_peer: Option<TlsPeer>,
    /// The command that shows a failure again. Where it ends with `--only`, the name of the check is put behind it.
    pub rerun: String,
    /// Values and fixtures of this run, without private keys.
    pub names: BTreeMap<String, Json>,
}

/// Whether a run came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ArchiveState {
    /// It did.
    Complete,
    /// It was killed, or it is still going on.
    Incomplete,
}

/// The suite that a run used.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SuiteUsed {
    /// Its name.
    pub name: String,
    /// SHA-256 (hexadecimal) over the names and bytes of all its files.
    pub digest: String,
    /// SHA-256 (hexadecimal) of its `requirements.yaml`.
    pub requirements_digest: String,
}

/// When a run was, by the clock of the machine that recorded it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Clock {
    /// When the first request was sent (RFC 3339, UTC).
    pub started_at: String,
    /// When recording ended (RFC 3339, UTC): so long after it began as it took; absent while it goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<String>,
    /// How long recording took, in milliseconds, by a clock that nobody sets.
    pub elapsed_ms: u64,
}

/// Who answered, as seen on a connection of its own before the first request.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TlsPeer {
    /// Version of the protocol.
    pub protocol: String,
    /// Cipher suite.
    pub cipher_suite: String,
    /// The certificates that were shown, that of the server first.
    pub certificates: Vec<Certificate>,
}

/// One certificate.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// SHA-256 (hexadecimal) of its DER.
    pub sha256: String,
    /// Its DER in hexadecimal.
    pub der_hex: String,
}

impl Manifest {
    /// As one JSON document, with a newline at its end.
    #[must_use]
    pub fn to_json(&self) -> String {
        // The model has only texts, numbers and lists: there is nothing that could not be written.
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }

    /// Members that contradict each other, or say nothing.
    pub(super) fn contradictions(&self) -> Vec<Difference> {
        let mut found = Vec::new();
        let mut differs = |at: &str, recorded: &str, derived: &str| {
            found.push(Difference::new(file::MANIFEST, at, recorded, derived));
        };
        let time = |text: &str| text.parse::<Timestamp>().ok();
        let Clock { started_at, finished_at, .. } = &self.clock;
        let finished = finished_at.as_deref().unwrap_or("nothing");
        match (time(started_at), time(finished)) {
            (None, _) => differs("/clock/started_at", started_at, "a time (RFC 3339)"),
            (_, None) if self.state == ArchiveState::Complete || finished_at.is_some() => {
                differs("/clock/finished_at", finished, "a time (RFC 3339)");
            }
            (Some(start), Some(end)) if end < start => {
                differs("/clock/finished_at", finished, &format!("a time not before {started_at}"));
            }
            _ => {}
        }
        let Some(peer) = &self.tls_peer else { return found };
        if !self.has_tls() {
            differs("/tls_peer", "a peer of TLS", &format!("none, since the target is {}", self.target));
        }
        for (place, certificate) in peer.certificates.iter().enumerate() {
            let derived = hex::decode(&certificate.der_hex).map(|der| super::sha256(&der));
            let derived = derived.unwrap_or_else(|error| format!("nothing: der_hex: {error}"));
            if derived != certificate.sha256 {
                differs(&format!("/tls_peer/certificates/{place}/sha256"), &certificate.sha256, &derived);
            }
        }
        found
    }

    /// Whether the target is spoken to by TLS.
    pub(super) fn has_tls(&self) -> bool {
        self.target.get(..8).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https://"))
    }

    /// One for tests that look at the clock alone.
    #[cfg(test)]
    pub(crate) fn sample(started_at: &str, elapsed_ms: u64) -> Self {
        Self {
            form: ARCHIVE_FORM.to_owned(),
            state: ArchiveState::Complete,
            tool: Tool { name: String::new(), version: String::new() },
            suite: SuiteUsed {
                name: String::new(),
                digest: String::new(),
                requirements_digest: String::new(),
            },
            edition: String::new(),
            selection: Selection::Part,
            checks: Vec::new(),
            wire: String::new(),
            mode: Mode::Full,
            seed: String::new(),
            target: String::new(),
            capabilities: BTreeSet::new(),
            clock: Clock { started_at: started_at.to_owned(), finished_at: None, elapsed_ms },
            tls_peer: None,
            rerun: String::new(),
            names: BTreeMap::new(),
        }
    }
}
