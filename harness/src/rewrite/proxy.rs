//! The layer as a server of its own, in front of a registry at a URL.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use assayer_reference_registry as registry;
use assayer_vectors::{Rule, Wire};
use serde_json::json;
use ureq::http::Response;
use ureq::http::request::Builder;

use super::http::{Requests, write};
use super::message::{Fields, Reply, Request};
use super::{Rewriting, remove_field};
use crate::client::BadUrl;

/// No more connections are served at once.
const MOST_CONNECTIONS: usize = 256;

/// A client that says nothing for so long is not waited for.
const SILENCE: Duration = Duration::from_secs(60);

/// A registry that does not answer for so long is said to be gone.
const PATIENCE: Duration = Duration::from_secs(60);

/// No larger answer is passed on.
const LARGEST_ANSWER: u64 = 256 << 20;

/// Why the layer could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProxyError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// A rule acts inside of a registry, where a proxy cannot reach.
    #[error("it acts inside of the registry, so it cannot be put in front of one")]
    Inside,
    /// The URL of the registry is of no use.
    #[error(transparent)]
    Url(#[from] BadUrl),
}

/// The layer, listening until it is dropped.
pub struct Proxy {
    address: SocketAddr,
    rewriting: Arc<Rewriting>,
    stopping: Arc<AtomicBool>,
    listener: Option<JoinHandle<()>>,
}

impl Proxy {
    /// Puts rules in front of the registry at `upstream`, and listens on `address` (port 0 takes any free one).
    ///
    /// # Errors
    /// [`ProxyError`] if a rule acts inside of the registry, the URL is none, or the address is taken.
    pub fn start(
        rules: &[Rule],
        wire: &Wire,
        upstream: &str,
        address: SocketAddr,
    ) -> Result<Self, ProxyError> {
        if rules.iter().any(|rule| rule.at.is_inside()) {
            return Err(ProxyError::Inside);
        }
        // The same rules for URLs as for the registry that is checked.
        crate::client::Client::new(upstream, None)?;
        Self::with(Arc::new(Rewriting::new(rules, wire)), Upstream::new(upstream), address)
    }

    pub(crate) fn with(
        rewriting: Arc<Rewriting>,
        upstream: Upstream,
        address: SocketAddr,
    ) -> Result<Self, ProxyError> {
        let layer = Arc::clone(&rewriting);
        Self::serve(rewriting, address, move |request| {
            layer.exchange(request, &|request| upstream.ask(request))
        })
    }

    /// Answers every request by `answer`.
    pub(crate) fn serve(
        rewriting: Arc<Rewriting>,
        address: SocketAddr,
        answer: impl Fn(Request) -> Reply + Send + Sync + 'static,
    ) -> Result<Self, ProxyError> {
        let bind = |source| ProxyError::Bind { address, source };
        let listener = TcpListener::bind(address).map_err(bind)?;
        let address = listener.local_addr().map_err(bind)?;
        let stopping = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&stopping);
        let thread = std::thread::spawn(move || listen(&listener, &stop, &Arc::new(answer)));
        Ok(Self { address, rewriting, stopping, listener: Some(thread) })
    }

    /// The base URL, without a slash at its end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Whether a rule has made a difference so far.
    #[must_use]
    pub fn acted(&self) -> bool {
        self.rewriting.acted()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for the next connection.
        let mut address = self.address;
        if address.ip().is_unspecified() {
            address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
        }
        let woken = TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_ok();
        if let Some(listener) = self.listener.take().filter(|_| woken) {
            drop(listener.join());
        }
    }
}

fn listen<A>(listener: &TcpListener, stopping: &AtomicBool, answer: &Arc<A>)
where
    A: Fn(Request) -> Reply + Send + Sync + 'static,
{
    let open = Arc::new(AtomicUsize::new(0));
    for stream in listener.incoming() {
        if stopping.load(Ordering::SeqCst) {
            return;
        }
        let Ok(stream) = stream else { continue };
        if open.fetch_add(1, Ordering::SeqCst) >= MOST_CONNECTIONS {
            open.fetch_sub(1, Ordering::SeqCst);
            continue;
        }
        let (answer, open) = (Arc::clone(answer), Arc::clone(&open));
        std::thread::spawn(move || {
            // A client that goes away, or speaks no HTTP, ends its connection and nothing else.
            drop(converse(&stream, &*answer));
            open.fetch_sub(1, Ordering::SeqCst);
        });
    }
}

/// Answers the requests of one connection in turn.
fn converse(stream: &TcpStream, answer: &dyn Fn(Request) -> Reply) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(SILENCE))?;
    let mut requests = Requests::new(stream);
    while let Some(request) = requests.next()? {
        let method = request.method.clone();
        let closes = wants_close(&request.headers);
        let reply = answer(request);
        if !write(&mut &*stream, &method, &reply)? || closes {
            break;
        }
    }
    stream.shutdown(std::net::Shutdown::Both)
}

fn wants_close(headers: &Fields) -> bool {
    super::field(headers, "connection").is_some_and(|value| value.eq_ignore_ascii_case(b"close"))
}

/// Header fields that belong to one connection (RFC 9110, section 7.6.1), and those that the client library writes itself.
const OF_ONE_HOP: [&str; 9] = [
    "accept-encoding",
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "te",
    "transfer-encoding",
    "upgrade",
];

/// The registry behind the layer.
pub(crate) enum Upstream {
    /// At a URL.
    Url { agent: ureq::Agent, base: String },
    /// In this process, without a connection: no rule acts on one, and a selftest asks close to a million times.
    Here(registry::Direct),
}

impl Upstream {
    pub(crate) fn new(base: &str) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_global(Some(PATIENCE))
            .proxy(None)
            // What the client did not send is not sent for it.
            .user_agent("")
            .accept("")
            .accept_encoding("identity")
            .allow_non_standard_methods(true)
            .build();
        let agent = crate::addresses::agent(config);
        Self::Url { agent, base: base.trim_end_matches('/').to_owned() }
    }

    /// The registry's answer; 502 where there is none.
    pub(crate) fn ask(&self, request: &Request) -> Reply {
        self.try_ask(request).unwrap_or_else(|message| {
            Reply::json(502, &json!({"error": {"code": "server_error", "message": message}}))
        })
    }

    fn try_ask(&self, request: &Request) -> Result<Reply, String> {
        let (status, fields, body) = match self {
            Self::Url { agent, base } => {
                let response = at_url(agent, outgoing(base, request), &request.body);
                let (parts, body) = response.map_err(|error| error.to_string())?.into_parts();
                (parts.status, parts.headers, body)
            }
            Self::Here(direct) => {
                let outgoing = outgoing("", request).header("accept-encoding", "identity");
                let outgoing = outgoing.body(request.body.clone()).map_err(|error| error.to_string())?;
                let (parts, body) = direct.ask(outgoing).map_err(|error| error.to_string())?.into_parts();
                (parts.status, parts.headers, body)
            }
        };
        let mut headers: Fields =
            fields.iter().map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect();
        for name in ["connection", "keep-alive", "transfer-encoding"] {
            remove_field(&mut headers, name);
        }
        Ok(Reply { status: status.as_u16(), headers, body, sending: Vec::new() })
    }
}

fn outgoing(base: &str, request: &Request) -> Builder {
    let mut outgoing =
        Builder::new().method(request.method.as_str()).uri(format!("{base}{}", request.target));
    for (name, value) in &request.headers {
        if !OF_ONE_HOP.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            outgoing = outgoing.header(name.as_str(), value.as_slice());
        }
    }
    outgoing
}

fn at_url(agent: &ureq::Agent, outgoing: Builder, body: &[u8]) -> Result<Response<Vec<u8>>, ureq::Error> {
    let response =
        if body.is_empty() { agent.run(outgoing.body(())?)? } else { agent.run(outgoing.body(body)?)? };
    let (parts, mut body) = response.into_parts();
    Ok(Response::from_parts(parts, body.with_config().limit(LARGEST_ANSWER).read_to_vec()?))
}
