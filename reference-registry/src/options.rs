//! What an operator decides before the registry starts.

use std::{
    collections::BTreeSet, fmt, net::SocketAddr, path::PathBuf, str::FromStr, sync::Arc, time::Duration,
};

use axum::http::{HeaderValue, Uri};
use ipnet::IpNet;
use ring::hmac;

use crate::{dialect::Dialect, faults::Meddler, hosts::HostNames};

/// Everything that [`start`](crate::start) needs to know.
#[derive(Clone, Debug)]
pub struct Options {
    /// Which dialect of the protocol is spoken.
    pub dialect: Dialect,
    /// Address to listen on; port 0 takes any free one.
    pub bind: SocketAddr,
    /// Where rows, log and identity live.
    pub data: DataLocation,
    /// Who may write where no operator token is set.
    pub access: Access,
    /// What to do where a log has leaves and the identity that signed its heads is not there.
    pub lost_identity: LostIdentity,
    /// Address, on loopback, of a second listener: `/health`, `/metrics` (OpenMetrics) and `/openapi.json`.
    pub admin: Option<SocketAddr>,
    /// Pages that may read this registry from a browser, beside those of the project.
    pub cors_origins: Vec<Origin>,
    /// Names of the hosts that serve one family of routes each; without any, every route answers under every name.
    pub hosts: HostNames,
    /// Peers whose `X-Forwarded-For` is believed: its rightmost address is then that of the client.
    pub trusted_proxies: Vec<IpNet>,
    /// How long a client may take.
    pub timeouts: Timeouts,
    /// Asked for on `/register` and `/attribute` when set.
    pub operator_token: Option<Secret>,
    /// Asked for on `/dns_event`, of everyone, when set; otherwise only programs on this machine may call it.
    pub dns_event_secret: Option<Secret>,
    /// Transparency log with the interface of Rekor v1 that registrations are attested in; none is asked where absent.
    pub transparency_log: Option<LogUrl>,
    /// Reported in the well-known document.
    pub jurisdiction: String,
    /// Limit per client address on registration, beacons and DNS events.
    pub rate_limit: Option<RateLimit>,
    /// Limit per client address on everything else.
    pub read_limit: Option<RateLimit>,
    /// Bytes of memory for bodies and answers that are larger than usual, all together; one client has half of them at most.
    pub memory: usize,
    /// Ids out of [`FAULTS`](crate::FAULTS): the ways in which this registry shall misbehave.
    pub faults: BTreeSet<String>,
    /// Who may change what is about to be written, hashed or signed.
    pub meddler: Option<Arc<dyn Meddler>>,
}

/// Enough for a bundle of some 35,000 events, and for 48 clients that send all they may.
const USUAL_MEMORY: usize = 192 << 20;

impl Options {
    /// An honest, open registry on an ephemeral loopback port whose data vanish with it.
    #[must_use]
    pub fn ephemeral() -> Self {
        Self {
            dialect: Dialect::Candidate,
            bind: SocketAddr::from(([127, 0, 0, 1], 0)),
            data: DataLocation::Temporary,
            access: Access::Guarded,
            lost_identity: LostIdentity::Refused,
            admin: None,
            cors_origins: Vec::new(),
            hosts: HostNames::default(),
            trusted_proxies: Vec::new(),
            timeouts: Timeouts::default(),
            operator_token: None,
            dns_event_secret: None,
            transparency_log: None,
            jurisdiction: String::from("GLOBAL"),
            rate_limit: None,
            read_limit: None,
            memory: USUAL_MEMORY,
            faults: BTreeSet::new(),
            meddler: None,
        }
    }
}

impl Options {
    /// Whether anybody but programs on this machine can call: it listens beyond loopback, or a proxy stands in front.
    #[must_use]
    pub fn is_public(&self) -> bool {
        !self.bind.ip().to_canonical().is_loopback()
            || !self.trusted_proxies.is_empty()
            || self.hosts.are_set()
    }
}

/// Who may write where no operator token is set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Access {
    /// Programs on this machine: a registry that others can reach does not start without a token.
    #[default]
    Guarded,
    /// Anybody. For trials and conformance runs, never for a registry that matters.
    Open,
}

/// What becomes of a log whose identity is gone: under a new key all that was signed before is a stranger's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LostIdentity {
    /// The registry does not start.
    #[default]
    Refused,
    /// A new identity is made.
    Replaced,
}

/// How long a client may take.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// Until the body of a request has come.
    pub body: Duration,
    /// Until a request has been answered, its body included.
    pub request: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { body: Duration::from_secs(20), request: Duration::from_secs(60) }
    }
}

/// The origin of a page (RFC 6454), as a browser spells it: scheme, host and a port that is not the usual one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(HeaderValue);

/// A text is no origin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected an origin such as https://inspector.example, in lower case and without a path, found {found:?}"
)]
pub struct OriginError {
    /// The text.
    pub found: String,
}

impl Origin {
    pub(crate) fn value(&self) -> HeaderValue {
        self.0.clone()
    }
}

impl FromStr for Origin {
    type Err = OriginError;

    /// Takes no other spelling than a browser's: one that never matches would look like an approved one.
    fn from_str(text: &str) -> Result<Self, OriginError> {
        let error = || OriginError { found: text.to_owned() };
        let uri: Uri = text.parse().map_err(|_| error())?;
        let (scheme, authority) = uri.scheme_str().zip(uri.authority()).ok_or_else(error)?;
        let usual = if scheme == "https" { Some(443) } else { Some(80) };
        let is_spelled_so = text == format!("{scheme}://{authority}").to_ascii_lowercase();
        let is_web = ["http", "https"].contains(&scheme) && !authority.as_str().contains('@');
        match is_web && is_spelled_so && authority.port_u16() != usual {
            true => HeaderValue::from_str(text).map(Self).map_err(|_| error()),
            false => Err(error()),
        }
    }
}

/// Base URL of a transparency log: scheme, host, perhaps a port and a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogUrl(String);

/// A text is no base URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected an http or https URL without user, query and fragment, found another text")]
pub struct LogUrlError;

impl LogUrl {
    pub(crate) fn base(&self) -> &str {
        &self.0
    }
}

impl FromStr for LogUrl {
    type Err = LogUrlError;

    /// The text does not stand in the error: a user and a password might.
    fn from_str(text: &str) -> Result<Self, LogUrlError> {
        let uri: Uri = text.parse().map_err(|_| LogUrlError)?;
        let is_web = matches!(uri.scheme_str(), Some("http" | "https"));
        let is_plain = uri.authority().is_some_and(|authority| !authority.as_str().contains('@'));
        match is_web && is_plain && uri.query().is_none() && !text.contains('#') {
            true => Ok(Self(text.trim_end_matches('/').to_owned())),
            false => Err(LogUrlError),
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

    /// Whether a header field can carry it, so that somebody can present it at all.
    pub(crate) fn is_sendable(&self) -> bool {
        self.0.bytes().all(|byte| byte.is_ascii_graphic())
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
    fn an_origin_is_spelled_as_browsers_do() {
        for text in ["https://inspector.example", "http://localhost:8000", "https://[2001:db8::1]:8443"] {
            assert_eq!(text.parse::<Origin>().unwrap().value(), text);
        }
        let texts = [
            "",
            "*",
            "null",
            "inspector.example",
            "https://inspector.example/",
            "https://Inspector.example",
            "https://inspector.example:443",
            "http://x:80",
            "https://u@x",
            "ftp://x",
            "https://x/page",
            "https://a b",
        ];
        for text in texts {
            assert!(text.parse::<Origin>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_url_of_a_log_has_neither_user_nor_query() {
        for text in ["https://rekor.example", "http://127.0.0.1:3000/", "https://x/base/"] {
            assert_eq!(text.parse::<LogUrl>().unwrap().base(), text.trim_end_matches('/'));
        }
        for text in ["", "rekor.example", "ftp://x", "https://u:p@x", "https://x?y", "https://x#y", "/path"] {
            assert_eq!(text.parse::<LogUrl>(), Err(LogUrlError), "{text}");
        }
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
