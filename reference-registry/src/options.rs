//! What an operator decides before the registry starts.

use std::{collections::BTreeSet, fmt, net::SocketAddr, path::PathBuf, sync::Arc};

use ring::hmac;

use crate::{dialect::Dialect, faults::Meddler};

/// Everything that [`start`](crate::start) needs to know.
#[derive(Clone, Debug)]
pub struct Options {
    /// Which dialect of the protocol is spoken.
    pub dialect: Dialect,
    /// Address to listen on; port 0 takes any free one.
    pub bind: SocketAddr,
    /// Where rows, log and identity live.
    pub data: DataLocation,
    /// Asked for on `/register` and `/attribute` when set.
    pub operator_token: Option<Secret>,
    /// Asked for on `/dns_event`, of everyone, when set; otherwise only loopback peers may call it.
    pub dns_event_secret: Option<Secret>,
    /// Reported in the well-known document.
    pub jurisdiction: String,
    /// Limit per client address on registration, beacons and DNS events.
    pub rate_limit: Option<RateLimit>,
    /// Ids out of [`FAULTS`](crate::FAULTS): the ways in which this registry shall misbehave.
    pub faults: BTreeSet<String>,
    /// Who may change what is about to be written, hashed or signed.
    pub meddler: Option<Arc<dyn Meddler>>,
}

impl Options {
    /// An honest, open registry on an ephemeral loopback port whose data vanish with it.
    #[must_use]
    pub fn ephemeral() -> Self {
        Self {
            dialect: Dialect::Candidate,
            bind: SocketAddr::from(([127, 0, 0, 1], 0)),
            data: DataLocation::Temporary,
            operator_token: None,
            dns_event_secret: None,
            jurisdiction: String::from("GLOBAL"),
            rate_limit: None,
            faults: BTreeSet::new(),
            meddler: None,
        }
    }
}

/// Where rows, log and identity live.
#[derive(Clone, Debug)]
pub enum DataLocation {
    /// In memory, gone when the registry stops.
    Temporary,
    /// `registry.sqlite` and `registry-identity.json` in this directory, which is created if absent.
    Directory(PathBuf),
    /// The database under a name of its own, the identity in `data_dir`.
    Files {
        /// The SQLite database.
        db: PathBuf,
        /// The directory of `registry-identity.json`.
        data_dir: PathBuf,
    },
}

/// A token bucket: `burst` requests at once, refilled at `per_second`.
#[derive(Clone, Copy, Debug)]
pub struct RateLimit {
    /// Tokens added each second; zero never refills.
    pub per_second: u32,
    /// Tokens that a bucket holds.
    pub burst: u32,
}

/// A shared secret. It can be compared, never printed.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Wraps the text of a secret.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Compares in time that does not depend on where the two differ: the tags are compared, not the texts.
    pub(crate) fn is(&self, presented: &[u8]) -> bool {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.0.as_bytes());
        let tag = hmac::sign(&key, presented);
        hmac::verify(&key, self.0.as_bytes(), tag.as_ref()).is_ok()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_does_not_print_itself() {
        let options = Options { operator_token: Some(Secret::new("hush")), ..Options::ephemeral() };
        assert!(!format!("{options:?}").contains("hush"));
    }

    #[test]
    fn a_secret_equals_itself_only() {
        let secret = Secret::new("hush");
        assert!(secret.is(b"hush"));
        for other in [&b"hus"[..], b"hushh", b"husH", b""] {
            assert!(!secret.is(other));
        }
    }
}
