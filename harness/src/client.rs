//! One request at a time, at a pace that a rate limit allows. All the network that there is.

use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Barrier, Mutex};
use std::thread::sleep;
use std::time::{Duration, Instant};

use assayer_verifier::Limits;
use jiff::Timestamp;
use ureq::http::{Request, Uri};

use crate::archive::TlsPeer;
use crate::tls;
use crate::transcript::{Answer, Failure};

/// No larger answer is read.
const LARGEST_ANSWER: usize = 64 << 20;
/// What may be in an answer: as much as it has room for, as an honest registry is not accused of a large file.
pub(crate) const ANSWER_LIMITS: Limits =
    Limits { bytes: LARGEST_ANSWER, values: 4_000_000, ..Limits::DEFAULT };
/// Bytes that are read before a body begins. After an interim answer (100, 103) the client counts what came of the body as well.
const LARGEST_HEAD: usize = 4 << 20;
/// No answer is waited for longer.
const PATIENCE: Duration = Duration::from_secs(20);
/// How many requests of a burst are on their way at the same time.
const AT_ONCE: usize = 4;
/// How often a request is sent again after 429, and the longest that is waited between two of them of our own accord.
const TRIES: u32 = 5;
const LONGEST_WAIT: Duration = Duration::from_secs(15);
/// Who asks for a longer wait is not asked again in this run: coming back sooner would not be what was asked for.
const LONGEST_ASKED: Duration = Duration::from_secs(120);

/// How many requests are sent at once, and how many in each second after that.
///
/// The recorded registries allow 30 and 10; a margin is left for other clients behind the same address.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Requests without a pause.
    pub burst: f64,
    /// Requests in a second after that.
    pub per_second: f64,
}

impl Pace {
    /// For a target that belongs to somebody.
    pub const POLITE: Self = Self { burst: 20.0, per_second: 8.0 };

    /// For a target whose operator says how many requests a second it takes from this client.
    #[must_use]
    pub fn of(per_second: u16) -> Self {
        let per_second = f64::from(per_second.max(1));
        Self { burst: Self::POLITE.burst.max(per_second), per_second }
    }
}

/// What is sent.
pub(crate) struct Outgoing<'r> {
    pub(crate) method: &'r str,
    pub(crate) path_and_query: &'r str,
    pub(crate) headers: &'r [(String, String)],
    pub(crate) body: Option<&'r [u8]>,
    /// Whether it may be sent again if the connection broke: a target that refuses without reading the body may close before
    /// the refusal arrives (RFC 9112 section 9.6), and one that is through with a connection while a request is on its way.
    pub(crate) stores_nothing: bool,
}

/// A base URL that is of no use.
#[derive(Debug, thiserror::Error)]
#[error("`{found}`: expected a URL like https://registry.example, {why}")]
pub struct BadUrl {
    /// What was given.
    pub found: String,
    /// What is wrong with it.
    pub why: String,
}

/// Sends requests to one origin.
pub struct Client {
    agent: ureq::Agent,
    base: String,
    pace: Option<Pace>,
    tokens: f64,
    refilled: Instant,
}

impl Client {
    /// A client for the registry at `base` (scheme, host, optional port, optional path).
    ///
    /// # Errors
    /// [`BadUrl`] for anything else.
    pub fn new(base: &str, pace: Option<Pace>) -> Result<Self, BadUrl> {
        // Whatever stands before an `@` may be a password and is not repeated.
        let shown = base.rsplit_once('@').map_or_else(|| base.to_owned(), |(_, host)| format!("(…)@{host}"));
        // A query may be a token as well.
        let shown = match shown.find(['?', '#']).and_then(|end| shown.get(..=end)) {
            Some(before) => format!("{before}(…)"),
            None => shown,
        };
        let bad = |why: &str| BadUrl { found: shown.clone(), why: why.to_owned() };
        let uri: Uri = base.parse().map_err(|_| bad("this is none"))?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) {
            return Err(bad("with the scheme http or https"));
        }
        let authority = uri.authority().ok_or_else(|| bad("with a host"))?;
        // Also behind a slash: whoever writes a password with a slash in it means a password.
        if authority.as_str().contains('@') || base.contains('@') {
            return Err(bad("without a user or password: secrets are read from the environment"));
        }
        // The colons of an IPv6 address stand within brackets.
        let port =
            authority.as_str().rsplit_once(':').map(|(_, port)| port).filter(|port| !port.ends_with(']'));
        if port.is_some_and(|port| !port.parse::<u16>().is_ok_and(|port| port > 0)) {
            return Err(bad("with a port from 1 to 65535"));
        }
        if uri.query().is_some() || base.contains('#') {
            return Err(bad("without a query or a fragment"));
        }
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            // A redirect could carry a secret to another origin.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_global(Some(PATIENCE))
            .proxy(None)
            .max_response_header_size(LARGEST_HEAD)
            .user_agent(concat!("assayer/", env!("CARGO_PKG_VERSION")))
            .allow_non_standard_methods(true)
            .build();
        let agent = crate::addresses::agent(config);
        let burst = pace.map_or(0.0, |pace| pace.burst);
        Ok(Self {
            agent,
            base: base.trim_end_matches('/').to_owned(),
            pace,
            tokens: burst,
            refilled: Instant::now(),
        })
    }

    /// Whether every address of the target is known and none is on the loopback interface: then we are no local caller
    /// to it.
    pub(crate) fn is_beyond_loopback(&self) -> bool {
        let addresses = self.addresses();
        !addresses.is_empty() && addresses.iter().all(|address| !address.is_loopback())
    }

    /// Whether some address of the target is not on the loopback interface: then it may belong to somebody else.
    pub fn may_be_elsewhere(&self) -> bool {
        let addresses = self.addresses();
        addresses.is_empty() || addresses.iter().any(|address| !address.is_loopback())
    }

    /// Who answers, by a handshake of its own; `None` without TLS.
    pub(crate) fn tls_peer(&self) -> Option<TlsPeer> {
        let uri: Uri = self.base.parse().ok()?;
        let host = uri.host()?.trim_matches(['[', ']']);
        if uri.scheme_str() == Some("https") { tls::peer(host, &self.socket_addresses()) } else { None }
    }

    fn addresses(&self) -> Vec<IpAddr> {
        self.socket_addresses().iter().map(|address| address.ip().to_canonical()).collect()
    }

    fn socket_addresses(&self) -> Vec<SocketAddr> {
        let Ok(uri) = self.base.parse::<Uri>() else { return Vec::new() };
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
        let default = if uri.scheme_str() == Some("https") { 443 } else { 80 };
        let addresses = (host, uri.port_u16().unwrap_or(default)).to_socket_addrs();
        addresses.map(Iterator::collect).unwrap_or_default()
    }

    /// Sends one request, and again for as long as the answer is 429 and there is hope.
    pub(crate) fn send(&mut self, outgoing: &Outgoing<'_>) -> Result<Answer, (Failure, String)> {
        let mut wait = Duration::from_secs(1);
        for attempt in 1..=TRIES {
            let answer = self.send_in_turn(outgoing)?;
            if answer.status != 429 {
                return Ok(answer);
            }
            if attempt < TRIES {
                let asked = answer.header("retry-after").and_then(|text| retry_after(text, Timestamp::now()));
                if let Some(asked) = asked.filter(|asked| *asked > LONGEST_ASKED) {
                    let (asked, most) = (asked.as_secs(), LONGEST_ASKED.as_secs());
                    let text = format!("429, to come back in {asked} s; at most {most} s are waited");
                    return Err((Failure::RateLimited, text));
                }
                sleep(asked.unwrap_or(wait));
                wait = (wait * 2).min(LONGEST_WAIT);
            }
        }
        Err((Failure::RateLimited, format!("429 to {TRIES} requests in a row")))
    }

    /// Sends one request at the pace of the run; once more if its connection broke and nothing can have been stored.
    fn send_in_turn(&mut self, outgoing: &Outgoing<'_>) -> Result<Answer, (Failure, String)> {
        self.keep_pace();
        match self.send_once(outgoing) {
            Err((Failure::Broken, _)) if outgoing.stores_nothing => {
                self.keep_pace();
                self.send_once(outgoing)
            }
            other => other,
        }
    }

    /// Sends one request up to `most` times, several at once and without a pause, until one is answered with 429.
    ///
    /// Out: that answer, or else the last. A first answer of 429 shows nothing about what follows from the burst.
    pub(crate) fn burst(&mut self, outgoing: &Outgoing<'_>, most: u32) -> Result<Answer, (Failure, String)> {
        let first = self.send(&Outgoing { headers: &numbered(outgoing.headers, 0), ..*outgoing })?;
        let sent = AtomicU32::new(1);
        let (limited, other) = (Mutex::new(None), Mutex::new(first));
        let this = &*self;
        let go_on = || {
            let is_over = limited.lock().is_ok_and(|limited| limited.is_some());
            let nth = sent.fetch_add(1, Ordering::Relaxed);
            (!is_over && nth < most).then_some(nth)
        };
        std::thread::scope(|scope| {
            for _ in 0..AT_ONCE {
                scope.spawn(|| {
                    while let Some(nth) = go_on() {
                        let outgoing = Outgoing { headers: &numbered(outgoing.headers, nth), ..*outgoing };
                        // What breaks in a burst is no answer to judge; the others go on.
                        let Ok(answer) = this.send_once(&outgoing) else { return };
                        match (answer.status, limited.lock(), other.lock()) {
                            (429, Ok(mut limited), _) => *limited = Some(answer),
                            (_, _, Ok(mut other)) => *other = answer,
                            _ => return,
                        }
                    }
                });
            }
        });
        self.tokens = 0.0;
        self.refilled = Instant::now();
        let poisoned = || (Failure::Broken, "a thread of the burst broke off".to_owned());
        match limited.into_inner().map_err(|_| poisoned())? {
            Some(answer) => Ok(answer),
            None => other.into_inner().map_err(|_| poisoned()),
        }
    }

    /// Sends several requests at the same moment, each once: sent again, one of them would come late.
    pub(crate) fn send_together(&mut self, all: &[Outgoing<'_>]) -> Vec<Result<Answer, (Failure, String)>> {
        all.iter().for_each(|_| self.keep_pace());
        let (this, barrier) = (&*self, Barrier::new(all.len()));
        let send = |outgoing| {
            barrier.wait();
            match this.send_once(outgoing)? {
                answer if answer.status == 429 => Err((Failure::RateLimited, "429".to_owned())),
                answer => Ok(answer),
            }
        };
        std::thread::scope(|scope| {
            let sending: Vec<_> = all.iter().map(|outgoing| scope.spawn(|| send(outgoing))).collect();
            let broken = || (Failure::Broken, "a thread that sent broke off".to_owned());
            sending.into_iter().map(|thread| thread.join().unwrap_or_else(|_| Err(broken()))).collect()
        })
    }

    /// Waits until as many requests as the pace allows can be sent at once.
    pub(crate) fn rest(&mut self) {
        let Some(pace) = self.pace else { return };
        let earned = self.refilled.elapsed().as_secs_f64() * pace.per_second;
        let missing = (pace.burst - self.tokens - earned).max(0.0);
        sleep(Duration::from_secs_f64(missing / pace.per_second));
        self.tokens = pace.burst;
        self.refilled = Instant::now();
    }

    fn keep_pace(&mut self) {
        let Some(pace) = self.pace else { return };
        let earned = self.refilled.elapsed().as_secs_f64() * pace.per_second;
        self.tokens = (self.tokens + earned).min(pace.burst);
        self.refilled = Instant::now();
        if self.tokens < 1.0 {
            sleep(Duration::from_secs_f64((1.0 - self.tokens) / pace.per_second));
            self.tokens = 1.0;
            self.refilled = Instant::now();
        }
        self.tokens -= 1.0;
    }

    fn send_once(&self, outgoing: &Outgoing<'_>) -> Result<Answer, (Failure, String)> {
        let started = Instant::now();
        let mut request = Request::builder()
            .method(outgoing.method)
            .uri(format!("{}{}", self.base, outgoing.path_and_query));
        for (name, value) in outgoing.headers {
            request = request.header(name, value);
        }
        let unbuildable = |error: ureq::http::Error| (Failure::Broken, error.to_string());
        let response = match outgoing.body {
            Some(body) => self.agent.run(request.body(body.to_vec()).map_err(unbuildable)?),
            None => self.agent.run(request.body(()).map_err(unbuildable)?),
        };
        let mut response = response.map_err(|error| (failure(&error), error.to_string()))?;
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| {
                (name.to_string(), value.as_bytes().iter().copied().map(char::from).collect())
            })
            .collect();
        let status = response.status().as_u16();
        // An answer to HEAD has no body, also where its fields describe one.
        let body = match outgoing.method {
            "HEAD" => Ok(Vec::new()),
            _ => response.body_mut().with_config().limit(LARGEST_ANSWER as u64).read_to_vec(),
        };
        let body = body.map_err(|error| (failure(&error), error.to_string()))?;
        let elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let (body_text, body_hex) = match String::from_utf8(body) {
            Ok(text) => (Some(text), None),
            Err(error) => (None, Some(hex::encode(error.as_bytes()))),
        };
        Ok(Answer { status, headers, body_text, body_hex, elapsed_ms })
    }
}

/// Header fields in which the number of a request of a burst stands where they ask for it.
fn numbered(headers: &[(String, String)], nth: u32) -> Vec<(String, String)> {
    let number = (nth % 250 + 1).to_string();
    headers.iter().map(|(name, value)| (name.clone(), value.replace("{nth}", &number))).collect()
}

/// How long `Retry-After` asks to wait (RFC 9110 section 10.2.3): seconds, or a date.
fn retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More seconds than can be counted are too long as well.
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    let date = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    // A date that is over asks for nothing.
    Some(Duration::try_from(date.duration_since(now)).unwrap_or_default())
}

fn failure(error: &ureq::Error) -> Failure {
    match error {
        ureq::Error::Timeout(_) => Failure::TimedOut,
        ureq::Error::BodyExceedsLimit(_) => Failure::TooLarge,
        ureq::Error::HostNotFound | ureq::Error::ConnectionFailed => Failure::Unreachable,
        ureq::Error::Io(error) => match error.kind() {
            std::io::ErrorKind::ConnectionRefused
            | std::io::ErrorKind::NetworkUnreachable
            | std::io::ErrorKind::HostUnreachable
            | std::io::ErrorKind::AddrNotAvailable => Failure::Unreachable,
            std::io::ErrorKind::TimedOut => Failure::TimedOut,
            _ => Failure::Broken,
        },
        _ => Failure::Broken,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_of_a_burst_are_numbered_where_they_ask_for_it() {
        let headers = [("A".to_owned(), "198.51.100.{nth}".to_owned()), ("B".to_owned(), "n".to_owned())];
        let values = |nth| numbered(&headers, nth).into_iter().map(|(_, value)| value).collect::<Vec<_>>();
        assert_eq!(values(0), ["198.51.100.1", "n"]);
        assert_eq!(values(249), ["198.51.100.250", "n"]);
        assert_eq!(values(250), ["198.51.100.1", "n"]);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
        let wait = |text| retry_after(text, now).map(|wait| wait.as_secs());
        assert_eq!(wait("7"), Some(7));
        assert_eq!(wait("99999999999999999999"), Some(u64::MAX));
        assert_eq!(wait("Fri, 02 Jan 2026 03:05:05 GMT"), Some(60));
        assert_eq!(wait("Fri, 02 Jan 2026 03:00:00 GMT"), Some(0));
        assert_eq!([wait("soon"), wait("-3"), wait("")], [None, None, None]);
    }

    #[test]
    fn a_url_that_is_none_is_refused_and_what_may_be_a_secret_in_it_is_not_repeated() {
        for (url, why) in [
            ("", "this is none"),
            ("registry.example", "scheme"),
            ("http://me:hush@registry.example", "password"),
            ("http://registry.example/?token=hush", "query"),
            ("http://registry.example/#hush", "fragment"),
            ("ftp://registry.example/?hush#hush", "scheme"),
            ("http://me:hush@registry.example/?hush", "password"),
            ("http://registry.example:99999", "port"),
            ("http://registry.example:0", "port"),
            ("http://[::1]:65536", "port"),
        ] {
            let said = Client::new(url, None).err().map(|error| error.to_string()).unwrap_or_default();
            assert!(said.contains(why) && !said.contains("hush"), "{url}: {said}");
        }
        for url in ["http://registry.example:65535/base/", "https://[2001:db8::1]", "http://[::1]:1"] {
            assert!(Client::new(url, None).is_ok(), "{url}");
        }
    }

    #[test]
    fn only_targets_elsewhere_are_beyond_loopback() {
        let beyond = |base: &str| Client::new(base, None).unwrap().is_beyond_loopback();
        for here in
            ["http://127.0.0.1:9", "http://127.8.0.1", "http://[::1]:9", "http://[::ffff:127.0.0.1]:9"]
        {
            assert!(!beyond(here), "{here}");
        }
        for there in ["http://192.0.2.1:9", "https://[2001:db8::1]"] {
            assert!(beyond(there), "{there}");
        }
    }
}
